"""Slices: parts of arrays on every backend, in memory of their own size, with their derivatives."""

from __future__ import annotations

import pickle
import random
import tracemalloc
from typing import Any

import dask.array as da
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import indexcalc as ic
from indexcalc.graph.constructors import constant
from indexcalc.graph.fingerprint import fingerprint
from indexcalc.graph.node import topological
from indexcalc.graph.ranges import Range, met
from indexcalc.graph.walk import resize
from indexcalc.index import dim

jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]
RNG = np.random.default_rng(0)
x, v, A, B = ic.tensor("x", "n"), ic.tensor("v", "n"), ic.tensor("A", "n m"), ic.tensor("B", "m n")
W = ic.tensor("W", "3*h d")
n, h, k = dim("n"), dim("h"), dim("k")


def variation(z: Any) -> Any:
    """The total variation, smoothed: of an Array or of an array."""
    return (((z[1:] - z[:-1]) ** 2 + 0.1) ** 0.5).sum()


# ------------------------------------------------------------------ ranges


def a_range(rng: random.Random, length: int) -> Range:
    """Any range of an axis."""
    while True:
        made = Range(rng.randrange(length), rng.choice([1, 1, 2, 3, -1, -2, -5]), rng.randrange(length + 1), length)
        if made.fits:
            return made


def entries(found: Range) -> list[int]:
    """The entries of a range of integers."""
    return [found.start + found.step * k for k in range(found.size)]  # type: ignore[operator,arg-type,misc]


def test_what_ranges_share_is_what_they_share() -> None:
    rng = random.Random(1)
    for _ in range(500):
        length = rng.randrange(1, 12)
        one, other = a_range(rng, length), a_range(rng, length)
        shared = [place for place in entries(one) if place in entries(other)]
        found = met(one, other)
        assert found is not None
        for own, part in zip((one, other), found, strict=True):
            assert [entries(own)[k] for k in entries(part)] == shared


def test_a_range_of_a_range_is_a_range() -> None:
    rng = random.Random(2)
    for _ in range(200):
        outer = a_range(rng, 11)
        if outer.size:
            inner = a_range(rng, outer.size)  # type: ignore[arg-type]
            assert entries(inner.within(outer)) == [entries(outer)[k] for k in entries(inner)]


@pytest.mark.parametrize(
    ("one", "other", "size"),
    [
        (Range(1, 1, n - 1, n), Range(0, 1, n - 1, n), n - 2),
        (Range(n - 1, -1, n, n), Range(0, 1, n - 1, n), n - 1),
        (Range(0, 1, 3, n), Range(1, 1, n - 1, n), 2),
        (Range(n - 3, 1, 3, n), Range(n - 1, 1, 1, n), 1),
        (Range(0, 1, 1, n), Range(1, 1, n - 1, n), 0),
        (Range(0, 1, 3, n), Range(n - 3, 1, 3, n), None),
        (Range(0, 2, 3, n), Range(n - 3, 1, 3, n), None),
        (Range(0, 1, k, n), Range(0, 1, dim("l"), n), None),
        (Range(0, 1, k, n), Range(k, 1, n - k, n), 0),
        (Range(k, 1, n - k, n), Range(k, 1, n - k, n), n - k),
        (Range(k, 1, n - k, n), Range(n - 1, -1, n - k - 1, n), n - k - 1),
        (Range(h, 1, h, 3 * h), Range(2 * h - 1, -1, 2 * h, 3 * h), h),
        (Range(k, 2, 5, n), Range(k + 1, 3, 5, n), 1),
        (Range(0, 2, h, 2 * h), Range(1, 2, h, 2 * h), 0),
    ],
)
def test_what_ranges_of_a_symbol_share_is_known_where_it_is(one: Range, other: Range, size: Any) -> None:
    found = met(one, other)
    assert (None if found is None else found[0].size) == size


# ------------------------------------------------------------------ numbers

DATA: dict[str, Any] = {"x": RNG.normal(size=9), "v": RNG.normal(size=9), "A": RNG.normal(size=(9, 8)),
        "B": RNG.normal(size=(8, 9)), "W": RNG.normal(size=(6, 3))}  # fmt: skip
