"""What is said of an attribute that a view lacks: functions are called, and other programs have other names."""

from __future__ import annotations

from indexcalc import foreign, later
from indexcalc.views.derivatives.differentiate import derivative, differential, grad, hessian, hvp, jvp, vjp
from indexcalc.views.functions.apply import FUNCTIONS

DERIVATIVES = (derivative, differential, grad, hessian, hvp, jvp, vjp)
CALLED = frozenset([*FUNCTIONS, *later.PUBLIC, *(function.__name__ for function in DERIVATIVES)])
"""What takes a view as its argument, and is no attribute of it."""


def lacking(name: str) -> str:
    """What to write instead of an attribute of this name; nothing where no name is known that it could mean.

    >>> lacking("inv"), lacking("trace"), lacking("shapes")
    ('write ic.inv(...)', 'write ic.tr(A)', '')
    """
    return f"write ic.{name}(...)" if name in CALLED else foreign.answer(name)
