"""The rules of calls: functions of the table, abstract functions, constants by their dimensions, patterns."""

from __future__ import annotations

import re
from inspect import Parameter, signature
from math import prod
from typing import Any

from indexcalc.errors import IndexCalcError, counted
from indexcalc.functions.table import REDUCTIONS
from indexcalc.graph.constructors import regroup
from indexcalc.index import Dim, Dimension, dim, smaller
from indexcalc.reading.rules.arithmetic import combined
from indexcalc.reading.rules.binders import read_array
from indexcalc.reading.rules.constants import CONSTANTS, INDEXED, MADE
from indexcalc.reading.rules.lists import LISTED, read_listing
from indexcalc.reading.rules.names import Reading, Scope, Steps
from indexcalc.reading.rules.operands import Value, bare_number, groups_of, in_one_notation, pair, words_of
from indexcalc.reading.rules.spellings import (
    DETERMINANTS,
    DIVIDED,
    EITHER,
    ENTRIES,
    ENTRYWISE,
    FILLED,
    LARGEST,
    LOGARITHMS,
    SMALLER,
    SPELLED,
    TRACES,
    WITHOUT_ROW,
    is_of_entries,
    is_square,
    log_determinant,
)
from indexcalc.views import declare
from indexcalc.views.array import Array, standing_array
from indexcalc.views.functions.apply import WRITTEN as FUNCTIONS

SIZED = {"unvec", "one_hot"}
"""Functions whose further arguments are dimensions."""
SIDES = {'"rows"': 1, '"columns"': 0}
"""The axes along which a function goes, by the words below it in LaTeX."""


def is_along(name: str) -> bool:
    """Is it a function along axes, which are named after the argument or told by `axis=`?

    >>> is_along("softmax"), is_along("inv")
    (True, False)
    """
    return name in WITHOUT_ROW or (name in REDUCTIONS and not REDUCTIONS[name].matrix)


def read_call(reading: Reading, tree: Any, scope: Scope) -> Steps:
    """`name(arguments, keyword=value)`: a constant, an abstract function, a function of the table or another word."""
    token, *rest = tree.children
    return (yield from called(reading, tree, token, list(rest[0].children) if rest else [], scope))


def read_method(reading: Reading, tree: Any, scope: Scope) -> Steps:
    """`A.dot(x)`, `x.sum()`: a function of what stands before it."""
    first, token, *rest = tree.children
    more = list(rest[0].children) if rest else []
    known = reading.is_function(str(token))
    if not known:
        raise reading.unknown(token)
    return (yield from called(reading, tree, token, [first, *more], scope))


def read_bare(reading: Reading, tree: Any, scope: Scope) -> Steps:
    """`log|A|`, `sin 2t`, `tr A B`: a function of the product after it, which is refused where it may end earlier."""
    token, body = tree.children
    word = str(token).partition("^")[0]
    parts = [body]
    if body.data == "product":
        signs, factors = body.children[1::2], body.children[::2]
        last = factors[-1].data == "bare" and signs[-1] in ("", "·")
        if last and len(factors) == 2:  # sin t cos t
            value = yield from called(reading, tree, token, factors[:1], scope)
            other = yield factors[1], scope.inner(every=scope.every)
            return combined(reading, body, str(signs[0]), value, other)
        number = factors[0].data == "number" and len(factors) == 2 and signs[0] in ("", "·", "*")
        if not number and word not in TRACES:
            head, whole = reading.source(factors[0]), reading.source(body)
            raise reading.error(
                tree, f"{word} of {whole} has two readings",
                f"write {word}({head}){whole[len(head) :]}, or {word}({whole})",
            )  # fmt: skip
    return (yield from called(reading, tree, token, parts, scope))


def called(reading: Reading, tree: Any, token: Any, parts: list[Any], scope: Scope) -> Steps:
    """A word of these arguments, which are parts of the tree."""
    name, _, power = str(token).partition("^")
    args = [part for part in parts if part.data != "keyword"]
    keywords = {str(part.children[0]): part.children[1] for part in parts if part.data == "keyword"}
    value = yield from _value(reading, tree, token, name, args, keywords, scope)
    if not power:
        return value
    if isinstance(value, Array) and value.order:
        raise reading.error(
            tree,
            f"{name}^{power} of {counted(value.order, 'axis')} has two readings",
            f"write {name}(...)**{power}",
        )
    return value ** int(power)


