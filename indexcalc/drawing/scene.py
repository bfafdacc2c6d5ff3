"""From a node to a scene: what is drawn, before anything has a place.

A product is a network in the notation of R. Penrose ("Applications of negative dimensional tensors", 1971; J. Biamonte
and V. Bergholm, "Tensor networks in a nutshell", 2017): a tensor is a mark with a leg for each axis, a summed index a
wire between two legs, a free one a wire that leaves. A delta is a wire and nothing else. An index of which there is one
leg, or more than two, meets them in a dot, the copy tensor: with one leg it is a tensor of ones. A function is a frame
around the scene of its argument, and wires of entries pass through its border.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any, NamedTuple

from indexcalc.errors import Asked, KindError
from indexcalc.graph.constructors import dimension, einsum
from indexcalc.graph.edge import even, symmetry_of
from indexcalc.graph.labels import UnionFind
from indexcalc.graph.node import (
    NO_SYMMETRY,
    Call,
    Constant,
    Definition,
    Elementwise,
    Matrix,
    Node,
    Product,
    Reduction,
    Regroup,
    Sum,
    Symmetry,
    Variable,
)
from indexcalc.graph.numbers import Number, multiply
from indexcalc.graph.ranges import Relation, range_of, relation_of
from indexcalc.graph.walk import variables
from indexcalc.index import Dimension
from indexcalc.writing.index.opened import distinct
from indexcalc.writing.index.text import GREEK, PRIMES, expr_text, str_piece
from indexcalc.writing.index.words import fresh_names
from indexcalc.writing.known import constant_piece
from indexcalc.writing.slices import slice_text
from indexcalc.writing.syntax import OPERATORS

MOST = 100
"""Marks and frames of a picture: an arbitrary budget, about what a page shows; of more one sees nothing."""
RAISED = str.maketrans("0123456789-/.", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻ᐟ·")
LOWERED = str.maketrans("0123456789,", "₀₁₂₃₄₅₆₇₈₉‚")


class Mark(NamedTuple):
    """A tensor: its name, how it is drawn, the wire of each axis, and which axes may change places."""

    name: str
    style: str
    legs: tuple[int, ...]
    symmetry: Symmetry = NO_SYMMETRY


class Inside(NamedTuple):
    """An argument in a frame: for each of its axes the leg of the frame that it passes to, or None if it ends there."""

    scene: Scene
    legs: tuple[int | None, ...]


class Frame(NamedTuple):
    """A function: its title, its arguments with a sign between them, and the wire of each axis of the value."""

    title: str
    insides: tuple[Inside, ...]
    sign: str
    legs: tuple[int, ...]


class Net(NamedTuple):
    """A term: sign, coefficient, marks and frames, the name of each wire, and for each free axis its wire and name."""

    sign: str
    coef: str
    parts: tuple[Mark | Frame, ...]
    wires: tuple[str, ...]
    free: tuple[tuple[int, str], ...]


class Scene(NamedTuple):
    """Networks with the same free axes: the terms of a sum, or one alone."""

    nets: tuple[Net, ...]


class Holding(NamedTuple):
    """A mark or a node that is to become a part, with a label for each axis."""

    what: Mark | Node
    labels: tuple[int, ...]
    exponent: Number


class Painter:
    """What all parts of a picture share: how many there are, and whether wires are named by indices or dimensions."""

    def __init__(self, named: bool, asked: str | Asked) -> None:
        self.named, self.asked = named, asked
        self.parts = 0

    def scene(self, node: Node, names: Sequence[str], used: frozenset[str]) -> Scene:
        """The scene of a node whose axes have these names; `used` has those that mean something else already.

        What is taken away stands behind what is added.
        """
        used |= set(names)
        if not isinstance(node, Sum):
            return Scene((self.net(1, node, range(node.order), node.dims, names, used),))
        terms = [self.net(t.coef, t.node, t.labels, node.dims, names, used) for t in node.terms]
        first, *others = sorted(terms, key=lambda term: bool(term.sign))
        return Scene((first, *(term._replace(sign=term.sign or "+") for term in others)))

    def net(
        self,
        coef: Number,
        node: Node,
        labels: Sequence[int],
        dims: Sequence[Dimension],
        names: Sequence[str],
        used: frozenset[str],
    ) -> Net:
        """The network of `coef * node[labels]`, the labels being axes with these dimensions and names."""
        self.parts += 1
        sketch = Sketch(coef, dims)
        if not sketch.hold(node, tuple(labels), MOST - self.parts):
            raise KindError(
                self.asked,
                f"more than {MOST} tensors and functions would be drawn",
                'draw a part of it, or name parts: ic.define("h", ...)',
            )
        held, said = sketch.settled()
        self.parts += len(held)
        titles = self._titles(sketch, held, names, used)
        parts = [self._part(one, [titles[x] for x in one.labels], used | set(titles.values())) for one in held]
        return _wired(said, parts, [one.labels for one in held], range(len(dims)), titles, names, sketch.find)

    def _titles(
        self, sketch: Sketch, held: Sequence[Holding], names: Sequence[str], used: frozenset[str]
    ) -> dict[int, str]:
        """The name of each label: a free one's own, a fresh one or the dimension for what is summed."""
        fresh = fresh_names(used)
        titles = {}
        for axis in reversed(range(len(names))):
            titles[sketch.find(axis)] = names[axis]
        for one in held:
            for label in one.labels:
                if label not in titles:
                    titles[label] = next(fresh) if self.named else size_text(sketch.dims[label])
        return titles

    def _part(self, held: Holding, names: Sequence[str], used: frozenset[str]) -> Mark | Frame:
        """A mark or a frame, its legs still without wires; a power is a frame around its base."""
        if isinstance(held.what, Mark):
            return held.what
        if held.exponent == 1:
            return PARTS[type(held.what)](self, held.what, names, used)
        inside, own = _diagonal(held.what, range(len(names)))
        return Frame(
            _power_title(held.exponent), (Inside(self.scene(inside, [names[x] for x in own], used), own),), "", ()
        )

    def inside(self, node: Node, legs: Sequence[int | None], names: Sequence[str], used: frozenset[str]) -> Inside:
        """An argument, whose axes without a leg get names of their own."""
        fresh = fresh_names(used | set(names))
        own = [
            names[leg] if leg is not None else next(fresh) if self.named else size_text(dim)
            for leg, dim in zip(legs, node.dims, strict=True)
        ]
        return Inside(self.scene(node, own, used), tuple(legs))


