"""Arrays made of parts, taken apart: which terms of a sum lie beside each other, and what stands in each place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from indexcalc.graph.constructors import addition, einsum
from indexcalc.graph.node import Node, Product, Sum, Term
from indexcalc.graph.numbers import Number
from indexcalc.graph.ranges import Box, Range, Tiles, tiling
from indexcalc.index import Dimension
from indexcalc.simplify.products.beside import factors_of, placed


class Cell(NamedTuple):
    """What stands in one place: a node, and which axes of the whole array it has."""

    node: Node
    axes: tuple[int, ...]


class Tiled(NamedTuple):
    """A sum as `coef` times cells beside each other, which cover the array, and the terms that are none."""

    tiles: Tiles
    cells: tuple[Cell, ...]
    rest: tuple[Term, ...]
    coef: Number


def tiled(node: Sum) -> Tiled | None:
    """The terms of a sum that lie beside each other, those of one place added; None where they don't cover it.

    >>> from indexcalc.graph.constructors import constant, variable
    >>> rows = [(1, einsum(1, [(variable(name, (2,)), "i"), (constant("selection", (2, 4), (k, 1)), "ij")], "j"), (0,))
    ...         for name, k in (("x", 2), ("y", 0))]
    >>> [cell.node.label for cell in tiled(addition(rows, (4,))).cells]
    ['x', 'y']
    """
    boxes, rest = _boxes(node)
    found = tiling(list(boxes), node.dims, gaps=True) if len(boxes) > 1 else None
    if not isinstance(found, Tiles):
        chosen = _chain(boxes, node.dims)
        rest += [term for box, terms in boxes.items() if box not in chosen for term in terms]
        boxes = {box: boxes[box] for box in chosen}
        found = tiling(list(boxes), node.dims)
    if not isinstance(found, Tiles):
        return None
    own = {term.coef for terms in boxes.values() for term in terms}
    coef = own.pop() if len(own) == 1 else 1
    cells = []
    for box, terms in boxes.items():
        alone = [term._replace(coef=1) if coef != 1 else term for term in terms]
        cells.append(_cell(alone, box, node.dims))
    return Tiled(found, tuple(cells), tuple(rest), coef)


def _chain(boxes: Iterable[Box], dims: Sequence[Dimension]) -> list[Box]:
    """Some of the boxes, cut along one axis alone, that lie beside each other from one end of it to the other."""
    for axis in range(len(dims)):
        cut = [box for box in boxes if [k for k, found in enumerate(box) if found is not None] == [axis]]
        ways: list[tuple[Dimension, list[Box]]] = [(0, [])]
        while ways:
            end, chosen = ways.pop()
            if end == dims[axis] and len(chosen) > 1:
                return chosen
            for box in cut:
                found = box[axis]
                if found is not None and found.start == end and box not in chosen and found.size != 0:
                    ways.append((end + found.size, [*chosen, box]))
    return []


def _boxes(node: Sum) -> tuple[dict[Box, list[Term]], list[Term]]:
    """The terms by the places in which they lie, and those that lie everywhere."""
    boxes: dict[Box, list[Term]] = {}
    for term in node.terms:
        box = tuple(_in_place(term, axis) if axis in term.labels else None for axis in range(node.order))
        boxes.setdefault(box, []).append(term)
    return boxes, boxes.pop((None,) * node.order, [])


class Grid(NamedTuple):
    """A square matrix of blocks with square ones on its diagonal: ranges of rows and columns, and the blocks there."""

    ranges: tuple[Range, ...]
    blocks: dict[tuple[int, int], Node]


def grid(node: Sum) -> Grid | None:
    """The blocks of a matrix whose rows are cut as its columns are; those that are zero are left out.

    >>> import indexcalc as ic
    >>> A, D = ic.tensor("A", "n n"), ic.tensor("D", "m m")
    >>> sorted(grid(ic.block([[A, ic.zeros("n", "m")], [ic.zeros("m", "n"), D]]).simplify().node).blocks)
    [(0, 0), (1, 1)]
    """
    boxes, rest = _boxes(node)
    if rest or node.order != 2 or any(None in box for box in boxes):
        return None
    cuts = []
    for axis in range(2):
        ranges = list(dict.fromkeys(box[axis] for box in boxes))
        found = tiling([(own,) for own in ranges], (node.dims[axis],))
        if not isinstance(found, Tiles):
            return None
        cuts.append([ranges[k] for _, k in found.cells if isinstance(k, int)])
    if cuts[0] != cuts[1]:
        return None
    blocks = {}
    for (row, column), terms in boxes.items():
        cell = _cell(terms, (row, column), node.dims)
        sizes = (row.size, column.size)  # type: ignore[union-attr]
        whole = einsum(1, [(cell.node, cell.axes)], (0, 1), dict(enumerate(sizes)))
        blocks[cuts[0].index(row), cuts[1].index(column)] = whole
    return Grid(tuple(cuts[0]), blocks)  # type: ignore[arg-type]


def _cell(terms: Sequence[Term], box: Box, dims: Sequence[Dimension]) -> Cell:
    """The sum of what these terms have in their one place."""
    rows = [_inner(term, box) for term in terms]
    axes = [axis for axis in range(len(dims)) if not all(axis in gone for _, _, gone in rows)]
    sizes = [dims[axis] if (own := box[axis]) is None else own.size for axis in axes]
    made = []
    for term, (inner, places, _) in zip(terms, rows, strict=True):
        kept = [k for k, axis in enumerate(places) if axis in axes]
        part = einsum(1, [(inner, range(inner.order))], kept)
        made.append((term.coef, part, [axes.index(places[k]) for k in kept]))
    return Cell(addition(made, sizes), tuple(axes))


def _inner(term: Term, box: Box) -> tuple[Node, list[int], set[int]]:
    """What a term puts in its place: a node, its axes among those of the array, and those of which it is one entry."""
    factors, out = factors_of(term.node)
    coef = term.node.coef if isinstance(term.node, Product) else 1
    sizes = term.node.sizes if isinstance(term.node, Product) else term.node.dims
    kept, labels, places, gone = list(factors), [], [], set()
    for label, axis in zip(out, term.labels, strict=True):
        factor = next((f for f in factors if box[axis] and _puts(f.node, f.labels, label, out)), None)
        if factor in kept:
            kept.remove(factor)
        own = label if factor is None else factor.labels[0]
        if factor is not None and factor.node.name == "unit":
            gone.add(axis)
            continue
        carrying = [f for f in kept if own in f.labels]
        if sizes[own] == 1 and all(f.node.name == "selection" for f in carrying):
            gone.add(axis)
        labels.append(own)
        places.append(axis)
    having = {x for f in kept for x in f.labels} | set(labels)
    return einsum(coef, kept, labels, {x: sizes[x] for x in having}), places, gone


def _in_place(term: Term, axis: int) -> Range | None:
    """The range of an axis in which a term lies, where no other factor has that axis."""
    factors, out = factors_of(term.node)
    label = out[term.labels.index(axis)]
    alone = sum(f.labels.count(label) for f in factors) == out.count(label) == 1
    return placed(term.node, term.labels.index(axis)) if alone else None


def _puts(node: Node, labels: Sequence[int], label: int, out: Sequence[int]) -> bool:
    """Does this factor put what a product is into a range of the axis with this label?"""
    if node.name == "unit":
        return label in labels
    return node.name == "selection" and labels[1] == label and labels[0] not in out
