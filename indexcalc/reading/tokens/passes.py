"""What each token is in its place, decided before the grammar sees them: a pass for each question, in one order.

Tokens that no text has are put in: side by side means times (`ADJACENT`), a function without brackets is `BARE`, a sum
sign is `BIG`, a derivative is `PARTIAL`, or goes by (`BY`) a variable (`OVER`). Each keeps the place of what was typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import islice, pairwise
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import normalize, numeric

from indexcalc.errors import ParseError
from indexcalc.functions.table import REDUCTIONS
from indexcalc.reading.rules.constants import MADE
from indexcalc.reading.rules.spellings import ALL, DIVIDED, ONES, ROOT, SIGNED, SUMS, WITHOUT_ROW
from indexcalc.reading.tokens.bars import barred
from indexcalc.reading.tokens.dialects import DIALECTS, dialect_of
from indexcalc.reading.tokens.grammar import CLOSES, tree_of, where
from indexcalc.reading.tokens.latex_parts import letters_below
from indexcalc.reading.tokens.lexing import lexed
from indexcalc.reading.tokens.powers import raised
from indexcalc.reading.tokens.questions import derivatives
from indexcalc.reading.tokens.stream import ENDS, OPENS, STARTS, Stream, closing, renamed
from indexcalc.reading.tokens.words import Words, splits
from indexcalc.views.blocks.table import BLOCKS

if TYPE_CHECKING:
    from lark import Token, Tree

DEEPEST = 300
"""Brackets in one another that a text may have: an arbitrary budget, far more than a formula has that a person reads;
it bounds the depth of the tree."""
KEPT = 256
"""How many trees are remembered."""
LONGEST_WORD, MOST_WAYS = 30, 9
"""Letters of a name that is split into declared ones, and ways in which that is tried: arbitrary budgets."""
LONGEST = 100_000
"""Characters of a text: an arbitrary budget, far more than a person pastes."""
COMPARED = re.compile(r"(<=|>=|!=|<|>)")
"""What stands between two indices below a sum."""
MODULES = {
    "np", "numpy", "jnp", "torch", "tf", "ic", "scipy", "linalg", "special", "nn", "functional", "F", "jax", "lax",
}  # fmt: skip
"""What stands before the name of a function in Python, and is no part of it."""


# ------------------------------------------------------------------ signs as they are typed


def lists(text: str, found: list[Token], words: Words) -> list[Token]:
    """A list of arrays, `concatenate([x, y])`, is a call in brackets of its own; one within it too."""
    stream, made = Stream(found), Stream()
    around = [""]
    for k, token in enumerate(stream):
        before, parts = stream.kind(k - 1), [token]
        if token.type == "LSQB" and (around[-1] == "[" or around[-1] in BLOCKS) and before not in ENDS:
            around.append("[")
            parts = [renamed(token, "FUNCTION", "["), renamed(token, "LPAR", "(")]
        elif token.type in OPENS:
            around.append(stream.text(k - 1).removeprefix(".") if token.type == "LPAR" else "")
        elif token.type in CLOSES and len(around) > 1 and around.pop() == "[":
            parts = [renamed(token, "RPAR", ")")]
        made += parts
    return made


def colons(text: str, found: list[Token], words: Words) -> list[Token]:
    """`A : B` is a product; within brackets a colon is a slice's, and the first one in braces is theirs."""
    depth: list[str] = []
    made = []
    for token in found:
        if token.type in OPENS:
            depth.append(token.type)
            if len(depth) > DEEPEST:
                raise ParseError(
                    text, f"{where(text, token.start_pos or 0)}: more than {DEEPEST} brackets in one another",
                    "name the inner parts first: t1 = ...; t2 = ..."
                )  # fmt: skip
        elif token.type in CLOSES and depth:
            depth.pop()
        elif token.type == "COLON":
            if depth[-1:] == ["LBRACE"]:
                depth[-1] = "after"
            elif depth[-1:] != ["LSQB"]:
                token = renamed(token, "TIMES", ":")
        made.append(token)
    return made


