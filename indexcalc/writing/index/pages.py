"""A page: an expression with the definitions that it needs, in an order in which they can be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from indexcalc.graph.node import Node
from indexcalc.writing.syntax import Piece

References = Callable[[Piece], list[Node]]
"""The definitions that a piece names, in the order of its text."""


class Page(NamedTuple):
    """An expression in pieces, with the definitions that it needs, in an order in which they can be read."""

    body: Piece
    definitions: list[tuple[Node, Piece]]
    words: frozenset[str]


def definitions_of(
    body: Piece, definition: Callable[[Node], Piece], references: References
) -> list[tuple[Node, Piece]]:
    """The definitions that a piece needs, and those that they need, each before it is used."""
    pieces: dict[Node, Piece] = {}
    order: list[tuple[Node, Piece]] = []
    done: set[Node] = set()
    needs: dict[Node, list[Node]] = {}
    stack = [(node, False) for node in reversed(references(body))]
    while stack:
        node, ready = stack.pop()
        if node in done:
            continue
        if ready:
            done.add(node)
            order.append((node, pieces[node]))
            continue
        if node not in pieces:
            pieces[node] = definition(node)
            needs[node] = references(pieces[node])
        stack.append((node, True))
        stack += [(inner, False) for inner in reversed(needs[node]) if inner not in done]
    return order
