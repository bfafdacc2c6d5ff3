"""Words that text has beside the functions of the table: other names, norms and bars by what they stand around.

A row says what the word makes of its arguments, arrays as they stand in the text; what could mean two things is an
error that spells out both.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NoReturn

from indexcalc.errors import NotationError
from indexcalc.foreign import ROWS
from indexcalc.functions.table import ELEMENTWISE
from indexcalc.graph.constructors import as_number, einsum
from indexcalc.views.array import Array, standing_array
from indexcalc.views.declare import hadamard
from indexcalc.views.derivatives.differentiate import derivative, grad, hessian
from indexcalc.views.expr import Expr
from indexcalc.views.functions.apply import WRITTEN as FUNCTIONS
from indexcalc.views.functions.composed import ALONG, MOMENTS, OF_ENTRIES
from indexcalc.views.view import is_number

HALF = Fraction(1, 2)
"""The exponent of a root."""


def two_readings(asked: str, first: str, second: str) -> NoReturn:
    """The error of what may mean two things: both, as they are to be typed."""
    raise NotationError(asked, "this has two readings", f"write {first}, or {second}")


def is_matrix(value: Any) -> bool:
    """Has it two axes, neither of them a unit axis?"""
    return isinstance(value, Array) and value.order == 2


def is_vector(value: Any) -> bool:
    """Has it one axis, but for unit axes?"""
    return isinstance(value, Array) and value.order == 1


def is_square(value: Any) -> bool:
    """Is it a matrix with two equal dimensions?"""
    return is_matrix(value) and value.node.dims[0] == value.node.dims[1]


def bars(value: Any) -> Any:
    """`|t|` of a number, `|A|` of a square matrix, the determinant."""
    if isinstance(value, Expr) or not value.order:
        return FUNCTIONS["abs"](value)
    if is_square(value):
        return FUNCTIONS["det"](value)
    two_readings(f"|{value}|", f"norm2({value}) for the length", f"abs({value}) for each entry")


def log_determinant(value: Any) -> Any:
    """`log|A|`, the logarithm of the absolute value of the determinant."""
    return FUNCTIONS["logdet"](value)


def norm(value: Any, order: Any = None, *axes: Any) -> Any:
    """`‖x‖`, `‖x‖_1`, `‖X‖_F`, `norm(x)`, `norm(A, 'fro')`: which norm is told by its subscript and its argument."""
    if isinstance(value, Expr) and (value.order or axes):
        return _norm_along(value, order, axes)
    kind = order if isinstance(order, str) else None if order is None else as_number(order.node)
    asked = f"‖{value}‖" + ("" if order is None else f"_{order}")
    if not value.order and order is None:
        return FUNCTIONS["abs"](value)
    if is_matrix(order):
        return FUNCTIONS["sqrt"](einsum_of("i,ij,j->", value, order, value))
    if kind == "fro":
        return FUNCTIONS["normF"](value)
    if kind == "nuc":
        return FUNCTIONS["norm_nuc"](value)
    if not is_matrix(value):
        return _norm_of_vector(asked, value, order, kind)
    if order is None:
        two_readings(asked, f"normF({value}), or ‖{value}‖_F", f"max(svdvals({value})), or ‖{value}‖_2")
    if kind == 2:
        return FUNCTIONS["max"](FUNCTIONS["svdvals"](value))
    if kind in (1, "inf"):
        columns, one = ("columns", 0) if kind == 1 else ("rows", 1)
        two_readings(
            asked, f"norm1({value}) for all entries" if kind == 1 else f"max(abs({value})) for all entries",
            f"max(sum(abs({value}), axis={one})) for the largest of the {columns}",
        )  # fmt: skip
    raise NotationError(asked, "no norm of a matrix is known by this name", "write normF(X), norm_nuc(X) or ‖X‖_2")


def _norm_of_vector(asked: str, value: Any, order: Any, kind: Any) -> Any:
    if order is None or kind == 2:
        return FUNCTIONS["norm2"](value)
    if kind == 1:
        return FUNCTIONS["norm1"](value)
    if kind == "inf":
        return FUNCTIONS["max"](FUNCTIONS["abs"](value))
    if kind == 0 or isinstance(kind, str):
        raise NotationError(asked, "this has no derivative, or is no norm", "write ‖x‖_2, ‖x‖_1 or ‖x‖_p")
    if kind is not None:
        return FUNCTIONS["normp"](value, kind)
    if order.order:
        raise NotationError(asked, f"{order} is no number", "write ‖x‖_2, ‖x‖_1 or ‖x‖_p with a number p")
    total = FUNCTIONS["sum"](FUNCTIONS["abs"](value) ** order)
    return total ** (1 / order)


def _norm_along(value: Expr, order: Any, axes: tuple[Any, ...]) -> Any:
    """The norm of an expression in index notation, along its one index or those that are named."""
    kind = order if isinstance(order, str) else None if order is None else as_number(order.node)
    names: dict[Any, str] = {None: "norm2", 2: "norm2", 1: "norm1", "fro": "normF", "nuc": "norm_nuc"}
    if kind in names and not (order is not None and kind is None):
        return FUNCTIONS[names[kind]](value, *axes)
    if is_number(kind):
        return FUNCTIONS["normp"](value, kind, *axes)
    raise NotationError(f"‖{value}‖_{order}", "no norm is known by this name", "write ‖x_i‖_2")


def inner(first: Any, second: Any) -> Any:
    """`⟨x, y⟩`, `inner(x, y)`: the sum of products of the entries that stand in one place."""
    if isinstance(first, Expr) and isinstance(second, Expr):
        return first * second
    if first.order != second.order:
        raise NotationError(
            f"⟨{first}, {second}⟩", f"{first.order} and {second.order} axes", "give two vectors, or two matrices"
        )
    letters = "ijklmnpq"[: first.order]
    return einsum_of(f"{letters},{letters}->", first, second)


def dot(first: Any, second: Any) -> Any:
    """`x · y`, `A · x`, `dot(x, y)`: of vectors the inner product, of matrices the product, else a multiple."""
    if isinstance(first, Expr) or isinstance(second, Expr) or not (first.order and second.order):
        return first * second
    if first.order == second.order == 1:
        return inner(first, second)
    if first.order == second.order == 2:
        return first @ second
    left, right = "ijklm"[: first.order], "pqrst"[: second.order]
    left, right = left[:-1] + "x", "x" + right[1:]
    return einsum_of(f"{left},{right}->{left[:-1]}{right[1:]}", first, second)


def colon(first: Any, second: Any) -> Any:
    """`A : B`, A_ij B_ij: the last two axes with the first two; `C : E` of orders 4 and 2."""
    if isinstance(first, Expr) or isinstance(second, Expr) or min(first.order, second.order) < 2:
        raise NotationError(f"{first} : {second}", "this sums two axes", "write A : B of matrices, or A_ij B_ij")
    left, right = "abcdefgh"[: first.order - 2], "pqrstuvw"[: second.order - 2]
    return einsum_of(f"{left}xy,xy{right}->{left}{right}", first, second)


def tensor_product(first: Any, second: Any) -> Any:
    """`A ⊗ B`: Kronecker's product of matrices; of two vectors it may be the outer product as well.

    Beside a matrix a plain vector is a column, as in books and in the LaTeX that the library writes: a row is `u' ⊗ A`.
    """
    if isinstance(first, Expr) or isinstance(second, Expr):
        raise NotationError("⊗", "this is matrix notation", "in index notation write x[i]*y[j]")
    if not (first.order and second.order):
        return first * second
    if first.order == second.order == 1:
        two_readings(f"{first} ⊗ {second}", f"outer({first}, {second})", f"kron({first}, {second})")
    return FUNCTIONS["kron"](_as_column(first), _as_column(second))


def _as_column(value: Any) -> Any:
    """A plain vector as a column, unless it was transposed; anything else as it is."""
    plain = value.ndim == 1 and not value.flipped
    return Array(value.node, value.inputs, (0, None), value.vectors, value.turned) if plain else value


def times_sign(first: Any, second: Any) -> Any:
    """`a × b`: the cross product of two vectors of dimension 3, a multiple with a number."""
    if not (first.order and second.order):
        return first * second
    if is_vector(first) and is_vector(second) and first.node.dims == second.node.dims == (3,):
        return FUNCTIONS["cross"](first, second)
    raise NotationError(
        f"{first} × {second}", "the cross product is of two vectors of dimension 3",
        "write A @ B for the product, A ∘ B for that of the entries",
    )  # fmt: skip


def product(first: Any, second: Any) -> Any:
    """`A*B` of MATLAB: the product of matrices, a multiple with a number."""
    arrays = isinstance(first, Array) and isinstance(second, Array)
    return first @ second if arrays and first.order and second.order else first * second


def quotient(first: Any, second: Any) -> Any:
    """`A/B` of MATLAB: `A @ inv(B)` where B is a matrix."""
    return first @ FUNCTIONS["inv"](second) if is_matrix(second) else first / second


def left_quotient(first: Any, second: Any) -> Any:
    r"""`A\b` of MATLAB: `solve(A, b)`."""
    return FUNCTIONS["solve"](first, second) if is_matrix(first) else second / first


def diagonal(value: Any) -> Any:
    """`diag(A)` is the vector of a matrix, `diag(x)` the matrix of a vector."""
    return FUNCTIONS["diagm" if is_vector(value) else "diag"](value)


def transposed(value: Any) -> Any:
    """`transpose(A)`, as `A'`."""
    return value.T


def einsum_of(spec: str, *operands: Any) -> Any:
    """A product by letters of arrays, unit axes left out; it stands as its operands do."""
    left, _, right = spec.partition("->")
    factors = [(operand.node, part) for operand, part in zip(operands, left.split(","), strict=True)]
    return standing_array(einsum(1, factors, right), operands)


def gradient(value: Any, *variables: Any) -> Any:
    """`grad(f, x)`, as `∇_x f`: it has the shape of x."""
    made = [grad(_scalar(value), variable) for variable in variables]
    if len(made) != 1:
        raise NotationError("grad", f"{len(made)} variables", "write grad(f, x), one at a time")
    return made[0]


def second_derivative(value: Any, *variables: Any) -> Any:
    """`hessian(f, x)`."""
    return hessian(_scalar(value), *variables)


def jacobian(value: Any, variable: Any) -> Any:
    """`jacobian(y, x)`, the derivative with the axes of y, then those of x."""
    return derivative(value, variable)


def _scalar(value: Any) -> Any:
    return Array(value.node, value.inputs) if isinstance(value, Expr) and not value.order else value


SPELLED: dict[str, Callable[..., Any]] = {
    "|": bars, "‖": norm, "norm": norm, "inner": inner, "dot": dot, "matmul": product, "mm": product, "mtimes": product,
    "multiply": lambda a, b: a * b, "grad": gradient, "gradient": gradient, "hessian": second_derivative,
    "jacobian": jacobian, "diag": diagonal, "transpose": transposed, "hadamard": hadamard,
}  # fmt: skip
"""What a word makes of arrays."""
SIGNED = {"σ": "sigmoid", "sigma": "sigmoid", "ψ": "digamma", "psi": "digamma"}
"""Letters that stand for a function before a bracket, where nothing of their name is declared."""
SPELLED |= {row.name: FUNCTIONS[row.ours] for row in ROWS if row.ours in FUNCTIONS and row.name not in SPELLED}
SPELLED |= {name: FUNCTIONS[ours] for name, ours in {**SIGNED, "cof": "cofactor"}.items()}
FILLED = {"vector": "ones", "matrix": "matrix_of_ones"}
"""Words of MATLAB for a vector and a matrix of one number, whose dimensions are those of what they meet."""
LARGEST = {"max": "maximum", "min": "minimum"}
"""Reductions whose names are also those of a choice between two: `max(0, x)`."""
ENTRIES = {"sum": "all", "mean": "all", "logsumexp": "all"}
ENTRIES |= dict.fromkeys(("norm1", "norm2", "normF", "normp", "‖", "norm"), "vectors")
"""Functions within which a power is one of each entry, and of what: that of a square matrix is not one within norms."""
ENTRYWISE = {row.name for row in ROWS if row.ours in ELEMENTWISE} | {*SIGNED}
"""Other names of functions of the entries, which take what has indices."""
EITHER = {"|", "‖", "norm", "inner", "dot"}
"""Words that take what has indices as well as arrays."""
SUMS = {
    "sum": "sum", "Σ": "sum", "Sigma": "sum", "∑": "sum", "prod": "prod", "Π": "prod", "∏": "prod", "max": "max",
    "min": "min", "mean": "mean",
}  # fmt: skip
"""Signs and words that take the index that they go over as a subscript."""
ALL = "∑"
"""The index of a sum that says none: the one that is free."""
LOGARITHMS = {"log", *(row.name for row in ROWS if row.ours == "log")}
DETERMINANTS = {"det", *(row.name for row in ROWS if row.ours == "det")}
"""Words that together are the logarithm of a determinant, `log|A|`."""
TRACES = {"tr", *(row.name for row in ROWS if row.ours == "tr")}
"""Words whose argument without brackets is the whole product after them."""
DIVIDED = {
    **dict.fromkeys(("np", "numpy", "jnp"), MOMENTS - ALONG.keys()), **dict.fromkeys(("torch", "matlab"), MOMENTS),
}  # fmt: skip
"""Functions of samples that are another one there: they divide by n - 1, and some have the samples in columns."""
WITHOUT_ROW = frozenset(["normF", "sum", "mean", *ALONG])
"""Functions along axes that the table lacks: they are products, or a formula of others."""
ROOT, CHOICE, ONES, SMALLER = "sqrt", "where", "ones", "minimum"
"""The functions behind a sign: `√x`, a brace of cases, `1_n`, `min(m, n)`."""


def is_of_entries(name: str) -> bool:
    """Does this function take what has indices, entry by entry? So do rows that were added.

    >>> is_of_entries("tanh"), is_of_entries("clip"), is_of_entries("det")
    (True, True, False)
    """
    return name in ELEMENTWISE or name in OF_ENTRIES or name == ROOT


def inverse_transposed(value: Any) -> Any:
    """`A^{-T}`."""
    return FUNCTIONS["inv"](value).T


MARKS: dict[str, Callable[[Any], Any]] = {"-T": inverse_transposed, "+": FUNCTIONS["pinv"]}
"""What stands above a matrix, beside a transpose."""


def exponential(value: Any) -> Any:
    """`e^x`: of a square matrix the matrix exponential, else that of each entry."""
    return FUNCTIONS["expm" if is_square(value) else "exp"](value)


def matrix_power(base: Any, exponent: Any) -> Any:
    """`A^2`, `A^{-1}`, `A^{1/2}`, `A^k` of a square matrix."""
    if exponent == -1:
        return FUNCTIONS["inv"](base)
    if exponent in (HALF, -HALF):
        root = FUNCTIONS["sqrtm"](base)
        return root if exponent == HALF else FUNCTIONS["inv"](root)
    return FUNCTIONS["matrix_power"](base, exponent)
