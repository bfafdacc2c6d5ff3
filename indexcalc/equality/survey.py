"""Points that have met every branch of some formulas, and what numbers at them say about any two of these.

Points are drawn at several sizes. Where a side of a branch, or a pair of sides, was not met, it is searched for; what
intervals show to be impossible is not asked for. What is then compared is compared entry by entry: relative to the
values there, with a floor from rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations, islice, product
from typing import Any, NamedTuple

import numpy as np

from indexcalc.equality.arithmetic import Array
from indexcalc.equality.branches import ABOVE, BELOW, UNCLEAR, Branch, Side, branches_of, gap_of, never_together
from indexcalc.equality.points import Draw, Point, drawn, several_sizes
from indexcalc.equality.reals import COPIES, Reals
from indexcalc.equality.search import between, reached
from indexcalc.errors import IndexCalcError
from indexcalc.functions.table import elementwise_row
from indexcalc.graph.node import Elementwise, Matrix, Node, Reduction, Variable, topological
from indexcalc.graph.walk import variables as variables_of
from indexcalc.index import size

PANELS, POINTS = 3, 28
"""At how many sets of sizes, and how many points at each are drawn before any search."""
RELATIVE = 1e-12
"""The relative error of a function's own numerics, beyond the rounding that is measured."""
ROUGH = 1e-8
"""The same where series, iterations or eigenvalues are behind it: special functions, functions of matrices."""
TELLING = 1e-4
"""A point says something where rounding is a smaller part of the values than this."""
MOST_PAIRS = 40
"""How many pairs of branches are brought into every combination; the search for one takes some 20 evaluations."""
MOST_ENTRIES = 1 << 21


@dataclass
class Panel:
    """Points of the same sizes, the arithmetic at them, and the sides that they lie on, a row for each branch."""

    draw: Draw
    branches: Sequence[Branch]
    at: Reals = field(init=False)

    def __post_init__(self) -> None:
        self.at = Reals(self.draw.arrays, self.draw.sizes)

    @cached_property
    def sides(self) -> list[Array]:
        """For each branch the side of each entry at each point."""
        return [branch.seen(self.at) for branch in self.branches]

    @cached_property
    def clear(self) -> Array:
        """The points at which no branch is so near to its threshold that rounding decides."""
        found = np.ones(self.at.points, bool)
        for side in self.sides:
            unclear = (side == UNCLEAR).any(axis=1)
            if not unclear.all():
                found &= ~unclear
        return found

    def finite(self, node: Node) -> Array:
        """The points at which all entries of a node are numbers."""
        value = self.at.base(node)
        return np.asarray(np.isfinite(value.reshape(len(value), -1)).all(axis=1))


class Place(NamedTuple):
    """A point of a survey."""

    panel: int
    point: int


@dataclass(frozen=True)
class Comparison:
    """What numbers say about two nodes: points where they agree, where they differ, where one alone exists.

    `missing` are sides, and pairs of sides, on which they were not compared; `lone` has the points where the second
    exists and the first does not, `other` those where it is the other way round.
    """

    agree: tuple[Place, ...]
    differ: tuple[Place, ...]
    lone: tuple[Place, ...]
    other: tuple[Place, ...]
    missing: tuple[tuple[Side, ...], ...]


