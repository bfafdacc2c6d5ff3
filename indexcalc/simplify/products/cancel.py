"""What cancels in a product: shared products, an inverse beside its argument, an orthogonal matrix and its transpose.

The rewrites: `cancel_shared` (p/q * (p/q)**-1 = 1), `cancel_inverse` (inv(X)_ik X_kj = δ_ij, and for cofactors C of X
C_ki X_kj = det(X) δ_ij, on either side and for each batch; X may be one factor, or a product whose factors stand among
the others), `cancel_orthogonal` (Q_ik Q_jk = δ_ij) and `cancel_sums` (Σ_j A_ij / Σ_k A_ik = 1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from indexcalc.graph.canonical import settle
from indexcalc.graph.edge import Draft, symmetry_of
from indexcalc.graph.edge import power as to_power
from indexcalc.graph.node import Factor, Labels, Node, Product, Reduction
from indexcalc.graph.numbers import Number, add, multiply
from indexcalc.simplify.matrices.inverse import is_orthogonal
from indexcalc.simplify.opened import opens
from indexcalc.simplify.recognise import is_inverse, size_of_unit

STEPS = 500
"""How many factors are tried, at most, for those of one argument: the search would be exponential in equal factors."""


class Match(NamedTuple):
    """Factors that are the argument of an inverse: their places, sign, the label at the far end, and those inside."""

    places: tuple[int, ...]
    sign: int
    far: int
    inside: frozenset[int]


def cancel(draft: Draft, out: Sequence[int]) -> None:
    """Takes out of a product what cancels in it."""
    while any(_cancels(node) for node, _, _ in draft.factors) and _cancel_one(draft, out):
        pass


def _cancels(node: Node) -> bool:
    return is_inverse(node) or _is_orthogonal(node)


def _is_orthogonal(node: Node) -> bool:
    return node.order >= 2 and is_orthogonal(node, (node.order - 2, node.order - 1))


def _cancel_one(draft: Draft, out: Sequence[int]) -> bool:
    """Takes one pair out; says whether there was one."""
    rows = [(node, tuple(draft.find(label) for label in labels), e) for node, labels, e in draft.factors]
    times = Counter(label for _, labels, _ in rows for label in labels)
    times.update(draft.find(label) for label in out)
    for place, (node, _, exponent) in enumerate(rows):
        if is_inverse(node) and exponent == 1:
            if _cancel_inverse(draft, rows, times, place):
                return True
        elif _is_orthogonal(node) and _cancel_orthogonal(draft, rows, times, place):
            return True
    return False


def cancel_shared(draft: Draft) -> None:
    """Opens a product that is used elsewhere too where a factor of it cancels: `p/q * (p/q)**-1` is 1.

    Where none does, or there would be more factors than before, what is shared stays shared.

    >>> import indexcalc as ic
    >>> p, q = ic.scalar("p"), ic.scalar("q")
    >>> (p*ic.log(p/q)).diff(p)
    1 + log(p/q)
    """
    place = 0
    while place < len(draft.factors) > 1:
        node, labels, exponent = draft.factors[place]
        if isinstance(node, Product) and _shortens(draft, place):
            draft.factors[place : place + 1] = draft.open(node, labels, exponent)
            place = 0
        else:
            place += 1


def _shortens(draft: Draft, place: int) -> bool:
    """Does something cancel once the product at this place is opened, and are there no more factors than before?"""
    node, places, exponent = draft.factors[place]
    if not isinstance(node, Product) or node.bound or len(set(node.out)) < node.order or not opens(node, exponent):
        return False
    at = {label: draft.find(places[axis]) for axis, label in enumerate(node.out)}
    powers: dict[tuple[Node, Labels], Number] = {}
    for k, (other, labels, power) in enumerate(draft.factors):
        if k != place:
            key = (other, tuple(draft.find(label) for label in labels))
            powers[key] = add(powers.get(key, 0), power)
    before, cancelled = len(powers), False
    for f in node.factors:
        key, power = (f.node, tuple(at[label] for label in f.labels)), multiply(f.exponent, exponent)
        cancelled |= powers.get(key, 0).real * power.real < 0
        powers[key] = add(powers.get(key, 0), power)
    return cancelled and sum(power != 0 for power in powers.values()) <= before + 1


def cancel_sums(draft: Draft, out: Sequence[int]) -> None:
    """Takes out what is summed and divided by that sum, along axes that stay.

    >>> import indexcalc as ic
    >>> A = ic.tensor("A", "n m")
    >>> rows = ic.sum(ic.sin(A)/ic.sum(ic.sin(A), axis=1, keepdims=True), axis=1)
    >>> rows == ic.ones("n")
    True
    """
    while any(_is_divisor(node, exponent) for node, _, exponent in draft.factors) and _cancel_sum(draft, out):
        pass


def _is_divisor(node: Node, exponent: Number) -> bool:
    """Is it a sum of one array along some of its axes, in a denominator?"""
    return isinstance(node, Product) and len(node.factors) == 1 and node.bound > 0 and exponent.real < 0


def _cancel_sum(draft: Draft, out: Sequence[int]) -> bool:
    """Takes one pair out; says whether there was one."""
    rows = [(node, tuple(draft.find(label) for label in labels), e) for node, labels, e in draft.factors]
    times = Counter(label for _, labels, _ in rows for label in labels)
    times.update(draft.find(label) for label in out)
    for place, (node, labels, exponent) in enumerate(rows):
        if not isinstance(node, Product) or not _is_divisor(node, exponent):
            continue
        (inner,), inverse = node.factors, to_power(node.coef, -1)
        at = dict(zip(node.out, labels, strict=True))
        for other, (child, own, times_of) in enumerate(rows):
            gone = [x for x, axis in zip(own, inner.labels, strict=False) if axis not in at]
            alike = child is inner.node and times_of == inner.exponent == 1 and all(times[x] == 1 for x in gone)
            if inverse is None or not alike:
                continue
            if all(at.get(axis, x) == x for x, axis in zip(own, inner.labels, strict=True)):
                draft.coef = multiply(draft.coef, inverse)
                draft.factors[place] = (node, list(labels), add(exponent, 1))
                draft.factors = [row for k, row in enumerate(draft.factors) if k != other and row[2] != 0]
                draft.drop(gone)
                return True
    return False


Rows = Sequence[tuple[Node, Labels, object]]


def _take(draft: Draft, places: Sequence[int], gone: Sequence[int], a: int, b: int) -> None:
    """Factors go, with the labels that are summed in them, and leave a delta."""
    draft.factors = [factor for k, factor in enumerate(draft.factors) if k not in places]
    draft.drop(gone)
    draft.join(a, b)


def _cancel_inverse(draft: Draft, rows: Rows, times: Counter[int], place: int) -> bool:
    node, labels, _ = rows[place]
    assert isinstance(node, Reduction)
    size = size_of_unit(node)
    for near, other in (node.axes, node.axes[::-1]):
        middle = labels[near]
        if labels.count(middle) > 1:
            continue
        met_at, far = (other, near) if size is None else (near, other)
        wanted = {axis: label for axis, label in enumerate(labels) if axis not in node.axes} | {met_at: middle}
        for found in (*_alone(rows, node.child, wanted, far), *_among(rows, node.child, wanted, far, times)):
            met = sum(rows[k][1].count(middle) for k in found.places)
            if found.far in (*found.inside, middle) or met + 1 != times[middle]:
                continue
            draft.coef = multiply(draft.coef, found.sign)
            _take(draft, (place, *found.places), [middle, *found.inside], labels[other], found.far)
            if size is not None:
                batch = [label for axis, label in enumerate(labels) if axis not in node.axes]
                draft.factors.append((size, batch, 1))
            return True
    return False


def _alone(rows: Rows, child: Node, wanted: dict[int, int], far: int) -> Iterator[Match]:
    """The factors that are this node, with the labels that are wanted on all axes but the far one."""
    for place, (node, labels, exponent) in enumerate(rows):
        if node is not child or exponent != 1:
            continue
        for turned, sign in arrangements(node, labels):
            if all(turned[axis] == label for axis, label in wanted.items()):
                yield Match((place,), sign, turned[far], frozenset())


def arrangements(node: Node, labels: Labels) -> Iterator[tuple[Labels, int]]:
    """The ways in which two axes of a node may be swapped, with the sign that this costs; first as it is."""
    yield labels, 1
    rule = symmetry_of(node)
    if not rule.blocks and not rule.perms:
        return
    here, sign = settle(range(node.order), rule)
    for a in range(node.order):
        for b in range(a + 1, node.order):
            swap = list(range(node.order))
            swap[a], swap[b] = b, a
            place, turn = settle(swap, rule)
            if place == here:
                yield tuple(labels[axis] for axis in swap), sign * turn
    for perm in rule.perms:
        yield tuple(labels[axis] for axis in perm), 1


class Matcher:
    """The search for the factors of a product among those of another."""

    def __init__(
        self,
        rows: Rows,
        pattern: Product,
        start: dict[int, int],
        far: int,
        times: Counter[int],
        steps: int = STEPS,
    ) -> None:
        self.rows, self.pattern, self.far, self.times = rows, pattern, far, times
        self.fixed = set(start.values())
        self.left = steps
        self.start = start

    def found(self) -> Match | None:
        """What was found, or None."""
        return self.extend(list(self.pattern.factors), dict(self.start), (), 1)

    def extend(self, left: list[Factor], known: dict[int, int], places: tuple[int, ...], sign: int) -> Match | None:
        """The rest of the pattern, given labels that are known; as deep as the pattern is long."""
        if not left:
            return self.settled(known, places, sign)
        factor = max(left, key=lambda f: sum(label in known for label in f.labels))
        rest = [other for other in left if other is not factor]
        for place, (node, labels, exponent) in enumerate(self.rows):
            if node is not factor.node or exponent != factor.exponent or place in places:
                continue
            for turned, turn in arrangements(node, labels):
                self.left -= 1
                step = self.bound(factor, turned, known)
                if step is not None and self.left > 0:
                    result = self.extend(rest, step, (*places, place), sign * turn)
                    if result is not None:
                        return result
        return None

    def bound(self, factor: Factor, labels: Labels, known: dict[int, int]) -> dict[int, int] | None:
        """The labels that are known once a factor of the pattern lies on these; None where that does not fit."""
        made = dict(known)
        for inner, label in zip(factor.labels, labels, strict=True):
            if made.setdefault(inner, label) != label:
                return None
        return made

    def settled(self, known: dict[int, int], places: tuple[int, ...], sign: int) -> Match | None:
        """The match, if what is summed in the pattern occurs nowhere else."""
        summed = [label for label in range(len(self.pattern.sizes)) if label not in self.pattern.out]
        if not known.keys() >= {*summed}:  # a number of ones that no factor has
            return None
        bound = [known[label] for label in summed]
        own = Counter(label for place in places for label in self.rows[place][1])
        if len(set(bound)) < len(bound) or any(own[label] != self.times[label] for label in bound):
            return None
        if set(bound) & self.fixed or self.far not in known:
            return None
        return Match(places, sign, known[self.far], frozenset(bound))


def _among(rows: Rows, child: Node, wanted: dict[int, int], far: int, times: Counter[int]) -> Iterator[Match]:
    """The factors whose product is this node."""
    if not isinstance(child, Product) or child.coef != 1 or len(set(child.out)) < child.order:
        return
    start = {child.out[axis]: label for axis, label in wanted.items()}
    found = Matcher(rows, child, start, child.out[far], times).found()
    if found is not None:
        yield found


def _cancel_orthogonal(draft: Draft, rows: Rows, times: Counter[int], place: int) -> bool:
    node, labels, exponent = rows[place]
    ends = (node.order - 2, node.order - 1)
    for near, other in (ends, ends[::-1]):
        middle = labels[near]
        if exponent == 2 and times[middle] == 1:
            _take(draft, (place,), [middle], labels[other], labels[other])
            return True
        if exponent != 1 or times[middle] != 2 or middle == labels[other]:
            continue
        for partner, (second, row, power) in enumerate(rows):
            if partner <= place or second is not node or power != 1 or row[near] != middle:
                continue
            if row[: node.order - 2] == labels[: node.order - 2]:
                _take(draft, (place, partner), [middle], labels[other], row[other])
                return True
    return False
