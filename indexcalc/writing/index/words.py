"""Names for bound indices, and the names that a text has already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count

from indexcalc.graph.node import Call, Constant, Definition, Node, Product, Regroup, Variable, topological
from indexcalc.index import Dim

LETTERS = "ijklmnpqrst"
"""Names of bound indices, in the order in which they are taken."""


def fresh_names(taken: Iterable[str]) -> Iterator[str]:
    """Names for bound indices: i j k l m n p q r s t, then i1 j1 ... s1, i2 ..., without those that are taken."""
    gone = set(taken)
    yield from (letter for letter in LETTERS if letter not in gone)
    for turn in count(1):
        yield from (f"{letter}{turn}" for letter in LETTERS[:-1] if f"{letter}{turn}" not in gone)


def words(node: Node) -> frozenset[str]:
    """The names that stand in the text of a node already: tensors, functions, definitions, dimensions."""
    found: set[str] = set()
    for inner in topological([node]):
        if isinstance(inner, Variable | Definition | Constant):
            found.add(inner.label)
        elif isinstance(inner, Call):
            found |= {inner.function.name, inner.name}
        for dim in inner.sizes if isinstance(inner, Product | Regroup) else (*inner.dims, *getattr(inner, "sizes", ())):
            if isinstance(dim, Dim):
                found |= dim.symbols
    return frozenset(found)
