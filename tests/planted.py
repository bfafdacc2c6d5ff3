"""Faults to be planted in the library: each is one that a person might make, and each has to be found by fuzzing.

`python tests/planted.py SEED SECONDS [NAME...]` plants each in a process of its own, fuzzes for so many seconds as
`python -m indexcalc.testing fuzz` does, and says which program shows it, and after how long.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import indexcalc as ic
from indexcalc.calculus import rules, structure
from indexcalc.engine.bind.constants import CONSTANTS
from indexcalc.engine.emit.source.targets import TARGETS
from indexcalc.engine.plan import peephole
from indexcalc.engine.program import Add, Contract, Use
from indexcalc.functions.entry import Entry, apply
from indexcalc.functions.table import ELEMENTWISE, MATRICES, REDUCTIONS
from indexcalc.graph.constructors import addition, einsum, regroup
from indexcalc.graph.node import Definition, Elementwise, Node, Product, Regroup, Sum
from indexcalc.layout.conventions import CONVENTIONS, by_columns, by_rows, numerator
from indexcalc.simplify import kinds, recognise
from indexcalc.testing.fuzzing import failing, fuzz, program
from indexcalc.writing import brackets

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command does

Plant = Callable[[], None]


def set_to(row: Any, **columns: Any) -> None:
    """A row of a table with other columns."""
    for name, value in columns.items():
        object.__setattr__(row, name, value)


def everywhere(old: Any, new: Any) -> None:
    """A function in place of another one, in all modules and in the tables at their level."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != "indexcalc":
            continue
        for key, value in list(vars(module).items()):
            if value is old:
                setattr(module, key, new)
            elif isinstance(value, dict):
                value |= {own: new for own, found in value.items() if found is old}


def slope(name: str, change: Callable[..., Any], argument: int = 0) -> Plant:
    """The rule of a function of entries, changed: `change(slope, *arguments, value)`."""

    def plant() -> None:
        row = ELEMENTWISE[name]
        rule: Any = row.rules[argument]
        bad = lambda *args, **params: change(rule(*args, **params), *args)  # noqa: E731
        set_to(row, rules=tuple(bad if k == argument else one for k, one in enumerate(row.rules)))

    return plant


def along(name: str, rule: Callable[..., Any]) -> Plant:
    """The rule of a reduction, replaced: `rule(slice, right)`, with the right one."""

    def plant() -> None:
        right = REDUCTIONS[name].rule
        set_to(REDUCTIONS[name], rule=lambda s: rule(s, right(s)))

    return plant


def of_matrices(name: str, change: Callable[[Node], Node]) -> Plant:
    """The rule of a function of matrices, or its slope, changed."""

    def plant() -> None:
        row = MATRICES[name]
        if row.rule is not None:
            right = row.rule
            set_to(row, rule=lambda node: change(right(node)))
        else:
            inner: Any = row.slope
            set_to(row, slope=lambda x, params: change(inner(x, params)))

    return plant


def in_numbers(name: str, number: float) -> Plant:
    """The numerics of the derivatives of a function of matrices, times a number."""

    def plant() -> None:
        row = MATRICES[name]
        for column in ("along", "opened"):
            right: Any = getattr(row, column)
            if right is not None:
                set_to(row, **{column: lambda *given, right=right: number * right(*given)})

    return plant


def times(number: Any) -> Callable[[Node], Node]:
    """A node times a number."""
    return lambda node: einsum(number, [(node, range(node.order))], range(node.order))


def of_kind(kind: type[Node], push: Any = None, pull: Any = None) -> Plant:
    """The rule of a kind of nodes, with another push or pull."""

    def plant() -> None:
        right = rules.RULES[kind]
        rules.RULES[kind] = rules.Rule(push or right.push, pull or right.pull)

    return plant


def laid(name: str, **columns: Any) -> Plant:
    """A convention with other columns."""
    return lambda: CONVENTIONS.__setitem__(name, CONVENTIONS[name]._replace(**columns))


def steps(change: Callable[[Any], Any]) -> Plant:
    """Each step of a plan, changed."""

    def plant() -> None:
        right = peephole.peephole

        def bad(*args: Any, **options: Any) -> Any:
            program = right(*args, **options)
            return dataclasses.replace(program, steps=tuple(map(change, program.steps)))

        everywhere(right, bad)

    return plant


# ------------------------------------------------------------------ what is done wrong


def _without_last(node: Any, tangents: Mapping[int, Node], trail: Any) -> Node | None:
    kept = dict(list(tangents.items())[:-1]) if len(tangents) > 1 else tangents
    return rules.rule_product_push(node, kept, trail)


def _without_coefficients(node: Any, tangents: Mapping[int, Node], trail: Any) -> Node | None:
    plain = addition([(1, term.node, term.labels) for term in node.terms], node.shape)
    return rules.rule_sum_push(plain if isinstance(plain, Sum) else node, tangents, trail)


