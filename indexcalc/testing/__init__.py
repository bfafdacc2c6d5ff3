"""Checks and random programs, for the library's own tests and for those of its users."""

from indexcalc.testing.checks import check_derivative, check_layout, check_round_trip, check_rule, point

__all__ = ["check_derivative", "check_layout", "check_round_trip", "check_rule", "point"]
