"""What the parts of a text mean: a rule for each part of the grammar, and the words and signs that they know."""
