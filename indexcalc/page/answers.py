"""Answers: from what the page asks, a table, to what it shows, a table. Text is parsed, never run."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from itertools import count
from typing import Any

import numpy as np

from indexcalc.checking.point import point
from indexcalc.checking.verify import verify
from indexcalc.engine.bind.inputs import symbols_below
from indexcalc.engine.compile.source import to_source
from indexcalc.errors import IndexCalcError, KindError, did_you_mean
from indexcalc.explaining.derivation import STYLES, explain
from indexcalc.functions.code.text import MODULES
from indexcalc.page.question import Declaration, Inquiry, Question
from indexcalc.reading.reader import parse
from indexcalc.reading.tokens.dialects import DIALECTS
from indexcalc.views.array import Array
from indexcalc.views.assumptions import ASSUMPTIONS
from indexcalc.views.derivatives.derivative import MEANING, ArrayDerivative, Derivative
from indexcalc.views.derivatives.panel import Layouts, Row, layouts
from indexcalc.writing.standing import ORIENTATIONS

Table = dict[str, Any]
STANDING = ("column", "row")
"""How vectors stand in books."""
SMALLEST = 2
"""The first size of a dimension where numbers are shown: the others are one more each, so that none are equal."""
MOST_NUMBERS = 2000
"""Entries of an array that are shown: about a screen, and a reader has seen enough."""
TEXTS = ("formula", "by", "vectors", "syntax", "structure", "batch")
OWN = ("target", "style", "check", "layout", "seed")
"""What some questions say beside the formula."""


def request_of(asked: Mapping[str, Any]) -> Inquiry:
    """A request, from a table whose values are of the kinds that they have to be.

    >>> request_of({"formula": "x'x", "by": "x", "declared": [{"name": "x", "dims": "n"}]}).declared
    (Declaration(name='x', dims='n', assume=(), gradient=''),)
    """
    for name in asked:
        if name not in (*TEXTS, *OWN, "declared"):
            raise KindError(name, "no question has this", did_you_mean(name, (*TEXTS, *OWN, "declared")))
    texts = {name: _text(asked, name) for name in TEXTS if name in asked}
    _one_of(texts.get("vectors", "numpy"), "vectors", ORIENTATIONS)
    _one_of(texts.get("structure", "projected"), "structure", MEANING)
    rows = asked.get("declared", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise KindError("declared", "it is no list of tables", 'give [{"name": "W", "dims": "n m"}]')
    return Inquiry(**{"formula": "", **texts}, declared=tuple(map(_declared, rows)))


def _declared(row: Mapping[str, Any]) -> Declaration:
    words = row.get("assume", [])
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise KindError("assume", "it is no list of words", 'give ["symmetric"]')
    return Declaration(_text(row, "name"), _text(row, "dims"), tuple(words), _text(row, "gradient"))


def _text(table: Mapping[str, Any], name: str, default: str = "") -> str:
    value = table.get(name, default)
    if not isinstance(value, str):
        raise KindError(name, f"a {type(value).__name__} is no text", "give a text")
    return value


def _one_of(value: str, name: str, known: Any) -> str:
    if value not in known:
        raise KindError(f"{name}={value!r}", "it is not known", did_you_mean(value, known))
    return value


# ------------------------------------------------------------------ the answers


def derive(asked: Mapping[str, Any]) -> Table:
    """The formula as it was read, its variables, and the derivative with its layouts.

    >>> answer = derive({"formula": "Y = X W + B", "by": "dL/dW"})
    >>> answer["result"]["text"], [group["names"][0] for group in answer["groups"]]
    ('X.T @ G', ['numerator', 'denominator', 'magnus-neudecker', 'vec-rows'])
    """
    request = request_of(asked)
    one = request.question()
    value = one.value
    table: Table = {"expression": str(value), "latex": value.latex(), "note": one.note, "by": one.by}
    table |= {"variables": request.variables(one), "result": None}
    if one.targets or isinstance(value, Derivative | ArrayDerivative):
        result = one.result
        shape = [str(dim) for dim in result.shape]
        full = result.latex(lhs=one.named or True)
        said = {"text": str(result), "latex": result.latex(), "full": full, "note": result.note}
        return table | {"result": {**said, "shape": shape}} | _panel(layouts(result), result)
    return table


def _panel(panel: Layouts, result: Derivative | ArrayDerivative) -> Table:
    """The layouts, those together that are equal; why others hold no such tensor; and what is made of more axes."""
    groups: dict[Any, list[Row]] = {}
    for row in panel.held:
        groups.setdefault((row.shape, row.formula), []).append(row)
    held = [
        _row(rows[0]) | {"names": [row.name for row in rows], "stands": _standing(result.layout(rows[0].name))}
        for rows in groups.values()
    ]
    refused = [{"names": names, "why": why} for why, names in panel.refused.items()]
    views = [_row(row) | {"names": [row.name]} for row in panel.views]
    return {"groups": held, "refused": refused, "views": views, "axes": list(panel.heading[1:])}


def _standing(laid: Array) -> list[Table]:
    """The formula of a layout with vectors as columns, and as rows, where these are two, and closed forms."""
    if laid.ndim != 2 or laid.turned or not any(variable.order == 1 for variable in laid.inputs):
        return []
    both = {kind: Array(laid.node, laid.inputs, laid.places, kind) for kind in STANDING}
    if len({array.latex() for array in both.values()}) < 2 or not all(one.formula().closed for one in both.values()):
        return []
    return [{"vectors": kind, "latex": array.latex(), "text": str(array)} for kind, array in both.items()]


def _row(row: Row) -> Table:
    axes, _, run = row.axes.partition(", ")
    return {
        "shape": [str(dim) for dim in row.shape or ()], "axes": axes.split(" × ") if axes else [], "run": run,
        "formula": row.formula, "latex": row.latex, "numpy": row.numpy, "note": row.note,
    }  # fmt: skip


def steps(asked: Mapping[str, Any]) -> Table:
    """The derivation, line by line, each with its rule; of several derivatives the last one's.

    >>> [line["rule"] for line in steps({"formula": "x_i W_ij", "by": "W_kl"})["lines"]][-1]
    'each delta renames a summed index'
    """
    one = request_of(asked).question()
    value, target = one.last
    style = _one_of(_text(asked, "style", STYLES[0]), "style", STYLES)
    made = explain(value, target, style=style, structure=one.structure)
    lines = [
        {"left": line.title, "right": line.text, "rule": line.rule, "latex": f"{line.latex_title} = {line.latex_text}"}
        for line in made.lines
    ]
    return {"lines": lines, "remarks": list(made.remarks), "style": style, "styles": list(STYLES)}


def source(asked: Mapping[str, Any]) -> Table:
    """The source of the derivative, or of the formula, for a library.

    >>> "import jax" in source({"formula": "norm2(x)**2", "by": "x", "target": "jax"})["source"]
    True
    """
    one = request_of(asked).question()
    target = _one_of(_text(asked, "target", next(iter(MODULES))), "target", MODULES)
    return {"target": target, "targets": list(MODULES), "source": to_source(one.result, one.inputs, target=target)}


def judge(asked: Mapping[str, Any]) -> Table:
    """Whether a formula that somebody derived is right, in which layouts, and what would mend it.

    >>> judge({"formula": "norm2(X w - y)**2", "by": "w", "check": "X'(X w - y)"})["verdict"]
    'right but for a factor'
    """
    one = request_of(asked).question()
    formula = _text(asked, "check")
    if not formula.strip():
        raise KindError("check", "there is no formula", "paste yours")
    report = one.judged(formula, one.result, _text(asked, "layout") or None)
    values = {field.name: getattr(report, field.name) for field in fields(report)}
    table: Table = {name: value for name, value in values.items() if isinstance(value, str | bool)}
    table |= {"right": report.right, "layouts": list(report.layouts), "faults": list(report.faults)}
    told = {"difference": str(report.difference or ""), "example": str(report.example or ""), "text": str(report)}
    return table | told | {"kind": _kind(report.verdict), "latex": _latex_of(formula, one)}


def _kind(verdict: str) -> str:
    """The colour of a verdict: right, partly right, wrong."""
    return verdict if verdict in ("right", "wrong") else "partly"


def _latex_of(formula: str, one: Question) -> str:
    """A formula as it was read, where it can be read by itself."""
    try:
        return str(parse(formula, **one.known).latex())
    except IndexCalcError:
        return ""


def numbers(asked: Mapping[str, Any]) -> Table:
    """Small random inputs, the derivative's numbers there, and what finite differences say of it.

    >>> answer = numbers({"formula": "A x", "by": "x"})
    >>> answer["sizes"], answer["shape"], answer["check"]["agrees"]
    ({'n': 2, 'd': 3}, [2, 3], True)
    """
    one = request_of(asked).question()
    result = one.result
    symbols = symbols_below([result.node, *result.inputs])
    sizes = dict(zip(_in_order(symbols, one), count(SMALLEST), strict=False))
    seed = asked.get("seed", 0)
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise KindError(f"seed={seed!r}", "it is no whole number", "give one, 0 say")
    inputs = point(result, sizes, seed)
    values = result.evaluate(**inputs)
    arrays = [{"name": name, **_shown(value)} for name, value in inputs.items() if not callable(value)]
    given = [row for row in arrays if row["name"] not in sizes]
    functions = [name for name, value in inputs.items() if callable(value)]
    check = checked(result) if isinstance(result, Derivative | ArrayDerivative) else None
    return {"sizes": sizes, "inputs": given, "functions": functions, **_shown(values), "check": check, "seed": seed}


def _in_order(symbols: Any, one: Question) -> list[str]:
    """Symbols of dimensions in the order in which the variables have them."""
    said = [str(dim) for view in (*one.value.variables.values(), one.result) for dim in view.node.dims]
    return [*dict.fromkeys(name for name in said if name in symbols), *sorted(set(symbols) - set(said))]


def _shown(value: Any) -> Table:
    """An array as lists, or none where it is too long to be shown."""
    array = np.asarray(value)
    few = array.size <= MOST_NUMBERS
    return {"shape": list(array.shape), "values": _rounded(array.tolist()) if few else None}


def _rounded(value: Any) -> Any:
    """Lists whose entries have four digits, and are JSON: what is no real number is a word."""
    if isinstance(value, list):
        return [_rounded(entry) for entry in value]
    text = f"{value:.4g}"
    return text if isinstance(value, complex) or not math.isfinite(value) else float(text)


def checked(result: Derivative | ArrayDerivative) -> Table:
    """The check by numbers, or why there is none."""
    try:
        outcome = verify(result)
    except IndexCalcError as error:
        return {"done": False, "text": f"not checked by numbers: {error.found}"}
    return {"done": True, "agrees": bool(outcome), "error": outcome.error, "sizes": outcome.sizes, "text": outcome.line}


def picture(asked: Mapping[str, Any]) -> Table:
    """The derivative as a diagram, an SVG, with what it shows in words.

    >>> picture({"formula": "A B x", "by": "x"})["text"]
    'diagram of A @ B: 2 tensors, 0 functions, 3 wires'
    """
    drawn = request_of(asked).question().result.diagram()
    return {"svg": drawn.svg, "text": str(drawn)}


def choices(_: Mapping[str, Any]) -> Table:
    """What may be chosen on the page.

    >>> choices({})["syntaxes"]
    ['text', 'latex', 'matlab', 'python']
    """
    return {
        "syntaxes": list(DIALECTS), "vectors": list(ORIENTATIONS), "structures": dict(MEANING),
        "targets": list(MODULES), "assumptions": list(ASSUMPTIONS), "styles": list(STYLES),
    }  # fmt: skip


ANSWERS: dict[str, Callable[[Mapping[str, Any]], Table]] = {
    "derive": derive, "steps": steps, "source": source, "check": judge, "numbers": numbers, "picture": picture,
    "choices": choices,
}  # fmt: skip
"""The answer to each kind of question, by its name in the address."""


def answer(verb: str, asked: Mapping[str, Any]) -> Table:
    """The answer to a question of the page: what it asks, or an error with its three parts.

    >>> answer("derive", {"formula": "x[", "by": "x"})["error"]["found"]
    'column 3: expected + or -, ..., :, [, a name, a number; found the text ends'
    """
    try:
        return ANSWERS[verb](asked)
    except IndexCalcError as error:
        parts = {"asked": error.asked, "found": error.found, "instead": error.instead}
        return {"error": {"kind": type(error).__name__, "text": str(error), **parts}, **_despite(asked)}


def _despite(asked: Mapping[str, Any]) -> Table:
    """What can be said of a formula that was not read: its names, and how vectors would have to be meant."""
    try:
        request = request_of(asked)
        found = {"variables": request.variables(None)}
    except IndexCalcError:
        return {}
    reads = []
    for vectors in ORIENTATIONS:
        try:
            if vectors != request.vectors:
                request._replace(vectors=vectors).question()
                reads.append(vectors)
        except IndexCalcError:
            continue
    return found | {"reads": reads}
