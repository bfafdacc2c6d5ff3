"""Products of matrix forms, brought into normal form: matrix products, entrywise products, sums and traces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import prod
from typing import Any

from indexcalc.functions.table import REDUCTIONS
from indexcalc.graph.edge import power
from indexcalc.graph.numbers import Number, add, multiply
from indexcalc.index import Dim
from indexcalc.writing.matrix.form import Extent, Form, Monomial
from indexcalc.writing.matrix.forms import (
    call,
    chain,
    chain_cost,
    eye,
    form_of,
    is_constant,
    key_of,
    negative,
    number_term,
    ones,
    powers,
    rank,
    size,
    term_of,
    turn,
    with_powers,
    zeros,
)
from indexcalc.writing.matrix.parts import picked


def product(coef: Number, scalars: Iterable[tuple[Form, Number]], links: Sequence[Form]) -> Monomial:
    """The normal form of a product: scalars collected, links merged, inner products made scalars."""
    gathered: dict[Form, Number] = {}
    todo = list(scalars)
    flat: list[Form] = []
    for link in links:
        term = term_of(link)
        coef = multiply(coef, term.coef)
        todo += term.scalars
        flat += term.links
    segments: list[list[Form]] = []
    for link in flat:
        if not segments or segments[-1][-1].cols is None:
            segments.append([])
        if segments[-1] and (met := _ones_between(segments[-1][-1], link)) is not None:
            todo.append((size(met), 1))
            segments[-1][-1] = ones(segments[-1][-1].rows, link.cols)
            continue
        segments[-1].append(link)
    kept: list[Form] = []
    for segment in segments:
        merged = with_powers(_row_sum(merge(segment)))
        if merged[0].rows is None and merged[-1].cols is None:
            todo.append((dot(merged), 1))
        elif len(merged) == 1 and merged[0].kind in ("prod", "chain"):
            again = product(1, (), merged)
            coef = multiply(coef, again.coef)
            todo += again.scalars
            kept += again.links
        else:
            kept += merged
    kept = _paired(kept)
    while todo:
        form, exponent = todo.pop()
        coef = multiply(coef, _raise(form, exponent, gathered, todo))
    coef = multiply(coef, _means(gathered, kept))
    found = sorted(((f, e) for f, e in gathered.items() if e != 0), key=lambda pair: (negative(pair[1]), rank(pair[0])))
    return Monomial(coef, tuple(found), tuple(kept))


def _ones_between(left: Form, right: Form) -> Extent:
    """The dimension that is summed between two matrices of ones, a factor; None where there is no such."""
    alone = left.rows is None and right.cols is None
    return left.cols if left.kind == right.kind == "ones" and not alone else None


def _paired(links: list[Form]) -> list[Form]:
    """Ones times ones, and a unit vector times another, transposed, as one matrix."""
    done: list[Form] = []
    for link in links:
        left = done[-1] if done else None
        if left is not None and left.cols is None and link.rows is None:
            right = turn(link)
            if left.kind == right.kind == "ones":
                done[-1] = ones(left.rows, right.rows)
                continue
            if all(form.kind == "call" and form.data[0] == "unit" for form in (left, right)):
                (_, k), (_, m) = left.data[1]
                (_, l), (_, n) = right.data[1]  # noqa: E741
                extra = tuple((None, value) for value in (k, l, m, n))
                done[-1] = call("unit", (), left.rows, right.rows, extra)
                continue
        done.append(link)
    return done


def _row_sum(links: list[Form]) -> list[Form]:
    """A matrix times ones is the column of its row sums, ones times a matrix the row of its column sums."""
    if len(links) == 2 and links[1].kind == "ones" and links[1].cols is None and links[0].rows is not None:
        matrix, axis = links[0], 1
        other = turn(matrix)
        if other.cost < matrix.cost:
            matrix, axis = other, 0
        return [call("sum", [matrix], links[0].rows, None, (("axis", axis),))]
    if len(links) == 2 and links[0].kind == "ones" and links[0].rows is None and links[1].cols is not None:
        return [turn(link) for link in _row_sum([turn(links[1]), turn(links[0])])]
    return links


def _means(gathered: dict[Form, Number], links: list[Form]) -> Number:
    """A sum divided by the number of what is summed, as a mean; a mean times it, as a sum. The number that is left."""
    coef: Number = 1
    for form in list(gathered):
        if form.kind == "call" and form.data == ("mean", (), False) and gathered[form] == 1:
            counts, told = _counts(form.parts[0])
            if counts and told and any(gathered.get(count, 0) == 1 for count in counts):
                del gathered[form]
                gathered[call("sum", form.parts, None, None)] = 1
                coef = multiply(coef, Fraction(1, told))
                for count in counts:
                    gathered[count] = add(gathered.get(count, 0), -1)
    for form in list(gathered):
        if form.kind == "call" and form.data == ("sum", (), False) and gathered[form] == 1:
            counts, told = _counts(form.parts[0])
            if counts and all(gathered.get(count, 0) == -1 for count in counts) and len(set(counts)) == len(counts):
                for one in (form, *counts):
                    del gathered[one]
                gathered[call("mean", form.parts, None, None)] = 1
                coef = multiply(coef, told)
    for k, link in enumerate(links):
        inner = link.parts[0] if link.kind == "turned" else link
        if inner.kind == "call" and inner.data[0] == "sum" and inner.data[1]:
            (_, axis) = inner.data[1][0]
            dim = inner.parts[0].cols if axis == 1 else inner.parts[0].rows
            if isinstance(dim, Dim) and gathered.get(size(dim)) == -1:
                del gathered[size(dim)]
                made = call("mean", inner.parts, inner.rows, None, inner.data[1])
                links[k] = made if inner is link else turn(made)
    return coef


def _counts(form: Form) -> tuple[list[Form], int]:
    """What counts the entries of a form: the sizes that are symbols, and the product of those that are integers."""
    dims = [dim for dim in (form.rows, form.cols) if dim is not None]
    return [size(dim) for dim in dims if isinstance(dim, Dim)], prod(dim for dim in dims if isinstance(dim, int))


def _raise(form: Form, exponent: Number, gathered: dict[Form, Number], todo: list[tuple[Form, Number]]) -> Number:
    """A power of a scalar put among the gathered ones; what is left of it is a number."""
    if form.kind == "prod" and (isinstance(exponent, int) or not form.parts):
        term = term_of(form)
        raised = power(term.coef, exponent)
        if raised is not None:
            todo += [(inner, multiply(e, exponent)) for inner, e in term.scalars]
            return raised
    if form.kind == "zeros":
        return 0
    if form.kind == "size" and isinstance(form.data, int) and (raised := power(form.data, exponent)) is not None:
        return raised
    gathered[form] = add(gathered.get(form, 0), exponent)
    return 1


def merge(links: Sequence[Form]) -> list[Form]:
    """The links of a matrix product, merged with their neighbours where that leaves one link."""
    done: list[Form] = []
    for link in links:
        while True:
            if not done:
                done.append(link)
                break
            joined = _join(done[-1], link)
            if joined is None:
                done.append(link)
                break
            done.pop()
            link = joined
    return done


def _join(left: Form, right: Form) -> Form | None:
    """Two neighbours as one link, if they are one."""
    part = picked(left, right)
    if part is not None:
        return part
    if left.kind == "eye" and left.cols == right.rows:
        return right
    if right.kind == "eye" and left.cols == right.rows:
        return left
    if left.kind == "zeros" or right.kind == "zeros":
        return zeros(left.rows, right.cols)
    if left.kind == "diagm" and right.kind == "diagm":
        return diagm(had([(left.parts[0], 1), (right.parts[0], 1)]))
    if left.kind == "diagm" and right.cols is None:
        return had([(left.parts[0], 1), (right, 1)])
    if right.kind == "diagm" and left.rows is None:
        return had([(left, 1), (turn(right.parts[0]), 1)])
    return None


def diagm(vector: Form) -> Form:
    """A column as a diagonal matrix."""
    if vector.kind == "ones":
        assert vector.rows is not None
        return eye(vector.rows)
    term = term_of(vector)
    if term.coef != 1 or term.scalars:
        inner = diagm(form_of(Monomial(1, (), term.links)))
        return form_of(Monomial(term.coef, term.scalars, (inner,)))
    return Form("diagm", (vector,), None, vector.rows, vector.rows, 1 + vector.cost, True)


def dot(links: Sequence[Form]) -> Form:
    """A row times links times a column, as a scalar."""
    if len(links) == 1:
        return links[0]
    if links[0].kind == "ones":
        return total(form_of(product(1, (), links[1:])))
    if links[-1].kind == "ones":
        return total(turn(form_of(product(1, (), links[:-1]))))
    return chain(links)


def total(form: Form) -> Form:
    """The sum of all entries."""
    term = term_of(form)
    if term.coef != 1 or term.scalars:
        inner = total(form_of(Monomial(1, (), term.links)))
        return form_of(product(term.coef, [*term.scalars, (inner, 1)], ()))
    if form.kind == "diagm":
        return total(form.parts[0])
    if form.kind == "zeros":
        return form_of(number_term(0))
    if form.kind == "ones" or form.kind == "eye":
        sizes = [dim for dim in (form.rows, form.cols if form.kind == "ones" else None) if dim is not None]
        return form_of(product(1, [(size(dim), 1) for dim in sizes], ()))
    if form.kind == "turned" or (form.kind == "atom" and form.data[1]):
        return total(turn(form))
    if form.kind == "call" and form.data[0] in ("sum", "mean") and form.data[1]:
        return _total_of_sums(form)
    if form.kind == "sum" and (rest := _remaining(form)) is not form:
        return total(rest)
    if form.kind == "had" and form.vector and form.data == (2,) and form.parts[0].kind == "atom":
        return chain([turn(form.parts[0]), form.parts[0]])
    if form.rows is not None and form.cols is not None and form.kind == "chain" and _boundary(form.parts):
        cut = _boundary(form.parts)
        left, right = form_of(product(1, (), form.parts[:cut])), form_of(product(1, (), form.parts[cut:]))
        return form_of(product(1, [(total(left), 1), (total(right), 1)], ()))
    return call("sum", [form if form.cols is None else turn(form) if form.rows is None else form], None, None)


def _remaining(form: Form) -> Form:
    """The terms of a sum whose totals do not cancel; those of `x - mean(x)` do."""
    totals: dict[Any, Number] = {}
    keys = []
    for part in form.parts:
        term = term_of(part)
        links = [ones(form.rows, form.cols)] if is_constant(term) else list(term.links)
        if (links[0].rows, links[-1].cols) != (form.rows, form.cols):
            return form
        whole = product(term.coef, [*term.scalars, (total(form_of(Monomial(1, (), tuple(links)))), 1)], ())
        keys.append(key_of(whole))
        totals[keys[-1]] = add(totals.get(keys[-1], 0), whole.coef)
    kept = tuple(part for part, key in zip(form.parts, keys, strict=True) if totals[key] != 0)
    if len(kept) == len(form.parts):
        return form
    if len(kept) > 1:
        return Form("sum", kept, None, form.rows, form.cols, form.cost)
    return kept[0] if kept else zeros(form.rows, form.cols)


def _total_of_sums(form: Form) -> Form:
    """The sum of row sums, or of row means."""
    whole = total(form.parts[0])
    if form.data[0] == "sum":
        return whole
    (_, axis) = form.data[1][0]
    dim = form.parts[0].cols if axis == 1 else form.parts[0].rows
    assert dim is not None
    return form_of(product(1, [(whole, 1), (size(dim), -1)], ()))


def _boundary(links: Sequence[Form]) -> int:
    """Where an outer product stands among the links; 0 for nowhere."""
    return next((k + 1 for k in range(len(links) - 1) if links[k].cols is None), 0)


def along(form: Form, axis: int) -> Form:
    """The sums along an axis, 1 for a column of row sums, 0 for a column of column sums."""
    matrix = form if axis == 1 else turn(form)
    assert matrix.rows is not None and matrix.cols is not None
    return form_of(product(1, (), [matrix, ones(matrix.cols, None)]))


def trace(links: Sequence[Form]) -> Form:
    """The trace of a matrix product, its links turned round until they read shortest."""
    term = product(1, (), links)
    rest = list(term.links)
    cut = _boundary(rest)
    if cut:
        closed: list[tuple[Form, Number]] = [*term.scalars, (dot(merge([*rest[cut:], *rest[:cut]])), 1)]
        return form_of(product(term.coef, closed, ()))
    while len(rest) > 1 and (joined := _join(rest[-1], rest[0])) is not None:
        rest = merge([joined, *rest[1:-1]])
    if len(rest) == 1:
        made = _trace_of_one(rest[0])
    else:
        flipped = [turn(link) for link in reversed(rest)]
        sides = [side[k:] + side[:k] for side in (rest, flipped) for k in range(len(rest))]
        least = min(sides, key=lambda side: (chain_cost(side), [rank(x) for x in side]))
        made = call("tr", [chain_as_is(least)], None, None)
        if len(rest) == 2:
            made = _shorter_trace(made, least)
    return form_of(product(term.coef, [*term.scalars, (made, 1)], ()))


def chain_as_is(links: Sequence[Form]) -> Form:
    """A chain of these links, a single one as it is."""
    return links[0] if len(links) == 1 else chain(links)


def _trace_of_one(form: Form) -> Form:
    assert form.rows is not None
    if form.kind == "eye":
        return size(form.rows)
    if form.kind == "diagm":
        return total(form.parts[0])
    if form.kind == "turned" or (form.kind == "atom" and form.data[1]):
        form = turn(form)
    if form.kind == "had" or _of_entries(form):
        return total(diag(form))  # `tr(X**2)` is read as the trace of a product
    return call("tr", [form], None, None)


def _shorter_trace(made: Form, links: Sequence[Form]) -> Form:
    """`tr(A.T @ B)` as `sum(A*B)` where that is shorter, or as short and made of entries."""
    best = made
    for left, right in ((turn(links[0]), links[1]), (links[0], turn(links[1]))):
        other = call("sum", [had([(left, 1), (right, 1)])], None, None)
        entries = any(entrywise(part) for part in (left, right))
        if (other.cost, not entries) < (best.cost, best is made and False):
            best = other
    return best


def entrywise(form: Form) -> bool:
    """Is this made entry by entry?"""
    inner = form.parts[0] if form.kind == "turned" else form
    return inner.kind in ("had", "sum") or (inner.kind == "call" and inner.data[2])


def _of_entries(form: Form) -> bool:
    """Is this a function of each entry? One along an axis that it keeps, as softmax, is of the others too."""
    return form.kind == "call" and form.data[2] and form.data[0] not in REDUCTIONS


# ------------------------------------------------------------------ entrywise products


def had(factors: Sequence[tuple[Form, Number]]) -> Form:
    """The entrywise product of powers of forms of one shape."""
    rows, cols = factors[0][0].rows, factors[0][0].cols
    if rows is None and cols is not None:
        return turn(had([(turn(form), e) for form, e in factors]))
    coef: Number = 1
    scalars: list[tuple[Form, Number]] = []
    found: dict[Form, Number] = {}
    left: list[tuple[Form, Number]] = []
    right: list[tuple[Form, Number]] = []
    diagonal: Form | None = None
    todo = list(factors)
    while todo:
        form, exponent = todo.pop(0)
        whole = isinstance(exponent, int)
        term = term_of(form)
        if (term.coef != 1 or term.scalars) and whole and (raised := power(term.coef, exponent)) is not None:
            coef = multiply(coef, raised)
            scalars += [(inner, multiply(e, exponent)) for inner, e in term.scalars]
            todo.insert(0, (form_of(Monomial(1, (), term.links)), exponent))
        elif form.kind == "had" and whole:
            todo[:0] = [(part, multiply(e, exponent)) for part, e in zip(form.parts, form.data, strict=True)]
        elif form.kind == "zeros":
            return zeros(rows, cols)
        elif form.kind == "ones":
            continue
        elif form.kind in ("eye", "diagm") and exponent == 1 and cols is not None:
            vector = form.parts[0] if form.kind == "diagm" else ones(rows, None)
            diagonal = vector if diagonal is None else had([(diagonal, 1), (vector, 1)])
        elif form.kind == "chain" and whole and cols is not None and (cut := _boundary(form.parts)):
            left.append((form_of(product(1, (), form.parts[:cut])), exponent))
            right.append((turn(form_of(product(1, (), form.parts[cut:]))), exponent))
        else:
            found[form] = add(found.get(form, 0), exponent)
    core = _had_core(found, rows, cols)
    shaped = cols is not None and (left or diagonal is not None)
    links = _scaled(core, left, right, diagonal) if shaped else [core]
    return form_of(product(coef, scalars, links))


def _had_core(found: dict[Form, Number], rows: Extent, cols: Extent) -> Form:
    kept = [(form, exponent) for form, exponent in found.items() if exponent != 0]
    for mask in (form for form, exponent in kept if exponent == 1 and _is_triangle(form)):
        inner = _had_core({form: e for form, e in kept if form != mask}, rows, cols)
        if inner.kind != "ones":
            offset = [value for _, value in (mask if mask.kind == "call" else mask.parts[0]).data[1]]
            if mask.kind == "call":
                return call("tril", [inner], rows, cols, tuple((None, value) for value in offset))
            return call("triu", [inner], rows, cols, tuple((None, -value) for value in offset))
    return powers(kept) if kept else ones(rows, cols)


def _is_triangle(form: Form) -> bool:
    inner = form.parts[0] if form.kind == "turned" else form
    return inner.kind == "call" and inner.data[0] == "tril" and inner.parts[0].kind == "ones"


def _scaled(
    core: Form, left: list[tuple[Form, Number]], right: list[tuple[Form, Number]], diagonal: Form | None
) -> list[Form]:
    """An entrywise product with outer products as row and column scaling, with a diagonal as a diagonal."""
    if diagonal is not None:
        vector = had([*left, *right, (diagonal, 1), (diag(core), 1)])
        return [diagm(vector)]
    over, under = had(left), had(right)
    if core.kind == "ones":
        return [over, turn(under)]
    return [part for part in (diagm(over), core, diagm(under)) if part.kind != "eye"]


def diag(form: Form) -> Form:
    """The diagonal of a square matrix, as a column."""
    term = term_of(form)
    cut = _boundary(term.links)
    if cut:
        left = form_of(product(1, (), term.links[:cut]))
        right = turn(form_of(product(1, (), term.links[cut:])))
        made = had([(left, 1), (right, 1)])
    elif len(term.links) == 1 and term.links[0].kind in ("diagm", "eye", "ones"):
        core = term.links[0]
        made = core.parts[0] if core.kind == "diagm" else ones(core.rows, None)
    elif len(term.links) == 1 and _of_entries(term.links[0]):
        core = term.links[0]
        parts = [part if part.scalar else diag(part) for part in core.parts]
        made = call(core.data[0], parts, core.rows, None, core.data[1], entrywise=core.data[2])
    elif len(term.links) == 1 and term.links[0].kind == "had":
        core = term.links[0]
        made = had([(diag(part), e) for part, e in zip(core.parts, core.data, strict=True)])
    else:
        links = list(term.links)
        scaling: list[tuple[Form, Number]] = []
        while len(links) > 1 and links[0].kind == "diagm":
            scaling.append((links.pop(0).parts[0], 1))
        while len(links) > 1 and links[-1].kind == "diagm":
            scaling.append((links.pop().parts[0], 1))
        core = chain_as_is(links)
        other = turn(core)
        core = min((core, other), key=lambda side: (side.cost, side.digest))
        made = had([*scaling, (call("diag", [core], core.rows, None), 1)])
    return form_of(product(term.coef, term.scalars, [made]))
