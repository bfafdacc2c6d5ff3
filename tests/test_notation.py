"""The rules of index and matrix notation: what expressions mean, and the error of its own that each misuse gets."""

from __future__ import annotations

import random
import re
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import indexcalc as ic

i, j, k, m, p, q = ic.indices("i j k m p q")
n, b = ic.indices("n b", batch=True)
x, y, z = (ic.tensor(name, "d") for name in "xyz")
A, B = ic.tensor("A", "d d"), ic.tensor("B", "d d")
W, X = ic.tensor("W", "d e"), ic.tensor("X", "N d")
s, t = ic.scalar("s"), ic.scalar("t")
rng = np.random.default_rng(0)
VALUES = {
    "x": rng.normal(size=3),
    "y": rng.normal(size=3),
    "z": rng.normal(size=3),
    "A": rng.normal(size=(3, 3)),
    "B": rng.normal(size=(3, 3)),
    "W": rng.normal(size=(3, 2)),
    "X": rng.normal(size=(4, 3)),
    "s": 0.7,
    "t": -0.3,
}


def values(view, **sizes):
    """The numbers of a view."""
    return view.evaluate({v.label: VALUES[v.label] for v in view.inputs}, **sizes)


def close(ours, expected, tolerance=1e-10):
    ours, expected = np.asarray(ours), np.asarray(expected)
    assert ours.shape == expected.shape, (ours.shape, expected.shape)
    return np.allclose(ours, expected, rtol=tolerance, atol=tolerance)


def refused(kind, asked, found, instead):
    """The error that is expected, its three parts holding these words; a context to put the misuse in."""

    class Refused:
        def __enter__(self):
            self.raises = pytest.raises(kind)
            self.caught = self.raises.__enter__()

        def __exit__(self, *what):
            done = self.raises.__exit__(*what)
            error = self.caught.value
            assert isinstance(error, ic.IndexCalcError) and isinstance(error, ValueError | TypeError)
            for part, words in ((error.asked, asked), (error.found, found), (error.instead, instead)):
                for word in words.split("|"):
                    assert word in part, (word, error.asked, error.found, error.instead)
            return done

    return Refused()


# ------------------------------------------------------------------ Einstein's product


def test_free_and_summed():
    e = x[i] * W[i, j]
    assert e.free == (j,) and e.shape == W.shape[1:] and close(values(e), VALUES["x"] @ VALUES["W"])
    assert (x[i] * y[j]).free == (i, j) and (y[j] * x[i]).free == (j, i)
    assert x[i] * y[j] == y[j] * x[i], "the order of the free names is no part of equality"
    assert close(values(A[i, i]), np.trace(VALUES["A"])) and A[i, i].free == ()
    assert (x[i] ** 2).free == (i,) and (x[i] * x[i]).free == ()
    assert (x[i] ** 2 * y[i]).free == () and close(values(ic.exp(x[i]) * y[i]), np.exp(VALUES["x"]) @ VALUES["y"])


THIRD = {
    "left": lambda: (x[i] * y[i]) * z[i],
    "right": lambda: x[i] * (y[i] * z[i]),
    "times a square": lambda: (x[i] * y[i]) * z[i] ** 2,
    "a number between": lambda: 2 * (x[i] * y[i]) * 3 * z[i],
    "a minus": lambda: -(x[i] * y[i]) * z[i],
    "another factor between": lambda: (x[i] * y[i]) * A[j, k] * z[i],
    "a trace": lambda: A[i, i] * x[i],
    "three of one": lambda: A[i, i] * A[i, j],
    "a delta": lambda: ic.delta(i, i, dim="d") * x[i],
    "divided": lambda: (x[i] * y[i]) / z[i],
    "divided by": lambda: z[i] / (x[i] * y[i]),
}


@pytest.mark.parametrize("name", THIRD)
def test_a_third_occurrence_is_an_error_however_grouped(name):
    with refused(ic.NotationError, "", "index i occurs a third time", "another index|ic.einsum|batch"):
        THIRD[name]()


def test_a_third_occurrence_within_one_tensor():
    T = ic.tensor("T", "d d d")
    with refused(ic.NotationError, "[i, i, i]", "i occurs 3 times", "ic.einsum|batch"):
        T[i, i, i]


def test_a_name_summed_on_both_sides_is_fine():
    f = x[i] * x[i]
    assert f * f == f**2 and close(values(f * f), (VALUES["x"] @ VALUES["x"]) ** 2)
    assert (x[i] * y[i]) * (A[i, j] * B[j, i]) == (x[k] * y[k]) * (A[p, q] * B[q, p])


CLOSED = {
    "sum": lambda f: f + 0 * s,
    "difference": lambda f: f - 1,
    "power": lambda f: f**2,
    "function": lambda f: ic.exp(f),
    "definition": lambda f: ic.define("f", f),
    "abs": lambda f: ic.maximum(f, 0),
}


@pytest.mark.parametrize("name", CLOSED)
def test_sums_powers_functions_and_definitions_close_their_names(name):
    closed = CLOSED[name](x[i] * y[i])
    assert (closed * z[i]).free == (i,) and (z[i] * closed).free == (i,)


