"""Derivatives by structured tensors: the space that the assumptions leave, and the maps of gradients onto it.

A linear structure is `X = Σ_t θ_t B_t`: the patterns B_t have disjoint supports and entries 0, 1, -1. Of the gradient G
in which all entries count as independent (the free one) there are two maps,

    independent   Σ_t B_t <G, B_t>               ∂f/∂θ_t, at every entry that θ_t fills, with its sign
    projected     Σ_t B_t <G, B_t> / <B_t, B_t>  the orthogonal projection onto the space

(J. Magnus and H. Neudecker, Matrix Differential Calculus, 3rd ed., chapter 3, have the projector onto symmetric
matrices; K. Petersen and M. Pedersen, The Matrix Cookbook, section 2.8, the structure matrices ∂X/∂θ_t). Neither
depends on how f was written, since both see G through the numbers <G, B_t> alone.

Patterns are those of a group of permutations of the axes (an entry and what the group makes of it), of bands (diagonals
and the like), and of masks (entries that are 0).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from itertools import pairwise
from math import factorial
from typing import Any, NamedTuple

from indexcalc.errors import Asked, DerivativeError, NameRefused, did_you_mean
from indexcalc.graph.canonical import LARGEST_GROUP, SignedPerm, closed
from indexcalc.graph.constructors import addition, constant, dimension, einsum, variable
from indexcalc.graph.edge import symmetry_of
from indexcalc.graph.node import Labels, Node, Sum, Symmetry, Term, Variable
from indexcalc.graph.numbers import Number, add, multiply
from indexcalc.index import Dimension

Structure = str
"""The name of a map, which `check_map` knows."""
MAPS: tuple[Structure, ...] = ("projected", "independent", "free")
AFFINE = {
    "orthogonal": "orthogonal matrices are no linear space (Q.T @ Q = eye is quadratic)",
    "onehot": "such tensors are no linear space (their entries are 0 or 1)",
    "mask": "such tensors are no linear space (their entries are 0 or 1)",
    "stochastic": "stochastic tensors are no linear space (their entries sum to 1, not to 0)",
}
BANDED = {"toeplitz", "hankel", "circulant"}
BAND_KINDS = (*sorted(BANDED), "symmetric_toeplitz", "symmetric_circulant")
MASKED = {"lower", "upper"}
LINEAR = {"symmetric", "skew", "diagonal", "positive_definite", "major"} | BANDED | MASKED
RESTRICTING = LINEAR | set(AFFINE)
LARGEST_ORDER = 4
"""Axes that a symmetry may move where independent entries are asked for: an arbitrary bound on the set partitions of
these axes, 15 of four and 52 of five, each of which may add terms to the derivative."""
LONGEST_SUM = 100
"""Terms up to which a sum is mapped term by term under a symmetry, so that its terms meet: an arbitrary budget."""

SWAP: tuple[SignedPerm, ...] = (((0, 1), 1), ((1, 0), 1))


class Space(NamedTuple):
    """A space of tensors: what the axes' permutations do, all entries off the diagonal zero or not, bands, masks."""

    group: tuple[SignedPerm, ...]
    diagonal: bool = False
    bands: str = ""
    masks: tuple[str, ...] = ()


def is_structured(node: Node) -> bool:
    """Is this a variable whose assumptions say more than what each entry is by itself?

    >>> from indexcalc.graph.constructors import variable
    >>> is_structured(variable("S", (3, 3), ["lower"])), is_structured(variable("x", (3,), ["positive"]))
    (True, False)
    """
    return isinstance(node, Variable) and (bool(node.assumptions & RESTRICTING) or symmetry_of(node) != Symmetry())


def unstructured(node: Variable) -> Variable:
    """The variable of this name whose entries are all independent.

    >>> from indexcalc.graph.constructors import variable
    >>> sorted(unstructured(variable("S", (3, 3), ["lower", "positive"])).assumptions)
    ['positive']
    """
    return variable(node.label, node.shape, node.assumptions - RESTRICTING, latex=node.latex)


