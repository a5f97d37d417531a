"""A scan from end to end: what is in the folder, what is done again, and what is refused."""

import errno
import gzip
import json
import multiprocessing
import random
import signal
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from unspin.scan import local, manifest, shards
from unspin.scan.batch import SCORES, Scorer
from unspin.scan.job import Done, Fields, ScanError, Settings, Shard
from unspin.scan.manifest import MANIFEST, Manifest, opened, written
from unspin.scan.run import scan
from unspin.scan.shards import Job, process

EXAMPLES = Path(__file__).parent.parent / "examples"


@contextmanager
def quiet(_shards, _size):
    yield lambda _: None


@pytest.fixture(scope="module")
def scorer():
    return Scorer()


@pytest.fixture
def inline(monkeypatch, scorer):
    """Scans run in this process; the list has the names of the shards that were done."""
    processed = []

    def run(shards_, job, _workers, advance):
        for shard in shards_:
            processed.append(shard.name)
            yield process(shard, job, scorer, advance)

    monkeypatch.setattr(local, "run", run)
    return processed


@pytest.fixture(scope="module")
def pages():
    from unspin.pages import extract

    clean = (EXAMPLES / "demo-original.txt").read_text(encoding="utf-8")
    return clean, extract((EXAMPLES / "demo.html").read_bytes()).text


@pytest.fixture
def corpus(tmp_path, pages):
    """A folder with a shard of each kind; the second has a line that is broken."""
    folder = tmp_path / "in"
    (folder / "more").mkdir(parents=True)
    clean, spun = pages
    records = [
        {"id": "a", "text": clean},
        {"id": "b", "text": spun},
        {"id": "c", "text": "Too short."},
    ]
    lines = [json.dumps(record) for record in records]
    (folder / "a.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "more" / "b.jsonl.gz").write_bytes(
        gzip.compress("\n".join([*lines, "{broken"]).encode())
    )
    pq.write_table(pa.Table.from_pylist([{**record, "n": 7} for record in records]),
                   folder / "c.parquet")  # fmt: skip
    return folder


def run(corpus, out, settings=Settings(), **options):  # noqa: B008
    return scan([str(corpus)], out, settings, show=quiet, **options).done


