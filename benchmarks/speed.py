"""How fast compiled programs are: `python benchmarks/speed.py` prints one table. See README.md beside it."""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

import argparse
import importlib.util
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
from layers import LAYERS
from likelihoods import LIKELIHOODS
from mechanics import MECHANICS
from pairs import PAIRS
from peers import Jax, Torch, forms
from problems import PROBLEMS
from ranks import RANKS
from structures import STRUCTURES

import indexcalc as ic

ROWS = (*PROBLEMS, *STRUCTURES, *LAYERS, *LIKELIHOODS, *PAIRS, *MECHANICS, *RANKS)
ROUNDS, LEAST = 25, 3
"""Rounds in which each column is called, and the fewest of them where the time is up."""
COLUMNS = ("numpy", "jax", "torch", "jax jit", "torch.func", "numba")
PEERS = {"jax": "jax jit", "torch": "torch.func"}
"""A column of ours and what it is compared with in the same process."""
HEAP = 28 * 2**20 // 8
"""Entries of 28 MiB: malloc keeps blocks below the largest that was freed, up to 32 MiB."""
SETTLE = 0.01
"""Seconds between two columns of JAX or PyTorch: the threads of the one before, which would be counted, fall asleep."""
SLOW = 60
"""A row of JAX that takes more seconds than this is measured once."""
OVER, SECONDS = 1.2, 5e-6
"""A row is met where it takes this multiple of the limit, or these seconds more, at most."""
COPIED, MULTIPLIED = 2**23, 700
"""Entries of a copy that no cache holds, and the order of a product that runs at the full rate of the machine."""
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


def machine(dtype: Any) -> tuple[float, float]:
    """Bytes that a copy moves in a second, read and written, and operations a second of a product of two matrices."""
    source, target = np.ones(COPIED), np.empty(COPIED)
    A = np.ones((MULTIPLIED, MULTIPLIED), dtype)
    moved = best_time(lambda: np.copyto(target, source), 5)
    return 2 * source.nbytes / moved, 2 * MULTIPLIED**3 / best_time(lambda: np.dot(A, A), 5)


def roof(problem: Any, size: tuple[int, ...], arrays: Sequence[Any], wanted: Any) -> float:
    """The seconds below which no program is: each input is read and each result written once, the products are made.

    0 where the problem does not say how many operations its products take.
    """
    if problem.work is None:
        return 0.0
    given = [np.asarray(array) for array in arrays]
    bandwidth, rate = machine(np.result_type(*[a.dtype for a in given if a.dtype.kind == "f"]))
    return max(sum(a.nbytes for a in (*given, *leaves(wanted))) / bandwidth, problem.work(*size) / rate)


# ------------------------------------------------------------------ columns


def leaves(value: Any) -> list[Any]:
    """The arrays of a result, whatever it is packed into."""
    if isinstance(value, list | tuple):
        return [array for part in value for array in leaves(part)]
    return [np.asarray(value)]


def ours(problem: Any, arrays: Sequence[Any], backend: str) -> Call | None:
    """The program, not compiled yet: the first call plans it."""
    if problem.held:
        return problem.product(arrays) if backend == "numpy" else None
    outputs, inputs = problem.express()
    options = {} if backend == "numpy" else {"backend": backend}
    f = ic.compile(outputs, inputs, **options)
    if backend == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)
        placed = [jax.numpy.asarray(array) for array in arrays]
        return lambda: jax.block_until_ready(f(*placed))
    if backend == "torch":
        import torch

        torch.set_num_threads(1)
        placed = [torch.as_tensor(np.asarray(array)) for array in arrays]
        return lambda: f(*placed)
    return lambda: f(*arrays)


def made(problem: Any, arrays: Sequence[Any], column: str) -> tuple[Call | None, float]:
    """A column's program, and the seconds that deriving, planning and compiling it take: a first call beyond a second.

    A small program is made before, so that no module is imported in that time.
    """
    if column == "numba":
        import loops

        call: Call | None = lambda: getattr(loops, problem.loops)(*arrays)  # noqa: E731
        start = time.process_time()
    else:
        x = ic.tensor("x", "n")
        small = ic.compile(ic.grad(ic.exp(x).sum(), x), x, **({} if column == "numpy" else {"backend": column}))
        small(np.ones(3))
        start = time.process_time()
        call = ours(problem, arrays, column)
    if call is None:
        return None, 0.0
    call()
    return call, max(0.0, time.process_time() - start - cpu(call, 1))


def wrong(found: Any, wanted: Any) -> float:
    """The largest error, relative to the largest entry."""
    pairs = list(zip(leaves(found), leaves(wanted), strict=True))
    return max(float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-300)) for a, b in pairs)


