"""The parts of the emitters, each alone: buffers and their lives, lines of NumPy by trade, and source by trade."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from indexcalc.engine.emit import numpy_code, source_code
from indexcalc.engine.emit.numpy import contractions, maps, matrices
from indexcalc.engine.emit.numpy.additions import write_sum
from indexcalc.engine.emit.numpy.buffers import Buffers
from indexcalc.engine.emit.numpy.function import Stored
from indexcalc.engine.emit.numpy.lines import NumpyLines
from indexcalc.engine.emit.patterns import AtOnce, at_once
from indexcalc.engine.emit.source import functions, pairwise, sums
from indexcalc.engine.emit.source.python_text import PythonText
from indexcalc.engine.emit.source.targets import TARGETS
from indexcalc.engine.emit.source.writer import SourceNames, Writer
from indexcalc.engine.program import (
    STEPS,
    Add,
    Contract,
    Input,
    Map,
    Part,
    Program,
    Reduce,
    Solve,
    Step,
    Use,
)

AB, BC, A, B = (0, 1), (1, 2), (0,), (1,)
NOTHING = AtOnce({}, {}, {}, {}, {}, {}, frozenset())


def product(n: int = 9) -> tuple[Step, ...]:
    """`x0[ab] x1[bc]`."""
    sizes = dict.fromkeys(range(3), n)
    return Input("x", (n, n)), Input("y", (n, n)), Contract(1, (Use(0, AB), Use(1, BC)), (0, 2), (n, n), sizes)


def written(*steps: Step, order: str | None = None) -> NumpyLines:
    """Lines of NumPy that have the inputs, at the last step, which is the result."""
    names = {step.name: step.name for step in steps if isinstance(step, Input)}
    lines = NumpyLines(Program(steps, (len(steps) - 1,)), names, float, order=order)
    for number in range(len(steps) - 1):
        lines.begin(number)
        numpy_code.write(lines)
        lines.end()
    lines.begin(len(steps) - 1)
    return lines


def source(*steps: Step, target: str = "numpy") -> Writer:
    """A writer that has the inputs."""
    names = {step.name: step.name for step in steps if isinstance(step, Input)}
    writer = Writer(Program(steps, (len(steps) - 1,)), TARGETS[target], names)
    for step in steps[:-1]:
        writer.end(source_code.WRITERS[type(step)](writer, step))
    return writer


def test_each_step_has_a_writer_in_both() -> None:
    assert set(numpy_code.WRITERS) == set(source_code.WRITERS) == set(STEPS)


# ------------------------------------------------------------------ buffers


def test_a_buffer_dies_where_it_is_read_for_the_last_time() -> None:
    n = 999
    maps_of = [Map("exp", (), (Use(k, A),), A, (n,)) for k in range(3)]
    buffers = Buffers(Program((Input("x", (n,)), *maps_of), (3,)), 8, [False] * 4, NOTHING)
    for number, name, owner in ((0, "x", None), (1, "v1", 1), (2, "v2", 2)):
        buffers.begin(number)
        buffers.keep(Stored(name, A, True, owner))
        dead = buffers.end()
    assert dead == ["v1"]
    assert buffers.peak == 2 * 8 * n
    buffers.begin(3)
    assert buffers.dying(Use(2, A))
    assert not buffers.dying(Use(0, A)), "an input is never written over"
    assert buffers.over(Use(2, A)) == "v2"
    buffers.keep(Stored("v3", A, True, 3))
    buffers.end()
    assert buffers.peak == 2 * 8 * n, "what is written over is not there twice"


def test_a_small_buffer_is_not_freed() -> None:
    steps = (Input("x", (2,)), *(Map("exp", (), (Use(k, A),), A, (2,)) for k in range(2)))
    buffers = Buffers(Program(steps, (2,)), 8, [False] * 3, NOTHING)
    for number in range(3):
        buffers.begin(number)
        buffers.keep(Stored(f"v{number}", A, True, number or None))
        assert buffers.end() == []


def test_a_product_with_a_reciprocal_is_made_at_once() -> None:
    power = Map("**", (-1,), (Use(1, A),), A, (9,))
    quotient = Contract(1, (Use(0, A), Use(2, A)), A, (9,), {0: 9})
    found = at_once(Program((Input("x", (9,)), Input("y", (9,)), power, quotient), (3,)), real=True)
    assert found.quotients == {3: 2}
    assert found.within == {3: [2]}
    assert found.skipped == {2}


# ------------------------------------------------------------------ lines of NumPy


def test_a_matrix_product_is_one_call_of_blas() -> None:
    lines = written(*product())
    contractions.contract(lines, lines.step)
    assert lines.lines == ["v2 = dot(x, y)"]
    assert lines.kernel == "dot"


def test_a_transpose_is_no_line() -> None:
    lines = written(Input("x", (9, 9)), Contract(1, (Use(0, AB),), (1, 0), (9, 9), {0: 9, 1: 9}))
    contractions.single(lines, lines.step)
    assert lines.lines == []
    assert lines.logical(1) == "x.T"


def test_an_order_is_wished_for_a_result_alone_where_nothing_reads_it() -> None:
    assert contractions.wished(written(*product()), 2, (0, 2)) is None
    assert contractions.wished(written(*product(), order="C"), 2, (0, 2)) == (0, 2)


def test_a_function_is_written_over_an_operand_that_dies() -> None:
    inner, outer = (Map(fn, (), (Use(k, A),), A, (9,)) for k, fn in enumerate(("exp", "sin")))
    lines = written(Input("x", (9,)), inner, outer)
    maps.map_entries(lines, lines.step)
    assert lines.lines == ["v1 = exp(x)", "v2 = sin(v1, out=v1)"]


def test_a_sum_is_added_into_one_buffer() -> None:
    parts = tuple(Part(coef, Use(k, A), A) for k, coef in enumerate((1, -1, Fraction(1, 2))))
    lines = written(Input("x", (9,)), Input("y", (9,)), Input("z", (9,)), Add(parts, (9,)))
    write_sum(lines, lines.step)
    assert lines.lines == ["v3 = subtract(x, y)", "add(v3, multiply(z, 0.5), out=v3)"]


def test_small_inverses_have_a_closed_form_where_there_are_many() -> None:
    for count, kernel in ((99, "small_inverses"), (3, "inv")):
        shape = (count, 2, 2)
        lines = written(Input("x", shape), Reduce("inv", (), (Use(0, (0, 1, 2)),), (1, 2), True, shape))
        matrices.reduce(lines, lines.step)
        assert lines.lines[-1].startswith(f"v1 = {kernel}(")


def test_a_name_that_lines_use_stays_one_thing() -> None:
    lines = written(Input("x", (9,)), Map("exp", (), (Use(0, A),), A, (9,)))
    one, other = np.ones(2), np.ones(2)
    assert [lines.bound("c", value) for value in (one, other, one)] == ["c", "c_", "c"]


# ------------------------------------------------------------------ source


def test_a_helper_stands_once_under_a_name_that_is_free() -> None:
    names = SourceNames("np", ["f"])
    text = "def f(x):\n    return {np}.sin(f(x))\n"
    assert names.helper(text) == names.helper(text) == "f_"
    assert names.helpers == {"f_": "def f_(x):\n    return np.sin(f_(x))"}
    assert [names.temporary(), names.temporary()] == ["t1", "t2"]


def test_a_long_expression_that_is_read_twice_gets_a_name() -> None:
    writer = Writer(Program((Input("x", (9,)), Input("y", (9,))), (0, 0, 1)), TARGETS["numpy"], {"x": "x", "y": "y"})
    writer.end(PythonText("np.sin(x)"))
    writer.end(PythonText("np.cos(x)"))
    assert writer.lines == ["t1 = np.sin(x)  # (9,)"]
    assert [text.code for text in writer.values] == ["t1", "np.cos(x)"]


def test_axes_are_put_in_order_and_made() -> None:
    writer, x = source(*product()), PythonText("x")
    assert writer.permuted(x, (1, 0)).code == "x.T"
    assert writer.permuted(PythonText("(a + b).T"), (1, 0)).code == "a + b"
    assert writer.aligned(x, A, AB).code == "x[:, None]"
    assert writer.aligned(x, B, AB).code == "x"
    assert writer.value(Use(0, (4, 4)))[0].code == "np.einsum('ii->i', x)"


def test_a_product_is_written_as_a_person_would() -> None:
    steps = product()
    assert pairwise.contract(source(*steps), steps[-1]).code == "x @ y"
    sizes = {0: 9, 1: 9}
    entries = Contract(2, (Use(0, AB), Use(1, AB)), AB, (9, 9), sizes)
    assert pairwise.contract(source(*steps[:2], entries), entries).code == "2 * (x * y)"
    inner = Contract(1, (Use(0, AB), Use(1, AB)), (), (), sizes)
    assert pairwise.contract(source(*steps[:2], inner), inner).code == "np.einsum('ij,ij->', x, y)"


def test_a_sum_is_written_by_broadcasting_and_on_diagonals() -> None:
    inputs = Input("x", (9, 9)), Input("y", (9,))
    plain = Add((Part(-1, Use(0, AB), AB), Part(1, Use(1, B), AB)), (9, 9))
    assert sums.add(source(*inputs, plain), plain).code == "y - x"
    diagonal = Add((Part(1, Use(0, AB), AB), Part(1, Use(1, A), (0, 0))), (9, 9))
    writer = source(*inputs, diagonal)
    assert sums.add(writer, diagonal).code == "t1"
    assert writer.lines[-1] == "np.einsum('ii->i', t1)[...] += y  # (9, 9)"


def test_functions_are_written_by_their_rows() -> None:
    step = Map("exp", (), (Use(0, A),), A, (9,))
    assert functions.map_entries(source(Input("x", (9,)), step, target="jax"), step).code == "jnp.exp(x)"
    writer = source(Input("x", (9,)), step)
    found = [functions.power(writer, PythonText("x"), k).code for k in (2, -1, Fraction(1, 2))]
    assert found == ["x**2", "1 / x", "np.sqrt(x)"]
    solve = Solve((Use(0, AB), Use(1, A)), B, (9,))
    assert functions.solve(source(*product()[:2], solve), solve).code == "np.linalg.solve(x, y)"
