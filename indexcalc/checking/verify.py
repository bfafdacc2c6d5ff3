"""`verify`: a derivative against finite differences and complex steps, at random inputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any, NamedTuple

import numpy as np

from indexcalc.calculus.structure import check_map, is_structured, unstructured
from indexcalc.checking.differences import (
    SETTLED,
    MeasuredSlope,
    Method,
    Slope,
    by_complex_step,
    by_differences,
    is_analytic,
)
from indexcalc.engine.bind.inputs import Numbers
from indexcalc.equality.branches import Side
from indexcalc.equality.points import MOST_ENTRIES, Draw, Point, several_sizes
from indexcalc.equality.survey import Panel, Survey, SurveyPoint
from indexcalc.errors import Asked, DerivativeError, InputError, KindError, counted
from indexcalc.functions.table import reduction_row
from indexcalc.graph.constructors import einsum
from indexcalc.graph.node import Call, Node, Reduction, Variable, topological
from indexcalc.graph.walk import substitute
from indexcalc.index import Index
from indexcalc.progress import Callback, callback, each, telling
from indexcalc.surface import public
from indexcalc.views.array import Array
from indexcalc.views.derivatives.derivative import ArrayDerivative, Derivative
from indexcalc.views.derivatives.differentiate import derivative, diff
from indexcalc.views.expr import Expr
from indexcalc.views.named import place_of
from indexcalc.views.view import View
from indexcalc.writing.html import paragraph, table

POINTS, MOST = 3, 12
"""How many points there are at least, and with all branches at most."""
AROUND = 0.03
"""So far, relative to the largest entry, no branch may be from a point at which differences are taken."""
AUTOMATIC = "automatic differentiation"
"""The method of trials that JAX made: see `indexcalc.testing`."""
LIMITS = {"finite differences": SETTLED, "complex steps": 1e-9, AUTOMATIC: 1e-9}
"""Each method, and the relative error that rounding alone stays below."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One comparison: which derivative, by which method, at which sizes, and the entry where it is worst.

    The error is relative to the largest entry that was measured, or to what rounding leaves of it if that is larger.
    Of a large tensor only so many entries are `moved`, of so many that it has.
    """

    subject: str
    method: str
    sizes: dict[str, int]
    error: float
    entry: tuple[int, ...]
    claimed: float
    measured: float
    moved: tuple[int, int] = (1, 1)

    def __bool__(self) -> bool:
        return self.error < LIMITS[self.method]

    def __str__(self) -> str:
        return f"{self.method}: relative error {self.error:.1e}{self.where}{self.share}"

    @property
    def where(self) -> str:
        """The worst entry, and the sizes there."""
        place = f" at entry [{', '.join(map(str, self.entry))}]" if self.entry else ""
        sizes = ", ".join(f"{name}={size}" for name, size in self.sizes.items())
        return place + (f", {sizes}" if sizes and place else f" at {sizes}" if sizes else "")

    @property
    def share(self) -> str:
        """How many entries were moved, where these are not all."""
        some, all_ = self.moved
        return f", {some:,} of {all_:,} entries moved" if some < all_ else ""


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` found: true if every trial agrees. `worst` is the trial that is worst, measured by its limit."""

    trials: tuple[Trial, ...]
    seed: int

    def __bool__(self) -> bool:
        return all(self.trials)

    @property
    def worst(self) -> Trial:
        """The trial with the largest error, for what its method can do."""
        return max(self.trials, key=lambda trial: trial.error / LIMITS[trial.method])

    @property
    def error(self) -> float:
        """The largest relative error."""
        return max(trial.error for trial in self.trials)

    @property
    def sizes(self) -> dict[str, int]:
        """The sizes of the worst trial."""
        return self.worst.sizes

    @property
    def line(self) -> str:
        """The outcome in one line."""
        methods = " and ".join(dict.fromkeys(trial.method for trial in self.trials))
        worst = self.worst
        if self:
            share = max(self.trials, key=lambda trial: trial.moved[1] - trial.moved[0]).share
            share += " at each" if share else ""
            return (
                f"agrees with {methods}: relative error {self.error:.1e}, {counted(self._count, 'random point')}{share}"
            )
        return (
            f"DIFFERS from {worst.method}: relative error {worst.error:.1e}{worst.where}: "
            f"{worst.claimed:.6g} against {worst.measured:.6g}"
        )

    @property
    def _count(self) -> int:
        subjects = {(trial.subject, trial.method) for trial in self.trials}
        return max(sum((trial.subject, trial.method) == pair for trial in self.trials) for pair in subjects)

    def __str__(self) -> str:
        return "\n".join([self.line, *(f"  {one.subject}: {one}" for one in self._worst), f"  seed {self.seed}"])

    __repr__ = __str__

    @property
    def _worst(self) -> list[Trial]:
        """The worst trial of each subject, by each method."""
        found: dict[tuple[str, str], Trial] = {}
        for trial in self.trials:
            before = found.setdefault((trial.subject, trial.method), trial)
            found[trial.subject, trial.method] = max(before, trial, key=lambda one: one.error)
        return list(found.values())

    def _repr_html_(self) -> str:
        rows = [
            [escape(one.subject), one.method, f"{one.error:.1e}", escape(f"{one.where}{one.share}".strip())]
            for one in self._worst
        ]
        shown = table(rows, ("derived", "measured by", "relative error", "worst"))
        return f"<b>{escape(self.line)}</b>\n{shown}\n{paragraph(f'seed {self.seed}')}"


