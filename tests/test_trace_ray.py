"""A batch on Ray over two shards of an index: the same bytes as anywhere else."""

import gc
import json
import os
import signal
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("ray")
pytest.importorskip("tantivy")

import pyarrow.parquet as pq
import ray.cloudpickle

from unspin.scan import ray as engine
from unspin.scan.job import Shard
from unspin.trace.articles import TraceError
from unspin.trace.batch import run
from unspin.trace.index import build
from unspin.trace.pieces import PAGES, Cutting, Settings, Tracing, pieces, state

# What Ray does to itself: it sets the defaults of options that it has deprecated, and leaves files
# and processes for the interpreter to close.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning:ray"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

CASES = json.loads((Path(__file__).parent / "cases" / "synthetic.json").read_text("utf-8"))


@contextmanager
def quiet(*_, **__):
    yield lambda _: None


@pytest.fixture(scope="module", autouse=True)
def _closed():
    yield
    ray.shutdown()
    gc.collect()


@pytest.fixture(scope="module")
def cluster():
    """Ray with two processors."""
    with engine.connected(None, 2):
        yield


def write(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return str(path)


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Three files of pages, one of them broken, and two indexes with half of the sources each."""
    folder = tmp_path_factory.mktemp("asked")
    (folder / "in").mkdir()
    articles = [{"id": f"{i}", "text": case["restored"]} for i, case in enumerate(CASES)]
    for n in range(2):
        build([write(folder / f"{n}.jsonl", articles[n::2])], folder / f"ix{n}")
        pages = [{"id": f"page-{i}", "text": case["text"]} for i, case in enumerate(CASES)]
        write(folder / "in" / f"{n}.jsonl", pages[n::2])
    (folder / "in" / "broken.jsonl.gz").write_bytes(b"not packed")
    return folder


@pytest.fixture(scope="module")
def expected(asked, tmp_path_factory):
    """What processes of this machine make of it."""
    out = tmp_path_factory.mktemp("local") / "out.parquet"
    return trace(asked, out, workers=1), out.read_bytes()


def trace(asked, out, **options):
    indexes = [asked / "ix0", asked / "ix1"]
    return run([str(asked / "in")], out, indexes, show=quiet, **options)


def test_a_batch_starts_ray_once_and_shuts_it_down(asked, expected, tmp_path, monkeypatch, capfd):
    started = []
    real = ray.init
    monkeypatch.setattr(ray, "init", lambda *a, **options: started.append(a) or real(*a, **options))
    out = tmp_path / "out.parquet"
    assert (trace(asked, out, engine="ray", workers=2), out.read_bytes()) == expected
    assert len(started) == 1
    assert not ray.is_initialized()
    said = capfd.readouterr()
    assert said.out == ""
    assert [line for line in said.err.splitlines() if "Set ray log level" not in line] == []


@pytest.mark.usefixtures("cluster")
def test_pages_are_found_in_the_shard_that_has_their_source(asked, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # A relative output too is where the run was started, not where its workers are.
    assert trace(asked, Path("out.parquet"), engine="ray", workers=1) == expected[0]
    assert Path("out.parquet").read_bytes() == expected[1]
    rows = {row["id"]: row for row in pq.read_table("out.parquet").to_pylist()}
    for i in range(len(CASES)):
        assert [match["id"] for match in rows[f"page-{i}"]["matches"]] == [f"{i}"]
    assert ray.is_initialized()


class Deadly(Tracing):
    """Work that kills the first two workers that open it."""

    def open(self):
        marks = self.out / "marks"
        marks.mkdir(exist_ok=True)
        if (died := len(list(marks.iterdir()))) < 2:
            (marks / str(died)).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().open()


@pytest.fixture
def _deadly_travels():
    """Workers do not have this file: its classes are sent to them."""
    module = sys.modules[__name__]
    ray.cloudpickle.register_pickle_by_value(module)
    yield
    ray.cloudpickle.unregister_pickle_by_value(module)


@pytest.mark.usefixtures("cluster", "_deadly_travels")
def test_the_pieces_of_a_worker_that_dies_are_done_over(asked, tmp_path):
    shard = Shard(f"{PAGES}/0", "jsonl", (str(asked / "in" / "0.jsonl"),))
    read = Cutting(tmp_path, Settings()).open()(shard, lambda _: None)
    indexes = [asked / "ix0", asked / "ix1"]
    todo = [piece for ix in indexes for piece in pieces(tmp_path, read, ix, state(ix))]
    done = list(engine.run(todo, Deadly(tmp_path, Settings()), None, 2, lambda _: None))
    assert len(list((tmp_path / "marks").iterdir())) == 2
    assert sorted(part.shard for part in done) == sorted(piece.name for piece in todo)
    # Its pages are those of every other case, and so are the articles of an index.
    assert sorted(part.found for part in done) == [0, len(CASES[::2])]
    assert [part.error for part in done] == [None, None]


@pytest.mark.usefixtures("cluster")
def test_an_index_that_has_changed_ends_it(asked, tmp_path):
    shard = Shard(f"{PAGES}/0", "jsonl", (str(asked / "in" / "0.jsonl"),))
    read = Cutting(tmp_path, Settings()).open()(shard, lambda _: None)
    todo = list(pieces(tmp_path, read, asked / "ix0", "0" * 64))
    with pytest.raises(engine.ScanError, match="has changed since"):
        list(engine.run(todo, Tracing(tmp_path, Settings()), None, 1, lambda _: None))


def test_a_cluster_that_is_not_there_is_named(asked, tmp_path):
    ray.shutdown()
    with pytest.raises(TraceError, match=r"127\.0\.0\.1:1"):
        trace(asked, tmp_path / "out.parquet", engine="ray", address="127.0.0.1:1")