def _in_the_order_given(node: Any, tangents: Mapping[int, Node], trail: Any) -> Node | None:
    end = [(len(node.sizes) + k,) for k in range(len(trail))]
    outer = tuple(tuple(reversed(group)) for group in node.outer)
    return regroup(tangents[0], (*node.inner, *end), (*outer, *end), (*node.sizes, *trail))


def _dropped_term(work: Any, node: Any) -> Any:
    short = addition(node.terms[:-1], node.shape) if len(node.terms) > 2 else node
    return RIGHT_SUM(work, short if isinstance(short, Sum) else node)


def _swapped(step: Any) -> Any:
    """The labels of the first operand that is square and not itself repeated, the other way round."""
    if isinstance(step, Contract) and len(step.uses) == 2:
        use = step.uses[0]
        if len(use.labels) == 2 and len({step.sizes[label] for label in use.labels}) == 1:
            return dataclasses.replace(step, uses=(Use(use.value, use.labels[::-1]), *step.uses[1:]))
    return step


def _without_coefficient(step: Any) -> Any:
    return dataclasses.replace(step, coef=1) if isinstance(step, Contract) else step


def _without_part(step: Any) -> Any:
    return dataclasses.replace(step, parts=step.parts[:-1]) if isinstance(step, Add) and len(step.parts) > 1 else step


def _unbracketed(text: str, level: int, wanted: int, bracket: str = brackets.ROUND) -> str:
    return text if bracket == brackets.ROUND else brackets.TALL.format(text)


def _half_open(text: str, level: int, wanted: int, bracket: str = brackets.ROUND) -> str:
    return text if level >= wanted else bracket.format(text).replace(r"\right)", ")")


def _without_power(node: Any, tangents: Mapping[int, Node], trail: Any) -> Node | None:
    bare = einsum(node.coef, [(f.node, f.labels) for f in node.factors], node.out, dict(enumerate(node.sizes)))
    whole = type(bare) is Product and len(bare.factors) == len(node.factors) and len(bare.sizes) == len(node.sizes)
    return rules.rule_product_push(bare if whole else node, tangents, trail)  # type: ignore[arg-type]


def _kron_turned(A: Any, B: Any, *others: Any) -> Any:
    return RIGHT_KRON(B, A, *others) if A.dims == B.dims else RIGHT_KRON(A, B, *others)


def _vec_by_columns(X: Any, order: str = "F") -> Any:
    return RIGHT_VEC(X)


