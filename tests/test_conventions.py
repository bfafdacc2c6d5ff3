"""The table of conventions: each row against its definition, written here with NumPy from the Jacobians of JAX."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs import DRAWN, SHAPES, TENSORS, arrays, program, sizes

import indexcalc as ic
from indexcalc.layout.conventions import CONVENTIONS, OUTER_FIRST, Convention, Example, Pack, tensor
from indexcalc.layout.project import Layout
from indexcalc.layout.with_numpy import numpy_text
from indexcalc.notation.matrices import both_places, voigt_places

Numbers = np.ndarray[Any, Any]
names = pytest.mark.parametrize("name", CONVENTIONS)

# ------------------------------------------------------------------ what each convention means


def vec(array: Numbers, order: Any) -> Numbers:
    return np.reshape(array, -1, order=order)


def numerator(J: Numbers, top: int, bottom: int) -> Numbers | None:
    """The axes of the numerator, then those of the denominator reversed, if they are two; one is a column or a row."""
    if top + bottom > 2:
        return None
    J = np.transpose(J, (*range(top), *range(top, top + bottom)[::-1]))
    return J if J.ndim == 2 else J.reshape((-1, 1) if top else (1, -1))


def denominator(J: Numbers, top: int, bottom: int) -> Numbers | None:
    turned = numerator(J, top, bottom)
    return None if turned is None else turned.T


def mixed(J: Numbers, top: int, bottom: int) -> Numbers | None:
    return numerator(J, top, bottom) if top else denominator(J, top, bottom)


def vectorised(J: Numbers, top: int, order: Any) -> Numbers:
    """Column b is the vec of the derivative of the value by entry b of the vec of the variable."""
    bottom = J.shape[top:]
    places = [np.unravel_index(b, bottom, order=order) for b in range(int(np.prod(bottom)))]
    return np.stack([vec(J[(..., *place)] if place else J, order) for place in places], axis=1)


PLAIN: dict[str, Callable[[Numbers, int, int], Numbers | None]] = {
    "numerator": numerator,
    "denominator": denominator,
    "mixed": mixed,
    "cookbook": mixed,
    "gradient": lambda J, top, bottom: None if top else J,
    "jax": lambda J, top, bottom: J,
    "pytorch": lambda J, top, bottom: J,
    "tensor": lambda J, top, bottom: J,
    "magnus-neudecker": lambda J, top, bottom: vectorised(J, top, "F"),
    "vec-columns": lambda J, top, bottom: vectorised(J, top, "F"),
    "vec-rows": lambda J, top, bottom: vectorised(J, top, "C"),
}
"""What is expected of a Jacobian whose first axes are the value's; None where there is no such layout."""

