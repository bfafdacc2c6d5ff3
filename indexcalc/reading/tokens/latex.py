r"""LaTeX as the tokens of text: commands by a table, arguments by TeX's rule (`\frac12`), environments as statements.

A command is a row of `SIGNS`, `NAMES`, `FONTS`, `ACCENTS` or `COMMANDS`; what none knows is an error that names it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from indexcalc.errors import ParseError
from indexcalc.reading.rules.spellings import ROOT
from indexcalc.reading.tokens.grammar import where
from indexcalc.reading.tokens.latex_parts import (
    MATRICES,
    as_declared,
    bracketed,
    cases,
    ended,
    families,
    letters_below,
    matrix,
    rows,
    subscript_of,
)
from indexcalc.reading.tokens.latex_signs import (
    ACCENTS,
    FONTS,
    IGNORED,
    NAMES,
    SIGNS,
    SIZES,
    UNREAD,
)
from indexcalc.reading.tokens.lexing import lexed
from indexcalc.reading.tokens.stream import Stream, parts_first, renamed
from indexcalc.reading.tokens.words import Words

if TYPE_CHECKING:
    from lark import Token

DEEPEST = 60
"""Braces and commands in one another: an arbitrary budget, far more than a formula has that a person reads."""
ROWS = {"aligned", "align", "align*", "equation", "equation*", "gather", "gather*", "split", "gathered", "alignat",
        "math", "displaymath", "eqnarray", "eqnarray*", "multline"}  # fmt: skip
"""Environments whose rows are statements."""


def latex_tokens(text: str, words: Words) -> list[Token]:
    r"""The tokens of text for a formula in LaTeX.

    >>> [str(token) for token in latex_tokens(r"\frac12 x^\top A x", Words())]
    ['(', '1', '/', '2', ')', 'x', '^', "'", 'A', 'x']
    """
    page = LatexPage(text, as_declared(lexed(text, "latex"), words), words)
    return families(parts_first(rows(page.until(set()))))


class LatexPage:
    """A formula in LaTeX that is read from left to right."""

    def __init__(self, text: str, found: Stream, words: Words) -> None:
        self.text, self.found, self.words = text, found, words
        self.place = self.depth = 0

    # -------------------------------------------------------------- what comes next

    def error(self, token: Token, found: str, instead: str = "") -> NoReturn:
        """What is wrong, with its column."""
        raise ParseError(self.text, f"{where(self.text, token.start_pos or 0)}: {found}", instead)

    def peek(self) -> str:
        """The next token's text, "" at the end."""
        return self.found.text(self.place)

    def take(self) -> Token:
        """The next token."""
        if self.place >= len(self.found):
            self.error(self.found[-1], "the formula ends where an argument is due", "close the brace")
        self.place += 1
        return self.found[self.place - 1]

    def until(self, stops: set[str]) -> list[Token]:
        """Everything up to one of these, which is left; up to the end where there is none."""
        made: list[Token] = []
        while self.place < len(self.found) and self.peek() not in stops:
            self.item(made, self.take())
        return made

    def item(self, made: list[Token], token: Token) -> None:
        """What one token, with its arguments, becomes."""
        self.depth += 1
        if self.depth > DEEPEST:
            self.error(token, f"more than {DEEPEST} braces or commands in one another", "name the inner parts first")
        self.become(made, token)
        self.depth -= 1

    def group(self, opening: Token) -> list[Token]:
        """What stands in braces that have been opened."""
        made = self.until({"}"})
        if self.place >= len(self.found):
            self.error(opening, "a brace that nothing closes", "close it: {...}")
        self.take()
        return made

    def argument(self) -> list[Token]:
        """An argument by TeX's rule: a group, a command, or one letter or digit."""
        while self.peek() in ("~", r"\,", r"\!"):
            self.place += 1
        token = self.take()
        if token.type == "LBRACE":
            return self.group(token)
        if token.type in ("NUMBER", "NAME") and len(token) > 1 and token[0] != ".":
            first, rest = renamed(token, token.type, token[0]), renamed(token, token.type, token[1:])
            rest.start_pos = (token.start_pos or 0) + 1
            if token.type == "NAME" and token[1].isdigit():
                return [token]
            self.place -= 1
            self.found[self.place] = rest
            return [first]
        if token.type == "NUMBER":
            return [token]
        made: list[Token] = []
        self.item(made, token)
        return made

    def word(self) -> tuple[Token, str]:
        r"""A braced argument as one word, `\text{if }`, `\operatorname{log\_softmax}`, and where it stands."""
        start = token = self.take()
        if token.type != "LBRACE":
            return start, str(token)
        parts, depth = [], 1
        while depth:
            token = self.take()
            depth += {"LBRACE": 1, "RBRACE": -1}.get(token.type, 0)
            if depth and str(token) not in IGNORED:
                parts.append(str(token).removeprefix("\\").strip(".,;"))
        return self.found[self.place - 2] if parts else start, "".join(parts)

    # -------------------------------------------------------------- one after the other

    def become(self, made: list[Token], token: Token) -> None:
        """What one token becomes, by its kind."""
        kind, value = token.type, str(token)
        if kind == "COMMAND":
            self.command(made, token)
        elif kind == "CONTROL":
            self.control(made, token)
        elif kind == "LBRACE":
            self.braces(made, token)
        elif kind == "UNDER" and self.peek() == "{" and self.found.text(self.place + 1) == "[":
            _picked(self, made)
        elif kind == "UNDER":
            self.subscript(made, token)
        elif kind == "CARET":
            self.superscript(made, token)
        elif kind == "LSQB":
            self.bracket(made, token)
        elif kind == "NUMBER" and value == "0" and self.peek() == "_":
            self.sized(made, token, "zeros")
        elif kind == "DECLARED":
            made.append(renamed(token, "NAME", value))
        elif kind == "BAR" and value == "||":
            made.append(renamed(token, "BAR", "‖"))
        elif kind not in ("CELL", "TILDE", "DOLLAR", "DOT"):
            made.append(token)

    def control(self, made: list[Token], token: Token) -> None:
        r"""`\,`, `\|`, `\{`, `\\`."""
        value = str(token)
        if value == r"\|":
            made.append(renamed(token, "BAR", "‖"))
        elif value in (r"\{", r"\}"):
            opens = value == r"\{"
            made.append(renamed(token, "LPAR" if opens else "RPAR", "(" if opens else ")"))
        elif value == r"\\":
            if self.peek() == "[":  # the height of a row
                self.until({"]"})
                self.take()
            made.append(renamed(token, "_END", ";"))
        elif value not in IGNORED:
            self.error(token, f"{value} is not read", "write the formula without it")

    def command(self, made: list[Token], token: Token) -> None:
        """What a command becomes."""
        name = str(token)[1:]
        if name in UNREAD:
            self.error(token, f"{token} {UNREAD[name][0]}", UNREAD[name][1])
        if str(token) in IGNORED:
            return
        if name in SIGNS:
            made.append(renamed(token, *SIGNS[name]))
        elif name in COMMANDS:
            COMMANDS[name](self, made, token)
        elif name in NAMES or (name not in ACCENTS and self.words.is_function(name)):
            made.append(self.spanned(renamed(token, "NAME", NAMES.get(name, name)), token))
        elif name in SIZES:
            self.sized_bar(made, token, SIZES[name])
        elif name in FONTS:
            self.font(made, token)
        elif name in ACCENTS:
            self.accent(made, token, ACCENTS[name])
        else:
            instead = 'MATLAB is read with syntax="matlab"' if len(name) == 1 else "write it out, or as a declared name"
            self.error(token, f"{token} is not read", instead)

    def spanned(self, made: Token, start: Token) -> Token:
        """A token that stands for all from another one up to here: names keep what was typed."""
        made.start_pos, made.end_pos = start.start_pos, self.found[self.place - 1].end_pos
        return made

    # -------------------------------------------------------------- brackets

    def braces(self, made: list[Token], token: Token) -> None:
        """`{X}`: a group; what is one operand stays without brackets."""
        inner = self.group(token)
        one = len(inner) == 1 or (all(part.type in ("NAME", "SUBSCRIPT") for part in inner[:2]) and len(inner) == 2)
        if one or not inner or self.peek() not in ("^", "_", "'"):
            made += inner
        else:
            made += [renamed(token, "LPAR", "("), *inner, renamed(self.found[self.place - 1], "RPAR", ")")]

    def bracket(self, made: list[Token], token: Token) -> None:
        """`[x + y]` groups, and `[x_i y_j]_{ij}` names the axes of an array."""
        inner = self.until({"]"})
        if self.place >= len(self.found):
            self.error(token, "a bracket that nothing closes", "close it: [...]")
        end = self.take()
        names = self.names_below() if self.peek() == "_" else []
        if names:
            made.append(renamed(token, "LBRACE", "{"))
            for k, name in enumerate(names):
                made += [renamed(end, "COMMA", ",")] * (k > 0)
                made.append(renamed(end, "NAME", name))
            made += [renamed(end, "COLON", ":"), *inner, renamed(end, "RBRACE", "}")]
        else:
            inner = [renamed(t, "COMPARE", "==") if t.type == "EQUAL" else t for t in inner]
            made += [renamed(token, "LPAR", "("), *inner, renamed(end, "RPAR", ")")]

    def names_below(self) -> list[str]:
        """The names in a subscript."""
        self.take()
        return letters_below(subscript_of(self.argument()))

    def sized_bar(self, made: list[Token], token: Token, side: str) -> None:
        r"""`\left|`, `\right.`, `\bigl(`: the size says nothing, but on which side a bar stands."""
        value = self.peek()
        bars = {"|": "|", "||": "‖", "‖": "‖", r"\|": "‖", r"\vert": "|", r"\Vert": "‖", r"\lvert": "|", r"\rvert": "|",
                r"\lVert": "‖", r"\rVert": "‖"}  # fmt: skip
        if value in bars:
            bar = self.take()
            made.append(renamed(bar, f"BAR{side}", bars[value]))
        elif value == ".":
            self.take()

    # -------------------------------------------------------------- names

    def font(self, made: list[Token], token: Token) -> None:
        r"""`\mathbf{W}`, `\mathrm{tr}`, `\mathbf{1}`: letters are names however they are set."""
        if self.found.kind(self.place) != "LBRACE":
            inner = self.argument()
            made += [self.spanned(part, token) if part.type == "NAME" else part for part in inner]
            return
        place = self.place
        start, word = self.word()
        if word == "1":
            self.ones(made, start)
        elif str(token) == r"\mathrm" and word == "D" and self.derived(made, token):
            return
        elif re.fullmatch(r"[^\W\d](?:\w|-)*\*?", word):
            made.append(self.spanned(renamed(token, "NAME", word.replace("-", "_").rstrip("*")), token))
        else:
            self.place = place
            made += self.argument()

    def derived(self, made: list[Token], token: Token) -> bool:
        r"""`\mathrm{D}f(x)`, `\mathrm{D}^{2}_{1,2}f(x, y)`: a derivative of a function, by which arguments."""
        place, said = self.place, {"^": "", "_": ""}
        while self.peek() in said:
            mark = str(self.take())
            said[mark] = "".join(map(str, self.argument()))
        name: list[Token] = []
        if self.found.kind(self.place) in ("NAME", "COMMAND", "DECLARED"):
            self.item(name, self.take())
        digits = self.argument() if name and self.peek() == "_" and self.take() else []
        word = "".join(map(str, name)) + ("_" + "".join(map(str, digits)) if digits else "")
        word = self.words.known(word) or word
        times = [number for number in said["_"].split(",") if number]
        if not self.words.is_function(word):
            self.place = place
            return False
        count = dict(self.words.arguments).get(word, 1)
        orders = "".join(str(times.count(str(k + 1))) for k in range(count)) if count > 1 else said["^"]
        made.append(self.spanned(renamed(token, "NAME", f"D{orders}{word}"), token))
        return True

    def ones(self, made: list[Token], token: Token) -> None:
        r"""`\mathbf{1}`: the vector of ones, the indicator of a condition, or ones with indices or dimensions."""
        if self.peek() in ("[", r"\{", "(", r"\left"):
            return
        if self.peek() == "_":
            self.sized(made, token, "ones")
        else:
            made.append(renamed(token, "NAME", "𝟏"))

    def sized(self, made: list[Token], token: Token, name: str) -> None:
        r"""`\mathbf{1}_{n \times m}` by its dimensions, `\mathbf{1}_{ij}` by its indices, `\mathbf{1}_{x > 0}`."""
        self.take()
        inner = self.argument()
        if any(part.type == "COMPARE" for part in inner):
            made += [renamed(token, "LPAR", "("), *inner, renamed(token, "RPAR", ")")]
            return
        names = [part for part in inner if part.type == "NAME"]
        known = all(str(part) in self.words.symbols or self.words.known(str(part)) for part in names)
        if inner and (known or any(str(part) == "×" for part in inner)):
            made += [renamed(token, "FUNCTION", name), renamed(token, "LPAR", "(")]
            made += [renamed(part, "COMMA", ",") if str(part) == "×" else part for part in inner]
            made.append(renamed(token, "RPAR", ")"))
        else:
            made += [renamed(token, "NAME", name), renamed(token, "SUBSCRIPT", f"_{{{subscript_of(inner)}}}")]

    def accent(self, made: list[Token], token: Token, mark: str) -> None:
        r"""`\hat{x}`, `\bar x`: a part of the name."""
        inner = self.argument()
        if len(inner) != 1 or inner[0].type != "NAME":
            self.error(token, f"{token} over more than a name", "give what is meant a name")
        name = f"{inner[0]}_{mark}"
        if mark == "vec" and not self.words.known(name):
            name = str(inner[0])
        made.append(self.spanned(renamed(inner[0], "NAME", name), token))

    def subscript(self, made: list[Token], token: Token) -> None:
        r"""`_i`, `_{ij}`, `_{n \times n}`."""
        if made and str(made[-1]) == "I" and not self.words.known("I"):
            name = made.pop()
            self.place -= 1
            self.sized(made, name, "eye")
            if str(made[-2]) == "eye":
                made[-2:] = [name]  # an identity whose size is told by what it meets
            return
        inner = self.argument()
        whole = bool(made) and str(made[-1]) == "group"
        inside = " ".join(map(str, inner)) if whole else subscript_of(inner)
        made.append(renamed(token, "SUBSCRIPT", f"_{{{inside}}}"))

    def superscript(self, made: list[Token], token: Token) -> None:
        r"""`^2`, `^\top`, `^{-1}`, `^{(2)}`: what it means is decided where that of text is."""
        braced = self.peek() == "{"
        start = self.found[min(self.place, len(self.found) - 1)]
        place = self.place
        inner = self.argument()
        if inner and str(inner[-1]) == "T" and any(str(t) == r"\mathsf" for t in self.found[place : self.place]):
            inner[-1] = renamed(inner[-1], "PRIME", "'")
        if braced or len(inner) != 1:
            made += [renamed(token, "CARET", "^"), renamed(start, "LBRACE", "{"), *inner]
            made.append(renamed(self.found[self.place - 1], "RBRACE", "}"))
        else:
            made += [token, *inner]


