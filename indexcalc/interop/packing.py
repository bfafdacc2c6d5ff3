"""Tensors as vectors of their independent entries, and back: a linear map for each, held as places and signs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from indexcalc.engine.limits import memory_limit, refuse_over
from indexcalc.errors import Asked, InputError
from indexcalc.graph.edge import symmetry_of
from indexcalc.graph.node import Variable

Numbers = np.ndarray[Any, Any]
"""An array of numbers."""
ENTRY = 64
"""Bytes for an entry while places and signs are found: eight arrays of 8."""
FREE = {"positive", "full_rank", "symmetric", "skew", "major"}
"""Words that leave entries independent, or say which of them are equal but for a sign."""
MASKED = {"diagonal": (0, 0), "lower": (None, 0), "upper": (0, None)}
"""Words that leave some diagonals of a matrix: from which to which, counted from the main one upwards."""


class Packing:
    """The independent entries of a tensor of this shape: `count` of them, and where each entry of the tensor is one."""

    def __init__(self, variable: Variable, shape: Sequence[int], asked: Asked) -> None:
        self.name, self.shape, self.asked = variable.label, tuple(shape), asked
        unknown = sorted(variable.assumptions - FREE - MASKED.keys())
        if unknown:
            found = f"the entries of {self.name} depend on each other: it was declared {unknown[0]}"
            instead = "write it in tensors without that: L @ L.T is positive definite, softmax(Z) stochastic"
            raise InputError(asked, found, instead)
        peak = prod(self.shape) * ENTRY
        found, instead = f"to pack {self.name} of shape {self.shape}", "search for fewer numbers"
        refuse_over(peak, memory_limit(), 8, asked, found, instead)
        first, sign = _orbits(variable, self.shape)
        for word in variable.assumptions & MASKED.keys():
            sign = sign * _diagonals(self.shape, *MASKED[word])
        self.sign = sign.astype(float)
        self.entries, places = np.unique(first[sign != 0], return_inverse=True)
        self.places = np.zeros(self.shape, int)
        self.places[sign != 0] = places.reshape(-1)
        self.count = len(self.entries)
        self.positive = "positive" in variable.assumptions

    def tensor(self, vector: Numbers) -> Numbers:
        """The tensor of these independent entries."""
        made: Numbers = self.sign * vector[self.places] if self.count else np.zeros(self.shape)
        return made

    def entries_of(self, tensor: Numbers) -> Numbers:
        """The independent entries of a tensor, which has to be as it was declared."""
        flat = np.asarray(tensor, float).reshape(self.shape)
        vector: Numbers = flat.reshape(-1)[self.entries] * self.sign.reshape(-1)[self.entries]
        if not np.array_equal(self.tensor(vector), flat):
            raise InputError(self.asked, f"{self.name} is not as it was declared", "give such numbers")
        return vector

    def gradient(self, tensor: Numbers) -> Numbers:
        """The derivatives by the independent entries, from those by all: the transposed map."""
        weights = (self.sign * np.asarray(tensor)).reshape(-1)
        made: Numbers = np.bincount(self.places.reshape(-1), weights, self.count)[: self.count]
        return made


def _orbits(variable: Variable, shape: tuple[int, ...]) -> tuple[Numbers, Numbers]:
    """For each entry the first one that it is equal to, and the sign; 0 where it is its own negative."""
    own = np.arange(prod(shape)).reshape(shape)
    first, sign = own, np.ones(shape, int)
    moves = list(_moves(variable))
    while True:
        before = first
        for perm, turn in moves:
            other, flipped = first.transpose(perm), turn * sign.transpose(perm)
            sign = np.where(other < first, flipped, sign)
            first = np.minimum(first, other)
        if np.array_equal(first, before):
            break
    for perm, turn in moves:
        clash = (first.transpose(perm) == first) & (turn * sign.transpose(perm) != sign)
        sign = np.where(np.isin(first, first[clash]), 0, sign)
    return first, sign


def _moves(variable: Variable) -> Iterator[tuple[list[int], int]]:
    """The permutations that were declared, each with its sign."""
    rule = symmetry_of(variable)
    for axes, sign in rule.blocks:
        for a, b in pairwise(axes):
            swap = list(range(variable.order))
            swap[a], swap[b] = b, a
            yield swap, sign
    for perm in rule.perms:
        yield list(perm), 1


def _diagonals(shape: tuple[int, ...], low: int | None, high: int | None) -> Numbers:
    """1 on these diagonals of the last two axes, else 0."""
    place = np.arange(shape[-1]) - np.arange(shape[-2])[:, None]
    return ((place >= (-np.inf if low is None else low)) & (place <= (np.inf if high is None else high))).astype(int)
