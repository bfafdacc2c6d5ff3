"""The graph: interning, long chains and ladders, and how work grows with size, counted in nodes and visits."""

from __future__ import annotations

import copy
import gc
import itertools
import pickle
import random
import subprocess
import sys
import threading
import weakref
from fractions import Fraction

import pytest

import indexcalc as ic
from indexcalc.calculus.derivative import derivative
from indexcalc.graph.constructors import einsum
from indexcalc.graph.edge import power
from indexcalc.graph.labels import UnionFind
from indexcalc.graph.node import KINDS, Product, Variable, topological
from indexcalc.graph.numbers import number
from indexcalc.graph.walk import count, resize
from indexcalc.simplify.kinds import NORMALISE
from indexcalc.simplify.passes import Pass, simplify

i, j, k, p, q, r = ic.indices("i j k p q r")
s, x, X = ic.scalar("s"), ic.tensor("x", "n"), ic.tensor("X", "n n")
A, B = ic.tensor("A", "l m"), ic.tensor("B", "m n")

CHAIN, LADDER = 20_000, 64


def repeat(step, y, times):
    """`step` applied over and over."""
    for _ in range(times):
        y = step(y)
    return y


# ------------------------------------------------------------------ interning


def test_bound_names_make_no_difference():
    assert (A[i, k] * B[k, j]).node is (A[p, q] * B[q, r]).node
    assert (A[i, k] * B[k, j]).array(i, j).node is (A @ B).node
    assert (A[i, k] * B[k, j]).node is not (B[k, j] * A[i, k]).node, "constructors never reorder"
    assert A[i, k] * B[k, j] == B[k, j] * A[i, k]


def test_equal_content_is_one_node():
    assert ic.sin(x).node is ic.sin(ic.tensor("x", "n")).node
    assert ic.tensor("x", "m*n").node is ic.tensor("x", "n*m").node
    assert ic.tensor("x", "n").node is not ic.tensor("x", "m").node
    assert ic.tensor("S", "n n").node is not ic.tensor("S", "n n", symmetric=True).node
    assert (x * 2).node is (2.0 * x).node is (x * Fraction(4, 2)).node


def test_threads_build_the_same_nodes():
    start = threading.Barrier(4)
    built = {}

    def build(name):
        start.wait()
        y = ic.tensor("fresh", "n")
        made = []
        for step in range(2000):
            y = ic.sin(y) * 3 + step if step % 2 else y * y
            made.append(y.node)
        built[name] = made

    threads = [threading.Thread(target=build, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for nodes in zip(*built.values(), strict=True):
        assert all(node is nodes[0] for node in nodes)


def test_an_inexact_number_is_not_the_integer_it_equals():
    huge = int(1e300)
    assert huge == 1e300
    assert (x * 1e300).node is not (x * huge).node
    assert (x**1e300).node is not (x**huge).node
    assert (x + 1e300).node is not (x + huge).node
    assert pickle.loads(pickle.dumps((x * 1e300).node)).coef == 1e300
    assert isinstance(pickle.loads(pickle.dumps((x * 1e300).node)).coef, float)
    assert isinstance(pickle.loads(pickle.dumps((x * huge).node)).coef, int)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (2.0, 2),
        (0.5, Fraction(1, 2)),
        (0.1, 0.1),
        (Fraction(6, 3), 2),
        (2 + 0j, 2),
        (-0.0, 0),
        (1 / 1024, Fraction(1, 1024)),
        (1 / 2048, 1 / 2048),
        (3j, 3j),
    ],
)
def test_numbers_have_one_form(given, kept):
    assert number(given) == kept and type(number(given)) is type(kept)


@pytest.mark.parametrize("refused", [True, float("nan"), float("inf"), "1", None])
def test_what_is_no_number_is_refused(refused):
    with pytest.raises(ic.KindError):
        number(refused)


def test_every_kind_of_node_has_a_normal_form():
    assert set(NORMALISE) == set(KINDS)


