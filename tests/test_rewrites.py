"""Rewrites: each by its example, and by a point that breaks its condition; each step of a trace by numbers."""

from __future__ import annotations

import numpy as np
import pytest
from rewrites import NAMES, PAGE, page

import indexcalc as ic
from indexcalc.calculus.derivative import derive
from indexcalc.equality.modular import Residues, Undecided, ZeroDivisor, is_rational
from indexcalc.equality.points import drawn, several_sizes
from indexcalc.equality.reals import Reals
from indexcalc.errors import IndexCalcError
from indexcalc.functions.primary import primary
from indexcalc.graph.constructors import addition
from indexcalc.graph.walk import count, variables
from indexcalc.simplify.passes import FlatPass, expand, simplify
from indexcalc.simplify.rewriting.catalogue import TABLES
from indexcalc.simplify.rewriting.rewrite import Trace
from indexcalc.testing.fuzzing import program

ROWS = [(kind, row) for kind, table in TABLES.items() for row in table]
LARGEST = 60
"""Nodes of a step that is checked by numbers: larger ones take seconds modulo primes."""


def gap(one, other):
    whole = range(one.order)
    return addition([(1, one, whole), (-1, other, whole)], one.dims)


def differ(one, other, existence=False):
    """At how many points two nodes differ (or one does not exist), and at how many both exist.

    Modulo primes where they are rational.
    """
    if is_rational([one, other]):
        for seed, sizes in enumerate(several_sizes([one, other])):
            try:
                (value,) = (Residues(sizes, seed).run([node])[node] for node in [gap(one, other)])
            except (ZeroDivisor, Undecided, IndexCalcError, ZeroDivisionError):
                continue
            return int(value.any()), 1
    found = met = 0
    for seed, sizes in enumerate(several_sizes([one, other])):
        if seed == 2:
            break
        draw = drawn(sorted(variables([one, other]), key=lambda v: v.name), sizes, 6, np.random.default_rng(seed))
        at = Reals(draw.arrays, sizes)
        a, b, error = (
            np.broadcast_to(value, (6, *at.base(one).shape[1:]))
            for value in (at.base(one), at.base(other), at.rounding(one) + at.rounding(other))
        )
        for x, y, rounding in zip(a, b, error, strict=True):
            if np.isfinite(x).all() and np.isfinite(y).all():
                met += 1
                found += bool((np.abs(x - y) > rounding + 1e-9 * (np.abs(x).max(initial=0) + 1)).any())
            elif existence:
                found += np.isfinite(x).all() or np.isfinite(y).all()
    return found, met


def written(text):
    return ic.parse(text, **NAMES).node


def traced(kind, node):
    trace = Trace()
    (made,) = expand([node], trace=trace) if kind == "expanded products" else simplify([node], trace)
    return trace, made


@pytest.mark.parametrize(("kind", "row"), ROWS, ids=lambda value: getattr(value, "name", value))
def test_a_rewrite_does_what_its_example_says(kind, row):
    left, right = map(written, row.example)
    if row.name == "values by name":  # what is written so is opened as it is read
        left = primary("matrix_power", NAMES["A"].node, (2,))
    trace, made = traced(kind, left)
    if row.name in ("joined axes as tensors", "the one entry of an axis"):  # of the form that equality compares alone
        work = FlatPass()
        work.trace = trace
        work.settle(left)
    assert row in [step.rewrite for step in trace.steps]
    assert made is traced(kind, right)[1]
    assert row.formula and row.source
    for step in trace.steps:
        assert differ(step.before, step.after)[0] == 0, step


@pytest.mark.parametrize("row", [row for _, row in ROWS if row.condition], ids=lambda row: row.name)
def test_where_its_condition_fails_the_two_sides_differ(row):
    left, right = map(written, row.counter)
    assert simplify([left])[0] is not simplify([right])[0]
    assert differ(left, right, existence=True)[0]


def test_a_trace_changes_nothing_and_each_of_its_steps_is_an_equality():
    names, checked = set(), 0
    for number in range(150):
        made = program(0, number)
        node = made.expression.node
        derived = derive(simplify([node])[0], [made.scope[made.by].node])
        for root in (node, *derived):
            trace = Trace()
            assert simplify([root], trace)[0] is simplify([root])[0]
            for step in trace.steps:
                names.add(step.rewrite.name)
                if count([step.before, step.after]) <= LARGEST:
                    found, met = differ(step.before, step.after)
                    assert not found, (number, step)
                    checked += met
    assert checked > 500 and len(names) >= 10


def test_the_page_lists_exactly_these():
    assert page(PAGE.read_text()) == PAGE.read_text(), "python tests/rewrites.py writes it"