def plain_signs(text: str, found: list[Token], words: Words) -> list[Token]:
    """One sign for one meaning: `−` is `-`, `½` is (1/2), `x₁` a name, `np.exp` is `exp`, `_2` of a norm its order."""
    stream, made = Stream(found), Stream()
    k = 0
    while k < len(stream):
        token, k = stream[k], k + 1
        if token.type == "PRIME" and str(token) in PRIMES:
            made += [renamed(token, "PRIME", "'")] * PRIMES[str(token)]
            continue
        if token.type in SIGNS:
            token = renamed(token, token.type, SIGNS[token.type].get(str(token), str(token)))
        if token.type == "VULGAR":
            up, down = Fraction(numeric(str(token))).limit_denominator(8).as_integer_ratio()
            parts = [("LPAR", "("), ("NUMBER", str(up)), ("TIMES", "/"), ("NUMBER", str(down)), ("RPAR", ")")]
            made += [renamed(token, kind, value) for kind, value in parts]
        elif token.type == "LOWER":
            lowered(made, token, words)
        elif token.type == "ATTRIBUTE":
            attribute(text, made, token, stream.kind(k), words)
        elif token.type == "NAME" and str(token).startswith("_") and made.kind(len(made) - 1) in SUBSCRIBED:
            below = str(token)[1:] or stream.text(k)
            k += str(token) == "_"
            made.append(renamed(token, "SUBSCRIPT", f"_{{{below}}}"))
        else:
            made.append(token)
    return made


SUBSCRIBED = {"BAR", "ROUND", "NABLA", "NUMBER"}
"""What may have a subscript, beside names: the order of a norm, a variable, the length of 1_n."""
FILLED = {"1": ONES, "0": "zeros"}
"""Numbers that are vectors of themselves where their length stands below: `1_n`, `0_{n}`."""
SIDES = ("rows", "columns")
"""Words below a function that goes along the rows of a matrix, or along its columns."""
ALONG = {name for name, row in REDUCTIONS.items() if not row.matrix} | WITHOUT_ROW
"""Functions along axes."""
PRIMES = {"″": 2, "‴": 3}
"""Signs of several primes."""
SIGNS = {
    "SIGN": {"−": "-", "–": "-"},
    "TIMES": {"⊙": "∘", "⋅": "·", "•": "·", "∗": "*", "÷": "/"},
    "COMPARE": {"≤": "<=", "≥": ">=", "≠": "!="},
    "ARROW": {"→": "->"}, "PRIME": {"′": "'", "ᵀ": "'", "⊤": "'", "⊺": "'"}, "ELLIPSIS": {"…": "..."},
    "BAR": {"||": "‖"},
}  # fmt: skip
"""Signs that have the meaning of another."""


def lowered(made: list[Token], token: Token, words: Words) -> None:
    """`x₁` is the name x1 or x_1 where that is declared; `Wᵢⱼ`, `‖x‖₂` have subscripts."""
    low = normalize("NFKC", str(token))
    if made and made[-1].type == "NAME" and words.known(f"{made[-1]}{low}"):
        made[-1] = renamed(made[-1], "NAME", f"{made[-1]}{low}")
    else:
        made.append(renamed(token, "SUBSCRIPT", f"_{{{low}}}"))


def attribute(text: str, made: list[Token], token: Token, following: str, words: Words) -> None:
    """`np.exp` is `exp`, and `A.dot(x)` a function of A first."""
    module = made[-1] if made else None
    if module is not None and module.type == "NAME" and str(module) in MODULES and not words.known(str(module)):
        if str(token)[1:] in DIVIDED.get(str(module), ()):
            place, name = where(text, module.start_pos or 0), str(token)[1:]
            found = f"{place}: {module}.{name} divides by n - 1, and {name} by n; samples are rows here"
            raise ParseError(text, found, f"write {name}(X, ddof=1), of the transpose where samples are columns")
        made[-1] = renamed(module, "NAME", str(token)[1:])
    elif following == "LPAR":
        made.append(renamed(token, "METHOD", str(token)[1:]))
    else:
        place = where(text, token.start_pos or 0)
        raise ParseError(text, f"{place}: {token} is no attribute of an expression in text", "write A.T, or a function")


