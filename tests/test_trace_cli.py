"""`unspin index` and `unspin trace`: their options, what they print where, and the exit status."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from unspin import cli
from unspin.cli import streams
from unspin.pages import PageError
from unspin.scan.job import Fields
from unspin.scan.summary import BadShard
from unspin.trace import batch, index, report, tracer, view
from unspin.trace.articles import Named, TraceError
from unspin.trace.index import Added, Stats
from unspin.trace.match import Trace
from unspin.trace.network import Traced

EXAMPLES = Path(__file__).parent.parent / "examples"
NOTHING = Trace("It is noon.", 3, (), "no passage of it stands in an article")


@pytest.fixture
def found(monkeypatch, taken):
    """A tracer that gives the same answer to every page."""

    class Tracer:
        answer = taken
        asked = None

        def __init__(self, indexes, *, families):
            Tracer.asked = indexes
            Tracer.families = families

        def trace(self, page):
            assert isinstance(page.text, str)
            return Tracer.answer

    class Index:
        @staticmethod
        def open(path):
            if "missing" in path.name:
                raise TraceError(f"{path}: no such folder")
            return f"opened {path}"

    monkeypatch.setattr(tracer, "Tracer", Tracer)
    monkeypatch.setattr(index, "Index", Index)
    return Tracer


@pytest.fixture
def page(tmp_path, taken):
    path = tmp_path / "page.txt"
    path.write_text(taken.text, encoding="utf-8")
    return path


def run(*arguments, **settings):
    return CliRunner().invoke(cli.app, [*map(str, arguments)], **settings)


def trace(*arguments, **settings):
    return run("trace", *arguments, "--index", "ix", **settings)


# --- trace: what is printed where


@pytest.mark.usefixtures("found")
def test_page_and_source_are_printed_side_by_side(page, taken):
    result = trace(page)
    assert result.exit_code == 0
    assert result.stderr == f"{view.summary(taken)}\n"
    assert "│ [New] sea wall [at] Port Ellery" in result.stdout
    assert "\x1b" not in result.stdout


@pytest.mark.usefixtures("found")
def test_a_page_is_read_from_standard_input():
    assert "sea wall" in trace("-", input="It is noon.").stdout


def test_several_indexes_are_asked_as_one(found, page):
    result = run("trace", page, "--index", "one", "--index", "two")
    assert result.exit_code == 0
    assert found.asked == ["opened one", "opened two"]


def test_families_reach_the_tracer_and_the_batch(found, page, asked, tide, tide_file):
    trace(page)
    assert found.families == ()
    trace(page, "--family", tide_file)
    assert found.families == (tide,)
    trace("--batch", page, "-o", "t.parquet", "--family", tide_file)
    assert asked["families"] == (tide,)


@pytest.mark.usefixtures("found")
def test_json_is_one_object_on_standard_output(page, taken):
    result = trace(page, "--json")
    assert json.loads(result.stdout) == taken.to_dict()
    assert result.stdout.count("\n") == 1
    assert result.stderr == ""


@pytest.mark.usefixtures("found")
def test_the_report_is_written_where_it_was_asked_for(page, tmp_path, taken):
    result = trace(page, "--html", tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text("utf-8") == report.html(taken)
    assert result.stdout == ""
    assert result.stderr == f"{view.summary(taken)}\n"


def test_that_there_is_no_source_is_said_and_nothing_is_printed(found, page):
    found.answer = NOTHING
    result = trace(page)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "no source found — no passage of it stands in an article\n"


def test_without_a_source_json_is_an_object_all_the_same(found, page):
    found.answer = NOTHING
    result = trace(page, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["matches"] == []
    assert json.loads(result.stdout)["reason"] == NOTHING.reason


@pytest.mark.usefixtures("found")
def test_the_restored_page_has_the_words_of_the_source(page, taken):
    result = trace(page, "--restore")
    assert result.stderr == f"{view.summary(taken)}\n"
    assert "New sea wall at Port Ellery holds in first storm\n" in result.stdout
    # What was altered, which is no work of a spinner, and what the source does not have, stay.
    assert "said Dora Pell" in result.stdout
    assert result.stdout.startswith("Trending now in our region\n")


@pytest.mark.usefixtures("found")
def test_the_restored_page_can_be_an_object_as_a_reading_is(page, taken):
    result = trace(page, "--restore", "--json")
    reading = json.loads(result.stdout)
    assert result.stderr == ""
    assert reading["source_text"] == taken.text
    assert {"verdict", "text", "edits", "suspects"} <= reading.keys()
    assert "source: a-17" in {edit["reason"] for edit in reading["edits"]}


def test_without_a_source_a_page_is_restored_as_it_is_read(found, page):
    found.answer = Trace(page.read_text(encoding="utf-8"), 295, (), "none")
    result = trace(page, "--restore")
    assert result.stderr == "no source found — none\n"
    assert result.stdout == run("read", page).stdout


@pytest.mark.usefixtures("found")
@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo terminals")
def test_in_a_terminal_the_view_says_itself_what_was_found(page, monkeypatch, capfd, taken):
    seen, terminal = os.openpty()
    with os.fdopen(terminal, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "100")
        monkeypatch.delenv("NO_COLOR", raising=False)
        cli.app(["trace", str(page), "--index", "ix"], standalone_mode=False)
        stdout.flush()
        printed = os.read(seen, 100_000).decode()
    os.close(seen)
    assert capfd.readouterr().err == ""
    assert "\x1b[31mastatine\x1b[0m" in printed
    # A terminal wraps what is longer than its lines.
    plain = " ".join(re.sub(r"\x1b\[[\d;]*m", "", printed).split())
    assert view.facts(taken.matches[0]) in plain


# --- trace: wrong usage, and what cannot be read


@pytest.mark.usefixtures("found")
@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("other.txt", "add --batch to trace many"),
        ("-o out.parquet", "-o is for many pages"),
        ("--engine ray", "--engine is for many pages"),
        ("--workers 2", "--workers is for many pages"),
        ("--address auto", "--address is for many pages"),
        ("--text-field body", "--text-field is for many pages"),
        ("--id-field url", "--id-field is for many pages"),
        ("--overwrite", "--overwrite is for many pages"),
        ("--batch", "--batch needs -o"),
        ("--batch -o out.parquet --html report.html", "--html is for one page"),
        ("--batch -o out.parquet --restore", "--restore is for one page"),
        ("--batch -o out.parquet --address auto", "add --engine ray"),
        ("--batch -o out.parquet --workers 0", "--workers"),
        ("--html no/such/folder/report.html", "cannot be written"),
        ("--no-such-option", "--no-such-option"),
    ],
)
def test_options_that_contradict_each_other_are_status_2(page, options, told):
    result = trace(page, *options.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in " ".join(result.stderr.split())


def test_an_index_has_to_be_named(page):
    result = run("trace", page)
    assert result.exit_code == 2
    assert "--index" in result.stderr


def test_an_address_is_answered_with_the_command_that_reads_it():
    result = trace("https://example.org/page")
    assert result.exit_code == 2
    assert "unspin trace - --index IX" in " ".join(result.stderr.split())


@pytest.mark.usefixtures("found")
def test_what_cannot_be_read_is_status_3(page, tmp_path):
    binary = tmp_path / "page.pdf"
    binary.write_bytes(bytes(range(256)))
    for arguments, told in [
        ((tmp_path / "missing.html", "--index", "ix"), "no such file"),
        ((binary, "--index", "ix"), "convert it to text"),
        ((page, "--index", "missing"), "missing: no such folder"),
    ]:
        result = run("trace", *arguments)
        assert (result.exit_code, result.stdout) == (3, "")
        assert result.stderr.startswith("unspin: ")
        assert told in result.stderr


@pytest.mark.parametrize(
    ("failure", "status", "told"),
    [
        (TraceError("ix is damaged"), 3, "unspin: ix is damaged\n"),
        (PageError("the time ran out"), 3, "unspin: the time ran out\n"),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(), 0, ""),
    ],
)
def test_what_stops_a_trace_is_told_in_a_line(found, page, monkeypatch, failure, status, told):
    def fail(*_):
        raise failure

    monkeypatch.setattr(found, "trace", fail)
    monkeypatch.setattr(streams, "discard_output", lambda: None)
    result = trace(page)
    assert (result.exit_code, result.stdout, result.stderr) == (status, "", told)


# --- trace --batch


@pytest.fixture
def asked(monkeypatch):
    """What the command asks of a batch, and what it is answered."""
    calls = {"bad_shards": ()}

    def run(*arguments, **options):
        calls.update(options, arguments=arguments)
        return Traced(4, 3, 0, 2, 1, (), (), (), (), calls["bad_shards"])

    monkeypatch.setattr(batch, "run", run)
    return calls


def test_every_option_reaches_the_batch(asked):
    options = "--index two -o t.parquet --engine ray --workers 3 --address auto --overwrite"
    fields = "--text-field body --id-field url"
    result = trace("--batch", "a.jsonl", "b/", *options.split(), *fields.split())
    assert result.exit_code == 0, result.output
    assert asked == {
        "arguments": (
            ["a.jsonl", "b/"], Path("t.parquet"), [Path("two"), Path("ix")], Fields("body", "url")
        ),
        "engine": "ray",
        "workers": 3,
        "address": "auto",
        "overwrite": True,
        "families": (),
        "bad_shards": (),
    }  # fmt: skip


def test_without_options_a_batch_runs_on_this_machine(asked):
    assert trace("--batch", "a.jsonl", "-o", "t.parquet").exit_code == 0
    assert (asked["engine"], asked["workers"], asked["overwrite"]) == ("local", None, False)
    assert asked["arguments"][3] == Fields()


@pytest.mark.usefixtures("asked")
def test_what_a_batch_found_is_printed():
    result = trace("--batch", "a.jsonl", "-o", "t.parquet")
    assert result.stdout.startswith("3 of 4 pages (75.0 %) were taken from 2 articles")
    result = trace("--batch", "a.jsonl", "-o", "t.parquet", "--json")
    assert json.loads(result.stdout)["found"] == 3
    assert result.stderr == ""


def test_a_broken_shard_is_status_3_when_the_others_are_finished(asked):
    asked["bad_shards"] = (BadShard("a.jsonl", 2, "line 3 is no JSON"),)
    result = trace("--batch", "a.jsonl", "-o", "t.parquet")
    assert result.exit_code == 3
    assert "line 3 is no JSON" in result.stdout
    assert result.stderr.startswith("unspin: 1 shard could not be read to the end; once mended")


def test_an_interrupted_batch_says_how_to_go_on(monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(batch, "run", interrupted)
    result = trace("--batch", "a.jsonl", "-o", "t.parquet")
    assert result.exit_code == 130
    assert result.stderr == "unspin: interrupted; run the same command again to go on\n"


# --- index


@pytest.fixture
def articles(tmp_path):
    """A file of two articles, one of them the source of the demonstration page, and a text less."""
    path = tmp_path / "articles.jsonl"
    texts = {
        "bridge": (EXAMPLES / "demo-original.txt").read_text(encoding="utf-8"),
        "tram": "The council of Sunder sold its last three trams to a museum on Sunday.",
        "none": " ",
    }
    rows = [{"key": key, "body": text, "head": f"The {key}"} for key, text in texts.items()]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def room(monkeypatch):
    """What the command asks of an index; what is answered can be set."""

    room = SimpleNamespace(
        calls={},
        answers={
            "build": Added(1_204, 0, Counter(), 9),
            "add": Added(2, 1, Counter({"the text is empty": 2, "no text": 1}), 9),
            "remove": 1,
            "stats": Stats("0.1.0", 1_204, 1_300, 3, 2_000_000, 1_000_000, 5, 2),
            "check": [],
        },
    )
    for name in room.answers:

        def call(*arguments, name=name, **options):
            options.pop("advance", None)
            room.calls[name] = (arguments, options)
            answer = room.answers[name]
            if isinstance(answer, BaseException):
                raise answer
            return answer

        monkeypatch.setattr(index, name, call)
    return room


FIELDS = (
    "--text-field body --id-field key --title-field head --url-field link --date-field day".split()
)
NAMED = Named("body", "key", "head", "link", "day")


def test_every_option_reaches_the_build(room, articles):
    result = run("index", "build", articles, "-o", "ix", *FIELDS, "--overwrite")
    assert result.exit_code == 0, result.output
    assert room.calls["build"] == (([str(articles)], Path("ix"), NAMED), {"overwrite": True})
    assert (result.stdout, result.stderr) == ("1,204 articles indexed\n", "")


def test_every_option_reaches_what_is_added(room, articles):
    result = run("index", "add", articles, "--index", "ix", *FIELDS)
    assert result.exit_code == 0, result.output
    assert room.calls["add"] == (([str(articles)], Path("ix"), NAMED), {})
    assert result.stdout == (
        "2 articles added, 1 in the place of one with the same id; 3 left out:"
        " the text is empty (2), no text (1)\n"
    )


def test_ids_that_are_not_there_are_told_when_articles_are_removed(room):
    result = run("index", "remove", "tram", "bridge", "tram", "--index", "ix")
    assert room.calls["remove"] == ((["tram", "bridge"], Path("ix")), {})
    assert result.stdout == "1 article removed, 1 id not in the index\n"


def test_the_ids_of_what_is_removed_can_come_from_standard_input(room):
    run("index", "remove", "-", "--index", "ix", input="a tram\r\nbridge\n\n")
    assert room.calls["remove"][0][0] == ["a tram", "bridge"]


@pytest.mark.usefixtures("room")
def test_the_numbers_of_an_index_are_a_small_table():
    assert run("index", "stats", "ix").stdout.splitlines() == [
        "articles     1,204",
        "near copies  5 in 2 groups",
        "texts        2.0 MB",
        "index        1.0 MB (50 % of the texts)",
        "parts        1,300 in 3 segments",
        "built by     unspin 0.1.0",
    ]


def test_the_numbers_of_an_index_can_be_one_object_of_json(room):
    result = run("index", "stats", "ix", "--json")
    assert json.loads(result.stdout) == room.answers["stats"].to_dict()


def test_a_check_says_that_all_is_well_or_what_is_not(room):
    result = run("index", "check", "ix")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "ix: all is well\n", "")
    room.answers["check"] = ["one file is damaged", "\x1b is missing"]
    result = run("index", "check", "ix")
    assert result.exit_code == 3
    assert result.stdout == "one file is damaged\n␛ is missing\n"
    assert result.stderr.startswith("unspin: ix is damaged")


@pytest.mark.parametrize(
    ("failure", "status", "told"),
    [
        (TraceError("ix is in use"), 3, "unspin: ix is in use\n"),
        (KeyboardInterrupt(), 130, "unspin: interrupted; either all were added or none\n"),
    ],
)
def test_what_stops_an_index_is_told_in_a_line(room, articles, failure, status, told):
    room.answers["add"] = failure
    result = run("index", "add", articles, "--index", "ix")
    assert (result.exit_code, result.stdout, result.stderr) == (status, "", told)


def test_articles_that_are_not_there_are_status_3(tmp_path):
    for command in (("build", "-o"), ("add", "--index")):
        name, option = command
        result = run("index", name, tmp_path / "missing.jsonl", option, tmp_path / "ix")
        assert (result.exit_code, result.stdout) == (3, "")
        assert "missing.jsonl" in result.stderr
    assert not (tmp_path / "ix").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["build", "in"],
        ["build", "-o", "ix"],
        ["add", "in"],
        ["remove", "id"],
        ["remove", "--index", "ix"],
        ["stats"],
        ["check"],
        ["mend", "ix"],
    ],
)
def test_wrong_usage_of_an_index_is_status_2(arguments):
    result = run("index", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")


# --- as a process, with a real index


def test_a_page_is_traced_to_the_articles_that_were_indexed(articles, tmp_path):
    pytest.importorskip("tantivy")
    place = tmp_path / "ix"
    fields = ("--text-field", "body", "--id-field", "key", "--title-field", "head")

    def process(*arguments):
        command = [sys.executable, "-m", "unspin", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, check=False, timeout=120)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    built = process("index", "build", articles, "-o", place, *fields)
    assert built == (0, "2 articles indexed; 1 left out: the text is empty (1)\n", "")
    assert process("index", "check", place) == (0, f"{place}: all is well\n", "")
    status, printed, told = process("trace", EXAMPLES / "demo.html", "--index", place)
    assert (status, told.partition(" — ")[0]) == (0, "taken from “The bridge”")
    assert "[in] Kelmouth to" in printed
    assert process("index", "remove", "bridge", "--index", place)[:2] == (0, "1 article removed\n")
    status, printed, told = process("trace", EXAMPLES / "demo.html", "--index", place)
    assert (status, printed) == (0, "")
    assert told.startswith("no source found — ")
    status, printed, told = process("index", "build", articles, "-o", place)
    assert (status, printed) == (3, "")
    assert told.startswith(f"unspin: {place} is an index already")


def test_the_help_starts_without_what_only_tracing_needs():
    slow = ["pyarrow", "rich", "tantivy", "zstandard", "unspin.reader", "unspin.trace.articles"]
    code = f"import sys, unspin.cli; sys.exit(str([m for m in {slow} if m in sys.modules]))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert result.stderr.decode().strip() == "[]"


def test_a_page_is_not_overwritten_by_its_report(page):
    before = page.read_bytes()
    result = trace(page, "--html", str(page))
    assert result.exit_code == 2
    assert "is the page itself" in re.sub(r"[│\s]+", " ", result.stderr)
    assert page.read_bytes() == before


def test_the_table_of_a_batch_is_parquet(page, tmp_path):
    result = run("trace", "--batch", page, "--index", "ix", "-o", str(tmp_path / "out.txt"))
    assert result.exit_code == 2
    assert "ends in .parquet" in re.sub(r"[│\s]+", " ", result.stderr)
