"""Several devices: named dimensions go to the axes of a mesh, and JAX's partitioner does the rest.

An input that has a sharded dimension is split along it, one that has none is copied to every device. A collective is
needed only where a sharded index is summed, or where two arrays that are split differently meet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from indexcalc.engine.bind.request import Request
from indexcalc.errors import DimensionError, InputError, KindError, did_you_mean
from indexcalc.index import Dim

Axes = str | tuple[str, ...]


class Sharding:
    """Where the inputs of a request lie: `shard` maps symbols of dimensions to the axes of `mesh`."""

    def __init__(self, request: Request, mesh: Any, shard: Mapping[str, Axes]) -> None:
        import jax

        self.asked = request.asked
        if not isinstance(mesh, jax.sharding.Mesh):
            instead = 'give a jax.sharding.Mesh, as jax.make_mesh((8,), ("data",))'
            raise KindError(self.asked, f"mesh={mesh!r} is no mesh of devices", instead)
        self.mesh = jax.sharding.Mesh(mesh.devices, mesh.axis_names)  # of axes along which the partitioner decides
        self.dims = {variable.label: variable.dims for variable in (*request.inputs, *request.used)}
        symbols = {s for dims in self.dims.values() for dim in dims if isinstance(dim, Dim) for s in dim.symbols}
        if not isinstance(shard, Mapping):
            raise KindError(self.asked, f"shard={shard!r}", 'give mesh axes by dimension, shard={"n": "data"}')
        for symbol, axes in shard.items():
            if symbol not in symbols:
                raise InputError(self.asked, f"shard: no dimension {symbol}", did_you_mean(symbol, symbols))
            for axis in _tuple(axes):
                if axis not in mesh.axis_names:
                    found = f"shard={{{symbol!r}: {axes!r}}}: the mesh has no axis {axis!r}"
                    raise InputError(self.asked, found, f"its axes are {', '.join(mesh.axis_names)}")
        self.shard = {symbol: _tuple(axes) for symbol, axes in shard.items()}
        self.specs = {name: self._spec(name) for name in request.names}

    def _spec(self, name: str) -> Any:
        import jax

        places = [self.shard.get(str(dim)) for dim in self.dims[name]]
        used = [axis for axes in places for axis in axes or ()]
        for axis in used:
            if used.count(axis) > 1:
                both = [str(dim) for dim, axes in zip(self.dims[name], places, strict=True) if axis in (axes or ())]
                raise InputError(
                    self.asked,
                    f"shard: {name} has the mesh axis {axis!r} along two of its axes ({', '.join(both)})",
                    "give these dimensions different mesh axes, or shard one of them",
                )
        spec: Any = jax.sharding.PartitionSpec
        return spec(*places)

    def placed(self, names: Sequence[str], arrays: Sequence[Any], sizes: Mapping[str, int]) -> list[Any]:
        """The arrays where they belong; a size that its mesh axis does not divide is an error."""
        import jax

        for symbol, axes in self.shard.items():
            parts = 1
            for axis in axes:
                parts *= self.mesh.shape[axis]
            if symbol in sizes and sizes[symbol] % parts:
                raise DimensionError(
                    self.asked,
                    f"{symbol} is {sizes[symbol]}, and {parts} devices along {', '.join(axes)} do not divide it",
                    f"give a multiple of {parts}, or pad with rows of weight 0",
                )
        named = {name: jax.sharding.NamedSharding(self.mesh, spec) for name, spec in self.specs.items()}
        return [jax.device_put(array, named[name]) for name, array in zip(names, arrays, strict=True)]


def _tuple(axes: Axes) -> tuple[str, ...]:
    return (axes,) if isinstance(axes, str) else tuple(axes)
