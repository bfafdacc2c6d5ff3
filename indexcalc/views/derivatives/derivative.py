"""Derivatives as views: an `Expr` or an `Array` that knows which of its axes came from where, and has layouts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import add, mul, neg, pos, sub, truediv
from typing import Any, TypeVar, cast

from indexcalc import later
from indexcalc.engine.wanted import Sides, Wanted
from indexcalc.graph.node import Call, Definition, Node, topological
from indexcalc.index import Dim, Index
from indexcalc.surface import public
from indexcalc.views.array import Array
from indexcalc.views.expr import Expr
from indexcalc.views.named import place_of
from indexcalc.views.view import View, is_number

Made = TypeVar("Made")
Method = TypeVar("Method", bound=Callable[..., Any])


def typed_as(method: Method) -> Callable[[Callable[..., Any]], Method]:
    """A method that type checkers see as another one."""
    return lambda own: cast(Method, own)


@public
class Derivative(Expr):
    """A derivative in index notation: an `Expr` that knows which of its indices came from where.

    `of` has those of what was differentiated, `wrt` those of what it was differentiated by, as far as they are free;
    pairs that were contracted are in `contracted`. Multiples, negatives and sums of derivatives by the same tensors,
    with the same parts, are derivatives too: of the multiple, of the sum. Other arithmetic gives a plain `Expr`.
    """

    __slots__ = ("contracted", "groups", "of", "source", "structures", "targets", "wrt")
    source: Expr
    targets: tuple[Expr, ...]
    of: tuple[Index, ...]
    wrt: tuple[Index, ...]
    groups: tuple[tuple[Index, ...], ...]
    contracted: tuple[Index, ...]
    structures: tuple[str, ...]

    def wanted(self, order: Sequence[Any] | None = None) -> Wanted:
        """What the engine is told of it: what it is a derivative by, too."""
        return super().wanted(order)._replace(by=tuple(target.node.name for target in self.targets))

    def __neg__(self) -> Expr:
        return _linear(super().__neg__(), self, neg)

    def __mul__(self, other: object) -> Expr:
        return _multiple(super().__mul__(other), self, other, mul)

    def __rmul__(self, other: object) -> Expr:
        return _multiple(super().__rmul__(other), self, other, mul)

    def __truediv__(self, other: object) -> Expr:
        return _multiple(super().__truediv__(other), self, other, truediv)

    def __add__(self, other: object) -> Expr:
        return _sum(super().__add__(other), self, other, add)

    def __radd__(self, other: object) -> Expr:
        return _begun(super().__radd__(other), self, other)

    def __sub__(self, other: object) -> Expr:
        return _sum(super().__sub__(other), self, other, sub)

    def _from_parts(self, made: Expr, source: Expr) -> Derivative:
        """A derivative with the parts of this one."""
        result = Derivative(made.node, made.indices, made.inputs, made.free, made.summed)
        result.of, result.wrt, result.groups, result.contracted = self.of, self.wrt, self.groups, self.contracted
        result.source, result.targets, result.structures = source, self.targets, self.structures
        return result

    def _parts(self) -> tuple[Any, ...]:
        """What two derivatives have in common that may be added: by what, and which index came from where."""
        return frozenset(self.of), self.groups, self.contracted, self.structures, self.targets

    @property
    def shown(self) -> Node:
        """The node that text and LaTeX are made of: its signs, where they are free, are those of the source."""
        return later.as_typed(self.node, self.source.node)

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

    def latex(self, lhs: bool | str = False, *, environment: str | None = None) -> str:
        r"""The LaTeX of the derivative; with `lhs` as an equation, in which a name stands for what was differentiated.

        >>> import indexcalc as ic
        >>> i, k = ic.indices("i k"); x = ic.tensor("x", "n")
        >>> print(ic.exp(x[i]).sum(i).diff(x[k]).latex(lhs=True))
        \frac{\partial}{\partial x_{k}}\left(\sum_{i} \exp\left(x_{i}\right)\right) = \exp\left(x_{k}\right)
        """
        name = later.left_name(lhs, [index.name for index in self.source.free])
        left = left_latex(self.source, self.targets, name) if lhs else ""
        return later.equation(left, super().latex(), environment)

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


@public
class ArrayDerivative(Array):
    """A derivative of Arrays: an `Array` that knows which of its axes came from where, by number.

    `source` is what was differentiated, by each of `targets` (None for a product with a Hessian, which is derived along
    its direction). Multiples, negatives and sums of derivatives by the same tensors, with the same parts, are
    derivatives too: of the multiple, of the sum. Other arithmetic gives a plain `Array`.

    >>> import indexcalc as ic
    >>> C, A = ic.tensor("C", 3, 3, symmetric=True), ic.tensor("A", 3, 3)
    >>> S = 2*ic.grad(ic.tr(A @ C @ C), C)
    >>> S.wrt, S.layout("magnus-neudecker").shape
    ((0, 1), (1, 9))
    """

    __slots__ = ("groups", "of", "source", "structures", "targets", "wrt")
    source: Array | None
    targets: tuple[Array, ...]
    of: tuple[int, ...]
    wrt: tuple[int, ...]
    groups: tuple[tuple[int, ...], ...]
    structures: tuple[str, ...]

    def wanted(self, order: Sequence[Any] | None = None) -> Wanted:
        """What the engine is told of it: what it is a derivative by, too."""
        return super().wanted(order)._replace(by=tuple(target.node.name for target in self.targets))

    def __neg__(self) -> Array:
        return _linear(super().__neg__(), self, neg)

    @typed_as(Array.__mul__)
    def __mul__(self, other: object) -> Any:
        return _multiple(super().__mul__(other), self, other, mul)

    @typed_as(Array.__mul__)
    def __rmul__(self, other: object) -> Any:
        product = other * Array(*self._plain()) if isinstance(other, Array) else super().__rmul__(other)
        return _multiple(product, self, other, mul)

    @typed_as(Array.__truediv__)
    def __truediv__(self, other: object) -> Any:
        return _multiple(super().__truediv__(other), self, other, truediv)

    @typed_as(Array.__add__)
    def __add__(self, other: object) -> Any:
        return _sum(super().__add__(other), self, other, add)

    @typed_as(Array.__add__)
    def __radd__(self, other: object) -> Any:
        if isinstance(other, Array):
            return NotImplemented
        return _begun(super().__radd__(other), self, other)

    @typed_as(Array.__sub__)
    def __sub__(self, other: object) -> Any:
        return _sum(super().__sub__(other), self, other, sub)

    def _plain(self) -> tuple[Any, ...]:
        """What makes an Array of it that is no derivative."""
        return self.node, self.inputs, self.places, self.vectors, self.turned, self.flipped

    def _from_parts(self, made: Array, source: Array | None) -> ArrayDerivative:
        """A derivative with the parts of this one."""
        result = ArrayDerivative(made.node, made.inputs, made.places, made.vectors, made.turned, made.flipped)
        result.of, result.wrt, result.groups = self.of, self.wrt, self.groups
        result.source, result.targets, result.structures = source, self.targets, self.structures
        return result

    def _parts(self) -> tuple[Any, ...]:
        """What two derivatives have in common that may be added: by what, and which axis came from where."""
        return self.of, self.groups, self.structures, self.targets, self.node.dims, self.places

    @property
    def shown(self) -> Node:
        """The node that text and LaTeX are made of: its signs, where they are free, are those of the source."""
        return self.node if self.source is None else later.as_typed(self.node, self.source.node)

    @property
    def structure(self) -> str:
        """Which derivative by a structured variable this is, "" where no variable has a structure."""
        return structure_of(self)

    @property
    def note(self) -> str:
        """Which derivative by a structured variable this is."""
        return " ".join([*([said] if (said := super().note) else []), *structure_notes(self)])

    def latex(self, lhs: bool | str = False, *, environment: str | None = None) -> str:
        r"""The LaTeX of the derivative; with `lhs` as an equation, but for a product with a Hessian, which has no sign.

        A name stands for what was differentiated.

        >>> import indexcalc as ic
        >>> A, x = ic.tensor("A", "n n"), ic.column("x", "n")
        >>> print(ic.derivative(A @ x, x).latex(lhs=True))
        \frac{\partial}{\partial x}\left(A \, x\right) = A
        >>> print(ic.grad(x.T @ A @ x, x).latex(lhs="L", environment="equation"))
        \begin{equation}
        \frac{\partial L}{\partial x} = \left(A + A^{\mathsf{T}}\right) \, x
        \end{equation}
        """
        name = later.left_name(lhs)
        left = left_latex(self.source, self.targets, name) if lhs and self.source is not None else ""
        return later.equation(left, super().latex(), environment)

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


@public
class Derivatives(list[ArrayDerivative]):
    """The derivatives by several variables: a list, which a notebook shows as equations."""

    def latex(self, *, environment: str = "aligned") -> str:
        r"""The derivatives as lines of LaTeX, in `aligned` or another environment: `align`, `align*`.

        >>> import indexcalc as ic
        >>> x, y = ic.tensor("x", "n"), ic.tensor("y", "n")
        >>> print(ic.grad(ic.define("f", x @ y), [x, y]).latex(environment="align*"))
        \begin{align*}
        \frac{\partial f}{\partial x} &= y \\
        \frac{\partial f}{\partial y} &= x
        \end{align*}
        """
        return later.aligned([f"{_left(one)}{one.latex()}" for one in self], environment)

    def _repr_latex_(self) -> str | None:
        lines = [f"{_left(one)}{one.latex()}{structure_latex(one)}" for one in self]
        return f"$$\n{later.aligned(lines, 'aligned')}\n$$" if self else None


def _left(derivative: ArrayDerivative) -> str:
    """What stands before a derivative in a line; a product with a Hessian has no sign of its own."""
    source = derivative.source
    return "&" if source is None else f"{left_latex(source, derivative.targets)} &= "


# ------------------------------------------------------------------ linear combinations


def _linear(made: Made, derivative: Any, operation: Callable[..., Any], *others: Any) -> Made:
    """What was made of a derivative, as the derivative of what the same makes of what was differentiated."""
    sources = [one.source if isinstance(one, Derivative | ArrayDerivative) else one for one in (derivative, *others)]
    known = all(source is not None for source in sources)
    return cast(Made, derivative._from_parts(made, operation(*sources) if known else None))


def _multiple(made: Made, derivative: Any, factor: object, operation: Callable[..., Any]) -> Made:
    """A multiple of a derivative, by a number, or by a scalar in which no tensor occurs that it was derived by."""
    if made is NotImplemented or not _is_constant(factor, derivative.targets):
        return made
    return _linear(made, derivative, operation, factor)


def _is_constant(factor: object, targets: Sequence[View]) -> bool:
    if not isinstance(factor, View):
        return is_number(factor) or isinstance(factor, Dim)
    if factor.order or getattr(factor, "ndim", 0):
        return False
    below = set(topological([factor.node]))
    return not any(place_of(target, "")[0] in below for target in targets)


def _sum(made: Made, derivative: Any, other: object, operation: Callable[..., Any]) -> Made:
    """A sum or difference of derivatives with equal parts."""
    if type(other) is type(derivative) and other._parts() == derivative._parts():  # type: ignore[attr-defined]
        return _linear(made, derivative, operation, other)
    return made


def _begun(made: Made, derivative: Any, other: object) -> Made:
    """`0 + D`, with which Python's `sum` begins, is D."""
    return _linear(made, derivative, pos) if is_number(other) and other == 0 else made


def left_latex(source: Expr | Array, targets: Sequence[Expr | Array], name: str = "") -> str:
    """The LaTeX of what a derivative is: of this, by these; a name stands for what was differentiated.

    That is `name`, else the one that it has itself: that of a step, or of a function whose value it is.
    """
    below = r"\,".join(rf"\partial {target.latex()}" for target in targets)
    above = rf"\partial^{{{len(targets)}}}" if len(targets) > 1 else r"\partial"
    name = name or _called(source)
    if name:
        return rf"\frac{{{above} {name}}}{{{below}}}"
    return rf"\frac{{{above}}}{{{below}}}\left({source.latex()}\right)"


def _called(source: Expr | Array) -> str:
    """The LaTeX of the name that an expression has: that of a step, or of a function whose value it is."""
    node = source.node
    if isinstance(node, Definition):
        return source.latex()
    if not isinstance(node, Call) or any(node.orders) or (node.function.entrywise and node.dims):
        return ""
    subs = [index.name for index in source.indices] if isinstance(source, Expr) else []
    return node.function.latex or later.left_name(node.function.name, subs)


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
