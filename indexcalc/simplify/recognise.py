"""Familiar functions, recognised where they are spelled out: softmax, sigmoid, softplus, logsumexp, logdet.

Each is exact algebra for real and complex numbers, and each replaces a form that overflows by one that does not.
"""

from __future__ import annotations

from collections.abc import Sequence

from indexcalc.functions.entries.choosing import chooser_of
from indexcalc.functions.table import elementwise_row
from indexcalc.graph.constructors import ONE, einsum, elementwise, is_zero, reduction
from indexcalc.graph.edge import scaled
from indexcalc.graph.node import Elementwise, Labels, Node, Product, Reduction, Sum, Variable
from indexcalc.graph.numbers import Number, add
from indexcalc.simplify.intervals import is_positive
from indexcalc.simplify.selection import is_condition

Factors = dict[tuple[Node, Labels], Number]


def _argument(node: Node, fn: str) -> Node | None:
    """The argument of a function that is applied to a whole array, axis by axis."""
    if type(node) is Elementwise and node.fn == fn and node.args[0].labels == tuple(range(node.order)):
        return node.args[0].node
    return None


def one_plus_exp(node: Node) -> Node | None:
    """`z`, if this is `1 + exp(z)`."""
    if type(node) is not Sum or len(node.terms) != 2 or any(term.coef != 1 for term in node.terms):
        return None
    for one, other in (node.terms, node.terms[::-1]):
        if one.node is ONE and other.labels == tuple(range(node.order)):
            return _argument(other.node, "exp")
    return None


def sum_of_exp(node: Node) -> tuple[Node, tuple[int, ...]] | None:
    """`z` and the axes that are summed, if this is `sum exp(z)` along some axes, in the order of the others."""
    if type(node) is not Product or node.coef != 1 or len(node.factors) != 1 or node.bound == 0:
        return None
    inner, labels, exponent = node.factors[0]
    z = _argument(inner, "exp")
    if z is None or exponent != 1 or len(set(labels)) < len(labels) or len(node.sizes) != len(labels):
        return None
    kept = tuple(label for label in labels if label in node.out)
    if kept != node.out:
        return None
    return z, tuple(axis for axis, label in enumerate(labels) if label not in node.out)


def recognise_kinks(factors: Factors) -> None:
    """`relu(z)*step(z)` is `relu(z)`, `[z > 0]**2` is `[z > 0]`, `sign(z)*abs(z)` is `z`: see `_signed`."""
    for (node, labels), exponent in list(factors.items()):
        selects = is_condition(node) or chooser_of(node) is not None
        if exponent != 1 and selects and not isinstance(exponent, complex) and exponent > 0:
            factors[node, labels] = exponent = 1
        if not isinstance(node, Elementwise) or (node, labels) not in factors:
            continue
        if node.fn in ("abs", "sign"):
            _signed(factors, node, labels)
        elif node.fn == "step" and exponent == 1:
            times = factors.get((elementwise("relu", node.args, node.dims), labels), 0)
            if isinstance(times, int) and times > 0:
                _change(factors, (node, labels), -1)


def _signed(factors: Factors, node: Elementwise, labels: Labels) -> None:
    """Powers of `sign(z)`, `abs(z)` and z as one power of z, or one and the sign: `abs(z)` is `sign(z)*z`.

    So `sign(z)*abs(z)` is `z`, `sign(z)/abs(z)` is `1/z`, `abs(z)**2` is `z**2`, `z*sign(z)` is `abs(z)`, and
    `abs(z)/z` is `sign(z)`. A power of the sign alone stays: it is 0 at 0.
    """
    fns = {fn: elementwise(fn, node.args, node.dims) for fn in ("sign", "abs")}
    keys = [(fns["sign"], labels), (fns["abs"], labels), (node.args[0].node, labels)]
    sign, size, plain = (factors.get(key, 0) for key in keys)
    if not (isinstance(sign, int) and isinstance(size, int) and isinstance(plain, int)) or sign < 0:
        return
    if sum(map(bool, (sign, size, plain))) < 2 and abs(size) < 2:
        return
    power = size + plain
    odd = (sign + size) % 2
    way = (power > 0) - (power < 0)
    for key, old, new in zip(keys, (sign, size, plain), (odd * (not power), odd * way, power - odd * way), strict=True):
        _change(factors, key, new - old)


