"""Entries that integers choose as source: read at their places, or added to zeros there."""

from __future__ import annotations

from indexcalc.engine.emit.source.python_text import PythonText
from indexcalc.engine.emit.source.writer import Writer
from indexcalc.engine.program import Chosen, Gather, lined_up
from indexcalc.functions.code.text import helpers


def choose(writer: Writer, step: Chosen) -> PythonText:
    """A gather, or a scatter."""
    shared, alone, rest = lined_up(step)
    verb = "gathered" if isinstance(step, Gather) else "scattered"
    made = helpers(["chosen", verb], writer.target.name, writer.free.taken)
    writer.free.helpers.update(made.texts)
    writer.kernel = verb
    value, *integers = step.uses
    places = []
    for use, size, name in zip(integers, step.sizes, step.names, strict=True):
        text, labels = writer.value(use)
        code = writer.aligned(text, labels, (*shared, *alone)).code
        places.append(f"{made.renamed['chosen']}({code}, {writer.size(size)}, {name!r})")
    listed = f"({', '.join(places)},)"
    text, labels = writer.value(value)
    text = PythonText(writer.array(text)) if text.static else text
    if not isinstance(step, Gather):
        operand = writer.aligned(text, labels, (*shared, *alone, *rest)).code
        return PythonText(f"{made.renamed[verb]}({operand}, {listed}, {writer.shape(step.sizes)}, {len(shared)})")
    if shared or len(step.places) > 1:
        operand = writer.aligned(text, labels, (*shared, *step.places, *rest)).code
        return PythonText(f"{made.renamed[verb]}({operand}, {listed}, 0, {len(shared)})")
    return PythonText(f"{made.renamed[verb]}({text.code}, {listed}, {labels.index(step.places[0])}, 0)")
