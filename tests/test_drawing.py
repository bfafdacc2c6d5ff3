"""Pictures: nothing overlaps, over the corpus and over random networks; what is written is well formed.

Each kind of node is drawn, and the same each time.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import corpus_case
import pytest
from hypothesis import given
from hypothesis import strategies as st

import indexcalc as ic
from indexcalc.drawing.diagram import TARGETS, Diagram
from indexcalc.drawing.layout import laid
from indexcalc.drawing.plates import Contour, Label, Plate, Stroke, line, overlaps
from indexcalc.drawing.scene import Frame, Inside, Mark, Net, Scene
from indexcalc.errors import IndexCalcError, KindError
from indexcalc.graph.node import KINDS, topological

i, j, k, l = ic.indices("i j k l")  # noqa: E741
x, y, b = ic.tensor("x", "n"), ic.tensor("y", "n"), ic.tensor("b", "m")
A, B, W, T = ic.tensor("A", "n n"), ic.tensor("B", "n n"), ic.tensor("W", "n m"), ic.tensor("T", "n n n")
S, K = ic.tensor("S", "n n", symmetric=True), ic.tensor("K", "n n", skew=True)
u = ic.function("u", "n -> m")

DRAWN: dict[str, Any] = {
    "variable": W,
    "product": x[i] * W[i, j],
    "sum": A + B,
    "constant": ic.epsilon(i, j, k) * ic.tensor("v", 3)[k],
    "regroup": ic.kron(A, B),
    "elementwise": ic.exp(x[i] * W[i, j]),
    "reduction": ic.softmax(x[i] * W[i, j]),
    "matrix": ic.expm(A @ B),
    "call": ic.derivative(u(A @ x), x),
    "definition": ic.define("h", A @ x) * x,
}
"""An expression for each kind of node."""
MORE = {
    "trace": ic.tr(A @ B @ A.T),
    "a slice": x[1:] - x[:-1],
    "an entry": x[0] * A[:, 1],
    "δ": ic.delta(i, j) * A[k, l],
    "a power": ((A @ x - y) ** 2).sum() / 2,
    "a choice": ic.where(x > 0, -x, 2 * y),
    "three at a dot": ic.hadamard(x[i], y[i], A[i, j]),
    "a sum in a product": (A[i, j] + B[i, j]) * x[j],
    "a Jacobian": ic.diff(ic.tanh(x[i] * W[i, j]), W[k, l]),
    "a Hessian": ic.hessian(ic.logsumexp(A @ x), x),
    "an outer product": x[i] * y[j],
    "a number": ic.tr(ic.eye("n")) + 1,
    "zero": x - x,
    "a norm of rows": ic.norm2(A, axis=1),
    "vec": ic.vec(A @ B),
    "a diagonal": A[i, i],
    "triangles": ic.tril(A),
    "one-hot": ic.one_hot([0, 2], 3),
}  # fmt: skip


def words(diagram: Diagram) -> list[str]:
    return [label.text for label in diagram.plate.labels]


# ------------------------------------------------------------------ nothing overlaps


def corpus() -> Iterator[tuple[str, Any]]:
    """Values and derivatives of the corpus, where the library has them, up to the size of a page."""
    for case in corpus_case.cases().values():
        with suppress(IndexCalcError):  # the corpus has what the library refuses: other tests say what
            for view in (case.value, *([case.derivative()] if case.order == 1 else ())):
                if len(topological([view.node])) <= 30:
                    yield case.id, view


@pytest.mark.corpus
def test_nothing_overlaps_over_the_corpus() -> None:
    drawn = 0
    for name, view in corpus():
        try:
            diagram = view.diagram()
        except KindError:
            continue  # too much, once what is shared is written out
        assert overlaps(diagram.plate) == [], name
        drawn += 1
    assert drawn > 500


@pytest.mark.parametrize("name", [*DRAWN, *MORE])
def test_nothing_overlaps(name: str) -> None:
    assert overlaps({**DRAWN, **MORE}[name].diagram().plate) == []


@st.composite
def networks(draw: st.DrawFn, depth: int = 1) -> Scene:
    """Networks of any shape: up to twelve parts, wires between any two legs, names of any length."""
    name = st.sampled_from(["A", "W", "hidden_state", "xᵀ", "Σ"])
    ends: list[tuple[int, int]] = []
    parts: list[Any] = []
    for number in range(draw(st.integers(1, 12 if depth else 4))):
        order = draw(st.integers(0, 4))
        if depth and draw(st.integers(0, 4)) == 0:
            scene = draw(networks(depth=0))
            free = len(scene.nets[0].free)
            order = max(order, free)
            parts.append(Frame(draw(name), (Inside(scene, tuple(range(free))),), ",", (0,) * order))
        else:
            style = draw(st.sampled_from(["tensor", "named", "known", "epsilon", "pick", "join", "dot"]))
            parts.append(Mark("" if style in ("join", "dot") else draw(name), style, (0,) * order))
        ends += [(number, place) for place in range(order)]
    ends = draw(st.permutations(ends))
    open_ends = min(draw(st.integers(0, 4)) * 2 + len(ends) % 2, len(ends))
    wire_of = {end: wire for wire, end in enumerate(ends[:open_ends])}
    for at in range(open_ends, len(ends), 2):
        wire_of[ends[at]] = wire_of[ends[at + 1]] = open_ends + (at - open_ends) // 2
    index = st.sampled_from(["i", "k1", "n − 1", "batch"])
    count = open_ends + (len(ends) - open_ends) // 2
    wires = tuple("" if wire < open_ends else draw(index) for wire in range(count))
    made = [
        part._replace(legs=tuple(wire_of[number, place] for place in range(len(part.legs))))
        for number, part in enumerate(parts)
    ]
    free_wires = tuple((wire, draw(index)) for wire in range(open_ends))
    coef = draw(st.sampled_from(["", "", "2/3"]))
    return Scene((Net("", coef, tuple(made), wires, free_wires),))


@given(networks(), st.integers(0, 4), st.sets(st.integers(0, 3)))
def test_nothing_overlaps_in_any_network(scene: Scene, rows: int, derived: set[int]) -> None:
    assert overlaps(laid(scene, rows, frozenset(derived))) == []


def test_what_overlaps_is_found() -> None:
    mark = Contour("tensor", 10, 10, 30, 30)
    frame = Contour("frame", 0, 0, 90, 60, (), 1)
    name = Label(25, 30, "A")
    whole = Plate(200, 90, (frame, mark._replace(way=(1,))), (), (name._replace(way=(1,)),))
    assert overlaps(whole) == []
    assert overlaps(whole._replace(outlines=(*whole.outlines, Contour("tensor", 30, 20, 30, 30, (1,)))))
    assert overlaps(whole._replace(outlines=(frame, mark)))
    assert overlaps(whole._replace(labels=(*whole.labels, Label(80, 50, "a long title", "start", "index", (1,)))))
    assert overlaps(whole._replace(strokes=(line((0, 25), (200, 25)),)))
    assert overlaps(whole._replace(strokes=(Stroke(((100, 0), (0, 30), (0, 30), (100, 60)), "wire", (1,)),)))
    assert overlaps(Plate(20, 20, (), (), (Label(5, 10, "far too long", "start", "index"),)))
    assert overlaps(Plate(99, 99, (), (line((0, 50), (99, 50)),), (Label(50, 53, "i", "middle", "index"),)))


# ------------------------------------------------------------------ what is drawn


def test_each_kind_is_drawn() -> None:
    assert set(DRAWN) == {kind.kind for kind in KINDS}
    for kind, view in DRAWN.items():
        assert kind in {node.kind for node in topological([view.node])}


@pytest.mark.parametrize(
    ("view", "shown"),
    [
        (A[i, j], ["A", "i", "j"]),
        (x[i] * A[j, i], ["x", "A", "i", "j"]),
        (A[k, i] * A[k, j], ["Aᵀ", "A", "k", "i", "j"]),
        (S[k, i] * S[k, j], ["S", "S", "k", "i", "j"]),
        (K[k, i] * K[k, j], ["Kᵀ", "K", "k", "i", "j"]),
        (ic.einsum("kij->ijk", T), ["T₂₃₁", "n₁", "n₂", "n"]),
        (2 * x, ["2", "x", "n"]),
        (x - 3 * y, ["x", "n", "−", "3", "y", "n"]),
        (ic.delta(i, j), ["i", "j"]),
        (ic.vec(W), ["Wᵀ", "n", "m", "m·n"]),
        (ic.vec(W, order="C"), ["W", "n", "m", "m·n"]),
        (ic.tr(A), ["A", "n"]),
        (ic.exp(x[i]), ["exp", "x", "i"]),
        (ic.tensor("alpha", "n")[i], ["α", "i"]),
        (x[1:], ["1:", "x", "n", "n − 1"]),
        (ic.tr(ic.eye("n")), ["n"]),
        (x[i + j] * ic.tensor("w", 3)[j], ["x", "w", "i + k = j", "i", "j", "k"]),
    ],
    ids=str,
)
def test_names(view: Any, shown: list[str]) -> None:
    assert sorted(words(view.diagram())) == sorted(shown)


def test_marks_of_what_is_known() -> None:
    def kinds(view: Any) -> list[str]:
        return sorted(outline.kind for outline in view.diagram().plate.outlines)

    assert kinds(ic.epsilon(i, j, k)) == ["epsilon"]
    assert kinds(ic.delta(i, j)) == []
    assert kinds(x[1:]) == ["pick-left", "tensor"]
    assert kinds(x.sum()) == ["dot", "tensor"]
    assert kinds(ic.hadamard(x[i], y[i])) == ["dot", "tensor", "tensor"]
    assert kinds(ic.kron(A, B)) == ["join-left", "join-right", "tensor", "tensor"]
    assert kinds(ic.define("h", A @ x)) == ["named"]
    assert kinds((A + B) @ x) == ["group", "tensor", "tensor", "tensor"]


def test_wires_of_derivatives_are_double() -> None:
    D = ic.diff(x[i] * W[i, j], W[k, l])
    for view in (D, ic.derivative(x @ W, W)):
        assert {stroke.style for stroke in view.diagram().plate.strokes} == {"derived"}
    assert {stroke.style for stroke in (x[i] * W[i, j]).diagram().plate.strokes} == {"wire"}
    assert {stroke.style for stroke in ic.derivative(x * y, x).diagram().plate.strokes} == {"wire", "derived"}


def test_a_wire_of_entries_passes_and_one_that_is_reduced_stops() -> None:
    passing, stopping = ic.exp(x[i]).diagram().plate, ic.softmax(x[i]).diagram().plate
    assert not [s for s in passing.strokes if s.style == "stop"]
    assert len([s for s in stopping.strokes if s.style == "stop"]) == 1


def test_too_much_is_refused_before_it_is_laid_out() -> None:
    deep, wide = x, x
    for _ in range(300):
        deep = ic.tanh(deep)
    for _ in range(64):
        wide = wide * wide
    for view in (deep, wide, sum((ic.exp(n * x) for n in range(2, 200)), x)):
        with pytest.raises(KindError, match=r"ic\.define"):
            view.diagram()


# ------------------------------------------------------------------ what is written


@pytest.mark.parametrize("name", [*DRAWN, *MORE])
def test_what_is_written_is_well_formed(name: str) -> None:
    diagram = {**DRAWN, **MORE}[name].diagram()
    root = ElementTree.fromstring(diagram.svg)
    tags = [child.tag.rpartition("}")[2] for child in root]
    assert tags[:3] == ["title", "desc", "style"]
    assert set(tags[3:]) <= {"rect", "circle", "polygon", "path", "text"}
    assert "prefers-color-scheme: dark" in diagram.svg
    is_dot(diagram.dot)
    is_tikz(diagram.tikz)


def is_dot(text: str) -> None:
    """Braces are closed, and each edge joins nodes that are there."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)
    assert bare.count("{") == bare.count("}")
    made = re.findall(r"^ *(v\d+) \[", bare, re.MULTILINE)
    assert len(made) == len(set(made))
    used = {name for edge in re.findall(r"(v\d+) -- (v\d+)", bare) for name in edge}
    assert used <= set(made)


