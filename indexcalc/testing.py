"""Checks of derivatives by numbers, for tests and for doubters."""

from __future__ import annotations

from typing import Any

from indexcalc.checking.verify import Verification, verify
from indexcalc.views.derivatives.differentiate import derivative, diff
from indexcalc.views.expr import Expr
from indexcalc.views.view import View


def check_derivative(y: View, wrt: Any, result: Any = None, *, seed: int = 0) -> Verification:
    """Compare the derivative of `y` by `wrt` with finite differences and complex steps at random inputs: see `verify`.

    `result` is the derivative to check: by default the one that the library derives, whatever the structure of `wrt`.

    >>> import indexcalc as ic
    >>> i = ic.index("i"); x = ic.tensor("x", "n")
    >>> bool(check_derivative(ic.sin(x[i])*x[i], x[i].rename({i: ic.index("k")})))
    True
    """
    if result is None:
        made = diff if isinstance(y, Expr) or isinstance(wrt, Expr) else derivative
        result = made(y, wrt, structure="free")
    return verify(result, of=y, wrt=wrt, seed=seed)
