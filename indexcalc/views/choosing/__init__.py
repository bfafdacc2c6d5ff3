"""Keys that are arrays of integers, and indices that depend on others."""
