"""Functions as text: values, derivatives, kinks and extremes of every row in every target, against the row."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from rows import PARAMETER, Row, of_matrices, rows

import indexcalc as ic
from indexcalc.errors import NoRuleError
from indexcalc.functions.code.shared import frechet
from indexcalc.functions.code.text import MODULES, Written, definitions, helpers, imports, write
from indexcalc.functions.table import (
    ELEMENTWISE,
    MATRICES,
    REDUCTIONS,
    ElementwiseFunction,
    ReductionFunction,
    apply_matrix,
)
from indexcalc.graph.constructors import elementwise, reduction
from indexcalc.views.array import Array

Axes = tuple[int, ...]

MISSING = {
    ("logm", "jax"): "JAX has no logarithm of matrices",
    ("logm", "torch"): "PyTorch has no logarithm of matrices",
}
"""The functions that a target does not have, and why."""

ROWS = rows()
WAYS = ((0, "along"), (1, "opened"))
"""How many directions of a first derivative are left open, and what its code is called."""
SIGNS = {"eigh_v": -2, "svd_u": -2, "svd_vt": -1}
"""Vectors whose signs are free, and the axis along which each runs."""
OTHER_TYPES = 2
"""The number of the case that is tried in all dtypes; for JAX, which takes long to compile, the only one."""
POSITIVE = {"logm", "sqrtm", "cholesky", "logdet"}

each = pytest.mark.parametrize(
    ("row", "target"),
    [(row, target) for row in ROWS for target in MODULES if (row.name, target) not in MISSING],
    ids=lambda case: getattr(case, "name", case),
)
each_differentiated = pytest.mark.parametrize(
    ("row", "target"),
    [(row, target) for row in ROWS for target in ("jax", "torch") if (row.name, target) not in MISSING],
    ids=lambda case: getattr(case, "name", case),
)
BY_EXPM = {"expm", "sinm", "cosm"}
"""Functions by JAX's own exponential, whose second derivatives take long to compile."""
each_target = pytest.mark.parametrize("target", MODULES)


def function(
    row: Row, target: str, axes: Axes = (), params: dict[str, Any] | None = None, real: bool = False
) -> Callable[..., Any]:
    """The text of a row as a function of its arguments, or that of real ones."""
    names = ["x", "y", "z"][: row.arity if isinstance(row, ElementwiseFunction) else 1]
    along = [str(axes)] if isinstance(row, ReductionFunction) and row.axes != 2 else []
    params = dict.fromkeys(row.params, PARAMETER) if params is None else params
    written = write(row, target, names + along, {name: str(value) for name, value in params.items()}, real=real)
    return called(written, names, target)


def called(written: Written, names: list[str], target: str) -> Callable[..., Any]:
    """The function of these names that is written."""
    above = "\n\n".join(written.helpers.values())
    made = run(f"{above}\ndef call({', '.join(names)}):\n    return {written.expression}\n", target)
    return made["call"]  # type: ignore[no-any-return]


def run(text: str, target: str) -> dict[str, Any]:
    """The names that a text defines, with no others than those that it imports."""
    names: dict[str, Any] = {}
    exec("\n".join([*imports(text, target), text]), names)
    return names


def array(x: Any, target: str) -> Any:
    """The array in a target."""
    return {"numpy": np.array, "jax": jnp.asarray, "torch": torch.tensor}[target](x)


def cases(row: Row) -> Iterator[tuple[list[Any], Axes]]:
    """Arguments of the row, and the axes of a reduction."""
    rng = np.random.default_rng(sum(map(ord, row.name)))
    if isinstance(row, ElementwiseFunction):
        for shape in [(), (1,), (2, 1, 3)]:
            yield [rng.uniform(*interval, shape) for interval in row.inputs], ()
        shapes = [(3, 1), (1, 2), (2,)]
        yield [rng.uniform(*interval, shape) for interval, shape in zip(row.inputs, shapes, strict=False)], ()
    elif isinstance(row, ReductionFunction) and row.axes != 2:
        for axes in [(0,), (2,), (0, 2), (1,), (0, 1, 2)]:
            yield [rng.uniform(*row.inputs, (2, 1, 3) if axes == (1,) else (2, 3, 4))], axes
    else:
        for shape in [(3, 3), (2, 1, 1), (1, 2, 4, 4)] + [(2, 4, 2), (1, 3)] * (not row.square):
            yield [matrix(row, shape, rng)], (len(shape) - 2, len(shape) - 1)


