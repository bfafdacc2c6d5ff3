"""Assumptions that would make a formula right.

Each word of the library, for each tensor that occurs, as few and as weak as will do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, islice
from typing import NamedTuple

import numpy as np

from indexcalc.checking.compare import Bench
from indexcalc.checking.mends import Mend
from indexcalc.engine.bind.declared import HOLDS
from indexcalc.equality.decide import Decision, decide
from indexcalc.equality.points import Shape
from indexcalc.equality.reals import Reals
from indexcalc.equality.survey import Survey
from indexcalc.errors import IndexCalcError
from indexcalc.graph.constructors import variable as made_variable
from indexcalc.graph.edge import symmetry_of
from indexcalc.graph.node import NO_SYMMETRY, Variable
from indexcalc.graph.walk import substitute, variables
from indexcalc.views.declare import tensor

WORDS = ("symmetric", "positive", "stochastic", "orthogonal", "skew")
"""The weaker assumptions, which are tried first; then all others."""
STRONGER = tuple(word for word in HOLDS if word not in WORDS)
SQUARE = {"stochastic": False, "positive": False}
"""Assumptions that tensors of any shape may have; the others are for square matrices, but symmetric for any order."""
WEAKER = {
    "diagonal": {"symmetric", "lower", "upper"},
    "positive_definite": {"symmetric"},
    "circulant": {"toeplitz"},
}
"""What each assumption has in it."""
MOST_TOGETHER, MOST_CHOICES = 3, 400
"""How many assumptions are made at once, and how many choices are looked at."""
MOST_DECIDED = 4
"""How many choices are decided, where drawn numbers do not tell."""
LOOKED_AT = 14
"""At how many points, of each set of sizes, a choice is looked at before it is decided."""
CLOSE = 1e-7
"""The relative error up to which a few numbers say that an assumption is worth a proof."""


class Condition(NamedTuple):
    """An assumption under which a formula is right, and how that was decided."""

    text: str
    mend: Mend
    decision: Decision


Choice = tuple[tuple[Variable, Variable], ...]


def condition_of(bench: Bench, mends: Sequence[Mend]) -> Condition | None:
    """The fewest and weakest assumptions under which one of these formulas is the derivative.

    Of several such sets all.
    """
    left = MOST_DECIDED
    for mend in mends:
        occurring = variables([mend.node, mend.target.node])
        for choices in _choices(occurring):
            found: list[tuple[Choice, Decision]] = []
            for choice in islice(choices, MOST_CHOICES):
                if not left or any(_implies(choice, other) for other, _ in found):
                    continue
                decision = _holds(bench, mend, choice)
                if decision is not None and decision.equal:
                    found.append((choice, decision))
                left -= decision is not None
            if found:
                kept = [c for c, _ in found if not any(c != other and _implies(c, other) for other, _ in found)]
                return Condition(" or ".join(dict.fromkeys(map(_text, kept))), mend, found[0][1])
    return None


def _choices(occurring: Sequence[Variable]) -> Iterator[Iterator[Choice]]:
    """Tensors and what they become: one with one more assumption, the weaker ones first.

    Then several that are symmetric.
    """
    for words in (WORDS, STRONGER):
        yield iter([(pair,) for word in words for pair in _pairs(occurring, word)])
    symmetric = list(_pairs(occurring, "symmetric"))
    for count in range(2, MOST_TOGETHER + 1):
        yield combinations(symmetric, count)


def _pairs(occurring: Sequence[Variable], word: str) -> Iterator[tuple[Variable, Variable]]:
    for variable in occurring:
        made = _with(variable, word)
        if made is not None:
            yield variable, made


def _implies(one: Choice, other: Choice) -> bool:
    """Is all that one choice assumes contained in another's assumptions, or stronger?"""
    return all(
        any(
            old is mine and _word(old, new) in (_word(mine, made), *WEAKER.get(_word(mine, made), ()))
            for mine, made in one
        )
        for old, new in other
    )


def _word(old: Variable, new: Variable) -> str:
    (word,) = new.assumptions - old.assumptions
    return word


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


def _holds(bench: Bench, mend: Mend, choice: Choice) -> Decision | None:
    """Is the formula right where the assumption holds? None where drawn numbers say that it is not, or is zero."""
    if not _worth_it(bench, mend, choice):
        return None
    own, wanted = substitute([mend.node, mend.target.node], dict(choice))
    domain = substitute(list(bench.domain), dict(choice))
    drawn = Survey([own, wanted], (), domain, meeting=False).compared(own, wanted)
    if drawn.differ or drawn.lone:
        return None
    return decide(own, wanted, domain=domain)


def _worth_it(bench: Bench, mend: Mend, choice: Choice) -> bool:
    """Are numbers equal where the assumption holds, and not all zero?"""
    nonzero = False
    for panel in bench.survey.panels:
        which = np.unique(np.linspace(0, len(panel.draw) - 1, LOOKED_AT).astype(int))
        arrays = {v: a[which] for v, a in panel.draw.arrays.items()}
        try:
            for variable, made in choice:
                arrays[variable] = Shape(made, panel.draw.sizes).respecting(arrays[variable])
            at = Reals(arrays, panel.draw.sizes)
            own, wanted = at.base(mend.node), at.base(mend.target.node)
            noise = at.rounding(mend.node) + at.rounding(mend.target.node)
        except IndexCalcError:
            return False
        with np.errstate(all="ignore"):
            good = np.isfinite(wanted) & ~at.extreme.reshape(-1, *(1,) * (wanted.ndim - 1))
            allowed = noise + CLOSE * (np.abs(own) + np.abs(wanted))
            if (good & ~(np.abs(own - wanted) <= allowed) & ~np.isnan(allowed)).any() or (
                good & ~np.isfinite(own)
            ).any():
                return False
            nonzero |= bool((good & (np.abs(wanted) > noise)).any())
    return nonzero


def _text(choice: Choice) -> str:
    return " and ".join(_said(made, _word(old, made)) for old, made in choice)


def _said(made: Variable, word: str) -> str:
    if word == "stochastic":
        return f"sum({made.label}) = 1" if made.order == 1 else f"the last axis of {made.label} sums to 1"
    return f"{made.label} is {word.replace('_', ' ')}"
