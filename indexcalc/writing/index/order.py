"""What is written as one product or sum, in which order, and how a reader would take it.

Text is read by Einstein's rule: in a product, a name that occurs in two factors is summed, once it is free. So a
product is plain if each of its free names occurs once and each summed name twice. A summed name that does not gets an
explicit sum, in which it is kept; a free name that does not is bound by braces, round the whole scope: the expression,
or an argument of a function. Which axes need that depends on the node alone (`Reader.abused`): it is found once a node.

What would be written again and again, or nested too deeply, becomes a definition (`Plan`); the depth that is left
bounds the recursion here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count, pairwise
from typing import NamedTuple, TypeVar

from indexcalc.functions.table import reduction_row
from indexcalc.graph.constructors import as_number, einsum, is_zero
from indexcalc.graph.node import (
    Call,
    Constant,
    Definition,
    Elementwise,
    Labels,
    Node,
    Product,
    Reduction,
    Regroup,
    Sum,
    Variable,
    topological,
)
from indexcalc.graph.numbers import Number, multiply
from indexcalc.graph.walk import uses
from indexcalc.index import Dim, Dimension
from indexcalc.simplify.sums import signature

LONG = 2000
DEEP = 50
SHORT = 30
WIDEST = 64
HUGE = 10**9
LETTERS = "ijklmnpqrst"
RANK = {"variable": 1, "call": 2, "definition": 3, "constant": 4, "elementwise": 5, "reduction": 6, "regroup": 7}
RAISED, SUMMED, IDENTITY = 8, 9, 10
SPELLED = Product | Sum | Elementwise | Reduction
Key = TypeVar("Key")


def fresh_names(taken: Iterable[str]) -> Iterator[str]:
    """Names for bound indices: i j k l m n p q r s t, then i1 j1 ... s1, i2 ..., without those that are taken."""
    gone = set(taken)
    yield from (letter for letter in LETTERS if letter not in gone)
    for turn in count(1):
        yield from (f"{letter}{turn}" for letter in LETTERS[:-1] if f"{letter}{turn}" not in gone)


def words(node: Node) -> frozenset[str]:
    """The names that stand in the text of a node already: tensors, functions, definitions, dimensions."""
    found: set[str] = set()
    for inner in topological([node]):
        if isinstance(inner, Variable | Definition | Constant):
            found.add(inner.label)
        elif isinstance(inner, Call):
            found |= {inner.function.name, inner.name}
        for dim in inner.sizes if isinstance(inner, Product | Regroup) else (*inner.dims, *getattr(inner, "sizes", ())):
            if isinstance(dim, Dim):
                found |= dim.symbols
    return frozenset(found)


def is_whole(node: Node) -> bool:
    """Is this a function of whole matrices, written `inv(F)[j,i]`?"""
    return isinstance(node, Reduction) and bool(reduction_row(node.fn).matrix)


class Plan:
    """What is decided about a graph before a word is written: its definitions, and which products are opened."""

    def __init__(self, root: Node) -> None:
        self.defined: set[Node] = set()
        self.opened: dict[Node, list[bool]] = {}
        order = topological([root])
        times = uses(order, [root])
        weight, depth = self._measure(root, order, times, cut=False)
        if weight > LONG or depth > DEEP:
            self._measure(root, order, times, cut=True)

    def _measure(self, root: Node, order: Sequence[Node], times: Mapping[Node, int], cut: bool) -> tuple[int, int]:
        """About how long the text of the root is, and how deep; with `cut`, definitions are made on the way."""
        weight: dict[Node, int] = {}
        depth: dict[Node, int] = {}
        width: dict[Node, int] = {}
        for node in order:
            children = () if isinstance(node, Definition) else node.children
            own = len(node.name) + 2 * node.order + 4 * len(children)
            weight[node] = min(own + sum(weight[child] for child in children), HUGE)
            width[node] = 1
            if isinstance(node, Product):
                depth[node], width[node] = self._open(node, depth, width)
            elif isinstance(node, Sum):
                nested = (depth[t.node] + (isinstance(t.node, Sum) and abs(t.coef) != 1) for t in node.terms)
                depth[node] = max(nested, default=0)
            else:
                depth[node] = max((1 + depth[child] for child in children), default=0)
            shared = times[node] > 1 and weight[node] > SHORT
            if cut and node is not root and (shared or depth[node] >= DEEP):
                self.defined.add(node)
                weight[node], depth[node], width[node] = 6 + 2 * node.order, 0, 1
        return weight[root], depth[root]

    def _open(self, node: Product, depth: Mapping[Node, int], width: Mapping[Node, int]) -> tuple[int, int]:
        """How deep a product nests and how many factors it is written with, once its inner products are opened."""
        deep, total, flags = 0, 0, []
        for child, _, exponent in node.factors:
            fits = total + width[child] <= WIDEST and child not in self.defined
            flag = fits and exponent == 1 and isinstance(child, Product) and not is_zero(child)
            flags.append(flag)
            total += width[child] if flag else 1
            deep = max(deep, depth[child] + (isinstance(child, Sum | Product) and not flag))
        self.opened[node] = flags
        return deep, total


# ------------------------------------------------------------------ products, opened


class Item(NamedTuple):
    """A factor; without a node, the delta of two labels. `shown` has the labels of its text, as often as they occur."""

    node: Node | None
    labels: Labels
    exponent: Number
    shown: Labels
    kind: int


def identity(first: int, second: int) -> Item:
    """The delta of two labels, as a factor."""
    return Item(None, (first, second), 1, (first, second), IDENTITY)


class Flat:
    """A product with its inner products opened. Labels below `order` are its axes, each a label of its own.

    `groups` has axes that a delta joins. `alone` are the summed labels that nothing shows: factors of their dimension.
    `abused` are axes that plain text would misread, `explicit` summed labels that need an explicit sum, and `deep`
    those among them that need it in braces too.
    """

    def __init__(self, order: int, dims: Sequence[Dimension]) -> None:
        self.order = order
        self.coef: Number = 1
        self.items: list[Item] = []
        self.sizes = list(dims)
        self.groups: list[list[int]] = []
        self.twice: set[Item] = set()
        self.abused: set[int] = set()
        self.explicit: set[int] = set()
        self.deep: set[int] = set()
        self.alone: list[int] = []
        self.loose: list[int] = []

    def fresh(self, dims: Iterable[Dimension]) -> list[int]:
        """New labels of these dimensions."""
        start = len(self.sizes)
        self.sizes += dims
        return list(range(start, len(self.sizes)))


class Reader:
    """How the text of each node would be read: facts that depend on the node alone, found once."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.current: Node | None = None
        self._flats: dict[tuple[Node, bool], Flat] = {}
        self._rows: dict[Node, list[tuple[Number, Node, Labels]]] = {}
        self._abused: dict[Node, frozenset[int]] = {}

    def is_reference(self, node: Node) -> bool:
        """Does this stand in the text as the name of a definition?"""
        return node in self.plan.defined and node is not self.current

    def is_name(self, node: Node) -> bool:
        """Does this stand in the text as a name with subscripts?"""
        return self.is_reference(node) or is_zero(node) or not isinstance(node, SPELLED) or is_whole(node)

    def rows(self, node: Sum) -> list[tuple[Number, Node, Labels]]:
        """The terms, those of inner sums among them; a repeated label becomes a diagonal of the term."""
        if node in self._rows:
            return self._rows[node]
        found: list[tuple[Number, Node, Labels]] = []
        stack = [(t.coef, t.node, t.labels) for t in reversed(node.terms)]
        while stack:
            coef, inner, labels = stack.pop()
            if isinstance(inner, Sum) and coef in (1, -1) and not self.is_reference(inner):
                stack += [
                    (multiply(coef, t.coef), t.node, tuple(labels[x] for x in t.labels)) for t in reversed(inner.terms)
                ]
            else:
                found.append((coef, *distinct(inner, labels)))
        self._rows[node] = found
        return found

    def carried(self, node: Node) -> tuple[int, ...]:
        """The axes that the text of a node shows."""
        if self.is_reference(node):
            return tuple(range(node.order))
        if isinstance(node, Sum):
            return tuple(sorted({label for _, _, labels in self.rows(node) for label in labels}))
        if isinstance(node, Elementwise):
            return tuple(sorted({label for arg in node.args for label in arg.labels}))
        return tuple(range(node.order))

    def given(self, node: Node) -> frozenset[int]:
        """The axes whose dimension a tensor in the text tells."""
        if self.is_name(node):
            return frozenset(range(node.order))
        if isinstance(node, Sum):
            return frozenset(labels[axis] for _, inner, labels in self.rows(node) for axis in self.given(inner))
        if isinstance(node, Product):
            flat = self.flat(node)
            return frozenset(label for label in self.told(flat, ()) if label < flat.order)
        return frozenset(self.carried(node))

    def told(self, flat: Flat, start: Iterable[int]) -> set[int]:
        """The labels of a product whose dimension is told, given some that are: a delta passes it on."""
        told = set(start)
        for item in flat.items:
            if item.node is not None:
                told |= {item.labels[axis] for axis in self.given(item.node)}
        deltas = [item.labels for item in flat.items if item.node is None]
        while any((a in told) != (b in told) for a, b in deltas):
            told |= {label for pair in deltas if set(pair) & told for label in pair}
        return told

    def abused(self, node: Node) -> frozenset[int]:
        """The axes whose name plain text would misread."""
        if self.is_name(node) or not isinstance(node, Sum | Product):
            return frozenset()
        if node not in self._abused:
            if isinstance(node, Sum):
                found = {labels[axis] for _, inner, labels in self.rows(node) for axis in self.abused(inner)}
            else:
                found = self.flat(node).abused
            self._abused[node] = frozenset(found)
        return self._abused[node]

    def flat(self, node: Node) -> Flat:
        """A node as an opened product, of one factor if it is none."""
        key = node, self.is_reference(node)
        if key not in self._flats:
            self._flats[key] = self._settle(self._gather(node))
        return self._flats[key]

    def _gather(self, node: Node) -> Flat:
        flat = Flat(node.order, node.dims)
        joined: dict[int, list[int]] = {}
        stack: list[tuple[Node, tuple[int, ...], Number, bool]] = []
        stack.append((node, tuple(range(node.order)), 1, isinstance(node, Product) and not self.is_name(node)))
        while stack:
            inner, places, exponent, opened = stack.pop()
            if not opened or not isinstance(inner, Product):
                self._item(flat, inner, places, exponent)
                continue
            flat.coef = multiply(flat.coef, inner.coef)
            place: dict[int, int] = {}
            for label, outside in zip(inner.out, places, strict=True):
                first = place.setdefault(label, outside)
                if first == outside:
                    continue
                if inner is node:
                    joined.setdefault(first, [first]).append(outside)
                else:
                    flat.items.append(identity(first, outside))
            bound = [label for label in range(len(inner.sizes)) if label not in place]
            place.update(zip(bound, flat.fresh(inner.sizes[label] for label in bound), strict=True))
            flags = self.plan.opened.get(inner, [False] * len(inner.factors))
            for factor, flag in zip(reversed(inner.factors), reversed(flags), strict=True):
                stack.append((factor.node, tuple(place[label] for label in factor.labels), factor.exponent, flag))
        flat.groups = list(joined.values())
        for group in flat.groups:
            flat.items += [identity(*pair) for pair in pairwise(group)]
        return flat

    def _item(self, flat: Flat, node: Node, labels: Labels, exponent: Number) -> None:
        if isinstance(node, Reduction) and len(set(labels)) < len(labels) and not self.is_name(node):
            kept: list[int] = []
            for axis, label in enumerate(labels):
                if label in kept:
                    (label,) = flat.fresh([node.dims[axis]])
                    flat.items.append(identity(labels[axis], label))
                kept.append(label)
            labels = tuple(kept)
        shown = [labels[axis] for axis in self.carried(node)]
        if not self.is_name(node):
            shown = list(dict.fromkeys(shown))
        flat.items.append(Item(node, labels, exponent, tuple(shown), self._kind(node)))

    def _kind(self, node: Node) -> int:
        if self.is_reference(node):
            return RANK["definition"]
        if isinstance(node, Sum):
            return SUMMED
        if is_whole(node):
            return RANK["call"]
        return RAISED if isinstance(node, Product) and as_number(node) is None else RANK.get(node.kind, RANK["regroup"])

    def _settle(self, flat: Flat) -> Flat:
        """Count how often each label is shown, and see what that needs."""
        times: dict[int, int] = {}
        below: set[int] = set()
        misread: set[int] = set()
        for item in flat.items:
            for label in item.shown:
                times[label] = times.get(label, 0) + 1
            if _negative(item.exponent):
                below.update(item.shown)
            elif item.exponent != 1:
                below.update(label for label in item.shown if item.shown.count(label) > 1)
            if item.node is not None and isinstance(item.node, Sum | Product) and not self.is_reference(item.node):
                misread |= {item.labels[axis] for axis in self.abused(item.node)}
                misread |= {label for label in item.labels if item.labels.count(label) > 1}
        for item in flat.items:
            named = item.exponent == 2 and item.node is not None and self.is_name(item.node) and item.shown
            if named and all(label >= flat.order and times[label] == 1 for label in item.shown):
                flat.twice.add(item)
                times.update((label, 2) for label in item.shown)
        bound = range(flat.order, len(flat.sizes))
        flat.alone = [label for label in bound if label not in times]
        flat.loose = [label for label in range(flat.order) if label not in times]
        flat.abused = {label for label in range(flat.order) if times.get(label, 1) != 1 or label in misread}
        flat.abused |= {label for group in flat.groups if len(group) > 2 or set(group) & flat.abused for label in group}
        flat.deep = {label for label in bound if label in misread}
        flat.explicit = {label for label in bound if times.get(label, 2) != 2 or label in below or label in misread}
        return flat


