"""What would mend a whole formula: a transpose, the order of vec, its symmetric part, another meaning; and a factor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import permutations, product
from typing import Any, NamedTuple

from indexcalc.calculus.structure import MAPS
from indexcalc.checking.compare import ONE, Bench, Multiple
from indexcalc.checking.reading import Claim, Projected, fitted, index_target, namings, targets_of, turned
from indexcalc.equality.decide import is_same_form
from indexcalc.errors import IndexCalcError
from indexcalc.graph.constructors import addition, transpose
from indexcalc.graph.node import Node
from indexcalc.views.array import Array
from indexcalc.views.derivatives.derivative import ArrayDerivative, Derivative
from indexcalc.views.derivatives.differentiate import derivative, diff
from indexcalc.views.expr import Expr
from indexcalc.views.functions.arguments import opened
from indexcalc.views.view import View

MOST_GROUPINGS = 48
"""Orders of joined axes that are compared: all those of two groups of three axes, and more."""
FAULTS = {
    "sign": "a sign",
    "factor": "a factor",
    "transpose": "a transpose",
    "vec order": "the order of vec",
    "meaning": "the meaning of the structured derivative",
    "symmetric part": "a dropped symmetric part",
    "missing term": "a missing term",
    "extra term": "an extra term",
    "sum": "a sum over the wrong index",
    "product": "an entrywise product",
}
"""What may be wrong with a formula, by the name that `Report.faults` has, and in words."""


class Mend(NamedTuple):
    """A formula that was changed: what was wrong, what to do, and the changed formula, laid out as the target is.

    `target` is what it is compared with, `asked` what it should have been where that is another (the derivative of the
    meaning that was asked for, the layout with the right order of vec). `weak` says that an assumption that makes the
    formula right would be the better answer.
    """

    faults: tuple[str, ...]
    words: tuple[str, ...]
    claim: Claim
    target: Projected
    node: Node
    factor: Multiple = ONE
    meaning: str = ""
    asked: Projected | None = None
    weak: bool = False

    @property
    def weight(self) -> float:
        """How much is wrong: the number of faults, and a half where another explanation would be better."""
        compound = any(node.children for _, node, _ in self.factor.scalars)
        return len(self.faults) + (0.5 if self.weak or compound else 0)

    @property
    def wanted(self) -> Projected:
        """What the formula should have been."""
        return self.asked or self.target

    @property
    def exact(self) -> bool:
        """Is the changed formula the target, by its canonical form?"""
        return is_same_form(self.node, self.factor.times(self.target.node))

    def scaled(self, factor: Multiple) -> Mend:
        """The mend, where it gives `factor` times what is right."""
        self = self._replace(factor=factor)
        if factor == ONE:
            return self
        if factor == Multiple(Fraction(-1)):
            return self._replace(faults=(*self.faults, "sign"), words=(*self.words, "change the sign"))
        words = f"multiply by {factor.inverse}"
        return self._replace(faults=(*self.faults, "factor"), words=(*self.words, words))


def plain(claim: Claim, targets: Sequence[Projected]) -> Iterator[Mend]:
    """The formula as it is, against each target that has its shape."""
    for target in targets:
        if claim.names is not None:
            for naming in namings(claim, target):
                if naming.natural:
                    yield Mend((), (), claim, target, turned(claim, naming.order, target))
        else:
            node = fitted(claim, target)
            if node is not None:
                yield Mend((), (), claim, target, node)


def changed(claim: Claim, targets: Sequence[Projected], D: View) -> Iterator[Mend]:
    """The formula as a whole, changed: the ways that are tried, the likelier first."""
    yield from _of_other_meaning(claim, targets, D)
    yield from _transposed(claim, targets)
    if claim.names is None:
        yield from _in_vec_order(claim, targets, D)
    yield from _with_symmetric_part(claim, targets)


def _transposed(claim: Claim, targets: Sequence[Projected]) -> Iterator[Mend]:
    for target in targets:
        if claim.names is None and claim.node.order == 2:
            other = claim._replace(node=transpose(claim.node, (1, 0)))
            node = fitted(other, target)
            if node is not None:
                yield Mend(("transpose",), (_transpose_words(target),), claim, target, node)
        elif claim.names is not None or claim.node.order > 2:
            for naming in namings(claim, target):
                if not naming.natural:
                    yield Mend(
                        ("transpose",),
                        (_order_words(claim, target, naming.order),),
                        claim,
                        target,
                        turned(claim, naming.order, target),
                    )


def _transpose_words(target: Projected) -> str:
    return "transpose it" + (f", for {target.layouts[0]} layout" if target.layouts else "")


def _order_words(claim: Claim, target: Projected, order: Sequence[int]) -> str:
    if claim.names is None:
        return f"put its axes in the order {', '.join(map(str, order))}"
    names: Sequence[object] = target.names or tuple(range(len(order)))
    own = [claim.names[axis] for axis in order]
    moved = [f"{one} is {place}" for one, place in zip(own, names, strict=True) if one != place]
    return f"exchange indices: {', '.join(moved)}"


def _in_vec_order(claim: Claim, targets: Sequence[Projected], D: View) -> Iterator[Mend]:
    for target in targets:
        for other, words in groupings(target, D):
            node = fitted(claim, other)
            if node is not None:
                yield Mend(("vec order",), (words,), claim, other, node, asked=target)
            if claim.node.order == 2:
                node = fitted(claim._replace(node=transpose(claim.node, (1, 0))), other)
                if node is not None:
                    both = (_transpose_words(target), words)
                    yield Mend(("transpose", "vec order"), both, claim, other, node, asked=target)


def groupings(target: Projected, D: View) -> Iterator[tuple[Projected, str]]:
    """Layouts in which the axes that are joined run in another order, and what that would be corrected to."""
    groups = target.groups
    if len(groups) != 2 or all(len(group) < 2 for group in groups):
        return
    choices = product(*(permutations(group) for group in groups))
    for _, choice in zip(range(MOST_GROUPINGS), choices, strict=False):
        if choice != groups:
            laid = D.matrix(rows=choice[0], cols=choice[1], order="C")  # type: ignore[attr-defined]
            where = [name for name, a, b in zip(("rows", "columns"), choice, groups, strict=True) if a != b]
            words = f"run the {' and the '.join(where)} in the other order, for {target.layouts[0]} layout"
            yield target._replace(view=laid, node=opened(laid)), words


def _with_symmetric_part(claim: Claim, targets: Sequence[Projected]) -> Iterator[Mend]:
    for mend in plain(claim, targets):
        node = mend.node
        if node.order != 2 or node.dims[0] != node.dims[1]:
            continue
        for sign, words in ((1, "add its transpose"), (-1, "subtract its transpose")):
            total = addition([(1, node, (0, 1)), (sign, node, (1, 0))], node.dims)
            yield Mend(("symmetric part",), (words,), claim, mend.target, total)


# ------------------------------------------------------------------ structured variables


def _of_other_meaning(claim: Claim, targets: Sequence[Projected], D: View) -> Iterator[Mend]:
    how = getattr(D, "structure", "")
    for name, other in meanings(D):
        for mend in plain(claim, [index_target(other)] if claim.names is not None else targets_of(other)):
            asked = next((target for target in targets if set(mend.target.layouts) & set(target.layouts)), targets[0])
            words = f"this is the {name} derivative, and the one asked for is the {how} one"
            yield mend._replace(faults=("meaning",), words=(words,), meaning=name, asked=asked)


def meanings(D: View) -> Iterator[tuple[str, View]]:
    """The derivatives in its other meanings, by name, where it is one by a structured tensor."""
    if not isinstance(D, Derivative | ArrayDerivative) or not D.structure or D.source is None:
        return
    for name in MAPS:
        if name != D.structure:
            try:
                yield name, _derived(D, name)
            except IndexCalcError:
                continue


def _derived(D: Derivative | ArrayDerivative, structure: str) -> View:
    source, targets = D.source, D.targets
    if isinstance(D, Derivative):
        assert isinstance(source, Expr)
        return diff(source, *targets, structure=structure)
    assert isinstance(source, Array)
    if len(set(targets)) == 1:
        return derivative(source, targets[0], len(targets), structure=structure)
    made: Any = source
    for target in targets:
        made = derivative(made, target, structure=structure)
    return made  # type: ignore[no-any-return]


# ------------------------------------------------------------------ which of them it is


def best(bench: Bench, mends: Iterable[Mend]) -> Mend | None:
    """The mend with the fewest faults that makes the formula right, up to a factor; of those alike, the first."""
    found: Mend | None = None
    for mend in mends:
        if found is not None and mend.weight >= found.weight:
            continue
        factor = ONE if mend.node is mend.target.node else bench.multiple(mend.node, mend.target.node)
        scaled = None if factor is None else mend.scaled(factor)
        if scaled is not None and scaled.faults:  # a factor so near to 1 that it is taken for 1 mends nothing
            found = lightest(found, scaled)
    return found


def lightest(one: Mend | None, other: Mend | None) -> Mend | None:
    """The one with fewer faults; the first of two alike."""
    return min(filter(None, (one, other)), key=lambda mend: mend.weight, default=None)
