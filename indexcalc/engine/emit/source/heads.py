"""The head of a function: lines that find the sizes of arrays and check their shapes, and the names of symbols."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from indexcalc.engine.emit.source.writer import RESERVED
from indexcalc.engine.emit.symbols import dimension_code, solution_code
from indexcalc.engine.emit.texts import require_identifier
from indexcalc.graph.node import Node, Variable, topological
from indexcalc.graph.ranges import at_least, entries_taken
from indexcalc.index import Dim, Dimension


class ShapeLines(NamedTuple):
    """Lines that find sizes, the symbols that they give, and the arrays whose shapes say no more, and those that do."""

    lines: list[str]
    known: set[str]
    whole: list[Variable]
    checked: list[Variable]


def argument_names(labels: Iterable[str], name: str) -> dict[str, str]:
    """The names of inputs and functions in a function of this name: their own, unless Python or the lines need these.

    >>> argument_names(["x", "f", "np"], "f")
    {'x': 'x', 'f': 'f_', 'np': 'np_'}
    """
    found: dict[str, str] = {}
    for own in labels:
        made = re.sub(r"\W", "_", own)
        while made in RESERVED or made == name or made in (v for k, v in found.items() if k != own):
            made += "_"
        found[own] = made
    return found


def symbol_names(symbols: set[str], taken: Mapping[str, str]) -> dict[str, str]:
    """The names of symbols in the lines.

    >>> symbol_names({"n", "np"}, {"x": "n"})
    {'n': 'n_', 'np': 'np_'}
    """
    found: dict[str, str] = {}
    for symbol in sorted(symbols):
        made = re.sub(r"\W", "_", symbol.removeprefix("?"))
        require_identifier(made)
        while made in RESERVED or made in taken.values() or made in found.values():
            made += "_"
        found[symbol] = made
    return found


def sizes_of(variables: Sequence[Variable], names: Mapping[str, str], texts: Mapping[str, str]) -> ShapeLines:
    """The lines that find the sizes in the shapes of arrays with these names; `texts` has the names of symbols.

    >>> from indexcalc.graph.constructors import variable
    >>> from indexcalc.index import dim
    >>> sizes_of([variable("X", (dim("n"), 3))], {"X": "X"}, {"n": "n"}).lines
    ['n, _ = X.shape']
    """
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
    return ShapeLines(lines, known, whole, checked)


def head(variables: Sequence[Variable], names: Mapping[str, str], texts: Mapping[str, str]) -> list[str]:
    """The lines that find the sizes and check the shapes."""
    lines, _, whole, checked = sizes_of(variables, names, texts)
    if checked:
        shapes = [f"{names[v.label]}.shape" for v in checked]
        wanted = [_shape(v, texts) for v in checked]
        one, other = (f"({', '.join(x)})" if len(x) > 1 else x[0] for x in (shapes, wanted))
        shown = " and ".join(f"{names[v.label]} {{{names[v.label]}.shape}}" for v in checked)
        rest = " and ".join(f"{names[v.label]} {{{names[v.label]}.shape}}" for v in whole)
        verb = "does" if len(checked) == 1 else "do"
        found = f"{shown} {verb} not go with {rest}" if rest else f"{shown} {verb} not have the right shape"
        lines += [f"if {one} != {other}:", f'    raise ValueError(f"{found}")']
    return lines


def needed(found: ShapeLines, lines: Sequence[str], texts: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The lines that find the sizes that other lines read, and the names of sizes that these read and nothing gives.

    >>> found = ShapeLines(["n, d = X.shape", "(m,) = y.shape"], {"n", "d", "m"}, [], [])
    >>> needed(found, ["return d"], {"d": "d", "p": "p"})
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


def long_enough(roots: Sequence[Node], texts: Mapping[str, str]) -> list[str]:
    """The lines that check that axes have the entries that slices take, where not all axes do."""
    lines: dict[str, str] = {}
    for node in topological(roots):
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
