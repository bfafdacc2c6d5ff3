"""The laws of the house hold for the package, and each is seen to fail on a small bad example."""

from __future__ import annotations

import textwrap
from pathlib import Path

import laws
import pytest
from laws import House

from indexcalc import later
from indexcalc.functions.table import ELEMENTWISE, MATRICES, REDUCTIONS
from indexcalc.graph.node import KINDS

PACKAGE = Path(__file__).resolve().parent.parent / "indexcalc"
FUNCTIONS = {*ELEMENTWISE, *REDUCTIONS, *MATRICES}
ROWS = (
    "foreign",
    "functions",
    "interop.spellings",
    "reading.rules.spellings",
    "simplify.recognise",
    "views.functions",
    "simplify.identities",
)
"""Where the name of a function may stand as a string."""
MADE_BY_EACH_OTHER = {("views.expr", "views.array"): "the two views make each other: `Expr.array`, `Array[i, j]`"}
"""Imports inside a function that are allowed, beside the table of what is imported late."""

CIRCLES: set[str] = set()
INSIDE: set[str] = set()
REACHED: set[str] = set()
UPWARD: set[str] = set()
OVERSIZE: dict[str, int] = {}
"""What is longer than the law says, with its length: the list only shrinks."""
TWICE: set[str] = set()
UNCLOSED: set[str] = set()
UNEXPLAINED: set[str] = set()
SPELLED = 93
"""Strings with the name of a function outside rows, in all: the count only goes down."""
WITHOUT_EXAMPLE = 110
"""Rewrites and rules without an example that runs: the count only goes down, to none when rewrites are data."""
GIVES_ANY = 14
"""Functions and methods that users call whose value a type checker doesn't know: the count only goes down."""
TAKES_ANYTHING = 4
"""Functions and methods that hand any keyword on: the count only goes down."""


@pytest.fixture(scope="module")
def house() -> House:
    return House(PACKAGE)


def made(folder: Path, **files: str) -> House:
    """A small package with these files; `__` in a name is a folder."""
    root = folder / "indexcalc"
    for name, text in {"__init__": "", **files}.items():
        path = root / (name.replace("__", "/") if name != "__init__" else name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".py").write_text(textwrap.dedent(text), "utf-8")
    return House(root)


def test_1_a_module_imports_from_the_floors_below(house: House, tmp_path: Path) -> None:
    assert set(laws.upward(house)) == UPWARD
    bad = made(tmp_path, graph__node="def late():\n    from indexcalc.views.expr import Expr", views__expr="")
    assert laws.upward(bad) == ["graph.node imports views.expr"]


def test_1_no_file_is_in_a_circle(house: House, tmp_path: Path) -> None:
    assert set(laws.circles(house, MADE_BY_EACH_OTHER)) == CIRCLES
    one, other = "if TYPE_CHECKING:\n    from indexcalc.graph.b import B", "from indexcalc.graph import a"
    assert laws.circles(made(tmp_path, graph__a=one, graph__b=other)) == ["graph.a and graph.b import each other"]


def test_1_imports_stand_at_the_top(house: House, tmp_path: Path) -> None:
    assert set(laws.inside(house, MADE_BY_EACH_OTHER)) == INSIDE
    bad = made(tmp_path, graph__a="def f():\n    from indexcalc.errors import KindError", errors="")
    assert laws.inside(bad, {}) == ["graph.a imports indexcalc.errors inside"]


def test_what_is_imported_late_is_what_type_checkers_are_told() -> None:
    told = {}
    for line in Path(later.__file__).read_text("utf-8").splitlines():
        words = line.split()
        if line.startswith("    from ") and words[2] == "import":
            told[words[3]] = words[1].removeprefix("indexcalc.")
    assert told == later.MODULES
    assert all(callable(getattr(later, name)) for name in later.MODULES)


