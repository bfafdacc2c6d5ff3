"""Diagrams of expressions and of derivations, which notebooks show and files hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Protocol

from indexcalc.drawing.dot import dot
from indexcalc.drawing.layout import laid, lines_below
from indexcalc.drawing.plates import Plate
from indexcalc.drawing.scene import Frame, Mark, Net, Scene, scene_of, size_text
from indexcalc.drawing.svg import svg
from indexcalc.drawing.tikz import tikz
from indexcalc.errors import Asked, KindError, counted
from indexcalc.graph.constructors import einsum
from indexcalc.graph.node import Node
from indexcalc.index import Dimension
from indexcalc.surface import is_integer, public
from indexcalc.views.expr import Expr
from indexcalc.views.view import View

LONGEST = 200
"""Characters of an expression that stand as the title of its picture, about three lines."""


@public
class Picture:
    """What can be shown and saved: scenes, the plate on which they have places, a title and a description."""

    __slots__ = ()
    scenes: tuple[Scene, ...]
    plate: Plate

    @property
    def title(self) -> str:
        """What is drawn, as text."""
        raise NotImplementedError

    @property
    def description(self) -> str:
        """The picture in words, for whoever does not see it: what is joined to what, and what leaves."""
        return " ".join(map(described, self.scenes))

    @property
    def svg(self) -> str:
        """The picture as SVG, a document of its own; light or dark as the reader's page is."""
        return svg(self.plate, self.title, self.description)

    @property
    def dot(self) -> str:
        """The picture as DOT, for Graphviz, which makes a layout of its own."""
        return dot(self.scenes, self.title)

    @property
    def tikz(self) -> str:
        """The picture as a `tikzpicture`, for a page of LaTeX."""
        return tikz(self.plate)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the picture to a file: SVG, DOT or TikZ, by the suffix: `.svg`, `.dot`, `.gv`, `.tex` or `.tikz`."""
        if not isinstance(path, str | PathLike) or not str(path):
            raise KindError(f"save({path!r})", "this is no path of a file", 'write .save("network.svg")')
        suffix = Path(path).suffix
        if suffix not in TARGETS:
            raise KindError(
                f"save({str(path)!r})",
                f"no picture is written as {suffix or 'nothing'!r}",
                f"end in {', '.join(TARGETS)}",
            )
        Path(path).write_text(TARGETS[suffix](self), "utf-8")

    def _repr_svg_(self) -> str:
        return self.svg


TARGETS: dict[str, Callable[[Picture], str]] = {
    ".svg": lambda picture: picture.svg,
    ".dot": lambda picture: picture.dot,
    ".gv": lambda picture: picture.dot,
    ".tex": lambda picture: picture.tikz,
    ".tikz": lambda picture: picture.tikz,
}
"""What a picture is written as, by the suffix of the file."""


@public
@dataclass(frozen=True, slots=True, repr=False)
class Diagram(Picture):
    """An expression as a tensor network: `.svg`, `.dot`, `.tikz`, `.save(path)`; notebooks show it.

    Free wires of rows leave at the left, those of columns at the right; wires of a derivative's variables are double.
    A matrix whose axes are read the other way is called Aᵀ; of a tensor with more axes they are numbered as they are
    read, from the left side down, then the right side.
    """

    view: View
    scenes: tuple[Scene, ...]
    plate: Plate

    @property
    def title(self) -> str:
        """The expression, cut where it is long."""
        text = str(self.view)
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."

    def __str__(self) -> str:
        counts = zip(_counts(self.scenes), ("tensor", "function", "wire"), strict=True)
        return f"diagram of {self.title}: {', '.join(counted(*one) for one in counts)}"

    def __repr__(self) -> str:
        return str(self)


class Told(Protocol):
    """A line of a derivation: what it says, and why."""

    @property
    def rule(self) -> str:
        """Why."""

    @property
    def title(self) -> str:
        """The left-hand side."""

    @property
    def right(self) -> View:
        """The right-hand side."""


@public
@dataclass(frozen=True, slots=True, repr=False)
class Strip(Picture):
    """A derivation as diagrams, one for each line, with its rule; `.svg`, `.dot`, `.tikz`, `.save(path)`."""

    diagrams: tuple[Diagram, ...]
    titles: tuple[str, ...]
    scenes: tuple[Scene, ...]
    plate: Plate

    @property
    def title(self) -> str:
        """What is derived."""
        return f"derivation of {self.titles[-1]}"

    def __iter__(self) -> Iterator[Diagram]:
        return iter(self.diagrams)

    def __len__(self) -> int:
        return len(self.diagrams)

    def __getitem__(self, number: int) -> Diagram:
        if not is_integer(number) or not -len(self) <= number < len(self):
            raise KindError(f"{self}[{number!r}]", f"it has {counted(len(self), 'diagram')}", "number them from 0")
        return self.diagrams[number]

    def __str__(self) -> str:
        return f"{self.title}: {counted(len(self), 'diagram')}"

    def __repr__(self) -> str:
        return str(self)


def diagram(view: View, by: frozenset[str] = frozenset()) -> Diagram:
    """The diagram of an expression; wires of free indices in `by` are those of a derivative's variables.

    >>> import indexcalc as ic
    >>> i, j = ic.indices("i j")
    >>> x, W = ic.tensor("x", "n"), ic.tensor("W", "n m")
    >>> print((x[i]*W[i,j]).diagram())
    diagram of x[i]*W[i,j]: 2 tensors, 0 functions, 2 wires
    """
    node, names, rows, derived = _seen(view, by)
    scene = scene_of(node, names, isinstance(view, Expr), Asked(lambda: f"({view}).diagram()"))
    return Diagram(view, (scene,), laid(scene, rows, derived))


def _seen(view: View, by: frozenset[str]) -> tuple[Node, list[str], int, frozenset[int]]:
    """A node with its rows first, the names of its axes, how many are rows, and which are those of derivatives.

    Of a derivative these are the columns, unless it has no others: then, as of what is no derivative, the second half.
    """
    node, names, wrt = view.node, [str(axis) for axis in range(view.order)], set(map(str, getattr(view, "wrt", ())))
    if isinstance(view, Expr):
        names = [index.name for index in view.free]
        node, wrt = einsum(1, [(view.node, view.names)], names), wrt | by
    columns = [name for name in names if name in wrt]
    if not 0 < len(columns) < len(names):
        columns = names[(len(names) + 1) // 2 :]
    rows = [name for name in names if name not in columns]
    node = einsum(1, [(node, names)], [*rows, *columns])
    derived = frozenset(k for k, name in enumerate([*rows, *columns]) if name in wrt)
    shown = [*rows, *columns] if isinstance(view, Expr) else _sizes(node.dims, len(rows))
    return node, shown, len(rows), derived


def strip(lines: Sequence[Told], by: frozenset[str]) -> Strip:
    """The diagrams of the lines of a derivation, one below the other; `by` has the indices of what it is derived by."""
    diagrams = tuple(diagram(line.right, by) for line in lines)
    titles = tuple(line.title for line in lines)
    shown = ["" if k and title == titles[k - 1] else title for k, title in enumerate(titles)]
    plate = lines_below([one.plate for one in diagrams], shown, [line.rule for line in lines])
    return Strip(diagrams, titles, tuple(scene for one in diagrams for scene in one.scenes), plate)


def _sizes(dims: Sequence[Dimension], rows: int) -> list[str]:
    """The dimensions as names of wires, numbered where two of one side are equal."""
    made = []
    for own in (dims[:rows], dims[rows:]):
        texts = [size_text(dim) for dim in own]
        made += [f"{t}{chr(0x2081 + k)}" if texts.count(t) > 1 and k < 9 else t for k, t in enumerate(texts)]
    return made


# ------------------------------------------------------------------ in words


def described(scene: Scene) -> str:
    """A scene in words.

    >>> parts = Mark("A", "tensor", (0, 1)), Mark("x", "tensor", (1,))
    >>> described(Scene((Net("", "2", parts, ("", "j"), ((0, "i"),)),)))
    '2 times A, x; A and x joined by j; i leaves A.'
    """
    return " ".join(f"{sign} {_net(net)}".strip() for net in scene.nets for sign in [SAID.get(net.sign, "")])


SAID = {"+": "Plus", "−": "Minus"}


def _net(net: Net) -> str:
    names = [_part(part) for part in net.parts]
    ends: dict[int, list[str]] = {}
    for part, name in zip(net.parts, names, strict=True):
        for wire in part.legs:
            ends.setdefault(wire, []).append(name)
    free = {wire for wire, _ in net.free}
    words = [f"{net.coef} times {', '.join(names)}" if net.coef and names else net.coef or ", ".join(names)]
    words += [
        f"{' and '.join(own)} joined by {net.wires[wire] or 'a wire'}"
        for wire, own in ends.items()
        if len(own) == 2 and wire not in free
    ]
    words += [f"{name} leaves {' '.join(ends.get(wire, ['as a wire alone']))}" for wire, name in net.free]
    return "; ".join(word for word in words if word) + "."


def _part(part: Mark | Frame) -> str:
    if isinstance(part, Mark):
        return part.name or {"dot": "a dot", "join": "a triangle"}[part.style]
    inner = " ".join(described(inside.scene).rstrip(".") for inside in part.insides)
    return f"{part.title or 'the group'} of ({inner})"


def _counts(scenes: Sequence[Scene]) -> tuple[int, int, int]:
    """How many tensors, functions and wires there are, within functions too."""
    tensors = functions = wires = 0
    todo = list(scenes)
    while todo:
        for net in todo.pop().nets:
            wires += len(net.wires)
            for part in net.parts:
                if isinstance(part, Mark):
                    tensors += part.style not in ("dot", "join")
                else:
                    functions += bool(part.title)
                    todo += [inside.scene for inside in part.insides]
    return tensors, functions, wires
