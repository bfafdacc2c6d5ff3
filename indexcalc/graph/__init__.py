"""The graph: positional, immutable, interned nodes, and what is known of them. Read `node.py` first."""
