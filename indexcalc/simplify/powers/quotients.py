"""Terms over different powers of one sum, put over the lowest: `1/(t + 1) - t/(t + 1)**2` is `1/(t + 1)**2`.

The rewrite: `over_one_power`, tried for each base that stands to different powers in two terms, and kept where what
comes out is shorter.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import NamedTuple

from indexcalc.graph.edge import Draft, Edge
from indexcalc.graph.node import Labels, Node, Product, Sum
from indexcalc.graph.numbers import Number, multiply
from indexcalc.index import Dimension
from indexcalc.simplify.normaliser import Normaliser
from indexcalc.simplify.opened import opened
from indexcalc.simplify.sums import Terms, collect_terms, degree, normalise_sum

HIGHEST = 2
"""By so many powers, at most, terms are apart that are put together: more would multiply out more than they save."""
Exact = int | Fraction
Base = tuple[Node, Labels, Exact]
"""A sum, its labels among the axes of the terms, and the fractional part of its powers."""


class Member(NamedTuple):
    """A term with a power of the base: its key, and the exponent."""

    key: tuple[Node, Labels]
    exponent: Exact


def over_one_power(work: Normaliser, terms: Terms, dims: list[Dimension]) -> Terms:
    """The terms, those with powers of one sum put over the lowest power where that is shorter.

    >>> import indexcalc as ic
    >>> t = ic.scalar("t")
    >>> ic.grad(t / (1 + t), t), ic.grad(ic.grad(ic.sqrt(1 + t**2), t), t)
    (1/(t + 1)**2, 1/(t**2 + 1)**(3/2))
    >>> x = ic.tensor("x", "n")
    >>> ic.jvp(ic.grad(ic.sqrt(1 + x**2).sum(), x), x, x - 1)
    (x - 1)/(x**2 + 1)**(3/2)
    """
    for base, members in _bases(terms).items():
        lowest = min(member.exponent for member in members)
        above = _numerator(work, terms, dims, base, members, lowest)
        if above is None:
            continue
        made = _product(work, dims, base, lowest, above)
        gone = {member.key for member in members}
        rest = [Edge(coef, *key) for key, coef in terms.items() if key not in gone]
        return over_one_power(work, collect_terms([*rest, *made], work.key), dims)
    return terms


def _bases(terms: Terms) -> dict[Base, list[Member]]:
    """The sums that stand to a power in more than one term, one of them negative or a root.

    Those in most terms first; one along a delta is one along each of its axes.
    """
    found: dict[Base, list[Member]] = {}
    for key in terms:
        node, labels = key
        if type(node) is not Product:
            continue
        places: dict[int, list[int]] = {}
        for label, axis in zip(node.out, labels, strict=True):
            places.setdefault(label, []).append(axis)
        for f in node.factors:
            if type(f.node) is Sum and isinstance(f.exponent, int | Fraction) and set(f.labels) <= places.keys():
                for where in product(*(places[label] for label in f.labels)):
                    found.setdefault((f.node, where, f.exponent % 1), []).append(Member(key, f.exponent))
    apart = [row for row in found.items() if _apart(row[1])]
    return dict(sorted(apart, key=lambda row: -len(row[1])))


def _apart(members: list[Member]) -> bool:
    """Are there two terms, with exponents that differ by little, and one that is no whole positive power?"""
    exponents = [member.exponent for member in members]
    if len({member.key for member in members}) < len(members) or len(set(exponents)) < 2:
        return False
    return max(exponents) - min(exponents) <= HIGHEST and min(exponents) < 0


def _numerator(
    work: Normaliser, terms: Terms, dims: list[Dimension], base: Base, members: list[Member], lowest: Exact
) -> list[Edge] | None:
    """What stands above the lowest power, multiplied out; None where it is not shorter than the terms."""
    node, where, _ = base
    assert isinstance(node, Sum)
    parts: list[Edge] = []
    for member in members:
        for edge in _multiplied(node, int(member.exponent - lowest), where):
            draft = Draft()
            places = draft.fresh(dims)
            draft.coef = multiply(terms[member.key], edge.coef)
            draft.factors = _without(draft, member.key, base, places)
            for part in edge.parts:
                draft.factors += opened(draft, draft.attach(part, places, 1))
            parts.append(work.finish(draft, places, dims))
    above = collect_terms(parts, work.key)
    if len(above) > 1 and any(isinstance(node, Sum) for node, _ in above):
        return None
    size = 1 + _size(node)
    before = sum(size + _degree(member.key[0]) for member in members)
    after = size + sum(1 + degree(key[0]) for key in above)
    return [Edge(coef, *key) for key, coef in above.items()] if after < before else None


class Multiplied(NamedTuple):
    """A term of a power of a sum: a number, and its parts among all axes."""

    coef: Number
    parts: tuple[Edge, ...]


def _multiplied(node: Sum, times: int, where: Labels) -> Iterator[Multiplied]:
    """The terms of a power of a sum."""
    if times == 0:
        yield Multiplied(1, ())
        return
    for term in node.terms:
        own = Edge(1, term.node, tuple(where[axis] for axis in term.labels))
        for coef, parts in _multiplied(node, times - 1, where):
            yield Multiplied(multiply(coef, term.coef), (own, *parts))


def _without(
    draft: Draft, key: tuple[Node, Labels], base: Base, places: list[int]
) -> list[tuple[Node, list[int], Number]]:
    """The factors of a term but for the power of the base."""
    node, labels = key
    assert isinstance(node, Product)
    factors = draft.open(node, [places[axis] for axis in labels], 1)
    place = next(
        k
        for k, (inner, own, exponent) in enumerate(factors)
        if inner is base[0]
        and isinstance(exponent, int | Fraction)
        and exponent % 1 == base[2]
        and tuple(map(draft.find, own)) == tuple(draft.find(places[axis]) for axis in base[1])
    )
    return factors[:place] + factors[place + 1 :]


def _product(work: Normaliser, dims: list[Dimension], base: Base, lowest: Exact, above: list[Edge]) -> list[Edge]:
    """The numerator over the lowest power of the base: as one term, or as several where sums are multiplied out."""
    if not above:
        return []
    pieces = [[edge] for edge in above] if work.expanding or len(above) == 1 else [above]
    made = []
    for piece in pieces:
        draft = Draft()
        places = draft.fresh(dims)
        top = piece[0] if len(piece) == 1 else normalise_sum({(e.node, e.axes): e.coef for e in piece}, dims)
        draft.factors = opened(draft, draft.attach(top, places, 1))
        draft.factors.append((base[0], [places[axis] for axis in base[1]], lowest))
        made.append(work.finish(draft, places, dims))
    return made


def _size(node: Sum) -> int:
    return sum(1 + degree(term.node) for term in node.terms)


def _degree(node: Node) -> int:
    """How many factors a term has beside a power."""
    assert isinstance(node, Product)
    return (
        sum(abs(f.exponent) if isinstance(f.exponent, int) and type(f.node) is not Sum else 1 for f in node.factors) - 1
    )
