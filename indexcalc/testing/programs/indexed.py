"""Random expressions in index notation: products by Einstein's rule and entry by entry, traces, deltas, reductions.

The numbers of a tree have its free indices as axes, in the order of `names`.
"""

from __future__ import annotations

from collections.abc import Callable

from indexcalc.functions.table import EVERYWHERE, REDUCTIONS
from indexcalc.testing.programs.drawing import Drawing, bounded
from indexcalc.testing.programs.operations import of_table
from indexcalc.testing.programs.trees import Tree

Names = tuple[str, ...]
LETTERS = "abcdefghijklmnop"
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
    bound = tuple(drawing.index("b", rng.choice("abc")) for _ in range(rng.choice([0, 1, 1, 1, 2])))
    left = tuple(name for name in names if rng.random() < 0.5)
    right = tuple(name for name in names if name not in left)
    one = indexed(drawing, (*left, *bound)[:3], depth - 1)
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
    row = rng.choice([row for row in REDUCTIONS.values() if row.public and not row.axes] + [None, None])
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


STEPS: tuple[Callable[[Drawing, Names, int], Tree], ...] = (
    _product, _product, _product, _hadamard, _sum, _sum, _function, _function, _function, _power, _reduction,
    _reduction, _delta, _epsilon, _define,
)  # fmt: skip
