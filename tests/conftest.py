"""What all tests share: marks and tiers, double precision in JAX, and how long hypothesis searches.

`INDEXCALC_PROFILE=thorough` searches at random and long; without it every run tries the same examples.
"""

from __future__ import annotations

import ast
import os
import sys
import zlib
from collections.abc import Generator, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

OPTIONAL = ("jax", "torch", "dask", "scipy", "sklearn", "cotengra", "sympy", "einops", "xarray", "playwright")
"""Packages without which a test module that imports them is skipped."""
MARKED = ("jax", "torch", "dask")
"""Those of them for which the tests of the module have a mark."""
SAMPLED = 20
"""Of the tests that compare with JAX, which compiles for each of them, one in so many is in the fast tier too."""
CORPUS = ("corpus_case",)
"""Who imports this tests on the corpus."""

os.environ["INDEXCALC_TRACEBACK"] = "full"  # whoever mends the library wants to see where it failed

if find_spec("jax") is not None:
    import jax

    jax.config.update("jax_enable_x64", True)

slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("ci", derandomize=True, max_examples=200, deadline=None, suppress_health_check=slow)
settings.register_profile("thorough", max_examples=5000, deadline=None, suppress_health_check=slow)
settings.load_profile(os.environ.get("INDEXCALC_PROFILE", "ci"))


@cache
def imported(path: Path) -> frozenset[str]:
    """What a test module imports at its top, by itself or through another file of the tests."""
    found: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    for name in list(found):
        beside = path.with_name(f"{name}.py")
        if beside.exists():
            found |= imported(beside)
    return frozenset(found)


def missing(path: Path) -> list[str]:
    """The packages that a test module needs and that aren't installed."""
    return [name for name in OPTIONAL if name in imported(path) and find_spec(name) is None]


class Absent(pytest.Module):
    """A test module that can't be imported here; it says what for."""

    def collect(self) -> list[pytest.Item]:
        needs = ", ".join(missing(self.path))
        pytest.skip(f"{self.path.name} compares with {needs}, not installed here", allow_module_level=True)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Generator[None, Any, Any]:
    """A file of tests; in its place, where it can't be imported, why it is skipped."""
    found = yield
    if file_path.suffix == ".py" and missing(file_path):
        return [Absent.from_parent(parent, path=file_path)] if file_path.name.startswith("test_") else []
    return found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests have the marks of what their module imports."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            names = imported(item.path)
            for mark in [name for name in MARKED if name in names] + ["corpus"] * any(x in names for x in CORPUS):
                item.add_marker(mark)
            if "jax" in names and zlib.crc32(item.nodeid.encode()) % SAMPLED:
                item.add_marker("slow")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """The numbers a test draws are its own: they depend on its name, never on which tests ran before it."""
    if isinstance(item, pytest.Function) and hasattr(item.module, "RNG"):
        item.module.RNG = np.random.default_rng(zlib.crc32(item.name.encode()))


@pytest.fixture(scope="module", autouse=True)
def compilations() -> Iterator[None]:
    """What JAX has compiled is forgotten after each module: kept, it takes gigabytes."""
    yield
    if "jax" in sys.modules:
        jax.clear_caches()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """After a thorough run: what was drawn, how often."""
    if os.environ.get("INDEXCALC_PROFILE") == "thorough" and "programs" in sys.modules:
        counts = ", ".join(f"{name} {count}" for name, count in sorted(sys.modules["programs"].DRAWN.items()))
        terminalreporter.write_line(f"drawn: {counts}")
