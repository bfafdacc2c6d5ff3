"""The patterns of einsum, and the conditions of sums.

A pattern says which label each axis has, by NumPy's letters, einops' words, or NumPy's lists of labels.

In `"ij,jk->ik"` each letter is a label; in `"batch in, in out -> batch out"`, with spaces within a group, each word is
one. `...` stands for the axes that no label names, aligned from the right, as NumPy broadcasts them.

A condition is a triangle of ones, a tensor that is known (`tril`), so it selects as every condition in a product does
(`simplify/selection`): where it does not hold nothing enters a value or a derivative, no infinity and no nan. `i!=j` is
two triangles: of `1 - δ`, what is left out would be made and taken off again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

from indexcalc.errors import Asked, DimensionError, KindError, NotationError, counted, did_you_mean
from indexcalc.graph.constructors import addition, constant, delta
from indexcalc.graph.node import Node
from indexcalc.index import Dimension, Index
from indexcalc.views.indexed import Indexed

Labels = tuple[Hashable, ...]
TOKEN = {"letters": re.compile(r"\.\.\.|[^\W\d_]"), "words": re.compile(r"\.\.\.|[^\W\d]\w*")}
REST = "..."
FORM = 'write ic.einsum("ij,jk->ik", A, B), or words with spaces: "batch in, in out -> batch out"'


class Pattern(NamedTuple):
    """Labels for the axes of each operand, and of the value: None where these are not said."""

    groups: tuple[Labels, ...]
    out: Labels | None


# ------------------------------------------------------------------ what is written


def split_call(args: Sequence[Any], asked: Asked) -> tuple[list[Any], Any]:
    """The operands among the arguments of einsum, and the pattern: text, first or last, or the lists of labels.

    >>> split_call([1.5, [0, 1], 2.5, [1], [0]], Asked(lambda: "einsum"))
    ([1.5, 2.5], [[0, 1], [1], [0]])
    """
    operands = [arg for arg in args if not isinstance(arg, str | list | tuple)]
    lists = [arg for arg in args if isinstance(arg, list | tuple)]
    texts = [arg for arg in args if isinstance(arg, str)]
    if lists:
        due = [place % 2 == 1 for place in range(2 * len(operands))] + [True] * (len(args) % 2)
        if [isinstance(arg, list | tuple) for arg in args] != due:
            found, instead = "an operand and its list of labels take turns", "A, [0, 1], B, [1, 2], [0, 2]"
            raise NotationError(asked, found, f"write ic.einsum({instead})")
        return operands, lists
    if len(texts) != 1:
        raise NotationError(asked, counted(len(texts), "pattern") if texts else "no pattern", FORM)
    if args[0] is not texts[0] and args[-1] is not texts[0]:
        raise NotationError(asked, "a pattern between the operands", FORM)
    return operands, texts[0]


def read_pattern(written: Any, orders: Sequence[int], asked: Asked, last: bool = False) -> Pattern:
    """The pattern that is written for operands of these orders.

    Text with spaces between two names of a group has words, and so has text that stands `last`, as in einops; if their
    numbers are not those of the axes, it is read as letters.

    >>> read_pattern("batch in, in out -> batch out", [2, 2], Asked(lambda: "einsum"))
    Pattern(groups=(('batch', 'in'), ('in', 'out')), out=('batch', 'out'))
    >>> read_pattern("ij, jk", [2, 2], Asked(lambda: "einsum"))
    Pattern(groups=(('i', 'j'), ('j', 'k')), out=None)
    """
    if not isinstance(written, str):
        return _of_lists(written, len(orders), asked)
    left, arrow, right = written.partition("->")
    parts = left.split(",")
    letters = _of_text(parts, right if arrow else None, "letters")
    words = _of_text(parts, right if arrow else None, "words")
    if not last and not any(re.search(r"\w\s+\w", part) for part in (*parts, right)):
        found = letters
    else:
        found = letters if words is None or (letters and not _fits(words, orders) and _fits(letters, orders)) else words
    if found is None:
        raise NotationError(asked, "only letters, or words with spaces, commas, dots (...) and one arrow", FORM)
    if len(parts) != len(orders):
        raise NotationError(
            asked, f"{counted(len(parts), 'group')} of letters for {counted(len(orders), 'operand')}", "one group each"
        )
    if found.out is None and any(len(str(label)) > 1 for group in found.groups for label in group if label != REST):
        raise NotationError(asked, "words, and no output", f'write the output: "{left.strip()} -> ..."')
    return found


def _of_text(parts: Sequence[str], right: str | None, way: str) -> Pattern | None:
    """The pattern whose labels are letters, or words; None where there is anything else."""
    groups = []
    for part in (*parts, right or ""):
        if TOKEN[way].sub("", part).strip():
            return None
        groups.append(tuple(TOKEN[way].findall(part)))
    return Pattern(tuple(groups[:-1]), None if right is None else groups[-1])


def _of_lists(lists: Sequence[Sequence[Any]], count: int, asked: Asked) -> Pattern:
    groups = []
    for labels in lists:
        for label in labels:
            if label is not Ellipsis and (isinstance(label, bool) or not isinstance(label, int | Index)):
                raise NotationError(asked, f"the label {label!r}", "a label in a list is an integer, an index or `...`")
        groups.append(tuple(REST if label is Ellipsis else label for label in labels))
    return Pattern(tuple(groups[:count]), groups[count] if len(groups) > count else None)


def _fits(pattern: Pattern, orders: Sequence[int]) -> bool:
    pairs = zip(pattern.groups, orders, strict=False)
    return all(len(group) - 1 <= order if REST in group else len(group) == order for group, order in pairs)


# ------------------------------------------------------------------ what it means for operands


def opened(
    pattern: Pattern, operands: Sequence[tuple[Any, Sequence[Dimension]]], asked: Asked
) -> tuple[list[Labels], Labels]:
    """The label of each axis of operands with these dimensions, and of the value, with `...` opened.

    Where the axes behind `...` meet, one of dimension 1 is stretched: it gets a label of its own, which is summed.

    >>> opened(Pattern((("...", "i"), ("i",)), ("...",)), [("A", (2, 3)), ("x", (3,))], Asked(lambda: "einsum"))
    ([((0,), 'i'), ('i',)], ((0,),))
    """
    counts = [_left(group, operand, asked) for group, operand in zip(pattern.groups, operands, strict=True)]
    most = max(counts, default=0)
    rest: list[Dimension] = [1] * most
    rows: list[Labels] = []
    fronts = [group.index(REST) if REST in group else 0 for group in pattern.groups]
    for count, front, (_, dims) in zip(counts, fronts, operands, strict=True):
        for place, size in enumerate(dims[front : front + count], start=most - count):
            rest[place] = size if rest[place] == 1 else rest[place]
    for number, (group, (_, dims)) in enumerate(zip(pattern.groups, operands, strict=True)):
        count, front = counts[number], fronts[number]
        places = enumerate(dims[front : front + count], start=most - count)
        behind = [(place,) if size != 1 or rest[place] == 1 else (place, number) for place, size in places]
        rows.append((*group[:front], *behind, *group[front + (REST in group) :]))
    return rows, _output(pattern, [(place,) for place in range(most)], asked)


def _left(group: Labels, operand: tuple[Any, Sequence[Dimension]], asked: Asked) -> int:
    """How many axes `...` stands for; an error where the labels don't go with the operand."""
    view, dims = operand
    named = len(group) - group.count(REST)
    if group.count(REST) > 1 or named > len(dims) or (REST not in group and named != len(dims)):
        shown = "".join(map(str, group)) if all(len(str(label)) == 1 or label == REST for label in group) else group
        found = f"{shown!r} names {counted(named, 'axis')}, {view} has {len(dims)}"
        raise NotationError(asked, found, "one letter an axis, or `...` once for the others")
    return len(dims) - named