# ------------------------------------------------------------------ commands with arguments


def _fraction(page: LatexPage, made: list[Token], token: Token) -> None:
    r"""`\frac{a}{b}`, `\frac12`, and `\frac{\partial f}{\partial x}`."""
    above = page.argument()
    below = page.argument()

    def differential(part: list[Token]) -> bool:
        first = part[0] if part else token
        word = str(first)
        named = first.type == "NAME" and word.startswith("d") and not page.words.known(word)
        named = named and (word == "d" or not page.words.means(word))
        return first.type == "ROUND" or named

    over = renamed(below[0] if below else token, "TIMES", "/")
    if differential(above) and differential(below):
        above = bracketed(above)
        alone = len(above) == 1 or (len(above) <= 5 and above[1].type == "CARET")
        whole = [*above, over, *below]
        made += whole if alone else [renamed(token, "LPAR", "("), *whole, renamed(token, "RPAR", ")")]
        return
    made.append(renamed(token, "LPAR", "("))
    for k, part in enumerate((above, below)):
        made += [over] * k
        made += part if len(part) == 1 else [renamed(token, "LPAR", "("), *part, renamed(token, "RPAR", ")")]
    made.append(renamed(token, "RPAR", ")"))


def _root(page: LatexPage, made: list[Token], token: Token) -> None:
    r"""`\sqrt{x}`, `\sqrt[3]{x}`."""
    degree: list[Token] = []
    if page.peek() == "[":
        page.take()
        degree = page.until({"]"})
        page.take()
    inner = page.argument()
    if not degree:
        made += [renamed(token, "FUNCTION", ROOT), renamed(token, "LPAR", "("), *inner, renamed(token, "RPAR", ")")]
        return
    made += [renamed(token, "LPAR", "("), *inner, renamed(token, "RPAR", ")"), renamed(token, "POWER", "**")]
    made += [renamed(token, "LPAR", "("), renamed(token, "NUMBER", "1"), renamed(token, "TIMES", "/")]
    made += [*degree, renamed(token, "RPAR", ")")]


