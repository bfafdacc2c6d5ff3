"""The table of functions: numerics, stability and derivatives of every row, against JAX."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.special as jsp
import numpy as np
import pytest
from rows import oracle
from rows import params as params_of

import indexcalc as ic
from indexcalc.engine.bind.constants import known
from indexcalc.errors import InputError, NotationError
from indexcalc.functions import special
from indexcalc.functions.elementwise import partial
from indexcalc.functions.matrix_series import matrix_numbers
from indexcalc.functions.reductions import jacobian
from indexcalc.functions.table import ELEMENTWISE, REDUCTIONS, ElementwiseFunction, ReductionFunction
from indexcalc.graph.constructors import elementwise, reduction, variable
from indexcalc.graph.node import Constant, Elementwise, Matrix, Node, Product, Reduction, Regroup, Sum, Variable
from indexcalc.index import dim

FAR = ["asinh", "silu", "erfc", "log_ndtr"]
"""Further functions that are right far out."""
each_elementwise = pytest.mark.parametrize("row", ELEMENTWISE.values(), ids=lambda row: row.name)
each_reduction = pytest.mark.parametrize("row", REDUCTIONS.values(), ids=lambda row: row.name)
SOME_AXES: dict[int, list[tuple[int, ...]]] = {
    0: [(0,), (2,), (0, 2), (0, 1, 2)], 1: [(0,), (2,)], 2: [(0, 1), (0, 2), (1, 2)],
}  # fmt: skip
each_axes = pytest.mark.parametrize(
    ("row", "axes"),
    [(row, axes) for row in REDUCTIONS.values() for axes in SOME_AXES[row.axes]],
    ids=lambda case: getattr(case, "name", str(case)),
)


def norm_nuc_in_jax(x: Any) -> Any:
    """The nuclear norm."""
    return jnp.sum(jnp.linalg.svd(x, compute_uv=False), -1)


def draw(row: ElementwiseFunction, shape: tuple[int, ...] = (40,)) -> list[Any]:
    """Arguments from the intervals of the row."""
    rng = np.random.default_rng(sum(map(ord, row.name)))
    return [rng.uniform(*interval, shape) for interval in row.inputs]


def draw_slices(row: ReductionFunction) -> Any:
    """An argument with three axes from the interval of the row."""
    shape = (3, 3, 3) if row.square else (3, 4, 2)
    return np.random.default_rng(sum(map(ord, row.name))).uniform(*row.inputs, shape)


def value(node: Node, inputs: dict[str, Any]) -> Any:
    """The value of a node, in the plainest way."""
    if isinstance(node, Variable):
        return inputs[node.label]
    if isinstance(node, Constant):
        return known(node.label, node.shape, float, node.params)
    if isinstance(node, Product):
        return product(node, inputs)
    if isinstance(node, Sum):
        terms = [scalar(term.coef) * along(value(term.node, inputs), term.labels, node) for term in node.terms]
        return np.sum(terms, axis=0)
    if isinstance(node, Elementwise):
        args = [along(value(arg.node, inputs), arg.labels, node) for arg in node.args]
        return ELEMENTWISE[node.fn].numpy(*args, *node.params)
    if isinstance(node, Regroup):
        sizes = integers(node.sizes)
        flat, order = [x for group in node.inner for x in group], [x for group in node.outer for x in group]
        split = value(node.child, inputs).reshape([sizes[x] for x in flat])
        return split.transpose([flat.index(x) for x in order]).reshape(integers(node.dims))
    if isinstance(node, Matrix):
        return matrix_numbers(node, [value(child, inputs) for child in node.children], integers(node.params))
    assert isinstance(node, Reduction)
    return REDUCTIONS[node.fn].numpy(value(node.child, inputs), node.axes, *node.params)


def product(node: Product, inputs: dict[str, Any]) -> Any:
    """The value of a product: an einsum with a one for each label, spread to where repeated labels agree."""
    sizes = integers(node.sizes)
    operands: list[Any] = [np.asarray(scalar(node.coef)), []]
    for factor in node.factors:
        operands += [value(factor.node, inputs) ** scalar(factor.exponent), list(factor.labels)]
    for label, size in enumerate(sizes):
        operands += [np.ones(size), [label]]
    distinct = list(dict.fromkeys(node.out))
    compact = np.einsum(*operands, distinct)
    grid = np.indices(integers(node.dims))
    spread = compact[tuple(grid[node.out.index(label)] for label in distinct)]
    for axis, label in enumerate(node.out):
        spread = np.where(grid[axis] == grid[node.out.index(label)], spread, 0.0)
    return spread


def along(array: Any, labels: tuple[int, ...], node: Node) -> Any:
    """The array with its axes at these places among the axes of the node."""
    sizes = [array.shape[labels.index(axis)] if axis in labels else 1 for axis in range(node.order)]
    return np.broadcast_to(array.transpose(np.argsort(labels)).reshape(sizes), integers(node.dims))


def integers(dims: Any) -> tuple[int, ...]:
    """Dimensions that are integers."""
    return tuple(int(size) for size in dims)


def scalar(number: Any) -> float:
    """A real number in floating point."""
    return float(number)


# ------------------------------------------------------------------ what a row says


@each_elementwise
def test_elementwise_row_is_complete(row: ElementwiseFunction) -> None:
    assert row.source and row.domain and row.formula
    assert len(row.inputs) == row.arity and all(low < high for low, high in row.inputs)
    names = ["x", "y", "z"][: row.arity]
    text = row.latex.format(*names, **dict(zip(row.params, params_of(row), strict=True)))
    assert all(name in text for name in names) and text.count("{") == text.count("}")
    assert row.kink or all(row.rules)


@each_reduction
def test_reduction_row_is_complete(row: ReductionFunction) -> None:
    assert row.source and row.domain and row.formula and row.inputs[0] < row.inputs[1]
    params = dict(zip(row.params, params_of(row), strict=True))
    text = row.latex.format("x", axes="i j", **params)
    assert "x" in text and ("i j" in text or row.matrix or row.axes == 2) and text.count("{") == text.count("}")


# ------------------------------------------------------------------ numerics


@each_elementwise
def test_elementwise_numerics(row: ElementwiseFunction) -> None:
    args, params = draw(row), params_of(row)
    expected = oracle(row)(*map(jnp.asarray, args), *params)
    np.testing.assert_allclose(row.numpy(*args, *params), expected, rtol=1e-12, atol=1e-14)


@each_elementwise
@pytest.mark.parametrize("shape", [(), (0,), (2, 3)], ids=str)
def test_elementwise_dtype_and_shape(row: ElementwiseFunction, shape: tuple[int, ...]) -> None:
    args, params = draw(row, shape), params_of(row)
    kinds = [np.float32, np.float64] + [np.complex64, np.complex128] * row.holomorphic
    for dtype in kinds:
        result = row.numpy(*[np.asarray(arg, dtype) for arg in args], *params)
        assert result.dtype == dtype and result.shape == shape


@each_elementwise
def test_elementwise_exact_values(row: ElementwiseFunction) -> None:
    for at, expected in row.exact.items():
        assert row.numpy(np.asarray(float(at))) == expected


@each_elementwise
def test_complex_values_continue_the_real_ones(row: ElementwiseFunction) -> None:
    if not row.holomorphic:
        return
    args = [arg * (1 + 0.1j) for arg in draw(row)]
    expected = oracle(row)(*map(jnp.asarray, args))
    np.testing.assert_allclose(row.numpy(*args), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", ["sigmoid", "softplus", "tanh", "erf", "gelu", "relu", "atan", "gammaln", *FAR])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_elementwise_far_out(name: str, dtype: type[Any]) -> None:
    x = np.asarray([-1000.5, -40.5, 40.5, 1000.5], dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = ELEMENTWISE[name].numpy(x)
    expected = oracle(ELEMENTWISE[name])(jnp.asarray(x, np.float64))
    np.testing.assert_allclose(result, expected, rtol=1e-5 if dtype is np.float32 else 1e-13, atol=1e-40)


@each_axes
def test_reduction_numerics(row: ReductionFunction, axes: tuple[int, ...]) -> None:
    x, params = draw_slices(row), params_of(row)
    expected = oracle(row)(jnp.asarray(x), axes, *params)
    np.testing.assert_allclose(row.numpy(x, axes, *params), expected, rtol=1e-12, atol=1e-14)


@each_axes
def test_reduction_dtype(row: ReductionFunction, axes: tuple[int, ...]) -> None:
    x, params = draw_slices(row), params_of(row)
    for dtype in [np.float32, np.float64] + [np.complex64, np.complex128] * row.holomorphic:
        result = row.numpy(x.astype(dtype), axes, *params)
        assert result.dtype == dtype
        np.testing.assert_allclose(result, row.numpy(x, axes, *params), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["logsumexp", "softmax", "log_softmax", "norm1", "norm2", "normp", "max"])
@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)], ids=str)
def test_reduction_far_out(name: str, axes: tuple[int, ...]) -> None:
    x, params = np.asarray([[1000.0, -1000.0, 0.0], [999.0, -1001.0, 1000.0]]), params_of(REDUCTIONS[name])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = REDUCTIONS[name].numpy(x, axes, *params)
    np.testing.assert_allclose(result, oracle(REDUCTIONS[name])(x, axes, *params), rtol=1e-13, atol=0)


@pytest.mark.parametrize(("name", "expected"), [("logsumexp", -np.inf), ("norm2", 0.0), ("prod", 1.0)])
def test_empty_slices(name: str, expected: float) -> None:
    assert REDUCTIONS[name].numpy(np.ones((2, 0)), (1,)).tolist() == [expected] * 2


def test_logsumexp_of_infinities() -> None:
    x = np.asarray([[-np.inf, 1.0], [-np.inf, -np.inf], [np.inf, 0.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert REDUCTIONS["logsumexp"].numpy(x, (1,)).tolist() == [1.0, -np.inf, np.inf]


def test_norms_do_not_overflow() -> None:
    x = np.asarray([[3e200, 4e200], [3e-200, 4e-200], [0.0, 0.0]])
    np.testing.assert_allclose(REDUCTIONS["norm2"].numpy(x, (1,)), [5e200, 5e-200, 0.0], rtol=1e-14)
    np.testing.assert_allclose(REDUCTIONS["normp"].numpy(x, (1,), 2), [5e200, 5e-200, 0.0], rtol=1e-14)


def test_prod_except_with_zeros() -> None:
    x = np.asarray([[2.0, 0.0, 3.0], [0.0, 5.0, 0.0]])
    assert REDUCTIONS["prod_except"].numpy(x, (1,)).tolist() == [[0, 6, 0], [0, 0, 0]]
    assert REDUCTIONS["prod_except"].numpy(x[:1], (0, 1)).tolist() == [[0, 6, 0]]


# ------------------------------------------------------------------ special functions

FAR_APART = np.concatenate([np.linspace(0.01, 30, 3001), 10.0 ** np.linspace(-8, 8, 33)])


@pytest.fixture(params=["SciPy", "NumPy alone"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Special functions by SciPy, and as they are where it is not installed."""
    if request.param != "SciPy":
        monkeypatch.setattr(special, "scipy_special", lambda: None)


