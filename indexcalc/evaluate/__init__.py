"""Evaluation: numbers for an expression."""

from indexcalc.evaluate.front import evaluate

__all__ = ["evaluate"]
