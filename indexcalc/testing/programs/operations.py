"""What random programs are made of: one row an operation, its text in the library and in NumPy beside each other.

Functions are no rows here: those of the table of functions are read from it, so a new one is drawn at once. Functions
of matrices, which ask more of their arguments, stand with what they ask.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from indexcalc.functions.table import ELEMENTWISE, EVERYWHERE, REAL, REDUCTIONS, ElementwiseFunction, ReductionFunction

PARAMETER = 3
"""The value of every parameter: an order, a power, a norm."""


Axis = str | int
Shape = tuple[Axis, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: the axes of its value and of its arguments, and how both sides write it.

    Axes are letters that stand for dimensions, integers, or products and sums of letters; "*" is any shape. After a
    colon stands what an argument has to be: "positive", "tame" (between -1 and 1), "regular" (well conditioned),
    "definite", "apart" (with singular values apart), "of n" (integers that choose entries of an axis n), or an
    interval. `ours` and `theirs` have the arguments as `{0}`, `{1}`, and
    dimensions by their letters. `theirs` is NumPy's text with `{np}` for its module, and `rows[name]` for a function of
    the table.
    """

    name: str
    shape: str
    arguments: tuple[str, ...]
    ours: str
    theirs: str
    weight: float = 1.0


ANY = (
    Operation("add", "*", ("*", "*"), "({0} + {1})", "{0} + {1}", 1.5),
    Operation("subtract", "*", ("*", "*"), "({0} - {1})", "{0} - {1}"),
    Operation("affine", "*", ("*", "*"), "(2*{0} - {1}/4 + 1)", "2*{0} - {1}/4 + 1"),
    Operation("multiply", "*", ("*", "*"), "{0}*{1}", "{0}*{1}", 1.5),
    Operation("hadamard", "*", ("*", "*"), "ic.hadamard({0}, {1})", "{0}*{1}", 0.5),
    Operation("scale", "*", ("*", ""), "{0}*{1}", "{0}*{1}"),
    Operation("divide", "*", ("*", "*:positive"), "{0}/{1}", "{0}/{1}"),
    Operation("square", "*", ("*",), "{0}**2", "{0}**2"),
    Operation("cube", "*", ("*",), "{0}**3", "{0}**3", 0.5),
    Operation("root", "*", ("*:positive",), "ic.sqrt({0})", "{0}**0.5"),
    Operation("reciprocal", "*", ("*:positive",), "1/{0}", "1/{0}"),
    Operation("choice", "*", ("*", "*", "*"), "ic.where({0} > 0.25, {1}, 3*{2})", "{np}.where({0} > 0.25, {1}, 3*{2})"),
    Operation("define", "*", ("*",), "ic.define({fresh!r}, {0})", "{0}", 2.0),
)  # fmt: skip
"""Operations that keep the shape, in both notations."""

SCALARS = (
    Operation("sum", "", ("m n",), "ic.sum({0})", "{np}.sum({0})"),
    Operation("mean", "", ("m",), "ic.mean({0})", "{np}.mean({0})", 3.0),
    Operation("trace", "", ("n n",), "ic.tr({0})", "{np}.trace({0})", 1.5),
    Operation("inner", "", ("n", "n"), "({0} @ {1})", "{0} @ {1}", 2.0),
    Operation("standing", "", ("n", "n m", "m"), "(ic.row({0}) @ {1} @ ic.column({2}))", "{0} @ {1} @ {2}"),
    Operation("trace of a product", "", ("m n", "m n"), "ic.tr({0}.T @ {1})", "{np}.sum({0}*{1})"),
    Operation("determinant", "", ("n n:regular",), "ic.det({0})", "{np}.linalg.det({0})", 4.0),
    Operation("log determinant", "", ("n n:regular",), "ic.logdet({0})", "{np}.linalg.slogdet({0})[1]", 4.0),
    Operation("nuclear norm", "", ("n n:apart",), "ic.norm_nuc({0})",
              "{np}.sum({np}.linalg.svd({0}, compute_uv=False))", 8.0),
    Operation("normF", "", ("m n:positive",), "ic.normF({0})", "{np}.sum({0}**2)**0.5"),
    Operation("entry", "", ("m n",), "{0}[0, -1]", "{0}[0, -1]"),
    Operation("entry of a slice", "", ("m n",), "{0}[::-1, 0][-1]", "{0}[0, 0]", 0.5),
    Operation("call", "", ("n m",), "ic.function({fresh!r}, '{n} {m} ->')({0})", "smooth[{fresh!r}]({0})", 2.0),
)  # fmt: skip