@pytest.mark.usefixtures("library")
def test_special_functions_for_positive_arguments() -> None:
    x = jnp.asarray(FAR_APART)
    np.testing.assert_allclose(special.gammaln(FAR_APART), jsp.gammaln(x), rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(special.digamma(FAR_APART), jsp.digamma(x), rtol=1e-13, atol=1e-14)
    for k in (1, 2, 3, 7):
        np.testing.assert_allclose(special.polygamma(k, FAR_APART), jsp.polygamma(k, x), rtol=1e-13)


@pytest.mark.usefixtures("library")
def test_special_functions_by_recurrence_at_negative_arguments() -> None:
    x = -np.linspace(0.03, 20.2, 501)
    np.testing.assert_allclose(special.gammaln(x), special.gammaln(x + 1) - np.log(np.abs(x)), rtol=1e-12, atol=1e-12)
    factorial = 1.0
    for k in range(5):
        expected = special.polygamma(k, x + 1) - (-1) ** k * factorial * x ** -(k + 1)
        np.testing.assert_allclose(special.polygamma(k, x), expected, rtol=1e-11, atol=1e-9)
        factorial *= k + 1


@pytest.mark.usefixtures("library")
def test_special_values() -> None:
    gamma, zeta3 = 0.5772156649015329, 1.2020569031595942
    np.testing.assert_allclose(special.gammaln(np.asarray([0.5, 5.0, -0.5])), np.log([np.pi**0.5, 24, 2 * np.pi**0.5]))
    near = 2.0**-30
    after_1 = -gamma * near + np.pi**2 / 12 * near**2
    alone = special.scipy_special() is None
    np.testing.assert_allclose(special.gammaln(np.asarray(1 + near)), after_1, rtol=1e-14 if alone else 1e-8)
    np.testing.assert_allclose(special.gammaln(np.asarray(2 + near)), (1 - gamma) * near, rtol=1e-9 if alone else 1e-8)
    np.testing.assert_allclose(special.digamma(np.asarray([1.0, 0.5])), [-gamma, -gamma - 2 * np.log(2)], rtol=1e-14)
    np.testing.assert_allclose(special.polygamma(1, np.asarray([1.0, 0.5])), [np.pi**2 / 6, np.pi**2 / 2], rtol=1e-14)
    np.testing.assert_allclose(special.polygamma(2, np.asarray(1.0)), -2 * zeta3, rtol=1e-14)
    np.testing.assert_allclose(special.erfc(np.asarray([-1.0, 10.0])), [1.8427007929497148, 2.088487583762545e-45])
    tail = [-804.6084420137538, -120.69601853403744, -87.98971997102252, -0.6931471805599453, -6.220960574271786e-16]
    np.testing.assert_allclose(special.log_ndtr(np.asarray([-40.0, -15.3, -13.0, 0.0, 8.0])), tail, rtol=2e-12)
    assert np.isnan(special.log_ndtr(np.asarray([np.nan]))).all()
    assert special.log_ndtr(np.asarray([-np.inf, np.inf])).tolist() == [-np.inf, 0]


@pytest.mark.usefixtures("library")
def test_special_functions_at_poles_and_infinity() -> None:
    x = np.asarray([0.0, -1.0, -7.0, np.inf])
    assert special.gammaln(x).tolist() == [np.inf] * 4
    assert special.polygamma(1, x).tolist() == [np.inf] * 3 + [0.0]
    assert np.isnan(special.digamma(x)).tolist() == [True] * 3 + [False]
    assert np.isnan(special.polygamma(2, x)).tolist() == [True] * 3 + [False]
    with pytest.raises(InputError):
        special.polygamma(-1, x)


# ------------------------------------------------------------------ derivatives


@each_elementwise
def test_partial_derivatives(row: ElementwiseFunction) -> None:
    args, params = draw(row, (3, 2)), params_of(row)
    names = [f"x{k}" for k in range(row.arity)]
    node = elementwise(row.name, [(variable(name, (3, 2)), (0, 1)) for name in names], (3, 2), params)
    assert isinstance(node, Elementwise)
    in_jax = oracle(row)
    for k in range(row.arity):
        expected = jax.grad(lambda *xs: in_jax(*xs, *params).sum(), k)(*map(jnp.asarray, args))
        result = partial(node, k)
        if result is None:
            assert row.kink and not np.any(expected)
            continue
        assert result.dims == node.dims
        np.testing.assert_allclose(value(result, dict(zip(names, args, strict=True))), expected, rtol=1e-10, atol=1e-12)


def test_partial_derivative_of_arguments_that_lack_axes() -> None:
    node = elementwise("power", [(variable("x", (3,)), (1,)), (variable("y", (2,)), (0,))], (2, 3))
    assert isinstance(node, Elementwise)
    x, y = np.asarray([0.5, 1.0, 2.0]), np.asarray([3.0, -1.0])
    by_base, by_exponent = partial(node, 0), partial(node, 1)
    assert by_base is not None and by_exponent is not None
    expected = y[:, None] * x[None, :] ** (y[:, None] - 1)
    np.testing.assert_allclose(value(by_base, {"x": x, "y": y}), expected)
    np.testing.assert_allclose(value(by_exponent, {"x": x, "y": y}), np.log(x) * x ** y[:, None])


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_ties_of_two_arguments_share_equally(name: str) -> None:
    node = elementwise(name, [(variable("x", (3,)), (0,)), (variable("y", (3,)), (0,))], (3,))
    assert isinstance(node, Elementwise)
    args = {"x": np.asarray([1.0, 2.0, 3.0]), "y": np.asarray([2.0, 2.0, 2.0])}
    for k in range(2):
        expected = jax.grad(lambda x, y: oracle(ELEMENTWISE[name])(x, y).sum(), k)(*args.values())
        result = partial(node, k)
        assert result is not None
        np.testing.assert_array_equal(value(result, args), expected)


@pytest.mark.parametrize("name", ["relu", "abs"])
def test_derivative_at_a_kink_is_zero(name: str) -> None:
    node = elementwise(name, [(variable("x", (1,)), (0,))], (1,))
    assert isinstance(node, Elementwise)
    result = partial(node, 0)
    assert result is not None and value(result, {"x": np.zeros(1)}) == 0


def expected_jacobian(row: ReductionFunction, x: Any, axes: tuple[int, ...], params: tuple[Any, ...]) -> Any:
    """What `jacobian` should be worth: JAX's Jacobian, on the diagonal of the axes that are not reduced."""
    full = np.asarray(jax.jacobian(lambda x: oracle(row)(x, axes, *params))(jnp.asarray(x)))
    places = list(range(x.ndim))
    kept = places if row.keeps else [place for place in places if place not in axes]
    second = {axis: x.ndim + k for k, axis in enumerate(axes)}
    if not row.keeps:
        return np.einsum(full, kept + places, places)
    return np.einsum(full, places + [second.get(place, place) for place in places], places + list(second.values()))


@each_axes
def test_jacobians(row: ReductionFunction, axes: tuple[int, ...]) -> None:
    x, params = draw_slices(row), params_of(row)
    node = reduction(row.name, variable("x", x.shape), axes, row.keeps, params)
    assert isinstance(node, Reduction)
    expected = expected_jacobian(row, x, axes, params)
    result = jacobian(node)
    assert result.dims == expected.shape
    np.testing.assert_allclose(value(result, {"x": x}), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", ["max", "min"])
def test_ties_of_a_slice_share_equally(name: str) -> None:
    x = np.asarray([[1.0, 2.0, 2.0], [3.0, 3.0, 3.0]])
    node = reduction(name, variable("x", x.shape), (1,), False)
    assert isinstance(node, Reduction)
    expected = expected_jacobian(REDUCTIONS[name], x, (1,), ())
    np.testing.assert_allclose(value(jacobian(node), {"x": x}), expected)


def test_jacobian_of_prod_with_zeros() -> None:
    x = np.asarray([2.0, 0.0, 3.0])
    node = reduction("prod", variable("x", (3,)), (0,), False)
    assert isinstance(node, Reduction)
    first = jacobian(node)
    assert isinstance(first, Reduction)
    assert value(first, {"x": x}).tolist() == [0, 6, 0]
    assert value(jacobian(first), {"x": x}).tolist() == [[0, 3, 0], [3, 0, 2], [0, 2, 0]]


@each_reduction
def test_jacobian_with_symbolic_dimensions(row: ReductionFunction) -> None:
    m, n, q = dim("m"), dim("n"), dim("n" if row.square else "q")
    axes = (1, 2)[: row.axes or 1]
    node = reduction(row.name, variable("x", (m, n, q)), axes, row.keeps, params_of(row))
    assert isinstance(node, Reduction)
    assert jacobian(node).dims == (m, n, q, *((n, q)[: len(axes)] if row.keeps else ()))


# ------------------------------------------------------------------ functions of singular values

SHAPES = [(3, 3), (4, 2), (2, 4), (1, 3), (3, 1), (1, 1)]
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
each_declaration = pytest.mark.parametrize("declared", ["sizes", "symbols"])


def matrix(shape: tuple[int, ...], seed: int = 0) -> Any:
    """A matrix of full rank."""
    return np.random.default_rng(seed).standard_normal(shape)


@each_shape
@each_declaration
def test_derivatives_of_the_nuclear_norm(shape: tuple[int, int], declared: str) -> None:
    X, x = ic.tensor("X", shape if declared == "sizes" else "m n"), matrix(shape)
    y = ic.norm_nuc(X)
    np.testing.assert_allclose(y.evaluate(X=x), norm_nuc_in_jax(x), rtol=1e-13)
    np.testing.assert_allclose(ic.grad(y, X).evaluate(X=x), jax.grad(norm_nuc_in_jax)(x), rtol=1e-11, atol=1e-13)
    second = ic.hessian(y, X).evaluate(X=x)
    assert second.shape == shape * 2
    np.testing.assert_allclose(second, jax.hessian(norm_nuc_in_jax)(x), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("shape", [(3, 3), (3, 2), (2, 3), (1, 3)], ids=str)
def test_third_derivative_of_the_nuclear_norm(shape: tuple[int, int]) -> None:
    X, x, step = ic.tensor("X", "m n"), matrix(shape), 1e-5
    second = ic.hessian(ic.norm_nuc(X), X)
    third = ic.derivative(second, X).evaluate(X=x)
    ways = step * np.eye(x.size).reshape(-1, *shape)
    expected = [(second.evaluate(X=x + way) - second.evaluate(X=x - way)) / (2 * step) for way in ways]
    np.testing.assert_allclose(third, np.stack(expected, -1).reshape(third.shape), rtol=1e-7, atol=1e-8)


@each_declaration
def test_nuclear_norms_of_a_batch(declared: str) -> None:
    b, c, i, j, k, l = ic.indices("b c i j k l")  # noqa: E741
    X, x = ic.tensor("X", (2, 3, 2) if declared == "sizes" else "p m n"), matrix((2, 3, 2))
    y = ic.norm_nuc(X[b, i, j], i, j)
    np.testing.assert_allclose(y.array(b).evaluate(X=x), jax.vmap(norm_nuc_in_jax)(x), rtol=1e-13)

    def in_jax(x: Any) -> Any:
        return jnp.sum(norm_nuc_in_jax(x) ** 2)

    total = (y**2).sum(b)
    first = total.diff(X[b, i, j])
    second = first.diff(X[c, k, l]).array(b, i, j, c, k, l).evaluate(X=x)
    np.testing.assert_allclose(first.array(b, i, j).evaluate(X=x), jax.grad(in_jax)(x), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(second, jax.hessian(in_jax)(x), rtol=1e-10, atol=1e-12)


@each_shape
@pytest.mark.parametrize("name", ["norm_nuc", "polar", "pinv_t"])
def test_functions_of_singular_values_are_equivariant(name: str, shape: tuple[int, int]) -> None:
    x, row = matrix(shape), REDUCTIONS[name]
    direct, turned = row.numpy(x, (0, 1)), row.numpy(x.T, (0, 1))
    np.testing.assert_allclose(turned, direct.T, rtol=1e-12, atol=1e-14)


@each_shape
def test_the_nuclear_norm_of_a_transpose(shape: tuple[int, int]) -> None:
    X, x = ic.tensor("X", "m n"), matrix(shape)
    second, turned = (ic.hessian(ic.norm_nuc(argument), X).evaluate(X=x) for argument in (X, X.T))
    np.testing.assert_allclose(turned, second, rtol=1e-10, atol=1e-12)


def test_functions_of_singular_values_at_the_edge() -> None:
    singular = np.asarray([[[1.0, 2.0], [2.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]], [[np.nan, 1.0], [0.0, 1.0]]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = {name: REDUCTIONS[name].numpy(singular, (1, 2)) for name in ("norm_nuc", "polar", "pinv_t")}
        empty = {name: REDUCTIONS[name].numpy(np.ones((2, 0, 3)), (1, 2)).shape for name in values}
    np.testing.assert_allclose(values["norm_nuc"], [5, 0, np.nan], atol=1e-14)
    for name, scale in (("polar", 5), ("pinv_t", 25)):
        np.testing.assert_allclose(values[name][:2], singular[:2] / scale, atol=1e-14)
        assert np.isnan(values[name][2]).all()
    assert empty == {"norm_nuc": (2,), "polar": (2, 0, 3), "pinv_t": (2, 0, 3)}


@pytest.mark.parametrize("shape", [(2, 3), (5, 8), (8, 5), (1, 12)], ids=str)
def test_nuclear_norm_in_single_precision(shape: tuple[int, int]) -> None:
    X, x = ic.tensor("X", "m n"), matrix(shape)
    second = ic.hessian(ic.norm_nuc(X), X)
    single = second.evaluate(X=x.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, second.evaluate(X=x), rtol=1e-3, atol=1e-4)


def test_a_function_of_two_axes_takes_two() -> None:
    i, j, k = ic.indices("i j k")
    X, Y, x = ic.tensor("X", "p m n"), ic.tensor("Y", "m n"), ic.tensor("x", "n")
    assert ic.norm_nuc(X) == ic.norm_nuc(X, axis=(1, 2)) == ic.norm_nuc(X, axis=(-1, -2))
    assert ic.norm_nuc(X, axis=(0, 2), keepdims=True).shape == (1, X.shape[1], 1)
    assert ic.polar(X).shape == X.shape
    assert ic.norm_nuc(Y[i, j]) == ic.norm_nuc(Y[i, j], i, j) == ic.norm_nuc(Y[i, j], j, i)
    assert str(ic.norm_nuc(X[i, j, k], i, k)) == "norm_nuc(X[i,j,k], i, k)"
    assert ic.parse("norm_nuc(X[i,j,k], i, k)", X=X) == ic.norm_nuc(X[i, j, k], i, k)
    cases: list[Callable[[], Any]] = [
        lambda: ic.norm_nuc(x), lambda: ic.norm_nuc(X, 0), lambda: ic.norm_nuc(X, axis=(1,)),
        lambda: ic.norm_nuc(X, axis=(0, 1, 2)), lambda: ic.norm_nuc(X[i, j, k]), lambda: ic.norm_nuc(X[i, j, k], i),
        lambda: ic.norm_nuc(X[i, j, k], i, i), lambda: ic.norm_nuc(x[i]), lambda: ic.polar(X[i, j, k], i, j, k),
    ]  # fmt: skip
    for case in cases:
        with pytest.raises(NotationError, match="exactly 2 axes") as caught:
            case()
        assert caught.value.instead
    assert not hasattr(ic, "pinv_t")
    with pytest.raises(InputError, match="real"):
        ic.norm_nuc(X).evaluate(X=np.ones((2, 2, 2), complex))
