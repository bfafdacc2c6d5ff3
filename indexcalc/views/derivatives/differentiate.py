"""Derivatives of views: `diff` in index notation; `derivative`, `grad`, `hessian`, `jvp`, `vjp`, `hvp` for Arrays.

By a structured variable (symmetric, skew) there are several derivatives in books. `structure="projected"` is the
default: the orthogonal projection of the free gradient onto the space of such matrices; `structure="independent"` has
the derivative by each independent entry at every entry that it fills; `structure="free"` ignores the structure, as
automatic differentiation does. `calculus/structure.py` has the maps.

For a free derivative the variable is replaced by one without structure, through all orders of a call, and put back in
the result; so it is for a derivative along a direction, which may leave the space.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, overload

from indexcalc.calculus import derivative as calculus
from indexcalc.calculus.structure import Structure, check_map, is_structured, structured, tangent_words, unstructured
from indexcalc.errors import Asked, DerivativeError, DimensionError, KindError, counted
from indexcalc.graph.constructors import addition, einsum, variable
from indexcalc.graph.edge import symmetry_of
from indexcalc.graph.node import NO_SYMMETRY, Node, Variable
from indexcalc.graph.walk import substitute
from indexcalc.index import Index
from indexcalc.simplify.passes import canonical, simplify
from indexcalc.surface import public
from indexcalc.views.array import Array
from indexcalc.views.array import array_from as made_from
from indexcalc.views.derivatives.derivative import ArrayDerivative, Derivative, Derivatives
from indexcalc.views.derivatives.steps import with_steps
from indexcalc.views.expr import Expr, meet
from indexcalc.views.named import place_of, variable_of
from indexcalc.views.placed import context_of
from indexcalc.views.view import View, join_inputs

Several: TypeAlias = list[Any] | tuple[Any, ...]
"""Several tensors, or names of tensors, as type checkers see them."""
HIGHEST = 1000
"""The highest order of a derivative: an arbitrary budget, far beyond what ends; more is a slip of the keys."""

# ------------------------------------------------------------------ targets


def _listed(wrt: Any, views: Sequence[Any], asked: str | Asked) -> tuple[list[Any], bool]:
    """What to differentiate by as a list, names looked up among these views, and whether several were given."""
    several = isinstance(wrt, list | tuple)
    return [variable_of(target, views, asked) for target in (wrt if several else [wrt])], several


def _target(node: Node, asked: str | Asked) -> Node:
    if isinstance(node, Variable) and "constant" in node.assumptions:
        raise DerivativeError(asked, f"{node.label} is declared constant", "declare it without constant=True")
    if isinstance(node, Variable) and "integer" in node.assumptions:
        found = f"{node.label} is declared integer, and nothing is between whole numbers"
        raise DerivativeError(asked, found, "declare it without integer=True")
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


class _Loose:
    """Structured variables replaced by plain ones of the same names, and back."""

    def __init__(self, places: Sequence[Node]) -> None:
        self.table: dict[Node, Node] = {
            place: unstructured(place) for place in places if isinstance(place, Variable) and is_structured(place)
        }

    def open(self, nodes: Sequence[Node]) -> list[Node]:
        """The nodes with the plain variables."""
        return substitute(nodes, self.table) if self.table else list(nodes)

    def close(self, nodes: Sequence[Node]) -> list[Node]:
        """The nodes with the structured variables, simplified."""
        if not self.table:
            return list(nodes)
        return simplify(substitute(nodes, {plain: place for place, plain in self.table.items()}))


# ------------------------------------------------------------------ index notation


@public
def diff(y: Any, *wrt: Any, structure: Structure = "projected") -> Derivative:
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
    wrt = tuple(_listed(wrt, [y], Asked(lambda: f"({y}).diff({', '.join(map(repr, wrt))})"))[0])
    of = y.of if isinstance(y, Derivative) else y.free
    groups = y.groups if isinstance(y, Derivative) else ()
    loose = _loosened(y, wrt, structure)
    result = Expr(loose.open([y.node])[0], y.indices, y.inputs, y.free, y.summed)
    contracted: tuple[Index, ...] = ()
    done = y.structures if isinstance(y, Derivative) else ()
    for target in wrt:
        result, fresh, summed, how = _diff_once(result, target, structure, loose)
        groups = (*groups, fresh)
        contracted += summed
        done = (*done, how)
    made = Derivative(loose.close([result.node])[0], result.indices, result.inputs, result.free)
    made.of = tuple(index for index in of if index in made.indices)
    made.wrt = tuple(index for group in groups for index in group if index in made.indices and index not in made.of)
    made.groups = tuple(tuple(index for index in group if index in made.wrt) for group in groups)
    made.contracted, made.structures = contracted, done
    made.source = y.source if isinstance(y, Derivative) else y
    made.targets = (*(y.targets if isinstance(y, Derivative) else ()), *(_indexed(target) for target in wrt))
    return made


def _indexed(target: Any) -> Expr:
    return target if isinstance(target, Expr) else Expr(target.node, (), target.inputs)


def _loosened(y: Expr, wrt: Sequence[Any], structure: str) -> _Loose:
    """What is replaced for a free derivative; a target that is none is an error later."""
    check_map(structure, Asked(lambda: f"({y}).diff({', '.join(map(str, wrt))})"))
    nodes = [canonical(target.node).node for target in wrt if structure == "free" and isinstance(target, View)]
    return _Loose(nodes)


def _diff_once(
    y: Expr, target: Any, structure: str, loose: _Loose
) -> tuple[Expr, tuple[Index, ...], tuple[Index, ...], str]:
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
    made = calculus.derivative(y.node, *loose.open([node]))
    mapped, how = structured(made, node, range(y.order, y.order + node.order), structure, asked)
    labels = [index.name for index in (*y.indices, *own)]
    shared = [index for index in own if index in y.indices]
    out = [index for index in y.free if index not in shared or index.batch]
    fresh = tuple(index for index in target.free if index not in shared)
    (final,) = simplify([einsum(1, [(mapped, labels)], [index.name for index in (*out, *fresh)])])
    (final,) = with_steps([y.node], [final])
    inputs = join_inputs([y, target])
    summed = tuple(index for index in shared if not index.batch)
    return Expr(final, (*out, *fresh), inputs), target.free, summed, how


# ------------------------------------------------------------------ Arrays


@public
def derivative(Y: Any, W: Any, order: int = 1, *, structure: Structure = "projected") -> ArrayDerivative:
    """The derivative of an Array by a tensor, `order` times: axes of Y, then those of W, once for each order.

    >>> import indexcalc as ic
    >>> x = ic.tensor("x", "n")
    >>> ic.derivative(ic.exp(x), x).shape
    (n, n)
    """
    if not 1 <= order <= HIGHEST:
        asked = Asked(lambda: f"derivative({Y}, {W}, order={order!r})")
        raise DerivativeError(asked, f"the order is an integer from 1 to {HIGHEST}", "write order=2, say")
    return _by(Y, [W] * int(order), structure)


def _by(Y: Any, targets: Sequence[Any], structure: str) -> ArrayDerivative:
    asked = Asked(lambda: f"derivative({Y}, {', '.join(map(str, targets))})")
    root = _source(Y, asked)
    targets, _ = _listed(targets, [root], asked)
    check_map(structure, asked)
    places = [_target_array(target, asked) for target in targets]
    loose = _Loose(places if structure == "free" else ())
    (node,) = loose.open([root.node])
    wrt: list[tuple[int, ...]] = []
    how = Y.structures if isinstance(Y, ArrayDerivative) else ()
    for place, opened in zip(places, loose.open(places), strict=True):
        start = node.order
        made = calculus.derivative(node, opened)
        mapped, done = structured(made, place, range(start, made.order), structure, asked)
        (node,) = simplify([mapped])
        wrt.append(tuple(range(start, node.order)))
        how = (*how, done)
    (node,) = with_steps([root.node], loose.close([node]))
    return _made(node, root, targets, tuple(wrt), how)


def _made(
    node: Node, source: Array, targets: Sequence[Any], groups: tuple[tuple[int, ...], ...], how: tuple[str, ...]
) -> ArrayDerivative:
    """A derivative whose first axes came from what was differentiated.

    Of order 1 it stands as the one vector that gave it this axis.
    """
    count, views = source.order, [source, *targets]
    inputs, vectors, turned = context_of([view for view in views if isinstance(view, View)])
    upright = next((view.places for view in views if isinstance(view, Array) and view.order == node.order == 1), None)
    result = ArrayDerivative(node, inputs, upright, vectors, turned)
    result.of, result.wrt = tuple(range(count)), tuple(range(count, node.order))
    result.groups, result.structures = groups, how
    result.source, result.targets = source, tuple(targets)
    return result


def _source(Y: Any, asked: str | Asked) -> Array:
    if isinstance(Y, Expr) and not Y.free:
        return Array(Y.node, Y.inputs)
    if isinstance(Y, Array) and Y.ndim and not Y.order:
        return Array(Y.node, Y.inputs, (), Y.vectors, Y.turned)
    if not isinstance(Y, Array):
        instead = "write y.diff(W[i,k]), or place its axes: y.array(i, j)" if isinstance(Y, Expr) else "give an Array"
        raise KindError(asked, f"{Y!r} is no Array", instead)
    return Y


def _scalar(L: Any, asked: str | Asked) -> Array:
    source = _source(L, asked)
    if source.order:
        raise DerivativeError(
            asked,
            f"{L} has axes of dimensions {source.node.dims}, and a gradient is of a scalar",
            "write ic.derivative(...), or ic.vjp(...)",
        )
    return source


@overload
def grad(L: View, W: View | str, *, structure: Structure = "projected") -> ArrayDerivative: ...
@overload
def grad(L: View, W: Several, *, structure: Structure = "projected") -> list[ArrayDerivative]: ...
@public
def grad(L: Any, W: Any, *, structure: Structure = "projected") -> Any:
    """The gradient of a scalar: the axes of the variable. A list of variables gives a list, derived in one sweep.

    >>> import indexcalc as ic
    >>> x = ic.tensor("x", "n")
    >>> ic.grad((x*x).sum(), x) == 2*x
    True
    """
    asked = Asked(lambda: f"grad({L}, {W})")
    source = _scalar(L, asked)
    targets, several = _listed(W, [source], asked)
    places = [_target_array(target, asked) for target in targets]
    check_map(structure, asked)
    loose = _Loose(places if structure == "free" else ())
    (root,) = loose.open([source.node])
    nodes, how = _mapped(calculus.gradients(root, loose.open(places)), places, structure, loose, asked)
    made = []
    for node, done, target in zip(with_steps([source.node], nodes), how, targets, strict=True):
        made.append(_made(node, source, [target], (tuple(range(node.order)),), (done,)))
    return Derivatives(made) if several else made[0]


def _mapped(
    nodes: Sequence[Node], places: Sequence[Node], structure: str, loose: _Loose, asked: Asked
) -> tuple[list[Node], list[str]]:
    """Gradients by these variables, mapped as `structure` says and simplified, and what was done to each."""
    pairs = [
        structured(node, place, range(node.order), structure, asked) for node, place in zip(nodes, places, strict=True)
    ]
    return loose.close(simplify([node for node, _ in pairs])), [how for _, how in pairs]


@public
def hessian(L: Any, u: Any, v: Any = None, *, structure: Structure = "projected") -> ArrayDerivative:
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
        raise DerivativeError(
            asked, f"{counted(len(values), 'direction')} for {counted(len(targets), 'tensor')}", "give one for each"
        )
    for target, value in zip(targets, values, strict=True):
        if not isinstance(value, Array) or (value.shape, value.places) != (target.shape, target.places):
            shape = value.shape if isinstance(value, Array | Expr) else type(value).__name__
            raise DimensionError(
                asked, f"{value} has {shape}, {target} has {target.shape}", "a direction has the shape of its tensor"
            )
    return values


def _like(template: Array, node: Node, views: Sequence[View]) -> Array:
    """A node made from these views that stands as the template does."""
    return made_from(node, views, template.places)


def _gradient_like(
    template: Array, node: Node, views: Sequence[View], how: str, source: Array | None
) -> ArrayDerivative:
    """The gradient of a scalar by the template, which stands as it does."""
    inputs, vectors, turned = context_of(views)
    result = ArrayDerivative(node, inputs, template.places, vectors, turned)
    result.of, result.wrt, result.structures = (), tuple(range(node.order)), (how,)
    result.groups = (result.wrt,)
    result.source, result.targets = source, (template,)
    return result


@overload
def jvp(Y: View, W: Any, dW: Any, *, structure: Structure = "projected") -> Array: ...
@overload
def jvp(Y: Several, W: Any, dW: Any, *, structure: Structure = "projected") -> list[Array]: ...
@public
def jvp(Y: Any, W: Any, dW: Any, *, structure: Structure = "projected") -> Any:
    """The derivative of Y along dW, derived with its seed: the axes of Y. With lists of both, the sum.

    The direction is taken as it is, whatever `structure` says: along one that has the structure of W all three are one,
    along another one it is the derivative of Y as it was written.

    >>> import indexcalc as ic
    >>> x, v = ic.tensor("x", "n"), ic.tensor("v", "n")
    >>> ic.jvp(x*x, x, v) == 2*x*v
    True
    """
    asked = Asked(lambda: f"jvp({Y}, {W}, {dW})")
    sources = [_source(one, asked) for one in (Y if isinstance(Y, list | tuple) else [Y])]
    targets, several = _listed(W, sources, asked)
    places = [_target_array(target, asked) for target in targets]
    seeds = _seeds(asked, targets, dW, several)
    check_map(structure, asked)
    loose = _Loose(places)
    roots = loose.open([source.node for source in sources])
    nodes = loose.close(calculus.jvp(roots, loose.open(places), loose.open([seed.node for seed in seeds])))
    made = [_like(source, node, [source, *targets, *seeds]) for node, source in zip(nodes, sources, strict=True)]
    return made if isinstance(Y, list | tuple) else made[0]


@overload
def vjp(Y: Any, W: View | str, G: Any, *, structure: Structure = "projected") -> ArrayDerivative: ...
@overload
def vjp(Y: Any, W: Several, G: Any, *, structure: Structure = "projected") -> list[ArrayDerivative]: ...
@public
def vjp(Y: Any, W: Any, G: Any, *, structure: Structure = "projected") -> Any:
    """The cotangent of W, given that of Y, derived with its seed: the axes of W. A list of variables gives a list.

    It is the gradient of the scalar `(Y*G).sum()`, so by a structured W it is mapped as `structure` says.

    >>> import indexcalc as ic
    >>> X, W, G = ic.tensor("X", "n d"), ic.tensor("W", "d m"), ic.tensor("G", "n m")
    >>> ic.vjp(X @ W, W, G) == X.T @ G
    True
    """
    asked = Asked(lambda: f"vjp({Y}, {W}, {G})")
    sources = [_source(one, asked) for one in (Y if isinstance(Y, list | tuple) else [Y])]
    targets, several = _listed(W, sources, asked)
    places = [_target_array(target, asked) for target in targets]
    seeds = _seeds(asked, sources, G, isinstance(Y, list | tuple))
    check_map(structure, asked)
    loose = _Loose(places if structure == "free" else ())
    roots, cotangents = (loose.open([view.node for view in views]) for views in (sources, seeds))
    nodes, how = _mapped(calculus.vjp(roots, loose.open(places), cotangents), places, structure, loose, asked)
    scalar = _paired(sources, seeds)
    made = [
        _gradient_like(target, node, [*sources, target, *seeds], done, scalar)
        for node, done, target in zip(nodes, how, targets, strict=True)
    ]
    return Derivatives(made) if several else made[0]


def _paired(sources: Sequence[Array], seeds: Sequence[Array]) -> Array:
    """The sum of all entries of Y*G, over several of them."""
    pairs = [(y.node, g.node, range(y.order)) for y, g in zip(sources, seeds, strict=True)]
    return made_from(addition([(1, einsum(1, [(y, axes), (g, axes)], ()), ()) for y, g, axes in pairs], ()), sources)


@overload
def hvp(L: View, w: View | str, v: Any, *, structure: Structure = "projected") -> ArrayDerivative: ...
@overload
def hvp(L: View, w: Several, v: Any, *, structure: Structure = "projected") -> list[ArrayDerivative]: ...
@public
def hvp(L: Any, w: Any, v: Any, *, structure: Structure = "projected") -> Any:
    """The Hessian of a scalar times v, derived with its seed: the axes of w. Lists give a list.

    It is the derivative of the gradient along v. By a structured w the gradient is mapped as `structure` says, and the
    direction is taken as it is.

    >>> import indexcalc as ic
    >>> x, v, A = ic.tensor("x", "n"), ic.tensor("v", "n"), ic.tensor("A", "n n")
    >>> ic.hvp(x @ A @ x, x, v) == A @ v + A.T @ v
    True
    """
    asked = Asked(lambda: f"hvp({L}, {w}, {v})")
    source = _scalar(L, asked)
    targets, several = _listed(w, [source], asked)
    places = [_target_array(target, asked) for target in targets]
    seeds = _seeds(asked, targets, v, several)
    check_map(structure, asked)
    loose = _Loose(places)
    root, *directions = loose.open([source.node, *(seed.node for seed in seeds)])
    nodes = calculus.hvp(root, loose.open(places), directions)
    nodes, how = _mapped(nodes, places, structure, loose, asked)
    made = [
        _gradient_like(target, node, [source, *targets, *seeds], done, None)
        for node, done, target in zip(nodes, how, targets, strict=True)
    ]
    return Derivatives(made) if several else made[0]


@overload
def differential(L: Expr, W: Any, *, structure: Structure = "projected") -> Expr: ...
@overload
def differential(L: Array, W: Any, *, structure: Structure = "projected") -> Array: ...
@public
def differential(L: Any, W: Any, *, structure: Structure = "projected") -> Any:
    """The differential: linear in `dW`, a new tensor for each of the variables.

    `dW` has the structure of W, as far as it is linear; with `structure="free"` it has none.

    >>> import indexcalc as ic
    >>> x = ic.tensor("x", "n")
    >>> ic.differential((x*x).sum(), [x]) == 2*(x @ ic.tensor("dx", "n"))
    True
    """
    targets, _ = _listed(W, [L], Asked(lambda: f"differential({L}, {W})"))
    check_map(structure, Asked(lambda: f"differential({L}, {', '.join(map(str, targets))})"))
    seeds = []
    for target in targets:
        node = _target_array(target, f"differential by {target}")
        kept = structure != "free"
        words = tangent_words(node) if kept and isinstance(node, Variable) else ()
        latex = f"d{node.latex}" if isinstance(node, Variable) and node.latex else ""
        made = variable(f"d{node.name}", node.dims, words, symmetry_of(node) if kept else NO_SYMMETRY, latex)
        turned = {f"d{node.name}"} if node.order == 1 and node.name in target.turned else set()
        seeds.append(Array(made, None, target.places, target.vectors, frozenset(turned)))
    if isinstance(L, Expr) and L.free:
        placed = jvp(L.array(*L.free), targets, seeds, structure=structure)
        return placed[L.free]
    return jvp(L, targets, seeds, structure=structure)
