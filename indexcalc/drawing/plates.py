"""What is drawn, with places: outlines, strokes and labels on a plate; and what overlaps there, for the tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

Point = tuple[float, float]
Way = tuple[int, ...]
"""The frames that a thing lies in, by their numbers, from the outermost."""
FONT = 14
"""Pixels of the names of tensors: a page's own text has about as many."""
SMALL = 11
"""Pixels of the names of wires and of titles."""
BROAD = 0.62
"""How wide a letter is taken to be, of its size: more than the mean of any usual font, as the font is not known."""
STEPS = 12
"""Into how many pieces a curve is cut to see what it meets."""


class Contour(NamedTuple):
    """A mark or a frame: its kind, where it begins, how large it is, what it lies in, and, of a frame, its number."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    way: Way = ()
    number: int = 0


class Stroke(NamedTuple):
    """A wire: a point, and for each cubic curve from there two that bend it and its end; `style` is how it is drawn."""

    points: tuple[Point, ...]
    style: str = "wire"
    way: Way = ()


class Label(NamedTuple):
    """A text: where its line stands ("start", "middle" or "end" of it), and what it is: a name, a title, an index."""

    x: float
    y: float
    text: str
    anchor: str = "middle"
    style: str = "name"
    way: Way = ()

    @property
    def size(self) -> int:
        """Pixels of a letter."""
        return FONT if self.style in ("name", "text") else SMALL

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Where the text is: left, top, right, bottom."""
        width = text_width(self.text, self.size)
        left = self.x - {"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        return left, self.y - 0.75 * self.size, left + width, self.y + 0.2 * self.size


class Plate(NamedTuple):
    """A drawing, or a part of one."""

    width: float
    height: float
    outlines: tuple[Contour, ...] = ()
    strokes: tuple[Stroke, ...] = ()
    labels: tuple[Label, ...] = ()

    def moved(self, x: float, y: float, way: Way = ()) -> Plate:
        """The same elsewhere, within more frames."""
        return self._replace(
            outlines=tuple(o._replace(x=o.x + x, y=o.y + y, way=(*way, *o.way)) for o in self.outlines),
            strokes=tuple(
                s._replace(points=tuple((a + x, b + y) for a, b in s.points), way=(*way, *s.way)) for s in self.strokes
            ),
            labels=tuple(w._replace(x=w.x + x, y=w.y + y, way=(*way, *w.way)) for w in self.labels),
        )


def text_width(text: str, size: int) -> float:
    """How wide a text may be, whatever the font.

    >>> text_width("", 14), text_width("W", 10) > 6
    (0, True)
    """
    return sum(BROAD * size * (1.35 if letter in "WMmw@%→∂" else 1.0) for letter in text)


def together(width: float, height: float, plates: Iterable[Plate]) -> Plate:
    """All that is on several plates, on one of this size."""
    outlines: list[Contour] = []
    strokes: list[Stroke] = []
    labels: list[Label] = []
    for plate in plates:
        outlines += plate.outlines
        strokes += plate.strokes
        labels += plate.labels
    return Plate(width, height, tuple(outlines), tuple(strokes), tuple(labels))


def beside(plates: Sequence[Plate], gap: float) -> Plate:
    """Plates in a row, their middles on one line."""
    height = max((plate.height for plate in plates), default=0.0)
    at, moved = 0.0, []
    for plate in plates:
        moved.append(plate.moved(at, (height - plate.height) / 2))
        at += plate.width + gap
    return together(max(at - gap, 0.0), height, moved)


def below(plates: Sequence[Plate], gap: float) -> Plate:
    """Plates one below the other, from the left."""
    at, moved = 0.0, []
    for plate in plates:
        moved.append(plate.moved(0, at))
        at += plate.height + gap
    return together(max((plate.width for plate in plates), default=0.0), max(at - gap, 0.0), moved)


def line(start: Point, end: Point, style: str = "wire") -> Stroke:
    """A straight stroke."""
    return Stroke((start, start, end, end), style)


# ------------------------------------------------------------------ what overlaps

Box = tuple[float, float, float, float]


def overlaps(plate: Plate) -> list[str]:
    """What lies on something else, each in a line: nothing, if the layout is right.

    Outlines may lie in frames of theirs, names in their marks, wires may cross wires; and nothing else may meet.
    """
    found = []
    marks = [(o, (o.x, o.y, o.x + o.width, o.y + o.height)) for o in plate.outlines]
    texts = [(w, w.box) for w in plate.labels]
    for k, (one, box) in enumerate(marks):
        for other, its in marks[k + 1 :]:
            if _meet(box, its) and not (_within(one, other, box, its) or _within(other, one, its, box)):
                found.append(f"{one.kind} at {box[:2]} meets {other.kind} at {its[:2]}")
    for k, (word, box) in enumerate(texts):
        found += [f"{word.text} meets {other.text}" for other, its in texts[k + 1 :] if _meet(box, its)]
        for mark, its in marks:
            inside = its[0] <= box[0] and box[2] <= its[2] and its[1] <= box[1] and box[3] <= its[3]
            own = mark.number in word.way if mark.number else word.style == "name"
            if _meet(box, its) and not (own and inside):
                found.append(f"{word.text} meets {mark.kind}")
        if min(box) < 0 or box[2] > plate.width or box[3] > plate.height:
            found.append(f"{word.text} leaves the picture")
    for stroke in plate.strokes:
        points = list(_along(stroke))
        found += [f"a wire crosses {word.text}" for word, box in texts if any(_in(p, box) for p in points)]
        for mark, box in marks:
            own = mark.number in stroke.way if mark.number else mark.kind == "dot"
            if not own and any(_in(p, box, 0.5) for p in points):
                found.append(f"a wire crosses {mark.kind}")
    return found


def _within(inner: Contour, outer: Contour, box: Box, around: Box) -> bool:
    held = around[0] <= box[0] and box[2] <= around[2] and around[1] <= box[1] and box[3] <= around[3]
    return outer.number in inner.way and outer.number > 0 and held


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _in(point: Point, box: Box, inset: float = 0.0) -> bool:
    return box[0] + inset < point[0] < box[2] - inset and box[1] + inset < point[1] < box[3] - inset


def _along(stroke: Stroke) -> Iterator[Point]:
    """Points of a stroke."""
    points = stroke.points
    for k in range(0, len(points) - 1, 3):
        a, b, c, d = points[k : k + 4]
        for step in range(STEPS + 1):
            t = step / STEPS
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            yield (
                sum(w * p[0] for w, p in zip(weights, (a, b, c, d), strict=True)),
                sum(w * p[1] for w, p in zip(weights, (a, b, c, d), strict=True)),
            )
