"""A derivation as it is made: a sweep with what stands inside functions left open, what is put in, what is simplified.

`derive` makes it once, with the traces of the calculus and of simplification; the lines are read from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from indexcalc.calculus.derivative import identity, push_forward
from indexcalc.explaining.reasons import rules_in
from indexcalc.explaining.stages import depending, inside, part_names, turned, upright
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
    """What simplification did to `whole`, as far as the rules do not say it."""
    named: Node
    """The derivative with the parts by their names."""
    final: Node
    """The derivative."""


Known = dict[Node, tuple[Variable, Derivation]]
"""Parts that have names already, with their derivations."""


def derive(root: Node, target: Node, taken: set[str], left: int = STAGES, known: Known | None = None) -> Derivation:
    """The derivative of a node by a tensor, with `left` stages of named parts; their names are added to `taken`.

    A part that is `known` keeps its name.

    >>> from indexcalc.graph.constructors import einsum, elementwise
    >>> x, a = variable("x", ()), variable("a", ())
    >>> made = derive(elementwise("exp", [(einsum(1, [(a, ()), (x, ())], ()), ())], ()), x, {"a", "x"})
    >>> [part.name for part in made.parts.values()], made.rules, [child.name for child in made.open.children]
    (['u'], ["chain rule: exp' = exp(x)"], ['∂u', 'exp'])
    """
    depends = depending(root, target)
    known = {} if known is None else known
    uprights = {node: upright(node) for node in inside(root, target, depends)} if left else {}
    parts = _named(list(uprights.values()), taken, known)
    for node, part in parts.items():
        if node not in known:
            known[node] = part, derive(node, target, taken, left - 1, known)
    inner = tuple(known[node][1] for node in parts)
    names = {node: turned(parts[one]) if one is not node else parts[one] for node, one in uprights.items() if parts}
    own = open_name(target)
    seeds: dict[Node, Node] = {target: own}
    named: dict[Node, Node] = {own: identity(target)}
    full: dict[Node, Node] = {}
    for made in inner:
        part = parts[made.root]
        seed = variable(f"∂{part.label}", (*made.root.dims, *target.dims))
        seeds[part], named[seed], full[seed], full[part] = seed, made.named, made.final, made.root
    swept, kept, put_in = Trace(), Trace(), Trace()
    (tangent,) = push_forward(substitute([root], names), seeds, target.dims, swept)
    (shown,) = simplify([tangent], kept)
    (whole,) = substitute([tangent], full | {own: identity(target)})
    (final,) = simplify([whole], put_in)
    (put,) = simplify(substitute([tangent], named)) if parts else (final,)
    (deltas,) = substitute([shown], {own: identity(target)})
    rules = [*rules_in(swept), *(words for words in kept.said() if words != DELTA.said)] if root in depends else []
    said = [words for words in put_in.said() if words not in rules]
    return Derivation(root, parts, inner, rules, shown, whole, deltas, said, put, final)


def open_name(target: Node) -> Variable:
    """The derivative of a tensor by itself while it is open, `∂W`.

    >>> open_name(variable("W", (2, 3))).dims
    (2, 3, 2, 3)
    """
    return variable(f"∂{target.name}", (*target.dims, *target.dims))


def _named(parts: list[Node], taken: set[str], known: Known) -> dict[Node, Variable]:
    """What stands inside functions, by names; nothing where those would be too many names."""
    fresh = [node for node in dict.fromkeys(parts) if node not in known]
    names = part_names(len(fresh), taken)
    if len(set(parts)) > MOST_NAMES or len(names) < len(fresh):
        return {}
    taken.update(names)
    made = {node: variable(name, node.dims) for node, name in zip(fresh, names, strict=True)}
    return {node: made[node] if node in made else known[node][0] for node in parts}
