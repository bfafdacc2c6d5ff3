"""Compiled functions in JAX and PyTorch: one row a library. A function is the source of its program, at fixed sizes.

Only shapes are read, so that tracers and tensors that record gradients pass through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from indexcalc import later
from indexcalc.engine.bind.declared import check_declared
from indexcalc.engine.bind.given import wanted_of
from indexcalc.engine.bind.labelled import is_labelled
from indexcalc.engine.bind.own import with_own
from indexcalc.engine.compile.compiled import INSTEAD, MOST_PLANS, Compiled
from indexcalc.engine.compile.shard import Sharding
from indexcalc.engine.compile.source import SourceModule, module
from indexcalc.engine.emit.patterns import check_real, complex_values
from indexcalc.engine.emit.source.targets import MASKED, TARGETS
from indexcalc.engine.limits import most_bytes, refuse_over, require_fit
from indexcalc.engine.measure import peak_entries
from indexcalc.engine.plan.plan import Options, path_finder
from indexcalc.engine.program import Invoke, Program
from indexcalc.engine.report import Plan
from indexcalc.engine.wanted import Evaluable
from indexcalc.errors import InputError, did_you_mean
from indexcalc.progress import Callback, callback
from indexcalc.surface import public


class Backend(NamedTuple):
    """A library of arrays: `arrays` makes its arrays of values, all of one precision, real ones stay real.

    Integers that are told to be whole stay so.

    `numbers` gives the array as NumPy's, or None where it has no numbers yet; `faster` takes a function of arrays and
    gives a faster one; `cast` gives the function that makes arrays like this one of values: of its dtype, where it
    lies. `measured` gives the bytes that a function of these arrays needs at once beside them, as the library says once
    it has compiled it, None where it can't say; without it, the library makes each step as it comes.
    """

    name: str
    arrays: Callable[[Sequence[Any], Sequence[bool]], list[Any]]
    numbers: Callable[[Any], Any]
    faster: Callable[[Callable[..., Any]], Callable[..., Any]]
    cast: Callable[[Any], Callable[[Any], Any]]
    measured: Callable[[Callable[..., Any], Sequence[Any]], int | None] | None = None


@public
class OnBackend(Compiled):
    """A function of arrays of another library than NumPy; see `Compiled`."""

    def __init__(
        self,
        backend: Backend,
        outputs: Evaluable | Sequence[Evaluable],
        inputs: Any,
        options: Options,
        limit: int | None,
        sharding: tuple[Any, Mapping[str, str]] | None = None,
    ) -> None:
        super().__init__(outputs, inputs, options._replace(halve=False), None, limit)
        self.backend, self.target = backend, backend.name
        self.made_of = (backend.name, outputs, self.names, options, limit, sharding)
        self._ready: dict[Any, Callable[..., Any]] = {}
        self.sharding = None if sharding is None else Sharding(self.request, *sharding)

    def __call__(self, /, *arrays: Any, **named: Any) -> Any:
        """The values of the outputs: one for one, a list for a list. Named gradients and functions come by name."""
        kinds = None if named or self.request.functions else tuple([_kind(value) for value in arrays])
        known = self._ready.get(kinds)
        if known is not None:
            return known(arrays)
        function, given, keywords = self.prepare(arrays, named)
        if kinds is not None and None not in kinds and not any(map(is_labelled, arrays)):
            if len(self._ready) >= MOST_PLANS:
                self._ready.clear()
            self._ready[kinds] = self._direct(function, arrays, given)
        return function(*given, **keywords)

    def __reduce__(self) -> tuple[Any, ...]:
        if self.sharding is not None:
            found = "it lies on the devices of a mesh, which are no others elsewhere"
            raise InputError(self.request.asked, found, "compile it where it runs")
        return _on_backend, self.made_of, self.sizes

    def _direct(self, function: Callable[..., Any], arrays: Sequence[Any], given: Sequence[Any]) -> Callable[..., Any]:
        """The function of a tuple of arrays of the kinds of these, of which the program takes `given`."""
        if all(one is other for one, other in zip(arrays, given, strict=True)):
            return lambda values: function(*values)
        casts = [None if one is other else self.backend.cast(other) for one, other in zip(arrays, given, strict=True)]
        shapes, sharding, names = [value.shape for value in given], self.sharding, self.names

        def run(values: Sequence[Any]) -> Any:
            made = [x if f is None else f(x).reshape(s) for x, f, s in zip(values, casts, shapes, strict=True)]
            return function(*(made if sharding is None else sharding.placed(names, made, {})))

        return run

    def lower(self, *arrays: Any) -> Any:
        """JAX's `Lowered` of the function at these shapes: `.compile().as_text()` is the program that runs."""
        function, given, _ = self.prepare(arrays, {})
        if not hasattr(function, "lower"):
            raise InputError(self.request.asked, f"nothing is lowered under {self.backend.name}", 'backend="jax"')
        return function.lower(*given)

    def prepare(self, arrays: Sequence[Any], named: Mapping[str, Any]) -> tuple[Callable[..., Any], list[Any], Any]:
        """The function for these shapes, the arrays in its library, and what it takes by name."""
        arrays = self.request.unlabelled(arrays)
        shapes = [_shape(value) for value in arrays]
        stand_ins = [np.broadcast_to(np.float64(0), shape) for shape in shapes]
        bound, sizes, functions = self.request.bound(stand_ins, named)
        self._extents = sizes
        whole = [name in self.request.whole for name in self.names]
        held = {variable.label: stand_in.shape for variable, stand_in in bound.items()}
        ready = [
            value if value.shape == held[name] else value.reshape(held[name])
            for name, value in zip(self.names, self.backend.arrays(arrays, whole), strict=True)
        ]
        mixed = tuple(name for name, value in zip(self.names, ready, strict=True) if "complex" in str(value.dtype))
        key = (tuple(value.shape for value in ready), tuple(sorted(sizes.items())), mixed)
        if key not in self._programs:
            self._declared(ready)
            self._make(key, sizes, mixed, ready)
        function, self._plan = self._programs[key]
        if self.sharding is not None:
            ready = self.sharding.placed(self.names, ready, sizes)
        return function, ready, self._functions(self._plan, functions, ready)

    def _make(self, key: Any, sizes: Mapping[str, int], mixed: Sequence[str], arrays: Sequence[Any]) -> None:
        program = self._program(sizes, not mixed)
        check_real(program, complex_values(program, mixed or None), "complex")
        itemsize = max((value.dtype.itemsize for value in arrays), default=8)
        peak = peak_entries(program) * itemsize
        if not self.backend.measured:
            require_fit(program, peak, itemsize, self.limit, self.request.asked, INSTEAD)
        written = self._written(program, mixed)
        space: dict[str, Any] = {}
        exec(compile(written.text, "<indexcalc program>", "exec"), space)
        made = space["program"] if self.request.functions else self.backend.faster(space["program"])
        if self.backend.measured:
            peak = self.backend.measured(made, arrays) or peak
            found = f"as {self.backend.name} says after it has compiled the program"
            refuse_over(peak, self.limit, itemsize, self.request.asked, found, INSTEAD)
        self._programs[key] = made, Plan(program, written.kernels, peak, program.notes)

    def _written(self, program: Program, mixed: Sequence[str] = ()) -> SourceModule:
        target = TARGETS[self.backend.name] if self.sharding is None else MASKED
        return module(self.request, program, target, "program", complex_inputs=mixed)

    def plan_for(self, sizes: Mapping[str, int]) -> None:
        """Plans for these sizes, by symbol."""
        self.sizes = self.request.sizes(sizes)
        if not self.request.settled(self.sizes):
            return
        program, self._extents = self._program(self.sizes), self.sizes
        peak = 8 * peak_entries(program)
        if not self.backend.measured:
            require_fit(program, peak, 8, self.limit, self.request.asked, INSTEAD)
        self._plan = Plan(program, self._written(program).kernels, peak, program.notes)

    def _declared(self, arrays: Sequence[Any]) -> None:
        """The arrays that have numbers are what their tensors were declared."""
        by_label = {variable.label: variable for variable in self.request.used}
        for name, array in zip(self.names, arrays, strict=True):
            if name in by_label and by_label[name].assumptions:
                numbers = self.backend.numbers(array)
                if numbers is not None:
                    check_declared({by_label[name]: numbers})

    def _functions(self, plan: Plan, given: Mapping[str, Any], arrays: Sequence[Any]) -> dict[str, Any]:
        """The functions that were given, each checked for the shape of its value, which gets the inputs' precision."""
        steps = [step for step in plan.program.steps if isinstance(step, Invoke)]
        if not steps:
            return {}
        given = with_own(given, self.request.functions, self.backend.name)
        cast = self.backend.cast(arrays[0].real if "complex" in str(arrays[0].dtype) else arrays[0])
        return {step.title: _checked(step, given, cast) for step in steps}


