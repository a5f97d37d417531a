"""How fast is a crawl scanned, beside the filters that crawls are put through today?

    python -m bench.scan --corpora C --lexicons L

One process on one core for the table of rates, all systems in turns over the same documents, by
the processor time of the process; then the command itself, with one worker and with two.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from bench import work
from bench.tables import Cell, Column, Run, Table, publish
from train import samples
from train.corpus import held_out
from train.families import FAMILIES
from unspin import lm
from unspin.lm import LanguageModel
from unspin.reader import MODEL
from unspin.scan import inputs
from unspin.scan.batch import DOCUMENTS, SCORES, Scorer
from unspin.scan.job import Fields

SPUN = 0.02  # share of the documents
SHARES = (0.0, 0.002, SPUN, 0.1)
LONGEST = 1_000  # words: fastText reads no more of a line
MEGABYTES, QUICK_MEGABYTES = 24, 4
LESS = {"lattice": 0.02, "gopher": 0.05, "fasttext": 0.5}  # of the text, for what is slow
REPEATS, QUICK_REPEATS = 3, 1
ROWS = 1_000  # documents of a batch
SHARDS, COPIES = 8, 8  # files for the command, and how often each has its documents
CLASSIFIER = {"dim": 16, "wordNgrams": 2, "epoch": 2, "seed": 1, "verbose": 0}

NOTE = f"""\
Held-out documents of all sources, cut after {LONGEST:,} words, {SPUN:.0%} of them spun by 15 \
families at 20% of all words. MB are of UTF-8 text as it is in memory, of HTML where that is the \
input. One process on one core; medians of {REPEATS} turns, in each of which every system reads \
the text once. *In memory*: Arrow batches in, batches of scores out. *Parquet*: a file in (zstd), \
a side table out. *Lattice*: the full lattice on every page. fastText: a classifier of 16 \
dimensions with pairs of words; KenLM: trigrams of our own model; Gopher: the quality filter of \
datatrove; word set: share of lower-cased words in a set, in plain Python; *reading* is Parquet \
into Arrow and nothing else."""


class Corpus(NamedTuple):
    """Documents as a table, and how many bytes of text they have."""

    documents: pa.Table
    size: int


System = Callable[[Corpus], object]


def corpus(given: work.Options, megabytes: float, share: float = SPUN) -> Corpus:
    """About so many MB of documents in a stable order, a share of which is spun."""
    documents = samples.divide(held_out(given.corpora), "bench")
    families = {name: load(given.lexicons) for name, load in FAMILIES.items()}
    spun = [
        page.text
        for name, family in families.items()
        for page in samples.spun(
            [_cut(document.text) for document in documents.to_spin[name][:60]],
            family,
            0.6 if family.by_types else 0.2,
        )
    ]
    chance = Random(1)
    chance.shuffle(spun)
    texts: list[str] = []
    size = 0
    for document in samples.shuffled(documents.clean):
        if size > megabytes * 1e6:
            break
        text = spun[len(texts) % len(spun)] if chance.random() < share else _cut(document.text)
        texts.append(text)
        size += len(text.encode())
    ids = [str(i) for i in range(len(texts))]
    columns = [ids, ["bench"] * len(texts), texts, [None] * len(texts)]
    return Corpus(pa.table(columns, schema=DOCUMENTS), size)


def _cut(text: str) -> str:
    """The paragraphs in which the first words of a text are."""
    lines: list[str] = []
    words = 0
    for line in text.split("\n"):
        lines.append(line)
        words += samples.count_words(line)
        if words >= LONGEST:
            break
    return "\n".join(lines)


def part(whole: Corpus, share: float) -> Corpus:
    """The first documents of a corpus."""
    documents = whole.documents.slice(0, max(int(share * whole.documents.num_rows), 1))
    return Corpus(documents, sum(len(text.as_buffer()) for text in documents["text"]))


# --- the systems


def in_memory(scorer: Scorer, given: Corpus) -> None:
    """Score batches of a table."""
    for batch in given.documents.to_batches(ROWS):
        scorer(batch)


def from_parquet(scorer: Scorer, file: Path, out: Path) -> None:
    """Score a file into a side table."""
    (shard,) = inputs.find([str(file)])
    with pq.ParquetWriter(out, SCORES, compression="zstd") as table:
        for documents in inputs.read(shard, Fields(), rows=False):
            table.write_batch(scorer(documents.batch))


def lattice(scorer: Scorer, given: Corpus) -> None:
    """Ask the lattice about every document."""
    for text in given.documents["text"].to_pylist():
        scorer.reader.judge(text)


def fasttext(model: Any, given: Corpus) -> None:  # noqa: ANN401 - it has no types
    """Classify every document."""
    for text in given.documents["text"].to_pylist():
        model.predict(text.replace("\n", " "))


def kenlm(model: Any, given: Corpus) -> None:  # noqa: ANN401 - it has no types
    """Score every document by trigrams."""
    for text in given.documents["text"].to_pylist():
        model.score(text.replace("\n", " "), bos=False, eos=False)


def word_set(words: set[str], given: Corpus) -> None:
    """Count every document's words that are in a set."""
    for text in given.documents["text"].to_pylist():
        found = text.lower().split()
        sum(word in words for word in found)


