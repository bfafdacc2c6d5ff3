"""The page of rewrites: `python tests/rewrites.py` writes its tables anew; `test_rewrites.py` compares."""

from __future__ import annotations

import re
from pathlib import Path

import indexcalc as ic
from indexcalc.simplify.identities.entries import IN_PRODUCTS, IN_SUMS
from indexcalc.simplify.identities.table import GATHERED, NESTED
from indexcalc.simplify.rewriting.catalogue import TABLES

PAGE = Path(ic.__file__).parent.parent / "docs" / "rewrites.md"
NAMES = {
    **{name: ic.scalar(name) for name in "abst"},
    **{name: ic.scalar(name, positive=True) for name in "pq"},
    **{name: ic.tensor(name, "n") for name in "xyz"},
    **{name: ic.tensor(name, "n n") for name in "ABC"},
    "S": ic.tensor("S", "n n", symmetric=True),
    "P": ic.tensor("P", "n n", positive_definite=True),
    "X": ic.tensor("X", "m n"),
    "u": ic.tensor("u", "n", positive=True),
    "v": ic.tensor("v", 3),
    "w": ic.tensor("w", "n*n"),
}
"""The tensors of the examples."""
IDENTITIES = {
    "among the factors of a product": GATHERED,
    "of a function of a function": NESTED,
    "of entries, in a product": IN_PRODUCTS,
    "of entries, in a sum": IN_SUMS,
}


def code(text: str) -> str:
    return f"`{text.replace('|', chr(92) + '|')}`"


def rewrites() -> str:
    lines = []
    for kind, table in TABLES.items():
        lines += [f"### {kind.capitalize()}", "", "| rewrite | formula | example | condition | source |",
                  "|---|---|---|---|---|"]  # fmt: skip
        for row in table:
            before, after = row.example
            example = code(before) if before == after else f"{code(before)} is {code(after)}"
            lines.append(f"| {row.name} | {code(row.formula)} | {example} | {row.condition} | {row.source} |")
        lines.append("")
    return "\n".join(lines)


def identities() -> str:
    lines = []
    for kind, table in IDENTITIES.items():
        lines += [f"### Identities {kind}", "", "| identity | left | right | source |", "|---|---|---|---|"]
        for row in table:
            coef = getattr(row, "coef", 1)
            right = row.right if coef == 1 else f"{coef} {row.right}"
            lines.append(f"| {row.name} | {code(row.left)} | {code(right)} | {row.source} |")
        lines.append("")
    return "\n".join(lines)


def page(text: str) -> str:
    """The page with its tables made anew."""
    for name, made in (("rewrites", rewrites()), ("identities", identities())):
        text = re.sub(rf"(<!-- {name} -->\n).*?(<!-- end -->)", lambda m, made=made: m[1] + "\n" + made + m[2], text,
                      flags=re.DOTALL)  # fmt: skip
    return text


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
