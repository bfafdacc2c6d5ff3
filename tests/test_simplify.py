"""Simplification and equality: what is found, what is never invented, and that presentation makes no difference."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs import INDEX, TENSORS, arrays, program, sizes
from test_derivatives import FRESH, close, numbers

import indexcalc as ic
from indexcalc.engine.bind.declared import respecting
from indexcalc.graph.constructors import addition, einsum
from indexcalc.graph.edge import symmetry_of
from indexcalc.graph.node import Node, Product, Sum, topological
from indexcalc.graph.walk import count, replace

i, j, k, m, n, p, q, r = ic.indices("i j k m n p q r")
x, y = ic.tensor("x", "d"), ic.tensor("y", "d")
A, B, C, X, Y = (ic.tensor(name, "d d") for name in "ABCXY")
S, K = ic.tensor("S", "d d", symmetric=True), ic.tensor("K", "d d", skew=True)
v, T = ic.tensor("v", 3), ic.tensor("T", 3, 3)
S3 = ic.tensor("S3", 3, 3, symmetric=True)
s, t = ic.scalar("s"), ic.scalar("t")
eps, delta = ic.epsilon, ic.delta


def tr(Z):
    return ic.einsum("ii->", Z)


def text(view):
    return str(view.simplify())


# ------------------------------------------------------------------ deltas


def test_delta():
    size = lambda dim: ic.ones(r, dim=dim).sum(r)  # noqa: E731
    assert delta(i, i, dim="n") == size("n") and delta(i, i, dim=5) == 5
    assert delta(i, i, dim="m*n") == size("m") * size("n") and delta(i, i, dim="n + 1") == size("n") + 1
    assert text(delta(i, j) * x[j]) == "x[i]"
    assert text(delta(i, j) * delta(j, k) * A[k, m]) == "A[i,m]"
    assert delta(i, j, dim="d") * delta(i, j) * x[k] * x[k] == delta(m, m, dim="d") * x[i] * x[i]
    assert delta(i, j) * A[i, j] == A[p, p]
    assert text(delta(i, j) * x[k]) in ("x[k]*δ[i,j]", "δ[i,j]*x[k]"), "nothing to put the free delta's index in"
    assert delta(i, j) * x[k] != delta(i, k) * x[j]


def test_a_delta_goes_into_a_sum_and_into_functions_it_does_not():
    assert delta(i, j) * (x[j] + y[j]) == x[i] + y[i]
    assert delta(i, j) * ic.exp(x[j]) == ic.exp(x[i])
    assert (delta(i, j) - ic.hadamard(x[i], y[j])) * A[j, k] == A[i, k] - x[i] * y[j] * A[j, k]


def test_the_dimension_of_a_trace_of_deltas():
    D = (A[i, j] * x[j]).diff(A[k, m])
    assert D * delta(i, k) == delta(p, p, dim="d") * x[m]
    assert ic.derivative(X, X)[i, j, i, j] == delta(p, p, dim="d") ** 2


# ------------------------------------------------------------------ Levi-Civita


def test_epsilon_in_three_dimensions():
    e = eps(i, j, k)
    d = lambda a, b: delta(a, b, dim=3)  # noqa: E731
    assert e * eps(i, m, n) == d(j, m) * d(k, n) - d(j, n) * d(k, m)
    assert e * eps(i, j, n) == 2 * d(k, n)
    assert e * e == 6
    assert eps(j, i, k) == -e and eps(k, i, j) == e
    assert e * v[j] * v[k] == 0
    assert e * S3[j, k] == 0 and e * (T[j, k] + T[k, j]) == 0
    assert e * T[j, k] == Fraction(1, 2) * e * (T[j, k] - T[k, j])
    assert eps(i, i, k) == 0
    assert e * T[i, p] * T[j, q] * T[k, r] != 0
    assert e * eps(k, m, n) * v[i] * T[j, m] == v[m] * T[n, m] - v[n] * T[m, m]


def test_cross_product_identities():
    a, b, c = (ic.tensor(name, 3) for name in "abc")
    cross = lambda u, w, out: eps(out, p, q) * u[p] * w[q]  # noqa: E731
    triple = eps(i, j, k) * a[j] * cross(b, c, r).array(r)[k]
    assert triple == b[i] * (a[j] * c[j]) - c[i] * (a[j] * b[j])
    volume = a[i] * eps(i, j, k) * b[j] * c[k]
    assert volume == b[i] * eps(i, j, k) * c[j] * a[k] == -(b[i] * eps(i, j, k) * a[j] * c[k])


def test_epsilon_in_other_dimensions():
    R = ic.tensor("R", 2, 2)
    assert eps(i, j) * eps(i, j) == 2
    assert eps(i, j) * eps(i, k) == delta(j, k, dim=2)
    assert eps(i, j) * eps(k, j) * R[i, k] == R[p, p]
    assert eps(i, j) * R[i, k] * R[j, m] * eps(k, m) != 0
    four = eps(i, j, k, m)
    assert four * four == 24
    assert four * eps(i, j, k, n) == 6 * delta(m, n, dim=4)
    assert four * eps(i, j, p, q) == 2 * (
        delta(k, p, dim=4) * delta(m, q, dim=4) - delta(k, q, dim=4) * delta(m, p, dim=4)
    )
    w = ic.tensor("w", 4)
    assert four * w[i] * w[k] == 0
    assert eps(j, i, k, m) == -four and eps(j, k, m, i) == -four


# ------------------------------------------------------------------ algebra


def test_traces_and_symmetry():
    assert tr(X @ Y) - tr(Y @ X) == 0
    assert tr(X @ Y @ A) == tr(A @ X @ Y) and tr(X @ Y @ A) != tr(X @ A @ Y)
    assert tr(X @ Y.T) == tr(X.T @ Y)
    assert ic.grad(x @ S @ x, x) == 2 * (S @ x)
    assert ic.hessian(x @ S @ x, x) == 2 * S
    assert x @ K @ x == 0 and tr(K) == 0 and K + K.T == 0 and tr(K @ S) == 0 and tr(K @ K @ K) == 0
    assert S == S.T and tr(S @ S @ X) == tr(S @ S @ X.T)
    assert A @ A.T == (A @ A.T).T and x @ (A - A.T) @ x == 0
    assert tr((A + A.T) @ (B - B.T)) == 0


def test_symmetric_slots_of_higher_order():
    E = ic.tensor("E", "d d d d", symmetric=[(0, 1), (2, 3)], major=True)
    assert E[i, j, k, m] == E[j, i, k, m] == E[i, j, m, k] == E[k, m, i, j] == E[m, k, j, i]
    assert E[i, j, k, m] != E[i, k, j, m]
    full = ic.tensor("F", "d d d", symmetric=True)
    assert full[i, j, k] == full[k, j, i] and full[i, j, k] * K[i, j] == 0
    assert ic.hessian(E[i, j, k, m] * A[i, j] * A[k, m], A) == ((E[i, j, k, m]) * 2).array(i, j, k, m)


def test_products_over_sums():
    a, b, c = (ic.scalar(name) for name in "abc")
    assert a * (b + c) - a * b - a * c == 0
    assert text(a * (b + c)) in ("a*(b + c)", "(b + c)*a"), "left as written"
    assert text((a * (b + c)).expand()) == "a*b + a*c"
    assert (a + b) ** 2 == a**2 + 2 * a * b + b**2
    assert (a + b) * (a - b) == a**2 - b**2
    assert (X + Y) @ (X - Y) == X @ X - X @ Y + Y @ X - Y @ Y
    assert (X + Y) @ (X + Y) != X @ X + 2 * X @ Y + Y @ Y


def test_like_terms_whatever_they_share():
    P = A @ B
    assert P @ C + ic.sin(P) - (ic.einsum("ij,jk,kl->il", A, B, C) + ic.sin(P)) == 0
    assert text(P @ C + ic.sin(P) - (A @ (B @ C) + ic.sin(P))) == "zeros(d, d)"
    assert x @ y + x @ y == 2 * (y @ x)
    assert (A @ B).T - B.T @ A.T == 0
    assert ic.exp(A @ B) == ic.exp((B.T @ A.T).T)
    assert X * 2 + Y - X == X + Y


def test_powers_and_inverses():
    assert s * s**-1 == 1 and s**3 / s == s**2 and (s**2) ** -1 * s**2 == 1
    assert s ** Fraction(1, 2) * s ** Fraction(1, 2) == s
    assert ic.sqrt(x) * ic.sqrt(x) == x
    assert ic.hadamard(x[i], x[i] ** -1) == ic.ones(i, dim="d")
    assert x / x == ic.ones("d")
    assert (x @ x) * (x @ x) ** -1 == 1
    assert (s * t) ** 2 == s**2 * t**2
    assert ic.sqrt(s**2) != s, "no real-domain fact without an assumption"
    assert (s**2) ** Fraction(1, 2) != s


def test_functions_of_a_gram_matrix_are_symmetric():
    G, H = A[i, k] * A[j, k], A[j, k] * A[i, k]
    assert ic.exp(G) == ic.exp(H) == ic.exp(G).rename({i: j, j: i})
    assert ic.maximum(G, 0.25) == ic.maximum(H, 0.25) and ic.maximum(G, ic.sin(H)) == ic.maximum(H, ic.sin(G))
    assert ic.where(ic.greater(G, 0), G, G / 2) == ic.where(ic.greater(H, 0), H, H / 2)


def test_equal_functions_of_sums_have_equal_hashes():
    for e in (
        (x[i] - 1) * ic.softmax(x[i], i),
        (ic.sqrt(1 + s**2) + 2) / ic.sqrt(1 + s**2),
        ic.maximum((s + t) * x[i], Fraction(1, 4)),
        ic.exp((s + t) * x[i]) * x[j],
    ):
        assert e.expand() == e and hash(e.expand()) == hash(e)


def test_exact_numbers():
    third = Fraction(1, 3)
    assert third * s + third * s + third * s == s
    assert 0.5 * s + 0.25 * s == Fraction(3, 4) * s
    assert text(0.5 * s) == "1/2*s" or text(0.5 * s) == "s/2"
    assert 0.1 * s != Fraction(1, 10) * s
    assert (2 * s) ** 2 / 4 == s**2 and (Fraction(2, 3) * s) ** -1 == Fraction(3, 2) / s
    assert ic.sqrt(4 * s**0) == 2 and ic.sqrt(s * 0 + Fraction(9, 4)) == Fraction(3, 2)
    assert ic.sqrt(s * 0 + 2) ** 2 == 2
    assert 10**40 * s - (10**40 - 1) * s == s


# ------------------------------------------------------------------ recognition


def kinds_of(view):
    return {node.name for node in topological([view.simplify().node]) if node.kind in ("elementwise", "reduction")}


def test_functions_are_recognised():
    e = ic.exp(x[i])
    assert e / ic.exp(x[j]).sum(j) == ic.softmax(x[i], i)
    assert 1 / (1 + ic.exp(-x[i])) == ic.sigmoid(x[i]) and 1 / (ic.exp(-s) + 1) == ic.sigmoid(s)
    assert 1 / (1 + ic.exp(x[i])) == ic.sigmoid(-x[i])
    assert ic.hadamard(e, (1 + e) ** -1) == ic.sigmoid(x[i])
    assert ic.log(1 + ic.exp(s)) == ic.softplus(s) == ic.log(ic.exp(s) + 1)
    assert ic.log(e.sum(i)) == ic.logsumexp(x[i], i)
    assert ic.log(ic.softmax(x[i], i)) == ic.log_softmax(x[i], i)
    assert ic.exp(ic.log_softmax(x[i], i)) == ic.softmax(x[i], i)
    assert ic.log(ic.exp(s)) == s == ic.exp(ic.log(s))
    assert kinds_of(ic.diff(1 / (1 + ic.exp(-s)), s)) <= {"sigmoid", "exp"}


def test_recognised_functions_along_an_axis_of_a_matrix():
    e = ic.exp(A[i, j])
    assert ic.hadamard(e, e.sum(j) ** -1) == ic.softmax(A[i, j], j) != ic.softmax(A[i, j], i)
    assert ic.log(e.sum(i)) == ic.logsumexp(A[i, j], i) and ic.log(e.sum(i, j)) == ic.logsumexp(A[i, j], i, j)
    E = ic.exp(A)
    assert E / E.sum(axis=1, keepdims=True) == ic.softmax(A, axis=1)
    assert E / E.sum(axis=0) == ic.softmax(A, axis=0)


def test_a_softmax_sums_to_one():
    assert ic.softmax(x[i], i).sum(i) == 1
    assert ic.softmax(A[i, j], j).sum(j) == ic.ones(i, dim="d")
    assert ic.softmax(A[i, j], j).sum(i) != 1
    assert ic.softmax(A[i, j], j).sum(i, j) == delta(i, i, dim="d")
    assert ic.grad(ic.softmax(x).sum(), x) == 0


def test_a_recognised_function_has_a_recognised_derivative():
    assert ic.grad(ic.log(1 + ic.exp(s)), s) == ic.sigmoid(s)
    assert ic.log(ic.exp(x[i]).sum(i)).diff(x[j]) == ic.softmax(x[j], j)
    written = (ic.exp(x[i]) / ic.exp(x[k]).sum(k)).diff(x[j])
    assert text(written) == text(ic.softmax(x[i], i).diff(x[j]))
    assert written == ic.softmax(x[i], i).diff(x[j])


# ------------------------------------------------------------------ values


def at_random(e, seed=0):
    """The numbers of an expression in tensors of dimensions d (here 3) and 3, before and after simplification."""
    rng = np.random.default_rng(seed)
    values = {v.label: respecting(v, rng.normal(size=[3] * v.order)) for v in e.inputs}
    sized = {} if any("d" in map(str, v.dims) for v in e.inputs) else {"d": 3}
    return [
        one.evaluate(values, **(sized if "d" in map(str, one.shape) else {})) for one in (e, e.simplify(), e.expand())
    ]


a3, b3, c3 = (ic.tensor(name, 3) for name in "abc")
SOUND = {
    "sigmoid(s)": 1 / (1 + ic.exp(-s)),
    "logit(sigmoid(3*s))": ic.logit(ic.sigmoid(3 * s)),
    "sinh(asinh(x))": ic.sinh(ic.asinh(x[i] * y[i])),
    "sigmoid(2*s)": (1 + ic.exp(-2 * s)) ** -1,
    "sigmoid(-x)": 1 / (ic.exp(x[i]) + 1),
    "sigmoid(x - y)": 1 / (1 + ic.exp(y[i] - x[i])),
    "exp(-s)*sigmoid(s)": ic.exp(-s) / (1 + ic.exp(-s)),
    "softplus(-3*s)": ic.log(1 + ic.exp(-3 * s)),
    "logsumexp(-x)": ic.log(ic.exp(-x[i]).sum(i)),
    "softmax(-x/2)": ic.exp(-x[i] / 2) / ic.exp(-x[j] / 2).sum(j),
    "volume": a3[i] * eps(i, j, k) * b3[j] * c3[k],
    "volume, otherwise": eps(j, k, i) * c3[k] * a3[i] * b3[j],
    "curl of a product": eps(i, j, k) * T[m, j] * a3[k] * b3[m],
    "determinant": eps(i, j, k) * eps(p, q, r) * T[i, p] * T[j, q] * T[k, r],
    "x' K y": x[i] * K[i, j] * y[j],
    "y' K x": y[i] * K[i, j] * x[j],
    "x' K A K y": x[i] * K[i, j] * A[j, k] * K[k, m] * y[m],
    "K K": K[i, j] * K[j, k],
    "skew power": ic.hadamard(K[i, j] ** 3, A[j, i]),
}


@pytest.mark.parametrize("name", SOUND)
def test_simplified_and_expanded_forms_have_the_same_values(name):
    e = SOUND[name]
    before, simplified, expanded = at_random(e)
    assert close(simplified, before) and close(expanded, before)


def test_exponentials_and_sigmoids_have_one_form() -> None:
    """Each product of exp(z), 1 + exp(z) and sigmoids, as it is written and with what is spelled out already made."""
    for z in (s, x, 2 * x - y):
        e, rising, falling, plus, minus = ic.exp(z), ic.sigmoid(z), ic.sigmoid(-z), 1 + ic.exp(z), 1 + ic.exp(-z)
        for one, other in [
            (rising * plus, e), (falling * plus, z / z), (rising * minus, z / z), (falling * minus, ic.exp(-z)),
            (rising / falling, e), (falling / rising, ic.exp(-z)),
            (e / plus, rising), (1 / plus, falling), (1 / minus, rising),
            (rising**2 * plus, e * rising),
            (e / plus**2, rising * falling),
            (rising * falling * plus * minus, z / z),
        ]:  # fmt: skip
            assert one == other and one * y == other * y and one.simplify() * t == other * t, (one, other)
        assert rising != falling and rising * e != falling and rising**2 != rising


def test_a_skew_term_turns_with_its_sum() -> None:
    """`-K` is `K.T`: a sum with a skew term has one form, whichever way round it is written."""
    B = ic.tensor("B", "d d")
    for one, other in [(B.T - K, B + K), (S - K, S + K), (K - S, -S - K), (K - B.T, -K - B), (S - K + B.T, S + K + B)]:
        for f in (lambda z: z, ic.sin, lambda z: x @ z * y, ic.softmax, lambda z: ic.exp(z) * X):
            assert f(one) == f(other.T), (one, other)
            assert f(one) != f(other)
    D = ic.derivative(X * ic.cos(B.T - K), K, structure="independent")
    assert ic.parse(str(D), **D.declarations) == D


def test_what_turns_with_its_transpose_is_known_within_functions() -> None:
    """`A - A.T` is skew and `A + A.T` symmetric, though nobody declared them, and so are functions of them."""
    for turning in (A - A.T, 2 * (A @ S) - 2 * (S @ A.T), K, B @ K @ B.T):
        inverse = ic.inv(turning)
        assert -inverse == inverse.T and tr(inverse) == 0 and x @ inverse @ x == 0
        assert tr(inverse @ ic.exp(S)) == 0
        assert ic.inv(turning @ turning) == ic.inv(turning @ turning).T
    for symmetric in (A + A.T, A @ S @ A.T, S, K @ K):
        inverse = ic.inv(symmetric)
        assert inverse == inverse.T and tr(inverse) != 0 and ic.tanh(symmetric) == ic.tanh(symmetric).T
        assert ic.expm(symmetric).T == ic.expm(symmetric) != ic.expm(-symmetric)


def test_signs_and_absolute_values_are_one_power() -> None:
    """`abs(z)` is `sign(z)*z`: each product of powers of the three has one form, with the form made before or not."""
    for z in (x, ic.sin(s), x - y):
        size, sign = ic.abs(z), ic.sign(z)
        for one, other in [
            (sign * size, z), (sign * sign * size, size), (sign * size * size, z * size), (size**2, z**2),
            (sign / size, 1 / z), (z * sign, size), (z * sign / size, z / z), (size / z, sign), (size**3, z**2 * size),
            (size**-3, 1 / (z**2 * size)), (sign**3 * size, z), (z / size**2, 1 / z),
        ]:  # fmt: skip
            assert one == other and one * x == other * x, (one, other)
        assert sign * sign != z / z and sign != size and size * ic.sign(y) != z * ic.sign(y)
    assert str(ic.derivative(ic.normp(x, 3), x).simplify()) == "x*abs(x)/normp(x, 3)**2"


@pytest.mark.parametrize("seed", range(40))
def test_antisymmetric_products_keep_their_sign(seed):
    """`ε` and a skew matrix between vectors: every order of factors, every order of slots with its sign."""
    rng = random.Random(seed)
    letters = [i, j, k]
    order = rng.sample(range(3), 3)
    sign = 1 if order in ([0, 1, 2], [1, 2, 0], [2, 0, 1]) else -1
    factors = [eps(*[letters[at] for at in order]), a3[i], b3[j], T[k, m], c3[m]]
    rng.shuffle(factors)
    e = sign * factors[0] * factors[1] * factors[2] * factors[3] * factors[4]
    plain = eps(i, j, k) * a3[i] * b3[j] * T[k, m] * c3[m]
    before, simplified, expanded = at_random(e)
    assert close(simplified, before) and close(expanded, before)
    assert e == plain and e - plain == 0 and e + plain != 0 and hash(e) == hash(plain) and text(e) == text(plain)
    skew = [x[i], K[i, j], A[j, k], K[m, k], y[m]]
    rng.shuffle(skew)
    e = -skew[0] * skew[1] * skew[2] * skew[3] * skew[4]
    before, simplified, _ = at_random(e, seed)
    assert close(simplified, before) and e == x[i] * K[i, j] * A[j, k] * K[k, m] * y[m]


def test_scalars_of_both_views_are_equal():
    assert s * x[i] * x[i] == s * (x @ x) and hash(s * x[i] * x[i]) == hash(s * (x @ x))
    assert A[i, i] == tr(A) and x[i] * x[i] != x @ y


# ------------------------------------------------------------------ zeros


def test_zeros_with_axes():
    assert x[i] - x[i] == 0 and X - X == 0 and (X - X).shape == X.shape
    assert ic.zeros("d") == 0 and ic.zeros(i) == 0 and ic.ones(i) != 0
    assert x[i] - x[i] == ic.zeros(i, dim="d")
    assert (x[i] - x[i]) != (x[j] - x[j]), "other names"
    assert hash(x[i] - x[i]) == hash(A - A) == hash(0)
    assert x[i].diff(y[j]) == 0 and x[i].diff(y[j]).free == (i, j)


# ------------------------------------------------------------------ laws, over random expressions


def shuffled(node: Node, rng: random.Random, regroup: bool = False) -> Node:
    """The same expression written otherwise: factors, terms, bound names, and symmetric slots.

    Without `regroup` only factors, terms and bound names; with it products and sums are also split into nested ones.
    """

    def change(old: Node, new: Node) -> Node:
        if isinstance(new, Product):
            names = {label: f"l{other}" for label, other in enumerate(rng.sample(range(100), len(new.sizes)))}
            factors = [
                (f.node, [names[label] for label in (slots(f, rng) if regroup else f.labels)], f.exponent)
                for f in new.factors
            ]
            rng.shuffle(factors)
            dims = {names[label]: dim for label, dim in enumerate(new.sizes)}
            out = [names[label] for label in new.out]
            if regroup and len(factors) > 2 and rng.random() < 0.7:
                cut = rng.randrange(1, len(factors))
                inside, outside = factors[:cut], factors[cut:]
                met = {label for f in outside for label in f[1]} | set(out)
                kept = sorted(label for label in {x for f in inside for x in f[1]} if label in met)
                dims = {x: dim for x, dim in dims.items() if x in met or x not in {y for f in inside for y in f[1]}}
                factors = [*outside, (einsum(1, inside, kept), kept, 1)]
            return einsum(new.coef, factors, out, dims)
        if isinstance(new, Sum):
            terms = [(t.coef, t.node, t.labels) for t in new.terms]
            rng.shuffle(terms)
            if regroup and len(terms) > 2 and rng.random() < 0.7:
                cut = rng.randrange(2, len(terms))
                axes = range(new.order)
                terms = [*terms[cut:], (1, addition(terms[:cut], new.dims), axes)]
            return addition(terms, new.dims)
        return new

    return replace([node], change)[0]


def slots(factor, rng):
    """The labels of a factor, permuted as a declared (even) symmetry allows."""
    labels = list(factor.labels)
    for axes, sign in symmetry_of(factor.node).blocks if factor.node.kind == "variable" else ():
        if sign > 0:
            order = rng.sample(axes, len(axes))
            labels = [labels[order[axes.index(slot)]] if slot in axes else label for slot, label in enumerate(labels)]
    return labels


def draw(seed: int):
    """A random expression, or its first derivative."""
    rng = random.Random(seed)
    twin = program(rng, 1 + seed % 3)
    if seed % 2:
        by = rng.choice(["x", "A", "S", "s"])
        fresh = tuple(FRESH[name] for name in "ef")[: TENSORS[by].order]
        return rng, twin.expr.diff(TENSORS[by][fresh] if fresh else TENSORS[by])
    return rng, twin.expr


seeds = given(st.integers(0, 2**40))


@seeds
def test_simplify_is_idempotent(seed):
    _, e = draw(seed)
    once = e.simplify()
    assert once.simplify().node is once.node
    once.node.facts.pop("simplified", None)
    assert once.simplify().node is once.node, "also where the node does not remember it"


@seeds
def test_presentation_makes_no_difference(seed):
    rng, e = draw(seed)
    for regroup in (False, True):
        other = ic.Expr(shuffled(e.node, rng, regroup), e.indices, e.inputs)
        assert other == e and hash(other) == hash(e)
        if not regroup:
            assert other.simplify().node is e.simplify().node
            assert str(other) == str(e) or " with " in str(e), "what is shared is named, and that is presentation"


@seeds
def test_simplify_and_expand_are_sound(seed):
    rng, e = draw(seed)
    dims = sizes(rng)
    values = arrays(rng, dims)
    expected = numbers(e, e.free, values, dims)
    assert close(numbers(e.simplify(), e.free, values, dims), expected)
    assert close(numbers(e.expand(), e.free, values, dims), expected)
    assert close(numbers(ic.Expr(shuffled(e.node, rng, True), e.indices, e.inputs), e.free, values, dims), expected)


@seeds
def test_equal_expressions_have_equal_hashes_and_a_difference_of_zero(seed):
    _, e = draw(seed)
    double = e + e
    for other in (e.simplify(), double - e, double / 2):
        assert other == e and other - e == 0 and hash(other - e) == 0
    for other in (e.simplify(), e.expand(), double - e, double / 2):
        assert hash(other) == hash(e) or other != e
    assert (e == 0) == (2 * e == 0) == (e == e * 0)
    assert e + 1 != e


@seeds
def test_renaming_keeps_equality_apart(seed):
    _, e = draw(seed)
    if e.free:
        other = e.rename({e.free[0]: ic.index("zz")})
        assert other != e and other.rename({ic.index("zz"): e.free[0]}) == e
    clash = {INDEX["i"]: INDEX["m"], INDEX["m"]: INDEX["i"]}
    swapped = e.rename({a: b for a, b in clash.items() if a in e.free and b in e.free})
    assert set(swapped.free) == set(e.free)


# ------------------------------------------------------------------ canonical forms that are hard


PETERSEN = (
    [(a, (a + 1) % 5) for a in range(5)] + [(a, a + 5) for a in range(5)] + [(a + 5, (a + 2) % 5 + 5) for a in range(5)]
)


def graph_product(edges, corners):
    """A product with a symmetric tensor at each corner of a graph, a summed label along each edge."""
    factors = []
    for corner in corners:
        labels = [number for number, edge in enumerate(edges) if corner in edge]
        T = ic.tensor(f"T{len(labels)}", *["d"] * len(labels), symmetric=True)
        factors.append((T.node, labels))
    return ic.Array(einsum(1, factors, ()))


def cycle(length, tensor):
    return ic.Array(einsum(1, [(tensor.node, (a, (a + 1) % length)) for a in range(length)], ()))


def squares(times):
    return ic.Array(einsum(1, [(x.node, (a,)) for a in range(times) for _ in "12"], ()))


HARD = {
    "(x_i x_i)^6": lambda: squares(6),
    "tr(A^20)": lambda: cycle(20, A),
    "20-cycle of symmetric matrices": lambda: cycle(20, S),
    "Petersen graph": lambda: graph_product(PETERSEN, range(10)),
    "K33": lambda: graph_product([(a, b) for a in range(3) for b in range(3, 6)], range(6)),
    "K44": lambda: graph_product([(a, b) for a in range(4) for b in range(4, 8)], range(8)),
    "cube": lambda: graph_product([(a, a ^ bit) for a in range(8) for bit in (1, 2, 4) if a < a ^ bit], range(8)),
    "star of 8": lambda: ic.Array(einsum(1, [(A.node, ("h", leg)) for leg in range(8)], ())),
}


@pytest.mark.parametrize("name", HARD)
def test_hard_canonical_forms_are_exact_and_one(name):
    e = HARD[name]()
    assert e.canonical
    for seed in range(5):
        other = ic.Array(shuffled(e.node, random.Random(seed), regroup=seed > 2))
        if seed <= 2:
            turned = [(f.node, slots(f, random.Random(seed)), f.exponent) for f in other.node.factors]
            other = ic.Array(einsum(1, turned, ()))
            assert other.simplify().node is e.simplify().node and text(other) == text(e)
        assert other == e and hash(other) == hash(e) and other.canonical


def test_graphs_of_equal_degrees_are_told_apart():
    prism = [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3), (0, 3), (1, 4), (2, 5)]
    K33 = [(a, b) for a in range(3) for b in range(3, 6)]
    assert graph_product(prism, range(6)) != graph_product(K33, range(6))
    six, two_threes = cycle(6, S), cycle(3, S) * cycle(3, S)
    assert six != two_threes and cycle(3, S) * cycle(3, S) == cycle(3, S) ** 2


def test_antisymmetry_inside_a_hard_product():
    assert cycle(5, K) == 0 and cycle(6, K) != 0, "an odd cycle of skew matrices is its own negative"
    odd = einsum(1, [(K.node, (a, (a + 1) % 7)) for a in range(7)], ())
    assert ic.Array(odd) == 0


def test_past_the_bound_the_form_is_sound_and_says_so():
    """Strongly regular graphs: refinement sees nothing, and the search is cut short."""
    cells = list(itertools.product(range(4), repeat=2))
    pairs = itertools.combinations(range(16), 2)
    rook = [(a, b) for a, b in pairs if (cells[a][0] == cells[b][0]) != (cells[a][1] == cells[b][1])]
    e = graph_product(rook, range(16))
    other = ic.Array(shuffled(e.node, random.Random(0)))
    if e.canonical:
        assert other == e
    wide = squares(1) * 0 + cycle(70, A)
    assert wide == cycle(70, A)
    chain = ic.einsum("ij->", A)
    for _ in range(100):
        chain = chain * (x @ A @ y)
    assert chain == chain.simplify()


def test_canonical_reads_false_where_the_search_was_cut_short(monkeypatch):
    from indexcalc.graph import canonical

    monkeypatch.setattr(canonical, "LEAVES", 3)
    U = ic.tensor("U", "dd dd", symmetric=True)
    e = ic.exp(cycle(12, U))
    assert not e.canonical and not (e + 1).canonical and not (2 * e).canonical
    values = {"U": [[1.0, 0.5], [0.5, -1.0]]}
    assert close(e.simplify().evaluate(values), e.evaluate(values))
    assert e == e and e == e.simplify()


def test_count_of_nodes_does_not_grow_by_simplifying():
    e = ic.softmax(A @ x) @ ic.tanh(B @ ic.softmax(A @ x))
    assert count([e.simplify().node]) <= count([e.node])


def test_a_shared_product_cancels_with_its_factors() -> None:
    p, q, r = (ic.tensor(name, "n") for name in "pqr")
    assert ic.grad((p * ic.log(p / q)).sum(), p).node is (ic.log(p / q) + 1).simplify().node
    for e, shared, wanted in (
        (p / q * (p / q) ** -1, p / q, 1),
        (p * (p * q * r) ** -1, p * q * r, 1 / (q * r)),
        ((p * q) ** 2 / p, p * q, p * q**2),
        (r * (p * q) ** -2 * p**2, p * q, r / q**2),
    ):
        assert (e + ic.sin(shared)).simplify().node is (wanted + ic.sin(shared)).simplify().node
    P = ic.tensor("P", "n m")
    part = ic.outer(P.sum(axis=1), P.sum(axis=0))
    assert "P/" not in str(ic.grad((P * ic.log(P / part)).sum(), P)).replace("log(P/", "")


def test_what_stands_above_the_line_meets_what_stands_below() -> None:
    p, q, a = (ic.scalar(name) for name in "pqa")
    x, t = ic.tensor("x", "n"), ic.tensor("t", "n", mask=True)
    s, sigma = p + q, ic.sigmoid(x)
    for e, wanted in (
        (s * (a / s + 1), a + s),
        (s * (a * s**-0.5 + 1), a * s**0.5 + s),
        ((p - q) * (a / (q - p) + 1), p - q - a),
        (s**2 * (a / s + p / s**2), a * s + p),
        (ic.sqrt(2 * p) * (ic.sqrt(2 * p) + 1), 2 * p + ic.sqrt(2 * p)),
        ((a / ic.sqrt(2 * p) + 1) / ic.sqrt(2 * p), a / (2 * p) + 1 / ic.sqrt(2 * p)),
        (a * ic.sqrt(p * q) * (ic.sqrt(p * q) - 1), a * p * q - a * ic.sqrt(p * q)),
        (sigma * (1 - sigma) * (t / sigma - (1 - t) / (1 - sigma)), t - sigma),
    ):
        assert e == wanted and hash(e) == hash(wanted)
    D = ic.grad(-(t * ic.log(sigma) + (1 - t) * ic.log(1 - sigma)).sum(), x)
    assert str(D) == "sigmoid(x) - t" and ic.parse(str(D), **D.declarations) == D


def test_a_choice_by_whether_it_is_0_is_a_choice() -> None:
    x, y, z = (ic.tensor(name, "n") for name in "xyz")
    assert ic.where(ic.not_equal(x, 0), y, z) == ic.where(ic.not_equal(0, x), y, z) == ic.where(x, y, z)
    assert ic.where(ic.equal(x, 0), y, z) == ic.where(x, z, y) != ic.where(x, y, z)
    assert ic.where(ic.not_equal(x, y), y, z) != ic.where(x, y, z)


def test_what_is_divided_by_its_own_sum_cancels_along_the_axes_that_stay() -> None:
    v, M = ic.tensor("v", "n"), ic.tensor("M", "n m")
    for f in (ic.min, ic.max):
        D = ic.derivative(f((M.T + v).T, axis=1), v)
        assert str(D) == "eye(n)" and ic.parse("eye(n)", n="n") == D
    rows = ic.sin(M) / ic.sum(ic.sin(M), axis=1, keepdims=True)
    assert ic.sum(rows, axis=1) == ic.ones("n") != ic.sum(rows, axis=0)
    assert ic.sum(3 * rows**2, axis=1) != ic.sum(3 * rows, axis=1) == 3 * ic.ones("n")
