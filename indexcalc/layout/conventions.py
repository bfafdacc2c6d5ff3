"""The table of conventions: how a derivative's axes become rows and columns, one row a convention.

A convention is added by adding a row. `place` gets what was asked, for an error, and the axes of what was
differentiated (`top`) and of what it was differentiated by (`bottom`), each in its own order, and returns the groups of
axes that become the axes of the result; inside a group the outermost comes first, so a column-major vec is the
reversed list. A second derivative is the derivative of the first: its `top` has the axes of the first variable.

A row with a `pack` first makes one axis of each symmetric pair. Coordinates {T} of a symmetric T, one for each entry on
or above the diagonal, are {T}_a = V[i,j,a] T[i,j], and T[i,j] = U[i,j,a] {T}_a. The pair of a value is contracted with
V, that of a variable with U: ∂{Y}_a/∂{X}_b = V[i,j,a] (∂Y[i,j]/∂X[k,l]) U[k,l,b]. Since U is symmetric in k and l it
does not matter whether ∂Y/∂X is the projected derivative or the free one: both give the derivative along symmetric X.

    convention     value V                  variable U                what it is
    vech           entries i >= j           1 at (k,l) and at (l,k)   ∂vech Y/∂(vech X)ᵀ
    voigt-stress   T_ij                     1/2 at both, so T_kl      Y stress-like, X strain-like: C_IJ = C_ijkl
    voigt-strain   T_ij, 2 T_ij for shear   1 at both                 Y strain-like, X stress-like: factors 1, 2, 4
    mandel         T_ij, √2 T_ij for shear  1/√2 at both              orthonormal coordinates: factors 1, √2, 2

A stress-like vector has plain entries, a strain-like one twice the shear (the engineering strain γ = 2ε), so that
σ_I ε_I = σ_ij ε_ij. A derivative by a strain-like vector is stress-like: ∂ψ/∂γ_23 = σ_23 from ∂ψ/∂ε_ij = σ_ij.

Sources: J. Magnus and H. Neudecker, Matrix Differential Calculus, chapters 3 and 9 (vec, vech, the chain rule);
W. Voigt, Lehrbuch der Kristallphysik, 1910; J. Mandel, International Journal of Solids and Structures 1, 1965;
P. Helnwein, Computer Methods in Applied Mechanics and Engineering 190, 2001.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from indexcalc.errors import Asked, LayoutError, counted
from indexcalc.functions.known import SHEAR, both_places, lower_places, voigt_places
from indexcalc.graph.node import Node
from indexcalc.index import Dimension

Axes = tuple[Any, ...]
Groups = tuple[Axes, ...]


class Chain(NamedTuple):
    """The chain rule for Z(Y(X)) in a convention: where its factors stand.

    `numpy` gives dZ/dX from `outer` = dZ/dY and `inner` = dY/dX in this convention; in it `scalar` says whether Z is a
    scalar, `order` is that of Y. It is "" where no such product exists, and `words` says why.
    """

    numpy: str
    words: str


class Example(NamedTuple):
    """The derivative of an expression by one of its tensors, and what its layout prints.

    `tensors` has the dimensions of each; those named in `symmetric` are declared so. Vectors stand as columns.
    """

    expression: str
    by: str
    tensors: Mapping[str, str]
    formula: str
    shape: str
    symmetric: str = ""
    order: int = 1


class Pack(NamedTuple):
    """How a symmetric pair of axes becomes one, in the value and in a variable; see the top of this page.

    `factors` are those of the entries off the diagonal, in the value and in a variable, where the derivative is the
    projected one; `voigt` says whether the entries stand in Voigt's order or in that of vech.
    """

    value: Callable[[Dimension], Node]
    variable: Callable[[Dimension], Node]
    factors: tuple[float, float]
    voigt: bool


class Convention(NamedTuple):
    """One row of the table of conventions.

    Its name, who uses it, where rows and columns come from, the order of vec, the order of the chain rule's factors, an
    example, the rule itself, and how symmetric pairs are packed.
    """

    name: str
    users: str
    rows: str
    vec: str
    chain: Chain
    example: Example
    place: Callable[[str | Asked, Axes, Axes], Groups]
    pack: Pack | None = None


def numerator(asked: str | Asked, top: Axes, bottom: Axes) -> Groups:
    """The axes of the numerator, then those of the denominator reversed; one alone is a column or a row."""
    axes = (*top, *reversed(bottom))
    if len(axes) > 2:
        raise LayoutError(asked, f"{counted(len(axes), 'axis')}, and a matrix has two", "")
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


def by_columns(asked: str | Asked, top: Axes, bottom: Axes) -> Groups:
    """`∂ vec Y / ∂ (vec X)ᵀ`, both column by column: a row where Y is a scalar."""
    return tuple(reversed(top)), tuple(reversed(bottom))


def by_rows(asked: str | Asked, top: Axes, bottom: Axes) -> Groups:
    """`∂ vec Y / ∂ (vec X)ᵀ`, both row by row: a row where Y is a scalar."""
    return top, bottom


OUTER_FIRST = Chain("outer @ inner", "dZ/dX = dZ/dY · dY/dX: the outer factor first, as the functions are written")
INNER_FIRST = Chain("inner @ outer", "dZ/dX = dY/dX · dZ/dY: the inner factor first, the reverse of the functions")
TURNED = Chain(
    "inner.T @ outer if scalar else outer @ inner",
    "of a vector Z, dZ/dY · dY/dX; of a scalar, (dY/dX)ᵀ · dZ/dY: the Jacobian is transposed to meet a column",
)
SUMMED = Chain(
    "np.tensordot(outer, inner, order)",
    "dZ/dX is the sum over all axes of Y, the last of dZ/dY and the first of dY/dX; with indices the order is free",
)
NOT_A_PRODUCT = Chain(
    "",
    "none: dY/dX is no gradient where Y is no scalar, so it is no factor; dL/dX is ic.vjp(Y, X, dL/dY), the sum over "
    "the axes of Y",
)


def weighted(weight: str) -> Chain:
    """Outer first, with weights between, since the coordinates of Y are not orthonormal."""
    return Chain(
        f"outer @ np.diag([1, 1, 1, {weight}, {weight}, {weight}]) @ inner",
        f"dZ/dX = dZ/dY · W · dY/dX, W = diag(1, 1, 1, {weight}, {weight}, {weight}), or diag(1, 1, {weight}): "
        "dZ/dY is by one kind of vector, dY/dX is of the other kind",
    )


def in_voigt_order(kind: str) -> Pack:
    """Value and variable alike, since a value of one kind goes with a variable of the other kind."""
    places = partial(voigt_places, kind)
    return Pack(places, places, (SHEAR[kind], SHEAR[kind]), True)


VOIGT_ROWS = "each symmetric pair of axes is one axis of 6 (of 3 in dimension 2): 11 22 33 23 13 12 (11 22 12); "
LAYER = {"A": "m n", "x": "n"}
GRADIENT = Example("a.T @ X @ b", "X", {"a": "m", "X": "m n", "b": "n"}, "a @ b.T", "(m, n)")

CONVENTIONS: dict[str, Convention] = {
    row.name: row
    for row in (
        Convention(
            "numerator",
            "Wikipedia's numerator (Jacobian) layout; Minka's notes; most lecture notes on the chain rule",
            "rows from the numerator, columns from the denominator; a scalar by a vector is a row, by a "
            "matrix has its transpose's shape",
            "",
            OUTER_FIRST,
            GRADIENT._replace(formula="b @ a.T", shape="(n, m)"),
            numerator,
        ),
        Convention(
            "denominator",
            "Wikipedia's denominator (Hessian) layout; econometrics (Greene)",
            "rows from the denominator, columns from the numerator; a scalar by a vector is a column, by a "
            "matrix has its shape",
            "",
            INNER_FIRST,
            Example("A @ x", "x", LAYER, "A.T", "(n, m)"),
            denominator,
        ),
        Convention(
            "mixed",
            "matrixcalculus.org; texts with gradients as columns beside Jacobians (Boyd and Vandenberghe)",
            "denominator layout for a scalar by anything, numerator layout for the rest",
            "",
            TURNED,
            Example("x.T @ B @ x", "x", {"B": "n n", "x": "n"}, "(B + B.T) @ x", "(n, 1)"),
            mixed,
        ),
        Convention(
            "cookbook",
            "The Matrix Cookbook (Petersen and Pedersen)",
            "as mixed; a matrix by a matrix is written by entries",
            "",
            TURNED,
            GRADIENT,
            mixed,
        ),
        Convention(
            "gradient",
            "deep learning: the gradient that is subtracted from the parameter; jax.grad, tensor.grad in PyTorch",
            "the shape of the variable; scalars only",
            "",
            NOT_A_PRODUCT,
            GRADIENT,
            gradient,
        ),
        Convention(
            "jax",
            "jax.jacobian, jax.jacrev, jax.hessian",
            "all axes: those of the value, then those of the variable",
            "by rows (C) where it is flattened",
            SUMMED,
            Example("A @ x", "x", LAYER, "A", "(m, n)"),
            tensor,
        ),
        Convention(
            "pytorch",
            "torch.func.jacrev, torch.autograd.functional.jacobian and hessian",
            "all axes: those of the value, then those of the variable",
            "by rows (C) where it is flattened",
            SUMMED,
            Example("A @ x", "A", LAYER, "x[k]*delta(i, j, dim=m) -> [i,j,k]", "(m, m, n)"),
            tensor,
        ),
        Convention(
            "tensor",
            "index notation: continuum mechanics, physics",
            "all axes: those of the value, then those of the variable",
            "",
            SUMMED,
            Example("A @ x", "x", LAYER, "A", "(m, n)"),
            tensor,
        ),
        Convention(
            "magnus-neudecker",
            "Magnus and Neudecker, Matrix Differential Calculus; Abadir and Magnus, Matrix Algebra",
            "∂ vec Y / ∂ (vec X)ᵀ: rows from vec Y, columns from vec X; a scalar gives a row",
            "by columns (F)",
            OUTER_FIRST,
            Example("A @ X @ B", "X", {"A": "p m", "X": "m n", "B": "n q"}, "kron(B.T, A)", "(p*q, m*n)"),
            by_columns,
        ),
        Convention(
            "vec-columns",
            "numerical linear algebra (Golub and Van Loan); MATLAB, Fortran and Julia, whose X(:) is this vec",
            "rows from vec Y, columns from vec X; a scalar gives a row",
            "by columns (F)",
            OUTER_FIRST,
            Example("X.T", "X", {"X": "m n"}, "commutation(m, n)", "(m*n, m*n)"),
            by_columns,
        ),
        Convention(
            "vec-rows",
            "programs that flatten row by row: reshape(-1) in NumPy, JAX and PyTorch, C arrays",
            "rows from the row-major vec of Y, columns from that of X; a scalar gives a row",
            "by rows (C)",
            OUTER_FIRST,
            Example("A @ X @ B", "X", {"A": "p m", "X": "m n", "B": "n q"}, "kron(A, B.T)", "(p*q, m*n)"),
            by_rows,
        ),
        Convention(
            "vech",
            "statistics of covariance matrices: Magnus and Neudecker, Lütkepohl",
            "∂ vech Y / ∂ (vech X)ᵀ for symmetric Y and X, the derivative by the independent entries; "
            "a scalar gives a row",
            "the lower triangle by columns",
            OUTER_FIRST,
            Example(
                "B @ S @ B.T",
                "S",
                {"B": "n n", "S": "n n"},
                "elimination(n) @ kron(B, B) @ duplication(n)",
                "(n**2/2 + n/2, n**2/2 + n/2)",
                "S",
            ),
            by_columns,
            Pack(lower_places, both_places, (1.0, 2.0), False),
        ),
        Convention(
            "voigt-stress",
            "mechanics: stresses and stiffness matrices, C_IJ = C_ijkl (Voigt; Nye; finite elements)",
            VOIGT_ROWS + "plain entries, as of a stress: value stress-like, variable strain-like",
            "11 22 33 23 13 12",
            weighted("2"),
            Example("tr(e @ e)/2", "e", {"e": "3 3"}, "voigt(stress, 3) @ voigt(stress, 3).T", "(6, 6)", "e", 2),
            tensor,
            in_voigt_order("stress"),
        ),
        Convention(
            "voigt-strain",
            "mechanics: engineering strains and compliance matrices, with factors 1, 2 and 4 (Voigt; Nye)",
            VOIGT_ROWS + "the shear doubled, as of an engineering strain: value strain-like, variable stress-like",
            "11 22 33 23 13 12",
            weighted("1/2"),
            Example("tr(s @ s)/2", "s", {"s": "3 3"}, "voigt(strain, 3) @ vec(s)", "(6,)", "s"),
            tensor,
            in_voigt_order("strain"),
        ),
        Convention(
            "mandel",
            "mechanics: invariant (Kelvin, Mandel) notation, whose matrices multiply as the tensors do",
            VOIGT_ROWS + "entries off the diagonal times √2, so the vectors are orthonormal coordinates",
            "11 22 33 23 13 12",
            OUTER_FIRST,
            Example("tr(e @ e)/2", "e", {"e": "3 3"}, "voigt(mandel, 3) @ voigt(mandel, 3).T", "(6, 6)", "e", 2),
            tensor,
            in_voigt_order("mandel"),
        ),
    )
}
