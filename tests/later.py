"""JAX, imported when one of its functions is first called: random expressions are drawn without it."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Later:
    """A function of a library, or a part that has functions, by its dotted name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Later:
        if name.startswith("__"):
            raise AttributeError(name)
        return Later(f"{self._name}.{name}")

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        place, _, name = self._name.rpartition(".")
        return getattr(import_module(place), name)(*args, **keywords)


jax, jnp = Later("jax"), Later("jax.numpy")
