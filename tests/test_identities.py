"""Identities of functions of matrices: each row by numbers, and by what simplification makes of its left side."""

import numpy as np
import pytest

from indexcalc.functions.table import ELEMENTWISE, MATRICES, REDUCTIONS
from indexcalc.graph.constructors import delta, einsum, variable
from indexcalc.graph.node import NO_SYMMETRY, Symmetry
from indexcalc.simplify.identities.sides import applied, side_of
from indexcalc.simplify.identities.table import GATHERED, NESTED, has_full_rank
from indexcalc.simplify.passes import simplify

ROWS = [*GATHERED, *NESTED]
WORDS = {
    "positive_definite": ["positive_definite"],
    "symmetric": ["symmetric"],
    "tall": ["full_rank"],
    "wide": ["full_rank"],
}
NUMPY = {
    "A": lambda x: x,
    "sym": lambda x: (x + np.swapaxes(x, -1, -2)) / 2,
    "minus": lambda x: -x,
    "half": lambda x: x / 2,
    "gram": lambda x: np.swapaxes(x, -1, -2) @ x,
    "outer": lambda x: x @ np.swapaxes(x, -1, -2),
    "diag": lambda x: np.diagonal(x, axis1=-2, axis2=-1),
    "tr": lambda x: np.trace(x, axis1=-2, axis2=-1),
    "tril": lambda x: np.tri(*x.shape[-2:]) + 0 * x,
    "prod": lambda x: np.prod(x, axis=-1),
}


def shape_of(row, rng, batch):
    n = int(rng.integers(1, 5))
    more = int(rng.integers(0, 3))
    ends = {"tall": (n + more, n), "wide": (n, n + more)}.get(row.example, (n, n))
    return (*batch, *ends)


def drawn(kind, shape, rng):
    x = rng.standard_normal(shape)
    turned = np.swapaxes(x, -1, -2)
    if kind == "symmetric":
        return (x + turned) / 2
    return x @ turned + np.eye(shape[-1]) if kind == "positive_definite" else x


def head_value(head, x):
    for name in head:
        if name in NUMPY:
            x = NUMPY[name](x)
        elif name in MATRICES:
            x = MATRICES[name].numpy(x)
        elif name in ELEMENTWISE:
            x = ELEMENTWISE[name].numpy(x)
        else:
            x = REDUCTIONS[name].numpy(x, (x.ndim - 2, x.ndim - 1))
    return x


def side_value(parts, x, out):
    """The sum over what `out` lacks of the product of these parts."""
    operands = []
    for part in parts:
        value, letters = head_value(part.head, x), part.letters
        if len(letters) == 2 and letters[0] == letters[1]:
            value, letters = np.diagonal(value, axis1=-2, axis2=-1), letters[0]
        operands += [value ** float(part.exponent), [Ellipsis, *(ord(letter) - ord("a") for letter in letters)]]
    return np.einsum(*operands, [Ellipsis, *(ord(letter) - ord("a") for letter in out)])


def kept(row):
    return "".join(
        dict.fromkeys(
            x for part in side_of(row.left) for x in part.letters if any(x in p.letters for p in side_of(row.right))
        )
    )


def sides(row, x):
    """The values of both sides."""
    out = kept(row)
    left, right = side_value(side_of(row.left), x, out), side_of(row.right)
    deltas = [part for part in right if part.head == ("δ",)]
    if not deltas:
        return left, float(row.coef) * side_value(right, x, out)
    assert set(deltas[0].letters) == set(out)
    rest = [part for part in right if part not in deltas]
    axes, wanted = np.arange(left.shape[-1]), np.zeros(left.shape)
    wanted[..., axes, axes] = side_value(rest, x, deltas[0].letters[0]) if rest else 1
    return left, float(row.coef) * wanted


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("batch", [(), (2,)], ids=str)
def test_each_identity_by_numbers(row, batch):
    rng = np.random.default_rng(len(row.name))
    for _ in range(4):
        x = drawn(row.example, shape_of(row, rng, batch), rng)
        left, right = sides(row, x)
        np.testing.assert_allclose(left, right, rtol=1e-7, atol=1e-8 * max(1, np.abs(left).max()))


@pytest.mark.parametrize(
    "row",
    [
        row
        for row in ROWS
        if row.when is not has_full_rank and row.example != "positive_definite" and "log" not in row.left
    ],
    ids=lambda row: row.name,
)
def test_an_identity_holds_where_its_left_side_exists(row):
    """Also at a matrix that is not regular, or has not full rank; but for definite ones, and for logarithms of 0."""
    rng = np.random.default_rng(len(row.name))
    for size in (2, 3, 4):
        ends = {"tall": (size + 1, size), "wide": (size, size + 1)}.get(row.example, (size, size))
        x = rng.standard_normal((ends[0], size - 1)) @ rng.standard_normal((size - 1, ends[1]))
        x = x @ x.T if row.example == "symmetric" else x
        try:
            with np.errstate(all="ignore"):
                left, right = sides(row, x)
        except np.linalg.LinAlgError:
            continue  # it has no inverse, or no Cholesky factor
        if np.abs(left).max() < 1e8:
            np.testing.assert_allclose(left, right, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("batch", [(), (2,)], ids=str)
def test_each_identity_is_found(row, batch):
    ends = {"tall": (4, 3), "wide": (3, 4)}.get(row.example, (3, 3))
    if batch and "full_rank" in WORDS.get(row.example, []) and row.when is has_full_rank:
        pytest.skip("only a matrix can be declared to have full rank, no batch of them")
    assumed = WORDS.get(row.example, [])
    own = (len(batch), len(batch) + 1)
    symmetry = Symmetry(((own, 1),)) if row.example in ("symmetric", "positive_definite") else NO_SYMMETRY
    matrix = variable("A", (*batch, *ends), assumed, symmetry)
    front = tuple(range(len(batch)))

    def made(side, coef=1):
        factors = []
        for part in side_of(side):
            node = delta(left.dims[-1]) if part.head == ("δ",) else matrix
            for name in part.head:
                node = applied(name, node) if name not in ("A", "δ") else node
            places = (*front, *part.letters) if node.order > len(part.letters) else tuple(part.letters)
            factors.append((node, places, part.exponent))
        return einsum(coef, factors, (*front, *kept(row)), dict(zip(front, batch, strict=True)))

    left = made(row.left)
    assert simplify([left])[0] is simplify([made(row.right, row.coef)])[0]
