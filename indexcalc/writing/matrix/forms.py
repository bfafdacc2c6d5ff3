"""Matrix forms in a normal form of their own: leaves, summands, products on their shorter side, transposes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from indexcalc.graph.numbers import Number, multiply
from indexcalc.graph.ranges import Range
from indexcalc.index import Dimension
from indexcalc.writing.matrix.form import Extent, Form, Monomial, kept
from indexcalc.writing.slices import slice_text

TURN = 2
"""The tokens of `.T`."""
BRACKETS = 2
"""The tokens of brackets."""
POWER = "matrix_power"
"""The function that a long product of one matrix is."""
LONGEST_RUN = 8
"""Links: so many equal ones, at most, stay apart, so that common factors are found among them, as the power of a matrix
up to this is a product of the graph; more are a power, or products of powers would take time in proportion to them."""
LINEAR = {"kron", "khatri_rao", "vec", "unvec", "unfold", "tr", "sum", "mean", "diag", "tril", "triu", "sym", "cross"}
"""Functions that are linear in each argument."""
SPREAD = 2
"""What it costs the reader that a column or a row is repeated to fill a matrix."""


@kept
def key_of(term: Monomial) -> tuple[Any, ...]:
    """What like terms have in common."""
    return tuple((form.digest, exponent) for form, exponent in term.scalars), tuple(x.digest for x in term.links)


@kept
def rank(form: Form) -> tuple[Any, ...]:
    """What orders factors that commute: names, then functions, then the rest; by their first name."""
    return {"size": -1, "atom": 0, "call": 1}.get(form.kind, 2), form.label, form.cost, form.digest


# ------------------------------------------------------------------ leaves


def atom(name: str, rows: Extent, cols: Extent, same: bool = False, latex: str = "") -> Form:
    """A name. `same`: it is its own transpose."""
    return Form("atom", (), (name, False, latex), rows, cols, 1, same or (rows is None and cols is None))


def eye(size: Dimension) -> Form:
    """The identity."""
    return Form("eye", (), str(size), size, size, 1 + tokens_of(size), True)


def ones(rows: Extent, cols: Extent) -> Form:
    """All ones."""
    cost = 1 + sum(tokens_of(dim) for dim in (rows, cols) if dim is not None)
    if rows is None and cols is not None:
        cost += TURN
    elif rows is not None and cols is not None:
        cost += 1
    return Form("ones", (), None, rows, cols, cost, rows == cols)


def zeros(rows: Extent, cols: Extent) -> Form:
    """All zeros."""
    return Form("zeros", (), None, rows, cols, 2, rows == cols)


def size(value: Dimension) -> Form:
    """A dimension as a number."""
    return Form("size", (), value, None, None, tokens_of(value), True)


def tokens_of(value: Dimension) -> int:
    """About how many tokens a dimension takes."""
    text = str(value)
    return 1 + 2 * sum(text.count(sign) for sign in "*+-/")


def call(
    name: str,
    args: Sequence[Form],
    rows: Extent,
    cols: Extent,
    extra: tuple[Any, ...] = (),
    same: bool = False,
    entrywise: bool = False,
) -> Form:
    """A function of forms. `extra` has further arguments, `(None, value)` by place or `(keyword, value)`.

    `entrywise`: the result stands as its arguments do (a row for a row).
    """
    more = sum(2 + 2 * (keyword is not None) for keyword, _ in extra)
    cost = 1 + sum(arg.cost for arg in args) + max(0, len(args) - 1) + more
    same = same or (rows is None and cols is None)
    return Form("call", tuple(args), (name, extra, entrywise), rows, cols, cost, same)


# ------------------------------------------------------------------ parts


class Pick(NamedTuple):
    """What is picked of an axis: a range, or its one `entry`, and then the axis goes.

    Integers are `told`, as text; then the range has their number and the length of the axis.
    """

    range: Range
    entry: bool = False
    told: str = ""

    @property
    def text(self) -> str:
        """What stands in the brackets."""
        return self.told or slice_text(self.range, entry=self.entry)


def part(inner: Form, rows: Pick | None, cols: Pick | None = None) -> Form:
    """The part of a form that has these rows and columns."""
    sizes = [
        size if pick is None else None if pick.entry else pick.range.size
        for size, pick in ((inner.rows, rows), (inner.cols, cols))
    ]
    if sizes[0] is None and sizes[1] is not None:
        return turn(_made(inner, (rows, cols), sizes[1], None))
    return _made(inner, (rows, cols), *sizes)


def _made(inner: Form, picks: tuple[Pick | None, Pick | None], rows: Dimension | None, cols: Dimension | None) -> Form:
    cost = inner.cost + BRACKETS + sum(_tokens(pick) for pick in picks if pick is not None)
    cost += 2 * (picks[0] is None and inner.cols is not None)
    return Form("part", (inner,), picks, rows, cols, cost, rows is None and cols is None)


def _tokens(pick: Pick) -> int:
    text = pick.text
    return max(1, len(text.replace(":", " : ").replace("-", " - ").split()))


# ------------------------------------------------------------------ terms and forms


def number_term(value: Number) -> Monomial:
    """A number."""
    return Monomial(value, (), ())


@kept
def term_of(form: Form) -> Monomial:
    """A form as a summand."""
    if form.kind == "prod":
        coef, exponents, links = form.data
        return Monomial(
            coef, tuple(zip(form.parts[: len(exponents)], exponents, strict=True)), form.parts[-links:] if links else ()
        )
    if form.kind == "chain" and not form.scalar:
        return Monomial(1, (), form.parts)
    if form.scalar:
        return Monomial(1, ((form, 1),), ())
    return Monomial(1, (), (form,))


@kept
def form_of(term: Monomial) -> Form:
    """A summand as a form."""
    coef, scalars, links = term
    if coef == 0:
        return zeros(term.rows, term.cols)
    if coef == 1 and not scalars and links:
        return links[0] if len(links) == 1 else chain(links)
    if coef == 1 and not links and len(scalars) == 1 and scalars[0][1] == 1:
        return scalars[0][0]
    parts = (*(form for form, _ in scalars), *links)
    data = (coef, tuple(exponent for _, exponent in scalars), len(links))
    same = not links or (len(links) == 1 and links[0].same)
    signed = negative(coef) and flippable(term) is None
    return Form("prod", parts, data, term.rows, term.cols, term_cost(term) + signed, same)


def flippable(term: Monomial, complement: bool = False) -> Monomial | None:
    """A negative term with its sign taken into a sum among its factors; None where no sum reads better for it.

    With `complement`, only into a sum that subtracts 1: `-s*(s - 1)` is `s*(1 - s)` wherever it stands.
    """
    turned = _complement if complement else opposite
    for k, (form, exponent) in enumerate(term.scalars):
        if exponent == 1 and (other := turned(form)) is not None:
            scalars = (*term.scalars[:k], (other, exponent), *term.scalars[k + 1 :])
            return Monomial(multiply(-1, term.coef), scalars, term.links)
    for k, link in enumerate(term.links):
        if (other := turned(link)) is not None and sum(link in (one, turn(one)) for one in term.links) % 2:
            return Monomial(multiply(-1, term.coef), term.scalars, (*term.links[:k], other, *term.links[k + 1 :]))
    return None


@kept
def opposite(form: Form) -> Form | None:
    """Minus a form, with all signs of a sum in it changed; only a sum that has a negative term."""
    return _opposite(form, opposite, lambda term: negative(term.coef))


@kept
def _complement(form: Form) -> Form | None:
    """Minus a form, only where the signs of a sum that is less 1 change."""
    return _opposite(form, _complement, lambda term: term.coef == -1 and is_constant(term) and not term.scalars)


def _opposite(form: Form, turned: Callable[[Form], Form | None], wanted: Callable[[Monomial], bool]) -> Form | None:
    parts = list(form.parts)
    if form.kind == "sum":
        terms = [term_of(part) for part in parts]
        if not any(map(wanted, terms)):
            return None
        parts = [form_of(term._replace(coef=multiply(-1, term.coef))) for term in terms]
        parts.sort(key=lambda part: negative(term_of(part).coef))
    elif form.kind in ("turned", "diagm", "had") or (form.kind == "call" and form.data[0] in LINEAR):
        exponents = form.data if form.kind == "had" else (1,) * len(parts)
        found = ((k, turned(part)) for k, part in enumerate(parts) if exponents[k] == 1)
        k, other = next(((k, other) for k, other in found if other is not None), (0, None))
        if other is None:
            return None
        parts[k] = other
    else:
        return None
    return Form(form.kind, tuple(parts), form.data, form.rows, form.cols, form.cost, form.same)


def chain(links: Sequence[Form]) -> Form:
    """The matrix product of links that are in normal form; on its cheaper side."""
    links = with_powers(links)
    if len(links) == 1:
        return links[0]
    rows, cols = links[0].rows, links[-1].cols
    scalar = rows is None and cols is None
    if scalar:
        sides = (tuple(links), tuple(turn(link) for link in reversed(links)))
        links = min(sides, key=lambda side: (chain_cost(side), [rank(x) for x in side]))
    same = scalar or (rows == cols and all(turn(x) == y for x, y in zip(reversed(links), links, strict=True)))
    cost = chain_cost(links)
    if rows is not None and cols is not None:
        cost = min(cost, chain_cost(links, turned_cost) + TURN + 1)
    return Form("chain", tuple(links), None, rows, cols, cost, same)


def chain_cost(links: Sequence[Form], cost: Callable[[Form], int] = lambda link: link.cost) -> int:
    """The tokens of a matrix product, runs of three or more equal links written as a power."""
    if not _repeats(links):
        return sum(map(cost, links)) + len(links) - 1
    found = -1
    for link, count in _counted(links):
        found += (cost(link) + 1) * count if count < 3 else cost(link) + 4
    return found


def turned_cost(form: Form) -> int:
    """The cost of the transpose, which need not be made for it where it has only the sign of one more."""
    signed = form.kind == "call" and form.data[0] not in SIDES
    return form.cost + TURN if signed and form.turn_of is None else turn(form).cost


def _repeats(links: Sequence[Form]) -> bool:
    """Are two neighbours equal, or is one a power?"""
    before = None
    for link in links:
        if (before is not None and link == before) or (link.kind in ("call", "turned") and _base(link)[1] > 1):
            return True
        before = link
    return False


def runs(links: Sequence[Form]) -> list[tuple[Form, int]]:
    """The links, three or more equal neighbours as one with their number."""
    counted = _counted(links) if _repeats(links) else [(link, 1) for link in links]
    return [one for link, count in counted for one in ([(link, count)] if count >= 3 else [(link, 1)] * count)]


def with_powers(links: Sequence[Form]) -> list[Form]:
    """The links, a long run of equal ones as a power: so a product of powers takes no longer than it is written."""
    if len(links) == 1 or not _repeats(links):
        return list(links)
    return [
        one
        for link, count in _counted(links)
        for one in ([_power(link, count)] if count > LONGEST_RUN else [link] * count)
    ]


def _counted(links: Sequence[Form]) -> list[tuple[Form, int]]:
    """The links, equal neighbours as one with their number; a power counts as so many."""
    found: list[tuple[Form, int]] = []
    for link in links:
        base, count = _base(link)
        if found and base.rows is not None and base.cols is not None and found[-1][0] == base:
            found[-1] = (base, found[-1][1] + count)
        else:
            found.append((base, count))
    return found


def _power(link: Form, exponent: int) -> Form:
    """The power of a square matrix; of a transpose, the transposed power."""
    if link.kind == "turned" or (link.kind == "atom" and link.data[1]):
        return turn(_power(turn(link), exponent))
    return call(POWER, [link], link.rows, link.cols, ((None, str(exponent)),), same=link.same)


def _base(link: Form) -> tuple[Form, int]:
    """What a link is a power of, and its exponent, a number; 1 for any other link."""
    inner = link.parts[0] if link.kind == "turned" else link
    if inner.kind != "call" or inner.data[0] != POWER or not inner.data[1][0][1].isdecimal():
        return link, 1
    base = inner.parts[0]
    return (base if inner is link else turn(base)), int(inner.data[1][0][1])


def negative(value: Number) -> bool:
    """Is this a negative number?"""
    return not isinstance(value, complex) and value < 0


def number_cost(value: Number) -> int:
    """The tokens of a coefficient, with the `*` or `/` that joins it; its sign apart."""
    if isinstance(value, Fraction):
        return 2 if abs(value.numerator) == 1 else 4
    return 0 if value in (1, -1) else 2


def scalar_cost(scalars: Iterable[tuple[Form, Number]]) -> int:
    """The tokens of powers of scalars, each with the sign that joins it."""
    total = 0
    for form, exponent in scalars:
        total += form.cost + 1 + (0 if abs(exponent) == 1 else 1 if abs(exponent) == Fraction(1, 2) else 2)
    return total


def term_cost(term: Monomial, anchored: bool = False) -> int:
    """The tokens of a summand without its sign; `anchored`: what is constant needs no ones."""
    return _anchored_cost(term) if anchored else _plain_cost(term)


@kept
def _plain_cost(term: Monomial) -> int:
    return _cost(term, term.links, 0)


@kept
def _anchored_cost(term: Monomial) -> int:
    return _cost(term, core_links(term), spread_cost(term))


def _cost(term: Monomial, links: Sequence[Form], more: int) -> int:
    rest = number_cost(term.coef) + scalar_cost(term.scalars) + more
    if links:
        return rest + (links[0].cost if len(links) == 1 else chain(links).cost)
    return max(1, rest - 1)


def core_links(term: Monomial) -> tuple[Form, ...]:
    """The links that are left where something else gives the shape: ones go."""
    if is_constant(term):
        return ()
    spread = spread_of(term)
    return term.links[:-1] if spread == "column" else term.links[1:] if spread == "row" else term.links


def spread_cost(term: Monomial) -> int:
    """What it costs the reader that a term is repeated; most for a column, which NumPy does not repeat by itself."""
    spread = spread_of(term)
    if spread != "column":
        return SPREAD if spread else 0
    summed = term.links[0].kind == "call" and ("axis", 1) in term.links[0].data[1]
    return SPREAD if summed else 2 * SPREAD


@kept
def is_constant(term: Monomial) -> bool:
    """Is it the same in all entries?"""
    return not term.links or (term.links[0].kind == "ones" and all(link.kind == "ones" for link in term.links))


@kept
def spread_of(term: Monomial) -> str:
    """`column` for a column that is repeated, `row` for a row that is, else nothing."""
    if len(term.links) < 2 or term.rows is None or term.cols is None:
        return ""
    if term.links[-1].kind == "ones" and term.links[-1].rows is None:
        return "column"
    return "row" if term.links[0].kind == "ones" and term.links[0].cols is None else ""


# ------------------------------------------------------------------ transposes


def turn(form: Form) -> Form:
    """The transpose."""
    if form.turn_of is None:
        form.turn_of = _turn(form)
        if form.turn_of is not form and form.turn_of.turn_of is None:
            form.turn_of.turn_of = form
    return form.turn_of


def _turn(form: Form) -> Form:
    match form.kind:
        case "atom":
            name, turned, latex = form.data
            return Form("atom", (), (name, not turned, latex), form.cols, form.rows, 1 if turned else 1 + TURN)
        case "chain":
            return chain([turn(part) for part in reversed(form.parts)])
        case "had" if not form.vector:
            return powers([(turn(part), e) for part, e in zip(form.parts, form.data, strict=True)])
        case "ones":
            return ones(form.cols, form.rows)
        case "zeros":
            return zeros(form.cols, form.rows)
        case "prod":
            term = term_of(form)
            return form_of(Monomial(term.coef, term.scalars, tuple(turn(link) for link in reversed(term.links))))
        case "turned":
            return form.parts[0]
        case "part" if form.parts[0].same and not form.vector:
            return part(form.parts[0], *form.data[::-1])
        case "call" if form.data[0] in SIDES:
            return SIDES[form.data[0]](form)
    cost = form.cost + TURN
    if form.kind == "sum" and form.data is not None:
        cost = min(cost, form.data)
    return Form("turned", (form,), None, form.cols, form.rows, cost)


SIDES: dict[str, Callable[[Form], Form]] = {
    "kron": lambda form: call(form.data[0], [turn(part) for part in form.parts], form.cols, form.rows),
    "commutation": lambda form: call(form.data[0], form.parts[::-1], form.rows, form.cols),
}
"""Functions whose transposes are functions of the transposes, or of what stands the other way round."""


def powers(factors: Sequence[tuple[Form, Number]]) -> Form:
    """An entrywise product of powers that are in normal form, on its cheaper side; a single first power is itself."""
    if len(factors) == 1 and factors[0][1] == 1:
        return factors[0][0]
    made = _entries(factors)
    if made.rows is None or made.cols is None:
        return made
    if made.cost + sum(turned_cost(form) - form.cost for form in made.parts) + TURN + 1 >= made.cost:
        return made
    other = _entries([(turn(form), exponent) for form, exponent in factors])
    turned = Form("turned", (other,), None, made.rows, made.cols, other.cost + TURN)
    turned.turn_of, other.turn_of = other, turned
    return turned


def _entries(factors: Sequence[tuple[Form, Number]]) -> Form:
    kept = sorted(factors, key=lambda pair: (negative(pair[1]), rank(pair[0])))
    (first, exponent), *_ = kept
    cost = scalar_cost(kept) - 1 + negative(exponent) * 2
    same = all(form.same for form, _ in kept)
    return Form("had", tuple(f for f, _ in kept), tuple(e for _, e in kept), first.rows, first.cols, cost, same)
