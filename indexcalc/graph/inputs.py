"""The variables that expressions were made from: they may be given to `evaluate` even where they dropped out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from indexcalc.errors import NotationError
from indexcalc.graph.node import Call, Definition, Node, Variable, topological
from indexcalc.graph.walk import variables

Inputs = frozenset[Variable]


def inputs_of(node: Node) -> Inputs:
    """The variables of a node, definitions opened."""
    return frozenset(variables([node]))


def joined_inputs(parts: Iterable[Inputs]) -> Inputs:
    """The variables of several expressions together; one name for two tensors is an error.

    >>> from indexcalc.graph.constructors import variable
    >>> x, y = (frozenset([variable(name, (3,))]) for name in "xy")
    >>> joined_inputs([x, y]) == x | y
    True
    """
    several = sorted(set(parts), key=len, reverse=True)
    found: Inputs = several[0] if several else frozenset()
    for part in several[1:]:
        new = part - found
        if not all(variable.is_alone for variable in new):
            _refuse_namesakes(new, found)
        found |= new
    return found


def _refuse_namesakes(new: Inputs, found: Inputs) -> None:
    known = {variable.label: variable for variable in found}
    for variable in new:
        other = known.setdefault(variable.label, variable)
        if other is not variable:
            raise NotationError(
                f"tensor {variable.label}",
                f"two tensors of this name meet, with dimensions {_shown(other)} and {_shown(variable)}"
                if other.dims != variable.dims
                else "two tensors of this name meet, with different assumptions",
                "give one of them another name",
            )


def _shown(node: Node) -> str:
    return "(" + ", ".join(map(str, node.dims)) + ")"


def named_parts(node: Node) -> Mapping[str, Node]:
    """Variables, definitions and abstract functions that the text of a node names, by name."""
    found: dict[str, Node] = {}
    order = topological([node], lambda inner: False)
    for inner in order:
        if isinstance(inner, Variable | Definition | Call):
            found[inner.function.name if isinstance(inner, Call) else inner.label] = inner
    return found
