"""The functions of the library, a row each."""

from indexcalc.functions import (  # noqa: F401  (the modules fill the table)
    decompositions,
    elementwise,
    inverse,
    matrix_series,
    reductions,
)
from indexcalc.functions.table import ELEMENTWISE, MATRICES
from indexcalc.simplify.matrices.matrix import PRIMARY, SPECIAL, TURNED
from indexcalc.simplify.recognise import EXACT

EXACT.update({(row.name, argument): value for row in ELEMENTWISE.values() for argument, value in row.exact.items()})
PRIMARY.update({row.name: row.slope for row in MATRICES.values() if row.slope is not None})
SPECIAL.update({row.name: row.special for row in MATRICES.values() if row.special is not None})
TURNED.update({row.name: row.turned for row in MATRICES.values() if row.turned is not None})
