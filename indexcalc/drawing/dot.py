"""Scenes as DOT, the language of Graphviz: marks are nodes, wires edges, frames clusters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

from indexcalc.drawing.scene import Frame, Mark, Net, Scene

SHAPES = {
    "tensor": "ellipse", "named": "ellipse", "known": "box", "epsilon": "box", "pick": "cds",
    "join": "invtriangle", "dot": "point",
}  # fmt: skip
"""The shape of Graphviz for each kind of mark."""


def dot(scenes: Sequence[Scene], title: str) -> str:
    """The scenes as one graph, each a cluster where there are several.

    >>> print(dot([Scene((Net("", "", (Mark("A", "tensor", (0,)),), ("",), ((0, "i"),)),))], "A[i]"))
    graph "A[i]" {
      rankdir=LR
      node [fontname="serif"]
      edge [fontname="serif"]
      v1 [label="A", shape=ellipse]
      v2 [label="i", shape=plaintext]
      v1 -- v2 [label=""]
    }
    <BLANKLINE>
    """
    writer = Writing()
    lines = [line for scene in scenes for line in writer.scene(scene, {})]
    head = ["rankdir=LR", 'node [fontname="serif"]', 'edge [fontname="serif"]']
    return "\n".join([f"graph {_quoted(title)} {{", *(f"  {line}" for line in [*head, *lines]), "}\n"])


class Writing:
    """A graph that is being written: the numbers of its nodes and clusters."""

    def __init__(self) -> None:
        self.nodes, self.clusters = count(1), count(1)

    def node(self, label: str, shape: str) -> tuple[str, str]:
        """A new node: its name and its line."""
        name = f"v{next(self.nodes)}"
        return name, f"{name} [label={_quoted(label)}, shape={shape}]"

    def scene(self, scene: Scene, legs: dict[int, str]) -> Iterator[str]:
        """The lines of a scene; `legs` has the nodes that its free axes are joined to, by number."""
        for net in scene.nets:
            if words := " ".join(word for word in (net.sign, net.coef) if word):
                yield self.node(words, "plaintext")[1]
            yield from self.net(net, legs)

    def net(self, net: Net, legs: dict[int, str]) -> Iterator[str]:
        """The lines of a network: its parts, what leaves, its wires."""
        ends: dict[int, list[str]] = {}
        for part in net.parts:
            if isinstance(part, Mark):
                name, line = self.node(part.name, SHAPES[part.style])
                yield line
                own = [name] * len(part.legs)
            else:
                own = [f"v{next(self.nodes)}" for _ in part.legs]
                yield from self.frame(part, own)
            for wire, name in zip(part.legs, own, strict=True):
                ends.setdefault(wire, []).append(name)
        for axis, (wire, label) in enumerate(net.free):
            name = legs.get(axis, "")
            if not name:
                name, line = self.node(label, "plaintext")
                yield line
            ends.setdefault(wire, []).append(name)
        for wire, (one, other) in sorted(ends.items()):
            yield f"{one} -- {other} [label={_quoted(net.wires[wire])}]"

    def frame(self, frame: Frame, own: Sequence[str]) -> Iterator[str]:
        """A cluster: a point for each leg, and what is inside."""
        yield f"subgraph cluster{next(self.clusters)} {{"
        yield f"  label={_quoted(frame.title)}"
        for name in own:
            yield f'  {name} [label="", shape=point]'
        for number, inside in enumerate(frame.insides):
            if number and frame.sign:
                yield f"  {self.node(frame.sign, 'plaintext')[1]}"
            passes = {axis: own[leg] for axis, leg in enumerate(inside.legs) if leg is not None}
            yield from (f"  {line}" for line in self.scene(inside.scene, passes))
        yield "}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