def _checked(step: Invoke, given: Mapping[str, Any], cast: Callable[[Any], Any]) -> Any:
    """What was given for a function: each value is checked, in its precision; an array for a named gradient."""
    asked, value = f"evaluate {step.title}", given.get(step.title)
    instead = wanted_of(step.title, len(step.uses), step.own if step.mapped else step.shape, bool(step.mapped))
    if value is None:
        raise InputError(asked, "no numbers were given for it", instead)
    if not callable(value) and not step.array_will_do:
        raise InputError(asked, "it depends on its arguments, and an array was given", instead)

    def checked(made: Any, due: tuple[int, ...]) -> Any:
        if _shape(made) != due:
            raise InputError(asked, f"its value has shape {_shape(made)}, and should have {due}", instead)
        return made if "complex" in str(getattr(made, "dtype", "")) else cast(made)

    if not callable(value):
        return checked(value, step.shape)

    def call(*args: Any) -> Any:
        due = np.broadcast_shapes(*map(_shape, args)) if step.entrywise else step.own
        return checked(value(*args), due)

    return call


def _shape(value: Any) -> tuple[int, ...]:
    return tuple(value.shape) if hasattr(value, "shape") else np.shape(value)


def _kind(value: Any) -> Any:
    """What decides, with those of the other arrays, which program is run, and how its arrays are made; None: look."""
    if hasattr(value, "dtype"):
        return type(value), value.shape, value.dtype
    return type(value) if _plain(value) else None


