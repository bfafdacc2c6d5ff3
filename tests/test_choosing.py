"""Entries that integers choose, and entries in order: against NumPy and JAX, however they are computed."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import indexcalc as ic
from indexcalc.engine.program import Contract, Gather, Scatter
from indexcalc.errors import IndexCalcError
from indexcalc.functions.entries.choosing import bracket
from indexcalc.graph.constructors import constant, einsum, variable
from indexcalc.views.array import Array

jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]
rng = np.random.default_rng(0)
b, c, i, k = ic.indices("b c i k")
W, V, G = ic.tensor("W", "n m"), ic.tensor("V", "m d"), ic.tensor("G", "e")
p, q = ic.tensor("p", "e", integer=True), ic.tensor("q", "e", integer=True)
Z, y = ic.tensor("Z", "b c"), ic.tensor("y", "b", integer=True)
x, w = ic.tensor("x", "n"), ic.tensor("w", "n")
T, r = ic.tensor("T", "n m d"), ic.tensor("r", "k", integer=True)
DATA: dict[str, Any] = {
    "W": rng.normal(size=(5, 4)), "V": rng.normal(size=(4, 3)), "G": rng.normal(size=6),
    "p": np.array([1, 4, 1, 0, -1, 3]), "q": np.array([0, 0, 3, 2, 3, -2]), "Z": rng.normal(size=(6, 3)),
    "y": np.array([0, 2, 1, 1, 2, 0]), "x": rng.normal(size=5), "w": rng.normal(size=5),
    "T": rng.normal(size=(5, 4, 3)), "r": np.array([2, 0]),
}  # fmt: skip
SIZES = {"n": 5, "m": 4, "c": 3}


def given(e: Any) -> dict[str, Any]:
    """The numbers of what an expression has, and of the sizes that they do not fix."""
    arrays = {name: DATA[name] for name in e.variables}
    free = {str(s) for size in e.shape for s in getattr(size, "symbols", ())}
    told = {str(s) for tensor in e.variables.values() for size in tensor.shape for s in getattr(size, "symbols", ())}
    return arrays | {name: SIZES[name] for name in free - told}


# ------------------------------------------------------------------ keys, as NumPy has them

KEYS = [
    "W[p]", "T[:, q]", "T[..., r]", "W[p, q]", "T[p, :, r[:1]]", "T[p[:, None], r]",
    "W[[0, 2, 2]]", "W[[0, 1]]", "W[:, [3, 2, 0]]",
    "W[[-1, -2]]", "W[[3]]", "T[p, 0]", "T[0, q]", "T[0, :, r]", "T[:, q, 0]",
    "W[p, None]", "W[None, p]", "T[1:, q]", "T[p, 1:3]",
    "W[[[0, 1], [2, 3]]]", "W[p][r]", "W[p, q, None]", "W[::-1, r]",
    "W[np.array([True, False, True, True, False])]", "W[r[1]]",
    "W[p, q][1:]", "W[[]]", "W[2*r]", "W[p + 0*q]", "x[r]", "x[[4, 0]]", "T[:, None, q]",
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_keys_choose_as_those_of_numpy_and_read_back(key: str) -> None:
    e = eval(key, {"np": np, "W": W, "T": T, "p": p, "q": q, "r": r, "x": x})
    np.testing.assert_allclose(e.evaluate(**given(e)), eval(key, {"np": np, **DATA}))
    assert ic.parse(str(e), **e.declarations) == e
    assert ic.parse(e.latex(), **e.declarations) == e


def test_functions_that_choose() -> None:
    assert ic.take(W, p, axis=0) == W[p]
    assert ic.take(W, (1, 0), axis=-1) == W[:, [1, 0]]
    assert ic.take(W, 2, axis=1) == W[:, 2]
    assert ic.take(x, r) == x[r]
    assert ic.one_hot(p, "n") @ W == W[p]
    along = ic.take_along_axis(Z, y[:, None], 1)
    np.testing.assert_allclose(along.evaluate(**given(along)), np.take_along_axis(DATA["Z"], DATA["y"][:, None], 1))
    order = ic.take_along_axis(W, ic.argsort(W, axis=0), 0)
    assert order.equals(ic.sort(W, axis=0))
    hot = ic.one_hot(p, "n")
    np.testing.assert_array_equal(hot.evaluate(p=DATA["p"], n=5), np.eye(5)[DATA["p"]])
    np.testing.assert_array_equal(ic.one_hot([2, 0], 3).evaluate(), np.eye(3)[[2, 0]])
    assert hot.sum(axis=1) == ic.ones("e")
    assert hot * hot == hot
    np.testing.assert_array_equal(hot.sum(axis=0).evaluate(p=DATA["p"], n=5), np.bincount(DATA["p"] % 5, minlength=5))


def test_lists_that_are_slices_are_slices() -> None:
    assert W[[0, 1, 2]] == W[:3]
    assert W[[4, 2, 0]] == W[4::-2]
    assert W[[-2, -1]] == W[-2:]
    assert W[:, [3]] == W[:, 3:4]
    assert ic.tensor("x", 5)[[3, 4]] == ic.tensor("x", 5)[3:]


S, U = ic.tensor("S", "e f", integer=True), ic.tensor("U", "n e")
EQUAL = [
    (x[ic.argsort(x)], ic.sort(x)), (ic.take_along_axis(W, ic.argsort(W, axis=0), 0), ic.sort(W, axis=0)),
    (ic.grad(x @ ic.sort(x), x), ic.sort(x) + x @ ic.one_hot(ic.argsort(x), "n")),
    (W[p][r], W[p[r]]), (W[p[1:]], W[p][1:]), (W[p[0]], W[p][0]), (W[[5, 3, 0]][1], W[3]), (x[[5, 3, 0]][-1], x[0]),
    (W[[5, 3, 0]][[2, 0, 0]], W[[0, 5, 5]]), (W[[5, 3, 0, 7]][1:3], W[[3, 0]]), (W[S[:, 0]], W[S][:, 0]),
    (x[S[r]], x[S][r]),
    (W[S.T], ic.einsum("efm->fem", W[S])), (W[p] @ V, (W @ V)[p]),
    (ic.one_hot(p, "n").T @ U.T, ic.einsum("ea,eb->ab", ic.one_hot(p, "n"), U.T)),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), EQUAL, ids=str)
def test_one_choice_has_one_form(one: Any, other: Any) -> None:
    assert one == other
    assert str(one.simplify()) == str(other.simplify())


COLUMN = ic.column("a", "n")
STANDING = [
    COLUMN[[0, 2, 2]], COLUMN[p], ic.row("r", "n")[:, p], (W[p] @ ic.column("u", "m")), ic.sort(COLUMN),
    ic.argsort(COLUMN), ic.median(COLUMN), ic.grad(ic.sum(COLUMN[p] ** 2), COLUMN), ic.sort(ic.row("r", "n")),
]  # fmt: skip


@pytest.mark.parametrize("e", STANDING, ids=str)
def test_columns_and_rows(e: Any) -> None:
    assert ic.parse(str(e), **e.declarations) == e
    assert ic.parse(e.latex(), **e.declarations) == e
    assert COLUMN[p].shape[1] == ic.sort(COLUMN).shape[1] == 1
    assert ic.sort(COLUMN).evaluate(a=[3, 1, 2]).ravel().tolist() == [1, 2, 3]


TEXTS = {
    "W[p]": W[p], "W[:,[0,2]]": W[:, [0, 2]], "W[[1,0,0]]": W[[1, 0, 0]], "Z[b,y[b]]": Z[b, y[b]],
    "W[p[i],k]": W[p[i], k],
    "take(W, p, axis=0)": W[p], "take_along_axis(Z, y[:,None], axis=1)": ic.take_along_axis(Z, y[:, None], 1),
    "W[p,0]": W[p, 0], "one_hot(p, n) @ W": W[p], "sum[b](Z[b,y[b]])": Z[b, y[b]].sum(b), "W[p[i],q[i]]": W[p[i], q[i]],
    "W[p[r[i]],k]": W[p[r][i], k],
}  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_texts(text: str) -> None:
    e = TEXTS[text]
    assert ic.parse(text, W=W, Z=Z, p=p, q=q, y=y, r=r) == e
    assert ic.parse(str(e), **e.declarations) == e
    assert ic.parse(e.latex(), **e.declarations) == e


# ------------------------------------------------------------------ derivatives, against JAX

EMBEDDED = (ic.tanh(W[p] @ V) ** 2).sum()
EDGES = (G * W[p, q] ** 3).sum()
LABELS = -ic.take_along_axis(ic.log_softmax(Z, axis=1), y[:, None], 1).sum()
SORTED = (w * ic.sort(x) ** 2).sum()
ROWS = (ic.sort(W, axis=0)[1:] ** 2 * W[1:]).sum() + ic.median(W, axis=0).sum() ** 2
JAX: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "embedded": (EMBEDDED, "W", lambda W, V, p: jnp.sum(jnp.tanh(W[p] @ V) ** 2)),
    "edges": (EDGES, "W", lambda W, G, p, q: jnp.sum(G * W[p, q] ** 3)),
    "labels": (LABELS, "Z", lambda Z, y: -jnp.sum(jax.nn.log_softmax(Z)[jnp.arange(6), y])),
    "sorted": (SORTED, "x", lambda x, w: jnp.sum(w * jnp.sort(x) ** 2)),
    "rows": (ROWS, "W", lambda W: (jnp.sort(W, 0)[1:] ** 2 * W[1:]).sum() + jnp.median(W, axis=0).sum() ** 2),
}


@pytest.mark.jax
@pytest.mark.parametrize("name", JAX)
def test_derivatives_to_second_order(name: str) -> None:
    e, by, f = JAX[name]
    others = {word: jnp.asarray(DATA[word]) for word in e.variables if word != by}
    first = ic.grad(e, by)
    second = ic.hessian(e, by)

    def of(value: Any) -> Any:
        return f(**{by: value}, **others)

    slope, curve = jax.jit(lambda v: (jax.grad(of)(v), jax.hessian(of)(v)))(DATA[by])
    np.testing.assert_allclose(first.evaluate(**given(first)), slope, atol=1e-12)
    np.testing.assert_allclose(second.evaluate(**given(second)), curve, atol=1e-12)
    for d in (e, first, second):
        assert ic.parse(str(d), **d.declarations) == d


EVERYWHERE = {
    "embedded": EMBEDDED, "embedded'": ic.grad(EMBEDDED, W), "embedded''": ic.hessian(EMBEDDED, W),
    "edges'": ic.grad(EDGES, W), "edges''": ic.hessian(EDGES, W), "labels": LABELS, "labels'": ic.grad(LABELS, Z),
    "labels''": ic.hessian(LABELS, Z), "sorted''": ic.hessian(SORTED, x), "rows'": ic.grad(ROWS, W),
    "pairs of brackets": ic.one_hot(p, 5) @ ic.one_hot(p, 5).T,
    "within": W[p][r],
    "part of a bracket": ic.one_hot(y, "c")[:, 1:],
    "scaled integers": p * W[p][:, 0], "counted": ic.one_hot(p, "n").sum(axis=0),
    "sliced": W[1:][r],
    "by order": W[ic.argsort(x)],
}  # fmt: skip


IN_JAX = ("edges'", "labels'")
"""What is run as source in JAX too, which compiles each operation."""
IN_DASK = ("embedded'", "edges'", "labels'", "rows'", "counted", "within")
"""What is run by dask too."""


@pytest.mark.parametrize("name", EVERYWHERE)
def test_backends_and_sources_agree(name: str) -> None:
    e = EVERYWHERE[name]
    numbers = given(e)
    sizes = {word: numbers.pop(word) for word in SIZES if word in numbers}
    names, arrays, want = tuple(numbers), list(numbers.values()), e.evaluate(**numbers, **sizes)
    torches = [torch.as_tensor(array) for array in arrays]
    for backend in ("numpy", "torch", "dask") if name in IN_DASK else ("numpy", "torch"):
        f = ic.compile(e, names, backend=backend, sizes=sizes)
        np.testing.assert_allclose(np.asarray(f(*(torches if backend == "torch" else arrays))), want, atol=1e-12)
    sources = {"numpy": arrays, "torch": torches}
    if name in IN_JAX:
        sources["jax"] = [jnp.asarray(array) for array in arrays]
    for target, own in sources.items():
        space: dict[str, Any] = {}
        source = ic.to_source(e, names, target=target)
        exec(source, space)
        free = {word: size for word, size in sizes.items() if f"*, {word}" in source or f", {word})" in source}
        np.testing.assert_allclose(np.asarray(space["program"](*own, **free)), want, atol=1e-12)


@pytest.mark.jax
def test_jax_compiles_and_says_nan() -> None:
    f = ic.compile([W[p], ic.grad(EDGES, W)], (W, p, G, q), backend="jax")
    values = f(DATA["W"], DATA["p"], DATA["G"], DATA["q"])
    np.testing.assert_allclose(values[0], DATA["W"][DATA["p"]])
    outside = np.asarray(f(DATA["W"], np.array([0, 9, -9, 1, 1, 1]), DATA["G"], DATA["q"])[0])
    assert np.isnan(outside[1:3]).all()
    assert not np.isnan(outside[[0, 3, 4, 5]]).any()


# ------------------------------------------------------------------ programs


def test_no_program_makes_the_bracket() -> None:
    n, d, count = 50_000, 64, 4096
    table, idx, grad = ic.tensor("W", "n d"), ic.tensor("idx", "b", integer=True), ic.tensor("G", "b d")
    f = ic.compile(ic.grad((grad * table[idx]).sum(), table), (grad, idx), sizes={"n": n})
    values, places = rng.normal(size=(count, d)), rng.integers(0, n, count)
    want = np.zeros((n, d))
    np.add.at(want, places, values)
    np.testing.assert_allclose(f(values, places), want)
    assert [type(step) for step in f.plan.program.steps[-1:]] == [Scatter]
    assert ic.preflight(ic.grad((grad * table[idx]).sum(), table), n=n, b=count, d=d).peak_bytes < 1.2 * want.nbytes
    f = ic.compile(table[idx], (table, idx))
    f(want, places)
    assert isinstance(f.plan.program.steps[-1], Gather)


def test_what_one_bracket_has_read_another_adds_up() -> None:
    """Points seen by cameras: of the integers' own axis nothing is kept, though both tell it."""
    seed, values = ic.tensor("H", "e d"), rng.normal(size=(6, 3))
    f = ic.compile(ic.grad((seed * ic.einsum("ead,ea->ed", T[p], W[q])).sum(), W), (seed, T, p, q), sizes={"n": 5})
    want = np.zeros((5, 4))
    np.add.at(want, DATA["q"], np.einsum("ead,ed->ea", DATA["T"][DATA["p"]], values))
    np.testing.assert_allclose(f(values, DATA["T"], DATA["p"], DATA["q"]), want)
    assert [step.shape for step in f.plan.program.steps if isinstance(step, Scatter)] == [(5, 4)]


