"""Nodes modulo primes near 2**31: exact, so what is equal there at random entries is equal.

A rational expression that is not zero vanishes at a random point modulo p with a probability of at most its degree over
p (J. Schwartz, Fast probabilistic algorithms for verification of polynomial identities, 1980; R. Zippel, 1979).
Inverse, determinant and adjugate are made by elimination, the pseudo-inverse from factors of full rank. What is not
rational, an exponential say, is an unknown: a random number that depends on the function and on the residues of its
arguments alone. So `exp(a + b)` is `exp(b + a)`, which proves that they are equal; that `exp(a)*exp(b)` comes out as
another number proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from hashlib import blake2b
from typing import Any

import numpy as np

from indexcalc.engine.bind.constants import known
from indexcalc.engine.bind.inputs import number_of
from indexcalc.equality.arithmetic import Arithmetic, Array
from indexcalc.equality.points import pattern_of
from indexcalc.functions.rational import ZeroDivisor, inverse, multiplied
from indexcalc.functions.table import elementwise_row, matrix_row, reduction_row
from indexcalc.graph.constructors import variable
from indexcalc.graph.edge import symmetry_of
from indexcalc.graph.node import (
    NO_SYMMETRY,
    Call,
    Constant,
    Definition,
    Elementwise,
    Matrix,
    Node,
    Product,
    Reduction,
    Regroup,
    Sum,
    Symmetry,
    Variable,
    topological,
)
from indexcalc.graph.numbers import Number
from indexcalc.index import Dimension, size

PRIMES = (2**31 - 1, 2**31 - 19)
"""Two primes whose residues multiply within 63 bits."""
DRAWS = 2
"""Random points for each prime: independent of each other, so their errors multiply."""
LARGEST_EXPONENT = 1 << 20
"""Higher powers are indeterminates: squaring takes 20 products up to this."""


class Undecided(Exception):
    """Something has no residue, and is no unknown either."""


class Residues(Arithmetic):
    """Residues at `DRAWS` random points for each prime.

    >>> from indexcalc.graph.constructors import einsum, variable
    >>> x = variable("x", ())
    >>> at = Residues({}, seed=0)
    >>> bool((at.run([einsum(1, [(x, (), -1), (x, ())], ())])[einsum(1, [(x, (), -1), (x, ())], ())] == 1).all())
    True
    """

    def __init__(self, sizes: Mapping[str, int], seed: int) -> None:
        super().__init__(sizes, DRAWS * len(PRIMES))
        self.primes = np.repeat(np.array(PRIMES, np.int64), DRAWS)
        self.seed = seed

    def _moduli(self, array: Array) -> Array:
        return self.primes.reshape(-1, *(1,) * (array.ndim - 1)) if array.ndim else self.primes

    def reduced(self, array: Array) -> Array:
        """The residues of an array of integers, the points first."""
        return np.asarray(array % self._moduli(array))

    # -------------------------------------------------------------- numbers

    def number(self, value: Number) -> Any:
        """The residue of an exact number at each point; a float is the fraction that it is."""
        if isinstance(value, complex):
            raise Undecided("a complex number")
        exact = Fraction(value)
        return np.array([exact.numerator * pow(exact.denominator, -1, int(p)) % int(p) for p in self.primes], np.int64)

    def times(self, one: Array, other: Array) -> Array:
        """The product, entry by entry; a number is one for each point."""
        one, other = (self._spread(a, max(one.ndim, other.ndim)) for a in (one, other))
        return self.reduced(one * other)

    def _spread(self, array: Array, order: int) -> Array:
        return array.reshape(len(array), *(1,) * (order - 1)) if array.ndim == 1 else array

    def total(self, array: Array, axes: tuple[int, ...]) -> Array:
        """The sum along axes."""
        return self.reduced(array.sum(axis=axes))

    def plus(self, one: Array, other: Array) -> Array:
        """The sum of two arrays."""
        return self.reduced(one + other)

    def power(self, array: Array, exponent: Number) -> Array:
        """Whole powers; any other one is an unknown."""
        if exponent == 1:
            return array
        if isinstance(exponent, Fraction):
            return self.power(self.unknown(f"root {exponent.denominator}", [array]), exponent.numerator)
        if not isinstance(exponent, int):
            return self.unknown(f"power {exponent!r}", [array])
        if exponent < 0 and not array.all():
            raise ZeroDivisor
        whole = np.broadcast_to(self._moduli(array), array.shape).ravel().tolist()
        flat = [pow(v, exponent, p) for v, p in zip(array.ravel().tolist(), whole, strict=True)]
        return np.array(flat, np.int64).reshape(array.shape)

    # -------------------------------------------------------------- tensors

    def _random(self, text: str, shape: tuple[int, ...]) -> Array:
        key = int.from_bytes(blake2b(f"{self.seed} {text}".encode(), digest_size=8).digest(), "little")
        drawn = np.random.default_rng(key).integers(1, PRIMES[-1], (self.count, *shape), dtype=np.int64)
        return self.reduced(drawn)

    def variable(self, node: Variable) -> Array:
        """Random entries that are what was declared: linear structure, orthogonal by Cayley, rows that sum to 1."""
        shape = tuple(size(dim, self.sizes) for dim in node.dims)
        words = node.assumptions
        drawn = self._random(node.digest.hex(), shape)
        if words & {"mask", "onehot"}:
            raise Undecided("0 and 1 are too few numbers")
        if "orthogonal" in words:
            if symmetry_of(node) != NO_SYMMETRY or len(words & STRUCTURED) > 1:
                raise Undecided("orthogonal, and more")
            return self._orthogonal(drawn)
        source, sign = pattern_of(node, shape)
        if source is not None:
            flat = drawn.reshape(self.count, -1)[:, source] * sign.astype(np.int64)
            drawn = self.reduced(flat.reshape(self.count, *shape))
        if "stochastic" in words:
            if source is not None:
                raise Undecided("stochastic, and more")
            total = self.total(drawn, (drawn.ndim - 1,))[..., None]
            drawn = self.times(drawn, self.power(np.broadcast_to(total, drawn.shape), -1))
        return drawn

    def _orthogonal(self, drawn: Array) -> Array:
        """(1 - K)(1 + K)^-1 of a skew K, columns turned at random: determinants of both signs."""
        rows = []
        for matrix, p in zip(drawn, self.primes.tolist(), strict=True):
            lower = np.tril(matrix, -1)
            skew, one = (lower - lower.T) % p, np.eye(len(matrix), dtype=np.int64)
            cayley = multiplied((one - skew) % p, inverse((one + skew) % p, p), p)
            rows.append(cayley * np.where(np.diag(matrix) % 2 == 0, 1, -1) % p)
        return np.asarray(rows)

    def constant(self, node: Constant, shape: tuple[int, ...]) -> Array:
        """The entries of a known tensor, which are whole or half; pi is an unknown."""
        if node.label == "pi":
            return self._random("pi", shape)
        doubled = 2 * known(node.label, shape, np.dtype(float), self.params(node))
        whole = np.round(doubled).astype(np.int64)
        if not np.array_equal(whole, doubled):
            raise Undecided(node.label)
        spread = self.reduced(np.broadcast_to(whole, (self.count, *shape)))
        return self.times(spread, self.number(Fraction(1, 2)))

    # -------------------------------------------------------------- functions

    def unknown(self, text: str, args: Sequence[Array]) -> Array:
        """A random number for each entry, which depends on the text and the residues of the arguments there."""
        mixed = np.full(np.broadcast_shapes(*(a.shape for a in args)), _key(f"{self.seed} {text}"), np.uint64)
        with np.errstate(over="ignore"):
            for arg in args:
                mixed = _scattered(mixed ^ _scattered(arg.astype(np.uint64) + GOLDEN))
        return self.reduced((mixed >> np.uint64(2)).astype(np.int64))

    def elementwise(self, node: Elementwise, args: list[Array]) -> Array:
        """An unknown, but for whole powers."""
        if elementwise_row(node.fn).whole:
            exponent = whole_number(node.args[1].node, self.sizes)
            if exponent is not None and abs(exponent) < LARGEST_EXPONENT:
                return self.power(args[0], exponent)
        return self.unknown(f"{node.fn} {node.params}", args)

    def reduction(self, node: Reduction, x: Array) -> Array:
        """Products, and rational functions of matrices; any other is an unknown of the whole slice."""
        axes = tuple(1 + axis for axis in node.axes)
        slices = np.moveaxis(x, axes, range(x.ndim - len(axes), x.ndim))
        lead, own = slices.shape[: x.ndim - len(axes)], slices.shape[x.ndim - len(axes) :]
        absolute = reduction_row(node.fn).absolute
        rational = reduction_row(absolute or node.fn).rational
        if rational is not None:
            primes = np.broadcast_to(self._moduli(np.empty(lead)), lead).ravel().tolist()
            parts = zip(slices.reshape(-1, *own), primes, strict=True)
            made = [rational.residues(part.reshape(own), p, *node.params) for part, p in parts]
            value = np.asarray(made, np.int64).reshape(*lead, *(own if node.keeps else ()))
            if absolute:
                return self.unknown(node.fn, [self.times(value, value)])
            return np.moveaxis(value, range(len(lead), len(lead) + len(axes)), axes) if node.keeps else value
        flat = slices.reshape(*lead, -1)
        text = f"{node.fn} {node.params}"
        whole = (
            self.unknown(text, [flat[..., k] for k in range(flat.shape[-1])])
            if flat.shape[-1]
            else np.zeros(lead, np.int64)
        )
        if not node.keeps:
            return whole
        value = np.stack([self.unknown(f"{text} {k}", [whole]) for k in range(flat.shape[-1])], axis=-1)
        return np.moveaxis(value.reshape(*lead, *own), range(len(lead), x.ndim), axes)

    def matrix(self, node: Matrix, args: list[Array]) -> Array:
        """Whole powers, and slopes that are rational; any other one is an unknown of all its arguments."""
        params = self.params(node)
        rational = matrix_row(node.fn).rational
        found = None if rational is None else rational.slope if node.times else rational.residues
        if found is None or node.times > 1 or not all(isinstance(value, int) for value in params):
            return self._whole(node, f"{node.fn} {params} {node.times}", args)
        lead, own = args[0].shape[:-2], args[0].shape[-2:]
        primes = np.broadcast_to(self._moduli(np.empty(lead)), lead).ravel().tolist()
        parts = zip(args[0].reshape(-1, *own), primes, strict=True)
        made = np.asarray([found(part, p, *params) for part, p in parts], np.int64)
        value = made.reshape(*lead, *made.shape[1:])
        for direction in args[1:]:
            terms = self.times(value, direction[..., None, None, :, :])
            value = self.reduced(self.reduced(terms.sum(axis=-1)).sum(axis=-1))
        return value

    def call(self, node: Call, args: list[Array]) -> Array:
        """An unknown of all its arguments, sample by sample."""
        lead = len(node.batch) + 1
        flat = [a.reshape(*a.shape[:lead], -1) for a in args]
        parts = [a[..., k] for a in flat for k in range(a.shape[-1])]
        key = self.unknown(f"{node.function.content} {node.orders}", parts)
        return self._entries(key, node.function.dims(node.orders), node.own_symmetry)

    def _whole(self, node: Node, text: str, args: Sequence[Array]) -> Array:
        flat = [a.reshape(self.count, -1)[:, k] for a in args for k in range(a.reshape(self.count, -1).shape[1])]
        key = self.unknown(text, flat) if flat else self._random(text, ())
        return self._entries(key, node.dims, symmetry_of(node))

    def _entries(self, key: Array, dims: Sequence[Dimension], rule: Symmetry) -> Array:
        """Unknown entries along axes of these dimensions, with this symmetry, for each entry of the key."""
        shape = tuple(size(dim, self.sizes) for dim in dims)
        count = int(np.prod(shape, dtype=int))
        value = self.unknown("entry", [key[..., None], np.broadcast_to(np.arange(count), (*key.shape, count))])
        source = _settled(rule, shape)
        if source is not None:
            value = value[..., source]
        return value.reshape(*key.shape, *shape)


def _settled(rule: Any, shape: tuple[int, ...]) -> Any:
    """For each entry the place of the one that it equals by the symmetry of a node, if there is one."""
    if rule == NO_SYMMETRY or not shape:
        return None
    source, _ = pattern_of(_like(shape, rule), shape)
    return source


@cache
def _like(shape: tuple[int, ...], rule: Any) -> Variable:
    return variable("entries", shape, (), rule)


STRUCTURED = {"orthogonal", "stochastic", "diagonal", "lower", "upper", "toeplitz", "hankel", "circulant", "positive"}
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _key(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def _scattered(value: Array) -> Array:
    """The bits scattered: the finalizer of splitmix64 (G. Steele, D. Lea, C. Flood, 2014)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(value ^ (value >> np.uint64(31)))


