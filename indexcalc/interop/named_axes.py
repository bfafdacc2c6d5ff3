"""Numbers with names: what an expression is evaluated to, as xarray's array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from indexcalc import later
from indexcalc.engine.bind.labelled import is_labelled
from indexcalc.engine.bind.named import keyword_or_input
from indexcalc.errors import Asked, InputError, NotationError, counted
from indexcalc.graph.node import Constant, Regroup, topological
from indexcalc.index import Dim, Dimension
from indexcalc.surface import is_sequence
from indexcalc.views.expr import Expr
from indexcalc.views.view import View

if TYPE_CHECKING:
    from xarray import DataArray


def to_xarray(view: View, values: Mapping[Any, Any] | None = None, /, *, dims: Any = None, **named: Any) -> DataArray:
    """The numbers as a `DataArray`; inputs are given as to `evaluate`.

    Its dimensions are called as the free indices of an Expr, in their order, and as the dimensions of an Array; where
    these have no names, or one name twice, `dims` has one for each axis. Coordinates of inputs come along with the
    dimension that they are of, unless an axis was sliced or joined; two inputs with different ones are refused.

    >>> import indexcalc as ic
    >>> X, w = ic.tensor("X", "city year"), ic.tensor("w", "year")
    >>> (X @ w).to_xarray(X=[[1, 2], [3, 4]], w=[1, 1]).dims
    ('city',)
    """
    asked = Asked(lambda: f"({view}).to_xarray()")
    if dims is not None:
        dims = keyword_or_input("dims", dims, [view.wanted()], named)
    try:
        xarray: Any = import_module("xarray")
    except ImportError:
        raise InputError(asked, "xarray is not installed", 'pip install "indexcalc[xarray]"') from None
    sizes = _shape(view)
    names = _names(view, sizes, dims, asked)
    table = values if isinstance(values, Mapping) else {}
    known = _coordinates(view, {**table, **named}, asked)
    numbers = later.evaluate(view, values, **named)
    kept = {} if _moves(view) else {
        name: (name, known[str(size)]) for name, size in zip(names, sizes, strict=True) if str(size) in known
    }  # fmt: skip
    made: DataArray = xarray.DataArray(numbers, dims=names, coords=kept)
    return made


def _shape(view: Any) -> tuple[Dimension, ...]:
    """The dimensions of the axes that are shown, of either view."""
    shape: tuple[Dimension, ...] = view.shape
    return shape


def _names(view: View, sizes: Sequence[Dimension], dims: Any, asked: Asked) -> list[str]:
    """A name for each axis that is shown."""
    if dims is not None:
        given = list(dims) if is_sequence(dims) else []
        if len(given) != len(sizes) or len(set(map(str, given))) < len(given) or not all(map(_is_word, given)):
            found = f"dims={dims!r} for {counted(len(sizes), 'axis')}"
            raise NotationError(asked, found, 'write a name for each, dims=("row", "column")')
        return given
    if isinstance(view, Expr):
        return [index.name for index in view.free]
    names = [str(size) if isinstance(size, Dim) and str(size) in size.symbols else "" for size in sizes]
    for axis, (name, size) in enumerate(zip(names, sizes, strict=True)):
        if not name or names.count(name) > 1:
            why = f"{names.count(name)} axes are called {name}" if name else f"axis {axis} is {size}, which is no name"
            letters = ", ".join("ijklmnpq"[: view.order])
            instead = f"write dims=(...), a name for each axis; or index it: ({view})[{letters}].to_xarray(...)"
            raise NotationError(asked, why, instead)
    return names


def _is_word(name: object) -> bool:
    return isinstance(name, str) and bool(name)


def _coordinates(view: View, given: Mapping[Any, Any], asked: Asked) -> dict[str, Any]:
    """The coordinates of the inputs, by the dimensions that their tensors have; of one dimension they are the same."""
    tensors = {variable.label: variable for variable in view.inputs}
    known: dict[str, Any] = {}
    for key, value in given.items():
        tensor = tensors.get(str(key.node.name if isinstance(key, View) else key))
        labelled = tensor is not None and is_labelled(value) and hasattr(value, "coords")
        for name in map(str, tensor.dims) if tensor is not None and labelled else ():
            if name not in value.dims or name not in value.coords:
                continue
            own = np.asarray(value.coords[name].values)
            if not np.array_equal(known.setdefault(name, own), own):
                found = f"two inputs have different coordinates along {name}"
                raise InputError(asked, found, "align them first: xarray.align(a, b)")
    return known


def _moves(view: View) -> bool:
    """Is an axis sliced, turned round, joined or split, so that an entry may not lie where it lay?"""
    nodes = topological([view.node])
    return any(isinstance(node, Regroup) or (isinstance(node, Constant) and node.order > 0) for node in nodes)
