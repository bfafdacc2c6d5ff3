"""Generated source: it runs unedited, for any sizes, has the numbers of a compiled program, and its names are valid."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import matrix_programs
import numpy as np
import programs
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import indexcalc as ic
from indexcalc.engine.bind.constants import CONSTANTS, known, known_code
from indexcalc.engine.emit.source.targets import MASKED, TARGETS

RNG = np.random.default_rng(11)
FRESH = {name: ic.index(name) for name in "efghuv"}
MAKE = {"numpy": np.asarray, "jax": jnp.asarray, "torch": torch.tensor, "for sizes": np.asarray}


def made(text: str, name: str = "program") -> Any:
    """The function of a text."""
    assert "indexcalc" not in text
    space: dict[str, Any] = {}
    exec(text, space)
    return space[name]


def close(ours: Any, theirs: Any, fine: float = 1e-9) -> bool:
    """Equal within rounding where there are numbers."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    exists = np.isfinite(theirs)
    scale = max(1.0, np.max(np.abs(theirs[exists]), initial=0.0))
    return bool(np.all(np.abs(ours - theirs)[exists] <= fine * scale))


def runs(target: str, text: str, arrays: list[Any]) -> list[Any]:
    """What the function of a text gives, as NumPy arrays; NumPy's warnings of overflow apart."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        return [np.asarray(value) for value in made(text)(*map(MAKE[target], arrays))]


# ------------------------------------------------------------------ random graphs


def agrees(seed: int, targets: Any = TARGETS) -> None:
    """The text of a random expression and its derivatives has the numbers of the compiled program, at two sizes."""
    rng = random.Random(seed)
    twin = programs.program(rng, 1 + seed % 4)
    by = []
    for names in ("efg", "huv"):
        label = rng.choice(list(programs.SHAPES))
        own = tuple(FRESH[name] for name in names)[: len(programs.SHAPES[label].split())]
        by.append(programs.TENSORS[label][own] if own else programs.TENSORS[label])
    slope = twin.expr.diff(by[0])
    outputs = [twin.expr, slope, slope.diff(by[1])]
    names = sorted({variable.label for view in outputs for variable in view.inputs})
    texts = {target: ic.to_source(outputs, names, target=target) for target in targets}
    if "numpy" in targets:
        planned = {symbol: rng.choice([2, 3, 30, 70]) for symbol in "abc"}
        texts["for sizes"] = for_sizes(outputs, names, planned)
    for sizes in (programs.sizes(rng), dict.fromkeys("abc", rng.choice([1, 3]))):
        values = programs.arrays(rng, sizes)
        fixed = {symbol for name in names for symbol in programs.SHAPES[name].split()}
        if fixed != {s for view in outputs for s in "abc" if s in str([v.dims for v in view.inputs])}:
            return
        wanted = ic.compile(outputs, names)(*[values[name] for name in names])
        for target, text in texts.items():
            got = runs(target, text, [values[name] for name in names])
            assert all(close(one, other) for one, other in zip(got, wanted, strict=True)), (target, text)


def for_sizes(outputs: Any, names: list[str], sizes: dict[str, int]) -> str:
    """The lines that run for these sizes, which are right for all."""
    needed = {symbol for view in outputs for symbol in sizes if symbol in str([v.dims for v in view.inputs])}
    return ic.to_source(outputs, names, sizes={symbol: sizes[symbol] for symbol in needed})


def targets_of(seed: int) -> list[str]:
    """All targets; JAX, which compiles each operation at each shape, for one seed in ten."""
    if not seed % 20:
        jax.clear_caches()
    return [target for target in TARGETS if target != "jax" or not seed % 10]


@pytest.mark.slow
@given(st.integers(0, 2**40))
def test_the_text_has_the_numbers_of_the_program(seed):
    agrees(seed, targets_of(seed))


def matrix_agrees(seed: int) -> None:
    """The same for a program in matrix notation; a target that lacks a function says so."""
    program = matrix_programs.Program(seed)
    twin = program.make(program.shape(), 1 + seed % 3)
    first = program.leaves[program.rng.choice(list(program.leaves))].expr
    outputs = [twin.expr, ic.derivative(twin.expr, first, structure="free")]
    names = list(program.leaves)
    used = {variable.label for view in outputs for variable in view.inputs}
    names = [name for name in names if name in used]
    draw = np.random.default_rng(seed)
    values = [program.numbers(name, draw) for name in names]
    compiled = ic.compile(outputs, names)
    fine = 1e-4 if any(value.dtype.char in "fF" for value in values) else 1e-9
    try:
        wanted = compiled(*values)
    except ic.DimensionError:  # a size that no input fixes
        return
    sizes = {symbol: program.rng.choice([2, 3, 30, 70]) for symbol in compiled.request.bound(values, {})[1]}
    for target in [*targets_of(seed), "for sizes"]:
        given = {"target": target} if target != "for sizes" else {"sizes": sizes}
        try:
            text = ic.to_source(outputs, names, **given)
        except ic.NoRuleError as error:
            if target not in str(error):
                raise
            continue
        got = runs(target, text, values)
        assert all(close(one, other, fine) for one, other in zip(got, wanted, strict=True)), (target, text)


@pytest.mark.slow
@given(st.integers(0, 2**40))
def test_matrix_programs(seed):
    matrix_agrees(seed)


@pytest.mark.slow
@given(st.integers(0, 2**40))
def test_masked_diagonals(seed):
    """The text for several devices, where diagonals are masked."""
    if seed % 10:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(TARGETS, "jax", MASKED)
        agrees(seed, ["jax"])


# ------------------------------------------------------------------ alone


X, w, y = ic.tensor("X", "n d"), ic.tensor("w", "d"), ic.tensor("y", "n")
LOSS = (ic.softplus(X @ w) - y * (X @ w)).sum()
OUTPUTS = [LOSS, ic.grad(LOSS, w), ic.hessian(LOSS, w)]
DATA = [RNG.normal(size=(6, 3)), RNG.normal(size=3), RNG.normal(size=6)]
A = ic.tensor("A", "n n")


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_a_file_runs_where_there_is_no_indexcalc(target, tmp_path):
    text = ic.to_source(OUTPUTS, (X, w, y), target=target, name="logistic")
    path = tmp_path / "logistic_file.py"
    np.savez(tmp_path / "data.npz", *DATA)
    module = {"numpy": "np", "jax": "jnp", "torch": "torch"}[target]
    run = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); sys.modules['indexcalc'] = None\n"
        f"import numpy; from logistic_file import {module}, logistic\n"
        f"data = numpy.load({str(tmp_path / 'data.npz')!r})\n"
        f"print(*[float({module}.sum(v)) for v in logistic(*[{module}.asarray(data[k]) for k in data])])"
    )
    path.write_text(text, "utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", run], capture_output=True, text=True,
        env={**os.environ, "JAX_ENABLE_X64": "1"}, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    wanted = [np.sum(value) for value in ic.compile(OUTPUTS, (X, w, y))(*DATA)]
    assert np.allclose([float(x) for x in done.stdout.split()], wanted)


def test_jax_transforms_pass_through():
    f = made(ic.to_source(LOSS, (X, w, y), target="jax"))
    value, slope, bend = ic.compile(OUTPUTS, (X, w, y))(*DATA)
    assert np.allclose(jax.jit(f)(*DATA), value)
    assert np.allclose(jax.jit(jax.grad(f, 1))(*DATA), slope)
    assert np.allclose(jax.hessian(f, 1)(*DATA), bend)
    assert jax.vmap(f, (None, 0, None))(DATA[0], np.ones((5, 3)), DATA[2]).shape == (5,)


def test_autograd_passes_through():
    f = made(ic.to_source(OUTPUTS, (X, w, y), target="torch"))
    data = [torch.tensor(value, requires_grad=True) for value in DATA]
    assert torch.autograd.gradcheck(lambda *args: tuple(f(*args)), data)


T, U, V, Z, k = (
    ic.tensor("T", "m n"), ic.tensor("U", "m k"), ic.tensor("V", "n k"), ic.tensor("Z", "b c"),
    ic.tensor("k", "b", integer=True),
)  # fmt: skip
TRACED: dict[str, tuple[Any, Any, list[Any]]] = {
    "a loss": (OUTPUTS, (X, w, y), DATA),
    "a diagonal": (
        ic.hessian(((T - U @ V.T) ** 2).sum(), U), (T, U, V), [RNG.normal(size=s) for s in ((4, 6), (4, 2), (6, 2))]
    ),
    "an inverse": (ic.inv(T @ T.T + ic.eye("m")), (T,), [RNG.normal(size=(2, 4))]),
    "a number": (ic.exp(ic.scalar("s")) * X / X.sum(), ("s", X), [np.array(0.3), DATA[0]]),
    "norms": ([ic.norm2(X, axis=1), ic.normp(X, 3, axis=0), ic.softmax(X, axis=1)], (X,), DATA[:1]),
    "integers": (ic.log_softmax(Z, axis=1)[ic.index("b"), k[ic.index("b")]].sum(ic.index("b")), (Z, k),
                 [RNG.normal(size=(4, 3)), np.array([0, 2, 1, 1])]),
}  # fmt: skip


def traced(found: Any, wanted: Any) -> None:
    pairs = zip(found, wanted, strict=True) if isinstance(wanted, list) else [(found, wanted)]
    assert all(close(one, other) for one, other in pairs)


@pytest.mark.parametrize("wrap", [None, "autograd"])
@pytest.mark.parametrize("case", TRACED)
def test_torch_exports_it(case: str, wrap: str | None) -> None:
    outputs, inputs, arrays = TRACED[case]
    f = made(ic.to_source(outputs, inputs, target="torch", wrap=wrap))

    class Model(torch.nn.Module):
        def forward(self, *args: Any) -> Any:
            return f(*args)

    given = tuple(map(torch.tensor, arrays))
    traced(torch.export.export(Model(), given).module()(*given), f(*given))


@pytest.mark.parametrize("case", sorted(TRACED.keys() - {"integers"}))
def test_torch_fx_traces_what_does_not_check(case: str) -> None:
    outputs, inputs, arrays = TRACED[case]
    f = made(ic.to_source(outputs, inputs, target="torch", checks=False))
    given = tuple(map(torch.tensor, arrays))
    traced(torch.fx.symbolic_trace(f)(*given), f(*given))
    with pytest.raises(torch.fx.proxy.TraceError, match="control flow"):
        torch.fx.symbolic_trace(made(ic.to_source(outputs, inputs, target="torch")))


@pytest.mark.parametrize("wrap", [None, "custom_vjp"])
@pytest.mark.parametrize("case", TRACED)
def test_jax_exports_it(case: str, wrap: str | None) -> None:
    outputs, inputs, arrays = TRACED[case]
    f = made(ic.to_source(outputs, inputs, target="jax", wrap=wrap))
    traced(jax.export.export(jax.jit(f))(*map(jnp.asarray, arrays)).call(*arrays), f(*map(jnp.asarray, arrays)))


def test_exports_for_any_number_of_rows() -> None:
    f = made(ic.to_source(OUTPUTS, (X, w, y), target="torch"))

    class Model(torch.nn.Module):
        def forward(self, *args: Any) -> Any:
            return f(*args)

    given, n = tuple(map(torch.tensor, DATA)), torch.export.Dim("n")
    model = torch.export.export(Model(), given, dynamic_shapes={"args": ({0: n}, None, {0: n})}).module()
    more = (torch.tensor(RNG.normal(size=(9, 3))), given[1], torch.tensor(RNG.normal(size=9)))
    traced(model(*more), f(*more))
    g = made(ic.to_source(OUTPUTS, (X, w, y), target="jax"))
    rows = jax.export.symbolic_args_specs([jnp.asarray(x) for x in DATA], ["n, 3", "3", "n"])
    traced(jax.export.export(jax.jit(g))(*rows).call(*map(np.asarray, more)), g(*map(np.asarray, more)))


@pytest.mark.parametrize("target", TARGETS)
def test_scalars_may_be_numbers(target):
    s, x = ic.scalar("s"), ic.tensor("x", "n")
    outputs = [ic.exp(s) * x + s * ic.sqrt(s), s * ic.eye("n") * ic.sin(s), ic.exp(s)]
    found = made(ic.to_source(outputs, (s, x), target=target))(0.1, MAKE[target](DATA[2]))
    assert all(close(one, other) for one, other in zip(found, ic.compile(outputs, (s, x))(0.1, DATA[2]), strict=True))


@pytest.mark.parametrize("target", ["jax", "torch"])
def test_functions_that_a_library_has_are_called(target):
    Z = ic.tensor("Z", "n d")
    outputs = [ic.softmax(Z, axis=1), ic.log_softmax(Z, axis=1), ic.logsumexp(Z, axis=0), ic.sigmoid(Z), ic.softplus(Z)]
    text = ic.to_source([*outputs, ic.silu(Z)], (Z,), target=target)
    own = {
        "jax": ["jax.nn.softmax(Z, 1)", "jax.nn.log_softmax(Z, 1)", "logsumexp(Z, 0)", "jax.nn.silu(Z)"],
        "torch": ["torch.softmax(Z, 1)", "torch.log_softmax(Z, 1)", "torch.logsumexp(Z, 0)", "torch.sigmoid(Z)",
                  "torch.nn.functional.softplus(Z, threshold=40)", "torch.nn.functional.silu(Z)"],
    }[target]  # fmt: skip
    assert all(call in text for call in own)
    assert text.count("def ") == 1
    wanted = ic.compile([*outputs, ic.silu(Z)], (Z,))(DATA[0])
    assert all(close(one, other) for one, other in zip(made(text)(MAKE[target](DATA[0])), wanted, strict=True))


# ------------------------------------------------------------------ any sizes


def test_lengths_that_are_summed_stay_symbols():
    """A sum over an axis that nothing has, a mean, a trace of the identity: the sizes are those of the arrays."""
    m = ic.tensor("m", "d")
    scatter = ((X - m) ** 2).sum() / ic.tr(ic.eye("n"))
    outputs = [scatter, X.mean(axis=0), ic.ones("n", "d").sum(), (m * 0 + 1 + m).sum()]
    for target in TARGETS:
        f = made(ic.to_source(outputs, (X, m), target=target))
        for n, d in ((4, 3), (1, 1), (7, 7)):
            values = [RNG.normal(size=(n, d)), RNG.normal(size=d)]
            wanted = ic.compile(outputs, (X, m))(*values)
            assert all(close(one, other) for one, other in zip(f(*map(MAKE[target], values)), wanted, strict=True))


def test_sizes_choose_the_order_and_the_kernels():
    B, v = ic.tensor("B", "m k"), ic.tensor("v", "k")
    product = X @ ic.tensor("M", "d m") @ B
    wide = ic.to_source(product, ("X", "M", "B"), sizes={"n": 1000, "d": 10, "m": 10, "k": 10})
    tall = ic.to_source(product, ("X", "M", "B"), sizes={"n": 2, "d": 1000, "m": 1000, "k": 1000})
    assert "np.dot(B.T, M.T)" in wide
    assert "np.dot(M.T, X.T)" in tall
    values = [RNG.normal(size=shape) for shape in ((4, 3), (3, 1), (1, 2))]
    assert all(close(made(text)(*values), values[0] @ values[1] @ values[2]) for text in (wide, tall))
    assert ic.to_source(B @ v, (B, v), sizes={"m": 5, "k": 5})


def test_sizes_that_no_input_has_are_keywords():
    f = made(ic.to_source(ic.ones("p", "n") * y, (y,)))
    assert f(np.arange(3.0), p=2).shape == (2, 3)
    with pytest.raises(TypeError, match="p"):
        f(np.arange(3.0))


def test_sizes_within_dimensions():
    K = ic.tensor("K", "n*m", "n")
    f = made(ic.to_source(ic.ones("m").sum() * K.sum(), (K,)))
    assert f(np.ones((6, 3))) == 2 * 18
    with pytest.raises(ValueError, match="shape"):
        f(np.ones((7, 3)))


def test_shapes_are_checked():
    f = made(ic.to_source(LOSS, (X, w, y)))
    with pytest.raises(ValueError, match=r"w \(2,\) and y \(6,\) do not go with X \(6, 3\)"):
        f(DATA[0], DATA[1][:2], DATA[2])
    with pytest.raises(ValueError, match="unpack"):
        f(DATA[1], DATA[1], DATA[2])
    with pytest.raises(ValueError, match=r"A \(2, 3\) does not have the right shape"):
        made(ic.to_source(A @ A, (A,)))(np.ones((2, 3)))


# ------------------------------------------------------------------ names


def test_names_that_python_or_the_text_needs():
    names = ["lambda", "np", "t1", "torch", "dtype", "math"]
    tensors = [ic.tensor(name, "n") for name in names]
    total = sum((ic.sigmoid(x) * x for x in tensors[1:]), ic.sigmoid(tensors[0]) * tensors[0])
    output = ic.derivative(total, tensors[0])
    values = [RNG.normal(size=4) for _ in names]
    for target in TARGETS:
        text = ic.to_source([total, output], names, target=target, name="t2")
        got = made(text, "t2")(*map(MAKE[target], values))
        assert all(close(x, v) for x, v in zip(got, ic.compile([total, output], names)(*values), strict=True))
    assert "def t2(lambda_, np_, t1, torch_, dtype_, math_)" in text


@pytest.mark.parametrize("name", ["2f", "lambda", "np", "a b", "f()", "", "import os", 3])
def test_a_name_is_an_identifier(name):
    with pytest.raises((ic.NameRefused, ic.KindError), match=r"no identifier|a str|Python|reserved|means"):
        ic.to_source(LOSS, (X, w, y), name=name)


def test_other_wrong_requests():
    with pytest.raises(ic.InputError, match="target='cupy'"):
        ic.to_source(LOSS, (X, w, y), target="cupy")
    with pytest.raises(ic.InputError, match="no input for y"):
        ic.to_source(LOSS, (X, w))
    with pytest.raises(ic.InputError, match="given twice"):
        ic.to_source(LOSS, (X, w, w, y))
    with pytest.raises(ic.KindError, match="write ic"):
        ic.to_source(3, (X,))
    with pytest.raises(ic.InputError, match="unknown dimension 'q'"):
        ic.to_source(LOSS, (X, w, y), sizes={"q": 3})
    with pytest.raises(ic.InputError, match="whole number"):
        ic.to_source(LOSS, (X, w, y), sizes={"n": "many"})
    with pytest.raises(ic.InputError, match="optimize='best'"):
        ic.to_source(LOSS, (X, w, y), optimize="best")
    with pytest.raises(ic.NoRuleError, match="logm in torch"):
        ic.to_source(ic.logm(A), (A,), target="torch")


def test_a_docstring_cannot_end_early():
    x = ic.tensor("x", "n")
    text = ic.to_source(x * 2, (x,))
    assert text.count('"""') == 2


