"""The LaTeX of matrix forms, in the orientation of the vectors; those of NumPy stand as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from indexcalc.functions.table import ELEMENTWISE, REDUCTIONS
from indexcalc.graph.numbers import Number
from indexcalc.index import dim
from indexcalc.writing.brackets import ATOM, COMPARISON, POWER, PRODUCT, SUM, TALL, wrapped
from indexcalc.writing.index.latex import (
    CASES,
    LETTERS,
    SYMBOLS,
    called_latex,
    choice_latex,
    dim_latex,
    name_latex,
    number_latex,
    parameter_latex,
    scripts_of,
)
from indexcalc.writing.matrix.form import Form, Monomial
from indexcalc.writing.matrix.forms import POWER as MATRIX_POWER
from indexcalc.writing.matrix.forms import runs
from indexcalc.writing.matrix.network import Stuck
from indexcalc.writing.matrix.parts import keys_of
from indexcalc.writing.matrix.special.tiles import cells_of
from indexcalc.writing.matrix.text import ENTRY_POWER, ORIENTED, Set, Typesetter
from indexcalc.writing.syntax import OPERATORS

WRITTEN = {
    "inv": "{}^{{-1}}", "pinv": "{}^{{+}}", "det": r"\det\left({}\right)",
    "logdet": r"\log\left|\det\left({}\right)\right|",
    "tr": r"\operatorname{{tr}}\left({}\right)", "norm2": r"\left\lVert {} \right\rVert", "kron": r"{} \otimes {}",
    "normF": r"\left\lVert {} \right\rVert_{{F}}", "cross": r"{} \times {}",
}  # fmt: skip
BARE = {name for name, signs in WRITTEN.items() if r"\left" in signs}
"""Functions whose signs are brackets, or have them."""
SUMMED = {"sum", "mean", *(name for name in REDUCTIONS if "sum" in name)}
"""Functions that sum, in which a power of a matrix may be meant of each entry, and has its name therefore."""
SIGNED = {MATRIX_POWER, *(name for name in WRITTEN if name not in BARE)}
"""Functions that stand as signs beside their arguments: what they stand in is what these stand in."""


class LatexTypesetter(Typesetter):
    """Sets forms as LaTeX."""

    bracket = TALL

    def __init__(
        self,
        vectors: str = "numpy",
        turned: frozenset[str] = frozenset(),
        taken: frozenset[str] = frozenset(),
        names: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__("column" if vectors == "numpy" else vectors, turned, names)
        self.shown = vectors
        self.taken, self.summed = taken, False
        self.kinds["tiles"] = self._tiles

    def transposed(self, inner: Set) -> Set:
        """The transpose of what is set."""
        if inner[0].endswith("^{-1}") and inner[1] >= POWER:
            return inner[0].removesuffix("^{-1}") + r"^{-\mathsf{T}}", POWER
        return f"{self.within(inner, ATOM)}^{{\\mathsf{{T}}}}", POWER

    def matmul(self, parts: Sequence[str]) -> str:
        """Matrices multiplied."""
        return r" \, ".join(parts)

    def times(self, parts: Sequence[str]) -> str:
        """A product with numbers."""
        return r" \, ".join(parts)

    def entries(self, parts: Sequence[str]) -> str:
        """A product entry by entry."""
        return r" \circ ".join(parts)

    def over(self, above: str, below: Sequence[str], entries: bool = False) -> str:
        """A fraction."""
        if entries:
            return (
                rf"{above} \oslash {below[0] if len(below) == 1 else self.within((self.entries(below), PRODUCT), ATOM)}"
            )
        return rf"\frac{{{above}}}{{{' '.join(below)}}}"

    def function(self, name: str, args: Sequence[str]) -> str:
        """A function of its arguments."""
        if name in ("eye", "ones", "zeros"):
            sizes = r" \times ".join(args)
            return f"{SYMBOLS[name]}_{{{sizes}}}"
        if name == "sqrt":
            return rf"\sqrt{{{args[0]}}}"
        if name == MATRIX_POWER:
            return f"{self.within((args[0], SUM), ATOM)}^{{{args[1]}}}"
        if name in self.names:
            return self.names[name] + TALL.format(", ".join(args))
        return called_latex(name, args)

    def power(self, base: Set, exponent: Number, entries: bool = False) -> Set:
        """A power, of the entries or of a matrix."""
        if exponent == 1:
            return base
        if exponent == Fraction(1, 2):
            return self.function("sqrt", [base[0]]), ATOM
        ring = r"\circ " if entries else ""
        return f"{self.within(base, ATOM)}^{{{ring}{number_latex(exponent)}}}", POWER

    def name(self, name: str, latex: str = "") -> str:
        """A name of a tensor."""
        return latex or SYMBOLS.get(name) or name_latex(name)

    def within(self, inner: Set, wanted: int) -> str:
        """What is set, where this level is wanted: a name that has a superscript of its own binds as a power does."""
        shown, level = inner
        return super().within((shown, POWER if level == ATOM and "^" in scripts_of(shown) else level), wanted)

    def dim(self, dim: Any) -> str:
        """A dimension."""
        return dim_latex(dim)

    def number(self, value: Number) -> str:
        """A number."""
        return number_latex(value)

    def _part(self, form: Form) -> Set:
        shown = self.within(self._plain(form.parts[0]), ATOM)
        shown = wrapped(shown, SUM, ATOM, TALL) if "_" in scripts_of(shown) else shown
        return f"{shown}_{{[{', '.join(keys_of(form, self.shown))}]}}", ATOM

    def _tiles(self, form: Form) -> Set:
        rows = cells_of(form)
        if len({len(row) for row in rows}) > 1:
            rows = [[part] for part in form.parts]
        if form.cols == 1 and all(part.vector or part.scalar for row in rows for part in row):
            raise Stuck("a matrix of one column of blocks is set as a vector is")
        cells = [[self.write(part)[0] for part in row] for row in rows]
        shown = r" \\ ".join(" & ".join(row) for row in cells)
        return rf"\begin{{bmatrix}} {shown} \end{{bmatrix}}", ATOM

    def _diagm(self, form: Form) -> Set:
        return self.function("diag", [self.natural(form.parts[0])[0]]), ATOM

    def _arguments(self, form: Form) -> list[Set]:
        """The arguments of a function, which may sum them or act on each entry."""
        name, _, entrywise = form.data
        outside = self.summed
        kept = outside and (name in SIGNED or name in ELEMENTWISE)
        self.summed = kept or name in SUMMED or (entrywise and name not in ELEMENTWISE)
        args = [(self.write if name in ORIENTED else self.natural)(part) for part in form.parts]
        self.summed = outside
        return args

    def _call(self, form: Form) -> Set:
        name, extra, _ = form.data
        args = self._arguments(form)
        axis = next((value for keyword, value in extra if keyword == "axis"), None)
        signs = WRITTEN.get(name, "") if axis is None else ""
        vectors = r"\otimes" in signs and all(part.vector for part in form.parts)  # as an outer product is written
        if signs and not vectors:
            level = COMPARISON if name in BARE else ATOM
            shown = signs.format(*(self.within(arg, level) for arg in args))
            reaches = len(args) > 1 or signs.startswith(r"\log")
            return shown, PRODUCT if reaches else ATOM if name in BARE else POWER
        if name == MATRIX_POWER and not self.summed:
            return f"{self.within(args[0], ATOM)}^{{{dim_latex(dim(extra[0][1]))}}}", POWER
        if name == MATRIX_POWER:
            return called_latex(name, [args[0][0], dim_latex(dim(extra[0][1]))]), ATOM
        if name == ENTRY_POWER and not form.scalar:
            return rf"{self.within(args[0], ATOM)}^{{\circ {self.within(args[1], ATOM)}}}", POWER
        if name in ELEMENTWISE and (form.scalar or not ELEMENTWISE[name].latex.startswith(r"\left|")):
            return self._entry_by_entry(form, [arg[0] for arg in args]), POWER
        more = [parameter_latex(value) for keyword, value in extra if keyword is None]
        more += [_keyword(keyword, str(value)) for keyword, value in extra if keyword not in (None, "axis", "lead")]
        shown = self.function(name, [*(arg[0] for arg in args), *more])
        if axis is not None:
            word = "rows" if axis == 1 else "columns"
            shown = shown.replace("}", f"}}_{{\\text{{{word}}}}}", 1)
        return shown, ATOM

    def _entry_by_entry(self, form: Form, args: list[str]) -> str:
        """A function of the entries."""
        name, extra, _ = form.data
        row = ELEMENTWISE[name]
        params = dict(zip(row.params, [self.number(value) for _, value in extra], strict=True))
        first = form.parts[0]
        if first.kind == "call" and first.data[0] in OPERATORS and row.latex.startswith(CASES):
            return choice_latex(row.latex, args)
        if LETTERS.get(name) in self.taken:
            return called_latex(name, [*params.values(), *args])
        return row.latex.format(*args, **params)

    def _matrix_product(self, links: Sequence[Form]) -> Set:
        parts, outside, found = [], self.summed, list(runs(links))
        self.summed = outside and len(found) == 1
        for link, count in found:
            shown = self.write(link)
            if count > 1 and self.summed:
                return called_latex(MATRIX_POWER, [shown[0], str(count)]), ATOM
            parts.append(f"{self.within(shown, ATOM)}^{{{count}}}" if count > 1 else self.within(shown, POWER))
        self.summed = outside
        return self.matmul(parts), PRODUCT

    def _summand(self, term: Monomial, whole: Form, anchored: bool) -> str:
        """Mathematics has no broadcasting: what is constant along an axis is written with ones."""
        return super()._summand(term, whole, False)


def _keyword(keyword: str, value: str) -> str:
    """An argument by keyword: text in quotes is set as text."""
    if value.startswith("["):
        raise Stuck("a list of axes has no LaTeX")
    return rf"\mathrm{{{keyword}}}=" + (rf"\text{{{value[1:-1]}}}" if value.startswith('"') else value)