def _plain(value: Any) -> bool:
    return isinstance(value, bool | int | float | complex)


# ------------------------------------------------------------------ JAX


def _jax_arrays(values: Sequence[Any], whole: Sequence[bool]) -> list[Any]:
    """Arrays of one precision; integers become floats, and a Python number takes the precision of the others."""
    import jax.numpy as jnp

    made = [value if _plain(value) else jnp.asarray(value) for value in values]
    kept = [own and not _plain(x) and jnp.issubdtype(x.dtype, jnp.integer) for x, own in zip(made, whole, strict=True)]
    default = jnp.result_type(float)
    common = jnp.result_type(*[x.dtype if jnp.issubdtype(x.dtype, jnp.inexact) else default
                               for x, own in zip(made, kept, strict=True) if not _plain(x) and not own]
                             or [default])  # fmt: skip
    real = jnp.zeros((), common).real.dtype
    double = jnp.result_type(real, jnp.complex64)
    dtypes = [double if isinstance(x, complex) or (not _plain(x) and jnp.iscomplexobj(x)) else real for x in made]
    return [
        x if own or (not _plain(x) and x.dtype == dtype) else jnp.asarray(x, dtype)
        for x, dtype, own in zip(made, dtypes, kept, strict=True)
    ]


def _jax_numbers(array: Any) -> Any:
    import jax

    if isinstance(array, jax.core.Tracer) or not getattr(array, "is_fully_addressable", True):
        return None
    return np.asarray(array)


