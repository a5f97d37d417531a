"""How does an index grow, and what does a trace cost as it does?

    python -m bench.trace_growth --corpora C --lexicons L

Articles of some 250 words, so that there are enough of them; the same pages are traced to an index
of each size, in one process.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import chain, islice
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

from bench import work
from bench.tables import Column, Run, Table, publish
from train import samples
from train.corpus import documents, held_out, training_files
from train.families import FAMILIES
from train.queries import Article, cut
from train.spin import spin
from unspin import pages
from unspin.trace import Index, Tracer
from unspin.trace.index import build

SIZES = (1_000, 10_000, 100_000, 300_000)
QUICK_SIZES = (1_000, 3_000)
WORDS = 250  # of an article at most, but for longer paragraphs
LEAST_WORDS = 100  # of an article that a page is made of, or that stands for one without a source
PAGES = 100  # with a source in every index, and as many without
FAMILY = "moby random"

NOTE = (
    f"Articles of {WORDS} words at most. {PAGES} pages spun from articles that every index has,"
    f" and {PAGES} from articles that none has, by the family {FAMILY}, which replaces all that it"
    " can. Search: the 20 parts of articles that are nearest, fetched and decompressed. Trace: the"
    " page's text in, matches out, alignment included. Medians, then 95th percentiles; one process,"
    " one thread. MB are of text in UTF-8; memory is the peak of the process that builds,"
    " half a gigabyte of it the libraries of this benchmark."
)


class Built(NamedTuple):
    """What it took to build an index, of how much text."""

    text: int  # bytes
    size: int  # bytes
    seconds: float
    processor: float
    memory: int  # bytes


def articles(corpora: Path) -> Iterator[Article]:
    """Short articles: first those that pages are made of, then text that models were trained on."""
    held = (document for document in held_out(corpora) if samples.part(document) == "bench")
    rest = chain.from_iterable(map(documents, training_files(corpora)))
    for document in chain(held, rest):
        yield from cut(document, WORDS)


def built(task: tuple[Path, Path, int]) -> Built:
    """Build an index of the first lines of a file, in a process of its own."""
    lines, folder, size = task
    some = folder / "articles.jsonl"
    text = 0
    with lines.open(encoding="utf-8") as source, some.open("w", encoding="utf-8") as target:
        for line in islice(source, size):
            text += len(json.loads(line)["text"].encode())
            target.write(line)
    start, processor = time.perf_counter(), time.process_time()
    build([str(some)], folder / "index")
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    some.unlink()
    stored = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Built(text, stored, seconds, processor, memory)


def timed(tracer: Tracer, index: Index, texts: Sequence[str]) -> tuple[list[float], list[float]]:
    """Milliseconds of every search and of every trace."""
    searches, traces = [], []
    for text in texts:
        start = time.perf_counter()
        index.search(tracer.query(text), 20)
        searches.append(1000 * (time.perf_counter() - start))
        start = time.perf_counter()
        tracer.trace(pages.plain(text))
        traces.append(1000 * (time.perf_counter() - start))
    return searches, traces


def _both(values: Sequence[float]) -> tuple[float, float]:
    return median(values), quantiles(values, n=20)[-1]


def main() -> None:
    """Run the benchmark and publish its table."""
    given = work.options(__doc__)
    sizes = QUICK_SIZES if given.quick else SIZES
    family = FAMILIES[FAMILY](given.lexicons)
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        lines = Path(temporary) / "all.jsonl"
        chosen: list[str] = []
        with lines.open("w", encoding="utf-8") as file:
            every = articles(given.corpora)
            left_out = [a.text for a in islice(every, 500) if _is_long(a)][:PAGES]
            for article in islice(every, sizes[-1]):
                if len(chosen) < PAGES and _is_long(article):
                    chosen.append(article.text)
                file.write(json.dumps({"id": article.id, "text": article.text}) + "\n")
        spun = [[spin(text, family, 1.0, 0).text for text in some] for some in (chosen, left_out)]
        for size in sizes:
            folder = Path(temporary) / str(size)
            folder.mkdir()
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
                cost = pool.submit(built, (lines, folder, size)).result()
            index = Index.open(folder / "index")
            tracer = Tracer(index)
            timed(tracer, index, spun[0][:5])
            with_source, without = (timed(tracer, index, texts) for texts in spun)
            found = sum(bool(tracer.trace(pages.plain(text)).matches) for text in spun[0])
            rows.append(
                (
                    len(index), cost.text / 1e6, cost.size / 1e6, cost.size / cost.text,
                    cost.seconds, cost.text / 1e6 / cost.processor, cost.memory / 1e6,
                    *_both(with_source[0]), *_both(with_source[1]), *_both(without[1]),
                    found / len(spun[0]),
                )
            )  # fmt: skip
    columns = [
        Column("articles", ",d"), Column("text MB", ",.1f"), Column("index MB", ",.1f"),
        Column("of the text", ".0%"), Column("built in s", ".1f"),
        Column("MB/s of a processor", ".1f"), Column("memory MB", ",.0f"),
        Column("search ms", ".1f"), Column("95th", ".1f"),
        Column("trace ms", ".1f"), Column("95th", ".1f"),
        Column("without a source ms", ".1f"), Column("95th", ".1f"), Column("sources found", ".0%"),
    ]  # fmt: skip
    table = Table("An index as it grows", columns, rows)
    run = Run("trace_growth", work.command("trace_growth", given), NOTE)
    publish(run, [table], keep=not given.quick)


def _is_long(article: Article) -> bool:
    return samples.count_words(article.text) >= LEAST_WORDS


if __name__ == "__main__":
    main()
