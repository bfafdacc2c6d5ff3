"""The steps of simplification, each called alone: what it is given, what it gives back."""

from __future__ import annotations

import pytest

from indexcalc.functions.primary import pairs_of, primary
from indexcalc.functions.table import MATRICES
from indexcalc.graph.constructors import addition, constant, einsum, elementwise, matrix, reduction, regroup, variable
from indexcalc.graph.edge import Draft, Edge, is_symmetric_matrix, materialise
from indexcalc.graph.node import Node, Symmetry
from indexcalc.index import dim
from indexcalc.simplify.axes.regroup import normalise_regroup
from indexcalc.simplify.kinds import rule_elementwise, rule_reduction, rule_sum
from indexcalc.simplify.matrices.chains import take_apart
from indexcalc.simplify.matrices.commuting import close_derivative, commutes
from indexcalc.simplify.matrices.directions import contract_directions
from indexcalc.simplify.matrices.inverse import normalise_inverse
from indexcalc.simplify.matrices.matrix import rule_matrix
from indexcalc.simplify.passes import FlatPass, Pass, simplify
from indexcalc.simplify.products.cancel import cancel
from indexcalc.simplify.products.contract import contract_epsilon, contract_units, distribute_sum, normalise_softmax
from indexcalc.simplify.products.diagonals import open_diagonals
from indexcalc.simplify.products.distribute import distribute, expand_to_cancel, open_dimension
from indexcalc.simplify.products.gather import copies, rule_product, split_power
from indexcalc.simplify.products.normal_form import collect_powers, normalise_product, sum_to_dimension
from indexcalc.simplify.recognise import recognise_log_determinant
from indexcalc.simplify.sums import collect_terms, normalise_sum

n = dim("n")
A, B, X = (variable(name, (n, n)) for name in "ABX")
S = variable("S", (n, n), symmetry=Symmetry((((0, 1), 1),)))
x, y = variable("x", (n,)), variable("y", (n,))


class Bare:
    """The least that a rule can be given: nodes are taken to be in normal form."""

    flat = expanding = cut = False
    bound, depth, key, trace = 64, 0, None, None

    def __init__(self) -> None:
        self.absorbed: set[Node] = set()
        self.diagonals: dict[Node, Edge] = {}

    def child(self, node):
        return Edge(1, node, tuple(range(node.order)))

    edge = renormalise = child

    def uses(self, node):
        return 1

    def inlines(self, source, node, width):
        return True

    def finish(self, draft, out, dims):
        done = normalise_product(self, draft, out)
        assert isinstance(done, Edge)
        return done

    def total(self, terms, dims):
        return normalise_sum(collect_terms(list(terms)), dims)

    def regrouped(self, node, child):
        return normalise_regroup(self, node, child)


def draft(*factors, dims):
    """A draft with these factors, whose labels have these dimensions."""
    made = Draft()
    made.fresh(dims)
    made.factors = [(node, list(labels), exponent) for node, labels, exponent in factors]
    return made


# ------------------------------------------------------------------ products


@pytest.mark.parametrize("work", [Bare(), Pass(), FlatPass()], ids=["bare", "sharing", "flat"])
def test_a_product_opens_products(work):
    inner = einsum(2, [(A, "ik"), (B, "kj")], "ij")
    outer = einsum(3, [(inner, "ij"), (x, "j")], "i")
    coef, node, axes = rule_product(work, outer)
    assert coef == 6 and {f.node for f in node.factors} == {A, B, x} and axes == (0,)


def test_a_sum_opens_sums_and_collects():
    inner = addition([(1, x, (0,)), (1, y, (0,))], (n,))
    edge = rule_sum(Bare(), addition([(2, inner, (0,)), (-2, y, (0,))], (n,)))
    assert edge == Edge(2, x, (0,))


