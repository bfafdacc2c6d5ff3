"""The house: style and types, the order of the floors, what an import costs, and that all that is shown runs."""

from __future__ import annotations

import ast
import doctest
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "indexcalc"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMAND = 'python -m pip install -e ".[test]" && python -m pytest -n auto'


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


def test_an_import_of_the_package_loads_nothing_that_is_optional() -> None:
    shown = run(sys.executable, "-c", "import sys, indexcalc; print(*{name.split('.')[0] for name in sys.modules})")
    assert not {"torch", "jax", "sympy", "lark", "scipy", "dask", "cotengra", "matplotlib"} & set(shown.split())


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
