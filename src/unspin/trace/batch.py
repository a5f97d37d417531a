"""Which articles were many pages taken from? A trace of all of them, from end to end.

    OUT.parquet         a row of `TRACES` for every page; comes to be when all is done
    OUT.parquet.parts/  what is finished so far, kept as the folder of a scan is

The folder goes when the table is whole. As long as a file could not be read to its end, or a piece
not be traced, it stays, so that once that is mended nothing else has to be done again. What the
table was made of is noted in its metadata.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from unspin import __version__
from unspin.families import FamilyTable
from unspin.scan.job import Advance, Fields, ScanError, Shard
from unspin.scan.manifest import (
    Manifest,
    model_digest,
    opened,
    removed,
    saving,
    written,
)
from unspin.scan.progress import progress
from unspin.scan.run import Engine, complete, found, ready
from unspin.scan.shards import stored
from unspin.scan.summary import BadShard
from unspin.scan.tables import parquet
from unspin.trace.articles import TraceError
from unspin.trace.merge import merged
from unspin.trace.network import Traced, tallied
from unspin.trace.pieces import (
    PAGES,
    TRACED,
    TRACES,
    Cutting,
    Part,
    Piece,
    Settings,
    Tracing,
    pieces,
    state,
)

PARTS = ".parts"  # what the folder's name has behind the table's
MERGED = "merged.parquet"  # in the folder: the table before it gets its name
MADE_OF = b"unspin"  # the key of the table's metadata

Show = Callable[..., AbstractContextManager[Callable[[Advance], None]]]


def run(
    inputs: Sequence[str],
    out: Path,
    indexes: Sequence[Path],
    fields: Fields = Fields(),  # noqa: B008 - it cannot change
    *,
    engine: Engine = "local",
    workers: int | None = None,
    address: str | None = None,
    overwrite: bool = False,
    families: Sequence[FamilyTable] = (),
    show: Show = progress,
) -> Traced:
    """Trace the pages of files, or go on with that.

    What is finished is left as it is, so what was interrupted is completed by calling this again,
    and nothing is done if all is. The table depends on the inputs, the indexes, the fields and the
    families alone.

    Args:
        inputs: files, folders, patterns and addresses, as a scan takes them.
        out: the table, whose name ends in .parquet.
        indexes: folders of indexes, which together are one collection.
        fields: where the text and the id stand.
        engine: what the workers are: processes of this machine, or of Ray.
        workers: how many there are; None takes one for each core.
        address: of the Ray cluster; None starts Ray on this machine.
        overwrite: begin anew, and replace the table if there is one.
        families: spinners that the model does not know.
        show: how progress is shown.

    Raises:
        TraceError: it cannot start or go on. What is finished stays so.
    """
    do = partial(complete, engine=engine, workers=workers, address=address)
    try:
        task = _task(inputs, out, indexes, Settings(fields, families=tuple(families)))
        if not overwrite and _is_done(task):
            removed(task.parts, (PAGES, TRACED), (MERGED,))
            return tallied(out)
        with opened(task.parts, task.settings, folders=(PAGES, TRACED), overwrite=overwrite):
            if overwrite:
                out.unlink(missing_ok=True)
            with ready(engine, workers, address):
                return _traced(task, do, show)
    except ScanError as error:
        raise TraceError(str(error)) from error


class _Task(NamedTuple):
    """What is to be done: which shards are read, and to which indexes their pages are traced."""

    shards: list[Shard]
    sizes: dict[str, int]
    indexes: list[tuple[str, Path]]  # with the state of each before it
    settings: Settings
    out: Path

    @property
    def parts(self) -> Path:
        """The folder of what is finished."""
        return self.out.with_name(self.out.name + PARTS)

    def made_of(self, *, complete: bool) -> dict[str, Any]:
        """What shows in the table, for its metadata."""
        read = [(shard.name, shard.paths, self.sizes[shard.name]) for shard in self.shards]
        return {
            "unspin": __version__,
            "model_sha256": model_digest(self.settings.model),
            "settings": self.settings.to_dict(),
            "inputs_sha256": sha256(json.dumps(read).encode()).hexdigest(),
            "indexes": [state for state, _ in self.indexes],
            "complete": complete,
            "files": None if complete else [shard.name for shard in self.shards],
        }


def _task(inputs: Sequence[str], out: Path, indexes: Sequence[Path], settings: Settings) -> _Task:
    if re.match(r"[a-z][a-z0-9+.-]+:/", str(out)) or out.suffix != ".parquet":
        raise TraceError(f"{out}: name a file of this machine that ends in .parquet with -o")
    if out.is_dir():
        raise TraceError(f"{out} is a folder: name a file for the table with -o")
    if not out.parent.is_dir():
        raise TraceError(f"{out} cannot be written: there is no folder {out.parent}")
    if not indexes:
        raise TraceError("there is no index to trace pages to: name one with --index")
    # In an order of their own, in which nothing shows how they were named.
    states = sorted((state(index), index.absolute()) for index in indexes)
    for (one, path), (other, again) in pairwise(states):
        if one == other:
            raise TraceError(f"{path} and {again} hold the same articles: name one of them")
    out = out.absolute()
    shards = found(inputs, out)
    shards = [replace(shard, name=f"{PAGES}/{shard.name}") for shard in shards]
    return _Task(shards, {shard.name: stored(shard) for shard in shards}, states, settings, out)


def _is_done(task: _Task) -> bool:
    """Whether the table is there and whole.

    Raises:
        TraceError: there is one that was made of something else.
    """
    try:
        metadata = pq.read_schema(task.out).metadata or {}
        values = json.loads(metadata[MADE_OF])
        before = {name: values[name] for name in task.made_of(complete=True)}
    except FileNotFoundError:
        return False
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
        raise TraceError(
            f"{task.out} is there, and no batch has written it: name another file with -o, or add"
            " --overwrite to replace it"
        ) from None
    now = task.made_of(complete=True)
    if before == now:
        return True
    if not before["complete"]:
        # Files may be mended, left out or added, but not all of them be others.
        if not set(before["files"]).isdisjoint(shard.name for shard in task.shards):
            return False
        raise TraceError(
            f"{task.out} is not finished, and was begun with other inputs: name these, name another"
            " file with -o, or add --overwrite to replace it"
        )
    names = {
        "unspin": "version",
        "model_sha256": "model",
        "settings": "settings",
        "inputs_sha256": "inputs",
        "indexes": "articles in the index",
    }
    other = [name for key, name in names.items() if before[key] != now[key]]
    raise TraceError(
        f"{task.out} was made of other {' and other '.join(other)}: name another file with -o, or"
        " add --overwrite to replace it"
    )


def _traced(task: _Task, do: Callable[..., list[Part]], show: Show) -> Traced:
    """Read, trace, merge; the folder is held."""
    manifest = Manifest(task.parts, Part)
    # One that is large and begun last would keep everybody waiting for one worker.
    order = sorted(task.shards, key=lambda shard: (-task.sizes[shard.name], shard.name))
    cutting = Cutting(task.parts, task.settings)
    read = do(manifest, order, task.sizes, cutting, show=partial(show, found=""))
    # Index by index, so that a worker seldom opens another and the system keeps one in memory.
    todo = [
        piece
        for digest, index in task.indexes
        for part in read
        for piece in pieces(task.parts, part, index, digest)
    ]
    sizes = {piece.name: piece.size for piece in todo}
    tracing = Tracing(task.parts, task.settings)
    done = do(manifest, todo, sizes, tracing, show=partial(show, found="with a source"))
    manifest.finish()
    bad = list(_bad([*read, *done]))
    _merge(task, todo, complete=not bad)
    if not bad:
        removed(task.parts, (PAGES, TRACED), (MERGED,))
    return tallied(task.out, bad)


def _bad(parts: Sequence[Part]) -> Iterator[BadShard]:
    """What could not be done, with the number of pages that were."""
    for part in parts:
        if part.error is not None:
            kind, _, name = part.shard.partition("/")
            if kind == TRACED:
                # Before it is the index, and behind it the piece.
                name = name.partition("/")[2].rpartition("/")[0]
            yield BadShard(name, part.documents - part.skipped, part.error)


def _merge(task: _Task, todo: Sequence[Piece], *, complete: bool) -> None:
    """Write the table: of every piece what the indexes say of it together."""
    made_of = json.dumps(task.made_of(complete=complete), sort_keys=True)
    schema = TRACES.with_metadata({MADE_OF: made_of})
    each = len(todo) // len(task.indexes)
    with written(task.parts / MERGED) as file, parquet(file, schema) as add:
        for number in range(each):
            asked = [_rows(task.parts, piece) for piece in todo[number::each]]
            rows = [merged(said, task.settings.matches) for said in zip(*asked, strict=True)]
            add(pa.RecordBatch.from_pylist(rows, schema))
    with saving(task.out):
        (task.parts / MERGED).replace(task.out)


def _rows(parts: Path, piece: Piece) -> list[dict[str, Any]]:
    table = parts / f"{piece.name}.parquet"
    try:
        rows: list[dict[str, Any]] = pq.read_table(table, partitioning=None).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise ScanError(f"{table} cannot be read ({error}): run the same command again") from None
    return rows
