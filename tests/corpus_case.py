"""A case of the corpus, as the library is asked it and as NumPy answers."""

from __future__ import annotations

import io
import json
import tokenize
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import oracle

import indexcalc as ic
from indexcalc.graph.node import Call, topological
from indexcalc.index import Dim

PATH = Path(__file__).parent / "corpus" / "cases.json"
ASSUMED = {
    "spd": ["positive_definite"], "symmetric": ["symmetric"], "skew": ["skew"], "diagonal": ["diagonal"],
    "toeplitz": ["toeplitz"], "symmetric-toeplitz": ["symmetric", "toeplitz"], "lower": ["lower"],
    "hankel": ["hankel"], "circulant": ["circulant"], "positive": ["positive"], "unitinterval": ["positive"],
    "stochastic": ["stochastic"], "prob": ["stochastic", "positive"],
    "onehot": ["stochastic"], "onehot-rows": ["stochastic"],
}  # fmt: skip
"""What the library is told of a variable of a kind."""
LAYOUTS = {
    "gradient": "gradient", "numerator": "numerator", "denominator": "denominator", "vec": "magnus-neudecker",
    "vec-hessian": "magnus-neudecker", "vec-row": "vec-rows", "hessian": "jax", "tensor": "jax",
}  # fmt: skip
"""The corpus's names of layouts, and the library's."""
INDEPENDENT = {"symmetric", "skew", "diagonal", "toeplitz", "symmetric-toeplitz", "lower", "hankel", "circulant"}


@cache
def cases() -> dict[str, Case]:
    return {row["id"]: Case(row) for row in json.loads(PATH.read_text())["cases"]}


@cache
def mistakes() -> dict[str, Case]:
    return {row["id"]: Case(row) for row in json.loads(PATH.read_text())["must_not_hold"]}