@pytest.mark.parametrize("seed", range(20))
def test_labels_that_are_joined_are_one(seed):
    """Against sets that are merged one by one."""
    rng, labels, classes = random.Random(seed), UnionFind(), [{label} for label in range(12)]
    for _ in range(rng.randint(0, 14)):
        a, b = rng.randrange(12), rng.randrange(12)
        labels.join(a, b)
        one, other = (next(group for group in classes if label in group) for label in (a, b))
        classes = [group for group in classes if group not in (one, other)] + [one | other]
    assert labels.classes(range(12)) == sorted(sorted(group) for group in classes)
    assert all(labels.find(label) == min(group) for group in classes for label in group)


def test_a_long_chain_of_joined_labels_is_found_at_once():
    labels = UnionFind()
    for label in reversed(range(CHAIN)):
        labels.join(label, label + 1)
    assert labels.find(CHAIN) == 0 and labels.parent[CHAIN] == 0


def test_nodes_are_freed_when_nothing_uses_them():
    gc.disable()
    try:
        y = ic.tensor("lonely", "n")
        e = (ic.softmax(y[i] * 2, i) * ic.sin(y[i]) + y[i] * y[i]).simplify()
        d = e.diff(y[j])
        assert d == d.expand() and hash(d) == hash(d.simplify()) and str(d)
        nodes = [weakref.ref(node) for node in topological([e.node, d.node]) if node.children or node is y.node]
        assert len(nodes) > 4
        del y, e, d
        assert [node() for node in nodes if node() is not None] == []
    finally:
        gc.enable()


@pytest.mark.slow
def test_a_long_chain_is_freed():
    y = repeat(ic.sin, ic.tensor("deep", "n"), 50_000)
    alive = weakref.ref(y.node)
    del y
    gc.collect()
    assert alive() is None


# ------------------------------------------------------------------ long chains, high ladders

LONG = {
    "chain": lambda start: repeat(ic.sin, start, CHAIN),
    "y + y": lambda start: repeat(lambda y: y + y, start, LADDER),
    "y*y": lambda start: repeat(lambda y: y * y, start, LADDER),
    "y*sin(y)": lambda start: repeat(lambda y: y * ic.sin(y), start, LADDER),
}
each_long = pytest.mark.parametrize("name", LONG)
each_start = pytest.mark.parametrize("start", [s, x], ids=["scalar", "vector"])


@pytest.mark.slow
@each_long
@each_start
def test_long_expressions_pickle_copy_hash_and_print(name, start):
    y = LONG[name](start)
    assert pickle.loads(pickle.dumps(y)).node is y.node
    assert copy.copy(y).node is y.node and copy.deepcopy(y).node is y.node
    assert hash(y) == hash(y.simplify()) and y == y.simplify()
    assert repr(y.node) and len(repr(y)) <= 2100
    assert len(str(y)) < 30 * count([y.node])


@each_start
def test_ladders_of_64_derive_twice(start):
    for name, make in LONG.items():
        if name != "chain":
            once = derivative(make(start).node, start.node)
            twice = derivative(once, start.node)
            assert count([once]) < 8 * LADDER and count([twice]) < 24 * LADDER


@pytest.mark.slow
@each_start
def test_long_chains_derive(start):
    once = derivative(repeat(ic.sin, start, CHAIN).node, start.node)
    assert count([once]) < 3 * CHAIN


@pytest.mark.slow
def test_a_chain_of_5000_derives_twice():
    twice = derivative(repeat(ic.sin, s, 5000).node, s.node, s.node)
    assert count([twice]) < 8 * 5000


def test_a_ladder_of_additions_is_a_number_times_its_start():
    assert repeat(lambda y: y + y, x, LADDER) == 2**LADDER * x
    assert repeat(lambda y: y * y, s, 10) == s**1024


