"""Programs as straight-line NumPy: buffers and their lives, the lines as they are written, and a writer each trade."""
