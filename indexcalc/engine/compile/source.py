"""`ic.to_source`: expressions as a function in NumPy, JAX or PyTorch that runs unedited, without indexcalc."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from indexcalc.engine.bind.own import path_of
from indexcalc.engine.bind.request import Request, unit_axes
from indexcalc.engine.emit.source.buffered import alike_lines, has_lines, write_buffered
from indexcalc.engine.emit.source.targets import Target, target_of
from indexcalc.engine.emit.source.writer import COMPLEX, RESERVED, Writer
from indexcalc.engine.emit.source_code import write_lines
from indexcalc.engine.emit.symbols import (
    dimension_code,
    dimensions,
    distinct_sizes,
    solution_code,
)
from indexcalc.engine.emit.texts import check_texts, require_identifier
from indexcalc.engine.plan.plan import Options, path_finder, planned
from indexcalc.engine.program import Input, Invoke, Map, Program
from indexcalc.engine.wanted import Evaluable
from indexcalc.errors import NameRefused, shorten
from indexcalc.functions.code.text import imports
from indexcalc.functions.table import ELEMENTWISE
from indexcalc.graph.node import Variable, topological
from indexcalc.graph.ranges import at_least, entries_taken
from indexcalc.index import Dim, Dimension
from indexcalc.index import size as size_of
from indexcalc.surface import own_name, public


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
) -> str:
    """The text of a module with one function of the inputs, for arrays of any sizes.

    It gives one output for one, a list for a list.

    `target` is "numpy", "jax" or "torch". The text imports that library alone (and SciPy, where NumPy has no such
    function). The order of contractions is the best for `sizes`, by symbol; where none are given, all are taken to be
    alike. Where all are given, NumPy's text has the lines that `compile` runs for them, with their kernels and buffers:
    it is as fast, right for other sizes too, and takes real numbers alone. Under JAX the function is pure: jit, vmap
    and grad pass through it; under PyTorch autograd does. Sizes that no input fixes, abstract functions and the arrays
    of named gradients are keyword arguments.

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
    dims = [dim for dim in dimensions([*request.roots, *request.inputs]) if isinstance(dim, Dim)]
    fixed = [dim for dim in dimensions([*request.roots, *request.inputs]) if not isinstance(dim, Dim)]
    numbers = distinct_sizes([*dims, *fixed], request.sizes(sizes or {}))
    symbols = {size_of(dim, numbers): dim for dim in dims}
    buffered = target == "numpy" and sizes is not None and request.settled(request.sizes(sizes))
    finder = path_finder(optimize, "to_source")
    options = Options(finder, reassociate, buffered, tuple(symbols.items()), real=buffered)
    program = planned(tuple(request.roots), tuple(sorted(numbers.items())), options)
    return module(request, program, row, name, symbols, buffered=buffered and has_lines(program)).text