def is_inverse(node: Node) -> bool:
    """Is it a matrix that times its argument is the unit matrix, or a multiple of that?

    >>> from indexcalc.graph.constructors import variable
    >>> is_inverse(reduction("cofactor", variable("X", (3, 3)), (0, 1), True))
    True
    """
    return isinstance(node, Reduction) and node.fn in ("inv", "cofactor")


def size_of_unit(node: Reduction) -> Node | None:
    """What an inverse times its argument is beside the unit matrix: the determinant for cofactors, None for 1.

    >>> from indexcalc.graph.constructors import variable
    >>> size_of_unit(reduction("cofactor", variable("X", (3, 3)), (0, 1), True)).name
    'det'
    """
    return reduction("det", node.child, node.axes, False) if node.fn == "cofactor" else None


def recognise_cofactor(factors: Factors) -> None:
    """`det(X) * inv(X)` is the transposed `cofactor(X)`, which is there where X is singular; and back over `det(X)`.

    >>> from indexcalc.graph.constructors import variable
    >>> X = variable("X", (3, 3))
    >>> inverse, det = reduction("inv", X, (0, 1), True), reduction("det", X, (0, 1), False)
    >>> factors = {(inverse, (0, 1)): 1, (det, ()): 2}
    >>> recognise_cofactor(factors)
    >>> [(node.fn, labels, exponent) for (node, labels), exponent in factors.items()]
    [('det', (), 1), ('cofactor', (1, 0), 1)]
    """
    for (node, labels), exponent in list(factors.items()):
        if not isinstance(node, Reduction) or not is_inverse(node) or exponent != 1:
            continue
        a, b = node.axes
        turn = [b if axis == a else a if axis == b else axis for axis in range(node.order)]
        det = reduction("det", node.child, node.axes, False), tuple(labels[x] for x in turn if x not in node.axes)
        times = factors.get(det, 0)
        if isinstance(times, int) and (times > 0 if node.fn == "inv" else times < 0):
            other = reduction("cofactor" if node.fn == "inv" else "inv", node.child, node.axes, True)
            _change(factors, det, -1 if times > 0 else 1)
            _change(factors, (node, labels), -1)
            _change(factors, (other, tuple(labels[x] for x in turn)), 1)


def recognise_softmax(factors: Factors) -> None:
    """`exp(z) / sum(exp(z))` is `softmax(z)`."""
    for (node, labels), exponent in list(factors.items()):
        if not isinstance(exponent, int) or exponent >= 0 or (node, labels) not in factors:
            continue
        found = sum_of_exp(node)
        if found is None:
            continue
        z, axes = found
        for (other, places), times in list(factors.items()):
            if _argument(other, "exp") is not z or not isinstance(times, int) or times <= 0:
                continue
            if tuple(place for axis, place in enumerate(places) if axis not in axes) != labels:
                continue
            count = min(times, -exponent)
            _change(factors, (other, places), -count)
            _change(factors, (node, labels), count)
            _change(factors, (reduction("softmax", z, axes, True), places), count)
            break


LOGISTIC = (
    ((1, 0, 0, -1, 0), (0, 1, 0, 0, 0)),
    ((-1, 0, 0, 0, -1), (0, 0, 1, 0, 0)),
    ((0, 0, 0, -1, 0), (0, 0, 1, 0, 0)),
    ((0, 0, 0, 0, -1), (0, 1, 0, 0, 0)),
    ((0, 1, 0, 1, 0), (1, 0, 0, 0, 0)),
    ((0, 0, 1, 1, 0), (0, 0, 0, 0, 0)),
    ((0, 1, 0, 0, 1), (0, 0, 0, 0, 0)),
    ((0, 0, 1, 0, 1), (-1, 0, 0, 0, 0)),
    ((0, 1, -1, 0, 0), (1, 0, 0, 0, 0)),
    ((0, -1, 1, 0, 0), (-1, 0, 0, 0, 0)),
)
"""What becomes what, as exponents of exp(z), sigmoid(z), sigmoid(-z), 1 + exp(z) and 1 + exp(-z).

So `exp(z)/(1 + exp(z))` is `sigmoid(z)`, `1/(1 + exp(z))` is `sigmoid(-z)`, `sigmoid(z)*(1 + exp(z))` is `exp(z)` (DLMF
4.2.19). No exponential alone is taken into a sigmoid: `exp(z)*exp(w)` is one."""


