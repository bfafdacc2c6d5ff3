"""What is to be made a function: outputs, and the inputs in their order, checked against each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from indexcalc.engine.bind.inputs import bind, given_sizes, symbols_below
from indexcalc.engine.bind.labelled import unlabelled
from indexcalc.engine.bind.own import calls_below
from indexcalc.engine.wanted import Evaluable
from indexcalc.errors import Asked, InputError, KindError, among, counted
from indexcalc.graph.inputs import joined_inputs
from indexcalc.graph.node import Node, Variable
from indexcalc.graph.walk import variables
from indexcalc.simplify.passes import simplify


class Request:
    """Outputs as a function of inputs.

    `names` are those of the inputs, `roots` the nodes of the outputs, `by` the names of what each is a derivative by,
    `axes` those of its indices, `used` the variables that occur in the roots, `functions` the abstract functions among
    them by name, `vanished` those of which nothing is left. With `reassociate="safe"` the outputs stay as they are
    written: a simplified one has deltas in sums multiplied out.
    """

    def __init__(
        self, outputs: Evaluable | Sequence[Evaluable], inputs: Any, verb: str, reassociate: str = "full"
    ) -> None:
        if reassociate not in ("full", "safe"):
            raise InputError(verb, f"reassociate={reassociate!r}", 'write "full" or "safe"')
        self.single = isinstance(outputs, Evaluable)
        several = outputs if isinstance(outputs, Sequence) else (outputs,)
        self.outputs: tuple[Evaluable, ...] = (outputs,) if isinstance(outputs, Evaluable) else tuple(several)
        if not self.outputs or not all(isinstance(view, Evaluable) for view in self.outputs):
            found = "it has to be an expression, or several"
            raise KindError(f"{verb} {outputs!r}", found, f"write ic.{verb}(y, (x,))")
        self.asked = Asked(lambda: f"{verb} {', '.join(map(str, self.outputs))}")
        self.names = _names(inputs, self.asked)
        wanted = [view.wanted() for view in self.outputs]
        written = [one.node for one in wanted]
        self.roots: list[Node] = written if reassociate == "safe" else simplify(written)
        self.inputs = joined_inputs(one.inputs for one in wanted)
        self.standing = {name: kind for one in wanted for name, kind in one.standing.items()}
        self.units, self.by = [one.units for one in wanted], [one.by for one in wanted]
        self.axes = [one.axes for one in wanted]
        self.functions = calls_below(self.roots)
        self.vanished = calls_below(written).keys() - self.functions.keys()
        self.used = variables(self.roots)
        self.whole = {v.label for v in (*self.used, *self.inputs) if "integer" in v.assumptions}
        self.symbols = symbols_below([*written, *self.roots, *self.inputs])
        self.told: dict[str, int] = {}
        self._check_names()

    def _check_names(self) -> None:
        known = {variable.label for variable in self.inputs}
        for name in self.names:
            if name not in known:
                raise InputError(self.asked, f"{name} is no tensor of it", among(name, known))
        missing = [v.label for v in self.used if v.label not in self.names]
        if missing:
            shown = ", ".join([*self.names, *missing])
            raise InputError(self.asked, f"no input for {', '.join(missing)}", f"give the inputs ({shown})")

    def sizes(self, given: Any) -> dict[str, int]:
        """Sizes by symbol, as they were given; a symbol that occurs nowhere is an error.

        They are told: a call takes from them what no input fixes.
        """
        if not isinstance(given, Mapping):
            raise KindError(self.asked, f"sizes={given!r}", 'give sizes by symbol, sizes={"n": 100}')
        self.told = {name: known.size for name, known in given_sizes(given, self.symbols).items()}
        return self.told

    @property
    def arrays(self) -> list[Variable]:
        """The inputs that have axes, in their order."""
        return [variable for variable in self.variables if variable.order]

    @property
    def variables(self) -> list[Variable]:
        """The inputs in their order."""
        by_label = {variable.label: variable for variable in (*self.inputs, *self.used)}
        return [by_label[label] for label in self.names]

    def settled(self, sizes: Mapping[str, int]) -> bool:
        """Are these all the sizes that a program needs?"""
        return symbols_below(self.roots) <= sizes.keys()

    def unlabelled(self, arrays: Sequence[Any], data: str = "values") -> list[Any]:
        """The arrays of a call without labels: axes with names are placed by the dimensions of their tensors."""
        dims = {variable.label: variable.dims for variable in self.inputs}
        pairs = zip(arrays, [*self.names, *[""] * len(arrays)], strict=False)
        return [unlabelled(value, name, dims.get(name), data) for value, name in pairs]

    def bound(
        self, arrays: Sequence[Any], named: Mapping[str, Any]
    ) -> tuple[dict[Variable, Any], dict[str, int], dict[str, Any]]:
        """The array of each variable, the size of each symbol, and what was given for functions, by name."""
        if len(arrays) != len(self.names):
            shown = ", ".join(self.names)
            raise InputError(
                self.asked,
                f"{counted(len(arrays), 'array')} for {counted(len(self.names), 'input')}",
                f"give ({shown})",
            )
        given, functions = dict(zip(self.names, arrays, strict=True)), {}
        fixed = {str(dim) for variable in self.inputs if variable.label in given for dim in variable.dims}
        sizes = {name: size for name, size in self.told.items() if name not in fixed}
        for name, value in named.items():
            if name in self.functions:
                functions[name] = value
            elif name not in self.vanished:
                sizes[name] = value
        given_sizes(sizes, self.symbols)
        occurring = symbols_below([*self.roots, *self.inputs])
        needed = {name: size for name, size in sizes.items() if name in occurring}
        inputs, extents = bind(self.inputs, given, needed, roots=self.roots, standing=self.standing)
        return inputs, extents, functions


def unit_axes(units: tuple[slice | None, ...]) -> str:
    """The text of the index that gives a laid out result the unit axes that it shows: a row is (1, n)."""
    return f"[{', '.join('None' if place is None else ':' for place in units)}]" if units else ""


def _names(inputs: Any, asked: Asked) -> tuple[str, ...]:
    names = []
    several = isinstance(inputs, Iterable) and not isinstance(inputs, Evaluable | str)
    for value in inputs if several else (inputs,):
        if isinstance(value, str):
            names.append(value)
        elif isinstance(value, Evaluable) and isinstance(value.node, Variable):
            names.append(value.node.label)
        else:
            raise KindError(asked, f"{value!r} is no tensor", "give the tensors that it is a function of, as (X, w)")
    for name, times in Counter(names).items():
        if times > 1:
            raise InputError(asked, f"{name} is given twice", "give it once")
    return tuple(names)
