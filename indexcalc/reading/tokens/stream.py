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
