"""Reading expressions from text: `parse`, and the walk that applies the rules.

A walk over the syntax tree builds the same `Expr` and `Array` that Python arithmetic would. Names that braces or
`sum[...]` keep are batch indices while the walk is within them, so `*` never sums them. The walk keeps its own stack:
no text is too deep for it. What a part means is a row of `RULES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from types import GeneratorType
from typing import Any, cast

from indexcalc.errors import IndexCalcError, KindError, ParseError
from indexcalc.index import dim
from indexcalc.reading.guess import guessed, told
from indexcalc.reading.rules.arithmetic import (
    read_comparison,
    read_number,
    read_power,
    read_primed,
    read_product,
    read_signed,
    read_sum,
)
from indexcalc.reading.rules.binders import read_arrow, read_braces, read_family, read_parens, read_term, read_total
from indexcalc.reading.rules.calls import (
    read_bare,
    read_call,
    read_listed,
    read_method,
    read_string,
)
from indexcalc.reading.rules.derivatives import read_derived, read_quotient
from indexcalc.reading.rules.names import Reading, Scope, Steps
from indexcalc.reading.rules.operands import Value
from indexcalc.reading.rules.statements import read_definition, sized
from indexcalc.reading.rules.subscripts import read_indexed, read_name
from indexcalc.reading.tokens.passes import parse_tree
from indexcalc.surface import own_name, public
from indexcalc.views import declare
from indexcalc.views.affine.uses import range_of
from indexcalc.views.array import Array
from indexcalc.views.declare import checked_name
from indexcalc.views.derivatives.derivative import ArrayDerivative
from indexcalc.views.expr import Expr, from_number
from indexcalc.views.functions.abstract import AbstractFunction
from indexcalc.views.view import View, is_number, to_number
from indexcalc.writing.standing import NONE, ORIENTATIONS, places_of

Rule = Callable[[Reading, Any, Scope], Value | Steps]
RULES: dict[str, Rule] = {
    "number": read_number, "name": read_name, "indexed": read_indexed, "primed": read_primed, "power": read_power,
    "signed": read_signed, "product": read_product, "sum": read_sum, "compare": read_comparison, "parens": read_parens,
    "braces": read_braces, "total": read_total, "call": read_call, "arrow": read_arrow, "string": read_string,
    "assign": read_definition, "bare": read_bare, "method": read_method, "derived": read_derived,
    "quotient": read_quotient, "listed": read_listed, "family": read_family,
}  # fmt: skip
"""The rule of each part of the grammar, by its name there. A dialect in which a part means something else is this table
with its own row in that place; one that is written otherwise also has a grammar of its own, for these parts."""


@public
def parse(
    text: str,
    /,
    *,
    dims: Mapping[str, object] | None = None,
    batch: str = "",
    vectors: str = "numpy",
    syntax: str = "",
    guess: bool = False,
    **declarations: Any,
) -> Any:
    r"""The expression that a text means.

    A declaration is dimensions (`x="n"`, `W="n m"`, `s=""`), a tensor, an abstract function or an expression; `batch`
    names batch indices, `dims` gives the dimensions of free indices that nothing else tells, and the values over which
    an affine one runs, `dims={"i": "1:n - 1"}`, with what lies beside arrays, `"0:n, zero"`. Statements are separated
    by `;` or a new line, `y = ...` defines a name, and the last expression is the value. With `vectors="column"` or
    "row", order-1 tensors that are declared by dimensions, and order-1 values of functions, stand as that.

    LaTeX is known by its signs; `syntax="matlab"` reads MATLAB. With `guess` what is not declared is by habit: a
    capital is a matrix, a small letter a vector, a small Greek letter or `c` a scalar, and dimensions are found from
    the formula. `.note` says what was guessed, and how something was read that is not obvious. What has two readings is
    refused, with both.

    >>> import indexcalc as ic
    >>> ic.parse("x_i W_ij + b_j", x="n", W="n m", b="m")
    x[i]*W[i,j] + b[j]
    >>> ic.parse("x x^T + A", vectors="column", x="n", A="n n").shape
    (n, n)
    >>> ic.parse(r"\|X w - y\|_2^2", guess=True).note
    'read with X n×d, w d, y n'
    """
    if vectors not in ORIENTATIONS:
        raise ParseError(text, f"vectors={vectors!r} is not known", 'write vectors="numpy", "column" or "row"')
    ranges = {name: range_of(size) for name, size in (dims or {}).items() if isinstance(size, str) and ":" in size}
    sizes = {name: dim(size) for name, size in (dims or {}).items() if name not in ranges}
    if not all(isinstance(name, str) for name in sizes):
        raise KindError("parse", f"dims={dims!r}", 'give dimensions by the names of indices, dims={"i": "n"}')
    kept = frozenset(own_name(name, "parse", "n") for name in batch.replace(",", " ").split())

    def reading(more: Mapping[str, Any]) -> Reading:
        known = {name: declared(name, value, vectors) for name, value in {**declarations, **more}.items()}
        return Reading(text, known, kept, sizes, vectors, syntax, ranges)

    if not guess:
        return value_of(reading({}))
    table, value = guessed(text, reading({}), reading, value_of)
    return noted(value, [note for note in (told(table), value.note) if note])


def reading_of(text: str, known: Mapping[str, Any], vectors: str) -> Reading:
    """A text with what its names mean, before it is read.

    >>> reading_of("A x", {"A": "n n", "x": "n"}, "column").resolve("A")[0].shape
    (n, n)
    """
    return Reading(
        text, {name: declared(name, value, vectors) for name, value in known.items()}, frozenset(), {}, vectors
    )


def declared(name: str, value: Any, vectors: str) -> Value | AbstractFunction:
    """What a keyword of `parse` declares: dimensions, a tensor, an abstract function, an expression, a number.

    >>> declared("W", "n m", "numpy")
    W
    """
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


def value_of(reading: Reading, rules: Mapping[str, Rule] = RULES) -> Value:
    """The value of the last statement of a text, with what is to be said of the reading."""
    tree = parse_tree(reading.text, reading.words, reading.syntax)
    found: Any = None
    for statement in tree.children:
        found = walk(reading, statement, Scope(reading.batch), rules)
    untold = reading.untold(found)
    if untold:
        raise ParseError(reading.text, f"nothing tells the length of {untold}", "write eye(n), ones(n) or ones(n, m)")
    for word, parts in side_by_side(tree, reading.text):
        reading.note(f"`{word}` is read as {parts}")
    found = sized(reading, found) if isinstance(found, Expr) else found
    return noted(found, reading.notes)


def side_by_side(tree: Any, text: str) -> Iterator[tuple[str, str]]:
    """The words of a text that were read as several names, and the names."""
    tokens = (child for part in tree.iter_subtrees() for child in part.children if not hasattr(child, "data"))
    names = sorted((token for token in tokens if token.type == "NAME"), key=lambda token: token.start_pos)
    run: list[Any] = []
    for token in [*names, None]:
        if run and (token is None or token.start_pos != run[-1].end_pos):
            if len(run) > 1 and "\\" not in text:
                yield text[run[0].start_pos : run[-1].end_pos], " ".join(map(str, run))
            run = []
        run = [*run, token] if token is not None else run


def noted(value: Value, notes: Sequence[str]) -> Value:
    """A value that says how it was read: a copy, since a declared tensor stays what it is."""
    if not notes or not isinstance(value, View):
        return value
    made = copy(value)
    made.said = "; ".join(notes)
    return made


def part_of(reading: Reading, tree: Any) -> Value:
    """The value of a part of a text, by the rules of text."""
    return walk(reading, tree, Scope(reading.batch))


def walk(reading: Reading, tree: Any, scope: Scope, rules: Mapping[str, Rule] = RULES) -> Value:
    """The value of a part, found with a stack of our own; a rule that is broken becomes an error with its column."""
    stack = [(tree, _steps(reading, tree, scope, rules))]
    value: Any = None
    while stack:
        here, steps = stack[-1]
        try:
            part, inner = steps.send(value)
            stack.append((part, _steps(reading, part, inner, rules)))
            value = None
        except StopIteration as done:
            stack.pop()
            value = done.value
            if stack and isinstance(value, ArrayDerivative) and value.of and _asks(here):
                _refuse_within(reading, here, stack[-1][0])
        except ParseError:
            raise
        except (IndexCalcError, OverflowError) as error:
            raise reading.placed(here, error) from error
    return cast(Value, value)


QUESTIONS = {"quotient", "derived"}
"""Parts that ask for a derivative."""


def _asks(tree: Any) -> bool:
    """Is this a derivative, in brackets or not?"""
    while tree.data == "parens":
        tree = tree.children[0]
    return tree.data in QUESTIONS


def _refuse_within(reading: Reading, tree: Any, whole: Any) -> None:
    """A derivative of what has axes is an array of more of them: which matrix it is, a layout says, not a formula."""
    if whole.data not in ("parens", "assign"):
        raise reading.error(
            tree, f"{reading.source(tree)} within a formula has a layout to choose",
            'read it alone, and project it: ic.parse("...").layout("numerator"), or "denominator", "jax", ...',
        )  # fmt: skip


def _steps(reading: Reading, tree: Any, scope: Scope, rules: Mapping[str, Rule]) -> Steps:
    """The steps to the value of a part: what its rule yields, or none."""
    if scope.direct and tree.data not in ("sum", "signed"):
        return (yield from read_term(reading, tree, scope))
    made = rules[tree.data](reading, tree, scope)
    return (yield from made) if isinstance(made, GeneratorType) else made
