"""What a scan is told to do: the vocabulary that its rooms share.

What is done with shards, and by whom, are two questions. `Work` is the answer to the first: a scan
is one kind of it, tracing many pages is others. The engines answer the second, for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, TypeVar

import pyarrow as pa

from unspin.families import FamilyTable, digests
from unspin.reader import MODEL
from unspin.scan.batch import Limits

Format = Literal["jsonl", "parquet", "warc", "text"]
TableFormat = Literal["parquet", "jsonl"]
Keep = Literal["clean", "unsure"]


class ScanError(Exception):
    """A scan cannot start or go on; the message says why and what to do about it."""


class ShardError(Exception):
    """A shard cannot be read to its end; what came before the fault has been read."""


class Fields(NamedTuple):
    """Names of the field or column of the text and of the id; None where they are detected."""

    text: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Shard:
    """A unit of work: one file, or some files of a folder of plain texts.

    `name` is that of its tables, and no other shard of the scan has it.
    """

    name: str
    format: Format
    paths: tuple[str, ...]


class Origin(NamedTuple):
    """What a page or the archive that it is in says of it besides its text."""

    url: str | None = None
    title: str | None = None
    date: str | None = None


class Documents(NamedTuple):
    """Documents of a shard: `batch` of `DOCUMENTS`, and the `rows` that they came in, as many.

    The rows are what a corpus is rewritten from: a RecordBatch with all columns for Parquet, raw
    lines without their line ends for JSONL, and None where `batch` is all that there is. `size`
    is the number of bytes of the input (as stored) that were consumed since the last documents.
    Pages, which come in no rows, have `origins`, as many.
    """

    batch: pa.RecordBatch
    rows: pa.RecordBatch | list[bytes] | None
    size: int
    origins: Sequence[Origin] | None = None


def keeps(keep: Keep, verdict: str | None) -> bool:
    """Whether a document with this verdict is kept; what was skipped is as good as unsure.

    >>> keeps("clean", "unsure"), keeps("unsure", None), keeps("unsure", "spun")
    (False, True, False)
    """
    return verdict == "clean" or (keep == "unsure" and verdict != "spun")


@dataclass(frozen=True, slots=True)
class Settings:
    """What shows in the tables of a scan: two scans with equal settings write the same bytes.

    `keep` writes the corpus of the documents that are clean, or clean or unsure; `restore` writes
    it with the words of spun documents put back. `families` are spinners that the model does not
    know; they travel to the workers with their entries. `rerank` names a second reader for what
    is put back, as in `reranker.find`.
    """

    fields: Fields = field(default_factory=Fields)
    table: TableFormat = "parquet"
    keep: Keep | None = None
    restore: bool = False
    limits: Limits = field(default_factory=Limits)
    model: Path = MODEL
    families: tuple[FamilyTable, ...] = ()
    rerank: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, families as digests of what they say."""
        values = asdict(replace(self, families=())) | {
            "fields": self.fields._asdict(),
            "limits": self.limits._asdict(),
            "model": self.model.name,
        }
        del values["families"]
        return values | digests(self.families)


class Advance(NamedTuple):
    """How far work on shards has come since it last said so.

    `found` are the documents that it looks for: those that are spun, or that have a source.
    """

    shards: int = 0
    bytes: int = 0
    documents: int = 0
    found: int = 0


class Line(Protocol):
    """A finished shard, as the manifest and the engines know it: a frozen dataclass.

    There is no clock in it: the same input makes the same line.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def shard(self) -> str:
        """Its name."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """What it was read from."""

    @property
    def bytes(self) -> int:
        """How many bytes that has, as stored."""

    @property
    def error(self) -> str | None:
        """What kept it from being read to its end."""

    @property
    def files(self) -> tuple[tuple[str, str], ...]:
        """What was written, as paths below the output folder, and the SHA-256 of each."""

    @property
    def advance(self) -> Advance:
        """How far the whole of it has brought the work."""


S_contra = TypeVar("S_contra", bound=Shard, contravariant=True)
L_co = TypeVar("L_co", bound=Line, covariant=True)


class Work(Protocol[S_contra, L_co]):
    """What is done with shards: it travels to the workers, and each of them opens it once."""

    @property
    def out(self) -> Path:
        """The output folder, which every worker holds while it lives."""

    def open(self) -> Callable[[S_contra, Callable[[Advance], None]], L_co]:
        """Return what does one shard; it tells of its progress whoever it is given.

        Raises:
            ScanError, ModelError: what the work needs cannot be opened. What is returned raises
                them too, when the work cannot go on; what is wrong with a shard is in its line.
        """

    def give_up(self, shard: S_contra, error: str, advance: Callable[[Advance], None]) -> L_co:
        """Write what is written of a shard that no worker could do.

        Raises:
            ScanError: it cannot be written.
        """


@dataclass(frozen=True, slots=True)
class Done:
    """A finished shard: its line in the manifest.

    `table` and `corpus` are paths below the output folder, `error` what kept the shard from being
    read to its end. There is no clock in it: the same input makes the same line.
    """

    shard: str
    inputs: tuple[str, ...]
    bytes: int
    documents: int
    spun: int
    clean: int
    unsure: int
    skipped: int
    written: int  # documents of the corpus
    table: str
    table_sha256: str
    corpus: str | None = None
    corpus_sha256: str | None = None
    error: str | None = None

    @property
    def files(self) -> tuple[tuple[str, str], ...]:
        """The table, and the corpus if there is one, each with its digest."""
        table = (self.table, self.table_sha256)
        if self.corpus is None or self.corpus_sha256 is None:
            return (table,)
        return (table, (self.corpus, self.corpus_sha256))

    @property
    def advance(self) -> Advance:
        """How far the whole shard has brought the scan."""
        return Advance(1, self.bytes, self.documents, self.spun)
