"""`check`: is a formula that somebody derived by hand right, in which layouts, and if not, what would mend it?

The order of the questions: is it right as it is; as a whole, but for a factor, a transpose, an order of vec, another
meaning; term by term; but for one index; under an assumption; else it is wrong, and an example shows that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from indexcalc.checking.compare import Bench, is_same_form
from indexcalc.checking.conditions import Condition, condition_of
from indexcalc.checking.edits import reindexed, termwise
from indexcalc.checking.example import difference_of, example_of
from indexcalc.checking.mends import Mend, best, changed, lightest, plain
from indexcalc.checking.reading import (
    READINGS,
    Claim,
    Target,
    claims_of,
    index_target,
    is_misfit,
    meant_names,
    targets_of,
    transposes,
)
from indexcalc.checking.report import Report, verdict_of
from indexcalc.checking.values import check_values
from indexcalc.errors import Asked, IndexCalcError, InputError, KindError, LayoutError
from indexcalc.graph.node import Variable
from indexcalc.index import Dimension
from indexcalc.layout.conventions import CONVENTIONS
from indexcalc.views.derivative import ArrayDerivative, Derivative
from indexcalc.views.expr import from_number
from indexcalc.views.view import View, is_number, to_number

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

    The formula is text (names come from D; others are declared as in `ic.parse`), an Array, an Expr, or numbers, with
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
        raise KindError(f"check({formula!r}, {D!r})", f"{D!r} is no derivative", "give ic.grad(...), say")
    asked = Asked(lambda: f"check({formula}, {D})")
    if vectors not in (None, *READINGS):
        raise InputError(asked, f"vectors={vectors!r} is not known", 'write vectors="numpy", "column" or "row"')
    if layout is not None and not isinstance(D, Derivative | ArrayDerivative):
        raise LayoutError(asked, f"{layout} layout of what is no derivative", "leave layout= out")
    if is_number(formula) and at is None:
        formula = from_number(to_number(formula))
    if not isinstance(formula, str | View):
        return check_values(formula, D, layout, at, asked)
    if at is not None:
        raise InputError(asked, "inputs for a formula, which is compared at random ones", "leave at= out")
    shown = " ".join((formula if isinstance(formula, str) else str(formula)).split())
    try:
        checker = Checker(shown, claims_of(formula, D, vectors, declarations), D, layout)
        found = checker.report()
        fits = "shape" not in found.how
    except IndexCalcError as error:
        if not is_misfit(error):
            raise
        how = "exactly: its shapes do not fit each other"
        found, fits = Report("wrong", shown, how, True, repair=str(D), note=error.found), False
    if fits or not isinstance(formula, str):
        return found
    for words, text in transposes(formula, D, declarations):
        try:
            claims = claims_of(text, D, vectors, declarations)
        except IndexCalcError:
            continue
        mended = Checker(shown, claims, D, layout).as_mended(words, found.note)
        if mended is not None:
            return mended
    return found


class Checker:
    """One formula, read in all ways, and what it is compared with."""

    def __init__(self, shown: str, claims: Sequence[Claim], D: View, layout: str | None) -> None:
        self.shown, self.D, self.claims = shown, D, list(claims)
        self.layouts = targets_of(D, layout)
        self.whole = index_target(D)
        self.bench: Bench

    def targets(self, claim: Claim) -> list[Target]:
        """What this claim is compared with: index notation with the tensor itself, a matrix with its layouts."""
        return [self.whole] if claim.names is not None else self.layouts

    def _fitting(self) -> list[Mend]:
        """The claims that have a target's shape, each with each of these targets."""
        return [mend for claim in self.claims for mend in plain(claim, self.targets(claim))]

    def _bench(self) -> Bench:
        """Inputs for all that is compared."""
        roots = [claim.node for claim in self.claims] + [self.whole.node]
        inputs = frozenset[Variable]().union(*(claim.view.inputs for claim in self.claims), self.D.inputs)
        return Bench(roots, sorted(inputs, key=lambda variable: variable.label))

    def report(self) -> Report:
        """The answer."""
        fitting = self._fitting()
        self.bench = self._bench()
        right = [mend for mend in fitting if mend.exact or self._equal(mend)]
        if right:
            return self._right(right)
        if not self.bench.points:
            raise InputError(
                Asked(lambda: f"check({self.shown}, {self.D})"),
                "their forms differ, and no random input gives finite numbers for both",
                "give assumptions, such as positive=True, or compare at inputs of your own",
            )
        mend = self._mended(fitting)
        if mend is None or (mend.weight > 1 and not mend.factor.scalars):
            condition = condition_of(self.bench, fitting)
            if condition is not None:
                return self._conditional(condition)
        return self._wrong(fitting) if mend is None else self._almost(mend, fitting)

    def as_mended(self, words: str, note: str) -> Report | None:
        """The answer to a formula whose shapes did not fit, if this one, with factors transposed, is right."""
        fitting = self._fitting()
        self.bench = self._bench()
        for mend in fitting:
            if mend.exact or self._equal(mend):
                return Report(
                    verdict_of(("transpose",)), self.shown, self._how(mend.exact), mend.exact, mend.target.layouts,
                    self._readings([mend]), ("transpose",), words, self._text(mend.target), note=note,
                )  # fmt: skip
        return None

    def _equal(self, mend: Mend) -> bool:
        return self.bench.equal(mend.node, mend.target.node)

    def _how(self, exact: bool) -> str:
        if exact:
            return EXACTLY
        count = len({tuple(point.sizes.items()) for point in self.bench.points})
        sizes = "" if count == 1 else f", at {count} sets of sizes"
        return f"by numbers: {len(self.bench.points)} random inputs in float64{sizes}"

    def _mended(self, fitting: Sequence[Mend]) -> Mend | None:
        """What would mend it: as a whole; else term by term, or with one index changed, whichever is less."""
        whole = [mend for claim in self.claims for mend in changed(claim, self.targets(claim), self.D)]
        found = best(self.bench, (*fitting, *whole))
        if found is not None and not found.exact:  # a factor at these inputs may be a term that is equal there
            terms = best(self.bench, termwise(self.bench, fitting))
            found = lightest(terms, found)
        for ways in (termwise, reindexed):
            if found is None or found.weight > 1:
                found = lightest(found, best(self.bench, ways(self.bench, fitting)))
        if found is not None and found.faults == ("sum",):  # as it was written, if one change there will do
            found = lightest(best(self.bench, reindexed(self.bench, fitting)), found)
        return found

    def _text(self, target: Target) -> str:
        """What is right, as the derivative itself is written where it has these axes."""
        return str(self.D if target.node is self.whole.node else target.view)

    # -------------------------------------------------------------- the answers

    def _readings(self, mends: Sequence[Mend]) -> dict[str, tuple[str, ...]]:
        """The layouts of these mends' targets, by how vectors are meant."""
        found: dict[str, tuple[str, ...]] = {}
        for mend in mends:
            for reading in mend.claim.readings:
                held = {*found.get(reading, ()), *self._alike(mend)}
                found[reading] = tuple(name for name in CONVENTIONS if name in held)
        return found

    def _alike(self, mend: Mend) -> tuple[str, ...]:
        """The conventions in which the formula should have been this."""
        wanted = mend.wanted.node
        held = {
            name
            for target in self.targets(mend.claim)
            if target.node is wanted or is_same_form(target.node, wanted)
            for name in target.layouts
        }
        return tuple(name for name in CONVENTIONS if name in held)

    def _right(self, mends: Sequence[Mend]) -> Report:
        held = {name for mend in mends for name in mend.target.layouts}
        layouts = tuple(name for name in CONVENTIONS if name in held)
        exact = all(mend.exact for mend in mends)
        return Report(
            "right", self.shown, self._how(exact), exact, layouts, self._readings(mends),
            meaning=getattr(self.D, "structure", ""), names=meant_names(mends[0].claim, mends[0].target),
        )  # fmt: skip

    def _almost(self, mend: Mend, fitting: Sequence[Mend]) -> Report:
        within = {"sum", "missing term", "symmetric part"} & set(mend.faults) or mend.factor.scalars
        condition = condition_of(self.bench, fitting) if within else None
        start = next((one for one in fitting if one.target == mend.wanted), None)
        return Report(
            verdict_of(mend.faults), self.shown, self._how(mend.exact), mend.exact, self._alike(mend),
            self._readings([mend]), mend.faults, " and ".join(mend.words), self._text(mend.wanted),
            condition.text if condition else "", difference_of(start) if start else None,
            example_of(start) if start else None, mend.meaning,
        )  # fmt: skip

    def _conditional(self, found: Condition) -> Report:
        mend = found.mend
        return Report(
            f"right if {found.text}", self.shown, self._how(found.exact), found.exact, mend.target.layouts,
            self._readings([mend]), repair=self._text(mend.target), condition=found.text,
            difference=difference_of(mend), example=example_of(mend),
        )  # fmt: skip

    def _wrong(self, fitting: Sequence[Mend]) -> Report:
        if not fitting:
            return self._misshapen()
        mend = fitting[0]
        return Report(
            "wrong", self.shown, self._how(False), False, mend.target.layouts, self._readings([mend]),
            repair=self._text(mend.target), difference=difference_of(mend), example=example_of(mend),
        )  # fmt: skip

    def _misshapen(self) -> Report:
        claim = self.claims[0]
        note = f"its shape is {_shape(claim.dims)}, and should be " + "; ".join(
            _shape(one.dims) + (f" in {', '.join(one.layouts)}" if one.layouts else "") for one in self.targets(claim)
        )
        if claim.names is not None and self.whole.names is not None:
            own, wanted = (", ".join(map(str, names)) or "none" for names in (claim.names, self.whole.names))
            note = f"its free indices are {own}, and should be {wanted}" if own != wanted else note
        return Report("wrong", self.shown, "exactly: by its shape", True, repair=str(self.D), note=note)


def _shape(dims: Sequence[Dimension]) -> str:
    return f"({', '.join(map(str, dims))}{',' * (len(dims) == 1)})"
