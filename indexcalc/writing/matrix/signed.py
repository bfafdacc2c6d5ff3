"""Signs of sums in matrix forms: where a product has a sum an even number of times, it stands as in the graph."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from indexcalc.graph.node import Node, Sum, topological
from indexcalc.writing.matrix.form import TERM, Form, kept
from indexcalc.writing.matrix.forms import LINEAR, negative, opposite, term_of


def as_in(form: Form, node: Node) -> Form:
    """The form of a node with the signs of sums that are free as they are in the node.

    >>> from indexcalc.writing.matrix.forms import atom
    >>> from indexcalc.graph.constructors import variable
    >>> as_in(atom("x", 3, None), variable("x", (3,)))
    <atom x 3xNone cost=1>
    """
    turned = _turned_in(node) if has_differences(form) else set()
    return Signs(turned).of(form) if turned else form


def _turned_in(node: Node) -> set[Form]:
    """The sums of a graph that forms have with the other sign."""
    kept: set[Form] = set()
    turned: set[Form] = set()
    for inner in topological([node]):
        form = inner.facts.get("matrix form")
        if isinstance(inner, Sum) and isinstance(form, Form):
            coef, scalars, links = term_of(form)
            alone = [*(part for part, _ in scalars), *links]
            if len(alone) == 1 and not isinstance(coef, complex):
                (turned if negative(coef) else kept).add(_upright(alone[0]))
    return {form for form in turned - kept if form.kind == "sum" and opposite(form) is not None}


class Signs:
    """The signs of the sums of one form, those that stand the other way in the graph, found once for each part."""

    def __init__(self, turned: Collection[Form]) -> None:
        self.turned = turned
        self.done: dict[bytes, Form] = {}
        self.odd: dict[bytes, dict[Form, bool]] = {}

    def of(self, form: Form) -> Form:
        """A form by itself: signs are free within it, not beyond it."""
        if not has_differences(form):
            return form
        if form.digest not in self.done:
            odd = self._odd(form)
            self.done[form.digest] = self._within(form, {one for one, is_odd in odd.items() if not is_odd})
        return self.done[form.digest]

    def _within(self, form: Form, free: Collection[Form]) -> Form:
        if form in free:
            other = opposite(form)
            assert other is not None
            return other
        if not has_differences(form):
            return form
        exponents = _exponents(form)
        parts = tuple(
            self.of(part) if exponent is None or (exponent != 1 and part not in free) else self._within(part, free)
            for part, exponent in zip(form.parts, exponents, strict=True)
        )
        if all(one is other for one, other in zip(parts, form.parts, strict=True)):
            return form
        return Form(form.kind, parts, form.data, form.rows, form.cols, form.cost, form.same)

    def _odd(self, form: Form) -> dict[Form, bool]:
        """The sums among the factors of a form that stand the other way, and whether their number is odd."""
        if form.digest not in self.odd:
            self.odd[form.digest] = {form: True} if form in self.turned else self._odd_parts(form)
        return self.odd[form.digest]

    def _odd_parts(self, form: Form) -> dict[Form, bool]:
        found: dict[Form, bool] = {}
        if not has_differences(form):
            return found
        for part, exponent in zip(form.parts, _exponents(form), strict=True):
            if exponent == 1:
                for one, odd in self._odd(part).items():
                    found[one] = found.get(one, False) != odd
            elif part in self.turned and exponent is not None:
                found[part] = not isinstance(exponent, int) or found.get(part, False) != bool(exponent % 2)
        return found


@kept
def has_differences(form: Form) -> bool:
    """Is there a sum in it whose signs may change?"""
    return (form.kind == "sum" and opposite(form) is not None) or any(map(has_differences, form.parts))


def _exponents(form: Form) -> Sequence[object]:
    """How often each part of a form is a factor of it; None where it is none."""
    if form.kind == TERM:
        _, exponents, links = form.data
        return (*exponents, *(1,) * links)
    if form.kind == "had":
        exponents = form.data
        return tuple(exponents)
    linear = form.kind in ("chain", "turned", "diagm", "part") or (form.kind == "call" and form.data[0] in LINEAR)
    return (1 if linear else None,) * len(form.parts)


def _upright(form: Form) -> Form:
    return form.parts[0] if form.kind == "turned" else form