def random_product(seed: int) -> tuple[Any, dict[str, Any], Any]:
    """A product of tensors and brackets with random labels, its inputs, and its value by one-hot arrays."""
    draw, numbers = random.Random(seed), np.random.default_rng(seed)
    size = {label: draw.choice([1, 2, 3]) for label in "abcdef"}
    factors: list[Any] = []
    arrays: dict[Any, Any] = {}
    dense: list[Any] = []
    for count in range(draw.randint(0, 3)):
        labels = "".join(draw.sample("abcdef", draw.randint(0, 3)))
        tensor = variable(f"T{count}", [size[label] for label in labels])
        arrays[tensor] = numbers.normal(size=tensor.dims)
        factors.append((tensor, labels))
        dense.append((arrays[tensor], labels))
    for count in range(draw.randint(1, 3)):
        labels, place = "".join(draw.sample("abcdef", draw.randint(0, 2))), draw.choice("abcdef")
        tensor = variable(f"a{count}", [size[label] for label in labels], ["integer"])
        arrays[tensor] = numbers.integers(-size[place], size[place], tensor.dims)
        factors.append((bracket(tensor, size[place]), labels + place))
        dense.append((np.eye(size[place])[arrays[tensor]], labels + place))
    if draw.random() < 0.4:
        label = draw.choice("abcdef")
        size["z"] = draw.randint(1, size[label])
        start = draw.randint(0, size[label] - size["z"])
        factors.append((constant("selection", (size["z"], size[label]), (start, 1)), "z" + label))
        dense.append((np.eye(size[label])[start : start + size["z"]], "z" + label))
    have = sorted({label for _, labels in factors for label in labels})
    out = "".join(draw.sample(have, draw.randint(0, min(3, len(have)))))
    wanted = np.einsum(",".join(labels for _, labels in dense) + "->" + out, *(array for array, _ in dense))
    return Array(einsum(1, factors, out), frozenset(arrays)), {v.label: a for v, a in arrays.items()}, wanted


