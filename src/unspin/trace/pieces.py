"""What becomes of many pages? They are cut into pieces, and each piece is traced to each index.

A page takes as long to trace as hundreds of documents to scan. So the files that pages come in are
read once and cut first, and not a file but a piece of it is what a worker takes, what is written
whole or not at all, and what a kill loses. Both steps are work that any engine does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from unspin import pages
from unspin.families import FamilyError, FamilyTable, digests
from unspin.pages import PageError
from unspin.reader import MODEL
from unspin.scan import manifest
from unspin.scan.batch import DOCUMENTS, Limits
from unspin.scan.job import Advance, Documents, Fields, ScanError, Shard, ShardError
from unspin.scan.shards import read, stored
from unspin.scan.tables import parquet
from unspin.trace import folder
from unspin.trace.articles import TraceError
from unspin.trace.index import Index
from unspin.trace.match import Match
from unspin.trace.tracer import BELIEF, Tracer

PIECE = 250  # pages at most, which take some ten seconds
PAGES, TRACED = "pages", "traced"  # folders: pages as they were read, and what was found of them

TRACES = pa.schema(
    [
        ("id", pa.string()),
        ("source", pa.string()),  # host or file that the page comes from
        ("words", pa.int32()),
        ("coverage", pa.float32()),  # share of the words that stand in a passage of some match
        (
            "matches",  # the articles it was taken from, the best first; null where not traced
            pa.list_(
                pa.struct(
                    [
                        ("id", pa.string()),
                        ("title", pa.string()),
                        ("url", pa.string()),
                        ("probability", pa.float32()),
                        ("coverage", pa.float32()),
                        ("copies", pa.list_(pa.string())),  # ids of articles that match alike
                        (
                            "passages",  # code points into the page and into the article
                            pa.list_(
                                pa.struct(
                                    [
                                        ("start", pa.int32()),
                                        ("end", pa.int32()),
                                        ("source_start", pa.int32()),
                                        ("source_end", pa.int32()),
                                    ]
                                )
                            ),
                        ),
                    ]
                )
            ),
        ),
        ("reason", pa.string()),  # why there is no match, or why it was not traced
    ]
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What shows in the table of many pages: two runs with equal settings write the same bytes.

    `matches` are those of a page that are kept at most, and `families` spinners that the model does
    not know.
    """

    fields: Fields = field(default_factory=Fields)
    limits: Limits = field(default_factory=Limits)
    matches: int = 10
    model: Path = MODEL
    families: tuple[FamilyTable, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, with a digest of what probabilities are made by.

        Raises:
            ScanError: that cannot be read.
        """
        return {
            "belief_sha256": manifest.part_digest(self.model, BELIEF),
            "fields": self.fields._asdict(),
            "limits": self.limits._asdict(),
            "matches": self.matches,
            "model": self.model.name,
            **digests(self.families),
        }


@dataclass(frozen=True, slots=True)
class Piece(Shard):
    """Pages of a table, those of one row group of it, that are traced to one index.

    What the table and the index hold is in the name: where either is another, so is the piece.
    """

    group: int
    size: int
    index: Path
    state: str


@dataclass(frozen=True, slots=True)
class Part:
    """The pages of a file that were read, or a piece that was traced: its line in the manifest.

    `found` are the pages that have a source, `skipped` those that could not be read or traced.
    """

    shard: str
    inputs: tuple[str, ...]
    bytes: int
    documents: int
    found: int
    skipped: int
    table: str
    table_sha256: str
    error: str | None = None

    @property
    def files(self) -> tuple[tuple[str, str], ...]:
        """The table, with its digest."""
        return ((self.table, self.table_sha256),)

    @property
    def advance(self) -> Advance:
        """How far the whole of it has brought the work."""
        return Advance(1, self.bytes, self.documents, self.found)


def state(index: Path) -> str:
    """Return a digest of what an index holds; every article that is added or removed changes it.

    Raises:
        TraceError: there is no index, or it is damaged, or tantivy is not installed.
    """
    folder.libraries()
    folder.read_settings(index)
    try:
        parts = [
            (index / folder.INDEX).read_bytes(),
            (index / folder.TANTIVY / folder.META).read_bytes(),
        ]
    except OSError as error:
        raise TraceError(f"{error.filename} cannot be read: {error.strerror}") from None
    return sha256(b"".join(parts)).hexdigest()


def pieces(out: Path, read: Part, index: Path, state: str) -> Iterator[Piece]:
    """Yield the pieces of a file that was read, for one index.

    Raises:
        ScanError: its table cannot be read.
    """
    shard = read.shard.removeprefix(f"{PAGES}/")
    try:
        table = pq.read_metadata(out / read.table)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(out / read.table, error) from None
    for group in range(table.num_row_groups):
        yield Piece(
            f"{TRACED}/{state[:16]}/{shard}/{read.table_sha256[:16]}-{group:06}",
            "parquet",
            (read.table,),
            group,
            table.row_group(group).total_byte_size,
            index,
            state,
        )


# --- cutting


class Cutting(NamedTuple):
    """The work of cutting: the pages of every file become a table, with a row group a piece.

    Shards are those that `scan.inputs` finds, with `PAGES` before their names.
    """

    out: Path
    settings: Settings

    def open(self) -> Callable[[Shard, Callable[[Advance], None]], Part]:
        """Return what reads one shard."""
        return lambda shard, advance: self._write(
            shard, read(_original(shard), self.settings.fields, rows=False), advance
        )

    def give_up(self, shard: Shard, error: str, advance: Callable[[Advance], None]) -> Part:
        """Write the empty table of a shard that kills whoever reads it."""
        return self._write(shard, iter(()), advance, error)

    def _write(
        self,
        shard: Shard,
        documents: Iterator[Documents],
        advance: Callable[[Advance], None],
        error: str | None = None,
    ) -> Part:
        table = f"{shard.name}.parquet"
        size = stored(shard)
        count = skipped = 0
        with (
            manifest.written(self.out / table) as file,
            pq.ParquetWriter(file, DOCUMENTS, compression="zstd") as writer,
        ):
            try:
                for some in documents:
                    writer.write_table(pa.Table.from_batches([some.batch]), row_group_size=PIECE)
                    count += some.batch.num_rows
                    skipped += some.batch["text"].null_count
                    advance(Advance(0, some.size, some.batch.num_rows))
            except ShardError as fault:
                error = str(fault)
        advance(Advance(shards=1))
        digest = manifest.digest(self.out / table)
        return Part(shard.name, shard.paths, size, count, 0, skipped, table, digest, error)


def _original(shard: Shard) -> Shard:
    return replace(shard, name=shard.name.removeprefix(f"{PAGES}/"))


# --- tracing


class Tracing(NamedTuple):
    """The work of tracing: the table of a piece has a row of `TRACES` for every page."""

    out: Path
    settings: Settings

    def open(self) -> Callable[[Piece, Callable[[Advance], None]], Part]:
        """Return what traces one piece; it keeps an index open for those that follow."""
        settings = self.settings
        # Pieces come index by index, so that one is enough.
        tracer = lru_cache(maxsize=1)(lambda index, state: _tracer(index, state, settings))

        def traced(piece: Piece, advance: Callable[[Advance], None]) -> Part:
            try:
                return self._trace(piece, tracer(piece.index, piece.state), advance)
            except (TraceError, FamilyError) as error:
                raise ScanError(str(error)) from None

        return traced

    def give_up(self, piece: Piece, error: str, advance: Callable[[Advance], None]) -> Part:
        """Write the rows of a piece that kills whoever traces it, with the reason.

        Raises:
            ScanError: they cannot be written, or the pages not be read.
        """
        rows = [_row(page, f"not traced: {error}") for page in self._pages(piece)]
        return self._write(piece, rows, advance, error)

    def _trace(self, piece: Piece, tracer: Tracer, advance: Callable[[Advance], None]) -> Part:
        rows = []
        some = self._pages(piece)
        for number, page in enumerate(some):
            rows.append(self._row_of(page, tracer))
            size = piece.size * (number + 1) // len(some) - piece.size * number // len(some)
            advance(Advance(0, size, 1, bool(rows[-1]["matches"])))
        return self._write(piece, rows, advance)

    def _row_of(self, page: dict[str, Any], tracer: Tracer) -> dict[str, Any]:
        """The row of a page, whatever happens; one that breaks the tracer takes no other along."""
        text, limits = page["text"], self.settings.limits
        if text is None:
            return _row(page, page["reason"] or "no text")
        if len(text) > limits.characters:
            return _row(page, f"longer than {limits.characters:,} characters")
        try:
            trace = tracer.trace(pages.plain(text), time.monotonic() + limits.seconds)
        except TraceError:
            raise
        except PageError as error:
            return _row(page, str(error))
        except Exception as error:  # noqa: BLE001 - see above
            return _row(page, f"it broke the tracer ({type(error).__name__})")
        return _row(page, trace.reason or None) | {
            "words": trace.words,
            "coverage": trace.coverage,
            "matches": [_plain(match) for match in trace.matches[: self.settings.matches]],
        }

    def _pages(self, piece: Piece) -> list[dict[str, Any]]:
        table = self.out / piece.paths[0]
        try:
            with pq.ParquetFile(table) as file:
                rows: list[dict[str, Any]] = file.read_row_group(piece.group).to_pylist()
        except (OSError, pa.ArrowException) as error:
            raise _unreadable(table, error) from None
        return rows

    def _write(
        self,
        piece: Piece,
        rows: list[dict[str, Any]],
        advance: Callable[[Advance], None],
        error: str | None = None,
    ) -> Part:
        table = f"{piece.name}.parquet"
        with manifest.written(self.out / table) as file, parquet(file, TRACES) as add:
            add(pa.RecordBatch.from_pylist(rows, TRACES))
        advance(Advance(shards=1))
        return Part(
            shard=piece.name,
            inputs=piece.paths,
            bytes=piece.size,
            documents=len(rows),
            found=sum(bool(row["matches"]) for row in rows),
            skipped=sum(row["matches"] is None for row in rows),
            table=table,
            table_sha256=manifest.digest(self.out / table),
            error=error,
        )


def _tracer(index: Path, expected: str, settings: Settings) -> Tracer:
    tracer = Tracer(Index.open(index), model=settings.model, families=settings.families)
    if state(index) != expected:
        raise TraceError(f"{index} has changed since this began: run the same command again")
    return tracer


def _row(page: dict[str, Any], reason: str | None) -> dict[str, Any]:
    return {
        "id": page["id"],
        "source": page["source"],
        "words": None,
        "coverage": None,
        "matches": None,
        "reason": reason,
    }


def _plain(match: Match) -> dict[str, Any]:
    """A match as a row has it; its keys are those of `Match.to_dict`."""
    values = match.to_dict()
    return {name: values[name] for name in _MATCH}


_MATCH = [named.name for named in TRACES.field("matches").type.value_type]


def _unreadable(table: Path, error: Exception) -> ScanError:
    return ScanError(f"{table} cannot be read ({error}): add --overwrite to begin anew")
