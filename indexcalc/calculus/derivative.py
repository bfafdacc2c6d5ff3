"""Derivatives of nodes by nodes: forward for what has axes, backward for scalars.

The input is simplified before it is differentiated, and the result after. In between the graph is left as the rules
make it: what one step shares the next one shares too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from indexcalc.calculus.rules import rule_of, total
from indexcalc.graph.constructors import ONE, delta, einsum, is_zero, zeros
from indexcalc.graph.node import Factor, Node, Product, topological
from indexcalc.graph.walk import paused_collection, replace
from indexcalc.index import Dimension
from indexcalc.simplify.passes import simplify
from indexcalc.simplify.rewriting.rewrite import Trace

WIDE = 6
"""Factors up to which a product is differentiated as it stands, a term a factor; a wider one is halved first, so that
its derivative has N log N parts and not N². Where halving begins is arbitrary."""


def push_forward(
    roots: Sequence[Node], seeds: Mapping[Node, Node], trail: Sequence[Dimension], trace: Trace | None = None
) -> list[Node]:
    """The tangent of each root (axes: the root's, then `trail`), given those of some nodes.

    One sweep from the leaves up. A trace gets the nodes whose rules were applied.
    """
    tangents: dict[Node, Node] = dict(seeds)
    for node in topological(roots):
        if node in tangents or not node.children:
            continue
        known = {k: tangents[child] for k, child in enumerate(node.children) if child in tangents}
        if known:
            made = rule_of(node).push(node, known, trail)
            if trace is not None:
                trace.derived.append((node, tuple(known)))
            if made is not None and not is_zero(made):
                tangents[node] = made
    return [tangents[root] if root in tangents else zeros((*root.dims, *trail)) for root in roots]


def pull_back(roots: Sequence[Node], cotangents: Sequence[Node], targets: Sequence[Node]) -> list[Node]:
    """The cotangent of each target, along its axes, given those of the roots.

    One sweep from the roots down.
    """
    order = topological(roots)
    wanted = set(targets)
    depends = set(targets)
    for node in order:
        if any(child in depends for child in node.children):
            depends.add(node)
    found: dict[Node, list[Node]] = {}
    for root, cotangent in zip(roots, cotangents, strict=True):
        found.setdefault(root, []).append(cotangent)
    done: dict[Node, Node] = {}
    for node in reversed(order):
        received = total(found.pop(node, []))
        if received is None or node not in depends:
            continue
        if node in wanted:
            done[node] = received
            continue
        rule = rule_of(node)
        for k, child in enumerate(node.children):
            if child in depends:
                part = rule.pull(node, k, received)
                if part is not None and not is_zero(part):
                    found.setdefault(child, []).append(part)
    return [done[target] if target in done else zeros(target.dims) for target in targets]


def derive(root: Node, targets: Sequence[Node]) -> list[Node]:
    """The derivative of a simplified root by each target, as the rules make it: the root's axes, then the target's."""
    with paused_collection():
        (root,) = narrow([root])
        if root.order == 0:
            return pull_back([root], [ONE], targets)
        made = []
        for target in targets:
            made += push_forward([root], {target: identity(target)}, target.dims)
        return made


def derivative(root: Node, *targets: Node) -> Node:
    """The simplified derivative by the first target, then by the next, and so on."""
    (node,) = simplify([root])
    for target in targets:
        (node,) = simplify(derive(node, [target]))
    return node


def gradients(root: Node, targets: Sequence[Node]) -> list[Node]:
    """The simplified derivatives of one root by several targets, which share what they have in common."""
    return simplify(derive(simplify([root])[0], targets))


def jvp(roots: Sequence[Node], targets: Sequence[Node], directions: Sequence[Node]) -> list[Node]:
    """The derivative of each root along a direction, derived with its seed."""
    return simplify(push_forward(narrow(simplify(roots)), dict(zip(targets, directions, strict=True)), ()))


def vjp(roots: Sequence[Node], targets: Sequence[Node], cotangents: Sequence[Node]) -> list[Node]:
    """The cotangents of the targets, derived with those of the roots as seeds."""
    return simplify(pull_back(narrow(simplify(roots)), cotangents, targets))


def hvp(root: Node, targets: Sequence[Node], directions: Sequence[Node]) -> list[Node]:
    """The Hessian times a direction: the gradient's derivative along it."""
    return jvp(gradients(root, targets), targets, directions)


def identity(node: Node) -> Node:
    """The derivative of a node by itself: deltas from its axes to their copies."""
    return delta(*node.dims)


def narrow(roots: Iterable[Node]) -> list[Node]:
    """The roots with wide products as balanced trees of narrow ones.

    So a derivative of N factors has N log N parts.
    """
    return replace(list(roots), lambda old, new: balance(new) if isinstance(new, Product) else new)


def balance(node: Product) -> Node:
    """A wide product as a product of two, each balanced in turn.

    Each half keeps the labels that are needed outside it.
    """
    if len(node.factors) <= WIDE:
        return node
    half = len(node.factors) // 2
    chain = along_labels(node)
    parts = []
    for own, other in ((chain[:half], chain[half:]), (chain[half:], chain[:half])):
        outside = {x for f in other for x in f.labels} | set(node.out)
        kept = [x for x in dict.fromkeys(x for f in own for x in f.labels) if x in outside]
        part = einsum(1, own, kept)
        parts.append(Factor(balance(part) if isinstance(part, Product) else part, tuple(kept)))
    carried = {x for f in node.factors for x in f.labels}
    lone = {x: dim for x, dim in enumerate(node.sizes) if x not in carried}
    return einsum(node.coef, parts, node.out, lone)


def along_labels(node: Product) -> list[Factor]:
    """The factors in an order in which each shares summed labels with those before it, as far as that goes.

    It starts at an end, as a first walk finds it, and goes on with the factor that has the fewest new labels: so halves
    of a chain are chains, and few labels are open between them.
    """
    free = set(node.out)
    bound = [{x for x in f.labels if x not in free} for f in node.factors]
    if not any(bound):
        return list(node.factors)
    order: list[int] = [0]
    for _ in range(2):
        left = list(range(len(bound)))
        first, order, seen = order[-1], [], set[int]()
        while left:
            near = [k for k in left if bound[k] & seen] or left
            best = min(near, key=lambda k: (len(bound[k] - seen), k)) if order else first
            left.remove(best)
            order.append(best)
            seen |= bound[best]
    return [node.factors[k] for k in order]
