"""What editors, type checkers and people who read a traceback see."""

from __future__ import annotations

import inspect
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import stubs

import indexcalc as ic

i, j, k = ic.indices("i j k")
x, W, A = ic.tensor("x", "n"), ic.tensor("W", "n m"), ic.tensor("A", "n n")
ROOT = Path(ic.__file__).parent


# ------------------------------------------------------------------ names


def test_the_module_shows_its_surface_and_nothing_else() -> None:
    assert dir(ic) == sorted([*ic.__all__, "__version__"])
    assert {"compile", "verify", "parse"} <= set(dir(ic))
    assert not {"LATER", "later", "Any", "FUNCTIONS", "views"} & set(dir(ic))
    assert all(getattr(ic, name) is not None for name in dir(ic))


def test_the_stub_is_that_of_the_surface() -> None:
    assert stubs.PATH.read_text("utf-8") == stubs.stub(), "write it anew: python tests/stubs.py"


# ------------------------------------------------------------------ types

SNIPPET = """
import numpy as np

import indexcalc as ic

i, j = ic.indices("i j")
x, A, s = ic.tensor("x", "n"), ic.tensor("A", "n n"), ic.scalar("s")
n = x.shape[0]
"""
TYPES = {
    "x": "Array", "x[i]": "Expr", "A[i, j]": "Expr", "x[1:]": "Array", "A[0, :]": "Array", "A[..., None]": "Array",
    "x[i] * A[i, j]": "Expr", "A @ x": "Array", "2 * x": "Array", "x / n": "Array", "s * x[i]": "Expr", "x**2": "Array",
    "ic.exp(x)": "Array", "ic.exp(x[i])": "Expr", "ic.maximum(0, x)": "Array", "ic.where(x > 0, x, 0)": "Array",
    "ic.softmax(A, axis=1)": "Array", "ic.softmax(A[i, j], j)": "Expr", "ic.sum(x[i])": "Expr", "ic.sqrt(s)": "Array",
    "ic.grad(x @ x, x)": "ArrayDerivative", "2 * ic.hessian(x @ x, x)": "Array",
    "ic.hessian(x @ x, x)": "ArrayDerivative",
    "ic.grad(x @ x, [x, A])": "list[ArrayDerivative]", "ic.diff(x[i], x[j])": "Derivative",
    "x[i].diff(x[j])": "Derivative",
    "ic.derivative(A @ x, x).layout('jax')": "Array", "ic.grad(x @ x, x).layouts()": "Layouts", "ic.pi": "Array",
    "ic.jvp(A @ x, x, x)": "Array", "ic.vjp(A @ x, [x, A], x)": "list[ArrayDerivative]", "ic.ones('n')": "Array",
    "ic.ones(i)": "Expr", "ic.define('y', A @ x)": "Array", "ic.define('y', x[i])": "Expr", "ic.inv(A)": "Array",
    "ic.eigh(A)": "tuple[Array, Array]", "x.evaluate(x=np.ones(3))": "ndarray[Any, Any]", "x.equals(x)": "Equality",
    "ic.compressed(A)": "Compressed",
    "ic.einsum('ij,j->i', A, x)": "Array", "x.variables['x']": "Array",
    "ic.check('x', ic.grad(x @ x, x)).right": "bool", "x.shape[0]": "int | Dim",
}  # fmt: skip
"""What a type checker says of expressions."""
MISSPELT = ("ic.softmaxx(x)", "x.evalute()", "ic.grad(x @ x, x).layuot('jax')", "ic.exp('x')", "A['i']")
"""What it refuses."""


