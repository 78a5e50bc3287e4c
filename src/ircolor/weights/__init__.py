"""The bundled networks, their cards, and the check that a model file is whole."""
