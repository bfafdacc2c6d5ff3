"""Evaluation: inputs are checked and bound, and every kind of node has the value that a naive einsum gives."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import permutations
from math import prod
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from graphs import graph
from hypothesis import given
from hypothesis import strategies as st
from naive import naive

from indexcalc.calculus.derivative import derivative
from indexcalc.engine.bind.inputs import bind
from indexcalc.engine.compile.run import AS_WRITTEN, evaluate
from indexcalc.engine.emit.numpy_code import WRITERS
from indexcalc.engine.plan.leaves import LEAVES
from indexcalc.engine.plan.plan import plan
from indexcalc.engine.plan.terms import INLINE
from indexcalc.engine.program import STEPS
from indexcalc.errors import DimensionError, InputError, KindError, NoRuleError
from indexcalc.graph.constructors import (
    addition,
    call,
    constant,
    constant_number,
    definition,
    delta,
    dimension,
    einsum,
    elementwise,
    reduction,
    regroup,
    transpose,
    variable,
    zeros,
)
from indexcalc.graph.node import KINDS, Node, Signature, Variable
from indexcalc.index import dim, symbol

DTYPES = [np.float32, np.float64, np.complex64, np.complex128]
RNG = np.random.default_rng(7)
n, m = dim("n"), dim("m")


def draw(*shape: int, dtype: Any = np.float64) -> Any:
    values = RNG.uniform(0.5, 2, shape) + (1j * RNG.uniform(0.5, 2, shape) if np.dtype(dtype).kind == "c" else 0)
    return values.astype(dtype)


def var(name: str, *shape: Any, words: Sequence[str] = ()) -> Variable:
    return variable(name, shape, words)


# ------------------------------------------------------------------ the oracle


def assert_matches(root: Node, arrays: dict[Variable, Any], sizes: Any = None) -> Any:
    (result,) = evaluate([root], arrays, sizes or {})
    assert isinstance(result, np.ndarray) and result.flags.writeable
    assert not any(np.may_share_memory(result, array) for array in arrays.values())
    np.testing.assert_allclose(result, naive([root], arrays, sizes)[0], rtol=1e-9, atol=1e-9)
    return result


# ------------------------------------------------------------------ products

SHAPES = [
    {"i": 2, "j": 3, "k": 4},
    {"i": 1, "j": 3, "k": 1},
    {"i": 1, "j": 1, "k": 1},
    {"i": 3, "j": 3, "k": 3},
    {"i": 0, "j": 2, "k": 3},
    {"i": 5, "j": 0, "k": 1},
]
SPECS = [
    "ij,jk->ik",
    "ij,jk->ki",
    "ij,jk->",
    "ij,ij->ij",
    "ij,ij->ji",
    "i,j->ij",
    "ij,j->i",
    "i,i->",
    "ij->ji",
    "ij->i",
    "ij->",
    "ijk->ki",
    "ij,jk,ki->",
    "i,j,k->kij",
    "ij,kj,kj->ik",
    ",ij->ij",
    ",->",
    "i,->",
    "ijk,ijk->jk",
    "ij,i->ij",
    "i->ii",
    "i,j->iji",
    "ij,j->iij",
    "ijk,k->jjii",
    "->",
    "i,ij,j->i",
]


@pytest.mark.parametrize("sizes", SHAPES, ids=str)
@pytest.mark.parametrize("spec", SPECS)
def test_products(spec: str, sizes: dict[str, int]) -> None:
    inputs, out = spec.split("->")
    tensors = [var(f"A{k}", *(sizes[x] for x in part)) for k, part in enumerate(inputs.split(","))]
    arrays = {t: draw(*t.dims) for t in tensors}
    for coef in (1, -2, Fraction(1, 3), 0.1, 2 - 1j):
        node = einsum(coef, list(zip(tensors, inputs.split(","), strict=True)), out)
        assert_matches(node, arrays)


@pytest.mark.parametrize("spec", ["ii->i", "ii->", "iij->j", "ii,i->i", "ij,jj->ij", "iii->", "ii->ii"])
def test_labels_that_repeat_within_a_factor(spec: str) -> None:
    inputs, out = spec.split("->")
    tensors = [var(f"A{k}", *([3] * len(part))) for k, part in enumerate(inputs.split(","))]
    node = einsum(1, list(zip(tensors, inputs.split(","), strict=True)), out)
    assert_matches(node, {t: draw(*t.dims) for t in tensors})


@pytest.mark.parametrize("exponent", [2, 3, -1, -2, Fraction(1, 2), Fraction(-1, 2), Fraction(1, 3), 0.7, 1 + 1j])
@pytest.mark.parametrize("spec", ["ij,j->i", "ij,ij->ij", "ij,->"])
def test_exponents(spec: str, exponent: Any) -> None:
    inputs, out = spec.split("->")
    first, second = inputs.split(",")
    x, y = var("x", *[3] * len(first)), var("y", *[3] * len(second))
    arrays = {x: draw(*x.dims), y: draw(*y.dims)}
    assert_matches(einsum(2, [(x, first, exponent), (y, second, exponent)], out), arrays)


def test_a_fractional_power_of_a_negative_number_is_nan_and_division_by_zero_is_infinite() -> None:
    x = var("x", 2)
    for exponent, expected in [(0.5, [np.nan, 0]), (Fraction(1, 3), [np.nan, 0]), (-1, [-0.25, np.inf])]:
        (result,) = evaluate([einsum(1, [(x, "i", exponent)], "i")], {x: np.asarray([-4.0, 0.0])})
        np.testing.assert_array_equal(result, expected)
    (result,) = evaluate([elementwise("exp", [(x, (0,))], (2,))], {x: np.asarray([1e4, -1e4])})
    np.testing.assert_array_equal(result, [np.inf, 0])


def test_labels_that_no_factor_carries() -> None:
    x = var("x", n)
    arrays, sizes = {x: draw(3)}, {"n": 3, "m": 4}
    assert_matches(einsum(1, [(x, "i")], "iji", {"j": m}), arrays, sizes)
    assert_matches(einsum(1, [(x, "i")], "jj", {"j": m}), arrays, sizes)
    assert assert_matches(einsum(2, [(x, "i")], "i", {"j": m}), arrays, sizes)[0] == 8 * arrays[x][0]
    assert assert_matches(dimension(n * m), {}, sizes) == 12
    assert assert_matches(dimension(n * (n + 1) / 2), {}, sizes) == 6
    assert_matches(zeros((n, m)), {}, sizes)
    assert_matches(delta(n, m), {}, sizes)
    assert_matches(einsum(3, [], "iii", {"i": n}), {}, sizes)


def test_a_delta_that_is_a_factor_joins_labels() -> None:
    x, a = var("x", 3), var("A", 3, 3)
    arrays = {x: draw(3), a: draw(3, 3)}
    eye, inner = delta(3), einsum(2, [(x, "i")], "ijj", {"j": 3})
    for node in (
        einsum(1, [(eye, "ij"), (x, "j")], "i"),
        einsum(1, [(eye, "ij"), (eye, "jk")], "ik"),
        einsum(1, [(eye, "ij"), (eye, "ij")], ""),
        einsum(1, [(eye, "ij"), (a, "ij")], ""),
        einsum(1, [(eye, "ij"), (a, "jk"), (eye, "kl")], "il"),
        einsum(1, [(inner, "ijk"), (a, "jk")], "i"),
        einsum(1, [(inner, "iij"), (a, "jk")], "k"),
        einsum(1, [(inner, "ijk", 2), (a, "jk")], "kij"),
        einsum(1, [(inner, "ijk", Fraction(1, 2))], "kij"),
        einsum(1, [(eye, "ii"), (x, "j")], "j"),
        einsum(1, [(einsum(2, [(eye, "ij"), (x, "k")], "kij"), "kij"), (a, "il")], "jkl"),
        einsum(1, [(einsum(5, [], "ij", {"i": 3, "j": 3}), "ij", -2), (x, "i")], "j"),
    ):
        assert_matches(node, arrays)
    (result,) = evaluate([einsum(1, [(eye, "ij", -1)], "ij")], {})
    np.testing.assert_array_equal(result, [[1, np.inf, np.inf], [np.inf, 1, np.inf], [np.inf, np.inf, 1]])


def test_more_labels_than_there_are_letters() -> None:
    count = 70
    tensors = [var(f"A{k}", 2, 2) for k in range(count)]
    arrays = {t: draw(2, 2) / 2 for t in tensors}
    (result,) = evaluate([einsum(1, [(t, (k, k + 1)) for k, t in enumerate(tensors)], (0, count))], arrays)
    np.testing.assert_allclose(result, np.linalg.multi_dot([arrays[t] for t in tensors]))


def test_the_contraction_order_is_a_good_one() -> None:
    size = 40
    a, b, x = var("A", size, size), var("B", size, size), var("x", size)
    node = einsum(1, [(a, "ij"), (b, "jk"), (x, "k")], "i")
    arrays = {a: draw(size, size), b: draw(size, size), x: draw(size)}
    np.testing.assert_allclose(evaluate([node], arrays, limit=8 * size**2)[0], arrays[a] @ (arrays[b] @ arrays[x]))


# ------------------------------------------------------------------ the other kinds


def test_sums() -> None:
    x, y, a, s = var("x", n), var("y", m), var("A", n, m), var("s")
    arrays, sizes = {x: draw(3), y: draw(2), a: draw(3, 2), s: draw()}, {"n": 3, "m": 2}
    assert_matches(addition([(1, x, (0,)), (-1, y, (1,))], (n, m)), arrays, sizes)
    assert_matches(addition([(2, a, (0, 1)), (Fraction(1, 3), y, (1,)), (-1, s, ())], (n, m)), arrays, sizes)
    assert_matches(addition([(-1, a, (1, 0)), (1, x, (1,))], (m, n)), arrays, sizes)
    assert_matches(addition([(1, s, ()), (2, constant_number(3), ())], ()), arrays, sizes)
    assert_matches(addition([(1, s, ()), (2, constant_number(3), ())], (n,)), arrays, sizes)


def test_deltas_in_a_sum_are_diagonals() -> None:
    x, a, b = var("x", 3), var("A", 3, 3), var("B", 3, 3)
    arrays = {x: draw(3), a: draw(3, 3), b: draw(3, 3)}
    eye, spread = delta(3), einsum(1, [(x, "i")], "ii")
    assert_matches(addition([(1, a, (0, 1)), (-2, eye, (0, 1))], (3, 3)), arrays)
    assert_matches(addition([(1, eye, (0, 1)), (-2, spread, (0, 1))], (3, 3)), arrays)
    assert_matches(addition([(1, eye, (0, 2)), (1, eye, (0, 1)), (1, x, (2,))], (3, 3, 3)), arrays)
    blocks = [einsum(2, [(t, "kl")], "ikjl", {"i": 3, "j": 3}) for t in (a, b)]
    diagonal = [einsum(1, [(block, "ikjl"), (eye, "ij")], "ikjl") for block in blocks]
    together = addition([(1, block, (0, 1, 2, 3)) for block in diagonal], (3, 3, 3, 3))
    assert_matches(together, arrays)
    assert_matches(einsum(1, [(together, "ikjl"), (x, "j")], "kil"), arrays)
    assert_matches(addition([(1, a, (0, 0)), (2, b, (0, 1)), (1, eye, (1, 1))], (3, 3)), arrays)


def test_elementwise_and_reductions() -> None:
    x, y, a = var("x", n), var("y", m), var("A", n, m)
    arrays, sizes = {x: draw(3), y: draw(2), a: draw(3, 2)}, {"n": 3, "m": 2}
    assert_matches(elementwise("maximum", [(x, (0,)), (y, (1,))], (n, m)), arrays, sizes)
    assert_matches(elementwise("exp", [(delta(n), (0, 1))], (n, n)), arrays, sizes)
    assert_matches(elementwise("exp", [(a, (1, 0))], (m, n)), arrays, sizes)
    assert_matches(elementwise("exp", [(einsum(1, [(x, "i")], "ij", {"j": m}), (0, 1))], (n, m)), arrays, sizes)
    assert_matches(elementwise("polygamma", [(x, (0,))], (n,), (2,)), arrays, sizes)
    assert_matches(elementwise("where", [(constant_number(1), ()), (x, (0,)), (y, (1,))], (n, m)), arrays, sizes)
    assert_matches(reduction("max", a, (1,), False), arrays, sizes)
    assert_matches(reduction("softmax", a, (0,), True), arrays, sizes)
    assert_matches(reduction("logsumexp", delta(n), (0,), False), arrays, sizes)
    assert_matches(reduction("normp", a, (0, 1), False, (3,)), arrays, sizes)


def test_regroup() -> None:
    a = var("A", n, m, 2)
    arrays, sizes = {a: draw(3, 4, 2)}, {"n": 3, "m": 4}
    joined = regroup(a, ((0,), (1,), (2,)), ((2, 0), (1,)), (n, m, 2))
    assert_matches(joined, arrays, sizes)
    assert_matches(regroup(joined, ((2, 0), (1,)), ((1,), (0,), (2,)), (n, m, 2)), arrays, sizes)
    assert_matches(regroup(delta(n), ((0,), (1,)), ((0, 1),), (n, n)), arrays, sizes)


def test_constants() -> None:
    for order in (2, 3, 4):
        (result,) = evaluate([constant("epsilon", [order] * order)], {})
        expected = np.zeros([order] * order)
        for places in permutations(range(order)):
            expected[places] = round(np.linalg.det(np.eye(order)[list(places)]))
        np.testing.assert_array_equal(result, expected)
    x, y = var("x", 3), var("y", 3)
    arrays = {x: draw(3), y: draw(3)}
    cross = einsum(1, [(constant("epsilon", [3, 3, 3]), "ijk"), (x, "j"), (y, "k")], "i")
    np.testing.assert_allclose(evaluate([cross], arrays)[0], np.cross(arrays[x], arrays[y]))
    assert evaluate([constant("pi")], {})[0] == np.pi
    with pytest.raises(NoRuleError, match="constant moon: no numbers are known for it"):
        evaluate([constant("moon")], {})


def test_definitions_and_roots_that_are_leaves() -> None:
    x = var("x", 2)
    given_x = draw(2)
    step = definition("s", einsum(1, [(delta(2), "ij"), (x, "k")], "kij"))
    assert_matches(einsum(1, [(step, "kij"), (x, "i")], "jk"), {x: given_x})
    first, second, flat, twice = evaluate([x, x, transpose(step, (2, 1, 0)), step], {x: given_x})
    for k, one in enumerate([first, second, flat, twice]):
        one[...] = k
    assert first[0] == 0 and second[0] == 1 and flat[0, 0, 0] == 2 and not (given_x == 0).any()


def test_every_kind_of_node_has_a_planner_and_every_step_a_writer() -> None:
    assert {*LEAVES, *INLINE} == set(KINDS)
    assert set(WRITERS) == set(STEPS)


# ------------------------------------------------------------------ abstract functions


def test_calls() -> None:
    x = var("x", n)
    u = Signature("u", ((n,),), (m,))
    a = draw(2, 3)
    functions = {
        "u": lambda x: np.sin(a @ x),
        "Du": lambda x: np.cos(a @ x)[:, None] * a,
        "D2u": lambda x: -np.sin(a @ x)[:, None, None] * a[:, :, None] * a[:, None, :],
    }
    arrays, sizes = {x: draw(3)}, {"n": 3, "m": 2}
    results = evaluate([call(u, (k,), [x]) for k in range(3)], arrays, sizes, functions)
    for result, name in zip(results, functions, strict=True):
        np.testing.assert_allclose(result, functions[name](arrays[x]))
    with pytest.raises(InputError) as error:
        evaluate([call(u, (1,), [x])], arrays, sizes, {"u": functions["u"]})
    assert str(error.value) == (
        "evaluate Du: no numbers were given for it\n"
        "  instead: give Du=..., a function of 1 array(s) with values of shape (2, 3)"
    )
    with pytest.raises(InputError, match=r"its value has shape \(3, 2\), and should have \(2, 3\)"):
        evaluate([call(u, (1,), [x])], arrays, sizes, {"Du": lambda x: a.T})
    with pytest.raises(InputError, match=r"it depends on its arguments, and an array of shape \(2, 3\) was given"):
        evaluate([call(u, (1,), [x])], arrays, sizes, {"Du": a})


def test_a_call_cannot_change_its_arguments_and_its_value_is_not_handed_out() -> None:
    x, store = var("x", 2), np.ones(2)
    u = Signature("u", ((2,),), (2,))
    (result,) = evaluate([call(u, (0,), [x])], {x: draw(2)}, {}, {"u": lambda x: store})
    result[:] = 5
    assert store.tolist() == [1, 1]

    def spoil(x: Any) -> Any:
        x[0] = 1
        return x

    with pytest.raises(ValueError, match="read-only"):
        evaluate([call(u, (0,), [x])], {x: draw(2)}, {}, {"u": spoil})


def test_a_named_gradient_may_be_an_array() -> None:
    x, g = var("x", 3), draw(3)
    loss = Signature("L", ((3,),), (), "G")
    node = call(loss, (1,), [einsum(2, [(x, "i")], "i")])
    arrays = {x: draw(3)}
    np.testing.assert_array_equal(evaluate([node], arrays, {}, {"G": g})[0], g)
    np.testing.assert_array_equal(evaluate([node], arrays, {}, {"G": jnp.asarray(g)})[0], g)
    np.testing.assert_array_equal(evaluate([node], arrays, {}, {"G": lambda y: y})[0], 2 * arrays[x])
    with pytest.raises(InputError, match=r"give G=..., a function of 1 array\(s\) .* or an array of shape"):
        evaluate([node], arrays)


# ------------------------------------------------------------------ dtypes


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes_are_kept(dtype: Any) -> None:
    x, a = var("x", 3), var("A", 3, 3)
    arrays = {x: draw(3, dtype=dtype), a: draw(3, 3, dtype=dtype)}
    quad = einsum(Fraction(1, 3), [(x, "i"), (a, "ij"), (x, "j")], "")
    nodes = [
        quad,
        einsum(0.1, [(x, "i", Fraction(1, 2))], "ij", {"j": 3}),
        addition([(1, a, (0, 1)), (0.1, delta(3), (0, 1))], (3, 3)),
        elementwise("exp", [(x, (0,))], (3,)),
        reduction("softmax", a, (0,), True),
        einsum(1, [(quad, "", -1), (constant("pi"), "")], ""),
        einsum(1, [(x, "i"), (constant("epsilon", [3, 3, 3]), "ijk")], "jk"),
        elementwise("sigmoid", [(quad, ())], ()),
        einsum(10**20, [(x, "i", 3)], ""),
    ]
    for result in evaluate(nodes, arrays):
        assert result.dtype == dtype
    for alone in nodes:
        assert evaluate([alone], arrays)[0].dtype == dtype


def test_without_inputs_it_is_float64_and_complex_numbers_make_it_complex() -> None:
    assert evaluate([constant_number(2)], {})[0].dtype == np.float64
    assert evaluate([delta(2)], {})[0].dtype == np.float64
    x = var("x", 2)
    assert evaluate([einsum(1j, [(x, "i")], "i")], {x: draw(2, dtype=np.float32)})[0].dtype == np.complex64
    assert evaluate([constant_number(1j)], {})[0].dtype == np.complex128


def test_the_widest_input_gives_the_precision_and_what_is_real_stays_real() -> None:
    x, z = var("x", 2), var("z", 2)
    relu = elementwise("relu", [(x, (0,))], (2,))
    both = einsum(1, [(relu, "i"), (z, "i")], "i")
    arrays = {x: draw(2, dtype=np.float32), z: draw(2, dtype=np.complex128)}
    assert [r.dtype for r in evaluate([relu, both], arrays)] == [np.float64, np.complex128]


@pytest.mark.parametrize("fn", ["abs", "relu", "erf"])
def test_complex_numbers_reach_only_holomorphic_functions(fn: str) -> None:
    z = var("z", 2)
    with pytest.raises(InputError) as error:
        evaluate([elementwise(fn, [(z, (0,))], (2,))], {z: draw(2, dtype=np.complex64)})
    assert str(error.value) == (
        f"evaluate {fn}: its argument is complex64, and {fn} takes real numbers\n  instead: give real inputs"
    )
    with pytest.raises(InputError, match="max takes real numbers"):
        evaluate([reduction("max", z, (0,), False)], {z: draw(2, dtype=np.complex64)})


def test_numbers_beyond_floats() -> None:
    x = var("x", 2)
    for node in (
        einsum(10**400, [(x, "i")], "i"),
        addition([(10**400, x, (0,)), (1, constant_number(1), ())], (2,)),
        einsum(1, [(x, "i", 10**400)], "i"),
    ):
        with pytest.raises(
            InputError, match=r"an integer that would overflow: it is about 10\*\*400, and floats end at 1.8e308"
        ):
            evaluate([node], {x: draw(2)})
    (result,) = evaluate([einsum(Fraction(10**400, 10**399), [(x, "i")], "i")], {x: np.ones(2)})
    assert result.tolist() == [10, 10]
    assert np.isinf(evaluate([einsum(10**300, [(x, "i")], "i")], {x: np.ones(2, np.float32)})[0]).all()


# ------------------------------------------------------------------ work and memory


def test_shared_nodes_are_computed_once() -> None:
    x = var("x", 3)
    node: Node = x
    for _ in range(64):
        node = addition([(Fraction(1, 2), node, (0,)), (Fraction(1, 2), node, (0,))], (3,))
    arrays = {x: draw(3)}
    np.testing.assert_allclose(evaluate([node], arrays)[0], arrays[x])


@pytest.mark.slow
def test_a_long_chain_is_evaluated_and_freed() -> None:
    x = var("x", 1000)
    node: Node = x
    for _ in range(3000):
        node = elementwise("sin", [(node, (0,))], (1000,))
    arrays = {x: draw(1000)}
    tracemalloc.start()
    evaluate([node], arrays)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3000 * 8000


def peak_of(work: Callable[[], Any]) -> int:
    work()
    tracemalloc.start()
    tracemalloc.reset_peak()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_deltas_are_never_multiplied() -> None:
    size = 1000
    x, v = var("x", size), var("V", size, 3)
    arrays = {x: draw(size), v: draw(size, 3)}
    hessian = addition(
        [
            (2, einsum(1, [(delta(size), "ij"), (einsum(1, [(v, "ia"), (v, "ib")], "ab"), "ab")], "iajb"), range(4)),
            (1, einsum(1, [(delta(size), "ij"), (delta(3), "ab"), (x, "i")], "iajb"), range(4)),
        ],
        (size, 3, size, 3),
    )
    product = einsum(1, [(hessian, "iajb"), (v, "jb")], "ia")
    expected = 2 * arrays[v] @ (arrays[v].T @ arrays[v]) + arrays[x][:, None] * arrays[v]
    np.testing.assert_allclose(evaluate([product], arrays)[0], expected)
    assert max(prod(step.shape) for step in plan([product], {}, AS_WRITTEN).steps) <= 9 * size
    assert peak_of(lambda: evaluate([product], arrays)) < size * 9 * 8 * 4
    identity = einsum(1, [(delta(size), "ij"), (x, "j")], "i")
    assert peak_of(lambda: evaluate([identity], arrays)) < 40 * size


def test_a_delta_pattern_is_allocated_once() -> None:
    size = 300
    x = var("x", size)
    arrays = {x: draw(size)}
    assert peak_of(lambda: evaluate([einsum(2, [(x, "i"), (x, "j")], "ij")], arrays)) < 1.2 * 8 * size**2
    node = einsum(1, [(x, "i"), (delta(size), "ij")], "ij")
    assert peak_of(lambda: evaluate([node], arrays)) < 1.2 * 8 * size**2
    dense = addition([(1, einsum(1, [(x, "i"), (x, "j")], "ij"), (0, 1)), (1, delta(size), (0, 1))], (size, size))
    assert peak_of(lambda: evaluate([dense], arrays)) < 2.2 * 8 * size**2


def test_what_would_not_fit_is_refused_before_anything_is_allocated() -> None:
    x, v = var("x", n), var("v", n)
    sizes = {"n": 10**6}
    arrays = {x: np.ones(10**6), v: np.ones(10**6)}
    outer = einsum(1, [(x, "i"), (x, "j")], "ij")
    for node in (
        outer,
        delta(n),
        elementwise("exp", [(outer, (0, 1))], (n, n)),
        regroup(delta(n), ((0,), (1,)), ((0, 1),), (n, n)),
    ):
        with pytest.raises(
            InputError, match=r"at once, 8,000,000,000,000 of them for an array of shape .*, and the limit is"
        ):
            evaluate([node], arrays, sizes)
    with pytest.raises(InputError, match="an array of shape \\(1000000, 1000000\\), and"):
        evaluate([outer], arrays, sizes)
    evaluate([einsum(1, [(delta(n), "ij"), (x, "i"), (v, "j")], "")], arrays, sizes)
    with pytest.raises(InputError, match=r"takes 32 bytes at once, 32 of them for .*, and the limit is 20"):
        evaluate([delta(2)], {}, limit=20)


def test_what_would_not_fit_in_between_is_refused_too() -> None:
    x, a = var("x", 30), var("A", 30, 30)
    arrays = {x: draw(30), a: draw(30, 30)}
    for node in (
        reduction("max", elementwise("maximum", [(x, (0,)), (x, (1,))], (30, 30)), (0, 1), False),
        reduction("max", delta(30), (0, 1), False),
        elementwise("exp", [(reduction("max", delta(30), (1,), False), (0,))], (30,)),
        einsum(1, [(a, "ij"), (a, "jk"), (a, "ki")], ""),
    ):
        with pytest.raises(
            InputError, match=r"takes 7,.* 7,200 of them for an array of shape \(30, 30\), and the limit is 7,199"
        ):
            evaluate([node], arrays, limit=7199)
        evaluate([node], arrays, limit=2 * 7200 + 240)
    z = var("z", 10)
    with pytest.raises(InputError, match="takes 800 bytes at once"):
        evaluate([einsum(1, [(z, "i"), (z, "j")], "ij")], {z: draw(10, dtype=np.complex64)}, limit=799)


# ------------------------------------------------------------------ sizes


def test_unknown_dimensions() -> None:
    unknown = symbol("?i")
    for node in (delta(unknown), dimension(symbol("?i'"))):
        with pytest.raises(DimensionError) as error:
            evaluate([node], {})
        assert str(error.value) == (
            "evaluate: the dimension of index i is not known\n  instead: give dim= or let it meet a tensor"
        )
    with pytest.raises(DimensionError, match=r"dimension `n`: no input fixes it\n  instead: give n=\.\.\."):
        evaluate([delta(n)], {})
    with pytest.raises(InputError, match="missing input x"):
        evaluate([var("x", 2)], {})


# ------------------------------------------------------------------ random graphs


@pytest.mark.slow
@given(st.integers(0, 2**32))
def test_random_graphs(seed: int) -> None:
    made = graph(np.random.default_rng(seed))
    given = made.nodes[-3:], made.arrays, made.sizes
    for ours, theirs in zip(evaluate(*given), naive(*given), strict=True):
        exists = np.isfinite(theirs)
        scale = 1 + np.abs(theirs[exists]).max(initial=0)
        assert ours.shape == theirs.shape and np.all(np.abs(ours - theirs)[exists] <= 1e-8 * scale)


def test_derivatives_evaluate() -> None:
    x, w = var("x", n), var("W", n, m)
    y = elementwise("tanh", [(einsum(1, [(x, "i"), (w, "ij")], "j"), (0,))], (m,))
    arrays, sizes = {x: draw(3), w: draw(3, 2)}, {"n": 3, "m": 2}
    (result,) = evaluate([derivative(y, w)], arrays, sizes)
    slope = 1 - np.tanh(arrays[x] @ arrays[w]) ** 2
    np.testing.assert_allclose(result, np.einsum("j,i,jk->jik", slope, arrays[x], np.eye(2)))


# ------------------------------------------------------------------ inputs

X, W, B = var("x", n), var("W", n, m), var("b", m)


def refused(
    kind: type[Exception], text: str, variables: Sequence[Variable], given: dict[str, Any], **sizes: Any
) -> None:
    with pytest.raises(kind) as error:
        bind(variables, given, sizes)
    assert str(error.value) == text
    assert isinstance(error.value, ValueError | TypeError)


def test_binding() -> None:
    arrays, sizes = bind([X, W, B], {"x": [1, 2], "W": np.ones((2, 3)), "b": (1.0, 2.0, np.nan)})
    assert sizes == {"n": 2, "m": 3} and [v.label for v in arrays] == ["x", "W", "b"]
    assert arrays[X].dtype == np.float64 and arrays[X].tolist() == [1, 2]
    data = np.ones((2, 3))
    assert bind([W], {"W": data})[0][W] is data
    assert bind([X], {"x": jnp.ones(3, jnp.float32)})[0][X].dtype == np.float32
    assert bind([X], {"x": np.ones(3, ">f4")})[0][X].dtype == np.dtype("=f4")


@pytest.mark.parametrize("dtype", [*DTYPES, np.int8, np.uint64, np.int64])
def test_dtypes_of_inputs(dtype: Any) -> None:
    given_x = np.ones(3, dtype)
    expected = dtype if np.dtype(dtype).kind in "fc" else np.float64
    assert bind([X], {"x": given_x})[0][X].dtype == expected


def test_scalars_are_python_numbers_or_arrays_without_axes() -> None:
    s = var("s")
    for value in (2, 2.0, Fraction(4, 2), np.float64(2), np.asarray(2)):
        array = bind([s], {"s": value})[0][s]
        assert array == 2 and array.shape == () and array.dtype == np.float64
    single = np.ones(2, np.float32)
    assert bind([s, X], {"s": 0.5, "x": single})[0][s].dtype == np.float32
    assert bind([s, X], {"s": 0.5j, "x": single})[0][s].dtype == np.complex64
    assert bind([s, X], {"s": np.float64(0.5), "x": single})[0][s].dtype == np.float64
    refused(
        InputError,
        "input s: an integer that would overflow: it is about 10**400, and floats end at 1.8e308\n"
        "  instead: rescale it",
        [s],
        {"s": 10**400},
    )
    refused(
        InputError, "input x: it has 0 axes, shape (), and x has 1 axis, (n,)\n  instead: give 1 axis", [X], {"x": 3.0}
    )


def test_missing_and_unknown_inputs() -> None:
    refused(InputError, "evaluate: missing inputs W (n, m), x (n)\n  instead: give W=..., x=...", [X, W, B], {"b": [1]})
    refused(InputError, "evaluate: missing input x (n)\n  instead: give x=...", [X], {})
    refused(InputError, "evaluate: unknown input 'q'\n  instead: known here: W, x", [X, W], {"q": 1})
    weights = var("weights", n)
    refused(
        InputError, "evaluate: unknown input 'weigths'\n  instead: did you mean 'weights'?", [weights], {"weigths": [1]}
    )


def test_wrong_axes_and_sizes() -> None:
    refused(
        InputError,
        "input W: it has 1 axis, shape (3,), and W has 2 axes, (n, m)\n  instead: give 2 axes",
        [W],
        {"W": [1, 2, 3]},
    )
    refused(
        InputError,
        "input x: it has 2 axes, shape (3, 1), and x has 1 axis, (n,)\n  instead: give it flat, with .ravel()",
        [X],
        {"x": np.ones((3, 1))},
    )
    fixed = var("F", 3, n)
    refused(
        InputError,
        "input F: axis 0 has 1, its dimension is 3\n  instead: give equal sizes; 1 is not stretched",
        [fixed],
        {"F": np.ones((1, 2))},
    )
    text = "dimension `n`: x has {} (axis 0), W has 4 (axis 0)\n  instead: give equal sizes; 1 is not stretched"
    for size in (3, 1):
        refused(DimensionError, text.format(size), [X, W], {"x": np.ones(size), "W": np.ones((4, 2))})
        refused(InputError, text.format(size), [X, W], {"x": np.ones(size), "W": np.ones((4, 2))})
    refused(
        DimensionError,
        "dimension `n`: A has 2 (axis 0), A has 3 (axis 1)\n  instead: give equal sizes; 1 is not stretched",
        [var("A", n, n)],
        {"A": np.ones((2, 3))},
    )
    refused(
        DimensionError,
        "dimension `n`: n=5 was given, x has 3 (axis 0)\n  instead: give equal sizes; 1 is not stretched",
        [X],
        {"x": np.ones(3)},
        n=5,
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            np.ones(2, bool),
            "its dtype is bool, which is not supported\n  instead: for 0 and 1, convert it with .astype(float)",
        ),
        (
            np.ones(2, np.float16),
            "its dtype is float16, which is not supported\n  instead: convert it with .astype(np.float32)",
        ),
        (
            ["a", "b"],
            "its dtype is text, which is not supported\n"
            "  instead: give float32, float64, complex64, complex128 or integers",
        ),
        (
            [None, 1],
            "its dtype is object, which is not supported\n"
            "  instead: give float32, float64, complex64, complex128 or integers",
        ),
        ([10**30, 1], "integers that would overflow an int64\n  instead: give floats"),
        (True, "its dtype is bool, which is not supported\n  instead: for 0 and 1, convert it with .astype(float)"),
    ],
)
def test_dtypes_that_are_refused(value: Any, text: str) -> None:
    refused(InputError, f"input x: {text}", [X], {"x": value})


def test_values_that_are_no_arrays() -> None:
    with pytest.raises(InputError, match=r"input x: a list that is no array: .*inhomogeneous"):
        bind([X], {"x": [[1, 2], [3]]})

    class Expression:
        def __array__(self, *args: Any, **kwargs: Any) -> Any:
            raise KindError("x", "NumPy cannot make an array of an expression")

    with pytest.raises(KindError):
        bind([X], {"x": Expression()})


def test_columns_and_rows() -> None:
    a, r = var("a", n, words=["column"]), var("r", n, words=["row"])
    for given_a in (np.ones(3), np.ones((3, 1))):
        assert bind([a], {"a": given_a})[0][a].shape == (3,)
    for given_r in (np.ones(3), np.ones((1, 3))):
        assert bind([r], {"r": given_r})[0][r].shape == (3,)
    text = "input {}: it has 2 axes, shape {}, and {} has 1 axis, (n,)\n  instead: give it flat, with .ravel()"
    refused(InputError, text.format("a", "(1, 3)", "a"), [a], {"a": np.ones((1, 3))})
    refused(InputError, text.format("r", "(3, 1)", "r"), [r], {"r": np.ones((3, 1))})


def test_dimensions_that_are_polynomials() -> None:
    half, double = n * (n + 1) / 2, n * m
    v, k = var("v", half), var("k", double)
    assert bind([v], {"v": np.ones(6)})[1] == {"n": 3}
    assert bind([v], {"v": np.ones(500500)})[1] == {"n": 1000}
    assert bind([X, k], {"x": np.ones(3), "k": np.ones(12)})[1] == {"n": 3, "m": 4}
    assert bind([k], {"k": np.ones(12)}, {"m": 6})[1] == {"m": 6, "n": 2}
    assert bind([var("z", double + 2 * m - 3)], {"z": np.ones(9)}, {"m": 2})[1] == {"m": 2, "n": 4}
    assert bind([v, k], {"k": np.ones(12), "v": np.ones(6)})[1] == {"n": 3, "m": 4}
    refused(
        DimensionError,
        "dimension `n**2/2 + n/2`: v has 7 (axis 0), and no n gives that\n  instead: check the shape of v",
        [v],
        {"v": np.ones(7)},
    )
    refused(
        DimensionError,
        "dimension `m*n`: k has 7 (axis 0), and no m gives that: x has 3 (axis 0)\n  instead: check the shape of k",
        [X, k],
        {"x": np.ones(3), "k": np.ones(7)},
    )
    refused(
        DimensionError,
        "dimension `m*n`: k has 7 (axis 0), and it comes out as 6: W has 2 (axis 1), W has 3 (axis 0)\n"
        "  instead: give equal sizes; 1 is not stretched",
        [W, k],
        {"W": np.ones((3, 2)), "k": np.ones(7)},
    )
    refused(
        DimensionError,
        "dimension `n**2/2 + n/2`: v has 6 (axis 0), and it comes out as 10: x has 4 (axis 0)\n"
        "  instead: give equal sizes; 1 is not stretched",
        [v, X],
        {"v": np.ones(6), "x": np.ones(4)},
    )
    refused(
        DimensionError,
        "dimension `m`: only m*n = 12 is known (k, axis 0)\n  instead: give m=...",
        [k],
        {"k": np.ones(12)},
    )
    refused(
        DimensionError,
        "dimension `m`: only m*n = 0 is known (k, axis 0)\n  instead: give m=...",
        [X, k],
        {"x": np.ones(0), "k": np.ones(0)},
    )
    two = n * n - 3 * n + 5
    refused(
        DimensionError,
        "dimension `n`: only n**2 - 3*n + 5 = 3 is known (v, axis 0)\n  instead: give n=...",
        [var("v", two)],
        {"v": np.ones(3)},
    )


def test_inputs_that_only_fix_dimensions() -> None:
    t, u, v = var("T", m, n), var("U", m, dim("k")), var("V", n, dim("k"))
    hessian = einsum(2, [(delta(m), "ij"), (v, "ka"), (v, "kb")], "iajb")
    arrays, sizes = bind([t, u, v], {"V": np.ones((3, 2)), "T": np.ones((4, 3))}, roots=[hessian])
    assert sizes == {"n": 3, "m": 4, "k": 2}
    assert evaluate([hessian], arrays, sizes)[0].shape == (4, 2, 4, 2)
    assert bind([t, u, v], {"V": np.ones((3, 2))}, {"m": 4}, roots=[hessian])[1] == sizes
    with pytest.raises(DimensionError) as error:
        bind([t, u, v], {"V": np.ones((3, 2))}, roots=[hessian])
    assert str(error.value) == "dimension `m`: no input fixes it\n  instead: give m=..., or the input T or U"
    with pytest.raises(InputError, match="missing input V"):
        bind([t, u, v], {"T": np.ones((4, 3))}, roots=[hessian])
    with pytest.raises(InputError, match=r"unknown dimension 'q'\n  instead: known here: k, m, n"):
        bind([t, u, v], {"V": np.ones((3, 2))}, {"q": 4}, roots=[hessian])
    assert bind([], {}, roots=[delta(symbol("?i"))]) == ({}, {})
    assert bind([], {"x": np.ones(3)}, roots=[X])[1] == {"n": 3}
    s, single = var("s"), np.ones(3, np.float32)
    arrays, _ = bind([X, B], {"s": 2, "x": single, "b": np.ones(2)}, roots=[einsum(1, [(X, "i"), (s, "")], "i")])
    assert arrays[s].dtype == np.float32


def test_sizes_that_are_given() -> None:
    for value, text in (
        (2.5, "a dimension is a whole number"),
        (True, "a dimension is a whole number"),
        (-1, "a dimension is not negative"),
    ):
        refused(InputError, f"n={value}: {text}\n  instead: give n=5, say", [X], {"x": np.ones(3)}, n=value)
    assert bind([X], {"x": np.ones(3)}, {"n": np.int64(3)})[1] == {"n": 3}


def test_empty_reductions() -> None:
    x = var("x", 0)
    with pytest.raises(
        InputError, match=r"evaluate max: it has no value for nothing, and its argument has shape \(0,\)"
    ):
        evaluate([reduction("max", x, (0,), False)], {x: np.ones(0)})
    assert evaluate([reduction("prod", x, (0,), False)], {x: np.ones(0)})[0] == 1


def test_variables_of_one_name_are_apart() -> None:
    """Two tensors of one name that were declared with something and without."""
    one, other = var("S", 2, 2), var("S", 2, 2, words=["symmetric"])
    arrays = {one: draw(2, 2), other: np.eye(2)}
    assert_matches(einsum(1, [(one, "ij"), (other, "jk")], "ik"), arrays)
