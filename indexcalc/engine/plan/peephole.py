"""The last touch on a program: nine rewrites of its steps.

What is added up is never an array of its own, products that are equal up to a number are one, inverses that are only
applied become solves, a sum that is there is a term of what has its terms, slices of one array are scaled at once,
numbers go where they take least, powers of one array are made from each other, what is made of inputs is made late, and
dead steps go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from math import isclose, prod
from typing import Any, NamedTuple, TypeGuard

from indexcalc.engine.measure import is_view
from indexcalc.engine.plan.pool import StepPool
from indexcalc.engine.plan.powers import by_products
from indexcalc.engine.program import (
    Add,
    Contract,
    Cut,
    Map,
    Part,
    Program,
    Reduce,
    Shape,
    Solve,
    Step,
    Use,
    moved,
    replaced,
)
from indexcalc.errors import counted
from indexcalc.functions.table import INV
from indexcalc.graph.node import Labels
from indexcalc.graph.numbers import Number, multiply

FEW = 0.5
"""A share of the order n: an inverse becomes solves where these have less than this times n columns in all,"""
SOLVES, MANY = 3, 64
"""and are at most so many, or one if the order is less than `MANY`: an inverse takes four times what a factorisation
does, and below that order the calls take most of the time."""


ROUNDED = 1e-14
"""How far quotients of numbers may be apart that are equal but for rounding."""
Real = int | Fraction | float


def peephole(pool: StepPool, values: Sequence[int], apart: bool = True) -> Program:
    """The program whose results are these values of the pool; `apart` if sums may be added up term by term."""
    numbers = pool.live(values)
    steps: list[Step] = []
    place: dict[int, int] = {}
    for number in numbers:
        step = pool.steps[number]
        place[number] = len(steps)
        steps.append(moved(step, place))
    results = tuple(place[number] for number in values)
    steps, results = replaced(steps, results, _inside(steps, results))
    parted = _apart(steps, results) if apart else {}
    notes = [f"added up term by term: a sum of {len(found) - 1} terms" for found in parted.values()]
    steps, results = replaced(steps, results, parted)
    steps, results, many = _multiples(steps, results)
    notes += [f"made once, up to a number: {counted(many + 1, 'product')}"] * bool(many)
    steps, results = _solved(steps, results)
    steps = _in_sums(steps)
    steps, results = replaced(steps, results, _slices(steps))
    steps = _scaled(_spread(steps, results), results)
    return _pruned(*_late(*by_products(steps, results)), tuple(notes))


def _late(steps: Sequence[Step], results: tuple[int, ...]) -> tuple[list[Step], tuple[int, ...]]:
    """Entries that are made of those of inputs alone are made where they are read first: less is alive until then."""
    given: set[int] = set()
    for number, step in enumerate(steps):
        if not step.uses or (is_view(step) and step.uses[0].value in given):
            given.add(number)
    place, ends = list(range(len(steps))), set(results)
    first = dict.fromkeys(results, -1)
    for number in range(len(steps) - 1, -1, -1):
        own, moves = steps[number].uses, isinstance(steps[number], Contract | Map | Add | Cut)
        if moves and own and number not in ends and number in first and given.issuperset(use.value for use in own):
            place[number] = first[number]
        for use in own:
            first[use.value] = min(place[number], first.get(use.value, place[number]))
    order = sorted(range(len(steps)), key=lambda number: (place[number], number))
    if order == list(range(len(steps))):
        return list(steps), results
    where = {number: k for k, number in enumerate(order)}
    return [moved(steps[number], where) for number in order], tuple(where[value] for value in results)


def _pruned(steps: list[Step], results: tuple[int, ...], notes: tuple[str, ...]) -> Program:
    needed: set[int] = set(results)
    for number in range(len(steps) - 1, -1, -1):
        if number in needed:
            needed |= {use.value for use in steps[number].uses}
    place: dict[int, int] = {}
    kept: list[Step] = []
    for number, step in enumerate(steps):
        if number in needed:
            place[number] = len(kept)
            kept.append(moved(step, place))
    return Program(tuple(kept), tuple(place[number] for number in results), notes)


def _multiples(steps: Sequence[Step], results: tuple[int, ...]) -> tuple[list[Step], tuple[int, ...], int]:
    """Products that are equal up to a number are one, the others multiples of it; and how many these are."""
    groups: dict[Any, list[int]] = {}
    for number, step in enumerate(steps):
        if isinstance(step, Contract) and len(step.uses) == 2 and any(use.labels for use in step.uses):
            groups.setdefault((step.uses, step.out, step.shape), []).append(number)
    base: dict[int, int] = {}
    for group in groups.values():
        first = next((number for number in group if _coef(steps[number]) == 1), group[0])
        ratios = {number: _over(_coef(steps[number]), _coef(steps[first])) for number in group if number != first}
        base |= {number: first for number, ratio in ratios.items() if ratio is not None}
    if not base:
        return list(steps), results, 0
    place: dict[int, int] = {}
    made: list[Step] = []
    for number, step in enumerate(steps):
        first = base.get(number, number)
        if first not in place:
            place[first] = len(made)
            made.append(moved(steps[first], place))
        if first != number:
            ratio = _over(_coef(step), _coef(steps[first]))
            assert ratio is not None
            axes = tuple(range(len(step.shape)))
            place[number] = len(made)
            made.append(Contract(ratio, (Use(place[first], axes),), axes, step.shape, dict(enumerate(step.shape))))
    return made, tuple([place[number] for number in results]), len(base)


def _coef(step: Step) -> Number:
    assert isinstance(step, Contract)
    return step.coef


def _inside(steps: Sequence[Step], results: tuple[int, ...]) -> dict[int, list[Step]]:
    """A product that is added up along axes, and that nothing else reads, is made and added up at once."""
    readers = Counter([use.value for step in steps for use in step.uses] + list(results))
    found: dict[int, list[Step]] = {}
    for number, step in enumerate(steps):
        if not isinstance(step, Contract) or len(step.uses) != 1 or len(step.out) == len(step.uses[0].labels):
            continue
        (use,) = step.uses
        inner = steps[use.value]
        if readers[use.value] == 1 and _pair(inner) and len(set(use.labels)) == len(use.labels):
            found[number] = _summed(inner, use.labels, step, 0)
    return found


def _apart(steps: Sequence[Step], results: tuple[int, ...]) -> dict[int, list[Step]]:
    """A sum along axes of a sum that nothing else reads, and that has products in it.

    Each term is added up for itself, a product together with its sum. Rounding stays of the size of that of the
    products. No term may run along fewer axes: to add up what is centred is another matter.
    """
    readers = Counter([use.value for step in steps for use in step.uses] + list(results))
    found: dict[int, list[Step]] = {}
    for number, step in enumerate(steps):
        if not isinstance(step, Contract) or len(step.uses) != 1 or readers[step.uses[0].value] > 1:
            continue
        (use,) = step.uses
        inner = steps[use.value]
        if not isinstance(inner, Add) or len(set(use.labels)) < len(use.labels) or len(step.out) == len(use.labels):
            continue
        if any(part.ranges or sorted(part.places) != sorted(part.use.labels) for part in inner.parts):
            continue
        axes, made, parts, products = tuple(range(len(step.out))), list[Step](), list[Part](), 0
        for part in inner.parts:
            label = dict(zip(part.places, use.labels, strict=True))
            labels, own = tuple(label[x] for x in part.use.labels), steps[part.use.value]
            if readers[part.use.value] == 1 and _pair(own) and _entrywise(own):
                made += _summed(own, labels, replace(step, coef=1), len(made))
                products += 1
            else:
                made.append(replace(step, coef=1, uses=(Use(part.use.value, labels),)))
            parts.append(Part(multiply(step.coef, part.coef), Use(-len(made), axes), axes))
        if products:
            found[number] = [*made, Add(tuple(parts), step.shape)]
    return found


def _pair(step: Step) -> TypeGuard[Contract]:
    """Is it a product of two values, without a diagonal of one?"""
    return (
        isinstance(step, Contract) and len(step.uses) == 2
        and all(len(set(use.labels)) == len(use.labels) for use in step.uses)
    )  # fmt: skip


def _entrywise(step: Contract) -> bool:
    return set(step.out) == {x for use in step.uses for x in use.labels}


def _summed(product: Contract, labels: Labels, whole: Contract, before: int) -> list[Step]:
    """The steps that make a product of two values whose axes have these labels, and add it up as the `whole` does.

    An operand is added up first along an axis that it alone has. So many steps are `before` them.
    """
    names = dict(zip(product.out, labels, strict=True))
    for label in sorted(product.sizes):
        names.setdefault(label, max(names.values()) + 1)
    sizes = {names[label]: size for label, size in product.sizes.items()}
    uses = [Use(use.value, tuple(names[x] for x in use.labels)) for use in product.uses]
    made: list[Step] = []
    for k, other in enumerate((uses[1].labels, uses[0].labels)):
        kept = tuple(x for x in uses[k].labels if x in other or x in whole.out)
        if kept != uses[k].labels:
            made.append(Contract(1, (uses[k],), kept, tuple(sizes[x] for x in kept), sizes))
            uses[k] = Use(-before - len(made), kept)
    coef = multiply(whole.coef, product.coef)
    return [*made, replace(whole, coef=coef, uses=tuple(uses), sizes=sizes)]


def _in_sums(steps: Sequence[Step]) -> list[Step]:
    """A sum that has all the terms of an earlier one, up to a number, has that in their place."""
    made = list(steps)
    sums: dict[Any, list[int]] = {}
    numbers: dict[int, dict[Any, Number]] = {}
    for number, step in enumerate(steps):
        if not isinstance(step, Add):
            continue
        terms = {_term(part): part.coef for part in step.parts}
        if len(terms) < max(2, len(step.parts)):
            continue
        near = [k for term in terms for k in sums.get((term, step.shape), ())]
        for other in sorted(near, key=lambda k: -len(numbers[k])):
            inner = numbers[other]
            if not inner.keys() <= terms.keys():
                continue
            ratios = [ratio for term, coef in inner.items() if (ratio := _over(terms[term], coef)) is not None]
            if len(ratios) == len(inner) and all(isclose(ratio, ratios[0], rel_tol=ROUNDED) for ratio in ratios):
                axes = tuple(range(len(step.shape)))
                left = tuple(part for part in step.parts if _term(part) not in inner)
                made[number] = Add((Part(ratios[0], Use(other, axes), axes), *left), step.shape)
                break
        numbers[number] = terms
        latest = max(terms, key=lambda term: term[0])  # the first ones may be in every sum
        sums.setdefault((latest, step.shape), []).append(number)
    return made


def _slices(steps: Sequence[Step]) -> dict[int, list[Step]]:
    """Slices of one array that a sum has with one number: slices of that array times the number."""
    found: dict[int, list[Step]] = {}
    for number, step in enumerate(steps):
        if not isinstance(step, Add):
            continue
        groups: dict[tuple[int, Number], list[int]] = {}
        for k, part in enumerate(step.parts):
            made = steps[part.use.value]
            if isinstance(made, Cut) and part.coef not in (1, -1):
                groups.setdefault((made.uses[0].value, part.coef), []).append(k)
        parts, more = list(step.parts), list[Step]()
        for (value, coef), places in groups.items():
            shape = steps[value].shape
            axes = tuple(range(len(shape)))
            if len(places) > 1:
                more.append(Contract(coef, (Use(value, axes),), axes, shape, dict(enumerate(shape))))
                scaled = -len(more)
                for k in places:
                    more.append(moved(steps[parts[k].use.value], {value: scaled}))
                    parts[k] = replace(parts[k], coef=1, use=Use(-len(more), parts[k].use.labels))
        if more:
            found[number] = [*more, replace(step, parts=tuple(parts))]
    return found


def _term(part: Part) -> Any:
    """What a term of a sum is, but for its number."""
    first: dict[int, int] = {}
    for label in (*part.use.labels, *part.places):
        first.setdefault(label, len(first))
    return part.use.value, *(tuple(first[x] for x in own) for own in (part.use.labels, part.places)), part.ranges


def _over(one: Number, other: Number) -> Real | None:
    """The quotient of two real numbers, exact where both are."""
    if isinstance(one, complex) or isinstance(other, complex) or other == 0:
        return None
    if isinstance(one, float) or isinstance(other, float):
        return float(one) / float(other)
    found = Fraction(one) / Fraction(other)
    return int(found) if found.denominator == 1 else found


def _spread(steps: list[Step], results: tuple[int, ...]) -> list[Step]:
    """A multiple of a sum that nothing else reads is the sum of multiples, where that takes fewer of them."""
    readers = Counter([use.value for step in steps for use in step.uses] + list(results))
    for number, step in enumerate(steps):
        if not isinstance(step, Contract) or len(step.uses) != 1 or step.coef == 1:
            continue
        (use,) = step.uses
        inner = steps[use.value]
        if not isinstance(inner, Add) or readers[use.value] > 1 or sorted(use.labels) != sorted(step.out):
            continue
        parts = tuple(replace(part, coef=multiply(step.coef, part.coef)) for part in inner.parts)
        if _passes(parts, steps, readers) <= _passes(inner.parts, steps, readers):
            steps[use.value] = replace(inner, parts=parts)
            steps[number] = replace(step, coef=1)
    return steps


def _passes(parts: Sequence[Part], steps: Sequence[Step], readers: Mapping[int, int]) -> int:
    """How many parts of full size are multiplied while they are added: a product takes its coefficient itself."""
    found = 0
    for part in parts:
        made = steps[part.use.value]
        itself = isinstance(made, Contract) and len(made.uses) == 2 and readers[part.use.value] == 1
        found += part.coef not in (1, -1) and len(part.use.labels) >= len(part.places) and not itself
    return found


def _scaled(steps: list[Step], results: tuple[int, ...]) -> list[Step]:
    """A coefficient of a sum, or a coefficient and its negative, go into the product that nothing else reads.

    The product has operands that are smaller.
    """
    readers = Counter([use.value for step in steps for use in step.uses] + list(results))
    for number, step in enumerate(steps):
        if not isinstance(step, Add):
            continue
        parts = list(step.parts)
        for part in step.parts:
            made, coef = steps[part.use.value], part.coef
            if coef == 1 or (coef == -1 and any(_begins(other, len(parts)) for other in parts)):
                continue
            same = [k for k, other in enumerate(parts) if other.use.value == part.use.value]
            alike = all(parts[k].coef in (coef, multiply(-1, coef)) for k in same) and (len(same) == 1 or coef != -1)
            if not alike or readers[part.use.value] > len(same):
                continue
            if isinstance(made, Contract) and len(made.uses) == 2 and made.coef == 1:
                steps[part.use.value] = replace(made, coef=coef)
                for k in same:
                    parts[k] = replace(parts[k], coef=1 if parts[k].coef == coef else -1)
        steps[number] = replace(step, parts=tuple(parts))
    return steps


def _begins(part: Part, count: int) -> bool:
    """Can a sum of so many parts begin as this one, the others subtracted from it?

    It has a coefficient of 1 and no delta; and it covers every entry, or is one of two.
    """
    plain = part.coef == 1 and len(set(part.places)) == len(part.places) and not part.ranges
    return plain and (count == 2 or set(part.places) <= set(part.use.labels))


def _solved(steps: list[Step], results: tuple[int, ...]) -> tuple[list[Step], tuple[int, ...]]:
    """Inverses of single matrices that are only multiplied with few columns become solves, and the results."""
    users: dict[int, list[int]] = {}
    for number, step in enumerate(steps):
        for use in step.uses:
            users.setdefault(use.value, []).append(number)
    found: dict[int, list[Step]] = {}
    for number, step in enumerate(steps):
        if not isinstance(step, Reduce) or step.fn != INV or len(step.shape) != 2 or number in results:
            continue
        applied = {user: _applied(steps[user], number, step) for user in users.get(number, [])}
        if len(applied) > (SOLVES if step.shape[0] >= MANY else 1):
            continue
        solves = {user: one for user, one in applied.items() if one is not None}
        if len(solves) == len(applied) and sum(one.columns for one in solves.values()) < FEW * step.shape[0]:
            found |= {user: [one.solve, *_times(one.coef, one.solve.shape)] for user, one in solves.items()}
    return replaced(steps, results, found)


def _times(coef: Number, shape: Shape) -> list[Step]:
    """What multiplies the step before, if anything does."""
    axes = tuple(range(len(shape)))
    return [Contract(coef, (Use(-1, axes),), axes, shape, dict(enumerate(shape)))] * (coef != 1)


class AppliedInverse(NamedTuple):
    """A product with an inverse as a solve, of so many columns, and the number that it is multiplied by."""

    solve: Solve
    columns: int
    coef: Number


def _applied(step: Step, value: int, inverse: Reduce) -> AppliedInverse | None:
    """A contraction of the inverse with another value over one label, if the step is one."""
    if not isinstance(step, Contract) or len(step.uses) != 2:
        return None
    own = [use for use in step.uses if use.value == value]
    others = [use for use in step.uses if use.value != value]
    if len(own) != 1 or len(others) != 1:
        return None
    row, column = own[0].labels
    labels = others[0].labels
    for axis, (kept, summed) in enumerate(((row, column), (column, row))):
        if summed in labels and kept not in labels and summed not in step.out and kept in step.out:
            rest = [label for label in labels if label != summed]
            if all(label in step.out for label in rest):
                use = Use(inverse.uses[0].value, (summed, kept) if axis == 0 else (kept, summed))
                solve = Solve((use, others[0]), step.out, step.shape)
                return AppliedInverse(solve, prod(step.sizes[x] for x in rest), step.coef)
    return None
