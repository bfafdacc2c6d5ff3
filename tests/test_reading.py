"""The parts of the reader, each called alone: names, subscripts, binders, arithmetic, calls, definitions, the walk."""

from __future__ import annotations

import re
from typing import Any

import pytest

import indexcalc as ic
from indexcalc.errors import ParseError
from indexcalc.reading.reader import RULES, value_of, walk
from indexcalc.reading.rules.arithmetic import read_number, read_product
from indexcalc.reading.rules.binders import read_array, read_braces
from indexcalc.reading.rules.calls import read_call
from indexcalc.reading.rules.names import Reading, Scope
from indexcalc.reading.rules.statements import read_definition, sized
from indexcalc.reading.rules.subscripts import entries, indexed, read_indexed
from indexcalc.reading.tokens.grammar import GRAMMAR
from indexcalc.reading.tokens.passes import parse_tree

i, j = ic.indices("i j")
x, W = ic.tensor("x", "n"), ic.tensor("W", "n m")
u = ic.function("u", "n -> m")
PLAIN = Scope(frozenset())


def reading_of(text: str, batch: str = "", **sizes: Any) -> tuple[Reading, Any]:
    """A reading of a text, and the tree of its first statement."""
    reading = Reading(text, {"x": x, "W": W, "u": u}, frozenset(batch), sizes)
    return reading, parse_tree(text, reading.words).children[0]


def asked(steps: Any) -> Any:
    """The first part that a rule asks for, and its scope."""
    return next(steps)


def answered(steps: Any, *values: Any) -> Any:
    """What a rule returns when the parts that it asks for have these values."""
    next(steps)
    for value in values[:-1]:
        steps.send(value)
    with pytest.raises(StopIteration) as done:
        steps.send(values[-1])
    return done.value.value


def test_a_name_means_what_is_declared_with_the_subscripts_written_into_it():
    reading, _ = reading_of("W")
    assert reading.resolve("W_ij") == (W, "ij")
    assert reading.resolve("n")[0].order == 0
    assert reading.abstract("Du") == (u, (1,))
    assert reading.is_function("exp") and reading.is_function("eye") and not reading.is_function("x")
    with pytest.raises(ParseError, match="column 1: 'q' is not declared"):
        reading.resolve(reading_of("q")[1].children[0])


def test_subscripts():
    reading, tree = reading_of("W[i,j]")
    assert indexed(reading, tree, W, ["i", "j"], PLAIN) == W[i, j]
    assert entries(reading, tree, W, ["0", "j"], PLAIN) == W[0, :][j]
    assert answered(read_indexed(reading, tree, PLAIN), W) == W[i, j]
    assert indexed(reading, tree, W, ["i+1", "j"], PLAIN) == W[1:][i, j]
    with pytest.raises(ParseError, match=r"'i/2' is no name"):
        indexed(reading, tree, W, ["i/2", "j"], PLAIN)


def test_braces_keep_their_names_and_arrays_name_their_axes():
    reading, tree = reading_of("{i: x[i]*x[i]}")
    assert asked(read_braces(reading, tree, PLAIN))[1] == Scope(frozenset("i"), direct=True)
    squares = answered(read_braces(reading, tree, PLAIN), ic.hadamard(x[i], x[i]))
    assert squares == x[i] ** 2
    assert answered(read_array(reading, tree), x[i]).shape == x.shape


def test_arithmetic_asks_for_its_operands_from_left_to_right():
    reading, tree = reading_of("x[i]*W[i,j]/2")
    product = answered(read_product(reading, tree, PLAIN), x[i], W[i, j], ic.parse("2"))
    assert product == x[i] * W[i, j] / 2
    assert str(read_number(*reading_of("1e-3"), PLAIN)) == "0.001"
    with pytest.raises(ParseError, match="column 1: a number of 500 digits"):
        read_number(*reading_of("1" * 500), PLAIN)


def test_calls():
    reading, tree = reading_of("exp(x[i])")
    assert answered(read_call(reading, tree, PLAIN), x[i]) == ic.exp(x[i])
    reading, tree = reading_of("u(x)")
    assert answered(read_call(reading, tree, PLAIN), x) == u(x)
    reading, tree = reading_of("exp()")
    with pytest.raises(ParseError, match=r"exp\(\) has no argument"):
        next(read_call(reading, tree, PLAIN))


def test_a_definition_gives_its_name_a_meaning():
    reading, tree = reading_of("y_j = x[i]*W[i,j]")
    answered(read_definition(reading, tree, PLAIN), x[i] * W[i, j])
    assert reading.known["y"] == x @ W
    told, _ = reading_of("ones[k]", k=3)
    assert sized(told, ic.ones(ic.index("k"))).shape == (3,)


def test_the_walk_says_where_arithmetic_failed():
    reading, tree = reading_of("x[i] + x")
    with pytest.raises(ParseError, match="column 8: x: it has 1 axis and no indices"):
        walk(reading, tree, PLAIN)


def test_each_part_of_the_grammar_has_a_rule():
    """But for those that a rule reads itself: the arguments of calls, lists of names, subscripts."""
    parts = set(re.findall(r"-> (\w+)", GRAMMAR))
    assert parts - {"keyword", "within"} == set(RULES)


def test_a_dialect_is_a_table_of_rules():
    """Here a prime is no transpose: it marks a name of its own."""

    def read_marked(reading: Reading, tree: Any, scope: Scope) -> Any:
        return reading.known[f"{tree.children[0].children[0]}_prime"]

    reading, _ = reading_of("x'[i]*W[i,j]")
    reading.known["x_prime"] = ic.tensor("x_prime", "n")
    assert str(value_of(reading, {**RULES, "primed": read_marked})) == "x_prime[i]*W[i,j]"
