"""`check`: is a formula that somebody derived by hand right, in which layouts, and if not, what would mend it?

The order of the questions: is it right as it is; as a whole, but for a factor, a transpose, an order of vec, another
meaning; term by term; but for one index; under an assumption; else it is wrong, and an example shows that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from indexcalc.checking.compare import Bench
from indexcalc.checking.conditions import Condition, condition_of
from indexcalc.checking.edits import difference_of, reindexed, termwise
from indexcalc.checking.left import NOTHING, Left, read, split
from indexcalc.checking.mends import Mend, best, changed, lightest, plain
from indexcalc.checking.reading import (
    READINGS,
    Claim,
    Projected,
    claims_of,
    index_target,
    is_misfit,
    meant_names,
    names_of,
    targets_of,
    transposes,
)
from indexcalc.checking.report import Counterexample, Report, verdict_of
from indexcalc.checking.values import check_values
from indexcalc.equality.branches import Side, said
from indexcalc.equality.decide import EXACTLY, Decision, is_same_form
from indexcalc.equality.witness import witness
from indexcalc.errors import Asked, IndexCalcError, InputError, KindError, LayoutError, counted
from indexcalc.graph.node import Node, Variable
from indexcalc.graph.walk import count
from indexcalc.index import Dimension
from indexcalc.layout.conventions import CONVENTIONS
from indexcalc.progress import Callback, callback, each, telling
from indexcalc.reading.reader import declared
from indexcalc.surface import public
from indexcalc.views.array import Array, standing_array
from indexcalc.views.derivatives.derivative import ArrayDerivative, Derivative
from indexcalc.views.expr import from_number
from indexcalc.views.view import View, is_number, to_number


@public
def check(
    formula: Any,
    D: View,
    /,
    *,
    vectors: str | None = None,
    layout: str | None = None,
    at: Any = None,
    syntax: str = "",
    progress: Callback | None = None,
    **declarations: Any,
) -> Report:
    """Whether a formula is the derivative D, in which layouts, and what would mend it: a `Report`, true if it is right.

    The formula is text (names come from D; others are declared as in `ic.parse`), an Array, an Expr, or numbers, with
    `at`, the inputs at which they were computed. `D` is a derivative, or any expression. `vectors` says how order-1
    tensors are meant in the text ("numpy", "column", "row"); without it each reading is tried. `syntax` names a
    dialect, as in `ic.parse`. `layout` asks about one convention alone. `progress` is called with how many formulas
    were compared, and what was looked for.

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
    listener = callback(progress, asked)
    if vectors not in (None, *READINGS):
        raise InputError(asked, f"vectors={vectors!r} is not known", 'write vectors="numpy", "column" or "row"')
    for name, value in declarations.items():
        declared(name, value, vectors or READINGS[0])
    if declarations and not isinstance(formula, str):
        raise InputError(asked, f"{', '.join(declarations)} declared for a formula that is no text", "leave them out")
    if layout is not None and not isinstance(D, Derivative | ArrayDerivative):
        raise LayoutError(asked, f"{layout} layout of what is no derivative", "leave layout= out")
    if is_number(formula) and at is None:
        formula = from_number(to_number(formula))
    if not isinstance(formula, str | View):
        with telling(listener):
            return check_values(formula, D, layout, at, asked)
    if at is not None:
        raise InputError(asked, "inputs for a formula, which is compared at random ones", "leave at= out")
    shown = " ".join((formula if isinstance(formula, str) else _text_of(formula)).split())
    text, left = formula, NOTHING
    if isinstance(formula, str):
        own, text = split(formula)
        left = read(own, D, {**names_of(D), **declarations})
    claim = Posed(shown, D, layout, vectors, declarations, left, syntax)
    with telling(listener):
        return _answer(text, claim)


def _text_of(formula: View) -> str:
    """The text of a formula, or how large it is where that would be pages."""
    nodes = count([formula.node])
    return str(formula) if nodes <= LONGEST else f"an expression of {counted(nodes, 'node')}"


LONGEST = 1000
"""How many nodes a formula may have to be quoted."""


class Posed(NamedTuple):
    """What `check` is asked beside the formula itself: as it is quoted, of what, and how it is to be read."""

    shown: str
    D: View
    layout: str | None
    vectors: str | None
    declarations: Mapping[str, Any]
    left: Left
    syntax: str

    def checker(self, text: Any) -> Checker:
        """The judge of a formula. Errors: those of a text that cannot be read."""
        claims = claims_of(text, self.D, self.vectors, self.declarations, self.left, self.syntax)
        return Checker(self.shown, claims, self.D, self.layout, self.left.shaped)


