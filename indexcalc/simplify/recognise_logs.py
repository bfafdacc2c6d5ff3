"""For programs alone: logarithms of what rounding, or a limit, makes 0.

`log(sigmoid(z))` is `-softplus(-z)` and `log(1 - sigmoid(z))` is `-softplus(z)`, where the sigmoid is 0 or 1 up to
rounding. `z**a*log(z)` with a > 0 is 0 at z = 0, its limit, and so is `p*log(p/q)` at p = 0; what no power of z stands
before stays as it is: the derivative `log(z) + 1` of `z*log(z)` is -inf at 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from indexcalc.functions.elementwise import chosen
from indexcalc.graph.constructors import ONE, addition, einsum, elementwise, zeros
from indexcalc.graph.node import Elementwise, Factor, Labels, Node, Product, Sum, Variable, topological
from indexcalc.graph.walk import replace
from indexcalc.simplify.intervals import is_positive


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


def _beside_its_argument(node: Product) -> Node:
    """The product with a choice for each logarithm of a factor, or of a product that has one."""
    present = [f for f in node.factors if not isinstance(f.exponent, complex) and f.exponent > 0]
    changed = [_safe(f, present) for f in node.factors]
    if all(new is old for new, old in zip(changed, node.factors, strict=True)):
        return node
    return einsum(node.coef, changed, node.out, dict(enumerate(node.sizes)))


def _safe(factor: Factor, present: Sequence[Factor]) -> Factor:
    """A logarithm, or a sum of terms that are, with 0 where a factor that it is multiplied by is 0."""
    if _is_log(factor.node):
        return factor._replace(node=_choice(factor.node, factor.labels, present))
    if not isinstance(factor.node, Sum) or not any(_is_log(term.node) for term in factor.node.terms):
        return factor
    terms = [
        term._replace(node=_choice(term.node, [factor.labels[axis] for axis in term.labels], present))
        if _is_log(term.node)
        else term
        for term in factor.node.terms
    ]
    if all(new is old for new, old in zip(terms, factor.node.terms, strict=True)):
        return factor
    return factor._replace(node=addition(terms, factor.node.dims))


def _choice(logarithm: Node, labels: Sequence[int], present: Sequence[Factor]) -> Node:
    """The logarithm where what it is multiplied by is not 0, else 0."""
    at = {label: axis for axis, label in enumerate(labels)}
    if len(at) < len(labels):
        return logarithm
    known = {(factor.node, factor.labels) for factor in present if not _is_declared_positive(factor.node)}
    for node, own in _zeros_of(logarithm.children[0]):
        if (node, tuple(labels[axis] for axis in own)) in known:
            return chosen((node, own), (logarithm, range(logarithm.order)), (zeros(()), ()), logarithm.dims)
    return logarithm


def _is_declared_positive(node: Node) -> bool:
    return isinstance(node, Variable) and is_positive(node)


def _zeros_of(argument: Node) -> Iterator[tuple[Node, Labels]]:
    """The nodes, with their axes among the argument's, at whose zeros the argument is 0."""
    yield argument, tuple(range(argument.order))
    if isinstance(argument, Product) and not argument.bound and len(set(argument.out)) == argument.order:
        for node, labels, exponent in argument.factors:
            if not isinstance(exponent, complex) and exponent > 0:
                yield node, tuple(argument.out.index(label) for label in labels)
