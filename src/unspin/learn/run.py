"""Tables are learned from files of pages, from end to end.

FAMILY.tsv           the table; comes to be when all is done
FAMILY-1.tsv, ...    instead of it where the pages are of several spinners
FAMILY.tsv.parts/    the surveys that are finished so far, kept as the folder of a scan is
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from unspin import families
from unspin.families import FamilyTable
from unspin.learn.errors import LearnError
from unspin.learn.learner import Learned, Learner
from unspin.learn.survey import Believed, Survey
from unspin.learn.work import SURVEYS, Settings, Surveyed, Surveying, surveyed
from unspin.scan.job import Advance
from unspin.scan.manifest import Manifest, opened, removed, written
from unspin.scan.progress import progress
from unspin.scan.run import Engine, complete, found, ready
from unspin.scan.shards import stored
from unspin.scan.summary import BadShard

PARTS = ".parts"  # what the folder's name has behind the table's

Show = Callable[[int, int], AbstractContextManager[Callable[[Advance], None]]]


class Written(NamedTuple):
    """What was learned, the file of each table, and what could not be read to its end."""

    learned: Learned
    files: tuple[Path, ...]
    bad_shards: tuple[BadShard, ...]


def learn(
    inputs: Sequence[str],
    out: Path,
    name: str,
    settings: Settings = Settings(),  # noqa: B008 - it cannot change
    *,
    engine: Engine = "local",
    workers: int | None = None,
    address: str | None = None,
    overwrite: bool = False,
    show: Show = progress,
) -> Written:
    """Learn the tables of the spinners of some pages, or go on with that.

    What was interrupted is completed by calling this again. The tables depend on the inputs and
    the settings alone.

    Args:
        inputs: files, folders, patterns and addresses, as a scan takes them.
        out: the file for the table; of several each has a number behind its name.
        name: what the family is called.
        settings: what shows in the tables.
        engine: what the workers are: processes of this machine, or of Ray.
        workers: how many there are; None takes one for each core.
        address: of the Ray cluster; None starts Ray on this machine.
        overwrite: begin anew, and replace the tables if there are any.
        show: how progress is shown.

    Raises:
        LearnError: too few of the pages are spun.
        ScanError: it cannot start or go on. What is finished stays so.
        FamilyError: the family cannot be called so.
        ModelError: the model is missing or damaged.
    """
    check(out, overwrite=overwrite)
    shards = found(inputs, out)
    sizes = {shard.name: stored(shard) for shard in shards}
    order = sorted(shards, key=lambda shard: (-sizes[shard.name], shard.name))
    parts = out.absolute().with_name(out.name + PARTS)
    bad: list[Surveyed] = []

    def survey(tables: Sequence[Believed]) -> Survey:
        work = Surveying(parts, settings, tables)
        todo = work.shards(order)
        size = {new.name: sizes[old.name] for new, old in zip(todo, order, strict=True)}
        do = partial(complete, engine=engine, workers=workers, address=address, show=show)
        done = do(Manifest(parts, Surveyed), todo, size, work)
        bad[:] = [line for line in done if line.error is not None]
        return surveyed(parts, done)

    with opened(parts, settings, folders=(SURVEYS,), overwrite=overwrite):
        with ready(engine, workers, address):
            try:
                learned = Learner(settings.model).learn(survey, name)
            except LearnError:
                removed(parts, (SURVEYS,))
                raise
        learned = learned._replace(tables=tuple(map(dated, learned.tables)))
        files = save(learned.tables, out)
        removed(parts, (SURVEYS,))
    return Written(learned, files, tuple(map(_bad, bad)))


def check(out: Path, *, overwrite: bool) -> None:
    """See that tables can be written to a file, before anything is learned.

    Raises:
        LearnError: they cannot.
    """
    if re.match(r"[a-z][a-z0-9+.-]+:/", str(out)) or out.suffix != families.SUFFIX:
        raise LearnError(f"{out}: name a file of this machine that ends in .tsv with -o")
    if out.is_dir():
        raise LearnError(f"{out} is a folder: name a file for the table with -o")
    if not out.parent.is_dir():
        raise LearnError(f"{out} cannot be written: there is no folder {out.parent}")
    before = there(out)
    if before is not None and not overwrite:
        raise LearnError(
            f"{before} is there: name another file with -o, or add --overwrite to replace it"
        )


def there(out: Path) -> Path | None:
    """Return the table that was written before, or the first of several."""
    return next((path for path in (out, _numbered(out, 1)) if path.exists()), None)


def dated(table: FamilyTable) -> FamilyTable:
    """Return a table that was learned today."""
    return replace(table, date=datetime.now(UTC).date().isoformat())


def save(tables: Sequence[FamilyTable], out: Path) -> tuple[Path, ...]:
    """Write a file for every table, and return them.

    Raises:
        ScanError: one cannot be written.
        FamilyError: a table would be no file.
    """
    many = [_numbered(out, number) for number in range(1, len(tables) + 1)]
    files = [out] if len(tables) == 1 else many
    for path, table in zip(files, tables, strict=True):
        text = families.write(table)
        with written(path) as file:
            file.write(text.encode())
    return tuple(files)


def _numbered(out: Path, number: int) -> Path:
    return out.with_name(f"{out.stem}-{number}{out.suffix}")


def _bad(line: Surveyed) -> BadShard:
    name = line.inputs[0] if len(line.inputs) == 1 else line.shard.split("/", 2)[2]
    return BadShard(name, line.documents, str(line.error))