def recognise_sigmoid(factors: Factors) -> None:
    """Powers of `exp(z)`, of 1 added to it and of sigmoids as few of these: see `LOGISTIC`."""
    sums = {(z, labels): (node, labels) for node, labels in factors if (z := one_plus_exp(node)) is not None}
    sigmoids = [(z, labels) for node, labels in factors if (z := _argument(node, "sigmoid")) is not None]
    met: set[tuple[Node, Labels]] = set()
    for z, labels in (*sums, *sigmoids):
        turned = scaled(-1, z)
        if (z, labels) in met or (turned, labels) in met:
            continue
        met.add((z, labels))
        named = [[(fn, one) for one in (z, turned)] for fn in ("exp", "sigmoid")]
        keys: list[tuple[Node, Labels] | None] = [
            (elementwise(fn, [(one, tuple(range(one.order)))], one.dims), labels) for row in named for fn, one in row
        ]
        _logistic(factors, [*keys, sums.get((z, labels)), sums.get((turned, labels))])


def _logistic(factors: Factors, keys: Sequence[tuple[Node, Labels] | None]) -> None:
    """The factors exp(z), exp(-z), sigmoid(z), sigmoid(-z), 1 + exp(z), 1 + exp(-z), fewer of them: see `LOGISTIC`."""
    old = [times if key and isinstance(times := factors.get(key, 0), int) else 0 for key in keys]
    new = [old[0] - old[1], *old[2:]]
    for taken, made in LOGISTIC:
        count = min(have * want for have, want in zip(new, taken, strict=True) if want)
        if count > 0:
            new = [have + count * (more - want) for have, want, more in zip(new, taken, made, strict=True)]
    if new != [old[0] - old[1], *old[2:]]:
        for key, before, after in zip(keys, old, (max(new[0], 0), max(-new[0], 0), *new[1:]), strict=True):
            if key and after != before:
                _change(factors, key, after - before)


def _change(factors: Factors, key: tuple[Node, Labels], exponent: Number) -> None:
    total = add(factors.get(key, 0), exponent)
    if total == 0:
        factors.pop(key, None)
    else:
        factors[key] = total


def recognise_log(node: Elementwise) -> Node | None:
    """`log(1 + exp(z))`, `log(sum(exp(z)))`, `log(softmax(z))`, `log(exp(z))` by their own names."""
    child, labels = node.args[0]
    z = one_plus_exp(child)
    if z is not None:
        return elementwise("softplus", [(z, labels)], z.dims)
    summed = sum_of_exp(child)
    if summed is not None:
        return reduction("logsumexp", summed[0], summed[1], False)
    if type(child) is Reduction and child.fn == "softmax":
        return reduction("log_softmax", child.child, child.axes, True)
    return recognise_log_determinant(node) or _argument(child, "exp")


def recognise_log1p(node: Elementwise) -> Node | None:
    """`log1p(exp(z))` is `softplus(z)`.

    >>> from indexcalc.graph.constructors import variable
    >>> recognise_log1p(elementwise("log1p", [(elementwise("exp", [(variable("z", ()), ())], ()), ())], ())).name
    'softplus'
    """
    child, labels = node.args[0]
    z = _argument(child, "exp")
    return None if z is None else elementwise("softplus", [(z, labels)], z.dims)


def is_positive_definite(node: Node, axes: Labels) -> bool:
    """Is this known to be a positive definite matrix along these axes?"""
    known = isinstance(node, Variable) and "positive_definite" in node.assumptions
    return known and set(axes) == {node.order - 2, node.order - 1}


def recognise_log_determinant(node: Elementwise) -> Node | None:
    """`log(abs(det(X)))`, and `log(det(X))` for a positive definite X, is `logdet(X)`."""
    child, labels = node.args[0]
    size = isinstance(child, Elementwise) and child.fn == "abs"
    if isinstance(child, Elementwise) and size and child.args[0].labels == labels:
        child = child.args[0].node
    if not isinstance(child, Reduction) or child.fn != "det":
        return None
    if size or is_positive_definite(child.child, child.axes):
        return reduction("logdet", child.child, child.axes, False)
    return None


