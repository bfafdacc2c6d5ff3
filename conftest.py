"""Which modules of the package have no examples to run here: those that are for a library which isn't installed.

And one thread for BLAS, before NumPy is loaded: the matrices of tests are small, and threads only wait for each other.
"""

import os
from importlib.util import find_spec
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

OPTIONAL = ("jax", "torch", "dask", "scipy", "sympy", "xarray")
_absent = tuple(f"{word} {name}" for name in OPTIONAL for word in ("import", "from") if find_spec(name) is None)

collect_ignore = [
    str(path)
    for path in Path(__file__).parent.joinpath("indexcalc").rglob("*.py")
    if any(line.removeprefix("    >>> ").startswith(_absent) for line in path.read_text("utf-8").splitlines())
]
