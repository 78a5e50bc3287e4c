"""Pixels in and out of files: decoding, intensity, encoding. OpenCV's BGR order stays inside."""
