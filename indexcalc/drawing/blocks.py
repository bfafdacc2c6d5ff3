"""A connected part of a network, laid out: columns from left to right, and between them room for names and curves.

Right of each column is a zone in which wires are straight, one below the other, so that a name can stand on each; only
then they bend. So nothing overlaps by construction, whatever the sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from indexcalc.drawing.layers import Hop, Item, Layers, crossings
from indexcalc.drawing.plates import SMALL, Label, Plate, Point, Stroke, text_width, together

PITCH = 22
"""Pixels between two wires that leave one side of a part: a name of a wire has room between them."""
GAP = 12
"""Pixels between parts of one column, which the name of a wire on the first leg sticks out into."""
BEND = 26
"""Pixels in which a wire bends from one height to another."""
STRAIGHT = 14
"""Pixels between columns where no wire bends."""
FARTHEST = 120
"""Pixels of height beyond which a bend takes no more room."""
REACH = 0.7 * BEND
"""Pixels that an arc sticks out: less than the room for bends, as its curve does not get there."""
NEAR = 0.3
"""Pixels of height that nobody sees: such a wire is straight."""
ROUNDS = 6
"""How often the columns are moved to where their neighbours are: after about three nothing moves."""


class Body(NamedTuple):
    """A part with its size: what is drawn, and for each leg its side and how far below the top it leaves."""

    plate: Plate
    ports: Mapping[int, tuple[str, float]]
    turns: int = 0


class Block(NamedTuple):
    """A laid out part of a network: the heights of the free wires of each side, by axis, and how it is to be judged."""

    plate: Plate
    left: Mapping[int, float]
    right: Mapping[int, float]
    cost: tuple[float, ...]


Legs = Mapping[str, Sequence[int]]
"""The places of the legs that leave at each side, from above."""
NO_LEGS: Legs = {"left": (), "right": ()}


class Spacing(NamedTuple):
    """Where columns begin, how wide they are, where wires right of them may bend, and the width of all."""

    lefts: Sequence[float]
    widths: Sequence[float]
    bends: Sequence[float]
    width: float


class Spots(NamedTuple):
    """Where everything is: the column of each item, its top, and the bodies of those that are parts."""

    columns: Mapping[Item, int]
    tops: Mapping[Item, float]
    bodies: Mapping[Item, Body]
    grid: Spacing

    def corner(self, item: Item) -> Point:
        """Where a part begins: it stands in the middle of its column."""
        column = self.columns[item]
        return self.grid.lefts[column] + (self.grid.widths[column] - self.bodies[item].plate.width) / 2, self.tops[item]

    def end(self, item: Item, place: int) -> Point:
        """Where a leg ends: at its side of a part, at the left of the column for what passes."""
        if item not in self.bodies:
            return self.grid.lefts[self.columns[item]], self.tops[item] + PITCH / 2
        (x, y), body = self.corner(item), self.bodies[item]
        side, down = body.ports[place]
        return x + (body.plate.width if side == "right" else 0), y + down


def block_of(
    layers: Layers, wires: Sequence[str], derived: set[int], fixed: set[int], body_of: Callable[[int, Legs], Body]
) -> Block:
    """A block with these layers; `body_of` makes a part whose legs leave so.

    `derived` has the wires of derivatives, `fixed` the parts whose legs leave in their order.
    """
    legs = _legs(layers, fixed)
    bodies = {item: body_of(item[1], legs.get(item, NO_LEGS)) for item in _parts(layers)}
    tops = _heights(layers, bodies)
    columns = {item: number for number, column in enumerate(layers.columns) for item in column}
    grid = _grid(layers, columns, bodies, wires, tops)
    spots = Spots(columns, tops, bodies, grid)
    strokes: list[Stroke] = []
    labels: list[Label] = []
    for link in layers.links:
        strokes.append(_wire(link, spots, "derived" if link.wire in derived else "wire"))
        if wires[link.wire] and _is_named(link):
            labels.append(Label(*_name_place(link, spots), wires[link.wire], "start", "index"))
    height = max((tops[i] + (bodies[i].plate.height if i in bodies else PITCH) for i in columns), default=PITCH)
    sides = {side: {i[1]: tops[i] + PITCH / 2 for i in columns if i[0] == side} for side in ("left", "right")}
    cost = (crossings(layers.columns, layers.links), sum(b.turns for b in bodies.values()), height, grid.width)
    plates = [body.plate.moved(*spots.corner(item)) for item, body in bodies.items()]
    plate = together(grid.width, height, [*plates, Plate(0, 0, (), tuple(strokes), tuple(labels))])
    return Block(plate, sides["left"], sides["right"], cost)


def _parts(layers: Layers) -> list[Item]:
    return [item for column in layers.columns for item in column if item[0] == "part"]


def _is_named(link: Hop) -> bool:
    """Does the name of a wire stand on this piece? On its first one; where it goes back, on the arc that begins it."""
    return link.bend == "right" or (link.bend == "" and link.one[0] == "part")


def _legs(layers: Layers, fixed: set[int]) -> dict[Item, dict[str, list[int]]]:
    """For each part the legs of each side, in the order of where they go."""
    at = {item: (number, k) for number, column in enumerate(layers.columns) for k, item in enumerate(column)}
    keys: dict[tuple[Item, str], list[tuple[tuple[float, ...], int]]] = {}
    for link in layers.links:
        for (item, place), (other, its) in (
            ((link.one, link.place), (link.other, link.its)),
            ((link.other, link.its), (link.one, link.place)),
        ):
            (column, own), (far, there) = at[item], at[other]
            side = link.bend or ("right" if far > column else "left")
            if link.bend:
                key: tuple[float, ...] = (0, own - there) if there < own else (2, own - there)
            else:
                key = (1, there)
            is_tied = item[0] == "part" and item[1] in fixed
            its_tied = other[0] == "part" and other[1] in fixed
            tie = place if is_tied or (item <= other and not its_tied) else its
            keys.setdefault((item, side), []).append(((*(() if is_tied else key), tie), place))
    found: dict[Item, dict[str, list[int]]] = {}
    for (item, side), own_keys in keys.items():
        sides = found.setdefault(item, {"left": [], "right": []})
        sides[side] = [place for _, place in sorted(own_keys)]
    return found


def _heights(layers: Layers, bodies: Mapping[Item, Body]) -> dict[Item, float]:
    """The top of each item: in its column, in order, and as near to where its wires come from as that allows."""
    size = {
        item: bodies[item].plate.height if item in bodies else PITCH for column in layers.columns for item in column
    }
    tops: dict[Item, float] = {}
    for column in layers.columns:
        total = sum(size[item] for item in column) + GAP * (len(column) - 1)
        at = -total / 2
        for item in column:
            tops[item] = at
            at += size[item] + GAP
    near: dict[Item, list[tuple[float, Item, float]]] = {}
    for link in layers.links:
        for (item, place), (other, its) in (
            ((link.one, link.place), (link.other, link.its)),
            ((link.other, link.its), (link.one, link.place)),
        ):
            if not link.bend:
                near.setdefault(item, []).append((_down(item, place, bodies), other, _down(other, its, bodies)))
    for turn in range(ROUNDS):
        for column in layers.columns if turn % 2 == 0 else reversed(layers.columns):
            wished = []
            for item in column:
                pulls = [tops[other] + its - down for down, other, its in near.get(item, [])]
                wished.append(sum(pulls) / len(pulls) if pulls else tops[item])
            for item, top in zip(column, _apart(wished, [size[item] for item in column]), strict=True):
                tops[item] = top
    highest = min(tops.values(), default=0.0) - _above(layers)
    return {item: round(top - highest, 1) for item, top in tops.items()}


def _above(layers: Layers) -> float:
    """Room for the name of a wire that leaves the first of a column."""
    return 6.0 if any(link.one[0] == "part" for link in layers.links) else 0.0


def _down(item: Item, place: int, bodies: Mapping[Item, Body]) -> float:
    return bodies[item].ports[place][1] if item in bodies else PITCH / 2


def _apart(wished: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """The places nearest to those wished for where each thing has its room, in their order.

    Those that meet are moved together, to the mean of what they wish (pooling of adjacent violators).
    """
    shift, offset = [], 0.0
    for size in sizes:
        shift.append(offset)
        offset += size + GAP
    pools: list[list[float]] = []
    for k, place in enumerate(wished):
        pools.append([place - shift[k], 1.0])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            value, weight = pools.pop()
            before, many = pools[-1]
            pools[-1] = [(before * many + value * weight) / (many + weight), many + weight]
    flat = [value for value, weight in pools for _ in range(int(weight))]
    return [value + own for value, own in zip(flat, shift, strict=True)]


def _grid(
    layers: Layers,
    columns: Mapping[Item, int],
    bodies: Mapping[Item, Body],
    wires: Sequence[str],
    tops: Mapping[Item, float],
) -> Spacing:
    """The columns, each as wide as its widest part, and right of each room for names and for curves."""
    widths = [max((bodies[i].plate.width for i in column if i in bodies), default=0.0) for column in layers.columns]
    names = [0.0] * len(widths)
    rooms = [float(STRAIGHT)] * len(widths)
    for link in layers.links:
        zone = min(columns[link.one], columns[link.other]) - (link.bend == "left")
        if wires[link.wire] and _is_named(link):
            names[zone] = max(names[zone], text_width(wires[link.wire], SMALL) + 8)
        one, other = (tops[i] + _down(i, p, bodies) for i, p in ((link.one, link.place), (link.other, link.its)))
        if link.bend or abs(one - other) > NEAR:
            rooms[zone] = max(rooms[zone], BEND + min(abs(one - other), FARTHEST) / 6)
    lefts = [0.0]
    for number in range(len(widths) - 1):
        lefts.append(lefts[-1] + widths[number] + names[number] + rooms[number])
    bends = [left + width + name for left, width, name in zip(lefts, widths, names, strict=True)]
    return Spacing(lefts, widths, bends, lefts[-1] + widths[-1])


def _wire(link: Hop, spots: Spots, style: str) -> Stroke:
    """A piece of a wire: straight as far as names stand, then bent, then straight again."""
    (one, start), (other, stop) = _ordered_ends(link, spots)
    columns, grid = spots.columns, spots.grid
    if link.bend == "left":
        first = last = min(grid.lefts[columns[one]], grid.lefts[columns[other]])
        reach = last - REACH
    else:
        first = grid.bends[columns[one]]
        last = first if link.bend else grid.lefts[columns[other]]
        reach = first + REACH if link.bend else (first + last) / 2
    (x, y), (u, v) = start, stop
    if not link.bend and abs(y - v) <= NEAR:
        return Stroke((start, start, stop, stop), style)
    middle = ((reach, y), (reach, v), (last, v))
    return Stroke(((x, y), (x, y), (first, y), (first, y), *middle, (last, v), (u, v), (u, v)), style)


def _ordered_ends(link: Hop, spots: Spots) -> tuple[tuple[Item, Point], tuple[Item, Point]]:
    """Both ends of a piece, the left one first."""
    ends = [(item, spots.end(item, place)) for item, place in ((link.one, link.place), (link.other, link.its))]
    first, second = sorted(ends, key=lambda end: spots.columns[end[0]])
    return first, second


def _name_place(link: Hop, spots: Spots) -> Point:
    """Where the name of a wire stands: above its first piece, right of the column that it leaves."""
    (one, (_, y)), (_, (_, v)) = _ordered_ends(link, spots)
    column = spots.columns[one]
    return spots.grid.lefts[column] + spots.grid.widths[column] + 4, (min(y, v) if link.bend else y) - 3
