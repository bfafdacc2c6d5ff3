"""What is decided about a graph before a word is written: its definitions, and which products are opened.

What would be written again and again, or nested too deeply, becomes a definition; the depth that is left bounds the
recursion of those who write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from indexcalc.graph.constructors import is_zero
from indexcalc.graph.node import Definition, Node, Product, Sum, topological
from indexcalc.graph.walk import uses

LONG = 200
"""Characters, about, up to which a text is written in one piece, two or three lines: an arbitrary limit. Beyond it what
is used more than once becomes a definition, since a text doubles at each shared step."""
DEEP = 50
"""Parts in one another, at most, in one piece of text: it bounds the recursion of the writers, which take several calls
for each, below Python's limit of 1000."""
SHORT = 30
"""Characters, about, up to which a shared part is written out at each use: a name for it would save little."""
WIDEST = 64
"""Factors of a product up to which the products inside it are opened: an arbitrary budget, which bounds the search for
their order."""
HUGE = 10**9
"""Characters: a longer text counts as this long, so that the weights of a ladder of shared parts stay small numbers."""


class Outline:
    """What is decided about a graph before a word is written: its definitions, and which products are opened."""

    def __init__(self, root: Node) -> None:
        self.defined: set[Node] = set()
        self.opened: dict[Node, list[bool]] = {}
        order = topological([root])
        times = uses(order, [root])
        weight, depth = self._measure(root, order, times, cut=False)
        if weight > LONG or depth > DEEP:
            self._measure(root, order, times, cut=True)

    def _measure(self, root: Node, order: Sequence[Node], times: Mapping[Node, int], cut: bool) -> tuple[int, int]:
        """About how long the text of the root is, and how deep; with `cut`, definitions are made on the way."""
        weight: dict[Node, int] = {}
        depth: dict[Node, int] = {}
        width: dict[Node, int] = {}
        for node in order:
            children = () if isinstance(node, Definition) else node.children
            own = len(node.name) + 2 * node.order + 4 * len(children)
            weight[node] = min(own + sum(weight[child] for child in children), HUGE)
            width[node] = 1
            if isinstance(node, Product):
                depth[node], width[node] = self._open(node, depth, width)
            elif isinstance(node, Sum):
                nested = (depth[t.node] + (isinstance(t.node, Sum) and abs(t.coef) != 1) for t in node.terms)
                depth[node] = max(nested, default=0)
            else:
                depth[node] = max((1 + depth[child] for child in children), default=0)
            shared = times[node] > 1 and weight[node] > SHORT
            if cut and node is not root and (shared or depth[node] >= DEEP):
                self.defined.add(node)
                weight[node], depth[node], width[node] = 6 + 2 * node.order, 0, 1
        return weight[root], depth[root]

    def _open(self, node: Product, depth: Mapping[Node, int], width: Mapping[Node, int]) -> tuple[int, int]:
        """How deep a product nests and how many factors it is written with, once its inner products are opened."""
        deep, total, flags = 0, 0, []
        for child, _, exponent in node.factors:
            fits = total + width[child] <= WIDEST and child not in self.defined
            flag = fits and exponent == 1 and isinstance(child, Product) and not is_zero(child)
            flags.append(flag)
            total += width[child] if flag else 1
            deep = max(deep, depth[child] + (isinstance(child, Sum | Product) and not flag))
        self.opened[node] = flags
        return deep, total