def test_addition_needs_the_same_free_indices():
    assert (A[i, j] + A[j, i]).free == (i, j)
    assert close(values(A[i, j] + A[j, i]), VALUES["A"] + VALUES["A"].T)
    with refused(ic.NotationError, "(x[i]) + (y[j])", "lacks the free index", "ic.ones(j)"):
        x[i] + y[j]
    with refused(ic.NotationError, "-", "lacks the free index j of A[i,j]", "ic.ones(j)"):
        A[i, j] - x[i]
    assert close(values(A[i, j] - x[i] * ic.ones(j)), VALUES["A"] - VALUES["x"][:, None])


def test_numbers_and_scalars_spread():
    for e, expected in [
        (x[i] + 1, VALUES["x"] + 1),
        (2 - x[i], 2 - VALUES["x"]),
        (s + x[i], 0.7 + VALUES["x"]),
        (x[i] * s / 2, VALUES["x"] * 0.35),
        (x[i] / s, VALUES["x"] / 0.7),
        (x[i] * x[i] - x[j], VALUES["x"] @ VALUES["x"] - VALUES["x"]),
        (2 ** x[i], 2 ** VALUES["x"]),
        (x[i] ** 2 + Fraction(1, 3), VALUES["x"] ** 2 + 1 / 3),
        (s / (1 + x[i] ** 2), 0.7 / (1 + VALUES["x"] ** 2)),
    ]:
        assert close(values(e), expected)


def test_division_by_the_same_index_is_refused():
    with refused(ic.NotationError, "x[i]|y[i]", "both carry i|two ways", "ic.hadamard|ic.einsum"):
        x[i] / y[i]
    assert (x[i] / y[j]).free == (i, j)
    assert close(values(ic.hadamard(x[i], y[i] ** -1)), VALUES["x"] / VALUES["y"])


def test_hadamard_maximum_where_align_names():
    V = VALUES
    assert close(values(ic.hadamard(A[i, j], x[i])), V["A"] * V["x"][:, None])
    assert close(values(ic.hadamard(x[j], A[i, j], y[i])), (V["A"] * V["x"] * V["y"][:, None]).T)
    assert close(values(ic.maximum(A[i, j], x[i])), np.maximum(V["A"], V["x"][:, None]))
    assert close(values(ic.minimum(x[i], 0)), np.minimum(V["x"], 0))
    picked = ic.where(ic.less(x[i], y[i]), A[i, j], 0)
    assert close(values(picked), np.where((V["x"] < V["y"])[:, None], V["A"], 0))


# ------------------------------------------------------------------ batch indices


def test_a_batch_index_is_kept_and_aligned():
    V = VALUES
    e = X[n, i] * X[n, i]
    assert e.free == (n,) and close(values(e), (V["X"] ** 2).sum(1))
    assert close(values(e.sum(n)), (V["X"] ** 2).sum())
    assert (X[n, i] * X[n, j] * X[n, k]).free == (n, i, j, k)
    assert close(values(X[n, i] * X[n, j]), np.einsum("ni,nj->nij", V["X"], V["X"]))
    assert close(values(X[n, j] / e), V["X"] / (V["X"] ** 2).sum(1)[:, None])
    assert close(values(X[n, i] + x[i]), V["X"] + V["x"]), "missing on one side of +"
    assert close(values(A[n, n]), np.diag(V["A"])) and A[n, n].free == (n,)
    assert close(values(X[n, i].mean(n)), V["X"].mean(0))


def test_a_derivative_along_a_batch_is_of_each_sample():
    c, d = ic.indices("c d")
    Z = ic.tensor("Z", "N e")
    P = ic.softmax(Z[n, c], c)
    numbers = {"Z": np.random.default_rng(3).normal(size=(4, 3))}
    each = P.diff(Z[n, d])
    assert each.free == (n, c, d)
    expected = jax.vmap(jax.jacobian(jax.nn.softmax))(numbers["Z"])
    assert close(each.evaluate(numbers), expected)
    full = P.diff(Z[m, d])
    assert close(
        full.evaluate(numbers, order=(n, c, m, d)), jax.jacobian(lambda v: jax.nn.softmax(v, axis=1))(numbers["Z"])
    )


def test_one_name_batch_and_not_is_an_error():
    plain = ic.index("n")
    with refused(ic.NotationError, "X[n,i]|x[n]", "n is a batch index on one side only", "another name"):
        X[n, i] * x[plain]
    with refused(ic.NotationError, "A", "n is a batch index at one axis only", "another name"):
        A[n, plain]
    with refused(ic.NotationError, "+", "batch index on one side", "another name"):
        x[n] + y[plain]


# ------------------------------------------------------------------ dimensions


def test_dimensions_that_differ_are_an_error_that_names_both():
    with refused(ic.DimensionError, "x[i]|W[j,i]", "index i|x (axis 0) has d|W (axis 1) has e", "one size"):
        x[i] * W[j, i]
    with refused(ic.DimensionError, "A", "axis 0 has d|axis 1 has e", "another index"):
        ic.tensor("A", "d e")[i, i]
    with refused(ic.DimensionError, "+", "has d|has e", ""):
        x[i] + ic.tensor("u", "e")[i]


def test_size_1_is_never_stretched():
    one = ic.tensor("o", 1)
    for misuse in (
        lambda: one[i] * x[i],
        lambda: one[i] + x[i],
        lambda: ic.hadamard(one[i], x[i]),
        lambda: one[i] * ic.tensor("w", 3)[i],
    ):
        with refused(ic.DimensionError, "o[i]", "index i|has 1", "size 1 is not stretched"):
            misuse()


def test_an_index_takes_the_dimension_of_each_term_that_binds_it():
    u = ic.tensor("u", "e")
    assert (x[i] * x[i] + u[i] * u[i]).free == ()


