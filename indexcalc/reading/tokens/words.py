"""What the names of a text are, as far as its tokens depend on it, and the ways in which one name is written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple
from unicodedata import normalize

from indexcalc.reading.rules.constants import INDEXED, MADE
from indexcalc.reading.rules.spellings import FILLED, SPELLED
from indexcalc.views.array import Array
from indexcalc.views.functions.abstract import AbstractFunction
from indexcalc.views.functions.apply import WRITTEN as FUNCTIONS
from indexcalc.views.view import View
from indexcalc.writing.index.latex import name_latex
from indexcalc.writing.index.text import GREEK

LATIN = {letter: name for name, letter in GREEK.items()}
"""Greek letters by their names: `σ` is found where `sigma` is declared."""
CLIPPED = {"lambda": ("lam", "lambda_", "lmbda", "lamda"), "epsilon": ("eps",)}
"""Names that Python or the library keeps for itself, and what people write for them."""
MARKS = {"\u0302": "hat", "\u0304": "bar", "\u0305": "bar", "\u0303": "tilde", "\u0307": "dot", "\u0308": "ddot"}
"""Accents of letters, and their names."""
ACCENTS = {"hat", "bar", "tilde", "dot", "ddot", "vec", "check", "breve", "star", "prime"}
"""Marks that are a part of a name, `x_hat`, and no indices."""
KEPT = 4096
"""How many words have their spellings remembered."""


@lru_cache(maxsize=KEPT)
def spellings(word: str) -> tuple[str, ...]:
    """The names that a word may stand for, itself first.

    >>> spellings("σ"), spellings("x1"), spellings("x_hat")
    (('σ', 'sigma'), ('x1', 'x_1'), ('x_hat', 'hat_x', 'xhat'))
    """
    plain = "".join(MARKS.get(letter, letter) and letter for letter in normalize("NFD", word))
    marks = [MARKS[letter] for letter in plain if letter in MARKS]
    if marks:
        bare = "".join(letter for letter in plain if letter not in MARKS)
        found = [word, *(name for mark in marks[:1] for name in spellings(f"{normalize('NFKC', bare)}_{mark}"))]
        return tuple(dict.fromkeys(found))
    folded = normalize("NFKC", word)
    parts = re.fullmatch(
        rf"(?P<stem>[^\W\d_]+?)(?:_(?P<mark>{'|'.join(sorted(ACCENTS))}))?(?P<bar>_?)(?P<digits>\d*)", folded
    )
    if parts is None:
        return (word,) if folded == word else (word, folded)
    stem, mark, bar, digits = parts["stem"], parts["mark"], parts["bar"], parts["digits"]
    if bar and not digits:
        return (word,)
    name = LATIN.get(stem, stem)
    stems = list(dict.fromkeys([stem, name, *CLIPPED.get(name, ()), *([GREEK[name]] if name in GREEK else [])]))
    marked = [lambda s: f"{s}_{mark}", lambda s: f"{mark}_{s}", lambda s: f"{s}{mark}"] if mark else [lambda s: s]
    ends = [f"{bar}{digits}", digits if bar else f"_{digits}"] if digits else [""]
    made = [form(stem) + end for stem, form, end in product(stems, marked, ends)]
    return tuple(dict.fromkeys([word, folded, *made]))


class Words(NamedTuple):
    """What is declared, and what a text defines.

    Names with their number of axes, functions, dimensions, LaTeX with the names behind it, functions with the number of
    their arguments.

    >>> words = Words.of({"A": "n n"}, ())
    >>> words.known("A"), words.order("A"), words.is_function("inv")
    ('A', 2, True)
    """

    orders: frozenset[tuple[str, int]] = frozenset()
    functions: frozenset[str] = frozenset()
    symbols: frozenset[str] = frozenset()
    latex: tuple[tuple[str, str], ...] = ()
    arguments: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(cls, known: Mapping[str, Any], symbols: Iterable[str]) -> Words:
        """What is known, for the tokens of a text."""
        orders, functions, latex, arguments = [], [], [], []
        for name, value in known.items():
            if isinstance(value, AbstractFunction):
                functions.append(name)
                arguments.append((name, len(value.signature.args)))
                if value.signature.latex:
                    latex.append((value.signature.latex, name))
            else:
                orders.append((name, value.order if isinstance(value, View) else len(str(value).split())))
                own = getattr(getattr(value, "node", None), "latex", "") if isinstance(value, Array) else ""
                own = own or (name_latex(name) if name.endswith("_") else "")
                if own and own not in known:
                    latex.append((own, name))
        return cls(frozenset(orders), frozenset(functions), frozenset(symbols), tuple(sorted(latex)), tuple(arguments))

    def with_names(self, names: Iterable[str]) -> Words:
        """These words, and those that a text defines itself."""
        more = {(name, -1) for name in names if not self.known(name)}
        return self._replace(orders=self.orders | more) if more else self

    def known(self, word: str) -> str:
        """The declared name that a word stands for, "" if there is none."""
        table = dict(self.orders)
        return next((name for name in spellings(word) if name in table or name in self.functions), "")

    def order(self, word: str) -> int | None:
        """How many axes a declared tensor has; -1 for what the text defines, None for what is no tensor."""
        return dict(self.orders).get(self.known(word))

    def means(self, word: str) -> bool:
        """Has a word a meaning of its own, but for its subscripts?"""
        heads = [word, *(word[: found.start()] for found in re.finditer("_", word) if found.start())]
        if any(self.known(head) for head in heads) or word in self.symbols or word in ("pi", "π", "I", "∞"):
            return True
        return any(head in INDEXED for head in heads[1:]) or word in INDEXED or self.is_function(word)

    def is_function(self, word: str) -> bool:
        """Does a name before a parenthesis stand for a function, and not for a factor?"""
        if word in self.functions:
            return True
        if self.known(word):
            return self.known(word) in self.functions
        if word in FUNCTIONS or word in MADE or word in SPELLED or word in FILLED:
            return True
        found = re.fullmatch(r"D\d*(.+)", word)
        return found is not None and found[1] in self.functions


def splits(word: str, words: Words) -> Iterator[list[str]]:
    """The ways in which a word is declared names side by side: `Xw` is X and w, `x_iW_ij` is x_i and W_ij."""

    def piece(text: str) -> bool:
        head, mark, tail = text.partition("_")
        if not head or (mark and not tail):
            return False
        own = bool(words.known(head)) or head in words.symbols or (head == "I" and not mark)
        return own and not any(words.known(letter) for letter in tail)

    def ways(rest: str) -> Iterator[list[str]]:
        if not rest:
            yield []
        for end in range(1, len(rest) + 1):
            if piece(rest[:end]):
                yield from ([rest[:end], *more] for more in ways(rest[end:]))

    return ways(word)
