"""The commands of LaTeX that need no argument, and those that set a letter: a row for each."""

from __future__ import annotations

from indexcalc.writing.index.text import GREEK

SIGNS = {
    "cdot": ("TIMES", "·"), "bullet": ("TIMES", "·"), "times": ("TIMES", "×"), "odot": ("TIMES", "∘"),
    "circ": ("TIMES", "∘"),
    "otimes": ("TIMES", "⊗"), "ast": ("TIMES", "*"), "star": ("TIMES", "*"), "div": ("TIMES", "/"),
    "oslash": ("TIMES", "⊘"),
    "colon": ("TIMES", ":"), "sum": ("SUMMED", "∑"), "prod": ("SUMMED", "∏"), "partial": ("ROUND", "∂"),
    "nabla": ("NABLA", "∇"), "langle": ("ANGLE", "⟨"), "rangle": ("ANGLE", "⟩"),
    "lVert": ("BAROPEN", "‖"), "rVert": ("BARCLOSE", "‖"), "Vert": ("BAR", "‖"), "lvert": ("BAROPEN", "|"),
    "rvert": ("BARCLOSE", "|"), "vert": ("BAR", "|"), "mid": ("BAR", "|"), "lbrace": ("LPAR", "("),
    "rbrace": ("RPAR", ")"),
    "lbrack": ("LPAR", "("), "rbrack": ("RPAR", ")"),
    "top": ("PRIME", "'"), "intercal": ("PRIME", "'"), "prime": ("PRIME", "'"), "infty": ("NAME", "∞"),
    "le": ("COMPARE", "<="), "leq": ("COMPARE", "<="), "ge": ("COMPARE", ">="), "geq": ("COMPARE", ">="),
    "lt": ("COMPARE", "<"), "gt": ("COMPARE", ">"), "ne": ("COMPARE", "!="), "neq": ("COMPARE", "!="),
    "leqslant": ("COMPARE", "<="), "geqslant": ("COMPARE", ">="), "coloneqq": ("EQUAL", "="),
    "triangleq": ("EQUAL", "="),
    "equiv": ("EQUAL", "="), "to": ("ARROW", "->"), "rightarrow": ("ARROW", "->"), "dots": ("ELLIPSIS", "..."),
}  # fmt: skip
"""Commands that are one token of text."""
NAMES = {name: name for name in GREEK} | {
    "varepsilon": "epsilon", "varphi": "phi", "vartheta": "theta", "varrho": "rho", "varsigma": "sigma", "varpi": "pi",
    "ell": "l", "imath": "i", "jmath": "j", "hbar": "hbar",
}  # fmt: skip
"""Commands that are letters; the names of functions are those of text."""
FONTS = {
    "mathbf", "boldsymbol", "bm", "mathrm", "mathit", "mathsf", "mathcal", "mathbb", "mathds", "pmb", "mathfrak",
    "mathtt",
    "bold", "vect", "mat", "mathscr", "mathnormal", "symbf", "textit",
}  # fmt: skip
"""Commands that set letters in another font."""
ACCENTS = {
    "hat": "hat", "widehat": "hat", "bar": "bar", "overline": "bar", "tilde": "tilde", "widetilde": "tilde",
    "dot": "dot",
    "ddot": "ddot", "vec": "vec", "check": "check", "breve": "breve", "underline": "bar",
}  # fmt: skip
"""Commands that put a mark over a letter, and its name."""
SIZES = {
    "left": "OPEN", "right": "CLOSE", "bigl": "OPEN", "bigr": "CLOSE", "Bigl": "OPEN", "Bigr": "CLOSE", "biggl": "OPEN",
    "biggr": "CLOSE", "Biggl": "OPEN", "Biggr": "CLOSE", "big": "", "Big": "", "bigg": "", "Bigg": "", "middle": "",
}  # fmt: skip
"""Commands that set the size of a bracket; some say on which side it stands."""
IGNORED = {
    r"\,", r"\;", r"\:", r"\!", r"\ ", r"\>", r"\(", r"\)", r"\[", r"\]", r"\/", r"\-", r"\quad", r"\qquad", r"\limits",
    r"\nolimits", r"\displaystyle", r"\textstyle", r"\nonumber", r"\notag", r"\thinspace", r"\medspace", r"\thickspace",
    r"\rm", r"\bf", r"\it", r"\sf", r"\cal",
    r"\mathstrut", r"\strut", r"\hfill", r"\mathopen", r"\mathclose", r"\mathbin", r"\mathrel",
}  # fmt: skip
"""What has no meaning: spaces, styles, the signs of a formula in a text."""
UNREAD = {
    "pm": ("has two readings", "write + or -"), "mp": ("has two readings", "write + or -"),
    "dagger": ("has two readings", "write A^{+} for the pseudoinverse, A^{T} for the transpose"),
    "int": ("is not read", "an integral is no tensor expression"), "lim": ("is not read", "write its value"),
    "in": ("is not read", "declare the tensor by its dimensions"), "arg": ("is not read", "write the function"),
    "approx": ("is no definition", "write ="), "propto": ("is no definition", "write ="),
}  # fmt: skip
"""Commands that are answered."""
