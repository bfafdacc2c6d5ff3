"""A point: random inputs that an expression is evaluated at, which have what is assumed of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from indexcalc.engine.bind.declared import respecting
from indexcalc.engine.bind.inputs import symbols_below
from indexcalc.engine.bind.smooth import smooth_functions
from indexcalc.graph.node import Call, topological
from indexcalc.index import size
from indexcalc.views.view import View


def point(view: View, sizes: Mapping[str, int], seed: int = 0) -> dict[str, Any]:
    """What `view.evaluate` takes by name: random numbers for all inputs that have what is assumed, sizes, functions.

    Abstract functions are random smooth ones; entries lie between -1.2 and 1.6.

    >>> import indexcalc as ic
    >>> A, x = ic.tensor("A", "n n", symmetric=True), ic.tensor("x", "n")
    >>> sorted(point(A @ x, {"n": 3})), float((x @ x).evaluate(**point(x @ x, {"n": 2}))) > 0
    (['A', 'n', 'x'], True)
    """
    rng = np.random.default_rng(seed)
    found: dict[str, Any] = {}
    for tensor_ in sorted(view.inputs, key=lambda one: one.label):
        shape = [size(axis, sizes) for axis in tensor_.dims]
        found[tensor_.label] = respecting(tensor_, rng.uniform(-1.2, 1.6, shape))
    named = symbols_below([view.node, *view.inputs])
    calls = smooth_functions([node for node in topological([view.node]) if isinstance(node, Call)], sizes)
    return found | {name: sizes[name] for name in named} | calls
