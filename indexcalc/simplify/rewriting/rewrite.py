"""What a rewrite is: a name, a formula, a source, an example, and the function that does it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from indexcalc.graph.node import Node


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One way to make an expression shorter, or to bring it into the one form of all that equal it.

    `apply` takes what its table says, and knows neither the driver nor what comes after it.
    """

    name: str
    """What a person calls it, in words."""
    formula: str
    """Both sides, in the notation of the field; `i j k` are indices, capitals matrices."""
    apply: Callable[..., Any]
    """Does it; what it takes and gives is said by the table that the row stands in."""
    source: str
    """Where the formula comes from."""
    example: tuple[str, str]
    """An expression and what becomes of it, both as text, of the tensors of `EXAMPLES`."""
    condition: str = ""
    """What must hold besides that both sides exist."""
    counter: tuple[str, str] = ("", "")
    """Two texts, of tensors that do not meet it, that have not the same values, or do not both exist, everywhere."""
    needs: int = 0
    """What one of the factors, or terms, must offer, as bits of `traits`; nothing where it is 0."""
    heads: tuple[str, ...] = ()
    """The functions with which it begins, where its table is of functions."""
    said: str | None = None
    """What a derivation says of it, where that is not its name; nothing where it is empty."""


class Step(NamedTuple):
    """One use of a rewrite: `before` and `after` are equal."""

    rewrite: Rewrite
    before: Node
    after: Node
    reasons: tuple[str, ...]
    """The rows of identities that were used, by name."""


@dataclass(slots=True)
class Trace:
    """The steps that simplification made, in their order, and the rules of the calculus that were applied before.

    >>> from indexcalc.graph.constructors import delta, einsum, variable
    >>> from indexcalc.simplify.passes import simplify
    >>> trace = Trace()
    >>> _ = simplify([einsum(1, [(delta(3), "ij"), (variable("x", (3,)), "j")], "i")], trace)
    >>> [step.rewrite.name for step in trace.steps]
    ['delta']
    """

    steps: list[Step] = field(default_factory=list)
    derived: list[tuple[Node, tuple[int, ...]]] = field(default_factory=list)
    """The nodes whose rule of the calculus was applied, and which of their children have a derivative."""
    reasons: list[str] = field(default_factory=list)
    """What rows of identities the rewrite that is at work has used so far."""
    depth: int = 0
    """How many rewrites are at work: what is done within one, in part or as a trial, is no step."""

    def note(self, rewrite: Rewrite, before: Node, after: Node) -> None:
        """Keeps a step, where it changed something and is not part of another."""
        if self.depth:
            return
        if before is not after:
            self.steps.append(Step(rewrite, before, after, tuple(dict.fromkeys(self.reasons))))
        self.reasons.clear()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """While a rewrite does its work."""
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1

    def because(self, name: str) -> None:
        """The rewrite at work has used an identity of this name."""
        self.reasons.append(name)

    def said(self) -> list[str]:
        """What a derivation says was done, each once."""
        told = (
            step.reasons or (step.rewrite.name if step.rewrite.said is None else step.rewrite.said,)
            for step in self.steps
        )
        return list(dict.fromkeys(words for row in told for words in row if words))
