"""An array held as `delta ⊗ core` terms whose factors are arrays; the dense array is made only on request.

A derivative such as `∂(AXB)_ij/∂X_kl = A_ik B_lj` has n⁴ entries and is known by 2n² numbers. Products with vectors,
the diagonal and the trace are again sums of products of the held arrays, so the same compiler makes them: each is
planned once for a dtype and kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy import ndarray

from indexcalc.affine import affine_text
from indexcalc.engine.bind.inputs import Numbers, to_float
from indexcalc.engine.compressed.factors import HeldTerm
from indexcalc.engine.compressed.held_matrix import HeldMatrix, entry_by_entry
from indexcalc.engine.compressed.operator import Operator, size_told, vector
from indexcalc.engine.compressed.sparse import sparse
from indexcalc.engine.emit.numpy.function import Code, function_of
from indexcalc.engine.emit.numpy_code import emit
from indexcalc.engine.plan.plan import plan
from indexcalc.errors import InputError
from indexcalc.graph.constructors import addition, einsum, variable
from indexcalc.graph.labels import UnionFind
from indexcalc.graph.node import Node
from indexcalc.graph.ranges import Relation
from indexcalc.index import Dimension
from indexcalc.surface import public
from indexcalc.writing.html import code, paragraph, table
from indexcalc.writing.slices import bracketed

TURNED = re.compile(r"\b(h\d+)\.T\b")
"""A transpose of a held array, which is made once."""
COLUMN = "column"
"""The label of the axis that runs over several vectors."""


@dataclass(frozen=True, slots=True)
class HeldArrays:
    """Arrays, what each is called, their common dtype, and the most bytes that a dense result may take."""

    arrays: tuple[Numbers, ...]
    titles: tuple[str, ...]
    dtype: np.dtype[Any]
    limit: int

    @property
    def nbytes(self) -> int:
        """The bytes of the arrays."""
        return sum(array.nbytes for array in self.arrays)


@public
class Compressed(Operator):
    """An array held as a sum of terms, each a coefficient, deltas, and factors that are arrays.

    Its axes are those of the rows, then those of the columns. A vector may come flat or with its axes; the result has
    its axes, unless the vector came flat where it has several or none.
    """

    def __init__(
        self, held: HeldArrays, terms: Sequence[HeldTerm], dims: Sequence[int], rows: int, names: Sequence[str]
    ) -> None:
        self.held, self.terms, self.names = held, tuple(terms), tuple(names)
        self.shape = tuple(dims)
        self.rows, self.columns = self.shape[:rows], self.shape[rows:]
        self.dtype, self.limit = held.dtype, held.limit
        self._programs: dict[Any, Callable[..., Any]] = {}
        self._ready: dict[Any, Callable[..., Any]] = {}
        self._solvers = {}

    @property
    def matrix_shape(self) -> tuple[int, int]:
        """The sizes of the rows and of the columns, each multiplied out."""
        return prod(self.rows), prod(self.columns)

    @property
    def used(self) -> tuple[int, ...]:
        """The numbers of the held arrays that occur here."""
        return tuple(sorted({number for term in self.terms for number, _ in term.factors}))

    @property
    def nbytes(self) -> int:
        """The bytes that are held."""
        return sum(self.held.arrays[number].nbytes for number in self.used)

    @property
    def dense_nbytes(self) -> int:
        """The bytes that the dense array would take."""
        return prod(self.shape) * self.dtype.itemsize

    def structure(self) -> HeldMatrix:
        """The terms and the arrays: what may be solved by structure."""
        terms, arrays = entry_by_entry(self.terms, self.held.arrays)
        return HeldMatrix(terms, arrays, len(self.rows), self.dtype, self.limit)

    # -------------------------------------------------------------- products with vectors

    def matvec(self, v: Any) -> Any:
        """`sum over the columns of D[rows, columns] v[columns]`.

        >>> import indexcalc as ic
        >>> A, x = ic.tensor("A", "m n"), ic.tensor("x", "n")
        >>> D = ic.derivative(A @ x, x).compressed(A=[[1, 2], [3, 4]])
        >>> D.matvec([1, 1])
        array([3., 7.])
        """
        if type(v) is ndarray and v.dtype is self.dtype:
            known = self._ready.get(v.shape)
            if known is not None:
                return known(v)
        return self._applied("matvec", v)

    def rmatvec(self, v: Any) -> Any:
        """`sum over the rows of conj(D[rows, columns]) v[rows]`: the conjugate transpose times a vector."""
        return self._applied("rmatvec", v)

    def matmat(self, V: Any) -> Any:
        """The products with several vectors, which are the last axis of V."""
        return self._applied("matmat", V)

    def _applied(self, name: str, v: Any) -> Any:
        array, over = vector(v, self.dtype, name), self.rows if name == "rmatvec" else self.columns
        key = name, array.shape, array.dtype
        if key not in self._programs:
            more = array.shape[-1:] if name == "matmat" else ()
            flat, shaped = (prod(over), *more), (*over, *more)
            if array.shape not in (flat, shaped):
                count = ("k",) if name == "matmat" else ()
                shown = " or ".join(dict.fromkeys([str((prod(over), *count)), str((*over, *count))])).replace("'", "")
                found = f"a vector of shape {array.shape}"
                raise InputError(f"{name} of {self._title}", found, f"give one of shape {shown}")
            for shape, product in self._products(name == "rmatvec", over, more, array.dtype):
                self._programs[name, shape, array.dtype] = product
                if name == "matvec" and array.dtype == self.dtype:
                    self._ready[shape] = product
        return self._programs[key](array)

    def _products(
        self, turned: bool, over: tuple[int, ...], more: tuple[int, ...], dtype: Any
    ) -> Iterator[tuple[tuple[int, ...], Callable[..., Any]]]:
        """The functions that make the products with one vector, or with the several of a last axis, by its shape.

        That of the axes that it is summed over, or flat.

        What is known beforehand is bound to them: the arrays, and a coefficient in the smallest of these. Turned, it is
        the conjugate of the product with the conjugate.
        """
        dims, rows = (*over, *more), len(self.rows)
        vector = variable("v", dims)
        column: dict[Any, int] = dict.fromkeys((COLUMN,), *more) if more else {}
        arrays, nodes = list(self.held.arrays), []
        for term in (self._scaled(term, arrays) for term in self.terms):
            out, _ = term.opened()
            kept, summed = (out[rows:], out[:rows]) if turned else (out[:rows], out[rows:])
            nodes.append(self._node(term, (*kept, *column), [(vector, (*summed, *column))], column, arrays))
        code = self._code(nodes, (*(self.columns if turned else self.rows), *more), arrays, dtype)
        given, (result,) = "v", code.results
        if turned and any(kind.kind == "c" for kind in (np.dtype(dtype), *(array.dtype for array in arrays))):
            given, result = "conj(v)", f"conj({result})"
        yield dims, self._bound(code._replace(results=(result,)), arrays, ["v"], [f"v = {given}"] * (given != "v"))
        if len(dims) != len(more) + 1:
            code = code._replace(results=(f"{result}.reshape({', '.join(map(str, (-1, *more)))})",))
            yield (prod(over), *more), self._bound(code, arrays, ["v"], [f"v = {given}.reshape({dims})"])

    def _scaled(self, term: HeldTerm, arrays: list[Numbers]) -> HeldTerm:
        """The term with its coefficient in a factor, one more array, where that is small beside a vector.

        Terms with other coefficients keep the factors that they share with this one.
        """
        if term.coef in (1, -1):
            return term
        others = {number for other in self.terms if other.coef != term.coef for number, _ in other.factors}
        own = [factor for factor in term.factors if factor[0] not in others]
        number, labels = min(own, key=lambda factor: arrays[factor[0]].size, default=(None, ()))
        if number is None or arrays[number].size > min(self.matrix_shape):
            return term
        coef = term.coef if isinstance(term.coef, complex) else to_float(term.coef, "a coefficient")
        at = term.factors.index((number, labels))
        arrays.append(arrays[number] * coef)
        return term._replace(coef=1, factors=(*term.factors[:at], (len(arrays) - 1, labels), *term.factors[at + 1 :]))

    # -------------------------------------------------------------- other products of the factors

    def todense(self) -> Numbers:
        """The dense array, rows' axes first; beyond the memory limit it is an error before anything is allocated."""
        if self.dense_nbytes > self.limit:
            raise InputError(
                f"todense() of {self._title}",
                f"it takes {self.dense_nbytes:,} bytes, and the limit is {self.limit:,}",
                "use matvec, diagonal, trace or solve, which need no dense array, or give a larger memory_limit",
            )
        return np.asarray(self._held_program("todense", lambda term: self._node(term, term.opened()[0]), self.shape))

    def tosparse(self, format: str = "csr") -> Any:
        """The matrix in one of SciPy's sparse formats, rows and columns each multiplied out; needs SciPy.

        Its entries are those that the terms have: no dense array is made. More than the memory limit is an error.

        >>> import indexcalc as ic
        >>> x = ic.tensor("x", "n")
        >>> H = ic.hessian(((x[1:] - x[:-1])**4).sum(), x).compressed(x=[0, 1, 3])
        >>> H.tosparse().toarray()
        array([[ 12., -12.,   0.],
               [-12.,  60., -48.],
               [  0., -48.,  48.]])
        """
        return sparse(self.structure(), self.matrix_shape, format)

    def diagonal(self) -> Numbers:
        """The entries whose row is their column, with the axes of the rows; made without the dense array."""
        self._square("diagonal()")

        return np.asarray(self._held_program("diagonal", lambda term: self._on_diagonal(term, True), self.rows))

    def trace(self) -> Any:
        """The sum of the diagonal, made without the dense array.

        >>> import indexcalc as ic
        >>> X, W = ic.tensor("X", "N F"), ic.tensor("W", "F o")
        >>> H = ic.hessian(((X @ W)**2).sum()/2, W).compressed(X=[[1, 2], [3, 4]], o=3)
        >>> H.trace()
        np.float64(90.0)
        """
        self._square("trace()")
        return self._held_program("trace", lambda term: self._on_diagonal(term, False), ())

    def _on_diagonal(self, term: HeldTerm, kept: bool) -> Node:
        """The term with the label of each row joined to that of its column, which is kept or summed."""
        out, selections = term.opened()
        joined = UnionFind()
        for row, column in zip(out[: len(self.rows)], out[len(self.rows) :], strict=True):
            joined.join(row, column)
        find, held = joined.find, self.held.arrays
        rows: list[Any] = [(variable(f"h{k}", held[k].shape), labels) for k, labels in term.factors]
        factors = [(node, tuple(map(find, labels))) for node, labels in [*rows, *selections]]
        sizes: dict[Any, Dimension] = {find(x): size for x, size in term.sizes.items()}
        return einsum(term.coef, factors, tuple(map(find, out[: len(self.rows)])) * kept, sizes)

    def _square(self, what: str) -> None:
        if self.rows != self.columns:
            raise InputError(
                f"{what} of {self._title}",
                f"its rows have axes {self.rows}, its columns {self.columns}",
                "take it of a matrix whose rows and columns have the same axes",
            )

    def solve(self, b: Any, positive_definite: bool = False) -> Any:
        """The x with `matvec(x) = b`, by the structure of the terms; `solver().method` says how.

        Raises InputError where the matrix is not square or is singular, or too large to be dense where it must be.
        """
        array = vector(b, self.held.dtype, "solve")
        flat = array.ndim == 1 and len(self.rows) != 1
        if array.shape != ((prod(self.rows),) if flat else self.rows):
            shown = f"{(prod(self.rows),)}" + (f" or {self.rows}" if len(self.rows) != 1 else "")
            raise InputError(f"solve of {self._title}", f"b has shape {array.shape}", f"give one of shape {shown}")
        x = self.solver(positive_definite)(array.reshape(-1, 1))[:, 0]
        return x if flat else x.reshape(self.columns)

    # -------------------------------------------------------------- programs

    def _node(
        self,
        term: HeldTerm,
        out: Sequence[Any],
        more: Sequence[tuple[Node, Sequence[Any]]] = (),
        sizes: Mapping[Any, int] | None = None,
        arrays: Sequence[Numbers] | None = None,
    ) -> Node:
        """A term, times more factors, with these labels: a node on variables that stand for the arrays held."""
        held = self.held.arrays if arrays is None else arrays
        rows: list[Any] = [(variable(f"h{k}", held[k].shape), labels) for k, labels in term.factors]
        return einsum(term.coef, [*rows, *term.opened()[1], *more], out, {**term.sizes, **(sizes or {})})

    def _code(self, nodes: Sequence[Node], dims: Sequence[int], arrays: Sequence[Numbers], vector: Any = None) -> Code:
        """The lines for a sum of terms, times a vector `v` of a dtype if one is given."""
        root = addition([(1, node, tuple(range(len(dims)))) for node in nodes], dims)
        program, kinds = plan([root], {}), {f"h{k}": array.dtype for k, array in enumerate(arrays)}
        kinds |= {} if vector is None else {"v": np.dtype(vector)}
        mixed = [name for name, kind in kinds.items() if kind.kind == "c"]
        dtype = np.result_type(self.dtype, *kinds.values())
        return emit(program, {name: name for name in kinds}, dtype, mixed, None if vector is None else "C")

    def _bound(
        self, code: Code, arrays: Sequence[Numbers], names: Sequence[str] = (), first: Sequence[str] = ()
    ) -> Callable[..., Any]:
        """The lines as a function of what has these names; the arrays are bound to it."""
        space: dict[str, Any] = {f"h{k}": array for k, array in enumerate(arrays)} | {"conj": np.conj}
        space |= {f"{name}_T": array.T for name, array in space.items() if isinstance(array, ndarray)}
        code = code._replace(lines=tuple(TURNED.sub(r"\1_T", line) for line in code.lines))
        return function_of(code, names, True, quiet=code.quiet, first=first, space=space)

    def _held_program(self, key: str, node: Callable[[HeldTerm], Node], dims: Sequence[int]) -> Any:
        if key not in self._programs:
            arrays = self.held.arrays
            self._programs[key] = self._bound(self._code([node(term) for term in self.terms], dims, arrays), arrays)
        return self._programs[key]()

    # -------------------------------------------------------------- text

    @property
    def _title(self) -> str:
        return f"compressed D[{','.join(self.names)}]"

    def __str__(self) -> str:
        return " + ".join(self._shown(term) for term in self.terms).replace("+ -", "- ") or "0"

    def __repr__(self) -> str:
        named = "; ".join(f"{title}: {shape}" for title, shape in self._shapes())
        size = size_told(self.matrix_shape, self.nbytes, self.dense_nbytes)
        return "\n".join([f"D[{','.join(self.names)}] = {self}", size, *([named] if named else [])])

    def _shapes(self) -> list[tuple[str, str]]:
        """The arrays that are held, each with its shape."""
        named = {self.held.titles[k]: self.held.arrays[k] for k in self.used}
        return [(title, "×".join(map(str, array.shape)) or "number") for title, array in named.items()]

    def _repr_html_(self) -> str:
        held = table([[code(title), shape] for title, shape in self._shapes()], ("held", "shape"))
        size = size_told(self.matrix_shape, self.nbytes, self.dense_nbytes)
        return "\n".join([code(f"D[{','.join(self.names)}] = {self}"), paragraph(size), held])

    def _shown(self, term: HeldTerm) -> str:
        """A term in text: its deltas, then its factors; factors that share no summed index are joined by ⊗."""
        name: dict[int, str] = {}
        deltas = []
        for label, axis in zip(term.out, self.names, strict=True):
            if label in name:
                deltas.append(f"δ[{name[label]},{axis}]")
            name.setdefault(label, axis)
        for label in term.sizes:
            name.setdefault(label, f"s{len(name)}")
        parts = deltas + _products(term, name, self.held.titles)
        scale = "" if term.coef == 1 else "-" if term.coef == -1 else f"{term.coef}*"
        where = f" on {bracketed(term.ranges)}" if term.ranges else ""
        where += "".join(f" where {_related(found, [name[x] for x in labels])}" for found, labels in term.windows)
        return scale + (" ⊗ ".join(parts) or "1") + where


def _related(found: Relation, names: Sequence[str]) -> str:
    """A relation in text, `j = i+s`, solved for the last label for which it can be."""
    terms = sorted(zip(found.coefs, names, strict=True), key=lambda term: term[0] < 0)
    for k, (coef, name) in enumerate(terms):
        if coef == -1:
            return f"{name} = {affine_text([*terms[:k], *terms[k + 1 :]], found.start)}"
    return f"{affine_text(terms, found.start)} = 0"


def _products(term: HeldTerm, name: Mapping[int, str], titles: Sequence[str]) -> list[str]:
    groups: list[tuple[set[int], list[str]]] = []
    for number, labels in term.factors:
        own, texts = set(labels), []
        text = titles[number] + (f"[{','.join(name[x] for x in labels)}]" if labels else "")
        for group in [group for group in groups if group[0] & own]:
            own |= group[0]
            texts += group[1]
            groups.remove(group)
        groups.append((own, [*texts, text]))
    return ["*".join(texts) for _, texts in groups]
