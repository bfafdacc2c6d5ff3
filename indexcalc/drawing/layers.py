"""Which part of a network stands in which column, and where its wires pass.

The columns are the distances from where the rows leave (breadth first), so that a wire joins parts of one column or of
two that are neighbours; a free wire passes the columns between. What is closed in a ring is cut at one wire, which goes
back above all columns, as a trace is drawn in books. Within a column parts stand in the order of their neighbours
(K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of hierarchical system structures", 1981).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

Item = tuple[str, int, int]
"""What stands in a column: a part, by its number; a wire that leaves at the left or right, by its axis; or one that
passes, by its number and column."""
SWEEPS = 4
"""How often the columns are ordered, there and back: more seldom changes anything where there are twelve parts."""


class Hop(NamedTuple):
    """A piece of a wire between two items, with the places of its legs there; an arc bends to "right" or "left"."""

    wire: int
    one: Item
    place: int
    other: Item
    its: int
    bend: str = ""


class Layers(NamedTuple):
    """Columns of items, those of free wires at both ends, and the links between them."""

    columns: tuple[tuple[Item, ...], ...]
    links: tuple[Hop, ...]


class Wiring(NamedTuple):
    """A connected part of a network: its parts, and both ends of each wire, an item and the place of its leg."""

    parts: tuple[int, ...]
    wires: dict[int, tuple[tuple[Item, int], tuple[Item, int]]]


def components(legs: Sequence[Sequence[int]], free: Sequence[tuple[int, str]]) -> list[Wiring]:
    """The connected parts of a network, of which each part has these wires, and these are free, at the left or right.

    >>> [one.parts for one in components([(0,), (0, 1), (2,)], [(1, "right"), (2, "left")])]
    [(0, 1), (2,)]
    """
    ends: dict[int, list[tuple[Item, int]]] = {}
    for part, wired in enumerate(legs):
        for place, wire in enumerate(wired):
            ends.setdefault(wire, []).append((("part", part, 0), place))
    for axis, (wire, side) in enumerate(free):
        ends.setdefault(wire, []).append(((side, axis, 0), 0))
    home: dict[Item, list[int]] = {}
    for wire, own in ends.items():
        for item, _ in own:
            home.setdefault(item, []).append(wire)
    seen: set[Item] = set()
    found = []
    starts: list[Item] = [("part", part, 0) for part in range(len(legs))]
    starts += [(side, axis, 0) for axis, (_, side) in enumerate(free)]
    for start in starts:
        if start in seen:
            continue
        reached, todo = [], [start]
        seen.add(start)
        while todo:
            item = todo.pop()
            reached.append(item)
            for wire in home.get(item, ()):
                for other, _ in ends[wire]:
                    if other not in seen:
                        seen.add(other)
                        todo.append(other)
        wires = sorted({wire for item in reached for wire in home.get(item, ())})
        pairs = {wire: (ends[wire][0], ends[wire][1]) for wire in wires}
        found.append(Wiring(tuple(sorted(item[1] for item in reached if item[0] == "part")), pairs))
    return found


def layerings(graph: Wiring) -> Iterator[Layers]:
    """Ways to stand a connected part of a network: from where rows leave, or else from each part in turn.

    >>> chain = components([(0,), (0, 1), (1,)], [])[0]
    >>> [[item[1] for column in one.columns for item in column] for one in layerings(chain)]
    [[0, 1, 2], [1, 0, 2], [2, 1, 0]]
    """
    lefts = _parts_at(graph, "left")
    rights = _parts_at(graph, "right")
    if lefts:
        yield _layered(graph, _distances(graph, lefts))
    elif rights:
        far = _distances(graph, rights)
        last = max(far.values())
        yield _layered(graph, {part: last - depth for part, depth in far.items()})
    elif _is_ring(graph):
        for start in graph.parts:
            yield _ring(graph, start)
    elif graph.parts:
        for start in graph.parts:
            yield _layered(graph, _distances(graph, [start]))
    else:
        yield _layered(graph, {})


def _parts_at(graph: Wiring, side: str) -> list[int]:
    found = []
    for (one, _), (other, _) in graph.wires.values():
        for item, far in ((one, other), (other, one)):
            if item[0] == side and far[0] == "part":
                found.append(far[1])
    return found


def _neighbours(graph: Wiring, without: int = -1) -> dict[int, list[int]]:
    near: dict[int, list[int]] = {part: [] for part in graph.parts}
    for wire, ((one, _), (other, _)) in graph.wires.items():
        if wire != without and one[0] == other[0] == "part" and one != other:
            near[one[1]].append(other[1])
            near[other[1]].append(one[1])
    return near


def _distances(graph: Wiring, starts: Sequence[int], without: int = -1) -> dict[int, int]:
    near = _neighbours(graph, without)
    depth = dict.fromkeys(starts, 0)
    todo = list(depth)
    for part in todo:
        for other in near[part]:
            if other not in depth:
                depth[other] = depth[part] + 1
                todo.append(other)
    return depth


def _is_ring(graph: Wiring) -> bool:
    """Has each part two legs, and no wire leaves?"""
    counts = dict.fromkeys(graph.parts, 0)
    for ends in graph.wires.values():
        for item, _ in ends:
            if item[0] != "part":
                return False
            counts[item[1]] += 1
    return bool(counts) and set(counts.values()) == {2}


def _ring(graph: Wiring, start: int) -> Layers:
    """A ring, cut at the first leg of one of its parts: that wire goes back above all others."""
    cut = next(w for w, ends in graph.wires.items() if (("part", start, 0), 0) in ends)
    depth = _distances(graph, [start], cut)
    layers = _layered(graph._replace(wires={w: e for w, e in graph.wires.items() if w != cut}), depth)
    (left, at), (right, its) = sorted(graph.wires[cut], key=lambda end: (end != (("part", start, 0), 0), end))
    last = depth[right[1]]
    passing: list[Item] = [("via", cut, column) for column in range(last + 1)]
    columns = list(layers.columns)
    for column, item in enumerate(passing):
        columns[column + 1] = (item, *columns[column + 1])
    links = [Hop(cut, right, its, passing[-1], 0, "right"), Hop(cut, passing[0], 0, left, at, "left")]
    links += [Hop(cut, one, 0, other, 0) for one, other in pairwise(passing)]
    return _ordered(Layers(tuple(columns), (*layers.links, *links)))


def _layered(graph: Wiring, depth: dict[int, int]) -> Layers:
    """The columns at these depths, with what passes."""
    last = max(depth.values(), default=-1) + 1
    columns: list[list[Item]] = [[] for _ in range(last + 2)]
    for part in graph.parts:
        columns[depth[part] + 1].append(("part", part, 0))
    links: list[Hop] = []
    terminals: list[tuple[int, Item]] = []
    for wire, ends in graph.wires.items():
        (one, place, at), (other, its, to) = sorted(
            ((item, place, _column(item, depth, last)) for item, place in ends), key=lambda end: (end[2], end[0])
        )
        terminals += [(at, item) for item, at in ((one, at), (other, to)) if item[0] != "part"]
        if at == to:
            links.append(Hop(wire, one, place, other, its, "left" if one[0] == "right" else "right"))
            continue
        hops: list[Item] = [("via", wire, column) for column in range(at, to - 1)]
        for item in hops:
            columns[item[2] + 1].append(item)
        chain = [(one, place), *((item, 0) for item in hops), (other, its)]
        links += [Hop(wire, a, p, b, q) for (a, p), (b, q) in pairwise(chain)]
    for at, item in sorted(terminals):
        columns[at].append(item)
    return _ordered(Layers(tuple(map(tuple, columns)), tuple(links)))


def _column(item: Item, depth: dict[int, int], last: int) -> int:
    return {"left": 0, "right": last + 1}.get(item[0], depth.get(item[1], 0) + 1)


def _ordered(layers: Layers) -> Layers:
    """Each column in the order of its neighbours, free wires in that of their axes; what goes back stays above."""
    columns = [list(column) for column in layers.columns]
    near: dict[Item, list[tuple[Item, int]]] = {}
    for link in layers.links:
        near.setdefault(link.one, []).append((link.other, link.its))
        near.setdefault(link.other, []).append((link.one, link.place))
    back = {link.other for link in layers.links if link.bend == "right" and link.other[0] == "via"}
    back |= {item for column in columns for item in column if item[0] == "via" and {w for _, w, _ in back} & {item[1]}}
    place: dict[Item, tuple[int, int]] = {}

    def settle(column: list[Item]) -> None:
        for k, item in enumerate(column):
            place[item] = k, len(column)

    def height(item: Item, leg: int) -> float:
        """How far down a leg leaves, between 0 and 1."""
        k, many = place[item]
        return (k + (leg + 0.5) / max(len(near.get(item, ())), leg + 1)) / many

    best = [tuple(column) for column in columns]
    for column in columns:
        settle(column)
    fewest = crossings(best, layers.links)
    for sweep in range(2 * SWEEPS):
        inner = columns[1:-1] if sweep % 2 == 0 else columns[-2:0:-1]
        for column in inner:
            middle = {item: _mean([height(*end) for end in near.get(item, [(item, 0)])]) for item in column}
            column.sort(key=lambda item: (item not in back, middle[item]))
            settle(column)
        if (count := crossings(columns, layers.links)) < fewest or not sweep:
            best, fewest = [tuple(column) for column in columns], count
    return Layers(tuple(best), layers.links)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def crossings(columns: Sequence[Sequence[Item]], links: Sequence[Hop]) -> int:
    """How many pairs of links between two columns cross.

    >>> a, b, c, d = (("part", k, 0) for k in range(4))
    >>> crossings([[a, b], [c, d]], [Hop(0, a, 0, d, 0), Hop(1, b, 0, c, 0)])
    1
    """
    at = {item: (number, k) for number, column in enumerate(columns) for k, item in enumerate(column)}
    pairs = []
    for link in links:
        (a, p), (b, q) = sorted((at[link.one], at[link.other]))
        if a != b:
            pairs.append((a, p, q))
    return sum(a == b and (p - r) * (q - s) < 0 for k, (a, p, q) in enumerate(pairs) for b, r, s in pairs[k + 1 :])
