"""`ic.to_source`: expressions as a function in NumPy, JAX or PyTorch that runs unedited, without indexcalc."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from indexcalc.engine.bind.own import path_of
from indexcalc.engine.bind.request import Request, unit_axes
from indexcalc.engine.emit.source.buffered import alike_lines, has_lines, write_buffered
from indexcalc.engine.emit.source.heads import argument_names, head, long_enough, needed, sizes_of, symbol_names
from indexcalc.engine.emit.source.targets import Target, target_of
from indexcalc.engine.emit.source.wrapped import wrap_of
from indexcalc.engine.emit.source.writer import COMPLEX, RESERVED, Writer, index_names
from indexcalc.engine.emit.source_code import write_lines
from indexcalc.engine.emit.symbols import dimension_code, numbered
from indexcalc.engine.emit.texts import check_texts
from indexcalc.engine.plan.plan import Options, path_finder, planned
from indexcalc.engine.program import Input, Invoke, Map, Program
from indexcalc.engine.wanted import Evaluable
from indexcalc.errors import NameRefused
from indexcalc.functions.code.text import imports
from indexcalc.functions.table import ELEMENTWISE
from indexcalc.graph.node import Node
from indexcalc.index import Dimension
from indexcalc.surface import own_name, public

FORMULA = 100
"""Characters that a formula has at most in a docstring: with it a line has about as many as a line of code."""


class SourceModule(NamedTuple):
    """The text of a module, the name of its function, and the kernel of each step."""

    text: str
    name: str
    kernels: tuple[str, ...]


@public
def to_source(
    outputs: Evaluable | Sequence[Evaluable],
    inputs: Any,
    *,
    target: str = "numpy",
    name: str = "program",
    sizes: Mapping[str, int] | None = None,
    optimize: Any = None,
    reassociate: str = "full",
    wrap: str | None = None,
    checks: bool = True,
) -> str:
    """The text of a module with one function of the inputs, for arrays of any sizes.

    It gives one output for one, a list for a list.

    `target` is "numpy", "jax" or "torch". The text imports that library alone (and SciPy, where NumPy has no such
    function). The order of contractions is the best for `sizes`, by symbol; where none are given, all are taken to be
    alike. Where all are given, NumPy's text has the lines that `compile` runs for them, with their kernels and buffers:
    it is as fast, right for other sizes too, and takes real numbers alone. Under JAX the function is pure: jit, vmap
    and grad pass through it; under PyTorch autograd does. Sizes that no input fixes, abstract functions and the arrays
    of named gradients are keyword arguments.

    `wrap="autograd"` (PyTorch) and `wrap="custom_vjp"` (JAX) give the function the library's own vector-Jacobian
    product as its derivative, planned with the value as one program: a `torch.autograd.Function`, or a `jax.custom_vjp`
    with its rules. It takes real numbers, and can be derived again. By a structured tensor it is the projected
    derivative, as `ic.vjp` gives it; integers have none.

    With `checks=False` shapes are not checked, and arrays of floats are taken as they are: there is no branch
    on an array or a shape, and `torch.fx.symbolic_trace` goes through.

    Errors: InputError for a wrap of another target, of abstract functions, or with sizes that no input has.

    >>> import indexcalc as ic
    >>> X, w, y = ic.tensor("X", "n d"), ic.tensor("w", "d"), ic.tensor("y", "n")
    >>> print(to_source(ic.grad(((X @ w - y)**2).sum(), w), (X, w, y), name="slope"))
    import numpy as np
    <BLANKLINE>
    <BLANKLINE>
    def slope(X, w, y):
        \"\"\"2*X.T @ (X @ w - y)\"\"\"
        n, d = X.shape
        if (w.shape, y.shape) != ((d,), (n,)):
            raise ValueError(f"w {w.shape} and y {y.shape} do not go with X {X.shape}")
        return 2 * (X.T @ (X @ w - y))
    """
    request, row = Request(outputs, inputs, "to_source", reassociate), target_of(target)
    if own_name(name, "to_source", "loss") in RESERVED or keyword.iskeyword(name):
        raise NameRefused(request.asked, f"name={name!r} is no name for a function of Python", 'write name="loss"')
    options = Options(path_finder(optimize, "to_source"), reassociate, halve=False)
    if wrap is None:
        return _unwrapped(request, row, name, sizes, options, checks)
    function = wrap_of(request, target, wrap)(request, name, options, request.sizes(sizes or {}))
    return function.text(_docstring(request), checks)


def _unwrapped(
    request: Request, target: Target, name: str, sizes: Mapping[str, int] | None, options: Options, checks: bool
) -> str:
    """The text of a function as it is: with the lines that run, if it is for NumPy and given sizes."""
    numbers, symbols = numbered([*request.roots, *request.inputs], request.sizes(sizes or {}))
    buffered = target.name == "numpy" and sizes is not None and request.settled(request.sizes(sizes))
    options = options._replace(halve=buffered, symbols=tuple(symbols.items()), real=buffered)
    program = planned(tuple(request.roots), numbers, options)
    buffered = buffered and has_lines(program)
    return module(request, program, target, name, symbols, buffered=buffered, checks=checks).text


def module(
    request: Request,
    program: Program,
    target: Target,
    name: str,
    symbols: Mapping[int, Dimension] | None = None,
    complex_inputs: Sequence[str] = (),
    buffered: bool = False,
    checks: bool = True,
) -> SourceModule:
    """The module of a program: for any sizes with `symbols`, the dimensions by the sizes that the program has for them.

    Without them it is for its own sizes, which are not checked. `complex_inputs` are complex, the others real. One that
    is `buffered` has the lines that run under NumPy, for real inputs. Without `checks` inputs are taken as they are.
    """
    check_texts(program)
    titles = [step.title for step in program.steps if isinstance(step, Invoke)]
    names = argument_names([*request.names, *titles], name)
    own_paths = _own_paths(request, target) if symbols is not None else {}
    names |= own_paths
    texts = symbol_names({s for dim in (symbols or {}).values() for s in getattr(dim, "symbols", ())}, names)
    dims = {dim: dimension_code(dim, texts) for dim in (symbols or {}).values()}
    sizes = {number: dims[dim] for number, dim in (symbols or {}).items()}
    writer = Writer(program, target, names, dims, sizes, {name, *texts.values()}, complex_inputs, texts)
    writer.indices = index_names(program, request.axes)
    write = write_buffered if buffered else write_lines
    results = [f"{made}{unit_axes(units)}" for made, units in zip(write(writer), request.units, strict=True)]
    lines = [*writer.lines, f"return {results[0]}" if request.single else f"return [{', '.join(results)}]"]
    lines = [*_inputs_lines(request, writer, symbols is not None and checks, buffered), *lines]
    free: list[str] = []
    if symbols is None and target.module == "torch":
        lines = _freed(lines)
    if symbols is not None:
        found = sizes_of(request.arrays, names, texts)
        above = [*head(request.arrays, names, texts), *long_enough(request.roots, texts)] if checks else []
        shown, free = needed(found, [*above, *lines], texts)
        lines = [_docstring(request), *(above if checks else shown), *lines]
    keywords = [*free, *(names[own] for own in dict.fromkeys(titles) if names[own] not in own_paths.values())]
    arguments = ", ".join([*(names[n] for n in request.names), *(["*", *keywords] if keywords else [])])
    body = "\n".join(f"    {line}" if line else "" for text in lines for line in text.split("\n"))
    parts = [*writer.free.helpers.values(), f"{_above(program, target)}def {name}({arguments}):\n{body}"]
    text = "\n\n\n".join(parts)
    above = sorted({*imports(text, target.name), *(f"import {path.rpartition('.')[0]}" for path in own_paths.values())})
    return SourceModule("\n".join(above) + f"\n\n\n{text}", name, tuple(writer.kernels))


def _inputs_lines(request: Request, writer: Writer, converts: bool, buffered: bool) -> list[str]:
    """The lines that make arrays of floats of what is given, if that is to be done, and say of which dtype."""
    target, names, lines = writer.target, writer.names, list[str]()
    inputs = [step for step in writer.program.steps if isinstance(step, Input)]
    numbers = [names[step.name] for step in inputs if not step.shape]
    if target.module == "torch" and numbers and converts:
        lines += [f"{own} = torch.as_tensor({own}, **like)" for own in numbers]
        writer.typed = True
    if writer.typed:
        arrays = [names[step.name] for step in inputs if step.shape and step.name not in request.whole]
        given = arrays if target.module == "torch" else [*arrays, *numbers]
        whole = any(COMPLEX in own for own in writer.sources)
        lines.insert(0, f"dtype = {arrays[0]}.dtype" if buffered and arrays else target.dtype(given, whole))
    held = {step.name for step in inputs if step.shape}
    given = [names[name] for name in request.names if name in held and name not in request.whole]
    if buffered and converts:
        lines[:0] = alike_lines(writer, given)
    elif converts and any(map(target.rational, writer.program.steps)):
        lines[:0] = _floats(target, given)
    return lines


def _own_paths(request: Request, target: Target) -> dict[str, str]:
    """The functions of one's own that can be imported, and their names in Python."""
    found = {}
    for title, node in request.functions.items():
        given = dict(node.function.code).get(target.name)
        if given is not None and not any(node.orders) and (path := path_of(given)):
            found[title] = path
    return found


