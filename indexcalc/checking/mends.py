"""What would mend a whole formula: a transpose, the order of vec, its symmetric part, another meaning; and a factor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import permutations, product
from typing import Any, NamedTuple

from indexcalc.calculus.structure import MAPS
from indexcalc.checking.compare import ONE, Bench, Factor
from indexcalc.checking.reading import Claim, Target, fitted, namings, targets_of, turned
from indexcalc.errors import IndexCalcError
from indexcalc.graph.node import Node, addition, transpose
from indexcalc.notation.array import Array
from indexcalc.notation.differentiate import ArrayDerivative, Derivative, derivative, diff
from indexcalc.notation.expr import Expr
from indexcalc.notation.matrices import opened
from indexcalc.notation.view import View

MOST_GROUPINGS = 48
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
}
"""What may be wrong with a formula, by the name that `Report.faults` has, and in words."""


class Mend(NamedTuple):
    """A formula that was changed: what was wrong, what to do, and the changed formula, laid out as the target is."""

    faults: tuple[str, ...]
    words: tuple[str, ...]
    claim: Claim
    target: Target
    node: Node

    def scaled(self, factor: Factor) -> Mend:
        """The mend, where it gives `factor` times what is right."""
        if factor == ONE:
            return self
        if factor == Factor(Fraction(-1)):
            return self._replace(faults=(*self.faults, "sign"), words=(*self.words, "change the sign"))
        words = f"multiply by {factor.inverse}"
        return self._replace(faults=(*self.faults, "factor"), words=(*self.words, words))


def plain(claim: Claim, targets: Sequence[Target]) -> Iterator[Mend]:
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


def changed(claim: Claim, targets: Sequence[Target], D: View) -> Iterator[Mend]:
    """The formula as a whole, changed: the ways that are tried, the likelier first."""
    yield from _of_other_meaning(claim, D)
    yield from _transposed(claim, targets)
    if claim.names is None:
        yield from _in_vec_order(claim, targets, D)
    yield from _with_symmetric_part(claim, targets)


def _transposed(claim: Claim, targets: Sequence[Target]) -> Iterator[Mend]:
    for target in targets:
        if claim.names is None and claim.node.order == 2:
            other = claim._replace(node=transpose(claim.node, (1, 0)))
            node = fitted(other, target)
            if node is not None:
                yield Mend(("transpose",), (_transpose_words(target),), claim, target, node)
        elif claim.names is not None or (claim.node.order > 2 and not target.layouts):
            for naming in namings(claim, target):
                if not naming.natural:
                    yield Mend(
                        ("transpose",),
                        (_order_words(claim, target, naming.order),),
                        claim,
                        target,
                        turned(claim, naming.order, target),
                    )


def _transpose_words(target: Target) -> str:
    return "transpose it" + (f", for {target.layouts[0]} layout" if target.layouts else "")


def _order_words(claim: Claim, target: Target, order: Sequence[int]) -> str:
    if claim.names is None:
        return f"put its axes in the order {', '.join(map(str, order))}"
    names = target.names or tuple(range(len(order)))
    pairs = [
        f"{claim.names[axis]} is {place}" for axis, place in zip(order, names, strict=True) if claim.names[axis] != place
    ]
    return f"exchange indices: {', '.join(pairs)}"


def _in_vec_order(claim: Claim, targets: Sequence[Target], D: View) -> Iterator[Mend]:
    """The formula against layouts in which the axes that are joined run in another order."""
    for target in targets:
        groups = target.groups
        if len(groups) != 2 or all(len(group) < 2 for group in groups):
            continue
        choices = product(*(permutations(group) for group in groups))
        for _, (rows, columns) in zip(range(MOST_GROUPINGS), choices, strict=False):
            if (rows, columns) == groups:
                continue
            axes: Any = {"rows": rows, "cols": columns, "order": "C"}
            laid = D.matrix(**axes)  # type: ignore[attr-defined]
            other = Target(laid, opened(laid), target.layouts)
            node = fitted(claim, other)
            if node is not None:
                where = [name for name, a, b in zip(("rows", "columns"), (rows, columns), groups, strict=True) if a != b]
                words = f"run the {' and the '.join(where)} in the other order, for {target.layouts[0]} layout"
                yield Mend(("vec order",), (words,), claim, target, node)._replace(target=other)


def _with_symmetric_part(claim: Claim, targets: Sequence[Target]) -> Iterator[Mend]:
    for mend in plain(claim, targets):
        node = mend.node
        if node.order != 2 or node.dims[0] != node.dims[1]:
            continue
        for sign, words in ((1, "add its transpose"), (-1, "subtract its transpose")):
            total = addition([(1, node, (0, 1)), (sign, node, (1, 0))], node.dims)
            yield Mend(("symmetric part",), (words,), claim, mend.target, total)


# ------------------------------------------------------------------ structured variables


def _of_other_meaning(claim: Claim, D: View) -> Iterator[Mend]:
    how = getattr(D, "structure", "")
    for name, other in meanings(D):
        own = [claim_target for claim_target in ([_whole(other)] if claim.names is not None else targets_of(other))]
        for mend in plain(claim, own):
            words = f"this is the {name} derivative, and the one asked for is the {how} one"
            yield mend._replace(faults=("meaning",), words=(words,))


def _whole(D: View) -> Target:
    from indexcalc.checking.reading import index_target

    return index_target(D)


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


def best(bench: Bench, mends: Iterator[Mend] | Sequence[Mend]) -> Mend | None:
    """The mend with the fewest faults that makes the formula right, up to a factor."""
    found: Mend | None = None
    for mend in mends:
        if found is not None and len(mend.faults) + 1 > len(found.faults):
            if len(mend.faults) >= len(found.faults):
                continue
        factor = bench.multiple(mend.node, mend.target.node)
        if factor is None:
            continue
        scaled = mend.scaled(factor)
        if found is None or len(scaled.faults) < len(found.faults):
            found = scaled
    return found