def gopher(given: Corpus) -> None:
    """Filter every document by Gopher's rules for quality."""
    from datatrove.data import Document
    from datatrove.pipeline.filters import GopherQualityFilter

    chosen = GopherQualityFilter()
    for i, text in enumerate(given.documents["text"].to_pylist()):
        chosen.filter(Document(text=text, id=str(i)))


def read(file: Path) -> None:
    """Read the texts and do nothing with them."""
    for _ in pq.ParquetFile(file).iter_batches(ROWS, columns=["text"]):
        pass


def count(given: Corpus) -> None:
    """Look at every byte of the texts once."""
    for batch in given.documents.to_batches(ROWS):
        bytes(batch["text"].buffers()[2]).count(b" ")


def systems(given: Corpus, folder: Path) -> dict[str, tuple[System, Corpus]]:
    """Everything that is timed, by the name of its row, with the text that it gets."""
    file = folder / "in.parquet"
    pq.write_table(given.documents.select(["id", "text"]), file, compression="zstd")
    scorer = Scorer()
    little, slow = part(given, LESS["lattice"]), part(given, LESS["gopher"])
    classifier, trigrams = _classifier(given, folder), _trigrams(folder)
    words = set(LanguageModel(MODEL / "lm.bin").words)
    return {
        "unspin scan, in memory": (partial(in_memory, scorer), given),
        "unspin scan, Parquet": (
            lambda _: from_parquet(scorer, file, folder / "out.parquet"), given
        ),
        "unspin, lattice on every page": (partial(lattice, scorer), little),
        "fastText predict": (partial(fasttext, classifier), part(given, LESS["fasttext"])),
        "KenLM trigrams": (partial(kenlm, trigrams), given),
        "datatrove Gopher quality": (gopher, slow),
        "word set, plain Python": (partial(word_set, words), given),
        "reading the Parquet file": (lambda _: read(file), given),
        "counting the spaces": (count, given),
    }  # fmt: skip


def _classifier(given: Corpus, folder: Path) -> Any:  # noqa: ANN401 - it has no types
    """A classifier as large as such filters are; what it learned does not matter here."""
    import fasttext as library

    library.FastText.eprint = lambda *_: None
    file = folder / "lessons.txt"
    texts = given.documents["text"].to_pylist()[:4000]
    lines = (f"__label__{i % 2} {' '.join(text.split())}\n" for i, text in enumerate(texts))
    file.write_text("".join(lines), encoding="utf-8")
    return library.train_supervised(str(file), **CLASSIFIER)


def _trigrams(folder: Path) -> Any:  # noqa: ANN401 - it has no types
    import kenlm as library

    model = LanguageModel(MODEL / "lm.bin")
    file = folder / "trigrams.arpa"
    with file.open("w", encoding="utf-8") as arpa:
        lm.write_arpa(arpa, model.words, model.levels()[:3])
    return library.Model(str(file))


# --- timing


def rates(timed: dict[str, tuple[System, Corpus]], repeats: int) -> dict[str, list[float]]:
    """MB of text a second of processor time, of every system in every turn."""
    found: dict[str, list[float]] = {name: [] for name in timed}
    for _ in range(repeats):
        for name, (system, given) in timed.items():
            start = time.process_time()
            system(given)
            found[name].append(given.size / 1e6 / (time.process_time() - start))
    return found


class Command(NamedTuple):
    """One run of the command: seconds by the wall clock, and the largest memory of a process."""

    seconds: float
    megabytes: float


def command(files: Sequence[Path], out: Path, workers: int) -> Command:
    """Run the command over files."""
    measuring = (
        "import resource, subprocess, sys;"
        "status = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(status)"
    )
    scan = [sys.executable, "-m", "unspin", "scan", *map(str, files), "-o", str(out)]
    start = time.perf_counter()
    result = subprocess.run(
        [sys.executable, "-c", measuring, *scan, "--workers", str(workers), "--json"],
        check=True,
        capture_output=True,
        text=True,
    )
    # Linux counts in KiB; the parent's other children are small beside a worker.
    return Command(time.perf_counter() - start, int(result.stdout.split()[-1]) / 1024)


def html_pages(given: Corpus) -> Iterator[bytes]:
    """The documents as pages of HTML, with the furniture that pages have."""
    menu = "".join(f'<li><a href="/s/{i}">Section {i}</a></li>' for i in range(40))
    style = "<style>" + "p{margin:0 auto;max-width:40em}" * 60 + "</style>"
    for text in given.documents["text"].to_pylist():
        body = "".join(f'<p class="body">{line}</p>\n' for line in text.split("\n") if line)
        yield (
            f"<!doctype html><html><head><meta charset=utf-8><title>Page</title>{style}</head>"
            f"<body><nav><ul>{menu}</ul></nav><main><article>{body}</article></main>"
            f"<footer><p>All rights reserved.</p></footer></body></html>"
        ).encode()


