"""Growth: what a model of L layers, a sum of N terms, a ladder of n rungs costs, counted in nodes and calls."""

import gc
import sys
import tracemalloc
from importlib import import_module
from itertools import pairwise

import numpy as np
import pytest

import indexcalc as ic
from indexcalc.engine.plan.choices import kept_apart
from indexcalc.engine.plan.orders.scheme import Scheme
from indexcalc.graph.node import topological
from indexcalc.graph.walk import count
from indexcalc.simplify import passes, sums
from indexcalc.writing.matrix import factor, forms

x, y, eps = ic.tensor("x", "n"), ic.tensor("y", "n"), ic.scalar("eps")
X = ic.tensor("X", "N d")


def centred(h, **along):
    return h - h.mean(**along)


def scaled(h, **along):
    return h / ic.sqrt((h * h).mean(**along) + eps)


def weight(number, shape="n n", name="W"):
    return ic.tensor(f"{name}{number}", shape)


def softmax(h, layer):
    W = weight(layer)
    return ic.softmax(W @ h), W


def log_softmax(h, layer):
    W = weight(layer)
    return ic.log_softmax(W @ h), W


def nested_softmax(h, layer):
    return ic.softmax(h), x


def gated(h, layer):
    W = weight(layer)
    return h * ic.softmax(W @ h), W


def layer_norm(h, layer):
    W = weight(layer)
    return scaled(centred(W @ h)), W


def rms_norm(h, layer):
    W = weight(layer)
    return scaled(W @ h), W


def centring(h, layer):
    W = weight(layer)
    return centred(W @ h), W


def reflection(h, layer):
    v = weight(layer, "n", "v")
    return (ic.eye("n") - 2 * ic.outer(v, v)) @ h, v


def normalised(h, layer):
    W = weight(layer)
    return (W @ h) / ic.norm2(W @ h), W


def attention(h, layer):
    Q, K, V = (weight(layer, "d d", name) for name in "QKV")
    return ic.softmax((h @ Q) @ (h @ K).T, axis=1) @ (h @ V), Q


def residual_attention(h, layer):
    value, Q = attention(h, layer)
    return h + value, Q


def row_layer_norm(h, layer):
    W = weight(layer, "d d")
    return scaled(centred(h @ W, axis=1, keepdims=True), axis=1, keepdims=True), W


LAYERS = [
    softmax, log_softmax, nested_softmax, gated, layer_norm, rms_norm, centring, reflection, normalised, attention,
    residual_attention, row_layer_norm,
]  # fmt: skip


def loss(layer, depth):
    h, weights = X if layer.__name__.endswith("attention") or layer is row_layer_norm else x, []
    for number in range(depth):
        h, W = layer(h, number)
        weights.append(W)
    return (h @ y if len(h.shape) == 1 else (h * h).sum()), weights


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_derive_in_linear_size(layer):
    sizes = []
    for depth in (8, 16, 32):
        L, weights = loss(layer, depth)
        sizes.append((count([L.node]), count([ic.grad(L, weights[0]).node])))
    for (small, before), (large, after) in pairwise(sizes):
        assert after - before <= 6 * (large - small), sizes
    assert sizes[-1][1] <= 5 * sizes[-1][0]


def test_sixty_four_layers():
    for layer in (softmax, layer_norm, residual_attention):
        L, weights = loss(layer, 64)
        made = ic.grad(L, [weights[0], weights[32], weights[63]])
        assert count([one.node for one in made]) < 4 * count([L.node])


@pytest.mark.parametrize("layer", [softmax, nested_softmax, reflection, layer_norm, attention])
def test_layers_that_stay_apart_have_the_same_derivative(layer):
    L, weights = loss(layer, 3)
    assert ic.verify(ic.grad(L, weights[0]), of=L, wrt=weights[0])


def test_a_product_with_one_delta_in_a_sum_is_still_split():
    s = ic.softmax(x)
    assert str(ic.grad(y @ s, x)) == "s*(y - y @ s)".replace("s", "softmax(x)")


def test_long_sums_do_not_look_at_all_their_variables_at_each_term(monkeypatch):
    from indexcalc.graph import inputs

    def looked_at(new, found):
        raise AssertionError(f"{len(found)} variables looked at for {len(new)}")

    monkeypatch.setattr(inputs, "_refuse_namesakes", looked_at)
    terms = [ic.tensor(f"term{number}", "n") for number in range(10_000)]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    assert len(total.inputs) == 10_000
    assert count([ic.grad((total * total).sum(), terms[0]).node]) <= 10_050


def test_long_sums_derive_in_linear_size():
    s = ic.scalar("s")
    sizes = []
    for terms in (1000, 2000):
        total = ic.sin(s)
        for number in range(2, terms + 1):
            total = total + ic.sin(number * s)
        sizes.append(count([ic.grad(total, s).node]))
    assert sizes[1] <= 2 * sizes[0]


