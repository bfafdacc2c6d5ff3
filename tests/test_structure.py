"""Derivatives by structured tensors: against patterns built in NumPy, entry by entry, and against JAX.

A structure is a list of patterns B_t with disjoint supports; X is the sum of θ_t B_t. Independent derivatives are those
by θ, spread by the patterns; projected ones are the free ones times the projector that the patterns make.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable
from functools import cache
from itertools import permutations, product

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import indexcalc as ic
from indexcalc.calculus.structure import bands, space_of
from indexcalc.engine.bind.declared import respecting
from indexcalc.testing import check_derivative

Patterns = list[np.ndarray]

# ------------------------------------------------------------------ patterns, in NumPy


def grouped(shape: tuple[int, ...], key: Callable[..., tuple[object, int] | None]) -> Patterns:
    """The patterns of entries with one key; `key` gives the name of the parameter and a sign, None for a zero."""
    found: dict[object, np.ndarray] = {}
    for place in np.ndindex(*shape):
        named = key(*place)
        if named is not None:
            found.setdefault(named[0], np.zeros(shape))[place] = named[1]
    return list(found.values())


def orbits(shape: tuple[int, ...], moves: Iterable[tuple[tuple[int, ...], int]]) -> Patterns:
    """The patterns of entries that permutations of the axes, each with its sign, carry into one another."""
    table: dict[tuple[int, ...], int] = {tuple(range(len(shape))): 1}
    moves = list(moves)
    while True:
        more = {tuple(a[x] for x in b): s * t for a, s in table.items() for b, t in moves}
        if more.keys() <= table.keys():
            break
        table |= more
    found, seen = [], set()
    for place in np.ndindex(*shape):
        if place in seen:
            continue
        pattern = np.zeros(shape)
        signs: dict[tuple[int, ...], set[int]] = {}
        for perm, sign in table.items():
            signs.setdefault(tuple(place[x] for x in perm), set()).add(sign)
        seen |= signs.keys()
        if all(len(both) == 1 for both in signs.values()):
            for other, (sign,) in signs.items():
                pattern[other] = sign
            found.append(pattern)
    return found


def sign(x: int) -> int:
    return (x > 0) - (x < 0)


SQUARE: dict[str, Callable[[int, int, int], tuple[object, int] | None]] = {
    "": lambda i, j, n: ((i, j), 1),
    "symmetric": lambda i, j, n: ((min(i, j), max(i, j)), 1),
    "positive_definite": lambda i, j, n: ((min(i, j), max(i, j)), 1),
    "skew": lambda i, j, n: ((min(i, j), max(i, j)), sign(i - j)) if i != j else None,
    "diagonal": lambda i, j, n: (i, 1) if i == j else None,
    "diagonal symmetric": lambda i, j, n: (i, 1) if i == j else None,
    "diagonal lower": lambda i, j, n: (i, 1) if i == j else None,
    "lower upper": lambda i, j, n: (i, 1) if i == j else None,
    "circulant": lambda i, j, n: ((i - j) % n, 1),
    "circulant toeplitz": lambda i, j, n: ((i - j) % n, 1),
    "symmetric circulant": lambda i, j, n: (min((i - j) % n, (j - i) % n), 1),
    "skew circulant": lambda i, j, n: (
        None if 2 * (i - j) % n == 0 else (min((i - j) % n, (j - i) % n), 1 if 2 * ((i - j) % n) < n else -1)
    ),
    "symmetric toeplitz": lambda i, j, n: (abs(i - j), 1),
    "skew toeplitz": lambda i, j, n: (abs(i - j), sign(i - j)) if i != j else None,
    "symmetric hankel": lambda i, j, n: (i + j, 1),
}
ANY: dict[str, Callable[[int, int], tuple[object, int] | None]] = {
    "lower": lambda i, j: ((i, j), 1) if i >= j else None,
    "upper": lambda i, j: ((i, j), 1) if i <= j else None,
    "toeplitz": lambda i, j: (i - j, 1),
    "hankel": lambda i, j: (i + j, 1),
    "lower toeplitz": lambda i, j: (i - j, 1) if i >= j else None,
    "upper toeplitz": lambda i, j: (i - j, 1) if i <= j else None,
}
CASES = [(word, (n, n)) for word in SQUARE for n in (1, 2, 3, 4)]
CASES += [(word, shape) for word in ANY for shape in ((1, 1), (2, 2), (4, 4), (2, 3), (4, 2), (1, 3), (3, 1))]


def patterns_of(word: str, shape: tuple[int, int]) -> Patterns:
    key = SQUARE.get(word)
    return grouped(shape, ANY[word] if key is None else lambda i, j: key(i, j, shape[0]))


def declared(name: str, *dims: object, words: str) -> ic.Array:
    return ic.tensor(name, *dims, **dict.fromkeys(words.split(), True))


# ------------------------------------------------------------------ the three meanings, by numbers


Numbers = dict[str, np.ndarray]


@cache
def oracle(f: Callable[[jax.Array, Numbers], jax.Array]) -> Callable[..., tuple[jax.Array, jax.Array, jax.Array]]:
    """Value, gradient and Hessian of a function as it is written, by JAX."""
    return jax.jit(lambda M, v: (f(M, v), jax.grad(f)(M, v), jax.hessian(f)(M, v)))


def check(
    f: Callable[[jax.Array, Numbers], jax.Array], ours: ic.Array, X: ic.Array, patterns: Patterns, values: Numbers
) -> None:
    """All meanings of a scalar's derivatives, to second order, at a random point of the space."""
    shape = patterns[0].shape
    B = np.array([pattern.reshape(-1) for pattern in patterns])
    assert np.all(np.sum(B != 0, axis=0) <= 1), "supports are disjoint"
    theta = np.random.default_rng(len(B)).normal(size=len(B))
    if "positive_definite" in X.node.assumptions:
        root = (theta @ B).reshape(shape)
        theta = B @ (root @ root.T + np.eye(shape[0])).reshape(-1) / np.sum(B * B, axis=1)

    def at(parameters: np.ndarray) -> list[np.ndarray]:
        value, grad, bend = map(np.asarray, oracle(f)((parameters @ B).reshape(shape), values))
        return [value, grad.reshape(-1), bend.reshape(B.shape[1], -1)]

    _, grad, bend = at(theta)
    slope, curve = [], []
    for step in 1e-3 * np.eye(len(B)):
        points = [at(theta + factor * step) for factor in (1, -1, 2, -2)]
        slope.append(sum(c * p[0] for c, p in zip(RICHARDSON, points, strict=True)))
        curve.append(sum(c * (B @ p[1]) for c, p in zip(RICHARDSON, points, strict=True)))
    projector = B.T @ np.diag(1 / np.sum(B * B, axis=1)) @ B
    first = {"free": grad, "projected": projector @ grad, "independent": B.T @ B @ grad}
    second = {"free": bend, "projected": projector @ bend @ projector, "independent": B.T @ B @ bend @ B.T @ B}
    assert near(first["independent"], B.T @ slope, 1e-6) and near(second["independent"], B.T @ curve @ B, 1e-6)
    given = {v.label: (theta @ B).reshape(shape) if v.label == X.node.name else values[v.label] for v in ours.inputs}
    for structure in ("projected", "independent", "free"):
        found = ic.grad(ours, X, structure=structure).evaluate(given)
        assert near(found, first[structure].reshape(shape)), structure
        found = ic.hessian(ours, X, structure=structure).evaluate(given)
        assert near(found, second[structure].reshape(shape + shape)), structure


