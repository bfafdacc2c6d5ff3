"""From a node to pieces, under the names of its axes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from indexcalc.graph.constructors import is_zero
from indexcalc.graph.node import Call, Constant, Elementwise, Node, Product, Reduction, Sum, topological
from indexcalc.graph.numbers import Number, multiply
from indexcalc.graph.ranges import relation_of
from indexcalc.index import Dimension, unknown
from indexcalc.writing.index.named import called_piece, filled_piece, is_upright, named_piece
from indexcalc.writing.index.opened import Item, Legibility, OpenProduct, distinct, entry_args, is_negative
from indexcalc.writing.index.order import Component, Walk, alone
from indexcalc.writing.index.outline import Outline
from indexcalc.writing.index.pages import Page, References, definitions_of
from indexcalc.writing.index.shifted import Shifted
from indexcalc.writing.index.terms import Addend, Texts, Written, in_order, number_last
from indexcalc.writing.index.words import fresh_names, words
from indexcalc.writing.known import selected_of
from indexcalc.writing.syntax import (  # fmt: skip
    Arrow,
    Braces,
    Delta,
    Function,
    Names,
    Ones,
    Picked,
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


class Setting(NamedTuple):
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


class Arranger:
    """Arranges one expression; `text` is what terms are sorted by. With `shifted`, indices may be affine."""

    def __init__(self, root: Node, batch: Iterable[str], text: Texts, shifted: Shifted | None = None) -> None:
        self.root, self.shifted = root, shifted or Shifted({})
        self.batch = frozenset(batch)
        self.words = words(root)
        self.names: frozenset[str] = frozenset()
        self.read = Legibility(Outline(root), shifted is not None, self.shifted.dependent)
        self.text = text

    # -------------------------------------------------------------- whole expressions

    def expression(self, names: Sequence[str]) -> Piece:
        """The root in index notation, under these names for its axes."""
        self.names = frozenset(names)
        scope = Setting(self.batch, frozenset(), self.words | self.batch | self.names, self.names)
        return self.scoped(self.root, names, scope, self.names)

    def array(self, places: Sequence[int | None] | None = None, upright: bool = True) -> Piece:
        """The root as an array: a name, if it is `upright`, or the body with an arrow to its axes, 1 for unit axes."""
        if upright and (simple := self.simple_array(self.root, self._closed(frozenset()))) is not None:
            return simple
        names = self.axis_names(self.root)
        self.names = frozenset(names)
        shown = names if places is None else tuple("1" if k is None else names[k] for k in places)
        return Arrow(self.bound(self.root, names, self._closed(frozenset())), shown)

    def definition(self, node: Node) -> Piece:
        """What the definition of a node says."""
        self.read.current = node
        scope = self._closed(frozenset())
        if node.order == 0:
            return self.scoped(node, (), scope)
        names = self.axis_names(node)
        return self.simple_array(node, scope) or Braces(names, self.bound(node, names, scope))

    def axis_names(self, node: Node, used: frozenset[str] = frozenset()) -> Names:
        """Names for the axes of an array."""
        fresh = fresh_names(self.words | self.batch | used)
        return tuple(next(fresh) for _ in range(node.order))

    def page(self, start: Callable[[], Piece], references: References) -> Page:
        """The expression with its definitions; `references` finds those that a piece names, in text order."""
        self.read.current = self.root
        body = start()
        order = definitions_of(body, self.definition, references)
        return Page(body, order, self.words | self.names)

    def _closed(self, used: frozenset[str]) -> Setting:
        """The scope of an array, which sees no index from outside."""
        return Setting(self.batch, frozenset(), self.words | self.batch | used, frozenset())

    # -------------------------------------------------------------- scopes

    def scoped(self, node: Node, names: Sequence[str], scope: Setting, told: frozenset[str] = frozenset()) -> Piece:
        """A node as a whole expression, or as an argument of a function: in braces if plain text would misread it."""
        node, names = _distinct_names(node, names)
        told |= {names[axis] for axis in self.read.given(node)}
        inner = Setting(scope.kept, scope.silent, scope.used | set(names), told)
        if any(names[axis] not in scope.kept for axis in self.read.abused(node)):
            order = tuple(sorted(names, key=lambda name: (name not in self.batch, name)))
            return Braces(order, self.bound(node, names, inner))
        return self.expr(node, names, inner)

    def bound(self, node: Node, names: Sequence[str], scope: Setting) -> Piece:
        """A node within braces that bind its names."""
        told = scope.told | {names[axis] for axis in self.read.given(node)}
        kept = scope.kept | set(names)
        return self.expr(
            node, names, Setting(kept, scope.silent | (told & set(names)), scope.used | set(names), told, direct=True)
        )

    def expr(self, node: Node, names: Sequence[str], scope: Setting, sign: int = 1) -> Piece:
        """A node as a sum of terms, or as one term."""
        if is_zero(node):
            return self.named(node, tuple(names), scope)
        if isinstance(node, Sum) and not self.read.is_reference(node):
            shown = self.read.carried(node)
            if all(axis in shown or name in scope.silent for axis, name in enumerate(names)):
                return self.plus(node, names, scope, sign)
        return self.product(sign, self.read.flat(node), names, None, scope)

    def plus(self, node: Sum, names: Sequence[str], scope: Setting, sign: int = 1) -> Piece:
        """A sum, its terms in the order in which people write them."""
        shown = self.read.carried(node)
        terms: list[Written] = []
        for coef, inner, labels in self.read.rows(node):
            lacks = [axis for axis in shown if axis not in labels and names[axis] not in scope.kept] if labels else []
            term = Addend(
                multiply(sign, coef),
                self.read.flat(inner),
                [names[x] for x in labels],
                [(names[x], node.dims[x]) for x in lacks],
            )
            terms.append((term, self.product(*term[:4], scope, flip=False)))
        terms = in_order(terms, self.text)
        if all(is_negative(term.value) for term, _ in terms):
            self._turn_one(terms, scope)
        return Plus(tuple(piece for _, piece in number_last(terms)))

    def _turn_one(self, terms: list[Written], scope: Setting) -> None:
        """Where all terms are negative, the first that can takes its sign into a sum: `2*(a - b)` for `-2*(b - a)`."""
        for k, (term, _) in enumerate(terms):
            if any(map(self._turns, alone([Component(term.flat.items, frozenset())]))):
                terms.insert(0, (term._replace(turned=True), self.product(*term[:4], scope, flip=True)))
                del terms[k + 1]
                return

    def _turns(self, item: Item) -> bool:
        """Does the sum in this factor begin with a plus once its sign is turned?"""
        if not isinstance(item.node, Sum) or item.exponent != 1 or self.read.is_reference(item.node):
            return False
        return any(
            is_negative(multiply(coef, self.read.flat(inner).coef)) for coef, inner, _ in self.read.rows(item.node)
        )

    # -------------------------------------------------------------- products

    def product(
        self,
        coef: Number,
        flat: OpenProduct,
        names: Sequence[str],
        extra: Sequence[tuple[str, Dimension]] | None,
        scope: Setting,
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
        self.shifted.note(flat, title, told, self.names)
        names_told = scope.told | {title[label] for label in told if label in title}
        inner = scope._replace(used=scope.used | set(title.values()), told=names_told)
        turned = next(filter(self._turns, alone(parts)), None) if flip and is_negative(coef) else None
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
            self.shifted.refuse([name])
            top.append(Ones((name,), None if name in scope.told or unknown(dim) else dim))
        return times(coef if turned is None else multiply(coef, -1), tuple(top), tuple(bottom))

    def _titles(self, flat: OpenProduct, names: Sequence[str]) -> dict[int, str]:
        """The names of the axes; among axes that a delta joins, the first carries the least."""
        title = dict(enumerate(names))
        for group in flat.groups:
            title.update(zip(group, sorted(names[axis] for axis in group), strict=True))
        return title

    def _component(
        self, part: Component, flat: OpenProduct, title: Mapping[int, str], scope: Setting, turned: Item | None
    ) -> tuple[list[Piece], list[Piece]]:
        """The factors of a component above and below the line; those of a component with a sum stand together."""
        needs = part.bound & (flat.deep if scope.direct else flat.explicit)
        lone = len(part.items) == 1 and isinstance(part.items[0].node, Sum)
        if needs or lone or all(is_negative(item.exponent) for item in part.items):
            needs = part.bound & flat.explicit
        held = [item for item in part.items if _is_condition(item, part)]
        order = dict.fromkeys(
            title[label] for item in part.items if item not in held for label in item.shown if label in part.bound
        )
        needs = part.bound if held else needs
        said = tuple(name for name in order if name in {title[label] for label in needs})
        inner = scope._replace(kept=scope.kept | set(said), direct=False)
        top: list[Piece] = []
        bottom: list[Piece] = []
        for item in part.items:
            if item in held:
                continue
            piece = self.factor(
                item, [title.get(label, "") for label in item.labels], flat, inner, -1 if item is turned else 1
            )
            if item in flat.twice:
                top += [piece, piece]
                continue
            below = is_negative(item.exponent)
            exponent = multiply(item.exponent, -1) if below else item.exponent
            (bottom if below else top).append(piece if exponent == 1 else Power(piece, Plain(exponent)))
        if not part.bound:
            return top, bottom
        silent = tuple(name for name in order if name not in said)
        where = tuple(_condition(item.node, [title[label] for label in item.labels]) for item in held)
        return [Total(said, silent, times(1, tuple(top), tuple(bottom)), where)], []

    # -------------------------------------------------------------- factors

    def factor(self, item: Item, names: Sequence[str], flat: OpenProduct, scope: Setting, sign: int) -> Piece:
        """The base of a factor."""
        node = item.node
        if node is None:
            dim = flat.sizes[item.labels[0]]
            told = any(name in scope.told for name in names) or unknown(dim)
            self.shifted.refuse(names)
            return Delta(tuple(sorted(names)), None if told else dim)
        if item.affine:
            return self.named(node, self.shifted.subscripts(names, item.affine), scope, shift=False)
        if item.picks:
            return self.picked(item, tuple(names), scope)
        if self.read.is_name(node):
            return self.named(node, tuple(names), scope)
        if isinstance(node, Sum):
            return self.plus(node, names, scope, sign)
        entries = entry_args(node)
        if entries is not None:
            args = [distinct(arg.node, arg.labels) for arg in entries]
            pieces = tuple(self.scoped(arg, [names[x] for x in labels], scope) for arg, labels in args)
            if isinstance(node, Elementwise):
                return Function(node.fn, pieces, node.params)
            assert isinstance(node, Call)
            return called_piece(node, pieces)
        if isinstance(node, Reduction):
            return self.reduced(node, names, scope)
        assert isinstance(node, Product), f"how is a {node.kind} spelled out?"
        return self.product(1, self.read.flat(node), names, None, scope)

    def named(self, node: Node, subs: Names, scope: Setting, shift: bool = True) -> Piece:
        """What stands as a name with subscripts: tensors, definitions, functions of whole arrays."""
        if shift:
            subs = self.shifted.named(node, subs)
        if self.read.is_reference(node):
            return Ref(node, subs)
        return named_piece(node, subs, partial(self.argument, scope=scope))

    def picked(self, item: Item, subs: Names, scope: Setting) -> Piece:
        """A factor of which entries are picked."""
        assert item.node is not None
        if affine := self.shifted.picks(item, subs):
            return self.named(item.node, self.shifted.subscripts(subs, affine), scope, shift=False)
        keys = list(item.picks)
        while keys and keys[-1] == ":":
            keys.pop()
        if not keys:
            return self.named(item.node, subs, scope)
        return Picked(selected_of(item.node) or self.named(item.node, (), scope), tuple(keys), subs)

    def simple_array(self, node: Node, scope: Setting) -> Piece | None:
        """A node as an array, if it has a name or is `zeros`, `ones`, `eye`, or has no axes."""
        if node.order == 0:
            return self.scoped(node, (), scope)
        if self.read.is_name(node):
            return self.named(node, (), scope) if self.read.is_reference(node) or is_upright(node) else None
        flat = self.read.flat(node)
        if [item.labels for item in flat.items if item.picks] == [tuple(range(node.order))] and flat.coef == 1:
            (item, *more) = flat.items
            if not more and item.exponent == 1:
                return self.picked(item, (), scope)
        return filled_piece(node)

    def argument(self, node: Node, scope: Setting) -> Piece:
        """A node as an array within an expression."""
        closed = self._closed(scope.used)
        simple = self.simple_array(node, closed)
        if simple is not None:
            return simple
        names = self.axis_names(node, scope.used)
        return Braces(names, self.bound(node, names, closed))

    def reduced(self, node: Reduction, names: Sequence[str], scope: Setting) -> Piece:
        """A function along axes, whose names are bound in its argument unless they stay; no argument lacks an axis."""
        fresh = fresh_names(scope.used | set(names))
        shown = [name if name not in names[:axis] else next(fresh) for axis, name in enumerate(names)]
        if shown != list(names):  # a diagonal of what keeps its axes: an index for each, and a delta
            whole = self.reduced(node, shown, scope._replace(used=scope.used | set(shown)))
            pairs = [(name, own) for name, own in zip(names, shown, strict=True) if name != own]
            return times(1, (whole, *(Delta(pair) for pair in pairs)))
        kept = iter(names)
        inner = (
            list(names)
            if node.keeps
            else [next(fresh) if x in node.axes else next(kept) for x in range(node.child.order)]
        )
        arg = self.scoped(node.child, inner, scope._replace(silent=frozenset()))
        fn = "normF" if node.fn == "norm2" and len(node.axes) == 2 else node.fn
        said = len(inner) != (2 if fn == "normF" else 1)
        return Reduced(fn, arg, tuple(sorted(inner[x] for x in node.axes)), said, node.params)


def _is_condition(item: Item, part: Component) -> bool:
    """Is this a triangle between two labels that are summed, each of which another factor shows?"""
    node = item.node
    if not isinstance(node, Constant) or node.label != "tril" or node.params not in ((), (-1,)) or item.exponent != 1:
        return False
    shown = {label for other in part.items if not _is_known(other) for label in other.shown}
    return node.dims[0] == node.dims[1] and len(set(item.labels)) == 2 and set(item.labels) <= part.bound & shown


def _condition(node: Node | None, names: Sequence[str]) -> tuple[str, str, str]:
    """What a triangle of ones says of the names of its rows and columns."""
    row, column = names
    return column, "<" if isinstance(node, Constant) and node.params else "<=", row


def _is_known(item: Item) -> bool:
    return isinstance(item.node, Constant)


def _distinct_names(node: Node, names: Sequence[str]) -> tuple[Node, list[str]]:
    """A node and its names, a repeated name taken as a diagonal."""
    order = list(dict.fromkeys(names))
    made, labels = distinct(node, tuple(order.index(name) for name in names))
    return made, [order[label] for label in labels]


def expression_page(
    node: Node,
    names: Sequence[str],
    batch: Iterable[str],
    text: Texts,
    references: References,
    starts: Mapping[str, Dimension],
    dependent: bool = False,
) -> tuple[Page, Arranger]:
    """An expression in index notation with its definitions, and what arranged it; affine where a reader can be told."""
    arranger = Arranger(node, batch, text, Shifted(starts, dependent))
    page = arranger.page(lambda: arranger.expression(names), references)
    if arranger.shifted.untold:
        arranger = Arranger(node, batch, text)
        page = arranger.page(lambda: arranger.expression(names), references)
    return page, arranger


def array_page(
    node: Node, places: Sequence[int | None] | None, upright: bool, text: Texts, references: References
) -> tuple[Page, Arranger]:
    """An array in index notation with its definitions, and what arranged it.

    Affine deltas in it are affine indices where a reader can be told over which values these run.
    """
    ways = [Shifted({})] if any(relation_of(inner) is not None for inner in topological([node])) else []
    for shifted in (*ways, None):
        arranger = Arranger(node, (), text, shifted)
        page = arranger.page(partial(arranger.array, places, upright), references)
        if not arranger.shifted.untold:
            break
    return page, arranger
