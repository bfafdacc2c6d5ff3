"""Several devices: values, and collectives only where a sharded index is summed, counted in the compiled program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DEVICES = {
    "XLA_FLAGS": "--xla_force_host_platform_device_count=8", "JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu",
}  # fmt: skip
SCRIPT = Path(__file__).with_name("on_devices.py")


@pytest.fixture(scope="module")
def found() -> Any:
    """What the script prints, from a process that has 8 devices."""
    run = [sys.executable, str(SCRIPT)]
    done = subprocess.run(run, capture_output=True, text=True, stdin=subprocess.DEVNULL, env={**os.environ, **DEVICES})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("problem", "collectives"),
    [
        ("value and gradient", {"all-reduce": 1}),
        ("Hessian", {"all-reduce": 1}),
        ("factorisation", {"all-reduce": 1}),
        ("CP gradient", {"all-reduce": 1}),
        ("softmax", {}),
        ("Jacobian of a batch", {}),
        ("Jacobian of a product", {}),
        ("nothing is summed", {}),
        ("two axes", {"all-reduce": 2}),
    ],
)
def test_collectives(found: Any, problem: str, collectives: dict[str, int]) -> None:
    assert found[problem] == {"equal": True, **collectives}


def test_jax_differentiates_a_sharded_program(found: Any) -> None:
    assert found["gradient through"] is True


def test_errors_are_our_own(found: Any) -> None:
    parts = [
        "n is 12, and 8 devices along data do not divide it",
        "the mesh has no axis 'rows'",
        "no dimension m",
        "is no mesh of devices",
        "the mesh axis 'data' along two of its axes (n, n)",
    ]
    for message, part in zip(found["errors"], parts, strict=True):
        assert part in message
        assert "instead" in message
