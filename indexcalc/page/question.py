"""A question: an expression, what it is derived by, and what names mean; from the command line or from the page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from indexcalc.checking.check import check
from indexcalc.checking.report import Report
from indexcalc.errors import KindError, NameRefused
from indexcalc.functions.table import reduction_row
from indexcalc.graph.node import Reduction, topological
from indexcalc.index import Index
from indexcalc.progress import Callback
from indexcalc.reading.guess import unknown_names
from indexcalc.reading.reader import parse
from indexcalc.reading.tokens.words import Words
from indexcalc.views.array import Array
from indexcalc.views.declare import column, row, tensor
from indexcalc.views.derivatives.derivative import ArrayDerivative, Derivative
from indexcalc.views.derivatives.differentiate import derivative, diff, hessian
from indexcalc.views.expr import Expr
from indexcalc.views.functions.abstract import function
from indexcalc.views.view import View

STAND = {"column": column, "row": row}
HOW = ("batch", "vectors", "syntax", "guess", "dims")
"""Keywords of `parse` that say how a text is read; no tensor of the page has such a name."""
LETTERS = "klpqrstuvijmn"
"""Names of indices for a variable that was named without them, in the order in which they are taken."""
QUOTIENT = re.compile(r"\s*[d∂]\s*(\w+)(?:\(.*\))?\s*/\s*\(?\s*[d∂]\s*(.+?)\s*\)?\s*")
"""`dL/dW`: of what, and by what."""
FRACTION = re.compile(
    r"\s*\$?\s*\\[dt]?frac\s*\{\s*(?:\\partial|d|∂)\s*(\w+)\s*\}\s*\{\s*(?:\\partial|d|∂)\s*(.+?)\s*\}\s*\$?\s*"
)
r"""`\frac{\partial L}{\partial W}`, the same in LaTeX."""
LINES = re.compile(r"[;\n]|\\\\")
STATEMENT = re.compile(r"\s*&?\s*((\w+?)(?:_\{?\w+\}?)?)\s*(?:\([^()]*\)|\[[^\[\]]*\])?\s*&?\s*:?=(?!=)")
"""A statement that defines a name, and the name: with what stands below it, and without."""


class Question(NamedTuple):
    """What is asked: the value, what it is derived by, what names mean, and which derivative by a structured tensor.

    `named` is what the quotient, or the last statement, calls the value that is derived: `p` in `dp/dW`.
    """

    value: Any
    targets: tuple[Any, ...]
    known: Mapping[str, Any]
    structure: str = "projected"
    note: str = ""
    named: str = ""

    @property
    def by(self) -> str:
        """What it is derived by, in words."""
        return ", ".join(map(str, self.targets))

    @property
    def result(self) -> Any:
        """The derivative, by one tensor after another; the value, where that is the derivative that was asked."""
        how: Any = self.structure
        if isinstance(self.value, Expr) or any(isinstance(target, Expr) for target in self.targets):
            return diff(self.value, *self.targets, structure=how) if self.targets else self.value
        if len(self.targets) == 2 and not self.value.order:
            return hessian(self.value, *self.targets, structure=how)
        made = self.value
        for target in self.targets:
            made = derivative(made, target, structure=how)
        return made

    @property
    def last(self) -> tuple[Any, Any]:
        """The last derivative that is taken: of what, and by what."""
        if not self.targets and isinstance(self.value, Derivative | ArrayDerivative):
            return Question(self.value.source, self.value.targets, self.known, self.structure).last
        if not self.targets:
            raise KindError("by", "nothing to derive by", "name a variable, W say")
        return self._replace(targets=self.targets[:-1]).result, self.targets[-1]

    @property
    def inputs(self) -> tuple[Any, ...]:
        """The tensors that a program of the result takes: what is declared, in that order, then the others."""
        own = {**self.result.variables, **self.value.variables}
        return tuple(own[name] for name in dict.fromkeys([*self.known, *own]) if name in own)

    def judged(
        self,
        formula: str,
        result: Any,
        layout: str | None = None,
        vectors: str | None = None,
        progress: Callback | None = None,
    ) -> Report:
        """What `check` says of a formula that somebody derived."""
        more = {name: value for name, value in self.known.items() if name not in HOW}
        if self.known.get("batch"):
            more["batch"] = self.known["batch"]
        more["syntax"] = self.known.get("syntax", "")
        return check(formula, result, vectors=vectors, layout=layout, progress=progress, **more)


def loss_of(name: str, value: Any, known: dict[str, Any]) -> Any:
    """A loss of this name of an expression, put among what is known; its gradient is G, where nothing else is.

    >>> import indexcalc as ic
    >>> loss_of("L", ic.tensor("X", "n m"), {})
    L(X)
    """
    array = value.array(*value.free) if isinstance(value, Expr) else value
    gradient = "G" if "G" not in {*known, name} else f"d{name}"
    spec = " ".join(f"({dim})" if "+" in str(dim) or " " in str(dim) else str(dim) for dim in array.node.dims)
    known[name] = function(name, f"{spec} ->", gradient=gradient)
    return known[name](array)


# ------------------------------------------------------------------ from the page


class Declaration(NamedTuple):
    """What a person says of a name: the dimensions of a tensor, or `n m ->` of a function, and what is assumed."""

    name: str
    dims: str
    assume: tuple[str, ...] = ()
    gradient: str = ""

    def meaning(self, vectors: str) -> Any:
        """The tensor or the function."""
        if "->" in self.dims:
            return function(self.name, self.dims, gradient=self.gradient)
        assumed: dict[str, Any] = dict.fromkeys(self.assume, True)
        made = tensor(self.name, self.dims.replace(",", " "), **assumed)
        return STAND[vectors](made) if made.order == 1 and vectors in STAND else made


class Inquiry(NamedTuple):
    """What the page sends: the formula, what to derive by, how it is read, and what is declared."""

    formula: str
    by: str = ""
    vectors: str = "numpy"
    syntax: str = ""
    structure: str = "projected"
    batch: str = ""
    declared: tuple[Declaration, ...] = ()

    def question(self) -> Question:
        """The request, read.

        >>> Inquiry("Y = X W + B", "dL/dW").question().result
        X.T @ G
        >>> Inquiry("x_i W_ij", "W").question().by
        'W[k,l]'
        """
        if not self.formula.strip():
            raise KindError("formula", "there is nothing to read", "write a formula, norm2(X w - y)**2 say")
        how: dict[str, Any] = {"batch": self.batch, "vectors": self.vectors, "syntax": self.syntax}
        tensors: dict[str, Any] = {}
        for one in self.declared:
            if one.name in HOW or one.name in tensors:
                why = "is given twice" if one.name in tensors else "is a keyword"
                raise NameRefused(one.name, f"{one.name!r} {why}", "use another name")
            tensors[one.name] = one.meaning(self.vectors)
        of, by = self._asked()
        text = self.formula
        defined = [{*found.groups()} for line in LINES.split(text) if (found := STATEMENT.match(line))]
        if any(of in names for names in defined[:-1]):
            text = f"{text}\n{of}"
        value = parse(text, guess=True, **how, **tensors)
        if not isinstance(value, Expr | Array):
            raise KindError(self.formula, f"a {type(value).__name__} is no expression", "write a formula")
        known = {**value.declarations, **how, **tensors}
        note = value.note
        if of and not any(of in names for names in defined) and value.order:
            value = loss_of(of, value, known)
        targets = tuple(_with_indices(parse(one, **known), value) for one in _parts(by))
        last = STATEMENT.match(LINES.split(self.formula)[-1])
        notes = [*([note] if note else []), *_whole(value)]
        return Question(value, targets, known, self.structure, "; ".join(notes), of or (last[2] if last else ""))

    def _asked(self) -> tuple[str, str]:
        """Of what, where `by` says it, and by what."""
        found = QUOTIENT.fullmatch(self.by) or FRACTION.fullmatch(self.by)
        return (found[1], found[2]) if found else ("", self.by)

    def variables(self, question: Question | None) -> list[dict[str, Any]]:
        """The names of the formula: dimensions, order, what is assumed, and whether a person said so."""
        own = {one.name: one for one in self.declared}
        found: dict[str, dict[str, Any]] = {
            name: {"name": name, "dims": one.dims, "assume": list(one.assume), "gradient": one.gradient, "own": True}
            for name, one in own.items()
        }
        said = question.value.declarations if question else {}
        for name, meaning in said.items():
            if name not in own and isinstance(meaning, View):
                dims = " ".join(str(dim).replace(" ", "") for dim in meaning.node.dims)
                found[name] = {"name": name, "dims": dims, "assume": [], "gradient": "", "own": False}
        if question is None:
            for name, order in unknown_names(self.formula, Words(), self.syntax).items():
                dims = " ".join("nmpq"[:order])
                found.setdefault(name, {"name": name, "dims": dims, "assume": [], "gradient": "", "own": False})
        return list(found.values())


def _parts(by: str) -> Sequence[str]:
    """The variables of a list: commas within brackets stay."""
    return [part for part in re.split(r",(?![^\[\](){}]*[\])}])", by) if part.strip()]


def _whole(value: View) -> list[str]:
    """What a reader might trip over: a function along axes that runs over all entries of a matrix."""
    found = [
        node.fn
        for node in topological([value.node])
        if isinstance(node, Reduction) and node.keeps and len(node.axes) > 1 and not reduction_row(node.fn).square
    ]
    return [f"{name} is over all entries: for rows write {name}(..., axis=1)" for name in dict.fromkeys(found)]


def _with_indices(target: Any, value: Any) -> Any:
    """The target, with indices of its own where the value has indices and it has none."""
    if not isinstance(value, Expr) or isinstance(target, Expr) or not isinstance(target, View) or not target.order:
        return target
    taken = set(re.findall(r"\w+", f"{value} {' '.join(index.name for index in value.free)}"))
    free = [letter for letter in LETTERS if letter not in taken]
    return target[tuple(Index(letter) for letter in free[: target.order])]  # type: ignore[index]
