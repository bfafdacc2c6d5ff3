"""A scalar as `scipy.optimize.minimize` takes it: of one vector, with its gradient, Hessian products and bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any

import numpy as np

from indexcalc import later
from indexcalc.engine.bind.inputs import size_of, symbols_below
from indexcalc.engine.bind.named import bound_inputs
from indexcalc.engine.compile.compiled import Compiled
from indexcalc.errors import Asked, DerivativeError, InputError, KindError, NotationError, counted, did_you_mean
from indexcalc.graph.constructors import einsum, variable
from indexcalc.graph.inputs import named_parts
from indexcalc.graph.node import Node, Variable
from indexcalc.graph.walk import substitute
from indexcalc.interop.packing import Numbers, Packing
from indexcalc.surface import public
from indexcalc.views.array import Array
from indexcalc.views.derivatives.differentiate import grad, hvp
from indexcalc.views.named import variable_of
from indexcalc.views.view import View

LEAST = 1e-100
"""The bound of what is positive, which optimizers may reach: nearer to 0 the squares of slopes such as 1/x overflow."""


@public
def minimize_args(
    f: View, wrt: View | str | Sequence[Any], values: Mapping[Any, Any] | None = None, /, **named: Any
) -> Problem:
    """A scalar as a function of the tensors `wrt`, packed in one vector: what `scipy.optimize.minimize` takes.

    The numbers of the other tensors are given as to `evaluate`, and sizes that nothing fixes. Numbers of the tensors
    `wrt` among them are where the search starts; else it starts at 0, and at 1 where a tensor was declared positive,
    which also gives bounds. Of a symmetric, skew, triangular or diagonal one the independent entries are packed; one
    with another declaration is refused. `.hessp` is the Hessian times a vector, `.unpack(result.x)` the tensors.

    >>> import indexcalc as ic
    >>> from scipy.optimize import minimize
    >>> X, w, y = ic.tensor("X", "n d"), ic.tensor("w", "d"), ic.tensor("y", "n")
    >>> problem = ic.minimize_args(((X @ w - y)**2).sum(), [w], X=[[1, 0], [0, 2]], y=[3, 4]); problem
    minimize sum((X @ w - y)**2) by w (2,): 2 numbers
    >>> problem.unpack(minimize(**problem).x)["w"].round(4)
    array([3., 2.])
    """
    asked = Asked(lambda: f"minimize_args({f}, {wrt})")
    if not isinstance(f, View) or f.order:
        found = f"{f} has axes" if isinstance(f, View) else f"a {type(f).__name__} is no expression"
        raise DerivativeError(asked, f"{found}, and what is minimised is a scalar", "sum it")
    loss = f if isinstance(f, Array) else Array(f.node, f.inputs)
    targets = [variable_of(one, [loss], asked) for one in (wrt if isinstance(wrt, list | tuple) else [wrt])]
    tensors = []
    for target in targets:
        if not isinstance(target, Array) or not isinstance(target.node, Variable):
            raise KindError(asked, f"{target!r} is no tensor", "name the tensors to search for: [w, b]")
        if target.node not in loss.inputs:
            raise DerivativeError(asked, f"{target} does not occur in {f}", "search for what it depends on")
        tensors.append(target)
    if not tensors or len({target.node for target in tensors}) < len(tensors):
        raise NotationError(asked, "a tensor is named twice" if tensors else "no tensor is named", "write [w, b]")
    if values is not None and not isinstance(values, Mapping):
        raise KindError(asked, f"{values!r} is no table of inputs", "write X=..., or {X: ...}")
    return Problem(loss, tensors, values, named, asked)


@public
class Problem:
    """The keywords of `scipy.optimize.minimize`: `fun` (value and gradient), `x0`, `jac=True`, `bounds`.

    `hessp`, the Hessian times a vector, is not among them, as methods that do not take it warn.
    """

    def __init__(
        self,
        loss: Array,
        wrt: Sequence[Array],
        values: Mapping[Any, Any] | None,
        named: Mapping[str, Any],
        asked: Asked,
    ) -> None:
        self.loss, self.wrt, self.asked = loss, list(wrt), asked
        nodes = [target.node for target in wrt if isinstance(target.node, Variable)]
        opened: dict[Node, Node] = {
            node: einsum(1, (), range(node.order), dict(enumerate(node.dims))) for node in nodes
        }
        (rest,) = substitute([loss.node], opened)
        functions, others = _functions({**(values or {}), **named})
        given, sizes, _ = bound_inputs([loss.wanted()], [rest], others, {}, asked)
        if any(np.iscomplexobj(array) for array in given.values()):
            raise InputError(asked, "complex numbers, among which nothing is least", "minimise over real tensors")
        self.packings = [Packing(node, [size_of(dim, sizes) for dim in node.dims], asked) for node in nodes]
        self.data = {node.label: array for node, array in given.items() if node not in opened}
        self.known = [Array(node) for node in given if node not in opened]
        fixed = symbols_below([*opened, *given])
        self.sizes = {name: size for name, size in sizes.items() if name not in fixed}
        self.value = later.compile_expressions([loss, *grad(loss, self.wrt)], [*self.wrt, *self.known])
        self.functions, self.product = functions, self._products() if functions else None
        self._check_functions()
        start, bounds = self._start(given), self._bounds()
        self.keywords: dict[str, Any] = {"fun": self.fun, "x0": start, "jac": True, "bounds": bounds}

    @property
    def names(self) -> list[str]:
        """The names of the tensors, in the order of the vector."""
        return [packing.name for packing in self.packings]

    def _start(self, given: Mapping[Variable, Any]) -> Numbers:
        starts = {node.label: array for node, array in given.items()}
        return np.concatenate([
            one.entries_of(starts[one.name]) if one.name in starts else np.full(one.count, float(one.positive))
            for one in self.packings
        ])  # fmt: skip

    def _bounds(self) -> list[tuple[float | None, None]] | None:
        bounds = [(LEAST if one.positive else None, None) for one in self.packings for _ in range(one.count)]
        return bounds if any(one.positive for one in self.packings) else None

    def __getitem__(self, key: object) -> Any:
        if not isinstance(key, str) or key not in self.keywords:
            found = f"{key!r} is no keyword that it gives"
            raise InputError(self.asked, found, f"known: {', '.join(self.keywords)}; attributes: hessp, unpack")
        return self.keywords[str(key)]

    def keys(self) -> Iterator[str]:
        """The keywords: `minimize(**problem)` takes them from here."""
        return iter(self.keywords)

    def __repr__(self) -> str:
        shapes = ", ".join(f"{one.name} {one.shape}" for one in self.packings)
        return f"minimize {self.loss} by {shapes}: {counted(len(self.keywords['x0']), 'number')}"

    def unpack(self, x: Any) -> dict[str, Numbers]:
        """The tensors that a vector holds, by name."""
        try:
            vector = np.asarray(x, float)
        except (TypeError, ValueError):
            raise KindError(self.asked, f"{x!r} is no vector of numbers", "give result.x") from None
        if vector.shape != self.keywords["x0"].shape:
            found = (
                f"an array of shape {vector.shape}, and the tensors are {counted(len(self.keywords['x0']), 'number')}"
            )
            raise InputError(self.asked, found, "give a vector of that length, as result.x is")
        ends = np.cumsum([one.count for one in self.packings])[:-1]
        parts = np.split(vector, ends)
        return {one.name: one.tensor(part) for one, part in zip(self.packings, parts, strict=True)}

    def fun(self, x: Any) -> tuple[float, Numbers]:
        """The value and the gradient."""
        value, *slopes = self._called(self.value, self.unpack(x))
        return float(value), self._packed(slopes)

    def hessp(self, x: Any, p: Any) -> Numbers:
        """The Hessian times a vector."""
        if self.product is None:
            self.product = self._products()
        return self._packed(self._called(self.product, self.unpack(x), self.unpack(p)))

    def _called(self, compiled: Compiled, *parts: Mapping[str, Numbers]) -> Any:
        arrays = [array for part in (*parts, self.data) for array in part.values()]
        own = {name: f for name, f in self.functions.items() if name in compiled.request.functions}
        return compiled(*arrays, **own, **self.sizes)

    def _products(self) -> Compiled:
        seeds = self._directions()
        return later.compile_expressions(hvp(self.loss, self.wrt, seeds), [*self.wrt, *seeds, *self.known])

    def _check_functions(self) -> None:
        known = {name for one in (self.value, self.product) if one for name in one.request.functions}
        for name in self.functions:
            if name not in known:
                raise InputError(self.asked, f"unknown function {name!r}", did_you_mean(name, known))

    def _directions(self) -> list[Array]:
        """A tensor like each that is searched for, under a name that is new."""
        taken, made = {*named_parts(self.loss.node), *self.data, *self.names}, []
        for target in self.wrt:
            name = next(word for number in count(1) if (word := f"d{number}_{target.node.name}") not in taken)
            node = variable(name, target.node.dims)
            made.append(Array(node, frozenset([node]), target.places, target.vectors, target.turned))
        return made

    def _packed(self, slopes: Sequence[Any]) -> Numbers:
        return np.concatenate([one.gradient(slope) for one, slope in zip(self.packings, slopes, strict=True)])


def _functions(values: Mapping[Any, Any]) -> tuple[dict[str, Any], dict[Any, Any]]:
    """What was given of abstract functions and their derivatives, by name, and the rest."""
    calls = {_name(key): value for key, value in values.items() if callable(value)}
    return calls, {key: value for key, value in values.items() if not callable(value)}


def _name(key: Any) -> str:
    """The name of a function, which stands for itself."""
    return str(getattr(getattr(key, "signature", None), "name", key))