def test_two_tensors_of_one_name_are_refused_however_many_others_there_are():
    total = ic.tensor("first", "n")
    for number in range(100):
        total = total + ic.tensor(f"term{number}", "n")
    with pytest.raises(ic.NotationError, match="two tensors of this name"):
        total + ic.tensor("term7", "n", positive=True)
    with pytest.raises(ic.NotationError, match="two tensors of this name"):
        total @ (ic.tensor("W", "n m") @ ic.tensor("term7", "m"))


RUNGS = [
    lambda e: e * ic.sin(e),
    lambda e: e * e + x,
    lambda e: ic.tanh(e) * e + x,
    lambda e: ic.where(e > 0, e * e, -e) + x,
]


def ladder(rung, rungs, e=x):
    for _ in range(rungs):
        e = rung(e)
    return e


def gradient_of_ladder(rung, rungs):
    g = ic.grad(ladder(rung, rungs).sum(), x)
    f = ic.compile(g, (x,))
    f(np.full(2, 0.1))
    return f


@pytest.mark.parametrize("rung", RUNGS)
def test_ladders_are_planned_in_linear_size(rung, monkeypatch):
    tried = []
    split = Scheme._split
    monkeypatch.setattr(Scheme, "_split", lambda *given: tried.append(1) or split(*given))
    work, steps = [], []
    for rungs in (8, 16):
        tried.clear()
        steps.append(len(gradient_of_ladder(rung, rungs).plan.program.steps))
        work.append(len(tried))
    assert steps[1] <= 2 * steps[0] + 3
    assert work[1] <= 3 * work[0] < 10_000


def test_what_is_kept_apart_is_as_it_was_for_small_graphs():
    few, many = (topological([ic.grad(ladder(RUNGS[0], rungs).sum(), x).node]) for rungs in (3, 8))
    assert kept_apart(few) == frozenset()
    assert len(kept_apart(many)) == 7


def test_functions_of_one_matrix_in_a_ladder_simplify_in_linear_steps(monkeypatch):
    X, finished = ic.tensor("X", "n n"), []
    finish = passes.Pass.finish
    monkeypatch.setattr(passes.Pass, "finish", lambda *given: finished.append(1) or finish(*given))
    counts = []
    for rungs in (4, 8, 16):
        finished.clear()
        ladder(lambda e: ic.expm(e) @ e, rungs, X).simplify()
        counts.append(len(finished))
    assert counts[2] - counts[1] == 2 * (counts[1] - counts[0])


@pytest.mark.parametrize("side", [lambda X: X, lambda X: X.T], ids=["X", "X.T"])
def test_text_of_a_power_takes_no_time_in_proportion_to_it(side, monkeypatch):
    X, A = ic.tensor("X", "n n"), ic.tensor("A", "n n")
    made = []
    init = forms.Form.__init__
    monkeypatch.setattr(forms.Form, "__init__", lambda *given, **named: made.append(1) or init(*given, **named))
    for rungs in (4, 20, 40):
        e = ladder(lambda e: e @ e, rungs, side(X))
        for one in (e, A @ e @ side(X), e.T @ e, ic.tr(e @ A), ic.matrix_power(side(X), 2**rungs)):
            made.clear()
            text = str(one)
            assert f"matrix_power({'X' if text.count('X.T') == 0 else 'X.T'}, " in text
            assert len(text) < 90
            assert len(made) < 200 + 40 * rungs
        assert e.latex().count(str(2**rungs)) == 1
    for one in (e4 := ladder(lambda e: e @ e, 4, side(X)), A @ e4 @ X, e4.T @ e4, ic.tr(e4 @ X @ A)):
        assert ic.parse(str(one), **one.declarations) == one


def test_derivatives_of_logdet_look_at_no_fingerprints(monkeypatch):
    def looked_at(*given):
        raise AssertionError("the terms are one node in several places")

    monkeypatch.setattr(sums, "placed", looked_at)
    D = ic.derivative(ic.logdet(ic.tensor("Y", "d d")), ic.tensor("Y", "d d"), order=5)
    assert D.order == 10
    assert count([D.node]) == 4


def test_dimensions_that_nobody_has_are_forgotten():
    index = import_module("indexcalc.index")

    before = len(index._interned.entries)
    for number in range(3 * index.KEPT):
        ic.tensor("x", f"n{number}", f"m{number}*k + {number}").shape  # noqa: B018
    gc.collect()
    assert len(index._interned.entries) - before <= 2 * index.KEPT + 100
    kept = ic.tensor("x", "n0 n0*m0").shape
    for number in range(3 * index.KEPT):
        index.symbol(f"other{number}")
    assert ic.tensor("x", "n0 n0*m0").shape[0] is kept[0]
    assert index.dim("m0*n0") is kept[1]


