"""How does a scan run on a Ray cluster? One shard a call, on as many workers as there are.

The shards are the rows of a Ray Data set and the workers its actors, each of which opens the model
once. What a worker writes is what `unspin.scan.shards.process` writes anywhere, so the tables are
the same bytes, however many workers there were, and a shard that is done over replaces its files.

Inputs and output are opened by the workers. On a cluster the output, the folder that the scan is
started in and inputs that are no addresses have to be on a file system that all nodes share, under
the same paths, and `unspin` is installed alike on every node.
"""

from __future__ import annotations

import json
import logging
import os
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa

from unspin.arrays import ModelError
from unspin.scan import shards as room
from unspin.scan.batch import Scorer
from unspin.scan.job import Advance, Done, ScanError, Shard
from unspin.scan.local import TRIES
from unspin.scan.manifest import sharing

PATIENCE = 5.0  # seconds for a cluster to answer

# Ray tells its makers of every run, and the terminal of much that is no news to who runs a scan:
# at best one line, saying how little it is going to say.
_ENVIRONMENT = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}
_LOGS = {"log_to_driver": False, "logging_level": logging.ERROR}


def run(
    shards: Sequence[Shard],
    job: room.Job,
    address: str | None,
    workers: int | None,
    advance: Callable[[Advance], None],
) -> Iterator[Done]:
    """Score shards on Ray; yields each as it is finished.

    Shards are handed out in the order given, so put the largest first. A shard whose worker died is
    tried again, and one that kills every worker comes back as one that cannot be read.

    Args:
        shards: what to scan.
        job: what to do with each; its output folder is one that all nodes see.
        address: of a cluster, as `ray.init` takes it; None starts Ray on this machine and shuts
            it down at the end. If the process is connected to Ray already, that is used and left.
        workers: how many shards are worked on at a time, each on one processor; None takes as
            many as the cluster has processors.
        advance: told of every finished shard.

    Raises:
        ScanError: Ray is not installed or not reached, or tables cannot be written.
    """
    if not shards:
        return
    with _connected(address, workers) as processors:
        unfinished = {shard.name: shard for shard in shards}
        for done in _finished(shards, job, min(len(shards), workers or processors)):
            del unfinished[done.shard]
            advance(Advance(1, done.bytes, done.documents, done.spun))
            yield done
    for shard in unfinished.values():
        error = f"its worker failed, or died {TRIES} times (out of memory?)"
        yield room.give_up(shard, job, error, advance)


class Worker:
    """Scores shards, one a call; an actor of Ray Data.

    A row is `{"shard": JSON of a Shard}`. It comes back as `{"done": JSON of its Done, "error":
    ""}`, with a message instead if the scan cannot go on, and with neither if the shard has had
    its tries. Relative paths are relative to `folder`, and `tries` is the actor of `Tries`.
    """

    def __init__(self, job: room.Job, folder: str, tries: Any) -> None:  # noqa: ANN401
        # There is a worker for every processor.
        pa.set_cpu_count(1)
        os.chdir(folder)
        self._job = job
        self._tries = tries

    @cached_property
    def _scorer(self) -> Scorer:
        settings = self._job.settings
        return Scorer(settings.limits, settings.model)

    def __call__(self, row: Mapping[str, str]) -> dict[str, str]:
        """Return the row of a finished shard."""
        read = json.loads(row["shard"])
        shard = Shard(read["name"], read["format"], tuple(read["paths"]))
        if _ray().get(self._tries.begin.remote(shard.name)) > TRIES:
            return {"done": "", "error": ""}
        try:
            with sharing(self._job.out) as held:
                if not held:
                    raise ScanError(f"another scan has begun to write to {self._job.out}")
                done = room.process(shard, self._job, self._scorer, _not_told)
        except (ScanError, ModelError) as error:
            return {"done": "", "error": str(error)}
        return {"done": json.dumps(asdict(done)), "error": ""}


class Tries:
    """Counts how often each shard was begun, which its workers do not live to say; an actor.

    Ray gives the call of a worker that died to another, without end.
    """

    def __init__(self) -> None:
        self._begun: Counter[str] = Counter()

    def begin(self, name: str) -> int:
        """Return which try at a shard begins."""
        self._begun[name] += 1
        return self._begun[name]


def _finished(shards: Sequence[Shard], job: room.Job, workers: int) -> Iterator[Done]:
    """The shards that were finished; those are left out that no worker could."""
    data = _ray().data
    tries = _ray().remote(num_cpus=0)(Tries).remote()
    # A row a block: a shard is told of when it is finished, and no worker holds back a second one
    # while another has nothing to do.
    rows = [{"shard": json.dumps(asdict(shard))} for shard in shards]
    finished = data.from_items(rows, override_num_blocks=len(rows)).map(
        Worker,
        fn_constructor_args=(job, str(Path.cwd()), tries),
        compute=data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=1),
        num_cpus=1,
    )
    finished.context.enable_progress_bars = False
    finished.context.print_on_execution_start = False
    # What goes wrong with one shard is said, and the others are finished.
    finished.context.max_errored_blocks = -1
    for row in finished.iter_rows():
        if row["error"]:
            raise ScanError(row["error"])
        if row["done"]:
            done = json.loads(row["done"])
            yield Done(**done | {"inputs": tuple(done["inputs"])})


@contextmanager
def _connected(address: str | None, workers: int | None) -> Iterator[int]:
    """A connection to Ray, which says how many processors the cluster has."""
    ray = _ray()
    started = not ray.is_initialized()
    with _quiet():
        if started:
            _connect(address, workers)
        try:
            yield max(1, int(ray.cluster_resources().get("CPU", 1)))
        finally:
            if started:
                ray.shutdown()


def _connect(address: str | None, workers: int | None) -> None:
    if address is not None:
        _reach(address)
    try:
        if address is None:
            _ray().init("local", num_cpus=workers, include_dashboard=False, **_LOGS)
        else:
            _ray().init(address, **_LOGS)
    except (ConnectionError, ValueError, RuntimeError, SystemExit) as error:
        where = "does not start on this machine" if address is None else f"is not at {address}"
        raise ScanError(f"Ray {where}: {error}") from error


def _reach(address: str) -> None:
    """See that somebody answers: Ray itself tries for minutes, and then ends the process."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise ScanError(f"no cluster of Ray answers at {address}: {error}") from error


def _ray() -> ModuleType:
    try:
        import_module("ray.data")
    except ModuleNotFoundError:
        raise ScanError("the engine ray needs Ray: pip install 'unspin[ray]'") from None
    return import_module("ray")


@contextmanager
def _quiet() -> Iterator[None]:
    """Nothing but errors from Ray on the terminal, and no report to its makers."""
    logger = logging.getLogger("ray.data")
    level = logger.level
    before = {name: os.environ.get(name) for name in _ENVIRONMENT}
    logger.setLevel(logging.ERROR)
    os.environ.update(_ENVIRONMENT)
    try:
        yield
    finally:
        logger.setLevel(level)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _not_told(_: Advance) -> None:
    """A worker is on another machine than whoever watches: they are told when a shard is done."""