def _value(
    reading: Reading, tree: Any, token: Any, name: str, args: list[Any], keywords: dict[str, Any], scope: Scope
) -> Steps:
    if name in LISTED:
        return (yield from read_listing(reading, tree, name, args, keywords, scope))
    if name in MADE:
        return (yield from _made(reading, tree, name, args, keywords, scope))
    if name in FILLED:
        if len(args) != 1:
            raise reading.error(
                tree, f"{name} of {counted(len(args), 'number')}", f"write {name}(1), filled with that number"
            )
        value = yield args[0], Scope(scope.kept)
        return value * getattr(reading, FILLED[name])()
    abstract = reading.abstract(name)
    if abstract is not None:
        function, orders = abstract
        values = []
        for part in args:
            if function.signature.entrywise:
                values.append((yield part, Scope(scope.kept, entries="all")))
            else:
                values.append((yield from read_array(reading, part)))
        return function.derivative(orders, *values)
    if not args and (name in FUNCTIONS or name in SPELLED):
        raise reading.error(tree, f"{name}() has no argument", f"write {name}(x[i])")
    if name in LARGEST and len(args) > 1:
        taken = yield from _entrywise(reading, name, args, scope)
        if taken is not None:
            return taken
    if name in LOGARITHMS:
        inner = _determinant(args, token.type == "BARE")
        if inner is not None:
            value = (
                (yield from read_array(reading, inner)) if inner.data == "braces" else (yield inner, Scope(scope.kept))
            )
            if is_square(value):
                reading.note("`log|A|` is read as logdet(A)")
                return log_determinant(value)
    if name in SPELLED:
        return (yield from _spelled(reading, tree, name, args, keywords, scope))
    if name not in FUNCTIONS:
        raise reading.unknown(token)
    if name in DIVIDED.get(reading.syntax, ()):
        raise reading.error(tree, f"{name} of MATLAB divides by n - 1", f"write it as text: {name}(X, axis=0, ddof=1)")
    if is_along(name):
        return (yield from _along(reading, name, args, keywords, scope))
    return (yield from _applied(reading, tree, name, args, keywords, scope))


def _entrywise(reading: Reading, name: str, args: list[Any], scope: Scope) -> Steps:
    """`max(0, X w)`, entry by entry; nothing where the further arguments are the names of indices."""
    if all(part.data == "name" and not reading.means(str(part.children[0])) for part in args[1:]):
        return None
    values = []
    for part in args:
        values.append((yield part, Scope(scope.kept)))
    value = values[0]
    for other in values[1:]:
        value = FUNCTIONS[LARGEST[name]](*pair(value, other))
    return value


def _determinant(args: list[Any], bare: bool) -> Any:
    """The matrix in `log|A|`, `log|det A|`, `log det A`; nothing in `log(det(A))`, which is what it says."""
    if len(args) != 1:
        return None
    part, barred = args[0], False
    while part.data in ("parens", "call", "bare"):
        if part.data == "parens":
            part = part.children[0]
            continue
        word = str(part.children[0])
        inner = part.children[1].children if part.data == "call" and len(part.children) > 1 else part.children[1:]
        if word == "|" and not barred and len(inner) == 1:
            part, barred = inner[0], True
        elif word in DETERMINANTS and (barred or bare or part.data == "bare") and len(inner) == 1:
            return inner[0]
        else:
            break
    return part if barred else None


def _spelled(reading: Reading, tree: Any, name: str, args: list[Any], keywords: dict[str, Any], scope: Scope) -> Steps:
    """A word of text, of arrays or of what has indices."""
    if keywords:
        word = next(iter(keywords))
        raise reading.error(tree, f"{name} takes no {word}= in text", f"write {name}(...) without it")
    along = name in EITHER and len(args) > 2
    values: list[Any] = []
    for number, part in enumerate(args):
        if part.data == "string":
            values.append(str(part.children[0])[1:-1])
        elif along and number > 1:
            values.append(reading.index(str(part.children[0]), scope))
        elif name in EITHER or name in ENTRYWISE:
            values.append((yield part, Scope(scope.kept, entries=ENTRIES.get(name, ""))))
        else:
            values.append((yield from read_array(reading, part)))
    if name in ("inner", "dot") and len(values) == 2:
        values[:] = pair(*values)
    if name == "|" and isinstance(values[0], Array) and values[0].order:
        reading.note("`|A|` is read as det(A)")
    try:
        return SPELLED[name](*values)
    except IndexCalcError:
        reading.learn_square(values)
        raise
    except TypeError:
        raise reading.error(tree, f"{name} of {counted(len(values), 'argument')}", "see the notation of text") from None


