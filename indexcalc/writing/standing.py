"""How vectors stand: a node of order 1 is a column, a row, or plain as NumPy has it; text depends on it.

An axis that a view shows may be a unit axis, which its node does not have: a column is an order-1 node that stands as
n×1, a row one that stands as 1×n.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from indexcalc.graph.node import Definition, Node, Variable
from indexcalc.graph.walk import variables

Places = tuple[int | None, ...]
"""For each axis that is shown the axis of the node, in their order, or None for a unit axis."""
NONE: frozenset[str] = frozenset()
ORIENTATIONS: dict[str, Places] = {"column": (0, None), "row": (None, 0), "numpy": (0,)}
"""The places of an order-1 tensor in each way in which it may be meant."""
OPPOSITE = {"column": "row", "row": "column", "numpy": "numpy"}


class Standing(NamedTuple):
    """A node as matrix text has it.

    `places` says how its axes are shown; `vectors` how its order-1 parts are meant, "column", "row" or "numpy", and
    `turned` has the names of those that stand the other way.

    >>> from indexcalc.graph.constructors import variable
    >>> Standing(variable("a", (3,)), (None, 0), "column").is_upright
    False
    """

    node: Node
    places: Places
    vectors: str = "numpy"
    turned: frozenset[str] = NONE

    @property
    def is_upright(self) -> bool:
        """Would the name of the node alone be read as standing as this does?"""
        name = self.node.name if isinstance(self.node, Definition | Variable) else ""
        return places_of(self.node, name, self.vectors, self.turned) == self.places

    @property
    def rows(self) -> frozenset[str]:
        """The names of the vectors that stand as rows."""
        order_one = [one for one in variables([self.node]) if one.order == 1]
        row = ORIENTATIONS["row"]
        return frozenset(one.name for one in order_one if places_of(one, one.name, self.vectors, self.turned) == row)


def plain(node: Node) -> Standing:
    """The node with each of its axes shown, vectors as NumPy has them."""
    return Standing(node, tuple(range(node.order)))


def places_of(node: Node, name: str, vectors: str, turned: frozenset[str]) -> Places:
    """The places that a node of this name has where vectors are meant so."""
    if node.order != 1:
        return tuple(range(node.order))
    return ORIENTATIONS[OPPOSITE[vectors] if name in turned else vectors]


def ascending(true: Iterable[bool]) -> Places:
    """The places of axes, given which of them the node has."""
    count = 0
    found: list[int | None] = []
    for one in true:
        found.append(count if one else None)
        count += one
    return tuple(found)
