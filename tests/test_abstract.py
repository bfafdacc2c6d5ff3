"""Abstract functions entry by entry and for each sample: printed, read back, derived, evaluated, checked."""

from __future__ import annotations

import numpy as np
import pytest

import indexcalc as ic

i, j, k, l = ic.indices("i j k l")  # noqa: E741
b, c = ic.indices("b c", batch=True)
f, h, loss = ic.function("f", "->"), ic.function("h", ", ->"), ic.function("l", "o ->")
net = ic.function("net", "o, p -> m")
A, x, W, X = ic.tensor("A", "m n"), ic.tensor("x", "n"), ic.tensor("W", "n m"), ic.tensor("X", "N o")
s, th = ic.scalar("s"), ic.tensor("th", "p")
RNG = np.random.default_rng(0)
SINES = {"f": np.sin, "Df": np.cos, "D2f": lambda z: -np.sin(z)}

TEXTS = [
    (f(A @ x), "f(A @ x)"),
    (ic.grad(f(A @ x).sum(), x), "A.T @ Df(A @ x)"),
    (ic.hessian(f(A @ x).sum(), x), "A.T @ diagm(D2f(A @ x)) @ A"),
    (f(A).T, "f(A).T"),
    (f(f(s)), "f(f(s))"),
    (ic.derivative(f(s), s, order=2), "D2f(s)"),
    (f(x[i] * W[i, j]), "f(x[i]*W[i,j])"),
    (f(x[i] * W[i, j]).diff(W[k, l]), "{j,k,l: Df(x[i]*W[i,j])*x[k]*δ[j,l]}"),
    (f(x[i]).sum(i), "sum[i](f(x[i]))"),
    (h(x[i], A[k, j]).diff(x[l]), "{i,j,k,l: D10h(x[i], A[k,j])*δ[i,l]}"),
    (h(A, s), "h(A, s)"),
    (loss(X), "l(X)"),
    (ic.grad(loss(X).sum(), X), "Dl(X)"),
    (loss(X[b, i]), "l(X)[b]"),
    (loss(X[b, i]).diff(X[b, k]), "Dl(X)[b,k]"),
    (loss(X[b, i]).diff(X[c, k]), "Dl(X)[b,k]*δ[b,c]"),
    (net(X, th), "net(X, th)"),
    (ic.grad((net(X, th) ** 2).sum(), th), "2*D01net(X, th)[j,k,i]*net(X, th)[j,k] -> [i]"),
]


@pytest.mark.parametrize(("view", "text"), TEXTS, ids=[text for _, text in TEXTS])
def test_it_prints_and_reads_back(view, text):
    assert str(view) == text
    known = {"batch": "b c", **view.declarations}
    for written in (text, view.unicode(), view.latex()):
        assert ic.parse(written, **known) == view, written


def test_the_gradient_of_a_network_with_an_unknown_activation():
    Y, W1, W2 = ic.tensor("Y", "N d"), ic.tensor("W1", "d h"), ic.tensor("W2", "h o")
    D = ic.grad(ic.function("L", "N o ->", gradient="G")(f(Y @ W1) @ W2), W1)
    assert str(D) == "X.T @ (Df(X @ W1)*(G @ W2.T))".replace("X", "Y")
    assert ic.check("Y.T @ ((G @ W2.T) * Df(Y @ W1))", D) and ic.check("Y'((G W2') ∘ f'(Y W1))", D)
    assert ic.check("-Y.T @ ((G @ W2.T) * Df(Y @ W1))", D).faults == ("sign",)
    assert not ic.check("Y.T @ ((G @ W2.T) * f(Y @ W1))", D)
    assert ic.verify(D)


