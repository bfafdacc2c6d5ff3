"""`evaluate` for views: inputs by name or by tensor, sizes by symbol, axes in the order that is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from indexcalc.engine.bind.declared import check_declared
from indexcalc.engine.bind.inputs import bind
from indexcalc.engine.compile import run
from indexcalc.engine.limits import TooLarge
from indexcalc.errors import Asked, InputError, KindError, NotationError, did_you_mean
from indexcalc.graph.constructors import einsum
from indexcalc.graph.node import Call, Node, Variable, topological
from indexcalc.index import Dim, Dimension
from indexcalc.layout.project import Layout
from indexcalc.views.array import OTHER, Array, meant
from indexcalc.views.expr import Expr
from indexcalc.views.view import View, join_inputs


def evaluate(
    view: View,
    values: Mapping[Any, Any] | None = None,
    /,
    *,
    order: Sequence[Any] | None = None,
    memory_limit: int | None = None,
    **named: Any,
) -> Any:
    """The numbers of an expression: a NumPy array, or a scalar where it has no axes.

    Inputs come by name (`x=x0`) or by tensor (`{x: x0}`); a dimension that no input fixes by its symbol (`n=5`); an
    abstract function as a callable under its name, and so its derivatives (`u=..., Du=...`). Tensors that an
    expression was made from and that dropped out may be given and fix dimensions. Axes come in the order of `.free`,
    or as `order` says. Vectors come and go as (n,); a column may be given as (n, 1), a row as (1, n). float32, float64,
    complex64 and complex128 are kept, integers become float64. An array of more than `memory_limit` bytes (half of the
    machine's memory) is an error before anything is computed, which says what `.compressed(...)` would take.

    >>> import indexcalc as ic
    >>> i = ic.index("i"); x = ic.tensor("x", "n")
    >>> (2*x[i]).evaluate(x=[1, 2, 3])
    array([2., 4., 6.])
    """
    node = _ordered(view, order)
    inputs, extents, calls = bound_inputs([view], [node], values, named, "evaluate")
    check_declared(inputs)
    try:
        (result,) = run.evaluate([node], inputs, extents, calls, limit=memory_limit)
    except TooLarge as error:
        raise _instead(error, view, extents) from None
    if isinstance(view, Layout) and order is None:
        result = result[tuple(None if place is None else slice(None) for place in view.places)]
    return result if result.ndim else result[()]


def _instead(error: TooLarge, view: View, sizes: dict[str, int]) -> TooLarge:
    """The error with the expression, and with what the compressed form takes, where that is less."""
    from indexcalc.engine.preflight import alternative, amount

    asked = Asked(lambda: f"evaluate {view}")
    found = alternative(view, sizes, error.itemsize)
    if max(found.nbytes, found.peak_bytes) > error.limit:
        return TooLarge(asked, error.found, error.instead, error.itemsize, error.limit)
    instead = f".compressed(...) holds it in {amount(found.nbytes)}, for .matvec(v), .diagonal(), .trace(), .solve(b)"
    more = "evaluate less of it at once, or give a larger memory_limit"
    return TooLarge(asked, error.found, f"{instead}; {more}", error.itemsize, error.limit)


def bound_inputs(
    views: Sequence[View], roots: Sequence[Node], values: Mapping[Any, Any] | None, named: Mapping[str, Any], asked: str
) -> tuple[dict[Variable, Any], dict[str, int], dict[str, Any]]:
    """What was given, sorted: the array of each variable, the size of each symbol, functions by name."""
    given = _by_name(values, named)
    functions = {name for root in roots for name in _functions(root)}
    variables = join_inputs(views)
    accepted = {variable.label for variable in variables}
    symbols = _symbols([*roots, *variables])
    arrays: dict[str, Any] = {}
    sizes: dict[str, Any] = {}
    calls: dict[str, Any] = {}
    for name, value in given.items():
        if name in functions:
            calls[name] = value
        elif name in accepted:
            arrays[name] = value
        elif name in symbols:
            sizes[name] = value
        else:
            raise InputError(
                Asked(lambda: f"{asked} {', '.join(map(str, views))}"),
                f"unknown input {name!r}",
                did_you_mean(name, accepted | symbols | functions),
            )
    standing = {name: how for view in views for name, how in _standing(view).items()}
    inputs, extents = bind(variables, arrays, sizes, roots=roots, standing=standing)
    return inputs, extents, calls


def _standing(view: View) -> dict[str, str]:
    """How the vectors among the inputs of a view are meant, by name."""
    vectors, turned = meant([view])
    if vectors == "numpy":
        return {}
    return {
        variable.label: OTHER[vectors] if variable.label in turned else vectors
        for variable in view.inputs
        if variable.order == 1
    }


def _ordered(view: View, order: Sequence[Any] | None) -> Node:
    asked = Asked(lambda: f"evaluate {view} with order={order}")
    if isinstance(view, Expr):
        wanted = view.free if order is None else tuple(order)
        if set(wanted) != set(view.free) or len(wanted) != len(view.free):
            raise NotationError(
                asked, f"the free indices are {', '.join(map(str, view.free)) or 'none'}", "name each once"
            )
        if wanted == view.indices:
            return view.node
        return einsum(1, [(view.node, view.names)], [index.name for index in wanted])
    assert isinstance(view, Array)
    if order is None or order == "C":
        return view.node
    if sorted(order) != list(range(view.order)):
        raise NotationError(asked, f"the axes are 0 to {view.order - 1}", "name each once")
    return einsum(1, [(view.node, range(view.order))], order)


def _by_name(values: Mapping[Any, Any] | None, named: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if values is not None and not isinstance(values, Mapping):
        raise KindError(
            "evaluate", f"{type(values).__name__} is no table of inputs", "write evaluate(x=...) or evaluate({x: ...})"
        )
    for key, value in [*(values or {}).items(), *named.items()]:
        if isinstance(key, str):
            name = key
        elif isinstance(key, View) and key.node.kind == "variable":
            name = key.node.name
        elif hasattr(key, "signature"):
            name = key.signature.name
        else:
            raise KindError("evaluate", f"{key!r} is no tensor", "give inputs by name, x=..., or by tensor, {x: ...}")
        if name in found:
            raise InputError("evaluate", f"{name} is given twice", "give it once")
        found[name] = value
    return found


def _functions(node: Node) -> set[str]:
    """The names under which abstract functions and their derivatives are looked up."""
    return {inner.function.title(inner.orders) for inner in topological([node]) if isinstance(inner, Call)}


def _symbols(nodes: Sequence[Node]) -> set[str]:
    dims: list[Dimension] = []
    for node in topological(nodes):
        dims += [*node.dims, *getattr(node, "sizes", ())]
    return {name for dim in dims if isinstance(dim, Dim) for name in dim.symbols if not name.startswith("?")}
