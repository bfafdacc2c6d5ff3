"""Rewrites of the collected powers of a product, in their order: each `apply(draft, factors, out)`.

A rewrite changes the powers and the draft that they came from, or gives the parts of the sum that the product is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from indexcalc.graph.edge import Draft
from indexcalc.simplify.identities.entrywise import join_entries
from indexcalc.simplify.products.contract import contract_epsilon, contract_units, distribute_sum, normalise_softmax
from indexcalc.simplify.recognise import (
    recognise_cofactor,
    recognise_kinks,
    recognise_sigmoid,
    recognise_softmax,
)
from indexcalc.simplify.rewriting.driver import Factors, Parts
from indexcalc.simplify.rewriting.rewrite import Rewrite

MAGNUS = "J. Magnus, H. Neudecker, Matrix Differential Calculus, "
DLMF = "NIST Digital Library of Mathematical Functions, "
RICCI = "D. Lovelock, H. Rund, Tensors, Differential Forms, and Variational Principles, chapter 4"


def _alone(apply: Callable[[Factors], None]) -> Callable[[Draft, Factors, Sequence[int]], None]:
    """A rewrite that looks at the powers alone."""
    return lambda draft, factors, out: apply(factors)


def _units(draft: Draft, factors: Factors, out: Sequence[int]) -> Parts | None:
    return None if contract_units(draft, factors, out) else []


RECOGNISED = (
    Rewrite(
        "softmax spelled out", "exp(z)_i / Σ_j exp(z)_j = softmax(z)_i", _alone(recognise_softmax),
        "definition of softmax", ("exp(z[i])/sum(exp(z[j]), j)", "softmax(z[i])"),
    ),
    Rewrite(
        "sigmoid spelled out", "exp(t)/(1 + exp(t)) = sigmoid(t)", _alone(recognise_sigmoid),
        DLMF + "4.2.19", ("exp(a)/(1 + exp(a))", "sigmoid(a)"),
    ),
    Rewrite(
        "sign and size", "abs(t) = sign(t) t, relu(t) step(t) = relu(t)", _alone(recognise_kinks),
        "definitions of abs, sign, step and relu", ("a*sign(a)", "abs(a)"),
    ),
    Rewrite(
        "cofactors", "det(X) inv(X) = cofactor(X)'", _alone(recognise_cofactor),
        MAGNUS + "section 1.11", ("det(A)*inv(A)", "cofactor(A).T"),
    ),
    Rewrite(
        "functions that meet", "sin(t)/cos(t) = tan(t), and the other rows of products of entries",
        _alone(join_entries), DLMF + "4.14, 4.28", ("sin(a)/cos(a)", "tan(a)"),
    ),
)  # fmt: skip
"""Those that need no labels."""

FACTORS = (
    Rewrite(
        "unit vectors", "e_p[i] e_p[i] = e_p[i], e_p[i] e_q[i] = 0", _units,
        MAGNUS + "section 1.2", ("unit(0, 3) @ unit(1, 3)", "0"),
    ),
    Rewrite(
        "epsilon", "ε_ijk ε_ilm = δ_jl δ_km - δ_jm δ_kl", contract_epsilon,
        RICCI, ("epsilon(i, j, k)*epsilon(i, j, l)*v[l]", "2*v[k]"),
    ),
    Rewrite(
        "terms with deltas", "Σ_i (δ_ik + u_i) v_i = v_k + Σ_i u_i v_i", distribute_sum,
        "distributive law", ("(δ[i,k] + x[i]*y[k])*y[i]", "x[i]*y[i]*y[k] + y[k]"),
        said="each delta renames a summed index",
    ),
    Rewrite(
        "entries that sum to 1", "Σ_i softmax(z)_i = 1", normalise_softmax,
        "definition of softmax", ("sum(softmax(z))", "1"),
    ),
    *RECOGNISED,
)  # fmt: skip
"""All, in their order."""
