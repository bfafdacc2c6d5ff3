"""The text of layers: convolutions and correlations of tensors of more than two axes, with batches and channels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from indexcalc.graph.node import Definition, Labels, Node, Variable
from indexcalc.graph.numbers import Number
from indexcalc.graph.ranges import relation_of
from indexcalc.writing.brackets import ROUND
from indexcalc.writing.matrix.form import Form, Monomial
from indexcalc.writing.matrix.forms import atom, call, form_of
from indexcalc.writing.matrix.network import Stuck
from indexcalc.writing.matrix.reduce import flatten
from indexcalc.writing.matrix.special.convolved import AxisRun, Convolution, convolution, run_of
from indexcalc.writing.matrix.text import Typesetter
from indexcalc.writing.slices import bracketed


class LayerFactor(NamedTuple):
    """A factor, and its labels."""

    node: Node
    labels: Labels


class Layer(NamedTuple):
    """What a node is called as a convolution, and the two tensors that it is one of."""

    name: Convolution
    first: Node
    second: Node


def layer_text(node: Node, setter: Typesetter) -> str:
    """The text of a product of two tensors and affine deltas, `correlate(images, kernels, axes=[2, 3])`; or Stuck.

    The second has an axis for each along which it runs, or two more in front, out and channel, the channel being the
    axis of the first before these.
    """
    flat = flatten(node)
    rows = [LayerFactor(inner, tuple(labels)) for inner, labels, exponent in flat.factors if exponent == 1]
    tensors, deltas = ([row for row in rows if (relation_of(row.node) is not None) is own] for own in (False, True))
    found: list[Layer] = []
    if len(tensors) == 2 and deltas and len(rows) == len(flat.factors) and flat.coef != 0:
        both = (_layer(tuple(flat.out), first, second, deltas) for first, second in (tensors, tensors[::-1]))
        found = [layer for layer in both if layer is not None]
    if not found:
        raise Stuck("it is no convolution of two tensors")
    return _text(flat.coef, min(found, key=_rank), setter)


def _rank(layer: Layer) -> tuple[int, int]:
    """The longer tensor comes first, where both orders have a name."""
    return len(layer.name.parts), -sum(size for size in layer.first.dims if isinstance(size, int))


def _layer(outside: Labels, first: LayerFactor, second: LayerFactor, deltas: Sequence[LayerFactor]) -> Layer | None:
    times = Counter(label for row in (first, second, *deltas) for label in row.labels)
    place: dict[int, int] = {}
    runs: dict[int, tuple[AxisRun, int]] = {}
    for delta in deltas:
        sides = [[x for x in delta.labels if x in own and times[x] == 2] for own in (first.labels, second.labels)]
        if len(set(delta.labels)) != 3 or len(sides[0]) != 1 or len(sides[1]) != 1:
            return None
        (own,), (other,) = sides
        (out,) = {*delta.labels} - {own, other}
        if out not in outside or {own, other} & {*outside} or times[out] != 1:
            return None
        runs[other] = run_of(relation_of(delta.node), [delta.labels.index(x) for x in (out, other, own)]), own
        place[own] = out
    inner = [x for x in second.labels if x in runs]
    more = second.labels[: len(second.labels) - len(inner)]
    axes = [first.labels.index(runs[x][1]) for x in inner]
    if (*more, *inner) != second.labels or len(more) not in (0, 2) or len(runs) != len(inner):
        return None
    if more:
        out, channel = more
        beside = axes == list(range(axes[0], axes[0] + len(axes))) and axes[0] > 0
        if not beside or first.labels[axes[0] - 1] != channel or channel in outside or out in first.labels:
            return None
        place[channel] = out
    if tuple(place.get(x, x) for x in first.labels) != outside or len(set(outside)) < len(outside):
        return None
    named = convolution([runs[x][0] for x in inner], axes)
    if named is None or any(one.before or one.behind for one in named.parts.values()):
        return None
    return Layer(named, first.node, second.node)


def _text(coef: Number, found: Layer, setter: Typesetter) -> str:
    arguments = [_atom(one) for one in (found.first, found.second)]
    made = call(found.name.name, arguments, None, None, tuple(found.name.keywords(found.first.order)))
    if not found.name.parts:
        return setter.text(form_of(Monomial(coef, ((made, 1),), ())))
    if coef != 1 or setter.bracket is not ROUND:
        raise Stuck("a part of a convolution has no name")
    parts = found.name.parts
    return setter.text(made) + bracketed([parts[k].range if k in parts else None for k in range(max(parts) + 1)])


def _atom(node: Node) -> Form:
    if not isinstance(node, Variable | Definition):
        raise Stuck("a part has no name")
    return atom(node.label, None, None, latex=node.latex if isinstance(node, Variable) else "")
