"""The inverse of a Kronecker sum of a square root: what the derivative of the root is, between vecs.

The rewrite: `derived_root`. R = X^(1/2) has `R dR + dR R = dX`, so with column-major vecs the derivative is
`inv(kron(eye(n), R) + kron(R.T, eye(n)))` (N. Higham, Functions of Matrices, chapter 6).
"""

from __future__ import annotations

from indexcalc.functions.table import MATRICES
from indexcalc.graph.constructors import delta, einsum, matrix, regroup
from indexcalc.graph.edge import Edge
from indexcalc.graph.node import Matrix, Node, Reduction, Regroup, Sum
from indexcalc.simplify.normaliser import Normaliser

COLUMNS = (((1, 0), (3, 2)), ((0, 1), (2, 3)))
"""How the axes of a derivative, of the value and then of the argument, are joined: column-major, then row-major."""


def derived_root(work: Normaliser, node: Reduction) -> Edge | None:
    """The derivative of a root that an inverse is; None where it is none.

    >>> import indexcalc as ic
    >>> A = ic.tensor("A", "n n")
    >>> D = ic.derivative(ic.sqrtm(A), A).layout("magnus-neudecker")
    >>> D, ic.parse(str(D), A=A) == D
    (inv(kron(eye(n), sqrtm(A)) + kron(sqrtm(A).T, eye(n))), True)
    """
    child = node.child
    if not isinstance(child, Sum) or len(child.terms) != 2 or child.order != 2:
        return None
    root = next((found for term in child.terms if (found := _root_in(term.node)) is not None), None)
    if root is None:
        return None
    for joined in COLUMNS:
        wanted = _kronecker_sum(work, root, joined)
        if wanted.node is child and wanted.coef == 1:
            derived = matrix(root.fn, root.children, root.dims * 2, root.params, 1)
            made = regroup(derived, [(k,) for k in range(4)], joined, derived.dims)
            edge = work.edge(made)
            return edge if wanted.axes == (0, 1) else edge._replace(axes=tuple(1 - axis for axis in edge.axes))
    return None


def _root_in(node: Node) -> Matrix | None:
    """The square root whose axes are joined with those of a unit matrix here."""
    if not isinstance(node, Regroup):
        return None
    found = [inner for inner in (node.child, *node.child.children) if isinstance(inner, Matrix)]
    return found[0] if found and MATRICES[found[0].fn].squares and not found[0].times and found[0].order == 2 else None


def _kronecker_sum(work: Normaliser, root: Matrix, joined: tuple[tuple[int, ...], ...]) -> Edge:
    """`R_ac δ_bd + δ_ac R_db`, its axes a, b, c, d joined so."""
    n = root.dims[0]
    terms = []
    for factors in ([(root, "ac"), (delta(n), "bd")], [(delta(n), "ac"), (root, "db")]):
        product = einsum(1, factors, "abcd")
        made = regroup(product, [(k,) for k in range(4)], joined, product.dims)
        assert isinstance(made, Regroup)
        terms.append(work.regrouped(made, work.edge(product)))
    return work.total(terms, (n * n, n * n))