def _word(page: LatexPage, made: list[Token], token: Token) -> None:
    r"""`\operatorname{tr}`, `\text{diag}`, `\operatorname*{arg\,max}`."""
    start, word = page.word()
    word = word.strip().replace("-", "_")
    if word == "1":
        page.ones(made, start)
    elif re.fullmatch(r"[^\W\d]\w*", word):
        made.append(page.spanned(renamed(token, "NAME", word), token))
    elif word:
        page.error(token, f"{word!r} is no name", "write the formula without text")


def _under(page: LatexPage, made: list[Token], token: Token) -> None:
    r"""`\underset{i}{\left\lVert x_i \right\rVert_2}`: a function along the indices below it."""
    names = subscript_of(page.argument())
    inner = page.argument()
    made += inner
    name = len(inner) == 1 and inner[0].type == "NAME"
    made.append(renamed(token, "SUBSCRIPT", f"_{{{names}}}") if name else renamed(token, "ALONG", names))


def _picked(page: LatexPage, made: list[Token]) -> None:
    """A slice, as `x_{[1:]}` has it, or a list of entries, as `x_{[[0, 2]]}`."""
    page.take()
    _listed(page, made)
    page.take()


def _listed(page: LatexPage, made: list[Token]) -> None:
    """What stands in brackets, lists in it among it."""
    made.append(renamed(page.take(), "LSQB", "["))
    while page.peek() not in ("]", ""):
        made += page.until({"[", "]"})
        if page.peek() == "[":
            _listed(page, made)
    made.append(renamed(page.take(), "RSQB", "]"))


