"""Random programs: a tree of operations over random tensors, and what is to be done with it.

A program is drawn from a `random.Random`, so a seed draws the same program, and hypothesis shrinks what it draws.
Its tree is kept, so that a program that fails can be made smaller.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil, floor
from typing import Any

from indexcalc.functions.table import REAL
from indexcalc.testing.programs.operations import Axis, Operation, Shape, axis_of, filled, matched, operations
from indexcalc.testing.programs.trees import Leaf, Tree
from indexcalc.views.assumptions import ASSUMPTIONS, MATRICES_ONLY

DIMENSIONS = ("a", "b", "c", "a", "b", "c", "a", "b", "c", 1, 2, 3, 3)
"""The dimensions of axes, by how often each is drawn."""
JOINED: tuple[Shape, ...] = (("a*b", "b*c"), ("a*b", "b*c"), ("a+b", "c"), ("a+b", "a+b"), ("c+1", "c+1"))
"""Shapes with axes that are products or sums, as joined axes and parts beside each other have."""
MOST_LEAVES = 5
"""Tensors of a program: more make it longer to read, and find no more."""
DEEPEST = 4
"""Operations above each other: a program of 5 has some 20 of them, and its second derivative is slow."""
WORDS = tuple(word for word in ASSUMPTIONS if word in MATRICES_ONLY)
"""What is declared of square matrices."""


@dataclass
class Drawing:
    """The random choices of one program: its tensors, the dimensions of indices, and the parts it may use again.

    `axes` are the dimensions to draw from, `favourite` is a tensor and `feature` an operation that are to occur;
    `shown` is that operation with its arguments, once it has occurred.
    """

    rng: random.Random
    leaves: dict[str, Leaf] = field(default_factory=dict)
    dims: dict[str, Axis] = field(default_factory=dict)
    made: list[Tree] = field(default_factory=list)
    axes: Shape = DIMENSIONS
    favourite: Leaf | None = None
    feature: Operation | None = None
    shown: Tree | None = None
    names: int = 0

    def fresh(self, letter: str) -> str:
        """A name that is new in this program."""
        self.names += 1
        return f"{letter}{self.names}"

    def index(self, letter: str, axis: Axis) -> str:
        """A new index of this dimension."""
        name = self.fresh(letter)
        self.dims[name] = axis
        return name

    def shape(self, order: int) -> Shape:
        """A shape of this order: often a square, seldom with an axis that is a product or a sum."""
        if order == 2 and self.rng.random() < 0.55:
            return (self.rng.choice(self.axes),) * 2
        if order and order < 3 and self.rng.random() < 0.25:
            return self.rng.choice(JOINED)[:order]
        return tuple(self.rng.choice(self.axes) for _ in range(order))

    # ------------------------------------------------------------------ tensors

    def leaf(self, shape: Shape, word: str = "", within: tuple[float, float] = REAL, among: Axis = 0) -> Tree:
        """A tensor of this shape: one that is there, or a new one."""
        wanted = Leaf(shape, word, within, among)
        known = [name for name, leaf in self.leaves.items() if leaf == wanted]
        if known and (self.rng.random() < 0.6 or len(self.leaves) >= MOST_LEAVES):
            name = self.rng.choice(known)
        else:
            name = self.fresh("sxATU"[min(len(shape), 4)])
            self.leaves[name] = wanted
        return Tree("tensor", shape, name, name, leaf=name)

    def bottom(self, shape: Shape) -> Tree:
        """A tensor, with an assumption or without one."""
        word = ""
        if self.favourite is not None and shape == self.favourite.shape and self.rng.random() < 0.8:
            return self.leaf(shape, self.favourite.word)
        if self.rng.random() < 0.4:
            if len(shape) == 2 and shape[0] == shape[1]:
                word = self.rng.choice(WORDS)
            elif len(shape) == 2 and self.rng.random() < 0.3:
                word = "stochastic"
            else:
                word = self.rng.choice(["positive", "constant"])
        return self.leaf(shape, word)

    # ------------------------------------------------------------------ matrix notation

    def make(self, shape: Shape, depth: int, asked: str = "") -> Tree:
        """A random expression in matrix notation, of this shape and at most this depth, that is what is asked."""
        if asked:
            return self.special(shape, depth, asked)
        if depth <= 0:
            return self.bottom(shape)
        alike = [tree for tree in self.made if tree.shape == shape and tree.depth <= depth]
        if alike and self.rng.random() < 0.1:
            return self.rng.choice(alike)
        if self.feature and (letters := fitting(self.feature, shape)) is not None:
            row, self.feature = self.feature, None
            self.shown = self.operation(row, shape, letters, depth)
            return self.shown
        rows = operations(len(shape))
        for row in self.rng.choices(rows, [row.weight for row in rows], k=30):
            letters = fitting(row, shape)
            if letters is not None:
                tree = self.operation(row, shape, letters, depth)
                self.made.append(tree)
                return tree
        return self.bottom(shape)

    def operation(self, row: Operation, shape: Shape, letters: Mapping[str, Any], depth: int) -> Tree:
        """An operation with random arguments."""
        known = dict(letters)
        parts = []
        for number, argument in enumerate(row.arguments):
            axes, _, asked = argument.partition(":")
            for letter in axes:
                if letter.isalpha() and letter not in known:
                    known[letter] = self.rng.choice(self.axes if "*" not in axes else "abc")
            own = shape if axes == "*" else filled(axes, known)
            asked = f"of {known[asked[3:]]}" if asked.startswith("of ") else asked
            parts.append(self.make(own, depth - 1 if not number else self.rng.randrange(depth), asked))
        return self.written(row, shape, known, parts)

    def written(self, row: Operation, shape: Shape, letters: Mapping[str, Any], parts: list[Tree]) -> Tree:
        """The operation of these arguments: dimensions and names are put into its text, arguments are left open."""
        places = {f"a{k}": f"{{{k}}}" for k in range(len(parts))}
        fresh = self.fresh("u" if "function" in row.ours else "t") if "{fresh" in row.ours else ""
        ours = _opened(row.ours).format(**places, **letters, fresh=fresh)
        numbers = {letter: f"({value})" for letter, value in letters.items()}
        theirs = _opened(row.theirs).format(**places, **numbers, fresh=fresh, np="{np}")
        return Tree(row.name, shape, ours, theirs, tuple(parts))

    def featured(self, depth: int) -> Tree:
        """The operation that is to occur, of a shape of its own."""
        row = self.feature
        assert row is not None
        self.feature = None
        letters: dict[str, Axis] = {}
        shape = self.favourite.shape if self.favourite else ()
        for letter in sorted(set(filter(str.isalpha, row.shape))):
            joined = "*" in row.shape + "".join(row.arguments)
            letters[letter] = self.rng.choice("abc" if joined else self.axes)
        self.shown = self.operation(row, shape if row.shape == "*" else filled(row.shape, letters), letters, depth)
        return self.shown

    def written_as(self, ours: str, theirs: str, *parts: Tree) -> Tree:
        """An expression with the shape, and the free indices, of its first part."""
        return Tree("wrapped", parts[0].shape, ours, theirs, parts, names=parts[0].names)

    def special(self, shape: Shape, depth: int, asked: str) -> Tree:
        """An expression that is positive, regular, definite, of separate singular values, in an interval, or whole."""
        loved = self.favourite
        if asked.startswith("of "):
            return self.leaf(shape, "integer", among=axis_of(asked[3:]))
        if asked == "apart" and loved and loved.shape == shape and loved.word in ("", "symmetric", "positive_definite"):
            return self.leaf(shape, loved.word)
        if asked.startswith("leaf"):
            return self.leaf(shape, "positive_definite" if asked == "leaf definite" else "")
        if asked == "apart":
            return self.leaf(shape, self.rng.choice(["", "positive_definite"]))
        if asked == "definite":
            if depth <= 0 or self.rng.random() < 0.5:
                return self.leaf(shape, "positive_definite")
            return self.wrapped("({0} @ {0}.T + ic.eye({n!r}))", "{0} @ {0}.T + {np}.eye({n})", shape, depth, "tame")
        if asked == "regular":
            if self.rng.random() < 0.4:
                return self.special(shape, depth, "definite")
            return self.wrapped("(3*ic.eye({n!r}) + {0}/2)", "3*{np}.eye({n}) + {0}/2", shape, depth, "tame")
        low, high = {"positive": (0.3, 2.3), "tame": (-1.0, 1.0)}.get(asked) or map(float, asked.split())
        if depth <= 0 or self.rng.random() < 0.4:
            return self.leaf(shape, "positive" if low > 0 and self.rng.random() < 0.5 else "", (low, high))
        kinds = ["bounded", "square", "soft"] if asked == "positive" else ["bounded"]
        kind = self.rng.choice(kinds)
        if kind == "square":
            return self.wrapped("({0}**2 + 1)", "({0}**2 + 1)", shape, depth)
        if kind == "soft":
            return self.wrapped("(ic.softplus({0}) + 0.5)", "(rows['softplus']({0}) + 0.5)", shape, depth)
        text = bounded(low, high)
        return self.wrapped(f"(ic.{text})", f"({{np}}.{text})", shape, depth)

    def wrapped(self, ours: str, theirs: str, shape: Shape, depth: int, asked: str = "") -> Tree:
        """An expression within another one of its shape."""
        part = self.make(shape, depth - 1, asked)
        letters = {"n": shape[-1]} if shape else {}
        return self.written(Operation("wrapped", "*", ("*",), ours, theirs), shape, letters, [part])


def fitting(row: Operation, shape: Shape) -> dict[str, Axis] | None:
    """What the letters of an operation are where its value has this shape, or None where it makes no such value.

    >>> row = next(row for row in operations(1) if row.name == "vec")
    >>> fitting(row, ("a*b",)), fitting(row, ("a",))
    ({'p': 'a', 'q': 'b'}, None)
    """
    letters = {} if row.shape == "*" else matched(row.shape, shape)
    joined = row.shape != "*" and any("*" in argument for argument in row.arguments)
    if letters is None or (joined and any(isinstance(axis, int) or "+" in axis for axis in letters.values())):
        return None
    return letters


def bounded(low: float, high: float) -> str:
    """A function of any real number whose values lie in an interval, less the name of its module in front.

    Its ends are quarters, which are exact: products of 0.1 are rounded, and read back as others.

    >>> bounded(-1.0, 1.0), bounded(0.2, 3.0)
    ('tanh({0})', 'tanh({0})*1.375 + 1.625')
    """
    low, high = ceil(4 * low) / 4, floor(4 * high) / 4
    half, middle = (high - low) / 2, (high + low) / 2
    return "tanh({0})" if (half, middle) == (1, 0) else f"tanh({{0}})*{half:g} + {middle:g}"


def _opened(text: str) -> str:
    """The text of an operation, its arguments by names: `{0}` is `{a0}`."""
    for number in range(4):
        text = text.replace(f"{{{number}}}", f"{{a{number}}}")
    return text
