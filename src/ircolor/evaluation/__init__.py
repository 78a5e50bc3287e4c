"""Score models and folders of predictions on the pairs of a protocol, and show the comparison."""
