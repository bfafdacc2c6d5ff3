"""Identities of functions of entries, found in products and in sums: see the rows of `entries`.

The rewrites: `join_entries` (`sinh(z)/cosh(z)` is `tanh(z)`) and `complete_entries` (`sin(z)**2 + cos(z)**2` is 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from indexcalc.graph.canonical import settle
from indexcalc.graph.constructors import einsum, elementwise
from indexcalc.graph.edge import Edge, scaled, symmetry_of, upright
from indexcalc.graph.node import Elementwise, Labels, Node, Product
from indexcalc.graph.numbers import Number, add, multiply
from indexcalc.simplify.identities.entries import IN_PRODUCTS, IN_SUMS, OfEntries, SidePart, powers_of
from indexcalc.simplify.normaliser import Normaliser
from indexcalc.simplify.sums import Terms, collect_terms

Factors = dict[tuple[Node, Labels], Number]


def _starts(rows: Sequence[OfEntries]) -> dict[str, list[tuple[tuple[SidePart, SidePart], OfEntries]]]:
    """The rows by the function of their first part, with both parts."""
    found: dict[str, list[tuple[tuple[SidePart, SidePart], OfEntries]]] = {}
    for row in rows:
        one, other = powers_of(row.left)
        found.setdefault(one.fn, []).append(((one, other), row))
    return found


PRODUCTS, SUMS = _starts(IN_PRODUCTS), _starts(IN_SUMS)


def _argument(node: Node) -> Node | None:
    """The argument of a function of all entries, axis by axis."""
    if type(node) is Elementwise and len(node.args) == 1 and node.args[0].labels == tuple(range(node.order)):
        return node.args[0].node
    return None


def _applied(power: SidePart, z: Node) -> Node:
    """The function of a part, of z or its negative."""
    inner = scaled(power.sign, z)
    return elementwise(power.fn, [(inner, range(z.order))], z.dims) if power.fn else inner


# ------------------------------------------------------------------ products


def join_entries(factors: Factors) -> None:
    """Two functions of one argument in a product, by the one that they make.

    >>> import indexcalc as ic
    >>> t = ic.scalar("t")
    >>> (ic.sin(t) / ic.cos(t)).simplify(), (ic.sinh(t)**2 / ic.cosh(t)).simplify()
    (tan(t), sinh(t)*tanh(t))
    """
    present = {node.fn for node, _ in factors if type(node) is Elementwise}
    if len(present) < 2:
        return
    for (node, labels), exponent in list(factors.items()):
        z = _argument(node)
        if z is None or not isinstance(exponent, int) or not isinstance(node, Elementwise):
            continue
        for (one, other), row in PRODUCTS.get(node.fn, ()):
            if other.fn not in present:
                continue
            left = factors.get((node, labels), 0)
            inner = scaled(one.sign, z)
            second = _applied(other, inner), labels
            times = min(_times(left, one.exponent), _times(factors.get(second, 0), other.exponent))
            if times > 0:
                _change(factors, (node, labels), -times * one.exponent)
                _change(factors, second, -times * other.exponent)
                (made,) = powers_of(row.right)
                _change(factors, (_applied(made, inner), labels), times * made.exponent)


def _times(exponent: Number, wanted: int) -> int:
    """How often a power is in another one."""
    return exponent // wanted if isinstance(exponent, int) and exponent * wanted > 0 else 0


def _change(factors: Factors, key: tuple[Node, Labels], exponent: int) -> None:
    total = add(factors.pop(key, 0), exponent)
    if total != 0:
        factors[key] = total


# ------------------------------------------------------------------ sums


def complete_entries(work: Normaliser, terms: Terms) -> Terms:
    """Two terms that are, with what else they have, an identity of two functions of one argument.

    >>> import indexcalc as ic
    >>> r, t = ic.scalar("r"), ic.scalar("t")
    >>> (r**2*ic.sin(t)**2 + r**2*ic.cos(t)**2).simplify(), (ic.softplus(t) - ic.softplus(-t)).simplify()
    (r**2, t)
    """
    present = {part.fn for node, _ in terms for part in (node, *node.children) if type(part) is Elementwise}
    if not any(other.fn in present for fn in present for (_, other), _ in SUMS.get(fn, ())):
        return terms
    found = True
    while found and len(terms) > 1:
        found = False
        for place in [place for key in terms for place in _places(key)]:
            made = _completed(work, terms, place)
            if made is not None:
                terms, found = made, True
                break
    return terms


Key = tuple[Node, Labels]


class Beginning(NamedTuple):
    """A factor of a term of a sum: the term, the number of the factor, its function, and its exponent."""

    key: Key
    number: int
    node: Elementwise
    exponent: Number


def _places(key: Key) -> list[Beginning]:
    """The factors of a term with which an identity may begin; a function is the only factor of itself."""
    node, _ = key
    if type(node) is Elementwise:
        return [Beginning(key, 0, node, 1)] if node.fn in SUMS else []
    if type(node) is not Product:
        return []
    return [
        Beginning(key, number, f.node, f.exponent)
        for number, f in enumerate(node.factors)
        if type(f.node) is Elementwise and f.node.fn in SUMS
    ]


def _completed(work: Normaliser, terms: Terms, place: Beginning) -> Terms | None:
    """The terms with one identity used that begins at this place; None where there is none."""
    z = _argument(place.node)
    for (one, other), row in SUMS[place.node.fn] if z is not None else ():
        if place.exponent != one.exponent or z is None:
            continue
        inside, coef = scaled(one.sign, z), multiply(terms[place.key], one.coef)
        partner = _instead(work, place, _applied(other, inside), other.exponent)
        key = partner.node, partner.axes
        if key == place.key or terms.get(key) != multiply(multiply(coef, other.coef), partner.coef):
            continue
        (right,) = powers_of(row.right)
        made = _instead(work, place, _applied(right, inside), right.exponent)
        rest = [Edge(value, *own) for own, value in terms.items() if own not in (place.key, key)]
        return collect_terms([*rest, made._replace(coef=multiply(coef, made.coef))])
    return None


def _instead(work: Normaliser, place: Beginning, made: Node, exponent: int) -> Edge:
    """A term with another factor at this place, as it stands in the sum."""
    node, labels = place.key
    made = upright(work.edge(made), made.dims) if isinstance(made, Elementwise) else made
    if type(node) is Product:
        rows = [(f.node, f.labels, f.exponent) for f in node.factors]
        own = rows[place.number][1]
        rows[place.number : place.number + 1] = [(made, own, exponent)] if exponent else []
        edge = work.edge(einsum(node.coef, rows, node.out, dict(enumerate(node.sizes))))
    else:
        factors = [(made, tuple(range(made.order)), exponent)] if exponent else []
        edge = work.edge(einsum(1, factors, range(node.order), dict(enumerate(node.dims))))
    where, sign = settle([labels[axis] for axis in edge.axes], symmetry_of(edge.node))
    return Edge(multiply(edge.coef, sign), edge.node, where)
