"""How do the cores of this machine share the work? A process each, and any of them may die.

Each process has a pipe of its own, so that it is known which shard a dead one had. What a worker
has not finished by then is done again by a fresh one.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from threading import Thread
from typing import Any, Generic, TypeVar

import pyarrow as pa

from unspin.arrays import ModelError
from unspin.scan.job import Advance, Line, ScanError, Shard, Work
from unspin.scan.manifest import sharing

TRIES = 3  # at a shard whose workers die, which may be its own fault

S = TypeVar("S", bound=Shard)
L = TypeVar("L", bound=Line)


def run(
    shards: Iterable[S], job: Work[S, L], workers: int, advance: Callable[[Advance], None]
) -> Iterator[L]:
    """Do the work on shards in so many processes; yields each as it is finished.

    Shards are handed out in the order given, so put the largest first. A shard whose worker was
    killed is tried again, and one that kills every worker comes back as one that cannot be read.
    Workers end with this process, however it ends, and when the iterator is closed.

    Raises:
        ScanError: the work cannot go on, its files cannot be written, or workers cannot start.
    """
    waiting = deque(shards)
    tries: Counter[S] = Counter()
    team: list[_Worker[S, L]] = []
    try:
        while waiting or team:
            while waiting and len(team) < workers:
                team.append(_Worker(job))
                team[-1].give(waiting.popleft())
            speaking = wait([worker.connection for worker in team])
            for worker in [worker for worker in team if worker.connection in speaking]:
                said = worker.hear()
                if isinstance(said, Advance):
                    advance(said)
                elif said is not None:
                    if waiting:
                        worker.give(waiting.popleft())
                    else:
                        team.remove(worker)
                        worker.dismiss()
                    yield said
                else:
                    team.remove(worker)
                    advance(worker.undone())
                    shard, cause = worker.shard, worker.cause_of_death()
                    tries[shard] += 1
                    if tries[shard] < TRIES:
                        waiting.appendleft(shard)
                    else:
                        error = f"its worker died {TRIES} times ({cause})"
                        yield job.give_up(shard, error, advance)
    finally:
        for worker in team:
            worker.kill()


class _Worker(Generic[S, L]):
    """A process that does one shard after the other, as its parent sees it."""

    def __init__(self, job: Work[S, L]) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, job), daemon=True)
        with _uninterrupted():
            self._process.start()
        theirs.close()
        self._ready = False

    def give(self, shard: S) -> None:
        """Let it do a shard."""
        self.shard = shard
        self._come = Advance()
        # One that is dead already is noticed when it is heard.
        with suppress(OSError):
            self.connection.send(shard)

    def hear(self) -> Advance | L | None:
        """What it says: how far it has come, or what came of its shard; None if it is dead."""
        try:
            said: Advance | L | ScanError = self.connection.recv()
        except (EOFError, OSError):
            return None
        if isinstance(said, ScanError):
            raise said
        self._ready = True
        if isinstance(said, Advance):
            self._come = Advance(*map(sum, zip(self._come, said, strict=True)))
        return said

    def undone(self) -> Advance:
        """What takes back all that it has said of its shard."""
        return Advance(*(-come for come in self._come))

    def cause_of_death(self) -> str:
        """How it died: by a signal, or by itself."""
        self.connection.close()
        self._process.join()
        status = self._process.exitcode
        if status is not None and status < 0:
            advice = ": out of memory?" if -status == signal.SIGKILL else ""
            return f"signal {-status}{advice}"
        if not self._ready:
            raise ScanError(
                f"workers cannot start, the first ended with status {status}: what it said is"
                " above (a script that scans needs `if __name__ == '__main__':`)"
            )
        return f"status {status}"

    def dismiss(self) -> None:
        """Let it end."""
        self.connection.close()
        self._process.join()

    def kill(self) -> None:
        """End it now, whatever it is at."""
        self._process.kill()
        self._process.join()
        self.connection.close()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Start a process that Ctrl-C does not reach: the whole group gets it, the parent acts on it.

    The process could do so itself only once it runs our code, after a moment of imports.
    """
    if sys.platform == "win32":
        yield
        return
    # Started now, for it unblocks the signal when it is.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# --- in the worker


def _work(connection: Connection, job: Work[Any, Line]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # There is a worker for every core.
    pa.set_cpu_count(1)

    def say(what: Advance | Line | ScanError) -> None:
        try:
            connection.send(what)
        except OSError:
            os._exit(1)  # nobody listens any more

    try:
        with sharing(job.out) as held:
            Thread(target=_end_with_parent, daemon=True).start()
            if not held:
                return
            done = job.open()
            say(Advance())
            # The other end is closed when there is nothing left to do.
            with suppress(EOFError):
                while True:
                    say(done(connection.recv(), say))
    except (ScanError, ModelError) as error:
        say(ScanError(str(error)))


def _end_with_parent() -> None:
    """End at once when the parent has: what is half written is swept up by the next scan."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
