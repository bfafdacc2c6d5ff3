"""Sphinx: `sphinx-build docs docs/_build`, with myst_nb and furo installed."""

project = "indexcalc"
author = "The indexcalc developers"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.mathjax"]
html_theme = "furo"
exclude_patterns = ["_build"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # the sessions on these pages are run by the tests