# ------------------------------------------------------------------ names


def joined(text: str, found: list[Token], words: Words) -> list[Token]:
    r"""`W_{1}` is the name W_1, and `\Sigma_{xy}` Sigma_xy, where they are declared."""
    made: list[Token] = []
    for token in found:
        if token.type == "SUBSCRIPT" and made and made[-1].type == "NAME":
            inside = str(token)[2:-1].replace(" ", "").replace(",", "")
            name = f"{made[-1]}_{inside}"
            sized = str(made[-1]) == "I" and (inside in words.symbols or inside.isdigit())
            if re.fullmatch(r"\w+", name) and (words.known(name) or (sized and not words.known("I"))):
                made[-1] = renamed(made[-1], "NAME", name)
                continue
        inside = str(token)[2:-1]
        filled = FILLED.get(str(made[-1])) if token.type == "SUBSCRIPT" and made else None
        if filled and (inside in words.symbols or (inside.isdigit() and filled != ONES)):
            parts = [("FUNCTION", filled), ("LPAR", "("), ("NAME", str(token)[2:-1]), ("RPAR", ")")]
            made[-1:] = [renamed(made[-1], kind, value) for kind, value in parts]
            continue
        made.append(token)
    return made


def headed(text: str, found: list[Token], words: Words) -> list[Token]:
    """`f(x) = ...` defines f: what stands in the brackets says what it depends on."""
    made = Stream(found)
    k = 0
    while k < len(made):
        start = k == 0 or made[k - 1].type == "_END"
        if start and made.kind(k) == "NAME" and made.kind(k + 1) == "LPAR" and words.order(str(made[k])) == -1:
            end = closing(made, k + 1)
            inner = made[k + 2 : end]
            if made.kind(end + 1) == "EQUAL" and all(t.type in ("NAME", "COMMA") for t in inner):
                del made[k + 1 : end + 1]
        k += 1
    return made


def below(text: str, found: list[Token], words: Words) -> list[Token]:
    r"""Functions with their axes below them: `\operatorname{softmax}_{j}(X_{ij})`, `\max_{\text{rows}}(X)`."""
    stream = Stream(found)
    for k in range(len(stream) - 3, -1, -1):
        word = stream.text(k)
        function = stream.kind(k) == "NAME" and words.is_function(word) and not words.known(word)
        if not function or stream.kind(k + 1) != "SUBSCRIPT" or stream.kind(k + 2) != "LPAR":
            continue
        said, inside = stream[k + 1], stream.text(k + 1)[2:-1].strip(", ")
        if inside in SIDES:
            more = [("NAME", "axis"), ("EQUAL", "="), ("STRING", f'"{inside}"')]
        elif word == "group":
            more = _pattern(inside)
        elif word in ALONG and word not in SUMS:
            more = [part for name in letters_below(inside) for part in (("COMMA", ","), ("NAME", name))][1:]
        else:
            continue
        end = closing(stream, k + 2)
        stream[end:end] = [renamed(said, kind, value) for kind, value in [("COMMA", ","), *more]]
        del stream[k + 1]
    return stream


def _pattern(inside: str) -> list[tuple[str, str]]:
    """The pattern of `group` and the lengths of what it splits, from `ij -> (ij) , i = n`."""
    pattern, *sizes = inside.split(" , ")
    apart = re.sub(r"([^\W\d_]\d*)", r" \1 ", pattern)
    more = [("STRING", f'"{apart}"')]
    for size in sizes:
        name, _, length = size.partition(" = ")
        more += [("COMMA", ","), ("NAME", name), ("EQUAL", "="), *dimension_tokens(length)]
    return more


def dimension_tokens(length: str) -> list[tuple[str, str]]:
    """A dimension as the tokens of text."""
    return [(token.type, str(token)) for token in lexed(length, "text")]