VECTORS = (
    Operation("matrix by vector", "m", ("m n", "n"), "({0} @ {1})", "{0} @ {1}", 2.0),
    Operation("vector by matrix", "m", ("n", "n m"), "({0} @ {1})", "{0} @ {1}"),
    Operation("sum of rows", "m", ("n m",), "ic.sum({0}, axis=0)", "{np}.sum({0}, 0)"),
    Operation("mean of a row", "m", ("m n",), "ic.mean({0}, axis=1)", "{np}.mean({0}, 1)"),
    Operation("diagonal", "m", ("m m",), "ic.diag({0})", "{np}.diagonal({0})"),
    Operation("solve", "m", ("m m:regular", "m"), "ic.solve({0}, {1})", "{np}.linalg.solve({0}, {1})"),
    Operation("eigenvalues", "m", ("m m:apart",), "ic.eigvalsh({0})", "{np}.linalg.eigvalsh(({0} + {0}.T)/2)", 6.0),
    Operation("singular values", "m", ("m m:apart",), "ic.svdvals({0})", "{np}.linalg.svd({0}, compute_uv=False)", 5.0),
    Operation("cross", "3", ("3", "3"), "ic.cross({0}, {1})", "{np}.cross({0}, {1})", 4.0),
    Operation("first row", "m", ("n m",), "{0}[0]", "{0}[0]"),
    Operation("last column", "m", ("m n",), "{0}[:, -1]", "{0}[:, -1]"),
    Operation("slice", "m", ("m+1",), "{0}[1:]", "{0}[1:]", 2.0),
    Operation("all but the last", "m", ("m+1",), "{0}[:-1]", "{0}[:-1]", 2.0),
    Operation("middle", "2", ("m+2",), "{0}[1:3]", "{0}[1:3]"),
    Operation("strided", "m", ("2*m",), "{0}[1::2]", "{0}[1::2]", 2.0),
    Operation("strided backwards", "m", ("2*m",), "{0}[::-2]", "{0}[::-2]", 2.0),
    Operation("reversed", "m", ("m",), "{0}[::-1]", "{0}[::-1]", 2.0),
    Operation("picked", "3", ("m",), "{0}[[0, -1, 0]]", "{0}[{np}.array([0, -1, 0])]", 3.0),
    Operation("entries chosen", "m", ("n", "m:of n"), "{0}[{1}]", "{0}[{1}]", 3.0),
    Operation("entry of each row", "m", ("m n", "m:of n"), "ic.take_along_axis({0}, {1}[:, None], 1)[:, 0]",
              "{np}.take_along_axis({0}, {1}[:, None], 1)[:, 0]", 2.0),
    Operation("entries of rows and columns", "m", ("k n", "m:of k", "m:of n"), "{0}[{1}, {2}]", "{0}[{1}, {2}]", 2.0),
    Operation("roll", "m", ("m",), "ic.roll({0}, 1)", "{np}.roll({0}, 1)", 2.0),
    Operation("cumulative sum", "m", ("m",), "ic.cumsum({0})", "{np}.cumsum({0})", 2.0),
    Operation("cumulative product", "m", ("m",), "ic.cumprod({0})", "{np}.cumprod({0})", 3.0),
    Operation("in the order of another", "m", ("m", "m"), "{0}[ic.argsort({1})]", "{0}[{np}.argsort({1})]", 2.0),
    Operation("concatenate", "p+q", ("p", "q"), "ic.concatenate([{0}, {1}])", "{np}.concatenate([{0}, {1}])", 3.0),
    Operation("concatenate", "3", ("1", "2"), "ic.concatenate([{0}, {1}])", "{np}.concatenate([{0}, {1}])"),
    Operation("tile", "2*m", ("m",), "ic.tile({0}, 2)", "{np}.tile({0}, 2)", 2.0),
    Operation("split", "m", ("2*m",), "ic.split({0}, 2)[1]", "{np}.split({0}, 2)[1]", 2.0),
    Operation("convolve", "p+q", ("p", "q+1"), "ic.convolve({0}, {1})", "{np}.convolve({0}, {1})", 2.0),
    Operation("correlate", "m", ("m+n", "n+1"), "ic.correlate({0}, {1})", "{np}.correlate({0}, {1}, 'valid')", 3.0),
    Operation("max-pool", "m", ("2*m",),
              "(lambda t, w: ic.max({0}[2*t + w], w).array(t))(ic.range({m!r}, 't'), ic.range(2, 'w'))",
              "{np}.max({np}.reshape({0}, ({m}, 2)), 1)", 2.0),
    Operation("vech", "3", ("2 2",), "ic.vech({0})", "{np}.stack([{0}[0, 0], {0}[1, 0], {0}[1, 1]])", 4.0),
    Operation("vec", "p*q", ("q p",), "ic.vec({0})", "{np}.reshape({0}.T, -1)", 8.0),
    Operation("vec by rows", "p*q", ("p q",), "ic.vec({0}, order='C')", "{np}.reshape({0}, -1)", 8.0),
    Operation("kron of vectors", "p*q", ("p", "q"), "ic.kron({0}, {1})", "{np}.kron({0}, {1})", 8.0),
    Operation("call", "m", ("n",), "ic.function({fresh!r}, '{n} -> {m}')({0})", "smooth[{fresh!r}]({0})", 2.0),
    Operation("det of a batch", "m", ("m n n:tame",), "ic.det(3*ic.eye({n!r}) + {0}/2)",
              "{np}.linalg.det(3*{np}.eye({n}) + {0}/2)"),
    Operation("trace of a batch", "m", ("m n n",), "ic.tr({0})", "{np}.trace({0}, axis1=1, axis2=2)"),
)  # fmt: skip