def recognise_exp(node: Elementwise) -> Node | None:
    """`exp(log(z))` is `z`, `exp(log_softmax(z))` is `softmax(z)`."""
    child, _ = node.args[0]
    if type(child) is Reduction and child.fn == "log_softmax":
        return reduction("softmax", child.child, child.axes, True)
    return _argument(child, "log")


def recognise_others(node: Reduction) -> Node | None:
    """The products of all entries but one are `prod(z)/z` where all are positive.

    >>> from indexcalc.graph.constructors import variable
    >>> z = variable("z", (3,), ["positive"])
    >>> [factor.exponent for factor in recognise_others(reduction("prod_except", z, (0,), True)).factors]
    [1, -1]
    """
    if node.fn != "prod_except" or not is_positive(node.child):
        return None
    whole = tuple(range(node.order))
    kept = [axis for axis in whole if axis not in node.axes]
    everything = reduction("prod", node.child, node.axes, False)
    return einsum(1, [(everything, kept, 1), (node.child, whole, -1)], whole)


def recognise_abs(node: Elementwise) -> Node | None:
    """`abs(z)` is `z` where it is positive."""
    child, _ = node.args[0]
    return child if is_positive(child) else None


def recognise_sign(node: Elementwise) -> Node | None:
    """`sign(z)` is 1 where it is positive."""
    if not is_positive(node.args[0].node):
        return None
    return einsum(1, (), range(node.order), dict(enumerate(node.dims)))


INVERSES = {"logit": "sigmoid", "sigmoid": "logit", "sinh": "asinh", "cosh": "acosh", "tanh": "atanh"}
"""Functions that undo another one, at every argument that this has (DLMF 4.37)."""


def recognise_inverse(node: Elementwise) -> Node | None:
    """`logit(sigmoid(z))`, `sigmoid(logit(z))`, `sinh(asinh(z))`, `cosh(acosh(z))`, `tanh(atanh(z))` are `z`.

    >>> from indexcalc.graph.constructors import variable
    >>> recognise_inverse(elementwise("tanh", [(elementwise("atanh", [(variable("z", ()), ())], ()), ())], ())).name
    'z'
    """
    child, _ = node.args[0]
    return _argument(child, INVERSES[node.fn])


COMPARED = ("equal", "not_equal")
"""The comparisons that ask whether a condition holds."""


def recognise_comparison(fn: str, args: Sequence[tuple[Node, Labels]]) -> tuple[Node, Labels] | None:
    """`[c != 0]` is `c`, and `[c = 0]` its opposite, for a condition c.

    >>> from indexcalc.graph.constructors import variable, zeros
    >>> positive = elementwise("greater", [(variable("z", ()), ()), (zeros(()), ())], ())
    >>> recognise_comparison("equal", [(positive, ()), (zeros(()), ())])[0].name
    'less_equal'
    """
    for (condition, labels), (zero, _) in (args, args[::-1]):
        if is_zero(zero) and is_condition(condition):
            if fn == "not_equal":
                return condition, labels
            if isinstance(condition, Elementwise) and (other := elementwise_row(condition.fn).opposite):
                return elementwise(other, condition.args, condition.dims), labels
    return None


def recognise_choice(args: Sequence[tuple[Node, Labels]]) -> list[tuple[Node, Labels]]:
    """The arguments of a choice, `c` for the condition `c != 0`; for `c = 0` the other two change places.

    >>> from indexcalc.graph.constructors import ONE, variable, zeros
    >>> c = elementwise("equal", [(variable("c", ()), ()), (zeros(()), ())], ())
    >>> [node.name for node, _ in recognise_choice([(c, ()), (variable("x", ()), ()), (variable("y", ()), ())])]
    ['c', 'y', 'x']
    """
    (condition, labels), one, other = args
    if not isinstance(condition, Elementwise) or condition.fn not in COMPARED:
        return list(args)
    for decides, zero in (condition.args, condition.args[::-1]):
        if is_zero(zero.node):
            chosen = (one, other) if elementwise_row(condition.fn).python == "!=" else (other, one)
            return [(decides.node, tuple(labels[x] for x in decides.labels)), *chosen]
    return list(args)


RECOGNISE = {
    "log": recognise_log,
    "log1p": recognise_log1p,
    "exp": recognise_exp,
    "abs": recognise_abs,
    "sign": recognise_sign,
    **dict.fromkeys(INVERSES, recognise_inverse),
}
