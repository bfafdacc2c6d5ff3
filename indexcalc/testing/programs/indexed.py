"""Random expressions in index notation: products by Einstein's rule and entry by entry, traces, deltas, reductions.

The numbers of a tree have its free indices as axes, in the order of `names`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from indexcalc.functions.table import EVERYWHERE, REDUCTIONS
from indexcalc.testing.programs.drawing import Drawing, bounded
from indexcalc.testing.programs.operations import Axis, filled, matched, of_table
from indexcalc.testing.programs.trees import Tree

Names = tuple[str, ...]
LETTERS = "abcdefghijklmnop"
CUMULATIVE = [row.name for row in REDUCTIONS.values() if row.keeps and row.axes == 1 and not row.public]
"""The functions of all entries up to each one: they have functions of their own."""
MOST_NAMES = 3
"""Free indices of a part, as many as there are axes of which operations in matrix notation are drawn."""
BRIDGED = 0.25
"""The share of expressions in index notation that are an Array with indices: `(A @ x)[i]`."""


def indexed(drawing: Drawing, names: Names, depth: int) -> Tree:
    """A random expression in index notation with these free indices, in any order.

    >>> import random
    >>> drawing = Drawing(random.Random(4))
    >>> i = drawing.index("i", "a")
    >>> indexed(drawing, (i,), 2).names
    ('i1',)
    """
    rng = drawing.rng
    if depth <= 0:
        return _leaf(drawing, names)
    if names and rng.random() < BRIDGED:
        return _bridge(drawing, names, depth)
    return rng.choice(STEPS)(drawing, names, depth)


def _spec(parts: tuple[Names, ...], names: Names) -> str:
    """The einsum of parts with these names."""
    seen = list(dict.fromkeys(name for part in (*parts, names) for name in part))
    letters = dict(zip(seen, LETTERS, strict=False))
    return ",".join("".join(letters[n] for n in part) for part in parts) + "->" + "".join(letters[n] for n in names)


def _tree(drawing: Drawing, operation: str, names: Names, ours: str, theirs: str, *parts: Tree) -> Tree:
    shape = tuple(drawing.dims[name] for name in names)
    return Tree(operation, shape, ours, theirs, parts, names=names)


def _leaf(drawing: Drawing, names: Names) -> Tree:
    """A tensor with these indices in a random order, and seldom a pair of bound ones beside them: a trace."""
    rng = drawing.rng
    order = tuple(rng.sample(names, len(names)))
    if not names or (len(names) < 2 and rng.random() < 0.15):
        own = drawing.index("b", rng.choice("abc"))
        order = (*order, own, own)
    tensor = drawing.bottom(tuple(drawing.dims[name] for name in order))
    spec = _spec((order,), names)
    return _tree(
        drawing, "indexed", names, f"{{0}}[{', '.join(order)}]", f"{{np}}.einsum({spec!r}, {{0}})", tensor
    )  # fmt: skip


def _bridge(drawing: Drawing, names: Names, depth: int) -> Tree:
    """An Array with indices, in a random order."""
    order = tuple(drawing.rng.sample(names, len(names)))
    array = drawing.make(tuple(drawing.dims[name] for name in order), depth - 1)
    spec = _spec((order,), names)
    ours = f"({{0}})[{', '.join(order)}]"
    return _tree(drawing, "bridge", names, ours, f"{{np}}.einsum({spec!r}, {{0}})", array)


def _product(drawing: Drawing, names: Names, depth: int) -> Tree:
    """Each free index in one of two factors, and a summed one, or two, in both."""
    rng = drawing.rng
    left = tuple(name for name in names if rng.random() < 0.5)
    right = tuple(name for name in names if name not in left)
    room = MOST_NAMES - max(len(left), len(right))
    bound = tuple(drawing.index("b", rng.choice("abc")) for _ in range(min(room, rng.choice([0, 1, 1, 1, 2]))))
    one = indexed(drawing, (*left, *bound), depth - 1)
    kept = tuple(name for name in bound if name in (one.names or ()))
    other = indexed(drawing, (*right, *kept), rng.randrange(depth))
    return _einsum(drawing, "product", names, "({0}*{1})", one, other)


def _hadamard(drawing: Drawing, names: Names, depth: int) -> Tree:
    """The product that keeps what its factors share."""
    some = tuple(name for name in names if drawing.rng.random() < 0.6)
    one, other = indexed(drawing, names, depth - 1), indexed(drawing, some, drawing.rng.randrange(depth))
    return _einsum(drawing, "hadamard", names, "ic.hadamard({0}, {1})", one, other)


def _einsum(drawing: Drawing, operation: str, names: Names, ours: str, one: Tree, other: Tree) -> Tree:
    spec = _spec((one.names or (), other.names or ()), names)
    return _tree(drawing, operation, names, ours, f"{{np}}.einsum({spec!r}, {{0}}, {{1}})", one, other)


def _sum(drawing: Drawing, names: Names, depth: int) -> Tree:
    """Two terms, the indices of the second in another order."""
    one = indexed(drawing, names, depth - 1)
    other = indexed(drawing, tuple(drawing.rng.sample(names, len(names))), drawing.rng.randrange(depth))
    ours, theirs = drawing.rng.choice([("({0} + {1})", "+ "), ("({0} - 2*{1} + 1)", "+ 1 - 2*")])
    spec = _spec((other.names or (),), names)
    return _tree(drawing, "sum", names, ours, f"{{0}} {theirs}{{np}}.einsum({spec!r}, {{1}})", one, other)


def _function(drawing: Drawing, names: Names, depth: int) -> Tree:
    """A function of the table, entry by entry."""
    row = drawing.rng.choice(of_table())
    parts = []
    for number, argument in enumerate(row.arguments):
        part = indexed(drawing, names, depth - 1 if not number else drawing.rng.randrange(depth))
        asked = argument.partition(":")[2]
        if asked:
            text = bounded(*map(float, asked.split()))
            part = _tree(drawing, "wrapped", names, f"(ic.{text})", f"({{np}}.{text})", part)
        parts.append(part)
    return _tree(drawing, row.name, names, row.ours, row.theirs, *parts)


def _power(drawing: Drawing, names: Names, depth: int) -> Tree:
    """A square, a cube, or one over one plus a square."""
    text = drawing.rng.choice(["{0}**2", "{0}**3", "(1 + {0}**2)**-1", "-{0}"])
    return _tree(drawing, "whole power", names, f"({text})", text, indexed(drawing, names, depth - 1))


def _reduction(drawing: Drawing, names: Names, depth: int) -> Tree:
    """A reduction of the table, a sum or a mean along one index; a softmax along a free one."""
    rng = drawing.rng
    row = rng.choice([row for row in REDUCTIONS.values() if row.public and row.axes < 2] + [None, None])
    if row is not None and row.keeps:
        if not names:
            return _product(drawing, names, depth)
        axis = rng.randrange(len(names))
        part = indexed(drawing, names, depth - 1)
        ours = f"ic.{row.name}({{0}}, axis={names[axis]})"
        return _tree(drawing, row.name, names, ours, f"rows[{row.name!r}]({{0}}, ({axis},))", part)
    own = drawing.index("b", rng.choice("abc"))
    part = indexed(drawing, (*names, own), depth - 1)
    if row is None:
        word = rng.choice(["sum", "mean"])
        return _tree(drawing, word, names, f"({{0}}).{word}({own})", f"{{np}}.{word}({{0}}, -1)", part)
    if not row.domain.startswith(EVERYWHERE):
        text = bounded(0.3, 2.3)
        part = _tree(drawing, "wrapped", (*names, own), f"(ic.{text})", f"({{np}}.{text})", part)
    params = "3, " * len(row.params)
    ours, theirs = f"ic.{row.name}({{0}}, {params}axis={own})", f"rows[{row.name!r}]({{0}}, ({len(names)},))"
    return _tree(drawing, row.name, names, ours, theirs, part)


def _delta(drawing: Drawing, names: Names, depth: int) -> Tree:
    """A delta that renames an index."""
    if not names:
        return _product(drawing, names, depth)
    first, *rest = names
    own = drawing.index("b", drawing.dims[first])
    part = indexed(drawing, (own, *rest), depth - 1)
    return _tree(drawing, "delta", names, f"(ic.delta({first}, {own})*{{0}})", "{0}", part)


def _epsilon(drawing: Drawing, names: Names, depth: int) -> Tree:
    """A cross product with the Levi-Civita symbol, where the one index has dimension 3."""
    if [drawing.dims[name] for name in names] != [3]:
        return _product(drawing, names, depth)
    own = tuple(drawing.index("b", 3) for _ in range(2))
    parts = [indexed(drawing, (name,), drawing.rng.randrange(depth)) for name in own]
    ours = f"(ic.epsilon({names[0]}, {own[0]}, {own[1]})*{{0}}*{{1}})"
    return _tree(drawing, "epsilon", names, ours, "{np}.cross({0}, {1})", *parts)


def _define(drawing: Drawing, names: Names, depth: int) -> Tree:
    """A named step."""
    part = indexed(drawing, names, depth - 1)
    return _tree(drawing, "define", names, f"ic.define({drawing.fresh('t')!r}, {{0}})", "{0}", part)


# ------------------------------------------------------------------ indices that are more than a name


class Used(NamedTuple):
    """An Array of which a use takes entries: what stands before and after the use in brackets, before it in NumPy."""

    array: Tree
    before: str
    after: str
    skipped: str


def _used(drawing: Drawing, names: Names, place: int, axis: Axis, depth: int) -> Used:
    """An Array with another axis at this place."""
    axes = [drawing.dims[name] for name in names]
    array = drawing.make((*axes[:place], axis, *axes[place + 1 :]), depth - 1)
    before, after = ("".join(f"{name}, " for name in part) for part in (names[:place], names[place + 1 :]))
    return Used(array, before, after, ":, " * place)


def _at_an_index(drawing: Drawing, names: Names, depth: int) -> Tree:
    """Something that one of the free indices is in."""
    if not names:
        return _product(drawing, names, depth)
    step = drawing.rng.choice([_shifted, _beside, _strided, _correlation, _chosen, _along, _joined])
    return step(drawing, names, drawing.rng.randrange(len(names)), depth)


def _shifted(drawing: Drawing, names: Names, place: int, depth: int) -> Tree:
    """A use further on, `x[i+1]`, or its difference to the plain one."""
    (axis,) = filled("m+1", {"m": drawing.dims[names[place]]})
    array, before, after, skipped = _used(drawing, names, place, axis, depth)
    ahead, here = (f"{{0}}[{before}{names[place]}{offset}, {after}]" for offset in ("+1", ""))
    theirs = f"{{0}}[{skipped}1:]"
    if drawing.rng.random() < 0.5:
        return _tree(drawing, "shifted", names, ahead, theirs, array)
    return _tree(drawing, "difference", names, f"({ahead} - {here})", f"{theirs} - {{0}}[{skipped}:-1]", array)


def _beside(drawing: Drawing, names: Names, place: int, depth: int) -> Tree:
    """A use of what lies beside an array: zeros, the array again, or its mirror image, which asks for two entries."""
    axis = drawing.dims[names[place]]
    words = {"zero": "constant", "periodic": "wrap"} | ({"reflect": "reflect"} if axis in (2, 3) else {})
    word, step = drawing.rng.choice(list(words)), drawing.rng.choice([1, -1])
    array, before, after, skipped = _used(drawing, names, place, axis, depth)
    run = f"ic.range({axis!r}, {names[place]!r}, boundary={word!r})"
    widths = [(1, 1) if k == place else (0, 0) for k in range(len(names))]
    theirs = f"{{np}}.pad({{0}}, {widths}, mode={words[word]!r})[{skipped}{'2:' if step > 0 else ':-2'}]"
    return _tree(drawing, word, names, f"{{0}}[{before}{run} + {step}, {after}]", theirs, array)


def _strided(drawing: Drawing, names: Names, place: int, depth: int) -> Tree:
    """Every other entry, or the largest one of each two."""
    axis = drawing.dims[names[place]]
    if "+" in str(axis):
        return _shifted(drawing, names, place, depth)
    array, before, after, skipped = _used(drawing, names, place, filled("2*m", {"m": axis})[0], depth)
    run, start = f"ic.range({axis!r}, {names[place]!r})", drawing.rng.choice([0, 1])
    if drawing.rng.random() < 0.5:
        ours = f"{{0}}[{before}2*{run} + {start}, {after}]"
        return _tree(drawing, "strided", names, ours, f"{{0}}[{skipped}{start}::2]", array)
    window = f"ic.range(2, {drawing.index('b', 2)!r})"
    ours = f"ic.max({{0}}[{before}2*{run} + {window}, {after}], {window})"
    theirs = f"{{np}}.maximum({{0}}[{skipped}::2], {{0}}[{skipped}1::2])"
    return _tree(drawing, "max-pool", names, ours, theirs, array)


def _correlation(drawing: Drawing, names: Names, place: int, depth: int) -> Tree:
    """A kernel along one index, `k[j]*x[t+j]`, or backwards: a convolution."""
    rng = drawing.rng
    name, axis = names[place], drawing.dims[names[place]]
    extra: tuple[Axis, ...] = ("a", "b", "c", 1, 2)
    more = rng.choice(extra)
    long, taps = filled("m+q q+1", {"m": axis, "q": more})
    array, before, after, skipped = _used(drawing, names, place, long, depth)
    kernel, own = drawing.bottom((taps,)), drawing.index("b", taps)
    back = isinstance(more, int) and rng.random() < 0.5
    window = f"{{np}}.arange({axis})[:, None] + {{np}}.arange({taps})" + "[::-1]" * back
    spec = _spec(((own,), (*names[: place + 1], own, *names[place + 1 :])), names)
    theirs = f"{{np}}.einsum({spec!r}, {{1}}, {{0}}[{skipped}{window}])"
    ours = (
        f"({{1}}[{own}]*{{0}}[{before}{name} - {own} + {more}, {after}])"
        if back
        else (f"({{1}}[{own}]*{{0}}[{before}{name} + {own}, {after}])")
    )
    return _tree(drawing, "convolution" if back else "correlation", names, ours, theirs, array, kernel)


def _chosen(drawing: Drawing, names: Names, place: int, depth: int) -> Tree:
    """Entries that integers choose: `W[y[i],j]`, or of each row one, `Z[i,y[i]]`."""
    name, axis = names[place], drawing.rng.choice(drawing.axes)
    integers = drawing.special((drawing.dims[name],), 0, f"of {axis}")
    if len(names) > 1 or drawing.rng.random() < 0.6:
        array, before, after, skipped = _used(drawing, names, place, axis, depth)
        ours, theirs = f"{{0}}[{before}{{1}}[{name}], {after}]", f"{{0}}[{skipped}{{1}}]"
        return _tree(drawing, "chosen", names, ours, theirs, array, integers)
    array = drawing.make((drawing.dims[name], axis), depth - 1)
    theirs = "{np}.take_along_axis({0}, {1}[:, None], 1)[:, 0]"
    return _tree(drawing, "one of each", names, f"{{0}}[{name}, {{1}}[{name}]]", theirs, array, integers)


def _along(drawing: Drawing, names: Names, place: int, depth: int) -> Tree:
    """A function along one index: sums and products up to each entry, a roll."""
    word = drawing.rng.choice(["roll", *CUMULATIVE])
    part, more = indexed(drawing, names, depth - 1), "1, " * (word == "roll")
    ours, theirs = f"ic.{word}({{0}}, {more}axis={names[place]})", f"{{np}}.{word}({{0}}, {more}axis={place})"
    return _tree(drawing, word, names, ours, theirs, part)


def _joined(drawing: Drawing, names: Names, place: int, depth: int) -> Tree:
    """Parts beside each other where the dimension is a sum, one above the other where it is 2."""
    name, axis = names[place], drawing.dims[names[place]]
    if axis == 2:
        rest = (*names[:place], *names[place + 1 :])
        both = [indexed(drawing, rest, depth - 1), indexed(drawing, rest, drawing.rng.randrange(depth))]
        theirs = f"{{np}}.stack([{{0}}, {{1}}], {place})"
        return _tree(drawing, "stack", names, f"ic.stack([{{0}}, {{1}}], axis={name})", theirs, *both)
    letters = matched("p+q", (axis,))
    if letters is None:
        return _along(drawing, names, place, depth)
    parts = [_used(drawing, names, place, part, depth).array for part in letters.values()]
    one, other = (f"{{{k}}}[{', '.join(names)}]" for k in range(2))
    theirs = f"{{np}}.concatenate([{{0}}, {{1}}], {place})"
    return _tree(drawing, "concatenate", names, f"ic.concatenate([{one}, {other}], axis={name})", theirs, *parts)


def _pairs(drawing: Drawing, names: Names, depth: int) -> Tree:
    """A sum over pairs of indices, of which some are left out."""
    if len(names) > 1:
        return _product(drawing, names, depth)
    axis, sign = drawing.rng.choice("abc"), drawing.rng.choice(["<", "<=", ">", ">=", "!="])
    one, other = drawing.index("b", axis), drawing.index("b", axis)
    part = indexed(drawing, (*names, one, other), depth - 1)
    theirs = f"{{np}}.sum({{0}}*({{np}}.arange({axis})[:, None] {sign} {{np}}.arange({axis})), (-2, -1))"
    ours = f"{{0}}.sum({one}, {other}, where='{one}{sign}{other}')"
    return _tree(drawing, "pairs", names, ours, theirs, part)


STEPS: tuple[Callable[[Drawing, Names, int], Tree], ...] = (
    _product, _product, _product, _hadamard, _sum, _sum, _function, _function, _function, _power, _reduction,
    _reduction, _delta, _epsilon, _define, _pairs, *(_at_an_index,) * 8,
)  # fmt: skip