def matrix(row: Row, shape: Axes, rng: Any) -> Any:
    """Matrices in the domain of the row."""
    x = rng.standard_normal(shape)
    return x @ x.swapaxes(-2, -1) + np.eye(shape[-1]) + 0.1 * x if row.name in POSITIVE else x


def expected(row: Row, args: list[Any], axes: Axes, params: dict[str, Any] | None = None) -> Any:
    """What the row's own numerics give."""
    values = (dict.fromkeys(row.params, PARAMETER) if params is None else params).values()
    return row.numpy(*args, *([axes] if isinstance(row, ReductionFunction) else []), *values)


def plain(x: Any) -> Any:
    """An array of a target as one of NumPy."""
    return x.numpy(force=True) if isinstance(x, torch.Tensor) else np.asarray(x)


def signs(row: Row, value: Any, other: Any) -> Any:
    """The signs that take vectors to those of another decomposition; 1 for all other rows."""
    if row.name not in SIGNS:
        return np.ones(())
    return np.sign((value * other).sum(SIGNS[row.name], keepdims=True)) * np.ones(other.shape)


def close(value: Any, other: Any, tolerance: float = 1e-10) -> None:
    """Are these numbers equal, relative to themselves and to what is near 1?"""
    assert value.shape == other.shape
    np.testing.assert_allclose(value, other, rtol=tolerance, atol=tolerance * max(1, np.abs(other).max(initial=0)) / 10)


# ------------------------------------------------------------------ the column


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_has_a_text_for_every_target(row: Row) -> None:
    for target in MODULES:
        own = isinstance(row.code, str) or target in row.code
        assert (own or row.name in definitions(target)) != ((row.name, target) in MISSING)
        assert not (own and row.name in definitions(target)), "one text a target"


@pytest.mark.parametrize(("name", "target"), [*MISSING, ("expm", "fortran")])
def test_a_function_that_a_target_has_not_is_an_error(name: str, target: str) -> None:
    with pytest.raises(NoRuleError, match=f"{name} in {target}") as caught:
        write(MATRICES[name], target, ["x"], {})
    assert "numpy" in caught.value.instead


def needed(target: str) -> set[str]:
    """The helpers of all rows in a target."""
    rows = [row for row in ROWS if (row.name, target) not in MISSING]
    small = [row for row in REDUCTIONS.values() if row.small]
    made = [*(written(row, target) for row in rows), *(written(row, target, small=True) for row in small)]
    numerics = [row.numerics(1, left) and f"{row.name}_{way}" for row in MATRICES.values() for left, way in WAYS]
    derived = helpers([name for name in numerics if name in definitions(target)], target).texts
    return {"frechet", *derived, *(name for one in made for name in one.helpers)}


@each_target
def test_a_helper_says_what_it_does(target: str) -> None:
    own = set(definitions(target))
    assert needed(target) <= own, "what a row needs stands there"
    shared = set.union(
        *map(needed, ("numpy", "jax", "torch"))
    )  # what all spell alike may be of use for one of them alone
    steps = {name for verb in ("gathered", "scattered") for name in CHOSEN_BY[verb]}
    if target == "numpy":
        steps |= {"sigmoid_slope", "root_slope", "small_cofactors", "small_inverses", "lapack"}
        steps |= {row.together.__name__ for row in ROWS if getattr(row, "together", None)}
    assert own <= needed(target) | shared | steps, "nothing stands there that no row needs, and no step of a program"
    for definition in definitions(target).values():
        head, _, first = definition.text.partition("\n")
        if head.startswith("@"):
            first = first.partition("\n")[2]
        assert first.startswith('    """') and "indexcalc" not in definition.text


CHOSEN_BY = {verb: ("chosen", "at_places", verb) for verb in ("gathered", "scattered")}
"""What the steps that read and add at integers call."""


def written(row: Row, target: str, small: bool = False) -> Written:
    """The text of a row."""
    along = ["(0,)"] if isinstance(row, ReductionFunction) and row.axes != 2 else []
    names = ["x", "y", "z"][: row.arity if isinstance(row, ElementwiseFunction) else 1]
    return write(row, target, names + along, dict.fromkeys(row.params, "2"), small=small)


