"""The functions that users call, on both views, made from the rows of the table of functions."""