def test_polynomial_dimensions():
    assert ic.tensor("u", "m*n").shape == ic.tensor("u", "n*m").shape
    u, w = ic.tensor("u", "n*(n+1)/2"), ic.tensor("w", "n**2/2+n/2")
    assert (u[i] * w[i]).free == () and str(u.shape[0]) == "n**2/2 + n/2"
    assert close((u[i] * w[i]).evaluate(u=np.ones(6), w=np.ones(6), n=3), 6.0)
    with pytest.raises(ic.DimensionError):
        u[i] * ic.tensor("v", "n**2")[i]
    size = ic.delta(i, i, dim="n*(n+1)/2")
    assert size.evaluate(n=4) == 10 and size == ic.ones(j, dim="n*(n+1)/2").sum(j)
    assert ic.delta(i, i, dim="n + 1") == ic.delta(i, i, dim="n") + 1
    for wrong in ("n+", "n/m", "sin(n)", "", "n**-1"):
        with pytest.raises(ic.DimensionError):
            ic.tensor("u", wrong or "()")
    for wrong in (-1, 2.5, None, True):
        with pytest.raises((ic.DimensionError, ic.KindError)):
            ic.tensor("u", wrong)


# ------------------------------------------------------------------ delta, ones, zeros of unknown dimension


def test_a_delta_takes_its_dimension_from_what_it_meets():
    assert (ic.delta(i, j) * x[j]).shape == x.shape and (ic.ones(i) * 2 + x[i]).shape == x.shape
    assert (ic.delta(i, j) * ic.delta(j, k) * x[k]).shape == x.shape
    assert (ic.zeros(i) + x[i]) == x[i]


def test_a_delta_that_joins_different_dimensions_is_an_error():
    v = ic.tensor("v", 3)
    with refused(ic.DimensionError, "", "index|3|d", ""):
        v[i] * ic.delta(i, j) * x[j]
    with refused(ic.DimensionError, "", "3|4", ""):
        ic.delta(i, j, dim=3) * ic.tensor("w", 4)[j]
    with pytest.raises(ic.DimensionError):
        ic.delta(i, j) * W[i, j]


def test_unknown_dimensions_print_and_compare_but_do_not_evaluate():
    for e in (ic.delta(i, j), ic.ones(i), ic.zeros(i, j), ic.delta(i, i), 2 * ic.delta(i, j) - ic.ones(i) * ic.ones(j)):
        assert str(e) and repr(e) and e == +e and hash(e) == hash(+e)
    assert ic.delta(i, j) == ic.delta(j, i) and ic.delta(i, j) != ic.delta(i, k)
    assert ic.delta(i, j) * ic.delta(j, k) == ic.delta(i, k)
    for e in (ic.delta(i, j), ic.ones(i), ic.delta(i, i), ic.delta(i, i) * x[k]):
        with pytest.raises(ic.IndexCalcError) as caught:
            e.evaluate({v.label: VALUES[v.label] for v in e.inputs})
        assert "dim" in str(caught.value)


def test_epsilon_has_as_many_dimensions_as_indices():
    assert ic.epsilon(i, j, k).shape == (3, 3, 3) and ic.epsilon(i, j).shape == (2, 2)
    with refused(ic.NotationError, "epsilon(i)", "at least 2", "ic.epsilon(i, j, k)"):
        ic.epsilon(i)
    with pytest.raises(ic.DimensionError):
        ic.epsilon(i, j, k) * x[i]


# ------------------------------------------------------------------ traces, divergences, names


def test_trace_and_divergence():
    D = (A[i, j] * x[j]).diff(x[i])
    assert A[i, i] == D and D.free == D.of == D.wrt == () and D.contracted == (i,)
    assert "divergence" in D.note and "fresh index" in D.note
    assert (A[i, j] * x[j]).diff(x[k]).note == ""
    assert x[i].diff(x[i]) == ic.delta(p, p, dim="d")


def test_rename():
    e = A[i, j] * x[j]
    assert e.rename({i: k}).free == (k,) and e.rename({i: j}) == A[j, i] * x[i]
    assert (A[i, j]).rename({i: j, j: i}) == A[j, i]
    with refused(ic.NotationError, "rename", "j would name two axes", "ic.delta"):
        A[i, j].rename({i: j})
    with refused(ic.NotationError, "rename k", "k is not free in A[i,j] (free: i, j)", ""):
        A[i, j].rename({k: i})
    with refused(ic.KindError, "rename", "no index", "ic.index"):
        A[i, j].rename({i: "k"})


def test_reductions_of_free_indices():
    V = VALUES["A"]
    for e, expected in [
        (A[i, j].sum(i), V.sum(0)),
        (A[i, j].sum(i, j), V.sum()),
        (A[i, j].mean(j), V.mean(1)),
        (A[i, j].max(i), V.max(0)),
        (A[i, j].min(i, j), V.min()),
        (A[i, j].prod(j), V.prod(1)),
        (ic.softmax(x[i]), jax.nn.softmax(VALUES["x"])),
        (ic.softmax(A[i, j], i), jax.nn.softmax(V, axis=0)),
    ]:
        assert close(values(e), expected)
    with refused(ic.NotationError, "sum", "k is not free in A[i,j]", ""):
        A[i, j].sum(k)
    with refused(ic.NotationError, ".sum()", "over which index", ".sum(i, j)"):
        A[i, j].sum()
    with refused(ic.NotationError, "softmax(A[i,j])", "along which index? (free: i, j)", "ic.softmax(..., j)"):
        ic.softmax(A[i, j])
    with refused(ic.KindError, "", "no index", 'ic.index("i")'):
        A[i, j].sum(0)