@pytest.mark.parametrize("start", range(0, 60, 20))
def test_random_products_with_brackets(start: int) -> None:
    for seed in range(start, start + 20):
        e, arrays, wanted = random_product(seed)
        np.testing.assert_allclose(e.evaluate(**arrays), wanted, atol=1e-12)
        np.testing.assert_allclose(e.simplify().evaluate(**arrays), wanted, atol=1e-12)
        if seed % 5 == 0:
            for target, make in (("numpy", np.asarray), ("torch", torch.as_tensor)):
                space: dict[str, Any] = {}
                exec(ic.to_source(e, tuple(arrays), target=target), space)
                made = space["program"](*map(make, arrays.values()))
                np.testing.assert_allclose(np.asarray(made), wanted, atol=1e-12)


@pytest.mark.parametrize(("n", "first"), [(5, 0), (50, 1)])
def test_products_are_made_on_the_side_with_fewer_entries(n: int, first: int) -> None:
    table, weights, places = rng.normal(size=(n, 4)), rng.normal(size=(4, 3)), rng.integers(0, n, 20)
    f = ic.compile(W[p] @ V, (W, V, p))
    np.testing.assert_allclose(f(table, weights, places), table[places] @ weights)
    seed = ic.tensor("H", "e d")
    slope = ic.compile(ic.grad((W[p] @ V * seed).sum(), W), (V, p, seed), sizes={"n": n})
    want, given_ = np.zeros((n, 4)), rng.normal(size=(20, 3))
    np.add.at(want, places, given_ @ weights.T)
    np.testing.assert_allclose(slope(weights, places, given_), want)
    steps = [type(step) for step in f.plan.program.steps if isinstance(step, Gather | Contract)]
    assert steps.index(Gather) == 1 - first
    steps = [type(step) for step in slope.plan.program.steps if isinstance(step, Scatter | Contract)]
    assert steps.index(Scatter) == first


