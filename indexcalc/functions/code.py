"""A function of the table as text in a target: NumPy, JAX or PyTorch. `table.py` says what a row's `code` holds."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from indexcalc.errors import NoRuleError
from indexcalc.functions.table import ElementwiseFunction, MatrixFunction, ReductionFunction

MODULES = {"numpy": "np", "jax": "jnp", "torch": "torch"}
IMPORTS = {"numpy": "import numpy as np", "jax": "import jax.numpy as jnp", "torch": "import torch"}
OTHERS = ("jax", "math", "scipy.linalg", "scipy.special")
PLACE = re.compile(r"\{(\w+)\}")
ATOMS = (ast.Name, ast.Constant, ast.Call, ast.Attribute, ast.Subscript)


class Written(NamedTuple):
    """A call of a function as text: an expression, and the function that it needs beside the modules ("" if none)."""

    expression: str
    helper: str


def write(
    row: ElementwiseFunction | ReductionFunction | MatrixFunction,
    target: str,
    args: Sequence[str],
    params: Mapping[str, str],
) -> Written:
    """The function of these arguments and parameters, which are texts, in a target.

    For a reduction the arguments are x and the tuple of axes; where it takes exactly two axes x alone, with the
    matrices along its last two axes. A function that has no code for the target is an error that names both.

    >>> from indexcalc.functions.table import ELEMENTWISE, REDUCTIONS
    >>> write(ELEMENTWISE["exp"], "jax", ["a + b"], {})
    Written(expression='jnp.exp(a + b)', helper='')
    >>> write(REDUCTIONS["max"], "torch", ["x", "(0, 1)"], {}).expression
    'torch.amax(x, (0, 1))'
    >>> print(write(ELEMENTWISE["step"], "numpy", ["x"], {}).helper)
    def step(x):
        \"""1 where x > 0, 0 elsewhere.\"""
        return (x > 0).astype(x.dtype)
    <BLANKLINE>
    """
    code = row.code if isinstance(row.code, str) else row.code.get(target)
    if code is None or target not in MODULES:
        known = [name for name in MODULES if isinstance(row.code, str) or name in row.code]
        raise NoRuleError(
            f"{row.name} in {target}",
            "the function has no code for this target",
            f"generate code for {' or '.join(known)}, where it has",
        )
    code = code.replace("{np}", MODULES[target])
    if code.startswith("def "):
        name = code[len("def ") : code.index("(")]
        return Written(f"{name}({', '.join([*args, *(params[name] for name in row.params)])})", code)
    names = ["x", "axes"] if isinstance(row, ReductionFunction | MatrixFunction) else map(str, range(len(args)))
    return Written(_fill(code, {**dict(zip(names, args, strict=False)), **params}), "")


def imports(text: str, target: str) -> list[str]:
    """The lines that import what the text uses: the module of the target, and other modules that are named in it.

    >>> imports("scipy.special.erf(x) * math.pi", "numpy")
    ['import math', 'import numpy as np', 'import scipy.special']
    """
    used = [f"import {name}" for name in OTHERS if re.search(rf"(?<![\w.]){re.escape(name)}\.", text)]
    if re.search(r"(?<![\w.])np\.", text):
        used.append(IMPORTS["numpy"])
    return sorted({IMPORTS[target], *used})


def _fill(code: str, texts: Mapping[str, str]) -> str:
    """The template with these texts in its places, in parentheses where they could be read otherwise."""

    def filled(place: re.Match[str]) -> str:
        text = texts[place[1]]
        before, after = code[: place.start()].rstrip(), code[place.end() :].lstrip()
        delimited = before.endswith(("(", ",", "[")) and after.startswith((")", ",", "]"))
        return text if delimited or isinstance(ast.parse(text, mode="eval").body, ATOMS) else f"({text})"

    return PLACE.sub(filled, code)
