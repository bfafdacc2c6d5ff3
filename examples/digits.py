"""Softmax regression on the 1,797 digits of scikit-learn, by gradient descent and by Newton's method.

    python examples/digits.py

The gradient and the Hessian come from the loss, in index notation: n runs over samples, i and j over pixels, c and d
over the ten classes. scikit-learn's LogisticRegression, with the same ridge term, stands beside the result.
"""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

import indexcalc as ic

TRAIN, PIXELS, CLASSES, RIDGE = 1437, 64, 10, 1.0

# ------------------------------------------------------------------ formulas

n = ic.index("n", batch=True)
c, d, i, j = ic.indices("c d i j")
X, Y, W = ic.tensor("X", "N D"), ic.tensor("Y", "N C"), ic.tensor("W", "D C")
ridge = ic.scalar("ridge")

z = X[n, i] * W[i, c]
loss = (ic.logsumexp(z, c) - Y[n, c] * z).sum(n) + ridge / 2 * W[i, c] * W[i, c]
gradient = loss.diff(W[i, c])
hessian = gradient.diff(W[j, d])

print(f"loss\n  {loss}")
print(f"gradient, axes {gradient.free}\n  {gradient}")
print(f"Hessian, axes {hessian.free}\n  {hessian}")

# the same by hand, with p = softmax(z): X_ni (p_nc - Y_nc), and X_ni X_nj (p_nc δ_cd - p_nc p_nd), summed over n
p, q = ic.softmax(z, c), ic.softmax(X[n, i] * W[i, d], d)
by_hand = (X[n, i] * (p - Y[n, c])).sum(n) + ridge * W[i, c]
curvature = (X[n, i] * X[n, j] * (ic.hadamard(p, ic.delta(c, d)) - p * q)).sum(n)
curvature += ridge * ic.delta(c, d) * ic.delta(i, j)
print(f"as by hand: gradient {bool(gradient.equals(by_hand))}, Hessian {bool(hessian.equals(curvature))}")

# ------------------------------------------------------------------ numbers

pixels, label = load_digits(return_X_y=True)
pixels = pixels / 16
train, test = slice(0, TRAIN), slice(TRAIN, None)
data = {X: pixels[train], Y: np.eye(CLASSES)[label[train]], ridge: RIDGE}


def accuracy(weights: np.ndarray, part: slice) -> float:
    """The share of digits whose class has the largest score."""
    return float(np.mean(np.argmax(pixels[part] @ weights, axis=1) == label[part]))


def report(name: str, weights: np.ndarray) -> None:
    """Loss, size of the gradient and accuracy, a line a model."""
    value = loss.evaluate({**data, W: weights})
    slope = np.abs(gradient.evaluate({**data, W: weights})).max()
    shown = f"{slope:10.2f}" if slope > 0.005 else "    < 0.01"
    print(f"{name:28}{value:10.2f}{shown}{accuracy(weights, train):9.3f}{accuracy(weights, test):9.3f}")


print(f"\n{TRAIN} digits to train on, {len(label) - TRAIN} to test on; {PIXELS * CLASSES} weights")
print(f"{'':28}{'loss':>10}{'gradient':>10}{'train':>9}{'test':>9}")

weights = np.zeros((PIXELS, CLASSES))
report("start", weights)
step = 1 / (np.linalg.norm(pixels[train], 2) ** 2 / 2 + RIDGE)  # p (δ - p') has no eigenvalue above 1/2
for count in range(1, 1001):
    weights = weights - step * gradient.evaluate({**data, W: weights})
    if count in (10, 100, 1000):
        report(f"gradient descent, step {count}", weights)

weights = np.zeros((PIXELS, CLASSES))
for count in range(1, 8):
    slope = gradient.evaluate({**data, W: weights}, order=(i, c))
    bend = hessian.evaluate({**data, W: weights}, order=(i, c, j, d))
    move = np.linalg.solve(bend.reshape(slope.size, slope.size), slope.ravel())
    weights = weights - move.reshape(slope.shape)
    report(f"Newton, step {count}", weights)

model = LogisticRegression(C=1 / RIDGE, fit_intercept=False, tol=1e-8, max_iter=1000)
model.fit(pixels[train], label[train])
report("LogisticRegression", model.coef_.T)
print(f"\nNewton and scikit-learn agree to 4 digits: {np.allclose(weights, model.coef_.T, rtol=0, atol=1e-4)}")
