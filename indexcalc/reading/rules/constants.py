"""Known tensors by the names that text has for them, and the words that stand as functions in text alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from indexcalc.calculus.structure import bands
from indexcalc.index import dim
from indexcalc.views import declare
from indexcalc.views.affine.convolutions import affine_delta
from indexcalc.views.array import Array
from indexcalc.views.functions import constants
from indexcalc.views.select import selection

INDEXED: dict[str, Callable[..., Any]] = {
    "δ": declare.delta, "delta": declare.delta, "ε": declare.epsilon, "epsilon": declare.epsilon,
    "eps": declare.epsilon, "ones": declare.ones, "zeros": declare.zeros,
}  # fmt: skip
"""Known tensors by their indices."""
CONSTANTS: dict[str, Callable[..., Array]] = {
    "eye": declare.eye, "ones": declare.ones, "zeros": declare.zeros, "unit": constants.unit,
    "commutation": constants.commutation, "duplication": constants.duplication, "selection": selection,
    "arange": constants.arange, "integers": constants.integers, "quantile_weights": constants.quantile_weights,
    "elimination": constants.elimination, "voigt": constants.voigt, "affine_delta": affine_delta,
    "bands": lambda kind, *shape: Array(bands(kind, *map(dim, shape[1:])), frozenset()),
}  # fmt: skip
"""Known tensors by their dimensions and parameters, which are given as text."""
MADE = {*CONSTANTS, "delta", "δ", "epsilon", "ε", "group", "einsum"}
"""What a call makes here, and no function of the table does."""
