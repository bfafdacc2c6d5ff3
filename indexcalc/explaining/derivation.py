"""`ic.explain`: a derivation as a person would write it, each line an equality with the rule that gives it.

The lines come from the graph and the rules of the calculus, not from templates. What stands inside a function is named
(`u = X @ w`), and its derivative is left open while the function outside is differentiated: that is the chain rule.
Then each tensor's derivative by itself is a product of deltas, each delta renames the summed index that it meets, and
what is left is read as a matrix formula. With `style="differential"` the same is said with differentials:
`dL = G : dY = G : (X @ dW) = (X.T @ G) : dW`, where `A : B` is the sum of the products of entries, tr(Aᵀ B).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from indexcalc.calculus.derivative import identity, push_forward
from indexcalc.errors import Asked, KindError
from indexcalc.functions.table import ELEMENTWISE, MATRICES, REDUCTIONS
from indexcalc.graph.constructors import einsum, elementwise, reduction, variable
from indexcalc.graph.inputs import inputs_of
from indexcalc.graph.node import Call, Definition, Elementwise, Matrix, Node, Product, Reduction, Variable, topological
from indexcalc.graph.walk import substitute, variables
from indexcalc.index import Index, dim
from indexcalc.simplify.passes import simplify
from indexcalc.views.array import Array
from indexcalc.views.derivative import Derivative
from indexcalc.views.differentiate import derivative, diff, differential, grad
from indexcalc.views.expr import Expr
from indexcalc.views.view import View

STYLES = ("index", "differential")
LETTERS = "ijklmnpqrst"
STAGES = 3
"""How many functions inside one another get lines of their own; what is deeper is differentiated at once."""
SHOWN = 12
LONGEST = 160
SIDES = ((r"(?<![\w.)])(\w+)\.T @", "left", "first", "last"), (r"@ (\w+)\.T(?! @)", "right", "last", "first"))
TOKEN = re.compile(r"\\mathrm\{[^}]*\}|\\[A-Za-z]+ ?|[A-Za-z0-9](?:_\{?\d+\}?)?'*|,")


@dataclass(frozen=True, slots=True)
class Line:
    """`left = right`, by a rule. `right` is the expression whose text may leave derivatives open, in full.

    `left` and `right` have equal numbers.
    """

    rule: str
    title: str
    left: View
    right: View
    text: str
    latex_title: str
    latex_text: str

    def __str__(self) -> str:
        return f"{self.title} = {self.text}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """The lines of a derivation; `str` is a text, notebooks show LaTeX."""

    lines: tuple[Line, ...]
    remarks: tuple[str, ...]
    result: View

    def __iter__(self) -> Iterator[Line]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)

    def __str__(self) -> str:
        return self.text()

    def text(self, full: bool = False) -> str:
        """The lines as text. Unless `full`, a long formula is cut, and of more than `SHOWN` lines the middle folds."""
        width = max(len(line.title) for line in self.lines)
        rows = []
        last = ""
        for line in self.lines:
            title = "" if line.title == last else line.title
            formula = line.text
            if not full and len(formula) > LONGEST:
                formula = f"{formula[:LONGEST]}... ({len(line.text)} characters)"
            rows.append((f"{title:<{width}} = {formula}", line.rule))
            last = line.title
        longest = min(88, max(len(row[0]) for row in rows))
        shown = [f"{text:<{longest}}   [{rule}]" for text, rule in rows]
        if not full and len(shown) > SHOWN:
            head, tail = shown[: SHOWN // 2], shown[-(SHOWN // 2) :]
            shown = [*head, f"... {len(rows) - len(head) - len(tail)} lines more, in .text(full=True)", *tail]
        return "\n".join([*shown, *(f"  note: {remark}" for remark in self.remarks)])

    def __repr__(self) -> str:
        return str(self)

    def latex(self) -> str:
        """The derivation as an `aligned` block."""
        rows = []
        last = ""
        for line in self.lines:
            title = "" if line.latex_title == last else line.latex_title
            rows.append(rf"{title} &= {line.latex_text} && \text{{{_escaped(line.rule)}}}")
            last = line.latex_title
        return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"


def explain(expr: Any, wrt: Any, *, style: str = "index", structure: str = "projected") -> Explanation:
    """The derivation of a derivative, line by line, each with its rule.

    `expr` is an Expr and `wrt` an indexed tensor (`W[i,k]`), or both are Arrays. `style="index"` writes entries and
    deltas, `style="differential"` differentials. `structure` is that of `ic.diff`. The result has `.lines`,
    `.result` (the derivative), `.text(full=True)` and `.latex()`.

    >>> import indexcalc as ic
    >>> i, j, k, l = ic.indices("i j k l")
    >>> x, W = ic.tensor("x", "n"), ic.tensor("W", "n m")
    >>> print(ic.explain(x[i]*W[i,j], W[k,l]))
    y[j]          = x[i]*W[i,j]            [write the entries]
    ∂y[j]/∂W[k,l] = x[i]*∂W[i,j]/∂W[k,l]   [x is constant: it stays]
                  = x[i]*δ[i,k]*δ[j,l]     [∂W[i,j]/∂W[k,l] = δ[i,k]*δ[j,l]]
                  = x[k]*δ[j,l]            [each delta renames a summed index]
    """
    asked = Asked(lambda: f"explain({expr}, {wrt})")
    if style not in STYLES:
        raise KindError(asked, f"style={style!r}", 'write style="index" or style="differential"')
    if isinstance(expr, Expr) and not isinstance(wrt, Expr) and not (isinstance(wrt, Array) and not wrt.order):
        raise KindError(asked, f"{wrt} has no indices", "write ic.explain(y, W[i,k])")
    if isinstance(expr, Array) and isinstance(wrt, Expr):
        raise KindError(asked, f"{wrt} has indices and {expr} has none", "leave the indices out, or index both")
    if not isinstance(expr, View) or not isinstance(wrt, View):
        raise KindError(asked, f"{expr!r} by {wrt!r}", "give an expression and the tensor to differentiate by")
    if style == "differential":
        return _differential(expr, wrt, structure, asked)
    return _Entries(expr, wrt, structure).explanation()


# ------------------------------------------------------------------ stages: what stands inside functions


FUNCTIONS = (Elementwise, Reduction, Matrix, Call)


def _depending(root: Node, target: Node) -> set[Node]:
    found = {target}
    for node in topological([root]):
        if any(child in found for child in node.children):
            found.add(node)
    return found


def _inside(root: Node, target: Node, depends: set[Node]) -> list[Node]:
    """The arguments of the outermost functions of a root, as far as they are more than the target itself."""
    found: list[Node] = []
    stack, seen = [root], {root}
    while stack:
        node = stack.pop()
        for child in node.children:
            if child not in depends or child is target:
                continue
            if isinstance(node, FUNCTIONS):
                if child not in found:
                    found.append(child)
            elif child not in seen:
                seen.add(child)
                stack.append(child)
    return found


def _names(count: int, taken: set[str]) -> list[str]:
    """Names for parts that no tensor has."""
    free = [name for name in ("u", "v", "z", "h", "g", "a", "c") if name not in taken]
    return free[:count]


# ------------------------------------------------------------------ entries and deltas


class _Entries:
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
        taken = {v.label for v in inputs_of(self.expr.node)} | {index.name for index in self.out}
        self.title = "L" if not self.expr.indices else "y"
        if self.title in taken:
            self.title = next(name for name in ("f", "F", "Q", "value") if name not in taken)
        self.taken = taken | {self.title}
        self.lines: list[Line] = []

    def explanation(self) -> Explanation:
        """All lines."""
        first = self.expr
        self._line("write the entries", self.title, first, first, first, of=self.expr.indices)
        if self._staged():
            self._substituted()
        self._finish()
        return Explanation(tuple(self.lines), self._remarks(), self.result)

    # -------------------------------------------------------------- the steps

    def _staged(self) -> bool:
        """The derivative with what is inside the outermost functions left open, then that of the inside."""
        depends = _depending(self.root, self.target)
        parts = self._parts(self.root, depends)
        for node, part in parts.items():
            self._name(node, part)
        rule = self._rules(self.root, depends, frozenset(parts))
        self._open(self.root, parts, rule, self._placed, self.title, self.expr.indices)
        for node, part in parts.items():
            self._inner(node, part, STAGES - 1)
        return bool(parts)

    def _parts(self, root: Node, depends: set[Node]) -> dict[Node, Variable]:
        """What stands inside functions, by names; nothing where that would be more than two names."""
        inside = _inside(root, self.target, depends)
        names = _names(len(inside), self.taken)
        if len(inside) > 2 or len(names) < len(inside):
            return {}
        self.taken.update(names)
        return {node: variable(name, node.dims) for node, name in zip(inside, names, strict=True)}

    def _name(self, node: Node, part: Variable) -> None:
        entry = self._entry(node)
        self._line("name what stands inside", part.label, entry, entry, entry, of=self._letters(node))

    def _inner(self, node: Node, part: Variable, left: int) -> None:
        """The derivative of a part, in the same way."""
        letters = self._letters(node)
        target = [Index(name) for name in self.names[len(self.expr.indices) :]]

        def placed(made: Node) -> Expr:
            return Expr(made, (*letters, *target), inputs_of(made) | self.expr.inputs)

        depends = _depending(node, self.target)
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
        final = placed(simplify([self._derivative(root)])[0])
        whole = placed(_replaced(tangent, full))
        self._line(rule, f"∂{title}", final, whole, placed(tangent), of=of, by=True)
        if not parts and self.target.order and own in topological([tangent]):
            opened = placed(_replaced(tangent, {own: identity(self.target)}))
            self._line(self._delta_rule(), f"∂{title}", final, opened, opened, of=of, by=True)
        if not parts and title != self.title:
            rule = "each delta renames a summed index" if "δ" in self.lines[-1].text else "collect"
            self._line(rule, f"∂{title}", final, final, final, of=of, by=True)

    def _delta_rule(self) -> str:
        name, count = self.target.name, self.target.order
        over, under = LETTERS[:count], LETTERS[count : 2 * count]
        deltas = "*".join(f"δ[{a},{b}]" for a, b in zip(over, under, strict=True))
        return f"∂{name}[{','.join(over)}]/∂{name}[{','.join(under)}] = {deltas}"

    def _substituted(self) -> None:
        result = self._free_result()
        self._line("put together", f"∂{self.title}", result, result, result, by=True, of=self.expr.indices)

    def _finish(self) -> None:
        free = self._free_result()
        if str(free) != self.lines[-1].text:
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
            rule, head = "read off the matrix form", _latex_title(title)
            self.lines.append(Line(rule, title, self.result, form, text, head, latex))

    def _matrix_form(self) -> Array | None:
        if self.matrix is None:
            array = self.result.array(*self.result.free) if self.result.free else None
        else:
            array = derivative(self.matrix, self.wrt, structure=self.structure)
        if array is None or array.order > 2 or not array.formula().closed:
            return None
        return array

    # -------------------------------------------------------------- help

    def _derivative(self, node: Node) -> Node:
        (made,) = push_forward([node], {self.target: identity(self.target)}, self.trail)
        return made

    def _free_result(self) -> Expr:
        return self._placed(simplify([self._derivative(self.root)])[0])

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
        text = self._text(str(shown))
        if self.lines and (self.lines[-1].text, self.lines[-1].title) == (text, title):
            return
        self.lines.append(Line(rule, title, left, right, text, _latex_title(title), self._latex(shown)))

    def _text(self, text: str) -> str:
        """A seed's entry `∂u[i,k,l]` as the derivative that it stands for, `∂u[i]/∂W[k,l]`."""
        count = self.target.order
        name = self.target.name

        def opened(match: re.Match[str]) -> str:
            labels = (match.group(2) or "").split(",") if match.group(2) else []
            over, under = labels[: len(labels) - count], labels[len(labels) - count :]
            top = f"∂{match.group(1)}" + (f"[{','.join(over)}]" if over else "")
            return f"{top}/∂{name}" + (f"[{','.join(under)}]" if under else "")

        return re.sub(r"∂(\w+)(?:\[([^\]]*)\])?", opened, text)

    def _latex(self, shown: Expr) -> str:
        count, name = self.target.order, self.target.name

        def opened(match: re.Match[str]) -> str:
            labels = [x for x in TOKEN.findall(match.group(2) or "") if x != ","]
            over, under = labels[: len(labels) - count], labels[len(labels) - count :]
            top = rf"\partial {match.group(1)}" + (f"_{{{''.join(over)}}}" if over else "")
            return rf"\frac{{{top}}}{{\partial {name}" + (f"_{{{''.join(under)}}}" if under else "") + "}"

        return re.sub(r"(?:\\text\{)?∂(\w+)\}?(?:_\{([^}]*)\})?", opened, shown.latex())

    def _rules(self, root: Node, depends: set[Node], stop: frozenset[Node]) -> str:
        """The rules that a derivative uses, by name."""
        if root not in depends:
            return f"{self.target.name} does not occur in it"
        found: list[str] = []
        order = topological([root], lambda node: node in stop)
        for node in order:
            if node not in depends or node is self.target:
                continue
            found += _rule_names(node, depends)
        unique = list(dict.fromkeys(found))
        if not unique:
            constants = [v.label for v in variables([root]) if v is not self.target]
            if not constants:
                return "the derivative of a sum is the sum of the derivatives"
            if len(constants) == 1:
                return f"{constants[0]} is constant: it stays"
            return f"{', '.join(constants[:-1])} and {constants[-1]} are constant: they stay"
        return "; ".join(unique[:3])

    def _remarks(self) -> tuple[str, ...]:
        """Why a transpose stands where it does."""
        remarks = []
        text = self.lines[-1].text
        for pattern, side, own, other in SIDES:
            for name in dict.fromkeys(re.findall(pattern, text)):
                remarks.append(
                    f"{name}.T on the {side}: the sum runs over the {own} index of {name}, "
                    f"and a matrix product sums over the {other} index of its {side} factor"
                )
        return tuple(remarks)


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


