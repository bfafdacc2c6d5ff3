"""`ic.explain`: a derivation as a person would write it, each line an equality with the rule that gives it.

The lines come from the graph and the rules of the calculus, not from templates. What stands inside a function is named
(`u = X @ w`), and its derivative is left open while the function outside is differentiated: that is the chain rule.
Then each tensor's derivative by itself is a product of deltas, each delta renames the summed index that it meets, and
what is left is read as a matrix formula. With `style="differential"` the same is said with differentials:
`dL = G : dY = G : (X @ dW) = (X.T @ G) : dW`, where `A : B` is the sum of the products of entries, tr(Aᵀ B).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from indexcalc.calculus.structure import Structure
from indexcalc.errors import Asked, KindError
from indexcalc.explaining.differentials import Differentials
from indexcalc.explaining.entries import Entries
from indexcalc.explaining.lines import Explanation, names_met
from indexcalc.graph.node import Variable, topological
from indexcalc.surface import public
from indexcalc.views.array import Array
from indexcalc.views.expr import Expr
from indexcalc.views.named import variable_of
from indexcalc.views.view import View

TRIES = 3
"""How often names of parts are chosen anew: an arbitrary limit; each time there are more names to avoid."""
STYLES = ("index", "differential")


@public
def explain(expr: Any, wrt: Any, *, style: str = "index", structure: Structure = "projected") -> Explanation:
    """The derivation of a derivative, line by line, each with its rule.

    `expr` is an Expr and `wrt` an indexed tensor (`W[i,k]`), or both are Arrays. `style="index"` writes entries and
    deltas, `style="differential"` differentials. `structure` is that of `ic.diff`. The result has `.lines`,
    `.result` (the derivative), `.text(full=True)` and `.latex()`.

    >>> import indexcalc as ic
    >>> i, j, k, l = ic.indices("i j k l")
    >>> x, W = ic.tensor("x", "n"), ic.tensor("W", "n m")
    >>> print(ic.explain(x[i]*W[i,j], W[k,l]))
    y[j]          = x[i]*W[i,j]            [write the entries]
    ∂y[j]/∂W[k,l] = x[i]*∂W[i,j]/∂W[k,l]   [x is constant: it stays]
                  = x[i]*δ[i,k]*δ[j,l]     [∂W[i,j]/∂W[k,l] = δ[i,k]*δ[j,l]]
                  = x[k]*δ[j,l]            [each delta renames a summed index]
    """
    asked = Asked(lambda: f"explain({expr}, {wrt})")
    if style not in STYLES:
        raise KindError(asked, f"style={style!r}", 'write style="index" or style="differential"')
    wrt = variable_of(wrt, [expr], asked)
    if isinstance(expr, Expr) and not isinstance(wrt, Expr) and not (isinstance(wrt, Array) and not wrt.order):
        raise KindError(asked, f"{wrt} has no indices", "write ic.explain(y, W[i,k])")
    if isinstance(expr, Array) and isinstance(wrt, Expr):
        raise KindError(asked, f"{wrt} has indices and {expr} has none", "leave the indices out, or index both")
    if not isinstance(expr, View) or not isinstance(wrt, View):
        raise KindError(asked, f"{expr!r} by {wrt!r}", "give an expression and the tensor to differentiate by")
    if style == "differential":
        return _unambiguous(Differentials, *_arrays(expr, wrt, asked), structure)
    return _unambiguous(Entries, expr, wrt, structure)


def _unambiguous(style: Callable[..., Entries | Differentials], *asked: Any) -> Explanation:
    """The derivation in a style; no line defines a name, behind `with`, that is the name of a part."""
    made, avoid = style(*asked).explanation(), frozenset[str]()
    for _ in range(TRIES):
        parts, own = names_met(made)
        if parts.isdisjoint(own):
            break
        avoid |= own
        made = style(*asked, avoid).explanation()
    return made


def _arrays(expr: View, wrt: View, asked: Asked) -> tuple[Array, Array]:
    """What derivations with differentials are of: Arrays, and scalars in index notation."""
    if isinstance(expr, Expr) and expr.free:
        raise KindError(asked, f"{expr} has names for its axes", "differentials are of Arrays: leave the indices out")
    source = expr if isinstance(expr, Array) else Array(expr.node, expr.inputs)
    target = wrt if isinstance(wrt, Array) else Array(wrt.node, wrt.inputs)
    if isinstance(wrt, Expr) and wrt.order:
        node = next(n for n in topological([wrt.node]) if isinstance(n, Variable))
        target = Array(node, wrt.inputs)
    return source, target
