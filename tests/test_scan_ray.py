"""A scan on Ray: the same bytes as anywhere else, and no worker's death loses a shard."""

import gc
import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("ray")

import pyarrow as pa
import pyarrow.parquet as pq
import ray.cloudpickle
import ray.data

from unspin.scan import ScanError, TableScorer, score
from unspin.scan import ray as engine
from unspin.scan.job import Advance, Settings, Shard
from unspin.scan.run import scan
from unspin.scan.shards import Job

# What Ray does to itself: it sets the defaults of options that it has deprecated, and leaves files
# and processes for the interpreter to close.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning:ray"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

CASES = json.loads((Path(__file__).parent / "cases" / "synthetic.json").read_text("utf-8"))
SPUN, CLEAN = CASES[0]["text"], CASES[0]["restored"]


@pytest.fixture(scope="module", autouse=True)
def _closed():
    yield
    ray.shutdown()
    gc.collect()


@pytest.fixture(scope="module")
def cluster():
    """Ray with two processors; gives its address."""
    context = ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield context.address_info["gcs_address"]
    ray.shutdown()


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Shards of two formats, one of them broken off."""
    folder = tmp_path_factory.mktemp("pages")
    lines = [
        json.dumps({"id": f"{case['label']} {field}", "text": case[field]})
        for case in CASES
        for field in ("text", "restored")
    ]
    for n in range(3):
        (folder / f"{n}.jsonl").write_text("\n".join(lines[n::3]) + "\n", "utf-8")
    whole = gzip.compress("\n".join(lines * 20).encode(), mtime=0)
    (folder / "broken.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    pq.write_table(pa.table({"text": [SPUN, None, CLEAN]}), folder / "table.parquet")
    return folder


@pytest.fixture(scope="module")
def expected(pages, tmp_path_factory):
    """What processes of this machine make of the shards."""
    out = tmp_path_factory.mktemp("local")
    scan([str(pages)], out, Settings(keep="clean"), workers=1)
    return files(out)


def files(out):
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def test_without_ray_the_message_says_what_to_install():
    code = (
        "import sys; sys.modules['ray'] = None\n"
        "from unspin.scan import ray, ScanError\n"
        "from unspin.scan.job import Shard\n"
        "try: list(ray.run([Shard('a', 'text', ('a',))], None, None, None, print))\n"
        "except ScanError as error: print(error)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert b"pip install 'unspin[ray]'" in result.stdout


def test_nothing_to_do_starts_no_cluster():
    assert list(engine.run([], None, None, None, print)) == []
    assert not ray.is_initialized()


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nonsense", "auto"])
def test_a_cluster_that_is_not_there_is_named(address, tmp_path, pages):
    with pytest.raises(ScanError, match=address):
        scan([str(pages)], tmp_path / "out", engine="ray", address=address)


def test_a_scan_starts_ray_and_shuts_it_down(pages, expected, tmp_path, capfd):
    scan([str(pages)], tmp_path, Settings(keep="clean"), engine="ray", workers=2)
    assert files(tmp_path) == expected
    assert not ray.is_initialized()
    assert not engine._ENVIRONMENT.keys() & os.environ.keys()
    said = capfd.readouterr()
    assert said.out == ""
    assert [line for line in said.err.splitlines() if "Set ray log level" not in line] == []


@pytest.mark.usefixtures("cluster")
def test_one_worker_of_a_cluster_writes_the_same_bytes(pages, expected, tmp_path):
    scan([str(pages)], tmp_path, Settings(keep="clean"), engine="ray", workers=1)
    assert files(tmp_path) == expected
    assert ray.is_initialized()


def test_another_process_finds_the_cluster_by_its_address(cluster, pages, expected, tmp_path):
    code = (
        "import sys; from pathlib import Path; from unspin.scan.job import Settings;"
        "from unspin.scan.run import scan; _, pages, address = sys.argv;"
        "scan([pages], Path('out'), Settings(keep='clean'), engine='ray', address=address)"
    )
    # A relative output too is where the scan was started, not where its workers are.
    subprocess.run([sys.executable, "-c", code, pages, cluster], cwd=tmp_path, check=True)
    assert files(tmp_path / "out") == expected


@pytest.mark.usefixtures("cluster")
def test_every_shard_is_told_of_once(pages, tmp_path):
    told = []
    names = [f"{n}.jsonl" for n in range(3)]
    shards = [Shard(name, "jsonl", (str(pages / name),)) for name in names]
    done = list(engine.run(shards, Job(tmp_path, Settings()), None, 2, told.append))
    assert sorted(line.shard for line in done) == names
    total = Advance(*map(sum, zip(*told, strict=True)))
    assert total == Advance(
        shards=3,
        bytes=sum((pages / name).stat().st_size for name in names),
        documents=2 * len(CASES),
        found=sum(line.spun for line in done),
    )


@pytest.mark.usefixtures("cluster")
def test_what_cannot_be_written_ends_the_scan(pages, tmp_path):
    (tmp_path / "scores").write_text("in the way")
    shard = Shard("0.jsonl", "jsonl", (str(pages / "0.jsonl"),))
    job = Job(tmp_path, Settings())
    with pytest.raises(ScanError, match="cannot be written"):
        list(engine.run([shard], job, None, 1, lambda _: None))


class Deadly:
    """A job that kills so many of the workers that it is given to."""

    settings = Settings()
    open, give_up = Job.open, Job.give_up

    def __init__(self, out, deaths):
        self._out = out
        self._deaths = deaths
        self._parent = os.getpid()

    @property
    def out(self):
        marks = self._out / "marks"
        marks.mkdir(exist_ok=True)
        died = len(list(marks.iterdir()))
        if os.getpid() != self._parent and died < self._deaths:
            (marks / str(died)).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return self._out


@pytest.fixture
def _deadly_travels():
    """Workers do not have this file: its classes are sent to them."""
    module = sys.modules[__name__]
    ray.cloudpickle.register_pickle_by_value(module)
    yield
    ray.cloudpickle.unregister_pickle_by_value(module)


@pytest.mark.usefixtures("cluster", "_deadly_travels")
def test_the_shard_of_a_worker_that_dies_is_done_over(pages, tmp_path):
    shards = [Shard(f"{n}.jsonl", "jsonl", (str(pages / f"{n}.jsonl"),)) for n in range(3)]
    done = list(engine.run(shards, Deadly(tmp_path, 2), None, 2, lambda _: None))
    assert len(list((tmp_path / "marks").iterdir())) == 2
    assert sorted(line.shard for line in done) == ["0.jsonl", "1.jsonl", "2.jsonl"]
    for line in done:
        assert line.error is None
        assert pq.read_table(tmp_path / line.table)["verdict"].null_count == 0


@pytest.mark.usefixtures("cluster", "_deadly_travels")
def test_a_shard_that_kills_every_worker_is_given_up(pages, tmp_path):
    shard = Shard("0.jsonl", "jsonl", (str(pages / "0.jsonl"),))
    (done,) = engine.run([shard], Deadly(tmp_path, 100), None, 1, lambda _: None)
    assert len(list((tmp_path / "marks").iterdir())) == engine.TRIES
    assert "died 3 times" in done.error
    assert done.documents == 0


@pytest.mark.usefixtures("cluster")
def test_other_peoples_pipelines_score_their_tables():
    texts = [SPUN, CLEAN]
    scored = ray.data.from_items([{"body": text} for text in texts]).map_batches(
        TableScorer("body"), batch_format="pyarrow"
    )
    rows = sorted(scored.take_all(), key=lambda row: texts.index(row["body"]))
    assert [row["verdict"] for row in rows] == score(texts)["verdict"].to_pylist()


def test_workers_know_the_families_of_the_settings(cluster, tmp_path, tide, tidal):
    (tmp_path / "in.jsonl").write_text(json.dumps({"text": tidal[0]}) + "\n", "utf-8")
    for families, spun in [((), 0), ((tide,), 1)]:
        out = tmp_path / f"out{spun}"
        options = {"engine": "ray", "address": cluster}
        scanned = scan([str(tmp_path / "in.jsonl")], out, Settings(families=families), **options)
        assert [done.spun for done in scanned.done] == [spun]