def test_2_what_is_private_stays_in_its_module(house: House, tmp_path: Path) -> None:
    assert set(laws.reached(house)) == REACHED
    bad = made(tmp_path, graph__a="from indexcalc.graph.b import _hidden\n_hidden._deep", graph__b="_hidden = 1")
    assert laws.reached(bad) == ["graph.a imports _hidden", "graph.a reaches _hidden._deep"]


def test_3_no_room_is_a_hall(house: House, tmp_path: Path) -> None:
    found = laws.oversize(house)
    assert {what for what, size in found.items() if size > OVERSIZE.get(what, 0)} == set()
    assert {what for what in OVERSIZE if what not in found} == set(), "it is short now: take it off the list"
    long = "class Long:\n" + "    x = 1\n" * 300
    files = {f"graph__m{k}": "" for k in range(13)}
    bad = made(tmp_path, views__long=long + "def f():\n" + "    y = 2\n" * 250, **files)
    assert laws.oversize(bad) == {
        "module views.long": 552, "class views.long.Long": 301, "function views.long.f": 251, "folder graph": 13
    }  # fmt: skip


def test_4_one_name_is_one_thing(house: House, tmp_path: Path) -> None:
    assert set(laws.twice(house)) == TWICE
    bad = made(tmp_path, graph__a="class Term: ...", views__b="class Term: ...", views__c__b="", views__c__text="")
    assert laws.twice(bad) == ["class Term: graph.a, views.b", "module b: views.b, views.c.b"]


def test_5_a_match_over_kinds_is_closed(house: House, tmp_path: Path) -> None:
    kinds = {kind.__name__ for kind in KINDS}
    assert {line.split(" ")[0].split(":")[0] for line in laws.unclosed(house, kinds)} == UNCLOSED
    bad = made(tmp_path, graph__a="match node:\n    case Product():\n        pass\n    case _:\n        pass")
    assert laws.unclosed(bad, kinds) == ["graph.a:1 matches Product"]


def test_6_the_name_of_a_function_stands_in_its_row(house: House, tmp_path: Path) -> None:
    count = sum(laws.spelled(house, FUNCTIONS, ROWS).values())
    assert count <= SPELLED
    bad = made(tmp_path, engine__a='"""exp"""\nCALM = {"exp", "a word"}', functions__b='NAME = "exp"')
    assert laws.spelled(bad, FUNCTIONS, ROWS) == {"engine.a": 1}


def test_8_a_number_says_what_it_is(house: House, tmp_path: Path) -> None:
    assert set(laws.unexplained(house)) == UNEXPLAINED
    bad = made(tmp_path, graph__a='LONG = 2**9\nWIDE = 40\n"""Characters that a line holds."""')
    assert laws.unexplained(bad) == ["graph.a.LONG"]


def test_7_a_rewrite_has_an_example(house: House, tmp_path: Path) -> None:
    assert len(laws.without_example(house, ("simplify", "calculus.rules"))) <= WITHOUT_EXAMPLE
    bad = made(tmp_path, simplify__a='def bare() -> None:\n    """No example."""', graph__b="def other() -> None: ...")
    assert laws.without_example(bad, ("simplify",)) == ["simplify.a.bare"]


def test_9_a_value_has_a_type(house: House, tmp_path: Path) -> None:
    assert len(laws.gives_any(house, ("views", "reading.reader"))) <= GIVES_ANY
    bad = made(tmp_path, views__a="def f() -> Any: ...\ndef g() -> int: ...")
    assert laws.gives_any(bad, ("views",)) == ["views.a.f"]


def test_10_a_keyword_is_named(house: House, tmp_path: Path) -> None:
    assert len(laws.takes_anything(house, ("views", "engine.evaluate"))) <= TAKES_ANYTHING
    bad = made(tmp_path, views__a="def f(**kwargs: Any): ...\ndef g(*, axis: int): ...")
    assert laws.takes_anything(bad, ("views",)) == ["views.a.f"]
