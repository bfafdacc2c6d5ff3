"""What names mean for a view: its tensors, what it is told to be replaced, and attributes that it lacks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from indexcalc import later
from indexcalc.errors import Asked, DimensionError, KindError, NotationError, among
from indexcalc.graph import constructors as graph
from indexcalc.graph.inputs import named_parts
from indexcalc.graph.node import Call, Constant, Definition, Node, Variable, topological
from indexcalc.graph.walk import substitute, variables
from indexcalc.index import Dim, Dimension, Index
from indexcalc.views.array import Array
from indexcalc.views.expr import Expr
from indexcalc.views.functions.abstract import AbstractFunction
from indexcalc.views.functions.apply import FUNCTIONS
from indexcalc.views.view import View, is_number, join_inputs, to_number
from indexcalc.writing.standing import Standing, places_of, plain

T = TypeVar("T")
DERIVATIVES = ("derivative", "differential", "grad", "hessian", "hvp", "jvp", "vjp")
CALLED = frozenset([*FUNCTIONS, *later.PUBLIC, *DERIVATIVES])
"""What takes a view as its argument, and is no attribute of it."""
NAMED = re.compile(r"(\w+)\s*(?:\[([^\[\]]*)\])?")
"""A variable as text names it: `W`, or `W[i,k]` with its indices."""


def lacking(name: str) -> str:
    """What to write instead of an attribute of this name; nothing where no name is known that it could mean.

    >>> lacking("inv"), lacking("trace"), lacking("shapes")
    ('write ic.inv(...)', 'write ic.tr(A)', '')
    """
    return f"write ic.{name}(...)" if name in CALLED else later.answer(name)


def declarations(view: View) -> dict[str, Any]:
    """The tensors, named steps and abstract functions that the text of a view names, and how vectors are meant."""
    found: dict[str, Any] = {}
    _, _, vectors, turned = _stood(view)
    for name, node in named_parts(view.node).items():
        if isinstance(node, Call):
            found[name] = AbstractFunction(node.function)
            if node.function.gradient and sum(node.orders) == 1:
                found[node.function.gradient] = _declared(node.function.gradient, node, vectors, turned)
        else:
            found[name] = _declared(name, node, vectors, turned)
    if vectors != "numpy":
        found["vectors"] = vectors
    known = {s for node in topological([view.node]) for s in _symbols(node.dims) if isinstance(node, Variable)}
    nodes = topological([view.node])
    sized = [(*(node.dims if isinstance(node, Constant) else ()), *getattr(node, "sizes", ())) for node in nodes]
    bare = {s for dims in sized for s in _symbols(dims)} - known
    if bare:
        found["dims"] = {name: name for name in sorted(bare)}
    return found


def _stood(view: View) -> Standing:
    return view.stood() if isinstance(view, Array) else plain(view.node)


def _declared(name: str, node: Node, vectors: str, turned: frozenset[str]) -> Array:
    """The tensor or the step of this name, as it was declared: a column where vectors are meant so."""
    return Array(node, None, places_of(node, name, vectors, turned), vectors, turned & {name})


def tensors_in(view: View) -> dict[str, Array]:
    """The tensors that occur in a view, by name, as they were declared.

    >>> import indexcalc as ic
    >>> i, j = ic.indices("i j"); A = ic.tensor("A", "n n"); x = ic.tensor("x", "n")
    >>> tensors_in(A[i,j]*x[j])
    {'A': A, 'x': x}
    """
    _, _, vectors, turned = _stood(view)
    return {node.label: _declared(node.label, node, vectors, turned) for node in variables([view.node])}


def variable_of(target: T | str, views: Sequence[object], asked: str | Asked) -> T | Array | Expr:
    """The tensor, or the named step, that a text names among those of these views; what is no text stays as it is.

    `"W[i,k]"` is the tensor with these indices, batch indices where they are such in the views.

    >>> import indexcalc as ic
    >>> i, j = ic.indices("i j"); A = ic.tensor("A", "n n"); x = ic.tensor("x", "n")
    >>> variable_of("A[i,k]", [A[i,j]*x[j]], "diff")
    A[i,k]
    """
    if not isinstance(target, str):
        return target
    found: dict[str, Array] = {}
    indices: dict[str, Index] = {}
    for view in views:
        if isinstance(view, View):
            _, _, vectors, turned = _stood(view)
            nodes = {**named_parts(view.node), **{variable.label: variable for variable in view.inputs}}
            named = {name: node for name, node in nodes.items() if not isinstance(node, Call)}
            found |= {name: _declared(name, node, vectors, turned) for name, node in named.items()}
            indices |= {index.name: index for index in view.free} if isinstance(view, Expr) else {}
    parts = NAMED.fullmatch(target.strip())
    if parts is None or parts[1] not in found:
        name = re.split(r"\W|_", target.strip())[0] if parts is None else parts[1]
        raise NotationError(asked, f"{target!r} is no variable of it", among(name, found))
    if parts[2] is None:
        return found[parts[1]]
    names = parts[2].replace(",", " ").split()
    made: Expr = found[parts[1]][tuple(indices.get(name) or Index(name) for name in names)]
    return made


def _symbols(sizes: Sequence[Dimension]) -> set[str]:
    return {name for size in sizes if isinstance(size, Dim) for name in size.symbols if not name.startswith("?")}


def place_of(target: Any, asked: str | Asked) -> tuple[Node, tuple[int, ...]]:
    """The variable or definition that a view is, and where each of its axes stands in the view's node."""
    if isinstance(target, View):
        coef, node, axes = later.canonical(target.node)
        if coef == 1 and isinstance(node, Variable | Definition) and len(axes) == target.order == node.order:
            return node, axes
    raise NotationError(asked, f"{target} is no tensor of its own", "name a tensor, or a step made with ic.define")


def replaced(view: View, table: Mapping[Any, Any]) -> tuple[Node, Any, list[View]]:
    """The node of a view with tensors replaced, the inputs of the result, and what came in."""
    nodes: dict[Node, Node] = {}
    views: list[View] = []
    for target, value in table.items():
        asked = f"substitute {target}"
        target = variable_of(target, [view], asked)
        node, axes = place_of(target, asked)
        if is_number(value):
            value = Array(graph.constant_number(to_number(value)), frozenset())
        if isinstance(target, Expr) and isinstance(value, Expr):
            if set(target.free) != set(value.free):
                raise NotationError(
                    asked, f"{target} and {value} have other free indices", "write the same on both sides"
                )
            value = value.array(*(target.indices[axis] for axis in axes))
        elif isinstance(target, Expr) or not isinstance(value, Array):
            raise KindError(
                asked, f"{value!r} does not stand for {target}", "replace an Array by an Array, an Expr by an Expr"
            )
        if isinstance(target, Array):
            if {target.standing, value.standing} == {"column", "row"}:
                raise KindError(asked, f"{target} is a {target.standing}, {value} a {value.standing}", "write .T")
            placed = graph.transpose(value.node, axes) if value.order == target.order else value.node
            value = Array(placed, value.inputs, None, value.vectors, value.turned)
        if value.node.dims != node.dims:
            raise DimensionError(asked, f"{node.name} has dimensions {node.dims}, {value} has {value.node.dims}", "")
        nodes[node] = value.node
        views.append(value)
    (made,) = substitute([view.node], nodes)
    gone = {node for node in nodes if isinstance(node, Variable)}
    kept = {variable for variable in view.inputs if variable not in gone}
    rest = Array(view.node, frozenset(kept))
    return made, join_inputs([rest, *views]) | frozenset(variables([made])), views