def test_the_gradient_of_a_cross_entropy_reads_as_in_books() -> None:
    assert str(ic.grad(LABELS, Z)) == "softmax(Z, axis=1) - one_hot(y, c)"
    assert -ic.log_softmax(Z, axis=1)[b, y[b]].sum(b) == LABELS
    f = ic.compile(LABELS, (Z, y))
    f(DATA["Z"], DATA["y"])
    assert any(isinstance(step, Gather) for step in f.plan.program.steps)


def test_what_is_not_chosen_counts_nowhere() -> None:
    found = ic.grad((1 / x)[r].sum() + ic.log(x)[[2, 0]].sum(), x).evaluate(x=[1.0, 0.0, 2.0], r=[0, 2])
    np.testing.assert_allclose(found, [0, 0, 0.25])


def test_integers_widen_nothing_and_are_numbers_beside() -> None:
    single = DATA["W"].astype(np.float32)
    assert W[p].evaluate(W=single, p=DATA["p"]).dtype == np.float32
    f = ic.compile(p * W[p][:, 0], (W, p))
    assert f(single, DATA["p"]).dtype == np.float32
    np.testing.assert_allclose((2 * p + 0.5).evaluate(p=DATA["p"]), 2 * DATA["p"] + 0.5)


def test_sizes_one_and_none() -> None:
    one = {"W": np.ones((1, 1)), "p": [0], "q": [0], "G": [2.0]}
    np.testing.assert_allclose(ic.grad(EDGES, W).evaluate(**one), [[6.0]])
    none = {"W": np.ones((2, 3)), "p": np.zeros(0, int), "q": np.zeros(0, int), "G": np.zeros(0)}
    np.testing.assert_allclose(ic.grad(EDGES, W).evaluate(**none), np.zeros((2, 3)))
    assert ic.grad(w @ ic.sort(x), x).evaluate(x=[1.0], w=[2.0]).tolist() == [2.0]
    assert ic.median(x).evaluate(x=[1.0]) == 1.0


