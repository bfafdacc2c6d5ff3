"""A function with the library's own vector-Jacobian product as its derivative, as PyTorch and JAX are told of one.

The values and the products of all inputs are planned as one program, so what they share is made once: it is cut where
the cotangents come in, and what the second half reads of the first is held between.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple

from indexcalc.calculus.derivative import vjp
from indexcalc.calculus.structure import AFFINE, structured
from indexcalc.engine.bind.request import Request, unit_axes
from indexcalc.engine.emit.source.heads import argument_names, head, long_enough, needed, sizes_of, symbol_names
from indexcalc.engine.emit.source.targets import target_of
from indexcalc.engine.emit.source.writer import COMPLEX, Writer, index_names
from indexcalc.engine.emit.source_code import write_lines
from indexcalc.engine.emit.symbols import dimension_code, numbered
from indexcalc.engine.emit.texts import check_texts
from indexcalc.engine.halves import half, kept_between
from indexcalc.engine.plan.plan import Options, planned
from indexcalc.engine.program import Input, Program
from indexcalc.errors import InputError, did_you_mean
from indexcalc.functions.code.text import free_name, imports
from indexcalc.graph.constructors import is_zero, variable
from indexcalc.graph.node import Node, Variable
from indexcalc.simplify.passes import simplify


class FunctionBody(NamedTuple):
    """The names that a body reads, its lines, and the expressions of its results."""

    read: list[str]
    lines: list[str]
    results: list[str]


class Pulled(NamedTuple):
    """The cotangents that are given for outputs, and those of inputs: None where one is zero, and for integers."""

    cotangents: list[Variable]
    nodes: list[Node | None]


def pulled(request: Request) -> Pulled:
    """The vector-Jacobian product of all inputs but integers."""
    targets = [own for own in request.variables if own.label not in request.whole]
    names = ["g"] if len(request.roots) == 1 else [f"g{place + 1}" for place in range(len(request.roots))]
    given = [
        variable(free_name(name, request.names), root.dims) for name, root in zip(names, request.roots, strict=True)
    ]
    nodes = [_projected(*pair, request) for pair in zip(vjp(request.roots, targets, given), targets, strict=True)]
    found = {own: node for own, node in zip(targets, simplify(nodes), strict=True) if not is_zero(node)}
    return Pulled(given, [found.get(own) for own in request.variables])


def _projected(node: Node, target: Variable, request: Request) -> Node:
    """The cotangent of a structured variable has its structure, where this is linear."""
    structure = "free" if target.assumptions & AFFINE.keys() else "projected"
    return structured(node, target, range(node.order), structure, request.asked)[0]


class WrappedFunction:
    """The text of a function with its derivative, part by part: `core` is what a framework is told of one.

    `target` is the framework; `real` makes real arrays of one dtype of what is given, `array` one of integers.
    """

    target: ClassVar[str]
    real: ClassVar[str]
    array: ClassVar[str]

    def __init__(self, request: Request, name: str, options: Options, wished: Mapping[str, int]) -> None:
        self.request, self.name, self.row = request, name, target_of(self.target)
        self.pulled = pulled(request)
        cotangents = [own.label for own in self.pulled.cotangents]
        self.names = argument_names([*request.names, *cotangents], name)
        self.cotangents = [self.names[label] for label in cotangents]
        made = [node for node in self.pulled.nodes if node is not None]
        numbers, symbols = numbered([*request.roots, *request.inputs, *made, *self.pulled.cotangents], wished)
        self.texts = symbol_names({s for dim in symbols.values() for s in getattr(dim, "symbols", ())}, self.names)
        self.dims = {dim: dimension_code(dim, self.texts) for dim in symbols.values()}
        self.sizes = {number: self.dims[dim] for number, dim in symbols.items()}
        self.helpers: dict[str, str] = {}
        self.count = 0
        self.taken = {name, *self.texts.values(), *self.names.values()}
        options = options._replace(symbols=tuple(symbols.items()))
        self._write(planned((*request.roots, *made), numbers, options))

    def _write(self, program: Program) -> None:
        """Both halves of a program; what is held between, as names, and where it is among the results of the first."""
        count = len(self.request.roots)
        kept = kept_between(program, count)
        results = [*program.results[:count], *(value for value in kept if value not in program.results[:count])]
        self.places = [results.index(value) for value in kept]
        body = self._body(half(program, results, {}), self.request.variables, self.request.axes)
        self.between: list[str] = []
        for place in self.places:
            if not body.results[place].isidentifier() or body.results[place] in self.names.values():
                name = self.free(f"kept{place + 1}")
                body.lines.append(f"{name} = {body.results[place]}")
                body.results[place] = name
            self.between.append(body.results[place])
            self.taken.add(body.results[place])
        self.forward = body
        given = dict(zip(kept, self.between, strict=True))
        self.names |= {name: name for name in self.between}
        rest = half(program, program.results[count:], given)
        self.backward = self._body(rest, [*self.request.variables, *self.pulled.cotangents], ())

    def _body(self, program: Program, there: Sequence[Variable], axes: Sequence[Sequence[str]]) -> FunctionBody:
        """The lines of a half, and of the sizes that it needs, which the arrays that are there have."""
        check_texts(program)
        writer = Writer(program, self.row, self.names, self.dims, self.sizes, self.taken, (), self.texts)
        writer.free.count = self.count
        writer.indices = index_names(program, axes)
        results = write_lines(writer)
        self.count = writer.free.count
        if any(COMPLEX in own for own in writer.sources):
            words = "there are complex numbers in it, and a vector-Jacobian product is written for real ones"
            raise InputError(self.request.asked, words, "leave wrap away: the framework derives it")
        self.helpers |= writer.free.helpers
        inputs = [step for step in program.steps if isinstance(step, Input)]
        lines, read = writer.lines, {step.name for step in inputs}
        if writer.typed:
            floats = [step for step in inputs if step.name not in self.request.whole]
            arrays = [step for step in floats if step.shape] or floats
            lines = [self.row.dtype([self.names[step.name] for step in arrays], False), *lines]
        ordered = sorted((own for own in there if own.order), key=lambda own: own.label not in read)
        found, missing = needed(sizes_of(ordered, self.names, self.texts), [*lines, *results], self.texts)
        if missing:
            words = f"no input has the size {', '.join(missing)}, which would be an argument without a derivative"
            raise InputError(self.request.asked, words, "leave wrap away, or give a tensor that has this dimension")
        occurring = set(re.findall(r"\w+", "\n".join([*found, *lines, *results])))
        return FunctionBody([name for name in self.names.values() if name in occurring], [*found, *lines], results)

    def text(self, doc: str, checks: bool) -> str:
        """The module, with this docstring; `checks` says that what is given is checked and made real arrays."""
        request = self.request
        core, call = self.core()
        lines = [doc]
        if checks:
            lines += [*head(request.arrays, self.names, self.texts), *long_enough(request.roots, self.texts)]
            lines += self._real()
        lines += self._returned(call)
        parts = [*self.helpers.values(), core, f"def {self.name}({', '.join(self.inputs)}):\n{indented(lines)}"]
        text = "\n\n\n".join(parts)
        return "\n".join(imports(text, self.target)) + f"\n\n\n{text}"

    def core(self) -> tuple[str, str]:
        """What stands above the function, and the call of it."""
        raise NotImplementedError

    # -------------------------------------------------------------- parts

    @property
    def inputs(self) -> list[str]:
        """The names of the inputs."""
        return [self.names[label] for label in self.request.names]

    def free(self, name: str) -> str:
        """A name that no input, symbol or helper has."""
        return free_name(name, {*self.taken, *self.helpers})

    def slopes(self) -> list[str]:
        """The cotangents of all inputs as expressions."""
        results = iter(self.backward.results)
        return ["None" if node is None else next(results) for node in self.pulled.nodes]

    def _real(self) -> list[str]:
        """Lines that make real arrays of what is given, and of integers arrays."""
        whole = self.request.whole
        lines = [f"{own} = {self.array}({own})" for own in (self.names[x] for x in self.request.names if x in whole)]
        floats = [self.names[label] for label in self.request.names if label not in whole]
        if floats:
            real = self.free("real")
            self.helpers[real] = self.real.replace("def real(", f"def {real}(")
            lines.append(f"{tuple_of(floats)} = {real}({', '.join(floats)})")
        return lines

    def _returned(self, call: str) -> list[str]:
        """The line that gives the values as they are wanted: a list of several, with unit axes that a layout shows."""
        units = [unit_axes(units) for units in self.request.units]
        if self.request.single:
            return [f"return {call}{units[0]}"]
        if not any(units):
            return [f"return list({call})"]
        values = [self.free(f"value{place + 1}") for place in range(len(units))]
        shown = ", ".join(f"{value}{unit}" for value, unit in zip(values, units, strict=True))
        return [f"{tuple_of(values)} = {call}", f"return [{shown}]"]


class AutogradFunction(WrappedFunction):
    """A function of PyTorch's autograd: what it saves are tensors, and what is not asked for is not made."""

    target = "torch"
    array = "torch.as_tensor"
    real = '''def real(*values):
    """The values as real tensors of one dtype; integers count as float64, and complex numbers are an error."""
    tensors = [value for value in values if isinstance(value, torch.Tensor)]
    if any(map(torch.is_complex, tensors)):
        raise TypeError("the derivative is written for real numbers, and a tensor is complex")
    dtypes = [value.dtype if value.is_floating_point() else torch.float64 for value in tensors if value.ndim]
    dtype = functools.reduce(torch.promote_types, dtypes or [torch.float64])
    device = tensors[0].device if tensors else None
    return [torch.as_tensor(value, dtype=dtype, device=device) for value in values]'''
    code = '''class {function}(torch.autograd.Function):
    """{name}, with its vector-Jacobian product as the derivative."""

    generate_vmap_rule = True

    @staticmethod
    def forward({inputs}):
{forward}

    @staticmethod
    def setup_context({ctx}, {given}, {value}):
{saving}

    @staticmethod
    def backward({ctx}, {cotangents}):
{backward}'''

    def core(self) -> tuple[str, str]:
        """A class, and what its `apply` gives, without what is held beside the values."""
        function = self.free("".join(word[:1].upper() + word[1:] for word in self.name.split("_")) + "Function")
        ctx, given, value = (self.free(name) for name in ("ctx", "inputs", "output"))
        count, results = len(self.request.roots), self.forward.results
        several = not self.request.single or len(results) > 1
        backward, cotangents = self._asked_for(ctx), list(self.cotangents)
        saved = [own for own in self.inputs if own in self.backward.read or self.between]
        texts = [*saved, *(f"{value}[{place}]" if several else value for place in self.places)]
        saving = [f"{tuple_of([own if own in saved else '_' for own in self.inputs])} = {given}"] if saved else []
        saving += [f"{ctx}.save_for_backward({', '.join(texts)})"] if texts else ["pass"]
        if len(results) > count:
            saving.append(f"{ctx}.mark_non_differentiable(*{value}[{count}:])")
            cotangents.append("*_")
        if self.between:
            again = [text if place in self.places else "_" for place, text in enumerate(results)]
            call = f"{function}.forward({', '.join(self.inputs)})"
            backward.insert(0, f"    {tuple_of(again) if several else again[0]} = {call}")
            backward.insert(0, "if torch.is_grad_enabled():  # a derivative of this one is asked for")
        loaded = [f"{tuple_of([*saved, *self.between])} = {ctx}.saved_tensors"] if texts else []
        core = self.code.format(
            function=function, name=self.name, ctx=ctx, given=given, value=value, inputs=", ".join(self.inputs),
            forward=indented([*self.forward.lines, f"return {tuple_of(results) if several else results[0]}"], 2),
            saving=indented(saving, 2), cotangents=", ".join(cotangents), backward=indented([*loaded, *backward], 2),
        )  # fmt: skip
        beside = "" if len(results) == count else "[0]" if self.request.single else f"[:{count}]"
        return core, f"{function}.apply({', '.join(self.inputs)}){beside}"

    def _asked_for(self, ctx: str) -> list[str]:
        """The lines that give the cotangents, and make of what one alone needs what PyTorch asks for."""
        made = self.slopes()
        if sum(text != "None" for text in made) < 2:
            return [*self.backward.lines, f"return {', '.join(made)}"]
        readers = reading(self.backward.lines, made)
        lines = [text for text, places in readers if len(places) != 1]
        names = [self.free(f"d{own}") if text != "None" else text for own, text in zip(self.inputs, made, strict=True)]
        lines.append(f"{' = '.join(name for name in names if name != 'None')} = None")
        for place, (name, text) in enumerate(zip(names, made, strict=True)):
            if text != "None":
                own = [line for line, places in readers if places == {place}]
                lines.append(f"if {ctx}.needs_input_grad[{place}]:")
                lines.append(indented([*own, f"{name} = {text}"]))
        return [*lines, f"return {', '.join(names)}"]