def called(text: str, found: list[Token], words: Words) -> list[Token]:
    """Functions: before brackets, before bars, or before their argument alone; sums with their sign."""
    made: list[Token] = []
    stream = Stream(found)
    k = 0
    while k < len(stream):
        token, k = stream[k], k + 1
        if token.type == "SUMMED" or (token.type == "NAME" and _is_sum(token, stream, k, words)):
            k = _summed(text, made, token, stream, k, words)
        elif token.type == "ROOT":
            k = _root(text, made, token, stream, k)
        elif token.type == "NAME":
            k = _function(made, token, stream, k, words)
        else:
            made.append(token)
    return made


def _is_sum(token: Token, stream: Stream, k: int, words: Words) -> bool:
    head, mark, tail = str(token).partition("_")
    if words.known(str(token)) or (words.is_function(str(token)) and tail) or head not in SUMS or words.known(head):
        return False
    return bool(mark and tail) or (not mark and stream.kind(k) == "SUBSCRIPT")


def _summed(text: str, made: list[Token], token: Token, stream: Stream, k: int, words: Words) -> int:
    """`Σ_i`, `∑_{i,j}`, `sum_{i=1}^n`, `Σ_{i<j}`: the sign, the indices, the bounds and the conditions."""
    head, _, tail = str(token).partition("_")
    subs = tail
    if not subs:
        if stream.kind(k) == "SUBSCRIPT":
            subs, k = str(stream[k])[2:-1], k + 1
        elif stream.kind(k) == "NAME" and str(stream[k]).startswith("_"):
            subs, k = str(stream[k])[1:], k + 1
    upper = ""
    if stream.kind(k) == "CARET":
        end = closing(stream, k + 1) if stream.kind(k + 1) in ("LPAR", "LBRACE") else k + 1
        inner = [t for t in stream[k + 1 : end + 1] if t.type not in ("LPAR", "LBRACE", "RPAR", "RBRACE")]
        upper, k = "".join(map(str, inner)), end + 1
    below = _below(text, token, subs, words)
    bounds = f"{below.lower}:{upper or below.upper}" if below.lower or upper or below.upper else ""
    inside = _listed([("NAME", name)] for name in below.names or [ALL])
    held = _listed([("NAME", one), ("COMPARE", sign), ("NAME", other)] for one, sign, other in below.conditions)
    inside += [("COLON", ":"), *held] if held else []
    row = [("BIG", f"{SUMS[head]} {bounds}".strip()), ("LSQB", "["), *inside, ("RSQB", "]")]
    made += [renamed(token, kind, value) for kind, value in row]
    return k


def _listed(rows: Iterable[list[tuple[str, str]]]) -> list[tuple[str, str]]:
    """Tokens of several things, with commas between them."""
    return [row for n, part in enumerate(rows) for row in [("COMMA", ",")] * (n > 0) + part]


class Below(NamedTuple):
    """What stands below a sum: the indices that are listed, the conditions between indices, and the bounds."""

    names: list[str]
    conditions: list[tuple[str, str, str]]
    lower: str = ""
    upper: str = ""


