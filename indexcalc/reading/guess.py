"""Declarations that a text does without: kinds by habit, dimensions by what meets what.

A capital is a matrix, a small letter a vector, a small Greek letter or `c` a scalar, as matrixcalculus.org has it. Each
axis begins with a dimension of its own; where two have to agree that are unlike, they become one, and the reading
begins again, until nothing is left to learn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from indexcalc.errors import ParseError
from indexcalc.reading.rules.constants import INDEXED
from indexcalc.reading.rules.names import Learnt, Reading
from indexcalc.reading.rules.spellings import SIGNED, SUMS
from indexcalc.reading.tokens.dialects import DIALECTS, dialect_of
from indexcalc.reading.tokens.passes import MODULES, defined
from indexcalc.reading.tokens.stream import Stream
from indexcalc.reading.tokens.words import CLIPPED, LATIN, Words
from indexcalc.writing.index.text import GREEK

SIZES = "ndmkpqrlhuvw"
"""Names of dimensions, in the order in which they are given."""
SCALARS = {"c"}
"""Small letters that are no vectors."""


def unknown_names(text: str, words: Words, syntax: str) -> dict[str, int]:
    """The names of a text that mean nothing, with the number of axes that their letters say.

    >>> unknown_names("X w - λ y", Words(), "")
    {'X': 2, 'w': 1, 'lam': 0, 'y': 1}
    """
    found = Stream(DIALECTS[dialect_of(text, syntax, words)].spell(text, words))
    own = set(defined(found))
    names: dict[str, int] = {}
    depth: list[str] = []
    for k, token in enumerate(found):
        if token.type in ("LSQB", "LBRACE"):
            depth.append(token.type)
        elif token.type in ("RSQB", "RBRACE") and depth:
            depth.pop()
        head = found.kind(k + 1) in ("COMMA", "COLON") and depth[-1:] == ["LBRACE"]
        if token.type != "NAME" or depth[-1:] == ["LSQB"] or head or str(token) in own:
            continue
        following = found.text(k + 1)[2:-1] if found.kind(k + 1) == "SUBSCRIPT" else ""
        for name in _names(str(token), words, found.kind(k + 1) == "LPAR", following):
            names.setdefault(name, _axes(name))
    return names


def _names(word: str, words: Words, called: bool, subscript: str) -> Iterable[str]:
    """The names in a word: itself, its letters where some are capitals, nothing where it has a meaning."""
    head, _, tail = word.partition("_")
    if subscript.isdigit():
        head, tail = f"{head}_{subscript}", ""
    if head in SUMS and _is_gone_over(tail or subscript):
        return
    own = (words.means(word) or words.is_function(head)) and (called or head not in SIGNED)
    if own or head in MODULES or head in INDEXED or head in ("", "e", "I", "𝟏", "d", "T"):
        return
    if tail.isdigit() or (tail and not tail.isalpha()) or re.fullmatch("hat|bar|tilde|dot", tail):
        head, tail = word, ""
    if re.fullmatch(r"d[A-Za-z]", head):
        head = head[1:]
    if (
        len(head) > 1
        and head.isalpha()
        and head.upper() != head.lower()
        and not _is_greek(head)
        and head != head.lower()
    ):
        yield from (_latin(letter) for letter in head if not words.means(letter))
    elif not called:
        yield _latin(head)


def _is_gone_over(subscript: str) -> bool:
    """Is this below a sign what a sum goes over, one index or a condition? The entry of a matrix has two indices."""
    names = re.sub(r"[\s,{}]", "", subscript)
    return not names.isdigit() and (len(names) == 1 or (bool(names) and not names.isalnum()))


def _latin(name: str) -> str:
    """A Greek letter as its name, which Python lets be one: `λ` is lam."""
    plain = LATIN.get(name, name)
    return CLIPPED.get(plain, (plain,))[0]


def _is_greek(name: str) -> bool:
    return name.partition("_")[0] in GREEK or name in LATIN


def _axes(name: str) -> int:
    """How many axes the letters of a name say."""
    if name[0].isupper():
        return 2
    return 0 if name == "lam" or _is_greek(name) or name.partition("_")[0] in SCALARS else 1


def guessed(
    text: str, first: Reading, read: Callable[[Mapping[str, str]], Reading], value_of: Callable[[Reading], Any]
) -> tuple[dict[str, str], Any]:
    """The declarations of a text that mean nothing yet, and what is read with them; `first` has what is declared."""
    axes = unknown_names(text, first.words, first.syntax)
    sizes = {name: [f"{name}_{k}" for k in range(count)] for name, count in axes.items()}
    same: dict[str, str] = {}

    def declared(letters: Mapping[str, str]) -> dict[str, str]:
        return {name: " ".join(letters.get(root(s), root(s)) for s in own) for name, own in sizes.items()}

    def root(size: str) -> str:
        while size in same:
            size = same[size]
        return size

    while True:
        reading = read(declared({}))
        reading.open = frozenset(size for own in sizes.values() for size in own)
        try:
            value_of(reading)
            break
        except Learnt as learnt:
            one, other = (root(str(size)) for size in learnt.sizes)
            gone, kept = (one, other) if one in reading.open else (other, one)
            if gone == kept or not isinstance(kept, str):
                raise ParseError(text, f"{learnt.sizes[0]} is not {learnt.sizes[1]}", "declare the tensors") from None
            same[gone] = kept
    taken = {str(size) for size in first.symbols}
    free = (letter for letter in SIZES if letter not in taken and letter not in axes)
    roots = dict.fromkeys(root(size) for own in sizes.values() for size in own)
    table = declared({size: next(free, size) for size in roots if size in reading.open})
    return table, value_of(read(table))


def told(table: Mapping[str, str]) -> str:
    """What was guessed, as people say it: `X n×d, w d, y n`."""
    shown = [f"{name} {'×'.join(sizes.split()) or 'a number'}" for name, sizes in table.items()]
    return f"read with {', '.join(shown)}" if shown else ""