class CustomFunction(WrappedFunction):
    """A function of JAX with two rules."""

    target = "jax"
    array = "jnp.asarray"
    real = '''def real(*values):
    """The values as real arrays of one dtype; complex numbers are an error."""
    dtype = jnp.result_type(*values, float)
    if jnp.issubdtype(dtype, jnp.complexfloating):
        raise TypeError("the derivative is written for real numbers, and an array is complex")
    return [jnp.asarray(value, dtype) for value in values]'''
    code = '''@jax.custom_vjp
def {function}({inputs}):
    """{name} of real arrays whose shapes are right."""
    return {first}({inputs})[0]


def {first}({inputs}):
    """The value, and what the derivative reads."""
{forward}


def {second}({saved}, {cotangent}):
    """The vector-Jacobian product: for each input its cotangent, from that of the value."""
{backward}


{function}.defvjp({first}, {second})'''

    def core(self) -> tuple[str, str]:
        """A function with its rules, and the call of it."""
        single, function, saved = self.request.single, self.free(f"{self.name}_ruled"), self.free("saved")
        first, second = self.free(f"{self.name}_forward"), self.free(f"{self.name}_backward")
        cotangent = self.cotangents[0] if single else self.free("g")
        results = self.forward.results[: len(self.request.roots)]
        names = [*(own for own in self.inputs if own in self.backward.read), *self.between]
        held = f"({', '.join(names)}{',' if len(names) == 1 else ''})"
        loaded = [f"{tuple_of(names)} = {saved}"] if names else []
        loaded += [] if single else [f"{tuple_of(self.cotangents)} = {cotangent}"]
        value = results[0] if single else f"({', '.join(results)}{',' if len(results) == 1 else ''})"
        core = self.code.format(
            function=function, first=first, second=second, name=self.name, inputs=", ".join(self.inputs), saved=saved,
            cotangent=cotangent, forward=indented([*self.forward.lines, f"return {value}, {held}"]),
            backward=indented([*loaded, *self.backward.lines, f"return {tuple_of(self.slopes())}"]),
        )  # fmt: skip
        return core, f"{function}({', '.join(self.inputs)})"


