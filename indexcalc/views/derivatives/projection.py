"""Derivatives laid out: an `Array` whose axes are the rows and columns that a convention wants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from indexcalc.engine.wanted import Wanted
from indexcalc.errors import Asked
from indexcalc.index import Index
from indexcalc.layout.conventions import Groups
from indexcalc.layout.project import Held, Laid, matrix_of_groups, project
from indexcalc.layout.with_numpy import numpy_text
from indexcalc.surface import public
from indexcalc.views.array import Array
from indexcalc.views.derivatives.derivative import ArrayDerivative, Derivative
from indexcalc.views.expr import Expr
from indexcalc.views.placed import orientation_of
from indexcalc.views.view import View


@public
class Layout(Array):
    """A tensor laid out: an `Array` that knows its convention, and what was dropped (`note`).

    It evaluates to the shape that it shows.

    `groups` has, for each of its axes, the axes of the derivative that it runs over, the outermost first.
    """

    __slots__ = ("convention", "groups", "note")
    convention: str
    groups: Groups
    note: str

    def wanted(self, order: Sequence[Any] | None = None) -> Wanted:
        """What the engine is told of it: its unit axes are axes of the result too."""
        made = super().wanted(order)
        if order is not None or None not in self.places:
            return made
        return made._replace(units=tuple(None if place is None else slice(None) for place in self.places))


def layout_of(derivative: Derivative | ArrayDerivative, name: str) -> Layout:
    """The derivative in a named layout: an Array, whose axes run over free indices, or axes by number.

    Errors: LayoutError where there is no such convention, or where it holds no such derivative.

    >>> import indexcalc as ic
    >>> A, x = ic.tensor("A", "m n"), ic.tensor("x", "n")
    >>> layout_of(ic.derivative(A @ x, x), "denominator")
    A.T
    """
    laid = project(held(derivative), name, Asked(lambda: f"({derivative}).layout({name!r})"))
    return _shown(derivative, laid, name)


def held(derivative: Derivative | ArrayDerivative) -> Held:
    """What there is to lay out of a derivative."""
    targets = tuple(target.node for target in derivative.targets)
    return Held(derivative.shown, axes_of(derivative), parts_of(derivative), targets, derivative.structures)


def axes_of(derivative: Derivative | ArrayDerivative) -> tuple[Any, ...]:
    """What the axes of a derivative are called: free indices, or numbers."""
    return derivative.indices if isinstance(derivative, Derivative) else tuple(range(derivative.order))


def parts_of(derivative: Derivative | ArrayDerivative) -> tuple[tuple[Any, ...], ...]:
    """The axes of what was differentiated, then those of each variable.

    >>> import indexcalc as ic
    >>> X, W = ic.tensor("X", "n d"), ic.tensor("W", "d m")
    >>> parts_of(ic.derivative(X @ W, W))
    ((0, 1), (2, 3))
    """
    taken: set[Any] = set()
    parts = []
    for part in (derivative.of, *derivative.groups):
        parts.append(tuple(axis for axis in part if axis in axes_of(derivative) and axis not in taken))
        taken.update(part)
    return tuple(parts)


def numpy_of(derivative: Derivative | ArrayDerivative, laid: Layout) -> str:
    """What makes the numbers of a layout from those of the derivative: see `layout/with_numpy.py`.

    >>> import indexcalc as ic
    >>> A, X = ic.tensor("A", "p n"), ic.tensor("X", "n m")
    >>> D = ic.derivative(A @ X, X)
    >>> numpy_of(D, D.layout("magnus-neudecker"))
    'D.reshape(m*p, m*n, order="F")'
    """
    axes = derivative.free if isinstance(derivative, Derivative) else range(derivative.order)
    return numpy_text(held(derivative), axes, laid.groups, laid.convention)


def matrix_expr(expr: Expr, rows: Sequence[Index], cols: Sequence[Index], order: str | None) -> Array:
    """The matrix whose rows run over the free indices `rows`, its columns over `cols`."""
    return _shown(expr, matrix_of_groups(expr.shown, expr.indices, rows, cols, order, expr))


def matrix_array(array: Array, rows: Sequence[int], cols: Sequence[int], order: str | None) -> Array:
    """The matrix whose rows run over the axes `rows`, by number, its columns over `cols`."""
    return _shown(array, matrix_of_groups(array.shown, tuple(range(array.order)), rows, cols, order, array))


def _shown(view: View, laid: Laid, convention: str = "") -> Layout:
    """The Array of what was laid out; where that has rows and columns, its text means vectors as columns."""
    vectors, turned = orientation_of([view])
    if len(laid.groups) == 2:
        vectors, turned = orientation_of([view, Array(view.node, view.inputs, None, "column")])
    made = Layout(laid.node, view.inputs, laid.places, vectors, turned)
    made.convention, made.note, made.groups = convention, laid.note, laid.groups
    return made
