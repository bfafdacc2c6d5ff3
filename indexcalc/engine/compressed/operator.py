"""Matrices that act on vectors: what compressed results and grids of them have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from indexcalc.engine.bind.inputs import Numbers
from indexcalc.engine.compressed.held_matrix import HeldMatrix
from indexcalc.engine.compressed.methods import Solver
from indexcalc.engine.compressed.solves import solver
from indexcalc.engine.compressed.sparse import SparseEntries
from indexcalc.errors import InputError, KindError, counted
from indexcalc.graph.node import Node
from indexcalc.surface import public

if TYPE_CHECKING:
    from scipy.sparse.linalg import LinearOperator


@public
class Operator:
    """What compressed results and grids of them have in common: they act on flat vectors, and are solved with."""

    dtype: np.dtype[Any]
    limit: int
    _solvers: dict[bool, Solver]

    @property
    def matrix_shape(self) -> tuple[int, int]:
        """The numbers of rows and columns."""
        raise NotImplementedError

    def structure(self) -> HeldMatrix | None:
        """The matrix as terms, if it is held as some: what may be solved by structure."""
        return None

    def _few_entries(self) -> SparseEntries | None:
        """The entries, if they are few and `structure` does not tell of them."""
        return None

    @property
    def nbytes(self) -> int:
        """The bytes that are held."""
        raise NotImplementedError

    def todense(self) -> Numbers:
        """The dense array."""
        raise NotImplementedError

    def matvec(self, v: Any) -> Any:
        """The product with a vector."""
        raise NotImplementedError

    def rmatvec(self, v: Any) -> Any:
        """The product of the conjugate transpose with a vector."""
        raise NotImplementedError

    def solver(self, positive_definite: bool = False) -> Solver:
        """What solves for this matrix, by its structure: a function of right-hand sides, with `method` in words.

        Raises InputError where the matrix is not square, is singular, or would have to be made dense beyond the limit.
        """
        return self._solver("solve", positive_definite)

    def _solver(self, asked: str, positive_definite: bool = False) -> Solver:
        if positive_definite not in self._solvers:
            self._solvers[positive_definite] = solver(self, positive_definite, self._few_entries(), self.nbytes, asked)
        return self._solvers[positive_definite]

    def logdet(self) -> Any:
        """`log|det|` of the matrix, as `ic.logdet` has it, from the decomposition by which it is solved.

        That of bands from their triangular factors, of `A ⊗ B` from both determinants, of a sum of Kronecker products
        from eigenvalues, of blocks as a sum, of `D + U V'` as `logdet(D) + logdet(I + V' inv(D) U)`.

        Raises InputError where the matrix is not square or is singular, or too large to be dense where it must be.

        >>> import indexcalc as ic
        >>> A, B, X = ic.tensor("A", "n n"), ic.tensor("B", "m m"), ic.tensor("X", "n m")
        >>> D = ic.derivative(A @ X @ B, X).compressed(A=[[2, 0], [0, 3]], B=[[4]])
        >>> D.logdet(), D.solver().method
        (np.float64(4.564348191467836), 'factor by factor: 2×2 ⊗ 1×1')
        """
        return self._solver("the determinant of a compressed result").logdet()

    def as_linear_operator(self) -> LinearOperator:
        """The matrix as SciPy's `LinearOperator`, for its iterative solvers; needs SciPy."""
        try:
            from scipy.sparse.linalg import LinearOperator
        except ImportError:
            raise InputError("as_linear_operator()", "SciPy is not installed", "install scipy, or use matvec") from None
        return LinearOperator(
            shape=self.matrix_shape,
            dtype=self.dtype,
            matvec=lambda v: np.ravel(self.matvec(np.ravel(v))),
            rmatvec=lambda v: np.ravel(self.rmatvec(np.ravel(v))),
        )


def size_told(shape: tuple[int, int], held: int, dense: int) -> str:
    """The size of a matrix in words: its rows and columns, the bytes that are held, and those of the dense array.

    >>> size_told((3, 4), 8, 96)
    '3 × 4, held in 8 bytes (dense: 96)'
    """
    return f"{shape[0]} × {shape[1]}, held in {counted(held, 'byte')} (dense: {dense:,})"


def vector(value: Any, dtype: Any, name: str) -> Numbers:
    """The vector as an array of the precision of the factors, complex where it is."""
    if isinstance(getattr(value, "node", None), Node):
        raise KindError(f"{name}({value})", "an expression has no numbers", "evaluate it first, or use ic.hvp, ic.jvp")
    array = np.asarray(value)
    if array.dtype.kind not in "iufc":
        raise InputError(f"{name}", f"a vector of dtype {array.dtype}", "give numbers")
    return array.astype(np.result_type(dtype, np.complex64) if array.dtype.kind == "c" else dtype, copy=False)