def _jit(function: Callable[..., Any]) -> Callable[..., Any]:
    import jax

    made: Callable[..., Any] = jax.jit(function)
    return made


def _jax_memory(function: Callable[..., Any], arrays: Sequence[Any]) -> int | None:
    """What XLA has planned; under a transform, and for functions that are given, there is nothing compiled yet."""
    import jax

    if not hasattr(function, "lower") or any(isinstance(array, jax.core.Tracer) for array in arrays):
        return None
    shaped: Any = jax.ShapeDtypeStruct
    shapes = [shaped(array.shape, array.dtype) if hasattr(array, "dtype") else array for array in arrays]
    found = function.lower(*shapes).compile().memory_analysis()  # of arrays on one device, however they are spread
    return None if found is None else int(found.temp_size_in_bytes + found.output_size_in_bytes)


def _jax_cast(like: Any) -> Callable[[Any], Any]:
    import jax

    dtype = like.dtype
    return lambda value: value.astype(dtype) if isinstance(value, jax.Array) else np.asarray(value, dtype)


# ------------------------------------------------------------------ PyTorch


def _torch_arrays(values: Sequence[Any], whole: Sequence[bool]) -> list[Any]:
    """Tensors of one precision, on the device of those that are tensors; integers become float64."""
    import torch

    device = next((value.device for value in values if isinstance(value, torch.Tensor)), None)
    own: list[Any] = [np.array(x) if isinstance(x, np.ndarray) and not x.flags.writeable else x for x in values]
    made = [value if _plain(value) else torch.as_tensor(value, device=device) for value in own]
    floats = [not _plain(x) and (x.dtype.is_floating_point or x.dtype.is_complex) for x in made]
    kept = [own and not f and not _plain(x) for x, own, f in zip(made, whole, floats, strict=True)]
    dtypes = [
        x.dtype if f else torch.float64
        for x, f, own in zip(made, floats, kept, strict=True) if not _plain(x) and not own
    ]  # fmt: skip
    common = dtypes[0] if dtypes else torch.float64
    for dtype in dtypes:
        common = torch.promote_types(common, dtype)
    real = torch.zeros((), dtype=common).real.dtype
    double = torch.promote_types(real, torch.complex64)
    return [
        x if own else
        torch.as_tensor(x, dtype=double if isinstance(x, complex) or (not _plain(x) and x.is_complex()) else real,
                        device=device)
        for x, own in zip(made, kept, strict=True)
    ]  # fmt: skip


def _torch_numbers(array: Any) -> Any:
    try:
        return array.detach().cpu().numpy()
    except RuntimeError:  # within a transform of torch.func
        return None


def _torch_cast(like: Any) -> Callable[[Any], Any]:
    import torch

    dtype, device = like.dtype, like.device

    def cast(value: Any) -> Any:
        own = np.array(value) if isinstance(value, np.ndarray) and not value.flags.writeable else value
        return torch.as_tensor(own, dtype=dtype, device=device)

    return cast


BACKENDS: dict[str, Backend] = {
    row.name: row
    for row in (
        Backend("jax", _jax_arrays, _jax_numbers, _jit, _jax_cast, _jax_memory),
        Backend("torch", _torch_arrays, _torch_numbers, lambda function: function, _torch_cast),
    )
}


def _on_backend(name: str, *made_of: Any) -> OnBackend:
    """A function that was pickled."""
    _there(name)
    return OnBackend(BACKENDS[name], *made_of)


def _there(backend: str) -> None:
    """The library is there, or an error says how to get it."""
    if find_spec(backend) is None:
        instead = f'pip install "indexcalc[{backend}]"'
        raise InputError(f"compile with backend={backend!r}", f"{backend} is not installed", instead)


