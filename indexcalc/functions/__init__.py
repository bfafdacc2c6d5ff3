"""The functions of the library, a row each."""

from indexcalc.functions import elementwise, reductions  # noqa: F401  (the modules fill the table)
from indexcalc.functions.table import ELEMENTWISE
from indexcalc.graph.recognise import EXACT

EXACT.update({(row.name, argument): value for row in ELEMENTWISE.values() for argument, value in row.exact.items()})
