"""Plates as SVG: text in the reader's fonts, light and dark as the page is, a title and a description, no script."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from html import escape

from indexcalc.drawing.plates import Contour, Label, Plate, Stroke

STYLE = """
.ic text { font-family: "STIX Two Text", "Latin Modern Roman", Cambria, Georgia, serif; fill: #1c1f24 }
.ic .name { font-size: 14px; font-style: italic } .ic .text { font-size: 14px }
.ic .index { font-size: 11px; font-style: italic; fill: #8a3b12 } .ic .title { font-size: 11px; fill: #24527a }
.ic .wire, .ic .stop { fill: none; stroke: #1c1f24; stroke-width: 1.4 }
.ic .derived { fill: none; stroke: #1c1f24; stroke-width: 4.4 }
.ic .core { fill: none; stroke: #fff; stroke-width: 1.8 }
.ic .mark { fill: #dbe8f6; stroke: #24527a; stroke-width: 1.2 } .ic .named { fill: #e6f0dc; stroke: #466b22 }
.ic .known { fill: #f3ecd6; stroke: #7a6420 } .ic .pick, .ic .join { fill: #f7e1d3; stroke: #8a3b12 }
.ic .dot, .ic .epsilon { fill: #1c1f24; stroke: none } .ic .epsilon-name { fill: #fff }
.ic .frame { fill: #24527a; fill-opacity: 0.06; stroke: #24527a; stroke-width: 1.1 }
.ic .group { fill: none; stroke: #6b7280; stroke-width: 1; stroke-dasharray: 4 3 }
@media (prefers-color-scheme: dark) {
.ic text { fill: #e6e8eb } .ic .index { fill: #f0a67c } .ic .title { fill: #9cc4ec }
.ic .wire, .ic .stop, .ic .derived { stroke: #e6e8eb } .ic .core { stroke: #16181c }
.ic .mark { fill: #1f3850; stroke: #7fb0de } .ic .named { fill: #2a3a1b; stroke: #a3cd74 }
.ic .known { fill: #3b3420; stroke: #d8bd6a } .ic .pick, .ic .join { fill: #45291b; stroke: #f0a67c }
.ic .dot, .ic .epsilon { fill: #e6e8eb } .ic .epsilon-name { fill: #16181c }
.ic .frame { fill: #7fb0de; stroke: #7fb0de } .ic .group { stroke: #9aa2ad }
}
"""
"""The colours: their contrast with the page is above 4.5 in both, as the guidelines of the web (WCAG 2) ask of text."""


def svg(plate: Plate, title: str, description: str) -> str:
    """The picture as a document of its own, which may also stand in a page.

    >>> svg(Plate(10, 10), "A & B", "two tensors").count("&amp;")
    1
    """
    key = blake2b(f"{title}{description}".encode(), digest_size=4).hexdigest()
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ic" role="img" aria-labelledby="t{key} d{key}" '
        f'width="{_n(plate.width)}" height="{_n(plate.height)}" viewBox="0 0 {_n(plate.width)} {_n(plate.height)}">',
        f'<title id="t{key}">{escape(title)}</title>',
        f'<desc id="d{key}">{escape(description)}</desc>',
        f"<style>{STYLE}</style>",
    ]
    frames = [outline for outline in plate.outlines if outline.number]
    marks = [outline for outline in plate.outlines if not outline.number]
    lines += [_outline(frame) for frame in sorted(frames, key=lambda frame: len(frame.way))]
    for stroke in plate.strokes:
        lines += _stroke(stroke)
    lines += map(_outline, marks)
    bars = {(m.x + m.width / 2, m.y + m.height / 2 + 5) for m in marks if m.kind == "epsilon"}
    lines += [_label(label, (label.x, label.y) in bars) for label in plate.labels]
    return "\n".join([*lines, "</svg>\n"])


def _n(value: float) -> str:
    """A number, as short as a tenth of a pixel lets it be."""
    return f"{value:.1f}".removesuffix(".0")


def _outline(outline: Contour) -> str:
    kind, _, side = outline.kind.partition("-")
    if side:
        points = " ".join(f"{_n(x)},{_n(y)}" for x, y in corners(outline))
        return f'<polygon class="mark {kind}" points="{points}"/>'
    if kind == "dot":
        radius = outline.width / 2
        return f'<circle class="dot" cx="{_n(outline.x + radius)}" cy="{_n(outline.y + radius)}" r="{_n(radius)}"/>'
    kinds = kind if outline.number or kind == "epsilon" else f"mark {kind}"
    round_by = {"frame": 6.0, "group": 10.0, "epsilon": 2.0, "known": 3.0}.get(kind, min(outline.height / 2, 15))
    return (
        f'<rect class="{kinds}" x="{_n(outline.x)}" y="{_n(outline.y)}" width="{_n(outline.width)}" '
        f'height="{_n(outline.height)}" rx="{_n(round_by)}"/>'
    )


def corners(outline: Contour) -> Sequence[tuple[float, float]]:
    """The corners of what points to a side: a triangle of joined wires, a tap with room for a name.

    >>> corners(Contour("join-right", 0, 0, 16, 30))
    [(0, 0), (16, 15.0), (0, 30)]
    """
    kind, _, side = outline.kind.partition("-")
    x, y, width, height = outline[1:5]
    left, right, middle, low = x, x + width, y + height / 2, y + height
    tip = width if kind == "join" else 12
    if side == "none":
        return [(left, y), (right, y), (right, low), (left, low)]
    if side == "right":
        points = [(left, y), (right - tip, y), (right, middle), (right - tip, low), (left, low)]
    else:
        points = [(right, y), (left + tip, y), (left, middle), (left + tip, low), (right, low)]
    return list(dict.fromkeys(points))


def _stroke(stroke: Stroke) -> list[str]:
    """A wire; one of a derivative is two lines, as a broad one with another in the colour of the page upon it."""
    numbers = [f"{_n(x)} {_n(y)}" for x, y in stroke.points]
    path = f"M{numbers[0]}" + "".join(f"C{' '.join(numbers[k : k + 3])}" for k in range(1, len(numbers), 3))
    paths = [f'<path class="{stroke.style}" d="{path}"/>']
    return [*paths, f'<path class="core" d="{path}"/>'] if stroke.style == "derived" else paths


def _label(label: Label, on_bar: bool) -> str:
    anchor = f' text-anchor="{label.anchor}"' if label.anchor != "start" else ""
    kind = f"{label.style} epsilon-name" if on_bar else label.style
    return f'<text class="{kind}" x="{_n(label.x)}" y="{_n(label.y)}"{anchor}>{escape(label.text)}</text>'
