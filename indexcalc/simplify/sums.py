"""The normal form of a sum whose terms are in normal form.

The rewrites, by name: `collect_terms`, `extract_content`, and `broadcast_out` (an axis that no term has is left to the
edge).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from math import gcd, lcm

from indexcalc.graph.canonical import Hyperedge, labelling, settle, symmetry
from indexcalc.graph.constructors import ONE, addition, dimension, einsum
from indexcalc.graph.edge import ZERO_EDGE, Edge, colour, even, symmetry_of
from indexcalc.graph.fingerprint import placed
from indexcalc.graph.node import NO_SYMMETRY, Labels, Node, Perm, Product, Sum
from indexcalc.graph.numbers import Number, add, multiply, number
from indexcalc.index import Dimension, primitive
from indexcalc.simplify.rewriting.rewrite import Rewrite

Terms = dict[tuple[Node, Labels], Number]
Key = Callable[[Node], Edge]


def collect_terms(terms: Sequence[Edge], same: Key | None = None) -> Terms:
    """Like terms together; with `same`, also those that are equal but share their parts in another way."""
    found: Terms = {}
    for coef, node, axes in terms:
        place, sign = settle(axes, symmetry_of(node))
        if sign == 0 or coef == 0:
            continue
        key = (node, place)
        total = add(found.get(key, 0), multiply(coef, sign))
        if total == 0:
            found.pop(key, None)
        else:
            found[key] = total
    if same is not None and len(found) > 1:
        _collect_unshared(found, same)
    return found


def _collect_unshared(found: Terms, same: Key) -> None:
    for group in _alike(found, lambda key: signature(key[0])):
        if len({node for node, _ in group}) == 1:  # the same in several places: what these are tells them apart
            _collect_group(found, group, same)
            continue
        for close in _alike(group, lambda key: placed(*key)):
            _collect_group(found, close, same)


def _alike(
    keys: Iterable[tuple[Node, Labels]], mark: Callable[[tuple[Node, Labels]], object]
) -> list[list[tuple[Node, Labels]]]:
    """The groups of two or more that have the same mark."""
    groups: dict[object, list[tuple[Node, Labels]]] = {}
    for key in keys:
        groups.setdefault(mark(key), []).append(key)
    return [group for group in groups.values() if len(group) > 1]


def _collect_group(found: Terms, group: list[tuple[Node, Labels]], same: Key) -> None:
    first: dict[tuple[Node, Labels], tuple[tuple[Node, Labels], Number]] = {}
    for key in group:
        node, labels = key
        edge = same(node)
        place, sign = settle([labels[axis] for axis in edge.axes], symmetry_of(edge.node))
        coef = multiply(edge.coef, sign)
        met = first.get((edge.node, place))
        if met is None or coef == 0:
            first[edge.node, place] = (key, coef)
            continue
        other, theirs = met
        ratio = number(Fraction(1) * coef / theirs) if isinstance(coef, int | Fraction) else number(coef / theirs)
        found[other] = add(found[other], multiply(found.pop(key), ratio))
        if found[other] == 0:
            del found[other]
            del first[edge.node, place]


def signature(node: Node) -> int:
    """A number that equal nodes have in common whatever they share: products add it up over their factors."""
    found: int | None = node.facts.get("signature")
    if found is not None:
        return found
    stack = [node]
    while stack:
        top = stack[-1]
        if "signature" in top.facts:
            stack.pop()
            continue
        waiting = [child for child in top.children if "signature" not in child.facts]
        if waiting:
            stack += waiting
            continue
        top.facts["signature"] = _signature(stack.pop())
    result: int = node.facts["signature"]
    return result


def _signature(node: Node) -> int:
    if type(node) is Product:
        total = 0
        for factor in node.factors:
            own: int = factor.node.facts["signature"]
            exponent = factor.exponent
            total += own * exponent if isinstance(exponent, int) else own * sum(repr(exponent).encode())
        return total % 2**61
    if type(node) is Sum:
        return sum(int(t.node.facts["signature"]) ** 2 for t in node.terms) % 2**61
    own = int.from_bytes((node.digest if not node.children else (node.kind + node.name).encode())[-7:], "little")
    for child in node.children:
        own = (own * 1000003 + child.facts["signature"]) % 2**61
    return own


def normalise_sum(terms: Terms, dims: Sequence[Dimension]) -> Edge:
    """The edge of a sum of collected terms, along axes of these dimensions."""
    terms = collect_dimensions(terms)
    if not terms:
        return ZERO_EDGE
    if len(terms) == 1:
        (((node, axes), coef),) = terms.items()
        return Edge(coef, node, axes)
    content = extract_content(terms)
    if content != 1:
        inverse = number(Fraction(1) / content) if isinstance(content, int | Fraction) else 1 / content
        terms = {key: multiply(coef, inverse) for key, coef in terms.items()}
    carried = {axis for _, axes in terms for axis in axes}
    kinds = {axis: (1, str(dims[axis])) for axis in range(len(dims)) if axis in carried}
    items = []
    for (node, axes), coef in terms.items():
        coef, axes = _upright(coef, node, axes)
        items.append(Hyperedge((*colour(node), repr(coef)), axes, even(symmetry_of(node))))
    form = labelling(items, kinds)
    assert form is not None
    keys = list(terms)
    place = {axis: k for k, axis in enumerate(form.labels)}
    rows = []
    for k in form.items:
        node, axes = keys[k]
        labels, sign = settle([place[axis] for axis in axes], symmetry_of(node))
        rows.append((multiply(terms[keys[k]], sign), node, labels))
    made = addition(rows, [dims[axis] for axis in form.labels])
    if not form.exact:
        made.facts["inexact"] = True
    if isinstance(made, Sum):
        remember_symmetry(made, form.labels, form.symmetries, _turning(made))
    return Edge(content, made, tuple(form.labels))


def _upright(coef: Number, node: Node, axes: Labels) -> tuple[Number, Labels]:
    """A term with its sign in the order of its axes, where these are skew: `-K[i,j]` is `K[j,i]`.

    So a sum and its transpose, `B.T - K` and `B + K`, have terms that look alike.
    """
    pair = _skew_pair(node)
    if pair is None or isinstance(coef, complex) or coef > 0:
        return coef, axes
    turned = list(axes)
    turned[pair[0]], turned[pair[1]] = axes[pair[1]], axes[pair[0]]
    return multiply(coef, -1), tuple(turned)


def _skew_pair(node: Node) -> tuple[int, ...] | None:
    """Two axes whose exchange changes the sign, if there are some and they are in no larger block."""
    return next((block for block, sign in symmetry_of(node).blocks if sign < 0 and len(block) == 2), None)


def collect_dimensions(terms: Terms) -> Terms:
    """Dimensions and whole numbers added up to one polynomial, so that `n + 1` is the dimension `n + 1`."""
    total: Dimension = 0
    kept: Terms = {}
    count = 0
    for (node, axes), coef in terms.items():
        value = 1 if node is ONE else as_dimension(node)
        if axes or value is None or not isinstance(coef, int):
            kept[node, axes] = coef
            continue
        total, count = total + value * coef, count + 1
    if count < 2:
        return terms
    if isinstance(total, int):
        return kept | ({(ONE, ()): total} if total else {})
    content, parts = primitive(total)
    node = einsum(1, [(dimension(part), (), times) for part, times in parts], ())
    kept[node, ()] = add(kept.get((node, ()), 0), number(content))
    return kept


def as_dimension(node: Node) -> Dimension | None:
    """The polynomial of dimension symbols that a node is, if it is one."""
    if type(node) is not Product or node.dims or node.coef != 1:
        return None
    if not node.factors:
        return node.sizes[0] if len(node.sizes) == 1 else None
    total: Dimension = 1
    for factor in node.factors:
        inner = as_dimension(factor.node)
        if inner is None or not isinstance(factor.exponent, int) or factor.exponent < 0:
            return None
        for _ in range(min(factor.exponent, 16)):
            total = total * inner
    return total


def remember_symmetry(
    node: Node,
    labels: Sequence[int],
    moves: Sequence[tuple[dict[int, int], int]],
    further: Sequence[tuple[Perm, int]] = (),
) -> None:
    """Moves of labels that leave the node as it is, but for a sign, become a fact about its axes."""
    if "symmetry" in node.facts:
        return
    generators = list(further)
    for move, sign in moves:
        image = tuple(labels.index(move.get(label, label)) for label in labels)
        if image != tuple(range(len(labels))):
            generators.append((image, sign))
    found = symmetry(node.order, generators) if generators else NO_SYMMETRY
    if found != NO_SYMMETRY:
        node.facts["symmetry"] = found


def _turning(node: Sum) -> list[tuple[Perm, int]]:
    """The swaps of two axes that change the sign of the whole."""
    found: list[tuple[Perm, int]] = []
    for a in range(node.order):
        for b in range(a + 1, node.order):
            if node.dims[a] == node.dims[b] and _turns(node, a, b):
                swap = list(range(node.order))
                swap[a], swap[b] = b, a
                found.append((tuple(swap), -1))
    return found


def _turns(node: Sum, a: int, b: int) -> bool:
    """Does the swap of two axes change the sign of the whole, as in `A - A.T`?"""
    swap = {a: b, b: a}
    terms: Terms = {(t.node, t.labels): t.coef for t in node.terms}
    for (inner, labels), coef in terms.items():
        place, sign = settle([swap.get(x, x) for x in labels], symmetry_of(inner))
        if terms.get((inner, place)) != multiply(-coef, sign):
            return False
    return True


def extract_content(terms: Terms) -> Number:
    """What is drawn out of a sum: the greatest common part of exact coefficients, and a sign.

    The sign leaves a number positive (`1 - y**2`), else the longest product (`X w - y`), else what is skew: there it
    hangs on the order of the axes.
    """
    coefs = list(terms.values())
    content: Number = 1
    if all(isinstance(coef, int | Fraction) for coef in coefs):
        exact = [Fraction(coef) for coef in coefs if isinstance(coef, int | Fraction)]
        content = number(Fraction(gcd(*(c.numerator for c in exact)), lcm(*(c.denominator for c in exact))))
    if any(isinstance(coef, complex) for coef in coefs):
        return content
    groups: dict[tuple[bool, bool, int, tuple[int, str, bytes]], set[bool]] = {}
    for (node, _), coef in terms.items():
        lead = (_skew_pair(node) is not None, node is not ONE, -degree(node), colour(node))
        groups.setdefault(lead, set()).add(coef < 0)  # type: ignore[operator]
    for lead in sorted(groups):
        if len(groups[lead]) == 1:
            return multiply(content, -1) if True in groups[lead] else content
    return content


def degree(node: Node) -> int:
    """How many factors a term has."""
    if type(node) is not Product:
        return 1
    return sum(abs(f.exponent) if isinstance(f.exponent, int) else 1 for f in node.factors)


LIKE_TERMS = Rewrite(
    "like terms", "a x + b x = (a + b) x", collect_terms, "distributive law", ("a/3 + a/6", "a/2"), said="",
)  # fmt: skip
"""Like terms are put together before the table of sums is run."""
