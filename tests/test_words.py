"""Words that say which entries a tensor has: onehot, mask, full_rank."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import indexcalc as ic
from indexcalc.engine.bind.declared import check_declared, respecting

i, a = ic.indices("i a")
M, x = ic.tensor("M", "n", mask=True), ic.tensor("x", "n")
Y, Z, R = ic.tensor("Y", "N k", onehot=True), ic.tensor("Z", "N k"), ic.tensor("R", "n n", full_rank=True)


def test_words_imply_others() -> None:
    assert Y.node.assumptions == {"onehot", "mask", "stochastic"}
    assert ic.tensor("Y", "N k", mask=True, stochastic=True) == Y


def test_what_is_shorter() -> None:
    assert M * M == M and (M**3 * x).simplify() == M * x and (Y * Y).equals(Y)
    assert Y[i, a].sum(a).simplify() == ic.ones(i, dim="N")
    assert (M * (1 - M)).equals(0 * M) and not (2 * M).equals(M)
    loss = -(Y[i, a] * ic.log_softmax(Z[i, a], a))
    assert ic.grad(loss, Z) == ic.softmax(Z, axis=1) - Y


def test_what_is_masked_counts_nowhere() -> None:
    e = (M * ic.log(x)).sum()
    assert e.evaluate(M=[1, 0], x=[1, 0]) == 0
    np.testing.assert_array_equal(ic.grad(e, x).evaluate(M=[1, 0], x=[2, 0]), [0.5, 0])


WRONG = [(M, [1, 0.5]), (M, [1, np.nan]), (Y, [[1, 1]]), (Y, [[0, 0]]), (Y, [[0.5, 0.5]]), (R, [[1, 2], [2, 4]])]
RIGHT = [(M, [1, 0]), (Y, [[0, 1]]), (R, [[1, 2], [2, 5]])]


@pytest.mark.parametrize(("tensor", "numbers"), WRONG, ids=str)
def test_numbers_that_are_not_what_was_declared(tensor: Any, numbers: Any) -> None:
    with pytest.raises(ic.InputError, match=r"it is declared (mask|onehot|full_rank), and"):
        (2 * tensor).evaluate(**{str(tensor): numbers})


@pytest.mark.parametrize(("tensor", "numbers"), RIGHT, ids=str)
def test_numbers_that_are_what_was_declared(tensor: Any, numbers: Any) -> None:
    np.testing.assert_array_equal((2 * tensor).evaluate(**{str(tensor): numbers}), 2 * np.asarray(numbers))


REFUSED = [
    ("n n", {"positive": True, "diagonal": True}), ("n n", {"positive": True, "lower": True}),
    ("2 3", {"positive": True, "upper": True}), ("n n", {"mask": True, "skew": True}),
    ("n n", {"positive_definite": True, "skew": True}), ("n n", {"positive_definite": True, "mask": True}),
    ("n", {"mask": True, "positive": True}), ("n n", {"onehot": True, "diagonal": True}),
    ("n n", {"onehot": True, "symmetric": True}), ("n n", {"mask": True, "orthogonal": True}), ("", {"onehot": True}),
    ("n", {"full_rank": True}), ("3 3", {"full_rank": True, "skew": True}),
]  # fmt: skip


@pytest.mark.parametrize(("dims", "words"), REFUSED, ids=str)
def test_what_no_tensor_is_is_refused(dims: str, words: dict[str, bool]) -> None:
    with pytest.raises(ic.NotationError):
        ic.tensor("T", dims, **words)  # type: ignore[arg-type]


HELD = [
    ("1 1", {"positive": True, "diagonal": True}), ("n 1", {"positive": True, "lower": True}), ("", {"mask": True}),
    ("4 4", {"full_rank": True, "skew": True}), ("n n", {"mask": True, "symmetric": True}),
    ("n n", {"mask": True, "toeplitz": True}), ("n n", {"mask": True, "diagonal": True}),
    ("n n", {"onehot": True, "lower": True}), ("m n k", {"onehot": True}), ("m n", {"full_rank": True}),
]  # fmt: skip


@pytest.mark.parametrize(("dims", "words"), HELD, ids=str)
def test_random_numbers_are_what_was_declared(dims: str, words: dict[str, bool]) -> None:
    variable: Any = ic.tensor("T", dims, **words).node  # type: ignore[arg-type]
    for seed in range(5):
        shape = [dim if isinstance(dim, int) else 4 for dim in variable.shape]
        check_declared({variable: respecting(variable, np.random.default_rng(seed).normal(size=shape))})


def test_derivatives_by_them_are_free() -> None:
    for T in (M, Y):
        with pytest.raises(ic.DerivativeError, match="entries are 0 or 1"):
            ic.grad((3 * T).sum(), T)
        assert ic.grad((3 * T).sum(), T, structure="free").equals(3 + 0 * T)
    assert ic.grad(ic.logdet(R), R) == ic.inv(R).T
    assert ic.verify(ic.grad((M * ic.exp(x)).sum(), x))
