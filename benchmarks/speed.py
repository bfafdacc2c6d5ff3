"""How fast compiled programs are: `python benchmarks/speed.py` prints one table. See README.md beside it."""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

import argparse
import inspect
import json
import math
import resource
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from problems import PROBLEMS
from structures import STRUCTURES

import indexcalc as ic

ROWS = (*PROBLEMS, *STRUCTURES)
ROUNDS, LEAST = 25, 3
"""Rounds in which each column is called, and the fewest of them where the time is up."""
COLUMNS = ("numpy", "jax", "torch", "jax jit", "torch.func")
PEERS = {"jax": "jax jit", "torch": "torch.func"}
"""A column of ours and what it is compared with in the same process."""
HEAP = 28 * 2**20 // 8
"""Entries of 28 MiB: malloc keeps blocks below the largest that was freed, up to 32 MiB."""
SETTLE = 0.01
"""Seconds between two columns of JAX or PyTorch: the threads of the one before, which would be counted, fall asleep."""
SLOW = 60
"""A row of JAX that takes more seconds than this is measured once."""
Call = Callable[[], Any]


def warm_heap() -> None:
    """Lets malloc keep blocks of some megabytes, so that a call's time is not that of the first one's page faults."""
    block = np.ones(HEAP)
    del block


def cpu(call: Call, times: int) -> float:
    """CPU seconds of one call."""
    start = time.process_time_ns()
    for _ in range(times):
        call()
    return (time.process_time_ns() - start) / times / 1e9


def repeats(call: Call) -> int:
    """How many calls take about two milliseconds."""
    return max(1, min(1000, int(2e-3 / max(cpu(call, 1), 1e-7))))


def best_time(call: Call, rounds: int = 9) -> float:
    """The median CPU seconds of a call."""
    call()
    times = repeats(call)
    return statistics.median(cpu(call, times) for _ in range(rounds))


def peak(call: Call) -> int:
    """The most bytes that NumPy holds at once during a call, its result included."""
    call()
    tracemalloc.start()
    call()
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def resident(call: Call) -> int:
    """How much the resident memory rises in a call, where the system can tell; 0 elsewhere."""

    def line(name: str) -> int:
        text = Path("/proc/self/status").read_text()
        return 1024 * next(int(row.split()[1]) for row in text.splitlines() if row.startswith(name))

    try:
        Path("/proc/self/clear_refs").write_text("5")
        before = line("VmRSS:")
        call()
        return max(0, line("VmHWM:") - before)
    except (OSError, StopIteration):
        return 0


# ------------------------------------------------------------------ columns


def leaves(value: Any) -> list[Any]:
    """The arrays of a result."""
    return [np.asarray(part) for part in (value if isinstance(value, list | tuple) else [value])]


def ours(problem: Any, arrays: Sequence[Any], backend: str) -> tuple[Call, float] | None:
    """The compiled program, and the seconds that the first call took beyond a second one."""
    if problem.held:
        if backend != "numpy":
            return None
        start = time.process_time()
        call: Call = problem.product(arrays)
        call()
        return call, time.process_time() - start
    outputs, inputs = problem.express()
    options = {} if backend == "numpy" else {"backend": backend}
    f = ic.compile(outputs, inputs, **options)
    if backend == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)
        placed = [jax.numpy.asarray(array) for array in arrays]
        call = lambda: jax.block_until_ready(f(*placed))  # noqa: E731
    elif backend == "torch":
        import torch

        torch.set_num_threads(1)
        placed = [torch.as_tensor(np.asarray(array)) for array in arrays]
        call = lambda: f(*placed)  # noqa: E731
    else:
        call = lambda: f(*arrays)  # noqa: E731
    start = time.process_time()
    call()
    first = time.process_time() - start
    return call, first


class Jax:
    """JAX's side of `xp`, and its forms of a problem."""

    def __init__(self) -> None:
        import jax
        from jax import numpy as jnp

        jax.config.update("jax_enable_x64", True)
        self.jax, self.exp, self.log, self.einsum, self.solve = jax, jnp.exp, jnp.log, jnp.einsum, jnp.linalg.solve
        self.logdet = lambda A: jnp.linalg.slogdet(A)[1]
        self.softplus, self.relu = jax.nn.softplus, jax.nn.relu
        self.softmax = lambda z: jax.nn.softmax(z, axis=-1)
        self.logsumexp = lambda z: jax.nn.logsumexp(z, axis=-1)
        self.jacrev, self.jacfwd, self.hessian, self.vmap = jax.jacrev, jax.jacfwd, jax.hessian, jax.vmap
        self.grad, self.both, self.jvp = jax.grad, jax.value_and_grad, jax.jvp
        self.padded = lambda u: jnp.pad(u, 1)
        self.correlated = lambda x, k: jax.lax.conv(x, k, (1, 1), "VALID")

    def ready(self, form: Any, arrays: Sequence[Any]) -> Call:
        """A compiled call."""
        jitted, placed = self.jax.jit(form), [self.jax.numpy.asarray(array) for array in arrays]
        return lambda: self.jax.block_until_ready(jitted(*placed))


