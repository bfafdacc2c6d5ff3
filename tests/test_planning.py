"""What planning takes: searches, programs built and steps, counted, where the same layer stands many times."""

from __future__ import annotations

from typing import Any

import pytest

import indexcalc as ic
from indexcalc.engine.plan import lowering, plan
from indexcalc.engine.plan.orders.contract import Contraction
from indexcalc.engine.plan.orders.scheme import Scheme


def network(layers: int) -> tuple[list[Any], tuple[Any, ...], dict[str, int]]:
    """The gradients of a tanh network by its weights and biases."""
    H, weights = ic.tensor("H", "b d"), []
    h = H
    for layer in range(layers):
        W, b = ic.tensor(f"W{layer}", "d d"), ic.tensor(f"b{layer}", "d")
        weights += [W, b]
        h = ic.tanh(h @ W + b)
    return list(ic.grad((h * h).sum(), weights)), (H, *weights), {"b": 32, "d": 20}


def forward_algorithm(steps: int) -> tuple[list[Any], tuple[Any, ...], dict[str, int]]:
    """The likelihood of a hidden Markov model, scaled at each step, and its gradients."""
    A, B, p = ic.tensor("A", "k k"), ic.tensor("B", f"{steps} k"), ic.tensor("p", "k")
    a, likelihood = p, 0
    for step in range(steps):
        a = (a @ A) * B[step]
        likelihood, a = likelihood + ic.log(a.sum()), a / a.sum()
    return [likelihood, *ic.grad(likelihood, [A, B])], (p, A, B), {"k": 8}


def sinkhorn(iterations: int) -> tuple[list[Any], tuple[Any, ...], dict[str, int]]:
    """What Sinkhorn's iterations give for optimal transport, and its gradient by the costs."""
    C, a, b = ic.tensor("C", "n m"), ic.tensor("a", "n"), ic.tensor("b", "m")
    K, v = ic.exp(-10 * C), ic.ones("m")
    for _ in range(iterations):
        u = a / (K @ v)
        v = b / (K.T @ u)
    cost = u @ (K * C) @ v
    return [cost, ic.grad(cost, C)], (C, a, b), {"n": 50, "m": 60}


PROGRAMS = {"network": network, "hmm": forward_algorithm, "sinkhorn": sinkhorn}


class Work:
    """What planning took: ways to split a subset that were tried, contractions, programs, and their steps."""

    def __init__(self, patch: pytest.MonkeyPatch, name: str, size: int) -> None:
        self.splits = self.contractions = self.programs = 0
        split, contraction, lowered = Scheme._split, Contraction.__init__, lowering.lowered

        def count(what: str, function: Any) -> Any:
            def counted(*given: Any, **named: Any) -> Any:
                setattr(self, what, getattr(self, what) + 1)
                return function(*given, **named)

            return counted

        outputs, inputs, sizes = PROGRAMS[name](size)
        with patch.context() as inner:
            inner.setattr(Scheme, "_split", count("splits", split))
            inner.setattr(Contraction, "__init__", count("contractions", contraction))
            inner.setattr(plan, "lowered", count("programs", lowered))
            self.plan = ic.compile(outputs, inputs, sizes=sizes).plan
        self.steps = len(self.plan.steps)


@pytest.mark.parametrize(("name", "size"), [("network", 12), ("hmm", 40), ("sinkhorn", 30)])
def test_equal_layers_are_searched_once(name: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the layers take twice the steps, no further search, and no more programs."""
    one, two = (Work(monkeypatch, name, n) for n in (size, 2 * size))
    assert two.steps <= 2 * one.steps + 10
    assert two.plan.flops <= 2.05 * one.plan.flops
    assert two.splits <= 1.1 * one.splits < 4000
    assert two.contractions <= 2.05 * one.contractions + 10
    assert two.programs <= one.programs <= 3


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_plan_is_the_same_each_time(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = []
    for _ in range(2):
        plan.planned.cache_clear()
        plans.append(Work(monkeypatch, name, 7).plan)
    assert plans[0].program == plans[1].program
