"""What stands inside the functions of an expression: the parts that a derivation names."""

from __future__ import annotations

from typing import Any

from indexcalc.graph.node import Call, Definition, Elementwise, Matrix, Node, Reduction, topological
from indexcalc.views.array import Array
from indexcalc.views.expr import Expr
from indexcalc.views.view import View

FUNCTIONS = (Elementwise, Reduction, Matrix, Call)


def depending(root: Node, target: Node) -> set[Node]:
    """The target, and the parts of a root that depend on it."""
    found = {target}
    for node in topological([root]):
        if any(child in found for child in node.children):
            found.add(node)
    return found


def inside(root: Node, target: Node, depends: set[Node]) -> list[Node]:
    """The arguments of the outermost functions of a root, as far as they are more than the target itself."""
    found: list[Node] = []
    stack, seen = [root], {root}
    while stack:
        node = stack.pop()
        for child in node.children:
            if child not in depends or child is target:
                continue
            if isinstance(node, FUNCTIONS):
                if child not in found:
                    found.append(child)
            elif child not in seen:
                seen.add(child)
                stack.append(child)
    return found


def opened(view: View, target: View) -> tuple[Any, str]:
    """A named step as what it stands for, and its name; anything else, and the target itself, as it is."""
    node = view.node
    if not isinstance(node, Definition) or node is target.node or node.label in {v.label for v in view.inputs}:
        return view, ""
    if isinstance(view, Expr):
        return Expr(node.child, view.indices, view.inputs), node.label
    assert isinstance(view, Array)
    return Array(node.child, view.inputs, view.places, view.vectors, view.turned), node.label


def part_names(count: int, taken: set[str]) -> list[str]:
    """Names for parts that no tensor has."""
    free = [name for name in ("u", "v", "z", "h", "g", "a", "c") if name not in taken]
    return free[:count]
