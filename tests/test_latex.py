"""All LaTeX that the library writes parses: strictly, with known macros only, cell by cell in `aligned`."""

import random

import corpus_case as corpus
import pytest
from matrix_programs import Program
from programs import TENSORS, program
from pylatexenc import latexwalker
from pylatexenc.latexwalker import LatexEnvironmentNode, LatexMacroNode, LatexWalker

import indexcalc as ic
from indexcalc.errors import IndexCalcError
from indexcalc.writing import equation
from indexcalc.writing.index.text import GREEK

MACROS = {
    "frac", "sum", "left", "right", "mathrm", "mathbf", "mathsf", "operatorname", "text", "partial", "delta", "sqrt",
    "exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "max", "min", "det",
    "lVert", "rVert", "lvert", "rvert", "underset", "prod", "cdot", "circ", "oslash", "otimes", "odot", "times", "top",
    "to", "bar", "dot", "ddot", "star", "varepsilon", "neq", "leq", "geq", "quad", "hat", "tilde",
    ",", ";", "_", "%", "&", "#", "$", "{", "}", "^",
    "\\", *GREEK,
}  # fmt: skip
"""The macros that the library writes, all of amsmath; `hat` and `tilde` are declared here."""
ENVIRONMENTS = {"aligned", "cases"}


def macros(nodes):
    for node in nodes or ():
        if node is None:
            continue
        if isinstance(node, LatexMacroNode):
            yield node.macroname
        if isinstance(node, LatexEnvironmentNode):
            yield f"begin {node.environmentname}"
        args = node.nodeargd.argnlist if getattr(node, "nodeargd", None) else ()
        yield from macros(args)
        yield from macros(getattr(node, "nodelist", ()))


def cells(latex):
    """The cells of an `aligned` block; the whole where there is none."""
    if not latex.startswith(r"\begin{aligned}"):
        return [latex]
    body = latex.removeprefix(r"\begin{aligned}").removesuffix(r"\end{aligned}")
    assert r"\begin" not in body or r"\begin{cases}" in body
    found, depth, start, k = [], 0, 0, 0
    while k < len(body):
        if body.startswith(r"\begin{", k):
            depth += 1
        elif body.startswith(r"\end{", k):
            depth -= 1
        if depth == 0 and (body[k] == "&" or body.startswith("\\\\", k)):
            found.append(body[start:k])
            start = k = k + (1 if body[k] == "&" else 2)
            continue
        k += 2 if body[k] == "\\" else 1
    return [*found, body[start:]]


def parsed(latex):
    for cell in cells(latex):
        try:
            nodes = LatexWalker(f"$ {cell} $", tolerant_parsing=False).get_latex_nodes()[0]
        except latexwalker.LatexWalkerParseError as error:
            raise AssertionError(f"{cell}\n{error}") from None
        used = set(macros(nodes))
        wrong = {name for name in used if name.removeprefix("begin ") not in MACROS | ENVIRONMENTS}
        assert not wrong, (wrong, cell)
        assert used.isdisjoint({"left", "right"}) or cell.count(r"\left") == cell.count(r"\right"), cell
        assert "∂" not in cell and "δ" not in cell, cell
    return True


def explained(value, by):
    for style in ("index", "differential"):
        try:
            yield ic.explain(value, by, style=style, structure="free").latex()
        except ic.IndexCalcError:
            continue


def written(value, by):
    """All LaTeX of a value, of its derivative, of the layouts of this, and of its derivations."""
    D = ic.derivative(value, by, structure="free")
    yield value.latex()
    for e in (D, D[tuple(ic.index(name) for name in "ijklmnpq"[: D.order])] if D.order else D):
        yield e.latex()
        yield e.latex(lhs=True)
        yield e._repr_latex_().strip("$").removeprefix(r"\displaystyle")
    for row in D.layouts().rows:
        yield row.latex
    yield from explained(value, by)


ALL = sorted(corpus.cases())
SAMPLE = set(random.Random(0).sample(ALL, 40))


@pytest.mark.parametrize(
    "name", [name if name in SAMPLE else pytest.param(name, marks=pytest.mark.slow) for name in ALL]
)
def test_the_latex_of_the_corpus_parses(name):
    case = corpus.cases()[name]
    try:
        value, by = case.value, case.wrt[0]
    except ic.ParseError as error:
        pytest.skip(f"the book's formula has a function that the library lacks: {error.found}")
    assert all(map(parsed, written(value, by)))


SHORT = 60
"""Characters of a random value of which all derivations are written: an arbitrary budget."""


@pytest.mark.parametrize("seed", [*range(8), *(pytest.param(n, marks=pytest.mark.slow) for n in range(8, 40))])
def test_the_latex_of_random_programs_parses(seed):
    """Values, derivatives, layouts and derivations in both styles, of programs in both notations."""
    drawn = Program(seed)
    value = drawn.make(drawn.shape(), 1).expr
    if drawn.leaves and value.order < 3 and len(str(value)) < SHORT:
        by = drawn.rng.choice(list(drawn.leaves.values())).expr
        assert all(map(parsed, written(value, by)))
    try:
        e = program(random.Random(seed), 1).expr
    except ic.IndexCalcError:
        return
    tensor = TENSORS[next(iter(e.variables))]
    if tensor.order and len(str(e)) < SHORT:
        by = tensor[tuple(ic.index(letter) for letter in "uvw"[: tensor.order])]
        assert all(map(parsed, (e.latex(), e.diff(by).latex(), e.diff(by).latex(lhs=True), *explained(e, by))))