@pytest.mark.parametrize("target", TARGETS)
def test_letters_are_the_names_of_indices(target: str) -> None:
    p, q, r, s, row = ic.indices("p q r s row")
    A, B = ic.tensor("A", "a b c"), ic.tensor("B", "b c d")
    f = ic.to_source(A[p, q, r] * B[q, r, s], (A, B), target=target)
    assert "'pij,ijs->ps', A, B" in f
    f = ic.to_source(A[row, q, r] * B[q, r, s], (A, B), target=target)
    assert "'ijk,jks->is', A, B" in f
    twice = [A[p, q, r] * B[q, r, s], A[s, q, r] * B[q, r, p]]
    values = [RNG.normal(size=(2, 3, 4)), RNG.normal(size=(3, 4, 2))]
    got = made(ic.to_source(twice, (A, B), target=target))(*map(MAKE[target], values))
    assert all(close(one, other) for one, other in zip(got, ic.compile(twice, (A, B))(*values), strict=True))


def test_a_docstring_is_short():
    """A formula of one line, or what it is and its shape."""
    net = ic.tanh(X @ ic.tensor("W", "d h") + 1) @ ic.tensor("v", "h")
    long = ic.hessian((ic.softplus(net) - y * net).sum(), "W")
    text = ic.to_source(long, ("X", "W", "v", "y"))
    assert '    """the derivative by W, then by W, of shape (d, h, d, h)"""\n' in text
    text = ic.to_source([LOSS, long], ("X", "w", "W", "v", "y"))
    assert f"        {LOSS}\n        the derivative by W, then by W, of shape (d, h, d, h)\n    " in text
    sums = sum(ic.sin(m * X).sum() for m in range(1, 20))
    assert '    """a number"""\n' in ic.to_source(sums, (X,))
    assert '    """an array, of shape (d,)"""\n' in ic.to_source(sums * w, (X, w))


