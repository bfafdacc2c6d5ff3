"""Fuzzing with programs: draw, try, make what fails smaller, count, until the time is over."""

from __future__ import annotations

import random
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count as numbers
from itertools import islice

from indexcalc.errors import counted
from indexcalc.functions.table import ELEMENTWISE, MATRICES, REDUCTIONS
from indexcalc.graph.node import KINDS
from indexcalc.layout.conventions import CONVENTIONS
from indexcalc.progress import Callback, callback, unheard
from indexcalc.testing.programs.examination import Finding
from indexcalc.testing.programs.examining import drawn, examine
from indexcalc.testing.programs.samples import sample
from indexcalc.testing.programs.shrinking import shrunk
from indexcalc.testing.programs.trees import BACKENDS, PRINTERS, QUESTIONS, SOURCES, STRUCTURES, Sample
from indexcalc.views.assumptions import ASSUMPTIONS, MATRICES_ONLY

LEAST_NODES = 5
"""Operations and tensors of a program that counts: a smaller one is a case of a rule, no program."""
GOLDEN = (5**0.5 - 1) / 2
"""The step from one program's place to the next one's: each stretch of places is met about as often as it is long, and
no two visits of one are further apart than 2.7 times that (the theorem of three distances)."""
CHEAPLY = 0.7
"""The share of the time in which programs are tried that cost no more than NumPy."""
STRIDE = 2**32
"""Programs of one seed, at most: the next seed has others."""


@dataclass(frozen=True)
class Failure:
    """A program that fails: its number, what is wrong, and the smallest program found in which the same is wrong."""

    number: int
    finding: Finding
    program: Sample
    nodes: int

    def __str__(self) -> str:
        found = f"program {self.number} ({counted(self.nodes, 'node')}), {self.finding.check}: {self.finding.text}"
        return f"{found}\n{self.program.source()}"


@dataclass
class Fuzzed:
    """What a run has tried: how many programs, what they had in them, and what failed."""

    seed: int
    tried: int = 0
    large: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)

    def count(self, program: Sample) -> None:
        """What a program has is counted, if it is large enough."""
        self.tried += 1
        if program.tree.nodes < LEAST_NODES:
            return
        self.large += 1
        try:
            self.counts.update(set(drawn(program)))
        except Exception:  # what can't be derived is reported by the check that derives it
            self.counts["not derived"] += 1

    def rare(self, share: float = 0.01) -> list[str]:
        """What is in less than this share of the larger programs, each with its share."""
        return [
            f"{name}: {self.counts[name]} of {self.large}"
            for name in everything()
            if self.counts[name] < share * self.large
        ]

    def table(self) -> str:
        """The counts, a line each kind of thing."""
        lines = [f"{counted(self.tried, 'program')}, {self.large} of {LEAST_NODES} nodes or more, seed {self.seed}"]
        kinds = list(dict.fromkeys(name.partition(" ")[0] for name in sorted(self.counts)))
        for kind in kinds:
            own = [(n, c) for n, c in self.counts.most_common() if n.partition(" ")[0] == kind]
            lines.append(f"{kind}: " + ", ".join(f"{name.partition(' ')[2]} {count}" for name, count in own))
        return "\n".join(lines)


def everything() -> list[str]:
    """All that a program may have in it, as `drawn` names it.

    >>> {"function sin", "kind Sum", "layout numerator", "backend numpy"} <= set(everything())
    True
    """
    known = (*MATRICES_ONLY, "positive", "stochastic", "constant", "integer")
    words = [word for word in ASSUMPTIONS if word in known]
    return [
        *(f"kind {kind.__name__}" for kind in KINDS),
        *(f"function {name}" for name in (*ELEMENTWISE, *REDUCTIONS, *MATRICES)),
        *(f"declared {word}" for word in words),
        *(f"structure {name}" for name in STRUCTURES),
        *(f"layout {name}" for name in CONVENTIONS),
        *(f"backend {name}" for name in BACKENDS),
        *(f"printed as {name}" for name in (*PRINTERS, *SOURCES)),
        *(f"asked {name}" for name in QUESTIONS),
        *(f"judged by {name}" for name in ("differences", "JAX")),
        *(f"notation {name}" for name in ("index", "matrix")),
    ]


def program(seed: int, number: int) -> Sample:
    """The program of this number of a seed; the operations that are to occur come by turns.

    >>> program(0, 3).seed == program(0, 3).seed
    True
    """
    rng = random.Random(seed * STRIDE + number)
    return sample(rng, (seed + number) * GOLDEN % 1)


def failing(program: Sample) -> Finding | None:
    """The first thing that is wrong with a program, or None; warnings of NumPy are its own business.

    >>> failing(program(0, 3)) is None
    True
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = examine(program)
    return found[0] if found else None


def failure(number: int, made: Sample, finding: Finding) -> Failure:
    """A failure, its program made smaller."""

    def fails(smaller: Sample) -> bool:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = examine(smaller, finding.check)
        return bool(found) and _kind(found[0]) == _kind(finding)

    small = shrunk(made, fails)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        again = examine(small, finding.check)
    return Failure(number, again[0] if again else finding, small, made.tree.nodes)


def _kind(finding: Finding) -> str:
    """What kind of failure it is: an error by its class, a difference by itself."""
    head = finding.text.partition(":")[0]
    return head if head.endswith(("Error", "Refused")) else ""


def programs(seed: int, having: str = "") -> Iterator[tuple[int, Sample]]:
    """The programs of a seed with their numbers, or those having this operation, layout, backend, printer or question.

    >>> number, one = next(programs(1, "cos"))
    >>> "cos" in one.tree.text
    True
    """
    for number in numbers():
        one = program(seed, number)
        if not having or having in one.words:
            yield number, one


def _in_turn(made: Iterable[tuple[int, Sample]], late: Callable[[], bool]) -> Iterator[tuple[int, Sample]]:
    """Programs with their numbers: those that cost no more than NumPy first, until it is late, then all."""
    aside: list[tuple[int, Sample]] = []
    for number, one in made:
        if late():
            yield from aside
            aside = []
        if one.costly and not late():
            aside.append((number, one))
        else:
            yield number, one
    yield from aside


def fuzz(
    seed: int,
    seconds: float | None = None,
    count: int | None = None,
    most: int = 20,
    small: bool = True,
    say: Callable[[str], None] = lambda text: None,
    progress: Callback | None = None,
    having: str = "",
) -> Fuzzed:
    """The run of a seed: for so many seconds, or so many programs, or until so many have failed.

    With `small` what fails is made smaller; `say` gets each failure as text, at once, and `progress` how many programs
    were tried. Only programs are tried that are `having` an operation, a layout, a backend, a printer or a question of
    this name, where there is one.

    >>> fuzz(1, count=2).failures
    []
    """
    made, tell = Fuzzed(seed), callback(progress, "fuzz") or unheard
    began, given = time.monotonic(), seconds if seconds is not None else float("inf")
    chosen = islice(programs(seed, having), count)
    for number, one in _in_turn(chosen, lambda: time.monotonic() - began > CHEAPLY * given):
        if time.monotonic() - began > given or len(made.failures) >= most:
            break
        tell(made.tried, count, "programs tried")
        finding = failing(one)
        made.count(one)
        if finding is not None:
            told = failure(number, one, finding) if small else Failure(number, finding, one, one.tree.nodes)
            made.failures.append(told)
            say(str(made.failures[-1]))
    tell(made.tried, made.tried, "programs tried")
    return made
