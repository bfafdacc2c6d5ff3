"""From a scene to a plate: blocks stacked, terms side by side, arguments in their frames."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

from indexcalc.drawing.blocks import GAP, PITCH, Block, Body, Legs, block_of
from indexcalc.drawing.layers import components, layerings
from indexcalc.drawing.plates import (
    FONT,
    SMALL,
    Contour,
    Label,
    Plate,
    Stroke,
    below,
    beside,
    line,
    text_width,
    together,
)
from indexcalc.drawing.scene import LOWERED, Frame, Inside, Mark, Net, Scene
from indexcalc.graph.canonical import settle

PAD = 10
"""Pixels between the border of a frame and what is in it, and around the picture."""
TITLE = 20
"""Pixels of a frame's title, above what is in it."""
LEAST = 30
"""Pixels of the smallest mark: a name of one letter in a circle."""
WIDEST = 900
"""Pixels of a line of terms, about the width of a page: the next term begins a new line."""
MOST_TRIED = 12
"""Parts up to which a closed network is tried from each of them; a larger one begins at its first."""


class End(NamedTuple):
    """How a free wire ends: its side, its name; does it leave ("free"), stop ("stop") or pass on ("pass")?"""

    side: str
    name: str
    how: str
    derived: bool = False


class Spread(NamedTuple):
    """A network with places, and the height at which each free axis leaves."""

    plate: Plate
    heights: dict[int, float]


def laid(scene: Scene, rows: int, derived: frozenset[int] = frozenset()) -> Plate:
    """The picture of a scene, whose first axes, so many, leave at the left; those in `derived` are drawn double.

    >>> from indexcalc.drawing.scene import Net
    >>> laid(Scene((Net("", "", (Mark("A", "tensor", (0, 1)),), ("", ""), ((0, "i"), (1, "j"))),)), 1).labels[0].text
    'A'
    """
    layout = Setter()
    plates = []
    row: list[Plate] = []
    for net in scene.nets:
        ends = [
            End("left" if axis < rows else "right", name, "free", axis in derived)
            for axis, (_, name) in enumerate(net.free)
        ]
        plate = layout.term(net, ends)
        if row and sum(one.width + GAP for one in row) + plate.width > WIDEST:
            plates.append(beside(row, GAP))
            row = []
        row.append(plate)
    whole = below([*plates, beside(row, GAP)], 2 * GAP)
    return whole.moved(PAD, PAD)._replace(width=whole.width + 2 * PAD, height=whole.height + 2 * PAD)