MATRICES = (
    Operation("matmul", "m n", ("m k", "k n"), "({0} @ {1})", "{0} @ {1}", 3.0),
    Operation("turned", "m n", ("n m",), "{0}.T", "{0}.T", 1.5),
    Operation("gram", "n n", ("m n",), "({0}.T @ {0})", "{0}.T @ {0}"),
    Operation("outer", "m n", ("m", "n"), "ic.outer({0}, {1})", "{np}.outer({0}, {1})"),
    Operation("column by row", "m n", ("m", "n"), "(ic.column({0}) @ ic.row({1}))", "{np}.outer({0}, {1})"),
    Operation("spread rows", "m n", ("m n", "n"), "({0} - {1})", "{0} - {1}"),
    Operation("spread columns", "m n", ("m n", "m"), "{0}*{1}[:, None]", "{0}*{1}[:, None]"),
    Operation("diagonal matrix", "n n", ("n",), "ic.diagm({0})", "{np}.diag({0})"),
    Operation("upper triangle", "m n", ("m n",), "ic.triu({0}, 1)", "{np}.triu({0}, 1)"),
    Operation("lower triangle", "m n", ("m n",), "ic.tril({0})", "{np}.tril({0})"),
    Operation("strict triangle", "m n", ("m n",), "ic.tril({0}, -1)", "{np}.tril({0}, -1)"),
    Operation("identity", "n n", ("n n",), "(3*ic.eye({n!r}) - {0})", "3*{np}.eye({n}) - {0}"),
    Operation("ones", "m n", ("m n",), "(ic.ones({m!r}, {n!r}) - {0})", "1 - {0}"),
    Operation("unit", "m n", ("m n",), "(ic.unit(0, 0, {m!r}, {n!r}) + {0})",
              "{np}.zeros(({m}, {n})) + {np}.outer({np}.arange({m}) == 0, {np}.arange({n}) == 0) + {0}"),
    Operation("symmetric part", "n n", ("n n",), "ic.sym({0})", "({0} + {0}.T)/2"),
    Operation("inverse", "n n", ("n n:regular",), "ic.inv({0})", "{np}.linalg.inv({0})", 6.0),
    Operation("cofactors", "n n", ("n n:regular",), "ic.cofactor({0})",
              "{np}.linalg.det({0})*{np}.linalg.inv({0}).T", 8.0),
    Operation("adj", "n n", ("n n:regular",), "ic.adj({0})", "{np}.linalg.det({0})*{np}.linalg.inv({0})"),
    Operation("pinv", "m n", ("n m:leaf",), "ic.pinv({0})", "{np}.linalg.pinv({0})", 9.0),
    Operation("polar factor", "n n", ("n n:apart",), "ic.polar({0})",
              "(lambda usv: usv[0] @ usv[2])({np}.linalg.svd({0}))", 9.0),
    Operation("solve", "m n", ("m m:regular", "m n"), "ic.solve({0}, {1})", "{np}.linalg.solve({0}, {1})"),
    Operation("power of a matrix", "n n", ("n n:tame",), "ic.matrix_power({0}, 'b')",
              "{np}.linalg.matrix_power({0}, b)", 9.0),
    Operation("square", "n n", ("n n:tame",), "ic.matrix_power({0}, 2)", "{np}.linalg.matrix_power({0}, 2)", 0.5),
    Operation("Cholesky factor", "n n", ("n n:definite",), "ic.cholesky({0})",
              "{np}.linalg.cholesky(({0} + {0}.T)/2)", 7.0),
    Operation("exponential", "n n", ("n n:tame",), "ic.expm({0}/2)", "rows['expm']({0}/2)", 8.0),
    Operation("sine of a matrix", "n n", ("n n:tame",), "ic.sinm({0}/2)", "rows['sinm']({0}/2)", 9.0),
    Operation("cosine of a matrix", "n n", ("n n:tame",), "ic.cosm({0}/2)", "rows['cosm']({0}/2)", 7.0),
    Operation("square root", "n n", ("n n:leaf definite",), "ic.sqrtm(ic.sym({0}))",
              "rows['sqrtm'](({0} + {0}.T)/2)", 9.0),
    Operation("logarithm", "n n", ("n n:leaf definite",), "ic.logm(ic.sym({0}))", "rows['logm'](({0} + {0}.T)/2)", 9.0),
    Operation("eigenvectors", "n n", ("n n:apart",),
              "(lambda w, V: V @ ic.diagm(ic.sin(w)) @ V.T)(*ic.eigh({0}))",
              "(lambda w, V: (V*{np}.sin(w)) @ V.T)(*{np}.linalg.eigh(({0} + {0}.T)/2))", 14.0),
    Operation("singular vectors", "n n", ("n n:apart",),
              "(lambda U, s, Vt: U @ ic.diagm(ic.sin(s)) @ Vt)(*ic.svd({0}))",
              "(lambda U, s, Vt: (U*{np}.sin(s)) @ Vt)(*{np}.linalg.svd({0}))", 12.0),
    Operation("squared eigenvectors", "n n", ("n n:apart",), "ic.eigh({0})[1]**2",
              "{np}.linalg.eigh(({0} + {0}.T)/2)[1]**2", 14.0),
    Operation("squared singular vectors", "n n", ("n n:apart",), "(ic.svd({0})[0]*ic.svd({0})[0]).T",
              "({np}.linalg.svd({0})[0]**2).T", 9.0),
    Operation("kron", "p*q r*s", ("p r", "q s"), "ic.kron({0}, {1})", "{np}.kron({0}, {1})", 8.0),
    Operation("khatri_rao", "p*q n", ("p n", "q n"), "ic.khatri_rao({0}, {1})",
              "{np}.reshape({0}[:, None, :]*{1}[None, :, :], (-1, {n}))", 8.0),
    Operation("unvec", "m n", ("n*m",), "ic.unvec({0}, {m!r}, {n!r})", "{np}.reshape({0}, ({n}, {m})).T", 2.0),
    Operation("commuted", "p*q n", ("p*q n",), "(ic.commutation({p!r}, {q!r}) @ {0})",
              "{np}.reshape({np}.swapaxes({np}.reshape({0}, ({q}, {p}, -1)), 0, 1), ({p}*{q}, -1))", 6.0),
    Operation("one of a batch", "m n", ("k m n",), "{0}[0]", "{0}[0]"),
    Operation("sum of a batch", "m n", ("k m n",), "ic.sum({0}, axis=0)", "{np}.sum({0}, 0)"),
    Operation("rows of a slice", "m n", ("m+1 n",), "{0}[1:]", "{0}[1:]", 2.0),
    Operation("columns of a slice", "m n", ("m n+1",), "{0}[:, :-1]", "{0}[:, :-1]", 2.0),
    Operation("rows strided backwards", "m n", ("2*m n",), "{0}[::-2]", "{0}[::-2]", 2.0),
    Operation("turned about", "m n", ("m n",), "{0}[::-1, ::-1]", "{0}[::-1, ::-1]", 2.0),
    Operation("columns picked", "m 3", ("m n",), "{0}[:, [0, -1, 0]]", "{0}[:, {np}.array([0, -1, 0])]", 4.0),
    Operation("rows chosen", "m n", ("k n", "m:of k"), "{0}[{1}]", "{0}[{1}]", 3.0),
    Operation("one_hot", "m n", ("m:of n", "m n"), "(ic.one_hot({0}, {n!r}) - {1})",
              "(({0} % {n})[:, None] == {np}.arange({n})) - {1}", 2.0),
    Operation("rolled columns", "m n", ("m n",), "ic.roll({0}, -1, axis=1)", "{np}.roll({0}, -1, 1)", 2.0),
    Operation("cumulative rows", "m n", ("m n",), "ic.cumsum({0}, axis=0)", "{np}.cumsum({0}, 0)", 2.0),
    Operation("products of a row", "m n", ("m n",), "ic.cumprod({0}, axis=1)", "{np}.cumprod({0}, 1)", 3.0),
    Operation("stack", "2 n", ("n", "n"), "ic.stack([{0}, {1}])", "{np}.stack([{0}, {1}])", 4.0),
    Operation("stack of columns", "m 2", ("m", "m"), "ic.stack([{0}, {1}], axis=1)", "{np}.stack([{0}, {1}], 1)", 4.0),
    Operation("rows put together", "p+q n", ("p n", "q n"), "ic.concatenate([{0}, {1}])",
              "{np}.concatenate([{0}, {1}])", 4.0),
    Operation("block", "p+q p+q", ("p p", "p q", "q p", "q q"), "ic.block([[{0}, {1}], [{2}, {3}]])",
              "{np}.block([[{0}, {1}], [{2}, {3}]])", 4.0),
    Operation("bordered", "n+1 n+1", ("n n", "n", ""), "ic.block([[{0}, {1}[:, None]], [{1}[None], {2}]])",
              "{np}.block([[{0}, {1}[:, None]], [{1}[None], {2}]])", 4.0),
)  # fmt: skip

