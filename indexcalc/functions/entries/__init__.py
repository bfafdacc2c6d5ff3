"""Rows of the table of functions of entries: special functions, and those made of pieces."""
