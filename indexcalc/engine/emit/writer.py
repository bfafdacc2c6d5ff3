"""A program as source: lines that a person would write, for each of the libraries in `targets`.

Each value is an expression; one that is read once and is short stands where it is read, the others get a name. Sizes
are numbers, or the text that `sizes` has for them.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction
from math import prod
from typing import Any

from indexcalc.engine.bind.constants import known_code
from indexcalc.engine.emit.patterns import complex_values
from indexcalc.engine.emit.python_text import (
    ATOM,
    POWER,
    PRODUCT,
    SIGN,
    SUM,
    Text,
    number,
    scaled,
    times,
    total,
)
from indexcalc.engine.emit.targets import MASKED, Target
from indexcalc.engine.measure import is_view
from indexcalc.engine.program import (
    Add,
    Apply,
    Contract,
    Fill,
    Input,
    Invoke,
    Known,
    Map,
    Part,
    Program,
    Reduce,
    Reshape,
    Solve,
    Use,
)
from indexcalc.functions.code.text import free_name, helpers, write
from indexcalc.functions.table import elementwise_row, matrix_row, reduction_row
from indexcalc.graph.numbers import Number
from indexcalc.index import Dimension

LETTERS = "ijklmnopqrstuvwxyzabcdefghABCDEFGHIJKLMNOPQRSTUVWXYZ"
HALF = Fraction(1, 2)
SHORT = 44
"""An expression of so many characters at most may stand within another one."""
WIDE = 104
RESERVED = {*keyword.kwlist, "np", "jnp", "jax", "torch", "math", "scipy", "dtype", "like", "min"}
"""Names that the lines use."""


class Writer:
    """Writes the lines of a program.

    `names` has the names of inputs and functions in the lines, `dims` the text of each dimension that is a symbol, and
    `sizes` that of each size; other sizes are numbers. `taken` are names that are not free. `complex_inputs` are the
    inputs that are complex where others are real.
    """

    def __init__(
        self,
        program: Program,
        target: Target,
        names: Mapping[str, str],
        dims: Mapping[Dimension, str],
        sizes: Mapping[int, str],
        taken: Collection[str],
        complex_inputs: Collection[str] = (),
    ) -> None:
        self.program, self.target, self.names, self.dims, self.sizes = program, target, names, dims, sizes
        self.taken = {*taken, *names.values(), *RESERVED}
        self.module = target.module
        self.complex = complex_values(program, complex_inputs or None)
        self.count = 0
        self.typed = False
        self.sources = _sources(program)
        self.lines: list[str] = []
        self.kernels: list[str] = []
        self.helpers: dict[str, str] = {}
        self.values: list[Text] = []
        self.readers = [0] * len(program.steps)
        for value in [use.value for step in program.steps for use in step.uses] + list(program.results):
            self.readers[value] += 1
        for number_, step in enumerate(program.steps):
            self.number, self.kernel = number_, ""
            text = WRITERS[type(step)](self, step)
            self.values.append(text)
            if not self._stands_within(text):
                self.named(number_)
            self.kernels.append(self.kernel)
        self.results = self._results()

    # -------------------------------------------------------------- names, sizes

    def _stands_within(self, text: Text) -> bool:
        if text.plain or (len(text.code) <= 12 and text.static):
            return True
        return self.readers[self.number] <= 1 and len(text.code) <= SHORT

    def fresh(self, stem: str) -> str:
        """A name that is not taken."""
        name = free_name(stem, self.taken)
        self.taken.add(name)
        return name

    def temporary(self) -> str:
        """A name for a value."""
        self.count += 1
        return self.fresh(f"t{self.count}")

    def named(self, value: int) -> Text:
        """The value under a name."""
        text = self.values[value]
        if not text.code.isidentifier():
            name = self.temporary()
            self._assign(name, text.code, self.program.steps[value].shape)
            text = self.values[value] = Text(name, ATOM, text.static)
        return text

    def _assign(self, name: str, code: str, shape: Sequence[int]) -> None:
        line = f"{name} = {code}"
        note = f"  # {self.shape(shape)}" if shape else ""
        if len(line) > WIDE and len(_broken(code)) > 1:
            self.lines.append(f"{name} = ({note}")
            self.lines += [f"    {part}" for part in _broken(code)]
            self.lines.append(")")
        else:
            self.lines.append(line + note)

    def size(self, value: int) -> str:
        """A size as it is written."""
        return self.sizes.get(value, str(value))

    def shape(self, sizes: Sequence[int]) -> str:
        """A shape as it is written."""
        return f"({', '.join(map(self.size, sizes))}{',' if len(sizes) == 1 else ''})"

    @property
    def like(self) -> str:
        """What gives a new array the dtype of the inputs, as an argument; a line before has to define it."""
        self.typed = True
        return self.target.like

    def _results(self) -> list[str]:
        """The results, each an array of its own."""
        taken: set[int] = set()
        results = []
        for value in self.program.results:
            text, root = self.values[value], value
            while is_view(self.program.steps[root]):
                root = self.program.steps[root].uses[0].value
            given = isinstance(self.program.steps[root], Input) or root in taken
            taken.add(root)
            if text.static:
                results.append(self._array(text))
            else:
                results.append(f"{text.at(ATOM)}{self.target.copy}" if given and self.target.copy else text.code)
        return results

    def _array(self, text: Text) -> str:
        """A Python number as an array without axes."""
        if self.module == "torch":
            return f"torch.as_tensor({text.code}, {self.like})"
        return f"{self.module}.asarray({text.code}, {self.like})"

    # -------------------------------------------------------------- axes

    def value(self, use: Use) -> tuple[Text, list[int]]:
        """An operand, its labels; a diagonal where one repeats."""
        text, labels = self.values[use.value], list(use.labels)
        if len(set(labels)) == len(labels):
            return text, labels
        distinct = list(dict.fromkeys(labels))
        return self.einsum([(text, labels)], distinct), distinct

    def permuted(self, text: Text, axes: Sequence[int]) -> Text:
        """The axes in this order."""
        if list(axes) == list(range(len(axes))):
            return text
        if len(axes) == 2:
            if text.turned is not None:
                return text.turned
            if text.level == ATOM and text.code.endswith(".T"):
                return _bare(text.code[:-2])
            return Text(f"{text.at(ATOM)}.T")
        return Text(self.target.permute.format(x=text.code, axes=tuple(axes)))

    def aligned(self, text: Text, labels: Sequence[int], wanted: Sequence[int]) -> Text:
        """The axes in the order that is wanted, a unit axis for those that it lacks, but for the first ones."""
        own = [x for x in wanted if x in labels]
        if not own:
            return text
        text = self.permuted(text, [list(labels).index(x) for x in own])
        behind = list(wanted)[list(wanted).index(own[0]) :]
        if behind == own:
            return text
        return Text(f"{text.at(ATOM)}[{', '.join(':' if x in labels else 'None' for x in behind)}]")

    def einsum(self, operands: Sequence[tuple[Text, Sequence[int]]], out: Sequence[int]) -> Text:
        """A product in the notation of all three libraries."""
        labels = [x for _, own in operands for x in own]
        letter = dict(zip(dict.fromkeys([*labels, *out]), LETTERS, strict=False))
        spec = ",".join("".join(letter[x] for x in own) for _, own in operands)
        fast = ""
        if self.module == "np" and len(operands) == 2:
            shared = set(operands[0][1]) & set(operands[1][1])
            fast = ", optimize=True" if shared and not shared & set(out) and out else ""
        codes = ", ".join(text.code for text, _ in operands)
        self.kernel = "einsum"
        return Text(f"{self.module}.einsum('{spec}->{''.join(letter[x] for x in out)}', {codes}{fast})")

    # -------------------------------------------------------------- steps

    def input(self, step: Input) -> Text:
        """The array that is given."""
        return Text(self.names[step.name])

    def known(self, step: Known) -> Text:
        """A constant; a dimension is a number."""
        if step.name == "size":
            (dim,) = step.params
            return Text(self.dims[dim], _level(self.dims[dim]), True)
        if step.name == "pi":
            return Text("math.pi", ATOM, True)
        expression, helper = known_code(step.name, [self.size(n) for n in step.shape], step.params)
        if helper:
            own = expression[: expression.index("(")]
            name = free_name(own, self.taken)
            self.helpers[name] = re.sub(rf"\b{own}\b", name, helper.strip())
            expression = name + expression.removeprefix(own)
        if self.module == "np":
            return Text(f"{expression}.astype({self.like})")
        return Text(f"{self.module}.as{'_tensor' if self.module == 'torch' else 'array'}({expression}, {self.like})")

    def fill(self, step: Fill) -> Text:
        """One number in every entry; without axes it is just the number."""
        made = number(step.number)
        if not step.shape:
            return made
        return Text(f"{self.module}.full({self.shape(step.shape)}, {made.code}, {self.like})")

    def contract(self, step: Contract) -> Text:
        """A product of two operands, or one operand summed, turned or scaled."""
        operands = [self.value(use) for use in step.uses]
        if len(operands) == 1:
            (text, labels), out = operands[0], list(step.out)
            gone = [x for x in labels if x not in out]
            if gone:
                axes = sorted(labels.index(x) for x in gone)
                along = "" if len(gone) == len(labels) else str(axes[0]) if len(gone) == 1 else str(tuple(axes))
                text, labels = Text(f"{text.at(ATOM)}.sum({along})"), [x for x in labels if x in out]
            return scaled(step.coef, self.permuted(text, [labels.index(x) for x in out]))
        (one, own), (other, others) = operands
        entries = [prod(step.sizes[x] for x in labels) for labels in (own, others)]
        smallest = min((entries[0], 0), (entries[1], 1), (prod(step.shape), 2), key=lambda row: (row[0], -row[1]))[1]
        if smallest == 0:
            one = scaled(step.coef, one)
        elif smallest == 1:
            other = scaled(step.coef, other)
        if self.module == "torch":
            one, other = self._alike(step, one, other)
        made = self._pair(one, own, other, others, list(step.out))
        return scaled(step.coef, made) if smallest == 2 else made

    def _alike(self, step: Contract | Solve, one: Text, other: Text) -> tuple[Text, Text]:
        """Two operands of one dtype, which PyTorch's products want: a real one beside a complex one is made complex."""
        first, second = (self.complex[use.value] for use in step.uses)
        if first == second or one.static or other.static:
            return one, other
        whole = self.named(step.uses[second].value).code
        turned = [text if own else Text(f"{text.at(ATOM)}.to({whole}.dtype)")
                  for text, own in ((one, first), (other, second))]  # fmt: skip
        return turned[0], turned[1]

    def _pair(self, one: Text, own: list[int], other: Text, others: list[int], out: list[int]) -> Text:
        summed = [x for x in own if x in others and x not in out]
        if not own or not others or set(own) | set(others) == set(out):
            return times(self.aligned(one, own, out), self.aligned(other, others, out))
        if len(summed) == 1 and len(set(own) | set(others)) == len(out) + 1 and max(len(own), len(others)) <= 2:
            (x,) = summed
            if not set(own) & set(others) & set(out):
                if len(out) == 2 and out[0] in others:
                    one, own, other, others = other, others, one, own
                left = self.permuted(one, [own.index(y) for y in own if y != x] + [own.index(x)])
                right = self.permuted(other, [others.index(x)] + [others.index(y) for y in others if y != x])
                if len(own) == 1 and len(others) == 2 and others[-1] == x:
                    left, right = other, one
                if self.module == "jnp" and len(own) == 2 and len(others) == 1 and own[0] == x:
                    left, right = other, one  # XLA turns a matrix that is written as turned
                self.kernel = "matmul"
                made = Text(f"{left.at(POWER)} @ {right.at(POWER)}", PRODUCT)
                if len(out) < 2:
                    return made
                left, right = self.permuted(right, (1, 0)), self.permuted(left, (1, 0))
                return made._replace(turned=Text(f"{left.at(POWER)} @ {right.at(POWER)}", PRODUCT))
        return self.einsum([(one, own), (other, others)], out)

    def map(self, step: Map) -> Text:
        """A function of the entries."""
        operands = [self.value(use) for use in step.uses]
        if step.fn == "**":
            return self._power(operands[0][0], step.params[0])
        texts = [self.aligned(text, labels, step.out) for text, labels in operands]
        row = elementwise_row(step.fn)
        if all(text.static for text in texts) and row.python.isidentifier() and not any("j" in t.code for t in texts):
            return Text(f"math.{row.python}({', '.join(text.code for text in texts)})", ATOM, True)
        texts = [Text(self._array(text)) if text.static else text for text in texts]
        return self._written(row, texts, [], step.params)

    def _written(
        self, row: Any, texts: Sequence[Text], more: Sequence[str], params: Sequence[Any], small: bool = False
    ) -> Text:
        """A function by its row of the table, or its closed form for `small` matrices."""
        named = dict(zip(row.params, (number(p).code if not isinstance(p, str) else p for p in params), strict=True))
        made = write(row, self.target.name, [*(text.code for text in texts), *more], named, self.taken, small)
        self.helpers.update(made.helpers)
        self.kernel = "closed form" if small else row.name
        return Text(made.expression, _level(made.expression))

    def _power(self, base: Text, exponent: Number) -> Text:
        if exponent in (HALF, -HALF):
            root = f"math.sqrt({base.code})" if base.static else f"{self.module}.sqrt({base.code})"
            made = Text(root, ATOM, base.static)
            return made if exponent == HALF else Text(f"1 / {root}", PRODUCT, base.static, made)
        if exponent == -1:
            return Text(f"1 / {base.at(POWER)}", PRODUCT, base.static, base)
        power = number(exponent)
        return Text(f"{base.at(ATOM)}**{power.at(ATOM)}", POWER, base.static)

    def add(self, step: Add) -> Text:
        """A sum: parts without deltas by broadcasting, the others on their diagonals."""
        dense: list[tuple[Number, Text]] = []
        covered: set[int] = set()
        diagonals = []
        for part in step.parts:
            text, labels = self.value(part.use)
            distinct = list(dict.fromkeys(part.places))
            if len(distinct) == len(part.places):
                dense.append((part.coef, self.aligned(text, labels, distinct)))
                covered |= {axis for axis, x in enumerate(part.places) if x in labels}
            elif not labels and text.static and len(part.places) == 2:
                dense.append((part.coef, self._identity(text, step.shape[0])))
                covered |= {0, 1}
            else:
                diagonals.append((part, text, labels))
        base = total(dense) if dense else None
        every = set(range(len(step.shape)))
        if not diagonals:
            assert base is not None
            return base if covered == every else self._stretched(base, step)
        if base is not None and self.module == "np":
            apart = [part.use.value for part, _, _ in diagonals]
            held = {source for use in step.uses if use.value not in apart for source in self.sources[use.value]}
            if covered != every:
                base = self._stretched(base, step)
            whole = any(isinstance(part.coef, complex) for part, _, _ in diagonals)
            if whole or not all(self.sources[value] <= held for value in apart):
                base = Text(f"{base.at(ATOM)}.astype({self.like})")  # it may be real, and what is added complex
            elif base.level == ATOM and covered == every:
                base = Text(f"{base.at(ATOM)}{self.target.copy}")
        name = self.temporary()
        axes = {axis: f"axis{axis}" for axis in every}
        way = MASKED if self.module == "jnp" and base is not None else self.target
        rows = [self._diagonal(part, text, labels, axes, step, way) for part, text, labels in diagonals]
        sizes = {f"axis{axis}": self.size(n) for axis, n in enumerate(step.shape)}
        made = way.diagonals(name, base, rows, self.shape(step.shape), sizes)
        self.typed = self.typed or any("dtype)" in line for line in made)
        self.lines += made[:-1]
        target, _, code = made[-1].partition(" = ")
        if target == name:
            self._assign(name, code, step.shape)
        else:
            self.lines.append(f"{made[-1]}  # {self.shape(step.shape)}")
        self.kernel = "diagonal"
        return Text(name)

    def _identity(self, text: Text, size: int) -> Text:
        first = self.size(size)
        eye = f"{self.module}.eye({first}, {self.like if self.module == 'torch' else f'dtype={self.like}'})"
        return Text(eye) if text.code == "1" else times(text, Text(eye))

    def _stretched(self, text: Text, step: Add) -> Text:
        """The entries along axes along which all are the same."""
        shape = self.shape(step.shape)
        if text.static:
            return Text(f"{self.module}.full({shape}, {text.code}, {self.like})")
        return Text(f"{self.module}.broadcast_to({text.code}, {shape}){self.target.copy}")

    def _diagonal(
        self, part: Part, text: Text, labels: Sequence[int], axes: Mapping[int, str], step: Add, way: Target
    ) -> tuple[tuple[str, ...], Text]:
        first = {label: part.places.index(label) for label in part.places}
        places = tuple(axes[first[label]] for label in part.places)
        label_of = {axes[axis]: label for label, axis in first.items()}
        wanted = [label_of[name] for name in way.entries(places)]
        made = scaled(part.coef, self.aligned(text, labels, wanted))
        if not set(wanted) <= set(labels) and (self.module == "torch" or way is MASKED):
            shape = self.shape([step.shape[first[x]] for x in wanted])
            if made.static:
                made = Text(f"{self.module}.full({shape}, {made.code}, {self.like})")
            else:
                made = Text(f"{self.module}.broadcast_to({made.code}, {shape})")
        return places, made

    def reduce(self, step: Reduce) -> Text:
        """A function along axes."""
        (use,) = step.uses
        row, text = reduction_row(step.fn), self.values[use.value]
        if row.axes != 2:
            axes = f"({step.axes[0]},)" if len(step.axes) == 1 else str(step.axes)
            return self._written(row, [text], [axes], step.params)
        order = len(use.labels)
        rest = [axis for axis in range(order) if axis not in step.axes]
        matrices = self.permuted(text, [*rest, *step.axes])
        size = self.program.steps[use.value].shape[step.axes[0]]
        closed = row.small and (self.module == "jnp" or (self.module == "torch" and rest))
        small = bool(closed) and 1 <= size <= 3 and size not in self.sizes
        made = self._written(row, [matrices], [], step.params, small)
        back = [*rest, *step.axes]
        return self.permuted(made, [back.index(axis) for axis in range(order)]) if step.keeps else made

    def apply(self, step: Apply) -> Text:
        """A function of whole matrices, or its derivative along directions."""
        row = matrix_row(step.fn)
        params = [self.dims.get(own, value) for own, value in zip(step.node.params, step.params, strict=True)]
        texts = [self.values[use.value] for use in step.uses]
        if not step.times:
            return self._written(row, texts, [], params)
        inner = self._written(row, [Text("x")], [], params).code
        ways = ", ".join(text.code for text in texts[1:])
        self.kernel = "frechet"
        left = step.times - len(texts) + 1
        made = helpers(["frechet"], self.target.name, self.taken)
        self.helpers.update(made.texts)
        return Text(f"{made.renamed['frechet']}(lambda x: {inner}, {texts[0].code}, [{ways}], {left})")

    def solve(self, step: Solve) -> Text:
        """Columns for which a matrix is solved."""
        (square, own), (right, labels) = (self.value(use) for use in step.uses)
        if self.module == "torch":
            square, right = self._alike(step, square, right)
        row, column = sorted(own, key=lambda label: label not in labels)
        rest = [x for x in labels if x != row]
        size = dict(zip(step.out, step.shape, strict=True))
        left = self.permuted(square, [own.index(row), own.index(column)])
        right = self.permuted(right, [labels.index(x) for x in (row, *rest)])
        self.kernel = "solve"
        if len(rest) < 2:
            made = Text(f"{self.module}.linalg.solve({left.code}, {right.code})")
        else:
            columns = "*".join(self.size(size[x]) for x in rest)
            flat = f"{right.at(ATOM)}.reshape({self.size(size[column])}, {columns})"
            shape = self.shape([size[x] for x in (column, *rest)])
            made = Text(f"{self.module}.linalg.solve({left.code}, {flat}).reshape({shape})")
        return self.permuted(made, [[column, *rest].index(x) for x in step.out])

    def reshape(self, step: Reshape) -> Text:
        """Axes split, put in order, and joined."""
        (use,) = step.uses
        text, whole = self.values[use.value], self.program.steps[use.value].shape
        split = text if step.split == whole else Text(f"{text.at(ATOM)}.reshape({self.shape(step.split)})")
        turned = self.permuted(split, step.axes)
        if [step.split[axis] for axis in step.axes] == list(step.shape):
            return turned
        return Text(f"{turned.at(ATOM)}.reshape({self.shape(step.shape)})")

    def invoke(self, step: Invoke) -> Text:
        """A function that is given, or the array of a named gradient."""
        name, args = self.names[step.title], ", ".join(self.values[use.value].code for use in step.uses)
        self.kernel = "call"
        if step.array_will_do:
            return Text(f"{name}({args}) if callable({name}) else {name}", SUM - 1)
        return Text(f"{name}({args})")


