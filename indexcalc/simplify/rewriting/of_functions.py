"""Rewrites of a function of entries, of one argument: each `apply(work, node)` gives a node, an edge, or None."""

from __future__ import annotations

from collections.abc import Callable

from indexcalc.graph.node import Elementwise, Node
from indexcalc.simplify.powers.logarithms import open_logarithm
from indexcalc.simplify.recognise import (
    RECOGNISE,
    recognise_abs,
    recognise_exp,
    recognise_inverse,
    recognise_log,
    recognise_log1p,
    recognise_others,
    recognise_sign,
)
from indexcalc.simplify.rewriting.rewrite import Rewrite

DLMF = "NIST Digital Library of Mathematical Functions, "


def _row(
    name: str, formula: str, apply: Callable[[Elementwise], Node | None], source: str, example: tuple[str, str],
    condition: str = "", counter: tuple[str, str] = ("", ""),
) -> Rewrite:  # fmt: skip
    """The row of what `RECOGNISE` has for one or more functions."""
    heads = tuple(fn for fn, found in RECOGNISE.items() if found is apply)
    return Rewrite(
        name, formula, lambda work, node: apply(node), source, example, condition, counter, heads=heads
    )  # fmt: skip


ROWS = (
    _row(
        "logarithms with names", "log(1 + exp(t)) = softplus(t), log Σ exp(z) = logsumexp(z), log|det(X)| = logdet(X)",
        recognise_log, "definitions", ("log(1 + exp(a))", "softplus(a)"),
    ),
    _row(
        "softplus spelled out", "log1p(exp(t)) = softplus(t)", recognise_log1p, "definition of softplus",
        ("log1p(exp(a))", "softplus(a)"),
    ),
    _row(
        "exponentials of logarithms", "exp(log(t)) = t", recognise_exp, DLMF + "4.2.4", ("exp(log(a))", "a"),
    ),
    _row(
        "size of what is positive", "|p| = p", recognise_abs, "definition of abs", ("abs(p)", "p"),
        "p is positive", ("abs(a)", "a"),
    ),
    _row(
        "sign of what is positive", "sign(p) = 1", recognise_sign, "definition of sign", ("sign(p)", "1"),
        "p is positive", ("sign(a)", "1"),
    ),
    _row(
        "functions that undo each other", "tanh(atanh(t)) = t", recognise_inverse, DLMF + "4.37",
        ("tanh(atanh(a))", "a"),
    ),
    Rewrite(
        "a logarithm of a product", "log(p exp(t)) = log(p) + t", open_logarithm, DLMF + "4.8.1",
        ("log(p*exp(a))", "log(p) + a"), "p is positive", ("log(a*b)", "log(a) + log(b)"),
        heads=tuple(fn for fn, found in RECOGNISE.items() if found is recognise_log),
    ),
)  # fmt: skip
"""All, in their order."""

FUNCTIONS = {fn: tuple(row for row in ROWS if fn in row.heads) for fn in RECOGNISE}
"""Those of each function."""

OTHERS = (
    Rewrite(
        "products of all but one", "Π_(j≠i) p_j = Π_j p_j / p_i", lambda work, node: recognise_others(node),
        "definition", ("prod_except(u)", "prod(u)/u"),
        "all are positive", ("prod_except(x)", "abs(prod(x)/x)"),
    ),
)  # fmt: skip
"""Of functions along axes that keep these."""
