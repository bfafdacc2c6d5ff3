r"""The LaTeX of a node, in index notation.

Where text needs braces, because plain reading would sum what is free, LaTeX has brackets with the free indices below
them, and within them every sum with its sign: `\left[p_{i}\,(\delta_{ij} - p_{j})\right]_{ij}`. An array that has no
closed form stands as its entries in parentheses, with the indices of its axes: `\left(x_{i}\,y_{j}\right)_{ij}`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from indexcalc.functions.entries.choosing import chooser_of
from indexcalc.functions.table import ELEMENTWISE, MATRICES, REDUCTIONS
from indexcalc.graph.node import Call, Elementwise, Node, topological
from indexcalc.graph.numbers import Number
from indexcalc.graph.walk import variables
from indexcalc.index import Dim, Dimension, unknown
from indexcalc.writing.brackets import ATOM, POWER, PRODUCT, SUM, TALL, level_of, wrapped
from indexcalc.writing.index.arrange import Arranger, array_page, expression_page
from indexcalc.writing.index.pages import Page
from indexcalc.writing.index.text import (
    GREEK,
    definition_names,
    number_text,
    ranges_told,
    references,
    split_number,
    str_piece,
)
from indexcalc.writing.index.words import words
from indexcalc.writing.naming import with_parts_latex
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
    indices_of,
)

SAME_AS_LATIN = {
    "omicron", "Alpha", "Beta", "Epsilon", "Zeta", "Eta", "Iota", "Kappa", "Mu", "Nu", "Omicron", "Rho", "Tau", "Chi",
}  # fmt: skip
SYMBOLS = {"epsilon": r"\varepsilon", "pi": r"\pi", "eye": "I", "ones": r"\mathbf{1}", "zeros": "0"}
WHOLE = {row.matrix: row.latex for row in REDUCTIONS.values() if row.matrix}
REACHING = {name for name, row in REDUCTIONS.items() if row.latex.startswith((r"\max_", r"\min_", r"\prod_"))}
"""Functions along axes that are set as a sum is, with its reach."""
LOGDET = r"\log\left|"
"""How the LaTeX of a logarithm of a determinant begins, which has no brackets of its own."""
CASES = r"\begin{{cases}}"
"""How the LaTeX of a choice begins, as a row has it."""
MARKS = ("hat", "bar", "tilde", "dot", "ddot")
"""Ends of names that are set over the letter."""
LETTERS = {
    name: found[1]
    for name, row in ELEMENTWISE.items()
    if (found := re.search(rf"\\({'|'.join(GREEK)})(?![A-Za-z])", row.latex))
}
"""Functions that are set as a Greek letter, and the letter."""
PRIMES = ("", "'", "''", "'''")
"""The signs of derivatives, by how often."""
NORMS = {"normF": r"\underset{{{axes}}}{{\left\lVert {}\right\rVert_{{F}}}}"}


def expr_latex(
    node: Node,
    names: Sequence[str],
    batch: Iterable[str] = frozenset(),
    starts: Mapping[str, Dimension] | None = None,
) -> str:
    """The LaTeX of a node whose axes have these names; `starts` has where indices begin.

    What a reader is told of indices is told of those of the text, which has no name for a sum over what integers
    choose: where these are others, nothing is affine, and no other index has such a name.
    """
    page, arranger = expression_page(node, names, batch, str_piece, references, starts or {})
    chosen = any(isinstance(inner, Elementwise) and chooser_of(inner) for inner in topological([node]))
    told = ranges_told(node, names, batch, starts or {}) if chosen else {}
    if chosen and told != {name: str(found) for name, found in arranger.shifted.ranges.items()}:
        arranger = Arranger(node, batch, str_piece)
        arranger.words |= told.keys()
        page = arranger.page(lambda: arranger.expression(names), references)
    return _set(page, letters_taken(node))


def array_latex(
    node: Node,
    places: Sequence[int | None] | None = None,
    upright: bool = True,
    rows: frozenset[str] = frozenset(),
) -> str:
    """The LaTeX of a node as an array: its name, or its entries in parentheses with the indices of its axes.

    Vectors that stand as `rows` have a unit axis in front.
    """
    page, _ = array_page(node, places, upright, str_piece, references)
    return _set(page, letters_taken(node), rows)


def _set(page: Page, taken: frozenset[str], rows: frozenset[str] = frozenset()) -> str:
    names = definition_names(page)
    setter = Latex(names, taken, rows)
    lines = [f"{name_latex(names[node])} = {setter.write(piece)}" for node, piece in page.definitions]
    return with_parts_latex(setter.write(page.body), lines)


GROUP = r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}"
SCRIPT = re.compile(rf"(?:([_^])(?:{GROUP}|\\[A-Za-z]+|\w)|('))$")
"""A subscript, a superscript or a prime at the end; what stands in it may have braces, as `n^{2}` has."""


def scripts_of(latex: str) -> str:
    r"""The signs of the scripts at the end, `_`, `^` and primes: LaTeX takes no second one of a kind.

    >>> scripts_of(r"\mathbf{x}^{\star}"), scripts_of(r"x_0^{(k)}"), scripts_of(r"I_{n^{2}}"), scripts_of(r"\hat{x_1}")
    ('^', '^_', '_', '')
    """
    signs = ""
    while found := SCRIPT.search(latex):
        signs += found[1] or "^"
        latex = latex[: found.start()]
    return signs


class Latex:
    """Sets pieces as LaTeX. In braces `bare` is true: there Einstein's rule does not sum, so every sum is written."""

    def __init__(
        self, refs: dict[Node, str], taken: frozenset[str] = frozenset(), rows: frozenset[str] = frozenset()
    ) -> None:
        self.refs, self.rows = refs, set(map(name_latex, rows))
        self.taken = taken
        self.bare = False

    def write(self, piece: Piece) -> str:
        """The LaTeX of a piece."""
        return WRITTEN[type(piece)](self, piece)

    def at(self, piece: Piece, wanted: int) -> str:
        """The LaTeX of a piece where this level is wanted."""
        return wrapped(self.write(piece), self.level(piece), wanted, TALL)

    def level(self, piece: Piece) -> int:
        """How tightly a piece binds: a sum that Einstein's rule says, as tightly as its body."""
        unsaid = isinstance(piece, Total) and not piece.names and not self.bare
        if isinstance(piece, Reduced) and piece.fn in REACHING:
            return PRODUCT
        return self.level(piece.body) if isinstance(piece, Total) and unsaid else level_of(piece)

    def _named(self, piece: Named) -> str:
        return subscripted(piece.latex or SYMBOLS.get(piece.name) or name_latex(piece.name), piece.subs)

    def _filled(self, piece: Filled) -> str:
        if any(map(unknown, piece.dims)):
            return subscripted(SYMBOLS[piece.name], piece.subs)
        return subscripted(f"{SYMBOLS[piece.name]}_{{{sizes_latex(piece.dims)}}}", piece.subs)

    def _told(self, name: str, filled: str, piece: Delta | Ones) -> str:
        """A known tensor with its indices; where nothing else tells their dimension, the entry of one that has it."""
        if piece.dim is None:
            return subscripted(name, piece.names)
        return subscripted(TALL.format(f"{SYMBOLS[filled]}_{{{sizes_latex([piece.dim])}}}"), piece.names)

    def _function(self, piece: Function) -> str:
        row = ELEMENTWISE[piece.fn]
        if piece.fn == "power":
            return self._power(Power(*piece.args))
        params = dict(zip(row.params, map(number_text, piece.params), strict=True))
        args = [self.write(arg) for arg in piece.args]
        first = piece.args[0]
        if isinstance(first, Function) and first.fn in OPERATORS and row.latex.startswith(CASES):
            return choice_latex(row.latex, args)
        if LETTERS.get(piece.fn) in self.taken:
            return called_latex(piece.fn, [*params.values(), *args])
        return row.latex.format(*args, **params)

    def _reduced(self, piece: Reduced) -> str:
        row = REDUCTIONS.get(piece.fn)
        params = dict(zip(row.params, map(number_text, piece.params), strict=True)) if row else {}
        return (row.latex if row else NORMS[piece.fn]).format(self.write(piece.arg), axes=joined(piece.axes), **params)

    def _applied(self, piece: Applied) -> str:
        if piece.name in WHOLE:
            bare = any(isinstance(arg, Braces) for arg in piece.args)
            bare = bare or bool(piece.subs and WHOLE[piece.name].startswith(r"\log"))
            if bare or WHOLE[piece.name].startswith(r"\operatorname"):
                return subscripted(called_latex(piece.name, list(map(self.write, piece.args))), piece.subs)
            base = WHOLE[piece.name].format(*map(self.write, piece.args))
            return subscripted(TALL.format(base), piece.subs) if piece.subs else base
        name = derived_latex(piece.latex or name_latex(piece.function or piece.name), piece.times, piece.primes)
        row = MATRICES.get(piece.name)
        if row is not None and isinstance(piece.args[0], Braces):
            args = [self.write(piece.args[0]), *map(parameter_latex, piece.params)]
            return subscripted(called_latex(piece.name, args), piece.subs)
        if row is not None:
            params = dict(zip(row.params, piece.params, strict=True))
            base = row.latex.format(self.write(piece.args[0]), **params)
            above = bool(piece.subs) and "^" in row.latex
            return subscripted(TALL.format(base) if above else base, piece.subs)
        args = [*map(self.write, piece.args), *map(parameter_latex, piece.params)]
        return subscripted(name + TALL.format(", ".join(args)), piece.subs)

    def _grouped(self, piece: Grouped) -> str:
        sides = [
            r"\,".join(TALL.format(joined(group)) if len(group) > 1 else joined(group) for group in side)
            for side in (piece.inner, piece.outer)
        ]
        told = "".join(rf",\,{name_latex(name)} = {dim_latex(size)}" for name, size in piece.sizes)
        arg = TALL.format(self.write(piece.arg))
        return subscripted(rf"\operatorname{{group}}_{{{sides[0]} \to {sides[1]}{told}}}{arg}", piece.subs)

    def _picked(self, piece: Picked) -> str:
        base = self.at(piece.arg, ATOM)
        keys = ("0", *piece.keys) if base in self.rows else piece.keys
        base = TALL.format(base) if "_" in scripts_of(base) else base
        made = f"{base}_{{[{', '.join(keys)}]}}"
        return subscripted(TALL.format(made), piece.subs) if piece.subs else made

    def _power(self, piece: Power) -> str:
        exponent = piece.exponent
        if isinstance(exponent, Plain) and exponent.value == Fraction(1, 2):
            return rf"\sqrt{{{self.write(piece.base)}}}"
        base = self.at(piece.base, ATOM)
        if isinstance(piece.base, Named) and "^" in scripts_of(base):
            base = TALL.format(base)
        elif not isinstance(piece.base, Named | Ref | Power):
            base = f"{{{base}}}"
        shown = str(exponent.value) if isinstance(exponent, Plain) else self.write(exponent)
        return f"{base}^{{{shown}}}"

    def _times(self, piece: Times, closed: bool = False) -> str:
        """A product; `closed` says that a sum at its end has to be in brackets."""
        sign, above, below = split_number(piece.coef)
        top = [] if above == "1" and piece.top else [_float(above)]
        last = len(piece.top) - 1 if not closed else len(piece.top)
        top += [self._inside(part, last=k == last) for k, part in enumerate(piece.top)]
        bottom = [below] if below else []
        lone = len(piece.bottom) + len(bottom) == 1
        bottom += [self.at(part, SUM if lone else POWER) for part in piece.bottom]
        shown, under = r"\,".join(top), r"\,".join(bottom)
        return sign + (rf"\frac{{{shown}}}{{{under}}}" if bottom else shown)

    def _inside(self, piece: Piece, last: bool) -> str:
        """A factor of a product: what ends in a sum with its sign, or a logarithm, has brackets unless it is last."""
        unsaid = isinstance(piece, Total) and not piece.names and not self.bare
        shown = self.at(piece, PRODUCT if last or (unsaid and not self._reaches(piece)) else POWER)
        return TALL.format(shown) if shown.startswith(LOGDET) and not last else shown

    def _reaches(self, piece: Piece) -> bool:
        """Would what stands behind this be within a sum, a product or a maximum at its end?"""
        return bool(self._ended(piece))

    def _ended(self, piece: Piece) -> frozenset[str]:
        """The indices of the sum, the product or the maximum at the end of a piece."""
        if isinstance(piece, Total) and not piece.names and not self.bare:
            return self._ended(piece.body)
        if isinstance(piece, Times):
            return self._ended(piece.top[-1]) if piece.top and not piece.bottom else frozenset()
        if isinstance(piece, Total):
            return frozenset((*piece.names, *piece.silent))
        return frozenset(piece.axes if isinstance(piece, Reduced) and piece.fn in REACHING else ())

    def _total(self, piece: Total) -> str:
        names = (*piece.names, *piece.silent) if self.bare or piece.names else ()
        if not names:
            return self.write(piece.body)
        outside, self.bare = self.bare, True
        body = self.at(piece.body, PRODUCT)
        self.bare = outside
        signs = {"<": "<", "<=": r" \le "}
        held = [f"{joined((one,))}{signs[sign]}{joined((other,))}" for one, sign, other in piece.where]
        named = {name for one, _, other in piece.where for name in (one, other)}
        rest = tuple(name for name in names if name not in named)
        below = ",".join([*map(subscript_latex, rest), *held]) if held else joined(rest)
        return rf"\sum_{{{below}}} {body}"

    def _plus(self, piece: Plus) -> str:
        terms = [self._term(term, piece.terms[k + 1 :]) for k, term in enumerate(piece.terms)]
        rest = (f" - {term[1:]}" if term.startswith("-") else f" + {term}" for term in terms[1:])
        return terms[0] + "".join(rest)

    def _term(self, piece: Piece, further: Sequence[Piece]) -> str:
        r"""A term of a sum: where a further one has the index of a sum at its end, that sum is in brackets."""
        ended = self._ended(piece)
        if not any(ended & (indices_of(other) - self._ended(other)) for other in further):
            return self.write(piece)
        return self._times(piece, closed=True) if isinstance(piece, Times) else self.at(piece, POWER)

    def _braces(self, piece: Braces) -> str:
        return subscripted(rf"\left[{self._said(piece.body)}\right]", piece.names)

    def _arrow(self, piece: Arrow) -> str:
        return subscripted(TALL.format(self._said(piece.body)), piece.names)

    def _said(self, piece: Piece) -> str:
        """A body in which Einstein's rule sums nothing."""
        outside, self.bare = self.bare, True
        body = self.write(piece)
        self.bare = outside
        return body


