"""The rules of arithmetic: numbers, products, sums, powers, transposes, comparisons."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from indexcalc.errors import DimensionError, IndexCalcError
from indexcalc.graph.constructors import as_number, is_zero
from indexcalc.reading.rules.names import Reading, Scope, Steps
from indexcalc.reading.rules.operands import PRODUCTS, Value, keeping, meetings, pair, settled, words_of
from indexcalc.reading.rules.spellings import MARKS, exponential, is_square, is_vector, matrix_power
from indexcalc.views.array import Array
from indexcalc.views.expr import Expr, from_number
from indexcalc.views.functions.apply import WRITTEN as FUNCTIONS
from indexcalc.views.view import to_number
from indexcalc.writing.syntax import OPERATORS

COMPARISONS = {sign: name for name, sign in OPERATORS.items()}
LARGEST_POWER = 4096
"""Bits of an integer power that is written out, about: an arbitrary budget, so that no short text, `9**9**9`, becomes a
number that fills the memory."""
LONGEST_NUMBER = 400
"""Characters of a number in the text: an arbitrary budget, beyond the 309 digits of the largest float and below the
4300 digits that Python reads as an integer."""


def read_number(reading: Reading, tree: Any, scope: Scope) -> Value:
    """`3`, `.5`, `1e-3`, `2j`."""
    text = str(tree.children[0])
    if len(text) > LONGEST_NUMBER:
        raise reading.error(tree, f"a number of {len(text)} digits", f"write at most {LONGEST_NUMBER}")
    if text.isdigit():
        return from_number(int(text))
    return from_number(to_number(complex(text) if text[-1] == "j" else float(text)))


def read_primed(reading: Reading, tree: Any, scope: Scope) -> Steps:
    """`A'`, `Aᵀ`, `A.T`, `A.mT`; `A^{-T}`, `A^{+}`; `1'` of the vector of ones."""
    part, mark = tree.children
    value = yield part, scope.inner()
    if part.data == "number":
        if part.children[0] not in ("1", "11"):
            raise reading.error(tree, f"the transpose of {part.children[0]}", "1' is the transpose of a vector of ones")
        value = reading.ones()
        if part.children[0] == "11":  # 11', a matrix of ones
            return reading.ones() @ value.T
    if isinstance(value, Expr) and value.order:
        raise reading.error(
            tree, f"{value} has indices, and a transpose is matrix notation", "swap the indices: A[j,i]"
        )
    if isinstance(value, Expr):
        value = Array(value.node, value.inputs, (), reading.vectors)
    if mark in MARKS:
        return _through(reading, tree, MARKS[str(mark)], value)
    return value.mT if mark == ".mT" else value.T


def read_power(reading: Reading, tree: Any, scope: Scope) -> Steps:
    """`x**2`, entry by entry; `A^2`, `A^-1` of matrices, `A^T`; `e^x`; of a vector only where entries are meant."""
    first, sign, second = tree.children
    if first.data == "name" and first.children[0] == "e" and "e" not in reading.known:
        exponent = yield second, scope.inner()
        if is_square(exponent):
            reading.note("`e^A` of a square matrix is read as expm(A); exp(A) is the exponential of each entry")
        return exponential(exponent)
    base = yield first, scope.inner(every=scope.every)
    matrix = isinstance(base, Array) and base.order > 0
    if sign == "^" and second.data == "name" and second.children == ["T"] and (matrix or "T" not in reading.known):
        return base.T
    exponent = yield second, Scope(scope.kept)
    value = as_number(exponent.node)
    if sign == "^" and matrix:
        return _matrix_power(reading, tree, base, value if value is not None else exponent, scope)
    ground = as_number(base.node)
    if value is None:
        if scope.every:
            base, exponent = keeping(base), keeping(exponent)
        return combined(reading, second, "**", base, exponent)
    if ground is not None:
        if ground == 0 and not isinstance(value, complex) and value < 0:
            raise reading.error(tree, "a division by zero", "")
        if isinstance(value, int) and isinstance(ground, int) and abs(value) * ground.bit_length() > LARGEST_POWER:
            raise reading.error(tree, "a number too large to write out", "give it as a scalar")
    return base**value


def _matrix_power(reading: Reading, tree: Any, base: Array, exponent: Any, scope: Scope) -> Any:
    """`A^2` of a square matrix; the power of each entry where entries are meant; refused where both may be."""
    shown = reading.source(tree.children[0])
    power = exponent if isinstance(exponent, int) else reading.source(tree.children[2])
    if not scope.entries:
        reading.learn_square([base])
    square = is_square(base)
    if scope.entries and not square:
        return base**exponent
    if not square:
        if exponent == -1:
            raise reading.error(
                tree, f"{shown} is no square matrix, and has no inverse", f"write 1/{shown}, pinv({shown})"
            )
        entries = f"{shown}**{power} for each entry"
        product = (
            f"{shown}'{shown} for the square of its length" if is_vector(base) else f"{shown}'{shown}, {shown} {shown}'"
        )
        raise reading.error(
            tree, "a power of what is no square matrix has two readings", f"write {entries}, or {product}"
        )
    if scope.entries == "all" and exponent not in (-1,):
        raise reading.error(
            tree, "the power of a square matrix within a sum or a mean has two readings",
            f"write {shown}**{power} for each entry, or matrix_power({shown}, {power})",
        )  # fmt: skip
    if isinstance(exponent, Array | Expr) and exponent.inputs:
        raise reading.error(
            tree, f"the power {power} of a matrix is no integer and no dimension", f"write exp({power}*logm({shown}))"
        )
    return _through(reading, tree, lambda matrix: matrix_power(matrix, exponent), base)


def _through(reading: Reading, tree: Any, function: Callable[[Any], Any], value: Any) -> Any:
    reading.learn_square([value])
    try:
        return function(value)
    except (IndexCalcError, OverflowError) as error:
        raise reading.placed(tree, error) from error


def read_signed(reading: Reading, tree: Any, scope: Scope) -> Steps:
    """`-x`, `+x`, `- -x`."""
    *signs, part = tree.children
    value = yield part, scope
    return -value if sum(sign == "-" for sign in signs) % 2 else value


def read_product(reading: Reading, tree: Any, scope: Scope) -> Steps:
    """`x*y`, `x/y`, `A @ B`, `A ∘ B`, `x y`: from left to right."""
    parts = tree.children
    if scope.entries and _is_of_matrices(reading, parts):
        scope = scope._replace(entries="vectors")
    value = yield parts[0], scope.inner(every=scope.every)
    if scope.every:
        value = keeping(value)
    if len(parts) > 2 and _is_one(parts[0]) and parts[2].data == "primed" and _is_one(parts[2].children[0]):
        value = reading.ones()
    dotted = is_vector(value)
    for sign, part in zip(parts[1::2], parts[2::2], strict=True):
        other = yield part, scope.inner(every=scope.every)
        if scope.every:
            other = keeping(other)
        if sign == "" and _is_one(part) and isinstance(value, Array) and value.order:
            other = reading.ones()  # 1'A 1
        if sign == "/" and is_zero(other.node):
            raise reading.error(part, "a division by zero", "")
        if sign == "·" and dotted and is_vector(other) and not value.order:
            raise reading.error(tree, "three vectors in a row have two readings", "write (x·y) z, or x (y·z)")
        dotted = sign == "·" and (dotted or is_vector(value)) and is_vector(other)
        value = combined(reading, part, str(sign), value, other)
    return value


def _is_of_matrices(reading: Reading, parts: Sequence[Any]) -> bool:
    """Is it a product of two arrays or more, side by side? `A^2 x` has the matrix A A, even within a sum."""
    arrays = [part for sign, part in zip(("", *parts[1::2]), parts[::2], strict=True) if sign in ("", "@")]
    return len([part for part in arrays if part.data != "number" and not _is_scalar(reading, part)]) > 1


def _is_scalar(reading: Reading, tree: Any) -> bool:
    found = reading.known.get(str(tree.children[0])) if tree.data == "name" else None
    return isinstance(found, Array | Expr) and not found.order


def _is_one(tree: Any) -> bool:
    return bool(tree.data == "number" and tree.children == ["1"])


def read_sum(reading: Reading, tree: Any, scope: Scope) -> Steps:
    """`x + y - z`: from left to right."""
    value = yield tree.children[0], scope
    reached = _reached(tree.children[0])
    for sign, part in zip(tree.children[1::2], tree.children[2::2], strict=True):
        other = yield part, scope
        own = _reached(part)
        for name in reached - own - reading.left:
            if isinstance(other, Expr) and (name in other.summed or name in other.names):
                raise reading.error(
                    part, f"the sum over {name} before has ended, and {name} stands here again",
                    f"write brackets, Σ_{name} (... {sign} ...), or another index here",
                )  # fmt: skip
        reached |= own
        value = combined(reading, part, str(sign), value, other)
    return value


def _reached(tree: Any) -> frozenset[str]:
    """The indices of a sum sign in a term, whose reach ends with the term."""
    last = tree.children[-1] if tree.data in ("product", "signed") else tree
    if last.data != "total" or last.children[0].type != "BIG":
        return frozenset()
    told = (
        name for part in last.children[2:-1] if getattr(part, "data", "") == "condition" for name in part.children[::2]
    )
    return frozenset((*words_of(last.children[1]), *map(str, told)))


def read_comparison(reading: Reading, tree: Any, scope: Scope) -> Steps:
    """`x < y` and its like: one where it holds, zero elsewhere."""
    first, sign, second = tree.children
    left = yield first, Scope(scope.kept)
    right = yield second, Scope(scope.kept)
    return FUNCTIONS[COMPARISONS[str(sign)]](*pair(left, right))


OPERATIONS: dict[str, Callable[[Any, Any], Any]] = PRODUCTS | {
    "+": operator.add, "-": operator.sub, "**": operator.pow,
}  # fmt: skip
NOTED = {
    ":": "`A : B` is read as A_ij B_ij; some books mean A_ij B_ji by it",
    "·": "`·` between arrays is read as the product that sums the axes that meet",
}
"""Signs of which the reading is said."""


def combined(reading: Reading, tree: Any, sign: str, first: Value, second: Value) -> Any:
    """Two operands combined; what is wrong with that is said of the second, which stands at `tree`."""
    first, second = _paired(reading, tree, first, second)
    if sign == "*":
        _refuse_star(reading, tree, first, second)
    if sign in NOTED and first.order and second.order and (sign != "·" or first.order + second.order > 2):
        reading.note(NOTED[sign])
    first, second = settled(first, second, sign) or (first, second)
    if reading.open:
        reading.learn(meetings(first, second, sign))
    try:
        return OPERATIONS[sign](first, second)
    except DimensionError as error:
        placed = reading.placed(tree, error)
        if sign == "*" and isinstance(first, Array) and isinstance(second, Array):
            placed.instead = 'write A @ B, or A B, for the product of matrices; syntax="matlab" reads `*` so'
        raise placed from error
    except (IndexCalcError, OverflowError) as error:
        raise reading.placed(tree, error) from error


def _paired(reading: Reading, tree: Any, first: Value, second: Value) -> tuple[Any, Any]:
    try:
        return pair(first, second)
    except IndexCalcError as error:
        raise reading.placed(tree, error) from error


def _refuse_star(reading: Reading, tree: Any, first: Any, second: Any) -> None:
    """`*` between a matrix and a vector, or a row and a column, has two readings: both are spelled out."""
    if not (isinstance(first, Array) and isinstance(second, Array)):
        return
    orders = first.order, second.order
    if sorted(orders) == [1, 2]:
        matrix, vector = (first, second) if orders[0] == 2 else (second, first)
        wide = f"{matrix} @ diagm({vector})" if orders[0] == 2 else f"diagm({vector}) @ {matrix}"
        raise reading.error(
            tree, "`*` between a matrix and a vector has two readings",
            f'write {first} @ {second} for the product, {wide} for the entries (syntax="python" reads it so)',
        )  # fmt: skip
    if orders == (1, 1) and first.places != second.places:
        raise reading.error(
            tree, "`*` between a row and a column has two readings",
            f"write {first} @ {second} for the product, or {first.T} for {first}",
        )  # fmt: skip
