"""The nodes of the graph: positional, immutable, interned.

An expression is a graph of nodes. A node has axes, and each axis has a dimension; names of indices belong to the views
(`views/`). Two nodes with equal content are one object, so equality is identity, common subexpressions are shared,
and what has been derived once can be remembered.

The kinds, all of them:

`Variable`      a named tensor
`Product`       an einsum over its factors: `out[...] = coef * sum of the product of factor[labels]**exponent`.
                Number, symbolic dimension, delta, ones and zero are products without factors: a label may
                repeat in `out` (a diagonal: `δ`), occur only there (a broadcast) or nowhere (then it is summed
                and gives its dimension, so `δ_ii = n`).
`Sum`           a sum of terms `coef * node[labels]`; a term that lacks an axis is constant along it
`Constant`      a tensor that is known but never multiplied out (Levi-Civita, pi)
`Regroup`       axes joined into one, or one axis split
`Elementwise`   a function of the entries; an argument that lacks an axis is constant along it
`Reduction`     a function along some axes, which go (`max`) or stay (`softmax`)
`Matrix`        a function of whole matrices, the last two axes of its children (eigenvectors, exponential)
`Call`          an abstract function, or one of its derivatives, of its arguments, for each sample
`Definition`    a named step: an expression under a name of its own

Labels are small integers: for `Product` the labels of `out` come first, by first occurrence, then those that are
summed; for `Sum` and `Elementwise` a label is the number of an axis of the result. So `A[i,k]*B[k,j]` and
`A[p,q]*B[q,r]` are one and the same node.

What makes nodes is in `constructors.py`, the numbers among them in `numbers.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any, ClassVar, NamedTuple
from weakref import WeakSet

from indexcalc.graph.labels import alike
from indexcalc.graph.numbers import Number
from indexcalc.graph.signature import Signature
from indexcalc.index import Dim, Dimension
from indexcalc.interning import Interned

Labels = tuple[int, ...]
Perm = tuple[int, ...]


class Factor(NamedTuple):
    """A factor of a product: `node[labels] ** exponent`."""

    node: Node
    labels: Labels
    exponent: Number = 1


class Term(NamedTuple):
    """A term of a sum: `coef * node[labels]`, the labels being axes of the sum."""

    coef: Number
    node: Node
    labels: Labels


class Arg(NamedTuple):
    """An argument of an elementwise function, with the axes of the result that it runs along."""

    node: Node
    labels: Labels


class Symmetry(NamedTuple):
    """What may be done to the axes of a node without changing it, but for a sign.

    `blocks` are sets of axes that may be permuted freely, with the sign of a transposition; `perms` are further
    permutations (sign +1), as they stand after sorting within the blocks: elasticity's pair swap is one.
    """

    blocks: tuple[tuple[Labels, int], ...] = ()
    perms: tuple[Perm, ...] = ()


NO_SYMMETRY = Symmetry()


TABLE = Interned()
"""All nodes that somebody holds."""
NAMESAKES = Interned()
"""The variables of each name that somebody holds; each holds the set that it is in."""
INEXACT = (float, complex)


def _mark(numbers: Iterable[Number]) -> tuple[str, ...]:
    """What keeps `1e300` and the integer that it equals apart in a key: nothing where all numbers are exact."""
    kept = list(numbers)
    if any(type(value) in INEXACT for value in kept):
        return tuple(type(value).__name__ for value in kept)
    return ()


class Node:
    """What all kinds of node share. `dims` has a dimension for each axis; `digest` depends on the content alone."""

    __slots__ = ("__weakref__", "children", "digest", "dims", "facts")

    kind: ClassVar[str] = ""
    _numbers: ClassVar[Any] = None
    fields: ClassVar[tuple[str, ...]] = ()
    children: tuple[Node, ...]
    dims: tuple[Dimension, ...]
    digest: bytes
    facts: dict[str, Any]

    @property
    def order(self) -> int:
        """The number of axes."""
        return len(self.dims)

    @property
    def name(self) -> str:
        """A name to sort and to speak by."""
        return self.kind

    @property
    def sizes(self) -> tuple[Dimension, ...]:
        """The dimensions that occur besides those of the axes: of labels, or among the parameters."""
        return tuple(value for value in getattr(self, "params", ()) if isinstance(value, Dim))

    def __repr__(self) -> str:
        return f"<{self.kind} {self.digest.hex()[:8]} dims={self.dims}>"

    def __copy__(self) -> Node:
        return self

    def __deepcopy__(self, memo: object) -> Node:
        return self

    def __reduce__(self) -> tuple[Callable[..., Node], tuple[list[tuple[Any, ...]]]]:
        order = topological([self])
        place = {node: number for number, node in enumerate(order)}
        flat = []
        for node in order:
            values = tuple(getattr(node, name) for name in node.fields)
            flat.append((type(node), tuple(_pack(value, place) for value in values)))
        return _unpickle, (flat,)


def topological(roots: Iterable[Node], stop: Callable[[Node], bool] | None = None) -> list[Node]:
    """Every node below the roots once, children before parents, in an order that depends on the graph alone.

    Below a node for which `stop` holds nothing is visited; the node itself is left out.
    """
    order: list[Node] = []
    seen: set[Node] = set()
    for root in roots:
        stack: list[tuple[Node, bool]] = [(root, False)]
        while stack:
            node, done = stack.pop()
            if done:
                order.append(node)
                continue
            if node in seen or (stop is not None and stop(node)):
                continue
            seen.add(node)
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(node.children) if child not in seen)
    return order


class _Ref(NamedTuple):
    place: int


def _pack(value: object, place: dict[Node, int]) -> object:
    if isinstance(value, Node) and value in place:
        return _Ref(place[value])
    if isinstance(value, tuple):
        packed = [_pack(part, place) for part in value]
        kind: Any = type(value)
        return kind(*packed) if hasattr(value, "_fields") else tuple(packed)
    return value


def _unpack(value: object, nodes: list[Node]) -> object:
    if isinstance(value, _Ref):
        return nodes[value.place]
    if isinstance(value, tuple):
        parts = [_unpack(part, nodes) for part in value]
        kind: Any = type(value)
        return kind(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value


def _unpickle(flat: list[tuple[Any, ...]]) -> Node:
    nodes: list[Node] = []
    for cls, values in flat:
        nodes.append(intern(cls, tuple(_unpack(value, nodes) for value in values)))
    return nodes[-1]


def intern(cls: type[Any], values: tuple[Any, ...]) -> Any:
    """The node of this class with these field values: the one that exists, or a new one."""
    key = (cls, values, _mark(cls._numbers(values)) if cls._numbers else ())
    found = TABLE.get(key)
    return TABLE.enter(key, _make(cls, values)) if found is None else found


def _make(cls: type[Any], values: tuple[Any, ...]) -> Any:
    made = object.__new__(cls)
    for name, value in zip(cls.fields, values, strict=True):
        setattr(made, name, value)
    made.facts = {}
    made._settle()
    made.digest = blake2b(repr(made._content()).encode(), digest_size=16).digest()
    return made


class Variable(Node):
    """A named tensor. `assumptions` are words such as "positive"; `latex` is how its name is set."""

    __slots__ = ("_symmetry", "assumptions", "label", "latex", "shape")
    kind = "variable"
    fields = ("label", "shape", "assumptions", "_symmetry", "latex")
    label: str
    shape: tuple[Dimension, ...]
    assumptions: frozenset[str]
    _symmetry: Symmetry
    latex: str

    def _settle(self) -> None:
        self.dims, self.children = self.shape, ()
        if self._symmetry != NO_SYMMETRY:
            self.facts["symmetry"] = self._symmetry
        namesakes = NAMESAKES.get(self.label)
        self.facts["namesakes"] = NAMESAKES.enter(self.label, WeakSet()) if namesakes is None else namesakes
        self.facts["namesakes"].add(self)

    def _content(self) -> object:
        return ("v", self.label, str(self.dims), sorted(self.assumptions), self._symmetry, self.latex)

    @property
    def name(self) -> str:
        """The name of the tensor."""
        return self.label

    @property
    def is_alone(self) -> bool:
        """Has no other tensor that somebody holds this name? If one had it lately, the answer may be no."""
        return len(self.facts["namesakes"]) == 1


class Product(Node):
    """An einsum: `out = coef * sum over the other labels of the product of factor.node[labels]**exponent`."""

    __slots__ = ("coef", "factors", "out", "sizes")
    kind = "product"
    fields = ("coef", "factors", "out", "sizes")
    _numbers = staticmethod(lambda values: [values[0], *(f[2] for f in values[1])])
    coef: Number
    factors: tuple[Factor, ...]
    out: Labels
    sizes: tuple[Dimension, ...]

    def _settle(self) -> None:
        self.dims = tuple(self.sizes[label] for label in self.out)
        self.children = tuple(factor.node for factor in self.factors)

    def _content(self) -> object:
        factors = [(f.node.digest, f.labels, f.exponent) for f in self.factors]
        return ("p", self.coef, factors, self.out, str(self.sizes))

    @property
    def bound(self) -> int:
        """How many labels are summed."""
        return len(self.sizes) - len(set(self.out))


class Sum(Node):
    """`coef * node[labels]`, summed over the terms; `shape` has the dimensions of the result."""

    __slots__ = ("shape", "terms")
    kind = "sum"
    fields = ("terms", "shape")
    _numbers = staticmethod(lambda values: [t[0] for t in values[0]])
    terms: tuple[Term, ...]
    shape: tuple[Dimension, ...]

    def _settle(self) -> None:
        self.dims = self.shape
        self.children = tuple(term.node for term in self.terms)

    def _content(self) -> object:
        return ("s", [(t.coef, t.node.digest, t.labels) for t in self.terms], str(self.dims))


class Constant(Node):
    """A tensor known by its name and parameters: `epsilon` (Levi-Civita), `pi`."""

    __slots__ = ("label", "params", "shape")
    kind = "constant"
    fields = ("label", "params", "shape")
    label: str
    params: tuple[Any, ...]
    shape: tuple[Dimension, ...]

    def _settle(self) -> None:
        self.dims, self.children = self.shape, ()
        if self.label == "epsilon":
            self.facts["symmetry"] = Symmetry(((tuple(range(len(self.shape))), -1),))
        elif self.label in ("duplication", "voigt") or (self.label, *self.params[1:]) == ("selection", -1):
            self.facts["symmetry"] = Symmetry((((0, 1), 1),)) if self.shape[0] == self.shape[1] else NO_SYMMETRY
        elif self.label == "affine_delta":
            same = alike(list(zip(self.params[1:], self.shape, strict=True)))
            self.facts["symmetry"] = Symmetry(tuple((axes, 1) for axes in same))

    def _content(self) -> object:
        return ("c", self.label, repr(self.params), str(self.dims))

    @property
    def name(self) -> str:
        """The name of the tensor."""
        return self.label


class Regroup(Node):
    """Axes joined and split.

    Axis `a` of the child runs over the labels `inner[a]`, outermost first, axis `b` of the result over `outer[b]`;
    `sizes` has the dimension of each label.
    """

    __slots__ = ("child", "inner", "outer", "sizes")
    kind = "regroup"
    fields = ("child", "inner", "outer", "sizes")
    child: Node
    inner: tuple[Labels, ...]
    outer: tuple[Labels, ...]
    sizes: tuple[Dimension, ...]

    def _settle(self) -> None:
        dims = []
        for group in self.outer:
            total: Dimension = 1
            for label in group:
                total = total * self.sizes[label]
            dims.append(total)
        self.dims, self.children = tuple(dims), (self.child,)

    def _content(self) -> object:
        return ("g", self.child.digest, self.inner, self.outer, str(self.sizes))


class Elementwise(Node):
    """A function of the entries: `fn(args[0][labels], ...)`, with the row `fn` of the table of functions."""

    __slots__ = ("args", "fn", "params", "shape")
    kind = "elementwise"
    fields = ("fn", "params", "args", "shape")
    _numbers = staticmethod(lambda values: values[1])
    fn: str
    params: tuple[Number, ...]
    args: tuple[Arg, ...]
    shape: tuple[Dimension, ...]

    def _settle(self) -> None:
        self.dims = self.shape
        self.children = tuple(arg.node for arg in self.args)

    def _content(self) -> object:
        return ("e", self.fn, self.params, [(a.node.digest, a.labels) for a in self.args], str(self.dims))

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.fn


class Reduction(Node):
    """A function along `axes` of the child, which go, or stay if `keeps` (softmax)."""

    __slots__ = ("axes", "child", "fn", "keeps", "params")
    kind = "reduction"
    fields = ("fn", "params", "child", "axes", "keeps")
    _numbers = staticmethod(lambda values: values[1])
    fn: str
    params: tuple[Number, ...]
    child: Node
    axes: Labels
    keeps: bool

    def _settle(self) -> None:
        kept = range(self.child.order) if self.keeps else [a for a in range(self.child.order) if a not in self.axes]
        self.dims = tuple(self.child.dims[a] for a in kept)
        self.children = (self.child,)

    def _content(self) -> object:
        return ("r", self.fn, self.params, self.child.digest, self.axes, self.keeps)

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.fn


class Matrix(Node):
    """A function of matrices, which are the last two axes of its children; the axes before are batches.

    With `times` it is the derivative of that order, by the first child, along the directions that are the others. Axes:
    those of the value, whose dimensions `shape` has, then rows and columns of each direction that was left open.
    """

    __slots__ = ("children", "fn", "params", "shape", "times")
    kind = "matrix"
    fields = ("fn", "params", "times", "children", "shape")
    fn: str
    params: tuple[Any, ...]
    times: int
    shape: tuple[Dimension, ...]

    def _settle(self) -> None:
        self.dims = self.shape

    def _content(self) -> object:
        return ("m", self.fn, repr(self.params), self.times, [c.digest for c in self.children], str(self.dims))

    @property
    def name(self) -> str:
        """The name of the function, with `D` where it is a derivative."""
        return f"D{self.times if self.times > 1 else ''}{self.fn}" if self.times else self.fn


class Call(Node):
    """An abstract function, `orders[a]` times derived by argument a, of samples.

    Axes: those of the samples, `batch`, then the value's, then each argument's. The first axes of a child run along the
    samples, `labels` has which, and the others are the argument's; along a sample axis that it lacks it is constant. A
    function of numbers (`"->"`) acts entry by entry so: each entry is a sample.
    """

    __slots__ = ("batch", "children", "function", "labels", "orders")
    kind = "call"
    fields = ("function", "orders", "children", "labels", "batch")
    function: Signature
    orders: tuple[int, ...]
    labels: tuple[Labels, ...]
    batch: tuple[Dimension, ...]

    def _settle(self) -> None:
        self.dims = (*self.batch, *self.function.dims(self.orders))
        rule = self.own_symmetry
        if rule != NO_SYMMETRY:
            start = len(self.batch)
            self.facts["symmetry"] = Symmetry(
                tuple((tuple(start + x for x in axes), sign) for axes, sign in rule.blocks)
            )

    def _content(self) -> object:
        children = [child.digest for child in self.children]
        return ("f", self.function.content, self.orders, children, self.labels, str(self.batch))

    @property
    def own_symmetry(self) -> Symmetry:
        """What may be done to the axes of one sample's value: derivatives by one vector may change places."""
        return Symmetry(self.function.blocks(self.orders))

    @property
    def is_gradient(self) -> bool:
        """Is it the derivative that has a name of its own?"""
        return bool(self.function.gradient) and sum(self.orders) == 1

    @property
    def name(self) -> str:
        """The name of the function, with the orders of its derivative."""
        return self.function.title(self.orders)


class Definition(Node):
    """A named step: prints as its name, has its child's value."""

    __slots__ = ("child", "label")
    kind = "definition"
    fields = ("label", "child")
    label: str
    child: Node

    def _settle(self) -> None:
        self.dims, self.children = self.child.dims, (self.child,)

    def _content(self) -> object:
        return ("d", self.label, self.child.digest)

    @property
    def name(self) -> str:
        """The name of the step."""
        return self.label


KINDS: tuple[type[Node], ...] = (
    Variable, Product, Sum, Constant, Regroup, Elementwise, Reduction, Matrix, Call, Definition,
)  # fmt: skip