def module(
    request: Request,
    program: Program,
    target: Target,
    name: str,
    symbols: Mapping[int, Dimension] | None = None,
    complex_inputs: Sequence[str] = (),
    buffered: bool = False,
) -> SourceModule:
    """The module of a program: for any sizes with `symbols`, the dimensions by the sizes that the program has for them.

    Without them it is for its own sizes, which are not checked. `complex_inputs` are complex, the others real. One that
    is `buffered` has the lines that run under NumPy, for real inputs.
    """
    check_texts(program)
    names = _arguments(request, program, name)
    own = _own_paths(request, target) if symbols is not None else {}
    names |= own
    texts = _symbol_names({s for dim in (symbols or {}).values() for s in getattr(dim, "symbols", ())}, names)
    dims = {dim: dimension_code(dim, texts) for dim in (symbols or {}).values()}
    sizes = {number: dims[dim] for number, dim in (symbols or {}).items()}
    writer = Writer(program, target, names, dims, sizes, {name, *texts.values()}, complex_inputs, texts)
    write = write_buffered if buffered else write_lines
    results = [f"{made}{unit_axes(units)}" for made, units in zip(write(writer), request.units, strict=True)]
    lines = [*writer.lines, f"return {results[0]}" if request.single else f"return [{', '.join(results)}]"]
    inputs = [step for step in program.steps if isinstance(step, Input)]
    numbers = [names[step.name] for step in inputs if not step.shape]
    if target.module == "torch" and symbols is not None and numbers:
        lines[:0] = [f"{own} = torch.as_tensor({own}, **like)" for own in numbers]
        writer.typed = True
    if writer.typed:
        arrays = [names[step.name] for step in inputs if step.shape and step.name not in request.whole]
        given = arrays if target.module == "torch" else [*arrays, *numbers]
        whole = any(COMPLEX in own for own in writer.sources)
        lines.insert(0, f"dtype = {arrays[0]}.dtype" if buffered and arrays else target.dtype(given, whole))
    held = {step.name for step in inputs if step.shape}
    given = [names[n] for n in request.names if n in held and n not in request.whole]
    if buffered:
        lines[:0] = alike_lines(writer, given)
    elif symbols is not None and any(map(target.rational, program.steps)):
        lines[:0] = _floats(target, given)
    free: list[str] = []
    if symbols is None and target.module == "torch":
        lines = _freed(lines)
    if symbols is not None:
        head, free = _head(request, names, texts)
        head += _long_enough(request, texts)
        free = [symbol for symbol in free if any(re.search(rf"\b{symbol}\b", line) for line in [*head, *lines])]
        lines = [_docstring(request), *head, *lines]
    titles = [names[step.title] for step in program.steps if isinstance(step, Invoke)]
    keywords = [*free, *(title for title in dict.fromkeys(titles) if title not in own.values())]
    arguments = ", ".join([*(names[n] for n in request.names), *(["*", *keywords] if keywords else [])])
    body = "\n".join(f"    {line}" if line else "" for text in lines for line in text.split("\n"))
    parts = [*writer.free.helpers.values(), f"{_above(program, target)}def {name}({arguments}):\n{body}"]
    text = "\n\n\n".join(parts)
    above = {*imports(text, target.name), *(f"import {path.rpartition('.')[0]}" for path in own.values())}
    return SourceModule("\n".join(sorted(above)) + f"\n\n\n{text}", name, tuple(writer.kernels))


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


def _arguments(request: Request, program: Program, name: str) -> dict[str, str]:
    """The names of the inputs and functions in the lines: their own, unless Python or the lines need these."""
    found: dict[str, str] = {}
    titles = [step.title for step in program.steps if isinstance(step, Invoke)]
    for own in (*request.names, *titles):
        made = re.sub(r"\W", "_", own)
        while made in RESERVED or made == name or made in (v for k, v in found.items() if k != own):
            made += "_"
        found[own] = made
    return found


def _symbol_names(symbols: set[str], taken: Mapping[str, str]) -> dict[str, str]:
    """The names of symbols in the lines."""
    found: dict[str, str] = {}
    for symbol in sorted(symbols):
        made = re.sub(r"\W", "_", symbol.removeprefix("?"))
        require_identifier(made)
        while made in RESERVED or made in taken.values() or made in found.values():
            made += "_"
        found[symbol] = made
    return found


