"""Run the sessions of pages and write what they print: `python docs/rerun.py docs/functions.md`, after adding a row.

Pictures of a page are written too, and what a notebook shows: `python docs/rerun.py docs/notebooks/*.ipynb`.
The tests run the same sessions and compare; read the difference before a commit.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import doctest
import io
import json
import re
import sys
from pathlib import Path
from typing import Any

PICTURE = re.compile(r"\(pictures/(\w+)\.svg\)")
"""A picture of a page, which is called as the diagram that its session makes."""


class Corrector(doctest.DocTestRunner):
    """Runs a session and keeps what its examples print where that is not what the page shows."""

    def __init__(self) -> None:
        super().__init__(optionflags=doctest.ELLIPSIS)
        self.corrections: list[tuple[doctest.Example, str]] = []

    def report_failure(self, out: Any, test: doctest.DocTest, example: doctest.Example, got: str) -> None:
        """What is printed, in place of what is shown."""
        self.corrections.append((example, re.sub(r"^[ \t]*$(?=\n)", "<BLANKLINE>", got, flags=re.MULTILINE)))

    def report_success(self, out: Any, test: doctest.DocTest, example: doctest.Example, got: str) -> None:
        """Dots that are printed leave nothing out, though `...` on a page would match anything there.

        Those of a traceback do: a page shows an error by its last lines.
        """
        if got != example.want and "..." in got and example.exc_msg is None:
            self.report_failure(out, test, example, got)


def session_of(text: str) -> doctest.DocTest:
    """The blocks of a page as one session."""
    without_fences = re.sub(r"^```.*$", "", text, flags=re.MULTILINE)
    return doctest.DocTestParser().get_doctest(without_fences, {}, "page", None, 0)


def pictures(text: str) -> dict[str, str]:
    """The pictures of a page by their names, as SVG: those of the diagrams that its session makes."""
    session = session_of(text)
    Corrector().run(session, out=lambda printed: None, clear_globs=False)
    return {name: session.globs[name].svg for name in PICTURE.findall(text)}


def rerun(text: str) -> str:
    """The page with what its sessions print."""
    session = session_of(text)
    corrector, lines = Corrector(), text.split("\n")
    corrector.run(session, out=lambda printed: None)
    for example, got in reversed(corrector.corrections):
        start = example.lineno + example.source.count("\n")
        lines[start : start + example.want.count("\n")] = got.removesuffix("\n").split("\n") if got else []
    return "\n".join(lines)


# ------------------------------------------------------------------ notebooks

SHOWN = {
    "text/html": "_repr_html_", "text/latex": "_repr_latex_", "image/svg+xml": "_repr_svg_", "image/png": "_repr_png_",
}  # fmt: skip
"""How a notebook asks a value to show itself, by the form."""


def shown(value: Any) -> dict[str, Any]:
    """A value in each form that it has, as Jupyter asks for them and a notebook keeps them."""
    found: dict[str, Any] = {"text/plain": _lines(repr(value))}
    for form, method in SHOWN.items():
        made = getattr(value, method, lambda: None)()
        if isinstance(made, bytes):
            found[form] = base64.b64encode(made).decode() + "\n"
        elif made is not None:
            found[form] = _lines(made)
    return dict(sorted(found.items()))


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def outputs(source: str, space: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """What a cell shows: what it prints, and the value of its last expression."""
    tree, value = ast.parse(source), None
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, f"cell {number}", "exec"), space)
        if isinstance(last, ast.Expr) and not source.rstrip().endswith(";"):
            value = eval(compile(ast.Expression(last.value), f"cell {number}", "eval"), space)
    made: list[dict[str, Any]] = []
    if printed.getvalue():
        made.append({"name": "stdout", "output_type": "stream", "text": _lines(printed.getvalue())})
    if value is not None:
        result = {"execution_count": number, "metadata": {}, "output_type": "execute_result"}
        made.append({"data": shown(value), **result})
    return made


def notebook(text: str) -> str:
    """The notebook with what its cells show."""
    table, space, number = json.loads(text), {}, 0
    for cell in table["cells"]:
        if cell["cell_type"] == "code":
            number += 1
            cell["execution_count"] = number
            cell["outputs"] = outputs("".join(cell["source"]), space, number)
    return json.dumps(table, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    for page in map(Path, sys.argv[1:]):
        if page.suffix == ".ipynb":
            page.write_text(notebook(page.read_text("utf-8")), "utf-8")
            continue
        page.write_text(rerun(page.read_text("utf-8")), "utf-8")
        for name, svg in pictures(page.read_text("utf-8")).items():
            (page.parent / "pictures" / f"{name}.svg").write_text(svg, "utf-8")