def _output(pattern: Pattern, rest: list[tuple[int]], asked: Asked) -> Labels:
    """The labels of the value: as they are written, or, as NumPy has it, `...` and those that occur once, in order."""
    labels = [label for group in pattern.groups for label in group if label != REST]
    if pattern.out is None:
        once = [label for label, times in Counter(labels).items() if times == 1]
        return (
            *rest,
            *sorted(once, key=lambda label: (str(type(label)), label if isinstance(label, int) else str(label))),
        )
    if rest and pattern.out.count(REST) != 1:
        raise NotationError(
            asked, "the axes behind ... are not in the output", "write `...` once there, and sum the value"
        )
    missing = [label for label in pattern.out if label not in (*labels, REST)]
    if missing:
        raise NotationError(asked, f"{missing[0]!r} is in the output and in no operand", "take it out, or use ic.ones")
    if REST not in pattern.out:
        return pattern.out
    place = pattern.out.index(REST)
    return (*pattern.out[:place], *rest, *pattern.out[place + 1 :])


# ------------------------------------------------------------------ conditions between indices


CONDITION = re.compile(r"\s*([^\W\d]\w*)\s*(<=|>=|==|!=|<|>)\s*([^\W\d]\w*)\s*")
EXAMPLE = 'write where="i<j", with <, <=, >, >=, == or != between two indices, and commas between conditions'
Row = tuple[Node, Sequence[str]]


def selected(expr: Indexed, where: str, asked: str | Asked) -> list[Row]:
    """The conditions as factors: ones where they hold, else zeros, with the names of their axes.

    >>> import indexcalc as ic
    >>> i, j = ic.indices("i j"); A = ic.tensor("A", "n n")
    >>> [(node, "".join(names)) for node, names in selected(A[i,j], "i<j", "")]
    [(<constant ... dims=(n, n)>, 'ji')]
    """
    if not isinstance(where, str):
        raise KindError(asked, f"where={where!r} is no text", EXAMPLE)
    rows = []
    for text in where.split(","):
        found = CONDITION.fullmatch(text)
        if found is None:
            raise NotationError(asked, f"where={where!r}: {text.strip()!r} is no condition between indices", EXAMPLE)
        one, sign, other = found.groups()
        for name in (one, other):
            if name not in expr.names:
                raise NotationError(asked, f"where={where!r}: {name} is not free", did_you_mean(name, expr.names))
        sizes = [expr.node.dims[expr.names.index(name)] for name in (one, other)]
        if one == other:
            raise NotationError(asked, f"where={where!r}: one index twice", "name two indices")
        if sizes[0] != sizes[1]:
            told = f"{one} runs over {sizes[0]}, {other} over {sizes[1]}"
            raise DimensionError(asked, told, "compare indices of one dimension")
        rows.append(_factor(one, sign, other, sizes[0]))
    return rows


def _factor(one: str, sign: str, other: str, size: Dimension) -> Row:
    below, strictly = constant("tril", (size, size)), constant("tril", (size, size), (-1,))
    match sign:
        case "==":
            return delta(size), (one, other)
        case "!=":
            return addition([(1, strictly, (0, 1)), (1, strictly, (1, 0))], (size, size)), (one, other)
    names = (other, one) if sign[0] == "<" else (one, other)
    return below if sign[1:] else strictly, names
