"""Rows of functions that sort: the entries, their places, and weighted sums of them, along one axis.

Sorting is a gather by integers that depend on the entries and do not change with them but where two are equal:
`sort(x)_k = [argsort(x)_k = i] x_i`, summed over i. So the derivative is the bracket.
"""

from __future__ import annotations

import math

from indexcalc.functions.code import numpy as code
from indexcalc.functions.entries.choosing import bracket
from indexcalc.functions.entry import Entry, scalar_entry
from indexcalc.functions.table import ORDER, ReductionFunction, Slice
from indexcalc.graph.constructors import constant, constant_number, reduction
from indexcalc.graph.node import Node

TIES = "entries that tie keep their order, as in a stable sort"


def _order(s: Slice) -> Node:
    """`[argsort(x)_k = i]`, with the axes of x, of which k is one, and then i."""
    (own,) = s.own
    axis = s.x.labels.index(own)
    places = reduction("argsort", s.x.node, (axis,), True)
    return bracket(places, s.x.node.dims[axis])


def _sort_rule(s: Slice) -> Entry:
    return Entry(_order(s), (*s.x.labels, *s.along), s.x.dims)


def _median_rule(s: Slice) -> Entry:
    """`dy/dx_i`: the sum over k of `weight_k [argsort(x)_k = i]`, the weights being those of the middle."""
    (own,) = s.own
    node, weights = _order(s), constant("quantile_weights", (s.x.dims[own],), (1, 2))
    return s.product((node, (*s.at("k"), own)), (weights, ("k",)))


ORDERED = (
    ReductionFunction(
        "sort", "y_a = the a-th smallest x_b", code.sort, _sort_rule, True,
        r"\operatorname{{sort}}_{{{axes}}}\left({}\right)", "definition", kink=TIES, holomorphic=False, axes=1,
        code={"torch": "torch.sort({x}, dim={axes}[0]).values"},
        branching=ORDER, unrounded=True, positive=True, between=True, total=True,
        oracle="jnp.sort(x, axes[0])",
    ),
    ReductionFunction(
        "argsort", "y_a = the place of the a-th smallest x_b", code.argsort,
        lambda s: scalar_entry(constant_number(0), s.x), True,
        r"\operatorname{{argsort}}_{{{axes}}}\left({}\right)", "definition",
        kink="jumps where entries tie, which keep their order; the derivative is 0 elsewhere, and is given as 0 there",
        holomorphic=False, axes=1, range=(0.0, math.inf),
        code={"torch": "torch.sort({x}, dim={axes}[0], stable=True).indices.to({x}.dtype)"},
        branching=ORDER, unrounded=True, total=True, workspace=1.0,
        oracle="jnp.argsort(x, axes[0]).astype(x.dtype)",
    ),
    ReductionFunction(
        "median", "the middle x_a in ascending order, the mean of the middle two of an even number", code.median,
        _median_rule, False,
        r"\operatorname{{median}}_{{{axes}}}\left({}\right)", "definition", kink=TIES, holomorphic=False, axes=1,
        branching=ORDER, roots=True, positive=True, between=True, total=True, workspace=1.0,
        oracle="jnp.median(x, axes[0])",
    ),
)  # fmt: skip

SORTED = ORDERED[0].name
"""The row whose values are the entries in order."""
