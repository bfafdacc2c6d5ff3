"""The left side of an equation is part of the claim: `(dL/dW)^T = ...`, `-∂L/∂W_ij = ...`, `2 ∇_w f = ...`.

It says which derivative is meant, by which variable, with which factor and sign, transposed or not, and which index
names which axis. One that is about another derivative than the one asked about is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from indexcalc.errors import IndexCalcError, NotationError, ParseError
from indexcalc.graph.node import Call, Definition, Node, Variable
from indexcalc.reading.reader import part_of, reading_of
from indexcalc.reading.rules.derivatives import asked_of
from indexcalc.reading.rules.names import Reading
from indexcalc.reading.rules.operands import letters_of, words_of
from indexcalc.reading.tokens.passes import parse_tree
from indexcalc.reading.tokens.words import spellings
from indexcalc.views.derivatives.derivative import ArrayDerivative, Derivative
from indexcalc.views.expr import Expr, from_number
from indexcalc.views.placed import orientation_of
from indexcalc.views.view import View

WORDS = {"hessian": 2, "Hessian": 2, "H": 2, "jacobian": 1, "Jacobian": 1, "J": 1}
"""Names of derivatives, and of which order they are."""
GRADIENTS = {"grad", "gradient"}
"""Words that make a gradient of what follows."""
BLOCK = re.compile(r"\s*\$*\s*\\begin\{(\w+\*?)\}(.*)\\end\{\1\}\s*\$*\s*", re.DOTALL)
"""An environment of LaTeX around a whole text."""
PARTS = re.compile(r"\s(\\text\{with \}|with\s)")
"""Where the definitions of the parts of a formula begin."""


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
    block = BLOCK.fullmatch(text)
    if block is not None and block[1] != "cases":
        text = block[2].replace(r"\\", ";").replace("&", "").rstrip(" ;\n")
    bare = text.strip().strip("$").strip() if "$" in text else text
    depth, start, equals = 0, 0, -1
    for k, letter in enumerate(bare):
        depth += (letter in "([{") - (letter in ")]}")
        if depth:
            continue
        if PARTS.match(bare, k):
            break
        if letter in ";\n" and bare[k + 1 :].strip():
            start, equals = k + 1, -1
        if (
            letter == "="
            and equals < start
            and bare[k - 1 : k] not in ("<", ">", "!", "=")
            and bare[k + 1 : k + 2] != "="
        ):
            equals = k
    if equals < start:
        return "", text
    before = bare[:start] + (" " if start and bare[start - 1] == ";" else "")
    return bare[start:equals].strip(), before + bare[equals + 1 :].strip()


def read(text: str, D: View, names: Mapping[str, Any]) -> Left:
    """What a left side says about a derivative; `names` are those that are known.

    Errors: NotationError where it is about something else.
    """
    if not text:
        return NOTHING
    sign, word = re.fullmatch(r"\s*([-−]?)\s*(.*?)\s*", text, re.DOTALL).groups()  # type: ignore[union-attr]
    if word in WORDS and word not in names and WORDS[word] == len(_targets(D)):
        return Left(text, from_number(-1) if sign else None)
    if isinstance(D.node, Definition) and word == D.node.label and not sign:
        return Left(text)
    vectors = orientation_of([D])[0]
    side = LeftSide(text, D, reading_of(text, names, vectors))
    try:
        tree = parse_tree(text, side.reading.words).children[0]
    except ParseError as error:
        _refuse(text, D, error.found)
    asked = side.asked(tree)
    if asked is None:
        _refuse(text, D, "that names no derivative")
    side.agree(asked)
    return Left(text, side.factor, side.turned, side.indices(asked), asked.gradient and asked.order == 1)


def _refuse(text: str, D: View, found: str) -> NoReturn:
    targets = [target.node.name for target in _targets(D)]
    shown = f"dL/d{targets[0]} = ..." if len(targets) == 1 else "a left side that names it"
    raise NotationError(f"check {text} = ... of {D}", found, f"write {shown}, or leave the left side out")


def _targets(D: View) -> Sequence[Any]:
    return D.targets if isinstance(D, Derivative | ArrayDerivative) else ()


class Derived(NamedTuple):
    """A derivative in a left side, as parts of the tree; a gradient has the shape of its variable."""

    top: Any
    variables: tuple[Any, ...]
    order: int
    gradient: bool


class LeftSide:
    """A left side that is taken apart: what stands around the derivative is its factor, and whether it is turned."""

    def __init__(self, text: str, D: View, reading: Reading) -> None:
        self.text, self.D, self.reading = text, D, reading
        self.factor: View | None = None
        self.turned = False

    def refuse(self, found: str) -> NoReturn:
        """It is about something else."""
        _refuse(self.text, self.D, found)

    # -------------------------------------------------------------- what stands around it

    def asked(self, tree: Any) -> Derived | None:
        """The derivative in a part of the tree; None if there is none."""
        match tree.data:
            case "parens":
                return self.asked(tree.children[0])
            case "primed" if tree.children[1] != "-T":
                found = self.asked(tree.children[0])
                self.turned = self.turned != (found is not None)
                return found
            case "signed":
                found = self.asked(tree.children[-1])
                if found is not None and sum(sign == "-" for sign in tree.children[:-1]) % 2:
                    self.times(from_number(-1))
                return found
            case "product":
                return self.among(tree.children)
            case "sum":
                if any(self.asked(part) for part in tree.children[::2]):
                    self.refuse(f"{self.source(tree.children[2])!r} stands after the derivative")
                return None
            case "quotient":
                return self.quotient(tree.children[1], tree.children[3::2], False)
            case "derived":
                variables, top = asked_of(tree)
                nablas = str(tree.children[0]).count("∇")
                made = self.quotient(top, variables, nablas > 0)
                return made._replace(order=len(variables) or nablas or 1)
            case "bare" | "call" if tree.children[0] in GRADIENTS:
                body = tree.children[1]
                parts = body.children if body.data == "arguments" else [body]
                return self.quotient(parts[0], parts[1:], True)
        return None

    def quotient(self, top: Any, variables: Sequence[Any], gradient: bool) -> Derived:
        """A derivative; the transpose of the one variable, `∂y/∂x^T`, turns it."""
        if len(variables) == 1 and variables[0].data == "primed":
            self.turned = not self.turned
        count = len(variables) or 1
        return Derived(top, tuple(map(plain, variables)), count, gradient)

    def among(self, parts: Sequence[Any]) -> Derived | None:
        """The derivative among factors, of which the others are its factor."""
        at = next((k for k in range(0, len(parts), 2) if (found := self.asked(parts[k])) is not None), None)
        if at is None:
            return None
        for k in range(0, len(parts), 2):
            if k == at:
                continue
            value = self.number(parts[k])
            self.times(value**-1 if k and parts[k - 1] == "/" else value)
        if at and parts[at - 1] == "/":
            self.refuse("the derivative is divided by")
        return found

    def number(self, tree: Any) -> Expr:
        """A factor before or after the derivative."""
        shown = repr(self.source(tree))
        try:
            made = part_of(self.reading, tree)
        except IndexCalcError:
            self.refuse(f"{shown} before the derivative is no factor")
        if made.node.order:
            self.refuse(f"{shown} before the derivative is no number")
        return Expr(made.node, (), made.inputs)

    def times(self, value: Any) -> None:
        """One factor more."""
        self.factor = value if self.factor is None else self.factor * value

    def source(self, tree: Any) -> str:
        """The text of a part."""
        return self.reading.source(tree)

    # -------------------------------------------------------------- which derivative

    def agree(self, asked: Derived) -> None:
        """It is the derivative that is asked about, or it is refused."""
        targets = [target.node.name for target in _targets(self.D)]
        if not targets:
            self.refuse("the expression is no derivative")
        own = [self.parts(variable)[0] for variable in asked.variables]
        if asked.order != len(targets):
            self.refuse(
                f"that is a derivative of order {asked.order}, and the one asked about is of order {len(targets)}"
            )
        for name, target in zip(own, targets, strict=False):
            if target not in spellings(name):
                self.refuse(f"that is a derivative by {name}, and the one asked about is by {target}")
        if asked.top is not None:
            self.agree_top(asked.top)

    def agree_top(self, top: Any) -> None:
        """What is derived is what was asked about, as far as its name says it."""
        D = self.D
        source = D.source if isinstance(D, Derivative | ArrayDerivative) else None
        if source is None:
            return
        if top.data not in ("name", "indexed", "call"):
            try:
                said = part_of(self.reading, top)
            except IndexCalcError as error:
                self.refuse(error.found)
            if not (isinstance(said, Expr) == isinstance(source, Expr) and said.equals(source)):
                self.refuse(f"{self.source(top).strip('()')} is not what was derived, {source}")
            return
        name = self.parts(top)[0]
        known = next((self.reading.known[own] for own in spellings(name) if own in self.reading.known), None)
        node = getattr(known, "node", None)
        other = isinstance(node, Variable) or (isinstance(node, Definition) and node is not source.node)
        if other or (callable(known) and node is None and not _calls(source.node, name)):
            self.refuse(f"that is the derivative of {name}, and the one asked about is that of {source}")

    # -------------------------------------------------------------- names and their indices

    def parts(self, tree: Any) -> tuple[str, tuple[str, ...]]:
        """A name, and the indices that it carries: `W_ik` is W with i and k, unless W_ik is a name itself."""
        tree = plain(tree)
        if tree.data == "indexed":
            base, subs = tree.children
            names = words_of(subs) if hasattr(subs, "children") else letters_of(str(subs)[2:-1], None)
            return self.parts(base)[0], tuple(names)
        token = str(tree.children[0]) if tree.data in ("name", "call") else self.source(tree)
        if any(name in self.reading.known for name in spellings(token)):
            return token, ()
        name, _, inside = token.partition("_")
        known = any(own in self.reading.known for own in spellings(name))
        return (name, tuple(inside)) if known or len(inside) < 3 else (token, ())

    def indices(self, asked: Derived) -> tuple[str, ...]:
        """The indices that name the axes: those of what is derived, then those of the variables."""
        tops = [asked.top] if asked.top is not None and asked.top.data in ("name", "indexed") else []
        indices = tuple(index for tree in (*tops, *asked.variables) for index in self.parts(tree)[1])
        if any(index.isdigit() for index in indices):
            self.refuse("that is one entry of the derivative")
        return indices


def plain(tree: Any) -> Any:
    """A variable without what says how it is laid out: `x'`, `(x)`, `vec(X)`."""
    while True:
        if tree.data in ("parens", "primed"):
            tree = tree.children[0]
        elif tree.data == "call" and tree.children[0] == "vec":
            tree = tree.children[1].children[0]
        else:
            return tree


def _calls(node: Node, name: str) -> bool:
    return isinstance(node, Call) and node.function.name == name
