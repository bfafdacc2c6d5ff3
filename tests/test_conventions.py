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
from truths import truth

import indexcalc as ic
from indexcalc.functions.known import both_places, voigt_places
from indexcalc.layout.conventions import CONVENTIONS, OUTER_FIRST, Convention, Example, Pack, tensor
from indexcalc.testing.definitions import PLAIN, SHEAR, VOIGT, coordinates, entries
from indexcalc.views.derivatives.projection import Layout, numpy_of

Numbers = np.ndarray[Any, Any]
names = pytest.mark.parametrize("name", CONVENTIONS)

# ------------------------------------------------------------------ what each convention means


def by_slopes(name: str, J: Numbers, axis: int, n: int) -> Numbers:
    """The derivative by the vector of a symmetric variable, from that by its entries i >= j, column by column."""
    order = [entries("vech", n).index((max(place), min(place))) for place in entries(name, n)]
    slopes = [np.take(J, at, axis) for at in order]
    factors = [1 if i == j else SHEAR[name][1] for i, j in entries(name, n)]
    return np.stack([slope / factor for slope, factor in zip(slopes, factors, strict=True)], axis)


def from_entries(theta: Any, n: int) -> Any:
    """The symmetric matrix with these entries i >= j, column by column."""
    basis = np.zeros((len(entries("vech", n)), n, n))
    for place, (i, j) in enumerate(entries("vech", n)):
        basis[place, i, j] = basis[place, j, i] = 1
    return jnp.tensordot(theta, basis, 1)


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
    close(eval(numpy_of(D, laid), {"D": numbers, "np": np, **known}), expected, numpy_of(D, laid))
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
    inputs = {name: jnp.asarray(value) for name, value in numbers.items()}
    (J,) = truth("jacobian", seed, [twin.expr, targets, *numbers.values()], lambda: [jax.jit(function)(inputs)])
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


@pytest.mark.slow
@given(st.integers(0, 2**40))
def test_random_functions_of_a_symmetric_matrix(seed: int) -> None:
    """The vectors of values by the vectors of variables, derived in JAX by the independent entries."""
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

    by_entries: Callable[[Any], Any] = lambda theta: made.run({**fixed, "E": from_entries(theta, n)})  # noqa: E731
    for _ in range(order):
        by_entries = jax.jacobian(by_entries)
    theta = np.array([given["E"][place] for place in entries("vech", n)])
    example = [made.expr, order, *given.values()]
    (slopes,) = truth("entries", seed, example, lambda: [jax.jit(by_entries)(theta)])

    def through(name: str) -> Numbers:
        """The vector of the value by the vector of the variable, once or twice."""
        found = slopes if scalar else coordinates(name, slopes, 0)
        for axis in range(found.ndim - order, found.ndim):
            found = by_slopes(name, found, axis, n)
        return found[None] if name == "vech" and found.ndim == 1 else found

    for name in SHEAR:
        try:
            D.layout(name)
        except ic.LayoutError as error:
            if "not known to be symmetric" not in error.found:
                raise
            DRAWN["symmetry of a value not recognised"] += 1
            continue
        checked(name, D, given, {}, through(name))
    if structure == "free" and order == 2:
        return  # a first derivative as it was written, derived again: no JAX function is that
    free: Callable[[Any], Any] = made.run
    for _ in range(order):
        free = _jacobian(free, "E")
    (entire,) = truth("symmetric", seed, example, lambda: [jax.jit(free)(fixed)])
    J = mapped(structure, entire, order)
    for name, expected in PLAIN.items():
        checked(name, D, given, {}, expected(J, J.ndim - 2, 2))


# ------------------------------------------------------------------ the chain rule in each

rng = np.random.default_rng(0)
VALUES = {"x": rng.normal(size=3), "A": rng.normal(size=(4, 3)), "B": rng.normal(size=(2, 4)), "u": rng.normal(size=2)}
MATRICES = {"X": rng.normal(size=(3, 2)), "P": rng.normal(size=(4, 3)), "Q": rng.normal(size=(2, 5)),
            "R": rng.normal(size=(3, 4))}  # fmt: skip
