"""Run the sessions of pages and write what they print: `python docs/rerun.py docs/functions.md`, after adding a row.

Pictures of a page are written too. The tests run the same sessions and compare; read the difference before a commit.
"""

from __future__ import annotations

import doctest
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


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    for page in map(Path, sys.argv[1:]):
        page.write_text(rerun(page.read_text("utf-8")), "utf-8")
        for name, svg in pictures(page.read_text("utf-8")).items():
            (page.parent / "pictures" / f"{name}.svg").write_text(svg, "utf-8")
