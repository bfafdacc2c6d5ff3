"""Random programs as trees: a text for the library and one for NumPy at each node, and what is to be done."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from types import CodeType
from typing import Any

import numpy as np

import indexcalc as ic
from indexcalc.calculus.structure import is_structured
from indexcalc.engine.bind.declared import respecting
from indexcalc.engine.compile.backends import BACKENDS as RUNNERS
from indexcalc.engine.emit.source.targets import TARGETS
from indexcalc.functions.table import REAL
from indexcalc.graph.node import Variable
from indexcalc.index import dim, size
from indexcalc.testing.programs.operations import Axis, Shape
from indexcalc.views.derivatives.derivative import MEANING

BACKENDS = ("numpy", *RUNNERS, "dask")
"""What a program is compiled for."""
PRINTERS = ("text", "LaTeX", "formula", "named formula", "panel")
"""What a program is printed as."""
SOURCES = tuple(f"source for {target}" for target in TARGETS)
"""What it is printed as, too, but seldom: it is run."""
STRUCTURES = tuple(MEANING)
"""The meanings of a derivative by a structured tensor."""
QUESTIONS = ("check", "explain", "compressed", "preflight")
"""What a program asks of its derivative."""
KEPT = 4096
"""Texts of operations that stay compiled: about as many as there are in a thousand programs."""

Numbers = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A tensor: its shape, what is assumed of it, and between which numbers its entries are drawn.

    One of integers chooses entries of an axis of the dimension `among`.
    """

    shape: Shape
    word: str = ""
    within: tuple[float, float] = REAL
    among: Axis = 0

    @property
    def dims(self) -> str:
        """The dimensions as `ic.tensor` takes them."""
        return " ".join(map(str, self.shape))

    def declared(self, name: str) -> str:
        """The call that makes it."""
        word = f", {self.word}=True" if self.word else ""
        return f"ic.tensor({name!r}, {self.dims!r}{word})"

    def numbers(self, sizes: Mapping[str, int], rng: np.random.Generator) -> Numbers:
        """Random numbers that have what is assumed."""
        shape = [size(dim(axis), sizes) for axis in self.shape]
        if self.among:
            count = size(dim(self.among), sizes)
            return rng.integers(-count, count, shape)
        low, high = self.within if self.within != REAL else (-1.2, 1.6)
        return np.asarray(respecting(self.variable, rng.uniform(low, high, shape)))

    @property
    def variable(self) -> Variable:
        """The tensor as a node, by whatever name."""
        assumed: dict[str, Any] = {self.word: True} if self.word else {}
        (found,) = ic.tensor("x", self.dims, **assumed).inputs
        return found

    @property
    def fixed(self) -> bool:
        """Is there no derivative by it?"""
        return self.word in ("constant", "integer")

    @property
    def structured(self) -> bool:
        """Is a derivative by it one of several?"""
        return is_structured(self.variable)


@dataclass(frozen=True)
class Tree:
    """An expression: the operation, the shape of its value, its text on both sides, and its arguments.

    In index notation `names` has the free indices, in the order of the axes of its numbers.
    """

    operation: str
    shape: Shape
    ours: str
    theirs: str
    parts: tuple[Tree, ...] = ()
    leaf: str = ""
    names: tuple[str, ...] | None = None

    @cached_property
    def depth(self) -> int:
        """How many operations lie above each other."""
        return 1 + max(part.depth for part in self.parts) if self.parts else 0

    @cached_property
    def nodes(self) -> int:
        """How many operations and tensors it has."""
        return 1 + sum(part.nodes for part in self.parts)

    @cached_property
    def text(self) -> str:
        """The text in the library."""
        return self.ours.format(*(bracketed(part.text) for part in self.parts))

    def walk(self) -> Iterator[Tree]:
        """All its parts, and itself last."""
        for part in self.parts:
            yield from part.walk()
        yield self

    @property
    def leaves(self) -> list[str]:
        """The names of the tensors in it, in the order in which they occur."""
        return list(dict.fromkeys(tree.leaf for tree in self.walk() if tree.leaf))

    def smaller(self, leaves: Mapping[str, Leaf]) -> Iterator[Tree]:
        """Trees of the same shape with less in them: a part of it instead, or with a part of it made smaller."""
        for tree in self.walk():
            alike = (tree.shape, tree.names) == (self.shape, self.names)
            if alike and tree is not self and not (tree.leaf and leaves[tree.leaf].among):
                yield tree
        if not self.leaf and self.names is None:
            for name, leaf in leaves.items():
                if leaf.shape == self.shape and not leaf.among:
                    yield Tree("tensor", self.shape, name, name, leaf=name)
        for number, part in enumerate(self.parts):
            for other in part.smaller(leaves):
                yield replace(self, parts=(*self.parts[:number], other, *self.parts[number + 1 :]))