def tangent_words(node: Variable) -> frozenset[str]:
    """The assumptions that hold for differences of such tensors, and so for its differential."""
    words = node.assumptions & LINEAR
    return (words - {"positive_definite"}) | {"symmetric"} if "positive_definite" in words else words


def structured(node: Node, target: Node, axes: Sequence[int], structure: str, asked: str | Asked) -> tuple[Node, str]:
    """The free derivative, mapped as `structure` says on the axes that came from the target; and what was done.

    What was done is "" where the target has no structure.

    Errors: DerivativeError for a structure that is no linear space, or for assumptions that no rule takes together.

    >>> from indexcalc.graph.constructors import variable
    >>> G, L = variable("G", (3, 3)), variable("L", (3, 3), ["lower"])
    >>> structured(G, L, (0, 1), "projected", "")[0].children[1]
    <constant ... dims=(3, 3)>
    """
    check_map(structure, asked)
    if not isinstance(target, Variable) or not is_structured(target):
        return node, ""
    if structure == "free":
        return node, "free"
    space = space_of(target, asked)
    whole = structure == "independent"
    if space.diagonal:
        return _on_diagonal(node, axes), structure
    if space.bands:
        node = _over_bands(node, axes[-2:], space.bands, whole)
    if len(space.group) > 1:
        weights = _weights(space.group, target.order, asked) if whole else _mean(space.group, target.order)
        node = _over_group(node, axes, space.group, weights)
    for word in space.masks:
        node = _masked(node, axes[-2:], word)
    return node, structure


def check_map(structure: object, asked: str | Asked) -> None:
    """Nothing, where `structure` is one of the three names; else a DerivativeError."""
    if not isinstance(structure, str) or structure not in MAPS:
        raise DerivativeError(
            asked, f"structure={structure!r} is not known", 'write structure="projected", "independent" or "free"'
        )


# ------------------------------------------------------------------ the space


def space_of(target: Variable, asked: str | Asked) -> Space:
    """The space that the assumptions of a variable leave.

    >>> from indexcalc.graph.constructors import variable
    >>> space_of(variable("T", (3, 3), ["toeplitz", "lower"]), "").bands
    'toeplitz'
    """
    words = target.assumptions & RESTRICTING
    for word in (word for word in AFFINE if word in words):
        found = f"{target.label} is declared {word}, and {AFFINE[word]}"
        raise DerivativeError(asked, found, 'write structure="free"')
    if "diagonal" in words:
        if words - {"diagonal", "symmetric", "positive_definite", "major"} - MASKED:
            raise _no_rule(target, asked)
        return Space((), diagonal=True)
    group = _group(target, asked)
    masks = tuple(sorted(words & MASKED))
    kind = _bands_of(target, asked)
    if masks and (len(group) > 1 or kind not in ("", "toeplitz")):
        raise _no_rule(target, asked)
    return Space(_identity(target.order) if kind and "skew" not in words else group, False, kind, masks)


def _bands_of(target: Variable, asked: str | Asked) -> str:
    """The kind of bands of a variable, "" where there are none."""
    words = target.assumptions & BANDED
    if words == {"toeplitz", "circulant"}:
        words = frozenset({"circulant"})
    if not words:
        return ""
    rule = symmetry_of(target)
    last = (target.order - 2, target.order - 1)
    signs = {sign for _, sign in rule.blocks}
    if len(words) > 1 or rule.perms or any(axes != last for axes, _ in rule.blocks):
        raise _no_rule(target, asked)
    (word,) = words
    return f"symmetric_{word}" if 1 in signs and word != "hankel" else word


def _no_rule(target: Variable, asked: str | Asked) -> DerivativeError:
    words = sorted(target.assumptions & RESTRICTING)
    why = "together they have no disjoint patterns of entries that are known"
    others = "symmetric" in words or "positive_definite" in words
    instead = "declare it diagonal" if others and MASKED & set(words) and len(words) == 2 else "declare fewer of them"
    found = f"{target.label} is declared {', '.join(words)}, and {why}"
    return DerivativeError(asked, found, f'{instead}, or write structure="free"')