WRITTEN: dict[type, Callable[..., str]] = {
    Plain: lambda setter, piece: number_latex(piece.value),
    Size: lambda setter, piece: dim_latex(piece.value),
    Named: Latex._named,
    Ref: lambda setter, piece: subscripted(name_latex(setter.refs[piece.node]), piece.subs),
    Filled: Latex._filled,
    Delta: lambda setter, piece: setter._told(r"\delta", "eye", piece),
    Ones: lambda setter, piece: setter._told(SYMBOLS["ones"], "ones", piece),
    Function: Latex._function,
    Reduced: Latex._reduced,
    Applied: Latex._applied,
    Grouped: Latex._grouped,
    Picked: Latex._picked,
    Power: Latex._power,
    Times: Latex._times,
    Total: Latex._total,
    Plus: Latex._plus,
    Braces: Latex._braces,
    Arrow: Latex._arrow,
}
"""How each kind of piece is set; outside the class, so that none that sets holds itself, and what it names, alive."""


def derived_latex(name: str, times: Sequence[int], primes: int) -> str:
    r"""The name of a derivative, so often by each argument: `f'`, `\mathrm{D}^{2}u`, `\mathrm{D}_{1}f`.

    >>> derived_latex("f", (2,), 2), derived_latex("u", (1,), 0)
    ("f''", '\\mathrm{D}u')
    """
    total = sum(times)
    if primes or not total:
        return name + PRIMES[primes]
    power = f"^{{{total}}}" if total > 1 else ""
    places = ",".join(str(k + 1) for k, n in enumerate(times) for _ in range(n))
    return rf"\mathrm{{D}}{power}{f'_{{{places}}}' if len(times) > 1 else ''}{name}"


