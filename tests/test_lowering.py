"""The parts of the planner, each alone: what is opened, leaves, single steps, orders of products, shared parts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from indexcalc.engine import cost
from indexcalc.engine.plan.collect import collect
from indexcalc.engine.plan.joined import Axis, HeldForm, Joining, axes_of, whole
from indexcalc.engine.plan.leaves import leaf
from indexcalc.engine.plan.lowering import Lowering, lowered
from indexcalc.engine.plan.orders.contract import Contraction, given_order
from indexcalc.engine.plan.orders.scheme import Piece
from indexcalc.engine.plan.peephole import peephole
from indexcalc.engine.plan.pool import StepPool
from indexcalc.engine.plan.products import Products, Ready
from indexcalc.engine.plan.steps import PlacedPiece, added, negative, pair, power, single, written
from indexcalc.engine.plan.terms import Choice, Opening, complement
from indexcalc.engine.program import Add, Contract, Input, Map, Use
from indexcalc.graph.constructors import addition, einsum, elementwise, variable
from indexcalc.graph.node import Node, Sum, topological
from indexcalc.graph.ranges import Range

NOTHING = Choice(frozenset(), frozenset())
A, B, x = variable("A", (9, 9)), variable("B", (9, 9)), variable("x", (9,))
SIZES = dict.fromkeys(range(4), 9)


def pool_of(*shapes: tuple[int, ...]) -> StepPool:
    """A pool in which value k is an input of the k-th shape."""
    pool = StepPool({}, {})
    for k, shape in enumerate(shapes):
        pool.add(Input(f"x{k}", shape), 0.0)
    return pool


def sum_of(*terms: Node) -> Sum:
    made = addition([(1, term, tuple(range(term.order))) for term in terms], terms[0].dims)
    assert isinstance(made, Sum)
    return made


# ------------------------------------------------------------------ what is opened


def product_of_a_sum() -> tuple[Sum, Node]:
    total = sum_of(A, B)
    return total, einsum(1, [(total, "ij"), (x, "j")], "i")


def test_a_sum_in_a_product_stays_a_value_unless_the_choice_opens_it() -> None:
    total, root = product_of_a_sum()
    order = topological([root])
    assert total in Opening(order, NOTHING, StepPool({}, {})).values([root])
    opening = Opening(order, Choice(frozenset(), frozenset([total])), StepPool({}, {}))
    assert total not in opening.values([root])
    assert [len(opening.summands(node)) for node in (total, root)] == [2, 2]


def test_one_less_a_sigmoid_is_a_sigmoid() -> None:
    sigmoid = elementwise("sigmoid", [(x, (0,))], (9,))
    one = einsum(1, [], "")
    less = addition([(1, one, ()), (-1, sigmoid, (0,))], (9,))
    assert isinstance(less, Sum)
    found = complement(less)
    assert found is not None
    assert found.kind == sigmoid.kind
    assert complement(sum_of(A, B)) is None


# ------------------------------------------------------------------ single steps


def test_one_operand_in_its_own_order_is_no_step() -> None:
    pool = pool_of((9, 9))
    assert single(pool, 1, Use(0, (0, 1)), (0, 1), SIZES) == 0
    turned = single(pool, 1, Use(0, (0, 1)), (1, 0), SIZES)
    assert pool.steps[turned] == Contract(1, (Use(0, (0, 1)),), (1, 0), (9, 9), {})
    assert single(pool, 1, Use(0, (5, 7)), (7, 5), {5: 9, 7: 9}) == turned, "labels have no names"


def test_minus_a_sum_that_is_there_is_no_step() -> None:
    pool = pool_of((9,), (9,))
    pieces = [Piece(0, (0,)), Piece(1, (0,))]
    rows = [[PlacedPiece(k, pieces[0], axes_of((0,))), PlacedPiece(-k, pieces[1], axes_of((0,)))] for k in (1, -1)]
    (less, _), (more, _) = (added(pool, row, (9,)) for row in rows)
    assert negative(pool, less) == more
    assert single(pool, -1, Use(less, (0,)), (0,), SIZES) == more


def test_a_square_is_not_negative() -> None:
    pool = pool_of((9,))
    assert pool.bounds[power(pool, 0, 2)] == (0.0, float("inf"))
    assert pool.bounds[power(pool, 0, 3)] != (0.0, float("inf"))
    assert pool.bounds[pair(pool, Piece(0, (0,)), Piece(0, (0,)), (0,), SIZES).value][0] == 0


def test_a_delta_of_all_terms_is_held_apart_until_it_is_written() -> None:
    pool = pool_of((9,), (9,))
    rows = [PlacedPiece(1, Piece(0, (0,)), axes_of((0, 0))), PlacedPiece(2, Piece(1, (1,)), axes_of((1, 1)))]
    value, form = added(pool, rows, (9, 9))
    assert pool.steps[value].shape == (9,)
    assert form == HeldForm((0,), (0, 0), (9,))
    assert not form.plain
    assert pool.steps[written(pool, value, form)].shape == (9, 9)


def test_labels_that_a_delta_joins_are_one() -> None:
    joining = Joining((9, 9, 9, 9), lambda size: size)
    assert joining.attach(HeldForm((0,), (0, 0), (9,)), (3, 1)) == [3]
    assert joining.axis(3) == joining.axis(1) == Axis(1)


def selecting(joining: Joining, *ranges: tuple[int, int, Range]) -> None:
    """A selection between two labels for each of these."""
    for short, long, found in ranges:
        joining.attach(HeldForm((), (0, 0), (found.size,), (None, found)), (short, long))  # type: ignore[arg-type]
    joining.settle()


def test_a_selection_puts_one_label_in_place_of_another() -> None:
    joining = Joining((8, 9), lambda size: size)
    selecting(joining, (0, 1, Range(1, 1, 8, 9)))
    assert joining.axis(1) == Axis(0, Range(1, 1, 8, 9))
    assert joining.sizes == {0: 8}


def test_selections_of_one_axis_share_the_entries_that_both_take() -> None:
    joining = Joining((8, 8, 9), lambda size: size)
    selecting(joining, (0, 2, Range(1, 1, 8, 9)), (1, 2, Range(0, 1, 8, 9)))
    one, other, whole = (joining.axis(k) for k in range(3))
    assert one.label == other.label == whole.label
    assert [axis.range.start for axis in (one, other, whole) if axis.range] == [0, 1, 1]
    assert joining.sizes == {one.label: 7}


def test_selections_that_share_nothing_make_a_term_zero() -> None:
    joining = Joining((2, 3, 9), lambda size: size)
    selecting(joining, (0, 2, Range(0, 1, 2, 9)), (1, 2, Range(5, 1, 3, 9)))
    assert joining.empty


def test_a_selection_along_its_own_diagonal_is_one_entry() -> None:
    joining = Joining((9,), lambda size: size)
    selecting(joining, (0, 0, Range(8, -1, 9, 9)))
    assert joining.axis(0).range == Range(4, 1, 1, 9)


def test_a_leaf_is_one_step_of_its_operands() -> None:
    pool = pool_of((9, 9), (9,))
    node = elementwise("maximum", [(A, (0, 1)), (x, (1,))], (9, 9))
    value, form = leaf(pool, node, [(0, whole((9, 9))), (1, whole((9,)))])
    assert form.whole
    assert pool.steps[value] == Map("maximum", (), (Use(0, (0, 1)), Use(1, (1,))), (0, 1), (9, 9))


# ------------------------------------------------------------------ products


def chain() -> Ready:
    """`A B x`."""
    return Ready(1, (Piece(0, (0, 1)), Piece(1, (1, 2)), Piece(2, (2,))), (0,), SIZES)


def test_a_product_is_made_in_the_cheapest_order() -> None:
    pool = pool_of((9, 9), (9, 9), (9,))
    made = Products(pool).contracted(chain(), 1)
    assert made.labels == (0,)
    assert [step.shape for step in pool.steps[3:]] == [(9,), (9,)]


def test_a_part_is_made_once() -> None:
    pool = pool_of((9, 9), (9, 9), (9,))
    products = Products(pool)
    products.contracted(chain(), 1)
    before = len(pool.steps)
    products.contracted(Ready(1, (Piece(1, (7, 5)), Piece(2, (5,))), (7,), {7: 9, 5: 9}), 1)
    assert len(pool.steps) == before


@pytest.mark.parametrize(("optimize", "tree"), [([(0, 1), (0, 1)], (2, (0, 1))), ([(1, 2), (0, 1)], (0, (1, 2)))])
def test_an_order_that_is_given_is_taken(optimize: Sequence[tuple[int, int]], tree: object) -> None:
    contraction = Contraction(list(chain().pieces), (0,), SIZES)
    assert given_order(contraction, optimize) == tree
    pool = pool_of((9, 9), (9, 9), (9,))
    assert Products(pool, optimize=optimize).order(contraction) == (0.0, tree)


def test_a_weighted_gram_matrix_is_made_from_the_root_of_its_weights() -> None:
    pool = pool_of((500, 90))
    weights = pool.add(Input("w", (500,)), 0.0, (0.0, float("inf")))
    pieces = [Piece(0, (0, 1)), Piece(weights, (0,)), Piece(0, (0, 2))]
    Products(pool).product(pieces, frozenset((1, 2)), {0: 500, 1: 90, 2: 90}, 1)
    assert any(isinstance(step, Map) and step.fn == "**" for step in pool.steps)
    without = pool_of((500, 90), (500,))
    Products(without, halve=False).product(pieces, frozenset((1, 2)), {0: 500, 1: 90, 2: 90}, 1)
    assert not any(isinstance(step, Map) for step in without.steps)


def test_a_part_that_terms_share_is_taken_out() -> None:
    """`X Y1 + X Y2` is `X (Y1 + Y2)`; as it is written, it is two products."""
    pool = pool_of((99, 99), (99, 99), (99, 99))
    sizes = dict.fromkeys(range(3), 99)
    terms = [Ready(1, (Piece(0, (0, 1)), Piece(k, (1, 2))), (0, 2), sizes) for k in (1, 2)]
    (found,) = collect(Products(pool), list(terms))
    assert found.pieces[0].value == 0
    assert isinstance(pool.steps[found.pieces[1].value], Add)
    assert collect(Products(pool, written=True), list(terms)) == terms


# ------------------------------------------------------------------ whole programs


def test_a_node_is_lowered_once() -> None:
    _, root = product_of_a_sum()
    pool = StepPool({}, {})
    lowering = Lowering(topological([root]), pool, NOTHING, Products(pool))
    lowering.lower([root])
    before = len(pool.steps)
    assert lowering.dense(root) == lowering.dense(root) < before == len(pool.steps)


def test_a_program_has_the_steps_that_its_results_need() -> None:
    _, root = product_of_a_sum()
    pool = StepPool({}, {})
    made = lowered([root], topological([root]), pool, NOTHING, Products(pool))
    pool.add(Input("y", (9,)), 0.0)
    program = peephole(pool, made.results)
    assert program.inputs == ("A", "B", "x")
    assert [type(step) for step in program.steps if not isinstance(step, Input)] == [Add, Contract]


def test_a_product_costs_its_call_its_work_and_what_it_moves() -> None:
    """What is moved is the operands and the result: no more than the labels of `out`."""
    sizes, work = {0: 300, 1: 400, 2: 500}, 300 * 400 * 500
    moved = 300 * 400 + 400 * 500 + 300 * 500
    expected = cost.CALL + 2 * work / cost.GEMM + moved / (8 * cost.MEMORY)
    assert cost.pair((0, 1), (1, 2), (0, 2), sizes) == pytest.approx(expected)
    assert cost.pair((0, 1), (1, 2), (2, 0), sizes) == pytest.approx(expected)
    vector = cost.CALL + 4 * 300 * 400 / cost.GEMM + (300 * 400 + 400 + 300) / (8 * cost.MEMORY)
    assert cost.pair((0, 1), (1,), (0,), sizes) == pytest.approx(vector)
    outer = cost.CALL + (300 + 400 + 300 * 400) / cost.MEMORY
    assert cost.pair((0,), (1,), (0, 1), sizes) == pytest.approx(outer)
    assert cost.pair((0,), (0,), (0,), sizes, True) == pytest.approx(cost.CALL / 2 + 900 / cost.MEMORY)
