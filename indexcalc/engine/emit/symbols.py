"""Sizes that are symbols: a program that is right for all sizes, planned for some.

A program has numbers for sizes. Where each dimension of a graph has a number of its own, which no other dimension and
no fixed size has, the numbers of the program say which dimensions they are. Such numbers are chosen here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import chain
from math import lcm

from indexcalc.errors import DimensionError
from indexcalc.graph.node import Constant, Node, topological
from indexcalc.index import Dim, Dimension, Smaller, substitute
from indexcalc.index import size as size_of

MOST = 10**7
"""The largest size that is tried: beyond it no size makes a dimension a whole number."""
TRIED = 1000
"""Sizes that are tried where a dimension is the smaller of two: more than programs have dimensions."""
FEW = 9
"""Sizes that are taken off others are about this: the width of a window that runs through an array."""
FIRST = 101
"""Sizes that are not given are about this, all of the same order: no contraction is preferred because of them."""


def dimensions(roots: Iterable[Node]) -> list[Dimension]:
    """The dimensions that occur in a graph, each once; a symbolic exponent counts as one."""
    found: dict[Dimension, None] = {}
    for node in topological(list(roots)):
        more = () if isinstance(node, Constant) else node.sizes
        found |= dict.fromkeys((*node.dims, *more))
    return list(found)


def distinct_sizes(dims: Sequence[Dimension], wished: Mapping[str, int]) -> dict[str, int]:
    """A size for each symbol, as wished or a little more, at which no two of the dimensions are equal.

    >>> from indexcalc.index import dim
    >>> distinct_sizes([dim("n"), dim("m"), dim("n - 1"), 100], {"n": 50, "m": 50})
    {'m': 50, 'n': 52}
    """
    sizes: dict[str, int] = {}
    terms = [term for dim in dims if isinstance(dim, Dim) for term in dim.terms]
    taken = {symbol for mono, coef in terms if coef < 0 for symbol, _ in mono}
    smaller = next((dim for dim in dims if isinstance(dim, Dim) and not dim.plain), None)
    for symbol in sorted({symbol for dim in dims if isinstance(dim, Dim) for symbol in dim.symbols}):
        first = wished.get(symbol, (FEW if symbol in taken else FIRST) + 2 * len(sizes))
        near = chain(range(first, first + TRIED), range(first - 1, 1, -1))  # fewer, where a dimension is n - 2*q
        for size in near if smaller is not None else chain(near, range(first + TRIED, MOST)):
            sizes[symbol] = size
            if not _meet(dims, sizes):
                break
        else:
            if smaller is not None:
                found = "it is one of two other dimensions, and which depends on the sizes"
                raise DimensionError(f"dimension `{smaller}`", found, "declare integers, or use ic.compile")
            raise DimensionError(f"dimension `{symbol}`", "no size makes all dimensions whole numbers", "")
    return sizes


def numbered(
    roots: Iterable[Node], wished: Mapping[str, int]
) -> tuple[tuple[tuple[str, int], ...], dict[int, Dimension]]:
    """A size for each symbol of a graph, as `distinct_sizes`, and the dimensions that have symbols by their sizes.

    >>> from indexcalc.graph.constructors import variable
    >>> from indexcalc.index import dim
    >>> numbered([variable("x", (dim("n"), 3))], {"n": 50})
    ((('n', 50),), {50: n})
    """
    found = dimensions(roots)
    dims = [dim for dim in found if isinstance(dim, Dim)]
    numbers = distinct_sizes([*dims, *(dim for dim in found if not isinstance(dim, Dim))], wished)
    return tuple(sorted(numbers.items())), {size_of(dim, numbers): dim for dim in dims}


def _meet(dims: Sequence[Dimension], sizes: Mapping[str, int]) -> bool:
    """Do two of the dimensions whose symbols have sizes come out as one number, or one as 0, 1 or no whole number?"""
    out = [d for d in dims if not isinstance(d, Dim) or d.symbols <= sizes.keys()]
    try:
        numbers = [size_of(d, sizes) for d in out]
    except DimensionError:
        return True
    small = any(isinstance(d, Dim) and number < 2 for d, number in zip(out, numbers, strict=True))
    return small or len(set(numbers)) < len(numbers)


def dimension_code(dim: Dimension, names: Mapping[str, str]) -> str:
    """A dimension as Python: whole numbers all the way.

    >>> from indexcalc.index import dim
    >>> dimension_code(dim("n*(n + 1)/2"), {"n": "n"})
    '(n**2 + n) // 2'
    """
    if not isinstance(dim, Dim):
        return str(dim)
    below = lcm(*(coef.denominator for _, coef in dim.terms))
    terms = [_monomial(mono, coef * below, names) for mono, coef in dim.terms]
    text = " + ".join(terms).replace("+ -", "- ")
    if below == 1:
        return text
    return f"({text}) // {below}" if len(terms) > 1 else f"{text} // {below}"


def _monomial(mono: Sequence[tuple[str, int]], coef: Fraction, names: Mapping[str, str]) -> str:
    factors = []
    for name, power in mono:
        if isinstance(name, Smaller):
            base = f"min({', '.join(dimension_code(part, names) for part in name.parts)})"
        else:
            base = names[name]
        factors.append(base if power == 1 else f"{base}**{power}")
    if abs(coef) != 1 or not factors:
        factors.insert(0, str(abs(coef)))
    return ("-" if coef < 0 else "") + "*".join(factors)


def solution_code(dim: Dim, symbol: str, value: str, names: Mapping[str, str]) -> str | None:
    """The symbol as Python, where the dimension has this value; None unless it is of degree 1 or 2 in the symbol.

    >>> from indexcalc.index import dim
    >>> solution_code(dim("n*m - m"), "n", "v", {"n": "n", "m": "m"})
    '(v - (-m)) // m'
    >>> solution_code(dim("n*(n + 1)/2"), "n", "v", {"n": "n"}), solution_code(dim("n**2"), "n", "v", {"n": "n"})
    ('(math.isqrt(8*v + 1) - 1) // 2', 'math.isqrt(v)')
    """
    powers = [power for mono, _ in dim.terms for name, power in mono if name == symbol]
    if not dim.plain or max(powers) > 2:
        return None
    try:
        rest, one, two = (substitute(dim, {symbol: k}) for k in range(3))
    except DimensionError:  # a coefficient that is no whole number
        return None
    curve = two - 2 * one + rest
    if curve == 0:
        below = dimension_code(one - rest, names)
        above = value if rest == 0 else f"({value} - ({dimension_code(rest, names)}))"
        return above if below == "1" else f"{above} // {below if below.isalnum() else f'({below})'}"
    if isinstance(curve, int) and isinstance(rest, int) and isinstance(one, int):
        slope = 2 * (one - rest) - curve
        if (curve, slope, rest) == (2, 0, 0):
            return f"math.isqrt({value})"
        inner = f"{8 * curve}*{value} + {slope**2 - 8 * curve * rest}"
        return f"(math.isqrt({inner}) - {slope}) // {2 * curve}".replace("- -", "+ ")
    return None
