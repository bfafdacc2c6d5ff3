"""A derivation as it is made: a sweep with what stands inside functions left open, what is put in, what is simplified.

`derive` makes it once, with the traces of the calculus and of simplification; the lines are read from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from indexcalc.calculus.derivative import identity, push_forward
from indexcalc.explaining.reasons import rules_in
from indexcalc.explaining.stages import depending, inside, part_names
from indexcalc.graph.constructors import variable
from indexcalc.graph.node import Node, Variable
from indexcalc.graph.walk import substitute
from indexcalc.simplify.passes import simplify
from indexcalc.simplify.products.gather import DELTA
from indexcalc.simplify.rewriting.rewrite import Trace

STAGES = 3
"""How many functions inside one another get lines of their own; what is deeper is differentiated at once."""
MOST_NAMES = 2
"""Parts inside functions that get names of their own in one stage; of more the derivative is taken at once."""


@dataclass(frozen=True, slots=True)
class Derivation:
    """The derivative of a node by a tensor, as it came about."""

    root: Node
    parts: Mapping[Node, Variable]
    """What stands inside its outermost functions, by name."""
    inner: tuple[Derivation, ...]
    """The derivations of the parts, in their order."""
    rules: list[str]
    """The rules of the calculus that gave `open`; none where the tensor does not occur."""
    open: Node
    """The derivative in terms of those of the parts and of the tensor by itself, `∂u` and `∂W`; parts by name."""
    whole: Node
    """The same with all of them put in, as the rules made it."""
    deltas: Node
    """`open` with the deltas of the tensor by itself put in."""
    said: list[str]
    """What simplification did to `whole`."""
    final: Node
    """The derivative."""


def derive(root: Node, target: Node, taken: set[str], left: int = STAGES) -> Derivation:
    """The derivative of a node by a tensor, with `left` stages of named parts; their names are added to `taken`.

    >>> from indexcalc.graph.constructors import einsum, elementwise
    >>> x, a = variable("x", ()), variable("a", ())
    >>> made = derive(elementwise("exp", [(einsum(1, [(a, ()), (x, ())], ()), ())], ()), x, {"a", "x"})
    >>> [part.name for part in made.parts.values()], made.rules, [child.name for child in made.open.children]
    (['u'], ["chain rule: exp' = exp(x)"], ['∂u', 'exp'])
    """
    depends = depending(root, target)
    parts = _named(inside(root, target, depends), taken) if left else {}
    inner = tuple(derive(node, target, taken, left - 1) for node in parts)
    seeds: dict[Node, Node] = {}
    full: dict[Node, Node] = {}
    for made in inner:
        part = parts[made.root]
        seed = variable(f"∂{part.label}", (*made.root.dims, *target.dims))
        seeds[made.root], full[seed], full[part] = seed, made.final, made.root
    own = open_name(target)
    seeds[target], full[own] = own, identity(target)
    swept, kept = Trace(), Trace()
    (tangent,) = push_forward([root], seeds, target.dims, swept)
    (shown,) = simplify(substitute([tangent], dict(parts)), kept)
    whole, deltas = substitute([tangent], full)[0], substitute([shown], {own: identity(target)})[0]
    put_in = Trace()
    (final,) = simplify([whole], put_in)
    rules = [*rules_in(swept), *(words for words in kept.said() if words != DELTA.said)]
    return Derivation(root, parts, inner, rules if root in depends else [], shown, whole, deltas, put_in.said(), final)


def open_name(target: Node) -> Variable:
    """The derivative of a tensor by itself while it is open, `∂W`.

    >>> open_name(variable("W", (2, 3))).dims
    (2, 3, 2, 3)
    """
    return variable(f"∂{target.name}", (*target.dims, *target.dims))


def _named(parts: list[Node], taken: set[str]) -> dict[Node, Variable]:
    """What stands inside functions, by names; nothing where those would be too many names."""
    names = part_names(len(parts), taken)
    if len(parts) > MOST_NAMES or len(names) < len(parts):
        return {}
    taken.update(names)
    return {node: variable(name, node.dims) for node, name in zip(parts, names, strict=True)}
