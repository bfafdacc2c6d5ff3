"""Entries: what the rules of functions are written in.

An `Entry` stands for one entry of an array, `node[labels]` within axes of known dimensions, and understands `+ - * /
**`. So a rule reads as in a table of derivatives, `1 - y**2` for tanh, and means the node that has this in every
entry.
"""

from __future__ import annotations

from collections.abc import Sequence

from indexcalc.graph.constructors import addition, einsum, elementwise
from indexcalc.graph.node import Node
from indexcalc.graph.numbers import Number, number
from indexcalc.index import Dimension


class Entry:
    """`node[labels]`, among axes of dimensions `dims`; labels are numbers of these axes."""

    __slots__ = ("dims", "labels", "node")

    def __init__(self, node: Node, labels: Sequence[int], dims: tuple[Dimension, ...]) -> None:
        self.node, self.labels, self.dims = node, tuple(labels), dims

    def _of(self, node: Node, others: Sequence[Entry] = ()) -> Entry:
        return Entry(node, self._span(others), self.dims)

    def _span(self, others: Sequence[Entry]) -> tuple[int, ...]:
        return tuple(sorted({label for entry in (self, *others) for label in entry.labels}))

    def _lift(self, other: Entry | Number) -> Entry:
        return other if isinstance(other, Entry) else Entry(einsum(number(other), (), ()), (), self.dims)

    def __add__(self, other: Entry | Number) -> Entry:
        other = self._lift(other)
        span = self._span([other])
        at = {label: k for k, label in enumerate(span)}
        terms = [(1, e.node, [at[label] for label in e.labels]) for e in (self, other)]
        return self._of(addition(terms, [self.dims[label] for label in span]), [other])

    def __mul__(self, other: Entry | Number) -> Entry:
        if not isinstance(other, Entry):
            return self._of(einsum(number(other), [(self.node, self.labels)], self._span(())))
        return self._of(einsum(1, [(e.node, e.labels) for e in (self, other)], self._span([other])), [other])

    def __pow__(self, exponent: Number) -> Entry:
        return self._of(einsum(1, [(self.node, self.labels, number(exponent))], self._span(())))

    def __neg__(self) -> Entry:
        return self * -1

    def __sub__(self, other: Entry | Number) -> Entry:
        return self + (-other)

    def __truediv__(self, other: Entry | Number) -> Entry:
        return self * self._lift(other) ** -1

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other: Number) -> Entry:
        return -self + other

    def __rtruediv__(self, other: Number) -> Entry:
        return self**-1 * other


def apply(fn: str, *args: Entry, params: tuple[Number, ...] = ()) -> Entry:
    """The elementwise function of this name, of entries.

    >>> from indexcalc.graph.constructors import variable
    >>> x = Entry(variable("x", (3,)), (0,), (3,))
    >>> apply("exp", x).node.fn
    'exp'
    """
    first, *others = args
    span = first._span(others)
    at = {label: k for k, label in enumerate(span)}
    edges = [(e.node, [at[label] for label in e.labels]) for e in args]
    return first._of(elementwise(fn, edges, [first.dims[label] for label in span], params), others)


def scalar_entry(node: Node, like: Entry) -> Entry:
    """A node without axes, among the axes of an entry.

    >>> from indexcalc.graph.constructors import constant, variable
    >>> scalar_entry(constant("pi"), Entry(variable("x", (3,)), (0,), (3,))).labels
    ()
    """
    return Entry(node, (), like.dims)