class Stage(NamedTuple):
    """One derivative to be measured: the slope, what is claimed, and how the axes measured become those claimed."""

    subject: str
    slope: Slope
    claimed: Node
    labels: tuple[int, ...]
    kept: tuple[int, ...]
    inputs: frozenset[Variable]

    def measured(self, point: Point, method: Method, claimed: Numbers) -> MeasuredSlope:
        """The derivative as it is measured, with the axes of what is claimed: shared names are taken together.

        Entries of a large tensor that were not moved at this point are as they are claimed.
        """
        found = self.slope.measure(point, method)
        taken = np.asarray(np.einsum(found.value, self.labels, self.kept))
        if not found.known.all():
            seen = np.einsum(np.broadcast_to(found.known, found.value.shape), self.labels, self.kept)
            taken = np.where(seen, taken, claimed)
        return found._replace(value=taken)


@public
def verify(
    D: View,
    of: Any = None,
    wrt: Any = None,
    *,
    structure: str = "",
    seed: int = 0,
    progress: Callback | None = None,
) -> Verification:
    """Whether a derivative agrees with numbers: finite differences and, where all is analytic, complex steps.

    `D` is what `diff`, `derivative`, `grad`, `hessian` or `vjp` gave; any other expression with `of`, what was
    differentiated, and `wrt`, by what. The inputs are random, have what they are declared with, and have sizes 1 to 5;
    abstract functions are random smooth ones; of a tensor with many hundred entries some move, others at each point:
    the answer says how many. By a structured tensor one moves in its space, so each meaning (`structure`) is measured
    as what it is. Of a second derivative each step is measured: the first against the expression, the second against
    the first. `progress` is called with how many points are done, of how many, and of what.

    The answer is true if they agree, and says how well, by which method, and where it is worst.

    Errors: DerivativeError where D does not know what it is the derivative of; InputError where no input was found.

    >>> import indexcalc as ic
    >>> X, w, y = ic.tensor("X", "n d"), ic.tensor("w", "d"), ic.tensor("y", "n")
    >>> print(ic.verify(ic.grad(ic.norm2(X @ w - y)**2, w)).line)
    agrees with finite differences: relative error ..., 3 random points
    >>> bool(ic.verify(X.T @ (X @ w - y), of=ic.norm2(X @ w - y)**2, wrt=w))
    False
    """
    asked = Asked(lambda: f"verify({D})")
    if not isinstance(D, View):
        raise KindError(asked, f"{D!r} is no derivative", "give ic.grad(...), say")
    if structure:
        check_map(structure, asked)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise KindError(asked, f"seed={seed!r} is no seed", "give an integer, seed=1 say")
    listener = callback(progress, asked)
    stages = list(_stages(D, of, wrt, structure, asked))
    trials: list[Trial] = []
    for stage in stages:
        _require_numbers(stage, asked)
        with telling(listener):
            trials += _tried(stage, seed, asked)
    return Verification(tuple(trials), seed)


def _require_numbers(stage: Stage, asked: Asked) -> None:
    """A function with a rule has to have numbers, and one with numbers a rule: random ones would fit neither."""
    for node in topological([stage.slope.value, stage.claimed]):
        if not isinstance(node, Call):
            continue
        function = node.function
        if function.rules and not function.numeric:
            found = f"{function.name} has a rule, and no numbers to hold it against"
            raise InputError(asked, found, f"declare {function.name} with numpy=")
        if function.numeric and any(node.orders):
            found = f"{function.name} has numbers, and its derivative {node.name} has none"
            raise InputError(asked, found, f"declare {function.name} with derivative=")


