"""Points that have met every branch of some formulas, and what numbers at them say about any two of these.

Points are drawn at several sizes. Where a side of a branch, or a pair of sides, was not met, it is searched for; what
intervals show to be impossible is not asked for. What is then compared is compared entry by entry: relative to the
values there, with a floor from rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations, islice, product
from typing import NamedTuple

import numpy as np

from indexcalc.equality.arithmetic import Array
from indexcalc.equality.branches import (
    ABOVE,
    BELOW,
    UNCLEAR,
    WINNER,
    Branch,
    Side,
    branches_of,
    gap_of,
    never_together,
    together,
)
from indexcalc.equality.points import Draw, Point, drawn, several_sizes
from indexcalc.equality.reals import COPIES, Reals
from indexcalc.equality.search import DRAWN, MANY, between, reached
from indexcalc.errors import IndexCalcError
from indexcalc.functions.table import elementwise_row, reduction_row
from indexcalc.graph.node import Call, Elementwise, Matrix, Node, Reduction, Variable, topological
from indexcalc.graph.walk import variables as variables_of
from indexcalc.index import size
from indexcalc.progress import tell

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
MOST_GUARDS, MOST_SEARCHES = 4, 80
"""How many conditions of the whole are looked at, and how many sides and combinations are searched for in all."""
MOST_ENTRIES = 1 << 21
"""How many numbers one node may have at all points."""


@dataclass
class Panel:
    """Points of the same sizes, the arithmetic at them, and the sides that they lie on, a row for each branch.

    The first points were `drawn`, the others searched for.
    """

    draw: Draw
    branches: Sequence[Branch]
    drawn: int
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
        return self.clear_of(self.branches)

    def clear_of(self, branches: Iterable[Branch]) -> Array:
        """The points at which none of these branches is."""
        wanted = set(branches)
        found = np.ones(self.at.points, bool)
        for branch, side in zip(self.branches, self.sides, strict=True):
            unclear = (side == UNCLEAR).any(axis=1)
            if branch in wanted and not unclear.all():
                found &= ~unclear
        return found

    @cached_property
    def largest(self) -> Array:
        """The largest entry of all inputs at each point."""
        sizes = [np.abs(a).reshape(len(a), -1).max(axis=1, initial=0) for a in self.draw.arrays.values()]
        return np.asarray(np.maximum.reduce([np.zeros(self.at.points), *sizes]))

    def steady(self, node: Node) -> Array:
        """The points at which rounding does not decide what a node is (the inverse of a singular matrix, say)."""
        value, noise = (a.reshape(self.at.points, -1) for a in (self.at.base(node), self.at.rounding(node)))
        with np.errstate(all="ignore"):
            allowed = np.maximum(TELLING * np.abs(value).max(axis=1, initial=0), UNSTEADY * self.largest)
            return np.asarray(noise.max(axis=1, initial=0) <= allowed)

    def finite(self, node: Node) -> Array:
        """The points at which all entries of a node are numbers."""
        value = self.at.base(node)
        return np.asarray(np.isfinite(value.reshape(len(value), -1)).all(axis=1))


class SurveyPoint(NamedTuple):
    """A point of a survey."""

    panel: int
    point: int


@dataclass(frozen=True)
class Comparison:
    """What numbers say about two nodes: points where they agree, where they differ, where one alone exists.

    `missing` are sides, and pairs of sides, on which they were not compared; `lone` has the points where the second
    exists and the first does not, `other` those where it is the other way round.
    """

    agree: tuple[SurveyPoint, ...]
    differ: tuple[SurveyPoint, ...]
    lone: tuple[SurveyPoint, ...]
    other: tuple[SurveyPoint, ...]
    missing: tuple[tuple[Side, ...], ...]


class Survey:
    """Points for these nodes: every side of every branch in them, as far as it can be reached.

    `domain` are nodes outside whose domain nothing is judged: what a derivative was derived of. Without `meeting`
    points are only drawn.
    """

    def __init__(
        self,
        roots: Sequence[Node],
        variables: Iterable[Variable] = (),
        domain: Sequence[Node] = (),
        seed: int = 0,
        *,
        meeting: bool = True,
    ) -> None:
        self.roots, self.domain = list(roots), list(domain)
        found = {*variables, *variables_of([*roots, *domain])}
        self.variables = sorted(found, key=lambda v: (v.label, v.digest))
        self.branches = branches_of(self.roots)
        self.rng = np.random.default_rng(seed)
        self.seed, self.searches = seed, MOST_SEARCHES
        self.panels = list(islice(self._drawn(), PANELS))
        if meeting and self.branches and self.panels:
            self._meet()

    # -------------------------------------------------------------- points

    def _drawn(self) -> Iterator[Panel]:
        """Random points at several sizes, those at which all nodes are numbers somewhere."""
        order = topological([*self.roots, *self.domain])
        count = POINTS if len(order) < 2000 else 6
        for sizes in several_sizes(self.roots, self.variables):
            draw = drawn(self.variables, sizes, self._count(order, count, sizes), self.rng)
            panel = Panel(draw, self.branches, len(draw))
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
        self._meet_sides("threshold", "place", "order")
        self._near()
        signs = [b for b in self.branches if b.kind == "threshold" and not b.optional]
        for one, other in islice(combinations(signs, 2), MOST_PAIRS):
            for sides in product((-1, 1), repeat=2):
                pair = [Side(one, sides[0]), Side(other, sides[1])]
                if not self._met(pair) and all(self._met([side]) for side in pair) and not never_together(*pair):
                    self._search(pair)
        self._meet_places()
        self._meet_sides("true", "same")
        self._guarded(signs)

    def _meet_sides(self, *kinds: str) -> None:
        for branch, side in self._wanted():
            if branch.kind in kinds and not self._met([Side(branch, side)]):
                self._search([Side(branch, side)])

    def _wanted(self) -> Iterator[tuple[Branch, int]]:
        for branch in self.branches:
            for side in branch.sides(self._length(branch) if branch.placed else 2):
                if not branch.impossible(side):
                    yield branch, side

    def _length(self, branch: Branch) -> int:
        """How many places there are along the axes of a branch, at the first sizes."""
        shape = self.panels[0].at.base(branch.gap).shape[1:]
        return int(np.prod([shape[a] for a in branch.axes], dtype=int))

    def _met(self, sides: Sequence[Side]) -> bool:
        return any((self._on(panel, sides) & panel.clear).any() for panel in self.panels)

    def _on(self, panel: Panel, sides: Sequence[Side]) -> Array:
        """The points of a panel with an entry on each of these sides: the same one, where they have the same."""
        rows = [_row(panel.sides[self.branches.index(side.branch)], side.side) for side in sides]
        joined = [row.any(axis=1) for row in together(rows, np.logical_and)]
        return np.asarray(np.logical_and.reduce(joined))

    def _meet_places(self) -> None:
        """Of two maxima that range over as many places each pair of winners."""
        places = [b for b in self.branches if b.kind == "place"]
        for one, other in islice(combinations(places, 2), MOST_GUARDS):
            count = self._length(one)
            if count != self._length(other):
                continue
            for a, b in islice(product(range(count), repeat=2), MOST_PAIRS):
                pair = [Side(one, a), Side(other, b)]
                if not self._met(pair):
                    self._search(pair, MANY)

    def _guarded(self, signs: Sequence[Branch]) -> None:
        """Every side, and pair of sides, also where a condition of the whole holds, and where it does not.

        And at the entry that is a maximum: elsewhere nothing may be seen of it.
        """
        guards = [Side(b, side) for b in signs if not b.gap.order for side in b.sides()]
        guards += [Side(b, WINNER) for b in self.branches if b.kind == "place"]
        chosen = [[Side(b, side)] for b in signs for side in b.sides()]
        pairs = product(combinations(signs, 2), product((BELOW, ABOVE), repeat=2))
        chosen += [[Side(one, a), Side(two, b)] for (one, two), (a, b) in pairs]
        for guard in guards[:MOST_GUARDS]:
            for sides in chosen:
                if guard.branch in {s.branch for s in sides} or not self._met(sides):
                    continue
                if not self._met([*sides, guard]) and not any(never_together(guard, side) for side in sides):
                    self._search([*sides, guard])

    def _search(self, sides: Sequence[Side], count: int = DRAWN) -> None:
        """Further points on these sides, at the first sizes that have some; `count` are drawn at first."""
        if not self.searches:
            return
        self.searches -= 1
        tell(MOST_SEARCHES - self.searches, None, "searches for a side of a condition")
        gaps = [side.branch.gap for side in sides]
        for k, panel in enumerate(self.panels[:2]):
            many = self._count(topological(gaps), count, panel.draw.sizes)
            found = reached(gap_of(sides), self.variables, variables_of(gaps), panel.draw, self.seed + k, many)
            if found is not None:
                self._add(k, found)
                return

    def _near(self) -> None:
        """Points near the threshold of each sign, on both sides."""
        for b, branch in enumerate(self.branches):
            if branch.kind != "threshold" or branch.optional:
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
        panel = self.panels[k]
        self.panels[k] = Panel(panel.draw.joined([draw]), self.branches, panel.drawn)

    # -------------------------------------------------------------- numbers

    def point(self, place: SurveyPoint) -> Point:
        """The point at a place."""
        return self.panels[place.panel].draw.point(place.point)

    def judged(self) -> list[Array]:
        """For each panel the points inside the domain, clear of every threshold."""
        return [inside & panel.clear for panel, inside in zip(self.panels, self._inside(), strict=True)]

    def _inside(self) -> list[Array]:
        """For each panel the points inside the domain."""
        found = []
        for panel in self.panels:
            inside = np.ones(panel.at.points, bool)
            for node in self.domain:
                inside &= panel.finite(node) & panel.steady(node)
            found.append(inside)
        return found

    def compared(self, one: Node, other: Node) -> Comparison:
        """What the numbers say about two nodes with the same axes."""
        limit = relative_error([one, other])
        rows: dict[str, list[SurveyPoint]] = {
            name: [] for name in ("agree", "differ", "lone", "other", "vague", "tied", "torn")
        }
        somewhere = [bool(panel.finite(one).any()) for panel in self.panels]
        for k, (panel, inside) in enumerate(zip(self.panels, self._inside(), strict=True)):
            if any(somewhere) and not somewhere[k]:  # with inv(X.T @ X) it is about X with more rows than columns
                continue
            found = status(panel, one, other, limit)
            clear = panel.clear
            found |= {"tied": found["agree"] & ~clear, "torn": found["differ"] & ~clear}
            for name, which in found.items():
                of = inside if name in ("tied", "torn") else inside & clear
                rows[name] += [SurveyPoint(k, int(p)) for p in np.flatnonzero(which & of)]
        agree = rows["agree"] or rows["vague"]
        if agree and not rows["torn"]:  # where a tie does not matter to the values
            agree = agree + rows["tied"]
        missing = (*self._missing(one, other, agree), *self._ties(one, other), *self._ties(other, one))
        return Comparison(tuple(agree), tuple(rows["differ"]), tuple(rows["lone"]), tuple(rows["other"]), missing)

    def _missing(self, one: Node, other: Node, agree: Sequence[SurveyPoint]) -> Iterator[tuple[Side, ...]]:
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
        signs = [b for b in self.branches if b.kind == "threshold" and not b.optional]
        for first, second in islice(combinations(signs, 2), MOST_PAIRS):
            for sides in product((-1, 1), repeat=2):
                pair = (Side(first, sides[0]), Side(second, sides[1]))
                if missed & set(pair) or not all(self._met([s]) for s in pair):
                    continue
                if not met(pair) and self._met(pair) and not self._outside(pair, one, other):
                    yield pair

    def _ties(self, one: Node, other: Node) -> Iterator[tuple[Side, ...]]:
        """The branches at which rounding decides what one node is, at several drawn points where the other is clear."""
        own, wanted = set(branches_of([one])), branches_of([other])
        hazy = {branch: 0 for branch in self.branches if branch in own - set(wanted)}
        for panel in self.panels if hazy else ():
            clear = panel.clear_of(wanted) & panel.finite(other) & ~panel.at.extreme
            for node in self.domain:
                clear &= panel.finite(node)
            for branch, side in zip(self.branches, panel.sides, strict=True):
                if branch in hazy:
                    hazy[branch] += int((clear & (side == UNCLEAR).any(axis=1))[: panel.drawn].sum())
        yield from ((Side(branch, UNCLEAR),) for branch, count in hazy.items() if count >= FEWEST)

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


def _row(seen: Array, side: int) -> Array:
    """Which entries lie on a side, at each point."""
    if side != WINNER:
        return np.asarray(seen == side)
    count = int(seen.max(initial=0)) + 1 if (seen < UNCLEAR).all() else 1
    return np.asarray(np.arange(max(count, 1)) == seen) if seen.shape[1] == 1 else np.zeros((len(seen), 1), bool)


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
        if is_algebraic([one, other]):  # what cancels at random inputs cancels
            vague &= noise > CANCELLED * panel.largest[:, None]
    whole = both.all(axis=1) & ~differs.any(axis=1)
    return {
        "agree": whole & ~vague.any(axis=1),
        "vague": whole & vague.any(axis=1),
        "differ": differs.any(axis=1) & ~extreme & panel.steady(one) & panel.steady(other),
        "lone": (wanted & ~own).any(axis=1) & ~extreme,
        "other": (own & ~wanted).any(axis=1) & ~extreme,
    }


def is_algebraic(roots: Iterable[Node]) -> bool:
    """Are these made of sums, products, powers, choices, and algebraic functions of matrices alone?

    What cancels in them at random inputs does so on an open set, while 1 - tanh(x)**2 only seems to.
    """
    for node in topological(roots):
        if isinstance(node, Matrix | Call) or (
            isinstance(node, Elementwise) and not elementwise_row(node.fn).unrounded
        ):
            return False
        if isinstance(node, Reduction) and not reduction_row(node.fn).algebraic:
            return False
    return True


UNSTEADY = 1e-6
"""Relative to the inputs: a value that rounding changes by more, and by a telling part, is none."""
CANCELLED = 1e-9
"""Relative to the inputs: rounding beyond this is no cancellation of sums."""


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


def _is_rough(node: Matrix | Reduction) -> bool:
    return isinstance(node, Matrix) or reduction_row(node.fn).iterated


# ------------------------------------------------------------------ where

FEWEST = 3
"""A side on which fewer points agree is no region."""
MOST_SIDES = 12
"""Sides that are joined to one region: their pairs are looked at, so the budget is small."""


def region(survey: Survey, agree: Sequence[SurveyPoint], differ: Sequence[SurveyPoint]) -> tuple[Side, ...]:
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
    return () if kind in ("place", "order") else (BELOW, ABOVE) if kind == "threshold" else (0, 1)


def _pure(survey: Survey, side: Side) -> list[Array]:
    """For each panel the points of which all entries lie on a side."""
    k = survey.branches.index(side.branch)
    return [(panel.sides[k] == side.side).all(axis=1) for panel in survey.panels]
