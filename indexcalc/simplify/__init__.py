"""Simplification: rewrites that bring a graph into normal form. `passes.py` drives them; one module a trade."""
