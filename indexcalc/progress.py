"""How far a long work is: told to the function that `progress=` names, say `ic.show_progress`, a line of a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from inspect import signature
from typing import TypeVar

from indexcalc.errors import Asked, KindError
from indexcalc.surface import public

Item = TypeVar("Item")
INSTEAD = "write progress=ic.show_progress, or a function of how much is done, of how much, and of what"
Callback = Callable[[int, int | None, str], object]
"""Takes how much is done, of how much (None where nobody knows), and of what."""


class Listener:
    """Who is told, and what of it is not over yet."""

    def __init__(self, tell: Callback) -> None:
        self.tell, self.open = tell, (0, "")

    def __call__(self, done: int, total: int | None, what: str) -> None:
        """So much is done."""
        self.open = (0, "") if done == total else (done, what)
        self.tell(done, total, what)

    def close(self) -> None:
        """It is over, whether or not all of it was needed."""
        done, what = self.open
        if what:
            self(done, done, what)


TOLD: ContextVar[Listener | None] = ContextVar("TOLD", default=None)
"""Whom the work at hand tells, in this thread."""


def callback(progress: object, asked: str | Asked) -> Callback | None:
    """What is told of progress, or an error where it can't be called so."""
    if progress is None:
        return None
    if isinstance(progress, type) or not callable(progress):
        raise KindError(asked, f"progress={progress!r} can't be called", INSTEAD)
    try:
        signature(progress).bind(0, None, "")
    except TypeError as error:
        raise KindError(asked, f"progress={progress!r} can't be called so: {error}", INSTEAD) from None
    except ValueError:  # a builtin that has no signature
        pass
    return progress


def unheard(done: int, total: int | None, what: str) -> None:
    """Tell nobody."""


@contextmanager
def telling(progress: Callback | None) -> Iterator[None]:
    """Whatever works within tells this function, if there is one; at the end it is told that all is done."""
    if progress is None:
        yield
        return
    listener = Listener(progress)
    token = TOLD.set(listener)
    try:
        yield
    finally:
        TOLD.reset(token)
        listener.close()


def tell(done: int, total: int | None, what: str) -> None:
    """Tell whoever listens how much is done."""
    listener = TOLD.get()
    if listener is not None:
        listener(done, total, what)


def each(items: Collection[Item], what: str) -> Iterator[Item]:
    """The items, one after the other, and whoever listens is told how many are done.

    >>> with telling(lambda done, total, what: print(done, total, what)):
    ...     found = [item**2 for item in each([3, 4], "squares")]
    0 2 squares
    1 2 squares
    2 2 squares
    """
    tell(0, len(items), what)
    for done, item in enumerate(items, 1):
        yield item
        tell(done, len(items), what)


@public
def show_progress(done: int, total: int | None, what: str) -> None:
    """Write how far a work is on one line of the terminal, and take it away at the end; nothing where there is none.

    It is what `progress=` takes: `ic.verify(D, progress=ic.show_progress)`, `ic.check`, `ic.compile`.

    >>> import indexcalc as ic
    >>> ic.show_progress(3, 10, "points tried")
    """
    if sys.stderr is not None and sys.stderr.isatty():
        text = "" if done == total else f"{what}: {done}" if total is None else f"{what}: {done} of {total}"
        sys.stderr.write(f"\r\x1b[K{text}\r")  # what is printed next stands upon it
        sys.stderr.flush()
