"""Affine indices: relations against dense deltas, uses against loops, derivatives against JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import indexcalc as ic
from indexcalc.engine.bind.constants import known
from indexcalc.graph.constructors import constant, einsum
from indexcalc.graph.ranges import Relation, affine_delta
from indexcalc.views.array import Array

i, j, s, t, p = ic.indices("i j s t p")
x, k, g, X = ic.tensor("x", "n"), ic.tensor("k", "m"), ic.tensor("g", "q"), ic.tensor("X", "n m")
x9, k3 = ic.tensor("x", 9), ic.tensor("k", 3)
RNG = np.random.default_rng(0)
SPECS = (
    "a,b->c",
    "a,c->b",
    "a,bc->",
    "bc->a",
    "abc->",
    "a,bc->bc",
    "->ab",
    "a->abc",
    "abc,a->ab",
    "bd,a->c",
    "bd,ad->c",
)


# ------------------------------------------------------------------ relations


def related(trial: int) -> tuple[Array, list[Array], list[Any], Any]:
    """A product with an affine delta that is drawn, its tensors, numbers for them, and what it comes out as."""
    rng = np.random.default_rng(trial)
    coefs = tuple(int(c) for c in rng.choice([-3, -2, -1, 1, 2, 3], 3))
    sizes, start = tuple(int(n) for n in rng.integers(1, 7, 3)), int(rng.integers(-6, 6))
    length = {**dict(zip("abc", sizes, strict=True)), "d": 2}
    inputs, out = SPECS[trial % len(SPECS)].split("->")
    parts = [part for part in inputs.split(",") if part]
    tensors = [ic.tensor(f"T_{part}", *(length[x] for x in part)) for part in parts]
    values = [rng.normal(size=[length[x] for x in part]) for part in parts]
    node, axes = affine_delta(Relation(start, coefs, sizes))
    factors = [
        (node, ["abc"[axis] for axis in axes]),
        *((one.node, part) for one, part in zip(tensors, parts, strict=True)),
    ]
    made = einsum(1, factors, out, {x: length[x] for x in "abc"})
    dense = known("affine_delta", sizes, np.dtype(float), (start, *coefs))
    want = np.einsum(f"{','.join(['abc', *parts])}->{out}", dense, *values)
    return Array(made, frozenset().union(*(one.inputs for one in tensors))), tensors, values, want


@pytest.mark.parametrize("trial", range(66))
def test_a_relation_is_its_delta(trial: int) -> None:
    array, tensors, values, want = related(trial)
    named = {one.node.name: value for one, value in zip(tensors, values, strict=True)}
    for one in (array, array.simplify()):
        np.testing.assert_allclose(one.evaluate(**named), want, atol=1e-12)
    if tensors:
        space: dict[str, Any] = {}
        exec(ic.to_source(array, tensors, name="f"), space)
        np.testing.assert_allclose(space["f"](*values), want, atol=1e-12)


@pytest.mark.jax
@pytest.mark.parametrize("trial", range(0, 11, 2))
def test_a_relation_in_jax(trial: int) -> None:
    array, tensors, values, want = related(trial)
    made = ic.compile(array, tensors, backend="jax")(*values) if tensors else array.evaluate()
    np.testing.assert_allclose(np.asarray(made), want, atol=1e-6)


@pytest.mark.torch
@pytest.mark.parametrize("trial", range(11, 33))
def test_a_relation_in_torch(trial: int) -> None:
    torch = pytest.importorskip("torch")
    array, tensors, values, want = related(trial)
    if tensors:
        made = ic.compile(array, tensors, backend="torch")(*map(torch.as_tensor, values))
        np.testing.assert_allclose(made.numpy(), want, atol=1e-12)


@pytest.mark.dask
@pytest.mark.parametrize("trial", [0, 1, 4, 9])
def test_a_relation_in_dask(trial: int) -> None:
    da = pytest.importorskip("dask.array")
    array, tensors, values, want = related(trial)
    made = ic.compile(array, tensors, backend="dask")(*(da.from_array(value, chunks=2) for value in values))
    np.testing.assert_allclose(np.asarray(made), want, atol=1e-12)


def test_a_program_has_no_array_of_a_relation() -> None:
    value = ((k3[j] * x9[t + j]) ** 2).sum(t)
    made = ic.compile([value, value.diff(x9[p]), value.diff(k3[p])], (x9, k3))
    made(np.ones(9), np.ones(3))
    assert "constant" not in str(made.plan)


# ------------------------------------------------------------------ uses


def test_uses_share_their_values() -> None:
    second = x[i + 1] - 2 * x[i] + x[i - 1]
    assert second.shape == (x.shape[0] - 2,)
    assert (str(second), second.note) == ("x[i+1] + x[i-1] - 2*x[i]", "i from 1 to n - 2")
    np.testing.assert_allclose(second.evaluate(x=np.arange(6.0) ** 2), 2 * np.ones(4))
    assert second == x[i + 2] - 2 * x[i + 1] + x[i]
    assert second == (x[2:] - 2 * x[1:-1] + x[:-2])[i]
    assert (ic.exp(x[i + 1]) + x[i]).shape == (x.shape[0] - 1,)
    assert (x[i + 1] * x[i - 1]).evaluate(x=[1, 2, 3, 4]) == 1 * 3 + 2 * 4
    assert ic.tensor("A", "n n")[i, i + 1].evaluate(A=np.arange(9.0).reshape(3, 3)) == 1 + 5


def loop(n: int, m: int, at: Callable[[int, int], int]) -> Any:
    values, kernel = np.arange(1.0, 10.0), np.array([1.0, -2.0, 5.0])
    return [sum(kernel[b] * (values[at(a, b)] if 0 <= at(a, b) < 9 else 0.0) for b in range(m)) for a in range(n)]


USES: dict[str, tuple[Any, Any]] = {
    "correlation": (k3[j] * x9[t + j], loop(7, 3, lambda a, b: a + b)),
    "convolution": (k3[j] * x9[t - j], loop(9, 3, lambda a, b: a - b)[2:]),
    "stride": (k3[j] * x9[2 * ic.range(4, "t") + j], loop(4, 3, lambda a, b: 2 * a + b)),
    "backwards": (k3[j] * x9[8 - 2 * ic.range(3, "t") - j], loop(3, 3, lambda a, b: 8 - 2 * a - b)),
    "dilation": (k3[j] * x9[t + 3 * j], loop(3, 3, lambda a, b: a + 3 * b)),
    "zeros": (k3[j] * x9[ic.range(11, "t", boundary="zero") - j], loop(11, 3, lambda a, b: a - b)),
    "far": (k3[j] * x9[3 * ic.range(4, "t", boundary="zero") + j - 2], loop(4, 3, lambda a, b: 3 * a + b - 2)),
    "periodic": (
        k3[j] * x9[ic.range(9, "t", boundary="periodic") + j - 1], loop(9, 3, lambda a, b: (a + b - 1) % 9),
    ),
    "reflect": (
        k3[j] * x9[ic.range(9, "t", boundary="reflect") + ic.range(3, "j") - 1],
        loop(9, 3, lambda a, b: 8 - abs(8 - abs(a + b - 1))),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", USES)
def test_a_use_is_its_loop(name: str) -> None:
    made, want = USES[name]
    np.testing.assert_allclose(made.evaluate(x=np.arange(1.0, 10.0), k=[1, -2, 5]), want)
    assert made.shape == (len(want),)


def test_largest_entries_of_windows() -> None:
    pooled = ic.max(x9[3 * ic.range(3, "t") + ic.range(3, "j")], j)
    values = np.array([1.0, 5, 2, 7, 3, 4, 6, 8, 9])
    np.testing.assert_allclose(pooled.evaluate(x=values), [5, 7, 9])
    np.testing.assert_allclose(pooled.sum(t).diff(x9[p]).evaluate(x=values), [0, 1, 0, 1, 0, 0, 0, 0, 1])


REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "stride": (lambda: x[2 * i], ic.RangeError, "nothing tells how far i runs"),
    "both": (lambda: k[j] * x[3 * i + j], ic.RangeError, "nothing tells how far i runs"),
    "beyond": (lambda: x9[i + 9], ic.DimensionError, "no value of i makes i.9 an entry of 9"),
    "range": (lambda: x9[ic.range(9, "i") + 1], ic.DimensionError, "i.1 comes to 1 to 9 with i from 0 to 8"),
    "room": (lambda: k3[j] * x9[i + j] * ic.tensor("h", 9)[i], ic.RangeError, "has room for 7"),
    "unknown": (lambda: k[i + 1] - x[i], ic.RangeError, "i runs from 0 to m - 2 and 0 to n - 1"),
    "open": (lambda: x[i - 1].evaluate(x=[1, 2]), ic.RangeError, "i runs from 1"),
    "open array": (lambda: x[i - 1].array(i), ic.RangeError, "i runs from 1"),
    "product": (lambda: i * j, ic.NotationError, "multiplied by integers"),
    "sum": (lambda: i + 0.5, ic.NotationError, "neither an index nor an integer"),
    "around": (lambda: x9[ic.range(30, "i", boundary="periodic") + 1], ic.DimensionError, "more than once around 9"),
    "boundary": (lambda: ic.range(3, boundary="wrap"), ic.KindError, "boundary='wrap'"),
    "two ranges": (lambda: x9[ic.range(3, "i") + ic.range(4, "i")], ic.NotationError, "i is declared in two ways"),
    "entry": (lambda: X[0, i + 1], ic.KindError, "is an index, beside keys that are none"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_defined_is_an_error(name: str) -> None:
    call, kind, words = REFUSED[name]
    with pytest.raises(kind, match=words):
        call()


def test_what_symbols_do_not_fit_is_an_error_when_evaluated() -> None:
    made = k[j] * x[2 * ic.range("q", "t") + j]
    values = {"x": np.arange(9.0), "k": np.ones(3)}
    np.testing.assert_allclose(made.evaluate(**values, q=4), [3, 9, 15, 21])
    with pytest.raises(ic.IndexCalcError):
        made.evaluate(**values, q=5)
    with pytest.raises(ic.IndexCalcError):
        (k[j] * x[t + j]).evaluate(x=[1.0], k=[1.0, 2, 3])


# ------------------------------------------------------------------ text


TEXTS = {
    **{name: made for name, (made, _) in USES.items()},
    "second": x[i + 1] - 2 * x[i] + x[i - 1],
    "plane": X[i + 1, j] - 2 * X[i, j] + X[i - 1, j],
    "valid": k[j] * x[t - j],
    "room": g[t] * x[t + j],
    "within": ic.sin(x[i + 1] - x[i - 1]) + x[i],
    "by x": ((k3[j] * x9[2 * ic.range(4, "t") + j]) ** 2).sum(t).diff(x9[p]),
    "by k": ((k[j] * x[t + j]) ** 2).sum(t).diff(k[p]),
    "slope": (k[j] * x[t + j]).diff(x[p]),
    "pool": ic.max(x9[2 * ic.range(4, "t") + ic.range(3, "j")], j),
    "pool slope": ic.max(x9[2 * ic.range(4, "t") + ic.range(3, "j")], j).sum(t).diff(x9[p]),
    "shifted": (x[i + 1] - x[i - 1]).diff(x[p]),
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_and_latex_read_back(name: str) -> None:
    made = TEXTS[name]
    assert ic.parse(str(made), **made.declarations) == made
    assert ic.parse(made.latex(), **made.declarations) == made


def test_derivatives_are_correlations_and_convolutions() -> None:
    h = ic.tensor("h", "n - m + 1")
    loss = h[t] * (k[j] * x[t + j])
    assert (str(loss.diff(k[j])), str(loss.diff(x[p]))) == ("h[i]*x[i+j]", "k[i]*h[p-i]")
    y = ic.correlate(x, k)
    assert [str(one) for one in ic.vjp(y, [x, k], h)] == ["convolve(h, k)", "correlate(x, h)"]
    assert [str(one) for one in (y, ic.convolve(x, h).simplify())] == ["correlate(x, k)", "convolve(h, x)"]


def test_text_as_people_write_it() -> None:
    read = ic.parse("k[j]*x[t+j]", k="m", x="n")
    assert read == k[j] * x[t + j]
    assert ic.parse(r"\sum_j k_j x_{t+j}", k="m", x="n") == read == ic.parse("k_j x_{t+j}", k="m", x="n")
    assert ic.parse("x[i+1,j] - 2*x[i,j] + x[i-1,j]", x="n m").shape == X[2:].shape
    assert ic.parse("k[j]*x[2*t+j]", k=k3, x=x9, dims={"t": "0:4"}) == USES["stride"][0]
    assert ic.parse("k[j]*x[t-j]", k=k3, x=x9, dims={"t": ":11, zero"}) == USES["zeros"][0]
    with pytest.raises(ic.ParseError, match="nothing tells how far t runs"):
        ic.parse("k[j]*x[2*t+j]", k="m", x="n")


# ------------------------------------------------------------------ convolutions


@pytest.mark.parametrize("width", [1, 3, 4])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_modes_are_those_of_scipy(mode: str, width: int) -> None:
    signal = pytest.importorskip("scipy.signal")
    line, kernel, plane, patch = (
        ic.tensor("x", 6),
        ic.tensor("k", width),
        ic.tensor("x", 5, 6),
        ic.tensor("k", 2, width),
    )
    for x, k in ((line, kernel), (plane, patch)):
        a, b = (RNG.normal(size=one.shape) for one in (x, k))
        for own, other in ((ic.convolve, signal.convolve), (ic.correlate, signal.correlate)):
            np.testing.assert_allclose(own(x, k, mode).evaluate(x=a, k=b), other(a, b, mode), atol=1e-12)


@pytest.mark.parametrize(("boundary", "pad"), [("periodic", "wrap"), ("reflect", "reflect"), ("zero", "constant")])
def test_boundaries_are_those_of_pad(boundary: str, pad: Any) -> None:
    a, b = RNG.normal(size=9), RNG.normal(size=3)
    for fn, numpy in ((ic.convolve, np.convolve), (ic.correlate, np.correlate)):
        want = numpy(np.pad(a, 1, mode=pad), b, "valid")
        np.testing.assert_allclose(fn(x9, k3, "same", boundary=boundary).evaluate(x=a, k=b), want, atol=1e-12)  # type: ignore[operator]


@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), ((2, 1), (1, 3)), (3, 2)])
def test_layers(stride: Any, dilation: Any) -> None:
    images, kernels = ic.tensor("X", 2, 3, 9, 8), ic.tensor("K", 4, 3, 3, 2)
    A, B = RNG.normal(size=(2, 3, 9, 8)), RNG.normal(size=(4, 3, 3, 2))
    made = ic.correlate(images, kernels, axes=(-2, -1), stride=stride, dilation=dilation)
    (r, c), (e, f) = (value if isinstance(value, tuple) else (value, value) for value in (stride, dilation))
    want = np.zeros((2, 4, (8 - 2 * e) // r + 1, (7 - f) // c + 1))
    for a in range(want.shape[2]):
        for b in range(want.shape[3]):
            part = A[:, :, r * a : r * a + 2 * e + 1 : e, c * b : c * b + f + 1 : f]
            want[:, :, a, b] = np.einsum("ncij,ocij->no", part, B)
    np.testing.assert_allclose(made.evaluate(X=A, K=B), want, atol=1e-12)
    G = RNG.normal(size=want.shape)
    seed = ic.tensor("G", *want.shape)
    for wrt, name, at in ((images, "X", A), (kernels, "K", B)):
        slope = ic.vjp(made, wrt, seed)
        step = RNG.normal(size=at.shape)
        moved = {"X": A, "K": B, name: step}
        value = slope.evaluate(**{n: v for n, v in {"X": A, "K": B, "G": G}.items() if n != name})
        np.testing.assert_allclose(np.sum(value * step), np.sum(made.evaluate(**moved) * G), rtol=1e-9)


def test_convolutions_of_expressions() -> None:
    a, b = RNG.normal(size=(2, 9)), RNG.normal(size=3)
    rows = ic.tensor("R", 2, 9)
    made = ic.convolve(rows[i, j], k3[p], axes={j: p})
    np.testing.assert_allclose(made.evaluate(R=a, k=b), [np.convolve(row, b) for row in a])
    np.testing.assert_allclose(ic.correlate(x9[i], k3[j]).evaluate(x=a[0], k=b), np.correlate(a[0], b))


@pytest.mark.parametrize("call", [
    lambda: ic.convolve(x9, k3, "middle"), lambda: ic.convolve(x9, k3, boundary="wrap"), lambda: ic.convolve(x9, 3),
    lambda: ic.correlate(x9, k3, "valid", boundary="reflect"), lambda: ic.convolve(x9, X),
    lambda: ic.convolve(k3, x9, "valid"),
    lambda: ic.convolve(x, k, "same"), lambda: ic.convolve(x, k, stride=2), lambda: ic.convolve(x9, k3, stride=0),
    lambda: ic.convolve(X, k, axes=2), lambda: ic.convolve(X, k, axes=(0, 1)), lambda: ic.convolve(x9[i], k3),
    lambda: ic.convolve(X[i, j], k[p]), lambda: ic.convolve(x9, k3, dilation=(1, 2)),
])  # fmt: skip
def test_what_is_no_convolution_is_an_error(call: Callable[[], Any]) -> None:
    with pytest.raises(ic.IndexCalcError):
        call()


# ------------------------------------------------------------------ derivatives


@pytest.mark.jax
def test_derivatives_to_second_order() -> None:
    jax = pytest.importorskip("jax")
    jnp = jax.numpy
    cases = [(7, 3, 4, 2, 1, 0), (5, 1, 5, -1, 2, 4)]
    for n, m, q, by, each, start in cases:
        a, b = RNG.normal(size=n), RNG.normal(size=m)
        x, k = ic.tensor("x", n), ic.tensor("k", m)
        r = ic.range(q, "t", boundary="zero")
        y = k[j] * ic.sin(x[start + by * r + each * ic.range(m, "j")])
        loss = (y**3).sum(t)
        places = start + by * np.arange(q)[:, None] + each * np.arange(m)
        inside = (places >= 0) & (places < n)

        def plain(x: Any, k: Any, places: Any = places, inside: Any = inside) -> Any:
            return ((jnp.where(inside, jnp.sin(x[places % len(x)]), 0) @ k) ** 3).sum()

        first, second = jax.jit(jax.grad(plain, (0, 1)))(a, b), jax.jit(jax.hessian(plain, (0, 1)))(a, b)
        np.testing.assert_allclose(loss.evaluate(x=a, k=b), plain(a, b), rtol=1e-12)
        for row, one in enumerate((x, k)):
            slope = loss.diff(one[p])
            np.testing.assert_allclose(slope.evaluate(x=a, k=b), first[row], atol=1e-12)
            for column, other in enumerate((x, k)):
                made = slope.diff(other[s]).evaluate(x=a, k=b, order=(p, s))
                np.testing.assert_allclose(made, second[row][column], atol=1e-12)


SIZES = {"n": 9, "m": 3, "b": 2, "c": 3, "h": 6, "w": 5, "o": 4, "e": 3, "f": 2}
LAYER, KERNELS = ic.tensor("Y", "b c h w"), ic.tensor("K", "o c e f")
SYMBOLIC = {
    "second": (x[i + 1] - 2 * x[i] + x[i - 1], (x,)),
    "convolution": (ic.convolve(x, k), (x, k)),
    "by x": (((k[j] * x[t + j]) ** 2).sum(t).diff(x[p]), (x, k)),
    "by k": (((k[j] * x[t + j]) ** 2).sum(t).diff(k[p]), (x, k)),
    "periodic": (x[ic.range("n", "i", boundary="periodic") + 1], (x,)),
    "layer": (ic.correlate(LAYER, KERNELS, axes=(-2, -1)), (LAYER, KERNELS)),
    "layer by images": (ic.grad((ic.correlate(LAYER, KERNELS, axes=(-2, -1)) ** 2).sum(), LAYER), (LAYER, KERNELS)),
}


@pytest.mark.parametrize("name", SYMBOLIC)
def test_source_for_all_sizes(name: str) -> None:
    made, inputs = SYMBOLIC[name]
    space: dict[str, Any] = {}
    exec(ic.to_source(made, inputs, name="f"), space)
    for sizes in (SIZES, {**dict.fromkeys(SIZES, 2), "m": 1, "e": 2, "f": 1, "n": 3}):
        values = [RNG.normal(size=[sizes[str(dim)] for dim in one.node.dims]) for one in inputs]
        named = {one.node.name: value for one, value in zip(inputs, values, strict=True)}
        np.testing.assert_allclose(space["f"](*values), made.evaluate(**named), atol=1e-12)


# ------------------------------------------------------------------ formulas of others

CLAIMS = {
    "g[l-j]*k[j]": "right",
    "g[t]*k[l-t]": "right",
    r"\sum_j g_{l-j} k_j": "right",
    "2*g[l-j]*k[j]": "right but for a factor",
    "g[l+j]*k[j]": "wrong",
    "k[l]": "wrong",
}


@pytest.mark.parametrize("text", CLAIMS)
def test_formulas_are_read_with_the_ranges_of_a_derivative(text: str) -> None:
    """Zeros beside g need not be declared again."""
    g, q = ic.tensor("g", "n - m + 1"), ic.index("l")
    D = (g[t] * (k[j] * x[t + j])).diff(x[q])
    assert ic.check(text, D).verdict == CLAIMS[text]


def test_formulas_of_neighbours_are_read_with_zeros() -> None:
    p, q = ic.range("n", "p", boundary="zero"), ic.index("q")
    D = ((x[p] - x[p - 1]) ** 2).sum(p).diff(x[q])
    assert not ic.check("4*x[q] - 2*x[q-1] - 2*x[q+1]", D)  # at the last entry it is 2*x[q] - 2*x[q-1]
    around = ic.range("n", "p", boundary="periodic")
    D = ((x[around] - x[around - 1]) ** 2).sum(around).diff(x[q])
    assert not ic.check("4*x[q] - 2*x[q-1] - 2*x[q+1]", D)
    X2 = ic.tensor("X", "n n")
    D = (X2[p, q] * x[p - 1]).diff(x[ic.index("s")])
    assert ic.check("X[s+1,q]", D).verdict == "right"


def test_a_formula_whose_range_is_not_told_is_no_wrong_one() -> None:
    g = ic.tensor("g", "n - m + 1")
    D = (g[t] * (k[j] * x[t + j])).diff(k[j])
    for text in ("g[i-j]*x[i]", "x[2*i]*g[i]"):
        with pytest.raises(ic.ParseError, match="declare") as caught:
            ic.check(text, D)
        assert isinstance(caught.value.__cause__, ic.RangeError)
    around = ic.range("n", "i", boundary="zero")
    assert ic.check(x[around] * g[around - ic.range("m", "j", boundary="zero")], D)


def test_a_slice_of_all_entries_is_written_as_what_it_is_of() -> None:
    g = ic.tensor("g", "n - m + 1")
    assert str(k[j] * g[ic.range("n", "l", boundary="zero") - j]) == "k[i]*g[l-i]"
    every = ic.einsum("ij,j->i", Array(constant("selection", (g.shape[0],) * 2, (0, 1))), g)
    assert str(every) == "g"


@pytest.mark.parametrize("part", ["x[::-1]", "x[1:]", "x[1::2]"])
def test_a_slice_within_a_correlation_counts_once(part: str) -> None:
    """Where a selection is folded into an affine delta, its label goes: it counts no further time."""
    points = {"x": RNG.normal(size=9), "k": RNG.normal(size=3), "w": RNG.normal(size=2)}
    cut, w = eval(part, {"x": x9}), ic.tensor("w", 2)
    e = ic.correlate(cut, k3)[:2] @ w
    want = np.correlate(eval(part, {"x": points["x"]}), points["k"], "valid")[:2] @ points["w"]
    for value in (e.evaluate(**points), e.simplify().evaluate(**points), ic.compile(e, (x9, k3, w))(*points.values())):
        np.testing.assert_allclose(value, want)


def test_a_plain_use_takes_what_its_range_says_lies_beside() -> None:
    """So do text and declarations: an array shorter than the range of its index has zeros behind it."""
    short, run = ic.tensor("x", 2), ic.range(3, "i", boundary="zero")
    np.testing.assert_array_equal(short[run].evaluate(x=[1, 2]), [1, 2, 0])
    mirrored = short[ic.range(3, "i", boundary="periodic")]
    np.testing.assert_array_equal(mirrored.evaluate(x=[1, 2]), [1, 2, 1])
    A, v, c, B = ic.tensor("A", "n n"), ic.tensor("v", "n"), ic.scalar("c"), ic.tensor("B", "n+1 n+1")
    bordered = ic.block([[A, v[:, None]], [v[None], c]])
    joined = ic.concatenate([v, ic.tensor("w", "1")])[i]
    for e in (
        bordered[i, j],
        bordered[i, j] * B[i, j],
        ic.concatenate([v, ic.stack([c])])[i],
        joined,
        joined * B[i, j],
    ):
        assert ic.parse(str(e), **e.declarations) == e == ic.parse(e.latex(), **e.declarations)


@pytest.mark.parametrize("target", ["numpy", "torch"])
def test_source_of_a_window_of_one_place(target: str) -> None:
    """Where a relation has one label alone, which no array has, an entry is taken."""
    T, around, space = ic.tensor("T", "n n"), ic.range("n", "j", boundary="periodic"), dict[str, Any]()
    exec(ic.to_source(T[i, around + 1].sum(i, around, where="i>=j"), (T,), target=target), space)
    for n in (1, 2, 4):
        point = RNG.normal(size=(n, n))
        array = point if target == "numpy" else __import__("torch").from_numpy(point)
        np.testing.assert_allclose(float(space["program"](array)), (np.roll(point, -1, 1) * np.tri(n)).sum())


def test_a_convolution_of_which_one_entry_is_taken_or_another_is_made() -> None:
    """A label that a convolution has, and a pick or another affine delta, is no label of ones."""
    x, k, w = ic.tensor("x", "n+4"), ic.tensor("k", 3), ic.tensor("w", 2)
    for e in (ic.roll(ic.correlate(ic.cos(x), ic.cosh(k)), 1), ic.correlate(ic.correlate(x, k), w)):
        for view in (e, ic.derivative(e, x), e * e, e[-1]):
            assert ic.parse(str(view), **view.declarations) == view


@pytest.mark.parametrize("part", [slice(0, 2), slice(1, None), slice(None, None, -1), slice(2, None, -2), slice(1, 2)])
def test_slices_of_convolutions_are_convolutions(part: slice) -> None:
    """A slice of a convolution is one of fewer places: no label that is gone is summed once more."""
    x, k = ic.tensor("x", 10), ic.tensor("k", 3)
    given = {"x": np.arange(10.0) ** 2 % 7, "k": np.array([1.0, -2, 3])}
    for y in (ic.correlate(x, k), ic.convolve(x, k, "same"), ic.correlate(x, k, "full", stride=2, dilation=2)):
        want = y.evaluate(**given)[part]
        made = y[part].simplify()
        assert "eye" not in str(made)
        np.testing.assert_allclose(made.evaluate(**given), want)
        np.testing.assert_allclose(
            ic.grad(y[part] @ y[part], k).evaluate(**given), ic.grad(made @ made, k).evaluate(**given)
        )


def convolutions() -> dict[str, Any]:
    """Convolutions and correlations, and what is derived of them by both arrays."""
    a, b, q, n = ic.tensor("a", 10), ic.tensor("b", 3), ic.tensor("q", "m"), ic.tensor("p", "n")
    X, K = ic.tensor("X", 9, 8), ic.tensor("K", 3, 2)
    images, kernels = ic.tensor("I", 2, 3, 8, 8), ic.tensor("L", 4, 3, 3, 3)
    steps = [{}, {"stride": 2}, {"dilation": 2}, {"stride": 3, "dilation": 2}]
    pairs: list[Any] = [(a, b, {"mode": mode, **step}) for mode in ("full", "same") for step in steps]
    pairs += [(a, b, {"mode": "valid", "stride": 2}), (X, K, {"mode": "full"}), (X, K, {"mode": "same"})]
    pairs += [(X, K, {"stride": (2, 1), "dilation": (1, 3)}), (X, b, {"axes": 0}), (X, b, {"axes": -1, "mode": "same"})]
    pairs += [(n, q, {"mode": "full"}), (n, q, {"mode": "valid"}), (n, b, {"mode": "same"})]
    found = {}
    for number, (x, k, options) in enumerate(pairs):
        for f in (ic.correlate, ic.convolve):
            y = f(x, k, **options)
            by = ic.vjp(y, [x, k], ic.tensor("G", *y.shape))
            found |= {f"{number} {f.__name__} {options} {word}": e for word, e in zip("yxk", (y, *by), strict=True)}
    for options in ({}, {"stride": (2, 1)}, {"mode": "same", "dilation": 2}):
        found[f"layer {options}"] = ic.correlate(images, kernels, axes=(-2, -1), **options)
    found["of three axes"] = -2 * ic.convolve(ic.tensor("T", 5, 6, 9), b, axes=1)
    return found


CONVOLUTIONS = convolutions()


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions_are_written_as_such_and_read_back(name: str) -> None:
    e = CONVOLUTIONS[name]
    assert ic.parse(str(e), **e.declarations) == e == ic.parse(e.latex(), **e.declarations)
    assert "affine" not in str(e) + e.latex()


def unnamed() -> dict[str, Any]:
    """Derivatives of convolutions that are none themselves: Jacobians, Hessians, layers, sums over batches."""
    found: dict[str, Any] = {}
    a, b, r = ic.tensor("a", 14), ic.tensor("b", 3), ic.tensor("r", "m")
    for name, y in {
        "same": ic.correlate(a, b, "same"),
        "full": ic.convolve(a, b),
        "stride": ic.correlate(a, b, stride=2),
        "both": ic.correlate(a, b, "same", stride=2, dilation=3),
        "turned": ic.convolve(a, b, stride=3, dilation=2),
    }.items():
        found |= {f"{name} by {v}": ic.derivative(y, v) for v in (a, b)}
        found[f"{name} twice"] = ic.hessian((y**2).sum(), a)
    found |= {f"symbols by {v}": ic.derivative(ic.correlate(x, r), v) for v in (x, r)}
    images, kernels = ic.tensor("images", 2, 3, 7, 8), ic.tensor("kernels", 4, 3, 2, 3)
    for steps in ((1, 1), (2, 1), (2, 3)):
        layer = ic.correlate(images, kernels, "same", axes=(-2, -1), stride=steps[0], dilation=steps[1])
        cotangent = ic.tensor("G", *layer.shape)
        found |= {f"layer {steps} by {v}": ic.vjp(layer, v, cotangent) for v in (images, kernels)}
        found |= {f"layer {steps} twice by {v}": ic.grad((layer**2).sum(), v) for v in (images, kernels)}
    rows = ic.correlate(ic.tensor("A", "c n"), r, axes=1)
    found["over a batch"] = ic.vjp(rows, r, ic.tensor("G", "c n - m + 1"))
    return found


UNNAMED = unnamed()


@pytest.mark.parametrize("name", UNNAMED)
def test_what_has_no_name_has_affine_indices_that_read_back(name: str) -> None:
    e = UNNAMED[name]
    assert ic.parse(str(e), **e.declarations) == e == ic.parse(e.latex(), **e.declarations)
    assert "affine" not in str(e) + e.latex()


def test_affine_indices_of_arrays() -> None:
    shown = {name: str(UNNAMED[name]) for name in UNNAMED}
    assert shown["symbols by x"] == "r[j-i] -> [i,j]" and shown["symbols by r"] == "x[i+j] -> [i,j]"
    assert UNNAMED["symbols by x"].declarations["dims"] == {"i": "0:-m + n + 1, zero", "j": "0:n", "n": "n"}
    assert shown["over a batch"] == "A[j,k+i]*G[j,k] -> [i]"
    assert shown["both by a"] == "b[k]*eye(14)[3*k+2*i-3,j] -> [i,j]"


def test_derivatives_of_strided_convolutions_are_slices_of_some() -> None:
    a, b, v = ic.tensor("a", 10), ic.tensor("b", 3), ic.tensor("v", 4)
    by = ic.vjp(ic.correlate(a, b, stride=2), [a, b], v)
    assert list(map(str, by)) == [
        "concatenate([convolve(b, v, dilation=2), zeros(1)])",
        'correlate(a, v, mode="full", dilation=2)[6:9]',
    ]
    assert (
        str(ic.parse('correlate(X, b, axes=1, mode="same")', X="9 8", b="3")) == 'correlate(X, b, mode="same", axes=1)'
    )
    with pytest.raises(ic.ParseError, match="mode"):
        ic.parse('correlate(a, b, mode="most")', a="9", b="3")


@pytest.mark.parametrize(
    ("images", "kernels", "axes"),
    [("N c h w", "o c 3 3", [2, 3]), ("c h w", "o c 3 3", [1, 2]), ("N h w", "2 3", [1, 2]), ("N c 9", "o c 3", [2])],
)
def test_a_layer_prints_as_it_is_written(images: str, kernels: str, axes: list[int]) -> None:
    one, other = ic.tensor("images", images), ic.tensor("kernels", kernels)
    for y in (ic.correlate(one, other, axes=axes), ic.convolve(one, other, axes=axes)):
        name = "correlate" if y == ic.correlate(one, other, axes=axes) else "convolve"
        shown = str(y.simplify())
        assert shown.startswith(f"{name}(images, kernels, axes=") and ic.parse(shown, **y.declarations) == y
