"""The kernels of NumPy for the product of two arrays: one row a kernel, with when it applies, its cost and its code.

An operand is stored with its labels in some order, contiguous or not. A kernel gives an expression, the labels of the
result in the order in which it stores them, the seconds that it is expected to take, and the entries that it
copies beside operands and result. The cheapest is taken. The figures are per core and were measured with NumPy 2.4 and
OpenBLAS; only their proportions matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from math import prod
from string import ascii_letters
from typing import NamedTuple

from indexcalc.graph.node import Labels

GEMM, MATMUL, VECTOR, LOOP, STRIDED, MEMORY = 40e9, 14e9, 6e9, 1.6e9, 0.7e9, 1.2e9
"""Operations a second of a matrix product, a batched one, a matrix times a vector; entries a second of einsum's loop
along contiguous and along strided axes; entries a second that are copied."""
START = 8e-9
"""Seconds that einsum's loop takes to begin along its last axis."""
SMALL = 4
"""Rows, columns or entries of a sum: matrices with at most so many are multiplied at a third of the rate."""


class Operand(NamedTuple):
    """An array: the expression that gives it, its labels in stored order, and whether they are contiguous."""

    code: str
    labels: Labels
    contiguous: bool = True


class PairContraction(NamedTuple):
    """Two operands, the labels that stay, and the sizes of all."""

    a: Operand
    b: Operand
    out: frozenset[int]
    sizes: Mapping[int, int]

    def size(self, labels: Iterable[int]) -> int:
        """The number of entries along these labels."""
        return prod(self.sizes[x] for x in labels)

    @property
    def batch(self) -> Labels:
        """The labels that both have and that stay, as the first stores them."""
        return tuple(x for x in self.a.labels if x in self.b.labels and x in self.out)

    @property
    def summed(self) -> Labels:
        """The labels that both have and that are summed, as the first stores them."""
        return tuple(x for x in self.a.labels if x in self.b.labels and x not in self.out)

    @property
    def rows(self) -> Labels:
        """The labels that only the first has."""
        return tuple(x for x in self.a.labels if x not in self.b.labels)

    @property
    def columns(self) -> Labels:
        """The labels that only the second has."""
        return tuple(x for x in self.b.labels if x not in self.a.labels)

    @property
    def turned(self) -> PairContraction:
        """The operands exchanged."""
        return PairContraction(self.b, self.a, self.out, self.sizes)


class Option(NamedTuple):
    """What a kernel offers; `flat` is the shape in which a product of matrices is made, where it is another one."""

    seconds: float
    name: str
    code: str
    labels: Labels
    scratch: int = 0
    flat: tuple[int, ...] = ()


Kernel = Callable[[PairContraction], Option | None]


def choose(pair: PairContraction, wished: Labels | None = None, own: Labels | None = None) -> Option:
    """The cheapest kernel for a product.

    Its result is read best if its order begins as it is wished, if anything is; of equal ones that which gives
    its `own` order.

    >>> x, w = Operand("x", (0, 1)), Operand("w", (1,))
    >>> choose(PairContraction(x, w, frozenset([0]), {0: 50, 1: 20})).code
    'dot(x, w)'
    """
    a, b = pair.a.code, pair.b.code
    one, other = pair.a._replace(code="<a>"), pair.b._replace(code="<a>" if a == b else "<b>")
    plain = all(type(size) is int for size in pair.sizes.values())  # one that knows its text is equal to its number
    find = _chosen if plain else _chosen.__wrapped__
    option = find(one, other, pair.out, tuple(pair.sizes.items()), wished, own)
    return option._replace(code=option.code.replace("<a>", a).replace("<b>", b))


