"""Fingerprints: a node evaluated modulo a prime, at pseudo-random entries and tiny sizes.

Equal expressions have equal fingerprints, whatever they share and however they were put together; different ones
almost never do (Schwartz and Zippel: a polynomial identity that fails, fails at almost every point). A fingerprint
never decides an equality; it says which terms are worth comparing, and what to hash by. Functions that are no
polynomials are replaced by arbitrary ones, the same everywhere: what holds for every function holds for these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from hashlib import blake2b
from math import prod
from typing import Any

import numpy as np

from indexcalc.graph.canonical import settle
from indexcalc.graph.node import (
    NO_SYMMETRY,
    Call,
    Constant,
    Definition,
    Elementwise,
    Matrix,
    Node,
    Product,
    Reduction,
    Regroup,
    Sum,
    Symmetry,
    Variable,
    topological,
)
from indexcalc.graph.numbers import Number
from indexcalc.index import Dim, Dimension, size

PRIME = 2**31 - 1
"""The modulus, a Mersenne prime: a product of two residues and a third added to it fit into 64 bits with sign."""
Entries = np.ndarray[Any, np.dtype[np.int64]]


class _Two(dict[str, int]):
    """Every symbol has size 2."""

    def __missing__(self, name: str) -> int:
        return 2


TWO = _Two()


def extent(dim: Dimension) -> int:
    """The size at which an axis is looked at: its own up to 3, else 2; a symbol counts 2."""
    if isinstance(dim, Dim):
        try:
            return size(dim, TWO)
        except ValueError:
            return 2
    return dim if dim <= 3 else 2


def residue(value: Number) -> int:
    """A number modulo the prime; an inexact one by what it is written as."""
    if isinstance(value, int):
        return value % PRIME
    if isinstance(value, Fraction):
        return value.numerator * pow(value.denominator, -1, PRIME) % PRIME
    if isinstance(value, float) and value == value:
        return residue(Fraction(value))
    return _seed(repr(value))


def _seed(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little") % PRIME


def _draw(seed: int, dims: Sequence[Dimension], rule: Symmetry) -> Entries:
    shape = tuple(extent(dim) for dim in dims)
    entries: Entries = np.random.default_rng(seed).integers(1, PRIME, shape, dtype=np.int64)
    if rule is NO_SYMMETRY:
        return entries
    result = np.zeros_like(entries)
    for place in np.ndindex(*shape):
        least, sign = settle(place, rule)
        result[place] = sign * entries[least] % PRIME
    return result


def _raise(entries: Entries, exponent: Number) -> Entries:
    if isinstance(exponent, int):
        flat = [pow(int(v), exponent, PRIME) if v or exponent > 0 else 0 for v in entries.ravel()]
        return np.array(flat, dtype=np.int64).reshape(entries.shape)
    return _mix(f"power {exponent!r}", [entries])


def _mix(text: str, parts: list[Entries]) -> Entries:
    """An arbitrary function of entries, fixed by its name: the fifth power of a combination."""
    total: Any = np.int64(_seed(text))
    for k, part in enumerate(parts):
        total = (total + part * _seed(f"{text} {k}")) % PRIME
    square = total * total % PRIME
    result: Entries = np.asarray(square * square % PRIME * total % PRIME)
    return result


def _align(entries: Entries, labels: tuple[int, ...], order: int) -> Entries:
    """Entries with axes `labels`, among `order` axes, those that are missing of size 1."""
    sort = sorted(range(len(labels)), key=labels.__getitem__)
    shape = [1] * order
    for axis in sort:
        shape[labels[axis]] = entries.shape[axis]
    return entries.transpose(sort).reshape(shape)


def _product(node: Product, parts: list[Entries]) -> Entries:
    """Pairwise contraction, from left to right, each step modulo the prime."""
    out = set(node.out)
    last = {label: k for k, f in enumerate(node.factors) for label in f.labels}
    value: Entries = np.array(residue(node.coef), dtype=np.int64)
    held: list[int] = []
    for k, (factor, part) in enumerate(zip(node.factors, parts, strict=True)):
        own = list(dict.fromkeys(factor.labels))
        raised = part if factor.exponent == 1 else _raise(part, factor.exponent)
        if len(own) < len(factor.labels):
            raised = np.einsum(raised, list(factor.labels), own)
        union = list(dict.fromkeys([*held, *own]))
        at = {label: n for n, label in enumerate(union)}
        both = _align(value, tuple(at[x] for x in held), len(union)) * _align(
            raised, tuple(at[x] for x in own), len(union)
        )
        gone = tuple(at[x] for x in union if x not in out and last[x] == k)
        value = np.asarray((both % PRIME).sum(axis=gone) % PRIME)
        held = [x for x in union if at[x] not in gone]
    for label, dim in enumerate(node.sizes):
        if label not in out and label not in last:
            value = value * extent(dim) % PRIME
    return _place(value, held, node)


def _place(value: Entries, held: list[int], node: Product) -> Entries:
    labels = list(dict.fromkeys(node.out))
    shape = [extent(node.sizes[label]) for label in labels]
    value = np.broadcast_to(_align(value, tuple(labels.index(x) for x in held), len(labels)), shape)
    if len(labels) == len(node.out):
        return value
    result = np.zeros([extent(dim) for dim in node.dims], dtype=np.int64)
    for place in np.ndindex(*shape):
        result[tuple(place[labels.index(label)] for label in node.out)] = value[place]
    return result


def _sum(node: Sum, parts: list[Entries]) -> Entries:
    total = np.zeros([extent(dim) for dim in node.dims], dtype=np.int64)
    for term, part in zip(node.terms, parts, strict=True):
        total = (total + residue(term.coef) * _align(part, term.labels, node.order)) % PRIME
    return total


def _elementwise(node: Elementwise, parts: list[Entries]) -> Entries:
    aligned = [_align(part, arg.labels, node.order) for arg, part in zip(node.args, parts, strict=True)]
    return np.broadcast_to(_mix(f"{node.fn} {node.params}", aligned), [extent(dim) for dim in node.dims])


def _reduction(node: Reduction, parts: list[Entries]) -> Entries:
    (entries,) = parts
    mixed = _mix(f"{node.fn} {node.params}", [entries]).sum(axis=node.axes, keepdims=node.keeps) % PRIME
    return _mix(node.fn, [entries, mixed] if node.keeps else [mixed])


def _matrix(node: Matrix, parts: list[Entries]) -> Entries:
    """Arbitrary entries, the same for equal arguments, with the symmetry that the node has."""
    text = f"{node.name} {node.params} {node.shape} " + " ".join(str(part.tolist()) for part in parts)
    return _draw(_seed(text), node.dims, node.facts.get("symmetry", NO_SYMMETRY))


def _regroup(node: Regroup, parts: list[Entries]) -> Entries:
    sizes = [extent(dim) for dim in node.sizes]
    sides = ((node.inner, node.child.dims), (node.outer, node.dims))
    if any(prod(sizes[x] for x in g) != extent(d) for groups, dims in sides for g, d in zip(groups, dims, strict=True)):
        return _draw(
            _seed(f"regroup {node.inner} {node.outer} {node.sizes} {parts[0].tolist()}"), node.dims, NO_SYMMETRY
        )
    flat = [label for group in node.inner for label in group]
    entries = parts[0].reshape([sizes[label] for label in flat])
    order = [flat.index(label) for group in node.outer for label in group]
    return entries.transpose(order).reshape([extent(dim) for dim in node.dims])


def _call(node: Call, parts: list[Entries]) -> Entries:
    """Arbitrary entries for each sample, the same for equal arguments."""
    text, lead = f"{node.function.content} {node.orders}", tuple(extent(dim) for dim in node.batch)
    samples = []
    for part, labels in zip(parts, node.labels, strict=True):
        flat = part.reshape(*part.shape[: len(labels)], -1)
        spread = _align(flat, (*labels, len(lead)), len(lead) + 1)
        samples.append(np.broadcast_to(spread, (*lead, flat.shape[-1])))
    own = node.function.dims(node.orders)
    made = [
        _draw(_seed(f"{text} " + " ".join(str(sample[place].tolist()) for sample in samples)), own, node.own_symmetry)
        for place in np.ndindex(*lead)
    ]
    return np.reshape(made, [extent(dim) for dim in node.dims])


def _known(node: Node, parts: list[Entries]) -> Entries:
    if isinstance(node, Constant) and node.label == "epsilon":
        shape = tuple(extent(dim) for dim in node.dims)
        if shape == (len(shape),) * len(shape):
            signs = {place: settle(place, node.facts["symmetry"]) for place in np.ndindex(*shape)}
            return np.array([signs[place][1] % PRIME for place in np.ndindex(*shape)], dtype=np.int64).reshape(shape)
    name = node.digest.hex()
    return _draw(_seed(name), node.dims, node.facts.get("symmetry", NO_SYMMETRY))


ENTRIES: dict[type[Node], Callable[[Any, list[Entries]], Entries]] = {
    Variable: _known,
    Constant: _known,
    Definition: _known,
    Product: _product,
    Sum: _sum,
    Elementwise: _elementwise,
    Reduction: _reduction,
    Matrix: _matrix,
    Regroup: _regroup,
    Call: _call,
}


def fingerprint(node: Node) -> Entries:
    """The entries of a node modulo the prime, at the sizes of `extent`; remembered on every node below."""
    for inner in topological([node], lambda inner: "fingerprint" in inner.facts):
        parts = [child.facts["fingerprint"] for child in inner.children] if not isinstance(inner, Definition) else []
        inner.facts["fingerprint"] = ENTRIES[type(inner)](inner, parts)
    found: Entries = node.facts["fingerprint"]
    return found


def placed(node: Node, axes: tuple[int, ...]) -> bytes:
    """The fingerprint of `node[axes]` up to a factor, as something to compare."""
    entries = fingerprint(node).transpose(sorted(range(len(axes)), key=axes.__getitem__)).ravel()
    lead = next((int(v) for v in entries if v), 1)
    scaled = entries * pow(lead, -1, PRIME) % PRIME
    return bytes(str(sorted(axes)), "ascii") + blake2b(scaled.tobytes(), digest_size=16).digest()
