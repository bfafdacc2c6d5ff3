"""NumPy's lines as source: the kernels and buffers that run for given sizes, written for any.

Each step is written by the row that writes it where it runs, with names in place of numbers and sizes as texts. What
runs by an object that is bound to a name (functions of matrices, integers that choose entries, constants) is written
by its row of the table of source.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from indexcalc.engine.emit.extents import Extent, with_texts
from indexcalc.engine.emit.numpy.function import SPACE, Stored
from indexcalc.engine.emit.numpy.lines import Guard, NumpyLines, parameter
from indexcalc.engine.emit.numpy.matrices import of_small_matrices
from indexcalc.engine.emit.numpy_code import results, write
from indexcalc.engine.emit.source.python_text import ATOM, PythonText
from indexcalc.engine.emit.source.writer import Writer
from indexcalc.engine.emit.source_code import WRITERS
from indexcalc.engine.program import Add, Contract, Cut, Map, Program, Reduce, Reshape, Solve, Windows
from indexcalc.functions.code.text import definitions, helpers
from indexcalc.functions.inverse import LARGE
from indexcalc.functions.table import ElementwiseFunction, ReductionFunction, reduction_row
from indexcalc.graph.node import Labels
from indexcalc.graph.numbers import Number
from indexcalc.index import Dimension

ALIKE = '''def alike(*arrays):
    """The arrays as real numbers of one precision; integers as float64."""
    dtype = np.result_type(*arrays, np.float32)
    if dtype.kind != "f":
        raise TypeError(f"this is written for real numbers, and an array has {dtype}")
    return [np.asarray(array, dtype) for array in arrays]'''
WORDS = {"a": "one", "b": "other", "d": "part", "e": "dets", "k": "cofactors", "l": "left", "p": "piece", "r": "right",
         "s": "stored"}  # fmt: skip
"""What the names beside that of a value say, by the letters that they have where lines run."""
OWN = (Contract, Map, Add, Reduce, Solve, Reshape, Cut)
"""The steps that are written as they run."""
CALLED = re.compile(rf"(?<![\w.])({'|'.join([*SPACE, 'array'])})\(")


def has_lines(program: Program) -> bool:
    """Can the lines that run be written? Those of windows are views by strides, which no row has."""
    return not any(isinstance(step, Windows) for step in program.steps)


def write_buffered(writer: Writer) -> list[str]:
    """Writes all lines of a program; gives the expressions of its results, each an array of its own."""
    lines = SourceLines(writer)
    for number in range(len(writer.program.steps)):
        if number in lines.at_once.skipped:
            writer.values.append(PythonText(""))
            writer.kernels.append("at once")
        else:
            lines.begin(number)
            lines.write()
            lines.end()
            writer.kernels.append(lines.kernel)
    made = [
        writer.array(writer.values[value]) if writer.values[value].static else CALLED.sub(r"np.\1(", code)
        for value, code in zip(writer.program.results, results(lines), strict=True)
    ]
    return lines.named(made)


def alike_lines(writer: Writer, arrays: Sequence[str]) -> list[str]:
    """The lines that make numbers of one precision of arrays that are not float64; integers would be written over."""
    if not arrays:
        return []
    kinds, listed = " + ".join(f"{x}.dtype.char" for x in arrays), ", ".join(arrays)
    call = writer.with_helper(f"alike({listed})", ALIKE)
    left = listed if len(arrays) > 1 else f"({listed},)"
    return [f'if {kinds} != "{"d" * len(arrays)}":', f"    {left} = {call}"]


class SourceLines(NumpyLines):
    """Lines that are printed. `writer` has the names, the texts of sizes, and the functions above the lines."""

    def __init__(self, writer: Writer) -> None:
        self.writer, self.prefix = writer, "_"
        while any(name.startswith(self.prefix) for name in writer.free.taken):
            self.prefix += "_"
        super().__init__(with_texts(writer.program, writer.sizes), writer.names, np.float64)
        self.lines = writer.lines

    def write(self) -> None:
        """The lines of the step at hand, and its value as an expression."""
        step, before = self.step, len(self.lines)
        values = self.writer.values
        static = not step.shape and all(values[use.value].static for use in step.uses)
        whole = isinstance(step, Reduce) and reduction_row(step.fn).axes == 2 and not of_small_matrices(self, step)
        at_once = self.number in self.at_once.slopes or self.number in self.at_once.groups
        if not at_once and (static or whole or not isinstance(step, OWN)):
            self.writer.begin()
            text: PythonText = WRITERS[type(step)](self.writer, self.writer.program.steps[self.number])
            if text.static or text.code.isidentifier():
                self.writer.end(text)
                self.writer.kernels.pop()
                axes = tuple(range(len(step.shape)))
                self.buffers.keep(Stored(values[-1].at(ATOM), axes, True, None))
                return
            self.kernel, axes = self.writer.kernel, tuple(range(len(step.shape)))
            self.put(self._inverse(step) or text.code, axes, axes)
        else:
            write(self)
            self.lines[before:] = [CALLED.sub(r"np.\1(", line) for line in self.lines[before:]]
        own = f"{self.name} = "
        for place in range(before, len(self.lines)):
            if step.shape and self.lines[place].startswith(own):
                stored = tuple(step.shape[axis] for axis in self.buffers.stored[self.number].order)
                self.lines[place] += f"  # {stored}"
                break
        values.append(PythonText(self.logical(self.number)))

    def _inverse(self, step: Any) -> str:
        """The inverse of one large matrix from its factors, which is what runs; "" for any other step."""
        if not isinstance(step, Reduce) or len(step.shape) != 2 or step.shape[0] < LARGE:
            return ""
        function = reduction_row(step.fn).together
        return f"{self.helper(function)}({self.logical(step.uses[0].value)}, ({step.fn!r},))[0]" if function else ""

    def named(self, texts: Sequence[str]) -> list[str]:
        """These expressions, and the lines, with names that are free for those of steps."""
        names: dict[str, str] = {}

        def name(found: re.Match[str]) -> str:
            letter, number = found[1], found[2]
            if found[0] not in names:
                if letter == "v":
                    names[found[0]] = self.writer.free.temporary()
                elif letter in WORDS:
                    value = name(own) if (own := place.match(f"{self.prefix}v{number}")) else ""
                    names[found[0]] = self.writer.free.fresh(f"{WORDS[letter]}_{value}")
                else:
                    names[found[0]] = self.writer.free.fresh("ijklmnop"[int(number) % 8])
            return names[found[0]]

        place = re.compile(rf"\b{self.prefix}([a-z])(\d+)\b")
        texts = self._without_aliases(texts)
        self.lines[:] = [place.sub(name, line) for line in self.lines]
        return [place.sub(name, text) for text in texts]

    def _without_aliases(self, texts: Sequence[str]) -> list[str]:
        """The expressions, and the lines: a buffer that is written over keeps its name."""
        alias = re.compile(rf"({self.prefix}v\d+) = (?:({self.prefix}v\d+)|(.*, out=({self.prefix}v\d+)\)))(  #.*)?")
        own = re.compile(rf"\b{self.prefix}v\d+\b")
        later = re.compile(rf"\b{self.prefix}w(?=\d+\b)")  # values that were made at once with another one
        gone: dict[str, str] = {}
        kept: list[str] = []
        made: list[str] = []
        for line in self.lines:
            if line.startswith(f"del {self.prefix}w"):
                continue
            line = own.sub(lambda found: gone.get(found[0], found[0]), later.sub(f"{self.prefix}v", line))
            if found := alias.fullmatch(line):
                name, over = found[1], found[2] or found[4]
                if name != over:
                    gone[name] = over
                    kept.append(over)
                if found[3]:
                    made.append(f"{found[3]}{found[5] or ''}")
                continue
            dead = line[4:].split(", ") if line.startswith("del ") else []
            left = [name for name in dead if name not in kept]
            kept = [name for name in kept if name not in dead]
            if left != dead:
                line = f"del {', '.join(left)}" if left else ""
            made += [line] if line else []
        self.lines[:] = made
        return [own.sub(lambda found: gone.get(found[0], found[0]), text) for text in texts]

    def shares(self, function: Callable[..., Any]) -> bool:
        """Has the function a text?"""
        return function.__name__ in definitions("numpy")

    # -------------------------------------------------------------- names

    def local(self, stem: str, number: int | None = None) -> str:
        """A name that is the step's own, to be replaced."""
        return self.prefix + super().local(stem, number)

    def dimension(self, value: Dimension) -> str:
        """A dimension by the names of its symbols."""
        return self.writer.dimension(value)

    def fixed(self, size: int) -> bool:
        """Is it the same for all sizes of symbols?"""
        return not isinstance(size, Extent)

    @property
    def kind(self) -> str:
        """The name of the dtype of the inputs."""
        return self.writer.like

    def ones(self, size: int) -> str:
        """A vector of ones."""
        return f"np.ones({size}, {self.kind})"

    def places(self, shape: Sequence[int]) -> str:
        """The places of all entries of an array."""
        return f"np.ndindex({', '.join(map(str, shape))})"

    # -------------------------------------------------------------- functions

    def entries(self, row: ElementwiseFunction, args: Sequence[str], params: Sequence[Number]) -> str:
        """A function of entries, by its row."""
        if getattr(np, getattr(row.numpy, "__name__", ""), None) is row.numpy:
            return f"{row.numpy.__name__}({', '.join([*args, *map(parameter, params)])})"
        return self.writer.called(row, [PythonText(x) for x in args], [], params).code

    def along(
        self,
        row: ReductionFunction,
        function: Callable[..., Any],
        x: str,
        axes: Labels,
        params: Sequence[Number],
        over: str,
    ) -> str:
        """A function along axes of an array, as they are stored."""
        code = self.writer.called(row, [PythonText(x)], [str(axes)], params).code
        return f"{code[:-1]}{over})" if over else code

    def writes_over(self, row: ElementwiseFunction, code: str) -> bool:
        """Is it a call that takes `out`?"""
        return super().writes_over(row, code) and (isinstance(row.numpy, np.ufunc) or code.startswith("np.maximum("))

    def helper(self, function: Callable[..., Any], guard: Guard | None = None) -> str:
        """The name of a function that stands above the lines."""
        made = helpers([function.__name__], "numpy", self.writer.free.taken)
        self.writer.free.helpers.update(made.texts)
        return made.renamed[function.__name__]

    def solver(self, guard: Guard) -> str:
        """NumPy's own."""
        return "np.linalg.solve"

    def bound(self, stem: str, value: Any) -> str:
        """Nothing is bound to a name in a text."""
        raise AssertionError(stem)
