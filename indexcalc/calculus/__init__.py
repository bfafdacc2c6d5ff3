"""Derivatives: a rule a node kind, accumulated forward or backward. Read `rules.py` first."""
