"""The numbers of a graph, by NumPy: one pass to plan with sizes known, one to compute.

The value of a node is held as a core and a `Form` that says how the axes of the node are made from those of the core:
an axis that the core lacks is one along which the value is constant, and two axes that share one of the core are a
delta. So deltas and ones are never multiplied: where a product meets one, labels become one label, and it is written
out, through a strided view, only where a sum or a result needs the array.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
import opt_einsum
from numpy.lib.stride_tricks import as_strided

import indexcalc.functions  # noqa: F401  (fills the tables)
from indexcalc.errors import InputError
from indexcalc.evaluate.constants import known
from indexcalc.evaluate.inputs import SINGLE, Numbers, number_of, require, size_of, to_array, to_float
from indexcalc.evaluate.joined import Form, Joined, formed, whole
from indexcalc.functions.matrix_series import matrix_numbers
from indexcalc.functions.table import elementwise_row, matrix_row, reduction_row
from indexcalc.graph.node import (
    Call,
    Constant,
    Definition,
    Elementwise,
    Labels,
    Matrix,
    Node,
    Number,
    Product,
    Reduction,
    Regroup,
    Sum,
    Variable,
    multiply,
)
from indexcalc.graph.walk import topological, uses
from indexcalc.index import Dimension


def evaluate(
    roots: Sequence[Node],
    arrays: Mapping[Variable, Numbers],
    sizes: Mapping[str, int] | None = None,
    functions: Mapping[str, Any] | None = None,
    *,
    limit: int | None = None,
) -> list[Numbers]:
    """The value of each root, a new array that may be written to and may have any strides.

    `arrays` and `sizes` are what `bind` gives. `functions` has a callable for each abstract function and derivative by
    its name (`u`, `Du`, `D2u`), which gets and gives arrays, and may have an array for a named gradient. Every result
    has the precision of the inputs (double if one is, or if there is none), numbers in the expression widen nothing,
    and what does not depend on a complex input is real.

    Overflow, division by zero and invalid operations come out quietly, as inf and nan. A value of more than `limit`
    bytes (by default half of the machine's memory) is an InputError, raised before anything is computed.

    >>> from indexcalc.graph.node import einsum, variable
    >>> x = variable("x", (3,))
    >>> evaluate([einsum(2, [(x, "i")], "ii")], {x: np.ones(3)})
    [array([[2., 0., 0.],
           [0., 2., 0.],
           [0., 0., 2.]])]
    """
    order = topological(roots)
    plan = Plan(roots, order, arrays, sizes or {}, functions or {}, limit)
    values: dict[Node, Numbers] = {}
    remaining = uses(order, roots)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for node in order:
            values[node] = plan.steps[node]([values[child] for child in node.children])
            for child in node.children:
                remaining[child] -= 1
                if not remaining[child]:
                    del values[child]
        results: list[Numbers] = []
        for root in roots:
            results.append(_own(_dense(values[root], plan.forms[root]), results))
    return results


def _own(value: Numbers, others: Iterable[Numbers]) -> Numbers:
    """The value, or a copy if it is read-only, as views of inputs are, or shares memory with others."""
    if value.flags.writeable and not any(np.may_share_memory(value, other) for other in others):
        return value
    return np.array(value)


class TooLarge(InputError):
    """An array that would take more than the limit; it knows the limit and the bytes of an entry."""

    def __init__(self, asked: str, found: str, instead: str, itemsize: int, limit: int) -> None:
        super().__init__(asked, found, instead)
        self.itemsize, self.limit = itemsize, limit

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        return type(self), (self.asked, self.found, self.instead, self.itemsize, self.limit)


def memory_limit() -> int:
    """Half of the machine's memory, in bytes."""
    if not hasattr(os, "sysconf"):
        return sys.maxsize
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


# ------------------------------------------------------------------ how values are held


def _diagonal(array: Numbers, labels: Sequence[int], wanted: Sequence[int]) -> Numbers:
    """A view with one axis for each label that is wanted: the diagonal where an array has it on several axes."""
    if tuple(labels) == tuple(wanted):
        return array
    if len(labels) == len(wanted):
        return array.transpose([labels.index(label) for label in wanted])
    places = {label: [axis for axis, other in enumerate(labels) if other == label] for label in wanted}
    shape = [array.shape[axes[0]] for axes in places.values()]
    return as_strided(array, shape, [sum(array.strides[axis] for axis in axes) for axes in places.values()])


def _aligned(array: Numbers, labels: Sequence[int], wanted: Sequence[int]) -> Numbers:
    """A view with an axis for each label that is wanted, of size 1 where the array has none; diagonals are taken."""
    kept = [label for label in wanted if label in labels]
    return _diagonal(array, labels, kept)[(..., *(slice(None) if label in labels else None for label in wanted))]


def _dense(core: Numbers, form: Form) -> Numbers:
    """The whole array; a view of the core, read-only where it is constant along an axis, unless there is a delta."""
    if form.plain:
        view = _aligned(core, form.labels, form.out)
        return view if view.shape == form.shape else np.broadcast_to(view, form.shape)
    full = np.zeros(form.shape, core.dtype)
    distinct = range(len(form.sizes))
    _diagonal(full, form.out, distinct)[...] = _aligned(core, form.labels, distinct)
    return full


# ------------------------------------------------------------------ the plan

Step = Callable[[list[Numbers]], Numbers]
Opener = Callable[[Numbers], Numbers]


class Plan:
    """For each node the form of its value, and the step that makes its core from those of its children."""

    def __init__(
        self,
        roots: Sequence[Node],
        order: Sequence[Node],
        arrays: Mapping[Variable, Numbers],
        sizes: Mapping[str, int],
        functions: Mapping[str, Any],
        limit: int | None,
    ) -> None:
        require([node for node in order if isinstance(node, Variable) and node not in arrays])
        self.arrays, self.sizes = arrays, sizes
        self.functions = {name: f if callable(f) else to_array(f, name) for name, f in functions.items()}
        inputs = [arrays[node] for node in order if isinstance(node, Variable)]
        inputs += [array for array in self.functions.values() if not callable(array)]
        double = not inputs or any(array.dtype not in SINGLE for array in inputs)
        self.real = np.dtype(np.float64 if double else np.float32)
        self.widest = self.real.itemsize * (2 if any(np.iscomplexobj(array) for array in inputs) else 1)
        self.limit = memory_limit() if limit is None else limit
        self.forms: dict[Node, Form] = {}
        self.steps: dict[Node, Step] = {}
        for node in order:
            self.forms[node], self.steps[node] = PLANNERS[type(node)](node, self)
            if node.children:
                self.check(node, self.forms[node].core)
        for root in roots:
            self.check(root, self.forms[root].shape)

    def shape(self, dims: Iterable[Dimension]) -> tuple[int, ...]:
        """The sizes of dimensions."""
        return tuple(size_of(dimension, self.sizes) for dimension in dims)

    def check(self, node: Node, shape: tuple[int, ...]) -> None:
        """An array of this shape may be allocated, or it is an error."""
        total = prod(shape) * self.widest
        if total > self.limit:
            raise TooLarge(
                f"evaluate the {node.kind}" + (f" {node.name}" if node.name != node.kind else ""),
                f"an array of shape {shape} takes {total:,} bytes, and the limit is {self.limit:,}",
                "evaluate less of it at once, or give a larger memory_limit",
                self.widest,
                self.limit,
            )

    def dense(self, child: Node) -> Opener:
        """What makes the whole array of a child from its core."""
        form = self.forms[child]
        if not form.plain:
            self.check(child, form.shape)
        return lambda core: _dense(core, form)

    def without_delta(self, child: Node) -> tuple[Form, Opener]:
        """A form of a child that has no delta, and what makes the core of this form from its core."""
        form = self.forms[child]
        return (form, _as_it_is) if form.plain else (whole(form.shape), self.dense(child))

    def cast(self, array: Any) -> Numbers:
        """The array, or number, in the precision of the evaluation."""
        dtype = np.result_type(self.real, 1j) if np.iscomplexobj(array) else self.real
        return np.asarray(array, dtype)


def _as_it_is(core: Numbers) -> Numbers:
    return core


def _read_only(array: Numbers) -> Numbers:
    """A view that cannot be written to: it belongs to somebody else."""
    view = array.view()
    view.flags.writeable = False
    return view


def plan_variable(node: Variable, plan: Plan) -> tuple[Form, Step]:
    """The array that was given."""
    array = plan.arrays[node]
    return whole(array.shape), lambda _: _read_only(plan.cast(array))


def plan_constant(node: Constant, plan: Plan) -> tuple[Form, Step]:
    """The numbers of a known tensor."""
    shape = plan.shape(node.dims)
    return whole(shape), lambda _: known(node.label, shape, plan.real, node.params)


def plan_definition(node: Definition, plan: Plan) -> tuple[Form, Step]:
    """The child's value."""
    return plan.forms[node.child], lambda cores: cores[0]


# ------------------------------------------------------------------ products


def plan_product(node: Product, plan: Plan) -> tuple[Form, Step]:
    """The einsum: labels joined by the factors' deltas, powers taken, and one contraction of the cores."""
    sizes = plan.shape(node.sizes)
    joined = Joined(len(sizes))
    attached, opened = [], []
    for child, labels, exponent in node.factors:
        positive = not isinstance(exponent, complex) and exponent > 0
        form, make = (plan.forms[child], _as_it_is) if positive else plan.without_delta(child)
        attached.append(joined.attach(form, labels))
        opened.append(make)
    operands = [[joined.find(label) for label in labels] for labels in attached]
    distinct = [tuple(dict.fromkeys(labels)) for labels in operands]
    out = [joined.find(label) for label in node.out]
    carried = {label for labels in operands for label in labels}
    lone = {joined.find(label) for label in range(len(sizes))} - carried - set(out)
    coef = _weak(multiply(node.coef, prod(sizes[label] for label in lone)), "the coefficient of a product")
    form = formed(out, carried, sizes)
    kept = [label for label in dict.fromkeys(out) if label in carried]
    contract = _contraction(node, [labels for labels in distinct if labels], kept, sizes, plan)

    def step(cores: list[Numbers]) -> Numbers:
        scale: Any = coef
        arrays = []
        for core, make, labels, wanted, factor in zip(cores, opened, operands, distinct, node.factors, strict=True):
            array = _power(_diagonal(make(core), labels, wanted), factor.exponent)
            if wanted:
                arrays.append(array)
            else:
                scale = scale * array
        return _scaled(contract, arrays, scale, prod(form.core)) if arrays else plan.cast(scale)

    return form, step


def _scaled(contract: Step, arrays: list[Numbers], scale: Any, size: int) -> Numbers:
    """The contraction times a number, which multiplies the smallest of the operands and the result, of this size."""
    if scale == 1:
        return contract(arrays)
    smallest = min(range(len(arrays)), key=lambda k: arrays[k].size)
    if arrays[smallest].size >= size:
        return np.asarray(contract(arrays) * scale)
    arrays[smallest] = np.asarray(arrays[smallest] * scale)
    return contract(arrays)


def _weak(value: Number, asked: str) -> float | complex:
    """A number as a Python float or complex, which widens no array."""
    return value if isinstance(value, complex) else to_float(value, asked)


def _power(array: Numbers, exponent: Number) -> Numbers:
    """The array to a power, entry by entry."""
    if exponent == 1:
        return array
    if exponent == 2:
        return np.asarray(np.square(array))
    if exponent == -1:
        return np.asarray(np.reciprocal(array))
    if exponent == 0.5:
        return np.asarray(np.sqrt(array))
    return np.asarray(np.power(array, _weak(exponent, "an exponent")))


def _contraction(node: Node, operands: Sequence[Labels], out: Sequence[int], sizes: Sequence[int], plan: Plan) -> Step:
    """What contracts arrays with these labels to the labels `out`, by opt_einsum's order where there are several."""
    if not operands:
        return lambda arrays: arrays[0]
    if len(operands) == 1:
        (labels,) = operands
        gone = tuple(axis for axis, label in enumerate(labels) if label not in out)
        left = [label for label in labels if label in out]
        return lambda arrays: _aligned(np.asarray(arrays[0].sum(gone)) if gone else arrays[0], left, out)
    shapes = [tuple(sizes[label] for label in labels) for labels in operands]
    spec = ",".join(map(_letters, operands)) + "->" + _letters(out)
    path, info = opt_einsum.contract_path(spec, *shapes, shapes=True)
    size = {opt_einsum.get_symbol(label): sizes[label] for labels in operands for label in labels}
    for _, _, pair, *_ in info.contraction_list:
        plan.check(node, tuple(size[letter] for letter in pair.partition("->")[2]))
    return lambda arrays: np.asarray(opt_einsum.contract(spec, *arrays, optimize=path))


def _letters(labels: Iterable[int]) -> str:
    """The labels as opt_einsum's letters, of which there are many."""
    return "".join(map(opt_einsum.get_symbol, labels))


# ------------------------------------------------------------------ sums


def plan_sum(node: Sum, plan: Plan) -> tuple[Form, Step]:
    """The terms, added into one buffer: a delta of one term is a diagonal of it, a delta of all terms is held apart."""
    sizes = plan.shape(node.dims)
    joins, labels = [], []
    for term in node.terms:
        joined = Joined(len(sizes))
        attached = joined.attach(plan.forms[term.node], term.labels)
        joins.append([joined.find(axis) for axis in range(len(sizes))])
        labels.append([joined.find(label) for label in attached])
    first: dict[tuple[int, ...], int] = {}
    out = [first.setdefault(tuple(join[axis] for join in joins), axis) for axis in range(len(sizes))]
    groups = list(dict.fromkeys(out))
    form = formed(out, groups, sizes)
    coefs = [_weak(term.coef, "a coefficient of a sum") for term in node.terms]
    places = [[join[group] for group in groups] for join in joins]
    full = [k for k, own in enumerate(labels) if len(set(own)) == len(groups)]

    def step(cores: list[Numbers]) -> Numbers:
        dtype = np.result_type(plan.real, *cores, *coefs)
        if full:
            start = np.multiply(_aligned(cores[full[0]], labels[full[0]], places[full[0]]), coefs[full[0]], dtype=dtype)
            buffer = np.asarray(start)
        else:
            buffer = np.zeros(form.core, dtype)
        for k, core in enumerate(cores):
            if full and k == full[0]:
                continue
            wanted = list(dict.fromkeys(places[k]))
            _add(_diagonal(buffer, places[k], wanted), _aligned(core, labels[k], wanted), coefs[k])
        return buffer

    return form, step


def _add(target: Numbers, value: Numbers, coef: float | complex) -> None:
    """`target += coef*value`, in place."""
    if coef == 1:
        np.add(target, value, out=target)
    elif coef == -1:
        np.subtract(target, value, out=target)
    else:
        np.add(target, value * coef, out=target)


# ------------------------------------------------------------------ functions


def plan_elementwise(node: Elementwise, plan: Plan) -> tuple[Form, Step]:
    """The row's function, of the arguments where they are not constant."""
    row = elementwise_row(node.fn)
    sizes = plan.shape(node.dims)
    joined = Joined(len(sizes))
    opened = [plan.without_delta(arg.node) for arg in node.args]
    labels = [joined.attach(form, arg.labels) for (form, _), arg in zip(opened, node.args, strict=True)]
    wanted = sorted({label for own in labels for label in own})

    def step(cores: list[Numbers]) -> Numbers:
        args = [_aligned(make(core), own, wanted) for core, own, (_, make) in zip(cores, labels, opened, strict=True)]
        only_real(node.fn, row.holomorphic, args)
        return plan.cast(row.numpy(*args, *node.params))

    return formed(range(len(sizes)), wanted, sizes), step


def plan_reduction(node: Reduction, plan: Plan) -> tuple[Form, Step]:
    """The row's function, along the axes."""
    row, whole_child = reduction_row(node.fn), plan.dense(node.child)

    def step(cores: list[Numbers]) -> Numbers:
        array = whole_child(cores[0])
        only_real(node.fn, row.holomorphic, [array])
        try:
            return plan.cast(row.numpy(array, node.axes, *node.params))
        except ValueError:
            if array.size:
                raise
            raise InputError(
                f"evaluate {node.fn}", f"it has no value for nothing, and its argument has shape {array.shape}", ""
            ) from None

    return whole(plan.shape(node.dims)), step


def plan_matrix(node: Matrix, plan: Plan) -> tuple[Form, Step]:
    """The row's function of whole matrices; where it has no value, an error that names it."""
    opened, row = [plan.dense(child) for child in node.children], matrix_row(node.fn)
    params = tuple(number_of(value, plan.sizes) for value in node.params)

    def step(cores: list[Numbers]) -> Numbers:
        arrays = [plan.cast(make(core)) for make, core in zip(opened, cores, strict=True)]
        only_real(node.fn, row.holomorphic, arrays)
        common = np.result_type(*arrays)
        try:
            return plan.cast(matrix_numbers(node, [array.astype(common, copy=False) for array in arrays], params))
        except np.linalg.LinAlgError as error:
            raise InputError(f"evaluate {node.fn}", f"it has no value: {error}", f"it takes {row.domain}") from None

    return whole(plan.shape(node.dims)), step


def only_real(fn: str, holomorphic: bool, args: Iterable[Numbers]) -> None:
    """Complex numbers reach only functions that are holomorphic, or it is an error."""
    if not holomorphic:
        for arg in args:
            if np.iscomplexobj(arg):
                raise InputError(
                    f"evaluate {fn}", f"its argument is {arg.dtype}, and {fn} takes real numbers", "give real inputs"
                )


def plan_regroup(node: Regroup, plan: Plan) -> tuple[Form, Step]:
    """Axes are split by a reshape, ordered by a transpose and joined by a reshape."""
    sizes = plan.shape(node.sizes)
    whole_child, shape = plan.dense(node.child), plan.shape(node.dims)
    inner = [label for group in node.inner for label in group]
    outer = [label for group in node.outer for label in group]
    split = [sizes[label] for label in inner]
    axes = [inner.index(label) for label in outer]
    return whole(shape), lambda cores: whole_child(cores[0]).reshape(split).transpose(axes).reshape(shape)


def plan_call(node: Call, plan: Plan) -> tuple[Form, Step]:
    """The function that was given by this name, or the array of a named gradient."""
    title, shape = node.name, plan.shape(node.dims)
    asked = f"evaluate {title}"
    given = plan.functions.get(title)
    array_will_do = title == node.function.gradient
    instead = f"give {title}=..., a function of {len(node.children)} array(s) with values of shape {shape}"
    if array_will_do:
        instead += ", or an array of that shape"
    if given is None:
        raise InputError(asked, "no numbers were given for it", instead)
    if not callable(given) and not array_will_do:
        raise InputError(asked, f"it depends on its arguments, and an array of shape {given.shape} was given", instead)
    opened = [plan.dense(child) for child in node.children]

    def step(cores: list[Numbers]) -> Numbers:
        args = [_read_only(make(core)) for make, core in zip(opened, cores, strict=True)]
        value = to_array(given(*args), title) if callable(given) else given
        if value.shape != shape:
            raise InputError(asked, f"its value has shape {value.shape}, and should have {shape}", instead)
        return _read_only(plan.cast(value))

    return whole(shape), step


PLANNERS: dict[type[Node], Callable[[Any, Plan], tuple[Form, Step]]] = {
    Variable: plan_variable,
    Product: plan_product,
    Sum: plan_sum,
    Constant: plan_constant,
    Regroup: plan_regroup,
    Elementwise: plan_elementwise,
    Reduction: plan_reduction,
    Matrix: plan_matrix,
    Call: plan_call,
    Definition: plan_definition,
}
