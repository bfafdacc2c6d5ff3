"""Values, first and second derivatives of random expressions, against JAX in float64."""

from __future__ import annotations

import random
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs import DIM, DRAWN, INDEX, NAMES, SHAPES, TENSORS, Twin, arrays, program, sizes
from truths import truth

import indexcalc as ic
from indexcalc.calculus.derivative import narrow
from indexcalc.engine.compile.run import evaluate
from indexcalc.graph.constructors import einsum

FRESH = {name: ic.index(name) for name in ("e", "f", "g", "h", "u", "v")}


def close(ours: np.ndarray, theirs: object, tolerance: float = 1e-9) -> bool:
    """Equal to a relative tolerance of the largest entry; entries that JAX finds not to exist are left out."""
    expected = np.asarray(theirs)
    assert ours.shape == expected.shape, (ours.shape, expected.shape)
    exists = np.isfinite(expected)
    scale = max(1.0, np.max(np.abs(expected[exists]), initial=0.0))
    return bool(np.all(np.abs(ours[exists] - expected[exists]) <= tolerance * scale))


def numbers(
    expr: ic.Expr, names: tuple[ic.Index, ...], values: dict[str, np.ndarray], dims: dict[str, int]
) -> np.ndarray:
    """The expression's numbers, axes in this order."""
    needed = {variable.label: values[variable.label] for variable in expr.inputs}
    symbols = {str(d) for v in expr.inputs for d in v.dims}
    missing = {d: n for d, n in dims.items() if d not in symbols and any(str(s) == d for s in expr.shape)}
    return expr.evaluate(needed, order=names, **missing)


def check(seed: int, depth: int) -> None:
    rng = random.Random(seed)
    twin: Twin = program(rng, depth)
    dims = sizes(rng)
    values = arrays(rng, dims)
    free = tuple(INDEX[name] for name in twin.names)
    first, second = rng.choice(list(SHAPES)), rng.choice(list(SHAPES))
    one = tuple(FRESH[name] for name in ("e", "f", "g"))[: len(SHAPES[first].split())]
    two = tuple(FRESH[name] for name in ("h", "u", "v"))[: len(SHAPES[second].split())]
    by_one = TENSORS[first][one] if one else TENSORS[first]
    by_two = TENSORS[second][two] if two else TENSORS[second]

    draw = np.random.default_rng(seed)
    along, across = draw.normal(size=values[first].shape), draw.normal(size=values[second].shape)

    def slope_along(inner):
        return jax.jvp(lambda value: twin.run({**inner, first: value}), (inner[first],), (along,))[1]

    @jax.jit
    def oracle(inner):
        bent = jax.jvp(lambda value: slope_along({**inner, second: value}), (inner[second],), (across,))[1]
        return twin.run(inner), slope_along(inner), bent

    example = [twin.expr, first, second, along, across, *values.values()]
    value, tangent, second_tangent = truth("index", seed, example, lambda: oracle(values))
    assert close(numbers(twin.expr, free, values, dims), value), "value"
    slope = twin.expr.diff(by_one)
    bend = slope.diff(by_two)
    ours = numbers(slope, (*free, *one), values, dims)
    assert close(np.tensordot(ours, along, axes=along.ndim), tangent), "first derivative"
    ours = numbers(bend, (*free, *one, *two), values, dims)
    ours = np.tensordot(np.tensordot(ours, across, axes=across.ndim), along, axes=along.ndim)
    assert close(ours, second_tangent), "second derivative"
    assert slope.of == free and slope.wrt == one and bend.wrt == one + two
    assert twin.expr.diff(by_one, by_two) == bend
    DRAWN[f"order {len(free)} by {len(one)}, {len(two)}"] += 1


@given(st.integers(0, 2**40))
def test_random_expressions_agree_with_jax(seed):
    check(seed, 1 + seed % 4)


@pytest.mark.parametrize("seed", [810, 1090, 1191, 1214, 1247, 1775, 1967])
def test_what_was_wrong_once(seed):
    """A power opened although its factor sums something, and a balanced product that counted a summed label twice."""
    check(seed, 1 + seed % 4)


def test_a_power_of_a_sum_is_not_the_sum_of_powers():
    """`(2 Σ_j A_ij)**2`, its parts used once: what is summed inside a power stays inside."""
    i, j = INDEX["i"], INDEX["j"]
    inner = TENSORS["s"] * TENSORS["A"][i, j].sum(j)
    A, s = np.arange(6.0).reshape(2, 3), 2.0
    assert np.allclose((inner**2).simplify().evaluate(A=A, s=s), (s * A.sum(1)) ** 2)
    summed = ((1 + inner) ** 2 * inner**2).simplify()
    assert np.allclose(summed.evaluate(A=A, s=s), np.sum(((1 + s * A.sum(1)) * s * A.sum(1)) ** 2))


