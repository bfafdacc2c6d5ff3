"""Every plan computes what is written.

Programs against a naive evaluation of the same graphs, with what the planner would choose, and with every rewrite done
wherever it may be, however dear it is.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from math import prod
from typing import Any

import graphs
import matrix_programs
import numpy as np
import programs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive import naive

import indexcalc as ic
from indexcalc.calculus.derivative import derivative
from indexcalc.engine.emit import numpy_code, patterns
from indexcalc.engine.emit.numpy import additions, buffers, contractions, kernels, maps, matrices
from indexcalc.engine.emit.numpy.function import function_of
from indexcalc.engine.plan import collect, peephole, plan, powers, products
from indexcalc.engine.plan.lowering import Lowered
from indexcalc.engine.plan.orders import contract, wide
from indexcalc.functions import special
from indexcalc.graph.constructors import addition, einsum, elementwise
from indexcalc.graph.node import Node, Product, Sum, Variable, topological
from indexcalc.graph.walk import variables
from indexcalc.index import size
from indexcalc.simplify.passes import simplify

TOLERANCE = 1e-9
LARGEST = 1e5
"""Examples with larger numbers are left out: what cancels in them is not known to so many digits."""
FRESH = {name: ic.index(name) for name in "efghuv"}


# ------------------------------------------------------------------ what is forced


def any_choice(rng: random.Random) -> Any:
    """A search that takes any choice: products and sums kept, and sums multiplied out, at random.

    Parts shared or not; products planned again or not.
    """

    def search(best: Lowered, make: Any, order: Any, options: Any) -> Lowered:
        kept = frozenset(n for n in order if isinstance(n, Product | Sum) and rng.random() < 0.3)
        opened = frozenset(n for n in order if isinstance(n, Sum) and rng.random() < 0.5)
        made = make(best.choice._replace(kept=kept, opened=opened))
        if rng.random() < 0.5:
            made = make(made.choice, dict.fromkeys(made.seen, 2))
        return make(made.choice, made.shares, made.parts) if rng.random() < 0.5 else made

    return search


def any_kernel(rng: random.Random) -> Any:
    """A choice of any kernel that applies."""

    def choose(pair: kernels.PairContraction, wished: object, own: object) -> kernels.Option:
        options = [kernel(p) for kernel in kernels.KERNELS for p in (pair, pair.turned)]
        return rng.choice([option for option in options if option is not None])

    return choose


def everything(patch: pytest.MonkeyPatch, rng: random.Random) -> None:
    """Each rewrite is done wherever it may be, each choice is made at random."""
    patch.setattr(plan, "_search", any_choice(rng))
    patch.setattr(kernels, "choose", any_kernel(rng))
    patch.setattr(collect, "WORTH", 1e9)
    patch.setattr(products, "ROOTED", 1e9)
    patch.setattr(peephole, "FEW", 1e9)
    patch.setattr(patterns, "LARGE", 1)
    patch.setattr(patterns, "PIECES", 1)
    patch.setattr(additions, "PIECE", rng.choice([1, 4, additions.PIECE]))
    patch.setattr(additions, "MOST_PIECES", rng.choice([2, additions.MOST_PIECES]))
    for module in (maps, matrices, powers):
        patch.setattr(module, "MANY", 1)
    patch.setattr(contractions, "ENTRIES", 1)
    patch.setattr(buffers, "FREED", 1)
    patch.setattr(powers, "AT_ONCE", {})
    exact = rng.choice([2, 3, contract.EXACT])
    for module in (products, collect, contract, wide):
        patch.setattr(module, "EXACT", exact)


# ------------------------------------------------------------------ what is compared


def agrees(
    roots: Sequence[Node], arrays: Mapping[str, Any], sizes: Mapping[str, int], forced: random.Random | None
) -> None:
    """The program of these roots gives what they are, node by node."""
    wanted = naive(roots, {v: arrays[v.label] for v in variables(roots)}, sizes)
    scale = max(1.0, *(np.max(np.abs(x[np.isfinite(x)]), initial=0.0) for x in wanted))
    if not scale < LARGEST:
        return
    with pytest.MonkeyPatch.context() as patch:
        if forced is not None:
            everything(patch, forced)
        made = plan.plan(roots, sizes)
        mixed = [name for name in made.inputs if np.iscomplexobj(arrays[name])]
        try:
            code = numpy_code.emit(made, {name: name for name in made.inputs}, complex if mixed else float, mixed)
        except ic.InputError:
            assert mixed  # a function of real numbers has a complex argument
            return
    found = function_of(code, made.inputs, False, quiet=True)(*(arrays[name] for name in made.inputs))
    for ours, theirs in zip(found, wanted, strict=True):
        assert np.shape(ours) == theirs.shape
        exists = np.isfinite(theirs)
        assert np.all(np.abs(np.asarray(ours)[exists] - theirs[exists]) <= TOLERANCE * scale)


def fits(roots: Sequence[Node], sizes: Mapping[str, int], most: int = 20_000) -> bool:
    """Are the results small enough for a test?"""
    return all(prod(size(d, sizes) for d in root.dims) <= most for root in roots)


def of_indices(seed: int, forced: bool) -> None:
    """A random expression of indices, its derivative and its second one, as one program."""
    rng = random.Random(seed)
    twin = programs.program(rng, 1 + seed % 4)
    sizes = {name: rng.randint(1, 5) for name in "abc"}
    arrays = programs.arrays(rng, sizes)
    by = []
    for names in ("efg", "huv"):
        label = rng.choice(list(programs.SHAPES))
        own = tuple(FRESH[name] for name in names)[: len(programs.SHAPES[label].split())]
        by.append(programs.TENSORS[label][own] if own else programs.TENSORS[label])
    slope = twin.expr.diff(by[0])
    roots = [twin.expr.node, slope.node, slope.diff(by[1]).node]
    while not fits(roots, sizes):
        roots.pop()
    agrees(simplify(roots) if rng.random() < 0.7 else roots, arrays, sizes, rng if forced else None)


def of_complex(seed: int, forced: bool) -> None:
    """A random expression of indices and its derivative, in sums with complex numbers; some arrays are complex."""
    rng, draw = random.Random(seed), np.random.default_rng(seed)
    twin = programs.program(rng, 1 + seed % 3)
    sizes = {name: rng.randint(1, 4) for name in "abc"}
    arrays = {
        name: x + 1j * draw.normal(size=np.shape(x)) if rng.random() < 0.5 else x
        for name, x in programs.arrays(rng, sizes).items()
    }
    label = rng.choice(list(programs.SHAPES))
    own = tuple(FRESH[name] for name in "efg")[: len(programs.SHAPES[label].split())]
    slope = twin.expr.diff(programs.TENSORS[label][own] if own else programs.TENSORS[label])
    roots = []
    for node in (twin.expr.node, slope.node):
        axes = tuple(range(node.order))
        square = einsum(rng.choice([1, -1, 2]), [(node, axes, 2)], axes)
        shift = elementwise("exp", [(einsum(rng.choice([1, 1j]), [(node, axes)], axes), axes)], node.dims)
        numbers = [rng.choice([1, -1, 1j, -1j, 2 - 1j, 3]) for _ in range(3)]
        terms = list(zip(numbers, rng.sample([node, square, shift], 3), [axes] * 3, strict=True))
        total = addition(terms[: rng.choice([2, 3])], node.dims)
        roots += [total, einsum(rng.choice([1j, -2, 1]), [(total, axes), (node, axes, rng.choice([1, 2]))], axes)]
    while not fits(roots, sizes):
        roots.pop()
    if find_spec("scipy") is None and any(getattr(node, "fn", "") in ("erf", "gelu") for node in topological(roots)):
        with pytest.raises(ic.InputError, match="SciPy"):
            special.erf(1j)
        return
    agrees(simplify(roots) if rng.random() < 0.5 else roots, arrays, sizes, rng if forced else None)


def of_nodes(seed: int, forced: bool) -> None:
    """Some nodes of a random graph, and the derivatives of one, as one program."""
    draw, rng = np.random.default_rng(seed), random.Random(seed)
    made = graphs.graph(draw)
    roots = rng.sample(made.nodes[-6:], 3)
    if rng.random() < 0.6:
        inputs: list[Variable] = variables(roots)
        if inputs:
            slope = derivative(roots[0], rng.choice(inputs))
            roots += [slope, derivative(slope, rng.choice(inputs))]
    while not fits(roots, made.sizes):
        roots.pop()
    arrays = {v.label: x for v, x in made.arrays.items()}
    agrees(simplify(roots) if rng.random() < 0.5 else roots, arrays, made.sizes, rng if forced else None)


def of_matrices(seed: int, forced: bool) -> None:
    """A random expression in matrix notation, its derivative and its second one, as one program."""
    program = matrix_programs.Program(seed)
    rng, draw = program.rng, np.random.default_rng(seed)
    program.sizes = {name: rng.randint(1, 4) for name in "abc"}
    expr = program.make(program.shape(), 1 + seed % 3).expr
    arrays = {name: program.numbers(name, draw) for name in program.leaves}
    by = program.leaves[rng.choice(list(arrays))].expr
    slope = ic.derivative(expr, by, structure="free")
    roots = [expr.node, slope.node, ic.derivative(slope, by, structure="free").node]
    while not fits(roots, program.sizes, 1000):
        roots.pop()
    agrees(simplify(roots), arrays, program.sizes, rng if forced else None)


@pytest.mark.slow
@pytest.mark.parametrize("forced", [False, True])
@pytest.mark.parametrize("draw", [of_indices, of_complex, of_nodes, pytest.param(of_matrices, marks=pytest.mark.slow)])
@given(seed=st.integers(0, 2**40))
def test_programs_have_the_value_that_is_written(draw: Any, forced: bool, seed: int) -> None:
    draw(seed, forced)


@pytest.mark.parametrize("seed", [28, 277])
def test_a_delta_beside_a_term_without_one_keeps_its_axis(seed: int) -> None:
    of_indices(seed, False)


def test_a_polynomial_of_dimensions_may_be_negative() -> None:
    """`n - 8` is a number where no axis has it; so it is no count, and `sqrt((n - 8)**2)` is another."""
    w, X = ic.tensor("w", "n", positive=True), ic.tensor("X", "n n")
    less = ic.tr(ic.eye("n")) - 8
    outputs = [less, less * w, ic.sqrt(less**2), X.T @ ic.diagm(less * w) @ X]
    draw = np.random.default_rng(0)
    arrays = {"w": draw.uniform(size=2), "X": draw.normal(size=(2, 2))}
    agrees(simplify([view.node for view in outputs]), arrays, {"n": 2}, random.Random(0))
    assert outputs[2].evaluate(n=2) == 6


@pytest.mark.parametrize(
    ("wanted", "made", "products"),
    [
        ((1.5, 2.5, -0.5, -1.5), ["1/2", "-1", "-1"], 2), ((-3, -6, -7), ["-1"], 4), ((3, 6), ["2"], 3),
        ((0.5, -0.5), ["1/2", "-1"], 0), ((5,), ["2"], 2), ((0.3, 1.3), ["0.3", "1.3"], 0),
    ],
)  # fmt: skip
def test_powers_are_products_of_few(wanted: tuple[float, ...], made: list[str], products: int) -> None:
    v = ic.tensor("v", "n")
    lines = str(ic.compile([v**one for one in wanted], v, sizes={"n": 100}).plan).splitlines()
    assert [line.split("** ")[1].split()[0] for line in lines if "**" in line] == made
    assert sum("multiply" in line for line in lines) == products
