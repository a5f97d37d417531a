"""Which documents of a shard are kept, and what do they say? The filtered or restored corpus.

Where records can be written back it has the format of the input: their other fields stay as they
are, and one more says why they are there.
"""

from __future__ import annotations

import codecs
import gzip
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from itertools import groupby
from json import JSONDecoder
from typing import Any, BinaryIO, NamedTuple, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from unspin.reading import Reading
from unspin.scan.batch import DOCUMENTS
from unspin.scan.job import Documents, Keep, Shard, keeps
from unspin.scan.records import TEXT_FIELDS, encodable, opened
from unspin.scan.tables import Add, parquet

FIELD = "unspin"  # the field that is added

_PLAIN = pa.schema([DOCUMENTS.field(name) for name in ("id", "source", "text")])


class Fate(NamedTuple):
    """What happens to a document, and why.

    `text` takes the place of what was printed, None leaves that as it is.
    """

    kept: bool
    name: str
    detail: str = ""
    text: str | None = None

    @property
    def told(self) -> str:
        """What the corpus says of a document that is in it."""
        return f"{self.name}: {self.detail}" if self.detail else self.name

    @property
    def reason(self) -> str:
        """What the side table says, of every document."""
        if self.text is not None:
            return self.told
        return f"{'kept' if self.kept else 'dropped'}: {self.name}"


def fate(
    score: dict[str, Any], keep: Keep | None, read: Callable[[], Reading | None] | None
) -> Fate:
    """Return what happens to the document of a row of the side table.

    What was skipped is as good as unsure. `read` reads the document, where spun ones are to be
    restored; it gives None for one that it cannot read.

    >>> fate({"verdict": None, "reason": "longer than 1,000 characters"}, "clean", None).reason
    'dropped: not read (longer than 1,000 characters)'
    """
    verdict = score["verdict"]
    kept = keep is None or keeps(keep, verdict)
    if verdict is None:
        return Fate(kept, f"not read ({score['reason']})")
    if verdict == "unsure" and score["reason"] is not None:
        return Fate(kept, f"{verdict} ({score['reason']})")
    if verdict == "unsure":
        return Fate(kept, verdict, f"probability of being spun {score['probability']:.2f}")
    if verdict == "clean" or not kept or read is None:
        return Fate(kept, verdict)
    reading = read()
    if reading is None or not reading.edits:
        return Fate(kept, verdict, "no word could be put back surely")
    words = "1 word" if len(reading.edits) == 1 else f"{len(reading.edits)} words"
    return Fate(kept, "restored", f"{words} put back", reading.text)


# Writes those documents that are kept, and says which it has written: a record that was not read
# can be so broken that it cannot be written either.
Write = Callable[[Documents, Sequence[Fate]], list[bool]]


def corpus_name(shard: Shard) -> str:
    """Return what the corpus of a shard is called.

    >>> corpus_name(Shard("day/1", "jsonl", ("in/day/1.json.gz",)))
    'day/1.jsonl.gz'
    """
    return f"{shard.name}{_extension(shard)}"


def corpus(shard: Shard, text_field: str | None, file: BinaryIO) -> AbstractContextManager[Write]:
    """Write the corpus of a shard to a file, which stays open."""
    if shard.format == "jsonl":
        return _lines(file, text_field, _extension(shard))
    return _rows(file, text_field, shard)


def _extension(shard: Shard) -> str:
    if shard.format != "jsonl":
        return ".parquet"
    path = shard.paths[0].partition("::")[0].lower()
    return ".jsonl" + "".join(end for end in (".gz", ".zst") if path.endswith(end))


# --- lines of JSON, of which all bytes stay that need not change


@contextmanager
def _lines(file: BinaryIO, text_field: str | None, extension: str) -> Iterator[Write]:
    # Streams that compress close what they write to.
    with os.fdopen(os.dup(file.fileno()), "wb") as stored, _compressing(stored, extension) as lines:

        def write(documents: Documents, fates: Sequence[Fate]) -> list[bool]:
            assert isinstance(documents.rows, list)  # noqa: S101 - as of every JSONL
            texts = documents.batch["text"].to_pylist()
            written = [
                _rewritten(line, text, fate, text_field) if fate.kept else None
                for line, text, fate in zip(documents.rows, texts, fates, strict=True)
            ]
            lines.write(b"".join(filter(None, written)))
            return [line is not None for line in written]

        yield write


def _compressing(file: BinaryIO, extension: str) -> AbstractContextManager[BinaryIO]:
    if extension.endswith(".gz"):
        # Without a name and a time: they would make other bytes on another day.
        return cast(BinaryIO, gzip.GzipFile("", "wb", 6, file, mtime=0))
    if extension.endswith(".zst"):
        return cast(BinaryIO, pa.CompressedOutputStream(file, "zstd"))
    return nullcontext(file)


def _rewritten(line: bytes, text: str | None, fate: Fate, text_field: str | None) -> bytes | None:
    """The line of a document that is kept; None if it cannot be told where anything is in it."""
    try:
        record = line.removeprefix(codecs.BOM_UTF8).decode()
        members, end = _members(record)
    except (ValueError, RecursionError):
        return None
    added = json.dumps({_free([member.name for member in members]): fate.told})[1:-1]
    rewritten = f"{', ' if members else ''}{added}{record[end:]}"
    if fate.text is None:
        rewritten = record[:end] + rewritten
    else:
        first, last = _place(members, text, text_field)
        restored = json.dumps(fate.text, ensure_ascii=record.isascii())
        rewritten = record[:first] + restored + record[last:end] + rewritten
    return rewritten.encode() + b"\n"


