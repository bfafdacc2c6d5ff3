"""Functions as source, by their rows: of entries, along axes, of whole matrices; and solves."""

from __future__ import annotations

from fractions import Fraction

from indexcalc.engine.emit.source.pairwise import alike
from indexcalc.engine.emit.source.python_text import ATOM, POWER, PRODUCT, PythonText, number
from indexcalc.engine.emit.source.writer import Writer
from indexcalc.engine.program import Apply, Map, Reduce, Solve
from indexcalc.functions.code.text import definitions, helpers
from indexcalc.functions.reductions import TRIANGLE
from indexcalc.functions.table import elementwise_row, matrix_row, reduction_row
from indexcalc.graph.numbers import Number

HALF = Fraction(1, 2)


def map_entries(writer: Writer, step: Map) -> PythonText:
    """A function of the entries."""
    operands = [writer.value(use) for use in step.uses]
    if step.fn == "**":
        return power(writer, operands[0][0], step.params[0])
    texts = [writer.aligned(text, labels, step.out) for text, labels in operands]
    row = elementwise_row(step.fn)
    if all(text.static for text in texts) and row.python.isidentifier() and not any("j" in t.code for t in texts):
        return PythonText(f"math.{row.python}({', '.join(text.code for text in texts)})", ATOM, True)
    texts = [PythonText(writer.array(text)) if text.static else text for text in texts]
    return writer.called(row, texts, [], step.params, real=not any(writer.complex[use.value] for use in step.uses))


def power(writer: Writer, base: PythonText, exponent: Number) -> PythonText:
    """A power of an expression."""
    if exponent in (HALF, -HALF):
        root = f"math.sqrt({base.code})" if base.static else f"{writer.module}.sqrt({base.code})"
        made = PythonText(root, ATOM, base.static)
        return made if exponent == HALF else PythonText(f"1 / {root}", PRODUCT, base.static, made)
    if exponent == -1:
        return PythonText(f"1 / {base.at(POWER)}", PRODUCT, base.static, base)
    return PythonText(f"{base.at(ATOM)}**{number(exponent).at(ATOM)}", POWER, base.static)


def reduce(writer: Writer, step: Reduce) -> PythonText:
    """A function along axes."""
    (use,) = step.uses
    row, text = reduction_row(step.fn), writer.values[use.value]
    if row.axes != 2:
        axes = f"({step.axes[0]},)" if len(step.axes) == 1 else str(step.axes)
        return writer.called(row, [text], [axes], step.params, real=not writer.complex[use.value])
    order = len(use.labels)
    if step.fn == TRIANGLE and step.axes == (order - 1, order - 2):
        return PythonText(f"{writer.module}.triu({text.code}, {-step.params[0]})")
    rest = [axis for axis in range(order) if axis not in step.axes]
    matrices = writer.permuted(text, [*rest, *step.axes])
    size = writer.program.steps[use.value].shape[step.axes[0]]
    closed = row.small and (writer.module == "jnp" or (writer.module == "torch" and rest))
    small = bool(closed) and 1 <= size <= 3 and size not in writer.sizes
    made = writer.called(row, [matrices], [], step.params, small)
    back = [*rest, *step.axes]
    return writer.permuted(made, [back.index(axis) for axis in range(order)]) if step.keeps else made


def apply(writer: Writer, step: Apply) -> PythonText:
    """A function of whole matrices, or its derivative along directions."""
    row = matrix_row(step.fn)
    params = [writer.dims.get(own, value) for own, value in zip(step.node.params, step.params, strict=True)]
    texts = [writer.values[use.value] for use in step.uses]
    if not step.times:
        return writer.called(row, texts, [], params)
    left = step.times - len(texts) + 1
    own = f"{step.fn}_{'opened' if left else 'along'}"
    own = own if row.numerics(step.times, left) and own in definitions(writer.target.name) else "frechet"
    made = helpers([own], writer.target.name, writer.free.taken)
    writer.free.helpers.update(made.texts)
    writer.kernel = own
    if own != "frechet":
        return PythonText(f"{made.renamed[own]}({', '.join(text.code for text in texts)})")
    inner = writer.called(row, [PythonText("x")], [], params).code
    ways = ", ".join(text.code for text in texts[1:])
    return PythonText(f"{made.renamed[own]}(lambda x: {inner}, {texts[0].code}, [{ways}], {left})")


def solve(writer: Writer, step: Solve) -> PythonText:
    """Columns for which a matrix is solved."""
    (square, own), (right, labels) = (writer.value(use) for use in step.uses)
    if writer.module == "torch":
        square, right = alike(writer, step, square, right)
    row, column = sorted(own, key=lambda label: label not in labels)
    rest = [x for x in labels if x != row]
    size = dict(zip(step.out, step.shape, strict=True))
    left = writer.permuted(square, [own.index(row), own.index(column)])
    right = writer.permuted(right, [labels.index(x) for x in (row, *rest)])
    writer.kernel = "solve"
    if len(rest) < 2:
        made = PythonText(f"{writer.module}.linalg.solve({left.code}, {right.code})")
    else:
        columns = "*".join(writer.size(size[x]) for x in rest)
        flat = f"{right.at(ATOM)}.reshape({writer.size(size[column])}, {columns})"
        shape = writer.shape([size[x] for x in (column, *rest)])
        made = PythonText(f"{writer.module}.linalg.solve({left.code}, {flat}).reshape({shape})")
    return writer.permuted(made, [[column, *rest].index(x) for x in step.out])
