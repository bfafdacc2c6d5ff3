"""Programs as code: straight-line NumPy (`numpy`) and source that a person would write (`source`)."""