PRINT = """
import pickle, sys
view = pickle.load(sys.stdin.buffer)
hash(view)
print(view.node.digest.hex(), str(view.simplify()))
"""


def test_another_process_reads_a_pickle_and_prints_the_same():
    y = (ic.softmax(X[i, j] * x[j], i) * A[k, p] + ic.zeros(i, k, p) + 0.1 * x[i] * A[k, p]).diff(x[q])
    wanted = f"{y.node.digest.hex()} {y.simplify()}\n"
    for seed in ("0", "1"):
        environment = {"PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8", "PYTHONPATH": ":".join(sys.path)}
        done = subprocess.run(
            [sys.executable, "-c", PRINT], input=pickle.dumps(y), env=environment, capture_output=True
        )
        assert done.stdout.decode() == wanted, done.stderr.decode()


# ------------------------------------------------------------------ how work grows


@pytest.fixture
def visits(monkeypatch):
    """How many nodes simplification has looked at: a list of one number."""
    seen = [0]
    original = Pass.edge

    def edge(self, node):
        seen[0] += 1
        return original(self, node)

    monkeypatch.setattr(Pass, "edge", edge)
    return seen


STEPS = {
    "sin": ic.sin,
    "y + sin(y)": lambda y: y + ic.sin(y),
    "y + y": lambda y: y + y,
    "y*y": lambda y: y * y,
    "y*sin(y)": lambda y: y * ic.sin(y),
    "sin(y)*cos(y)": lambda y: ic.sin(y) * ic.cos(y),
}


def work(y, start, seen):
    """Nodes, and visits, of the first and the second derivative."""
    seen[0] = 0
    once = derivative(y.node, start.node)
    first = seen[0]
    twice = derivative(y.node, start.node, start.node)
    return count([once]), first, count([twice]), seen[0] - first


def grows_no_faster_than_its_size(make, start, seen, size=40):
    small, large = work(make(size), start, seen), work(make(2 * size), start, seen)
    assert all(b <= 2.3 * a for a, b in zip(small, large, strict=True)), (small, large)


@pytest.mark.slow
@each_start
@pytest.mark.parametrize("name", STEPS)
def test_work_is_linear_in_the_length_of_a_chain(name, start, visits):
    grows_no_faster_than_its_size(lambda n: repeat(STEPS[name], start, n), start, visits)


@pytest.mark.slow
def test_work_is_linear_in_the_rungs_of_a_ladder_of_matrices(visits):
    grows_no_faster_than_its_size(lambda n: repeat(lambda Y: Y @ Y, X, n), X, visits)
    grows_no_faster_than_its_size(lambda n: ic.einsum("ii->", repeat(lambda Y: Y @ Y, X, n)), X, visits)
    grows_no_faster_than_its_size(lambda n: repeat(lambda Y: Y + Y.T, X, n), X, visits)
    grows_no_faster_than_its_size(lambda n: repeat(lambda Y: Y @ Y.T, X, n), X, visits)


def network(layers):
    """The loss of a tanh network, and its weights and biases."""
    h = ic.tensor("H", "b d")
    weights = []
    for layer in range(layers):
        W, b = ic.tensor(f"W{layer}", "d d"), ic.tensor(f"b{layer}", "d")
        weights += [W, b]
        h = ic.tanh(h @ W + b)
    return (h * h).sum(), weights


def test_the_gradient_of_a_network_is_linear_and_narrow(visits):
    counts, seen = [], []
    for layers in (8, 16, 32, 64):
        loss, weights = network(layers)
        visits[0] = 0
        nodes = topological(simplify([loss.node, *[g.node for g in ic.grad(loss, weights)]]))
        counts.append(len(nodes))
        seen.append(visits[0])
        assert max(len(node.factors) for node in nodes if isinstance(node, Product)) <= 3
    a, b, c, d = counts
    assert 4 * (b - a) == 2 * (c - b) == d - c, f"as many nodes for each layer: {counts}"
    assert all(b <= 2.3 * a for a, b in itertools.pairwise(seen)), seen