# ------------------------------------------------------------------ functions and constants


def test_functions_and_named_gradients_are_keywords():
    u = ic.function("u", "n -> m")
    L = ic.function("L", "n ->", gradient="G")
    f = made(ic.to_source([ic.derivative(u(y), y), ic.grad(L(X @ w), w)], (y, X, w)))
    jacobian, slope = f(DATA[2], DATA[0], DATA[1], Du=lambda y: np.outer([1, 2], y), G=np.ones(6))
    assert np.allclose(jacobian, np.outer([1, 2], DATA[2]))
    assert np.allclose(slope, DATA[0].sum(0))


SHAPES = {
    "epsilon": [((3, 3, 3), ()), ((2, 2), ()), ((4,) * 4, ())],
    "unit": [((3, 4), (2, 1)), ((5,), (0,))],
    "selection": [((2, 5), (1, 3)), ((3, 5), (-3, 1)), ((5, 5), (4, -1))],
    "affine_delta": [((3, 4, 6), (0, 1, 1, -1)), ((2, 5, 3), (-1, 2, -1, 2))],
    "arange": [((4,), ()), ((1,), ())], "integers": [((3,), (2, 0, 2))],
    "quantile_weights": [((4,), (1, 2)), ((5,), (1, 4))],
    "tril": [((3, 4), ()), ((3, 3), (-1,))],
    "duplication": [((3, 3, 6), ())],
    "elimination": [((3, 3, 6), ())],
    "voigt": [((3, 3, 6), ("strain",)), ((2, 2, 3), ("stress",))],
    "bands": [((5, 3, 3), ("toeplitz",)), ((5, 3, 3), ("hankel",)), ((3, 3, 3), ("circulant",)),
              ((3, 3, 3), ("symmetric_toeplitz",)), ((2, 3, 3), ("symmetric_circulant",))],
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(CONSTANTS.keys() - {"pi"}))
def test_the_text_of_a_constant_has_its_numbers(name):
    for shape, params in SHAPES[name]:
        expression, helper = known_code(name, [str(n) for n in shape], params)
        space: dict[str, Any] = {"np": np}
        exec(helper, space)
        assert np.array_equal(eval(expression, space), known(name, shape, float, params))


