"""Which articles are there to index? What the inputs hold, with what is known of each article.

Inputs are found and read as those of a scan are. What a text needs to be traced to (id, title,
address, date) stands in the fields beside it, or in the head of its page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import pyarrow as pa

from unspin.pages import MAX_CHARACTERS
from unspin.scan import inputs as room
from unspin.scan import records
from unspin.scan.job import Advance, Documents, Fields, Origin, ScanError, Shard, ShardError
from unspin.scan.jsonl import told

# Names of the fields, the likelier first; in upper case or lower.
TITLE_FIELDS = tuple(
    "title headline heading article_title page_title metadata.title meta.title".split()
)
DATE_FIELDS = tuple(
    "date published published_at publish_date published_date date_published pubdate"
    " publication_date datetime timestamp created_at warc-date warc_date crawl_date"
    " metadata.date meta.date".split()
)
# Only addresses: a host, which says where a document comes from, is not where it is.
URL_FIELDS = tuple(name for name in records.URL_FIELDS if not re.search("domain|host", name))
ID_FIELDS = tuple(records.ID_FIELDS)
_KNOWN = frozenset(
    name.partition(".")[0] for name in (*ID_FIELDS, *TITLE_FIELDS, *DATE_FIELDS, *URL_FIELDS)
)

MAX_ID_CHARACTERS = 2_000
MAX_LINE_CHARACTERS = 1_000

_LETTER = re.compile(r"[^\W\d_]")


class TraceError(Exception):
    """An index cannot be opened, written or asked; the message says why and what to do."""


class Article(NamedTuple):
    """An article of an index. The date is as it was given, in whatever way it was written."""

    id: str
    title: str | None
    url: str | None
    date: str | None
    text: str


class Skipped(NamedTuple):
    """What is no article that can be indexed, and why."""

    reason: str


class Named(NamedTuple):
    """Names of the fields or columns of an article; None where they are detected."""

    text: str | None = None
    id: str | None = None
    title: str | None = None
    url: str | None = None
    date: str | None = None


def quiet(_: Advance) -> None:
    """Nobody asks how far it has come."""


def find(inputs: Sequence[str]) -> list[Shard]:
    """Return the files that inputs name, as `scan.inputs.find` does.

    Raises:
        TraceError: an input is not there, or cannot be read.
    """
    try:
        return room.find(inputs)
    except ScanError as error:
        raise TraceError(str(error)) from None


def read(
    shards: Sequence[Shard],
    named: Named = Named(),  # noqa: B008 - it cannot change
    advance: Callable[[Advance], None] = quiet,
) -> Iterator[Article | Skipped]:
    """Yield the articles of files, and why others are none, in the order in which they stand.

    An article without an id has its address for one, or else the name of its file and its number
    in it.

    Raises:
        TraceError: a file cannot be read to its end, or has no field of a name asked for.
    """
    for shard in shards:
        number = 0
        try:
            for documents in room.read(shard, Fields(named.text, named.id)):
                rows = _rows(documents, named)
                if not number:
                    _expect(documents, rows, named)
                yield from _articles(documents, rows, shard, named, number)
                number += documents.batch.num_rows
                advance(Advance(bytes=documents.size, documents=documents.batch.num_rows))
        except (ScanError, ShardError) as error:
            raise TraceError(f"{shard.paths[0]}: {error}") from None
        advance(Advance(shards=1))


def _articles(
    documents: Documents,
    rows: Sequence[Mapping[str, Any]],
    shard: Shard,
    named: Named,
    number: int,
) -> Iterator[Article | Skipped]:
    ids, texts, reasons = (documents.batch[name].to_pylist() for name in ("id", "text", "reason"))
    origins = documents.origins or [Origin()] * len(texts)
    for place, (id_, text, reason, row, origin) in enumerate(
        zip(ids, texts, reasons, rows, origins, strict=True), number
    ):
        if fault := _fault(text, reason):
            yield Skipped(fault)
            continue
        url = origin.url or _value(row, named.url, URL_FIELDS)
        if shard.format in ("warc", "text"):
            # Its number in the archive is no id that another one could not have too.
            id_ = None if id_ == str(place) else id_  # noqa: PLW2901
        else:
            id_ = _value(row, named.id, ID_FIELDS)  # noqa: PLW2901
        id_ = records.encodable(id_ or url or f"{shard.name}:{place}")  # noqa: PLW2901
        if len(id_) > MAX_ID_CHARACTERS:
            yield Skipped(f"its id is longer than {MAX_ID_CHARACTERS:,} characters")
            continue
        title = origin.title or _value(row, named.title, TITLE_FIELDS)
        dated = origin.date or _value(row, named.date, DATE_FIELDS)
        yield Article(id_, _line(title), _line(url), _line(dated), text)


def _fault(text: str | None, reason: str | None) -> str | None:
    """Why a text is no article."""
    if text is None:
        # What follows is where in the text it is, or what to do with one page.
        return re.split(r":| at ", reason or "no text")[0]
    if len(text) > MAX_CHARACTERS:
        return f"the text is longer than {MAX_CHARACTERS:,} characters"
    if not text.strip():
        return "the text is empty"
    return None if _LETTER.search(text) else "the text has no letters"


def _line(value: str | None) -> str | None:
    """A title or the like on one line, and no longer than one."""
    return value and records.encodable(" ".join(value.split())[:MAX_LINE_CHARACTERS])


# --- the fields beside the text


def _rows(documents: Documents, named: Named) -> Sequence[Mapping[str, Any]]:
    """The fields of every document by their names."""
    rows = documents.rows
    if rows is None:
        return [{}] * documents.batch.num_rows
    if isinstance(rows, list):
        readable = documents.batch["text"].is_valid().to_pylist()
        return [
            json.loads(line) if is_read else {}
            for line, is_read in zip(rows, readable, strict=True)
        ]
    names = [name for name in rows.schema.names if name in named or name.lower() in _KNOWN]
    columns = [_plain(rows.column(rows.schema.names.index(name))) for name in names]
    if not columns:
        return [{}] * rows.num_rows
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _plain(column: pa.Array) -> list[Any]:
    """The values of a column: strings wherever they can be written as such."""
    if isinstance(column.type, pa.BaseExtensionType):
        # Its bytes would be taken for a string.
        return list(column.to_pylist())
    try:
        values: list[Any] = column.cast(pa.large_string()).to_pylist()
    except (pa.ArrowException, UnicodeDecodeError):
        values = column.to_pylist()
    return values


def _value(row: Mapping[str, Any], name: str | None, likely: tuple[str, ...]) -> str | None:
    """What a field says, the named one or else the first of the likely ones that says anything."""
    if name is not None:
        return _told(row.get(name))
    for outer, inner in _present(tuple(row), likely):
        value = row[outer]
        if inner:
            value = value.get(inner) if isinstance(value, dict) else None
        if told_ := _told(value):
            return told_
    return None


@lru_cache(maxsize=1_000)
def _present(names: tuple[str, ...], likely: tuple[str, ...]) -> list[tuple[str, str]]:
    """Those of the likely names that a record has, and of which field of them the value is."""
    by_lowered = {name.lower(): name for name in reversed(names)}
    paths = [path.partition(".") for path in likely]
    return [(by_lowered[outer], inner) for outer, _, inner in paths if outer in by_lowered]


def _told(value: object) -> str | None:
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bytes):
        return value.decode(errors="replace").strip() or None
    # A list or an object is no name of anything.
    if isinstance(value, int | float | Decimal | UUID | date) and not isinstance(value, bool):
        return str(value)
    return None


def _expect(documents: Documents, rows: Sequence[Mapping[str, Any]], named: Named) -> None:
    """See to it that records have the fields that were named; id and text are seen to before.

    Raises:
        ShardError: none of the first ones has.
    """
    if documents.rows is None:
        return
    seen = list(dict.fromkeys(name for row in rows for name in row))
    if not isinstance(documents.rows, list):
        seen = documents.rows.schema.names
    for field in ("title", "url", "date"):
        name = getattr(named, field)
        if name is not None and name not in seen:
            raise ShardError(
                f"its records have no field {name!r}, but {told(seen)}: name one with"
                f" --{field}-field"
            )
