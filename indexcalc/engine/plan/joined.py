"""Labels that deltas join, and how a value is held: as a core, and how the axes of a node are made from its axes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from indexcalc.graph.labels import UnionFind
from indexcalc.graph.node import Labels


class HeldForm(NamedTuple):
    """How a value is held: axis k of the node has the label `out[k]`, the axes of the core have `labels`.

    The labels of the core are all different. A label twice in `out` is a delta; one that `labels` lacks is an axis
    along which the value is constant. `sizes[label]` is the size of a label.
    """

    labels: Labels
    out: Labels
    sizes: tuple[int, ...]

    @property
    def core(self) -> tuple[int, ...]:
        """The shape of the core."""
        return tuple(self.sizes[label] for label in self.labels)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the node."""
        return tuple(self.sizes[label] for label in self.out)

    @property
    def plain(self) -> bool:
        """Is there no delta?"""
        return len(self.sizes) == len(self.out)

    @property
    def whole(self) -> bool:
        """Is the core the array itself?"""
        return self.labels == self.out


HeldValue = tuple[int, HeldForm]
"""A value, by its number, and how it is held."""


def whole(shape: Sequence[int]) -> HeldForm:
    """The form of an array that is held as it is."""
    axes = tuple(range(len(shape)))
    return HeldForm(axes, axes, tuple(shape))


def formed(out: Sequence[int], carried: Iterable[int], sizes: Sequence[int]) -> HeldForm:
    """The form with these labels, numbered anew, and the sizes of the old ones."""
    number = {label: place for place, label in enumerate(dict.fromkeys(out))}
    labels = tuple(sorted({number[label] for label in carried if label in number}))
    return HeldForm(labels, tuple(number[label] for label in out), tuple(sizes[label] for label in number))


def attach(joined: UnionFind, form: HeldForm, labels: Sequence[int]) -> list[int]:
    """A value is used with these labels: its deltas join them. Gives those of the axes of its core."""
    first: dict[int, int] = {}
    for inner, label in zip(form.out, labels, strict=True):
        joined.join(first.setdefault(inner, label), label)
    return [first[inner] for inner in form.labels]
