"""One program for one choice of what is opened: nodes become values, products become pairwise steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from fractions import Fraction
from math import prod
from typing import Any, NamedTuple

import opt_einsum
from opt_einsum.path_random import RandomOptimizer

from indexcalc.engine import cost
from indexcalc.engine.bind.inputs import number_of
from indexcalc.engine.plan import terms
from indexcalc.engine.plan.collect import Ready, collect
from indexcalc.engine.plan.contract import (
    EXACT,
    Key,
    Piece,
    Tree,
)
from indexcalc.engine.plan.contract import Product as Contraction
from indexcalc.engine.plan.joined import Form, attach, whole
from indexcalc.engine.plan.pool import Table
from indexcalc.engine.plan.terms import Term
from indexcalc.engine.program import (
    Add,
    Apply,
    Contract,
    Fill,
    Input,
    Invoke,
    Known,
    Map,
    Part,
    Reduce,
    Reshape,
    Use,
)
from indexcalc.functions.table import reduction_row
from indexcalc.graph.constructors import as_number, einsum, elementwise
from indexcalc.graph.edge import symmetry_of
from indexcalc.graph.labels import UnionFind
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
from indexcalc.simplify.intervals import ANY

FEW = 4
"""Products of more factors are contracted greedily where the program is made as it is written."""
HALF = Fraction(1, 2)
INLINE = (Product, Sum, Definition)
ROOTED = 1.0
"""A weighted Gram matrix is made from the root of its weights where that takes at most this share of the time."""
DELTA_TERMS = 4
"""A sum of at most so many terms that holds a delta is multiplied out, rather than written out."""


class Choice(NamedTuple):
    """Products and sums that stay values of their own, and sums that are multiplied out: with `deltas`, all short ones
    that hold a delta; `written` if each product and sum is made as it is written.
    """

    kept: frozenset[Node]
    opened: frozenset[Node]
    deltas: bool = True
    written: bool = False


class Build:
    """The program of one choice: `results` are values, `seconds` its cost, `seen` the keys of all parts of products.

    `parts` has, by the key of each part that was made, the keys of the products that have it: those of a program are
    the `before` of one that is planned again.
    """

    def __init__(
        self,
        roots: Sequence[Node],
        order: Sequence[Node],
        table: Table,
        choice: Choice,
        shares: Mapping[Key, int],
        optimize: Any = None,
        halve: bool = True,
        before: Mapping[Key, set[Key]] | None = None,
    ) -> None:
        self.before = before or {}
        self.parts: dict[Key, set[Key]] = {}
        self.planned: set[Key] = set()
        self.table, self.choice, self.shares, self.optimize, self.halve = table, choice, shares, optimize, halve
        self.held: dict[Node, tuple[int, Form]] = {}
        self.terms: dict[Node, list[Term]] = {}
        self.pool: dict[Key, int] = {}
        self.seen: list[Key] = []
        wanted = self._wanted(roots, order)
        for node in order:
            if isinstance(node, INLINE):
                self.terms[node] = self.expanded(node)
                if node in wanted:
                    self.hold(node)
            else:
                self.hold(node)
        self.results = self.made(roots)
        self.seconds = sum(table.costs[number] for number in table.live(self.results))

    def made(self, roots: Sequence[Node]) -> tuple[int, ...]:
        """The values that are the results: the whole array of each root."""
        return tuple(self.dense(root) for root in roots)

    # -------------------------------------------------------------- what is opened

    def _wanted(self, roots: Sequence[Node], order: Sequence[Node]) -> set[Node]:
        """The products and sums that are values: roots, arguments of functions, and what the choice keeps."""
        self.arguments = {child for node in order if not isinstance(node, INLINE) for child in node.children}
        wanted = set(roots) | self.arguments
        for node in order:
            if isinstance(node, Product):
                wanted |= {f.node for f in node.factors if not self._opens(node, f.node, f.exponent)}
            elif isinstance(node, Sum | Definition):
                wanted |= {child for child in node.children if not self._opens(node, child, 1)}
        return wanted

    def _opens(self, parent: Node, child: Node, exponent: Number) -> bool:
        if isinstance(child, Definition):
            return exponent == 1
        if exponent != 1 or not isinstance(child, INLINE):
            return False
        if child in self.choice.kept or (child in self.arguments and isinstance(child, Product) and child.bound):
            return False
        if isinstance(child, Product) or not isinstance(parent, Product):
            return not (isinstance(child, Sum) and child in self.arguments)
        return child in self.choice.opened or (self.choice.deltas and _holds_delta(child))

    def expanded(self, node: Node) -> list[Term]:
        """A product, sum or named step as a sum of products."""

        def opened(child: Node, exponent: Number) -> list[Term] | None:
            found = self.terms.get(child) if self._opens(node, child, exponent) else None
            if found is None or len(found) > terms.MOST_TERMS:
                return None
            return found if sum(len(term.factors) for term in found) <= terms.MOST_FACTORS else None

        match node:
            case Product():
                return terms.product(node, self.table.extents(node), opened)
            case Sum():
                other = complement(node)
                if other is not None:
                    return terms.as_leaf(other, self.table.shape(node.dims))
                return terms.total(node, self.table.shape(node.dims), opened)
            case Definition():
                return terms.opened_definition(node, opened, self.table.shape(node.dims))
        raise AssertionError(node.kind)

    # -------------------------------------------------------------- values

    def hold(self, node: Node) -> tuple[int, Form]:
        """The value of a node, and how it is held."""
        found = self.held.get(node)
        if found is None and not isinstance(node, INLINE):
            found = self.held[node] = LEAVES[type(node)](self, node)
        if found is None:
            if node not in self.terms:
                self.terms[node] = self.expanded(node)
            found = self.held[node] = self.materialised(self.terms[node], self.table.shape(node.dims))
            bound = self.table.range(node)
            if self.table.bounds[found[0]] == ANY and bound != ANY:
                self.table.bounds[found[0]] = bound
        value, form = found
        if form.plain and len(form.labels) == len(form.out):
            self.table.note(value, tuple([form.out.index(x) for x in form.labels]), symmetry_of(node))
        return found

    def dense(self, node: Node) -> int:
        """The whole array of a node, with its axes in order."""
        value, form = self.hold(node)
        return value if form.whole else self.written(value, form)

    def written(self, value: int, form: Form) -> int:
        """The array that a form stands for; deltas and constant axes are written out."""
        if form.plain and len(form.labels) == len(form.out):
            return self.single(1, Use(value, form.labels), form.out, dict(enumerate(form.sizes)))
        step = Add((Part(1, Use(value, form.labels), form.out),), form.shape)
        return self.table.add(step, cost.single(prod(form.shape), prod(form.shape)), self.table.bounds[value])

    def without_delta(self, node: Node) -> tuple[int, Form]:
        """A value of a node that has no delta; axes along which it is constant are left out."""
        value, form = self.hold(node)
        return (value, form) if form.plain else (self.written(value, form), whole(form.shape))

    def single(self, coef: Number, use: Use, out: Sequence[int], sizes: Mapping[int, int]) -> int:
        """One operand: its axes in another order, a diagonal of it, a sum along axes, or a multiple."""
        if coef == 1 and use.labels == tuple(out):
            return use.value
        if coef == -1 and sorted(use.labels) == sorted(out) and (other := self._negative(use.value)) is not None:
            return self.single(1, Use(other, use.labels), out, sizes)
        number: dict[int, int] = {}
        for label in use.labels:
            number.setdefault(label, len(number))
        shape = tuple(sizes[label] for label in out)
        step = Contract(
            coef,
            (Use(use.value, tuple(number[x] for x in use.labels)),),
            tuple(number[x] for x in out),
            shape,
            {number[x]: sizes[x] for x in number},
        )
        free = coef == 1 and len(set(out)) == len(set(use.labels))
        spent = 0.2e-6 if free else cost.single(prod(sizes[x] for x in number), prod(shape))
        low, high = self.table.bounds[use.value]
        return self.table.add(step, spent, (low, high) if free or (coef == 1 and low >= 0) else ANY)

    def _negative(self, value: int) -> int | None:
        """The value that is minus this sum, if there is one: `y - x` is no other value than `-(x - y)`."""
        step = self.table.steps[value]
        if not isinstance(step, Add):
            return None
        parts = tuple(Part(multiply(-1, part.coef), part.use, part.places) for part in step.parts)
        return self.table.numbers.get(Add(parts, step.shape))

    def power(self, value: int, exponent: Number) -> int:
        """The entries to a power."""
        shape = self.table.steps[value].shape
        axes = tuple(range(len(shape)))
        low = self.table.bounds[value][0]
        positive = low >= 0 or (isinstance(exponent, int) and exponent % 2 == 0)
        step = Map("**", (exponent,), (Use(value, axes),), axes, shape)
        return self.table.add(step, cost.elementary(prod(shape)), (0.0, float("inf")) if positive else ANY)

    # -------------------------------------------------------------- sums of products

    def materialised(self, found: Sequence[Term], shape: tuple[int, ...]) -> tuple[int, Form]:
        """The value of a sum of products, and how it is held."""
        ready = [made for term in found if (made := self.ready(term)) is not None]
        if not ready:
            return self.table.add(Fill(0, ()), 0.0, (0.0, 0.0)), Form((), tuple(range(len(shape))), shape)
        if len(ready) > 1:
            ready = collect(self, ready)
        if len(ready) == 1:
            (term,) = ready
            piece = self.contracted(term, term.coef)
            number = {label: place for place, label in enumerate(dict.fromkeys(term.out))}
            form = Form(
                tuple(number[x] for x in piece.labels),
                tuple(number[x] for x in term.out),
                tuple(term.sizes[x] for x in number),
            )
            return piece.value, form
        return self.added([(term.coef, self.contracted(term, 1), term.out) for term in ready], shape)

    def added(self, parts: Sequence[tuple[Number, Piece, Sequence[int]]], shape: tuple[int, ...]) -> tuple[int, Form]:
        """The sum of values: a delta of all of them is held apart, as is an axis along which all are constant. Its axes
        are in the order in which its first operand has them, so that it is the same whatever their order is in a node.
        """
        first: dict[tuple[int, ...], int] = {}
        out = [first.setdefault(tuple(place[k] for _, _, place in parts), k) for k in range(len(shape))]
        groups = list(dict.fromkeys(out))
        shared = [Counter(place[k] for k in groups) for _, _, place in parts]
        varies = [
            {k for k in groups if place[k] in piece.labels or count[place[k]] > 1}
            for (_, piece, place), count in zip(parts, shared, strict=True)
        ]
        carried = {k for k in groups if any(k in own for own in varies)}
        parts = sorted(parts, key=lambda part: part[1].value)
        seen = [place.index(x) for _, piece, place in parts for x in piece.labels if x in place]
        axes = [k for k in dict.fromkeys([out[axis] for axis in seen] + groups) if k in carried]
        step_parts = []
        for coef, piece, place in parts:
            places = [place[k] for k in axes]
            number: dict[int, int] = {}
            for label in (*piece.labels, *places):
                number.setdefault(label, len(number))
            use = Use(piece.value, tuple(number[x] for x in piece.labels))
            step_parts.append(Part(coef, use, tuple(number[x] for x in places)))
        made_shape = tuple(shape[k] for k in axes)
        step = Add(tuple(step_parts), made_shape)
        spent = cost.CALL * len(parts) + len(parts) * prod(made_shape) / cost.MEMORY
        number = {k: place for place, k in enumerate(dict.fromkeys(out))}
        labels = tuple(number[k] for k in axes)
        form = Form(labels, tuple(number[k] for k in out), tuple(shape[k] for k in number))
        return self.table.add(step, spent), form

    def ready(self, term: Term) -> Ready | None:
        """A term in values: deltas of its leaves joined, powers taken, sums over what one factor has alone done."""
        if term.coef == 0:
            return None
        joined = UnionFind()
        rows = []
        for leaf, labels, exponent in term.factors:
            positive = not isinstance(exponent, complex) and exponent > 0
            value, form = self.hold(leaf) if positive else self.without_delta(leaf)
            rows.append((value, attach(joined, form, labels), exponent))
        sizes = {joined.find(x): size for x, size in enumerate(term.sizes)}
        out = tuple(joined.find(x) for x in term.out)
        pieces: list[Piece] = []
        for value, held_labels, exponent in rows:
            own = [joined.find(x) for x in held_labels]
            distinct = tuple(dict.fromkeys(own))
            made = self.single(1, Use(value, tuple(own)), distinct, sizes)
            times = exponent if isinstance(exponent, int) and 1 <= exponent <= 3 else 1
            if times != exponent:
                made = self.power(made, exponent)
            pieces += [Piece(made, distinct)] * times
        carried = {x for piece in pieces for x in piece.labels}
        coef = term.coef
        for label in sorted(sizes.keys() - carried - set(out)):
            if sizes[label] in self.table.symbols:
                length = Known("size", (self.table.symbols[sizes[label]],), ())
                pieces.append(Piece(self.table.add(length, 0.0), ()))
            else:
                coef = multiply(coef, sizes[label])
        return Ready(coef, tuple(self._summed(pieces, out, sizes)), out, sizes)

    def _summed(self, pieces: Sequence[Piece], out: Sequence[int], sizes: Mapping[int, int]) -> list[Piece]:
        """The pieces, each summed over the labels that neither another piece nor the result has."""
        count = Counter(x for piece in pieces for x in piece.labels)
        result = []
        for piece in pieces:
            kept = tuple(x for x in piece.labels if count[x] > 1 or x in out)
            result.append(Piece(self.single(1, Use(*piece), kept, sizes), kept))
        return result

    def contracted(self, term: Ready, coef: Number) -> Piece:
        """A product as one value, times `coef`; its labels are those of the result that some factor has."""
        scalars = [piece for piece in term.pieces if not piece.labels]
        pieces = [piece for piece in term.pieces if piece.labels]
        scale: Piece | None = None
        for piece in scalars:
            scale = piece if scale is None else self.pair(scale, piece, (), term.sizes)
        if not pieces:
            if scale is None:
                return Piece(self.table.add(Fill(coef, ()), 0.0), ())
            return Piece(self.single(coef, Use(*scale), (), term.sizes), ())
        return self.product(pieces, frozenset(term.out), term.sizes, coef, scale)

    @staticmethod
    def _size(piece: Piece, sizes: Mapping[int, int]) -> int:
        return prod(sizes[x] for x in piece.labels)

    def product(
        self,
        pieces: list[Piece],
        kept: frozenset[int],
        sizes: Mapping[int, int],
        coef: Number,
        scale: Piece | None = None,
    ) -> Piece:
        """The product of pieces that all have labels, times `coef`, and a value without axes, if any."""
        pieces = self.reduced(self._summed(pieces, tuple(kept), sizes), kept, sizes)
        if len(pieces) == 1:
            (piece,) = pieces
            if scale is not None:
                return self.pair(scale, piece, piece.labels, sizes, coef)
            return Piece(self.single(coef, Use(*piece), piece.labels, sizes), piece.labels)
        contraction = self.table.contraction(pieces, kept, sizes)
        spent, tree = self.order(contraction)
        halves = self.halved(contraction, spent) if self.halve and not self.choice.written else None
        if halves is not None:
            made = self.product(halves, kept, sizes, coef if scale is None else 1)
            return made if scale is None else self.pair(scale, made, made.labels, sizes, coef)
        return self.emitted(contraction, tree, coef, scale)

    def reduced(self, pieces: list[Piece], kept: frozenset[int], sizes: Mapping[int, int]) -> list[Piece]:
        """At most `EXACT` pieces: of more, labels are summed one by one, each over the pieces that have it."""
        while len(pieces) > EXACT and self.optimize is None and not self.choice.written:
            contraction = Contraction(pieces, kept, sizes, self.table.turns)
            made = []
            groups = contraction.to_merge()
            for group in groups:
                stays = contraction.stays(sum(1 << k for k in group))
                part = Contraction([pieces[k] for k in group], stays, sizes, self.table.turns)
                made.append(self.emitted(part, self.order(part)[1], 1))
            gone = {k for group in groups for k in group}
            pieces = [piece for k, piece in enumerate(pieces) if k not in gone] + made
        return pieces

    def order(self, contraction: Contraction) -> tuple[float, Tree]:
        """The order of a contraction and its cost; with `optimize`, opt_einsum's."""
        if self.optimize is not None:
            return 0.0, self._given_order(contraction, self.optimize)
        if self.choice.written and len(contraction.pieces) > FEW:
            return 0.0, self._given_order(contraction, "greedy")
        found = self.searched(contraction)
        if not self.choice.written:
            self.seen += contraction.subsets
        return found

    def searched(self, contraction: Contraction) -> tuple[float, Tree]:
        """The cheapest order of a contraction, and its cost. A part has a share of its cost: nothing if it is there, or
        if a product that is still to come was made from it in the program before.
        """
        made = {contraction.key(contraction.everything)[0], *self.planned}

        def share(key: Key) -> float:
            if key in self.pool or not self.before.get(key, made) <= made:
                return 0.01
            return 1 / self.shares.get(key, 1)

        return contraction.search(share)

    def _given_order(self, contraction: Contraction, optimize: Any) -> Tree:
        names = [opt_einsum.get_symbol(x) for x in range(max(contraction.sizes) + 1)]
        spec = ",".join("".join(names[x] for x in piece.labels) for piece in contraction.pieces)
        out = "".join(names[x] for x in sorted(contraction.stays(contraction.everything)))
        shapes = [tuple(contraction.sizes[x] for x in piece.labels) for piece in contraction.pieces]
        if isinstance(optimize, RandomOptimizer):
            optimize = deepcopy(optimize)  # it serves one contraction
        path, _ = opt_einsum.contract_path(f"{spec}->{out}", *shapes, shapes=True, optimize=optimize)
        stack: list[Tree] = list(range(len(contraction.pieces)))
        for group in path:
            chosen = [stack.pop(k) for k in sorted(group, reverse=True)][::-1]
            tree = chosen[0]
            for other in chosen[1:]:
                tree = (tree, other)
            stack.append(tree)
        (tree,) = stack
        return tree

    def halved(self, contraction: Contraction, spent: float) -> list[Piece] | None:
        """`X' diag(w) X` as `(sqrt(w) X)' (sqrt(w) X)`, where w >= 0 is known and that is cheaper."""
        twice = [value for value, times in Counter(p.value for p in contraction.pieces).items() if times == 2]
        for value in twice:
            one, other = (piece for piece in contraction.pieces if piece.value == value)
            shared = {x for x, y in zip(one.labels, other.labels, strict=True) if x == y} - contraction.out
            if set(one.labels) & set(other.labels) != shared or not shared or one == other:
                continue
            weights = [p for p in contraction.pieces if p.value != value and set(p.labels) <= shared]
            rest = [p for p in contraction.pieces if p.value != value and p not in weights]
            even = Counter(weights)
            if not weights or not all(n % 2 == 0 or self.table.bounds[p.value][0] >= 0 for p, n in even.items()):
                continue
            price = self._halved_price(one, other, weights, rest, contraction)
            if price < ROOTED * spent:
                root = self._root(even, contraction.sizes)
                made = self.pair(root, one, one.labels, contraction.sizes)
                return [made, Piece(made.value, other.labels), *rest]
        return None

    def _halved_price(
        self, one: Piece, other: Piece, weights: Sequence[Piece], rest: Sequence[Piece], whole_product: Contraction
    ) -> float:
        sizes = whole_product.sizes
        entries = max(self._size(piece, sizes) for piece in weights)
        price = len(weights) * cost.single(entries, entries) + cost.elementary(entries)
        price += cost.pair(one.labels, (), frozenset(one.labels), sizes)
        trial = Contraction([Piece(-1, one.labels), Piece(-1, other.labels), *rest], whole_product.out, sizes)
        return price + trial.search(lambda key: 1.0)[0]

    def _root(self, weights: Mapping[Piece, int], sizes: Mapping[int, int]) -> Piece:
        """The square root of a product of weights: half of what occurs twice, the root of what occurs once."""
        odd = [piece for piece, times in weights.items() if times % 2]
        factors = [piece for piece, times in weights.items() for _ in range(times // 2)]
        if odd:
            labels = frozenset(x for piece in odd for x in piece.labels)
            base = self.product(odd, labels, sizes, 1)
            factors.append(Piece(self.power(base.value, HALF), base.labels))
        return self.product(factors, frozenset(x for piece in factors for x in piece.labels), sizes, 1)

    # -------------------------------------------------------------- steps

    def emitted(self, contraction: Contraction, tree: Tree, coef: Number, scale: Piece | None = None) -> Piece:
        """The steps of a tree; what the pool has is taken from there."""
        scaled = 0 if scale is None else self._scaled(contraction, tree)
        whole_key = contraction.key(contraction.everything)[0]
        self.planned.add(whole_key)

        def made(tree: Tree, coef: Number) -> Piece:
            if isinstance(tree, int):
                mask, piece = 1 << tree, contraction.pieces[tree]
            else:
                mask = _mask(tree)
                key, stay = contraction.key(mask)
                self.parts.setdefault(key, set()).add(whole_key)
                within = 0 < scaled == mask & scaled < mask
                if key in self.pool and not within:
                    times = 1 if mask == scaled else coef
                    piece = Piece(self.single(times, Use(self.pool[key], stay), stay, contraction.sizes), stay)
                else:
                    one, other = (made(part, 1) for part in tree)
                    piece = self.pair(one, other, stay, contraction.sizes, 1 if mask == scaled else coef)
                    if coef == 1 and not within:
                        self.pool[key] = piece.value
            if scale is None or mask != scaled:
                return piece
            return self.pair(scale, piece, piece.labels, contraction.sizes, coef)

        return made(tree, coef)

    def _scaled(self, contraction: Contraction, tree: Tree) -> int:
        """Which part of a product a number multiplies: the smallest, so that what others have too stays as it is."""
        best, stack = (self._stays(contraction, tree), _mask(tree)), [tree]
        while stack:
            parent = stack.pop()
            if isinstance(parent, int) or (parent != tree and self._shared(contraction, parent)):
                continue
            if parent == tree and contraction.key(_mask(tree))[0] in self.pool:
                break
            for part in parent:
                best = min(best, (self._stays(contraction, part), _mask(part)), key=lambda found: found[0])
                stack.append(part)
        return best[1]

    def _stays(self, contraction: Contraction, tree: Tree) -> int:
        return prod(contraction.sizes[x] for x in contraction.stays(_mask(tree)))

    def _shared(self, contraction: Contraction, tree: Tree) -> bool:
        key = contraction.key(_mask(tree))[0]
        return key in self.pool or key in self.shares or len(self.before.get(key, ())) > 1

    def pair(self, one: Piece, other: Piece, stay: Sequence[int], sizes: Mapping[int, int], coef: Number = 1) -> Piece:
        """One product of two values, summed over the labels that `stay` lacks."""
        one, other = sorted((one, other), key=lambda p: (p.value, [sizes[x] for x in p.labels]))
        number: dict[int, int] = {}
        for label in (*one.labels, *other.labels):
            number.setdefault(label, len(number))
        uses = tuple(Use(p.value, tuple(number[x] for x in p.labels)) for p in (one, other))
        shape = tuple(sizes[x] for x in stay)
        named = {number[x]: sizes[x] for x in number}
        step = Contract(coef, uses, tuple(number[x] for x in stay), shape, named)
        spent = cost.pair(one.labels, other.labels, frozenset(stay), sizes, one.value == other.value)
        a, b = self.table.bounds[one.value], self.table.bounds[other.value]
        positive = (a[0] >= 0 and b[0] >= 0) or one == other
        return Piece(self.table.add(step, spent, (0.0, float("inf")) if positive and coef == 1 else ANY), tuple(stay))

    # -------------------------------------------------------------- leaves

    def variable(self, node: Variable) -> tuple[int, Form]:
        """The array that is given."""
        shape = self.table.shape(node.dims)
        return self.table.add(Input(node.label, shape), 0.0, self.table.range(node)), whole(shape)

    def constant(self, node: Constant) -> tuple[int, Form]:
        """A known tensor."""
        shape = self.table.shape(node.dims)
        return self.table.add(Known(node.label, node.params, shape), 1e-6, self.table.range(node)), whole(shape)

    def elementwise(self, node: Elementwise) -> tuple[int, Form]:
        """A function of the entries, along the axes along which an argument varies, in the order of the arguments."""
        sizes = self.table.shape(node.dims)
        uses = []
        for child, labels in node.args:
            value, form = self.without_delta(child)
            place = dict(zip(form.out, labels, strict=True))
            uses.append(Use(value, tuple(place[x] for x in form.labels)))
        number: dict[int, int] = {}
        for label in (x for use in uses for x in use.labels):
            number.setdefault(label, len(number))
        uses = [Use(u.value, tuple(number[x] for x in u.labels)) for u in uses]
        shape = tuple(sizes[x] for x in number)
        step = Map(node.fn, node.params, tuple(uses), tuple(range(len(shape))), shape)
        value = self.table.add(step, cost.elementary(prod(shape)), self.table.range(node))
        return value, Form(tuple(number), tuple(range(len(sizes))), sizes)

    def reduction(self, node: Reduction) -> tuple[int, Form]:
        """A function along axes."""
        shape = self.table.shape(node.dims)
        child = self.dense(node.child)
        entries = prod(self.table.steps[child].shape)
        spent = cost.elementary(entries) + entries * sum(shape[-1:]) / cost.LOOP * (reduction_row(node.fn).axes == 2)
        own = (Use(child, tuple(range(node.child.order))),)
        step = Reduce(node.fn, node.params, own, node.axes, node.keeps, shape)
        return self.table.add(step, spent, self.table.range(node)), whole(shape)

    def matrix(self, node: Matrix) -> tuple[int, Form]:
        """A function of whole matrices."""
        shape = self.table.shape(node.dims)
        uses = tuple(Use(self.dense(child), tuple(range(child.order))) for child in node.children)
        params = tuple(number_of(value, self.table.sizes) for value in node.params)
        spent = 10 * cost.CALL + 10 * prod(shape) * max(shape, default=1) / cost.LOOP
        return self.table.add(Apply(node.fn, params, node.times, uses, shape, node), spent), whole(shape)

    def regrouped(self, node: Regroup) -> tuple[int, Form]:
        """Axes split, put in order, and joined."""
        sizes, shape = self.table.shape(node.sizes), self.table.shape(node.dims)
        inner = [label for group in node.inner for label in group]
        axes = tuple(inner.index(label) for group in node.outer for label in group)
        use = (Use(self.dense(node.child), tuple(range(node.child.order))),)
        step = Reshape(use, tuple(sizes[x] for x in inner), axes, shape)
        return self.table.add(step, cost.single(prod(shape), prod(shape)), self.table.range(node)), whole(shape)

    def invoked(self, node: Call) -> tuple[int, Form]:
        """A function that is given."""
        shape = self.table.shape(node.dims)
        uses = tuple(Use(self.dense(child), tuple(range(child.order))) for child in node.children)
        title = node.name
        step = Invoke(title, uses, shape, title == node.function.gradient)
        return self.table.add(step, 0.0), whole(shape)


LEAVES: dict[type[Node], Any] = {
    Variable: Build.variable,
    Constant: Build.constant,
    Elementwise: Build.elementwise,
    Reduction: Build.reduction,
    Matrix: Build.matrix,
    Regroup: Build.regrouped,
    Call: Build.invoked,
}


def complement(node: Sum) -> Node | None:
    """`1 - sigmoid(z)` as `sigmoid(-z)`, which has its digits where the sigmoid is near 1; None for other sums."""
    if len(node.terms) != 2:
        return None
    one, other = sorted(node.terms, key=lambda term: isinstance(term.node, Elementwise))
    inner = other.node
    if (one.coef, other.coef) != (1, -1) or as_number(one.node) != 1:
        return None
    if not isinstance(inner, Elementwise) or inner.fn != "sigmoid" or len(other.labels) != len(node.shape):
        return None
    (arg,) = inner.args
    axes = range(arg.node.order)
    turned = einsum(-1, [(arg.node, axes)], axes)
    return elementwise("sigmoid", [(turned, [other.labels[x] for x in arg.labels])], node.shape)


def _holds_delta(node: Node) -> bool:
    """Is this a short sum with a delta among its terms?"""
    if not isinstance(node, Sum) or len(node.terms) > DELTA_TERMS:
        return False
    return any(isinstance(term.node, Product) and len(set(term.node.out)) < len(term.node.out) for term in node.terms)


def _mask(tree: Tree) -> int:
    stack, mask = [tree], 0
    while stack:
        part = stack.pop()
        if isinstance(part, int):
            mask |= 1 << part
        else:
            stack += part
    return mask
