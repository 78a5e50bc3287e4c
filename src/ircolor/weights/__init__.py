"""The bundled networks, their cards, and the check that a model file is whole."""

DEFAULT_MODEL = "snet_plus"  # what people get who do not choose: the best colours