RICHARDSON = (2e3 / 3, -2e3 / 3, -1e3 / 12, 1e3 / 12)
"""The coefficients of the values a step of 1e-3 ahead and behind, and two steps, in a derivative."""


def near(ours: object, theirs: object, tolerance: float = 1e-9) -> bool:
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    return bool(np.max(np.abs(ours - theirs), initial=0.0) <= tolerance * max(1.0, np.max(np.abs(theirs), initial=0.0)))


def of_matrices(M, v):
    """`tr(A X B X)`, `|X y|²` and the sum of `C * exp(X)`."""
    return jnp.trace(v["A"] @ M @ v["B"] @ M) + jnp.sum((M @ v["y"]) ** 2) + jnp.sum(v["C"] * jnp.exp(M))


@pytest.mark.slow
@pytest.mark.parametrize(("word", "shape"), CASES, ids=lambda value: str(value).replace(" ", ""))
def test_every_structure_in_its_three_meanings(word, shape):
    m, n = shape
    rng = np.random.default_rng(m + 10 * n)
    values = {"A": rng.normal(size=(n, m)), "B": rng.normal(size=(n, m)), "C": rng.normal(size=(m, n))}
    values["y"] = rng.normal(size=n)
    rows, columns = ("m", "m") if word in SQUARE else ("m", "n")
    X = declared("X", rows, columns, words=word)
    A, B, C = ic.tensor("A", columns, rows), ic.tensor("B", columns, rows), ic.tensor("C", rows, columns)
    y = ic.tensor("y", columns)
    ours = ic.tr(A @ X @ B @ X) + (X @ y) @ (X @ y) + (C * ic.exp(X)).sum()
    patterns = patterns_of(word, shape)
    if patterns:
        check(of_matrices, ours, X, patterns, values)
        return
    given = {v.label: np.zeros(shape) if v.label == "X" else values[v.label] for v in ours.inputs}
    assert word.startswith("skew") and near(ic.grad(ours, X).evaluate(given), np.zeros(shape))


