"""The graph: positional, immutable, interned nodes, and the passes over it."""