def _answer(text: Any, claim: Posed) -> Report:
    """The answer to a formula, as it stands or with each `*` as a product of matrices. Errors: it cannot be read."""
    found = _judged(text, claim)
    if isinstance(text, str) and STAR.search(text) and not (isinstance(found, Report) and found.right):
        product = _as_product(text, claim, isinstance(found, IndexCalcError))
        found = found if product is None else product
    if isinstance(found, IndexCalcError):
        raise found
    return found


def _judged(text: Any, claim: Posed) -> Report | IndexCalcError:
    """The answer to a formula, or the error that it cannot be read."""
    try:
        found = claim.checker(text).report()
        fits = "shape" not in found.how
    except IndexCalcError as error:
        if not is_misfit(error):
            return error
        how = "exactly: its shapes do not fit each other"
        found, fits = Report("wrong", claim.shown, how, True, repair=str(claim.D), note=error.found), False
    if fits or not isinstance(text, str):
        return found
    for words, other in transposes(text, claim.D, claim.declarations):
        try:
            checker = claim.checker(other)
        except IndexCalcError:
            continue
        mended = checker.as_mended(("transpose",), words, found.note)
        if mended is not None:
            return mended
    return found


def _as_product(text: str, claim: Posed, refused: bool) -> Report | None:
    """The answer to a formula with each `*` as the product of matrices, where it is right so, or reads only so."""
    other = STAR.sub(" ", text)
    try:
        checker = claim.checker(other)
    except IndexCalcError:
        return _as_entries(text, claim) if refused and not claim.syntax else None
    mended = checker.as_mended(("product",), f"write matrix products side by side, or with @: {other}", "")
    return checker.report() if mended is None and refused else mended


def _as_entries(text: str, claim: Posed) -> Report | None:
    """The answer to a formula in which `*` makes sense only as NumPy has it, entry by entry."""
    found = _judged(text, claim._replace(syntax="python"))
    return found if isinstance(found, Report) else None


STAR = re.compile(r"(?<!\*)\s*\*\s*(?!\*)")
"""A single star."""


