"""Leave out of an ONNX file what makes an output that nobody wants.

onnxruntime computes all outputs of a file, also those that a run does not ask for (its option to run only what leads to
those asked for works in builds for training alone), and keeps nodes whose results nobody uses. So they go before the
file is loaded.
"""

from ircolor.protobuf import fields, header

_GRAPH = 7  # of ModelProto
_NODE, _OUTPUT = 1, 12  # of GraphProto
_INPUT_OF_NODE, _OUTPUT_OF_NODE, _ATTRIBUTE_OF_NODE, _NAME_OF_VALUE = 1, 2, 5, 1
_GRAPHS_OF_ATTRIBUTE = (6, 11)  # the bodies of If, Loop and Scan


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
            needed |= _inputs(value)
        elif number == _OUTPUT and output not in _strings(value, _NAME_OF_VALUE):
            continue
        kept.append(whole)
    return b"".join(reversed(kept))


def _inputs(node: memoryview) -> set[bytes]:
    """Names of what a node takes, and what its bodies take, be it from within or from around them."""
    names: set[bytes] = set()
    nodes = [node]
    while nodes:
        for number, value, _ in fields(nodes.pop()):
            if number == _INPUT_OF_NODE:
                names.add(bytes(value))
            elif number == _ATTRIBUTE_OF_NODE:
                bodies = [part.value for part in fields(value) if part.number in _GRAPHS_OF_ATTRIBUTE]
                for part in (part for body in bodies for part in fields(body)):
                    if part.number == _NODE:
                        nodes.append(part.value)
                    elif part.number == _OUTPUT:
                        names |= _strings(part.value, _NAME_OF_VALUE)
    return names - {b""}  # an input that is left out has an empty name


def _strings(message: memoryview, number: int) -> set[bytes]:
    return {bytes(field.value) for field in fields(message) if field.number == number}