def _begin(page: LatexPage, made: list[Token], token: Token) -> None:
    """Environments: rows are statements, `cases` a choice, matrices blocks."""
    _, name = page.word()
    if name == "cases":
        made += cases(page, token)
    elif name in MATRICES:
        made += matrix(page, token, name)
    elif name in ROWS:
        made += page.until({r"\end"})
        ended(page, token, name)
    else:
        page.error(token, f"{name} is not read", "write its parts as expressions")


def _dropped(page: LatexPage, made: list[Token], token: Token) -> None:
    r"""`\label{...}`, `\tag{...}`: not a part of the formula."""
    page.word()


def _stacked(page: LatexPage, made: list[Token], token: Token) -> None:
    r"""`\substack{i,j \\ i \ne j}` below a sum: its rows, with commas between them."""
    made += [renamed(part, "COMMA", ",") if part.type == "_END" else part for part in page.argument()]


COMMANDS: dict[str, Callable[[LatexPage, list[Token], Token], None]] = {
    "frac": _fraction, "tfrac": _fraction, "dfrac": _fraction, "cfrac": _fraction, "sqrt": _root,
    "operatorname": _word, "operatorname*": _word, "text": _word, "textrm": _word, "mbox": _word, "textbf": _word,
    "underset": _under, "begin": _begin, "label": _dropped, "tag": _dropped, "substack": _stacked,
}  # fmt: skip
"""Commands that take arguments of their own."""