def layers_of_matrices(start, depth):
    """`tanh(W tanh(W ... start))`, its matrices all different."""
    for layer in range(depth):
        start = ic.tanh(ic.tensor(f"W{layer}", "n n") @ start)
    return start


def widest(nodes):
    """The largest number of axes among nodes that were made, not given."""
    return max(node.order for node in nodes if not isinstance(node, Variable))


def test_a_gradient_goes_backward():
    loss = layers_of_matrices(x, 12).sum()
    gradient = derivative(loss.node, x.node)
    assert widest(topological([gradient])) == 1, "no Jacobian on the way"


def test_a_vector_by_a_scalar_goes_forward():
    y = layers_of_matrices(x * s, 12)
    slope = derivative(y.node, s.node)
    assert widest(topological([slope])) == 1, "no Jacobian on the way"


def test_products_with_vectors_are_derived_with_their_seed():
    v = ic.tensor("v", "n")
    y = layers_of_matrices(x, 12)
    for product in (ic.jvp(y, x, v), ic.vjp(y, x, v)):
        assert widest(topological([product.node])) == 1


def test_second_derivatives_make_no_tensor_wider_than_themselves():
    v = ic.tensor("v", "n")
    loss = layers_of_matrices(x, 8).sum()
    assert widest(topological([ic.hvp(loss, x, v).node])) <= 2
    assert widest(topological([ic.hessian(loss, x).node])) <= 3


def test_the_gradients_of_a_chain_of_matrices_are_matrices():
    """Whatever the matrices are called: the order of names is not the order of the chain."""
    names = [f"M{number * 7 % 16:02}" for number in range(16)]
    y = x
    for name in names:
        y = ic.tensor(name, "n n") @ y
    gradients = ic.grad(x @ y, [ic.tensor(name, "n n") for name in names])
    assert widest(topological([gradient.node for gradient in gradients])) == 2


def test_a_product_of_many_factors_has_a_narrow_derivative():
    """Not N**2 edges: half of the factors are multiplied once for all the others."""
    edges = []
    for n in (32, 64):
        factors = [(ic.tensor(f"t{m}", "").node, (), 1) for m in range(n)]
        gradients = ic.grad(ic.Array(einsum(1, factors, ())), [ic.tensor(f"t{m}", "") for m in range(n)])
        edges.append(sum(len(node.children) for node in topological([g.node for g in gradients])))
    assert edges[1] < 3 * edges[0], edges


def test_integers_and_roots_that_a_float_or_a_fraction_holds():
    assert type(number(2.0**53 - 1)) is int and type(number(2.0**53)) is float
    half = Fraction(1, 2)
    assert power(Fraction(4, 9), half) == Fraction(2, 3) and power(Fraction(25, 16), half) == Fraction(5, 4)
    assert power(Fraction(4, 8 * 9), half) is None


def test_a_second_derivative_of_a_function_of_a_vector_is_symmetric():
    f, v = ic.function("f", "n ->"), ic.tensor("v", "n")
    H = ic.hessian(f(v), v)
    assert H == H.T


def test_dimensions_of_joined_axes_are_replaced():
    joined = ic.vec(ic.outer(ic.ones("a"), ic.ones("b")))
    (made,) = resize([joined.node], {"a": 3, "b": 2})
    assert ic.Array(made) == ic.ones(6)


@pytest.mark.parametrize("running", [True, False])
def test_the_collector_of_cycles_is_as_it_was(running):
    """Passes pause it, whatever becomes of them."""
    was = gc.isenabled()
    try:
        (gc.enable if running else gc.disable)()
        ic.grad(ic.sum((A @ B) ** 2), A).simplify()
        assert gc.isenabled() == running
        with pytest.raises(ic.NotationError):
            (1 / (A - A)).simplify()
        assert gc.isenabled() == running
    finally:
        (gc.enable if was else gc.disable)()
