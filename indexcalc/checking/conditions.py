"""Assumptions that would make a formula right: each word of the library, for each tensor that occurs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from indexcalc.checking.compare import Bench, is_same_form, near
from indexcalc.checking.mends import Mend
from indexcalc.engine.bind.declared import HOLDS, respecting
from indexcalc.equality.points import Point
from indexcalc.errors import IndexCalcError
from indexcalc.graph.constructors import variable as made_variable
from indexcalc.graph.edge import symmetry_of
from indexcalc.graph.node import NO_SYMMETRY, Node, Variable
from indexcalc.graph.walk import substitute, variables
from indexcalc.views.declare import tensor

WORDS = ("symmetric", "positive", "stochastic", "orthogonal", "skew")
"""The weaker assumptions, which are tried first; then all others."""
STRONGER = tuple(word for word in HOLDS if word not in WORDS)
SQUARE = {"stochastic": False, "positive": False}
"""Assumptions that tensors of any shape may have; the others are for square matrices, but symmetric for any order."""


class Condition(NamedTuple):
    """An assumption under which a formula is right, and whether its canonical form says so."""

    text: str
    mend: Mend
    exact: bool


def condition_of(bench: Bench, mends: Sequence[Mend]) -> Condition | None:
    """The first assumption under which one of these formulas is the derivative."""
    for mend in mends:
        occurring = variables([mend.node, mend.target.node])
        for choice in _choices(occurring):
            if _holds(bench, mend, choice):
                nodes = substitute([mend.node, mend.target.node], dict(choice))
                return Condition(_text(choice), mend, is_same_form(*nodes))
    return None


Choice = list[tuple[Node, Node]]


def _choices(occurring: Sequence[Variable]) -> Iterator[Choice]:
    """Tensors and what they become: one of them with one more assumption; then all that can be symmetric."""
    symmetric = []
    for words in (WORDS, STRONGER):
        for word in words:
            for variable in occurring:
                made = _with(variable, word)
                if made is not None:
                    yield [(variable, made)]
                    if word == "symmetric":
                        symmetric.append((variable, made))
        if len(symmetric) > 1 and words is WORDS:
            yield list(symmetric)


def _with(variable: Variable, word: str) -> Variable | None:
    """The tensor with one more assumption, if it can have it and has it not."""
    if word in variable.assumptions or not variable.order:
        return None
    most = variable.order if word == "symmetric" else 2
    if SQUARE.get(word, True) and (not 2 <= variable.order <= most or len(set(variable.dims)) > 1):
        return None
    if word != "symmetric" and variable.order != 2 and symmetry_of(variable) != NO_SYMMETRY:
        return None
    try:
        alone = tensor(variable.label, *variable.dims, **{word: True}).node  # type: ignore[arg-type]
    except IndexCalcError:
        return None
    rule = symmetry_of(alone) if symmetry_of(alone) != NO_SYMMETRY else symmetry_of(variable)
    return made_variable(variable.label, variable.dims, variable.assumptions | {word}, rule, variable.latex)


def _holds(bench: Bench, mend: Mend, choice: Choice) -> bool:
    """Are the numbers equal where the assumption holds, and not all zero?"""
    nonzero = False
    for point in bench.points:
        here: Point = point
        for variable, made in choice:
            assert isinstance(variable, Variable)
            here = here.moved(variable, respecting(made, point.arrays[variable]))
        try:
            own, wanted = here.values([mend.node, mend.target.node])
        except IndexCalcError:
            return False
        if not (np.isfinite(own).all() and near(own, wanted)):
            return False
        nonzero |= bool(np.max(np.abs(wanted), initial=0.0) > 1e-6)
    return nonzero


def _text(choice: Choice) -> str:
    said = []
    for variable, made in choice:
        assert isinstance(variable, Variable) and isinstance(made, Variable)
        (word,) = made.assumptions - variable.assumptions
        said.append(_said(made, word))
    return " and ".join(said)


def _said(made: Variable, word: str) -> str:
    if word == "stochastic":
        return f"sum({made.label}) = 1" if made.order == 1 else f"the last axis of {made.label} sums to 1"
    return f"{made.label} is {word.replace('_', ' ')}"
