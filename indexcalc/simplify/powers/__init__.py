"""Powers, exponentials and norms that meet in a product or a sum."""
