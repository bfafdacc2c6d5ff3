"""What a product is worth where its factors meet along summed labels.

The rewrites: `contract_units` (unit vectors), `contract_epsilon` (two Levi-Civita tensors are deltas), `distribute_sum`
(a sum gives up the terms with a delta on a summed label) and `normalise_softmax` (its entries sum to 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from math import factorial

from indexcalc.functions.entries.choosing import chooser_of
from indexcalc.graph.edge import Draft, Edge
from indexcalc.graph.node import Constant, Labels, Node, Product, Reduction, Sum, Term, Variable
from indexcalc.graph.numbers import multiply
from indexcalc.simplify.opened import opened
from indexcalc.simplify.recognise import Factors
from indexcalc.simplify.sums import normalise_sum


def contract_epsilon(draft: Draft, factors: Factors, out: Sequence[int]) -> list[Draft] | None:
    """Two Levi-Civita tensors that share summed labels are a determinant of deltas.

    With s shared labels among k: `ε_{c a} ε_{c b} = s! * sum over permutations p of sign(p) * prod_t δ_{a_t b_p(t)}`.
    """
    found = [
        (key, exponent) for key, exponent in factors.items() if type(key[0]) is Constant and key[0].label == "epsilon"
    ]
    pairs = [(key, key) for key, exponent in found if exponent == 2]
    single = [key for key, exponent in found if exponent == 1]
    pairs += [(a, b) for k, a in enumerate(single) for b in single[k + 1 :] if a[0] is b[0]]
    for a, b in pairs:
        elsewhere = set(out) | {x for key in factors if key not in (a, b) for x in key[1]}
        shared = [label for label in a[1] if label in b[1] and label not in elsewhere]
        if not shared:
            continue
        sign_a, rest_a = _move_front(a[1], shared)
        sign_b, rest_b = _move_front(b[1], shared)
        others = [(node, list(labels), e) for (node, labels), e in factors.items() if (node, labels) not in (a, b)]
        drafts = []
        for order in permutations(range(len(rest_a))):
            part = draft.copy()
            inversions = sum(x > y for k, x in enumerate(order) for y in order[k + 1 :])
            sign = sign_a * sign_b * (-1 if inversions % 2 else 1)
            part.coef = multiply(draft.coef, sign * factorial(len(shared)))
            part.drop(shared)
            for label, where in zip(rest_a, order, strict=True):
                part.join(label, rest_b[where])
            part.factors = list(others)
            drafts.append(part)
        return drafts
    return None


def _move_front(labels: Labels, first: Sequence[int]) -> tuple[int, list[int]]:
    order = [labels.index(label) for label in first]
    rest = [k for k in range(len(labels)) if labels[k] not in first]
    order += rest
    inversions = sum(x > y for k, x in enumerate(order) for y in order[k + 1 :])
    return (-1 if inversions % 2 else 1), [labels[k] for k in rest]


def distribute_sum(draft: Draft, factors: Factors, out: Sequence[int]) -> list[Draft] | None:
    """Terms that a sum gives up, each as a product of its own.

    Those with a delta on a summed label, where it goes, and those that are constant along a label which is summed and
    no other factor has, where it becomes its dimension. So `Σ_i (m - x_i)` is `n m - Σ_i x_i`.

    What is left of the sum stays a sum, so a chain of products of such sums grows by as much at each step.
    """
    free = set(out)
    times: dict[int, int] = {}
    for _, labels in factors:
        for label in set(labels):
            times[label] = times.get(label, 0) + 1
    for (node, labels), exponent in factors.items():
        if type(node) is not Sum or exponent != 1:
            continue
        lone = {axis for axis, label in enumerate(labels) if times[label] == 1 and label not in free}
        hot = [term for term in node.terms if lone - set(term.labels) or _is_hot(term, labels, free)]
        if not hot:
            continue
        others = [(n, list(ls), e) for (n, ls), e in factors.items() if (n, ls) != (node, labels)]
        rest = [term for term in node.terms if term not in hot]
        drafts = []
        for term in hot:
            part = draft.copy()
            part.coef = multiply(draft.coef, term.coef)
            place = [labels[axis] for axis in term.labels]
            part.factors = [*others, *opened(part, part.attach(Edge(1, term.node, tuple(range(len(place)))), place, 1))]
            drafts.append(part)
        if rest:
            part = draft.copy()
            left = normalise_sum({(t.node, t.labels): t.coef for t in rest}, node.dims)
            kept = part.attach(left, labels, 1)
            part.factors = [*others, *opened(part, kept)]
            drafts.append(part)
        return drafts
    return None


def _is_hot(term: Term, labels: Labels, free: set[int]) -> bool:
    """Has the term a delta on a label that is summed?"""
    inner = term.node
    if type(inner) is not Product or len(set(inner.out)) == len(inner.out):
        return False
    where = [labels[axis] for axis in term.labels]
    return any(where[k] not in free for k, label in enumerate(inner.out) if inner.out.count(label) > 1)


def contract_units(draft: Draft, factors: Factors, out: Sequence[int]) -> bool:
    """Unit vectors that meet: alike they are one, different ones make the product 0 (False); a lone sum of one is 1."""
    met: dict[int, Node] = {}
    for (node, labels), exponent in list(factors.items()):
        if type(node) is not Constant or node.label != "unit" or not isinstance(exponent, int) or exponent < 1:
            continue
        if met.setdefault(labels[0], node) is not node:
            return False
        factors[node, labels] = 1
    for label, node in met.items():
        alone = all(label not in labels for key, labels in factors if key is not node or labels != (label,))
        if alone and label not in out:
            del factors[node, (label,)]
            draft.drop([label])
    return True


def _normalised(node: Node) -> Labels:
    """The axes along which the entries of this node sum to 1, if there are such."""
    if type(node) is Reduction and node.fn == "softmax":
        return node.axes
    if (found := chooser_of(node)) is not None:
        return (found.place,)
    if type(node) is Variable and "stochastic" in node.assumptions and node.dims:
        return (node.order - 1,)
    return ()


def normalise_softmax(draft: Draft, factors: Factors, out: Sequence[int]) -> None:
    """A softmax that is summed along its axes, and met by nothing there, is 1.

    So are a stochastic tensor along its last axis, and the bracket of integers that choose along the axis.
    """
    for (node, labels), exponent in list(factors.items()):
        axes = _normalised(node)
        if not axes or exponent != 1:
            continue
        along = {labels[axis] for axis in axes}
        met = set(out) | {x for key in factors if key != (node, labels) for x in key[1]}
        met |= {labels[axis] for axis in range(node.order) if axis not in axes}
        if len(along) == len(axes) and not along & met:
            del factors[node, labels]
            draft.drop(along)
