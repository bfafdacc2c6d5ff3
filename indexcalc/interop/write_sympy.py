"""Expressions as SymPy's: of an `Array` the closed form in matrices, of an `Expr` its entries, with sums written out.

A vector is a matrix of one column, or of one row where it was declared so. What SymPy has no word for is an error that
names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from indexcalc.errors import Asked, NotationError
from indexcalc.functions.table import ELEMENTWISE
from indexcalc.graph.node import Node, Variable, topological
from indexcalc.interop.spellings import CALLED, MATRICES, SPELT, entry
from indexcalc.interop.sympy_names import dimension_of, number_of, scalar_of, sympy_of
from indexcalc.interop.write_entries import EntryWriter
from indexcalc.simplify.same import without_definitions
from indexcalc.views.array import Array
from indexcalc.views.expr import Expr
from indexcalc.views.view import View
from indexcalc.writing.matrix.form import Form
from indexcalc.writing.matrix.forms import Pick, turn
from indexcalc.writing.matrix.formula import closed_form, only_scalars
from indexcalc.writing.matrix.network import Stuck
from indexcalc.writing.matrix.special.tiles import cells_of
from indexcalc.writing.matrix.text import ORIENTED
from indexcalc.writing.standing import ORIENTATIONS


def to_sympy(view: View) -> Any:
    """The expression in SymPy: of an Array a matrix expression, of an Expr one of entries of `IndexedBase`.

    A vector is a matrix with one column, a scalar no matrix; dimensions are integer symbols. Named steps are opened.
    Assumptions other than `positive` of a scalar have no place there, and are left out.

    >>> import indexcalc as ic
    >>> i, j = ic.indices("i j"); A, x = ic.tensor("A", "n n"), ic.column("x", "n")
    >>> (A.T @ x).to_sympy(), (A[i,j]*x[j]).to_sympy()
    (A.T*x, Sum(A[i, j]*x[j], (j, 0, n - 1)))
    """
    asked = Asked(lambda: f"({view}).to_sympy()")
    sp = sympy_of("to_sympy")
    node = without_definitions(view.node)
    if isinstance(view, Expr):
        return EntryWriter(sp, asked, [index.name for index in view.indices]).of(node)
    if not isinstance(view, Array) or only_scalars(node):
        return EntryWriter(sp, asked, []).of(node)
    try:
        form = closed_form(node)
    except Stuck as stuck:
        letters = ", ".join("ijklmnpq"[: node.order])
        raise NotationError(
            asked, f"no matrix form: {stuck.why}", f"write its entries: ({view})[{letters}].to_sympy()"
        ) from None
    row = form.vector and view.places == ORIENTATIONS["row"]
    return MatrixWriter(sp, asked, node, view.vectors == "row", view.turned).of(turn(form) if row else form)


class MatrixWriter:
    """Closed forms as SymPy's matrix expressions."""

    def __init__(self, sp: Any, asked: Asked, root: Node, rows: bool, turned: frozenset[str]) -> None:
        self.sp, self.asked, self.rows, self.turned = sp, asked, rows, turned
        self.variables = {node.label: node for node in topological([root]) if isinstance(node, Variable)}

    def of(self, form: Form) -> Any:
        """The expression of a form; a scalar is none of matrices."""
        return getattr(self, f"_{form.kind}")(form)

    def _extent(self, extent: Any) -> Any:
        return self.sp.Integer(1) if extent is None else dimension_of(self.sp, extent)

    def _column(self, form: Form) -> Any:
        return self.of(turn(form) if form.vector and form.rows is None else form)

    def _diagm(self, form: Form) -> Any:
        return self.sp.DiagMatrix(self._column(form.parts[0]))

    def _eye(self, form: Form) -> Any:
        return self.sp.Identity(self._extent(form.rows))

    def _ones(self, form: Form) -> Any:
        return self._filled(form, self.sp.OneMatrix)

    def _zeros(self, form: Form) -> Any:
        return self._filled(form, self.sp.ZeroMatrix)

    def _turned(self, form: Form) -> Any:
        return self.of(form.parts[0]).T

    def _size(self, form: Form) -> Any:
        return dimension_of(self.sp, form.data)

    def _filled(self, form: Form, made: Any) -> Any:
        return made(self._extent(form.rows), self._extent(form.cols)) if not form.scalar else made(1, 1)[0, 0]

    def _refuse(self, what: str) -> NotationError:
        found = f"SymPy's matrix expressions have no {what}"
        return NotationError(self.asked, found, "write its entries: e[i, j].to_sympy()")

    def _atom(self, form: Form) -> Any:
        name, turned, _ = form.data
        found = self.variables.get(name)
        if found is None:
            if name == "pi":
                return self.sp.pi
            raise self._refuse(f"abstract function, as {name} is")
        if form.scalar:
            return scalar_of(self.sp, found)
        if form.vector:
            row = self.rows != (name in self.turned)
            sizes = (1, self._extent(found.shape[0])) if row else (self._extent(found.shape[0]), 1)
            made = self.sp.MatrixSymbol(name, *sizes)
            return made if row == (form.rows is None) else made.T
        made = self.sp.MatrixSymbol(name, *map(self._extent, found.shape))
        return made.T if turned else made

    # -------------------------------------------------------------- products and sums

    def _chain(self, form: Form) -> Any:
        made = self.sp.MatMul(*map(self.of, form.parts))
        return self.sp.Trace(made) if form.scalar else made

    def _had(self, form: Form) -> Any:
        sp = self.sp
        parts = [(self.of(part), number_of(sp, exponent)) for part, exponent in zip(form.parts, form.data, strict=True)]
        powers = [base if exponent == 1 else sp.HadamardPower(base, exponent) for base, exponent in parts]
        return powers[0] if len(powers) == 1 else sp.HadamardProduct(*powers)

    def _prod(self, form: Form) -> Any:
        coef, exponents, links = form.data
        made = number_of(self.sp, coef)
        for part, exponent in zip(form.parts, exponents, strict=False):
            made *= self.of(part) ** number_of(self.sp, exponent)
        matrices = form.parts[len(exponents) :]
        return made * self.sp.MatMul(*map(self.of, matrices)) if links else made

    def _sum(self, form: Form) -> Any:
        parts = [self._spread(part, form) for part in form.parts]
        return self.sp.Add(*parts) if form.scalar else self.sp.MatAdd(*parts)

    def _spread(self, part: Form, whole: Form) -> Any:
        """A summand, repeated along the sides of the sum that it lacks."""
        made = self.of(part)
        if part.scalar and not whole.scalar:
            return made * self.sp.OneMatrix(self._extent(whole.rows), self._extent(whole.cols))
        if part.rows is None and whole.rows is not None:
            made = self.sp.OneMatrix(self._extent(whole.rows), 1) * made
        if part.cols is None and whole.cols is not None:
            made = made * self.sp.OneMatrix(1, self._extent(whole.cols))
        return made

    def _tiles(self, form: Form) -> Any:
        """Parts beside each other, numbers as matrices of one entry."""
        rows = cells_of(form)
        if len({tuple(str(part.cols) for part in row) for row in rows}) > 1:  # there columns of blocks have one width
            rows = [[part] for part in form.parts]
        one = self.sp.OneMatrix(1, 1)
        cells = [[self.of(part) * one if part.scalar else self.of(part) for part in row] for row in rows]
        return self.sp.BlockMatrix(cells)

    def _part(self, form: Form) -> Any:
        """Rows and columns that are picked: SymPy's slice, or its entry."""
        rows, cols = form.data
        keys = [self._key(pick) for pick in (rows, cols)]
        inner = self._column(form.parts[0])
        if form.parts[0].vector:
            keys[1] = 0
        picked = inner[tuple(keys)]
        return picked.T if rows is not None and rows.entry and form.vector else picked

    def _key(self, pick: Pick | None) -> Any:
        if pick is None:
            return slice(None)
        found, size = pick.range, self._extent
        if pick.entry:
            return size(found.start)
        if found.step < 0:
            raise self._refuse("slice that runs backwards")
        return slice(size(found.start), size(found.last) + 1, found.step)

    # -------------------------------------------------------------- functions

    def _call(self, form: Form) -> Any:
        name, extra, _ = form.data
        lead = [number_of(self.sp, value) for keyword, value in extra if keyword == "lead"]
        if name in ELEMENTWISE:
            return self._entries(form, name, lead)
        if name not in MATRICES:
            raise self._refuse(name)
        keywords = {keyword: value for keyword, value in extra if keyword and keyword != "lead"}
        places = [value for keyword, value in extra if keyword is None]
        args = map(self.of if name in ORIENTED else self._column, form.parts)
        made = MATRICES[name](self.sp, *args, *places, **keywords)
        return made.T if form.vector and form.rows is None else made

    def _entries(self, form: Form, name: str, lead: Sequence[Any]) -> Any:
        if form.scalar:
            return entry(self.sp, name, [*lead, *map(self.of, form.parts)])
        several = [part for part in form.parts if not part.scalar]
        if len(several) != 1 or name not in {*CALLED, *SPELT}:
            raise self._refuse(f"{name} of {len(several)} matrices, entry by entry")
        place = self.sp.Dummy("d")
        body = entry(self.sp, name, [*lead, *(place if part is several[0] else self.of(part) for part in form.parts)])
        return self.of(several[0]).applyfunc(self.sp.Lambda(place, body))
