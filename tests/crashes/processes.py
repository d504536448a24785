"""Processes that are killed: what lives, what has died, and a database server that can be killed whole."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from exchange.embedded import Server
from exchange.roles import libpq

PATIENCE = 60  # seconds before a test gives up: never a measure
PR_SET_CHILD_SUBREAPER = 36


@contextmanager
def orphans_adopted() -> Iterator[None]:
    """Processes that lose their parent become our children: we bury them at once, the system takes its time."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    yield
    libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def dead(pid: int) -> bool:
    """Whether a process does nothing any more, buried or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def children(pid: int) -> list[int]:
    """The processes that a process has started and that live."""
    try:
        found = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [child for child in found if not dead(child)]


def kill(pid: int) -> list[int]:
    """SIGKILL to a process and to those that it has started, all at once; return their numbers, to ``bury``."""
    os.kill(pid, signal.SIGSTOP)  # it must not see its children die
    pids = [*children(pid), pid]
    for each in pids:
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
    until = time.monotonic() + PATIENCE
    while not all(map(dead, pids)):
        assert time.monotonic() < until, f"{pids} don't die"
        time.sleep(0.001)
    return pids


def bury(pids: Sequence[int]) -> None:
    """Take note that processes have died, those that are ours: their numbers are nobody's any more."""
    for pid in pids:
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)


class Mortal(Server):
    """A durable server, all of whose processes can be killed at once, as when the power fails."""

    @property
    def pid(self) -> int:
        """The first of its processes, which starts the others."""
        return int((self.data / "postmaster.pid").read_text().split()[0])

    @contextmanager
    def superuser(self) -> Iterator[psycopg.Connection]:
        """A connection to the server itself, in autocommit."""
        with psycopg.connect(libpq(self.url("postgres")), autocommit=True) as connection:
            yield connection

    def kill(self) -> None:
        """Nothing of it does anything more."""
        bury(kill(self.pid))

    def stop(self, mode: str = "fast") -> None:
        """Stop it as its operator does."""
        pid = self.pid
        super().stop(mode)
        bury([pid])
