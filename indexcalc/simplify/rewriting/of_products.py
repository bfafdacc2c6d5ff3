"""Rewrites of a product that is being gathered, in their order: each `apply(work, draft, out)`.

A rewrite changes the draft, or gives the parts of the sum that the product is (none where it is 0), or its edge.
"""

from __future__ import annotations

from indexcalc.graph.edge import Draft
from indexcalc.simplify.axes.grouped import open_groups
from indexcalc.simplify.axes.joined import expose_groups
from indexcalc.simplify.identities.gathered import identify
from indexcalc.simplify.matrices.commuting import order_commuting
from indexcalc.simplify.matrices.directions import contract_directions
from indexcalc.simplify.normaliser import Normaliser
from indexcalc.simplify.powers.exponents import join_exponents
from indexcalc.simplify.powers.norms import join_norms
from indexcalc.simplify.products.beside import open_beside, open_single
from indexcalc.simplify.products.cancel import cancel, cancel_shared, cancel_sums
from indexcalc.simplify.products.centred import drop_centred
from indexcalc.simplify.products.choosing import fold_listed, recognise_sorts
from indexcalc.simplify.products.diagonals import open_diagonals
from indexcalc.simplify.products.distribute import collect_composite, distribute, open_dimension
from indexcalc.simplify.products.relations import fold_entries
from indexcalc.simplify.rewriting.driver import Parts
from indexcalc.simplify.rewriting.rewrite import Rewrite
from indexcalc.simplify.traits import CHOOSES, NESTED_SUMS, NORM, OF_MATRIX, RAISED

MAGNUS = "J. Magnus, H. Neudecker, Matrix Differential Calculus, "
HIGHAM = "N. Higham, Functions of Matrices, "
IVERSON = "D. Knuth, Two Notes on Notation, American Mathematical Monthly 99 (1992)"


def _fold_entries(work: Normaliser, draft: Draft, out: list[int]) -> Parts | None:
    return None if fold_entries(draft, out) else []


def _order(work: Normaliser, draft: Draft, out: list[int]) -> None:
    draft.swaps = order_commuting(work, draft, out) if len(draft.factors) > 1 else []


def _expose_groups(work: Normaliser, draft: Draft, out: list[int]) -> Parts | None:
    return [draft] if work.flat and expose_groups(work, draft, out) else None


def _open_single(work: Normaliser, draft: Draft, out: list[int]) -> Parts | None:
    made = open_single(work, draft, out) if work.flat else None
    return None if made is None else [made]


ENTRIES = (
    Rewrite(
        "slices that meet", "x[1:][:-1] = x[1:-1], δ_(i+1)j δ_(j+1)k = δ_(i+2)k", _fold_entries,
        IVERSON, ("x[1:][:-1]", "x[1:-1]"),
    ),
    Rewrite(
        "a slice of parts", "[a, b][:n] = a", open_beside,
        IVERSON, ("concatenate([x, y])[n:]", "y"),
    ),
    Rewrite(
        "the one entry of an axis", "a·b = a[0] b[0], f(a)[0] = f(a[0]) where there is no other", _open_single,
        "a sum of one term is this term", ("exp(x[:1]) @ y[:1]", "y[:1] @ exp(x[:1])"),
    ),
)  # fmt: skip
"""Of entries that are taken: they come first."""

