"""Derivatives of views: `diff` in index notation; `derivative`, `grad`, `hessian`, `jvp`, `vjp`, `hvp` for Arrays.

By a structured variable (symmetric, skew) there are several derivatives in books. `structure="projected"` is the
default: the orthogonal projection of the free gradient onto the space of such matrices; `structure="free"` ignores the
structure, as automatic differentiation does.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import permutations
from math import factorial
from typing import Any

from indexcalc.calculus import derivative as calculus
from indexcalc.errors import Asked, DerivativeError, DimensionError, KindError
from indexcalc.graph.edge import symmetry_of
from indexcalc.graph.node import Node, Number, Variable, addition, einsum, variable
from indexcalc.graph.simplify import simplify
from indexcalc.index import Index
from indexcalc.notation.array import Array
from indexcalc.notation.build import place_of
from indexcalc.notation.expr import Expr, meet
from indexcalc.notation.view import View, join_inputs

LINEAR = {"symmetric", "skew", "positive_definite"}
STRUCTURED = {"diagonal", "lower", "upper", "orthogonal", "toeplitz", "stochastic", "major"}


class Derivative(Expr):
    """A derivative in index notation: an `Expr` that knows which of its indices came from where.

    `of` has those of what was differentiated, `wrt` those of what it was differentiated by, as far as they are free;
    pairs that were contracted are in `contracted`. Arithmetic gives a plain `Expr`.
    """

    __slots__ = ("contracted", "groups", "of", "source", "structure", "targets", "wrt")
    source: Expr
    targets: tuple[Expr, ...]
    of: tuple[Index, ...]
    wrt: tuple[Index, ...]
    groups: tuple[tuple[Index, ...], ...]
    contracted: tuple[Index, ...]
    structure: str

    @property
    def note(self) -> str:
        """What a reader might trip over: a contraction, and which derivative by a structured variable this is."""
        notes = []
        if self.contracted:
            names = ", ".join(map(str, self.contracted))
            notes.append(
                f"{names} is free on both sides, so it is summed: a divergence. For the Jacobian "
                "differentiate by a fresh index."
            )
        if self.structure:
            notes.append(f"structure={self.structure!r}: {MEANING[self.structure]}")
        return " ".join(notes)

    def latex(self, lhs: bool = False) -> str:
        r"""The LaTeX of the derivative; with `lhs` as an equation.

        >>> import indexcalc as ic
        >>> i, k = ic.indices("i k"); x = ic.tensor("x", "n")
        >>> print(ic.exp(x[i]).sum(i).diff(x[k]).latex(lhs=True))
        \frac{\partial}{\partial x_{k}}\left(\sum_{i} \exp\left(x_{i}\right)\right) = \exp\left(x_{k}\right)
        """
        right = super().latex()
        if not lhs:
            return right
        below = r"\,".join(rf"\partial {target.latex()}" for target in self.targets)
        above = rf"\partial^{{{len(self.targets)}}}" if len(self.targets) > 1 else r"\partial"
        return rf"\frac{{{above}}}{{{below}}}\left({self.source.latex()}\right) = {right}"

    def layout(self, name: str) -> Array:
        """The derivative as a convention lays it out: "numerator", "denominator", "mixed", "gradient", "jax", ..."""
        from indexcalc.layout.project import layout_expr

        return layout_expr(self, name)


class ArrayDerivative(Array):
    """A derivative of Arrays: an `Array` that knows which of its axes came from where, by number."""

    __slots__ = ("groups", "of", "structure", "wrt")
    of: tuple[int, ...]
    wrt: tuple[int, ...]
    groups: tuple[tuple[int, ...], ...]
    structure: str

    @property
    def note(self) -> str:
        """Which derivative by a structured variable this is."""
        return f"structure={self.structure!r}: {MEANING[self.structure]}" if self.structure else ""

    def layout(self, name: str) -> Array:
        """The derivative as a convention lays it out: "numerator", "denominator", "mixed", "gradient", "jax", ..."""
        from indexcalc.layout.project import layout_array

        return layout_array(self, name)


MEANING = {
    "projected": "the orthogonal projection of the free gradient onto the space of such matrices",
    "free": "the structure is ignored, as automatic differentiation has it",
}


# ------------------------------------------------------------------ targets


def _target(node: Node, asked: str | Asked) -> Node:
    if isinstance(node, Variable) and "constant" in node.assumptions:
        raise DerivativeError(asked, f"{node.label} is declared constant", "declare it without constant=True")
    return node


def _target_array(value: Any, asked: str | Asked) -> Node:
    if isinstance(value, Expr):
        letters = ", ".join(map(str, value.free))
        raise KindError(
            asked,
            f"{value} has names",
            f"for Arrays leave [{letters}] out; in index notation write ic.diff(y, {value})",
        )
    node, axes = place_of(value, asked)
    if axes != tuple(range(node.order)):
        raise DerivativeError(asked, f"{value} is a transpose of {node.name}", f"differentiate by {node.name}")
    return _target(node, asked)


def _structured(node: Node, target: Node, axes: range, structure: str, asked: str | Asked) -> tuple[Node, str]:
    """The derivative, mapped as the structure of the variable asks on the axes that came from it; and what was done."""
    if structure not in ("projected", "free"):
        raise DerivativeError(asked, f"structure={structure!r} is not known", 'write structure="projected" or "free"')
    if not isinstance(target, Variable):
        return node, ""
    words = target.assumptions & (LINEAR | STRUCTURED)
    rule = symmetry_of(target)
    if not words and not rule.blocks:
        return node, ""
    if structure == "free":
        return node, "free"
    hard = words & STRUCTURED
    if hard:
        raise DerivativeError(
            asked,
            f"{target.label} is declared {', '.join(sorted(hard))}, and the projection onto such tensors has no rule",
            'write structure="free"',
        )
    for block, sign in rule.blocks:
        places = [axes[axis] for axis in block]
        terms: list[tuple[Number, Node, list[int]]] = []
        for order in permutations(range(len(places))):
            inversions = sum(x > y for k, x in enumerate(order) for y in order[k + 1 :])
            labels = list(range(node.order))
            for place, k in zip(places, order, strict=True):
                labels[place] = places[k]
            coef = sign if inversions % 2 else 1
            terms.append((coef, node, labels))
        total = addition(terms, node.dims)
        node = einsum(
            Fraction(1, factorial(len(places))),
            [(total, range(node.order))],
            range(node.order),
        )
    return node, "projected"


# ------------------------------------------------------------------ index notation


def diff(y: Any, *wrt: Any, structure: str = "projected") -> Derivative:
    """The derivative in index notation, by one indexed tensor after the other: `∂y_j/∂W_ik` is `ic.diff(y, W[i,k])`.

    An index of `wrt` that is free in `y` is summed (a divergence) or, if it is a batch index, kept (the Jacobian of
    each sample); any other is new. The result is simplified; its free indices are those of y, then those of wrt.

    >>> import indexcalc as ic
    >>> i, j, k = ic.indices("i j k")
    >>> x, W, b = ic.tensor("x", "n"), ic.tensor("W", "n m"), ic.tensor("b", "m")
    >>> ic.diff(x[i]*W[i,j] + b[j], W[i,k])
    x[i]*δ[j,k]
    """
    if isinstance(y, Array):
        if y.order:
            raise KindError(
                f"diff({y}, ...)", f"{y} has no names for its axes", f"index it, or write ic.derivative({y}, ...)"
            )
        y = Expr(y.node, (), y.inputs)
    if not isinstance(y, Expr):
        raise KindError(f"diff({y!r}, ...)", f"a {type(y).__name__} is no expression", "differentiate an Expr")
    if not wrt:
        raise DerivativeError(f"({y}).diff()", "by what?", "write y.diff(x[i])")
    of = y.of if isinstance(y, Derivative) else y.free
    groups = y.groups if isinstance(y, Derivative) else ()
    result = y
    contracted: tuple[Index, ...] = ()
    done = ""
    for target in wrt:
        result, fresh, summed, how = _diff_once(result, target, structure)
        groups = (*groups, fresh)
        contracted += summed
        done = how or done
    made = Derivative(result.node, result.indices, result.inputs, result.free)
    made.of = tuple(index for index in of if index in made.indices)
    made.wrt = tuple(index for group in groups for index in group if index in made.indices and index not in made.of)
    made.groups = tuple(tuple(index for index in group if index in made.wrt) for group in groups)
    made.contracted, made.structure = contracted, done
    made.source = y.source if isinstance(y, Derivative) else y
    made.targets = (*(y.targets if isinstance(y, Derivative) else ()), *(_indexed(target) for target in wrt))
    return made


def _indexed(target: Any) -> Expr:
    return target if isinstance(target, Expr) else Expr(target.node, (), target.inputs)


def _diff_once(y: Expr, target: Any, structure: str) -> tuple[Expr, tuple[Index, ...], tuple[Index, ...], str]:
    asked = Asked(lambda: f"({y}).diff({target})")
    if isinstance(target, Array) and target.order:
        taken = set(y.names)
        letters = [name for name in "ijklmnpqrst" if name not in taken][: target.order]
        raise KindError(asked, f"{target} needs an index for each axis", f"write y.diff({target}[{','.join(letters)}])")
    if isinstance(target, Array):
        target = Expr(target.node, (), target.inputs)
    if not isinstance(target, Expr):
        raise KindError(asked, f"a {type(target).__name__} is no tensor", "differentiate by an indexed tensor, W[i,k]")
    if target.summed:
        raise DerivativeError(asked, f"{target} is a sum of entries", "give each axis an index of its own")
    node, axes = place_of(target, asked)
    _target(node, asked)
    if isinstance(node, Variable) and any(index.batch and target.free.count(index) > 1 for index in target.free):
        raise DerivativeError(
            asked, "an index stands twice in what to differentiate by", "give each axis an index of its own"
        )
    own = tuple(target.indices[axis] for axis in axes)
    meet([y, target], "differentiated by")
    join_inputs([y, target])
    made = calculus.derivative(y.node, node)
    mapped, how = _structured(made, node, range(y.order, y.order + node.order), structure, asked)
    labels = [index.name for index in (*y.indices, *own)]
    shared = [index for index in own if index in y.indices]
    out = [index for index in y.free if index not in shared or index.batch]
    fresh = tuple(index for index in target.free if index not in shared)
    (final,) = simplify([einsum(1, [(mapped, labels)], [index.name for index in (*out, *fresh)])])
    inputs = join_inputs([y, target])
    summed = tuple(index for index in shared if not index.batch)
    return Expr(final, (*out, *fresh), inputs), target.free, summed, how


# ------------------------------------------------------------------ Arrays


def derivative(Y: Any, W: Any, order: int = 1, *, structure: str = "projected") -> ArrayDerivative:
    """The derivative of an Array by a tensor, `order` times: axes of Y, then those of W, once for each order.

    >>> import indexcalc as ic
    >>> x = ic.tensor("x", "n")
    >>> ic.derivative(ic.exp(x), x).shape
    (n, n)
    """
    if not isinstance(order, int) or order < 1:
        raise DerivativeError(
            f"derivative({Y}, {W}, order={order!r})", "the order is a positive integer", "write order=2, say"
        )
    return _by(Y, [W] * order, structure)


def _by(Y: Any, targets: Sequence[Any], structure: str) -> ArrayDerivative:
    asked = Asked(lambda: f"derivative({Y}, {', '.join(map(str, targets))})")
    root = _source(Y, asked)
    node = root.node
    wrt: list[tuple[int, ...]] = []
    how = ""
    for target in targets:
        place = _target_array(target, asked)
        start = node.order
        made = calculus.derivative(node, place)
        mapped, done = _structured(made, place, range(start, made.order), structure, asked)
        (node,) = simplify([mapped])
        wrt.append(tuple(range(start, node.order)))
        how = done or how
    views = [view for view in targets if isinstance(view, View)]
    result = ArrayDerivative(node, join_inputs([root, *views]))
    result.of, result.wrt = tuple(range(root.order)), tuple(range(root.order, node.order))
    result.groups, result.structure = tuple(wrt), how
    return result


def _source(Y: Any, asked: str | Asked) -> Array:
    if isinstance(Y, Expr) and not Y.free:
        return Array(Y.node, Y.inputs)
    if not isinstance(Y, Array):
        instead = "write y.diff(W[i,k]), or place its axes: y.array(i, j)" if isinstance(Y, Expr) else "give an Array"
        raise KindError(asked, f"{Y!r} is no Array", instead)
    return Y


def _scalar(L: Any, asked: str | Asked) -> Array:
    source = _source(L, asked)
    if source.order:
        raise DerivativeError(
            asked,
            f"{L} has axes of dimensions {source.shape}, and a gradient is of a scalar",
            "write ic.derivative(...), or ic.vjp(...)",
        )
    return source


def grad(L: Any, W: Any, *, structure: str = "projected") -> Any:
    """The gradient of a scalar: the axes of the variable. A list of variables gives a list, derived in one sweep.

    >>> import indexcalc as ic
    >>> x = ic.tensor("x", "n")
    >>> ic.grad((x*x).sum(), x) == 2*x
    True
    """
    several = isinstance(W, list | tuple)
    targets = list(W) if several else [W]
    asked = Asked(lambda: f"grad({L}, {', '.join(map(str, targets))})")
    source = _scalar(L, asked)
    places = [_target_array(target, asked) for target in targets]
    nodes = calculus.gradients(source.node, places)
    pairs = [
        _structured(node, place, range(node.order), structure, asked) for node, place in zip(nodes, places, strict=True)
    ]
    made = []
    for node, (_, how), target in zip(simplify([node for node, _ in pairs]), pairs, targets, strict=True):
        result = ArrayDerivative(node, join_inputs([source, target]))
        result.of, result.wrt, result.structure = (), tuple(range(node.order)), how
        result.groups = (result.wrt,)
        made.append(result)
    return made if several else made[0]


def hessian(L: Any, u: Any, v: Any = None, *, structure: str = "projected") -> ArrayDerivative:
    """The second derivative of a scalar: the axes of u, then those of v (of u again if there is no v).

    >>> import indexcalc as ic
    >>> x, A = ic.tensor("x", "n"), ic.tensor("A", "n n")
    >>> ic.hessian(x @ A @ x, x) == A + A.T
    True
    """
    second = u if v is None else v
    return _by(_scalar(L, Asked(lambda: f"hessian({L}, {u})")), [u, second], structure)


def _seeds(asked: str | Asked, targets: Sequence[Any], seeds: Any, several: bool) -> list[Array]:
    values = list(seeds) if several and isinstance(seeds, list | tuple) else [seeds]
    if len(values) != len(targets):
        raise DerivativeError(asked, f"{len(values)} directions for {len(targets)} tensors", "give one for each")
    for target, value in zip(targets, values, strict=True):
        if not isinstance(value, Array) or value.shape != target.shape:
            shape = value.shape if isinstance(value, Array | Expr) else type(value).__name__
            raise DimensionError(
                asked, f"{value} has {shape}, {target} has {target.shape}", "a direction has the shape of its tensor"
            )
    return values


def jvp(Y: Any, W: Any, dW: Any) -> Any:
    """The derivative of Y along dW, derived with its seed: the axes of Y. With lists of both, the sum.

    >>> import indexcalc as ic
    >>> x, v = ic.tensor("x", "n"), ic.tensor("v", "n")
    >>> ic.jvp(x*x, x, v) == 2*x*v
    True
    """
    several = isinstance(W, list | tuple)
    targets = list(W) if several else [W]
    asked = Asked(lambda: f"jvp({Y}, {', '.join(map(str, targets))}, {dW})")
    sources = [_source(one, asked) for one in (Y if isinstance(Y, list | tuple) else [Y])]
    places = [_target_array(target, asked) for target in targets]
    seeds = _seeds(asked, targets, dW, several)
    nodes = calculus.jvp([source.node for source in sources], places, [seed.node for seed in seeds])
    made = [Array(node, join_inputs([source, *targets, *seeds])) for node, source in zip(nodes, sources, strict=True)]
    return made if isinstance(Y, list | tuple) else made[0]


def vjp(Y: Any, W: Any, G: Any) -> Any:
    """The cotangent of W, given that of Y, derived with its seed: the axes of W. A list of variables gives a list.

    >>> import indexcalc as ic
    >>> X, W, G = ic.tensor("X", "n d"), ic.tensor("W", "d m"), ic.tensor("G", "n m")
    >>> ic.vjp(X @ W, W, G) == X.T @ G
    True
    """
    several = isinstance(W, list | tuple)
    targets = list(W) if several else [W]
    asked = Asked(lambda: f"vjp({Y}, {', '.join(map(str, targets))}, {G})")
    sources = [_source(one, asked) for one in (Y if isinstance(Y, list | tuple) else [Y])]
    places = [_target_array(target, asked) for target in targets]
    seeds = _seeds(asked, sources, G, isinstance(Y, list | tuple))
    nodes = calculus.vjp([source.node for source in sources], places, [seed.node for seed in seeds])
    made = [Array(node, join_inputs([*sources, target, *seeds])) for node, target in zip(nodes, targets, strict=True)]
    return made if several else made[0]


def hvp(L: Any, w: Any, v: Any) -> Any:
    """The Hessian of a scalar times v, derived with its seed: the axes of w. Lists give a list.

    >>> import indexcalc as ic
    >>> x, v, A = ic.tensor("x", "n"), ic.tensor("v", "n"), ic.tensor("A", "n n")
    >>> ic.hvp(x @ A @ x, x, v) == A @ v + A.T @ v
    True
    """
    several = isinstance(w, list | tuple)
    targets = list(w) if several else [w]
    asked = Asked(lambda: f"hvp({L}, {', '.join(map(str, targets))}, {v})")
    source = _scalar(L, asked)
    places = [_target_array(target, asked) for target in targets]
    seeds = _seeds(asked, targets, v, several)
    nodes = calculus.hvp(source.node, places, [seed.node for seed in seeds])
    made = [Array(node, join_inputs([source, *targets, *seeds])) for node in nodes]
    return made if several else made[0]


def differential(L: Any, W: Sequence[Any]) -> Any:
    """The differential: linear in `dW`, a new tensor for each of the variables.

    >>> import indexcalc as ic
    >>> x = ic.tensor("x", "n")
    >>> ic.differential((x*x).sum(), [x]) == 2*(x @ ic.tensor("dx", "n"))
    True
    """
    targets = list(W) if isinstance(W, list | tuple) else [W]
    seeds = []
    for target in targets:
        node = _target_array(target, f"differential by {target}")
        words = node.assumptions if isinstance(node, Variable) else ()
        linear = [word for word in words if word in ("symmetric", "skew", "diagonal")]
        seeds.append(Array(variable(f"d{node.name}", node.dims, linear, symmetry_of(node))))
    if isinstance(L, Expr) and L.free:
        placed = jvp(L.array(*L.free), targets, seeds)
        return placed[L.free]
    return jvp(L, targets, seeds)
