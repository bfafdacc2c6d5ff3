"""The functions of the entries: their rows of the table, and the partial derivatives that a row's rules mean.

The square root is the power 1/2, and a power with a constant exponent is a factor of a product: they have no rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from indexcalc.functions.code import shared
from indexcalc.functions.code.numpy import logistics, sigmoid, softplus
from indexcalc.functions.entries.piecewise import COMPARISONS, PIECEWISE
from indexcalc.functions.entries.special_rows import SPECIAL
from indexcalc.functions.entry import Entry, apply
from indexcalc.functions.table import (
    ELEMENTWISE,
    POSITIVE,
    REAL,
    UNIT,
    ElementwiseFunction,
    elementwise_row,
    ends_at,
    spread,
)
from indexcalc.graph.constructors import elementwise
from indexcalc.graph.node import Elementwise, Node
from indexcalc.index import Dimension

HALF = Fraction(1, 2)


def partial(node: Elementwise, k: int) -> Node | None:
    """The partial derivative by argument k, with the axes of the node; None where the row says zero."""
    row = elementwise_row(node.fn)
    rule = row.rules[k]
    if rule is None:
        return None
    args = [Entry(arg.node, arg.labels, node.dims) for arg in node.args]
    value = Entry(node, range(node.order), node.dims)
    return spread(rule(*args, value, params=node.params) if row.params else rule(*args, value))


def chosen(
    condition: tuple[Node, Sequence[int]],
    value: tuple[Node, Sequence[int]],
    other: tuple[Node, Sequence[int]],
    dims: Sequence[Dimension],
) -> Node:
    """The value where the condition is not 0, else the other one, each with the axes of the result that it has."""
    return elementwise("where", [condition, value, other], dims)


# ------------------------------------------------------------------ numerics


# ------------------------------------------------------------------ rows


SMOOTH = (
    ElementwiseFunction(
        "exp", "sum over n of x**n/n!", np.exp, (lambda x, y: y,),
        r"\exp\left({}\right)", "DLMF 4.7(ii)", exact={0: 1},
        range=(0.0, math.inf),
        code="{np}.exp({0})",
        zero=False, monotone=True, python="exp", oracle="jnp.exp(x)",
    ),
    ElementwiseFunction(
        "log", "integral of 1/t from 1 to x", np.log, (lambda x, y: x**-1,),
        r"\log\left({}\right)", "DLMF 4.7(i)",
        domain="x > 0; complex x off the negative real axis", inputs=(POSITIVE,), exact={1: 0},
        code="{np}.log({0})",
        branching=ends_at(0),
        monotone=True, python="log", oracle="jnp.log(x)",
    ),
    ElementwiseFunction(
        "log1p", "log(1 + x)", np.log1p, (lambda x, y: (1 + x) ** -1,),
        r"\operatorname{{log1p}}\left({}\right)", "DLMF 4.7(i)",
        domain="x > -1; complex 1 + x off the negative real axis", inputs=(UNIT,), exact={0: 0},
        code="{np}.log1p({0})",
        branching=ends_at(-1),
        monotone=True, python="log1p", positive=True, oracle="jnp.log1p(x)",
    ),
    ElementwiseFunction(
        "expm1", "exp(x) - 1", np.expm1, (lambda x, y: apply("exp", x),),
        r"\operatorname{{expm1}}\left({}\right)", "DLMF 4.7(ii)", exact={0: 0},
        code="{np}.expm1({0})",
        range=(-1.0, math.inf), monotone=True, python="expm1", positive=True, oracle="jnp.expm1(x)",
    ),
    ElementwiseFunction(
        "sin", "(exp(i*x) - exp(-i*x))/(2*i)", np.sin, (lambda x, y: apply("cos", x),),
        r"\sin\left({}\right)", "DLMF 4.20", exact={0: 0},
        range=(-1.0, 1.0),
        code="{np}.sin({0})",
        python="sin", total=True, oracle="jnp.sin(x)",
    ),
    ElementwiseFunction(
        "cos", "(exp(i*x) + exp(-i*x))/2", np.cos, (lambda x, y: -apply("sin", x),),
        r"\cos\left({}\right)", "DLMF 4.20", exact={0: 1},
        range=(-1.0, 1.0),
        code="{np}.cos({0})",
        python="cos", total=True, oracle="jnp.cos(x)",
    ),
    ElementwiseFunction(
        "tan", "sin(x)/cos(x)", np.tan, (lambda x, y: 1 + y**2,),
        r"\tan\left({}\right)", "DLMF 4.20", domain="cos(x) != 0", inputs=(UNIT,), exact={0: 0},
        code="{np}.tan({0})",
        python="tan", oracle="jnp.tan(x)",
    ),
    ElementwiseFunction(
        "asin", "the y in [-pi/2, pi/2] with sin(y) = x", np.arcsin, (lambda x, y: (1 - x**2) ** -HALF,),
        r"\arcsin\left({}\right)", "DLMF 4.24(ii)",
        domain="-1 < x < 1; complex x off the rest of the real axis", inputs=(UNIT,), exact={0: 0},
        code="{np}.arcsin({0})",
        range=(-math.pi / 2, math.pi / 2), monotone=True, python="asin", positive=True, oracle="jnp.arcsin(x)",
    ),
    ElementwiseFunction(
        "acos", "the y in [0, pi] with cos(y) = x", np.arccos, (lambda x, y: -((1 - x**2) ** -HALF),),
        r"\arccos\left({}\right)", "DLMF 4.24(ii)",
        domain="-1 < x < 1; complex x off the rest of the real axis", inputs=(UNIT,), exact={1: 0},
        range=(0.0, math.pi),
        code="{np}.arccos({0})",
        python="acos", oracle="jnp.arccos(x)",
    ),
    ElementwiseFunction(
        "atan", "the y in (-pi/2, pi/2) with tan(y) = x", np.arctan, (lambda x, y: (1 + x**2) ** -1,),
        r"\arctan\left({}\right)", "DLMF 4.24(ii)",
        domain="all real numbers; complex x off the imaginary axis beyond i and -i", exact={0: 0},
        code="{np}.arctan({0})",
        range=(-math.pi / 2, math.pi / 2), monotone=True, positive=True, calm=True, python="atan",
        total=True, oracle="jnp.arctan(x)",
    ),
    ElementwiseFunction(
        "sinh", "(exp(x) - exp(-x))/2", np.sinh, (lambda x, y: apply("cosh", x),),
        r"\sinh\left({}\right)", "DLMF 4.34", exact={0: 0},
        code="{np}.sinh({0})",
        monotone=True, python="sinh", positive=True, oracle="jnp.sinh(x)",
    ),
    ElementwiseFunction(
        "cosh", "(exp(x) + exp(-x))/2", np.cosh, (lambda x, y: apply("sinh", x),),
        r"\cosh\left({}\right)", "DLMF 4.34", exact={0: 1},
        range=(1.0, math.inf),
        code="{np}.cosh({0})",
        zero=False, python="cosh", oracle="jnp.cosh(x)",
    ),
    ElementwiseFunction(
        "tanh", "sinh(x)/cosh(x)", np.tanh, (lambda x, y: 1 - y**2,),
        r"\tanh\left({}\right)", "DLMF 4.34", exact={0: 0},
        range=(-1.0, 1.0),
        code="{np}.tanh({0})",
        monotone=True, calm=True, python="tanh", positive=True, total=True, oracle="jnp.tanh(x)",
    ),
    ElementwiseFunction(
        "asinh", "the y with sinh(y) = x", np.arcsinh, (lambda x, y: (1 + x**2) ** -HALF,),
        r"\operatorname{{arsinh}}\left({}\right)", "DLMF 4.40(ii)",
        domain="all real numbers; complex x off the imaginary axis beyond i and -i", exact={0: 0},
        code="{np}.arcsinh({0})",
        monotone=True, positive=True, calm=True, python="asinh", total=True, oracle="jnp.arcsinh(x)",
    ),
    ElementwiseFunction(
        "acosh", "the y >= 0 with cosh(y) = x", np.arccosh, (lambda x, y: ((x - 1) ** -HALF) * ((x + 1) ** -HALF),),
        r"\operatorname{{arcosh}}\left({}\right)", "DLMF 4.40(ii)",
        domain="x > 1; complex x off the real axis below 1", inputs=((1.2, 3.0),), exact={1: 0},
        range=(0.0, math.inf),
        code="{np}.arccosh({0})",
        branching=ends_at(1),
        monotone=True, python="acosh", oracle="jnp.arccosh(x)",
    ),
    ElementwiseFunction(
        "atanh", "log((1 + x)/(1 - x))/2", np.arctanh, (lambda x, y: (1 - x**2) ** -1,),
        r"\operatorname{{artanh}}\left({}\right)", "DLMF 4.40(ii)",
        domain="-1 < x < 1; complex x off the rest of the real axis", inputs=(UNIT,), exact={0: 0},
        code="{np}.arctanh({0})",
        monotone=True, python="atanh", positive=True, oracle="jnp.arctanh(x)",
    ),
    ElementwiseFunction(
        "logit", "log(x/(1 - x))", shared.logit, (lambda x, y: (x * (1 - x)) ** -1,),
        r"\operatorname{{logit}}\left({}\right)", "definition, by the chain rule",
        domain="0 < x < 1; complex x off the rest of the real axis", inputs=((0.05, 0.95),),
        branching=ends_at(0),
        monotone=True, workspace=5.0, oracle="jnp.log(x) - jnp.log(1 - x)",
    ),
    ElementwiseFunction(
        "silu", "x/(1 + exp(-x))", lambda x: x * sigmoid(x),
        (lambda x, y: apply("sigmoid", x) * (1 + x * (1 - apply("sigmoid", x))),),
        r"\operatorname{{silu}}\left({}\right)", "D. Hendrycks, K. Gimpel, arXiv:1606.08415, by the product rule",
        domain="all real numbers; complex x with |Im x| < pi", exact={0: 0},
        range=(-0.2784645427610738, math.inf),
        code={"numpy": "{0} * sigmoid({0})", "jax": "jax.nn.silu({0})", "torch": "{0} * sigmoid({0})"},
        real={"torch": "torch.nn.functional.silu({0})"},
        positive=True, total=True, workspace=4.0, oracle="x / (1 + jnp.exp(-x))",
    ),
    ElementwiseFunction(
        "sigmoid", "1/(1 + exp(-x))", sigmoid, (lambda x, y: y * (1 - y),),
        r"\sigma\left({}\right)", "C. Bishop, Pattern Recognition and Machine Learning, equation (4.88)",
        domain="all real numbers; complex x with |Im x| < pi",
        range=(0.0, 1.0),
        code={"jax": "jax.nn.sigmoid({0})"}, real={"torch": "torch.sigmoid({0})"},
        zero=False, monotone=True, calm=True, together=logistics, total=True, workspace=4.0, oracle="jax.nn.sigmoid(x)",
    ),
    ElementwiseFunction(
        "softplus", "log(1 + exp(x))", softplus, (lambda x, y: apply("sigmoid", x),),
        r"\operatorname{{softplus}}\left({}\right)", "definition, by the chain rule",
        domain="all real numbers; complex x with |Im x| < pi",
        range=(0.0, math.inf),
        code={"jax": "jnp.logaddexp({0}, 0.0)"},
        real={"torch": "torch.nn.functional.softplus({0}, threshold=40)"},
        zero=False, monotone=True, calm=True, together=logistics, total=True, workspace=1.0,
        oracle="jax.nn.softplus(x)",
    ),
    ElementwiseFunction(
        "power", "exp(y*log(x))", np.power,
        (lambda x, y, z: y * apply("power", x, y - 1), lambda x, y, z: apply("log", x) * z),
        r"\left({}\right)^{{{}}}", "DLMF 4.7(ii)",
        domain="x > 0; complex x off the negative real axis", inputs=(POSITIVE, REAL),
        code={"numpy": "np.power({0}, {1})", "jax": "jnp.power({0}, {1})"},
        branching=ends_at(0), whole=True,
        python="**", positive=True, oracle="jnp.power(x, y)",
    ),
)  # fmt: skip

ELEMENTWISE.update({row.name: row for row in SMOOTH + SPECIAL + PIECEWISE + COMPARISONS})