class Torch:
    """PyTorch's side of `xp`, and its forms of a problem."""

    def __init__(self) -> None:
        import torch
        from torch import func

        torch.set_num_threads(1)
        self.torch, self.exp, self.log, self.einsum, self.solve = (
            torch, torch.exp, torch.log, torch.einsum, torch.linalg.solve,
        )  # fmt: skip
        self.logdet = lambda A: torch.linalg.slogdet(A)[1]
        self.softplus, self.relu = torch.nn.functional.softplus, torch.relu
        self.softmax = lambda z: torch.softmax(z, -1)
        self.logsumexp = lambda z: torch.logsumexp(z, -1)
        self.jacrev, self.jacfwd, self.hessian, self.vmap = func.jacrev, func.jacfwd, func.hessian, func.vmap
        self.grad, self.jvp = func.grad, func.jvp
        self.padded = lambda u: torch.nn.functional.pad(u, (1, 1) * u.ndim)
        self.correlated = torch.nn.functional.conv2d

        def both(f: Any, argnums: Any) -> Any:
            made = func.grad_and_value(f, argnums=argnums)
            return lambda *arrays: made(*arrays)[::-1]

        self.both = both

    def ready(self, form: Any, arrays: Sequence[Any]) -> Call:
        """An eager call."""
        placed = [self.torch.as_tensor(np.asarray(array)) for array in arrays]
        return lambda: form(*placed)


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


def wrong(found: Any, wanted: Any) -> float:
    """The largest error, relative to the largest entry."""
    pairs = list(zip(leaves(found), leaves(wanted), strict=True))
    return max(float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-300)) for a, b in pairs)


def peer(name: str, problem: Any, arrays: Sequence[Any], wanted: Any) -> tuple[Call | None, float]:
    """The fastest of the forms whose values are right, and the seconds of its first call."""
    xp: Any = Jax() if name == "jax jit" else Torch()
    found: list[tuple[float, float, Call]] = []
    for form in forms(xp, problem):
        call, start = xp.ready(form, arrays), time.process_time()
        try:
            value = call()
        except (RuntimeError, NotImplementedError, MemoryError):
            continue
        first = time.process_time() - start
        if wrong(value, wanted) < 1e-6:
            found.append((best_time(call, 2), first, call))
    best = min(found, key=lambda row: row[0], default=None)
    return (None, 0.0) if best is None else (best[2], best[1])


# ------------------------------------------------------------------ a row


def bounded() -> None:
    """No form may take more than half of the machine's memory: it fails, instead of the process."""
    half = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    resource.setrlimit(resource.RLIMIT_AS, (half, half))


def row(problem: Any, size: tuple[int, ...], columns: Sequence[str], seconds: float) -> dict[str, Any]:
    """What one process measures: the limit and these columns, turn by turn."""
    arrays = problem.make(*size)
    warm_heap()
    if problem.held:
        x, product = problem.direction(arrays), problem.limit(*arrays)
        calls: dict[str, Call] = {"limit": lambda: product(x)}
    else:
        calls = {"limit": lambda: problem.limit(*arrays)}
    wanted = calls["limit"]()
    out: dict[str, Any] = {"limit": {"first": 0.0, "error": 0.0}}
    for column in columns:
        if column in ("numpy", "jax", "torch"):
            made = ours(problem, arrays, column)
            call, first = made if made is not None else (None, 0.0)
        else:
            given = [*arrays, x] if problem.held else arrays
            call, first = peer(column, problem, given, wanted)
        if call is None:
            continue
        calls[column] = call
        out[column] = {"first": first, "error": wrong(call(), wanted)}
    for column, call in calls.items():
        out[column]["bytes"] = peak(call) if column in ("limit", "numpy") else resident(call)
    del wanted
    times = {column: repeats(call) for column, call in calls.items()}
    samples: dict[str, list[float]] = {column: [] for column in calls}
    faults = dict.fromkeys(calls, 0)
    threads = not {"limit", "numpy"}.issuperset(calls)
    end = time.monotonic() + seconds
    for turn in range(ROUNDS):
        if turn >= LEAST and time.monotonic() > end:
            break
        for column, call in calls.items():
            if threads:
                time.sleep(SETTLE)
                call()
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            samples[column].append(cpu(call, times[column]))
            faults[column] += resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    for column in calls:
        out[column]["faults"] = faults[column] // (times[column] * len(samples[column]))
        out[column]["seconds"] = statistics.median(samples[column])
        out[column]["ratios"] = [a / b for a, b in zip(samples[column], samples["limit"], strict=True)]
    for column, form in PEERS.items():
        if column in samples and form in samples:
            out[column]["to peer"] = [a / b for a, b in zip(samples[column], samples[form], strict=True)]
    return out