def _rule_names(node: Node, depends: set[Node]) -> list[str]:
    """The rules that differentiate this node, by name, with their formula."""
    match node:
        case Product():
            moving = [f for f in node.factors if f.node in depends]
            powers = ["power rule"] if any(f.exponent != 1 for f in moving) else []
            return powers + (["product rule"] if len(moving) > 1 else [])
        case Elementwise():
            return [f"chain rule: {node.fn}' = {_slope(node)}"]
        case Reduction():
            return [_reduction_rule(node)]
        case Matrix():
            return [f"rule of {node.fn}: {MATRICES[node.fn].source}".rstrip(".")]
        case Call():
            return [f"chain rule: the derivative of {node.function.name} by its argument is {_next(node)}"]
    return []


def _next(node: Call) -> str:
    return node.function.title(tuple(order + 1 for order in node.orders))


def _slope(node: Elementwise) -> str:
    """The derivative of a function of one number, in terms of x."""
    row = ELEMENTWISE[node.fn]
    if row.arity > 1 or row.params or row.rules[0] is None:
        return row.kink or row.formula
    x = variable("x", ())
    made = Expr(elementwise(node.fn, [(x, ())], ()), (), inputs_of(x))
    return str(diff(made, Expr(x, (), inputs_of(x))))


def _reduction_rule(node: Reduction) -> str:
    """The derivative of a function along axes: of a vector in entries, of a matrix as its rule has it."""
    if len(node.axes) > 1 or node.fn in ("inv", "det"):
        documented = (REDUCTIONS[node.fn].rule.__doc__ or "").partition("\n")[0].rstrip(".")
        return f"rule of {node.fn}: {documented or REDUCTIONS[node.fn].source}"
    x, i, j = variable("x", (dim("n"),)), Index("i"), Index("j")
    made = Expr(reduction(node.fn, x, (0,), node.keeps, node.params), (i,) if node.keeps else (), inputs_of(x))
    own = f"{node.fn}[i]" if node.keeps else node.fn
    return f"rule of {node.fn}: ∂{own}/∂x[j] = {diff(made, Expr(x, (j,), inputs_of(x)))}"