class Sketch(UnionFind):
    """A product that is being opened: labels, of which some are one, what holds them, and the number before all."""

    def __init__(self, coef: Number, dims: Sequence[Dimension]) -> None:
        super().__init__()
        self.coef = coef
        self.dims = list(dims)
        self.free = len(self.dims)
        self.held: list[Holding] = []

    def fresh(self, dims: Sequence[Dimension]) -> list[int]:
        """New labels of these dimensions."""
        start = len(self.dims)
        self.dims += dims
        return list(range(start, len(self.dims)))

    def hold(self, node: Node, labels: tuple[int, ...], most: int) -> bool:
        """Take a node up, its products and joined axes opened. Are there no more than `most` factors?"""
        todo = [Holding(node, labels, 1)]
        while todo and len(todo) + len(self.held) <= most:
            one = todo.pop(0)
            if isinstance(one.what, Product) and one.exponent == 1 and (one.what.factors or one.what.order):
                product = one.what
                self.coef = multiply(self.coef, product.coef)
                inner = self.fresh(product.sizes)
                for outside, label in zip(one.labels, product.out, strict=True):
                    self.join(outside, inner[label])
                todo[:0] = [Holding(f.node, tuple(inner[x] for x in f.labels), f.exponent) for f in product.factors]
            elif isinstance(one.what, Regroup) and one.exponent == 1:
                todo[:0] = self._regrouped(one.what, one.labels)
            else:
                self.held.append(one)
        return not todo

    def _regrouped(self, node: Regroup, labels: tuple[int, ...]) -> list[Holding]:
        """The child, and a triangle wherever several wires are joined into one."""
        own = self.fresh(node.sizes)
        axes = self.fresh(node.child.dims)
        made = [Holding(node.child, tuple(axes), 1)]
        for groups, ends in ((node.inner, axes), (node.outer, labels)):
            for group, end in zip(groups, ends, strict=True):
                if len(group) == 1:
                    self.join(end, own[group[0]])
                else:
                    made.append(Holding(Mark("", "join", ()), (end, *(own[x] for x in group)), 1))
        return made

    def settled(self) -> tuple[list[Holding], tuple[str, str]]:
        """What is held, with one label for each wire, and the sign and the text of all that has no tensor in it."""
        scalars: list[Any] = []
        kept = []
        for one in self.held:
            if isinstance(one.what, Node) and not one.what.order and not variables([one.what]):
                scalars.append((one.what, (), one.exponent))
            else:
                kept.append(one._replace(labels=tuple(map(self.find, one.labels))))
        met = {label for one in kept for label in one.labels} | set(map(self.find, range(self.free)))
        loose = [label for label in range(len(self.dims)) if self.find(label) == label and label not in met]
        scalars += [(dimension(self.dims[label]), ()) for label in loose]
        text = expr_text(einsum(self.coef, scalars, ()), (), unicode=True).replace("*", "·")
        sign, text = ("−", text[1:]) if text.startswith("-") else ("", text)
        if kept or met:
            text = "" if text == "1" else f"({text})" if " " in text and not text.endswith(")") else text
        return kept, (sign, text)


