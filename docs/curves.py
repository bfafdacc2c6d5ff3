"""Draw the functions of one number with their first two derivatives: `python docs/curves.py`, after adding a row.

It writes `docs/functions.svg`, the picture on the page of functions. matplotlib is not needed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

import numpy as np

import indexcalc as ic
from indexcalc.drawing.plots import traced
from indexcalc.functions.table import ELEMENTWISE

PICTURE = Path(__file__).with_name("functions.svg")
ENDS = 4.0
"""Where a curve and its page end: beyond it the usual functions are straight, or gone."""
POINTS = 129
"""Points of a curve: one a pixel. An odd count, so that the middle is one."""
SIDE, GAP, HEAD = 128, 22, 26
"""Pixels: of a square in which a function is drawn, between squares, and of the line above all."""
ACROSS = 6
"""Squares in a row: as many as a page of the docs has room for."""
KINDS = ("function", "derivative", "second")
STYLE = """
text { font: 12px "STIX Two Text", Cambria, Georgia, serif; fill: #1c1f24 }
.page { fill: none; stroke: #b9c0c9 } .axis { stroke: #b9c0c9 } polyline { fill: none; stroke-width: 1.5 }
.function { stroke: #24527a } .derivative { stroke: #c9702f } .second { stroke: #4f9d69; stroke-dasharray: 4 2 }
@media (prefers-color-scheme: dark) {
text { fill: #e6e8eb } .page, .axis { stroke: #565d66 } .function { stroke: #7fb0de } .derivative { stroke: #f0a67c }
.second { stroke: #8fce9f }
}
"""


def curves(name: str) -> np.ndarray:
    """A function, its derivative, and the second one, a row each."""
    s = ic.scalar("s")
    f = getattr(ic, name)(s)
    made = [f, ic.derivative(f, s), ic.derivative(f, s, order=2)]
    return traced(made, s, np.linspace(-ENDS, ENDS, POINTS))


def pieces(values: Sequence[float]) -> Iterator[list[tuple[float, float]]]:
    """The connected pieces of a curve in pixels, as far as they can be seen, and a step beyond."""
    run: list[tuple[float, float]] = []
    for x, value in zip(np.linspace(0, SIDE, POINTS), values, strict=True):
        if abs(value) <= 2 * ENDS:
            run.append((x, SIDE * (ENDS - value) / (2 * ENDS)))
        elif run:
            yield run
            run = []
    yield run


def square(name: str, left: float, top: float) -> list[str]:
    """A function with its name above, its axes, and three curves."""
    middle = SIDE / 2
    lines = [f'<g transform="translate({left} {top})"><text y="-5">{escape(name)}</text>']
    lines.append(f'<path class="axis" d="M0 {middle}H{SIDE}M{middle} 0V{SIDE}"/>')
    lines.append(f'<rect class="page" width="{SIDE}" height="{SIDE}"/>')
    lines.append('<g clip-path="url(#page)">')
    for kind, values in zip(KINDS, curves(name), strict=True):
        for run in pieces(values):
            if len(run) > 1:
                points = " ".join(f"{x:.0f},{y:.1f}".replace(".0", "") for x, y in run)
                lines.append(f'<polyline class="{kind}" points="{points}"/>')
    return [*lines, "</g></g>"]


def picture() -> str:
    """All functions of one number in the table, as a document."""
    names = [name for name, row in ELEMENTWISE.items() if row.arity == 1 and not row.params]
    rows = -(-len(names) // ACROSS)
    width, height = ACROSS * (SIDE + GAP) - GAP + 4, HEAD + rows * (SIDE + GAP)
    told = f"{len(names)} functions of one number, each with its first two derivatives, from {-ENDS:g} to {ENDS:g}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="t d" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">',
        f'<title id="t">{told}</title>',
        f'<desc id="d">{", ".join(names)}</desc>',
        f"<style>{STYLE}</style>",
        f'<clipPath id="page"><rect width="{SIDE}" height="{SIDE}"/></clipPath>',
    ]
    for k, (kind, said) in enumerate(zip(KINDS, ("the function", "its derivative", "the second one"), strict=True)):
        lines.append(f'<polyline class="{kind}" points="{2 + 130 * k},12 {26 + 130 * k},12"/>')
        lines.append(f'<text x="{32 + 130 * k}" y="16">{said}</text>')
    for k, name in enumerate(names):
        lines += square(name, 2 + k % ACROSS * (SIDE + GAP), HEAD + GAP - 4 + k // ACROSS * (SIDE + GAP))
    return "\n".join([*lines, "</svg>\n"])


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    PICTURE.write_text(picture(), "utf-8")
