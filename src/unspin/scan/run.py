"""Which shards are there, which are still to be done, and who does them? A scan from end to end."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

from unspin.scan import inputs as room
from unspin.scan.job import Advance, Done, Line, ScanError, Settings, Shard, Work
from unspin.scan.manifest import Manifest, opened
from unspin.scan.progress import progress
from unspin.scan.shards import Job, stored

Engine = Literal["local", "ray"]
# Takes the number of shards to do and their bytes; what it gives is told how far the scan is.
Show = Callable[[int, int], AbstractContextManager[Callable[[Advance], None]]]

S = TypeVar("S", bound=Shard)
L = TypeVar("L", bound=Line)


class Scanned(NamedTuple):
    """The shards of a scan and, sorted by name, what came of them."""

    shards: list[Shard]
    done: list[Done]


def scan(
    inputs: Sequence[str],
    out: Path,
    settings: Settings = Settings(),  # noqa: B008 - it cannot change
    *,
    engine: Engine = "local",
    workers: int | None = None,
    address: str | None = None,
    overwrite: bool = False,
    show: Show = progress,
) -> Scanned:
    """Scan a corpus, or go on with a scan of it.

    Shards that are finished already are left as they are, so what was interrupted is completed by
    calling this again; those that could not be read to their end are tried again. The files below
    `out` depend on the inputs and the settings alone.

    Args:
        inputs: files, folders, patterns and addresses that fsspec opens.
        out: the folder for the tables, which are below `scores/`, and the corpus.
        settings: what shows in the tables.
        engine: what the workers are: processes of this machine, or of Ray.
        workers: how many there are; None takes one for each core.
        address: of the Ray cluster; None starts Ray on this machine.
        overwrite: begin anew, and discard what a scan has written to `out`.
        show: how progress is shown.

    Raises:
        ScanError: the scan cannot start or go on. Shards that are finished stay so.
    """
    if re.match(r"[a-z][a-z0-9+.-]+:/", str(out)):
        # A path has lost one of its slashes.
        address = str(out).replace(":/", "://", 1)
        raise ScanError(f"{address} is an address: tables are written to a folder of this machine")
    shards = found(inputs, out)
    sizes = {shard.name: stored(shard) for shard in shards}
    # One that is large and begun last would keep everybody waiting for one worker.
    order = sorted(shards, key=lambda shard: (-sizes[shard.name], shard.name))
    job = Job(out.absolute(), settings)
    with opened(out, settings, overwrite=overwrite):
        manifest = Manifest(out, Done)
        done = complete(
            manifest, order, sizes, job, engine=engine, workers=workers, address=address, show=show
        )
        manifest.finish()
    return Scanned(shards, done)


def found(inputs: Sequence[str], out: Path) -> list[Shard]:
    """Return the shards of inputs that are to be read for an output, sorted by name.

    Raises:
        ScanError: an input cannot be read, or lies where the output does.
    """
    keep_apart = partial(_keep_apart, out, out.resolve())
    for name in inputs:
        keep_apart(name)
    shards = room.find(inputs)
    for shard in shards:
        for path in shard.paths:
            keep_apart(path)
    return shards


def complete(
    manifest: Manifest[L],
    shards: Sequence[S],
    sizes: Mapping[str, int],
    job: Work[S, L],
    *,
    engine: Engine,
    workers: int | None,
    address: str | None,
    show: Show,
) -> list[L]:
    """Do what is not finished of some work; returns the lines of all its shards, sorted by name.

    Args:
        manifest: says what is finished, and is told of the rest.
        shards: the work, in the order in which it is handed out.
        sizes: the bytes of each shard by its name.
        job: what is done with each.
        engine: what the workers are.
        workers: how many there are; None takes one for each core.
        address: of the Ray cluster.
        show: how progress is shown.

    Raises:
        ScanError: the work cannot start or go on. What is finished stays so.
    """
    finished = {shard.name: manifest.finished(shard, sizes[shard.name]) for shard in shards}
    undone = [shard for shard in shards if finished[shard.name] is None]
    manifest.start(undone)
    done = [line for line in finished.values() if line is not None]
    with (
        show(len(undone), sum(sizes[shard.name] for shard in undone)) as advance,
        closing(_run(engine, undone, job, workers, address, advance)) as running,
    ):
        for line in running:
            manifest.add(line)
            done.append(line)
    return sorted(done, key=lambda line: line.shard)


def ready(
    engine: Engine, workers: int | None, address: str | None
) -> AbstractContextManager[object]:
    """What several steps of one piece of work are to share: Ray is started once.

    Raises:
        ScanError: Ray is not installed or not reached.
    """
    if engine == "local":
        return nullcontext()
    from unspin.scan import ray

    return ray.connected(address, workers)


def _run(
    engine: Engine,
    shards: Sequence[S],
    job: Work[S, L],
    workers: int | None,
    address: str | None,
    advance: Callable[[Advance], None],
) -> Generator[L, None, None]:
    if not shards:
        return
    if engine == "ray":
        from unspin.scan import ray

        yield from ray.run(shards, job, address, workers, advance)
    else:
        from unspin.scan import local

        yield from local.run(shards, job, workers or _cores(), advance)


def _cores() -> int:
    """The number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _keep_apart(out: Path, target: Path, name: str) -> None:
    """See to it that what is read is not written, nor what is written read the next time."""
    lies = nested(name, target)
    if lies == "in":
        raise ScanError(f"the input {name} lies in the output {out}: write elsewhere with -o")
    if lies == "around":
        raise ScanError(
            f"the output {out} lies in the input {name}, where the next run would take it for"
            " input: write elsewhere with -o"
        )


def nested(name: str, target: Path) -> Literal["in", "around"] | None:
    """Return whether an input lies in what is written, resolved, or around it; None if neither.

    >>> nested("/data/out/a.jsonl", Path("/data/out")), nested("s3://data", Path("/data/out"))
    ('in', None)
    """
    place = re.sub(r"^(file|local)://", "", name)
    if "://" in place:
        return None
    source = Path(place).resolve()
    if source.is_relative_to(target):
        return "in"
    return "around" if target.is_relative_to(source) else None
