"""Simplification of matrix functions: inverses, determinants, and the functions that derivatives contract."""
