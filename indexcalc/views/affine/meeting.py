"""Indices that meet: their dimensions agree, and those that an affine use bounds run over the values that all share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from indexcalc.affine import Span
from indexcalc.errors import DimensionError, NotationError, RangeError
from indexcalc.graph.constructors import addition, einsum, elementwise
from indexcalc.graph.node import Elementwise, Labels, Node, Product, Sum
from indexcalc.graph.ranges import Range, Relation, affine_delta, larger, range_of, relation_of, selection_of
from indexcalc.graph.walk import resize
from indexcalc.index import Dim, Dimension, Index, substitute, symbol, unknown
from indexcalc.views.indexed import Indexed


def agreed(exprs: Sequence[Indexed], operation: str) -> list[Indexed]:
    """The expressions, once their common indices have been found to agree.

    Deltas take their dimensions from the others. An index that an affine use bounds, or a range, runs over the values
    that all its uses share, and the expressions are cut to these.
    """
    exprs = list(exprs)
    while True:
        seen: dict[str, tuple[Index, Dimension, Indexed]] = {}
        table: dict[str, Dimension] = {}
        for expr in exprs:
            if table:
                break
            for index, dim in zip(expr.indices, expr.node.dims, strict=True):
                first = seen.setdefault(index.name, (index, dim, expr))
                if first[0].batch != index.batch:
                    raise NotationError(
                        f"({first[2]}) {operation} ({expr})",
                        f"{index} is a batch index on one side only",
                        "give one of them another name",
                    )
                if first[1] == dim:
                    continue
                if (first[0].span or index.span) and not unknown(dim) and not unknown(first[1]):
                    table.update(_room_for(first[0], first[1], dim) or _room_for(index, dim, first[1]))
                    if table:
                        break
                    continue
                if unknown(dim):
                    table[str(dim)] = first[1]
                    break
                if unknown(first[1]):
                    table[str(first[1])] = dim
                    break
                else:
                    raise DimensionError(
                        f"({first[2]}) {operation} ({expr})",
                        f"index {index}: {_carrier(first[2], index)} has {first[1]}, {_carrier(expr, index)} has {dim}",
                        "axes that share an index have one size, and size 1 is not stretched; use another "
                        "index, or ic.ones",
                    )
        if not table:
            return list(exprs) if operation == "==" else _within(exprs, operation)
        exprs = [_sized(expr, table, exprs) for expr in exprs]


def _carrier(expr: Indexed, index: Index) -> str:
    """Which tensor gives an index its dimension, and at which axis, as far as that is plain."""
    node, axis = expr.node, expr.indices.index(index)
    while True:
        if node.kind in ("variable", "definition"):
            return f"{node.name} (axis {axis})"
        if node.kind == "product":
            label = node.out[axis]  # type: ignore[attr-defined]
            edges = [(f.node, f.labels) for f in node.factors]  # type: ignore[attr-defined]
        elif node.kind == "sum":
            label, edges = axis, [(t.node, t.labels) for t in node.terms]  # type: ignore[attr-defined]
        elif node.kind == "elementwise":
            label, edges = axis, [(a.node, a.labels) for a in node.args]  # type: ignore[attr-defined]
        else:
            return str(expr)
        for child, labels in edges:
            if label in labels:
                node, axis = child, labels.index(label)
                break
        else:
            return str(expr)


class Ends(NamedTuple):
    """Over which values an index runs in an expression, and whether it may be cut silently where it is summed."""

    start: Dimension
    end: Dimension
    span: Span | None


def _sized(expr: Indexed, table: Mapping[str, Dimension], others: Sequence[Indexed]) -> Indexed:
    """An expression with symbols that are known now; an index whose dimension was unknown runs as its likes do."""
    (node,) = resize([expr.node], dict(table))
    spans: dict[str, Span] = {}
    for dim, index in ((dim, index) for one in others for dim, index in zip(one.node.dims, one.indices, strict=True)):
        if index.span is not None and index in expr.indices and not unknown(dim):
            old = expr.node.dims[expr.indices.index(index)]
            if str(old) in table:
                spans[str(old)] = index.span
    fresh: dict[str, Span | None] = {}
    for dim, index in zip(expr.node.dims, expr.indices, strict=True):
        span = index.span or spans.get(str(dim))
        fresh[index.name] = span._replace(start=substitute(span.start, table)) if span is not None else None

    def told(row: Sequence[Index]) -> list[Index]:
        return [replace(index, span=fresh[index.name]) for index in row]

    return Indexed(node, told(expr.indices), expr.inputs, told(expr.free), expr.summed)


def _room_for(index: Index, dim: Dimension, other: Dimension) -> dict[str, Dimension]:
    """The symbol in the room of an index that is not known yet, and what it is where that has another dimension."""
    if index.span is None or not isinstance(dim, Dim):
        return {}
    for mono, coef in dim.terms:
        if len(mono) == 1 and mono[0][0].startswith("?") and mono[0][1] == 1 and abs(coef) == 1:
            rest = dim - int(coef) * symbol(mono[0][0])
            return {mono[0][0]: (other - rest) * int(coef)}
    return {}


def _within(exprs: Sequence[Indexed], operation: str) -> list[Indexed]:
    """The expressions, cut to the values that all uses of an index share, where one is affine or has a range."""
    made = list(exprs)
    for index in dict.fromkeys(index for expr in exprs for index in expr.indices if index.span is not None):
        owners = [k for k, expr in enumerate(made) if index in expr.indices]
        if len(owners) < 2:
            continue
        runs = [_run(made[k], index) for k in owners]
        start, end = _shared(index, runs, [made[k] for k in owners], operation)
        spans = [run.span for run in runs if run.span is not None]
        boundary = next((span.boundary for span in spans if span.boundary), "")
        still = len(spans) == len(runs) and all(span.open for span in spans)
        whole = Span(start, None, boundary, still)
        for k, run in zip(owners, runs, strict=True):
            if run.span is None and run.end != end and operation == "*" and not index.batch:
                _refuse_room(made, owners, index, run, end - start, any(span.room for span in spans))
            made[k] = _cut(made[k], index, run, whole, end - start)
    return made


def _run(expr: Indexed, index: Index) -> Ends:
    place = expr.indices.index(index)
    span = expr.indices[place].span
    start: Dimension = 0 if span is None else span.start
    return Ends(start, start + expr.node.dims[place], span)


def _shared(
    index: Index, runs: Sequence[Ends], exprs: Sequence[Indexed], operation: str
) -> tuple[Dimension, Dimension]:
    """The first value that all share, and that behind the last."""
    start, end = runs[0].start, runs[0].end
    ranges = " and ".join(f"{run.start} to {run.end - 1}" for run in runs)
    for run in runs[1:]:
        first, last = larger(start, run.start), larger(-1 * end, -1 * run.end)
        rooms = [one.span is not None and one.span.room for one in (runs[0], run)]
        if last is None and len(runs) == 2 and rooms.count(True) == 1:
            last = -1 * (run.end if rooms[0] else end)  # evaluation says so, if there is no room for them
        if first is None or last is None:
            raise RangeError(
                f"({exprs[0]}) {operation} ({exprs[1]})",
                f"index {index} runs from {ranges}, and which is less is not known",
                f'declare its range: {index} = ic.range(..., "{index}")',
            )
        start, end = first, -1 * last
    if isinstance(end - start, int) and end - start <= 0:
        raise DimensionError(
            f"({exprs[0]}) {operation} ({exprs[1]})", f"index {index} runs from {ranges}, which share no value",
            "check the sizes",
        )  # fmt: skip
    return start, end


def _refuse_room(
    exprs: Sequence[Indexed], owners: Sequence[int], index: Index, run: Ends, size: Dimension, room: bool
) -> None:
    """A sum that would leave out entries since the window runs over the end of an array is an error."""
    if room:
        raise RangeError(
            f"({exprs[owners[0]]}) * ({exprs[owners[1]]})",
            f"{index} is summed over {run.end} entries, and the affine use has room for {size}",
            f'declare what is meant: {index} = ic.range({size}, "{index}"); or with boundary="zero" for {run.end}',
        )


def _cut(expr: Indexed, index: Index, run: Ends, span: Span, size: Dimension) -> Indexed:
    """An expression with fewer values of an index, which runs as the span says."""

    def told(row: Sequence[Index]) -> list[Index]:
        return [replace(own, span=span) if own == index else own for own in row]

    node = expr.node
    if (run.start, run.end) != (span.start, span.start + size):
        place = expr.indices.index(index)
        node = cut(node, place, Range(span.start - run.start, 1, size, node.dims[place]))
    return Indexed(node, told(expr.indices), expr.inputs, told(expr.free), expr.summed)


DEEP = 30
"""Sums, products and functions in one another through which entries are taken: it bounds a recursion, and beyond it
what is inside is left as it is."""


def cut(node: Node, axis: int, entries: Range, depth: int = 0) -> Node:
    """The entries of a range of an axis, taken of what the node is made of."""
    if depth < DEEP and isinstance(node, Sum):
        terms = [(coef, *_inner(child, labels, axis, entries, depth)) for coef, child, labels in node.terms]
        return addition(terms, [entries.size if k == axis else dim for k, dim in enumerate(node.dims)])
    if depth < DEEP and isinstance(node, Elementwise):
        args = [_inner(child, labels, axis, entries, depth) for child, labels in node.args]
        dims = [entries.size if k == axis else dim for k, dim in enumerate(node.dims)]
        return elementwise(node.fn, args, dims, node.params)
    if depth < DEEP and isinstance(node, Product) and node.coef != 0:
        own = node.out[axis]
        rows = [(*_inner(child, labels, own, entries, depth), power) for child, labels, power in node.factors]
        sizes = {label: entries.size if label == own else dim for label, dim in enumerate(node.sizes)}
        if node.out.count(own) == 1:
            return einsum(node.coef, rows, node.out, sizes)
    found = relation_of(node)
    if found is not None and entries.fits:
        made, order = affine_delta(found.through(axis, entries))
        return einsum(1, [(made, order)], range(node.order))
    outer = range_of(node)
    chosen = selection_of(entries if outer is None or axis else entries.within(outer))
    if chosen is not None and outer is not None and not axis:
        return chosen
    axes: tuple[int, ...] = (0, 1)
    if chosen is None:
        chosen, axes = affine_delta(Relation(entries.start, (1, -1), (entries.size, entries.length)))
    pair, labels = ("short", axis), list[Any](range(node.order))
    factors: list[Any] = [(node, labels), (chosen, [pair[k] for k in axes])]
    return einsum(1, factors, [*labels[:axis], "short", *labels[axis + 1 :]])


def _inner(child: Node, labels: Labels, axis: int, entries: Range, depth: int) -> tuple[Node, Labels]:
    """A part of a node, with the entries of the axis taken that has the label, if it has it."""
    for place, label in enumerate(labels):
        if label == axis:
            child = cut(child, place, entries, depth + 1)
    return child, labels
