"""Functions of one's own: rules, numbers, code, at all that the library does with a function."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import scipy.special
from scipy.linalg import expm

import indexcalc as ic
from indexcalc.testing import check_rule

i, j, k, l = ic.indices("i j k l")  # noqa: E741
b = ic.index("b", batch=True)
A, x, X, V, s = ic.tensor("A", "m n"), ic.tensor("x", "n"), ic.tensor("X", "N n"), ic.tensor("V", "h n"), ic.scalar("s")
RNG = np.random.default_rng(0)

gauss = ic.function(
    "gauss", "->", numpy=lambda z: np.exp(-(z**2)), derivative=lambda z, y: -2 * z * y, latex=r"\mathcal{G}"
)
layer = ic.function(
    "layer",
    "n, h n -> h",
    numpy=lambda z, w: np.tanh(w @ z),
    derivative=[
        lambda z, w, y: ic.diagm(1 - y**2) @ w,
        lambda z, w, y: ic.einsum("ij,i,k->ijk", ic.eye("h"), 1 - y**2, z),
    ],
)
quad = ic.function("quad", "n ->", numpy=lambda z: z @ z, derivative=lambda z: 2 * z)
solve = ic.function(
    "mysolve",
    "n n, n -> n",
    numpy=np.linalg.solve,
    derivative=[lambda M, v, y: -ic.einsum("ij,k->ijk", ic.inv(M), y), lambda M, v: ic.inv(M)],
)

CASES = [
    (ic.grad(gauss(A @ x).sum(), x), ic.grad(ic.exp(-((A @ x) ** 2)).sum(), x)),
    (ic.hessian(gauss(A @ x).sum(), x), ic.hessian(ic.exp(-((A @ x) ** 2)).sum(), x)),
    (gauss(x[i]).diff(x[j]), ic.exp(-(x[i] ** 2)).diff(x[j])),
    (ic.derivative(layer(x, V), x), ic.derivative(ic.tanh(V @ x), x)),
    (ic.grad((layer(X, V) ** 2).sum(), V), ic.grad((ic.tanh(X @ V.T) ** 2).sum(), V)),
    (ic.grad((layer(X, V) ** 2).sum(), X), ic.grad((ic.tanh(X @ V.T) ** 2).sum(), X)),
    (ic.hessian((layer(x, V) ** 2).sum(), x), ic.hessian((ic.tanh(V @ x) ** 2).sum(), x)),
    (ic.grad(quad(X).sum(), X), ic.grad((X * X).sum(), X)),
    (quad(X[b, i]).diff(X[b, k]), 2 * X[b, k]),
]


@pytest.mark.parametrize(("D", "plain"), CASES, ids=[str(D)[:40] for D, _ in CASES])
def test_it_is_what_the_formula_is(D, plain):
    sizes = {"m": 3, "n": 4, "N": 2, "h": 3}
    shapes = {"A": (3, 4), "x": (4,), "X": (2, 4), "V": (3, 4)}
    given = {name: RNG.normal(size=shapes[name]) for name in {*D.variables, *plain.variables}}
    mine = {name: given[name] for name in D.variables}
    theirs = {name: given[name] for name in plain.variables}
    more = {"order": D.free} if isinstance(D, ic.Expr) else {}
    left = {name: size for name, size in sizes.items() if name == "h" and "V" not in mine and "layer" in str(D)}
    np.testing.assert_allclose(D.evaluate(**mine, **left, **more), plain.evaluate(**theirs, **more), atol=1e-12)
    assert ic.parse(str(D), **D.declarations) == D and ic.parse(D.latex(), **D.declarations) == D
    assert ic.verify(D)


@pytest.mark.parametrize("f", [gauss, layer, quad, solve], ids=str)
def test_check_rule_holds_values_against_numbers(f):
    assert check_rule(f)


def test_rules_of_matrices_joined_axes_and_named_steps_hold_for_each_sample():
    def slope(z):
        pairs = ic.vec(ic.outer(z, z))
        return 4 * ic.define("size", pairs @ pairs) / (z @ z) * z

    trace = ic.function("trexp", "n n ->", numpy=lambda z: np.trace(expm(z)), derivative=lambda z: ic.expm(z).T)
    fourth = ic.function("fourth", "n ->", numpy=lambda z: (z @ z) ** 2, derivative=slope)
    T, t = ic.tensor("T", "N n n"), RNG.normal(size=(4, 3, 3))
    np.testing.assert_allclose(ic.grad(trace(T).sum(), T).evaluate(T=t), [expm(one).T for one in t])
    found = ic.grad(fourth(X).sum(), X).evaluate(X=t[0])
    np.testing.assert_allclose(found, 4 * (t[0] ** 2).sum(axis=1, keepdims=True) * t[0])


def test_check_rule_sees_a_wrong_rule():
    assert not check_rule(ic.function("g", "->", numpy=np.sin, derivative=lambda z: -ic.cos(z)))
    turned = lambda M, v: ic.inv(M).T  # noqa: E731
    assert not check_rule(ic.function("g", "n n, n -> n", numpy=np.linalg.solve, derivative=[None, turned]))
    with pytest.raises(ic.NotationError, match="without a rule"):
        check_rule(ic.function("g", "->", numpy=np.sin))


def test_source_and_code_of_targets():
    J1 = ic.function("J1", "->", numpy=scipy.special.j1)
    J0 = ic.function("J0", "->", numpy="scipy.special.j0", derivative=lambda z: -J1(z))
    D = ic.grad((J0(X) * gauss(X)).sum(), X)
    text = ic.to_source(D, (X,), name="made")
    assert "scipy.special.j0(X)" in text and "def made(X, *, gauss):" in text and "indexcalc" not in text
    space: dict = {}
    exec(text, space)
    at = RNG.normal(size=(3, 2))
    found = space["made"](at, gauss=lambda z: np.exp(-(z**2)))
    np.testing.assert_allclose(found, D.evaluate(X=at))
    want = -scipy.special.j1(at) * np.exp(-(at**2)) - 2 * at * np.exp(-(at**2)) * scipy.special.j0(at)
    np.testing.assert_allclose(found, want)
    mapped = ic.to_source(layer(X, V), (X, V), name="made")
    assert 'np.vectorize(layer, signature="(a0),(b0,b1)->(v0)")(X, V)' in mapped


@pytest.mark.jax
def test_jax_has_code_of_its_own():
    jax = pytest.importorskip("jax")
    f = ic.function("f", "n -> n", jax=lambda z: jax.numpy.cumsum(z), derivative=lambda z: ic.tril(ic.ones("n", "n")))
    at = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(ic.compile(f(X), (X,), backend="jax")(at), np.cumsum(at, 1))
    assert ic.grad(f(X).sum(), X).equals(ic.ones("N", "n") @ ic.tril(ic.ones("n", "n")))
    with pytest.raises(ic.InputError, match="code for jax alone"):
        f(X).evaluate(X=at)
    with pytest.raises(ic.InputError, match="code for numpy alone"):
        ic.compile(gauss(X), (X,), backend="jax")(at)


@pytest.mark.torch
def test_torch_has_code_of_its_own():
    torch = pytest.importorskip("torch")
    f = ic.function("f", "n ->", torch="torch.linalg.norm", numpy=np.linalg.norm)
    at = torch.ones(2, 4, dtype=torch.float64)
    np.testing.assert_allclose(ic.compile(f(X), (X,), backend="torch")(at), [2, 2])
    assert "torch.vmap(torch.linalg.norm)(X)" in ic.to_source(f(X), (X,), target="torch")


@pytest.mark.dask
def test_dask_takes_the_code_of_numpy():
    da = pytest.importorskip("dask.array")
    at = RNG.normal(size=(4, 3))
    blocks = da.from_array(at, chunks=(2, 3))
    for view in (gauss(X), quad(X), layer(X, V)):
        made = ic.compile(view, (X, V) if "V" in view.variables else (X,), backend="dask")
        arrays = (blocks, np.ones((2, 3))) if "V" in view.variables else (blocks,)
        given = {"X": at, "V": np.ones((2, 3))}
        np.testing.assert_allclose(made(*arrays).compute(), view.evaluate(**{n: given[n] for n in view.variables}))


def test_it_is_explained_checked_and_compared():
    D = ic.grad(gauss(x).sum(), x)
    assert "rule of gauss: by x -2*x*gauss(x)" in str(ic.explain(gauss(x).sum(), x))
    assert ic.check("-2*x*gauss(x)", D) and not ic.check("-2*gauss(x)", D)
    assert gauss(x).latex() == r"\mathcal{G}\left(x\right)" and gauss(x[i]).latex() == r"\mathcal{G}\left(x_{i}\right)"
    assert ic.parse("gauss'(s)", gauss=gauss, s="") == ic.derivative(gauss(s), s)
    assert ic.parse("D2gauss(s)", gauss=gauss, s="") == ic.derivative(gauss(s), s, order=2)
    H = ic.hessian(quad(x), x).compressed(x=np.ones(3))
    np.testing.assert_allclose(H.todense(), 2 * np.eye(3))


def test_rules_in_other_forms():
    t = ic.tensor("t", "n")
    by_expression = ic.function("e", "n -> n", derivative=ic.diagm(ic.cos(t)))
    y = ic.tensor("y", "n")
    assert str(ic.derivative(by_expression(y), y)) == "diagm(cos(y))"
    slope = ic.function("slope", "n -> n n")
    assert str(ic.derivative(ic.function("e", "n -> n", derivative=slope)(y), y)) == "slope(y)"
    constant = ic.function("c", "->", derivative=lambda z: 3)
    assert str(ic.grad(constant(x).sum(), x)) == "3*ones(n)"
    symbolic = ic.function("m", "n -> n", derivative=lambda z: ic.eye("n"))
    assert ic.derivative(symbolic(y), y) == ic.eye("n")


def test_numbers_are_checked():
    S = ic.function("S", "n -> n n", symmetric=True, numpy=lambda v: np.outer(v, np.arange(len(v))))
    with pytest.raises(ic.InputError, match="not symmetric"):
        S(x).evaluate(x=[1.0, 2.0])
    with pytest.raises(ic.InputError, match="nothing of this name"):
        ic.function("f", "->", numpy="scipy.special.nothing")(x).evaluate(x=[1.0])
    one, other = (ic.function("f", "->", numpy=g) for g in (np.sin, np.cos))
    with pytest.raises(ic.NameRefused, match="two functions"):
        (one(x) + other(x)).evaluate(x=[1.0])
    bare = ic.function("f", "->", numpy=np.sin)
    with pytest.raises(ic.InputError, match="no numbers were given"):
        ic.grad(bare(x).sum(), x).evaluate(x=[1.0])
    assert ic.grad(bare(x).sum(), x).evaluate(x=[0.0], Df=np.cos) == 1
    assert bare(x).evaluate(x=[0.0], f=np.cos) == 1
    with pytest.raises(ic.InputError, match="Df has none"):
        ic.verify(ic.grad(bare(x).sum(), x))
    with pytest.raises(ic.InputError, match="no numbers to hold it against"):
        ic.verify(ic.grad(ic.function("g", "->", derivative=ic.cos)(x).sum(), x))


def test_it_pickles():
    f = ic.function("f", "->", numpy=scipy.special.j0, derivative=ic.cos)
    assert pickle.loads(pickle.dumps(f(x))) == f(x)
    assert pickle.loads(pickle.dumps(ic.grad(f(x).sum(), x))) == ic.grad(f(x).sum(), x)
    named = ic.function("f", "->", numpy="scipy.special.j0")
    assert pickle.loads(pickle.dumps(ic.compile(named(x), (x,))))(np.zeros(2)).tolist() == [1, 1]


def test_one_without_a_name_pickles_as_such_functions_do():
    """The pickles of Python find functions by their names; those that carry code take it, as dask does."""
    f = ic.function("f", "->", numpy=lambda z: z**2)
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(f(x))
    cloudpickle = pytest.importorskip("cloudpickle")
    assert pickle.loads(cloudpickle.dumps(ic.compile(f(x), (x,))))(np.ones(2)).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ic.function("f", "n -> m", derivative=lambda z: z), r"should have \(m, n\)"),
        (lambda: ic.function("f", "n, m ->", derivative=lambda z, w: z), "1 rule for 2 arguments"),
        (lambda: ic.function("f", "n ->", derivative=lambda z: A @ z), "has the tensor A, which is no argument"),
        (lambda: ic.function("f", "n ->", derivative=lambda z: z[i]), "has indices"),
        (lambda: ic.function("f", "->", derivative=lambda z: "z"), "no expression"),
        (lambda: ic.function("f", "->", derivative="cos(x)"), "no expression"),
        (lambda: ic.function("f", "n ->", derivative=A @ x), "which argument is which"),
        (lambda: ic.function("f", "m ->", derivative=2 * x), "declare it alike"),
        (lambda: ic.function("f", "->", derivative=lambda: 3), "a rule of 0 arguments"),
        (lambda: ic.function("f", "->", derivative=lambda p, q, r: p), "a rule of 3 arguments"),
        (lambda: ic.function("f", "->", numpy=3), "numpy=3 is no function"),
        (lambda: ic.function("f", "->", jax="1 + 1"), "is no function"),
        (lambda: ic.function("f", "n ->", gradient="G", derivative=lambda z: z), "has no name"),
        (lambda: ic.grad(ic.function("f", "n, n ->", derivative=[None, lambda p, q: p])(x, x), x), "argument 1"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ic.IndexCalcError, match=message):
        make()
