"""What a rule of simplification is given: the sweep over a graph that it is part of.

A rule never looks at the sweep itself, only at what stands here; so each can be called alone, with any sweep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from indexcalc.graph.edge import Draft, Edge
from indexcalc.graph.node import Labels, Node, Product, Regroup, Sum
from indexcalc.index import Dimension
from indexcalc.simplify.rewriting.rewrite import Trace


class Core(NamedTuple):
    """A matrix but for numbers and scalars: `node[axes]`."""

    node: Node
    axes: Labels


class Normaliser(Protocol):
    """A sweep over a graph, as its rules see it. All nodes that they are given have children in normal form."""

    flat: bool
    """Does the form depend on the expression alone, not on what is shared?"""
    expanding: bool
    """Are products of sums multiplied out, and derivatives along sums split?"""
    blocks: bool
    """Are matrices of blocks taken apart by Schur complements?"""
    bound: int
    """So many terms, at most, come of multiplying one product out."""
    cut: bool
    """Has a rule stopped at a bound, so that the form may not be canonical?"""
    depth: int
    """How many functions deep diagonals are being taken."""
    diagonals: dict[Node, Edge]
    """The normal forms of the diagonals that were taken."""
    cores: dict[Node, Core]
    """Matrices but for numbers and scalars, of the nodes for which they were asked."""
    absorbed: set[Node]
    """The products in products, and sums in sums, that their only user takes in."""
    trace: Trace | None
    """Where the steps are noted; None where nobody asks for them."""
    key: Callable[[Node], Edge] | None
    """What terms have in common that are equal but share their parts in another way; None where sharing is not seen."""

    def child(self, node: Node) -> Edge:
        """The normal form of a child; a node made on the way is in normal form."""

    def edge(self, node: Node) -> Edge:
        """The normal form of a node whose children have theirs."""

    def renormalise(self, node: Node) -> Edge:
        """The normal form of a node made of normal ones, such as a rewrite returns."""

    def uses(self, node: Node) -> int:
        """How often a node of the graph is used in it; once, if it was made on the way."""

    def inlines(self, source: Node, node: Product | Sum, width: int) -> bool:
        """May this product (sum), the normal form of `source`, be opened into its parent of that width?"""

    def finish(self, draft: Draft, out: list[int], dims: Sequence[Dimension]) -> Edge:
        """The normal form of a gathered product whose axes are the labels `out`, a sum where a rewrite splits it."""

    def total(self, terms: Iterable[Edge], dims: Sequence[Dimension]) -> Edge:
        """The normal form of a sum of normal forms."""

    def regrouped(self, node: Regroup, child: Edge) -> Edge:
        """The axes of an edge joined and split as those of the node's child are."""
