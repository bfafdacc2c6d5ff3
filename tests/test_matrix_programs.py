"""Random expressions in matrix notation: numbers and two derivatives against JAX, their texts, their closed forms."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matrix_programs import NEAREST, Program, Twin
from programs import DRAWN

import indexcalc as ic
from indexcalc.evaluate.front import _symbols

TOLERANCE = 1e-7
LARGEST = 1e5
"""Examples with larger numbers are left out: what cancels in them is not known to so many digits."""

Numbers = dict[str, np.ndarray]


def close(ours: Any, theirs: Any, scale: float) -> bool:
    """Equal to a relative tolerance, of the largest entry of all that is compared in an example."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.size == theirs.size, (ours.shape, theirs.shape)
    exists = np.isfinite(theirs)
    return bool(np.all(np.abs(ours.reshape(theirs.shape) - theirs)[exists] <= TOLERANCE * scale))


def numbers(array: ic.Array, values: Numbers, sizes: dict[str, int]) -> np.ndarray:
    """The numbers of an Array."""
    needed = {variable.label: values[variable.label] for variable in array.inputs}
    named = _symbols([array.node, *array.inputs])
    return array.evaluate(needed, **{name: n for name, n in sizes.items() if name in named})


def reads_back(array: ic.Array) -> None:
    """The text is read as an equal Array, which prints the same."""
    text = str(array)
    read = ic.parse(text, **array.declarations)
    assert read == array, text
    if str(read) != text:
        DRAWN["text differs"] += 1


def closed_is_right(array: ic.Array, values: Numbers, sizes: dict[str, int], wanted: np.ndarray, scale: float) -> None:
    """The closed form, if there is one, has the same numbers, also with its parts named."""
    for define in (False, True):
        form = array.formula(define)
        if not form.closed:
            DRAWN["no closed form"] += 1
            return
        read = ic.parse(str(form), **array.declarations)
        assert close(numbers(read, values, sizes), wanted, scale), str(form)
    DRAWN["closed form"] += 1


def second_derivatives(twin: Twin, first: str, second: str, along: Any, across: Any) -> Any:
    """JAX's value, its derivative along one direction, and the derivative of that along another."""

    def slope(inner: Any) -> Any:
        return jax.jvp(lambda value: twin.run({**inner, first: value}), (inner[first],), (along,))[1]

    @jax.jit
    def run(inner: Any) -> Any:
        bend = jax.jvp(lambda value: slope({**inner, second: value}), (inner[second],), (across,))[1]
        return twin.run(inner), slope(inner), bend

    return run


def direction(program: Program, name: str, structure: str, draw: np.random.Generator, like: np.ndarray) -> Any:
    """A random direction, within the structure of the variable where the derivative is to be projected."""
    step = draw.normal(size=like.shape)
    return NEAREST[program.leaves[name].word](step) if structure == "projected" else step


def derivatives(program: Program, expr: ic.Array, by: ic.Array, also: ic.Array, structure: str) -> tuple[Any, Any]:
    """The first and the second derivative, of Arrays or by way of indices: what is free is free in both orders."""
    if expr.order == 0 and program.rng.random() < 0.7:
        return ic.grad(expr, by, structure=structure), ic.hessian(expr, by, also, structure=structure)
    if by is also:
        return ic.derivative(expr, by, structure=structure), ic.derivative(expr, by, 2, structure=structure)
    if structure != "free":
        slope = ic.derivative(expr, by, structure=structure)
        return slope, ic.derivative(slope, also, structure=structure)
    named, first, second = (_named(view, letter) for view, letter in ((expr, "i"), (by, "j"), (also, "k")))
    return ic.diff(named, first, structure=structure), ic.diff(named, first, second, structure=structure)


def _named(view: ic.Array, letter: str) -> Any:
    return view[ic.indices(" ".join(f"{letter}{k}" for k in range(view.order)))] if view.order else view


def check(seed: int) -> None:
    program = Program(seed)
    rng = program.rng
    twin = program.make(program.shape(), 1 + seed % 3)
    draw = np.random.default_rng(seed)
    values = {name: program.numbers(name, draw) for name in program.leaves}
    first, second = rng.choice(list(values)), rng.choice(list(values))
    linear = all(program.leaves[name].word in NEAREST for name in (first, second))
    structure = "projected" if linear else "free"
    along, across = (direction(program, name, structure, draw, values[name]) for name in (first, second))
    oracle = second_derivatives(twin, first, second, along, across)
    wanted = [np.asarray(x) for x in oracle({name: jnp.asarray(value) for name, value in values.items()})]
    scale = max(1.0, *(np.max(np.abs(x), initial=0.0) for x in wanted))
    if not scale < LARGEST:
        DRAWN["left out"] += 1
        return
    expr = twin.expr
    slope, bend = derivatives(program, expr, program.leaves[first].expr, program.leaves[second].expr, structure)
    found = [numbers(one, values, program.sizes) for one in (expr, slope, bend)]
    rows = found[0].shape if expr.order != 1 else (found[0].size,)
    directed = found[1].reshape(-1, along.size) @ along.reshape(-1)
    twice = np.tensordot(found[2].reshape(-1, along.size, across.size), across.reshape(-1), 1) @ along.reshape(-1)
    assert close(found[0], wanted[0], scale), ("value", rows)
    assert close(directed, wanted[1], scale), "first derivative"
    assert close(twice, wanted[2], scale), "second derivative"
    DRAWN[f"{structure} by {program.leaves[first].word or 'plain'}"] += 1
    for array, value in zip((expr, slope, bend), found, strict=True):
        if array.order <= 4:
            reads_back(array)
        if array.order <= 4 and isinstance(array, ic.Array):
            closed_is_right(array, values, program.sizes, value, max(scale, np.max(np.abs(value), initial=0.0)))


@given(st.integers(0, 2**40))
def test_random_expressions(seed: int) -> None:
    """Values and derivatives agree with JAX; every text reads back; every closed form has the same numbers."""
    check(seed)
