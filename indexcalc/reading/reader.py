"""Reading expressions from text: `parse`.

A walk over the syntax tree builds the same `Expr` and `Array` that Python arithmetic would. Names that braces or
`sum[...]` keep are batch indices while the walk is within them, so `*` never sums them. The walk keeps its own stack:
no text is too deep for it.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from inspect import signature
from math import prod
from types import GeneratorType
from typing import Any, NamedTuple, cast

from indexcalc.calculus.structure import bands
from indexcalc.errors import IndexCalcError, KindError, ParseError, did_you_mean
from indexcalc.functions.table import ELEMENTWISE, REDUCTIONS
from indexcalc.graph.constructors import as_number, dimension, is_zero, regroup
from indexcalc.graph.walk import resize
from indexcalc.index import Dimension, Index, dim, symbol, unknown
from indexcalc.reading.grammar import parse_tree, where
from indexcalc.reading.operands import (
    PRODUCTS,
    bare_number,
    closed,
    flagged,
    groups_of,
    keeping,
    letters_of,
    pair,
    symbols_of,
    words_of,
)
from indexcalc.views import declare
from indexcalc.views.array import Array, stand
from indexcalc.views.declare import AbstractFunction, checked_name
from indexcalc.views.expr import Expr, from_number
from indexcalc.views.functions import constants
from indexcalc.views.functions.apply import WRITTEN as FUNCTIONS
from indexcalc.views.functions.apply import pi
from indexcalc.views.select import selection
from indexcalc.views.view import View, is_number, to_number
from indexcalc.writing.index.text import GREEK
from indexcalc.writing.standing import NONE, ORIENTATIONS, places_of
from indexcalc.writing.syntax import OPERATORS

Value = Expr | Array
Steps = Generator[tuple[Any, "Scope"], Any, Any]

LATIN = {letter: name for name, letter in GREEK.items()}
COMPARISONS = {sign: name for name, sign in OPERATORS.items()}
INDEXED: dict[str, Callable[..., Any]] = {
    "δ": declare.delta, "delta": declare.delta, "ε": declare.epsilon, "epsilon": declare.epsilon, "ones": declare.ones,
    "zeros": declare.zeros,
}  # fmt: skip
CONSTANTS: dict[str, Callable[..., Array]] = {
    "eye": declare.eye, "ones": declare.ones, "zeros": declare.zeros, "unit": constants.unit,
    "commutation": constants.commutation, "duplication": constants.duplication, "selection": selection,
    "elimination": constants.elimination, "voigt": constants.voigt,
    "bands": lambda kind, *shape: Array(bands(kind, *map(dim, shape[1:])), frozenset()),
}  # fmt: skip
"""Known tensors by their dimensions and parameters, which are given as text."""
MADE = {*CONSTANTS, "delta", "δ", "epsilon", "ε", "group", "einsum"}
ALONG = {"normF", "sum", "mean"}
LARGEST_POWER = 4096
LONGEST_NUMBER = 400


class Scope(NamedTuple):
    """Where a part stands: `kept` are the names that are never summed here.

    In a `direct` part of braces what is not kept is summed at the end of each term; `every` marks a factor of such a
    term.
    """

    kept: frozenset[str]
    direct: bool = False
    every: bool = False


def parse(
    text: str, *, dims: Mapping[str, object] | None = None, batch: str = "", vectors: str = "numpy", **declarations: Any
) -> Any:
    """The expression that a text means.

    A declaration is dimensions (`x="n"`, `W="n m"`, `s=""`), a tensor, an abstract function or an expression; `batch`
    names batch indices, `dims` gives the dimensions of free indices that nothing else tells. Statements are separated
    by `;` or a new line, `y = ...` defines a name, and the last expression is the value. With `vectors="column"` or
    "row", order-1 tensors that are declared by dimensions, and order-1 values of functions, stand as that.

    >>> import indexcalc as ic
    >>> ic.parse("x_i W_ij + b_j", x="n", W="n m", b="m")
    x[i]*W[i,j] + b[j]
    >>> ic.parse("x x^T + A", vectors="column", x="n", A="n n").shape
    (n, n)
    """
    if not isinstance(text, str):
        raise KindError(
            "parse", f"text is a str, not {type(text).__name__}", 'write ic.parse("x[i]*W[i,j]", x="n", W="n m")'
        )
    if vectors not in ORIENTATIONS:
        raise ParseError(text, f"vectors={vectors!r} is not known", 'write vectors="numpy", "column" or "row"')
    known = {name: _declared(name, value, vectors) for name, value in declarations.items()}
    sizes = {name: dim(size) for name, size in (dims or {}).items()}
    return Reading(text, known, frozenset(batch.replace(",", " ").split()), sizes, vectors).value()


def _declared(name: str, value: Any, vectors: str) -> Value | AbstractFunction:
    checked_name(name, "parse")
    if isinstance(value, str | tuple | list):
        made = declare.tensor(name, *([value] if isinstance(value, str) else value))
        return Array(made.node, made.inputs, places_of(made.node, name, vectors, NONE), vectors)
    if isinstance(value, Array) and value.vectors == "numpy" and value.order != 1:
        return Array(value.node, value.inputs, value.places, vectors)
    if isinstance(value, Expr | Array | AbstractFunction):
        return value
    if is_number(value):
        return from_number(to_number(value))
    raise KindError(
        f"parse(..., {name}={value!r})",
        f"a {type(value).__name__} declares nothing",
        f'give dimensions, {name}="n m", or a tensor',
    )


class Reading:
    """One text that is read, with what its names mean."""

    def __init__(
        self,
        text: str,
        known: dict[str, Value | AbstractFunction],
        batch: frozenset[str],
        sizes: dict[str, Dimension],
        vectors: str = "numpy",
    ) -> None:
        self.text = text
        self.known = known
        self.batch = batch
        self.sizes = sizes
        self.vectors = vectors
        self.symbols = symbols_of(known.values(), sizes.values())
        self.rules: dict[str, Callable[[Any, Scope], Value | Steps]] = {
            "number": self._number, "name": self._name, "indexed": self._indexed, "primed": self._primed,
            "power": self._power, "signed": self._signed, "product": self._product, "sum": self._sum,
            "compare": self._compare, "parens": self._parens, "braces": self._braces, "total": self._total,
            "call": self._call, "arrow": self._arrow, "string": self._string, "assign": self._assign,
        }  # fmt: skip

    def value(self) -> Value:
        """The value of the last statement."""
        tree = parse_tree(self.text, self._is_function)
        found: Any = None
        for statement in tree.children:
            found = self._run(statement, Scope(self.batch))
        return self._sized(found) if isinstance(found, Expr) else found

    # -------------------------------------------------------------- the walk

    def _run(self, tree: Any, scope: Scope) -> Value:
        """Walk a tree with a stack of our own; a rule that is broken becomes an error with its column."""
        stack = [(tree, self._visit(tree, scope))]
        value: Any = None
        while stack:
            here, steps = stack[-1]
            try:
                asked = steps.send(value)
                stack.append((asked[0], self._visit(*asked)))
                value = None
            except StopIteration as done:
                stack.pop()
                value = done.value
            except ParseError:
                raise
            except (IndexCalcError, OverflowError) as error:
                raise self._placed(here, error) from error
        return cast(Value, value)

    def _placed(self, tree: Any, error: Exception) -> ParseError:
        """An error of the arithmetic, with its column."""
        if not isinstance(error, IndexCalcError):
            return self._error(tree, "a number too large to write out", "give it as a scalar")
        return self._error(tree, str(error).partition("\n")[0], error.instead)

    def _combine(self, tree: Any, operation: Callable[[Any, Any], Any], first: Value, second: Value) -> Any:
        """Two operands combined; what is wrong with that is said of the second, which stands at `tree`."""
        try:
            return operation(*pair(first, second))
        except (IndexCalcError, OverflowError) as error:
            raise self._placed(tree, error) from error

    def _visit(self, tree: Any, scope: Scope) -> Steps:
        """The value of a part: its rule yields the parts that it needs, and gets their values."""
        if scope.direct and tree.data not in ("sum", "signed"):
            return (yield from self._term(tree, scope))
        made = self.rules[tree.data](tree, scope)
        return (yield from made) if isinstance(made, GeneratorType) else made

    def _error(self, tree: Any, found: str, instead: str = "") -> ParseError:
        place = tree.start_pos if hasattr(tree, "start_pos") else tree.meta.start_pos
        return ParseError(self.text, f"{where(self.text, place or 0)}: {found}", instead)

    # -------------------------------------------------------------- names and numbers

    def _is_function(self, name: str) -> bool:
        if isinstance(self.known.get(name), View):
            return False
        return name in FUNCTIONS or name in MADE or self._abstract(name) is not None

    def _abstract(self, name: str) -> tuple[AbstractFunction, tuple[int, ...]] | None:
        """The abstract function behind `u`, `Du`, `D2u` or `D10f`, and how often each argument differentiates it."""
        function = self.known.get(name)
        if isinstance(function, AbstractFunction):
            return function, (0,) * len(function.signature.args)
        found = re.fullmatch(r"D(\d*)(.+)", name)
        function = self.known.get(found[2]) if found else None
        if found is None or not isinstance(function, AbstractFunction):
            return None
        count = len(function.signature.args)
        if count == 1:
            return function, (int(found[1] or 1),)
        return (function, tuple(map(int, found[1]))) if len(found[1]) == count else None

    def _number(self, tree: Any, scope: Scope) -> Value:
        text = str(tree.children[0])
        if len(text) > LONGEST_NUMBER:
            raise self._error(tree, f"a number of {len(text)} digits", f"write at most {LONGEST_NUMBER}")
        if text.isdigit():
            return from_number(int(text))
        return from_number(to_number(complex(text) if text[-1] == "j" else float(text)))

    def _resolve(self, token: Any) -> tuple[Any, str]:
        """What a name means, and the subscripts written into it: the longest declared name wins."""
        text = str(token)
        ends = [len(text), *(found.start() for found in reversed(list(re.finditer("_", text))))]
        for end in ends:
            head, tail = text[:end], text[end + 1 :]
            if end < len(text) and not tail:
                continue
            for name in (head, LATIN.get(head, head)):
                if name in self.known:
                    return self.known[name], tail
            if head in INDEXED and tail:
                return INDEXED[head], tail
        if text in ("pi", "π"):
            return pi, ""
        if text in self.symbols:
            return Expr(dimension(symbol(text)), (), frozenset()), ""
        raise self._unknown(token)

    def _unknown(self, token: Any) -> ParseError:
        name = str(token)
        if name in FUNCTIONS or name in INDEXED or name in MADE:
            form = f"{name}[i,j]" if name in INDEXED else f"{name}(...)"
            return self._error(token, f"{name} is a function, and stands without its argument", f"write {form}")
        close = did_you_mean(name, [*self.known, *FUNCTIONS])
        hint = close if close.startswith("did") else did_you_mean(name, self.known)
        return self._error(token, f"{name!r} is not declared", hint or f'declare it: {name}="n m"')

    def _name(self, tree: Any, scope: Scope) -> Any:
        (token,) = tree.children
        value, tail = self._resolve(token)
        if tail:
            return self._place(tree, value, letters_of(tail, None), scope)
        if isinstance(value, AbstractFunction):
            raise self._error(tree, f"{token} is a function, and stands without its argument", f"write {token}(x)")
        return flagged(value, lambda name: scope.every or name in scope.kept)

    def _indexed(self, tree: Any, scope: Scope) -> Steps:
        base, subs = tree.children
        value: Any = INDEXED.get(str(base.children[0])) if base.data == "name" else None
        if value is None:
            value = yield from self._array(base, needed=False)
        if hasattr(subs, "children"):
            if all(isinstance(sub, str) and str(sub).isidentifier() and sub != "None" for sub in subs.children):
                return self._place(tree, value, [str(name) for name in subs.children], scope)
            return self._entries(tree, value, subs.children, scope)
        return self._place(
            tree, value, letters_of(str(subs)[2:-1], value.order if isinstance(value, Array) else None), scope
        )

    def _place(self, tree: Any, value: Any, names: Sequence[str], scope: Scope) -> Any:
        """A tensor or a constant with these indices."""
        for name in names:
            if not name.isidentifier():
                raise self._error(
                    tree, f"index {name!r} is no name", "an index is a letter, or a name as in W_{in,out}"
                )
        indices = [self._index(name, scope) for name in names]
        if isinstance(value, Array):
            return value[tuple(indices)]
        if isinstance(value, Expr):
            if value.free and len(indices) == len(value.free):
                return value.array(*value.free)[tuple(indices)]
            raise self._error(
                tree,
                f"this has the indices {', '.join(map(str, value.free)) or 'none'} already",
                "leave the brackets out",
            )
        if value is declare.delta and len(indices) != 2:
            raise self._error(tree, f"δ with {len(indices)} indices", "write δ[i,j]")
        return value(*indices)

    def _entries(self, tree: Any, value: Any, subs: Sequence[Any], scope: Scope) -> Value:
        """Entries of an array, by integers and slices; beside integers names are indices: `X[0,j]`."""
        if not isinstance(value, Array):
            raise self._error(tree, f"entries {self._source(tree)} of what is no array", "write x[i], x[0] or X[1:3,:]")
        keys = [self._key(sub) for sub in subs]
        names = [key for key in keys if isinstance(key, str)]
        picked = value[tuple(slice(None) if isinstance(key, str) else key for key in keys)]
        if not names:
            return cast(Value, picked)
        if any(not isinstance(key, str | int) for key in keys):
            raise self._error(tree, f"the index {names[0]} beside a slice", f"pick entries first: X[0,:][{names[0]}]")
        return cast(Value, picked[tuple(self._index(name, scope) for name in names)])

    def _key(self, sub: Any) -> Any:
        """A subscript: an index as its name, an entry as its number, a slice."""
        if isinstance(sub, str):
            return int(sub) if sub.isdigit() else {"None": None, "...": Ellipsis}.get(sub, str(sub))
        if sub.data == "bound":
            *_, last = sub.children
            if len(sub.children) == 2 and str(last).isdigit():
                return self._bound(sub)
            mark = next((token for token in sub.children[1:] if token.type in ("SIGN", "TIMES")), last)
            raise self._error(mark, f"expected ,, ]; found {str(mark)!r}", "an index is a name, an entry an integer")
        parts: list[list[Any]] = [[]]
        for child in sub.children:
            if getattr(child, "type", "") == "COLON":
                parts.append([])
            else:
                parts[-1].append(self._bound(child))
        return slice(*[part[0] if part else None for part in parts])

    def _bound(self, bound: Any) -> Dimension:
        """An integer, or a polynomial of dimension symbols."""
        tokens: list[Any] = [bound] if isinstance(bound, str) else bound.children
        for token in tokens:
            if token.type == "NAME" and str(token) not in self.symbols:
                raise self._unknown(token)
        text = str(bound) if isinstance(bound, str) else self._source(bound)
        return int(text) if re.fullmatch(r"[-+]?\d+", text.replace(" ", "")) else dim(text)

    def _index(self, name: str, scope: Scope) -> Index:
        return Index(name, scope.every or name in scope.kept)

    # -------------------------------------------------------------- arithmetic

    def _primed(self, tree: Any, scope: Scope) -> Steps:
        part, mark = tree.children
        value = yield part, Scope(scope.kept)
        if mark == ".mT" and isinstance(value, Array):
            return value.mT
        return self._transposed(tree, value)

    def _transposed(self, tree: Any, value: Value) -> Value:
        if isinstance(value, Expr):
            raise self._error(
                tree, f"{value} has indices, and a transpose is matrix notation", "swap the indices: A[j,i]"
            )
        return value.T

    def _power(self, tree: Any, scope: Scope) -> Steps:
        first, sign, second = tree.children
        base = yield first, Scope(scope.kept, every=scope.every)
        matrix = isinstance(base, Array) and base.order > 0
        if sign == "^" and second.data == "name" and second.children == ["T"] and (matrix or "T" not in self.known):
            return self._transposed(tree, base)
        exponent = yield second, Scope(scope.kept)
        value = as_number(exponent.node)
        if sign == "^" and matrix:
            if value == -1 and base.order == 2:
                return FUNCTIONS["inv"](base)
            raise self._error(
                tree,
                f"`^` on a tensor of order {base.order}",
                "write ** for each entry, matrix_power(X, k) for the matrix",
            )
        ground = as_number(base.node)
        if value is None:
            if scope.every:
                base, exponent = keeping(base), keeping(exponent)
            return self._combine(second, operator.pow, base, exponent)
        if ground is not None:
            if ground == 0 and not isinstance(value, complex) and value < 0:
                raise self._error(tree, "a division by zero", "")
            if isinstance(value, int) and isinstance(ground, int) and abs(value) * ground.bit_length() > LARGEST_POWER:
                raise self._error(tree, "a number too large to write out", "give it as a scalar")
        return base**value

    def _signed(self, tree: Any, scope: Scope) -> Steps:
        *signs, part = tree.children
        value = yield part, scope
        return -value if sum(sign == "-" for sign in signs) % 2 else value

    def _product(self, tree: Any, scope: Scope) -> Steps:
        value = yield tree.children[0], Scope(scope.kept, every=scope.every)
        if scope.every:
            value = keeping(value)
        for sign, part in zip(tree.children[1::2], tree.children[2::2], strict=True):
            other = yield part, Scope(scope.kept, every=scope.every)
            if scope.every:
                other = keeping(other)
            if sign == "/" and is_zero(other.node):
                raise self._error(part, "a division by zero", "")
            value = self._combine(part, PRODUCTS[str(sign)], value, other)
        return value

    def _sum(self, tree: Any, scope: Scope) -> Steps:
        value = yield tree.children[0], scope
        for sign, part in zip(tree.children[1::2], tree.children[2::2], strict=True):
            other = yield part, scope
            value = self._combine(part, operator.add if sign == "+" else operator.sub, value, other)
        return value

    def _compare(self, tree: Any, scope: Scope) -> Steps:
        first, sign, second = tree.children
        left = yield first, Scope(scope.kept)
        right = yield second, Scope(scope.kept)
        return FUNCTIONS[COMPARISONS[str(sign)]](*pair(left, right))

    # -------------------------------------------------------------- what binds names

    def _term(self, tree: Any, scope: Scope) -> Steps:
        """A term of braces: no factor sums a name that another carries; at the end all that is not kept is summed."""
        value = yield tree, Scope(scope.kept, every=True)
        value = keeping(value)
        gone = [index for index in value.free if index.name not in scope.kept] if isinstance(value, Expr) else []
        return value.sum(*gone) if gone else value

    def _parens(self, tree: Any, scope: Scope) -> Steps:
        value = yield tree.children[0], Scope(scope.kept)
        return closed(value)

    def _braces(self, tree: Any, scope: Scope) -> Steps:
        names, body = tree.children
        return (yield from self._bind(tree, words_of(names), body, scope))

    def _bind(self, tree: Any, order: list[str], body: Any, scope: Scope) -> Steps:
        """The value of a body in which these names are kept; it varies along each of them, if only as a constant."""
        if len(set(order)) < len(order):
            raise self._error(tree, f"{', '.join(order)}: a name occurs twice", "name each axis once")
        value = yield body, Scope(scope.kept | set(order), direct=True)
        if isinstance(value, Array):
            if value.order:
                raise self._error(tree, f"{value} has axes without names", "within braces index the arrays: {i: x[i]}")
            value = Expr(value.node, (), value.inputs)
        for name in order:
            if name not in value.names:
                value = value * declare.ones(Index(name, True), dim=self.sizes.get(name))
        free = [Index(name) for name in dict.fromkeys((*order, *value.names))]
        return flagged(Expr(value.node, value.indices, value.inputs, free), scope.kept.__contains__)

    def _arrow(self, tree: Any, scope: Scope) -> Steps:
        body, _, names = tree.children
        return (yield from self._bound_array(tree, words_of(names), body))

    def _bound_array(self, tree: Any, order: list[str], body: Any) -> Steps:
        """The array with these axes; a 1 among them is a unit axis."""
        named = [name for name in order if name != "1"]
        value = yield from self._bind(tree, named, body, Scope(self.batch))
        more = [name for name in value.names if name not in order]
        if more:
            raise self._error(
                tree, f"{', '.join(more)} is free, and names no axis", f"the axes named are {', '.join(order)}"
            )
        made = value.array(*(Index(name) for name in named))
        numbers = iter(range(len(named)))
        places = tuple(None if name == "1" else next(numbers) for name in order)
        return Array(made.node, made.inputs, places, self.vectors)

    def _array(self, tree: Any, needed: bool = True) -> Steps:
        """A part as an argument that is an array: braces name its axes."""
        if tree.data == "braces":
            names, body = tree.children
            made = yield from self._bound_array(tree, words_of(names), body)
            return stand(made.node, [made])
        value = yield tree, Scope(self.batch)
        if isinstance(value, Expr) and not value.order:
            return Array(value.node, value.inputs, (), self.vectors)
        if needed and isinstance(value, Expr):
            names = ",".join(value.names)
            raise self._error(tree, "an array is due here, and this has indices", f"name its axes: {{{names}: ...}}")
        return value

    def _total(self, tree: Any, scope: Scope) -> Steps:
        _, names, _, body = tree.children
        order = words_of(names)
        value = yield body, Scope(scope.kept | set(order))
        if not isinstance(value, Expr):
            raise self._error(
                tree, "sum[...] sums over indices, and here are none", "write sum(X, axis=0), or index the arrays"
            )
        total = value.sum(*(Index(name, True) for name in order))
        return flagged(total, scope.kept.__contains__)

    # -------------------------------------------------------------- functions

    def _call(self, tree: Any, scope: Scope) -> Steps:
        token, *rest = tree.children
        name, parts = str(token), rest[0].children if rest else []
        args = [part for part in parts if part.data != "keyword"]
        keywords = {str(part.children[0]): part.children[1] for part in parts if part.data == "keyword"}
        if name in MADE:
            return (yield from self._made(tree, name, args, keywords))
        abstract = self._abstract(name)
        if abstract is not None:
            function, orders = abstract
            arrays = []
            for part in args:
                arrays.append((yield from self._array(part)))
            return function.derivative(orders, *arrays)
        if not args:
            raise self._error(tree, f"{name}() has no argument", f"write {name}(x[i])")
        if name in ALONG or (name in REDUCTIONS and not REDUCTIONS[name].matrix):
            return (yield from self._along(name, args, keywords, scope))
        taken = signature(FUNCTIONS[name]).parameters
        for word, part in keywords.items():
            if word not in taken or not isinstance(part, str):
                raise self._error(tree, f"{name} takes no {word}=", "")
        values = []
        for number, part in enumerate(args):
            if name in ELEMENTWISE or name == "sqrt":
                value = yield part, Scope(scope.kept)
            elif name == "unvec" and number:
                values.append(dim(self._source(part)))
                continue
            else:
                value = yield from self._array(part)
            values.append(bare_number(value))
        return FUNCTIONS[name](*values, **{word: str(part)[1:-1] for word, part in keywords.items()})

    def _along(self, name: str, args: list[Any], keywords: dict[str, Any], scope: Scope) -> Steps:
        """A function along axes: parameters follow its argument, then the names of axes."""
        value = yield args[0], Scope(scope.kept)
        rest: list[Any] = []
        for part in args[1:]:
            if part.data == "name":
                rest.append(self._index(str(part.children[0]), scope))
            else:
                rest.append(bare_number((yield part, Scope(scope.kept))))
        given: dict[str, Any] = {}
        for word, part in keywords.items():
            if word not in ("axis", "keepdims") or isinstance(part, str):
                raise self._error(part, f"{name} takes no {word}=", "write axis= or keepdims=")
            text = self._source(part)
            given[word] = text == "True" if text in ("True", "False") else bare_number((yield part, Scope(scope.kept)))
        return FUNCTIONS[name](value, *rest, **given)

    def _made(self, tree: Any, name: str, args: list[Any], keywords: dict[str, Any]) -> Steps:
        """A constant with its dimensions, or axes joined and split."""
        if name == "group":
            return (yield from self._group(tree, args, keywords))
        if name == "einsum":
            return (yield from self._einsum(tree, args))
        texts = [self._source(part) for part in args]
        wrong = [word for word, part in keywords.items() if word != "dim" or isinstance(part, str)]
        if wrong:
            raise self._error(tree, f"{name} takes no {wrong[0]}= of this kind", "write dim=n")
        if name in CONSTANTS and not keywords:
            made = CONSTANTS[name](*(int(text) if re.fullmatch(r"-?\d+", text) else text for text in texts))
            return Array(made.node, made.inputs, self._places(made), self.vectors)
        size = dim(self._source(keywords["dim"])) if keywords else None
        for part, text in zip(args, texts, strict=True):
            if not text.isidentifier():
                raise self._error(part, f"{text!r} is no index", f"write {name}(i, j), or {name}[i,j]")
        indices = [Index(text, text in self.batch) for text in texts]
        return INDEXED[name](*indices, dim=size) if keywords else INDEXED[name](*indices)

    def _einsum(self, tree: Any, args: list[Any]) -> Steps:
        if not args or args[0].data != "string":
            raise self._error(tree, "einsum takes a pattern, then arrays", 'write einsum("ij,jk->ik", A, B)')
        arrays = []
        for part in args[1:]:
            arrays.append((yield from self._array(part)))
        return declare.einsum_array(str(args[0].children[0])[1:-1], *arrays)

    def _group(self, tree: Any, args: list[Any], keywords: dict[str, Any]) -> Steps:
        if len(args) != 2 or args[1].data != "string":
            raise self._error(tree, "group takes an array and a pattern", 'write group(X, "i j -> (i j)")')
        array = yield from self._array(args[0])
        pattern = str(args[1].children[0])[1:-1]
        left, arrow, right = pattern.partition("->")
        inner, outer = groups_of(left), groups_of(right)
        letters = list(dict.fromkeys(letter for group in inner for letter in group))
        if (
            not arrow
            or len(inner) != array.order
            or sorted(sum(outer, ())) != sorted(letters)
            or len(letters) < len(sum(inner, ()))
        ):
            raise self._error(
                args[1],
                f"the pattern {pattern!r} does not fit {array.order} axes",
                'write "i j -> (i j)", each letter once a side',
            )
        sizes: dict[str, Dimension] = {letter: dim(self._source(part)) for letter, part in keywords.items()}
        for group, size in zip(inner, array.node.dims, strict=True):
            if len(group) == 1:
                sizes[group[0]] = size
            missing = [letter for letter in group if letter not in sizes]
            if missing:
                raise self._error(tree, f"how long is {missing[0]}?", f"write group(..., {missing[0]}=...)")
            if prod(sizes[letter] for letter in group) != size:
                raise self._error(args[1], f"({' '.join(group)}) does not split an axis of dimension {size}", "")
        place = {letter: k for k, letter in enumerate(letters)}
        split, joined = ([tuple(place[x] for x in group) for group in side] for side in (inner, outer))
        made = regroup(array.node, split, joined, [sizes[letter] for letter in letters])
        return stand(made, [array])

    def _places(self, array: Array) -> tuple[int | None, ...]:
        return places_of(array.node, "", self.vectors, NONE)

    def _string(self, tree: Any, scope: Scope) -> Value:
        raise self._error(tree, "text in quotes means nothing here", "only group(...) takes a pattern")

    def _source(self, tree: Any) -> str:
        """The text of a part."""
        return self.text[tree.meta.start_pos : tree.meta.end_pos]

    # -------------------------------------------------------------- definitions

    def _assign(self, tree: Any, scope: Scope) -> Steps:
        target, body = tree.children
        name, subs = self._target(target)
        if body.data == "braces" and subs is None:
            value = yield from self._array(body)
        else:
            value = yield body, scope
        free = value.names if isinstance(value, Expr) else ()
        if subs is None and "_" in name:
            head, _, tail = name.rpartition("_")
            letters = letters_of(tail, None)
            if head and (sorted(letters) == sorted(free) or (free and len(set(letters)) == len(letters))):
                name, subs = head, letters
        if name in self.known or self._is_function(name):
            raise self._error(target, f"{name!r} means something already", f"use another name, {name}_ say")
        checked_name(name, "parse")
        if sorted(subs or ()) != sorted(free):
            shown = ", ".join(free) or "none"
            raise self._error(
                target,
                f"the right side has the free indices {shown}, the left {', '.join(subs or ()) or 'none'}",
                f"write {name}[{','.join(free)}] = ..." if free else f"write {name} = ...",
            )
        if isinstance(value, Expr):
            value = self._sized(value)
            placed = value.array(*(Index(letter) for letter in subs or ()))
            self.known[name] = Array(placed.node, placed.inputs, self._places(placed), self.vectors)
            return value
        self.known[name] = value
        return value

    def _target(self, target: Any) -> tuple[str, list[str] | None]:
        """The name that a statement defines, and its indices if they stand in brackets."""
        if target.data == "name":
            return str(target.children[0]), None
        if target.data == "indexed" and target.children[0].data == "name":
            base, subs = target.children
            names = words_of(subs) if hasattr(subs, "children") else letters_of(str(subs)[2:-1], None)
            return str(base.children[0]), names
        raise self._error(target, "only a name can be defined", "write Y = ..., y[j] = ... or y_j = ...")

    def _sized(self, value: Expr) -> Expr:
        """An expression whose free indices have the dimensions that were declared for them."""
        table: dict[str, Dimension] = {}
        for index, size in zip(value.indices, value.node.dims, strict=True):
            wanted = self.sizes.get(index.name, size)
            if wanted == size:
                continue
            if not unknown(size):
                raise ParseError(self.text, f"index {index} has dimension {size}, and dims says {wanted}", "")
            table[str(size)] = wanted
        if not table:
            return value
        (node,) = resize([value.node], table)
        return Expr(node, value.indices, value.inputs, value.free)
