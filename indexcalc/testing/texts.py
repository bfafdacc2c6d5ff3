"""Fuzzing with texts: what `ic.parse`, `ic.check` and the command line do with text that nobody meant.

Texts of a corpus are changed, by letters and by tokens. Whatever comes out is a value or an `IndexCalcError`, and
soon.
"""

from __future__ import annotations

import contextlib
import io
import random
import re
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import indexcalc as ic
from indexcalc.__main__ import main as command
from indexcalc.errors import IndexCalcError
from indexcalc.progress import Callback, callback, unheard

SLOWEST = 20.0
"""Seconds of the processor that one text may take: a hundred times what the longest of the corpus takes."""
LONGEST = 400
"""Characters of a text: a longer one is cut, so that a run tries many."""
MOST_CHANGES = 4
"""Changes of one text: after more there is nothing left that a reader gets far with."""

DECLARED: dict[str, Any] = {
    "x": "n", "y": "n", "z": "n", "a": "m", "b": "m", "A": "n n", "B": "n n", "S": "n n", "W": "n m", "X": "m n",
    "T": "n n n", "s": "", "t": "",
}  # fmt: skip
"""The tensors that texts may name."""

CORPUS = (
    "x[i]*W[i,j] + b[j]", "x_i W_ij + b_j", "W_{ij}*x_{i}", "x' A x", "x^T (A + A^T) x", "2*X.T @ (X @ y - b)",
    "{i,j: exp(x[i])*δ[i,j]}", "{i: x[i]*(A[i,k]*y[k] - z[i])}", "sum[i](exp(x[i]))*x[i]", "A[i,k]*B[k,j] -> [i,j]",
    "inv(A) @ x", "tr(A @ B)", "logdet(S)", "kron(A, B) @ vec(A)", "softmax(x)", "max(A[i,j], j)", "norm2(x - y)**2",
    "t1 = x*x + x; 2*t1", "Y = X @ x; Y + a", "where(x > 0, x, 0)", "delta(i,j,dim=n)*x[j]", "eps[i,j,k]*T[i,j,k]",
    "A^-1 x", "A^2", "x ∘ y", "A ⊗ B", "1e-3*x[i] + .5*x[i]", "(1+2j)*s", "eye(n)/n", "x[0] + x[-1]", "A[:, 0]",
    "A[1:, ::-1]", "ones(n, m)", "zeros(n)", "unit(0, n)", "diag(x)", "diagm(x) @ A", "x**2/(s**2 + 1)", "sqrt(t)*x",
    "sigmoid(A @ x)", "Xᵀ a", "∂x", "grad", "dL/dx = A x", "-x", "- -x", "+x", "((x))", "x[i", "x]", "x**", "2 3",
    r"\frac{x}{2}", r"A^{\top} x", r"\sum_i x_i", r"\sum_{i} A_{ij} x_i", r"\left(A + A^\top\right) x",
    r"\operatorname{tr}\left(A B\right)", r"\frac{\partial}{\partial x_i} x_i", r"$$\lVert x - y\rVert_2^2$$",
    "A \\ x", "A.*B", "A(:,1)", "x'*A*x", "sum(x.^2)", "[1, 2; 3, 4]",
    "x.T @ A @ x", "X.mean(axis=0)", "np.exp(x)", "cholesky(S)",
)  # fmt: skip
"""Texts that people write, some of which no reader takes."""

TOKENS = (
    "(", ")", "[", "]", "{", "}", ",", ";", ":", "=", "+", "-", "*", "/", "@", "^", "_", "'", ".", "->", "**", "<",
    ">", "!=", "==", "|", "\\", "%", "$", "&", "#", "?", "\"", "`", "~", "\n", "\t", " ", "\x00", "\u200b", "²",
    "ᵀ", "δ", "ε", "π", "∘", "⊗", "·", "×", "√", "∂", "∇", "é", "λ", "ﬁ", "１", "0", "1", "2", "1e999", "1e-999",
    "0x1f", "10**9", "99999999999", "nan", "inf", "None", "True", "lambda", "import", "__class__", "x", "A", "i",
    "j", "n", "sum", "tr", "T", "vec", "delta", "eye", "ones", "zeros", "unit", "axis", "dim", "i,j", "[i,j]",
    "(x)", "x[i]", "^T", "^-1", "\\frac", "\\left", "\\right", "\\sum", "dims", "batch", "vectors", "if", "for",
    "det(", "sqrt",
)  # fmt: skip
"""What is put in: signs, words that mean something, numbers at the ends, letters that look like others."""

PIECES = re.compile(r"\s+|\w+|.", re.DOTALL)


class Case(NamedTuple):
    """One case: which entry point, and the text that it is given."""

    entry: str
    text: str


@dataclass(frozen=True)
class Broken:
    """A text that was not answered as it should be: the case, and what came out."""

    number: int
    case: Case
    told: str

    def __str__(self) -> str:
        return f"text {self.number}, {self.case.entry}({self.case.text!r}): {self.told}"


# ------------------------------------------------------------------ changed


