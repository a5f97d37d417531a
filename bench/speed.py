"""How fast is a page read, and how soon does the command answer?

    python -m bench.speed --corpora C --lexicons L

Words per second of `Reader.read` on one core, from plain text to verdict and edits, by the wall
clock and by the processor time of the process, which other work on the machine disturbs less.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench import work
from bench.tables import Cell, Column, Run, Table, publish
from train import samples
from train.corpus import held_out
from train.families import FAMILIES
from unspin.lm import LanguageModel
from unspin.reader import MODEL, Reader
from unspin.reading import Verdict

SHORT, LONG = 1_000, 20_000  # words of a page
PAGES = {SHORT: 20, LONG: 2}
SPUN = {"spun, element": ("element", 0.9), "spun, WordNet": ("wordnet random", 0.4)}
REPEATS, QUICK_REPEATS = 5, 1
OPENINGS = 20

NOTE = "Medians of repeats. One process, one thread, compiled kernels."


class Seconds(NamedTuple):
    """Time by the wall clock and of the processor."""

    wall: float
    processor: float


def timed(action: Callable[[], object], repeats: int) -> Seconds:
    """The medians of the times that an action takes."""
    walls, processors = [], []
    for _ in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        action()
        processors.append(time.process_time() - processor)
        walls.append(time.perf_counter() - wall)
    return Seconds(median(walls), median(processors))


def test_pages(given: work.Options) -> dict[tuple[str, int], list[str]]:
    """Clean and spun pages by kind and length."""
    documents = samples.divide(held_out(given.corpora), "bench").clean
    news = [d for d in documents if d.source in samples.NEWS]
    found = {}
    for words, count in PAGES.items():
        clean = samples.pages(news, words)[:count]
        found["clean", words] = clean
        for kind, (name, rate) in SPUN.items():
            spun = samples.spun(clean, FAMILIES[name](given.lexicons), rate)
            found[kind, words] = [page.text for page in spun]
    return found


def main() -> None:
    """Run the benchmark and print its tables."""
    given = work.options(__doc__)
    repeats = QUICK_REPEATS if given.quick else REPEATS
    pages = test_pages(given)
    tables = [_reading(pages, repeats), _opening(), _command(pages, repeats)]
    publish(Run("speed", work.command("speed", given), NOTE), tables, keep=not given.quick)


def _reading(pages: dict[tuple[str, int], list[str]], repeats: int) -> Table:
    reader = Reader()
    rows: list[list[Cell]] = []
    for (kind, words), texts in pages.items():
        total = sum(map(samples.count_words, texts))
        verdicts = _read_all(reader, texts)  # which warms up, too
        seconds = timed(partial(_read_all, reader, texts), repeats)
        spun = sum(verdict == "spun" for verdict in verdicts) / len(texts)
        rows.append([kind, words, spun, total / seconds.wall, total / seconds.processor])
    columns = [
        Column("page"),
        Column("words", ","),
        Column("called spun", ".0%"),
        Column("words a second", ",.0f"),
        Column("words a processor second", ",.0f"),
    ]
    return Table("Reading", columns, rows)


def _read_all(reader: Reader, texts: Sequence[str]) -> list[Verdict]:
    return [reader.read(text).verdict for text in texts]


def _opening() -> Table:
    model = timed(lambda: LanguageModel(MODEL / "lm.bin"), OPENINGS)
    reader = timed(Reader, OPENINGS)
    rows: list[list[Cell]] = [
        ["language model", 1e3 * model.wall],
        ["reader, channel included", 1e3 * reader.wall],
    ]
    return Table("Opening the model", [Column("what"), Column("ms", ".1f")], rows)


def _command(pages: dict[tuple[str, int], list[str]], repeats: int) -> Table:
    rows: list[list[Cell]] = [["unspin --help", _answer(["--help"], repeats)]]
    with tempfile.TemporaryDirectory() as folder:
        for (kind, words), texts in pages.items():
            if words == SHORT:
                page = Path(folder) / "page.txt"
                page.write_text(texts[0], encoding="utf-8")
                seconds = _answer(["read", str(page)], repeats)
                rows.append([f"unspin read PAGE, {words:,} words, {kind}", seconds])
    return Table("The command, start included", [Column("command"), Column("s", ".3f")], rows)


def _answer(arguments: Sequence[str], repeats: int) -> float:
    command = [str(Path(sys.executable).with_name("unspin")), *arguments]

    def run() -> None:
        subprocess.run(command, check=True, capture_output=True)

    run()  # so that neither files nor compiled modules are read for the first time
    return timed(run, repeats).wall


if __name__ == "__main__":
    main()
