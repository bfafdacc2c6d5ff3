"""Equations in LaTeX: a left-hand side with a name, and the environment of a display."""

from __future__ import annotations

from collections.abc import Sequence

from indexcalc.errors import Asked, KindError, did_you_mean
from indexcalc.surface import own_name
from indexcalc.writing.index.latex import name_latex, subscripted

ENVIRONMENTS = {
    "align": "&",
    "align*": "&",
    "aligned": "&",
    "equation": "",
    "equation*": "",
    "gather": "",
    "gather*": "",
}
"""The environments of amsmath, and what stands in each before the sign of equality."""


def left_name(lhs: object, subs: Sequence[str] = ()) -> str:
    r"""The name of a left-hand side with these subscripts; nothing where none is asked for.

    Errors: KindError for what is neither a name nor True or False, NameRefused for a text that is no name.

    >>> print(left_name("loss"), left_name("y", ["j"]))
    \mathrm{loss} y_{j}
    """
    if isinstance(lhs, bool):
        return ""
    return subscripted(name_latex(own_name(lhs, "latex", "L")), tuple(subs))


def equation(left: str, right: str, environment: str | None = None) -> str:
    r"""`left = right`, or the right-hand side alone, in an environment if one is named.

    >>> print(equation("y", "x + 1", "align*"))
    \begin{align*}
    y &= x + 1
    \end{align*}
    """
    sign = "" if environment is None else sign_of(environment)
    line = f"{left} {sign}= {right}" if left else f"{sign}{right}"
    return line if environment is None else surrounded([line], environment)


def sign_of(environment: str) -> str:
    """What stands before the sign of equality in this environment, or an error: it is not known."""
    if environment not in ENVIRONMENTS:
        asked = Asked(lambda: f"latex(environment={environment!r})")
        raise KindError(asked, "no environment of this name", did_you_mean(environment, ENVIRONMENTS))
    return ENVIRONMENTS[environment]


def aligned(lines: Sequence[str], environment: str) -> str:
    r"""Lines whose signs stand below each other, `y &= x`, in an environment that has them so, or an error.

    >>> print(aligned(["a &= b", "c &= d"], "aligned"))
    \begin{aligned}
    a &= b \\
    c &= d
    \end{aligned}
    """
    if not sign_of(environment):
        asked = f"latex(environment={environment!r})"
        raise KindError(asked, "there are several lines, whose signs stand below each other", "write align")
    return surrounded(lines, environment)


def surrounded(lines: Sequence[str], environment: str) -> str:
    """The lines of an environment of LaTeX."""
    return f"\\begin{{{environment}}}\n" + " \\\\\n".join(lines) + f"\n\\end{{{environment}}}"
