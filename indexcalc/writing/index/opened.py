"""Products with their inner products opened, and how a reader would take what is written.

Text is read by Einstein's rule: in a product, a name that occurs in two factors is summed, once it is free. So a
product is plain if each of its free names occurs once and each summed name twice. A summed name that does not gets an
explicit sum, in which it is kept; a free name that does not is bound by braces, round the whole scope: the expression,
or an argument of a function. Which axes need that depends on the node alone (`Legibility.abused`): it is found once a
node.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from indexcalc.functions.entries.choosing import chooser_of
from indexcalc.functions.table import reduction_row
from indexcalc.graph.constructors import as_number, einsum, is_zero
from indexcalc.graph.node import (
    Arg,
    Call,
    Definition,
    Elementwise,
    Labels,
    Node,
    Product,
    Reduction,
    Sum,
    Variable,
)
from indexcalc.graph.numbers import Number, multiply
from indexcalc.graph.ranges import Range, Relation, entries_taken, range_of, relation_of
from indexcalc.index import Dimension
from indexcalc.writing.index.outline import Outline
from indexcalc.writing.slices import slice_text

RANK = {"variable": 1, "call": 2, "definition": 3, "constant": 4, "elementwise": 5, "reduction": 6, "regroup": 7}
RAISED, SUMMED, IDENTITY = 8, 9, 10
"""The kind of a factor, by which factors are ordered: names first, then functions, powers of products, sums, deltas."""
SPELLED = Product | Sum | Elementwise | Reduction


def is_negative(value: Number) -> bool:
    """Is the sign of this number a minus that text shows?"""
    return not isinstance(value, complex) and value < 0


def is_whole(node: Node) -> bool:
    """Is this a function of whole matrices, written `inv(F)[j,i]`?"""
    return isinstance(node, Reduction) and bool(reduction_row(node.fn).matrix)


def entry_args(node: Node) -> tuple[Arg, ...] | None:
    """The arguments of a function of entries, of the table or an abstract one; None where the node is none."""
    if isinstance(node, Elementwise) and chooser_of(node) is None:
        return node.args
    if isinstance(node, Call) and node.function.entrywise and not node.is_gradient:
        return tuple(map(Arg, node.children, node.labels))
    return None


class Subscript(NamedTuple):
    """What stands for an axis: `offset` and multiples of labels, each a place among those of the factor.

    It is `inside` if it is an entry wherever its labels are. With `integers` the entry is theirs at these labels.
    """

    terms: tuple[tuple[int, int], ...]
    offset: Dimension = 0
    inside: bool = True
    integers: str = ""

    @property
    def plain(self) -> bool:
        """Is it a label by itself?"""
        return not self.integers and self.offset == 0 and len(self.terms) == 1 and self.terms[0][0] == 1


class Item(NamedTuple):
    """A factor; without a node, the delta of two labels. `shown` has the labels of its text, as often as they occur.

    `picks` says what selections take of each of its axes, if there are any: an entry has no label. `ranges` has them.
    `affine` has what stands for each axis instead, if one is an affine function of labels.
    """

    node: Node | None
    labels: Labels
    exponent: Number
    shown: Labels
    kind: int
    picks: tuple[str, ...] = ()
    ranges: tuple[Range | None, ...] = ()
    affine: tuple[Subscript, ...] = ()


def identity(first: int, second: int) -> Item:
    """The delta of two labels, as a factor."""
    return Item(None, (first, second), 1, (first, second), IDENTITY)


class OpenProduct:
    """A product with its inner products opened. Labels below `order` are its axes, each a label of its own.

    `groups` has axes that a delta joins. `alone` are the summed labels that nothing shows: factors of their dimension.
    `abused` are axes that plain text would misread, `explicit` summed labels that need an explicit sum, and `deep`
    those among them that need it in braces too. Labels that are
    `gone` were picked along.
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
        self.gone: set[int] = set()

    def fresh(self, dims: Iterable[Dimension]) -> list[int]:
        """New labels of these dimensions."""
        start = len(self.sizes)
        self.sizes += dims
        return list(range(start, len(self.sizes)))


