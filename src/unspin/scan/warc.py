"""What documents does a web archive have? The pages of its responses, and texts cut out before.

fastwarc reads the records of WARC and WET files, resiliparse the pages in them. Whether an archive
is whole is seen here: fastwarc takes one that breaks off for one that ends.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

from unspin import pages
from unspin.scan import records
from unspin.scan.job import Documents, Origin, ScanError, Shard

_HTML = ("text/html", "application/xhtml+xml")
_PLAIN = ("text/plain",)

# What resiliparse needs for a page grows with the square of its depth and of the attributes of a
# tag: a second at 8,000 and at 20,000, minutes a little above. Pages of people stay below these.
_MAX_DEPTH = 2_000
_VOID = "area|base|br|col|embed|hr|img|input|li|link|meta|option|p|source|tr|td|th|track|wbr"
_TAG = re.compile(rf"<(/?)(?!/?(?:{_VOID})\b)[a-z]", re.IGNORECASE)
_MAX_HEAD_BYTES = 1 << 16  # browsers take a quarter of a megabyte, servers send a few kilobytes
_HEAD_END = re.compile(rb"\r?\n\r?\n")
# The line before a chunk says its size; one ends the chunk before it.
_CHUNK = re.compile(rb"(?:\r?\n)?([0-9a-fA-F]{1,8})[^\r\n]{0,100}\r?\n")

Result = TypeVar("Result")


class Row(NamedTuple):
    """A document of an archive."""

    id: str | None
    url: str | None
    text: str | None
    reason: str | None = None
    title: str | None = None
    date: str | None = None


class Libraries(NamedTuple):
    """The modules that read archives."""

    warc: ModuleType
    streams: ModuleType
    html2text: ModuleType
    encoding: ModuleType


class _UnreadableError(Exception):
    """A payload cannot be read; the message says why."""


def libraries() -> Libraries:
    """Return what reads archives.

    Raises:
        ScanError: it is not installed; the message says how to.
    """
    try:
        from fastwarc import stream_io, warc
        from resiliparse.extract import html2text
        from resiliparse.parse import encoding
    except ImportError:
        raise ScanError(
            "WARC and WET files are read with fastwarc and resiliparse: pip install 'unspin[warc]'"
        ) from None
    return Libraries(warc, stream_io, html2text, encoding)


def read(shard: Shard) -> Iterator[Documents]:
    """Yield the pages of responses and the texts of conversions; other records are passed over.

    Raises:
        ScanError: the libraries that it takes are not installed.
        OSError, EOFError, zlib.error: it is no archive, or the rest cannot be read.
    """
    found = libraries()
    with records.opened(shard.paths[0]) as file:
        stream = records.Stream(file)
        plain = _Plain(records.chunks(stream, shard.paths[0]))
        number = 0
        for rows in records.batches(_rows(found, plain), _size):
            batch = records.documents(
                records.strings([row.id or str(place) for place, row in enumerate(rows, number)]),
                records.strings([row.url for row in rows]),
                shard.name,
                records.strings([row.text for row in rows]),
                records.strings([row.reason for row in rows]),
            )
            origins = [Origin(row.url, row.title, row.date) for row in rows]
            yield Documents(batch, None, stream.taken(), origins)
            number += len(rows)


def _size(row: Row) -> tuple[int, int]:
    return 1, len(row.text or "")


class _Plain:
    """A stream for fastwarc that ends at the first fault, and remembers the fault."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""
        self._place = 0
        self.fault: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes, none at the end."""
        if not self._rest:
            try:
                self._rest = next(self._chunks, b"")
            except records.FAULTS as fault:
                self.fault = fault
        read = self._rest if size < 0 else self._rest[:size]
        self._rest = self._rest[len(read) :]
        self._place += len(read)
        return read

    def tell(self) -> int:
        """Return how many bytes were read."""
        return self._place


# --- from records to documents


def _rows(found: Libraries, plain: _Plain) -> Iterator[Row]:
    """The documents of an archive up to its end or its fault.

    Raises:
        OSError, EOFError, zlib.error: a record breaks off, or what follows it is none.
    """
    archive = iter(found.warc.ArchiveIterator(plain, parse_http=False))
    while (record := _caught(partial(next, archive, None))) is not None:
        if not _says_its_length(record):
            raise plain.fault or OSError("a record does not say how long it is")
        rows, missing = _caught(partial(_row, found, record))
        if missing:
            raise plain.fault or EOFError("it breaks off in the middle of a record")
        yield from rows
    if plain.fault is not None:
        raise plain.fault


def _caught(call: Callable[[], Result]) -> Result:
    """What a call into the libraries returns: their panics are no exceptions to Python."""
    try:
        return call()
    except BaseException as error:
        if type(error).__name__ == "PanicException":
            raise OSError(f"fastwarc stops at a record: {error}") from None
        raise


def _says_its_length(record: Any) -> bool:  # noqa: ANN401 - fastwarc's records have no types
    told = (record.headers.get("Content-Length") or "").strip()
    # fastwarc takes 0 for what is no number.
    return told.isdecimal() and len(told) < 20 and int(told) == record.content_length


class _Head(NamedTuple):
    """What is said of a payload before it begins, and as much of it as was read with that."""

    media: str
    codings: str
    payload: bytes


def _row(found: Libraries, record: Any) -> tuple[list[Row], int]:  # noqa: ANN401
    """The document of a record, if it has one, and how many bytes are missing at its end."""
    missing = record.content_length
    is_large = missing > records.MAX_RECORD_BYTES
    head: _Head | None = None
    if record.record_type == found.warc.WarcRecordType.conversion:
        head = _Head(_media(record.headers.get("Content-Type") or ""), "", b"")
    elif record.record_type == found.warc.WarcRecordType.response and record.is_http:
        start = record.reader.read(_MAX_HEAD_BYTES)
        missing -= len(start)
        head = _head(start)
    rows: list[Row] = []
    if head is not None and (not head.media or head.media in _HTML + _PLAIN):
        text = reason = title = None
        try:
            if is_large:
                raise _UnreadableError(f"the payload is {records.TOO_LARGE}")
            rest = record.reader.read()
            missing -= len(rest)
            payload = _decoded(found, head.payload + rest, head.codings)
            text = _text(found, payload, head.media)
            title = records.title(payload) if head.media in _HTML else None
        except (_UnreadableError, pages.PageError) as error:
            reason = str(error)
        # A payload without a type is a document only if it can be read as one.
        if head.media or text is not None:
            id_ = (record.record_id or "").strip("<> ").removeprefix("urn:uuid:") or None
            url, date = (record.headers.get(f"WARC-{name}") for name in ("Target-URI", "Date"))
            rows.append(Row(id_, url, text, reason, title, date))
    return rows, missing - record.reader.consume()


def _head(start: bytes) -> _Head | None:
    """The head of a response, None for what is none.

    fastwarc's own parser takes the page for a part of the head where lines end without a return.
    """
    end = _HEAD_END.search(start)
    if end is None or not start.startswith(b"HTTP/"):
        return None
    headers: dict[str, str] = {}
    for line in start[: end.start()].decode("latin-1").split("\n"):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    names = ("content-encoding", "transfer-encoding")  # in the order that they were put on
    codings = ",".join(headers.get(name, "") for name in names)
    return _Head(_media(headers.get("content-type", "")), codings, start[end.end() :])


def _media(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


# --- from payloads to texts


def _text(found: Libraries, payload: bytes, media: str) -> str:
    """The text of a page.

    Raises:
        _UnreadableError, pages.PageError: it has none that can be read.
    """
    declared, media = media, media or found.encoding.detect_mime(payload)
    if media not in _HTML + _PLAIN:
        raise _UnreadableError("the payload is no text")
    page = _characters(found, payload, is_html=media in _HTML)
    if declared in _PLAIN:
        return page
    # What only looks like plain text may be HTML without a head.
    if media in _PLAIN or _is_deep(page) or pages.crowded(page):
        return pages.extract(page).text
    text: str = found.html2text.extract_plain_text(page, main_content=True)
    return text


def _characters(found: Libraries, payload: bytes, *, is_html: bool) -> str:
    # Chance hardly ever makes UTF-8, of which a few letters are too little for a detector. What
    # is UTF-8 and may be something else has zeros (UTF-16) or escapes (ISO 2022).
    if b"\0" not in payload and b"\x1b" not in payload:
        try:
            return payload.decode("utf-8-sig")
        except UnicodeDecodeError:
            pass
    encoding = found.encoding.detect_encoding(payload, from_html_meta=is_html) or "utf-8"
    page: str = found.encoding.bytes_to_str(payload, encoding, errors="replace")
    return page


def _is_deep(page: str) -> bool:
    """Whether tags may stand in one another deeper than pages of people have them.

    Those of elements that stay open by right do not count, all others that are never closed do.
    """
    tags = page.count("<")
    if tags <= _MAX_DEPTH or tags > pages.MAX_ARTICLE_TAGS:
        return tags > _MAX_DEPTH
    depth = 0
    for tag in _TAG.finditer(page):
        depth = max(depth - 1, 0) if tag[1] else depth + 1
        if depth > _MAX_DEPTH:
            return True
    return False


def _decoded(found: Libraries, payload: bytes, codings: str) -> bytes:
    """The payload without the codings that HTTP has put around it, if they are there.

    Many archives keep the headers of a response whose payload they have decoded.

    Raises:
        _UnreadableError: it cannot be decoded, or is too large when it is.
    """
    for coding in reversed([name.strip().lower() for name in codings.split(",")]):
        if coding == "chunked":
            payload = _unchunked(payload)
        elif coding in ("gzip", "x-gzip", "deflate"):
            payload = _inflated(payload)
        elif coding == "br":
            payload = _unbrotlied(found, payload)
        elif coding not in ("", "identity"):
            raise _UnreadableError(f"the payload is encoded as {coding[:20]!r}")
        if len(payload) > records.MAX_RECORD_BYTES:
            raise _UnreadableError(f"the payload is {records.TOO_LARGE}")
    return payload


def _unchunked(payload: bytes) -> bytes:
    """The chunks of a payload joined, as far as there are any."""
    parts = []
    at = 0
    while found := _CHUNK.match(payload, at):
        size = int(found[1], 16)
        parts.append(payload[found.end() : found.end() + size])
        at = found.end() + size
        if not size:
            break
    return b"".join(parts) if at else payload


def _inflated(payload: bytes) -> bytes:
    limit = records.MAX_RECORD_BYTES + 1
    # With a header of gzip or zlib, or with none as some servers have it.
    for bits in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):
        try:
            return zlib.decompressobj(bits).decompress(payload, limit)
        except zlib.error:
            continue
    return _as_text(payload)


def _unbrotlied(found: Libraries, payload: bytes) -> bytes:
    try:
        read: bytes = found.streams.BrotliReader(io.BytesIO(payload)).read(
            records.MAX_RECORD_BYTES + 1
        )
    except OSError:
        return _as_text(payload)
    return read


def _as_text(payload: bytes) -> bytes:
    if b"\0" in payload[:1024] or payload.startswith(b"\x1f\x8b"):
        raise _UnreadableError("the payload cannot be decompressed")
    return payload