BATCHES = (
    Operation("batch by batch", "k m n", ("k m p", "k p n"), "({0} @ {1})", "{0} @ {1}", 2.0),
    Operation("batch by matrix", "k m n", ("k m p", "p n"), "({0} @ {1})", "{0} @ {1}"),
    Operation("batch and matrix", "k m n", ("k m n", "m n"), "({0}*{1} - {1})", "{0}*{1} - {1}"),
    Operation("turned batch", "k m n", ("k n m",), "{0}.mT", "{np}.swapaxes({0}, 1, 2)"),
    Operation("inv of a batch", "k n n", ("k n n:tame",), "ic.inv(3*ic.eye({n!r}) + {0}/2)",
              "{np}.linalg.inv(3*{np}.eye({n}) + {0}/2)"),
    Operation("slices of a batch", "k m n", ("k m+1 n",), "{0}[:, 1:]", "{0}[:, 1:]"),
    Operation("batch turned about", "k m n", ("k m n",), "{0}[::-1]", "{0}[::-1]"),
    Operation("rolled batch", "k m n", ("k m n",), "ic.roll({0}, 1, axis=1)", "{np}.roll({0}, 1, 1)"),
    Operation("cumulative batch", "k m n", ("k m n",), "ic.cumsum({0}, axis=2)", "{np}.cumsum({0}, 2)"),
    Operation("matrices chosen", "k m n", ("p m n", "k:of p"), "{0}[{1}]", "{0}[{1}]"),
    Operation("stack of matrices", "2 m n", ("m n", "m n"), "ic.stack([{0}, {1}])", "{np}.stack([{0}, {1}])"),
    Operation("lower triangles", "k m n", ("k m n",), "ic.tril({0})", "{np}.tril({0})"),
)  # fmt: skip


