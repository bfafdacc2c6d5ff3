"""The languages that source is written in: one row a library of arrays, with what differs between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from indexcalc.engine.emit.source.python_text import ATOM, SIGN, SUM, PythonText
from indexcalc.engine.program import Add, Apply, Contract, Map, Reduce, Solve, Step
from indexcalc.errors import InputError, did_you_mean


class Diagonal(NamedTuple):
    """A part of a sum that does not cover it: a name for each axis of the sum, and its entries, see `entries`.

    It lies on a diagonal, where a name comes twice, of the part of the sum that `where` says in brackets, of all of it
    if that is empty.
    """

    places: tuple[str, ...]
    text: PythonText
    where: str = ""


class Target(NamedTuple):
    """How a library writes what its peers write otherwise.

    `permute.format(x=..., axes=...)` puts axes in order. `like` is what makes a new array have the dtype (and device)
    of the inputs; `dtype` gives the line for it, from names of inputs and whether there are complex numbers. `copy`
    makes an array of a view. `rational(step)` says that the code of a step does not take integers, or not as exactly as
    floats; `floats` is the line that makes floats of `names` then.
    `diagonals(name, base, parts, shape, sizes)` gives the lines that make `name` the sum of an array, if there is one,
    and of parts that do not cover it; `entries(places)` is the order of the axes of such a part.
    `mapped(name, signature, samples)` is a function that is called for each sample: see `Invoke`.
    """

    name: str
    module: str
    permute: str
    like: str
    dtype: Callable[[Sequence[str], bool], str]
    copy: str
    floats: str
    rational: Callable[[Step], bool]
    diagonals: Callable[[str, PythonText | None, Sequence[Diagonal], str, Mapping[str, str]], list[str]]
    entries: Callable[[Sequence[str]], list[str]]
    mapped: Callable[[str, str, Sequence[int]], str]


# ------------------------------------------------------------------ dtypes


def _numpy_dtype(names: Sequence[str], whole: bool) -> str:
    if not names:
        return f"dtype = {'complex' if whole else 'float'}"
    return f"dtype = np.result_type({', '.join([*names, 'np.complex64' if whole else 'np.float32'])})"


def _jax_dtype(names: Sequence[str], whole: bool) -> str:
    return _numpy_dtype(names, whole).replace("np.", "jnp.")


def _torch_dtype(names: Sequence[str], whole: bool) -> str:
    if not names:
        return f"like = {{'dtype': torch.{'complex128' if whole else 'float64'}}}"
    dtype = f"{names[0]}.dtype"
    if whole:
        dtype = f"torch.promote_types({dtype}, torch.complex64)"
    return f"like = {{'dtype': {dtype}, 'device': {names[0]}.device}}"


# ------------------------------------------------------------------ sums with parts on diagonals


def _distinct(places: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(places))


def _twice(places: Sequence[str]) -> list[str]:
    return [axis for axis in _distinct(places) if places.count(axis) > 1]


def _views(
    name: str, base: PythonText | None, parts: Sequence[Diagonal], shape: str, sizes: Mapping[str, str]
) -> list[str]:
    """A diagonal, or a part, is a view of the result, written or added to."""
    lines = [f"{name} = np.zeros({shape}, dtype)" if base is None else f"{name} = {base.code}"]
    for k, (places, text, where) in enumerate(parts):
        letters = dict(zip(_distinct(places), "ijklmnopqrstuvwxyz", strict=False))
        view = f"{''.join(letters[x] for x in places)}->{''.join(letters.values())}"
        target = f"{name}{where}" if len(letters) == len(places) else f"np.einsum('{view}', {name}{where})[...]"
        if base is None and not k:
            lines.append(f"{target} = {text.code}")
        elif text.level == SIGN:
            lines.append(f"{target} -= {text.code[1:]}")
        else:
            lines.append(f"{target} += {text.code}")
    return lines


def _indexed(
    name: str, base: PythonText | None, parts: Sequence[Diagonal], shape: str, sizes: Mapping[str, str]
) -> list[str]:
    """A diagonal is indexed by one range twice; several ranges are laid out as a grid."""
    code = f"jnp.zeros({shape}, dtype)" if base is None else base.at(ATOM)
    lines = []
    for k, (places, text, _) in enumerate(parts):
        index, twice = {}, _twice(places)
        for n, axis in enumerate(twice):
            grid = "" if len(twice) == 1 else f"[{', '.join(':' if n == m else 'None' for m in range(len(twice)))}]"
            index[axis] = f"{name}_{'ijklmnop'[n]}{k or ''}"
            lines.append(f"{index[axis]} = jnp.arange({sizes[axis]}){grid}")
        where = ", ".join(index.get(axis, ":") for axis in places)
        code += f".at[{where}].{'set' if base is None and not k else 'add'}({text.code})"
    return [*lines, f"{name} = {code}"]


def _index_order(places: Sequence[str]) -> list[str]:
    """Ranges that are indices side by side put their grid there; others put it first."""
    twice = _twice(places)
    rest = [axis for axis in _distinct(places) if axis not in twice]
    at = [n for n, axis in enumerate(places) if axis in twice]
    before = [] if at[-1] - at[0] >= len(at) else [axis for axis in rest if places.index(axis) < at[0]]
    return [*before, *twice, *(axis for axis in rest if axis not in before)]


def _masked(
    name: str, base: PythonText | None, parts: Sequence[Diagonal], shape: str, sizes: Mapping[str, str]
) -> list[str]:
    """What is off the diagonal is masked: no device needs what another one has."""
    terms = [] if base is None else [base.at(SUM)]
    for places, text, _ in parts:
        masks = []
        for axis in _twice(places):
            first, *others = (n for n, x in enumerate(places) if x == axis)
            for other in others:
                where = ", ".join(":" if n in (first, other) else "None" for n in range(len(places)))
                masks.append(f"jnp.eye({sizes[axis]}, dtype=bool)[{where}]")
        where = ", ".join("None" if x in places[:n] else ":" for n, x in enumerate(places))
        terms.append(f"jnp.where({' & '.join(masks)}, {text.at(ATOM)}[{where}], 0)")
    made = " + ".join(terms)
    return [f"{name} = {made if base is not None else f'jnp.broadcast_to({made}, {shape})'}"]


def _folds(places: Sequence[str]) -> tuple[list[str], list[tuple[int, int]]]:
    """The axes of an array, and the pairs of axes along whose diagonals its last one is laid, the last pair first."""
    left, pairs = list(places), []
    while twice := _twice(left):
        second = len(left) - 1 - left[::-1].index(twice[0])
        first = second - 1 - left[:second][::-1].index(twice[0])
        pairs.append((first, second))
        left = [x for n, x in enumerate(left) if n not in (first, second)] + [twice[0]]
    return left, pairs


def _embedded(
    name: str, base: PythonText | None, parts: Sequence[Diagonal], shape: str, sizes: Mapping[str, str]
) -> list[str]:
    """The last axis of an array is laid along the diagonal of two axes, again and again."""
    terms = [] if base is None else [base.at(SUM)]
    for places, text, _ in parts:
        _, pairs = _folds(places)
        closing = "".join(f", 0, {first}, {second})" for first, second in reversed(pairs))
        terms.append("torch.diag_embed(" * len(pairs) + text.code + closing)
    return [f"{name} = {' + '.join(terms)}"]


# ------------------------------------------------------------------ functions of samples


def _vectorized(module: str) -> Callable[[str, str, Sequence[int]], str]:
    """The function with a signature of its own axes, as NumPy and JAX have it."""
    return lambda name, signature, samples: f'{module}.vectorize({name}, signature="{signature}")'


def _vmapped(name: str, signature: str, samples: Sequence[int]) -> str:
    """The function mapped once for each axis of samples; an argument without them is passed on."""
    dims = "" if all(samples) else f", in_dims=({', '.join('0' if own else 'None' for own in samples)})"
    for _ in range(max(samples)):
        name = f"torch.vmap({name}{dims})"
    return name


# ------------------------------------------------------------------ integers


def _takes_parameters(step: Step) -> bool:
    """Functions with parameters, powers below -1, and what is scaled by its largest entry."""
    if isinstance(step, Map) and step.fn == "**":
        return step.params[0] < -1  # type: ignore[operator]
    return isinstance(step, Reduce) or (isinstance(step, Map) and bool(step.params))


def _is_function(step: Step) -> bool:
    """All functions but whole powers."""
    if isinstance(step, Map) and step.fn == "**":
        return not isinstance(step.params[0], int) or step.params[0] < 0
    return isinstance(step, Map | Reduce | Apply | Solve)


def _is_no_sum_of_integers(step: Step) -> bool:
    """All but sums and products: PyTorch has no float64 of an int64, and multiplies no integers by floats."""
    coefs = [part.coef for part in step.parts] if isinstance(step, Add) else []
    coefs += [step.coef] if isinstance(step, Contract) else []
    return _is_function(step) or not all(isinstance(coef, int) for coef in coefs)


# ------------------------------------------------------------------ rows

TARGETS = {
    row.name: row
    for row in (
        Target("numpy", "np", "np.transpose({x}, {axes})", "dtype", _numpy_dtype, ".copy()",
               "{names} = (a if a.dtype.kind in 'fc' else a.astype(float) for a in map(np.asarray, {tuple}))",
               _takes_parameters, _views, _distinct, _vectorized("np")),
        Target("jax", "jnp", "jnp.transpose({x}, {axes})", "dtype", _jax_dtype, "",
               "{names} = (jnp.asarray(a, jnp.result_type(a, float)) for a in {tuple})",
               _is_function, _indexed, _index_order, _vectorized("jnp")),
        Target(
            "torch", "torch", "torch.permute({x}, {axes})", "**like", _torch_dtype, ".clone()",
            "{names} = (a if a.is_floating_point() or a.is_complex() else a.double() for a in {tuple})",
            _is_no_sum_of_integers,
            _embedded, lambda places: _folds(places)[0], _vmapped,
        ),
    )
}  # fmt: skip


MASKED = TARGETS["jax"]._replace(diagonals=_masked, entries=_distinct)
"""JAX beside other terms, which XLA adds in the same loop, and on several devices, where an array that is written by
index would be gathered before.
"""


def target_of(name: str) -> Target:
    """The row of a target; an unknown one is an error that lists them."""
    if name not in TARGETS:
        raise InputError("to_source", f"target={name!r}", did_you_mean(str(name), TARGETS))
    return TARGETS[name]
