"""How far has work on shards come, how fast is it, and how long will it take? Told while it runs.

Standard error has a bar and the counts; where it is no terminal it stays quiet.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from rich.filesize import decimal

from unspin.scan.job import Advance

INTERVAL = 0.25  # seconds between two pictures
SETTLED = 3.0  # seconds from which on the rate so far tells what is left


@contextmanager
def progress(shards: int, size: int, found: str = "spun") -> Iterator[Callable[[Advance], None]]:
    """Show how work on so many shards and bytes gets on; call what it gives with each advance.

    The rate is that since the start, so count only what this run has still to do. `found` says
    what the documents are that are looked for; it is empty where none is. Threads may call what
    it gives. It starts none itself, and processes may therefore be forked while it shows.

    >>> with progress(shards=1, size=10) as advance:  # quiet: here is no terminal
    ...     advance(Advance(shards=1, bytes=10, documents=3, found=1))
    """
    from rich.console import Console, Group

    console = Console(stderr=True, highlight=False)
    # `is_terminal` of the console can be forced to be true; what we ask is whether someone looks.
    if not sys.stderr.isatty() or console.is_dumb_terminal:
        yield _quiet
        return

    from rich.live import Live
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    start = drawn = time.monotonic()
    come = Advance()
    lock = Lock()

    def picture() -> Group:
        first, second = told(come, shards, size, time.monotonic() - start, found)
        bar = ProgressBar(total=1.0, completed=_share(come, shards, size))
        line = Table.grid(expand=True, padding=(0, 2, 0, 0))
        line.add_column(ratio=1, min_width=10)
        line.add_column(no_wrap=True)
        line.add_row(bar, Text(first))
        return Group(line, Text(second, "dim"))

    # What others print to standard output while this shows may be on its way to a file.
    with Live(console=console, auto_refresh=False, redirect_stdout=False) as live:

        def advance(by: Advance) -> None:
            nonlocal come, drawn
            with lock:
                come = _sum(come, by)
                if time.monotonic() - drawn >= INTERVAL:
                    live.update(picture(), refresh=True)
                    drawn = time.monotonic()

        live.update(picture(), refresh=True)
        try:
            yield advance
        finally:
            live.update(picture(), refresh=True)


def told(
    come: Advance, shards: int, size: int, seconds: float, found: str = "spun"
) -> tuple[str, str]:
    """Return how far work on so many shards and bytes has come, in two short lines.

    >>> for line in told(Advance(3, 400_000_000, 81_204, 1_204), 12, 1_600_000_000, 10):
    ...     print(line)
    25 %  0:00:30 left
    3 of 12 shards  400.0 MB of 1.6 GB  40.0 MB/s  81,204 documents, 1,204 spun
    """
    share = _share(come, shards, size)
    if share == 1:
        clock = f"{_clock(seconds)} taken"
    elif share > 0 and seconds >= SETTLED:
        clock = f"{_clock(seconds * (1 - share) / share)} left"
    else:
        clock = "-:--:-- left"
    rate = come.bytes / 1_000_000 / seconds if seconds else 0.0
    documents = f"{come.documents:,} document{'' if come.documents == 1 else 's'}"
    return f"{int(100 * share):>2} %  {clock}", "  ".join(
        (
            f"{come.shards:,} of {shards:,} shard{'' if shards == 1 else 's'}",
            f"{decimal(come.bytes)} of {decimal(size)}",
            f"{rate:.1f} MB/s",
            f"{documents}, {come.found:,} {found}" if found else documents,
        )
    )


def _share(come: Advance, shards: int, size: int) -> float:
    """The share that is done: all of it when all shards are, and by bytes before."""
    if come.shards >= shards:
        return 1.0
    # What fsspec says of a size can be wrong, or nothing.
    return min(come.bytes / size, 0.99) if size else come.shards / shards


def _clock(seconds: float) -> str:
    minutes, second = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{second:02}"


def _sum(come: Advance, by: Advance) -> Advance:
    return Advance(*(so_far + more for so_far, more in zip(come, by, strict=True)))


def _quiet(_: Advance) -> None:
    """Nobody looks."""
