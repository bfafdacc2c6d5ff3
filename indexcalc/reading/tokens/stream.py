"""Tokens one after the other: what begins and ends an operand, matching brackets, and new tokens in old places."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lark import Token

    Tokens = list[Token]
else:
    Tokens = list

OPENS = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
ENDS = {"RPAR", "RSQB", "RBRACE", "NUMBER", "NAME", "SUBSCRIPT", "PRIME", "STRING"}
"""What an operand may end with."""
STARTS = {
    "NUMBER", "NAME", "FUNCTION", "TOTAL", "LPAR", "LBRACE", "BIG", "BARE", "BY", "PARTIAL", "ROOT", "SUMMED", "NABLA",
}  # fmt: skip
"""What an operand may begin with."""


class Stream(Tokens):
    """A list of tokens that may be asked beyond its ends."""

    def kind(self, k: int) -> str:
        """The type of the token there, "" if there is none."""
        return str(self[k].type) if 0 <= k < len(self) else ""

    def text(self, k: int) -> str:
        """The text of the token there, "" if there is none."""
        return str(self[k]) if 0 <= k < len(self) else ""


def renamed(token: Token, kind: str, value: str) -> Token:
    """Another token in the place of one."""
    return type(token).new_borrow_pos(kind, value, token)


def closing(tokens: list[Token], k: int) -> int:
    """The place of the bracket that closes the one at k; the last token where none does."""
    depth = 0
    for place in range(k, len(tokens)):
        if tokens[place].type in OPENS:
            depth += 1
        elif tokens[place].type in OPENS.values():
            depth -= 1
            if not depth:
                return place
    return len(tokens) - 1


def depths(tokens: list[Token]) -> list[int]:
    """How many brackets are open at each token; at a bracket, as many as around it."""
    found, depth = [], 0
    for token in tokens:
        depth -= token.type in OPENS.values()
        found.append(depth)
        depth += token.type in OPENS
    return found


def parts_first(found: list[Token]) -> list[Token]:
    """The definitions behind `with`, as statements before the one that they belong to: `P @ V with P = softmax(Z)`.

    >>> from indexcalc.reading.tokens.lexing import lexed
    >>> print(" ".join(parts_first(lexed("P @ V with P = f(Q, K), V = x", "text"))))
    P = f ( Q , K ) ; V = x ; P @ V
    """
    outside = [k for k, depth in enumerate(depths(found)) if not depth]
    start = next((k for k in outside if k and found[k].type == "NAME" and found[k] == "with"), None)
    if start is None or not any(found[k].type == "EQUAL" for k in outside if k > start):
        return found
    before = max((k + 1 for k in outside if k < start and found[k].type == "_END"), default=0)
    cuts = [k for k in outside if k > start and found[k].type == "COMMA"]
    end = renamed(found[start], "_END", ";")
    parts = [renamed(found[k], "_END", ";") if k in cuts else found[k] for k in range(start + 1, len(found))]
    return [*found[:before], *parts, end, *found[before:start]]
