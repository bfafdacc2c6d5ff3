"""Rows of functions of entries that are made of pieces, and of comparisons."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from indexcalc.functions.code import shared
from indexcalc.functions.entry import Entry, apply, scalar_entry
from indexcalc.functions.table import (
    AHEAD,
    AT_ZERO,
    CHOSEN,
    COMPARED,
    NONZERO,
    REAL,
    ElementwiseFunction,
)
from indexcalc.graph.constructors import constant_number, elementwise, is_zero
from indexcalc.graph.node import Elementwise, Node

HALF = Fraction(1, 2)


def _relu(x: Any, out: Any = None) -> Any:
    """The larger of x and 0; `out` may be x itself."""
    return np.maximum(x, 0, out=out)


def _ahead(strict: str, weak: str) -> tuple[Callable[..., Entry], Callable[..., Entry]]:
    """The rules of maximum or minimum: 1 where the argument is ahead of the other, 1/2 where they tie."""

    def ahead(x: Entry, y: Entry) -> Entry:
        return HALF * apply(strict, x, y) + HALF * apply(weak, x, y)

    return lambda x, y, _: ahead(x, y), lambda x, y, _: ahead(y, x)


def _rectified(node: Elementwise) -> tuple[Node, tuple[int, ...]]:
    """Where the argument of relu is positive."""
    (argument, labels), *_ = node.args
    return elementwise("step", [(argument, range(argument.order))], argument.dims), labels


def _taken(node: Elementwise) -> tuple[Node, tuple[int, ...]] | None:
    """The condition under which a choice is not 0, if one of its two sides is 0."""
    (condition, labels), one, other = node.args
    if not is_zero(one.node) and not is_zero(other.node):
        return None
    own = Entry(condition, range(condition.order), condition.dims)
    zero = scalar_entry(constant_number(0), own)
    return apply("not_equal" if is_zero(other.node) else "equal", own, zero).node, labels


def _comparison(
    name: str, python: str, latex: str, numpy: Any, opposite: str, commutative: bool = False
) -> ElementwiseFunction:
    """The row of a comparison, whose value is 1 where it holds and 0 elsewhere."""
    return ElementwiseFunction(
        name, f"1 where x {'=' if python == '==' else python} y, 0 elsewhere", numpy, (None, None),
        rf"\left[{{}} {latex} {{}}\right]", "definition", inputs=(REAL, REAL),
        kink="jumps where x = y; the derivative is 0 elsewhere, and is given as 0 there", holomorphic=False,
        branching=COMPARED[python], unrounded=True, range=(0.0, 1.0), calm=True, total=True, condition=True,
        opposite=opposite, commutative=commutative, python=python,
        oracle=f"jnp.{name}(x, y).astype(x.dtype)",
    )  # fmt: skip


PIECEWISE = (
    ElementwiseFunction(
        "relu", "x where x > 0, 0 elsewhere", _relu, (lambda x, y: apply("step", x),),
        r"\operatorname{{relu}}\left({}\right)", "definition", inputs=(NONZERO,),
        kink="the derivative at 0 is given as 0", holomorphic=False, exact={-1: 0, 0: 0, 1: 1},
        range=(0.0, math.inf),
        code={"numpy": "np.maximum({0}, 0)", "jax": "jax.nn.relu({0})", "torch": "torch.relu({0})"},
        branching=AT_ZERO, unrounded=True, monotone=True, calm=True, out=True, positive=True, total=True,
        support=_rectified, oracle="jax.nn.relu(x)",
    ),
    ElementwiseFunction(
        "step", "1 where x > 0, 0 elsewhere", shared.step, (None,),
        r"\operatorname{{step}}\left({}\right)", "definition", inputs=(NONZERO,),
        kink="jumps at 0; the derivative is 0 elsewhere, and is given as 0 there", holomorphic=False,
        exact={-1: 0, 0: 0, 1: 1},
        range=(0.0, 1.0),
        branching=AT_ZERO, unrounded=True, monotone=True, calm=True, positive=True, total=True, condition=True,
        oracle="jnp.heaviside(x, 0.0)",
    ),
    ElementwiseFunction(
        "abs", "x where x > 0, -x elsewhere", np.abs, (lambda x, y: apply("sign", x),),
        r"\left|{}\right|", "definition", inputs=(NONZERO,),
        kink="the derivative at 0 is given as 0", holomorphic=False, exact={-1: 1, 0: 0, 1: 1},
        range=(0.0, math.inf),
        code={"numpy": "np.abs({0})", "jax": "absolute({0})", "torch": "torch.abs({0})"},
        branching=AT_ZERO, unrounded=True, calm=True, positive=True, total=True, oracle="jnp.abs(x)",
    ),
    ElementwiseFunction(
        "sign", "1 where x > 0, -1 where x < 0, 0 at 0", np.sign, (None,),
        r"\operatorname{{sign}}\left({}\right)", "definition", inputs=(NONZERO,),
        kink="jumps at 0; the derivative is 0 elsewhere, and is given as 0 there", holomorphic=False,
        exact={-1: -1, 0: 0, 1: 1},
        range=(-1.0, 1.0),
        code="{np}.sign({0})",
        branching=AT_ZERO, unrounded=True, monotone=True, calm=True, positive=True, total=True, oracle="jnp.sign(x)",
    ),
    ElementwiseFunction(
        "maximum", "x where x > y, y elsewhere", np.maximum, _ahead("greater", "greater_equal"),
        r"\max\left({}, {}\right)", "definition", inputs=(REAL, REAL),
        kink="where x = y each argument gets the derivative 1/2", holomorphic=False,
        code="{np}.maximum({0}, {1})",
        branching=AHEAD, unrounded=True, monotone=True, commutative=True, calm=True, positive=True, total=True,
        oracle="jnp.maximum(x, y)",
    ),
    ElementwiseFunction(
        "minimum", "x where x < y, y elsewhere", np.minimum, _ahead("less", "less_equal"),
        r"\min\left({}, {}\right)", "definition", inputs=(REAL, REAL),
        kink="where x = y each argument gets the derivative 1/2", holomorphic=False,
        code="{np}.minimum({0}, {1})",
        branching=AHEAD, unrounded=True, monotone=True, commutative=True, calm=True, positive=True, total=True,
        oracle="jnp.minimum(x, y)",
    ),
    ElementwiseFunction(
        "where", "x where c != 0, y where c = 0", lambda c, x, y: np.where(c != 0, x, y),
        (
            None,
            lambda c, x, y, z: apply("not_equal", c, scalar_entry(constant_number(0), c)),
            lambda c, x, y, z: apply("equal", c, scalar_entry(constant_number(0), c)),
        ),
        r"\begin{{cases}} {1} & {0} \neq 0 \\ {2} & \text{{otherwise}} \end{{cases}}", "definition",
        inputs=(REAL, REAL, REAL),
        kink="jumps where c becomes 0; the derivative by c is 0 elsewhere, and is given as 0 there", holomorphic=False,
        code="{np}.where({0} != 0, {1}, {2})",
        branching=CHOSEN, unrounded=True, calm=True, total=True, choice=True, support=_taken,
        oracle="jnp.where(x != 0, y, z)",
    ),
)  # fmt: skip

COMPARISONS = (
    _comparison("less", "<", "<", shared.less, "greater_equal"),
    _comparison("less_equal", "<=", r"\leq", shared.less_equal, "greater"),
    _comparison("greater", ">", ">", shared.greater, "less_equal"),
    _comparison("greater_equal", ">=", r"\geq", shared.greater_equal, "less"),
    _comparison("equal", "==", "=", shared.equal, "not_equal", commutative=True),
    _comparison("not_equal", "!=", r"\neq", shared.not_equal, "equal", commutative=True),
)
