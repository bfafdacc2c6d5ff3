"""What an evaluation would cost, before anything is computed: shape, bytes, operations; and its compressed form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from math import prod
from typing import Any

import numpy as np

from indexcalc.engine.bind.inputs import FLOATS, size_of, symbols_below
from indexcalc.engine.compile.arranged import Job, arrange
from indexcalc.engine.compressed.compressed import (
    Cost,
    cost,
    grid,
)
from indexcalc.engine.limits import most_bytes
from indexcalc.engine.measure import total_flops
from indexcalc.engine.plan.plan import Options
from indexcalc.engine.wanted import Evaluable
from indexcalc.errors import Asked, InputError, counted, did_you_mean
from indexcalc.graph.inputs import joined_inputs
from indexcalc.graph.node import Call, topological
from indexcalc.graph.walk import variables
from indexcalc.simplify.passes import simplify
from indexcalc.surface import is_integer, public


@public
@dataclass(frozen=True, slots=True)
class Preflight:
    """What an evaluation, or a compiled function, would cost, the inputs apart; `print` shows it.

    `shape` is that of the dense result (a list of shapes for several), `bytes` what the results take, `peak_bytes` the
    most that is alive at once on the way (constants, and what functions of matrices need, among them; what LAPACK and
    BLAS take for themselves is not), `flops` the floating-point operations. `compressed_bytes` is what
    `.compressed(...)` would hold, which takes `compressed_peak_bytes` to make, as the terms `compressed`.
    """

    shape: Any
    bytes: int
    flops: int
    peak_bytes: int
    compressed_bytes: int
    compressed_peak_bytes: int
    compressed: str
    limit: int

    @property
    def fits(self) -> bool:
        """Is the peak within the limit?"""
        return self.peak_bytes <= self.limit

    def __str__(self) -> str:
        shapes = self.shape if isinstance(self.shape, list) else [self.shape]
        shown = ", ".join(" × ".join(map(str, shape)) or "a number" for shape in shapes)
        word = "fits" if self.fits else "does not fit"
        peak, made = amount(self.peak_bytes), amount(self.compressed_peak_bytes)
        operations = f"{self.flops:.3g} FLOP{'s' * (self.flops != 1)}"
        lines = [
            f"dense:      {shown}, {amount(self.bytes)}; {operations}, at most {peak} at once",
            f"limit:      {amount(self.limit)}: it {word}",
            f"compressed: {amount(self.compressed_bytes)}, made with at most {made} at once",
            f"            {self.compressed}",
        ]
        if not self.fits and self.compressed_peak_bytes <= self.limit:
            lines.append("instead:    D.compressed(...), then .matvec(v), .diagonal(), .trace() or .solve(b)")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def amount(count: int) -> str:
    """Bytes as a person reads them.

    >>> amount(551_000_000_000), amount(72)
    ('551 GB', '72 bytes')
    """
    for power, unit in ((12, "TB"), (9, "GB"), (6, "MB"), (3, "kB")):
        if count >= 0.9995 * 10**power:
            return f"{count / 10**power:.{max(0, 3 - len(str(int(count / 10**power))))}f} {unit}"
    return counted(count, "byte")


@public
def preflight(
    D: Any,
    sizes: Mapping[str, int] | None = None,
    /,
    *,
    dtype: Any = "float64",
    memory_limit: int | float | str | None = None,
    **named: int,
) -> Preflight:
    """What it would cost to evaluate an expression, a derivative, or a list of them; nothing is computed.

    Sizes come by dimension symbol, as keywords (`n=2483`) or in a table (`{"n": 2483}`). `dtype` is that of the inputs,
    and `memory_limit` in bytes, or a text such as "4GB" (half of the machine's memory).

    >>> import indexcalc as ic
    >>> A, X, B = ic.tensor("A", "n n"), ic.tensor("X", "n n"), ic.tensor("B", "n n")
    >>> ic.preflight(ic.derivative(A @ X @ B, X), n=300, memory_limit=10**9)
    dense:      300 × 300 × 300 × 300, 64.8 GB; 8.1e+09 FLOPs, at most 64.8 GB at once
    limit:      1.00 GB: it does not fit
    compressed: 1.44 MB, made with at most 1.44 MB at once
                A[i,k] ⊗ B[l,j]
    instead:    D.compressed(...), then .matvec(v), .diagonal(), .trace() or .solve(b)
    """
    views = [D] if isinstance(D, Evaluable) else [view for row in grid(D, "preflight") for view in row]
    asked = Asked(lambda: f"preflight of {', '.join(map(str, views))}")
    kind = _kept_dtype(dtype, asked)
    limit = most_bytes(memory_limit, asked)
    twice = sorted((sizes or {}).keys() & named.keys())
    if twice:
        raise InputError(asked, f"{twice[0]} is given twice", "give it once")
    sizes = {**(sizes or {}), **named}
    given = [view.sides() for view in views]
    roots = simplify([side.node for side in given])
    check_sizes(
        asked, sizes, symbols_below([*roots, *joined_inputs(view.inputs for view in views)]), symbols_below(roots)
    )
    used = variables(roots)
    job = Job(
        tuple(roots),
        {v.label: v.dims for v in used},
        Options(),
        whole=any(isinstance(node, Call) for node in topological(roots)),
    )
    mixed = [v.label for v in used] if kind.kind == "c" else []
    made = arrange(job, sizes, kind, mixed)
    shapes = [tuple(size_of(dimension, sizes) for dimension in view.node.dims) for view in views]
    held = cost(roots, sizes, kind, [side.names for side in given])
    return Preflight(
        shape=shapes[0] if isinstance(D, Evaluable) else shapes,
        bytes=sum(map(prod, shapes)) * kind.itemsize,
        flops=total_flops(made.program),
        peak_bytes=made.code.peak,
        compressed_bytes=held.nbytes,
        compressed_peak_bytes=held.peak_bytes,
        compressed=held.shown,
        limit=limit,
    )


def _kept_dtype(dtype: Any, asked: Asked) -> Any:
    try:
        kind: Any = None if dtype is None else np.dtype(dtype)
    except (TypeError, ValueError):
        kind = None
    if kind is None or kind not in FLOATS:
        raise InputError(asked, f"dtype {kind or repr(dtype)}", f"give one of {', '.join(map(str, FLOATS))}")
    return kind


def check_sizes(asked: Asked, sizes: Mapping[str, int], known: set[str], needed: set[str]) -> None:
    """Each size is one of a dimension that is `known`, and all that are `needed` are there, or an error says which."""
    for name, size in sizes.items():
        if name not in known:
            raise InputError(asked, f"unknown dimension {name!r}", did_you_mean(str(name), known))
        if not is_integer(size) or size < 0:
            raise InputError(asked, f"{name}={size!r} is no size", f"give {name}=5, say")
    missing = sorted(name for name in needed - sizes.keys() if not name.startswith("?"))
    if missing:
        raise InputError(asked, f"no size for {', '.join(missing)}", f"give {', '.join(f'{m}=...' for m in missing)}")


def alternative(view: Evaluable, sizes: dict[str, int], dtype: Any) -> Cost:
    """What the compressed form of a view costs, for the error of an array that is too large."""
    side = view.sides()
    return cost(simplify([side.node]), sizes, dtype, [side.names])