@lru_cache(maxsize=4096)
def _chosen(
    a: Operand,
    b: Operand,
    out: frozenset[int],
    sizes: tuple[tuple[int, int], ...],
    wished: Labels | None,
    own: Labels | None,
) -> Option:
    pair = PairContraction(a, b, out, dict(sizes))
    start = wished or ()
    turned = pair.size(out) / (4 * MEMORY)

    def price(option: Option) -> tuple[float, bool]:
        return option.seconds + turned * (option.labels[: len(start)] != start), option.labels != own

    found = [option for kernel in KERNELS for option in (kernel(pair), kernel(pair.turned)) if option is not None]
    return min(found, key=price)


# ------------------------------------------------------------------ parts of expressions


def viewed(operand: Operand, wanted: Sequence[int], sizes: Mapping[int, int], groups: Sequence[Labels] = ()) -> str:
    """The operand with its axes in this order, and joined into `groups`, if any."""
    code = operand.code
    if tuple(wanted) != operand.labels:
        place = [operand.labels.index(x) for x in wanted]
        code += ".T" if place == list(range(len(place)))[::-1] else f".transpose({', '.join(map(str, place))})"
    if groups and any(len(group) != 1 for group in groups):
        shape = ", ".join(str(prod(sizes[x] for x in group)) for group in groups)
        code += f".reshape({shape})"
    return code


def broadcast(operand: Operand, wanted: Sequence[int]) -> str:
    """The operand with its axes in this order, and unit axes where it lacks one, beside those that it has."""
    own = [x for x in wanted if x in operand.labels]
    code = viewed(operand, own, {})
    if not own:
        return code
    after_first = wanted[list(wanted).index(own[0]) :]
    if list(after_first) == own:
        return code
    return code + "[" + ", ".join(":" if x in operand.labels else "None" for x in after_first) + "]"


def einsum_code(operands: Sequence[Operand], out: Sequence[int]) -> str:
    """NumPy's own loop."""
    number: dict[int, int] = {}
    for x in (*(x for operand in operands for x in operand.labels), *out):
        number.setdefault(x, len(number))
    spec = ",".join("".join(ascii_letters[number[x]] for x in operand.labels) for operand in operands)
    result = "".join(ascii_letters[number[x]] for x in out)
    return f"einsum('{spec}->{result}', {', '.join(operand.code for operand in operands)})"


def _is_view(operand: Operand, groups: Sequence[Labels]) -> bool:
    """Can the axes be joined into these groups, in this order, without a copy?"""
    return all(_adjacent(operand, group) for group in groups if len(group) > 1)


def _adjacent(operand: Operand, group: Labels) -> bool:
    start = operand.labels.index(group[0])
    return operand.contiguous and operand.labels[start : start + len(group)] == group


def _fast_last(operand: Operand, labels: Sequence[int]) -> bool:
    """Is the axis that is stored last among these labels, so that BLAS takes the array as it is?"""
    return operand.contiguous and bool(operand.labels) and operand.labels[-1] in labels


# ------------------------------------------------------------------ the kernels


def by_number(p: PairContraction) -> Option | None:
    """A number times an array."""
    if p.a.labels:
        return None
    size = p.size(p.b.labels)
    return Option(0.5e-6 + size / MEMORY, "multiply", f"multiply({p.b.code}, {p.a.code})", p.b.labels)


def scaled(p: PairContraction) -> Option | None:
    """Entries times those of an array that runs along some of the same axes."""
    if p.summed or not p.b.labels or set(p.b.labels) - set(p.a.labels) or not p.a.labels:
        return None
    size = p.size(p.a.labels)
    inner = p.b.labels and p.b.labels[-1] == p.a.labels[-1]
    seconds = 0.6e-6 + size / (MEMORY if inner else 0.9 * MEMORY)
    code = f"multiply({p.a.code}, {broadcast(p.b, p.a.labels)})"
    return Option(seconds, "multiply", code, p.a.labels)


