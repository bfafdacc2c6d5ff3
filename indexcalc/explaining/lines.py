"""A derivation as lines: what each says, and how the whole is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from indexcalc import later
from indexcalc.errors import counted
from indexcalc.surface import public
from indexcalc.views.derivatives.derivative import Derivative
from indexcalc.views.view import View
from indexcalc.writing.equation import aligned
from indexcalc.writing.index.latex import name_latex, subscripted
from indexcalc.writing.signs import prose

NAMED = "name what stands inside"
"""The rule of a line that names a part."""
SHOWN = 12
"""Lines of a derivation that are shown; of more the middle folds. People post 3 to 8."""
LONGEST = 160
"""Characters of a formula that are shown in a line, about two lines of a terminal; of a longer one the end is cut."""
WIDEST = 88
"""Columns of a terminal up to which rules stand in one column behind their formulas: the width of a usual line."""


@dataclass(frozen=True, slots=True)
class Line:
    """`left = right`, by a rule. `right` is the expression whose text may leave derivatives open, in full.

    `left` and `right` have equal numbers.
    """

    rule: str
    title: str
    left: View
    right: View
    text: str
    latex_title: str
    latex_text: str

    def __str__(self) -> str:
        return f"{self.title} = {self.text}"


@public
@dataclass(frozen=True, slots=True)
class Explanation:
    """The lines of a derivation; `str` is a text, notebooks show LaTeX."""

    lines: tuple[Line, ...]
    remarks: tuple[str, ...]
    result: View

    def __iter__(self) -> Iterator[Line]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)

    def __str__(self) -> str:
        return self.text()

    def text(self, full: bool = False) -> str:
        """The lines as text. Unless `full`, a long formula is cut, and of more than `SHOWN` lines the middle folds."""
        width = max(len(line.title) for line in self.lines)
        rows = []
        last = ""
        for line in self.lines:
            title = "" if line.title == last else line.title
            formula = line.text
            if not full and len(formula) > LONGEST:
                formula = f"{formula[:LONGEST]}... ({len(line.text)} characters)"
            rows.append((f"{title:<{width}} = {formula}", line.rule))
            last = line.title
        longest = min(WIDEST, max(len(row[0]) for row in rows))
        shown = [f"{text:<{longest}}   [{rule}]" for text, rule in rows]
        if not full and len(shown) > SHOWN:
            head, tail = shown[: SHOWN // 2], shown[-(SHOWN // 2) :]
            shown = [
                *head,
                f"... {counted(len(rows) - len(head) - len(tail), 'line')} more, in .text(full=True)",
                *tail,
            ]
        return "\n".join([*shown, *(f"  note: {remark}" for remark in self.remarks)])

    def __repr__(self) -> str:
        return str(self)

    def latex(self, *, environment: str = "aligned") -> str:
        """The derivation as lines of LaTeX, in an `aligned` block or another environment: `align`, `align*`."""
        names = {v.label: v.latex for line in self.lines for v in line.left.inputs if v.latex}
        rows = []
        last = ""
        for line in self.lines:
            title = "" if line.latex_title == last else line.latex_title
            rows.append(rf"{title} &= {line.latex_text} && \text{{{prose(line.rule, names)}}}")
            last = line.latex_title
        return aligned(rows, environment)

    def diagrams(self) -> later.Strip:
        """The lines as tensor networks, one below the other, each with its rule: `.save("derivation.svg")`."""
        by = {index.name for index in self.result.wrt} if isinstance(self.result, Derivative) else set()
        return later.strip(self.lines, frozenset(by))

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"


def names_met(explanation: Explanation) -> tuple[set[str], set[str]]:
    """The names that a derivation gives to parts, and those that single lines define for themselves, behind `with`."""
    parts = {line.title.partition("[")[0] for line in explanation if line.rule == NAMED}
    own = {name for line in explanation for name in re.findall(r"(?:with|,) (\w+) = ", line.text)}
    return parts, own


def put(lines: list[Line], line: Line) -> None:
    """Add a line, unless it says what the last one says."""
    if not lines or (lines[-1].title, lines[-1].text) != (line.title, line.text):
        lines.append(line)


def latex_title(title: str, names: Mapping[str, str] | None = None) -> str:
    r"""A title in LaTeX: `∂y[j]/∂W[k,l]` as a fraction; `names` has the LaTeX of names that say how they are set.

    >>> print(latex_title("∂loss/∂W[k,l]", {"W": r"\hat{W}"}))
    \frac{\partial \mathrm{loss}}{\partial \hat{W}_{kl}}
    """
    known = names or {}

    def spelled(match: re.Match[str]) -> str:
        word, subs = match.group(1), match.group(2)
        return subscripted(known.get(word) or name_latex(word), tuple(subs.split(",")) if subs else ())

    parts = []
    for part in title.replace("ᵀ", "^").split("/"):
        shown = re.sub(r"(?!vec )\b([^\W\d_]\w*)(?:\[([^\]]*)\])?", spelled, part)
        shown = shown.replace("∂", r"\partial ").replace("^", r"^\top").replace("vec ", r"\operatorname{vec} ")
        parts.append(shown)
    return parts[0] if len(parts) == 1 else rf"\frac{{{parts[0]}}}{{{parts[1]}}}"
