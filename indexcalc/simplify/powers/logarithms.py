"""Logarithms of products of positive factors, and of choices: `log(exp(t)*p)` is `t + log(p)`.

The rewrites: `open_logarithm` and `join_logarithms` (`log(p/q) - log(p)` is `-log(q)`). A logarithm of other products
stays as it is written, but for comparison: there `log(p*q)` is `log(p) + log(q)`.
"""

from __future__ import annotations

from indexcalc.functions.table import EXP, LOG, POWER, PROD
from indexcalc.graph.constructors import constant_number, einsum, elementwise
from indexcalc.graph.edge import Edge, upright
from indexcalc.graph.node import Elementwise, Node, Product, Reduction, Variable
from indexcalc.graph.numbers import Number, multiply
from indexcalc.simplify.intervals import is_positive
from indexcalc.simplify.normaliser import Normaliser
from indexcalc.simplify.sums import Terms, collect_terms


def open_logarithm(work: Normaliser, node: Elementwise) -> Edge | None:
    """A logarithm as a sum of those of factors, where one of these has no logarithm left; None where none has.

    >>> import indexcalc as ic
    >>> p, s, t = ic.scalar("p", positive=True), ic.scalar("s"), ic.scalar("t")
    >>> ic.log(ic.exp(t) * p).simplify(), ic.log(p**s).simplify(), ic.log(2 * p).simplify()
    (log(p) + t, s*log(p), log(2*p))
    """
    child, _ = node.args[0]
    if isinstance(child, Product):
        chosen = _of_chosen(work, child)
        if chosen is not None:
            return chosen
        terms = _of_product(work, child) if work.flat or any(_opens(factor.node) for factor in child.factors) else None
        return None if terms is None else work.total(terms, node.dims)
    return _of_factor(work, child, 1) if _opens(child) else None


def _of_chosen(work: Normaliser, node: Product) -> Edge | None:
    """`log(y @ p)` as `y @ log(p)` where y is one-hot: one entry is chosen before or after."""
    for place, factor in enumerate(node.factors):
        inner, labels, exponent = factor
        if not isinstance(inner, Variable) or "onehot" not in inner.assumptions or exponent != 1:
            continue
        *batch, chosen = labels
        if chosen in node.out or not set(batch) <= set(node.out) or node.bound > 1 or len(set(node.out)) < node.order:
            continue
        others = [f for k, f in enumerate(node.factors) if k != place]
        along = [*node.out, chosen]
        sizes = {label: node.sizes[label] for label in along}
        rest = work.edge(einsum(node.coef, others, along, sizes))
        value = upright(rest, [node.sizes[label] for label in along])
        return work.edge(einsum(1, [(inner, labels), (_log(work, value), along)], node.out, sizes))
    return None


def _opens(node: Node) -> bool:
    """Is its logarithm none, or one of something else?"""
    if type(node) is Elementwise and node.fn in (EXP, POWER):
        return node.fn == EXP or is_positive(node.args[0].node)
    return type(node) is Reduction and node.fn == PROD and is_positive(node.child)


def _of_product(work: Normaliser, node: Product) -> list[Edge] | None:
    """The logarithms of factors, all positive, as terms; None where they are not, or are summed over."""
    if not node.factors or node.bound or len(set(node.out)) < node.order:
        return None
    if isinstance(node.coef, complex) or node.coef <= 0:
        return None
    if not all(is_positive(factor.node) and not isinstance(factor.exponent, complex) for factor in node.factors):
        return None
    if len(node.factors) + (node.coef != 1) < 2 and node.factors[0].exponent == 1:
        return None
    place = {label: axis for axis, label in enumerate(node.out)}
    terms = []
    for factor in node.factors:
        coef, inner, axes = _of_factor(work, factor.node, factor.exponent)
        terms.append(Edge(coef, inner, tuple(place[factor.labels[axis]] for axis in axes)))
    if node.coef != 1:
        terms.append(work.edge(elementwise(LOG, [(constant_number(node.coef), ())], ())))
    return terms


def _of_factor(work: Normaliser, node: Node, exponent: Number) -> Edge:
    """The logarithm of a power of a factor."""
    whole = tuple(range(node.order))
    if type(node) is Elementwise and node.fn == EXP:
        edge = work.renormalise(node.args[0].node)
        edge = edge._replace(axes=tuple(node.args[0].labels[axis] for axis in edge.axes))
    elif type(node) is Elementwise and node.fn == POWER:
        (base, below), (raised, above) = node.args
        edge = work.edge(einsum(1, [(_log(work, base), below), (raised, above)], whole, dict(enumerate(node.dims))))
    elif type(node) is Reduction and node.fn == PROD:
        axes = range(node.child.order)
        edge = work.edge(einsum(1, [(_log(work, node.child), axes)], [axis for axis in axes if axis not in node.axes]))
    else:
        edge = work.renormalise(_log(work, node))
    return edge._replace(coef=multiply(edge.coef, exponent))


def _log(work: Normaliser, node: Node) -> Node:
    return upright(work.edge(elementwise(LOG, [(node, range(node.order))], node.dims)), node.dims)


def join_logarithms(work: Normaliser, terms: Terms) -> Terms:
    """The terms with logarithms of positive products opened, if that leaves fewer.

    >>> import indexcalc as ic
    >>> p, q = ic.scalar("p", positive=True), ic.scalar("q", positive=True)
    >>> (ic.log(p / q) - ic.log(p)).simplify(), (ic.log(p) + ic.log(q)).simplify()
    (-log(q), log(p) + log(q))
    """
    logs = [key for key in terms if type(key[0]) is Elementwise and key[0].fn == LOG]
    products = [key for key in logs if type(key[0].children[0]) is Product]
    if len(logs) < 2 or not products:
        return terms
    edges = [Edge(coef, *key) for key, coef in terms.items() if key not in products]
    for node, labels in products:
        opened = _of_product(work, node.children[0]) if isinstance(node.children[0], Product) else None
        if opened is None:
            return terms
        edges += [
            Edge(multiply(terms[node, labels], coef), part, tuple(labels[axis] for axis in axes))
            for coef, part, axes in opened
        ]
    found = collect_terms(edges, work.key)
    return found if len(found) < len(terms) else terms