# ------------------------------------------------------------------ groups


def _identity(order: int) -> tuple[SignedPerm, ...]:
    return ((tuple(range(order)), 1),)


def _group(target: Variable, asked: str | Asked) -> tuple[SignedPerm, ...]:
    """All permutations of the axes that the symmetry of a variable generates, each with its sign."""
    found = _generated(symmetry_of(target), target.order)
    if found is None:
        size = f"more than {LARGEST_GROUP} permutations of its axes"
        raise DerivativeError(asked, f"{target.label} is unchanged by {size}", 'write structure="free"')
    return found


@cache
def _generated(rule: Symmetry, order: int) -> tuple[SignedPerm, ...] | None:
    """The closure of the generators; None where it is too large."""
    generators: list[SignedPerm] = [(perm, 1) for perm in rule.perms]
    for axes, sign in rule.blocks:
        for a, b in pairwise(axes):
            swap = list(range(order))
            swap[a], swap[b] = b, a
            generators.append((tuple(swap), sign))
    return closed(order, generators)


def _over_group(node: Node, axes: Sequence[int], group: Sequence[SignedPerm], weights: dict[Labels, Number]) -> Node:
    """`Σ_g sign(g) G[g e]`, times the weights: numbers c_σ for which the factor is Σ_σ c_σ δ_σ(e).

    A set partition σ of the axes is written as the least axis of each axis's part; δ_σ(e) is 1 where all indices of a
    part are equal. What is summed is collected by its labels first, so nothing occurs twice. A short sum is mapped term
    by term, so that its terms meet; a long one as a whole, so that it stays in proportion.
    """
    found: dict[tuple[Labels, Labels], Number] = {}
    for parts, weight in weights.items():
        for perm, sign in group:
            key = tuple(parts[axis] for axis in perm), parts
            found[key] = add(found.get(key, 0), multiply(sign, weight))
    opened: tuple[Term, ...] = (Term(1, node, tuple(range(node.order))),)
    if isinstance(node, Sum) and len(node.terms) * len(found) <= LONGEST_SUM:
        opened = node.terms
    terms: list[tuple[Number, Node, Sequence[int]]] = []
    for (inside, outside), coef in found.items():
        labels, out = list(range(node.order)), list(range(node.order))
        for place, inner, outer in zip(axes, inside, outside, strict=True):
            labels[place], out[place] = axes[inner], axes[outer]
        sizes = {label: node.dims[label] for label in out}
        for term in opened:
            moved = einsum(1, [(term.node, [labels[axis] for axis in term.labels])], out, sizes)
            terms.append((multiply(coef, term.coef), moved, range(node.order)))
    return addition(terms, node.dims)


def _apart(order: int) -> Labels:
    """The partition into single axes."""
    return tuple(range(order))


def _mean(group: Sequence[SignedPerm], order: int) -> dict[Labels, Number]:
    return {_apart(order): Fraction(1, len(group))}


def _weights(group: tuple[SignedPerm, ...], order: int, asked: str | Asked) -> dict[Labels, Number]:
    """`1/|stabiliser of e|` as Σ_σ c_σ δ_σ(e), or an error where there are too many partitions."""
    moved = {axis for perm, _ in group for axis in range(order) if perm[axis] != axis}
    if any(sign < 0 for _, sign in group) and len(group) == factorial(len(moved)):
        return {_apart(order): 1}
    if len(moved) > LARGEST_ORDER:
        found = f"its symmetry moves {len(moved)} axes, and independent entries are known for at most {LARGEST_ORDER}"
        raise DerivativeError(asked, found, 'write structure="projected", or structure="free"')
    return dict(_inverted(group, order))