COMPLEX = "a complex number"


def _sources(program: Program) -> list[set[str]]:
    """For each value what decides whether it is complex: the inputs and complex numbers that it comes of."""
    flags = complex_values(program, ())
    found: list[set[str]] = []
    for step, flag in zip(program.steps, flags, strict=True):
        own = {COMPLEX} if flag else set()
        own |= {step.name} if isinstance(step, Input) else {step.title} if isinstance(step, Invoke) else set()
        found.append(own.union(*[found[use.value] for use in step.uses]))
    return found


def _bare(code: str) -> Text:
    """An expression without brackets round the whole of it."""
    depth = 0
    for place, letter in enumerate(code):
        depth += (letter == "(") - (letter == ")")
        if not depth and place < len(code) - 1:
            return Text(code, _level(code))
    return Text(code[1:-1], _level(code[1:-1])) if code.startswith("(") else Text(code)


def _level(expression: str) -> int:
    """How tightly an expression binds."""
    match ast.parse(expression, mode="eval").body:
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            return SUM
        case ast.BinOp(op=ast.Pow()):
            return POWER
        case ast.BinOp():
            return PRODUCT
        case ast.UnaryOp():
            return SIGN
        case ast.Compare() | ast.BoolOp() | ast.IfExp() | ast.Lambda():
            return SUM - 1
    return ATOM


def _broken(code: str) -> list[str]:
    """A sum in lines, one a term."""
    lines, depth, start = [], 0, 0
    for place, letter in enumerate(code):
        depth += (letter in "([{") - (letter in ")]}")
        if not depth and code[place : place + 3] in (" + ", " - "):
            lines.append(code[start:place])
            start = place + 1
    return [*lines, code[start:]]


WRITERS: dict[type[Any], Callable[[Writer, Any], Text]] = {
    Input: Writer.input,
    Known: Writer.known,
    Fill: Writer.fill,
    Contract: Writer.contract,
    Map: Writer.map,
    Add: Writer.add,
    Reduce: Writer.reduce,
    Apply: Writer.apply,
    Solve: Writer.solve,
    Reshape: Writer.reshape,
    Invoke: Writer.invoke,
}
