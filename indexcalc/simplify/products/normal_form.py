"""The normal form of a product whose factors are in normal form.

Labels are joined as the product is gathered, which ends deltas. Then equal bases become one power, the rewrites of the
table `FACTORS` are run, and what is left gets its one order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

from indexcalc.graph.canonical import Hyperedge, Labelling, labelling, settle, symmetry
from indexcalc.graph.constructors import ONE, as_number, dimension, einsum
from indexcalc.graph.edge import ZERO_EDGE, Draft, Edge, colour, even, power, symmetry_of
from indexcalc.graph.node import NO_SYMMETRY, Elementwise, Labels, Node, Perm, Product, Sum, Symmetry
from indexcalc.graph.numbers import Number, add, multiply, number
from indexcalc.index import Dimension, primitive
from indexcalc.simplify.normaliser import Normaliser
from indexcalc.simplify.rewriting.driver import Factors, Parts, rewrite_factors, written
from indexcalc.simplify.rewriting.of_factors import FACTORS, RECOGNISED
from indexcalc.simplify.rewriting.rewrite import Rewrite


def normalise_product(work: Normaliser, draft: Draft, out: Sequence[int]) -> Edge | Parts:
    """The normal form of `draft`, whose axes are the labels `out`; or the products whose sum it is."""
    out = [draft.find(label) for label in out]
    if draft.coef == 0:
        return ZERO_EDGE
    if not draft.dims and len(draft.factors) < 2:
        return _without_labels(work, draft)
    gathered = ONE if work.trace is None else written(draft, None, out)
    factors = collect_powers(draft)
    if factors is None:
        return ZERO_EDGE
    if work.trace is not None and len(factors) < len(draft.factors):
        work.trace.note(POWERS, gathered, written(draft, factors, out))
    parts = rewrite_factors(work, FACTORS, draft, factors, out)
    if parts is not None:
        return parts
    sum_to_dimension(draft, factors, out)
    return _number_product(draft, factors, out)


def _without_labels(work: Normaliser, draft: Draft) -> Edge:
    if not draft.factors:
        return Edge(draft.coef, ONE, ())
    node, _, exponent = draft.factors[0]
    if exponent == 1:
        return Edge(draft.coef, node, ())
    if isinstance(node, Sum | Elementwise):
        factors: Factors = {(node, ()): exponent}
        rewrite_factors(work, RECOGNISED, draft, factors, [])
        return _number_product(draft, factors, [])
    return Edge(draft.coef, einsum(1, [(node, (), exponent)], ()), ())


def collect_powers(draft: Draft) -> Factors | None:
    """Equal bases at equal labels become one power; a factor that vanishes by antisymmetry makes it None."""
    factors: Factors = {}
    find = draft.find
    for node, labels, exponent in draft.factors:
        if not labels and (value := as_number(node)) is not None and (raised := power(value, exponent)) is not None:
            draft.coef = multiply(draft.coef, raised)
            continue
        place = tuple(find(label) for label in labels)
        rule = _symmetry_of_power(node, exponent)
        if rule is not NO_SYMMETRY:
            place, sign = settle(place, rule)
            if sign == 0:
                return None
            if sign < 0 and _odd(exponent):
                draft.coef = -draft.coef
        key = (node, place)
        total = add(factors[key], exponent) if key in factors else exponent
        if total == 0:
            del factors[key]
        else:
            factors[key] = total
    _join_multiples(draft, factors)
    return factors


def _join_multiples(draft: Draft, factors: Factors) -> None:
    """A whole power of a sum joined with a root of a multiple of it: `(b - a)**-1 * sqrt(a - b)` is one power.

    The number in front of a sum goes out of a whole power of it, and stays in its root.
    """
    roots = [(node, labels) for (node, labels), exponent in factors.items() if not isinstance(exponent, int)]
    for node, labels in roots:
        if not isinstance(node, Sum):
            continue
        for (other, place), exponent in list(factors.items()):
            ratio = multiple(node, other) if place == labels and isinstance(exponent, int) else None
            if ratio is None or (raised := power(ratio, -exponent)) is None:
                continue
            del factors[other, place]
            draft.coef = multiply(draft.coef, raised)
            factors[node, labels] = add(factors[node, labels], exponent)


def multiple(node: Sum, other: Node) -> Number | None:
    """The number by which another sum gives this one; None where it is none such, or not exact.

    >>> from indexcalc.graph.constructors import ONE, addition, variable
    >>> x = variable("x", ())
    >>> one, other = (addition([(a, x, ()), (b, ONE, ())], ()) for a, b in ((2, -4), (-1, 2)))
    >>> multiple(one, other)
    -2
    """
    if not isinstance(other, Sum) or other is node or len(other.terms) != len(node.terms):
        return None
    one, two = node.terms[0].coef, other.terms[0].coef
    if not isinstance(one, int | Fraction) or not isinstance(two, int | Fraction):
        return None
    ratio = number(Fraction(one) / two)
    alike = all(
        (a.node, a.labels, a.coef) == (b.node, b.labels, multiply(ratio, b.coef))
        for a, b in zip(node.terms, other.terms, strict=True)
    )
    return ratio if alike else None


def sum_to_dimension(draft: Draft, factors: Factors, out: Sequence[int]) -> None:
    """A summed label that no factor carries is a factor of its dimension."""
    carried = {label for _, labels in factors for label in labels} | set(out)
    total: Dimension = 1
    for label in range(len(draft.dims)):
        if draft.find(label) == label and label not in carried and label not in draft.gone:
            total = total * draft.dims[label]
    if isinstance(total, int):
        draft.coef = multiply(draft.coef, total)
        return
    content, parts = primitive(total)
    draft.coef = multiply(draft.coef, number(content))
    for part, exponent in parts:
        key = (dimension(part), ())
        factors[key] = add(factors.get(key, 0), exponent)
        if factors[key] == 0:
            del factors[key]


def _number_product(draft: Draft, factors: Factors, out: Sequence[int]) -> Edge:
    """The canonical numbering of a product: sorted factors, labels in order, axes along which it varies."""
    if draft.coef == 0:
        return ZERO_EDGE
    if not factors and len(set(out)) == len(out):
        return Edge(draft.coef, ONE, ())
    if len(factors) == 1:
        ((node, labels), exponent), *_ = factors.items()
        if exponent == 1 and len(set(labels)) == len(labels) and len(set(out)) == len(out) and set(labels) <= set(out):
            where = {label: axis for axis, label in enumerate(out)}
            return Edge(draft.coef, node, tuple(where[label] for label in labels))
    plain = _entry_by_entry(draft.coef, factors, out)
    if plain is not None:
        return plain
    times: dict[int, int] = {}
    for label in out:
        times[label] = times.get(label, 0) + 1
    keys = list(factors)
    kinds = {label: (times.get(label, 0), "") for _, labels in keys for label in labels}
    for label, repeats in times.items():
        if repeats > 1:
            kinds.setdefault(label, (repeats, ""))
    for label, (repeats, _) in kinds.items():
        kinds[label] = (repeats, str(draft.dims[label]))
    items = [
        Hyperedge((*colour(node), repr(exponent)), labels, _symmetry_of_power(node, exponent), _odd(exponent))
        for (node, labels), exponent in factors.items()
    ]
    form = labelling(items, kinds)
    if form is None:
        return ZERO_EDGE
    ordered = [(*keys[k], factors[keys[k]]) for k in form.items]
    coef = draft.coef
    if any(type(node) is Product and not node.dims for node, _ in keys) or len(form.components) > 1:
        ordered, sign = _repeated_scalars(ordered, form, set(out), dict(enumerate(draft.dims)))
        coef = multiply(coef, sign)
        if not ordered and len(set(out)) == len(out):
            return Edge(coef, ONE, ())
    places: dict[int, list[int]] = {}
    for axis, label in enumerate(out):
        places.setdefault(label, []).append(axis)
    axes = [axis for label in form.labels for axis in places.get(label, [])]
    axes_labels = [out[axis] for axis in axes]
    node, sign = _settled(ordered, axes_labels, form.labels, {label: draft.dims[label] for label in kinds})
    if not form.exact:
        node.facts["inexact"] = True
    found = form.symmetries or len(times) < len(out)
    if found and axes and "symmetry" not in node.facts and type(node) is Product:
        _remember_symmetry(node, axes_labels, form.symmetries)
    return Edge(multiply(coef, sign), node, tuple(axes))


def _entry_by_entry(coef: Number, factors: Factors, out: Sequence[int]) -> Edge | None:
    """The form of a product in which nothing is summed and every factor is a scalar or has the same labels; else None.

    Most products of a long chain are of this kind, and need no search: factors with labels come first, each by colour.
    """
    labels: Labels = ()
    for node, own in factors:
        if own and own != labels:
            if labels:
                return None
            labels = own
        if symmetry_of(node) is not NO_SYMMETRY:
            return None
    if len(set(out)) < len(out) or len(set(labels)) < len(labels) or not set(labels) <= set(out):
        return None
    rows = sorted(factors.items(), key=lambda row: (not row[0][1], *colour(row[0][0])))
    place = range(len(labels))
    node = einsum(1, [(base, place if own else (), exponent) for (base, own), exponent in rows], place)
    where = {label: axis for axis, label in enumerate(out)}
    return Edge(coef, node, tuple(where[label] for label in labels))


def _odd(exponent: Number) -> bool:
    return isinstance(exponent, int) and exponent % 2 == 1


def _symmetry_of_power(node: Node, exponent: Number) -> Symmetry:
    """The symmetry of a base under an exponent: a root has none that changes a sign, sqrt(a - b) is not sqrt(b - a)."""
    return symmetry_of(node) if isinstance(exponent, int) else even(symmetry_of(node))


Row = tuple[Node, Labels, Number]


def _settled(
    ordered: Sequence[Row], out: Sequence[int], numbering: Sequence[int], dims: Mapping[int, Dimension]
) -> tuple[Node, int]:
    """The product, with labels numbered as `out` and then `numbering` say, and its sign.

    Slots that may be permuted are in order of these numbers; the sign is what this costs.
    """
    place = {label: k for k, label in enumerate(dict.fromkeys([*out, *numbering]))}
    factors, total = [], 1
    for node, labels, exponent in ordered:
        numbers, sign = settle([place[label] for label in labels], _symmetry_of_power(node, exponent))
        total *= sign if _odd(exponent) else 1
        factors.append((node, numbers, exponent))
    sizes = {place[label]: dim for label, dim in dims.items() if label in out}
    return einsum(1, factors, [place[label] for label in out], sizes), total


def _repeated_scalars(
    ordered: list[Row], form: Labelling, out: set[int], dims: Mapping[int, Dimension]
) -> tuple[list[Row], int]:
    """Equal components that are closed in themselves become a power: `(x·x)(x·x)` is `(x·x)**2`; and the sign."""
    bases = {node for node, _, _ in ordered if type(node) is Product and not node.dims}
    closed: dict[object, list[tuple[int, int]]] = {}
    for start, stop, shape in form.components:
        labels = {label for _, row, _ in ordered[start:stop] for label in row}
        if labels and not labels & out:
            closed.setdefault(shape, []).append((start, stop))
    powers: dict[Node, Number] = {}
    gone: set[int] = set()
    total = 1
    for spans in closed.values():
        if len(spans) == 1 and not bases:
            continue
        settled = [_settled(ordered[start:stop], [], form.labels, dims) for start, stop in spans]
        node = settled[0][0]
        if len(spans) > 1 or node in bases:
            powers[node] = len(spans)
            gone |= {k for start, stop in spans for k in range(start, stop)}
            for _, sign in settled:
                total *= sign
    result = [row for k, row in enumerate(ordered) if k not in gone and row[0] not in powers]
    for node, _, exponent in ordered:
        if node in powers:
            powers[node] = add(powers[node], exponent)
    result += [(node, (), exponent) for node, exponent in powers.items() if exponent != 0]
    return sorted(result, key=lambda row: () if row[1] else (*colour(row[0]), repr(row[2]))), total


def _remember_symmetry(node: Node, out: Sequence[int], moves: Iterable[tuple[dict[int, int], int]]) -> None:
    """The symmetries of labels, as symmetries of the axes of the node."""
    generators: list[tuple[Perm, int]] = []
    for move, sign in moves:
        image = [move.get(label, label) for label in out]
        if image == list(out):
            continue
        pools = {label: [axis for axis, other in enumerate(out) if other == label] for label in set(out)}
        generators.append((tuple(pools[label].pop(0) for label in image), sign))
    repeated: dict[int, list[int]] = {}
    for axis, label in enumerate(out):
        repeated.setdefault(label, []).append(axis)
    for group in repeated.values():
        for a, b in pairwise(group):
            swap = list(range(len(out)))
            swap[a], swap[b] = b, a
            generators.append((tuple(swap), 1))
    found = symmetry(len(out), generators)
    if found != NO_SYMMETRY:
        node.facts["symmetry"] = found


POWERS = Rewrite(
    "powers", "a^p a^q = a^(p+q)", collect_powers, "field axioms", ("a*b*a/b", "a**2"), said="",
)  # fmt: skip
"""Equal bases are put together before the table of factors is run."""