MINOR = [((1, 0, 2, 3), 1), ((0, 1, 3, 2), 1)]
MAJOR = [((2, 3, 0, 1), 1)]


def swaps(order: int, sign: int = 1) -> list[tuple[tuple[int, ...], int]]:
    """The transpositions of neighbouring axes."""
    rows = []
    for k in range(order - 1):
        perm = list(range(order))
        perm[k], perm[k + 1] = k + 1, k
        rows.append((tuple(perm), sign))
    return rows


SKEW_PAIRS = [(perm, -1) for perm, _ in MINOR]
TALL = [
    ((3, 3, 3, 3), {"symmetric": [(0, 1), (2, 3)], "major": True}, MINOR + MAJOR),
    ((2, 2, 2, 2), {"symmetric": [(0, 1), (2, 3)]}, MINOR),
    ((2, 2, 2, 2), {"symmetric": [(0, 1)], "major": True}, MINOR[:1] + MAJOR),
    ((2, 3, 2, 3), {"major": True}, MAJOR),
    ((1, 1, 1, 1), {"symmetric": [(0, 1), (2, 3)], "major": True}, MINOR + MAJOR),
    ((3, 3, 3), {"symmetric": True}, swaps(3)),
    ((2, 2, 2), {"symmetric": True}, swaps(3)),
    ((1, 1, 1), {"symmetric": True}, swaps(3)),
    ((3, 2, 3), {"symmetric": [(0, 2)]}, [((2, 1, 0), 1)]),
    ((2, 2, 2, 2), {"symmetric": True}, swaps(4)),
    ((3, 3, 3), {"skew": True}, swaps(3, -1)),
    ((2, 2, 2), {"skew": True}, swaps(3, -1)),
    ((3, 3, 3, 3), {"skew": [(0, 1), (2, 3)], "major": True}, SKEW_PAIRS + MAJOR),
    ((2, 2, 2, 2), {"skew": [(0, 1), (2, 3)]}, SKEW_PAIRS),
    ((2, 2, 2, 2), {"skew": [(0, 1)], "major": True}, SKEW_PAIRS[:1] + MAJOR),
    ((2, 2, 3, 3), {"skew": [(0, 1)], "symmetric": [(2, 3)]}, SKEW_PAIRS[:1] + MINOR[1:]),
    ((2, 3, 3), {"skew": [(1, 2)]}, [((0, 2, 1), -1)]),
    ((3, 2, 3), {"skew": [(0, 2)]}, [((2, 1, 0), -1)]),
]
MODULI = {"symmetric": 21, "skew": 6}
"""Independent numbers in three dimensions: of an elasticity tensor, and of what is skew in pairs that swap."""


def of_tensors(M, v):
    axes = "abcd"[: M.ndim]
    part = jnp.einsum(f"{axes},{axes[0]},{axes[-1]}->{axes[1:-1]}", M, v["u"], v["v"])
    return jnp.sum(v["H"] * jnp.sin(M)) + jnp.sum(part**2) * jnp.sum(v["K"] * M)


