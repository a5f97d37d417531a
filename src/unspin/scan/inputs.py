"""Which documents are there to score? What the inputs name, in shards, and the documents in them.

Whatever is in a file, reading it ends in documents, in a reason for each that has no text, or in a
`ShardError` after the last document before the fault.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import fsspec
import pyarrow as pa
from fsspec.implementations.local import LocalFileSystem

from unspin import pages
from unspin.scan import jsonl, parquet, records, warc
from unspin.scan.job import Documents, Fields, Format, Origin, ScanError, Shard, ShardError

MAX_FILES = 1_000  # plain texts in a shard

_EXTENSIONS: dict[Format, str] = {
    "jsonl": r"(jsonl?|ndjson)(\.gz|\.zst)?",
    "parquet": r"parquet",
    "warc": r"(warc|wet)(\.gz)?",
    "text": r"txt|text|md|html?",
}
_KNOWN = {
    kind: re.compile(rf"(?:\.(?:{extension}))+$", re.IGNORECASE)
    for kind, extension in _EXTENSIONS.items()
}
_MAGIC = re.compile(r"[*?\[]")
_MAX_NAME_BYTES = 150  # of a file system's 255, for names are added to


class _File(NamedTuple):
    """A file: where it is, where below the input that named it, and where all in all."""

    path: str
    below: str
    place: str


def find(inputs: Sequence[str]) -> list[Shard]:
    """Return the shards of files, folders, patterns and addresses, sorted by name.

    Folders are searched whole but for names that begin with a point or an underscore, and files of
    a format that is not known are passed over there. A file that is named twice is one shard.

    Raises:
        ScanError: an input is not there, cannot be listed or is of a format that is not known, or
            what reads it is not installed.
    """
    shards: dict[str, tuple[Shard, str]] = {}
    texts: dict[str, list[_File]] = defaultdict(list)
    seen = set()
    for name in inputs:
        for file in _files(name):
            if file.place in seen:
                continue
            seen.add(file.place)
            kind = _format(file.path)
            if kind == "text":
                texts[posixpath.dirname(file.path)].append(file)
            elif kind is not None:
                shards[file.path] = (Shard("", kind, (file.path,)), file.below)
    for folder, files in texts.items():
        files.sort()
        for number, start in enumerate(range(0, len(files), MAX_FILES)):
            some = files[start : start + MAX_FILES]
            below = posixpath.join(posixpath.dirname(some[0].below), f"texts-{number:05}")
            shards[posixpath.join(folder, f"texts-{number:05}")] = (
                Shard("", "text", tuple(file.path for file in some)),
                below,
            )
    if any(shard.format == "warc" for shard, _ in shards.values()):
        warc.libraries()
    names = _names({path: below for path, (_, below) in shards.items()})
    named = (Shard(names[path], s.format, s.paths) for path, (s, _) in shards.items())
    return sorted(named, key=lambda shard: shard.name)


def size(shard: Shard) -> int:
    """Return how many bytes a shard has as it is stored.

    Raises:
        ShardError: a file of it is no longer there.
    """
    try:
        sizes = []
        for path in shard.paths:
            system, place = fsspec.core.url_to_fs(path)
            sizes.append(system.size(place) or 0)
    except OSError as error:
        raise ShardError(f"{_fault(error)}") from error
    return sum(sizes)


def read(shard: Shard, fields: Fields = Fields(), *, rows: bool = True) -> Iterator[Documents]:  # noqa: B008
    """Yield the documents of a shard, a batch at a time.

    Args:
        shard: what to read.
        fields: where the text and the id stand; detected from the first records where not named.
        rows: whether the rows that a corpus is written from come along. Without them columns of
            Parquet that nothing is read from are not decoded.

    Raises:
        ShardError: the rest of it cannot be read; the message says why and after how many records.
        ScanError: what reads it is not installed.
    """
    count = 0
    try:
        for documents in _documents(shard, fields, rows=rows):
            count += documents.batch.num_rows
            yield documents if rows else documents._replace(rows=None)
    except records.FAULTS as error:
        raise ShardError(_after(_fault(error), count)) from error
    except ShardError as error:
        raise ShardError(_after(str(error), count)) from error


def _documents(shard: Shard, fields: Fields, *, rows: bool) -> Iterator[Documents]:
    if shard.format == "jsonl":
        return jsonl.read(shard, fields)
    if shard.format == "parquet":
        return parquet.read(shard, fields, rows=rows)
    if shard.format == "warc":
        return warc.read(shard)
    return _texts(shard)


def _after(fault: str, count: int) -> str:
    return f"{fault} (after {count:,} {'record' if count == 1 else 'records'})"


def _fault(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return "the file is not there"
    if isinstance(error, OSError) and error.strerror:
        return f"the file cannot be read: {error.strerror}"
    # Arrow repeats itself on the lines that follow.
    message = next(iter(str(error).splitlines()), "")
    return f"the file is broken or cut off: {message or type(error).__name__}"


# --- which files


def _files(name: str) -> list[_File]:
    """The files that an input names, of formats that are known.

    Raises:
        ScanError: there is none.
    """
    try:
        # In an address of an archive, what is in it precedes where it is.
        inner, chain, outer = name.partition("::")
        system, place = fsspec.core.url_to_fs(name)
        if system.isfile(place):
            return [_named(name, system, place)]
        if system.isdir(place):
            base = inner if inner.endswith("/") else f"{inner}/"
            found = _within(system, place)
        elif magic := _MAGIC.search(inner):
            base = inner[: inner.rfind("/", 0, magic.start()) + 1]
            found = _matching(system, place)
            _, place = fsspec.core.url_to_fs(f"{base or '.'}{chain}{outer}")
        else:
            raise ScanError(f"{name}: no such file or folder")
        files = sorted(_below(system, place, found, base, chain + outer))
    except (ImportError, ValueError) as error:
        raise ScanError(f"{name} cannot be opened: {error}") from None
    except OSError as error:
        raise ScanError(f"{name} cannot be listed: {error.strerror or error}") from None
    if not files:
        raise ScanError(f"{name}: nothing in it that can be read, which is {_known()}")
    return files


def _named(name: str, system: Any, place: str) -> _File:  # noqa: ANN401 - fsspec has no types
    if _format(name.partition("::")[0]) is None:
        raise ScanError(f"{name}: the ending says no format that is known, which are {_known()}")
    return _File(name, posixpath.basename(place), system.unstrip_protocol(place))


def _known() -> str:
    return (
        ".jsonl, .json or .ndjson (with .gz or .zst too), .parquet, .warc or .wet (with .gz too), "
        ".txt, .text, .md and .html"
    )


def _format(path: str) -> Format | None:
    inner = path.partition("::")[0]
    return next((kind for kind, ending in _KNOWN.items() if ending.search(inner)), None)


def _within(system: Any, folder: str) -> dict[str, dict[str, Any]]:  # noqa: ANN401
    """The files of a folder and of those in it."""
    # Otherwise a folder that may not be listed would be one without files.
    options = {"on_error": "raise"} if isinstance(system, LocalFileSystem) else {}
    found: dict[str, dict[str, Any]] = system.find(folder, detail=True, **options)
    return found


def _matching(system: Any, pattern: str) -> dict[str, dict[str, Any]]:  # noqa: ANN401
    """The files that a pattern matches, and those in the folders that it does."""
    found: dict[str, dict[str, Any]] = {}
    for place, entry in system.glob(pattern, detail=True).items():
        if entry["type"] == "directory":
            found |= _within(system, place)
        else:
            found[place] = entry
    return found


def _below(
    system: Any,  # noqa: ANN401
    base_place: str,
    found: dict[str, dict[str, Any]],
    base: str,
    outer: str,
) -> Iterator[_File]:
    for place, entry in found.items():
        below = place.removeprefix(base_place.rstrip("/")).lstrip("/")
        is_hidden = any(part.startswith((".", "_")) for part in below.split("/"))
        # What is neither may be a link to a file, or a pipe that would be waited for for ever.
        is_file = entry["type"] == "file" or system.isfile(place)
        if is_file and not is_hidden and _format(below):
            yield _File(f"{base}{below}{outer}", below, system.unstrip_protocol(place))


# --- what shards are called


def _names(below: dict[str, str]) -> dict[str, str]:
    """The names of shards by their paths, of what stands below the inputs.

    Endings are left out, so that no folder can be called like a table. What would have the same
    name, in upper case or lower, keeps its ending, or gets a digest of its path if that is no help.
    """
    names = {path: _name(place, _bare(posixpath.basename(place))) for path, place in below.items()}
    whole = {path: _name(place, posixpath.basename(place)) for path, place in below.items()}
    for others in (whole, {path: f"{name}-{_digest(path)}" for path, name in whole.items()}):
        counts = Counter(name.lower() for name in names.values())
        names |= {path: others[path] for path in names if counts[names[path].lower()] > 1}
    return names


def _name(place: str, last: str) -> str:
    parts = [_bare(part) for part in PurePosixPath(place).parent.parts if part not in ("/", "..")]
    return "/".join(_short(part) for part in (*parts, last))


def _bare(part: str) -> str:
    """The name of a file or folder without endings of formats."""
    before = None
    while before != part:
        before = part
        for ending in _KNOWN.values():
            part = ending.sub("", part) or part
    return part


def _short(part: str) -> str:
    raw = part.encode("utf-8", "replace")
    if len(raw) <= _MAX_NAME_BYTES:
        return raw.decode()
    return f"{raw[:_MAX_NAME_BYTES].decode('utf-8', 'ignore')}-{_digest(part)}"


def _digest(path: str) -> str:
    return sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:8]


# --- folders of plain text


def _texts(shard: Shard) -> Iterator[Documents]:
    """The documents of plain texts and pages, one a file, whose paths are their ids.

    Raises:
        ShardError: some of the files cannot be read.
    """
    unread: list[str] = []
    for files in records.batches(map(_text, shard.paths), lambda file: (1, len(file.text or ""))):
        unread += [file.path for file in files if file.is_unread]
        batch = records.documents(
            records.strings([file.path for file in files]),
            pa.nulls(len(files), pa.large_string()),
            shard.name,
            records.strings([file.text for file in files]),
            records.strings([file.reason for file in files]),
        )
        origins = [Origin(title=file.title) for file in files]
        yield Documents(batch, None, sum(file.size for file in files), origins)
    if unread:
        raise ShardError(f"{len(unread):,} of its files cannot be read, {unread[0]} first")


class _Text(NamedTuple):
    """A file as it was read."""

    path: str
    size: int = 0
    text: str | None = None
    title: str | None = None
    reason: str | None = None
    is_unread: bool = False


def _text(path: str) -> _Text:
    try:
        with records.opened(path) as file:
            raw = file.read(pages.MAX_BYTES + 1)
    except OSError as error:
        return _Text(path, reason=_fault(error), is_unread=True)
    try:
        return _Text(path, len(raw), pages.extract(raw).text, records.title(raw))
    except pages.PageError as error:
        return _Text(path, len(raw), reason=str(error))
