"""Identities of functions of matrices and of entries, a row each."""