def test_a_power_of_a_product_is_split():
    node = einsum(1, [(x, "k"), (y, "j")], "j")
    factors = split_power(Bare(), draft(dims=[n]), node, [0], 2)
    assert sorted(factor[2] for factor in factors) == [2, 2]
    square = copies(Bare(), draft(dims=[n]), einsum(1, [(A, "ij")], "j"), [0], 2)
    assert [factor[0] for factor in square] == [A, A]
    assert copies(Bare(), draft(dims=[n]), A, [0, 0], 2) == [(A, [0, 0], 2)], "nothing is summed inside"


def test_what_cancels_is_taken_out():
    inverse = reduction("inv", A, (0, 1), True)
    product = draft((inverse, (0, 1), 1), (A, (1, 2), 1), (x, (2,), 1), dims=[n] * 3)
    cancel(product, [0])
    assert [factor[0] for factor in product.factors] == [x] and product.find(2) == product.find(0)


def test_a_product_of_sums_is_multiplied_out_within_its_bound():
    pair = addition([(1, x, (0,)), (1, y, (0,))], (n,))
    assert len(distribute(draft((pair, (0,), 3), dims=[n]))) == 2
    assert distribute(draft((pair, (0,), 3), dims=[n]), bound=7) is None
    assert distribute(draft((x, (0,), 1), dims=[n])) is None


def test_a_dimension_that_is_a_sum_is_opened():
    parts = open_dimension(draft((x, (0,), 1), dims=[n, n - 1]), [0])
    assert sorted(part.coef for part in parts) == [-1, 1]
    assert open_dimension(draft((x, (0,), 1), dims=[n]), [0]) is None


def test_terms_that_cancel_are_multiplied_out_and_others_are_not():
    pair = addition([(1, x, (0,)), (1, y, (0,))], (n,))
    product = einsum(1, [(pair, "i"), (x, "i")], "i")
    squared = einsum(1, [(x, "i", 2)], "i")
    terms = {(product, (0,)): 1, (squared, (0,)): -1}
    (left,) = expand_to_cancel(Bare(), terms, (n,))
    assert {f.node for f in left[0].factors} == {x, y}
    other = {(product, (0,)): 1, (y, (0,)): 1}
    assert expand_to_cancel(Bare(), other, (n,)) is other


def test_powers_are_collected_and_bare_labels_counted():
    product = draft((x, (0,), 2), (x, (0,), -2), (y, (0,), 1), dims=[n, 5])
    factors = collect_powers(product)
    assert factors == {(y, (0,)): 1}
    sum_to_dimension(product, factors, [0])
    assert product.coef == 5


def test_tensors_that_meet_are_contracted():
    first, second = (constant("unit", (3,), (k,)) for k in (0, 1))
    assert not contract_units(draft(dims=[3]), {(first, (0,)): 1, (second, (0,)): 1}, [0])
    epsilon = constant("epsilon", (3, 3, 3))
    parts = contract_epsilon(draft(dims=[3] * 5), {(epsilon, (0, 1, 2)): 1, (epsilon, (0, 3, 4)): 1}, [1, 2, 3, 4])
    assert [part.coef for part in parts] == [1, -1]
    softmax = {(reduction("softmax", x, (0,), True), (0,)): 1}
    normalise_softmax(draft(dims=[n]), softmax, [])
    assert not softmax
    delta = einsum(1, (), "ii", {"i": n})
    total = addition([(1, delta, (0, 1)), (1, A, (0, 1))], (n, n))
    assert len(distribute_sum(draft(dims=[n] * 2), {(total, (0, 1)): 1, (x, (1,)): 1}, [0])) == 2


def test_diagonals_go_into_functions():
    product = draft((elementwise("exp", [(A, (0, 1))], A.dims), (0, 0), 1), dims=[n])
    open_diagonals(FlatPass(), product)
    ((node, labels, _),) = product.factors
    assert node.order == 1 and node.fn == "exp" and labels == [0]


# ------------------------------------------------------------------ functions