def _sum_for_mean(x: Any, *args: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return ic.sum(x, *args, axis=axis, keepdims=keepdims)


def _unsigned(shape: tuple[int, ...], dtype: Any) -> Any:
    return abs(RIGHT_EPSILON(shape, dtype))


def _lower_with_less(shape: tuple[int, ...], dtype: Any, offset: int = 0) -> Any:
    return RIGHT_TRIL(shape, dtype)


def _always(node: Elementwise) -> Node | None:
    child, labels = node.args[0]
    return child if labels == tuple(range(node.order)) else None


def _mean_for_all(group: Any, order: int, asked: Any) -> Any:
    return structure._mean(group, order)


def _plain_triangle(X: Any, k: Any = 0) -> Any:
    return RIGHT_TRIU(X)


RIGHT_TRIU, RIGHT_SUM, RIGHT_KRON, RIGHT_VEC = ic.triu, kinds.rule_sum, ic.kron, ic.vec
RIGHT_EPSILON, RIGHT_TRIL = CONSTANTS["epsilon"], CONSTANTS["tril"]


def _one(e: Entry, *args: Entry) -> Entry:
    return e - e + 1


FAULTS: dict[str, Plant] = {
    "a wrong sign in the rule of cos": slope("cos", lambda e, *_: -e),
    "a lost term in the rule of tanh": slope("tanh", _one),
    "a lost factor in the rule of a power": slope("power", lambda e, *_: e / 2),
    "a kink beyond 1 in the rule of sin": slope("sin", lambda e, x, y: e * apply("step", 1 - x)),
    "a wrong branch in the rule of maximum": slope("maximum", lambda e, *_: e - e),
    "the rule of where for the other branch": slope("where", lambda e, *_: 1 - e, 1),
    "a dropped term in the rule of softmax": along("softmax", lambda s, right: s.y * s.d),
    "a lost quotient in the rule of norm2": along("norm2", lambda s, right: s.x),
    "the whole product in the rule of prod": along("prod", lambda s, right: s.reduce("prod", s.u)),
    "a wrong sign in the rule of log_softmax": along("log_softmax", lambda s, right: s.d + apply("exp", s.v)),
    "an exponential for the softmax in the rule of logsumexp": along("logsumexp", lambda s, right: apply("exp", s.u)),
    "a lost sign in the rule of inv": along("inv", lambda s, right: -right),
    "a lost factor in the rule of logdet": along("logdet", lambda s, right: right * 2),
    "a lost factor in the rule of the Cholesky factor": of_matrices("cholesky", times(2)),
    "a wrong sign in the rule of eigenvectors": of_matrices("eigh_v", times(-1)),
    "a lost factor in the rule of singular values": of_matrices("svdvals", times(2)),
    "a wrong sign in the rule of singular vectors": of_matrices("svd_u", times(-1)),
    "a dropped factor in the rule of products": of_kind(Product, push=_without_last),
    "lost coefficients in the rule of sums": of_kind(Sum, push=_without_coefficients),
    "swapped axes in the rule of joined axes": of_kind(Regroup, push=_in_the_order_given),
    "a named step without a derivative": of_kind(Definition, push=lambda *_: None, pull=lambda *_: None),
    "structure= passed over": lambda: everywhere(structure.structured, lambda node, *_: (node, "projected")),
    "independent entries taken for the mean": lambda: setattr(structure, "_weights", _mean_for_all),
    "a dropped term in a simplified sum": lambda: everywhere(kinds.rule_sum, _dropped_term),
    "abs dropped whatever the sign": lambda: everywhere(recognise.recognise_abs, _always),
    "a printer that loses brackets": lambda: everywhere(brackets.wrapped, _unbracketed),
    "LaTeX whose brackets do not close": lambda: everywhere(brackets.wrapped, _half_open),
    "a layout transposed": laid("denominator", place=numerator),
    "a vec by columns for that by rows": laid("vec-rows", place=by_columns),
    "stress for Mandel's coordinates": lambda: laid("mandel", pack=CONVENTIONS["voigt-stress"].pack)(),
    "swapped labels in a step of a plan": steps(_swapped),
    "a lost coefficient in a step of a plan": steps(_without_coefficient),
    "a lost addend in a plan": steps(_without_part),
    "a transpose lost in source for NumPy": lambda: TARGETS.__setitem__(
        "numpy", TARGETS["numpy"]._replace(permute="{x}")
    ),
    "a dropped keyword: the k of triu": lambda: everywhere(ic.triu, _plain_triangle),
    "a dropped keyword: the order of vec": lambda: everywhere(ic.vec, _vec_by_columns),
    "exchanged arguments of kron": lambda: everywhere(ic.kron, _kron_turned),
    "a sum for a mean": lambda: everywhere(ic.mean, _sum_for_mean),
    "a permutation symbol without its signs": lambda: CONSTANTS.__setitem__("epsilon", _unsigned),
    "the offset of a triangle lost in numbers": lambda: CONSTANTS.__setitem__("tril", _lower_with_less),
    "a lost exponent in the rule of products": of_kind(Product, push=_without_power),
    "a lost minus in the rule of cofactors": along("cofactor", lambda s, right: -right),
    "a lost factor in the rule of pinv": along("pinv_t", lambda s, right: right * 2),
    "a lost factor in the rule of norm_nuc": along("norm_nuc", lambda s, right: right * 2),
    "a wrong sign in the rule of min": along("min", lambda s, right: -right),
    "a lost power in the rule of normp": along("normp", lambda s, right: right * s.y),
    "a lost factor in the numbers of a derivative of roots of matrices": in_numbers("sqrtm", 2),
    "a kink beyond 1 in the rule of softplus": slope("softplus", lambda e, x, y: e * apply("step", 1 - x)),
    "a wrong sign in the rule of atan2": slope("atan2", lambda e, *_: -e),
    "a lost term in the rule of gelu": slope("gelu", lambda e, x, y: apply("step", x)),
    "numbers of erfc taken from erf": lambda: set_to(ELEMENTWISE["erfc"], numpy=ELEMENTWISE["erf"].numpy),
    "a vec by rows for that by columns": laid("magnus-neudecker", place=by_rows),
}  # fmt: skip
"""Each fault, and what plants it; each is alone in its process."""


SHOWN: dict[str, tuple[int, int]] = {
    "a wrong sign in the rule of cos": (7, 28),
    "a lost term in the rule of tanh": (7, 11),
    "a lost factor in the rule of a power": (7, 11),
    "a kink beyond 1 in the rule of sin": (7, 4),
    "a wrong branch in the rule of maximum": (7, 26),
    "the rule of where for the other branch": (7, 5),
    "a dropped term in the rule of softmax": (7, 49),
    "a lost quotient in the rule of norm2": (7, 10),
    "the whole product in the rule of prod": (7, 86),
    "a wrong sign in the rule of log_softmax": (7, 138),
    "an exponential for the softmax in the rule of logsumexp": (7, 87),
    "a lost sign in the rule of inv": (7, 25),
    "a lost factor in the rule of logdet": (7, 96),
    "a lost factor in the rule of the Cholesky factor": (7, 17),
    "a wrong sign in the rule of eigenvectors": (7, 24),
    "a lost factor in the rule of singular values": (7, 22),
    "a wrong sign in the rule of singular vectors": (7, 1),
    "a dropped factor in the rule of products": (7, 0),
    "lost coefficients in the rule of sums": (7, 0),
    "swapped axes in the rule of joined axes": (7, 35),
    "a named step without a derivative": (7, 15),
    "structure= passed over": (7, 0),
    "independent entries taken for the mean": (7, 111),
    "a dropped term in a simplified sum": (7, 0),
    "abs dropped whatever the sign": (7, 28),
    "a printer that loses brackets": (7, 0),
    "LaTeX whose brackets do not close": (7, 22),
    "a layout transposed": (7, 67),
    "a vec by columns for that by rows": (7, 22),
    "stress for Mandel's coordinates": (7, 6),
    "swapped labels in a step of a plan": (7, 0),
    "a lost coefficient in a step of a plan": (7, 0),
    "a lost addend in a plan": (7, 0),
    "a transpose lost in source for NumPy": (7, 14),
    "a dropped keyword: the k of triu": (7, 57),
    "a dropped keyword: the order of vec": (7, 67),
    "exchanged arguments of kron": (7, 12),
    "a sum for a mean": (7, 220),
    "a permutation symbol without its signs": (7, 198),
    "the offset of a triangle lost in numbers": (7, 57),
    "a lost exponent in the rule of products": (7, 1),
    "a lost minus in the rule of cofactors": (7, 59),
    "a lost factor in the rule of pinv": (7, 4),
    "a lost factor in the rule of norm_nuc": (7, 4),
    "a wrong sign in the rule of min": (7, 78),
    "a lost power in the rule of normp": (7, 28),
    "a lost factor in the numbers of a derivative of roots of matrices": (7, 1),
    "a kink beyond 1 in the rule of softplus": (7, 17),
    "a wrong sign in the rule of atan2": (7, 55),
    "a lost term in the rule of gelu": (7, 84),
    "numbers of erfc taken from erf": (7, 10),
    "a vec by rows for that by columns": (7, 23),
}
"""The program that shows each fault: its seed, and its number."""


def shown(name: str, seed: int, number: int, answer: Any) -> None:
    """Plant a fault and try one program: its number and what it shows, or -1."""
    FAULTS[name]()
    finding = failing(program(seed, number))
    answer.put((name, number if finding else -1, 0.0, f"{finding.check}: {finding.text}" if finding else "not shown"))


def found(name: str, seed: int, seconds: float, answer: Any) -> None:
    """Plant a fault and fuzz as the command does, until something fails: the number of that program, or -1."""
    FAULTS[name]()
    began = time.monotonic()
    failures = fuzz(seed, seconds, most=1, small=False).failures
    spent = round(time.monotonic() - began, 1)
    if not failures:
        answer.put((name, -1, spent, "not found"))
    for one in failures:
        answer.put((name, one.number, spent, f"{one.finding.check}: {one.finding.text}"))


def plant(name: str, seed: int, given: float, run: Callable[..., None]) -> tuple[str, int, float, str]:
    """A fault in a process of its own: its name, the program that shows it, seconds, what it shows."""
    kind = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(kind)
    answer = context.SimpleQueue()
    process = context.Process(target=run, args=(name, seed, given, answer))
    process.start()
    process.join()
    told: tuple[str, int, float, str] = answer.get() if not process.exitcode else (name, -1, 0.0, "the process ended")
    return told


def known() -> int:
    """Each fault is shown by its program, in which nothing is wrong without it; how many are not."""
    missed = 0
    for name, (seed, number) in SHOWN.items():
        told = plant(name, seed, number, shown)
        missed += told[1] < 0
        print("\t".join(map(str, told)).replace("\n", " ")[:300], flush=True)
    for seed, number in dict.fromkeys(SHOWN.values()):  # after the others: what is derived here is remembered
        sound = failing(program(seed, number))
        missed += sound is not None
        print(f"program {number} of seed {seed}, without a fault: {sound}", flush=True)
    return missed


def main(seed: int, seconds: float, names: Sequence[str]) -> int:
    """Each fault, one after the other; how many were not found."""
    missed = 0
    for name in names or FAULTS:
        told = plant(name, seed, seconds, found)
        missed += told[1] < 0
        print("\t".join(map(str, told)).replace("\n", " ")[:300], flush=True)
    return missed


if __name__ == "__main__":
    if sys.argv[1] == "known":
        sys.exit(known())
    sys.exit(main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
