"""Products of vectors and matrices that no single @ writes: Kronecker, Khatri-Rao, outer and cross products."""

from __future__ import annotations

from typing import Any

from indexcalc.errors import DimensionError, KindError, NotationError, counted
from indexcalc.graph.constructors import constant, einsum, regroup
from indexcalc.graph.node import Node
from indexcalc.surface import public
from indexcalc.views.array import Array, array_from, standing_array
from indexcalc.views.functions.arguments import array_of, asked_of, batches_of, flat, matrix_of, vector_of
from indexcalc.writing.standing import ascending


@public
def kron(A: Any, B: Any, *others: Any) -> Array:
    """The Kronecker product: the blocks A_ij B. Of vectors, a vector, and n×1 beside a vector is one.

    >>> import indexcalc as ic
    >>> ic.kron(ic.tensor("A", "m n"), ic.tensor("B", "p q")).shape
    (m*p, n*q)
    """
    asked = asked_of("kron", A, B)
    one, other = array_of("kron", A, asked), array_of("kron", B, asked)
    if min(one.ndim, other.ndim) == 0:
        raise NotationError(
            asked, "kron takes vectors and matrices, and one of these has no axes", "write * for numbers"
        )
    if 1 in (one.ndim, other.ndim):
        one, other = (_as_vector(array) for array in (one, other))
    own = max(min(one.ndim, 2), min(other.ndim, 2))
    result = _kron(one, other, own)
    return kron(result, *others) if others else result


def _as_vector(array: Array) -> Array:
    """The vector that an n×1 or 1×n Array is beside a vector; any other as it is."""
    return array_from(flat(array.node), [array]) if array.order == array.ndim == 2 else array


def _kron(one: Array, other: Array, own: int) -> Array:
    """The Kronecker product along the last axes, `own` of them; a unit axis leaves the other's as it is."""
    nodes = (one.node, other.node)
    groups: list[list[Any]] = [[] for _ in range(own)]
    labels: list[list[Any]] = [[], []]
    front, lead = batches_of("kron", (one, other), [_front(array, own) for array in (one, other)], 0)
    for side, array in enumerate((one, other)):
        labels[side] += front[side]
        for axis in range(own):
            shown = array.ndim - own + axis
            if shown >= 0 and array.places[shown] is not None:
                labels[side].append((side, axis))
                groups[axis].append((side, axis))
    flat = [*lead, *(label for group in groups for label in group)]
    product = einsum(1, list(zip(nodes, labels, strict=True)), flat)
    place = {label: k for k, label in enumerate(flat)}
    outer = [(place[label],) for label in lead] + [tuple(place[x] for x in group) for group in groups if group]
    node = regroup(product, [(k,) for k in range(len(flat))], outer, product.dims)
    if own == 1 or all(groups):
        return standing_array(node, [one, other]) if own == 1 else array_from(node, [one, other])
    return array_from(node, [one, other], ascending([True] * len(lead) + [bool(group) for group in groups]))


def _front(array: Array, own: int) -> Node:
    """What stands for the batches of an array: ones of their dimensions."""
    true = [place for place in array.places[: max(array.ndim - own, 0)] if place is not None]
    return einsum(1, (), range(len(true)), {k: array.node.dims[place] for k, place in enumerate(true)})


@public
def khatri_rao(A: Any, B: Any) -> Array:
    """The Khatri-Rao product: column k is the Kronecker product of columns k of A and B.

    >>> import indexcalc as ic
    >>> ic.khatri_rao(ic.tensor("A", "m k"), ic.tensor("B", "n k")).shape
    (m*n, k)
    """
    nodes = [matrix_of("khatri_rao", X) for X in (A, B)]
    sizes = [node.dims[-1] for node in nodes]
    if sizes[0] != sizes[1]:
        found = f"{A} has {sizes[0]} columns, {B} has {sizes[1]}"
        raise DimensionError(asked_of("khatri_rao", A, B), found, "both have the same number of columns")
    front, lead = batches_of("khatri_rao", (A, B), nodes, 2)
    factors = [(nodes[0], (*front[0], "i", "k")), (nodes[1], (*front[1], "j", "k"))]
    product = einsum(1, factors, (*lead, "i", "j", "k"))
    single = [(label,) for label in range(product.order)]
    i, j, k = range(len(lead), len(lead) + 3)
    return array_from(regroup(product, single, [*single[: len(lead)], (i, j), (k,)], product.dims), [A, B])


@public
def unfold(T: Any, mode: int) -> Array:
    """The unfolding of a tensor: a row for each entry of one axis, the other axes joined as columns, the first fastest.

    `unfold(T, 0)[i, j + m*k]` is `T[i, j, k]`, for m entries along axis 1: the T₍₁₎ of the literature, where the
    factor model `T_ijk = Σ_r A_ir B_jr C_kr` is `unfold(T, 0) = A @ khatri_rao(C, B).T`.

    T. Kolda, B. Bader, Tensor decompositions and applications, SIAM Review 51, 2009.

    >>> import indexcalc as ic
    >>> ic.unfold(ic.tensor("T", "l m n"), 1).shape
    (m, l*n)
    """
    if not isinstance(T, Array):
        raise KindError(asked_of("unfold", T, mode), f"{T!r} is no Array", "write ic.unfold(T, 0) for a tensor T")
    node = T.node
    if node.order < 2 or node.order != T.ndim:
        raise DimensionError(
            asked_of("unfold", T, mode), f"{T} has {counted(T.ndim, 'axis')}", "give a tensor of two axes or more"
        )
    if not -node.order <= mode < node.order:
        found = f"mode {mode} of a tensor of {counted(node.order, 'axis')}"
        found = f"{T} has {counted(T.ndim, 'axis')}"
        raise DimensionError(asked_of("unfold", T, mode), found, "give a tensor of two axes or more")
    mode %= node.order
    others = tuple(axis for axis in reversed(range(node.order)) if axis != mode)
    return array_from(regroup(node, [(axis,) for axis in range(node.order)], [(mode,), others], node.dims), [T])


@public
def outer(a: Any, b: Any) -> Array:
    """The outer product of two vectors: the matrix a_i b_j.

    >>> import indexcalc as ic
    >>> ic.outer(ic.tensor("a", "n"), ic.tensor("b", "m")).shape
    (n, m)
    """
    nodes = [vector_of("outer", x) for x in (a, b)]
    front, lead = batches_of("outer", (a, b), nodes, 1)
    factors = [(nodes[0], (*front[0], "i")), (nodes[1], (*front[1], "j"))]
    return array_from(einsum(1, factors, (*lead, "i", "j")), [a, b])


@public
def cross(a: Any, b: Any) -> Array:
    """The cross product of vectors of dimension 3: ε_ijk a_j b_k.

    >>> import indexcalc as ic
    >>> a, b = ic.tensor("a", 3), ic.tensor("b", 3)
    >>> ic.cross(a, b) == -ic.cross(b, a)
    True
    """
    nodes = [vector_of("cross", x) for x in (a, b)]
    if any(node.dims[-1] != 3 for node in nodes):
        found = f"the vectors have dimensions {nodes[0].dims[-1]} and {nodes[1].dims[-1]}"
        raise DimensionError(asked_of("cross", a, b), found, "the cross product is for dimension 3")
    front, lead = batches_of("cross", (a, b), nodes, 1)
    epsilon = (constant("epsilon", (3, 3, 3)), ("i", "j", "k"))
    factors = [epsilon, (nodes[0], (*front[0], "j")), (nodes[1], (*front[1], "k"))]
    return standing_array(einsum(1, factors, (*lead, "i")), [a, b])
