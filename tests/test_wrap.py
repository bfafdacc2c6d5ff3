"""Emitted functions with a derivative of their own: it is that of the framework's autodiff, at any order."""

from __future__ import annotations

import random
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import programs
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import indexcalc as ic

RNG = np.random.default_rng(5)
WRAPS = {"torch": "autograd", "jax": "custom_vjp"}
X, w, y = ic.tensor("X", "n d"), ic.tensor("w", "d"), ic.tensor("y", "n")
LOSS = (ic.softplus(X @ w) - y * (X @ w)).sum()
DATA = [RNG.normal(size=(6, 3)), RNG.normal(size=3), RNG.normal(size=6)]


def made(text: str, name: str = "program") -> Any:
    """The function of a text."""
    assert "indexcalc" not in text
    space: dict[str, Any] = {}
    exec(text, space)
    return space[name]


def both(outputs: Any, names: Any, target: str) -> tuple[Any, Any]:
    """The function with its own derivative, and the plain one."""
    own = ic.to_source(outputs, names, target=target, wrap=WRAPS[target])
    return made(own), made(ic.to_source(outputs, names, target=target))


def slopes(target: str, f: Any, arrays: list[Any], seeds: list[Any]) -> tuple[list[Any], list[Any]]:
    """The values of a function of real arrays, and the cotangents of these, from those of the values."""
    several = isinstance(seeds, list)
    if target == "jax":
        values, pull = jax.vjp(f, *map(jnp.asarray, arrays))
        found = pull([jnp.asarray(seed) for seed in seeds] if several else jnp.asarray(seeds))
        return jax.tree.leaves(values), list(found)
    given = [torch.tensor(array, requires_grad=True) for array in arrays]
    values = f(*given)
    total = sum((value * torch.tensor(seed)).sum() for value, seed in zip(values, seeds, strict=True))
    if not total.requires_grad:
        return values, [np.zeros(array.shape) for array in arrays]
    found = torch.autograd.grad(total, given, allow_unused=True)
    zero = (np.zeros(array.shape) for array in arrays)
    return [v.detach() for v in values], [own if g is None else g for own, g in zip(zero, found, strict=True)]


