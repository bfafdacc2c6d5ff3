"""What JAX computes for random examples, stored, so that it need not be compiled for each of them at each run.

`truths.npz` has the numbers of an example under the name of its kind, its seed, and a checksum of its graph and inputs:
an example that is another one since has none, and JAX computes them. One in ten is computed all the same and compared.
To write the file anew, delete it and run the tests once with `INDEXCALC_TRUTHS=write python -m pytest -n 0 -m jax`.
"""

from __future__ import annotations

import atexit
import os
import zlib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

PATH = Path(__file__).with_suffix(".npz")
WRITES = os.environ.get("INDEXCALC_TRUTHS") == "write"
LARGEST = 2000
"""Entries of an example: with more it isn't stored, so that the file stays small."""
_written: dict[str, np.ndarray] = {}


@cache
def _stored() -> dict[str, np.ndarray]:
    if not PATH.exists():
        return {}
    with np.load(PATH) as file:
        names, shapes, numbers = file["names"], file["shapes"], file["numbers"]
    found, place = {}, 0
    for name, text in zip(names, shapes, strict=True):
        shape = tuple(int(word) for word in str(text).split())
        count = int(np.prod(shape, dtype=int))
        found[str(name)] = numbers[place : place + count].reshape(shape)
        place += count
    return found


def _write() -> None:
    _stored.cache_clear()  # another process may have written
    arrays = sorted((_stored() | _written).items())
    np.savez_compressed(
        PATH,
        names=np.array([name for name, _ in arrays]),
        shapes=np.array([" ".join(map(str, array.shape)) for _, array in arrays]),
        numbers=np.concatenate([array.reshape(-1) for _, array in arrays]),
    )


if WRITES:
    atexit.register(_write)


def _content(part: Any) -> bytes:
    """What the numbers of an example depend on in a part of it; of an expression the graph, however it is printed."""
    if isinstance(part, np.ndarray):
        return part.tobytes()
    if isinstance(part, list | tuple):
        return b",".join(map(_content, part))
    return part.node.digest if hasattr(part, "node") else str(part).encode()


def truth(kind: str, seed: int | str, example: Sequence[Any], compute: Callable[[], Sequence[Any]]) -> list[np.ndarray]:
    """The numbers of an example: `compute` is JAX's way to them, `example` all that they depend on."""
    checksum = zlib.crc32(b" ".join(map(_content, example)))
    name = f"{kind} {seed} {checksum:08x}"
    stored = [_stored()[own] for k in range(9) if (own := f"{name} {k}") in _stored()]
    if stored and checksum % 10 and not WRITES:
        return stored
    made = [np.asarray(value, dtype=np.float64) for value in compute()]
    for one, other in zip(stored, made, strict=True) if stored else ():
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6 * np.max(np.abs(other), initial=1.0))
    if WRITES and sum(value.size for value in made) <= LARGEST:
        _written.update({f"{name} {k}": value for k, value in enumerate(made)})
    return made
