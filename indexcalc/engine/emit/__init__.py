"""Programs as code: the kernels of NumPy, and source for NumPy, JAX and PyTorch."""
