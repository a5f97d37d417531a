"""What becomes of one shard? It is read, scored and written, wherever that happens.

Every engine runs `process` for every shard, and its files depend on the shard and the settings
alone. They get their names when they are whole, the table last.
"""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from unspin import pages
from unspin.families import FamilyError
from unspin.reading import Reading
from unspin.reranker import RerankError, RerankWarning, find
from unspin.scan import inputs, manifest
from unspin.scan.batch import SCORES, Scorer
from unspin.scan.corpus import Fate, corpus, corpus_name, fate
from unspin.scan.job import (
    Advance,
    Documents,
    Done,
    Fields,
    ScanError,
    Settings,
    Shard,
    ShardError,
)
from unspin.scan.tables import table


class Job(NamedTuple):
    """The work of a scan: where its tables go, and what they are to be like."""

    out: Path
    settings: Settings

    def open(self) -> Callable[[Shard, Callable[[Advance], None]], Done]:
        """Return what scores one shard; opening it maps the model.

        Raises:
            ModelError: the model cannot be opened.
            ScanError: the families cannot be used together, or the second reader not opened.
        """
        settings = self.settings
        try:
            second = find(settings.rerank) if settings.rerank is not None else None
            scorer = Scorer(
                settings.limits, settings.model, families=settings.families, rerank=second
            )
        except (FamilyError, RerankError) as error:
            raise ScanError(str(error)) from None
        return lambda shard, advance: process(shard, self, scorer, advance)

    def give_up(self, shard: Shard, error: str, advance: Callable[[Advance], None]) -> Done:
        """Write the empty table of a shard that cannot be scored.

        Raises:
            ScanError: the files cannot be written.
        """
        return _write(shard, self, iter(()), advance, error)


class _Scored(NamedTuple):
    """Documents, their rows of the side table, and what happens to them in a corpus."""

    documents: Documents
    rows: pa.RecordBatch
    fates: Sequence[Fate]


def process(shard: Shard, job: Job, scorer: Scorer, advance: Callable[[Advance], None]) -> Done:
    """Score a shard and write its table, and its corpus if there is to be one.

    If the shard cannot be read to its end the table has the documents before the fault, and what
    comes back says what the fault is. `advance` is told of every batch, and of the shard.

    Raises:
        ScanError: the files cannot be written.
    """
    try:
        return _write(shard, job, _scored(shard, job.settings, scorer), advance)
    except ScanError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the others go on
        return job.give_up(shard, unexpected(error), advance)


def stored(shard: Shard) -> int:
    """Return the bytes of a shard as stored; 0 if that cannot be told, as reading it will show."""
    try:
        return inputs.size(shard)
    except (OSError, ShardError, ScanError):
        return 0


def read(shard: Shard, fields: Fields, *, rows: bool) -> Iterator[Documents]:
    """Yield the documents of a shard as `inputs.read` does, whatever is wrong with it.

    Raises:
        ShardError: the rest of it cannot be read.
    """
    try:
        yield from inputs.read(shard, fields, rows=rows)
    except ShardError:
        raise
    except Exception as error:  # libraries meet broken files in many ways
        raise ShardError(unexpected(error)) from error


def unexpected(error: Exception) -> str:
    """Return what to say of a fault that nobody has foreseen."""
    return f"unexpected {type(error).__name__}" + (f": {error}" if str(error) else "")


# --- from documents to rows


def _scored(shard: Shard, settings: Settings, scorer: Scorer) -> Iterator[_Scored]:
    """The documents of a shard with what is found of them.

    Raises:
        ShardError: it cannot be read to its end.
    """
    with_corpus = settings.keep is not None or settings.restore
    for documents in read(shard, settings.fields, rows=with_corpus):
        rows = _rows(scorer, documents.batch)
        fates: list[Fate] = []
        if with_corpus:
            for row, text in zip(rows.to_pylist(), documents.batch["text"], strict=True):
                look = partial(_reading, scorer, text, settings) if settings.restore else None
                fates.append(fate(row, settings.keep, look))
        yield _Scored(documents, rows, fates)


def _rows(scorer: Scorer, batch: pa.RecordBatch) -> pa.RecordBatch:
    """The rows of a batch; a document that breaks the reader does not take the others along."""
    try:
        return scorer(batch)
    except Exception as error:  # noqa: BLE001 - see above
        if batch.num_rows > 1:
            singly = [_rows(scorer, batch.slice(i, 1)) for i in range(batch.num_rows)]
            return pa.Table.from_batches(singly).combine_chunks().to_batches()[0]
        reason = f"it broke the reader ({type(error).__name__})"
        row = batch.select(["id", "source"]).to_pylist()[0] | {"reason": reason}
        return pa.RecordBatch.from_pylist([row], SCORES)


def _reading(scorer: Scorer, text: pa.Scalar, settings: Settings) -> Reading | None:
    try:
        deadline = time.monotonic() + settings.limits.seconds
        with warnings.catch_warnings():
            # A document that the second reader has no time for is restored without it.
            warnings.simplefilter("ignore", RerankWarning)
            return scorer.reader.read(pages.plain(text.as_py()), deadline)
    except Exception:  # noqa: BLE001 - it stays as it was printed
        return None


# --- from rows to files


def _write(
    shard: Shard,
    job: Job,
    scored: Iterator[_Scored],
    advance: Callable[[Advance], None],
    error: str | None = None,
) -> Done:
    size = stored(shard)
    settings = job.settings
    table_path = f"{manifest.SCORES}/{shard.name}.{settings.table}"
    corpus_path = None
    counts: Counter[str | None] = Counter()
    written = 0
    with ExitStack() as files:
        file = files.enter_context(manifest.written(job.out / table_path))
        add = files.enter_context(table(file, SCORES, settings.table))
        write = None
        if settings.keep or settings.restore:
            corpus_path = f"{manifest.CORPUS}/{corpus_name(shard)}"
            file = files.enter_context(manifest.written(job.out / corpus_path))
            write = files.enter_context(corpus(shard, settings.fields.text, file))
        try:
            for documents, rows, fates in scored:
                if write is None:
                    add(rows)
                else:
                    kept = write(documents, fates)
                    written += sum(kept)
                    add(_with_reasons(rows, fates, kept))
                found = Counter(rows["verdict"].to_pylist())
                counts += found
                advance(Advance(0, documents.size, rows.num_rows, found["spun"]))
        except ShardError as fault:
            error = str(fault)
    advance(Advance(shards=1))
    return Done(
        shard=shard.name,
        inputs=shard.paths,
        bytes=size,
        documents=counts.total(),
        spun=counts["spun"],
        clean=counts["clean"],
        unsure=counts["unsure"],
        skipped=counts[None],
        written=written,
        table=table_path,
        table_sha256=manifest.digest(job.out / table_path),
        corpus=corpus_path,
        corpus_sha256=None if corpus_path is None else manifest.digest(job.out / corpus_path),
        error=error,
    )


def _with_reasons(
    rows: pa.RecordBatch, fates: Sequence[Fate], kept: Sequence[bool]
) -> pa.RecordBatch:
    """The rows with what happened to their documents."""
    reasons = [
        fate._replace(kept=is_kept).reason for fate, is_kept in zip(fates, kept, strict=True)
    ]
    place = SCORES.get_field_index("reason")
    columns = [*rows.columns]
    columns[place] = pa.array(reasons, pa.string())
    return pa.RecordBatch.from_arrays(columns, schema=SCORES)
