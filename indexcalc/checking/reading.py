"""What is compared: a formula, in each way in which its vectors may be meant, and a derivative, in each layout.

Both become arrays whose axes are all written out, unit axes too, so that shapes are compared as a reader sees them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, permutations, product
from typing import Any, NamedTuple

from indexcalc.checking.left import NOTHING, Left
from indexcalc.engine.bind.inputs import symbols_in
from indexcalc.equality.decide import form
from indexcalc.errors import (
    Asked,
    DimensionError,
    IndexCalcError,
    KindError,
    LayoutError,
    NotationError,
    ParseError,
    RangeError,
)
from indexcalc.graph.constructors import einsum, transpose
from indexcalc.graph.node import Call, Node, topological
from indexcalc.graph.walk import resize, substitute
from indexcalc.index import Dimension, Index, unknown
from indexcalc.layout.conventions import CONVENTIONS
from indexcalc.reading.reader import parse, reading_of
from indexcalc.reading.tokens.passes import parse_tree
from indexcalc.views.array import Array
from indexcalc.views.derivatives.derivative import ArrayDerivative, Derivative
from indexcalc.views.derivatives.projection import Layout
from indexcalc.views.expr import Expr
from indexcalc.views.functions.arguments import opened
from indexcalc.views.placed import orientation_of
from indexcalc.views.view import View
from indexcalc.writing.standing import NONE, ORIENTATIONS, places_of

READINGS = ("numpy", "column", "row")
MOST_FACTORS = 8
"""Factors of a text that are tried as a product of another kind: an arbitrary budget."""
MOST_AXES = 5
"""Index notation of more axes is compared under its own names alone."""


class Claim(NamedTuple):
    """A formula under some readings: its array, all axes written out, and the names of its axes in index notation.

    The axes are `fixed` where a left side has named them: they are those of the derivative, in their order.
    """

    view: View
    node: Node
    readings: tuple[str, ...] = ()
    names: tuple[Index, ...] | None = None
    fixed: bool = False

    @property
    def dims(self) -> tuple[Dimension, ...]:
        """The dimension of each axis that is shown."""
        return self.node.dims

    @property
    def stands(self) -> str:
        """How its vectors are meant: "numpy", "column" or "row"."""
        return self.view.vectors if isinstance(self.view, Array) else "numpy"


class Projected(NamedTuple):
    """What a formula is compared with: an array with all axes written out, and the conventions that lay it out so.

    `groups` has, for each axis, the axes of the derivative that are joined in it. `names` are those of the axes of a
    derivative in index notation. `standing` says how a derivative by a vector stands itself, `vectors` how vectors are
    meant in it.
    """

    view: View
    node: Node
    layouts: tuple[str, ...] = ()
    groups: tuple[tuple[Any, ...], ...] = ()
    names: tuple[Index, ...] | None = None
    standing: str = ""
    vectors: str = "numpy"

    @property
    def dims(self) -> tuple[Dimension, ...]:
        """The dimension of each axis that is shown."""
        return self.node.dims


# ------------------------------------------------------------------ formulas


def claims_of(
    formula: Any,
    D: View,
    vectors: str | None,
    declarations: Mapping[str, Any],
    left: Left = NOTHING,
    syntax: str = "",
) -> list[Claim]:
    """The formula as it may be meant, what is the same only once.

    A text that no reading admits is an error, and so is one with a name that nobody declared.
    """
    if isinstance(formula, View):
        return [claim_of(identified(formula, D))]
    found: dict[Any, Claim] = {}
    failed: list[IndexCalcError] = []
    orders = _order(D) if vectors is None else (vectors,)
    told = _told(formula, D)
    for reading, runs in product(orders, [{}, told] if told else [{}]):
        try:
            view = _read(formula, D, reading, declarations, syntax, runs)
        except IndexCalcError as error:
            failed.append(error)
            continue
        claim = _as_left(claim_of(identified(view, D)), left, D)
        key = claim.node, claim.names
        readings = dict.fromkeys((*found[key].readings, reading) if key in found else (reading,))
        found[key] = (found.get(key) or claim)._replace(readings=tuple(readings))
    if not found:
        raise (
            next((error for error in failed if UNDECLARED in str(error)), None)
            or _undeclared(formula, D, declarations, syntax)
            or next((error for error in failed if is_misfit(error)), failed[0])
        )
    plain = orientation_of([D])[0] == "numpy" or not any(
        v.order == 1 for claim in found.values() for v in claim.view.inputs
    )
    if len(found) == 1 and vectors is None and not failed and plain:
        return [claim._replace(readings=()) for claim in found.values()]
    return list(found.values())


UNDECLARED = "is not declared"


def _undeclared(text: str, D: View, declarations: Mapping[str, Any], syntax: str) -> IndexCalcError | None:
    """The error for a name that stands in a text whose shapes do not fit, and that nobody declared."""
    reading = reading_of(text, {**names_of(D), **declarations}, "numpy")
    parts: list[Any] = list(parse_tree(text, reading.words, syntax).iter_subtrees())[::-1]
    for part in parts:
        if part.data == "assign":
            target = part.children[0]
            base = target.children[0] if target.data == "indexed" else target
            word = str(base.children[0])
            reading.known |= dict.fromkeys((word, word.partition("_")[0]), Array(D.node, D.inputs))
    for part in parts:
        if part.data == "name":
            try:
                reading.resolve(part.children[0])
            except IndexCalcError as error:
                if UNDECLARED in str(error):
                    return error
    return None


def _at_arguments(text: str, D: View, known: Mapping[str, Any], syntax: str) -> dict[str, Any]:
    """What `dL/dY` in a text is by, where nobody declared Y: the argument of the abstract L in what was derived."""
    source = D.source if isinstance(D, Derivative | ArrayDerivative) else None
    if source is None:
        return {}
    calls: dict[str, set[Node]] = {}
    for node in topological([source.node]):
        if isinstance(node, Call) and len(node.children) == 1:
            calls.setdefault(node.function.name, set()).add(node.children[0])
    if not calls:
        return {}
    reading = reading_of(text, known, "numpy")
    found: dict[str, Any] = {}
    parts: list[Any] = list(parse_tree(text, reading.words, syntax).find_data("quotient"))
    for part in parts:
        names = [str(child.children[0]) for child in (part.children[1], part.children[-1]) if child.data == "name"]
        arguments = calls.get(names[0], set()) if len(names) == 2 else set()
        if len(arguments) == 1 and not reading.means(names[1]):
            found[names[1]] = Array(next(iter(arguments)), source.inputs)
    return found


def _as_left(claim: Claim, left: Left, D: View) -> Claim:
    """What a formula says of the derivative itself, where its left side says what is done to that."""
    node = claim.node
    axes: Sequence[int] = range(node.order)
    if left.factor is not None:
        node = einsum(1, [(left.factor.node, (), -1), (node, axes)], axes)
    if left.turned:
        if node.order > 2 or (claim.names is not None and node.order):
            raise ParseError(
                f"check {left.text} = ...", f"the transpose of a derivative with {node.order} axes", "name its axes"
            )
        node = transpose(node, tuple(reversed(axes)))
    if not left.indices:
        return claim._replace(node=node)
    names = [index.name for index in claim.names or ()]
    if sorted(names) != sorted(left.indices):
        own = ", ".join(names) or "no indices"
        instead = "write [...]_ij around the right side" if claim.names is None else "name them alike"
        raise ParseError(
            f"check {left.text} = ...",
            f"the left side has {', '.join(left.indices)}, and the right side {own}",
            instead,
        )
    order = [names.index(name) for name in left.indices]
    fixed = len(order) == index_target(D).node.order
    indices = tuple((claim.names or ())[axis] for axis in order)
    return claim._replace(node=transpose(node, order), names=indices, fixed=fixed)


def claim_of(view: View) -> Claim:
    """An expression as it stands."""
    if isinstance(view, Expr):
        return Claim(view, _placed(view, view.free), (), view.free)
    assert isinstance(view, Array)
    return Claim(view, opened(view))


def is_misfit(error: BaseException | None) -> bool:
    """Did arithmetic fail, because shapes do not fit, rather than the reading of the text?"""
    if isinstance(error, RangeError):
        return False
    return isinstance(error, DimensionError | KindError | NotationError) or (
        error is not None and is_misfit(error.__cause__)
    )


def _order(D: View) -> tuple[str, ...]:
    """The readings that the declarations admit: theirs alone where vectors were declared columns or rows."""
    own = orientation_of([D])[0]
    return READINGS if own == "numpy" else (own,)


def _read(
    text: str, D: View, reading: str, declarations: Mapping[str, Any], syntax: str, told: Mapping[str, str]
) -> View:
    """The text with the names of the derivative, order-1 tensors standing as the reading says, indices as `told`."""
    known = dict(names_of(D))
    if orientation_of([D])[0] != reading:
        known = {name: _stood(value, reading) for name, value in known.items()}
    given = {name: value for name, value in declarations.items() if not _same(value, known.get(name))}
    symbols = symbols_in(topological([D.node, *D.inputs]))
    sizes = {f"the size {name}": name for name in symbols if not name.startswith("?")} | dict(told)
    batch = " ".join(sorted(D.batch)) if isinstance(D, Expr) else ""
    options = {"dims": sizes, "batch": batch, "vectors": reading, "syntax": syntax}
    given |= _at_arguments(text, D, {**known, **given}, syntax)
    made: View = parse(text, **{**options, **known, **given})
    runs = _ranges(made, D)
    return parse(text, **{**options, "dims": sizes | runs, **known, **given}) if runs else made


def _told(text: str, D: View) -> dict[str, str]:
    """How far the indices run that the text of the derivative has, where a reader has to be told.

    A formula with such a name may mean that, as the derivative's own text does, or what its arrays bound.
    """
    told = D.declarations.get("dims", {}) if isinstance(D, Expr) else {}
    words = set(re.findall(r"[^\W\d_]\w*", text))
    return {name: run for name, run in told.items() if ":" in str(run) and name in words}


def _ranges(view: View, D: View) -> dict[str, str]:
    """How far the indices of the derivative run that an affine use bounds in a formula: as they do there.

    Beside the arrays are zeros: `g[l-j]` counts where it is an entry.
    """
    if not isinstance(view, Expr) or not isinstance(D, Expr):
        return {}
    told = D.declarations.get("dims", {})
    found: dict[str, str] = {}
    for index, size in zip(D.indices, D.node.dims, strict=True):
        own = str(told.get(index.name, ""))
        if any(other.span is not None for other in view.free if other.name == index.name):
            found[index.name] = own if ":" in own else f"0:{size}, zero"
    return found


def _stood(value: Any, reading: str) -> Any:
    if not isinstance(value, Array):
        return value
    places = ORIENTATIONS[reading] if value.order == 1 else value.places
    return Array(value.node, value.inputs, places, reading, NONE)


def _same(value: Any, known: Any) -> bool:
    """Does a declaration by dimensions say what is known already?"""
    if not isinstance(value, str) or not isinstance(known, Array):
        return False
    return tuple(value.replace(",", " ").split()) == tuple(map(str, known.node.dims))


def identified(view: View, D: View) -> View:
    """The formula with the derivative's own tensors, and its named gradient, for those of their names.

    Errors: DimensionError where one name has other dimensions in both.
    """
    known = {name: value.node for name, value in names_of(D).items() if isinstance(value, Array)}
    table: dict[Node, Node] = {}
    for variable in view.inputs:
        node = known.get(variable.label, variable)
        if node.dims != variable.dims:
            raise DimensionError(
                Asked(lambda: f"check {view}"),
                f"{variable.label} has dimensions {variable.dims}, and that of the derivative {node.dims}",
                "give one of them another name",
            )
        if node is not variable:
            table[variable] = node
    if not table:
        return view
    (made,) = substitute([view.node], table)
    if isinstance(view, Expr):
        return Expr(made, view.indices, None, view.free)
    assert isinstance(view, Array)
    return Array(made, None, view.places, view.vectors, view.turned)


def names_of(D: View) -> dict[str, Any]:
    """What the names in a formula may mean: the tensors, named steps and functions that the derivative came from."""
    vectors, turned = orientation_of([D])
    found: dict[str, Any] = {}
    source = D.source if isinstance(D, Derivative | ArrayDerivative) else None
    for view in (source, D):
        if view is not None:
            found |= {
                name: value
                for name, value in view.declarations.items()  # type: ignore[attr-defined]
                if name not in ("vectors", "dims", "batch")
            }
    for variable in D.inputs:
        name = variable.label
        places = places_of(variable, name, vectors, turned)
        found.setdefault(name, Array(variable, None, places, vectors, turned & {name}))
    return found


# ------------------------------------------------------------------ what they are compared with


def targets_of(D: View, layout: str | None = None) -> list[Projected]:
    """The derivative in every convention that holds it, those alike together, those with its own axes first.

    Any other expression is taken as it stands.
    """
    if not isinstance(D, Derivative | ArrayDerivative):
        return [_whole(D)]
    found: dict[Any, Projected] = {}
    stands = D.standing if isinstance(D, ArrayDerivative) else ""
    for name in CONVENTIONS if layout is None else (layout,):
        try:
            laid = D.layout(name)
        except LayoutError:
            if layout is not None:
                raise
            continue
        groups = laid.groups if isinstance(laid, Layout) else ()
        node = opened(laid)
        key = node, groups
        layouts = (*(found[key].layouts if key in found else ()), name)
        found[key] = Projected(laid, node, layouts, groups, None, stands, orientation_of([D])[0])
    own = form(index_target(D).node)
    return sorted(found.values(), key=lambda target: form(target.node) is not own)


def index_target(D: View) -> Projected:
    """The derivative with its axes as they are, by name if they have names."""
    return _whole(D)


def _whole(D: View) -> Projected:
    if isinstance(D, Expr):
        return Projected(D, _placed(D, D.free), names=D.free)
    assert isinstance(D, Array)
    return Projected(D, D.node if isinstance(D, ArrayDerivative) else opened(D))


def _placed(view: Expr, free: Sequence[Index]) -> Node:
    return einsum(1, [(view.node, view.names)], [index.name for index in free])


# ------------------------------------------------------------------ one as the other


def fitted(claim: Claim, target: Projected) -> Node | None:
    """The formula with the axes of the target, or None where its shape is another.

    A scalar fits whatever axes of dimension 1 stand beside it; where a convention gives the variable's own axis, a
    column is right if vectors are columns, and a row if they are rows.
    """
    own = resized(claim.node, target.dims)
    if own.dims == target.dims:
        return own
    kept = [axis for axis, dim in enumerate(own.dims) if dim != 1]
    wanted = [axis for axis, dim in enumerate(target.dims) if dim != 1]
    if [own.dims[axis] for axis in kept] != [target.dims[axis] for axis in wanted]:
        return None
    stands = target.standing if target.standing and claim.stands == target.vectors else claim.stands
    upright = {"column": kept == [0], "row": kept == [1]}.get(stands, False)
    if kept and not (upright and own.order == 2 and len(target.dims) == 1):
        return None
    inside: list[Any] = [("unit", axis) for axis in range(own.order)]
    for axis, place in zip(kept, wanted, strict=True):
        inside[axis] = place
    ones: dict[Any, Dimension] = {axis: 1 for axis, dim in enumerate(target.dims) if dim == 1}
    return einsum(1, [(own, inside)], range(len(target.dims)), ones)


def resized(node: Node, dims: Sequence[Dimension]) -> Node:
    """The node, its unknown dimensions (of a delta that met no tensor) taken from these."""
    if len(dims) != node.order or not any(unknown(dim) for dim in node.dims):
        return node
    table = {str(own): dim for own, dim in zip(node.dims, dims, strict=True) if unknown(own)}
    return resize([node], table)[0]


class Naming(NamedTuple):
    """A way to lay the axes of a formula on those of a target: axis k of the target is axis `order[k]` of the formula.

    `natural` says that it keeps every name that both have.
    """

    order: tuple[int, ...]
    natural: bool


def namings(claim: Claim, target: Projected) -> Iterator[Naming]:
    """The orders of axes in which a formula may be meant, the natural ones first."""
    count = len(target.dims)
    if len(claim.dims) != count:
        return
    if claim.fixed:
        if all(one == other or unknown(one) for one, other in zip(claim.dims, target.dims, strict=True)):
            yield Naming(tuple(range(count)), True)
        return
    own, wanted = claim.names or (), target.names or ()
    orders: Iterator[tuple[int, ...]] = permutations(range(count))
    if count > MOST_AXES:
        known = set(own) == set(wanted)
        orders = iter([tuple(own.index(name) for name in wanted) if known else tuple(range(count))])
    shared = [(axis, wanted.index(name)) for axis, name in enumerate(own) if name in wanted]
    rows = []
    for order in orders:
        dims = [claim.dims[axis] for axis in order]
        if all(one == other or unknown(one) for one, other in zip(dims, target.dims, strict=True)):
            natural = claim.names is not None and all(order[place] == axis for axis, place in shared)
            natural = natural or (order == tuple(range(count)) and claim.names is None)
            rows.append(Naming(order, natural))
    yield from sorted(rows, key=lambda row: not row.natural)


def turned(claim: Claim, order: Sequence[int], target: Projected) -> Node:
    """The formula with its axes in this order."""
    node = einsum(1, [(claim.node, range(claim.node.order))], order)
    return resized(node, target.dims)


def meant_names(claim: Claim, target: Projected) -> dict[str, str]:
    """Which index or axis of a target each index of a formula is, where the names do not say it."""
    if claim.names is None or (target.names is not None and set(claim.names) == set(target.names)):
        return {}
    naming = next((naming for naming in namings(claim, target) if naming.natural), None)
    if naming is None:
        return {}
    places = target.names or [f"axis {axis}" for axis in range(len(naming.order))]
    return {str(claim.names[axis]): str(place) for axis, place in zip(naming.order, places, strict=True)}


def transposes(text: str, D: View, declarations: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A text with one or two of its tensors transposed, and what was done: shapes that do not fit may fit then."""
    known = {**names_of(D), **declarations}
    names = [name for name, value in known.items() if isinstance(value, Array | str)]
    if not names:
        return
    mark = r"(?P<mark>\.T|\^T|\^\{T\}|ᵀ|')?"
    pattern = re.compile(rf"(?<![\w.])(?P<name>{'|'.join(map(re.escape, names))}){mark}(?![\w\[({{^.])")
    found = list(pattern.finditer(text))[:MOST_FACTORS]
    choices = [(one,) for one in found] + list(combinations(found, 2))
    for places in choices:
        made, words = text, []
        for place in reversed(places):
            name = place["name"]
            made = made[: place.start()] + (name if place["mark"] else f"{name}.T") + made[place.end() :]
            words.append(f"write {name} for {place[0]}" if place["mark"] else f"transpose {name}")
        yield " and ".join(reversed(words)), made