@pytest.mark.slow
@pytest.mark.parametrize(("shape", "words", "moves"), TALL, ids=lambda value: str(value)[:24])
def test_more_than_two_axes(shape, words, moves):
    """The mean over the whole group of permutations, and the orbits of entries."""
    rng = np.random.default_rng(sum(shape))
    axes = "abcd"[: len(shape)]
    H, K = rng.normal(size=shape), rng.normal(size=shape)
    left, right = rng.normal(size=shape[0]), rng.normal(size=shape[-1])
    X, h, k = ic.tensor("X", *shape, **words), ic.tensor("H", *shape), ic.tensor("K", *shape)
    u, v = ic.tensor("u", shape[0]), ic.tensor("v", shape[-1])
    inner = ic.einsum(f"{axes},{axes[0]},{axes[-1]}->{axes[1:-1]}", X, u, v)
    ours = (h * ic.sin(X)).sum() + (inner * inner).sum() * (k * X).sum()

    patterns = orbits(shape, moves)
    values = {"H": H, "K": K, "u": left, "v": right}
    if len(shape) == 4 and shape[0] == 3:
        assert len(patterns) == MODULI[min(words.keys() & MODULI.keys())]
    if patterns:
        check(of_tensors, ours, X, patterns, values)
    else:
        assert near(ic.grad(ours, X).evaluate(X=np.zeros(shape), **values), np.zeros(shape))


@pytest.mark.parametrize("word", ["lower", "toeplitz", "circulant", "hankel"])
def test_matrices_with_batch_axes(word):
    """Leading axes are batches: each matrix has the structure."""
    X, A = ic.tensor("X", "b n n", **{word: True}), ic.tensor("A", "b n n")
    count, n = 2, 3
    rng = np.random.default_rng(0)
    single = patterns_of(word, (n, n))
    patterns = []
    for batch, pattern in product(range(count), single):
        whole = np.zeros((count, n, n))
        whole[batch] = pattern
        patterns.append(whole)
    check(of_batches, (A * (X @ X)).sum(), X, patterns, {"A": rng.normal(size=(count, n, n))})


def of_batches(M, v):
    return jnp.sum(v["A"] * (M @ M))


# ------------------------------------------------------------------ what they look like


i, j, k, l = ic.indices("i j k l")  # noqa: E741
A = ic.tensor("A", "n n")
S = ic.tensor("S", "n n", symmetric=True)
K = ic.tensor("K", "n n", skew=True)


def test_the_textbook_forms():
    G = A[k, l]
    f = S[i, j] * A[i, j]
    assert f.diff(S[k, l]) == (G + A[l, k]) / 2
    assert f.diff(S[k, l], structure="free") == G
    of_S = ic.grad((S * A).sum(), S, structure="independent")
    assert of_S == A + A.T - ic.diagm(ic.diag(A))
    skew = (K * A).sum()
    assert ic.grad(skew, K) == (A - A.T) / 2 and ic.grad(skew, K, structure="independent") == A - A.T
    for word in ("lower", "upper"):
        T = ic.tensor("T", "n n", **{word: True})
        masked = ic.tril(A) if word == "lower" else ic.triu(A)
        for structure in ("projected", "independent"):
            assert ic.grad((T * A).sum(), T, structure=structure) == masked
    P = ic.tensor("P", "n n", diagonal=True)
    assert ic.grad((P * A).sum(), P) == ic.diagm(ic.diag(A))


def test_the_gradient_of_a_log_determinant():
    """`S^-1` in one book, `2 S^-1 - diag(S^-1)` in the other."""
    Q = ic.inv(S)
    f = ic.logdet(S)
    assert ic.grad(f, S) == Q
    assert ic.grad(f, S, structure="independent") == 2 * Q - ic.diagm(ic.diag(Q))
    assert ic.grad(f, S, structure="free") == Q


