"""Bars and angles: norms, absolute values, determinants, inner products. What stands before a bar says if it opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexcalc.errors import ParseError
from indexcalc.reading.tokens.grammar import where
from indexcalc.reading.tokens.latex_parts import letters_below
from indexcalc.reading.tokens.lexing import lexed
from indexcalc.reading.tokens.powers import raised
from indexcalc.reading.tokens.stream import ENDS, OPENS, Stream, closing, renamed
from indexcalc.reading.tokens.words import Words

if TYPE_CHECKING:
    from lark import Token

ORDERS = {"F": '"fro"', "Fro": '"fro"', "fro": '"fro"', "*": '"nuc"', "∞": '"inf"', "infty": '"inf"', "inf": '"inf"'}
"""Subscripts of a norm that are words."""


def barred(text: str, found: list[Token], words: Words) -> list[Token]:
    """`|t|`, `‖x‖_2^2`, `⟨x, y⟩` and `<x, y>` as calls."""
    stream, made = Stream(found), Stream()
    open_places: list[int] = []
    k = 0
    while k < len(stream):
        token, k = stream[k], k + 1
        if token.type in ("BAR", "BAROPEN", "BARCLOSE"):
            k = _bar(text, made, open_places, token, stream, k, words)
        elif token.type == "ANGLE":
            opens = str(token) == "⟨"
            made += [renamed(token, "FUNCTION", "inner"), renamed(token, "LPAR", "(")] if opens else []
            made += [] if opens else [renamed(token, "RPAR", ")")]
            if not opens and stream.text(k) in ("_{F}", "_F"):
                k += 1
        elif str(token) == "<" and made.kind(len(made) - 1) not in ENDS and _partner(stream, k):
            stream[_partner(stream, k)] = renamed(stream[_partner(stream, k)], "ANGLE", "⟩")
            made += [renamed(token, "FUNCTION", "inner"), renamed(token, "LPAR", "(")]
        else:
            if token.type in OPENS:
                open_places.append(-1)
            elif token.type in OPENS.values() and open_places and open_places[-1] < 0:
                open_places.pop()
            made.append(token)
    waiting = [place for place in open_places if place >= 0]
    if waiting:
        token = made[waiting[-1]]
        raise ParseError(text, f"{where(text, token.start_pos or 0)}: a bar that nothing closes", "close it: |A|, ‖x‖")
    return made


def _bar(text: str, made: Stream, open_places: list[int], token: Token, stream: Stream, k: int, words: Words) -> int:
    """One bar: it closes what it may close, and opens otherwise."""
    kind = str(token)
    after = made.kind(len(made) - 1) in ENDS
    inmost = open_places[-1] if open_places else -1
    waiting = made.text(inmost) if inmost >= 0 else ""
    if kind == "‖" and waiting == "|" and after and token.type == "BAR":  # `|x||y|`
        stream[k - 1 : k] = [renamed(token, "BAR", "|"), renamed(token, "BAR", "|")]
        return k - 1
    closes = token.type == "BARCLOSE" or (token.type == "BAR" and waiting == kind and after)
    if not closes:
        open_places.append(len(made))
        made += [renamed(token, "FUNCTION", kind), renamed(token, "LPAR", "(")]
        return k
    if waiting != kind:
        raise ParseError(text, f"{where(text, token.start_pos or 0)}: this bar closes nothing", "open it: |A|, ‖x‖")
    open_places.pop()
    if kind == "‖":
        k = _subscript(text, made, words, stream, k)
    made.append(renamed(token, "RPAR", ")"))
    return k


def _subscript(text: str, made: Stream, words: Words, stream: Stream, k: int) -> int:
    """Which norm it is: `‖x‖_2`, `‖x‖^2_2`, `‖X‖_F`."""
    place = k
    if stream.kind(k) == "CARET":
        place = (closing(stream, k + 1) if stream.kind(k + 1) in OPENS else k + 1) + 1
    if stream.kind(place) == "SUBSCRIPT":
        said = stream.pop(place)
        inside = str(said)[2:-1].strip()
        made.append(renamed(said, "COMMA", ","))
        if inside in ORDERS:
            made.append(renamed(said, "STRING", ORDERS[inside]))
        elif inside.replace(".", "").isdigit():
            made.append(renamed(said, "NUMBER", inside))
        else:  # the matrix of a norm, A or A^{-1}
            made += [renamed(said, part.type, str(part)) for part in raised(text, lexed(inside, "text"), words)]
    elif stream.kind(k) == "ALONG":
        made += [renamed(stream[k], "COMMA", ","), renamed(stream[k], "NUMBER", "2")]
    if stream.kind(k) == "ALONG":
        along = stream.pop(k)
        for name in letters_below(str(along)):
            made += [renamed(along, "COMMA", ","), renamed(along, "NAME", name)]
    return k


def _partner(stream: Stream, k: int) -> int:
    """The `>` that closes an inner product, after a comma and no other comparison; 0 if there is none."""
    depth = commas = 0
    for place in range(k, len(stream)):
        kind = stream.kind(place)
        depth += (kind in OPENS) - (kind in OPENS.values())
        if depth < 0 or kind == "_END":
            return 0
        if not depth:
            commas += kind == "COMMA"
            if kind == "COMPARE":
                return place if stream.text(place) == ">" and commas == 1 else 0
    return 0
