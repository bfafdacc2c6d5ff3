"""The left side of an equation is part of the claim: `(dL/dW)^T = ...`, `-∂L/∂W_ij = ...`, `2 ∇_w f = ...`.

It says which derivative is meant, by which variable, with which factor and sign, transposed or not, and which index
names which axis. One that is about another derivative than the one asked about is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from indexcalc.errors import IndexCalcError, NotationError
from indexcalc.graph.node import Call, Definition, Node, Variable
from indexcalc.reading.reader import parse
from indexcalc.views.derivatives.derivative import ArrayDerivative, Derivative
from indexcalc.views.expr import Expr
from indexcalc.views.view import View

NAME = r"[^\W\d_](?:[^\W_²³ᵀ]|_(?!\{))*(?:_\{[^{}]*\}|\[[^\[\]]*\])?"
"""A name with its indices, `W_ik`, `W_{in,out}`, `W[i,k]`."""
D = r"(?:d|∂|\\partial\s*)"
SQUARED = r"(?:\^\{?[2]\}?|²)"
TURNED = r"(?:\^\{?[T⊤]\}?|\^\{\\top\}|ᵀ|\.T|')"
QUOTIENT = re.compile(
    rf"{D}(?P<order>{SQUARED})?\s*(?P<top>{NAME}(?:\([^()]*\))?|\((?P<expression>.+?)\))\s*/\s*(?P<open>\(\s*)?"
    rf"{D}\s*(?P<vec>(?:vec\s*)?\(\s*)?(?P<first>{NAME})(?(vec)\s*\))(?P<again>{SQUARED})?(?:{TURNED}(?=\s*{D}))?"
    rf"(?:\s*{D}\s*(?P<second>{NAME})(?:{TURNED}(?=\s*(?:$|\))))?)?(?(open)\s*\))"
)
NABLA = re.compile(
    rf"(?:∇|\\nabla|grad(?:ient)?(?![^\W_]))(?P<order>{SQUARED})?\s*(?:_\{{?(?P<first>[^\W_]+)\}}?)?\s*"
    rf"(?P<top>{NAME}(?:\([^()]*\))?)?"
)
WORDS = {"hessian": 2, "Hessian": 2, "H": 2, "jacobian": 1, "Jacobian": 1, "J": 1}
"""Names of derivatives, and of which order they are."""


class Left(NamedTuple):
    """What a left side says: the derivative times `factor`, `turned` or not, its axes named by `indices`.

    `shaped` says that it is a gradient, which has the shape of the variable.
    """

    text: str
    factor: View | None = None
    turned: bool = False
    indices: tuple[str, ...] = ()
    shaped: bool = False


NOTHING = Left("")


def split(text: str) -> tuple[str, str]:
    """The left side of the last statement of a text, "" if it has none, and the text without it.

    >>> split("r = X w - y; dL/dw = X^T r")
    ('dL/dw', 'r = X w - y; X^T r')
    """
    depth, start, equals = 0, 0, -1
    for k, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if depth:
            continue
        if letter in ";\n" and text[k + 1 :].strip():
            start, equals = k + 1, -1
        if (
            letter == "="
            and equals < start
            and text[k - 1 : k] not in ("<", ">", "!", "=")
            and text[k + 1 : k + 2] != "="
        ):
            equals = k
    if equals < start:
        return "", text
    before = text[:start] + (" " if start and text[start - 1] == ";" else "")
    return text[start:equals].strip(), before + text[equals + 1 :].strip()


def read(text: str, D: View, names: Mapping[str, Any]) -> Left:
    """What a left side says about a derivative; `names` are those that are known.

    Errors: NotationError where it is about something else.
    """
    if not text:
        return NOTHING
    for pattern in (QUOTIENT, NABLA):
        found = pattern.search(text)
        if found is not None:
            before, after = text[: found.start()], text[found.end() :]
            turned, before, after = _around(before, after)
            factor = _factor(before, after, text, D, names)
            _agree(found, text, D, names, pattern is NABLA)
            return Left(text, factor, turned, _indices(found, text, D), pattern is NABLA and found["order"] is None)
    sign, word = re.fullmatch(r"\s*([-−]?)\s*(.*?)\s*", text).groups()  # type: ignore[union-attr]
    if word in WORDS and word not in names and WORDS[word] == len(_targets(D)):
        return Left(text, parse("-1") if sign else None)
    if isinstance(D.node, Definition) and word == D.node.label and not sign:
        return Left(text)
    _refuse(text, D, "that names no derivative")


def _refuse(text: str, D: View, found: str) -> NoReturn:
    targets = [target.node.name for target in _targets(D)]
    shown = f"dL/d{targets[0]} = ..." if len(targets) == 1 else "a left side that names it"
    raise NotationError(f"check {text} = ... of {D}", found, f"write {shown}, or leave the left side out")


def _targets(D: View) -> Sequence[Any]:
    return D.targets if isinstance(D, Derivative | ArrayDerivative) else ()


def _around(before: str, after: str) -> tuple[bool, str, str]:
    """Is the derivative transposed? And what stands before and after it, without the brackets around it."""
    turned = False
    while True:
        mark = re.match(rf"\s*{TURNED}", after)
        if mark is not None:
            turned, after = not turned, after[mark.end() :]
            continue
        if before.rstrip().endswith("(") and after.lstrip().startswith(")"):
            before, after = before.rstrip()[:-1], after.lstrip()[1:]
            continue
        return turned, before.strip(), after.strip()


def _factor(before: str, after: str, text: str, D: View, names: Mapping[str, Any]) -> View | None:
    """The factor that stands before or after the derivative."""
    before = before.removesuffix("*").removesuffix("·").strip().replace("−", "-")
    if before in ("", "+") and not after:
        return None
    if before in ("", "+", "-"):
        before = f"{before}1"
    if after and after[0] not in "*/":
        _refuse(text, D, f"{after!r} stands after the derivative")
    try:
        made: View = parse(f"({before}){after}" if after else before, **names)
    except IndexCalcError:
        _refuse(text, D, f"{before!r} before the derivative is no factor")
    if made.node.order:
        _refuse(text, D, f"{before!r} before the derivative is no number")
    return made


# ------------------------------------------------------------------ which derivative


def _agree(found: re.Match[str], text: str, D: View, names: Mapping[str, Any], nabla: bool) -> None:
    """It is the derivative that is asked about, or it is refused."""
    targets = [target.node.name for target in _targets(D)]
    if not targets:
        _refuse(text, D, "the expression is no derivative")
    own = [found["first"]] if found["first"] else []
    if not nabla and found["second"]:
        own.append(found["second"])
    elif found["order"] or (not nabla and found["again"]):
        own = own * 2
    count = 2 if found["order"] else len(own) or 1
    if count != len(targets):
        _refuse(text, D, f"that is a derivative of order {count}, and the one asked about is of order {len(targets)}")
    for token, target in zip(own, targets, strict=False):
        if target not in (token, _parts(token, targets)[0]):
            _refuse(
                text, D, f"that is a derivative by {_parts(token, targets)[0]}, and the one asked about is by {target}"
            )
    _agree_top(found, text, D, names, nabla)


def _agree_top(found: re.Match[str], text: str, D: View, names: Mapping[str, Any], nabla: bool) -> None:
    """What is derived is what was asked about, as far as its name says it."""
    source = D.source if isinstance(D, Derivative | ArrayDerivative) else None
    if source is None or found["top"] is None:
        return
    if not nabla and found["expression"] is not None:
        said = parse(found["expression"], **names)
        if not (isinstance(said, Expr) == isinstance(source, Expr) and said.equals(source)):
            _refuse(text, D, f"{found['expression']} is not what was derived, {source}")
        return
    name = _parts(re.sub(r"\(.*", "", found["top"]), names)[0]
    known = names.get(name)
    node = getattr(known, "node", None)
    if isinstance(node, Variable) or (isinstance(node, Definition) and node is not source.node):
        _refuse(text, D, f"that is the derivative of {name}, and the one asked about is that of {source}")
    if callable(known) and node is None and not _calls(source.node, name):
        _refuse(text, D, f"that is the derivative of {name}, and the one asked about is that of {source}")


def _calls(node: Node, name: str) -> bool:
    return isinstance(node, Call) and node.function.name == name


def _parts(token: str, names: Any) -> tuple[str, tuple[str, ...]]:
    """A name, and the indices that it carries: `W_ik` is W with i and k, unless W_ik is a name itself.

    >>> _parts("W_{in,out}", ()), _parts("W_ik", ()), _parts("W[i,k]", ())
    (('W', ('in', 'out')), ('W', ('i', 'k')), ('W', ('i', 'k')))
    """
    if token in names:
        return token, ()
    if token.endswith("]"):
        name, _, inside = token[:-1].partition("[")
        return name, tuple(part.strip() for part in inside.split(","))
    name, mark, inside = token.partition("_")
    if not mark:
        return token, ()
    if inside.startswith("{"):
        inside = inside[1:-1]
        parts = inside.split(",") if "," in inside else list(inside.replace(" ", ""))
        return name, tuple(part.strip() for part in parts)
    return name, tuple(inside)


def _indices(found: re.Match[str], text: str, D: View) -> tuple[str, ...]:
    """The indices that name the axes: those of what is derived, then those of the variables."""
    targets = [target.node.name for target in _targets(D)]
    groups = found.groupdict()
    tokens = [groups.get("top"), groups.get("first"), groups.get("second")]
    named = [_parts(token, targets)[1] for token in tokens if token and not token.startswith("(")]
    indices = tuple(index for own in named for index in own)
    if any(index.isdigit() for index in indices):
        _refuse(text, D, "that is one entry of the derivative")
    return indices
