"""Layouts: the table of conventions, and derivatives projected onto rows and columns. Read `conventions.py` first."""
