"""Terms that vanish once they are summed, as what is multiplied with centred data does: `Σ_b (X_bd - mean_d) c_d` is 0.

The rewrite: `drop_centred`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from indexcalc.graph.constructors import addition, einsum
from indexcalc.graph.edge import Draft
from indexcalc.graph.node import Node, Product, Sum, Term
from indexcalc.simplify.normaliser import Normaliser
from indexcalc.simplify.opened import opened


def drop_centred(work: Normaliser, draft: Draft, out: Sequence[int]) -> None:
    """Leaves out of a sum, of which nothing else has a label that is summed, the terms that are 0 summed along it.

    >>> import indexcalc as ic
    >>> X, G, c = ic.tensor("X", "b d"), ic.tensor("G", "b d"), ic.tensor("c", "d")
    >>> ic.sum((X - ic.mean(X, axis=0)) @ ic.diagm(c) - G, axis=0).simplify()
    -sum(G, axis=0)
    """
    sums = [(node, exponent) for node, _, exponent in draft.factors if type(node) is Sum and exponent == 1]
    if not any(_centrable(term) for node, _ in sums for term in node.terms):
        return
    rows = [(node, tuple(map(draft.find, labels)), exponent) for node, labels, exponent in draft.factors]
    times = Counter(label for _, labels, _ in rows for label in labels)
    times.update(draft.find(label) for label in out)
    for place, (node, labels, exponent) in enumerate(rows):
        if not isinstance(node, Sum) or exponent != 1:
            continue
        lone = [axis for axis, label in enumerate(labels) if times[label] == 1]
        kept = [term for term in node.terms if not any(_vanishes(work, term, axis) for axis in lone)]
        if len(kept) < len(node.terms):
            left = work.edge(addition(kept, node.dims))
            draft.factors[place : place + 1] = opened(draft, draft.attach(left, list(labels), 1))
            return drop_centred(work, draft, out)


def _centrable(term: Term) -> bool:
    """Is there a sum among the factors of a term?"""
    return type(term.node) is Product and any(type(f.node) is Sum and f.exponent == 1 for f in term.node.factors)


def _vanishes(work: Normaliser, term: Term, axis: int) -> bool:
    """Is a term 0 once it is summed along an axis of its sum?"""
    if not _centrable(term) or axis not in term.labels:
        return False
    node, own = term.node, term.labels.index(axis)
    assert isinstance(node, Product)
    label = node.out[own]
    met = [f for f in node.factors if label in f.labels]
    if node.out.count(label) > 1 or len(met) != 1 or type(met[0].node) is not Sum or met[0].exponent != 1:
        return False
    return own in _zero_along(work, node)


def _zero_along(work: Normaliser, node: Node) -> set[int]:
    """The axes along which the entries of a node sum to 0; found once."""
    known: set[int] | None = node.facts.get("zero along")
    if known is None:
        known = node.facts["zero along"] = set()
        for axis in range(node.order):
            kept = [k for k in range(node.order) if k != axis]
            if work.edge(einsum(1, [(node, range(node.order))], kept)).coef == 0:
                known.add(axis)
    return known