def fresh(problem: int, size: int, columns: Sequence[str], seconds: float) -> dict[str, Any]:
    """A row in a process of its own."""
    command = [sys.executable, __file__, "--row", json.dumps([problem, size, list(columns), seconds])]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    except subprocess.TimeoutExpired:
        return {}
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
        return {}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def shown(seconds: float) -> str:
    """A time that a person reads."""
    return f"{1e6 * seconds:.1f} µs" if seconds < 1e-3 else f"{1e3 * seconds:.2f} ms"


def lower(runs: Sequence[dict[str, Any]], name: str = "ratios", percent: float = 25) -> float:
    """The lower quartile, or another one, of the ratios of all processes."""
    return float(np.percentile(np.concatenate([one[name] for one in runs]), percent))


def line(name: str, size: tuple[int, ...], runs: Sequence[dict[str, Any]], smallest: bool) -> str:
    """A row of the table: for each column the lower quartile of the paired ratios of all processes, and their median.

    It says where the library misses its target.
    """
    runs = [run for run in runs if run]
    if not runs:
        return f"| {name} | {size} | failed |"
    limit = min(run["limit"]["seconds"] for run in runs)
    cells, missed, notes = [name, "x".join(map(str, size)), shown(limit)], [], []
    found = {column: [run[column] for run in runs if column in run] for column in COLUMNS}
    quartile = {column: lower(there) for column, there in found.items() if there}
    for column, there in found.items():
        if not there:
            cells.append("-")
            continue
        cells.append(f"{quartile[column]:.2f} ({lower(there, percent=50):.2f})")
        best = min(there, key=lambda one: lower([one]))
        if max(one["error"] for one in there) > 1e-6:
            missed.append(f"{column} WRONG by {best['error']:.1e}")
        if column == "numpy":
            held = runs[0]["limit"]["bytes"]
            over = (quartile[column] - 1) * limit
            if quartile[column] > (1.5 if smallest else 1.2) and not (smallest and over < 5e-6):
                missed.append("time")
            if best["bytes"] > 1.2 * held + 4096:
                missed.append("memory")
            memory = f"{best['bytes'] / 2**20:.2f}/{held / 2**20:.2f}"
            notes = [f"{1e3 * best['first']:.0f} ms", memory, f"{best['faults']}/{runs[0]['limit']['faults']}"]
            if quartile[column] > 1.1 * quartile.get("jax jit", math.inf):
                missed.append("behind JAX")
        elif "to peer" in best and (beside := lower(there, "to peer")) > 1.1:
            missed.append(f"{column} {beside:.2f} of {PEERS[column]}")
    cells += notes or ["-"] * 3
    return f"| {' | '.join([*cells, ', '.join(missed)])} |"


def main() -> None:
    """The table, or one row of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("problems", nargs="*", help="parts of names; all problems where none is given")
    parser.add_argument("--columns", default=",".join(COLUMNS))
    parser.add_argument("--sizes", help="numbers of sizes, 0 the smallest, as 0,1")
    parser.add_argument("--quick", action="store_true", help="one process a row, half a second of rounds")
    parser.add_argument("--row", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.row:
        bounded()
        problem, size, columns, seconds = json.loads(given.row)
        print(json.dumps(row(ROWS[problem], ROWS[problem].sizes[size], columns, seconds)))
        return
    columns, seconds = given.columns.split(","), 0.5 if given.quick else 2.0
    own = [column for column in columns if column == "numpy"]
    pairs = [[column for column in pair if column in columns] for pair in PEERS.items()]
    print(f"| problem | size | limit | {' | '.join(COLUMNS)} | first call | MiB, ours/limit | faults | target missed |")
    print("|" + "---|" * (len(COLUMNS) + 7))
    for number, problem in enumerate(ROWS):
        ic.show_progress(number, len(ROWS), "problems timed")
        if given.problems and not any(part in problem.name for part in given.problems):
            continue
        for k, size in enumerate(problem.sizes):
            if given.sizes and str(k) not in given.sizes.split(","):
                continue
            times = 1 if given.quick else 3
            runs = [fresh(number, k, own, seconds) for _ in range(times)] if own else []
            for pair in filter(None, pairs):
                start = time.monotonic()
                runs.append(fresh(number, k, pair, seconds))
                if "jax" in pair and time.monotonic() - start < SLOW:
                    runs += [fresh(number, k, pair, seconds) for _ in range(times - 1)]
            print(line(problem.name, size, runs, k == 0), flush=True)


if __name__ == "__main__":
    main()
