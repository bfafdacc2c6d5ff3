"""Source that a person would write: values as expressions, and how each kind of step is written."""
