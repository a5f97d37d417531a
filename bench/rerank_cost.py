"""What does reading with a second reader cost, in time and memory? A table of `bench.rerank`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bench import speed, work
from bench.tables import Cell, Column, Table
from train import samples
from unspin import reranker

STARTS, QUICK_STARTS = 5, 1
SHORT_PAGES = 2  # that a language model reads, the first to warm up

ALONE, SECOND = "n-gram alone", "second reader"

# A process that has nothing else in its memory, and that stays until it has been looked at.
_READING = """\
import json, sys, time, warnings
from unspin import reranker
from unspin.reader import Reader

warnings.simplefilter("error", reranker.RerankWarning)
name, first, *pages = json.loads(sys.stdin.readline())
reader = Reader(rerank=reranker.find(name) if name else None)
reader.read(first)
began = time.perf_counter()
for page in pages:
    reader.read(page)
print(time.perf_counter() - began, flush=True)
sys.stdin.readline()
"""


class Cost(NamedTuple):
    """Words that are read in a second, and bytes of memory."""

    words: float
    peak: int


def table(given: work.Options, gguf: Path | None, short: Sequence[str]) -> Table:
    """What reading costs by the n-gram model alone, with the second reader and with a language
    model, which is given the short pages."""
    pages = speed.test_pages(given)["spun, WordNet", speed.SHORT]
    starts = QUICK_STARTS if given.quick else STARTS
    rows: list[list[Cell]] = []
    with one_core():
        for system, name, options in ((ALONE, "", []), (SECOND, reranker.OWN, ["--rerank"])):
            seconds = _start(pages[0], options, starts)
            words, most = cost(name, pages)
            rows.append([system, seconds, words, most / 1e6])
        if gguf is not None:
            words, most = cost(str(gguf), short[:SHORT_PAGES])
            rows.append([gguf.name, None, words, most / 1e6])
    columns = [
        Column("system"),
        Column("start to end, s", ".2f"),
        Column("words a second", ",.0f"),
        Column("peak MB", ",.0f"),
    ]
    return Table("Cost", columns, rows)


def cost(name: str, pages: Sequence[str]) -> Cost:
    """What reading costs with the second reader of a name, or with none; the first page warms up.

    Raises:
        RuntimeError: the pages were not read.
    """
    program = [sys.executable, "-c", _READING]
    pipe = subprocess.PIPE
    with subprocess.Popen(program, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        print(json.dumps([name, *pages]), file=process.stdin, flush=True)
        seconds = process.stdout.readline()
        if not seconds:
            raise RuntimeError(f"the pages were not read with {name or 'no second reader'}")
        return Cost(sum(map(samples.count_words, pages[1:])) / float(seconds), peak(process.pid))


def peak(process: int) -> int:
    """The most bytes that a process had, and its children.

    Not what it says of itself as `ru_maxrss`: that counts what its parent had when it began.
    """
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    status = [Path(f"/proc/{each}/status").read_text() for each in (process, *children)]
    return sum(1024 * int(told.partition("VmHWM:")[2].split()[0]) for told in status)


@contextmanager
def one_core() -> Iterator[None]:
    """One core for this process and all that it starts."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def _start(text: str, options: Sequence[str], repeats: int) -> float:
    """Seconds from the start of the command to its end."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.txt"
        page.write_text(text, encoding="utf-8")
        command = [str(Path(sys.executable).with_name("unspin")), "read", str(page), *options]
        run = partial(subprocess.run, command, check=True, capture_output=True)
        run()  # so that no file is read for the first time
        return speed.timed(run, repeats).wall
