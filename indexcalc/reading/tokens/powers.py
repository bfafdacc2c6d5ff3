"""What stands above a name: a transpose, an inverse, a power, an upper index, or a part of the name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from unicodedata import normalize

from indexcalc.errors import ParseError
from indexcalc.reading.rules.spellings import SUMS
from indexcalc.reading.tokens.grammar import where
from indexcalc.reading.tokens.stream import Stream, closing, renamed
from indexcalc.reading.tokens.words import Words

if TYPE_CHECKING:
    from lark import Token

TURNS = {"T", "⊤", "top", "'"}
"""What a transpose is written as, above."""


def raised(text: str, found: list[Token], words: Words) -> list[Token]:
    """Superscripts by their meaning: `A^T`, `A^{-T}`, `A⁻¹`, `A^{ij}`, `x^{(2)}`, `A^{∘2}`."""
    stream, made = Stream(found), Stream()
    k = 0
    while k < len(stream):
        token, k = stream[k], k + 1
        if token.type == "SUPER":
            made += _small(token)
        elif token.type == "DOTTED" and str(token) == ".'":
            made.append(renamed(token, "PRIME", "'"))
        elif token.type == "CARET":
            k = _caret(text, made, token, stream, k, words)
        else:
            made.append(token)
    return made


def _small(token: Token) -> list[Token]:
    """`²`, `⁻¹`, `⁻ᵀ`."""
    plain = normalize("NFKC", str(token)).replace("−", "-").replace("⊤", "T")
    if plain in ("-T", "+"):
        return [renamed(token, "PRIME", plain)]
    if plain.lstrip("-").isdigit() and plain.startswith("-"):
        parts = [("CARET", "^"), ("LPAR", "("), ("SIGN", "-"), ("NUMBER", plain[1:]), ("RPAR", ")")]
        return [renamed(token, kind, value) for kind, value in parts]
    kind = "NUMBER" if plain.isdigit() else "NAME"
    return [renamed(token, "CARET", "^"), renamed(token, kind, plain.lstrip("+"))]


def _caret(text: str, made: Stream, caret: Token, stream: Stream, k: int, words: Words) -> int:
    """What follows `^`; gives the place after it, or after the `^` where the grammar reads what follows."""
    kind = stream.kind(k)
    if _is_sum(made, words):
        made.append(caret)
        return k
    star = k + (kind == "LBRACE")
    if stream.text(star) == "*" and stream.kind(star + 1) in ("", "RBRACE"):
        raise ParseError(
            text, f"{where(text, caret.start_pos or 0)}: ^* has two readings",
            "write the transpose A^T, or declare the optimum as a name, x_star",
        )  # fmt: skip
    if kind in ("LBRACE", "LPAR"):
        end = closing(stream, k)
        inner = stream[k + 1 : end]
        if _above(made, caret, inner, words, kind == "LBRACE"):
            return end + 1
        if kind == "LPAR":
            made.append(caret)
            return k
        made.append(caret)
        stream[k], stream[end] = renamed(stream[k], "LPAR", "("), renamed(stream[end], "RPAR", ")")
        if inner[:1] and str(inner[0]) == "∘":  # A^{∘2}, the power of each entry
            made[-1] = renamed(caret, "POWER", "**")
            made.append(stream[k])
            return k + 2
        return k
    signs = 1 if kind == "SIGN" else 0
    if _above(made, caret, stream[k : k + 1 + signs], words, False):
        return k + 1 + signs
    if kind == "SIGN" and stream.text(k) == "+" and (_order(made, words) or 0) == 2:
        made.append(renamed(caret, "PRIME", "+"))
        return k + 1
    if kind == "NAME":
        return _named(made, caret, stream, k, words)
    made.append(caret)
    return k


def _is_sum(made: Stream, words: Words) -> bool:
    """Is it the upper bound of a sum that stands above, `∑_{t=1}^T`?"""
    k = len(made) - 1
    lower = made.kind(k) == "SUBSCRIPT"
    word = made.text(k - 1 if lower else k)
    if words.known(word):
        return False
    return word in SUMS if lower or made.kind(k) == "SUMMED" else word.partition("_")[0] in SUMS and "_" in word


def _above(made: Stream, caret: Token, inner: list[Token], words: Words, braces: bool) -> bool:
    """Is this one of the marks that stand above? Then it is put there."""
    texts = [str(token) for token in inner]
    turned = bool(texts) and texts[-1] in TURNS and not (texts[-1] == "T" and words.known("T"))
    if turned and texts[:-1] in ([], ["-"]):
        made.append(renamed(caret, "PRIME", ("".join(texts[:-1]) and "-T") or "'"))
        return True
    if not braces:
        return False
    if texts == ["+"]:
        made.append(renamed(caret, "PRIME", "+"))
        return True
    if set(texts) == {"'"}:
        made += [renamed(caret, "PRIME", "'")] * len(texts)
        return True
    function = words.known(made.text(len(made) - 1)) if made.kind(len(made) - 1) == "NAME" else ""
    if function in words.functions and [*texts[:1], *texts[2:]] == ["(", ")"] and texts[1].isdigit():
        made[-1] = renamed(made[-1], "NAME", f"D{texts[1]}{function}")
        return True
    if made.kind(len(made) - 1) == "NAME" and texts[:1] == ["("] and texts[-1:] == [")"] and len(texts) == 3:
        made[-1] = renamed(made[-1], "NAME", f"{made[-1]}_{texts[1]}")
        return True
    if all(token.type in ("NAME", "COMMA") for token in inner) and _upper("".join(texts), made, words):
        _subscript(made, caret, ",".join(_letters(texts)))
        return True
    return False


def _named(made: Stream, caret: Token, stream: Stream, k: int, words: Words) -> int:
    """A name after `^`: `x^TA` is the transpose and A; `x^i` is an index where i is no number."""
    token = stream[k]
    word = str(token)
    if word.startswith("T") and len(word) > 1 and not words.means(word) and not words.known("T"):
        made.append(renamed(caret, "PRIME", "'"))
        stream[k] = renamed(token, "NAME", word[1:])
        stream[k].start_pos, stream[k].end_pos = (token.start_pos or 0) + 1, token.end_pos
        return k
    head, _, tail = word.partition("_")
    if _upper(head, made, words):
        _subscript(made, caret, ",".join([*head, *tail]))
        return k + 1
    made.append(caret)
    return k


def _letters(texts: list[str]) -> list[str]:
    """The indices among these tokens: one a letter, or one a word where commas part them."""
    names = [text for text in texts if text != ","]
    return names if len(names) > 1 or "," in texts else re.findall(r"[^\W\d_]\d*", names[0]) or names


def _order(made: Stream, words: Words) -> int | None:
    """How many axes the tensor has that stands before the mark."""
    k = len(made) - 1
    while made.kind(k) == "SUBSCRIPT":
        k -= 1
    if made.kind(k) != "NAME":
        return None
    word = made.text(k)
    return words.order(word) if words.known(word) else words.order(word.partition("_")[0])


def _upper(letters: str, made: Stream, words: Words) -> bool:
    """Are these letters upper indices of the tensor before them? Not where one of them is a name or a dimension."""
    plain = letters.replace(",", "")
    if not plain or not plain.isalpha() or not (_order(made, words) or 0):
        return False
    whole = words.known(letters) or letters in words.symbols
    return not whole and not any(words.known(letter) or letter in words.symbols for letter in plain)


def _subscript(made: Stream, caret: Token, inside: str) -> None:
    """Upper indices beside lower ones, in the order in which they are written."""
    head, mark, tail = made.text(len(made) - 1).partition("_")
    if made.kind(len(made) - 1) == "NAME" and mark and tail:
        made[-1:] = [renamed(made[-1], "NAME", head), renamed(made[-1], "SUBSCRIPT", f"_{{{tail}}}")]
    if made.kind(len(made) - 1) == "SUBSCRIPT":
        before = made.pop()
        names = str(before)[2:-1]
        inside = f"{names if ',' in names else ','.join(names)},{inside}"
    made.append(renamed(caret, "SUBSCRIPT", f"_{{{inside}}}"))
