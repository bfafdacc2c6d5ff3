"""A program as source: lines that a person would write, for each of the libraries in `targets`.

Each value is an expression; one that is read once and is short stands where it is read, the others get a name. Sizes
are numbers, or the text that `sizes` has for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from indexcalc.engine.bind.constants import known_code
from indexcalc.engine.emit.source.chosen import choose
from indexcalc.engine.emit.source.functions import apply, map_entries, reduce, solve
from indexcalc.engine.emit.source.pairwise import contract
from indexcalc.engine.emit.source.parts import part
from indexcalc.engine.emit.source.python_text import ATOM, SUM, PythonText, level_of, number
from indexcalc.engine.emit.source.sums import add
from indexcalc.engine.emit.source.windows import windows
from indexcalc.engine.emit.source.writer import Writer
from indexcalc.engine.measure import is_view
from indexcalc.engine.program import (
    Add,
    Apply,
    Contract,
    Cut,
    Fill,
    Gather,
    Input,
    Invoke,
    Known,
    Map,
    Reduce,
    Reshape,
    Scatter,
    Solve,
    Windows,
    chooses_alone,
)
from indexcalc.index import Dim


def write_lines(writer: Writer) -> list[str]:
    """Writes all lines of a program; gives the expressions of its results, each an array of its own."""
    for step in writer.program.steps:
        writer.begin()
        writer.end(WRITERS[type(step)](writer, step))
    taken: set[int] = set()
    return [_result(writer, value, taken) for value in writer.program.results]


def _result(writer: Writer, value: int, taken: set[int]) -> str:
    text, root = writer.values[value], value
    while is_view(step := writer.program.steps[root]) or isinstance(step, Reshape):
        root = writer.program.steps[root].uses[0].value
    given = isinstance(writer.program.steps[root], Input) or root in taken
    taken.add(root)
    if text.static:
        return writer.array(text)
    return f"{text.at(ATOM)}{writer.target.copy}" if given and writer.target.copy else text.code


def _input(writer: Writer, step: Input) -> PythonText:
    """The array that is given; integers that do more than to choose entries are made numbers."""
    name = writer.names[step.name]
    if not step.whole or chooses_alone(writer.program, len(writer.values)):
        return PythonText(name)
    return PythonText(
        f"{name}.to({writer.like})" if writer.module == "torch" else f"{writer.module}.asarray({name}, {writer.like})"
    )


def _known(writer: Writer, step: Known) -> PythonText:
    """A constant; a dimension is a number."""
    if step.name == "size":
        (dim,) = step.params
        return PythonText(writer.dims[dim], level_of(writer.dims[dim]), True)
    if step.name == "pi":
        return PythonText("math.pi", ATOM, True)
    params = tuple(writer.dimension(value) if isinstance(value, Dim) else value for value in step.params)
    expression, helper = known_code(step.name, [writer.size(n) for n in step.shape], params)
    text = writer.with_helper(expression, helper)
    if writer.module == "np":
        return PythonText(f"{text}.astype({writer.like})")
    return PythonText(f"{writer.module}.as{'_tensor' if writer.module == 'torch' else 'array'}({text}, {writer.like})")


def _fill(writer: Writer, step: Fill) -> PythonText:
    """One number in every entry; without axes it is just the number."""
    made = number(step.number)
    if not step.shape:
        return made
    return PythonText(f"{writer.module}.full({writer.shape(step.shape)}, {made.code}, {writer.like})")


def _reshape(writer: Writer, step: Reshape) -> PythonText:
    """Axes split, put in order, and joined."""
    (use,) = step.uses
    text, whole = writer.values[use.value], writer.program.steps[use.value].shape
    split = text if step.split == whole else PythonText(f"{text.at(ATOM)}.reshape({writer.shape(step.split)})")
    turned = writer.permuted(split, step.axes)
    if [step.split[axis] for axis in step.axes] == list(step.shape):
        return turned
    return PythonText(f"{turned.at(ATOM)}.reshape({writer.shape(step.shape)})")


def _invoke(writer: Writer, step: Invoke) -> PythonText:
    """A function that is given, or the array of a named gradient."""
    name, args = writer.names[step.title], ", ".join(writer.values[use.value].code for use in step.uses)
    writer.kernel = "call"
    called = writer.target.mapped(name, step.mapped, step.samples) if step.mapped else name
    if step.array_will_do:
        return PythonText(f"{called}({args}) if callable({name}) else {name}", SUM - 1)
    return PythonText(f"{called}({args})")


WRITERS: dict[type[Any], Callable[[Writer, Any], PythonText]] = {
    Input: _input,
    Known: _known,
    Fill: _fill,
    Contract: contract,
    Map: map_entries,
    Add: add,
    Reduce: reduce,
    Apply: apply,
    Solve: solve,
    Reshape: _reshape,
    Invoke: _invoke,
    Cut: part,
    Gather: choose,
    Scatter: choose,
    Windows: windows,
}
