"""Arrays made of parts: joined, moved, split and summed up along axes, as NumPy has them, in both views and in text."""

from __future__ import annotations

import pickle
from typing import Any

import dask.array as da
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import indexcalc as ic
from indexcalc.engine.compile.arranged import arrange
from indexcalc.graph.ranges import Range, Tiles, tiling
from indexcalc.index import dim

jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]
RNG = np.random.default_rng(0)
i, j, k = ic.indices("i j k")
n, m = dim("n"), dim("m")
x, y, z, s, t = (ic.tensor(name, dims) for name, dims in {"x": "n", "y": "m", "z": "n", "s": "", "t": ""}.items())
A, B, C, D = (ic.tensor(name, dims) for name, dims in {"A": "n n", "B": "n m", "C": "m n", "D": "m m"}.items())
TENSORS = {str(one): one for one in (x, y, z, s, t, A, B, C, D)}
SHAPES = {"x": (3,), "y": (2,), "z": (3,), "s": (), "t": (), "A": (3, 3), "B": (3, 2), "C": (2, 3), "D": (2, 2)}
DATA: dict[str, Any] = {name: RNG.normal(size=shape) for name, shape in SHAPES.items()}
NAMES = ("concatenate", "stack", "block", "tile", "roll", "take", "split", "cumsum", "cumprod", "sin", "exp", "eye")


def made(text: str, space: Any, values: Any) -> Any:
    """What a text means with the functions of a module."""
    return eval(text, {name: getattr(space, name) for name in NAMES} | {"tril": space.tril, **values})


def given(e: Any) -> dict[str, Any]:
    """The arrays that an expression needs."""
    return {tensor.label: DATA[tensor.label] for tensor in e.inputs}


NUMPYS = (
    "concatenate([x, y])", "concatenate([x, y, x])", "concatenate((A, C))", "concatenate([A, B], axis=1)",
    "concatenate([A, B], axis=-1)", "concatenate([A, B], axis=None)", "stack([x, z])", "stack([x, z], axis=1)",
    "stack([x, z], -1)", "stack([s, t])", "stack([A, A], axis=1)", "block([[A, B], [C, D]])", "block([x, y])",
    "block([[A, x[:, None]], [x[None], s]])", "block([[s, 1], [0, t]])", "block([[x], [z]])", "tile(x, 3)",
    "tile(B, (2, 3))", "tile(x, (2, 1))", "tile(B, 2)", "tile(s, 2)", "roll(x, 1)", "roll(x, -2)", "roll(x, 0)",
    "roll(B, 1, axis=0)", "roll(B, 1)", "roll(B, (1, -1), axis=(0, 1))", "roll(B, 1, axis=(0, 1))",
    "split(x, [1])[1]", "split(A, [1, 2], axis=1)[1]",
    "split(A, [-1])[0]", "cumsum(x)",
    "cumsum(B, axis=0)", "cumsum(B, axis=1)", "cumsum(B)", "cumsum(cumsum(x))", "cumprod(x)", "cumprod(B, axis=1)",
    "cumprod(B)", "concatenate([x, y])[1:4]", "block([[A, B], [C, D]])[1:, ::-1] @ concatenate([x, y])",
    "sin(concatenate([x, y]))[::-1] * 2", "exp(roll(x, 1)) @ A", "tril(A, -1) @ x + tril(A, 1).T @ cumsum(x)",
    "tril(A @ A)", "roll(x, 1) - 2 * x + roll(x, -1)", "concatenate([A[:1] @ B, B, C @ B])",
)  # fmt: skip


@pytest.mark.parametrize("text", NUMPYS)
def test_they_are_numpys(text: str) -> None:
    e, expected = made(text, ic, TENSORS), made(text, np, DATA)
    assert e.shape == np.shape(expected) or [d for d in e.shape if not isinstance(d, int)]
    inputs = [TENSORS[name] for name in sorted(given(e))]
    arrays = [DATA[str(one)] for one in inputs]
    for value in (e.evaluate(**given(e)), ic.compile(e, inputs)(*arrays), e.simplify().evaluate(**given(e))):
        assert value.shape == np.shape(expected)
        np.testing.assert_allclose(value, expected, atol=1e-13)
    for target, array in (("numpy", np.asarray), ("torch", torch.as_tensor)):
        space: dict[str, Any] = {}
        exec(ic.to_source(e, inputs, target=target), space)
        np.testing.assert_allclose(np.asarray(space["program"](*map(array, arrays))), expected, atol=1e-13)
    assert pickle.loads(pickle.dumps(e)) == e
    for shown in (str(e), e.latex()):
        back = ic.parse(shown, **e.declarations)
        assert back == e, shown


