"""Changes inside a formula: an index of one factor exchanged, and terms that differ.

Terms are those of the expanded canonical form, where equal ones are one and the same: what is left of both sides is
where they differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from indexcalc.checking.compare import Bench, ratio
from indexcalc.checking.mends import Mend
from indexcalc.graph.node import Factor, Node, Number, Product, Sum, einsum, multiply, transpose
from indexcalc.graph.simplify import expand, simplify
from indexcalc.graph.walk import substitute, topological
from indexcalc.notation.array import Array

MOST_EDITS = 400
MOST_TERMS = 40
SHORT = 40


# ------------------------------------------------------------------ indices


class Edit(NamedTuple):
    """A node with one index changed, and what was changed, in words."""

    node: Node
    words: str


def edits(root: Node) -> Iterator[Edit]:
    """The node with two indices of a product exchanged, or one replaced by another of its dimension."""
    seen = {root}
    for node in topological([root]):
        if isinstance(node, Product) and node.factors:
            for other, words in _relabelled(node):
                (made,) = substitute([root], {node: other})
                if made not in seen:
                    seen.add(made)
                    yield Edit(made, words)


def _relabelled(node: Product) -> Iterator[tuple[Node, str]]:
    """The product with other labels."""
    places = [(k, axis) for k, f in enumerate(node.factors) for axis in range(len(f.labels))]
    places += [(-1, axis) for axis in range(len(node.out))]

    def label(place: tuple[int, int]) -> int:
        return node.out[place[1]] if place[0] < 0 else node.factors[place[0]].labels[place[1]]

    for one, other in sorted(combinations(places, 2), key=lambda pair: pair[0][0] != pair[1][0]):
        a, b = label(one), label(other)
        if a != b and node.sizes[a] == node.sizes[b] and one[0] >= 0:
            yield _with(node, {one: b, other: a}), _words(node, one[0], other[0])
    for place in places:
        for b, size in enumerate(node.sizes):
            if place[0] >= 0 and b != label(place) and size == node.sizes[label(place)]:
                yield _with(node, {place: b}), f"another index at {_name(node.factors[place[0]].node)}"


def _with(node: Product, labels: dict[tuple[int, int], int]) -> Node:
    factors = [
        Factor(f.node, tuple(labels.get((k, axis), x) for axis, x in enumerate(f.labels)), f.exponent)
        for k, f in enumerate(node.factors)
    ]
    out = [labels.get((-1, axis), x) for axis, x in enumerate(node.out)]
    used = {x for f in factors for x in f.labels} | set(out)
    sizes = {x: dim for x, dim in enumerate(node.sizes) if x in used or x not in set(node.out)}
    return einsum(node.coef, factors, out, sizes)


def _words(node: Product, one: int, other: int) -> str:
    first = _name(node.factors[one].node)
    if one == other:
        return f"transpose {first}"
    if other < 0:
        return f"exchange an index of {first} with one of the result"
    return f"exchange an index of {first} with one of {_name(node.factors[other].node)}"


def _name(node: Node) -> str:
    text = str(Array(node))
    return text if len(text) <= SHORT else f"a factor of {len(text)} characters"


def reindexed(bench: Bench, mends: Sequence[Mend]) -> Iterator[Mend]:
    """The formulas with one index changed, as far as the numbers agree at one point."""
    for mend in mends:
        wanted = bench.at_first(mend.target.node)
        assert wanted is not None
        for count, edit in enumerate(edits(mend.node)):
            if count == MOST_EDITS:
                break
            value = bench.at_first(edit.node)
            if value is not None and ratio(value, wanted) is not None:
                yield mend._replace(faults=("sum",), words=(edit.words,), node=edit.node)


# ------------------------------------------------------------------ terms


class Terms(NamedTuple):
    """The terms of a formula that a derivative lacks, those that the formula lacks, and those that both have."""

    extra: list[Node]
    missing: list[Node]
    alike: list[Node]


def aligned(node: Node, target: Node) -> Terms:
    """The terms that only one of two nodes has, and the others."""
    left: dict[Any, list[Node]] = {}
    for term in terms_of(target):
        left.setdefault(key_of(term), []).append(term)
    extra: list[Node] = []
    alike: list[Node] = []
    for term in terms_of(node):
        found = left.get(key_of(term))
        (alike if found else extra).append(term)
        if found:
            found.pop()
    return Terms(extra, [term for terms in left.values() for term in terms], alike)


def terms_of(node: Node) -> list[Node]:
    """The terms of the expanded form."""
    (root,) = expand(simplify([node]))
    coef: Number = 1
    axes: tuple[int, ...] = tuple(range(root.order))
    if isinstance(root, Product) and len(root.factors) == 1 and root.factors[0].exponent == 1:
        (inner,) = root.factors
        if isinstance(inner.node, Sum) and len(set(root.out)) == len(root.sizes) == len(inner.labels):
            coef, axes = root.coef, tuple(root.out.index(x) for x in inner.labels)
            root, dims = inner.node, root.dims
            return [_term(multiply(coef, t.coef), t.node, [axes[x] for x in t.labels], dims) for t in root.terms]
    if isinstance(root, Sum):
        return [_term(t.coef, t.node, t.labels, root.dims) for t in root.terms]
    return [root]


def _term(coef: Number, node: Node, labels: Sequence[int], dims: Sequence[Any]) -> Node:
    return einsum(coef, [(node, labels)], range(len(dims)), dict(enumerate(dims)))


def key_of(term: Node) -> Any:
    """What equal terms share."""
    return Array(term)._key(tuple(range(term.order)))


def termwise(bench: Bench, mends: Sequence[Mend]) -> Iterator[Mend]:
    """The formulas with their terms put right, where each that differs is one of the derivative's, changed, or where
    terms are only missing, or only too many.
    """
    for mend in mends:
        terms = aligned(mend.node, mend.target.node)
        if len(terms.extra) + len(terms.missing) > MOST_TERMS or not (terms.missing or terms.extra):
            continue
        found = _explained(terms)
        if found is not None:
            faults, words = found
            yield mend._replace(faults=faults, words=words, node=mend.target.node)


def _explained(terms: Terms) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """What is wrong with the terms that differ, if that can be said."""
    missing = list(terms.missing)
    said: dict[str, list[str]] = {}
    extra = []
    for term in terms.extra:
        found = _counterpart(term, missing)
        if found is None:
            extra.append(term)
        else:
            for fault, words in found.items():
                said.setdefault(fault, []).append(words)
    if (extra and missing) or not (terms.alike or said):
        return None
    if missing:
        dropped = all(any(_is_swapped(term, other) for other in (*terms.alike, *terms.extra)) for term in missing)
        said["symmetric part" if dropped else "missing term"] = [f"add {' and '.join(map(_name, missing))}"]
    if extra:
        said["extra term"] = [f"leave out {' and '.join(map(_name, extra))}"]
    return tuple(said), tuple(map(_listed, said.values()))


def _listed(words: list[str]) -> str:
    rest = len(words) - 1
    return words[0] + (f", and so in {rest} more term{'s' * (rest > 1)}" if rest else "")


def _counterpart(term: Node, missing: list[Node]) -> dict[str, str] | None:
    """What is wrong with a term that stands for one of those missing, which is taken out of them."""
    name = _name(term)
    for fault, words, changed in _variants(term):
        coef, *rest = key_of(changed)
        for other in missing:
            wanted, *same = key_of(other)
            if rest == same:
                missing.remove(other)
                said = {fault: f"in the term {name}: {words}"} if fault else {}
                if wanted == -coef:
                    said["sign"] = f"change the sign of the term {name}"
                elif wanted != coef:
                    said["factor"] = f"the term {name} is {_name(other)}"
                return said
    return None


def _variants(term: Node) -> Iterator[tuple[str, str, Node]]:
    """The term, and what it becomes when it is transposed or one index of it changed."""
    yield "", "", term
    if term.order == 2 and term.dims[0] == term.dims[1]:
        yield "transpose", "transpose it", transpose(term, (1, 0))
    for edit in edits(term):
        yield "sum", edit.words, edit.node


def _is_swapped(term: Node, other: Node) -> bool:
    """Is a term another one with a factor transposed, or the whole?"""
    wanted = key_of(term)
    return any(key_of(changed) == wanted for fault, words, changed in _variants(other) if words.startswith("transpose"))
