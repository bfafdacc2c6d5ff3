"""`evaluate` for views: inputs by name or by tensor, sizes by symbol, axes in the order that is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from indexcalc.engine.bind.declared import check_declared
from indexcalc.engine.bind.named import bound_inputs, keyword_or_input
from indexcalc.engine.compile import run
from indexcalc.engine.limits import TooLarge, most_bytes
from indexcalc.engine.preflight import alternative, amount
from indexcalc.engine.wanted import Evaluable
from indexcalc.errors import Asked, KindError
from indexcalc.graph.node import Call, Elementwise, Matrix, Node, Reduction, topological
from indexcalc.simplify.passes import simplify
from indexcalc.surface import is_sequence, public


@public
def evaluate(
    view: Evaluable,
    values: Mapping[Any, Any] | None = None,
    /,
    *,
    order: Any = None,
    memory_limit: Any = None,
    **named: Any,
) -> Any:
    """The numbers of an expression: a NumPy array, or a scalar where it has no axes.

    Inputs come by name (`x=x0`) or by tensor (`{x: x0}`); a dimension that no input fixes by its symbol (`n=5`); an
    abstract function as a callable under its name, and so its derivatives (`u=..., Du=...`). Tensors that an
    expression was made from and that dropped out may be given and fix dimensions. Axes come in the order of `.free`,
    or as `order` says. Vectors come and go as (n,); a column may be given as (n, 1), a row as (1, n). float32, float64,
    complex64 and complex128 are kept, integers become float64. A program that takes more than `memory_limit`, bytes or
    a text such as "4GB", at once beside its inputs (half of the machine's memory) is an error before anything is
    computed, which says what `.compressed(...)` would take. Of an expression that has a tensor called `order` or
    `memory_limit`, that keyword gives its numbers.

    >>> import indexcalc as ic
    >>> i = ic.index("i"); x = ic.tensor("x", "n")
    >>> (2*x[i]).evaluate(x=[1, 2, 3])
    array([2., 4., 6.])
    """
    own = [view.wanted()]
    if order is not None:
        order = keyword_or_input("order", order, own, named)
    if memory_limit is not None:
        memory_limit = keyword_or_input("memory_limit", memory_limit, own, named)
    if order is not None and not is_sequence(order):
        asked = Asked(lambda: f"evaluate {view}")
        raise KindError(
            asked, f"order={order!r} is no list or tuple of its axes", "write order=(1, 0), or order=(j, i)"
        )
    limit = most_bytes(memory_limit, "evaluate")
    wanted = own[0] if order is None else view.wanted(order)
    node = wanted.node
    inputs, extents, calls = bound_inputs([wanted], [node], values, named, Asked(lambda: f"evaluate {view}"))
    check_declared(inputs)
    try:
        (result,) = run.evaluate(_simplified(node), inputs, extents, calls, limit=limit)
    except TooLarge as error:
        raise _instead(error, view, extents) from None
    if wanted.units:
        result = result[wanted.units]
    return result if result.ndim else result[()]


@lru_cache(maxsize=run.KEPT)
def _simplified(node: Node) -> tuple[Node, ...]:
    """The node as `compile` plans it; sums and products alone as they are written: multiplied out they lose digits."""
    functions = any(isinstance(inner, Elementwise | Reduction | Matrix | Call) for inner in topological([node]))
    return tuple(simplify([node])) if functions else (node,)


def _instead(error: TooLarge, view: Evaluable, sizes: dict[str, int]) -> TooLarge:
    """The error with the expression, and with what the compressed form takes, where that is less."""
    asked = Asked(lambda: f"evaluate {view}")
    found = alternative(view, sizes, {4: np.float32, 16: np.complex128}.get(error.itemsize, np.float64))
    if max(found.nbytes, found.peak_bytes) > error.limit:
        return TooLarge(asked, error.found, error.instead, error.itemsize, error.limit)
    instead = f".compressed(...) holds it in {amount(found.nbytes)}, for .matvec(v), .diagonal(), .trace(), .solve(b)"
    more = "evaluate less of it at once, or give a larger memory_limit"
    return TooLarge(asked, error.found, f"{instead}; {more}", error.itemsize, error.limit)