class Legibility:
    """How the text of each node would be read: facts that depend on the node alone, found once."""

    def __init__(self, outline: Outline, affine: bool = False, dependent: bool = False) -> None:
        self.outline, self.affine, self.dependent = outline, affine, dependent
        self.current: Node | None = None
        self._flats: dict[tuple[Node, bool], OpenProduct] = {}
        self._rows: dict[Node, list[tuple[Number, Node, Labels]]] = {}
        self._abused: dict[Node, frozenset[int]] = {}

    def is_reference(self, node: Node) -> bool:
        """Does this stand in the text as the name of a definition?"""
        return node in self.outline.defined and node is not self.current

    def is_name(self, node: Node) -> bool:
        """Does this stand in the text as a name with subscripts?"""
        spelled = (isinstance(node, SPELLED) and chooser_of(node) is None) or entry_args(node) is not None
        return self.is_reference(node) or is_zero(node) or not spelled or is_whole(node)

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
        if (args := entry_args(node)) is not None:
            return tuple(sorted({label for arg in args for label in arg.labels}))
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

    def told(self, flat: OpenProduct, start: Iterable[int]) -> set[int]:
        """The labels of a product whose dimension is told, given some that are: a delta passes it on."""
        told = set(start)
        for item in flat.items:
            if item.node is not None:
                if item.affine:
                    given = [one for one in item.affine if one.plain or one.integers]
                    told |= {item.labels[k] for one in given for _, k in one.terms}
                else:
                    told |= set(item.labels) if item.picks else {item.labels[axis] for axis in self.given(item.node)}
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

    def flat(self, node: Node) -> OpenProduct:
        """A node as an opened product, of one factor if it is none."""
        key = node, self.is_reference(node)
        if key not in self._flats:
            self._flats[key] = self._settle(self._chosen(self._solved(self._picked(self._gather(node)))))
        return self._flats[key]

    def _gather(self, node: Node) -> OpenProduct:
        flat = OpenProduct(node.order, node.dims)
        joined: dict[int, list[int]] = {}
        stack: list[tuple[Node, tuple[int, ...], Number, bool]] = []
        stack.append((node, tuple(range(node.order)), 1, isinstance(node, Product) and not self.is_name(node)))
        around: list[tuple[int, Number]] = []  # numbers are multiplied from the inside, as simplification does
        while stack:
            while around and around[-1][0] == len(stack):
                flat.coef = multiply(around.pop()[1], flat.coef)
            inner, places, exponent, opened = stack.pop()
            if not opened or not isinstance(inner, Product):
                self._item(flat, inner, places, exponent)
                continue
            around.append((len(stack), flat.coef))
            flat.coef = inner.coef
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
            flags = self.outline.opened.get(inner, [False] * len(inner.factors))
            for factor, flag in zip(reversed(inner.factors), reversed(flags), strict=True):
                stack.append((factor.node, tuple(place[label] for label in factor.labels), factor.exponent, flag))
        for _, coef in reversed(around):
            flat.coef = multiply(coef, flat.coef)
        flat.groups = list(joined.values())
        for group in flat.groups:
            flat.items += [identity(*pair) for pair in pairwise(group)]
        return flat

    def _item(self, flat: OpenProduct, node: Node, labels: Labels, exponent: Number) -> None:
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

    def _picked(self, flat: OpenProduct) -> OpenProduct:
        """Selections and units taken into the tensor that they select of, where nothing else has the axis."""
        times = Counter(label for item in flat.items for label in item.labels)
        for item in list(flat.items):
            found = entries_taken(item.node) if item.node is not None and item.exponent == 1 else None
            if found is None or len(found) > 1 or len(set(item.labels)) < len(item.labels):
                continue
            *short, long = item.labels
            lone = bool(short) and short[0] >= flat.order and times[short[0]] == 1 and found[0].size == 1
            entry = not short or lone
            key = slice_text(found[0], entry=entry)
            others = [other for other in flat.items if other is not item and long in other.labels]
            made = None
            if long >= flat.order and times[long] == 2 and len(others) == 1 and self._may_pick(others[0]):
                made = _with_pick(others[0], long, key, None if entry else short[0], found[0])
            if made is not None:
                flat.items[flat.items.index(others[0])] = made
                flat.items.remove(item)
                flat.gone |= {long, *(short if lone else ())}
            elif lone:
                flat.items[flat.items.index(item)] = item._replace(labels=(long,), shown=(long,), picks=(key,))
                flat.gone.add(short[0])
        return flat

    def _solved(self, flat: OpenProduct) -> OpenProduct:
        """Affine deltas taken into a tensor: a label that nothing else has is an affine function of the others."""
        if not self.affine:
            return flat
        for item in [one for one in flat.items if one.node is not None and range_of(one.node) is not None]:
            self._put_back(flat, item)
        for item in [one for one in flat.items if one.node is not None and relation_of(one.node) is not None]:
            times = Counter(label for one in flat.items for label in one.labels)
            found = relation_of(item.node) if item.node is not None and item.exponent == 1 else None
            if found is None or len(set(item.labels)) < len(item.labels) or len(item.labels) < 2:
                continue
            plain = found.start == 0 and sorted(found.coefs) == [-1, 1]  # one label is the other, as far as both go
            ways = [
                (not found.solved(k), -found.coefs[k], k, other)
                for k, label in enumerate(item.labels)
                for other in flat.items
                if label >= flat.order and times[label] == 2 and abs(found.coefs[k]) == 1 and other is not item
                and label in other.labels and self._may_pick(other) and {*other.picks} <= {":"} and not plain
                and label in [other.labels[sub.terms[0][1]] for sub in _subscripts(other) if sub.plain]
            ]  # fmt: skip
            if ways:
                beyond, _, place, other = min(ways, key=lambda way: way[:3])
                flat.items[flat.items.index(other)] = _with_relation(other, item.labels, place, found, not beyond)
                flat.items.remove(item)
                flat.gone.add(item.labels[place])
            elif not plain:
                _in_identity(flat, item, found)
        return flat

    def _put_back(self, flat: OpenProduct, item: Item) -> None:
        """A tensor whose entries are put back among zeros: an affine function says which it is, and beside it is 0."""
        times = Counter(label for one in flat.items for label in one.labels)
        found = range_of(item.node) if item.node is not None and item.exponent == 1 and not item.picks else None
        if found is None or found.step != 1 or item.labels[0] < flat.order or times[item.labels[0]] != 2:
            return
        short, long = item.labels
        for other in flat.items:
            if other is item or other.labels.count(short) != 1 or other.affine or not self._may_pick(other):
                continue
            ranges = other.ranges or (None,) * len(other.labels)
            at = other.labels.index(short)
            if len(ranges) != len(other.labels) or any(one is not None for k, one in enumerate(ranges) if k != at):
                continue
            own = ranges[at] or Range(0, 1, found.size, found.size)
            offset = own.start - own.step * found.start
            if Relation(offset, (own.step, -1), (found.length, own.length)).pair != (found, own):
                continue
            subs = [Subscript(((1, k),)) for k in range(len(ranges))]
            subs[at] = Subscript(((own.step, at),), offset, False)
            labels = tuple(long if x == short else x for x in other.labels)
            made = other._replace(labels=labels, shown=labels, picks=(), ranges=(), affine=tuple(subs))
            flat.items[flat.items.index(other)] = made
            flat.items.remove(item)
            flat.gone.add(short)
            return

    def _chosen(self, flat: OpenProduct) -> OpenProduct:
        """Brackets taken into the tensor of which they choose entries, `Z[b,y[b]]`, where nothing else has the axis."""
        for item in list(flat.items) if self.dependent else ():
            found = chooser_of(item.node) if item.node is not None and item.exponent == 1 else None
            if found is None or not isinstance(found.integers, Variable) or not found.labels:
                continue
            label, own = item.labels[found.place], tuple(item.labels[k] for k in found.labels)
            others = [other for other in flat.items if other is not item and label in other.labels]
            times = sum(one.labels.count(label) for one in flat.items)
            if label < flat.order or times != 2 or len(others) != 1 or len({*own, label}) <= len(own):
                continue
            (other,) = others
            subs = _subscripts(other)
            if not self._may_pick(other) or other.picks or any(not (sub.plain or sub.integers) for sub in subs):
                continue
            at = other.labels.index(label)
            if Subscript(((1, at),)) not in subs:
                continue
            here = Subscript(tuple((1, at + k) for k in range(len(own))), integers=found.name)
            labels = (*other.labels[:at], *own, *other.labels[at + 1 :])
            subs = _with_subscript(subs, at, here)
            made = other._replace(labels=labels, shown=tuple(dict.fromkeys(labels)), affine=subs)
            flat.items[flat.items.index(other)] = made
            flat.items.remove(item)
            flat.gone.add(label)
        return flat

    def _may_pick(self, item: Item) -> bool:
        """Is this a name that entries may be picked of? A derivative is none, whose name has a form of its own."""
        node = item.node
        if not isinstance(node, Variable | Definition) or self.is_reference(node):
            return False
        return node.name.isidentifier() and item.exponent == 1

    def _kind(self, node: Node) -> int:
        if self.is_reference(node):
            return RANK["definition"]
        if isinstance(node, Sum):
            return SUMMED
        if is_whole(node):
            return RANK["call"]
        if entry_args(node) is not None:
            return RANK["elementwise"]
        return RAISED if isinstance(node, Product) and as_number(node) is None else RANK.get(node.kind, RANK["regroup"])

    def _settle(self, flat: OpenProduct) -> OpenProduct:
        """Count how often each label is shown, and see what that needs."""
        times: dict[int, int] = {}
        below: set[int] = set()
        misread: set[int] = set()
        for item in flat.items:
            for label in item.shown:
                times[label] = times.get(label, 0) + 1
            if is_negative(item.exponent):
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
        flat.alone = [label for label in bound if label not in times and label not in flat.gone]
        flat.loose = [label for label in range(flat.order) if label not in times]
        flat.abused = {label for label in range(flat.order) if times.get(label, 1) != 1 or label in misread}
        flat.abused |= {label for group in flat.groups if len(group) > 2 or set(group) & flat.abused for label in group}
        flat.deep = {label for label in bound if label in misread}
        flat.explicit = {label for label in bound if times.get(label, 2) != 2 or label in below or label in misread}
        return flat