@pytest.mark.slow
def test_types_are_told_and_misspelt_names_refused(tmp_path: Path) -> None:
    told = "".join(f"reveal_type({text})\n" for text in TYPES)
    path = tmp_path / "snippet.py"
    path.write_text(SNIPPET + told + "".join(f"{text}\n" for text in MISSPELT))
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(tmp_path), str(path)]
    done = subprocess.run(command, cwd=ROOT.parent, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    found = [line.partition('Revealed type is "')[2].rstrip('"') for line in lines if "Revealed type" in line]
    assert len(found) == len(TYPES)
    for (text, wanted), got in zip(TYPES.items(), found, strict=True):
        plain = " | ".join(part.split(".")[-1] for part in got.split(" | "))
        assert plain == wanted or got.replace("indexcalc.", "").endswith(wanted) or _bare(got) == wanted, (text, got)
    first = 2 + (SNIPPET + told).count("\n") - 1
    wrong = {int(line.split(":")[1]) for line in lines if ": error:" in line}
    assert wrong == {first + number for number in range(len(MISSPELT))}, done.stdout


def _bare(got: str) -> str:
    """A type without the modules of its names."""
    words = [""]
    for letter in got:
        if letter.isalnum() or letter in "_.":
            words[-1] += letter
        else:
            words += [letter, ""]
    return "".join(word.split(".")[-1] for word in words)


# ------------------------------------------------------------------ completion

COMPLETED = {
    "ic.log_soft": "log_softmax", "ic.comp": "compile", "x.eval": "evaluate", "x[i].ren": "rename",
    "x[1:].simp": "simplify",
    "ic.grad(x @ x, x).layo": "layout", "ic.exp(x[i]).exp": "expand",
}  # fmt: skip
"""What an editor completes, and to what."""


@pytest.mark.parametrize("text", COMPLETED)
def test_editors_complete_names_with_signatures_and_docstrings(text: str) -> None:
    jedi = pytest.importorskip("jedi", reason="it is what editors complete with")
    source = f'import indexcalc as ic\ni, j = ic.indices("i j")\nx = ic.tensor("x", "n")\n{text}'
    found = {one.name: one for one in jedi.Script(source).complete(4, len(text))}
    assert COMPLETED[text] in found
    assert found[COMPLETED[text]].get_signatures()
    assert found[COMPLETED[text]].docstring(raw=True)


@pytest.mark.parametrize("name", [name for name in ic.__all__ if callable(getattr(ic, name))])
def test_each_public_name_has_a_docstring_and_a_signature(name: str) -> None:
    value = getattr(ic, name)
    assert inspect.getdoc(value)
    assert inspect.isclass(value) or inspect.signature(value)


# ------------------------------------------------------------------ tracebacks

WRONG: dict[str, Callable[[], Any]] = {
    "sum": lambda: x[i] + W[i, j], "product": lambda: W @ A, "transpose": lambda: A.T + x @ W, "key": lambda: x[i, j],
    "text": lambda: ic.parse("foo(x", x=x), "function": lambda: ic.exp("x"), "grad": lambda: ic.grad(A @ x, x),
    "evaluate": lambda: (A @ x).evaluate(A=3), "bool": lambda: bool(x), "property": lambda: x[0].mT,
    "compiled": lambda: ic.compile(A @ x, (A, x))(1, 2), "layout": lambda: ic.derivative(A @ x, x).layout("foo"),
    "name": lambda: ic.index("i j"), "NumPy": lambda: np.sin(x), "check": lambda: ic.check("x +", ic.grad(x @ x, x)),
    "method": lambda: x[i].rename({j: k}), "keyword": lambda: ic.grad(x @ x, x, structur="free"),
    "power": lambda: 2 ** W[i, j, k], "call": lambda: ic.function("f", "n -> n")(ic.tensor("v", 3)),
    "verify": lambda: ic.verify(3),
}  # fmt: skip


def frames(wrong: Callable[[], Any]) -> list[str]:
    """The frames of the library below the user's line."""
    with pytest.raises(ic.IndexCalcError) as caught:
        wrong()
    assert caught.value.__cause__ is None
    shown = "".join(traceback.format_exception(caught.value))
    assert ("During handling" not in shown) or "full" in shown
    return [one.name for one in traceback.extract_tb(caught.value.__traceback__) if str(ROOT) in one.filename]


@pytest.mark.parametrize("name", WRONG)
def test_a_traceback_ends_below_the_users_line(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INDEXCALC_TRACEBACK")
    assert len(frames(WRONG[name])) == 1


def test_the_whole_way_is_shown_on_request() -> None:
    assert len(frames(WRONG["sum"])) > 2


def test_other_errors_show_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INDEXCALC_TRACEBACK")
    monkeypatch.setattr("indexcalc.views.expr.is_number", lambda value: 1 / 0)
    with pytest.raises(ZeroDivisionError) as caught:
        x[i] + object()
    assert len(traceback.extract_tb(caught.value.__traceback__)) > 3
