"""What the engine is told of an expression: a record that a view makes; the engine knows nothing else of views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from indexcalc.graph.node import Node, Variable


class Wanted(NamedTuple):
    """What is to be computed.

    `node` has its axes in the order of the result; `inputs` are the variables that may be given, `standing` says of
    those that are vectors how they stand ("column", "row"), by name, and `units` is the index that gives the result
    the unit axes that a layout shows, empty if there are none. A derivative says `by` which tensors it is one;
    `axes` are the names of indices, in index notation.
    """

    node: Node
    inputs: frozenset[Variable]
    standing: Mapping[str, str]
    units: tuple[slice | None, ...] = ()
    by: tuple[str, ...] = ()
    axes: tuple[str, ...] = ()


class Sides(NamedTuple):
    """A root whose axes are first those of the rows, then those of the columns: how many, and their names."""

    node: Node
    rows: int
    names: tuple[str, ...]


class Evaluable:
    """What has numbers: an expression that says what is wanted of it. Its text is its title in plans and errors."""

    __slots__ = ()
    node: Node
    inputs: frozenset[Variable]

    def wanted(self, order: Sequence[Any] | None = None) -> Wanted:
        """What is to be computed, the axes in this order, or in their own."""
        raise NotImplementedError

    def sides(self) -> Sides:
        """The axes as rows and columns, for the compressed form.

        Of a derivative the last variable gives the columns, of anything else the second half of the axes.
        """
        raise NotImplementedError
