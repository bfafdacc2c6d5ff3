"""What notebooks show beside LaTeX: code and tables, as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

LEFT = 'style="text-align: left"'
"""Cells begin at one place: notebooks put them to the right otherwise."""


def code(text: str) -> str:
    """A text in letters of equal width.

    >>> code("A < B")
    '<code>A &lt; B</code>'
    """
    return f"<code>{escape(text)}</code>"


def paragraph(text: str) -> str:
    """A text as a paragraph.

    >>> paragraph("a & b")
    '<p>a &amp; b</p>'
    """
    return f"<p>{escape(text)}</p>"


def table(rows: Iterable[Sequence[str]], head: Sequence[str] = ()) -> str:
    """A table whose cells are HTML, its titles plain text; what is below each other begins at one place.

    >>> print(table([("x", code("x @ x"))], ("name", "value")))
    <table>
    <tr><th style="text-align: left">name</th><th style="text-align: left">value</th></tr>
    <tr><td style="text-align: left">x</td><td style="text-align: left"><code>x @ x</code></td></tr>
    </table>
    """
    lines = [_row("th", map(escape, head))] if head else []
    return "\n".join(["<table>", *lines, *(_row("td", row) for row in rows), "</table>"])


def _row(tag: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag} {LEFT}>{cell}</{tag}>' for cell in cells)}</tr>"
