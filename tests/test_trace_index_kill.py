"""Killing who writes to an index loses nothing, and two who write to it do not meet."""

import json
import re
import shutil
import signal
import subprocess
import sys

import pytest

from unspin.trace import TraceError, folder
from unspin.trace.index import Index, add, build, check, remove

pytest.importorskip("tantivy")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills by signals")

OLD, NEW = 120, 300

# Writes to an index, and is killed at a moment: after so many articles, or so many seconds after
# it has begun to commit. Or else it waits there, holding the index.
DRIVER = """
import os, signal, sys
from pathlib import Path
from unspin.trace import store, writing

call, inputs, index, moment, after = sys.argv[1:]
documents, locked = store.documents, writing._locked
seen = 0

def counted(*args):
    global seen
    seen += 1
    if moment == "add" and seen == int(after):
        os.kill(os.getpid(), signal.SIGKILL)
    if moment == "hold" and seen == int(after):
        print("holds", flush=True)
        sys.stdin.read()
    return documents(*args)

class Writer:
    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def commit(self):
        if moment == "commit":
            # Nobody catches this signal: the process is gone when it comes.
            signal.setitimer(signal.ITIMER_REAL, max(float(after), 1e-6))
        self.inner.commit()

def ends():
    os.kill(os.getpid(), signal.SIGKILL)

store.documents = counted
writing._locked = lambda *args: Writer(locked(*args))
if moment == "name":
    writing._name = lambda *args: ends()
if moment == "swap":
    rename = Path.rename
    def renamed(self, target):
        rename(self, target)
        if Path(self) == Path(index):
            ends()
    Path.rename = renamed
if call == "build":
    writing.build([inputs], Path(index), overwrite=True)
elif call == "remove":
    writing.remove([f"old{n}" for n in range(60)], Path(index))
else:
    writing.add([inputs], Path(index))
signal.setitimer(signal.ITIMER_REAL, 0)
print("reported", flush=True)
"""


def texts(kind, count):
    return {
        f"{kind}{n}": f"The {kind} harbour number {n} was shut. Of word{n} nothing is known. " * 9
        for n in range(count)
    }


def lines(path, articles):
    path.write_text("".join(json.dumps({"id": i, "text": t}) + "\n" for i, t in articles.items()))
    return str(path)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder_ = tmp_path_factory.mktemp("made")
    build([lines(folder_ / "old.jsonl", texts("old", OLD))], folder_ / "ix")
    return folder_ / "ix"


@pytest.fixture
def index(made, tmp_path):
    return shutil.copytree(made, tmp_path / "ix")


@pytest.fixture
def new(tmp_path):
    # One of the old ones is replaced too.
    return lines(tmp_path / "new.jsonl", texts("new", NEW) | {"old7": "Another text is here."})


def start(call, inputs, index, moment, after):
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, call, inputs, str(index), moment, str(after)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def killed(*args):
    """Run until it is killed; returns whether it had reported that all was done."""
    with start(*args) as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode in (0, -signal.SIGKILL, -signal.SIGALRM)
    return said == "reported\n"


def count(index, kind, among):
    opened = Index.open(index)
    expected = texts(kind, among)
    found = [opened.article(name) for name in expected]
    assert all(a is None or a.text in (expected[a.id], "Another text is here.") for a in found)
    return sum(article is not None for article in found)


def assert_whole(index, *, old, new):
    assert check(index) == []
    assert count(index, "old", OLD) == old
    assert count(index, "new", NEW) == new
    assert len(Index.open(index)) == old + new


# --- adding


@pytest.mark.parametrize("after", [1, 120, NEW])
def test_killed_while_it_adds_the_index_is_as_it_was(index, new, after):
    assert not killed("add", new, index, "add", after)
    assert_whole(index, old=OLD, new=0)
    assert Index.open(index).article("old7").text == texts("old", OLD)["old7"]
    add([new], index)
    assert_whole(index, old=OLD, new=NEW)
    assert Index.open(index).article("old7").text == "Another text is here."


@pytest.mark.parametrize("after", [0, 0.002, 0.005, 0.01, 0.03])
def test_killed_while_it_commits_there_is_all_or_nothing(index, new, after):
    reported = killed("add", new, index, "commit", after)
    added = count(index, "new", NEW)
    assert added == NEW if reported else added in (0, NEW)
    assert_whole(index, old=OLD, new=added)
    is_replaced = Index.open(index).article("old7").text == "Another text is here."
    assert is_replaced == bool(added)
    assert add([new], index).articles == NEW + 1
    assert_whole(index, old=OLD, new=NEW)


