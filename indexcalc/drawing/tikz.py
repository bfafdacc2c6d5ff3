"""Plates as TikZ: a `tikzpicture` for a page of LaTeX that loads `tikz`, `amsmath` and `amssymb`."""

from __future__ import annotations

from indexcalc.drawing.plates import Contour, Label, Plate, Stroke
from indexcalc.drawing.svg import corners
from indexcalc.writing.signs import math, prose

STYLES = {
    "wire": "draw", "stop": "draw, thick", "derived": "draw, double, double distance=1.4pt",
    "tensor": "draw, fill=blue!8", "named": "draw, fill=green!10",
    "known": "draw, fill=yellow!15", "pick": "draw, fill=orange!18", "join": "draw, fill=orange!18",
    "dot": "fill=black", "epsilon": "draw, fill=black!12", "frame": "draw, fill=blue!3", "group": "draw, dashed",
}  # fmt: skip
"""How each kind is drawn."""
ANCHORS = {"start": "west", "middle": "center", "end": "east"}


def tikz(plate: Plate) -> str:
    r"""The picture as a `tikzpicture`, a pixel being three quarters of a point.

    >>> print(tikz(Plate(9, 9, (), (), (Label(1, 2, "Wᵀ"),))))
    \begin{tikzpicture}[x=0.75pt, y=-0.75pt]
    \node[anchor=center, inner sep=0pt] at (1, -2.9) {$W^{\top}$};
    \end{tikzpicture}
    <BLANKLINE>
    """
    frames = sorted((o for o in plate.outlines if o.number), key=lambda outline: len(outline.way))
    lines = [_outline(frame) for frame in frames]
    lines += map(_stroke, plate.strokes)
    lines += [_outline(outline) for outline in plate.outlines if not outline.number]
    lines += map(_label, plate.labels)
    return "\n".join([r"\begin{tikzpicture}[x=0.75pt, y=-0.75pt]", *lines, "\\end{tikzpicture}\n"])


def _at(x: float, y: float) -> str:
    return f"({x:.4g}, {y:.4g})" if max(abs(x), abs(y)) < 1000 else f"({x:.1f}, {y:.1f})"


def _outline(outline: Contour) -> str:
    kind, _, side = outline.kind.partition("-")
    x, y, right, low = outline.x, outline.y, outline.x + outline.width, outline.y + outline.height
    if side:
        return rf"\path[{STYLES[kind]}] {' -- '.join(_at(*corner) for corner in corners(outline))} -- cycle;"
    if kind == "dot":
        return (
            rf"\path[{STYLES[kind]}] {_at((x + right) / 2, (y + low) / 2)} circle[radius={0.375 * outline.width:g}pt];"
        )
    rounded = {"frame": "4pt", "group": "6pt", "epsilon": "1pt", "known": "2pt"}.get(kind, "10pt")
    return rf"\path[{STYLES[kind]}, rounded corners={rounded}] {_at(x, y)} rectangle {_at(right, low)};"


def _stroke(stroke: Stroke) -> str:
    points = stroke.points
    curves = [
        f".. controls {_at(*a)} and {_at(*b)} .. {_at(*c)}"
        for a, b, c in zip(points[1::3], points[2::3], points[3::3], strict=True)
    ]
    return rf"\path[{STYLES[stroke.style]}] {_at(*points[0])} {' '.join(curves)};"


def _label(label: Label) -> str:
    size = "" if label.style in ("name", "text") else r"\scriptsize "
    text = size + (prose(label.text) if " " in label.text else f"${math(label.text)}$")
    place = _at(label.x, label.y - 0.35 * label.size)
    return rf"\node[anchor={ANCHORS[label.anchor]}, inner sep=0pt] at {place} {{{text}}};"