@pytest.mark.parametrize("text", NUMPYS[::6])
def test_dask_has_the_same(text: str) -> None:
    e = made(text, ic, TENSORS)
    inputs = [TENSORS[name] for name in sorted(given(e))]
    cut = [da.from_array(DATA[str(one)], chunks=2) for one in inputs]
    made_of = np.asarray(ic.compile(e, inputs, backend="dask")(*cut))
    np.testing.assert_allclose(made_of, made(text, np, DATA), atol=1e-13)


@pytest.mark.jax
@pytest.mark.parametrize("text", ["block([[A, B], [C, D]])", "roll(B, (1, -1), axis=(0, 1))", "cumprod(cumsum(x))"])
def test_jax_has_the_same(text: str) -> None:
    e, space = made(text, ic, TENSORS), dict[str, Any]()
    inputs = [TENSORS[name] for name in sorted(given(e))]
    exec(ic.to_source(e, inputs, target="jax"), space)
    value = jax.jit(space["program"])(*[DATA[str(one)] for one in inputs])
    np.testing.assert_allclose(value, made(text, np, DATA), atol=1e-13)


# ------------------------------------------------------------------ derivatives


def loss(space: Any, values: Any) -> Any:
    """A number that has all of them in it."""
    text = (
        "((block([[A, B], [C, D]]) @ sin(concatenate([x, y])))**3).sum()"
        " + (cumsum(x)**2 * cumprod(z)).sum() + (roll(x, 1) * exp(z)).sum() + (stack([x, z, x])**3 @ A).sum()"
        " + (tril(A, -1) @ cumsum(B, axis=0))[1:].sum() * (cumprod(B, axis=1)**2).sum() + (tile(y, 2)**3).sum()"
    )
    return made(text, space, values)


def arrays_at(rows: int, columns: int) -> list[dict[str, Any]]:
    """A point, with zeros in it, and a direction."""
    sizes = {"n": rows, "m": columns}
    point, along = (
        {name: RNG.normal(size=[sizes[str(d)] for d in TENSORS[name].shape]) for name in "xyzABCD"} for _ in range(2)
    )
    point["z"][-1] = point["B"][0, 0] = 0
    return [point, along]


