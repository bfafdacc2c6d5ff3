"""What a program does, as a table that a person can check."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from string import ascii_letters

from indexcalc import later
from indexcalc.engine import program as steps
from indexcalc.engine.measure import is_view, total_flops
from indexcalc.engine.program import Program, Step, flops
from indexcalc.errors import counted
from indexcalc.surface import public
from indexcalc.writing.html import code, paragraph, table
from indexcalc.writing.slices import bracketed

HEAD = ("value", "step", "shape", "kernel", "FLOPs")
"""The titles of the columns of a plan."""


@public
@dataclass(frozen=True, slots=True)
class Plan:
    """A program, the kernel of each step, and what it takes.

    That is the most bytes that are alive at once beside the inputs, and notes.
    """

    program: Program
    kernels: tuple[str, ...]
    peak_bytes: int
    notes: tuple[str, ...]

    @property
    def flops(self) -> int:
        """Floating-point operations."""
        return total_flops(self.program)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps that compute, in order."""
        return tuple(s for s in self.program.steps if not isinstance(s, steps.Input | steps.Known | steps.Fill))

    def plot(self) -> later.Plot:
        """The entries that are alive at each step, inputs apart; `.figure`, `.save(path)`. It takes matplotlib."""
        return later.plan_plot(self)

    def __str__(self) -> str:
        rows: list[tuple[str, ...]] = [HEAD, *self._rows()]
        widths = [max(len(row[k]) for row in rows) for k in range(5)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([*lines, "", *(f"{name:<9}{text}" for name, text in self._totals())])

    def _rows(self) -> list[tuple[str, ...]]:
        """A row for each step."""
        rows: list[tuple[str, ...]] = []
        for number, step in enumerate(self.program.steps):
            kernel = "view" if is_view(step) else self.kernels[number]
            rows.append((f"v{number}", _shown(step), _shape(step.shape), kernel, f"{flops(step):,}"))
        return rows

    def _totals(self) -> list[tuple[str, str]]:
        """What is said of all steps, each with its name."""
        results = ", ".join(f"v{value}" for value in self.program.results)
        total = f"{counted(self.flops, 'FLOP')}, at most {counted(self.peak_bytes, 'byte')} at once beside the inputs"
        return [("results", results), ("total", total), *(("note", note) for note in self.notes)]

    def _repr_html_(self) -> str:
        rows = [[code(cell) for cell in row[:2]] + [escape(cell) for cell in row[2:]] for row in self._rows()]
        return "\n".join([table(rows, HEAD), *(paragraph(f"{name}: {text}") for name, text in self._totals())])

    def __repr__(self) -> str:
        return str(self)


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "number"


def _shown(step: Step) -> str:
    """A step in words: `v0[ab]*v1[bc] -> [ac]`."""
    uses = [f"v{use.value}[{''.join(ascii_letters[x] for x in use.labels)}]" for use in step.uses]
    match step:
        case steps.Input():
            return f"input {step.name}"
        case steps.Known():
            return f"constant {step.name}"
        case steps.Fill():
            return f"number {step.number}"
        case steps.Contract():
            scale = "" if step.coef == 1 else f"{step.coef}*"
            return f"{scale}{'*'.join(uses)} -> [{''.join(ascii_letters[x] for x in step.out)}]"
        case steps.Map():
            return f"{uses[0]} ** {step.params[0]}" if step.fn == "**" else f"{step.fn}({', '.join(uses)})"
        case steps.Add():
            terms = []
            for part, use in zip(step.parts, uses, strict=True):
                scale = "" if part.coef == 1 else f"{part.coef}*"
                terms.append(
                    f"{scale}{use} on [{''.join(ascii_letters[x] for x in part.places)}]{bracketed(part.ranges)}"
                )
            return " + ".join(terms)
        case steps.Reduce():
            return f"{step.fn}({uses[0]}, axes {', '.join(map(str, step.axes))})"
        case steps.Apply():
            return f"{step.node.name}({', '.join(uses)})"
        case steps.Solve():
            return f"solve({', '.join(uses)})"
        case steps.Reshape():
            return f"reshape({uses[0]})"
        case steps.Cut():
            return f"v{step.uses[0].value}{bracketed(step.ranges, step.gone)}"
        case steps.Gather() | steps.Scatter():
            verb = "at" if isinstance(step, steps.Gather) else "added at"
            places = ", ".join(f"{use} of {n}" for use, n in zip(uses[1:], step.sizes, strict=True))
            return f"{uses[0]} {verb} {places} -> [{''.join(ascii_letters[x] for x in step.out)}]"
        case steps.Windows():
            near = "".join(ascii_letters[x] for x in step.window.near)
            return f"windows of {uses[0]} along {ascii_letters[step.along]} by {near}"
        case steps.Invoke():
            return f"{step.title}({', '.join(uses)})"
