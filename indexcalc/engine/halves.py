"""A program in two halves: what makes its first results, and what makes the others of what the first has made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from indexcalc.engine.measure import is_view
from indexcalc.engine.program import Fill, Input, Known, Program, Reshape, Step, moved


def kept_between(program: Program, count: int) -> list[int]:
    """The values of the first so many results that the others read; what costs nothing is made again.

    >>> from indexcalc.engine.program import Map, Use
    >>> x, u = Input("x", ()), Input("u", ())
    >>> steps = (x, Map("exp", (), (Use(0, ()),), (), ()), u, Map("pow", (), (Use(1, ()), Use(2, ())), (), ()))
    >>> kept_between(Program(steps, (1, 3)), 1)
    [1]
    """
    first = set(_below(program, program.results[:count]))
    given: set[int] = set()
    for value, step in enumerate(program.steps):
        if isinstance(step, Input) or any(use.value in given for use in step.uses):
            given.add(value)
    kept = {value for value in first & given if not _is_free(program.steps[value])}
    return [value for value in _below(program, program.results[count:], kept) if value in kept]


def half(program: Program, results: Iterable[int], given: Mapping[int, str]) -> Program:
    """The steps that make these values, given some by name.

    >>> from indexcalc.engine.program import Map, Use
    >>> whole = Program((Input("x", ()), Map("exp", (), (Use(0, ()),), (), ())), (1,))
    >>> half(whole, [1], {1: "t1"})
    Program(steps=(Input(name='t1', shape=(), uses=(), whole=False),), results=(0,), notes=())
    """
    results = list(results)
    place: dict[int, int] = {}
    made: list[Step] = []
    for value in _below(program, results, given):
        step = program.steps[value]
        place[value] = len(made)
        made.append(Input(given[value], step.shape) if value in given else moved(step, place))
    return Program(tuple(made), tuple(place[value] for value in results))


def _below(program: Program, values: Iterable[int], ends: Iterable[int] = ()) -> list[int]:
    """The values that make these, in order; of some the makers are left out."""
    stop, seen, stack = set(ends), set[int](), list(values)
    while stack:
        value = stack.pop()
        if value not in seen:
            seen.add(value)
            stack += [] if value in stop else [use.value for use in program.steps[value].uses]
    return sorted(seen)


def _is_free(step: Step) -> bool:
    return isinstance(step, Input | Known | Fill | Reshape) or is_view(step)