def test_between_the_views():
    e = A[i, j] * x[j] + x[i]
    assert e.array(i).shape == x.shape and e.array(i)[k] == A[k, j] * x[j] + x[k]
    assert A[i, j].array(j, i) == A.T and (A @ B)[i, k] == A[i, j] * B[j, k]
    with refused(ic.NotationError, ".array(i)", "free indices are i, j", "each of them once"):
        A[i, j].array(i)
    with refused(ic.NotationError, "A)[i]", "1 index for 2 axes", "one index for each axis"):
        A[i]
    with refused(ic.NotationError, "", "has names already", ".rename"):
        A[i, j][k]
    with refused(ic.NotationError, "@", "matrix notation", "A[i,k]*B[k,j]"):
        A[i, j] @ x[j]
    with refused(ic.KindError, "", "no names", "A)[i, j]"):
        x[i] * A
    with refused(ic.KindError, "", "names", ""):
        A @ x[i]


def test_numpy_is_refused():
    data = np.ones(3)
    for misuse in (lambda: np.exp(x), lambda: np.exp(x[i]), lambda: np.maximum(x, 0)):
        with refused(ic.KindError, "numpy.", "no numbers", "ic."):
            misuse()
    for misuse in (
        lambda: x * data,
        lambda: x + data,
        lambda: A @ data,
        lambda: x[i] * data,
        lambda: ic.exp(data),
        lambda: data * x,
        lambda: data + x[i],
        lambda: data @ A,
        lambda: np.sum(x),
        lambda: np.dot(A, x),
    ):
        with pytest.raises(ic.KindError) as caught:
            misuse()
        assert "ic.tensor" in str(caught.value) and "evaluate" in str(caught.value)


def test_numpys_scalars_are_numbers():
    two = np.float64(2)
    assert x * np.int64(2) == x * two == 2 * x and x[i] + np.float32(0.5) == x[i] + 0.5
    assert two * x == 2 * x and two * x[i] == 2 * x[i] and two + x == 2 + x and two**x == 2**x and two / x == 2 / x


def test_what_an_expression_cannot_do():
    for e in (x, A @ x, x[i], A[i, i]):
        for misuse, word in [
            (bool, "truth value"),
            (iter, "iterated"),
            (len, "length"),
            (float, "evaluate"),
            (np.asarray, "evaluate"),
            (lambda e: 1 in e, ".free"),
            (lambda e: list(e), "iterated"),
        ]:
            with pytest.raises(ic.KindError) as caught:
                misuse(e)
            assert word in str(caught.value)


def test_comparisons_make_conditions():
    V = VALUES
    assert close(values(ic.where(x > 0, x, 0)), np.where(V["x"] > 0, V["x"], 0))
    assert close(values(ic.where(x <= y, x, y)), np.minimum(V["x"], V["y"]))
    assert close(values(ic.where(x[i] >= 0.1, y[i], s)), np.where(V["x"] >= 0.1, V["y"], V["s"]))
    with pytest.raises(ic.KindError):
        bool(x < 0)


def test_names():
    for name in ("2x", "a b", "x-y", "", "x.y", "exp", "sum", "delta", "softmax", "inv", "pi"):
        with pytest.raises(ic.NameRefused) as caught:
            ic.tensor(name, "d")
        assert repr(name) in str(caught.value) and caught.value.instead
    for name in ("2i", "", "i j", "a-b", "δ"):
        with pytest.raises(ic.NameRefused):
            ic.index(name)
    for refuse in (lambda: ic.tensor(3, "d"), lambda: ic.index(3), lambda: ic.indices(["i"])):
        with pytest.raises(ic.KindError):
            refuse()
    with refused(ic.NameRefused, "tensor", "'symetric' is no assumption", "symmetric"):
        ic.tensor("S", "d d", symetric=True)
    with refused(ic.NotationError, "tensor x", "two tensors of this name", "another name"):
        x[i] * ic.tensor("x", "e")[j]
    with refused(ic.KindError, "delta", "no index", "ic.index"):
        ic.delta("i", "j")
    assert ic.index("i") == ic.Index("i") and ic.indices("i") == (i,)


# ------------------------------------------------------------------ Arrays


def test_broadcasting_needs_a_declared_1():
    one, row, col = ic.tensor("one", 1, "d"), ic.tensor("row", "d"), ic.tensor("col", "d", 1)
    given = {"one": VALUES["x"][None], "row": VALUES["y"], "col": VALUES["z"][:, None], "A": VALUES["A"]}
    for e in (
        lambda a: a["A"] + a["one"],
        lambda a: a["row"] * a["A"],
        lambda a: a["col"] - a["one"],
        lambda a: a["A"] / a["col"],
        lambda a: a["one"] * a["row"],
        lambda a: a["col"] + a["row"],
    ):
        view = e({"one": one, "row": row, "col": col, "A": A})
        numbers = e(given)
        assert close(view.evaluate({v.label: given[v.label] for v in view.inputs}), numbers)
    with refused(ic.DimensionError, "+", "axis -1|has e|has d", "declared with the integer 1"):
        W + x
    with refused(ic.DimensionError, "*", "has d|has r", "declared with the integer 1"):
        x * ic.tensor("u", "r")
    u = ic.tensor("u", "r")
    with pytest.raises(ic.DimensionError):
        (x[i] * u[i]).evaluate(x=np.ones(3), u=np.ones(1))


