"""The command line: `python -m indexcalc "x[i]*W[i,j] + b[j]" --wrt "W[i,k]" --dim x=n --dim W=n,m --dim b=m`."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from indexcalc import later
from indexcalc.checking.report import Report
from indexcalc.engine.compile.source import to_source
from indexcalc.errors import IndexCalcError, KindError, NameRefused, did_you_mean
from indexcalc.explaining.derivation import STYLES, explain
from indexcalc.functions.code.text import MODULES
from indexcalc.layout.conventions import CONVENTIONS
from indexcalc.page.answers import checked
from indexcalc.page.question import Declaration, Question, loss_of
from indexcalc.progress import show_progress
from indexcalc.reading.reader import parse
from indexcalc.views.derivatives.derivative import MEANING, ArrayDerivative, Derivative
from indexcalc.views.derivatives.panel import Layouts, Row, layouts

ASCII = {"δ": "delta", "ε": "epsilon", "∂": "d", "·": "*", "×": "x", "²": "2", "³": "3", "√": "sqrt"}
RIGHT, WRONG, REFUSED = 0, 1, 2
"""Exit statuses: all went well; the check by numbers, or of a formula, failed; the input is wrong."""
EXAMPLE = 'python -m indexcalc "x[i]*W[i,j] + b[j]" --wrt "W[i,k]" --dim x=n --dim W=n,m --dim b=m'
FORMS = {
    "--dim": '--dim x=n, --dim W=n,m, or --dim "L: n ->"', "--assume": "--assume S=symmetric",
    "--gradient": "--gradient L=G",
}  # fmt: skip
FORMATS = ("text", "latex", "json")

# ------------------------------------------------------------------ options


class OneMessage(argparse.ArgumentParser):
    """A parser whose errors are those of the library: one message, without the usage before it."""

    def error(self, message: str) -> NoReturn:
        """The error of options that cannot be read."""
        given, *choices = re.findall("'([^']*)'", message.partition("invalid choice:")[2]) or [""]
        close = did_you_mean(given, choices) if choices else ""
        raise KindError(
            "", message, f"{close if close.startswith('did') else EXAMPLE}; all options: {self.prog} --help"
        )


OPTIONS: dict[str, dict[str, Any]] = {
    "--wrt": {"action": "append", "default": [], "metavar": "TENSOR",
              "help": 'what to differentiate by, with indices: "W[i,k]"; given twice, a second derivative'},
    "--dim": {"action": "append", "default": [], "metavar": "NAME=DIMS",
              "help": 'the dimensions of a tensor, W=n,m, or of a function that nobody specifies, "L: n ->"'},
    "--assume": {"action": "append", "default": [], "metavar": "NAME=WORD", "help": "S=symmetric"},
    "--gradient": {"action": "append", "default": [], "metavar": "NAME=NAME",
                   "help": "the name of the gradient of a function, L=G"},
    "--loss": {"default": "", "metavar": "NAME", "help": "take a loss of this name of the expression, with gradient G"},
    "--batch": {"default": "", "metavar": "NAMES", "help": "indices that are never summed: n"},
    "--vectors": {"default": None, "choices": ("numpy", "column", "row"),
                  "help": "how vectors stand in matrix notation"},
    "--syntax": {"default": "", "metavar": "NAME", "help": "the dialect, where it is not plain: matlab"},
    "--guess": {"action": "store_true",
                "help": "what is not declared: capitals are matrices, small letters vectors"},
    "--structure": {"default": "projected", "choices": tuple(MEANING),
                    "help": "which derivative by a structured tensor"},
    "--layout": {"action": "append", "choices": sorted(CONVENTIONS), "help": "this layout only"},
    "--style": {"default": None, "choices": STYLES, "help": "explain: with entries, or with differentials"},
    "--target": {"default": None, "choices": tuple(MODULES), "help": "source: for which library"},
    "--name": {"default": None, "metavar": "NAME", "help": "source: the name of the function"},
    "--file": {"default": "", "metavar": "PATH", "help": "read the expression from a file"},
    "--format": {"default": "text", "choices": FORMATS, "help": "what is printed"},
    "--port": {"type": int, "default": None, "metavar": "NUMBER", "help": "serve: the port, if not a free one"},
    "--no-browser": {"action": "store_true", "default": None, "help": "serve: open no browser"},
    "--version": {"action": "version", "version": f"indexcalc {sys.modules['indexcalc'].__version__}",
                  "help": "print the version"},
}  # fmt: skip
OWN = {
    "style": ("explain",), "target": ("source",), "name": ("source",), "layout": ("derive", "layouts", "check"),
    "port": ("serve",), "no_browser": ("serve",),
}  # fmt: skip
"""Options that some verbs have, and which."""


def arguments() -> tuple[argparse.ArgumentParser, list[argparse.Action]]:
    """The parser of the command line, and its options."""
    verbs = "\n".join(f"  {name:<11}{(verb.__doc__ or '').partition('.')[0]}" for name, verb in VERBS.items())
    parser = OneMessage(
        prog="indexcalc",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=f"Derive an expression, lay the result out, and check it by numbers.\n\nverbs:\n{verbs}\n"
        "  completion Print what makes a shell complete these options: bash, zsh or fish.\n"
        "  serve      Show a page in the browser, on this machine alone, until Ctrl-C.",
        epilog="An expression `-` is read from standard input. "
        f"Exit status: {RIGHT} if all went well, {WRONG} if a check failed, {REFUSED} for wrong input.\n\n"
        f"example: {EXAMPLE}",
    )
    words = "the expression, as text; of check the formula first"
    parser.add_argument("words", nargs="*", metavar="[VERB] EXPRESSION", help=words)
    return parser, [parser.add_argument(flag, **more) for flag, more in OPTIONS.items()]


def pairs(items: Sequence[str], option: str, sign: str = "=") -> dict[str, str]:
    """`NAME=VALUE` options as a table."""
    found = {}
    for item in items:
        name, equals, value = item.partition(sign)
        if not equals or not name.strip():
            raise NameRefused(f"{option} {item}", f"there is no NAME{sign}", f"write {FORMS[option]}")
        if name.strip() in found:
            raise NameRefused(f"{option} {item}", f"{name} is given twice", "give it once")
        found[name.strip()] = value
    return found


def declared(options: argparse.Namespace) -> dict[str, Any]:
    """The tensors and the functions that the options declare."""
    specs = pairs([item for item in options.dim if "->" in item], "--dim", ":")
    dims = pairs([item for item in options.dim if "->" not in item], "--dim")
    words, gradients = pairs(options.assume, "--assume"), pairs(options.gradient, "--gradient")
    for option, given, known in (("--assume", words, dims), ("--gradient", gradients, specs)):
        unknown = sorted(given.keys() - known.keys())
        if unknown:
            kind = "tensor" if known is dims else "function"
            raise NameRefused(f"{option} {unknown[0]}=...", f"no {kind} of this name", "declare it with --dim")
    if both := sorted(specs.keys() & dims.keys()):
        raise NameRefused(f"--dim {both[0]}", f"{both[0]} is given twice", "give it once")
    tensors = [
        Declaration(name, sizes, tuple(filter(None, words.get(name, "").split(",")))) for name, sizes in dims.items()
    ]
    functions = [Declaration(name, spec, (), gradients.get(name, "")) for name, spec in specs.items()]
    return {one.name: one.meaning(options.vectors or "numpy") for one in (*tensors, *functions)}


def read(text: str, what: str, known: dict[str, Any]) -> Any:
    """The expression that a word of the command line is."""
    if not text.strip():
        raise KindError(f'{what} "{text}"', "there is nothing to read", f"write {EXAMPLE}")
    return parse(text, **known)


def texts_of(options: argparse.Namespace, words: Sequence[str]) -> list[str]:
    """The words, `-` read from standard input, and what a file has, last."""
    if list(words).count("-") > 1:
        raise KindError(" ".join(words), "standard input is read once", "give one - alone")
    try:
        found = [sys.stdin.read().strip() if word == "-" else word for word in words]
    except (OSError, UnicodeDecodeError):
        raise KindError("-", "standard input has no text in UTF-8", "give the expression in quotes") from None
    if options.file:
        try:
            found.append(Path(options.file).read_text("utf-8").strip())
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
            raise KindError(f"--file {options.file}", reason, "give a file of text in UTF-8") from None
    return found


def asked(options: argparse.Namespace, text: str, needs: bool = True) -> Question:
    """The expression and what it is derived by, read."""
    if needs and not options.wrt:
        raise KindError("", "the following arguments are required: --wrt", f'write --wrt "W[i,k]"; {EXAMPLE}')
    tensors = declared(options)
    vectors = options.vectors or "numpy"
    known = {"batch": options.batch, "vectors": vectors, "syntax": options.syntax, **tensors}
    value = read(text, "EXPRESSION", {**known, "guess": options.guess})
    names = {**value.declarations, **known} if options.guess else known
    if options.loss:
        value = loss_of(options.loss, value, names)
    return Question(value, tuple(read(one, "--wrt", names) for one in options.wrt), names, options.structure)


# ------------------------------------------------------------------ verbs


class Reply(NamedTuple):
    """What is printed: a table for programs, lines for people, and LaTeX; and the exit status."""

    table: dict[str, Any]
    text: str
    latex: str
    status: int = RIGHT


def derive(options: argparse.Namespace, texts: Sequence[str]) -> Reply:
    """The derivative, its layouts, and a check by numbers (the verb that may be left out)."""
    one = asked(options, texts[0])
    result, panel = one.result, layouts(one.result, options.layout or CONVENTIONS)
    table = {**_said(one, "derive"), **_derivative_table(result), "read": one.value.note, "note": result.note}
    table |= {"layouts": as_table(panel), "check": checked(result)}
    latex = [result.latex(lhs=True), "", *panel_latex(panel), "", rf"\text{{{table['check']['text']}}}"]
    status = RIGHT if table["check"].get("agrees", True) else WRONG
    return Reply(table, shown(table, panel), "\n".join(latex), status)


def check_formula(options: argparse.Namespace, texts: Sequence[str]) -> Reply:
    """Whether FORMULA is the derivative of EXPRESSION, in which layouts, and what would mend it."""
    formula, text = texts
    one = asked(options, text)
    report = _judged(options, one, formula)
    lines = [str(report)]
    if not report and _right_way_round(options, formula, text):
        lines.append("  order      it is right the other way round: write the formula first, then the expression")
    values = {field.name: getattr(report, field.name) for field in fields(report)}
    plain = {name: value for name, value in values.items() if isinstance(value, str | bool | tuple)}
    table = {**_said(one, "check"), **_derivative_table(one.result), **plain}
    table |= {"right": bool(report), "example": str(report.example or ""), "difference": str(report.difference or "")}
    latex = [rf"\text{{{report.verdict}}}", *_as_latex(formula, one), one.result.latex(lhs=True)]
    return Reply(table, "\n".join(lines), "\n".join(latex), RIGHT if report else WRONG)


def _judged(options: argparse.Namespace, one: Question, formula: str) -> Report:
    """What `check` says of a formula."""
    if len(options.layout or ()) > 1:
        raise KindError("check", "several --layout", "give one, or none for all")
    layout = options.layout[0] if options.layout else None
    return one.judged(formula, one.result, layout, options.vectors, show_progress)


def _right_way_round(options: argparse.Namespace, formula: str, text: str) -> bool:
    """Is the expression the derivative of the formula?"""
    try:
        return bool(_judged(options, asked(options, formula), text))
    except IndexCalcError:
        return False


def _as_latex(formula: str, one: Question) -> list[str]:
    """The formula as LaTeX, where it can be read by itself."""
    try:
        return [parse(formula, **one.known).latex()]
    except IndexCalcError:
        return []


def explain_lines(options: argparse.Namespace, texts: Sequence[str]) -> Reply:
    """The derivation of the derivative, line by line, each with its rule."""
    one = asked(options, texts[0])
    if len(one.targets) > 1:
        raise KindError("explain", f"{len(one.targets)} --wrt", "explain one derivative at a time")
    made = explain(one.value, one.targets[0], style=options.style or STYLES[0], structure=options.structure)
    lines = [
        {"left": line.title, "right": line.text, "rule": line.rule, "latex": f"{line.latex_title} = {line.latex_text}"}
        for line in made.lines
    ]
    result = one.result
    table = {**_said(one, "explain"), "derivative": str(result), "latex": result.latex(), "lines": lines}
    return Reply({**table, "remarks": list(made.remarks)}, str(made), made.latex())


def layouts_panel(options: argparse.Namespace, texts: Sequence[str]) -> Reply:
    """The derivative in every layout, with its shape and what makes it in NumPy."""
    one = asked(options, texts[0])
    result, panel = one.result, layouts(one.result, options.layout or CONVENTIONS)
    table = {**_said(one, "layouts"), **_derivative_table(result), "layouts": as_table(panel)}
    return Reply(table, str(panel), "\n".join([result.latex(lhs=True), "", *panel_latex(panel)]))


def source_text(options: argparse.Namespace, texts: Sequence[str]) -> Reply:
    """The source of the derivative, of the expression itself without --wrt, for NumPy, JAX or PyTorch."""
    one = asked(options, texts[0], needs=False)
    target = options.target or next(iter(MODULES))
    text = to_source(one.result, one.inputs, target=target, name=options.name or "program")
    table = {**_said(one, "source"), "target": target, "inputs": [tensor.node.name for tensor in one.inputs]}
    return Reply({**table, "source": text}, text, f"\\begin{{verbatim}}\n{text}\n\\end{{verbatim}}")


def page(options: argparse.Namespace, actions: Sequence[argparse.Action]) -> Reply:
    """The page, until somebody interrupts."""
    for action in actions:
        given = action.dest != "version" and getattr(options, action.dest) != action.default
        if given and "serve" not in OWN.get(action.dest, ()):
            flag = action.option_strings[0]
            raise KindError(
                f"serve {flag}", "the page has its own fields for this", "write indexcalc serve --port 8000"
            )
    later.serve(options.port or 0, browser=not options.no_browser, tell=partial(print, flush=True))
    return Reply({"verb": "serve"}, "", "")


VERBS: dict[str, Callable[[argparse.Namespace, Sequence[str]], Reply]] = {
    "derive": derive, "check": check_formula, "explain": explain_lines, "layouts": layouts_panel, "source": source_text,
}  # fmt: skip
TWO = {"check": "FORMULA and EXPRESSION"}
"""Verbs of two texts, and what these are."""

# ------------------------------------------------------------------ parts of answers


def _said(one: Question, verb: str) -> dict[str, Any]:
    return {"verb": verb, "expression": str(one.value), "by": one.by}


def _derivative_table(result: Derivative | ArrayDerivative) -> dict[str, Any]:
    """The derivative, and what its axes are."""
    table = {"derivative": str(result), "latex": result.latex(), "shape": [str(dim) for dim in result.shape]}
    if isinstance(result, Derivative):
        for part in ("free", "of", "wrt"):
            table["indices" if part == "free" else part] = [index.name for index in getattr(result, part)]
    return table


def as_table(panel: Layouts) -> dict[str, Any]:
    """Each layout with its shape and its formula, or why it holds no such tensor."""
    return {row.name: {"shape": None, "why": row.reason} if row.shape is None else _entries(row) for row in panel}


def _entries(row: Row) -> dict[str, Any]:
    shape = [str(dim) for dim in row.shape or ()]
    return {"shape": shape, "axes": row.axes, "formula": row.formula, "numpy": row.numpy, "latex": row.latex}


def panel_latex(panel: Layouts) -> list[str]:
    """The layouts as lines of LaTeX, a name and a formula each."""
    return [rf"\text{{{row.name}}}:\quad {row.latex or row.formula}" for row in panel.held]


def shown(table: Mapping[str, Any], panel: Layouts) -> str:
    """The answer of `derive` as text."""

    def shape(dims: Sequence[str]) -> str:
        return "(" + ", ".join(dims) + ("," if len(dims) == 1 else "") + ")"

    names = table["by"].split(", ")
    order = {1: "", 2: "²", 3: "³"}.get(len(names), str(len(names)))
    below = "".join(f"∂{name}" for name in names)
    lines = [f"∂{order}({table['expression']})/{below}", f"  = {table['derivative']}", ""]
    if table["read"]:
        lines.append(f"text     {table['read']}")
    if "indices" in table:
        axes = {part: " ".join(table[part]) or "none" for part in ("indices", "of", "wrt")}
        lines.append(f"axes     {axes['indices']}  (of: {axes['of']}; wrt: {axes['wrt']})")
    lines.append(f"shape    {shape(table['shape'])}")
    if table["note"]:
        lines.append(f"note     {table['note']}")
    lines += ["", "layouts", *(f"  {line}".rstrip() for line in panel.table().splitlines())]
    lines += ["", f"check    {table['check']['text']}"]
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


# ------------------------------------------------------------------ completion


def _choices(action: argparse.Action) -> list[str]:
    return list(map(str, action.choices or ()))


def bash(actions: Sequence[argparse.Action]) -> str:
    """What makes bash complete options, their values, and verbs."""
    flags = " ".join(action.option_strings[0] for action in actions)
    cases = "\n".join(
        f'    {action.option_strings[0]}) COMPREPLY=($(compgen -W "{" ".join(_choices(action))}" -- "$cur")); return ;;'
        for action in actions
        if action.choices
    )
    return f"""_indexcalc() {{
  local cur="${{COMP_WORDS[COMP_CWORD]}}" prev="${{COMP_WORDS[COMP_CWORD-1]}}"
  case "$prev" in
{cases}
    --file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
  esac
  COMPREPLY=($(compgen -W "{" ".join(VERBS)} completion serve {flags} --help" -- "$cur"))
}}
complete -F _indexcalc indexcalc"""


def zsh(actions: Sequence[argparse.Action]) -> str:
    """What makes zsh complete options, their values, and verbs."""
    rows = []
    for action in actions:
        told = (action.help or "").replace("'", "").replace("[", "(").replace("]", ")").replace(":", " -")
        value = f":value:({' '.join(_choices(action))})" if action.choices else "" if action.nargs == 0 else ":value:"
        rows.append(f"  '*{action.option_strings[0]}[{told}]{value}'")
    verbs = f"  '1:verb:({' '.join(VERBS)} completion serve)'"
    return "#compdef indexcalc\n_arguments \\\n" + " \\\n".join([*rows, verbs, "  '*:expression:'"])


def fish(actions: Sequence[argparse.Action]) -> str:
    """What makes fish complete options, their values, and verbs."""
    rows = [f"complete -c indexcalc -n __fish_use_subcommand -a '{' '.join(VERBS)} completion serve'"]
    for action in actions:
        told = (action.help or "").replace("'", "")
        value = f" -x -a '{' '.join(_choices(action))}'" if action.choices else "" if action.nargs == 0 else " -r"
        rows.append(f"complete -c indexcalc -l {action.option_strings[0][2:]}{value} -d '{told}'")
    return "\n".join(rows)


SHELLS: dict[str, Callable[[Sequence[argparse.Action]], str]] = {"bash": bash, "zsh": zsh, "fish": fish}


# ------------------------------------------------------------------ main


def answer(options: argparse.Namespace, actions: Sequence[argparse.Action]) -> Reply:
    """What the command line answers."""
    first, *rest = options.words or [""]
    if first == "completion" and len(rest) == 1 and not options.wrt:
        if rest[0] not in SHELLS:
            raise KindError(f"completion {rest[0]}", "no such shell is known", f"write one of {', '.join(SHELLS)}")
        script = SHELLS[rest[0]](actions)
        return Reply({"verb": first, "shell": rest[0], "script": script}, script, script)
    if first == "serve" and not rest and not options.wrt and not options.file:
        return page(options, actions)
    said = first in VERBS and bool(rest or options.file)
    verb = first if said else next(iter(VERBS))
    texts = texts_of(options, rest if said else options.words)
    for option, owners in OWN.items():
        if getattr(options, option) is not None and verb not in owners:
            found = f"only {' and '.join(owners)} {'has' if len(owners) == 1 else 'have'} this option"
            raise KindError(f"{verb} --{option.replace('_', '-')}", found, f"write indexcalc {owners[0]} ...")
    count = 1 + (verb in TWO)
    if not texts:
        raise KindError("", "the following arguments are required: EXPRESSION", f"write {EXAMPLE}")
    if len(texts) != count:
        wanted = TWO.get(verb, "one EXPRESSION")
        close = did_you_mean(texts[0], [*VERBS]) if len(texts) > count and not said else ""
        found = f"{len(texts)} expression{'s' if len(texts) > 1 else ''}, where {verb} takes {wanted}"
        raise KindError(" ".join(texts), found, close if close.startswith("did") else "put each in quotes")
    return VERBS[verb](options, texts)


def main(argv: Sequence[str] | None = None) -> int:
    """Reply one command line; 0 where all went well, 1 where a check failed, 2 for wrong input."""
    try:
        parser, actions = arguments()
        options = parser.parse_args(argv)
        made = answer(options, actions)
    except IndexCalcError as error:
        print(printable(str(error)), file=sys.stderr)
        return REFUSED
    try:
        if options.format == "json":
            sys.stdout.flush()
            sys.stdout.buffer.write(f"{json.dumps(made.table, indent=2, ensure_ascii=False)}\n".encode())
            sys.stdout.flush()
        else:
            print(printable(made.latex if options.format == "latex" else made.text), flush=True)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return made.status


if __name__ == "__main__":
    sys.exit(main())
