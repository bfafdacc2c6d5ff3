"""A function with the library's own vector-Jacobian product as its derivative, as PyTorch and JAX are told of one.

The products of all inputs are one program, so what they share is made once. It reads inputs, and outputs where these
occur in it: nothing else is held, and the derivative can be derived again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple

from indexcalc.calculus.derivative import vjp
from indexcalc.calculus.structure import AFFINE, structured
from indexcalc.engine.bind.request import Request, unit_axes
from indexcalc.engine.emit.source.heads import ShapeLines, argument_names, head, long_enough, sizes_of, symbol_names
from indexcalc.engine.emit.source.targets import target_of
from indexcalc.engine.emit.source.writer import COMPLEX, Writer
from indexcalc.engine.emit.source_code import write_lines
from indexcalc.engine.emit.symbols import dimension_code, numbered
from indexcalc.engine.emit.texts import check_texts
from indexcalc.engine.plan.plan import Options, planned
from indexcalc.engine.program import Input
from indexcalc.errors import InputError, did_you_mean
from indexcalc.functions.code.text import free_name, imports
from indexcalc.graph.constructors import is_zero, variable
from indexcalc.graph.node import Node, Variable, topological
from indexcalc.graph.walk import substitute
from indexcalc.simplify.passes import simplify


class FunctionBody(NamedTuple):
    """The arrays that a body reads, its lines, and the expressions of its results."""

    arrays: list[Variable]
    lines: list[str]
    results: list[str]


class Pulled(NamedTuple):
    """The cotangents that are given for outputs, what stands for outputs, and the cotangents of inputs.

    That of an input is None where it is zero, and for integers.
    """

    cotangents: list[Variable]
    values: dict[Node, Variable]
    nodes: list[Node | None]


def pulled(request: Request, taken: Sequence[str]) -> Pulled:
    """The vector-Jacobian product of all inputs but integers.

    It reads the outputs where these occur in it. What is given for outputs has names that are not taken.
    """
    roots = request.roots
    targets = [own for own in request.variables if own.label not in request.whole]

    def fresh(stem: str, place: int) -> Variable:
        name = stem if len(roots) == 1 else f"{stem}{place + 1}"
        return variable(free_name(name, taken), roots[place].dims)

    cotangents = [fresh("g", place) for place in range(len(roots))]
    nodes = [_projected(*pair, request) for pair in zip(vjp(roots, targets, cotangents), targets, strict=True)]
    nodes = simplify(nodes)
    below = set(topological(nodes))
    values = {root: fresh("value", place) for place, root in enumerate(roots) if root.children and root in below}
    nodes = substitute(nodes, dict(values))
    found = {own: node for own, node in zip(targets, nodes, strict=True) if not is_zero(node)}
    return Pulled(cotangents, values, [found.get(own) for own in request.variables])


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
        self.pulled = pulled(request, request.names)
        self.own = [*self.pulled.cotangents, *self.pulled.values.values()]
        self.names = argument_names([*request.names, *(own.label for own in self.own)], name)
        made = [node for node in self.pulled.nodes if node is not None]
        numbers, symbols = numbered([*request.roots, *request.inputs, *made, *self.pulled.cotangents], wished)
        self.texts = symbol_names({s for dim in symbols.values() for s in getattr(dim, "symbols", ())}, self.names)
        self.options, self.numbers = options._replace(symbols=tuple(symbols.items())), numbers
        self.dims = {dim: dimension_code(dim, self.texts) for dim in symbols.values()}
        self.sizes = {number: self.dims[dim] for number, dim in symbols.items()}
        self.helpers: dict[str, str] = {}
        self.taken = {name, *self.texts.values(), *self.names.values()}
        self.forward = self._body(request.roots, request.variables)
        self.backward = self._body(made, [*request.variables, *self.own]) if made else FunctionBody([], [], [])

    def _body(self, roots: Sequence[Node], there: Sequence[Variable]) -> FunctionBody:
        """The lines that make these nodes, and of the sizes that they need, which the arrays that are there have."""
        program = planned(tuple(roots), self.numbers, self.options)
        check_texts(program)
        writer = Writer(program, self.row, self.names, self.dims, self.sizes, self.taken, (), self.texts)
        results = write_lines(writer)
        if any(COMPLEX in own for own in writer.sources):
            words = "there are complex numbers in it, and a vector-Jacobian product is written for real ones"
            raise InputError(self.request.asked, words, "leave wrap away: the framework derives it")
        self.helpers |= writer.free.helpers
        read = {step.name for step in program.steps if isinstance(step, Input)}
        used = [own for own in there if own.label in read]
        lines = writer.lines
        if writer.typed:
            floats = [own for own in used if own.label not in self.request.whole]
            arrays = [own for own in floats if own.order] or floats
            lines = [self.row.dtype([self.names[own.label] for own in arrays], False), *lines]
        ordered = [own for own in (*used, *(own for own in there if own not in used)) if own.order]
        found, missing = needed(sizes_of(ordered, self.names, self.texts), [*lines, *results], self.texts)
        if missing:
            words = f"no input has the size {', '.join(missing)}, which would be an argument without a derivative"
            raise InputError(self.request.asked, words, "leave wrap away, or give a tensor that has this dimension")
        text = "\n".join([*found, *lines, *results])
        arrays = [own for own in there if own in used or re.search(rf"\b{self.names[own.label]}\.", text)]
        return FunctionBody(arrays, [*found, *lines], results)

    def text(self, doc: str) -> str:
        """The module, with this docstring."""
        request = self.request
        core, call = self.core()
        above, _ = head(request.arrays, self.names, self.texts)
        lines = [doc, *above, *long_enough(request.roots, self.texts), *self._real(), *self._returned(call)]
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

    @property
    def saved(self) -> list[Variable]:
        """The inputs and outputs that the derivative reads."""
        return [own for own in self.backward.arrays if own not in self.pulled.cotangents]

    def free(self, name: str) -> str:
        """A name that no input, symbol or helper has."""
        return free_name(name, {*self.taken, *self.helpers})

    def held(self, value: str) -> list[str]:
        """What is saved as expressions, where the value has this name, or the values have."""
        several = not self.request.single
        places = {
            own: f"{value}[{place}]" if several else value
            for place, root in enumerate(self.request.roots)
            if (own := self.pulled.values.get(root)) is not None
        }
        return [places.get(own) or self.names[own.label] for own in self.saved]

    def returned(self) -> str:
        """The line that ends the forward pass."""
        return f"return {self.forward.results[0] if self.request.single else tuple_of(self.forward.results)}"

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
        """A class, and its `apply`."""
        function = self.free("".join(word[:1].upper() + word[1:] for word in self.name.split("_")) + "Function")
        ctx, given, value = (self.free(name) for name in ("ctx", "inputs", "output"))
        saved, names = self.saved, [self.names[own.label] for own in self.saved]
        taken = [own if own in names else "_" for own in self.inputs]
        saving = [f"{tuple_of(taken)} = {given}"] if set(taken) != {"_"} else []
        saving.append(f"{ctx}.save_for_backward({', '.join(self.held(value))})" if saved else "pass")
        loaded = [f"{tuple_of(names)} = {ctx}.saved_tensors"] if saved else []
        core = self.code.format(
            function=function, name=self.name, ctx=ctx, given=given, value=value, inputs=", ".join(self.inputs),
            forward=indented([*self.forward.lines, self.returned()], 2), saving=indented(saving, 2),
            cotangents=", ".join(self.names[own.label] for own in self.pulled.cotangents),
            backward=indented([*loaded, *self._asked_for(ctx)], 2),
        )  # fmt: skip
        return core, f"{function}.apply({', '.join(self.inputs)})"

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
    """A function of JAX with two rules: what `jit` finds in both passes it makes once."""

    target = "jax"
    array = "jnp.asarray"
    real = '''def real(*values):
    """The values as real arrays of one dtype; complex numbers are an error."""
    dtype = jnp.result_type(*values, float)
    if jnp.issubdtype(dtype, jnp.complexfloating):
        raise TypeError("the derivative is written for real numbers, and an array is complex")
    return [jnp.asarray(value, dtype) for value in values]'''
    code = '''def {function}_value({inputs}):
    """{name} of real arrays whose shapes are right."""
{forward}


def {function}_forward({inputs}):
    """The value, and what the derivative needs."""
    {value} = {function}_value({inputs})
    return {value}, {held}


def {function}_backward({saved}, {cotangent}):
    """The vector-Jacobian product: for each input its cotangent, from that of the value."""
{backward}


{function} = jax.custom_vjp({function}_value)
{function}.defvjp({function}_forward, {function}_backward)'''

    def core(self) -> tuple[str, str]:
        """A function with its rules, and the call of it."""
        single, function, saved = self.request.single, self.free(f"{self.name}_ruled"), self.free("saved")
        value = self.free("value" if single else "values")
        cotangents = [self.names[own.label] for own in self.pulled.cotangents]
        whole = cotangents[0] if single else self.free("g")
        names = [self.names[own.label] for own in self.saved]
        loaded = [f"{tuple_of(names)} = {saved}"] if names else []
        loaded += [] if single else [f"{tuple_of(cotangents)} = {whole}"]
        backward = [*loaded, *self.backward.lines, f"return {tuple_of(self.slopes())}"]
        core = self.code.format(
            function=function, name=self.name, inputs=", ".join(self.inputs), value=value, saved=saved,
            forward=indented([*self.forward.lines, self.returned()]), cotangent=whole, backward=indented(backward),
            held=f"({', '.join(self.held(value))}{',' if len(names) == 1 else ''})",
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


def needed(found: ShapeLines, lines: Sequence[str], texts: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The lines that find the sizes that other lines read, and the names of sizes that these read and nothing gives.

    >>> needed(ShapeLines(["n, d = X.shape", "(m,) = y.shape"], {"n", "d", "m"}, [], []), ["return d"], {"d": "d", "p": "p"})
    (['n, d = X.shape'], [])
    """
    words = set(re.findall(r"\w+", "\n".join(line.partition("  #")[0] for line in lines)))
    missing = [name for symbol, name in texts.items() if name in words and symbol not in found.known]
    kept: list[str] = []
    for line in reversed(found.lines):
        left, _, right = line.partition(" = ")
        if words & set(re.findall(r"\w+", left)) - {"_"}:
            kept.insert(0, line)
            words |= set(re.findall(r"\w+", right))
    return kept, missing


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
