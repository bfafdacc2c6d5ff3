"""Arrays made of parts, taken apart: which terms of a sum lie beside each other, and what stands in each place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations
from typing import NamedTuple

from indexcalc.graph.constructors import addition, einsum
from indexcalc.graph.edge import Edge
from indexcalc.graph.node import Labels, Node, Product, Sum, Term
from indexcalc.graph.numbers import Number, add, multiply
from indexcalc.graph.ranges import Box, Range, Tiles, entries_taken, selection_of, tiling
from indexcalc.index import Dimension
from indexcalc.simplify.normaliser import Normaliser
from indexcalc.simplify.products.beside import factors_of, placed

Terms = dict[tuple[Node, Labels], Number]


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


class Moved(NamedTuple):
    """A product as `whole` with entries of one axis, `taken`, put into the `places` of an axis instead."""

    taken: Range
    places: Range
    axis: int
    whole: Node


def moved(node: Node) -> Moved | None:
    """What a product takes of an axis and puts elsewhere; None where it does not.

    >>> from indexcalc.graph.constructors import constant, variable
    >>> x, part, other = variable("x", (5,)), *(constant("selection", (2, 5), (k, 1)) for k in (0, 3))
    >>> moved(einsum(1, [(x, "i"), (part, "si"), (other, "sj")], "j"))[:3]
    (Range(start=0, step=1, size=2, length=5), Range(start=3, step=1, size=2, length=5), 0)
    """
    if not isinstance(node, Product):
        return None
    uses = Counter(x for factor in node.factors for x in factor.labels)
    ranges = {}
    for k, factor in enumerate(node.factors):
        found = entries_taken(factor.node) if factor.exponent == 1 else None
        if found is not None and len(found) == 1 and (found[0].step == 1 or found[0].size == 1):
            ranges[k] = found[0]
    for (put, places), (take, taken) in permutations(ranges.items(), 2):
        (*short, own), (*other, long) = node.factors[put].labels, node.factors[take].labels
        bound = not {*short, *other, long} & {*node.out}
        once = node.out.count(own) == uses[own] == 1 and places.size == taken.size
        same = short == other and all(uses[x] == 2 for x in short)
        if once and bound and (same or (taken.size == 1 and all(uses[x] == 1 for x in (*short, *other)))):
            factors = [factor for k, factor in enumerate(node.factors) if k not in (put, take)]
            out = [long if x == own else x for x in node.out]
            left = {x for factor in factors for x in factor.labels} | {*out}
            sizes = {x: size for x, size in enumerate(node.sizes) if x in left}
            return Moved(taken, places, node.out.index(own), einsum(node.coef, factors, out, sizes))
    return None


def join_moved(work: Normaliser, found: Terms) -> Terms:
    """Terms that put entries of one array beside each other as they were there: they are put there at once.

    So an array that is rolled, and rolled back, is itself.
    """
    parts = {key: own for key in found if (own := moved(key[0])) is not None} if len(found) > 1 else {}
    if len(parts) < 2:
        return found
    alike: dict[object, list[tuple[Node, Labels]]] = {}
    for key, own in parts.items():
        edge = work.renormalise(own.whole)
        axes = tuple(key[1][axis] for axis in edge.axes)
        shift = own.taken.start - own.places.start
        alike.setdefault((multiply(found[key], edge.coef), edge.node, axes, key[1][own.axis], shift), []).append(key)
    terms = dict(found)
    for keys in alike.values():
        for first in keys:
            row = [first]
            for _ in keys:
                row += [key for key in keys if _follows(parts[row[-1]], parts[key])][:1]
            begins = not any(_follows(parts[key], parts[first]) for key in keys)
            if len(row) > 1 and begins and all(key in terms for key in row):
                _put_at_once(work, terms, row, parts)
    return terms


def _follows(one: Moved, other: Moved) -> bool:
    return other.taken.size != 0 and one.taken.start + one.taken.size == other.taken.start


def _put_at_once(
    work: Normaliser, terms: Terms, row: Sequence[tuple[Node, Labels]], parts: Mapping[tuple[Node, Labels], Moved]
) -> None:
    """Terms that follow each other as one."""
    first, size, coef = parts[row[0]], sum(parts[key].taken.size for key in row), terms[row[0]]
    taken, places = (one._replace(size=size, step=1) for one in (first.taken, first.places))
    axes: list[object] = list(range(first.whole.order))
    out = list(axes)
    pairs: list[tuple[Node, Sequence[object]]] = []
    if not (taken.whole and places.whole):
        out[first.axis] = "place"
        pairs = [(selection_of(taken), ("short", first.axis)), (selection_of(places), ("short", "place"))]
    edge = work.renormalise(einsum(1, [(first.whole, axes), *pairs], out))
    for key in row:
        del terms[key]
    joined = Edge(multiply(coef, edge.coef), edge.node, tuple(row[0][1][axis] for axis in edge.axes))
    place = (joined.node, joined.axes)
    terms[place] = add(terms.get(place, 0), joined.coef)
    if terms[place] == 0:
        del terms[place]
