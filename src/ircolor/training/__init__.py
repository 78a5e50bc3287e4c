"""From pairs to weights: recipes, losses, the loop, checkpoints, export."""
