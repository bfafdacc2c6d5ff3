"""Where a bracket goes when mathematics is printed, decided in one place for both notations, as text and as LaTeX.

A text has a level, how tightly it binds; where something tighter is wanted, it is put in brackets. Python's source has
levels of its own, with a sign between product and power (`engine/emit/python_text.py`), and the same rule.
"""

from __future__ import annotations

from indexcalc.writing.syntax import Piece, Plus, Power, Size, Times, Total

COMPARISON, SUM, PRODUCT, POWER, ATOM = range(-1, 4)
"""How tightly a text binds: levels, of which only the order counts."""
ROUND, TALL = "({})", r"\left({}\right)"
"""The brackets of text and of LaTeX."""


def wrapped(text: str, level: int, wanted: int, bracket: str = ROUND) -> str:
    r"""The text where this level is wanted: in brackets if its own is lower.

    >>> wrapped("a + b", SUM, PRODUCT), wrapped("a*b", PRODUCT, SUM), wrapped("x^{2}", POWER, ATOM, TALL)
    ('(a + b)', 'a*b', '\\left(x^{2}\\right)')
    """
    return text if level >= wanted else bracket.format(text)


def level_of(piece: Piece) -> int:
    """How tightly a piece binds, unless it is set in a way of its own: a sum as a call, a root with its sign.

    >>> from indexcalc.writing.syntax import Named
    >>> level_of(Named("x", ("i",))) == ATOM, level_of(Plus((Named("x"), Named("y")))) == SUM
    (True, True)
    """
    if isinstance(piece, Plus):
        return SUM
    if isinstance(piece, Size):
        return ATOM if str(piece.value).isidentifier() else SUM
    if isinstance(piece, Times | Total):
        return PRODUCT
    return POWER if isinstance(piece, Power) else ATOM
