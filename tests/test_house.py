"""The house: style and types, the order of the floors, what an import costs, and that all that is shown runs."""

from __future__ import annotations

import ast
import doctest
import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "indexcalc"
MODULES = sorted(PACKAGE.rglob("*.py"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMAND = 'python -m pip install -e ".[test]" && python -m pytest -n auto'

FLOORS = [
    {"errors"},
    {"index"},
    {"graph"},
    {"functions"},
    {"calculus"},
    {"notation"},
    {"layout"},
    {"evaluate"},
    {"checking"},
    {"testing", "derivation"},
    {"__init__"},
    {"__main__"},
]
LEVEL = {part: level for level, parts in enumerate(FLOORS) for part in parts}

LAZY = {
    ("notation/view.py", "evaluate"): "`.evaluate()` and `.equals()` of the views",
    ("notation/expr.py", "layout"): "`.matrix()` of an Expr",
    ("notation/array.py", "layout"): "`.matrix()` of an Array",
    ("notation/differentiate.py", "layout"): "`.layout()` of a derivative",
}
"""Imports from a floor above, which are allowed inside a function alone, and what for."""


def run(*command: str, **environment: str) -> str:
    """What a command prints; it has to succeed."""
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def installed(*names: str) -> pytest.MarkDecorator:
    """The mark of a test that needs these packages."""
    missing = [name for name in names if find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"it runs {', '.join(missing)}, not installed here")


@installed("ruff")
@pytest.mark.parametrize("command", [("check",), ("format", "--check")], ids=" ".join)
def test_style(command: tuple[str, ...]) -> None:
    run(sys.executable, "-m", "ruff", *command, ".")


@installed("mypy")
def test_types() -> None:
    run(sys.executable, "-m", "mypy")


def needed(text: str) -> list[str]:
    """The packages outside the library that a text of Python imports, where they aren't installed."""
    names = set(re.findall(r"^(?:>>> |\.\.\. )? *(?:import|from) (\w+)", text, re.MULTILINE))
    return sorted(name for name in names if find_spec(name) is None)


# ------------------------------------------------------------------ what CONTRIBUTING says


def tasks() -> dict[str, str]:
    """The entries of the Makefile, with their line of help."""
    return dict(re.findall(r"^([a-z]+):.*## (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def test_each_task_of_the_help_is_an_entry_and_stands_in_contributing() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    entries = re.findall(r"^([a-z]+):", makefile, re.MULTILINE)
    assert entries == list(tasks()), "each has a line of help"
    assert f".PHONY: {' '.join(entries)}\n" in makefile
    told = re.findall(r"`make (\w+)`", (ROOT / "CONTRIBUTING.md").read_text("utf-8"))
    assert set(told) == set(entries)
    if shutil.which("make"):
        shown = run("make", "help")
        assert [line.split()[0] for line in shown.splitlines()] == entries


def test_the_marks_of_the_tests_stand_in_contributing() -> None:
    marks = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]["ini_options"]["markers"]
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert all(f"`{mark.partition(':')[0]}`" in text for mark in marks)


# ------------------------------------------------------------------ the floors


def part_of(name: str) -> str:
    """The room that a dotted name lies in."""
    parts = name.split(".")
    if len(parts) > 1 and ((PACKAGE / parts[1]).is_dir() or (PACKAGE / f"{parts[1]}.py").is_file()):
        return parts[1]
    return "__init__"


def imports(tree: ast.AST, inside: bool = False) -> Iterator[tuple[str, bool]]:
    """The names that a module imports from the package, but for type checking, and whether in a function."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written out in full"
            yield from ((f"{node.module}.{alias.name}", inside) for alias in node.names)
        else:
            yield from imports(node, inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda))


def test_a_module_imports_only_from_the_floors_below() -> None:
    wrong = []
    for path in MODULES:
        name = path.relative_to(PACKAGE).as_posix()
        own = name.split("/")[0].removesuffix(".py")
        for imported, inside in imports(ast.parse(path.read_text("utf-8"))):
            if imported.split(".")[0] != "indexcalc":
                continue
            part = part_of(imported)
            allowed = part == own or LEVEL[part] < LEVEL[own] or (inside and (name, part) in LAZY)
            if not allowed:
                wrong.append(f"{name} imports {imported}")
    assert not wrong


def test_every_lazy_import_that_is_allowed_is_there() -> None:
    for name, part in LAZY:
        found = imports(ast.parse((PACKAGE / name).read_text("utf-8")))
        assert any(inside and imported.startswith(f"indexcalc.{part}") for imported, inside in found)


def test_an_import_of_the_package_loads_nothing_that_is_optional() -> None:
    shown = run(sys.executable, "-c", "import sys, indexcalc; print(*{name.split('.')[0] for name in sys.modules})")
    assert not {"torch", "jax", "sympy", "lark", "scipy", "dask", "cotengra", "matplotlib"} & set(shown.split())


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_file_is_too_long(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 700


# ------------------------------------------------------------------ what is shown


def test_one_command_tests_everything() -> None:
    assert COMMAND in (ROOT / "README.md").read_text("utf-8")
    script = ROOT / ".ci" / "run"
    assert not script.exists() or COMMAND in script.read_text("utf-8"), "an sdist is without it"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_pages(path: Path) -> None:
    """Every block of Python is a session, the blocks of a page are one after the other, and print what they show."""
    text = path.read_text("utf-8")
    if missing := needed(text):
        pytest.skip(f"the page shows {', '.join(missing)}, not installed here")
    for block in re.findall(r"^```(?:python|pycon)\b.*?\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        assert block.startswith(">>> "), f"write it as a session, with >>>:\n{block}"
    without_fences = re.sub(r"^```.*$", "", text, flags=re.MULTILINE)
    session = doctest.DocTestParser().get_doctest(without_fences, {}, path.name, str(path), 0)
    printed: list[str] = []
    failed, _ = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(session, out=printed.append)
    assert not failed, "".join(printed)


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.name)
def test_examples(path: Path) -> None:
    """An example prints what its `.out` file, or its docstring below the line `Output:`, says."""
    if missing := needed(path.read_text("utf-8")):
        pytest.skip(f"the example runs {', '.join(missing)}, not installed here")
    expected_file = path.with_suffix(".out")
    if expected_file.exists():
        expected = expected_file.read_text("utf-8")
    else:
        docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        expected = textwrap.dedent(docstring.partition("Output:\n")[2]).strip("\n") + "\n"
    printed = run(sys.executable, "-W", "error", str(path), PYTHONPATH=str(ROOT), PYTHONIOENCODING="utf-8")
    assert printed == expected
