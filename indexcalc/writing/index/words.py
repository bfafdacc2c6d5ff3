"""Names for bound indices, and the names that a text has already."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count

from indexcalc.graph.node import Call, Constant, Definition, Node, Product, Regroup, Variable, topological
from indexcalc.index import Dim, Dimension

LETTERS = "ijklmnpqrst"
"""Names of bound indices, in the order in which they are taken."""


def fresh_names(taken: Iterable[str]) -> Iterator[str]:
    """Names for bound indices: i j k l m n p q r s t, then i1 j1 ... s1, i2 ..., without those that are taken."""
    gone = set(taken)
    yield from (letter for letter in LETTERS if letter not in gone)
    for turn in count(1):
        yield from (f"{letter}{turn}" for letter in LETTERS[:-1] if f"{letter}{turn}" not in gone)


def primed(node: Node, name_of: Callable[[str], str], signs: Sequence[str]) -> dict[str, str]:
    """How derivatives of functions of one number are written, by their titles: the function's name, and primes.

    >>> from indexcalc.graph.constructors import call, variable
    >>> from indexcalc.graph.signature import Signature
    >>> primed(call(Signature("f", ((),), ()), (2,), [variable("x", ())]), str, ["", "'", "''"])
    {'D2f': "f''"}
    """
    calls = [inner for inner in topological([node]) if isinstance(inner, Call)]
    times = {inner.name: (inner.function.name, inner.function.primes(inner.orders)) for inner in calls}
    return {title: name_of(name) + signs[count] for title, (name, count) in times.items() if count}


def words(node: Node) -> frozenset[str]:
    """The names that stand in the text of a node already: tensors, functions, definitions, dimensions."""
    found: set[str] = set()
    dims: set[Dimension] = set()
    for inner in topological([node]):
        if isinstance(inner, Variable | Definition | Constant):
            found.add(inner.label)
        elif isinstance(inner, Call):
            found |= {inner.function.name, inner.name}
        whole = isinstance(inner, Product | Regroup)
        dims.update(inner.sizes if whole else (*inner.dims, *getattr(inner, "sizes", ())))
    return frozenset(found.union(*(dim.symbols for dim in dims if isinstance(dim, Dim))))