# ------------------------------------------------------------------ in order


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), (1,)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_median_and_quantile_are_those_of_numpy(axis: Any, keepdims: bool) -> None:
    for e, f in (
        (ic.median(T, axis=axis, keepdims=keepdims), np.median),
        (ic.quantile(T, 0.3, axis=axis, keepdims=keepdims), lambda a, **named: np.quantile(a, 0.3, **named)),
    ):
        np.testing.assert_allclose(e.evaluate(T=DATA["T"]), f(DATA["T"], axis=axis, keepdims=keepdims))
        assert ic.parse(str(e), **e.declarations) == e


def test_sort_along_indices_and_axes() -> None:
    np.testing.assert_allclose(ic.sort(T).evaluate(T=DATA["T"]), np.sort(DATA["T"]))
    np.testing.assert_allclose(ic.argsort(T, axis=1).evaluate(T=DATA["T"]), np.argsort(DATA["T"], axis=1))
    assert ic.sort(W[i, k], k).array(i, k) == ic.sort(W, axis=1)
    assert ic.median(W[i, k], i).array(k) == ic.median(W, axis=0)


def test_ties_are_those_of_a_stable_sort() -> None:
    tied = np.array([2.0, 1.0, 2.0, 1.0, 2.0])
    order = np.argsort(tied, kind="stable")
    want = np.zeros(5)
    want[order] = DATA["w"]
    for backend in ("numpy", "torch"):
        f = ic.compile(ic.grad(w @ ic.sort(x), x), (w, x), backend=backend)
        np.testing.assert_allclose(np.asarray(f(DATA["w"], tied)), want)


