"""The grammar of expressions as text, for lark, and what is decided about tokens before it sees them.

Side by side means times: where an operand ends and another begins, a token `ADJACENT` is put between them. Whether a
name before a parenthesis is a function depends on what is declared, so that is decided here too; the grammar has no
choice left.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from indexcalc.errors import ParseError

if TYPE_CHECKING:
    from lark import Lark, Token, Tree

DEEPEST = 300
"""Brackets in one another that a text may have: an arbitrary budget, far more than a formula has that a person reads;
it bounds the depth of the tree."""
KEPT = 256
"""How many trees are remembered."""
WORD = re.compile(r"(?!_\{)[^\W\dᵀ](?:(?!_\{)[^\Wᵀ])*")
"""A name, as the grammar has it."""

GRAMMAR = r"""
start: statement (_END statement)*
?statement: result
          | result "=" result                                  -> assign
?result: comparison
       | comparison ARROW "[" names "]"                        -> arrow
?comparison: additive
           | additive COMPARE additive                         -> compare
?additive: term
         | term (SIGN term)+                                   -> sum
?term: unary
     | unary ((TIMES | ADJACENT) unary)+                       -> product
?unary: power
      | SIGN+ power                                            -> signed
?power: postfix
      | postfix (POWER | CARET) unary                          -> power
?postfix: atom
        | postfix "[" subs "]"                                 -> indexed
        | postfix SUBSCRIPT                                    -> indexed
        | postfix PRIME                                        -> primed
?atom: NUMBER                                                  -> number
     | NAME                                                    -> name
     | FUNCTION "(" [arguments] ")"                            -> call
     | TOTAL "[" names "]" ADJACENT "(" result ")"             -> total
     | "(" result ")"                                          -> parens
     | "{" names ":" result "}"                                -> braces
arguments: argument ("," argument)*
?argument: result
         | NAME "=" (result | STRING)                          -> keyword
         | STRING                                              -> string
names: (NAME | NUMBER) ("," (NAME | NUMBER))*
subs: sub ("," sub)*
?sub: bound | slice | ELLIPSIS
slice: bound? COLON bound? (COLON bound?)?
?bound: NAME | NUMBER | SIGN (NAME | NUMBER) ((SIGN | TIMES) (NAME | NUMBER))*
      | (NAME | NUMBER) ((SIGN | TIMES) (NAME | NUMBER))+

NUMBER: /(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?(j(?!\w))?/
SUBSCRIPT.2: /_\{[^{}]*\}/
NAME: /(?!_\{)[^\W\dᵀ](?:(?!_\{)[^\Wᵀ])*/
STRING.2: /"[^"\n]*"|(?<=[(,=])'[^'\n]*'|(?<=[(,=] )'[^'\n]*'/
ARROW.2: "->"
COMPARE.2: "<=" | ">=" | "==" | "!=" | "<" | ">"
SIGN: "+" | "-"
POWER.2: "**"
CARET: "^"
TIMES: "*" | "/" | "@" | "∘" | "⊗" | "·"
PRIME: /'|ᵀ|\.m?T(?!\w)/
COLON: ":"
ELLIPSIS: "..."
_END: ";" | /\r?\n/
%declare ADJACENT FUNCTION TOTAL
%ignore /[ \t]+/
"""

OPENS = {"LPAR": ")", "LSQB": "]", "LBRACE": "}"}
CLOSES = {"RPAR", "RSQB", "RBRACE"}
ENDS = CLOSES | {"NUMBER", "NAME", "SUBSCRIPT", "PRIME", "STRING"}
STARTS = {"NUMBER", "NAME", "FUNCTION", "TOTAL", "LPAR", "LBRACE"}
SHOWN = {
    "NUMBER": "a number", "NAME": "a name", "FUNCTION": "a name", "TOTAL": "a name",
    "LPAR": "(", "RPAR": ")", "LSQB": "[", "RSQB": "]",
    "LBRACE": "{", "RBRACE": "}", "COMMA": ",", "COLON": ":", "EQUAL": "=", "ARROW": "->", "COMPARE": "a comparison",
    "SIGN": "+ or -", "POWER": "**", "CARET": "^", "TIMES": "*", "ADJACENT": "*", "PRIME": "'",
    "SUBSCRIPT": "_{...}", "ELLIPSIS": "...", "_END": "; or a new line",
    "$END": "the end", "STRING": "text in quotes",
}  # fmt: skip


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


def tokens(text: str, is_function: Callable[[str], bool]) -> Iterator[Token]:
    """The tokens of a text, with what stands side by side multiplied and line ends within brackets left out."""
    from lark import Token
    from lark.exceptions import UnexpectedCharacters

    try:
        found = list(parser().lex(text))
    except UnexpectedCharacters as error:
        place = error.pos_in_stream or 0
        raise ParseError(
            text,
            f"{where(text, place)}: {text[place]!r} has no meaning here",
            "see the notation: x[i]*W[i,j] or x_i W_ij",
        ) from None
    depth: list[Token] = []
    previous = ""
    for k, token in enumerate(found):
        following = found[k + 1] if k + 1 < len(found) else None
        if token.type == "_END":
            if depth or previous in ("", "_END") or all(later.type == "_END" for later in found[k:]):
                continue
        elif token.type == "NAME" and following is not None:
            if following.type == "LPAR" and is_function(str(token)):
                token.type = "FUNCTION"
            elif token == "sum" and following.type == "LSQB":
                token.type = "TOTAL"
        if previous in ENDS and token.type in STARTS:
            yield Token.new_borrow_pos("ADJACENT", "", token)
        if token.type in OPENS:
            depth.append(token)
            if len(depth) > DEEPEST:
                raise ParseError(
                    text, f"{where(text, token.start_pos or 0)}: more than {DEEPEST} brackets in one another",
                    "name the inner parts first: t1 = ...; t2 = ..."
                )  # fmt: skip
        elif token.type in CLOSES and depth:
            depth.pop()
        previous = token.type
        yield token


def parse_tree(text: str, is_function: Callable[[str], bool]) -> Tree[Token]:
    """The syntax tree of a text."""
    return _tree(text, frozenset(name for name in WORD.findall(text) if is_function(name)))


@lru_cache(maxsize=KEPT)
def _tree(text: str, functions: frozenset[str]) -> Tree[Token]:
    """The tree, remembered: `check` reads one text with its vectors in three ways."""
    from lark.exceptions import UnexpectedToken

    run = parser().parse_interactive()
    last = None
    try:
        for token in tokens(text, functions.__contains__):
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
