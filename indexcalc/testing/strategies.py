"""Hypothesis strategies for what the library works on: indices, tensors, expressions, points, layouts, whole programs.

hypothesis is imported when a strategy is asked for: the library needs none, and the error says how to get it.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from indexcalc.checking.point import point
from indexcalc.errors import KindError, LayoutError
from indexcalc.index import Index
from indexcalc.layout.conventions import CONVENTIONS
from indexcalc.testing.programs.drawing import DEEPEST, DIMENSIONS, WORDS, Drawing
from indexcalc.testing.programs.indexed import indexed
from indexcalc.testing.programs.samples import sample
from indexcalc.testing.programs.trees import Sample, Tree, compiled
from indexcalc.views.array import Array
from indexcalc.views.declare import tensor
from indexcalc.views.derivatives.projection import layout_of
from indexcalc.views.view import View

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

LETTERS = "ijklpqruv"


def _hypothesis() -> Any:
    """The strategies of hypothesis."""
    if find_spec("hypothesis") is None:
        found = "hypothesis is not installed"
        raise KindError("indexcalc.testing.strategies", found, "write: python -m pip install hypothesis")
    return import_module("hypothesis.strategies")


def indices(batch: bool = False) -> SearchStrategy[Index]:
    """Indices, named by one of a few letters, so that two of them are often equal.

    >>> indices().filter(lambda index: not index.batch).example().name in LETTERS  # doctest: +SKIP
    True
    """
    st = _hypothesis()
    found: SearchStrategy[Index] = st.sampled_from(LETTERS).map(lambda name: Index(name, batch))
    return found


def tensors(order: int | None = None, assumptions: Sequence[str] | None = None) -> SearchStrategy[Array]:
    """Named tensors of order 0 to 3, or of this one; square matrices have one of the assumptions, or none.

    Dimensions are symbols a, b, c, and the integers 1, 2 and 3.
    """
    st = _hypothesis()
    words = [*(WORDS if assumptions is None else assumptions), ""]

    def made(name: str, shape: tuple[Any, ...], word: str) -> Array:
        assumed: dict[str, Any] = {word: True}
        square = len(shape) == 2 and shape[0] == shape[1]
        return tensor(name, " ".join(map(str, shape)), **(assumed if word and square else {}))

    orders = st.integers(0, 3) if order is None else st.just(order)
    axes = st.sampled_from(DIMENSIONS)
    shapes = orders.flatmap(lambda count: st.one_of(st.tuples(*[axes] * count), axes.map(lambda axis: (axis,) * count)))
    found: SearchStrategy[Array] = st.builds(made, st.sampled_from("xyABXS"), shapes, st.sampled_from(words))
    return found


def expressions(notation: str = "", order: int | None = None, depth: int = DEEPEST - 1) -> SearchStrategy[Any]:
    """Expressions in "index" or in "matrix" notation, or in either, of all that the library has.

    They have order 0 to 2, or this one, and at most this many operations above each other. What they divide by is
    positive, what they invert well conditioned: so they have numbers at most of the `points` drawn for them.
    """
    if notation not in ("", "index", "matrix"):
        found = f"notation={notation!r} is none"
        raise KindError("indexcalc.testing.strategies.expressions", found, 'write "index", "matrix", or nothing')
    st = _hypothesis()

    def made(rng: Any) -> Any:
        drawing = Drawing(rng)
        shape = drawing.shape(rng.choice([0, 1, 2]) if order is None else order)
        if notation == "index" or (not notation and rng.random() < 0.5):
            names = tuple(drawing.index("ijkl"[place], axis) for place, axis in enumerate(shape))
            return _built(drawing, indexed(drawing, names, rng.randint(1, depth)))
        return _built(drawing, drawing.make(shape, rng.randint(1, depth)))

    found_: SearchStrategy[Any] = st.randoms(use_true_random=False).map(made)
    return found_


def _built(drawing: Drawing, tree: Tree) -> Any:
    """The expression of a tree."""
    whole = Sample(tree, drawing.leaves, {}, drawing.dims, tree.leaves[0], "", "", "", "", (), "", 0)
    return eval(compiled(tree.text), dict(whole.scope))


def points(view: View) -> SearchStrategy[dict[str, Any]]:
    """What `view.evaluate(**point)` takes: numbers for its tensors that have what is assumed, and sizes 1 to 4.

    Abstract functions are random smooth ones.
    """
    st = _hypothesis()

    def made(order: list[int], seed: int) -> dict[str, Any]:
        return point(view, dict(zip("abcnmkpqr", [*order, *order, *order], strict=False)), seed)

    found: SearchStrategy[dict[str, Any]] = st.builds(made, st.permutations([1, 2, 3, 4]), st.integers(0, 2**32))
    return found


def layouts(D: Any) -> SearchStrategy[str]:
    """The names of the conventions that hold a derivative."""
    st = _hypothesis()
    held = []
    for name in CONVENTIONS:
        try:
            layout_of(D, name)
        except LayoutError:
            continue
        held.append(name)
    found: SearchStrategy[str] = st.sampled_from(held)
    return found


def programs() -> SearchStrategy[Sample]:
    """Whole programs, as the fuzzer tries them: see `indexcalc.testing.programs`."""
    found: SearchStrategy[Sample] = _hypothesis().randoms(use_true_random=False).map(sample)
    return found
