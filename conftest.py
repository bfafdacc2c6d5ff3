"""Which modules of the package have no examples to run here: those that are for a library which isn't installed."""

from importlib.util import find_spec
from pathlib import Path

OPTIONAL = ("jax", "torch", "dask", "scipy", "sympy", "xarray")
_absent = tuple(f"{word} {name}" for name in OPTIONAL for word in ("import", "from") if find_spec(name) is None)

collect_ignore = [
    str(path)
    for path in Path(__file__).parent.joinpath("indexcalc").rglob("*.py")
    if any(line.removeprefix("    >>> ").startswith(_absent) for line in path.read_text("utf-8").splitlines())
]
