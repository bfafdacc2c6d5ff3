"""Texts for the reader, guided by coverage: `python tests/fuzz_text.py [CORPUS_DIR] [-max_total_time=600]`.

It needs atheris, the extra `fuzz`, which is no part of the tests: `indexcalc.testing.texts` has a run without it. An
input that ends in anything but a value or an `IndexCalcError` is written to a file by libFuzzer.
"""

from __future__ import annotations

import sys


def main() -> None:
    try:
        import atheris
    except ImportError:
        sys.exit('it needs atheris: python -m pip install -e ".[fuzz]"')
    with atheris.instrument_imports(include=["indexcalc"]):
        from indexcalc.testing.texts import ENTRIES, LONGEST, Case, answered

    def one(data: bytes) -> None:
        given = atheris.FuzzedDataProvider(data)
        entry = list(ENTRIES)[given.ConsumeIntInRange(0, len(ENTRIES) - 1)]
        text = given.ConsumeUnicodeNoSurrogates(LONGEST)
        told = answered(Case(entry, text))
        if told:
            raise AssertionError(f"{entry}({text!r}): {told}")

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
