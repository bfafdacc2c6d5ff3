"""What an `Array` is, without its arithmetic: a node whose axes have places, how it stands, and what it prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from indexcalc import later
from indexcalc.engine.wanted import Sides, Wanted
from indexcalc.errors import Asked, KindError, NotationError
from indexcalc.graph.constructors import einsum
from indexcalc.graph.inputs import inputs_of, named_parts
from indexcalc.graph.node import Node, Variable
from indexcalc.index import Dimension, Index
from indexcalc.surface import is_integer, public
from indexcalc.views.view import View, join_inputs
from indexcalc.writing.standing import NONE, OPPOSITE, ORIENTATIONS, Places, Standing, plain

LETTERS = 18
"""Axes are called i, j, ..., z as far as these letters go."""


@public
class Placed(View):
    """A node whose axes have places.

    `places` has, for each axis that is shown, the axis of the node, in their order, or None for a unit axis. `vectors`
    says how the order-1 parts are meant in text: "column" once a column has entered, "row" if only rows have, else
    "numpy"; `turned` has the names of those that stand the other way. `flipped` is a plain order-1 array's memory of
    `.T`, which changed nothing.
    """

    __slots__ = ("flipped", "places", "turned", "vectors")
    places: Places
    vectors: str
    turned: frozenset[str]
    flipped: bool

    def __init__(
        self,
        node: Node,
        inputs: Any = None,
        places: Places | None = None,
        vectors: str = "numpy",
        turned: frozenset[str] = NONE,
        flipped: bool = False,
    ) -> None:
        self.node = node
        self.inputs = inputs_of(node) if inputs is None else inputs
        self.places = tuple(range(node.order)) if places is None else places
        self.vectors, self.turned, self.flipped = vectors, turned, flipped

    @property
    def shape(self) -> tuple[Dimension, ...]:
        """The dimension of each axis that is shown, 1 for a unit axis."""
        return tuple(1 if place is None else self.node.dims[place] for place in self.places)

    @property
    def ndim(self) -> int:
        """The number of axes that are shown, unit axes among them, as NumPy calls it."""
        return len(self.places)

    @property
    def standing(self) -> str:
        """How an order-1 array stands: "column", "row" or, for a plain one, "numpy"; nothing for any other."""
        return next((kind for kind, places in ORIENTATIONS.items() if places == self.places), "")

    @property
    def declarations(self) -> dict[str, Any]:
        """What `ic.parse` has to be told to read `str(self)` back."""
        found = later.declarations(self)
        if ranges := later.array_ranges(self.stood()):
            found["dims"] = found.get("dims", {}) | ranges
        return found

    def __str__(self) -> str:
        return later.array_text(self.stood())

    def unicode(self) -> str:
        """The text, with Greek names as letters."""
        return later.array_text(self.stood(), unicode=True)

    def formula(self, define: bool = False) -> later.Formula:
        """The closed form in matrix notation, a text that also says why there is none (`.why`) and what is `.nearest`.

        With `define`, parts that occur more than once get names of their own, which the text defines at its end; so do
        those of a formula of more than 400 tokens.

        >>> import indexcalc as ic
        >>> A, x = ic.tensor("A", "n n"), ic.column("x", "n")
        >>> ic.grad(x.T @ A @ x, x).formula()
        (A + A.T) @ x
        """
        return later.formula(self.stood(), define)

    def stood(self) -> Standing:
        """This as text has it: where a plain order-1 array is meant, all vectors are meant as NumPy has them."""
        if self.standing == "numpy":
            return plain(self.shown)
        return Standing(self.shown, self.places, self.vectors, self.turned)

    def latex(self, lhs: bool | str = False, *, environment: str | None = None) -> str:
        r"""The LaTeX of the closed form, or of the entries where there is none; with a name as `lhs` an equation.

        >>> import indexcalc as ic
        >>> print((ic.tensor("X", "n d") @ ic.tensor("W", "d m")).latex(lhs="Y"))
        Y = X \, W
        """
        return later.equation(later.left_name(lhs), later.array_latex(self.stood()), environment)

    def wanted(self, order: Sequence[Any] | None = None) -> Wanted:
        """What the engine is told of it: axes in their order, or as `order` says, by number."""
        node = self.node
        if order is not None:
            if not all(map(is_integer, order)) or sorted(order) != list(range(self.order)):
                asked = Asked(lambda: f"evaluate {self} with order={order}")
                raise NotationError(asked, f"the axes are 0 to {self.order - 1}", "name each once")
            node = einsum(1, [(node, range(self.order))], order)
        return Wanted(node, self.inputs, self._inputs_standing())

    def _inputs_standing(self) -> dict[str, str]:
        """How the vectors among the inputs are meant, by name."""
        if self.vectors == "numpy":
            return {}
        vectors = [variable.label for variable in self.inputs if variable.order == 1]
        return {name: OPPOSITE[self.vectors] if name in self.turned else self.vectors for name in vectors}

    def sides(self) -> Sides:
        """The axes as rows and columns: the first half of the axes, all of them where there is one."""
        return self._sides(range((self.order + 1) // 2, self.order))

    def _sides(self, columns: Sequence[int]) -> Sides:
        rows, axes = [axis for axis in range(self.order) if axis not in columns], range(self.order)
        node = self.node if [*rows, *columns] == [*axes] else einsum(1, [(self.node, axes)], [*rows, *columns])
        names = tuple(chr(ord("i") + k) if k < LETTERS else f"i{k}" for k in range(self.order))
        return Sides(node, len(rows), names)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex(lhs=True)}$"


# ------------------------------------------------------------------ axes


def numbered_axes(array: Placed, axis: Any, asked: str | Asked) -> list[int]:
    """The axes that are shown, by number from 0: those that were asked for, or all."""
    if axis is None:
        return list(range(array.ndim))
    found: list[int] = []
    for one in axis if isinstance(axis, list | tuple) else [axis]:
        if isinstance(one, Index):
            instead = f"write axis=0, or index it first, as in A[i,j].sum({one})"
            raise NotationError(asked, f"an Array has axes by number, and {one} is a name", instead)
        if not is_integer(one):
            raise KindError(asked, f"the axis {one!r} is no integer", "axes are numbered from 0")
        number = one.__index__()
        if not -array.ndim <= number < array.ndim:
            raise NotationError(asked, f"there is no axis {number} among {array.ndim}", "axes are numbered from 0")
        if number % array.ndim in found:
            raise NotationError(asked, f"the axis {number} is named twice", "name it once")
        found.append(number % array.ndim)
    return found


def places_at(array: Placed, axes: Iterable[int]) -> list[int]:
    """The axes of the node among those that are shown."""
    return [place for place in (array.places[axis] for axis in dict.fromkeys(axes)) if place is not None]


def true_axes(array: Placed) -> tuple[int, ...]:
    """The axes that are shown and that the node has."""
    return tuple(axis for axis, place in enumerate(array.places) if place is not None)


def is_one_by_one(array: Placed) -> bool:
    """Is this a product of columns and rows that leaves no axis: a number, and a matrix of one entry?

    A scalar beside which no vector stands as a column or a row is no matrix.

    >>> import indexcalc as ic
    >>> x = ic.column("x", "n")
    >>> is_one_by_one(x.T @ x), is_one_by_one(ic.scalar("s"))
    (True, False)
    """
    return not array.ndim and array.vectors != "numpy"


# ------------------------------------------------------------------ how vectors are meant


def context_of(views: Sequence[View]) -> tuple[frozenset[Variable], str, frozenset[str]]:
    """What the result of an operation has from its operands: `inputs`, `vectors` and `turned`."""
    return join_inputs(views), *orientation_of(views)


def orientation_of(views: Sequence[View]) -> tuple[str, frozenset[str]]:
    """How vectors are meant where these views meet: `vectors` and `turned`."""
    arrays = [view for view in views if isinstance(view, Placed) and view.vectors != "numpy"]
    if not arrays:
        return "numpy", NONE
    vectors = "column" if any(array.vectors == "column" for array in arrays) else "row"
    return vectors, frozenset().union(*[_turned_from(array, vectors) for array in arrays])


def _turned_from(array: Placed, vectors: str) -> frozenset[str]:
    """The names in an array that stand the other way than `vectors` says."""
    if array.vectors == vectors:
        return array.turned
    if array.vectors == "numpy":
        return NONE
    names = {name for name, node in named_parts(array.node).items() if node.order == 1}
    names |= {variable.label for variable in array.inputs if variable.order == 1}
    return frozenset(names - array.turned)
