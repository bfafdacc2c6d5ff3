"""Names of other programs: each row says what runs, and errors of the package and of the views say it."""

from __future__ import annotations

import copy
import pickle
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import indexcalc as ic
from indexcalc import foreign
from indexcalc.foreign import NAMES, ROWS, Foreign

PAGE = Path(__file__).resolve().parent.parent / "docs" / "foreign.md"
OPERATORS = {"@", "*", "/", "+", "-"}


def space() -> dict[str, Any]:
    """What the code of the rows is about."""
    A, B = ic.tensor("A", "n n"), ic.tensor("B", "n n")
    x, y, a, b = ic.tensor("x", "n"), ic.tensor("y", "n"), ic.column("a", "n"), ic.column("b", "n")
    i, j, k = ic.indices("i j k")
    f = ic.sum(x**2)
    return {
        "ic": ic,
        "A": A,
        "B": B,
        "Xc": A,
        "x": x,
        "y": y,
        "a": a,
        "b": b,
        "i": i,
        "j": j,
        "k": k,
        "f": f,
        "v": ic.tensor("v", 6),
    }


def page() -> str:
    """The table of the page, a line for all names of one answer."""
    lines: dict[tuple[str, str], list[str]] = {}
    for row in ROWS:
        lines.setdefault((row.instead, row.source), []).append(f"`{row.name}`")
    body = [f"| {', '.join(names)} | {source} | {instead} |" for (instead, source), names in lines.items()]
    return "\n".join(["| there | in | here |", "|---|---|---|", *body])


def test_a_name_stands_once_and_is_none_of_ours() -> None:
    assert len(NAMES) == len(ROWS) >= 120
    assert [name for name in NAMES if name in ic.__all__] == [], "it is here now: take its row out"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_is_ours_is_here_and_what_is_said_runs(row: Foreign) -> None:
    if row.ours is not None:
        known = row.ours in ic.__all__ or row.ours in OPERATORS or (row.ours == ".T" and hasattr(ic.Array, "T"))
        assert known, row.ours
        assert row.ours in row.instead
    for code in re.findall(r"`([^`]+)`", row.instead):
        if "..." not in code:
            exec(code, space())


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("arcsin", np.arcsin), ("arccos", np.arccos), ("arctan", np.arctan), ("absolute", np.absolute),
        ("square", np.square), ("reciprocal", np.reciprocal), ("cbrt", np.cbrt), ("log10", np.log10), ("log2", np.log2),
        ("exp2", np.exp2), ("arcsinh", np.arcsinh), ("arctanh", np.arctanh), ("sd", np.std), ("variance", np.var),
        ("rsqrt", lambda x: x**-0.5), ("qlogis", lambda x: np.log(x/(1 - x))), ("sum_squares", lambda x: x @ x),
        ("cond", np.linalg.cond), ("spectral_norm", lambda A: np.linalg.norm(A, 2)), ("trace", np.trace),
        ("determinant", np.linalg.det), ("norm_fro", np.linalg.norm), ("transpose", np.transpose),
        ("nuclear_norm", lambda A: np.linalg.norm(A, "nuc")), ("pseudoinverse", np.linalg.pinv),
        ("softsign", lambda x: x/(1 + abs(x))), ("hard_silu", lambda x: x*np.clip(x + 3, 0, 6)/6),
        ("softmin", lambda x: np.exp(-x)/np.exp(-x).sum()), ("mish", lambda x: x*np.tanh(np.log(1 + np.exp(x)))),
        ("layer_norm", lambda A: (A - A.mean(1, keepdims=True))/np.sqrt(A.var(1, keepdims=True) + 1e-5)),
        ("diagonal", np.diagonal), ("Diag", np.diag), ("average", np.mean), ("amax", np.max), ("amin", np.min),
    ],
)  # fmt: skip
def test_what_is_said_has_the_same_value(name: str, numbers: Callable[[Any], Any]) -> None:
    code = re.findall(r"`([^`]+)`", NAMES[name].instead)[0]
    f = eval(code, space())
    given = np.random.default_rng(1).random((3, 3) if "A" in f.variables else 3) * 0.9 + 0.05
    assert_allclose(f.evaluate(dict.fromkeys(f.variables, given), n=3), numbers(given), rtol=1e-12)


def test_the_page_has_each_row() -> None:
    assert page() in PAGE.read_text("utf-8"), "the table should be:\n" + page()


@pytest.mark.parametrize(
    ("name", "code"),
    [("trace", "ic.tr(A)"), ("ln", "ic.log(x)"), ("transpose", "A.T"), ("dot", "x @ y"), ("corrcoef", "ic.cov")],
)
def test_the_package_says_what_to_write(name: str, code: str) -> None:
    with pytest.raises(AttributeError, match=re.escape(f"indexcalc has no {name}; write ")) as caught:
        getattr(ic, name)
    assert code in str(caught.value)


def test_what_is_no_foreign_name_is_compared_by_spelling() -> None:
    with pytest.raises(AttributeError, match="did you mean 'softmax'"):
        _ = ic.sotfmax  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match=r"has no attribute 'zzyzx'$"):
        _ = ic.zzyzx  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "view", [ic.tensor("X", "n n"), ic.tensor("X", "n n")[ic.indices("i j")]], ids=["Array", "Expr"]
)
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("inv", "ic.inv(...)"), ("dot", "A @ x"), ("subs", "substitute"), ("grad", "ic.grad(...)"),
        ("trace", "ic.tr(A)"), ("reshape", "ic.unvec"), ("numpy", "evaluate"), ("softmax", "ic.softmax(...)"),
        ("check", "ic.check(...)"), ("dtype", "evaluate"),
    ],
)  # fmt: skip
def test_a_view_says_what_to_write(view: Any, name: str, code: str) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(view, name)
    assert str(caught.value).startswith(f"an {type(view).__name__} has no {name}; ")
    assert code in str(caught.value)
    assert "Did you mean" not in "".join(traceback.format_exception(caught.value))


def test_an_unknown_attribute_is_an_attribute_error_as_ever() -> None:
    x = ic.tensor("x", "n")
    assert not hasattr(x, "zzyzx")
    assert not hasattr(x, "__zzyzx__")
    assert getattr(x, "inv", None) is None
    assert copy.deepcopy(x) == x
    assert pickle.loads(pickle.dumps(x)) == x
    with pytest.raises(AttributeError, match=r"'Array' object has no attribute 'shapes'"):
        _ = x.shapes  # type: ignore[attr-defined]


def test_a_name_is_looked_up() -> None:
    assert foreign.ours("Tr") == "tr"
    assert foreign.answer("zzyzx") == ""
