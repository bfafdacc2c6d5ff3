"""Reading expressions from text: `parse`.

A walk over the syntax tree builds the same `Expr` and `Array` that Python arithmetic would. Names that braces or `sum[...]` keep are
batch indices while the walk is within them, so `*` never sums them. The walk keeps its own stack: no text is too deep for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from types import GeneratorType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from indexcalc.errors import IndexCalcError, KindError, NotationError, ParseError, did_you_mean
from indexcalc.functions.table import ELEMENTWISE, REDUCTIONS
from indexcalc.graph.node import as_number, dimension, regroup
from indexcalc.graph.walk import resize
from indexcalc.index import Dim, Dimension, Index, dim, symbol
from indexcalc.notation import build
from indexcalc.notation.apply import FUNCTIONS, pi
from indexcalc.notation.array import Array
from indexcalc.notation.build import AbstractFunction, checked_name
from indexcalc.notation.expr import Expr, from_number, hadamard_exprs, unknown
from indexcalc.notation.grammar import parse_tree, where
from indexcalc.notation.pieces import OPERATORS
from indexcalc.notation.text import GREEK
from indexcalc.notation.view import View, is_number, to_number

if TYPE_CHECKING:
    from lark import Token, Tree

Value = Expr | Array
Steps = Generator["tuple[Tree[Token], Scope]", Any, Any]

LATIN = {letter: name for name, letter in GREEK.items()}
COMPARISONS = {sign: name for name, sign in OPERATORS.items()}
INDEXED = {"δ": build.delta, "delta": build.delta, "ε": build.epsilon, "epsilon": build.epsilon, "ones": build.ones, "zeros": build.zeros}
MADE = {"eye", "ones", "zeros", "delta", "δ", "epsilon", "ε", "group"}
ALONG = set(REDUCTIONS) | {"normF", "sum", "mean"}
LARGEST_POWER = 4096
LONGEST_NUMBER = 400


class Scope(NamedTuple):
    """Where a part stands: `kept` are the names that are never summed here.

    In a `direct` part of braces what is not kept is summed at the end of each term; `every` marks a factor of such a term.
    """

    kept: frozenset[str]
    direct: bool = False
    every: bool = False


def parse(
    text: str, *, dims: Mapping[str, object] | None = None, batch: str = "", vectors: str = "numpy", **declarations: Any
) -> Any:
    """The expression that a text means.

    A declaration is dimensions (`x="n"`, `W="n m"`, `s=""`), a tensor, an abstract function or an expression; `batch` names batch
    indices, `dims` gives the dimensions of free indices that nothing else tells. Statements are separated by `;` or a
    new line, `y = ...` defines a name, and the last expression is the value.

    >>> import indexcalc as ic
    >>> ic.parse("x_i W_ij + b_j", x="n", W="n m", b="m")
    x[i]*W[i,j] + b[j]
    """
    if not isinstance(text, str):
        raise KindError("parse", f"text is a str, not {type(text).__name__}", 'write ic.parse("x[i]*W[i,j]", x="n", W="n m")')
    if vectors != "numpy":
        raise ParseError(text, f"vectors={vectors!r} cannot be read yet", 'write vectors="numpy"')
    known = {name: _declared(name, value) for name, value in declarations.items()}
    sizes = {name: dim(size) for name, size in (dims or {}).items()}
    return Reading(text, known, frozenset(batch.replace(",", " ").split()), sizes).value()


def _declared(name: str, value: Any) -> Value | AbstractFunction:
    checked_name(name, "parse")
    if isinstance(value, str):
        return build.tensor(name, value)
    if isinstance(value, tuple | list):
        return build.tensor(name, *value)
    if isinstance(value, Expr | Array | AbstractFunction):
        return value
    if is_number(value):
        return from_number(to_number(value))
    raise KindError(
        f"parse(..., {name}={value!r})", f"a {type(value).__name__} declares nothing", f'give dimensions, {name}="n m", or a tensor'
    )


class Reading:
    """One text that is read, with what its names mean."""

    def __init__(
        self, text: str, known: dict[str, Value | AbstractFunction], batch: frozenset[str], sizes: dict[str, Dimension]
    ) -> None:
        self.text = text
        self.known = known
        self.batch = batch
        self.sizes = sizes
        self.symbols = _symbols(known.values()) | {name for size in sizes.values() if isinstance(size, Dim) for name in size.symbols}
        self.visits: dict[str, Callable[[Tree[Token], Scope], Value | Steps]] = {
            "number": self._number, "name": self._name, "indexed": self._indexed, "primed": self._primed, "power": self._power,
            "signed": self._signed, "product": self._product, "sum": self._sum, "compare": self._compare,
            "parens": self._parens, "braces": self._braces, "total": self._total, "call": self._call, "arrow": self._arrow,
            "string": self._string, "assign": self._assign,
        }  # fmt: skip

    def value(self) -> Value:
        """The value of the last statement."""
        tree = parse_tree(self.text, self._is_function)
        found: Any = None
        for statement in tree.children:
            found = self._run(statement, Scope(self.batch))  # type: ignore[arg-type]
        return self._sized(found) if isinstance(found, Expr) else found

    # -------------------------------------------------------------- the walk

    def _run(self, tree: Tree[Token], scope: Scope) -> Value:
        """Walk a tree with a stack of our own; a rule that is broken becomes an error with its column."""
        value: Any = None
        stack: list[tuple[Tree[Token], Steps]] = []
        todo: tuple[Tree[Token], Scope] | None = (tree, scope)
        while True:
            here = todo[0] if todo else stack[-1][0]
            try:
                if todo:
                    started = self._visit(*todo)
                    todo = None
                    if isinstance(started, GeneratorType):
                        stack.append((here, started))
                        value = None
                        todo = started.send(None)
                        continue
                    value = started
                if not stack:
                    return value  # type: ignore[no-any-return]
                here = stack[-1][0]
                todo = stack[-1][1].send(value)
            except StopIteration as done:
                stack.pop()
                value = done.value
                todo = None
                if not stack:
                    return value  # type: ignore[no-any-return]
            except ParseError:
                raise
            except IndexCalcError as error:
                raise self._error(here, str(error.args[0]).partition("\n")[0], error.instead) from error