class _Member(NamedTuple):
    """A member of a JSON object, and where in the line its value stands."""

    name: str
    value: Any
    start: int
    end: int


_DECODER = JSONDecoder()
_SPACE = re.compile(r"[ \t\n\r]*")


def _members(record: str) -> tuple[list[_Member], int]:
    """The members of a JSON object, and where its closing brace stands.

    Raises:
        ValueError: it is no JSON object.
        RecursionError: it is nested too deeply.
    """
    at = _after(record, 0, "{")
    members: list[_Member] = []
    if record[at:].rstrip(" \t\r\n") == "}":
        return members, at
    while True:
        name, at = _DECODER.raw_decode(record, at)
        if not isinstance(name, str):
            raise ValueError(f"no name before {at}")
        at = _after(record, at, ":")
        value, end = _DECODER.raw_decode(record, at)
        members.append(_Member(name, value, at, end))
        at = _spaced(record, end)
        if record[at : at + 1] != ",":
            if record[at:].rstrip(" \t\r\n") != "}":
                raise ValueError(f"no end at {at}")
            return members, at
        at = _spaced(record, at + 1)


def _after(record: str, at: int, expected: str) -> int:
    at = _spaced(record, at)
    if record[at : at + 1] != expected:
        raise ValueError(f"no {expected} at {at}")
    return _spaced(record, at + 1)


def _spaced(record: str, at: int) -> int:
    space = _SPACE.match(record, at)
    return space.end() if space else at


def _place(members: Sequence[_Member], text: str | None, text_field: str | None) -> tuple[int, int]:
    """Where the text stands; of members with the same name the last one counts."""
    last = {member.name: member for member in members}
    for name, value, start, end in sorted(last.values(), key=lambda member: _rank(member.name)):
        is_text = isinstance(value, str) and encodable(value) == text
        if is_text and text_field in (None, name):
            return start, end
    raise ValueError("the text of a record is not among its fields")


# --- rows of Parquet, with all columns of those that came in


@contextmanager
def _rows(file: BinaryIO, text_field: str | None, shard: Shard) -> Iterator[Write]:
    with ExitStack() as table:
        add: Add | None = None

        def write(documents: Documents, fates: Sequence[Fate]) -> list[bool]:
            nonlocal add
            rows, kept = _rewritten_rows(documents, fates, text_field)
            if add is None:
                add = table.enter_context(parquet(file, rows.schema))
            # Cut out, for there are types that pyarrow cannot filter.
            for is_kept, run in groupby(range(len(kept)), kept.__getitem__):
                if is_kept:
                    places = list(run)
                    add(rows.slice(places[0], len(places)))
            return kept

        yield write
        if add is None:
            table.enter_context(parquet(file, _with_field(_schema(shard))))


def _rewritten_rows(
    documents: Documents, fates: Sequence[Fate], text_field: str | None
) -> tuple[pa.RecordBatch, list[bool]]:
    """The rows of all documents with their fates, and which of them are kept."""
    kept = [fate.kept for fate in fates]
    rows = documents.rows
    assert not isinstance(rows, list)  # noqa: S101 - those are JSONL's
    if rows is None:
        # Of what was read out of an archive there is nothing but the text.
        rows = documents.batch.select(_PLAIN.names)
        kept = [fate.kept and text.is_valid for fate, text in zip(fates, rows["text"], strict=True)]
    columns = [*rows.columns]
    if any(fate.text is not None for fate in fates):
        place = _column(rows, documents.batch["text"], text_field)
        columns[place] = _restored(columns[place], fates)
    told = pa.array([fate.told for fate in fates], pa.string())
    return pa.RecordBatch.from_arrays([*columns, told], schema=_with_field(rows.schema)), kept


def _column(rows: pa.RecordBatch, texts: pa.Array, text_field: str | None) -> int:
    """The number of the column that the texts stand in."""
    expected = texts.cast(pa.large_binary())
    for place in sorted(range(rows.num_columns), key=lambda i: _rank(rows.schema.names[i])):
        if text_field in (None, rows.schema.names[place]):
            with suppress(pa.ArrowException):
                if pc.all(pc.equal(_raw(rows.column(place)), expected)).as_py():
                    return place
    raise ValueError("the texts of the rows are not among their columns")


def _raw(column: pa.Array) -> pa.Array:
    """The bytes of strings, which need not be UTF-8."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column.cast(pa.large_binary())


def _restored(column: pa.Array, fates: Sequence[Fate]) -> pa.Array:
    """A column of the same type with the restored texts in it."""
    pieces = [
        column.slice(i, 1) if fate.text is None else pa.array([fate.text], column.type)
        for i, fate in enumerate(fates)
    ]
    return pa.concat_arrays(pieces)


def _rank(name: str) -> int:
    """Which of several fields with the same text it is that was read: the likelier one."""
    return TEXT_FIELDS.index(name.lower()) if name.lower() in TEXT_FIELDS else len(TEXT_FIELDS)


def _schema(shard: Shard) -> pa.Schema:
    """The schema of a shard without rows, as far as it can be told."""
    if shard.format == "parquet":
        with suppress(OSError, pa.ArrowException), opened(shard.paths[0]) as file:
            return pq.read_schema(file)
    return _PLAIN


def _with_field(schema: pa.Schema) -> pa.Schema:
    return schema.append(pa.field(_free(schema.names), pa.string()))


def _free(names: Sequence[str]) -> str:
    """A name for the field that is added which no other field has.

    >>> _free(["text", "unspin"])
    'unspin_reason'
    """
    free = FIELD
    while free in names:
        free = f"{FIELD}_reason" if free == FIELD else f"{free}_"
    return free