def test_transposes():
    T = ic.tensor("T", "a b c")
    assert x == x.T and A.T.T == A and T.T.shape == T.shape[::-1] and T.mT.shape == (T.shape[0], T.shape[2], T.shape[1])
    with refused(ic.NotationError, "mT", "has 1 axis", ".T"):
        x.mT  # noqa: B018


def test_matmul_is_numpys():
    draw = random.Random(0)
    names = iter(range(10_000))

    def operand(shape):
        label = f"t{next(names)}"
        return ic.tensor(label, *shape), label, np.random.default_rng(len(label)).normal(size=shape)

    for _ in range(120):
        lead = [draw.choice([1, 2, 3]) for _ in range(draw.randrange(3))]
        rows, inner, cols = (draw.choice([1, 2, 4]) for _ in range(3))
        left = [size if draw.random() < 0.7 else 1 for size in lead][draw.randrange(len(lead) + 1) :]
        right = [size if draw.random() < 0.7 else 1 for size in lead][draw.randrange(len(lead) + 1) :]
        one = operand([*left, rows, inner] if left or draw.random() < 0.7 else [inner])
        two = operand([*right, inner, cols] if right or draw.random() < 0.7 else [inner])
        product = one[0] @ two[0]
        expected = one[2] @ two[2]
        assert product.shape == expected.shape
        assert close(product.evaluate({one[1]: one[2], two[1]: two[2]}), expected), (one[2].shape, two[2].shape)


def test_matmul_of_what_does_not_fit():
    with refused(ic.DimensionError, "(W) @ (x)", "last axis of W (d, e) has e|x (d,) has d", ".T"):
        W @ x
    with refused(ic.NotationError, "@", "no scalars", "write *"):
        A @ s
    with refused(ic.DimensionError, "@", "", "integer 1"):
        ic.tensor("P", "g d d") @ ic.tensor("R", "h d d")
    with refused(ic.KindError, "A @ 'A'", "a str is no expression", "ic.tensor"):
        A @ "A"


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        ("ij,jk->ik", "AB"),
        ("i,i->i", "xy"),
        ("i->ii", "x"),
        ("ij->ji", "A"),
        ("ii->i", "A"),
        ("ii->", "A"),
        ("ij,ij,i->j", "ABx"),
        ("i,j->ij", "xy"),
        ("ij->", "A"),
        ("ij,kj", "AB"),
        ("ba", "A"),
        ("i,ij", "xA"),
        ("i,j->iji", "xy"),
        ("ij->ijij", "A"),
        (" i j , j -> i ", "Ax"),
        ("i,i,i->", "xyz"),
        ("ij,jk,ki->", "ABA"),
    ],
)
def test_einsum(spec, names):
    made = ic.einsum(spec, *[{"A": A, "B": B, "x": x, "y": y, "z": z}[name] for name in names])
    numbers = [VALUES[name] for name in names]
    left, _, out = spec.replace(" ", "").partition("->")
    if len(set(out)) < len(out):
        compact = "".join(dict.fromkeys(out))
        expected = np.zeros([3] * len(out))
        inner = np.einsum(f"{left}->{compact}", *numbers)
        for place in np.ndindex(*inner.shape):
            expected[tuple(place[compact.index(letter)] for letter in out)] = inner[place]
    else:
        expected = np.einsum(spec, *numbers)
    assert close(values(made), expected)


def test_einsum_refuses():
    for spec, operands, found in [
        ("ij,jk->ik", (A,), "2 groups of letters for 1 operand"),
        ("i->i", (A,), "names 1 axis"),
        ("ij->k", (A,), "'k' is in the output"),
        ("ij,ij->", (A, W), "index j"),
        ("i.j->", (A,), "only letters"),
        ("ij->i", (VALUES["A"],), "no expression"),
    ]:
        with pytest.raises(ic.IndexCalcError) as caught:
            ic.einsum(spec, *operands)
        assert found in caught.value.found and caught.value.instead
    assert ic.einsum("ij,j->i", A[p, q], x[k]) == A @ x, "Exprs too, in the order of their free indices"


def test_reductions_of_arrays():
    T, number = ic.tensor("T", "a b c"), np.random.default_rng(1).normal(size=(2, 3, 4))
    for name in ("sum", "mean", "max", "min", "prod"):
        for axis in (None, 0, -1, (0, 2)):
            for keepdims in (False, True):
                ours = getattr(T, name)(axis=axis, keepdims=keepdims)
                assert close(ours.evaluate(T=number), getattr(np, name)(number, axis=axis, keepdims=keepdims))
    with refused(ic.NotationError, "sum", "no axis 3 among 3", "from 0"):
        T.sum(axis=3)
    with refused(ic.NotationError, "softmax", "axes by number", "axis=0"):
        ic.softmax(A, i)


# ------------------------------------------------------------------ steps, replacements, abstract functions


