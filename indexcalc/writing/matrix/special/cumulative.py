"""Cumulative sums in text: a triangle of ones times a form is `cumsum` of that."""

from __future__ import annotations

from collections.abc import Sequence

from indexcalc.functions.reductions import CUMULATIVE
from indexcalc.writing.matrix.form import Form, kept
from indexcalc.writing.matrix.forms import call, chain, form_of, term_of, turn


@kept
def with_sums(form: Form) -> Form:
    """The form with products with triangles of ones as cumulative sums.

    >>> from indexcalc.writing.matrix.forms import atom, ones
    >>> triangle = call("tril", [ones(3, 3)], 3, 3)
    >>> with_sums(chain([triangle, atom("x", 3, None)])).data
    ('cumsum', (), False)
    """
    if not _has_triangle(form):
        return form
    if form.kind == "turned":
        return turn(with_sums(form.parts[0]))
    parts = tuple(map(with_sums, form.parts))
    if not all(one is other for one, other in zip(parts, form.parts, strict=True)):
        saved = sum(part.cost for part in form.parts) - sum(part.cost for part in parts)
        form = Form(form.kind, parts, form.data, form.rows, form.cols, form.cost - saved, form.same)
    if form.kind == "chain":
        return chain(_summed(form.parts))
    term = term_of(form)
    return form_of(term._replace(links=tuple(_summed(term.links)))) if len(term.links) > 1 else form


def _summed(links: Sequence[Form]) -> Sequence[Form]:
    """The links of a product, each triangle and what it is multiplied with as one: sums along rows or columns."""
    for k in range(len(links) - 2, -1, -1):
        if _is_triangle(links[k]):
            inner = chain(links[k + 1 :])
            made = call(CUMULATIVE, [inner], inner.rows, inner.cols, () if inner.vector else (("axis", 0),))
            return _summed([*links[:k], made])
    for k in range(1, len(links)):
        if links[0].rows is not None and _is_triangle(turn(links[k])):
            inner = chain(links[:k])
            return [call(CUMULATIVE, [inner], inner.rows, inner.cols, (("axis", 1),)), *links[k + 1 :]]
    return links


@kept
def _has_triangle(form: Form) -> bool:
    return _is_triangle(form) or any(map(_has_triangle, form.parts))


def _is_triangle(form: Form) -> bool:
    """Is this the square lower triangle of ones?"""
    own = form.kind == "call" and form.data[0] == "tril" and form.rows == form.cols
    return own and form.parts[0].kind == "ones" and not form.data[1]
