"""Whole programs to be tried: an expression, by what it is differentiated, its layout, backend and printers."""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Collection
from functools import cache
from itertools import accumulate
from math import prod
from typing import Any

from indexcalc.errors import LayoutError
from indexcalc.index import dim, size
from indexcalc.layout.conventions import CONVENTIONS, Convention
from indexcalc.testing.programs.drawing import DEEPEST, DIMENSIONS, WORDS, Drawing
from indexcalc.testing.programs.indexed import indexed
from indexcalc.testing.programs.operations import Operation, features
from indexcalc.testing.programs.trees import BACKENDS, SOURCES, STRUCTURES, Leaf, Sample, Tree

MOST_AXES = 4
"""Axes of a derivative whose numbers are compared,"""
MOST_ENTRIES = 2_000
"""and its entries, where axes are sums or products: a second derivative of eigenvectors of more of them takes 10 s."""
COSTLY_SHARE = 0.06
"""The share of programs that are compiled for another backend than NumPy, and of those printed as source for another
one: in JAX either takes half a second, as long as five programs."""
JAX_SHARE = 0.015
"""The share of programs whose derivatives are compared with JAX: it compiles each operation for each shape."""
CHEAP = {"LaTeX": 6, "formula": 6, "named formula": 6, "panel": 1, "source for numpy": 4}
"""How often each is printed otherwise: a panel takes as long as thirty formulas."""
ASKED = {"": 10, "check": 1, "explain": 1, "compressed": 2, "preflight": 1}
"""How often each question is asked, and none."""
FEATURED = (5, 2, 4)
"""How often the operation that a program is to have is a function of entries, a reduction, or another one."""
CURVED = ("orthogonal", "stochastic")
"""Assumptions that make no linear space: derivatives by such a tensor are free ones."""


@cache
def held(name: str) -> tuple[tuple[int, int], ...]:
    """The orders of value and variable that a convention holds; a symmetric pair of axes is one axis of a packed one.

    >>> held("gradient")
    ((0, 0), (0, 1), (0, 2))
    """
    row = CONVENTIONS[name]
    if row.pack is not None:
        return (0, 2), (0, 2), (2, 2)
    return tuple((top, bottom) for top in range(3) for bottom in range(3) if _holds(row, top, bottom))


def _holds(row: Convention, top: int, bottom: int) -> bool:
    try:
        row.place("", tuple(range(top)), tuple(range(top, top + bottom)))
    except LayoutError:
        return False
    return True


def featured(place: float) -> Operation:
    """The operation at a place between 0 and 1, where each has its share: those of entries, of axes, and the others.

    >>> featured(0.0).name, featured(0.999).name
    ('exp', 'stack of matrices')
    """
    rows, ends = _shares()
    return rows[bisect(ends, place * ends[-1])]


@cache
def _shares() -> tuple[list[Operation], list[float]]:
    """The operations that programs are to have, and the sums of their shares up to each."""
    shares = [
        (row, share * row.weight / sum(one.weight for one in rows))
        for rows, share in zip(features(), FEATURED, strict=True)
        for row in rows
    ]
    return [row for row, _ in shares], list(accumulate(share for _, share in shares))


