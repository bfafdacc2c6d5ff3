"""`check` on the corpus: every formula is right in its layout, and the wrong ones are told apart, with the reason."""

from __future__ import annotations

import re
from typing import Any

import pytest
from corpus_case import LAYOUTS, Case, cases, given, mistakes
from test_corpus import IMPOSSIBLE

import indexcalc as ic

PAIRS = [(case, layout) for case in cases().values() if case.id not in IMPOSSIBLE for layout in case.expected]
NAMES = [f"{case.id}-{layout}" for case, layout in PAIRS]

WORDS = {r"\bone\[": "ones[", r"\beps\[": "ε["}
"""Names of constants in the corpus, and the library's."""
NO_TEXT = {
    "hat(": "the matrix of a cross product has no name here",
    "_sums(": "sums over bands have no name here",
    "reshape(": "reshape has no meaning without an order",
}
"""What the corpus's formulas have that the library's notation lacks: these formulas are checked by their numbers."""


def text_of(case: Case, layout: str) -> str:
    """The book's formula in the library's words; "" where it has none."""
    text: str = case.expected[layout]["formula"]
    if any(word in text for word in NO_TEXT):
        return ""
    for old, new in WORDS.items():
        text = re.sub(old, new, text)
    for name, function in case.row.get("functions", {}).items():
        if layout != "index" and function["spec"].partition("->")[2].strip() == "":
            text = _turned(text, f"D{name}")
    return text


def _turned(text: str, name: str) -> str:
    """The text with a transpose after each call of a function.

    In the books' formulas the derivative of a scalar function is in numerator layout, and here `Du(x)` is a gradient.
    """
    for place in reversed(list(re.finditer(rf"\b{name}\(", text))):
        depth, end = 1, place.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        text = f"{text[:end]}.T{text[end:]}"
    return text


def derivative(case: Case, layout: str) -> Any:
    """What the formula is about: the derivative, where the layout is one of its conventions."""
    return case.derivative() if layout in LAYOUTS else case.result(layout)


@pytest.mark.parametrize(("case", "layout"), PAIRS, ids=NAMES)
def test_every_formula_is_right(case: Case, layout: str) -> None:
    D = derivative(case, layout)
    text = text_of(case, layout)
    if text:
        report = ic.check(text, D, **declared(case, layout))
        assert report.right, str(report)
        name = LAYOUTS.get(layout, "jax")
        assert name == "jax" or name in report.layouts, str(report)


@pytest.mark.parametrize(("case", "layout"), PAIRS, ids=NAMES)
def test_every_formulas_numbers_are_right(case: Case, layout: str) -> None:
    D = derivative(case, layout)
    arrays, wanted = case.numbers(0, layout)
    report = ic.check(wanted, D, at=given(D, arrays, 0))
    assert report.right, str(report)
    name = LAYOUTS.get(layout, "jax")
    assert name == "jax" or name in report.layouts, str(report)


def declared(case: Case, layout: str) -> dict[str, Any]:
    """What occurs in a formula and not in the derivative."""
    found = dict(case.declarations)
    if layout == "vjp":
        found["Fbar"] = case._cotangent()
    return found


REASONS = {
    "errata-cookbook-92": ("right but for a transpose", "transpose", ""),
    "errata-cookbook-94": ("right but for a sum over the wrong index", "sum", "B_ is symmetric"),
    "errata-cookbook-127": ("right if A is symmetric", "", "A is symmetric"),
    "errata-symmetric-logdet": ("right but for the meaning of the structured derivative", "meaning", ""),
}
"""The verdict on each formula that looks right and is wrong, the fault and the condition."""


@pytest.mark.parametrize("case", [case for case in mistakes().values() if case.id in REASONS], ids=repr)
def test_mistakes_get_their_reason(case: Case) -> None:
    (layout,) = case.expected
    report = ic.check(case.expected[layout]["formula"], derivative(case, layout), **case.declarations)
    verdict, fault, condition = REASONS[case.id]
    assert not report
    assert report.verdict == verdict, str(report)
    assert not fault or report.faults == (fault,), str(report)
    assert report.condition == condition
    assert report.example is not None
    assert report.example.formula != report.example.derivative
    assert ic.check(report.repair, derivative(case, layout), **case.declarations).right


def test_a_mistake_that_cannot_be_read_says_why() -> None:
    (case,) = [case for case in mistakes().values() if case.id not in REASONS]
    x = ic.column("x", "n")
    with pytest.raises(ic.ParseError, match="conj"):
        ic.check(case.expected["complex-gradient"]["formula"], ic.grad(x.T @ x, x), a="", b="n")
