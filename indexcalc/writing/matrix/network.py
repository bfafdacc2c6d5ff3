"""A product as a graph: indices are points, matrices are lines between them, vectors are weights on them.

`reduce` simplifies the graph by moves that each keep the value:

(a) weights on one point multiply; (b) a loop `M[i,i]` is the weight `diag(M)`, a trace where i is alone;
(c) a bound point without lines is a sum, or the dot product of its weights; (d) one with a single line is `M.T @ v`;
(e) one between two others is `M.T @ diagm(v) @ N`; (f) parallel lines are an entrywise product.

These are the reductions of series-parallel graphs: a term with free indices r and c has a matrix form if and only if
its graph with a line r-c added has no K4 as a minor (treewidth 2). The order of the moves never decides whether.
R. Duffin, Topology of series-parallel networks, Journal of Mathematical Analysis and Applications 10, 1965.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from indexcalc.graph.numbers import Number
from indexcalc.index import Dimension
from indexcalc.writing.matrix.factor import kron
from indexcalc.writing.matrix.form import Form, Monomial
from indexcalc.writing.matrix.forms import call, eye, form_of, ones, size, turn
from indexcalc.writing.matrix.multiply import (
    along,
    diag,
    diagm,
    entrywise,
    had,
    product,
    total,
    trace,
)

Label = Any
Weights = list[tuple[Form, Number]]


class Wide(NamedTuple):
    """A factor of more than two axes: its name, its labels, and what is written for it, if it has a name of its own."""

    name: str
    labels: tuple[Label, ...]
    form: Form | None = None


class Stuck(Exception):
    """No matrix form: `why` says so, in words."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Network:
    """The graph of one product. `keep` has the labels that are free."""

    def __init__(self, coef: Number, keep: Sequence[Label], dims: dict[Label, Dimension]) -> None:
        self.coef = coef
        self.keep = list(dict.fromkeys(keep))
        self.dims = dims
        self.scalars: Weights = []
        self.weights: dict[Label, Weights] = {label: [] for label in dims}
        self.lines: dict[Label, dict[Label, list[Form]]] = {label: {} for label in dims}
        self.loops: dict[Label, list[Form]] = {}
        self.wide: list[Wide] = []

    # -------------------------------------------------------------- making it

    def add(self, form: Form, labels: Sequence[Label], exponent: Number = 1) -> None:
        """A factor of at most two axes: a form with rows along the first label, columns along the second."""
        if not labels:
            self.scalars.append((form, exponent))
        elif len(labels) == 1:
            self.weights[labels[0]].append((form, exponent))
        elif labels[0] == labels[1]:
            self._loop(labels[0], form if exponent == 1 else had([(form, exponent)]))
        else:
            self._line(labels[0], labels[1], form if exponent == 1 else had([(form, exponent)]))

    def _line(self, a: Label, b: Label, form: Form) -> None:
        self.lines[a].setdefault(b, []).append(form)
        self.lines[b].setdefault(a, []).append(turn(form))

    def _loop(self, a: Label, form: Form) -> None:
        self.loops.setdefault(a, []).append(form)

    def _settle_loops(self) -> None:
        """A loop is a trace where its point is bound and has nothing else, a weight elsewhere."""
        for a, forms in self.loops.items():
            alone = a not in self.keep and not self.lines[a] and not self.weights[a] and not self._in_wide(a)
            if alone and len(forms) == 1:
                self.scalars.append((trace(forms), 1))
                self.drop(a)
            else:
                self.weights[a] += [(diag(form), 1) for form in forms]

    def _in_wide(self, a: Label) -> bool:
        return any(a in wide.labels for wide in self.wide)

    def drop(self, a: Label) -> None:
        """Takes a point away, with its lines and weights."""
        for other in self.lines.pop(a):
            del self.lines[other][a]
        del self.weights[a]

    def cut(self, a: Label, b: Label) -> list[Form]:
        """Takes the lines from one point to another away, and gives what they were."""
        del self.lines[b][a]
        return self.lines[a].pop(b)

    def weight(self, a: Label) -> Form:
        """The weights of a point as one column."""
        return had([*self.weights[a], (ones(self.dims[a], None), 1)])

    # -------------------------------------------------------------- the moves

    def reduce(self, more: Callable[[Network], bool] = lambda network: False) -> None:
        """Make moves until none is left, also `more`; what is bound then is stuck."""
        self._settle_loops()
        while self._move() or more(self):
            pass
        bound = [label for label in self.lines if label not in self.keep]
        if bound or self.wide:
            raise Stuck(self._core(bound))

    def _move(self) -> bool:
        bound = [label for label in self.lines if label not in self.keep and not self._in_wide(label)]
        for degree, move in ((0, self._close), (1, self._pull), (2, self._pass)):
            for a in bound:
                if len(self.lines[a]) == degree and all(len(forms) == 1 for forms in self.lines[a].values()):
                    move(a)
                    return True
        return self._cross() or self._merge_parallel(bound)

    def _close(self, a: Label) -> None:
        weights = self.weights[a]
        self.drop(a)
        if not weights:
            self.scalars.append((size(self.dims[a]), 1))
            return
        vectors = [had([pair]) for pair in weights]
        if len(vectors) == 1:
            self.scalars.append((total(had(weights)), 1))
        else:
            right = had(weights[1:])
            self.scalars.append((form_of(product(1, (), [turn(vectors[0]), right])), 1))

    def _pull(self, a: Label) -> None:
        ((b, (form,)),) = self.lines[a].items()
        weight = self.weight(a)
        self.drop(a)
        vector = along(turn(form), 1) if weight.kind == "ones" else form_of(product(1, (), [turn(form), weight]))
        self.weights[b].append((vector, 1))

    def _pass(self, a: Label) -> None:
        (b, (left,)), (c, (right,)) = self.lines[a].items()
        weight = self.weight(a)
        self.drop(a)
        self._line(b, c, form_of(product(1, (), [turn(left), diagm(weight), right])))

    def _merge_parallel(self, bound: Sequence[Label]) -> bool:
        for a in [*bound, *self.lines]:
            for b, forms in self.lines[a].items():
                if len(forms) < 2:
                    continue
                ends = [x for x in (a, b) if x in bound and len(self.lines[x]) == 1 and not self.weights[x]]
                if len(forms) == 2 and len(ends) == 2:
                    self.drop(a)
                    self.drop(b)
                    self.scalars.append((trace([forms[0], turn(forms[1])]), 1))
                elif len(forms) == 2 and ends and (loop := _shorter_loop(a, b, ends[0], forms)) is not None:
                    other = b if ends[0] == a else a
                    self.drop(ends[0])
                    self.weights[other].append((loop, 1))
                else:
                    merged = had([(form, 1) for form in forms])
                    self.lines[a][b], self.lines[b][a] = [merged], [turn(merged)]
                return True
        return False

    def _cross(self) -> bool:
        """Levi-Civita with two vectors: the cross product."""
        for k, (name, labels, _) in enumerate(self.wide):
            if name != "epsilon" or len(labels) != 3:
                continue
            for out in range(3):
                p, q = labels[(out + 1) % 3], labels[(out + 2) % 3]
                inner = [x for x in (p, q) if x not in self.keep and not self.lines[x] and self.weights[x]]
                if len(inner) == 2 and p != q and labels[out] not in (p, q):
                    vectors = [had(self.weights[x]) for x in (p, q)]
                    del self.wide[k]
                    for x in (p, q):
                        self.drop(x)
                    self.weights[labels[out]].append((_cross_form(*vectors), 1))
                    return True
        return False

    def _core(self, bound: Sequence[Label]) -> str:
        """What is left when no move helps, in words."""
        if self.wide:
            name, labels, _ = self.wide[0]
            return f"{name} has {len(labels)} axes that stay apart, and a matrix holds two"
        names = []
        for a in self.lines:
            for b, forms in self.lines[a].items():
                if list(self.lines).index(a) < list(self.lines).index(b):
                    names += [form.label for form in forms]
        return (
            f"{len(bound)} summed indices join {', '.join(names)} in a ring of rings (K4): no order of matrix "
            "products, entrywise products and diagonals gives it"
        )

    # -------------------------------------------------------------- what is left

    def term(self, rows: Sequence[Label], cols: Sequence[Label]) -> list[Monomial]:
        """The reduced product as a summand; several that are equal, where it can be written on several sides."""
        if len(rows) > 1 or len(cols) > 1:
            return [product(self.coef, self.scalars, [form]) for form in Groups(self).forms(list(rows), list(cols))]
        links = self._links(rows, cols)
        return [product(self.coef, self.scalars, links)]

    def _links(self, rows: Sequence[Label], cols: Sequence[Label]) -> list[Form]:
        if not rows and not cols:
            return []
        if not cols:
            return [self.weight(rows[0])]
        if not rows:
            return [turn(self.weight(cols[0]))]
        return [self.block(rows[0], cols[0])]

    def block(self, r: Label, c: Label) -> Form:
        """The matrix with rows r and columns c."""
        if r == c:
            return diagm(self.weight(r)) if self.weights[r] else eye(self.dims[r])
        forms = self.lines[r].get(c)
        if not forms:
            return form_of(product(1, (), [self.weight(r), turn(self.weight(c))]))
        core = forms[0] if len(forms) == 1 else had([(form, 1) for form in forms])
        if not self.weights[r] and not self.weights[c]:
            return core
        return form_of(product(1, (), [diagm(self.weight(r)), core, diagm(self.weight(c))]))


