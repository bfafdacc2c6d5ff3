"""Run by `test_shard.py` in a process of its own with 8 virtual devices: collectives and values of sharded programs."""

from __future__ import annotations

import json
import re
import sys

import jax
import numpy as np

import indexcalc as ic

RNG = np.random.default_rng(3)
KINDS = ("all-reduce", "all-gather", "reduce-scatter", "all-to-all", "collective-permute")


def collectives(compiled: str) -> dict[str, int]:
    """How many collectives of each kind a compiled program runs."""
    found = {}
    for kind in KINDS:
        count = len(re.findall(rf"= [^\n]*? {kind}(?:-start)?\(", compiled))
        if count:
            found[kind] = count
    return found


def logistic():
    X, w, y = ic.tensor("X", "n d"), ic.tensor("w", "d"), ic.tensor("y", "n")
    loss = (ic.softplus(X @ w) - y * (X @ w)).sum()
    return (X, w, y), loss, w


def problems():
    """Name, outputs, inputs, mesh shape and axes, shard, sizes."""
    inputs, loss, w = logistic()
    data = {"n": "data"}
    yield "value and gradient", [loss, ic.grad(loss, w)], inputs, data, {"n": 64, "d": 6}
    yield "Hessian", ic.hessian(loss, w), inputs, data, {"n": 64, "d": 6}
    Z = ic.tensor("Z", "n c")
    yield "softmax", ic.softmax(Z, axis=1), (Z,), data, {"n": 16, "c": 3}
    yield "Jacobian of a batch", ic.derivative(ic.softmax(Z, axis=1), Z), (Z,), data, {"n": 16, "c": 3}
    A, B = ic.tensor("A", "m n"), ic.tensor("B", "n k")
    yield "Jacobian of a product", ic.derivative(A @ B, A), (A, B), {"m": "data"}, {"m": 16, "n": 3, "k": 2}
    T, U, V = ic.tensor("T", "m n"), ic.tensor("U", "m k"), ic.tensor("V", "n k")
    fit = ((T - U @ V.T) ** 2).sum()
    yield "factorisation", ic.grad(fit, U), (T, U, V), {"n": "data"}, {"m": 5, "n": 32, "k": 3}
    yield "nothing is summed", ic.exp(A) * A, (A,), {"m": "data"}, {"m": 16, "n": 3}
    T3 = ic.tensor("T", "i j k")
    a, b, c = (ic.tensor(name, f"{dim} r") for name, dim in zip("abc", "ijk", strict=True))
    cp = ((T3 - ic.einsum("ir,jr,kr->ijk", a, b, c)) ** 2).sum()
    grads = [ic.grad(cp, x) for x in (a, b, c)]
    yield "CP gradient", grads, (T3, a, b, c), {"i": "data"}, {"i": 16, "j": 4, "k": 5, "r": 2}


def main() -> None:
    mesh = jax.make_mesh((8,), ("data",))
    grid = jax.make_mesh((4, 2), ("data", "model"))
    results = {}
    for name, outputs, inputs, shard, sizes in problems():
        results[name] = one(outputs, inputs, shard, sizes, mesh)
    inputs, loss, w = logistic()
    two = {"n": "data", "d": "model"}
    results["two axes"] = one([loss, ic.grad(loss, w)], inputs, two, {"n": 64, "d": 6}, grid)
    results["errors"] = errors(mesh, inputs, loss)
    results["gradient through"] = through(mesh, inputs, loss, w)
    json.dump(results, sys.stdout)


def one(outputs, inputs, shard, sizes, mesh):
    arrays = [RNG.normal(size=[sizes[str(dim)] for dim in x.node.dims]) for x in inputs]
    f = ic.compile(outputs, inputs, backend="jax", mesh=mesh, shard=shard)
    found, wanted = f(*arrays), ic.compile(outputs, inputs)(*arrays)
    pairs = zip(found, wanted, strict=True) if isinstance(wanted, list) else [(found, wanted)]
    equal = all(np.allclose(x, y, rtol=1e-10, atol=1e-10) for x, y in pairs)
    return {"equal": equal, **collectives(f.lower(*arrays).compile().as_text())}


def errors(mesh, inputs, loss):
    def said(**asked):
        try:
            f = ic.compile(loss, inputs, backend="jax", **asked)
            f(np.ones((12, 2)), np.ones(2), np.ones(12))
        except ic.IndexCalcError as error:
            return str(error)
        return "nothing"

    A = ic.tensor("A", "n n")
    try:
        ic.compile(A @ A, (A,), backend="jax", mesh=mesh, shard={"n": "data"})
        twice = "nothing"
    except ic.InputError as error:
        twice = str(error)
    return [
        said(mesh=mesh, shard={"n": "data"}),
        said(mesh=mesh, shard={"n": "rows"}),
        said(mesh=mesh, shard={"m": "data"}),
        said(mesh="8", shard={"n": "data"}),
        twice,
    ]


def through(mesh, inputs, loss, w):
    arrays = [RNG.normal(size=(16, 3)), RNG.normal(size=3), RNG.normal(size=16)]
    f = ic.compile(loss, inputs, backend="jax", mesh=mesh, shard={"n": "data"})
    wanted = ic.compile(ic.grad(loss, w), inputs)(*arrays)
    return bool(np.allclose(jax.grad(f, 1)(*arrays), wanted))


if __name__ == "__main__":
    main()
