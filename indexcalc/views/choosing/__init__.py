"""Entries that integers choose."""
