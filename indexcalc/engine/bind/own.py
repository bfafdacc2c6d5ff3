"""Functions of one's own: the numbers that were declared with them, where no others are given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any

from indexcalc.errors import InputError, NameRefused
from indexcalc.graph.node import Call, Node, topological
from indexcalc.graph.signature import Signature


def calls_below(roots: Iterable[Node]) -> dict[str, Call]:
    """The calls of abstract functions below these nodes, by the names of functions and derivatives.

    >>> from indexcalc.graph.constructors import call, variable
    >>> sorted(calls_below([call(Signature("f", ((),), ()), (1,), [variable("x", ())])]))
    ['Df']
    """
    found: dict[str, Call] = {}
    functions: dict[str, Signature] = {}
    for node in topological(roots):
        if isinstance(node, Call):
            known = functions.setdefault(node.function.name, node.function)
            if known != node.function:
                found_two = "two functions have this name"
                raise NameRefused(f"function {known.name!r}", found_two, "give each a name of its own")
            found.setdefault(node.name, node)
    return found


def with_own(given: Mapping[str, Any], calls: Mapping[str, Call], target: str) -> dict[str, Any]:
    """What was given for functions, and for the others the code that they were declared with for a target.

    >>> from indexcalc.graph.constructors import call, variable
    >>> f = call(Signature("f", ((),), (), code=(("numpy", "math.sqrt"),)), (0,), [variable("x", ())])
    >>> with_own({}, {"f": f}, "numpy")["f"](4.0)
    2.0
    """
    made = dict(given)
    for title, node in calls.items():
        if title not in made and node.function.code and not any(node.orders):
            made[title] = own_code(node.function, target)
    return made


def own_code(function: Signature, target: str) -> Callable[..., Any]:
    """The function in NumPy, JAX or PyTorch that was declared; where there is none it is an error."""
    known = dict(function.code)
    if target not in known:
        instead = f"give {target}= where it is declared, or {function.name}= here"
        raise InputError(f"evaluate {function.name}", f"it has code for {' and '.join(known)} alone", instead)
    given: Any = known[target]
    made: Callable[..., Any] = resolved(given) if isinstance(given, str) else given
    return made


def resolved(path: str) -> Any:
    """What a dotted name is in Python.

    >>> resolved("math.sqrt")(9.0)
    3.0
    """
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError):
        raise InputError(
            f"function {path!r}", "there is nothing of this name", "check the name, or install it"
        ) from None


def path_of(given: Any) -> str:
    """The dotted name under which a function can be imported, "" if there is none.

    >>> import math
    >>> path_of(math.sqrt), path_of("scipy.special.j0"), path_of(lambda x: x)
    ('math.sqrt', 'scipy.special.j0', '')
    """
    if isinstance(given, str):
        return given
    name = getattr(given, "__name__", "")
    for module in (getattr(given, "__module__", None), *UFUNCS):
        if module and module != "__main__" and name.isidentifier() and name == getattr(given, "__qualname__", name):
            try:
                found = getattr(import_module(module), name, None)
            except ImportError:
                continue
            if found is given:
                return f"{module}.{name}"
    return ""


UFUNCS = ("numpy", "scipy.special")
"""Modules whose functions do not say where they are."""
