"""Leave out of an ONNX file what makes an output that nobody wants.

onnxruntime computes all outputs of a file, also those that a run does not ask for (its option to run only what leads to
those asked for works in builds for training alone), and keeps nodes whose results nobody uses. So they go before the
file is loaded.
"""

from ircolor.protobuf import fields, header

_GRAPH = 7  # of ModelProto
_NODE, _OUTPUT = 1, 12  # of GraphProto
_INPUT_OF_NODE, _OUTPUT_OF_NODE, _NAME_OF_VALUE = 1, 2, 1


def output_names(model: bytes) -> list[str]:
    """Names of a model's outputs, in their order.

    Raises:
        ValueError: the bytes are not a protobuf message.
    """
    graphs = [field.value for field in fields(model) if field.number == _GRAPH]
    outputs = [field.value for graph in graphs for field in fields(graph) if field.number == _OUTPUT]
    return [name.decode("utf-8", "replace") for output in outputs for name in _strings(output, _NAME_OF_VALUE)]


def keep_output(model: bytes, name: str) -> bytes:
    """A model without its other outputs, and without the nodes that only they need.

    Args:
        model: a serialized ModelProto, whose nodes stand in the order of their work, as ONNX has it.
        name: of the output that stays.

    Raises:
        ValueError: the bytes are not a protobuf message.
    """
    parts: list[bytes | memoryview] = []
    for field in fields(model):
        if field.number == _GRAPH:
            graph = _pruned(field.value, name.encode())
            parts += [header(_GRAPH, len(graph)), graph]
        else:
            parts.append(field.whole)
    return b"".join(parts)


def _pruned(graph: memoryview, output: bytes) -> bytes:
    needed = {output}
    kept: list[memoryview] = []
    for number, value, whole in reversed(list(fields(graph))):
        if number == _NODE:
            if needed.isdisjoint(_strings(value, _OUTPUT_OF_NODE)):
                continue
            needed |= _strings(value, _INPUT_OF_NODE) - {b""}  # an input that is left out has an empty name
        elif number == _OUTPUT and output not in _strings(value, _NAME_OF_VALUE):
            continue
        kept.append(whole)
    return b"".join(reversed(kept))


def _strings(message: memoryview, number: int) -> set[bytes]:
    return {bytes(field.value) for field in fields(message) if field.number == number}
