"""What the names of a text mean, and where in it something stands.

A `Reading` is what the rules of the reader share: the text, for errors with a column, and the meanings of its names,
which grow as statements define more. A rule is a function `read_<part>(reading, tree, scope)`: it gives the value of a
part of the syntax tree, or yields the parts that it needs, each with its scope, and is sent their values (`Steps`).
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Mapping
from typing import Any, NamedTuple

from indexcalc.affine import Affine, Span
from indexcalc.errors import IndexCalcError, ParseError, did_you_mean
from indexcalc.foreign import answer
from indexcalc.graph.constructors import dimension
from indexcalc.graph.node import topological
from indexcalc.index import Dimension, Index, symbol, unknown
from indexcalc.reading.rules.constants import INDEXED, MADE
from indexcalc.reading.rules.operands import Value, symbols_of
from indexcalc.reading.rules.spellings import SIGNED, SPELLED
from indexcalc.reading.tokens.grammar import where
from indexcalc.reading.tokens.words import ACCENTS, Words, spellings
from indexcalc.views import declare
from indexcalc.views.array import Array
from indexcalc.views.expr import Expr
from indexcalc.views.functions.abstract import AbstractFunction
from indexcalc.views.functions.apply import WRITTEN as FUNCTIONS
from indexcalc.views.functions.apply import pi
from indexcalc.views.view import View
from indexcalc.writing.standing import NONE, places_of


class Scope(NamedTuple):
    """Where a part stands: `kept` are the names that are never summed here.

    In a `direct` part of braces what is not kept is summed at the end of each term; `every` marks a factor of such a
    term. `entries` says of what a power is one of each entry: of "all" within `sum` and `mean`, of "vectors" within
    norms and in products of matrices, where that of a square matrix has one meaning.
    """

    kept: frozenset[str]
    direct: bool = False
    every: bool = False
    entries: str = ""

    def inner(self, direct: bool = False, every: bool = False) -> Scope:
        """The scope of a part of what stands here."""
        return Scope(self.kept, direct, every, self.entries)


CALLS = {"FUNCTION", "BARE", "METHOD"}
"""Tokens that stand for a function; names of other programs are answered there, not where a tensor may be meant."""


SYMBOLS = dict.fromkeys(("epsilon", "ε", "eps"), ("Levi-Civita's symbol has indices, epsilon[i,j,k]", "eps"))
SYMBOLS |= dict.fromkeys(("delta", "δ"), ("Kronecker's symbol has indices, delta[i,j]", "delta_"))
"""Letters of tensors that are known: what is said where they stand alone, and a name that is free."""


class Learnt(Exception):
    """Two dimensions that have to agree, of which one was only guessed: the reading begins again with one of them."""

    def __init__(self, one: Dimension, other: Dimension) -> None:
        super().__init__()
        self.sizes = one, other


Steps = Generator[tuple[Any, Scope], Any, Any]
"""A rule under way: it yields the parts that it needs, is sent their values, and returns its own."""


class Reading:
    """One text that is read, with what its names mean.

    >>> from indexcalc.views.declare import tensor
    >>> reading = Reading("W_ij", {"W": tensor("W", "n m")}, frozenset(), {})
    >>> reading.resolve("W_ij")
    (W, 'ij')
    """

    def __init__(
        self,
        text: str,
        known: dict[str, Value | AbstractFunction],
        batch: frozenset[str],
        sizes: dict[str, Dimension],
        vectors: str = "numpy",
        syntax: str = "",
        ranges: Mapping[str, Span] | None = None,
    ) -> None:
        self.text = text
        self.ranges = ranges or {}
        self.known = known
        self.batch = batch
        self.sizes = sizes
        self.vectors = vectors
        self.syntax = syntax
        self.notes: list[str] = []
        self.fresh: list[str] = []
        self.open: frozenset[str] = frozenset()
        self.left: frozenset[str] = frozenset()
        ends = [end for span in self.ranges.values() for end in (span.start, span.size)]
        self.symbols = symbols_of(known.values(), [*sizes.values(), *ends])
        self.words = Words.of(known, self.symbols)

    # -------------------------------------------------------------- the text

    def source(self, tree: Any) -> str:
        """The text of a part."""
        return self.text[tree.meta.start_pos : tree.meta.end_pos]

    def error(self, tree: Any, found: str, instead: str = "") -> ParseError:
        """What is wrong with a part, with its column."""
        place = tree.start_pos if hasattr(tree, "start_pos") else tree.meta.start_pos
        return ParseError(self.text, f"{where(self.text, place or 0)}: {found}", instead)

    def placed(self, tree: Any, error: Exception) -> ParseError:
        """An error of the arithmetic, with its column."""
        if not isinstance(error, IndexCalcError):
            return self.error(tree, "a number too large to write out", "give it as a scalar")
        return self.error(tree, str(error).partition("\n")[0], error.instead)

    # -------------------------------------------------------------- the names

    def is_function(self, name: str) -> bool:
        """Does a name before a parenthesis stand for a function, and not for a factor?"""
        return not isinstance(self.known.get(name), View) and self.words.is_function(name)

    def means(self, name: str) -> bool:
        """Has a name a meaning, declared, defined in the text or known?"""
        return name in self.known or self.words.means(name)

    def declares(self, tree: Any) -> bool:
        """Is this name a declared one, or `ε` of a declared `eps` that has axes?"""
        name = str(tree.children[0])
        found = self.known.get(self.words.known(name))
        return name in self.known or (isinstance(found, View) and bool(found.order))

    def note(self, text: str) -> None:
        """Say how something was read, where that is not obvious."""
        if text not in self.notes:
            self.notes.append(text)

    def abstract(self, name: str) -> tuple[AbstractFunction, tuple[int, ...]] | None:
        """The abstract function behind `u`, `Du`, `D2u` or `D10f`, and how often each argument differentiates it."""
        function = self.known.get(self.words.known(name))
        if isinstance(function, AbstractFunction):
            return function, (0,) * len(function.signature.args)
        found = re.fullmatch(r"D(\d*)(.+)", name)
        function = self.known.get(self.words.known(found[2])) if found else None
        if found is None or not isinstance(function, AbstractFunction):
            return None
        count = len(function.signature.args)
        if count == 1:
            return function, (int(found[1] or 1),)
        return (function, tuple(map(int, found[1]))) if len(found[1]) == count else None

    def resolve(self, token: Any) -> tuple[Any, str]:
        """What a name means, and the subscripts written into it: the longest declared name wins."""
        text = str(token)
        ends = [len(text), *(found.start() for found in reversed(list(re.finditer("_", text))))]
        for end in ends:
            head, tail = text[:end], text[end + 1 :]
            if end < len(text) and (not tail or tail in ACCENTS):
                continue
            for name in spellings(head):
                if name in self.known:
                    return self.known[name], tail
            if head in INDEXED and tail:
                return INDEXED[head], tail
        if text in ("pi", "π"):
            return pi, ""
        if text in self.symbols:
            return Expr(dimension(symbol(text)), (), frozenset()), ""
        if text == "I":
            return self.identity(), ""
        if text.startswith("I_") and (text[2:] in self.symbols or text[2:].isdigit()):
            return declare.eye(int(text[2:]) if text[2:].isdigit() else text[2:]), ""
        if text == "𝟏":
            return self.ones(), ""
        for end in ends:
            if f"{text[:end]}_" in self.known:  # as LaTeX sets the name `B_`
                return self.known[f"{text[:end]}_"], text[end + 1 :]
        raise self.unknown(token)

    def unknown(self, token: Any) -> ParseError:
        """The error of a name that means nothing here."""
        name = str(token)
        if token.type in CALLS and name not in SPELLED and answer(name):
            return self.error(token, f"{name!r} is not declared, and no function here", answer(name))
        if name in SYMBOLS:
            return self.undeclared(token, name)
        if (name in FUNCTIONS or name in INDEXED or name in MADE or name in SPELLED) and name not in SIGNED:
            form = f"{name}[i,j]" if name in INDEXED else f"{name}(...)"
            return self.error(token, f"{name} is a function, and stands without its argument", f"write {form}")
        close = did_you_mean(name, [*self.known, *(FUNCTIONS if token.type in CALLS else ())])
        hint = close if close.startswith("did") else did_you_mean(name, self.known)
        if token.type in CALLS and not close.startswith("did"):
            declare = f'declare it, {name}=ic.function("{name}", "->") say, or write it by functions that are here'
            return self.error(token, f"{name!r} is not declared, and no function here", declare)
        return self.error(token, f"{name!r} is not declared", hint or f'declare it: {name}="n m"')

    def undeclared(self, part: Any, name: str, dims: str = "") -> ParseError:
        """The error of ε or δ that stands as a tensor does, without the indices of the symbol."""
        symbol, other = SYMBOLS[name]
        return self.error(
            part, f"{name!r} is not declared, and {symbol}",
            f'declare it under another name: {other}="{dims}"' if name != other else f'declare it: {name}="{dims}"',
        )  # fmt: skip

    def index(self, name: str, scope: Scope) -> Index:
        """The index of this name, a batch index where no product sums it."""
        return Index(name, scope.every or name in scope.kept, self.ranges.get(name))

    def affine(self, tree: Any, text: str, scope: Scope) -> Index | Affine:
        """What stands for an axis: an index, or an affine function of indices, as text or LaTeX writes it."""
        if text.isidentifier():
            return self.index(text, scope)
        parts = re.findall(r"([+-]?)(\d*)(?:\*?([^\W\d]\w*))?", text.replace(" ", ""))
        parts = [part for part in parts if any(part)]
        read = "".join(map("".join, parts))
        if not parts or "".join(text.split()).replace("*", "") != read or (not parts[0][-1] and len(parts) == 1):
            raise self.error(tree, f"index {text!r} is no name", "write an index, i, or an affine one: i+1, 2*t+j")
        names = [name for _, _, name in parts if name]
        indices = [name for name in names if name not in self.symbols] or names
        total: Any = 0
        for sign, number, name in parts:
            value: Any = int(number or 1) * (-1 if sign == "-" else 1)
            total = total + (value * (self.index(name, scope) if name in indices else symbol(name)) if name else value)
        return total  # type: ignore[no-any-return]

    def learn(self, pairs: Iterable[tuple[Dimension, Dimension]]) -> None:
        """Dimensions that have to agree: where one of them was only guessed, the reading is to begin again."""
        for one, other in pairs:
            if unknown(one) or unknown(other):
                continue
            if one != other and 1 not in (one, other) and not self.open.isdisjoint((str(one), str(other))):
                raise Learnt(one, other)

    def learn_square(self, values: Iterable[Any]) -> None:
        """Matrices that have to be square, where their dimensions were only guessed."""
        square = [value.node.dims for value in values if isinstance(value, Array) and value.order == 2]
        self.learn((rows, columns) for rows, columns in square)

    def told_later(self, what: str, count: int) -> list[Index]:
        """Indices whose dimensions are told by what they meet."""
        self.fresh.append(what)
        return [Index(f"told{len(self.fresh)}{letter}") for letter in "ab"[:count]]

    def untold(self, value: Any) -> str:
        """What in a value has a length that nothing told, "" if there is none."""
        if not self.fresh or isinstance(value, AbstractFunction):
            return ""
        for node in topological([value.node]):
            for size in (*node.dims, *getattr(node, "sizes", ())):
                found = re.search(r"\?told(\d+)", str(size))
                if found is not None:
                    return self.fresh[int(found[1]) - 1]
        return ""

    def identity(self) -> Array:
        """The identity, whose dimension is that of what it meets."""
        one, other = self.told_later("I", 2)
        made = declare.delta(one, other).array(one, other)
        return Array(made.node, made.inputs, (0, 1), self.vectors)

    def ones(self) -> Array:
        """The vector of ones, whose dimension is that of what it meets."""
        filled = declare.ones(*self.told_later("the vector of ones", 1))
        made = filled.array(*filled.free)
        return Array(made.node, made.inputs, self.places(made), self.vectors)

    def matrix_of_ones(self) -> Array:
        """The matrix of ones, whose dimensions are those of what it meets."""
        filled = declare.ones(*self.told_later("the matrix of ones", 2))
        made = filled.array(*filled.free)
        return Array(made.node, made.inputs, (0, 1), self.vectors)

    def places(self, array: Array) -> tuple[int | None, ...]:
        """The places of an array that has no name yet, a vector standing as vectors do in this text."""
        return places_of(array.node, "", self.vectors, NONE)
