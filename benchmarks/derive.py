"""What deriving, simplifying and planning cost: `python benchmarks/derive.py` prints a table; README.md says more."""

from __future__ import annotations

import gc
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import indexcalc as ic
from indexcalc.calculus.derivative import derivative, derive
from indexcalc.graph.constructors import einsum
from indexcalc.graph.node import Node, Product, topological
from indexcalc.simplify.passes import canonical, simplify

ROUNDS = 3
PRINTED = 5
IMPORT_ROUNDS = 7
s, x, X = ic.scalar("s"), ic.tensor("x", "n"), ic.tensor("X", "n n")

HEADER = ("what", "size", "ms", "nodes", "widest", "note")
WIDTHS = (46, 7, 10, 9, 7, 0)
Row = tuple[str, object, float, object, object, str]


def show(row: tuple[object, ...]) -> None:
    """One line of the table."""
    cells = [f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in row]
    pairs = zip(cells, WIDTHS, strict=True)
    line = " | ".join(
        f"{cell:<{width}}" if k in (0, 5) else f"{cell:>{width}}" for k, (cell, width) in enumerate(pairs)
    )
    print(line.rstrip(), flush=True)


def timed(make: Callable[[], Any], rounds: int = ROUNDS) -> tuple[float, Any]:
    """The median of a few rounds, in milliseconds, and the last result; between rounds nothing is kept."""
    times, result = [], None
    for _ in range(rounds):
        result = None
        start = time.perf_counter()
        result = make()
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times), result


def measure(what: str, size: object, make: Callable[[], list[Node]], note: str = "", rounds: int = ROUNDS) -> float:
    """A row: how long it takes, how many nodes come out, and the factors of the widest product among them."""
    ms, roots = timed(make, rounds)
    nodes = topological(roots)
    widest = max((len(node.factors) for node in nodes if isinstance(node, Product)), default=0)
    show((what, size, ms, len(nodes), widest, note))
    return ms


def repeat(step: Callable[[Any], Any], y: Any, times: int) -> Any:
    """`step` applied over and over."""
    for _ in range(times):
        y = step(y)
    return y


# ------------------------------------------------------------------ what is measured


def network(layers: int) -> tuple[Any, list[Any]]:
    """The loss of a tanh network, and its weights and biases."""
    h = ic.tensor("H", "b d")
    weights = []
    for layer in range(layers):
        W, b = ic.tensor(f"W{layer}", "d d"), ic.tensor(f"b{layer}", "d")
        weights += [W, b]
        h = ic.tanh(h @ W + b)
    return (h * h).sum(), weights


def network_gradient(layers: int) -> list[Node]:
    """Built, derived by all weights and biases, simplified; the loss is among the roots."""
    loss, weights = network(layers)
    roots = simplify([loss.node])
    return simplify([*roots, *derive(roots[0], [w.node for w in weights])])


def printing(layers: int, count: int, note: str) -> None:
    """A row: what the text of the first gradients takes, and how often as long as deriving them; rounds in turns."""
    derived: list[float] = []
    printed: list[float] = []
    length = 0
    for _ in range(PRINTED):
        gc.collect()
        start = time.process_time()
        loss, weights = network(layers)
        slopes = ic.grad(loss, weights[:count])
        middle = time.process_time()
        length = sum(len(str(slope)) for slope in slopes)
        derived.append(middle - start)
        printed.append(time.process_time() - middle)
    ratio = statistics.median(b / a for a, b in zip(derived, printed, strict=True))
    ms = 1e3 * statistics.median(printed)
    show(
        (f"  text of {note}", layers, ms, "", "", f"{ratio:.2f} times deriving; {1e3 * ms / length:.1f} µs a character")
    )


def third_of_softmax() -> list[Node]:
    """The third derivative of softmax(x) by x."""
    return [derivative(ic.softmax(x).node, x.node, x.node, x.node)]


def nth(step: Callable[[Any], Any], start: Any, times: int, order: int) -> Callable[[], list[Node]]:
    """The derivative, of this order, of `step` repeated."""
    return lambda: [derivative(repeat(step, start, times).node, *[start.node] * order)]


CHAINS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "sin(y), scalar": (ic.sin, s),
    "sin(y), vector": (ic.sin, x),
    "y + sin(y), scalar": (lambda y: y + ic.sin(y), s),
    "y + sin(y), vector": (lambda y: y + ic.sin(y), x),
    "y + y": (lambda y: y + y, x),
    "y*y": (lambda y: y * y, x),
    "y*sin(y), scalar": (lambda y: y * ic.sin(y), s),
    "y*sin(y), vector": (lambda y: y * ic.sin(y), x),
    "Y @ Y": (lambda Y: Y @ Y, X),
}


def closed(factors: list[tuple[Node, tuple[int, ...]]]) -> list[Node]:
    """The canonical form of a product that sums all of its labels."""
    return [canonical(einsum(1, factors, ())).node]


