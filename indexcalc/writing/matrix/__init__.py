"""Matrix notation: closed forms, the search for a short one, and their text and LaTeX."""