class Setter:
    """One picture: what has been laid out of it already, and the numbers of its frames."""

    def __init__(self) -> None:
        self.numbers = count(1)
        self.known: dict[tuple[int, tuple[tuple[str, tuple[int, ...]], ...]], Body] = {}

    def term(self, net: Net, ends: Sequence[End]) -> Plate:
        """A term: its sign, its coefficient, its network."""
        words = [_word(net.sign, "text")] if net.sign else []
        words += [_word(net.coef, "text")] if net.coef else []
        if not net.parts and not net.free:
            return beside(words, 4)
        return beside([*words, self.network(net, ends).plate], 6)

    def network(self, net: Net, ends: Sequence[End]) -> Spread:
        """The connected parts of a network in bands, each with the free wires that leave from it."""
        free = [(wire, end.side) for (wire, _), end in zip(net.free, ends, strict=True)]
        derived = {wire for (wire, _), end in zip(net.free, ends, strict=True) if end.derived}
        ends = [end._replace(derived=wire in derived) for (wire, _), end in zip(net.free, ends, strict=True)]
        fixed = {number for number, part in enumerate(net.parts) if isinstance(part, Frame) or part.style == "join"}
        blocks = []
        for graph in components([part.legs for part in net.parts], free):
            tried = layerings(graph)
            first = next(tried)
            others = list(tried) if len(graph.parts) <= MOST_TRIED else []
            made = [
                block_of(layers, net.wires, derived, fixed, lambda part, legs: self.body(net.parts[part], legs))
                for layers in (first, *others)
            ]
            blocks.append(min(made, key=lambda block: block.cost))
        return _framed_by_ends(_bands(blocks, ends), ends)

    # -------------------------------------------------------------- parts

    def body(self, part: Mark | Frame, legs: Legs) -> Body:
        """A part whose legs leave at these sides."""
        key = id(part), tuple((side, tuple(places)) for side, places in legs.items())
        if key not in self.known:
            self.known[key] = _mark(part, legs) if isinstance(part, Mark) else self._frame(part, legs)
        return self.known[key]

    def _frame(self, frame: Frame, legs: Legs) -> Body:
        """A function: its title, and its arguments within a border that wires of entries pass."""
        side_of = {place: side for side, places in legs.items() for place in places}
        number = next(self.numbers)
        inner, through = self._arguments(frame, side_of)
        title = TITLE if frame.title else 0
        width = max(inner.plate.width + 2 * PAD, text_width(frame.title, SMALL) + 2 * PAD)
        left, top = (width - inner.plate.width) / 2, title + PAD
        ports = {place: (side_of[place], inner.heights[axis] + top) for place, axis in through.items()}
        lowest = top + inner.plate.height
        for side in ("left", "right"):
            own = sorted(place for place, other in side_of.items() if other == side and place not in through)
            passing = [down for other, down in ports.values() if other == side]
            start = max(passing) + PITCH if passing else max((top + lowest - PITCH * (len(own) - 1)) / 2, PITCH / 2)
            for k, place in enumerate(own):
                ports[place] = side, start + k * PITCH
        height = max([lowest + PAD, *(down + PITCH / 2 for _, down in ports.values())])
        strokes = []
        for place in through:
            side, down = ports[place]
            x, edge = (left, 0.0) if side == "left" else (left + inner.plate.width, width)
            strokes.append(line((x, down), (edge, down))._replace(way=(number,)))
        labels = [Label(width / 2, TITLE - 5, frame.title, "middle", "title", (number,))] if frame.title else []
        outline = Contour("frame" if frame.title else "group", 0, 0, width, height, (), number)
        own_plate = Plate(width, height, (outline,), tuple(strokes), tuple(labels))
        return Body(together(width, height, [own_plate, inner.plate.moved(left, top, (number,))]), ports)

    def _arguments(self, frame: Frame, side_of: dict[int, str]) -> tuple[Spread, dict[int, int]]:
        """What is in a frame, and for each leg that passes the axis that it passes to.

        Wires pass where there is one argument, one network without a number before it; else they have names inside.
        """
        one = frame.insides[0]
        net = one.scene.nets[0]
        if len(frame.insides) == len(one.scene.nets) == 1 and net.free and not (net.coef or net.sign):
            inner = self.network(net, _ends(one, side_of, net, "pass"))
            return inner, {leg: axis for axis, leg in enumerate(one.legs) if leg is not None}
        plates: list[Plate] = []
        for inside in frame.insides:
            if plates and frame.sign:
                plates.append(_word(frame.sign, "text"))
            terms = [self.term(net, _ends(inside, side_of, net, "free")) for net in inside.scene.nets]
            plates.append(beside(terms, GAP))
        return Spread(beside(plates, GAP), {}), {}


def _ends(inside: Inside, side_of: dict[int, str], net: Net, how: str) -> list[End]:
    """How the free wires of an argument end: at the side of their leg; of those that stop half at each side."""
    stops = [axis for axis, leg in enumerate(inside.legs) if leg is None]
    sides = {axis: "left" if 2 * k + 1 < len(stops) else "right" for k, axis in enumerate(stops)}
    return [
        End(sides[axis], name, "stop") if leg is None else End(side_of[leg], name, how)
        for axis, (leg, (_, name)) in enumerate(zip(inside.legs, net.free, strict=True))
    ]