def files(folder):
    """Every file below a folder, with its bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def table(out, done):
    return pq.read_table(out / done.table)


# --- families that the model does not know


@pytest.fixture
def tidal_corpus(tmp_path, tidal):
    """A file with a page of the made-up family and what it said before."""
    folder = tmp_path / "tidal"
    folder.mkdir()
    lines = [json.dumps({"text": text}) for text in tidal]
    (folder / "a.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_workers_know_the_families_of_the_settings(tidal_corpus, tmp_path, tide, tidal):
    (plain,) = run(tidal_corpus, tmp_path / "plain", workers=1)
    assert (plain.spun, plain.clean) == (0, 2)
    settings = Settings(families=(tide,), table="jsonl", restore=True)
    (done,) = run(tidal_corpus, tmp_path / "out", settings, workers=1)
    rows = [json.loads(line) for line in (tmp_path / "out" / done.table).read_text().splitlines()]
    assert [row["verdict"] for row in rows] == ["spun", "clean"]
    assert rows[0]["family"] == "tide"
    lines = (tmp_path / "out" / done.corpus).read_text("utf-8").splitlines()
    assert json.loads(lines[0])["text"] == tidal[1]


@pytest.mark.usefixtures("inline")
def test_a_scan_does_not_go_on_with_other_families(corpus, tmp_path, tide):
    out = tmp_path / "out"
    run(corpus, out)
    assert "families" not in json.loads((out / manifest.SETTINGS).read_text())["settings"]
    other = replace(tide, entries=tide.entries[1:])
    with pytest.raises(ScanError, match=r"families\.tide was null, is \w{8}…"):
        run(corpus, out, Settings(families=(tide,)))
    run(corpus, out, Settings(families=(tide,)), overwrite=True)
    run(corpus, out, Settings(families=(replace(tide),)))
    for families, told in [((), "is null"), ((other,), "was [0-9a-f]{8}…, is")]:
        with pytest.raises(ScanError, match=rf"families\.tide .*{told}"):
            run(corpus, out, Settings(families=families))


def test_families_that_cannot_be_used_together_stop_a_scan(tidal_corpus, tmp_path, tide):
    other = replace(tide, date="2026-11-23")
    with pytest.raises(ScanError, match="two families called tide: name one of them"):
        run(tidal_corpus, tmp_path / "out", Settings(families=(tide, other)), workers=1)


# --- what is written


@pytest.mark.usefixtures("inline")
def test_every_shard_has_a_table_with_a_row_for_every_document(corpus, tmp_path):
    out = tmp_path / "out"
    done = run(corpus, out)
    assert [len(table(out, line)) for line in done] == [line.documents for line in done]
    assert sorted(line.documents for line in done) == [3, 3, 4]
    for line in done:
        rows = table(out, line)
        assert rows.schema.equals(SCORES)
        assert rows["verdict"].to_pylist()[:3] == ["clean", "spun", "unsure"]
        assert (line.spun, line.clean, line.unsure) == (1, 1, 1)
        assert line.skipped == line.documents - 3
        assert line.error is None


@pytest.mark.usefixtures("inline")
def test_the_manifest_has_the_lines_sorted_and_the_settings_say_what_shows(corpus, tmp_path):
    out = tmp_path / "out"
    done = run(corpus, out)
    lines = [json.loads(line) for line in (out / MANIFEST).read_text().splitlines()]
    assert [line["shard"] for line in lines] == sorted(line.shard for line in done)
    assert all(list(line) == sorted(line) for line in lines)
    settings = json.loads((out / "settings.json").read_text())
    assert settings["settings"]["limits"]["characters"] == 1_000_000


@pytest.mark.usefixtures("inline")
def test_tables_can_be_lines_of_json(corpus, tmp_path):
    parquet = run(corpus, tmp_path / "parquet")
    lines = run(corpus, tmp_path / "lines", Settings(table="jsonl"))
    for one, other in zip(parquet, lines, strict=True):
        rows = (tmp_path / "lines" / other.table).read_text(encoding="utf-8").splitlines()
        assert other.table.endswith(".jsonl")
        assert list(map(json.loads, rows)) == table(tmp_path / "parquet", one).to_pylist()


@pytest.mark.usefixtures("inline")
def test_the_corpus_of_what_is_clean_gives_its_reasons(corpus, tmp_path):
    out = tmp_path / "out"
    for line in run(corpus, out, Settings(keep="clean")):
        assert line.written == 1
        reasons = table(out, line)["reason"].to_pylist()
        assert reasons[:2] == ["kept: clean", "dropped: spun"]
        assert reasons[2].startswith("dropped: unsure (too short to tell")
        assert all(reason.startswith("dropped: not read (") for reason in reasons[3:])
        if line.corpus.endswith(".jsonl"):
            (kept,) = (out / line.corpus).read_bytes().splitlines()
            assert json.loads(kept)["unspin"] == "clean"
            assert (corpus / "a.jsonl").read_bytes().startswith(kept.split(b', "unspin"')[0])


@pytest.mark.usefixtures("inline")
def test_the_restored_corpus_has_the_words_put_back(corpus, tmp_path, pages):
    out = tmp_path / "out"
    done = run(corpus, out, Settings(restore=True))
    assert {line.written for line in done} == {3}
    for line in done:
        path = out / line.corpus
        if path.name.endswith(".parquet"):
            records = pq.read_table(path).to_pylist()
            assert [record["n"] for record in records] == [7, 7, 7]
        else:
            opener = gzip.open if path.name.endswith(".gz") else open
            with opener(path, "rt", encoding="utf-8") as lines:
                records = list(map(json.loads, lines))
        clean, spun, short = (record["text"] for record in records)
        assert (clean, short) == (pages[0], "Too short.")
        assert " connected Saturday" in pages[1]
        assert " on Saturday" in spun
        assert records[1]["unspin"].startswith("restored: ")
        assert records[1]["unspin"] == table(out, line)["reason"][1].as_py()


@pytest.mark.usefixtures("inline")
def test_the_input_is_never_changed(corpus, tmp_path):
    before = files(corpus)
    run(corpus, tmp_path / "out", Settings(restore=True))
    assert files(corpus) == before


def test_progress_counts_what_is_to_be_done(corpus, tmp_path, inline):
    told = []

    @contextmanager
    def show(count, size):
        told.append((count, size))
        yield told.append

    scan([str(corpus)], tmp_path / "out", show=show)
    (count, size), *advances = told
    assert count == len(inline) == 3
    assert size == sum(path.stat().st_size for path in corpus.rglob("*") if path.is_file())
    shards_, _, documents, spun = (sum(column) for column in zip(*advances, strict=True))
    assert (shards_, documents, spun) == (3, 10, 3)


# --- doing it again


def test_what_is_finished_is_left_as_it_is(corpus, tmp_path, inline):
    out = tmp_path / "out"
    first = run(corpus, out)
    before = files(out)
    inline.clear()
    assert run(corpus, out) == first
    assert inline == []
    assert files(out) == before


def test_shards_are_done_the_largest_first(corpus, tmp_path, inline):
    run(corpus, tmp_path / "out")
    sizes = {path.name: path.stat().st_size for path in corpus.rglob("*") if path.is_file()}
    largest = max(sizes, key=lambda name: sizes[name])
    assert Path(largest).name.split(".")[0] in inline[0]


@pytest.mark.parametrize("harm", ["delete", "shorten", "strike out", "tear"])
def test_what_is_not_whole_is_done_again_and_ends_the_same(corpus, tmp_path, inline, harm):
    out = tmp_path / "out"
    done = run(corpus, out, Settings(keep="clean"))
    before = files(out)
    inline.clear()
    lines = before[MANIFEST].splitlines(keepends=True)
    if harm == "delete":
        (out / done[-1].corpus).unlink()
    elif harm == "shorten":
        (out / done[-1].table).write_bytes(before[done[-1].table][:-1])
    elif harm == "strike out":
        (out / MANIFEST).write_bytes(b"".join(lines[:-1]))
    else:
        (out / MANIFEST).write_bytes(before[MANIFEST][:-10])
    assert run(corpus, out, Settings(keep="clean")) == done
    assert inline == [done[-1].shard]
    assert files(out) == before


def test_a_shard_that_has_changed_is_done_again(corpus, tmp_path, inline, pages):
    out = tmp_path / "out"
    run(corpus, out)
    inline.clear()
    with (corpus / "a.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"id": "d", "text": pages[1]}) + "\n")
    done = run(corpus, out)
    assert len(inline) == 1
    assert {line.documents for line in done if line.shard == inline[0]} == {4}


def test_new_shards_are_added_to_those_that_are_finished(corpus, tmp_path, inline):
    out = tmp_path / "out"
    (done,) = run(corpus / "a.jsonl", out)
    assert inline == [done.shard]
    everything = run(corpus / "a.jsonl", out) + run(corpus / "c.parquet", out)
    assert len(inline) == 2
    lines = (out / MANIFEST).read_text().splitlines()
    assert [json.loads(line)["shard"] for line in lines] == [line.shard for line in everything]


@pytest.mark.usefixtures("inline")
def test_what_a_killed_run_left_half_written_is_swept_up(corpus, tmp_path):
    out = tmp_path / "out"
    run(corpus, out)
    before = files(out)
    for folder in (out, out / "scores"):
        (folder / f".abc{manifest.TEMPORARY}").write_bytes(b"PAR1")
    run(corpus, out)
    assert files(out) == before


@pytest.mark.usefixtures("inline")
def test_a_table_has_its_name_only_when_it_is_whole(tmp_path):
    path = tmp_path / "scores" / "a.parquet"
    with written(path) as file:
        file.write(b"half")
        file.flush()
        assert not path.exists()
    assert path.read_bytes() == b"half"
    with pytest.raises(ZeroDivisionError), written(path) as file:
        file.write(b"worse" * (1 // 0))
    assert files(tmp_path) == {"scores/a.parquet": b"half"}


# --- broken shards


def test_a_broken_shard_has_what_was_read_before_and_is_tried_again(
    corpus, tmp_path, inline, pages
):
    out = tmp_path / "out"
    noise = random.Random(1)
    records = [{"id": i, "text": pages[0], "noise": noise.randbytes(500).hex()} for i in range(60)]
    stored = gzip.compress("".join(json.dumps(record) + "\n" for record in records).encode())
    broken = corpus / "broken.jsonl.gz"
    broken.write_bytes(stored[: len(stored) // 2])
    done = run(corpus, out)
    (bad,) = [line for line in done if line.error]
    assert bad.shard.startswith("broken")
    assert 0 < bad.documents < 60
    assert len(table(out, bad)) == bad.documents
    assert len(done) == 4

    inline.clear()
    assert run(corpus, out) == done
    assert inline == [bad.shard]

    broken.write_bytes(stored)
    assert [line.error for line in run(corpus, out)] == [None] * 4


def test_a_fault_of_a_library_is_that_of_its_shard(monkeypatch, corpus, tmp_path, inline):
    real = shards.inputs.read

    def read(shard, fields, *, rows):
        yield from real(shard, fields, rows=rows)
        if shard.name == inline[0]:
            raise ZeroDivisionError("of all things")

    monkeypatch.setattr(shards.inputs, "read", read)
    done = run(corpus, tmp_path / "out")
    assert len(done) == 3
    (bad,) = [line for line in done if line.error]
    assert bad.error == "unexpected ZeroDivisionError: of all things"
    assert bad.documents in (3, 4)


class Breaking:
    """A scorer that one document breaks, and a reader that does as well."""

    def __init__(self, scorer):
        self._scorer = scorer
        self.reader = self

    def __call__(self, batch):
        if "spell" in "".join(map(str, batch["text"].to_pylist())):
            raise RecursionError
        return self._scorer(batch)

    def read(self, _page):
        raise RecursionError


def lines_of(tmp_path, *texts):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    return Shard("a", "jsonl", (str(path),))


def test_a_document_that_breaks_the_reader_takes_no_other_along(tmp_path, scorer, pages):
    shard = lines_of(tmp_path, pages[0], "a spell", pages[1])
    job = Job(tmp_path / "out", Settings(restore=True))
    done = process(shard, job, Breaking(scorer), lambda _: None)
    rows = table(job.out, done)
    assert rows["verdict"].to_pylist() == ["clean", None, "spun"]
    assert rows["reason"].to_pylist() == [
        "kept: clean",
        "kept: not read (it broke the reader (RecursionError))",
        "kept: spun",
    ]
    assert done.error is None


def test_a_document_beyond_the_limits_is_skipped_with_a_reason(tmp_path, scorer):
    shard = lines_of(tmp_path, "word " * 100, "short")
    settings = Settings(limits=scorer._limits._replace(characters=100))
    done = process(shard, Job(tmp_path, settings), Scorer(settings.limits), lambda _: None)
    rows = table(tmp_path, done)
    assert rows["reason"][0].as_py() == "longer than 100 characters"
    assert rows["verdict"].to_pylist() == [None, "unsure"]
    assert (done.documents, done.skipped) == (2, 1)


def test_a_fault_of_ours_is_that_of_its_shard_too(monkeypatch, tmp_path, scorer, pages):
    monkeypatch.setattr(shards, "fate", lambda *_: 1 / 0)
    shard = lines_of(tmp_path, pages[0])
    done = process(shard, Job(tmp_path, Settings(keep="clean")), scorer, lambda _: None)
    assert done.error == "unexpected ZeroDivisionError: division by zero"
    assert (done.documents, len(table(tmp_path, done))) == (0, 0)
    assert (tmp_path / done.corpus).is_file()


# --- workers


def test_the_number_of_workers_does_not_show(corpus, tmp_path):
    for workers in (1, 2):
        run(corpus, tmp_path / str(workers), Settings(restore=True), workers=workers)
    assert files(tmp_path / "1") == files(tmp_path / "2")


class Deadly(str):
    """A path that kills whichever worker is given it."""

    __slots__ = ()

    def __reduce__(self):
        return signal.raise_signal, (signal.SIGKILL,)


def test_a_shard_that_kills_its_workers_is_given_up_and_the_others_are_done(tmp_path, pages):
    shards_ = [
        lines_of(tmp_path, pages[0]),
        Shard("deadly", "jsonl", (Deadly(tmp_path / "a.jsonl"),)),
        Shard("b", "jsonl", (str(tmp_path / "a.jsonl"),)),
    ]
    advances = []
    done = list(local.run(shards_, Job(tmp_path, Settings()), 2, advances.append))
    errors = {line.shard: line.error for line in done}
    assert errors == {
        "a": None,
        "b": None,
        "deadly": "its worker died 3 times (signal 9: out of memory?)",
    }
    assert {len(table(tmp_path, line)) for line in done if line.error} == {0}
    assert [sum(column) for column in zip(*advances, strict=True)][0::2] == [3, 2]


def test_workers_that_cannot_open_the_model_stop_the_scan(tmp_path, pages):
    job = Job(tmp_path, Settings(model=tmp_path))
    with pytest.raises(ScanError, match="install unspin again"):
        list(local.run([lines_of(tmp_path, pages[0])], job, 1, lambda _: None))


def test_workers_end_when_nobody_wants_the_rest(tmp_path, pages):
    shards_ = [lines_of(tmp_path, *pages), Shard("b", "jsonl", (str(tmp_path / "a.jsonl"),))]
    running = local.run(shards_, Job(tmp_path, Settings()), 1, lambda _: None)
    next(running)
    running.close()
    assert multiprocessing.active_children() == []


# --- disks


class Full:
    """A file on a disk that is full."""

    def __init__(self, file):
        self._file = file

    def write(self, _some):
        raise OSError(errno.ENOSPC, "No space left on device")

    writelines = write

    def __getattr__(self, name):
        return getattr(self._file, name)


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
@pytest.mark.parametrize("keep", [None, "clean"])
def test_a_full_disk_stops_the_scan_and_what_is_finished_stays(
    corpus, tmp_path, inline, monkeypatch, form, keep
):
    out = tmp_path / "out"
    settings = Settings(table=form, keep=keep)
    expected = run(corpus, tmp_path / "expected", settings)
    real = manifest.Path.open
    inline.clear()

    def opened_(path, mode="r", *rest, **options):
        file = real(path, mode, *rest, **options)
        full = mode == "xb" and len(inline) == 2 and "scores" in path.parts
        return Full(file) if full else file

    monkeypatch.setattr(manifest.Path, "open", opened_)
    with pytest.raises(ScanError, match="No space left on device; make room and run the same"):
        run(corpus, out, settings)
    monkeypatch.setattr(manifest.Path, "open", real)
    left = files(out)
    assert len([name for name in left if name.startswith("scores/")]) == 1
    assert not [name for name in left if name.endswith(manifest.TEMPORARY)]
    assert run(corpus, out, settings) == expected
    assert files(out) == files(tmp_path / "expected")


@pytest.mark.usefixtures("inline")
def test_a_folder_that_cannot_be_made_is_named(corpus, tmp_path):
    (tmp_path / "file").write_text("here")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ScanError, match=r"file.* with -o"):
            run(corpus, out)
    assert (tmp_path / "file").read_text() == "here"


# --- folders of others


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("theirs", ["notes.txt", "settings.json", "scores"])
def test_a_folder_that_no_scan_has_written_is_left_alone(corpus, tmp_path, overwrite, theirs):
    out = tmp_path / "out"
    out.mkdir()
    (out / theirs).write_text('{"theme": "dark"}')
    before = files(out)
    with pytest.raises(ScanError, match="is not empty, and no scan has written it"):
        run(corpus, out, overwrite=overwrite)
    assert files(out) == before


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize(
    ("other", "told"),
    [
        (Settings(keep="clean"), "keep was null, is \"clean\""),
        (Settings(fields=Fields(text="body")), 'fields.text was null, is "body"'),
        (Settings(table="jsonl", restore=True), 'restore was false, is true; table was "parquet"'),
    ],
)  # fmt: skip
def test_other_settings_are_refused_and_named(corpus, tmp_path, other, told):
    out = tmp_path / "out"
    run(corpus / "a.jsonl", out)
    before = files(out)
    with pytest.raises(ScanError, match="--overwrite") as refused:
        run(corpus / "a.jsonl", out, other)
    assert told in str(refused.value)
    assert files(out) == before


@pytest.mark.usefixtures("inline")
def test_another_version_or_model_is_refused(corpus, tmp_path, monkeypatch):
    out = tmp_path / "out"
    run(corpus / "a.jsonl", out)
    monkeypatch.setattr(manifest, "__version__", "9.9")
    monkeypatch.setattr(manifest, "model_digest", lambda _: "f" * 64)
    with pytest.raises(
        ScanError, match=r"model_sha256 was \w{8}…, is f{8}…; unspin was .*, is \"9.9\""
    ):
        run(corpus / "a.jsonl", out)


@pytest.mark.usefixtures("inline")
def test_overwriting_discards_what_a_scan_wrote_and_nothing_else(corpus, tmp_path):
    out = tmp_path / "out"
    run(corpus, out, Settings(keep="clean"))
    (out / "report.html").write_text("mine")
    run(corpus / "a.jsonl", out, overwrite=True)
    left = files(out)
    assert left.pop("report.html") == b"mine"
    run(corpus / "a.jsonl", tmp_path / "expected")
    assert left == files(tmp_path / "expected")


@pytest.mark.usefixtures("inline")
def test_tables_of_another_file_of_the_same_name_are_not_replaced(corpus, tmp_path):
    out = tmp_path / "out"
    other = tmp_path / "other" / "a.jsonl"
    other.parent.mkdir()
    other.write_bytes((corpus / "a.jsonl").read_bytes())
    run(corpus / "a.jsonl", out)
    before = files(out)
    with pytest.raises(ScanError, match=r"in/a.jsonl under the name .*other/a.jsonl would have"):
        run(other, out)
    assert files(out) == before


@pytest.mark.usefixtures("inline")
def test_input_and_output_are_kept_apart(corpus, tmp_path):
    out = tmp_path / "out"
    run(corpus, out)
    before = files(tmp_path)
    for source in (out, out / "scores", f"file://{out}/scores"):
        with pytest.raises(ScanError, match="lies in the output"):
            scan([str(source)], out, show=quiet)
    for inside in (corpus, corpus / "out"):
        with pytest.raises(ScanError, match="the output"):
            run(corpus, inside, overwrite=True)
    (corpus / "link").symlink_to(out)
    with pytest.raises(ScanError, match="the output"):
        scan([str(corpus / "link")], out, show=quiet)
    (corpus / "link").unlink()
    assert files(tmp_path) == before


@pytest.mark.usefixtures("inline")
def test_an_address_is_no_folder_for_tables(corpus):
    with pytest.raises(ScanError, match="folder of this machine"):
        run(corpus, Path("s3://bucket/out"))


def test_a_second_scan_of_a_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(manifest, "PATIENCE", 0.0)
    with opened(tmp_path, Settings()):
        with (
            pytest.raises(ScanError, match="another run is writing"),
            opened(tmp_path, Settings(), overwrite=True),
        ):
            pass
        assert (tmp_path / "settings.json").exists()
    with opened(tmp_path, Settings()):
        pass


def test_workers_hold_the_folder_that_their_parent_left(tmp_path, monkeypatch):
    monkeypatch.setattr(manifest, "PATIENCE", 0.0)
    with opened(tmp_path, Settings()):
        pass
    with manifest.sharing(tmp_path) as held:
        assert held
        with (
            pytest.raises(ScanError, match="another run is writing"),
            opened(tmp_path, Settings()),
        ):
            pass


def test_lines_that_cannot_be_read_are_left_out(tmp_path):
    lines = [b"\0\0\0\n", b"[]\n", b'{"shard": "a"}\n', b'"\xff"\n', b'{"sha']
    (tmp_path / MANIFEST).write_bytes(b"".join(lines))
    empty = Manifest(tmp_path, Done)
    assert empty.finished(Shard("a", "jsonl", ("a",)), 1) is None
    empty.finish()
    assert (tmp_path / MANIFEST).read_bytes() == b""
