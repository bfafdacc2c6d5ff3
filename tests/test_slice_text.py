"""Slices and entries as text and LaTeX, in both notations: as they are written, and read back."""

from __future__ import annotations

import random
from typing import Any

import pytest

import indexcalc as ic

i, j, k, m = ic.indices("i j k m")
x, v, X, A, T = (
    ic.tensor(name, dims) for name, dims in {"x": "n", "v": "n", "X": "n n", "A": "n m", "T": "n n n"}.items()
)
E = ic.eye("n")
SHOWN: dict[str, tuple[Any, str]] = {
    "x[1:]": (x[1:], "x_{[1:]}"),
    "x[0]": (x[0], "x_{[0]}"),
    "x[-1]": (x[-1], "x_{[-1]}"),
    "X[0]": (X[0], "X_{[0]}"),
    "X[:, 1:]": (X[:, 1:], "X_{[:, 1:]}"),
    "X[-1, 1]": (X[-1, 1], "X_{[-1, 1]}"),
    "X[1:, ::-1].T": (X[1:, ::-1].T, r"X_{[1:, ::-1]}^{\mathsf{T}}"),
    "x[-2:0:-1]": (x[1:-1][::-1], "x_{[-2:0:-1]}"),
    "x[:6:2]": (x[0:5:2], "x_{[:6:2]}"),
    "x[1:] - x[:-1]": (x[1:] - x[:-1], "x_{[1:]} - x_{[:-1]}"),
    "X[1:] @ X[:, 1:]": (X[1:] @ X[:, 1:], r"X_{[1:]} \, X_{[:, 1:]}"),
    "X[1:] @ x": ((X @ x)[1:], r"X_{[1:]} \, x"),
    "(v + x)[1:]": ((v + x)[1:], r"\left(v + x\right)_{[1:]}"),
    "exp(x[1:])": (ic.exp(x[1:]), r"\exp\left(x_{[1:]}\right)"),
    "eye(n)[1:]": (E[1:], r"\left(I_{n}\right)_{[1:]}"),
    "eye(n)[:, 1:]": (E[1:].T, r"\left(I_{n}\right)_{[:, 1:]}"),
    "eye(n)[:, 1:] @ x[1:]": (E[1:].T @ x[1:], r"\left(I_{n}\right)_{[:, 1:]} \, x_{[1:]}"),
    "x[0]*eye(n)[-1] + x[-1]*unit(0, n)": (
        ic.grad(x[0] * x[-1], x),
        r"x_{[0]} \, \left(I_{n}\right)_{[-1]} + x_{[-1]} \, \operatorname{unit}\left(0, n\right)",
    ),
    "T[0]": (T[0], "T_{[0]}"),
    "x[1:][i]*x[:-1][i]": (x[1:][i] * x[:-1][i], r"\left(x_{[1:]}\right)_{i}\,\left(x_{[:-1]}\right)_{i}"),
    "T[1:, :, -1][i,j]": (T[1:, :, -1][i, j], r"\left(T_{[1:, :, -1]}\right)_{ij}"),
    "eye(n)[1:][i,k]": (x[1:][i].diff(x[k]), r"\left(\left(I_{n}\right)_{[1:]}\right)_{ik}"),
    "exp(x[1:][i] - x[:-1][i])": (
        ic.exp(x[1:][i] - x[:-1][i]),
        r"\exp\left(\left(x_{[1:]}\right)_{i} - \left(x_{[:-1]}\right)_{i}\right)",
    ),
}


def reads_back(e: Any) -> None:
    """What is printed is read as the same, as text and as LaTeX."""
    for text in (str(e), e.latex()):
        back = ic.parse(text, **e.declarations)
        assert back == e, text
        assert isinstance(e, ic.Expr) or back.simplify().node is e.simplify().node, text


@pytest.mark.parametrize("text", SHOWN)
def test_slices_print_as_they_are_written_and_read_back(text: str) -> None:
    e, latex = SHOWN[text]
    assert (str(e), e.latex()) == (text, latex)
    reads_back(e)


