"""The table of what exists: whoever makes a thing of equal content, and wherever, gets the one that is there.

So it is for threads at the same time, for a process that was forked while one of them was at it, and for a `__del__` or
a signal handler that makes something while the thread that it interrupts is here.
"""

from __future__ import annotations

import os
from threading import RLock
from typing import Any
from weakref import WeakValueDictionary

Key = tuple[Any, ...]

table: WeakValueDictionary[Key, Any] = WeakValueDictionary()
"""What exists, by its content; what nobody uses goes."""
claims: dict[Key, Any] = {}
"""What is being entered, by calls that are not at their end."""
lock = RLock()


def renew_lock() -> None:
    """A lock that nobody holds: in a process that was forked, the thread that held the old one isn't there."""
    global lock
    lock = RLock()


if hasattr(os, "register_at_fork"):  # where processes fork
    os.register_at_fork(after_in_child=renew_lock)


def enter(key: Key, made: Any) -> Any:
    """What stands in the table under this key from now on: `made`, unless there is something.

    The lock keeps other threads out, but between any two lines this thread itself may come here again. So who finds
    nothing claims the key first, and `setdefault` of a dict is one step: who comes in between takes what is claimed.
    """
    with lock:
        found = table.get(key)
        if found is not None:
            return found
        claimed = claims.setdefault(key, made)
        if claimed is not made:
            return claimed
        try:
            found = table.get(key)
            if found is None:
                table[key] = found = made
            return found
        finally:
            del claims[key]
