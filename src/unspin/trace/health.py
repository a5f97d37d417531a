"""What is in an index, and is it whole? Both go through all of its articles.

What tantivy writes is checked by its own sums: every file of a segment ends in a footer, which is
a JSON object with the CRC-32 of what precedes it, then the length of the object and the number
1337, in four bytes each, the smallest first (version 7 of its format). `meta.json` says which
segments there are.
"""

from __future__ import annotations

import json
import zlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from unspin.trace import folder, store
from unspin.trace.articles import TraceError

if TYPE_CHECKING:
    import tantivy

_SEGMENT_FILES = ("idx", "term", "pos", "fieldnorm", "fast", "store")
_MAGIC = 1337
_TAIL = 8  # bytes, of the length and the magic number
_MAX_FOOTER = 10_000
_CHUNK_BYTES = 1 << 20

_MAX_FAULTS = 20  # that are told of articles
# Articles that share a sentence are compared with so many others that do, the likest first.
_NEIGHBOURS = 16


@dataclass(frozen=True, slots=True)
class Stats:
    """What is in an index.

    `text_bytes` are those of the articles' texts, `bytes` those of the index. `near_copies` is
    the number of articles of which half the sentences stand in another one too, as far as eight of
    them tell, and `groups` that of the groups which these form.
    """

    unspin: str  # the version that built it
    articles: int
    parts: int
    segments: int
    text_bytes: int
    bytes: int
    near_copies: int
    groups: int

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by their names."""
        return asdict(self)


def stats(path: Path) -> Stats:
    """Return what is in an index.

    Raises:
        TraceError: there is none, or it is damaged.
    """
    settings = folder.read_settings(path)
    library = folder.libraries().zstandard
    index = folder.open_tantivy(path)
    parts = text_bytes = 0
    sketches: list[bytes] = []
    with folder.asking(path):
        searcher = index.searcher()
        for documents in _slices(searcher, index.schema):
            for document in documents:
                parts += 1
                text_bytes += library.frame_content_size(document.get_first("body"))
                if document.get_first("part") == 0:
                    sketches.append(document.get_first("sketch") or b"")
        segments = searcher.num_segments
    groups = near_copies(sketches)
    return Stats(
        unspin=settings.unspin,
        articles=len(sketches),
        parts=parts,
        segments=segments,
        text_bytes=text_bytes,
        bytes=sum(file.stat().st_size for file in path.rglob("*") if file.is_file()),
        near_copies=sum(map(len, groups)),
        groups=len(groups),
    )


def check(path: Path) -> list[str]:
    """Return what is wrong with an index, in a sentence each; nothing if it is whole.

    Others may write to it meanwhile.

    Raises:
        TraceError: there is no index, or tantivy is not installed.
    """
    if not (path / folder.INDEX).exists() and not (path / folder.TANTIVY).exists():
        folder.read_settings(path)
    folder.libraries()
    try:
        settings = folder.read_settings(path)
        codec = store.Codec(folder.read_words(path, settings))
    except TraceError as error:
        return [str(error)]
    faults = _files(path / folder.TANTIVY, settings)
    return faults or _articles(path, codec)


# --- tantivy's files


def _files(place: Path, settings: folder.Settings) -> list[str]:
    """What is wrong with them, as often as others change them meanwhile."""
    while True:
        try:
            written = (place / folder.META).read_bytes()
            faults = _segments(place, json.loads(written), settings)
            if not faults or written == (place / folder.META).read_bytes():
                return faults
        except OSError as error:
            return [f"{place / folder.META} cannot be read: {error.strerror}"]
        except (ValueError, TypeError, KeyError, AttributeError):
            return [f"{place / folder.META} is damaged: it is not what tantivy writes"]


def _segments(place: Path, meta: dict[str, Any], settings: folder.Settings) -> list[str]:
    if meta["schema"] != settings.schema:
        return [f"{place / folder.META} is damaged: it has other fields than the index"]
    faults = []
    for segment in meta["segments"]:
        name = segment["segment_id"].replace("-", "")
        endings = list(_SEGMENT_FILES)
        if segment["deletes"]:
            endings.append(f"{segment['deletes']['opstamp']}.del")
        files = [place / f"{name}.{ending}" for ending in endings]
        faults += [f"{file} {fault}" for file in files if (fault := _fault(file))]
    return faults


def _fault(path: Path) -> str | None:
    """What is wrong with a file of a segment."""
    try:
        with path.open("rb") as file:
            return None if _is_whole(file, path.stat().st_size) else "is damaged"
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _is_whole(file: BinaryIO, size: int) -> bool:
    file.seek(max(size - _TAIL, 0))
    tail = file.read()
    length = int.from_bytes(tail[:4], "little")
    body = size - _TAIL - length
    if int.from_bytes(tail[4:], "little") != _MAGIC or length > _MAX_FOOTER or body < 0:
        return False
    file.seek(body)
    try:
        expected = json.loads(file.read(length))["crc"]
    except (ValueError, TypeError, KeyError):
        return False
    file.seek(0)
    crc = 0
    while body > 0 and (chunk := file.read(min(body, _CHUNK_BYTES))):
        crc = zlib.crc32(chunk, crc)
        body -= len(chunk)
    return bool(crc == expected)


# --- articles


def _slices(searcher: tantivy.Searcher, fields: tantivy.Schema) -> Iterator[list[tantivy.Document]]:
    """All documents, those of an article together."""
    query = folder.libraries().tantivy.Query.term_query
    for number in range(store.SLICES):
        most = searcher.doc_freq("slice", number)
        if most:
            found = searcher.search(query(fields, "slice", number, "basic"), most, count=False)
            yield [searcher.doc(address) for _, address in found.hits]


def _articles(path: Path, codec: store.Codec) -> list[str]:
    """What is wrong with the articles, of which the first are named."""
    try:
        index = folder.open_tantivy(path)
        with folder.asking(path):
            searcher = index.searcher()
            faults = list(islice(_broken(searcher, index.schema, codec), _MAX_FAULTS + 1))
    except TraceError as error:
        return [f"{path / folder.TANTIVY} is damaged: {error.__cause__ or error}"]
    if len(faults) > _MAX_FAULTS:
        faults[_MAX_FAULTS:] = ["and more: these are the first"]
    return faults


def _broken(
    searcher: tantivy.Searcher, fields: tantivy.Schema, codec: store.Codec
) -> Iterator[str]:
    parts = 0
    for documents in _slices(searcher, fields):
        parts += len(documents)
        by_id: dict[str, list[tantivy.Document]] = {}
        for document in documents:
            by_id.setdefault(str(document.get_first("id")), []).append(document)
        for id_, own in by_id.items():
            try:
                store.joined(own, codec)
            except (ValueError, TypeError, LookupError, StopIteration) as error:
                yield f"the article {id_!r} is damaged: {error}"
    if parts != searcher.num_docs:
        yield f"{parts:,} parts of articles are to be found, of {searcher.num_docs:,}"


# --- near copies


def near_copies(sketches: Sequence[bytes]) -> list[list[int]]:
    """Return the groups of near copies, as the numbers of their sketches.

    What is a near copy of one in a group is in the group too.

    >>> a, b = (store.sketch(text) for text in ("It is shut. " * 3, "The harbour is open. " * 3))
    >>> near_copies([a, b, a])
    []
    """
    groups = _Groups(len(sketches))
    for sharing in _sharing(sketches):
        # Those that share more stand together when their sketches are sorted.
        sharing.sort(key=sketches.__getitem__)
        for place, one in enumerate(sharing):
            for other in sharing[place + 1 : place + 1 + _NEIGHBOURS]:
                if groups.of(one) != groups.of(other) and store.near_copy(
                    sketches[one], sketches[other]
                ):
                    groups.join(one, other)
    return groups.several()


def _sharing(sketches: Sequence[bytes]) -> Iterator[list[int]]:
    """The numbers of the sketches that share a hash, for every hash that several have."""
    hashes, owners = array("Q"), array("Q")
    for number, sketch in enumerate(sketches):
        own = store.hashes(sketch)
        hashes.extend(own)
        owners.extend([number] * len(own))
    # In Arrow's memory millions of them are no burden.
    order = pc.array_sort_indices(pa.array(hashes, pa.uint64()))
    sorted_ = pa.array(hashes, pa.uint64()).take(order)
    same = pc.equal(sorted_[1:], sorted_[:-1])
    runs = pc.indices_nonzero(same).to_pylist()
    owner = pa.array(owners, pa.uint64()).take(order)
    run: list[int] = []
    for before, place in pairwise([-2, *runs]):
        if place != before + 1:
            if run:
                yield run
            run = [owner[place].as_py()]
        run.append(owner[place + 1].as_py())
    if run:
        yield run


class _Groups:
    """Things, each in a group with those that it was joined to."""

    def __init__(self, count: int) -> None:
        self._above = list(range(count))

    def of(self, one: int) -> int:
        """The thing that stands for the group of this one."""
        while self._above[one] != one:
            self._above[one] = self._above[self._above[one]]
            one = self._above[one]
        return one

    def join(self, one: int, other: int) -> None:
        """Make one group of two."""
        self._above[self.of(other)] = self.of(one)

    def several(self) -> list[list[int]]:
        """The groups of more than one."""
        groups: dict[int, list[int]] = {}
        for one in range(len(self._above)):
            groups.setdefault(self.of(one), []).append(one)
        return [group for group in groups.values() if len(group) > 1]