def _wired(
    said: tuple[str, str],
    parts: list[Mark | Frame],
    labels: Sequence[Sequence[int]],
    axes: Sequence[int],
    titles: dict[int, str],
    names: Sequence[str],
    find: Callable[[int], int],
) -> Net:
    """The parts with a wire between each two ends of a label; where it has one end, or more than two, through a dot."""
    ends: dict[int, list[tuple[int, int]]] = {}
    for number, its in enumerate(labels):
        for place, label in enumerate(its):
            ends.setdefault(label, []).append((number, place))
    for axis in axes:
        ends.setdefault(find(axis), []).append((-1, axis))
    wire_of: dict[tuple[int, int], int] = {}
    wires: list[str] = []
    dots: list[Mark] = []
    for label, own in ends.items():
        inner = titles[label] if all(part >= 0 for part, _ in own) else ""
        if len(own) == 2:
            wire_of.update(dict.fromkeys(own, len(wires)))
            wires.append(inner)
        else:
            start = len(wires)
            wire_of.update(zip(own, range(start, start + len(own)), strict=True))
            wires += [inner, *[""] * (len(own) - 1)]
            every = tuple(range(start, start + len(own)))
            dots.append(Mark("", "dot", every, Symmetry(((tuple(range(len(own))), 1),))))
    made: list[Mark | Frame] = [
        part._replace(legs=tuple(wire_of[number, place] for place in range(len(labels[number]))))
        for number, part in enumerate(parts)
    ]
    free = tuple((wire_of[-1, axis], names[axis]) for axis in axes)
    return Net(*said, (*made, *dots), tuple(wires), free)


def size_text(dim: Dimension) -> str:
    """A dimension as the name of a wire.

    >>> from indexcalc.index import dim
    >>> size_text(dim("n")**2 * dim("m")), size_text(3)
    ('m·n²', '3')
    """
    powers = re.sub(r"\*\*(\d+)", lambda found: found[1].translate(RAISED), str(dim).strip("?'"))
    return powers.replace("*", "·").replace(" - ", " − ")


def _power_title(exponent: Number) -> str:
    """A power, written at an empty base."""
    return f"( ){str(exponent).translate(RAISED)}"


def _diagonal(node: Node, labels: Sequence[int]) -> tuple[Node, tuple[int, ...]]:
    made, own = distinct(node, tuple(labels))
    return made, tuple(own)


# ------------------------------------------------------------------ a part for each kind

Names = Sequence[str]


def _variable(painter: Painter, node: Variable, names: Names, used: frozenset[str]) -> Mark:
    return Mark(GREEK.get(node.label, node.label), "tensor", (), even(symmetry_of(node)))


def _definition(painter: Painter, node: Definition, names: Names, used: frozenset[str]) -> Mark:
    return Mark(GREEK.get(node.label, node.label), "named", (), even(symmetry_of(node)))


def _constant(painter: Painter, node: Constant, names: Names, used: frozenset[str]) -> Mark:
    """A known tensor: Levi-Civita's as a bar, what takes entries as a tap, others by what they say or are called."""
    if (relation := relation_of(node)) is not None:
        axes = names if painter.named else [str(k) for k in range(1, node.order + 1)]
        every = Symmetry(((tuple(range(node.order)), 1),)) if painter.named else NO_SYMMETRY
        return Mark(_relation_text(relation, axes), "known", (), every)
    if (found := range_of(node)) is not None:
        return Mark(slice_text(found), "pick", ())
    if node.label == "unit":
        return Mark(f"e{','.join(map(str, node.params)).translate(LOWERED)}", "pick", ())
    if node.label == "epsilon":
        return Mark("ε", "epsilon", (), NO_SYMMETRY)
    return Mark(str_piece(constant_piece(node, ())), "known", (), even(symmetry_of(node)))


