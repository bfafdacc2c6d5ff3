"""A function of the table as text in a target: NumPy, JAX or PyTorch. `table.py` says what a row's `code` holds."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from symtable import SymbolTable, symtable
from typing import NamedTuple

from indexcalc.errors import NoRuleError
from indexcalc.functions.table import ElementwiseFunction, MatrixFunction, ReductionFunction

Row = ElementwiseFunction | ReductionFunction | MatrixFunction
MODULES = {"numpy": "np", "jax": "jnp", "torch": "torch"}
IMPORTS = {"numpy": "import numpy as np", "jax": "import jax.numpy as jnp", "torch": "import torch"}
FILES = {"numpy": ("numpy", "scipy", "shared"), "jax": ("jax", "shared"), "torch": ("torch", "shared")}
"""The files of this folder that have the functions of a target; of two of one name the first one counts."""
OTHERS = ("functools", "jax", "math", "scipy.linalg", "scipy.special")
PLACE = re.compile(r"\{(\w+)\}")
CALLED = re.compile(r"(?<![\w.])([A-Za-z_]\w*)\(")
ATOMS = (ast.Name, ast.Constant, ast.Call, ast.Attribute, ast.Subscript)


class Written(NamedTuple):
    """A call of a function as text.

    An expression, and the functions that it needs beside the modules, by name, each after those that it calls.
    """

    expression: str
    helpers: Mapping[str, str]


class SourceText(NamedTuple):
    """A function (or class) of this folder: its text, with its rules if it has some, and the globals that it names."""

    text: str
    names: frozenset[str]


def write(
    row: Row,
    target: str,
    args: Sequence[str],
    params: Mapping[str, str],
    taken: Collection[str] = (),
    small: bool = False,
    real: bool = False,
) -> Written:
    """The function of these arguments and parameters, which are texts, in a target.

    For a reduction the arguments are x and the tuple of axes; where it takes exactly two axes x alone, with the
    matrices along its last two axes; `small` asks for the closed form of matrices of order 3 at most. `real` says that
    the arguments are real, and asks for the target's own function of such, if it has one. No helper has a name that is
    taken. A function that has no code for the target is an error that names both.

    >>> from indexcalc.functions.table import ELEMENTWISE, REDUCTIONS
    >>> write(ELEMENTWISE["exp"], "jax", ["a + b"], {})
    Written(expression='jnp.exp(a + b)', helpers={})
    >>> write(REDUCTIONS["max"], "torch", ["x", "(0, 1)"], {}).expression
    'torch.amax(x, (0, 1))'
    >>> print(write(ELEMENTWISE["step"], "torch", ["x"], {}).helpers["step"])
    def step(x):
        \"""1 where x > 0, 0 elsewhere.\"""
        return torch.asarray(x > 0, dtype=x.dtype)
    """
    code = row.small if small and isinstance(row, ReductionFunction) else _code(row, target)
    texts = dict(params)
    if real and (own := _real(row, target, args)) is not None:
        code = own
        texts |= {"axis": args[-1].strip("(,)")}
    if code is None:
        raise NoRuleError(
            f"{row.name} in {target}",
            "the function has no code for this target",
            f"generate code for {' or '.join(name for name in MODULES if _code(row, name))}, where it has",
        )
    code = code.replace("{np}", MODULES[target])
    names = ["x", "axes"] if isinstance(row, ReductionFunction | MatrixFunction) else map(str, range(len(args)))
    made = helpers(CALLED.findall(code), target, taken)
    code = CALLED.sub(lambda call: f"{made.renamed.get(call[1], call[1])}(", code)
    return Written(_fill(code, {**dict(zip(names, args, strict=False)), **texts}), made.texts)


class Helpers(NamedTuple):
    """Functions by name, each after those that it calls, and the names under which they stand here."""

    texts: dict[str, str]
    renamed: dict[str, str]


