"""Aligned infrared-RGB pairs on disk: finding them, splitting them by protocol, feeding them to training."""
