"""Arrays made of parts: joined, repeated, moved and split along axes, as NumPy has them, in both views."""
