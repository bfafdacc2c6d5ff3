"""EntryWriter as SymPy's: `IndexedBase` with symbols as indices, and a `Sum` for each label that is summed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from indexcalc.errors import Asked, NotationError
from indexcalc.functions.table import ELEMENTWISE
from indexcalc.graph.node import (
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
    Variable,
    topological,
)
from indexcalc.graph.ranges import Range, one_entry, range_of
from indexcalc.index import Dimension, unknown
from indexcalc.interop.spellings import ALONG, condition, entry
from indexcalc.interop.sympy_names import dimension_of, index_of, number_of, scalar_of

LETTERS = "ijklmnpqrstuvwxyz"


class EntryWriter:
    """Writes the entry of a node at named indices; `names` are those of the root's axes."""

    def __init__(self, sp: Any, asked: Asked, names: Sequence[str]) -> None:
        self.sp, self.asked, self.names = sp, asked, names

    def of(self, root: Node) -> Any:
        """The entry of the root."""
        words = {word for node in topological([root]) for word in _words(node)}
        for name in words.intersection(self.names):
            found = f"{name} is an index and also a tensor or a size, which SymPy cannot tell apart"
            raise NotationError(self.asked, found, f"rename it: .rename({{{name}: ic.index('i')}})")
        taken = {*self.names, *words}
        self.fresh = (name for name in _letters() if name not in taken)
        return self._entry(root, [index_of(self.sp, name) for name in self.names])

    def _entry(self, node: Node, at: Sequence[Any]) -> Any:
        return ENTRIES[type(node)](self, node, at)

    def variable(self, node: Variable, at: Sequence[Any]) -> Any:
        """An entry of a tensor, or a symbol."""
        if not node.shape:
            return scalar_of(self.sp, node)
        return self.sp.IndexedBase(node.label, shape=tuple(map(self._size, node.shape)))[tuple(at)]

    def total(self, node: Sum, at: Sequence[Any]) -> Any:
        """A sum of entries."""
        terms = [number_of(self.sp, t.coef) * self._entry(t.node, [at[x] for x in t.labels]) for t in node.terms]
        return self.sp.Add(*terms)

    def matrix(self, node: Matrix, at: Sequence[Any]) -> Any:
        """A function of matrices has no entries in SymPy."""
        raise self._refuse(f"{node.fn} of a matrix among entries", "write it in matrix notation, as an Array")

    def regroup(self, node: Regroup, at: Sequence[Any]) -> Any:
        """Nor have joined axes."""
        raise self._refuse("axes joined or split among entries", "index what was joined")

    def call(self, node: Call, at: Sequence[Any]) -> Any:
        """Nor have abstract functions of arrays."""
        raise self._refuse(f"abstract function of arrays, as {node.name} is", "write the function out")

    def definition(self, node: Definition, at: Sequence[Any]) -> Any:
        """A named step is opened."""
        return self._entry(node.child, at)

    def _size(self, dim: Dimension) -> Any:
        if unknown(dim):
            raise self._refuse("index of unknown dimension", "give it: ic.delta(i, j, dim=n)")
        return dimension_of(self.sp, dim)

    def _refuse(self, what: str, instead: str) -> NotationError:
        return NotationError(self.asked, f"SymPy has no {what}", instead)

    # -------------------------------------------------------------- kinds

    def product(self, node: Product, at: Sequence[Any]) -> Any:
        """A product of entries, summed."""
        sp = self.sp
        made, place = number_of(sp, node.coef), dict[int, Any]()
        for label, index in zip(node.out, at, strict=True):
            if place.setdefault(label, index) != index:
                made *= sp.KroneckerDelta(place[label], index)
        factors, picks = [], []
        for factor in node.factors:
            found = picked(factor.node) if factor.exponent == 1 else None
            picks += [] if found is None else [(found, factor.labels)]
            factors += [factor] if found is None else []
        left = self._moved(picks, place)
        bound, used = [], {label for factor in factors for label in factor.labels}
        ends = {labels[-1] for _, labels in left}
        for label, dim in sorted(enumerate(node.sizes), key=lambda pair: pair[0] in ends):
            if label in place:
                continue
            if label not in used and label not in {label for _, labels in left for label in labels}:
                made *= self._size(dim)
                continue
            place[label] = index_of(sp, next(self.fresh))
            bound.append((place[label], 0, self._size(dim) - 1))
            left = self._moved(left, place)
        body = sp.Integer(1)
        for found, labels in left:
            body *= sp.KroneckerDelta(place[labels[-1]], self._entry_of(found, labels, place))
        held = []
        for factor in factors:
            entry_of = self._entry(factor.node, [place[x] for x in factor.labels])
            if selects(factor.node) and factor.exponent == 1:
                held.append(condition(sp, entry_of))
            else:
                body *= entry_of ** number_of(sp, factor.exponent)
        body = sp.Piecewise((body, sp.And(*held)), (0, True)) if held else body
        return made * (sp.Sum(body, *bound) if bound else body)

    def _moved(self, picks: list[Any], place: dict[int, Any]) -> list[Any]:
        """Gives the labels that a selection picks their places, as far as those are known; the selections left."""
        left = list(picks)
        for one in picks:
            found, labels = one
            if labels[-1] not in place and all(label in place for label in labels[:-1]):
                place[labels[-1]] = self._entry_of(found, labels, place)
                left.remove(one)
        return left if len(left) == len(picks) else self._moved(left, place)

    def _entry_of(self, found: Range, labels: Sequence[int], place: dict[int, Any]) -> Any:
        """The entry that a selection picks."""
        start = self._size(found.start)
        return start if len(labels) == 1 else start + found.step * place[labels[0]]

    def constant(self, node: Constant, at: Sequence[Any]) -> Any:
        """An entry of a known tensor."""
        found = picked(node)
        if found is not None:
            return self.sp.KroneckerDelta(at[-1], self._entry_of(found, range(node.order), dict(enumerate(at))))
        if node.label == "tril":
            (row, column), above = at, sum(node.params)
            held = self.sp.Lt(column, row) if above == -1 else self.sp.Le(column, row + above)
            return self.sp.Piecewise((1, held), (0, True))
        if node.label == "epsilon":
            return self.sp.LeviCivita(*at)
        if node.label == "pi":
            return self.sp.pi
        raise self._refuse(f"known tensor {node.label}", "write what it means, by deltas or a Piecewise")

    def elementwise(self, node: Elementwise, at: Sequence[Any]) -> Any:
        """A function of entries."""
        args = [self._entry(arg.node, [at[x] for x in arg.labels]) for arg in node.args]
        return entry(self.sp, node.fn, [*(number_of(self.sp, value) for value in node.params), *args])

    def reduction(self, node: Reduction, at: Sequence[Any]) -> Any:
        """A function along axes; those of matrices have no entries in SymPy."""
        if node.fn not in ALONG:
            raise self._refuse(f"{node.fn} of a matrix among entries", "write it in matrix notation, as an Array")
        if node.params:
            raise self._refuse(f"{node.fn} with parameters", "write the sum out")
        sp, left = self.sp, iter(at)
        own = {axis: sp.Dummy() for axis in node.axes}  # the indices may be expressions, which nothing replaces
        there = {axis: next(left) for axis in range(node.child.order) if node.keeps or axis not in node.axes}
        body = self._entry(node.child, [own.get(axis, there.get(axis)) for axis in range(node.child.order)])

        def total(x: Any, made: Any = sp.Sum) -> Any:
            bound = {own[axis]: index_of(sp, next(self.fresh)) for axis in node.axes}
            lasts = [self._size(node.child.dims[axis]) - 1 for axis in node.axes]
            return made(x.xreplace(bound), *[(one, 0, last) for one, last in zip(bound.values(), lasts, strict=True)])

        made = ALONG[node.fn](sp, body, total)
        return made.xreplace({own[axis]: there[axis] for axis in node.axes}) if node.keeps else made