@pytest.mark.parametrize("target", TARGETS)
def test_triangles_of_matrices_are_taken_of_them_without_a_mask(target: str) -> None:
    module = {"numpy": "np", "jax": "jnp", "torch": "torch"}[target]
    A, x, R, y, T = (
        ic.tensor(*given) for given in (("A", "n n"), ("x", "n"), ("R", "n m"), ("y", "m"), ("T", "b n n"))
    )
    b, p, q = ic.indices("b p q")
    cases = [
        (ic.triu(A, 1) @ x, (A, x), f"{module}.triu(A, 1) @ x", lambda A, x: np.triu(A, 1) @ x),
        (ic.tril(A, -1), (A,), f"{module}.tril(A, -1)", lambda A: np.tril(A, -1)),
        (ic.tril(R, 2) @ y, (R, y), f"{module}.tril(R, 2) @ y", lambda R, y: np.tril(R, 2) @ y),
        (ic.triu(R, -1), (R,), f"{module}.triu(R, -1)", lambda R: np.triu(R, -1)),
        (ic.triu(T, 1), (T,), f"{module}.triu(T, 1)", lambda T: np.triu(T, 1)),
        (T[b, p, q].sum(p, q, where="p<q"), (T,), f"{module}.triu(T, 1)", lambda T: np.triu(T, 1).sum((1, 2))),
    ]  # fmt: skip
    for e, inputs, text, wanted in cases:
        source = ic.to_source(e, inputs, target=target)
        assert text in source and "tri(" not in source
        for n, m in ((1, 1), (1, 4), (4, 2)):
            sizes = {"n": n, "m": m, "b": 2}
            arrays = [RNG.normal(size=[sizes[str(dim)] for dim in one.node.dims]) for one in inputs]
            assert close(made(source)(*map(MAKE[target], arrays)), wanted(*arrays))
