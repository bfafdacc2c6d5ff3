"""The directions of derivatives of matrix functions: what both axes of one are contracted with becomes the direction.

The rewrite: `contract_directions`, so that the numbers of a derivative need not be found for every direction. With a
further matrix E_0 the derivative becomes tr(E_0 D^k f(X)[E_1, ..., E_k]), which is the same for any order of them
(N. Higham, Functions of Matrices, chapter 3): so the value, transposed, counts as one more direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from indexcalc.functions.primary import pairs_of
from indexcalc.graph.constructors import einsum, matrix
from indexcalc.graph.edge import Draft, Edge, colour, upright
from indexcalc.graph.node import Matrix
from indexcalc.graph.numbers import multiply
from indexcalc.simplify.normaliser import Normaliser
from indexcalc.simplify.opened import opened


class Contracted(NamedTuple):
    """Axes of a derivative that are contracted with some of the other factors, which make the matrix `edge`."""

    pair: int
    edge: Edge
    factors: tuple[int, ...]
    labels: frozenset[int]


def contract_directions(work: Normaliser, draft: Draft, out: Sequence[int]) -> None:
    """What is contracted with both axes of a direction of a derivative becomes this direction."""
    place = 0
    while place < len(draft.factors):
        node, _, exponent = draft.factors[place]
        if isinstance(node, Matrix) and node.times and exponent == 1 and _contract(work, draft, out, place):
            place = 0
        else:
            place += 1


def _contract(work: Normaliser, draft: Draft, out: Sequence[int], place: int) -> bool:
    """Moves what can be moved into this derivative; says whether there was anything."""
    node, places, _ = draft.factors[place]
    assert isinstance(node, Matrix)
    labels = [draft.find(label) for label in places]
    pairs = pairs_of(node)
    found = [one for k in range(len(pairs)) if (one := _partner(work, draft, out, place, labels, k)) is not None]
    found.sort(key=lambda one: (colour(one.edge.node), one.edge.axes))
    if len(found) == len(pairs):
        found.pop()
    if not found:
        return False
    rows = node.children[0].order - 2
    dims = node.children[0].dims
    taken = {one.pair for one in found}
    left = [pair for k, pair in enumerate(pairs) if k not in taken]
    axes = [*range(rows), *left[0][::-1], *(axis for pair in left[1:] for axis in pair)]
    directions = [*node.children[1:], *(upright(one.edge._replace(coef=1), dims) for one in found)]
    shape = [node.dims[axis] for axis in axes]
    made = matrix(node.fn, [node.children[0], *directions], shape, node.params, node.times)
    for one in found:
        draft.coef = multiply(draft.coef, one.edge.coef)
        draft.drop(one.labels)
    gone = {place, *(k for one in found for k in one.factors)}
    kept = [factor for k, factor in enumerate(draft.factors) if k not in gone]
    draft.factors = kept
    draft.factors += opened(draft, draft.attach(work.edge(made), [labels[axis] for axis in axes], 1))
    return True


def _partner(
    work: Normaliser, draft: Draft, out: Sequence[int], place: int, labels: Sequence[int], k: int
) -> Contracted | None:
    """What the axes of pair k are contracted with, if that runs along nothing else but the batches."""
    node = draft.factors[place][0]
    assert isinstance(node, Matrix)
    batch = labels[: node.children[0].order - 2]
    pair = pairs_of(node)[k]
    ends = [labels[axis] for axis in pair]
    others = [label for axis, label in enumerate(labels) if axis not in pair]
    free = {draft.find(label) for label in out}
    if free & set(ends) or set(others) & set(ends) or len(set(batch)) < len(batch):
        return None
    closed = free | set(others)
    inside, members = set(ends), set[int]()
    grown = True
    while grown:
        grown = False
        for other, (_, row, _) in enumerate(draft.factors):
            own = {draft.find(label) for label in row}
            if other == place or other in members or not own & inside:
                continue
            members.add(other)
            inside |= own - closed
            grown = True
    rows = {draft.find(label) for other in members for label in draft.factors[other][1]}
    if not rows <= inside | set(batch):
        return None
    factors = [
        (base, [draft.find(label) for label in row], exponent)
        for base, row, exponent in (draft.factors[other] for other in sorted(members))
    ]
    sizes = {label: draft.dims[label] for label in (*batch, *ends)}
    edge = work.renormalise(einsum(1, factors, (*batch, *ends), sizes))
    return Contracted(k, edge, tuple(sorted(members)), frozenset(inside))
