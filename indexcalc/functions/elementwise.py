"""The functions of the entries: their rows of the table, and the partial derivatives that a row's rules mean.

The square root is the power 1/2, and a power with a constant exponent is a factor of a product: they have no rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from indexcalc.functions import special, texts
from indexcalc.functions.entry import Entry, apply
from indexcalc.functions.table import (
    ELEMENTWISE,
    NONZERO,
    POSITIVE,
    REAL,
    UNIT,
    ElementwiseFunction,
    elementwise_row,
    spread,
)
from indexcalc.graph.constructors import constant, constant_number
from indexcalc.graph.node import Elementwise, Node
from indexcalc.graph.numbers import Number

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


# ------------------------------------------------------------------ numerics


def _sigmoid(x: Any) -> Any:
    """`1/(1 + exp(-x))`, by the exponential that does not overflow."""
    if np.iscomplexobj(x):
        right = x.real >= 0
        small = np.exp(np.where(right, -x, x))
        return np.where(right, 1, small) / (1 + small)
    small, large = _halves(_over(np.exp, -np.abs(x)))
    return np.maximum(small, np.copysign(large, x))


def _halves(e: Any) -> tuple[Any, Any]:
    """`e/(1 + e)` and `1/(1 + e)`; of `e = exp(-|x|)` they are the sigmoids of `-|x|` and `|x|`.

    With the sign of x the larger one is chosen by a maximum: NumPy's `where` takes ten times as long.
    """
    large = _over(np.reciprocal, 1 + e)
    return e * large, large


def logistics(x: Any, wanted: Sequence[str]) -> list[Any]:
    """What is wanted of softplus(x), sigmoid(x), and sigmoid(-x), the "complement", for real x, by one exponential.

    >>> logistics(np.array([0.0]), ("sigmoid", "complement"))
    [array([0.5]), array([0.5])]
    """
    e, made = _over(np.exp, -np.abs(x)), {}
    if "softplus" in wanted:
        made["softplus"] = np.log1p(e)
        made["softplus"] += np.maximum(x, 0)
    small, large = _halves(e)
    large = np.copysign(large, x)
    if "sigmoid" in wanted:
        made["sigmoid"] = np.maximum(small, large)
    if "complement" in wanted:
        made["complement"] = np.maximum(small, _over(np.negative, large))
    return [made[name] for name in wanted]


def sigmoid_slope(x: Any) -> Any:
    """The derivative of the sigmoid, `e/(1 + e)**2` with `e = exp(-|x|)`, for real x.

    >>> sigmoid_slope(np.array([0.0]))
    array([0.25])
    """
    e = _over(np.exp, -np.abs(x))
    return e / np.square(1 + e)


def root_slope(x: Any) -> Any:
    """The root of the derivative of the sigmoid, `h/(1 + h**2)` with `h = exp(-|x|/2)`, for real x.

    >>> root_slope(np.array([0.0]))
    array([0.5])
    """
    h = _over(np.exp, np.abs(x) * -0.5)
    return h / (1 + h * h)


def _softplus(x: Any) -> Any:
    """`log(1 + exp(x))`, by the exponential that does not overflow."""
    if np.iscomplexobj(x):
        right = x.real >= 0
        return np.where(right, x, 0) + np.log1p(np.exp(np.where(right, -x, x)))
    y = np.log1p(_over(np.exp, -np.abs(x)))
    y += np.maximum(x, 0)
    return y


def _over(function: Any, x: Any) -> Any:
    """The function of an array that nobody else has: in place."""
    return function(x, out=x) if isinstance(x, np.ndarray) else function(x)


def _gelu(x: Any) -> Any:
    """`x*Phi(x)`, without cancellation in the left tail."""
    return x * special.erfc(-x / math.sqrt(2)) / 2


# ------------------------------------------------------------------ rules


def _value(node: Node, like: Entry) -> Entry:
    """A node without axes, among the axes of an entry."""
    return Entry(node, (), like.dims)


def _erf_rule(x: Entry, y: Entry) -> Entry:
    return 2 * _value(constant("pi"), x) ** -HALF * apply("exp", -(x**2))


def _gelu_rule(x: Entry, y: Entry) -> Entry:
    cumulative = HALF + HALF * apply("erf", x * _value(constant_number(2), x) ** -HALF)
    density = (2 * _value(constant("pi"), x)) ** -HALF * apply("exp", -HALF * x**2)
    return cumulative + x * density


def _polygamma_rule(x: Entry, y: Entry, *, params: tuple[Number, ...]) -> Entry:
    (k,) = params
    return apply("polygamma", x, params=(k + 1,))


def _ahead(strict: str, weak: str) -> tuple[Callable[..., Entry], Callable[..., Entry]]:
    """The rules of maximum or minimum: 1 where the argument is ahead of the other, 1/2 where they tie."""

    def ahead(x: Entry, y: Entry) -> Entry:
        return HALF * apply(strict, x, y) + HALF * apply(weak, x, y)

    return lambda x, y, _: ahead(x, y), lambda x, y, _: ahead(y, x)


# ------------------------------------------------------------------ rows


def _comparison(name: str, sign: str, latex: str, ufunc: Any) -> ElementwiseFunction:
    """The row of a comparison, whose value is 1 where it holds and 0 elsewhere."""
    return ElementwiseFunction(
        name, f"1 where x {sign} y, 0 elsewhere", lambda x, y: ufunc(x, y).astype(np.result_type(x, y)), (None, None),
        rf"\left[{{}} {latex} {{}}\right]", "definition", inputs=(REAL, REAL),
        kink="jumps where x = y; the derivative is 0 elsewhere, and is given as 0 there", holomorphic=False,
        range=(0.0, 1.0), code=texts.comparison(name, "==" if sign == "=" else sign),
    )  # fmt: skip


SMOOTH = (
    ElementwiseFunction(
        "exp", "sum over n of x**n/n!", np.exp, (lambda x, y: y,),
        r"\exp\left({}\right)", "DLMF 4.7(ii)", exact={0: 1},
        range=(0.0, math.inf),
        code="{np}.exp({0})",
    ),
    ElementwiseFunction(
        "log", "integral of 1/t from 1 to x", np.log, (lambda x, y: x**-1,),
        r"\log\left({}\right)", "DLMF 4.7(i)",
        domain="x > 0; complex x off the negative real axis", inputs=(POSITIVE,), exact={1: 0},
        code="{np}.log({0})",
    ),
    ElementwiseFunction(
        "log1p", "log(1 + x)", np.log1p, (lambda x, y: (1 + x) ** -1,),
        r"\operatorname{{log1p}}\left({}\right)", "DLMF 4.7(i)",
        domain="x > -1; complex 1 + x off the negative real axis", inputs=(UNIT,), exact={0: 0},
        code="{np}.log1p({0})",
    ),
    ElementwiseFunction(
        "expm1", "exp(x) - 1", np.expm1, (lambda x, y: apply("exp", x),),
        r"\operatorname{{expm1}}\left({}\right)", "DLMF 4.7(ii)", exact={0: 0},
        code="{np}.expm1({0})",
    ),
    ElementwiseFunction(
        "sin", "(exp(i*x) - exp(-i*x))/(2*i)", np.sin, (lambda x, y: apply("cos", x),),
        r"\sin\left({}\right)", "DLMF 4.20", exact={0: 0},
        range=(-1.0, 1.0),
        code="{np}.sin({0})",
    ),
    ElementwiseFunction(
        "cos", "(exp(i*x) + exp(-i*x))/2", np.cos, (lambda x, y: -apply("sin", x),),
        r"\cos\left({}\right)", "DLMF 4.20", exact={0: 1},
        range=(-1.0, 1.0),
        code="{np}.cos({0})",
    ),
    ElementwiseFunction(
        "tan", "sin(x)/cos(x)", np.tan, (lambda x, y: 1 + y**2,),
        r"\tan\left({}\right)", "DLMF 4.20", domain="cos(x) != 0", inputs=(UNIT,), exact={0: 0},
        code="{np}.tan({0})",
    ),
    ElementwiseFunction(
        "asin", "the y in [-pi/2, pi/2] with sin(y) = x", np.arcsin, (lambda x, y: (1 - x**2) ** -HALF,),
        r"\arcsin\left({}\right)", "DLMF 4.24(ii)",
        domain="-1 < x < 1; complex x off the rest of the real axis", inputs=(UNIT,), exact={0: 0},
        code="{np}.arcsin({0})",
    ),
    ElementwiseFunction(
        "acos", "the y in [0, pi] with cos(y) = x", np.arccos, (lambda x, y: -((1 - x**2) ** -HALF),),
        r"\arccos\left({}\right)", "DLMF 4.24(ii)",
        domain="-1 < x < 1; complex x off the rest of the real axis", inputs=(UNIT,), exact={1: 0},
        range=(0.0, math.pi),
        code="{np}.arccos({0})",
    ),
    ElementwiseFunction(
        "atan", "the y in (-pi/2, pi/2) with tan(y) = x", np.arctan, (lambda x, y: (1 + x**2) ** -1,),
        r"\arctan\left({}\right)", "DLMF 4.24(ii)",
        domain="all real numbers; complex x off the imaginary axis beyond i and -i", exact={0: 0},
        code="{np}.arctan({0})",
    ),
    ElementwiseFunction(
        "sinh", "(exp(x) - exp(-x))/2", np.sinh, (lambda x, y: apply("cosh", x),),
        r"\sinh\left({}\right)", "DLMF 4.34", exact={0: 0},
        code="{np}.sinh({0})",
    ),
    ElementwiseFunction(
        "cosh", "(exp(x) + exp(-x))/2", np.cosh, (lambda x, y: apply("sinh", x),),
        r"\cosh\left({}\right)", "DLMF 4.34", exact={0: 1},
        range=(1.0, math.inf),
        code="{np}.cosh({0})",
    ),
    ElementwiseFunction(
        "tanh", "sinh(x)/cosh(x)", np.tanh, (lambda x, y: 1 - y**2,),
        r"\tanh\left({}\right)", "DLMF 4.34", exact={0: 0},
        range=(-1.0, 1.0),
        code="{np}.tanh({0})",
    ),
    ElementwiseFunction(
        "sigmoid", "1/(1 + exp(-x))", _sigmoid, (lambda x, y: y * (1 - y),),
        r"\sigma\left({}\right)", "C. Bishop, Pattern Recognition and Machine Learning, equation (4.88)",
        domain="all real numbers; complex x with |Im x| < pi",
        range=(0.0, 1.0),
        code=texts.SIGMOID,
    ),
    ElementwiseFunction(
        "softplus", "log(1 + exp(x))", _softplus, (lambda x, y: apply("sigmoid", x),),
        r"\operatorname{{softplus}}\left({}\right)", "definition, by the chain rule",
        domain="all real numbers; complex x with |Im x| < pi",
        range=(0.0, math.inf),
        code=texts.SOFTPLUS,
    ),
    ElementwiseFunction(
        "power", "exp(y*log(x))", np.power,
        (lambda x, y, z: y * apply("power", x, y - 1), lambda x, y, z: apply("log", x) * z),
        r"\left({}\right)^{{{}}}", "DLMF 4.7(ii)",
        domain="x > 0; complex x off the negative real axis", inputs=(POSITIVE, REAL),
        code=texts.POWER,
    ),
)  # fmt: skip

SPECIAL = (
    ElementwiseFunction(
        "gelu", "x*Phi(x), Phi the normal distribution function", _gelu, (_gelu_rule,),
        r"\operatorname{{gelu}}\left({}\right)", "D. Hendrycks, K. Gimpel, arXiv:1606.08415, by the product rule",
        holomorphic=False, exact={0: 0},
        code=texts.GELU,
    ),
    ElementwiseFunction(
        "erf", "2/sqrt(pi) * integral of exp(-t**2) from 0 to x", special.erf, (_erf_rule,),
        r"\operatorname{{erf}}\left({}\right)", "DLMF 7.10.1", holomorphic=False, exact={0: 0},
        range=(-1.0, 1.0),
        code={"numpy": "scipy.special.erf({0})", "jax": "jax.scipy.special.erf({0})",
              "torch": "torch.special.erf({0})"},
    ),
    ElementwiseFunction(
        "gammaln", "log|Gamma(x)|", special.gammaln, (lambda x, y: apply("digamma", x),),
        r"\log\left|\Gamma\left({}\right)\right|", "DLMF 5.2.2 (Abramowitz-Stegun 6.3.1)",
        domain="all real numbers but 0, -1, -2, ...", inputs=(POSITIVE,), holomorphic=False, exact={1: 0, 2: 0},
        code=texts.GAMMALN,
    ),
    ElementwiseFunction(
        "digamma", "d/dx log Gamma(x)", special.digamma, (lambda x, y: apply("polygamma", x, params=(1,)),),
        r"\psi\left({}\right)", "DLMF 5.15 (Abramowitz-Stegun 6.4.1)",
        domain="all real numbers but 0, -1, -2, ...", inputs=(POSITIVE,), holomorphic=False,
        code=texts.DIGAMMA,
    ),
    ElementwiseFunction(
        "polygamma", "the k-th derivative of digamma", lambda x, k: special.polygamma(k, x), (_polygamma_rule,),
        r"\psi^{{({k})}}\left({}\right)", "DLMF 5.15 (Abramowitz-Stegun 6.4.1)",
        domain="all real numbers but 0, -1, -2, ...; k = 0, 1, 2, ...", inputs=(POSITIVE,), params=("k",),
        holomorphic=False,
        code=texts.POLYGAMMA,
    ),
)  # fmt: skip

PIECEWISE = (
    ElementwiseFunction(
        "relu", "x where x > 0, 0 elsewhere", lambda x: np.maximum(x, 0), (lambda x, y: apply("step", x),),
        r"\operatorname{{relu}}\left({}\right)", "definition", inputs=(NONZERO,),
        kink="the derivative at 0 is given as 0", holomorphic=False, exact={-1: 0, 0: 0, 1: 1},
        range=(0.0, math.inf),
        code={"numpy": "np.maximum({0}, 0)", "jax": "jax.nn.relu({0})", "torch": "torch.relu({0})"},
    ),
    ElementwiseFunction(
        "step", "1 where x > 0, 0 elsewhere", lambda x: (x > 0).astype(x.dtype), (None,),
        r"\operatorname{{step}}\left({}\right)", "definition", inputs=(NONZERO,),
        kink="jumps at 0; the derivative is 0 elsewhere, and is given as 0 there", holomorphic=False,
        exact={-1: 0, 0: 0, 1: 1},
        range=(0.0, 1.0),
        code=texts.STEP,
    ),
    ElementwiseFunction(
        "abs", "x where x > 0, -x elsewhere", np.abs, (lambda x, y: apply("sign", x),),
        r"\left|{}\right|", "definition", inputs=(NONZERO,),
        kink="the derivative at 0 is given as 0", holomorphic=False, exact={-1: 1, 0: 0, 1: 1},
        range=(0.0, math.inf),
        code=texts.ABS,
    ),
    ElementwiseFunction(
        "sign", "1 where x > 0, -1 where x < 0, 0 at 0", np.sign, (None,),
        r"\operatorname{{sign}}\left({}\right)", "definition", inputs=(NONZERO,),
        kink="jumps at 0; the derivative is 0 elsewhere, and is given as 0 there", holomorphic=False,
        exact={-1: -1, 0: 0, 1: 1},
        range=(-1.0, 1.0),
        code="{np}.sign({0})",
    ),
    ElementwiseFunction(
        "maximum", "x where x > y, y elsewhere", np.maximum, _ahead("greater", "greater_equal"),
        r"\max\left({}, {}\right)", "definition", inputs=(REAL, REAL),
        kink="where x = y each argument gets the derivative 1/2", holomorphic=False,
        code="{np}.maximum({0}, {1})",
    ),
    ElementwiseFunction(
        "minimum", "x where x < y, y elsewhere", np.minimum, _ahead("less", "less_equal"),
        r"\min\left({}, {}\right)", "definition", inputs=(REAL, REAL),
        kink="where x = y each argument gets the derivative 1/2", holomorphic=False,
        code="{np}.minimum({0}, {1})",
    ),
    ElementwiseFunction(
        "where", "x where c != 0, y where c = 0", lambda c, x, y: np.where(c != 0, x, y),
        (
            None,
            lambda c, x, y, z: apply("not_equal", c, _value(constant_number(0), c)),
            lambda c, x, y, z: apply("equal", c, _value(constant_number(0), c)),
        ),
        r"\begin{{cases}} {1} & {0} \neq 0 \\ {2} & \text{{otherwise}} \end{{cases}}", "definition",
        inputs=(REAL, REAL, REAL),
        kink="jumps where c becomes 0; the derivative by c is 0 elsewhere, and is given as 0 there", holomorphic=False,
        code="{np}.where({0} != 0, {1}, {2})",
    ),
)  # fmt: skip

COMPARISONS = (
    _comparison("less", "<", "<", np.less),
    _comparison("less_equal", "<=", r"\leq", np.less_equal),
    _comparison("greater", ">", ">", np.greater),
    _comparison("greater_equal", ">=", r"\geq", np.greater_equal),
    _comparison("equal", "=", "=", np.equal),
    _comparison("not_equal", "!=", r"\neq", np.not_equal),
)

ELEMENTWISE.update({row.name: row for row in SMOOTH + SPECIAL + PIECEWISE + COMPARISONS})
