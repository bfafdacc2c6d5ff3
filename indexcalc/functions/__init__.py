"""The functions of the library, a row each."""

from indexcalc.functions import (  # noqa: F401  (the modules fill the table)
    decompositions,
    elementwise,
    inverse,
    matrix_series,
    reductions,
)
