"""Affine indices in brackets, `x[2*t + j]`: where each use is defined, and the entries that it takes.

A use of one index is a selection, one of several an affine delta, see `graph/ranges.py`. An index that is declared by
`index_range` runs as that says; any other over all values, from 0, for which each use is an entry.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from indexcalc.affine import BOUNDARIES, Affine, Span
from indexcalc.errors import Asked, DimensionError, KindError, NotationError, RangeError, did_you_mean
from indexcalc.graph.constructors import addition, einsum
from indexcalc.graph.node import Node
from indexcalc.graph.ranges import Range, Relation, affine_delta, at_least, larger, selection_of
from indexcalc.index import Dim, Dimension, Index, dim, symbol, unknown
from indexcalc.surface import is_integer, own_name, public
from indexcalc.views.expr import Expr

COUNT = iter(range(1, 2**31))
"""The numbers of ranges that got no name."""


@public
def index_range(size: object, name: str = "", *, start: object = 0, boundary: str = "") -> Index:
    """An index that runs over so many values, from `start`: its size is that of no tensor.

    Beside an array, an affine use of it is an error, or 0 with the `boundary` "zero", the array again with "periodic",
    its mirror image with "reflect", whose first entry is no double. Text writes a range as `dims={"t": "1:n - 1"}`.
    Without a `name` it gets one that no other range has.

    >>> import indexcalc as ic
    >>> x, k, j = ic.tensor("x", 9), ic.tensor("k", 3), ic.index("j")
    >>> t = index_range(4, "t")
    >>> y = k[j] * x[2*t + j]
    >>> y, y.shape, y.note
    (x[2*t+i]*k[i], (4,), 't from 0 to 3')
    >>> i = index_range(9, "i", boundary="periodic")
    >>> (x[i+1] - x[i]).evaluate(x=[0, 0, 0, 1, 0, 0, 0, 0, 5])
    array([ 0.,  0.,  1., -1.,  0.,  0.,  0.,  5., -5.])
    """
    asked = f"range({size!r}, {name!r}, start={start!r}, boundary={boundary!r})"
    if boundary not in BOUNDARIES:
        raise KindError(asked, f"boundary={boundary!r}", did_you_mean(boundary, BOUNDARIES[1:]))
    if not is_integer(start) and not isinstance(start, str | Dim):
        raise KindError(asked, f"start={start!r} is no place", "write an integer, or a dimension such as n - 1")
    first: Dimension = int(start) if is_integer(start) else dim(start)  # type: ignore[call-overload]
    named = own_name(name, "range", "t") if name else f"r{next(COUNT)}"
    return Index(named, span=Span(first, dim(size), boundary))


def range_of(text: str) -> Span:
    """A range as text has it: the first value and that behind the last, and what lies beside arrays.

    >>> range_of("1:n - 1")[:3], range_of(":n, zero")[:3]
    ((1, n - 2, ''), (0, n, 'zero'))
    """
    ends, _, boundary = text.partition(",")
    first, _, last = ends.partition(":")
    start = _place(first or "0")
    made = index_range(_place(last) - start, "i", start=start, boundary=boundary.strip()).span
    assert made is not None
    return made


def _place(text: str) -> Dimension:
    """An integer, which may be negative, or a dimension."""
    return int(text) if re.fullmatch(r"\s*-?\d+\s*", text) else dim(text.strip())


class AxisUse(NamedTuple):
    """An axis of an array, and what stands for it in brackets: `offset` and multiples of indices, added."""

    axis: int
    size: Dimension
    coefs: Mapping[str, int]
    offset: Dimension
    boundary: str
    text: str


class IndexRun(NamedTuple):
    """Over which values an index runs."""

    start: Dimension
    size: Dimension
    open: bool = False
    room: bool = False


def used(array: Any, keys: Sequence[Index | Affine], asked: str | Asked) -> Expr:
    """The `Expr` of an array with indices, some of them affine or with a declared range, in brackets."""
    uses = [_use(axis, size, key, asked) for axis, (size, key) in enumerate(zip(array.node.dims, keys, strict=True))]
    names: dict[str, Index] = {}
    for index in (term.index for key in keys for term in key.affine.terms):
        first = names.setdefault(index.name, index)
        if first.batch != index.batch or first.span != index.span:
            raise NotationError(asked, f"{index} is declared in two ways", "give one of them another name")
    runs = _runs(uses, names, asked)
    node, labels = array.node, list[Any](range(array.node.order))
    factors: list[tuple[Any, ...]] = []
    for use in uses:
        found = _relation(use, runs)
        ((name, coef), *more) = use.coefs.items()
        if not more and Range(found.start, coef, found.sizes[0], use.size).whole:
            labels = [name if label == use.axis else label for label in labels]
            continue
        if use.boundary in ("periodic", "reflect"):
            node, labels = _continued(node, labels, use, found, asked)
        else:
            factors += _taken(use, found, asked)
    times = [name for use in uses for name in use.coefs]
    often = [name for name in names if times.count(name) > 2 and not names[name].batch]
    if often:
        found_text = f"{often[0]} occurs {times.count(often[0])} times"
        raise NotationError(asked, found_text, "use ic.einsum, or a batch index")
    out = [name for name in names if names[name].batch or times.count(name) == 1]
    affine = {
        name for use in uses for name in use.coefs if len(use.coefs) > 1 or use.coefs[name] != 1 or use.offset != 0
    }
    sizes: dict[Any, Dimension] = {name: runs[name].size for name in names}
    made = einsum(1, [(node, labels), *factors], out, sizes)
    indices = []
    for name in out:
        run, index = runs[name], names[name]
        spanned = name in affine or index.span is not None
        boundary = index.span.boundary if index.span else ""
        span = Span(run.start, None, boundary, run.open, run.room) if spanned else None
        indices.append(replace(index, span=span))
    return Expr(made, indices, array.inputs, summed=frozenset(names) - set(out))


def _use(axis: int, size: Dimension, key: Index | Affine, asked: str | Asked) -> AxisUse:
    terms, offset = key.affine.terms, key.affine.offset
    if not terms:
        raise NotationError(asked, f"{key} has no index", "an entry is an integer, beside integers and slices alone")
    boundaries = {index.span.boundary for _, index in terms if index.span is not None and index.span.boundary}
    if len(boundaries) > 1:
        raise NotationError(asked, f"{key} has the boundaries {', '.join(sorted(boundaries))}", "declare one of them")
    span = terms[0].index.span
    bare = len(terms) == 1 and terms[0].coef == 1 and offset == 0 and (span is None or span.size is None)
    boundary = "" if bare else next(iter(boundaries), "")
    return AxisUse(axis, size, {index.name: coef for coef, index in terms}, offset, boundary, str(key))


# ------------------------------------------------------------------ where uses are defined


def _runs(uses: Sequence[AxisUse], names: Mapping[str, Index], asked: str | Asked) -> dict[str, IndexRun]:
    """Over which values each index runs."""
    runs = {
        name: IndexRun(index.span.start, index.span.size)
        for name, index in names.items()
        if index.span is not None and index.span.size is not None
    }
    declared = set(runs)
    for use in uses:
        ((name, coef), *more) = use.coefs.items()
        if not more and name not in declared:
            if use.boundary or abs(coef) != 1:
                raise _needs_range(name, f"{use.text} takes every {abs(coef)}th entry", asked)
            low, high = (-1 * use.offset, use.size - 1 - use.offset)
            if coef < 0:
                low, high = use.offset - (use.size - 1), use.offset
            runs[name] = _common(runs.get(name), _from_zero(low, high, name, use, asked), name, asked)
    for use in uses:
        fresh = [name for name in use.coefs if name not in runs]
        last = next((name for name in fresh if abs(use.coefs[name]) == 1), None) if not use.boundary else None
        for name in fresh:
            if name != last and abs(use.coefs[name]) != 1 and (last is None or fresh.index(name) < fresh.index(last)):
                raise _needs_range(name, f"{use.text} takes every {abs(use.coefs[name])}th entry", asked)
            runs[name] = IndexRun(0, symbol(f"?{name}"))
        if last is not None:
            low, high = _reach(use, {name: run for name, run in runs.items() if name != last})
            if use.coefs[last] > 0:
                low, high = -1 * low, use.size - 1 - high
            else:
                low, high = high - (use.size - 1), low
            runs[last] = _from_zero(low, high, last, use, asked)._replace(room=True)
        if not use.boundary:
            _within(use, runs, names, asked)
    return runs


def _needs_range(name: str, found: str, asked: str | Asked) -> RangeError:
    return RangeError(
        asked, f"nothing tells how far {name} runs: {found}", f'declare its range, {name} = ic.range(n, "{name}") say'
    )


def _reach(use: AxisUse, runs: Mapping[str, IndexRun]) -> tuple[Dimension, Dimension]:
    """The least place and the largest that the indices of a use with known ranges come to."""
    low = high = use.offset
    for name, coef in use.coefs.items():
        if name in runs:
            first = coef * runs[name].start
            last = first + coef * (runs[name].size - 1)
            low, high = (low + first, high + last) if coef > 0 else (low + last, high + first)
    return low, high


def _from_zero(low: Dimension, high: Dimension, name: str, use: AxisUse, asked: str | Asked) -> IndexRun:
    """The values from the lower end to the higher that are not negative: an index counts from 0."""
    first = larger(low, 0)
    if first is None:
        raise _needs_range(name, f"{use.text} begins at {name} = {low}", asked)
    size = high - first + 1
    if isinstance(size, int) and size <= 0:
        raise DimensionError(asked, f"no value of {name} makes {use.text} an entry of {use.size}", "check the sizes")
    return IndexRun(first, size, open=len(use.coefs) == 1 and first != 0)


def _common(one: IndexRun | None, other: IndexRun, name: str, asked: str | Asked) -> IndexRun:
    """The values that two uses of an index share."""
    if one is None:
        return other
    start = larger(one.start, other.start)
    end = larger(-1 * (one.start + one.size), -1 * (other.start + other.size))
    if start is None or end is None:
        ranges = " and ".join(f"{run.start} to {run.start + run.size - 1}" for run in (one, other))
        raise RangeError(
            asked,
            f"{name} runs from {ranges}, and which is less is not known",
            f'declare its range: {name} = ic.range(..., "{name}")',
        )
    size = -1 * end - start
    if isinstance(size, int) and size <= 0:
        raise DimensionError(asked, f"no value of {name} lies within all ranges", "check the sizes")
    return IndexRun(start, size, one.open and other.open, one.room or other.room)


def _within(use: AxisUse, runs: Mapping[str, IndexRun], names: Mapping[str, Index], asked: str | Asked) -> None:
    """An error where a use of indices whose ranges are known takes what is no entry."""
    low, high = _reach(use, runs)
    for beyond in (-1 * low, high - (use.size - 1)):
        if not isinstance(beyond, int) or beyond <= 0:
            continue
        ranges = ", ".join(
            f"{name} from {runs[name].start} to {runs[name].start + runs[name].size - 1}" for name in use.coefs
        )
        raise DimensionError(
            asked,
            f"{use.text} comes to {low} to {high} with {ranges}, and the axis has the entries 0 to {use.size - 1}",
            'give a smaller range; or say what lies beside the array: ic.range(..., boundary="zero")',
        )


# ------------------------------------------------------------------ the entries that are taken


def _relation(use: AxisUse, runs: Mapping[str, IndexRun]) -> Relation:
    """How the entry of the axis follows from those of the indices, counted from their starts: its label is the last."""
    start = use.offset
    for name, coef in use.coefs.items():
        start = start + coef * runs[name].start
    sizes = (*(runs[name].size for name in use.coefs), use.size)
    return Relation(start, (*use.coefs.values(), -1), sizes)


def _taken(use: AxisUse, found: Relation, asked: str | Asked) -> list[tuple[Any, ...]]:
    """The factors that take the entries; labels are the indices' names, and the axis.

    Where it depends on the sizes whether all are entries, the stretch of the axis that they come to is selected first:
    evaluation says if there is no such.
    """
    if len(use.coefs) == 1 and not use.boundary:
        ((name, coef),) = use.coefs.items()
        return [_selected(Range(found.start, coef, found.sizes[0], use.size), name, use.axis)]
    factors: list[tuple[Any, ...]] = []
    last: Any = use.axis
    low, high = found.without(len(found.coefs) - 1).ends
    reach = Range(low, 1, high - low + 1, use.size)
    if not use.boundary and not reach.fits:
        if selection_of(reach) is None:
            said = f"{use.text} comes to {low} to {high}, of {use.size} entries, and whether there are is not known"
            raise DimensionError(asked, said, 'say what lies beside the array: ic.range(..., boundary="zero")')
        last = ("reach", use.axis)
        factors.append((selection_of(reach), (last, use.axis)))
        found = Relation(found.start - low, found.coefs, (*found.sizes[:-1], reach.size))
    labels = (*use.coefs, last)
    pair = found.pair if len(found.coefs) == 2 else None
    if pair and pair[1].whole and not pair[0].whole and (part := selection_of(pair[0])):
        return [*factors, (part, labels[::-1])]  # the whole array, with zeros beside it
    node, axes = affine_delta(found)
    return [*factors, (node, tuple(labels[axis] for axis in axes))]


def _selected(picked: Range, short: Any, long: Any) -> tuple[Any, ...]:
    """The selection of a range as a factor; an affine delta where no slice can begin there, or has so many entries."""
    node = selection_of(picked)
    longer = picked.size != picked.length and at_least(picked.size, picked.length)
    if node is not None and not longer:
        return node, (short, long)
    made, axes = affine_delta(Relation(picked.start, (picked.step, -1), (picked.size, picked.length)))
    return made, tuple((short, long)[axis] for axis in axes)


def _continued(
    node: Node, labels: list[Any], use: AxisUse, found: Relation, asked: str | Asked
) -> tuple[Node, list[Any]]:
    """An array that goes on beside its axis, at the places of a use: once to each side."""
    low, high = found.without(len(found.coefs) - 1).ends
    size, last = use.size, use.size - 1
    before, behind = -1 * low, high - last
    most = size if use.boundary == "periodic" else last
    if any(isinstance(most - beside, int) and most - beside < 0 for beside in (before, behind)):
        raise DimensionError(
            asked, f"{use.text} comes to {low} to {high}, more than once around {size}", "give a smaller range"
        )
    turned, whole = tuple(-coef for coef in found.coefs[:-1]), found.coefs[:-1]
    if use.boundary == "periodic":
        beside = [
            (found.start + before, whole, Range(size - before, 1, before, size)),
            (found.start - size, whole, Range(0, 1, behind, size)),
        ]
    else:
        beside = [
            (-1 * found.start - 1, turned, Range(1, 1, before, size)),
            (last + behind - found.start, turned, Range(last - behind, 1, behind, size)),
        ]
    parts = [(found, Range(0, 1, size, size))]
    for start, coefs, entries in beside:
        if at_least(0, entries.size):
            continue
        if selection_of(entries) is None:
            unknown_yet = [name for name, n in zip(use.coefs, found.sizes, strict=False) if unknown(n)]
            if unknown_yet:
                raise _needs_range(unknown_yet[0], f"{use.text} runs over the end", asked)
            said = f"{use.text} comes to {low} to {high}, and how far that is beside {size} entries is not known"
            raise DimensionError(asked, said, "declare integers for what runs over the end")
        parts.append((Relation(start, (*coefs, -1), (*found.sizes[:-1], entries.size)), entries))
    place = labels.index(use.axis)
    made = [*labels[:place], *use.coefs, *labels[place + 1 :]]
    out = list(dict.fromkeys(made))
    dims: dict[Any, Dimension] = {x: d for x, d in zip(labels, node.dims, strict=True) if x != use.axis}
    dims |= dict(zip(use.coefs, found.sizes, strict=False))
    terms = []
    for relation, entries in parts:
        delta, axes = affine_delta(relation)
        own = (*use.coefs, "entry")
        factors: list[tuple[Any, ...]] = [(delta, tuple(own[axis] for axis in axes))]
        inner = ["entry" if x == use.axis else x for x in labels]
        if not entries.whole:
            chosen = selection_of(entries)
            factors.append((chosen, ("entry", use.axis)))
            inner = labels
        terms.append((1, einsum(1, [(node, inner), *factors], out, dims), range(len(out))))
    return addition(terms, [dims[x] for x in out]), out
