"""The linear layer Y = X W + B: what dL/dW is, what dY/dW is, and which layout is whose.

    python examples/linear_layer.py

X is 1×3, W 3×2, B and Y are 1×2, and L(Y) is some loss, of which only the gradient G = dL/dY is given.
"""

import numpy as np

import indexcalc as ic

X0, G0 = np.array([[2, 3, 5]]), np.array([[7, 11]])
W0, B0 = np.array([[1, 2], [3, 4], [5, 6]]), np.array([[8, 9]])  # no answer depends on them
x0, g0, b0 = X0[0], G0[0], B0[0]


def title(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}")


def numbers(array: np.ndarray, indent: int = 4) -> None:
    """A matrix of whole numbers, a row a line."""
    for row in np.atleast_2d(array):
        print(" " * indent + "[" + " ".join(f"{value:3.0f}" for value in row) + " ]")


i, j, k = ic.indices("i j k")

print("A linear layer: Y = X W + B, with X 1×3, W 3×2, B and Y 1×2, and a loss L(Y) whose gradient is G = dL/dY.")
print("In numbers X = [2 3 5] and G = [7 11], at this Y. No answer depends on W or B.")
print("""
In short: dL/dW_ij = x_i G_j. That is Xᵀ G (3×2) as a gradient, which is denominator layout, and its transpose
Gᵀ X (2×3) in numerator layout. dY/dW has three indices, dy_j/dW_ik = x_i δ_jk; summing over j with G_j gives dL/dW.
With columns, y = W x + b, the gradient is G xᵀ.""")

# ------------------------------------------------------------------------------------------------
title("1. dL/dW, in index notation and in matrix notation")

x, W, b = ic.tensor("x", 3), ic.tensor("W", 3, 2), ic.tensor("b", 2)  # the row X is x_i, its one row has no index
L = ic.function("L", "2 ->", gradient="G")
y = ic.define("y", x[i] * W[i, j] + b[j])
dL_dW = ic.diff(L(y), W[i, j])
print(f"y_j       = {y.expand_definitions()}")
print(f"dL/dW_ij  = {dL_dW}")
dL_dW0 = dL_dW.evaluate(x=x0, W=W0, b=b0, G=lambda y: g0)
numbers(dL_dW0)

X, B = ic.tensor("X", 1, 3), ic.tensor("B", 1, 2)  # now as matrices: the row of X has an index, of size 1
loss = ic.function("L", "1 2 ->", gradient="G")
Y = ic.define("Y", X @ W + B)
gradient = ic.grad(loss(Y), W)
print(f"dL/dW     = {gradient}")
gradient0 = gradient.evaluate(X=X0, W=W0, B=B0, G=lambda Y: G0)
numbers(gradient0)
print(f"equal to X.T @ G in NumPy: {np.array_equal(gradient0, X0.T @ G0) and np.array_equal(dL_dW0, X0.T @ G0)}")
print("""Why the transpose: entry ij is x_i G_j, so i, which counts rows of W, comes from X, where it counts columns.
To make it count rows, X is transposed, 3×1; it stands on the left, for rows come first: (3×1)(1×2) = 3×2.""")

# ------------------------------------------------------------------------------------------------
title("2. Two derivations, Xᵀ G and its transpose: both right, in two layouts")

for name, whose in (
    ("denominator", "the first derivation: Xᵀ G"),
    ("gradient", "the same: the shape of W, what one subtracts from W"),
    ("numerator", "the second derivation: (Xᵀ G)ᵀ = Gᵀ X"),
):
    made = gradient.layout(name)
    rows, columns = made.shape
    print(f"{name} layout: {rows}×{columns}, {made}: {whose}")
    made0 = made.evaluate(X=X0, W=W0, B=B0, G=lambda Y: G0)
    numbers(made0)
    wanted, text = (X0.T @ G0, "X.T @ G") if name != "numerator" else ((X0.T @ G0).T, "(X.T @ G).T")
    print(f"    equal to {text} in NumPy: {np.array_equal(made0, wanted)}")
print("""They agree. The first writes out (dL/dW)ᵀ of numerator layout, entry by entry: that is denominator layout.
The second writes numerator layout itself. One may use either, but the same one for all factors of a chain rule.""")

# ------------------------------------------------------------------------------------------------
title("3. dY/dW: a tensor of order 3, with 12 numbers")

