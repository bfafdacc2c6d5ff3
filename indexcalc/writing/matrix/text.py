"""The text of matrix forms, as Python and NumPy read it, in the orientation of the vectors.

With `vectors="column"` an order-1 name is a column, with `"row"` a row, with `"numpy"` it has no orientation: then a
transposed vector is the vector itself, and an outer product is `outer(a, b)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from indexcalc.graph.numbers import Number
from indexcalc.writing.brackets import ATOM, COMPARISON, POWER, PRODUCT, ROUND, SUM, wrapped
from indexcalc.writing.index.text import number_text
from indexcalc.writing.matrix.factor import anchors, ordered, transposed
from indexcalc.writing.matrix.form import TERM, Form, Monomial, kept
from indexcalc.writing.matrix.forms import POWER as MATRIX_POWER
from indexcalc.writing.matrix.forms import (
    TURN,
    chain,
    chain_cost,
    core_links,
    flippable,
    form_of,
    is_constant,
    negative,
    runs,
    spread_of,
    term_of,
    turn,
    turned_cost,
)
from indexcalc.writing.matrix.network import Stuck
from indexcalc.writing.matrix.parts import keys_of
from indexcalc.writing.matrix.special.tiles import tiles_text
from indexcalc.writing.syntax import OPERATORS

Set = tuple[str, int]
"""A text, and how tightly it binds."""

ENTRY_POWER = "power"
"""The function that a power of entries to entries is."""
ORIENTED = {"kron", "khatri_rao", "vec"}
"""Functions that tell a column from a row."""


class Typesetter:
    """Sets forms as text: `turned` vectors stand the other way, entries as `shown`, `names` are written in another."""

    bracket = ROUND
    summed = False
    """Does a function that sums stand around what is written?"""

    def __init__(
        self,
        vectors: str = "numpy",
        turned: frozenset[str] = frozenset(),
        names: Mapping[str, str] | None = None,
    ) -> None:
        self.vectors, self.turned, self.shown, self.names = vectors, turned, vectors, names or {}
        self.kinds: dict[str, Callable[[Form], Set]] = {
            "atom": self._atom, "call": self._call, "chain": self._chain, "had": self._had, "diagm": self._diagm,
            "eye": self._eye, "ones": self._ones, "zeros": self._zeros, "size": self._size, "prod": self._prod,
            "sum": self._sum, "part": self._part, "tiles": lambda form: (tiles_text(self, form), ATOM),
        }  # fmt: skip
        self.known: dict[tuple[int, bool, bool], tuple[Form, Set]] = {}

    def text(self, form: Form) -> str:
        """The text of a form."""
        return self.write(form)[0]

    # -------------------------------------------------------------- orientation

    def write(self, form: Form) -> Set:
        """A form in its own orientation."""
        return self._once(form, self._in_its_own, False)

    def natural(self, form: Form) -> Set:
        """A form, a vector among them in the orientation in which vectors stand."""
        if form.vector and self.vectors != "numpy":
            return self._once(form, self._as_vectors_stand, True)
        return self.write(turn(form) if form.vector and form.rows is None else form)

    def _once(self, form: Form, way: Callable[[Form], Set], natural: bool) -> Set:
        """A form, written in this way the first time: a shared part is written once, however often it occurs."""
        if not form.parts:
            return way(form)
        key = id(form), natural, self.summed
        if key not in self.known:
            self.known[key] = form, way(form)
        return self.known[key][1]

    def _in_its_own(self, form: Form) -> Set:
        if form.kind == "turned":
            inner = form.parts[0]
            if inner.kind == "sum" and inner.data is not None and inner.data <= inner.cost + TURN:
                parts = ordered([transposed(term_of(part)) for part in inner.parts])
                return self._sum(Form("sum", tuple(map(form_of, parts)), None, form.rows, form.cols, form.cost))
            if not inner.vector:
                return self.transposed(self.write(inner))
            natural = self.natural(inner)
            return self.transposed(natural) if self.vectors == "column" else natural
        if form.vector and form.kind not in ("atom", "chain", "prod") and self.vectors == "row":
            return self.transposed(self.natural(form)) if form.cols is None else self.natural(form)
        filled = form.kind in ("ones", "zeros") and self.vectors == "column"
        if filled and form.rows is None and form.cols is not None:
            return self.transposed(self.kinds[form.kind](form))
        return self.kinds[form.kind](form)

    def _as_vectors_stand(self, form: Form) -> Set:
        wanted = form.rows is not None if self.vectors == "column" else form.cols is not None
        if form.kind in ("call", "had", "sum", "ones", "zeros", "part", "tiles"):
            return self.kinds[form.kind](form)
        return self.write(form if wanted else turn(form))

    # -------------------------------------------------------------- style

    def transposed(self, inner: Set) -> Set:
        """The transpose of a text."""
        return f"{self.within(inner, ATOM)}.T", ATOM

    def within(self, inner: Set, level: int) -> str:
        """A text, in parentheses if it binds less tightly than `level`."""
        return wrapped(*inner, level, self.bracket)

    def matmul(self, parts: Sequence[str]) -> str:
        """A matrix product."""
        return " @ ".join(parts)

    def times(self, parts: Sequence[str]) -> str:
        """A product with scalars."""
        return "*".join(parts)

    def entries(self, parts: Sequence[str]) -> str:
        """A product entry by entry."""
        return "*".join(parts)

    def number(self, value: Number) -> str:
        """A number."""
        return number_text(value)

    def over(self, above: str, below: Sequence[str], entries: bool = False) -> str:
        """A quotient, of scalars or entry by entry."""
        return f"{above}/{below[0] if len(below) == 1 else wrapped('*'.join(below), PRODUCT, POWER)}"

    def function(self, name: str, args: Sequence[str]) -> str:
        """A function's value."""
        return f"{name}({', '.join(args)})"

    def power(self, base: Set, exponent: Number, entries: bool = False) -> Set:
        """A power with a positive exponent, of a scalar or entry by entry."""
        if exponent == 1:
            return base
        if exponent == Fraction(1, 2):
            return self.function("sqrt", [base[0]]), ATOM
        shown = wrapped(number_text(exponent), PRODUCT if isinstance(exponent, Fraction) else ATOM, ATOM)
        return f"{self.within(base, ATOM)}**{shown}", POWER

    def name(self, name: str, latex: str = "") -> str:
        """A name."""
        return self.names.get(name, name)

    # -------------------------------------------------------------- leaves

    def _atom(self, form: Form) -> Set:
        name, turned, latex = form.data
        shown = self.name(name, latex), ATOM
        if form.vector:
            if self.vectors == "numpy":
                return shown
            stands_row = (self.vectors == "row") != (name in self.turned)
            return shown if stands_row == (form.rows is None) else self.transposed(shown)
        return self.transposed(shown) if turned else shown

    def _eye(self, form: Form) -> Set:
        return self.function("eye", [self.dim(form.rows)]), ATOM

    def _ones(self, form: Form) -> Set:
        return self.function("ones", [self.dim(dim) for dim in (form.rows, form.cols) if dim is not None]), ATOM

    def _zeros(self, form: Form) -> Set:
        dims = [self.dim(dim) for dim in (form.rows, form.cols) if dim is not None]
        return (self.function("zeros", dims), ATOM) if dims else ("0", ATOM)

    def _size(self, form: Form) -> Set:
        text = self.dim(form.data)
        return text, ATOM if text.isidentifier() or text.isdigit() else SUM

    def dim(self, dim: object) -> str:
        """A dimension."""
        return str(dim)

    def _part(self, form: Form) -> Set:
        inner = self.within(self._plain(form.parts[0]), ATOM)
        return f"{inner}[{', '.join(keys_of(form, self.shown))}]", ATOM

    def _diagm(self, form: Form) -> Set:
        return self.function("diagm", [self.natural(form.parts[0])[0]]), ATOM

    def _call(self, form: Form) -> Set:
        name, extra, _ = form.data
        if name in ORIENTED and self.vectors == "numpy" and len({part.vector for part in form.parts}) > 1:
            raise Stuck(f"{name} of a vector and a matrix has no text where vectors are no columns")
        turns = name in ORIENTED and not (form.vector and self.vectors == "row")
        args = [(self.write if turns else self.natural)(part) for part in form.parts]
        if name in OPERATORS:
            return f"{self.within(args[0], PRODUCT)} {OPERATORS[name]} {self.within(args[1], PRODUCT)}", COMPARISON
        if name == ENTRY_POWER:
            return f"{self.within(args[0], ATOM)}**{self.within(args[1], ATOM)}", POWER
        shown = [arg[0] for arg in args]
        lead = [number_text(value) for keyword, value in extra if keyword == "lead"]
        more = [f"{keyword}={value}" if keyword else str(value) for keyword, value in extra if keyword != "lead"]
        return self.function(self.name(name), [*lead, *shown, *more]), ATOM

    # -------------------------------------------------------------- products

    def _chain(self, form: Form) -> Set:
        return self._linked(form.parts)

    def _linked(self, links: Sequence[Form]) -> Set:
        """A product of matrices, or the transpose of the other way round where that is shorter."""
        if len(links) == 1:
            return self.write(links[0])
        matrix = links[0].rows is not None and links[-1].cols is not None
        if matrix and chain_cost(links, turned_cost) + TURN + 1 < chain_cost(links):
            return self.transposed(self._links([turn(link) for link in reversed(links)]))
        return self._links(links)

    def _links(self, links: Sequence[Form]) -> Set:
        if self.vectors == "numpy":
            vectors, new_axis = _outer(links)
            if new_axis:
                return self.within(self.natural(vectors[0]), ATOM) + new_axis, ATOM
            if vectors:
                return self.function("outer", [self.natural(vector)[0] for vector in vectors]), ATOM
            links = _shorter_side(links)
        return self._matrix_product(links)

    def _matrix_product(self, links: Sequence[Form]) -> Set:
        parts = []
        for link, count in runs(links):
            if count > 1:
                parts.append(self.function(MATRIX_POWER, [self.write(link)[0], str(count)]))
            else:
                parts.append(self.within(self.write(link), POWER))
        return self.matmul(parts), PRODUCT

    def _had(self, form: Form) -> Set:
        return self._fraction(1, list(zip(form.parts, form.data, strict=True)), (), entries=True)

    def _prod(self, form: Form) -> Set:
        return self.signed(term_of(form), False)

    def signed(self, term: Monomial, anchored: bool) -> Set:
        """A summand with its sign."""
        if negative(term.coef):
            other = flippable(term)
            if other is not None:
                return self._fraction(*other)
            return f"-{wrapped(*self.unsigned(term._replace(coef=-term.coef), anchored), PRODUCT)}", SUM
        return self.unsigned(term, anchored)

    def unsigned(self, term: Monomial, anchored: bool) -> Set:
        """A summand whose coefficient is positive."""
        links = core_links(term) if anchored else term.links
        if anchored and spread_of(term) == "column" and self.vectors == "numpy":
            links = _kept_axis(term.links)
        return self._fraction(term.coef, term.scalars, links)

    def _fraction(
        self, coef: Number, scalars: Sequence[tuple[Form, Number]], links: Sequence[Form], entries: bool = False
    ) -> Set:
        """`coef * scalars * links`, divisors last; with `entries` the scalars are matrices, multiplied by entries."""
        inverse = self._inverse(links[0]) if len(links) == 1 and (coef != 1 or scalars) else None
        if inverse is not None:
            return self._over_entries(coef, scalars, inverse)
        above: list[Set] = []
        below: list[str] = []
        top, bottom = (coef.numerator, coef.denominator) if isinstance(coef, Fraction) else (coef, 1)
        if top != 1:
            above.append((self.number(top), ATOM))
        if bottom != 1:
            below.append(self.number(bottom))
        for form, exponent in scalars:
            if negative(exponent):
                below.append(self.within(self.power(self._plain(form), -exponent, entries), POWER))
            else:
                above.append(self.power(self._plain(form), exponent, entries))
        if links:
            above.append(self._linked(links))
        shown = [self.within(part, POWER) for part in above[:-1]]
        if above:
            last, level = above[-1]
            apart = entries or (not links and len(above) > 1 + (top != 1))
            shown.append(self.within((last, level), POWER if apart else PRODUCT))
            if len(above) == 1 and not below:
                return above[0]
        text = (self.entries if entries else self.times)(shown) if shown else "1"
        return (self.over(text, below, entries) if below else text), PRODUCT

    def _inverse(self, form: Form) -> Form | None:
        """The powers of entries that a link is one over, where it stands as vectors do; None for any other link."""
        stands = not form.vector or self.vectors == "numpy" or (form.cols is None) == (self.vectors == "column")
        inner = form.parts[0] if form.kind == "turned" and form.vector else form
        return inner if stands and inner.kind == "had" and all(map(negative, inner.data)) else None

    def _over_entries(self, coef: Number, scalars: Sequence[tuple[Form, Number]], inverse: Form) -> Set:
        """A number and scalars over the entries of an inverse: `2/x`, where `2*1/x` would be read twice."""
        above = self.within(self._fraction(coef, scalars, ()), PRODUCT)
        pairs = zip(inverse.parts, inverse.data, strict=True)
        below = [self.within(self.power(self._plain(form), -exponent, True), POWER) for form, exponent in pairs]
        return self.over(above, below, True), PRODUCT

    def _plain(self, form: Form) -> Set:
        return self.natural(form) if form.vector else self.write(form)

    # -------------------------------------------------------------- sums

    def _sum(self, form: Form) -> Set:
        terms = [term_of(part) for part in form.parts]
        anchored = any(anchors(term, form.rows, form.cols) for term in terms)
        if {"row", "column"} <= {spread_of(term) for term in terms}:  # a column and a row do not add by themselves
            terms.sort(key=lambda term: not anchors(term, form.rows, form.cols))
        text = ""
        for term in terms:
            sign = "-" if negative(term.coef) else "+"
            value = self._summand(term._replace(coef=-term.coef) if sign == "-" else term, form, anchored)
            if not text:
                text = value if sign == "+" else f"-{value}"
            else:
                text += f" {sign} {value}"
        return text, SUM

    def _summand(self, term: Monomial, whole: Form, anchored: bool) -> str:
        if whole.vector and not is_constant(term):
            return self.within(self._vector(term), PRODUCT)
        if whole.vector and not anchored:
            return self.within(self.natural(form_of(term)), PRODUCT)
        return self.within(self.unsigned(term, anchored), PRODUCT)

    def _vector(self, term: Monomial) -> Set:
        """A column as a summand, in the orientation in which vectors stand."""
        links = term.links
        if self.vectors == "row":
            links = tuple(turn(link) for link in reversed(links))
        return self._fraction(term.coef, term.scalars, links)