def test_define_and_expand():
    Y = ic.define("Y", A @ x + y)
    assert str(Y) == "Y" and Y.shape == x.shape and A @ x + y != Y and Y.expand_definitions() == A @ x + y
    loss = (Y * Y).sum()
    assert ic.grad(loss, Y) == 2 * Y
    assert ic.grad(loss, x).expand_definitions() == ic.grad(loss.expand_definitions(), x)
    assert ic.derivative(Y, x) == A
    e = ic.define("u", A[i, j] * x[j])
    assert e.free == (i,) and (e * e).free == () and (e**2).diff(e.rename({i: k})).free == (i, k)
    assert close(values((e * e).expand_definitions()), np.sum((VALUES["A"] @ VALUES["x"]) ** 2))
    assert close(values(loss), np.sum((VALUES["A"] @ VALUES["x"] + VALUES["y"]) ** 2))
    with pytest.raises(ic.NameRefused):
        ic.define("exp", x)
    with pytest.raises(ic.KindError):
        ic.define("Y", VALUES["x"])


def test_substitute():
    assert (A @ x).substitute({A: A @ B}) == A @ B @ x
    assert (A @ x + x).substitute({x: B @ y}) == A @ (B @ y) + B @ y
    assert (A[i, j] * x[j]).substitute({x[k]: B[k, m] * y[m]}) == A[i, j] * B[j, m] * y[m]
    assert (A[i, j]).substitute({A[p, q]: B[q, p]}) == B[j, i]
    assert (A[i, j] * x[j]).substitute({A: A.T, x: y}) == A[j, i] * y[j], "all at once"
    assert (s * x).substitute({s: 3}) == 3 * x
    with pytest.raises(ic.IndexCalcError):
        (A @ x).substitute({A: W})
    with pytest.raises(ic.NotationError):
        (A @ x).substitute({A @ x: y})


def test_an_abstract_function_of_one_argument():
    u = ic.function("u", "d -> e")
    J = ic.derivative(u(A @ x), x)
    assert [str(dim) for dim in J.shape] == ["e", "d"]
    C = np.random.default_rng(5).normal(size=(2, 3))

    def concrete(v):
        return jnp.sin(C @ v)

    given = {
        "A": VALUES["A"],
        "x": VALUES["x"],
        "u": concrete,
        "Du": jax.jacobian(concrete),
        "D2u": jax.jacobian(jax.jacobian(concrete)),
    }
    assert close(
        J.evaluate(A=given["A"], x=given["x"], Du=given["Du"], e=2),
        jax.jacobian(lambda v: concrete(VALUES["A"] @ v))(VALUES["x"]),
    )
    H = ic.derivative(u(A @ x), x, order=2)
    needed = {name: given[name] for name in ("A", "x", "D2u")} | {"e": 2}
    assert close(H.evaluate(needed), jax.jacobian(jax.jacobian(lambda v: concrete(VALUES["A"] @ v)))(VALUES["x"]))
    assert ic.einsum("eab,ax,by->exy", ic.derivative(u(y), y, order=2).substitute({y: A @ x}), A, A) == H


@pytest.mark.slow
def test_an_abstract_function_of_two_arguments():
    f = ic.function("f", "d, d d -> e")
    C, E = np.random.default_rng(6).normal(size=(2, 3)), np.random.default_rng(7).normal(size=(2, 3, 3))

    def concrete(v, M):
        return jnp.tanh(C @ v) * jnp.einsum("eij,ij->e", E, jnp.sin(M)) + jnp.einsum("eij,jk,k->e", E, M @ M, v)[:2]

    def whole(v, M):
        return concrete(M @ v, M * M)

    value = f(A @ x, A * A)
    numbers = {"A": VALUES["A"], "x": VALUES["x"], "e": 2}
    D = {
        "f": concrete,
        "D10f": jax.jacobian(concrete, 0),
        "D01f": jax.jacobian(concrete, 1),
        "D20f": jax.jacobian(jax.jacobian(concrete, 0), 0),
        "D11f": jax.jacobian(jax.jacobian(concrete, 0), 1),
        "D02f": jax.jacobian(jax.jacobian(concrete, 1), 1),
    }

    def check(ours, expected):
        used = {node.name for node in walk(ours) if node.kind == "call"}
        assert close(ours.evaluate(numbers | {name: D[name] for name in used}), expected, 1e-9)

    at = (VALUES["x"], VALUES["A"])
    check(value, whole(*at))
    check(ic.derivative(value, x), jax.jacobian(whole, 0)(*at))
    check(ic.derivative(value, A), jax.jacobian(whole, 1)(*at))
    check(ic.derivative(ic.derivative(value, x), A), jax.jacobian(jax.jacobian(whole, 0), 1)(*at))
    check(ic.derivative(value, A, order=2), jax.jacobian(jax.jacobian(whole, 1), 1)(*at))
    with refused(ic.NotationError, "f(x)", "1 argument for 2", "f:"):
        f(x)
    with refused(ic.DimensionError, "f(", "dimensions", "f:"):
        f(x, W)


def walk(view):
    from indexcalc.graph.node import topological

    return topological([view.node])


def test_an_unspecified_loss():
    L = ic.function("L", "N e ->", gradient="G")
    Y = X @ W
    G = ic.grad(L(Y), W)
    assert G.shape == W.shape and "G" in str(G)
    cost = lambda v: jnp.sum(jnp.sin(v) * v)  # noqa: E731
    expected = jax.grad(lambda w: cost(VALUES["X"] @ w))(VALUES["W"])
    assert close(G.evaluate(X=VALUES["X"], W=VALUES["W"], G=jax.grad(cost)), expected)


# ------------------------------------------------------------------ derivatives