# ------------------------------------------------------------------ differentials


def _differential(expr: View, wrt: View, structure: str, asked: Asked) -> Explanation:
    """The lines with differentials; for Arrays, and for scalars in index notation."""
    if isinstance(expr, Expr) and expr.free:
        raise KindError(asked, f"{expr} has names for its axes", "differentials are of Arrays: leave the indices out")
    source = expr if isinstance(expr, Array) else Array(expr.node, expr.inputs)
    target = wrt if isinstance(wrt, Array) else Array(wrt.node, wrt.inputs)
    if isinstance(wrt, Expr) and wrt.order:
        node = next(n for n in topological([wrt.node]) if isinstance(n, Variable))
        target = Array(node, wrt.inputs)
    return _Differentials(source, target, structure).explanation()


class _Differentials:
    """The lines with differentials: `dL = G : dY = G : (X @ dW) = (X.T @ G) : dW`."""

    def __init__(self, source: Array, target: Array, structure: str) -> None:
        self.source, self.target, self.structure = source, target, structure
        taken = {v.label for v in source.inputs}
        self.title = next(x for x in (("L", "f") if not source.order else ("Y", "F", "Q", "Z")) if x not in taken)
        self.taken = taken | {self.title}
        self.name = target.node.name
        self.lines: list[Line] = []

    def explanation(self) -> Explanation:
        """All lines."""
        self._put("write the value", self.title, self.source, self.source, str(self.source), self.source.latex())
        whole = differential(self.source, [self.target], structure=self.structure)
        staged = self._staged(whole)
        if not staged:
            depends = _depending(self.source.node, self.target.node)
            names = [n for node in topological([self.source.node]) if node in depends and node is not self.target.node
                     for n in _rule_names(node, depends)]  # fmt: skip
            rule = "; ".join(list(dict.fromkeys(names))[:3]) or "d(A X B) = A dX B: what is constant stays"
            rule = rule if self.source.node in depends else f"{self.name} does not occur in it"
            self._put(rule, f"d{self.title}", whole, whole, str(whole), whole.latex())
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
        depends = _depending(root, self.target.node)
        inside = _inside(root, self.target.node, depends)
        if len(inside) != 1 or not 0 < inside[0].order <= 2:
            return False
        node = inside[0]
        if self.target.node in topological([root], lambda n: n is node):
            return False
        (name,) = _names(1, self.taken)
        part = variable(name, node.dims)
        outer = Array(substitute([root], {node: part})[0], inputs_of(root) | {part})
        slope = grad(outer, Array(part))
        inner = Array(node, inputs_of(node))
        moved = differential(inner, [self.target], structure=self.structure)
        self._put("name what stands inside", name, inner, inner, str(inner), inner.latex())
        text = f"{_bracketed(str(slope))} : d{name}"
        latex = rf"{slope.latex()} : d{name}"
        full = Array(substitute([slope.node], {part: node})[0], whole.inputs)
        paired = _frobenius(full, moved, whole)
        self._put(f"dL = G : d{name}, where G is the gradient by {name}", f"d{self.title}", whole, paired, text, latex)
        depends = _depending(node, self.target.node)
        names = [n for other in topological([node]) if other in depends and other is not self.target.node
                 for n in _rule_names(other, depends)]  # fmt: skip
        rule = "; ".join(list(dict.fromkeys(names))[:3]) or "what is constant stays"
        self._put(rule, f"d{name}", moved, moved, str(moved), moved.latex())
        self._put("put in", f"d{self.title}", whole, paired, f"{_bracketed(str(slope))} : {_bracketed(str(moved))}",
                  rf"{slope.latex()} : \left({moved.latex()}\right)")  # fmt: skip
        return True

    def _read_gradient(self, whole: Array) -> None:
        found = grad(self.source, self.target, structure=self.structure)
        text, latex = str(found), found.latex()
        name = f"d{self.name}"
        node = self.target.node
        step = variable(name, node.dims)
        step = next((v for v in whole.inputs if v.label == name), step)
        paired = _frobenius(found, Array(step), whole)
        self._put("A : (B C) = (Bᵀ A) : C = (A Cᵀ) : B, A : (b∘C) = (b∘A) : C", f"d{self.title}", whole, paired,
                  f"{_bracketed(text)} : {name}", rf"\left({latex}\right) : d{self.name}")  # fmt: skip
        self._put("read off what multiplies the differential", f"∂{self.title}/∂{self.name}", found, found, text, latex)

    def _read_tensor(self) -> None:
        found = derivative(self.source, self.target, structure=self.structure)
        laid = found.layout("magnus-neudecker")
        title = f"∂vec {self.title}/∂(vec {self.name})ᵀ"
        entries = found.matrix(rows=found.of, cols=found.wrt, order="F")
        self._put("vec(A X B) = kron(B.T, A) vec(X), column by column", title, entries, laid, str(laid), laid.latex())
        self._put("as a tensor: axes of the value, then of the variable", f"∂{self.title}/∂{self.name}", found, found,
                  str(found), found.latex())  # fmt: skip

    def _put(self, rule: str, title: str, left: Array, right: Array, text: str, latex: str) -> None:
        if self.lines and (self.lines[-1].title, self.lines[-1].text) == (title, text):
            return
        self.lines.append(Line(rule, title, left, right, text, _latex_title(title), latex))


def _frobenius(one: Array, other: Array, like: Array) -> Array:
    """`one : other`, the sum of the products of entries."""
    axes = range(one.order)
    return Array(einsum(1, [(one.node, axes), (other.node, axes)], ()), like.inputs | one.inputs | other.inputs)


# ------------------------------------------------------------------ text


def _bracketed(text: str) -> str:
    return text if re.fullmatch(r"[\w.]+(\([^()]*\))?", text) else f"({text})"


def _latex_title(title: str) -> str:
    """A title in LaTeX: `∂y[j]/∂W[k,l]` as a fraction."""
    parts = []
    for part in title.split("/"):
        part = re.sub(r"\[([^\]]*)\]", lambda m: f"_{{{m.group(1).replace(',', '')}}}", part)
        part = part.replace("∂", r"\partial ").replace("ᵀ", r"^\top").replace("vec ", r"\operatorname{vec} ")
        parts.append(part)
    return parts[0] if len(parts) == 1 else rf"\frac{{{parts[0]}}}{{{parts[1]}}}"


def _escaped(text: str) -> str:
    return re.sub(r"([&%$#_{}])", r"\\\1", text).replace("∂", r"$\partial$").replace("δ", r"$\delta$").replace("ᵀ", "'")
