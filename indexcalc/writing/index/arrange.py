"""From a node to pieces, under the names of its axes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from indexcalc.functions.table import reduction_row
from indexcalc.graph.constructors import is_zero, transpose
from indexcalc.graph.fingerprint import fingerprint
from indexcalc.graph.node import (
    Call,
    Constant,
    Definition,
    Elementwise,
    Matrix,
    Node,
    Product,
    Reduction,
    Regroup,
    Sum,
    Variable,
)
from indexcalc.graph.numbers import Number, multiply
from indexcalc.index import Dimension, unknown
from indexcalc.writing.index.order import (
    Component,
    Flat,
    Item,
    Plan,
    Reader,
    Walk,
    distinct,
    fresh_names,
    words,
)
from indexcalc.writing.known import constant_piece, joined_piece
from indexcalc.writing.syntax import (  # fmt: skip
    Applied,
    Arrow,
    Braces,
    Delta,
    Filled,
    Function,
    Grouped,
    Named,
    Names,
    Ones,
    Piece,
    Plain,
    Plus,
    Power,
    Reduced,
    Ref,
    Size,
    Total,
    times,
)


class Scope(NamedTuple):
    """Where something is written.

    `kept` has the names that are never summed here, `silent` those among them that a term may lack, `used` the names
    that mean something already, `told` those whose dimension the reader knows. In a `direct` term of braces every
    name that is not kept is summed, however often it occurs.
    """

    kept: frozenset[str]
    silent: frozenset[str]
    used: frozenset[str]
    told: frozenset[str]
    direct: bool = False


class Page(NamedTuple):
    """An expression in pieces, with the definitions that it needs, in an order in which they can be read."""

    body: Piece
    definitions: list[tuple[Node, Piece]]
    words: frozenset[str]


class Term(NamedTuple):
    """A term of a sum before it is written: coefficient, product, its names, and names along which it is constant."""

    coef: Number
    flat: Flat
    names: list[str]
    extra: list[tuple[str, Dimension]]
    turned: bool = False

    @property
    def value(self) -> Number:
        """The number in front, whose sign is seen."""
        value = multiply(self.coef, self.flat.coef)
        return multiply(value, -1) if self.turned else value

    @property
    def degree(self) -> int:
        """How many factors there are."""
        total = len(self.flat.alone)
        for item in self.flat.items:
            total += abs(item.exponent) if isinstance(item.exponent, int) else 1
        return total

    @property
    def is_number(self) -> bool:
        """Is this a plain number?"""
        return not self.flat.items and not self.flat.alone and not self.flat.order

    @property
    def is_function(self) -> bool:
        """Is this a function, or a power of one?"""
        return len(self.flat.items) == 1 and isinstance(self.flat.items[0].node, Elementwise | Reduction)


Written = tuple[Term, Piece]
References = Callable[[Piece], list[Node]]
Texts = Callable[[Piece], str]


def _mark(term: Term) -> bytes:
    """What tells terms of equal text apart, however they were typed: the entries of their factors modulo a prime."""
    marks = [np.sort(fingerprint(item.node), axis=None).tobytes() for item in term.flat.items if item.node is not None]
    return b"".join(sorted(marks))


class Arranger:
    """Arranges one expression; `text` is what terms are sorted by."""

    def __init__(self, root: Node, batch: Iterable[str], text: Texts) -> None:
        self.root = root
        self.batch = frozenset(batch)
        self.words = words(root)
        self.names: frozenset[str] = frozenset()
        self.plan = Plan(root)
        self.read = Reader(self.plan)
        self.text = text

    # -------------------------------------------------------------- whole expressions

    def expression(self, names: Sequence[str]) -> Piece:
        """The root in index notation, under these names for its axes."""
        self.names = frozenset(names)
        scope = Scope(self.batch, frozenset(), self.words | self.batch | self.names, self.names)
        return self.scoped(self.root, names, scope, self.names)

    def array(self, places: Sequence[int | None] | None = None, upright: bool = True) -> Piece:
        """The root as an array: a name, if it is `upright`, or the body with an arrow to its axes, 1 for unit axes."""
        simple = self.simple_array(self.root, self._closed(frozenset())) if upright else None
        if simple is not None:
            return simple
        names = self.axis_names(self.root)
        shown = names if places is None else tuple("1" if place is None else names[place] for place in places)
        return Arrow(self.bound(self.root, names, self._closed(frozenset())), shown)

    def definition(self, node: Node) -> Piece:
        """What the definition of a node says."""
        self.read.current = node
        scope = self._closed(frozenset())
        if node.order == 0:
            return self.scoped(node, (), scope)
        names = self.axis_names(node)
        return Braces(names, self.bound(node, names, scope))

    def axis_names(self, node: Node, used: frozenset[str] = frozenset()) -> Names:
        """Names for the axes of an array."""
        fresh = fresh_names(self.words | self.batch | used)
        return tuple(next(fresh) for _ in range(node.order))

    def page(self, start: Callable[[], Piece], references: References) -> Page:
        """The expression with its definitions; `references` finds those that a piece names, in text order."""
        self.read.current = self.root
        body = start()
        pieces: dict[Node, Piece] = {}
        order: list[tuple[Node, Piece]] = []
        done: set[Node] = set()
        needs: dict[Node, list[Node]] = {}
        stack = [(node, False) for node in reversed(references(body))]
        while stack:
            node, ready = stack.pop()
            if node in done:
                continue
            if ready:
                done.add(node)
                order.append((node, pieces[node]))
                continue
            if node not in pieces:
                pieces[node] = self.definition(node)
                needs[node] = references(pieces[node])
            stack.append((node, True))
            stack += [(inner, False) for inner in reversed(needs[node]) if inner not in done]
        return Page(body, order, self.words | self.names)

    def _closed(self, used: frozenset[str]) -> Scope:
        """The scope of an array, which sees no index from outside."""
        return Scope(self.batch, frozenset(), self.words | self.batch | used, frozenset())

    # -------------------------------------------------------------- scopes

    def scoped(self, node: Node, names: Sequence[str], scope: Scope, told: frozenset[str] = frozenset()) -> Piece:
        """A node as a whole expression, or as an argument of a function: in braces if plain text would misread it."""
        node, names = _distinct_names(node, names)
        told |= {names[axis] for axis in self.read.given(node)}
        inner = Scope(scope.kept, scope.silent, scope.used | set(names), told)
        if any(names[axis] not in scope.kept for axis in self.read.abused(node)):
            order = tuple(sorted(names, key=lambda name: (name not in self.batch, name)))
            return Braces(order, self.bound(node, names, inner))
        return self.expr(node, names, inner)

    def bound(self, node: Node, names: Sequence[str], scope: Scope) -> Piece:
        """A node within braces that bind its names."""
        told = scope.told | {names[axis] for axis in self.read.given(node)}
        kept = scope.kept | set(names)
        return self.expr(
            node, names, Scope(kept, scope.silent | (told & set(names)), scope.used | set(names), told, direct=True)
        )

    def expr(self, node: Node, names: Sequence[str], scope: Scope, sign: int = 1) -> Piece:
        """A node as a sum of terms, or as one term."""
        if is_zero(node):
            return self.named(node, tuple(names), scope)
        if isinstance(node, Sum) and not self.read.is_reference(node):
            shown = self.read.carried(node)
            if all(axis in shown or name in scope.silent for axis, name in enumerate(names)):
                return self.plus(node, names, scope, sign)
        return self.product(sign, self.read.flat(node), names, None, scope)

    def plus(self, node: Sum, names: Sequence[str], scope: Scope, sign: int = 1) -> Piece:
        """A sum, its terms in the order in which people write them."""
        shown = self.read.carried(node)
        terms: list[Written] = []
        for coef, inner, labels in self.read.rows(node):
            lacks = [axis for axis in shown if axis not in labels and names[axis] not in scope.kept] if labels else []
            term = Term(
                multiply(sign, coef),
                self.read.flat(inner),
                [names[x] for x in labels],
                [(names[x], node.dims[x]) for x in lacks],
            )
            terms.append((term, self.product(*term[:4], scope, flip=False)))
        terms.sort(key=self._place)
        places = [self._place(written) for written in terms]
        if len(set(places)) < len(places):
            terms.sort(key=lambda written: (*self._place(written), _mark(written[0])))
        if all(_negative(term.value) for term, _ in terms):
            self._turn_one(terms, scope)
        return Plus(tuple(piece for _, piece in _number_last(terms)))

    def _place(self, written: Written) -> tuple[object, ...]:
        """Positive terms first, long ones before short ones, a lone delta before the others of its length."""
        term, piece = written
        only = all(item.node is None for item in term.flat.items)
        return _negative(term.value), -term.degree, not only, self.text(piece)

    def _turn_one(self, terms: list[Written], scope: Scope) -> None:
        """Where all terms are negative, the first that can takes its sign into a sum: `2*(a - b)` for `-2*(b - a)`."""
        for k, (term, _) in enumerate(terms):
            if any(self._turns(item) for item in term.flat.items):
                terms.insert(0, (term._replace(turned=True), self.product(*term[:4], scope, flip=True)))
                del terms[k + 1]
                return

    def _turns(self, item: Item) -> bool:
        """Does the sum in this factor begin with a plus once its sign is turned?"""
        if not isinstance(item.node, Sum) or item.exponent != 1 or self.read.is_reference(item.node):
            return False
        return any(
            _negative(multiply(coef, self.read.flat(inner).coef)) for coef, inner, _ in self.read.rows(item.node)
        )

    # -------------------------------------------------------------- products

    def product(
        self,
        coef: Number,
        flat: Flat,
        names: Sequence[str],
        extra: Sequence[tuple[str, Dimension]] | None,
        scope: Scope,
        flip: bool = True,
    ) -> Piece:
        """One term: number, scalars, factors, deltas, and `ones` along `extra` and what else nothing shows."""
        coef = multiply(coef, flat.coef)
        title = self._titles(flat, names)
        rank = {
            label: k
            for k, label in enumerate(sorted(title, key=lambda label: (title[label] not in self.batch, title[label])))
        }
        parts = Walk(flat, rank).components()
        fresh = fresh_names(scope.used | set(title.values()))
        for label in (label for part in parts for item in part.items for label in item.shown):
            if label not in title:
                title[label] = next(fresh)
        told = self.read.told(flat, [label for label in title if title[label] in scope.told])
        names_told = scope.told | {title[label] for label in told if label in title}
        inner = scope._replace(used=scope.used | set(title.values()), told=names_told)
        turned = (
            next((item for part in parts for item in part.items if self._turns(item)), None)
            if flip and _negative(coef)
            else None
        )
        top: list[Piece] = []
        bottom: list[Piece] = []
        for label in flat.alone:
            size = flat.sizes[label]
            if isinstance(size, int):
                coef = multiply(coef, size)
            else:
                top.append(Delta((str(size).strip("?'"),) * 2) if unknown(size) else Size(size))
        for part in parts:
            above, below = self._component(part, flat, title, inner, turned)
            top += above
            bottom += below
        lone = [(title[label], flat.sizes[label]) for label in flat.loose if title[label] not in scope.silent]
        for name, dim in (*lone, *(extra or ())):
            top.append(Ones((name,), None if name in scope.told or unknown(dim) else dim))
        return times(coef if turned is None else multiply(coef, -1), tuple(top), tuple(bottom))

    def _titles(self, flat: Flat, names: Sequence[str]) -> dict[int, str]:
        """The names of the axes; among axes that a delta joins, the first carries the least."""
        title = dict(enumerate(names))
        for group in flat.groups:
            title.update(zip(group, sorted(names[axis] for axis in group), strict=True))
        return title

    def _component(
        self, part: Component, flat: Flat, title: Mapping[int, str], scope: Scope, turned: Item | None
    ) -> tuple[list[Piece], list[Piece]]:
        """The factors of a component above and below the line; those of a component with a sum stand together."""
        needs = part.bound & (flat.deep if scope.direct else flat.explicit)
        lone = len(part.items) == 1 and isinstance(part.items[0].node, Sum)
        if needs or lone or all(_negative(item.exponent) for item in part.items):
            needs = part.bound & flat.explicit
        order = dict.fromkeys(title[label] for item in part.items for label in item.shown if label in part.bound)
        said = tuple(name for name in order if name in {title[label] for label in needs})
        inner = scope._replace(kept=scope.kept | set(said), direct=False)
        top: list[Piece] = []
        bottom: list[Piece] = []
        for item in part.items:
            piece = self.factor(
                item, [title.get(label, "") for label in item.labels], flat, inner, -1 if item is turned else 1
            )
            if item in flat.twice:
                top += [piece, piece]
                continue
            below = _negative(item.exponent)
            exponent = multiply(item.exponent, -1) if below else item.exponent
            (bottom if below else top).append(piece if exponent == 1 else Power(piece, Plain(exponent)))
        if not part.bound:
            return top, bottom
        silent = tuple(name for name in order if name not in said)
        return [Total(said, silent, times(1, tuple(top), tuple(bottom)))], []

    # -------------------------------------------------------------- factors

    def factor(self, item: Item, names: Sequence[str], flat: Flat, scope: Scope, sign: int) -> Piece:
        """The base of a factor."""
        node = item.node
        if node is None:
            dim = flat.sizes[item.labels[0]]
            told = any(name in scope.told for name in names) or unknown(dim)
            return Delta(tuple(sorted(names)), None if told else dim)
        if self.read.is_name(node):
            return self.named(node, tuple(names), scope)
        match node:
            case Sum():
                return self.plus(node, names, scope, sign)
            case Elementwise():
                args = [distinct(arg.node, arg.labels) for arg in node.args]
                pieces = [self.scoped(arg, [names[x] for x in labels], scope) for arg, labels in args]
                return Function(node.fn, tuple(pieces), node.params)
            case Reduction():
                return self.reduced(node, names, scope)
            case Product():
                return self.product(1, self.read.flat(node), names, None, scope)
        raise AssertionError(f"a {node.kind} has a name")

    def named(self, node: Node, subs: Names, scope: Scope) -> Piece:
        """What stands as a name with subscripts: tensors, definitions, functions of whole arrays."""
        if self.read.is_reference(node):
            return Ref(node, subs)
        if is_zero(node):
            return Filled("zeros", node.dims, subs) if node.order else Plain(0)
        match node:
            case Variable():
                return Named(node.label, subs, node.latex)
            case Constant():
                return constant_piece(node, subs)
            case Definition():
                return Named(node.label, subs)
            case Regroup():
                return joined_piece(node, subs) or self.grouped(node, subs, scope)
            case Reduction():
                return self.whole(node, subs, scope)
            case Call():
                if node.function.gradient and sum(node.orders) == 1:
                    return Named(node.name, subs)
                args = tuple(self.argument(child, scope) for child in node.children)
                return Applied(node.name, args, subs, node.function.name, node.orders)
            case Matrix():
                args = tuple(self.argument(child, scope) for child in node.children)
                times = (node.times,) if node.times else ()
                return Applied(node.name, args, subs, node.fn, times, node.params)
        raise AssertionError(f"a {node.kind} has no name")

    def simple_array(self, node: Node, scope: Scope) -> Piece | None:
        """A node as an array, if it has a name or is `zeros`, `ones`, `eye`, or has no axes."""
        if node.order == 0:
            return self.scoped(node, (), scope)
        if self.read.is_name(node):
            return self.named(node, (), scope) if self.read.is_reference(node) or _stands(node) else None
        plain = isinstance(node, Product) and not node.factors and node.coef == 1 and node.bound == 0
        if not plain or not isinstance(node, Product) or any(map(unknown, node.dims)):
            return None
        if node.out == (0, 0):
            return Filled("eye", node.dims[:1])
        return Filled("ones", node.dims) if len(set(node.out)) == node.order else None

    def argument(self, node: Node, scope: Scope) -> Piece:
        """A node as an array within an expression."""
        closed = self._closed(scope.used)
        simple = self.simple_array(node, closed)
        if simple is not None:
            return simple
        names = self.axis_names(node, scope.used)
        return Braces(names, self.bound(node, names, closed))

    def whole(self, node: Reduction, subs: Names, scope: Scope) -> Piece:
        """A function of whole matrices, which are put last among the axes of its argument."""
        row, last = reduction_row(node.fn), tuple(range(node.child.order))[-2:]
        front = [axis for axis in range(node.child.order) if axis not in node.axes]
        child = transpose(node.child, [*front, *node.axes]) if node.axes != last else node.child
        if subs and row.keeps:
            ends = [subs[axis] for axis in node.axes]
            subs = (*(subs[axis] for axis in front), *(reversed(ends) if row.turned else ends))
        return Applied(row.matrix, (self.argument(child, scope),), subs)

    def grouped(self, node: Regroup, subs: Names, scope: Scope) -> Piece:
        """Axes joined and split, as a pattern."""
        fresh = fresh_names(())
        letters = [next(fresh) for _ in node.sizes]
        inner = tuple(tuple(letters[x] for x in group) for group in node.inner)
        outer = tuple(tuple(letters[x] for x in group) for group in node.outer)
        sizes = tuple((letters[x], node.sizes[x]) for group in node.inner if len(group) > 1 for x in group)
        return Grouped(self.argument(node.child, scope), inner, outer, sizes, subs)

    def reduced(self, node: Reduction, names: Sequence[str], scope: Scope) -> Piece:
        """A function along axes, whose names are bound in its argument unless they stay."""
        fresh, kept = fresh_names(scope.used | set(names)), iter(names)
        inner = (
            list(names)
            if node.keeps
            else [next(fresh) if x in node.axes else next(kept) for x in range(node.child.order)]
        )
        arg = self.scoped(node.child, inner, scope)
        fn = "normF" if node.fn == "norm2" and len(node.axes) == 2 else node.fn
        said = len(inner) != (2 if fn == "normF" else 1)
        return Reduced(fn, arg, tuple(sorted(inner[x] for x in node.axes)), said, node.params)


def _stands(node: Node) -> bool:
    """Is the name of this node, without indices, the array with its axes as they are?"""
    if not isinstance(node, Reduction) or not node.keeps:
        return True
    return not reduction_row(node.fn).turned and node.axes == (node.order - 2, node.order - 1)


def _distinct_names(node: Node, names: Sequence[str]) -> tuple[Node, list[str]]:
    """A node and its names, a repeated name taken as a diagonal."""
    order = list(dict.fromkeys(names))
    made, labels = distinct(node, tuple(order.index(name) for name in names))
    return made, [order[label] for label in labels]


def _number_last(terms: list[Written]) -> list[Written]:
    """A positive number goes last, unless all the others are negative or the only other one is a function."""
    number = next((written for written in terms if written[0].is_number and not _negative(written[0].value)), None)
    if number is None:
        return terms
    rest = [written for written in terms if written is not number]
    function = len(rest) == 1 and rest[0][0].is_function
    first = function or all(_negative(term.value) for term, _ in rest)
    return [number, *rest] if first else [*rest, number]


def _negative(value: Number) -> bool:
    return not isinstance(value, complex) and value < 0
