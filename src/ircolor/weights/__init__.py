"""The bundled networks, their cards, and the check that a model file is whole."""

DEFAULT_MODEL = "fast"  # what people get who do not choose: the best colours