@cache
def _inverted(group: tuple[SignedPerm, ...], order: int) -> tuple[tuple[Labels, Number], ...]:
    """The numbers c_σ, by Möbius inversion: F(π) = Σ c_σ over the σ that refine π, so c_π is F(π) less those before it.

    F(π) is 1/|stabiliser| where exactly the indices of a part of π are equal. If the stabiliser changes a sign, as that
    of a skew tensor does wherever two indices are equal, the entry is 0 whatever it is divided by, and c_π = 0 serves.

    Source: R. Stanley, Enumerative Combinatorics 1, section 3.7.
    """
    found: dict[Labels, Fraction] = {}
    orbits = [min(perm[axis] for perm, _ in group) for axis in range(order)]
    for parts in sorted(_partitions(orbits), key=lambda parts: -len(set(parts))):
        fixing = [sign for perm, sign in group if all(parts[perm[axis]] == parts[axis] for axis in range(order))]
        before = sum((coef for finer, coef in found.items() if _refines(finer, parts)), Fraction(0))
        value = Fraction(1, len(fixing)) - before
        if value and min(fixing) > 0:
            found[parts] = value
    return tuple(found.items())


def _partitions(orbits: Sequence[int]) -> Iterator[Labels]:
    """The set partitions of axes whose parts lie within orbits."""
    rows: list[Labels] = [()]
    for axis, orbit in enumerate(orbits):
        rows = [
            (*row, head) for row in rows for head in [*sorted({head for head in row if orbits[head] == orbit}), axis]
        ]
    yield from rows


def _refines(finer: Labels, coarser: Labels) -> bool:
    return all(coarser[axis] == coarser[head] for axis, head in enumerate(finer))


# ------------------------------------------------------------------ diagonals, masks, bands


def _on_diagonal(node: Node, axes: Sequence[int]) -> Node:
    """`G[e]` where all indices are equal, else 0."""
    labels = [axes[0] if axis in axes else axis for axis in range(node.order)]
    return einsum(1, [(node, labels)], labels)


def _masked(node: Node, axes: Sequence[int], word: str) -> Node:
    """`G[i,j]` where i >= j ("lower") or i <= j ("upper"), else 0."""
    ends = tuple(axes) if word == "lower" else tuple(axes)[::-1]
    mask = constant("tril", [node.dims[axis] for axis in ends])
    return einsum(1, [(node, range(node.order)), (mask, ends)], range(node.order))


def bands(kind: str, rows: Dimension, columns: Dimension) -> Node:
    """The bands of a matrix: S[d,i,j] is 1 where the entry i, j belongs to band d, else 0.

    The number d of the band is `i - j + columns - 1` (toeplitz), `i + j` (hankel), `(i - j) mod rows` (circulant),
    `|i - j|` (symmetric_toeplitz), and the smaller of `(i - j) mod rows` and `(j - i) mod rows` (symmetric_circulant,
    which leaves the later bands empty).

    >>> from indexcalc.index import dim
    >>> bands("toeplitz", dim("m"), dim("n")).dims
    (m + n - 1, m, n)
    """
    if kind not in BAND_KINDS:
        raise NameRefused(f"bands({kind}, {rows}, {columns})", f"{kind!r} is no kind", did_you_mean(kind, BAND_KINDS))
    count = rows + columns - 1 if kind in ("toeplitz", "hankel") else rows
    return constant("bands", (count, rows, columns), (kind,))


def _over_bands(node: Node, axes: Sequence[int], kind: str, whole: bool) -> Node:
    """`Σ_d S[d,i,j] Σ_kl S[d,k,l] G[k,l]`; if not `whole`, over the number of entries of band d."""
    if not whole and kind == "symmetric_circulant":
        return _over_group(_over_bands(node, axes, "circulant", whole), axes, SWAP, _mean(SWAP, 2))
    rows, columns = (node.dims[axis] for axis in axes)
    pattern = bands(kind, rows, columns)
    inner: list[Any] = list(range(node.order))
    for axis in axes:
        inner[axis] = ("inner", axis)
    factors: list[Any] = [(pattern, ("band", *axes)), (pattern, ("band", *(inner[axis] for axis in axes)))]
    if not whole:
        size = dimension(rows) if kind == "circulant" else einsum(1, [(pattern, ("band", "i", "j"))], ("band",))
        factors.append((size, () if kind == "circulant" else ("band",), -1))
    return einsum(1, [*factors, (node, inner)], range(node.order))
