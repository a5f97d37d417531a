"""Killing a batch loses nothing: run again, it ends as if it had never been interrupted."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("tantivy")

from tests.running import after, assert_gone, end, end_all, kill, moments, start, workers_of
from unspin.pages import extract
from unspin.scan.manifest import MANIFEST
from unspin.trace.index import build

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

EXAMPLES = Path(__file__).parent.parent / "examples"
CASES = json.loads((Path(__file__).parent / "cases" / "synthetic.json").read_text("utf-8"))


def write(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return str(path)


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """What to trace and to what: five files of pages, and two indexes."""
    folder = tmp_path_factory.mktemp("asked")
    article = (EXAMPLES / "demo-original.txt").read_text(encoding="utf-8")
    others = [{"id": f"{i}", "text": case["restored"]} for i, case in enumerate(CASES)]
    build([write(folder / "0.jsonl", [{"id": "demo", "text": article}])], folder / "ix0")
    build([write(folder / "1.jsonl", others)], folder / "ix1")
    (folder / "in").mkdir()
    chance = random.Random(1)
    spun = extract((EXAMPLES / "demo.html").read_bytes()).text.splitlines()
    for number in range(5):
        pages = [chance.choice(CASES)["text"] for _ in range(4)]
        pages += ["\n".join(chance.sample(spun, 3)) for _ in range(4)]
        records = [{"id": f"{number}-{i}", "text": page} for i, page in enumerate(pages)]
        write(folder / "in" / f"{number}.jsonl", records)
    return [str(folder / "in"), "--index", str(folder / "ix0"), "--index", str(folder / "ix1")]


def command(asked, out):
    program = [sys.executable, "-m", "unspin", "trace", "--batch"]
    return [*program, *asked, "-o", str(out), "--workers", "2"]


@pytest.fixture(scope="module")
def whole(asked, tmp_path_factory):
    """What an uninterrupted run writes, and how long it takes."""
    out = tmp_path_factory.mktemp("whole") / "out.parquet"
    begun = time.monotonic()
    run(asked, out)
    return out.read_bytes(), time.monotonic() - begun


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out.parquet"


def run(asked, out):
    ended = subprocess.run(command(asked, out), capture_output=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stderr.decode()


def assert_ends_like(whole, asked, out):
    run(asked, out)
    assert out.read_bytes() == whole
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def killed(asked, out, seconds):
    """Kill the parent of a run after some seconds."""
    running = start(command(asked, out))
    workers = after(running, seconds)
    end(running)
    assert_gone(workers)


# --- the parent


def test_a_killed_batch_is_completed_by_the_next(asked, out, whole):
    expected, seconds = whole
    killed(asked, out, moments(1, 1, seconds)[0])
    assert_ends_like(expected, asked, out)


def test_killed_again_and_again_it_still_gets_on(asked, out, whole):
    pytest.importorskip("ray", reason="a long test, for `make test-all`")
    expected, seconds = whole
    for moment in moments(2, 3, seconds):
        killed(asked, out, moment)
        # A table is whole, or not there.
        assert not out.exists() or out.read_bytes() == expected
    assert_ends_like(expected, asked, out)


def test_killed_with_its_workers_it_loses_nothing(asked, out, whole):
    pytest.importorskip("ray", reason="a long test, for `make test-all`")
    expected, seconds = whole
    for moment in moments(3, 2, seconds):
        running = start(command(asked, out))
        after(running, moment)
        end_all(running)
    assert_ends_like(expected, asked, out)


def test_ctrl_c_ends_it_with_advice_and_what_is_finished_stays(asked, out, whole):
    expected, _ = whole
    with start(command(asked, out)) as running:
        manifest = out.parent / "out.parquet.parts" / MANIFEST
        while not (manifest.exists() and b"traced/" in manifest.read_bytes()):
            after(running, 0.02)
        workers = workers_of(running)
        os.killpg(running.pid, signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert said.decode() == "unspin: interrupted; run the same command again to go on\n"
    assert_gone(workers)
    assert b"traced/" in manifest.read_bytes()
    assert_ends_like(expected, asked, out)


# --- its workers


def test_a_killed_worker_is_replaced(asked, out, whole):
    expected, seconds = whole
    chance = random.Random(4)
    with start(command(asked, out)) as running:
        for moment in moments(4, 2, 0.6 * seconds):
            if workers := after(running, moment):
                kill(chance.choice(workers))
        _, said = running.communicate(timeout=120)
    assert running.returncode == 0
    assert b"died" not in said
    assert out.read_bytes() == expected
