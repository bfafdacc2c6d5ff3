"""Where two formulas agree: the sides of branches that keep the points where they agree from those where they differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np

from indexcalc.equality.branches import ABOVE, BELOW, Side
from indexcalc.equality.survey import Place, Survey
from indexcalc.graph.node import Node

FEWEST = 3
"""A side on which fewer points agree is no region."""
MOST_SIDES = 12


def region(survey: Survey, agree: Sequence[Place], differ: Sequence[Place]) -> tuple[Side, ...]:
    """Sides such that all points that lie on them, with all entries, agree, and all others differ as far as can be; empty
    where there are none.
    """
    sides = [Side(branch, side) for branch in survey.branches for side in _sides(survey, branch)]
    pure = {side: _pure(survey, side) for side in sides[:MOST_SIDES]}
    best: tuple[int, tuple[Side, ...]] | None = None
    for count in (1, 2):
        for choice in combinations(pure, count):
            if len({side.branch for side in choice}) < count:
                continue
            own = [np.logical_and.reduce([pure[side][k] for side in choice]) for k in range(len(survey.panels))]
            inside = sum(bool(own[place.panel][place.point]) for place in agree)
            if inside < FEWEST or any(own[place.panel][place.point] for place in differ):
                continue
            outside = len(agree) - inside
            if best is None or outside < best[0]:
                best = outside, choice
        if best is not None:
            return best[1]
    return ()


def _sides(survey: Survey, branch: object) -> tuple[int, ...]:
    kind = getattr(branch, "kind", "")
    return () if kind == "place" else (BELOW, ABOVE) if kind == "sign" else (0, 1)


def _pure(survey: Survey, side: Side) -> list[np.ndarray]:
    """For each panel the points of which all entries lie on a side."""
    k = survey.branches.index(side.branch)
    return [(panel.sides[k] == side.side).all(axis=1) for panel in survey.panels]


def said(sides: Sequence[Side], text: Callable[[Node], str]) -> str:
    """The sides in words, `x > 0 and abs(y) <= 1`; `text` writes a node."""
    return " and ".join(dict.fromkeys(_said(side, text) for side in sides))


def _said(side: Side, text: Callable[[Node], str]) -> str:
    branch = side.branch
    if branch.kind == "place":
        return f"place {side.side} of {text(branch.left)} is the largest"
    if branch.kind == "true":
        return f"{text(branch.left)} {'!=' if side.side else '=='} 0"
    below = side.side == (BELOW if branch.kind == "sign" else 0)
    return f"{text(branch.left)} {branch.operators[0 if below else 1]} {text(branch.right)}"