PRODUCTS = (
    Rewrite(
        "entries of a list", "[2, 0, 1][k] is known", lambda work, draft, out: fold_listed(draft, out),
        IVERSON, ("v[[2, 0, 1]][1:]", "v[[0, 1]]"), needs=CHOOSES,
    ),
    Rewrite(
        "entries in their order", "x[argsort(x)] = sort(x)", lambda work, draft, out: recognise_sorts(draft, out),
        "definition of argsort", ("take(x, argsort(x))", "sort(x)"), needs=CHOOSES,
    ),
    Rewrite(
        "identities of functions of matrices", "the rows of identities among factors, below", identify,
        HIGHAM + "chapter 1", ("cholesky(P) @ cholesky(P).T", "P"), needs=OF_MATRIX,
    ),
    Rewrite(
        "norms beside squares", "x·x |x|^k = |x|^(k+2)", join_norms,
        "definition of the Euclidean norm", ("(x @ x)/norm2(x)**5", "1/norm2(x)**3"), needs=NORM,
    ),
    Rewrite(
        "powers of one base", "s^a s^b = s^(a+b), exp(a) exp(b) = exp(a + b)",
        lambda work, draft, out: join_exponents(work, draft),
        "NIST Digital Library of Mathematical Functions, 4.2.22", ("exp(a)*exp(b)", "exp(a + b)"), needs=RAISED,
    ),
    Rewrite(
        "centred data", "Σ_b (X_bd - mean_d) = 0", drop_centred,
        "definition of the mean", ("sum((X - mean(X, axis=0)) @ diagm(x) - X, axis=0)", "-sum(X, axis=0)"),
        needs=NESTED_SUMS,
    ),
    Rewrite(
        "shared factors that cancel", "(p/q) (p/q)^-1 = 1", lambda work, draft, out: cancel_shared(draft),
        "field axioms", ("log(a*b/s)*s*(a*b/s)", "a*b*log(a*b/s)"),
    ),
    Rewrite(
        "a sum over itself", "Σ_j a_ij / Σ_k a_ik = 1", lambda work, draft, out: cancel_sums(draft, out),
        "field axioms", ("sum(sin(A)/sum(sin(A), axis=1, keepdims=True), axis=1)", "ones(n)"),
    ),
    Rewrite(
        "an inverse beside its argument", "A^-1 A = 1, Q' Q = 1 for orthogonal Q",
        lambda work, draft, out: cancel(draft, out),
        MAGNUS + "sections 1.7 and 1.8", ("inv(A) @ A @ x", "x"),
    ),
    Rewrite(
        "a diagonal goes inside", "f(X)_ii = f(X_ii)", lambda work, draft, out: open_diagonals(work, draft),
        "a function of entries is taken entry by entry", ("diag(outer(x, y) + eye(n))", "x*y + 1"),
    ),
    Rewrite(
        "the direction of a derivative", "Df(X)_ijkl E_kl = Df(X)[E]_ij", contract_directions,
        HIGHAM + "chapter 3", ("Dexpm(A)[i,j,k,l]*B[k,l]", "Dexpm(A, B)[i,j]"),
    ),
    Rewrite(
        "factors that commute", "f(A) A = A f(A)", _order,
        HIGHAM + "theorem 1.13", ("expm(A) @ A", "A @ expm(A)"),
    ),
    Rewrite(
        "joined axes opened", "kron(A, B) vec(X) = vec(B X A')",
        lambda work, draft, out: None if draft.swaps else open_groups(work, draft, out),
        MAGNUS + "theorem 2.2", ("kron(A, B) @ kron(x, y)", "kron(A @ x, B @ y)"),
    ),
    Rewrite(
        "joined axes as tensors", "J_(ij)k = 1 where i and j join to k", _expose_groups,
        MAGNUS + "section 2.4", ("kron(x, y) @ w", "w @ kron(x, y)"),
    ),
)  # fmt: skip
"""All others, in their order."""

EXPANSIONS = (
    Rewrite(
        "powers of one sum", "sqrt(s) sqrt(s) = s", lambda work, draft, out: collect_composite(draft),
        "field axioms", ("sqrt(2*a)*sqrt(2*a)*b", "2*a*b"),
    ),
    Rewrite(
        "multiply out", "a (b + c) = a b + a c", lambda work, draft, out: distribute(draft, work.bound),
        "distributive law", ("a*(b + s)", "a*b + a*s"),
    ),
    Rewrite(
        "multiply dimensions out", "(n - 1) a = n a - a", lambda work, draft, out: open_dimension(draft, out),
        "distributive law", ("(n - 1)*a", "n*a - a"),
    ),
)  # fmt: skip
"""Those of `.expand()`, after the others."""
