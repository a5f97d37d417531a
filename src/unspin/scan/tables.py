"""How are rows stored? As Parquet or as lines of JSON, the same bytes for the same rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from unspin.scan.job import TableFormat

Add = Callable[[pa.RecordBatch], None]

ROWS, BYTES = 10_000, 64_000_000  # of a row group: it is written when it has as many of either


def table(file: BinaryIO, schema: pa.Schema, form: TableFormat) -> AbstractContextManager[Add]:
    """Write a table to a file, which stays open; what it gives is called with the rows."""
    return parquet(file, schema) if form == "parquet" else _lines(file)


@contextmanager
def parquet(file: BinaryIO, schema: pa.Schema) -> Iterator[Add]:
    """Write Parquet to a file, which stays open; what it gives is called with the rows.

    >>> from io import BytesIO
    >>> with parquet(file := BytesIO(), pa.schema([("word", pa.string())])) as add:
    ...     add(pa.RecordBatch.from_pydict({"word": ["spun"]}))
    >>> pq.read_table(file).to_pylist()
    [{'word': 'spun'}]
    """
    writer = pq.ParquetWriter(file, schema, compression="zstd")
    waiting = schema.empty_table()

    def add(rows: pa.RecordBatch) -> None:
        nonlocal waiting
        waiting = pa.concat_tables([waiting, pa.Table.from_batches([rows], schema)])
        while waiting.num_rows >= ROWS or waiting.nbytes >= BYTES:
            writer.write_table(waiting.slice(0, ROWS), row_group_size=ROWS)
            waiting = waiting.slice(ROWS)

    try:
        yield add
        if waiting.num_rows:
            writer.write_table(waiting, row_group_size=ROWS)
        writer.close()
    except BaseException:
        # Closing writes once more. What has just failed does so again, and is not the news.
        with suppress(OSError, ValueError):
            writer.close()
        raise


@contextmanager
def _lines(file: BinaryIO) -> Iterator[Add]:
    def add(rows: pa.RecordBatch) -> None:
        lines = (json.dumps(row, ensure_ascii=False) for row in rows.to_pylist())
        file.writelines(f"{line}\n".encode() for line in lines)

    yield add
