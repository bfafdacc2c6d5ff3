"""Programs as functions: NumPy, JAX, PyTorch and dask, in tiles, on several devices, or as source."""
