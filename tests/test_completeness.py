"""Completeness: every table and every `match` over a closed set of classes has all of them, or says why one is missing.

The closed sets are the kinds of nodes, the steps of a program and the pieces of index text. The package is searched for
tables and matches, so that one that is not named here fails too: whoever adds a kind meets every place that it touches.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

import indexcalc
from indexcalc.engine.program import STEPS
from indexcalc.graph.node import KINDS
from indexcalc.writing.syntax import Piece

PACKAGE = Path(indexcalc.__file__).parent
CLOSED = {
    "kinds": {kind.__name__ for kind in KINDS},
    "steps": {step.__name__ for step in STEPS},
    "pieces": {piece.__name__ for piece in get_args(Piece)},
}

LEAF = "it has no children: its derivative is a delta or nothing, which is known before a rule is asked"
OPENED = "the planner opens it into terms, `plan/terms.py`"
NO_FUNCTION = "no function of blocks: `dask_arrays.py` makes it from the step itself"
EMPTY = "it has no children, and comes back before"
IS_SPELLED = "it has no name: it is spelled out, `arrange.py`"
TABLES: dict[str, dict[str, str]] = {
    "calculus.rules.RULES": {"Variable": LEAF, "Constant": LEAF},
    "drawing.pattern.PATTERNS": {},
    "drawing.scene.PARTS": {},
    "engine.compile.dask_arrays.STEPS": {},
    "engine.emit.numpy_code.WRITERS": {},
    "engine.emit.numpy.blockwise.FUNCTIONS": {
        "Input": NO_FUNCTION, "Known": NO_FUNCTION, "Fill": NO_FUNCTION, "Reshape": NO_FUNCTION,
        "Invoke": NO_FUNCTION,
    },
    "engine.emit.patterns.ROWS": dict.fromkeys(CLOSED["steps"] - {"Map", "Reduce", "Apply"}, "it calls no function"),
    "engine.emit.source_code.WRITERS": {},
    "engine.plan.leaves.LEAVES": {"Product": OPENED, "Sum": OPENED, "Definition": OPENED},
    "explaining.reasons.REASONS": {},
    "graph.fingerprint.ENTRIES": {},
    "graph.samples.EACH": {"Variable": EMPTY, "Constant": EMPTY},
    "interop.write_entries.ENTRIES": {},
    "simplify.intervals.VALUES": {},
    "simplify.kinds.NORMALISE": {},
    "simplify.selection.FINITE": {},
    "simplify.selection.SUPPORT": {},
    "writing.index.latex.WRITTEN": {},
    "writing.index.named.NAMED": {"Sum": IS_SPELLED},
    "writing.index.text.WRITTEN": {},
    "writing.matrix.reduce.READ": {},
}  # fmt: skip
"""Each table by the closed set's members that it lacks, and why."""

MATCHES: dict[str, dict[str, str]] = {
    "equality.arithmetic._value": {},
    "equality.branches._of": {},
    "equality.degree._degrees": {},
    "equality.modular._is_exact_here": {},
    "engine.compile.along.links": {},
    "engine.emit.patterns.alongside": {},
    "engine.emit.patterns.complex_values": {},
    "engine.emit.texts.check_texts": {},
    "engine.plan.terms._opened": dict.fromkeys(CLOSED["kinds"] - {"Product", "Sum", "Definition"}, "it is a leaf"),
    "engine.program.flops": {},
    "graph.walk.change": {},
    "graph.walk.rebuild": {"Variable": EMPTY, "Constant": EMPTY},
}
"""Each `match` by the function that it stands in, with what it lacks, and why: what it lacks is an error there."""

Found = tuple[str, set[str], bool]


def functions(tree: ast.AST, within: str = "") -> Iterator[tuple[str, ast.AST]]:
    """All nodes of a module with the name of the function, or of the value, that they stand in."""
    for node in ast.iter_child_nodes(tree):
        name = within
        if isinstance(node, ast.FunctionDef):
            name = node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign) and not within:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            name = target.id if isinstance(target, ast.Name) else within
        yield name, node
        yield from functions(node, name)


def named(patterns: ast.AST) -> set[str]:
    """The classes that a pattern, or the keys of a table, names."""
    found = [node.cls for node in ast.walk(patterns) if isinstance(node, ast.MatchClass)]
    return {cls.id for cls in found if isinstance(cls, ast.Name)}


def closed_set(names: set[str]) -> str | None:
    """The closed set that all these classes belong to."""
    return next((key for key, members in CLOSED.items() if len(names) > 1 and names <= members), None)


def found(text: str) -> tuple[list[Found], list[Found]]:
    """The tables and matches over closed sets in a module: where, with which classes, does one case take the rest."""
    tables: list[Found] = []
    matches: list[Found] = []
    for name, node in functions(ast.parse(text)):
        if isinstance(node, ast.Dict):
            keys = {key.id for key in node.keys if isinstance(key, ast.Name)}
            if len(keys) == len(node.keys) and closed_set(keys):
                tables.append((name, keys, False))
        elif isinstance(node, ast.Match):
            names = {one for case in node.cases for one in named(case.pattern)}
            last = node.cases[-1]
            wild = isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None
            never = wild and "assert_never" in ast.unparse(last)
            if closed_set(names):
                matches.append((name, names, wild and not never))
    return tables, matches


def everywhere() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """All tables and matches of the package by their names."""
    tables: dict[str, set[str]] = {}
    matches: dict[str, set[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        own = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        in_tables, in_matches = found(path.read_text("utf-8"))
        for kind, rows in ((tables, in_tables), (matches, in_matches)):
            for name, classes, silent in rows:
                assert not silent, f"{own}.{name} has a case for all that is left: name them, and end in assert_never"
                assert f"{own}.{name}" not in kind, f"{own}.{name} has two tables or matches"
                kind[f"{own}.{name}"] = classes
    return tables, matches


@pytest.mark.parametrize("place", [0, 1], ids=["tables", "matches"])
def test_all_that_goes_by_class_is_named_and_whole(place: int) -> None:
    known, met = (TABLES, MATCHES)[place], everywhere()[place]
    assert set(met) == set(known), "name it here, with what it lacks and why"
    for name, classes in met.items():
        own = closed_set(classes)
        assert own is not None
        assert classes | set(known[name]) == CLOSED[own], f"{name} lacks {CLOSED[own] - classes - set(known[name])}"
        assert not classes & set(known[name]), f"{name} has what it is said to lack"


def test_the_order_of_kinds_has_all_of_them() -> None:
    from indexcalc.graph.edge import BY_KIND

    assert sorted(BY_KIND) == sorted(kind.kind for kind in KINDS)


def test_a_table_that_lacks_a_kind_is_found() -> None:
    tables, matches = found("NEW = {Sum: 1, Product: 2}\ndef f(x):\n    match x:\n        case Sum() | Product():\n"
                            "            return 1\n        case _:\n            return 2\n")  # fmt: skip
    assert tables == [("NEW", {"Sum", "Product"}, False)]
    assert matches == [("f", {"Sum", "Product"}, True)]
