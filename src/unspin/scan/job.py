"""What a scan is told to do: the vocabulary that its rooms share."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pyarrow as pa

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


class Documents(NamedTuple):
    """Documents of a shard: `batch` of `DOCUMENTS`, and the `rows` that they came in, as many.

    The rows are what a corpus is rewritten from: a RecordBatch with all columns for Parquet, raw
    lines without their line ends for JSONL, and None where `batch` is all that there is. `size`
    is the number of bytes of the input (as stored) that were consumed since the last documents.
    """

    batch: pa.RecordBatch
    rows: pa.RecordBatch | list[bytes] | None
    size: int


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
    it with the words of spun documents put back.
    """

    fields: Fields = field(default_factory=Fields)
    table: TableFormat = "parquet"
    keep: Keep | None = None
    restore: bool = False
    limits: Limits = field(default_factory=Limits)
    model: Path = MODEL

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values."""
        return asdict(self) | {
            "fields": self.fields._asdict(),
            "limits": self.limits._asdict(),
            "model": self.model.name,
        }


class Advance(NamedTuple):
    """How far a scan has come since it last said so."""

    shards: int = 0
    bytes: int = 0
    documents: int = 0
    spun: int = 0


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
