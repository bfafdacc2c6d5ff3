"""The command line: `python -m indexcalc`."""

from __future__ import annotations

import doctest
import io
import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
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


# ------------------------------------------------------------------ verbs

LEAST = "norm2(X @ w - y)**2"
SIZES = ["--dim", "X=m n", "--dim", "w=n", "--dim", "y=m"]
RIGHT = "2*X'(X w - y)"


def printed(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    """What the command prints, in this process."""
    assert main(words) == status
    shown = capsys.readouterr()
    assert not shown.err
    return shown.out


def table(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> dict:
    """What the command prints as JSON."""
    return json.loads(printed(capsys, *words, "--format", "json", status=status))


PAGE = (ROOT / "docs" / "command-line.md").read_text("utf-8")
BLOCKS = re.findall(r"^\$ indexcalc (.*)\n((?:(?!\$ |```).*\n)*)", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("words", "shown"), BLOCKS, ids=[words[:30] for words, _ in BLOCKS])
def test_the_page_shows_what_it_prints(words, shown, capsys):
    main(shlex.split(words))
    found = re.sub(r"error \d\.\de-\d\d", "error ...", capsys.readouterr().out)
    assert doctest.OutputChecker().check_output(
        re.sub(r" +", " ", shown), re.sub(r" +", " ", found), doctest.ELLIPSIS
    ), found


def test_a_second_derivative(capsys):
    assert "  = 2*X.T @ X\n" in printed(capsys, LEAST, "--wrt", "w", "--wrt", "w", *SIZES)
    mixed = table(capsys, LEAST, "--wrt", "w", "--wrt", "y", *SIZES)
    assert (mixed["derivative"], mixed["by"], mixed["shape"]) == ("-2*X.T", "w, y", ["n", "m"])
    words = ["x[i]*x[i]*x[j]", "--wrt", "x[k]", "--wrt", "x[l]", "--wrt", "x[m]", "--dim", "x=n"]
    third = table(capsys, *words)
    assert third["wrt"] == ["k", "l", "m"] and third["check"]["agrees"]


def test_losses(capsys):
    layer = ["X @ W", "--wrt", "W", "--dim", "X=N n", "--dim", "W=n m"]
    assert table(capsys, *layer, "--loss", "L")["derivative"] == "X.T @ G"
    told = ["L(X @ W)", *layer[1:], "--dim", "L: N m ->"]
    assert table(capsys, *told, "--gradient", "L=H")["derivative"] == "X.T @ H"
    assert table(capsys, *told)["derivative"] == "X.T @ DL(X @ W)"
    indexed = ["x[i]*W[i,j]", "--wrt", "W[k,l]", "--dim", "x=n", "--dim", "W=n,m", "--loss", "L"]
    assert table(capsys, *indexed)["derivative"] == "x[k]*G[l]"
    assert table(capsys, *layer, "--dim", "G=n", "--loss", "L")["derivative"] == "X.T @ dL"


def test_check_says_whether_a_formula_is_right(capsys):
    good = table(capsys, "check", RIGHT, LEAST, "--wrt", "w", *SIZES)
    assert good["right"] and good["verdict"] == "right" and "gradient" in good["layouts"]
    bad = table(capsys, "check", "X'(X w - y)", LEAST, "--wrt", "w", *SIZES, status=1)
    assert not bad["right"] and bad["faults"] == ["factor"] and bad["derivative"] == "2*X.T @ (X @ w - y)"
    assert "other way round" in printed(capsys, "check", LEAST, RIGHT, "--wrt", "w", *SIZES, status=1)
    assert "2 \\, X" in printed(capsys, "check", RIGHT, LEAST, "--wrt", "w", *SIZES, "--format", "latex")
    layer = ["check", "dL/dW = X' G", "L(X W)", "--wrt", "W", "--dim", "X=m n", "--dim", "W=n k"]
    assert table(capsys, *layer, "--dim", "L: m k ->", "--gradient", "L=G")["right"]
    assert not table(capsys, "check", RIGHT, LEAST, "--wrt", "w", *SIZES, "--layout", "numerator", status=1)["right"]


def test_explain(capsys):
    words = ["explain", LEAST, "--wrt", "w", *SIZES]
    lines = table(capsys, *words)["lines"]
    assert len(lines) > 2 and all(set(line) == {"left", "right", "rule", "latex"} for line in lines)
    assert "dL" in printed(capsys, *words, "--style", "differential")
    assert printed(capsys, *words, "--format", "latex").startswith("\\begin{aligned}")


def test_layouts(capsys):
    words = ["layouts", "A x", "--wrt", "x", "--guess"]
    assert table(capsys, *words)["layouts"]["denominator"]["formula"] == "A.T"
    assert r"\text{denominator}:\quad A^{\mathsf{T}}" in printed(capsys, *words, "--format", "latex")
    assert "denominator" not in printed(capsys, *words, "--layout", "numerator")


@pytest.mark.parametrize("target", ["numpy", "jax", "torch"])
def test_source_runs(target, capsys):
    made = table(capsys, "source", LEAST, "--wrt", "w", *SIZES, "--target", target, "--name", "slope")
    assert made["inputs"] == ["X", "w", "y"] and "def slope(X, w, y):" in made["source"]
    compile(made["source"], "slope", "exec")
    space: dict = {}
    exec(printed(capsys, "source", LEAST, *SIZES), space)
    assert space["program"](np.eye(2), np.ones(2), np.zeros(2)) == pytest.approx(2)


def test_text_from_a_file_and_from_standard_input(tmp_path, capsys, monkeypatch):
    path = tmp_path / "model.txt"
    path.write_text("r = X w - y\nr'r\n", "utf-8")
    words = ["--wrt", "w", *SIZES]
    assert table(capsys, "--file", str(path), *words)["derivative"] == "2*X.T @ (X @ w - y)"
    assert table(capsys, "check", RIGHT, "--file", str(path), *words)["right"]
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{LEAST}\n"))
    assert table(capsys, "explain", "-", *words)["derivative"] == "2*X.T @ (X @ w - y)"


def test_json_is_utf_8_whatever_the_terminal():
    done = run(*LAYER, "--format", "json", encoding="ascii")
    assert done.returncode == 0 and "δ[j,k]" in done.stdout


def test_the_schema_is_on_the_page(capsys):
    told = set(re.findall(r"`(\w+)`", PAGE[PAGE.index("| key |") : PAGE.index("## Exit status")]))
    for words in (["derive"], ["layouts"], ["explain"], ["check", RIGHT], ["source"]):
        verb, *more = words
        assert set(table(capsys, verb, *more, LEAST, "--wrt", "w", *SIZES)) <= told
    assert set(table(capsys, *LAYER)) <= told
    assert set(table(capsys, "completion", "fish")) <= told


def test_version_and_script(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0 and capsys.readouterr().out == f"indexcalc {ic.__version__}\n"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["scripts"] == {"indexcalc": "indexcalc.__main__:main"} and project["version"] == ic.__version__


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_has_all_options(shell, capsys):
    script = printed(capsys, "completion", shell)
    for word in ("explain", "magnus-neudecker", "structure", "format", "latex", "torch"):
        assert word in script
    if shell == "bash":
        assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0
        probe = 'COMP_WORDS=(indexcalc --format j); COMP_CWORD=2; _indexcalc; echo "${COMPREPLY[@]}"'
        done = subprocess.run(["bash", "-c", f"{script}\n{probe}"], capture_output=True, text=True, check=True)
        assert done.stdout == "json\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["check", RIGHT, "--wrt", "w", *SIZES], "check takes FORMULA and EXPRESSION"),
        (["explain", LEAST, "--wrt", "w", "--wrt", "w", *SIZES], "one derivative at a time"),
        (["explain", LEAST, *SIZES], "required: --wrt"),
        ([LEAST, "--wrt", "w", *SIZES, "--style", "index"], "only explain has this option"),
        (["source", LEAST, "--wrt", "w", *SIZES, "--layout", "jax"], "only derive and layouts and check have"),
        (["source", LEAST, *SIZES, "--name", "1x"], "1x"),
        (["--file", "/no/such/file", "--wrt", "w", *SIZES], "No such file"),
        (["-", "-", "--wrt", "w"], "read once"),
        (["completion", "tcsh"], "no such shell"),
        ([LEAST, "--wrt", "w", *SIZES, "--gradient", "L=G"], "no function of this name"),
        ([LEAST, "--wrt", "w", *SIZES, "--dim", "w: n ->"], "given twice"),
        ([LEAST, "--wrt", "w", *SIZES, "--loss", "exp"], "name of a function"),
        (["check", RIGHT, LEAST, "--wrt", "w", *SIZES, "--layout", "jax", "--layout", "mixed"], "several --layout"),
    ],
)
def test_wrong_input_of_verbs(words, message, capsys):
    assert main(words) == 2
    shown = capsys.readouterr()
    assert message in shown.err and not shown.out and len(shown.err.splitlines()) <= 3
