"""Derivatives of views: as views that know where their axes came from, laid out, and the panel of all layouts."""
