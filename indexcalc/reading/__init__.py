"""From text to views: the grammar, and the reader behind `ic.parse`."""