def test_a_helper_has_a_name_that_is_free() -> None:
    made = write(REDUCTIONS["polar"], "jax", ["polar"], {}, ["polar", "factor"])
    assert made.expression == "polar_(polar)" and [*made.helpers][-2:] == ["factor_", "polar_"]
    assert "return factor_(x) if" in made.helpers["polar_"] and "@factor_.defjvp" in made.helpers["factor_"]


def test_arguments_stand_in_parentheses_where_they_need_them() -> None:
    where, power = ELEMENTWISE["where"], ELEMENTWISE["power"]
    args = ["a + b", "-c", "d[0].e(f, g)"]
    assert write(where, "jax", args, {}).expression == "jnp.where((a + b) != 0, -c, d[0].e(f, g))"
    assert write(where, "numpy", ["a", "b", "c"], {}).expression == "np.where(a != 0, b, c)"
    assert write(power, "torch", args[:2], {}).expression == "power(a + b, -c)"
    assert write(REDUCTIONS["normp"], "numpy", ["x @ y", "(0,)"], {"p": "3"}).expression == "normp(x @ y, (0,), 3)"
    assert write(MATRICES["matrix_power"], "torch", ["x"], {"k": "n + 1"}).expression == (
        "torch.linalg.matrix_power(x, n + 1)"
    )


def test_imports_are_those_that_a_text_uses() -> None:
    assert imports("jax.scipy.special.erf(x)", "jax") == ["import jax", "import jax.numpy as jnp"]
    assert imports("torch.exp(x)", "torch") == ["import torch"]
    assert imports("scipy.linalg.expm(x)", "numpy") == ["import numpy as np", "import scipy.linalg"]


# ------------------------------------------------------------------ values


@pytest.mark.filterwarnings("ignore:logm result may be inaccurate")
@each
def test_values(row: Row, target: str) -> None:
    for number, (args, axes) in enumerate(cases(row)):
        if target == "jax" and number != OTHER_TYPES:
            continue
        call = function(row, target, axes)
        if target == "jax":
            call = jax.jit(call)
        others = [np.float32, *[np.complex128] * row.holomorphic] if number == OTHER_TYPES else []
        for dtype in [np.float64, *others]:
            given = [np.asarray(arg * (1 + 0.1j) if dtype().imag.dtype != dtype else arg, dtype) for arg in args]
            inputs = [array(arg, target) for arg in given]
            value = plain(call(*inputs))
            assert value.dtype == dtype
            wide = [arg.astype(complex if np.iscomplexobj(arg) else float) for arg in given]
            other = expected(row, wide, axes)
            close(value * signs(row, value, other), other, 1e-10 if dtype().itemsize == wide[0].itemsize else 2e-3)
            assert all(np.array_equal(x, arg) for x, arg in zip(inputs, given, strict=True))


@each_differentiated
def test_maps_and_compiles(row: Row, target: str) -> None:
    order = 4 if of_matrices(row) else 3
    args, axes = next((args, axes) for args, axes in cases(row) if args[0].ndim == order and axes != (0,))
    inside = function(row, target, tuple(axis - 1 for axis in axes if axis))
    outside = expected(row, args, tuple(axis for axis in axes if axis))
    if isinstance(row, ReductionFunction) and axes == (0,):
        inside, outside = function(row, target, (0,)), expected(row, args, (1,))
    inputs = [array(arg, target) for arg in args]
    value = np.asarray(jax.jit(jax.vmap(inside))(*inputs) if target == "jax" else torch.func.vmap(inside)(*inputs))
    close(value * signs(row, value, outside), outside)


@pytest.mark.slow
@each_target
@pytest.mark.parametrize("name", ["sigmoid", "softplus", "tanh", "erf", "gelu", "relu", "atan", "gammaln"])
def test_far_out(name: str, target: str) -> None:
    row, x = ELEMENTWISE[name], np.asarray([-1000.5, -40.5, -8.5, 8.5, 40.5, 1000.5])
    value = np.asarray(function(row, target)(array(x, target)))
    np.testing.assert_allclose(value, row.numpy(x), rtol=1e-10, atol=1e-300)
    if row.holomorphic:
        z = x + 0.1j
        value = np.asarray(function(row, target)(array(z, target)))
        np.testing.assert_allclose(value, row.numpy(z), rtol=1e-10, atol=1e-15)
    if target != "numpy":
        check_derivatives(row, target, [x], ())