def _cross_form(left: Form, right: Form) -> Form:
    return call("cross", [left, right], left.rows, None)


def _shorter_loop(a: Label, b: Label, end: Label, forms: Sequence[Form]) -> Form | None:
    """`diag(M @ N)` for two parallel lines with a bound end, where that is shorter than their entrywise product."""
    inward = [turn(form) for form in forms] if end == a else list(forms)
    if all(form.kind != "chain" for form in inward) or any(map(entrywise, inward)):
        return None
    loop = diag(form_of(product(1, (), [inward[0], turn(inward[1])])))
    entries = along(had([(form, 1) for form in inward]), 1)
    return loop if loop.cost < entries.cost else None


# ------------------------------------------------------------------ groups of axes: vec and Kronecker products


class Groups:
    """Matrix forms of a reduced product whose rows or columns are pairs of indices, the outermost first.

    Column-major vec of `X_kl` runs over (l, k), row-major vec over (k, l). H. Henderson, S. Searle, The vec-permutation
    matrix, the vec operator and Kronecker products: a review, Linear and Multilinear Algebra 9, 1981.
    """

    def __init__(self, network: Network) -> None:
        self.network = network

    def forms(self, rows: list[Label], cols: list[Label]) -> list[Form]:
        """All ways to write it, the plainest first."""
        if not self.network.lines.keys() >= {*rows, *cols}:
            raise Stuck("an axis of it stands within a part of more than two axes")
        if not rows:
            return [turn(form) for form in self.forms(cols, rows)]
        if len(rows) == 2 and len(cols) == 2:
            found = self._square(rows, cols)
        elif len(rows) == 2 and len(cols) == 1:
            found = self._tall(rows, cols[0])
        elif len(rows) == 1 and len(cols) == 2:
            found = [turn(form) for form in self._tall(cols, rows[0])]
        elif len(rows) == 2 and not cols:
            found = self._stacked(rows)
        else:
            found = []
        if not found:
            raise Stuck(f"{len(rows)} and {len(cols)} indices are joined so that no Kronecker product gives them")
        return found

    def _apart(self, *groups: Sequence[Label]) -> bool:
        """Is no line between these groups, and no label in two of them?"""
        owner: dict[Label, int] = {}
        for k, group in enumerate(groups):
            for label in group:
                if owner.setdefault(label, k) != k:
                    return False
        return all(owner.get(b, owner[a]) == owner[a] for a in owner for b in self.network.lines[a])

    def _vec(self, outer: Label, inner: Label) -> Form:
        """The column of a pair: a vec where a matrix joins it, else a Kronecker product of columns."""
        network = self.network
        if inner in network.lines[outer]:
            return vec(network.block(inner, outer))
        if inner == outer:
            return vec(network.block(inner, outer))
        left, right = network.weight(outer), network.weight(inner)
        return kron(left, right)

    def _stacked(self, rows: list[Label]) -> list[Form]:
        return [self._vec(*rows)]

    def _square(self, rows: list[Label], cols: list[Label]) -> list[Form]:
        (r1, r2), (c1, c2) = rows, cols
        network = self.network
        found = []
        if r1 == r2 and not self._apart((r1,), (c1, c2)):
            return [form_of(product(1, (), [self._spread(r1), form])) for form in self.forms([r1], cols)]
        if c1 == c2 and not self._apart((c1,), (r1, r2)):
            return [form_of(product(1, (), [form, turn(self._spread(c1))])) for form in self.forms(rows, [c1])]
        if r1 == c1 and r2 == c2 and r1 != r2 and network.lines[r1]:
            return [diagm(vec(network.block(r2, r1)))]
        if r1 == c2 and r2 == c1 and r1 != r2 and network.lines[r1]:
            swap = commutation(network.dims[c2], network.dims[c1])
            return [form_of(product(1, (), [diagm(vec(network.block(r2, r1))), swap]))]
        if self._apart((r1, r2), (c1, c2)):
            left, right = self._vec(r1, r2), self._vec(c1, c2)
            found.append(form_of(product(1, (), [left, turn(right)])))
            if network.lines[r1] or network.lines[c1]:
                return found
        if self._apart((r1, c1), (r2, c2)):
            found.insert(0, kron(network.block(r1, c1), network.block(r2, c2)))
        if self._apart((r1, c2), (r2, c1)) and not found:
            m, n = network.block(r1, c2), network.block(r2, c1)
            after = commutation(network.dims[c2], network.dims[c1])
            before = commutation(network.dims[r1], network.dims[r2])
            found.append(form_of(product(1, (), [kron(m, n), after])))
            found.append(form_of(product(1, (), [before, kron(n, m)])))
        return found or self._scaled(rows, cols)

    def _scaled(self, rows: list[Label], cols: list[Label]) -> list[Form]:
        """A matrix between the two indices of the rows, or of the columns, scales these: `diagm(vec(M)) @ ...`."""
        for group, is_rows in ((rows, True), (cols, False)):
            outer, inner = group
            if outer == inner or inner not in self.network.lines[outer]:
                continue
            forms = self.network.cut(inner, outer)
            matrix = forms[0] if len(forms) == 1 else had([(form, 1) for form in forms])
            scale = diagm(vec(matrix))
            made = self._square(rows, cols)
            return [form_of(product(1, (), [scale, form] if is_rows else [form, scale])) for form in made]
        return []

    def _tall(self, rows: list[Label], c: Label) -> list[Form]:
        r1, r2 = rows
        network = self.network
        if r1 == r2:
            return self._tall_diagonal(r1, c)
        joined = [c in network.lines[r] or c == r for r in (r1, r2)]
        if r2 in network.lines[r1]:
            if self._apart((r1, r2), (c,)):
                return [form_of(product(1, (), [self._vec(r1, r2), turn(network.weight(c))]))]
            return []
        if r1 != c and r2 != c and all(joined):
            scaled = diagm(network.weight(c))
            columns = [self._column(r, c) for r in (r1, r2)]
            made = call("khatri_rao", columns, network.dims[r1] * network.dims[r2], network.dims[c])
            return [form_of(product(1, (), [made, scaled]))]
        if joined == [True, False] and self._apart((r1, c), (r2,)):
            return [kron(network.block(r1, c), network.weight(r2))]
        if joined == [False, True] and self._apart((r2, c), (r1,)):
            return [kron(network.weight(r1), network.block(r2, c))]
        if joined == [False, False] and self._apart((r1,), (r2,), (c,)):
            return [form_of(product(1, (), [self._vec(r1, r2), turn(network.weight(c))]))]
        return []

    def _tall_diagonal(self, r: Label, c: Label) -> list[Form]:
        """The rows of a matrix, each where the two indices of a pair are equal."""
        network = self.network
        if r != c and c not in network.lines[r]:
            return [form_of(product(1, (), [self._vec(r, r), turn(network.weight(c))]))]
        return [form_of(product(1, (), [self._spread(r), network.block(r, c)]))]

    def _spread(self, r: Label) -> Form:
        """What puts the entries of a column on a diagonal, as a vec."""
        identity, size = eye(self.network.dims[r]), self.network.dims[r]
        return call("khatri_rao", [identity, identity], size * size, size)

    def _column(self, r: Label, c: Label) -> Form:
        over = self.network.weight(r)
        forms = self.network.lines[r][c]
        core = forms[0] if len(forms) == 1 else had([(form, 1) for form in forms])
        return form_of(product(1, (), [diagm(over), core]))


def vec(form: Form) -> Form:
    """The columns of a matrix below each other."""
    terms = product(1, (), [form])
    cut = next((k + 1 for k in range(len(terms.links) - 1) if terms.links[k].cols is None), 0)
    if cut:
        left = form_of(product(1, (), terms.links[:cut]))
        right = turn(form_of(product(1, (), terms.links[cut:])))
        made = kron(right, left)
    else:
        core = form_of(Monomial(1, (), terms.links))
        assert core.rows is not None and core.cols is not None
        made = call("vec", [core], core.rows * core.cols, None)
    return form_of(product(terms.coef, terms.scalars, [made]))


def commutation(m: Dimension, n: Dimension) -> Form:
    """The commutation matrix: `commutation(m, n) @ vec(X)` is `vec(X.T)` for X of m rows and n columns."""
    return call("commutation", [size(m), size(n)], m * n, m * n, same=m == n)
