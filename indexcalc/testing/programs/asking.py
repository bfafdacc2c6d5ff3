"""What a program asks of its derivative: is its text right, how is it derived, what is held of it, what it costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from itertools import permutations
from typing import Any

import numpy as np

import indexcalc as ic
from indexcalc.errors import IndexCalcError
from indexcalc.functions.table import MATRICES
from indexcalc.graph.constructors import addition
from indexcalc.graph.node import Matrix, Sum, topological
from indexcalc.testing.programs.examination import EXACT, Examination
from indexcalc.testing.programs.trees import Numbers

FAULTY = ("right but", "right if")
"""Verdicts of what is not right as it stands; "right where" says that a branch was not met."""
CHECKED, EXPLAINED = 150, 300
"""Characters of a derivative that is checked, and of an expression that is explained: longer ones take seconds."""
APART = 1e-3
"""How far the numbers of a wrong formula are to be from those of the derivative, relative to the largest."""
MOST_AXES = 4
"""Axes of a derivative that is held as factors: more have thousands of entries."""


# ------------------------------------------------------------------ check


def _checked(made: Examination) -> str:
    """The text of the derivative is right, and a wrong one is not, whose mend is slow to find for matrix series."""
    D = made.slope
    text = str(D)
    if not made.tame or len(text) > CHECKED:
        return ""
    verdict = ic.check(text, D).verdict
    if verdict.startswith(FAULTY) or not verdict.startswith("right"):
        return f"{text} is said to be {verdict}"
    numbers = made.numbers(D)
    slow = any(isinstance(node, Matrix) and MATRICES[node.fn].along is not None for node in topological([D.node]))
    wrong = None if slow else _mutant(made, D)
    if wrong is not None and _differ(made.numbers(wrong), numbers) and ic.check(wrong, D):
        return f"{wrong} is said to be right for {text}"
    return ""


def _mutant(made: Examination, D: Any) -> Any:
    """A formula with a mistake in it: a sign, a factor, a term, or a transpose; None where there is none to be made."""
    kind = made.sample.seed % 4
    if kind == 0 and type(D.node) is Sum and len(D.node.terms) > 1:
        terms = addition(D.node.terms[:-1], D.node.shape)
        return ic.Expr(terms, D.free) if isinstance(D, ic.Expr) else ic.Array(terms, D.inputs)
    if kind == 1 and ".T" in str(D):
        head, _, tail = str(D).rpartition(".T")
        try:
            return ic.parse(head + tail, **D.declarations)
        except IndexCalcError:  # the shapes do not fit
            return None
    return -D if kind == 2 else 2 * D


def _differ(found: Numbers, wanted: Numbers) -> bool:
    """Are these other numbers, also as those of another layout, in which the axes stand otherwise?"""
    scale = max(float(np.max(np.abs(wanted), initial=0.0)), 1.0)
    orders = (np.transpose(wanted, axes) for axes in permutations(range(wanted.ndim)))
    same = (other for other in orders if other.shape == found.shape)
    return not any(float(np.max(np.abs(found - other), initial=0.0)) < APART * scale for other in same)


# ------------------------------------------------------------------ explain


def _explained(made: Examination) -> str:
    """Left and right of each line have equal numbers, and the last line is the derivative."""
    view, by = made.expression, made.targets[0]
    if not made.tame or len(str(view)) > EXPLAINED:
        return ""
    styles = ["index"] if isinstance(view, ic.Expr) and view.order else ["index", "differential"]
    return next((told for style in styles if (told := _lines(made, view, by, style))), "")


def _lines(made: Examination, view: Any, by: Any, style: str) -> str:
    explained = ic.explain(view, by, style=style, structure=made.sample.structure)
    for line in explained:
        order = line.left.free if isinstance(line.left, ic.Expr) else ()
        left, right = (_ordered(made, side, order) for side in (line.left, line.right))
        if told := made.apart(right, left, f"{line} in style {style}", EXACT, float(np.max(np.abs(left), initial=0.0))):
            return told
    wanted = made.numbers(made.slope)
    for one, what in ((explained.result, "the result"), (explained.lines[-1].right, "the last line")):
        indexed = isinstance(made.slope, ic.Expr) and isinstance(one, ic.Expr)
        order = made.order(one)["order"] if indexed else getattr(one, "free", ())
        found = _ordered(made, one, order).reshape(wanted.shape)
        if told := made.apart(found, wanted, f"{what} {one} in style {style}", EXACT):
            return told
    return ""


def _ordered(made: Examination, view: Any, order: Any) -> Numbers:
    """The numbers of a side of a line, its axes in this order; `dX` is a direction."""
    known = made.inputs | {f"d{name}": step for name, step in made.steps.items()}
    values = {tensor.label: known[tensor.label] for tensor in view.inputs}
    given = made.given(view.node, *view.inputs)
    own = {"order": order} if isinstance(view, ic.Expr) else {}
    return np.asarray(view.evaluate(values, **given, **own))


# ------------------------------------------------------------------ compressed


def _compressed(made: Examination) -> str:
    """What is held as factors is the dense array: itself, its products, its diagonal and its trace."""
    D = made.bend if made.sample.then and made.sample.whole else made.slope
    if not made.tame or D.order > MOST_AXES:
        return ""
    values = {tensor.label: made.inputs[tensor.label] for tensor in D.inputs}
    given = made.given(D.node, *D.inputs)
    held = D.compressed(values, **given)
    names = {str(index): index for index in getattr(D, "free", ())}
    order = {"order": tuple(names[name] for name in held.names)} if names else {}
    wanted = np.asarray(D.evaluate(values, **given, **order))
    scale = float(np.max(np.abs(wanted), initial=0.0))
    rows, columns = held.matrix_shape
    matrix = wanted.reshape(rows, columns)
    rng = np.random.default_rng([made.sample.seed, made.turn, 3])
    u, v = rng.uniform(-1, 1, rows), rng.uniform(-1, 1, columns)
    found: list[tuple[str, Any, Any]] = [
        ("todense", held.todense(), wanted),
        ("matvec", np.ravel(held.matvec(v)), matrix @ v),
        ("rmatvec", np.ravel(held.rmatvec(u)), matrix.T @ u),
    ]
    if held.rows == held.columns:
        found += [("diagonal", np.ravel(held.diagonal()), np.diag(matrix)), ("trace", held.trace(), np.trace(matrix))]
    if find_spec("scipy"):
        found.append(("tosparse", held.tosparse().toarray(), matrix))
    told = (made.apart(one, other, f"{what} of {D}, compressed,", EXACT, scale * columns) for what, one, other in found)
    return next(filter(None, told), "")


# ------------------------------------------------------------------ what it costs


def _foretold(made: Examination) -> str:
    """The shape and the bytes that are foretold of the derivative are those that it has, dense and held as factors."""
    D = made.slope
    if not made.tame:
        return ""
    sizes = {name: size for name, size in made.given(D.node, *D.inputs).items() if name in made.sample.sizes}
    told = ic.preflight(D, sizes)
    dense = made.numbers(D)
    values = {tensor.label: made.inputs[tensor.label] for tensor in D.inputs}
    held = D.compressed(values, **made.given(D.node, *D.inputs))
    wanted = (tuple(D.evaluate(values, **made.given(D.node, *D.inputs)).shape), dense.nbytes, held.nbytes)
    found = (told.shape, told.bytes, told.compressed_bytes)
    if found != wanted or told.peak_bytes < 0:
        return f"foretold of {D}: shape, bytes and compressed bytes {found}, and it has {wanted}"
    return ""


ASKED: Mapping[str, Callable[[Examination], str]] = {
    "check": _checked,
    "explain": _explained,
    "compressed": _compressed,
    "preflight": _foretold,
}
"""What is tried where a program asks for it."""