def whole_number(node: Node, sizes: Mapping[str, int]) -> int | None:
    """The whole number that a node without tensors stands for at these sizes, `n - 1` say; None for any other.

    >>> from indexcalc.graph.constructors import dimension
    >>> from indexcalc.index import dim
    >>> whole_number(dimension(dim("n")), {"n": 3})
    3
    """
    values: dict[Node, Fraction] = {}
    for inner in topological([node]):
        if isinstance(inner, Product) and not inner.order:
            if any(not isinstance(f.exponent, int) for f in inner.factors) or not _is_exact(inner.coef):
                return None
            value = Fraction(inner.coef)  # type: ignore[arg-type]
            for f in inner.factors:
                if not values[f.node] and f.exponent < 0:  # type: ignore[operator]
                    return None
                value *= values[f.node] ** int(f.exponent)  # type: ignore[arg-type]
            for dim in inner.sizes:
                value *= number_of(dim, sizes)
            values[inner] = value
        elif isinstance(inner, Sum) and not inner.order and all(_is_exact(term.coef) for term in inner.terms):
            values[inner] = sum((Fraction(t.coef) * values[t.node] for t in inner.terms), Fraction(0))  # type: ignore[arg-type]
        else:
            return None
    found = values[node]
    return int(found) if found.denominator == 1 else None