@pytest.mark.parametrize("vectors", ["column", "row"])
def test_slices_of_columns_and_rows_stand_as_these_do(vectors: str) -> None:
    known: dict[str, Any] = {"z": "n", "M": "n n", "vectors": vectors}
    for text in ("z[0, 0]", "M[0]", "M[:, 0]", "M[1:, 0]", "z.T", "M[0, -1]"):
        e = ic.parse(text, **known)
        assert str(e) == text
        reads_back(e)
    part = ic.parse("z[1:]" if vectors == "column" else "z[:, 1:]", **known)
    assert part.shape == ((part.node.dims[0], 1) if vectors == "column" else (1, part.node.dims[0]))
    reads_back(part)


def test_a_derivation_has_selections_beside_derivatives() -> None:
    lines = str(ic.explain(((x[1:] - x[:-1]) ** 2).sum(), x))
    assert "∂x[k]/∂x[i]*eye(n)[1:][j,k]" in lines
    assert lines.count("∂L/∂x    = 2*(eye(n)[1:] - eye(n)[:-1]).T @ (x[1:] - x[:-1])") == 1


def entry(rng: random.Random) -> str:
    """A slice, or an entry."""
    return rng.choice(["0", "-1", "1"]) if rng.random() < 0.3 else rng.choice(["1:", ":-1", ":3", "-3:", ":", "::-1"])


def array(rng: random.Random, depth: int) -> str:
    """The text of an array, with slices."""
    kind = rng.choice(["x", "X", "A", "v", "slice", "slice", "slice", ".T", "*", "sin", "@", "+"]) if depth else "X"
    if kind in ("x", "X", "A", "v"):
        return kind
    one = array(rng, depth - 1)
    if kind == "slice":
        return f"({one})[{', '.join(entry(rng) for _ in range(rng.choice([1, 2])))}]"
    if kind in (".T", "sin"):
        return f"({one}).T" if kind == ".T" else f"sin({one})"
    return f"({one}) {kind} ({array(rng, depth - 1)})"


def product(rng: random.Random) -> str:
    """The text of a product in index notation, of parts of tensors."""
    factors = []
    for _ in range(rng.choice([1, 2, 3])):
        name, order = rng.choice([("x", 1), ("X", 2), ("A", 2), ("T", 3)])
        keys = [entry(rng) for _ in range(order)]
        kept = sum(":" in key for key in keys)
        indices = ", ".join(rng.choice("ijk") for _ in range(kept))
        factors.append(f"{name}[{', '.join(keys)}]" + (f"[{indices}]" if kept else "[()]"))
    return "*".join(factors)


def test_random_parts_read_back() -> None:
    rng, done = random.Random(5), 0
    names = {"x": x, "v": v, "X": X, "A": A, "T": T, "sin": ic.sin, "i": i, "j": j, "k": k}
    for number in range(160):
        text = array(rng, rng.choice([1, 2, 3])) if number % 2 else product(rng)
        try:
            e = eval(text, names)
        except ic.IndexCalcError:
            continue
        reads_back(e)
        done += 1
    assert done > 60


@pytest.mark.parametrize(("text", "same"), [("X[:,- 1]", "X[:,-1]"), ("x[- 1]", "x[-1]"), ("x[1: -\t1]", "x[1:-1]")])
def test_a_sign_may_stand_apart(text: str, same: str) -> None:
    assert ic.parse(text, X="n n", x="n") == ic.parse(same, X="n n", x="n")


@pytest.mark.parametrize("text", ["x_{* *}", "x_{+}", "nansum_{** } x"])
def test_signs_alone_are_no_index(text: str) -> None:
    with pytest.raises(ic.ParseError, match="is no name"):
        ic.parse(text, x="n", guess=True)


@pytest.mark.parametrize("stands", [ic.row, ic.column])
def test_slices_and_entries_of_rows_in_index_notation(stands: Any) -> None:
    """A row has its unit axis in front there too: `v[0, 1:][l]`."""
    v, w, B = ic.tensor("v", "n+1"), ic.tensor("w", "n"), ic.tensor("B", "n n n")
    other = ic.column if stands is ic.row else ic.row
    pair = (stands(ic.abs(v[1:])), other(w))
    inner = pair[0] @ pair[1] if stands is ic.row else pair[1] @ pair[0]
    for e in (inner * B, stands(v)[0, 0] * B, ic.derivative(inner**3, v, 3)):
        assert ic.parse(str(e), **e.declarations) == e == ic.parse(e.latex(), **e.declarations)
