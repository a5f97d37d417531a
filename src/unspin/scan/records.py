"""How do records become batches? What the readers of all formats have in common.

A batch ends where the shard alone says so, and never holds more than a few megabytes: a file may
be as large as it likes, and a record in it too.
"""

from __future__ import annotations

import gzip
import html
import io
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, TypeVar

import fsspec
import pyarrow as pa
import pyarrow.compute as pc

from unspin.scan.batch import DOCUMENTS

if TYPE_CHECKING:
    from typing_extensions import Buffer

# As much as `unspin read` takes of one page: a whole encyclopaedia article has 0.5 MB.
MAX_RECORD_BYTES = 20_000_000
MAX_BATCH_ROWS = 1_000
MAX_BATCH_BYTES = 8_000_000

TOO_LARGE = f"larger than {MAX_RECORD_BYTES // 1_000_000} MB"

# Names of the fields, the likelier first; in upper case or lower.
TEXT_FIELDS = (
    "text content raw_content document article body page_content main_text maintext plain_text"
    " text_content page passage story"
).split()
ID_FIELDS = (
    "id _id doc_id docid document_id documentid uid uuid guid warc-record-id warc_record_id"
    " record_id url uri source_url"
).split()
# Where a document comes from: an address or a host, or the field of a field that has it.
URL_FIELDS = (
    "url uri source_url source_uri page_url link warc-target-uri warc_target_uri"
    " source_domain domain hostname host metadata.url meta.url warc_headers.warc-target-uri"
).split()

# What libraries raise when a file ends early, its bytes make no sense or cannot be had.
FAULTS = (OSError, EOFError, zlib.error, pa.ArrowException)

_CHUNK_BYTES = 1 << 16
# What is decompressed of a chunk that turns out broken is lost, so these are small.
_ZSTD_CHUNK_BYTES = 1 << 8

# In an address the host follows two slashes; a host by itself has a dot.
_HOST = (
    r"^(?:(?:[A-Za-z][A-Za-z0-9+.\-]*:)?//(?:[^/?#@]*@)?(?P<addressed>\[[^\]]{1,64}\]"
    r"|[^/?#:@\s\[\]]{1,253})|(?P<bare>(?:[\w\-]{1,63}\.)+[A-Za-z][A-Za-z0-9\-]{1,63}))(?:[:/?#]|$)"
)

_TITLE = re.compile(rb"<title\b[^<>]{0,1000}>([^<]{1,2000})</title", re.IGNORECASE)
_TITLE_BYTES = 1 << 15  # of a page, within which its title is looked for

Item = TypeVar("Item")


class Stream(io.RawIOBase):
    """The bytes of a file as they are stored, counted while they are read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._taken = 0
        self._told = 0

    def readable(self) -> bool:
        """It is read, and nothing else."""
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        """Read as many bytes as there are and fit in; return how many."""
        read: int = self._file.readinto(buffer)  # type: ignore[attr-defined]
        self._taken += read
        return read

    def taken(self) -> int:
        """Return how many bytes have been read since this was asked last."""
        taken = self._taken - self._told
        self._told = self._taken
        return taken


@contextmanager
def opened(path: str) -> Iterator[IO[bytes]]:
    """Open a file wherever it is."""
    system, place = fsspec.core.url_to_fs(path)
    with system.open(place, "rb") as file:
        yield file


def chunks(stream: Stream, path: str) -> Iterator[bytes]:
    """Yield the decompressed bytes of a file up to its end or to the fault in it.

    Raises:
        OSError, EOFError, zlib.error, pa.ArrowException: the rest cannot be read.
    """
    lowered = path.lower()
    if lowered.endswith(".gz"):
        # read1 gives what there is before it meets the fault.
        with gzip.GzipFile(fileobj=io.BufferedReader(stream, _CHUNK_BYTES)) as plain:
            yield from iter(lambda: plain.read1(_CHUNK_BYTES), b"")
    elif lowered.endswith(".zst"):
        # Arrow notices a frame without an end, which the stream reader of zstandard does not.
        with pa.CompressedInputStream(pa.PythonFile(stream, "r"), "zstd") as plain:
            yield from iter(lambda: plain.read(_ZSTD_CHUNK_BYTES), b"")
    else:
        yield from iter(lambda: stream.read(_CHUNK_BYTES), b"")


def batches(
    items: Iterator[Item], measure: Callable[[Item], tuple[int, int]]
) -> Iterator[list[Item]]:
    """Yield items together while they are few and small; what precedes a fault is yielded first.

    Args:
        items: what may end in one of `FAULTS`.
        measure: says how many rows an item has, and how many bytes.
    """
    pending: list[Item] = []
    rows = size = 0
    fault: BaseException | None = None
    while True:
        try:
            item = next(items)
        except StopIteration:
            break
        except FAULTS as error:
            fault = error
            break
        more_rows, more_bytes = measure(item)
        if pending and (rows + more_rows > MAX_BATCH_ROWS or size + more_bytes > MAX_BATCH_BYTES):
            yield pending
            pending, rows, size = [], 0, 0
        pending.append(item)
        rows, size = rows + more_rows, size + more_bytes
    if pending:
        yield pending
    if fault is not None:
        raise fault


def documents(
    ids: pa.Array, urls: pa.Array, source: str, texts: pa.Array, reasons: pa.Array
) -> pa.RecordBatch:
    """Return a batch of `DOCUMENTS`; the source is the host of the URL, where it has one.

    >>> ids, urls = pa.array(["7"]), pa.array(["https://Example.org:80/a?b"])
    >>> documents(ids, urls, "part-1", strings(["A text."]), strings([None])).to_pylist()
    [{'id': '7', 'source': 'example.org', 'text': 'A text.', 'reason': None}]
    """
    sources = pc.fill_null(_hosts(urls), encodable(source))
    columns = [ids, sources, texts, reasons]
    return pa.RecordBatch.from_arrays(
        [column.cast(field.type) for column, field in zip(columns, DOCUMENTS, strict=True)],
        schema=DOCUMENTS,
    )


def strings(values: Sequence[str | None]) -> pa.Array:
    """Return strings as Arrow has them, with halves of surrogate pairs replaced one by one."""
    try:
        return pa.array(values, pa.large_string())
    except UnicodeEncodeError:
        return pa.array(
            [None if value is None else encodable(value) for value in values], pa.large_string()
        )


def encodable(text: str) -> str:
    """Return the text with U+FFFD for every half of a surrogate pair."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def title(page: bytes) -> str | None:
    """Return the title of a page of HTML, None if it has none.

    >>> title(b"<html><head><title>Bridge\\n shut &amp; gone</title>")
    'Bridge shut & gone'
    """
    found = _TITLE.search(page, 0, _TITLE_BYTES)
    if found is None:
        return None
    try:
        words = found[1].decode()
    except UnicodeDecodeError:
        words = found[1].decode("cp1252", "replace")
    return " ".join(html.unescape(words).split()) or None


def _hosts(urls: pa.Array) -> pa.Array:
    found = pc.extract_regex(urls.cast(pa.large_string()), _HOST)
    # The group that took no part is empty.
    hosts = pc.binary_join_element_wise(
        pc.struct_field(found, "addressed"),
        pc.struct_field(found, "bare"),
        pa.scalar("", pa.large_string()),
    )
    return pc.if_else(pc.is_valid(found), pc.utf8_lower(hosts), None)