i, j, k, l = ic.indices("i j k l")  # noqa: E741
i1, inner = ic.index("i1"), ic.index("in")
W, x, y = ic.tensor("W", "n m", latex=r"\hat{W}"), ic.tensor("x", "n"), ic.tensor("y_1", "n")
S, K = ic.tensor("Sigma", "n n"), ic.tensor("K", "n n", skew=True)


@pytest.mark.parametrize(
    ("value", "by"),
    [
        (x[i1] * W[i1, inner], W[k, l]),
        (ic.exp(y[i1] * W[i1, inner]), W[k, inner]),
        (ic.exp(y[i1] * W[i1, inner]), y[k]),
        (ic.softmax(ic.exp(S[i, j]) * x[j], i), S[k, l]),
        (ic.where(x[i] > 0, ic.exp(x[i]), 1).sum(i), x[k]),
        (ic.maximum(S[i, j], S[j, i]), S[k, l]),
        (ic.function("u_1", "n -> n")(S @ x)[i], x[k]),
        (ic.polygamma(2, ic.norm2(x, axis=0)) if hasattr(ic, "polygamma") else ic.norm2(x), x),
    ],
)
def test_the_latex_of_derivations_parses(value, by):
    for latex in explained(value, by):
        assert parsed(latex)


def test_a_derivation_sets_names_as_they_are_declared():
    for style in ("index", "differential"):
        latex = ic.explain(S @ W, W, style=style).latex()
        assert r"\hat{W}" in latex and r"\Sigma" in latex
        assert r"\mathrm{W}" not in latex and r"\partial W" not in latex


def test_a_brace_that_spans_a_cell_is_seen():
    with pytest.raises(AssertionError):
        parsed("\\begin{aligned}\ny &= \\frac{a && b}{c}\n\\end{aligned}")
    with pytest.raises(AssertionError):
        parsed(r"\unknown{x}")


def test_array_derivatives_have_a_left_side():
    u = ic.column("u", "n")
    assert ic.derivative(S @ u, u).latex(lhs=True) == (r"\frac{\partial}{\partial u}\left(\Sigma \, u\right) = \Sigma")
    second = ic.hessian(ic.exp(x).sum(), x)
    assert second.latex(lhs=True).startswith(r"\frac{\partial^{2}}{\partial x\,\partial x}\left(")
    assert ic.grad(W.sum(), W).latex(lhs=True).startswith(r"\frac{\partial}{\partial \hat{W}}")
    assert "=" not in ic.hvp((x @ x) ** 2, x, ic.tensor("d", "n")).latex(lhs=True)
    assert all("=" not in e.latex(lhs=True) for e in (S @ u, x[i] * x[i]))


def test_a_left_hand_side_has_a_name():
    u, S = ic.tensor("u", "n"), ic.tensor("S", "n n")
    i, j, k = ic.indices("i j k")
    assert (S @ u).latex(lhs="y_hat") == r"\hat{y} = S \, u"
    assert (S[i, j] * u[j]).latex(lhs="loss") == r"\mathrm{loss}_{i} = S_{ij}\,u_{j}"
    assert ic.grad(u @ u, u).latex(lhs="L") == r"\frac{\partial L}{\partial u} = 2 \, u"
    assert ic.hessian(u @ u, u).latex(lhs="L").startswith(r"\frac{\partial^{2} L}{\partial u\,\partial u} = ")
    assert (S[i, j] * u[j]).diff(u[k]).latex(lhs="y") == r"\frac{\partial y_{i}}{\partial u_{k}} = S_{ik}"
    for wrong in ("", "a b", "\\evil", 3, None):
        with pytest.raises(IndexCalcError):
            (S @ u).latex(lhs=wrong)


@pytest.mark.parametrize("environment", equation.ENVIRONMENTS)
def test_an_environment_is_opened_and_closed(environment):
    u = ic.tensor("u", "n")
    shown = ic.grad(u @ u, u).latex(lhs="L", environment=environment)
    sign = "&= " if environment.startswith("align") else "= "
    line = rf"\frac{{\partial L}}{{\partial u}} {sign}2 \, u"
    assert shown == f"\\begin{{{environment}}}\n{line}\n\\end{{{environment}}}"
    explanation, panel = ic.explain(u @ u, u), ic.grad(u @ u, u).layouts()
    if environment.startswith("align"):
        assert explanation.latex(environment=environment) == explanation.latex().replace("aligned", environment)
        assert panel.latex(environment=environment) == panel.latex().replace("aligned", environment)
    else:
        for lines in (explanation, panel):
            with pytest.raises(IndexCalcError, match="write align"):
                lines.latex(environment=environment)
