"""What a compressed result holds: each root as a sum of products of held arrays, and the program that computes these.

The factors of a product stay apart where that takes fewer bytes: a set of them that shares labels is contracted if the
product is not larger than what it replaces, and factors that share no label are never multiplied. Terms that differ in
one factor are one term; terms of one pattern of deltas that would take as much as their sum are summed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from math import prod
from typing import NamedTuple

from indexcalc.engine.bind.slices import require_entries
from indexcalc.engine.compressed.bands import Banded, banded
from indexcalc.engine.plan.joined import axes_of
from indexcalc.engine.plan.lowering import Lowering
from indexcalc.engine.plan.orders.contract import EXACT
from indexcalc.engine.plan.orders.scheme import Piece
from indexcalc.engine.plan.peephole import peephole
from indexcalc.engine.plan.pool import StepPool
from indexcalc.engine.plan.products import Products, Ready
from indexcalc.engine.plan.steps import PlacedPiece, added, negative
from indexcalc.engine.plan.terms import Choice, as_leaf
from indexcalc.engine.program import Input, Program
from indexcalc.graph.constructors import constant
from indexcalc.graph.node import Labels, Node, topological
from indexcalc.graph.numbers import Number, add
from indexcalc.graph.ranges import Range, Relation, affine_delta
from indexcalc.simplify.intervals import bounds
from indexcalc.simplify.recognise_logs import stable
from indexcalc.simplify.selection import select


class HeldTerm(NamedTuple):
    """`coef * product of array[labels]`, with the label of each axis in `out`; summed over labels that `out` lacks.

    A factor is the number of a held array and its labels. A label twice in `out` is a delta, one that no factor has is
    an axis along which the term is constant. `ranges` has, by axis, the entries that a term covers, where that is not
    all of them: a band of a matrix is a delta with ranges. It is empty if there are none. `windows` are relations of
    the labels of a row, of a column, and of one that is summed, 1 where they hold and 0 elsewhere.
    """

    coef: Number
    factors: tuple[tuple[int, Labels], ...]
    out: Labels
    sizes: Mapping[int, int]
    ranges: tuple[Range | None, ...] = ()
    windows: tuple[tuple[Relation, Labels], ...] = ()

    def extent(self, axis: int) -> int:
        """The size of an axis."""
        found = self.ranges[axis] if self.ranges else None
        return self.sizes[self.out[axis]] if found is None else found.length  # type: ignore[return-value]

    def opened(self) -> tuple[Labels, list[tuple[Node, Labels]]]:
        """A label for each axis, one of its own for each with a range, and the selections between these and `out`.

        The windows stand behind these.

        >>> term = HeldTerm(1, ((0, (0,)),), (0, 0), {0: 8}, (None, Range(1, 1, 8, 9)))
        >>> term.opened()[0], term.opened()[1][0][1]
        ((0, 2), (0, 2))
        """
        fresh = max(self.sizes, default=-1) + 1
        labels, selections = list(self.out), list[tuple[Node, Labels]]()
        for axis, found in enumerate(self.ranges):
            if found is not None:
                labels[axis] = fresh + axis
                made = constant("selection", (found.size, found.length), (found.start, found.step))
                selections.append((made, (self.out[axis], labels[axis])))
        for relation, own in self.windows:
            windows, axes = affine_delta(relation)
            selections.append((windows, tuple(own[k] for k in axes)))
        return tuple(labels), selections


def factors(roots: Sequence[Node], sizes: Mapping[str, int], real: bool = True) -> tuple[Program, list[list[HeldTerm]]]:
    """The program whose results are the held arrays, of `real` or of complex inputs, and the terms of each root.

    >>> from indexcalc.graph.constructors import einsum, variable
    >>> A, B = variable("A", (9, 9)), variable("B", (9, 9))
    >>> _, ((term,),) = factors([einsum(2, [(A, "ij"), (B, "kl")], "ijklmm", {"m": 5})], {})
    >>> term.factors, term.out
    (((0, (0, 1)), (1, (2, 3))), (0, 1, 2, 3, 4, 4))
    """
    require_entries(roots, sizes)
    found = banded(roots, sizes)
    made = _factors(found, sizes, real)
    if made is None:
        made = _factors(banded(roots, sizes, whole=True), sizes, real)
    assert made is not None
    return made


def _factors(found: Banded, sizes: Mapping[str, int], real: bool) -> tuple[Program, list[list[HeldTerm]]] | None:
    """The program and the terms; None where windows that are held apart are in something else."""
    roots = select(stable(found.roots), real)
    order, pool = topological(roots), StepPool(bounds(list(roots)), sizes)
    lowering = Lowering(order, pool, Choice(frozenset(), frozenset()), Products(pool))
    lowering.lower(())
    apart = {
        value: found.apart[step.name]
        for value, step in enumerate(pool.steps)
        if isinstance(step, Input) and step.name in found.apart
    }
    kept = [_terms(lowering, root, apart) for root in roots]
    values = tuple(dict.fromkeys(p.value for own in kept for term, _ in own for p in term.pieces))
    program = peephole(pool, values)
    number = {value: place for place, value in enumerate(values)}
    terms = [
        [
            HeldTerm(
                t.coef,
                tuple((number[p.value], p.labels) for p in t.pieces),
                t.out[: len(t.out) - sum(len(one.coefs) for one in windows)],
                _used(t),
                t.ranges,
                tuple(_placed(t.out, windows)),
            )
            for t, windows in own
        ]
        for own in kept
    ]
    if any(isinstance(step, Input) and step.name in found.apart for step in program.steps):
        return None
    return (program, terms) if all(_is_apart(term) for own in terms for term in own) else None


def _placed(out: Labels, windows: Sequence[Relation]) -> Iterator[tuple[Relation, Labels]]:
    """Windows with their labels, which are the last of these."""
    start = len(out) - sum(len(one.coefs) for one in windows)
    for one in windows:
        yield one, out[start : start + len(one.coefs)]
        start += len(one.coefs)


def _is_apart(term: HeldTerm) -> bool:
    """Do windows relate a row to a column each, which nothing else does?"""
    for _, labels in term.windows:
        ends = [x for x in labels if x in term.out]
        if len(ends) != 2 or len(set(labels)) < len(labels) or any(term.out.count(x) > 1 for x in ends):
            return False
        if any({*ends} <= {*own} for _, own in term.factors):
            return False
        if any({*labels} & {*others} for _, others in term.windows if others is not labels):
            return False
    return True


def _used(term: Ready) -> dict[int, int]:
    labels = {x for piece in term.pieces for x in piece.labels} | set(term.out)
    return {x: term.sizes[x] for x in sorted(labels)}


def _terms(lowering: Lowering, root: Node, apart: Mapping[int, Relation]) -> list[tuple[Ready, tuple[Relation, ...]]]:
    """The terms of a root, their factors merged as far as that takes no more entries, and the windows of each.

    The labels of windows stand behind those of its axes.
    """
    products = lowering.products
    found = lowering.opening.terms.get(root, as_leaf(root, lowering.pool.shape(root.dims)))
    groups: dict[tuple[Labels, tuple[Range | None, ...], tuple[Relation, ...]], list[Ready]] = {}
    for summand in found:
        made = lowering.ready(summand)
        if made is None:
            continue
        inside = [piece for piece in made.pieces if piece.value in apart]
        out = (*made.out, *(x for piece in inside for x in piece.labels))
        rest = tuple(piece for piece in made.pieces if piece.value not in apart)
        term = _renamed(_merged(products, made._replace(pieces=rest, out=out)))
        windows = tuple(apart[piece.value] for piece in inside)
        groups.setdefault((term.out, term.ranges, windows), []).append(term)
    return [(term, key[2]) for key, group in groups.items() for term in _summarised(products, group, bool(key[2]))]


# ------------------------------------------------------------------ within a term


def _merged(products: Products, term: Ready) -> Ready:
    """The term with sets of factors contracted, as long as that takes no more entries."""
    while True:
        best: tuple[int, tuple[int, ...]] | None = None
        held = _entries([term])
        for chosen in _sets(term.pieces):
            rest = [p for k, p in enumerate(term.pieces) if k not in chosen]
            stay = _stay(term, chosen)
            size = sum(_distinct(rest, term.sizes).values()) + prod(term.sizes[x] for x in stay)
            if size <= held and (best is None or size < best[0]):
                best = size, chosen
        if best is None:
            return term
        stay = _stay(term, best[1])
        made = products.product([term.pieces[k] for k in best[1]], stay, term.sizes, 1)
        rest = [p for k, p in enumerate(term.pieces) if k not in best[1]]
        term = term._replace(pieces=(*rest, made))


def _stay(term: Ready, chosen: Iterable[int]) -> frozenset[int]:
    inside = {x for k in chosen for x in term.pieces[k].labels}
    outside = {x for k, p in enumerate(term.pieces) if k not in set(chosen) for x in p.labels} | set(term.out)
    return frozenset(inside & outside)


def _entries(terms: Sequence[Ready]) -> int:
    found: dict[int, int] = {}
    for term in terms:
        found |= _distinct(term.pieces, term.sizes)
    return sum(found.values())


def _distinct(pieces: Iterable[Piece], sizes: Mapping[int, int]) -> dict[int, int]:
    return {p.value: prod(sizes[x] for x in p.labels) for p in pieces}


# ------------------------------------------------------------------ between terms


def _summarised(products: Products, group: list[Ready], windows: bool) -> list[Ready]:
    """Terms of one pattern: those that differ in one factor become one, all become one where that is smaller."""
    changed = True
    while changed:
        changed = False
        for one, other in combinations(group, 2):
            made = _joined(products.pool, one, other)
            if made is not None:
                group = [term for term in group if term is not one and term is not other] + [made]
                changed = True
                break
    labels = tuple(dict.fromkeys(group[0].out))
    core = prod(group[0].sizes[x] for x in labels)
    if len(group) > 1 and _entries(group) >= core and not windows:
        parts = [(term.coef, products.contracted(term, 1), labels) for term in group]
        return [group[0]._replace(coef=1, pieces=(_sum(products.pool, parts, group[0].sizes),))]
    return group


def _joined(pool: StepPool, one: Ready, other: Ready) -> Ready | None:
    if any(x not in term.out for term in (one, other) for p in term.pieces for x in p.labels):
        return None
    a, b = Counter(one.pieces), Counter(other.pieces)
    left, right = list((a - b).elements()), list((b - a).elements())
    if not left and not right:
        coef = add(one.coef, other.coef)
        return one._replace(coef=coef)
    if len(left) != 1 or len(right) != 1 or set(left[0].labels) != set(right[0].labels):
        return None
    axes = left[0].labels
    made = _sum(pool, [(one.coef, left[0], axes), (other.coef, right[0], axes)], one.sizes)
    other_sign = negative(pool, made.value)
    coef = 1
    if other_sign is not None and other_sign < made.value:
        coef, made = -1, made._replace(value=other_sign)
    return one._replace(coef=coef, pieces=(*(a & b).elements(), made))


def _sum(pool: StepPool, parts: Sequence[tuple[Number, Piece, Labels]], sizes: Mapping[int, int]) -> Piece:
    axes = parts[0][2]
    rows = [PlacedPiece(coef, piece, axes_of(labels)) for coef, piece, labels in parts]
    value, form = added(pool, rows, tuple(sizes[x] for x in axes))
    return Piece(value, tuple(axes[form.out.index(x)] for x in form.labels))


def _sets(pieces: Sequence[Piece]) -> list[tuple[int, ...]]:
    """The sets of factors that share labels: all of them, or pairs where there are many factors."""
    longest = len(pieces) if len(pieces) <= EXACT else 2
    sets = [found for size in range(2, longest + 1) for found in combinations(range(len(pieces)), size)]
    return [found for found in sets if _connected([pieces[k] for k in found])]


def _connected(pieces: Sequence[Piece]) -> bool:
    reached, rest = set(pieces[0].labels), list(pieces[1:])
    while rest:
        near = [p for p in rest if reached & set(p.labels)]
        if not near:
            return False
        for piece in near:
            reached |= set(piece.labels)
            rest.remove(piece)
    return True


def _renamed(term: Ready) -> Ready:
    """The term with its labels numbered along its axes, so that terms of one pattern have the same labels."""
    number: dict[int, int] = {}
    for label in (*term.out, *(x for p in term.pieces for x in p.labels)):
        number.setdefault(label, len(number))
    pieces = tuple(Piece(p.value, tuple(number[x] for x in p.labels)) for p in term.pieces)
    sizes = {number[x]: size for x, size in term.sizes.items() if x in number}
    return Ready(term.coef, pieces, tuple(number[x] for x in term.out), sizes, term.ranges)
