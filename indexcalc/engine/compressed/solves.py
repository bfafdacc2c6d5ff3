"""Solving with a matrix that is known by its products: by the structure of its terms, where that helps.

Else as a dense matrix; else, where it is said to be positive definite, by conjugate gradients.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from indexcalc.engine.bind.inputs import Numbers
from indexcalc.engine.compressed.held_matrix import HeldMatrix
from indexcalc.engine.compressed.methods import Singular, Solver, by_array, by_sparse_lu
from indexcalc.engine.compressed.sparse import SparseEntries
from indexcalc.engine.compressed.structured import structured
from indexcalc.errors import InputError

STEPS = 10
"""Steps for each unknown that conjugate gradients take at most: without rounding, one is enough."""


MODEST = 2000
"""Unknowns: up to so many a matrix without structure is solved as a dense one, which takes 32 MB and a second;"""
MUCH = 4
"""and beyond that, where the dense array takes at most so many times what is held."""


class Solvable(Protocol):
    """What is asked of a matrix that is solved with; `structure` has its terms, if they are known."""

    dtype: np.dtype[Any]
    limit: int

    @property
    def matrix_shape(self) -> tuple[int, int]:
        """The numbers of rows and columns."""

    def structure(self) -> HeldMatrix | None:
        """The matrix as terms."""

    def todense(self) -> Numbers:
        """The dense array."""

    def matvec(self, v: Any) -> Any:
        """The product with a vector."""


def solver(
    matrix: Solvable, positive_definite: bool, few: SparseEntries | None = None, held: int = 0, asked: str = "solve"
) -> Solver:
    """What solves for a compressed matrix or a grid of blocks, of which so many bytes are `held`.

    `few` has its entries, if they are few and no structure tells of them.
    """
    rows, columns = matrix.matrix_shape
    if rows != columns:
        raise InputError(asked, f"the matrix is {rows} × {columns}", "give a square one; SciPy's lsqr takes others")
    try:
        with np.errstate(all="ignore"):
            form = matrix.structure()
            found = None if form is None else structured(form)
            made = _whole(matrix, positive_definite, few, held, asked) if found is None else found
            _probe(matrix, made)
    except (Singular, np.linalg.LinAlgError):
        raise InputError(
            asked, "the matrix is singular", "add a multiple of the identity, or solve for fewer unknowns"
        ) from None
    return made


def _whole(matrix: Solvable, positive_definite: bool, few: SparseEntries | None, held: int, asked: str) -> Solver:
    """A sparse or a dense matrix, or conjugate gradients; a dense one only where it is small, or all that is held."""
    rows, _ = matrix.matrix_shape
    size = rows * rows * matrix.dtype.itemsize
    found = None if few is None else by_sparse_lu(few, rows)
    if found is not None:
        return found
    if 2 * size <= matrix.limit and (rows <= MODEST or size <= MUCH * held):
        return by_array(matrix.todense().reshape(rows, rows))
    if not positive_definite:
        raise InputError(
            asked,
            f"no structure of the terms helps, and a dense factorisation takes {2 * size:,} bytes of {matrix.limit:,}, "
            f"where {held:,} are held",
            "write positive_definite=True where it is, for conjugate gradients; use as_linear_operator() with SciPy; "
            "or make it dense yourself, .todense()",
        )
    return Solver(
        "conjugate gradients",
        lambda b: np.stack([_conjugate_gradients(matrix, v) for v in b.T], axis=1),
        _no_determinant,
    )


def _no_determinant() -> Any:
    raise InputError(
        "the determinant of a compressed result",
        "conjugate gradients know none",
        "take that of .todense(), where it fits",
    )


def _probe(matrix: Solvable, made: Solver) -> None:
    """A vector at random shows whether the matrix is singular to working precision."""
    if made.method == "conjugate gradients" or not matrix.matrix_shape[0]:
        return
    v = np.random.default_rng(0).standard_normal(matrix.matrix_shape[1]).astype(np.zeros(0, matrix.dtype).real.dtype)
    size = float(np.linalg.norm(v))
    forth = np.ravel(matrix.matvec(v))
    back = made(v.reshape(-1, 1))
    spread = float(np.linalg.norm(forth)) / size * float(np.linalg.norm(back)) / size
    if not spread < 0.01 / float(np.finfo(matrix.dtype).eps):
        raise Singular


def _conjugate_gradients(matrix: Solvable, b: Numbers, steps: int = STEPS) -> Numbers:
    """The solution by conjugate gradients (Hestenes and Stiefel, 1952); no convergence is an error."""
    x, residual = np.zeros_like(b), b.copy()
    direction, size = residual.copy(), float(np.vdot(residual, residual).real)
    enough = (10 * float(np.finfo(matrix.dtype).eps)) ** 2 * size
    for _ in range(steps * len(b)):
        if size <= enough:
            return x
        image = np.ravel(matrix.matvec(direction))
        bent = float(np.vdot(direction, image).real)
        if bent <= 0:
            raise InputError("solve", "the matrix is not positive definite", "leave positive_definite=True out")
        x += size / bent * direction
        residual -= size / bent * image
        before, size = size, float(np.vdot(residual, residual).real)
        direction = residual + size / before * direction
    raise InputError(
        "solve",
        f"conjugate gradients did not converge in {steps * len(b)} steps",
        "use as_linear_operator() with SciPy's solvers and a preconditioner",
    )
