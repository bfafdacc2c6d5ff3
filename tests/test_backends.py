"""Compiled functions under JAX and PyTorch: numbers of NumPy's, transforms and gradients that pass through, errors."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import indexcalc as ic

RNG = np.random.default_rng(7)
X, w, y = ic.tensor("X", "n d"), ic.tensor("w", "d"), ic.tensor("y", "n")
LOSS = (ic.softplus(X @ w) - y * (X @ w)).sum()
SLOPE, BEND = ic.grad(LOSS, w), ic.hessian(LOSS, w)
DATA = (RNG.normal(size=(20, 4)), RNG.normal(size=4), RNG.integers(0, 2, size=20).astype(float))
T, U, V = ic.tensor("T", "m n"), ic.tensor("U", "m k"), ic.tensor("V", "n k")
FIT = ((T - U @ V.T) ** 2).sum()
A = ic.tensor("A", "n n")
KINDS = {"jax": jax.Array, "torch": torch.Tensor}


def arrays(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    return [RNG.normal(size=shape) for shape in shapes]


PROBLEMS = {
    "logistic": ([LOSS, SLOPE, BEND], (X, w, y), DATA),
    "factorisation": ([FIT, ic.grad(FIT, U), ic.hessian(FIT, U), ic.hessian(FIT, U, V)], (T, U, V),
                      arrays((5, 4), (5, 2), (4, 2))),
    "determinant": ([ic.logdet(A @ A.T + ic.eye("n")), ic.grad(ic.logdet(A @ A.T + ic.eye("n")), A)], (A,),
                    arrays((4, 4))),
    "solve": ([ic.inv(A) @ y], (A, y), arrays((30, 30), (30,))),
    "exponential": ([ic.expm(A), ic.derivative(ic.tr(ic.expm(A) @ A), A)], (A,), arrays((3, 3))),
    "spectrum": ([ic.eigvalsh(A), ic.derivative(ic.eigvalsh(A), A)], (A,), arrays((4, 4))),
    "norms": ([ic.norm2(X @ w), ic.grad(ic.norm2(X @ w), w), ic.hessian(ic.norm2(X @ w), w)], (X, w), DATA[:2]),
    "numbers": ([ic.eye("n") * 2 + A, ic.ones("n", "n"), ic.tril(A)], (A,), arrays((3, 3))),
}  # fmt: skip


@pytest.mark.parametrize("backend", ["jax", "torch"])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_numbers_are_those_of_numpy(problem, backend):
    outputs, inputs, values = PROBLEMS[problem]
    inputs = [x for x in inputs if any(str(x) == v.label for view in outputs for v in view.inputs)]
    wanted = ic.compile(outputs, inputs)(*values)
    found = ic.compile(outputs, inputs, backend=backend)(*values)
    for one, other in zip(found, wanted, strict=True):
        assert isinstance(one, KINDS[backend])
        assert one.shape == np.shape(other)
        assert np.allclose(np.asarray(one), other, rtol=1e-10, atol=1e-10)


# ------------------------------------------------------------------ JAX


def test_jit_grad_vmap_and_hessian_pass_through():
    f = ic.compile(LOSS, (X, w, y), backend="jax")
    value, slope, bend = ic.compile([LOSS, SLOPE, BEND], (X, w, y))(*DATA)
    assert np.allclose(jax.jit(f)(*DATA), value)
    assert np.allclose(jax.grad(f, argnums=1)(*DATA), slope)
    assert np.allclose(jax.hessian(f, argnums=1)(*DATA), bend)
    assert np.allclose(jax.jacfwd(ic.compile(SLOPE, (X, w, y), backend="jax"), argnums=1)(*DATA), bend)
    many = RNG.normal(size=(3, 4))
    each = jax.vmap(f, (None, 0, None))(DATA[0], many, DATA[2])
    assert np.allclose(each, [f(DATA[0], one, DATA[2]) for one in many])


def test_one_compilation_serves_all_calls_of_a_shape():
    traced = []
    f = ic.compile(LOSS, (X, w, y), backend="jax")
    outer = jax.jit(lambda *args: traced.append(1) or f(*args))
    for _ in range(3):
        outer(*DATA)
        f(*DATA)
    assert len(traced) == 1
    assert len(f._programs) == 1
    f(DATA[0][:5], DATA[1], DATA[2][:5])
    assert len(f._programs) == 2


def test_the_function_is_pure():
    f = ic.compile([LOSS, SLOPE], (X, w, y), backend="jax")
    closed = jax.make_jaxpr(f)(*DATA)
    assert not closed.effects
    assert all(np.array_equal(one, other) for one, other in zip(f(*DATA), f(*DATA), strict=True))


def test_the_hessian_holds_one_product_of_the_data():
    """What jax.hessian does d times, one matrix product with each basis vector, the program does once."""
    text = str(jax.make_jaxpr(ic.compile(BEND, (X, w, y), backend="jax"))(*DATA))
    assert text.count("dot_general") == 2


# ------------------------------------------------------------------ PyTorch


def test_autograd_passes_through():
    f = ic.compile(LOSS, (X, w, y), backend="torch")
    _, slope, bend = ic.compile([LOSS, SLOPE, BEND], (X, w, y))(*DATA)
    x0, w0, y0 = map(torch.tensor, DATA)
    w0.requires_grad_()
    (first,) = torch.autograd.grad(f(x0, w0, y0), w0, create_graph=True)
    assert np.allclose(first.detach(), slope)
    assert np.allclose(torch.autograd.functional.hessian(lambda v: f(x0, v, y0), w0), bend)
    assert torch.autograd.gradcheck(lambda v: f(x0, v, y0), (w0,))
    hess = ic.compile(ic.hessian(FIT, U), (T, U, V), backend="torch")
    t0, u0, v0 = map(torch.tensor, arrays((3, 4), (3, 2), (4, 2)))
    v0.requires_grad_()
    assert torch.autograd.gradcheck(lambda v: hess(t0, u0, v), (v0,))


@pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")  # torch.func.hessian calls it
def test_torch_func_passes_through():
    f = ic.compile(LOSS, (X, w, y), backend="torch")
    x0, w0, y0 = map(torch.tensor, DATA)
    _, slope, bend = ic.compile([LOSS, SLOPE, BEND], (X, w, y))(*DATA)
    assert np.allclose(torch.func.grad(f, argnums=1)(x0, w0, y0), slope)
    assert np.allclose(torch.func.hessian(f, argnums=1)(x0, w0, y0), bend)
    many = torch.tensor(RNG.normal(size=(3, 4)))
    each = torch.func.vmap(f, (None, 0, None))(x0, many, y0)
    assert np.allclose(each, [float(f(x0, one, y0)) for one in many])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device; the program is the same text")
def test_tensors_stay_on_their_device():
    f = ic.compile([LOSS, SLOPE, BEND], (X, w, y), backend="torch")
    made = f(*(torch.tensor(value, device="cuda") for value in DATA))
    assert all(value.is_cuda for value in made)
    wanted = ic.compile([LOSS, SLOPE, BEND], (X, w, y))(*DATA)
    assert all(np.allclose(one.cpu(), other) for one, other in zip(made, wanted, strict=True))


def test_every_array_is_made_where_the_inputs_are():
    """On the meta device there are shapes and no numbers: an array of another device would not go through."""
    for outputs, inputs, shapes in (
        ([LOSS, SLOPE, BEND], (X, w, y), [(20, 4), (4,), (20,)]),
        ([FIT, ic.hessian(FIT, U), ic.hessian(FIT, U, V)], (T, U, V), [(3, 4), (3, 2), (4, 2)]),
        ([ic.tril(A) + 2 * ic.eye("n"), ic.ones("n", "n")], (A,), [(3, 3)]),
    ):
        made = ic.compile(outputs, inputs, backend="torch")(*[torch.empty(s, device="meta") for s in shapes])
        assert all(value.device.type == "meta" for value in made)


def test_arrays_that_may_not_be_written_to():
    f = ic.compile(LOSS, (X, w, y), backend="torch")
    frozen = [np.broadcast_to(np.float64(1), value.shape) for value in DATA]
    assert np.allclose(f(*frozen), ic.compile(LOSS, (X, w, y))(*frozen))


# ------------------------------------------------------------------ dtypes, functions, errors


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_dtypes_are_kept(backend):
    f = ic.compile([LOSS, BEND, ic.hessian(LOSS, w)], (X, w, y), backend=backend)
    for name in ("float32", "float64"):
        made = f(*(value.astype(name) for value in DATA))
        assert all(name in str(value.dtype) for value in made)
    assert "float64" in str(f(DATA[0].astype(int), DATA[1], DATA[2].astype(int))[0].dtype)
    g = ic.compile([X @ w, ic.eye("d") * 2 + X.T @ X], (X, w), backend=backend)
    made = g(DATA[0].astype("complex64"), DATA[1].astype("float32"))
    assert all("complex64" in str(value.dtype) for value in made)


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_real_functions_refuse_complex_numbers(backend):
    f = ic.compile(ic.relu(w), (w,), backend=backend)
    with pytest.raises(ic.InputError, match="relu"):
        f(DATA[1].astype(complex))


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_functions_and_named_gradients_are_given_with_the_inputs(backend):
    g = ic.function("g", "d ->")
    f = ic.compile([g(w), ic.grad(g(w), w)], (w,), backend=backend)
    module = jnp if backend == "jax" else torch
    value, slope = f(DATA[1], g=lambda x: module.sin(x).sum(), Dg=lambda x: module.cos(x))
    assert np.allclose(value, np.sin(DATA[1]).sum())
    assert np.allclose(slope, np.cos(DATA[1]))
    with pytest.raises(ic.InputError, match="Dg"):
        f(DATA[1], g=lambda x: module.sin(x).sum())
    with pytest.raises(ic.InputError, match="shape"):
        f(DATA[1], g=lambda x: x, Dg=lambda x: x)
    L = ic.function("L", "n ->", gradient="G")
    chain = ic.grad(L(X @ w), w)
    found = ic.compile(chain, (X, w), backend=backend)(DATA[0], DATA[1], G=module.ones(20))
    assert np.allclose(found, DATA[0].sum(0))


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_errors(backend):
    f = ic.compile(LOSS, (X, w, y), backend=backend)
    with pytest.raises(ic.InputError, match="2 arrays for 3 inputs"):
        f(*DATA[:2])
    with pytest.raises(ic.DimensionError, match="d"):
        f(DATA[0], DATA[1][:2], DATA[2])
    S = ic.tensor("S", "n n", symmetric=True)
    with pytest.raises(ic.InputError, match="symmetric"):
        ic.compile(S @ S, (S,), backend=backend)(np.arange(4.0).reshape(2, 2))
    with pytest.raises(ic.NoRuleError, match=f"logm in {backend}"):
        ic.compile(ic.logm(A), (A,), backend=backend)(np.eye(2))
    with pytest.raises(ic.InputError, match="bytes"):
        ic.compile(A @ A, (A,), backend=backend, memory_limit=100)(np.eye(10))


def test_asking_for_what_is_not_there():
    with pytest.raises(ic.InputError, match="backend='tensorflow'"):
        ic.compile(LOSS, (X, w, y), backend="tensorflow")
    with pytest.raises(ic.InputError, match="all three"):
        ic.compile(LOSS, (X, w, y), shard={"n": "data"})
    with pytest.raises(ic.KindError, match="shard='n'"):
        ic.compile(LOSS, (X, w, y), backend="jax", mesh=jax.make_mesh((1,), ("data",)), shard="n")
    for backend in ("numpy", "jax", "dask"):
        with pytest.raises(ic.InputError, match="unknown dimension 'q'"):
            ic.compile(LOSS, (X, w, y), backend=backend, sizes={"n": 3, "d": 2, "q": 1})
    with pytest.raises(ic.InputError, match="order='C'"):
        ic.compile(LOSS, (X, w, y), backend="jax", order="C")
    with pytest.raises(ic.InputError, match="nothing is lowered under torch"):
        ic.compile(LOSS, (X, w, y), backend="torch").lower(*DATA)


def test_a_library_that_is_missing(monkeypatch):
    from indexcalc.engine.compile import backends

    monkeypatch.setattr(backends, "find_spec", lambda name: None)
    with pytest.raises(ic.InputError, match=r"jax is not installed\n  instead: pip install .indexcalc\[jax\]."):
        ic.compile(LOSS, (X, w, y), backend="jax")


def test_vectors_may_come_as_columns_and_layouts_keep_their_unit_axes():
    M, x = ic.tensor("M", "m n"), ic.column("x", "n")
    J = ic.grad(ic.norm2(M @ x) ** 2, x)
    S = ic.tensor("S", "n n", symmetric=True)
    row = ic.derivative(ic.tr(S @ S @ S), S).layout("vech")
    m0, x0 = RNG.normal(size=(3, 2)), RNG.normal(size=(2, 1))
    wanted: Any = ic.compile([J, row], (M, x, S))(m0, x0, np.eye(2))
    assert wanted[1].shape == (1, 3)
    for backend in ("jax", "torch", "dask"):
        found = ic.compile([J, row], (M, x, S), backend=backend)(m0, x0, np.eye(2))
        for one, other in zip(found, wanted, strict=True):
            assert one.shape == other.shape
            assert np.allclose(np.asarray(one), other)


@pytest.mark.parametrize("backend", ["jax", "torch", "dask"])
def test_what_has_no_inputs(backend):
    eye, twos = ic.compile([ic.eye(3), ic.ones(2, 3) * 2], (), backend=backend)()
    assert np.array_equal(np.asarray(eye), np.eye(3)) and np.array_equal(np.asarray(twos), np.full((2, 3), 2.0))


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_plans(backend):
    f = ic.compile(LOSS, (X, w, y), backend=backend, sizes={"n": 100, "d": 10})
    assert f.plan.flops == ic.compile(LOSS, (X, w, y), sizes={"n": 100, "d": 10}).plan.flops
    assert "matmul" in str(f.plan)


@pytest.mark.parametrize("values", [(1.0, 1.0), (1j, 1.0), (1.0, 1j)])
def test_complex_numbers_among_real_ones(values):
    """A complex number on a diagonal beside real entries, a complex factor of real inputs, one complex input of two."""
    x = ic.tensor("x", "n")
    outputs = [A @ x * 2j + x, ic.tr(A) * ic.eye("n") * (1 + 2j) + A, ic.exp(A * 1j)]
    a, v = (RNG.normal(size=shape) * value for shape, value in zip([(3, 3), (3,)], values, strict=True))
    wanted = ic.compile(outputs, (A, x))(a, v)
    for backend in ("jax", "torch", "dask"):
        found = ic.compile(outputs, (A, x), backend=backend)(a, v)
        for one, other in zip(found, wanted, strict=True):
            assert np.allclose(np.asarray(one), other, rtol=1e-10, atol=1e-10)
    for target, make in (("numpy", np.asarray), ("jax", jnp.asarray)):
        space: dict[str, Any] = {}
        exec(ic.to_source(outputs, (A, x), target=target), space)
        for one, other in zip(space["program"](make(a), make(v)), wanted, strict=True):
            assert np.allclose(np.asarray(one), other, rtol=1e-10, atol=1e-10)