def is_tikz(text: str) -> None:
    """Each line is a command that ends, braces are closed, and all is ASCII, as LaTeX wants it."""
    head, *lines, last = text.rstrip("\n").split("\n")
    assert head.startswith(r"\begin{tikzpicture}")
    assert last == r"\end{tikzpicture}"
    assert all(re.match(r"\\(path|node)\[.*;$", written) for written in lines)
    bare = re.sub(r"\\[{}]", "", text)
    assert bare.count("{") == bare.count("}")
    assert text.isascii()


def test_the_same_is_drawn_each_time() -> None:
    for view in DRAWN.values():
        first, second = view.diagram(), view.diagram()
        assert (first.svg, first.dot, first.tikz) == (second.svg, second.dot, second.tikz)


def test_a_title_is_escaped() -> None:
    svg = ic.where(x < y, x, y).diagram().svg
    assert "where(x &lt; y, x, y)" in ElementTree.fromstring(svg)[0].text.__str__().replace("<", "&lt;")
    assert "<script" not in svg


def test_it_is_saved_by_its_suffix(tmp_path: Path) -> None:
    diagram = (A @ x).diagram()
    for suffix, write in TARGETS.items():
        diagram.save(tmp_path / f"network{suffix}")
        assert (tmp_path / f"network{suffix}").read_text("utf-8") == write(diagram)
    for wrong in ("network.png", "network", ""):
        with pytest.raises(KindError):
            diagram.save(wrong)
    assert diagram._repr_svg_() == diagram.svg