class Survey:
    """Points for these nodes: every side of every branch in them, as far as it can be reached.

    `domain` are nodes outside whose domain nothing is judged: what a derivative was derived of.
    """

    def __init__(
        self, roots: Sequence[Node], variables: Iterable[Variable] = (), domain: Sequence[Node] = (), seed: int = 0
    ) -> None:
        self.roots, self.domain = list(roots), list(domain)
        found = {*variables, *variables_of([*roots, *domain])}
        self.variables = sorted(found, key=lambda v: (v.label, v.digest))
        self.branches = branches_of(self.roots)
        self.rng = np.random.default_rng(seed)
        self.seed = seed
        self.panels = list(islice(self._drawn(), PANELS))
        self.together = 0
        if self.branches and self.panels:
            self._meet()

    # -------------------------------------------------------------- points

    def _drawn(self) -> Iterator[Panel]:
        """Random points at several sizes, those at which all nodes are numbers somewhere."""
        order = topological([*self.roots, *self.domain])
        count = POINTS if len(order) < 2000 else 6
        for sizes in several_sizes(self.roots, self.variables):
            panel = Panel(drawn(self.variables, sizes, self._count(order, count, sizes), self.rng), self.branches)
            try:
                if panel.at.run([*self.roots, *self.domain]) and self._useful(panel):
                    yield panel
            except IndexCalcError:
                continue

    def _count(self, order: Sequence[Node], count: int, sizes: dict[str, int]) -> int:
        largest = max((int(np.prod([size(d, sizes) for d in node.dims], dtype=object)) for node in order), default=1)
        return max(4, min(count, MOST_ENTRIES // (largest * COPIES)))

    def _useful(self, panel: Panel) -> bool:
        return any(panel.finite(root).any() for root in self.roots)

    def _meet(self) -> None:
        """Points on the sides, and on the pairs of sides, that no point has met."""
        self._meet_sides("sign", "place")
        self._near()
        signs = [b for b in self.branches if b.kind == "sign" and not b.optional]
        for one, other in islice(combinations(signs, 2), MOST_PAIRS):
            for sides in product((-1, 1), repeat=2):
                pair = [Side(one, sides[0]), Side(other, sides[1])]
                if not self._met(pair) and all(self._met([side]) for side in pair) and not never_together(*pair):
                    self._search(pair)
        self._meet_sides("true", "same")

    def _meet_sides(self, *kinds: str) -> None:
        for branch, side in self._wanted():
            if branch.kind in kinds and not self._met([Side(branch, side)]):
                self._search([Side(branch, side)])

    def _wanted(self) -> Iterator[tuple[Branch, int]]:
        for branch in self.branches:
            for side in branch.sides(self._length(branch) if branch.kind == "place" else 2):
                if not branch.impossible(side):
                    yield branch, side

    def _length(self, branch: Branch) -> int:
        """How many places there are along the axes of a branch, at the first sizes."""
        shape = self.panels[0].at.base(branch.gap).shape[1:]
        return int(np.prod([shape[a] for a in branch.axes], dtype=int))

    def _met(self, sides: Sequence[Side]) -> bool:
        return any(self._on(panel, sides).any() for panel in self.panels)

    def _on(self, panel: Panel, sides: Sequence[Side]) -> Array:
        """The points of a panel with an entry on each of these sides: the same one, where they have the same."""
        rows = [panel.sides[self.branches.index(side.branch)] == side.side for side in sides]
        if len({row.shape[1] for row in rows}) == 1:
            return np.asarray(np.logical_and.reduce(rows).any(axis=1) & panel.clear)
        return np.asarray(np.logical_and.reduce([row.any(axis=1) for row in rows]) & panel.clear)

    def _search(self, sides: Sequence[Side]) -> None:
        """Further points on these sides, at the first sizes that have some."""
        moving = variables_of([side.branch.gap for side in sides])
        for k, panel in enumerate(self.panels[:2]):
            found = reached(gap_of(sides), self.variables, moving, panel.draw, self.seed + k)
            if found is not None:
                self._add(k, found)
                return

    def _near(self) -> None:
        """Points near the threshold of each sign, on both sides."""
        for b, branch in enumerate(self.branches):
            if branch.kind != "sign" or branch.optional:
                continue
            for k, panel in enumerate(self.panels[:1]):
                side = panel.sides[b]
                entry = next((e for e in range(side.shape[1]) if {-1, 1} <= set(side[:, e].tolist())), None)
                if entry is None:
                    continue
                below, above = (int(np.flatnonzero(side[:, entry] == sign)[0]) for sign in (-1, 1))

                def gap(at: Reals, node: Node = branch.gap, e: int = entry) -> Array:
                    value = at.base(node)
                    return np.real(value.reshape(len(value), -1)[:, e])

                found = between(gap, panel.draw.kept([below]), panel.draw.kept([above]))
                if found is not None:
                    self._add(k, found)

    def _add(self, k: int, draw: Draw) -> None:
        self.panels[k] = Panel(self.panels[k].draw.joined([draw]), self.branches)

    # -------------------------------------------------------------- numbers

    def values(self, node: Node) -> list[Array]:
        """The values at the points of each panel."""
        return [panel.at.base(node) for panel in self.panels]

    def point(self, place: Place) -> Point:
        """The point at a place."""
        return self.panels[place.panel].draw.point(place.point)

    def judged(self) -> list[Array]:
        """For each panel the points inside the domain, clear of every threshold."""
        found = []
        for panel in self.panels:
            inside = panel.clear.copy()
            for node in self.domain:
                inside &= panel.finite(node)
            found.append(inside)
        return found

    def compared(self, one: Node, other: Node) -> Comparison:
        """What the numbers say about two nodes with the same axes."""
        limit = relative_error([one, other])
        rows: dict[str, list[Place]] = {"agree": [], "differ": [], "lone": [], "other": [], "vague": []}
        somewhere = [bool(panel.finite(one).any()) for panel in self.panels]
        for k, (panel, inside) in enumerate(zip(self.panels, self.judged(), strict=True)):
            if (
                any(somewhere) and not somewhere[k]
            ):  # a formula with inv(X.T @ X) is about X with more rows than columns
                continue
            found = status(panel, one, other, limit)
            for name, which in found.items():
                rows[name] += [Place(k, int(p)) for p in np.flatnonzero(which & inside)]
        agree = rows["agree"] or rows["vague"]
        missing = tuple(self._missing(one, other, agree))
        return Comparison(tuple(agree), tuple(rows["differ"]), tuple(rows["lone"]), tuple(rows["other"]), missing)

    def _missing(self, one: Node, other: Node, agree: Sequence[Place]) -> Iterator[tuple[Side, ...]]:
        """The sides, and pairs of sides, on which nothing was compared, though there the nodes may exist."""
        if not self.panels or not self.branches:
            return
        own = [np.zeros(panel.at.points, bool) for panel in self.panels]
        for place in agree:
            own[place.panel][place.point] = True

        def met(sides: Sequence[Side]) -> bool:
            return any((self._on(panel, sides) & ok).any() for panel, ok in zip(self.panels, own, strict=True))

        missed = set()
        for branch, number in self._wanted():
            side = Side(branch, number)
            if not met([side]) and not self._outside([side], one, other):
                missed.add(side)
                if not branch.optional:
                    yield (side,)
        signs = [b for b in self.branches if b.kind == "sign" and not b.optional]
        for first, second in islice(combinations(signs, 2), MOST_PAIRS):
            for sides in product((-1, 1), repeat=2):
                pair = (Side(first, sides[0]), Side(second, sides[1]))
                if missed & set(pair) or not all(self._met([s]) for s in pair):
                    continue
                if not met(pair) and self._met(pair) and not self._outside(pair, one, other):
                    yield pair

    def _outside(self, sides: Sequence[Side], one: Node, other: Node) -> bool:
        """Were these sides met where nothing is to be compared: where what is derived, or either node, has no value?"""
        seen = False
        for panel in self.panels:
            on = self._on(panel, sides) & ~panel.at.extreme
            if not on.any():
                continue
            seen = True
            exists = np.ones_like(on)
            for node in self.domain or (one, other):
                exists &= panel.finite(node)
            if (on & exists).any():
                return False
        return seen


def status(panel: Panel, one: Node, other: Node, limit: float) -> dict[str, Array]:
    """Where two nodes agree, tellingly or vaguely, differ, and exist alone, at the points of a panel."""
    a, b = panel.at.base(one), panel.at.base(other)
    noise = panel.at.rounding(one) + panel.at.rounding(other)
    extreme = panel.at.extreme
    a, b, noise = (np.asarray(v).reshape(panel.at.points, -1) for v in (a, b, noise))
    own, wanted = np.isfinite(a), np.isfinite(b)
    with np.errstate(all="ignore"):
        both = own & wanted & np.isfinite(noise)
        scale = np.maximum(np.abs(a), np.abs(b))
        differs = both & (np.abs(a - b) > noise + limit * scale)
        vague = both & (noise > TELLING * scale)
    whole = both.all(axis=1) & ~differs.any(axis=1)
    return {
        "agree": whole & ~vague.any(axis=1),
        "vague": whole & vague.any(axis=1),
        "differ": differs.any(axis=1) & ~extreme,
        "lone": (wanted & ~own).any(axis=1) & ~extreme,
        "other": (own & ~wanted).any(axis=1) & ~extreme,
    }


def relative_error(roots: Iterable[Node]) -> float:
    """What the numerics of the functions in a graph may be wrong by."""
    for node in topological(roots):
        if isinstance(node, Matrix | Reduction) and _is_rough(node):
            return ROUGH
        if (
            isinstance(node, Elementwise)
            and not elementwise_row(node.fn).holomorphic
            and not elementwise_row(node.fn).kink
        ):
            return ROUGH
    return RELATIVE


def _is_rough(node: Any) -> bool:
    return isinstance(node, Matrix) or node.fn in ("polar", "pinv_t", "norm_nuc", "cofactor")


# ------------------------------------------------------------------ where

FEWEST = 3
"""A side on which fewer points agree is no region."""
MOST_SIDES = 12


def region(survey: Survey, agree: Sequence[Place], differ: Sequence[Place]) -> tuple[Side, ...]:
    """Sides such that all points that lie on them, with all entries, agree, and all others differ as far as can be.

    There may be none.
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


def _pure(survey: Survey, side: Side) -> list[Array]:
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