def _below(text: str, token: Token, subs: str, words: Words) -> Below:
    """The parts of `i,j`, `t=1`, `i<j`, `i,j: i != j`, `1 <= i < j <= n`."""
    plain = subs.replace("≤", "<=").replace("≥", ">=").replace("≠", "!=")
    if not COMPARED.search(plain):
        lower, equals, start = plain.partition("=")
        names = [name for name in re.split(r"[,\s]+", lower.strip()) if name]
        names = _letters(names[0]) if len(names) == 1 and not equals else names
        return Below(names, [], start.strip())
    found = Below([], [])
    for part in re.split(r"[,:()|\s]+", re.sub(r"\s*(<=|>=|!=|<|>|=)\s*", r"\1", plain).strip()):
        chain = COMPARED.split(part)
        if len(chain) > 1 and chain[0].isdigit() and chain[1][0] == "<":
            found = found._replace(lower=str(int(chain[0]) + (chain[1] == "<")))
            chain = chain[2:]
        if len(chain) > 1 and chain[-1] in words.symbols and chain[-2][0] == "<":
            found = found._replace(upper=chain[-1] + ("-1" if chain[-2] == "<" else ""))
            chain = chain[:-2]
        if len(chain) == 1:
            name, _, start = part.partition("=") if "=" in chain[0] else (chain[0], "", "")
            found = found._replace(lower=start or found.lower)
            found.names.extend([name] if name else [])
        elif not all(name.isidentifier() for name in chain[::2]) or chain[1::2].count("!=") > 1:
            several = "which of them differ?" if "!=" in chain else "no conditions between indices"
            found_ = f"{where(text, token.start_pos or 0)}: a sum over {subs}: {several}"
            raise ParseError(
                text, found_, "write \\sum_{i<j}, \\sum_{i,j: i \\ne j}, or e.sum(i, j, where=...) in Python"
            )
        else:
            found.conditions.extend(zip(chain[::2], chain[1::2], chain[2::2], strict=False))
    if len(found.names) == 1:
        found.names[:] = _letters(found.names[0])
    return found


def _letters(name: str) -> list[str]:
    """The indices of what alone stands below a sum: one a letter, as in `Σ_ij`."""
    return re.findall(r"[^\W\d_]\d*", name) or [name]


def _root(text: str, made: list[Token], token: Token, stream: Stream, k: int) -> int:
    """`√(x'x)`, `√2`, `√n`: the root of what comes next."""
    made.append(renamed(token, "FUNCTION", ROOT))
    if stream.kind(k) == "LPAR":
        return k
    if stream.kind(k) not in ("NAME", "NUMBER"):
        raise ParseError(text, f"{where(text, token.start_pos or 0)}: √ of what?", "write √(x'x)")
    made += [renamed(token, "LPAR", "("), stream[k], renamed(stream[k], "RPAR", ")")]
    return k + 1


def _function(made: list[Token], token: Token, stream: Stream, k: int, words: Words) -> int:
    """A name that is a function: `exp(x)`, `log|A|`, `sin t`, `sin^2 t`, `f'(x)`."""
    word = str(token)
    primes = 0
    own = words.known(word)
    while own in words.functions and stream.kind(k + primes) == "PRIME":
        primes += 1
    if primes and stream.kind(k + primes) == "LPAR":
        made.append(renamed(token, "FUNCTION", f"D{primes if primes > 1 else ''}{own}"))
        return k + primes
    following = stream.kind(k)
    if word in SUMS and following == "LSQB" and not words.known(word):
        made.append(renamed(token, "TOTAL", word))
    elif words.is_function(word) and (word not in SIGNED or following == "LPAR"):
        if (
            word not in MADE
            and following == "CARET"
            and stream.kind(k + 1) == "NUMBER"
            and stream.kind(k + 2) in STARTS
        ):
            word, k = f"{word}^{stream[k + 1]}", k + 2
            following = stream.kind(k)
        starts = following in STARTS | {"ROOT", "SUMMED"} and following != "LPAR" and following != "LBRACE"
        kind = "FUNCTION" if following == "LPAR" else "BARE" if starts and word not in MADE else "NAME"
        made.append(renamed(token, kind, word))
    elif following == "LPAR" and not words.means(word) and not _splits(word, words):
        made.append(renamed(token, "FUNCTION", word))
    else:
        made.append(token)
    return k


def _splits(word: str, words: Words) -> bool:
    return len(word) <= LONGEST_WORD and next(splits(word, words), None) is not None


