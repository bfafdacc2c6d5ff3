"""Faults to be planted in the library: each is one that a person might make, and each has to be found by fuzzing.

`python tests/planted.py [SEED [SECONDS [NAME...]]]` plants each in a process of its own, fuzzes as `python -m
indexcalc.testing fuzz` does, with programs that have what the fault is in, and says which one shows it, and how soon.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import indexcalc as ic
from indexcalc.calculus import rules, structure
from indexcalc.checking.report import verdict_of
from indexcalc.engine.bind.constants import CONSTANTS
from indexcalc.engine.compressed.compressed import Cost, cost
from indexcalc.engine.compressed.held import Compressed
from indexcalc.engine.emit.source.targets import TARGETS
from indexcalc.engine.plan import peephole
from indexcalc.engine.program import Add, Contract, Use
from indexcalc.explaining.lines import put
from indexcalc.functions.entry import Entry, apply
from indexcalc.functions.table import ELEMENTWISE, MATRICES, REDUCTIONS
from indexcalc.graph.constructors import addition, einsum, regroup
from indexcalc.graph.node import Definition, Elementwise, Node, Product, Regroup, Sum
from indexcalc.layout.conventions import CONVENTIONS, by_columns, by_rows, numerator
from indexcalc.simplify import kinds
from indexcalc.simplify.rewriting import of_functions
from indexcalc.testing.fuzzing import failing, fuzz, program
from indexcalc.writing import brackets
from indexcalc.writing.index.latex import name_latex

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
    return RIGHT_KRON(B, A, *others) if A.shape == B.shape else RIGHT_KRON(A, B, *others)


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


def _always_right(faults: tuple[str, ...]) -> str:
    return "right"


def _without_term(lines: Any, line: Any) -> None:
    terms = getattr(line.right.node, "terms", ())
    if len(terms) > 1 and isinstance(line.right, ic.Expr):
        short = addition(terms[:-1], line.right.node.shape)
        line = dataclasses.replace(line, right=ic.Expr(short, line.right.indices))
    RIGHT_PUT(lines, line)


def _not_transposed(self: Compressed, v: Any) -> Any:
    rows, columns = self.matrix_shape
    return self.matvec(v) if rows == columns else RIGHT_RMATVEC(self, v)


def _halved(*given: Any) -> Cost:
    right = RIGHT_COST(*given)
    return right._replace(nbytes=right.nbytes // 2)


def _nameless(name: str) -> str:
    return RIGHT_NAME(name).partition("_")[0]


RIGHT_PUT, RIGHT_RMATVEC, RIGHT_COST, RIGHT_NAME = put, Compressed.rmatvec, cost, name_latex
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
    "abs dropped whatever the sign": lambda: [  # type: ignore[dict-item]
        set_to(row, apply=lambda work, node: _always(node)) for row in of_functions.FUNCTIONS["abs"]
    ],
    "a printer that loses brackets": lambda: everywhere(brackets.wrapped, _unbracketed),
    "LaTeX whose brackets do not close": lambda: everywhere(brackets.wrapped, _half_open),
    "a verdict of check that is always right": lambda: everywhere(verdict_of, _always_right),
    "a line of explain that drops a term": lambda: everywhere(put, _without_term),
    "a compressed product that transposes nothing": lambda: setattr(Compressed, "rmatvec", _not_transposed),
    "bytes foretold of single precision": lambda: everywhere(cost, _halved),
    "LaTeX that loses the digits of names": lambda: everywhere(name_latex, _nameless),
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


HAVING = {
    "a wrong sign in the rule of cos": "cos",
    "a lost term in the rule of tanh": "tanh",
    "a lost factor in the rule of a power": "power",
    "a kink beyond 1 in the rule of sin": "sin",
    "a wrong branch in the rule of maximum": "maximum",
    "the rule of where for the other branch": "choice",
    "a dropped term in the rule of softmax": "softmax",
    "a lost quotient in the rule of norm2": "norm2",
    "the whole product in the rule of prod": "prod",
    "a wrong sign in the rule of log_softmax": "log_softmax",
    "an exponential for the softmax in the rule of logsumexp": "logsumexp",
    "a lost sign in the rule of inv": "inverse",
    "a lost factor in the rule of logdet": "log determinant",
    "a lost factor in the rule of the Cholesky factor": "Cholesky factor",
    "a wrong sign in the rule of eigenvectors": "squared eigenvectors",
    "a lost factor in the rule of singular values": "singular values",
    "a wrong sign in the rule of singular vectors": "squared singular vectors",
    "swapped axes in the rule of joined axes": "kron",
    "a named step without a derivative": "define",
    "structure= passed over": "independent",
    "independent entries taken for the mean": "independent",
    "abs dropped whatever the sign": "abs",
    "LaTeX whose brackets do not close": "LaTeX",
    "a verdict of check that is always right": "check",
    "a line of explain that drops a term": "explain",
    "a compressed product that transposes nothing": "compressed",
    "bytes foretold of single precision": "preflight",
    "LaTeX that loses the digits of names": "LaTeX",
    "a layout transposed": "denominator",
    "a vec by columns for that by rows": "vec-rows",
    "stress for Mandel's coordinates": "mandel",
    "a transpose lost in source for NumPy": "source for numpy",
    "a dropped keyword: the k of triu": "upper triangle",
    "a dropped keyword: the order of vec": "vec by rows",
    "exchanged arguments of kron": "kron",
    "a sum for a mean": "mean",
    "a permutation symbol without its signs": "cross",
    "the offset of a triangle lost in numbers": "upper triangle",
    "a lost exponent in the rule of products": "cube",
    "a lost minus in the rule of cofactors": "cofactors",
    "a lost factor in the rule of pinv": "pinv",
    "a lost factor in the rule of norm_nuc": "nuclear norm",
    "a wrong sign in the rule of min": "min",
    "a lost power in the rule of normp": "normp",
    "a lost factor in the numbers of a derivative of roots of matrices": "square root",
    "a kink beyond 1 in the rule of softplus": "softplus",
    "a wrong sign in the rule of atan2": "atan2",
    "a lost term in the rule of gelu": "gelu",
    "numbers of erfc taken from erf": "erfc",
    "a vec by rows for that by columns": "magnus-neudecker",
}  # fmt: skip
"""What a program must have in it to show a fault, for those that not all programs may: tried are those that have it.

