"""Cumulative sums in text: a triangle of ones times a form is `cumsum` of that."""

from __future__ import annotations

from collections.abc import Sequence

from indexcalc.functions.reductions import CUMULATIVE
from indexcalc.writing.matrix.forms import Form, call, chain, turn


def with_sums(form: Form) -> Form:
    """The form with products with triangles of ones as cumulative sums.

    >>> from indexcalc.writing.matrix.forms import atom, ones
    >>> triangle = call("tril", [ones(3, 3)], 3, 3)
    >>> with_sums(chain([triangle, atom("x", 3, None)])).data
    ('cumsum', (), False)
    """
    if not form.parts:
        return form
    if form.kind == "turned":
        return turn(with_sums(form.parts[0]))
    parts = tuple(map(with_sums, form.parts))
    if form.kind == "chain":
        return _summed(parts)
    if all(one is other for one, other in zip(parts, form.parts, strict=True)):
        return form
    saved = sum(part.cost for part in form.parts) - sum(part.cost for part in parts)
    return Form(form.kind, parts, form.data, form.rows, form.cols, form.cost - saved, form.same)


def _summed(links: Sequence[Form]) -> Form:
    """A product, the triangles at its ends taken as sums along rows and columns."""
    if len(links) > 1 and _is_triangle(links[0]):
        inner = _summed(links[1:])
        along = () if inner.vector else (("axis", 0),)
        return call(CUMULATIVE, [inner], inner.rows, inner.cols, along)
    if len(links) > 1 and links[0].rows is not None and _is_triangle(turn(links[-1])):
        inner = _summed(links[:-1])
        return call(CUMULATIVE, [inner], inner.rows, inner.cols, (("axis", 1),))
    return chain(links)


def _is_triangle(form: Form) -> bool:
    """Is this the square lower triangle of ones?"""
    own = form.kind == "call" and form.data[0] == "tril" and form.rows == form.cols
    return own and form.parts[0].kind == "ones" and not form.data[1]
