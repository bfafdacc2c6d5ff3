"""Programs as functions: NumPy, JAX, PyTorch and dask, in chunks, on several devices, or as source."""
