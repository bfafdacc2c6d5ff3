"""The ways of writing that are read: a dialect is a row, with what makes its text into tokens.

Text and LaTeX are told apart by what is typed; `syntax=` names a dialect where it can't be told: MATLAB, NumPy's code.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from indexcalc.errors import ParseError
from indexcalc.reading.tokens.grammar import where
from indexcalc.reading.tokens.latex import latex_tokens
from indexcalc.reading.tokens.lexing import lexed
from indexcalc.reading.tokens.stream import Stream, parts_first, renamed
from indexcalc.reading.tokens.words import Words

if TYPE_CHECKING:
    from lark import Token


class Dialect(NamedTuple):
    """A way of writing: what it is, and its tokens as those of text.

    `spell(text, words)` gives tokens with the signs of `PRODUCTS`; `example` is a formula in it.
    """

    name: str
    spell: Callable[[str, Words], list[Token]]
    example: str


def text_tokens(text: str, words: Words) -> list[Token]:
    """Plain text; MATLAB's entrywise signs are asked about. `x_{[1:]}` is a slice, as LaTeX has it."""
    found: list[Token] = []
    for token in lexed(LAST.sub("", text), "text"):
        inner = lexed(token[2:-1], "text") if token.startswith("_{[") and token.endswith("]}") else []
        for part in inner:
            start = (token.start_pos or 0) + 2
            part.start_pos, part.end_pos = start + (part.start_pos or 0), start + (part.end_pos or 0)
        found += inner or [token]
    for token in found:
        if (token.type == "DOTTED" and str(token) != ".'") or str(token) == "\\":
            raise ParseError(
                text, f"{where(text, token.start_pos or 0)}: {token} is MATLAB's", 'read it with syntax="matlab"'
            )
    return parts_first(found)


MATLAB = {"*": "times", "/": "over", ".*": ".*", "./": "/", "\\": "\\"}
"""MATLAB's signs: `*` is the product of matrices, `.*` that of the entries."""


def matlab_tokens(text: str, words: Words) -> list[Token]:
    r"""MATLAB: `*` is the product, `.* ./ .^` go entry by entry, `A\b` solves, `eye` is the identity."""
    made = Stream()
    found = Stream(lexed(text, "text"))
    for k, token in enumerate(found):
        value = str(token)
        if value == ".^":
            made.append(renamed(token, "POWER", "**"))
        elif token.type in ("TIMES", "DOTTED") and value in MATLAB:
            made.append(renamed(token, "TIMES", MATLAB[value]))
        elif value == "eye" and found.kind(k + 1) != "LPAR":
            made.append(renamed(token, "NAME", "I"))
        else:
            made.append(token)
    return made


def python_tokens(text: str, words: Words) -> list[Token]:
    """NumPy's code: `*` goes entry by entry, and stretches a vector along a matrix."""
    found = lexed(text, "text")
    return [renamed(token, "TIMES", ".*") if token.type == "TIMES" and str(token) == "*" else token for token in found]


DIALECTS = {
    row.name: row
    for row in (
        Dialect("text", text_tokens, "x'A x + b_i c_i"),
        Dialect("latex", latex_tokens, r"\frac{1}{2} x^\top A x"),
        Dialect("matlab", matlab_tokens, "x'*A*x + sum(a.*b)"),
        Dialect("python", python_tokens, "np.sum(x**2*A) + x.T @ x"),
    )
}
NONE = Words()
LATEX = re.compile(r"\\(?:[A-Za-z]{2,}|[,;:!|{}()\[\]\\])|^\s*\$|(?<![\w_^])\{[^{}:]+\}|\}\}[_^]|\b0_\{|_\{[^{}]*\^\{")
"""What no other dialect has."""
LAST = re.compile(r"(?<=[^\d.\s])\s*[.,]\s*$")
"""The full stop of the sentence that a formula ends."""


def dialect_of(text: str, syntax: str, words: Words = NONE) -> str:
    r"""The dialect of a text: the one named, or what is told by its signs.

    >>> dialect_of(r"x^\top A x", ""), dialect_of("x'A x", ""), dialect_of("A\\b", "matlab")
    ('latex', 'text', 'matlab')
    """
    if syntax and syntax not in DIALECTS:
        raise ParseError(text, f"syntax={syntax!r} is not known", f"write one of {', '.join(map(repr, DIALECTS))}")
    own = any(latex in text for latex, _ in words.latex if "^" in latex)
    return syntax or ("latex" if own or LATEX.search(text) else "text")