PROGRAMS: dict[str, Any] = {
    "x[1:]": x[1:],
    "x[::-1]": x[::-1],
    "x[-3:]*x[:3]": x[-3:] * x[:3],
    "x[-1]": x[-1],
    "A[0] + A[-1]": A[0] + A[-1],
    "A[1:, ::-1]": A[1:, ::-1],
    "A[5:0:-2, 1:7:3]": A[5:0:-2, 1:7:3],
    "(A @ B)[1:, 2:5]": (A @ B)[1:, 2:5],
    "A[:, 1:] @ B[:-1]": A[:, 1:] @ B[:-1],
    "(A @ B)[::-1, ::-1] + np.outer(x, v)": (A @ B)[::-1, ::-1] + ic.outer(x, v),
    "np.diag(A[1:, 1:].T @ B.T[1:, :-1])": ic.diag(A[1:, 1:].T @ B.T[1:, :-1]),
    "W[h:2*h] - 2*W[2*h:]": W[h : 2 * h] - 2 * W[2 * h :],
    "W[::3] @ W[h][:, None]": W[::3] @ W[h][:, None],
    "np.cumsum(x[:3])[::-1]": ic.tril(ic.ones(3, 3)) @ x[:3] @ ic.eye(3)[::-1],
}
DERIVATIVES: dict[str, Any] = {
    "variation": ic.grad(variation(x), x),
    "along v": ic.hvp(variation(x), x, v),
    "Hessian": ic.hessian(variation(x), x),
    "two axes": ic.grad((A[1:, ::-1] ** 2 * A[:-1, :]).sum(), A),
    "steps": ic.grad((x[5:0:-2] ** 3).sum() + x[2] ** 3, x),
    "Jacobian": ic.derivative(x[1:] * x[:-1], x),
    "a selection alone": ic.derivative(x[::-1], x),
    "packed": ic.grad(((W[:h] @ W[h : 2 * h].T) ** 2 @ W[2 * h :]).sum(), W),
}


def numbers_of(e: Any) -> tuple[list[Any], list[Any]]:
    """The inputs that an expression needs, and their arrays."""
    labels = {tensor.label for tensor in e.inputs}
    inputs = [tensor for tensor in (x, v, A, B, W) if str(tensor) in labels]
    return inputs, [DATA[str(tensor)] for tensor in inputs]


def from_source(e: Any, inputs: Any, arrays: Any, target: str) -> Any:
    """The value from the source for arrays of any sizes."""
    text, space = ic.to_source(e, inputs, target=target), dict[str, Any]()
    assert "selection(" not in text.rpartition('"""')[2]
    exec(text, space)
    made = {"numpy": np.asarray, "jax": jnp.asarray, "torch": torch.as_tensor}[target]
    return np.asarray(space["program"](*map(made, arrays)))


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_slice_is_numpys(name: str) -> None:
    e = PROGRAMS[name]
    inputs, arrays = numbers_of(e)
    expected = eval(name, {"np": np, "h": 2, **DATA})
    named = {str(tensor): array for tensor, array in zip(inputs, arrays, strict=True)}
    for value in (e.evaluate(**named), ic.compile(e, inputs)(*arrays), ic.compile(e, inputs, order="C")(*arrays)):
        assert value.shape == np.shape(expected)
        np.testing.assert_allclose(value, expected, atol=1e-14)
        assert all(value is not array and not np.shares_memory(value, array) for array in arrays)


@pytest.mark.parametrize("name", [*PROGRAMS, *DERIVATIVES])
def test_every_backend_takes_the_same_parts(name: str) -> None:
    e = {**PROGRAMS, **DERIVATIVES}[name]
    inputs, arrays = numbers_of(e)
    if not inputs:
        inputs, arrays = [x], [DATA["x"]]
    expected = ic.compile(e, inputs)(*arrays)
    for target in ("numpy", "torch"):
        np.testing.assert_allclose(from_source(e, inputs, arrays, target), expected, atol=1e-12)
    cut = [da.from_array(array, chunks=4) for array in arrays]
    np.testing.assert_allclose(np.asarray(ic.compile(e, inputs, backend="dask")(*cut)), expected, atol=1e-12)


@pytest.mark.jax
@pytest.mark.parametrize("name", ["A[5:0:-2, 1:7:3]", "(A @ B)[1:, 2:5]", "along v", "Hessian", "two axes", "steps"])
def test_jax_takes_the_same_parts(name: str) -> None:
    e = {**PROGRAMS, **DERIVATIVES}[name]
    inputs, arrays = numbers_of(e)
    expected = ic.compile(e, inputs)(*arrays)
    np.testing.assert_allclose(from_source(e, inputs, arrays, "jax"), expected, atol=1e-12)


