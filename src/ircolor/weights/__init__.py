"""The bundled networks, their cards, and the check that a model file is whole."""

DEFAULT_MODEL = "snet"  # what people get who do not choose
