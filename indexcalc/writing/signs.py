"""Signs of texts as LaTeX: what pictures and rules say in letters, where a page of LaTeX has commands."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from indexcalc.writing.index.latex import name_latex, subscripted
from indexcalc.writing.index.text import GREEK

LETTERS = {letter: f"\\{name} " for name, letter in GREEK.items() if letter not in "ΑΒΕΖΗΙΚΜΝΟΡΤΧο"}
SIGNS = {
    "∂": r"\partial ", "·": r"\cdot ", "−": "-", "δ": r"\delta ", "ε": r"\varepsilon ", "ᵀ": r"^{\top}",
    "′": "'", "″": "''", "‴": "'''", "→": r"\to ", "‚": ",", "ᐟ": "/", "≤": r"\leq ", "≥": r"\geq ",
    "_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}", "~": r"\sim ",
    "\\": r"\backslash ", "^": r"\hat{}",
    "∘": r"\circ ", "⊙": r"\odot ", "⊗": r"\otimes ", "ʼ": "'", "×": r"\times ", "∞": r"\infty ", "√": r"\surd ",
}  # fmt: skip
SIGNS |= {letter: tex for letter, tex in LETTERS.items() if letter not in SIGNS}
RUNS = {"super": "⁰¹²³⁴⁵⁶⁷⁸⁹⁻ᐟ", "sub": "₀₁₂₃₄₅₆₇₈₉‚"}
"""Letters that are raised or lowered, which LaTeX writes as a group."""
MARKED = re.compile(r"(?P<partial>∂?)(?P<name>[^\W\d_]\w*)\[(?P<subs>\w+(?:,\w+)*)\]|[^\x00-\x7f]+|[\\&%$#_{}^]")
"""What of a text is no plain letter: entries, or derivatives of them, `W[i,j]`, `∂W[i,j]`; signs; LaTeX's own."""


def math(text: str) -> str:
    r"""A text of a picture as LaTeX in math mode: words upright, letters raised and lowered as groups.

    >>> print(math("softmax"), math("T₁‚₃"), math("n²"), math("W_1ᵀ"))
    \mathrm{softmax} T_{1,3} n^{2} \mathrm{W\_1}^{\top}
    """
    made = []
    for run in re.findall(rf"[{RUNS['super']}]+|[{RUNS['sub']}]+|[A-Za-z][A-Za-z0-9_]+| |.", text):
        if run[0] in RUNS["super"] or run[0] in RUNS["sub"]:
            plain = "".join(SIGNS.get(c, unicodedata.normalize("NFKC", c)) for c in run).replace("−", "-")
            made.append(f"{'^' if run[0] in RUNS['super'] else '_'}{{{plain}}}")
        elif len(run) > 1:
            made.append(rf"\mathrm{{{run.replace('_', chr(92) + '_')}}}")
        else:
            known = SIGNS.get(run, run if run.isascii() else f'{{\\char"{ord(run):X}}}')
            made.append(r"\;" if run == " " else known)
    return "".join(made).rstrip()


def prose(text: str, names: Mapping[str, str] | None = None) -> str:
    r"""A text in which formulas stand, as LaTeX outside math mode: its entries and signs are set as formulas.

    `names` has the LaTeX of names that say how they are set.

    >>> print(prose("∂W[i,j]/∂W[k,l] = δ[i,k]*δ[j,l]"))
    $\partial W_{ij}/\partial W_{kl}$ = $\delta_{ik}\,\delta_{jl}$
    >>> print(prose("A : (b∘C), 50 % of X_1"))
    A : (b$\circ$C), 50 \% of X\_1
    """
    set_text = MARKED.sub(lambda found: _marked(found, names or {}), text.replace("~", " "))
    return set_text.replace("$*$", r"\,").replace("$/$", "/").replace("$$", "")


def _marked(found: re.Match[str], names: Mapping[str, str]) -> str:
    """An entry or a sign of a text, as a formula; a character that LaTeX takes for its own is escaped."""
    partial, name, subs = found.group("partial", "name", "subs")
    if name:
        shown = SIGNS.get(name) or names.get(name) or name_latex(name)
        return f"${SIGNS[partial] if partial else ''}{subscripted(shown.strip(), tuple(subs.split(',')))}$"
    text = found.group()
    if text == "^":
        return r"\^{}"
    return SIGNS[text] if text in "&%$#_{}" else f"${math(text)}$"
