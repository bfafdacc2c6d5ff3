"""Small faults that were planted in the library once and that no test saw: each has its own here."""

from __future__ import annotations

import numpy as np
import pytest

import indexcalc as ic

i, j = ic.indices("i j")
s, A, x = ic.scalar("s"), ic.tensor("A", "n n"), ic.tensor("x", "n")


def test_a_delta_does_not_see_the_order_of_its_indices() -> None:
    assert ic.delta(i, j).node is ic.delta(j, i).node
    assert ic.delta(i, j) + ic.delta(j, i) == 2 * ic.delta(i, j)


def test_a_slice_beyond_the_end_is_an_error() -> None:
    with pytest.raises(ic.InputError, match="entries 2 to 4"):
        x[2:5].evaluate(x=[1.0, 2.0, 3.0])


def test_a_mean_times_its_count_is_a_sum() -> None:
    assert str(ic.einsum("i->", ic.ones("n")) * ic.mean(x)) == "sum(x)"


def test_a_seed_of_a_named_step_is_not_derived_again() -> None:
    y = ic.define("y", ic.sin(x))
    dy, dx = ic.tensor("dy", "n"), ic.tensor("dx", "n")
    assert ic.jvp(y * x, [y, x], [dy, dx]) == dy * x + y * dx


def test_new_arrays_in_source_for_torch_are_as_the_inputs() -> None:
    text = ic.to_source([ic.eye("n") + A, ic.diagm(x)], [A, x], target="torch")
    assert "'dtype': A.dtype" in text and "complex" not in text


def test_pairs_of_a_tensor_of_order_4_are_packed_one_by_one() -> None:
    C = ic.tensor("C", 3, 3, 3, 3, symmetric=[(0, 1), (2, 3)])
    c = np.random.default_rng(0).normal(size=(3, 3, 3, 3))
    c = c + c.swapaxes(0, 1)
    c = c + c.swapaxes(2, 3)
    projected, free = (
        ic.grad(ic.sum(C**3), C, structure=how).layout("mandel").evaluate(C=c) for how in ("projected", "free")
    )
    packed = np.stack([c[p, q] for p, q in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))])
    packed = np.stack([packed[:, p, q] for p, q in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))], 1)
    weights = np.outer(*[np.sqrt([1, 1, 1, 2, 2, 2])] * 2)
    assert np.allclose(projected, free) and np.allclose(projected, 3 * packed**2 * weights)


@pytest.mark.parametrize("factor", [s, s + 1, s**2, 1 / (s + 1), ic.exp(s) ** 2, ic.tr(A)], ids=str)
def test_a_factor_of_a_determinant_to_the_power_of_a_dimension(factor: ic.Array) -> None:
    a = np.random.default_rng(0).normal(size=(3, 3))
    value = ic.det(factor * A).simplify()
    given = {"s": 2.0} if "s" in value.variables or "s" in value.declarations else {}
    scale = {"s": 2, "s + 1": 3, "s**2": 4, "1/(s + 1)": 1 / 3, "exp(s)**2": np.exp(4), "tr(A)": np.trace(a)}
    assert np.isclose(value.evaluate(A=a, **given), scale[str(factor)] ** 3 * np.linalg.det(a))