def test_what_cannot_be_differentiated_by():
    c = ic.tensor("c", "d", constant=True)
    with refused(ic.DerivativeError, "c", "declared constant", "without constant=True"):
        (c[i] * x[i]).diff(c[k])
    with pytest.raises(ic.DerivativeError):
        ic.grad(c @ x, c)
    with refused(ic.DerivativeError, ".diff()", "by what", "x[i]"):
        (x[i] * x[i]).diff()
    with refused(ic.KindError, "", "an index for each axis", "y.diff(A["):
        (A[i, j] * x[j]).diff(A)
    with refused(ic.KindError, "", "has names", "ic.diff(y, x[i])"):
        ic.grad(x @ y, x[i])
    with refused(ic.NotationError, "", "no tensor of its own", "ic.define"):
        (x[i] * x[i]).diff(x[k] + y[k])
    with refused(ic.DerivativeError, "", "a sum of entries", "index of its own"):
        (x[i] * x[i]).diff(A[k, k])
    with refused(ic.DerivativeError, "grad", "a gradient is of a scalar", "ic.derivative"):
        ic.grad(A @ x, x)
    with refused(ic.DerivativeError, "", "transpose of A", "differentiate by A"):
        ic.grad(x @ A @ x, A.T)
    with refused(ic.DerivativeError, "", "integer from 1", "order=2"):
        ic.derivative(x, x, order=0)
    with refused(ic.KindError, "", "no names for its axes", "ic.derivative"):
        ic.diff(A @ x, x[i])


def test_the_axes_of_a_derivative():
    D = (A[i, j] * x[j]).diff(A[k, m])
    assert D.of == (i,) and D.wrt == (k, m) and D.free == (i, k, m) and type(D + 0) is ic.Expr
    second = (x[i] * A[i, j] * x[j]).diff(x[k], x[m])
    assert second.wrt == (k, m) and second == A[k, m] + A[m, k]
    H = ic.hessian(x @ A @ y, x, y)
    assert H == A and H.of == () and H.wrt == (0, 1) and (2 * H).wrt == (0, 1) and type(H + 0) is ic.Array
    assert ic.hessian(x @ A @ y, y, x) == A.T
    assert ic.diff(x @ x, x[k]) == 2 * x[k] and x[i].diff(x[k]) == ic.delta(i, k, dim="d")


def test_a_transposed_target_takes_its_indices_by_place():
    assert (y[i] * A[i, j] * x[j]).diff(A[k, m]) == y[k] * x[m]
    assert (y[i] * A[i, j] * x[j]).diff(A.T[m, k]) == y[k] * x[m]
    loss = ic.hadamard(W[i, j], W[i, j], W[i, j]).sum(i, j)
    D = loss.diff(W.T[k, i])
    assert D.free == (k, i) and 3 * W[i, k] ** 2 == D


def twin(v, M):
    """A scalar with first and second derivatives of every kind, in JAX."""
    return jnp.sum(jnp.tanh(M @ v) * v) + jnp.sum(jnp.sin(M)) * jnp.sum(v * v)


def loss():
    return (ic.tanh(A @ x) * x).sum() + ic.sin(A).sum() * (x * x).sum()


AT = (VALUES["x"], VALUES["A"])
DIRECTIONS = {"u": np.random.default_rng(8).normal(size=3), "V": np.random.default_rng(9).normal(size=(3, 3))}
U, V = ic.tensor("u", "d"), ic.tensor("V", "d d")


def at(view):
    return view.evaluate({v.label: {**VALUES, **DIRECTIONS}[v.label] for v in view.inputs})


def test_a_list_of_variables_gives_the_list_of_gradients():
    both = ic.grad(loss(), [x, A])
    assert isinstance(both, list) and both[0] == ic.grad(loss(), x) and both[1] == ic.grad(loss(), A)
    for ours, expected in zip(both, jax.grad(twin, (0, 1))(*AT), strict=True):
        assert close(at(ours), expected)


def test_products_with_vectors():
    dx, dA = DIRECTIONS["u"], DIRECTIONS["V"]
    assert close(at(ic.jvp(loss(), x, U)), jax.jvp(lambda v: twin(v, AT[1]), (AT[0],), (dx,))[1])
    assert close(at(ic.jvp(loss(), [x, A], [U, V])), jax.jvp(twin, AT, (dx, dA))[1])
    f = lambda v, M: jnp.tanh(M @ v)  # noqa: E731
    Y = ic.tanh(A @ x)
    expected = jax.vjp(f, *AT)[1](dx)
    for ours, theirs in zip(ic.vjp(Y, [x, A], U), expected, strict=True):
        assert close(at(ours), theirs)
    assert close(at(ic.vjp(Y, A, U)), expected[1])
    assert close(at(ic.jvp(Y, A, V)), jax.jvp(lambda M: f(AT[0], M), (AT[1],), (dA,))[1])
    expected = jax.jvp(jax.grad(twin, (0, 1)), AT, (dx, dA))[1]
    for ours, theirs in zip(ic.hvp(loss(), [x, A], [U, V]), expected, strict=True):
        assert close(at(ours), theirs)
    assert close(at(ic.hvp(loss(), A, V)), jax.jvp(jax.grad(lambda M: twin(AT[0], M)), (AT[1],), (dA,))[1])
    with refused(ic.DimensionError, "jvp", "has (d,), A has (d, d)", "shape of its tensor"):
        ic.jvp(loss(), A, U)
    with refused(ic.DerivativeError, "hvp", "1 direction for 2 tensors", "one for each"):
        ic.hvp(loss(), [x, A], [U])