def _freed(lines: Sequence[str]) -> list[str]:
    """The lines, each value deleted after its last use: a library that makes them one by one holds what has a name.

    A statement in several lines ends with a bracket by itself.
    """
    ends = [
        next(j for j in range(k, len(lines)) if lines[j][:4] != "    " and not _opens(lines[j]))
        for k in range(len(lines))
    ]
    made = {found[1] for line in lines if (found := re.match(r"(\w+) = ", line))}
    last = {name: k for k, line in enumerate(lines) for name in re.findall(r"\w+", line) if name in made}
    gone: dict[int, list[str]] = {}
    for name, k in last.items():
        if k < len(lines) - 1:
            gone.setdefault(ends[k], []).append(name)
    return [text for k, line in enumerate(lines) for text in (line, *(f"del {name}" for name in gone.get(k, ())))]


def _opens(line: str) -> bool:
    """Does a statement of several lines begin here?"""
    return line.partition("  #")[0].endswith("= (")


def _above(program: Program, target: Target) -> str:
    """The line above a function that chooses, so that NumPy does not warn of what is not taken."""
    chooses = any(
        isinstance(step, Map) and step.fn in ELEMENTWISE and ELEMENTWISE[step.fn].choice for step in program.steps
    )
    quiet = '@np.errstate(over="ignore", invalid="ignore", divide="ignore")\n'
    return quiet if chooses and target.module == "np" else ""


