"""The first step of reading: a text as tokens, as it is typed or pasted; LaTeX has patterns of its own.

Nothing is decided here: what a bar, a superscript or a name is in its place is the trade of `tokens`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from indexcalc.errors import ParseError
from indexcalc.reading.tokens.grammar import where

if TYPE_CHECKING:
    from lark import Lark, Token

RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵀⁿ"
LOWERED = "₀₁₂₃₄₅₆₇₈₉ᵢⱼₖₗₘₙₚᵣₛₜₐₑₒₓ"
VULGAR = "½⅓⅔¼¾⅕⅙⅛"
LETTER = rf"(?:[^\W\d{RAISED}{LOWERED}{VULGAR}]|∞)"
LETTERS = rf"{LETTER}(?:(?!_\{{)[^\W{RAISED}{LOWERED}{VULGAR}]|[\u0300-\u036f∞])*"
"""A name as it is typed: it ends before a subscript in braces, and has the accents of its letters."""

COMMON = {
    "NUMBER": r"/(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?(j(?!\w))?/",
    "SUPER": r"/[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+|⁻ᵀ|⁻⊤|ⁿ|⁺/",
    "LOWER": rf"/[{LOWERED}]+/",
    "VULGAR": rf"/[{VULGAR}]/",
    "COMPARE.2": '"<=" | ">=" | "==" | "!=" | "<" | ">" | "≤" | "≥" | "≠"',
    "SIGN": '"+" | "-" | "−" | "–"',
    "BAR": '"||" | "‖" | "|"',
    "ANGLE": '"⟨" | "⟩"',
    "ROOT": '"√"',
    "SUMMED": '"∑" | "∏"',
    "ROUND": '"∂"',
    "NABLA": '"∇"',
    "LPAR": '"("', "RPAR": '")"', "LSQB": '"["', "RSQB": '"]"', "LBRACE": '"{"', "RBRACE": '"}"',
    "COMMA": '","', "COLON": '":"', "EQUAL": '"=" | ":=" | "≔"', "CARET": '"^"',
    "ELLIPSIS.2": '"..." | "…"',
}  # fmt: skip
TEXT = COMMON | {
    "SUBSCRIPT.2": r"/_\{[^{}]*\}/",
    "NAME": rf"/(?!_\{{){LETTERS}/",
    "STRING.4": r"""/"[^"\n]*"|(?<=[(,=])'[^'\n]*'|(?<=[(,=] )'[^'\n]*'/""",
    "ARROW.3": '"->" | "→"',
    "POWER.2": '"**"',
    "DOTTED.3": r"/\.(?:\*(?!\*)|[\/^'])/",
    "TIMES": r"/[*\/@∘⊗·⊙×⋅∗•÷⊘\\]/",
    "PRIME.3": r"/['′″‴ᵀ⊤⊺]|\.m?T(?!\w)/",
    "ATTRIBUTE.2": r"/\.[^\W\d]\w*/",
    "_END": r'";" | /\r?\n/',
}
LATEX = COMMON | {
    "COMMAND": r"/\\operatorname\*|\\[A-Za-z]+/",
    "CONTROL": r"/\\[^A-Za-z]/",
    "NAME": rf"/[^\W\d_{RAISED}{LOWERED}{VULGAR}](?:[^\W_{RAISED}{LOWERED}{VULGAR}]|[\u0300-\u036f])*/",
    "UNDER": '"_"',
    "TIMES": r"/[*\/@∘⊗·⊙×⋅∗•÷⊘]/",
    "PRIME.3": r"/['′″‴ᵀ⊤⊺]/",
    "CELL": '"&"',
    "TILDE": '"~"',
    "DOT": '"."',
    "DOLLAR": r"/\$\$?/",
    "_END": '";"',
}
IGNORED = {"text": r"/[ \t\u00a0]+/", "latex": r"/[ \t\r\n\u00a0]+|%[^\n]*/"}


@cache
def lexer(kind: str) -> Lark:
    """The lexer of text or of LaTeX, made when it is first needed."""
    from lark import Lark

    terminals = LATEX if kind == "latex" else TEXT
    names = " | ".join(name.partition(".")[0] for name in terminals)
    rows = "\n".join(f"{name}: {pattern}" for name, pattern in terminals.items())
    return Lark(f"start: ({names})*\n{rows}\n%ignore {IGNORED[kind]}", parser="lalr", lexer="basic")


LOST = re.compile(
    r"[\x07\x08\x0b\x0c]|\t(?=op\b|heta|au\b|ext|imes|ilde|frac|anh|r\b)|\r(?=ho|ight|m\b)|\n(?=abla|eq?\b|u\b)"
)
"""What Python makes of a backslash and a letter in a text that is not raw, where LaTeX was meant."""
ESCAPES = {"\x07": "a", "\x08": "b", "\x0b": "v", "\x0c": "f", "\t": "t", "\r": "r", "\n": "n"}
"""The letters behind the backslashes that were lost."""


def lexed(text: str, kind: str) -> list[Token]:
    """The tokens of a text.

    >>> [str(token) for token in lexed("2x'A_{ij}", "text")]
    ['2', 'x', "'", 'A', '_{ij}']
    """
    from lark.exceptions import UnexpectedCharacters

    lost = LOST.search(text)
    if lost is not None:
        place = lost.start()
        instead = f"write the text raw, r'...\\{ESCAPES[text[place]]}{text[place + 1 : place + 4]}...'"
        raise ParseError(text, f"{where(text, place)}: a backslash was lost to Python", instead)
    try:
        return list(lexer(kind).lex(text))
    except UnexpectedCharacters as error:
        place = error.pos_in_stream or 0
    raise ParseError(
        text,
        f"{where(text, place)}: {text[place]!r} has no meaning here",
        "see the notation: x[i]*W[i,j] or x_i W_ij",
    )