@cache
def of_table() -> tuple[Operation, ...]:
    """The functions of entries of the table, as operations of any shape.

    >>> next(row.ours for row in of_table() if row.name == "sin")
    'ic.sin({0})'
    """
    return tuple(_entrywise(row) for row in ELEMENTWISE.values())


def _entrywise(row: ElementwiseFunction) -> Operation:
    places = ", ".join(f"{{{a}}}" for a in range(row.arity))
    if row.arity == 3:  # the first argument is a condition, which both holds and does not
        places = places.replace("{0}", "{0} > 0.25")
    everywhere = row.condition or row.domain == EVERYWHERE
    asked = tuple("*" if everywhere or bounds == REAL else f"*:{bounds[0]} {bounds[1]}" for bounds in row.inputs)
    params = f"{PARAMETER}, " * len(row.params)
    weight = 1.0 if any(row.rules) else 0.5  # one without slopes hides those of all that it is of
    return Operation(row.name, "*", asked, f"ic.{row.name}({params}{places})", f"rows[{row.name!r}]({places})", weight)


@cache
def reductions(order: int) -> tuple[Operation, ...]:
    """The reductions of the table whose value has this order: of all axes, of one, with the axis kept, and of batches.

    >>> [row.ours for row in reductions(1) if row.name == "softmax"]
    ['ic.softmax({0}, axis=0)']
    """
    found = []
    for row in REDUCTIONS.values():
        if row.public and row.axes < 2:
            found += list(_along(row, order))
    return tuple(found)


