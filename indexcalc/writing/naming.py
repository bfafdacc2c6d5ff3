"""Parts with names: what is long and occurs twice is written once, `P @ V with P = softmax(Q @ K.T, axis=1)`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import count

from indexcalc.functions.table import REDUCTIONS

LETTERS = {0: ("s", "c", "r", "q", "h"), 1: ("u", "v", "w", "z", "p"), 2: ("C", "R", "M", "U", "V", "Z")}
"""Names of parts by their order: those that people give."""
OWN = {name: row.letter for name, row in REDUCTIONS.items() if row.letter}
"""Names that people give to values of functions."""
MANY = 5
"""Of more parts than that none is told apart by its letter: they are numbered. An arbitrary limit."""


def part_names(parts: Sequence[tuple[str, int]], taken: Collection[str]) -> list[str]:
    """Names for parts, each a function (or "") and an order, that nothing else has.

    >>> part_names([("softmax", 2), ("", 0), ("", 4)], {"s"})
    ['P', 'c', 't1']
    """
    used, names = set(taken), []
    for head, order in parts:
        own: Iterable[str] = () if len(parts) > MANY else ((OWN[head],) if head in OWN else ()) + LETTERS.get(order, ())
        name = next((name for name in own if name not in used), None)
        names.append(name or next(name for k in count(1) if (name := f"t{k}") not in used))
        used.add(names[-1])
    return names


def with_parts(body: str, parts: Sequence[str]) -> str:
    """A text with the definitions of its parts, `name = value`, each before it is used by another.

    >>> with_parts("C @ x", ["C = inv(A)"])
    'C @ x with C = inv(A)'
    """
    return f"{body} with {', '.join(parts)}" if parts else body


def with_parts_latex(body: str, parts: Sequence[str]) -> str:
    r"""The same in LaTeX.

    >>> print(with_parts_latex(r"C \, x", ["C = A^{-1}"]))
    C \, x \quad \text{with } C = A^{-1}
    """
    return body + r" \quad \text{with } " + r",\; ".join(parts) if parts else body