TENSORIAL = {"E": rng.normal(size=(3, 3)), "K": rng.normal(size=(3, 3))}
TENSORIAL = {name: value + value.T for name, value in TENSORIAL.items()}


def vectors(scalar: bool) -> list[Any]:
    """x, y(x), and z(y) or L(y), with y as a named step."""
    x, A, B, u = (ic.tensor(name, value) for name, value in {"x": "n", "A": "p n", "B": "q p", "u": "q"}.items())
    y = ic.define("y", ic.sin(A @ x))
    z = ic.tanh(B @ y)
    return [x, y, u @ z if scalar else z]


def of_matrices(scalar: bool) -> list[Any]:
    """X, Y(X), and Z(Y) or L(Y)."""
    X, P, Q, R = (ic.tensor(name, dims) for name, dims in {"X": "n m", "P": "p n", "Q": "m q", "R": "r p"}.items())
    Y = ic.define("Y", P @ ic.sin(X) @ Q)
    return [X, Y, ic.sum(ic.tanh(Y)) if scalar else R @ ic.tanh(Y)]


def of_tensors(scalar: bool) -> list[Any]:
    """E, Y(E), and Z(Y) or L(Y), symmetric all."""
    E, K = (ic.tensor(name, 3, 3, symmetric=True) for name in "EK")
    Y = ic.define("Y", K @ E @ K + ic.tr(E) * ic.eye(3))
    return [E, Y, ic.sum(Y**2) if scalar else Y @ Y]


CHAINS = {"vectors": (vectors, VALUES), "matrices": (of_matrices, MATRICES), "tensors": (of_tensors, TENSORIAL)}


def chain_of(name: str) -> str:
    """The chains that a convention is tried on."""
    if name in SHEAR:
        return "tensors"
    return "vectors" if name in ("numerator", "denominator", "mixed", "cookbook") else "matrices"


def whole(view: Any, values: dict[str, Any]) -> Numbers:
    """The numbers with named steps opened."""
    opened = view.expand_definitions()
    return np.asarray(opened.evaluate({variable.label: values[variable.label] for variable in opened.inputs}))


@names
@pytest.mark.parametrize("scalar", [False, True], ids=["tensor", "scalar"])
def test_the_chain_rule(name: str, scalar: bool) -> None:
    """Two layouts, multiplied as the row says, are the layout of the composed derivative."""
    row = CONVENTIONS[name]
    kind = chain_of(name)
    make, values = CHAINS[kind]
    x, y, z = make(scalar)
    if not row.chain.numpy:
        with pytest.raises(ic.LayoutError):
            ic.derivative(y.expand_definitions(), x).layout(name)
        return
    outer, inner = ic.derivative(z, y).layout(name), ic.derivative(y.expand_definitions(), x).layout(name)
    composed = ic.derivative(z.expand_definitions(), x).layout(name)
    parts = {"outer": whole(outer, values), "inner": whole(inner, values)}
    product = eval(row.chain.numpy, {"np": np, "scalar": scalar, "order": y.order, **parts})
    close(product, whole(composed, values), row.chain.numpy)


@pytest.mark.parametrize("name", ["jax", "magnus-neudecker", "vec-rows"])
def test_the_chain_rule_of_vectors_too(name: str) -> None:
    x, y, z = vectors(False)
    outer, inner = ic.derivative(z, y).layout(name), ic.derivative(y.expand_definitions(), x).layout(name)
    parts = {"outer": whole(outer, VALUES), "inner": whole(inner, VALUES)}
    product = eval(CONVENTIONS[name].chain.numpy, {"np": np, "scalar": False, "order": 1, **parts})
    close(product, whole(ic.derivative(z.expand_definitions(), x).layout(name), VALUES), name)


# ------------------------------------------------------------------ mechanics


lam, mu = ic.scalar("lam"), ic.scalar("mu")