def test_the_free_derivative_is_that_of_the_expression_as_written():
    """The symmetry is used by no step of the derivation, at no order of a call; the result has it again."""
    delta = ic.eye("n")
    crossed = ic.einsum("il,jk->ijkl", delta, delta)
    assert ic.derivative(ic.tr(S @ S), S, order=2, structure="free") == 2 * crossed
    assert ic.hessian(ic.tr(S @ S), S, structure="free") == 2 * crossed
    assert ic.diff(S[i, j] * S[j, i], S[k, l], S[i, j], structure="free") == 2 * crossed[i, j, k, l]
    straight = ic.einsum("ik,jl->ijkl", delta, delta)
    assert ic.hessian(ic.tr(S @ S.T), S, structure="free") == 2 * straight
    assert ic.grad(ic.tr(S @ S), S, structure="free") == 2 * S
    step = ic.define("Y", S @ S)
    assert ic.hessian(ic.tr(step), S, structure="free") == 2 * crossed
    assert ic.grad(ic.tr(step @ step), step, structure="free") == 2 * step.T


def test_products_with_vectors():
    G, V = ic.tensor("G", "n n"), ic.tensor("V", "n n")
    Y = 3 * S @ S - 2 * S @ S @ S
    free = 3 * (G @ S + S @ G) - 2 * (G @ S @ S + S @ G @ S + S @ S @ G)
    mapped = {"free": free, "projected": (free + free.T) / 2}
    mapped["independent"] = free + free.T - ic.diagm(ic.diag(free))
    for structure, expected in mapped.items():
        made = ic.vjp(Y, S, G, structure=structure)
        assert made.equals(expected) and made.structure == structure and structure in made.note
    for structure in mapped:
        along = ic.jvp(S @ S, S, V, structure=structure)
        assert along == V @ S + S @ V
    f = ic.tr(A @ S @ S)
    bent = A.T @ V.T + V.T @ A.T
    assert ic.hvp(f, S, V, structure="free") == bent
    assert ic.hvp(f, S, V).equals((bent + bent.T) / 2)
    assert ic.hvp(f, S, V, structure="independent").equals(bent + bent.T - ic.diagm(ic.diag(bent)))
    W = ic.tensor("W", "n n")
    both = ic.grad(ic.tr(S @ W), [S, W], structure="independent")
    assert both == [W + W.T - ic.diagm(ic.diag(W)), S] and [D.structure for D in both] == ["independent", ""]
    pulled = ic.vjp(S @ W, [S, W], G)
    assert pulled[0] == (G @ W.T + W @ G.T) / 2 and pulled[1] == S @ G


@pytest.mark.parametrize("word", ["symmetric", "skew", "toeplitz", "lower", "symmetric circulant", "diagonal"])
def test_along_directions_with_the_structure_products_are_contractions(word):
    X, V = declared("X", "n", "n", words=word), declared("V", "n", "n", words=word)
    f = ic.tr(A @ X @ X @ A) + (ic.sin(X) * A).sum()
    assert ic.hvp(f, X, V).equals(ic.einsum("ijkl,kl->ij", ic.hessian(f, X), V))
    assert ic.jvp(X @ A @ X, X, V).equals(ic.einsum("ijkl,kl->ij", ic.derivative(X @ A @ X, X), V))
    assert ic.vjp(X @ A @ X, X, A).equals(ic.grad((X @ A @ X * A).sum(), X))


def test_a_differential_has_the_structure_of_its_variable():
    T = ic.tensor("T", "n n", lower=True)
    made = ic.differential(ic.tr(A @ T), [T])
    (dT,) = [variable for variable in made.inputs if variable.label == "dT"]
    assert dT.assumptions == {"lower"}
    M = ic.tensor("M", "n n", positive_definite=True)
    assert ic.differential(ic.tr(A @ M), [M]) == ic.tr(A @ ic.tensor("dM", "n n", symmetric=True))
    assert ic.differential(ic.tr(A @ M), [M], structure="free") == ic.tr(A @ ic.tensor("dM", "n n"))


def test_results_say_which_one_they_are():
    notes = set()
    for structure in ("projected", "independent", "free"):
        for made in (
            ic.grad(ic.tr(A @ S), S, structure=structure),
            (A[i, j] * S[i, j]).diff(S[k, l], structure=structure),
            ic.derivative(S @ A, S, structure=structure),
            pickle.loads(pickle.dumps(ic.hessian(ic.tr(S @ S), S, structure=structure))),
        ):
            assert made.structure == structure and f"structure={structure!r}" in made.note
            notes.add(made.note)
        assert ic.grad(ic.tr(A @ S), A, structure=structure).note == ""
    assert len(notes) == 3
    x = ic.tensor("x", "n")
    form = x @ S @ x
    assert ic.derivative(ic.grad(form, S, structure="independent"), x).structure == "independent"
    assert (x[i] * S[i, j] * x[j]).diff(S[i, j], structure="free").diff(x[k]).structure == "free"
    x = ic.tensor("x", "n", positive=True)
    assert ic.grad(x @ x, x).note == "" and ic.grad(x @ x, x, structure="free").structure == ""