def changed(text: str, rng: random.Random, corpus: Sequence[str] = CORPUS) -> str:
    """The text with a few changes: pieces gone, doubled, exchanged, put in, or of another text.

    >>> changed("x[i]*W[i,j]", random.Random(3)) != "x[i]*W[i,j]"
    True
    """
    for _ in range(rng.randint(1, MOST_CHANGES)):
        parts = PIECES.findall(text) if rng.random() < 0.7 else list(text)
        parts = parts or [""]
        place = rng.randrange(len(parts))
        how = rng.randrange(8)
        if how == 0:
            parts.pop(place)
        elif how == 1:
            parts.insert(place, parts[rng.randrange(len(parts))])
        elif how == 2:
            other = rng.randrange(len(parts))
            parts[place], parts[other] = parts[other], parts[place]
        elif how in (3, 4):
            parts.insert(place, rng.choice(TOKENS))
        elif how == 5:
            parts[place] = rng.choice(TOKENS)
        elif how == 6:
            other_parts = PIECES.findall(rng.choice(corpus))
            parts[place:] = other_parts[rng.randrange(len(other_parts) + 1) :]
        else:
            parts[place] = parts[place] * rng.choice([2, 3, 30])
        text = "".join(parts)[:LONGEST]
    return text


def case(seed: int, number: int) -> Case:
    """The case of this number of a seed.

    >>> case(0, 5) == case(0, 5)
    True
    """
    rng = random.Random(f"{seed} {number}")
    return Case(rng.choices(list(ENTRIES), [6, 2, 2, 1])[0], changed(rng.choice(CORPUS), rng))


# ------------------------------------------------------------------ tried


def _parse(text: str) -> None:
    ic.parse(text, **DECLARED)


def _matlab(text: str) -> None:
    ic.parse(text, syntax="matlab", **DECLARED)


def _check(text: str) -> None:
    x, A = ic.tensor("x", "n"), ic.tensor("A", "n n")
    known: dict[str, Any] = {name: DECLARED[name] for name in ("y", "B", "s")}
    ic.check(text, ic.grad(x @ A @ x, x), **known)


def _command(text: str) -> None:
    """The command line ends with 0, 1 or 2, whatever it is given; its options are taken from the text's own words."""
    words = [text, "--wrt", "x" if len(text) % 3 else text[: len(text) // 2], "--dim", "x=n", "--dim", "A=n,n"]
    if len(text) % 5 == 0:
        words += ["--dim", text[-6:]]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            ended = command(["x" if word in ("", "-") else word for word in words])
        except SystemExit as error:  # argparse has refused the options
            ended = error.code if isinstance(error.code, int) else 3
    if ended not in (0, 1, 2):
        raise AssertionError(f"exit status {ended}")


ENTRIES: dict[str, Callable[[str], None]] = {"parse": _parse, "matlab": _matlab, "check": _check, "command": _command}
"""What is given texts."""


def answered(case: Case) -> str:
    """What is wrong with the answer to a text, "" where it is a value or an IndexCalcError, and soon.

    >>> answered(Case("parse", "x[i"))
    ''
    """
    began = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ENTRIES[case.entry](case.text)
    except IndexCalcError:
        pass
    except Exception as error:  # whatever else is raised is what is to be found
        return f"a raw {type(error).__name__}: {error}"[:300]
    spent = time.process_time() - began
    return f"took {spent:.0f} s" if spent > SLOWEST else ""


def shortened(case: Case, tries: int = 200) -> Case:
    """A shorter text to which the answer is wrong in the same way."""
    told = _kind(answered(case))
    cut = True
    while cut and tries > 0:
        cut = False
        for size in (len(case.text) // 2, len(case.text) // 4, 4, 2, 1):
            for start in range(0, len(case.text), max(size, 1)):
                shorter = case._replace(text=case.text[:start] + case.text[start + max(size, 1) :])
                tries -= 1
                if tries > 0 and _kind(answered(shorter)) == told:
                    case, cut = shorter, True
                    break
    return case


def _kind(told: str) -> str:
    return told.partition(":")[0][:30]


def fuzz_texts(
    seed: int,
    seconds: float | None = None,
    count: int | None = None,
    say: Callable[[str], Any] = lambda text: None,
    progress: Callback | None = None,
) -> tuple[int, list[Broken]]:
    """How many texts were tried, and those that were answered wrongly, for so many seconds or so many texts.

    `progress` is called with how many were tried.

    >>> fuzz_texts(0, count=5)
    (5, [])
    """
    ends = time.monotonic() + (seconds if seconds is not None else float("inf"))
    found: list[Broken] = []
    tell = callback(progress, "fuzz_texts") or unheard
    number = 0
    while (count is None or number < count) and time.monotonic() < ends:
        tell(number, count, "texts tried")
        one = case(seed, number)
        told = answered(one)
        if told:
            found.append(Broken(number, shortened(one) if not told.startswith("took") else one, told))
            say(str(found[-1]))
        number += 1
    tell(number, number, "texts tried")
    return number, found