@each_target
@pytest.mark.parametrize("name", ["logsumexp", "softmax", "log_softmax", "norm1", "norm2", "normp", "max"])
@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)], ids=str)
def test_reductions_far_out(name: str, axes: Axes, target: str) -> None:
    row, x = REDUCTIONS[name], np.asarray([[1000.0, -1000.0, 10.0], [999.0, -1001.0, 1000.0]])
    value = np.asarray(function(row, target, axes)(array(x, target)))
    np.testing.assert_allclose(value, expected(row, [x], axes), rtol=1e-10, atol=0)
    if target != "numpy" and axes == (1,):
        check_derivatives(row, target, [x], axes)


OWN = [(row, target) for row in (*ELEMENTWISE.values(), *REDUCTIONS.values()) for target in row.real]


@pytest.mark.parametrize(("row", "target"), OWN, ids=lambda own: getattr(own, "name", own))
def test_functions_of_real_numbers_that_a_target_has(row: ElementwiseFunction | ReductionFunction, target: str) -> None:
    far = np.asarray([-1000.5, -40.5, -8.5, 8.5, 19.9, 20.1, 39.9, 41.5, 1000.5])
    near = np.asarray([-2.5, -0.5, 0.0, 1.5, 3.0, 20.5])
    for x in (far, near):
        one, axes = (x, ()) if isinstance(row, ElementwiseFunction) else (np.stack([x, x[::-1] / 3]), (1,))
        value = plain(function(row, target, axes, real=True)(array(one, target)))
        np.testing.assert_allclose(value, expected(row, [one], axes), rtol=1e-14, atol=1e-300)
        check_derivatives(row, target, [one], axes, real=True)
    if isinstance(row, ReductionFunction):
        x = np.asarray([[-np.inf, 1.0, 0.5]])
        assert np.array_equal(plain(function(row, target, (1,), real=True)(array(x, target))), expected(row, [x], (1,)))
        assert write(row, target, ["x", "(0, 1)"], {}, real=True) == write(row, target, ["x", "(0, 1)"], {})


@each_target
def test_norms_do_not_overflow(target: str) -> None:
    x = np.asarray([[3e200, 4e200], [3e-200, 4e-200], [0.0, 0.0]])
    for name, params in [("norm2", {}), ("normp", {"p": 2})]:
        value = function(REDUCTIONS[name], target, (1,), params)(array(x, target))
        np.testing.assert_allclose(value, [5e200, 5e-200, 0.0], rtol=1e-14)


@each_target
def test_infinities(target: str) -> None:
    x = np.asarray([[-np.inf, 1.0], [-np.inf, -np.inf], [np.inf, 0.0]])
    assert function(REDUCTIONS["logsumexp"], target, (1,))(array(x, target)).tolist() == [1.0, -np.inf, np.inf]
    assert function(REDUCTIONS["softmax"], target, (1,))(array(x[:1], target)).tolist() == [[0.0, 1.0]]
    assert function(REDUCTIONS["log_softmax"], target, (1,))(array(x[:1], target)).tolist() == [[-np.inf, 0.0]]


