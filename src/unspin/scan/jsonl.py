"""What documents does a file of JSON lines have? One object a line, however broken the lines are.

A line that cannot be read is a document without a text, and the reason says why.
"""

from __future__ import annotations

import codecs
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from unspin.scan import records
from unspin.scan.job import Documents, Fields, Shard, ShardError

_LOOKED_AT = 100  # records, to detect the fields
_TOLD_FIELDS = 20

_TOO_LONG = None  # stands for a line that was not kept


class Record(NamedTuple):
    """A line: its members, or the reason that it has none."""

    members: dict[str, Any] | None
    reason: str | None = None


def read(shard: Shard, fields: Fields) -> Iterator[Documents]:
    """Yield the documents of a file of JSON lines, and the lines that they stand on.

    An empty line among `rows` is one that was too long to be kept; blank lines are no records.

    Raises:
        ShardError: no record has a text, or a field of the name asked for.
        OSError, EOFError, zlib.error, pa.ArrowException: the rest cannot be read.
    """
    names: Fields | None = None
    number = 0
    with records.opened(shard.paths[0]) as file:
        stream = records.Stream(file)
        lines = _lines(records.chunks(stream, shard.paths[0]))
        for batch in records.batches(lines, lambda line: (1, len(line or b""))):
            read = [_parsed(line) for line in batch]
            if names is None and (found := [r.members for r in read if r.members is not None]):
                names = _names(found[:_LOOKED_AT], fields)
            yield Documents(
                _documents(read, names or Fields(), number, shard.name),
                [line or b"" for line in batch],
                stream.taken(),
            )
            number += len(batch)
    if number and names is None:
        raise ShardError("not one of its lines is a JSON object: is it JSON Lines?")


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes | None]:
    """The lines that are not blank, without their ends; the first one without a byte order mark."""
    mark = codecs.BOM_UTF8
    for line in _split(chunks):
        if line is not None:
            line = line.removeprefix(mark).removesuffix(b"\r")  # noqa: PLW2901
        mark = b""
        if line is _TOO_LONG or line.strip():
            yield line


def _split(chunks: Iterable[bytes]) -> Iterator[bytes | None]:
    """Lines without their ends, of which those that are too long are forgotten while read."""
    parts: list[bytes] = []
    length = 0
    for chunk in chunks:
        for number, piece in enumerate(chunk.split(b"\n")):
            if number:
                yield b"".join(parts) if length <= records.MAX_RECORD_BYTES else _TOO_LONG
                parts, length = [], 0
            length += len(piece)
            if length <= records.MAX_RECORD_BYTES:
                parts.append(piece)
            else:
                parts.clear()
    if length:
        yield b"".join(parts) if length <= records.MAX_RECORD_BYTES else _TOO_LONG


def _parsed(line: bytes | None) -> Record:
    if line is None:
        return Record(None, f"the line is {records.TOO_LARGE}")
    try:
        value = json.loads(line.decode())
    except UnicodeDecodeError as error:
        return Record(None, f"not UTF-8 at byte {error.start + 1:,} of the line")
    except json.JSONDecodeError as error:
        return Record(
            None, f"no JSON: {error.msg.removesuffix(' at')} at character {error.pos + 1:,}"
        )
    except (ValueError, RecursionError):
        return Record(None, "no JSON that can be read: a number too long, or nested too deeply")
    if not isinstance(value, dict):
        return Record(None, "no JSON object")
    return Record(value)


def _names(found: Sequence[dict[str, Any]], fields: Fields) -> Fields:
    """The names of the fields of the text and of the id, as most of the records have them.

    Raises:
        ShardError: there is no such field.
    """
    seen = list(dict.fromkeys(name for members in found for name in members))
    for option, name in (("--text-field", fields.text), ("--id-field", fields.id)):
        if name is not None and name not in seen:
            raise ShardError(
                f"its records have no field {name!r}, but {told(seen)}: name one with {option}"
            )
    text = fields.text or _commonest(found, records.TEXT_FIELDS, str)
    if text is None:
        raise ShardError(
            f"no field looks like the text among {told(seen)}: name it with --text-field"
        )
    return Fields(text, fields.id or _commonest(found, records.ID_FIELDS, (str, int, float)))


def told(names: Sequence[str]) -> str:
    """Return the names of fields for a message, a few of many.

    >>> told(["title", "date"])
    "'title', 'date'"
    """
    few = ", ".join(repr(name[:50]) for name in names[:_TOLD_FIELDS])
    if not names:
        return "no fields at all"
    return few + (f" and {len(names) - _TOLD_FIELDS:,} more" if len(names) > _TOLD_FIELDS else "")


def _commonest(
    found: Sequence[dict[str, Any]], likely: Sequence[str], types: type | tuple[type, ...]
) -> str | None:
    counts = Counter(
        name
        for members in found
        for name, value in members.items()
        if name.lower() in likely and isinstance(value, types) and not isinstance(value, bool)
    )
    return min(
        counts, key=lambda name: (-counts[name], likely.index(name.lower()), name), default=None
    )


def _documents(read: Sequence[Record], names: Fields, number: int, source: str) -> pa.RecordBatch:
    ids: list[str | None] = []
    urls: list[str | None] = []
    texts: list[str | None] = []
    reasons: list[str | None] = []
    for place, (members, reason) in enumerate(read, number):
        text = None
        if members is not None:
            text, reason = _text(members, names.text)  # noqa: PLW2901
        ids.append(_id(members or {}, names.id) or str(place))
        urls.append(_url(members or {}))
        texts.append(text)
        reasons.append(reason)
    return records.documents(
        records.strings(ids),
        records.strings(urls),
        source,
        records.strings(texts),
        records.strings(reasons),
    )


_TYPES = {dict: "an object", list: "a list", bool: "true or false", int: "a number"}
_TYPES |= {float: "a number"}


def _text(members: dict[str, Any], name: str | None) -> tuple[str | None, str | None]:
    """The text of a record, or the reason that it has none."""
    if name not in members:
        return None, f"no field {name!r}"
    text = members[name]
    if isinstance(text, str):
        return text, None
    return None, f"the field {name!r} is {_TYPES.get(type(text), 'null')}, no text"


def _id(members: dict[str, Any], name: str | None) -> str | None:
    value = members.get(name) if name is not None else None
    return str(value) if isinstance(value, str | int | float) else None


def _url(members: dict[str, Any]) -> str | None:
    for name in records.URL_FIELDS:
        outer, _, inner = name.partition(".")
        value = members.get(outer)
        if inner and isinstance(value, dict):
            value = value.get(inner)
        if isinstance(value, str) and value:
            return value
    return None