def peer(name: str, problem: Any, arrays: Sequence[Any], wanted: Any) -> tuple[Call | None, float]:
    """The fastest of the forms whose values are right, and the seconds of its first call beyond a second."""
    xp: Any = Jax() if name == "jax jit" else Torch()
    xp.ready(lambda x: 2 * x, [np.ones(3)])()
    found: list[tuple[float, float, Call]] = []
    for form in forms(xp, problem):
        call, start = xp.ready(form, arrays), time.process_time()
        try:
            value = call()
        except (RuntimeError, NotImplementedError, MemoryError):
            continue
        first = max(0.0, time.process_time() - start - cpu(call, 1))
        if wrong(value, wanted) < problem.tolerance:
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
    out: dict[str, Any] = {"limit": {"first": 0.0, "error": 0.0, "roof": roof(problem, size, arrays, wanted)}}
    for column in columns:
        if column not in PEERS.values():
            call, first = made(problem, arrays, column)
        else:
            given = [*arrays, x] if problem.held else arrays
            call, first = peer(column, problem, given, wanted)
        if call is None:
            out["limit"].setdefault("absent", []).extend([column] * (column in PEERS.values() and not problem.held))
            continue
        calls[column] = call
        error = wrong(call(), wanted)
        out[column] = {"first": first, "error": error, "wrong": error > problem.tolerance}
    for column, call in calls.items():
        out[column]["bytes"] = peak(call) if column in ("limit", "numpy") else resident(call)
    del wanted
    times = {column: repeats(call) for column, call in calls.items()}
    samples: dict[str, list[float]] = {column: [] for column in calls}
    faults = dict.fromkeys(calls, 0)
    threads = not {"limit", "numpy", "numba"}.issuperset(calls)
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


def compiling(first: dict[str, float]) -> str:
    """What deriving, planning and compiling take, ours beside JAX's jit of its own derivative."""
    return "/".join(f"{1e3 * first[column]:.0f}" if column in first else "-" for column in ("numpy", "jax jit")) + " ms"


def line(name: str, size: tuple[int, ...], runs: Sequence[dict[str, Any]]) -> tuple[str, float, bool]:
    """A row of the table, our ratio to the limit, and whether that meets the target.

    A cell is the lower quartile of the paired ratios of all processes, and their median. The last one says where the
    library misses its target.
    """
    runs = [run for run in runs if run]
    if not runs:
        return f"| {name} | {size} | failed |", math.nan, False
    limit = min(run["limit"]["seconds"] for run in runs)
    cells, missed, notes, met = [name, "x".join(map(str, size)), shown(limit)], [], ["-"] * 3, False
    found = {column: [run[column] for run in runs if column in run] for column in COLUMNS}
    quartile = {column: lower(there) for column, there in found.items() if there}
    first = {column: min(one["first"] for one in there) for column, there in found.items() if there}
    for column, there in found.items():
        if not there:
            cells.append("-")
            continue
        cells.append(f"{quartile[column]:.2f} ({lower(there, percent=50):.2f})")
        best = min(there, key=lambda one: lower([one]))
        if any(one["wrong"] for one in there):
            missed.append(f"{column} WRONG by {best['error']:.1e}")
        if column == "numpy":
            held = runs[0]["limit"]["bytes"]
            met = quartile[column] <= OVER or (quartile[column] - 1) * limit <= SECONDS
            if not met:
                missed.append("time")
            if best["bytes"] > 1.2 * held + 4096:
                missed.append("memory")
            roofs = [run["limit"]["roof"] for run in runs]
            notes = [f"{quartile[column] * limit / min(roofs):.1f}" if min(roofs) else "-"]
            notes.append(f"{best['bytes'] / 2**20:.2f}/{held / 2**20:.2f}")
            notes.append(f"{best['faults']}/{runs[0]['limit']['faults']}")
            if quartile[column] > 1.1 * quartile.get("jax jit", math.inf):
                missed.append("behind JAX")
        elif "to peer" in best and (beside := lower(there, "to peer")) > 1.1:
            missed.append(f"{column} {beside:.2f} of {PEERS[column]}")
    missed += sorted({f"{column} has no right value" for run in runs for column in run["limit"].get("absent", ())})
    if first.get("numpy", 0) > first.get("jax jit", math.inf):
        missed.append("compiled later than JAX")
    cells += [*notes, compiling(first), ", ".join(missed)]
    return f"| {' | '.join(cells)} |", quartile.get("numpy", math.nan), met


def measured(number: int, size: int, columns: Sequence[str], quick: bool) -> list[dict[str, Any]]:
    """The runs of a row, each pair of columns in processes of its own."""
    times, seconds, runs = 1 if quick else 3, 0.5 if quick else 2.0, []
    own = [column for column in columns if column == "numpy"]
    if "numba" in columns and ROWS[number].loops and importlib.util.find_spec("numba"):
        own.append("numba")
    if own:
        runs += [fresh(number, size, own, seconds) for _ in range(times)]
    for pair in ([column for column in pair if column in columns] for pair in PEERS.items()):
        if not pair:
            continue
        start = time.monotonic()
        runs.append(fresh(number, size, pair, seconds))
        if "jax" in pair and time.monotonic() - start < SLOW:
            runs += [fresh(number, size, pair, seconds) for _ in range(times - 1)]
    return runs


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
    head = ["problem", "size", "limit", *COLUMNS, "of roof", "MiB, ours/limit", "faults", "compile, ours/JAX", "missed"]
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    ratios, met = [], []
    for number, problem in enumerate(ROWS):
        ic.show_progress(number, len(ROWS), "problems timed")
        if given.problems and not any(part in problem.name for part in given.problems):
            continue
        for k, size in enumerate(problem.sizes):
            if given.sizes and str(k) not in given.sizes.split(","):
                continue
            text, ratio, good = line(problem.name, size, measured(number, k, given.columns.split(","), given.quick))
            ratios.append(ratio)
            met.append(good)
            print(text, flush=True)
    print(f"\n{sum(met)} of {len(met)} rows meet the target in time; the median is {np.nanmedian(ratios):.2f}")


if __name__ == "__main__":
    main()
