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

    They may stand in brackets, as `-(P @ V with P = softmax(Z))` does; one that takes a name again has another there.

    >>> from indexcalc.reading.tokens.lexing import lexed
    >>> print(" ".join(parts_first(lexed("P @ V with P = f(Q, K), V = x", "text"))))
    P = f ( Q , K ) ; V = x ; P @ V
    >>> print(" ".join(parts_first(lexed("(P with P = x) - (2 P with P = y)", "text"))))
    P = x ; P_ = y ; ( P ) - ( 2 P_ )
    """
    taken: set[str] = set()
    place = _parted_at(found)
    while place is not None:
        depth = depths(found)
        own = depth[place]
        start = max((k + 1 for k in range(place) if depth[k] < own or (not own and found[k].type == "_END")), default=0)
        end = next((k for k in range(place, len(found)) if depth[k] < own), len(found))
        first = max((k + 1 for k in range(start) if not depth[k] and found[k].type == "_END"), default=0)
        cuts = {k for k in range(place, end) if depth[k] == own and found[k].type == "COMMA"}
        parts = [renamed(found[k], "_END", ";") if k in cuts else found[k] for k in range(place + 1, end)]
        names = {str(parts[k - place - 1 + 1]) for k in (place, *cuts)}
        table = {name: name + "_" * len([one for one in taken if one.rstrip("_") == name]) for name in names}
        taken |= set(table.values())
        body, parts = ([_named(token, table) for token in row] for row in (found[start:place], parts))
        stop = renamed(found[place], "_END", ";")
        found = [*found[:first], *parts, stop, *found[first:start], *body, *found[end:]]
        place = _parted_at(found)
    return found


def _named(token: Token, table: dict[str, str]) -> Token:
    return renamed(token, "NAME", table[token]) if token.type == "NAME" and token in table else token


def _parted_at(found: list[Token]) -> int | None:
    """The place of the first `with` that definitions stand behind."""
    depth = depths(found)
    for k, token in enumerate(found):
        if k and token.type == "NAME" and token == "with":
            behind = (n for n in range(k, len(found)) if depth[n] <= depth[k])
            for n in behind:
                if depth[n] < depth[k]:
                    break
                if found[n].type == "EQUAL":
                    return k
    return None