def _relation_text(found: Relation, names: Names) -> str:
    """Where an affine delta is 1, as an equation between its axes.

    >>> _relation_text(Relation(1, (1, 2, -1), (3, 4, 9)), "ijk")
    'i + 2·j + 1 = k'
    """
    sides: tuple[list[str], list[str]] = ([], [])
    for coef, name in zip(found.coefs, names, strict=True):
        sides[coef < 0].append(name if abs(coef) == 1 else f"{abs(coef)}·{name}")
    if found.start != 0:
        less = isinstance(found.start, int) and found.start < 0
        sides[less].append(size_text(-found.start if less else found.start))
    return " = ".join(" + ".join(side) or "0" for side in sides)


def _sum(painter: Painter, node: Sum, names: Names, used: frozenset[str]) -> Frame:
    """A sum within a product: its terms side by side in parentheses, which a frame without a title stands for."""
    inside, legs = _diagonal(node, range(len(names)))
    return Frame("", (Inside(painter.scene(inside, [names[x] for x in legs], used), legs),), "", ())


def _elementwise(painter: Painter, node: Elementwise, names: Names, used: frozenset[str]) -> Frame:
    """A function of entries: all wires pass. A comparison stands between its arguments, as its sign."""
    insides = []
    for arg in node.args:
        inner, legs = _diagonal(arg.node, arg.labels)
        insides.append(painter.inside(inner, legs, names, used))
    sign = OPERATORS.get(node.fn, "")
    title = " ".join([node.fn, *map(str, node.params)])
    return Frame("" if sign else title, tuple(insides), sign or ",", ())


def _reduction(painter: Painter, node: Reduction, names: Names, used: frozenset[str]) -> Frame:
    """A function along axes: their wires end inside, also where the value has them again."""
    kept: Iterator[int] = count()
    legs = [None if axis in node.axes and not node.keeps else next(kept) for axis in range(node.child.order)]
    ends = [None if axis in node.axes else leg for axis, leg in enumerate(legs)]
    called = f"{node.fn.removesuffix('_t')}ᵀ" if node.fn.endswith("_t") else node.fn  # as pinv(X).T is written
    title = " ".join([called, *map(str, node.params)])
    return Frame(title, (painter.inside(node.child, ends, names, used),), "", ())


def _matrix(painter: Painter, node: Matrix, names: Names, used: frozenset[str]) -> Frame:
    """A function of matrices: the wires of batches pass, those of rows and columns end, and the value has its own."""
    insides = []
    for child in node.children:
        batch = max(child.order - 2, 0)
        legs = [axis if axis < batch else None for axis in range(child.order)]
        insides.append(painter.inside(child, legs, names, used))
    title = " ".join([node.name, *map(str, node.params)])
    return Frame(title, tuple(insides), ",", ())


def _call(painter: Painter, node: Call, names: Names, used: frozenset[str]) -> Frame:
    """An abstract function, with the mark of its derivative: the wires of samples pass, those of its arguments end."""
    insides = []
    for child, labels in zip(node.children, node.labels, strict=True):
        legs = [labels[axis] if axis < len(labels) else None for axis in range(child.order)]
        insides.append(painter.inside(child, legs, names, used))
    primes = node.function.primes(node.orders)
    title = f"{node.function.name}{PRIMES[primes]}" if 0 < primes < len(PRIMES) else node.name
    return Frame(title, tuple(insides), ",", ())


def _opened(painter: Painter, node: Product | Regroup, names: Names, used: frozenset[str]) -> Frame:
    """A number that no sketch has opened: it stands for itself."""
    return Frame("", (painter.inside(node, range(node.order), names, used),), "", ())


PARTS: dict[type[Node], Callable[[Painter, Any, Names, frozenset[str]], Mark | Frame]] = {
    Variable: _variable,
    Constant: _constant,
    Definition: _definition,
    Sum: _sum,
    Product: _opened,
    Regroup: _opened,
    Elementwise: _elementwise,
    Reduction: _reduction,
    Matrix: _matrix,
    Call: _call,
}
"""How each kind becomes a part of a network; products and joined axes are opened before, and seldom get here."""


def scene_of(node: Node, names: Sequence[str], named: bool, asked: str | Asked) -> Scene:
    """The scene of a node whose axes have these names; wires inside are `named` by indices, or by their dimensions.

    >>> from indexcalc.graph.constructors import variable
    >>> [mark.name for mark in scene_of(variable("A", (2, 3)), ["i", "j"], True, "").nets[0].parts]
    ['A']
    """
    return Painter(named, asked).scene(node, names, frozenset())
