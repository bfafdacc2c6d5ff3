"""Why a line holds: the rules of the calculus that a derivative uses, by name, with their formulas."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from indexcalc.calculus.rules import own_rule
from indexcalc.functions.table import ELEMENTWISE, MATRICES, REDUCTIONS
from indexcalc.graph.constructors import call, elementwise, reduction, variable
from indexcalc.graph.inputs import inputs_of
from indexcalc.graph.node import (
    Call,
    Constant,
    Definition,
    Elementwise,
    Matrix,
    Node,
    Product,
    Reduction,
    Regroup,
    Sum,
    Variable,
)
from indexcalc.graph.walk import variables
from indexcalc.index import Index, dim
from indexcalc.simplify.rewriting.rewrite import Trace
from indexcalc.views.array import Array
from indexcalc.views.derivatives.differentiate import diff
from indexcalc.views.expr import Expr
from indexcalc.writing.index.text import array_text
from indexcalc.writing.index.words import LETTERS

MOST = 3
"""Rules that one line names: an arbitrary limit, so that a line stays short."""
Places = tuple[int, ...]
SIDES = ((r"(?<![\w.)])(\w+)\.T @", "left", "first", "last"), (r"@ (\w+)\.T(?! @)", "right", "last", "first"))
"""How a transpose shows in a matrix formula: its side, the index that is summed, and the one that `@` sums."""


def rules_in(trace: Trace) -> list[str]:
    """The rules of the calculus that a sweep applied, each once."""
    return list(dict.fromkeys(name for node, places in trace.derived for name in REASONS[type(node)](node, places)))


def told(rules: list[str]) -> str:
    """The first rules, in one line."""
    return "; ".join(rules[:MOST])


def constants_told(root: Node, target: Node, derived: Node) -> str:
    """What the derivative of a product of constants with the target says: which tensors stay, or that none does."""
    constants = [v.label for v in variables([root]) if v is not target]
    if not constants:
        return "the derivative of a sum is the sum of the derivatives"
    stays = not {v.label for v in variables([derived])}.isdisjoint(constants)
    if len(constants) == 1:
        return f"{constants[0]} is constant: it {'stays' if stays else 'goes'}"
    listed = f"{', '.join(constants[:-1])} and {constants[-1]}"
    return f"{listed} are constant: they {'stay' if stays else 'go'}"


def delta_rule(name: str, count: int) -> str:
    """The derivative of a tensor by itself.

    >>> delta_rule("W", 2)
    '∂W[i,j]/∂W[k,l] = δ[i,k]*δ[j,l]'
    """
    over, under = LETTERS[:count], LETTERS[count : 2 * count]
    deltas = "*".join(f"δ[{a},{b}]" for a, b in zip(over, under, strict=True))
    return f"∂{name}[{','.join(over)}]/∂{name}[{','.join(under)}] = {deltas}"


def moved_rule(before: str, order: int) -> str:
    """How a differential of a variable of this order is brought to the right of the colon, given what stood there.

    >>> moved_rule("tr(A @ dX @ B)", 2)
    'trace rotation: tr(A B C) = tr(C A B), tr(Aᵀ B) = A : B'
    """
    if "tr(" in before:
        return "trace rotation: tr(A B C) = tr(C A B), tr(Aᵀ B) = A : B"
    if "@" not in before:
        return "sum(A∘B) = A : B" if order else "collect"
    entries = "*" in before
    if order == 1:
        return "a : (B c) = (Bᵀ a) : c" + ", a : (b∘c) = (b∘a) : c" * entries
    return "A : (B C) = (Bᵀ A) : C = (A Cᵀ) : B" + ", A : (b∘C) = (b∘A) : C" * entries


def transposes_told(formula: str) -> tuple[str, ...]:
    """Why a transpose stands where it does in a matrix formula.

    >>> len(transposes_told("X.T @ G @ W.T"))
    2
    """
    remarks = []
    for pattern, side, own, other in SIDES:
        for name in dict.fromkeys(re.findall(pattern, formula)):
            remarks.append(
                f"{name}.T on the {side}: the sum runs over the {own} index of {name}, "
                f"and a matrix product sums over the {other} index of its {side} factor"
            )
    return tuple(remarks)


# ------------------------------------------------------------------ kinds


def _of_product(node: Product, places: Places) -> list[str]:
    moving = [node.factors[place] for place in places]
    powers = ["power rule"] if any(f.exponent != 1 for f in moving) else []
    return powers + (["product rule"] if len(moving) > 1 else [])


def _of_call(node: Call, places: Places) -> list[str]:
    """The chain rule through an abstract function, or what the rules of one's own say."""
    function = node.function
    if not function.rules:
        title = function.title(tuple(order + 1 for order in node.orders))
        return [f"chain rule: the derivative of {function.name} by its argument is {title}"]
    plain = [variable(name, dims) for name, dims in zip(_names(len(function.args)), function.args, strict=True)]
    here = call(function, (0,) * len(plain), plain)
    return [f"rule of {function.name}: by {plain[place].label} {Array(own_rule(here, place))}" for place in places]


