"""The house: style and types, the tasks, what an import costs, and that all that is shown runs."""

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
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "indexcalc"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MOST_MODULES = 85
"""Modules of its own that an import of the package may load: each costs its file, read and run."""
COMMAND = 'python -m pip install -e ".[test]" && python -m pytest -n auto'


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


@pytest.mark.slow
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


def test_an_import_of_the_package_loads_nothing_that_is_optional() -> None:
    """Beside NumPy and opt_einsum, and no more of these than they load themselves, but for its own modules of views."""
    code = "import sys, numpy, opt_einsum; old = {*sys.modules}; import indexcalc; print(*{*sys.modules} - old)"
    loaded = run(sys.executable, "-c", code).split()
    roots = {name.partition(".")[0] for name in loaded}
    assert not {"torch", "jax", "sympy", "lark", "scipy", "dask", "cotengra", "matplotlib"} & roots
    assert not {"numpy", "opt_einsum", "ctypes", "asyncio", "typing_extensions"} & roots
    own = [name for name in loaded if name.partition(".")[0] == "indexcalc"]
    assert len(own) <= MOST_MODULES, "what need not be there at once is loaded by `indexcalc.later`"


# ------------------------------------------------------------------ what is shown


def test_one_command_tests_everything() -> None:
    assert COMMAND in (ROOT / "README.md").read_text("utf-8")
    script = ROOT / ".ci" / "run"
    assert not script.exists() or COMMAND in script.read_text("utf-8"), "an sdist is without it"


def test_what_the_page_is_tested_with_is_installed_by_ci() -> None:
    script = ROOT / ".ci" / "run"
    told = re.search(r"`apt-get (install [^`]*)`", (ROOT / "CONTRIBUTING.md").read_text("utf-8"))
    assert told is not None
    installs = script.read_text("utf-8").replace("-qq ", "") if script.exists() else told[1]
    assert told[1] in installs and (not script.exists() or '".[browser]"' in installs)


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
