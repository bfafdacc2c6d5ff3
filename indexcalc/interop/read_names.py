"""What the reader of SymPy's expressions knows: names, sizes, indices and their ranges, and a rule for each class."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any, NamedTuple

from indexcalc.errors import Asked, DimensionError, NotationError
from indexcalc.index import Dimension, Index, dim
from indexcalc.views.view import View

INSTEAD = {
    "Adjoint": "write .T: tensors are real unless their numbers are not",
    "Derivative": "call .doit(), or differentiate here: ic.grad, .diff",
    "Heaviside": "say what it is at 0: Piecewise((1, x > 0), (0, True))",
    "ImaginaryUnit": "give complex numbers as the value of a symbol",
    "ImmutableDenseMatrix": "write a MatrixSymbol, and give the numbers to .evaluate(...)",
    "MutableDenseMatrix": "write a MatrixSymbol, and give the numbers to .evaluate(...)",
    "GenericIdentity": "write Identity(n)",
    "GenericZeroMatrix": "write ZeroMatrix(n, m)",
    "Integral": "write a Sum over an index, or declare ic.function",
}
"""What to write in place of some classes that have no rule."""


SIZES = {"Symbol", "Rational", "Add", "Mul", "Pow", "Min"}
"""The classes that a size is made of."""


class Bound(NamedTuple):
    """The index of a sum, and its dimension."""

    name: Index
    size: Dimension


class SymPyReader:
    """A reader of one expression: `of` gives the view of each part.

    `bound` has the indices of the sums around a part, `values` what stands for the letter of a function, `batch` the
    names that are kept wherever they occur.
    """

    def __init__(self, asked: Asked, rules: Mapping[str, Callable[[Any, Any], Any]], batch: frozenset[str]) -> None:
        self.asked, self.rules, self.batch = asked, rules, batch
        self.owners: dict[str, Any] = {}
        self.bound: dict[Any, Bound] = {}
        self.values: dict[Any, View] = {}
        self.sizes: set[Any] = set()
        self.indices: set[Any] = set()

    def scan(self, root: Any) -> None:
        """Finds out which symbols are sizes and which are indices."""
        for part in parts_of(root):
            for size in shape_of(part):
                self.sizes |= getattr(size, "free_symbols", set())
            for one in indices_in(part):
                alone = {"Symbol", "Idx"} & {*classes(one)}
                self.indices |= {one} if alone else {inner for inner in parts_of(one) if "Idx" in classes(inner)}
                self.sizes |= set() if alone else one.free_symbols
            if "ExprWithLimits" in classes(part):
                for variable, *ends in part.limits:
                    self.indices.add(variable)
                    self.sizes |= {symbol for end in ends for symbol in end.free_symbols}
            if "Idx" in classes(part) and part.upper is not None:
                self.sizes |= part.upper.free_symbols
        self.sizes -= self.indices

    def of(self, expr: Any) -> Any:
        """The view of a part."""
        for word in classes(expr) if type(expr).__name__ not in INSTEAD else ():
            if word in self.rules:
                return self.rules[word](self, expr)
        raise self.refusal(expr)

    def refusal(self, expr: Any, found: str = "", instead: str = "") -> NotationError:
        """The error of a class that has no rule, or of a use that has none."""
        word = type(expr).__name__
        told = found or f"{word} has no counterpart here: {expr}"
        return NotationError(self.asked, told, instead or INSTEAD.get(word, "write it with what docs/interop.md lists"))

    def name(self, symbol: Any, name: str) -> str:
        """A name, which only this symbol has."""
        if self.owners.setdefault(name, symbol) != symbol:
            found = f"two symbols are called {name}, and differ in kind or in what is assumed of them"
            raise NotationError(self.asked, found, "give one of them another name")
        return name

    # -------------------------------------------------------------- sizes and indices

    def size(self, expr: Any) -> Dimension:
        """A dimension."""
        odd = [part for part in parts_of(expr) if not SIZES & {*classes(part)}]
        if odd:
            raise self.refusal(expr, f"the size {expr}, with {type(odd[0]).__name__}", "a polynomial of symbols")
        for symbol in expr.free_symbols:
            if symbol in self.indices:
                raise self.refusal(
                    expr, f"the size {expr} depends on the index {symbol}", "sum over all, of a Piecewise"
                )
            self.name(symbol, symbol.name)
        try:
            return dim(str(expr).replace("Min(", "min("))
        except DimensionError as error:
            raise DimensionError(self.asked, f"the size {expr}: {error.found}", error.instead) from None

    def index(self, expr: Any) -> Index:
        """The index that a symbol is."""
        if expr in self.bound:
            return self.bound[expr].name
        if not {"Symbol", "Idx"} & {*classes(expr)}:
            raise self.refusal(expr, f"the index {expr} is no symbol", "write one index")
        name = self.name(expr, expr.name)
        return Index(name, batch=name in self.batch)

    def range(self, expr: Any) -> Dimension | None:
        """The dimension of an index, where a sum or its own range says it."""
        if expr in self.bound:
            return self.bound[expr].size
        if classes(expr)[0] != "Idx" or expr.upper is None:
            return None
        return self.counted(expr, expr.lower, expr.upper)

    def counted(self, expr: Any, first: Any, last: Any) -> Dimension:
        """The dimension of what runs from 0."""
        if first != 0:
            found = f"{expr} runs from {first}, and indices count from 0"
            raise self.refusal(expr, found, f"write ({expr}, 0, n - 1); of a part, take a slice first")
        return self.size(last + 1)

    def bind(self, variable: Any, size: Dimension) -> Bound:
        """The index of a sum, under a name that nothing else has."""
        name = variable.name
        taken = {*self.owners, *(bound.name.name for bound in self.bound.values())}
        taken |= {symbol.name for symbol in self.indices if symbol != variable}
        if name in taken:
            name = next(f"{name}_{number}" for number in count(1) if f"{name}_{number}" not in taken)
        return Bound(Index(name), size)


def classes(expr: Any) -> list[str]:
    """The names of an expression's classes, its own first."""
    return [cls.__name__ for cls in type(expr).__mro__]


def parts_of(root: Any) -> Iterator[Any]:
    """The parts of an expression, each once."""
    seen: set[Any] = set()
    stack = [root]
    while stack:
        part = stack.pop()
        if part not in seen:
            seen.add(part)
            yield part
            stack.extend(getattr(part, "args", ()))


def shape_of(part: Any) -> tuple[Any, ...]:
    """The sizes of a matrix or an array; nothing where it has none, or none that is said."""
    if classes(part)[0] in ("Indexed", "ArrayElement"):
        return ()
    try:
        return tuple(part.shape or ())
    except (AttributeError, TypeError):
        return ()


def indices_in(part: Any) -> tuple[Any, ...]:
    """The indices of an entry, a delta or an epsilon."""
    word = classes(part)[0]
    if word in ("Indexed", "ArrayElement"):
        return tuple(part.indices)
    if word == "MatrixElement":
        return part.i, part.j
    return tuple(part.args) if word in ("KroneckerDelta", "LeviCivita") else ()