def _shorter_side(links: Sequence[Form]) -> Sequence[Form]:
    """A matrix times a vector with a name, or the vector times the transposed matrix: the same in NumPy."""
    if links[-1].cols is not None or links[0].rows is None or links[-1].kind != "atom":
        return links
    shorter = chain_cost(links, turned_cost) - TURN < chain_cost(links)
    return [turn(link) for link in reversed(links)] if shorter else links


def _kept_axis(links: tuple[Form, ...]) -> tuple[Form, ...]:
    """A repeated column in NumPy: a sum along rows keeps its axis, anything else becomes an outer product."""
    first = links[0]
    if len(links) == 2 and first.kind == "call" and ("axis", 1) in first.data[1]:
        name, extra, entrywise = first.data
        kept = (name, (*extra, ("keepdims", True)), entrywise)
        return (Form("call", first.parts, kept, first.rows, None, first.cost),)
    return links


def _outer(links: Sequence[Form]) -> tuple[list[Form], str]:
    """The vectors whose outer product the links are; beside the one number 1 there is one, with a new axis."""
    cut = next((k + 1 for k in range(len(links) - 1) if links[k].cols is None), 0)
    if not cut:
        return [], ""
    left, right = (form_of(Monomial(1, (), tuple(part))) for part in (links[:cut], links[cut:]))
    if right.kind == "ones" and right.cols == 1:
        return [left], "[:, None]"
    if left.kind == "ones" and left.rows == 1:
        return [turn(right)], "[None]"
    return [left, turn(right)], ""


