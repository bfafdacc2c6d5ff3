"""Mathematical equality: by form, else by numbers at random points."""