D = ic.diff(y, W[i, k])
sizes = ", ".join(f"{index} = 0..{D.dim(index) - 1}" for index in D.free)
print(f"dy_j/dW_ik = {D}")
print(f"axes: {', '.join(map(str, D.of))} from y; {', '.join(map(str, D.wrt))} from W; {sizes}")
print(f"axes j,i,k make it {D.array(j, i, k).shape}; axes j,k,i make it {D.array(j, k, i).shape}: both are right,")
print("once it is said which axis is which. As matrices, with the order of the six w named:")
for order, said in (("F", "column by column, w00 w10 w20 w01 w11 w21"), ("C", "row by row, w00 w01 w10 w11 w20 w21")):
    for rows, columns in (((j,), (i, k)), ((i, k), (j,))):
        matrix0 = D.matrix(rows=rows, cols=columns, order=order).evaluate(x=x0)
        print(f'  rows {rows}, columns {columns}, order="{order}": {"×".join(map(str, matrix0.shape))}, w {said}')
        numbers(matrix0)

# ------------------------------------------------------------------------------------------------
title("4. Slices of it: by one entry of W, or of one entry of Y")

D0 = D.evaluate(x=x0, order=(j, i, k))  # axes: entry of y, row of W, column of W
print("dY/dw_ij, as columns:")
for row in range(3):
    print("    " + "   ".join(f"dY/dw{row}{column} = {D0[:, row, column].astype(int)}ᵀ" for column in range(2)))
print("dy_j/dW, each in numerator layout, 2×3:")
for one in range(2):
    print(f"    dy{one}/dW =")
    numbers(D0[one].T, 8)

# ------------------------------------------------------------------------------------------------
title("5. Stacked blocks: what multiplies and what does not")

stack = D.matrix(rows=(j, k), cols=(i,), order="C")
stack0 = stack.evaluate(x=x0)
print("The two 2×3 slices on top of each other are a 4×3 matrix, rows (j, k) with k fastest, columns (i,):")
numbers(stack0)
try:
    G0 @ stack0
except ValueError:
    print("G (1×2) times it (4×3) does not exist: its four rows are pairs (j, k), and G has only j.")
contracted = ic.tensor("G", 2)[j] * D
print(f"The chain rule sums over j alone:  G_j dy_j/dW_ik = {contracted.simplify()}")
print("  as a sum of slices, G_0 dy0/dW + G_1 dy1/dW, in numerator layout:")
numbers(g0[0] * D0[0].T + g0[1] * D0[1].T, 8)
print("  as a product of matrices, G (1×2) times the 2×6 of part 3, w column by column:")
flat0 = G0 @ D.matrix(rows=(j,), cols=(i, k), order="F").evaluate(x=x0)
numbers(flat0, 8)
print("  or with the 4×3 stack, where G ⊗ I (2×4) leaves k alone:")
numbers(np.kron(G0, np.eye(2)) @ stack0, 8)
same = np.array_equal(flat0.reshape(3, 2, order="F"), X0.T @ G0)
same &= np.array_equal(np.kron(G0, np.eye(2)) @ stack0, (X0.T @ G0).T)
print(f"  all of these are Xᵀ G or its transpose: {same}")

# ------------------------------------------------------------------------------------------------
title("6. The same by differentials")

print(f"dY = {ic.differential(X @ W + B, [W])}")
print(f"dL = {ic.differential(loss(Y), [W])}")
print("""With A:B = tr(Aᵀ B), the sum of A_ij B_ij:
  dL = G:dY = G:(X dW) = (Xᵀ G):dW, so the gradient is Xᵀ G""")

# ------------------------------------------------------------------------------------------------
title("7. The same layer with columns: y = W x + b, with x 3×1, W 2×3, b and y 2×1")

V, c = ic.tensor("W", 2, 3), ic.tensor("b", 2)
y = ic.define("y", V[i, j] * x[j] + c[i])
dL_dV = ic.diff(L(y), V[i, j])
print(f"y_i      = {y.expand_definitions()}")
print(f"dL/dW_ij = {dL_dV}")
print(f"dy_i/dW_kj = {ic.diff(y, V[k, j])}")
outer0 = np.outer(g0, x0)
for name, whose, text, wanted in (
    ("denominator", "G xᵀ, the gradient, with the shape of W", "np.outer(G, x)", outer0),
    ("numerator", "x Gᵀ", "np.outer(G, x).T", outer0.T),
):
    made = dL_dV.layout(name)
    rows, columns = made.shape
    print(f"{name} layout: {rows}×{columns}, {made}: {whose}")
    made0 = made.evaluate(x=x0, W=W0.T, b=b0, G=lambda y: g0)
    numbers(made0)
    print(f"    equal to {text} in NumPy: {np.array_equal(made0, wanted)}")
print("""Rows or columns, the rule is one: entry (row of W, column of W) takes its input from x and its output from G.
With rows the input counts rows of W, so X comes first (Xᵀ G); with columns it counts columns, so it comes last (G xᵀ).
The gradient of one convention has the entries of the numerator layout of the other: hence most of the confusion.""")
