"""A program is tried: numbers, derivatives, code, texts and layouts, each compared with what it should be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib.util import find_spec
from inspect import signature
from typing import Any

import numpy as np

import indexcalc as ic
from indexcalc.errors import IndexCalcError, LayoutError, NoRuleError
from indexcalc.graph.node import Elementwise, Matrix, Reduction, Regroup, topological
from indexcalc.graph.walk import variables
from indexcalc.testing.definitions import laid_out
from indexcalc.testing.programs.asking import ASKED
from indexcalc.testing.programs.examination import EXACT, LARGEST, MEASURED, UNSURE, Examination, Finding, views
from indexcalc.testing.programs.reference import bend, direction, in_jax, outside, shares, slope, tangent
from indexcalc.testing.programs.trees import Numbers, Sample
from indexcalc.views.derivatives.derivative import Derivative

# ------------------------------------------------------------------ numbers


def _value(made: Examination) -> str:
    """The numbers of the expression are those of its own text in NumPy."""
    found = made.numbers(made.expression) if made.tame else made.wanted
    return made.apart(found, made.wanted, "the value", EXACT)


def _along(made: Examination, numbers: Numbers, name: str) -> Numbers:
    """A derivative along the direction of its last variable."""
    step = made.steps[name]
    leaf = made.sample.leaves[name]
    counted = shares(leaf, step, made.sample.structure)
    return np.asarray(np.tensordot(numbers, counted, axes=counted.ndim))


def _first(made: Examination) -> str:
    """The first derivative is what differences, or JAX, measure along a direction."""
    name = made.sample.by
    if not made.tame or made.run.pointed:
        return ""
    numbers = made.numbers(made.slope)
    gap = outside(made.sample.leaves[name], numbers, made.sample.structure)
    if gap > EXACT * max(1.0, made.run.largest, float(np.max(np.abs(numbers), initial=0.0))):
        return f"the derivative is by {gap:.3g} no tensor such as {name}"
    found = _along(made, numbers, name)
    if made.sample.judge == "JAX" and find_spec("jax"):
        wanted = in_jax(made.sample, made.inputs, (name, made.steps[name]), None)
        return made.apart(made.wanted, wanted[0], "the value in JAX", EXACT) or made.apart(
            found, wanted[1], "the derivative", EXACT
        )
    measured = slope(made.run, made.inputs, name, made.steps[name])
    scale = max(1.0, made.run.largest, float(np.max(np.abs(numbers), initial=0.0)))
    if not measured.error < UNSURE * scale or made.run.largest > LARGEST:
        return ""
    return made.apart(found, measured.value, "the derivative", MEASURED, scale + measured.error / MEASURED)


def _along_all(made: Examination) -> str:
    """The derivative along a direction of all tensors at once is what differences measure: no rule is left out."""
    sample, rng = made.sample, np.random.default_rng([made.sample.seed, made.turn, 2])
    names = [name for name in sample.tree.leaves if not sample.leaves[name].fixed]
    if not made.tame or made.run.pointed or not names:
        return ""
    leaves = {name: sample.leaves[name] for name in names}
    steps = {n: tangent(leaf, made.inputs[n], direction(leaf, sample.sizes, rng)) for n, leaf in leaves.items()}
    value = made.expression.array(*made.free) if isinstance(made.expression, ic.Expr) else made.expression
    along = [ic.tensor(f"d{name}", leaf.dims) for name, leaf in leaves.items()]
    found = made.numbers(ic.jvp(value, [sample.scope[name] for name in names], along), steps)

    def moved(given: Mapping[str, Any]) -> Any:
        return made.run(
            {**made.inputs, **{name: made.inputs[name] + given["t"] * step for name, step in steps.items()}}
        )

    measured = slope(moved, {"t": np.zeros(())}, "t", np.ones(()))
    if not measured.error < UNSURE * max(1.0, made.run.largest) or made.run.largest > LARGEST:
        return ""
    told = "the derivative along all"
    return made.apart(found, measured.value, told, MEASURED, made.run.largest + measured.error / MEASURED)


def _second(made: Examination) -> str:
    """The second derivative, too, along two directions."""
    sample = made.sample
    leaves = [sample.leaves[name] for name in (sample.by, sample.then) if name]
    if not sample.then or not made.tame or made.run.pointed or any(leaf.word == "orthogonal" for leaf in leaves):
        return ""
    numbers = made.numbers(made.bend)
    found = _along(made, _along(made, numbers, sample.then), sample.by)
    first, second = ((name, made.steps[name]) for name in (sample.by, sample.then))
    if sample.judge == "JAX" and find_spec("jax"):
        wanted = in_jax(sample, made.inputs, first, second)[2]
        return made.apart(found, wanted, "the second derivative", EXACT, float(np.max(np.abs(numbers), initial=0.0)))
    measured = bend(made.run, made.inputs, first, second)
    scale = max(1.0, made.run.largest, float(np.max(np.abs(numbers), initial=0.0)))
    if not measured.error < UNSURE * scale or made.run.largest > LARGEST:
        return ""
    return made.apart(found, measured.value, "the second derivative", 10 * MEASURED, scale + measured.error / MEASURED)


# ------------------------------------------------------------------ code


def _tensors(made: Examination, views: list[Any]) -> list[Any]:
    """The tensors that these views need."""
    labels = {variable.label for view in views for variable in view.inputs}
    return [made.sample.scope[name] for name in made.sample.names if name in labels]


def _compiled(made: Examination) -> str:
    """What is compiled for the backend gives what evaluation gives."""
    sample = made.sample
    if not made.tame or not sample.whole or (sample.backend != "numpy" and not find_spec(sample.backend)):
        return ""
    views = [made.expression, made.slope]
    tensors = _tensors(made, views)
    inputs = [made.inputs[tensor.node.label] for tensor in tensors]
    given = made.given(*(node for view in views for node in (view.node, *view.inputs)))
    if sample.backend == "jax" and any(callable(value) for value in given.values()):
        return ""
    if sample.backend == "torch":
        torch: Any = __import__("torch")
        inputs = [torch.from_numpy(np.array(array)) for array in inputs]
    with np.errstate(all="ignore"):
        found = _called(sample.backend, views, tensors, inputs, given)
    for view, array, what in zip(views, found, ("the value", "the derivative"), strict=True):
        plain = made.numbers(view) if not isinstance(view, ic.Expr) else _in_own_order(made, view)
        if told := made.apart(np.asarray(array), plain, f"{what} under {sample.backend}", EXACT):
            return told
    return ""


def _called(backend: str, views: list[Any], tensors: list[Any], inputs: list[Any], given: dict[str, Any]) -> Any:
    function = ic.compile(views, tensors, backend=backend)
    if backend != "jax":
        return function(*inputs, **given)
    jax: Any = __import__("jax")
    with jax.enable_x64(True):
        return [np.asarray(array) for array in function(*inputs, **given)]


def _in_own_order(made: Examination, view: Any) -> Numbers:
    values = {tensor.label: made.inputs[tensor.label] for tensor in view.inputs}
    return np.asarray(view.evaluate(values, **made.given(view.node, *view.inputs)))


def _source(made: Examination, target: str) -> str:
    """The source for a target runs, and gives what evaluation gives."""
    if not made.tame or not find_spec(target):
        return ""
    views = [made.expression, made.slope]
    tensors = _tensors(made, views)
    text = ic.to_source(views, tensors, target=target, name="program")
    given = made.given(*(node for view in views for node in (view.node, *view.inputs)))
    if target != "numpy" and any(callable(value) for value in given.values()):
        return ""
    scope: dict[str, Any] = {}
    exec(compile(text, "<source>", "exec"), scope)
    program = scope["program"]
    taken = signature(program).parameters
    inputs: list[Any] = [made.inputs[tensor.node.label] for tensor in tensors]
    if target == "torch":
        inputs = [scope["torch"].from_numpy(np.array(array)) for array in inputs]
    options = {name: value for name, value in given.items() if name in taken}
    with np.errstate(all="ignore"):
        if target == "jax":
            jax: Any = __import__("jax")
            with jax.enable_x64(True):
                found = [np.asarray(array) for array in jax.jit(partial(program, **options))(*inputs)]
        else:
            found = program(*inputs, **options)
    for view, array, what in zip(views, found, ("the value", "the derivative"), strict=True):
        if told := made.apart(np.asarray(array), _in_own_order(made, view), f"{what} by source for {target}", EXACT):
            return told
    return ""


# ------------------------------------------------------------------ texts and layouts


def reads_back(view: Any, text: str) -> str:
    """How the text of an expression, or its LaTeX, reads otherwise, "" where it reads back.

    A function of zeros, which no rule takes further, reads as one of its value, and a sum of which `commutation`, or
    another constant with joined axes, takes the constant part reads as it is printed: these are equal by `.equals`
    alone.
    """
    read = ic.parse(text, **view.declarations)
    if read == view or (("zeros" in str(view) or _joins_constants(view)) and view.equals(read)):
        return ""
    return f"{text} reads as {read}"


def _joins_constants(view: Any) -> bool:
    return any(isinstance(node, Regroup) and not variables([node]) for node in topological([view.node]))


def _text(made: Examination) -> str:
    """Texts read back as equal expressions."""
    return next((told for view in views(made) if (told := reads_back(view, str(view)))), "")


def _latex(made: Examination) -> str:
    r"""In LaTeX all brackets close, each \left has its \right, and it reads back as text does."""
    for view in views(made):
        text = view.latex()
        plain = text.replace(r"\{", "").replace(r"\}", "")
        if plain.count("{") != plain.count("}") or text.count(r"\left") != text.count(r"\right"):
            return f"brackets do not close: {text}"
        if told := reads_back(view, text):
            return told
    return ""


def _formula(made: Examination, define: bool) -> str:
    """A closed form has the numbers of what it stands for."""
    view = made.slope
    if not isinstance(view, ic.Array) or not made.tame or view.order > 3:
        return ""
    form = view.formula(define)
    if not form.closed:
        return ""
    read = ic.parse(str(form), **view.declarations)
    numbers = made.numbers(view)
    return made.apart(made.numbers(read).reshape(numbers.shape), numbers, f"{form}", EXACT)


def _layout(made: Examination) -> str:
    """The layout has the entries that the convention says."""
    D = made.slope
    try:
        laid = D.layout(made.sample.layout)
    except LayoutError as error:
        if "not known to be symmetric" in error.found:
            return ""
        raise
    if not made.tame or made.sample.structure == "independent":
        return ""
    numbers = made.numbers(D)
    if isinstance(D, Derivative):  # the value's axes as the expression has them, not as the reference
        numbers = np.transpose(numbers, [made.order(D)["order"].index(index) for index in (*D.of, *D.wrt)])
    bottom = len(made.sample.leaves[made.sample.by].shape)
    wanted = laid_out(made.sample.layout, numbers, numbers.ndim - bottom, [bottom])
    values = {tensor.label: made.inputs[tensor.label] for tensor in laid.inputs}
    found = laid.evaluate(values, **made.given(laid.node, *laid.inputs))
    return made.apart(found, wanted, f"layout {made.sample.layout}", EXACT)


def _panel(made: Examination) -> str:
    """The panel of layouts has the row of this one, as the layout itself prints."""
    panel = made.slope.layouts()
    row, text = panel[made.sample.layout], str(panel)
    if row.shape is not None and row.formula != str(made.slope.layout(made.sample.layout)):
        return f"the row {made.sample.layout} is {row.formula}, the layout {made.slope.layout(made.sample.layout)}"
    return "" if made.sample.layout in text else f"no row {made.sample.layout} in {text}"


CHECKS: Mapping[str, Callable[[Examination], str]] = {
    "value": _value,
    "first derivative": _first,
    "derivative along all": _along_all,
    "second derivative": _second,
    "text": _text,
    "layout": _layout,
    "compiled": _compiled,
}
"""What is tried of each program."""
PRINTED: Mapping[str, Callable[[Examination], str]] = {
    "LaTeX": _latex,
    "formula": lambda made: _formula(made, False),
    "named formula": lambda made: _formula(made, True),
    "panel": _panel,
}
"""What is tried of the printers that a program names, beside source for each target."""


def checks(sample: Sample) -> dict[str, Callable[[Examination], str]]:
    """What is tried of a program."""
    found = dict(CHECKS)
    for name in sample.printers:
        if name in PRINTED:
            found[name] = PRINTED[name]
        elif name.startswith("source for "):
            target = name.removeprefix("source for ")
            found[name] = lambda made, target=target: _source(made, target)  # type: ignore[misc]
    return found | {name: ASKED[name] for name in ASKED if name == sample.asked}


def examine(sample: Sample, only: str = "") -> list[Finding]:
    """What is wrong with a program: nothing where all agrees; with `only` one of the checks is made.

    >>> import random
    >>> from indexcalc.testing.programs.samples import sample
    >>> examine(sample(random.Random(4)))
    []
    """
    try:
        made = Examination(sample)
    except Exception as error:
        return [Finding("built", _told(error))] if only in ("", "built") else []
    found = []
    for name, check in checks(sample).items():
        if only in ("", name):
            try:
                told = check(made)
            except Exception as error:  # whatever is raised is what is to be found
                told = "" if _is_refused(error) else _told(error)
            if told:
                found.append(Finding(name, told))
    return found


def _is_refused(error: Exception) -> bool:
    """Is this what the library says of what it hasn't got: no code of a function for a library that lacks it?"""
    return isinstance(error, NoRuleError) and "no code for this target" in error.found


def _told(error: Exception) -> str:
    kind = "" if isinstance(error, IndexCalcError) else "a raw "
    return f"{kind}{type(error).__name__}: {error}"[:600]


def drawn(sample: Sample) -> Iterator[str]:
    """What a program has: kinds of nodes and functions, of it and of its derivative, structure, layout and so on.

    >>> import random
    >>> from indexcalc.testing.programs.samples import sample
    >>> {"kind Variable", "printed as text"} <= set(drawn(sample(random.Random(4))))
    True
    """
    made = Examination(sample)
    for node in topological([made.expression.node, made.slope.node]):
        yield f"kind {type(node).__name__}"
        if isinstance(node, Elementwise | Reduction | Matrix):
            yield f"function {node.fn}"
    for name in sample.names:
        word = sample.leaves[name].word
        yield f"declared {word or 'nothing'}"
    if sample.leaves[sample.by].structured:
        yield f"structure {sample.structure}"
    yield f"layout {sample.layout}"
    yield f"backend {sample.backend}"
    yield from (f"printed as {name}" for name in sample.printers)
    yield f"asked {sample.asked or 'nothing'}"
    yield f"judged by {sample.judge}"
    yield f"notation {'index' if isinstance(made.expression, ic.Expr) else 'matrix'}"
