"""Derivatives as views: an `Expr` or an `Array` that knows which of its axes came from where, and has layouts."""

from __future__ import annotations

from collections.abc import Sequence

from indexcalc import later
from indexcalc.engine.wanted import Sides
from indexcalc.index import Index
from indexcalc.views.array import Array
from indexcalc.views.expr import Expr


class Derivative(Expr):
    """A derivative in index notation: an `Expr` that knows which of its indices came from where.

    `of` has those of what was differentiated, `wrt` those of what it was differentiated by, as far as they are free;
    pairs that were contracted are in `contracted`. Arithmetic gives a plain `Expr`.
    """

    __slots__ = ("contracted", "groups", "of", "source", "structures", "targets", "wrt")
    source: Expr
    targets: tuple[Expr, ...]
    of: tuple[Index, ...]
    wrt: tuple[Index, ...]
    groups: tuple[tuple[Index, ...], ...]
    contracted: tuple[Index, ...]
    structures: tuple[str, ...]

    @property
    def structure(self) -> str:
        """Which derivative by a structured variable this is, "" where no variable has a structure."""
        return structure_of(self)

    @property
    def note(self) -> str:
        """What a reader might trip over: a contraction, and which derivative by a structured variable this is."""
        notes = [said] if (said := super().note) else []
        if self.contracted:
            names = ", ".join(map(str, self.contracted))
            notes.append(
                f"{names} is free on both sides, so it is summed: a divergence. For the Jacobian "
                "differentiate by a fresh index."
            )
        notes += structure_notes(self)
        return " ".join(notes)

    def latex(self, lhs: bool = False) -> str:
        r"""The LaTeX of the derivative; with `lhs` as an equation.

        >>> import indexcalc as ic
        >>> i, k = ic.indices("i k"); x = ic.tensor("x", "n")
        >>> print(ic.exp(x[i]).sum(i).diff(x[k]).latex(lhs=True))
        \frac{\partial}{\partial x_{k}}\left(\sum_{i} \exp\left(x_{i}\right)\right) = \exp\left(x_{k}\right)
        """
        right = super().latex()
        return f"{left_latex(self.source, self.targets)} = {right}" if lhs else right

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex(lhs=True)}{structure_latex(self)}$"

    def sides(self) -> Sides:
        """The axes as rows and columns: the last variable gives the columns."""
        last = self.groups[-1] if self.groups else ()
        return self._sides([index for index in self.free if index in last and index not in self.of])

    def layout(self, name: str) -> Array:
        """The derivative as a convention lays it out: "numerator", "denominator", "mixed", "gradient", "jax", ..."""
        return later.layout_of(self, name)

    def layouts(self) -> later.Layouts:
        """A panel: the derivative in each convention, with its shape, its formula and what makes it with NumPy."""
        return later.layouts(self)


class ArrayDerivative(Array):
    """A derivative of Arrays: an `Array` that knows which of its axes came from where, by number.

    `source` is what was differentiated, by each of `targets` (None for a product with a Hessian, which is derived along
    its direction).
    """

    __slots__ = ("groups", "of", "source", "structures", "targets", "wrt")
    source: Array | None
    targets: tuple[Array, ...]
    of: tuple[int, ...]
    wrt: tuple[int, ...]
    groups: tuple[tuple[int, ...], ...]
    structures: tuple[str, ...]

    @property
    def structure(self) -> str:
        """Which derivative by a structured variable this is, "" where no variable has a structure."""
        return structure_of(self)

    @property
    def note(self) -> str:
        """Which derivative by a structured variable this is."""
        return " ".join([*([said] if (said := super().note) else []), *structure_notes(self)])

    def latex(self, lhs: bool = False) -> str:
        r"""The LaTeX of the derivative; with `lhs` as an equation, but for a product with a Hessian, which has no sign.

        >>> import indexcalc as ic
        >>> A, x = ic.tensor("A", "n n"), ic.column("x", "n")
        >>> print(ic.derivative(A @ x, x).latex(lhs=True))
        \frac{\partial}{\partial x}\left(A \, x\right) = A
        """
        right = super().latex()
        return f"{left_latex(self.source, self.targets)} = {right}" if lhs and self.source is not None else right

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex(lhs=True)}{structure_latex(self)}$"

    def sides(self) -> Sides:
        """The axes as rows and columns: the last variable gives the columns."""
        return self._sides(self.groups[-1])

    def layout(self, name: str) -> Array:
        """The derivative as a convention lays it out: "numerator", "denominator", "mixed", "gradient", "jax", ..."""
        return later.layout_of(self, name)

    def layouts(self) -> later.Layouts:
        """A panel: the derivative in each convention, with its shape, its formula and what makes it with NumPy."""
        return later.layouts(self)


def left_latex(source: Expr | Array, targets: Sequence[Expr | Array]) -> str:
    """The LaTeX of what a derivative is: of this, by these."""
    below = r"\,".join(rf"\partial {target.latex()}" for target in targets)
    above = rf"\partial^{{{len(targets)}}}" if len(targets) > 1 else r"\partial"
    return rf"\frac{{{above}}}{{{below}}}\left({source.latex()}\right)"


def structure_of(derivative: Derivative | ArrayDerivative) -> str:
    """The names of the maps that were used for structured variables; mostly one, "" for none.

    >>> import indexcalc as ic
    >>> S = ic.tensor("S", "n n", symmetric=True)
    >>> ic.grad(ic.logdet(S), S).structure, ic.grad(ic.logdet(S), S, structure="free").structure
    ('projected', 'free')
    """
    return ", ".join(dict.fromkeys(how for how in derivative.structures if how))


def structure_notes(derivative: Derivative | ArrayDerivative) -> list[str]:
    """A sentence for each map that was used for structured variables."""
    used = dict.fromkeys(how for how in derivative.structures if how)
    return [f"structure={how!r}: {MEANING[how]}" for how in used]


def structure_latex(derivative: Derivative | ArrayDerivative) -> str:
    """What a notebook shows beside the formula: which derivative by a structured variable this is."""
    return rf"\quad\text{{({structure_of(derivative)})}}" if structure_of(derivative) else ""


MEANING = {
    "projected": "the orthogonal projection of the free gradient onto the space of such matrices",
    "independent": "the derivative by each independent entry, at every entry that it fills, with its sign",
    "free": "the structure is ignored, as automatic differentiation has it",
}
