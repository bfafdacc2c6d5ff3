"""What the programs that are tried have in common: all their steps, and all contractions, each once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from indexcalc.engine.bind.inputs import number_of, size_of
from indexcalc.engine.plan.orders.contract import Contraction
from indexcalc.engine.plan.orders.scheme import Piece, Schemes
from indexcalc.engine.program import Step
from indexcalc.graph.node import Labels, Node, Perm, Product, Symmetry
from indexcalc.index import Dimension
from indexcalc.simplify.intervals import ANY, Interval


class StepPool:
    """All steps of all programs that are tried: a step has one number, its cost in seconds, and an interval.

    `turns` has, by value, the permutations of its axes that leave it as it is, if it has a symmetry.
    With `symbols`, dimensions by their sizes, a program is right for other sizes too: none of these becomes a number.
    """

    def __init__(
        self, ranges: Mapping[Node, Interval], sizes: Mapping[str, int], symbols: Mapping[int, Dimension] | None = None
    ) -> None:
        self.ranges, self.sizes, self.symbols = ranges, sizes, symbols or {}
        self.extent: dict[Dimension, int] = {}
        self.steps: list[Step] = []
        self.costs: list[float] = []
        self.bounds: list[Interval] = []
        self.numbers: dict[Step, int] = {}
        self.turns: dict[int, tuple[Perm, ...]] = {}
        self.contractions: dict[tuple[tuple[Piece, ...], frozenset[int]], Contraction] = {}
        self.schemes = Schemes()
        self.opened: dict[tuple[Node, tuple[int, ...]], Any] = {}

    def add(self, step: Step, seconds: float, interval: Interval = ANY) -> int:
        """The number of a step."""
        found = self.numbers.get(step)
        if found is None:
            found = self.numbers[step] = len(self.steps)
            self.steps.append(step)
            self.costs.append(seconds)
            self.bounds.append(interval)
        return found

    def contraction(self, pieces: Sequence[Piece], kept: Iterable[int], sizes: Mapping[int, int]) -> Contraction:
        """The contraction of these pieces, the same for all programs: it keeps what its parts cost."""
        name = tuple(pieces), frozenset(kept)
        found = self.contractions.get(name)
        if found is None:
            found = self.contractions[name] = Contraction(pieces, kept, sizes, self.turns, self.schemes)
        return found

    def note(self, value: int, labels: Labels, rule: Symmetry) -> None:
        """A value is an array with this symmetry, axis k of it being axis `labels[k]` of that."""
        if value not in self.turns and (perms := turns(rule, len(labels))):
            place = [labels.index(axis) for axis in range(len(labels))]
            self.turns[value] = tuple([tuple([place[perm[axis]] for axis in labels]) for perm in perms])

    def range(self, node: Node) -> Interval:
        """The interval of a node; any for one that the planner has made."""
        return self.ranges.get(node, ANY)

    def live(self, results: Iterable[int]) -> list[int]:
        """The steps that the results need, in order."""
        needed: set[int] = set()
        stack = list(results)
        while stack:
            number = stack.pop()
            if number not in needed:
                needed.add(number)
                stack += [use.value for use in self.steps[number].uses]
        return sorted(needed)

    def shape(self, dims: Iterable[Dimension]) -> tuple[int, ...]:
        """The sizes of dimensions."""
        return tuple([self.size(dimension) for dimension in dims])

    def size(self, dimension: Dimension) -> int:
        """The size of a dimension, found once."""
        found = self.extent.get(dimension)
        if found is None:
            found = self.extent[dimension] = size_of(dimension, self.sizes)
        return found

    def size_written(self, dimension: Dimension) -> int | None:
        """The size of a dimension that a step is to have; None where that would be another one at other sizes."""
        if not self.symbols:
            return self.size(dimension)
        if isinstance(dimension, int):
            return None if dimension in self.symbols else dimension
        return next((size for size, own in self.symbols.items() if own == dimension), None)

    def extents(self, node: Product) -> tuple[Any, ...]:
        """The sizes of the labels of a product; one that nothing has is a factor, which may be any number."""
        carried = {label for factor in node.factors for label in factor.labels} | set(node.out)
        return tuple(
            [self.size(dim) if label in carried else number_of(dim, self.sizes) for label, dim in enumerate(node.sizes)]
        )


MOST_TURNS = 8
"""Permutations: of an array with more symmetries none is used, since each makes the keys of its products dearer."""


def turns(rule: Symmetry, order: int, most: int = MOST_TURNS) -> tuple[Perm, ...]:
    """The permutations of the axes that leave a value with this symmetry as it is.

    None where there are more than the `most`.

    >>> turns(Symmetry((((0, 1), 1),)), 3)
    ((0, 1, 2), (1, 0, 2))
    """
    moves = list(rule.perms)
    for axes, sign in rule.blocks:
        for a, b in pairwise(axes) if sign > 0 else ():
            swap = {a: b, b: a}
            moves.append(tuple([swap.get(axis, axis) for axis in range(order)]))
    found = {tuple(range(order))}
    fresh = list(found)
    while fresh and len(found) <= most:
        perm = fresh.pop()
        made = {tuple([perm[axis] for axis in move]) for move in moves} - found
        found |= made
        fresh += made
    return tuple(sorted(found)) if 1 < len(found) <= most else ()