def test_functions_know_exact_values_and_their_symmetry():
    zero = einsum(0, (), ())
    assert rule_elementwise(Bare(), elementwise("cos", [(zero, ())], ())) == Edge(1, einsum(1, (), ()), ())
    node = rule_elementwise(Bare(), elementwise("exp", [(S, (0, 1))], S.dims)).node
    assert is_symmetric_matrix(node)
    along = rule_reduction(Bare(), reduction("softmax", S, (0, 1), True)).node
    assert is_symmetric_matrix(along)


def test_joined_axes_that_are_split_again_are_as_they_were():
    vec = regroup(A, [(0,), (1,)], [(0, 1)], A.dims)
    back = regroup(vec, [(0, 1)], [(0,), (1,)], A.dims)
    assert normalise_regroup(Bare(), back, Bare().child(vec)) == Edge(1, A, (0, 1))


# ------------------------------------------------------------------ matrices


def test_a_product_is_taken_apart_into_square_matrices():
    chain = take_apart(Bare(), einsum(1, [(A, "ik"), (B, "kj"), (variable("s", ()), "")], "ij"), (0, 1))
    assert [link.node for link in chain.links] == [A, B] and len(chain.scalars) == 1
    assert take_apart(Bare(), einsum(1, [(A, "ij"), (B, "ij")], "ij"), (0, 1)) is None


def test_the_inverse_of_a_product_is_the_product_of_inverses():
    edge = normalise_inverse(Pass(), "inv", 2, simplify([einsum(1, [(A, "ik"), (B, "kj")], "ij")])[0], (0, 1))
    assert edge.coef * 2 == 1 and [f.node.fn for f in edge.node.factors] == ["inv", "inv"]


def test_the_logarithm_of_a_determinant_has_a_name():
    det = reduction("det", A, (0, 1), False)
    size = elementwise("abs", [(det, ())], ())
    assert recognise_log_determinant(elementwise("log", [(size, ())], ())).fn == "logdet"
    assert recognise_log_determinant(elementwise("log", [(det, ())], ())) is None, "it may be negative"


def test_functions_of_one_matrix_commute():
    work = Pass()
    assert commutes(work, primary("expm", X), X) and commutes(work, einsum(1, [(X, "ik"), (X, "kj")], "ij"), X)
    assert not commutes(work, A, X)


def test_the_derivative_along_what_commutes_is_closed():
    along = matrix("expm", [X, X], X.dims, (), 1)
    closed = close_derivative(Pass(), along)
    assert {f.node for f in closed.factors} == {X, primary("expm", X)}
    assert close_derivative(Pass(), matrix("expm", [X, A], X.dims, (), 1)) is None


def test_what_a_derivative_is_contracted_with_becomes_its_direction():
    derived = matrix("expm", [X], (*X.dims, *X.dims), (), 1)
    product = draft((derived, (0, 1, 2, 3), 1), (A, (2, 3), 1), dims=[n] * 4)
    contract_directions(Pass(), product, [0, 1])
    ((node, _, _),) = product.factors
    assert node.children == (X, A)


@pytest.mark.parametrize("fn", [name for name, row in MATRICES.items() if row.slope is not None])
def test_a_primary_function_of_a_symmetric_matrix_is_symmetric(fn):
    params = (2,) if fn == "matrix_power" else ()
    assert is_symmetric_matrix(primary(fn, S, params)) and not is_symmetric_matrix(primary(fn, A, params))
    assert pairs_of(matrix(fn, [S], (*S.dims, *S.dims), params, 1)) == [(1, 0), (2, 3)]


def test_a_derivative_of_a_turned_matrix_is_turned():
    edge = rule_matrix(Pass(), matrix("expm", [einsum(1, [(A, "ij")], "ji")], A.dims))
    assert edge.node.children == (A,) and edge.axes == (1, 0)
    assert materialise(edge, A.dims) is simplify([matrix("expm", [einsum(1, [(A, "ij")], "ji")], A.dims)])[0]


def test_terms_are_like_up_to_symmetry():
    assert collect_terms([Edge(1, S, (0, 1)), Edge(-1, S, (1, 0))]) == {}
    assert collect_terms([Edge(1, A, (0, 1)), Edge(-1, A, (1, 0))]) != {}