VOIGT = {2: [(0, 0), (1, 1), (0, 1)], 3: [(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]}


def entries(name: str, n: int) -> list[tuple[int, int]]:
    """The entries of a symmetric matrix in the order of a convention."""
    return [(i, j) for j in range(n) for i in range(j, n)] if name == "vech" else VOIGT[n]


SHEAR = {"vech": (1, 1), "voigt-stress": (1, 2), "voigt-strain": (2, 1), "mandel": (2**0.5, 2**0.5)}
"""By how much a coordinate is larger than the entry off the diagonal: in the value, and in the variable."""


def coordinates(name: str, Y: Any) -> Any:
    """The vector of a symmetric value."""
    factor = SHEAR[name][0]
    return jnp.stack([Y[i, j] * (1 if i == j else factor) for i, j in entries(name, len(Y))])


def from_coordinates(name: str, c: Any, n: int) -> Any:
    """The symmetric matrix whose vector, as a variable, is c."""
    X = jnp.zeros((n, n))
    for place, (i, j) in enumerate(entries(name, n)):
        value = c[place] / (1 if i == j else SHEAR[name][1])
        X = X.at[i, j].set(value).at[j, i].set(value)
    return X


def to_coordinates(name: str, X: Numbers) -> Numbers:
    """The vector of a symmetric variable."""
    return np.array([X[i, j] * (1 if i == j else SHEAR[name][1]) for i, j in entries(name, len(X))])


def test_every_convention_has_a_definition() -> None:
    assert {*PLAIN, *SHEAR} == set(CONVENTIONS)


# ------------------------------------------------------------------ the rows


@names
def test_a_row_says_everything(name: str) -> None:
    row = CONVENTIONS[name]
    assert row.name == name and row.users and row.rows and row.chain.words and row.example.formula
    assert row.chain.numpy or row.chain.words.startswith("none: ")


def derived(example: Example) -> Any:
    """The derivative of an example."""
    made = {}
    for word, dims in example.tensors.items():
        view = ic.tensor(word, dims, symmetric=word in example.symmetric.split())
        made[word] = ic.column(view) if view.order == 1 else view
    return ic.derivative(ic.parse(example.expression, **made), made[example.by], example.order)


@names
def test_the_example_of_a_row(name: str) -> None:
    example = CONVENTIONS[name].example
    laid = derived(example).layout(name)
    assert str(laid) == example.formula and str(laid.shape).replace("'", "") == example.shape


# ------------------------------------------------------------------ a person adds a row


@contextmanager
def added(row: Convention) -> Iterator[None]:
    """The table with one more row."""
    CONVENTIONS[row.name] = row
    try:
        yield
    finally:
        del CONVENTIONS[row.name]


def test_a_convention_is_added_by_a_row() -> None:
    """Stresses by stresses in Voigt's order: plain rows, doubled columns, so that the matrices multiply."""
    row = Convention(
        "voigt-stress-by-stress", "return mapping in plasticity", "value and variable stress-like", "11 22 33 23 13 12",
        OUTER_FIRST, Example("s", "s", {"s": "3 3"}, "", "(6, 6)", "s"), tensor,
        Pack(lambda n: voigt_places("stress", n), both_places_in_voigt, (1.0, 2.0), True),
    )  # fmt: skip
    s = ic.tensor("s", 3, 3, symmetric=True)
    deviator = ic.derivative(s - ic.tr(s) / 3 * ic.eye(3), s)
    with added(row):
        laid = deviator.layout(row.name)
        expected = np.diag([1.0] * 6) - np.pad(np.ones((3, 3)), (0, 3)) / 3
        assert np.allclose(laid.evaluate(), expected)
        assert row.name in [line.name for line in deviator.layouts()] and row.name in str(deviator.layouts())
        assert np.allclose(eval(deviator.layouts()[row.name].numpy, {"D": deviator.evaluate(), "np": np}), expected)
    with pytest.raises(ic.LayoutError):
        deviator.layout(row.name)


def both_places_in_voigt(n: Any) -> Any:
    """1 at (k, l) and at (l, k)."""
    assert both_places(n).dims == voigt_places("strain", n).dims
    return voigt_places("strain", n)


# ------------------------------------------------------------------ random derivatives


def checked(name: str, D: Any, given: dict[str, Any], known: dict[str, int], expected: Numbers | None) -> None:
    """The layout has the expected numbers, and its NumPy expression makes them; or there is none."""
    if expected is None:
        with pytest.raises(ic.LayoutError) as caught:
            D.layout(name)
        assert caught.value.asked and caught.value.found and caught.value.instead
        DRAWN[f"{name} refused"] += 1
        return
    laid = D.layout(name)
    assert isinstance(laid, Layout) and laid.convention == name
    close(evaluated(laid, given, known), expected, name)
    numbers = evaluated(D, given, known)
    close(eval(numpy_text(D, laid), {"D": numbers, "np": np, **known}), expected, numpy_text(D, laid))
    DRAWN[f"layout {name}"] += 1


def evaluated(view: Any, given: dict[str, Any], known: dict[str, int]) -> Numbers:
    values = {variable.label: given[variable.label] for variable in view.inputs}
    dims = [dim for node in (view.node, *view.inputs) for dim in node.dims]
    symbols = {symbol for dim in dims for symbol in getattr(dim, "symbols", ())}
    return np.asarray(view.evaluate(values, **{word: known[word] for word in symbols}))


def close(ours: Any, expected: Numbers, what: str) -> None:
    scale = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    assert np.shape(ours) == expected.shape, (what, np.shape(ours), expected.shape)
    assert np.allclose(ours, expected, rtol=1e-7, atol=1e-8 * scale), what


def fresh(name: str, letters: str) -> tuple[Any, ...]:
    """New indices for a tensor."""
    return tuple(ic.index(f"{letters}{k}") for k, _ in enumerate(SHAPES[name].split()))


@given(st.integers(0, 2**40))
def test_random_index_expressions(seed: int) -> None:
    """First and second derivatives by any tensor, in each convention that knows nothing of symmetry."""
    rng = random.Random(seed)
    twin = program(rng, 1 + seed % 3)
    order = 2 if rng.random() < 0.3 and len(twin.names) < 2 else 1
    targets = [rng.choice(list(SHAPES)) for _ in range(order)]
    known = sizes(rng)
    numbers = arrays(rng, known)
    function = twin.run
    for name in targets:
        function = _jacobian(function, name)
    J = np.asarray(function({name: jnp.asarray(value) for name, value in numbers.items()}))
    by = [_indexed(name, f"u{k}_") for k, name in enumerate(targets)]
    D = twin.expr.diff(*by)
    J = np.transpose(J, [*(twin.names.index(index.name) for index in D.of), *range(len(twin.names), J.ndim)])
    last = len(SHAPES[targets[-1]].split())
    for name, expected in PLAIN.items():
        checked(name, D, numbers, known, expected(J, J.ndim - last, last))
    if len(D.of) < 2 or any(len(SHAPES[name].split()) > 1 for name in targets):  # else the value may be symmetric
        for name in SHEAR:
            checked(name, D, numbers, known, None)


def _jacobian(function: Callable[[Any], Any], name: str) -> Callable[[Any], Any]:
    return lambda values: jax.jacobian(lambda value: function({**values, name: value}))(values[name])


def _indexed(name: str, letters: str) -> Any:
    return TENSORS[name][fresh(name, letters)] if SHAPES[name] else TENSORS[name]


# ------------------------------------------------------------------ random functions of a symmetric matrix


class Symmetric(NamedTuple):
    """A function of the symmetric matrix E, and the same in JAX."""

    expr: ic.Array
    run: Callable[[dict[str, Any]], Any]


def symmetric_program(rng: random.Random, depth: int, n: int) -> Symmetric:
    """A symmetric matrix."""
    E, K, B = (ic.tensor(name, n, n, symmetric=name != "B") for name in "EKB")
    if not depth:
        return Symmetric(K, lambda v: v["K"]) if rng.random() < 0.3 else Symmetric(E, lambda v: v["E"])
    one = symmetric_program(rng, depth - 1, n)
    kind = rng.choice(["sum", "congruence", "scaled", "inverse", "tanh", "square", "symmetric part"])
    DRAWN[kind] += 1
    if kind == "sum":
        two = symmetric_program(rng, rng.randrange(depth), n)
        return Symmetric(one.expr - 2 * two.expr, lambda v: one.run(v) - 2 * two.run(v))
    if kind == "congruence":
        return Symmetric(B @ one.expr @ B.T, lambda v: v["B"] @ one.run(v) @ v["B"].T)
    if kind == "scaled":
        scale = scalar_program(rng, rng.randrange(depth), n)
        return Symmetric(scale.expr * one.expr, lambda v: scale.run(v) * one.run(v))
    if kind == "inverse":
        shifted = ic.tanh(one.expr) / 2 + 3 * ic.eye(n)
        return Symmetric(ic.inv(shifted), lambda v: jnp.linalg.inv(jnp.tanh(one.run(v)) / 2 + 3 * jnp.eye(n)))
    if kind == "tanh":
        return Symmetric(ic.tanh(one.expr), lambda v: jnp.tanh(one.run(v)))
    if kind == "square":
        return Symmetric(one.expr @ one.expr, lambda v: one.run(v) @ one.run(v))
    return Symmetric(ic.sym(B @ one.expr), lambda v: (v["B"] @ one.run(v) + (v["B"] @ one.run(v)).T) / 2)


def scalar_program(rng: random.Random, depth: int, n: int) -> Symmetric:
    """A scalar function of E."""
    one = symmetric_program(rng, depth, n)
    B = ic.tensor("B", n, n)
    kind = rng.choice(["trace", "trace with B", "energy", "logdet"])
    DRAWN[kind] += 1
    if kind == "trace":
        return Symmetric(ic.tr(one.expr), lambda v: jnp.trace(one.run(v)))
    if kind == "trace with B":
        return Symmetric(ic.tr(B @ one.expr), lambda v: jnp.trace(v["B"] @ one.run(v)))
    if kind == "energy":
        return Symmetric(ic.sum(one.expr**2) / 2, lambda v: jnp.sum(one.run(v) ** 2) / 2)
    return Symmetric(
        ic.logdet(ic.tanh(one.expr) / 2 + 3 * ic.eye(n)),
        lambda v: jnp.linalg.slogdet(jnp.tanh(one.run(v)) / 2 + 3 * jnp.eye(n))[1],
    )


def mapped(structure: str, J: Numbers, count: int) -> Numbers:
    """A free derivative as `structure` has it, on the last `count` pairs of axes."""
    n = J.shape[-1]
    for pair in range(count):
        a = J.ndim - 2 * pair - 2
        if structure != "free":
            J = (J + np.swapaxes(J, a, a + 1)) / 2
        if structure == "independent":
            J = J * np.reshape(2 - np.eye(n), (n, n) + (1,) * (2 * pair))
    return J


@given(st.integers(0, 2**40))
def test_random_functions_of_a_symmetric_matrix(seed: int) -> None:
    """The vectors of values by the vectors of variables, derived in JAX through the vectors themselves."""
    rng = random.Random(seed)
    n, order, scalar = rng.choice([2, 3]), rng.choice([1, 1, 2]), rng.random() < 0.5
    order = order if scalar else 1
    made = (scalar_program if scalar else symmetric_program)(rng, 1 + seed % 2, n)
    draw = np.random.default_rng(seed)
    given = {name: draw.uniform(-1, 1, (n, n)) for name in "EKB"}
    given |= {name: given[name] + given[name].T for name in "EK"}
    fixed = {name: jnp.asarray(value) for name, value in given.items()}
    structure = rng.choice(["projected", "independent", "free"])
    DRAWN[f"symmetric, {structure}, order {order}, {'scalar' if scalar else 'matrix'}"] += 1
    E = ic.tensor("E", n, n, symmetric=True)
    D = ic.derivative(made.expr, E, order, structure=structure)
    assert D.structure == structure

    def through(name: str) -> Numbers:
        def function(c: Any) -> Any:
            value = made.run({**fixed, "E": from_coordinates(name, c, n)})
            return value if scalar else coordinates(name, value)

        for _ in range(order):
            function = jax.jacobian(function)
        found = np.asarray(function(jnp.asarray(to_coordinates(name, given["E"]))))
        return found[None] if name == "vech" and found.ndim == 1 else found

    for name in SHEAR:
        try:
            D.layout(name)
        except ic.LayoutError as error:
            assert "not known to be symmetric" in error.found
            DRAWN["symmetry of a value not recognised"] += 1
            continue
        checked(name, D, given, {}, through(name))
    if structure == "free" and order == 2:
        return  # a first derivative as it was written, derived again: no JAX function is that
    free: Callable[[Any], Any] = made.run
    for _ in range(order):
        free = _jacobian(free, "E")
    J = mapped(structure, np.asarray(free(fixed)), order)
    for name, expected in PLAIN.items():
        checked(name, D, given, {}, expected(J, J.ndim - 2, 2))