@pytest.mark.jax
def test_derivatives_of_slices_are_those_of_jax() -> None:
    own = {"x": DATA["x"], "A": DATA["A"]}

    def loss(z: Any, M: Any, sin: Any) -> Any:
        inner = (M[1:, 7:0:-2] * M[:-1, 0:8:2]) @ M[3, 1:5]
        return variation(z[::-1]) + (sin(z[2:]) * inner[1:]).sum() * z[-1] + z[0] * M[-1, 0]

    e = loss(x, A, ic.sin)
    slopes = jax.grad(lambda *z: loss(*z, jnp.sin), (0, 1))(own["x"], own["A"])
    curves = jax.hessian(lambda *z: loss(*z, jnp.sin), (0, 1))(own["x"], own["A"])
    for k, one in enumerate((x, A)):
        np.testing.assert_allclose(ic.grad(e, one).evaluate(**own), slopes[k], atol=1e-12)
        for m, other in enumerate((x, A)):
            made = ic.derivative(ic.grad(e, one), other).evaluate(**own)
            np.testing.assert_allclose(made, curves[k][m], atol=1e-12)


def slice_of(rng: random.Random, length: int) -> slice:
    """A slice that takes something."""
    while True:
        places = (None, *range(-length, length))
        made = slice(rng.choice(places), rng.choice(places), rng.choice([1, 1, 1, -1, 2, -3]))
        if range(length)[made]:
            return made


def program(rng: random.Random, depth: int) -> tuple[str, tuple[int, int]]:
    """The text of a matrix made of P, of 5 rows and 4 columns, and its shape."""
    kind = rng.choice(["P", "slice", "slice", "@", "*", "-", "sin", "T"]) if depth else "P"
    if kind == "P":
        return "P", (5, 4)
    one, shape = program(rng, depth - 1)
    if kind == "T":
        return f"({one}).T", (shape[1], shape[0])
    if kind == "sin":
        return f"sin({one})", shape
    if kind == "slice":
        parts = [slice_of(rng, size) for size in shape]
        shown = ", ".join(f"{s.start}:{s.stop}:{s.step}".replace("None", "") for s in parts)
        rows, columns = (len(range(size)[part]) for size, part in zip(shape, parts, strict=True))
        return f"({one})[{shown}]", (rows, columns)
    other, second = program(rng, depth - 1)
    if kind == "@":
        inner = min(shape[1], second[0])
        return f"({one})[:, :{inner}] @ ({other})[:{inner}]", (shape[0], second[1])
    rows, columns = min(shape[0], second[0]), min(shape[1], second[1])
    return f"({one})[:{rows}, :{columns}] {kind} ({other})[:{rows}, :{columns}]", (rows, columns)


@pytest.mark.parametrize("seed", range(12))
def test_random_programs_of_slices_have_numpys_values_and_slopes(seed: int) -> None:
    rng, P, at = random.Random(seed), ic.tensor("P", "5 4"), RNG.normal(size=(5, 4))
    text, shape = program(rng, 3)
    e, along = eval(text, {"P": P, "sin": ic.sin}), RNG.normal(size=(5, 4))
    found = ic.compile([e, ic.grad((e * e).sum(), P)], P)(at)
    assert found[0].shape == shape
    np.testing.assert_allclose(found[0], eval(text, {"P": at, "sin": np.sin}), atol=1e-12)
    beside = [eval(text, {"P": at + s * 1e-6 * along, "sin": np.sin}) for s in (1, -1)]
    slope = ((beside[0] ** 2).sum() - (beside[1] ** 2).sum()) / 2e-6
    np.testing.assert_allclose((found[1] * along).sum(), slope, rtol=1e-6, atol=1e-6)


# ------------------------------------------------------------------ memory

LONG = 100_000
LINEAR: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "x[1:]": (x[1:], (x,)),
    "value": (variation(x), (x,)),
    "gradient": (ic.grad(variation(x), x), (x,)),
    "along a direction": (ic.hvp(variation(x), x, v), (x, v)),
    "times a vector": (ic.hessian(variation(x), x) @ v, (x, v)),
    "backwards": (ic.grad((x[::-1] * x[:, None][:, 0] ** 2).sum(), x), (x,)),
    "an entry": (ic.grad(x[2] * x[-1] ** 2, x), (x,)),
}


