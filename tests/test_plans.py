"""Every plan computes what was written, whatever is kept, multiplied out, collected or shared: cost is ignored."""

from __future__ import annotations

import random
from typing import Any

import jax.numpy as jnp
import numpy as np
import programs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import indexcalc as ic
from indexcalc.evaluate import collect, plan
from indexcalc.evaluate.build import Build
from indexcalc.graph.node import Product, Sum


def forced(rng: random.Random) -> Any:
    """A search that takes any choice: products kept and sums multiplied out at random, parts shared or not."""

    def search(best: Build, build: Any, order: Any, options: Any) -> Build:
        kept = frozenset(n for n in order if isinstance(n, Product) and rng.random() < 0.3)
        opened = frozenset(n for n in order if isinstance(n, Sum) and rng.random() < 0.5)
        made = build(best.choice._replace(kept=kept, opened=opened))
        shares = dict.fromkeys(made.seen, 2)
        return build(made.choice, shares) if rng.random() < 0.5 else made

    return search


@given(st.integers(0, 2**32))
def test_any_choice_has_the_value_that_is_written(seed: int) -> None:
    """Random expressions against JAX."""
    rng = random.Random(seed)
    twin = programs.program(rng, rng.randrange(2, 5))
    arrays = programs.arrays(rng, programs.sizes(rng))
    inputs = twin.expr.variables
    wanted = np.asarray(twin.run({name: jnp.asarray(array) for name, array in arrays.items()}))
    view = twin.expr.array(*[programs.INDEX[n] for n in twin.names])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "_search", forced(rng))
        patch.setattr(collect, "WORTH", 1e9)
        found = ic.compile(view, inputs)(*[arrays[str(v)] for v in inputs])
    scale = max(1.0, float(np.abs(wanted).max(initial=0)))
    assert np.allclose(found, wanted, rtol=1e-8, atol=1e-8 * scale), twin.expr
