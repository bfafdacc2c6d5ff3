"""Layouts: the table of conventions, and derivatives as rows and columns."""
