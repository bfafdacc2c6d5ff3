"""The panel of a derivative: each convention on one line, and what else can be made of a tensor of order above 2."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from keyword import iskeyword
from typing import Any, NamedTuple

from indexcalc import later
from indexcalc.errors import LayoutError, did_you_mean
from indexcalc.graph.constructors import einsum, variable
from indexcalc.graph.node import Node
from indexcalc.index import Dimension, Index, index
from indexcalc.layout.conventions import CONVENTIONS
from indexcalc.simplify.passes import simplify
from indexcalc.surface import public
from indexcalc.views.array import Array
from indexcalc.views.derivatives.derivative import ArrayDerivative, Derivative, structure_notes
from indexcalc.views.derivatives.projection import (
    Layout,
    layout_of,
    numpy_of,
    parts_of,
)
from indexcalc.views.expr import Expr
from indexcalc.writing.html import code, paragraph, table
from indexcalc.writing.index.words import fresh_names, words
from indexcalc.writing.standing import OPPOSITE, ORIENTATIONS

LONGEST_SOURCE = 40
"""Characters of what was differentiated, in the heading; a longer expression is `...` there."""
WIDEST = 44
"""A formula that is wider than this stands on a line of its own."""


class Row(NamedTuple):
    """One line of a panel.

    `axes` says what its axes run over, `formula` is the text of `D.layout(name)`, `numpy` what makes its numbers from
    those of `D`; `shown` is the formula as the panel prints it. Where a convention holds no such derivative, `shape` is
    None, `reason` says why and `instead` what to write.
    """

    name: str
    shape: tuple[Dimension, ...] | None
    axes: str
    formula: str
    numpy: str
    shown: str
    latex: str = ""
    note: str = ""
    reason: str = ""
    instead: str = ""


@public
class Layouts:
    """The layouts of a derivative: iterate over its rows, take one by its name, print it, or show it in a notebook.

    `rows` has a line a convention. Where the derivative has more than two axes, `views` has its slices and what
    contracting it with dL/dY (for a Hessian: with a direction) gives.
    """

    def __init__(self, heading: Sequence[str], rows: Sequence[Row], views: Sequence[Row]) -> None:
        self.heading, self.rows, self.views = tuple(heading), tuple(rows), tuple(views)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> Row:
        for row in (*self.rows, *self.views):
            if isinstance(name, str) and row.name == name:
                return row
        known = [row.name for row in self]
        raise LayoutError(f"layouts()[{name!r}]", "no row of this name", did_you_mean(str(name), known))

    @property
    def held(self) -> tuple[Row, ...]:
        """The rows of the conventions that hold the derivative."""
        return tuple(row for row in self.rows if row.shape is not None)

    @property
    def refused(self) -> dict[str, list[str]]:
        """Why the others do not: each reason, and the names of the conventions."""
        found: dict[str, list[str]] = {}
        for row in self.rows:
            if row.shape is None:
                found.setdefault(row.reason, []).append(row.name)
        return found

    def table(self) -> str:
        """The rows as text, aligned."""
        lines = _aligned([("layout", "shape", "axes", "formula", "NumPy"), *map(_cells, self.held)])
        lines += [f"{', '.join(names)}: {reason}" for reason, names in self.refused.items()]
        if self.views:
            lines += ["", *_aligned([("view", "shape", "axes", "formula", "NumPy"), *map(_cells, self.views)])]
        return "\n".join(lines)

    def latex(self, *, environment: str = "aligned") -> str:
        r"""The layouts as lines of LaTeX, each with its name, in `aligned` or another environment: `align`, `align*`.

        >>> import indexcalc as ic
        >>> A, x = ic.tensor("A", "m n"), ic.tensor("x", "n")
        >>> print("".join(ic.derivative(A @ x, x).layouts().latex(environment="align*").splitlines()[:3]))
        \begin{align*}\text{numerator} &= A \\\text{denominator} &= A^{\mathsf{T}} \\
        """
        rows = [rf"\text{{{row.name}}} &= {row.latex}" for row in self.held]
        return later.aligned(rows, environment)

    def __str__(self) -> str:
        return "\n".join([*self.heading, "", self.table()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        parts = ["<div>", *map(paragraph, self.heading)]
        parts.append(table(map(_shown_cells, self.held), ("layout", "shape", "axes", "formula", "NumPy")))
        parts += [paragraph(f"{', '.join(names)}: {reason}") for reason, names in self.refused.items()]
        if self.views:
            parts.append(table(map(_shown_cells, self.views), ("view", "shape", "axes", "formula", "NumPy")))
        return "\n".join([*parts, "</div>"])


def _cells(row: Row) -> tuple[str, ...]:
    note = f"  ({row.note})" if row.note else ""
    return row.name, _shape(row), row.axes, row.shown, row.numpy + note


def _shape(row: Row) -> str:
    dims = ", ".join(map(str, row.shape or ()))
    return f"({dims},)" if len(row.shape or ()) == 1 else f"({dims})"


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    """Columns side by side; a formula that is too wide has the NumPy expression below it, and is written once."""
    first: dict[tuple[str, ...], str] = {}
    lines = [
        line if first.setdefault(tuple(line[1:]), line[0]) == line[0] or len(line[3]) <= WIDEST
        else (*line[:3], f"as {first[tuple(line[1:])]}", "")
        for line in lines
    ]  # fmt: skip
    wide = [max((len(line[k]) for line in lines if k < 3 or len(line[k]) <= WIDEST), default=0) for k in range(4)]
    text = []
    for line in lines:
        front = "  ".join(cell.ljust(width) for cell, width in zip(line[:3], wide, strict=False))
        if len(line[3]) > WIDEST:
            text += [f"{front}  {line[3]}", f"{' ' * len(front)}  {' ' * wide[3]}  {line[4]}".rstrip()]
        else:
            text.append(f"{front}  {line[3].ljust(wide[3])}  {line[4]}".rstrip())
    return text


def _shown_cells(row: Row) -> list[str]:
    """The cells of a row as HTML."""
    formula = f"$\\displaystyle {escape(row.latex)}$" if row.latex else code(row.shown)
    note = f" ({escape(row.note)})" if row.note else ""
    return [escape(row.name), escape(_shape(row)), escape(row.axes), formula, code(row.numpy) + note]


# ------------------------------------------------------------------ making it


def layouts(derivative: Derivative | ArrayDerivative, names: Iterable[str] = CONVENTIONS) -> Layouts:
    """The panel of a derivative, with these conventions.

    >>> import indexcalc as ic
    >>> A, x = ic.tensor("A", "m n"), ic.tensor("x", "n")
    >>> panel = ic.derivative(A @ x, x).layouts()
    >>> [(row.name, row.shape, row.formula, row.numpy) for row in panel if "ator" in row.name]
    [('numerator', (m, n), 'A', 'D'), ('denominator', (n, m), 'A.T', 'D.T')]
    """
    named = NamedDerivative(derivative)
    rows = [named.row(name) for name in names]
    views = named.views() if derivative.order > 2 else []
    return Layouts(named.heading(), rows, views)


class NamedDerivative:
    """A derivative with a name for each axis: its own indices, or for an Array the letters that its text has."""

    def __init__(self, derivative: Derivative | ArrayDerivative) -> None:
        self.derivative = derivative
        if isinstance(derivative, Derivative):
            self.names: dict[Any, str] = {index: index.name for index in derivative.indices}
        else:
            letters = fresh_names(words(derivative.node))
            self.names = {axis: next(letters) for axis in range(derivative.order)}
        self.of, *self.groups = parts_of(derivative)

    @property
    def axes(self) -> tuple[Any, ...]:
        """The axes in the order of the numbers."""
        return self.derivative.free if isinstance(self.derivative, Derivative) else tuple(self.names)

    def listed(self, axes: Iterable[Any], between: str = " ") -> str:
        """The names of axes."""
        return between.join(self.names[axis] for axis in axes)

    # -------------------------------------------------------------- the lines above

    def heading(self) -> list[str]:
        """What it is, what its axes are, and which derivative by a structured variable."""
        shown = self.derivative if isinstance(self.derivative, Derivative) else Array(*_plain(self.derivative))
        lines = [f"{self.fraction()} = {shown}"]
        parts = [f"{self.listed(self.of)} of {self.source('Y')}"] if self.of else []
        for group, target in zip(self.groups, self.derivative.targets, strict=True):
            parts += [f"{self.listed(group)} of {_name(target)}"] if group else []
        lines.append(f"D = D.evaluate(...) has {self.counted()}: {'; '.join(parts)}" if parts else "D is a number")
        lines += structure_notes(self.derivative)
        if self.derivative.order > 2 and self.row("numerator").shape is None:
            lines.append(f"No matrix holds it: it has {self.derivative.order} axes. These are views of the tensor.")
        if any(len(group) > 1 for group in (self.of, *self.groups)):
            lines.append("Where axes are joined, the last that is named runs fastest.")
        return lines

    def counted(self) -> str:
        """The axes, and how many."""
        numbered = self.axes if isinstance(self.derivative, ArrayDerivative) else ()
        numbers = f" (by number {' '.join(map(str, numbered))})" if len(numbered) > 1 else ""
        return f"{'axis' if len(self.axes) == 1 else 'axes'} {self.listed(self.axes)}{numbers}"

    def source(self, otherwise: str) -> str:
        """What was differentiated, if it is short."""
        text = "" if self.derivative.source is None else str(self.derivative.source)
        return text if text and len(text) <= LONGEST_SOURCE else otherwise

    def fraction(self) -> str:
        """The derivative as a fraction."""
        targets = self.derivative.targets
        top = "∂" if len(targets) < 2 else f"∂{_raised(len(targets))}"
        bottom = "".join(f"∂{target}" for target in targets)
        return f"{top}({self.source('...')})/{bottom}"

    # -------------------------------------------------------------- conventions

    def row(self, name: str) -> Row:
        """The line of a convention."""
        try:
            laid = layout_of(self.derivative, name)
        except LayoutError as error:
            return Row(name, None, "", "", "", "", reason=error.found, instead=error.instead)
        groups = [" ".join(self._group(axis) for axis in group) or "1" for group in laid.groups]
        axes = " × ".join(groups)
        if any(len(group) > 1 for group in laid.groups):
            axes += f", {CONVENTIONS[name].vec}"
        note = laid.note and f"dropped: {self.listed(self._dropped(laid))}, of dimension 1"
        numpy = numpy_of(self.derivative, laid)
        return Row(name, laid.shape, axes, str(laid), numpy, self._shown(laid), laid.latex(), note)

    def _shown(self, laid: Layout) -> str:
        """The text of a layout; of a tensor in index notation, with the indices that it has."""
        if isinstance(self.derivative, Derivative) and laid.order > 2 and laid.node == self.derivative.node:
            return f"{self.derivative} -> [{self.listed(self.axes, ',')}]"
        return str(laid)

    def _group(self, axis: Any) -> str:
        return "{" + self.listed(axis) + "}" if isinstance(axis, tuple) else self.names[axis]

    def _dropped(self, laid: Layout) -> list[Any]:
        kept = [axis for group in laid.groups for axis in group]
        return [axis for axis in self.axes if axis not in kept]

    # -------------------------------------------------------------- more than two axes

    def views(self) -> list[Row]:
        """The slices that one entry of the value, or of the variable, leaves, and what contracting gives."""
        *top, bottom = (self.of, *self.groups)
        above = tuple(axis for part in top for axis in part)
        found = []
        if above and bottom:
            found = [self.slice(above, bottom, True), self.slice(bottom, above, False)]
        if self.of and len(self.of) < len(self.axes):
            found.append(self.contracted(self.of, "G", "contracted with {} = dL/dY"))
        elif len(self.groups) > 1 and bottom:
            name = _name(self.derivative.targets[-1])
            found.append(self.contracted(bottom, f"d{name}", "contracted with {}"))
        return found

    def slice(self, kept: Sequence[Any], fixed: Sequence[Any], by_entry: bool) -> Row:
        """What is left where some axes have fixed values: a formula with an arrow to the axes that are left."""
        *before, last = self.derivative.targets
        value = "Y" if self.of else "f"
        if before:
            power = _raised(len(before)) if len(before) > 1 else ""
            value = f"(∂{power}{value}/{''.join(f'∂{_name(target)}' for target in before)})"
        at = f"[{self.listed(fixed, ',')}]"
        entry = str(last) if isinstance(self.derivative, Derivative) else f"{_name(last)}{at}"
        name = f"∂{value}/∂{entry}" if by_entry else f"∂{value}{at}/∂{_name(last)}"
        expr = self.expr()
        shape = tuple(expr.dim(index) for index in self._indices(kept))
        text = f"{expr} for each {self.listed(fixed, ', ')}"
        words = [self.names[axis] + "_" * iskeyword(self.names[axis]) if axis in fixed else ":" for axis in self.axes]
        picked = ", ".join(words)
        return Row(name, shape, " × ".join(self.names[axis] for axis in kept), text, f"D[{_shortened(picked)}]", text)

    def contracted(self, axes: Sequence[Any], name: str, title: str) -> Row:
        """The sum over these axes with a tensor that has them."""
        expr = self.expr()
        taken = {*words(expr.node), *self.names.values()}
        name = next(word for word in (name, *(f"{name}{k}" for k in range(1, 99))) if word not in taken)
        summed = self._indices(axes)
        other = variable(name, [expr.dim(index) for index in summed], (), latex="")
        left = [axis for axis in self.axes if axis not in axes or getattr(axis, "batch", False)]
        kept = self._indices(left)
        labels = [index.name for index in summed]
        (node,) = simplify([einsum(1, [(expr.node, expr.names), (other, labels)], [index.name for index in kept])])
        made = self._standing(node, name)
        letters = dict(zip(self.axes, "abcdefghopqrs", strict=False))
        spec = ["".join(letters[axis] for axis in group) for group in (axes, self.axes, left)]
        numpy = f'np.einsum("{spec[0]},{spec[1]}->{spec[2]}", {name}, D)'
        formula = made.formula()
        text = str(made) if formula.closed else str(Expr(node, kept))
        shape = tuple(expr.dim(index) for index in kept)
        listed = " × ".join(self.names[axis] for axis in left)
        return Row(title.format(name), shape, listed, text, numpy, text)

    def _standing(self, node: Node, name: str) -> Array:
        """An array whose vectors stand as those of the derivative; the one of this name as what was differentiated."""
        if isinstance(self.derivative, Expr) or self.derivative.vectors == "numpy":
            return Array(node, None, None, "column")
        vectors, source = self.derivative.vectors, self.derivative.source
        apart = source is not None and source.order == 1 and source.places == ORIENTATIONS[OPPOSITE[vectors]]
        return Array(node, None, None, vectors, self.derivative.turned | ({name} if apart else set()))

    def expr(self) -> Expr:
        """The derivative with its axes named."""
        if isinstance(self.derivative, Derivative):
            return self.derivative
        return Expr(self.derivative.node, self._indices(self.axes), self.derivative.inputs)

    def _indices(self, axes: Sequence[Any]) -> list[Index]:
        return [axis if isinstance(axis, Index) else index(self.names[axis]) for axis in axes]


def _plain(derivative: ArrayDerivative) -> tuple[Any, ...]:
    return derivative.node, derivative.inputs, derivative.places, derivative.vectors, derivative.turned


def _name(target: Any) -> str:
    """The name of a variable, without its indices."""
    return str(target.node.name)


def _raised(number: int) -> str:
    return "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)] for digit in str(number))


def _shortened(picked: str) -> str:
    """An index without the whole axes at its end."""
    while picked.endswith(", :"):
        picked = picked[:-3]
    return picked
