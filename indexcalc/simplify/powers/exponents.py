"""Powers of one base, and exponentials, that meet in a product: `s*s**(t - 1)` is `s**t`, `exp(s)*exp(t)` `exp(s + t)`.

The rewrites: `join_exponents` and `power_of_power` (`(s**2)**t` is `abs(s)**(2*t)`).
All are exact where both sides exist: `(s**t)**k` is `s**(t*k)` for whole k, or positive s.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from indexcalc.functions.table import ABS, EXP, POWER
from indexcalc.graph.constructors import ONE, addition, as_number, elementwise
from indexcalc.graph.edge import Draft, Edge, upright
from indexcalc.graph.node import Elementwise, Labels, Node, Product
from indexcalc.graph.numbers import Number, multiply
from indexcalc.simplify.intervals import is_positive
from indexcalc.simplify.normaliser import Normaliser
from indexcalc.simplify.opened import opened


class Exponent(NamedTuple):
    """A factor as `base**(times * node[labels])`; its place among the factors."""

    place: int
    times: Number
    node: Node
    labels: Labels


Base = tuple[Node | None, Labels]
"""What is raised, None for e, and its labels in the product; of e the labels of the exponent."""


def join_exponents(work: Normaliser, draft: Draft) -> None:
    """Powers of one base in a product become one, where an exponent is no number; exponentials become one.

    >>> import indexcalc as ic
    >>> s, t = ic.scalar("s"), ic.scalar("t")
    >>> (s * s**(t - 1)).simplify(), (ic.exp(s) * ic.exp(t)).simplify(), ((s**t)**2).simplify()
    (s**t, exp(s + t), s**(2*t))
    """
    if not any(_is_raised(node) for node, _, _ in draft.factors):
        return
    groups: dict[Base, list[Exponent]] = {}
    for place, (node, labels, exponent) in enumerate(draft.factors):
        own = tuple(draft.find(label) for label in labels)
        found = _exponent(work, place, node, own, exponent)
        if found is not None:
            groups.setdefault(found[0], []).append(found[1])
    gone: set[int] = set()
    made: list[tuple[Node, list[int], Number]] = []
    for (base, along), parts in groups.items():
        one = parts[0]
        if len(parts) == 1 and (one.times == 1 or not _is_raised(draft.factors[one.place][0])):
            continue
        if not any(_is_raised(draft.factors[part.place][0]) for part in parts):
            continue
        gone.update(part.place for part in parts)
        made += _joined(work, draft, base, along, parts)
    draft.factors = [factor for place, factor in enumerate(draft.factors) if place not in gone] + made


def _is_raised(node: Node) -> bool:
    return type(node) is Elementwise and node.fn in (POWER, EXP)


def _exponent(
    work: Normaliser, place: int, node: Node, labels: Labels, exponent: Number
) -> tuple[Base, Exponent] | None:
    """A factor as a power; None where it can't be joined with others."""
    if not isinstance(exponent, int | Fraction):
        return None
    if not _is_raised(node):
        return ((node, labels), Exponent(place, exponent, ONE, ())) if isinstance(exponent, int) else None
    assert isinstance(node, Elementwise)
    if work.uses(node) > 1 and not work.flat:
        return None
    if node.fn == EXP:
        (inner, own), *_ = node.args
        where = tuple(labels[axis] for axis in own)
        return (None, tuple(sorted(where))), Exponent(place, exponent, inner, where)
    (base, below), (inner, above) = node.args
    if not isinstance(exponent, int) and not is_positive(base):
        return None
    where = tuple(labels[axis] for axis in below)
    return (base, where), Exponent(place, exponent, inner, tuple(labels[axis] for axis in above))


def _joined(
    work: Normaliser, draft: Draft, base: Node | None, labels: Labels, parts: Sequence[Exponent]
) -> list[tuple[Node, list[int], Number]]:
    """The factors that one power of all these exponents is."""
    along = list(dict.fromkeys(label for part in parts for label in part.labels))
    dims = [draft.dims[label] for label in along]
    terms = []
    for part in parts:
        edge = work.renormalise(part.node)
        axes = [along.index(part.labels[axis]) for axis in edge.axes]
        terms.append(Edge(multiply(part.times, edge.coef), edge.node, tuple(axes)))
    total = work.total(terms, dims)
    where = [along[axis] for axis in total.axes]
    exponent = upright(total._replace(axes=tuple(range(len(total.axes)))), [draft.dims[label] for label in where])
    value = as_number(exponent)
    if value == 0:
        return []
    if base is None:
        made = work.edge(elementwise(EXP, [(exponent, range(exponent.order))], exponent.dims))
        return opened(draft, draft.attach(made, where, 1))
    if value is not None:
        return opened(draft, (base, list(labels), value))
    every = list(dict.fromkeys([*labels, *where]))
    args = [(base, [every.index(x) for x in labels]), (exponent, [every.index(x) for x in where])]
    made = work.edge(elementwise(POWER, args, [draft.dims[x] for x in every]))
    return opened(draft, draft.attach(made, every, 1))


def power_of_power(base: Node, labels: Labels, exponent: Node, above: Labels) -> tuple[Node, Labels, Node] | None:
    """The base and the exponent of a power of a power, where the two exponents are multiplied; None where they aren't.

    `(s**2)**t` is `abs(s)**(2*t)`; an odd power of what may be negative has no power that is not whole.

    >>> from indexcalc.graph.constructors import einsum, variable
    >>> s, t = variable("s", ()), variable("t", ())
    >>> found = power_of_power(einsum(1, [(s, (), 2)], ()), (), t, ())
    >>> found[0].name, found[2].coef
    ('abs', 2)
    """
    if type(base) is not Product or len(base.factors) != 1 or base.coef != 1 or base.bound or above:
        return None
    inner, own, times = base.factors[0]
    if own != base.out or not isinstance(times, int | Fraction):
        return None
    if not is_positive(inner):
        if isinstance(times, int) and times % 2:
            return None
        if isinstance(times, int):
            inner = elementwise(ABS, [(inner, range(inner.order))], inner.dims)
    return inner, labels, addition([(times, exponent, ())], ())