def called_names(node: Node) -> dict[str, str]:
    """How the abstract functions in a node are set, by their titles.

    Not there: a gradient that has a name is called so, and `f_` is not set as f, which may be another name.
    """
    found = {}
    for inner in topological([node]):
        if isinstance(inner, Call) and not (inner.function.gradient and sum(inner.orders) == 1):
            name, primes = inner.function.latex or name_latex(inner.function.name), inner.function.primes(inner.orders)
            if inner.function.latex or primes or not inner.function.name.endswith("_"):
                found[inner.name] = derived_latex(name, inner.orders, primes)
    return found


def subscripted(name: str, subs: Names) -> str:
    """A name with subscripts; a name that ends in a subscript of its own is put in a group."""
    if not subs:
        return name
    return f"{{{name}}}_{{{joined(subs)}}}" if "_" in scripts_of(name) else f"{name}_{{{joined(subs)}}}"


def joined(names: Names) -> str:
    """Names of indices side by side, with commas where one has more than a letter."""
    shown = [name if name.isdigit() else subscript_latex(name) for name in names]
    if all(len(name) == 1 for name in names) and not any(map(str.isdigit, names)):
        return "".join(shown)
    return ",".join(shown)


def subscript_latex(name: str) -> str:
    r"""An index, or an affine function of indices: `2t+\mu-1`.

    >>> print(subscript_latex("2*t+mu-1"))
    2t+\mu-1
    """
    if name.isidentifier():
        return name_latex(name)
    return re.sub(r"[^\W\d]\w*", lambda found: name_latex(found.group()), name).replace("*", "")


