"""Who works on the pages? So many processes, any of which may be stopped or die without harm."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
from anyio import BrokenWorkerProcess, CapacityLimiter, to_process

from unspin.web import work
from unspin.web.metrics import Metrics
from unspin.web.problems import ProblemError, noted
from unspin.web.settings import Settings
from unspin.web.work import Answer, Failed, Refused

FIRST_GUESS = 0.5  # seconds that a page takes, before one has been read
OPEN_SECONDS = 30  # in which a process has to start and to open what it works with
LONGEST_WAIT = 60  # seconds that a caller is told to wait at most

T = TypeVar("T")


class Workers:
    """The processes of one server; they start when they are first needed."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._free = CapacityLimiter(settings.workers)
        # How many processes there are is decided here and not by anyio.
        self._any = CapacityLimiter(math.inf)
        self._opened_with = (settings.indexes, settings.families)
        self._page_seconds = FIRST_GUESS
        metrics.watch_waiting(lambda: self.waiting)

    @property
    def waiting(self) -> int:
        """How many pages wait for a process."""
        return self._free.statistics().tasks_waiting

    def wait_for(self, requests: int) -> int:
        """In how many seconds so many requests will about be answered."""
        seconds = self._page_seconds * requests / self._settings.workers
        return min(max(1, math.ceil(seconds)), LONGEST_WAIT)

    async def start(self) -> None:
        """Start all processes and have them open the model.

        Raises:
            ModelError: a file of the model is missing or damaged.
            FamilyError: a file of a family cannot be read.
            TraceError: an index cannot be opened.
            BrokenWorkerProcess: a process does not start.
        """
        try:
            async with anyio.create_task_group() as all_at_once:
                for _ in range(self._settings.workers):
                    all_at_once.start_soon(self._in_process, work.start, *self._opened_with)
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def run(
        self,
        task: Callable[..., Answer],
        *arguments: object,
        gone: Callable[[], Awaitable[bool]],
    ) -> Answer:
        """Return what a process makes of a page, as soon as one is free.

        Args:
            task: a function of `work`.
            arguments: its arguments.
            gone: whether nobody waits for the answer any longer; asked before the work begins.

        Raises:
            ProblemError: the page cannot be worked on, takes too long, or killed its process.
        """
        # The first time it is asked, the server begins to look; what it sees is known later.
        await gone()
        async with self._free:
            if await gone():
                raise ProblemError(503, "the one who asked has gone away")
            began = time.monotonic()
            try:
                told = await self._within_time(task, arguments)
            finally:
                self._page_seconds += 0.1 * (time.monotonic() - began - self._page_seconds)
        if isinstance(told, Refused):
            raise ProblemError(422, told.detail)
        if isinstance(told, Failed):
            raise noted(told.where)
        return told

    async def _within_time(
        self, task: Callable[..., Answer], arguments: tuple[object, ...]
    ) -> Answer | Refused | Failed:
        seconds = self._settings.seconds
        # A process that has to be started first is no fault of the page.
        opened = await self._surely_open()
        if isinstance(opened, Failed):
            return opened
        try:
            with anyio.fail_after(seconds):
                return await self._in_process(work.attempt, task, arguments, cancellable=True)
        except TimeoutError:
            self._metrics.killed("time")
            detail = f"the page took longer than {seconds:g} s: split it and send a part at a time"
            raise ProblemError(422, detail) from None
        except BrokenWorkerProcess:
            self._metrics.killed("died")
            raise ProblemError(
                500,
                "the process that worked on the page was killed: send it again; a long page may "
                "have run out of memory: split it and send a part at a time",
            ) from None

    async def _surely_open(self) -> Answer | Refused | Failed:
        """Have a process that can work.

        One that died while it had nothing to do, or does not answer, is replaced.
        """
        # At worst none of those that are there can work, and another one is needed.
        for _ in range(self._settings.workers + 1):
            try:
                with anyio.fail_after(OPEN_SECONDS):
                    return await self._in_process(
                        work.attempt, work.start, self._opened_with, cancellable=True
                    )
            except (BrokenWorkerProcess, TimeoutError):
                self._metrics.killed("died")
        return Failed("a process that does not start")

    async def _in_process(
        self, function: Callable[..., T], *arguments: object, cancellable: bool = False
    ) -> T:
        return await to_process.run_sync(
            function, *arguments, cancellable=cancellable, limiter=self._any
        )
