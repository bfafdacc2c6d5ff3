"""The order in which many factors are contracted: random networks against opt_einsum's `auto-hq`, in operations."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import opt_einsum
import pytest
from opt_einsum.testing import rand_equation

import indexcalc as ic
from indexcalc.engine.emit.numpy.function import function_of
from indexcalc.engine.emit.numpy_code import emit
from indexcalc.engine.plan.orders.contract import Contraction
from indexcalc.engine.plan.orders.scheme import Piece
from indexcalc.engine.plan.orders.wide import scalings
from indexcalc.engine.plan.plan import plan
from indexcalc.engine.program import Program, flops
from indexcalc.graph.constructors import einsum, variable

MORE = 1.2
"""Times: so many more operations than opt_einsum's order a plan may have."""


class Network:
    """A random network of so many tensors, as opt_einsum makes them for its own tests."""

    def __init__(self, seed: int, tensors: int, regularity: int = 3, largest: int = 5) -> None:
        state = np.random.get_state()
        self.text, self.shapes = rand_equation(tensors, regularity, seed % 3, d_max=largest, seed=seed)
        np.random.set_state(state)
        inputs, self.out = self.text.split("->")
        self.inputs = inputs.split(",")

    def program(self) -> Program:
        """What the planner makes of it."""
        number = {x: k for k, x in enumerate(sorted({*self.text} - {*",->"}))}
        rows = [
            (variable(f"v{k}", tuple(map(int, shape))), [number[x] for x in labels])
            for k, (labels, shape) in enumerate(zip(self.inputs, self.shapes, strict=True))
        ]
        return plan([einsum(1, rows, [number[x] for x in self.out])], {})

    def theirs(self) -> int:
        """The operations of `auto-hq`, each counted as the planner counts them."""
        state = random.getstate()
        path, _ = opt_einsum.contract_path(self.text, *self.shapes, shapes=True, optimize="auto-hq")
        random.setstate(state)
        sizes = {
            x: n for own, shape in zip(self.inputs, self.shapes, strict=True) for x, n in zip(own, shape, strict=True)
        }
        stack, total = [frozenset(own) for own in self.inputs], 0
        for pair in path:
            both = frozenset().union(*(stack.pop(k) for k in sorted(pair, reverse=True)))
            stay = both & frozenset(self.out).union(*stack)
            stack.append(stay)
            total += int(np.prod([sizes[x] for x in both], dtype=object)) * (1 if stay == both else 2)
        return total


@pytest.mark.parametrize("tensors", [8, 10, 12, 14, 16, 18, 22, 26, 30, 36, 40])
def test_random_networks_take_no_more_operations_than_auto_hq(tensors: int) -> None:
    for seed in range(2):
        network = Network(tensors + 100 * seed, tensors)
        assert sum(map(flops, network.program().steps)) <= MORE * network.theirs(), (tensors, seed)


def test_the_order_is_the_same_each_time_and_random_numbers_go_on() -> None:
    """opt_einsum's search draws random numbers, from a state that it sets itself."""
    network = Network(3, 24)
    random.seed(5)
    np.random.seed(5)
    before = random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index,union-attr]
    programs = [network.program() for _ in range(2)]
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # type: ignore[index,union-attr]
    assert programs[0] == programs[1]
    ic.compile(ic.tensor("A", "n n") @ ic.tensor("x", "n"), ("A", "x"), sizes={"n": 3}, optimize="random-greedy")
    assert random.getstate() == before[0]


@pytest.mark.parametrize("tensors", [9, 13, 19])
def test_networks_have_their_value(tensors: int) -> None:
    network, rng = Network(tensors, tensors, 2, 3), np.random.default_rng(tensors)
    arrays = [rng.normal(size=shape) for shape in network.shapes]
    program = network.program()
    names = {name: name for name in program.inputs}
    run = function_of(emit(program, names, float, []), program.inputs, True)
    found: Any = run(*(arrays[int(name[1:])] for name in program.inputs))
    wanted = opt_einsum.contract(network.text, *arrays)
    assert np.allclose(found, wanted, rtol=1e-9, atol=1e-9 * np.max(np.abs(wanted)))


def test_pieces_that_only_scale_go_with_what_they_scale() -> None:
    """`s` and `g` scale X; a vector that is summed with a matrix is no scale."""
    pieces = [Piece(0, (0, 1)), Piece(1, (0,)), Piece(2, (1,)), Piece(3, (1, 2)), Piece(4, (2,))]
    product = Contraction(pieces, (0,), {0: 50, 1: 8, 2: 9})
    assert sorted(scalings(product)) == [(0, 1), (3, 2)]