# ------------------------------------------------------------------ judges


def test_judges_meet_each_order() -> None:
    t = ic.tensor("t", 4)
    assert ic.max(x).equals(ic.sort(x)[-1])
    assert not ic.max(x).equals(ic.sort(x)[0])
    assert not ic.median(t).equals(ic.sort(t)[1])
    assert ic.median(t).equals((ic.sort(t)[1] + ic.sort(t)[2]) / 2)
    assert (ic.sort(x) ** 2).sum().equals(x @ x)
    assert (W[p] @ V).equals((W @ V)[p])
    last = ic.where(ic.sort(t)[3] > t[0], 0, 1)  # only where the first entry is the largest
    assert not last.equals(0 * last)


def test_checks_and_explanations() -> None:
    D = ic.grad((W[p] * ic.tensor("H", "e m")).sum(), W)
    assert ic.check("one_hot(p, n).T @ H", D).verdict == "right"
    assert "y = [1]" in str(ic.check("softmax(Z, axis=1) + one_hot(y, c)", ic.grad(LABELS, Z)))
    assert ic.check("w", ic.grad(w @ ic.sort(x), x)).verdict == "wrong"
    assert str(ic.explain(w @ ic.sort(x), x)).count("\n") < 8
    assert ic.verify(ic.grad((ic.sort(W, axis=0) ** 3).sum() + (W[p] ** 3).sum(), W))


# ------------------------------------------------------------------ what is refused

REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "no integers": (lambda: W[[1.5]], "its dtype is float64"),
    "a tensor of numbers": (lambda: W[x], "x is not known to have integers alone"),
    "a fraction": (lambda: W[p / 2], "not known to have integers alone"),
    "a condition": (lambda: x[x > 0], "ic.where(c, x, 0)"),
    "an entry that is not there": (lambda: ic.tensor("U", 5)[[7]], "entry 7 of an axis of dimension 5"),
    "too many": (lambda: W[:, :, p], "3 keys for 2 axes"),
    "no axis": (lambda: ic.take(W, p), "no axis is named"),
    "axes that do not go together": (lambda: W[p, r], "e and k along one axis"),
    "a name beside an array": (lambda: Z[b, y], "y beside indices"),
    "a summed index": (lambda: ic.tensor("U", "n n k")[i, i, ic.tensor("s", "n", integer=True)[i]], "i is summed"),
    "by integers": (lambda: ic.grad(W[p].sum(), p), "p is declared integer"),
    "one-hot of names": (lambda: ic.one_hot(y[b], 3), "ic.one_hot(y, n)[b,c]"),
    "outside": (lambda: W[p].evaluate(W=np.eye(3), p=[0, 3]), "p[1] is 3, which is no entry of an axis of dimension 3"),
    "outside, below": (lambda: ic.grad(W[p].sum(), W).evaluate(p=[-4], n=3, m=1), "p[0] is -4"),
    "no whole number": (lambda: W[p].evaluate(W=np.eye(3), p=[0.5]), "an entry is no whole number"),
    "two axes": (lambda: ic.sort(W, axis=(0, 1)), "runs along exactly 1 axis"),
    "a share": (lambda: ic.quantile(x, 2), "give a number from 0 to 1"),
    "a mask": (lambda: ic.tensor("U", 3)[np.array([True, False])], "a mask of shape (2,)"),
    "a name that is taken": (lambda: ic.tensor("argsort", "n"), "is the name of a function"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_says_why(what: str) -> None:
    call, found = REFUSED[what]
    with pytest.raises(IndexCalcError) as caught:
        call()
    assert found in str(caught.value)


def test_entries_that_integers_choose_print_as_they_are_written() -> None:
    S, g = ic.tensor("S", "n n"), ic.tensor("g", "b")
    r, q = ic.tensor("r", "b", integer=True), ic.tensor("q", "b e", integer=True)
    c, j, e, s = *ic.indices("c j e"), ic.scalar("s")
    shown = {
        "S[r[b],j]": S[r[b], j], "S[r[b],r[c]]": S[r[b], r[c]], "S[q[b,e],j]": S[q[b, e], j],
        "S[j,r[i]]*g[i]": g[b] * S[j, r[b]], "sum[i](exp(s*S[r[i],r[i]]))": ic.exp(s * S[r[b], r[b]]).sum(b),
        "one_hot(r, n)[b,i]*S[y[i],j]": S[ic.tensor("y", "n", integer=True)][r[b], j],
        "S[r[i],r[i]]*exp(s*S[r[i],r[i]])": ic.exp(s * S[r[b], r[b]]).sum(b).diff(s),
    }  # fmt: skip
    for text, made in shown.items():
        assert str(made) == text
        assert ic.parse(text, **made.declarations) == made == ic.parse(made.latex(), **made.declarations)


@pytest.mark.parametrize("key", [[0, -1, 0], [-2, 1, -2], [2, 0], [0, -1]])
def test_lists_of_integers_that_count_from_the_end_read_back(key: list[int]) -> None:
    A1, v = ic.tensor("A1", "3 m"), ic.tensor("v", "m")
    assert A1[[-1, 0]] == A1[[2, 0]] == A1[::-2]
    for e in (A1[key], A1[:, key], v[key], A1[key] @ v):
        assert ic.parse(str(e), **e.declarations) == e == ic.parse(e.latex(), **e.declarations)


def test_source_says_which_integer_is_outside() -> None:
    space: dict[str, Any] = {}
    exec(ic.to_source(W[p], (W, p)), space)
    with pytest.raises(IndexError, match=r"p\[1\] is 7, which is no entry of an axis of dimension 3"):
        space["program"](np.eye(3), np.array([0, 7]))
