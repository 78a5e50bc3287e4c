"""How fast networks are on this machine: one image, a folder, a video, against the bare network."""
