"""For programs alone: logarithms of what rounding, or a limit, makes 0.

`log(sigmoid(z))` is `-softplus(-z)` and `log(1 - sigmoid(z))` is `-softplus(z)`, where the sigmoid is 0 or 1 up to
rounding. `z**a*log(z)` with a > 0 is 0 at z = 0, its limit, and so are `p*log(p/q)` and `p*log(abs(p))` at p = 0; what
no power of z stands before stays as it is: the derivative `log(z) + 1` of `z*log(z)` is -inf at 0. `y*log(p)` has no
limit where both are 0, and is nan there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from indexcalc.functions.elementwise import chosen
from indexcalc.functions.table import elementwise_row
from indexcalc.graph.constructors import ONE, addition, einsum, elementwise, zeros
from indexcalc.graph.node import Elementwise, Factor, Labels, Node, Product, Sum, Term, Variable, topological
from indexcalc.graph.numbers import add, multiply
from indexcalc.graph.walk import replace
from indexcalc.simplify.intervals import is_positive
from indexcalc.simplify.products.normal_form import multiple


def stable(roots: Sequence[Node]) -> list[Node]:
    """The roots with `-softplus(-z)` for `log(sigmoid(z))`, and `where(z != 0, log(z), 0)` for `log(z)` beside z.

    >>> from indexcalc.graph.constructors import variable
    >>> z = variable("z", (3,))
    >>> root = elementwise("log", [(elementwise("sigmoid", [(z, (0,))], (3,)), (0,))], (3,))
    >>> stable([root])[0].children[0].name
    'softplus'
    >>> logarithm = elementwise("log", [(z, (0,))], (3,))
    >>> [child.name for child in stable([einsum(1, [(z, "i"), (logarithm, "i")], "i")])[0].children]
    ['z', 'where']
    """
    if not any(_is_log(node) for node in topological(roots)):
        return list(roots)
    return replace(list(roots), lambda old, new: _steadied(new))


def _is_log(node: Node) -> bool:
    return isinstance(node, Elementwise) and node.fn == "log" and node.args[0].labels == tuple(range(node.order))


def _steadied(node: Node) -> Node:
    if _is_log(node):
        return _log_of_sigmoid(node)
    if isinstance(node, Sum):
        return _with_common_factor(node)
    return _beside_its_argument(node) if isinstance(node, Product) else node


# ------------------------------------------------------------------ logarithms of sigmoids


def _log_of_sigmoid(node: Node) -> Node:
    """`log(sigmoid(z))` and `log(1 - sigmoid(z))` by softplus; any other logarithm is as it was."""
    (child,) = node.children
    for inner, sign in ((child, -1), (_less_than_one(child), 1)):
        if isinstance(inner, Elementwise) and inner.fn == "sigmoid" and inner.order == node.order:
            (z, labels), axes = inner.args[0], range(node.order)
            signed = einsum(sign, [(z, labels)], axes, dict(enumerate(node.dims)))
            return einsum(-1, [(elementwise("softplus", [(signed, axes)], node.dims), axes)], axes)
    return node


def _less_than_one(node: Node) -> Node | None:
    """The x of `1 - x`."""
    if not isinstance(node, Sum) or len(node.terms) != 2:
        return None
    for one, other in (node.terms, node.terms[::-1]):
        if one.node is ONE and one.coef == 1 and other.coef == -1 and other.labels == tuple(range(node.order)):
            return other.node
    return None


# ------------------------------------------------------------------ logarithms beside their argument


DEEPEST = 4
"""So many sums and products in one another, at most, are gone into for a logarithm."""


class Base(NamedTuple):
    """A node, along labels of a product, at whose zeros something vanishes."""

    node: Node
    labels: Labels


def _beside_its_argument(node: Product) -> Node:
    """The product with a choice for each logarithm of what vanishes, or is infinite, where another factor is 0."""
    present = [f for f in node.factors if _is_raised(f) and not _is_log(f.node)]
    vanishing = {base for f in present for base in _bases(Base(f.node, f.labels))}
    return _safe_product(node, vanishing, DEEPEST)


def _safe_product(node: Product, vanishing: Collection[Base], depth: int) -> Node:
    changed = [f._replace(node=_safe(*f[:2], vanishing, depth)) if _is_raised(f) else f for f in node.factors]
    if all(new.node is old.node for new, old in zip(changed, node.factors, strict=True)):
        return node
    return einsum(node.coef, changed, node.out, dict(enumerate(node.sizes)))


def _safe(node: Node, labels: Labels, vanishing: Collection[Base], depth: int) -> Node:
    """A logarithm, or what is put together of some, with 0 where a factor that it is multiplied by is 0."""
    if len(set(labels)) < len(labels) or not depth:
        return node
    if _is_log(node):
        return _chosen(node, labels, vanishing)
    if isinstance(node, Product) and _is_open(node):
        at = dict(zip(labels, node.out, strict=True))
        inside = {Base(v.node, tuple(at[x] for x in v.labels)) for v in vanishing if set(v.labels) <= at.keys()}
        return _safe_product(node, inside, depth - 1)
    if not isinstance(node, Sum):
        return node
    terms = [
        t._replace(node=_safe(t.node, tuple(labels[axis] for axis in t.labels), vanishing, depth - 1))
        for t in node.terms
    ]
    if all(new.node is old.node for new, old in zip(terms, node.terms, strict=True)):
        return node
    return addition(terms, node.dims)


def _chosen(logarithm: Node, labels: Labels, vanishing: Collection[Base]) -> Node:
    """The logarithm where nothing of its argument, and beside it, is 0; else 0."""
    made, axes = logarithm, range(logarithm.order)
    stack = [Base(logarithm.children[0], labels)]
    while stack:
        base = stack.pop()
        if any(v.labels == base.labels and _vanish_together(v.node, base.node) for v in vanishing):
            own = [labels.index(x) for x in base.labels]
            made = chosen((base.node, own), (made, axes), (zeros(()), ()), logarithm.dims)
        else:
            stack += _inside(base, poles=True)
    return made


def _vanish_together(one: Node, other: Node) -> bool:
    """Is this the same node, or the same sum but for a number in front, and not declared positive?"""
    if isinstance(one, Variable) and is_positive(one):
        return False
    return one is other or (isinstance(one, Sum) and multiple(one, other) is not None)


def _bases(base: Base) -> Iterator[Base]:
    """The node itself, and all that it is a power, a product, or a function that is 0 at 0, of."""
    stack = [base]
    while stack:
        found = stack.pop()
        yield found
        stack += _inside(found, poles=False)


def _inside(base: Base, *, poles: bool) -> Iterator[Base]:
    """Nodes at whose zeros this one vanishes as a power does, which no logarithm outweighs; `poles`: is infinite."""
    node, labels = base
    if isinstance(node, Product) and _is_open(node):
        at = dict(zip(node.out, labels, strict=True))
        for f in node.factors:
            if _is_raised(f) or (poles and not isinstance(f.exponent, complex)):
                yield Base(f.node, tuple(at[x] for x in f.labels))
    elif isinstance(node, Elementwise) and len(node.args) == 1 and _is_zero_at_zero(node):
        (arg,) = node.args
        yield Base(arg.node, tuple(labels[axis] for axis in arg.labels))


def _is_raised(factor: Factor) -> bool:
    """Is its exponent positive?"""
    return not isinstance(factor.exponent, complex) and factor.exponent > 0


def _is_open(node: Product) -> bool:
    """Is nothing summed in it, and no delta made?"""
    return not node.bound and len(set(node.out)) == node.order


def _is_zero_at_zero(node: Elementwise) -> bool:
    row = elementwise_row(node.fn)
    with np.errstate(all="ignore"):
        return not row.numpy(np.zeros(()), *node.params)


# ------------------------------------------------------------------ sums of what is infinite


def _with_common_factor(node: Sum) -> Node:
    """`log(z)**2 + 2*log(z)` as `log(z)*(log(z) + 2)`: at z = 0 both terms are infinite, and of opposite signs.

    What all terms have is taken out if it is a logarithm or stands in a denominator, beside a logarithm.
    """
    rows = [_powers(term) for term in node.terms]
    if len(rows) < 2 or not all(rows) or not any(_is_log(base.node) for row in rows for base in row):
        return node
    common = {}
    for base in rows[0]:
        least = min(row.get(base, 0) for row in rows)
        if all(base in row for row in rows) and (least < 0 or _is_log(base.node)):
            common[base] = least
    if not common:
        return node
    terms = []
    for term, row in zip(node.terms, rows, strict=True):
        left = [(*base, add(power, -common.get(base, 0))) for base, power in row.items()]
        coef = multiply(term.coef, term.node.coef) if isinstance(term.node, Product) else term.coef
        axes = range(node.order)
        terms.append((coef, einsum(1, [f for f in left if f[2]], axes, dict(enumerate(node.dims))), axes))
    axes = range(node.order)
    taken = [(*base, power) for base, power in common.items()]
    return einsum(1, [(addition(terms, node.dims), axes), *taken], axes, dict(enumerate(node.dims)))


def _powers(term: Term) -> dict[Base, Any]:
    """The factors of a term and their exponents; none of one in which something is summed."""
    if not isinstance(term.node, Product):
        return {Base(term.node, term.labels): 1}
    if not _is_open(term.node) or any(isinstance(f.exponent, complex) for f in term.node.factors):
        return {}
    at = dict(zip(term.node.out, term.labels, strict=True))
    found: dict[Base, Any] = {}
    for f in term.node.factors:
        base = Base(f.node, tuple(at[x] for x in f.labels))
        found[base] = add(found.get(base, 0), f.exponent)
    return found
