"""Functions that programs of dask arrays are given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import dask.array
import numpy as np

from indexcalc.engine.bind.given import wanted_of
from indexcalc.engine.program import Invoke
from indexcalc.errors import InputError
from indexcalc.graph.node import Call

da: Any = dask.array


def on_blocks(node: Call, given: Callable[..., Any]) -> Callable[..., Any]:
    """A function of NumPy arrays that was declared: of entries it takes each block, else whole arrays."""
    if node.function.entrywise:
        return partial(da.map_blocks, given)
    return lambda *arrays: given(*map(np.asarray, arrays))


def invoked(step: Invoke, value: Any, operands: Sequence[Any]) -> Any:
    """A function that is given, of dask arrays; one of samples gets the NumPy array of each."""
    instead = wanted_of(step.title, len(step.uses), step.own if step.mapped else step.shape, bool(step.mapped))
    if value is None or not (callable(value) or step.array_will_do):
        raise InputError(f"evaluate {step.title}", "no function was given for it", instead)
    made = value
    if callable(value) and step.mapped:
        made = da.apply_gufunc(
            value, step.mapped, *operands, vectorize=True, allow_rechunk=True,
            output_sizes={f"v{k}": size for k, size in enumerate(step.own)},
            output_dtypes=np.result_type(*operands, np.float32),
        )  # fmt: skip
    elif callable(value):
        made = value(*operands)
    if np.shape(made) != step.shape:
        raise InputError(f"evaluate {step.title}", f"its value has shape {np.shape(made)}", instead)
    return made