def read_string(reading: Reading, tree: Any, scope: Scope) -> Value:
    """Text in quotes where no pattern is due: an error."""
    raise reading.error(tree, "text in quotes means nothing here", "only group(...) takes a pattern")


def read_listed(reading: Reading, tree: Any, scope: Scope) -> Value:
    """`[0, 1]` where no sublist of einsum is due: an error."""
    raise reading.error(tree, "a list means nothing here", "only einsum(...) takes lists of axes")


def _applied(reading: Reading, tree: Any, name: str, args: list[Any], keywords: dict[str, Any], scope: Scope) -> Steps:
    """A function of entries or of whole arrays."""
    taken, given = signature(FUNCTIONS[name]).parameters, dict[str, Any]()
    for word, part in keywords.items():
        if word not in taken or taken[word].default is Parameter.empty:
            raise reading.error(tree, f"{name} takes no {word}=", "")
        kind = getattr(part, "data", "")
        if kind == "numbers":
            given[word] = [int(number) for number in part.children]
            continue
        if kind == "name" and taken[word].default and isinstance(taken[word].default, str):
            given[word] = str(part.children[0])
            continue
        given[word] = str(part)[1:-1] if isinstance(part, str) else bare_number((yield part, Scope(scope.kept)))
    values = []
    for number, part in enumerate(args):
        if is_of_entries(name):
            value = yield part, Scope(scope.kept, entries=scope.entries)
        elif name in SIZED and number:
            values.append(_dimension(reading, part))
            continue
        else:
            value = yield from read_array(reading, part)
        values.append(bare_number(value))
    try:
        return FUNCTIONS[name](*(in_one_notation(values) if is_of_entries(name) else values), **given)
    except IndexCalcError:
        reading.learn_square(values)
        raise


def _along(reading: Reading, name: str, args: list[Any], keywords: dict[str, Any], scope: Scope) -> Steps:
    """A function along axes: parameters follow its argument, then the names of axes."""
    value = yield args[0], Scope(scope.kept, entries=ENTRIES.get(name, ""))
    rest: list[Any] = []
    for part in args[1:]:
        if part.data == "name":
            rest.append(reading.index(str(part.children[0]), scope))
        else:
            rest.append(bare_number((yield part, Scope(scope.kept))))
    given: dict[str, Any] = {}
    taken = signature(FUNCTIONS[name]).parameters
    for word, part in keywords.items():
        if word == "axis" and str(part) in SIDES:
            given[word] = SIDES[str(part)]
            continue
        if word not in taken or isinstance(part, str):
            raise reading.error(part, f"{name} takes no {word}=", "write axis= or keepdims=")
        text = reading.source(part)
        given[word] = text == "True" if text in ("True", "False") else bare_number((yield part, Scope(scope.kept)))
    return FUNCTIONS[name](value, *rest, **given)


def _made(reading: Reading, tree: Any, name: str, args: list[Any], keywords: dict[str, Any], scope: Scope) -> Steps:
    """A constant with its dimensions, or axes joined and split."""
    if name == "group":
        return (yield from _group(reading, tree, args, keywords))
    if name == "einsum":
        return (yield from _einsum(reading, tree, args))
    texts = [_size(reading, part) for part in args]
    wrong = [word for word, part in keywords.items() if word != "dim" or isinstance(part, str)]
    if wrong:
        raise reading.error(tree, f"{name} takes no {wrong[0]}= of this kind", "write dim=n")
    if name in CONSTANTS and not keywords:
        made = CONSTANTS[name](*(int(text) if re.fullmatch(r"-?\d+", text) else text for text in texts))
        return Array(made.node, made.inputs, reading.places(made), reading.vectors)
    size = _dimension(reading, keywords["dim"]) if keywords else None
    for part, text in zip(args, texts, strict=True):
        if not text.isidentifier():
            raise reading.error(part, f"{text!r} is no index", f"write {name}(i, j), or {name}[i,j]")
    indices = [reading.index(text, scope) for text in texts]
    return INDEXED[name](*indices, dim=size) if keywords else INDEXED[name](*indices)


