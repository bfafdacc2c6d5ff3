"""What the two views, `Expr` (named indices) and `Array` (placed axes), have in common."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import numpy as np

from indexcalc import later
from indexcalc.engine.wanted import Evaluable
from indexcalc.errors import Asked, KindError, LayoutError, NotationError
from indexcalc.functions.table import ELEMENTWISE
from indexcalc.graph.constructors import ONE, is_zero
from indexcalc.graph.inputs import joined_inputs
from indexcalc.graph.node import Node, Variable
from indexcalc.graph.numbers import Number
from indexcalc.graph.numbers import number as exact_number
from indexcalc.index import Dim
from indexcalc.surface import public

if TYPE_CHECKING:
    from sympy import Basic
    from xarray import DataArray

PlainNumber: TypeAlias = complex | Fraction | np.number[Any] | Dim
"""What stands for a number beside an expression, as type checkers see it."""
LONGEST_REPR = 2000
"""Characters that `repr` shows, about a screen: an arbitrary budget; `str` gives the whole."""
ARITHMETIC: dict[Any, Callable[[Any, Any], Any]] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.divide: operator.truediv,
    np.power: operator.pow,
}
"""What a NumPy scalar may do with an expression: it is a number."""


def _refused(written: str, instead: str) -> Callable[..., NoReturn]:
    """What Python writes with a sign or a function of its own, and nothing here is written so."""

    def refuse(self: View, *others: object) -> NoReturn:
        raise KindError(written.format(self, *others, *"?" * 2), "an expression has no such operation", instead)

    return refuse


_JUMPS = "there is none, as it jumps; round the numbers that .evaluate(...) gives"


@public
class View(Evaluable):
    """A node, and the variables of all that it was made from.

    They may be given to `evaluate` even where they dropped out.
    """

    __slots__ = ("inputs", "node", "said")
    node: Node
    inputs: frozenset[Variable]
    said: str
    __array_priority__ = 1000.0

    @property
    def order(self) -> int:
        """The number of axes."""
        return self.node.order

    @property
    def shown(self) -> Node:
        """The node that text and LaTeX are made of."""
        return self.node

    @property
    def variables(self) -> dict[str, later.Array]:
        """The tensors that occur, by name, as they were declared: Arrays, sorted by name."""
        return later.tensors_in(self)

    @property
    def note(self) -> str:
        """What is to be said of it: how it was read, where it comes from a text and that may surprise."""
        return getattr(self, "said", "")

    @property
    def canonical(self) -> bool:
        """Was the search for the canonical form exhaustive? If not, `==` may miss an equality, never invent one."""
        return later.is_exhaustive(self.node)

    def _equals_number(self, value: object, axes: tuple[Any, ...]) -> bool:
        coef, node, _, _ = later.key_of(self.node, axes)
        if coef == 0:
            return bool(value == 0)
        return not axes and node is ONE and bool(coef == value)

    def _hash(self, axes: tuple[Any, ...]) -> int:
        """A hash that equal views share, numbers among them."""
        coef, node, labels, names = later.key_of(self.node, axes)
        if coef == 0:
            return 0
        if node is ONE and not axes:
            return hash(coef)
        return hash((coef, node.digest, labels, names))

    def __bool__(self) -> NoReturn:
        choose = "choose by ic.where(c, x, y), join conditions as (a > 0)*(b > 0)"
        raise KindError(
            str(self), "an expression has no truth value", f"{choose}, compare with ==, or evaluate it first"
        )

    def __iter__(self) -> NoReturn:
        raise KindError(str(self), "an expression cannot be iterated over", "index it, or evaluate it first")

    def __len__(self) -> NoReturn:
        raise KindError(str(self), "an expression has no length", "look at .shape")

    def __float__(self) -> NoReturn:
        raise KindError(str(self), "an expression is no number", "evaluate it: .evaluate(x=...)")

    __abs__ = _refused("abs({})", "write ic.abs(...)")
    __and__ = __rand__ = _refused("({}) & ({})", "join conditions by a product: (x > 0)*(y > 0)")
    __or__ = __ror__ = _refused("({}) | ({})", "join conditions by the larger: ic.maximum(x > 0, y > 0)")
    __xor__ = __rxor__ = _refused("({}) ^ ({})", "write x**2 for a power, ic.not_equal(x > 0, y > 0) of conditions")
    __invert__ = _refused("~({})", "write 1 - (x > 0) for what does not hold, or turn the comparison round")
    __floordiv__ = __rfloordiv__ = _refused("({}) // ({})", "write x/y; a whole quotient jumps, and has no derivative")
    __mod__ = __rmod__ = _refused("({}) % ({})", _JUMPS)
    __divmod__ = __rdivmod__ = _refused("divmod({}, {})", _JUMPS)
    __round__ = _refused("round({})", _JUMPS)
    __setitem__ = _refused("({})[{}] = {}", "an expression stays as it is: choose entries by ic.where(c, x, y)")
    __int__ = _refused("int({})", "evaluate it: .evaluate(x=...)")

    def __array__(self, *args: object, **kwargs: object) -> NoReturn:
        raise KindError(str(self), "NumPy cannot make an array of an expression", "evaluate it: .evaluate(x=...)")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        scalars = all(is_number(value) or isinstance(value, View) for value in inputs)
        if method == "__call__" and scalars and not kwargs and ufunc in ARITHMETIC:
            return ARITHMETIC[ufunc](*[to_number(v) if is_number(v) else v for v in inputs])
        _refuse_numpy(ufunc.__name__)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> NoReturn:
        _refuse_numpy(function.__name__)

    def __contains__(self, item: object) -> NoReturn:
        raise KindError(str(self), "`in` means nothing for an expression", "look at .free or .variables")

    if not TYPE_CHECKING:  # to a type checker an attribute that is not there is an error

        def __getattr__(self, name: str) -> NoReturn:
            said = "" if name.startswith("_") else later.lacking(name)
            if not said:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            raise AttributeError(f"an {type(self).__name__} has no {name}; {said}", name=name)

    def __repr__(self) -> str:
        text = str(self)
        if len(text) <= LONGEST_REPR:
            return text
        return f"{text[:LONGEST_REPR]} ... ({len(text)} characters in all; str() gives them)"

    def evaluate(
        self,
        values: Mapping[Any, Any] | None = None,
        /,
        *,
        order: Any = None,
        memory_limit: Any = None,
        **named: Any,
    ) -> np.ndarray[Any, Any]:
        """The numbers: see `indexcalc.engine.evaluate.evaluate`, to which all arguments go."""
        numbers: np.ndarray[Any, Any] = later.evaluate(self, values, order=order, memory_limit=memory_limit, **named)
        return numbers

    def compressed(
        self, values: Mapping[Any, Any] | None = None, /, *, memory_limit: Any = None, **named: Any
    ) -> later.Compressed:
        """The numbers held as `delta ⊗ core` terms: see `indexcalc.compressed`, to which all arguments go."""
        return later.compressed(self, values, memory_limit=memory_limit, **named)

    def diagram(self) -> later.Diagram:
        """The expression as a tensor network, a picture that notebooks show: `.save("network.svg")`.

        Each tensor is a mark with a wire for each axis, a summed index a wire between two, a delta a wire alone, a
        function a frame; also as `.svg`, `.dot`, `.tikz`.
        """
        return later.diagram(self)

    def plot(self, sizes: Mapping[str, int] | None = None, /, *, layout: str | None = None, **named: int) -> later.Plot:
        """The blocks of a matrix, zero, δ, bands and dense, at these sizes: `D.plot(n=4, m=3)`; see `.figure`, `.save`.

        Rows and columns are those of a derivative, in the named layout if there is one, or else halves of the axes. A
        number that depends on one number alone is plotted with its first two derivatives. It takes matplotlib.
        """
        return later.plot(self, sizes, layout, named)

    def to_sympy(self) -> Basic:
        """The expression in SymPy: see `indexcalc.interop.write_sympy.to_sympy`."""
        written: Basic = later.to_sympy(self)
        return written

    def to_xarray(self, values: Mapping[Any, Any] | None = None, /, *, dims: Any = None, **named: object) -> DataArray:
        """The numbers with names: see `indexcalc.interop.named_axes.to_xarray`, to which all arguments go."""
        made: DataArray = later.to_xarray(self, values, dims=dims, **named)
        return made

    def equals(self, other: object) -> later.Equality:
        """Is this mathematically equal? By form, exactly, or by numbers: it says which, and where."""
        return later.equals(self, other)


def _refuse_numpy(name: str) -> NoReturn:
    rows = (row.name for row in ELEMENTWISE.values() if name in (row.name, row.numpy.__name__))
    found = next(rows, "")
    instead = f"ic.{found}(...)" if found else "the ic function"
    raise KindError(
        f"numpy.{name}",
        "NumPy met an expression, which has no numbers",
        f"write {instead}; declare data with ic.tensor(...) and give the numbers to .evaluate(...)",
    )


def is_number(value: object) -> bool:
    """Is this a plain number (NumPy's scalars among them)?"""
    if isinstance(value, int | float | complex | Fraction):
        return True
    return not isinstance(value, View) and getattr(value, "shape", None) == ()


def refuse_zero(first: View, second: View) -> None:
    """A division by what is written as zero is an error."""
    if is_zero(second.node):
        raise NotationError(Asked(lambda: f"({first})/({second})"), "a division by zero", "check the denominator")


def refuse_layout(view: View, call: str) -> NoReturn:
    """What is no derivative has no layout."""
    raise LayoutError(
        f"({view}).{call}",
        "this is no derivative, so nothing says which axes are the numerator's",
        "write .matrix(rows=..., cols=...), or take the layout before the arithmetic",
    )


def to_number(value: Any) -> Number:
    """The number in normal form."""
    return exact_number(value)


def join_inputs(views: Iterable[View]) -> frozenset[Variable]:
    """The variables of several views together; one name for two tensors is an error."""
    return joined_inputs(view.inputs for view in views)
