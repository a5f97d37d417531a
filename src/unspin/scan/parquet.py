"""What documents does a Parquet file have? One a row, read a few rows at a time.

Texts flow through as Arrow's arrays and become objects of Python only where one of them is broken.
Groups of rows may be larger than the memory, pages may not: Arrow decompresses them whole. Writers
make pages of a megabyte, or of some texts where these are larger than that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from os import SEEK_END
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import types

from unspin.scan import records
from unspin.scan.job import Documents, Fields, Shard, ShardError
from unspin.scan.jsonl import told

# Rows that are decoded at once: so few that even the largest texts fit into memory.
_STEP = 16


class _Columns(NamedTuple):
    """Where in a row the text, the id and the address stand: names from the outside in."""

    text: tuple[str, ...]
    id: tuple[str, ...] | None
    url: tuple[str, ...] | None


class _Piece(NamedTuple):
    """Some rows, and what their texts are."""

    rows: pa.RecordBatch
    texts: pa.Array
    reasons: pa.Array


def read(shard: Shard, fields: Fields, *, rows: bool) -> Iterator[Documents]:
    """Yield the documents of a Parquet file, and their rows if these are asked for.

    Without `rows` other columns than those of the text, the id and the address are not read.

    Raises:
        ShardError: no column holds texts, or none has the name asked for.
        OSError, pa.ArrowException: the rest cannot be read.
    """
    with records.opened(shard.paths[0]) as file:
        size = file.seek(0, SEEK_END)
        # The column chunks of a group of rows may be larger than the memory: they are streamed.
        parquet = pq.ParquetFile(
            file, buffer_size=1 << 20, pre_buffer=False, page_checksum_verification=True
        )
        schema = parquet.schema_arrow
        columns = _columns(schema, fields)
        wanted = [".".join(path) for path in columns if path is not None]
        total = max(parquet.metadata.num_rows, 1)
        number = 0
        for pieces in records.batches(_pieces(parquet, columns, None if rows else wanted), _size):
            read = _joined([piece.rows for piece in pieces])
            batch = records.documents(
                _ids(read, columns.id, number),
                _urls(read, columns.url),
                shard.name,
                pa.concat_arrays([piece.texts for piece in pieces]),
                pa.concat_arrays([piece.reasons for piece in pieces]),
            )
            before, number = number, number + batch.num_rows
            # How much of the file was read cannot be seen: its ends are read first.
            taken = size * number // total - size * before // total
            yield Documents(batch, read if rows else None, taken)


# --- which columns


def _columns(schema: pa.Schema, fields: Fields) -> _Columns:
    """The columns that are asked for, or look like what is needed.

    Raises:
        ShardError: there is no such column.
    """
    for option, name in (("--text-field", fields.text), ("--id-field", fields.id)):
        if name is not None and name not in schema.names:
            raise ShardError(
                f"it has no column {name!r}, but {told(schema.names)}: name one with {option}"
            )
    text = _column(schema, [fields.text] if fields.text else records.TEXT_FIELDS, _is_text)
    if text is None and fields.text:
        kind = schema.field(schema.names.index(fields.text)).type
        raise ShardError(f"the column {fields.text!r} is {kind}, no text: name another one")
    if text is None:
        raise ShardError(
            f"no column looks like the text among {told(schema.names)}: name it with --text-field"
        )
    id_ = _column(schema, [fields.id] if fields.id else records.ID_FIELDS, _is_id)
    if id_ is None and fields.id:
        kind = schema.field(schema.names.index(fields.id)).type
        raise ShardError(f"the column {fields.id!r} is {kind}, no id: name another one")
    return _Columns(text, id_, _column(schema, records.URL_FIELDS, _is_text))


def _column(
    schema: pa.Schema, likely: Sequence[str], fits: Callable[[pa.DataType], bool]
) -> tuple[str, ...] | None:
    """The path of the first likely column of a type that fits; of a name's columns, the first."""
    lowered = [name.lower() for name in schema.names]
    for name in likely:
        paths: list[tuple[str, ...]] = []
        if name in schema.names:
            paths.append((name,))
        elif name in lowered:
            paths.append((schema.names[lowered.index(name)],))
        if "." in name:
            paths.append(tuple(name.split(".")))
        for path in paths:
            kind = _type(schema, path)
            if kind is not None and fits(kind):
                return path
    return None


def _type(schema: pa.Schema, path: Sequence[str]) -> pa.DataType | None:
    if path[0] not in schema.names:
        return None
    kind = schema.field(schema.names.index(path[0])).type
    for name in path[1:]:
        if not types.is_struct(kind) or kind.get_field_index(name) < 0:
            return None
        kind = kind.field(name).type
    return kind