def parted(text: str, found: list[Token], words: Words) -> list[Token]:
    """A name that nobody declared, and that is declared names side by side in one way only, is their product."""
    made: list[Token] = []
    depth: list[str] = []
    for k, token in enumerate(found):
        if token.type in OPENS:
            depth.append(token.type)
        elif token.type in CLOSES and depth:
            depth.pop()
        following = found[k + 1].type if k + 1 < len(found) else ""
        word = str(token)
        bound = (depth and depth[-1] == "LSQB") or following in ("EQUAL", "COLON", "LSQB") or _heads(found, k, depth)
        if token.type != "NAME" or len(word) == 1 or bound or words.means(word):
            made.append(token)
            continue
        ways = list(islice(splits(word, words), MOST_WAYS)) if len(word) <= LONGEST_WORD else []
        if not ways and word[-1] == "1" and words.known(word[:-1]) and _ones_first(found):
            ways = [[word[:-1], "1"]]
        if len(ways) > 1:
            shown = " or ".join(" ".join(way) for way in ways[:3])
            raise ParseError(
                text, f"{where(text, token.start_pos or 0)}: {word!r} is not declared, and splits in {len(ways)} ways",
                f"write {shown}",
            )  # fmt: skip
        made += _pieces(token, ways[0]) if ways else [token]
    return made


def _heads(found: list[Token], k: int, depth: list[str]) -> bool:
    """Does this name stand in the head of braces, `{i,j: ...}`?"""
    if not depth or depth[-1] != "LBRACE":
        return False
    while k < len(found) and found[k].type in ("NAME", "COMMA"):
        k += 1
    return k < len(found) and found[k].type == "COLON"


def _ones_first(found: list[Token]) -> bool:
    """Is there a `1'` in the text, so that the 1 of `1'A1` is the vector as well?"""
    return any(str(a) == "1" and b.type == "PRIME" for a, b in pairwise(found))


def _pieces(token: Token, parts: list[str]) -> Iterator[Token]:
    place = token.start_pos or 0
    for part in parts:
        made = renamed(token, "NUMBER" if part.isdigit() else "NAME", part)
        made.start_pos, made.end_pos = place, place + len(part)
        place += len(part)
        yield made


# ------------------------------------------------------------------ side by side


def adjacent(text: str, found: list[Token]) -> Iterator[Token]:
    """The tokens, with what stands side by side multiplied and line ends within brackets left out."""
    depth: list[Token] = []
    previous = ""
    last = max((k for k, token in enumerate(found) if token.type != "_END"), default=-1)
    for k, token in enumerate(found):
        if token.type == "_END" and (depth or previous in ("", "_END") or k > last):
            continue
        if previous in ENDS and token.type in STARTS:
            yield renamed(token, "ADJACENT", "")
        if token.type in OPENS:
            depth.append(token)
        elif token.type in CLOSES and depth:
            depth.pop()
        previous = token.type
        yield token


Pass = Callable[[str, "list[Token]", Words], "list[Token]"]
PASSES: tuple[Pass, ...] = (
    lists, colons, plain_signs, joined, headed, raised, barred, derivatives, below, called, parted,
)  # fmt: skip
"""The passes over the tokens, in their order: each may rely on what those before it have decided."""


def defined(found: list[Token]) -> Iterator[str]:
    """The names that a text defines."""
    start, stream = True, Stream(found)
    for k, token in enumerate(found):
        if start and token.type == "NAME":
            end = closing(found, k + 1) if stream.kind(k + 1) in ("LPAR", "LSQB") else k
            end += stream.kind(k + 1) == "SUBSCRIPT"
            if stream.kind(end + 1) == "EQUAL":
                number = stream.text(k + 1)[2:-1] if stream.kind(k + 1) == "SUBSCRIPT" else ""
                names = [f"{token}_{number}"] if number.isdigit() else str(token).split("_")
                yield from ("_".join(names[:n]) for n in range(1, len(names) + 1))
        start = token.type == "_END"


@lru_cache(maxsize=KEPT)
def parse_tree(text: str, words: Words, syntax: str = "") -> Tree[Token]:
    """The syntax tree of a text, remembered: `check` reads one text with its vectors in three ways."""
    if len(text) > LONGEST:
        raise ParseError(text, f"a text of {len(text)} characters", f"a text has at most {LONGEST}")
    found = DIALECTS[dialect_of(text, syntax, words)].spell(text, words)
    words = words.with_names(defined(found))
    for step in PASSES:
        found = step(text, found, words)
    return tree_of(text, list(adjacent(text, found)))
