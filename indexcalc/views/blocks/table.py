"""The functions that make arrays of parts, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from indexcalc.views.blocks.cumulative import cumprod, cumsum
from indexcalc.views.blocks.joined import block, concatenate, stack, tile
from indexcalc.views.blocks.moved import roll, split

BLOCKS: dict[str, Callable[..., Any]] = {
    f.__name__: f for f in (block, concatenate, cumprod, cumsum, roll, split, stack, tile)
}
