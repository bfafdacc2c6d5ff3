"""Rewrites of the collected terms of a sum, in their order: each `apply(work, terms, dims)` gives these or others."""

from __future__ import annotations

from indexcalc.simplify.identities.entrywise import complete_entries
from indexcalc.simplify.powers.logarithms import join_logarithms
from indexcalc.simplify.powers.norms import join_squares
from indexcalc.simplify.powers.quotients import over_one_power
from indexcalc.simplify.products.distribute import expand_to_cancel
from indexcalc.simplify.products.tiled import join_moved
from indexcalc.simplify.rewriting.rewrite import Rewrite
from indexcalc.simplify.traits import LOGARITHM, OVER_SUM, PAIRED, SQUARED

DLMF = "NIST Digital Library of Mathematical Functions, "

SUMS = (
    Rewrite(
        "functions that complete each other", "sin(t)^2 + cos(t)^2 = 1, and the other rows of sums of entries",
        lambda work, terms, dims: complete_entries(work, terms),
        DLMF + "4.21.12", ("a*sin(b)**2 + a*cos(b)**2", "a"), needs=PAIRED,
    ),
    Rewrite(
        "logarithms of products", "log(p/q) - log(p) = -log(q)",
        lambda work, terms, dims: join_logarithms(work, terms),
        DLMF + "4.8.1", ("log(p/q) - log(p)", "-log(q)"),
        "p and q are positive", ("log(a/b)", "log(a) - log(b)"), needs=LOGARITHM,
    ),
    Rewrite(
        "squares of norms", "|x|^2 - x·x = 0", lambda work, terms, dims: join_squares(work, terms),
        "definition of the Euclidean norm", ("norm2(x - y)**2 - (x - y) @ (x - y)", "0"), needs=SQUARED,
    ),
    Rewrite(
        "parts of one array", "[x[:k], x[k:]] = x",
        lambda work, terms, dims: join_moved(work, terms),
        "definition of a slice", ("concatenate([x[:2], x[2:]])", "x"),
    ),
    Rewrite(
        "terms that cancel once multiplied out", "a (b + c) - a b = a c", expand_to_cancel,
        "distributive law", ("a*(b + s) - a*b", "a*s"),
    ),
    Rewrite(
        "over one power", "1/(1 + t) - t/(1 + t)^2 = 1/(1 + t)^2",
        lambda work, terms, dims: over_one_power(work, terms, list(dims)),
        "field axioms", ("1/(1 + a) - a/(1 + a)**2", "1/(a + 1)**2"), needs=OVER_SUM,
    ),
)  # fmt: skip