@pytest.mark.slow
def test_hessians_and_third_derivatives():
    assert close(at(ic.hessian(loss(), x)), jax.hessian(twin, 0)(*AT))
    assert close(at(ic.hessian(loss(), x, A)), jax.jacobian(jax.grad(twin, 0), 1)(*AT))
    assert close(at(ic.hessian(loss(), A, x)), jax.jacobian(jax.grad(twin, 1), 0)(*AT))
    assert close(at(ic.derivative(loss(), x, order=3)), jax.jacobian(jax.hessian(twin, 0), 0)(*AT))


def test_the_differential():
    d = ic.differential(loss(), [x, A])
    dx, dA = ic.tensor("dx", "d"), ic.tensor("dA", "d d")
    assert d == ic.jvp(loss(), [x, A], [dx, dA])
    assert ic.differential(x[i] * A[i, j], [x, A]) == dx[i] * A[i, j] + x[i] * dA[i, j]
    S = ic.tensor("S", "d d", symmetric=True)
    seed = ic.differential(x @ S @ y, [S])
    assert seed == x @ ic.tensor("dS", "d d", symmetric=True) @ y


@pytest.mark.parametrize("sign", [1, -1], ids=["symmetric", "skew"])
def test_by_a_structured_variable(sign):
    """Projected: the orthogonal projection of the free gradient, and every argument of a second derivative likewise."""
    S = ic.tensor("S", "d d", symmetric=sign > 0, skew=sign < 0)
    full = rng.normal(size=(3, 3))
    numbers = {"A": VALUES["A"], "x": VALUES["x"], "y": VALUES["y"], "S": full + sign * full.T}
    f = lambda M: jnp.sum(VALUES["A"] * jnp.sin(M)) + VALUES["x"] @ M @ M @ VALUES["y"]  # noqa: E731
    ours = (A * ic.sin(S)).sum() + x @ S @ S @ y

    def project(array, axes):
        a, b = axes
        return (array + sign * np.swapaxes(array, a, b)) / 2

    def value(view):
        return view.evaluate({v.label: numbers[v.label] for v in view.inputs})

    free = np.asarray(jax.grad(f)(numbers["S"]))
    bend = np.asarray(jax.hessian(f)(numbers["S"]))
    projected = ic.grad(ours, S)
    assert close(value(projected), project(free, (0, 1)))
    assert projected.structure == "projected" and "projection" in projected.note
    assert close(value(ic.hessian(ours, S)), project(project(bend, (0, 1)), (2, 3)))
    unstructured = ic.grad(ours, S, structure="free")
    assert unstructured.structure == "free" and "ignored" in unstructured.note
    assert close(project(value(unstructured), (0, 1)), project(free, (0, 1)))
    assert close(value(ic.diff(ours, S[p, q])), project(free, (0, 1)))
    with refused(ic.DerivativeError, "", "structure='both' is not known", "projected"):
        ic.grad(ours, S, structure="both")


def test_an_orthogonal_variable_has_only_the_free_derivative():
    Q = ic.tensor("Q", "d d", orthogonal=True)
    with refused(ic.DerivativeError, "", "orthogonal", 'structure="free"'):
        ic.grad(x @ Q @ y, Q)
    assert ic.grad(x @ Q @ y, Q, structure="free") == ic.einsum("i,j->ij", x, y)


def test_zero_derivatives_keep_their_axes():
    D = ic.derivative(A @ x, y)
    assert D == 0 and D.shape == (*x.shape, *y.shape) and close(at(D), np.zeros((3, 3)))
    H = ic.hessian((x * x).sum(), x)
    assert close(H.evaluate(x=VALUES["x"]), 2 * np.eye(3)), "inputs that dropped out still fix dimensions"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("3 x 2", "3 2"), ("3x2", "3 2"), ("dxm", "d m"), ("n x m x k", "n m k"), ("n × m", "n m"), ("n×m", "n m"),
        ("n by m", "n m"), ("nx3", "n 3"), ("2x3x4", "2 3 4"), ("b nxm", "b n m"), ("n*m X k", "n*m k"),
    ],
)  # fmt: skip
def test_sizes_joined_by_an_x_are_asked_about(written, meant):
    for call in (lambda: ic.tensor("Q", written), lambda: ic.ones(written), lambda: ic.parse("Q", Q=written)):
        with pytest.raises(ic.DimensionError, match=rf"did you mean '{re.escape(meant)}'\?"):
            call()


@pytest.mark.parametrize(
    "names", ["n, x, m", "x x x", "n x", "x n", "x", "nx", "txt", "max", "exp", "m*x k", "xx", "x_1"]
)
def test_an_x_may_be_a_dimension(names):
    assert len(ic.tensor("Q", names).shape) == len(names.replace(",", " ").split())
    assert ic.tensor("Q", "n", "x", "m").order == 3


@pytest.mark.parametrize("names", ["ijk", "ij", "kl", "mn", "abc", "pq", "μν", "αβ", "ik"])
def test_indices_in_one_word_are_asked_about(names):
    with pytest.raises(ic.NameRefused, match=f"did you mean '{' '.join(names)}'"):
        ic.indices(names)
    assert ic.index(names).name == names


@pytest.mark.parametrize("name", ["i", "in", "batch", "ids", "iij", "b", "row"])
def test_one_word_may_be_an_index(name):
    (one,) = ic.indices(name)
    assert one.name == name
