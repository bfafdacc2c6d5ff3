"""A derivation in index notation: entries, deltas, and the chain rule with what stands inside functions named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from indexcalc.calculus.derivative import identity, push_forward
from indexcalc.explaining.lines import Explanation, Line, latex_title, put
from indexcalc.explaining.reasons import constants_told, delta_rule, rules_used, told, transposes_told
from indexcalc.explaining.seeds import opened_latex, opened_text
from indexcalc.explaining.stages import depending, inside, part_names
from indexcalc.graph.constructors import einsum, variable
from indexcalc.graph.inputs import inputs_of
from indexcalc.graph.node import Definition, Node, Product, Variable, topological
from indexcalc.graph.walk import count, substitute, variables
from indexcalc.index import Index
from indexcalc.simplify.passes import simplify
from indexcalc.views.array import Array
from indexcalc.views.derivatives.derivative import Derivative
from indexcalc.views.derivatives.differentiate import derivative, diff
from indexcalc.views.expr import Expr
from indexcalc.views.view import View
from indexcalc.writing.index.words import LETTERS

LONGEST = 1000
"""How many nodes an expression may have to be written out: an arbitrary budget, of a few pages."""
STAGES = 3
"""How many functions inside one another get lines of their own; what is deeper is differentiated at once."""
MOST_NAMES = 2
"""Parts inside functions that get names of their own in one stage; of more the derivative is taken at once."""


class Entries:
    """The lines in index notation."""

    def __init__(self, expr: View, wrt: View, structure: str) -> None:
        self.structure, self.wrt = structure, wrt
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
        self.trail = self.target.dims
        self.spelled = {v.label: v.latex for v in variables([self.root, self.target]) if v.latex}
        taken = {v.label for v in inputs_of(self.expr.node)} | {index.name for index in self.out}
        self.title = "L" if not self.expr.indices else "y"
        if self.title in taken:
            self.title = next(name for name in ("f", "F", "Q", "value") if name not in taken)
        self.taken = taken | {self.title}
        self.lines: list[Line] = []
        self.derivatives: dict[Node, Node] = {}

    def explanation(self) -> Explanation:
        """All lines."""
        first = self.expr
        self._line("write the entries", self.title, first, first, first, of=self.expr.indices)
        if self._staged():
            self._substituted()
        self._finish()
        return Explanation(tuple(self.lines), transposes_told(self.lines[-1].text), self.result)

    # -------------------------------------------------------------- the steps

    def _staged(self) -> bool:
        """The derivative with what is inside the outermost functions left open, then that of the inside."""
        depends = depending(self.root, self.target)
        parts = self._parts(self.root, depends)
        for node, part in parts.items():
            self._name(node, part)
        rule = self._rules(self.root, depends, frozenset(parts))
        self._open(self.root, parts, rule, self._placed, self.title, self.expr.indices)
        for node, part in parts.items():
            self._inner(node, part, STAGES - 1)
        return bool(parts)

    def _parts(self, root: Node, depends: set[Node]) -> dict[Node, Variable]:
        """What stands inside functions, by names; nothing where those would be too many names."""
        parts = inside(root, self.target, depends)
        names = part_names(len(parts), self.taken)
        if len(parts) > MOST_NAMES or len(names) < len(parts):
            return {}
        self.taken.update(names)
        return {node: variable(name, node.dims) for node, name in zip(parts, names, strict=True)}

    def _name(self, node: Node, part: Variable) -> None:
        entry = self._entry(node)
        self._line("name what stands inside", part.label, entry, entry, entry, of=self._letters(node))

    def _inner(self, node: Node, part: Variable, left: int) -> None:
        """The derivative of a part, in the same way."""
        letters = self._letters(node)
        target = [Index(name) for name in self.names[len(self.expr.indices) :]]

        def placed(made: Node) -> Expr:
            return Expr(made, (*letters, *target), inputs_of(made) | self.expr.inputs)

        depends = depending(node, self.target)
        parts = self._parts(node, depends) if left else {}
        for inner, name in parts.items():
            self._name(inner, name)
        self._open(node, parts, self._rules(node, depends, frozenset(parts)), placed, part.label, letters)
        for inner, name in parts.items():
            self._inner(inner, name, left - 1)

    def _open(
        self,
        root: Node,
        parts: Mapping[Node, Variable],
        rule: str,
        placed: Callable[[Node], Expr],
        title: str,
        of: Sequence[Index],
    ) -> None:
        """`∂y/∂W` in terms of the derivatives of the parts, which stay open; without parts, deltas come and go."""
        seeds: dict[Node, Node] = {}
        full: dict[Node, Node] = {}
        for node, part in parts.items():
            seed = variable(f"∂{part.label}", (*node.dims, *self.trail))
            seeds[node], full[seed], full[part] = seed, self._derivative(node), node
        own = variable(f"∂{self.target.name}", (*self.target.dims, *self.trail))
        seeds[self.target], full[own] = own, identity(self.target)
        (tangent,) = push_forward([root], seeds, self.trail)
        (tangent,) = simplify(substitute([tangent], dict(parts)))
        final = placed(self._derivative(root))
        whole = placed(_replaced(tangent, full))
        self._line(rule, f"∂{title}", final, whole, placed(tangent), of=of, by=True)
        if not parts and self.target.order and own in topological([tangent]):
            opened = placed(_replaced(tangent, {own: identity(self.target)}))
            rule = delta_rule(self.target.name, self.target.order)
            self._line(rule, f"∂{title}", final, opened, opened, of=of, by=True)
        if not parts and title != self.title:
            rule = "each delta renames a summed index" if "δ" in self.lines[-1].text else "collect"
            self._line(rule, f"∂{title}", final, final, final, of=of, by=True)

    def _substituted(self) -> None:
        result = self._free_result()
        self._line("put together", f"∂{self.title}", result, result, result, by=True, of=self.expr.indices)

    def _finish(self) -> None:
        free = self._free_result()
        if (told_size(free) if count([free.node]) > LONGEST else str(free)) != self.lines[-1].text:
            rule = "each delta renames a summed index" if "δ" in self.lines[-1].text else "collect"
            self._line(rule, f"∂{self.title}", free, free, free, by=True, of=self.expr.indices)
        if self.result.structure and self.result != free:
            rule = f"structure={self.result.structure!r}"
            self._line(rule, f"∂{self.title}", self.result, self.result, self.result, by=True, of=self.expr.indices)
        form = self._matrix_form()
        if form is not None and form.order and str(form) != self.lines[-1].text:
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
        if array is None or array.order > 2 or not array.formula().closed:
            return None
        return array

    # -------------------------------------------------------------- help

    def _derivative(self, node: Node) -> Node:
        if node not in self.derivatives:
            (made,) = push_forward([node], {self.target: identity(self.target)}, self.trail)
            (self.derivatives[node],) = simplify([made])
        return self.derivatives[node]

    def _free_result(self) -> Expr:
        return self._placed(self._derivative(self.root))

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
        if count([shown.node]) > LONGEST:
            text = told_size(shown)
            latex = rf"\text{{{text}}}"
        else:
            text, latex = opened_text(str(shown), *by_target), opened_latex(shown.latex(), *by_target, self.spelled)
        put(self.lines, Line(rule, title, left, right, text, latex_title(title, self.spelled), latex))

    def _rules(self, root: Node, depends: set[Node], stop: frozenset[Node]) -> str:
        """The rules that a derivative uses, by name."""
        if root not in depends:
            return f"{self.target.name} does not occur in it"
        return told(rules_used(root, self.target, depends, stop)) or constants_told(root, self.target)


def told_size(expr: Expr) -> str:
    """How large an expression is that would fill pages.

    >>> from indexcalc.views.expr import from_number
    >>> told_size(from_number(2))
    'an expression of 1 node'
    """
    nodes = count([expr.node])
    return f"an expression of {nodes} node{'s' * (nodes > 1)}"


def _replaced(node: Node, table: Mapping[Node, Node]) -> Node:
    """The node with some variables replaced."""
    (made,) = substitute([node], dict(table))
    return made


def _axes(view: Node, target: Node) -> list[int]:
    """Which axis of a view of a tensor each axis of the tensor is."""
    if view is target:
        return list(range(target.order))
    assert isinstance(view, Product) and len(view.factors) == 1
    return [view.out.index(label) for label in view.factors[0].labels]
