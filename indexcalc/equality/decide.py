"""One judge: is one node another, and how is that known, and where does it hold?

In this order: the canonical form of the difference; exact arithmetic modulo primes, which proves an equality, and a
difference where both sides are rational; numbers that have met every branch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log2
from typing import NamedTuple

from indexcalc.engine.bind.inputs import symbols_in
from indexcalc.equality.branches import APART, UNCLEAR, Side
from indexcalc.equality.degree import degrees, unknowns
from indexcalc.equality.modular import PRIMES, Residues, Undecided, has_exact_numbers, is_rational
from indexcalc.equality.points import several_sizes, sizes_of
from indexcalc.equality.survey import Comparison, Survey, SurveyPoint, region
from indexcalc.errors import IndexCalcError, counted
from indexcalc.functions.rational import ZeroDivisor
from indexcalc.graph.constructors import addition, is_zero
from indexcalc.graph.node import Node, Variable, topological
from indexcalc.index import size
from indexcalc.simplify.passes import simplify

EXACTLY = "exactly: the canonical forms are equal"
MOST_NODES = 3000
"""Larger graphs are not evaluated modulo primes, where every step is slower than in floats."""
MOST_ENTRIES = 4096
"""How many entries an array may have there."""
DIFFERENT = "exactly: they differ modulo primes, at larger sizes than those of random inputs, where they are equal"
"""What is said where small sizes hide a difference: a sum over the permutations of 4 indices is 0 in dimension 3."""
LARGEST = 7
"""The largest size that a symbol gets there: above the number of indices that a formula of this degree
antisymmetrises.
"""
ATTEMPTS = 12
"""Sets of sizes that are tried: an arbitrary budget."""
KEPT = 512
"""How many comparisons of forms are remembered: `check` asks for some again and again."""
SETS = 3
"""At how many sets of sizes: the first symbols larger than the last, smaller, and all alike."""


class Proof(NamedTuple):
    """An equality modulo primes: at which sizes, and how many bits the probability of an error has at most."""

    sizes: tuple[dict[str, int], ...]
    bits: int

    def __str__(self) -> str:
        primes = ", ".join(map(str, PRIMES))
        shown = "; ".join(", ".join(f"{name}={size}" for name, size in sorted(own.items())) for own in self.sizes)
        return f"exact, modulo p = {primes}: error below 2^-{self.bits}" + (f" at sizes {shown}" if shown else "")


@dataclass(frozen=True)
class Decision:
    """Is one node another? `exact` says that no rounding was involved, `how` says what was done.

    Where numbers decided, `where` has the sides on which the two agree, if not everywhere (all of one row at once),
    `missing` what was not met, and `differ` a point where they differ. `unknown` says that there was no point to
    compare them at.
    """

    equal: bool
    how: str
    exact: bool = False
    where: tuple[Side, ...] = ()
    missing: tuple[tuple[Side, ...], ...] = ()
    differ: SurveyPoint | None = None
    survey: Survey | None = None
    unknown: bool = False


def difference_form(one: Node, other: Node) -> Node:
    """The simplified difference."""
    axes = tuple(range(one.order))
    (gap,) = simplify([addition([(1, one, axes), (-1, other, axes)], one.dims)])
    return gap


def is_same_form(one: Node, other: Node) -> bool:
    """Is the difference of two nodes zero by its simplified form?"""
    if one is other or one.dims != other.dims:
        return one is other
    left, right = form(one), form(other)
    return left is right or _vanishes(left, right)


def form(node: Node) -> Node:
    """The simplified form, remembered on the node."""
    if "form" not in node.facts:
        (node.facts["form"],) = simplify([node])
    found: Node = node.facts["form"]
    return found


@lru_cache(maxsize=KEPT)
def _vanishes(one: Node, other: Node) -> bool:
    return is_zero(difference_form(one, other))


def decide(
    one: Node,
    other: Node,
    variables: Iterable[Variable] = (),
    domain: Sequence[Node] = (),
    *,
    survey: Callable[[], Survey] | None = None,
    partial: bool = False,
) -> Decision:
    """Whether two nodes with the same axes are equal, where `domain` exists.

    `survey` gives points for both, if there are some.

    The second one says what should be: where it alone exists they differ, unless `partial` says to compare them where
    both exist.

    >>> from indexcalc.graph.constructors import elementwise, variable
    >>> x = variable("x", ())
    >>> decide(elementwise("abs", [(x, ())], ()), x).equal
    False
    """
    if one is other:
        return Decision(True, EXACTLY, True)
    gap = difference_form(one, other)
    if is_zero(gap):
        return Decision(True, EXACTLY, True)
    proof = proved_zero(gap)
    if isinstance(proof, Proof):
        return Decision(True, str(proof), True)
    proof = proof or not has_exact_numbers([one, other])  # a gap of floats is rounding, though it may look exact
    made = survey() if survey else Survey([one, other], variables, domain)
    found = by_numbers(one, other, made, partial)
    if not proof and found.equal:
        return Decision(False, DIFFERENT, True, survey=made)
    return found


def proved_zero(gap: Node) -> Proof | bool:
    """A proof that a node is zero; False where it is rational and is not; True where that is not decided so."""
    order = topological([gap])
    if len(order) > MOST_NODES:
        return True
    rational = is_rational([gap])
    found: list[dict[str, int]] = []
    bits = 10**6
    for seed, sizes in enumerate(_sizes(gap, order)):
        try:
            value = Residues(sizes, seed).run([gap])[gap]
        except (ZeroDivisor, IndexCalcError, ZeroDivisionError):
            continue
        except Undecided:
            return True
        if value.any():
            return not rational
        bits = min(bits, _bits(gap, sizes, len(value)))
        found.append(sizes)
        if len(found) == SETS:
            break
    if not found or bits < 40:
        return True
    return Proof(tuple(found), bits)


def _bits(gap: Node, sizes: dict[str, int], points: int) -> int:
    """At how many bits the probability is that all the points are zeros of something that is not zero."""
    degree = max(1, max(degrees(gap, sizes)))
    chance = log2(degree) + 2 * log2(1 + unknowns(gap, sizes)) - log2(PRIMES[-1])
    return int(-points * chance)


def _sizes(gap: Node, order: Sequence[Node]) -> Iterator[dict[str, int]]:
    """Sizes to look at, the largest first: as large as the number of indices that a term antisymmetrises can be.

    That is half of all slots of its tensors and of the result, at most: a sum over the permutations of k indices is
    zero below dimension k alone.
    """
    symbols = symbols_in(order)
    if not symbols:
        yield {}
        return
    alike = (dict.fromkeys(symbols, k) for k in range(2, LARGEST + 1))
    least = next((sizes for sizes in alike if _fits(order, sizes)), None)  # `x[3:]` is of no size below 3
    top = 1
    if least is not None:
        degree = degrees(gap, least)[0]
        slots = degree * max((node.order for node in order if isinstance(node, Variable)), default=0) + gap.order
        top = min(max(degree + 1, slots // 2, 3, *least.values()), LARGEST)
    tried: list[dict[str, int]] = []
    for start in range(top, 1, -1):
        for pool in ([start, start - 1, start - 2 or 4], [start - 1, start, start + 1], [start]):
            sizes = sizes_of(symbols, pool)
            if sizes not in tried and _fits(order, sizes):
                tried.append(sizes)
    yield from tried[:ATTEMPTS]
    yield from (sizes for sizes in several_sizes([gap]) if sizes not in tried and _fits(order, sizes))


def _fits(order: Sequence[Node], sizes: dict[str, int]) -> bool:
    for node in order:
        total = 1
        for dim in node.dims:
            try:
                total *= size(dim, sizes)
            except IndexCalcError:
                return False
        if total > MOST_ENTRIES:
            return False
    return True


# ------------------------------------------------------------------ numbers


def by_numbers(one: Node, other: Node, survey: Survey, partial: bool = False) -> Decision:
    """What numbers decide, at the points of a survey."""
    found = survey.compared(one, other)
    how = described(survey, found)
    if not (found.agree or found.differ or (found.lone and not partial)):
        return Decision(False, how, survey=survey, unknown=True)
    bad = found.differ if partial else (*found.differ, *found.lone)
    outside = (*bad, *found.lone, *found.other) if partial else bad
    where = region(survey, found.agree, outside) if outside else ()
    if not bad:
        unmet = (side for row in found.missing if len(row) == 1 for side in row)
        where += tuple(Side(side.branch, _opposite(side)) for side in unmet)
    equal = not bad and not found.missing
    return Decision(equal, how, False, where, found.missing, bad[0] if bad else None, survey)


def _opposite(side: Side) -> int:
    if side.side == UNCLEAR:
        return APART
    return -side.side if side.branch.kind == "threshold" else 1 - side.side


def described(survey: Survey, found: Comparison) -> str:
    """What was done, in words."""
    count = len(found.agree) + len(found.differ) + len(found.lone)
    if not count:
        return "by numbers: at no point are both finite"
    sizes = len({tuple(panel.draw.sizes.items()) for panel in survey.panels})
    said = f"by numbers: {counted(count, 'random input')} in float64"
    return said + (f", at {sizes} sets of sizes" if sizes > 1 else "")