@pytest.mark.parametrize("name", LINEAR)
def test_the_memory_of_slices_is_that_of_what_they_take(name: str) -> None:
    e, inputs = LINEAR[name]
    assert ic.preflight(e, n=LONG).peak_bytes < 8 * 8 * LONG
    f, arrays = ic.compile(e, inputs), [RNG.normal(size=LONG) for _ in inputs]
    f(*arrays)
    tracemalloc.start()
    try:
        f(*arrays)
        assert tracemalloc.get_traced_memory()[1] < 1.2 * max(f.plan.peak_bytes, 10_000)
    finally:
        tracemalloc.stop()
    e.evaluate(**{str(one): array for one, array in zip(inputs, arrays, strict=True)}, memory_limit="20 MB")


def test_an_image_is_cut_along_both_axes_without_a_matrix() -> None:
    U = ic.tensor("U", "n m")
    energy = ((U[1:] - U[:-1]) ** 2).sum() + ((U[:, 1:] - U[:, :-1]) ** 2).sum()
    assert ic.preflight(ic.grad(energy, U), n=1000, m=1000).peak_bytes < 8 * 8 * 10**6


def test_a_product_is_cut_before_it_is_made() -> None:
    assert ic.preflight((A @ B)[2:5, -1], n=10**5, m=100).peak_bytes < 10**4
    assert ic.compile((A @ B)[2:5, -1], (A, B), sizes={"n": 10**5, "m": 100}).plan.flops < 1000


# ------------------------------------------------------------------ folded

y = ic.tensor("y", "5")
E = ic.eye("n")
FOLDED: dict[str, tuple[Any, Any]] = {
    "a slice of a slice": (x[1:][:-1], x[1:-1]),
    "steps of steps": (y[1:][::2], y[1::2]),
    "both axes": (A[1:][:, :-1][:-1], A[1:-1, :-1]),
    "from the end": (x[-3:][1:], x[-2:]),
    "backwards twice": (x[::-1][::-1], x),
    "the first backwards": (x[::-1][0], x[-1]),
    "the last backwards": (x[::-1][-1], x[0]),
    "an entry of a slice": (x[2:5][1], x[3]),
    "the first but one": (x[1:][0], x[1]),
    "the last of a slice": (x[1:][-1], x[-1]),
    "one entry, summed": (x[2:3].sum(), x[2]),
    "ones": (ic.ones("n")[1:], ic.ones("n - 1")),
    "of the unit matrix": (E[1:] @ x, x[1:]),
    "one beside itself": (E[1:] @ E[1:].T, ic.eye("n - 1")),
    "apart": (E[:2] @ E[2:].T, ic.zeros(2, "n - 2")),
    "a unit that is cut off": (ic.unit(0, "n")[1:], ic.zeros("n - 1")),
    "a unit": (ic.unit(3, "n")[1:], ic.unit(2, "n - 1")),
    "neighbours": (E[1:] @ E[:-1].T, ic.eye("n - 1")[:-1].T @ ic.eye("n - 1")[1:]),
    "backwards is symmetric": (E[::-1].T @ x, x[::-1]),
    "one entry backwards": (y[2:3][::-1] + y[2:1:-1], 2 * y[2:3]),
    "a gradient": (ic.grad(x[::-1] @ x, x), 2 * x[::-1]),
    "a sum backwards": (x[::-1].sum(), x.sum()),
    "a sum of what is put back": (ic.eye("n")[::-1] @ ic.ones("n"), ic.ones("n")),
    "a gradient of slices": (ic.grad(x[1:][1:].sum(), x), E[:, 2:] @ ic.ones("n - 2")),
}  # fmt: skip


@pytest.mark.parametrize("name", FOLDED)
def test_selections_fold(name: str) -> None:
    one, other = FOLDED[name]
    assert one.simplify().node is other.simplify().node
    given = {str(t): {"x": DATA["x"], "A": DATA["A"], "y": np.arange(5.0)}[str(t)] for t in (x, A, y)
             if str(t) in {tensor.label for tensor in one.inputs}}  # fmt: skip
    sizes = {"n": 9} if not {"x", "A"} & set(given) and "y" not in given else {}
    value = one.evaluate(**given, **sizes)
    np.testing.assert_allclose(one.simplify().evaluate(**given, **sizes), value)


def test_what_depends_on_sizes_stays() -> None:
    for e in (E[: dim("k")] @ E[: dim("l")].T, E[:3] @ E[-3:].T, ic.unit(5, "n")[: dim("k")]):
        assert len(topological([e.simplify().node])) > 2