# ------------------------------------------------------------------ how long a text is


@kept
def length_of(form: Form) -> int:
    """About how many characters its text has: names, and the signs and brackets around them."""
    inner: int = sum(map(length_of, form.parts))
    match form.kind:
        case "atom":
            return len(form.data[0]) + TURN * bool(form.data[1])
        case "call" if form.data[0] == ENTRY_POWER or form.data[0] in OPERATORS:
            return inner + len(OPERATORS.get(form.data[0], "")) + 2
        case "call":
            more = sum(2 + len(str(value)) + (len(keyword) + 1 if keyword else 0) for keyword, value in form.data[1])
            return len(form.data[0]) + inner + 2 * len(form.parts) + more
        case "chain":
            found = [
                (length_of(one) + brackets_of(one), len(MATRIX_POWER) + 5 if count > 1 else 0)
                for one, count in runs(form.parts)
            ]
            return sum(3 + length + power for length, power in found) - 3
        case "had":
            return _length(form.parts, form.data)
        case kind if kind == TERM:
            term = term_of(form)
            return _term_length(term, term.links)
        case "sum":
            terms = map(term_of, form.parts)
            sides = ((term, term.links if spread_of(term) == "column" else core_links(term)) for term in terms)
            return sum(3 + _term_length(*side) for side in sides) - 3
        case "size":
            return len(str(form.data))
        case "part":
            return inner + sum(2 + len(pick.text) for pick in form.data if pick is not None)
        case "turned":
            return inner + TURN
    return len(form.kind) + inner + 2 + sum(2 + len(str(dim)) for dim in _shown(form))


def _shown(form: Form) -> list[object]:
    """The dimensions that stand in the text of an array with no other content."""
    return [] if form.parts else [dim for dim in (form.rows, form.cols) if dim is not None]


def _term_length(term: Monomial, links: Sequence[Form]) -> int:
    """About how many characters a summand with these links has, without its sign."""
    number = 0 if term.coef in (1, -1) else len(str(abs(term.coef))) + 1
    scalars = _length(*zip(*term.scalars, strict=True)) + 1 if term.scalars else 0
    if links:
        return number + scalars + length_of(links[0] if len(links) == 1 else chain(links))
    return max(1, number + scalars - 1)


def _length(forms: Sequence[Form], exponents: Sequence[Number]) -> int:
    """About how many characters a product of powers has."""
    powers = sum(2 + len(str(abs(exponent))) for exponent in exponents if abs(exponent) != 1)
    return powers + sum(length_of(form) + brackets_of(form) + 1 for form in forms) - 1


def brackets_of(form: Form) -> int:
    """How many of them a factor has round it."""
    compared = form.kind == "call" and form.data[0] in OPERATORS
    return 2 if compared or form.kind in ("sum", TERM, "had") else 0
