"""One object for equal content: a table that threads, forked processes, finalizers and signal handlers share."""

from __future__ import annotations

import os
from threading import RLock
from typing import Any
from weakref import WeakValueDictionary


class Interned:
    """The objects that exist, by their content; one that nobody holds is forgotten."""

    def __init__(self) -> None:
        self.entries: WeakValueDictionary[Any, Any] = WeakValueDictionary()
        self.claims: dict[Any, Any] = {}
        self.lock = RLock()
        if hasattr(os, "register_at_fork"):  # where processes fork
            os.register_at_fork(after_in_child=self._renew)

    def _renew(self) -> None:
        """A lock that nobody holds: in a process that was forked, the thread that held the old one isn't there."""
        self.lock = RLock()

    def get(self, key: Any) -> Any:
        """The object with this content; None if there is none."""
        return self.entries.get(key)

    def enter(self, key: Any, made: Any) -> Any:
        """The object that stands under this key from now on: `made`, unless there is one.

        The lock keeps other threads out, but between any two lines this thread itself may come here again, in a
        `__del__` or a signal handler. So who finds nothing claims the key first, and `setdefault` of a dict is one
        step: who comes in between takes what is claimed.

        >>> table = Interned()
        >>> first, second = frozenset("a"), frozenset("a")
        >>> table.enter("a", first) is table.enter("a", second) is table.get("a") is first
        True
        """
        with self.lock:
            found = self.entries.get(key)
            if found is not None:
                return found
            claimed = self.claims.setdefault(key, made)
            if claimed is not made:
                return claimed
            try:
                found = self.entries.get(key)
                if found is None:
                    self.entries[key] = found = made
                return found
            finally:
                del self.claims[key]
