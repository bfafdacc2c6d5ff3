"""Derivations as a person would write them, line by line; a package `explain` would hide the function."""