# ------------------------------------------------------------------ bounds


@pytest.mark.parametrize("e", [x[:5], x[-5:], x[4], x[4:0:-1]])
def test_an_axis_that_is_too_short_is_an_error_everywhere(e: Any) -> None:
    short = np.ones(3)
    with pytest.raises(ic.IndexCalcError, match="longer"):
        e.evaluate(x=short)
    with pytest.raises(ic.IndexCalcError, match="longer"):
        ic.compile(e, x)(short)
    for target in ("numpy", "torch"):
        with pytest.raises(ValueError, match="there "):
            from_source(e, x, [short], target)


def test_no_entries_are_no_entries() -> None:
    assert ic.tensor("y", "5")[5:].evaluate(y=np.ones(5)).shape == (0,)
    assert (x[1:] - x[:-1]).evaluate(x=np.ones(1)).shape == (0,)
    assert variation(x).evaluate(x=np.ones(1)) == 0
    np.testing.assert_array_equal(ic.grad(variation(x), x).evaluate(x=np.ones(1)), [0])


# ------------------------------------------------------------------ places that are symbols

PLACED: dict[str, Any] = {
    "z[k:]": (n - k,),
    "z[-k:]": (k,),
    "z[:-k]": (n - k,),
    "z[k:-1]": (n - k - 1,),
    "z[:k:-1]": (n - k - 1,),
    "z[k::-1]": (k + 1,),
    "z[k:k + 4:2]": (2,),
    "z[k]": (),
    "z[-k]": (),
    "z[n - k:][1:]": (k - 1,),
    "z[k:][0]": (),
    "z[k:][::-1][1:]": (n - k - 1,),
}


@pytest.mark.parametrize("text", PLACED)
def test_a_slice_begins_and_ends_at_symbols(text: str) -> None:
    e, at = eval(text, {"z": x, "n": n, "k": k}), DATA["x"]
    assert e.shape == PLACED[text]
    for size in (2, 3, 5):
        expected = eval(text, {"z": at, "n": 9, "k": size})
        np.testing.assert_array_equal(e.evaluate(x=at, k=size), expected)
        slope = (ic.grad((e**3).sum(), x) * v).sum().evaluate(x=at, v=DATA["v"], k=size)
        along = eval(text, {"z": DATA["v"], "n": 9, "k": size})
        np.testing.assert_allclose(slope, (3 * expected**2 * along).sum())
    (sized,) = resize([e.node], {"k": 3, "n": 9})
    (own,) = resize([eval(text, {"z": ic.tensor("x", "9"), "n": 9, "k": 3}).node], {})
    assert fingerprint(sized).shape == fingerprint(own).shape
    assert pickle.loads(pickle.dumps(e)) == e
    for shown in (str(e), e.latex()):
        assert ic.parse(shown, **e.declarations) == e
    assert ic.preflight(e, n=9, k=3).bytes == 8 * int(np.size(eval(text, {"z": at, "n": 9, "k": 3})))


def test_a_place_has_one_form() -> None:
    def begins(start: Any, length: Any) -> Any:
        return constant("selection", (2, length), (start, 1)).params[0]

    assert [begins(*own) for own in ((-3, 9), (n - 3, n), (-3, n), (k, n), (n - k, n), (n, n), (4, n))] == [
        6, -3, -3, k, n - k, n, 4,
    ]  # fmt: skip
    (node,) = resize([constant("selection", (2, n), (k, 1))], {"k": n - 2})
    assert node is constant("selection", (2, n), (-2, 1))
    assert resize([node], {"n": 7}) == [constant("selection", (2, 7), (5, 1))]


def test_packed_weights_have_their_parts() -> None:
    unit = ic.eye("3*h")
    parts, rows = ([own[:h], own[h : 2 * h], own[2 * h :]] for own in (W, unit))
    assert all(part.shape == (h, dim("d")) for part in parts)
    for a, one in enumerate(rows):
        for b, other in enumerate(rows):
            assert (one @ other.T) == (ic.eye("h") if a == b else ic.zeros("h h"))
    sizes = {"h": 10**4, "d": 2}
    assert ic.preflight(ic.grad((parts[0] * parts[1] * parts[2]).sum(), W), **sizes).peak_bytes < 10**7
    assert ic.verify(ic.grad((parts[0] * parts[1] ** 2 * parts[2]).sum(), W))
    assert ic.check("2*eye(3*h)[:, h:2*h] @ W[h:2*h]", ic.grad((parts[1] ** 2).sum(), W))