def isotropic(n: int, m: float, l: float) -> Numbers:  # noqa: E741
    """Hooke's law by hand: λ between the normal strains, 2μ for them, μ for the engineering shear strains."""
    made = m * np.eye(n * (n + 1) // 2)
    made[:n, :n] = l + 2 * m * np.eye(n)
    return made


@pytest.mark.parametrize("n", [2, 3])
def test_hookes_law(n: int) -> None:
    """C_IJ as textbooks print it, as a Hessian of the energy and as a derivative of the stress; its inverse."""
    eps, sig = ic.tensor("eps", n, n, symmetric=True), ic.tensor("sig", n, n, symmetric=True)
    energy = lam / 2 * ic.tr(eps) ** 2 + mu * ic.tr(eps @ eps)
    stress = lam * ic.tr(eps) * ic.eye(n) + 2 * mu * eps
    strain = sig / (2 * mu) - lam / (2 * mu * (n * lam + 2 * mu)) * ic.tr(sig) * ic.eye(n)
    numbers = {"lam": 1.3, "mu": 0.7}
    expected = isotropic(n, 0.7, 1.3)
    for C in (ic.hessian(energy, eps), ic.derivative(stress, eps), ic.derivative(stress, eps, structure="free")):
        assert np.allclose(C.layout("voigt-stress").evaluate(numbers), expected)
    compliance = ic.derivative(strain, sig).layout("voigt-strain").evaluate(numbers)
    assert np.allclose(compliance, np.linalg.inv(expected))
    stiff, soft = (ic.derivative(a, b).layout("mandel") for a, b in ((stress, eps), (strain, sig)))
    assert np.allclose(soft.evaluate(numbers), np.linalg.inv(stiff.evaluate(numbers)))
    plain = np.where(np.arange(len(expected)) < n, 1, 2**0.5)
    assert np.allclose(stiff.evaluate(numbers), expected * np.outer(plain, plain))


def test_a_general_stiffness_has_its_entries() -> None:
    """C_IJ = C_ijkl, no factors; strain-like 1, 2, 4; Mandel 1, √2, 2; and the order 11 22 33 23 13 12."""
    C, eps = ic.tensor("C", 3, 3, 3, 3, symmetric=[(0, 1), (2, 3)], major=True), ic.tensor("eps", 3, 3, symmetric=True)
    i, j, k, m, p, q, r, s = ic.indices("i j k m p q r s")
    D = (eps[i, j] * C[i, j, k, m] * eps[k, m] / 2).diff(eps[p, q], eps[r, s])
    places = VOIGT[3]
    values = np.random.default_rng(1).normal(size=(6, 6))
    values = values + values.T
    numbers = np.zeros((3, 3, 3, 3))
    for a, (i_, j_) in enumerate(places):
        for b, (k_, l_) in enumerate(places):
            for one in ((i_, j_), (j_, i_)):
                for two in ((k_, l_), (l_, k_)):
                    numbers[(*one, *two)] = values[a, b]
    factors = np.array([1, 1, 1, 2, 2, 2])
    found = {name: D.layout(name).evaluate(C=numbers) for name in ("voigt-stress", "voigt-strain", "mandel")}
    assert np.allclose(found["voigt-stress"], values)
    assert np.allclose(found["voigt-strain"], values * np.outer(factors, factors))
    assert np.allclose(found["mandel"], values * np.sqrt(np.outer(factors, factors)))


def test_gradients_are_vectors_of_six() -> None:
    """∂ψ/∂ε is the stress: plain entries, as the derivative by the engineering strain; ∂ψ*/∂σ is that strain."""
    e, A = ic.tensor("e", 3, 3, symmetric=True), ic.tensor("A", 3, 3)
    a = np.arange(9.0).reshape(3, 3)
    D = ic.grad(ic.tr(A @ e), e)
    both = (a + a.T) / 2
    stress = np.array([both[place] for place in VOIGT[3]])
    assert np.allclose(D.layout("voigt-stress").evaluate(A=a), stress)
    assert np.allclose(D.layout("voigt-strain").evaluate(A=a), stress * [1, 1, 1, 2, 2, 2])
    assert np.allclose(D.layout("mandel").evaluate(A=a), stress * np.sqrt([1, 1, 1, 2, 2, 2]))
    piezo = ic.tensor("d", 3, 3, 3, symmetric=[(1, 2)])
    i, j, k = ic.indices("i j k")
    made = (piezo[i, j, k] * e[j, k]).diff(e[ic.index("p"), ic.index("q")]).layout("voigt-stress")
    assert made.shape == (3, 6)


def test_vech_of_the_corpus() -> None:
    """∂tr(AX)/∂vech X is duplication(n).T @ vec(A.T) (Magnus and Neudecker), whatever the structure."""
    A, X = ic.tensor("A", "n n"), ic.tensor("X", "n n", symmetric=True)
    expected = ic.duplication("n").T @ ic.vec(A.T)
    a = np.random.default_rng(2).normal(size=(4, 4))
    for structure in ("projected", "independent", "free"):
        row = ic.grad(ic.tr(A @ X), X, structure=structure).layout("vech")
        assert row.shape[0] == 1 and np.allclose(row.evaluate(A=a)[0], expected.evaluate(A=a))


# ------------------------------------------------------------------ what no pair can be made of


@pytest.mark.parametrize("name", SHEAR)
@pytest.mark.parametrize("structure", ["projected", "independent", "free"])
def test_index_notation_has_the_same_vectors(name: str, structure: str) -> None:
    """Derivatives with indices, in any order of writing, and with Arrays."""
    G3, E3 = ic.tensor("G", 3, 3), ic.tensor("E", 3, 3, symmetric=True)
    i, j, k, m, p, q, r, s = ic.indices("i j k m p q r s")
    by = {"structure": structure}
    pairs = [
        ((G3[k, m] * E3[k, m]).diff(E3[q, p], **by), ic.grad(ic.sum(G3 * E3), E3, **by)),
        ((G3[j, k] * E3[k, m] * G3[i, m]).diff(E3[p, q], **by), ic.derivative(G3 @ E3 @ G3.T, E3, **by)),
        ((E3[i, j] * E3[i, j] * E3[k, k]).diff(E3[p, q], E3[r, s], **by),
         ic.hessian(ic.sum(E3**2) * ic.tr(E3), E3, **by)),
    ]  # fmt: skip
    for named, placed in pairs:
        assert named.layout(name) == placed.layout(name)


S, W = ic.tensor("S", "n n", symmetric=True), ic.tensor("W", "n m")
F, T3, Q3 = ic.tensor("F", 3, 3), ic.tensor("T", 3, 3, symmetric=True), ic.tensor("Q", 3, 3, 3)
C4 = ic.tensor("C", 3, 3, 3, 3, symmetric=[(0, 1), (2, 3)], major=True)
REFUSED = [
    (lambda: ic.grad(ic.sum(W**2), W).layout("vech"), "dimensions n and m", "another layout"),
    (lambda: ic.grad(ic.logdet(F), F).layout("voigt-stress"), "F are not declared symmetric", "symmetric=True"),
    (lambda: ic.grad(ic.logdet(S), S).layout("mandel"), "dimension n", "the integer 2 or 3"),
    (lambda: ic.derivative(F @ T3, T3).layout("voigt-strain"), "not known to be symmetric", "ic.sym(Y)"),
    (lambda: ic.derivative(ic.exp(W[0]), W).layout("vech"), "dimensions n and m", "another layout"),
    (lambda: ic.grad(S[0] @ S[0], S).layout("voigt-stress"), "dimension n", "2 or 3"),
    (lambda: ic.derivative(ic.tensor("x", "n"), ic.tensor("x", "n")).layout("vech"), "no symmetric pair", "jax"),
    (lambda: ic.grad(ic.tr(ic.tensor("L", 3, 3, lower=True)), ic.tensor("L", 3, 3, lower=True)).layout("mandel"),
     "not declared symmetric", "symmetric=True"),
    (lambda: ic.derivative(Q3, Q3).layout("mandel"), "do not go in pairs", "jax"),
    (lambda: ic.grad((C4 * C4).sum(), C4, structure="independent").layout("mandel"), "of order 4", "projected"),
    (lambda: ic.grad(ic.logdet(S), S).layout("voight-stress"), "no convention", "voigt-stress"),
]  # fmt: skip


@pytest.mark.parametrize(("misuse", "found", "instead"), REFUSED)
def test_what_is_refused(misuse: Callable[[], Any], found: str, instead: str) -> None:
    with pytest.raises(ic.LayoutError) as caught:
        misuse()
    assert "layout" in caught.value.asked and found in caught.value.found and instead in caught.value.instead
