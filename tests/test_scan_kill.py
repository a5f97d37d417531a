"""Killing a scan loses nothing: run again, it ends as if it had never been interrupted."""

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.running import after, assert_gone, end, end_all, kill, moments, start, workers_of
from unspin.pages import extract
from unspin.scan.manifest import MANIFEST

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

EXAMPLES = Path(__file__).parent.parent / "examples"
OPTIONS = ("--restore", "--workers", "2")


def pages(seed, count):
    """Records of spun and clean pages, each with its paragraphs in another order."""
    chance = random.Random(seed)
    clean = (EXAMPLES / "demo-original.txt").read_text(encoding="utf-8").splitlines()
    spun = extract((EXAMPLES / "demo.html").read_bytes()).text.splitlines()
    for number in range(count):
        lines = list(chance.choice([clean, clean, spun]))
        chance.shuffle(lines)
        yield {"id": f"{seed}-{number}", "text": "\n".join(lines)}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A folder of nine shards, one of which is broken."""
    folder = tmp_path_factory.mktemp("in")
    for number in range(3):
        lines = "".join(json.dumps(page) + "\n" for page in pages(number, 12))
        (folder / f"plain-{number}.jsonl").write_text(lines, encoding="utf-8")
        stored = gzip.compress(lines.encode() * (number + 1), mtime=0)
        (folder / f"packed-{number}.jsonl.gz").write_bytes(stored)
        records = list(pages(10 + number, 8))
        pq.write_table(pa.Table.from_pylist(records), folder / f"rows-{number}.parquet")
    (folder / "packed-1.jsonl.gz").write_bytes(stored[: len(stored) // 2])
    return folder


def command(corpus, out):
    return [sys.executable, "-m", "unspin", "scan", str(corpus), "-o", str(out), *OPTIONS]


def run(corpus, out):
    """Run a scan to its end; returns what it said."""
    ended = subprocess.run(command(corpus, out), capture_output=True, check=False, timeout=120)
    # One of the shards is broken.
    assert ended.returncode == 3, ended.stderr.decode()
    return ended.stderr.decode()


@pytest.fixture(scope="module")
def whole(corpus, tmp_path_factory):
    """The files that an uninterrupted scan writes, and how long it takes."""
    out = tmp_path_factory.mktemp("whole") / "out"
    begun = time.monotonic()
    run(corpus, out)
    return files(out), time.monotonic() - begun


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def assert_ends_like(whole, corpus, out):
    run(corpus, out)
    assert files(out) == whole


# --- the parent


def killed(corpus, out, seconds):
    """Kill the parent of a scan after some seconds."""
    scan = start(command(corpus, out))
    workers = after(scan, seconds)
    end(scan)
    assert_gone(workers)


def test_a_killed_scan_is_completed_by_the_next(corpus, tmp_path, whole):
    expected, seconds = whole
    (moment,) = moments(1, 1, seconds)
    killed(corpus, tmp_path / "out", moment)
    assert_ends_like(expected, corpus, tmp_path / "out")


@pytest.mark.parametrize("part", range(4))
def test_whenever_it_was_killed_the_end_is_the_same(corpus, tmp_path, whole, part):
    pytest.importorskip("ray", reason="a long test, for `make test-all`")
    expected, seconds = whole
    killed(corpus, tmp_path / "out", moments(2, 4, seconds)[part])
    assert_ends_like(expected, corpus, tmp_path / "out")


def test_killed_again_and_again_it_still_gets_on(corpus, tmp_path, whole):
    pytest.importorskip("ray", reason="a long test, for `make test-all`")
    expected, seconds = whole
    for moment in moments(3, 3, seconds):
        killed(corpus, tmp_path / "out", moment)
        left = files(tmp_path / "out")
        tables = left.keys() & {name for name in expected if name.startswith(("scores", "corpus"))}
        assert {name: left[name] for name in tables} == {name: expected[name] for name in tables}
    assert_ends_like(expected, corpus, tmp_path / "out")


def test_killed_with_its_workers_it_loses_nothing(corpus, tmp_path, whole):
    pytest.importorskip("ray", reason="a long test, for `make test-all`")
    expected, seconds = whole
    for moment in moments(4, 2, seconds):
        scan = start(command(corpus, tmp_path / "out"))
        after(scan, moment)
        end_all(scan)
    assert_ends_like(expected, corpus, tmp_path / "out")


def test_ctrl_c_ends_it_with_advice_and_nothing_half_written(corpus, tmp_path, whole):
    expected, _ = whole
    with start(command(corpus, tmp_path / "out")) as scan:
        manifest = tmp_path / "out" / MANIFEST
        while not (manifest.exists() and manifest.stat().st_size):
            after(scan, 0.02)
        workers = workers_of(scan)
        os.killpg(scan.pid, signal.SIGINT)
        _, said = scan.communicate(timeout=60)
    assert scan.returncode == 130
    assert said.decode() == "unspin: interrupted; run the same command again to go on\n"
    assert_gone(workers)
    left = files(tmp_path / "out")
    assert left.keys() <= expected.keys()
    assert_ends_like(expected, corpus, tmp_path / "out")


# --- its workers


def test_a_killed_worker_is_replaced(corpus, tmp_path, whole):
    expected, seconds = whole
    chance = random.Random(5)
    with start(command(corpus, tmp_path / "out")) as scan:
        for moment in moments(5, 2, 0.6 * seconds):
            if workers := after(scan, moment):
                kill(chance.choice(workers))
        _, said = scan.communicate(timeout=120)
    assert scan.returncode == 3
    assert b"died" not in said
    assert files(tmp_path / "out") == expected
