"""Arrays that say more than numbers by place: axes with names, as xarray's have, and masks.

What is labelled is told by its attributes: `dims`, a tuple of names, beside `values` (and `data`, which may be lazy).
No library is imported for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from indexcalc.engine.wanted import Evaluable
from indexcalc.errors import InputError, KindError, counted
from indexcalc.index import Dim, Dimension


def is_labelled(value: Any) -> bool:
    """Have the axes of an array names?

    >>> is_labelled(np.ones(2))
    False
    """
    return isinstance(getattr(value, "dims", None), tuple) and hasattr(value, "values")


def unlabelled(value: Any, name: str, dims: Sequence[Dimension] | None = None, data: str = "values") -> Any:
    """A value with numbers by place: where its axes have names, they come in the order of the dimensions of the tensor.

    `dims` are those of the tensor, or nothing where no tensor says what the axes are; `data` is the attribute that has
    the numbers. A name that the tensor lacks, two dimensions that are one symbol, two without a symbol: these leave it
    open which axis is which, and are refused, as masks are.
    """
    if isinstance(value, Evaluable):
        raise KindError(f"input {name}", f"{value} is an expression, and has no numbers", "give an array")
    if isinstance(value, np.ma.MaskedArray):
        raise InputError(f"input {name}", "a masked array, whose mask would be lost", "give .filled(0), say")
    if is_labelled(value):
        return _placed(value, name, dims, data)
    if type(value).__module__.partition(".")[0] == "xarray":
        found = f"a {type(value).__name__} of xarray, whose axes have no names of their own, nor places"
        raise InputError(f"input {name}", found, "give one of its arrays")
    return value


def _placed(value: Any, name: str, dims: Sequence[Dimension] | None, data: str) -> Any:
    if dims is None:
        found = f"its axes have names ({_listed(value.dims)}), and here they are told by their places"
        raise InputError(f"input {name}", found, "give .values")
    order = _order(value.dims, name, dims)
    numbers = getattr(value, data, None)
    numbers = unlabelled(value.values if numbers is None else numbers, name)
    return numbers if order == sorted(order) else numbers.transpose(order)


def _order(names: tuple[Any, ...], name: str, dims: Sequence[Dimension]) -> list[int]:
    """For each dimension of the tensor, the place of its axis among the names."""
    asked, shown = f"input {name}", f"its axes are called ({_listed(names)}), and those of {name} ({_listed(dims)})"
    if len(names) != len(dims):
        raise InputError(asked, shown, f"give it {counted(len(dims), 'axis')}")
    symbols = [str(dim) if isinstance(dim, Dim) and str(dim) in dim.symbols else "" for dim in dims]
    known = [symbol for symbol in symbols if symbol]
    twice = next((one for one in (*known, *names) if known.count(one) > 1 or names.count(one) > 1), None)
    if twice is not None:
        instead = f"put its axes in order and give .values, or declare two symbols in place of {twice}"
        raise InputError(asked, f"{shown}: {twice} names two axes", instead)
    left = [one for one in names if one not in known]
    missing = [symbol for symbol in known if symbol not in names]
    if missing:
        instead = f"rename them: .rename({{{left[0]!r}: {missing[0]!r}}})"
        raise InputError(asked, f"{shown}: {missing[0]} is missing", instead)
    if len(left) > 1:
        found = f"{shown}: which of {_listed(left)} is which is not told"
        raise InputError(asked, found, "put its axes in order and give .values")
    return [names.index(symbol or left[0]) for symbol in symbols]


def _listed(names: Sequence[Any]) -> str:
    return ", ".join(map(str, names))