def test_it_is_told_in_words() -> None:
    diagram = (2 * x[i] * W[i, j]).diagram()
    assert str(diagram) == repr(diagram) == "diagram of 2*x[i]*W[i,j]: 2 tensors, 0 functions, 2 wires"
    assert diagram.description == "2 times x, W; x and W joined by i; j leaves W."


PAGE = Path(__file__).parent.parent / "docs" / "pictures.md"


def test_the_pictures_of_the_page_are_those_of_its_sessions() -> None:
    spec = importlib.util.spec_from_file_location("rerun", PAGE.with_name("rerun.py"))
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    made = tool.pictures(PAGE.read_text("utf-8"))
    kept = {path.stem: path.read_text("utf-8") for path in (PAGE.parent / "pictures").glob("*.svg")}
    assert made == kept, "python docs/rerun.py docs/pictures.md writes them"


# ------------------------------------------------------------------ derivations


@pytest.mark.parametrize("style", ["index", "differential"])
def test_a_derivation_is_a_strip(style: str, tmp_path: Path) -> None:
    explanation = ic.explain(((A @ x - y) ** 2).sum(), x, style=style)
    strip = explanation.diagrams()
    assert len(strip) == len(explanation) == len(list(strip))
    assert overlaps(strip.plate) == []
    ElementTree.fromstring(strip.svg)
    is_dot(strip.dot)
    is_tikz(strip.tikz)
    assert {line.rule for line in explanation} <= {label.text for label in strip.plate.labels}
    strip.save(tmp_path / "strip.svg")
    assert strip[0].view is explanation.lines[0].right


def test_the_transpose_of_a_function_has_its_sign() -> None:
    X = ic.tensor("X", "n m")
    text = ic.derivative(ic.pinv(X), X).diagram().description
    assert "pinvᵀ of" in text and "pinv_t" not in text