def sample(rng: random.Random, place: float | None = None) -> Sample:
    """A random program; `place` says which operation is to be in it: see `featured`.

    >>> made = sample(random.Random(2))
    >>> made.by in made.names, made.layout in CONVENTIONS
    (True, True)
    """
    layout = rng.choice(list(CONVENTIONS))
    top, bottom = rng.choice(held(layout))
    packed = CONVENTIONS[layout].pack
    drawing = Drawing(rng)
    if packed is None:
        shape = drawing.shape(top)
        drawing.favourite = _favourite(drawing, bottom)
    else:
        n: Any = 3 if packed.voigt else rng.choice(["a", 2, 3])
        shape = rng.choice([(), (n, n)])
        drawing.favourite = Leaf((n, n), rng.choice(["symmetric", "symmetric", "positive_definite"]))
    drawing.axes += drawing.favourite.shape * (len(DIMENSIONS) // 2)
    drawing.feature = featured(rng.random() if place is None else place)
    aside = rng.random() < 0.5 and drawing.feature
    drawing.feature = None if aside else drawing.feature
    depth = rng.choice([1, 1, 2, 2, 3, DEEPEST])
    if rng.random() < 0.4 and not (packed and shape):
        names = tuple(drawing.index("ijk"[place], axis) for place, axis in enumerate(shape))
        tree = indexed(drawing, names, depth)
    else:
        tree = drawing.make(shape, depth)
    drawing.feature = aside or drawing.feature
    if drawing.feature is not None:
        own = drawing.featured(rng.choice([1, 1, 2]))
        weights = drawing.bottom(own.shape)  # a plain sum would not see in which order its terms stand
        tree = drawing.written_as("{0}*ic.sum(ic.hadamard({1}, {2}))", "{0}*{np}.sum({1}*{2})", tree, own, weights)
    if packed and shape:
        tree = drawing.written_as("({0} + {0}.T)", "{0} + {0}.T", tree)
    return _with_task(drawing, *_by(drawing, tree, layout))


def _by(drawing: Drawing, tree: Tree, layout: str) -> tuple[Tree, Tree, str]:
    """The tree, a tensor in it by which it is differentiated, and a layout that holds this derivative.

    The tensor stands below the operation that is to occur, if one there can: else its rule is not seen. Where there is
    none in the whole tree, one is put in.
    """
    favourite: Any = drawing.favourite
    by = drawing.leaf(favourite.shape, favourite.word)
    top, packed = len(tree.shape), CONVENTIONS[layout].pack is not None
    orders = [bottom for order, bottom in held(layout) if order == top]
    for part in (drawing.shown, tree):
        if part is None:
            continue
        if by.leaf in part.leaves:
            return tree, by, layout
        if packed:
            continue
        if known := _variables(drawing, part, orders):
            return tree, _named(drawing, drawing.rng.choice(known)), layout
        others = [
            (name, row)
            for name in _variables(drawing, part, range(3))
            for row in CONVENTIONS
            if (top, len(drawing.leaves[name].shape)) in held(row) and CONVENTIONS[row].pack is None
        ]
        if others:
            name, layout = drawing.rng.choice(others)
            return tree, _named(drawing, name), layout
    return _depending(drawing, tree, by), by, layout


def _named(drawing: Drawing, name: str) -> Tree:
    """A tensor that is there."""
    return Tree("tensor", drawing.leaves[name].shape, name, name, leaf=name)


def _variables(drawing: Drawing, tree: Tree, orders: Collection[int]) -> list[str]:
    """The tensors of a tree, of one of these orders, by which one may differentiate: structured ones if there are."""
    leaves = {name: drawing.leaves[name] for name in tree.leaves}
    found = [name for name, leaf in leaves.items() if len(leaf.shape) in orders and not leaf.fixed]
    return [name for name in found if leaves[name].structured] or found


def _favourite(drawing: Drawing, order: int) -> Leaf:
    """The tensor by which to differentiate: a square matrix often has an assumption."""
    shape = drawing.shape(order)
    square = order == 2 and shape[0] == shape[1]
    return Leaf(shape, drawing.rng.choice(WORDS) if square and drawing.rng.random() < 0.6 else "")


def _depending(drawing: Drawing, tree: Tree, leaf: Tree) -> Tree:
    """The tree times a function of a tensor, so that it depends on it."""
    return drawing.written_as("{0}*ic.sum(ic.sin({1}))", "{0}*{np}.sum({np}.sin({1}))", tree, leaf)


def _with_task(drawing: Drawing, tree: Tree, by: Tree, layout: str) -> Sample:
    """The program of an expression."""
    rng = drawing.rng
    free = drawing.leaves[by.leaf].word in CURVED
    structure = "free" if free else rng.choice(STRUCTURES) if CONVENTIONS[layout].pack is None else "projected"
    then, shown = "", drawing.shown or tree
    if by.leaf not in shown.leaves or rng.random() < 0.4:
        room = range(MOST_AXES - len(tree.shape) - len(by.shape) + 1)
        known = _variables(drawing, shown, room) or _variables(drawing, tree, room)
        then = rng.choice(known) if known else ""
        if structure != "free" and then and drawing.leaves[then].word in CURVED:
            then = ""
    some = [1, 2, 3, 4] if rng.random() < 0.5 else [2, 3, 4]  # what is turned, or in which order, 1 does not show
    sizes = dict(zip("abc", rng.sample(some, 3), strict=True))
    if then and prod(size(dim(n), sizes) for n in (*tree.shape, *by.shape, *drawing.leaves[then].shape)) > MOST_ENTRIES:
        then = ""
    backend = rng.choice(BACKENDS[1:]) if rng.random() < COSTLY_SHARE else BACKENDS[0]
    costly = rng.random() < COSTLY_SHARE
    (other,) = rng.choices(SOURCES[1:] if costly else list(CHEAP), None if costly else list(CHEAP.values()))
    calls = any(part.operation == "call" for part in tree.walk())
    judge = "JAX" if rng.random() < JAX_SHARE and not calls else "differences"
    seed = rng.getrandbits(32)
    (asked,) = rng.choices(list(ASKED), list(ASKED.values()))
    return Sample(tree, drawing.leaves, sizes, drawing.dims, by.leaf, then, structure, layout, backend, ("text", other),
                  judge, seed, asked)  # fmt: skip
