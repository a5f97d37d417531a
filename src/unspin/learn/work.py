"""A survey of many pages is work for any engine of a scan: each shard has one of its own."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from unspin.families import FamilyError
from unspin.learn.learner import BELIEF, Learner
from unspin.learn.survey import Believed, Survey, Surveyor
from unspin.reader import MODEL
from unspin.scan import manifest
from unspin.scan.batch import Limits
from unspin.scan.job import Advance, Documents, Fields, ScanError, Shard, ShardError
from unspin.scan.shards import read, stored, unexpected

SURVEYS = "surveys"  # the folder


@dataclass(frozen=True, slots=True)
class Settings:
    """What shows in the tables that are learned.

    `scores` is the folder of a scan of the same pages: only those are looked at that it found to
    be spun by no family that it knows.
    """

    fields: Fields = field(default_factory=Fields)
    limits: Limits = field(default_factory=Limits)
    model: Path = MODEL
    scores: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, with a digest of what is believed by.

        Raises:
            ScanError: that cannot be read.
        """
        return {
            "belief_sha256": manifest.part_digest(self.model, BELIEF),
            "fields": self.fields._asdict(),
            "limits": self.limits._asdict(),
            "model": self.model.name,
            "of_a_scan": self.scores is not None,
        }


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A shard that was surveyed: its line in the manifest."""

    shard: str
    inputs: tuple[str, ...]
    bytes: int
    documents: int
    spun: int
    survey: str
    survey_sha256: str
    error: str | None = None

    @property
    def files(self) -> tuple[tuple[str, str], ...]:
        """The survey, with its digest."""
        return ((self.survey, self.survey_sha256),)

    @property
    def advance(self) -> Advance:
        """How far the whole of it has brought the work."""
        return Advance(1, self.bytes, self.documents, self.spun)


class Surveying(NamedTuple):
    """The work of one pass: the pages of every shard are surveyed with the tables of the spinners.

    Shards are those that `shards` has named for the pass.
    """

    out: Path
    settings: Settings
    tables: Sequence[Believed]

    def shards(self, found: Sequence[Shard]) -> list[Shard]:
        """Return shards that `scan.inputs` has found as those of this pass: where tables are
        others, so are the shards."""
        told = json.dumps([sorted((*pair, p) for pair, p in t.items()) for t in self.tables])
        state = sha256(told.encode()).hexdigest()[:16]
        return [replace(shard, name=f"{SURVEYS}/{state}/{shard.name}") for shard in found]

    def open(self) -> Callable[[Shard, Callable[[Advance], None]], Surveyed]:
        """Return what surveys one shard.

        Raises:
            ModelError: the model cannot be opened.
            ScanError: the tables cannot be used together.
        """
        try:
            surveyor = Learner(self.settings.model).surveyor(self.tables)
        except FamilyError as error:
            raise ScanError(str(error)) from None
        return lambda shard, advance: self._write(shard, self._read(shard), surveyor, advance)

    def give_up(self, shard: Shard, error: str, advance: Callable[[Advance], None]) -> Surveyed:
        """Write the empty survey of a shard that kills whoever surveys it."""
        return self._write(shard, iter(()), None, advance, error)

    def _read(self, shard: Shard) -> Iterator[tuple[Documents, list[str | None]]]:
        """The documents of a shard, and the texts of those that are to be looked at."""
        shard = replace(shard, name=shard.name.split("/", 2)[2])
        is_unknown = None if self.settings.scores is None else _unknown(self.settings.scores, shard)
        for some in read(shard, self.settings.fields, rows=False):
            texts = some.batch["text"].to_pylist()
            if is_unknown is not None:
                texts = [text if next(is_unknown, False) else None for text in texts]
            yield some, texts

    def _write(
        self,
        shard: Shard,
        documents: Iterator[tuple[Documents, list[str | None]]],
        surveyor: Surveyor | None,
        advance: Callable[[Advance], None],
        error: str | None = None,
    ) -> Surveyed:
        size = stored(shard)
        found = Survey()
        try:
            for some, texts in documents:
                before = found.spun
                for text in texts:
                    if text is not None and surveyor is not None:
                        found.add(self._look(text, surveyor))
                advance(Advance(0, some.size, len(texts), found.spun - before))
        except ShardError as fault:
            error = str(fault)
        except Exception as fault:  # noqa: BLE001 - whatever is wrong with it, the others go on
            error = unexpected(fault)
        name = f"{shard.name}.json.gz"
        with manifest.written(self.out / name) as file:
            file.write(gzip.compress(json.dumps(found.to_dict()).encode(), 6, mtime=0))
        advance(Advance(shards=1))
        digest = manifest.digest(self.out / name)
        return Surveyed(shard.name, shard.paths, size, found.pages, found.spun, name, digest, error)

    def _look(self, text: str, surveyor: Surveyor) -> Survey:
        limits = self.settings.limits
        if len(text) > limits.characters:
            return Survey(pages=1, skipped=1)
        try:
            return surveyor.look(text, time.monotonic() + limits.seconds)
        except Exception:  # noqa: BLE001 - it does not take the others along
            return Survey(pages=1, skipped=1)


def surveyed(out: Path, lines: Sequence[Surveyed]) -> Survey:
    """Return what was found on all pages of a pass.

    Raises:
        ScanError: a survey cannot be read.
    """
    found = Survey()
    for line in lines:
        path = out / line.survey
        try:
            found.add(Survey.from_dict(json.loads(gzip.decompress(path.read_bytes()))))
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            raise ScanError(
                f"{path} cannot be read ({error}): run the same command again"
            ) from None
    return found


def _unknown(scores: Path, shard: Shard) -> Iterator[bool]:
    """Whether each document of a shard was found to be spun by no family that is known."""
    base = scores / shard.name
    for path in (base.with_name(f"{base.name}.parquet"), base.with_name(f"{base.name}.jsonl")):
        if path.exists():
            yield from (row == ("spun", "unknown") for row in _rows(path))
            return
    raise ShardError(f"{base}: the scan has no table of it")


def _rows(path: Path) -> Iterator[tuple[str | None, str | None]]:
    if path.suffix == ".parquet":
        try:
            table = pq.read_table(path, columns=["verdict", "family"], partitioning=None)
        except (OSError, pa.ArrowException) as error:
            raise ShardError(f"{path} cannot be read: {error}") from None
        yield from zip(table["verdict"].to_pylist(), table["family"].to_pylist(), strict=True)
        return
    with path.open("rb") as lines:
        for line in lines:
            row = json.loads(line)
            yield row["verdict"], row["family"]
