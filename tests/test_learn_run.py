"""`unspin learn`: tables from files of pages, whatever happens on the way."""

import json
import sys
import time
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

pytest.importorskip("numpy", reason="tables are learned with numpy: the extra unspin[learn]")

from tests.piles import clean_texts, drawn, spin
from tests.running import after, assert_gone, end, moments, start
from unspin import cli, families
from unspin.learn import Learner, LearnError
from unspin.learn.run import learn
from unspin.learn.work import SURVEYS, Settings
from unspin.scan.batch import Limits
from unspin.scan.job import ScanError


@contextmanager
def quiet(*_, **__):
    yield lambda _: None


@pytest.fixture(scope="module")
def texts():
    table = drawn(0)
    clean = clean_texts()
    return [spin(text, table) for text in clean[:24]] + clean[24:32]


@pytest.fixture
def pages(tmp_path, texts):
    """Three files of pages, in a folder."""
    folder = tmp_path / "pages"
    folder.mkdir()
    for part in range(3):
        lines = [json.dumps({"id": text[:20], "text": text}) for text in texts[part::3]]
        (folder / f"{part}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


@pytest.fixture(scope="module")
def table(texts):
    """What is learned where nothing happens on the way."""
    learner = Learner()
    ordered = [text for part in range(3) for text in texts[part::3]]
    return learner.learn(lambda tables: learner.surveyor(tables).survey(ordered), "wave").tables[0]


def run(*arguments):
    return CliRunner().invoke(cli.app, ["learn", *map(str, arguments)])


def same(found, expected):
    return (found.name, found.learned, found.entries) == (
        expected.name,
        expected.learned,
        expected.entries,
    )


def test_the_table_of_some_files_is_that_of_their_pages(pages, tmp_path, table):
    result = run(pages, "-o", tmp_path / "wave.tsv")
    assert result.exit_code == 0, result.stderr
    assert same(families.read(tmp_path / "wave.tsv"), table)
    assert f"wave.tsv: {len(table.entries)} pairs learned from {table.learned}" in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pages", "wave.tsv"]


def test_the_number_of_workers_does_not_show(pages, tmp_path, table):
    found = learn([str(pages)], tmp_path / "wave.tsv", "wave", workers=3, show=quiet)
    assert same(families.read(tmp_path / "wave.tsv"), table)
    assert found.files == (tmp_path / "wave.tsv",)


def test_what_was_learned_is_told_as_json(pages, tmp_path, table, inline):
    result = run(pages, "-o", tmp_path / "wave.tsv", "--name", "kelmouth", "--json")
    told = json.loads(result.stdout)
    assert told["pages"] == 32
    assert told["families"] == [
        {
            "file": str(tmp_path / "wave.tsv"),
            "name": "kelmouth",
            "pairs": len(table.entries),
            "learned": table.learned,
        }
    ]
    assert inline


def test_what_is_done_is_not_done_again(pages, tmp_path, table, inline, monkeypatch):
    real = Learner.surveyor

    def broken(self, tables=()):
        if tables:
            raise KeyboardInterrupt
        return real(self, tables)

    monkeypatch.setattr(Learner, "surveyor", broken)
    with pytest.raises(KeyboardInterrupt):
        learn([str(pages)], tmp_path / "wave.tsv", "wave", show=quiet)
    assert not (tmp_path / "wave.tsv").exists()
    assert len(inline) == 3
    monkeypatch.setattr(Learner, "surveyor", real)
    inline.clear()
    learn([str(pages)], tmp_path / "wave.tsv", "wave", show=quiet)
    assert len(inline) == 6
    assert same(families.read(tmp_path / "wave.tsv"), table)


@pytest.mark.parametrize("part", range(2))
def test_whenever_it_was_killed_the_end_is_the_same(pages, tmp_path, table, part):
    pytest.importorskip("ray", reason="a long test, for `make test-all`")
    out = tmp_path / "wave.tsv"
    command = [sys.executable, "-m", "unspin", "learn", str(pages), "-o", str(out)]
    begun = time.monotonic()
    running = start(command)
    workers = after(running, moments(5, 2, 8.0)[part])
    end(running)
    assert_gone(workers)
    assert time.monotonic() - begun < 60
    if not out.exists():
        learn([str(pages)], out, "wave", show=quiet)
    assert same(families.read(out), table)
    assert not list(tmp_path.glob("*.parts"))


@pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning:ray")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_ray_learns_the_same(pages, tmp_path, table):
    pytest.importorskip("ray", reason="the extra unspin[ray]")
    result = run(pages, "-o", tmp_path / "wave.tsv", "--engine", "ray", "--workers", 2)
    assert result.exit_code == 0, result.stderr
    assert same(families.read(tmp_path / "wave.tsv"), table)


def test_a_broken_file_is_told_of_and_the_others_are_learned_from(pages, tmp_path, inline):
    (pages / "3.parquet").write_bytes(b"PAR1 and no more")
    result = run(pages, "-o", tmp_path / "wave.tsv")
    assert result.exit_code == 3
    assert "3.parquet" in result.stderr
    assert families.read(tmp_path / "wave.tsv").entries
    assert inline


def test_documents_that_are_too_long_are_skipped(pages, tmp_path, inline):
    (pages / "long.jsonl").write_text(json.dumps({"text": "on and on " * 500}) + "\n")
    settings = Settings(limits=Limits(characters=4_000))
    found = learn([str(pages)], tmp_path / "wave.tsv", "wave", settings, show=quiet)
    assert found.learned.skipped >= 1
    assert inline


def test_a_page_that_breaks_the_solver_takes_no_other_along(
    pages, texts, tmp_path, inline, monkeypatch
):
    from unspin.learn.survey import Surveyor

    real = Surveyor.look
    monkeypatch.setattr(
        Surveyor,
        "look",
        lambda self, text, deadline: 1 / 0 if text == texts[0] else real(self, text, deadline),
    )
    found = learn([str(pages)], tmp_path / "wave.tsv", "wave", show=quiet)
    assert (found.learned.skipped, found.learned.pages) == (1, 32)
    assert inline


def test_a_table_that_is_there_is_not_replaced_unasked(pages, tmp_path, table, inline):
    for name in ("wave.tsv", "other-1.tsv"):
        (tmp_path / name).write_text("mine")
        result = run(pages, "-o", tmp_path / name.replace("-1", ""))
        assert result.exit_code == 3
        assert "--overwrite" in result.stderr
        assert (tmp_path / name).read_text() == "mine"
    assert run(pages, "-o", tmp_path / "wave.tsv", "--overwrite").exit_code == 0
    assert same(families.read(tmp_path / "wave.tsv"), table)
    assert inline


def test_of_clean_pages_nothing_is_learned_and_it_says_so(tmp_path, inline):
    (tmp_path / "clean.jsonl").write_text(
        "".join(json.dumps({"text": text}) + "\n" for text in clean_texts()[:6])
    )
    result = run(tmp_path / "clean.jsonl", "-o", tmp_path / "wave.tsv")
    assert result.exit_code == 3
    assert "of 6 pages look spun" in result.stderr
    assert not (tmp_path / "wave.tsv").exists()
    assert inline


@pytest.mark.parametrize(
    ("out", "said"),
    [("wave.txt", ".tsv"), ("no/wave.tsv", "there is no folder"), ("pages/wave.tsv", "input")],
)
def test_where_no_table_can_be_written_it_is_said_at_once(pages, tmp_path, out, said, inline):
    with pytest.raises((LearnError, ScanError), match=said):
        learn([str(pages)], tmp_path / out, "wave", show=quiet)
    assert not inline


@pytest.mark.parametrize("name", ["", "Wave", "element", "a b"])
def test_a_name_that_is_none_is_refused(pages, tmp_path, name, inline):
    result = run(pages, "-o", tmp_path / "wave.tsv", "--name", name or "-")
    assert result.exit_code == 2
    assert not inline


def test_a_survey_that_is_damaged_is_made_again(pages, tmp_path, table, inline, monkeypatch):
    monkeypatch.setattr("unspin.learn.run.save", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        learn([str(pages)], tmp_path / "wave.tsv", "wave", show=quiet)
    monkeypatch.undo()
    kept = sorted((tmp_path / "wave.tsv.parts" / SURVEYS).rglob("*.gz"))
    assert len(kept) == 9
    kept[0].write_bytes(b"")
    learn([str(pages)], tmp_path / "wave.tsv", "wave", show=quiet)
    assert same(families.read(tmp_path / "wave.tsv"), table)
    assert inline


# --- after a scan


def scan(*arguments):
    return CliRunner().invoke(cli.app, ["scan", *map(str, arguments)])


@pytest.mark.parametrize("table_format", ["parquet", "jsonl"])
def test_a_scan_offers_the_table_of_what_it_does_not_know(
    pages, tmp_path, table, inline, table_format
):
    before = {path.name: path.read_bytes() for path in pages.iterdir()}
    out = tmp_path / "out"
    arguments = (pages, "-o", out, "--format", table_format)
    assert scan(*arguments).exit_code == 0
    scores = {path.name: path.read_bytes() for path in (out / "scores").iterdir()}
    result = scan(*arguments, "--learn")
    assert result.exit_code == 0, result.stderr
    learned = families.read(out / "families" / "learned.tsv")
    mine = {(entry.original, entry.spun) for entry in learned.entries}
    assert len(mine & {(e.original, e.spun) for e in table.entries}) > 0.8 * len(mine)
    assert "learned.tsv: " in result.stderr
    assert "unspin families show" in result.stderr
    assert {path.name: path.read_bytes() for path in (out / "scores").iterdir()} == scores
    assert {path.name: path.read_bytes() for path in pages.iterdir()} == before
    again = scan(*arguments, "--learn")
    assert again.exit_code == 0
    assert "left as it is" in again.stderr
    assert inline


def test_of_a_family_that_is_named_a_scan_learns_nothing(pages, tmp_path, table, inline):
    known = tmp_path / "wave.tsv"
    known.write_text(families.write(table), "utf-8")
    result = scan(pages, "-o", tmp_path / "out", "--family", known, "--learn")
    assert result.exit_code == 0, result.stderr
    assert "no table is learned from documents of unknown family" in result.stderr
    assert not list((tmp_path / "out" / "families").iterdir())
    assert inline


# --- pages with their originals


def learn_pairs(path, out, *arguments):
    return run("--pairs", path, "-o", out, *arguments)


@pytest.fixture
def pairs(tmp_path):
    table = drawn(1)
    lines = [json.dumps({"spun": spin(text, table), "original": text}) for text in clean_texts()]
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(lines[:40]) + "\n", "utf-8")
    return path


def test_from_pages_with_their_originals_the_table_is_learned(pairs, tmp_path):
    result = learn_pairs(pairs, tmp_path / "wave.tsv")
    assert result.exit_code == 0, result.stderr
    found = families.read(tmp_path / "wave.tsv")
    assert found.learned == "40 document pairs"
    right = [drawn(1).get(entry.original) == entry.spun for entry in found.entries]
    assert sum(right) > 0.9 * len(right)
    assert f"{len(right)} pairs learned from 40 document pairs" in result.stderr


def test_what_is_no_pair_is_told_of_and_the_others_are_learned_from(pairs, tmp_path):
    with pairs.open("a") as file:
        file.write('{"spun": "alone"}\n[1]\n{"spun": "It is noon.", "original": "No, not so."}\n')
    result = learn_pairs(pairs, tmp_path / "wave.tsv", "--json")
    assert result.exit_code == 3
    assert "record 41: no text in the field 'original'" in result.stderr
    told = json.loads(result.stdout)
    assert (told["pages"], told["left_out"]) == (41, 1)
    assert told["families"][0]["learned"] == "40 document pairs"


def test_originals_are_found_in_an_index(pairs, tmp_path):
    pytest.importorskip("tantivy", reason="the extra unspin[trace]")
    from unspin.trace.index import build

    told = [json.loads(line) for line in pairs.read_text("utf-8").splitlines()]
    told = [each for each in told if len(each["original"].split()) > 100][:12]
    articles = tmp_path / "articles.jsonl"
    articles.write_text(
        "".join(json.dumps({"id": i, "text": t["original"]}) + "\n" for i, t in enumerate(told))
    )
    (tmp_path / "wave.jsonl").write_text(
        "".join(json.dumps({"text": each["spun"]}) + "\n" for each in told)
    )
    build([str(articles)], tmp_path / "ix")
    result = learn_pairs(tmp_path / "wave.jsonl", tmp_path / "w.tsv", "--index", tmp_path / "ix")
    found = families.read(tmp_path / "w.tsv")
    right = [drawn(1).get(entry.original) == entry.spun for entry in found.entries]
    assert len(right) > 50, result.stderr
    assert sum(right) > 0.9 * len(right)


def test_an_index_without_pairs_is_a_mistake(pairs, tmp_path):
    result = run(pairs, "-o", tmp_path / "wave.tsv", "--index", tmp_path)
    assert result.exit_code == 2
    assert "--pairs" in result.stderr
