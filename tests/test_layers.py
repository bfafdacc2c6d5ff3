"""Layers and losses as PyTorch and JAX document them: written as a user would, derived, and run in both.

What they are is PyTorch's to say: value, gradients and products with the Hessian are held against its own layers and
its autodiff, in float64. JAX differentiates the value that the source for JAX computes.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import jax
import numpy as np
import pytest
import torch
import torch.nn.functional as nn
from torch.nn.attention import SDPBackend, sdpa_kernel

import indexcalc as ic

T = ic.tensor
i, j, k, c = ic.indices("i j k c")
B, H, N = ic.indices("B H N", batch=True)
SIZES = {"N": 4, "d": 3, "m": 2, "h": 5, "C": 3, "t": 2, "s": 4, "v": 3, "B": 2, "H": 2}

X, W, b, g, beta = T("X", "N d"), T("W", "d m"), T("b", "m"), T("g", "d"), T("beta", "d")
R, V = T("R", "N m"), T("V", "N d")
A, P, M = T("A", "N d"), T("P", "N d"), T("M", "N d")
z, y, p = T("z", "N C"), T("y", "N C", onehot=True), T("p", "N C", stochastic=True)
u, r, side, label = T("u", "N"), T("r", "N"), T("side", "N"), T("label", "N", mask=True)
Q, K, E, G, mask = T("Q", "t d"), T("K", "s d"), T("E", "s v"), T("G", "t v"), T("mask", "t s", mask=True)
QH, KH, OH, GH = T("QH", "B H t d"), T("KH", "B H s d"), T("OH", "B H s v"), T("GH", "B H t v")
UP, GATE, DOWN = T("UP", "d h"), T("GATE", "d h"), T("DOWN", "h d")
x, state, out = T("x", "d"), T("state", "m"), T("out", "m")
WI, WH, BI, BH = T("WI", "3 m d"), T("WH", "3 m m"), T("BI", "3 m"), T("BH", "3 m")


class Layer(NamedTuple):
    """A scalar of a layer, by what it is derived, and what PyTorch has for it, a function of the arrays by name."""

    value: Any
    by: list[Any]
    torch: Any
    right: str = ""
    wrong: str = ""


def normalised(a: Any, axis: int, eps: float) -> Any:
    return (a - ic.mean(a, axis=axis, keepdims=True)) / ic.sqrt(ic.var(a, axis=axis, keepdims=True) + eps)


def gru() -> Any:
    reset, update = (ic.sigmoid(WI[gate] @ x + BI[gate] + WH[gate] @ state + BH[gate]) for gate in (0, 1))
    new = ic.tanh(WI[2] @ x + BI[2] + reset * (WH[2] @ state + BH[2]))
    return out @ ((1 - update) * new + update * state)


def gru_torch(a: dict[str, Any]) -> Any:
    weights = (a["WI"].reshape(6, 3), a["WH"].reshape(6, 2), a["BI"].reshape(6), a["BH"].reshape(6))
    return a["out"] @ torch.gru_cell(a["x"][None], a["state"][None], *weights)[0]


def heads() -> Any:
    scores = ic.softmax(QH[B, H, i, k] * KH[B, H, j, k] / ic.sqrt(QH.shape[3]), j)
    return (scores * OH[B, H, j, c] * GH[B, H, i, c]).sum(B, H)


def heads_torch(a: dict[str, Any]) -> Any:
    with sdpa_kernel(SDPBackend.MATH):  # the one that has second derivatives
        return (a["GH"] * nn.scaled_dot_product_attention(a["QH"], a["KH"], a["OH"])).sum()


def focal() -> Any:
    q = ic.sigmoid(u)
    hit = q * label + (1 - q) * (1 - label)
    return -(ic.where(label, 0.25, 0.75) * (1 - hit) ** 2 * ic.log(hit)).sum()


def focal_torch(a: dict[str, Any]) -> Any:
    q, t = torch.sigmoid(a["u"]), a["label"]
    loss = nn.binary_cross_entropy_with_logits(a["u"], t, reduction="none")
    return ((0.25 * t + 0.75 * (1 - t)) * (1 - (q * t + (1 - q) * (1 - t))) ** 2 * loss).sum()


COSINE = ic.sum(A * P, axis=1) / (ic.norm2(A, axis=1) * ic.norm2(P, axis=1))
UNIT_A, UNIT_P = (a / ic.norm2(a, axis=1, keepdims=True) for a in (A, P))
GAP = ic.norm2(A - P, axis=1) - ic.norm2(A - M, axis=1) + 1

LAYERS: dict[str, Layer] = {
    "linear, gelu": Layer(
        (R * ic.gelu(X @ W + b)).sum(), [X, W, b],
        lambda a: (a["R"] * nn.gelu(nn.linear(a["X"], a["W"].T, a["b"]))).sum(),
    ),
    "layer norm": Layer(
        (V * (normalised(X, 1, 1e-5) * g + beta)).sum(), [X, g, beta],
        lambda a: (a["V"] * nn.layer_norm(a["X"], (3,), a["g"], a["beta"], 1e-5)).sum(),
    ),
    "rms norm": Layer(
        (V * X / ic.sqrt(ic.mean(X**2, axis=1, keepdims=True) + 1e-6) * g).sum(), [X, g],
        lambda a: (a["V"] * nn.rms_norm(a["X"], (3,), a["g"], 1e-6)).sum(),
    ),
    "batch norm": Layer(
        (V * (normalised(X, 0, 1e-5) * g + beta)).sum(), [X, g, beta],
        lambda a: (a["V"] * nn.batch_norm(a["X"], None, None, a["g"], a["beta"], True, 0.1, 1e-5)).sum(),
    ),
    "attention with a mask": Layer(
        (G * (ic.softmax(ic.where(mask, Q @ K.T / ic.sqrt(Q.shape[1]), -1e9), axis=1) @ E)).sum(), [Q, K, E],
        lambda a: (a["G"] * nn.scaled_dot_product_attention(a["Q"], a["K"], a["E"], a["mask"].bool())).sum(),
    ),
    "attention of heads, by indices": Layer(
        heads(), [QH, KH, OH], heads_torch
    ),
    "swiglu": Layer(
        (V * ((ic.silu(X @ GATE) * (X @ UP)) @ DOWN)).sum(), [X, GATE, DOWN],
        lambda a: (a["V"] * ((nn.silu(a["X"] @ a["GATE"]) * (a["X"] @ a["UP"])) @ a["DOWN"])).sum(),
    ),
    "gru cell": Layer(gru(), [x, state, WH], gru_torch),
    "cross entropy, smoothed": Layer(
        -((0.9 * y + 0.1 / z.shape[1]) * ic.log_softmax(z, axis=1)).sum() / z.shape[0], [z],
        lambda a: nn.cross_entropy(a["z"], a["y"], label_smoothing=0.1),
        "(softmax(z, axis=1) - 0.9*y - 0.1/C)/N", "(softmax(z, axis=1) - y)/N",
    ),
    "cross entropy, by indices": Layer(
        -(y[N, c] * ic.log_softmax(z[N, c], c)).mean(N), [z], lambda a: nn.cross_entropy(a["z"], a["y"]),
        "(softmax(z, axis=1) - y)/N", "softmax(z, axis=1) - y",
    ),
    "cross entropy of logits": Layer(
        -(label * ic.log(ic.sigmoid(u)) + (1 - label) * ic.log(1 - ic.sigmoid(u))).mean(), [u],
        lambda a: nn.binary_cross_entropy_with_logits(a["u"], a["label"]), "(sigmoid(u) - label)/N", "(label - u)/N",
    ),
    "huber": Layer(
        ic.where(ic.abs(u - r) <= 0.5, (u - r) ** 2 / 2, 0.5 * (ic.abs(u - r) - 0.25)).mean(), [u],
        lambda a: nn.huber_loss(a["u"], a["r"], delta=0.5), "clip(u - r, -0.5, 0.5)/N", "(u - r)/N",
    ),
    "divergence": Layer(
        (ic.xlogy(p, p) - p * ic.log_softmax(z, axis=1)).sum() / z.shape[0], [z],
        lambda a: nn.kl_div(nn.log_softmax(a["z"], 1), a["p"], reduction="batchmean"),
        "(softmax(z, axis=1) - p)/N", "-p/N",
    ),
    "triplet margin": Layer(
        ic.mean(ic.relu(GAP)), [A, P, M], lambda a: nn.triplet_margin_loss(a["A"], a["P"], a["M"], eps=0.0)
    ),
    "infonce": Layer(
        -ic.mean(ic.diag(ic.log_softmax(UNIT_A @ UNIT_P.T / 0.5, axis=1))), [A, P],
        lambda a: nn.cross_entropy(nn.normalize(a["A"]) @ nn.normalize(a["P"]).T / 0.5, torch.arange(4)),
    ),
    "infonce, by indices": Layer(
        (ic.logsumexp(A[N, k] * P[j, k], j) - A[N, k] * P[N, k]).mean(N), [A, P],
        lambda a: nn.cross_entropy(a["A"] @ a["P"].T, torch.arange(4)),
    ),
    "focal": Layer(focal(), [u], focal_torch),
    "cosine embedding": Layer(
        ic.mean(ic.where(side > 0, 1 - COSINE, ic.relu(COSINE - 0.1))), [A],
        lambda a: nn.cosine_embedding_loss(a["A"], a["P"], a["side"], margin=0.1),
    ),
    "smooth total variation": Layer(
        ic.sqrt((u[1:] - u[:-1]) ** 2 + 1e-2).sum(), [u],
        lambda a: torch.sqrt(torch.diff(a["u"]) ** 2 + 1e-2).sum(),
    ),
}  # fmt: skip


@cache
def derived(name: str) -> tuple[list[Any], list[Any], Any]:
    """The tensors, the gradients by each, and the product of the Hessian by the first with a vector."""
    layer = LAYERS[name]
    along = T("along", layer.by[0].shape)
    tensors = [*sorted(layer.value.variables.values(), key=str), along]
    return tensors, ic.grad(layer.value, layer.by), ic.hvp(layer.value, layer.by[0], along)


@cache
def numbers(name: str) -> dict[str, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(3)
    found = {}
    for one in derived(name)[0]:
        shape = [eval(str(size), {}, SIZES) for size in one.shape]
        found[str(one)] = rng.normal(size=shape)
    for one, array in found.items():
        if one == "y":
            found[one] = np.eye(array.shape[1])[rng.integers(0, array.shape[1], len(array))]
        elif one == "p":
            found[one] = np.exp(array) / np.exp(array).sum(axis=1, keepdims=True)
        elif one == "mask":
            found[one] = np.array([[1.0, 0, 1, 1], [0, 1, 1, 0]])
        elif one in ("label", "side"):
            found[one] = np.array([1.0, 0, 0, 1]) if one == "label" else np.array([1.0, -1, 1, -1])
    return found


@cache
def run(name: str, target: str) -> Any:
    """The function that the source for a library defines: value, gradients, product."""
    tensors, gradients, product = derived(name)
    scope: dict[str, Any] = {}
    exec(ic.to_source([LAYERS[name].value, *gradients, product], tensors, target=target, name="layer"), scope)
    return scope["layer"]


@pytest.mark.parametrize("name", LAYERS)
def test_pytorch_has_the_same(name: str) -> None:
    layer, given = LAYERS[name], {one: torch.from_numpy(array) for one, array in numbers(name).items()}
    moved = [str(one) for one in layer.by]

    def value(*arrays: Any) -> Any:
        return layer.torch({**given, **dict(zip(moved, arrays, strict=True))})

    arrays = tuple(given[one].clone().requires_grad_() for one in moved)
    wanted = torch.autograd.grad(value(*arrays), arrays, create_graph=True)
    (product,) = torch.autograd.grad((wanted[0] * given["along"]).sum(), arrays[0])
    found = run(name, "torch")(*given.values())
    for one, other in zip(found, (value(*arrays), *wanted, product), strict=True):
        np.testing.assert_allclose(one.numpy(), other.detach().numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", LAYERS)
def test_jax_derives_the_same(name: str) -> None:
    layer, given = LAYERS[name], numbers(name)
    names = list(given)
    with jax.enable_x64(True):
        function = run(name, "jax")
        places = tuple(names.index(str(one)) for one in layer.by)
        slopes = jax.grad(lambda *arrays: function(*arrays)[0], places)
        found, wanted = jax.jit(lambda *arrays: (function(*arrays), slopes(*arrays)))(*given.values())
        for one, other in zip(found[1:], wanted, strict=False):
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11)
        written = run(name, "torch")(*(torch.from_numpy(array) for array in given.values()))
        for one, other in zip(found, written, strict=True):
            np.testing.assert_allclose(one, other.numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", LAYERS)
def test_verified_and_read_back(name: str) -> None:
    _, gradients, _ = derived(name)
    for D in gradients:
        assert ic.verify(D), ic.verify(D)
        assert ic.parse(str(D), **D.declarations) == D == ic.parse(D.latex(), **D.declarations)


@pytest.mark.parametrize("name", [name for name, layer in LAYERS.items() if layer.right])
def test_formulas_by_hand(name: str) -> None:
    layer, (_, (D, *_), _) = LAYERS[name], derived(name)
    assert ic.check(layer.right, D).right
    assert not ic.check(layer.wrong, D).right
