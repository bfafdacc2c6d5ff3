"""A derivation with differentials: `dL = G : dY = G : (X @ dW) = (X.T @ G) : dW`."""

from __future__ import annotations

import re
from typing import Any

from indexcalc.calculus.derivative import identity, push_forward
from indexcalc.explaining.lines import NAMED, Explanation, Line, latex_title, put
from indexcalc.explaining.reasons import moved_rule, rules_in, told
from indexcalc.explaining.stages import depending, inside, opened, part_names, turned, upright
from indexcalc.graph.constructors import einsum, variable
from indexcalc.graph.inputs import inputs_of
from indexcalc.graph.node import Call, Node, topological
from indexcalc.graph.walk import substitute, variables
from indexcalc.simplify.passes import simplify
from indexcalc.simplify.rewriting.rewrite import Trace
from indexcalc.views.array import Array
from indexcalc.views.derivatives.differentiate import derivative, differential, grad
from indexcalc.writing.brackets import ATOM, SUM, TALL, wrapped
from indexcalc.writing.index.latex import name_latex
from indexcalc.writing.typed import as_typed


class Differentials:
    """The lines with differentials: `dL = G : dY = G : (X @ dW) = (X.T @ G) : dW`."""

    def __init__(self, source: Array, target: Array, structure: str, avoid: frozenset[str] = frozenset()) -> None:
        source, name = opened(source, target)
        structured = derivative(source, target, structure=structure).structure
        root = source.node if structured else simplify([source.node])[0]
        self.typed, self.target, self.structure = source, target, structure
        self.source = Array(root, *_standing(source))
        self.before = ""
        taken = {v.label for v in source.inputs}
        names = (name,) if name else ("L", "f") if not source.order else ("Y", "F", "Q", "Z")
        self.title = next(x for x in names if x not in taken)
        self.taken = taken | {self.title} | avoid
        self.name = target.node.name
        spelled = {v.label: v.latex or name_latex(v.label) for v in variables([source.node, target.node])}
        self.spelled = spelled | {f"d{name}": name_latex(f"d{name}") for name in spelled}
        self.spelled[f"d{self.title}"] = f"d{self.title}"
        self.lines: list[Line] = []

    def explanation(self) -> Explanation:
        """All lines."""
        self._put("write the value", self.title, self.typed, self.typed, str(self.typed), self.typed.latex())
        whole = differential(self.source, [self.target], structure=self.structure)
        whole = Array(as_typed(whole.node, self.typed.node), *_standing(whole))
        staged = self._staged(whole)
        if not staged:
            depends = depending(self.source.node, self.target.node)
            rule = told(self._rules(self.source.node, self.target.node)) or "d(A X B) = A dX B: what is constant stays"
            rule = rule if self.source.node in depends else f"{self.name} does not occur in it"
            self.before = str(whole)
            self._put(rule, f"d{self.title}", whole, whole, self.before, whole.latex())
        if self.source.order:
            self._read_tensor()
        else:
            self._read_gradient(whole)
        result = self.lines[-1].right
        return Explanation(tuple(self.lines), (), result)

    def _staged(self, whole: Array) -> bool:
        """`dL = G : dY`, then `dY`, for a scalar of something that depends on the variable."""
        if self.source.order:
            return False
        root = self.source.node
        depends = depending(root, self.target.node)
        parts = inside(root, self.target.node, depends)
        if len(parts) != 1 or not 0 < parts[0].order <= 2:
            return False
        (node,) = parts
        own = upright(node)
        if self.target.node in topological([root], lambda n: n is node):
            return False
        (name,) = part_names(1, self.taken)
        part = variable(name, own.dims)
        shown = part if own is node else turned(part)
        outer = Array(substitute([root], {node: shown})[0], inputs_of(root) | {part})
        slope = grad(outer, Array(part))
        inner = Array(own, inputs_of(own))
        moved = differential(inner, [self.target], structure=self.structure)
        self._put(NAMED, name, inner, inner, str(inner), inner.latex())
        text = f"{_bracketed(str(slope))} : d{name}"
        self.spelled[f"d{name}"] = f"d{name}"
        latex = f"{slope.latex()} : d{name}"
        full = Array(substitute([slope.node], {part: own})[0], whole.inputs)
        paired = _frobenius(full, moved, whole)
        chain = f"chain rule: d{self.title} = G : d{name}, where G is the gradient by {name}"
        outer_rules = [] if isinstance(slope.node, Call) else self._rules(outer.node, part)
        self._put(told([chain, *outer_rules]), f"d{self.title}", whole, paired, text, latex)
        rule = told(self._rules(own, self.target.node)) or "what is constant stays"
        self._put(rule, f"d{name}", moved, moved, str(moved), moved.latex())
        self.before = f"@ {moved}"
        self._put("put in", f"d{self.title}", whole, paired, f"{_bracketed(str(slope))} : {_bracketed(str(moved))}",
                  f"{slope.latex()} : {TALL.format(moved.latex())}")  # fmt: skip
        return True

    def _rules(self, root: Node, node: Node) -> list[str]:
        """The rules of the calculus that the derivative of a root by a tensor applies."""
        trace = Trace()
        push_forward([root], {node: identity(node)}, node.dims, trace)
        return rules_in(trace)

    def _read_gradient(self, whole: Array) -> None:
        found = grad(self.typed, self.target, structure=self.structure)
        beside = found if self.structure == "free" else grad(self.typed, self.target, structure="projected")
        text, latex = str(beside), beside.latex()
        name = f"d{self.name}"
        node = self.target.node
        step = variable(name, node.dims)
        step = next((v for v in whole.inputs if v.label == name), step)
        paired = _frobenius(beside, Array(step), whole)
        self._put(moved_rule(self.before, node.order), f"d{self.title}", whole, paired,
                  f"{_bracketed(text)} : {name}", f"{TALL.format(latex)} : {self.spelled.get(name, name)}")  # fmt: skip
        rule = "read off what multiplies the differential" if found == beside else f"structure={self.structure!r}"
        self._put(rule, f"∂{self.title}/∂{self.name}", found, found, str(found), found.latex())

    def _read_tensor(self) -> None:
        found = derivative(self.typed, self.target, structure=self.structure)
        if self.source.order == 1 and self.target.order <= 1:
            title = f"∂{self.title}/∂{self.name}"
            self._put("read off what multiplies the differential", title, found, found, str(found), found.latex())
            return
        laid = found.layout("magnus-neudecker")
        title = f"∂vec {self.title}/∂(vec {self.name})ᵀ"
        entries = found.matrix(rows=found.of, cols=found.wrt, order="F")
        self._put("vec(A X B) = kron(B.T, A) vec(X), column by column", title, entries, laid, str(laid), laid.latex())
        self._put("as a tensor: axes of the value, then of the variable", f"∂{self.title}/∂{self.name}", found, found,
                  str(found), found.latex())  # fmt: skip

    def _put(self, rule: str, title: str, left: Array, right: Array, text: str, latex: str) -> None:
        put(self.lines, Line(rule, title, left, right, text, latex_title(title, self.spelled), latex))


def _standing(array: Array) -> tuple[Any, ...]:
    """What an Array has beside its node."""
    return array.inputs, array.places, array.vectors, array.turned, array.flipped


def _frobenius(one: Array, other: Array, like: Array) -> Array:
    """`one : other`, the sum of the products of entries."""
    axes = range(one.order)
    return Array(einsum(1, [(one.node, axes), (other.node, axes)], ()), like.inputs | one.inputs | other.inputs)


def _bracketed(text: str) -> str:
    """A matrix formula as an operand of `:`, in brackets unless it is a name or a call."""
    return wrapped(text, ATOM if re.fullmatch(r"\w*(\([^()]*\))?(\.T)?", text) else SUM, ATOM)
