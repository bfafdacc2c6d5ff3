"""Plots, with matplotlib: the structure of a matrix, the memory of a program, a function with its derivatives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from indexcalc import later
from indexcalc.drawing.structure import STRUCTURES, BlockMatrix, block_matrix
from indexcalc.engine.bind.inputs import Numbers, symbols_below
from indexcalc.engine.measure import alive_entries
from indexcalc.engine.preflight import check_sizes
from indexcalc.engine.report import Plan
from indexcalc.errors import Asked, InputError, KindError, counted
from indexcalc.graph.node import Variable
from indexcalc.surface import public
from indexcalc.views.array import Array
from indexcalc.views.derivatives.differentiate import derivative
from indexcalc.views.view import View

COLOURS = {"zero": "#ffffff", "δ": "#2f6db5", "band": "#4f9d69", "dense": "#c9702f"}
"""The colour of each structure; what is 0 has that of the page."""
CURVES = ("#24527a", "#c9702f", "#4f9d69")
"""The colours of a function, its derivative, the second one."""
POINTS = 601
"""Points of a curve: more than it has pixels. An odd count, so that the middle is one."""
JUMP = 0.25
"""What rises by more from one point to the next, and hardly beside them, is a step: a smooth curve would be that steep
on both sides too."""
FARTHEST = 5.0
"""Where a curve ends: from there on the usual functions are straight, or have left the page."""


@public
@dataclass(frozen=True, slots=True, repr=False)
class Plot:
    """A plot: `.figure` is matplotlib's, `.save(path)` writes it, notebooks show it; `str` says what is on it."""

    told: str
    draw: Callable[[Any], None]

    @property
    def figure(self) -> Any:
        """The figure, made anew: what is changed in it changes no other."""
        try:
            made = import_module("matplotlib.figure").Figure(layout="constrained")
        except ImportError:
            raise InputError(self.told, "matplotlib is not installed", 'pip install "indexcalc[plot]"') from None
        self.draw(made)
        return made

    def save(self, path: str | PathLike[str]) -> None:
        """Write the plot to a file, in the format of its suffix: `.svg`, `.png`, `.pdf`, what matplotlib has."""
        figure = self.figure
        suffix = Path(path).suffix.lstrip(".") if isinstance(path, str | PathLike) else ""
        known = figure.canvas.get_supported_filetypes()
        if suffix not in known:
            raise KindError(f"save({path!r})", "no format of a plot", f"end in one of {', '.join(sorted(known))}")
        figure.savefig(path)

    def __str__(self) -> str:
        return self.told

    def __repr__(self) -> str:
        return self.told

    def _repr_png_(self) -> bytes:
        held = BytesIO()
        self.figure.savefig(held, format="png")
        return held.getvalue()


def plot(view: View, sizes: Mapping[str, int] | None, layout: str | None, named: Mapping[str, int]) -> Plot:
    """The structure of what has axes, at these sizes, or the curve of what depends on one number alone.

    >>> import indexcalc as ic
    >>> W, x = ic.tensor("W", "m n"), ic.tensor("x", "n")
    >>> ic.derivative(W @ x, W).plot(m=3, n=4)
    3 × 12, rows i=3, columns (j=3, k=4); blocks of 1 × 4: 6 zero, 3 dense
    """
    asked = Asked(lambda: f"plot of {view}")
    if (
        not (view.order or sizes or named)
        and layout is None
        and len(view.inputs) == 1
        and not next(iter(view.inputs)).order
    ):
        return _curves(view, next(iter(view.inputs)))
    twice = sorted((sizes or {}).keys() & named.keys())
    if twice:
        raise InputError(asked, f"{twice[0]} is given twice", "give it once")
    given = {**(sizes or {}), **named}
    check_sizes(asked, given, symbols_below([view.node, *view.inputs]), symbols_below([view.node]))
    found = block_matrix(view, layout, given, asked)
    return Plot(str(found), lambda figure: _draw_blocks(figure, found, layout))


def plan_plot(plan: Plan) -> Plot:
    """The entries that a program holds at each of its steps, its inputs apart.

    >>> import indexcalc as ic
    >>> A, x = ic.tensor("A", "n n"), ic.tensor("x", "n")
    >>> ic.compile(A @ (A @ x), (A, x), sizes={"n": 9}).plan.plot()
    4 steps, at most 18 entries at once beside the inputs
    """
    held = alive_entries(plan.program)
    most = counted(max(held, default=0), "entry")
    told = f"{len(held)} step{'s' * (len(held) != 1)}, at most {most} at once beside the inputs"
    return Plot(told, lambda figure: _draw_memory(figure, plan, held))