def _word(text: str, style: str) -> Plate:
    """A plate with a text."""
    width = text_width(text, FONT)
    return Plate(width, PITCH, (), (), (Label(width / 2, PITCH / 2 + 5, text, "middle", style),))


def _bands(blocks: Sequence[Block], ends: Sequence[End]) -> Spread:
    """Blocks one below the other: those that wires leave at both sides alone, others beside each other."""
    through = [[block] for block in blocks if block.left and block.right]
    lefts = [block for block in blocks if block.left and not block.right]
    rights = [block for block in blocks if block.right and not block.left]
    closed = [block for block in blocks if not block.left and not block.right]
    mixed: list[list[Block]] = []
    for k in range(max(len(lefts), len(rights))):
        mixed.append([*lefts[k : k + 1], *(closed if k == 0 else ()), *rights[k : k + 1]])
    if closed and not mixed:
        mixed.append(closed)
    bands = sorted([*through, *mixed], key=_first_axis)
    width = max(sum(block.plate.width for block in band) + GAP * (len(band) - 1) for band in bands)
    top = 0.0
    plates: list[Plate] = []
    heights: dict[int, float] = {}
    for band in bands:
        height = max(block.plate.height for block in band)
        at = (width - band[0].plate.width) / 2 if len(band) == 1 and bool(band[0].left) == bool(band[0].right) else 0.0
        for block in band:
            last = block is band[-1] and block.right and not block.left
            x = width - block.plate.width if last else at
            y = top + (height - block.plate.height) / 2
            plates.append(block.plate.moved(x, y))
            end = x + block.plate.width
            reach = [(axis, (0.0, y + down), (x, y + down)) for axis, down in block.left.items() if x > 0]
            reach += [(axis, (end, y + down), (width, y + down)) for axis, down in block.right.items() if end < width]
            strokes = [line(start, stop, _style(ends[axis])) for axis, start, stop in reach]
            plates.append(Plate(0, 0, (), tuple(strokes)))
            heights |= {axis: y + down for axis, down in (*block.left.items(), *block.right.items())}
            at += block.plate.width + GAP
        top += height + GAP
    return Spread(together(width, top - GAP, plates), heights)


def _first_axis(band: Sequence[Block]) -> tuple[bool, int]:
    """What orders bands: the first axis that leaves from there, those at the left before those at the right."""
    lefts, rights = ([axis for block in band for axis in side(block)] for side in (_at_left, _at_right))
    return not lefts, min(lefts or rights or [0])


def _at_left(block: Block) -> list[int]:
    return list(block.left)


def _at_right(block: Block) -> list[int]:
    return list(block.right)


def _style(end: End) -> str:
    return "derived" if end.derived else "wire"


def _framed_by_ends(inner: Spread, ends: Sequence[End]) -> Spread:
    """Names outside of where free wires end, and lines past them where wires pass on."""
    room = {
        side: max((text_width(e.name, SMALL) + 8 for e in ends if e.side == side and e.how != "pass"), default=0.0)
        for side in ("left", "right")
    }
    left, right = room["left"], room["left"] + inner.plate.width
    width = right + room["right"]
    labels, strokes = [], []
    for axis, end in enumerate(ends):
        y = inner.heights[axis]
        x, edge, away = (left, 0.0, -1) if end.side == "left" else (right, width, 1)
        if end.how == "pass":
            strokes += [line((x, y), (edge, y))] if x != edge else []
            continue
        labels.append(Label(x + 5 * away, y + 4, end.name, "start" if away > 0 else "end", "index"))
        if end.how == "stop":
            strokes.append(line((x, y - 5), (x, y + 5), "stop"))
    own = Plate(0, 0, (), tuple(strokes), tuple(labels))
    return Spread(together(width, inner.plate.height, [inner.plate.moved(left, 0), own]), inner.heights)