def _names(count: int) -> list[str]:
    """Names for the arguments of a function."""
    return list("xyz"[:count]) if count <= len("xyz") else [f"x{k + 1}" for k in range(count)]


def _slope(node: Elementwise) -> str:
    """The derivative of a function of one number, in terms of x."""
    row = ELEMENTWISE[node.fn]
    if row.arity > 1 or row.params or row.rules[0] is None:
        return row.kink or row.formula
    return _slope_of(node.fn)


@cache
def _slope_of(fn: str) -> str:
    """The derivative of a function of one number, made once."""
    x = variable("x", ())
    made = Expr(elementwise(fn, [(x, ())], ()), (), inputs_of(x))
    return str(diff(made, Expr(x, (), inputs_of(x))))


def _reduction_rule(node: Reduction) -> str:
    """The derivative of a function along axes: of matrices as its rule has it, of others in entries."""
    if len(node.axes) > 1 and (documented := _first_line(REDUCTIONS[node.fn].rule)):
        return f"rule of {node.fn}: {documented}"
    return _rule_in_entries(node.fn, len(node.axes), node.keeps, node.params)


@cache
def _rule_in_entries(fn: str, count: int, keeps: bool, params: tuple[Any, ...]) -> str:
    """The derivative of a function along axes, made once."""
    name = "normF" if fn == "norm2" and count == 2 else fn
    letters = [Index(letter) for letter in LETTERS[: 2 * count]]
    over, under = (letters[:count], letters[count:]) if keeps else ([], letters[:count])
    x = variable("x" if count == 1 else "X", tuple(dim(f"n{axis}") for axis in range(count)))
    made = Expr(reduction(fn, x, tuple(range(count)), keeps, params), tuple(over), inputs_of(x))
    slope = array_text(diff(made, Expr(x, tuple(under), inputs_of(x))).node, upright=False).rpartition(" -> ")[0]
    own = name + (f"[{','.join(map(str, over))}]" if over else "")
    return f"rule of {name}: ∂{own}/∂{x.label}[{','.join(map(str, under))}] = {slope}"


def _matrix_rule(node: Matrix) -> str:
    """The derivative of a function of matrices as its rule has it; that of a primary function is the one by Fréchet."""
    row = MATRICES[node.fn]
    formula = f"dY = D{node.fn}(X, dX), along dX" if row.rule is None else _first_line(row.rule)
    return f"rule of {node.fn}: {formula}"


def _first_line(rule: Callable[..., Any]) -> str:
    """The formula of a rule, which its docstring begins with."""
    return (rule.__doc__ or "").partition("\n")[0].rstrip(".")


def _silent(node: Node, places: Places) -> list[str]:
    """The derivative goes through: nothing to name."""
    return []


REASONS: dict[type[Node], Callable[[Any, Places], list[str]]] = {
    Product: _of_product,
    Elementwise: lambda node, places: [f"chain rule: {node.fn}' = {_slope(node)}"],
    Reduction: lambda node, places: [_reduction_rule(node)],
    Matrix: lambda node, places: [_matrix_rule(node)],
    Call: _of_call,
    Sum: _silent,
    Regroup: _silent,
    Definition: _silent,
    Constant: _silent,
    Variable: _silent,
}
"""The rules that differentiate a node of each kind, given which of its children have a derivative."""