def warc(pages: Sequence[bytes], file: Path) -> None:
    """Write pages as an archive."""
    with gzip.open(file, "wb", compresslevel=1) as archive:
        for i, page in enumerate(pages):
            http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + page
            head = (
                "WARC/1.0\r\nWARC-Type: response\r\n"
                f"WARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-{i:012d}>\r\n"
                f"WARC-Target-URI: https://site-{i % 50}.example/page/{i}\r\n"
                "WARC-Date: 2026-01-01T00:00:00Z\r\n"
                "Content-Type: application/http; msgtype=response\r\n"
                f"Content-Length: {len(http)}\r\n\r\n"
            )
            archive.write(head.encode() + http + b"\r\n\r\n")


def main() -> None:
    """Run the benchmark and print its tables."""
    given = work.options(__doc__)
    cores = os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        megabytes = QUICK_MEGABYTES if given.quick else MEGABYTES
        repeats = QUICK_REPEATS if given.quick else REPEATS
        text = corpus(given, megabytes)
        os.sched_setaffinity(0, {max(cores)})
        found = rates(systems(text, folder), repeats)
        shares = _by_share(given, megabytes / 3, repeats)
        archive = _archive(text, folder, repeats)
        os.sched_setaffinity(0, cores)
        bytes_each = (folder / "out.parquet").stat().st_size / text.documents.num_rows
        tables = [_beside(found), shares, archive, _workers(text, folder, repeats)]
        tables.append(Table("The side table", [Column("bytes a document", ".0f")], [[bytes_each]]))
    publish(Run("scan", work.command("scan", given), NOTE), tables, keep=not given.quick)


def _beside(found: dict[str, list[float]]) -> Table:
    slowest = [Column("system"), Column("MB/s", ".1f"), Column("least", ".1f")]
    columns = [*slowest, Column("most", ".1f"), Column("fastText", ".2f"), Column("KenLM", ".2f")]
    rivals = median(found["fastText predict"]), median(found["KenLM trigrams"])
    rows: list[list[Cell]] = [
        [name, median(rates), min(rates), max(rates), *(median(rates) / rival for rival in rivals)]
        for name, rates in found.items()
    ]
    return Table("One core; the last two columns are times the rate of these", columns, rows)


def _by_share(given: work.Options, megabytes: float, repeats: int) -> Table:
    """The rate in memory by how much of the crawl is spun."""
    scorer = Scorer()
    timed: dict[str, tuple[System, Corpus]] = {
        f"{share:.1%}": (partial(in_memory, scorer), corpus(given, megabytes, share))
        for share in SHARES
    }
    rows: list[list[Cell]] = [
        [share, median(turns)] for share, turns in rates(timed, repeats).items()
    ]
    return Table("By how many documents are spun", [Column("spun"), Column("MB/s", ".1f")], rows)


def _archive(text: Corpus, folder: Path, repeats: int) -> Table:
    """Extraction alone, and with scoring."""
    pages = list(html_pages(part(text, 0.25)))
    file = folder / "pages.warc.gz"
    warc(pages, file)
    (shard,) = inputs.find([str(file)])
    scorer = Scorer()
    size = sum(map(len, pages)) / 1e6
    rows: list[list[Cell]] = []
    for name, score in (("reading and extracting", None), ("unspin scan", scorer)):
        turns = []
        for _ in range(repeats):
            start = time.process_time()
            for documents in inputs.read(shard, Fields()):
                if score is not None:
                    score(documents.batch)
            turns.append(size / (time.process_time() - start))
        rows.append([name, median(turns)])
    return Table("WARC of HTML", [Column("what"), Column("MB of HTML a second", ".1f")], rows)


def _workers(text: Corpus, folder: Path, repeats: int) -> Table:
    """The whole command, start included."""
    files = []
    rows = text.documents.num_rows // SHARDS
    for i in range(SHARDS):
        files.append(folder / f"shard-{i}.parquet")
        documents = text.documents.select(["id", "text"]).slice(i * rows, rows)
        pq.write_table(pa.concat_tables([documents] * COPIES), files[-1])
    runs: dict[int, list[Command]] = {1: [], 2: []}
    for turn in range(repeats):
        for workers, done in runs.items():
            done.append(command(files, folder / f"out-{turn}-{workers}", workers))
    single = median(run.seconds for run in runs[1])
    found: list[list[Cell]] = [
        [
            workers,
            median(run.seconds for run in done),
            COPIES * text.size / 1e6 / median(run.seconds for run in done),
            single / median(run.seconds for run in done),
            max(run.megabytes for run in done),
        ]
        for workers, done in runs.items()
    ]
    columns = [
        Column("workers", ","), Column("s", ".1f"), Column("MB/s", ".1f"),
        Column("times one", ".2f"), Column("peak MB of a process", ".0f"),
    ]  # fmt: skip
    return Table("The command, by the wall clock", columns, found)


if __name__ == "__main__":
    main()