# ------------------------------------------------------------------ marks


def _mark(mark: Mark, legs: Legs) -> Body:
    """A tensor: a circle or a rounded box, as wide as its name, as high as its legs need."""
    height = max(LEAST, PITCH * max(map(len, legs.values()), default=1))
    if mark.style == "dot":
        return _dot(legs, PITCH * max(1, *map(len, legs.values())))
    turned = _turned(mark, [*legs["left"], *legs["right"]])
    name = mark.name + turned
    kind, extra = mark.style, 18
    if mark.style in ("pick", "join"):
        kind, extra = f"{mark.style}-{_points_to(mark, legs)}", 34 if mark.style == "pick" else 16
    width = max(text_width(name, FONT) + extra, 16 if mark.style == "join" else LEAST)
    ports = {
        place: (side, height / 2 + (k - (len(places) - 1) / 2) * PITCH)
        for side, places in legs.items()
        for k, place in enumerate(places)
    }
    labels = (Label(width / 2, height / 2 + 5, name),) if name else ()
    return Body(Plate(width, height, (Contour(kind, 0, 0, width, height),), (), labels), ports, bool(turned))


def _dot(legs: Legs, height: float) -> Body:
    """A copy tensor: a dot that its wires meet in."""
    width = PITCH
    ports = {
        place: (side, height / 2 + (k - (len(places) - 1) / 2) * PITCH)
        for side, places in legs.items()
        for k, place in enumerate(places)
    }
    middle = (width / 2, height / 2)
    strokes: list[Stroke] = []
    for side, down in ports.values():
        edge = 0.0 if side == "left" else float(width)
        near = (middle[0] + edge) / 2
        strokes.append(Stroke((middle, (near, middle[1]), (near, down), (edge, down))))
    dot = Contour("dot", width / 2 - 4, height / 2 - 4, 8, 8)
    return Body(Plate(width, height, (dot,), tuple(strokes)), ports)


def _points_to(mark: Mark, legs: Legs) -> str:
    """Where a triangle points: to its first leg, away from its only one; nowhere where all legs are at one side."""
    side = "left" if 0 in legs["left"] else "right"
    other = "right" if side == "left" else "left"
    if len(mark.legs) == 1:
        return other
    return side if len(legs[side]) == 1 else "none"


def _turned(mark: Mark, read: Sequence[int]) -> str:
    """What a name says where the axes, as they are read, are not in order: ᵀ, or their numbers.

    They are read from the left side down, then the right side.
    """
    if mark.style in ("pick", "join", "dot"):
        return ""
    own, sign = settle(tuple(read), mark.symmetry)
    if own == tuple(range(len(read))) and sign == 1:
        return ""
    numbers = ("" if len(read) < 10 else ",").join(str(place + 1) for place in read)
    return "ᵀ" if len(read) == 2 else numbers.translate(LOWERED)


def lines_below(plates: Sequence[Plate], titles: Sequence[str], rules: Sequence[str]) -> Plate:
    """Pictures as the lines of a derivation: what each is equal to before it, its rule behind it.

    >>> [label.text for label in lines_below([Plate(9, 9)], ["y"], ["by rule"]).labels]
    ['y =', 'by rule']
    """
    left = max(text_width(f"{title} =", FONT) for title in titles) + 2 * PAD
    middle = max(plate.width for plate in plates)
    width = left + middle + max(text_width(rule, SMALL) for rule in rules) + 2 * PAD
    top, made = 0.0, []
    for plate, title, rule in zip(plates, titles, rules, strict=True):
        y = plate.height / 2 + 5
        words = (
            Label(left - PAD, y, f"{title} =".strip(), "end", "text"),
            Label(left + middle + PAD, y, rule, "start", "title"),
        )
        made += [plate.moved(left, top), Plate(0, 0, (), (), words).moved(0, top)]
        top += plate.height
    return together(width, top, made)
