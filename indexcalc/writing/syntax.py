"""Pieces: an expression as it is read, before it is set as text or as LaTeX.

`arrange` turns a node into pieces: factors in their order, bound indices named, braces and explicit sums where they are
needed. A renderer only chooses the symbols.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from indexcalc.functions.table import ELEMENTWISE
from indexcalc.graph.node import Node
from indexcalc.graph.numbers import Number
from indexcalc.index import Dimension

Names = tuple[str, ...]


class Plain(NamedTuple):
    """A number, exact or not."""

    value: Number


class Size(NamedTuple):
    """A dimension, used as a number."""

    value: Dimension


class Named(NamedTuple):
    """A tensor, a constant or a definition, with its subscripts; `latex` is how its name is set, if it says so."""

    name: str
    subs: Names = ()
    latex: str = ""


class Ref(NamedTuple):
    """A part that has a definition line of its own."""

    node: Node
    subs: Names = ()


class Filled(NamedTuple):
    """`zeros`, `ones` or `eye` of these dimensions, as an array, with its subscripts."""

    name: str
    dims: tuple[Dimension, ...]
    subs: Names = ()


class Delta(NamedTuple):
    """The identity between two indices; `dim` where nothing else tells their dimension."""

    names: Names
    dim: Dimension | None = None


class Ones(NamedTuple):
    """A factor 1 that runs along an index; `dim` where nothing else tells its dimension."""

    names: Names
    dim: Dimension | None = None


class Function(NamedTuple):
    """An elementwise function of its arguments."""

    fn: str
    args: tuple[Piece, ...]
    params: tuple[Number, ...] = ()


class Reduced(NamedTuple):
    """A function along the axes of these names; `told` says whether they must be written."""

    fn: str
    arg: Piece
    axes: Names
    told: bool
    params: tuple[Number, ...] = ()


class Applied(NamedTuple):
    """A function of whole arrays, with the subscripts of its value; `times` tells a derivative from the function.

    One of a function of numbers may be written with `primes`; `latex` is how the name of the function is set.
    """

    name: str
    args: tuple[Piece, ...]
    subs: Names = ()
    function: str = ""
    times: tuple[int, ...] = ()
    params: tuple[Any, ...] = ()
    primes: int = 0
    latex: str = ""


class Grouped(NamedTuple):
    """An array with its axes joined and split, as a pattern says; `sizes` has the lengths of what is split."""

    arg: Piece
    inner: tuple[Names, ...]
    outer: tuple[Names, ...]
    sizes: tuple[tuple[str, Dimension], ...]
    subs: Names = ()


class Picked(NamedTuple):
    """A part of an array, with its subscripts: what is picked of each axis, as text."""

    arg: Piece
    keys: tuple[str, ...]
    subs: Names = ()


class Power(NamedTuple):
    """A base to an exponent."""

    base: Piece
    exponent: Piece


class Times(NamedTuple):
    """`coef * top / bottom`."""

    coef: Number
    top: tuple[Piece, ...]
    bottom: tuple[Piece, ...] = ()


class Total(NamedTuple):
    """A sum over `names`, which must be said, and over `silent`, which the reader sums unasked.

    `where` has the conditions between names, with what is between them: `("i", "<", "j")`.
    """

    names: Names
    silent: Names
    body: Piece
    where: tuple[tuple[str, str, str], ...] = ()


class Plus(NamedTuple):
    """A sum of terms."""

    terms: tuple[Piece, ...]


class Braces(NamedTuple):
    """Names that are kept in the body, however often they occur."""

    names: Names
    body: Piece


class Arrow(NamedTuple):
    """The array of a body, with its axes in this order."""

    body: Piece
    names: Names


Piece = (
    Plain | Size | Named | Ref | Filled | Delta | Ones | Function | Reduced | Applied | Grouped | Picked | Power | Times
    | Total | Plus | Braces | Arrow
)  # fmt: skip


def indices_of(piece: Any) -> frozenset[str]:
    """The names of indices that stand in a piece, bound ones among them, but for those of arrays in braces.

    >>> sorted(indices_of(Times(2, (Named("x", ("i",)), Total(("j",), (), Named("A", ("j", "k+1")))))))
    ['i', 'j', 'k']
    """
    if isinstance(piece, Braces) or not isinstance(piece, tuple):
        return frozenset()
    fields = piece._asdict() if hasattr(piece, "_asdict") else {}
    own = (sub for field in ("names", "silent", "subs", "axes") for sub in fields.get(field, ()))
    found = frozenset(name for sub in own for name in re.findall(r"[^\W\d]\w*", sub))
    return found.union(*map(indices_of, piece))


OPERATORS = {row.name: row.python for row in ELEMENTWISE.values() if row.python and row.python[0] in "<>=!"}
"""The comparisons, as Python writes them."""


def times(coef: Number, top: tuple[Piece, ...], bottom: tuple[Piece, ...] = ()) -> Piece:
    """A product, or the piece that it is if there is nothing to multiply."""
    if not bottom:
        if not top:
            return Plain(coef)
        if coef == 1 and len(top) == 1:
            return top[0]
    return Times(coef, top, bottom)
