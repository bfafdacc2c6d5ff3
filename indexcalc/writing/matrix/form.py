"""A matrix form, a summand, and what is found of either once.

A `Form` stands for a matrix with rows and columns; a vector has no columns (`None`), its transpose no rows, a scalar
neither. Kinds:

`atom`    a name, turned (transposed) or not
`call`    a function of forms: `inv(X)`, `sum(X, axis=0)`, `exp(A @ x)`
`chain`   a matrix product of links; where two links meet without a dimension, it is an outer product
`had`     an entrywise product of powers
`diagm`   a vector as a diagonal matrix: row scaling and column scaling are chains with one
`eye`, `ones`, `zeros`, `size`   what they say; `size` is a dimension as a number
`prod`    a coefficient, powers of scalars, and one link or several: a `Monomial`
`sum`     a sum of terms; a term with fewer dimensions is constant along the others. Of a matrix and its transpose
          the shorter is kept, and the cost of the other
`part`    the rows and columns of a form that a `Pick` each has: `x[1:]`, `X[0]`
`tiles`   forms beside each other, along the rows (0) or the columns (1): blocks, see `tiles.py`
`turned`  the transpose of a sum or of a call, which stay whole

The product's normal form: eye goes, neighbouring diagonals merge, a row that meets a column becomes a scalar factor.
Transposes are pushed to the links of a chain. `cost` counts Python's tokens, parentheses left out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, wraps
from hashlib import blake2b
from typing import Any, NamedTuple, TypeVar

from indexcalc.graph.numbers import Number
from indexcalc.index import Dimension

Extent = Dimension | None
TERM = "prod"
"""The kind of a form that is a summand of several factors."""
Of = TypeVar("Of")
Found = TypeVar("Found")


def kept(find: Callable[[Of], Found]) -> Callable[[Of], Found]:
    """The function of one thing that does not change, its value kept on that: the search for a short sum asks often.

    >>> class Word(str): pass
    >>> length = kept(len)
    >>> length(Word("abc")), length(Word("ab"))
    (3, 2)
    """
    name = find.__name__

    @wraps(find)
    def found(of: Of) -> Found:
        memo = of.__dict__
        if name not in memo:
            memo[name] = find(of)
        known: Found = memo[name]
        return known

    return found


class Form:
    """A matrix form. `digest` depends on the content alone: equal forms have equal digests.

    `names` and `powers` count those in it: of forms of one cost, the one with fewer is plainer.
    """

    turn_of: Form | None

    def __init__(
        self, kind: str, parts: tuple[Form, ...], data: Any, rows: Extent, cols: Extent, cost: int, same: bool = False
    ) -> None:
        self.kind, self.parts, self.data, self.rows, self.cols, self.cost = kind, parts, data, rows, cols, cost
        self.same = same
        self.names, self.powers = int(kind == "atom"), 0
        for part in parts:
            self.names += part.names
            self.powers += part.powers
        if kind == "had":
            self.powers += sum(exponent not in (1, -1) for exponent in data)
        self.label: str = data[0] if kind in ("atom", "call") else parts[0].label if parts else kind
        self.turn_of = self if same else None

    @cached_property
    def digest(self) -> bytes:
        """A short text that depends on the content alone."""
        content = (self.kind, [part.digest for part in self.parts], repr(self.data), str(self.rows), str(self.cols))
        return blake2b(repr(content).encode(), digest_size=12).digest()

    def __eq__(self, other: object) -> bool:
        if self is other or not isinstance(other, Form):
            return self is other
        return self.kind == other.kind and self.label == other.label and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"<{self.kind} {self.label} {self.rows}x{self.cols} cost={self.cost}>"

    @property
    def scalar(self) -> bool:
        """Has it neither rows nor columns?"""
        return self.rows is None and self.cols is None

    @property
    def vector(self) -> bool:
        """Has it rows or columns, and not both?"""
        return (self.rows is None) != (self.cols is None)


class Factors(NamedTuple):
    """A number, powers of scalars, and the links of a matrix product."""

    coef: Number
    scalars: tuple[tuple[Form, Number], ...]
    links: tuple[Form, ...]


class Monomial(Factors):
    """`coef * product of scalar**exponent * links`: a summand. Without links it is a scalar."""

    @property
    def rows(self) -> Extent:
        """The dimension of its rows."""
        return self.links[0].rows if self.links else None

    @property
    def cols(self) -> Extent:
        """The dimension of its columns."""
        return self.links[-1].cols if self.links else None