So which program shows a fault is found anew at each time, and may be another one where programs are drawn otherwise.
"""
SEED, TRIES = 7, 40
"""The seed whose programs the tests try, and how many of those that have what a fault asks for: a minute's worth."""


def found(name: str, seed: int, seconds: float | None, answer: Any) -> None:
    """Plant a fault and fuzz as the command does, until something fails: the number of that program, or -1."""
    FAULTS[name]()
    began = time.monotonic()
    failures = fuzz(seed, seconds, TRIES, most=1, small=False, having=HAVING.get(name, "")).failures
    spent = round(time.monotonic() - began, 1)
    if not failures:
        answer.put((name, -1, spent, "not found"))
    for one in failures:
        answer.put((name, one.number, spent, f"{one.finding.check}: {one.finding.text}"))


def planted(name: str, seed: int, seconds: float | None) -> tuple[str, int, float, str]:
    """A fault in a process of its own: its name, the program that shows it, seconds, what it shows."""
    kind = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(kind)
    answer = context.SimpleQueue()
    process = context.Process(target=found, args=(name, seed, seconds, answer))
    process.start()
    process.join()
    told: tuple[str, int, float, str] = answer.get() if not process.exitcode else (name, -1, 0.0, "the process ended")
    return told


def main(seed: int = SEED, seconds: float | None = None, *names: str) -> int:
    """Each fault, one after the other, then the programs that show them: how many are not as they should be."""
    missed, shown = 0, set()
    for name in names or FAULTS:
        told = planted(name, seed, seconds)
        missed += told[1] < 0
        shown.add(told[1])
        print("\t".join(map(str, told)).replace("\n", " ")[:300], flush=True)
    for number in sorted(shown - {-1}):  # after the others: what is derived here is remembered
        sound = failing(program(seed, number))
        missed += sound is not None
        print(f"program {number} of seed {seed}, without a fault: {sound}", flush=True)
    return missed


if __name__ == "__main__":
    given: list[Any] = sys.argv[1:]
    sys.exit(main(*map(int, given[:1]), *map(float, given[1:2]), *given[2:]))
