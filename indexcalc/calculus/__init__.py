"""Derivatives: a rule a node kind, accumulated forward or backward."""