def test_a_wide_product_is_split_without_counting_labels_again():
    """`balance` keeps the value of a product with summed, free and lone labels."""
    n = {"a": 2, "b": 3, "c": 4}
    rng = np.random.default_rng(0)
    x, B = TENSORS["x"].node, TENSORS["B"].node
    factors = [(x, "i", e) for e in (1, 2, 3)] + [(B, labels) for labels in ("jk", "jl", "ml", "mk")]
    factors += [(x, "p"), (x, "q")]
    product = einsum(3, factors, "ii", {"z": TENSORS["A"].shape[1]})
    values = {x: rng.normal(size=n["a"]), B: rng.normal(size=(n["b"], n["c"]))}
    whole, split = evaluate([product, *narrow([product])], values, n)
    assert len(product.factors) > 6 and np.allclose(whole, split)


def test_every_kind_of_step_is_drawn():
    """The generator is not one-sided: over fixed seeds, each kind of step and each function occurs."""
    before = DRAWN.copy()
    for seed in range(400):
        program(random.Random(seed), 3)
    wanted = {
        "tensor",
        "trace",
        "product",
        "hadamard",
        "softmax",
        "max",
        "norm2",
        "sum of terms",
        "erf",
        "prod",
        "mean",
    }
    assert wanted <= set(DRAWN - before)
    assert set(DIM) == {name for names in NAMES.values() for name in names}


# ------------------------------------------------------------------ linear combinations


def _combined() -> dict[str, tuple[Any, Any]]:
    """Linear combinations of derivatives, each with one of the parts."""
    i, j, k = ic.indices("i j k")
    C, A, B = ic.tensor("C", 3, 3, symmetric=True), ic.tensor("A", 3, 3), ic.tensor("B", "n n")
    x, s = ic.tensor("x", "n"), ic.scalar("s")
    n = x.shape[0]
    psi = ic.tr(A @ C @ C) ** 2
    H, G = ic.hessian(psi, C), ic.grad(x @ B @ x, x)
    g, J = (x[i] * B[i, j] * x[j]).diff(x[k]), (x[i] * B[i, j]).diff(x[k])
    found: dict[str, tuple[Any, Any]] = {}
    for name, D, other in (
        ("H", H, ic.hessian(ic.tr(C) ** 3, C)), ("G", G, ic.grad(x @ x, x)), ("g", g, (x[i] * x[i]).diff(x[k])),
        ("J", J, (B[j, i] * x[i]).diff(x[k])),
    ):  # fmt: skip
        made = {"4*": 4 * D, "*4": D * 4, "/2": D / 2, "-": -D, "+": D + other, "- 2*": D - 2 * other, "s*": s * D,
                "*s": D * s, "/s": D / s, "/n": D / n, "n*": n * D, "sum": sum([D, other])}  # fmt: skip
        found |= {f"{name} {word}": (one, D) for word, one in made.items()}
    return found


COMBINED = _combined()


@pytest.mark.parametrize("name", COMBINED)
def test_a_linear_combination_of_derivatives_is_one(name: str) -> None:
    made, D = COMBINED[name]
    assert type(made) is type(D) and (made.of, made.wrt, made.groups) == (D.of, D.wrt, D.groups)
    assert made.structures == D.structures and ic.verify(made)
    own = D.layouts()
    for row in made.layouts():
        assert row.shape == own[row.name].shape
    assert "=" in made.latex(lhs=True)


def test_other_arithmetic_gives_a_plain_expression() -> None:
    i, k, m = ic.indices("i k m")
    C, x = ic.tensor("C", 3, 3, symmetric=True), ic.tensor("x", "n")
    H, g = ic.hessian(ic.tr(C) ** 3, C), (x[i] * x[i]).diff(x[k])
    for made in (H * H, H + 1, H + 0, H**2, H * ic.tr(C), H + ic.hessian(ic.tr(C) ** 3, C, structure="free")):
        assert type(made) is ic.Array
    for made in (g * g, g + x[k], x[k] + g, g * x[m], g * (x[i] * x[i]), g + (x[i] * x[i]).diff(x[m]) * ic.delta(m, k)):
        assert type(made) is ic.Expr
    assert type(ic.hvp(ic.tr(C) ** 3, C, C) * 2).__name__ == "ArrayDerivative"
