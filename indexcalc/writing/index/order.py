"""The order in which people write the factors of a product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

from indexcalc.simplify.sums import signature
from indexcalc.writing.index.opened import RAISED, RANK, Item, OpenProduct, is_negative

Key = TypeVar("Key")


class Component(NamedTuple):
    """Factors that summed labels connect, in the order in which they are written."""

    items: list[Item]
    bound: frozenset[int]


def alone(parts: Sequence[Component]) -> list[Item]:
    """The factors that stand an odd number of times: of others the sign is free, and no minus goes into one."""
    items = [item for part in parts for item in part.items]
    return [item for item in items if sum(other.node is item.node for other in items) % 2]


class Walk:
    """Puts the factors of a product in the order in which people write them."""

    def __init__(self, flat: OpenProduct, rank: Mapping[int, int]) -> None:
        self.flat = flat
        self.rank = rank
        self.count: dict[int, int] = {}
        for item in flat.items:
            for label in item.shown:
                self.count[label] = self.count.get(label, 0) + 1
        self.key = {item: (item.kind, _word(item), item.shown == (), repr(item.exponent)) for item in flat.items}
        self.place = self._refine()

    def components(self) -> list[Component]:
        """First what has no labels, then what has no free label, then by the first free label; deltas last."""
        parts = [self._component(group) for group in self._groups()]

        def lead(part: Component) -> tuple[object, ...]:
            free = sorted(self.rank[label] for item in part.items for label in item.shown if label in self.rank)
            only = all(item.node is None for item in part.items)
            scalar = not any(item.shown for item in part.items)
            group = 2 if part.items[0].kind >= RAISED else 1 if part.bound else 0
            return only, not scalar, free[:1], group, self.place[part.items[0]]

        return sorted(parts, key=lead)

    def _groups(self) -> list[list[Item]]:
        groups: list[tuple[set[int], list[Item]]] = []
        for item in sorted(self.flat.items, key=lambda item: self.place[item]):
            bound = {label for label in item.shown if label not in self.rank}
            met = [group for group in groups if group[0] & bound]
            for group in met:
                bound |= group[0]
            rest = [group for group in groups if not any(group is other for other in met)]
            groups = [*rest, (bound, [inner for group in met for inner in group[1]] + [item])]
        return [items for _, items in groups]

    def _refine(self) -> dict[Item, int]:
        """A number for each factor, the same however the product was put together, as far as neighbours tell."""
        seen: dict[int, object] = {
            label: (0, self.rank[label]) if label in self.rank else (1, 0) for label in self.count
        }
        place: dict[Item, int] = {}
        for _ in range(3):
            full = {item: (*self.key[item], [seen[label] for label in item.shown]) for item in self.flat.items}
            place = _ranked(full)
            around: dict[int, list[tuple[int, int]]] = {label: [] for label in self.count}
            for item in self.flat.items:
                for slot, label in enumerate(item.shown):
                    around[label].append((place[item], slot))
            labels = {
                label: (label not in self.rank, self.rank.get(label, 0), sorted(around[label])) for label in around
            }
            seen = {label: (1, number) for label, number in _ranked(labels).items()}
        return place

    def _component(self, items: list[Item]) -> Component:
        bound = frozenset(label for item in items for label in item.shown if label not in self.rank)
        above = [item for item in items if not is_negative(item.exponent)]
        below = [item for item in items if is_negative(item.exponent)]
        waiting = above
        done: list[Item] = []
        if above:
            first = min(above, key=self._start)
            waiting = [item for item in above if item is not first]
            done = [first]
        while waiting:
            right = _follow(done[-1], waiting)
            left = [item for item in waiting if item not in right and self._goes_left(item, done[0])]
            if left:
                item = min(left, key=lambda item: self.place[item])
                done.insert(0, item)
            else:
                last = done[-1]
                item = min(waiting, key=lambda item: self._next(item, last, done))
                done.append(item)
            waiting = [other for other in waiting if other is not item]
        return Component(done + below, bound)

    def _start(self, item: Item) -> tuple[object, ...]:
        free = [self.rank[label] for label in item.shown if label in self.rank]
        first = min(free, default=len(self.rank))
        return item.node is None, first, not self._is_wide(item), not self._heads_chain(item), self.place[item]

    def _heads_chain(self, item: Item) -> bool:
        """Is this a vector that meets a matrix on its left side?"""
        if len(item.shown) != 1 or not _is_word(item):
            return False
        return any(
            len(o.shown) > 1 and o.shown[0] == item.shown[0] and _is_word(o) and not self._is_wide(o)
            for o in self.flat.items
        )

    def _goes_left(self, item: Item, first: Item) -> bool:
        """Does this multiply the first factor from the left, as `x[i]` does in `x[i]*W[i,j]`?"""
        if not _is_word(item) or not _is_word(first) or not item.shown or len(first.shown) < 2 or self._is_wide(first):
            return False
        label = item.shown[-1]
        plain = label == first.shown[0] and self.count[label] == 2 and label not in self.rank
        return plain and not any(other in self.rank for other in item.shown)

    def _is_wide(self, item: Item) -> bool:
        """Is this more than a matrix, and summed along several axes? What multiplies it follows in their order."""
        return len(item.shown) > 2 and sum(label not in self.rank for label in item.shown) > 1

    def _next(self, item: Item, last: Item, done: Sequence[Item]) -> tuple[object, ...]:
        met = [label for other in done for label in other.shown]
        near = bool(set(item.shown) & set(last.shown)) and not self._is_wide(last)
        chain = near and item.shown[:1] == last.shown[-1:]
        width = len(item.shown) if chain else -len(item.shown)
        place = min((met.index(label) for label in item.shown if label in met), default=len(met))
        return (
            place == len(met),
            item.node is None,
            not near,
            not chain,
            item.kind >= RAISED,
            width,
            place,
            self.place[item],
        )


def _ranked(keys: Mapping[Key, object]) -> dict[Key, int]:
    """Numbers in the order of the values; equal values have equal numbers."""
    order = sorted(keys, key=lambda key: keys[key])  # type: ignore[arg-type,return-value]
    place: dict[Key, int] = {}
    for number, key in enumerate(order):
        same = number > 0 and keys[order[number - 1]] == keys[key]
        place[key] = place[order[number - 1]] if same else number
    return place


def _follow(last: Item, waiting: Sequence[Item]) -> list[Item]:
    """The factors that a chain of matrix products takes up behind the last: in a cycle all, and none goes left."""
    found: list[Item] = []
    while len(last.shown) == 2:
        met = [item for item in waiting if item not in found and item.shown[:1] == last.shown[1:] and _is_word(item)]
        if len(met) != 1:
            break
        last = met[0]
        found.append(last)
    return found


def _is_word(item: Item) -> bool:
    return item.kind < RANK["elementwise"]


def _word(item: Item) -> tuple[str, int]:
    return (item.node.name, signature(item.node)) if item.node is not None else ("", 0)
