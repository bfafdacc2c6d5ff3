"""Changes inside a formula: an index of one factor exchanged, and terms that differ.

Terms are those of the expanded canonical form, where equal ones are one and the same: what is left of both sides is
where they differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import combinations, islice
from typing import Any, NamedTuple

from indexcalc.checking.compare import Bench
from indexcalc.checking.mends import Mend
from indexcalc.checking.report import Difference
from indexcalc.graph.constructors import einsum, transpose
from indexcalc.graph.node import Factor, Node, Product, Sum, Variable, topological
from indexcalc.graph.numbers import Number, multiply
from indexcalc.graph.walk import substitute
from indexcalc.simplify import same
from indexcalc.simplify.passes import expand, simplify
from indexcalc.views.array import Array, standing_array
from indexcalc.views.expr import Expr
from indexcalc.views.placed import orientation_of

MOST_EDITS = 400
"""Changes of one formula that are compared: an arbitrary budget."""
MOST_LABELS = 8000
"""Labels of all formulas with a change, at most: a long product has fewer changes tried, so that time is bounded."""
MOST_TERMS = 40
"""Terms that differ: with more, they are not put right one by one."""
MOST_VARIANTS = 60
"""Changes of one term that are compared: an arbitrary budget."""
WHOLE = "transpose it"
SHORT = 40
"""Characters of a term that a sentence quotes."""


# ------------------------------------------------------------------ indices


class Edit(NamedTuple):
    """A node with one index changed, whether a factor was transposed, and what was changed, in words."""

    node: Node
    transposes: bool
    words: Callable[[], str]


def edits(root: Node, vectors: str = "numpy") -> Iterator[Edit]:
    """The node with two indices of a product exchanged, or one replaced by another of its dimension.

    `vectors` says how the words write vectors.
    """
    seen = {root}
    for node in topological([root]):
        if isinstance(node, Product) and node.factors:
            for edit in _relabelled(node, vectors):
                (made,) = substitute([root], {node: edit.node})
                if made not in seen:
                    seen.add(made)
                    yield edit._replace(node=made)


def _relabelled(node: Product, vectors: str) -> Iterator[Edit]:
    """The product with other labels."""
    places = [(k, axis) for k, f in enumerate(node.factors) for axis in range(len(f.labels))]
    places += [(-1, axis) for axis in range(len(node.out))]

    def label(place: tuple[int, int]) -> int:
        return node.out[place[1]] if place[0] < 0 else node.factors[place[0]].labels[place[1]]

    for one, other in sorted(combinations(places, 2), key=lambda pair: pair[0][0] != pair[1][0]):
        a, b = label(one), label(other)
        if a != b and node.sizes[a] == node.sizes[b] and one[0] >= 0:
            made = _with(node, {one: b, other: a})
            yield Edit(made, one[0] == other[0], partial(_words, node, one[0], other[0], vectors))
    for place in places:
        for b, size in enumerate(node.sizes):
            if place[0] >= 0 and b != label(place) and size == node.sizes[label(place)]:
                yield Edit(_with(node, {place: b}), False, partial(_another, node.factors[place[0]].node, vectors))


def labels_in(root: Node) -> int:
    """How many labels the products in a graph have, one at least."""
    products = [node for node in topological([root]) if isinstance(node, Product)]
    return max(1, sum(len(f.labels) for node in products for f in node.factors))


def letters(root: Node) -> dict[Node, int]:
    """How often each tensor is written in a node, a power as so many factors: no change of an index changes that.

    >>> from indexcalc.graph.constructors import variable
    >>> x = variable("x", (3,))
    >>> list(letters(einsum(1, [(x, "i", 2), (x, "j")], "ij")).values())
    [3]
    """
    order = topological([root])
    times = dict.fromkeys(order, 0) | {root: 1}
    for node in reversed(order):
        powers = [f.exponent for f in node.factors] if isinstance(node, Product) else [1] * len(node.children)
        for child, power in zip(node.children, powers, strict=True):
            times[child] += times[node] * (abs(power) if isinstance(power, int) else 1)
    return {node: count for node, count in times.items() if isinstance(node, Variable)}


def _with(node: Product, labels: dict[tuple[int, int], int]) -> Node:
    factors = [
        Factor(f.node, tuple(labels.get((k, axis), x) for axis, x in enumerate(f.labels)), f.exponent)
        for k, f in enumerate(node.factors)
    ]
    out = [labels.get((-1, axis), x) for axis, x in enumerate(node.out)]
    used = {x for f in factors for x in f.labels} | set(out)
    sizes = {x: dim for x, dim in enumerate(node.sizes) if x in used or x not in set(node.out)}
    return einsum(node.coef, factors, out, sizes)


def _words(node: Product, one: int, other: int, vectors: str) -> str:
    first = shown(node.factors[one].node, vectors)
    if one == other:
        return f"transpose {first}"
    if other < 0:
        return f"exchange an index of {first} with one of the result"
    return f"exchange an index of {first} with one of {shown(node.factors[other].node, vectors)}"


def _another(node: Node, vectors: str) -> str:
    return f"another index at {shown(node, vectors)}"


def shown(node: Node, vectors: str) -> str:
    """The text of a part, if it is short."""
    text = str(standing_array(node, [Array(node, None, None, vectors)]))
    return text if len(text) <= SHORT else f"{text[: SHORT - 4]} ..."


def term_text(term: Node, mend: Mend) -> str:
    """The text of a term that has the axes of the mend's target, in the notation of the formula."""
    target, names = mend.target.view, mend.target.names or mend.claim.names
    if names is not None and len(names) == term.order:
        return str(Expr(term, names))
    places = target.places if isinstance(target, Array) else ()
    kept = [axis for axis in range(term.order) if len(places) != term.order or places[axis] is not None]
    squeezed = einsum(1, [(term, range(term.order))], kept)
    vectors = orientation_of([mend.claim.view, target])[0]
    return str(standing_array(squeezed, [Array(term, None, None, vectors)]))