def _along(row: ReductionFunction, order: int) -> Iterator[Operation]:
    asked = "" if row.domain.startswith(EVERYWHERE) else ":positive"
    params = f"{PARAMETER}, " * len(row.params)
    ours, theirs = f"ic.{row.name}({{0}}, {params}axis=", f"rows[{row.name!r}]({{0}}, "
    letters = "kmn"[3 - order :]
    if row.keeps:
        for axis in range(order):
            yield Operation(row.name, " ".join(letters), (" ".join(letters) + asked,), f"{ours}{axis})",
                            f"{theirs}({axis},))", 1 / order)  # fmt: skip
        return
    if order == 0:
        if not row.axes:
            yield Operation(row.name, "", ("m n" + asked,), f"{ours}(0, 1))", f"{theirs}(0, 1))")
        yield Operation(row.name, "", ("n" + asked,), f"{ours}0)", f"{theirs}(0,))")
    for axis in range(order + 1) if 0 < order < 3 else ():
        axes = [*letters[:axis], "q", *letters[axis:]]
        yield Operation(row.name, " ".join(letters), (" ".join(axes) + asked,), f"{ours}{axis})",
                        f"{theirs}({axis},))", 1 / (order + 1))  # fmt: skip
    if order == 2:
        kept = f"{ours}1, keepdims=True)"
        yield Operation(f"{row.name} kept", "m n", ("m n" + asked,), f"({{0}} - {kept})",
                        f"{{0}} - {theirs}(1,))[:, None]", 0.3)  # fmt: skip


@cache
def operations(order: int) -> tuple[Operation, ...]:
    """All operations whose value has this order, those that keep any shape among them.

    >>> {row.name for row in operations(1)} >= {"cross", "sin", "logsumexp", "define"}
    True
    """
    own = (SCALARS, VECTORS, MATRICES, BATCHES)[order]
    return tuple(row for row in (*ANY, *of_table(), *reductions(order), *own) if row.weight)


@cache
def features() -> tuple[tuple[Operation, ...], ...]:
    """The operations of which each program has one: functions of entries, reductions, and the others.

    >>> [rows[0].name for rows in features()]
    ['exp', 'max', 'sum']
    """
    own = tuple(row for rows in (SCALARS, VECTORS, MATRICES, BATCHES) for row in rows)
    return of_table(), tuple(row for order in range(3) for row in reductions(order)), own


def matched(pattern: str, shape: Shape) -> dict[str, Axis] | None:
    """What each letter of a pattern stands for where the shape is this, or None where it is not of the pattern.

    >>> matched("n n", ("a", "a")), matched("p*q", ("a*b",)), matched("n n", ("a", "b"))
    ({'n': 'a'}, {'p': 'a', 'q': 'b'}, None)
    >>> matched("p+q", ("a+1",)), matched("n+1", ("a+b",)), matched("p*q", ("a*b+1",))
    ({'p': 'a', 'q': 1}, None, None)
    """
    found: dict[str, Axis] = {}
    axes = pattern.split()
    if len(axes) != len(shape):
        return None
    for word, axis in zip(axes, shape, strict=True):
        sign = next((sign for sign in "+*" if sign in word), "")
        parts, values = ([*map(axis_of, str(one).split(sign))] if sign else [axis_of(one)] for one in (word, axis))
        if len(values) != len(parts) or (sign == "*" and "+" in str(axis)):
            return None
        for part, value in zip(parts, values, strict=True):
            if value != (part if isinstance(part, int) else found.setdefault(part, value)):
                return None
    return found


def axis_of(text: Axis) -> Axis:
    """An axis that is written as text.

    >>> axis_of("3"), axis_of("a")
    (3, 'a')
    """
    return int(text) if str(text).isdigit() else text


def filled(pattern: str, letters: Mapping[str, Axis]) -> Shape:
    """The shape of a pattern.

    >>> filled("q p 3 p*q q+1", {"p": "a", "q": "b"}), filled("m+1", {"m": 3})
    (('b', 'a', 3, 'a*b', 'b+1'), (4,))
    """
    shape: list[Axis] = []
    for word in pattern.split():
        text = "".join(str(letters.get(sign, sign)) for sign in word)
        whole = set(text) <= set("0123456789+*")
        shape.append(eval(compile(text, "<axis>", "eval")) if whole else text)
    return tuple(shape)
