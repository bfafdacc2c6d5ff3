"""Where a wrong formula differs: the first term, and small inputs that show it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from indexcalc.checking.compare import near
from indexcalc.checking.edits import aligned, likest, term_text
from indexcalc.checking.mends import Mend
from indexcalc.checking.report import Difference, Example
from indexcalc.engine.bind.declared import respecting
from indexcalc.engine.bind.inputs import symbols_in
from indexcalc.engine.bind.smooth import smooth_functions
from indexcalc.equality.points import Point, of_matrices, sizes_of
from indexcalc.errors import InputError
from indexcalc.graph.node import Call, Node, Variable, topological
from indexcalc.index import size

TRIES = 30
LARGEST = 3


def difference_of(mend: Mend) -> Difference | None:
    """The first term in which a formula differs from its target, if their terms differ."""
    terms = aligned(mend.node, mend.target.node)
    if not (terms.extra or terms.missing):
        return None
    if not terms.extra:
        return Difference("", term_text(terms.missing[0], mend))
    term = terms.extra[0]
    other = term_text(likest(term, terms.missing), mend) if terms.missing else ""
    return Difference(term_text(term, mend), other)


def example_of(mend: Mend) -> Example | None:
    """Small integers, sizes 1 to 3, at which a formula and its target differ, and the entry where they do.

    They are positive if that shows it.
    """
    roots = [mend.node, mend.target.node]
    rng = np.random.default_rng(0)
    found: list[tuple[int, Example]] = []
    for attempt in range(TRIES):
        if found and attempt >= TRIES // 2:
            break
        point = _small(roots, rng, signed=attempt >= TRIES // 2)
        try:
            own, wanted = point.values(roots)
        except InputError:
            continue
        if not (np.isfinite(own).all() and np.isfinite(wanted).all()) or near(own, wanted):
            continue
        gap = np.abs(own - wanted)
        place = tuple(int(k) for k in np.argwhere(gap >= gap.max() / 2)[0])
        inputs: dict[str, Any] = {variable.label: array for variable, array in point.arrays.items()}
        inputs |= {name: value for name, value in point.functions.items() if isinstance(value, np.ndarray)}
        total = sum(np.size(array) for array in inputs.values())
        tidy = {name: _tidy(value) for name, value in inputs.items()}
        found.append((total, Example(tidy, place, float(own[place]), float(wanted[place]))))
    return min(found, key=lambda pair: pair[0])[1] if found else None


def _tidy(value: Any) -> Any:
    whole = np.asarray(value)
    return whole.astype(int) if np.array_equal(whole, np.round(whole)) else np.round(whole, 4)


def _small(roots: Iterable[Node], rng: np.random.Generator, signed: bool) -> Point:
    """Small integers for every tensor, positive or of both signs, and for every gradient that has a name."""
    order = topological(roots)
    sizes = sizes_of(symbols_in(order), [int(k) for k in rng.permutation(np.arange(1, LARGEST + 1))])
    whole = any(of_matrices(node) for node in order)
    arrays = {}
    for node in order:
        if isinstance(node, Variable):
            shape = tuple(size(dim, sizes) for dim in node.dims)
            value = rng.integers(1, 4, shape) * (rng.choice([-1.0, 1.0], shape) if signed else 1.0)
            if whole and len(shape) > 1 and shape[-1] == shape[-2]:
                value = value + 2 * np.eye(shape[-1])
            arrays[node] = respecting(node, np.asarray(value))
    functions: dict[str, Any] = dict(smooth_functions(order, sizes))
    for node in order:
        if isinstance(node, Call) and node.name == node.function.gradient:
            functions[node.name] = rng.integers(1, 4, tuple(size(dim, sizes) for dim in node.dims)).astype(float)
    return Point(sizes, arrays, functions)