def _draw_blocks(figure: Any, found: BlockMatrix, layout: str | None) -> None:
    high, wide = found.block
    shown = np.zeros(found.pattern.shape, int)
    for r, row in enumerate(found.structures):
        for c, name in enumerate(row):
            place = slice(r * high, (r + 1) * high), slice(c * wide, (c + 1) * wide)
            shown[place] = STRUCTURES.index(name) * found.pattern[place]
    axes = figure.add_subplot()
    colours = import_module("matplotlib.colors").ListedColormap([COLOURS[name] for name in STRUCTURES])
    axes.imshow(shown, cmap=colours, vmin=-0.5, vmax=len(STRUCTURES) - 0.5, interpolation="nearest")
    for k in range(high, found.pattern.shape[0], high):
        axes.axhline(k - 0.5, color="#9aa2ad", linewidth=0.6)
    for k in range(wide, found.pattern.shape[1], wide):
        axes.axvline(k - 0.5, color="#9aa2ad", linewidth=0.6)
    axes.set_ylabel(found.rows)
    axes.set_xlabel(found.columns)
    axes.set_title(layout or "")
    axes.set_xticks([])
    axes.set_yticks([])
    patch = import_module("matplotlib.patches").Patch
    present = [name for k, name in enumerate(STRUCTURES) if (shown == k).any()]
    handles = [patch(facecolor=COLOURS[name], edgecolor="#9aa2ad", label=name) for name in present]
    figure.legend(handles=handles, loc="outside right upper", frameon=False)


def _draw_memory(figure: Any, plan: Plan, held: Sequence[int]) -> None:
    axes = figure.add_subplot()
    axes.step(range(len(held) + 1), [*held, held[-1] if held else 0], where="post", color=CURVES[0])
    axes.fill_between(range(len(held) + 1), [*held, held[-1] if held else 0], step="post", color=CURVES[0], alpha=0.2)
    axes.set_xticks([k + 0.5 for k in range(len(held))], [f"v{k}" for k in range(len(held))])
    axes.set_xlabel("step of the program")
    axes.set_ylabel("entries alive beside the inputs")
    axes.set_ylim(bottom=0)


def _curves(view: View, by: Variable) -> Plot:
    """A function of one number, and its first two derivatives, as far as it has them."""
    target, source = Array(by), Array(view.node, view.inputs)
    curves = [source, *(derivative(source, target, order=order) for order in (1, 2))]
    told = f"{view} and its first two derivatives by {by.label}"
    return Plot(told, lambda figure: _draw_curves(figure, curves, target))


def _draw_curves(figure: Any, curves: Sequence[Array], by: Array) -> None:
    axes = figure.add_subplot()
    points = np.linspace(-FARTHEST, FARTHEST, POINTS)
    names = (curves[0], "derivative", "second derivative")
    for name, numbers, colour in zip(names, traced(curves, by, points), CURVES, strict=True):
        axes.plot(points, numbers, color=colour, label=str(name))
    axes.axhline(0, color="#9aa2ad", linewidth=0.6)
    axes.set_xlabel(str(by))
    axes.set_ylim(-FARTHEST, FARTHEST)
    axes.legend(frameon=False)


def traced(curves: Sequence[Array], by: Array, points: Numbers) -> Numbers:
    """The values of functions of one number, a row each: none where the first has none, and none behind a jump.

    >>> import indexcalc as ic
    >>> s = ic.scalar("s")
    >>> traced([ic.step(s)], s, np.linspace(-2, 2, 5)), traced([ic.log(s), 1/s], s, np.array([-1.0, 1.0]))
    (array([[ 0.,  0.,  0., nan,  1.]]), array([[nan,  0.],
           [nan,  1.]]))
    """
    values = later.compile_expressions(curves, (by,))
    with np.errstate(all="ignore"):
        found = np.array([values(point) for point in points], float).T
    found[~np.isfinite(found)] = np.nan
    found[:, np.isnan(found[0])] = np.nan
    for row in found:
        rise = np.abs(np.diff(row))
        beside = np.pad(rise, 2)
        around = np.fmax(beside[:-4], beside[4:])  # two steps away: one may end at the point itself, as that of a sign
        ends = np.abs(np.stack([row[1:], row[:-1]])).max(axis=0)
        is_step = (rise > JUMP) & ~(rise <= 4 * around) & (ends <= FARTHEST)
        row[1:][is_step | ((rise > FARTHEST) & (row[1:] * row[:-1] < 0))] = np.nan
    return found