REFUSED: list[tuple[Any, str]] = [
    (lambda: x[k:3], "it begins at k and ends at 3"),
    (lambda: W[2 * h : h], "write the smaller bound first"),
    (lambda: x[1:6:-1], "write the larger bound first"),
    (lambda: x[::2], "depends on the value of n"),
    (lambda: x[5:].evaluate(x=np.ones(3)), r"the slice x\[5:\]: it begins at entry 5, and axis 0 of x has 3 entries"),
    (lambda: A[:, 4].evaluate(A=np.ones((2, 3))), r"the slice A\[:, 4\]: it takes entry 4, and axis 1 of A has 3"),
    (lambda: x[k:].evaluate(x=np.ones(3), k=4), r"the slice x\[k:\]: it begins at entry 4, and axis 0 of x has 3"),
    (lambda: x[:k].compressed(x=np.ones(1), k=2), "it takes the entries 0 to 1, and axis 0 of x has 1 entry"),
    (lambda: ic.preflight(x[-k:], n=3, k=4), "it takes the entries -1 to 2"),
    (lambda: ic.parse("x[q:]", x="n"), "'q' is not declared"),
]


@pytest.mark.parametrize("asked", range(len(REFUSED)))
def test_what_is_no_slice_says_so(asked: int) -> None:
    made, said = REFUSED[asked]
    with pytest.raises(ic.IndexCalcError, match=said):
        made()


def test_source_for_all_sizes_asks_whether_there_are_so_many_entries() -> None:
    space: dict[str, Any] = {}
    exec(ic.to_source(x[k:] + x[:-k], x), space)
    np.testing.assert_array_equal(space["program"](DATA["x"], k=4), DATA["x"][4:] + DATA["x"][:-4])
    with pytest.raises(ValueError, match="there are no entries k to n - 1 of 9"):
        space["program"](DATA["x"], k=10)


# ------------------------------------------------------------------ bands

U = ic.tensor("U", "n m")
ENERGY = ((U[1:] - U[:-1]) ** 2).sum() + ((U[:, 1:] - U[:, ::-1][:, :-1]) ** 2).sum() + (U**4).sum()
BANDED: dict[str, tuple[Any, dict[str, Any]]] = {
    "variation": (ic.hessian(variation(x) + (x * x).sum(), x), {"x": RNG.normal(size=9)}),
    "second differences": (
        ic.hessian(((x[2:] - 2 * x[1:-1] + x[:-2]) ** 2).sum() + (x**4).sum(), x), {"x": RNG.normal(size=25)},
    ),
    "backwards": (ic.hessian((x * x[::-1] * x).sum() + (x**4).sum(), x), {"x": RNG.normal(size=8)}),
    "Jacobian": (ic.derivative(x[1:] * x[:-1] ** 2, x), {"x": RNG.normal(size=7)}),
    "image": (ic.hessian(ENERGY, U), {"U": RNG.normal(size=(5, 4))}),
    "steps": (ic.derivative(x[6:0:-2], x), {"n": 8}),
}  # fmt: skip


@pytest.mark.parametrize("name", BANDED)
def test_bands_are_the_dense_matrix(name: str) -> None:
    D, given = BANDED[name]
    dense, held = D.evaluate(**given), D.compressed(**given)
    matrix = dense.reshape(held.matrix_shape)
    np.testing.assert_allclose(held.todense(), dense, atol=1e-13)
    np.testing.assert_allclose(held.tosparse().toarray(), matrix, atol=1e-13)
    columns, rows = RNG.normal(size=matrix.shape[1]), RNG.normal(size=matrix.shape[0])
    np.testing.assert_allclose(np.ravel(held.matvec(columns)), matrix @ columns, atol=1e-12)
    np.testing.assert_allclose(np.ravel(held.rmatvec(rows)), matrix.T @ rows, atol=1e-12)
    np.testing.assert_allclose(held.matmat(np.eye(len(columns))).reshape(matrix.shape), matrix, atol=1e-12)
    if held.rows == held.columns:
        np.testing.assert_allclose(np.ravel(held.diagonal()), np.diag(matrix), atol=1e-13)
        np.testing.assert_allclose(held.trace(), np.trace(matrix), atol=1e-12)
        np.testing.assert_allclose(np.ravel(held.solve(rows)), np.linalg.solve(matrix, rows), rtol=1e-8)


