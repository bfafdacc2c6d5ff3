"""Other libraries by meaning: SymPy's expressions both ways, einops' patterns, xarray's names, SciPy's optimizers."""
