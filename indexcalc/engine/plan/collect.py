"""Terms of a sum that share a part: `X Y1 + X Y2` is made as `X (Y1 + Y2)` where that is cheaper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import count
from math import prod
from typing import NamedTuple

from indexcalc.engine import cost
from indexcalc.engine.plan.joined import axes_of
from indexcalc.engine.plan.orders.contract import EXACT, Contraction
from indexcalc.engine.plan.orders.scheme import Piece, key_of
from indexcalc.engine.plan.products import Products, Ready
from indexcalc.engine.plan.steps import PlacedPiece, added, single
from indexcalc.engine.program import Use
from indexcalc.graph.node import Labels
from indexcalc.graph.numbers import multiply

WORTH = 0.9
"""A share of the cost: a part is taken out where at most this is left, since the costs are estimates."""


class Place(NamedTuple):
    """Where a part occurs: in which term, which pieces it has, and the labels that it shares with the rest."""

    term: int
    mask: int
    bridge: Labels


def collect(products: Products, terms: list[Ready]) -> list[Ready]:
    """The terms, with shared parts taken out as long as that pays; not where they cover different entries."""
    if products.optimize is not None or products.written or any(term.ranges for term in terms):
        return terms
    whole, terms = terms, [_reduced(products, term) for term in terms]
    while len(terms) > 1:
        contractions = [_searched(products, term) for term in terms]
        found = _best(terms, contractions)
        if found is None:
            return whole if len(whole) == len(terms) else terms
        made = _taken_out(products, terms, contractions, found)
        gone = {place.term for place in found}
        terms = [term for k, term in enumerate(terms) if k not in gone] + [made]
    return terms


def _reduced(products: Products, term: Ready) -> Ready:
    """A term of at most `EXACT` factors: label after label is summed, so that what is left may be what others have."""
    pieces = [piece for piece in term.pieces if piece.labels]
    if len(pieces) <= EXACT:
        return term
    while len(pieces) > EXACT:
        whole = products.pool.contraction(pieces, term.out, term.sizes)
        groups = whole.to_merge()
        parts = [whole.part(group) for group in groups]
        gone = {k for group in groups for k in group}
        pieces = [piece for k, piece in enumerate(pieces) if k not in gone]
        pieces += [products.built(part, products.order(part)[1], 1) for part in parts]
    return term._replace(pieces=(*(piece for piece in term.pieces if not piece.labels), *pieces))


def _searched(products: Products, term: Ready) -> Contraction | None:
    """The costs of all parts of a term; None for a term that has a delta or only one piece."""
    pieces = [piece for piece in term.pieces if piece.labels]
    if len(set(term.out)) < len(term.out) or not 1 < len(pieces) <= EXACT:
        return None
    found = products.pool.contraction(pieces, term.out, term.sizes)
    products.searched(found)
    return found


def _best(terms: Sequence[Ready], contractions: Sequence[Contraction | None]) -> list[Place] | None:
    """The places of the part that saves most, if one saves enough."""
    places: dict[object, list[Place]] = {}
    values = [_values(found) if found is not None else {} for found in contractions]
    times = Counter(own for found in values for own in set(found.values()))
    for number, (term, found) in enumerate(zip(terms, contractions, strict=True)):
        if found is None:
            continue
        axis = {label: k for k, label in enumerate(term.out)}
        for mask, own in values[number].items():
            if times[own] < 2:
                continue
            pieces = [piece for k, piece in enumerate(found.pieces) if mask >> k & 1]
            inside = {x for piece in pieces for x in piece.labels}
            anchors = [Piece(-1 - axis[x], (x,)) for x in sorted(inside & axis.keys())]
            stays = found.stays(mask)
            key, order = key_of((*pieces, *anchors), stays, found.turns_of(pieces))
            if any(place.term == number for place in places.get(key, ())):
                continue
            bridge = tuple(x for x in order if x not in axis)
            places.setdefault(key, []).append(Place(number, mask, bridge))
    best: tuple[float, list[Place]] | None = None
    for group in places.values():
        if len(group) > 1:
            left = _left(terms, contractions, group)
            if left is not None and (best is None or left > best[0]):
                best = left, group
    return best[1] if best is not None else None


def _values(found: Contraction) -> dict[int, tuple[int, ...]]:
    """The values of each subset but the whole, in order."""
    ranks = found.scheme.ranks
    return {mask: tuple([found.values[k] for k in ranks[mask]]) for mask in range(1, found.everything)}


def _left(terms: Sequence[Ready], contractions: Sequence[Contraction | None], group: Sequence[Place]) -> float | None:
    """What is saved by taking a part out of these terms, in seconds; None where it is not worth it."""
    apart = together = 0.0
    union: set[int] = set()
    first = group[0]
    for place in group:
        found, term = contractions[place.term], terms[place.term]
        assert found is not None
        rest = found.everything ^ place.mask
        rename = dict(zip(term.out, terms[first.term].out, strict=True))
        rename |= dict(zip(place.bridge, first.bridge, strict=True))
        union |= {rename[x] for x in found.labels(rest)}
        apart += found.best[found.everything][0]
        apart += cost.CALL + prod(term.sizes[x] for x in term.out) / cost.MEMORY
        together += found.best[rest][0] + cost.CALL
    found = contractions[first.term]
    assert found is not None
    together += found.best[first.mask][0]
    together += len(group) * prod(found.sizes[x] for x in union) / cost.MEMORY
    together += cost.pair(found.labels(first.mask), union, found.out, found.sizes)
    return apart - together if together < WORTH * apart else None


def _taken_out(
    products: Products, terms: Sequence[Ready], contractions: Sequence[Contraction | None], group: Sequence[Place]
) -> Ready:
    """The term that has the part once, and the sum of what it multiplied."""
    first = group[0]
    term, found = terms[first.term], contractions[first.term]
    assert found is not None
    labels: list[int] = list(dict.fromkeys((*term.out, *first.bridge)))
    fresh = count(1 + max([*term.sizes, 0]))
    summands = []
    for place in group:
        other, product = terms[place.term], contractions[place.term]
        assert product is not None
        rename = dict(zip(other.out, term.out, strict=True)) | dict(zip(place.bridge, first.bridge, strict=True))
        pieces = [piece for k, piece in enumerate(product.pieces) if not place.mask >> k & 1]
        pieces += [piece for piece in other.pieces if not piece.labels]
        for label in {x for piece in pieces for x in piece.labels}:
            rename.setdefault(label, next(fresh))
        sizes = {rename[x]: other.sizes[x] for x in rename if x in other.sizes}
        renamed = tuple(Piece(p.value, tuple(rename[x] for x in p.labels)) for p in pieces)
        summands.append(Ready(other.coef, renamed, tuple(labels), {**term.sizes, **sizes}))
    carried = {x for s in summands for p in s.pieces for x in p.labels}
    axes = tuple(x for x in labels if x in carried)
    summands = [s._replace(out=axes) for s in summands]
    collected = collect(products, summands)
    sign = -1 if all(not isinstance(s.coef, complex) and s.coef < 0 for s in collected) else 1
    parts = [PlacedPiece(multiply(sign, s.coef), products.contracted(s, 1), axes_of(s.out)) for s in collected]
    if len(parts) == 1:
        ((coef, made, _),) = parts
        inner = Piece(single(products.pool, coef, Use(*made), made.labels, term.sizes), made.labels)
    else:
        value, form = added(products.pool, parts, tuple(term.sizes[x] for x in axes))
        inner = Piece(value, tuple(axes[form.out.index(x)] for x in form.labels))
    shared = [piece for k, piece in enumerate(found.pieces) if first.mask >> k & 1]
    return Ready(sign, (*shared, inner), term.out, term.sizes)