def distinct(node: Node, labels: Labels) -> tuple[Node, Labels]:
    """A node and its labels, a repeated label taken as a diagonal of the node."""
    once = tuple(dict.fromkeys(labels))
    return (node, tuple(labels)) if len(once) == len(labels) else (einsum(1, [(node, labels)], once), once)


def _negative(value: Number) -> bool:
    return not isinstance(value, complex) and value < 0


# ------------------------------------------------------------------ the order of factors


class Component(NamedTuple):
    """Factors that summed labels connect, in the order in which they are written."""

    items: list[Item]
    bound: frozenset[int]


class Walk:
    """Puts the factors of a product in the order in which people write them."""

    def __init__(self, flat: Flat, rank: Mapping[int, int]) -> None:
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
        above = [item for item in items if not _negative(item.exponent)]
        below = [item for item in items if _negative(item.exponent)]
        waiting = above
        done: list[Item] = []
        if above:
            first = min(above, key=self._start)
            waiting = [item for item in above if item is not first]
            done = [first]
        while waiting:
            left = [item for item in waiting if self._goes_left(item, done[0])]
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
        return item.node is None, min(free, default=len(self.rank)), not self._heads_chain(item), self.place[item]

    def _heads_chain(self, item: Item) -> bool:
        """Is this a vector that meets a matrix on its left side?"""
        if len(item.shown) != 1 or not _is_word(item):
            return False
        return any(len(o.shown) > 1 and o.shown[0] == item.shown[0] and _is_word(o) for o in self.flat.items)

    def _goes_left(self, item: Item, first: Item) -> bool:
        """Does this multiply the first factor from the left, as `x[i]` does in `x[i]*W[i,j]`?"""
        if not _is_word(item) or not _is_word(first) or not item.shown or len(first.shown) < 2:
            return False
        label = item.shown[-1]
        plain = label == first.shown[0] and self.count[label] == 2 and label not in self.rank
        return plain and not any(other in self.rank for other in item.shown)

    def _next(self, item: Item, last: Item, done: Sequence[Item]) -> tuple[object, ...]:
        met = {label for other in done for label in other.shown}
        near = bool(set(item.shown) & set(last.shown))
        chain = bool(last.shown) and item.shown[:1] == last.shown[-1:]
        width = len(item.shown) if chain else -len(item.shown)
        return (
            not met & set(item.shown),
            item.node is None,
            not near,
            not chain,
            item.kind >= RAISED,
            width,
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


def _is_word(item: Item) -> bool:
    return item.kind < RANK["elementwise"]


def _word(item: Item) -> tuple[str, int]:
    return (item.node.name, signature(item.node)) if item.node is not None else ("", 0)