def name_latex(name: str) -> str:
    r"""A name: `x`, `\mu`, `W_{1}`, `\mathrm{loss}`, `\hat{x}` for `x_hat`."""
    marked = re.fullmatch(rf"([^\W\d_]+)_({'|'.join(MARKS)})_?(\d*)", name)
    if marked:
        shown = rf"\{marked[2]}{{{name_latex(marked[1])}}}"
        return f"{shown}_{{{marked[3]}}}" if marked[3] else shown
    stem, digits = re.fullmatch(r"(.*?)_?(\d*)", name, re.DOTALL).groups()  # type: ignore[union-attr]
    if stem in GREEK and stem not in SAME_AS_LATIN:
        shown = f"\\{stem}"
    elif len(stem) == 1:
        shown = stem
    else:
        stem, digits = name, ""
        shown = rf"\mathrm{{{name}}}".replace("_", r"\_")
    return f"{shown}_{{{digits}}}" if digits else shown


def dim_latex(dim: Dimension) -> str:
    """A dimension: a polynomial of symbols."""
    if not isinstance(dim, Dim):
        return str(dim)
    text = re.sub(r"[A-Za-z_]\w*", lambda found: name_latex(found.group()), str(dim))
    return re.sub(r"\*\*(\d+)", r"^{\1}", text).replace("*", r"\,")


