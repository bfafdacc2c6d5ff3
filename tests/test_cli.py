"""The command line: `python -m indexcalc`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import indexcalc as ic
from indexcalc.__main__ import main
from indexcalc.testing import check_derivative

ROOT = Path(__file__).resolve().parent.parent
LAYER = ["x[i]*W[i,j] + b[j]", "--wrt", "W[i,k]", "--dim", "x=n", "--dim", "W=n,m", "--dim", "b=m"]


def run(*words: str, encoding: str = "utf-8") -> subprocess.CompletedProcess[str]:
    """The command with these words."""
    return subprocess.run(
        [sys.executable, "-m", "indexcalc", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={"PYTHONIOENCODING": encoding, "PATH": "/usr/bin:/bin"},
        check=False,
    )


def without_error(text: str) -> str:
    """The text, but for the last digits of a measured error."""
    return re.sub(r"error \d\.\de-\d\d", "error ...", text)


def test_the_readme_shows_what_it_prints():
    shown = re.search(r"^```text\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert shown is not None
    done = run(*LAYER)
    assert done.returncode == 0 and not done.stderr
    assert without_error(done.stdout) == without_error(shown[1])
    assert run("derive", *LAYER).stdout == done.stdout


def test_json():
    answer = json.loads(run(*LAYER, "--format", "json").stdout)
    assert answer["derivative"] == "x[i]*δ[j,k]" and answer["shape"] == ["m", "n", "m"]
    assert answer["indices"] == ["j", "i", "k"] and answer["of"] == ["j"] and answer["wrt"] == ["i", "k"]
    assert answer["check"]["agrees"] and answer["check"]["error"] < 1e-9
    assert answer["layouts"]["numerator"]["shape"] is None
    assert answer["layouts"]["magnus-neudecker"]["shape"] == ["m", "m*n"]


def test_latex():
    assert r"x_{i}\,\delta_{jk}" in run(*LAYER, "--format", "latex").stdout


def test_ascii():
    done = run(*LAYER, encoding="ascii")
    assert done.returncode == 0 and "x[i]*delta[j,k]" in done.stdout and done.stdout.isascii()


def test_one_layout():
    done = run("x_i A_ij x_j", "--wrt", "x_k", "--dim", "x=n", "--dim", "A=n,n", "--layout", "numerator")
    assert "(1, n)" in done.stdout and "denominator" not in done.stdout


def test_batch_indices_are_checked_by_numbers_too():
    done = run("softmax(z[n,c], c)", "--wrt", "z[n,d]", "--dim", "z=N,C", "--batch", "n")
    assert "agrees with finite differences" in done.stdout


def test_a_symmetric_tensor_says_which_derivative_it_is():
    words = ["x_i S_ij y_j", "--wrt", "S_ij", "--dim", "x=n", "--dim", "y=n", "--dim", "S=n,n"]
    words += ["--assume", "S=symmetric"]
    assert "projection" in run(*words).stdout and "projection" not in run(*words, "--structure", "free").stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["x[i]*W[i", "--wrt", "x[k]", "--dim", "x=n"], "column"),
        (["x[i]*V[i,j]", "--wrt", "x[k]", "--dim", "x=n"], "'V' is not declared"),
        (["x[i]*x[i]*x[i]", "--wrt", "x[k]", "--dim", "x=n"], "third time"),
        (["x[i]*W[j,i]", "--wrt", "x[k]", "--dim", "x=n", "--dim", "W=n,m"], "x (axis 0) has n, W (axis 1) has m"),
        (["x[i]", "--wrt", "W", "--dim", "x=n", "--dim", "W=n,m"], "needs an index"),
        (["x[i]", "--wrt", "x[k]", "--dim", "x"], "write --dim x=n"),
        (["x[i]", "--wrt", "x[k]", "--dim", "x=n", "--dim", "x=m"], "given twice"),
        (["x[i]", "--wrt", "x[k]", "--dim", "x=n", "--assume", "S=symmetric"], "no tensor of this name"),
        (["x[i]", "--wrt", "x[k]", "--dim", "x=n", "--assume", "x=symmetrical"], "no assumption"),
        (["exp", "--wrt", "x[k]", "--dim", "x=n"], "exp is a function"),
        (["exp[i]", "--wrt", "exp[k]", "--dim", "exp=n"], "name of a function"),
        (["x[i]", "y[i]", "--wrt", "x[k]", "--dim", "x=n"], "2 expressions"),
        (["x[i]", "--wrt", "x[k]", "--dim", "x=n-"], "not a polynomial"),
        ([], "the following arguments are required"),
        (["x[i]", "--dim", "x=n"], "required: --wrt"),
        (["x[i]", "--wrt"], "--wrt: expected one argument"),
        (["x[i]", "--wrt", "x[k]", "--dim", "x=n", "--layout", "sideways"], "invalid choice: 'sideways'"),
        (["x[i]", "--wrt", "x[k]", "--dim", "x=n", "--format", "xml"], "invalid choice: 'xml'"),
        (["x[i]", "--wrt", "x[k]", "--dim", "x=n", "--structure", "odd"], "invalid choice: 'odd'"),
        (["x[i]", "--wrt", "x[k]", "--dim", "x=n", "--vectors", "up"], "invalid choice: 'up'"),
        (["x[i]", "--wrt", "x[k]", "--dim", "x=n", "--bogus"], "unrecognized arguments: --bogus"),
        (["", "--wrt", "x[k]", "--dim", "x=n"], "there is nothing to read"),
        (["x[i]", "--wrt", " ", "--dim", "x=n"], '--wrt " "'),
        (["x[i]", "--wrt", "x[k]", "--dim", "x=n", "--assume", "symmetric"], "write --assume S=symmetric"),
        (["x[i]", "--wrt", "x[k]", "--dim", "x=n", "--batch", "1"], "'1' is no identifier"),
        (["x[i]", "--wrt", "x[k]", "--dim", "1x=n"], "'1x' is no identifier"),
        (["x[i]", "--wrt", "x[i] + y[i]", "--dim", "x=n", "--dim", "y=n"], "no tensor of its own"),
        (["x[i]", "--wrt", "3", "--dim", "x=n"], "no tensor of its own"),
        (["derive", "--wrt", "x"], "'derive' is not declared"),
        (["x[i]", "--wrt", "x[k]", "--dim", "x=-1"], "not negative"),
        (["x[i]", "--wrt", "x[k]", "--dim", "x=2.5"], "not a polynomial"),
        (["x[i]*1e999", "--wrt", "x[k]", "--dim", "x=n"], "1e999"),
        (["x[i]/0", "--wrt", "x[k]", "--dim", "x=n"], "division by zero"),
    ],
)
def test_wrong_input_gets_one_message_and_status_2(words, message, capsys):
    assert main(words) == 2
    shown = capsys.readouterr()
    assert message in shown.err and not shown.out
    assert "usage:" not in shown.err and len(shown.err.splitlines()) <= 3


def test_wrong_input_gives_no_traceback():
    for words in (["x[i]*W[i", "--wrt", "x[k]", "--dim", "x=n"], ["x[i]"], ["x[i]", "--wrt", "x", "--layout", "odd"]):
        done = run(*words)
        assert done.returncode == 2 and done.stderr and "Traceback" not in done.stderr and not done.stdout


def test_sizes_at_which_a_matrix_is_singular_are_not_taken() -> None:
    """`X.T @ X` has no inverse where X has fewer rows than columns."""
    X = ic.tensor("X", "N n")
    for seed in range(3):
        f = ic.logdet(X.T @ X)
        assert check_derivative(f, X, ic.derivative(f, X), seed=seed)
