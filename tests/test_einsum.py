"""The patterns of einsum: letters, words, dots, lists, first or last; NumPy's value, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import indexcalc as ic
from indexcalc import DimensionError, IndexCalcError, KindError, NotationError

i, j, k = ic.indices("i j k")
A, B, x, s, m = ic.tensor("A", "n n"), ic.tensor("B", "n m"), ic.tensor("x", "n"), ic.scalar("s"), ic.tensor("m", "m")
T, U, c = ic.tensor("T", "b n m"), ic.tensor("U", 1, "m", "p"), ic.column("c", "n")
RNG = np.random.default_rng(3)
NUMBERS = {
    "A": RNG.random((3, 3)), "B": RNG.random((3, 2)), "x": RNG.random(3), "s": RNG.random(()), "m": RNG.random(2),
    "T": RNG.random((4, 3, 2)), "U": RNG.random((1, 2, 5)), "c": RNG.random(3),
}  # fmt: skip


# the arguments, and the same for NumPy: letters, and the names of the operands
PATTERNS: list[tuple[tuple[Any, ...], str, str]] = [
    (("ij,jk->ik", A, B), "ij,jk->ik", "AB"),
    (("ij , jk -> ik", A, B), "ij,jk->ik", "AB"),
    (("row in, in out -> row out", A, B), "ij,jk->ik", "AB"),
    (("a b, b c", A, B), "ij,jk", "AB"),
    ((A, B, "b i, i o -> b o"), "ij,jk->ik", "AB"),
    ((B, A, "in out, batch in -> batch out"), "jk,ij->ik", "BA"),
    ((x, c, "in,in->"), "i,i->", "xc"),
    ((A, B, "ij,jk->ik"), "ij,jk->ik", "AB"),
    (("... ij, ... jk -> ... ik", T, U), "...ij,...jk->...ik", "TU"),
    (("k in_1, k -> in_1", A, x), "ki,k->i", "Ax"),
    (("ij j, j -> ij", B, m), "ij,j->i", "Bm"),
    ((" i j k, k -> j i", T, m), "ijk,k->ji", "Tm"),
    (("i jk, k -> ij", T, m), "ijk,k->ij", "Tm"),
    ((A, [0, 1], B, [1, 2], [0, 2]), "ij,jk->ik", "AB"),
    ((A, [5, 2], B, [2, 10]), "ij,jk->ik", "AB"),
    ((A, [10, 2]), "ba->ab", "A"),
    ((A, (i, j), x, (j,), (i,)), "ij,j->i", "Ax"),
    ((A, [0, 0], []), "ii->", "A"),
    (("...ij,...jk->...ik", T, U), "...ij,...jk->...ik", "TU"),
    (("... i j, ... j k -> ... i k", T, U), "...ij,...jk->...ik", "TU"),
    (("... row in, ... in out -> ... row out", T, U), "...ij,...jk->...ik", "TU"),
    (("...ij,kj", T, B), "...ij,kj", "TB"),
    (("...i,i->...", T, m), "...i,i->...", "Tm"),
    (("b...->...b", T), "b...->...b", "T"),
    (("...,...->...", A, x), "...,...->...", "Ax"),
    (("b...d,...d->b...", T, B), "bnd,nd->bn", "TB"),
    ((T, [..., 0, 1], U, [..., 1, 2], [..., 0, 2]), "...ij,...jk->...ik", "TU"),
    (("ij,j->i", A, c), "ij,j->i", "Ac"),
    ((A[i, j], x[k], "p q, q -> p"), "ij,j->i", "Ax"),
    ((",i->i", s, x), ",i->i", "sx"),
    (("->", s), "->", "s"),
    (("ii", A), "ii", "A"),
    (("ij", A), "ij", "A"),
]


@pytest.mark.parametrize(("args", "spec", "names"), PATTERNS)
def test_a_pattern_is_numpys(args: tuple[Any, ...], spec: str, names: str) -> None:
    made = ic.einsum(*args).evaluate({name: NUMBERS[name] for name in names})
    assert_allclose(made, np.einsum(spec, *[NUMBERS[name] for name in names]), rtol=1e-13)


def test_a_column_stands_and_derivatives_go_through() -> None:
    assert ic.einsum("row in, in -> row", A, c).shape == ("n", 1)
    loss = ic.einsum("i, i j, j ->", x, A, x)
    assert ic.grad(loss, x) == A @ x + A.T @ x
    assert ic.einsum("... i j, ... j k -> ... i k", T, B.T) == ic.einsum("bij,kj->bik", T, B)
    assert ic.parse('einsum("row in, in out -> row out", A, B)', A="n n", B="n m") == A @ B


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: ic.einsum(), NotationError, "no pattern"),
        (lambda: ic.einsum(A, B), NotationError, "no pattern"),
        (lambda: ic.einsum("ij", "jk", A), NotationError, "2 patterns"),
        (lambda: ic.einsum(A, "ij,jk->ik", B), NotationError, "a pattern between the operands"),
        (lambda: ic.einsum("ij,jk->ik"), NotationError, "2 groups of letters for 0 operands"),
        (lambda: ic.einsum("ij,jk->ik", A), NotationError, "2 groups of letters for 1 operand"),
        (lambda: ic.einsum("(h w) c -> h w c", T), NotationError, "only letters, or words with spaces"),
        (lambda: ic.einsum("i1,1j->ij", A, A), NotationError, "only letters, or words with spaces"),
        (lambda: ic.einsum("row in, in out", A, B), NotationError, "words, and no output"),
        (lambda: ic.einsum("in,in->", x, x), NotationError, "'in' names 2 axes, x has 1"),
        (lambda: ic.einsum("row in -> row", x), NotationError, "names 2 axes, x has 1"),
        (lambda: ic.einsum("ij->", x), NotationError, "'ij' names 2 axes, x has 1"),
        (lambda: ic.einsum("...ij->...", x), NotationError, "names 2 axes, x has 1"),
        (lambda: ic.einsum("...i...->i", T), NotationError, "or `...` once"),
        (lambda: ic.einsum("...i->i", T), NotationError, "the axes behind ... are not in the output"),
        (lambda: ic.einsum("row in -> out", A), NotationError, "'out' is in the output and in no operand"),
        (lambda: ic.einsum("ij,jk->ik", A, B.T), DimensionError, "index j: A has n, B.T has m"),
        (lambda: ic.einsum("...i,...i->...", T, A), DimensionError, "index i: T has m, A has n"),
        (lambda: ic.einsum("...ij,...ik->...jk", T, ic.tensor("R", "c n m")), DimensionError, "an axis behind ..."),
        (lambda: ic.einsum(A, [0, 1], B), NotationError, "take turns"),
        (lambda: ic.einsum([0, 1], A), NotationError, "take turns"),
        (lambda: ic.einsum(A, [0, "a"]), NotationError, "the label 'a'"),
        (lambda: ic.einsum(A, [0, True]), NotationError, "the label True"),
        (lambda: ic.einsum(A, [0, 1], [2]), NotationError, "2 is in the output"),
        (lambda: ic.einsum(A, [0], [0]), NotationError, "names 1 axis"),
        (lambda: ic.einsum("i,j->ij", x, 2.0), KindError, "2.0 is no expression"),
        (lambda: ic.einsum("ij->i", np.ones((2, 2))), KindError, "is no expression"),
    ],
)
def test_what_is_no_pattern_is_refused(call: Callable[[], Any], error: type[IndexCalcError], said: str) -> None:
    with pytest.raises(error, match=said.replace("(", r"\(")) as caught:
        call()
    assert caught.value.instead