def letters_taken(node: Node) -> frozenset[str]:
    """The Greek letters that tensors have, and that stand for no function therefore."""
    return words(node) | {tensor.latex.removeprefix("\\") for tensor in variables([node])}


def called_latex(name: str, args: Sequence[str]) -> str:
    r"""A function by its name: `\operatorname{sigmoid}\left(x\right)`."""
    word = name.replace("_", r"\_")
    return rf"\operatorname{{{word}}}{TALL.format(', '.join(args))}"


def choice_latex(row: str, args: Sequence[str]) -> str:
    """A choice by a comparison, which stands without its brackets."""
    condition = args[0].removeprefix(r"\left[").removesuffix(r"\right]")
    return row.replace(r" \neq 0", "").format(condition, *args[1:])


def parameter_latex(value: Any) -> str:
    """A parameter of a known tensor: a dimension, a number, or the word for its kind."""
    if isinstance(value, str):
        word = value.replace("_", r"\_")
        return rf"\text{{{word}}}"
    return dim_latex(value)


def sizes_latex(dims: Sequence[Dimension]) -> str:
    """Dimensions as they stand below `I`, `0` and the ones."""
    return r" \times ".join(map(dim_latex, dims))


def number_latex(value: Number) -> str:
    """A number; a fraction as one."""
    sign, above, below = split_number(value)
    return sign + (rf"\frac{{{above}}}{{{below}}}" if below else _float(above))


def _float(text: str) -> str:
    return re.sub(r"e([+-]?)0*(\d+)", lambda found: rf" \cdot 10^{{{found[1].replace('+', '')}{found[2]}}}", text)