def outer(p: PairContraction) -> Option | None:
    """Products of all pairs of entries, along shared axes or none; the shared last axis of both stays last."""
    if p.summed or not p.rows or not p.columns:
        return None
    last = p.a.labels[-1] == p.b.labels[-1] and p.sizes[p.a.labels[-1]] > 8
    front = tuple(x for x in p.batch if not last or x != p.a.labels[-1])
    labels = front + p.rows + p.columns + (p.a.labels[-1:] if last else ())
    size = p.size(labels)
    if p.sizes[labels[-1]] >= 4000:
        code = f"multiply({broadcast(p.a, labels)}, {broadcast(p.b, labels)})"
        return Option(0.9e-6 + size / MEMORY, "multiply", code, labels)
    return Option(1.0e-6 + size / (1.4 * MEMORY), "outer", einsum_code([p.a, p.b], labels), labels)


def inner(p: PairContraction) -> Option | None:
    """The sum of products of entries: both arrays are stored alike."""
    if p.batch or p.rows or p.columns or p.a.labels != p.b.labels or not p.a.labels:
        return None
    flat = len(p.a.labels) > 1
    if flat and not (p.a.contiguous and p.b.contiguous):
        return None
    one, other = (x.code + (".ravel()" if flat else "") for x in (p.a, p.b))
    return Option(0.6e-6 + p.size(p.a.labels) / VECTOR, "dot", f"dot({one}, {other})", ())


def dot(p: PairContraction) -> Option | None:
    """A matrix product by BLAS, of axes joined into rows, columns and what is summed; a copy where they lie apart."""
    if p.batch or not p.summed or not (p.rows or p.columns):
        return None
    best: Option | None = None
    for summed in {p.summed, tuple(x for x in p.b.labels if x in p.summed)}:
        copied = 0
        codes = []
        for operand, own in ((p.a, p.rows), (p.b, p.columns)):
            if not _split(operand, own, summed):
                copied += p.size(operand.labels)
            codes.append(_matrix(operand, own, summed, p.sizes, left=operand is p.a))
        rows, columns, inner_size = p.size(p.rows), p.size(p.columns), p.size(p.summed)
        rate = VECTOR if min(rows, columns) <= 2 else GEMM
        work = 2 * rows * columns * inner_size / rate
        if p.a.code == p.b.code and rows == columns >= 50:
            work *= 0.6
        seconds = 0.6e-6 + work + 2 * copied / MEMORY + (rows * columns) / (8 * MEMORY)
        code = f"dot({codes[0]}, {codes[1]})"
        if len(p.rows) > 1 or len(p.columns) > 1:
            shape = ", ".join(str(p.sizes[x]) for x in (*p.rows, *p.columns))
            code += f".reshape({shape})"
        flat = (rows,) * bool(p.rows) + (columns,) * bool(p.columns)
        option = Option(seconds, "dot", code, p.rows + p.columns, copied, flat)
        if best is None or option.seconds < best.seconds:
            best = option
    return best


def _split(operand: Operand, own: Labels, summed: Labels) -> bool:
    """Is the operand stored as a matrix, its own labels on one side and those that are summed on the other?"""
    if len(own) <= 1 and len(summed) <= 1:
        return True
    return operand.contiguous and operand.labels in (own + summed, summed + own)


def _matrix(operand: Operand, own: Labels, summed: Labels, sizes: Mapping[int, int], left: bool) -> str:
    """The operand as a matrix with what is summed last (left) or first; a vector where it has nothing else."""
    if not own:
        return viewed(operand, summed, sizes, (summed,))
    if operand.labels == summed + own and len(own) + len(summed) > 2:
        code = viewed(operand, operand.labels, sizes, (summed, own))
        return f"{code}.T" if left else code
    if operand.labels == own + summed and len(own) + len(summed) > 2:
        code = viewed(operand, operand.labels, sizes, (own, summed))
        return code if left else f"{code}.T"
    groups = (own, summed) if left else (summed, own)
    return viewed(operand, groups[0] + groups[1], sizes, groups)


