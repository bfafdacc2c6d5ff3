"""`docs/design.md` tells the house as it is: its rooms and modules, the kinds of nodes, the ways of four calls."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import laws
import pytest

import indexcalc as ic
from indexcalc.graph.node import KINDS

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "indexcalc"
PAGE = (ROOT / "docs" / "design.md").read_text("utf-8")


def first_line(path: Path) -> str:
    """The first line of a module's docstring, as a cell of a table."""
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return docstring.splitlines()[0].replace("|", "\\|")


def rooms() -> list[str]:
    """The table of rooms, a line each, as the folders are."""
    lines = []
    for floor in laws.FLOORS:
        if not (PACKAGE / floor).is_dir():
            lines.append(f"| `{floor}` | {first_line(PACKAGE / f'{floor}.py')} | |")
            continue
        for folder in sorted({path.parent for path in (PACKAGE / floor).rglob("*.py")}):
            modules = sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")
            name, said = folder.relative_to(PACKAGE).as_posix(), first_line(folder / "__init__.py")
            lines.append(f"| `{name}/` | {said} | {' '.join(modules)} |")
    return lines


def test_the_page_has_each_room_and_each_module() -> None:
    assert "\n".join(rooms()) in PAGE, "the table should be:\n" + "\n".join(rooms())


def test_the_page_has_each_kind() -> None:
    told = re.search(r"## The kinds\n\n(.*?)\n\n", PAGE, re.DOTALL)
    assert told is not None
    assert re.findall(r"`(\w+)`", told[1]) == [kind.__name__ for kind in KINDS]


def ways() -> dict[str, tuple[Callable[[], Any], str]]:
    """What is called, and the rooms above the graph that it may pass."""
    X, w, y = ic.tensor("X", "n d"), ic.tensor("w", "d"), ic.tensor("y", "n")
    loss = ((X @ w - y) ** 2).sum()
    grad = ic.grad(loss, w)
    f = ic.compile(loss, (X, w, y), sizes={"n": 3, "d": 2})
    return {
        "grad": (lambda: ic.grad(loss, w), "views calculus functions simplify"),
        "text": (lambda: str(grad), "views writing simplify functions"),
        "compile": (
            lambda: ic.compile(loss, (X, w, y), sizes={"n": 5, "d": 4}),
            "engine views writing simplify functions",
        ),
        "call": (lambda: f([[1.0, 2], [3, 4], [5, 6]], [1.0, 2], [0.0, 0, 0]), "engine functions"),
        "parse": (
            lambda: ic.parse("X.T @ (X @ w - y)", X="n d", w="d", y="n"),
            "reading views functions writing simplify",
        ),
    }


@pytest.mark.parametrize("name", ["grad", "text", "compile", "call", "parse"])
def test_a_way_passes_the_rooms_that_the_page_names(name: str) -> None:
    call, told = ways()[name]
    passed: set[str] = set()

    def watch(frame: Any, event: str, _: Any) -> None:
        path = frame.f_code.co_filename
        if event == "call" and path.startswith(str(PACKAGE)):
            passed.add(Path(path).relative_to(PACKAGE).parts[0].removesuffix(".py"))

    sys.setprofile(watch)
    try:
        call()
    finally:
        sys.setprofile(None)
    everywhere = {"graph", "index", "interning", "errors", "surface", "progress", "later", "__init__"}
    assert passed - everywhere <= set(told.split())
