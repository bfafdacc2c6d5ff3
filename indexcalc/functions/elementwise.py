"""The functions of the entries: their rows of the table, and the partial derivatives that a row's rules mean.

The square root is the power 1/2, and a power with a constant exponent is a factor of a product: they have no rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from indexcalc.functions import special
from indexcalc.functions.code import shared
from indexcalc.functions.code.numpy import over, sigmoid, softplus
from indexcalc.functions.entry import Entry, apply
from indexcalc.functions.table import (
    AHEAD,
    AT_ZERO,
    CHOSEN,
    COMPARED,
    ELEMENTWISE,
    NONZERO,
    POSITIVE,
    REAL,
    UNIT,
    ElementwiseFunction,
    elementwise_row,
    ends_at,
    spread,
)
from indexcalc.graph.constructors import constant, constant_number, elementwise, is_zero
from indexcalc.graph.node import Elementwise, Node
from indexcalc.graph.numbers import Number
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


def logistics(x: Any, wanted: Sequence[str]) -> list[Any]:
    """What is wanted of softplus(x), sigmoid(x), and sigmoid(-x), the "complement", for real x, by one exponential.

    >>> logistics(np.array([0.0]), ("sigmoid", "complement"))
    [array([0.5]), array([0.5])]
    """
    e, made = over(np.exp, -np.abs(x)), {}
    if "softplus" in wanted:
        made["softplus"] = np.log1p(e)
        made["softplus"] += np.maximum(x, 0)
    large = over(np.reciprocal, 1 + e)
    small = e * large
    large = np.copysign(large, x)
    if "sigmoid" in wanted:
        made["sigmoid"] = np.maximum(small, large)
    if "complement" in wanted:
        made["complement"] = np.maximum(small, over(np.negative, large))
    return [made[name] for name in wanted]


def sigmoid_slope(x: Any) -> Any:
    """The derivative of the sigmoid, `e/(1 + e)**2` with `e = exp(-|x|)`, for real x.

    >>> sigmoid_slope(np.array([0.0]))
    array([0.25])
    """
    e = over(np.exp, -np.abs(x))
    return e / np.square(1 + e)


def root_slope(x: Any) -> Any:
    """The root of the derivative of the sigmoid, `h/(1 + h**2)` with `h = exp(-|x|/2)`, for real x.

    >>> root_slope(np.array([0.0]))
    array([0.5])
    """
    h = over(np.exp, np.abs(x) * -0.5)
    return h / (1 + h * h)


def _gelu(x: Any) -> Any:
    """`x*Phi(x)`, without cancellation in the left tail."""
    return x * special.erfc(-x / math.sqrt(2)) / 2


def _relu(x: Any, out: Any = None) -> Any:
    """The larger of x and 0; `out` may be x itself."""
    return np.maximum(x, 0, out=out)


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
    zero = _value(constant_number(0), own)
    return apply("not_equal" if is_zero(other.node) else "equal", own, zero).node, labels


# ------------------------------------------------------------------ rows


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
        "sigmoid", "1/(1 + exp(-x))", sigmoid, (lambda x, y: y * (1 - y),),
        r"\sigma\left({}\right)", "C. Bishop, Pattern Recognition and Machine Learning, equation (4.88)",
        domain="all real numbers; complex x with |Im x| < pi",
        range=(0.0, 1.0),
        code={"jax": "jax.nn.sigmoid({0})"},
        zero=False, monotone=True, calm=True, together=logistics, total=True, workspace=4.0, oracle="jax.nn.sigmoid(x)",
    ),
    ElementwiseFunction(
        "softplus", "log(1 + exp(x))", softplus, (lambda x, y: apply("sigmoid", x),),
        r"\operatorname{{softplus}}\left({}\right)", "definition, by the chain rule",
        domain="all real numbers; complex x with |Im x| < pi",
        range=(0.0, math.inf),
        code={"jax": "jnp.logaddexp({0}, 0.0)"},
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

SPECIAL = (
    ElementwiseFunction(
        "gelu", "x*Phi(x), Phi the normal distribution function", _gelu, (_gelu_rule,),
        r"\operatorname{{gelu}}\left({}\right)", "D. Hendrycks, K. Gimpel, arXiv:1606.08415, by the product rule",
        holomorphic=False, exact={0: 0},
        unmet="it is smooth", positive=True, total=True, workspace=1.0, oracle="jax.nn.gelu(x, approximate=False)",
    ),
    ElementwiseFunction(
        "erf", "2/sqrt(pi) * integral of exp(-t**2) from 0 to x", special.erf, (_erf_rule,),
        r"\operatorname{{erf}}\left({}\right)", "DLMF 7.10.1", holomorphic=False, exact={0: 0},
        range=(-1.0, 1.0),
        code={"numpy": "scipy.special.erf({0})", "jax": "jax.scipy.special.erf({0})",
              "torch": "torch.special.erf({0})"},
        unmet="it is smooth", monotone=True, calm=True, python="erf", positive=True, total=True,
        oracle="jax.scipy.special.erf(x)",
    ),
    ElementwiseFunction(
        "gammaln", "log|Gamma(x)|", special.gammaln, (lambda x, y: apply("digamma", x),),
        r"\log\Gamma\left({}\right)", "DLMF 5.2.2 (Abramowitz-Stegun 6.3.1)",
        domain="all real numbers but 0, -1, -2, ...", inputs=(POSITIVE,), holomorphic=False, exact={1: 0, 2: 0},
        code={"numpy": "scipy.special.gammaln({0})"},
        branching=ends_at(0),
        calm=True, oracle="jax.scipy.special.gammaln(x)",
    ),
    ElementwiseFunction(
        "digamma", "d/dx log Gamma(x)", special.digamma, (lambda x, y: apply("polygamma", x, params=(1,)),),
        r"\psi\left({}\right)", "DLMF 5.15 (Abramowitz-Stegun 6.4.1)",
        domain="all real numbers but 0, -1, -2, ...", inputs=(POSITIVE,), holomorphic=False,
        code={"numpy": "scipy.special.digamma({0})"},
        branching=ends_at(0),
        calm=True, oracle="jax.scipy.special.digamma(x)",
    ),
    ElementwiseFunction(
        "polygamma", "the k-th derivative of digamma", lambda x, k: special.polygamma(k, x), (_polygamma_rule,),
        r"\psi^{{({k})}}\left({}\right)", "DLMF 5.15 (Abramowitz-Stegun 6.4.1)",
        domain="all real numbers but 0, -1, -2, ...; k = 0, 1, 2, ...", inputs=(POSITIVE,), params=("k",),
        admits=lambda k: isinstance(k, int) and k >= 0, holomorphic=False,
        unmet="it is derived of digamma, whose argument it has",
        calm=True, workspace=2.0, oracle="jax.scipy.special.polygamma(k, x)",
    ),
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
            lambda c, x, y, z: apply("not_equal", c, _value(constant_number(0), c)),
            lambda c, x, y, z: apply("equal", c, _value(constant_number(0), c)),
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

ELEMENTWISE.update({row.name: row for row in SMOOTH + SPECIAL + PIECEWISE + COMPARISONS})
