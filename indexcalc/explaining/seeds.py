"""Open derivatives in text: an entry of a seed, `∂u[i,k,l]`, as the derivative that it stands for, `∂u[i]/∂W[k,l]`."""

from __future__ import annotations

import re

TOKEN = re.compile(r"\\mathrm\{[^}]*\}|\\[A-Za-z]+ ?|[A-Za-z0-9](?:_\{?\d+\}?)?'*|,")
"""A subscript in LaTeX, or the comma after it."""


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


def opened_latex(latex: str, name: str, count: int) -> str:
    r"""The same in LaTeX.

    >>> print(opened_latex(r"\text{∂u}_{ikl}", "W", 2))
    \frac{\partial u_{i}}{\partial W_{kl}}
    """

    def opened(match: re.Match[str]) -> str:
        labels = [x for x in TOKEN.findall(match.group(2) or "") if x != ","]
        over, under = labels[: len(labels) - count], labels[len(labels) - count :]
        top = rf"\partial {match.group(1)}" + (f"_{{{''.join(over)}}}" if over else "")
        return rf"\frac{{{top}}}{{\partial {name}" + (f"_{{{''.join(under)}}}" if under else "") + "}"

    return re.sub(r"(?:\\text\{)?∂(\w+)\}?(?:_\{([^}]*)\})?", opened, latex)
