"""A derivation as a page of LaTeX: formulas, lines with their rules, layouts, and tensor networks in TikZ.

    python examples/derivation_sheet.py > sheet.tex && pdflatex sheet.tex

Formulas need amsmath and amssymb, pictures tikz; everything else is the page's own.
"""

import indexcalc as ic

HEAD = r"""\documentclass{article}
\usepackage{amsmath, amssymb, tikz}
\begin{document}"""

X, w, y = ic.tensor("X", "n d"), ic.column("w", "d"), ic.column("y", "n")
residual = ic.define("r", X @ w - y)
loss = ic.define("E", (residual**2).sum() / 2)
gradient, hessian = ic.grad(loss, w), ic.hessian(loss, w)
steps = ic.explain(loss, w, style="differential")
by_entries = ic.explain(loss, w)

print(HEAD)
print(r"\section*{Least squares}")
print("The residual, the error, and its derivatives:")
print(residual.expand_definitions().latex(lhs="r", environment="align"))
print(loss.expand_definitions().latex(lhs="E", environment="align"))
print(gradient.latex(lhs=True, environment="align"))
print(hessian.latex(lhs=True, environment="align"))
print(r"\subsection*{By differentials}")
print(steps.latex(environment="align*"))
print(r"\subsection*{By entries}")
print(by_entries.latex(environment="align*"))
print(r"\subsection*{In each layout}")
print(gradient.layouts().latex(environment="align*"))
print(r"\subsection*{As a tensor network}")
print(gradient.expand_definitions().diagram().tikz)
print(r"\subsection*{The derivation, drawn}")
print(by_entries.diagrams().tikz)
print(r"\end{document}")
