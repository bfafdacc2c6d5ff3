"""Affine subscripts: indices that do not begin at 0, and what a reader has to be told of where they run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from indexcalc.affine import affine_text
from indexcalc.graph.node import Definition, Node, Variable
from indexcalc.index import Dimension
from indexcalc.writing.index.opened import Item, OpenProduct, Subscript
from indexcalc.writing.known import selected_of
from indexcalc.writing.syntax import Names


class Ranged(NamedTuple):
    """Over which values an index runs: from `start`, and whether what it takes beside an array is 0."""

    start: Dimension
    size: Dimension
    zero: bool = False

    def __str__(self) -> str:
        return f"{self.start}:{self.start + self.size}{', zero' * self.zero}"


class Shifted:
    """The indices of one text that do not begin at 0: `starts` has their first values.

    `ranges` has those that a reader has to be told of, and `sizes` those that each name has had. What can't be told
    makes it `lost`. Where subscripts may be `dependent`, one is an integer at other indices, `y[b]`.
    """

    def __init__(self, starts: Mapping[str, Dimension], dependent: bool = False) -> None:
        self.starts, self.dependent = starts, dependent
        self.ranges: dict[str, Ranged] = {}
        self.sizes: dict[str, set[Dimension]] = {}
        self.lost = False

    @property
    def untold(self) -> bool:
        """Is there something in the text that no reader can be told?"""
        return self.lost or any(len(self.sizes.get(name, ())) > 1 for name in self.ranges)

    def refuse(self, names: Sequence[str]) -> None:
        """What stands with these names has a place for each entry, and none for a value that does not begin at 0."""
        self.lost = self.lost or any(self.starts.get(name, 0) != 0 for name in names)

    def note(
        self, flat: OpenProduct, title: Mapping[int, str], told: Collection[int], outside: Collection[str]
    ) -> None:
        """Notes over which values names run that stand in affine subscripts, where nothing else tells.

        What is beside an array is 0 along one of them: one that the expression has `outside`, if there is such.
        """
        for label, name in title.items():
            self.sizes.setdefault(name, set()).add(flat.sizes[label])
        for item in flat.items:
            for sub in item.affine:
                terms = (
                    []
                    if sub.integers or (sub.plain and sub.inside)
                    else [(coef, item.labels[k]) for coef, k in sub.terms]
                )
                beyond = sorted((title[x] not in outside, title[x]) for _, x in terms if not sub.inside)
                for coef, label in terms:
                    own = title[label]
                    if own in outside or label not in told or not sub.inside or abs(coef) != 1:
                        self._tell(own, flat.sizes[label], bool(beyond) and own == beyond[0][1])

    def _tell(self, name: str, size: Dimension, zero: bool = False) -> None:
        zero = zero or (name in self.ranges and self.ranges[name].zero)
        self.ranges[name] = Ranged(self.starts.get(name, 0), size, zero)

    def subscripts(self, names: Sequence[str], subs: Sequence[Subscript]) -> Names:
        """Subscripts in names of indices, which count from their starts."""
        made = []
        for sub in subs:
            if sub.integers:
                own = [names[k] for _, k in sub.terms]
                self.refuse(own)
                made.append(f"{sub.integers}[{','.join(own)}]")
                continue
            start = sub.offset
            for coef, k in sub.terms:
                start = start - coef * self.starts.get(names[k], 0)
            terms = sorted(((coef, names[k]) for coef, k in sub.terms), key=lambda term: term[0] < 0)
            made.append(affine_text(terms, start))
        return tuple(made)

    def named(self, node: Node, names: Names) -> Names:
        """The subscripts of a whole tensor."""
        if not any(name in self.starts for name in names):
            return names
        for name, size in zip(names, node.dims, strict=True):
            if name in self.starts:
                self._tell(name, size)
        if not isinstance(node, Variable | Definition):
            self.refuse(names)
        return self.subscripts(names, [Subscript(((1, k),)) for k in range(len(names))])

    def picks(self, item: Item, names: Names) -> list[Subscript]:
        """Slices of a tensor along indices that have starts, as affine functions of these; none if they are none."""
        made: list[Subscript] = []
        entry = len(names) < len(item.picks) or item.node is None or selected_of(item.node) is not None
        if entry or not any(name in self.starts for name in names):
            self.refuse(names)
            return []
        for k, (found, name) in enumerate(zip(item.ranges, names, strict=True)):
            if found is not None and name not in self.starts:
                self.refuse(names)
                return []
            if found is not None:
                self._tell(name, found.size)
            made.append(Subscript(((found.step if found else 1, k),), found.start if found else 0))
        return made
