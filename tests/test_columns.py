"""Columns and rows: the unit axis belongs to the view; entries and slices; text with `vectors=`; layouts as rows."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from truths import truth

import indexcalc as ic
from indexcalc import Array, DimensionError, IndexCalcError, KindError, NotationError, ParseError
from indexcalc.errors import InputError

jax.config.update("jax_enable_x64", True)

a, b, p = ic.column("a", "n"), ic.column("b", "n"), ic.column("p", "m")
r, q = ic.row("r", "n"), ic.row("q", "m")
w, v = ic.tensor("w", "n"), ic.tensor("v", "n")
X, A, B = ic.tensor("X", "m n"), ic.tensor("A", "n n"), ic.tensor("B", "k m n")
s = ic.scalar("s")

SIZES = [{"n": 3, "m": 4, "k": 2}, {"n": 1, "m": 3, "k": 1}, {"n": 4, "m": 1, "k": 3}]
DIMS = {"a": "n", "b": "n", "p": "m", "r": "n", "q": "m", "w": "n", "v": "n", "X": "mn", "A": "nn", "B": "kmn", "s": ""}


def numbers(sizes: dict[str, int]) -> dict[str, Any]:
    rng = np.random.default_rng(7)
    return {name: rng.uniform(0.2, 0.9, [sizes[x] for x in dims]) for name, dims in DIMS.items()}


def value(e: Any, given: dict[str, Any], sizes: dict[str, int]) -> Any:
    names = {variable.label for variable in e.inputs}
    used = {x for variable in e.inputs for dim in variable.dims for x in str(dim)}
    used |= {x for dim in e.shape for x in getattr(dim, "symbols", ())}
    lengths = {x: sizes[x] for x in used if x in sizes}
    return e.evaluate({name: given[name] for name in names}, **lengths)


def back(e: Any) -> Any:
    return ic.parse(str(e), **e.declarations)


# ------------------------------------------------------------------ what stands how

# an expression, the shape of its view, and its value with columns as (n, 1) and rows as (1, n)
MEANINGS: list[tuple[Array, tuple[object, ...], Callable[..., Any]]] = [
    (a, ("n", 1), lambda a, **_: a),
    (a.T, (1, "n"), lambda a, **_: a.T),
    (a.mT, (1, "n"), lambda a, **_: a.T),
    (r, (1, "n"), lambda r, **_: r),
    (r.T, ("n", 1), lambda r, **_: r.T),
    (X @ a, ("m", 1), lambda a, X, **_: X @ a),
    (a.T @ X.T, (1, "m"), lambda a, X, **_: a.T @ X.T),
    (a.T @ b, (), lambda a, b, **_: (a.T @ b)[0, 0]),
    (r @ a, (), lambda a, r, **_: (r @ a)[0, 0]),
    (a @ p.T, ("n", "m"), lambda a, p, **_: a @ p.T),
    (a @ q, ("n", "m"), lambda a, q, **_: a @ q),
    (a.T @ A @ a, (), lambda a, A, **_: (a.T @ A @ a)[0, 0]),
    (r @ A @ r.T, (), lambda r, A, **_: (r @ A @ r.T)[0, 0]),
    (a.T @ b @ r, (1, "n"), lambda a, b, r, **_: (a.T @ b) @ r),
    (a @ (b.T @ b), ("n", 1), lambda a, b, **_: a @ (b.T @ b)),
    (B @ a, ("k", "m", 1), lambda a, B, **_: B @ a),
    (B @ a + p, ("k", "m", 1), lambda a, B, p, **_: B @ a + p),
    ((B @ a).mT @ p, ("k", 1, 1), lambda a, B, p, **_: (B @ a).swapaxes(1, 2) @ p),
    (A + a.T, ("n", "n"), lambda a, A, **_: A + a.T),
    (A * a, ("n", "n"), lambda a, A, **_: A * a),
    (A / r, ("n", "n"), lambda A, r, **_: A / r),
    (a + 1, ("n", 1), lambda a, **_: a + 1),
    (s * a - b / 2, ("n", 1), lambda a, b, s, **_: s * a - b / 2),
    (a + r.T, ("n", 1), lambda a, r, **_: a + r.T),
    (a**2, ("n", 1), lambda a, **_: a**2),
    (2**a, ("n", 1), lambda a, **_: 2**a),
    (ic.exp(a).T, (1, "n"), lambda a, **_: np.exp(a).T),
    (ic.maximum(r, 0.5), (1, "n"), lambda r, **_: np.maximum(r, 0.5)),
    (ic.where(a > b, a, 0), ("n", 1), lambda a, b, **_: np.where(a > b, a, 0)),
    (ic.softmax(a), ("n", 1), lambda a, **_: np.exp(a) / np.exp(a).sum()),
    (ic.softmax(a, axis=0), ("n", 1), lambda a, **_: np.exp(a) / np.exp(a).sum()),
    (ic.softmax(a, axis=1), ("n", 1), lambda a, **_: a / a),
    (ic.logsumexp(r.T @ r, axis=0), (1, "n"), lambda r, **_: np.log(np.exp(r.T @ r).sum(0))[None]),
    (ic.norm1(a - 0.5, axis=1), ("n", 1), lambda a, **_: np.abs(a - 0.5)),
    (ic.norm2(a), (), lambda a, **_: np.linalg.norm(a)),
    (ic.sum(a), (), lambda a, **_: a.sum()),
    (a.sum(axis=0), (), lambda a, **_: a.sum()),
    (a.sum(axis=1), ("n", 1), lambda a, **_: a),
    (r.sum(axis=-1), (), lambda r, **_: r.sum()),
    (a.mean(), (), lambda a, **_: a.mean()),
    (a.max(axis=0), (), lambda a, **_: a.max()),
    (a.prod(axis=(0, 1)), (), lambda a, **_: a.prod()),
    (a / a.sum(axis=0, keepdims=True), ("n", 1), lambda a, **_: a / a.sum()),
    ((a @ p.T).sum(axis=1), ("n", 1), lambda a, p, **_: (a @ p.T).sum(1, keepdims=True)),
    ((r.T @ q).sum(axis=1), (1, "n"), lambda r, q, **_: (r.T @ q).sum(1)[None]),
    ((B @ a).sum(axis=0), ("m", 1), lambda a, B, **_: (B @ a).sum(0)),
    (ic.einsum("ij,j->i", X, a), ("m", 1), lambda a, X, **_: X @ a),
    (ic.column(w), ("n", 1), lambda w, **_: w[:, None]),
    (ic.row(w), (1, "n"), lambda w, **_: w[None]),
    (ic.column(r), ("n", 1), lambda r, **_: r.T),
    (ic.row(w) @ a, (), lambda a, w, **_: w @ a[:, 0]),
    (X @ w, ("m",), lambda X, w, **_: X @ w),
    (w.T @ v, (), lambda w, v, **_: w @ v),
    (w @ a, (), lambda a, w, **_: w @ a[:, 0]),
]


@pytest.mark.parametrize(("e", "shape", "meaning"), MEANINGS, ids=lambda x: str(x)[:40] if isinstance(x, Array) else "")
def test_columns_and_rows_mean_what_the_textbook_means(e: Any, shape: Any, meaning: Any) -> None:
    assert tuple(str(dim) for dim in e.shape) == tuple(map(str, shape))
    assert e.ndim == len(shape) and e.order == sum(place is not None for place in e.places)
    for sizes in SIZES:
        given = numbers(sizes)
        standing = {**given}
        standing |= {name: given[name][:, None] for name in "abp"} | {name: given[name][None] for name in "rq"}
        wanted = np.asarray(meaning(**standing))
        wanted = wanted.reshape([n for n, place in zip(wanted.shape, e.places, strict=True) if place is not None])
        np.testing.assert_allclose(value(e, given, sizes), wanted, rtol=1e-12)
        np.testing.assert_allclose(value(e, standing if e.vectors != "numpy" else given, sizes), wanted, rtol=1e-12)
    assert back(e) == e and back(e).shape == e.shape


def test_the_unit_axis_belongs_to_the_view() -> None:
    assert a.node is ic.tensor("a", "n").node and a.places == (0, None) and r.places == (None, 0)
    assert a != a.T and a == a.T.T and a != ic.tensor("a", "n") and hash(a.T.T) == hash(a)
    assert a - a == 0 and (a.T @ b) == (b.T @ a) and hash(a.T @ b) == hash(b.T @ a)
    assert {a, a.T, ic.column("a", "n"), ic.row(a)} == {a, a.T}
    assert a[ic.index("i")] == ic.tensor("a", "n")[ic.index("i")]
    for e in (a, r.T, a @ q, r.T + a, w.T, ic.grad(a.T @ b, a)):
        for twin in (pickle.loads(pickle.dumps(e)), copy.copy(e), copy.deepcopy(e)):
            assert twin == e and (twin.places, twin.vectors, twin.turned) == (e.places, e.vectors, e.turned)
    assert (a.vectors, r.vectors, w.vectors, (X @ a).vectors, (r @ A).vectors) == (
        "column", "row", "numpy", "column", "row",
    )  # fmt: skip
    assert (r.T + a).vectors == "column" and (r.T + a).turned == {"r"}
    assert ic.column("c", 3, positive=True).shape == (3, 1)


WRONG: list[tuple[Callable[[], Any], type[IndexCalcError], str]] = [
    (lambda: a + r, KindError, r"a n×1 is a column, r 1×n is a row\n.*\(r\)\.T.*ic\.outer\(a, r\)"),
    (lambda: r * a, KindError, r"r 1×n is a row, a n×1 is a column"),
    (lambda: a - w, KindError, r"w \(n,\) is a plain order-1 tensor\n.*ic\.column\(w\)"),
    (lambda: w * r, KindError, r"ic\.row\(w\)"),
    (lambda: ic.maximum(a, r), KindError, "a column"),
    (
        lambda: w @ v.T,
        NotationError,
        r"\(w\) @ \(v\)\.T: .*\n.*a @ b .*ic\.outer\(a, b\).*ic\.column.*vectors=\"column\"",
    ),
    (lambda: w @ (2 * v.T), NotationError, r"ic\.outer"),
    (lambda: w.T @ v.T, NotationError, r"ic\.outer"),
    (lambda: a @ b, DimensionError, r"\(n, 1\) has 1, .*\(n, 1\) has n"),
    (lambda: s @ a, NotationError, "@ takes no scalars"),
    (lambda: ic.column(A), NotationError, "it has 2 axes, and a column is of order 1"),
    (lambda: ic.column("a", "n m"), DimensionError, "2 dimensions, and a column has one"),
    (lambda: ic.row(w[ic.index("i")]), KindError, "an expression with indices"),
    (lambda: a.sum(axis=2), NotationError, "there is no axis 2 among 2"),
    (lambda: ic.jvp(a.T @ b, a, w), DimensionError, "a direction has the shape of its tensor"),
    (lambda: ic.grad(a, a), IndexCalcError, "a gradient is of a scalar"),
    (lambda: (a.T @ b).substitute({a: r}), KindError, "a is a column, r a row"),
    (lambda: bool(a < b), KindError, "no truth value"),
    (lambda: np.asarray(a), KindError, "evaluate it"),
    (lambda: a.evaluate(a=np.ones((1, 3))), InputError, r"it has 2 axes, shape \(1, 3\)"),
    (lambda: r.evaluate(r=np.ones((3, 1))), InputError, r"it has 2 axes, shape \(3, 1\)"),
]


@pytest.mark.parametrize(("make", "kind", "message"), WRONG, ids=[message[:30] for _, _, message in WRONG])
def test_what_goes_wrong_says_what_to_write(make: Any, kind: Any, message: str) -> None:
    with pytest.raises(kind, match=message):
        make()


def test_plain_transposes_that_mean_something_still_do() -> None:
    assert w == w.T and w.T @ v == w @ v.T.T == w @ v and w.T @ A @ v == w @ A @ v
    assert A @ v == A @ v.T and w * v.T == w * v


# ------------------------------------------------------------------ derivatives


def stands(x: Any, name: str) -> Any:
    return x[:, None] if name in "abp" else x[None] if name in "rq" else x


SCALARS: list[tuple[Array, Array, Callable[..., Any]]] = [
    (a.T @ A @ a, a, lambda a, A, **_: (a.T @ A @ a)[0, 0]),
    (ic.exp(a).T @ A @ b, a, lambda a, A, b, **_: (jnp.exp(a).T @ A @ b)[0, 0]),
    (ic.norm2(X @ a - p) ** 2, a, lambda a, X, p, **_: ((X @ a - p) ** 2).sum()),
    (ic.logsumexp(A * r + b), r, lambda A, r, b, **_: jnp.log(jnp.exp(A * r + b).sum())),
    ((ic.softmax(r) @ A @ r.T) ** 2, r, lambda A, r, **_: (jax.nn.softmax(r) @ A @ r.T)[0, 0] ** 2),
    ((ic.tanh(B @ a) * p).sum(), a, lambda B, a, p, **_: (jnp.tanh(B @ a) * p).sum()),
    ((a[0] * a[-1] + (a[:1] ** 3).sum()), a, lambda a, **_: a[0, 0] * a[-1, 0] + (a[:1] ** 3).sum()),
]


@pytest.mark.parametrize(("L", "x", "f"), SCALARS, ids=lambda e: str(e)[:30] if isinstance(e, Array) else "")
def test_derivatives_of_scalars_by_columns_and_rows(L: Any, x: Any, f: Any) -> None:
    name = x.node.name
    seed = ic.column("t", "n") if name == "a" else ic.row("t", "n")
    gradient, hessian, along = ic.grad(L, x), ic.hessian(L, x), ic.hvp(L, x, seed)
    assert gradient.shape == x.shape == along.shape == ic.derivative(L, x).shape
    assert hessian.shape == (x.node.dims * 2) and (gradient.places, along.places) == (x.places, x.places)
    assert ic.derivative(L, x) == gradient and ic.jvp(L, x, seed).shape == ()
    assert ic.differential(L, [x]) == ic.jvp(L, x, (ic.column if name == "a" else ic.row)(f"d{name}", "n"))
    for e in (gradient, hessian, along, ic.differential(L, [x])):
        assert back(e) == e
    for sizes in SIZES:
        given = numbers(sizes)
        fixed = {key: jnp.asarray(stands(one, key)) for key, one in given.items() if key != name}

        def of(flat: Any, fixed: dict[str, Any] = fixed) -> Any:
            return f(**fixed, **{name: stands(flat, name)})

        n, t = given[name], given["w"]

        def in_jax(of: Any = of, n: Any = n) -> list[Any]:
            return [of(n), jax.grad(of)(n), jax.hessian(of)(n)]

        loss, slope, bend = truth("columns", name, [L, *given.values()], in_jax)
        np.testing.assert_allclose(value(L, given, sizes), loss, rtol=1e-9)
        np.testing.assert_allclose(value(gradient, given, sizes), slope, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(value(hessian, given, sizes), bend, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(value(along, given | {"t": t}, sizes), bend @ t, rtol=1e-9, atol=1e-11)


VALUES: list[tuple[Array, Array, tuple[str, ...], Callable[..., Any]]] = [
    (X @ a, a, ("m", "n"), lambda X, a, **_: X @ a),
    (ic.sin(a).T @ A, a, ("n", "n"), lambda A, a, **_: jnp.sin(a).T @ A),
    (a @ q, a, ("n", "m", "n"), lambda a, q, **_: a @ q),
    (B @ a * p, a, ("k", "m", "n"), lambda B, a, p, **_: (B @ a * p)[:, :, 0]),
    (ic.exp(A * r), r, ("n", "n", "n"), lambda A, r, **_: jnp.exp(A * r)),
    (ic.softmax(r), r, ("n", "n"), lambda r, **_: jax.nn.softmax(r)),
    (A[0, :] * (r @ a), a, ("n", "n"), lambda A, r, a, **_: A[0] * (r @ a)[0, 0]),
    ((a @ a.T)[:, ::-1], a, ("n", "n", "n"), lambda a, **_: (a @ a.T)[:, ::-1]),
]


@pytest.mark.slow
@pytest.mark.parametrize(("Y", "x", "shape", "f"), VALUES, ids=lambda e: str(e)[:30] if isinstance(e, Array) else "")
def test_derivatives_have_no_axes_that_nobody_asked_for(Y: Any, x: Any, shape: Any, f: Any) -> None:
    name = x.node.name
    J = ic.derivative(Y, x)
    second = ic.derivative(Y, x, order=2)
    assert tuple(map(str, J.shape)) == shape and second.shape == (*J.shape, *x.node.dims)
    assert J.of == tuple(range(Y.order)) and J.wrt == (Y.order,)
    assert ic.jvp(Y, x, x).shape == Y.shape and ic.vjp(Y, x, Y).shape == x.shape
    for sizes in SIZES:
        given = numbers(sizes)
        fixed = {key: jnp.asarray(stands(one, key)) for key, one in given.items() if key != name}
        flat = value(Y, given, sizes).shape

        def of(x: Any, fixed: dict[str, Any] = fixed, flat: Any = flat) -> Any:
            return f(**fixed, **{name: stands(x, name)}).reshape(flat)

        n = given[name]
        first = jax.jacobian(of)(n)
        np.testing.assert_allclose(value(J, given, sizes), first, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(value(second, given, sizes), jax.hessian(of)(n), rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(value(ic.jvp(Y, x, x), given, sizes), first @ n, rtol=1e-9, atol=1e-11)
        pulled = np.tensordot(of(n), first, len(flat))
        np.testing.assert_allclose(value(ic.vjp(Y, x, Y), given, sizes), pulled, rtol=1e-9, atol=1e-11)


def test_rewriting_keeps_how_things_stand() -> None:
    e = (a + b).T @ A
    Y = ic.define("Y", e)
    Z = ic.define("Z", A @ a)
    assert Y.shape == (1, "n") and Y.turned == {"Y"} and Y.T.shape == ("n", 1) and Z.turned == set()
    assert back(Y) == Y and back(Y.T) == Y.T and back(Y @ Z) == Y @ Z and back(2 * Z) == 2 * Z
    assert Y.expand_definitions() == e and Y.expand_definitions().places == e.places
    for made in (e.simplify(), e.expand(), e.substitute({A: A.T}), e.substitute({b: X.T @ p})):
        assert made.shape == (1, "n") and made.vectors == "column"
    assert (w @ v).substitute({w: X.T @ p[:, 0]}).vectors == "column"
    assert (a.T @ b).substitute({a: A @ a}) == (A @ a).T @ b
    assert e.equals(a.T @ A + b.T @ A) and not e.equals(e.T)


# ------------------------------------------------------------------ entries

KEYS: list[Any] = [
    0, 1, -1, (0, 1), (-1, -2), (slice(None), 2), (0, slice(None)), slice(1, 3), slice(None, 2), slice(-2, None),
    slice(1, None), slice(None, -1), (slice(None), slice(None, None, -1)), (slice(0, 4, 2), slice(3, 0, -1)), None,
    (slice(None), None), (..., 1), (..., None), (1, ..., None), ..., (slice(-3, -1), -1), (slice(-1, -4, -2), 0),
    slice(-3, None, 2), (0, slice(2, None, -1)), (slice(2, 2), 0),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
@pytest.mark.parametrize("dims", ["n m", "4 5"])
def test_entries_are_those_that_numpy_picks(key: Any, dims: str) -> None:
    M = ic.tensor("M", dims)
    m = np.random.default_rng(3).normal(size=(4, 5))
    made = M[key]
    assert made.ndim == m[key].ndim
    np.testing.assert_array_equal(made.evaluate(M=m, **({"n": 4, "m": 5} if dims == "n m" else {})), m[key])
    jacobian = ic.derivative(made * made, M).evaluate(M=m)
    np.testing.assert_allclose(jacobian, jax.jacobian(lambda x: x[key] ** 2)(m))
    assert back(made) == made


def test_entries_of_columns_and_rows() -> None:
    for e, shape in (
        (a[0], ()), (a[0, 0], ()), (a[-1], ()), (a[1:3], (2, 1)), (a[:, 0], ("n", 1)), (a[::-1], ("n", 1)),
        (r[0, 1], ()), (r[:, 1:], (1, "n - 1")), (r[0], (1, "n")), (a.T[:, :2], (1, 2)), (a[None].sum(), ()),
    ):  # fmt: skip
        assert tuple(map(str, e.shape)) == tuple(map(str, shape)), str(e)
        assert back(e) == e
    n = A.shape[0]
    assert A[:n] == A and A[0:] == A and A[: n - 1].shape == (n - 1, n) and A[n - 1 :] == A[-1:]


ENTRIES: list[tuple[Callable[[], Any], type[IndexCalcError], str]] = [
    (lambda: X[0, ic.index("i")], KindError, r"i is an index.*\n.*X\[0, :\]\[i\]"),
    (lambda: X["i", 0], KindError, "'i' is a str"),
    (lambda: X[1.5], KindError, "a float"),
    (lambda: X[True], KindError, "a bool"),
    (lambda: X[0, 0, 0], NotationError, "3 keys for 2 axes"),
    (lambda: X[..., ...], NotationError, "occurs twice"),
    (lambda: X[::2], NotationError, "depends on the value of m"),
    (lambda: X[::0], NotationError, "the step 0"),
    (lambda: X[5:2], NotationError, "it begins at 5 and ends at 2"),
    (lambda: X["a":], KindError, "a bound 'a'"),  # type: ignore[misc]
    (lambda: ic.tensor("y", 3)[3], NotationError, "they are 0 to 2"),
    (lambda: a[0, 1], NotationError, "the entry 0 alone"),
    (lambda: w[:7].sum().evaluate(w=np.ones(5)), InputError, "axis 0 of w has 5 entries"),
    (lambda: w[7].evaluate(w=np.ones(5)), InputError, "entry 7"),
]


@pytest.mark.parametrize(("make", "kind", "message"), ENTRIES, ids=[message[:30] for _, _, message in ENTRIES])
def test_wrong_keys_say_what_to_write(make: Any, kind: Any, message: str) -> None:
    with pytest.raises(kind, match=message):
        make()


# ------------------------------------------------------------------ text

DECLARED = {"a": "n", "b": "n", "p": "m", "X": "m n", "A": "n n", "s": ""}

TEXTS: list[tuple[str, Array]] = [
    ("a^T A a", a.T @ A @ a),
    ("a' A b", a.T @ A @ b),
    ("aᵀ b", a.T @ b),
    ("a.T @ A @ b", a.T @ A @ b),
    ("a @ p.T", a @ p.T),
    ("a p^T", a @ p.T),
    ("X a - p", X @ a - p),
    ("X.mT p", X.T @ p),
    ("2 a^T b a", 2 * (a.T @ b) * a),
    ("a^T b p^T", (a.T @ b) * p.T),
    ("A + a.T", A + a.T),
    ("sum(X, axis=1)", ic.column(X.sum(axis=1))),
    ("sum(a, axis=0)", a.sum()),
    ("norm2(X a - p)^2 / m", ic.norm2(X @ a - p) ** 2 / ic.parse("m", X="m n")),
    ("ones(n)^T a", a.sum()),
    ("a[1:3]", a[1:3]),
    ("a[0] a", a[0] * a),
    ("A[:, 0]", ic.column(A[:, 0])),
    ("Y = X a; Y^T p", (X @ a).T @ p),
    ("y_i = X[i,j]*a[j]; y^T p", (X @ a).T @ p),
    ("a[j]*X[i,j] -> [i,1]", X @ a),
    ("a[j]*X[i,j] -> [1,i]", (X @ a).T),
    ("diag(A)", ic.column(ic.diag(A))),
    ('einsum("ij,j->i", X, a)', X @ a),
    ("einsum('ij,j->i', X, a)' p + einsum( 'ij,ij->', X, X)", (X @ a).T @ p + (X * X).sum()),
    ("A^-1 a", ic.inv(A) @ a),
]


@pytest.mark.parametrize(("text", "wanted"), TEXTS, ids=[text for text, _ in TEXTS])
def test_text_with_columns(text: str, wanted: Array) -> None:
    made = ic.parse(text, vectors="column", **DECLARED)
    assert made == wanted and made.shape == wanted.shape
    assert back(made) == made


def test_text_with_rows_and_without() -> None:
    rows = ic.parse("a A a^T + b b'", vectors="row", **DECLARED)
    assert rows == ic.row(a) @ A @ a + b.T @ b and rows.vectors == "row" and back(rows) == rows
    assert ic.parse("sum(X, axis=0)", vectors="row", **DECLARED).shape == (1, "n")
    assert ic.parse("a.T @ A @ b", **DECLARED) == ic.parse("a @ A @ b", **DECLARED) == a.T @ A @ b
    assert ic.parse("A a", **DECLARED).shape == ("n",) and ic.parse("ones(n)", **DECLARED).shape == ("n",)
    mixed = ic.parse("a + w", vectors="column", a="n", w=ic.column(w))
    assert mixed.shape == ("n", 1)
    assert ic.parse("A w", vectors="column", A="n n", w=w).shape == ("n",)
    assert ic.parse("r + a^T", vectors="column", r=r, a="n").turned == {"r"}


def test_entries_in_text() -> None:
    for text, wanted in (
        ("X[0,:]", X[0]), ("X[1:3]", X[1:3]), ("X[-1,-2]", X[-1, -2]), ("X[...,0]", X[..., 0]),
        ("X[:,None]", X[:, None]),
        ("X[::-1, :n]", X[::-1]), ("X[1:m-1]", X[1:-1]), ("X[0]", X[0]),
    ):  # fmt: skip
        made = ic.parse(text, X="m n")
        assert made == wanted and back(made) == made
    j = ic.index("j")
    assert ic.parse("X[0,j]*w[j]", X="m n", w="n") == X[0][j] * w[j]


TEXT_ERRORS = [
    ("a @ b.T", {}, 'column 5: .*inner product\n.*vectors="column"'),
    ("a + b^T", {"vectors": "column"}, "column 5: .*a n×1 is a column"),
    ("a b", {"vectors": "column"}, "column 3: .*two readings"),
    ("A^a", {}, "column 1: .*no integer and no dimension"),
    ("X[0,:,j]", {}, "column 1: "),
    ("X[:,j]", {}, r"column 1: the index j beside a slice"),
    ("X[:k]", {}, "column 4: 'k' is not declared"),
    ("X[0:]]", {}, "column 6: "),
    ("einsum(A, A)", {}, "einsum takes a pattern"),
    ('tr(A, order="C")', {}, "tr takes no order="),
    ("a", {"vectors": "tall"}, 'vectors=.tall. is not known\n.*"column"'),
]


@pytest.mark.parametrize(("text", "options", "message"), TEXT_ERRORS, ids=[text for text, _, _ in TEXT_ERRORS])
def test_wrong_text_is_told_where_and_what(text: str, options: dict[str, str], message: str) -> None:
    with pytest.raises(ParseError, match=message):
        ic.parse(text, **options, **DECLARED)  # type: ignore[arg-type]


def test_abstract_functions_of_columns() -> None:
    u, f = ic.function("u", "n -> m"), ic.function("f", "n ->")
    g = ic.function("g", "n ->", gradient="G")
    for x, kind in ((a, "column"), (r, "row"), (w, "numpy")):
        upright = {"column": ("m", 1), "row": (1, "m"), "numpy": ("m",)}[kind]
        assert u(x).shape == upright and f(x).shape == ()
        assert ic.derivative(u(x), x).shape == ("m", "n") == u.derivative((1,), x).shape
        assert ic.grad(f(x), x).shape == x.shape == ic.grad(g(x), x).shape == f.derivative((1,), x).shape
        assert ic.hessian(f(x), x).shape == ("n", "n")
        for e in (u(x), ic.derivative(u(x), x), ic.grad(f(x), x), ic.hessian(f(x), x), ic.grad(g(x), x), f(2 * x)):
            assert back(e) == e
    text = {"u": u, "f": f, "x": "n", "vectors": "column"}
    assert ic.parse("Du(x) x", **text) == u.derivative((1,), ic.column("x", "n")) @ ic.column("x", "n")
    assert ic.parse("Df(x)^T D2f(x) Df(x)", **text).shape == ()


# ------------------------------------------------------------------ layouts


def test_layouts_have_unit_axes_in_their_views_alone() -> None:
    given = numbers(SIZES[0])
    for x, y in ((w, v), (ic.column(w), ic.column(v)), (ic.row(w), ic.row(v))):
        up = (lambda z: z.T) if x.places == (0, None) else lambda z: z
        L = up(x) @ A @ (y if x.ndim == 1 or x.places == (0, None) else y.T)
        D = ic.derivative(L, x)
        made = D.layout("numerator")
        assert made.shape == (1, "n") and made.places == (None, 0) and made.vectors == "column"
        assert made.evaluate({key: given[key] for key in ("w", "A", "v")}).shape == (1, 3)
        assert D.layout("denominator") == made.T and D.layout("denominator").shape == ("n", 1)
        assert D.layout("denominator").evaluate({key: given[key] for key in ("w", "A", "v")}).shape == (3, 1)
        assert D.layout("jax").shape == D.layout("gradient").shape == ("n",)
        for name in ("numerator", "denominator", "mixed", "jax", "gradient", "magnus-neudecker"):
            assert back(D.layout(name)) == D.layout(name)
            assert D.layout(name) == ic.derivative(w @ A @ v, w).layout(name)
        assert D.matrix(rows=(), cols=(0,)) == made
    t = ic.scalar("t")
    single = ic.derivative(t**3, t).layout("numerator")
    assert single.shape == (1, 1) and single.evaluate(t=2).tolist() == [[12.0]] and back(single) == single
    assert (made - made).shape == (1, "n") and (2 * made).evaluate({key: given[key] for key in "wAv"}).shape == (3,)
    for x in (a, ic.row(a), a[:, 0]):
        J = ic.derivative(X @ ic.column(x), a)
        assert J.layout("numerator") == X and J.layout("denominator") == X.T


def test_convolutions_and_powers_of_columns_read_back() -> None:
    """What runs along a column is one, and the exponent of a matrix is no 1×1 matrix."""
    v, w, u, A = ic.column("v", "n"), ic.column("w", "m"), ic.column("u", 5), ic.tensor("A", "n n")
    assert ic.convolve(v, w).shape == (v.shape[0] + w.shape[0] - 1, 1)
    for e in (ic.convolve(v, w), ic.correlate(u, u.T, "same"), ic.matrix_power(A, "b") @ v):
        assert ic.parse(str(e), **e.declarations) == e
