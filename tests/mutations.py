"""Derivatives of random expressions, and what becomes of them when something is changed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import matrix_programs
import programs

import indexcalc as ic
from indexcalc.checking.edits import edits, terms_of
from indexcalc.graph.constructors import addition, einsum, transpose
from indexcalc.graph.node import Node

REASONS = {
    "sign": {"sign"},
    "factor": {"factor"},
    "transpose": {"transpose"},
    "missing term": {"missing term", "symmetric part"},
    "wrong index": {"sum", "transpose", "symmetric part"},
}
"""The faults that name a change: a term whose transpose stands beside it is a symmetric part (whether it is gone, or
turned into the other one), and a matrix of one factor that is transposed is transposed."""


def derivative(seed: int) -> Any:
    """The derivative of a random expression, in index or in matrix notation; None where it depends on nothing."""
    rng = random.Random(seed)
    if rng.random() < 0.5:
        expr = programs.program(rng, rng.choice([1, 2, 2])).expr
        target = programs.TENSORS[rng.choice(list(programs.SHAPES))]
        fresh = ic.indices("q r t")[: target.order]
        made: Any = expr.diff(target[fresh] if fresh else target)
    else:
        program = matrix_programs.Program(seed)
        value = program.make((), rng.choice([1, 2, 2, 3])).expr
        if not value.variables:
            return None
        made = ic.grad(value, program.leaves[rng.choice(list(value.variables))].expr, structure="free")
    return None if made == 0 else made


def mutants(D: Any, seed: int) -> Iterator[tuple[str, Any]]:
    """The derivative with something changed, and what."""
    rng = random.Random(seed)
    indexed = isinstance(D, ic.Expr)
    node: Node = D.array(*D.free).node if indexed else D.node
    axes = tuple(range(node.order))

    def view(changed: Node) -> Any:
        return ic.Expr(changed, D.free) if indexed else ic.Array(changed, None, D.places, D.vectors, D.turned)

    yield "sign", view(einsum(-1, [(node, axes)], axes))
    yield "factor", view(einsum(rng.choice([2, 3]), [(node, axes)], axes))
    if node.order == 2 and node.dims[0] == node.dims[1]:
        yield "transpose", view(transpose(node, (1, 0)))
    terms = terms_of(node)
    if len(terms) > 1:
        gone = rng.randrange(len(terms))
        yield "missing term", view(addition([(1, t, axes) for k, t in enumerate(terms) if k != gone], node.dims))
    found = list(edits(node))
    if found:
        yield "wrong index", view(rng.choice(found).node)
