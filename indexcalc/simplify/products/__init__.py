"""Simplification of products: gathered from the graph, cancelled, multiplied out, and numbered in one way."""