def test_primes_where_the_argument_and_the_value_are_numbers():
    phi = ic.function("phi", "->")
    first, second, fourth = (ic.derivative(phi(s), s, order=times) for times in (1, 2, 4))
    assert (first.unicode(), second.unicode()) == ("φ′(s)", "φ″(s)")
    assert (first.latex(), second.latex()) == (r"\phi'\left(s\right)", r"\phi''\left(s\right)")
    assert fourth.unicode() == "D4phi(s)" and fourth.latex() == r"\mathrm{D}^{4}\phi\left(s\right)"
    H = ic.hessian(phi(A @ x).sum(), x)
    assert r"\phi''\left(A \, x\right)" in H.latex() and "φ″(A @ x)" in H.unicode()
    for text in ("phi''(s)", "φ″(s)", "φ′′(s)", "D2phi(s)", r"\phi^{\prime\prime}(s)", r"\phi^{(2)}\left(s\right)"):
        assert ic.parse(text, phi=phi, s="") == second, text
    assert "'" not in ic.grad(loss(x_of("o")), x_of("o")).latex()


def x_of(size: str) -> ic.Array:
    return ic.tensor("x", size)


def test_equality_does_not_see_how_it_was_written():
    S = ic.tensor("S", "n n", symmetric=True)
    assert f(A.T) == f(A).T and f(S) == f(S).T and ic.diag(f(S)) == f(ic.diag(S))
    assert f(A[i, j]) * x[j] == f(A[i, k]) * x[k]
    assert ic.vec(f(A)) == f(ic.vec(A))
    assert h(A, x) != h(x, A) and f(A @ x) != ic.function("g", "->")(A @ x)
    assert loss(X)[c] == loss(X[c, i]) and loss(X[b, i]) == loss(X[b, j])
    assert (ic.parse("f(X)", f=f, X="n n") == ic.parse("X", X="n n")) is False
    assert f(A.T @ A).equals(f(A.T @ A).T)


def test_numbers_entry_by_entry():
    a, v = RNG.normal(size=(3, 4)), RNG.normal(size=4)
    H = ic.hessian(f(A @ x).sum(), x)
    want = a.T @ np.diag(-np.sin(a @ v)) @ a
    assert np.allclose(H.evaluate(A=a, x=v, D2f=SINES["D2f"]), want)
    assert np.allclose(ic.compile(H, (A, x))(a, v, D2f=SINES["D2f"]), want)
    two = h(A, x) + h(s, A)
    assert np.allclose(two.evaluate(A=a, x=v, s=2.0, h=lambda p, q: p - q**2), a - v**2 + 2 - a**2)
    with pytest.raises(ic.InputError, match=r"its value has shape \(\), and should have \(3,\)"):
        f(A @ x).evaluate(A=a, x=v, f=lambda z: z.sum())
    with pytest.raises(ic.InputError, match="no numbers were given for it"):
        f(A @ x).evaluate(A=a, x=v)


def test_numbers_for_each_sample():
    a, w = RNG.normal(size=(5, 3)), RNG.normal(size=2)
    assert np.allclose(loss(X).evaluate(X=a, l=lambda v: v @ v), (a * a).sum(1))
    assert np.allclose(loss(X).evaluate(X=a, l=lambda v: (v**2).sum(-1)), (a * a).sum(1))
    assert loss(X).evaluate(X=a[:0], l=lambda v: v @ v).shape == (0,)
    made = net(X, th).evaluate(X=a, th=w, m=4, net=lambda v, p: np.outer(v, p)[:2].ravel())
    assert np.allclose(made, [np.outer(v, w)[:2].ravel() for v in a])
    cubes = ic.tensor("T", "q N o")
    assert np.allclose(loss(cubes).evaluate(T=[a, 2 * a], l=lambda v: v @ v), [(a * a).sum(1), 4 * (a * a).sum(1)])
    with pytest.raises(ic.InputError, match="array\\(s\\) of one sample with values of shape \\(\\)"):
        loss(X).evaluate(X=a, l=lambda v: v)


def test_named_gradients_of_samples():
    L = ic.function("L", "o ->", gradient="G")
    D = ic.grad(L(X @ ic.tensor("V", "o o")).sum(), X)
    assert str(D) == "G @ V.T"
    a, v = RNG.normal(size=(5, 3)), RNG.normal(size=(3, 3))
    for G in (2 * a @ v, lambda z: 2 * z):
        assert np.allclose(D.evaluate(X=a, V=v, G=G), 2 * a @ v @ v.T)
        space = {}
        exec(ic.to_source(D, (X, ic.tensor("V", "o o")), name="slope"), space)
        assert np.allclose(space["slope"](a, v, G=G), 2 * a @ v @ v.T)


