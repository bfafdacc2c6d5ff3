"""Expressions built by several threads, in forked processes, and in the middle of another one's building."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading

import pytest

import indexcalc as ic
from indexcalc.engine.compile import compiled
from indexcalc.graph import node as nodes
from indexcalc.graph.constructors import variable


@pytest.fixture
def switching():
    """Threads that take turns as often as the interpreter lets them."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def together(count, task):
    """What `count` threads return from `task(number)` when they start at once."""
    start, made, failed = threading.Barrier(count), {}, []

    def work(number):
        start.wait()
        try:
            made[number] = task(number)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed
    return [made[number] for number in range(count)]


def expressions(count):
    """Expressions of new tensors, new dimensions and their products."""
    made = []
    for number in range(count):
        a, b = ic.tensor("A", f"m{number} n{number}"), ic.tensor("B", f"n{number}*m{number} 3")
        made += [(ic.sin(a) + a * number).T @ a, ic.exp(b).sum()]
    return made


def test_threads_that_build_the_same_have_the_same_nodes(switching):
    first, *others = together(8, lambda number: expressions(100))
    for other in others:
        assert all(a.node is b.node for a, b in zip(first, other, strict=True))
    assert not nodes.TABLE.claims


def test_threads_share_the_programs_of_a_function(switching, monkeypatch):
    monkeypatch.setattr(compiled, "MOST_PLANS", 2)
    x = ic.tensor("x", "n")
    f = ic.compile(x @ x, [x])

    def lengths(number):
        return [1 + (step + number) % 5 for step in range(40)]

    for number, values in enumerate(together(8, lambda number: [float(f([1.0] * n)) for n in lengths(number)])):
        assert values == lengths(number)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("visit", [1, 2, 3, 4])
def test_what_is_built_while_the_same_is_built_is_the_same(monkeypatch, visit, when):
    """Three times the table is read and once written: at that visit the node is also built by somebody else."""

    class Table(type(nodes.TABLE.entries)):
        visits, inner = 0, None

        def visited(self, act, *args):
            Table.visits += 1
            here = Table.visits == visit
            if here and when == "before":
                Table.inner = variable("nested", ("n",))
            done = act(*args)
            if here and when == "after":
                Table.inner = variable("nested", ("n",))
            return done

        def get(self, key):
            return self.visited(super().get, key)

        def __setitem__(self, key, value):
            self.visited(super().__setitem__, key, value)

    monkeypatch.setattr(nodes.TABLE, "entries", Table())
    outer = variable("nested", ("n",))
    assert Table.inner is outer is variable("nested", ("n",))
    assert not nodes.TABLE.claims


# ------------------------------------------------------------------ in a process of its own, which must end


def ends_well(script):
    """The script runs to its end; a lock that nobody releases would keep it for ever."""
    text = "import indexcalc as ic\n" + textwrap.dedent(script)
    done = subprocess.run(
        [sys.executable, "-c", text], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 0, done.stdout + done.stderr


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork processes")


@needs_fork
def test_a_process_forked_while_a_thread_builds():
    """Twenty children, each of which builds, simplifies, derives, plans and evaluates."""
    ends_well(
        """
        import os, threading

        building = True

        def program(number):
            x = ic.tensor(f"x{number}", f"n{number} m")
            ic.compile(ic.grad((ic.sin(x @ x.T @ x)).sum(), x), [x], sizes={f"n{number}": 2, "m": 3})

        def build():
            number = 0
            while building:
                number += 1
                program(number)

        program(0)  # what is imported when it is first used: Python's locks of imports outlive a fork
        threads = [threading.Thread(target=build) for _ in range(2)]
        for thread in threads:
            thread.start()
        for number in range(20):
            child = os.fork()
            if not child:
                y = ic.tensor(f"y{number}", f"k{number}")
                value = ic.grad(y @ y, y).evaluate({y: [1.0, 2.0]})
                os._exit(0 if list(value) == [2.0, 4.0] else 1)
            _, status = os.waitpid(child, 0)
            assert status == 0, status
        building = False
        for thread in threads:
            thread.join()
        """
    )


@needs_fork
def test_a_process_forked_while_the_lock_is_held():
    ends_well(
        """
        import os, threading
        from indexcalc.graph import node

        held, done = threading.Event(), threading.Event()

        def hold():
            with node.TABLE.lock:
                held.set()
                done.wait()

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait()
        child = os.fork()
        if not child:
            ic.sin(ic.tensor("fresh", "n"))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        done.set()
        thread.join()
        assert status == 0, status
        """
    )


def test_a_finalizer_that_builds():
    """The garbage collector runs sooner or later while something is built, and what it frees builds the same."""
    ends_well(
        """
        import gc

        built = []

        class Late:
            def __init__(self, number):
                self.itself, self.number = self, number

            def __del__(self):
                built.append((self.number, build(self.number)))

        def build(number):
            x = ic.tensor("x", f"n{number}")
            return (ic.sin(x) * number + x ** 2).sum() * ic.scalar(f"s{number}")

        made = []
        for number in range(300):
            gc.set_threshold(1 + number)
            Late(number)
            made.append(build(number))
        gc.collect()
        assert len(built) == 300
        assert all(one.node is made[number].node for number, one in built)
        """
    )


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no timer that sends signals")
def test_a_signal_handler_that_builds():
    ends_well(
        """
        import signal, time

        now, built = [0], []

        def build(number):
            x = ic.tensor("x", f"n{number}")
            return (ic.sin(x) * number + x ** 2).sum() * ic.scalar(f"s{number}")

        def handler(*_):
            built.append((now[0], build(now[0])))
            signal.setitimer(signal.ITIMER_REAL, 1e-4)

        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 1e-4)
        made, end = [], time.monotonic() + 2
        while time.monotonic() < end or len(built) < 100:
            now[0] = len(made)
            made.append(build(len(made)))
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        assert all(one.node is made[number].node for number, one in built)
        """
    )
