"""The table of conventions: how a derivative's axes become rows and columns, one row a convention.

A convention is added by adding a row. `place` gets the axes of what was differentiated (`numerator`) and of what it
was differentiated by (`denominator`), each in its own order, and returns the groups of axes that become the axes of
the result; inside a group the outermost comes first, so a column-major vec is the reversed list.

A second derivative is the derivative of the first: its numerator has the axes of the first variable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from indexcalc.errors import Asked, LayoutError

Axes = tuple[Any, ...]
Groups = tuple[Axes, ...]


class Convention(NamedTuple):
    """One row: its name, who uses it, where rows and columns come from, the order of vec, and the rule itself."""

    name: str
    users: str
    rows: str
    vec: str
    place: Callable[[str | Asked, Axes, Axes], Groups]


def numerator(asked: str | Asked, top: Axes, bottom: Axes) -> Groups:
    """The axes of the numerator, then those of the denominator reversed; one alone is a column or a row."""
    axes = (*top, *reversed(bottom))
    if len(axes) > 2:
        raise LayoutError(asked, f"{len(axes)} axes, and a matrix has two", "")
    if len(axes) == 2:
        return (axes[:1], axes[1:])
    return (top, bottom)


def denominator(asked: str | Asked, top: Axes, bottom: Axes) -> Groups:
    """The transpose of the numerator layout."""
    rows, columns = numerator(asked, top, bottom)
    return columns, rows


def mixed(asked: str | Asked, top: Axes, bottom: Axes) -> Groups:
    """Denominator layout for a scalar by anything, numerator layout for the rest."""
    return numerator(asked, top, bottom) if top else denominator(asked, top, bottom)


def gradient(asked: str | Asked, top: Axes, bottom: Axes) -> Groups:
    """The shape of the variable, for a scalar."""
    if top:
        raise LayoutError(
            asked,
            "a gradient is of a scalar, and this has axes of its own",
            'contract it first (ic.vjp), or name "jax" for all axes',
        )
    return tuple((axis,) for axis in bottom)


def tensor(asked: str | Asked, top: Axes, bottom: Axes) -> Groups:
    """All axes: the numerator's, then the denominator's."""
    return tuple((axis,) for axis in (*top, *bottom))


def vectorised(asked: str | Asked, top: Axes, bottom: Axes) -> Groups:
    """`∂ vec Y / ∂ (vec X)ᵀ`, both column by column: a row where Y is a scalar."""
    return tuple(reversed(top)), tuple(reversed(bottom))


CONVENTIONS: dict[str, Convention] = {
    row.name: row
    for row in (
        Convention(
            "numerator",
            "Wikipedia's numerator (Jacobian) layout; most lecture notes on the chain rule",
            "rows from the numerator, columns from the denominator; a scalar by a vector is a row, by a "
            "matrix has its transpose's shape",
            "",
            numerator,
        ),
        Convention(
            "denominator",
            "Wikipedia's denominator (Hessian) layout; statistics and econometrics",
            "rows from the denominator, columns from the numerator; a scalar by a vector is a column, by a "
            "matrix has its shape",
            "",
            denominator,
        ),
        Convention(
            "mixed",
            "matrixcalculus.org; gradients as columns beside Jacobians",
            "denominator layout for a scalar by anything, numerator layout for the rest",
            "",
            mixed,
        ),
        Convention(
            "cookbook",
            "The Matrix Cookbook (Petersen and Pedersen)",
            "as mixed; a matrix by a matrix is written by entries",
            "",
            mixed,
        ),
        Convention(
            "gradient",
            "deep learning: the gradient that is subtracted from the parameter",
            "the shape of the variable; scalars only",
            "",
            gradient,
        ),
        Convention(
            "jax",
            "jax.jacobian, torch.func.jacrev",
            "all axes: those of the value, then those of the variable",
            "",
            tensor,
        ),
        Convention("tensor", "index notation", "all axes: those of the value, then those of the variable", "", tensor),
        Convention(
            "magnus-neudecker",
            "Magnus and Neudecker, Matrix Differential Calculus",
            "∂ vec Y / ∂ (vec X)ᵀ: rows from vec Y, columns from vec X; a scalar gives a row",
            "column by column (F)",
            vectorised,
        ),
    )
}