def _head(request: Request, names: Mapping[str, str], texts: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The lines that find the sizes and check the shapes, and the symbols that no input fixes."""
    by_label = {variable.label: variable for variable in (*request.inputs, *request.used)}
    variables = [by_label[label] for label in request.names if by_label[label].order]
    known: set[str] = set()
    lines: list[str] = []
    checked: list[Variable] = []
    whole: list[Variable] = []
    for variable in variables:
        new = [isinstance(dim, Dim) and str(dim) in dim.symbols and str(dim) not in known for dim in variable.dims]
        fresh = [str(dim) for dim in variable.dims]
        new = [own and fresh.index(symbol) == axis for axis, (own, symbol) in enumerate(zip(new, fresh, strict=True))]
        own = names[variable.label]
        if any(new):
            left = [texts[symbol] if first else "_" for symbol, first in zip(fresh, new, strict=True)]
            lines.append(f"{', '.join(left) if len(left) > 1 else f'({left[0]},)'} = {own}.shape")
            known |= {symbol for symbol, first in zip(fresh, new, strict=True) if first}
        (whole if all(new) else checked).append(variable)
    lines += _solved([v for v in checked if any(_symbols(dim) - known for dim in v.dims)], names, texts, known)
    if checked:
        shapes = [f"{names[v.label]}.shape" for v in checked]
        wanted = [_shape(v, texts) for v in checked]
        one, other = (f"({', '.join(x)})" if len(x) > 1 else x[0] for x in (shapes, wanted))
        shown = " and ".join(f"{names[v.label]} {{{names[v.label]}.shape}}" for v in checked)
        rest = " and ".join(f"{names[v.label]} {{{names[v.label]}.shape}}" for v in whole)
        verb = "does" if len(checked) == 1 else "do"
        found = f"{shown} {verb} not go with {rest}" if rest else f"{shown} {verb} not have the right shape"
        lines += [f"if {one} != {other}:", f'    raise ValueError(f"{found}")']
    return lines, [texts[symbol] for symbol in sorted(texts) if symbol not in known]


def _long_enough(request: Request, texts: Mapping[str, str]) -> list[str]:
    """The lines that check that axes have the entries that slices take, where not all axes do."""
    lines: dict[str, str] = {}
    for node in topological(request.roots):
        for found in entries_taken(node) or ():
            low, high = found.ends
            wanted = ((low, 0), (found.length - 1, high), (found.size, 0))
            wrong = [
                f"{dimension_code(most, texts)} < {dimension_code(least, texts)}"
                for most, least in wanted
                if not at_least(most, least)
            ]
            if found.size != 0 and wrong:
                entries = f"there is no entry {low}" if found.size == 1 else f"there are no entries {low} to {high}"
                message = f'    raise ValueError(f"{entries} of {{{dimension_code(found.length, texts)}}}")'
                lines.setdefault(f"if {' or '.join(wrong)}:", message)
    return [line for pair in lines.items() for line in pair]


def _symbols(dim: Dimension) -> frozenset[str]:
    return dim.symbols if isinstance(dim, Dim) else frozenset()


def _solved(
    variables: Sequence[Variable], names: Mapping[str, str], texts: Mapping[str, str], known: set[str]
) -> list[str]:
    """Lines for the symbols that stand only in dimensions with others, as `a` in `a*b`; these get known."""
    lines: list[str] = []
    axes = [(v, axis, dim) for v in variables for axis, dim in enumerate(v.dims) if isinstance(dim, Dim)]
    while True:
        for variable, axis, dim in axes:
            left = sorted(dim.symbols - known)
            if len(left) != 1:
                continue
            (symbol,) = left
            code = solution_code(dim, symbol, f"{names[variable.label]}.shape[{axis}]", texts)
            if code is not None:
                lines.append(f"{texts[symbol]} = {code}")
                known.add(symbol)
                break
        else:
            return lines


def _shape(variable: Variable, texts: Mapping[str, str]) -> str:
    codes = [dimension_code(dim, texts) for dim in variable.dims]
    return f"({', '.join(codes)}{',' if len(codes) == 1 else ''})"


def _docstring(request: Request) -> str:
    shown = [shorten(str(view)).replace("\\", "\\\\").replace('"""', "'''") for view in request.outputs]
    if len(shown) == 1 and len(shown[0]) < 100 and "\n" not in shown[0]:
        return f'"""{shown[0]}"""'
    return "\n".join(['"""The values of', "", *(f"    {line}" for view in shown for line in view.split("\n")), '"""'])