def one_sided(p: PairContraction) -> Option | None:
    """A matrix times each slice of an array: what is summed lies in its middle."""
    if p.batch or not p.summed or not p.columns or not p.rows:
        return None
    start = p.a.labels.index(p.summed[0])
    front, back = p.a.labels[:start], p.a.labels[start + len(p.summed) :]
    if not front or not back or not p.a.contiguous or p.a.labels != front + p.summed + back:
        return None
    if not _split(p.b, p.columns, p.summed):
        return None
    left = _matrix(p.b, p.columns, p.summed, p.sizes, left=True)
    right = viewed(p.a, p.a.labels, p.sizes, (front, p.summed, back))
    labels = front + p.columns + back
    shape = ", ".join(str(p.sizes[x]) for x in labels)
    code = f"matmul({left}, {right})"
    if len(front) > 1 or len(p.columns) > 1 or len(back) > 1:
        code += f".reshape({shape})"
    work = 2 * p.size(labels) * p.size(p.summed)
    seconds = 1.2e-6 + p.size(front) * 0.12e-6 + work / MATMUL
    return Option(seconds, "matmul", code, labels, 0, (p.size(front), p.size(p.columns), p.size(back)))


def batched(p: PairContraction) -> Option | None:
    """Matrix products for each value of the shared axes, which come first."""
    if not p.batch or not p.summed or not p.rows:
        return None
    columns = p.columns
    count, work = p.size(p.batch), 2 * p.size({*p.a.labels, *p.b.labels})
    seconds, copied = 1.2e-6 + count * 0.035e-6, 0
    codes = []
    for operand, own, left in ((p.a, p.rows, True), (p.b, columns, False)):
        parts = (own, p.summed) if left else (p.summed, own)
        groups = tuple((x,) for x in p.batch) + tuple(part for part in parts if part or not left)
        order = tuple(x for group in groups for x in group)
        ready = _is_view(operand, [g for g in groups if g]) and _fast_last(operand, (*own, *p.summed))
        if not ready:
            copied += p.size(operand.labels)
        code = viewed(operand, order, p.sizes)
        if not ready and order != operand.labels:
            code = f"ascontiguousarray({code})"
        if any(len(group) != 1 for group in groups):
            shape = ", ".join(str(p.size(group)) for group in groups)
            code += f".reshape({shape})"
        codes.append(code)
    smallest = min(p.size(p.rows), p.size(columns) if columns else 1, p.size(p.summed))
    rate = (MATMUL if smallest > SMALL else 5e9) if columns else VECTOR
    seconds += work / rate + 1.2 * copied / MEMORY
    labels = p.batch + p.rows + columns
    code = f"matmul({codes[0]}, {codes[1]})"
    if len(p.rows) != 1 or len(columns) != 1:
        code += f".reshape({', '.join(str(p.sizes[x]) for x in labels)})"
    flat = (*(p.sizes[x] for x in p.batch), p.size(p.rows), *([p.size(columns)] if columns else []))
    return Option(seconds, "matmul", code, labels, copied, flat)


def loop(p: PairContraction) -> Option | None:
    """NumPy's einsum: one loop over all labels; shared axes that are stored last stay last."""
    shared = p.batch
    last = bool(shared) and p.a.labels[-1:] == p.b.labels[-1:] and p.a.labels[-1] in shared
    front = tuple(x for x in shared if not last or x != p.a.labels[-1])
    labels = front + p.rows + p.columns + (p.a.labels[-1:] if last else ())
    points = p.size({*p.a.labels, *p.b.labels})
    innermost = last or p.a.labels[-1:] == p.b.labels[-1:]
    rate = 1.1 * LOOP if innermost else STRIDED
    if len(p.summed) == 1 and not p.rows and innermost and p.summed[0] == p.a.labels[-1]:
        rate = 1.6 * LOOP
    if not p.summed:
        rate = 0.9 * MEMORY
    starts = points / max(1, p.sizes[p.a.labels[-1]]) if p.a.labels else 0
    return Option(1.1e-6 + points / rate + starts * START, "einsum", einsum_code([p.a, p.b], labels), labels)


KERNELS: tuple[Kernel, ...] = (by_number, scaled, outer, inner, dot, one_sided, batched, loop)
