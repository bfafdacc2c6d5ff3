"""Identities of functions of matrices, a row each: what defines a decomposition, a root, an exponential."""
