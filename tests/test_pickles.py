"""Compiled functions pickle on every backend; a bent pickle writes no code."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import indexcalc as ic
from indexcalc.graph import constructors as graph
from indexcalc.graph.constructors import elementwise, reduction, variable
from indexcalc.graph.node import Call, Node, Signature
from indexcalc.views.array import Array

A, x = ic.tensor("A", "n n"), ic.tensor("x", "n")
POINT = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([1.0, 2.0])


def again(f: Any) -> Any:
    return pickle.loads(pickle.dumps(f))


@pytest.mark.parametrize("backend", ["numpy", "jax", "torch", "dask"])
@pytest.mark.parametrize("called", [False, True])
def test_compiled_functions_pickle(backend: str, called: bool) -> None:
    f = ic.compile([A @ x, ic.grad(x @ A @ x, x), x @ x], (A, x), backend=backend)
    if called:
        f(*POINT)
    for g in (again(f), copy.copy(f), copy.deepcopy(f), again(again(f))):
        assert type(g) is type(f) and repr(g) == repr(f)
        for one, other in zip(f(*POINT), g(*POINT), strict=True):
            np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=1e-6)


def test_what_was_asked_of_it_is_kept() -> None:
    """Its one output, sizes, order, limit, and the functions that are given by name."""
    f = again(ic.compile(A.T @ A, (A,), sizes={"n": 3}, order="C", memory_limit=500))
    assert f.plan.flops == ic.compile(A.T @ A, (A,), sizes={"n": 3}).plan.flops
    assert f(np.eye(2)).flags.c_contiguous
    with pytest.raises(ic.InputError, match="limit"):
        f(np.eye(50))
    u = ic.function("u", "n -> n")
    g = again(ic.compile(u(x), (x,)))
    np.testing.assert_array_equal(g(np.ones(2), u=np.cos), np.cos(np.ones(2)))
    safe = ic.compile(A @ x + A @ (2 * x), (A, x), reassociate="safe", sizes={"n": 9})
    assert again(safe).plan.flops == safe.plan.flops


@pytest.mark.parametrize("name", ["x): print(1) #", "x=__import__('os')", "a b"])
def test_a_bent_name_writes_no_code(name: str) -> None:
    """Names are checked where tensors are declared; whoever bends a pickle gets round that."""
    bent = again(Array(variable(name, (2,))))
    for call in (
        lambda: ic.compile(2 * bent, (bent,))(np.ones(2)),
        lambda: ic.compressed(2 * bent, {name: np.ones(2)}),
    ):
        with pytest.raises(ic.NameRefused):
            call()


HIT: list[int] = []
CODE = "__import__('test_pickles').HIT.append(1)"


@pytest.mark.parametrize("route", ["evaluate", "compressed", "source", "numpy", "jax", "torch"])
@pytest.mark.parametrize(
    "node",
    [
        variable(CODE, (2,)),
        elementwise("polygamma", [(x.node, (0,))], x.node.dims, (CODE,)),  # type: ignore[arg-type]
        reduction("normp", x.node, [0], False, (CODE,)),  # type: ignore[arg-type]
        graph.call(Signature(CODE, (x.node.dims,), x.node.dims, ""), (0,), [x.node]),
        graph.call(Signature("f", (x.node.dims,), (), CODE), (1,), [x.node]),
    ],
    ids=["tensor", "parameter", "exponent", "function", "gradient"],
)
def test_what_is_no_name_and_no_number_writes_no_code(route: str, node: Node) -> None:
    bent = again(Array(node))
    given = {variable.label: np.ones(2) for variable in bent.inputs}
    functions = {CODE: np.cos} if isinstance(node, Call) else {}
    ways = {
        "evaluate": lambda: bent.evaluate({**given, **functions}),
        "compressed": lambda: bent.compressed({**given, **functions}),
        "source": lambda: ic.to_source(bent, tuple(given)),
    }
    with pytest.raises(ic.NameRefused):
        ways.get(route, lambda: ic.compile(bent, tuple(given), backend=route)(*given.values(), **functions))()
    assert not HIT


@pytest.mark.parametrize("backend", ["numpy", "jax", "torch", "dask"])
def test_sizes_are_enough_where_a_keyword_is(backend: str) -> None:
    """A dimension that no input fixes is told once, at compile, or at each call; the inputs tell the others."""
    e = ic.tr(ic.eye("k")) * x
    for sizes in ({"k": 2}, {"k": 2, "n": 3}, {"k": 2, "n": 9}):
        f = ic.compile(e, (x,), backend=backend, sizes=sizes)
        for g in (f, again(f)):
            np.testing.assert_array_equal(np.asarray(g(np.ones(3))), [2, 2, 2])
            np.testing.assert_array_equal(np.asarray(g(np.ones(3), k=4)), [4, 4, 4])
    gone = ic.compile(x + ic.tr(ic.eye("k") - ic.eye("k")), (x,), backend=backend, sizes={"k": 2})
    np.testing.assert_array_equal(np.asarray(gone(np.ones(3), k=2)), np.ones(3))
    with pytest.raises(ic.InputError, match="unknown dimension"):
        ic.compile(e, (x,), backend=backend, sizes={"q": 2})


@pytest.mark.parametrize("backend", ["evaluate", "numpy", "jax", "torch", "dask"])
def test_what_says_more_than_numbers_is_refused(backend: str) -> None:
    """A mask would be lost, and so would the names of dimensions."""
    labelled = type("DataArray", (np.ndarray,), {"__module__": "xarray.core.dataarray"})
    f = ic.compile(2 * x, (x,), backend=backend) if backend != "evaluate" else lambda value: (2 * x).evaluate(x=value)
    f(np.ones(2))
    for value in (np.ma.array([1.0, 2.0], mask=[False, True]), np.ones(2).view(labelled)):
        with pytest.raises(ic.InputError, match=r"lost|places"):
            f(value)