@each_target
def test_comparisons_promote(target: str) -> None:
    x, y = array(np.ones(2, np.float32), target), array(np.ones(2), target)
    for name in ["less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "maximum", "power"]:
        assert str(function(ELEMENTWISE[name], target)(x, y).dtype).endswith("float64")


@each_target
@pytest.mark.parametrize("name", ["cofactor", "polar", "pinv_t", "norm_nuc", "det", "logdet"])
def test_singular_matrices(name: str, target: str) -> None:
    x = np.asarray([[[1.0, 2.0, 0.0], [2.0, 4.0, 0.0], [0.0, 0.0, 3.0]], np.diag([1.0, 0.0, 0.0]), np.zeros((3, 3))])
    value = np.asarray(function(REDUCTIONS[name], target)(array(x, target)))
    with np.errstate(divide="ignore"):
        other = expected(REDUCTIONS[name], [x], (1, 2))
    np.testing.assert_allclose(value, other, atol=1e-14)


@pytest.mark.parametrize("name", ["logm", "sqrtm"])
def test_a_principal_value_that_is_not_real(name: str) -> None:
    x = -np.eye(2)
    with pytest.raises(ValueError, match="negative eigenvalue"):
        function(MATRICES[name], "numpy")(x)
    if name == "sqrtm":
        assert np.isnan(function(MATRICES[name], "jax")(jnp.asarray(np.diag([1.0, -2.0])))).any()
        assert torch.isnan(function(MATRICES[name], "torch")(torch.tensor(np.diag([1.0, -2.0])))).any()


# ------------------------------------------------------------------ derivatives


def twice(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function with its value twice: the one is differentiated, the other kept."""
    return lambda *xs: (f(*xs),) * 2


def check_derivatives(
    row: Row,
    target: str,
    args: list[Any],
    axes: Axes,
    params: dict[str, Any] | None = None,
    tolerance: float = 1e-9,
    real: bool = False,
) -> None:
    """The derivatives to order 2 that the target finds through the text are those of the rule."""
    call, inputs = function(row, target, axes, params, real), [array(arg, target) for arg in args]
    values = tuple((dict.fromkeys(row.params, PARAMETER) if params is None else params).values())
    tensors = [ic.tensor(name, arg.shape) for name, arg in zip("xyz", args, strict=False)]
    given = dict(zip("xyz", args, strict=False))
    reverse = jax.jacrev if target == "jax" else torch.func.jacrev
    grad = jax.grad if target == "jax" else torch.func.grad
    compiled = jax.jit if target == "jax" else lambda f: f
    if isinstance(row, ElementwiseFunction):
        (n,) = args[0].shape
        y = Array(elementwise(row.name, [(tensor.node, (0,)) for tensor in tensors], (n,), values))
        places = tuple(range(row.arity))
        first = twice(grad(lambda *xs: call(*xs).sum(), places))
        curves, slopes = compiled(reverse(first, places, has_aux=True))(*inputs)
        for a, b in itertools.product(places, repeat=2):
            slope = ic.derivative(y, tensors[a])
            close(plain(slopes[a]), np.einsum("ii->i", slope.evaluate(**given)), tolerance)
            curve = ic.derivative(slope, tensors[b]).evaluate(**given)
            close(np.einsum("ii->i", plain(curves[a][b])), np.einsum("iii->i", curve), tolerance)
        return
    (x,) = tensors
    if isinstance(row, ReductionFunction):
        y = Array(reduction(row.name, x.node, axes, row.keeps, values))
    else:
        y = Array(apply_matrix(row.name, x.node, values))
    first = reverse(twice(call), has_aux=True)
    both = reverse(lambda x: (lambda found: (found[0], found))(first(x)), has_aux=True)
    second, (slope, value) = compiled(both)(*inputs)
    value = plain(value)
    turn = signs(row, value, y.evaluate(**given))
    for order, derivative in enumerate(map(plain, [slope, second]), 1):
        other = ic.derivative(y, x, order=order).evaluate(**given)
        factor = turn.reshape((*turn.shape, *(1,) * (other.ndim - value.ndim))) if turn.ndim else turn
        close(derivative * factor, other, tolerance)


@each_differentiated
def test_derivatives(row: Row, target: str) -> None:
    rng = np.random.default_rng(sum(map(ord, row.name)))
    if row.name in BY_EXPM and target == "jax":
        call, x = function(row, target), matrix(row, (2, 2), rng)
        slope = ic.derivative(Array(apply_matrix(row.name, ic.tensor("x", (2, 2)).node)), ic.tensor("x", (2, 2)))
        close(np.asarray(jax.jacfwd(call)(x)), slope.evaluate(x=x))
    elif target == "jax" and of_matrices(row) and row.name in {name for name, _ in KINKS}:
        return  # each takes seconds to compile, and the test at kinks has it
    elif isinstance(row, ElementwiseFunction):
        check_derivatives(row, target, [rng.uniform(*interval, 3) for interval in row.inputs], ())
    elif not of_matrices(row):
        x = rng.uniform(*row.inputs, (2, 3))  # type: ignore[union-attr]
        both: Axes = (1,) if row.axes == 1 else (0, 1)  # type: ignore[union-attr]
        for axes in [(0,), both][target == "jax" :]:
            check_derivatives(row, target, [x], axes)
    else:
        shapes = [(2, 2, 2)] if row.square else [(3, 2), (1, 2)][: 1 + (target == "torch")]  # type: ignore[union-attr]
        for shape in shapes:
            check_derivatives(row, target, [matrix(row, shape, rng)], (len(shape) - 2, len(shape) - 1))


KINKS: list[tuple[str, list[Any]]] = [
    *((name, [[-1.0, 0.0, 2.0]]) for name in ["relu", "abs", "sign", "step", "sigmoid", "softplus", "gelu"]),
    *((name, [[1.0, 2.0, 3.0], [2.0, 2.0, 2.0]]) for name in ["maximum", "minimum", "less", "equal"]),
    ("where", [[0.0, 1.0, -1.0], [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
    ("power", [[2.0, 0.5, 3.0], [0.0, 1.0, 2.0]]),
    *((name, [[[1.0, 2.0, 2.0], [3.0, 3.0, 3.0]]]) for name in ["max", "min"]),
    *((name, [[[2.0, 0.0, 3.0], [0.0, 0.0, 4.0]]]) for name in ["prod", "prod_except", "norm1", "norm2", "normp"]),
    *((name, [np.diag([1.0, 1.0, 2.0])]) for name in ["eigvalsh", "eigh_gaps", "eigh_v", "cofactor"]),
    *((name, [np.diag([2.0, 1.0, 1.0])]) for name in ["svdvals", "svd_gaps", "svd_u", "svd_vt"]),
    *((name, [np.eye(2)]) for name in ["norm_nuc", "polar", "pinv_t", "sqrtm", "cholesky"]),
    *((name, [np.eye(3)[:, :2]]) for name in ["norm_nuc", "polar", "pinv_t"]),
    *((name, [np.asarray([[1.0, 2.0], [2.0, 4.0]])]) for name in ["norm_nuc"]),
]


@pytest.mark.parametrize("target", ["jax", "torch"])
@pytest.mark.parametrize(("name", "args"), KINKS, ids=str)
def test_derivatives_at_kinks(name: str, args: list[Any], target: str) -> None:
    row: Row = {**ELEMENTWISE, **REDUCTIONS, **MATRICES}[name]  # type: ignore[dict-item]
    check_derivatives(row, target, list(map(np.asarray, args)), (0, 1) if of_matrices(row) else (1,))


@pytest.mark.parametrize("target", ["jax", "torch"])
def test_derivatives_with_other_parameters(target: str) -> None:
    x = np.asarray([[0.5, 2.0, 1.0], [3.0, 0.0, 1.5]])
    for p in (1, 2):
        check_derivatives(REDUCTIONS["normp"], target, [x], (1,), {"p": p})
    for k in (0, 1):
        check_derivatives(ELEMENTWISE["polygamma"], target, [np.asarray([0.5, 2.0, -21.3])], (), {"k": k})
    for name in ("gammaln", "digamma"):
        check_derivatives(ELEMENTWISE[name], target, [np.asarray([0.5, 2.0, -21.3])], ())
    for k in (-2, 1):
        check_derivatives(MATRICES["matrix_power"], target, [x[:, :2] + np.eye(2)], (), {"k": k})


# ------------------------------------------------------------------ derivatives of primary functions


@each_target
@pytest.mark.parametrize("batch", [(), (2,), (1, 3)], ids=str)
def test_derivatives_along_directions(batch: Axes, target: str) -> None:
    rng = np.random.default_rng(0)
    x, e, g = (rng.standard_normal((*batch, 2, 2)) for _ in range(3))
    text = run(helpers(["frechet"], target).texts["frechet"], target)["frechet"]

    def f(x: Any) -> Any:
        return x @ x @ x

    for directions, left in [([], 0), ([e], 0), ([], 1), ([e], 1), ([e, g], 0), ([], 2), ([e, g], 1)]:
        value = text(f, array(x, target), [array(way, target) for way in directions], left)
        close(np.asarray(value), frechet(f, x, directions, left))


@each_target
@pytest.mark.parametrize("row", [row for row in REDUCTIONS.values() if row.small], ids=lambda row: row.name)
@pytest.mark.parametrize("size", [1, 2, 3])
def test_small_matrices_in_closed_form(size: int, row: ReductionFunction, target: str) -> None:
    x = np.random.default_rng(size).standard_normal((4, 5, size, size))
    made = called(written(row, target, small=True), ["x"], target)(array(x, target))
    close(np.asarray(made), row.numpy(x, (2, 3)))
