"""The formulas of `formulas.py` are read as what they mean, or refused where they mean two things; none is misread."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

import pytest
from formulas import FORMULAS, LATEX, MATLAB, PLAIN, Formula

import indexcalc as ic
from indexcalc.views.array import standing_as
from indexcalc.views.functions.abstract import AbstractFunction

WANTED = 0.97
"""The share of the formulas that must be read rightly, or refused rightly; of those that are misread there is none."""


def declared(given: str) -> dict[str, Any]:
    """What a row declares: `X n p; y n; lam`, a matrix, a column, a scalar; after `=` the LaTeX of the name."""
    found: dict[str, Any] = {}
    for line in filter(None, map(str.strip, given.split(";"))):
        words, _, latex = map(str.strip, line.partition(" = "))
        name, *sizes = words.split()
        if "->" in sizes:
            found[name] = ic.function(name, " ".join(sizes))
        else:
            make = ic.column if len(sizes) == 1 else ic.tensor
            found[name] = make(name, *sizes, latex=latex)
    return found


def meaning_of(row: Formula) -> Any:
    """What a row means, built in Python."""
    names = dict(zip("ijklmn", ic.indices("i j k l m n"), strict=True))
    space = {"ic": ic, "Fraction": Fraction, "size": lambda name: ic.ones(name).sum(), **names, **declared(row.given)}
    return eval(row.meaning, space)


def same(found: Any, wanted: Any) -> bool:
    """Is what was read what is meant? With the same axes, and the same names of them."""
    if isinstance(found, AbstractFunction):
        return False
    if isinstance(found, ic.Array) and isinstance(wanted, ic.Array) and wanted.order:
        wanted = standing_as(wanted, "column") if wanted.order == 1 and wanted.ndim == 1 else wanted
        if found.shape != wanted.shape:
            return False
    elif isinstance(found, ic.Expr) and isinstance(wanted, ic.Expr):
        if set(found.free) != set(wanted.free):
            return False
    elif found.order or wanted.order:
        return False
    else:
        found, wanted = (ic.Array(view.node, view.inputs) for view in (found, wanted))
    return bool(found == wanted) or bool(found.equals(wanted))


def judged(row: Formula) -> str:
    """`right`, `refused` (a row that has a meaning), `misread`, or `raw`: an error that is none of the library's."""
    options: dict[str, Any] = {"syntax": row.syntax} if row.syntax else {}
    try:
        found = ic.parse(row.text, vectors="column", **options, **declared(row.given))
    except ic.IndexCalcError:
        return "right" if row.meaning == "refuse" else "refused"
    except Exception:
        return "raw"
    return "right" if row.meaning != "refuse" and same(found, meaning_of(row)) else "misread"


def test_the_table_has_two_hundred_formulas() -> None:
    assert len(LATEX) >= 90
    assert len(MATLAB) >= 25
    assert len(PLAIN) >= 85
    assert len({(row.text, row.given, row.syntax) for row in FORMULAS}) == len(FORMULAS) >= 200


@pytest.mark.parametrize("row", [row for row in FORMULAS if row.meaning != "refuse"], ids=lambda row: row.text)
def test_a_meaning_is_what_it_says(row: Formula) -> None:
    assert isinstance(meaning_of(row), ic.Array | ic.Expr)


def test_formulas_are_read_as_they_are_meant() -> None:
    verdicts = {row: judged(row) for row in FORMULAS}
    counts = Counter(verdicts.values())
    wrong = [f"{verdict}: {row.text}" for row, verdict in verdicts.items() if verdict != "right"]
    said = f"{dict(counts)}\n" + "\n".join(wrong)
    assert not counts["misread"], said
    assert not counts["raw"], said
    assert counts["right"] >= WANTED * len(FORMULAS), said
