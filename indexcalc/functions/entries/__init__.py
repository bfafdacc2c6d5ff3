"""Rows of the table of functions of entries: special functions, pieces, orders, and what integers choose."""
