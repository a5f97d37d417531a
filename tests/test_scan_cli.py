"""`unspin scan`: its options, what it prints where, and five exit statuses."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from unspin import cli
from unspin.cli import streams
from unspin.reader import MODEL
from unspin.reranker import OWN
from unspin.scan import run as room
from unspin.scan.batch import Limits, Scorer
from unspin.scan.job import Fields, ScanError, Settings
from unspin.scan.shards import process

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture
def corpus(tmp_path):
    """A folder of two files: a page that is clean, and one that is spun."""
    from unspin.pages import extract

    folder = tmp_path / "in"
    folder.mkdir()
    texts = {
        "clean": (EXAMPLES / "demo-original.txt").read_text(encoding="utf-8"),
        "spun": extract((EXAMPLES / "demo.html").read_bytes()).text,
    }
    for name, text in texts.items():
        line = json.dumps({"id": f"the {name} one", "text": text})
        (folder / f"{name}.jsonl").write_text(line + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def asked(monkeypatch):
    """What the command asks a scan for; the scan itself runs in this process."""
    options = {}

    def in_process(_engine, shards, job, _workers, _address, advance):
        scorer = Scorer()
        for shard in shards:
            yield process(shard, job, scorer, advance)

    real = room.scan

    def scan(inputs, out, settings, **others):
        options.update(others, inputs=inputs, out=out, settings=settings)
        return real(inputs, out, settings, **others)

    monkeypatch.setattr(room, "_run", in_process)
    monkeypatch.setattr(room, "scan", scan)
    return options


def run(*arguments):
    return CliRunner().invoke(cli.app, ["scan", *map(str, arguments)])


# --- options


def test_without_options_the_defaults_are_those_of_a_scan(asked, corpus, tmp_path):
    assert run(corpus, "-o", tmp_path / "out").exit_code == 0
    assert asked == {
        "inputs": [str(corpus)],
        "out": tmp_path / "out",
        "settings": Settings(),
        "engine": "local",
        "workers": None,
        "address": None,
        "overwrite": False,
    }


def test_every_option_reaches_the_scan(asked, corpus, tmp_path):
    out = tmp_path / "out"
    options = (
        "--workers 3 --engine ray --address auto --text-field text --id-field id --format jsonl"
        " --restore --max-characters 9000 --max-seconds 2.5 --overwrite --rerank"
    )
    result = run(corpus / "clean.jsonl", corpus / "spun.jsonl", "-o", out, *options.split())
    assert result.exit_code == 0, result.output
    assert asked == {
        "inputs": [str(corpus / "clean.jsonl"), str(corpus / "spun.jsonl")],
        "out": out,
        "settings": Settings(
            Fields("text", "id"), "jsonl", None, True, Limits(9000, 2.5), MODEL, (), OWN
        ),
        "engine": "ray",
        "workers": 3,
        "address": "auto",
        "overwrite": True,
    }


def test_what_is_kept_reaches_the_scan(asked, corpus, tmp_path):
    assert run(corpus, "-o", tmp_path / "out", "--keep", "unsure").exit_code == 0
    assert asked["settings"] == Settings(keep="unsure")


def test_families_reach_the_scan(asked, corpus, tmp_path, tide, tide_file):
    assert run(corpus, "-o", tmp_path / "out", "--family", tide_file).exit_code == 0
    assert asked["settings"] == Settings(families=(tide,))
    result = run(corpus, "-o", tmp_path / "other", "--family", tmp_path / "surf.tsv")
    assert result.exit_code == 3
    assert "surf.tsv: no such file" in result.stderr
    assert not (tmp_path / "other").exists()


def test_a_second_reader_has_a_say_in_what_is_put_back_alone(corpus, tmp_path):
    result = run(corpus, "-o", tmp_path / "out", "--rerank")
    assert result.exit_code == 2
    assert "add --restore" in result.output
    assert not (tmp_path / "out").exists()


def test_a_scan_without_the_second_reader_that_it_was_to_have_does_not_begin(corpus, tmp_path):
    model = tmp_path / "gone.gguf"
    result = run(corpus, "-o", tmp_path / "out", "--restore", "--rerank", model)
    assert result.exit_code == 3
    assert "unspin: " in result.stderr
    assert not list((tmp_path / "out").rglob("*.parquet"))


def test_a_second_reader_puts_words_back_in_what_is_spun(corpus, tmp_path):
    pytest.importorskip("onnxruntime", reason="needs the extra unspin[neural]")
    texts = {}
    for name, options in (("one", []), ("two", ["--rerank"])):
        out = tmp_path / name
        assert run(corpus, "-o", out, "--restore", "--workers", "1", *options).exit_code == 0
        lines = [path.read_text("utf-8") for path in sorted(out.glob("corpus/*.jsonl"))]
        texts[name] = [json.loads(line) for line in lines]
    for one, two in zip(texts["one"], texts["two"], strict=True):
        assert (one == two) == (one["id"] == "the clean one")
        assert one["unspin"].partition(":")[0] == two["unspin"].partition(":")[0]


def test_what_is_kept_needs_no_restoring(corpus, tmp_path):
    result = run(corpus, "-o", tmp_path / "out", "--keep", "clean", "--restore")
    assert result.exit_code == 2
    assert "choose one of --keep and --restore" in result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["in"],
        ["-o", "out"],
        ["in", "-o", "out", "--workers", "0"],
        ["in", "-o", "out", "--engine", "spark"],
        ["in", "-o", "out", "--keep", "spun"],
        ["in", "-o", "out", "--format", "csv"],
        ["in", "-o", "out", "--max-seconds", "0"],
        ["in", "-o", "out", "--address", "auto"],
        ["in", "-o", "out", "--report", "no/such/folder/report.html"],
    ],
)
def test_wrong_usage_is_status_2_before_anything_is_read(asked, arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Error" in result.stderr or "Usage" in result.stderr
    assert asked == {}


# --- what is printed where


@pytest.mark.usefixtures("asked")
def test_the_summary_is_printed_and_nothing_is_said(corpus, tmp_path):
    result = run(corpus, "-o", tmp_path / "out")
    assert result.stdout.startswith("1 of 2 documents (50.0 %) is spun")
    assert "the spun one" in result.stdout
    assert result.stderr == ""


@pytest.mark.usefixtures("asked")
def test_the_summary_can_be_one_object_of_json(corpus, tmp_path):
    result = run(corpus, "-o", tmp_path / "out", "--json")
    summary = json.loads(result.stdout)
    assert (summary["documents"], summary["spun"], summary["shards"]) == (2, 1, 2)
    assert result.stdout.count("\n") == 1
    assert result.stderr == ""


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("report", ["report.html", "out/report.html"])
def test_the_report_is_written_where_it_was_asked_for(corpus, tmp_path, report):
    result = run(corpus, "-o", tmp_path / "out", "--report", tmp_path / report)
    assert result.exit_code == 0
    assert "the spun one" in (tmp_path / report).read_text(encoding="utf-8")


# --- exit status


@pytest.mark.usefixtures("asked")
def test_fail_on_spun_is_status_1_if_any_document_is(corpus, tmp_path):
    some = run(corpus, "-o", tmp_path / "some", "--fail-on", "spun")
    assert some.exit_code == 1
    assert some.stdout.startswith("1 of 2 documents")
    none = run(corpus / "clean.jsonl", "-o", tmp_path / "none", "--fail-on", "spun")
    assert none.exit_code == 0


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("options", [[], ["--json"], ["--fail-on", "spun"]])
def test_a_broken_shard_is_status_3_when_the_others_are_finished(corpus, tmp_path, options):
    (corpus / "broken.parquet").write_bytes(b"PAR1 and no more")
    result = run(corpus, "-o", tmp_path / "out", *options)
    assert result.exit_code == 3
    assert "broken" in result.stdout
    assert "spun one" in result.stdout
    assert result.stderr.startswith("unspin: 1 of 3 shards could not be read to the end")


@pytest.mark.parametrize(
    ("failure", "status", "told"),
    [
        (ScanError("out is in use"), 3, "unspin: out is in use\n"),
        (KeyboardInterrupt(), 130, "unspin: interrupted; run the same command again to go on\n"),
        (BrokenPipeError(), 0, ""),
    ],
)
def test_what_stops_a_scan_is_told_in_a_line(monkeypatch, corpus, tmp_path, failure, status, told):
    def scan(*_, **__):
        raise failure

    monkeypatch.setattr(room, "scan", scan)
    monkeypatch.setattr(streams, "discard_output", lambda: None)
    result = run(corpus, "-o", tmp_path / "out")
    assert (result.exit_code, result.stdout, result.stderr) == (status, "", told)


def test_missing_input_is_status_3(tmp_path):
    result = run(tmp_path / "missing.jsonl", "-o", tmp_path / "out")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith("unspin: ")
    assert "missing.jsonl" in result.stderr
    assert not (tmp_path / "out").exists()


# --- as a process


def test_the_command_scans_a_folder_and_goes_on_from_there(corpus, tmp_path):
    command = [sys.executable, "-m", "unspin", "scan", str(corpus), "-o", str(tmp_path / "out")]
    for _ in range(2):
        result = subprocess.run(command, capture_output=True, check=True, timeout=120)
        assert result.stdout.decode().startswith("1 of 2 documents (50.0 %) is spun")
        assert result.stderr == b""


def test_the_help_starts_without_what_only_scanning_needs():
    slow = ["pyarrow", "fsspec", "rich", "multiprocessing", "unspin.reader", "unspin.scan.job"]
    code = f"import sys, unspin.cli; sys.exit(str([m for m in {slow} if m in sys.modules]))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert result.stderr.decode().strip() == "[]"


def test_the_help_shows_how_a_corpus_is_scanned():
    assert "unspin scan crawl/ -o cleaned --keep clean" in run("--help").stdout