def _is_text(kind: pa.DataType) -> bool:
    """Strings, and bytes too: some writers leave out that theirs are UTF-8."""
    if types.is_dictionary(kind):
        kind = kind.value_type
    return any(
        fits(kind)
        for fits in (
            types.is_string,
            types.is_large_string,
            types.is_string_view,
            types.is_binary,
            types.is_large_binary,
            types.is_binary_view,
        )
    )


def _is_id(kind: pa.DataType) -> bool:
    if types.is_dictionary(kind):
        kind = kind.value_type
    return (
        _is_text(kind)
        or types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_decimal(kind)
        or isinstance(kind, pa.UuidType)
    )


# --- rows, and what stands in them


def _pieces(
    parquet: pq.ParquetFile, columns: _Columns, wanted: list[str] | None
) -> Iterator[_Piece]:
    kinds = parquet.schema_arrow.types
    # A dictionary is decoded anew for every step, and its words are there once however many rows.
    step = records.MAX_BATCH_ROWS if any(map(types.is_dictionary, kinds)) else _STEP
    for batch in parquet.iter_batches(step, columns=wanted, use_threads=False):
        for start in range(0, batch.num_rows, _STEP):
            rows = batch.slice(start, _STEP)
            yield _Piece(rows, *_texts(_values(rows, columns.text), columns.text[0]))


def _size(piece: _Piece) -> tuple[int, int]:
    # A slice shares its dictionaries, which would be counted with each.
    is_shared = any(map(types.is_dictionary, piece.rows.schema.types))
    return piece.rows.num_rows, piece.texts.nbytes if is_shared else piece.rows.nbytes


def _values(rows: pa.RecordBatch, path: Sequence[str]) -> pa.Array:
    outer = rows.column(rows.schema.names.index(path[0]))
    return reduce(pc.struct_field, path[1:], outer)


def _texts(column: pa.Array, name: str) -> tuple[pa.Array, pa.Array]:
    """The texts of some rows, and the reasons of those that have none."""
    texts = _decoded(column)
    reasons = pa.nulls(len(texts), pa.large_string())
    if texts.nbytes > records.MAX_RECORD_BYTES:
        lengths = pc.fill_null(pc.binary_length(texts), 0)
        large = pc.greater(lengths, records.MAX_RECORD_BYTES)
        texts = pc.if_else(large, None, texts)
        reasons = pc.if_else(large, f"the text is {records.TOO_LARGE}", reasons)
    if texts.null_count:
        broken = pc.and_(pc.is_null(texts), pc.and_(pc.is_valid(column), pc.is_null(reasons)))
        reasons = pc.if_else(broken, f"the column {name!r} is not UTF-8", reasons)
        missing = pc.and_(pc.is_null(texts), pc.is_null(reasons))
        reasons = pc.if_else(missing, f"the column {name!r} is null", reasons)
    return texts, reasons


def _decoded(column: pa.Array) -> pa.Array:
    """Strings out of whatever holds some, and nulls for those that are not UTF-8."""
    try:
        texts = column.cast(pa.large_string())
        # A file may say of any bytes that they are strings.
        texts.validate(full=True)
    except pa.ArrowInvalid:
        raw = column.cast(pa.large_binary()).to_pylist()
        return pa.array([_utf8(value) for value in raw], pa.large_string())
    return texts


def _utf8(raw: bytes | None) -> str | None:
    try:
        return None if raw is None else raw.decode()
    except UnicodeDecodeError:
        return None


def _ids(rows: pa.RecordBatch, path: Sequence[str] | None, number: int) -> pa.Array:
    """The ids of the rows; where one has none, its number in the file."""
    numbers = pa.array(range(number, number + rows.num_rows), pa.int64()).cast(pa.large_string())
    if path is None:
        return numbers
    column = _values(rows, path)
    if isinstance(column.type, pa.UuidType):
        return pc.coalesce(
            pa.array([value and str(value) for value in column.to_pylist()], pa.large_string()),
            numbers,
        )
    is_text = _is_text(column.type)
    return pc.coalesce(_decoded(column) if is_text else column.cast(pa.large_string()), numbers)


def _urls(rows: pa.RecordBatch, path: Sequence[str] | None) -> pa.Array:
    if path is None:
        return pa.nulls(rows.num_rows, pa.large_string())
    return _decoded(_values(rows, path))


def _joined(pieces: list[pa.RecordBatch]) -> pa.RecordBatch:
    if len(pieces) == 1:
        return pieces[0]
    return pa.Table.from_batches(pieces).combine_chunks().to_batches()[0]
