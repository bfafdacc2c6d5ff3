"""Generated source: it runs unedited, for any sizes, has the numbers of a compiled program, and its names are valid."""

from __future__ import annotations

import random
import warnings
from typing import Any

import jax.numpy as jnp
import matrix_programs
import numpy as np
import programs
import torch
from hypothesis import given
from hypothesis import strategies as st

import indexcalc as ic
from indexcalc.evaluate.targets import TARGETS

RNG = np.random.default_rng(11)
FRESH = {name: ic.index(name) for name in "efghuv"}
MAKE = {"numpy": np.asarray, "jax": jnp.asarray, "torch": torch.as_tensor}


def made(text: str, name: str = "program") -> Any:
    """The function of a text."""
    assert "indexcalc" not in text
    space: dict[str, Any] = {}
    exec(text, space)
    return space[name]


def close(ours: Any, theirs: Any) -> bool:
    """Equal within rounding where there are numbers."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    exists = np.isfinite(theirs)
    scale = max(1.0, np.max(np.abs(theirs[exists]), initial=0.0))
    return bool(np.all(np.abs(ours - theirs)[exists] <= 1e-9 * scale))


def runs(target: str, text: str, arrays: list[Any]) -> list[Any]:
    """What the function of a text gives, as NumPy arrays; NumPy's warnings of overflow apart."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        return [np.asarray(value) for value in made(text)(*map(MAKE[target], arrays))]


# ------------------------------------------------------------------ random graphs


def agrees(seed: int, targets: Any = TARGETS) -> None:
    """The text of a random expression and its derivatives has the numbers of the compiled program, at two sizes."""
    rng = random.Random(seed)
    twin = programs.program(rng, 1 + seed % 4)
    by = []
    for names in ("efg", "huv"):
        label = rng.choice(list(programs.SHAPES))
        own = tuple(FRESH[name] for name in names)[: len(programs.SHAPES[label].split())]
        by.append(programs.TENSORS[label][own] if own else programs.TENSORS[label])
    slope = twin.expr.diff(by[0])
    outputs = [twin.expr, slope, slope.diff(by[1])]
    names = sorted({variable.label for view in outputs for variable in view.inputs})
    texts = {target: ic.to_source(outputs, names, target=target) for target in targets}
    for sizes in (programs.sizes(rng), dict.fromkeys("abc", rng.choice([1, 3]))):
        values = programs.arrays(rng, sizes)
        fixed = {symbol for name in names for symbol in programs.SHAPES[name].split()}
        if fixed != {s for view in outputs for s in "abc" if s in str([v.dims for v in view.inputs])}:
            return
        wanted = ic.compile(outputs, names)(*[values[name] for name in names])
        for target, text in texts.items():
            got = runs(target, text, [values[name] for name in names])
            assert all(close(one, other) for one, other in zip(got, wanted, strict=True)), (target, text)


@given(st.integers(0, 2**40))
def test_the_text_has_the_numbers_of_the_program(seed):
    agrees(seed)


def matrix_agrees(seed: int) -> None:
    """The same for a program in matrix notation; a target that lacks a function says so."""
    program = matrix_programs.Program(seed)
    twin = program.make(program.shape(), 1 + seed % 3)
    first = program.leaves[program.rng.choice(list(program.leaves))].expr
    outputs = [twin.expr, ic.derivative(twin.expr, first, structure="free")]
    names = list(program.leaves)
    used = {variable.label for view in outputs for variable in view.inputs}
    names = [name for name in names if name in used]
    draw = np.random.default_rng(seed)
    values = [program.numbers(name, draw) for name in names]
    compiled = ic.compile(outputs, names)
    try:
        wanted = compiled(*values)
    except ic.DimensionError:  # a size that no input fixes
        return
    for target in TARGETS:
        try:
            text = ic.to_source(outputs, names, target=target)
        except ic.NoRuleError as error:
            assert target in str(error)
            continue
        got = runs(target, text, values)
        assert all(close(one, other) for one, other in zip(got, wanted, strict=True)), (target, text)


@given(st.integers(0, 2**40))
def test_matrix_programs(seed):
    matrix_agrees(seed)
