"""`check`: is a formula that somebody derived by hand right, in which layouts, and if not, what would mend it?

The order of the questions: is it right as it is; as a whole, but for a factor, a transpose, an order of vec, another
meaning; term by term; but for one index; under an assumption; else it is wrong, and an example shows that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from indexcalc.checking.compare import Bench, is_same_form
from indexcalc.checking.conditions import condition_of
from indexcalc.checking.edits import reindexed, termwise
from indexcalc.checking.example import difference_of, example_of
from indexcalc.checking.mends import Mend, best, changed, meanings, plain
from indexcalc.checking.reading import Claim, Target, claims_of, index_target, is_misfit, targets_of
from indexcalc.checking.report import Report, verdict_of
from indexcalc.checking.values import check_values
from indexcalc.errors import Asked, IndexCalcError, InputError, KindError
from indexcalc.notation.expr import Expr, from_number
from indexcalc.notation.view import View, is_number, to_number

EXACTLY = "exactly: the canonical forms are equal"


def check(
    formula: Any,
    D: View,
    *,
    vectors: str | None = None,
    layout: str | None = None,
    at: Mapping[Any, Any] | None = None,
    **declarations: Any,
) -> Report:
    """Whether a formula is the derivative D, in which layouts, and what would mend it: a `Report`, true if it is right.

    The formula is text (names come from D; others are declared as in `ic.parse`), an Array or an Expr, or numbers, with
    `at`, the inputs at which they were computed. `D` is a derivative, or any expression. `vectors` says how order-1
    tensors are meant in the text ("numpy", "column", "row"); without it each reading is tried. `layout` asks about one
    convention alone.

    Errors: ParseError for text that can't be read, InputError for numbers without inputs.

    >>> import indexcalc as ic
    >>> X, w, y = ic.tensor("X", "n d"), ic.tensor("w", "d"), ic.tensor("y", "n")
    >>> D = ic.grad(ic.norm2(X @ w - y)**2, w)
    >>> bool(ic.check("2 X^T (X w - y)", D))
    True
    >>> ic.check("X^T (X w - y)", D).verdict
    'right but for a factor'
    """
    if not isinstance(D, View):
        raise KindError(f"check({formula!r}, {D!r})", f"a {type(D).__name__} is no derivative", "give ic.grad(...), say")
    asked = Asked(lambda: f"check({formula}, {D})")
    if is_number(formula) and at is None:
        formula = from_number(to_number(formula))
    if not isinstance(formula, str | View):
        return check_values(formula, D, layout, at, asked)
    if at is not None:
        raise InputError(asked, "inputs for a formula, which is compared at random ones", "leave at= out")
    shown = formula.strip() if isinstance(formula, str) else str(formula)
    try:
        claims = claims_of(formula, D, vectors, declarations)
    except IndexCalcError as error:
        if not is_misfit(error):
            raise
        return _misfit(shown, D, layout, error.found)
    return Checker(shown, claims, D, layout).report()


def _misfit(shown: str, D: View, layout: str | None, found: str) -> Report:
    """The answer to a formula whose shapes do not fit each other."""
    target = next(iter(targets_of(D, layout)), index_target(D))
    how = "exactly: its shapes do not fit each other"
    return Report("wrong", shown, how, True, target.layouts, repair=str(target.view), note=found)


class Checker:
    """One formula, read in all ways, and what it is compared with."""

    def __init__(self, shown: str, claims: Sequence[Claim], D: View, layout: str | None) -> None:
        self.shown, self.D, self.claims = shown, D, list(claims)
        self.layouts = targets_of(D, layout)
        self.whole = index_target(D)
        self.bench: Any = None

    def targets(self, claim: Claim) -> list[Target]:
        """What this claim is compared with: index notation with the tensor itself, a matrix with its layouts."""
        return [self.whole] if claim.names is not None else self.layouts

    def report(self) -> Report:
        """The answer."""
        pairs = [(claim, list(plain(claim, self.targets(claim)))) for claim in self.claims]
        exact = [mend for _, mends in pairs for mend in mends if is_same_form(mend.node, mend.target.node)]
        roots = [claim.node for claim in self.claims] + [self.whole.node]
        inputs = frozenset().union(*(claim.view.inputs for claim in self.claims), self.D.inputs)
        self.bench = Bench(roots, sorted(inputs, key=lambda v: v.label))
        right = [mend for _, mends in pairs for mend in mends if mend in exact or self._equal(mend)]
        if right:
            return self._right(right, all(mend in exact for mend in right))
        if not self.bench.points:
            raise InputError(
                Asked(lambda: f"check({self.shown}, {self.D})"),
                "their forms differ, and no random input gives finite numbers for both",
                "give assumptions, such as positive=True, or compare at inputs of your own",
            )
        fitting = [mend for _, mends in pairs for mend in mends]
        for answer in (self._mended, self._conditional):
            found = answer(fitting)
            if found is not None:
                return found
        return self._wrong(fitting)

    def _equal(self, mend: Mend) -> bool:
        return bool(self.bench.equal(mend.node, mend.target.node))

    def _how(self, exact: bool) -> str:
        if exact:
            return EXACTLY
        sizes = sorted({str(point.sizes) for point in self.bench.points})
        return f"by numbers: random float64 inputs at {len(self.bench.points)} points, {len(sizes)} sets of sizes"

    # -------------------------------------------------------------- the answers

    def _right(self, mends: Sequence[Mend], exact: bool) -> Report:
        readings: dict[str, tuple[str, ...]] = {}
        for mend in mends:
            for reading in mend.claim.readings:
                readings[reading] = tuple(dict.fromkeys((*readings.get(reading, ()), *mend.target.layouts)))
        layouts = tuple(dict.fromkeys(name for mend in mends for name in mend.target.layouts))
        return Report(
            "right", self.shown, self._how(exact), exact, layouts, readings,
            meaning=getattr(self.D, "note", ""), names=self._names(mends[0]),
        )  # fmt: skip

    def _names(self, mend: Mend) -> dict[str, str]:
        """Which index of the derivative each index of the formula is, where names differ."""
        names = mend.claim.names
        if names is None or (mend.target.names is not None and set(names) == set(mend.target.names)):
            return {}
        from indexcalc.checking.reading import namings

        for naming in namings(mend.claim, mend.target):
            if naming.natural:
                places = mend.target.names or [f"axis {axis}" for axis in range(len(names))]
                return {str(names[axis]): str(place) for axis, place in zip(naming.order, places, strict=True)}
        return {}

    def _mended(self, fitting: Sequence[Mend]) -> Report | None:
        whole = [*fitting, *(mend for claim in self.claims for mend in changed(claim, self.targets(claim), self.D))]
        found = best(self.bench, whole)
        if found is None or len(found.faults) > 1:
            found = min(
                filter(None, (found, best(self.bench, list(termwise(fitting))))),
                key=lambda mend: len(mend.faults),
                default=None,
            )
        if found is None or len(found.faults) > 1:
            edited = best(self.bench, list(reindexed(self.bench, fitting)))
            if edited is not None and (found is None or len(edited.faults) < len(found.faults)):
                found = edited
        return None if found is None else self._mend_report(found, fitting)

    def _mend_report(self, mend: Mend, fitting: Sequence[Mend]) -> Report:
        words = " and ".join(mend.words)
        condition = condition_of(self.bench, fitting) if "sum" in mend.faults or "missing term" in mend.faults else None
        other = next((name for name, _ in meanings(self.D) if mend.words and f"the {name} " in mend.words[0]), "")
        return Report(
            verdict_of(mend.faults), self.shown, self._how(False), False, mend.target.layouts,
            {reading: mend.target.layouts for reading in mend.claim.readings}, mend.faults, words,
            str(mend.target.view), condition.text if condition else "", difference_of(fitting[0]) if fitting else None,
            example_of(fitting[0]) if fitting else None, other,
        )  # fmt: skip

    def _conditional(self, fitting: Sequence[Mend]) -> Report | None:
        found = condition_of(self.bench, fitting)
        if found is None:
            return None
        mend = found.mend
        return Report(
            f"right if {found.text}", self.shown, self._how(found.exact), found.exact, mend.target.layouts,
            {reading: mend.target.layouts for reading in mend.claim.readings}, (), "", str(mend.target.view),
            found.text, difference_of(mend), example_of(mend),
        )  # fmt: skip

    def _wrong(self, fitting: Sequence[Mend]) -> Report:
        if not fitting:
            return self._misshapen()
        mend = fitting[0]
        return Report(
            "wrong", self.shown, self._how(False), False, mend.target.layouts,
            {reading: mend.target.layouts for reading in mend.claim.readings}, repair=str(mend.target.view),
            difference=difference_of(mend), example=example_of(mend),
        )  # fmt: skip

    def _misshapen(self) -> Report:
        claim = self.claims[0]
        target = (self.targets(claim) or [self.whole])[0]
        own = ", ".join(map(str, claim.names if claim.names is not None else claim.dims))
        if claim.names is not None and target.names is not None:
            note = f"its free indices are {own or 'none'}, and should be {', '.join(map(str, target.names))}"
        else:
            wanted = "; ".join(
                f"({', '.join(map(str, one.dims))})" + (f" in {', '.join(one.layouts)}" if one.layouts else "")
                for one in self.targets(claim)
            )
            note = f"its shape is ({own}), and should be {wanted}"
        return Report("wrong", self.shown, "exactly: by its shape", True, target.layouts, repair=str(target.view), note=note)