@pytest.mark.parametrize("word", ["hankel", "circulant", "symmetric circulant", "skew circulant", "symmetric toeplitz"])
def test_inputs_are_checked_for_their_structure(word):
    X = declared("X", "n", "n", words=word)
    for size in (1, 2, 3, 5):
        rng = np.random.default_rng(size)
        made = respecting(X.node, rng.normal(size=(size, size)))
        basis = np.array(patterns_of(word, (size, size))).reshape(-1, size * size)
        assert np.linalg.matrix_rank(np.vstack([basis, made.reshape(1, -1)])) == len(basis), "it lies in the space"
        assert np.array_equal(X.evaluate(X=made), made) and check_derivative(ic.tr(X @ X @ X), X)
        if size > 1:
            with pytest.raises(ic.InputError, match="declared"):
                X.evaluate(X=rng.normal(size=(size, size)))


# ------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("words", "found", "instead"),
    [
        ("symmetric lower", "declared lower, symmetric, and together", "declare it diagonal"),
        ("positive_definite upper", "positive_definite, upper, and together", "declare it diagonal"),
        ("toeplitz hankel", "no disjoint patterns", "declare fewer"),
        ("toeplitz diagonal", "no disjoint patterns", "declare fewer"),
        ("circulant lower", "no disjoint patterns", "declare fewer"),
        ("orthogonal", "no linear space", 'structure="free"'),
        ("orthogonal symmetric", "no linear space", 'structure="free"'),
        ("stochastic", "no linear space", 'structure="free"'),
    ],
)
def test_what_has_no_rule_says_why(words, found, instead):
    X = declared("X", "n", "n", words=words)
    for structure in ("projected", "independent"):
        for make in (ic.grad, ic.hessian):
            with pytest.raises(ic.DerivativeError) as error:
                make(ic.tr(A @ X @ X), X, structure=structure)
            assert found in error.value.found and instead in error.value.instead and "X" in error.value.asked
        with pytest.raises(ic.DerivativeError, match="free"):
            ic.vjp(X @ A, X, A, structure=structure)
    assert ic.grad(ic.tr(A @ X), X, structure="free") == A.T


@pytest.mark.parametrize(
    ("dims", "words", "found"),
    [
        ("n n", {"skew": True, "symmetric": True}, "only zero"),
        ("n n n", {"skew": [(0, 1)], "symmetric": [(1, 2)]}, "only zero"),
        ("n n n n", {"skew": [(0, 1)], "symmetric": [(2, 3)], "major": True}, "only zero"),
        ("n n n n", {"skew": [(0, 1)], "symmetric": [(0, 2), (1, 3)]}, "only zero"),
        ("n n", {"skew": True, "diagonal": True}, "only zero"),
        ("n n", {"skew": True, "lower": True}, "only zero"),
        ("n n", {"skew": True, "upper": True}, "only zero"),
        ("n n", {"skew": True, "hankel": True}, "only zero"),
        ("k n n", {"skew": [(1, 2)], "lower": True}, "only zero"),
        ("n n", {"skew": True, "positive_definite": True}, "only zero"),
        ("n n", {"skew": True, "positive": True}, "no such tensor"),
        ("n n n", {"skew": [(0, 1)], "positive": True}, "no such tensor"),
        ("n n", {"skew": True, "stochastic": True}, "no such tensor"),
        ("n n", {"positive": "no"}, "neither a bool"),
        ("n n", {"symmetric": "yes"}, "neither a bool"),
        ("n n", {"skew": 1}, "neither a bool"),
        ("n n", {"symmetric": []}, "neither a bool"),
        ("n n", {"orthogonal": None}, "neither a bool"),
        ("n n", {"lower": [(0, 1)]}, "neither a bool"),
        ("n n", {"skew": [(0,)]}, "slots"),
        ("n n", {"skew": [(0, 0)]}, "slots"),
        ("n n", {"skew": [(0, 2)]}, "slots"),
        ("n n", {"skew": [(-1, 0)]}, "slots"),
        ("n n", {"skew": (0, 1)}, "slots"),
        ("n n", {"symmetric": ["ab"]}, "slots"),
        ("n n m", {"skew": [(0, 2)]}, "dimensions"),
    ],
)
def test_declarations_that_mean_nothing_are_refused(dims, words, found):
    with pytest.raises(ic.IndexCalcError) as error:
        ic.tensor("T", dims, **words)
    assert found in str(error.value)


