"""What type checkers and editors see of the package: `indexcalc/__init__.pyi`, made from the surface itself.

`python tests/stubs.py` writes it anew; `test_editors.py` compares. Functions that are made from rows of the table, at
run time, stand there with their signatures for both views and with their docstrings; all else is imported from where it
is written.
"""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import indexcalc as ic
from indexcalc.functions.table import ELEMENTWISE, REDUCTIONS

WIDTH = 110
"""Characters of a line of a docstring."""
PATH = Path(ic.__file__).with_suffix(".pyi")
HEAD = '''"""The surface, as type checkers and editors see it: made by `python tests/stubs.py`."""

from collections.abc import Sequence
from typing import Any, overload

'''
ALONG = ("sum", "mean", "normF", *(name for name, row in REDUCTIONS.items() if row.public and name in ic.FUNCTIONS))
"""Functions along axes."""
BOTH = ("simplify", "expand")
"""Functions of the package's own module, of either view."""


def _documented(definition: str, value: Any) -> str:
    own = (inspect.getdoc(inspect.unwrap(value)) or "").splitlines()
    text = "\n".join(line if len(line) <= WIDTH else textwrap.fill(line, WIDTH) for line in own)
    raw, end = "r" if "\\" in text else "", "\n" if "\n" in text else ""
    quoted = f'{raw}"""{text}{end}"""'
    return f"{definition}\n{textwrap.indent(quoted, '    ')}\n"


def _overloads(name: str, rows: list[tuple[str, str]]) -> str:
    """One definition for each row of parameters and result, with the docstring at the last, where editors look."""
    heads = [f"@overload\ndef {name}({parameters}) -> {result}:" for parameters, result in rows]
    return "".join([*(f"{head} ...\n" for head in heads[:-1]), _documented(heads[-1], getattr(ic, name))])


def _entrywise(name: str, params: tuple[str, ...], arity: int) -> str:
    """Entry by entry: an Expr where one enters, an Array where only Arrays and numbers do."""
    anything, plain = "Expr | Array | PlainNumber", "PlainNumber"
    kinds = []
    for place in range(arity):
        after = arity - place - 1
        kinds.append(([plain] * place + ["Array"] + ["Array | PlainNumber"] * after, "Array"))
        kinds.append((["Array | PlainNumber"] * place + ["Expr"] + [anything] * after, "Expr"))
    kinds.append(([plain] * arity, "Expr"))
    words = list(inspect.signature(ic.FUNCTIONS[name]).parameters)[len(params) :]
    own = [f"{word}: PlainNumber" for word in params]
    rows = [
        (", ".join([*own, *(f"{word}: {kind}" for word, kind in zip(words, row, strict=True)), "/"]), result)
        for row, result in kinds
    ]
    return _overloads(name, rows)


def _along(name: str) -> str:
    """Along axes: indices of an Expr, numbers of an Array."""
    names = inspect.signature(ic.FUNCTIONS[name]).parameters
    keeps = ", keepdims: bool = False" if "keepdims" in names else ""
    row = REDUCTIONS.get(name)
    own = [f"{word}: complex" for word in (row.params if row else ())]
    array, expr = (
        ", ".join([f"x: {view}", *own, f"*{words}: {kind}", f"axis: {kind} | Sequence[{kind}] | None = None{keep}"])
        for view, words, kind, keep in (("Array", "axes", "int", keeps), ("Expr", "indices", "Index", ""))
    )
    return _overloads(name, [(array, "Array"), (expr, "Expr")])


def _plain(name: str) -> str:
    """The signature as it is written; of what takes either view and gives the same, one for each."""
    value = getattr(ic, name)
    form = inspect.signature(value)
    if form.return_annotation == "Expr | Array":
        first, *rest = form.parameters.values()
        rows = []
        for view in ("Expr", "Array"):
            own = form.replace(parameters=[first.replace(annotation=view), *rest])
            rows.append((_signature(own)[1:].rpartition(")")[0], view))
        return _overloads(name, rows)
    return _documented(f"def {name}{_signature(form)}:", value)


def _signature(form: inspect.Signature) -> str:
    return re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(form))


def _home(name: str) -> tuple[str, str] | None:
    """The module in which it is written, and its name there; None for what is made at run time."""
    value = getattr(ic, name)
    home = sys.modules[value.__module__]
    while True:
        for word, member in vars(home).items():
            if member is value:
                return home.__name__, word
        if not hasattr(value, "__wrapped__"):
            return None
        value = value.__wrapped__


def _is_written(name: str) -> bool:
    """Is it to be imported: written somewhere, with one type whatever view it is given?"""
    if name in (*BOTH, "pi", "sqrt") or name in ALONG or name in ELEMENTWISE or not _home(name):
        return False
    return name not in ic.FUNCTIONS or inspect.signature(getattr(ic, name)).return_annotation != "Expr | Array"


def _imported(name: str) -> str:
    home, own = _home(name) or ("", "")
    return f"from {home} import {own} as {name}\n"


def _parts() -> Iterator[str]:
    names = sorted(ic.__all__)
    written = set(filter(_is_written, names))
    yield "".join(_imported(name) for name in names if name in written)
    yield "from indexcalc.views.view import PlainNumber\n\n__version__: str\npi: Array\n"
    for name in names:
        if name in written:
            continue
        if name in ELEMENTWISE:
            yield _entrywise(name, ELEMENTWISE[name].params, ELEMENTWISE[name].arity)
        elif name == "sqrt":
            yield _entrywise(name, (), 1)
        elif name in ALONG:
            yield _along(name)
        elif name in BOTH:
            yield _overloads(name, [("expr: Expr", "Expr"), ("expr: Array", "Array")])
        elif name in ic.FUNCTIONS:
            yield _plain(name)
    yield f"__all__ = {names!r}\n"


def stub() -> str:
    """The text of the file."""
    ruff = [sys.executable, "-m", "ruff"]
    text = HEAD + "\n".join(_parts())
    for words in (["check", "--fix-only", "--select", "I,F401", "--quiet"], ["format", "--quiet"]):
        command = [*ruff, *words, "--stdin-filename", str(PATH), "-"]
        text = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    return text


if __name__ == "__main__":
    PATH.write_text(stub(), "utf-8")
