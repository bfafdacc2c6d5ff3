"""The rules: what the derivative of a node is in terms of its children's. One row a kind of node.

`push(node, tangents, trail)` gives the tangent of the node: its axes, then the axes `trail` that every tangent has. A
tangent that is missing is a structural zero.

`pull(node, k, cotangent)` gives what the node's cotangent contributes to that of its child k, along the child's axes.

Both are linear in the tangent (cotangent) and make no choice: whatever seed goes in comes out multiplied, so the same
rules give Jacobians (seed: delta), `jvp` and `vjp`. A kind without a row has no rule, and asking for it is an error,
never a zero; the kinds without children (variables, constants) are the seeds and the structural zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from indexcalc.errors import NoRuleError
from indexcalc.functions.elementwise import partial
from indexcalc.functions.matrix_series import matrix_jacobian
from indexcalc.functions.reductions import jacobian
from indexcalc.graph.constructors import addition, call, einsum, regroup
from indexcalc.graph.node import Call, Definition, Elementwise, Matrix, Node, Product, Reduction, Regroup, Sum
from indexcalc.graph.numbers import add, multiply
from indexcalc.graph.samples import for_samples, parameters
from indexcalc.index import Dimension

Tangents = Mapping[int, Node]


def _marks(kind: str, count: int) -> list[Any]:
    return [(kind, k) for k in range(count)]


def rule_product_push(node: Product, tangents: Tangents, trail: Sequence[Dimension]) -> Node | None:
    """`d(c Π f_k^e_k) = Σ_k c e_k f_k^(e_k - 1) df_k Π_{l≠k} f_l^e_l`, summed over the same labels."""
    end = _marks("trail", len(trail))
    sizes: dict[Any, Dimension] = dict(enumerate(node.sizes))
    terms = []
    for k, tangent in tangents.items():
        own = node.factors[k]
        factors: list[Any] = [
            f if n != k else (f.node, f.labels, add(f.exponent, -1)) for n, f in enumerate(node.factors)
        ]
        factors.insert(k, (tangent, (*own.labels, *end)))
        terms.append(einsum(multiply(node.coef, own.exponent), factors, (*node.out, *end), sizes))
    return total(terms)


def rule_product_pull(node: Product, k: int, cotangent: Node) -> Node | None:
    """`f̄_k = c e_k f_k^(e_k - 1) ȳ Π_{l≠k} f_l^e_l`, summed over the labels that f_k lacks.

    The adjoint of an einsum is an einsum.
    """
    own = node.factors[k]
    factors: list[Any] = [(cotangent, node.out)]
    factors += [f if n != k else (f.node, f.labels, add(f.exponent, -1)) for n, f in enumerate(node.factors)]
    return einsum(multiply(node.coef, own.exponent), factors, own.labels, dict(enumerate(node.sizes)))


def rule_sum_push(node: Sum, tangents: Tangents, trail: Sequence[Dimension]) -> Node | None:
    """`d(Σ c_k f_k) = Σ c_k df_k`."""
    end = range(node.order, node.order + len(trail))
    terms = [(node.terms[k].coef, tangent, (*node.terms[k].labels, *end)) for k, tangent in tangents.items()]
    return addition(terms, (*node.dims, *trail)) if terms else None


def rule_sum_pull(node: Sum, k: int, cotangent: Node) -> Node | None:
    """`f̄_k = c_k ȳ`, summed along the axes that f_k lacks."""
    term = node.terms[k]
    return einsum(term.coef, [(cotangent, range(node.order))], term.labels)


def rule_elementwise_push(node: Elementwise, tangents: Tangents, trail: Sequence[Dimension]) -> Node | None:
    """`dy = Σ_k ∂f/∂a_k da_k`, entry by entry."""
    end = _marks("trail", len(trail))
    terms = []
    for k, tangent in tangents.items():
        slope = partial(node, k)
        if slope is not None:
            factors = [(slope, range(node.order)), (tangent, (*node.args[k].labels, *end))]
            terms.append(einsum(1, factors, (*range(node.order), *end)))
    return total(terms)


def rule_elementwise_pull(node: Elementwise, k: int, cotangent: Node) -> Node | None:
    """`ā_k = ȳ ∂f/∂a_k`, summed along the axes that a_k lacks."""
    slope = partial(node, k)
    if slope is None:
        return None
    factors = [(cotangent, range(node.order)), (slope, range(node.order))]
    return einsum(1, factors, node.args[k].labels)


def _reduction_labels(node: Reduction) -> tuple[list[Any], list[Any], list[Any]]:
    """Labels of the value, of the argument, and of the Jacobian of a reduction."""
    axes = list(range(node.child.order))
    if not node.keeps:
        return [axis for axis in axes if axis not in node.axes], list(axes), list(axes)
    copies = {axis: ("copy", axis) for axis in node.axes}
    return list(axes), [copies.get(axis, axis) for axis in axes], [*axes, *copies.values()]


def rule_reduction_push(node: Reduction, tangents: Tangents, trail: Sequence[Dimension]) -> Node | None:
    """`dy_a = Σ_b ∂y_a/∂x_b dx_b`, along the axes of the reduction."""
    end = _marks("trail", len(trail))
    value, argument, both = _reduction_labels(node)
    return einsum(1, [(jacobian(node), both), (tangents[0], (*argument, *end))], (*value, *end))


def rule_reduction_pull(node: Reduction, k: int, cotangent: Node) -> Node | None:
    """`x̄_b = Σ_a ȳ_a ∂y_a/∂x_b`, along the axes of the reduction."""
    value, argument, both = _reduction_labels(node)
    return einsum(1, [(cotangent, value), (jacobian(node), both)], argument)


def _matrix_labels(node: Matrix) -> tuple[list[Any], list[Any]]:
    """Labels of the value and of an argument of a function of matrices."""
    batch = list(range(node.children[0].order - 2))
    return list(range(node.order)), [*batch, "row", "column"]


def rule_matrix_push(node: Matrix, tangents: Tangents, trail: Sequence[Dimension]) -> Node | None:
    """`dy_a = Σ_k Σ_xy ∂y_a/∂(x_k)_xy (dx_k)_xy`, for each batch."""
    end = _marks("trail", len(trail))
    value, argument = _matrix_labels(node)
    terms = []
    for k, tangent in tangents.items():
        factors = [(matrix_jacobian(node, k), (*value, *argument[-2:])), (tangent, (*argument, *end))]
        terms.append(einsum(1, factors, (*value, *end)))
    return total(terms)


def rule_matrix_pull(node: Matrix, k: int, cotangent: Node) -> Node | None:
    """`(x̄_k)_xy = Σ_a ȳ_a ∂y_a/∂(x_k)_xy`, for each batch."""
    value, argument = _matrix_labels(node)
    factors = [(cotangent, value), (matrix_jacobian(node, k), (*value, *argument[-2:]))]
    return einsum(1, factors, argument)


def rule_regroup_push(node: Regroup, tangents: Tangents, trail: Sequence[Dimension]) -> Node | None:
    """Axes are joined and split in the tangent as in the node: it is linear."""
    end = [(len(node.sizes) + k,) for k in range(len(trail))]
    return regroup(tangents[0], (*node.inner, *end), (*node.outer, *end), (*node.sizes, *trail))


def rule_regroup_pull(node: Regroup, k: int, cotangent: Node) -> Node | None:
    """The adjoint of a regrouping is the one back."""
    return regroup(cotangent, node.outer, node.inner, node.sizes)


def _call_step(node: Call, k: int) -> tuple[Node, list[Any], list[Any]]:
    """The derivative of a call by argument k, its labels, and those of the argument: samples, then its own axes."""
    orders = tuple(times + (n == k) for n, times in enumerate(node.orders))
    step: Node = call(node.function, orders, node.children, node.labels, node.batch)
    if node.function.rules:
        step = own_rule(node, k)
    before = len(node.batch) + len(node.function.value)
    for n in range(k + 1):
        before += node.orders[n] * len(node.function.args[n])
    fresh = _marks("argument", len(node.function.args[k]))
    axes = list(range(node.order))
    return step, [*axes[:before], *fresh, *axes[before:]], [*node.labels[k], *fresh]


def own_rule(node: Call, k: int) -> Node:
    """The derivative of a function of one's own by argument k, for each sample: what was declared, at the arguments.

    >>> from indexcalc.graph.constructors import elementwise, variable
    >>> from indexcalc.graph.signature import Signature
    >>> slope = elementwise("cos", [(variable("f.1", ()), ())], ())
    >>> own_rule(call(Signature("f", ((),), (), rules=(slope,)), (0,), [variable("X", (3,))], [(0,)], [3]), 0).dims
    (3,)
    """
    rule = node.function.rules[k]
    if rule is None or any(node.orders):
        asked = f"derivative of {node.name} by its argument {k + 1}"
        raise NoRuleError(asked, "it was declared without one", "give derivative= a rule for each argument")
    rows = [*zip(node.children, node.labels, strict=True), (node, tuple(range(len(node.batch))))]
    return for_samples(rule, dict(zip(parameters(node.function), rows, strict=True)), node.batch)


def rule_call_push(node: Call, tangents: Tangents, trail: Sequence[Dimension]) -> Node | None:
    """`d u(a) = Σ_k D_k u(a) da_k` for each sample: the axes of a derivative are the value's, then each argument's."""
    end = _marks("trail", len(trail))
    terms = []
    for k, tangent in tangents.items():
        step, labels, argument = _call_step(node, k)
        terms.append(einsum(1, [(step, labels), (tangent, (*argument, *end))], (*range(node.order), *end)))
    return total(terms)


def rule_call_pull(node: Call, k: int, cotangent: Node) -> Node | None:
    """`ā_k = ȳ D_k u(a)`, summed along the samples that a_k lacks."""
    step, labels, argument = _call_step(node, k)
    return einsum(1, [(cotangent, range(node.order)), (step, labels)], argument)


def rule_definition_push(node: Definition, tangents: Tangents, trail: Sequence[Dimension]) -> Node | None:
    """A named step has its child's tangent."""
    return tangents[0]