def test_bands_are_held_in_as_many_numbers_as_they_have() -> None:
    D, _ = BANDED["variation"]
    assert ic.preflight(D, n=LONG).compressed_bytes <= 8 * 8 * LONG
    held = D.compressed(x=RNG.normal(size=LONG), memory_limit="50 MB")
    assert held.nbytes <= 8 * 8 * LONG
    b = RNG.normal(size=LONG)
    np.testing.assert_allclose(held.matvec(held.solve(b)), b, atol=1e-12)
    assert held.solver().method == "banded, 1 below the diagonal and 1 above it"
    assert held.tosparse("dia").data.shape == (3, LONG)
    with pytest.raises(ic.InputError, match="no such format"):
        held.tosparse("dense")
    with pytest.raises(ic.InputError, match="entries"):
        D.compressed(x=b, memory_limit="8 MB").tosparse()


def test_wide_bands_are_solved_as_a_sparse_matrix() -> None:
    D, _ = BANDED["image"]
    held = D.compressed(U=RNG.normal(size=(60, 50)) + 2)
    b = RNG.normal(size=3000)
    np.testing.assert_allclose(held.matvec(held.solve(b)), b, atol=1e-10)
    assert held.solver().method.startswith("sparse LU")


@pytest.mark.parametrize("sign", [1, -1])
def test_bands_are_factored_once_where_they_are_positive_definite(sign: int) -> None:
    """Those of an indefinite matrix, and of one that is not symmetric, are solved by LU."""
    n, v = 400, ic.tensor("v", "n")
    loss = ((v[1:] - v[:-1]) ** 4).sum() + sign * 3 * (v**2).sum()
    data = np.random.default_rng(0).normal(size=n)
    held = ic.hessian(loss, v).compressed(v=data)
    assert held.solver().method == "banded, 1 below the diagonal and 1 above it"
    b = np.linspace(-1, 1, n)
    for right in (b, b * (1 + 2j)):
        np.testing.assert_allclose(held.matvec(held.solve(right)), right, rtol=1e-9, atol=1e-9)
    onesided = ic.derivative(ic.concatenate([v[:1] ** 3, v[1:] ** 3 + v[:-1]]), v).compressed(v=data + 5)
    assert onesided.solver().method == "banded, 1 below the diagonal and 0 above it"


def test_a_condition_times_what_is_bounded_is_a_product() -> None:
    """`exp(-x²)` is at most 1, so nothing has to be chosen; `exp(x)` may overflow, and has to be."""
    A = ic.tensor("A", "n n")
    i, j = ic.indices("i j")
    for inner, chooses in ((ic.exp(-(A[i, j] ** 2)), False), (ic.exp(A[i, j]), True), (ic.sqrt(A[i, j]), True)):
        plan = ic.compile(inner.sum(i, j, where="i<j"), (A,), sizes={"n": 9}).plan
        assert ("where" in str(plan)) == chooses


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda x, y, A: ic.sin(x)[1:], lambda x, y, A: ic.sin(x[1:])),
        (lambda x, y, A: (x * y)[0], lambda x, y, A: x[0] * y[0]),
        (lambda x, y, A: ic.exp(x / y**2)[-1], lambda x, y, A: ic.exp(x[-1] / y[-1] ** 2)),
        (lambda x, y, A: (x * A**2)[:, 1:], lambda x, y, A: x[1:] * A[:, 1:] ** 2),
        (lambda x, y, A: ic.maximum(A, x)[1:, ::-1], lambda x, y, A: ic.maximum(A[1:, ::-1], x[::-1])),
    ],
)
def test_a_slice_of_a_function_is_that_of_the_slice(one: Any, other: Any) -> None:
    tensors = ic.tensor("x", "n"), ic.tensor("y", "n"), ic.tensor("A", "m n")
    assert one(*tensors) == other(*tensors)


def test_the_entry_of_an_axis_of_dimension_one() -> None:
    a, b, M = ic.tensor("a", 1), ic.tensor("b", 1), ic.tensor("M", "n 1")
    assert ic.gelu(a)[0] == ic.gelu(a[0]) and a @ b == a[0] * b[0]
    assert ic.where(M > 0, M, 2 * M)[:, 0] == ic.where(M[:, 0] > 0, M[:, 0], 2 * M[:, 0])
