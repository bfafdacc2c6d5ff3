"""Powers, exponentials, logarithms and norms that meet, and identities of functions of entries."""

from typing import Any

import numpy as np
import pytest

import indexcalc as ic
from indexcalc.functions.table import ELEMENTWISE
from indexcalc.simplify.identities.entries import IN_PRODUCTS, IN_SUMS, powers_of

s, t, a, b = (ic.scalar(name) for name in "stab")
p, q = ic.scalar("p", positive=True), ic.scalar("q", positive=True)
x, y, m = ic.tensor("x", "n"), ic.tensor("y", "n"), ic.scalar("m")
z = ic.tensor("z", "n", positive=True)
r3 = ic.tensor("x", 3)
VALUES = {"s": 0.7, "t": 1.3, "a": -0.4, "b": 0.9, "p": 0.6, "q": 1.7, "m": 3}

SHORTER = [
    # powers
    (s * s ** (t - 1), "s**t"), (s**t / s, "s**(t - 1)"), (s**t * s ** (-t), "1"), (s**a * s**b, "s**(a + b)"),
    ((s**t) ** 2, "s**(2*t)"), ((s**2) ** t, "abs(s)**(2*t)"), ((p**3) ** t, "p**(3*t)"), ((p**t) ** 0.5, "p**(t/2)"),
    (ic.grad(ic.grad(p**t, p), p) * p**2 / (t * (t - 1)), "p**t"),
    # exponentials
    (ic.exp(s) * ic.exp(t), "exp(s + t)"), (ic.exp(s) ** 2, "exp(2*s)"), (ic.exp(s + t) / ic.exp(t), "exp(s)"),
    (ic.exp(2 * s) * ic.exp(-s), "exp(s)"), (ic.sqrt(ic.exp(s)), "exp(s/2)"), (ic.exp(x) * ic.exp(y), "exp(x + y)"),
    # logarithms
    (ic.log(p / q) - ic.log(p), "-log(q)"), (ic.log(ic.exp(t) * p), "log(p) + t"), (ic.log(p**s), "s*log(p)"),
    (ic.log(ic.prod(z)), "sum(log(z))"), (ic.log(p * q) - ic.log(p) - ic.log(q), "0"), (ic.log(p * q), "log(p*q)"),
    # functions of one argument
    (ic.sin(t) ** 2 + ic.cos(t) ** 2, "1"), (a * ic.sin(t) ** 2 + a * ic.cos(t) ** 2, "a"),
    (ic.sin(t) / ic.cos(t), "tan(t)"), (ic.relu(t) - ic.relu(-t), "t"),
    (ic.grad(ic.grad(ic.log(ic.cosh(t)), t), t), "1 - tanh(t)**2"), (ic.cosh(t) ** 2 - ic.sinh(t) ** 2, "1"),
    (ic.softplus(t) - ic.softplus(-t), "t"), (ic.sigmoid(x) + ic.sigmoid(-x), "ones(n)"),
    (ic.sum(ic.sin(x) ** 2) + ic.sum(ic.cos(x) ** 2), "n"), (1 - ic.tanh(t) ** 2, "1 - tanh(t)**2"),
    # quotients over one power
    (ic.grad(ic.grad(ic.sqrt(1 + t**2), t), t), "1/(t**2 + 1)**(3/2)"), (ic.grad(t / (1 + t), t), "1/(t + 1)**2"),
    (ic.grad(ic.grad(ic.log(1 + t**2), t), t), "2*(1 - t**2)/(t**2 + 1)**2"),
    (ic.grad(t / ic.sqrt(1 + t**2), t), "1/(t**2 + 1)**(3/2)"),
    # norms
    (ic.tr(ic.hessian(1 / ic.norm2(r3), r3)), "0"), (ic.tr(ic.hessian(1 / ic.norm2(x), x)), "(3 - n)/norm2(x)**3"),
    (x @ x / ic.norm2(x), "norm2(x)"), ((x @ x) ** 2 * ic.norm2(x) ** -3, "norm2(x)"),
    (ic.tr(ic.hessian(ic.norm2(x), x)), "(n - 1)/norm2(x)"), (ic.norm2(x - y) ** 2 - (x - y) @ (x - y), "0"),
    (ic.tr(ic.hessian(ic.log(ic.norm2(x)), x)), "(n - 2)/norm2(x)**2"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "line"), SHORTER, ids=lambda value: str(value)[:50])
