"""All rewrites, as the docs list them and the tests try them."""

from __future__ import annotations

from indexcalc.simplify.matrices.inverse import OPENED
from indexcalc.simplify.matrices.matrix import DERIVATIVES, VALUES
from indexcalc.simplify.products.gather import DELTA
from indexcalc.simplify.products.normal_form import POWERS
from indexcalc.simplify.rewriting.of_factors import FACTORS
from indexcalc.simplify.rewriting.of_functions import OTHERS, ROWS
from indexcalc.simplify.rewriting.of_products import ENTRIES, EXPANSIONS, PRODUCTS
from indexcalc.simplify.rewriting.of_sums import SUMS
from indexcalc.simplify.rewriting.rewrite import Rewrite
from indexcalc.simplify.sums import LIKE_TERMS

TABLES: dict[str, tuple[Rewrite, ...]] = {
    "products": (DELTA, *ENTRIES, *PRODUCTS, POWERS, *FACTORS),
    "expanded products": EXPANSIONS,
    "sums": (LIKE_TERMS, *SUMS),
    "functions of entries": (*ROWS, *OTHERS),
    "functions of matrices": tuple(dict.fromkeys((*VALUES, *DERIVATIVES))),
    "inverses and determinants": OPENED[1:],
}
"""The rewrites of each kind of node, in the order in which they are tried."""
