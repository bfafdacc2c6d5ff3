"""A derivation in index notation: entries, deltas, and the chain rule with what stands inside functions named."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from indexcalc.errors import counted
from indexcalc.explaining.derived import Derivation, derive, open_name
from indexcalc.explaining.lines import NAMED, Explanation, Line, latex_title, put
from indexcalc.explaining.reasons import MOST, constants_told, delta_rule, told, transposes_told
from indexcalc.explaining.seeds import opened_latex, opened_text
from indexcalc.explaining.stages import opened
from indexcalc.graph.constructors import einsum
from indexcalc.graph.inputs import inputs_of
from indexcalc.graph.node import Definition, Node, Product, Variable, topological
from indexcalc.graph.walk import count, variables
from indexcalc.index import Index
from indexcalc.simplify.passes import simplify
from indexcalc.simplify.products.gather import DELTA
from indexcalc.simplify.rewriting.rewrite import Trace
from indexcalc.views.array import Array
from indexcalc.views.derivatives.derivative import Derivative
from indexcalc.views.derivatives.differentiate import derivative, diff
from indexcalc.views.expr import Expr
from indexcalc.views.view import View
from indexcalc.writing.index.words import LETTERS
from indexcalc.writing.typed import as_typed

LONGEST = 1000
"""How many nodes an expression may have to be written out: an arbitrary budget, of a few pages."""


class Entries:
    """The lines in index notation; parts have none of the names to `avoid`."""

    def __init__(self, expr: View, wrt: View, structure: str, avoid: frozenset[str] = frozenset()) -> None:
        self.structure, self.wrt = structure, wrt
        expr, name = opened(expr, wrt)
        self.matrix = expr if isinstance(expr, Array) else None
        if isinstance(expr, Array):
            letters = list(LETTERS)
            own = [Index(letters.pop(0)) for _ in range(expr.order)]
            by = [Index(letters.pop(0)) for _ in range(wrt.order)]
            self.expr = Expr(expr.node, tuple(own), expr.inputs)
            self.by = Expr(wrt.node, tuple(by), wrt.inputs)
        else:
            assert isinstance(expr, Expr)
            self.expr = expr
            self.by = wrt if isinstance(wrt, Expr) else Expr(wrt.node, (), wrt.inputs)
        self.result: Derivative = diff(self.expr, self.by, structure=structure)
        self.root = self.expr.node
        self.target = next(n for n in topological([self.by.node]) if isinstance(n, Variable | Definition))
        places = [self.by.indices[axis] for axis in _axes(self.by.node, self.target)]
        self.names = [index.name for index in (*self.expr.indices, *places)]
        self.out = list(self.result.indices)
        self.spelled = {v.label: v.latex for v in variables([self.root, self.target]) if v.latex}
        taken = {v.label for v in inputs_of(self.expr.node)} | {index.name for index in self.out}
        self.title = name or ("L" if not self.expr.indices else "y")
        if self.title in taken:
            self.title = next(name for name in ("f", "F", "Q", "value") if name not in taken)
        self.taken = taken | {self.title} | avoid
        self.lines: list[Line] = []
        self.named: set[Node] = set()
        self.told: list[Derivation] = []
        trace = Trace()
        (self.root,) = simplify([self.root], trace)
        self.first = trace.said()
        self.derived = derive(self.root, self.target, self.taken)
        self.form = self._matrix_form()

    def explanation(self) -> Explanation:
        """All lines."""
        first = self.expr
        self._line("write the entries", self.title, first, first, first, of=self.expr.indices)
        if self.first:
            same = Expr(self.root, self.expr.indices, self.expr.inputs)
            self._line(told(self.first), self.title, same, same, same, of=self.expr.indices)
        made = self.derived
        self._named(made)
        self._opened(made, self._placed, self.title, self.expr.indices)
        for inner in made.inner:
            self._inner(inner, made.parts[inner.root].label)
        if made.parts:
            result, named = self._placed(made.final), self._placed(made.named)
            shown = named if self.form is not None and len(str(named)) < len(str(result)) else result
            rule = "; ".join(["put together", *self._further(made)][:MOST])
            self._line(rule, f"∂{self.title}", result, result, shown, by=True, of=self.expr.indices)
        self._finish()
        return Explanation(tuple(self.lines), transposes_told(self.lines[-1].text), self.result)

    # -------------------------------------------------------------- the steps

    def _named(self, made: Derivation) -> None:
        for node, part in made.parts.items():
            if node in self.named:
                continue
            self.named.add(node)
            entry = self._entry(node)
            self._line(NAMED, part.label, entry, entry, entry, of=self._letters(node))

    def _inner(self, made: Derivation, title: str) -> None:
        """The derivative of a part, in the same way; once, where it stands inside several functions."""
        if made in self.told:
            return
        self.told.append(made)
        letters = self._letters(made.root)
        target = [Index(name) for name in self.names[len(self.expr.indices) :]]

        def placed(node: Node) -> Expr:
            return Expr(node, (*letters, *target), inputs_of(node) | self.expr.inputs)

        self._named(made)
        self._opened(made, placed, title, letters)
        for inner in made.inner:
            self._inner(inner, made.parts[inner.root].label)

    def _opened(self, made: Derivation, placed: Callable[[Node], Expr], title: str, of: Sequence[Index]) -> None:
        """`∂y/∂W` in terms of the derivatives of the parts, which stay open; without parts, deltas come and go."""
        final = placed(made.final)
        rule = told(made.rules) or self._constants(made)
        self._line(rule, f"∂{title}", final, placed(made.whole), placed(made.open), of=of, by=True)
        if made.parts:
            return
        said = made.said
        if self.target.order and open_name(self.target) in topological([made.open]):
            opened = placed(made.deltas)
            rule = delta_rule(self.target.name, self.target.order)
            if " with " in str(opened):
                said = [rule, *said]
            else:
                self._line(rule, f"∂{title}", final, opened, opened, of=of, by=True)
        self._line(told(said) or "collect", f"∂{title}", final, final, final, of=of, by=True)

    def _constants(self, made: Derivation) -> str:
        """What is said where no rule has a name."""
        if self.target not in topological([made.root]):
            return f"{self.target.name} does not occur in it"
        return constants_told(made.root, self.target, made.open)

    def _further(self, made: Derivation) -> list[str]:
        """What putting together took, but for deltas."""
        return [words for words in made.said if words != DELTA.said]

    def _finish(self) -> None:
        free = self._placed(self.derived.final)
        if self.result.structure and self.result != free:
            rule = f"structure={self.result.structure!r}"
            self._line(rule, f"∂{self.title}", self.result, self.result, self.result, by=True, of=self.expr.indices)
        form = self.form
        if form is not None and str(form) != self.lines[-1].text:
            title = f"∂{self.title}/∂{self.wrt.node.name}"
            text = str(form)
            latex = form.latex()
            rule, head = "read off the matrix form", latex_title(title, self.spelled)
            self.lines.append(Line(rule, title, self.result, form, text, head, latex))

    def _matrix_form(self) -> Array | None:
        if count([self.result.node]) > LONGEST:
            return None
        if self.matrix is None:
            array = self.result.array(*self.result.free) if self.result.free else None
        else:
            array = derivative(self.matrix, self.wrt, structure=self.structure)
        if array is None or not 0 < array.order <= 2 or not array.formula().closed:
            return None
        return array

    # -------------------------------------------------------------- help

    def _placed(self, node: Node) -> Expr:
        """A derivative of the whole with the names of its axes, as the result has them."""
        placed = einsum(1, [(node, self.names)], [index.name for index in self.out])
        return Expr(placed, tuple(self.out), inputs_of(placed) | self.expr.inputs)

    def _letters(self, node: Node) -> tuple[Index, ...]:
        """Names for the axes of a part: those that the indices of the target leave."""
        used = set(self.names[len(self.expr.indices) :])
        return tuple(Index(name) for name in [x for x in LETTERS if x not in used][: node.order])

    def _entry(self, node: Node) -> Expr:
        return Expr(node, self._letters(node), inputs_of(node))

    def _line(
        self, rule: str, name: str, left: Expr, right: Expr, shown: Expr, of: Sequence[Index], by: bool = False
    ) -> None:
        title = f"{name}[{','.join(map(str, of))}]" if of else name
        if by:
            below = self.names[len(self.expr.indices) :]
            title += f"/∂{self.target.name}" + (f"[{','.join(below)}]" if below else "")
        by_target = self.target.name, self.target.order
        shown = Expr(as_typed(shown.node, self.expr.node), shown.indices, shown.inputs, shown.free)
        if count([shown.node]) > LONGEST:
            text = told_size(shown)
            latex = rf"\text{{{text}}}"
        else:
            text, latex = opened_text(str(shown), *by_target), opened_latex(shown.latex(), *by_target, self.spelled)
        put(self.lines, Line(rule, title, left, right, text, latex_title(title, self.spelled), latex))


def told_size(expr: Expr) -> str:
    """How large an expression is that would fill pages.

    >>> from indexcalc.views.expr import from_number
    >>> told_size(from_number(2))
    'an expression of 1 node'
    """
    nodes = count([expr.node])
    return f"an expression of {counted(nodes, 'node')}"


def _axes(view: Node, target: Node) -> list[int]:
    """Which axis of a view of a tensor each axis of the tensor is."""
    if view is target:
        return list(range(target.order))
    assert isinstance(view, Product) and len(view.factors) == 1
    return [view.out.index(label) for label in view.factors[0].labels]