def rule_definition_pull(node: Definition, k: int, cotangent: Node) -> Node | None:
    """A named step hands its cotangent on."""
    return cotangent


class Rule(NamedTuple):
    """The two rules of a kind."""

    push: Callable[..., Node | None]
    pull: Callable[..., Node | None]


RULES: dict[type[Node], Rule] = {
    Product: Rule(rule_product_push, rule_product_pull),
    Sum: Rule(rule_sum_push, rule_sum_pull),
    Elementwise: Rule(rule_elementwise_push, rule_elementwise_pull),
    Reduction: Rule(rule_reduction_push, rule_reduction_pull),
    Matrix: Rule(rule_matrix_push, rule_matrix_pull),
    Regroup: Rule(rule_regroup_push, rule_regroup_pull),
    Call: Rule(rule_call_push, rule_call_pull),
    Definition: Rule(rule_definition_push, rule_definition_pull),
}


def rule_of(node: Node) -> Rule:
    """The rules of a node's kind; a kind without one is an error that names it.

    >>> from indexcalc.graph.constructors import variable
    >>> rule_of(einsum(2, [(variable("x", ()), ())], ())).push is rule_product_push
    True
    """
    try:
        return RULES[type(node)]
    except KeyError:
        raise NoRuleError(f"derivative through {node.name}", f"there is no rule for a {node.kind}") from None


def total(nodes: Sequence[Node]) -> Node | None:
    """The sum of nodes with the same axes, or None where there are none."""
    if not nodes:
        return None
    axes = tuple(range(nodes[0].order))
    return addition([(1, node, axes) for node in nodes], nodes[0].dims)