@pytest.mark.parametrize("view", [view for view, _ in TEXTS if hasattr(view, "wrt") and "X" in str(view)], ids=str)
def test_derivatives_agree_with_differences(view):
    assert ic.verify(view)


@pytest.mark.parametrize(
    "view", [f(x[i] * W[i, j]).diff(W[k, l]), ic.hessian(f(A @ x).sum(), x), h(x[i], A[k, j]).diff(x[l])], ids=str
)
def test_derivatives_of_entries_agree_with_differences(view):
    assert ic.verify(view)


@pytest.mark.jax
def test_jax_maps_the_samples():
    jax = pytest.importorskip("jax")
    run = ic.compile(ic.grad((net(X, th) ** 2).sum(), th), (X, th), backend="jax", sizes={"m": 3})
    a, w = RNG.normal(size=(5, 3)), RNG.normal(size=3)

    def value(v, p):
        return jax.numpy.tanh(v * p)

    made = run(a, w, net=value, D01net=jax.jacobian(value, 1), m=3)
    want = jax.grad(lambda p: (jax.vmap(value, (0, None))(a, p) ** 2).sum())(w)
    assert np.allclose(made, want, rtol=1e-4)


@pytest.mark.torch
def test_torch_maps_the_samples():
    torch = pytest.importorskip("torch")
    space: dict = {}
    exec(ic.to_source(net(X, th), (X, th), target="torch", name="made"), space)
    a, w = torch.randn(5, 3), torch.randn(3)
    assert torch.allclose(space["made"](a, w, net=lambda v, p: torch.tanh(v * p)), torch.tanh(a * w))


@pytest.mark.dask
def test_dask_maps_the_samples():
    da = pytest.importorskip("dask.array")
    a = RNG.normal(size=(6, 3))
    made = ic.compile(loss(X), (X,), backend="dask")(da.from_array(a, chunks=(2, 3)), l=lambda v: v @ v)
    assert np.allclose(made.compute(), (a * a).sum(1))
    made = ic.compile(f(X), (X,), backend="dask")(da.from_array(a, chunks=(2, 3)), f=np.sin)
    assert np.allclose(made.compute(), np.sin(a))


def test_a_symmetric_value():
    S = ic.function("S", "n -> d d", symmetric=True)
    assert S(x) == S(x).T and str(ic.tr(S(x) @ ic.tensor("K", "d d", skew=True)).simplify()) == "0"
    assert ic.derivative(S(x), x).of == (0, 1)
    with pytest.raises(ic.DimensionError, match="a symmetric matrix is square"):
        ic.function("S", "n -> d e", symmetric=True)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: loss(A), "the argument"),
        (lambda: loss(X[j, i]), "only a batch index names samples"),
        (lambda: net(X, ic.tensor("P", "M p")), "axes in front are samples"),
        (lambda: h(A, ic.tensor("v", "q")), "axes that meet have one size"),
        (lambda: f(x, x), "2 arguments for 1"),
        (lambda: f("x"), "is no expression"),
        (lambda: f(np.ones(3)), "is no expression"),
        (lambda: f(X) + f(A), "axes that meet have one size"),
        (lambda: f(x[i], A), "2 arguments for 1"),
        (lambda: h(x[i], A), "no names for them"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ic.IndexCalcError, match=message):
        make()


def test_a_function_that_vanishes_from_what_is_compiled_may_be_given() -> None:
    u = ic.function("u", "n ->")
    for gone in (u(x) - u(x), u(x) * ic.tr(ic.tensor("K", "n n", skew=True)), ic.log(ic.exp(u(x))) - u(x)):
        names = sorted(one.label for one in gone.inputs)
        given = {name: {"x": np.ones(3), "K": np.zeros((3, 3))}[name] for name in names}
        assert ic.compile(gone, names)(*given.values(), u=np.sum) == gone.evaluate(given, u=np.sum) == 0
    with pytest.raises(ic.InputError, match="'v'"):
        ic.compile(u(x) - u(x), (x,))(np.ones(3), v=np.sum)
