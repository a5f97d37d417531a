"""How much does a server answer, how fast, and in how much memory?

    python -m bench.web --corpora C --lexicons L

`unspin serve` with two processes on the loopback, beside the same texts read by `Reader.read` in
one process and in two. Linux only: memory is read from /proc.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from itertools import cycle, islice
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import NamedTuple

from bench import work
from bench.tables import Cell, Column, Run, Table, publish
from train import samples
from train.corpus import Document, held_out
from train.families import FAMILIES
from unspin.reader import Reader

WORDS = 300  # of a text
TEXTS, QUICK_TEXTS = 384, 64  # half of them spun
CLIENTS = (1, 8, 64)
PROCESSES = 2
TURNS, QUICK_TURNS = 3, 1
REQUESTS, QUICK_REQUESTS = 10_000, 500  # while the memory is watched
NOTED = 10  # times
LENGTHS, QUICK_LENGTHS = (1_000, 50_000, 200_000), (1_000, 10_000)  # words of a long text
STARTS, QUICK_STARTS = 5, 1

NOTE = f"""\
Held-out texts of about {WORDS} words, half of them spun by {len(FAMILIES)} families at 20% of all \
words. `unspin serve --workers {PROCESSES}`, and on the same processors its clients: each has one \
connection, and sends its next text when the last is answered. *Reader.read*: the same texts in \
memory, without JSON. Every system reads every text once in each of {TURNS} turns: medians of the \
rates, and the times of all texts together. *Of its rate*: of that of Reader.read, in one process \
for one client, in {PROCESSES} for more. *Processor*: what a text takes in the server without its \
workers, and in the clients. *Long texts* are spun texts in a row. \
Memory is what a process has for itself, and at most what it ever had; the files of the model, \
44 MB, are mapped and shared."""


class Answered(NamedTuple):
    """The status of an answer, and how long it took."""

    status: int
    seconds: float


class Turn(NamedTuple):
    """How one system went through all texts; processor seconds of the server and the clients."""

    answers: list[Answered]
    seconds: float
    server: float | None = None
    clients: float | None = None


class Server(NamedTuple):
    """Where a server is: its port and its process."""

    port: int
    process: int


class Memory(NamedTuple):
    """Bytes of the server, and of its largest worker."""

    server: int
    worker: int


class Texts(NamedTuple):
    """Texts of about `WORDS` words, in a stable order."""

    clean: list[str]
    spun: list[str]

    def mixed(self) -> list[str]:
        """All of them in an order that mixes the two."""
        texts = [*self.clean, *self.spun]
        Random(1).shuffle(texts)
        return texts

    def joined(self, words: int) -> str:
        """The first spun texts in a row, again and again, of so many words or a few more."""
        parts: list[str] = []
        length = 0
        for text in cycle(self.spun):
            if length >= words:
                break
            parts.append(text)
            length += samples.count_words(text)
        return "\n\n".join(parts)


def texts(given: work.Options, count: int) -> Texts:
    """So many texts, half of them spun."""
    documents = samples.divide(held_out(given.corpora), "bench")
    half = count // 2
    each = -(-half // len(FAMILIES))
    spun = [
        page
        for name in FAMILIES
        for page in _spun(given.lexicons, name, documents.to_spin[name], each)
    ]
    clean = samples.pages(samples.shuffled(documents.clean), WORDS)
    return Texts(clean[:half], spun[:half])


@contextmanager
def serving(workers: int, *options: str) -> Iterator[Server]:
    """A server that has said that it listens, on a port that is free."""
    unspin = str(Path(sys.executable).with_name("unspin"))
    command = [unspin, "serve", "--port", "0", "--workers", str(workers), *options]
    environment = {name: value for name, value in os.environ.items() if name != "UNSPIN_TOKEN"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stderr is not None
            yield Server(port_said(process.stderr.readline()), process.pid)
        finally:
            process.terminate()


def port_said(line: str) -> int:
    """The port on which a server says that it listens.

    >>> port_said("unspin listens on http://127.0.0.1:41235/ (Ctrl-C stops it)")
    41235
    """
    _, _, address = line.partition("http://")
    return int(address.partition("/")[0].rpartition(":")[2])


# --- the client


def request(text: str) -> bytes:
    """A request to read a text.

    >>> request("It is shut.").partition(bytes([13, 10, 13, 10]))[2]
    b'{"page": "It is shut."}'
    """
    body = json.dumps({"page": text}).encode()
    head = (
        "POST /v1/read HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join((*head, "", "")).encode() + body


async def answer(reader: asyncio.StreamReader) -> int:
    """The status of the next answer, all of which is read."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    _, _, length = head.partition("content-length:")
    await reader.readexactly(int(length.partition("\r\n")[0]))
    return int(head.split(" ", 2)[1])


