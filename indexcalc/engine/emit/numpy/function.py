"""Lines of NumPy as a function: what they may call, and how they are run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, wraps
from typing import Any, NamedTuple

import numpy as np

from indexcalc.engine.emit.texts import require_identifier
from indexcalc.engine.emit.workspace import Workspace, give, taking
from indexcalc.errors import InputError
from indexcalc.functions.inverse import SINGULAR
from indexcalc.functions.table import ELEMENTWISE, reduction_row
from indexcalc.graph.node import Labels

try:
    from numpy._core.multiarray import c_einsum
except ImportError:  # a private name: the public one does the same, half a microsecond slower
    c_einsum = np.einsum

SPACE: dict[str, Any] = {
    **{row.numpy.__name__: row.numpy for row in ELEMENTWISE.values() if isinstance(row.numpy, np.ufunc)},
    **{name: getattr(np, name) for name in (
        "multiply", "divide", "add", "subtract", "negative", "matmul", "dot", "ascontiguousarray", "zeros", "empty",
        "full", "asarray", "square", "reciprocal", "sqrt",
    )},
    "einsum": c_einsum,
}  # fmt: skip
"""What lines may call: NumPy's functions under their names, those of rows among them."""


@dataclass(slots=True)
class Stored:
    """A value: the variable that holds it, which axis lies at each place, and whether the buffer is the program's."""

    name: str
    order: Labels
    contiguous: bool
    owner: int | None


class Code(NamedTuple):
    """The lines of a function, the names that they use, the kernel of each step, and the most bytes at once.

    `constants` makes those of the names that take memory of their own: when there is to be a function. `orders` has the
    axes of the results as they lie in memory; a result is None where it was written into an array that was given.
    `workspace` has the places of values between.
    """

    lines: tuple[str, ...]
    results: tuple[str, ...]
    space: dict[str, Any]
    kernels: tuple[str, ...]
    peak: int
    quiet: bool
    constants: Mapping[str, Callable[[], Any]]
    orders: tuple[Labels, ...] = ()
    workspace: Workspace = Workspace()


def function_of(
    code: Code,
    names: Sequence[str],
    single: bool,
    *,
    quiet: bool = False,
    first: Sequence[str] = (),
    space: Mapping[str, Any] | None = None,
) -> Callable[..., Any]:
    """The function of arrays that the lines make: it gives one result, or a list.

    With `quiet`, overflow and division by zero come out as inf and nan without a warning. The lines `first` come first.
    """
    for name in names:
        require_identifier(name)
    last = f"return {code.results[0]}" if single else f"return [{', '.join(code.results)}]"
    lines = list(code.lines)
    if quiet and lines:
        lines = ["with errstate(over='ignore', invalid='ignore', divide='ignore'):", *(f"    {x}" for x in lines)]
    places = code.workspace.places
    if places:
        inner = [f"    {line}" for line in (*lines, last)]
        lines, last = [f"kept, {', '.join(places)} = take()", "try:", *inner, "finally: give(kept)"], ""
    body = [*first, *lines, last]
    text = f"def program({', '.join([*names, 'given=None'])}):\n" + "".join(f"    {line}\n" for line in body)
    made_now = {name: make() for name, make in code.constants.items()}
    known = {**code.space, **made_now, "errstate": np.errstate, **(space or {})}
    if places:
        known |= {"take": taking(code.workspace), "give": give}
    exec(compile(text, "<indexcalc program>", "exec"), known)
    made: Callable[..., Any] = known["program"]
    return made


@cache
def regular(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, for which a singular matrix is an error of this library."""

    @wraps(function)
    def checked(*args: Any) -> Any:
        try:
            return function(*args)
        except np.linalg.LinAlgError:
            raise InputError("evaluate inv", SINGULAR, "write pinv, or check the input") from None

    return checked


def of_nothing(fn: str, shape: tuple[int, ...]) -> Callable[..., Any]:
    """A reduction of an array without entries, which may have no value."""

    def reduced(*args: Any) -> Any:
        try:
            return reduction_row(fn).numpy(*args)
        except ValueError:
            found = f"it has no value for nothing, and its argument has shape {shape}"
            raise InputError(f"evaluate {fn}", found) from None

    return reduced
