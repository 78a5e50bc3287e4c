"""Two cameras -> aligned pairs."""
