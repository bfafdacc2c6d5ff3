"""Compressed results: `delta ⊗ core` terms, their products and solves, without the dense array."""
