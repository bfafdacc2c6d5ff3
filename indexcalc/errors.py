"""The errors of the library: what was asked, what was found, what to write instead.

Every error is an `IndexCalcError`, and also the built-in error that a Python user would expect there (`ValueError` for
a value that does not fit, `TypeError` for a thing of the wrong kind).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from difflib import get_close_matches

LONGEST = 400
"""Characters of an expression that an error quotes, five lines of a terminal: an arbitrary budget; a longer one is cut
in the middle."""


class Asked:
    """What was asked, as text that is made only when an error needs it: an expression may be long."""

    def __init__(self, text: Callable[[], str]) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text()


class IndexCalcError(Exception):
    """What all errors of indexcalc have in common: three parts, `asked`, `found` and `instead`.

    What was asked becomes text when somebody reads the error: many are caught unread, and an expression may be long.
    """

    def __init__(self, asked: str | Asked, found: str, instead: str = "") -> None:
        super().__init__()
        self._asked, self.found, self.instead = asked, shorten(found), instead

    @property
    def asked(self) -> str:
        """What was asked."""
        if isinstance(self._asked, Asked):
            self._asked = str(self._asked)
        return shorten(self._asked)

    def __str__(self) -> str:
        lines = [f"{self.asked}: {self.found}" if self.asked else self.found]
        if self.instead:
            lines.append(f"  instead: {self.instead}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        return type(self), (self.asked, self.found, self.instead)


def brief(error: IndexCalcError) -> IndexCalcError:
    """The error without the way it took through the library: its traceback ends below the user's line.

    With `INDEXCALC_TRACEBACK=full` in the environment it is shown, as are other errors always.
    """
    if os.environ.get("INDEXCALC_TRACEBACK") != "full":
        error.__traceback__, error.__suppress_context__ = None, True
    return error


class NotationError(IndexCalcError, ValueError):
    """An expression that breaks a rule of index or matrix notation."""


class DimensionError(IndexCalcError, ValueError):
    """Two axes that meet have different dimensions, or a dimension is not known where it must be."""


class RangeError(DimensionError, NotationError):
    """An index of which nothing tells how far it runs; the error says how to declare its range."""


class NameRefused(IndexCalcError, ValueError):
    """A name that is no identifier, or that already means something."""


class KindError(IndexCalcError, TypeError):
    """A thing of the wrong kind: a NumPy array where an expression is due, say."""


class DerivativeError(IndexCalcError, ValueError):
    """A derivative that is not defined as it was asked for."""


class NoRuleError(IndexCalcError, TypeError):
    """There is no rule for this derivative; the error names the function or the kind of node."""


class LayoutError(IndexCalcError, ValueError):
    """A layout that cannot hold this tensor."""


class InputError(IndexCalcError, ValueError):
    """Numbers given to `evaluate` that do not fit: missing, unknown, of a wrong shape or dtype."""


class ParseError(IndexCalcError, ValueError):
    """Text that cannot be read; the message has the column, what was expected and a suggestion."""


MORE = {"axis": "axes", "index": "indices", "entry": "entries", "matrix": "matrices"}
"""Words that have no s where there are several."""


def counted(count: int, word: str) -> str:
    """So many of something, in words.

    >>> counted(1, "tensor"), counted(0, "tensor"), counted(2, "axis")
    ('1 tensor', '0 tensors', '2 axes')
    """
    return f"{count:,} {word if count == 1 else MORE.get(word, f'{word}s')}"


def shorten(text: str) -> str:
    """The text, cut in the middle if it is long."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} ... {text[-LONGEST // 2 :]}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`did you mean 'W'?`, or the known names, or nothing."""
    names = sorted(set(known))
    close = [known for known in names if known.lower() == name.lower()] or get_close_matches(name, names, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known here: {', '.join(names)}" if names else ""


def among(name: str, known: Iterable[str]) -> str:
    """`did you mean 'W'? known here: W, x`: the close name, if there is one, and all of them."""
    names = sorted(set(known))
    close = did_you_mean(name, names)
    listed = f"known here: {', '.join(names) or 'none'}"
    return f"{close} {listed}" if close.startswith("did") else listed
