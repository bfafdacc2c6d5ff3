"""The planner: from a graph whose sizes are known to a program.

Products and sums are opened into sums of products as far as a `Choice` says; each product gets the cheapest order of
pairwise contractions, given what other products have made (`contract`); terms of a sum that share a part have it taken
out. Whole programs are compared: the search starts from a few choices and keeps what makes the program cheaper.

What may be re-associated, because rounding depends on it: a difference is multiplied out only where each product has it
once, it is no centring (each term runs along all axes), and the program becomes a third cheaper; a sum of products that
is added up along axes is added up term by term. Neither is done with `reassociate="safe"`. Softmax, logsumexp and
sigmoid are functions, and never opened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from inspect import signature
from typing import Any, NamedTuple

from opt_einsum.paths import PathOptimizer, get_path_fn

from indexcalc.engine import cost
from indexcalc.engine.bind.slices import require_entries
from indexcalc.engine.low_rank import of_low_rank
from indexcalc.engine.plan.choices import kept_apart, kept_whole, scaled_sums, shared_products, shared_sums
from indexcalc.engine.plan.lowering import Lowered, lowered
from indexcalc.engine.plan.orders.scheme import Key
from indexcalc.engine.plan.peephole import peephole
from indexcalc.engine.plan.pool import StepPool
from indexcalc.engine.plan.products import Products
from indexcalc.engine.plan.terms import Choice, narrowed_sums
from indexcalc.engine.program import Program
from indexcalc.errors import InputError
from indexcalc.graph.node import Node, Product, Sum, topological
from indexcalc.graph.walk import paused_collection
from indexcalc.index import Dimension
from indexcalc.simplify.intervals import bounds
from indexcalc.simplify.recognise_logs import stable
from indexcalc.simplify.selection import select
from indexcalc.surface import is_integer
from indexcalc.writing.matrix.formula import array_text
from indexcalc.writing.standing import plain

KEPT = 256
"""Programs that are remembered, the last ones that were asked for."""
WORK = 600
"""Nodes, and parts of products at a quarter, that may be planned again in all: fewer programs are compared where a
graph is large, and none where it is larger than this, so planning takes a time that is linear in its size."""
TRIALS = 12
"""Programs that are compared, beyond the starts: each takes as long as the first one."""
THIRD = 2 / 3
"""A share of the cost: a difference, whose rounding changes, is multiplied out where at most this is left."""
LONG = 0.05
"""Seconds: a program of fewer is not worth a search if it runs once."""


class Options(NamedTuple):
    """What is asked of a plan.

    That is opt_einsum's `optimize`; whether differences may be multiplied out; whether weights may be split into their
    roots; and the dimensions by their sizes, where the program has to be right for other sizes too.

    Without `search` each node is made as it is written, unless the program would run long. Inputs are `real`, or may be
    complex.
    """

    optimize: Any = None
    reassociate: str = "full"
    halve: bool = True
    symbols: tuple[tuple[int, Dimension], ...] = ()
    search: bool = True
    real: bool = True


def plan(roots: Sequence[Node], sizes: Mapping[str, int], options: Options | None = None) -> Program:
    """The program that computes the roots.

    >>> from indexcalc.graph.constructors import einsum, variable
    >>> A, B, x = variable("A", (9, 9)), variable("B", (9, 9)), variable("x", (9,))
    >>> len(plan([einsum(1, [(A, "ij"), (B, "jk"), (x, "k")], "i")], {}).steps)
    5
    """
    options = options or Options()
    with paused_collection():
        return _planned(select(stable(roots), options.real), sizes, options)


def _planned(roots: Sequence[Node], sizes: Mapping[str, int], options: Options) -> Program:
    if not options.symbols:
        require_entries(roots, sizes)
    smaller = of_low_rank(roots, sizes if options.reassociate != "safe" else None)
    roots = smaller.roots
    order = topological(roots)
    pool = StepPool(bounds(list(roots)), sizes, dict(options.symbols))

    def build(
        choice: Choice, shares: Mapping[Key, int] | None = None, before: Mapping[Key, set[Key]] | None = None
    ) -> Lowered:
        products = Products(
            pool, shares, before, written=choice.written, optimize=options.optimize, halve=options.halve
        )
        return lowered(roots, order, pool, choice, products)

    best = None if options.search else _as_written(build, order)
    if best is None or best.seconds > LONG:
        kept = kept_apart(order) | smaller.kept
        kept |= kept_whole(roots, order, pool, kept)
        best = build(Choice(kept, frozenset(), deltas=options.reassociate != "safe"))
        if options.optimize is None:
            best = _search(best, build, order, options)
    notes = [f"multiplied out: {array_text(plain(node))}" for node in order if node in best.choice.opened]
    narrow = narrowed_sums(order) if best.choice.deltas else []
    notes += [f"term by term, what is added up of: {array_text(plain(node))}" for node in order if node in narrow]
    notes += [f"a positive diagonal plus low rank, by Woodbury: {array_text(plain(node))}" for node in smaller.matrices]
    made = peephole(pool, best.results, best.choice.deltas)
    return replace(made, notes=(*notes, *made.notes))


def _as_written(build: Callable[..., Lowered], order: Sequence[Node]) -> Lowered:
    """Each product and each sum is a value of its own."""
    kept = frozenset(node for node in order if isinstance(node, Product | Sum))
    return build(Choice(kept, frozenset(), deltas=False, written=True))


@lru_cache(maxsize=KEPT)
def planned(roots: tuple[Node, ...], sizes: tuple[tuple[str, int], ...], options: Options) -> Program:
    """The program that computes the roots, remembered: the nodes of equal expressions are the same."""
    return plan(roots, dict(sizes), options)


def path_finder(optimize: Any, verb: str) -> Any:
    """What opt_einsum takes as `optimize`, such that a program can be remembered by it; an error for anything else.

    Some of cotengra's optimizers take no limit of memory, which opt_einsum would give them.
    """
    instead = 'write optimize="optimal", a path such as [(1, 2), (0, 1)], or an optimizer of opt_einsum or cotengra'
    if isinstance(optimize, list | tuple):
        if not all(isinstance(step, list | tuple) and step and all(map(is_integer, step)) for step in optimize):
            raise InputError(verb, f"optimize={optimize!r} is no path: no list of tuples of places", instead)
        return tuple(tuple(map(int, step)) for step in optimize)
    if isinstance(optimize, str):
        try:
            get_path_fn(optimize)
        except KeyError as error:
            raise InputError(verb, f"optimize={optimize!r}", error.args[0]) from None
    elif not isinstance(optimize, bool | None) and (isinstance(optimize, type) or not callable(optimize)):
        raise InputError(verb, f"optimize={optimize!r}, of type {type(optimize).__name__}", instead)
    if not isinstance(optimize, PathOptimizer):
        return optimize
    try:
        signature(optimize).bind({}, {}, {}, None)
    except TypeError:
        return Unlimited(optimize)
    return optimize


class Unlimited(PathOptimizer):  # type: ignore[misc]
    """An optimizer that takes inputs, output and sizes alone."""

    def __init__(self, optimizer: Any) -> None:
        self.optimizer = optimizer

    def __call__(self, inputs: Any, output: Any, size_dict: Any, memory_limit: Any = None) -> Any:
        """The path that the optimizer finds."""
        return self.optimizer(inputs, output, size_dict)


def _search(
    best: Lowered,
    build: Callable[..., Lowered],
    order: Sequence[Node],
    options: Options,
    trials: int = TRIALS,
    work: int = WORK,
) -> Lowered:
    """The cheapest of the programs that are tried: so much work in all, and so many sums that are multiplied out."""
    tried = Trials(build, order, work - _effort(best, order))
    for apart in (shared_products(order), shared_sums(order)):
        if not best.choice.kept.issuperset(apart):
            best = _cheaper(best, tried(best, best.choice._replace(kept=best.choice.kept.union(apart))))
    best = _amortised(best, tried)
    if options.reassociate != "safe":
        if scaled := scaled_sums(order):
            opened = tried(best, best.choice._replace(opened=best.choice.opened.union(scaled)))
            best = opened if opened.seconds < best.seconds - cost.CALL else best
        for node in _differences(order)[:trials]:
            opened = tried(best, best.choice._replace(opened=best.choice.opened | {node}))
            if opened is not best and (opened := _amortised(opened, tried)).seconds < THIRD * best.seconds:
                best = opened
    return best


def _effort(made: Lowered, order: Sequence[Node]) -> int:
    """What it takes to plan a program, in nodes."""
    return len(order) + len(made.seen) // 4


class Trials:
    """Programs are built as long as there is `work` left; as much again for those that the last one made cheaper."""

    def __init__(self, build: Callable[..., Lowered], order: Sequence[Node], work: int) -> None:
        self.build, self.order, self.work, self.more = build, order, work, work

    def __call__(self, best: Lowered, *given: Any, goes_on: bool = False) -> Lowered:
        """The program that is given, or the one so far where it would be too much work."""
        if _effort(best, self.order) > self.work + self.more * goes_on:
            return best
        made = self.build(*given)
        self.work -= _effort(made, self.order)
        return made


def _amortised(start: Lowered, tried: Trials) -> Lowered:
    """The same choice, each part that several products have at its share of the cost.

    Then each product planned again, given what the others have, as long as that is cheaper.
    """
    counts = Counter(start.seen)
    shares = {key: times for key, times in counts.items() if times > 1}
    if not shares:
        return start
    best = _cheaper(start, tried(start, start.choice, shares))
    while any(0 < len(best.parts.get(key, ())) < times for key, times in shares.items()):
        again = tried(best, best.choice, best.shares, best.parts, goes_on=best is not start)
        if _cheaper(best, again) is best:
            return best
        best = again
    return best


def _cheaper(one: Lowered, other: Lowered) -> Lowered:
    return other if other.seconds < 0.999 * one.seconds else one


def _differences(order: Sequence[Node]) -> list[Node]:
    """The sums that may be multiplied out: once in each product, and no centring."""
    found: dict[Node, bool] = {}
    for node in order:
        if isinstance(node, Product):
            for child, times in Counter(node.children).items():
                if isinstance(child, Sum):
                    plain = times == 1 and all(f.exponent == 1 for f in node.factors if f.node is child)
                    found[child] = found.get(child, True) and plain
    return [
        node
        for node, plain in found.items()
        if plain and isinstance(node, Sum) and all(len(set(term.labels)) == len(node.shape) for term in node.terms)
    ]
