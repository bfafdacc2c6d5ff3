"""The grammar of expressions, for lark: one, for index and matrix notation and for every dialect.

What is read first is made into the tokens of this grammar (`lexing`, `latex`, `tokens`): those in capitals that have no
pattern of their own are put there by these passes, and the grammar has no choice left.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from indexcalc.errors import ParseError

if TYPE_CHECKING:
    from lark import Lark, Token, Tree

GRAMMAR = r"""
start: statement (_END statement)*
?statement: result
          | result "=" result                                  -> assign
?result: comparison
       | comparison ARROW "[" names "]"                        -> arrow
       | FAMILY "[" names "]" ADJACENT "(" result ")"          -> family
?comparison: additive
           | additive COMPARE additive                         -> compare
?additive: term
         | term (SIGN term)+                                   -> sum
?term: unary
     | reach
     | SIGN+ reach                                             -> signed
     | unary (_sign unary)* _sign reach                        -> product
     | unary (_sign unary)+                                    -> product
_sign: TIMES | ADJACENT
?reach: BIG "[" names (COLON condition ("," condition)*)? "]" ADJACENT? term -> total
      | BARE term                                              -> bare
      | BY term                                                -> derived
      | BY (OVER postfix)+                                     -> derived
      | BY (OVER postfix)+ ADJACENT term                       -> derived
?unary: power
      | SIGN+ power                                            -> signed
?power: postfix
      | postfix (POWER | CARET) unary                          -> power
?postfix: atom
        | postfix "[" subs "]"                                 -> indexed
        | postfix SUBSCRIPT                                    -> indexed
        | postfix PRIME                                        -> primed
        | postfix METHOD "(" [arguments] ")"                   -> method
?atom: NUMBER                                                  -> number
     | NAME                                                    -> name
     | FUNCTION "(" [arguments] ")"                            -> call
     | TOTAL "[" names (COLON condition ("," condition)*)? "]" ADJACENT "(" result ")" -> total
     | PARTIAL postfix (OVER postfix)+                         -> quotient
     | "(" result ")"                                          -> parens
     | "{" names ":" result "}"                                -> braces
condition: NAME COMPARE NAME
arguments: argument ("," argument)*
?argument: result
         | NAME "=" (result | STRING | numbers)                -> keyword
         | STRING                                              -> string
         | "[" names "]"                                       -> listed
numbers: "[" NUMBER ("," NUMBER)* "]"
names: (NAME | NUMBER) ("," (NAME | NUMBER))*
subs: sub ("," sub)*
?sub: bound | slice | ELLIPSIS
    | NAME "[" subs "]"                                        -> within
    | "[" bound ("," bound)* "]"                               -> listed
slice: bound? COLON bound? (COLON bound?)?
?bound: NAME | NUMBER | SIGN (NAME | NUMBER) ((SIGN | TIMES) (NAME | NUMBER))*
      | (NAME | NUMBER) ((SIGN | TIMES) (NAME | NUMBER))+

SUBSCRIPT: /_\{[^{}]*\}/
ARROW: "->"
COMPARE: "<=" | ">=" | "==" | "!=" | "<" | ">"
COLON: ":"
ELLIPSIS: "..."
STRING: /"[^"\n]*"/
NUMBER: /[0-9]+/
NAME: /[a-z]+/
SIGN: "+" | "-"
POWER: "**"
CARET: "^"
TIMES: "*"
PRIME: "'"
_END: ";"
%declare FAMILY ADJACENT FUNCTION TOTAL BIG BARE BY OVER PARTIAL METHOD
"""
"""The patterns of the tokens here are none that is lexed: tokens come from `lexing`, and only their names count."""

SHOWN = {
    "NUMBER": "a number", "NAME": "a name", "FUNCTION": "a name", "TOTAL": "a name", "BIG": "a name", "BARE": "a name",
    "BY": "a name", "PARTIAL": "a name", "METHOD": "a name", "FAMILY": "(",
    "LPAR": "(", "RPAR": ")", "LSQB": "[", "RSQB": "]",
    "LBRACE": "{", "RBRACE": "}", "COMMA": ",", "COLON": ":", "EQUAL": "=", "ARROW": "->", "COMPARE": "a comparison",
    "SIGN": "+ or -", "POWER": "**", "CARET": "^", "TIMES": "*", "ADJACENT": "*", "PRIME": "'", "OVER": "/",
    "SUBSCRIPT": "_{...}", "ELLIPSIS": "...", "_END": "; or a new line",
    "$END": "the end", "STRING": "text in quotes",
}  # fmt: skip
CLOSES = {"RPAR", "RSQB", "RBRACE"}


@cache
def parser() -> Lark:
    """The parser, made when text is first parsed."""
    from lark import Lark

    return Lark(GRAMMAR, parser="lalr", lexer="basic", propagate_positions=True, maybe_placeholders=False)


def where(text: str, position: int) -> str:
    """A position in a text as people count: `column 7`, or `line 2, column 7`."""
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return f"column {column}" if "\n" not in text.strip() else f"line {line}, column {column}"


def tree_of(text: str, tokens: Sequence[Token]) -> Tree[Token]:
    """The syntax tree of these tokens of a text."""
    from lark.exceptions import UnexpectedToken

    run = parser().parse_interactive()
    last = None
    try:
        for token in tokens:
            last = token
            run.feed_token(token)
        tree: Tree[Token] = run.feed_eof(last)  # type: ignore[no-untyped-call]
    except UnexpectedToken as error:
        accepted: set[str] = run.accepts()  # type: ignore[no-untyped-call]
        raise _unexpected(text, error.token, accepted) from None
    return tree


def _unexpected(text: str, token: Token, accepted: set[str]) -> ParseError:
    at_end = token.type == "$END"
    place = len(text.rstrip()) if at_end else token.start_pos or 0
    found = (
        "the text ends"
        if at_end
        else "a new line"
        if token.type == "_END" and str(token) != ";"
        else repr(str(token) or text[place])
    )
    wanted = sorted({SHOWN.get(name, name) for name in accepted})
    instead = ""
    if token.type == "EQUAL":
        instead = "a definition is `name = expression`, one a line; to compare write =="
    elif token.type in CLOSES:
        instead = f"no open bracket waits for {token}, or something is missing before it"
    elif at_end and accepted & CLOSES:
        instead = "close the bracket"
    return ParseError(text, f"{where(text, place)}: expected {', '.join(wanted)}; found {found}", instead)
