"""Parts of matrix forms: `x[1:]`, `X[0]`, `X[:, -1]`, as Python writes them, of what selections and units pick.

A `part` has a form and, for its rows and columns, what is picked, None for all. A selection by itself is a part of the
unit matrix, `eye(n)[1:]`, and so is what puts entries back, `eye(n)[:, 1:]`.
"""

from __future__ import annotations

from indexcalc.functions.entries.choosing import LISTED, ONE_HOT
from indexcalc.graph.ranges import Range, one_entry
from indexcalc.writing.matrix.form import Form, Monomial
from indexcalc.writing.matrix.forms import Pick, form_of, ones, part, term_of, turn, zeros


def picked(left: Form, right: Form) -> Form | None:
    """Two neighbours in a matrix product, one of which picks of the other, as a part of that; None if neither does."""
    found = _picks(left)
    if found is not None and _may(right, found):
        return _rows(right, found)
    found = _picks(turn(right))
    if found is not None and _may(left, found):
        return turn(_rows(turn(left), found))
    return None


def _may(form: Form, pick: Pick) -> bool:
    """Is it shorter to read as a part? Of what is no name and no function integers are not picked."""
    if pick.told and form.kind == "turned":
        return form.parts[0].kind == "atom"
    return form.kind in ("atom", "call") if pick.told else form.kind not in ("diagm", "eye")


def _told(form: Form) -> str:
    """Integers as they stand in brackets, if they are a name or a list."""
    if form.kind == "atom" and form.vector:
        return str(form.data[0])
    if form.kind == "call" and form.data[0] == LISTED:
        return f"[{', '.join(str(value) for _, value in form.data[1])}]"
    return ""


def _picks(form: Form) -> Pick | None:
    """What a matrix picks of the rows of what is behind it, if it is one that does: a row for a unit."""
    if form.kind == "part" and form.parts[0].kind == "eye" and form.cols is not None and form.data[1] is None:
        pick: Pick = form.data[0]
        return pick
    if form.kind == "call" and form.data[0] == ONE_HOT and form.rows is not None and form.cols is not None:
        told = _told(form.parts[0])
        return Pick(Range(0, 1, form.rows, form.cols), told=told) if told else None
    unit = turn(form) if form.rows is None and form.cols is not None else None
    if unit is None:
        return None
    if unit.kind == "part" and unit.parts[0].kind == "eye" and unit.data[1] is None:
        pick = unit.data[0]
        return pick if pick.entry else None
    if unit.kind == "call" and unit.data[0] == "unit" and len(unit.data[1]) == 2:
        (_, place), (_, length) = unit.data[1]
        return Pick(one_entry(place, length), True)
    return None


def _rows(form: Form, pick: Pick) -> Form:
    """The rows of a form that are picked: of a column, its entries."""
    if form.kind in ("ones", "zeros"):
        made = ones if form.kind == "ones" else zeros
        return made(None if pick.entry else pick.range.size, form.cols)
    term = term_of(form)
    if term.coef != 1 or term.scalars:
        links = (_rows(term.links[0], pick), *term.links[1:])
        return form_of(Monomial(term.coef, term.scalars, links))
    if form.kind == "turned" or (form.kind == "atom" and form.data[1]):
        return _columns(turn(form), pick)
    if _is_told(form):
        return part(form, pick)
    if form.kind == "part" and form.parts[0].rows is not None:
        rows, cols = form.data
        if rows is not None and rows.entry:
            return turn(part(form.parts[0], rows, _within(pick, cols)))
        return part(form.parts[0], _within(pick, rows), cols)
    return part(form, pick)


def _is_told(form: Form) -> bool:
    """Is this a part that integers have picked, of which nothing else is picked in the same brackets?"""
    return form.kind == "part" and any(pick is not None and pick.told for pick in form.data)


def _columns(form: Form, pick: Pick) -> Form:
    """The transpose of the columns of a form that are picked."""
    if _is_told(form):
        return turn(part(form, None, pick))
    if form.kind == "part" and (form.data[1] is None or not form.data[1].entry):
        return turn(part(form.parts[0], form.data[0], _within(pick, form.data[1])))
    return turn(part(form, None, pick))


def _within(pick: Pick, outer: Pick | None) -> Pick:
    """What is picked of what another one has picked, picked at once."""
    return pick if outer is None else Pick(pick.range.within(outer.range), pick.entry)


def keys_of(form: Form, vectors: str) -> list[str]:
    """What stands in the brackets of a part; that of a vector has two axes where these stand as columns or rows.

    >>> from indexcalc.writing.matrix.forms import atom
    >>> keys_of(part(atom("x", 5, None), Pick(one_entry(3, 5), True)), "column")
    ['3', '0']
    """
    rows, cols = form.data
    keys = [":" if pick is None else pick.text for pick in (rows, cols)]
    if form.parts[0].vector:
        beside = "0" if rows.entry else ":"
        keys = {"numpy": keys[:1], "column": [keys[0], beside], "row": [beside, keys[0]]}[vectors]
    return keys[:-1] if keys[-1] == ":" else keys
