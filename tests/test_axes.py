"""einops' patterns: values are einops', derivatives JAX's, sizes may be symbols, and errors name axis and pattern."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import einops
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import indexcalc as ic
from indexcalc.errors import IndexCalcError

RNG = np.random.default_rng(0)
REARRANGED: list[tuple[str, tuple[int, ...], dict[str, int]]] = [
    ("a b c -> c a b", (2, 3, 4), {}),
    ("a b c -> a (b c)", (2, 3, 4), {}),
    ("a b c -> (c b) a", (2, 1, 4), {}),
    ("b (h w) -> h b w", (2, 12), {"h": 3}),
    ("b (h w) -> b w h", (1, 12), {"w": 3}),
    ("(a b c) -> b (c a)", (24,), {"a": 2, "b": 3}),
    ("(a b) (c d) -> (a c) (b d)", (6, 8), {"a": 2, "d": 4}),
    ("a 1 b -> b a", (3, 1, 2), {}),
    ("a b -> a 1 b 1", (3, 2), {}),
    ("a b -> (a 1) b", (3, 2), {}),
    ("a () b -> a b ()", (3, 1, 2), {}),
    ("... a b -> ... b a", (2, 3, 4, 5), {}),
    ("a ... -> ... a", (2, 3, 4), {}),
    ("a ... b -> a (... b)", (2, 3, 4, 5), {}),
    ("a ... -> (a ...)", (2,), {}),
    ("b (h p) (w q) c -> b (h w) (p q c)", (2, 4, 6, 3), {"p": 2, "q": 3}),
    ("a b -> b a", (1, 1), {}),
    (" -> 1", (), {}),
    ("(a 1) b -> a b", (3, 2), {}),
]
REDUCED = [
    ("a b c -> a", (2, 3, 4), {}), ("a b c -> c a", (2, 3, 4), {}), ("a b -> ", (2, 3), {}),
    ("b (h p) (w q) -> b h w", (2, 4, 6), {"p": 2, "q": 3}), ("a b -> 1 b", (2, 3), {}), ("a ... -> a", (2, 3, 4), {}),
    ("... a -> ...", (2, 3, 4), {}), ("a b -> a b", (2, 3), {}), ("(a b) c -> (c a)", (4, 3), {"b": 2}),
    ("a b -> a ()", (2, 1), {}),
]  # fmt: skip
REPEATED = [
    ("a -> a r", (3,), {"r": 2}), ("a b -> (a r) b", (2, 3), {"r": 2}),
    ("a b -> (r a) (b s)", (2, 3), {"r": 2, "s": 3}), ("x pattern -> pattern x r", (2, 3), {"x": 2, "r": 1}),
    ("a -> a 3", (2,), {}), ("a b -> b 2 a r", (1, 3), {"r": 1}), ("... -> r ...", (2, 3), {"r": 2}),
    ("(a b) -> a r b", (6,), {"a": 2, "r": 2}), ("a 1 -> a r", (3, 1), {"r": 2}), (" -> r", (), {"r": 3}),
]  # fmt: skip


def data(shape: tuple[int, ...]) -> Any:
    return RNG.normal(size=shape)


@pytest.mark.parametrize(("pattern", "shape", "sizes"), REARRANGED)
def test_rearrange(pattern: str, shape: tuple[int, ...], sizes: dict[str, int]) -> None:
    x, numbers = ic.tensor("x", *shape), data(shape)
    made = ic.rearrange(x, pattern, **sizes)
    wanted = einops.rearrange(numbers, pattern, **sizes)
    assert made.shape == wanted.shape
    np.testing.assert_array_equal(made.evaluate(x=numbers), wanted)


@pytest.mark.parametrize("how", ["sum", "mean", "max", "min", "prod"])
@pytest.mark.parametrize(("pattern", "shape", "sizes"), REDUCED)
def test_reduce(pattern: str, shape: tuple[int, ...], sizes: dict[str, int], how: str) -> None:
    x, numbers = ic.tensor("x", *shape), data(shape)
    made = ic.reduce(x, pattern, how, **sizes)
    wanted = einops.reduce(numbers, pattern, how, **sizes)
    assert made.shape == wanted.shape
    np.testing.assert_allclose(made.evaluate(x=numbers), wanted)


@pytest.mark.parametrize(("pattern", "shape", "sizes"), REPEATED)
def test_repeat(pattern: str, shape: tuple[int, ...], sizes: dict[str, int]) -> None:
    x, numbers = ic.tensor("x", *shape), data(shape)
    made = ic.repeat(x, pattern, **sizes)
    wanted = einops.repeat(numbers, pattern, **sizes)
    assert made.shape == wanted.shape
    np.testing.assert_array_equal(made.evaluate(x=numbers), wanted)


def test_random_patterns() -> None:
    for _ in range(60):
        axes = list("abcde"[: RNG.integers(1, 6)])
        sizes = {axis: int(RNG.integers(1, 4)) for axis in axes}
        sides = []
        for _ in range(2):
            RNG.shuffle(axes)
            cuts = sorted({0, len(axes), *RNG.integers(0, len(axes) + 1, 2).tolist()})
            groups = [axes[a:b] for a, b in pairwise(cuts)]
            sides.append(groups)
        pattern = " -> ".join(" ".join(f"({' '.join(g)})" if len(g) > 1 else g[0] for g in side) for side in sides)
        shape = tuple(int(np.prod([sizes[axis] for axis in group])) for group in sides[0])
        numbers = data(shape)
        made = ic.rearrange(ic.tensor("x", *shape), pattern, **sizes)
        np.testing.assert_array_equal(made.evaluate(x=numbers), einops.rearrange(numbers, pattern, **sizes))


def test_derivatives_follow() -> None:
    x, numbers = ic.tensor("x", 2, 12), data((2, 12))

    def loss(z: Any, lib: Any, tanh: Any) -> Any:
        heads = lib.rearrange(z, "b (h w) -> h b w", h=3)
        wide = lib.repeat(tanh(heads), "h b w -> b (h r) w", r=2)
        return lib.reduce(wide * wide * wide, "b k w -> b", "mean").sum()

    own = loss(x, ic, ic.tanh)
    np.testing.assert_allclose(own.evaluate(x=numbers), loss(numbers, einops, np.tanh))
    wanted = jax.grad(lambda z: loss(z, einops, jnp.tanh))(numbers)
    np.testing.assert_allclose(ic.grad(own, x).evaluate(x=numbers), wanted, atol=1e-12)
    squares = jax.hessian(lambda z: loss(z, einops, jnp.tanh))(numbers)
    np.testing.assert_allclose(ic.hessian(own, x).evaluate(x=numbers), squares, atol=1e-12)


def test_sizes_may_be_symbols() -> None:
    x = ic.tensor("x", "b n*d")
    made = ic.rearrange(x, "b (n d) -> n b d", n="n")
    assert made.shape == ic.tensor("y", "n b d").shape
    np.testing.assert_array_equal(
        made.evaluate(x=np.arange(12.0).reshape(2, 6), n=3), np.arange(12.0).reshape(2, 3, 2).swapaxes(0, 1)
    )
    half = ic.rearrange(ic.tensor("x", "n"), "(a b) -> a b", b=2)
    np.testing.assert_array_equal(half.evaluate(x=np.arange(6.0)), np.arange(6.0).reshape(3, 2))
    with pytest.raises(IndexCalcError, match="5/2"):
        half.evaluate(x=np.arange(5.0))
    assert ic.repeat(ic.tensor("x", "n"), "n -> n r", r="k").shape == ic.tensor("y", "n k").shape


def test_what_it_is_in_other_words() -> None:
    A = ic.tensor("A", "n m")
    assert ic.rearrange(A, "n m -> m n") == A.T
    assert ic.rearrange(A, "n m -> (n m)") == ic.vec(A, order="C")
    assert ic.rearrange(ic.rearrange(A, "n m -> (m n)"), "(m n) -> n m", m="m") == A
    assert ic.reduce(A, "n m -> n", "sum") == A.sum(axis=1)
    assert ic.reduce(A, "n m -> m", "mean") == A.mean(axis=0)
    assert ic.reduce(A, "n m -> n", "logsumexp") == ic.logsumexp(A, axis=1)


A = ic.tensor("A", 4, 6)
REFUSED: dict[str, tuple[Any, str]] = {
    "axes": (lambda: ic.rearrange(A, "a b c -> a b c"), "names 3 axes, A has 2"),
    "no arrow": (lambda: ic.rearrange(A, "a b"), "one arrow"),
    "two arrows": (lambda: ic.rearrange(A, "a b -> b a -> a"), "one arrow"),
    "missing after": (lambda: ic.rearrange(A, "a b -> a"), "b stands before the arrow alone"),
    "new after": (lambda: ic.rearrange(A, "a b -> a b c", c=2), "c stands after the arrow alone"),
    "missing in repeat": (lambda: ic.repeat(A, "a b -> a r", r=2), "b stands before"),
    "new in reduce": (lambda: ic.reduce(A, "a b -> a c", "sum", c=2), "c stands after"),
    "twice": (lambda: ic.rearrange(A, "a a -> a"), "a stands twice"),
    "two open sizes": (lambda: ic.rearrange(A, "a (b c) -> a b c"), "axis 1 of A, of dimension 6, is split into b, c"),
    "no multiple": (lambda: ic.rearrange(A, "a (b c) -> a b c", b=4), "is no multiple of 4"),
    "no product": (lambda: ic.rearrange(A, "a (b c) -> a b c", b=4, c=2), "b*c is 8"),
    "another size": (lambda: ic.rearrange(A, "a b -> b a", a=3), "a is 3"),
    "zero": (lambda: ic.rearrange(A, "a (b c) -> a b c", b=0), "no multiple of 0"),
    "not one": (lambda: ic.rearrange(A, "a 1 -> a"), "1 is 1"),
    "unknown keyword": (lambda: ic.rearrange(A, "a b -> b a", c=3), "c is no axis"),
    "no size": (lambda: ic.repeat(A, "a b -> a b r"), "size of r is not said"),
    "nested": (lambda: ic.rearrange(A, "a b -> ((a) b)"), "brackets within brackets"),
    "open": (lambda: ic.rearrange(A, "a b -> (a b"), "open bracket"),
    "sign": (lambda: ic.rearrange(A, "a,b -> b a"), "','"),
    "dots alone": (lambda: ic.rearrange(A, "a b -> ... a b"), "after the arrow alone"),
    "dots in a group": (lambda: ic.rearrange(A, "(a ...) b -> a b"), "in a group before"),
    "reduction": (lambda: ic.reduce(A, "a b -> a", "median"), "no reduction 'median'"),
    "softmax": (lambda: ic.reduce(A, "a b -> a", "softmax"), "no reduction"),
    "an Expr": (lambda: ic.rearrange(A[ic.indices("i j")], "a b -> b a"), "place its axes"),
    "a list": (lambda: ic.rearrange([A, A], "a b c -> b a c"), "no Array"),
    "symbols that do not go": (lambda: ic.rearrange(ic.tensor("x", "n"), "(a b) -> a b", a="k"), "no multiple of k"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_pattern_is_refused(name: str) -> None:
    call, words = REFUSED[name]
    with pytest.raises(IndexCalcError) as error:
        call()
    assert words in str(error.value)
    assert "->" in str(error.value) or name == "no arrow"
