"""What the two views, `Expr` (named indices) and `Array` (placed axes), have in common."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any, NoReturn

from indexcalc.errors import Asked, KindError, LayoutError, NotationError
from indexcalc.graph.canonical import settle
from indexcalc.graph.edge import symmetry_of
from indexcalc.graph.node import ONE, Call, Definition, Node, Number, Variable, is_zero
from indexcalc.graph.node import number as exact_number
from indexcalc.graph.simplify import canonical, expanded, simplify
from indexcalc.graph.walk import topological, variables

LONGEST_REPR = 2000
ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "true_divide": operator.truediv,
    "power": operator.pow,
}
"""What a NumPy scalar may do with an expression: it is a number."""
Key = tuple[Number, Node, tuple[int, ...], frozenset[Any]]


class View:
    """A node, and the variables of all that it was made from: they may be given to `evaluate` even where they dropped
    out.
    """

    __slots__ = ("inputs", "node")
    node: Node
    inputs: frozenset[Variable]
    __array_priority__ = 1000.0

    @property
    def order(self) -> int:
        """The number of axes."""
        return self.node.order

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the tensors that occur, sorted."""
        return tuple(variable.label for variable in variables([self.node]))

    @property
    def canonical(self) -> bool:
        """Was the search for the canonical form exhaustive? If not, `==` may miss an equality, never invent one."""
        node = self._simplified()
        flat = canonical(node).node
        expanded(node)
        return "inexact" not in node.facts and "inexact" not in flat.facts

    def _simplified(self) -> Node:
        if "simplified" in self.node.facts:
            return self.node
        found: Node | None = self.node.facts.get("simplest")
        if found is None:
            (found,) = simplify([self.node])
            if found is not self.node:
                self.node.facts["simplest"] = found
        return found

    def _key(self, axes: tuple[Any, ...]) -> Key:
        """What equal views have in common; `axes` names the axes of the node, with anything that can be ordered."""
        coef, node, places = expanded(self._simplified())
        if coef == 0:
            return 0, node, (), frozenset(axes)
        ranks = {name: rank for rank, name in enumerate(sorted(axes))}
        labels, sign = settle([ranks[axes[place]] for place in places], symmetry_of(node))
        return coef * sign, node, labels, frozenset(axes)

    def _equals_number(self, value: object, axes: tuple[Any, ...]) -> bool:
        coef, node, _, _ = self._key(axes)
        if coef == 0:
            return bool(value == 0)
        return not axes and node is ONE and bool(coef == value)

    def _hash(self, axes: tuple[Any, ...]) -> int:
        """A hash that equal views share, numbers among them."""
        coef, node, labels, names = self._key(axes)
        if coef == 0:
            return 0
        if node is ONE and not axes:
            return hash(coef)
        return hash((coef, node.digest, labels, names))

    def __bool__(self) -> NoReturn:
        raise KindError(str(self), "an expression has no truth value", "compare with ==, or evaluate it first")

    def __iter__(self) -> NoReturn:
        raise KindError(str(self), "an expression cannot be iterated over", "index it, or evaluate it first")

    def __len__(self) -> NoReturn:
        raise KindError(str(self), "an expression has no length", "look at .shape")

    def __float__(self) -> NoReturn:
        raise KindError(str(self), "an expression is no number", "evaluate it: .evaluate(x=...)")

    def __array__(self, *args: object, **kwargs: object) -> NoReturn:
        raise KindError(str(self), "NumPy cannot make an array of an expression", "evaluate it: .evaluate(x=...)")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        scalars = all(is_number(value) or isinstance(value, View) for value in inputs)
        if method == "__call__" and scalars and not kwargs and ufunc.__name__ in ARITHMETIC:
            return ARITHMETIC[ufunc.__name__](*[to_number(v) if is_number(v) else v for v in inputs])
        _refuse_numpy(ufunc.__name__)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> NoReturn:
        _refuse_numpy(function.__name__)

    def __contains__(self, item: object) -> NoReturn:
        raise KindError(str(self), "`in` means nothing for an expression", "look at .free or .variables")

    def __repr__(self) -> str:
        text = str(self)
        if len(text) <= LONGEST_REPR:
            return text
        return f"{text[:LONGEST_REPR]} ... ({len(text)} characters in all; str() gives them)"

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """The numbers: see `indexcalc.evaluate.evaluate`, to which all arguments go."""
        from indexcalc.evaluate import evaluate

        return evaluate(self, *args, **kwargs)

    def compressed(self, *args: Any, **kwargs: Any) -> Any:
        """The numbers held as `delta ⊗ core` terms: see `indexcalc.compressed`, to which all arguments go."""
        from indexcalc.evaluate.compressed import compressed

        return compressed(self, *args, **kwargs)

    def equals(self, other: object) -> Any:
        """Is this mathematically equal? By form, exactly, or by numbers: it says which, and where."""
        from indexcalc.evaluate.equality import equals

        return equals(self, other)


def _refuse_numpy(name: str) -> NoReturn:
    instead = (
        f"ic.{name}(...)"
        if name in ("exp", "log", "sin", "cos", "tanh", "maximum", "minimum", "where")
        else "the ic function"
    )
    raise KindError(
        f"numpy.{name}",
        "NumPy met an expression, which has no numbers",
        f"write {instead}; declare data with ic.tensor(...) and give the numbers to .evaluate(...)",
    )


def is_number(value: object) -> bool:
    """Is this a plain number (NumPy's scalars among them)?"""
    if isinstance(value, int | float | complex | Fraction):
        return True
    return not isinstance(value, View) and getattr(value, "shape", None) == ()


def refuse_zero(first: View, second: View) -> None:
    """A division by what is written as zero is an error."""
    if is_zero(second.node):
        raise NotationError(Asked(lambda: f"({first})/({second})"), "a division by zero", "check the denominator")


def refuse_layout(view: View, call: str) -> NoReturn:
    """What is no derivative has no layout."""
    raise LayoutError(
        f"({view}).{call}",
        "this is no derivative, so nothing says which axes are the numerator's",
        "write .matrix(rows=..., cols=...), or take the layout before the arithmetic",
    )


def to_number(value: Any) -> Number:
    """The number in normal form."""
    return exact_number(value)


def join_inputs(views: Iterable[View]) -> frozenset[Variable]:
    """The variables of several views together; one name for two tensors is an error."""
    parts = {view.inputs for view in views}
    if len(parts) == 1:
        return parts.pop()
    known: dict[str, Variable] = {}
    for part in parts:
        for variable in part:
            other = known.setdefault(variable.label, variable)
            if other is not variable:
                raise NotationError(
                    f"tensor {variable.label}",
                    f"two tensors of this name meet, with dimensions {_shown(other)} and {_shown(variable)}"
                    if other.dims != variable.dims
                    else "two tensors of this name meet, with different assumptions",
                    "give one of them another name",
                )
    return frozenset(known.values())


def _shown(node: Node) -> str:
    return "(" + ", ".join(map(str, node.dims)) + ")"


def inputs_of(node: Node) -> frozenset[Variable]:
    """The variables of a node, definitions opened."""
    return frozenset(variables([node]))


def named_parts(node: Node) -> Mapping[str, Node]:
    """Variables, definitions and abstract functions that the text of a node names, by name."""
    found: dict[str, Node] = {}
    order = topological([node], lambda inner: False)
    inside: set[Node] = set()
    for inner in order:
        if isinstance(inner, Definition):
            inside.update(topological([inner.child]))
    for inner in order:
        if isinstance(inner, Variable | Definition | Call):
            found[inner.function.name if isinstance(inner, Call) else inner.label] = inner
    return found
