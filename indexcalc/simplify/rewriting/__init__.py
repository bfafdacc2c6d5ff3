"""Rewrites as data: a row each with its formula, source, example; ordered tables, one driver, its trace."""