def _tried(stage: Stage, seed: int, asked: Asked) -> list[Trial]:
    """The trials of one stage, at points that have met every branch of the value."""
    found: list[Trial] = []
    roots = [stage.slope.value, stage.claimed]
    survey = Survey(roots, stage.inputs, [stage.slope.value], seed)
    for place in each(_places(survey), f"points, {stage.subject}"):
        point = survey.point(place)
        noise = survey.panels[place.panel].at.rounding(stage.claimed)[place.point]
        (claimed,) = point.values([stage.claimed])
        if not np.isfinite(claimed).all() and _at_a_point(roots, point):
            continue
        methods: dict[str, Any] = {"finite differences": by_differences}
        if is_analytic(stage.slope.value, point):
            methods["complex steps"] = by_complex_step
        for name, method in methods.items():
            measured, error, known = stage.measured(point, method, claimed)
            if not np.isfinite(measured).all():  # no derivative, or a step left the domain, or none has settled
                continue
            rounding = (error + float(np.max(noise[np.isfinite(noise)], initial=0.0))) / LIMITS[name]
            trial = _trial(stage.subject, name, point.sizes, claimed, measured, rounding)
            found.append(replace(trial, moved=(int(known.sum()), known.size)))
    if next(several_sizes(roots, stage.inputs), None) is None:
        raise InputError(
            asked, f"an array has more than {MOST_ENTRIES:,} entries", "give dimensions letters: small sizes are drawn"
        )
    if not found:
        raise InputError(
            asked,
            "no random input gives finite numbers that settle",
            "check it at inputs of your own, with .evaluate(...)",
        )
    return found


def _at_a_point(roots: Sequence[Node], point: Point) -> bool:
    """Is there a norm of a slice that is 0, as that of what is left of one number without its mean?

    A norm has no derivative there, whatever the function has that it is in.
    """
    norms = [node for node in topological(roots) if isinstance(node, Reduction) and reduction_row(node.fn).norm]
    return any((value == 0).any() for value in point.values(norms))


def _trial(
    subject: str, name: str, sizes: dict[str, int], claimed: Numbers, measured: Numbers, rounding: float
) -> Trial:
    with np.errstate(invalid="ignore"):
        gap = np.abs(measured - claimed)
    gap = np.where(np.isfinite(gap), gap, np.inf)
    entry = np.unravel_index(int(np.argmax(gap)), gap.shape) if gap.size else ()
    place = tuple(int(k) for k in entry)
    largest, scale = float(np.max(gap, initial=0.0)), max(float(np.max(np.abs(measured), initial=0.0)), rounding)
    error = largest / scale if scale else np.inf if largest else 0.0
    pair = (float(np.real(claimed[place])), float(np.real(measured[place]))) if gap.size else (0.0, 0.0)
    return Trial(subject, name, sizes, error, place, *pair)


def _places(survey: Survey) -> list[SurveyPoint]:
    """A few points of ordinary size at each set of sizes, then one for each side of a branch that these have not met.

    None is so near to a branch that a difference is taken across it.
    """
    found: list[SurveyPoint] = []
    met: set[Side] = set()
    good = [
        np.flatnonzero(inside & ~panel.at.extreme & _calm(panel))
        for panel, inside in zip(survey.panels, survey.judged(), strict=True)
    ]
    for turn in range(POINTS):
        for k, which in enumerate(good):
            if turn < len(which) and len(found) < POINTS:
                found.append(SurveyPoint(k, int(which[turn])))
    for place in (*found, *(SurveyPoint(k, int(p)) for k, which in enumerate(good) for p in which)):
        own = {
            Side(branch, int(side))
            for branch, sides in zip(survey.branches, survey.panels[place.panel].sides, strict=True)
            for side in sides[place.point]
        }
        if place not in found and own - met and len(found) < MOST:
            found.append(place)
        if place in found:
            met |= own
    return found


def _calm(panel: Panel) -> Numbers:
    """The points around which all branches stay on their sides."""
    calm = np.ones(panel.at.points, bool)
    rng = np.random.default_rng(0)
    for _ in range(3 if panel.branches else 0):
        arrays = {}
        for v, a in panel.draw.arrays.items():
            scale = np.abs(a).reshape(len(a), -1).max(axis=1, initial=0).reshape(-1, *(1,) * (a.ndim - 1))
            arrays[v] = a + AROUND * scale * rng.choice([-1.0, 1.0], a.shape)
        moved = Panel(Draw(panel.draw.sizes, arrays), panel.branches, 0)
        for one, other in zip(panel.sides, moved.sides, strict=True):
            calm &= (one == other).all(axis=1)
    return calm


# ------------------------------------------------------------------ what is to be measured


