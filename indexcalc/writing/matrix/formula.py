"""The closed form of an Array: matrix notation, as short as the search finds it.

Two presentations of the graph are read, as it is and multiplied out, and the shorter form is taken. Every move keeps
the value, so only the length depends on the search.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from math import prod
from typing import NamedTuple

from indexcalc.graph.constructors import einsum, regroup
from indexcalc.graph.node import Constant, Node, Product, Regroup, Sum, topological
from indexcalc.graph.numbers import Number, multiply
from indexcalc.graph.ranges import relation_of
from indexcalc.simplify.passes import expand, simplify
from indexcalc.simplify.products.distribute import EXPAND_TERMS
from indexcalc.surface import public
from indexcalc.writing.index import latex, text
from indexcalc.writing.index.words import primed, words
from indexcalc.writing.matrix.form import TERM, Form
from indexcalc.writing.matrix.forms import atom, chain, form_of, number_term, turn
from indexcalc.writing.matrix.latex import LatexTypesetter
from indexcalc.writing.matrix.network import Stuck
from indexcalc.writing.matrix.reduce import FormFinder, flatten
from indexcalc.writing.matrix.signed import as_in
from indexcalc.writing.matrix.special.cumulative import with_sums
from indexcalc.writing.matrix.special.layers import layer_text
from indexcalc.writing.matrix.text import Typesetter, brackets_of, length_of
from indexcalc.writing.naming import part_names, with_parts, with_parts_latex
from indexcalc.writing.standing import ORIENTATIONS, Standing

LARGEST = 300
"""A graph of more nodes is written in index notation only, where definitions keep the text short."""
DEEPEST = 50
"""So is one with more functions, products and sums inside each other."""
MOST_TERMS = 16
"""What has more terms, multiplied out, is read as it stands, though it may have a closed form then alone."""
FEW_TERMS = 8
"""What has a closed form as it stands is sought a shorter one multiplied out where that has no more terms;"""
SMALL = 20
"""or a graph of so many nodes at most, as arrays made of parts have, where the search takes a few milliseconds."""
LONG = 60
"""A form of more tokens is not sought again in what was multiplied out, where no terms were collected by that."""
LONG_TEXT = 100
"""Characters of a text whose parts get names, a line or so, if it becomes as much shorter as `SHORTER` says."""
SHORTER = 0.8
"""How long a text with named parts is at most, as a share of the text without: a name has to pay."""
UNNAMED = 400
"""A formula of more tokens has names for its parts unasked: it fills a third of a page."""
REPEATED = 8
"""A part gets a name if its uses but one have so many tokens."""
LEAST = 4
"""The tokens of a part that gets a name, at least."""


NO_BRACKETS: Mapping[bytes, int] = {}
Spoken = tuple[str, tuple[tuple[str, str], ...]]
"""A text, and those of the parts that it names, with their names."""


@public
class Formula(str):
    """The text of a closed form.

    Where there is none it is in index notation, `why` says why, `nearest` what comes close; `definitions` has the names
    that its parts were given.
    """

    why: str = ""
    nearest: tuple[str, ...] = ()
    definitions: tuple[tuple[str, str], ...] = ()

    @property
    def closed(self) -> bool:
        """Is it in matrix notation?"""
        return not self.why

    def __repr__(self) -> str:
        lines = [str(self)]
        if self.why:
            lines.append(f"no matrix form: {self.why}")
            lines += [f"nearest: {one}" for one in self.nearest]
        return "\n".join(lines)


def closed_form(node: Node) -> Form:
    """The shortest form found; `Stuck`, which says why, if there is none."""
    known = node.facts.get("closed form")
    if known is None:
        try:
            known = as_in(_search(node), node)
        except Stuck as stuck:
            known = stuck
        node.facts["closed form"] = known
    if isinstance(known, Stuck):
        raise known
    found: Form = known
    return found


def _search(node: Node) -> Form:
    if node.order > 2:
        raise Stuck(f"it has {node.order} axes, and a matrix holds two")
    below = topological([node])
    if len(below) > LARGEST or _depth(below) > DEEPEST:
        raise Stuck("it is too long for one formula")
    try:
        found = FormFinder().form(node)
    except Stuck as stuck:
        opened = expand(simplify([node]), EXPAND_TERMS)[0] if _width(below) <= MOST_TERMS else node
        if opened is node:
            raise
        try:
            return FormFinder().form(opened)
        except Stuck:
            raise stuck from None
    opened = _opened(node, below, MOST_TERMS if len(below) <= SMALL else FEW_TERMS)
    if opened is node or (found.cost > LONG and _width(topological([opened])) >= _width(below)):
        return found
    with suppress(Stuck):
        found = min(found, FormFinder().form(opened), key=lambda form: form.cost)
    return found


def _depth(below: Sequence[Node]) -> int:
    """How many nodes lie inside each other; children come before their parents."""
    found: dict[Node, int] = {}
    for node in below:
        found[node] = 1 + max((found[child] for child in node.children), default=0)
    return max(found.values())


def _opened(node: Node, below: Sequence[Node], most: int) -> Node:
    """The node simplified, and multiplied out where that gives so many terms at most and may be shorter."""
    (plain,) = simplify([node])
    below = below if plain is node else topological([plain])
    opens = _multiplies(below) and (len(below) <= SMALL or any(map(_may_shorten, below))) and _width(below) <= most
    return expand([plain], EXPAND_TERMS)[0] if opens else plain


def _multiplies(below: Sequence[Node]) -> bool:
    """Is there a sum among the factors of a product, or of a product among these? Children come before parents."""
    found: set[Node] = set()
    for node in below:
        if isinstance(node, Product):
            factors = [f.node for f in node.factors if _times(f.exponent)]
            if any(isinstance(inner, Sum) or inner in found for inner in factors):
                found.add(node)
    return bool(found)


def _may_shorten(node: Node) -> bool:
    """May it be shorter once this is multiplied out: two sums meet, or one has units, deltas or slices?"""
    if isinstance(node, Sum):
        return any(isinstance(t.node, Product) and _open_sums(t.node) for t in node.terms)
    if not isinstance(node, Product):
        return False
    sums = _open_sums(node)
    beside = any(isinstance(f.node, Constant | Regroup) for f in node.factors) or len(sums) > 1
    return bool(sums) and (beside or any(_is_placed(t.node) for one in sums for t in one.terms))


def _open_sums(node: Product) -> list[Sum]:
    """The sums among the factors, one to a power so many times."""
    return [f.node for f in node.factors if isinstance(f.node, Sum) for _ in range(_times(f.exponent))]


def _is_placed(node: Node) -> bool:
    """Has it a delta, or a constant such as a selection among its factors?"""
    if not isinstance(node, Product):
        return False
    return len(set(node.out)) < node.order or any(isinstance(f.node, Constant) for f in node.factors)


def _width(below: Sequence[Node]) -> int:
    """Into how many terms the last node, and what it has, is multiplied out, before like ones are collected."""
    width: dict[Node, int] = {}
    for node in below:
        if isinstance(node, Product):
            width[node] = prod(width[f.node] ** _times(f.exponent) for f in node.factors)
        elif isinstance(node, Sum):
            width[node] = sum(width[term.node] for term in node.terms)
        else:
            width[node] = 1
    return width[below[-1]]


def _times(exponent: Number) -> int:
    """How many equal factors a power is multiplied out into; none where it is not."""
    return exponent if isinstance(exponent, int) and 0 < exponent <= MOST_TERMS else 0


def array_text(array: Standing, unicode: bool = False) -> str:
    """The text of an array: its closed form, or its entries and an arrow to its axes where it has none."""
    names = unicode_names(array.node) if unicode else None
    closed = _closed_text(array, Typesetter(array.vectors, array.turned, names))
    if closed is not None:
        return closed
    return text.array_text(array.node, array.places, array.is_upright, unicode=unicode, rows=array.rows)


def array_ranges(array: Standing) -> dict[str, str]:
    """Over which values affine indices of the text of an array run, or of its LaTeX, where a reader has to be told."""
    if all(relation_of(node) is None for node in topological([array.node])):
        return {}
    if _closed_text(array, Typesetter(array.vectors, array.turned)) is not None and _closed_latex(array) is not None:
        return {}
    return text.array_ranges_told(array.node, array.places, array.is_upright)


def _closed_text(array: Standing, setter: Typesetter) -> str | None:
    """The closed form of an array, or its text as a layer; None where it has neither."""
    with suppress(Stuck):
        if not only_scalars(array.node):
            body, parts = _written(setter, with_sums(_stood(array)), array)
            return with_parts(body, [f"{name} = {shown}" for name, shown in parts])
    with suppress(Stuck):
        if array.places == tuple(range(array.node.order)):
            return layer_text(array.node, setter)
    return None


def _written(setter: Typesetter, form: Form, array: Standing) -> Spoken:
    """The text of a form, and the parts that it names: none where it is not long, or would not become much shorter.

    LaTeX names what text names: how long this would be is known before anything is written.
    """
    length = length_of(form)
    if length > LONG_TEXT and (parts := repeated_parts(form)):
        names = _names_of(parts, words(array.node))
        if _length_with(form, parts, names) <= SHORTER * length:
            return _spoken(setter, _with_names(form, parts, names))
    return setter.text(form), ()


def _spoken(setter: Typesetter, named: Renamed) -> Spoken:
    """The text of a form, and of its parts, by their names."""
    return setter.text(named.form), tuple((name, setter.natural(part)[0]) for name, part in named.parts)


def unicode_names(node: Node) -> dict[str, str]:
    """Names as letters: Greek ones, and f′ for derivatives of functions of numbers."""
    return {**text.GREEK, **primed(node, lambda name: text.GREEK.get(name, name), text.PRIMES)}


def only_scalars(node: Node) -> bool:
    """Has nothing in it an axis? Then index notation writes it, as it stands."""
    return not node.dims and not any(inner.dims for inner in topological([node]))


def array_latex(array: Standing) -> str:
    """The LaTeX of an array: of its closed form, or of its entries."""
    closed = _closed_latex(array)
    return latex.array_latex(array.node, array.places, array.is_upright, array.rows) if closed is None else closed


def _closed_latex(array: Standing) -> str | None:
    taken, names = latex.letters_taken(array.node), latex.called_names(array.node)
    setter = LatexTypesetter(array.vectors, array.turned, taken, names)
    with suppress(Stuck):
        if not only_scalars(array.node):
            body, parts = _written(setter, _stood(array), array)
            return with_parts_latex(body, [f"{latex.name_latex(name)} = {shown}" for name, shown in parts])
    with suppress(Stuck):
        if array.places == tuple(range(array.node.order)):
            return layer_text(array.node, setter)
    return None


def _stood(array: Standing) -> Form:
    """The closed form of an array, a vector standing as the array does."""
    if len(array.places) > 2:
        raise Stuck(f"it has {len(array.places)} axes, and a matrix holds two")
    form = closed_form(array.node)
    return turn(form) if form.vector and array.places == ORIENTATIONS["row"] else form


def formula(array: Standing, define: bool = False) -> Formula:
    """The closed form of an array; `define` names the parts that occur more than once, as it does in a long one."""
    setter = Typesetter(array.vectors, array.turned)
    try:
        form = with_sums(_stood(array))
        define = define or form.cost > UNNAMED
        written = setter.text(form)
    except Stuck as stuck:
        made = Formula(array_text(array))
        made.why, made.nearest = stuck.why, tuple(nearest(array.node, setter))
        return made
    if not define:
        return Formula(written)
    repeated = repeated_parts(form)
    body, parts = _spoken(setter, _with_names(form, repeated, _names_of(repeated, words(array.node))))
    made = Formula(with_parts(body, [f"{name} = {shown}" for name, shown in parts]))
    made.definitions = parts
    return made


# ------------------------------------------------------------------ parts with names


class Renamed(NamedTuple):
    """A form with names for its parts, and these by their names, each before it is used."""

    form: Form
    parts: tuple[tuple[str, Form], ...] = ()


def repeated_parts(form: Form) -> list[Form]:
    """The parts that occur more than once and are worth a name, each before those that it is part of."""
    count: Counter[bytes] = Counter()
    found: dict[bytes, Form] = {}

    def pays(part: Form) -> bool:
        return part.cost >= LEAST and (count[part.digest] - 1) * part.cost >= REPEATED

    def visit(part: Form) -> None:
        count[part.digest] += 1
        found.setdefault(part.digest, part)
        if count[part.digest] == 1 or not pays(part):
            for inner in part.parts:
                visit(inner)

    visit(form)
    wanted = [part for part in found.values() if pays(part) and part.kind in ("call", "sum", "chain", "had")]
    return _long(sorted(wanted, key=lambda part: (part.cost, part.digest)))


def _names_of(parts: Sequence[Form], taken: frozenset[str]) -> list[str]:
    """Names for parts, none of which is taken."""
    heads = [(part.data[0] if part.kind == "call" else "", 2 - [part.rows, part.cols].count(None)) for part in parts]
    return part_names(heads, taken)


def _length_with(form: Form, parts: Sequence[Form], names: Sequence[str]) -> int:
    """About how many characters the text of a form has with names for its parts, and what these are."""
    saved: dict[bytes, int] = {}
    brackets: dict[bytes, int] = {}
    total = 0
    for part, name in zip(parts, names, strict=True):
        total += len(name) + len(" = ,") + length_of(part) - _saved(part, saved, brackets)
        saved[part.digest], brackets[part.digest] = length_of(part) - len(name), brackets_of(part)
    return total + length_of(form) - _saved(form, saved, brackets)


def _with_names(form: Form, parts: Sequence[Form], names: Sequence[str]) -> Renamed:
    """The form with names for its parts."""
    known: dict[bytes, Form] = {}
    definitions: list[tuple[str, Form]] = []
    for part, name in zip(parts, names, strict=True):
        definitions.append((name, _renamed(part, known)))
        known[part.digest] = _called(part, name)
    return Renamed(_renamed(form, known), tuple(definitions))


def _long(parts: Sequence[Form]) -> list[Form]:
    """The parts that are not short once those before them have names: `v**2` needs none."""
    saved: dict[bytes, int] = {}
    found = []
    for part in parts:
        if part.cost - _saved(part, saved) >= LEAST:
            saved[part.digest] = part.cost - 1
            found.append(part)
    return found


def _saved(form: Form, saved: dict[bytes, int], brackets: Mapping[bytes, int] = NO_BRACKETS) -> int:
    """The tokens, or characters, that names save within a form, by those that they save in its parts.

    A name needs no `brackets` where the part had some: as a factor.
    """
    if form.digest not in saved:
        saved[form.digest] = sum(_saved(part, saved, brackets) for part in form.parts)
        if brackets and form.kind in ("chain", "had", TERM):
            saved[form.digest] += sum(brackets.get(part.digest, 0) for part in form.parts)
    return saved[form.digest]


def _called(part: Form, name: str) -> Form:
    """The name of a part, standing as it does."""
    row = part.rows is None and part.cols is not None
    return turn(atom(name, part.cols, None)) if row else atom(name, part.rows, part.cols, same=part.same)


def _renamed(form: Form, known: dict[bytes, Form]) -> Form:
    """The form with names for those parts that are known by them; what was made so of each part is known then."""
    if form.digest not in known:
        known[form.digest] = _made_of(form, known) if form.parts else form
    return known[form.digest]


def _made_of(form: Form, known: dict[bytes, Form]) -> Form:
    if form.kind == "turned":
        return turn(_renamed(form.parts[0], known))
    parts = tuple(_renamed(part, known) for part in form.parts)
    if all(one is other for one, other in zip(parts, form.parts, strict=True)):
        return form
    if form.kind == "chain" and form.scalar:
        return chain(parts)  # on the side that is shorter with names
    saved = sum(part.cost for part in form.parts) - sum(part.cost for part in parts)
    return Form(form.kind, parts, form.data, form.rows, form.cols, form.cost - saved, form.same)


# ------------------------------------------------------------------ what comes close


def nearest(node: Node, setter: Typesetter) -> list[str]:
    """What can be written of a node that has no matrix form."""
    found = []
    if node.order == 4:
        rows, cols = (1, 0), (3, 2)
        inner = [(k,) for k in range(4)]
        joined = regroup(node, inner, (rows, cols), node.dims)
        with suppress(Stuck):
            found.append(f"as a matrix of its vecs, {Typesetter('column').text(closed_form(joined))}")
    if node.order > 2:
        found.append("contract it: with a cotangent, ic.vjp(Y, X, G), or with a direction, ic.jvp(Y, X, dX)")
    with suppress(Stuck):
        found.append(einsum_text(node, setter))
    return found


def einsum_text(node: Node, setter: Typesetter) -> str:
    """The node as a sum of calls of `einsum`, which can write any sum of products of named parts."""
    terms = (
        [(t.coef, t.node, t.labels) for t in node.terms]
        if isinstance(node, Sum)
        else [(1, node, tuple(range(node.order)))]
    )
    texts = []
    for coef, inner, labels in terms:
        flat = flatten(inner)
        if len(set(flat.out)) < len(flat.out) or len(flat.sizes) > 26 or len(labels) < node.order:
            raise Stuck("a delta or ones stands free")
        letters = {label: chr(97 + place) for label, place in zip(flat.out, labels, strict=True)}
        for label in range(len(flat.sizes)):
            letters.setdefault(label, chr(97 + node.order + len(letters) - len(flat.out)))
        operands, specs = [], []
        for factor, at, exponent in flat.factors:
            operands.append(_operand(factor, exponent, setter))
            specs.append("".join(letters[x] for x in at))
        spec = f"{','.join(specs)}->{''.join(chr(97 + k) for k in range(node.order))}"
        call = f'einsum("{spec}", {", ".join(operands)})'
        number = setter.text(form_of(number_term(multiply(coef, flat.coef))))
        texts.append(call if number == "1" else f"{number}*{call}")
    return " + ".join(texts).replace("+ -", "- ")


def _operand(factor: Node, exponent: object, setter: Typesetter) -> str:
    if factor.order > 2:
        if not factor.children and exponent == 1:
            return factor.name
        raise Stuck("a part has no name")
    node = factor if exponent == 1 else einsum(1, [(factor, range(factor.order), exponent)], range(factor.order))
    return setter.text(closed_form(node))
