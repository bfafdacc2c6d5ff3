"""JAX and PyTorch: their side of `xp`, over which a loss is written once, and their ways to ask for a derivative."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Call = Callable[[], Any]


class Jax:
    """JAX's side: what a name means in its NumPy, in its functions of networks, or here."""

    def __init__(self) -> None:
        import jax
        from jax import numpy as jnp

        jax.config.update("jax_enable_x64", True)
        self.jax, self.places = jax, (jnp, jax.nn, jnp.linalg, jax.scipy.special)
        self.logdet = lambda A: jnp.linalg.slogdet(A)[1]
        self.softmax = lambda z: jax.nn.softmax(z, axis=-1)
        self.logsumexp = lambda z, axis=-1: jax.nn.logsumexp(z, axis=axis)
        self.gelu = lambda z: jax.nn.gelu(z, approximate=False)
        self.jacrev, self.jacfwd, self.hessian, self.vmap = jax.jacrev, jax.jacfwd, jax.hessian, jax.vmap
        self.grad, self.both, self.jvp = jax.grad, jax.value_and_grad, jax.jvp
        self.padded = lambda u: jnp.pad(u, 1)
        self.correlated = lambda x, k: jax.lax.conv(x, k, (1, 1), "VALID")

    def __getattr__(self, name: str) -> Any:
        return _found(self.places, name)

    def ready(self, form: Any, arrays: Sequence[Any]) -> Call:
        """A call, compiled the first time."""
        jitted, placed = self.jax.jit(form), [self.jax.numpy.asarray(array) for array in arrays]
        return lambda: self.jax.block_until_ready(jitted(*placed))


class Torch:
    """PyTorch's side: what a name means in it, in its functions of networks, or here."""

    def __init__(self) -> None:
        import torch
        from torch import func

        torch.set_num_threads(1)
        self.torch, self.places = torch, (torch.linalg, torch, torch.nn.functional, torch.special)
        self.logdet = lambda A: torch.linalg.slogdet(A)[1]
        self.softmax = lambda z: torch.softmax(z, -1)
        self.logsumexp = lambda z, axis=-1: torch.logsumexp(z, axis)
        self.jacrev, self.jacfwd, self.hessian, self.vmap = func.jacrev, func.jacfwd, func.hessian, func.vmap
        self.grad, self.jvp = func.grad, func.jvp
        self.padded = lambda u: torch.nn.functional.pad(u, (1, 1) * u.ndim)
        self.correlated = torch.nn.functional.conv2d

        def both(f: Any, argnums: Any) -> Any:
            made = func.grad_and_value(f, argnums=argnums)
            return lambda *arrays: made(*arrays)[::-1]

        self.both = both

    def __getattr__(self, name: str) -> Any:
        return _found(self.places, name)

    def ready(self, form: Any, arrays: Sequence[Any]) -> Call:
        """An eager call."""
        placed = [self.torch.as_tensor(np.asarray(array)) for array in arrays]
        return lambda: form(*placed)


def _found(places: Sequence[Any], name: str) -> Any:
    for place in places:
        if hasattr(place, name):
            return getattr(place, name)
    raise AttributeError(name)


def forms(xp: Any, problem: Any) -> list[Any]:
    """The ways to ask for what a problem wants."""

    def loss(*arrays: Any) -> Any:
        return problem.loss(xp, *arrays)

    by = problem.by if len(problem.by) > 1 else problem.by[0]
    if problem.kind == "gradient":
        return [xp.grad(loss, argnums=by)]
    if problem.kind == "gradient with value":
        return [lambda *arrays: _with_value(xp, problem, by, arrays)]
    if problem.kind == "value+gradient":
        return [xp.both(loss, argnums=by)]
    if problem.kind == "gradient+hessian":
        g = xp.grad(loss, argnums=by)
        seconds = [xp.hessian(loss, argnums=by), xp.jacrev(g, argnums=by)]
        return [lambda *arrays, h=h: (g(*arrays), h(*arrays)) for h in seconds]
    if problem.kind == "value-gradient":
        both = xp.both(loss, argnums=by)
        return [lambda *arrays: _negated(both(*arrays))]
    if problem.kind == "held":
        return []
    if problem.kind == "product":
        return [lambda *arrays: _product(xp, loss, by, arrays)]
    if problem.kind == "jacobian":
        made = [xp.jacrev(loss, argnums=by), xp.jacfwd(loss, argnums=by)]
    else:
        made = [
            xp.hessian(loss, argnums=by), xp.jacrev(xp.jacrev(loss, argnums=by), argnums=by),
            xp.jacfwd(xp.jacfwd(loss, argnums=by), argnums=by),
        ]  # fmt: skip
    if problem.kind == "laplacian":
        made = [lambda *arrays, form=form: xp.trace(form(*arrays)) for form in made]
    if not problem.batch:
        return made
    count = len(inspect.signature(problem.loss).parameters) - 1
    axes = (0, *[None] * (count - 1))
    return [xp.vmap(form, axes) for form in made]


def _with_value(xp: Any, problem: Any, by: Any, arrays: Sequence[Any]) -> Any:
    found = xp.grad(lambda *a: problem.loss(xp, *a)[0], argnums=by)(*arrays)
    gradients = found if isinstance(by, tuple) else (found,)
    return (problem.loss(xp, *arrays)[1], *gradients)


def _negated(found: Any) -> Any:
    value, slope = found
    return value, -slope


def _product(xp: Any, loss: Any, by: int, arrays: Sequence[Any]) -> Any:
    """The Hessian times the last array: the derivative of the gradient along it."""
    *own, x = arrays

    def slope(at: Any) -> Any:
        return xp.grad(loss, argnums=by)(*own[:by], at, *own[by + 1 :])

    return xp.jvp(slope, (own[by],), (x.reshape(own[by].shape),))[1].reshape(-1)
