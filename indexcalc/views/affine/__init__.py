"""Affine indices: which entries a use of them takes, where it is defined, and convolutions, which are made of them."""
