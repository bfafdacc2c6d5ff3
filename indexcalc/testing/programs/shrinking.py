"""A program that fails is made smaller, as long as it fails in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from indexcalc.testing.programs.trees import BACKENDS, Sample

MOST_TRIES = 300
"""Smaller programs that are tried of one that fails: each costs what the failing check costs."""


def shrunk(sample: Sample, fails: Callable[[Sample], bool], tries: int = MOST_TRIES) -> Sample:
    """The smallest program that was found to fail still: parts of it instead of the whole, one derivative, small sizes.

    >>> import random
    >>> from indexcalc.testing.programs.samples import sample
    >>> made = sample(random.Random(8))
    >>> shrunk(made, lambda smaller: True).tree.nodes < made.tree.nodes
    True
    """
    left = tries
    while True:
        for smaller in _smaller(sample):
            if left == 0:
                return sample
            left -= 1
            if fails(smaller):
                sample = smaller
                break
        else:
            return sample


def _smaller(sample: Sample) -> Iterator[Sample]:
    trees = {tree.text: tree for tree in sample.tree.smaller(sample.leaves) if tree.nodes < sample.tree.nodes}
    for tree in sorted(trees.values(), key=lambda tree: tree.nodes):
        if sample.by in tree.leaves and (not sample.then or sample.then in tree.leaves):
            yield replace(sample, tree=tree)
    if sample.then:
        yield replace(sample, then="")
    if sample.backend != BACKENDS[0]:
        yield replace(sample, backend=BACKENDS[0])
    for name, leaf in sample.leaves.items():
        if leaf.word:
            yield replace(sample, leaves={**sample.leaves, name: replace(leaf, word="")})
    ordered = dict(zip(sample.sizes, (2, 3, 1), strict=True))
    if dict(sample.sizes) != ordered:
        yield replace(sample, sizes=ordered)
