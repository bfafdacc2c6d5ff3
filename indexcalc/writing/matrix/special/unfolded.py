"""Tensors of more than two axes in matrix notation: unfoldings beside Khatri-Rao and Kronecker products.

The move `unfold_one` takes a named tensor out of a network where all its axes but one lead to one other point, or to
the axes of another named tensor: `T_ijk B_jr C_kr` is `unfold(T, 0) @ khatri_rao(C, B)`, and `T_ijk B_jb C_kc G_abc`
is `unfold(T, 0) @ kron(C, B) @ unfold(G, 0).T`.

T. Kolda, B. Bader, Tensor decompositions and applications, SIAM Review 51, 2009.
"""

from __future__ import annotations

from typing import NamedTuple

from indexcalc.index import Dimension
from indexcalc.writing.matrix.factor import kron
from indexcalc.writing.matrix.form import Form
from indexcalc.writing.matrix.forms import call, form_of, turn
from indexcalc.writing.matrix.multiply import diagm, product
from indexcalc.writing.matrix.network import Label, Network, Wide, vec


class Opened(NamedTuple):
    """A named tensor with one axis as rows: what is written for it, and the labels of its columns, outermost first."""

    form: Form
    row: Label
    columns: tuple[Label, ...]


def unfold_one(network: Network) -> bool:
    """Writes one tensor by an unfolding, as a line or a weight of the network; says whether there was one."""
    for wide in network.wide:
        for mode in range(len(wide.labels) if wide.form is not None else 0):
            opened = _opened(network, wide, mode)
            if opened is not None and (_to_a_point(network, wide, opened) or _to_another(network, wide, opened)):
                return True
    return False


def _opened(network: Network, wide: Wide, mode: int) -> Opened | None:
    """A tensor with this axis as rows, if all its labels are different, and the others are summed."""
    columns = tuple(label for axis, label in reversed(list(enumerate(wide.labels))) if axis != mode)
    if len(set(wide.labels)) < len(wide.labels) or any(label in network.keep for label in columns):
        return None
    assert wide.form is not None
    sizes = [network.dims[label] for label in columns]
    made = call("unfold", [wide.form], network.dims[wide.labels[mode]], _product(sizes), ((None, mode),))
    return Opened(made, wide.labels[mode], columns)


def _product(sizes: list[Dimension]) -> Dimension:
    total: Dimension = 1
    for size in sizes:
        total = total * size
    return total


def _others(network: Network, *own: Wide) -> set[Label]:
    """The labels of the other tensors of more than two axes."""
    rest = [other for other in network.wide if all(other is not one for one in own)]
    return {label for other in rest for label in other.labels}


def _lead(network: Network, label: Label) -> tuple[Label, Form] | None:
    """The one point to which a line leads from here, and the matrix with this label for rows; None for no such line."""
    lines = network.lines[label]
    if len(lines) != 1:
        return None
    ((end, forms),) = lines.items()
    if len(forms) != 1:
        return None
    scaled = [diagm(network.weight(label)), forms[0]] if network.weights[label] else [forms[0]]
    return end, form_of(product(1, (), scaled))


def _take(network: Network, wides: list[Wide], gone: set[Label]) -> None:
    """Tensors go, with labels that are summed in them."""
    network.wide[:] = [wide for wide in network.wide if not any(wide is one for one in wides)]
    for label in gone:
        network.drop(label)


def _to_a_point(network: Network, wide: Wide, opened: Opened) -> bool:
    """Do all columns lead to one point, or to vectors? Then the tensor is a matrix, or a vector."""
    if not _others(network, wide).isdisjoint(opened.columns):
        return False
    if (joined := _joined(network, opened.columns)) is not None:
        _take(network, [wide], set(opened.columns))
        network.add(form_of(product(1, (), [opened.form, joined])), [opened.row])
        return True
    leads = {label: _lead(network, label) for label in opened.columns}
    if any(lead is None and network.lines[label] for label, lead in leads.items()):
        return False
    ends = {lead[0] for lead in leads.values() if lead is not None}
    if len(ends) > 1 or not ends.isdisjoint(wide.labels):
        return False
    made: Form | None = None
    wide_yet = False
    for label, lead in leads.items():
        form = network.weight(label) if lead is None else lead[1]
        both = wide_yet and lead is not None
        if made is None:
            made = form
        elif both:
            assert made.rows is not None and form.rows is not None
            made = call("khatri_rao", [made, form], made.rows * form.rows, form.cols)
        else:
            made = kron(made, form)
        wide_yet |= lead is not None
    assert made is not None
    _take(network, [wide], set(opened.columns))
    network.add(form_of(product(1, (), [opened.form, made])), [opened.row, *ends])
    return True


def _joined(network: Network, columns: tuple[Label, ...]) -> Form | None:
    """The vec of the matrix between two columns that lead to each other; None where they don't."""
    if len(columns) != 2 or any(len(network.lines[label]) != 1 for label in columns):
        return None
    outer, inner = columns
    return vec(network.block(inner, outer)) if inner in network.lines[outer] else None


def _to_another(network: Network, wide: Wide, opened: Opened) -> bool:
    """Do the columns lead to those of another tensor, in the same order? Then a matrix lies between their rows."""
    for other in network.wide:
        if other is wide or other.form is None or len(other.labels) != len(wide.labels):
            continue
        for mode in range(len(other.labels)):
            far = _opened(network, other, mode)
            if far is not None and not _others(network, wide, other).isdisjoint((*opened.columns, *far.columns)):
                continue
            if far is None or far.row in (opened.row, *opened.columns) or opened.row in far.columns:
                continue
            between = [_between(network, *pair) for pair in zip(opened.columns, far.columns, strict=True)]
            if any(form is None for form in between):
                continue
            links = [form for form in between if form is not None and form.kind != "eye"]
            if links and len(links) < len(between):
                links = [form for form in between if form is not None]
            _take(network, [wide, other], {*opened.columns, *far.columns})
            middle = [_kron(links)] if links else []
            network.add(form_of(product(1, (), [opened.form, *middle, turn(far.form)])), [opened.row, far.row])
            return True
    return False


def _between(network: Network, one: Label, other: Label) -> Form | None:
    """The matrix between a column of each of two tensors: the unit matrix where it is the same one."""
    if one == other:
        return network.block(one, one) if not network.lines[one] else None
    lead = _lead(network, one)
    alone = len(network.lines[other]) == 1
    if lead is None or lead[0] != other or not alone:
        return None
    scaled = [lead[1], diagm(network.weight(other))] if network.weights[other] else [lead[1]]
    return form_of(product(1, (), scaled))


def _kron(forms: list[Form]) -> Form:
    made = forms[0]
    for form in forms[1:]:
        made = kron(made, form)
    return made
