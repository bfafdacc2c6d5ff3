"""Abstract functions: a program calls what is given for them by name, and its values are checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from indexcalc.engine.bind.inputs import Numbers, to_array
from indexcalc.errors import InputError
from indexcalc.graph.node import Call


def with_functions(
    program: Callable[..., Any], given: Mapping[str, Any], nodes: Mapping[str, Call], dtype: Any
) -> Callable[..., Any]:
    """The program with functions, or arrays for named gradients; `dtype` is that of the program.

    Arguments are read-only, and a value is cast where its precision is another; it has to have the right shape, and to
    be real where the program is.
    """

    def call(title: str, shape: tuple[int, ...], *args: Numbers) -> Numbers:
        asked, named = f"evaluate {title}", title == nodes[title].function.gradient
        instead = f"give {title}=..., a function of {len(args)} array(s) with values of shape {shape}"
        if named:
            instead += ", or an array of that shape"
        found = given.get(title)
        if found is None:
            raise InputError(asked, "no numbers were given for it", instead)
        if not callable(found) and not named:
            raise InputError(asked, f"it depends on its arguments, and {_described(found)} was given", instead)
        value = to_array(found(*map(_read_only, args)) if callable(found) else found, title)
        if value.shape != shape:
            raise InputError(asked, f"its value has shape {value.shape}, and should have {shape}", instead)
        if value.dtype.kind == "c" and np.dtype(dtype).kind != "c":
            raise InputError(asked, f"its value is {value.dtype}, and all inputs are real", "give complex inputs")
        return value

    return lambda *arrays: program(*arrays, given=call)


def _described(array: Any) -> str:
    return f"an array of shape {np.shape(array)}"


def _read_only(array: Any) -> Numbers:
    """A view that cannot be written to: it belongs to somebody else."""
    view: Numbers = np.asarray(array).view()
    view.flags.writeable = False
    return view
