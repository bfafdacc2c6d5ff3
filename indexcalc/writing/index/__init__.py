"""Index notation: what is written in which order (`arrange`, `order`), as text and as LaTeX."""