def test_what_killed_ones_have_left_does_not_pile_up(index, new):
    for after in (50, 150, 250):
        killed("add", new, index, "add", after)
        killed("add", new, index, "commit", 0.002)
    add([new], index)
    listed = json.loads((index / folder.TANTIVY / folder.META).read_bytes())["segments"]
    segments = {segment["segment_id"].replace("-", "") for segment in listed}
    stored = {file.stem for file in (index / folder.TANTIVY).glob("*.store")}
    assert stored == segments


@pytest.mark.parametrize("after", [0, 0.001, 0.003, 0.01])
def test_killed_while_it_removes_there_is_all_or_nothing(index, after):
    reported = killed("remove", "", index, "commit", after)
    left = count(index, "old", OLD)
    assert left == OLD - 60 if reported else left in (OLD, OLD - 60)
    assert_whole(index, old=left, new=0)
    assert remove([f"old{n}" for n in range(60)], index) == left - (OLD - 60)
    assert_whole(index, old=OLD - 60, new=0)


def test_without_room_the_index_is_as_it_was(index, new):
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, 4_000))\n"
    process = subprocess.run(
        [sys.executable, "-c", limited + DRIVER, "add", new, str(index), "", "0"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.search(r"TraceError: .*ix cannot be written: .*what was there stays", process.stderr)
    assert_whole(index, old=OLD, new=0)
    add([new], index)
    assert_whole(index, old=OLD, new=NEW)


# --- building


@pytest.mark.parametrize(
    ("moment", "after"), [("add", 1), ("add", 200), ("commit", 0), ("commit", 0.003), ("name", 0)]
)
def test_a_killed_build_leaves_no_index_of_that_name(tmp_path, new, moment, after):
    out = tmp_path / "built"
    assert not killed("build", new, out, moment, after)
    assert not out.exists()
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".built.")]
    build([new], out)
    assert len(Index.open(out)) == NEW + 1
    assert check(out) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["built", "new.jsonl"]


@pytest.mark.parametrize("moment", ["add", "name"])
def test_a_killed_build_leaves_the_index_that_it_was_to_replace(tmp_path, index, new, moment):
    assert not killed("build", new, index, moment, 9)
    assert_whole(index, old=OLD, new=0)
    build([new], index, overwrite=True)
    assert len(Index.open(index)) == NEW + 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ix", "new.jsonl"]


def test_killed_between_two_indexes_the_old_one_is_found_again(index, new):
    assert not killed("build", new, index, "swap", 0)
    assert not index.exists()
    with pytest.raises(TraceError, match="an index already"):
        build([new], index)
    assert_whole(index, old=OLD, new=0)


# --- two processes


@pytest.fixture
def holder(index, new):
    """A process that adds to the index, and waits while it does."""
    process = start("add", new, index, "hold", 100)
    assert process.stdout.readline() == "holds\n"
    with process:
        yield process
        process.kill()
        process.communicate()


def test_two_who_write_exclude_each_other_and_say_so(index, new, holder):
    for call in (
        lambda: add([new], index),
        lambda: remove(["old1"], index),
        lambda: build([new], index, overwrite=True),
    ):
        with pytest.raises(TraceError, match=r"another process is writing to .*ix: run this again"):
            call()
    holder.communicate("")
    assert holder.returncode == 0
    assert_whole(index, old=OLD, new=NEW)
    assert remove(["old1"], index) == 1


def test_the_death_of_one_who_writes_lets_the_next_one_write(index, new, holder):
    holder.kill()
    holder.wait()
    assert_whole(index, old=OLD, new=0)
    assert remove(["old1"], index) == 1
    add([new], index)
    assert_whole(index, old=OLD - 1, new=NEW)


def test_who_reads_while_another_one_writes_sees_the_old_or_the_new(index, holder):
    opened = Index.open(index)
    assert check(index) == []
    assert opened.search({"word7": 1.0}, 5)[0].id == "old7"
    holder.communicate("")
    assert len(opened) == OLD
    assert opened.article("new7") is None
    assert opened.article("old7").text == texts("old", OLD)["old7"]
    opened.reload()
    assert len(opened) == OLD + NEW
    assert opened.article("old7").text == "Another text is here."


def test_two_builds_of_one_index_exclude_each_other(tmp_path, new):
    out = tmp_path / "built"
    with start("build", new, out, "hold", 100) as first:
        assert first.stdout.readline() == "holds\n"
        with pytest.raises(TraceError, match=r"another process is writing to .*built"):
            build([new], out)
        first.communicate("")
    assert len(Index.open(out)) == NEW + 1
