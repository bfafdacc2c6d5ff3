"""From a node to what is printed: pieces of syntax, and the two notations that set them."""
