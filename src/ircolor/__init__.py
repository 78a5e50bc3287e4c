"""Turn infrared images into natural colour."""

__version__ = "0.1.0"
