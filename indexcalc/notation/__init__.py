"""The two views of a node, and their texts: named indices and placed axes."""