class Case:
    """One identity: an expression, what it is differentiated by, and what should come out in some layouts."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.row = row
        self.id: str = row["id"]
        self.order: int = row["order"]
        self.expected: dict[str, dict[str, Any]] = row["expected"]

    def __repr__(self) -> str:
        return self.id

    # -------------------------------------------------------------- as the library is asked it

    @cached_property
    def declarations(self) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, variable in self.row["variables"].items():
            words = {word: True for kind in variable.get("kinds", ()) for word in ASSUMED.get(kind, ())}
            dims = variable["shape"].split()
            if len(dims) == 1:
                made[name] = ic.column(name, *dims, **words)
            else:
                made[name] = ic.tensor(name, variable["shape"], **words) if dims else ic.scalar(name, **words)
        for name, function in self.row.get("functions", {}).items():
            made[name] = ic.function(name, function["spec"])
        return made

    @cached_property
    def value(self) -> Any:
        return ic.parse(self.row["expr"], vectors="column", **self.declarations)

    @cached_property
    def wrt(self) -> list[Any]:
        return [self.declarations[name] for name in self.row["wrt"]]

    def derivative(self, structure: str = "free") -> Any:
        """The derivative of the case's order."""
        if self.order == 2 and len(self.wrt) == 1:
            return ic.derivative(self.value, self.wrt[0], order=2, structure=structure)
        first = ic.derivative(self.value, self.wrt[0], structure=structure)
        return first if self.order == 1 else ic.derivative(first, self.wrt[-1], structure=structure)

    def result(self, layout: str) -> Any:
        """What the library has for a layout of the corpus."""
        name = self.row["wrt"][0]
        match layout:
            case "differential":
                return ic.differential(self.value, self.wrt)
            case "second-differential":
                return ic.differential(ic.differential(self.value, self.wrt), self.wrt)
            case "hvp":
                direction = self._like(name, "d" + name)
                return ic.hvp(self.value, self.wrt[0], direction)
            case "vjp":
                return ic.vjp(self.value, self.wrt[0], self._cotangent(), structure="free")
            case "vec-denominator":
                return self.derivative().layout("magnus-neudecker").T
            case "index":
                return self.derivative()
            case "entry":
                k, l = self.row["entry"]  # noqa: E741
                return self.derivative()[..., k, l]
            case "contracted":
                return ic.parse(self.row["post"], D=self.derivative(), vectors="column", **self.declarations)
            case "vech":
                return self.derivative("independent").layout("vech").T
            case "symmetric-projected":
                return self.derivative("projected")
            case _ if layout in INDEPENDENT:
                return self.derivative("independent")
        made = self.derivative()
        if layout == "hessian" and made.order < 2:
            return made
        return made.layout(LAYOUTS[layout])

    def _like(self, name: str, other: str) -> Any:
        shape = self.row["variables"][name]["shape"]
        return ic.column(other, shape) if len(shape.split()) == 1 else ic.tensor(other, shape)

    def _cotangent(self) -> Any:
        node = self.value.node
        if not node.order:
            return ic.scalar("Fbar")
        shape = " ".join(str(dim) for dim in node.dims)
        return ic.column("Fbar", shape) if node.order == 1 else ic.tensor("Fbar", *node.dims)

    # -------------------------------------------------------------- as NumPy answers

    def numbers(self, which: int, layout: str) -> tuple[dict[str, Any], Any]:
        """Inputs by name, and the value that the layout's formula has with them."""
        sizes = oracle.SIZES[which]
        rng = np.random.default_rng([which, *self.id.encode()])
        arrays: dict[str, Any] = {}
        for name, variable in self.row["variables"].items():
            shape = tuple(oracle.size(dim, sizes) for dim in variable["shape"].split())
            arrays[name] = oracle.value(shape, variable.get("kinds", []), rng)
        if "differential" in layout or layout == "hvp":
            for name in self.row["wrt"]:
                kinds = [k for k in self.row["variables"][name].get("kinds", []) if k in ("symmetric", "spd", "skew")]
                direction = rng.normal(size=np.shape(arrays[name]))
                if kinds:
                    direction = direction - direction.T if kinds == ["skew"] else direction + direction.T
                arrays["d" + name] = direction
        names: dict[str, Any] = dict(sizes)
        for name, function in self.row.get("functions", {}).items():
            made = oracle.abstract(name, function["spec"], function["kinds"], sizes)
            arrays |= made
            names |= oracle.in_columns(made, name, function["spec"])
        names |= {name: oracle.column(a) if np.ndim(a) == 1 else a for name, a in arrays.items() if not callable(a)}
        if layout == "vjp":
            shape = np.shape(oracle.evaluate(self.row["expr"], names))
            bar = rng.normal(size=() if shape == (1, 1) else shape)
            names["Fbar"] = bar
            arrays["Fbar"] = (
                bar.reshape(-1) if bar.ndim == 2 and bar.shape[1] == 1 and self.value.node.order == 1 else bar
            )
        formula = self.expected[layout]["formula"]
        if layout == "index":
            plain = {name: a for name, a in arrays.items() if not callable(a)}
            shape = tuple(_extent(dim, sizes) for dim in self.derivative().node.dims)
            return arrays, oracle.evaluate_index(formula, plain, names, shape)
        return arrays, np.asarray(oracle.evaluate(formula, names))


def evaluated(view: Any, arrays: dict[str, Any], which: int) -> Any:
    """The numbers of a view of the library, with those of these inputs and sizes that it takes."""
    return view.evaluate(given(view, arrays, which))


def given(view: Any, arrays: dict[str, Any], which: int) -> dict[str, Any]:
    """Those of these inputs and sizes that a view of the library takes."""
    functions = {n.function.title(n.orders) for n in topological([view.node]) if isinstance(n, Call)}
    names = {variable.label for variable in view.inputs}
    found = {name: a for name, a in arrays.items() if name in functions or (name in names and not callable(a))}
    fixed = {str(dim) for variable in view.inputs if variable.label in found for dim in variable.dims}
    known = {s for node in (view.node, *view.inputs, *topological([view.node])) for s in symbols_of(node)}
    return found | {s: oracle.SIZES[which][s] for s in known - fixed if s in oracle.SIZES[which]}


def symbols_of(node: Any) -> set[str]:
    dims = (*node.dims, *getattr(node, "sizes", ()))
    return {symbol for dim in dims if isinstance(dim, Dim) for symbol in dim.symbols}


def tokens(text: str) -> int:
    """Python's tokens, parentheses left out."""
    found = tokenize.generate_tokens(io.StringIO(text).readline)
    return sum(token.string.strip() not in ("", "(", ")") for token in found)


def _extent(dim: Any, sizes: dict[str, int]) -> int:
    return int(eval(str(dim), {"__builtins__": {}, "min": min}, dict(sizes)))