def _with_pick(item: Item, label: int, key: str, new: int | None, found: Range) -> Item | None:
    """A factor of which this is picked along the axis that has a label: the axis gets the new one, or goes."""
    picks = list(item.picks or (":",) * len(item.labels))
    axis = [k for k, text in enumerate(picks) if ":" in text][item.labels.index(label)]
    if picks[axis] != ":":
        return None
    picks[axis] = key
    ranges = list(item.ranges or (None,) * len(picks))
    ranges[axis] = found
    here = () if new is None else (new,)
    labels = tuple(one for x in item.labels for one in (here if x == label else (x,)))
    return item._replace(labels=labels, shown=labels, picks=tuple(picks), ranges=tuple(ranges))


def distinct(node: Node, labels: Labels) -> tuple[Node, Labels]:
    """A node and its labels, a repeated label taken as a diagonal of the node."""
    once = tuple(dict.fromkeys(labels))
    return (node, tuple(labels)) if len(once) == len(labels) else (einsum(1, [(node, labels)], once), once)


def _subscripts(item: Item) -> tuple[Subscript, ...]:
    """What stands for each axis of a factor."""
    return item.affine or tuple(Subscript(((1, k),)) for k in range(len(item.labels)))


def _with_relation(item: Item, labels: Labels, place: int, found: Relation, inside: bool) -> Item:
    """A factor, one axis of which a relation with these labels gives: its label at a place is solved for."""
    subs = _subscripts(item)
    at, sign = item.labels.index(labels[place]), -found.coefs[place]
    rest = [k for k in range(len(labels)) if k != place]
    own = [*item.labels[:at], *(labels[k] for k in rest), *item.labels[at + 1 :]]
    here = Subscript(tuple((sign * found.coefs[k], at + n) for n, k in enumerate(rest)), sign * found.start, inside)
    subs = _with_subscript(subs, at, here)
    return item._replace(labels=tuple(own), shown=tuple(own), picks=(), ranges=(), affine=subs)