def close(ours: Any, theirs: Any) -> bool:
    """Equal within rounding where there are numbers."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    exists = np.isfinite(theirs)
    scale = max(1.0, np.max(np.abs(theirs[exists]), initial=0.0))
    return ours.shape == theirs.shape and bool(np.all(np.abs(ours - theirs)[exists] <= 1e-8 * scale))


def agrees(target: str, outputs: list[Any], names: Any, arrays: list[Any]) -> str:
    """Values and derivatives are those of the plain text; gives the text."""
    own, plain = both(outputs, names, target)
    shapes = [np.shape(value) for value in ic.compile(outputs, names)(*arrays)]
    seeds = [RNG.normal(size=shape) for shape in shapes]
    text = ic.to_source(outputs, names, target=target, wrap=WRAPS[target])
    for ours, theirs in zip(slopes(target, own, arrays, seeds), slopes(target, plain, arrays, seeds), strict=True):
        assert all(close(one, other) for one, other in zip(ours, theirs, strict=True)), text
    return text


# ------------------------------------------------------------------ random programs


def random_program(seed: int, targets: Any) -> None:
    """A random expression and a derivative of it."""
    rng = random.Random(seed)
    twin = programs.program(rng, 1 + seed % 4)
    label = rng.choice(list(programs.SHAPES))
    fresh = [ic.index(name) for name in "efg"][: len(programs.SHAPES[label].split())]
    by = programs.TENSORS[label][tuple(fresh)] if fresh else programs.TENSORS[label]
    outputs = [twin.expr, twin.expr.diff(by)]
    names = sorted({variable.label for view in outputs for variable in view.inputs})
    fixed = {symbol for name in names for symbol in programs.SHAPES[name].split()}
    if not names or fixed != {s for view in outputs for s in "abc" if s in str([v.dims for v in view.inputs])}:
        return
    values = programs.arrays(rng, programs.sizes(rng))
    for target in targets:
        agrees(target, outputs, names, [values[name] for name in names])


@pytest.mark.parametrize("seed", range(12))
def test_a_few_random_programs(seed: int) -> None:
    random_program(seed, ["torch"] if seed % 6 else WRAPS)


@pytest.mark.slow
@given(st.integers(0, 2**40))
def test_random_programs(seed: int) -> None:
    random_program(seed, ["torch"] if seed % 10 else WRAPS)


# ------------------------------------------------------------------ the frameworks


def test_gradcheck_of_both_orders():
    f = made(ic.to_source([LOSS, ic.softmax(X @ w)], (X, w, y), target="torch", wrap="autograd"))
    data = [torch.tensor(value, requires_grad=True) for value in DATA]
    assert torch.autograd.gradcheck(lambda *args: tuple(f(*args)), data)
    assert torch.autograd.gradgradcheck(lambda *args: tuple(f(*args)), data)


def test_torch_func_passes_through():
    own, plain = both(LOSS, (X, w, y), "torch")
    data = [torch.tensor(value) for value in DATA]
    assert close(torch.func.grad(own, 1)(*data), torch.func.grad(plain, 1)(*data))
    assert close(
        torch.func.jacrev(torch.func.jacrev(own, 1), 1)(*data), torch.func.jacrev(torch.func.jacrev(plain, 1), 1)(*data)
    )
    many = torch.tensor(RNG.normal(size=(4, 3)))
    each = torch.func.vmap(torch.func.grad(own, 1), (None, 0, None))(data[0], many, data[2])
    assert close(each, torch.stack([torch.func.grad(plain, 1)(data[0], v, data[2]) for v in many]))


def test_jax_transforms_pass_through():
    own, plain = both(LOSS, (X, w, y), "jax")
    for order in (jax.grad, jax.hessian, lambda f, k: jax.grad(lambda *a: (jax.grad(f, k)(*a) ** 2).sum(), k)):
        assert close(jax.jit(order(own, 1))(*DATA), order(plain, 1)(*DATA))
    many = RNG.normal(size=(4, 3))
    each = jax.jit(jax.vmap(jax.grad(own, 1), (None, 0, None)))(DATA[0], many, DATA[2])
    assert close(each, jax.vmap(jax.grad(plain, 1), (None, 0, None))(DATA[0], many, DATA[2]))


def test_what_is_not_asked_for_is_not_made():
    text = ic.to_source(LOSS, (X, w, y), target="torch", wrap="autograd")
    assert "if ctx.needs_input_grad[0]:\n            dX = " in text
    f = made(text)
    slope = torch.tensor(DATA[1], requires_grad=True)
    f(torch.tensor(DATA[0]), slope, torch.tensor(DATA[2])).backward()
    assert close(slope.grad, ic.compile(ic.grad(LOSS, w), (X, w, y))(*DATA))


# ------------------------------------------------------------------ what functions there are


@pytest.mark.parametrize("target", WRAPS)
def test_an_output_that_the_derivative_reads_is_saved(target: str) -> None:
    A, b = ic.tensor("A", "n n"), ic.tensor("b", "n")
    text = agrees(target, [ic.inv(A), ic.exp(b)], (A, b), [RNG.normal(size=(3, 3)), RNG.normal(size=3)])
    assert text.count("linalg.inv") == text.count(".exp(") == 1
    text = agrees(target, [ic.softmax(b)], (b,), [RNG.normal(size=3)])
    assert text.count("softmax(b, 0)") == 1


@pytest.mark.parametrize("target", WRAPS)
def test_inputs_that_outputs_do_not_depend_on(target: str) -> None:
    z = ic.tensor("z", "n")
    agrees(target, [y * z, ic.ones("n") + 0 * y, (y**2).sum(), y, ic.step(z)], (y, z), [DATA[2], DATA[2] + 1])
    agrees(target, [ic.ones("n") + 0 * y], (y,), [DATA[2]])


@pytest.mark.parametrize("target", WRAPS)
def test_scalars_and_integers(target: str) -> None:
    s, x = ic.scalar("s"), ic.tensor("x", "n")
    agrees(target, [ic.exp(s) * x, s**2 * ic.sin(s)], (s, x), [np.array(0.3), DATA[2]])
    f = made(ic.to_source(ic.exp(s) * x, (s, x), target=target, wrap=WRAPS[target]))
    make = {"torch": torch.tensor, "jax": jnp.asarray}[target]
    assert close(f(0.3, make(np.arange(3))), np.exp(0.3) * np.arange(3))
    assert np.asarray(f(0.3, make(np.arange(3, dtype=np.float32)))).dtype == np.float32


def test_integers_that_choose_have_no_derivative():
    Z, k = ic.tensor("Z", "b c"), ic.tensor("k", "b", integer=True)
    b = ic.index("b")
    loss = (ic.logsumexp(Z, axis=1) - Z[b, k[b]].array(b)).sum()
    values, places = RNG.normal(size=(4, 3)), np.array([0, 2, 1, 1])
    slope = np.asarray(ic.compile(ic.grad(loss, Z), (Z, k))(values, places))
    own, _ = both(loss, (Z, k), "torch")
    for integers in (torch.tensor(places), places):
        matrix = torch.tensor(values, requires_grad=True)
        own(matrix, integers).backward()
        assert close(matrix.grad, slope)
    own, _ = both(loss, (Z, k), "jax")
    assert close(jax.jit(jax.grad(own))(values, places), slope)
    assert jax.vjp(own, jnp.asarray(values), jnp.asarray(places))[1](1.0)[1].dtype == jax.dtypes.float0


@pytest.mark.parametrize("target", WRAPS)
def test_structure_and_layout(target: str) -> None:
    S, Q = ic.tensor("S", "n n", symmetric=True), ic.tensor("Q", "n n", orthogonal=True)
    matrix = RNG.normal(size=(6, 6))
    own, _ = both([y @ S @ y, ic.outer(y, y).sum()], (S, y), target)
    _, (slope, _) = slopes(target, own, [matrix + matrix.T, DATA[2]], [np.array(1.0), np.array(0.0)])
    assert close(slope, np.outer(DATA[2], DATA[2]))
    own, plain = both([y @ (S + S * S)], (S, y), target)
    data, seeds = [matrix + matrix.T, DATA[2]], [DATA[2]]
    slope, free = (np.asarray(slopes(target, f, data, seeds)[1][0]) for f in (own, plain))
    assert close(slope, (free + free.T) / 2)
    agrees(target, [Q @ y], (Q, y), [np.linalg.qr(matrix)[0], DATA[2]])


@pytest.mark.parametrize("target", WRAPS)
def test_names_that_the_text_needs(target: str) -> None:
    names = ["ctx", "inputs", "output", "g", "g1", "value", "values", "saved", "real", "program_ruled", "dctx", "t1"]
    tensors = [ic.tensor(name, "n") for name in names]
    outputs = [sum((ic.exp(x) for x in tensors[1:]), ic.sin(tensors[0])), ic.exp(tensors[2])]
    agrees(target, outputs, names, [RNG.normal(size=4) for _ in names])
    agrees(target, [outputs[1]], names[2:3], [RNG.normal(size=4)])


# ------------------------------------------------------------------ errors


def test_wrong_requests():
    with pytest.raises(ic.InputError, match=r"wrap='autogard'(.|\n)*autograd"):
        ic.to_source(LOSS, (X, w, y), target="torch", wrap="autogard")
    with pytest.raises(ic.InputError, match='write target="torch", or wrap="custom_vjp"'):
        ic.to_source(LOSS, (X, w, y), target="jax", wrap="autograd")
    with pytest.raises(ic.InputError, match='write target="jax"'):
        ic.to_source(LOSS, (X, w, y), wrap="custom_vjp")
    u = ic.function("u", "n -> m")
    with pytest.raises(ic.InputError, match=r"u is given at the call(.|\n)*leave wrap away"):
        ic.to_source(u(y).sum(), (y,), target="jax", wrap="custom_vjp")
    with pytest.raises(ic.InputError, match="no input has the size p"):
        ic.to_source(ic.ones("p", "n") * y, (y,), target="torch", wrap="autograd")
    with pytest.raises(ic.InputError, match="complex numbers in it"):
        ic.to_source(2j * y, (y,), target="torch", wrap="autograd")


@pytest.mark.parametrize("target", WRAPS)
def test_complex_arrays_are_an_error(target: str) -> None:
    f = made(ic.to_source(ic.exp(y), (y,), target=target, wrap=WRAPS[target]))
    make = {"torch": torch.tensor, "jax": jnp.asarray}[target]
    with pytest.raises(TypeError, match="real numbers"):
        f(make(np.ones(3, complex)))
    g = made(ic.to_source(LOSS, (X, w, y), target=target, wrap=WRAPS[target]))
    with pytest.raises(ValueError, match=r"do not go with X"):
        g(*(make(value) for value in (DATA[0], DATA[1][:2], DATA[2])))
