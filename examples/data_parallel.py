"""Softmax regression, data-parallel: the rows of the data lie on 8 devices, the weights on each of them.

    python examples/data_parallel.py

Eight virtual CPU devices stand for accelerators. Loss and gradient are one program; compiled, it has one collective,
which adds up what the devices found.
"""

import os
import re

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=8"
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["JAX_ENABLE_X64"] = "1"

import jax
import numpy as np

import indexcalc as ic

ROWS, FEATURES, CLASSES, STEPS, RATE = 4096, 20, 5, 200, 2.0

X, Y, W = ic.tensor("X", "n d"), ic.tensor("Y", "n c"), ic.tensor("W", "d c")
Z = X @ W
loss = (ic.logsumexp(Z, axis=1) - (Y * Z).sum(axis=1)).mean()
gradient = ic.grad(loss, W)
print(f"gradient {gradient}")

mesh = jax.make_mesh((8,), ("data",))
step = ic.compile([loss, gradient], (X, Y, W), backend="jax", mesh=mesh, shard={"n": "data"})

rng = np.random.default_rng(0)
data = rng.normal(size=(ROWS, FEATURES))
label = (data @ rng.normal(size=(FEATURES, CLASSES)) + rng.gumbel(size=(ROWS, CLASSES))).argmax(1)
targets, weights = np.eye(CLASSES)[label], np.zeros((FEATURES, CLASSES))

# the data go to the devices once; what lies where it belongs is not moved again
rows = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("data"))
data, targets = jax.device_put(data, rows), jax.device_put(targets, rows)
print(f"rows on each of {len(mesh.devices)} devices: {data.addressable_shards[0].data.shape[0]}")

program = step.lower(data, targets, weights).compile().as_text()
kinds = "all-reduce|all-gather|reduce-scatter|all-to-all|collective-permute"
print(f"collectives: {re.findall(rf'= [^=]*? ({kinds})[(]', program)}")

for count in range(STEPS + 1):
    value, slope = jax.block_until_ready(step(data, targets, weights))  # virtual devices share a few threads
    if count % 50 == 0:
        print(f"step {count:3}  loss {value:.4f}  |gradient| {np.linalg.norm(slope):.4f}")
    weights = weights - RATE * slope

alone = ic.compile([loss, gradient], (X, Y, W))(np.asarray(data), np.asarray(targets), np.asarray(weights))
together = step(data, targets, weights)
print(f"as on one machine: {all(np.allclose(a, b) for a, b in zip(alone, together, strict=True))}")