def _stages(D: Any, of: Any, wrt: Any, structure: str, asked: Asked) -> Iterator[Stage]:
    known = isinstance(D, Derivative | ArrayDerivative)
    how = structure or (D.structure if known else "")
    if (of is None) != (wrt is None):
        raise DerivativeError(asked, "one of of= and wrt= is missing", "give both, or none for a derivative")
    if of is None:
        if not known or D.source is None:
            found = "it does not know what it is the derivative of"
            raise DerivativeError(asked, found, "write ic.verify(D, of=y, wrt=W), or verify it before the arithmetic")
        of, wrt = D.source, list(D.targets)
    targets = list(wrt) if isinstance(wrt, list | tuple) else [wrt]
    for view in (of, *targets):
        if not isinstance(view, View):
            raise KindError(asked, f"a {type(view).__name__} is no expression", "write ic.verify(D, of=y, wrt=W)")
    if not targets:
        raise DerivativeError(asked, "wrt= names no tensor", "write ic.verify(D, of=y, wrt=W)")
    indexed = isinstance(of, Expr) or any(isinstance(target, Expr) for target in targets)
    for view in (of, *targets, D) if indexed else ():
        if isinstance(view, Array) and view.order:
            found = f"{view} has no names for its axes, beside indexed expressions"
            raise KindError(asked, found, "index all of D, of= and wrt=, or none")
    if not indexed and isinstance(D, Expr):
        raise KindError(asked, f"{D} has indices, and {of} has none", "index all of D, of= and wrt=, or none")
    value = of
    if indexed:
        value = Expr(value.node, (), value.inputs) if not isinstance(value, Expr) else value
    loose = _loose(targets) if how == "free" else {}
    back = {plain: node for node, plain in loose.items()}
    subject = "by "
    for number, target in enumerate(targets):
        subject += f", then {target}" if number else str(target)
        last = number == len(targets) - 1
        options: dict[str, Any] = {"structure": how} if how else {}
        if indexed:
            view = Expr(target.node, (), target.inputs) if not isinstance(target, Expr) else target
            result = D if last else diff(_plain(value, loose), _plain(view, loose), **options)
            yield _indexed_stage(subject, value, view, _plain(result, back), how, asked)
        else:
            result = D if last else derivative(_plain(value, loose), _plain(target, loose), **options)
            yield _array_stage(subject, value, target, _plain(result, back), how, asked)
        value = result


def _loose(targets: Sequence[View]) -> dict[Node, Node]:
    """The structured tensors among the targets, and tensors of their names without structure.

    A free derivative is that of what is written, at all orders.
    """
    nodes = [place_of(target, "")[0] for target in targets]
    return {node: unstructured(node) for node in nodes if isinstance(node, Variable) and is_structured(node)}


def _plain(view: Any, table: dict[Node, Node]) -> Any:
    """The view with other tensors for some."""
    if not table:
        return view
    (node,) = substitute([view.node], table)
    if isinstance(view, Expr):
        return Expr(node, view.indices, None, view.free)
    return Array(node, None, view.places, view.vectors, view.turned)


def _slope(value: Node, target: View, how: str, asked: Asked) -> tuple[Slope, tuple[int, ...]]:
    node, axes = place_of(target, asked)
    return Slope(value, node, how if is_structured(node) else ""), axes


def _array_stage(subject: str, value: Array, target: Array, result: Array, how: str, asked: Asked) -> Stage:
    slope, _ = _slope(value.node, target, how, asked)
    wanted = (*value.node.dims, *target.node.dims)
    if result.node.dims != wanted:
        raise DerivativeError(
            asked, f"it has axes {result.node.dims}, and the derivative {wanted}", "compare layouts with ic.check"
        )
    axes = tuple(range(result.order))
    return Stage(subject, slope, result.node, axes, axes, result.inputs | target.inputs)


def _indexed_stage(subject: str, value: Expr, target: Expr, result: Expr, how: str, asked: Asked) -> Stage:
    slope, axes = _slope(einsum(1, [(value.node, value.names)], [i.name for i in value.free]), target, how, asked)
    own = [target.indices[axis] for axis in axes]
    labels = _numbers([*value.free, *own])
    kept = [index for index in result.free if index in value.free or index in own]
    wanted = {i for i in (*value.free, *own) if i.batch or [*value.free, *own].count(i) == 1}
    if set(result.free) != wanted:
        shown = ", ".join(str(index) for index in dict.fromkeys((*value.free, *own)) if index in wanted)
        raise DerivativeError(asked, f"its indices are {result.free}, and the derivative's {shown}", "")
    claimed = einsum(1, [(result.node, result.names)], [index.name for index in kept])
    places = tuple(labels[[*value.free, *own].index(index)] for index in kept)
    return Stage(subject, slope, claimed, labels, places, result.inputs | target.inputs)


def _numbers(indices: Sequence[Index]) -> tuple[int, ...]:
    """A number for each index, the same for the same name."""
    names = list(dict.fromkeys(index.name for index in indices))
    return tuple(names.index(index.name) for index in indices)