class Checker:
    """One formula, read in all ways, and what it is compared with."""

    def __init__(self, shown: str, claims: Sequence[Claim], D: View, layout: str | None, shaped: bool = False) -> None:
        self.shown, self.D, self.claims = shown, D, list(claims)
        self.layouts = targets_of(D, layout)
        if shaped and layout is None:  # ∇ has the shape of the variable
            self.layouts = [one for one in self.layouts if "gradient" in one.layouts] or self.layouts
        self.whole = index_target(D)
        roots = [claim.node for claim in self.claims] + [self.whole.node]
        inputs = frozenset[Variable]().union(*(claim.view.inputs for claim in self.claims), self.D.inputs)
        source = D.source if isinstance(D, Derivative | ArrayDerivative) else None
        domain = [] if source is None else [source.node]
        self.bench = Bench(roots, sorted(inputs, key=lambda variable: variable.label), domain)

    def targets(self, claim: Claim) -> list[Projected]:
        """What this claim is compared with: index notation with the tensor itself, a matrix with its layouts."""
        return [self.whole] if claim.names is not None else self.layouts

    def _fitting(self) -> list[Mend]:
        """The claims that have a target's shape, each with each of these targets."""
        return [mend for claim in self.claims for mend in plain(claim, self.targets(claim))]

    def report(self) -> Report:
        """The answer."""
        fitting = self._fitting()
        right = [mend for mend in each(fitting, "readings compared") if self._equal(mend)]
        if right:
            return self._right(right)
        if fitting and self.bench.empty:
            raise InputError(
                Asked(lambda: f"check({self.shown}, {self.D})"),
                "their forms differ, and no random input gives finite numbers for both",
                "give assumptions, such as positive=True, or compare at inputs of your own",
            )
        partly = next((mend for mend in fitting if not self._differs(mend)), None)
        if partly is not None:
            return self._where(partly)
        mend = self._mended(fitting)
        if mend is None or (mend.weight > 1 and not mend.factor.scalars):
            condition = condition_of(self.bench, fitting)
            if condition is not None:
                return self._conditional(condition)
            partly = next((mend for mend in fitting if self._decided(mend).where), None)
            if partly is not None:
                return self._where(partly)
        return self._wrong(fitting) if mend is None else self._almost(mend, fitting)

    def as_mended(self, faults: tuple[str, ...], words: str, note: str) -> Report | None:
        """The answer to a formula that was changed in these words, if what came out is right."""
        for mend in self._fitting():
            if self._equal(mend):
                decision = self._decided(mend)
                return Report(
                    verdict_of(faults), self.shown, decision.how, decision.exact, mend.target.layouts,
                    self._readings([mend]), faults, words, self._text(mend.target), note=note,
                )  # fmt: skip
        return None

    def _equal(self, mend: Mend) -> bool:
        """Is the formula right as it is?"""
        if mend.node is mend.target.node:
            return True
        if mend.exact:
            return True
        return not self.bench.unlike(mend.node, mend.target.node) and self._decided(mend).equal

    def _decided(self, mend: Mend) -> Decision:
        return self.bench.decided(mend.node, mend.target.node)

    def _differs(self, mend: Mend) -> bool:
        """Was a point found at which the formula is wrong?"""
        if self.bench.unlike(mend.node, mend.target.node):
            return True
        decision = self._decided(mend)
        return decision.unknown or decision.differ is not None

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

    def _text(self, target: Projected) -> str:
        """What is right, as the derivative itself is written where it has these axes."""
        return str(self.D if target.node is self.whole.node else target.view)

    def _how(self, mend: Mend) -> tuple[str, bool]:
        """How a mended formula was decided, and whether without rounding."""
        if mend.exact:
            return EXACTLY, True
        wanted = mend.factor.times(mend.target.node)
        decision = self.bench.decided(mend.node, wanted)
        return decision.how, decision.exact

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
        rough = [mend for mend in mends if not mend.exact]
        how, exact = EXACTLY, True
        if rough:
            decision = min(map(self._decided, rough), key=lambda decision: decision.exact)
            how, exact = decision.how, decision.exact
        return Report(
            "right", self.shown, how, exact, layouts, self._readings(mends), meaning=getattr(self.D, "structure", ""),
            names=meant_names(mends[0].claim, mends[0].target), coverage="" if exact else self._coverage(),
        )  # fmt: skip

    def _coverage(self, missing: Sequence[Sequence[Side]] = ()) -> str:
        """Which branches were met."""
        branches = len(self.bench.survey.branches)
        if not branches:
            return ""
        told = f"{counted(branches, 'condition')}, met on all sides that there are"
        return f"not met: {', '.join(said(row, self._shown) for row in missing)}" if missing else told

    def _shown(self, node: Node) -> str:
        return str(standing_array(node, [Array(node, None, None, self.claims[0].stands)]))

    def _where(self, mend: Mend) -> Report:
        """It is right where it was compared, and there it was not compared everywhere, or elsewhere it is wrong."""
        decision = self._decided(mend)
        where = said(decision.where, self._shown)
        if decision.missing and not decision.where:
            where = f"not ({'; '.join(said(row, self._shown) for row in decision.missing)})"
        wrong = decision.differ is not None
        return Report(
            f"right where {where}", self.shown, decision.how, False, self._alike(mend), self._readings([mend]),
            repair=self._text(mend.target), difference=difference_of(mend) if wrong else None,
            example=self._example(mend) if wrong else None, where=where,
            coverage=self._coverage(() if wrong else decision.missing),
        )  # fmt: skip

    def _almost(self, mend: Mend, fitting: Sequence[Mend]) -> Report:
        within = {"sum", "missing term", "symmetric part"} & set(mend.faults) or mend.factor.scalars
        condition = condition_of(self.bench, fitting) if within else None
        start = next((one for one in fitting if one.target == mend.wanted), None)
        how, exact = self._how(mend)
        return Report(
            verdict_of(mend.faults), self.shown, how, exact, self._alike(mend),
            self._readings([mend]), mend.faults, " and ".join(mend.words), self._text(mend.wanted),
            condition.text if condition else "", difference_of(start) if start else None,
            self._example(start) if start else None, mend.meaning,
        )  # fmt: skip

    def _conditional(self, found: Condition) -> Report:
        mend, decision = found.mend, found.decision
        return Report(
            f"right if {found.text}", self.shown, decision.how, decision.exact, mend.target.layouts,
            self._readings([mend]), repair=self._text(mend.target), condition=found.text,
            difference=difference_of(mend), example=self._example(mend),
            where=said(self._decided(mend).where, self._shown),
        )  # fmt: skip

    def _wrong(self, fitting: Sequence[Mend]) -> Report:
        if not fitting:
            return self._misshapen()
        mend = fitting[0]
        decision = self._decided(mend)
        return Report(
            "wrong", self.shown, decision.how, False, mend.target.layouts, self._readings([mend]),
            repair=self._text(mend.target), difference=difference_of(mend), example=self._example(mend),
        )  # fmt: skip

    def _example(self, mend: Mend) -> Counterexample | None:
        """Small inputs at which the formula is wrong, else those that were found."""
        decision = self._decided(mend)
        point = self.bench.survey.point(decision.differ) if decision.differ else None
        found = witness(mend.node, mend.target.node, point)
        return None if found is None else Counterexample(*found)

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
