"""Indices (names of axes) and dimensions (sizes of axes: integers, or exact polynomials of symbols).

A dimension is a plain `int`, or a `Dim`: a polynomial with rational coefficients in normal form, so that `m*n` and
`n*m` are the same object.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from keyword import iskeyword
from math import gcd, lcm
from typing import Any, NoReturn

from indexcalc import later
from indexcalc.affine import Addable, Span
from indexcalc.errors import DimensionError, KindError, NameRefused
from indexcalc.interning import Interned
from indexcalc.surface import is_integer, own_name, public

Monomial = tuple[tuple[str, int], ...]
Terms = tuple[tuple[Monomial, Fraction], ...]

RESERVED = re.compile(r"δ|ε")
OPERATOR = re.compile(r"\s*([-+*/])\s*")
TIMES = {"x", "X", "×", "by"}
"""What people write between two sizes; of these, `x` alone could be a dimension."""
SIZED = re.compile(r"(?:[abcdhiklmnpqrsw]|\d+)(?:[x×](?:[abcdhiklmnpqrsw]|\d+))+", re.IGNORECASE)
"""`3x2`, `dxm`: sizes joined by an x, of single letters that name sizes; `txt` and `exp` are none."""
RUNS = re.compile(r"(?!in$)[i-n]{2,6}|[p-s]{2,4}|[a-d]{2,4}|[μνρσλκ]{2,6}|[αβγδ]{2,4}")
"""Letters that name indices, one after the other; "in" is a word."""


@dataclass(frozen=True, slots=True)
class Index(Addable):
    """A name for an axis, and where it runs. Two indices are the same if their names are.

    >>> Index("i") == Index("i")
    True
    """

    name: str
    batch: bool = field(default=False, compare=False)
    span: Span | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.batch, bool):
            raise KindError(f"index({self.name!r})", f"batch is {self.batch!r}", "write batch=True, or leave it out")
        own_name(self.name, "index", "i")
        if RESERVED.fullmatch(self.name):
            raise NameRefused(f"index({self.name!r})", f"{self.name!r} is taken", "use another, 'i' or 'in_1' say")

    def __repr__(self) -> str:
        return self.name


@public
def index(name: str, *, batch: bool = False) -> Index:
    """One index.

    A batch index is never summed by `*`, may occur any number of times, and is summed only by `.sum(n)`.

    >>> index("i")
    i
    """
    if isinstance(name, str) and len(name.split()) > 1:
        raise NameRefused(f"index({name!r})", "this is several names", f"write ic.indices({name!r})")
    return Index(name, batch)


@public
def indices(names: str, *, batch: bool = False) -> tuple[Index, ...]:
    """Several indices, always as a tuple.

    >>> indices("i j")
    (i, j)
    """
    if isinstance(names, str) and RUNS.fullmatch(names) and len(set(names)) == len(names):
        instead = f"did you mean {' '.join(names)!r}? write ic.index({names!r}) for one index of that name"
        raise NameRefused(f"indices({names!r})", "this is one name", instead)
    if not isinstance(names, str):
        raise KindError("indices", f"names are one str, not {type(names).__name__}", 'write ic.indices("i j")')
    return tuple(Index(name, batch) for name in names.replace(",", " ").split())


class Dim:
    """A polynomial of dimension symbols, exact and in normal form; made by `dim`, interned.

    >>> dim("m*n") is dim("n*m")
    True
    >>> dim("n")*(dim("n") + 1)/2
    n**2/2 + n/2
    """

    __slots__ = ("__weakref__", "_hash", "_text", "terms")
    __array_ufunc__ = None
    terms: Terms
    _text: str
    _hash: int

    def __repr__(self) -> str:
        return self._text

    __str__ = __repr__

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, str) and self._text == other)

    def __reduce__(self) -> tuple[object, tuple[Terms]]:
        return _from_terms, (self.terms,)

    def __add__(self, other: Any) -> Any:
        if isinstance(other, int | Dim):
            return _make([*self.terms, *_terms(other)])
        return self._number("__add__", other)

    __radd__ = __add__

    def __neg__(self) -> Dimension:
        return self * -1  # type: ignore[no-any-return]

    def __sub__(self, other: Any) -> Any:
        return self + -1 * other if isinstance(other, int | Dim) else self._number("__sub__", other)

    def __rsub__(self, other: Any) -> Any:
        return -self + other if isinstance(other, int | Dim) else self._number("__rsub__", other)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, int | Dim | Fraction):
            return _make((_times(a, b), c * d) for a, c in self.terms for b, d in _terms(other))
        return self._number("__mul__", other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, int) and other:
            return self * Fraction(1, other)
        exact = _quotient(self, other) if isinstance(other, Dim) else None
        return self._number("__truediv__", other) if exact is None else exact

    def __rtruediv__(self, other: Any) -> Any:
        return self._number("__rtruediv__", other)

    def __pow__(self, exponent: Any) -> Any:
        if not isinstance(exponent, int) or exponent < 0:
            return self._number("__pow__", exponent)
        result: Any = 1
        for _ in range(exponent):
            result = self * result
        return result

    def __rpow__(self, base: Any) -> Any:
        return self._number("__rpow__", base)

    def _number(self, operation: str, other: Any) -> Any:
        """Addable that leaves the dimensions: that of the size as a number, which joins either view."""
        if hasattr(other, "node"):
            return NotImplemented  # an expression, which knows what to do
        if not isinstance(other, int | float | complex | Fraction | Dim):
            raise KindError(
                f"{self} and {other!r}", f"a {type(other).__name__} is no number", "dimensions are numbers: n/2, n - 1"
            )
        return getattr(later.size_number(self), operation)(other)

    def __lt__(self, other: object) -> NoReturn:
        raise KindError(
            f"comparing {self} with {other}", "a dimension is a symbol, and has no value", "give it one: n=3"
        )

    __le__ = __gt__ = __ge__ = __lt__

    def __float__(self) -> NoReturn:
        raise KindError(f"float({self})", "a dimension is a symbol, and has no value", "evaluate with it: n=3")

    def __int__(self) -> NoReturn:
        raise KindError(f"int({self})", "a dimension is a symbol, and has no value", "evaluate with it: n=3")

    @property
    def symbols(self) -> frozenset[str]:
        """The symbols that occur."""
        found: set[str] = set()
        for mono, _ in self.terms:
            for name, _ in mono:
                found |= name.symbols if isinstance(name, Smaller) else {name}
        return frozenset(found)

    @property
    def plain(self) -> bool:
        """Is it a polynomial, without the smaller of two dimensions?"""
        return not any(isinstance(name, Smaller) for mono, _ in self.terms for name, _ in mono)


Dimension = int | Dim


class Smaller(str):
    """The smaller of two dimensions, which stands in a polynomial as a symbol and knows its parts; see `smaller`."""

    __slots__ = ("parts",)
    parts: tuple[Dimension, Dimension]

    def __new__(cls, *parts: Dimension) -> Smaller:
        """The smaller of these dimensions, with its text."""
        made = super().__new__(cls, f"min({', '.join(map(str, parts))})")
        made.parts = (parts[0], parts[1])
        return made

    def __getnewargs__(self) -> tuple[Dimension, Dimension]:  # type: ignore[override]
        return self.parts

    @property
    def symbols(self) -> frozenset[str]:
        """The symbols of the parts."""
        return frozenset(name for part in self.parts if isinstance(part, Dim) for name in part.symbols)


def smaller(a: Dimension, b: Dimension) -> Dimension:
    """The smaller of two dimensions: a number where both are, the one that they are if they are equal.

    >>> smaller(3, 5), smaller(dim("n"), dim("n")), smaller(dim("n"), dim("m"))
    (3, n, min(m, n))
    """
    if a == b:
        return a
    if isinstance(a, int) and isinstance(b, int):
        return min(a, b)
    return symbol(Smaller(*sorted((a, b), key=str)))


def _times(a: Monomial, b: Monomial) -> Monomial:
    powers = dict(a)
    for name, power in b:
        powers[name] = powers.get(name, 0) + power
    return tuple(sorted(powers.items()))


def _terms(value: Dimension | Fraction) -> Terms:
    return value.terms if isinstance(value, Dim) else (((), Fraction(value)),)


def _make(terms: Iterable[tuple[Monomial, Fraction]]) -> Dimension:
    total: dict[Monomial, Fraction] = {}
    for mono, coef in terms:
        total[mono] = total.get(mono, Fraction(0)) + coef
    normal = tuple(sorted(((m, c) for m, c in total.items() if c), key=lambda t: (-sum(p for _, p in t[0]), t[0])))
    if all(not mono for mono, _ in normal):
        value = sum((c for _, c in normal), Fraction(0))
        if value.denominator != 1:
            raise DimensionError(f"dimension {value}", "a dimension is a whole number", "")
        return int(value)
    return _from_terms(normal)


_interned = Interned()
KEPT = 1024
"""Dimensions by their text, and symbols, that are remembered; any other is as long as something has it."""


def _from_terms(terms: Terms) -> Dim:
    """The one dimension of these terms, whoever makes it at the same time."""
    found: Dim | None = _interned.get(terms)
    if found is not None:
        return found
    made = Dim.__new__(Dim)
    made.terms = terms
    pieces = []
    for mono, coef in terms:
        body = "*".join(name if power == 1 else f"{name}**{power}" for name, power in mono)
        number, divisor = abs(coef.numerator), coef.denominator
        text = body if number == 1 and body else f"{number}*{body}" if body else str(number)
        pieces.append(("-" if coef < 0 else "+") + " " + text + (f"/{divisor}" if divisor > 1 else ""))
    joined = " ".join(pieces)
    made._text = joined[2:] if joined[0] == "+" else "-" + joined[2:]
    made._hash = hash(made._text)
    entered: Dim = _interned.enter(terms, made)
    return entered


def dim(value: object) -> Dimension:
    """A dimension from an int, a symbol, a polynomial as text, or a dimension.

    >>> dim("3"), dim("n"), dim("n*(n+1)/2")
    (3, n, n**2/2 + n/2)
    """
    if isinstance(value, Dim):
        return value
    if isinstance(value, str):
        # Python's parser can't be entered again from a `__del__` that runs inside it, so a plain symbol stays out of it
        plain = value.isascii() and value.isidentifier() and not iskeyword(value)
        return symbol(value) if plain else _read(value)
    if not is_integer(value):
        raise KindError(
            f"dimension {value!r}", "neither an integer nor a symbol", "write an int, or text such as 'n' or 'm*n'"
        )
    number = int(value.__index__())  # type: ignore[attr-defined]
    if number < 0:
        raise DimensionError(f"dimension {number}", "a dimension is not negative", "")
    return number


@lru_cache(maxsize=KEPT)
def _read(text: str) -> Dimension:
    def value(node: ast.expr) -> Dimension:
        match node:
            case ast.Constant(value=int(number)) if not isinstance(number, bool):
                return int(number)
            case ast.Name(id=name):
                return symbol(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -1 * value(operand)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return value(left) + value(right)
            case ast.BinOp(left=left, op=ast.Sub(), right=right):
                return value(left) - value(right)
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                return value(left) * value(right)
            case ast.BinOp(left=left, op=ast.Div(), right=ast.Constant(value=int(number))) if number:
                return _make((mono, coef / number) for mono, coef in _terms(value(left)))
            case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(number))) if 0 <= number <= 16:
                result: Dimension = 1
                for _ in range(number):
                    result = result * value(left)
                return result
            case ast.Call(func=ast.Name(id="min"), args=[left, right], keywords=[]):
                return smaller(value(left), value(right))
        raise DimensionError(
            f"dimension {text!r}", "not a polynomial of symbols", "write an int, 'n', 'm*n' or 'n*(n+1)/2'"
        )

    try:
        tree = _tree(text.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise DimensionError(
            f"dimension {text!r}", "not a polynomial of symbols", "write an int, 'n', 'm*n' or 'n*(n+1)/2'"
        ) from None
    result = value(tree)
    if isinstance(result, int) and result < 0:
        raise DimensionError(f"dimension {text!r}", "a dimension is not negative", "")
    return result


def _tree(text: str) -> ast.expr:
    """The tree of an expression; where threads parse at once, CPython 3.11 loses count at times, and is asked again."""
    try:
        return ast.parse(text, mode="eval").body
    except SystemError:
        return _tree(text)


@lru_cache(maxsize=KEPT)
def symbol(name: str) -> Dim:
    """The dimension symbol of this name."""
    return _from_terms(((((name, 1),), Fraction(1)),))


def dims(*parts: object) -> tuple[Dimension, ...]:
    """Dimensions from what `ic.tensor` is given: `("n m",)`, `(3, 3)`, `("n", 3)`.

    >>> dims("n m"), dims(3, 3), dims("m*n k")
    ((n, m), (3, 3), (m*n, k))
    """
    found: list[Dimension] = []
    for part in parts:
        if isinstance(part, str):
            pieces = OPERATOR.sub(r"\1", part.replace(",", " ")).split()
            _refuse_times(part, pieces)
            found.extend(map(dim, pieces))
        elif isinstance(part, tuple | list):
            found.extend(dims(*part))
        else:
            found.append(dim(part))
    return tuple(found)


def _refuse_times(text: str, pieces: Sequence[str]) -> None:
    """`3 x 2`, `n by m` and `3x2` are no dimensions side by side: an error that says what was meant."""
    sizes, signs = {*pieces[::2]}, {*pieces[1::2]}
    if "," not in text and len(pieces) % 2 and signs and signs <= TIMES and not sizes & TIMES:
        found, meant = f"{pieces[1]!r} stands between sizes, as a dimension", " ".join(pieces[::2])
        apart = f" for a dimension of that name write commas: {', '.join(pieces)!r}" if "×" not in signs else ""
    elif any(map(SIZED.fullmatch, pieces)):
        found, apart = "sizes joined by an x are one name", ""
        meant = " ".join(re.sub("[xX×]", " ", piece) if SIZED.fullmatch(piece) else piece for piece in pieces)
    else:
        return
    raise DimensionError(f"dimensions {text!r}", found, f"did you mean {meant!r}?{apart}")


def size(value: Dimension, sizes: Mapping[str, int]) -> int:
    """The number that a dimension stands for when its symbols have these sizes."""
    total = number(value, sizes)
    if not isinstance(total, int) or total < 0:
        raise DimensionError(f"dimension {value}", f"comes out as {total}", "give sizes for which it is a whole number")
    return total


def number(value: Dimension, sizes: Mapping[str, int]) -> int | Fraction:
    """What a polynomial of symbols comes out as when they have these sizes; it may be negative, or a fraction.

    >>> number(dim("n") - 8, {"n": 2}), number(dim("n")/2, {"n": 3})
    (-6, Fraction(3, 2))
    """
    if isinstance(value, int):
        return value
    total = Fraction(0)
    for mono, coef in value.terms:
        for name, power in mono:
            one = min(size(part, sizes) for part in name.parts) if isinstance(name, Smaller) else sizes[name]
            coef = coef * one**power
        total += coef
    return int(total) if total.denominator == 1 else total


def may_be_negative(value: Dimension) -> bool:
    """Has a polynomial a negative coefficient? Where nothing has an axis of this dimension, it may be any number."""
    return value < 0 if isinstance(value, int) else any(coef < 0 for _, coef in value.terms)


def substitute(value: Dimension, replace: Mapping[str, Dimension]) -> Dimension:
    """The dimension with symbols replaced by dimensions."""
    if isinstance(value, int) or not value.symbols & replace.keys():
        return value
    total: list[tuple[Monomial, Fraction]] = []
    for mono, coef in value.terms:
        term: list[tuple[Monomial, Fraction]] = [((), coef)]
        for name, power in mono:
            base = _terms(_replaced(name, replace))
            for _ in range(power):
                term = [(_times(a, b), c * d) for a, c in term for b, d in base]
        total += term
    return _make(total)


def _replaced(name: str, replace: Mapping[str, Dimension]) -> Dimension:
    if isinstance(name, Smaller):
        a, b = (substitute(part, replace) for part in name.parts)
        return smaller(a, b)
    return replace.get(name, symbol(name))


def primitive(value: Dim) -> tuple[Fraction, list[tuple[Dim, int]]]:
    """A dimension as a coefficient times factors: symbols where it is one monomial, else its primitive part.

    >>> primitive(dim("2*m*n**2"))
    (Fraction(2, 1), [(m, 1), (n, 2)])
    """
    if len(value.terms) == 1:
        mono, coef = value.terms[0]
        return coef, [(symbol(name), power) for name, power in mono]
    coefs = [coef for _, coef in value.terms]
    content = Fraction(gcd(*(c.numerator for c in coefs)), lcm(*(c.denominator for c in coefs)))
    if coefs[0] < 0:
        content = -content
    whole = _from_terms(tuple((mono, coef / content) for mono, coef in value.terms))
    return content, [(whole, 1)]


def unknown(dim: Dimension) -> bool:
    """Is this the dimension of a delta that has not met a tensor yet?"""
    return isinstance(dim, Dim) and str(dim).startswith("?")


def _quotient(a: Dim, b: Dim) -> Dimension | None:
    """One dimension over another where that is a dimension again: of monomials, `m*n/n`, and `n/n`."""
    if a is b:
        return 1
    if len(a.terms) != 1 or len(b.terms) != 1:
        return None
    (mono, coef), (other, divisor) = a.terms[0], b.terms[0]
    powers = dict(mono)
    for name, power in other:
        powers[name] = powers.get(name, 0) - power
    if min(powers.values()) < 0 or not any(powers.values()):
        return None
    return _make([(tuple((name, power) for name, power in powers.items() if power), coef / divisor)])


def told_by(dim: Dimension, other: Dimension) -> tuple[str, Dimension] | None:
    """The symbol that is not known yet in one dimension, and what it is if both are equal; None where that isn't told.

    >>> told_by(dim("n")*symbol("?i"), dim("m*n"))
    ('?i', m)
    """
    if not unknown(dim) or not isinstance(dim, Dim) or len(dim.terms) != 1 or unknown(other):
        return None
    (mono, coef), (name, power) = dim.terms[0], dim.terms[0][0][0]
    rest = _make([(mono[1:], coef)])
    if power != 1:
        return None
    if not isinstance(rest, Dim):
        return (name, other) if rest == 1 else None
    found = _quotient(other, rest) if isinstance(other, Dim) else None
    return None if found is None else (name, found)
