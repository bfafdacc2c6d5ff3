"""Abstract functions: a program calls what is given for them by name, and its values are checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
    be real where the program is. A function that is `mapped`, which says along which axes, is called for each sample.
    """

    def call(
        title: str, shape: tuple[int, ...], *args: Numbers, mapped: str = "", own: tuple[int, ...] = ()
    ) -> Numbers:
        asked, named = f"evaluate {title}", title == nodes[title].function.gradient
        instead = wanted_of(title, len(args), own if mapped else shape, bool(mapped))
        if named:
            instead += f", or an array of shape {shape}"
        found = given.get(title)
        if found is None:
            raise InputError(asked, "no numbers were given for it", instead)
        if not callable(found) and not named:
            raise InputError(asked, f"it depends on its arguments, and {_described(found)} was given", instead)

        def checked(made: Any, due: tuple[int, ...]) -> Numbers:
            value = to_array(made, title)
            if value.shape != due:
                raise InputError(asked, f"its value has shape {value.shape}, and should have {due}", instead)
            return value

        if not callable(found):
            value = checked(found, shape)
        elif not mapped:
            value = checked(found(*map(_read_only, args)), shape)
        elif 0 in shape:
            value = np.zeros(shape, dtype)
        else:
            each = np.vectorize(lambda *one: checked(found(*map(_read_only, one)), own), signature=mapped)
            value = each(*args)
        if nodes[title].function.symmetric and not _is_symmetric(value, nodes[title]):
            raise InputError(asked, "its value is not symmetric, and it was declared so", instead)
        if value.dtype.kind == "c" and np.dtype(dtype).kind != "c":
            raise InputError(asked, f"its value is {value.dtype}, and all inputs are real", "give complex inputs")
        return value

    return lambda *arrays: program(*arrays, given=call)


def _is_symmetric(value: Numbers, node: Call) -> bool:
    """Is the value a symmetric matrix, for each sample, but for rounding?"""
    start = len(node.batch)
    gap = np.abs(value - value.swapaxes(start, start + 1))
    return bool(np.all(gap <= SYMMETRIC * np.max(np.abs(value), initial=0.0)))


SYMMETRIC = 1e-6
"""Relative to the largest entry: by so much two entries of a symmetric value may differ."""


def wanted_of(title: str, count: int, shape: Sequence[int], mapped: bool) -> str:
    """What to give for a function: of so many arrays, with values of this shape.

    >>> wanted_of("Du", 1, (2, 3), False)
    'give Du=..., a function of 1 array(s) with values of shape (2, 3)'
    """
    each = " of one sample" if mapped else ""
    return f"give {title}=..., a function of {count} array(s){each} with values of shape {tuple(shape)}"


def _described(array: Any) -> str:
    return f"an array of shape {np.shape(array)}"


def _read_only(array: Any) -> Numbers:
    """A view that cannot be written to: it belongs to somebody else."""
    view: Numbers = np.asarray(array).view()
    view.flags.writeable = False
    return view
