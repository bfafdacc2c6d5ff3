"""Pictures: a node as a tensor network, laid out, as SVG, DOT or TikZ; plots of structure, memory and functions."""
