"""Sums of two vectors over an affine delta, as their convolution or correlation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from indexcalc.graph.node import Node
from indexcalc.graph.ranges import Relation, relation_of
from indexcalc.index import Dimension
from indexcalc.writing.matrix.forms import Form, call, ones


def convolved(factors: list[Any], dims: dict[Any, Dimension], form: Callable[[Node], Form]) -> list[tuple[Form, Any]]:
    """Vectors that an affine delta joins, as their convolution or correlation, with the label that it has."""
    made = []
    for row in [row for row in factors if relation_of(row[0]) is not None and row[2] == 1]:
        node, at, _ = row
        times = Counter(label for _, labels, _ in factors for label in labels)
        alone = [other for other in factors if other is not row and other[2] == 1 and len(other[1]) == 1]
        vectors = {other[1][0]: other for other in alone if other[1][0] in at and times[other[1][0]] == 2}
        summed = [isinstance(label, tuple) and (label in vectors or times[label] == 1) for label in at]
        named = _name_of_sum(relation_of(node), summed)
        if named is None or not vectors:
            continue
        name, places, out = named
        forms = [form(vectors[at[k]][0]) if at[k] in vectors else ones(node.dims[k], None) for k in places]
        for other in (row, *(vectors[at[k]] for k in places if at[k] in vectors)):
            factors.remove(other)
        for k in places:
            del dims[at[k]]
        made.append((call(name, forms, node.dims[out], None), at[out]))
    return made


def _name_of_sum(found: Relation | None, summed: Sequence[bool]) -> tuple[str, tuple[int, int], int] | None:
    """What a sum of two vectors over an affine delta is called, which of its axes they have, and which is the value's.

    Each pair of entries is in it where the largest axis has room for all, and the longer one has whole windows.
    """
    if found is None or found.coefs != (1, 1, -1) or found.start != 0 or sum(summed) != 2:
        return None
    one, other, whole = found.sizes
    if whole != one + other - 1:
        return None
    if summed[2]:
        return "correlate", (2, 0 if summed[0] else 1), 1 if summed[0] else 0
    turned = isinstance(one, int) and isinstance(other, int) and one < other
    return "convolve", (1, 0) if turned else (0, 1), 2
