"""Growth: what a model of L layers, a sum of N terms, a ladder of n rungs costs, counted in nodes and calls."""

from itertools import pairwise

import pytest

import indexcalc as ic
from indexcalc.graph.walk import count

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


def test_few_programs_are_compared_for_a_long_ladder(monkeypatch):
    from indexcalc.engine.plan import plan

    made = []
    built = plan.lowered
    monkeypatch.setattr(plan, "lowered", lambda *given: made.append(1) or built(*given))
    e = x
    for _ in range(28):
        e = e * ic.sin(e)
    value = ic.compile(ic.grad(e.sum(), x), (x,))([0.5, 0.25])
    assert value.shape == (2,)
    assert len(made) <= 2
