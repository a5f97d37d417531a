"""How is work done on a Ray cluster? One shard a call, on as many workers as there are.

The shards are the rows of a Ray Data set and the workers its actors, each of which opens the work
once. What a worker writes is what the work writes anywhere, so the tables are the same bytes,
however many workers there were, and a shard that is done over replaces its files.

Inputs and output are opened by the workers. On a cluster the output, the folder that it is all
started in and inputs that are no addresses have to be on a file system that all nodes share, under
the same paths, and `unspin` is installed alike on every node.
"""

from __future__ import annotations

import logging
import os
import pickle
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pyarrow as pa

from unspin.arrays import ModelError
from unspin.scan.job import Advance, Line, ScanError, Shard, Work
from unspin.scan.local import TRIES
from unspin.scan.manifest import sharing

PATIENCE = 5.0  # seconds for a cluster to answer

# Ray tells its makers of every run, and the terminal of much that is no news to who runs a scan:
# at best one line, saying how little it is going to say.
_ENVIRONMENT = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}
_LOGS = {"log_to_driver": False, "logging_level": logging.ERROR}

S = TypeVar("S", bound=Shard)
L = TypeVar("L", bound=Line)


def run(
    shards: Sequence[S],
    job: Work[S, L],
    address: str | None,
    workers: int | None,
    advance: Callable[[Advance], None],
) -> Iterator[L]:
    """Do the work on shards on Ray; yields each as it is finished.

    Shards are handed out in the order given, so put the largest first. A shard whose worker died is
    tried again, and one that kills every worker comes back as one that cannot be read.

    Args:
        shards: what there is to do.
        job: what to do with each; its output folder is one that all nodes see.
        address: of a cluster, as `ray.init` takes it; None starts Ray on this machine and shuts
            it down at the end. If the process is connected to Ray already, that is used and left.
        workers: how many shards are worked on at a time, each on one processor; None takes as
            many as the cluster has processors.
        advance: told of every finished shard.

    Raises:
        ScanError: Ray is not installed or not reached, the work cannot go on, or its files cannot
            be written.
    """
    if not shards:
        return
    with connected(address, workers) as processors:
        unfinished = {shard.name: shard for shard in shards}
        for done in _finished(shards, job, min(len(shards), workers or processors)):
            del unfinished[done.shard]
            advance(done.advance)
            yield done
    for shard in unfinished.values():
        error = f"its worker failed, or died {TRIES} times (out of memory?)"
        yield job.give_up(shard, error, advance)


class Worker:
    """Does shards, one a call; an actor of Ray Data.

    A row is `{"shard": a pickled Shard}`. It comes back as `{"done": its pickled line, "error":
    ""}`, with a message instead if the work cannot go on, and with neither if the shard has had
    its tries. Relative paths are relative to `folder`, and `tries` is the actor of `Tries`.
    """

    def __init__(self, job: Work[Any, Line], folder: str, tries: Any) -> None:  # noqa: ANN401
        # There is a worker for every processor.
        pa.set_cpu_count(1)
        os.chdir(folder)
        self._job = job
        self._tries = tries

    @cached_property
    def _done(self) -> Callable[[Any, Callable[[Advance], None]], Line]:
        return self._job.open()

    def __call__(self, row: Mapping[str, bytes]) -> dict[str, bytes | str]:
        """Return the row of a finished shard."""
        shard = pickle.loads(row["shard"])  # noqa: S301 - we have sent it
        if _ray().get(self._tries.begin.remote(shard.name)) > TRIES:
            return {"done": b"", "error": ""}
        try:
            with sharing(self._job.out) as held:
                if not held:
                    raise ScanError(f"another run has begun to write to {self._job.out}")
                done = self._done(shard, _not_told)
        except (ScanError, ModelError) as error:
            return {"done": b"", "error": str(error)}
        return {"done": pickle.dumps(done), "error": ""}


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


def _finished(shards: Sequence[S], job: Work[S, L], workers: int) -> Iterator[L]:
    """The shards that were finished; those are left out that no worker could."""
    data = _ray().data
    tries = _ray().remote(num_cpus=0)(Tries).remote()
    # A row a block: a shard is told of when it is finished, and no worker holds back a second one
    # while another has nothing to do.
    rows = [{"shard": pickle.dumps(shard)} for shard in shards]
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
            yield pickle.loads(row["done"])  # noqa: S301 - our own worker has sent it


@contextmanager
def connected(address: str | None, workers: int | None) -> Iterator[int]:
    """A connection to Ray, which says how many processors the cluster has.

    What runs meanwhile uses it, so that Ray is started once for work of several steps.

    Raises:
        ScanError: Ray is not installed or not reached.
    """
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