def test_groups_that_are_skew_are_skew_in_these_slots_alone():
    """A Riemann tensor is skew in each pair, and the pairs swap; the first Bianchi identity is not assumed."""
    i, j, k, m = ic.indices("i j k m")
    R = ic.tensor("R", "n n n n", skew=[(0, 1), (2, 3)], major=True)
    assert R[i, j, k, m] == -R[j, i, k, m] == -R[i, j, m, k] == R[k, m, i, j] == R[m, k, j, i]
    assert (R[i, i, k, m]).simplify() == 0 and R[i, j, i, j].simplify() != 0
    assert R[i, j, k, m] != R[i, k, m, j] and not R[i, j, k, m].equals(R[i, k, m, j])
    whole = ic.tensor("R", 4, 4, 4, 4, skew=[(0, 1), (2, 3)], major=True)
    cyclic = whole[i, j, k, m] + whole[i, k, m, j] + whole[i, m, j, k]
    assert not cyclic.equals(0 * cyclic), "in three dimensions it would be 0 by the other symmetries"
    one = ic.tensor("R", "n n n n", skew=[(0, 1)], major=True)
    assert one[i, j, k, m] == -one[i, j, m, k], "the pair swap carries one pair into the other"
    elastic = ic.tensor("C", "n n n n", symmetric=[(0, 1)], major=True)
    assert elastic[i, j, k, m] == elastic[i, j, m, k]
    batch = ic.tensor("K", "b n n", skew=[(1, 2)])
    assert batch.mT == -batch
    with pytest.raises(ic.InputError, match="skew"):
        batch.evaluate(K=np.ones((2, 3, 3)))
    with pytest.raises(ic.InputError, match="transpose"):
        ic.tensor("M", "a b a b", major=True).evaluate(M=np.arange(16.0).reshape(2, 2, 2, 2))


def test_other_errors():
    for make in (
        lambda: ic.grad(ic.tr(A), A, structure="both"),
        lambda: ic.jvp(A @ A, A, A, structure="both"),
        lambda: ic.vjp(A @ A, A, A, structure=None),
        lambda: ic.hvp(ic.tr(A @ A), A, A, structure="both"),
        lambda: ic.diff(A[i, i], A[k, l], structure="both"),
    ):
        with pytest.raises(ic.DerivativeError, match="is not known"):
            make()
    T = ic.tensor("T", *["n"] * 5, symmetric=True)
    assert ic.grad((T * T).sum(), T) == 2 * T
    with pytest.raises(ic.DerivativeError, match="5 axes"):
        ic.grad((T * T).sum(), T, structure="independent")
    big = ic.tensor("T", *["n"] * 7, symmetric=True)
    with pytest.raises(ic.DerivativeError, match="720"):
        ic.grad((big * big).sum(), big)
    with pytest.raises(ic.DimensionError, match="square"):
        ic.tensor("C", "m n", circulant=True)
    with pytest.raises(ic.NotationError, match="fewer than 2"):
        ic.tensor("t", "n", hankel=True)


def test_groups_are_closed():
    """Of what `symmetric=[(0, 1)]` and `major` say together, the other pair follows."""
    tensor = ic.tensor("C", "n n n n", symmetric=[(0, 1)], major=True)
    assert len(space_of(tensor.node, "").group) == 8
    with pytest.raises(ic.NameRefused, match="did you mean 'toeplitz'"):
        bands("toplitz", 3, 3)
    full = ic.tensor("C", "n n n", symmetric=True)
    assert {perm for perm, _ in space_of(full.node, "").group} == set(permutations(range(3)))
