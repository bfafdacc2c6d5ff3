"""The rules of arithmetic: numbers, products, sums, powers, transposes, comparisons."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from indexcalc.errors import IndexCalcError
from indexcalc.graph.constructors import as_number, is_zero
from indexcalc.reading.names import Reading, Scope, Steps
from indexcalc.reading.operands import PRODUCTS, Value, keeping, pair
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
    """`A'`, `Aᵀ`, `A.T`, `A.mT`."""
    part, mark = tree.children
    value = yield part, Scope(scope.kept)
    if mark == ".mT" and isinstance(value, Array):
        return value.mT
    return _transposed(reading, tree, value)


def read_power(reading: Reading, tree: Any, scope: Scope) -> Steps:
    """`x**2`, entry by entry; `A^T` and `A^-1` of matrices."""
    first, sign, second = tree.children
    base = yield first, Scope(scope.kept, every=scope.every)
    matrix = isinstance(base, Array) and base.order > 0
    if sign == "^" and second.data == "name" and second.children == ["T"] and (matrix or "T" not in reading.known):
        return _transposed(reading, tree, base)
    exponent = yield second, Scope(scope.kept)
    value = as_number(exponent.node)
    if sign == "^" and matrix:
        if value == -1 and base.order == 2 and "inv" in FUNCTIONS:
            return FUNCTIONS["inv"](base)
        raise reading.error(
            tree,
            f"`^` on a tensor of order {base.order}",
            "write ** for each entry, matrix_power(X, k) for the matrix",
        )
    ground = as_number(base.node)
    if value is None:
        if scope.every:
            base, exponent = keeping(base), keeping(exponent)
        return _combined(reading, second, operator.pow, base, exponent)
    if ground is not None:
        if ground == 0 and not isinstance(value, complex) and value < 0:
            raise reading.error(tree, "a division by zero", "")
        if isinstance(value, int) and isinstance(ground, int) and abs(value) * ground.bit_length() > LARGEST_POWER:
            raise reading.error(tree, "a number too large to write out", "give it as a scalar")
    return base**value


def read_signed(reading: Reading, tree: Any, scope: Scope) -> Steps:
    """`-x`, `+x`, `- -x`."""
    *signs, part = tree.children
    value = yield part, scope
    return -value if sum(sign == "-" for sign in signs) % 2 else value


def read_product(reading: Reading, tree: Any, scope: Scope) -> Steps:
    """`x*y`, `x/y`, `A @ B`, `A ∘ B`, `x y`: from left to right."""
    value = yield tree.children[0], Scope(scope.kept, every=scope.every)
    if scope.every:
        value = keeping(value)
    for sign, part in zip(tree.children[1::2], tree.children[2::2], strict=True):
        other = yield part, Scope(scope.kept, every=scope.every)
        if scope.every:
            other = keeping(other)
        if sign == "/" and is_zero(other.node):
            raise reading.error(part, "a division by zero", "")
        value = _combined(reading, part, PRODUCTS[str(sign)], value, other)
    return value


def read_sum(reading: Reading, tree: Any, scope: Scope) -> Steps:
    """`x + y - z`: from left to right."""
    value = yield tree.children[0], scope
    for sign, part in zip(tree.children[1::2], tree.children[2::2], strict=True):
        other = yield part, scope
        value = _combined(reading, part, operator.add if sign == "+" else operator.sub, value, other)
    return value


def read_comparison(reading: Reading, tree: Any, scope: Scope) -> Steps:
    """`x < y` and its like: one where it holds, zero elsewhere."""
    first, sign, second = tree.children
    left = yield first, Scope(scope.kept)
    right = yield second, Scope(scope.kept)
    return FUNCTIONS[COMPARISONS[str(sign)]](*pair(left, right))


def _combined(reading: Reading, tree: Any, operation: Callable[[Any, Any], Any], first: Value, second: Value) -> Any:
    """Two operands combined; what is wrong with that is said of the second, which stands at `tree`."""
    try:
        return operation(*pair(first, second))
    except (IndexCalcError, OverflowError) as error:
        raise reading.placed(tree, error) from error


def _transposed(reading: Reading, tree: Any, value: Value) -> Value:
    if isinstance(value, Expr):
        raise reading.error(
            tree, f"{value} has indices, and a transpose is matrix notation", "swap the indices: A[j,i]"
        )
    return value.T