def helpers(names: Iterable[str], target: str, taken: Collection[str] = ()) -> Helpers:
    """These functions of a target, and all that they call, under names that are not taken.

    >>> helpers(["small_det"], "jax", ["small_det"]).renamed
    {'small_cofactor': 'small_cofactor', 'small_det': 'small_det_'}
    """
    known, made = definitions(target), Helpers({}, {})

    def add(name: str) -> None:
        if name in known and name not in made.renamed:
            for other in sorted(known[name].names - {name}):
                add(other)
            made.renamed[name] = free_name(name, taken)
            text = known[name].text
            for own, other in made.renamed.items():
                text = text if own == other else re.sub(rf"(?<![\w.]){own}\b", other, text)
            made.texts[made.renamed[name]] = text

    for name in names:
        add(name)
    return made


def free_name(name: str, taken: Collection[str]) -> str:
    """The name, with underscores until it is not taken."""
    while name in taken:
        name += "_"
    return name


@cache
def definitions(target: str) -> Mapping[str, SourceText]:
    """All functions and classes of a target, by name, as text that nobody imports."""
    found: dict[str, SourceText] = {}
    for file in FILES.get(target, ()):
        text = Path(__file__).with_name(f"{file}.py").read_text("utf-8")
        if file == "shared":
            text = re.sub(r"\bnp\.", f"{MODULES[target]}.", text)
        found = {**_definitions(text), **found}
    return found


def imports(text: str, target: str) -> list[str]:
    """The lines that import what the text uses: the module of the target, and other modules that are named in it.

    >>> imports("scipy.special.erf(x) * math.pi", "numpy")
    ['import math', 'import numpy as np', 'import scipy.special']
    """
    used = [f"import {name}" for name in OTHERS if re.search(rf"(?<![\w.]){re.escape(name)}\.", text)]
    if re.search(r"(?<![\w.])np\.", text):
        used.append(IMPORTS["numpy"])
    return sorted({IMPORTS[target], *used})


def _code(row: Row, target: str) -> str | None:
    """The expression of a row in a target: its own, or a call of the function of its name."""
    code = row.code if isinstance(row.code, str) else row.code.get(target)
    if code is not None and target in MODULES:
        return code
    if row.name not in definitions(target):
        return None
    if isinstance(row, ElementwiseFunction):
        names = [str(k) for k in range(row.arity)]
    else:
        names = ["x", "axes"] if isinstance(row, ReductionFunction) and row.axes != 2 else ["x"]
    return f"{row.name}({', '.join(f'{{{name}}}' for name in (*names, *row.params))})"


def _real(row: Row, target: str, args: Sequence[str]) -> str | None:
    """The expression of a row for real arguments, along one axis; None if the target has no function of its own."""
    along_one = not isinstance(row, ReductionFunction) or re.fullmatch(r"\(\d+,\)", args[-1])
    return None if isinstance(row, MatrixFunction) or not along_one else row.real.get(target)


def _definitions(text: str) -> dict[str, SourceText]:
    """The functions and classes of a module; what is decorated by one of them, as its rule is, belongs to it."""
    lines, found = text.splitlines(), dict[str, SourceText]()
    for node in ast.parse(text).body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        own = "\n".join(lines[first - 1 : node.end_lineno])
        names = frozenset(_globals(symtable(own, node.name, "exec").get_children()))
        roots = (d.value for d in node.decorator_list if isinstance(d, ast.Attribute))
        ruled = next((root.id for root in roots if isinstance(root, ast.Name) and root.id in found), None)
        if ruled is None:
            found[node.name] = SourceText(own, names)
        else:
            found[ruled] = SourceText(f"{found[ruled].text}\n\n\n{own}", found[ruled].names | names)
    return found


def _globals(tables: Iterable[SymbolTable]) -> Iterator[str]:
    """The global names that the bodies of functions and classes refer to."""
    for table in tables:
        yield from (symbol.get_name() for symbol in table.get_symbols() if symbol.is_global())
        yield from _globals(table.get_children())


def _fill(code: str, texts: Mapping[str, str]) -> str:
    """The template with these texts in its places, in parentheses where they could be read otherwise."""

    def filled(place: re.Match[str]) -> str:
        text = texts[place[1]]
        before, after = code[: place.start()].rstrip(), code[place.end() :].lstrip()
        delimited = before.endswith(("(", ",", "[")) and after.startswith((")", ",", "]"))
        return text if delimited or isinstance(ast.parse(text, mode="eval").body, ATOMS) else f"({text})"

    return PLACE.sub(filled, code)
