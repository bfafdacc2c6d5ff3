"""The command line: `python -m indexcalc "x[i]*W[i,j] + b[j]" --wrt "W[i,k]" --dim x=n --dim W=n,m --dim b=m`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from indexcalc.checking.verify import verify
from indexcalc.errors import IndexCalcError, KindError, NameRefused
from indexcalc.layout.conventions import CONVENTIONS
from indexcalc.reading.reader import parse
from indexcalc.views.declare import column, row, tensor
from indexcalc.views.derivatives.derivative import MEANING, ArrayDerivative, Derivative
from indexcalc.views.derivatives.differentiate import derivative, diff
from indexcalc.views.derivatives.panel import Layouts, Row, layouts
from indexcalc.views.expr import Expr

STAND = {"column": column, "row": row}
ASCII = {"δ": "delta", "ε": "epsilon", "∂": "d", "·": "*", "×": "x", "²": "2", "³": "3", "√": "sqrt"}


EXAMPLE = 'python -m indexcalc "x[i]*W[i,j] + b[j]" --wrt "W[i,k]" --dim x=n --dim W=n,m --dim b=m'
FORMS = {"--dim": "--dim x=n, or --dim W=n,m", "--assume": "--assume S=symmetric"}


class OneMessage(argparse.ArgumentParser):
    """A parser whose errors are those of the library: one message, without the usage before it."""

    def error(self, message: str) -> NoReturn:
        """The error of options that cannot be read."""
        raise KindError("", message, f"{EXAMPLE}; all options: {self.prog} --help")


def arguments() -> argparse.ArgumentParser:
    """The parser of the command line."""
    parser = OneMessage(
        prog="python -m indexcalc",
        description="Derive an expression in index notation, lay the result out, and check it by numbers.",
        epilog=f"example: {EXAMPLE}",
    )
    parser.add_argument("words", nargs="+", metavar="[derive] EXPRESSION", help="the expression, as text")
    parser.add_argument("--wrt", required=True, help='what to differentiate by, with indices: "W[i,k]"')
    parser.add_argument("--dim", action="append", default=[], metavar="NAME=DIMS", help="a tensor's dimensions: W=n,m")
    parser.add_argument("--assume", action="append", default=[], metavar="NAME=WORD", help="S=symmetric")
    parser.add_argument("--batch", default="", metavar="NAMES", help="indices that are never summed: n")
    parser.add_argument(
        "--vectors", default="numpy", choices=("numpy", "column", "row"), help="how vectors stand in matrix notation"
    )
    parser.add_argument("--syntax", default="", metavar="NAME", help="the dialect, where it is not plain: matlab")
    parser.add_argument(
        "--guess", action="store_true", help="what is not declared: capitals are matrices, small letters vectors"
    )
    parser.add_argument("--structure", default="projected", choices=tuple(MEANING))
    parser.add_argument("--layout", action="append", choices=sorted(CONVENTIONS), help="show this layout only")
    parser.add_argument("--format", default="text", choices=("text", "latex", "json"))
    return parser


def pairs(items: Sequence[str], option: str) -> dict[str, str]:
    """`NAME=VALUE` options as a table."""
    found = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not equals or not name:
            raise NameRefused(f"{option} {item}", "there is no NAME=", f"write {FORMS[option]}")
        if name in found:
            raise NameRefused(f"{option} {item}", f"{name} is given twice", "give it once")
        found[name] = value
    return found


def declared(options: argparse.Namespace) -> dict[str, Any]:
    """The tensors that the options declare."""
    dims = pairs(options.dim, "--dim")
    words = pairs(options.assume, "--assume")
    unknown = words.keys() - dims.keys()
    if unknown:
        raise NameRefused(f"--assume {sorted(unknown)[0]}=...", "no tensor of this name", "declare it with --dim")
    found = {}
    for name, sizes in dims.items():
        assumed: dict[str, Any] = {word: True for word in words.get(name, "").split(",") if word}
        made = tensor(name, sizes.replace(",", " "), **assumed)
        found[name] = STAND[options.vectors](made) if made.order == 1 and options.vectors in STAND else made
    return found


def read(text: str, what: str, known: dict[str, Any]) -> Any:
    """The expression that a word of the command line is."""
    if not text.strip():
        raise KindError(f'{what} "{text}"', "there is nothing to read", f"write {EXAMPLE}")
    return parse(text, **known)


def derive(options: argparse.Namespace) -> dict[str, Any]:
    """What the command line answers, as a table."""
    words = options.words[1:] if options.words[0] == "derive" and len(options.words) > 1 else options.words
    if len(words) > 1:
        raise KindError(" ".join(words), f"{len(words)} expressions", "put the expression in quotes")
    tensors = declared(options)
    known = {"batch": options.batch, "vectors": options.vectors, "syntax": options.syntax, **tensors}
    value = read(words[0], "EXPRESSION", {**known, "guess": options.guess})
    target = read(options.wrt, "--wrt", {**value.declarations, **known} if options.guess else known)
    result: Derivative | ArrayDerivative
    if isinstance(value, Expr) or isinstance(target, Expr):
        result = diff(value, target, structure=options.structure)
        axes = {"indices": [index.name for index in result.free]}
        axes |= {"of": [index.name for index in result.of], "wrt": [index.name for index in result.wrt]}
    else:
        result = derivative(value, target, structure=options.structure)
        axes = {}
    return {
        "expression": str(value),
        "by": str(target),
        "derivative": str(result),
        "latex": result.latex(),
        "shape": [str(dim) for dim in result.shape],
        **axes,
        "read": value.note,
        "note": result.note,
        "layouts": layouts(result, options.layout or CONVENTIONS),
        "check": checked(result),
    }


def as_table(panel: Layouts) -> dict[str, Any]:
    """Each layout with its shape and its formula, or why it holds no such tensor."""
    return {row.name: {"shape": None, "why": row.reason} if row.shape is None else _entries(row) for row in panel}


def _entries(row: Row) -> dict[str, Any]:
    shape = [str(dim) for dim in row.shape or ()]
    return {"shape": shape, "axes": row.axes, "formula": row.formula, "numpy": row.numpy}


def checked(result: Derivative | ArrayDerivative) -> dict[str, Any]:
    """The check by numbers, or why there is none."""
    try:
        outcome = verify(result)
    except IndexCalcError as error:
        return {"done": False, "text": f"not checked by numbers: {error.found}"}
    return {"done": True, "agrees": bool(outcome), "error": outcome.error, "sizes": outcome.sizes, "text": outcome.line}


def shown(answer: dict[str, Any], latex: bool) -> str:
    """The answer as text."""

    def shape(dims: Sequence[str]) -> str:
        return "(" + ", ".join(dims) + ("," if len(dims) == 1 else "") + ")"

    lines = [f"∂({answer['expression']})/∂{answer['by']}", f"  = {answer['latex' if latex else 'derivative']}", ""]
    if answer["read"]:
        lines.append(f"text     {answer['read']}")
    if "indices" in answer:
        names = {part: " ".join(answer[part]) or "none" for part in ("indices", "of", "wrt")}
        lines.append(f"axes     {names['indices']}  (of: {names['of']}; wrt: {names['wrt']})")
    lines.append(f"shape    {shape(answer['shape'])}")
    if answer["note"]:
        lines.append(f"note     {answer['note']}")
    lines += ["", "layouts", *(f"  {line}".rstrip() for line in answer["layouts"].table().splitlines())]
    lines += ["", f"check    {answer['check']['text']}"]
    return "\n".join(lines)


def printable(text: str) -> str:
    """The text, in ASCII where the terminal can't show it."""
    encoding = sys.stdout.encoding or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        for letter, word in ASCII.items():
            text = text.replace(letter, word)
        text = text.encode("ascii", "backslashreplace").decode()
    return text


def main(argv: Sequence[str] | None = None) -> int:
    """Answer one command line; 0 where all went well, 1 where the check failed, 2 for wrong input."""
    try:
        options = arguments().parse_args(argv)
        answer = derive(options)
    except IndexCalcError as error:
        print(printable(str(error)), file=sys.stderr)
        return 2
    as_json = options.format == "json"
    if as_json:
        answer["layouts"] = as_table(answer["layouts"])
    text = json.dumps(answer, indent=2) if as_json else printable(shown(answer, options.format == "latex"))
    try:
        print(text, flush=True)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0 if answer["check"].get("agrees", True) else 1


if __name__ == "__main__":
    sys.exit(main())
