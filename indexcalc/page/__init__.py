"""The local page: a question in a browser, and its answer. Loaded by the verb `serve` of the command line."""
