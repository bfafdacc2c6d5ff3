"""What the source of a program is written with: values as expressions, names that are free, lines, shapes and axes."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from indexcalc.engine.emit.patterns import complex_values
from indexcalc.engine.emit.source.python_text import ATOM, PythonText, bare, broken, level_of, number
from indexcalc.engine.emit.source.targets import Target
from indexcalc.engine.emit.symbols import dimension_code
from indexcalc.engine.program import Add, Input, Invoke, Program, Use, readers
from indexcalc.functions.code.text import free_name, write
from indexcalc.index import Dimension

LETTERS = "ijklmnopqrstuvwxyzabcdefghABCDEFGHIJKLMNOPQRSTUVWXYZ"
SHORT = 44
"""Characters: an expression of so many at most may stand within another one, and a line stays readable."""
BRIEF = 12
"""Characters: a Python number of so many at most is written wherever it is read."""
WIDE = 104
"""Characters: a longer line is broken; with indentation and the shape as a comment this is about 120."""
RESERVED = {*keyword.kwlist, "np", "jnp", "jax", "torch", "math", "scipy", "dtype", "like", "min"}
"""Names that the lines use."""


class SourceNames:
    """The names in a module that are `taken`, and the functions that stand above the lines, by their names there."""

    def __init__(self, module: str, taken: Collection[str]) -> None:
        self.module, self.taken, self.count = module, {*taken, *RESERVED}, 0
        self.helpers: dict[str, str] = {}

    def fresh(self, stem: str) -> str:
        """A name that was free, and is taken from here on.

        >>> names = SourceNames("np", ["x"])
        >>> names.fresh("x"), names.fresh("x")
        ('x_', 'x__')
        """
        name = free_name(stem, self.taken)
        self.taken.add(name)
        return name

    def temporary(self) -> str:
        """A name for a value."""
        self.count += 1
        return self.fresh(f"t{self.count}")

    def helper(self, text: str) -> str:
        """A function that stands above the lines; gives its name there, the same for one that is there already."""
        own = re.match(r"def (\w+)", text)
        assert own is not None
        name = free_name(own[1], self.taken)
        self.helpers[name] = re.sub(rf"\b{own[1]}\b", name, text.strip().replace("{np}", self.module))
        return name


class Writer:
    """The lines of a program, and its `values`, each an expression or a name.

    `names` has the names of inputs and functions in the lines, `symbols` those of symbols, `dims` the text of each
    dimension that has a size, and `sizes` that of each size; other sizes are numbers. `taken` are names that are not
    free. `complex_inputs` are the inputs that are complex where others are real. Steps are taken in order: `begin()`,
    then `end` with what the step is; `kernels` has the kernel that each was written with. `typed` says that lines use
    the dtype of the inputs. `indices` may have names for the labels of each step.
    """

    def __init__(
        self,
        program: Program,
        target: Target,
        names: Mapping[str, str],
        dims: Mapping[Dimension, str] | None = None,
        sizes: Mapping[int, str] | None = None,
        taken: Collection[str] = (),
        complex_inputs: Collection[str] = (),
        symbols: Mapping[str, str] | None = None,
    ) -> None:
        self.symbols = symbols or {}
        self.program, self.target, self.names, self.dims, self.sizes = program, target, names, dims or {}, sizes or {}
        self.module = target.module
        self.free = SourceNames(target.module, {*taken, *names.values()})
        self.complex = complex_values(program, complex_inputs or None)
        self.sources, self.readers = sources(program), readers(program)
        self.typed, self.kernel = False, ""
        self.indices: list[dict[int, str]] = [{} for _ in program.steps]
        self.lines: list[str] = []
        self.kernels: list[str] = []
        self.values: list[PythonText] = []

    def begin(self) -> None:
        """The next step."""
        self.kernel = ""

    def end(self, text: PythonText) -> None:
        """The step is this expression, which gets a name unless it may stand within another one."""
        value = len(self.values)
        self.values.append(text)
        simple = text.plain or (len(text.code) <= BRIEF and text.static)
        if not simple and (self.readers[value] > 1 or len(text.code) > SHORT):
            self.named(value)
        self.kernels.append(self.kernel)

    # -------------------------------------------------------------- lines

    def named(self, value: int) -> PythonText:
        """The value under a name."""
        text = self.values[value]
        if not text.code.isidentifier():
            name = self.free.temporary()
            self.assign(name, text.code, self.program.steps[value].shape)
            text = self.values[value] = PythonText(name, ATOM, text.static)
        return text

    def assign(self, name: str, code: str, shape: Sequence[int]) -> None:
        """A line that gives a value of this shape a name; several, where it is long."""
        line = f"{name} = {code}"
        note = f"  # {self.shape(shape)}" if shape else ""
        if len(line) > WIDE and len(broken(code)) > 1:
            self.lines.append(f"{name} = ({note}")
            self.lines += [f"    {part}" for part in broken(code)]
            self.lines.append(")")
        else:
            self.lines.append(line + note)

    def size(self, value: int) -> str:
        """A size as it is written."""
        return self.sizes.get(value, str(value))

    def shape(self, sizes: Sequence[int]) -> str:
        """A shape as it is written."""
        return f"({', '.join(map(self.size, sizes))}{',' if len(sizes) == 1 else ''})"

    def dimension(self, value: Dimension) -> str:
        """A dimension as it is written."""
        return self.dims.get(value) or dimension_code(value, self.symbols)

    def number(self, value: Dimension) -> int:
        """The size that a program has for a dimension."""
        if isinstance(value, int):
            return value
        return next(size for size, text in self.sizes.items() if text == self.dims[value])

    @property
    def like(self) -> str:
        """What gives a new array the dtype of the inputs, as an argument; a line before has to define it."""
        self.typed = True
        return self.target.like

    def array(self, text: PythonText) -> str:
        """A Python number as an array without axes."""
        if self.module == "torch":
            return f"torch.as_tensor({text.code}, {self.like})"
        return f"{self.module}.asarray({text.code}, {self.like})"

    # -------------------------------------------------------------- functions

    def called(
        self,
        row: Any,
        texts: Sequence[PythonText],
        more: Sequence[str],
        params: Sequence[Any],
        small: bool = False,
        real: bool = False,
    ) -> PythonText:
        """A function by its row of the table, of `real` numbers, or its closed form for `small` matrices."""
        named = dict(zip(row.params, (number(p).code if not isinstance(p, str) else p for p in params), strict=True))
        made = write(
            row, self.target.name, [*(text.code for text in texts), *more], named, self.free.taken, small, real
        )
        self.free.helpers.update(made.helpers)
        self.kernel = "closed form" if small else row.name
        return PythonText(made.expression, level_of(made.expression))

    def with_helper(self, expression: str, text: str) -> str:
        """A call of a function that stands above the lines."""
        return f"{self.free.helper(text)}{expression[expression.index('(') :]}" if text else expression

    # -------------------------------------------------------------- axes

    def value(self, use: Use) -> tuple[PythonText, list[int]]:
        """An operand, its labels; a diagonal where one repeats."""
        text, labels = self.values[use.value], list(use.labels)
        if len(set(labels)) == len(labels):
            return text, labels
        distinct = list(dict.fromkeys(labels))
        return self.einsum([(text, labels)], distinct), distinct

    def permuted(self, text: PythonText, axes: Sequence[int]) -> PythonText:
        """The axes in this order."""
        if list(axes) == list(range(len(axes))):
            return text
        if len(axes) == 2:
            if text.turned is not None:
                return text.turned
            if text.level == ATOM and text.code.endswith(".T"):
                return bare(text.code[:-2])
            return PythonText(f"{text.at(ATOM)}.T")
        return PythonText(self.target.permute.format(x=text.code, axes=tuple(axes)))

    def aligned(self, text: PythonText, labels: Sequence[int], wanted: Sequence[int]) -> PythonText:
        """The axes in the order that is wanted, a unit axis for those that it lacks, but for the first ones."""
        own = [x for x in wanted if x in labels]
        if not own:
            return text
        text = self.permuted(text, [list(labels).index(x) for x in own])
        behind = list(wanted)[list(wanted).index(own[0]) :]
        if behind == own:
            return text
        return PythonText(f"{text.at(ATOM)}[{', '.join(':' if x in labels else 'None' for x in behind)}]")

    def einsum(self, operands: Sequence[tuple[PythonText, Sequence[int]]], out: Sequence[int]) -> PythonText:
        """A product in the notation of all three libraries."""
        labels = [x for _, own in operands for x in own]
        letter = letters([*labels, *out], self.indices[len(self.values)])
        spec = ",".join("".join(letter[x] for x in own) for _, own in operands)
        fast = ""
        if self.module == "np" and len(operands) == 2:
            shared = set(operands[0][1]) & set(operands[1][1])
            fast = ", optimize=True" if shared and not shared & set(out) and out else ""
        codes = ", ".join(text.code for text, _ in operands)
        self.kernel = "einsum"
        return PythonText(f"{self.module}.einsum('{spec}->{''.join(letter[x] for x in out)}', {codes}{fast})")


def letters(labels: Sequence[int], names: Mapping[int, str]) -> dict[int, str]:
    """A letter for each label: that which is its name, if it has one, else the next from i on.

    >>> letters([4, 7, 2], {7: "i", 2: "row"})
    {4: 'j', 7: 'i', 2: 'k'}
    """
    own: dict[int, str] = {}
    for label in labels:
        name = names.get(label, "")
        if name in LETTERS and len(name) == 1 and name not in own.values():
            own[label] = name
    rest = (letter for letter in LETTERS if letter not in own.values())
    return {label: own.get(label) or next(rest) for label in dict.fromkeys(labels)}


def index_names(program: Program, axes: Sequence[Sequence[str]]) -> list[dict[int, str]]:
    """Names of the labels of each step, as far as they come of the names that the axes of the first results have.

    >>> from indexcalc.engine.program import Contract
    >>> sizes = {5: 2, 3: 4, 9: 2}
    >>> product = Contract(1, (Use(0, (5, 3)), Use(0, (9, 3))), (5, 9), (2, 2), sizes)
    >>> index_names(Program((Input("A", (2, 4)), product), (1,)), ["pq"])[1]
    {5: 'p', 9: 'q'}
    """
    named: list[dict[int, str]] = [{} for _ in program.steps]
    found: list[dict[int, str]] = [{} for _ in program.steps]
    for value, names in zip(program.results, axes, strict=False):
        named[value] = dict(enumerate(names))
    for value, step in reversed(list(enumerate(program.steps))):
        own = named[value]
        if isinstance(step, Add):
            rows = [(part.places, [part.use]) for part in step.parts]
        else:
            rows = [(getattr(step, "out", ()), list(step.uses))]
        for out, uses in rows:
            known = {label: own[axis] for axis, label in enumerate(out) if axis in own}
            for use in uses:
                for axis, label in enumerate(use.labels):
                    if label in known:
                        named[use.value].setdefault(axis, known[label])
                    elif axis in named[use.value]:
                        known[label] = named[use.value][axis]
            found[value] |= known
    return found


COMPLEX = "a complex number"


def sources(program: Program) -> list[set[str]]:
    """For each value what decides whether it is complex: the inputs and complex numbers that it comes of."""
    flags = complex_values(program, ())
    found: list[set[str]] = []
    for step, flag in zip(program.steps, flags, strict=True):
        own = {COMPLEX} if flag else set()
        own |= {step.name} if isinstance(step, Input) else {step.title} if isinstance(step, Invoke) else set()
        found.append(own.union(*[found[use.value] for use in step.uses]))
    return found