async def ask(port: int, requests: Sequence[bytes], clients: int) -> list[Answered]:
    """The answers to requests that so many clients send, one after the other each."""
    answers: list[Answered] = []
    waiting = iter(requests)

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for sent in waiting:
            began = time.perf_counter()
            writer.write(sent)
            status = await answer(reader)
            answers.append(Answered(status, time.perf_counter() - began))
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(client() for _ in range(clients)))
    return answers


# --- what is measured


def served(server: Server, requests: Sequence[bytes], clients: int) -> Turn:
    """How a server answers so many clients."""
    before, own, began = processor(server.process), time.process_time(), time.perf_counter()
    answers = asyncio.run(ask(server.port, requests, clients))
    seconds = time.perf_counter() - began
    return Turn(answers, seconds, processor(server.process) - before, time.process_time() - own)


def read(pool: ProcessPoolExecutor, pages: Sequence[str]) -> Turn:
    """How the processes of a pool read the same texts."""
    began = time.perf_counter()
    took = list(pool.map(_read, pages, chunksize=4))
    return Turn([Answered(200, seconds) for seconds in took], time.perf_counter() - began)


def processor(process: int) -> float:
    """The processor time of a process without its children, in seconds."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    user, system = map(int, fields[11:13])
    return (user + system) / os.sysconf("SC_CLK_TCK")


def memory(server: int, field: str = "RssAnon") -> Memory:
    """What a field of /proc/PID/status says of a server and its workers.

    "RssAnon" is what a process has for itself, "VmHWM" the most that it had, files included.
    """
    workers = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    return Memory(_said(server, field), max(_said(int(worker), field) for worker in workers))


def percentile(answers: Sequence[Answered], hundredth: int) -> float:
    """The milliseconds within which so many hundredths of the answers came.

    >>> percentile([Answered(200, i / 1000) for i in range(101)], 99)
    99.0
    """
    seconds = [answered.seconds for answered in answers]
    return 1e3 * quantiles(seconds, n=100, method="inclusive")[hundredth - 1]


def main() -> None:
    """Run the benchmark and print its tables."""
    given = work.options(__doc__)
    chosen = texts(given, QUICK_TEXTS if given.quick else TEXTS)
    pages = chosen.mixed()
    requests = [request(page) for page in pages]
    total = QUICK_REQUESTS if given.quick else REQUESTS
    with (
        ProcessPoolExecutor(1) as one,
        ProcessPoolExecutor(PROCESSES) as two,
        serving(PROCESSES) as server,
    ):
        systems: dict[str, Callable[[], Turn]] = {
            "Reader.read, 1 process": partial(read, one, pages),
            f"Reader.read, {PROCESSES} processes": partial(read, two, pages),
        }
        for clients in CLIENTS:
            name = f"unspin serve, {clients} client{'s' if clients > 1 else ''}"
            systems[name] = partial(served, server, requests, clients)
        turns = _in_turns(systems, QUICK_TURNS if given.quick else TURNS)
    tables = [
        _answers(turns),
        _memory(list(islice(cycle(requests), total))),
        _long(chosen, QUICK_LENGTHS if given.quick else LENGTHS),
        _start(requests[0], QUICK_STARTS if given.quick else STARTS),
    ]
    publish(Run("web", work.command("web", given), NOTE), tables, keep=not given.quick)


def _in_turns(systems: dict[str, Callable[[], Turn]], turns: int) -> dict[str, list[Turn]]:
    """What each system did in each turn, after one in which processes start and files are read."""
    found: dict[str, list[Turn]] = {name: [] for name in systems}
    for number in range(turns + 1):
        for name, take in systems.items():
            turn = take()
            if number:
                found[name].append(turn)
    return found


def _answers(turns: dict[str, list[Turn]]) -> Table:
    rates = {
        name: median(len(turn.answers) / turn.seconds for turn in taken)
        for name, taken in turns.items()
    }
    one, two, first, *_ = rates
    rows: list[list[Cell]] = []
    for name, taken in turns.items():
        answers = [answered for turn in taken for answered in turn.answers]
        base = None if name in (one, two) else rates[name] / rates[one if name == first else two]
        refused = sum(answered.status == 429 for answered in answers)
        failed = sum(answered.status not in (200, 429) for answered in answers)
        rows.append(
            [
                name, rates[name], base, percentile(answers, 50), percentile(answers, 99),
                None if base is None else refused, None if base is None else failed,
                _each([turn.server for turn in taken], len(answers)),
                _each([turn.clients for turn in taken], len(answers)),
            ]
        )  # fmt: skip
    columns = [
        Column("system"), Column("texts a second", ",.1f"), Column("of its rate", ".0%"),
        Column("median ms", ",.1f"), Column("99 % within ms", ",.1f"),
        Column("429", ","), Column("other errors", ","),
        Column("processor ms: server", ".2f"), Column("clients", ".2f"),
    ]  # fmt: skip
    return Table("Answers", columns, rows)


def _each(seconds: Sequence[float | None], answers: int) -> float | None:
    """Milliseconds for each answer, if they were measured."""
    known = [second for second in seconds if second is not None]
    return 1e3 * sum(known) / answers if known else None


def _memory(requests: Sequence[bytes]) -> Table:
    rows: list[list[Cell]] = []
    with serving(PROCESSES) as server:
        every = len(requests) // NOTED
        answers: list[Answered] = []
        for start in range(0, len(requests), every):
            answers += served(server, requests[start : start + every], 8).answers
            errors = sum(answered.status != 200 for answered in answers)
            now = memory(server.process)
            rows.append([len(answers), errors, now.server / 1e6, now.worker / 1e6])
    columns = [
        Column("requests answered", ","), Column("errors", ","),
        Column("server MB", ",.1f"), Column("larger worker MB", ",.1f"),
    ]  # fmt: skip
    return Table("Memory, 8 clients", columns, rows)


def _long(chosen: Texts, lengths: Sequence[int]) -> Table:
    rows: list[list[Cell]] = []
    with serving(1, "--seconds", "300") as server:
        for words in lengths:
            text = chosen.joined(words)
            (answered,) = served(server, [request(text)], 1).answers
            assert answered.status == 200
            most = memory(server.process, "VmHWM")
            rows.append(
                [words, len(text) / 1e6, answered.seconds, most.server / 1e6, most.worker / 1e6]
            )
    columns = [
        Column("words", ","), Column("million characters", ".2f"), Column("s", ",.2f"),
        Column("server MB at most", ",.0f"), Column("worker MB at most", ",.0f"),
    ]  # fmt: skip
    return Table("Long texts, 1 worker", columns, rows)


def _start(sent: bytes, starts: int) -> Table:
    listens, answers = [], []
    for _ in range(starts):
        began = time.perf_counter()
        with serving(PROCESSES) as server:
            listens.append(time.perf_counter() - began)
            (answered,) = served(server, [sent], 1).answers
            answers.append(time.perf_counter() - began)
            assert answered.status == 200
    rows: list[list[Cell]] = [
        ["it says that it listens", median(listens)],
        ["the first text is read", median(answers)],
    ]
    return Table("From `unspin serve` until", [Column("what"), Column("s", ".2f")], rows)


def _spun(lexicons: Path, name: str, documents: Sequence[Document], most: int) -> list[str]:
    family = FAMILIES[name](lexicons)
    originals = samples.pages(documents, WORDS)[:most]
    rate = samples.levels(family)["medium"]
    return [page.text for page in samples.spun(originals, family, rate)]


def _said(process: int, field: str) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return 1024 * int(status.partition(f"{field}:")[2].split()[0])


@cache
def _reader() -> Reader:
    return Reader()


def _read(page: str) -> float:
    began = time.perf_counter()
    _reader().read(page)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
