"""What stands inside the functions of an expression: the parts that a derivation names."""

from __future__ import annotations

from typing import Any

from indexcalc.graph.constructors import einsum
from indexcalc.graph.node import Call, Definition, Elementwise, Matrix, Node, Reduction, topological
from indexcalc.graph.walk import count
from indexcalc.simplify.passes import simplify
from indexcalc.views.array import Array
from indexcalc.views.expr import Expr
from indexcalc.views.view import View
from indexcalc.writing.matrix.formula import array_text
from indexcalc.writing.standing import plain

LONGEST = 100
"""Nodes of a part up to which its formula decides how it stands: an arbitrary limit."""
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


def turned(node: Node) -> Node:
    """The transpose of a matrix."""
    return einsum(1, [(node, (1, 0))], (0, 1))


def upright(node: Node) -> Node:
    """A part as it is named: of a matrix and its transpose the one whose formula is shorter.

    >>> from indexcalc.graph.constructors import variable
    >>> A, B = variable("A", (2, 3)), variable("B", (3, 4))
    >>> product = einsum(1, [(A, "ij"), (B, "jk")], "ik")
    >>> upright(product) is upright(turned(product)) is product
    True
    """
    if node.order != 2 or count([node]) > LONGEST:
        return node
    (other,) = simplify([turned(node)])
    return min(node, other, key=lambda one: len(array_text(plain(one))))


def part_names(count: int, taken: set[str]) -> list[str]:
    """Names for parts that no tensor has."""
    free = [name for name in ("u", "v", "z", "h", "g", "a", "c") if name not in taken]
    return free[:count]