def _is_exact(value: Number) -> bool:
    return isinstance(value, int | Fraction)


def has_exact_numbers(roots: Sequence[Node]) -> bool:
    """Are all numbers in these integers and fractions?

    >>> from indexcalc.graph.constructors import einsum
    >>> has_exact_numbers([einsum(2, [], ())]), has_exact_numbers([einsum(0.1, [], ())])
    (True, False)
    """
    return all(_is_exact(value) for node in topological(roots) for value in _numbers(node))


def _numbers(node: Node) -> Iterator[Number]:
    if isinstance(node, Product):
        yield node.coef
        yield from (f.exponent for f in node.factors)
    elif isinstance(node, Sum):
        yield from (term.coef for term in node.terms)


def is_rational(roots: Sequence[Node]) -> bool:
    """Are these made of exact numbers, tensors, sums, products, whole powers and rational functions of matrices alone?

    >>> from indexcalc.graph.constructors import elementwise, variable
    >>> is_rational([elementwise("exp", [(variable("x", ()), ())], ())])
    False
    """
    return all(_is_exact_here(node) for node in topological(roots))


def _is_exact_here(node: Node) -> bool:
    match node:
        case Product():
            return _is_exact(node.coef) and all(isinstance(f.exponent, int) for f in node.factors)
        case Sum():
            return all(_is_exact(term.coef) for term in node.terms)
        case Elementwise():
            return elementwise_row(node.fn).whole and not variables_below(node.args[1].node)
        case Reduction():
            return reduction_row(node.fn).rational is not None
        case Matrix():
            rational = matrix_row(node.fn).rational
            return rational is not None and (not node.times or (rational.slope is not None and node.times == 1))
        case Constant():
            return node.label != "pi"
        case Call():
            return False
        case Variable() | Regroup() | Definition():
            return True
    raise AssertionError(node.kind)


def variables_below(node: Node) -> bool:
    """Does a tensor occur in it?"""
    return any(isinstance(inner, Variable) for inner in topological([node]))
