"""Open derivatives in text: an entry of a seed, `∂u[i,k,l]`, as the derivative that it stands for, `∂u[i]/∂W[k,l]`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from indexcalc.writing.index.latex import name_latex, scripts_of

TOKEN = re.compile(r"\\mathrm\{[^}]*\}|\\[A-Za-z]+ ?|[A-Za-z0-9](?:_\{?\d+\}?)?'*|,")
"""A subscript in LaTeX, or the comma after it."""
SEED = re.compile(r"\\mathrm\{∂((?:\w|\\_)+)\}(?:_\{((?:[^{}]|\{[^{}]*\})*)\})?")
"""A seed in LaTeX, whose name has more than one letter, with its subscripts; these may be groups themselves."""


def opened_text(text: str, name: str, count: int) -> str:
    """A text whose seeds are derivatives by the tensor of this name, which has `count` axes.

    >>> opened_text("x[i]*∂u[i,k,l]", "W", 2)
    'x[i]*∂u[i]/∂W[k,l]'
    """

    def opened(match: re.Match[str]) -> str:
        labels = (match.group(2) or "").split(",") if match.group(2) else []
        over, under = labels[: len(labels) - count], labels[len(labels) - count :]
        top = f"∂{match.group(1)}" + (f"[{','.join(over)}]" if over else "")
        return f"{top}/∂{name}" + (f"[{','.join(under)}]" if under else "")

    return re.sub(r"∂(\w+)(?:\[([^\]]*)\])?", opened, text)


def opened_latex(latex: str, name: str, count: int, names: Mapping[str, str] | None = None) -> str:
    r"""The same in LaTeX; `names` has the LaTeX of names that say how they are set.

    >>> print(opened_latex(r"\mathrm{∂u}_{ikl}", "W", 2))
    \frac{\partial u_{i}}{\partial W_{kl}}
    """
    known = names or {}

    def opened(match: re.Match[str]) -> str:
        labels = tuple(x for x in TOKEN.findall(match.group(2) or "") if x != ",")
        over, under = labels[: len(labels) - count], labels[len(labels) - count :]
        comma = "," if "," in (match.group(2) or "") else ""
        above, below = (
            _with_labels(known.get(word) or name_latex(word), comma.join(part))
            for word, part in ((match.group(1).replace(r"\_", "_"), over), (name, under))
        )
        return rf"\frac{{\partial {above}}}{{\partial {below}}}"

    return SEED.sub(opened, latex)


def _with_labels(name: str, labels: str) -> str:
    """A name with subscripts that are set; one that has some is put in a group."""
    if not labels:
        return name
    return f"{{{name}}}_{{{labels}}}" if "_" in scripts_of(name) else f"{name}_{{{labels}}}"