def reindexed(bench: Bench, mends: Sequence[Mend]) -> Iterator[Mend]:
    """The formulas with one index changed, as far as a few numbers agree."""
    for mend in mends:
        for edit in islice(edits(mend.node, mend.claim.stands), min(MOST_EDITS, MOST_LABELS // labels_in(mend.node))):
            if not bench.unlike(edit.node, mend.target.node):
                yield mend._replace(faults=("sum",), words=(edit.words(),), node=edit.node)


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


def likest(term: Node, others: Sequence[Node]) -> Node:
    """The one of several nodes that has most parts in common with a term."""
    parts = set(topological([term]))

    def common(other: Node) -> float:
        own = set(topological([other]))
        return len(parts & own) / len(parts | own)

    return max(others, key=common)


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
    return same.key_of(term, tuple(range(term.order)))


def difference_of(mend: Mend) -> Difference | None:
    """The first term in which a formula differs from its target, if their terms differ."""
    terms = aligned(mend.node, mend.target.node)
    if not (terms.extra or terms.missing):
        return None
    if not terms.extra:
        return Difference("", term_text(terms.missing[0], mend))
    term = terms.extra[0]
    other = term_text(likest(term, terms.missing), mend) if terms.missing else ""
    return Difference(term_text(term, mend), other)


def termwise(bench: Bench, mends: Sequence[Mend]) -> Iterator[Mend]:
    """The formulas with their terms put right.

    Each term that differs is one of the derivative's, changed, or terms are only missing, or only too many.
    """
    for mend in mends:
        terms = aligned(mend.node, mend.target.node)
        if len(terms.extra) + len(terms.missing) > MOST_TERMS or not (terms.missing or terms.extra):
            continue
        found = _explained(terms, mend, bench)
        if found is not None:
            faults, words = found
            weak = bool({"symmetric part", "factor"} & set(faults)) and bool(terms.extra)
            yield mend._replace(faults=faults, words=words, node=mend.target.node, weak=weak)


def _explained(terms: Terms, mend: Mend, bench: Bench) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """What is wrong with the terms that differ, if that can be said."""
    missing = {term: key_of(term) for term in terms.missing}
    said: dict[str, list[str]] = {}
    extra = []
    for term in terms.extra:
        found = _counterpart(term, missing, mend) or _multiple(term, missing, mend, bench)
        if found is None:
            extra.append(term)
        else:
            for fault, words in found.items():
                said.setdefault(fault, []).append(words)
    if (extra and missing) or not (terms.alike or said):
        return None
    if missing:
        own = [variant for term in (*terms.alike, *terms.extra) for variant in _variants(term, mend.claim.stands)]
        swapped = {key_of(variant.node) for variant in own if variant.transposes}
        dropped = swapped.issuperset(missing.values())
        said["symmetric part" if dropped else "missing term"] = [f"add {_all(list(missing), mend)}"]
    if extra:
        said["extra term"] = [f"leave out {_all(extra, mend)}"]
    return tuple(said), tuple(map(_listed, said.values()))


def _all(terms: list[Node], mend: Mend) -> str:
    return " and ".join(term_text(term, mend) for term in terms)


def _listed(words: list[str]) -> str:
    rest = len(words) - 1
    return words[0] + (f", and so in {rest} more term{'s' * (rest > 1)}" if rest else "")


def _counterpart(term: Node, missing: dict[Node, Any], mend: Mend) -> dict[str, str] | None:
    """What is wrong with a term that stands for one of those missing, which is taken out of them."""
    own = letters(term)
    changed = _variants(term, mend.claim.stands) if any(letters(other) == own for other in missing) else ()
    for variant in (None, *changed):
        coef, *rest = key_of(term if variant is None else variant.node)
        for other, (wanted, *alike) in missing.items():
            if rest == alike:
                del missing[other]
                name = term_text(term, mend)
                said: dict[str, str] = {}
                if variant is not None:
                    words = variant.words()
                    said["sum" if words != WHOLE else "transpose"] = f"in the term {name}: {words}"
                twin = _twin(other, missing, mend) if coef == 2 * wanted else None
                if twin is not None:
                    both = f"{term_text(other, mend)} and {term_text(twin, mend)}"
                    said["symmetric part"] = f"the term {name} should be {both}"
                elif wanted == -coef:
                    said["sign"] = f"change the sign of the term {name}"
                elif wanted != coef:
                    said["factor"] = f"the term {name} should be {term_text(other, mend)}"
                return said
    return None


def _multiple(term: Node, missing: dict[Node, Any], mend: Mend, bench: Bench) -> dict[str, str] | None:
    """What is wrong with a term that is a multiple of one of those missing, which is taken out of them."""
    for other in missing:
        if bench.multiple(term, other) is not None:
            del missing[other]
            return {"factor": f"the term {term_text(term, mend)} should be {term_text(other, mend)}"}
    return None


def _twin(term: Node, missing: dict[Node, Any], mend: Mend) -> Node | None:
    """The term, or a factor of it, transposed, if that is missing too; it is taken out."""
    keys = {key_of(variant.node) for variant in _variants(term, mend.claim.stands) if variant.transposes}
    found = next((other for other, key in missing.items() if key in keys), None)
    if found is not None:
        del missing[found]
    return found


def _variants(term: Node, vectors: str) -> Iterator[Edit]:
    """What a term becomes when it is transposed, or one index in it changed."""
    if term.order == 2 and term.dims[0] == term.dims[1]:
        yield Edit(transpose(term, (1, 0)), True, lambda: WHOLE)
    yield from islice(edits(term, vectors), MOST_VARIANTS)
