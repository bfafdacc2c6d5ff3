"""What `check` answers: fields for programs, a text for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any

from indexcalc.checking.mends import FAULTS
from indexcalc.writing.html import code, table


@dataclass(frozen=True, slots=True)
class Difference:
    """The first term in which a formula and a derivative differ, as text; "" for a side that has no such term."""

    formula: str
    derivative: str

    def __str__(self) -> str:
        if not self.formula:
            return f"it lacks {self.derivative}"
        if not self.derivative:
            return f"it has {self.formula}, which the derivative lacks"
        return f"it has {self.formula}, and the derivative {self.derivative}"


@dataclass(frozen=True, slots=True)
class Counterexample:
    """Small inputs at which a formula and a derivative differ: one entry, and both values there."""

    inputs: dict[str, Any]
    entry: tuple[int, ...]
    formula: float
    derivative: float

    def __str__(self) -> str:
        given = ", ".join(
            f"{name} = {value.tolist() if hasattr(value, 'tolist') else value}" for name, value in self.inputs.items()
        )
        place = f"entry [{', '.join(map(str, self.entry))}]" if self.entry else "the value"
        pairs = ([f"{value + 0.0:.{digits}g}" for value in (self.formula, self.derivative)] for digits in (6, 16))
        own, wanted = next((pair for pair in pairs if pair[0] != pair[1]), [str(self.formula), str(self.derivative)])
        return f"{given}{': ' * bool(given)}{place} is {own}, and should be {wanted}"


@dataclass(frozen=True, slots=True)
class Report:
    """The answer to "is this formula right?"; true if it is.

    `verdict` is "right", "right but for ...", "right if ...", "right where ..." or "wrong"; "right" only where every
    branch of both was met, on both sides. `layouts` names the conventions in which the
    formula (or, where something is wrong with it, the mended one) is right; `readings` has them by how vectors are
    meant, and `reading` is the first of these. `faults` are the names of what is wrong with it, of `mends.FAULTS`, and
    `mend` says what to do; `repair` is the right formula. `condition` is an assumption under which it would be right as
    it stands. `where` says on which side of a condition it is right, if not on all, and `coverage` which conditions
    were met, where numbers decided. `exact` says whether that was decided without rounding, `how` says so in words.
    `difference` and `example` show where a wrong formula differs. `meaning` is which derivative by a structured tensor
    the formula is, and `names` says which index of the derivative each index of the formula is, where names differ.
    `note` says which shapes do not fit.
    """

    verdict: str
    formula: str
    how: str
    exact: bool
    layouts: tuple[str, ...] = ()
    readings: dict[str, tuple[str, ...]] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    mend: str = ""
    repair: str = ""
    condition: str = ""
    difference: Difference | None = None
    example: Counterexample | None = None
    meaning: str = ""
    names: dict[str, str] = field(default_factory=dict)
    note: str = ""
    where: str = ""
    coverage: str = ""

    @property
    def right(self) -> bool:
        """Is the formula right as it stands?"""
        return self.verdict == "right"

    @property
    def reading(self) -> str:
        """How vectors are meant in it: "numpy", "column" or "row"; "" where that makes no difference."""
        return next(iter(self.readings), "")

    def __bool__(self) -> bool:
        return self.right

    def _lines(self) -> list[tuple[str, str]]:
        """The parts of the answer that there are, each with its name."""
        rows = [
            ("shape", self.note),
            ("mend", self.mend),
            ("condition", f"right if {self.condition}" * bool(self.faults and self.condition)),
            ("where", f"right where {self.where}" * (bool(self.where) and not self.verdict.startswith("right where"))),
            ("differs", str(self.difference or "")),
            ("example", str(self.example or "")),
            ("write", self.repair),
            ("layouts", self._shown_layouts()),
            ("indices", ", ".join(f"{one} is {other}" for one, other in self.names.items())),
            ("meaning", self.meaning),
            ("decided", self.how),
            ("coverage", self.coverage),
        ]
        return [(name, text) for name, text in rows if text]

    def _shown_layouts(self) -> str:
        if len(self.readings) < 2 and self.reading in ("", "numpy"):
            return ", ".join(self.layouts)
        said = {"numpy": "vectors plain", "column": "vectors as columns", "row": "vectors as rows"}
        return "; ".join(
            f"{', '.join(layouts)} ({said[reading]})" if layouts else said[reading]
            for reading, layouts in self.readings.items()
        )

    def __str__(self) -> str:
        rows = [f"  {name:<9}  {text}" for name, text in self._lines()]
        return "\n".join([f"{self.verdict}: {self.formula}", *rows])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = table([escape(name), code(text)] for name, text in self._lines())
        return f"<b>{escape(self.verdict)}</b>: {code(self.formula)}{rows}"


def verdict_of(faults: tuple[str, ...]) -> str:
    """The verdict of a formula with these faults."""
    return "right but for " + " and ".join(FAULTS[fault] for fault in faults) if faults else "right"
