r"""Parts of a formula in LaTeX, as tokens: rows, subscripts, arrays by their entries, names as they are declared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from indexcalc.functions.table import ELEMENTWISE
from indexcalc.reading.rules.spellings import CHOICE
from indexcalc.reading.tokens.latex_signs import NAMES
from indexcalc.reading.tokens.lexing import lexed
from indexcalc.reading.tokens.stream import Stream, closing, renamed
from indexcalc.reading.tokens.words import Words

if TYPE_CHECKING:
    from lark import Token

OPPOSITE = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}
WORDS = {r"\operatorname", r"\operatorname*", r"\text", r"\textrm", r"\mbox", r"\begin", r"\end", r"\label", r"\tag"}
"""Commands whose argument is a word."""

SET = {row.latex.partition(r"\left")[0]: name for name, row in ELEMENTWISE.items()}
"""Functions by what stands before their brackets."""


def rows(found: list[Token]) -> list[Token]:
    """Rows of an alignment: one that begins with `=` says the row before again, one with `+` goes on with it."""
    made: list[Token] = []
    for k, token in enumerate(found):
        following = found[k + 1] if k + 1 < len(found) else None
        if token.type == "_END" and following is not None and following.type in ("SIGN", "TIMES"):
            continue
        if token.type == "EQUAL" and made and made[-1].type == "_END":
            made.pop()
            start = max((n for n, t in enumerate(made) if t.type == "_END"), default=-1)
            equals = [n for n, t in enumerate(made) if t.type == "EQUAL" and n > start]
            if equals:
                del made[equals[0] :]
            else:
                del made[start + 1 :]
                continue
        made.append(token)
    while made and made[-1].type in ("COMMA", "DOT"):
        made.pop()
    return made


def subscript_of(inner: list[Token]) -> str:
    """The text of a subscript: letters side by side, names of several letters with commas."""
    texts = [str(part) for part in inner]
    for k in range(len(inner) - 1, 0, -1):  # `i_{1}` is the index i1
        if inner[k].type == "SUBSCRIPT" and inner[k - 1].type == "NAME" and texts[k][2:-1].isdigit():
            name = renamed(inner[k - 1], "NAME", texts[k - 1] + texts[k][2:-1])
            inner, texts = [*inner[: k - 1], name, *inner[k + 1 :]], [*texts[: k - 1], str(name), *texts[k + 1 :]]
    words = [part for part in inner if part.type == "NAME" and len(part) > 1]
    if len(inner) == 1 and words and (inner[0].end_pos or 0) - (inner[0].start_pos or 0) != len(texts[0]):
        return f"{texts[0]},"  # a word that was set as one, or a Greek letter
    if any(part.type not in ("NAME", "NUMBER", "COMMA") for part in inner) or not words or "," in texts:
        return "".join(texts)
    letters = [text if text in NAMES.values() else ",".join(text) for text in texts]
    return ",".join(letters)


def bracketed(above: list[Token]) -> list[Token]:
    """What is derived, in brackets where it is more than a name with its indices: `∂ x'Ax` is `∂ (x'Ax)`."""
    start = 1 if above[0].type == "ROUND" or str(above[0]) == "d" else 0
    if not start:
        return above
    while start < len(above) and above[start].type in ("CARET", "NUMBER"):
        start += 1
    rest = above[start:]
    if len(rest) < 2 or [part.type for part in rest] == ["NAME", "SUBSCRIPT"]:
        return above
    if rest[0].type in ("LPAR", "NAME") and rest[-1].type == "RPAR":
        return above
    return [*above[:start], renamed(rest[0], "LPAR", "("), *rest, renamed(rest[-1], "RPAR", ")")]


def complement(first: list[Token], second: list[Token]) -> bool:
    r"""Is one condition met exactly where the other is not: `x > 0` and `x \le 0`?"""
    turned = [OPPOSITE.get(str(token), str(token)) if token.type == "COMPARE" else str(token) for token in first]
    return turned == [str(token) for token in second]


def letters_below(inside: str) -> list[str]:
    """The names in a subscript: parted by commas, or one a letter.

    >>> letters_below("ij"), letters_below("in,out"), letters_below("i1,1")
    (['i', 'j'], ['in', 'out'], ['i1', '1'])
    """
    return [name for name in (inside.split(",") if "," in inside else re.findall(r"[^\W\d_]\d*", inside)) if name]


def families(found: list[Token]) -> list[Token]:
    r"""A statement `\left(x_i y_j\right)_{ij}`: the array with these entries."""
    stream = Stream(found)
    made: list[Token] = []
    k = 0
    while k < len(stream):
        token = stream[k]
        start = k == 0 or stream.kind(k - 1) in ("_END", "EQUAL")
        end = closing(stream, k) if start and token.type == "LPAR" else 0
        names = letters_below(stream.text(end + 1)[2:-1]) if end and stream.kind(end + 1) == "SUBSCRIPT" else []
        if stream.kind(end + 2) in ("", "_END") and names and all(name == "1" or name[0].isalpha() for name in names):
            below = stream[end + 1]
            made += [renamed(token, "FAMILY", ""), renamed(below, "LSQB", "[")]
            for n, name in enumerate(names):
                made += [renamed(below, "COMMA", ",")] * (n > 0)
                made.append(renamed(below, "NUMBER" if name.isdigit() else "NAME", name))
            made += [renamed(below, "RSQB", "]"), *stream[k : end + 1]]
            k = end + 2
        else:
            made.append(token)
            k += 1
    return made


def as_declared(found: list[Token], words: Words) -> Stream:
    r"""The tokens, with what is one thing as one: `\mathbf{x}_{\star}` of a declared tensor, `2 \cdot 10^{-3}`."""
    rows = [([str(token) for token in lexed(latex, "latex")], name) for latex, name in words.latex]
    rows = sorted((row for row in rows if row[0]), key=lambda row: -len(row[0]))
    texts = [str(token) for token in found]
    made = Stream()
    k = 0
    while k < len(found):
        own = next(((len(row), [name]) for row, name in rows if texts[k : k + len(row)] == row), None)
        count, new = own or _phrase(found, texts, k, words)
        if count:
            kind = "NUMBER" if new[0][0].isdigit() or new[0][0] == "." else "DECLARED"
            made.append(renamed(found[k], kind, new[0]))
            made += [renamed(found[k], part.type, str(part)) for text in new[1:] for part in lexed(text, "latex")]
            made[-1].end_pos = found[k + count - 1].end_pos
            k += count
            continue
        made.append(found[k])
        k += 1
        if made[-1].type == "UNDER" or str(made[-1]) in WORDS:  # indices and words are no names of tensors
            end = closing(found, k) + 1 if k < len(found) and found[k].type == "LBRACE" else k + 1
            made += found[k:end]
            k = end
    return made


def _phrase(found: list[Token], texts: list[str], k: int, words: Words) -> tuple[int, list[str]]:
    r"""How many tokens from here on are one thing, and what: `2 \cdot 10^{-3}`, `\log\Phi`, `\psi^{(2)}(`."""
    here, ahead = texts[k], texts[k + 1 : k + 5]
    if found[k].type == "NUMBER" and ahead[:1] in ([r"\cdot"], [r"\times"]) and ahead[1:3] == ["10", "^"]:
        braced = ahead[3:] == ["{"]
        end = closing(found, k + 4) if braced else k + 4
        power = "".join(texts[k + 4 + braced : end + (not braced)])
        if power.lstrip("-").isdigit():
            return end + 1 - k, [f"{here}e{power}"]
    elif here in (r"\log", r"\ln") and (own := SET.get(rf"\log{''.join(ahead[:1])}")):
        if own != SET[r"\log"] and not words.known(ahead[0].removeprefix("\\")):
            return 2, [own]
    elif here == r"\psi" and ahead[:3] == ["^", "{", "("] and texts[k + 5 : k + 7] == [")", "}"]:
        end = k + 7 + (texts[k + 7 : k + 8] == [r"\left"])
        if texts[end : end + 1] == ["("] and not words.known("psi"):
            return end + 1 - k, [SET[r"\psi^{{({k})}}"], "(", ahead[3], ","]
    return 0, []


# ------------------------------------------------------------------ environments

CONDITION = {"if", "for", "when", "where", "otherwise", "else", "and"}
"""Words in the cells of `cases`."""
MATRICES = {
    "bmatrix": "bmatrix", "pmatrix": "bmatrix", "matrix": "bmatrix", "Bmatrix": "bmatrix", "smallmatrix": "bmatrix",
    "vmatrix": "|",
}  # fmt: skip
"""Environments whose cells are blocks of a matrix, and of a determinant."""


def ended(page: Any, token: Token, name: str) -> None:
    """The end of an environment, which is taken."""
    if page.peek() != r"\end":
        page.error(token, f"\\begin{{{name}}} without its end", f"write \\end{{{name}}}")
    page.take()
    page.word()


def cases(page: Any, token: Token) -> list[Token]:
    r"""`\begin{cases} a & c \\ b & \text{otherwise} \end{cases}` as `where(c, a, b)`."""
    rows: list[tuple[list[Token], list[Token]]] = []
    while page.peek() != r"\end" and page.place < len(page.found):
        value = page.until({"&", r"\\", r"\end"})
        condition: list[Token] = []
        if page.peek() == "&":
            page.take()
            condition = page.until({r"\\", r"\end"})
        if page.peek() == r"\\":
            page.take()
        while value and value[-1].type in ("COMMA", "_END"):
            value.pop()
        condition = [t for t in condition if t.type != "NAME" or str(t) not in CONDITION]
        while condition and condition[-1].type == "COMMA":
            condition.pop()
        rows.append((value, [renamed(t, "COMPARE", "==") if t.type == "EQUAL" else t for t in condition]))
    ended(page, token, "cases")
    if len(rows) < 2 or any(not condition for _, condition in rows[:-1]):
        page.error(token, "each row but the last needs a condition", r"write a & x > 0 \\ b & \text{otherwise}")
    *chosen, (otherwise, last) = rows
    if last and not (len(chosen) == 1 and complement(chosen[0][1], last)):
        page.error(token, "what holds where no condition does?", r"write \text{otherwise} in the last row")
    made: list[Token] = []
    for value, condition in chosen:
        made += [renamed(token, "FUNCTION", CHOICE), renamed(token, "LPAR", "("), *condition]
        made += [renamed(token, "COMMA", ","), *value, renamed(token, "COMMA", ",")]
    return [*made, *otherwise, *[renamed(token, "RPAR", ")")] * len(chosen)]


def matrix(page: Any, token: Token, name: str) -> list[Token]:
    r"""`\begin{bmatrix} A & B \\ C & D \end{bmatrix}` as `bmatrix([A, B], [C, D])`; between bars its determinant."""
    rows: list[list[list[Token]]] = [[]]
    while page.peek() != r"\end" and page.place < len(page.found):
        rows[-1].append(page.until({"&", r"\\", r"\end"}))
        if page.peek() in ("&", r"\\") and page.take() == r"\\" and page.peek() != r"\end":
            rows.append([])
    ended(page, token, name)
    if any(not cell for row in rows for cell in row):
        page.error(token, "a cell is empty", "write 0 for a block of zeros")
    inner = [[renamed(token, "FUNCTION", "["), renamed(token, "LPAR", "("), *_between(token, row)] for row in rows]
    made = [renamed(token, "FUNCTION", "bmatrix"), renamed(token, "LPAR", "(")]
    made += _between(token, [[*row, renamed(token, "RPAR", ")")] for row in inner])
    made.append(renamed(token, "RPAR", ")"))
    if MATRICES[name] != "|":
        return made
    return [renamed(token, "FUNCTION", "|"), renamed(token, "LPAR", "("), *made, renamed(token, "RPAR", ")")]


def _between(token: Token, parts: list[list[Token]]) -> list[Token]:
    """Tokens with commas between them."""
    return [one for k, part in enumerate(parts) for one in [renamed(token, "COMMA", ",")] * (k > 0) + part]
