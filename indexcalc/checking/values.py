"""A formula given by its numbers, compared with a derivative's numbers at the same inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np

from indexcalc.checking.compare import constant_ratio, ratio
from indexcalc.checking.mends import groupings, meanings
from indexcalc.checking.reading import Projected, index_target, targets_of
from indexcalc.checking.report import Counterexample, Report, verdict_of
from indexcalc.engine.bind.inputs import Numbers, to_array
from indexcalc.errors import Asked, InputError, KindError
from indexcalc.progress import each
from indexcalc.views.view import View

LOOSE = 1e-5
"""The relative error that is taken for rounding: the numbers may come from finite differences."""
SINGLE = 1e-3
"""The same for numbers in single precision."""
LONGEST = 60
"""Characters of given numbers that an answer quotes; longer ones are told by their shape."""


class Found(NamedTuple):
    """A comparison: the numbers, perhaps changed, those that they should be, and what was wrong, as in `Mend`."""

    own: Numbers
    wanted: Numbers
    target: Projected
    faults: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


def check_values(formula: Any, D: View, layout: str | None, at: Mapping[Any, Any] | None, asked: Asked) -> Report:
    """The report for numbers that were computed at the inputs `at`, which `D.evaluate` takes."""
    if formula is None or isinstance(formula, bytes | set | dict):
        found = f"{type(formula).__name__} is no formula"
        raise KindError(asked, found, "give text, an Array, an Expr, or numbers with at={'x': x0, ...}")
    if at is None:
        found = "plain numbers, and nothing says at which inputs they were computed"
        raise InputError(asked, found, "give the inputs: ic.check(values, D, at={'x': x0, ...})")
    if not isinstance(at, Mapping):
        raise KindError(asked, f"at is a {type(at).__name__}, no table of inputs", "write at={'x': x0, ...}")
    own = to_array(formula, "values")
    single = np.asarray(formula).dtype.itemsize * (2 if np.iscomplexobj(formula) else 1) < 8
    limit = SINGLE if single else LOOSE
    shown = " ".join(str(own.tolist()).split())
    shown = shown if len(shown) <= LONGEST else f"numbers of shape {own.shape}"
    how = f"by the numbers given, at one input, up to a relative error of {limit:g}"
    targets = targets_of(D, layout)
    if not targets or not targets[0].layouts:
        targets = [index_target(D)]
    plain = [Found(own, _numbers(target, at), target) for target in each(targets, "layouts evaluated")]
    right = [pair for pair in map(_reshaped, plain) if _ratio(pair, limit) == 1]
    if right:
        layouts = tuple(dict.fromkeys(name for pair in right for name in pair.target.layouts))
        return Report("right", shown, how, False, layouts, meaning=getattr(D, "structure", ""))
    best: Found | None = None
    for pair in (*plain, *_changed(plain, D, at)):
        factor = _ratio(_reshaped(pair), limit)
        if factor is None:
            continue
        scaled = _scaled(pair, factor)
        if best is None or len(scaled.faults) < len(best.faults):
            best = scaled
    if best is None:
        return _wrong(shown, how, [_reshaped(pair) for pair in plain])
    repair = str(best.target.view)
    return Report(
        verdict_of(best.faults), shown, how, False, best.target.layouts, faults=best.faults,
        mend=" and ".join(best.words), repair=repair, example=_example(_reshaped(plain[0])),
    )  # fmt: skip


def _numbers(target: Projected, at: Mapping[Any, Any]) -> Numbers:
    return np.asarray(target.view.evaluate(at))


def _reshaped(pair: Found) -> Found:
    """A column or a row of numbers, where a convention gives the variable's one axis."""
    own, wanted = pair.own, pair.wanted
    if wanted.ndim < 2 and own.ndim == 2 and own.size == wanted.size and 1 in own.shape:
        return pair._replace(own=own.reshape(wanted.shape))
    return pair._replace(own=own.reshape(wanted.shape)) if own.size == wanted.size == 1 else pair


def _ratio(pair: Found, limit: float) -> Fraction | float | None:
    found = ratio(pair.own, pair.wanted, limit)
    if found is None:
        return None
    return Fraction(1) if np.isnan(found) or abs(found - 1) <= limit else constant_ratio(np.array([found]), limit)


def _scaled(pair: Found, factor: Fraction | float) -> Found:
    if factor == 1:
        return pair
    if factor == -1:
        return pair._replace(faults=(*pair.faults, "sign"), words=(*pair.words, "change the sign"))
    shown = str(1 / factor) if isinstance(factor, Fraction) else f"{1 / factor:.6g}"
    return pair._replace(faults=(*pair.faults, "factor"), words=(*pair.words, f"multiply by {shown}"))


def _changed(plain: list[Found], D: View, at: Mapping[Any, Any]) -> Iterator[Found]:
    """The numbers changed as a whole, in the ways that `mends` tries on formulas."""
    for name, other in meanings(D):
        words = f"this is the {name} derivative, and the one asked for is the {getattr(D, 'structure', '')} one"
        for target in targets_of(other):
            yield Found(plain[0].own, _numbers(target, at), target, ("meaning",), (words,))
    for pair in plain:
        own = pair.own
        for axes in permutations(range(own.ndim)):
            if axes != tuple(range(own.ndim)) and np.transpose(own, axes).shape == pair.wanted.shape:
                words = "transpose it" if own.ndim == 2 else f"put its axes in the order {', '.join(map(str, axes))}"
                yield pair._replace(own=np.transpose(own, axes), faults=("transpose",), words=(words,))
        for other_target, words in groupings(pair.target, D):
            yield Found(own, _numbers(other_target, at), other_target, ("vec order",), (words,))
    for pair in plain:
        if pair.own.ndim == 2 and pair.own.shape == pair.own.T.shape == pair.wanted.shape:
            yield pair._replace(own=pair.own + pair.own.T, faults=("symmetric part",), words=("add its transpose",))


def _wrong(shown: str, how: str, pairs: list[Found]) -> Report:
    fitting = [pair for pair in pairs if pair.own.shape == pair.wanted.shape]
    if fitting:
        return Report(
            "wrong", shown, how, False, fitting[0].target.layouts, repair=str(fitting[0].target.view),
            example=_example(fitting[0]),
        )  # fmt: skip
    wanted = "; ".join(f"{pair.wanted.shape} in {', '.join(pair.target.layouts) or 'its axes'}" for pair in pairs)
    note = f"its shape is {pairs[0].own.shape}, and should be {wanted}"
    return Report("wrong", shown, "exactly: by its shape", True, repair=str(pairs[0].target.view), note=note)


def _example(pair: Found) -> Counterexample | None:
    """The first entry that differs."""
    if pair.own.shape != pair.wanted.shape:
        return None
    scale = max(1.0, float(np.max(np.abs(pair.wanted), initial=0.0)))
    places = np.argwhere(np.abs(pair.own - pair.wanted) > LOOSE * scale)
    if not len(places):
        return None
    place = tuple(int(k) for k in places[0])
    return Counterexample({}, place, float(np.real(pair.own[place])), float(np.real(pair.wanted[place])))