def squares() -> list[Node]:
    """`(x_i x_i)^6` written with six summed indices."""
    return closed([(x.node, (a,)) for a in range(6) for _ in range(2)])


def cycle(name: str, symmetric: bool, length: int = 20) -> list[Node]:
    """`tr(A^20)`."""
    A = ic.tensor(name, "n n", symmetric=symmetric)
    return closed([(A.node, (a, (a + 1) % length)) for a in range(length)])


def network_program(layers: int) -> tuple[list[Any], list[Any], dict[str, int]]:
    """The gradients of a tanh network, its inputs, and sizes."""
    loss, weights = network(layers)
    return list(ic.grad(loss, weights)), [ic.tensor("H", "b d"), *weights], {"b": 32, "d": 20}


def forward_algorithm(steps: int) -> tuple[list[Any], list[Any], dict[str, int]]:
    """The likelihood of a hidden Markov model, scaled at each step, and its gradients."""
    A, B, p = ic.tensor("A", "k k"), ic.tensor("B", f"{steps} k"), ic.tensor("p", "k")
    a: Any = p
    likelihood: Any = 0
    for k in range(steps):
        a = (a @ A) * B[k]
        likelihood, a = likelihood + ic.log(a.sum()), a / a.sum()
    return [likelihood, *ic.grad(likelihood, [A, B])], [p, A, B], {"k": 8}


def sinkhorn(iterations: int) -> tuple[list[Any], list[Any], dict[str, int]]:
    """What Sinkhorn's iterations give for optimal transport, and its gradient by the costs."""
    C, a, b = ic.tensor("C", "n m"), ic.tensor("a", "n"), ic.tensor("b", "m")
    K, v = ic.exp(-10 * C), ic.ones("m")
    for _ in range(iterations):
        u = a / (K @ v)
        v = b / (K.T @ u)
    cost = u @ (K * C) @ v
    return [cost, ic.grad(cost, C)], [C, a, b], {"n": 50, "m": 60}


def plan_row(what: str, size: int, made: tuple[list[Any], list[Any], dict[str, int]]) -> None:
    """A row: how long it takes from expressions that are there to a function of arrays, once, and its steps."""
    outputs, inputs, sizes = made
    start = time.perf_counter()
    plan = ic.compile(outputs, inputs, sizes=sizes).plan
    ms = 1e3 * (time.perf_counter() - start)
    show((what, size, ms, "", "", f"{len(plan.steps)} steps"))


def import_ratio() -> None:
    """How long `import indexcalc` takes, against `import numpy, opt_einsum`: fresh processes, turn by turn."""
    command = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"
    times: dict[str, list[float]] = {"indexcalc": [], "numpy, opt_einsum": []}
    for _ in range(IMPORT_ROUNDS):
        for name, found in times.items():
            done = subprocess.run(
                [sys.executable, "-c", command.format(name)], capture_output=True, text=True, check=True
            )
            found.append(float(done.stdout))
    ours, theirs = (1e3 * statistics.median(found) for found in times.values())
    show(
        ("import indexcalc", "", ours, "", "", f"{ours / theirs:.2f} times import numpy, opt_einsum ({theirs:.0f} ms)")
    )


def main() -> None:
    """The table."""
    show(HEADER)
    print("-" * 100)
    first = measure("gradient of a tanh network, all weights", 8, lambda: network_gradient(8))
    measure("gradient of a tanh network, all weights", 64, lambda: network_gradient(64))
    ms, _ = timed(lambda: network_gradient(64))
    show(("  the same: 64 layers against 8", "64/8", ms / first, "", "", "ratio of the times; 8 is linear"))
    printing(8, 16, "all gradients")
    printing(64, 1, "the first weight's gradient")
    printing(16, 32, "all gradients")
    printing(32, 64, "all gradients")
    measure("third derivative of softmax", "", third_of_softmax)
    for name, (step, start) in CHAINS.items():
        for order in (1, 2):
            for size in (64, 128):
                what = f"{name}, {'first' if order == 1 else 'second'} derivative"
                measure(what, size, nth(step, start, size, order))
    measure("sin(y), scalar, first derivative", 20_000, nth(ic.sin, s, 20_000, 1), "one round", 1)
    measure("sin(y), scalar, second derivative", 20_000, nth(ic.sin, s, 20_000, 2), "one round", 1)
    measure("canonical form of (x_i x_i)^6", "", squares)
    measure("canonical form of tr(A^20)", "", lambda: cycle("A", symmetric=False))
    measure("canonical form of a symmetric 20-cycle", "", lambda: cycle("S", symmetric=True))
    for size in (10, 100, 1000):
        plan_row("plan of a tanh network's gradients", size, network_program(size))
    plan_row("plan of a hidden Markov model", 50, forward_algorithm(50))
    plan_row("plan of Sinkhorn's iterations", 100, sinkhorn(100))
    import_ratio()


if __name__ == "__main__":
    main()
