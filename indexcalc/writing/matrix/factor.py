"""Sums of matrix forms, written as short as factoring makes them.

The search: collect like terms; then for each factor that two terms share (a number, a scalar, the first link, the last
link, an entrywise factor, one side of a Kronecker product) take it out of those that have it, and go on with what is
left. The shortest wins, by tokens, then by the number of names. The search is bounded by steps, never by seconds, so
the text depends on the expression alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

from indexcalc.graph.numbers import Number, add, multiply
from indexcalc.writing.matrix.form import Extent, Form, Monomial, kept
from indexcalc.writing.matrix.forms import (
    call,
    eye,
    flippable,
    form_of,
    is_constant,
    key_of,
    negative,
    number_cost,
    ones,
    rank,
    scalar_cost,
    spread_of,
    term_cost,
    term_of,
    turn,
    zeros,
)
from indexcalc.writing.matrix.multiply import diagm, had, product

WIDEST = 10
"""A sum of more terms is not factored."""
STEPS = 400
"""Factors that one search may try to take out, in inner sums too: an arbitrary budget, which bounds its time; when it
is spent, the shortest form so far is the answer."""

TRIED = 2
"""Factors that one sum may try to take out: of all that its terms share, those that save most tokens. With one alone
forms become longer; with three, of two thousand that were compared, none becomes shorter."""


class Taken(NamedTuple):
    """A factor that terms share: what they are without it, by place, and how it is put back before their sum.

    `saved` is about how many tokens are lost so.
    """

    saved: int
    without: Callable[[], dict[int, Monomial]]
    back: Callable[[Form], Monomial]


def collect(terms: Iterable[Monomial]) -> list[Monomial]:
    """Like terms added up, diagonal matrices gathered into one."""
    found: dict[Any, Monomial] = {}
    for term in (inner for outer in terms for inner in _opened(outer)):
        known = found.get(key := key_of(term))
        found[key] = term if known is None else term._replace(coef=add(known.coef, term.coef))
    left = [term for term in found.values() if term.coef != 0]
    diagonal = [term for term in left if len(term.links) == 1 and term.links[0].kind == "diagm"]
    if len(diagonal) > 1:
        vectors = [product(t.coef, t.scalars, t.links[0].parts) for t in diagonal]
        joined = term_of(diagm(Factoring(STEPS).best(vectors, diagonal[0].rows, None)))
        left = collect([*(term for term in left if term not in diagonal), joined])
    return left


def _opened(term: Monomial) -> list[Monomial]:
    """The terms of a sum that is a summand; any other summand as it is."""
    inner = term.links[0] if len(term.links) == 1 and not term.scalars else None
    if not term.links and len(term.scalars) == 1 and term.scalars[0][1] == 1:
        inner = term.scalars[0][0]
    if inner is None or inner.kind != "sum" or term.coef not in (1, -1):
        return [term]
    return [t._replace(coef=multiply(term.coef, t.coef)) for t in map(term_of, inner.parts)]


class Factoring:
    """One search, with its budget of steps and what it has found."""

    def __init__(self, steps: int = STEPS) -> None:
        self.steps = steps
        self.known: dict[Any, Form] = {}
        self.terms: dict[Any, Monomial] = {}

    def best(self, terms: Iterable[Monomial], rows: Extent, cols: Extent) -> Form:
        """The shortest form of a sum of terms, of this shape."""
        if rows is None and cols is not None:
            return turn(self.best([transposed(term) for term in terms], cols, None))
        found = collect(terms)
        if len(found) < 2:
            return form_of(found[0]) if found else zeros(rows, cols)
        pairs = [(term.coef, key_of(term)) for term in found]
        key = (frozenset(pairs), str(rows), str(cols))
        if key not in self.known:
            found = [self.terms.setdefault(pair, term) for pair, term in zip(pairs, found, strict=True)]
            self.known[key] = addition(found, rows, cols)
            self.known[key] = self._search(found, rows, cols, self.known[key])
        return self.known[key]

    def _search(self, terms: list[Monomial], rows: Extent, cols: Extent, plain: Form) -> Form:
        """The shortest; `plain` is the sum as it stands."""
        if len(terms) > WIDEST:
            return plain
        options = [plain]
        for taken in promising(candidates(terms)):
            if self.steps <= 0:
                break
            self.steps -= 1
            places = taken.without()
            inner_terms = list(places.values())
            inner = self.best(inner_terms, *_shape(inner_terms))
            rest = [term for k, term in enumerate(terms) if k not in places]
            options.append(self.best([taken.back(inner), *rest], rows, cols))
        return min(options, key=lambda form: (form.cost, form.names, form.powers, form is not plain))


def _shape(terms: Sequence[Monomial]) -> tuple[Extent, Extent]:
    """The shape of a sum whose terms may be constant along what others run along."""
    rows = next((term.rows for term in terms if term.rows is not None), None)
    cols = next((term.cols for term in terms if term.cols is not None), None)
    return rows, cols


@kept
def transposed(term: Monomial) -> Monomial:
    """The transpose of a summand."""
    return Monomial(term.coef, term.scalars, tuple(turn(link) for link in reversed(term.links)))


# ------------------------------------------------------------------ a sum as a form


def addition(terms: Sequence[Monomial], rows: Extent, cols: Extent) -> Form:
    """The sum as it stands, on its cheaper side."""
    if len(terms) == 1:
        return form_of(terms[0])
    terms = [(flippable(term, complement=True) or term) if negative(term.coef) else term for term in terms]
    if _inverted(terms):
        flipped = addition([term._replace(coef=multiply(-1, term.coef)) for term in terms], rows, cols)
        return form_of(product(-1, [(flipped, 1)] if flipped.scalar else (), () if flipped.scalar else [flipped]))
    if rows is None or cols is None:
        same = rows is None and cols is None
        parts = tuple(form_of(t) for t in ordered(terms))
        return Form("sum", parts, None, rows, cols, _sum_cost(terms, rows, cols), same)
    turned = [transposed(term) for term in terms]
    same = rows == cols and {(t.coef, key_of(t)) for t in terms} == {(t.coef, key_of(t)) for t in turned}
    costs = _sum_cost(terms, rows, cols), _sum_cost(turned, cols, rows)
    sides = [(cost, [key_of(t) for t in ordered(side)]) for cost, side in zip(costs, (terms, turned), strict=True)]
    if same or sides[0] <= sides[1]:
        return Form("sum", tuple(form_of(t) for t in ordered(terms)), costs[1], rows, cols, costs[0], same)
    return turn(Form("sum", tuple(form_of(t) for t in ordered(turned)), costs[0], cols, rows, costs[1]))


def _sum_cost(terms: Sequence[Monomial], rows: Extent, cols: Extent) -> int:
    anchored = any(anchors(term, rows, cols) for term in terms)
    cost = sum(term_cost(term, anchored) for term in terms) + len(terms) - 1
    return cost + all(negative(term.coef) for term in terms)


def anchors(term: Monomial, rows: Extent, cols: Extent) -> bool:
    """Does this summand alone tell the shape of the sum?"""
    if rows is None and cols is None:
        return True
    return not is_constant(term) and not spread_of(term)


def ordered(terms: Sequence[Monomial]) -> list[Monomial]:
    """The summands as people write them: what is positive first, products before names, numbers last."""
    return sorted(terms, key=lambda term: (negative(term.coef), *_place(term)))


@kept
def _place(term: Monomial) -> tuple[Any, ...]:
    """Where a summand stands, its sign apart."""
    constant = is_constant(term) and not term.scalars
    identity = len(term.links) == 1 and term.links[0].kind == "eye"
    names = [rank(form) for form, _ in term.scalars] + [rank(link) for link in term.links]
    repeated = spread_of(term) != ""
    return constant, is_constant(term), repeated, identity, -_length(term), names, str(abs(term.coef))


def _length(term: Monomial) -> int:
    return min(2, len(term.links) + len(term.scalars))


# ------------------------------------------------------------------ what terms share


def candidates(terms: Sequence[Monomial]) -> list[Taken]:
    """All factors that two terms or more share, in an order that depends on the terms alone."""
    found: list[Taken] = []
    found += _common_number(terms)
    found += _common_scalars(terms)
    for first in (True, False):
        found += _common_ends(terms, first)
    found += _common_entries(terms)
    found += _common_sides(terms)
    found += _symmetric_parts(terms)
    return found


def promising(found: Sequence[Taken], most: int = TRIED) -> list[Taken]:
    """Those of the factors that save most, in their order."""
    first = sorted(range(len(found)), key=lambda k: -found[k].saved)[:most]
    return [found[k] for k in sorted(first)]


def _common_number(terms: Sequence[Monomial]) -> list[Taken]:
    coefs = [term.coef for term in terms]
    if any(isinstance(c, float | complex) for c in coefs):
        same = all(c in (coefs[0], multiply(-1, coefs[0])) for c in coefs)
        share: Number = coefs[0] if same else 1
    else:
        share = _content([Fraction(c) for c in coefs])  # type: ignore[arg-type]
    if _inverted(terms):
        share = multiply(-1, share)
    return [_number(terms, share)] if share != 1 else []


def _inverted(terms: Sequence[Monomial]) -> bool:
    """Does a sum read better with all its signs changed? If most are negative, or as many, and the first one."""
    below = sum(negative(term.coef) for term in terms)
    if 2 * below != len(terms):
        return 2 * below > len(terms)
    return negative(min(terms, key=_place).coef)


def _number(terms: Sequence[Monomial], share: Number) -> Taken:
    without = {k: term._replace(coef=_divide(term.coef, share)) for k, term in enumerate(terms)}
    saved = sum(number_cost(terms[k].coef) - number_cost(term.coef) for k, term in without.items())
    return Taken(
        saved - number_cost(share),
        lambda: without,
        lambda inner: product(share, [(inner, 1)] if inner.scalar else (), () if inner.scalar else [inner]),
    )


def _content(values: Sequence[Fraction]) -> Number:
    """The largest number by which all of these are integers, if they are not integers; else their common divisor."""
    from math import gcd, lcm

    top = gcd(*[value.numerator for value in values])
    bottom = lcm(*[value.denominator for value in values])
    share = Fraction(top, bottom)
    return share.numerator if share.denominator == 1 else share


def _divide(value: Number, share: Number) -> Number:
    if isinstance(value, int | Fraction) and isinstance(share, int | Fraction):
        made = Fraction(value) / Fraction(share)
        return made.numerator if made.denominator == 1 else made
    if share in (1, -1):
        return multiply(value, share)
    return 1 if value == share else -1


def _common_scalars(terms: Sequence[Monomial]) -> list[Taken]:
    owners: dict[Form, dict[int, Number]] = {}
    for k, term in enumerate(terms):
        for form, exponent in term.scalars:
            owners.setdefault(form, {})[k] = exponent
    found = []
    for form in sorted(owners, key=rank):
        for sign in (1, -1):
            have = {k: e for k, e in owners[form].items() if not isinstance(e, complex) and e * sign > 0}
            if len(have) < 2:
                continue
            least = min(have.values(), key=abs)  # type: ignore[arg-type]
            saved = sum(_scalar_saved(terms[k], form, exponent, least) for k, exponent in have.items())
            without = partial(_without_scalar, [(k, terms[k]) for k in have], form, least)
            found.append(Taken(saved - scalar_cost([(form, least)]), without, _scaler(form, least)))
    return found


def _scalar_saved(term: Monomial, form: Form, exponent: Number, less: Number) -> int:
    """The tokens that a term loses with a power of a scalar: a 1 is left where that is all."""
    left = add(exponent, multiply(-1, less))
    alone = len(term.scalars) == 1 and not term.links and number_cost(term.coef) == 0
    return scalar_cost([(form, exponent)]) - (scalar_cost([(form, left)]) if left != 0 else 2 * alone)


def _without_scalar(terms: Sequence[tuple[int, Monomial]], form: Form, less: Number) -> dict[int, Monomial]:
    return {k: product(term.coef, [*term.scalars, (form, multiply(-1, less))], term.links) for k, term in terms}


def _scaler(form: Form, exponent: Number) -> Callable[[Form], Monomial]:
    def back(inner: Form) -> Monomial:
        if inner.scalar:
            return product(1, [(form, exponent), (inner, 1)], ())
        return product(1, [(form, exponent)], [inner])

    return back


def _common_ends(terms: Sequence[Monomial], first: bool) -> list[Taken]:
    owners: dict[Form, list[int]] = {}
    for k, term in enumerate(terms):
        if term.links and (link := term.links[0 if first else -1]).kind not in ("eye", "ones"):
            owners.setdefault(link, []).append(k)
    found = []
    for link in sorted((link for link in owners if len(owners[link]) > 1), key=rank):
        without = {k: _cut(terms[k], first) for k in owners[link]}
        if len({(str(t.rows), str(t.cols)) for t in without.values()}) == 1:
            found.append(_taken(terms, without, link.cost + 1, _ender(link, first)))
    return found


def _taken(
    terms: Sequence[Monomial], without: dict[int, Monomial], cost: int, back: Callable[[Form], Monomial]
) -> Taken:
    """What is taken costs so much where it is put back."""
    saved = sum(term_cost(terms[k]) - term_cost(term) for k, term in without.items())
    return Taken(saved - cost, lambda: without, back)


def _cut(term: Monomial, first: bool) -> Monomial:
    """The term without its first (last) link."""
    link = term.links[0 if first else -1]
    rest = term.links[1:] if first else term.links[:-1]
    missing = link.cols if first else link.rows
    if not rest and missing is not None:
        rest = (eye(missing),)
    return Monomial(term.coef, term.scalars, rest)


def _ender(link: Form, first: bool) -> Callable[[Form], Monomial]:
    def back(inner: Form) -> Monomial:
        if inner.scalar:
            return product(1, [(inner, 1)], [link])
        return product(1, (), [link, inner] if first else [inner, link])

    return back


@kept
def _entries(term: Monomial) -> dict[Form, Callable[[], Monomial]]:
    """The entrywise factors of a term, and what is left without each, made when it is asked for."""
    found: dict[Form, Callable[[], Monomial]] = {}
    links = term.links
    if len(links) == 1 and links[0].kind == "had":
        for k, (part, exponent) in enumerate(zip(links[0].parts, links[0].data, strict=True)):
            if isinstance(exponent, int) and exponent > 0:
                found[part] = partial(_without_entry, term, k, 1)
            if exponent != 1:
                found[had([(part, exponent)])] = partial(_without_entry, term, k, exponent)
    elif len(links) == 1 and links[0].kind not in ("eye", "ones", "diagm"):
        found[links[0]] = lambda: Monomial(term.coef, term.scalars, (ones(links[0].rows, links[0].cols),))
    elif len(links) in (2, 3) and term.rows is not None and term.cols is not None:
        core_at = next((k for k, link in enumerate(links) if link.kind != "diagm"), None)
        others = [link for k, link in enumerate(links) if k != core_at]
        if core_at is not None and all(link.kind == "diagm" for link in others):
            found[links[core_at]] = partial(_without_core, term, core_at)
    return found


def _without_entry(term: Monomial, place: int, less: Number) -> Monomial:
    """A term whose one link is an entrywise product, without a power of one of its parts."""
    core = term.links[0]
    pairs = list(zip(core.parts, core.data, strict=True))
    part, exponent = pairs.pop(place)
    left = [*pairs, (part, add(exponent, multiply(-1, less)))] if less != exponent else pairs
    return product(term.coef, term.scalars, [had(left) if left else ones(core.rows, core.cols)])


def _without_core(term: Monomial, place: int) -> Monomial:
    """A matrix whose rows or columns are scaled, without it: the outer product of what scales them."""
    links = term.links
    over = links[0].parts[0] if place else ones(term.rows, None)
    under = turn(links[-1].parts[0]) if place < len(links) - 1 else ones(None, term.cols)
    return product(term.coef, term.scalars, [over, under])


def _common_entries(terms: Sequence[Monomial]) -> list[Taken]:
    owners: dict[Form, dict[int, Callable[[], Monomial]]] = {}
    for k, term in enumerate(terms):
        if term.rows is None:
            continue
        for form, rest in _entries(term).items():
            owners.setdefault(form, {})[k] = rest
    found = []
    for form in sorted((form for form in owners if len(owners[form]) > 1), key=rank):
        without = {k: rest() for k, rest in owners[form].items()}
        if any(anchors(term, form.rows, form.cols) for term in without.values()):
            found.append(_taken(terms, without, form.cost + 1, _enterer(form)))
    return found


def _enterer(form: Form) -> Callable[[Form], Monomial]:
    return lambda inner: term_of(had([(form, 1), (inner, 1)]))


def _common_sides(terms: Sequence[Monomial]) -> list[Taken]:
    """Kronecker products with one side in common."""
    owners: dict[tuple[int, Form], dict[int, Form]] = {}
    for k, term in enumerate(terms):
        if len(term.links) == 1 and term.links[0].kind == "call" and term.links[0].data[0] == "kron":
            for side in (0, 1):
                parts = term.links[0].parts
                owners.setdefault((side, parts[side]), {})[k] = parts[1 - side]
    found = []
    for (side, form), others in sorted(owners.items(), key=lambda item: (item[0][0], rank(item[0][1]))):
        if len(others) > 1 and len({(str(f.rows), str(f.cols)) for f in others.values()}) == 1:
            without = {k: product(terms[k].coef, terms[k].scalars, [other]) for k, other in others.items()}
            found.append(_taken(terms, without, form.cost + 2, _sider(form, side)))
    return found


def _symmetric_parts(terms: Sequence[Monomial]) -> list[Taken]:
    """A matrix and its transpose with one coefficient, where their half sum has a shorter one."""
    found = []
    for k, term in enumerate(terms):
        double = multiply(2, term.coef)
        whole = isinstance(term.coef, int) or number_cost(double) > number_cost(term.coef)
        if whole or term.rows is None or term.rows != term.cols:
            continue
        other = term_of(turn(form_of(Monomial(1, term.scalars, term.links))))
        for j in range(k + 1, len(terms)):
            if terms[j].coef == term.coef and key_of(terms[j]) == key_of(other):
                halves = {k: term, j: term._replace(coef=0)}
                found.append(_taken(terms, halves, 2, _symmetrizer(term)))
    return found


def _symmetrizer(term: Monomial) -> Callable[[Form], Monomial]:
    def back(inner: Form) -> Monomial:
        core = form_of(Monomial(1, (), term.links))
        core = min((core, turn(core)), key=lambda side: side.cost)
        sym = call("sym", [core], core.rows, core.cols, same=True)
        return product(multiply(2, term.coef), term.scalars, [sym])

    return back


def _sider(form: Form, side: int) -> Callable[[Form], Monomial]:
    def back(inner: Form) -> Monomial:
        term = term_of(inner)
        core = form_of(Monomial(1, (), term.links))
        pair = (form, core) if side == 0 else (core, form)
        return product(term.coef, term.scalars, [kron(*pair)])

    return back


def kron(left: Form, right: Form) -> Form:
    """The Kronecker product; of two identities, one."""
    rows, cols = _times(left.rows, right.rows), _times(left.cols, right.cols)
    if left.kind == right.kind == "eye":
        assert rows is not None
        return eye(rows)
    if left.kind == right.kind == "ones":
        return ones(rows, cols)
    terms = [term_of(left), term_of(right)]
    if any(t.coef != 1 or t.scalars for t in terms):
        core = kron(form_of(Monomial(1, (), terms[0].links)), form_of(Monomial(1, (), terms[1].links)))
        return form_of(product(multiply(terms[0].coef, terms[1].coef), [*terms[0].scalars, *terms[1].scalars], [core]))
    return call("kron", (left, right), rows, cols)


def _times(a: Extent, b: Extent) -> Extent:
    if a is None or b is None:
        return b if a is None else a
    return a * b
