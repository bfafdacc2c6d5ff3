"""Checks and random programs, for the library's own tests and for those of its users."""

from indexcalc.checking.point import point
from indexcalc.testing.checks import check_derivative, check_layout, check_round_trip, check_rule

__all__ = ["check_derivative", "check_layout", "check_round_trip", "check_rule", "point"]