def _in_identity(flat: OpenProduct, item: Item, found: Relation) -> None:
    """An affine delta that no tensor takes, as an entry of the identity: one label is told by the others.

    Only of known sizes: where these are symbols, what is read back need not be one affine delta.
    """
    ways = [(not found.solved(k), k) for k, coef in enumerate(found.coefs) if abs(coef) == 1]
    if not ways or not all(isinstance(size, int) for size in (*found.sizes, found.start)):
        return
    beyond, place = min(ways)
    (fresh,) = flat.fresh([found.sizes[place]])
    labels = (*item.labels[:place], fresh, *item.labels[place + 1 :])
    eye = item._replace(node=einsum(1, [], (0, 0), {0: found.sizes[place]}), labels=(fresh, item.labels[place]))
    flat.items[flat.items.index(item)] = _with_relation(eye, labels, place, found, not beyond)
    flat.gone.add(fresh)


def _with_subscript(subs: Sequence[Subscript], at: int, here: Subscript) -> tuple[Subscript, ...]:
    """Subscripts, one in place of that which is the label at a place, for which its own labels come."""
    made, more = [], len(here.terms) - 1
    for sub in subs:
        moved = tuple((coef, k + more * (k > at)) for coef, k in sub.terms)
        made.append(here if (1, at) in sub.terms else sub._replace(terms=moved))
    return tuple(made)
