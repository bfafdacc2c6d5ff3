"""What expressions are made from: tensors, constants, named steps, abstract functions, einsum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial, reduce
from operator import mul
from typing import Any, TypeAlias, overload

from indexcalc.errors import Asked, DimensionError, KindError, NameRefused, NotationError, counted
from indexcalc.functions.matrix_series import derivative_name
from indexcalc.functions.table import ELEMENTWISE, MATRICES, REDUCTIONS
from indexcalc.graph import constructors as graph
from indexcalc.graph.constructors import einsum
from indexcalc.index import Dim, Dimension, Index, dim, dims, symbol
from indexcalc.surface import own_name, public
from indexcalc.views.array import Array, standing_array, standing_as
from indexcalc.views.assumptions import assumed
from indexcalc.views.expr import UNIT, Expr, hadamard_exprs, lifted
from indexcalc.views.patterns import opened, read_pattern, split_call
from indexcalc.views.view import PlainNumber, View
from indexcalc.writing.standing import places_of

Extent: TypeAlias = int | str | Dim | list[Any] | tuple[Any, ...]
"""A dimension, or several, as type checkers see them."""
WORDS = {
    "affine_delta",
    "delta", "δ", "epsilon", "ε", "eye", "ones", "zeros", "pi", "unit", "commutation", "duplication", "selection",
    "elimination", "voigt", "one_hot", "arange", "integers", "quantile_weights",
    "sum", "mean", "sqrt", "bands",
    "hadamard", "outer", "normF", "pinv", "tr", "solve", "diag", "diagm", "triu", "tril", "vec", "unvec", "vech",
    "kron", "khatri_rao", "unfold", "cross", "eigh", "svd", "sym", "einsum", "group", "dims", "batch", "vectors",
}  # fmt: skip


def reserved() -> set[str]:
    """The names that mean something: rows of the table, what is made of them, constants, and keywords of `ic.parse`."""
    return WORDS | set(ELEMENTWISE) | set(REDUCTIONS) | set(MATRICES)


def checked_name(name: object, what: str) -> str:
    """The name, if it is an identifier that means nothing yet."""
    name = own_name(name, what, "W")
    if name in reserved() or derivative_name(name) is not None:
        raise NameRefused(
            f"{what}({name!r})", f"{name!r} is the name of a function or constant", f"use another, {name}_ say"
        )
    return name


@public
def tensor(
    name: str,
    *shape: object,
    symmetric: bool | Sequence[Sequence[int]] = False,
    skew: bool | Sequence[Sequence[int]] = False,
    latex: str = "",
    **assumptions: bool,
) -> Array:
    """A named tensor with these dimensions, in matrix notation; index it, `W[i,j]`, for index notation.

    Dimensions are integers, symbols or polynomials: `ic.tensor("W", "n m")`, `ic.tensor("F", 3, 3)`. Assumptions:
    symmetric and skew (all slots, or groups of slots: `skew=[(0, 1), (2, 3)], major=True` is a Riemann tensor's, but
    for the Bianchi identity), diagonal, lower, upper, positive_definite, positive, orthogonal, toeplitz (entries depend
    on i - j), hankel (on i + j), circulant (on i - j, modulo the dimension), stochastic (the last axis sums to 1),
    onehot (a 1 along the last axis, else 0), mask (entries 0 or 1), full_rank, constant, and major (for order 4: the
    pairs of slots swap). What leaves only zero, or nothing, is refused.

    >>> import indexcalc as ic
    >>> ic.tensor("W", "n m").shape
    (n, m)
    """
    checked_name(name, "tensor")
    sizes = dims(*shape)
    asked = Asked(lambda: f"tensor({name!r}, {' '.join(map(str, sizes))!r})")
    words, rule = assumed(asked, sizes, {"symmetric": symmetric, "skew": skew, **assumptions})
    return Array(graph.variable(name, sizes, words, rule, latex))


@public
def scalar(name: str, *, latex: str = "", **assumptions: bool) -> Array:
    """A named scalar: a tensor without axes.

    >>> import indexcalc as ic
    >>> s = ic.scalar("s"); 2*s
    2*s
    """
    return tensor(name, latex=latex, **assumptions)


@public
def column(name: str | Array, *size: object, latex: str = "", **assumptions: bool) -> Array:
    """A named vector that stands as a column, n×1; or the column view of an order-1 Array.

    The unit axis belongs to the view alone: derivatives by a column have one axis for it.

    >>> import indexcalc as ic
    >>> a, b, X = ic.column("a", "n"), ic.column("b", "n"), ic.tensor("X", "m n")
    >>> (X @ a).shape, (a.T @ b).shape, (a @ b.T).shape
    ((m, 1), (), (n, n))
    >>> ic.derivative(X @ a, a).shape
    (m, n)
    """
    return _standing("column", name, size, latex, assumptions)


@public
def row(name: str | Array, *size: object, latex: str = "", **assumptions: bool) -> Array:
    """A named vector that stands as a row, 1×n; or the row view of an order-1 Array.

    >>> import indexcalc as ic
    >>> r, X = ic.row("r", "n"), ic.tensor("X", "n m")
    >>> r.shape, (r @ X).shape, (r @ r.T).shape
    ((1, n), (1, m), ())
    """
    return _standing("row", name, size, latex, assumptions)


def _standing(
    kind: str, name: str | Array, size: tuple[object, ...], latex: str, assumptions: Mapping[str, bool]
) -> Array:
    if isinstance(name, Array) and not size and not latex and not assumptions:
        return standing_as(name, kind)
    asked = Asked(lambda: f"{kind}({', '.join(map(repr, (name, *size)))})")
    if isinstance(name, View):
        raise KindError(
            asked,
            f"{name} is {'an expression with indices' if isinstance(name, Expr) else 'declared already'}",
            f'write ic.{kind}("a", "n") for a new one, ic.{kind}(a) for an order-1 Array',
        )
    made = tensor(name, *size, latex=latex, **assumptions)
    if made.order != 1:
        raise DimensionError(
            asked, f"{counted(made.order, 'dimension')}, and a {kind} has one", f'write ic.{kind}("a", "n")'
        )
    return standing_as(made, kind)


# ------------------------------------------------------------------ constants


def _fresh(names: Sequence[Index], size: object) -> Dimension:
    if size is None:
        size = next((index.span.size for index in names if index.span is not None), None)
    return symbol("?" + min(index.name for index in names)) if size is None else dim(size)


def _only_indices(asked: str | Asked, names: Sequence[object]) -> list[Index]:
    for one in names:
        if not isinstance(one, Index):
            raise KindError(asked, f"{one!r} is a {type(one).__name__}, no index", 'make one: i = ic.index("i")')
    return [one for one in names if isinstance(one, Index)]


@public
def delta(first: Index, second: Index, *, dim: object = None) -> Expr:
    """The Kronecker delta: 1 where the indices are equal, else 0. Its dimension is that of what it meets, or `dim`.

    >>> import indexcalc as ic
    >>> i, j = ic.indices("i j"); x = ic.tensor("x", "n")
    >>> (ic.delta(i, j)*x[j]).simplify()
    x[i]
    """
    one, other = _only_indices(f"delta({first}, {second})", [first, second])
    size = _fresh([one, other], dim)
    if one.span != other.span:
        if one.span is not None and other.span is not None:
            raise NotationError(f"delta({one}, {other})", "their ranges differ", "declare one range for both")
        one, other = (replace(index, span=one.span or other.span) for index in (one, other))
    node = graph.einsum(1, (), [one.name, one.name], {one.name: size})
    if one == other:
        if dim is None:
            size = symbol(f"?{one.name}'")
        if one.batch:
            return Expr(graph.einsum(1, (), [one.name], {one.name: size}), [one])
        return Expr(graph.einsum(1, (), [], {one.name: size}), (), summed=frozenset({one.name}))
    return Expr(node, [one, other])


@public
def epsilon(*names: Index) -> Expr:
    """The Levi-Civita symbol, whose dimension is the number of its indices.

    >>> import indexcalc as ic
    >>> i, j, k, m, n = ic.indices("i j k m n")
    >>> (ic.epsilon(i, j, k)*ic.epsilon(i, m, n)).simplify()
    δ[j,m]*δ[k,n] - δ[j,n]*δ[k,m]
    """
    indices = _only_indices(f"epsilon({', '.join(map(str, names))})", names)
    if len(indices) < 2:
        raise NotationError(
            f"epsilon({', '.join(map(str, names))})", "it has at least 2 indices", "write ic.epsilon(i, j, k)"
        )
    size = len(indices)
    made: Expr = Array(graph.constant("epsilon", [size] * size))[tuple(indices)]
    return made


@overload
def ones(*shape: Index, dim: object = None) -> Expr: ...
@overload
def ones(*shape: Extent, dim: object = None) -> Array: ...
@public
def ones(*shape: object, dim: object = None) -> Any:
    """Ones: with indices an Expr, constant along them; with dimensions an Array.

    >>> import indexcalc as ic
    >>> ic.ones("n", "m").shape
    (n, m)
    """
    if shape and all(isinstance(one, Index) for one in shape):
        return _filled(1, _only_indices("ones", shape), dim)
    sizes = _sizes_alone("ones", shape, dim)
    return Array(einsum(1, (), range(len(sizes)), dict(enumerate(sizes))))


@overload
def zeros(*shape: Index, dim: object = None) -> Expr: ...
@overload
def zeros(*shape: Extent, dim: object = None) -> Array: ...
@public
def zeros(*shape: object, dim: object = None) -> Any:
    """Zeros: with indices an Expr, with dimensions an Array."""
    if shape and all(isinstance(one, Index) for one in shape):
        return _filled(0, _only_indices("zeros", shape), dim)
    return Array(graph.zeros(_sizes_alone("zeros", shape, dim)))


def _sizes_alone(name: str, shape: Sequence[object], size: object) -> tuple[Dimension, ...]:
    """The dimensions of an Array, which has no use for `dim=`: that is for indices."""
    if size is not None:
        asked = Asked(lambda: f"{name}({', '.join(map(str, (*shape, f'dim={size}')))})")
        raise NotationError(
            asked, "dim= is the dimension of indices", f"leave it out, or write ic.{name}(i, dim={size})"
        )
    return dims(*shape)


def _filled(value: int, indices: list[Index], size: object) -> Expr:
    sizes = {index.name: _fresh([index], size) for index in indices}
    return Expr(einsum(value, (), [index.name for index in indices], dict(sizes)), indices)


@public
def eye(size: object) -> Array:
    """The identity matrix of this dimension.

    >>> import indexcalc as ic
    >>> ic.eye("n")
    eye(n)
    """
    found = dims(size)
    if len(found) != 1:
        asked = f"eye({size!r})"
        raise DimensionError(asked, f"{counted(len(found), 'dimension')}, and it has one", 'write ic.eye("n")')
    return Array(graph.delta(found[0]))


@overload
def define(name: str, value: Expr) -> Expr: ...
@overload
def define(name: str, value: Array) -> Array: ...
@public
def define(name: str, value: View) -> Any:
    """A named step: prints as its name, can be differentiated by, and is opened by `.expand_definitions()`.

    >>> import indexcalc as ic
    >>> X, W = ic.tensor("X", "n d"), ic.tensor("W", "d m")
    >>> Y = ic.define("Y", X @ W); Y
    Y
    """
    checked_name(name, "define")
    if isinstance(value, Expr):
        placed = einsum(1, [(value.node, value.names)], [index.name for index in value.free])
        return Expr(graph.definition(name, placed), value.free, value.inputs)
    if isinstance(value, Array):
        node = graph.definition(name, value.node)
        turned = value.turned - {name}
        if value.order == 1 and places_of(node, name, value.vectors, turned) != value.places:
            turned |= {name}
        return Array(node, value.inputs, value.places, value.vectors, turned, value.flipped)
    raise KindError(f"define({name!r}, {value!r})", f"a {type(value).__name__} is no expression", "give an expression")


# ------------------------------------------------------------------ products


@partial(public, name="einsum")
def einsum_array(*args: Any) -> Array:
    """Einsum of Arrays and Exprs (their axes in the order of `.free`), as an Array.

    `ic.einsum("ij,jk->ik", A, B)` has letters, as NumPy; `ic.einsum("batch in, in out -> batch out", X, W)` words; the
    pattern may stand last, as in einops; `ic.einsum(A, [0, 1], B, [1, 2], [0, 2])` has lists of labels, integers or
    indices. `...` stands for the axes that are not named, and broadcasts. A label may repeat within one operand (a
    diagonal) and in the output (`"i->ii"` places on a diagonal).

    >>> import indexcalc as ic
    >>> X, s = ic.tensor("X", "n d"), ic.tensor("s", "n")
    >>> ic.einsum("ni,nj,n->ij", X, X, s).shape
    (d, d)
    >>> ic.einsum(X, s, "batch feature, batch -> feature") == X.T @ s
    True
    """
    asked = Asked(lambda: f"einsum({', '.join(repr(arg) if isinstance(arg, str) else str(arg) for arg in args)})")
    operands, written = split_call(args, asked)
    arrays = [operand.array(*operand.free) if isinstance(operand, Expr) else operand for operand in operands]
    for array in arrays:
        if not isinstance(array, Array):
            raise KindError(asked, f"{array!r} is no expression", "declare it with ic.tensor(...)")
    pattern = read_pattern(written, [array.order for array in arrays], asked, written is args[-1])
    rows, out = opened(pattern, [(array, array.node.dims) for array in arrays], asked)
    seen: dict[Any, tuple[Dimension, Array]] = {}
    for labels, array in zip(rows, arrays, strict=True):
        for label, size in zip(labels, array.node.dims, strict=True):
            first = seen.setdefault(label, (size, array))
            if first[0] != size:
                what = "an axis behind ..." if isinstance(label, tuple) else f"index {label}"
                found = f"{what}: {first[1]} has {first[0]}, {array} has {size}"
                raise DimensionError(asked, found, "check the letters")
    return standing_array(
        einsum(1, [(array.node, row) for array, row in zip(arrays, rows, strict=True)], out), operands
    )


@overload
def hadamard(*args: Array) -> Array: ...
@overload
def hadamard(*args: Expr | PlainNumber) -> Expr: ...
@public
def hadamard(*args: Any) -> Any:
    """The product entry by entry: of Exprs with equal names aligned and kept, of Arrays as `*`.

    >>> import indexcalc as ic
    >>> i = ic.index("i"); x, y = ic.tensor("x", "n"), ic.tensor("y", "n")
    >>> ic.hadamard(x[i], y[i]).free
    (i,)
    """
    if any(isinstance(arg, Expr) for arg in args):
        return hadamard_exprs(*[lifted(arg, UNIT, "hadamard") for arg in args])
    if not any(isinstance(arg, Array) for arg in args):
        asked = Asked(lambda: f"hadamard({', '.join(map(repr, args))})")
        raise KindError(asked, "no expression among the factors", "write ic.hadamard(x[i], y[i])")
    return reduce(mul, args)