def _floats(target: Target, arrays: Sequence[str]) -> list[str]:
    """The line that makes floats of integers, if there are arrays: as the library does, what is exact stays so."""
    if not arrays:
        return []
    listed = ", ".join(arrays) + ("," if len(arrays) == 1 else "")
    return [target.floats.format(names=listed, tuple=f"({listed})")]


def _docstring(request: Request) -> str:
    rows = zip(request.outputs, request.roots, request.by, strict=True)
    shown = [_told(str(view), root, by) for view, root, by in rows]
    if len(shown) == 1:
        return f'"""{shown[0]}"""'
    return "\n".join(['"""The values of', "", *(f"    {line}" for line in shown), '"""'])


def _told(formula: str, root: Node, by: Sequence[str]) -> str:
    """The formula, if it is short; else what it is, and its shape.

    >>> from indexcalc.graph.constructors import variable
    >>> _told("x" * 200, variable("g", (3, 4)), ["w"])
    'the derivative by w, of shape (3, 4)'
    """
    if len(formula) <= FORMULA and "\n" not in formula:
        return formula.replace("\\", "\\\\").replace('"', "'")
    words = f"the derivative by {', then by '.join(by)}" if by else "an array" if root.dims else "a number"
    dims = ", ".join(map(str, root.dims))
    return f"{words}, of shape ({dims}{',' if root.order == 1 else ''})" if root.dims else words
