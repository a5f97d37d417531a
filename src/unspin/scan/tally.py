"""What do the rows of side tables add up to? Counts, and the rows to look at first.

Tables are read a few columns and some thousand rows at a time, and what is kept has a bound:
memory does not grow with the number of documents, nor without end with that of sources.
"""

from __future__ import annotations

import heapq
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from unspin.reading import UNKNOWN_FAMILY
from unspin.scan.batch import SCORES
from unspin.scan.job import ScanError

BINS = 20  # of the histogram, each as wide as the others
WORST = 20  # pages to look at first
# Sources with a count of their own, which takes some 50 MB; those that are met later share one. A
# file of a crawl has 20,000 hosts, and many of them in common with the next.
MOST_SOURCES = 250_000
MOST_REASONS = 1_000  # the same for the reasons why documents were skipped
LISTED = 1_000  # sources that a summary lists
NAMELESS = "not named"  # a source that is null in the tables

_ROWS = 16_384  # of a table that are in memory at once
_COLUMNS = ["id", "source", "probability", "verdict", "rate", "words", "family", "reason"]


@dataclass(frozen=True, slots=True)
class Rate:
    """How many documents of a source were scanned, and how many of them are spun."""

    source: str
    documents: int
    spun: int

    @property
    def share(self) -> float:
        """The share of its documents that is spun; those skipped count as documents."""
        return self.spun / self.documents


@dataclass(frozen=True, slots=True)
class Count:
    """How many documents have a family, or were skipped for a reason."""

    name: str
    documents: int


@dataclass(frozen=True, slots=True)
class Worst:
    """A page to look at first: its row of the side table, which is row `row` of its shard.

    Rows are counted from 0.
    """

    id: str
    source: str
    shard: str
    row: int
    probability: float
    words: int
    rate: float
    family: str
    table: Path


class Tally:
    """Counts over the rows of tables, which are added one after the other.

    All counts are exact. Beyond `MOST_SOURCES` and `MOST_REASONS` the new ones go without: their
    documents are what is missing to the totals.
    """

    def __init__(self) -> None:
        self.words = 0
        self.histogram = [0] * BINS
        self.worst: list[Worst] = []  # in order, `WORST` at most
        self._sources: dict[str, tuple[int, int]] = {}  # documents, spun
        self._families: dict[str, int] = {}  # of the spun
        self._reasons: dict[str, int] = {}  # of the skipped

    def add(self, shard: str, table: Path) -> None:
        """Count the rows of a table."""
        row = 0
        try:
            for rows in _rows(table):
                self._add_counts(rows)
                self._add_worst(rows, row, shard, table)
                row += rows.num_rows
        except FileNotFoundError:
            raise ScanError(f"{table} is gone; run the scan again to write it anew") from None
        except (OSError, ValueError, LookupError, TypeError, pa.ArrowException) as error:
            raise ScanError(
                f"{table} cannot be read ({error}); run the scan again to write it anew"
            ) from None

    def sources(self) -> tuple[Rate, ...]:
        """Return the sources, `LISTED` at most, those with the most spun documents first."""
        rates = (Rate(source, *counts) for source, counts in self._sources.items())
        order = heapq.nsmallest(
            LISTED, rates, key=lambda rate: (-rate.spun, -rate.documents, rate.source)
        )
        return tuple(order)

    def families(self) -> tuple[Count, ...]:
        """Return the families of the spun documents, the most frequent first."""
        return _most_frequent(self._families)

    def reasons(self) -> tuple[Count, ...]:
        """Return why documents were skipped, the most frequent reason first."""
        return _most_frequent(self._reasons)

    def _add_counts(self, rows: pa.Table) -> None:
        self.words += pc.sum(rows["words"]).as_py() or 0
        # In single precision, like the probabilities: 0.95 then is 0.95.
        bins = pc.floor(pc.multiply(rows["probability"], pa.scalar(BINS, pa.float32())))
        for bin_, documents in _frequencies(bins.drop_null()):
            self.histogram[min(int(bin_), BINS - 1)] += documents

        spun = rows.filter(pc.equal(rows["verdict"], "spun"))
        for family, documents in _frequencies(spun["family"]):
            _count(self._families, family or UNKNOWN_FAMILY, documents)
        skipped = rows.filter(pc.is_null(rows["verdict"]))
        for reason, documents in _frequencies(skipped["reason"]):
            _count(self._reasons, _reason(reason), documents)

        spun_of = dict(_frequencies(spun["source"]))
        for source, documents in _frequencies(rows["source"]):
            name = NAMELESS if source is None else source
            if name in self._sources or len(self._sources) < MOST_SOURCES:
                before = self._sources.get(name, (0, 0))
                counts = (before[0] + documents, before[1] + spun_of.get(source, 0))
                self._sources[name] = counts

    def _add_worst(self, rows: pa.Table, first: int, shard: str, table: Path) -> None:
        rows = rows.append_column("row", pa.array(range(first, first + rows.num_rows), pa.int64()))
        rows = rows.filter(pc.equal(rows["verdict"], "spun"))
        order = [("probability", "descending"), ("words", "descending"), ("row", "ascending")]
        for row in rows.take(pc.sort_indices(rows, order)[:WORST]).to_pylist():
            self.worst.append(
                Worst(
                    id=row["id"] or str(row["row"]),
                    source=NAMELESS if row["source"] is None else row["source"],
                    shard=shard,
                    row=row["row"],
                    probability=row["probability"],
                    words=row["words"] or 0,
                    rate=row["rate"] or 0.0,
                    family=row["family"] or UNKNOWN_FAMILY,
                    table=table,
                )
            )
        self.worst.sort(key=lambda page: (-page.probability, -page.words, page.shard, page.row))
        del self.worst[WORST:]


def _rows(table: Path) -> Iterator[pa.Table]:
    """The rows of a side table, some at a time, with the columns that are counted."""
    if table.suffix == ".parquet":
        with pq.ParquetFile(table) as file:
            for batch in file.iter_batches(_ROWS, columns=_COLUMNS):
                yield pa.Table.from_batches([batch])
        return
    schema = pa.schema([SCORES.field(column) for column in _COLUMNS])
    with table.open(encoding="utf-8") as lines:
        while some := [json.loads(line) for line in islice(lines, _ROWS)]:
            columns = ([row[column] for row in some] for column in _COLUMNS)
            yield pa.Table.from_arrays([*map(pa.array, columns, schema.types)], schema=schema)


def _frequencies(column: pa.ChunkedArray) -> Iterator[tuple[Any, int]]:
    """Each value of a column and how often it is there, in the order of first appearance."""
    pairs = pc.value_counts(column)
    return zip(pairs.field("values").to_pylist(), pairs.field("counts").to_pylist(), strict=True)


def _count(counts: dict[str, int], name: str, documents: int) -> None:
    """Add to a count; where there are `MOST_REASONS` already, no new one begins."""
    if name in counts or len(counts) < MOST_REASONS:
        counts[name] = counts.get(name, 0) + documents


def _reason(reason: str | None) -> str:
    """Why a document was skipped, without what then became of it in the corpus."""
    if reason is None:
        return "no reason given"
    in_corpus = re.fullmatch(r"\w+: not read \((.*)\)", reason, re.DOTALL)
    return in_corpus[1] if in_corpus else reason


def _most_frequent(counts: dict[str, int]) -> tuple[Count, ...]:
    order = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Count(name, documents) for name, documents in order)
