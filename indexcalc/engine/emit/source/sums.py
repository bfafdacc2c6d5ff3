"""Sums as source: parts without deltas by broadcasting, the others on their diagonals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from indexcalc.engine.emit.source.parts import padded
from indexcalc.engine.emit.source.python_text import ATOM, PythonText, scaled, times, total
from indexcalc.engine.emit.source.targets import MASKED, Diagonal, Target
from indexcalc.engine.emit.source.writer import Writer
from indexcalc.engine.program import Add, Part
from indexcalc.graph.numbers import Number
from indexcalc.graph.ranges import Tiles, tiling
from indexcalc.writing.slices import bracketed


def add(writer: Writer, step: Add) -> PythonText:
    """A sum: parts without deltas by broadcasting, the others on their diagonals; what lies side by side is joined."""
    joined = _side_by_side(writer, step)
    if joined is not None:
        return joined
    dense: list[tuple[Number, PythonText]] = []
    covered: set[int] = set()
    diagonals = []
    for part in step.parts:
        text, labels = writer.value(part.use)
        distinct = list(dict.fromkeys(part.places))
        if part.ranges and writer.module != "np":
            dense.append((1, padded(writer, add(writer, _inner(writer, part, step)), part.ranges)))
            covered |= set(range(len(step.shape)))
        elif part.ranges:
            diagonals.append((part, text, labels))
        elif len(distinct) == len(part.places):
            dense.append((part.coef, writer.aligned(text, labels, distinct)))
            covered |= {axis for axis, x in enumerate(part.places) if x in labels}
        elif not labels and text.static and len(part.places) == 2:
            dense.append((part.coef, _identity(writer, text, step.shape[0])))
            covered |= {0, 1}
        else:
            diagonals.append((part, text, labels))
    base = total(dense) if dense else None
    every = set(range(len(step.shape)))
    if not diagonals:
        assert base is not None
        return base if covered == every else _stretched(writer, base, step)
    if base is not None and writer.module == "np":
        apart = [part.use.value for part, _, _ in diagonals]
        held = {source for use in step.uses if use.value not in apart for source in writer.sources[use.value]}
        if covered != every:
            base = _stretched(writer, base, step)
        whole = any(isinstance(part.coef, complex) for part, _, _ in diagonals)
        if whole or not all(writer.sources[value] <= held for value in apart):
            base = PythonText(f"{base.at(ATOM)}.astype({writer.like})")  # it may be real, and what is added complex
        elif base.level == ATOM and covered == every:
            base = PythonText(f"{base.at(ATOM)}{writer.target.copy}")
    name = writer.free.temporary()
    axes = {axis: f"axis{axis}" for axis in every}
    way = MASKED if writer.module == "jnp" and base is not None else writer.target
    rows = [_diagonal(writer, part, text, labels, axes, step, way) for part, text, labels in diagonals]
    sizes = {f"axis{axis}": writer.size(n) for axis, n in enumerate(step.shape)}
    made = way.diagonals(name, base, rows, writer.shape(step.shape), sizes)
    writer.typed = writer.typed or any("dtype)" in line for line in made)
    writer.lines += made[:-1]
    target, _, code = made[-1].partition(" = ")
    if target == name:
        writer.assign(name, code, step.shape)
    else:
        writer.lines.append(f"{made[-1]}  # {writer.shape(step.shape)}")
    writer.kernel = "diagonal"
    return PythonText(name)


def _side_by_side(writer: Writer, step: Add) -> PythonText | None:
    """Parts that lie beside each other and cover the array, joined; None for any others."""
    if not all(part.ranges and len(set(part.places)) == len(part.places) for part in step.parts):
        return None
    rows = zip(*(part.ranges for part in step.parts), strict=True)
    lengths = [next((found.length for found in row if found is not None), 0) for row in rows]
    tiles = tiling([part.ranges for part in step.parts], lengths)
    if not isinstance(tiles, Tiles):
        return None
    writer.kernel = "concatenate"
    return PythonText(_joined(writer, step, tiles))


def _joined(writer: Writer, step: Add, tiles: int | Tiles | None) -> str:
    if not isinstance(tiles, Tiles):
        assert tiles is not None
        return _cell(writer, step.parts[tiles], step)
    inner = [own for _, own in tiles.cells]
    texts = [_joined(writer, step, own) for own in inner]
    opens = f"{writer.module}.concatenate(["
    if len(step.shape) == 2 and writer.module != "torch" and any(isinstance(own, Tiles) for own in inner):
        rows = [
            text.removeprefix(opens).removesuffix("], 1)") if isinstance(own, Tiles) else text
            for text, own in zip(texts, inner, strict=True)
        ]
        return f"{writer.module}.block([{', '.join(f'[{row}]' for row in rows)}])"
    return f"{opens}{', '.join(texts)}], {tiles.axis})"


def _cell(writer: Writer, part: Part, step: Add) -> str:
    """A part alone, in an array of the entries that it covers."""
    alone, (text, labels) = _inner(writer, part, step), writer.value(part.use)
    missing = [size for size, label in zip(alone.shape, part.places, strict=True) if label not in labels]
    if text.static or any(size != 1 for size in missing):
        return add(writer, alone).code
    made = writer.permuted(text, [labels.index(label) for label in part.places if label in labels])
    if missing:
        made = PythonText(f"{made.at(ATOM)}[{', '.join(':' if x in labels else 'None' for x in part.places)}]")
    return scaled(part.coef, made).code


def _identity(writer: Writer, text: PythonText, size: int) -> PythonText:
    first = writer.size(size)
    eye = f"{writer.module}.eye({first}, {writer.like if writer.module == 'torch' else f'dtype={writer.like}'})"
    return PythonText(eye) if text.code == "1" else times(text, PythonText(eye))


def _stretched(writer: Writer, text: PythonText, step: Add) -> PythonText:
    """The entries along axes along which all are the same."""
    shape = writer.shape(step.shape)
    if text.static:
        return PythonText(f"{writer.module}.full({shape}, {text.code}, {writer.like})")
    return PythonText(f"{writer.module}.broadcast_to({text.code}, {shape}){writer.target.copy}")


def _inner(writer: Writer, part: Part, step: Add) -> Add:
    """The part alone, in an array of the entries that it covers."""
    sizes = dict(zip(part.use.labels, writer.program.steps[part.use.value].shape, strict=True))
    for label, found, size in zip(part.places, part.ranges, step.shape, strict=True):
        sizes.setdefault(label, size if found is None else writer.number(found.size))
    return Add((replace(part, ranges=()),), tuple(sizes[label] for label in part.places))


def _diagonal(
    writer: Writer, part: Part, text: PythonText, labels: Sequence[int], axes: Mapping[int, str], step: Add, way: Target
) -> Diagonal:
    first = {label: part.places.index(label) for label in part.places}
    places = tuple(axes[first[label]] for label in part.places)
    label_of = {axes[axis]: label for label, axis in first.items()}
    wanted = [label_of[name] for name in way.entries(places)]
    made = scaled(part.coef, writer.aligned(text, labels, wanted))
    if not set(wanted) <= set(labels) and (writer.module == "torch" or way is MASKED):
        shape = writer.shape([step.shape[first[x]] for x in wanted])
        if made.static:
            made = PythonText(f"{writer.module}.full({shape}, {made.code}, {writer.like})")
        else:
            made = PythonText(f"{writer.module}.broadcast_to({made.code}, {shape})")
    return Diagonal(places, made, bracketed(part.ranges, (), writer.dimension))