WRAPS = {"autograd": AutogradFunction, "custom_vjp": CustomFunction}
"""What takes a function with its derivative, by what its library calls one."""


def wrap_of(request: Request, target: str, wrap: str) -> type[WrappedFunction]:
    """The row of a wrap; one that is unknown, or another target's, or of what is given at the call is an error."""
    if wrap not in WRAPS:
        raise InputError(request.asked, f"wrap={wrap!r}", did_you_mean(str(wrap), WRAPS))
    row = WRAPS[wrap]
    if row.target != target:
        own = "".join(f', or wrap="{word}"' for word, other in WRAPS.items() if other.target == target)
        raise InputError(request.asked, f"wrap={wrap!r}, target={target!r}", f'write target="{row.target}"{own}')
    if request.functions:
        names = ", ".join(request.functions)
        found = f"wrap={wrap!r}, and {names} is given at the call: its derivative is not known before"
        raise InputError(request.asked, found, f"leave wrap away: {target} derives through {names}")
    return row


def reading(lines: Sequence[str], results: Sequence[str]) -> list[tuple[str, set[int]]]:
    r"""The statements of these lines, and the places of the results that need each.

    >>> reading(["t1 = x + 1", "t2 = (", "    t1 * 2", ")"], ["t1 + t2", "t1"])
    [('t1 = x + 1', {0, 1}), ('t2 = (\n    t1 * 2\n)', {0})]
    """
    statements: list[str] = []
    for line in lines:
        if line.startswith((" ", ")")):
            statements[-1] += f"\n{line}"
        else:
            statements.append(line)
    places: dict[str, set[int]] = {}
    for place, text in enumerate(results):
        for word in re.findall(r"\w+", text):
            places.setdefault(word, set()).add(place)
    found: list[tuple[str, set[int]]] = []
    for statement in reversed(statements):
        left, _, right = statement.partition(" = ")
        needing = set().union(*(places.get(word, set()) for word in re.findall(r"\w+", left)))
        for word in re.findall(r"\w+", right):
            places.setdefault(word, set()).update(needing)
        found.insert(0, (statement, needing))
    return found


def indented(lines: Sequence[str], depth: int = 1) -> str:
    """Lines, of which one may be several, as they stand in a block."""
    return "\n".join("    " * depth + line if line else "" for text in lines for line in text.split("\n"))


def tuple_of(names: Sequence[str]) -> str:
    """Names, or expressions, as a tuple."""
    return ", ".join(names) if len(names) > 1 else f"({names[0]},)"
