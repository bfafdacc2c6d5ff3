"""The table of functions: one row a function, and every fact about it a column.

A function is added by adding a row in `elementwise.py`, in the folder `entries`, in `reductions.py`, `spectral.py`,
`inverse.py`, `decompositions.py` or `matrix_series.py`, and nothing else: the derivative, the text, the parser, the
evaluation, the docs and the tests all read the row.

`code` says how the function is written in generated code: an expression for each target ("numpy", "jax", "torch"), or
one for all three. In an expression `{np}` is the module of the target, and

- an elementwise function has its arguments as `{0}`, `{1}`, `{2}`,
- a reduction has `{x}` and `{axes}`, a tuple of integers,
- a reduction along exactly two axes and a function of matrices have `{x}` alone, whose last two axes the matrices are,

and all have their parameters by name. It may call functions of the folder `code`, which are real Python, a module a
target; where a target has no expression, it calls the function there that has the name of the row. `code/text.py`
writes the call. Text imports nothing: it may name `math.`, `jax.` for jax, `scipy.linalg.` and `scipy.special.` for
numpy.

`oracle` is the function in JAX, written in another way where there is one, for tests alone: of the arguments `x`, `y`,
`z` (and `axes`), and the parameters by name; matrices lie along the last two axes. The tests hold the values and the
derivatives of the row against it, so it is never the code of the row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from indexcalc.errors import NoRuleError
from indexcalc.functions.entry import Entry
from indexcalc.functions.rational import Rational
from indexcalc.graph.constructors import einsum, matrix, reduction
from indexcalc.graph.node import Elementwise, Matrix, Node
from indexcalc.graph.numbers import Number
from indexcalc.index import Dimension

Interval = tuple[float, float]
Code = Mapping[str, str] | str
ALL: Interval = (-math.inf, math.inf)
REAL: Interval = (-3.0, 3.0)
POSITIVE: Interval = (0.2, 3.0)
NONZERO: Interval = (0.2, 3.0)
UNIT: Interval = (-0.9, 0.9)
EVERYWHERE = "all real numbers"


class Decider(Enum):
    """What decides on which side of a kink, of a jump or of the end of its domain a function is."""

    ARGUMENT = "each argument, of a reduction each entry: is it below or above a number?"
    FIRST = "the first argument: is it below or above a number?"
    DIFFERENCE = "the first argument less the second: is it below or above 0?"
    EQUALITY = "are the two arguments equal?"
    CONDITION = "is the first argument 0?"
    LARGEST = "which entry is the largest?"
    SMALLEST = "which entry is the smallest?"
    ORDER = "in which order are the entries?"


class Branching(NamedTuple):
    """Where a function branches: what `decides`, the number `at` which sides change, and whether it `ends` there.

    `operators` write the sides below and above; of an equality, where it holds and where it does not.
    """

    decides: Decider
    at: int = 0
    ends: bool = False
    operators: tuple[str, str] = ("<", ">")


AT_ZERO = Branching(Decider.ARGUMENT)
AHEAD = Branching(Decider.DIFFERENCE)
CHOSEN = Branching(Decider.CONDITION, operators=("==", "!="))
LARGEST, SMALLEST = Branching(Decider.LARGEST), Branching(Decider.SMALLEST)
ORDER = Branching(Decider.ORDER)
COMPARED = {
    "<": Branching(Decider.DIFFERENCE, operators=("<", ">=")),
    "<=": Branching(Decider.DIFFERENCE, operators=("<=", ">")),
    ">": Branching(Decider.DIFFERENCE, operators=("<=", ">")),
    ">=": Branching(Decider.DIFFERENCE, operators=("<", ">=")),
    "==": Branching(Decider.EQUALITY, operators=("==", "!=")),
    "!=": Branching(Decider.EQUALITY, operators=("==", "!=")),
}
"""The branches of comparisons, by what Python writes."""


def ends_at(number: int) -> Branching:
    """A function that ends, or changes its course, where its first argument is a number."""
    return Branching(Decider.FIRST, number, ends=True)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ElementwiseFunction:
    """A function of the entries.

    `rules[a]` gives the partial derivative by argument a, as an `Entry`, from the arguments and the value:
    `rules[a](*args, y)`; `None` in place of a rule says: zero wherever it exists (with `kink`, the reason).
    `numpy(*args, *params)` takes arrays of float or complex dtype and keeps the dtype; `inputs[a]` is an interval from
    which tests draw argument a; `exact` has values at integers that are integers; `range` is an interval that has all
    the values for real arguments.
    `params` names the static parameters: only where there are some, rules get their values as keyword `params`.
    `admits(*params)` says which values it has (`domain` in words). `latex.format(*args, **params)` is the LaTeX.

    `python` is what Python has for it, of numbers: an operator, or a function of `math` under this name. `zero` says
    that 0 may be a value for real arguments. `monotone` says that the values do not fall where arguments rise,
    `positive` that of positive arguments it gives positive values, and of those that are not negative none that is,
    `commutative` that the two arguments may change places. `calm` says that no real argument whatever makes NumPy warn:
    nothing overflows, is divided by zero or has no value; `total` that it has a finite value of any finite real
    arguments. `condition` says that this is 1 or 0, `opposite` names the condition that holds where this one does not;
    `choice` that the value is one of the last two arguments, whatever the other one is; `support(node)` is what is 0
    where a value was chosen to be 0, and the axes that it runs along, or None. `out` says that `numpy` takes `out`, an
    array for the value that may be an argument, as every ufunc does. `together(x, names)` gives the values of several
    functions of one x at once, of those named of the rows that have it. `workspace` is the memory that `numpy` takes
    beside arguments and value, in arrays of the size of the largest of them.

    `real` is its expression, as in `code`, for real arguments, where a target has a function that takes these alone.

    `branching` says where the function has a kink, a jump or an end, for those who must meet both sides: without it, a
    `kink` is where an argument is 0. `unmet` says why a row with a kink, or one that is not holomorphic, has no sides
    to be met. `unrounded` says that a value is an argument, its negative or a whole number, and comes
    without rounding. `whole` says that it is a power of the first argument where the second is
    a whole number, and so rational.
    """

    name: str
    formula: str
    numpy: Callable[..., Any]
    rules: tuple[Callable[..., Entry] | None, ...]
    latex: str
    source: str
    domain: str = EVERYWHERE
    inputs: tuple[Interval, ...] = (REAL,)
    params: tuple[str, ...] = ()
    admits: Callable[..., bool] | None = None
    kink: str = ""
    holomorphic: bool = True
    exact: dict[int, int] = field(default_factory=dict)
    range: Interval = ALL
    zero: bool = True
    monotone: bool = False
    positive: bool = False
    commutative: bool = False
    calm: bool = False
    total: bool = False
    condition: bool = False
    opposite: str = ""
    choice: bool = False
    support: Callable[[Elementwise], tuple[Node, tuple[int, ...]] | None] | None = None
    branching: Branching | None = None
    unmet: str = ""
    unrounded: bool = False
    whole: bool = False
    python: str = ""
    out: bool = False
    together: Callable[..., Any] | None = None
    workspace: float = 0.0
    code: Code = field(default_factory=dict, kw_only=True)
    real: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    oracle: str = field(kw_only=True)

    @property
    def arity(self) -> int:
        """How many arguments it takes."""
        return len(self.rules)

    @property
    def branches(self) -> Branching | None:
        """Where it branches: by the column, or at 0 where there is only a kink."""
        return self.branching or (AT_ZERO if self.kink and not self.unmet else None)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Slice:
    """What the rule of a reduction is written in: the slice that it reduces.

    Where the axes go, `x` is an entry of the argument and `y` the value on its slice; `u`, `v` are the same two, and
    `d` is 1. Where the axes stay, `x`, `y` are argument and value at an entry a, `u`, `v` the same at an entry b of the
    same slice, and `d` is the delta of a and b. `along` has the labels of the axes along which u moves in the slice.
    """

    x: Entry
    y: Entry
    u: Entry
    v: Entry
    d: Entry
    along: tuple[int, ...]
    params: tuple[Number, ...] = ()

    def total(self, entry: Entry) -> Entry:
        """The sum of the entry over the slice, that is over all the places of u."""
        kept = [label for label in entry.labels if label not in self.along]
        sizes = {label: entry.dims[label] for label in self.along}
        return Entry(einsum(1, [(entry.node, entry.labels)], kept, sizes), kept, entry.dims)

    def reduce(self, fn: str, entry: Entry) -> Entry:
        """The reduction `fn`, which keeps its axes, of the entry along the slice, that is over all the places of u."""
        axes = [axis for axis, label in enumerate(entry.labels) if label in self.along]
        return Entry(reduction(fn, entry.node, axes, True), entry.labels, entry.dims)

    @property
    def own(self) -> tuple[int, ...]:
        """The labels of the axes along which x moves in the slice, in the order of `along`."""
        return tuple(here for here, there in zip(self.x.labels, self.u.labels, strict=True) if there in self.along)

    @property
    def batch(self) -> tuple[int, ...]:
        """The labels of the argument's other axes."""
        return tuple(label for label in self.x.labels if label not in self.own)

    def at(self, *places: Any) -> tuple[Any, ...]:
        """The labels of another entry of the argument (or of a value that keeps its axes), for `product`.

        It lies at these places along the slice: labels of `own` or `along`, or new ones (strings), which are summed.
        """
        moved = dict(zip(self.own, places, strict=True))
        return tuple(moved.get(label, label) for label in self.x.labels)

    def product(self, *factors: tuple[Node, Sequence[Any]]) -> Entry:
        """The product of `node[labels]`, summed over the new labels."""
        kept = sorted({label for _, labels in factors for label in labels if isinstance(label, int)})
        return Entry(einsum(1, factors, kept), kept, self.x.dims)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ReductionFunction:
    """A function along axes.

    `rule(slice)` is `dy/dx` (`dy/du`, the same) where the axes go, and `dy/du` where they stay (`keeps`): see `Slice`.
    `numpy(x, axes, *params)` reduces a tuple of axes and keeps the dtype; `admits(*params)` says which values of the
    parameters it has.
    `latex.format(x, axes=..., **params)` is the LaTeX, `axes` being the names of the axes that are reduced.
    `axes` is how many axes it takes, 0 for any number; one that is not `public` has no function of its own for both
    views. `matrix` is the function of Arrays, along their last two axes, under which it is written, if there is one;
    `turned` says that this function gives the transposed value; `square` that its two axes have one dimension; `range`
    is an interval that has all the values for real arguments, and `zero` says that 0 may be one.

    What the number of axes says: a function of any number of axes whose value has none of them does not see in how many
    axes, nor in which order, the entries stand (`of_sets`); one along two axes does not see which of them comes first:
    f(X^T) is f(X)^T, or f(X) if its value has none of the two.

    `positive` says that of positive entries it gives positive values, and of entries that are not negative none that
    is; `between` that the values lie between the least entry and the largest; `opened` that what it gives of a product
    of matrices, it gives by its values of the factors; `small` is its expression, as in `code`, for matrices of order 3
    at most; `real`, along one `axis`, for real numbers, where a target has a function that takes these alone;
    `out` says that `numpy` takes `out`, an array for the value that may be the argument.
    `together(x, axes, names, out)` gives the values of several functions of one x at once, of those named of the rows
    that have it; `together(x, names)` those of one matrix. `workspace` is the memory that `numpy` takes beside argument
    and value, in arrays of the argument's size; what LAPACK itself takes is not in it.

    `branching`, `unmet`, `unrounded` are as for functions of entries; a `kink` that says no more is where the largest
    entry changes. `rational` is the function over any field, if it is one there; `roots` says that it is made of sums,
    roots and choices. `absolute` names the reduction of which it sees the absolute value alone, and ends where that is
    0. `letter` is the name that people give to its values. `iterated` says that its numerics are those of singular
    values, and lose more than a rounding.
    """

    name: str
    formula: str
    numpy: Callable[..., Any]
    rule: Callable[[Slice], Entry]
    keeps: bool
    latex: str
    source: str
    domain: str = EVERYWHERE
    inputs: Interval = REAL
    params: tuple[str, ...] = ()
    admits: Callable[..., bool] | None = None
    kink: str = ""
    holomorphic: bool = True
    axes: int = 0
    public: bool = True
    matrix: str = ""
    turned: bool = False
    square: bool = False
    range: Interval = ALL
    zero: bool = True
    positive: bool = False
    norm: bool = False
    total: bool = False
    between: bool = False
    opened: bool = False
    branching: Branching | None = None
    unmet: str = ""
    unrounded: bool = False
    rational: Rational | None = None
    roots: bool = False
    absolute: str = ""
    iterated: bool = False
    small: str = ""
    out: bool = False
    together: Callable[..., Any] | None = None
    workspace: float = 0.0
    code: Code = field(default_factory=dict, kw_only=True)
    real: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    oracle: str = field(kw_only=True)
    letter: str = field(default="", kw_only=True)

    @property
    def of_sets(self) -> bool:
        """Is it a function of the set of entries, however these stand?"""
        return not self.axes and not self.keeps

    @property
    def branches(self) -> Branching | None:
        """Where it branches: by the column, or where the largest entry changes if there is only a kink."""
        return self.branching or (LARGEST if self.kink and not self.unmet else None)

    @property
    def algebraic(self) -> bool:
        """Is it made of sums, products, roots and choices?"""
        return self.unrounded or self.roots or self.rational is not None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MatrixFunction:
    """A function of matrices, the last two axes of its argument, whose value has axes of its own.

    `shape(rows, columns)` has the dimensions of the value, which follow the batches. `numpy(x, *params)` takes float or
    complex arrays and keeps the dtype. `rule(node)` is the derivative: axes of the value, then rows and columns of the
    argument; a primary function needs none and has `slope(x, params)` instead, its scalar derivative of a matrix.
    A derivative is a node of its own up to `orders`; `rule` then is that of the last one, by the matrix.
    `along(x, e)` are the numerics of the first derivative along a direction, `opened(x)` those along none; a primary
    function without them is one of a matrix of blocks. In code they are `NAME_along` and `NAME_opened`.
    `turned` says what the transpose of an argument gives: the transposed value (True), the same (False), or neither.
    `special(node)` is a shorter form of the value at some parameters, if there is one. `rational` is the function over
    any field where its parameters are integers, if it is one there. `unmet` says why a row with a kink, or one that is
    not holomorphic, has no sides to be met. `squares` says that the value times itself is the
    argument. `settles` says that `numpy` iterates until the real part stands, or drops
    an imaginary one, so that a tiny imaginary step does not give the derivative to rounding. `workspace` is the memory
    that `numpy` takes beside argument and value: in arrays of the argument's size, and, since some functions go through
    the matrices one by one, in matrices.
    """

    name: str
    formula: str
    numpy: Callable[..., Any]
    latex: str
    source: str
    rule: Callable[[Matrix], Node] | None = None
    slope: Callable[[Node, tuple[Any, ...]], Node] | None = None
    shape: Callable[[Dimension, Dimension], tuple[Dimension, ...]] = lambda rows, columns: (rows, columns)
    turned: bool | None = None
    special: Callable[[Matrix], Node | None] | None = None
    along: Callable[..., Any] | None = None
    opened: Callable[..., Any] | None = None
    square: bool = True
    domain: str = "all square matrices"
    params: tuple[str, ...] = ()
    kink: str = ""
    holomorphic: bool = True
    settles: bool = False
    squares: bool = False
    rational: Rational | None = None
    unmet: str = ""
    public: bool = True
    workspace: tuple[float, float] = (0.0, 0.0)
    code: Code = field(default_factory=dict, kw_only=True)
    oracle: str = field(kw_only=True)

    @property
    def orders(self) -> float:
        """Up to which order its derivatives are nodes: all of a primary function, one with `along`, else none."""
        return math.inf if self.slope is not None else int(self.along is not None)

    def numerics(self, times: int, left: int) -> Callable[..., Any] | None:
        """The numerics of a derivative of this order with so many directions left open, if they are not by blocks."""
        if not times:
            return self.numpy
        return None if times > 1 else self.opened if left else self.along


