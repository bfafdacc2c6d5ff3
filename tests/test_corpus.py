"""Identities of books, tables and papers, in the layouts in which they are printed: values and closed forms.

`corpus/cases.json` has 339: an expression, what it is differentiated by, and formulas for the derivative in named
layouts. They come from the Matrix Cookbook (chapter 2), Wikipedia's tables, Magnus and Neudecker, Giles, and from texts
on mechanics, statistics, machine learning and decompositions. `oracle.py` evaluates the formulas, in NumPy alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from corpus_case import Case, cases, evaluated, mistakes, tokens

import indexcalc as ic

IMPOSSIBLE: dict[str, str] = {
    "cookbook-89": "complex conjugation is not holomorphic, so `conj` is an error",
}
"""Cases that can't be done, with the reason; `docs/corpus.md` lists them for readers."""
PAIRS = [(case, layout) for case in cases().values() if case.id not in IMPOSSIBLE for layout in case.expected]
NAMES = [f"{case.id}-{layout}" for case, layout in PAIRS]


def agrees(found: Any, wanted: Any, tolerance: float) -> bool:
    found, wanted = np.asarray(found), np.asarray(wanted)
    if found.ndim != wanted.ndim and (found.ndim < 2 or wanted.ndim < 2):
        found = found.reshape(wanted.shape)
    scale = max(1.0, float(np.abs(wanted).max(initial=0)))
    return found.shape == wanted.shape and bool(np.allclose(found, wanted, rtol=tolerance, atol=tolerance * scale))


@pytest.mark.parametrize(("case", "layout"), PAIRS, ids=NAMES)
def test_values(case: Case, layout: str) -> None:
    """The derivative's numbers are the formula's, at two sets of sizes; its text reads back, and has them too."""
    result = case.result(layout)
    read = ic.parse(str(result), **result.declarations)
    assert read == result
    for which in (0, 1):
        arrays, wanted = case.numbers(which, layout)
        tolerance = case.row.get("tol", 1e-8)
        assert agrees(evaluated(result, arrays, which), wanted, tolerance)
        assert agrees(evaluated(read, arrays, which), wanted, tolerance)


def is_matrix_form(layout: str, formula: str) -> bool:
    """Is the book's own form in matrix notation?"""
    return layout != "index" and "einsum" not in formula and "_sums" not in formula


@pytest.mark.slow
def test_closed_forms_are_as_short_as_the_books() -> None:
    """At most a quarter more tokens than the book's, and two, in 95 of 100."""
    long, count = [], 0
    for case, layout in PAIRS:
        formula = case.expected[layout]["formula"]
        if not is_matrix_form(layout, formula):
            continue
        count += 1
        result = case.result(layout)
        written = result.formula()
        bound = 1.25 * case.expected[layout]["tokens"] + 2
        if not written.closed or tokens(written) > bound:
            long.append(f"{case.id} {layout}: {written} (the book: {formula})")
    assert len(long) <= 0.05 * count, "\n".join([f"{len(long)} of {count}", *long])


def test_few_cases_are_impossible() -> None:
    assert len(IMPOSSIBLE) < 0.04 * len(cases())


@pytest.mark.parametrize("case", mistakes().values(), ids=repr)
def test_mistakes_are_told_apart(case: Case) -> None:
    """A formula that looks right and is wrong has other numbers than the derivative."""
    if "complex-gradient" in case.expected:
        with pytest.raises(ic.ParseError, match="conj"):
            case.result("complex-gradient")
        return
    (layout,) = case.expected
    result = case.result(layout)
    arrays, claimed = case.numbers(0, layout)
    assert not agrees(evaluated(result, arrays, 0), claimed, 1e-4)
