"""Simplification of joined axes: Kronecker products, vec and their like."""