ABS, DET, EXP, INV, LOG, LOGDET, POWER, PROD = "abs", "det", "exp", "inv", "log", "logdet", "power", "prod"
"""The functions by which rules of powers and of Kronecker products are written."""
ELEMENTWISE: dict[str, ElementwiseFunction] = {}
REDUCTIONS: dict[str, ReductionFunction] = {}
MATRICES: dict[str, MatrixFunction] = {}


def elementwise_row(name: str) -> ElementwiseFunction:
    """The row of an elementwise function; an unknown one is an error that names it."""
    try:
        return ELEMENTWISE[name]
    except KeyError:
        raise NoRuleError(f"elementwise function {name!r}", "there is no such row in the table of functions") from None


def reduction_row(name: str) -> ReductionFunction:
    """The row of a reduction; an unknown one is an error that names it."""
    try:
        return REDUCTIONS[name]
    except KeyError:
        raise NoRuleError(f"reduction {name!r}", "there is no such row in the table of functions") from None


def matrix_row(name: str) -> MatrixFunction:
    """The row of a function of matrices; an unknown one is an error that names it."""
    try:
        return MATRICES[name]
    except KeyError:
        raise NoRuleError(f"matrix function {name!r}", "there is no such row in the table of functions") from None


def apply_matrix(name: str, x: Node, params: tuple[Any, ...] = ()) -> Matrix:
    """A function of the matrices along the last two axes."""
    shape: Callable[..., tuple[Dimension, ...]] = matrix_row(name).shape
    return matrix(name, [x], (*x.dims[:-2], *shape(*x.dims[-2:])), params)


def spread(entry: Entry) -> Node:
    """The entry as a node with all the axes that it is among; it is constant along those that it lacks."""
    return einsum(1, [(entry.node, entry.labels)], range(len(entry.dims)), dict(enumerate(entry.dims)))