def _einsum(reading: Reading, tree: Any, args: list[Any]) -> Steps:
    """`einsum("ij,jk->ik", A, B)`; the pattern last, as einops has it; lists of axes, as NumPy has them."""
    values: list[Any] = []
    for part in args:
        if part.data == "string":
            values.append(str(part.children[0])[1:-1])
        elif part.data == "listed":
            values.append([int(word) if word.isdigit() else word for word in words_of(part.children[0])])
        else:
            values.append((yield from read_array(reading, part)))
    if not any(isinstance(value, str | list) for value in values):
        raise reading.error(tree, "einsum takes a pattern, and arrays", 'write einsum("ij,jk->ik", A, B)')
    return declare.einsum_array(*values)


def _group(reading: Reading, tree: Any, args: list[Any], keywords: dict[str, Any]) -> Steps:
    """`group(X, "i j -> (i j)")`, with the lengths of what is split as keywords."""
    if len(args) != 2 or args[1].data != "string":
        raise reading.error(tree, "group takes an array and a pattern", 'write group(X, "i j -> (i j)")')
    array = yield from read_array(reading, args[0])
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
        raise reading.error(
            args[1],
            f"the pattern {pattern!r} does not fit {counted(array.order, 'axis')}",
            'write "i j -> (i j)", each letter once a side',
        )
    sizes: dict[str, Dimension] = {}
    for letter, part in keywords.items():
        sizes[letter] = dim(_size(reading, part))
    for group, size in zip(inner, array.node.dims, strict=True):
        if len(group) == 1:
            sizes[group[0]] = size
        missing = [letter for letter in group if letter not in sizes]
        if missing:
            raise reading.error(tree, f"how long is {missing[0]}?", f"write group(..., {missing[0]}=...)")
        if prod(sizes[letter] for letter in group) != size:
            raise reading.error(args[1], f"({' '.join(group)}) does not split an axis of dimension {size}", "")
    place = {letter: k for k, letter in enumerate(letters)}
    split, joined = ([tuple(place[x] for x in group) for group in side] for side in (inner, outer))
    made = regroup(array.node, split, joined, [sizes[letter] for letter in letters])
    return standing_array(made, [array])


def _size(reading: Reading, part: Any) -> str:
    """A dimension, an index or the kind of a constant, as text: `n`, `m*n`, `3`, `stress`."""
    if part.data in ("name", "number"):
        return str(part.children[0])
    return str(_dimension(reading, part))


def _dimension(reading: Reading, part: Any) -> Dimension:
    """A dimension that is written out: a polynomial of symbols, or the smaller of two."""
    values: list[Any] = [_dimension(reading, child) for child in part.children if hasattr(child, "data")]
    signs = [str(child) for child in part.children if not hasattr(child, "data")]
    made: Any = None
    match part.data:
        case "number" | "name":
            made = dim(signs[0])
        case "parens" | "arguments":
            made = values[0]
        case "signed":
            made = values[0] * (-1) ** signs.count("-")
        case "sum":
            made = values[0] + sum(
                value if sign == "+" else -value for sign, value in zip(signs, values[1:], strict=True)
            )
        case "product":
            made = values[0]
            for sign, value in zip(signs, values[1:], strict=True):
                made = made / value if sign == "/" else made * value
        case "power":
            if isinstance(values[1], int) and values[1] >= 0:
                made = values[0] ** values[1]
        case "call" if signs[0] in LARGEST:
            two = [_dimension(reading, child) for child in part.children[1].children]
            if len(two) == 2 and LARGEST[signs[0]] == SMALLER:
                made = smaller(*two)
    if isinstance(made, int | Dim):
        return made
    raise reading.error(part, f"{reading.source(part)} is no dimension", "write n, 3, m*n or min(m, n)")