ENTRIES: dict[type[Node], Callable[[EntryWriter, Any, Sequence[Any]], Any]] = {
    Variable: EntryWriter.variable,
    Product: EntryWriter.product,
    Sum: EntryWriter.total,
    Constant: EntryWriter.constant,
    Regroup: EntryWriter.regroup,
    Elementwise: EntryWriter.elementwise,
    Reduction: EntryWriter.reduction,
    Matrix: EntryWriter.matrix,
    Call: EntryWriter.call,
    Definition: EntryWriter.definition,
}


def selects(node: Node) -> bool:
    """Is this 1 or 0 by a condition? Where it is 0 a product is 0, even if another factor has no value.

    >>> from indexcalc.graph.constructors import constant
    >>> selects(constant("tril", [3, 3])), selects(constant("pi"))
    (True, False)
    """
    if isinstance(node, Elementwise):
        return ELEMENTWISE[node.fn].condition
    return isinstance(node, Constant) and node.label == "tril"


def picked(node: Node) -> Range | None:
    """What a known tensor picks of its last axis: one entry, or those of a slice along its first; None for another.

    >>> from indexcalc.graph.constructors import constant
    >>> picked(constant("unit", [5], (2,)))
    Range(start=2, step=1, size=1, length=5)
    """
    if isinstance(node, Constant) and node.label == "unit" and node.order == 1:
        return one_entry(node.params[0], node.dims[0])
    return range_of(node)


def _words(node: Node) -> set[str]:
    """Names that an index must not have: those of scalars and of dimensions."""
    words = {node.label} if isinstance(node, Variable) else set()
    sizes = node.sizes if isinstance(node, Product) else node.dims
    return words | {name for dim in sizes if not isinstance(dim, int) for name in dim.symbols}


def _letters() -> Any:
    yield from LETTERS
    for number in count(1):
        yield from (f"{letter}{number}" for letter in LETTERS)