@partial(public, name="compile")
def _fits(asked: str, backend: str, order: str | None, mesh: Any, shard: Any) -> None:
    """The backend has such an order of results and such a mesh, or an error says which has."""
    if order not in (None, "C", "K") or (order == "C" and backend != "numpy"):
        raise InputError(asked, f"order={order!r}", 'write "C" under NumPy, or leave it out for any strides')
    if (mesh is None) != (shard is None) or (mesh is not None and backend != "jax"):
        found = f"mesh={mesh!r} and shard={shard!r} with backend={backend!r}"
        raise InputError(asked, found, 'write backend="jax", mesh=mesh, shard={"n": "data"}, all three')


@public
def compile_expressions(
    outputs: Evaluable | Sequence[Evaluable],
    inputs: Evaluable | Sequence[Evaluable],
    *,
    backend: str = "numpy",
    sizes: Mapping[str, int] | None = None,
    order: str | None = None,
    optimize: Any = None,
    reassociate: str = "full",
    memory_limit: int | float | str | None = None,
    mesh: Any = None,
    shard: Mapping[str, Any] | None = None,
    progress: Callback | None = None,
) -> Compiled:
    """A function of arrays that computes the outputs, fast: one in, one out; a list, a list.

    `backend` is the library whose arrays it takes and gives: "numpy", "jax" (jit, vmap and grad pass through it),
    "torch" (autograd passes through it, on CPU or CUDA) or "dask" (arrays larger than memory). Under JAX `mesh` and
    `shard`, say `{"n": "data"}`, lay dimensions along the axes of a mesh of devices.

    One program is made for all outputs together: contraction orders, shared work, kernels and buffers are chosen when
    the sizes are known, at the first call or from `sizes` by symbol, and kept for further calls. A call takes from
    `sizes` what no input fixes. Results may have any strides unless `order="C"`. `optimize` is what opt_einsum takes
    and fixes each product's own order. `reassociate="safe"` multiplies no difference out, and simplifies nothing.

    What takes more than `memory_limit` at once beside its inputs, bytes or a text such as "4GB" (half of the machine's
    memory), is an error before anything is computed: as counted under NumPy and PyTorch, as XLA says once it has
    compiled under JAX, and under dask for a block in each worker (`num_workers` in dask's configuration, or one a
    core). Inputs are trusted to be what their tensors were declared, after a check at the first call with new sizes.
    While a program is planned `progress` is called with how many nodes are done, of how many, and that word.

    >>> import indexcalc as ic
    >>> X, w, y = ic.tensor("X", "n d"), ic.tensor("w", "d"), ic.tensor("y", "n")
    >>> loss = ((X @ w - y)**2).sum()
    >>> f = ic.compile([loss, ic.grad(loss, w)], (X, w, y))
    >>> f(np.eye(2), np.array([1.0, 2.0]), np.zeros(2))
    [np.float64(5.0), array([2., 4.])]
    """
    asked = "compile"
    listener = callback(progress, asked)
    _fits(asked, backend, order, mesh, shard)
    options = Options(path_finder(optimize, asked), reassociate)
    limit = None if memory_limit is None else most_bytes(memory_limit, asked)
    if backend == "numpy":
        made = Compiled(outputs, inputs, options, order, limit)
    elif backend in BACKENDS:
        _there(backend)
        sharding = None if mesh is None or shard is None else (mesh, shard)
        made = OnBackend(BACKENDS[backend], outputs, inputs, options, limit, sharding)
    elif backend == "dask":
        _there(backend)
        made = later.OnDask(outputs, inputs, options, None, limit)
    else:
        raise InputError(asked, f"backend={backend!r}", did_you_mean(str(backend), ["numpy", *BACKENDS, "dask"]))
    made.progress = listener
    if sizes is not None:
        made.plan_for(sizes)
    return made