@dataclass(frozen=True)
class Sample:
    """A program: an expression, its tensors, the sizes of the dimensions, and what is to be done with it.

    It is differentiated by the tensor `by`, and where there is one by `then`, with this `structure`; laid out in a
    `layout`, run on a `backend`, printed by `printers`; `asked` is one of `QUESTIONS`, or none. `judge` says what its
    derivatives are compared with. The seed draws the numbers.
    """

    tree: Tree
    leaves: Mapping[str, Leaf]
    sizes: Mapping[str, int]
    dims: Mapping[str, Any]
    by: str
    then: str
    structure: str
    layout: str
    backend: str
    printers: tuple[str, ...]
    judge: str
    seed: int
    asked: str = ""

    @cached_property
    def names(self) -> list[str]:
        """The tensors that occur, those that it is differentiated by among them."""
        return list(dict.fromkeys([*self.tree.leaves, self.by, *([self.then] if self.then else [])]))

    @cached_property
    def scope(self) -> dict[str, Any]:
        """What its text names: the tensors and the indices."""
        found: dict[str, Any] = {"ic": ic}
        for name in self.names:
            found[name] = eval(compiled(self.leaves[name].declared(name)), {"ic": ic})
        return found | {name: ic.index(name) for name in self.dims}

    @cached_property
    def expression(self) -> Any:
        """The expression as the library has it."""
        return eval(compiled(self.tree.text), dict(self.scope))

    def numbers(self, turn: int = 0) -> dict[str, Numbers]:
        """Random numbers for its tensors; each turn has others."""
        rng = np.random.default_rng([self.seed, turn])
        return {name: self.leaves[name].numbers(self.sizes, rng) for name in self.names}

    def source(self) -> str:
        """The program as lines of Python, to be run."""
        lines = ["import indexcalc as ic"]
        indices = [name for name in self.dims if name in self.tree.text]
        if indices:
            lines.append(f"{', '.join(indices)}, = ic.indices({' '.join(indices)!r})")
        lines += [f"{name} = {self.leaves[name].declared(name)}" for name in self.names]
        lines += [f"e = {self.tree.text}", f"# {self.task}"]
        return "\n".join(lines)

    @property
    def words(self) -> set[str]:
        """What it has in it: operations, layout, backend, printers, question, and a structure that matters, by name."""
        operations = {tree.operation for tree in self.tree.walk()}
        structure = [self.structure] if self.leaves[self.by].structured else []
        return {*operations, self.layout, *structure, self.backend, *self.printers, self.asked}

    @property
    def costly(self) -> bool:
        """Does it load and compile for another library than NumPy, which takes as long as a dozen others?"""
        return self.judge == "JAX" or self.backend != BACKENDS[0] or bool({*self.printers} & {*SOURCES[1:]})

    @property
    def whole(self) -> bool:
        """Is all tried of it? What is slow, the search of a plan and long texts, is tried of every other program."""
        return self.costly or self.seed % 2 == 0

    @property
    def task(self) -> str:
        """What is to be done, in a line."""
        sizes = ", ".join(f"{name}={value}" for name, value in self.sizes.items())
        then = f" and {self.then}" if self.then else ""
        return (
            f"by {self.by}{then}, structure={self.structure!r}, layout {self.layout}, backend {self.backend}, "
            f"{sizes}, numbers of seed {self.seed}"
        )


@lru_cache(maxsize=KEPT)
def bracketed(text: str) -> str:
    """The text of an expression in parentheses, if it needs some as an operand.

    >>> bracketed("a + b"), bracketed("ic.sin(a)[0]")
    ('(a + b)', 'ic.sin(a)[0]')
    """
    whole = isinstance(ast.parse(text, mode="eval").body, ast.Name | ast.Call | ast.Subscript | ast.Attribute)
    return text if whole else f"({text})"


@lru_cache(maxsize=KEPT)
def compiled(text: str) -> CodeType:
    """The text of an expression that this package has written, compiled.

    >>> eval(compiled("1 + 1"))
    2
    """
    return compile(text, "<program>", "eval")
