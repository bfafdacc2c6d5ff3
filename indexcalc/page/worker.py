"""Workers: processes kept warm that answer a question each, with limits of time and memory.

A worker reads a question a line from its standard input, JSON, and writes the answer as a line. One that takes too long
is ended and another takes its place; the answer says so. What it may hold is the system's to limit, where it does.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Lock, Thread, Timer
from typing import Any, BinaryIO

from indexcalc.page.answers import answer

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment]

SECONDS = 6.0
"""Seconds that an answer may take: some ten times what the slowest of the corpus takes."""
MEMORY = 3 << 30
"""Bytes of addresses that a worker may have: what NumPy reserves, and room for the largest answers that are shown."""
WORKERS = 2
"""Processes that answer: one works on a long question while the other answers the next."""
QUEUED = 20.0
"""Seconds that a question waits for a worker, with others before it."""
MOST = 400_000
"""Characters of an answer: a browser is slow to set a longer one, and nobody reads it."""
WARM = {"formula": "Y = X @ W + B; L = sum(softmax(Y)**2)", "by": "W"}
"""A question that loads what most questions need."""


def main(stdin: BinaryIO, stdout: BinaryIO, seconds: float, memory: int) -> None:
    """Answer questions until there are no more: until the server is gone, which alone is interrupted by its user."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit_memory(memory)
    for verb in ("derive", "steps", "source", "numbers", "check"):
        said(json.dumps([verb, {**WARM, "check": "X.T @ W"}]).encode())
    stdout.write(b"ready\n")
    stdout.flush()
    for line in stdin:
        limit_time(seconds)
        stdout.write(said(line) + b"\n")
        stdout.flush()


def said(line: bytes) -> bytes:
    """The answer to a question, as a line of JSON; an error of any kind is an answer.

    >>> said(b'["derive", {"formula": "x[", "by": "x"}]')[:31]
    b'{"error": {"kind": "ParseError"'
    """
    try:
        verb, asked = json.loads(line)
        text = json.dumps(answer(verb, asked), ensure_ascii=False)
    except MemoryError:
        return json.dumps(trouble("MemoryError", "it takes too much memory", "ask for less")).encode()
    except Exception as error:  # an error that is not the library's own is a fault of the library: it is shown
        told = f"{type(error).__name__}: {error}"
        return json.dumps(trouble("Fault", f"a fault of the library: {told[:400]}", "write it otherwise")).encode()
    if len(text) > MOST:
        return json.dumps(trouble("TooLong", f"the answer has {len(text):,} characters", "ask for less")).encode()
    return text.encode("utf-8", "backslashreplace")  # half a character, which JSON writes so too


def trouble(kind: str, found: str, instead: str) -> dict[str, Any]:
    """An answer that says why there is none.

    >>> trouble("TooLong", "the answer has 900,000 characters", "ask for less")["error"]["kind"]
    'TooLong'
    """
    return {"error": {"kind": kind, "text": f"{found}\n  instead: {instead}", "found": found, "instead": instead}}


def limit_memory(memory: int) -> None:
    """Let this process have no more than so many bytes of addresses."""
    if resource is not None:
        with suppress(ValueError, OSError):  # a system that has the limit in name, or a lower one already
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def limit_time(seconds: float) -> None:
    """Let this process have no more than so many seconds of the processor from now on, and one to say so."""
    if resource is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime + seconds) + 2, hard))


class Worker:
    """A process that answers, once it is warm."""

    def __init__(self, seconds: float, memory: int) -> None:
        self.seconds = seconds
        root = str(Path(__file__).parents[2])
        paths = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "indexcalc.page.worker", str(seconds), str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )
        self.late = False

    def read(self) -> bytes:
        """The next line; nothing where the process has ended."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def ask(self, question: bytes) -> bytes:
        """The answer to a question; nothing where the process ended before it had one."""
        assert self.process.stdin is not None
        timer = Timer(self.seconds, self._stop)
        timer.start()
        try:
            self.process.stdin.write(question + b"\n")
            self.process.stdin.flush()
            return self.read()
        except OSError:
            return b""
        finally:
            timer.cancel()
            timer.join()

    def _stop(self) -> None:
        self.late = True
        self.process.kill()

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with suppress(OSError):  # what was written to it last is read by nobody
                    stream.close()


class Pool:
    """Warm workers: each question goes to one that is free, and a worker that ended is replaced."""

    def __init__(self, seconds: float = SECONDS, memory: int = MEMORY) -> None:
        self.seconds, self.memory = seconds, memory
        self.free: Queue[Worker] = Queue()
        self.all: set[Worker] = set()
        self.lock = Lock()
        self.closed = False

    def start(self, workers: int = WORKERS) -> None:
        """Start so many workers, and wait for none."""
        for _ in range(workers):
            Thread(target=self._add, daemon=True).start()

    def _add(self) -> None:
        """A worker more, free once it is warm."""
        with self.lock:
            if self.closed:
                return
            made = Worker(self.seconds, self.memory)
            self.all.add(made)
        if made.read() == b"ready\n":
            self.free.put(made)

    def ask(self, verb: str, asked: Mapping[str, Any]) -> bytes:
        """The answer to a question, JSON, or why there is none."""
        try:
            worker = self.free.get(timeout=QUEUED)
        except Empty:
            return json.dumps(trouble("Busy", "others are being answered", "ask again")).encode()
        found = worker.ask(json.dumps([verb, asked]).encode()).rstrip(b"\n")
        if found and not worker.late and b'"MemoryError"' not in found[:40]:
            self.free.put(worker)
            return found
        with self.lock:
            self.all.discard(worker)
        worker.close()
        self.start(1)
        if found:
            return found
        why = f"it takes more than {self.seconds:g} s" if worker.late else "it takes too much time or memory"
        return json.dumps(trouble("TooMuch", why, "ask for less, or use the library, which waits")).encode()

    def close(self) -> None:
        """End all workers."""
        with self.lock:
            self.closed = True
            workers, self.all = self.all, set()
        for worker in workers:
            worker.close()


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer, float(sys.argv[1]), int(sys.argv[2]))
