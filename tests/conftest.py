"""What all tests share: double precision in JAX, the oracle, and how long hypothesis searches.

`INDEXCALC_PROFILE=thorough` searches at random and long; without it every run tries the same examples.
"""

from __future__ import annotations

import os
import zlib

import jax
import numpy as np
import programs
import pytest
from hypothesis import HealthCheck, settings

jax.config.update("jax_enable_x64", True)

slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("ci", derandomize=True, max_examples=200, deadline=None, suppress_health_check=slow)
settings.register_profile("thorough", max_examples=5000, deadline=None, suppress_health_check=slow)
settings.load_profile(os.environ.get("INDEXCALC_PROFILE", "ci"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """The numbers a test draws are its own: they depend on its name, never on which tests ran before it."""
    if isinstance(item, pytest.Function) and hasattr(item.module, "RNG"):
        item.module.RNG = np.random.default_rng(zlib.crc32(item.name.encode()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """After a thorough run: what was drawn, how often."""
    if os.environ.get("INDEXCALC_PROFILE") == "thorough":
        counts = ", ".join(f"{name} {count}" for name, count in sorted(programs.DRAWN.items()))
        terminalreporter.write_line(f"drawn: {counts}")
