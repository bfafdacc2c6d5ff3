"""The text of a node, in index notation: what `str` prints and `ic.parse` reads back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction

from indexcalc.graph.node import Node
from indexcalc.graph.numbers import Number
from indexcalc.index import Dim, Dimension, unknown
from indexcalc.writing.brackets import ATOM, COMPARISON, POWER, PRODUCT, SUM, level_of, wrapped
from indexcalc.writing.index.arrange import array_page, expression_page
from indexcalc.writing.index.pages import Page
from indexcalc.writing.naming import part_names, with_parts
from indexcalc.writing.syntax import (  # fmt: skip
    OPERATORS,
    Applied,
    Arrow,
    Braces,
    Delta,
    Filled,
    Function,
    Grouped,
    Named,
    Names,
    Ones,
    Picked,
    Piece,
    Plain,
    Plus,
    Power,
    Reduced,
    Ref,
    Size,
    Times,
    Total,
)

PRIMES = ("", "′", "″", "‴")
"""The signs of derivatives, by how often."""
SUBSCRIPTS = re.compile(r"\[([^][]+)\]")
GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "omicron": "ο", "pi": "π", "rho": "ρ",
    "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
}  # fmt: skip
GREEK |= {name.capitalize(): letter.upper() for name, letter in GREEK.items()}


def expr_text(
    node: Node,
    names: Sequence[str],
    batch: Iterable[str] = frozenset(),
    unicode: bool = False,
    ascii: bool = False,
    starts: Mapping[str, Dimension] | None = None,
) -> str:
    """The text of a node whose axes have these names; those in `batch` are never summed by `*`.

    With `unicode`, Greek names are letters; with `ascii`, `δ` and `ε` are words. `starts` has where indices begin.
    """
    page, _ = expression_page(node, names, batch, str_piece, references, starts or {}, dependent=True)
    return _set(page, Text({}, unicode, ascii))


def ranges_told(
    node: Node, names: Sequence[str], batch: Iterable[str], starts: Mapping[str, Dimension]
) -> dict[str, str]:
    """Over which values the indices of the text run, where a reader has to be told: as `ic.parse` takes it.

    >>> from indexcalc.graph.constructors import constant, einsum, variable
    >>> part = constant("selection", (3, 5), (2, 1))
    >>> ranges_told(einsum(1, [(variable("x", (5,)), [1]), (part, [0, 1])], [0]), ["i"], (), {"i": 1})
    {'i': '1:4'}
    """
    _, arranger = expression_page(node, names, batch, str_piece, references, starts, dependent=True)
    return {name: str(found) for name, found in arranger.shifted.ranges.items()}


def array_text(
    node: Node,
    places: Sequence[int | None] | None = None,
    upright: bool = True,
    unicode: bool = False,
    ascii: bool = False,
    rows: frozenset[str] = frozenset(),
) -> str:
    """The text of a node as an array: its name, or its entries and an arrow to its axes, `A[j,i] -> [i,j]`.

    A unit axis, None among `places`, is a 1 after the arrow. Where the name alone would be read as standing otherwise,
    the array is not `upright`, and has the arrow too. Vectors that stand as `rows` have a unit axis in front.
    """
    page, _ = array_page(node, places, upright, str_piece, references)
    return _set(page, Text({}, unicode, ascii, rows))


def array_ranges_told(node: Node, places: Sequence[int | None] | None = None, upright: bool = True) -> dict[str, str]:
    """Over which values the indices of the text of an array run, where a reader has to be told.

    >>> from indexcalc.graph.constructors import constant, einsum, variable
    >>> windows = constant("affine_delta", (3, 2, 4), (0, 1, 1, -1))
    >>> array_ranges_told(einsum(1, [(variable("k", (2,)), [1]), (windows, [0, 1, 2])], [0, 2]))
    {'i': '0:3, zero', 'j': '0:4'}
    """
    _, arranger = array_page(node, places, upright, str_piece, references)
    return {name: str(found) for name, found in arranger.shifted.ranges.items()}


def str_piece(piece: Piece) -> str:
    """The text of a piece in which definitions have no name yet."""
    return Text({}).write(piece)


def references(piece: Piece) -> list[Node]:
    """The definitions that a piece names, in the order of its text."""
    text = Text({})
    text.write(piece)
    return list(text.met)


def definition_names(page: Page) -> dict[Node, str]:
    """Names for the definitions of a page that mean nothing else there."""
    nodes = [node for node, _ in page.definitions]
    names = part_names([(node.name, node.order) for node in nodes], page.words)
    return dict(zip(nodes, names, strict=True))


def _set(page: Page, text: Text) -> str:
    text.refs = definition_names(page)
    lines = [f"{text.refs[node]} = {text.write(piece)}" for node, piece in page.definitions]
    return with_parts(text.write(page.body), lines)


class Text:
    """Sets pieces as text. `refs` has the names of definitions; `met` notes those that are used."""

    def __init__(
        self, refs: dict[Node, str], unicode: bool = False, ascii: bool = False, rows: frozenset[str] = frozenset()
    ) -> None:
        self.refs, self.rows = refs, rows
        self.met: dict[Node, None] = {}
        self.greek = GREEK if unicode else {}
        self.delta = "delta" if ascii else "δ"
        self.symbols = {} if ascii else {"epsilon": "ε"}

    def write(self, piece: Piece) -> str:
        """The text of a piece."""
        return WRITTEN[type(piece)](self, piece)

    def at(self, piece: Piece, wanted: int) -> str:
        """The text of a piece where this level is wanted."""
        return wrapped(self.write(piece), self.level(piece), wanted)

    def level(self, piece: Piece) -> int:
        """How tightly the text of a piece binds: a sum with its names is a call, a number may have a sign."""
        if isinstance(piece, Total):
            return ATOM if piece.names else PRODUCT
        if isinstance(piece, Plain):
            return SUM if number_text(piece.value).startswith("-") else ATOM
        return POWER if isinstance(piece, Function) and piece.fn == "power" else level_of(piece)

    def name(self, name: str) -> str:
        """A name, Greek if that is asked for."""
        if name in self.greek or not self.greek:
            return self.greek.get(name, name)
        return re.sub(r"[^\W\d]\w*", lambda found: self.greek.get(found.group(), found.group()), name)

    def subs(self, names: Names) -> str:
        """Subscripts."""
        return f"[{','.join(map(self.name, names))}]" if names else ""

    def _plain(self, piece: Plain) -> str:
        return number_text(piece.value)

    def _size(self, piece: Size) -> str:
        return self._dim(piece.value)

    def _dim(self, dim: Dimension) -> str:
        return self.name(str(dim)) if isinstance(dim, Dim) else str(dim)

    def _named(self, piece: Named) -> str:
        return (self.symbols.get(piece.name) or self.name(piece.name)) + self.subs(piece.subs)

    def _ref(self, piece: Ref) -> str:
        self.met[piece.node] = None
        return self.refs.get(piece.node, "t") + self.subs(piece.subs)

    def _filled(self, piece: Filled) -> str:
        if any(map(unknown, piece.dims)):
            return piece.name + self.subs(piece.subs)
        return f"{piece.name}({', '.join(map(self._dim, piece.dims))}){self.subs(piece.subs)}"

    def _told(self, name: str, piece: Delta | Ones) -> str:
        if piece.dim is None:
            return name + self.subs(piece.names)
        word = "delta" if isinstance(piece, Delta) else name
        return f"{word}({', '.join(map(self.name, piece.names))}, dim={self._dim(piece.dim)})"

    def _delta(self, piece: Delta) -> str:
        return self._told(self.delta, piece)

    def _ones(self, piece: Ones) -> str:
        return self._told("ones", piece)

    def _function(self, piece: Function) -> str:
        if piece.fn in OPERATORS:
            return wrapped(self._comparison(piece), COMPARISON, ATOM)
        if piece.fn == "power":
            return self._power(Power(*piece.args))
        return f"{piece.fn}({', '.join([*map(number_text, piece.params), *map(self._open, piece.args)])})"

    def _comparison(self, piece: Function) -> str:
        left, right = (self.write(arg) for arg in piece.args)
        return f"{left} {OPERATORS[piece.fn]} {right}"

    def _open(self, piece: Piece) -> str:
        """An argument: a comparison needs no parentheses there."""
        return self._comparison(piece) if isinstance(piece, Function) and piece.fn in OPERATORS else self.write(piece)

    def _reduced(self, piece: Reduced) -> str:
        axes = map(self.name, piece.axes if piece.told else ())
        return f"{piece.fn}({', '.join([self._open(piece.arg), *map(number_text, piece.params), *axes])})"

    def _applied(self, piece: Applied) -> str:
        args = [*map(self._open, piece.args), *map(str, piece.params)]
        primed = piece.primes if self.greek else 0
        name = f"{self.name(piece.function)}{PRIMES[primed]}" if primed else self.name(piece.name)
        return f"{name}({', '.join(args)}){self.subs(piece.subs)}"

    def _grouped(self, piece: Grouped) -> str:
        left, right = (" ".join(_group(group) for group in side) for side in (piece.inner, piece.outer))
        sizes = [f"{name}={self._dim(size)}" for name, size in piece.sizes]
        pattern = f'"{left} -> {right}"'
        return f"group({', '.join([self.write(piece.arg), pattern, *sizes])}){self.subs(piece.subs)}"

    def _picked(self, piece: Picked) -> str:
        base = self.at(piece.arg, ATOM)
        keys = ("0", *piece.keys) if base in self.rows else piece.keys
        return f"{base}[{', '.join(keys)}]{self.subs(piece.subs)}"

    def _power(self, piece: Power) -> str:
        exponent = piece.exponent
        if _is_root(piece):
            return f"sqrt({self._open(piece.base)})"
        base = self.write(piece.base) if _is_root(piece.base) else self._raised(piece.base)
        return f"{base}**{self._raised(exponent)}"

    def _raised(self, piece: Piece) -> str:
        """A base or an exponent: a fraction is a quotient there."""
        if isinstance(piece, Plain) and isinstance(piece.value, Fraction):
            return wrapped(str(piece.value), PRODUCT, ATOM)
        return self.at(piece, ATOM)

    def _times(self, piece: Times) -> str:
        sign, above, below = split_number(piece.coef)
        top = [] if above == "1" and piece.top else [above]
        bottom = [below] if below else []
        top += [self.at(part, PRODUCT if _is_unsaid(part) else POWER) for part in piece.top]
        bottom += [self.at(part, POWER) for part in piece.bottom]
        return sign + "*".join(top) + _over(bottom)

    def _total(self, piece: Total) -> str:
        if not piece.names:
            return self.write(piece.body)
        held = ", ".join("".join(condition) for condition in piece.where)
        return f"sum[{','.join(piece.names)}{f': {held}' if held else ''}]({self._open(piece.body)})"

    def _plus(self, piece: Plus) -> str:
        terms = [self.write(term) for term in piece.terms]
        rest = (f" - {term[1:]}" if term.startswith("-") else f" + {term}" for term in terms[1:])
        return terms[0] + "".join(rest)

    def _braces(self, piece: Braces) -> str:
        return f"{{{','.join(map(self.name, piece.names))}: {self.write(piece.body)}}}"

    def _arrow(self, piece: Arrow) -> str:
        return f"{self.write(piece.body)} -> {self.subs(piece.names)}"


WRITTEN: dict[type, Callable[..., str]] = {
    Plain: Text._plain,
    Size: Text._size,
    Named: Text._named,
    Ref: Text._ref,
    Filled: Text._filled,
    Delta: Text._delta,
    Ones: Text._ones,
    Function: Text._function,
    Reduced: Text._reduced,
    Applied: Text._applied,
    Grouped: Text._grouped,
    Picked: Text._picked,
    Power: Text._power,
    Times: Text._times,
    Total: Text._total,
    Plus: Text._plus,
    Braces: Text._braces,
    Arrow: Text._arrow,
}
"""How each kind of piece is written; outside the class, so that no text holds itself, and what it names, alive."""


def _over(bottom: Sequence[str]) -> str:
    """Divisors: in parentheses, unless an index that two of them carry would be summed there."""
    named = [name for text in bottom for name in {n for subs in SUBSCRIPTS.findall(text) for n in subs.split(",")}]
    if len(bottom) < 2 or len(set(named)) < len(named):
        return "".join(f"/{text}" for text in bottom)
    return f"/{wrapped('*'.join(bottom), PRODUCT, POWER)}"


def _is_root(piece: Piece) -> bool:
    """Is this a power that is set as a call, `sqrt(x)`?"""
    if isinstance(piece, Function):
        return piece.fn == "power" and _is_root(Power(*piece.args))
    return isinstance(piece, Power) and isinstance(piece.exponent, Plain) and piece.exponent.value == Fraction(1, 2)


def _is_unsaid(piece: Piece) -> bool:
    """Is this a product that the reader sums unasked? Within a product it needs no parentheses."""
    return isinstance(piece, Total) and not piece.names and not isinstance(piece.body, Plus)


def _group(names: Names) -> str:
    return names[0] if len(names) == 1 else f"({' '.join(names)})"


def split_number(value: Number) -> tuple[str, str, str]:
    """The sign of a number, what is above the line, and what is below it, if anything."""
    if isinstance(value, complex):
        return "", number_text(value), ""
    sign, size = ("-", -value) if value < 0 else ("", value)
    if isinstance(size, Fraction):
        return sign, str(size.numerator), str(size.denominator)
    return sign, number_text(size), ""


def number_text(value: Number) -> str:
    """A number: `3`, `1/2`, `0.1`, `(1+2j)`."""
    if isinstance(value, complex):
        text = repr(complex(value.real + 0.0, value.imag + 0.0))  # no minus zero
        return text if text[0] == "(" else f"({text})"
    return str(value) if isinstance(value, int | Fraction) else repr(value)
