"""Rows of special functions of entries, and of functions that are right where their formulas lose all digits."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from indexcalc.functions import special
from indexcalc.functions.code.numpy import entr, xlogy
from indexcalc.functions.entry import Entry, apply, scalar_entry
from indexcalc.functions.table import POSITIVE, REAL, Branching, Decider, ElementwiseFunction, ends_at
from indexcalc.graph.constructors import constant, constant_number
from indexcalc.graph.numbers import Number

HALF = Fraction(1, 2)


def _gelu(x: Any) -> Any:
    """`x*Phi(x)`, without cancellation in the left tail."""
    return x * special.erfc(-x / math.sqrt(2)) / 2


def _erf_rule(x: Entry, y: Entry) -> Entry:
    return 2 * scalar_entry(constant("pi"), x) ** -HALF * apply("exp", -(x**2))


def _log_ndtr_rule(x: Entry, y: Entry) -> Entry:
    """The density over the distribution function, by the logarithms of both: neither underflows in the left tail."""
    return (2 * scalar_entry(constant("pi"), x)) ** -HALF * apply("exp", -HALF * x**2 - y)


def _gelu_rule(x: Entry, y: Entry) -> Entry:
    cumulative = HALF + HALF * apply("erf", x * scalar_entry(constant_number(2), x) ** -HALF)
    density = (2 * scalar_entry(constant("pi"), x)) ** -HALF * apply("exp", -HALF * x**2)
    return cumulative + x * density


def _polygamma_rule(x: Entry, y: Entry, *, params: tuple[Number, ...]) -> Entry:
    (k,) = params
    return apply("polygamma", x, params=(k + 1,))


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
        "erfc", "1 - erf(x)", special.erfc, (lambda x, y: -_erf_rule(x, y),),
        r"\operatorname{{erfc}}\left({}\right)", "DLMF 7.2.2, 7.10.1", holomorphic=False, exact={0: 1},
        range=(0.0, 2.0),
        code={"numpy": "scipy.special.erfc({0})", "jax": "jax.scipy.special.erfc({0})",
              "torch": "torch.special.erfc({0})"},
        unmet="it is smooth", zero=False, calm=True, python="erfc", positive=True, total=True,
        oracle="jax.scipy.special.erfc(x)",
    ),
    ElementwiseFunction(
        "log_ndtr", "log(Phi(x)), Phi the normal distribution function", special.log_ndtr, (_log_ndtr_rule,),
        r"\log\Phi\left({}\right)", "DLMF 7.2.2, by the chain rule", holomorphic=False,
        range=(-math.inf, 0.0),
        code={"numpy": "scipy.special.log_ndtr({0})", "jax": "jax.scipy.special.log_ndtr({0})"},
        unmet="it is smooth", monotone=True, calm=True, oracle="jax.scipy.special.log_ndtr(x)",
    ),
    ElementwiseFunction(
        "logaddexp", "log(exp(x) + exp(y))", np.logaddexp,
        (lambda x, y, z: apply("sigmoid", x - y), lambda x, y, z: apply("sigmoid", y - x)),
        r"\operatorname{{logaddexp}}\left({}, {}\right)", "definition, by the chain rule", inputs=(REAL, REAL),
        holomorphic=False,
        code="{np}.logaddexp({0}, {1})",
        unmet="it is smooth", monotone=True, positive=True, commutative=True, total=True,
        oracle="jnp.log(jnp.exp(x) + jnp.exp(y))",
    ),
    ElementwiseFunction(
        "xlogy", "x*log(y), 0 where x = 0", xlogy, (lambda x, y, z: apply("log", y), lambda x, y, z: x / y),
        r"\operatorname{{xlogy}}\left({}, {}\right)", "definition, by the product rule",
        domain="y > 0, and x = 0 beside any y", inputs=(REAL, POSITIVE), holomorphic=False,
        code={"jax": "jax.scipy.special.xlogy({0}, {1})", "torch": "torch.xlogy({0}, {1})"},
        unmet="it is smooth", workspace=2.0, oracle="x * jnp.log(y)",
    ),
    ElementwiseFunction(
        "entr", "-x*log(x), 0 at 0", entr, (lambda x, y: -apply("log", x) - 1,),
        r"\operatorname{{entr}}\left({}\right)", "definition, by the product rule",
        domain="x > 0, and 0; -inf below", inputs=(POSITIVE,), holomorphic=False, exact={0: 0, 1: 0},
        code={"jax": "jax.scipy.special.entr({0})", "torch": "torch.special.entr({0})"},
        branching=ends_at(0),
        workspace=2.0, oracle="-x * jnp.log(x)",
    ),
    ElementwiseFunction(
        "atan2", "the angle t in [-pi, pi] with cos(t) : sin(t) = y : x", np.arctan2,
        (lambda x, y, z: y / (x**2 + y**2), lambda x, y, z: -x / (x**2 + y**2)),
        r"\operatorname{{atan2}}\left({}, {}\right)", "DLMF 4.23(iv), by the chain rule",
        domain="all real numbers, not both 0", inputs=(REAL, REAL), holomorphic=False,
        kink="jumps by 2*pi where x = 0 and y < 0; the derivatives are those of both sides, nan where both are 0",
        range=(-math.pi, math.pi),
        code="{np}.arctan2({0}, {1})",
        branching=Branching(Decider.FIRST), calm=True, positive=True, total=True, oracle="jnp.arctan2(x, y)",
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
