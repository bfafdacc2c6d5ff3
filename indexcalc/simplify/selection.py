"""Conditions in products select: what they multiply counts nowhere else, as with Iverson's bracket.

In a derivative a condition stands as a factor: `[z > 0] / (2 sqrt(z))`. Where it does not hold the product is 0,
whatever else is in it: "very strongly zero" (D. Knuth, Two notes on notation, 1992). Numbers know no such zero: 0
times inf is nan. So before numbers are made, `select` writes a product in which something may be infinite, or have no
value, as a choice: `where(z > 0, 1/(2 sqrt(z)), 0)`.

What a node is multiplied by comes from below it too: the cotangent of a branch is zero, and strongly, where the branch
is not taken. That is its *support*: conditions, each a node that is 0 where it does not hold, along some axes of the
node. Of a product they are those of its factors, of a sum it is enough that one holds, and along a summed label that
one holds somewhere: so "and" is a product, "or" a sum, "some" a sum along the label, and all are counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from math import inf
from typing import Any, NamedTuple, TypeGuard

from indexcalc.functions.elementwise import chosen
from indexcalc.functions.entries.choosing import chooser_of
from indexcalc.functions.table import EVERYWHERE, elementwise_row, reduction_row
from indexcalc.graph.constructors import ONE, addition, einsum, regroup, zeros
from indexcalc.graph.node import (
    Call,
    Constant,
    Definition,
    Elementwise,
    Factor,
    Labels,
    Matrix,
    Node,
    Product,
    Reduction,
    Regroup,
    Sum,
    Variable,
    topological,
)
from indexcalc.graph.numbers import Number
from indexcalc.graph.walk import replace
from indexcalc.simplify.intervals import values


class Bracket(NamedTuple):
    """`node[labels] != 0`, of a node that has no negative entries."""

    node: Node
    labels: Labels


Support = tuple[Bracket, ...]
Known = dict[Node, Support]


def select(roots: Sequence[Node], real: bool = True) -> list[Node]:
    """The roots with products that a condition selects from as choices, where that matters.

    Of `real` numbers `exp(-x²)` is bounded; of complex ones little is.

    >>> from indexcalc.graph.constructors import elementwise, variable
    >>> z = variable("z", (3,))
    >>> positive = elementwise("step", [(z, (0,))], (3,))
    >>> root, same = (einsum(1, [(positive, "i"), (z, "i", e)], "i") for e in (-1, 2))
    >>> select([root])[0].name, select([same])[0] is same
    ('where', True)
    """
    if not any(_selects(node) for node in topological(roots)):
        return list(roots)
    supports: Known = {}

    def change(old: Node, node: Node) -> Node:
        made = _chosen(node, supports, real) if isinstance(node, Product) else node
        supports[node] = supports[made] = _support(node, supports)
        return made

    return replace(list(roots), change)


# ------------------------------------------------------------------ where a node is not strongly zero


def is_condition(node: Node) -> bool:
    """Is every entry 1 where a condition holds, and 0 elsewhere?

    Not of integers that choose entries: nothing is multiplied with their bracket, see `entries/choosing`.

    >>> from indexcalc.graph.constructors import elementwise, variable
    >>> z = variable("z", ())
    >>> is_condition(elementwise("step", [(z, ())], ())), is_condition(elementwise("relu", [(z, ())], ()))
    (True, False)
    """
    if isinstance(node, Elementwise):
        return elementwise_row(node.fn).condition and chooser_of(node) is None
    if isinstance(node, Variable):
        return "mask" in node.assumptions
    return _is_triangle(node) or (isinstance(node, Sum) and _denies(node))


def _is_triangle(node: Node) -> TypeGuard[Constant]:
    return isinstance(node, Constant) and node.label == "tril"


def _denies(node: Sum) -> bool:
    """Is it `1 - c` of a condition c?"""
    rest = [t for t in node.terms if t.node is not ONE]
    ones = [t for t in node.terms if t.node is ONE and t.coef == 1]
    if len(node.terms) != 2 or len(rest) != 1 or not ones or rest[0].coef != -1 or isinstance(rest[0].node, Sum):
        return False
    return is_condition(rest[0].node)


def _selects(node: Node) -> bool:
    """Has the node a support of its own?"""
    return is_condition(node) or (isinstance(node, Elementwise) and elementwise_row(node.fn).support is not None)


def _support(node: Node, known: Known) -> Support:
    """Conditions that hold wherever the node is not strongly zero; none where nothing is known."""
    if is_condition(node):
        return (Bracket(node, tuple(range(node.order))),)
    return SUPPORT[type(node)](node, known)


def _everywhere(node: Node, known: Known) -> Support:
    return ()


def _of_function(node: Elementwise, known: Known) -> Support:
    row = elementwise_row(node.fn)
    found = row.support(node) if row.support is not None else None
    return () if found is None else (Bracket(*found),)


def _of_product(node: Product, known: Known) -> Support:
    held = _some(_of_factors(node, known), set(node.out), range(len(node.sizes)))
    first = {label: axis for axis, label in reversed(list(enumerate(node.out)))}
    return tuple(Bracket(c.node, tuple(first[x] for x in c.labels)) for c in held)


def _of_regroup(node: Regroup, known: Known) -> Support:
    held = known.get(node.child)
    if not held:
        return ()
    whole = einsum(1, held, range(node.child.order), dict(enumerate(node.child.dims)))
    return (Bracket(regroup(whole, node.inner, node.outer, node.sizes), tuple(range(node.order))),)


def _of_definition(node: Definition, known: Known) -> Support:
    return known.get(node.child, ())


def _of_factors(node: Product, known: Known) -> Support:
    """The conditions of all factors, in the labels of the product."""
    found = [_of_factor(f, known) for f in node.factors]
    return tuple(dict.fromkeys(condition for held in found for condition in held))


def _of_factor(factor: Factor, known: Known) -> Support:
    if isinstance(factor.exponent, complex) or factor.exponent <= 0:
        return ()
    return tuple(Bracket(c.node, tuple(factor.labels[x] for x in c.labels)) for c in known.get(factor.node, ()))


def _of_terms(node: Sum, known: Known) -> Support:
    """What one of the terms needs, at least; in full where all need the same."""
    found = [
        tuple(Bracket(c.node, tuple(t.labels[x] for x in c.labels)) for c in known.get(t.node, ())) for t in node.terms
    ]
    common = tuple(c for c in found[0] if all(c in held for held in found))
    rest = [tuple(c for c in held if c not in common) for held in found]
    if not all(rest):
        return common
    labels = tuple(sorted({x for held in rest for c in held for x in c.labels}))
    at = {x: axis for axis, x in enumerate(labels)}
    parts = []
    for held in rest:
        own = tuple(dict.fromkeys(x for c in held for x in c.labels))
        parts.append((1, einsum(1, held, own), [at[x] for x in own]))
    return (*common, Bracket(addition(parts, [node.dims[x] for x in labels]), labels))


def _some(held: Support, kept: set[int], labels: Sequence[int]) -> Support:
    """The conditions along the labels that are kept: those that hold somewhere along the others."""
    stay = [c for c in held if set(c.labels) <= kept]
    rest = [c for c in held if not set(c.labels) <= kept]
    times = Counter(x for c in rest for x in set(c.labels))
    rest = [c for c in rest if not (_reaches(c) and any(x not in kept and times[x] == 1 for x in c.labels))]
    if not rest:
        return tuple(stay)
    out = tuple(x for x in labels if x in kept and any(x in c.labels for c in rest))
    return (*stay, Bracket(einsum(1, rest, out), out))


def _reaches(bracket: Bracket) -> bool:
    """Does it hold somewhere in each row and in each column, as in a triangle with its diagonal?"""
    node = bracket.node
    if not _is_triangle(node) or len(set(bracket.labels)) < 2:
        return False
    return node.dims[0] == node.dims[1] and (not node.params or node.params[0] >= 0)


SUPPORT: dict[type[Node], Callable[[Any, Known], Support]] = {
    Variable: _everywhere,
    Constant: _everywhere,
    Product: _of_product,
    Sum: _of_terms,
    Regroup: _of_regroup,
    Definition: _of_definition,
    Elementwise: _of_function,
    Reduction: _everywhere,
    Matrix: _everywhere,
    Call: _everywhere,
}
"""For each kind of node the conditions without which it is strongly zero, from those of its children."""


# ------------------------------------------------------------------ what may have no finite value


def is_finite(node: Node, real: bool = True) -> bool:
    """Has the node finite entries wherever those of the variables are, but for a product or a sum that overflows?

    The variables are `real`, or may be complex: then `tanh` has poles and `exp(-x²)` overflows.

    >>> from indexcalc.graph.constructors import variable
    >>> z = variable("z", ())
    >>> is_finite(einsum(1, [(z, (), 2)], ())), is_finite(einsum(1, [(z, (), -1)], ()))
    (True, False)
    """
    fact = "finite" if real else "finite, complex"
    for inner in topological([node], lambda inner: fact in inner.facts):
        inner.facts[fact] = all(c.facts[fact] for c in inner.children) and FINITE[type(inner)](inner, real)
    known: bool = node.facts[fact]
    return known


def _always(node: Node, real: bool) -> bool:
    return True


def _of_entries(node: Elementwise, real: bool) -> bool:
    """Is a function finite, or stays it between numbers, as its arguments do? So does exp(-x²) of real numbers."""
    row = elementwise_row(node.fn)
    if not real:
        return row.total and not row.holomorphic
    low, high, _ = values(node)
    return row.total or (row.domain == EVERYWHERE and -inf < low and high < inf)


FINITE: dict[type[Node], Callable[[Any, bool], bool]] = {
    Variable: _always,
    Constant: _always,
    Product: lambda node, real: all(_tame(f.node, f.exponent, real) for f in node.factors),
    Sum: _always,
    Regroup: _always,
    Definition: _always,
    Elementwise: _of_entries,
    Reduction: lambda node, real: reduction_row(node.fn).total,
    Matrix: lambda node, real: False,
    Call: _always,
}
"""For each kind of node whether it is finite where its children are."""


def _tame(node: Node, exponent: Number, real: bool) -> bool:
    """Is the power of a finite number finite?"""
    if isinstance(exponent, int) and exponent > 0:
        return True
    if not real:
        return False
    low, _, zero = values(node)
    return not isinstance(exponent, complex) and low >= 0 and (exponent > 0 or not zero)


# ------------------------------------------------------------------ choices


def _chosen(node: Product, known: Known, real: bool) -> Node:
    """The product, with a choice of what may have no value: of a factor where its labels are summed, or of the whole.

    A choice of a factor has its labels and those of the conditions, where that is no larger than an array of the
    product; else it has its own, and the factor counts where it does for some of the others.
    """
    held = _of_factors(node, known)
    wild = [f for f in node.factors if held and not (is_finite(f.node, real) and _tame(f.node, f.exponent, real))]
    wild = [f for f in wild if set(held) - set(_of_factor(f, known))]
    if not wild or _adds_up(node, held):
        return node
    free, labels = set(node.out), list(range(len(node.sizes)))
    arrays = [set(f.labels) for f in node.factors] + [free]
    groups: dict[tuple[Labels, Support], list[Factor]] = {}
    whole = False
    for factor in wild:
        own = set(factor.labels)
        count = _some(held, own | free, labels)
        inside = tuple(c for c in count if not set(c.labels) <= free)
        whole = whole or len(inside) < len(count)
        if inside and not any(own.union(*(c.labels for c in inside)) <= there for there in arrays):
            inside, whole = _some(held, own, labels), True
        if inside:
            place = tuple(sorted(own.union(*(c.labels for c in inside))))
            groups.setdefault((place, inside), []).append(factor)
    outside = _some(held, free, labels)
    whole = whole and bool(outside)
    chosen = {id(f) for group in groups.values() for f in group}
    met = {c for _, count in groups for c in count} | {c for c in held if whole and set(c.labels) <= free}
    factors = [f for f in node.factors if id(f) not in chosen and not (is_condition(f.node) and f[:2] in met)]
    factors += [Factor(_where(count, group, place, node), place) for (place, count), group in groups.items()]
    dims = dict(enumerate(node.sizes))
    if not whole:
        return einsum(node.coef, factors, node.out, dims)
    carried = {x for f in factors for x in f.labels}
    place = tuple(x for x in dict.fromkeys(node.out) if x in carried)
    rest = einsum(node.coef, factors, place, {x: d for x, d in dims.items() if x in carried or x not in free})
    every = tuple(sorted(set(place).union(*(c.labels for c in outside))))
    made = _where(outside, [Factor(rest, place)], every, node)
    return einsum(1, [(made, every)], node.out, {x: dims[x] for x in node.out})


def _adds_up(node: Product, held: Support) -> bool:
    """Is it a sum up to each entry, or from each on? That meets what the triangle selects, and nothing else.

    What is not summed counts for each entry: the triangle has its diagonal.
    """
    if len(held) != 1 or not _is_triangle(held[0].node) or held[0].node.params or len({*held[0].labels}) < 2:
        return False
    if held[0].node.dims[0] != held[0].node.dims[1] or sum(_is_triangle(f.node) for f in node.factors) > 1:
        return False
    summed = [x for x in held[0].labels if x not in node.out]
    rest = [f for f in node.factors if not _is_triangle(f.node)]
    return len(summed) == 1 and not any({*held[0].labels} <= {*f.labels} for f in rest)


def _where(held: Support, factors: Sequence[Factor], place: Labels, node: Product) -> Node:
    """The product of the factors where the conditions hold, else 0, along the labels `place` of the node."""
    at = {x: axis for axis, x in enumerate(place)}
    dims = [node.sizes[x] for x in place]
    own = tuple(x for x in place if any(x in f.labels for f in factors))
    value = einsum(1, factors, own)
    along = tuple(x for x in place if any(x in c.labels for c in held))
    count = einsum(1, held, along)
    return chosen((count, [at[x] for x in along]), (value, [at[x] for x in own]), (zeros(()), ()), dims)
