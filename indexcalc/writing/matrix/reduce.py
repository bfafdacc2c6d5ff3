"""From the graph to matrix forms: each node of at most two axes as a form, found once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import product as combinations
from typing import Any

from indexcalc.functions.entries.choosing import LISTED, ONE_HOT, chooser_of
from indexcalc.functions.table import INV, MATRICES, REDUCTIONS
from indexcalc.graph.constructors import addition, delta, is_zero, matrix, sample_arrays
from indexcalc.graph.edge import Draft, is_symmetric_matrix, symmetry_of
from indexcalc.graph.node import (
    Call,
    Constant,
    Definition,
    Elementwise,
    Labels,
    Matrix,
    Node,
    Product,
    Reduction,
    Regroup,
    Sum,
    Variable,
    topological,
)
from indexcalc.graph.numbers import Number, multiply
from indexcalc.graph.ranges import range_of
from indexcalc.index import Dimension, unknown
from indexcalc.simplify.products.tiled import tiled
from indexcalc.writing.known import PLACES, places_matrix
from indexcalc.writing.matrix.factor import Factoring, kron
from indexcalc.writing.matrix.form import Form, Monomial
from indexcalc.writing.matrix.forms import (
    Pick,
    atom,
    call,
    eye,
    form_of,
    number_term,
    ones,
    part,
    rank,
    size,
    term_of,
    turn,
    zeros,
)
from indexcalc.writing.matrix.multiply import product
from indexcalc.writing.matrix.network import Network, Stuck, Wide, commutation
from indexcalc.writing.matrix.special.convolved import convolved
from indexcalc.writing.matrix.special.tiles import tiles_form
from indexcalc.writing.matrix.special.unfolded import unfold_one

LONGEST = 1000
"""A form of more tokens is not written as one formula: it would fill a page, though names shorten it to a third."""
MOST_SIDES = 16
"""Of the ways to write the terms of a sum on one side or another, so many are tried."""


class FormFinder:
    """Reads nodes as forms."""

    def form(self, root: Node) -> Form:
        """The form of a node of at most two axes; an error that says why, if it has none."""
        if root.order > 2:
            raise Stuck(f"it has {root.order} axes, and a matrix holds two")
        known = "matrix form" in root.facts
        for node in () if known else topological([root], lambda node: "matrix form" in node.facts):
            if node.order > 2:
                continue
            try:
                made = self._make(node)
                if made.cost > LONGEST:  # a shared part is written at each use: its text may double at each step
                    raise Stuck("it is too long for one formula")
                node.facts["matrix form"] = made
            except Stuck as stuck:
                node.facts["matrix form"] = stuck
        found: Form | Stuck = root.facts["matrix form"]
        if isinstance(found, Stuck):
            raise found
        return found

    def _make(self, node: Node) -> Form:
        shape = shape_of(node)
        if any(unknown(dim) for dim in node.dims):
            raise Stuck("a dimension is not known yet")
        if is_zero(node):
            return zeros(*shape) if node.order else form_of(number_term(0))
        return READ[type(node)](self, node)

    # -------------------------------------------------------------- products and sums

    def whole(self, node: Node) -> Form:
        """The form of a node, each axis a side of its own; of parts beside each other, with these as its cells."""
        found = tiled(node) if isinstance(node, Sum) else None
        if found is None:
            return self.grouped(node, [(axis,) for axis in range(node.order)])
        made = term_of(tiles_form(found, node.dims, self.form))._replace(coef=found.coef)
        if not found.rest:
            return form_of(made)
        rest = self.form(addition(found.rest, node.dims))
        terms = map(term_of, rest.parts if rest.kind == "sum" else [rest])
        return Factoring().best((*terms, made), *shape_of(node))

    def grouped(self, node: Node, groups: Sequence[Labels]) -> Form:
        """The form of a node whose axes are taken in groups: rows and columns, the outermost axis first."""
        rows, cols = (list(group) for group in (*groups, (), ())[:2])
        terms = (
            [(t.coef, t.node, t.labels) for t in node.terms]
            if isinstance(node, Sum)
            else [(1, node, tuple(range(node.order)))]
        )
        ways = [self.terms(coef, inner, labels, rows, cols, node.dims) for coef, inner, labels in terms]
        extents = [_extent(group, node.dims) for group in (rows, cols)]
        if not groups[1:]:
            extents[1] = None
        if not groups:
            extents[0] = None
        return self._shortest(ways, extents)

    def _shortest(self, ways: Sequence[Sequence[Monomial]], extents: Sequence[Dimension | None]) -> Form:
        count = 1
        for way in ways:
            count *= len(way)
        picks = [tuple(way[0] for way in ways)] if count > MOST_SIDES else list(combinations(*ways))
        search = Factoring()
        options = [search.best(pick, *extents) for pick in picks]
        return min(options, key=lambda form: form.cost)

    def terms(
        self,
        coef: Number,
        node: Node,
        places: Sequence[int],
        rows: Sequence[int],
        cols: Sequence[int],
        dims: Sequence[Dimension],
    ) -> list[Monomial]:
        """A node with its axes at these places, among axes of these dimensions, as a summand: the ways to write it."""
        flat = flatten(node)
        where: dict[int, Any] = {}
        network_dims: dict[Any, Dimension] = dict(enumerate(dims))
        joined: dict[int, int] = {}
        for axis, label in zip(places, flat.out, strict=True):
            if label in where:
                joined[axis] = where[label]
            else:
                where[label] = axis
        for label, dim in enumerate(flat.sizes):
            network_dims.setdefault(where.setdefault(label, ("bound", label)), dim)
        for axis in joined:
            del network_dims[axis]
        factors = [(factor, [where[label] for label in labels], exponent) for factor, labels, exponent in flat.factors]
        ends = [[joined.get(a, a) for a in group] for group in (rows, cols)]
        if (root := self._derived_root(factors, ends)) is not None:
            return [product(multiply(coef, flat.coef), (), root)]
        outer = [_opened(group, factors, network_dims) for group in ends]
        picks = _lone_entries(factors, network_dims)
        picks += convolved(factors, network_dims, self.form, picks)
        keep = [label for label in (joined.get(a, a) for a in range(len(dims))) if label in network_dims]
        network = Network(
            multiply(coef, flat.coef), [*keep, *(label for group in ends for label in group)], network_dims
        )
        for factor, at, exponent in factors:
            if factor.order > 2:
                if exponent != 1 or isinstance(factor, Sum | Product):
                    raise Stuck(f"a part of it has {factor.order} axes, and a matrix holds two")
                named = isinstance(factor, Variable | Definition)
                form = atom(factor.name, None, None) if named else None
                network.wide.append(Wide(factor.name, tuple(at), form))
            else:
                network.add(self.form(factor), at, exponent)
        for form, own in picks:
            network.add(form, own)
        network.reduce(unfold_one)
        return [_between(outer[0], term, outer[1]) for term in network.term(*ends)]

    def _derived_root(self, factors: Sequence[Any], ends: Sequence[list[Any]]) -> list[Form] | None:
        """The derivative of a square root R of a matrix, between pairs of axes, by the equation that it solves.

        `R dR + dR R = dX`, so `vec(dR)` is `inv(kron(eye(n), R) + kron(R.T, eye(n))) @ vec(dX)` (Higham, chapter 6).
        """
        if len(factors) != 1 or len(ends) != 2:
            return None
        node, (*at,), exponent = factors[0]
        if (
            not isinstance(node, Matrix)
            or not MATRICES[node.fn].squares
            or (node.times, exponent, node.order) != (1, 1, 4)
        ):
            return None
        (i, j, k, m), n = at, node.dims[0]
        if len(set(at)) < 4 or sorted(map(str, ends[0])) != sorted(map(str, (i, j))):
            return None
        if ends[0] != [j, i] and is_symmetric_matrix(node.children[0]):
            i, j, k, m = j, i, m, k
        root = self.form(matrix(node.fn, node.children[:1], node.dims[:2], node.params))
        inside = [term_of(kron(eye(n), root)), term_of(kron(turn(root), eye(n)))]
        links = [call(INV, [Factoring().best(inside, n * n, n * n)], n * n, n * n)]
        swap = commutation(n, n)
        return [*([] if ends[0] == [j, i] else [swap]), *links, *([] if ends[1] == [m, k] else [swap])]

    # -------------------------------------------------------------- leaves

    def variable(self, node: Variable) -> Form:
        """The form of a named tensor."""
        same = bool(symmetry_of(node).blocks) and all(sign > 0 for _, sign in symmetry_of(node).blocks)
        return atom(node.label, *shape_of(node), same=same and node.order == 2, latex=node.latex)

    def definition(self, node: Definition) -> Form:
        """The form of a named step: its name."""
        return atom(node.label, *shape_of(node))

    def constant(self, node: Constant) -> Form:
        """The form of a known tensor."""
        if not node.order and not node.params:
            return atom(node.label, None, None)
        if node.order > 2:
            raise Stuck(f"{node.label} has {node.order} axes, and a matrix holds two")
        rows, cols = shape_of(node)
        if (found := range_of(node)) is not None:
            return part(eye(found.length), Pick(found))
        if node.label == "tril":
            return call("tril", [ones(rows, cols)], rows, cols, tuple((None, value) for value in node.params))
        listed = node.params if node.label == LISTED else (*node.params, *node.dims)
        params = tuple((None, value) for value in listed)
        return call(node.label, (), rows, cols, params)

    def call(self, node: Call) -> Form:
        """The form of an abstract function."""
        rows, cols = shape_of(node)
        if node.is_gradient:
            return atom(node.name, rows, cols)
        if node.function.entrywise:
            return self.entries(node, zip(node.children, node.labels, strict=True))
        args = []
        for child in sample_arrays(node):
            if child.order > 2:
                raise Stuck(f"an argument of {node.name} has {child.order} axes, and a matrix holds two")
            args.append(self.form(child))
        return call(node.name, args, rows, cols)

    # -------------------------------------------------------------- functions

    def elementwise(self, node: Elementwise) -> Form:
        """The form of a function of the entries; a bracket of integers and places is one of a vector."""
        found = chooser_of(node)
        if found is not None and node.order <= 2:
            size = node.dims[found.place]
            ends = (*(node.dims[axis] for axis in found.labels), size, None)
            made = call(ONE_HOT, [_upright(self.form(found.integers))], ends[0], ends[1], ((None, size),))
            return turn(made) if node.order == 2 and found.place == 0 else made
        return self.entries(node, node.args, tuple(("lead", value) for value in node.params))

    def entries(self, node: Node, args: Iterable[tuple[Node, Labels]], lead: tuple[Any, ...] = ()) -> Form:
        """The form of a function of the entries of these arguments."""
        rows, cols = shape_of(node)
        forms = []
        for arg, labels in args:
            if arg.order > 2:
                raise Stuck(f"an argument of {node.name} has {arg.order} axes, and a matrix holds two")
            forms.append(_placed(self.form(arg), labels, rows, cols))
        if len(forms) == 1:
            return equivariant(node.name, forms[0], lead, entrywise=True)
        return call(node.name, forms, rows, cols, lead, entrywise=True)

    def matrix(self, node: Matrix) -> Form:
        """The form of a function of matrices."""
        if node.order > 2 or any(child.order > 2 for child in node.children):
            raise Stuck(f"{node.name} has {node.order} axes, and a matrix holds two")
        params = tuple((None, str(value)) for value in node.params)
        args = [self.form(child) for child in node.children]
        if len(args) == 1 and MATRICES[node.fn].turned and not node.times:
            return equivariant(node.name, args[0], params)
        return call(node.name, args, *shape_of(node), params, same=bool(symmetry_of(node).blocks))

    def reduction(self, node: Reduction) -> Form:
        """The form of a function along axes."""
        if node.child.order > 2:
            raise Stuck(f"the argument of {node.fn} has {node.child.order} axes, and a matrix holds two")
        form, params = self.form(node.child), tuple((None, value) for value in node.params)
        row = REDUCTIONS[node.fn]
        if len(node.axes) == node.child.order:
            if node.keeps:
                if node.fn == "pinv_t":
                    return turn(equivariant("pinv", form, params, flips=True))
                return equivariant(node.fn, form, params, entrywise=row.axes < 2)
            name = "normF" if node.fn == "norm2" and len(node.axes) == 2 else node.fn
            return call(name, [_upright(form)], None, None, params)
        (axis,) = node.axes
        if node.keeps:
            other = turn(form)
            if other.cost < form.cost or (other.cost == form.cost and axis == 0):
                return turn(
                    call(node.fn, [other], other.rows, other.cols, (*params, ("axis", 1 - axis)), entrywise=True)
                )
            return call(node.fn, [form], form.rows, form.cols, (*params, ("axis", axis)), entrywise=True)
        left = form.cols if axis == 0 else form.rows
        other = turn(form)
        if other.cost < form.cost:
            form, axis = other, 1 - axis
        return call(node.fn, [form], left, None, (*params, ("axis", axis)))

    def regroup(self, node: Regroup) -> Form:
        """The form of axes joined and split."""
        named = places_matrix(node)
        if named is not None:
            made = places_form(named[0])
            return turn(made) if named[1] else made
        if all(len(group) == 1 for group in node.inner):
            axis_of = {group[0]: axis for axis, group in enumerate(node.inner)}
            return self.grouped(node.child, [tuple(axis_of[label] for label in group) for group in node.outer])
        if node.child.order == 1 and len(node.outer) == 2 and len(node.inner[0]) == 2:
            outer, inner = node.inner[0]
            made = self._unvec(self.form(node.child), node.sizes[inner], node.sizes[outer])
            return made if node.outer == ((inner,), (outer,)) else turn(made)
        raise Stuck("axes are split and joined in a way that has no name in matrix notation")

    def _unvec(self, form: Form, rows: Dimension, cols: Dimension) -> Form:
        return call("unvec", [form, size(rows), size(cols)], rows, cols)


READ: dict[type[Node], Callable[[Any, Any], Form]] = {
    Variable: FormFinder.variable,
    Constant: FormFinder.constant,
    Definition: FormFinder.definition,
    Matrix: FormFinder.matrix,
    Product: FormFinder.whole,
    Sum: FormFinder.whole,
    Elementwise: FormFinder.elementwise,
    Reduction: FormFinder.reduction,
    Regroup: FormFinder.regroup,
    Call: FormFinder.call,
}


def _opened(group: list[Any], factors: list[Any], dims: dict[Any, Dimension]) -> Form | None:
    """The matrix that takes a column-major vec where a group of labels is the last axis of a known constant.

    The constant is such as the duplication matrix, and nothing else has the group. The pair of labels that is summed
    takes the place of the group.
    """
    for place, (factor, at, exponent) in enumerate(factors):
        if not isinstance(factor, Constant) or factor.label not in PLACES or exponent != 1 or [at[2]] != group:
            continue
        others = [label for k, (_, labels, _) in enumerate(factors) if k != place for label in labels]
        if at[2] in (*others, *at[:2]):
            return None
        del factors[place], dims[at[2]]
        group[:] = [at[1], at[0]]
        for k, label in enumerate(group):
            if not isinstance(label, tuple):  # it is free: a label of its own, and a delta
                group[k] = ("pair", at[2], k)
                dims[group[k]] = factor.dims[0]
                factors.append((delta(factor.dims[0]), [group[k], label], 1))
        made = places_form(factor)
        return turn(made) if PLACES[factor.label] else made
    return None


def _lone_entries(factors: list[Any], dims: dict[Any, Dimension]) -> list[tuple[Form, list[Any]]]:
    """Selections of one entry that is summed, which is how an entry is picked from the end: as vectors."""
    found = []
    for factor, at, exponent in list(factors):
        own = range_of(factor)
        alone = own is not None and isinstance(at[0], tuple) and sum(at[0] in labels for _, labels, _ in factors) == 1
        if own is not None and alone and own.size == exponent == 1:
            factors.remove((factor, at, exponent))
            del dims[at[0]]
            found.append((turn(part(eye(own.length), Pick(own, True))), [at[1]]))
    return found


def _between(left: Form | None, term: Monomial, right: Form | None) -> Monomial:
    """A term with a matrix on its left, and the transpose of one on its right."""
    if left is None and right is None:
        return term
    links = list(term.links)
    for side, end in ((left, 0), (right, -1)):
        if side and links and _name(side) != "elimination" and _name(links[end]) == "commutation":
            del links[end]  # the rows of such a matrix are vecs of symmetric matrices
    if left and _name(left) == "elimination" and not right and [_name(link) for link in links] == ["vec"]:
        return product(term.coef, term.scalars, [call("vech", links[0].parts, left.rows, None)])
    return product(term.coef, term.scalars, [*filter(None, [left]), *links, *filter(None, [right and turn(right)])])


def _name(form: Form) -> str:
    """The name of a function or a constant, "" for anything else; of its transpose, its own."""
    form = form.parts[0] if form.kind == "turned" else form
    return form.data[0] if form.kind == "call" else ""


def places_form(node: Constant) -> Form:
    """The matrix of a constant such as the duplication matrix, whose pair of axes is joined."""
    size, count = node.dims[0], node.dims[2]
    rows, cols = (size * size, count) if PLACES[node.label] else (count, size * size)
    return call(node.label, (), rows, cols, tuple((None, value) for value in (*node.params, size)))


def shape_of(node: Node) -> tuple[Dimension | None, Dimension | None]:
    """Rows and columns of a node of at most two axes; one axis is a column."""
    rows, cols = (*node.dims, None, None)[:2]
    return rows, cols


def _extent(group: Sequence[int], dims: Sequence[Dimension]) -> Dimension | None:
    total: Dimension | None = None
    for axis in group:
        total = dims[axis] if total is None else total * dims[axis]
    return total


def _placed(form: Form, labels: Labels, rows: Dimension | None, cols: Dimension | None) -> Form:
    """An argument among the axes of an entrywise function: transposed, or repeated where it is constant."""
    if len(labels) == 2:
        return form if tuple(labels) == (0, 1) else turn(form)
    if len(labels) == 1 and cols is not None:
        if labels[0] == 0:
            return form_of(product(1, (), [form, ones(None, cols)]))
        return form_of(product(1, (), [ones(rows, None), turn(form)]))
    return form


def _upright(form: Form) -> Form:
    """A matrix or its transpose, whichever is shorter; a row as a column."""
    other = turn(form)
    if form.vector:
        return form if form.cols is None else other
    return min((form, other), key=lambda side: (side.cost, side.kind == "turned", [rank(x) for x in side.parts]))


def equivariant(
    name: str, form: Form, extra: tuple[Any, ...] = (), entrywise: bool = False, flips: bool = False
) -> Form:
    """A function with f(X.T) = f(X).T of a form, its transpose outside."""
    best = _upright(form)
    rows, cols = (best.cols, best.rows) if flips else (best.rows, best.cols)
    made = call(name, [best], rows, cols, extra, same=best.same, entrywise=entrywise)
    return made if best is form else turn(made)


class Flat:
    """A product with the products among its factors opened."""

    def __init__(self, coef: Number, factors: list[Any], out: list[int], sizes: list[Dimension]) -> None:
        self.coef, self.factors, self.out, self.sizes = coef, factors, out, sizes


def flatten(node: Node) -> Flat:
    """A node as a product of factors of at most two axes, as far as opening products gets there."""
    if not isinstance(node, Product):
        return Flat(1, [(node, tuple(range(node.order)), 1)], list(range(node.order)), list(node.dims))
    if not any(isinstance(f.node, Product) and f.node.order > 2 for f in node.factors):
        return Flat(node.coef, [tuple(f) for f in node.factors], list(node.out), list(node.sizes))
    draft = Draft()
    labels = draft.fresh(node.sizes)
    draft.coef = node.coef
    todo = [(f.node, [labels[x] for x in f.labels], f.exponent) for f in reversed(node.factors)]
    done: list[Any] = []
    while todo:
        inner, at, exponent = todo.pop()
        if isinstance(inner, Product) and inner.order > 2 and exponent == 1 and inner.coef != 0:
            todo += reversed(draft.open(inner, at, 1))
        else:
            done.append((inner, at, exponent))
    place: dict[int, int] = {}
    sizes: list[Dimension] = []
    for label in range(len(draft.dims)):
        found = draft.find(label)
        if found not in place:
            place[found] = len(sizes)
            sizes.append(draft.dims[found])
    factors = [(inner, [place[draft.find(x)] for x in at], e) for inner, at, e in done]
    return Flat(draft.coef, factors, [place[draft.find(labels[x])] for x in node.out], sizes)
