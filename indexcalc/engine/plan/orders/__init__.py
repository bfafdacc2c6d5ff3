"""Orders of contraction: what equal products have in common, the search, and many factors."""