def test_what_meets_is_one(written: Any, line: str) -> None:
    made = written.simplify()
    assert str(made) == line and made.simplify() == made and ic.parse(line, **made.declarations) == made
    given = {name: VALUES[name] for name in written.declarations if name in VALUES}
    given |= {name: np.array([0.3, 1.1, 0.8]) for name in "xyz" if name in written.declarations}
    kept = {name: value for name, value in given.items() if name in made.declarations}
    size = {"n": 3} if "n" in line and not kept else {}
    before, after = written.evaluate(**given), made.evaluate(**kept, **size)
    np.testing.assert_allclose(before, after, rtol=1e-9, atol=1e-9)


STAYS = [
    (s**3) ** t, (s**2) ** 0.5, ic.log(s * t), ic.exp(s) + ic.exp(t), ic.sin(t) ** 2 + ic.cos(s) ** 2,
    ic.sin(t) ** 2 + 2 * ic.cos(t) ** 2, (s * t) ** a, ic.outer(ic.exp(x), ic.exp(y)),
    1 / (1 + t) + 1 / (1 + s), ic.norm2(x) * (y @ y),
]  # fmt: skip


@pytest.mark.parametrize("written", STAYS, ids=lambda value: str(value)[:50])
def test_what_has_no_such_form_stays(written: Any) -> None:
    assert len(str(written.simplify())) >= len(str(written)) - 2


@pytest.mark.parametrize("row", [*IN_PRODUCTS, *IN_SUMS], ids=lambda row: row.name)
def test_each_identity_of_entries(row: Any) -> None:
    """By numbers of both signs, and that the left side becomes the right one; with another factor too."""
    values = np.array([-1.3, -0.4, 0.2, 0.9])

    def of(side: str, sums: bool) -> Any:
        parts = [
            power.coef
            * (ELEMENTWISE[power.fn].numpy(power.sign * values) if power.fn else values) ** float(power.exponent)
            for power in powers_of(side)
        ]
        return sum(parts) if sums else np.prod(parts, axis=0)

    sums = row in IN_SUMS
    np.testing.assert_allclose(of(row.left, sums), of(row.right, sums) * np.ones(4), rtol=1e-12)
    text = row.left if sums else row.left.replace(" ", " * ")
    for factor in ("1", "s**2"):
        left, right = (ic.parse(f"{factor} * ({side})".replace("z", "t"), s=s, t=t) for side in (text, row.right))
        assert str(left.simplify()) == str(right.simplify())
        assert left == right


def test_a_power_along_a_delta_is_along_each_of_its_axes() -> None:
    """Which terms are put over one power does not depend on the order of axes: a second derivative is symmetric."""
    x, (i, p, q) = ic.tensor("x", "n"), ic.indices("i p q")
    D = (ic.asin(3 * ic.tanh(x[i]) / 4) * (x * x).sum()).diff(x[p]).diff(x[q])
    assert D == D.rename({p: q, q: p}) == ic.parse(str(D), **D.declarations)


def test_a_norm_whose_square_is_a_dimension() -> None:
    """The square of an orthogonal matrix is a number of ones, which no factor has."""
    Q, A, B = ic.tensor("Q", "n n", orthogonal=True), ic.tensor("A", "n 3"), ic.tensor("B", "n 3")
    e = ic.normF(Q) * (A * B).sum()
    assert ic.jvp(e, [A], [B]).evaluate(Q=np.eye(2), B=np.ones((2, 3))) == pytest.approx(6 * 2**0.5)