def test_verify_moves_some_entries_of_a_large_tensor():
    z = ic.tensor("z", 2000)
    tracemalloc.start()
    assert ic.verify(ic.grad((z * z).sum(), z))
    assert tracemalloc.get_traced_memory()[1] < 300 * 10**6, "no matrix of 2000 by 2000 for each step"
    tracemalloc.stop()
    assert not ic.verify(3 * z, of=(z * z).sum(), wrt=z)
    S = ic.tensor("S", 30, 30, symmetric=True)
    assert ic.verify(ic.grad((S @ S @ S).sum(), S))
    assert not ic.verify(S @ S, of=(S @ S @ S).sum(), wrt=S)


def test_gradients_of_one_loss_share_the_forms_of_their_parts(monkeypatch):
    made = []
    init = forms.Form.__init__
    monkeypatch.setattr(forms.Form, "__init__", lambda *given, **named: made.append(1) or init(*given, **named))
    for layers in (4, 8, 16):
        h, weights = ic.tensor("X", "b n"), [ic.tensor(f"W{layer}", "n n") for layer in range(layers)]
        for W in weights:
            h = ic.tanh(h @ W)
        made.clear()
        texts = [str(slope) for slope in ic.grad((h * h).sum(), weights)]
        assert texts[-1].startswith("2*C.T @ (R") and " with C = tanh(" in texts[-1]
        assert len(made) < 450 * layers


def tanh_network(layers):
    """The gradients of a tanh network's loss by its weights and biases, made where they are asked for."""
    h, weights = ic.tensor("H", "b d"), []
    for layer in range(layers):
        W, b = ic.tensor(f"W{layer}", "d d"), ic.tensor(f"b{layer}", "d")
        weights += [W, b]
        h = ic.tanh(h @ W + b)
    loss = (h * h).sum()
    return lambda: ic.grad(loss, weights)


def test_a_sum_is_searched_once_for_all_gradients_and_all_texts(monkeypatch):
    made = []
    search = factor.Factoring._search
    monkeypatch.setattr(factor.Factoring, "_search", lambda *given: made.append(1) or search(*given))
    for layers in (2, 4, 8):
        slopes = tanh_network(layers)()
        texts = [str(slope) for slope in slopes]
        assert len(made) <= 8 * layers, "a few for each layer"
        made.clear()
        assert texts[0].startswith("2*H.T @ ("), "it has a matrix form"
        for slope in slopes:
            assert slope.latex() and slope.formula() and slope.unicode()
        assert not made, "LaTeX and formulas read what text has read"


def test_a_sum_tries_to_take_out_few_of_many_factors(monkeypatch):
    tried = []
    chosen = factor.promising
    monkeypatch.setattr(factor, "promising", lambda found: tried.append(len(found)) or chosen(found))
    names = [ic.scalar(f"a{k}") for k in range(6)]
    total = sum(one * other * third for one in names[:2] for other in names[2:4] for third in names[4:])
    assert str((total * ic.tensor("u", "n")).expand()) == "(a0 + a1)*(a2 + a3)*(a4 + a5)*u"
    assert max(tried) > 4, "there is more to choose from than what is tried"
    assert len(tried) < 100, "two of each sum, and each sum once"


def test_text_takes_work_in_proportion_to_its_derivation_and_to_its_characters():
    shares = []
    for layers in (6, 8, 16, 24):
        derive, slopes, texts = tanh_network(layers), [], []
        derived = calls(lambda derive=derive, slopes=slopes: slopes.extend(derive()))
        printed = calls(lambda slopes=slopes, texts=texts: texts.extend(map(str, slopes)))
        shares.append(printed / sum(map(len, texts)))
        assert layers > 8 or printed < 3 * derived
    assert max(shares) < 60, "functions called for a character"


def calls(run):
    """How many functions of Python it calls."""
    made = []

    def tick(frame, event, value):
        if event == "call":
            made.append(1)

    sys.setprofile(tick)
    try:
        run()
    finally:
        sys.setprofile(None)
    return len(made)


def sines(depth):
    """The gradient of so many sines inside each other."""
    e = x
    for _ in range(depth):
        e = ic.sin(e)
    return ic.grad(e.sum(), x)


def test_checks_of_long_formulas_take_linear_work():
    M = ic.tensor("M", "n n")
    D = ic.grad(x @ M @ x, x)
    some, more = (calls(lambda count=count: ic.check("M " * count + "x", D)) for count in (10, 30))
    assert more < 3 * some, "no more changes are tried than a budget allows"
    some, more = (calls(lambda deep=deep: ic.check(2 * deep, deep)) for deep in (sines(30), sines(90)))
    assert more < 4 * some, "no product is cubic in its factors"
