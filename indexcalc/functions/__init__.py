"""The functions of the library, a row each."""

from indexcalc.functions import elementwise, reductions  # noqa: F401  (the modules fill the table)
