"""The house: style and types, the order of the floors, what an import costs, and that all that is shown runs."""

from __future__ import annotations

import ast
import doctest
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "indexcalc"
MODULES = sorted(PACKAGE.rglob("*.py"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMAND = 'python -m pip install -e ".[test]" && python -m pytest -n auto'

FLOORS = (
    "errors", "index", "graph", "functions", "simplify", "calculus", "writing", "engine", "layout", "equality", "views",
    "reading", "checking", "explaining", "testing", "__main__", "__init__",
)  # fmt: skip
LEVEL = {part: level for level, part in enumerate(FLOORS)}

UPWARD = {
    ("engine.bind.constants", "views.functions.matrices"),
    ("engine.bind.request", "layout.project"),
    ("engine.bind.request", "views.view"),
    ("engine.compile.backends", "views.view"),
    ("engine.compile.compiled", "views.view"),
    ("engine.compile.source", "views.view"),
    ("engine.compressed.compressed", "views.differentiate"),
    ("engine.compressed.compressed", "views.expr"),
    ("engine.compressed.compressed", "views.view"),
    ("engine.front", "layout.project"),
    ("engine.front", "views.array"),
    ("engine.front", "views.expr"),
    ("engine.front", "views.view"),
    ("engine.plan.plan", "views.array"),
    ("engine.plan.plan", "views.view"),
    ("engine.preflight", "views.view"),
    ("equality.equality", "views.array"),
    ("equality.equality", "views.expr"),
    ("equality.equality", "views.view"),
    ("layout.conventions", "views.functions.matrices"),
    ("layout.panel", "views.array"),
    ("layout.panel", "views.differentiate"),
    ("layout.panel", "views.expr"),
    ("layout.project", "views.array"),
    ("layout.project", "views.differentiate"),
    ("layout.project", "views.expr"),
    ("layout.project", "views.functions.matrices"),
    ("layout.project", "views.view"),
    ("layout.with_numpy", "views.differentiate"),
    ("layout.with_numpy", "views.functions.matrices"),
    ("writing.index.arrange", "views.expr"),
    ("writing.index.text", "views.expr"),
    ("writing.matrix.formula", "views.array"),
    ("writing.matrix.reduce", "views.expr"),
}
"""Imports from a floor above that are left; the list only shrinks."""


def run(*command: str, **environment: str) -> str:
    """What a command prints; it has to succeed."""
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_style() -> None:
    run(sys.executable, "-m", "ruff", "check", ".")


def test_types() -> None:
    run(sys.executable, "-m", "mypy")


# ------------------------------------------------------------------ the floors


def part_of(name: str) -> str:
    """The room that a dotted name lies in."""
    parts = name.split(".")
    if len(parts) > 1 and ((PACKAGE / parts[1]).is_dir() or (PACKAGE / f"{parts[1]}.py").is_file()):
        return parts[1]
    return "__init__"


def imports(tree: ast.AST) -> Iterator[str]:
    """The names that a module imports, wherever it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written out in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_of(name: str) -> str:
    """The module of the package that a dotted name lies in, without the package's own name."""
    parts = name.split(".")
    while not (
        PACKAGE.parent.joinpath(*parts).with_suffix(".py").is_file() or PACKAGE.parent.joinpath(*parts).is_dir()
    ):
        parts.pop()
    return ".".join(parts[1:])


def test_a_module_imports_only_from_the_floors_below() -> None:
    found = set()
    for path in MODULES:
        own = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
        for imported in imports(ast.parse(path.read_text("utf-8"))):
            if imported.split(".")[0] == "indexcalc" and LEVEL[part_of(imported)] > LEVEL[own.split(".")[0]]:
                found.add((own, module_of(imported)))
    assert found == UPWARD


def test_an_import_of_the_package_loads_nothing_that_is_optional() -> None:
    shown = run(sys.executable, "-c", "import sys, indexcalc; print(*{name.split('.')[0] for name in sys.modules})")
    assert not {"torch", "jax", "sympy", "lark", "scipy", "dask", "cotengra", "matplotlib"} & set(shown.split())


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_file_is_too_long(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 701


# ------------------------------------------------------------------ what is shown


def test_one_command_tests_everything() -> None:
    assert COMMAND in (ROOT / "README.md").read_text("utf-8")
    assert COMMAND in (ROOT / ".ci" / "run").read_text("utf-8")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_pages(path: Path) -> None:
    """Every block of Python is a session, the blocks of a page are one after the other, and print what they show."""
    text = path.read_text("utf-8")
    for block in re.findall(r"^```(?:python|pycon)\b.*?\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        assert block.startswith(">>> "), f"write it as a session, with >>>:\n{block}"
    without_fences = re.sub(r"^```.*$", "", text, flags=re.MULTILINE)
    session = doctest.DocTestParser().get_doctest(without_fences, {}, path.name, str(path), 0)
    printed: list[str] = []
    failed, _ = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(session, out=printed.append)
    assert not failed, "".join(printed)


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.name)
def test_examples(path: Path) -> None:
    """An example prints what its `.out` file, or its docstring below the line `Output:`, says."""
    expected_file = path.with_suffix(".out")
    if expected_file.exists():
        expected = expected_file.read_text("utf-8")
    else:
        docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        expected = textwrap.dedent(docstring.partition("Output:\n")[2]).strip("\n") + "\n"
    printed = run(sys.executable, "-W", "error", str(path), PYTHONPATH=str(ROOT), PYTHONIOENCODING="utf-8")
    assert printed == expected