def slopes_of(e: Any, point: dict[str, Any], along: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Gradients, and their derivatives in the direction."""
    first = {name: ic.grad(e, TENSORS[name]) for name in point}
    directions = {name: ic.tensor(f"d{name}", *TENSORS[name].shape) for name in point}
    inner: Any = sum((first[name] * directions[name]).sum() for name in point)
    values = point | {f"d{name}": along[name] for name in point}
    second = {name: ic.grad(inner, TENSORS[name]) for name in ("x", "z", "B")}
    return tuple({name: g.evaluate(**given_of(g, values)) for name, g in row.items()} for row in (first, second))  # type: ignore[return-value]


@pytest.mark.jax
def test_derivatives_are_those_of_jax_to_second_order() -> None:
    point, along = arrays_at(3, 2)
    slopes, curves = slopes_of(loss(ic, TENSORS), point, along)
    own = jax.jit(lambda at, d: jax.jvp(jax.grad(lambda values: loss(jnp, values)), (at,), (d,)))(point, along)
    for found, expected in ((slopes, own[0]), (curves, own[1])):
        for name, value in found.items():
            np.testing.assert_allclose(value, expected[name], atol=1e-9)


def test_derivatives_are_those_of_differences_at_sizes_of_one() -> None:
    point, along = arrays_at(1, 3)
    e = loss(ic, TENSORS)
    slopes, curves = slopes_of(e, point, along)
    sides = [{name: value + sign * 1e-5 * along[name] for name, value in point.items()} for sign in (1, -1)]
    rise = (loss(np, sides[0]) - loss(np, sides[1])) / 2e-5
    np.testing.assert_allclose(sum((slopes[name] * along[name]).sum() for name in point), rise, rtol=1e-6)
    for name, value in curves.items():
        gradient = ic.grad(e, TENSORS[name])
        one, other = (gradient.evaluate(**given_of(gradient, side)) for side in sides)
        np.testing.assert_allclose(value, (one - other) / 2e-5, rtol=1e-5, atol=1e-6)


def given_of(e: Any, own: dict[str, Any]) -> dict[str, Any]:
    """The arrays of the inputs, whether or not a derivative still has them."""
    return {tensor.label: own[tensor.label] for tensor in e.inputs}


def test_the_derivative_of_a_cumulative_product_holds_at_zeros() -> None:
    p = ic.tensor("p", 5)
    at, along = np.array([2.0, 0.0, 3.0, 0.0, -1.0]), RNG.normal(size=5)
    for order, e in enumerate((ic.cumprod(p), ic.derivative(ic.cumprod(p), p)), 1):
        step = 1e-6
        slope = (e.evaluate(p=at + step * along) - e.evaluate(p=at - step * along)) / (2 * step)
        exact = np.asarray(ic.derivative(e, p).evaluate(p=at)) @ along
        np.testing.assert_allclose(exact, slope, atol=1e-8), order
    assert ic.verify(ic.grad((ic.cumprod(p) ** 2).sum(), p))


JOINED = ic.concatenate([x, y])
BLOCKS = ic.block([[A, B], [C, D]])
ZERO = ic.zeros("n m")
DIAGONAL = ic.block([[A, ZERO], [ZERO.T, D]])
FOLDED: dict[str, tuple[Any, Any]] = {
    "the first part": (JOINED[:n], x),
    "the second part": (JOINED[n:], y),
    "an entry of a part": (JOINED[n:][0], y[0]),
    "of entries": (ic.exp(JOINED)[:n], ic.exp(x)),
    "of powers": ((JOINED**2)[n:], y**2),
    "of products": ((JOINED * ic.sin(JOINED))[n:], y * ic.sin(y)),
    "a sum": (JOINED.sum(), x.sum() + y.sum()),
    "a gradient": (ic.grad((JOINED**3).sum(), x), 3 * x**2),
    "a gradient of a function": (ic.grad(ic.sin(JOINED).sum(), y), ic.cos(y)),
    "a Jacobian": (ic.derivative(JOINED, x), ic.eye("m + n")[:, :n]),
    "a block": (BLOCKS[:n, n:], B),
    "a block of a transpose": (BLOCKS.T[:n, n:], C.T),
    "a trace": (ic.tr(BLOCKS), ic.tr(A) + ic.tr(D)),
    "a diagonal": (ic.diag(BLOCKS), ic.concatenate([ic.diag(A), ic.diag(D)])),
    "a row of a stack": (ic.stack([x, z])[0], x),
    "a column of a stack": (ic.stack([x, z], axis=1)[:, 1], z),
    "a sum of a stack": (ic.stack([x, z]).sum(axis=0), x + z),
    "what was rolled": (ic.roll(x, 1)[1:], x[:-1]),
    "parts of parts": (ic.concatenate([JOINED, x])[n : n + m], y),
    "what was split": (ic.concatenate(ic.split(ic.tensor("v", "2*n"), 2)[::-1])[n:], ic.tensor("v", "2*n")[:n]),
    "a gradient of blocks": (ic.grad(ic.tr(BLOCKS @ BLOCKS), A), 2 * A.T),
    "linear": (ic.cumsum(x + z), ic.cumsum(x) + ic.cumsum(z)),
    "a triangle": (ic.cumsum(x), ic.tril(ic.ones("n n")) @ x),
    "log determinants": (ic.logdet(DIAGONAL), ic.logdet(A) + ic.logdet(D)),
    "determinants": (ic.det(ic.block([[A, B], [ZERO.T, D]])), ic.det(A) * ic.det(D)),
    "inverses": (ic.inv(DIAGONAL), ic.block([[ic.inv(A), ZERO], [ZERO.T, ic.inv(D)]])),
    "a gradient of a determinant": (ic.grad(ic.logdet(DIAGONAL), A), ic.inv(A).T),
}  # fmt: skip


@pytest.mark.parametrize("name", FOLDED)
def test_a_slice_of_what_is_made_of_parts_is_the_part(name: str) -> None:
    one, other = FOLDED[name]
    assert one == other
    values = {**DATA, "v": RNG.normal(size=6)}
    own = given_of(one, values)
    sizes = {} if own and "Jacobian" not in name else {"n": 3, "m": 2}
    np.testing.assert_allclose(other.evaluate(**given_of(other, values), **sizes), one.evaluate(**own, **sizes))


def test_a_slice_across_parts_stays() -> None:
    assert str(JOINED[1:]) == "concatenate([x, y])[1:]"
    assert str(JOINED[0]) == "concatenate([x, y])[0]"


@pytest.mark.parametrize("e", [ic.det(BLOCKS), ic.logdet(BLOCKS), ic.inv(BLOCKS)])
def test_a_schur_complement_comes_of_multiplying_out(e: Any) -> None:
    opened = e.expand()
    assert "inv(A)" in str(opened) and "inv(A)" not in str(e)
    np.testing.assert_allclose(opened.evaluate(**given(opened)), e.evaluate(**given(e)), rtol=1e-10)
    assert e.equals(opened)
    assert ic.verify(ic.grad((e * e).sum(), B) if e.order else ic.grad(e, B))


# ------------------------------------------------------------------ text

p, q = ic.column("p", "n"), ic.column("q", "m")
SHOWN: dict[str, tuple[Any, str]] = {
    "concatenate([x, y])": (JOINED, r"\begin{bmatrix} x \\ y \end{bmatrix}"),
    "block([[A, B], [C, D]])": (BLOCKS, r"\begin{bmatrix} A & B \\ C & D \end{bmatrix}"),
    "block([[A.T, C.T], [B.T, D.T]])": (
        BLOCKS.T, r"\begin{bmatrix} A^{\mathsf{T}} & C^{\mathsf{T}} \\ B^{\mathsf{T}} & D^{\mathsf{T}} \end{bmatrix}",
    ),
    "concatenate([A, B], axis=1)": (ic.concatenate([A, B], 1), r"\begin{bmatrix} A & B \end{bmatrix}"),
    "stack([x, z])": (
        ic.stack([x, z]), r"\begin{bmatrix} x^{\mathsf{T}} \\ z^{\mathsf{T}} \end{bmatrix}",
    ),
    "stack([s, t])": (ic.stack([s, t]), r"\begin{bmatrix} s \\ t \end{bmatrix}"),
    "block([[A, zeros(n, m)], [zeros(m, n), D]])": (
        DIAGONAL, r"\begin{bmatrix} A & 0_{n \times m} \\ 0_{m \times n} & D \end{bmatrix}",
    ),
    "block([[A, x[:, None]], [x[None], s]])": (
        ic.block([[A, x[:, None]], [x[None], s]]),
        r"\begin{bmatrix} A & x \\ x^{\mathsf{T}} & s \end{bmatrix}",
    ),
    "block([[A, p], [p.T, s]])": (
        ic.block([[A, p], [p.T, s]]), r"\begin{bmatrix} A & p \\ p^{\mathsf{T}} & s \end{bmatrix}",
    ),
    "concatenate([p, q])": (ic.concatenate([p, q]), r"\begin{bmatrix} p \\ q \end{bmatrix}"),
    "roll(p, 1)": (
        ic.roll(p, 1), r"\begin{bmatrix} p_{[-1, 0]} \\ p_{[:-1]} \end{bmatrix}",
    ),
    "roll(x, 1)": (ic.roll(x, 1), r"\begin{bmatrix} x_{[-1]} \\ x_{[:-1]} \end{bmatrix}"),
    "roll(A, 1, axis=0)": (
        ic.roll(A, 1, 0), r"\begin{bmatrix} A_{[-1]}^{\mathsf{T}} \\ A_{[:-1]} \end{bmatrix}",
    ),
    "det(block([[A, B], [C, D]]))": (
        ic.det(BLOCKS), r"\det\left(\begin{bmatrix} A & B \\ C & D \end{bmatrix}\right)",
    ),
    "2*exp(concatenate([x, y]))": (
        2 * ic.exp(JOINED), r"2 \, \exp\left(\begin{bmatrix} x \\ y \end{bmatrix}\right)",
    ),
    "inv(block([[A, B], [C, D]]))[:n, :n].T": (
        ic.grad(ic.logdet(BLOCKS), A),
        r"\left(\begin{bmatrix} A & B \\ C & D \end{bmatrix}^{-1}\right)_{[:n, :n]}^{\mathsf{T}}",
    ),
    "cumsum(A @ x)": (
        ic.cumsum(A @ x), r"\operatorname{tril}\left(\mathbf{1}_{n \times n}\right) \, A \, x",
    ),
    "roll(x, -1) + roll(x, 1) - 2*x": (
        ic.roll(x, 1) - 2 * x + ic.roll(x, -1),
        r"\begin{bmatrix} x_{[1:]} \\ x_{[0]} \end{bmatrix} + \begin{bmatrix} x_{[-1]} \\ x_{[:-1]} \end{bmatrix}"
        r" - 2 \, x",
    ),
    "cumprod(x)": (ic.cumprod(x), r"\operatorname{cumprod}\left(x\right)"),
}  # fmt: skip


@pytest.mark.parametrize("text", SHOWN)
def test_they_print_as_they_are_written_and_read_back(text: str) -> None:
    e, latex = SHOWN[text]
    assert (str(e), e.latex()) == (text, latex)
    for shown in (text, latex):
        back = ic.parse(shown, **e.declarations)
        assert back == e and back.shape == e.shape


READ = {
    r"\begin{pmatrix} A & B \\ C & D \\ \end{pmatrix}": BLOCKS,
    r"\begin{vmatrix} A & B \\ C & D \end{vmatrix}": ic.det(BLOCKS),
    r"\begin{bmatrix} s & 1 \\ 0 & t \end{bmatrix}": ic.block([[s, 1], [0, t]]),
    r"\begin{bmatrix} x & z \end{bmatrix}": ic.stack([x, z], axis=1),
    r"\begin{bmatrix} A x \\ y \end{bmatrix}": ic.concatenate([A @ x, y]),
    "np.block([[A, B], [C, D]])": BLOCKS,
    "np.concatenate([A, B], axis=1)": ic.concatenate([A, B], axis=1),
    "roll(x, 1) + x[0]": ic.roll(x, 1) + x[0],
    "roll(B, [1, 1], axis=[0, 1])": ic.roll(B, (1, 1), (0, 1)),
    "tile(x, 2)": ic.tile(x, 2),
    "cumsum({i: x[i]*z[i]})": ic.cumsum((x * z)[i]),
    "concatenate([x[i], y[i]], axis=i)": JOINED[i],
    "stack([x[i], z[i]], axis=k)": ic.stack([x, z])[k, i],
}


@pytest.mark.parametrize("text", READ)
def test_they_are_read(text: str) -> None:
    found = ic.parse(text, **{**TENSORS, "s": "", "t": ""})
    assert found == READ[text]


# ------------------------------------------------------------------ both views


def test_an_index_names_the_axis() -> None:
    assert ic.concatenate([x[i], y[i]], axis=i) == JOINED[i]
    assert ic.concatenate([A[i, j], C[j, i].array(j, i)[j, i]], axis=j).free == (i, j)
    assert ic.roll(A[i, j], 1, axis=j) == ic.roll(A, 1, axis=1)[i, j]
    assert ic.stack([x[i], z[i]], axis=k) == ic.stack([x, z])[k, i]
    assert ic.split(x[i], [1], axis=i)[1] == x[1:][i]
    assert ic.cumsum(x[i]) == ic.cumsum(x)[i]
    assert ic.cumprod(B[i, j], axis=j) == ic.cumprod(B, axis=1)[i, j]
    back = ic.concatenate([x[i], y[i]], axis=i)
    assert ic.parse(str(back), **back.declarations) == back
    assert ic.parse(back.latex(), **back.declarations) == back


def test_columns_and_rows_stay_what_they_are() -> None:
    assert ic.concatenate([p, q]).shape == (n + m, 1) and ic.concatenate([p.T, q.T], axis=1).shape == (1, n + m)
    assert ic.roll(p, 1).shape == ic.cumsum(p).shape == ic.cumprod(p).shape == (n, 1)
    assert ic.concatenate([p, p], axis=1).shape == (n, 2) and ic.block([[A, p], [p.T, 1]]).shape == (n + 1, n + 1)


REFUSED: list[tuple[Any, str]] = [
    (lambda: ic.concatenate([A, B]), "axis 1: part 0 has n, part 1 has m"),
    (lambda: ic.concatenate([x, A]), "has 1 axis, another has 2"),
    (lambda: ic.concatenate(x), "no list of expressions"),
    (lambda: ic.concatenate([]), "nothing to join"),
    (lambda: ic.concatenate([s, t]), "has no axis"),
    (lambda: ic.concatenate([x, y[i]]), "some have indices"),
    (lambda: ic.concatenate([x[i], y[j]], axis=i), "has the indices i"),
    (lambda: ic.concatenate([x[i], z[i]], axis=0), "one of i"),
    (lambda: ic.stack([x, y]), r"\(n,\) meets \(m,\)"),
    (lambda: ic.stack([x[i], z[i]], axis=i), "a new index"),
    (lambda: ic.block([[A, B], [C]]), "axis 1: part 0 has m \\+ n, part 1 has n"),
    (lambda: ic.block([[A], B]), "different depths"),
    (lambda: ic.block([[A[i, j]]]), "a block has indices"),
    (lambda: ic.roll(x, 1.5), "no integer"),
    (lambda: ic.roll(B, (1, 2, 3), axis=(0, 1)), "3 shifts for 2 axes"),
    (lambda: ic.split(x, 2), "make no 2 parts"),
    (lambda: ic.split(x, [2, 1]), "cut at 2, then at 1"),
    (lambda: ic.tile(x, -1), "no number of times"),
    (lambda: ic.cumsum(A[i, j]), "which of the indices i, j"),
    (lambda: ic.cumsum(A, axis=(0, 1)), "2 axes"),
    (lambda: ic.roll(x, 5).evaluate(x=np.ones(3)), "it takes the entries -2 to 2"),
    (lambda: ic.parse("split(x, 2)", x="n"), "write slices"),
    (lambda: ic.parse(r"\begin{bmatrix} A & \\ C & D \end{bmatrix}", A="n n", C="n n", D="n n"), "a cell is empty"),
]


@pytest.mark.parametrize("asked", range(len(REFUSED)))
def test_what_can_not_be_joined_says_so(asked: int) -> None:
    call, said = REFUSED[asked]
    with pytest.raises(ic.IndexCalcError, match=said):
        call()


@pytest.mark.parametrize("e", [BLOCKS, ic.inv(BLOCKS), DIAGONAL, ic.concatenate([A, B], 1), ic.concatenate([p, q]),
    ic.concatenate([ic.concatenate([A, B], 1), ic.concatenate([B, A], 1)])])  # fmt: skip
def test_sympy_has_block_matrices_too(e: Any) -> None:
    assert ic.from_sympy(e.to_sympy()) == e


def test_a_formula_of_blocks_is_checked_and_explained() -> None:
    assert ic.check("2*x", ic.grad((JOINED**2).sum(), x))
    assert ic.check("inv(block([[A, B], [C, D]]))[:n, :n].T", ic.grad(ic.logdet(BLOCKS), A))
    assert not ic.check("3*x", ic.grad((JOINED**2).sum(), x))
    assert "∂L/∂x    = 2*x" in str(ic.explain((JOINED**2).sum(), x))


# ------------------------------------------------------------------ programs

LONG = 10**5


def lines(e: Any, **sizes: int) -> str:
    """The lines of the program."""
    inputs = [TENSORS[tensor.label] for tensor in sorted(e.inputs, key=lambda one: one.label)]
    return "\n".join(arrange(ic.compile(e, inputs).job, sizes, np.dtype(float)).code.lines)


def test_parts_are_written_beside_each_other() -> None:
    for e in (JOINED, BLOCKS, ic.roll(x, 1), ic.stack([x, z])):
        text = lines(e, n=30, m=20)
        assert "empty" in text and "zeros" not in text and "add" not in text
    assert "np.concatenate([x, y], 0)" in ic.to_source(JOINED, (x, y))
    assert "jnp.block([[A, B], [C, D]])" in ic.to_source(BLOCKS, (A, B, C, D), target="jax")
    assert "zeros" in lines(DIAGONAL, n=30, m=20)


def test_a_triangle_of_ones_is_a_cumulative_sum() -> None:
    for e in (ic.grad((ic.cumsum(x) ** 2).sum(), x), (x[i] * z[j]).sum(i, j, where="i<j"), ic.cumsum(ic.cumsum(x) * z)):
        assert ic.preflight(e, n=LONG).peak_bytes < 5 * 8 * LONG
    assert "tril" not in lines(ic.tril(A) @ x, n=30) and "triangle" in lines(ic.tril(A) @ x, n=30)


@pytest.mark.parametrize("rows", [1, 3, 5, 7])
@pytest.mark.parametrize("offset", [-6, -1, 0, 2, 6])
def test_triangles_of_any_shape_are_summed_up(rows: int, offset: int) -> None:
    mask, own = np.tri(rows, 5, offset), ic.tril(ic.ones(rows, 5), offset)
    v, w, W = ic.tensor("v", 5), ic.tensor("w", rows), ic.tensor("W", 5, 2)
    at = {"v": RNG.normal(size=5), "w": RNG.normal(size=rows), "W": RNG.normal(size=(5, 2))}
    for e, expected in (
        (own @ v, mask @ at["v"]), (w @ own, at["w"] @ mask), (w @ own @ v, at["w"] @ mask @ at["v"]),
        (own @ W, mask @ at["W"]), (own.sum(axis=0), mask.sum(axis=0)), (own.sum(axis=1), mask.sum(axis=1)),
    ):  # fmt: skip
        np.testing.assert_allclose(e.evaluate(**given_of(e, at)), expected, atol=1e-12)


def test_tilings_are_found_where_they_are() -> None:
    grid = [(Range(0, 1, n, n + m), Range(n, 1, m, n + m)), (Range(n, 1, m, n + m), Range(0, 1, n, n + m))]
    assert tiling(grid, (n + m, n + m)) is None
    found = tiling(grid, (n + m, n + m), gaps=True)
    assert isinstance(found, Tiles) and [size for size, _ in found.cells] == [n, m]
    assert tiling([(Range(0, 1, n, n + m),)], (n + m,)) is None
    assert tiling([(Range(0, 2, n, 2 * n),), (Range(1, 2, n, 2 * n),)], (2 * n,)) is None


# ------------------------------------------------------------------ found by random programs


def test_a_part_within_terms_of_products_is_taken() -> None:
    """Of a sum whose terms are functions and products of an array of parts, as of one whose terms are the parts."""
    a, b, s = ic.tensor("a", 1), ic.tensor("b", 2), ic.scalar("s")
    whole = ic.concatenate([a, b])
    for f in (ic.gelu, lambda z: z * ic.sin(z) + 1, lambda z: z * ic.sin(z) / s + ic.cos(z), lambda z: ic.exp(z) - z):
        assert f(whole)[1:] == f(b), f(whole)


@pytest.mark.parametrize("take", [lambda A: A[:, -1], lambda A: A[0], lambda A: A[1, :], lambda A: A[:, 1]])
def test_a_rolled_row_or_column_is_written_with_one_axis(take: Any) -> None:
    A = ic.tensor("A", 3, 3)
    rolled = ic.roll(take(A), 1)
    assert ic.parse(str(rolled), A=A) == rolled, str(rolled)


@pytest.mark.parametrize("f", [ic.softmax, ic.log_softmax, ic.cumprod])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_diagonal_of_what_goes_along_an_axis_stays(f: Any, axis: int) -> None:
    """The diagonal of a function of entries is that of its argument; of softmax it is not."""
    A, v = ic.tensor("A", "n n"), ic.tensor("v", "n")
    for made in (ic.diag(f(A, axis=axis)), ic.tr(f(A, axis=axis)), ic.diagm(v) * f(A, axis=axis)):
        assert ic.parse(str(made), A=A, v=v) == made, str(made)


def test_three_tensors_that_share_a_summed_index_have_a_text() -> None:
    T, U, V, A = ic.tensor("T", 2, 3, 3), ic.tensor("U", 2, 3, "c"), ic.tensor("V", 2, 3, "c"), ic.tensor("A", 3, 3)
    made = A * ic.sum((T @ U) * V)
    assert ic.parse(str(made), T=T, U=U, V=V, A=A) == made


def test_parts_of_one_array_are_put_together() -> None:
    u, X = ic.tensor("u", 5), ic.tensor("X", "n m")
    there = (ic.roll(ic.roll(x, 1), -1), ic.roll(ic.roll(x, -3), 3), ic.concatenate([x[:2], x[2:4], x[4:]]))
    assert all(str(e) == "x" and e == x for e in there)
    assert (
        ic.roll(ic.roll(u, 2), 3) == u == ic.stack([u[a] for a in range(5)]) and str(ic.roll(ic.roll(u, 2), -2)) == "u"
    )
    assert ic.roll(ic.roll(X, (1, 2), axis=(0, 1)), (-1, -2), axis=(0, 1)) == X
    assert str(ic.roll(ic.roll(x, 2), -1)) == "roll(x, 1)" and str(ic.roll(ic.roll(u, 2), 1)) == "roll(u, 3)"
    assert ic.concatenate([3 * x[:2], 3 * x[2:]]) == 3 * x and ic.concatenate([x[:2], 2 * x[2:]]) != x
