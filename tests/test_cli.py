"""The command: results on standard output, messages on standard error, four exit statuses."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from typer.testing import CliRunner

import unspin
from unspin import cli
from unspin.arrays import ModelError
from unspin.cli import streams
from unspin.families import Entry, FamilyTable, write
from unspin.pages import MAX_BYTES, extract
from unspin.render import CAUTION
from unspin.tortured import Finding


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "page.txt"
    path.write_text("We meet astatine noon, helium said.", encoding="utf-8")
    return path


@pytest.fixture
def answers(monkeypatch, spun):
    """A reader that checks the page like the real one and gives the same answer to every page."""

    class Reader:
        answer = spun
        asked = None

        def __init__(self, min_confidence=None, *, science, families, rerank):
            assert rerank is None
            Reader.asked = (min_confidence, science)
            Reader.families = families

        def read(self, page):
            extract(page)
            return Reader.answer

    room = type(sys)("unspin.reader")
    room.Reader = Reader
    monkeypatch.setitem(sys.modules, "unspin.reader", room)
    return Reader


def run(*arguments, **settings):
    return CliRunner().invoke(cli.app, ["read", *map(str, arguments)], **settings)


def run_process(*arguments, **settings):
    return subprocess.run(
        [sys.executable, "-m", "unspin", *map(str, arguments)],
        capture_output=True,
        check=False,
        timeout=60,
        **settings,
    )


# --- what is printed where


@pytest.mark.usefixtures("answers")
def test_in_a_pipe_the_restored_text_comes_alone(page, spun):
    result = run(page)
    assert result.exit_code == 0
    assert result.stdout == spun.text
    assert result.stderr.splitlines()[0] == (
        "spun — 99.8 % probability, 25 % of words replaced, family element"
    )


def test_a_clean_page_comes_back_byte_for_byte(answers, clean, page):
    answers.answer = clean
    assert run(page).stdout_bytes == clean.source_text.encode()


def test_json_is_one_object_on_standard_output(answers, page, spun):
    result = run(page, "--json")
    assert json.loads(result.stdout) == spun.to_dict()
    assert result.stderr == ""
    assert answers.asked == (None, False)


def test_json_names_who_is_quoted(page):
    page.write_text("“We will meet here at noon,” said Nora Pell.", encoding="utf-8")
    (quotation,) = json.loads(run(page, "--json").stdout)["quotations"]
    assert quotation["speaker"] == "Nora Pell"
    assert quotation["printed"] == quotation["restored"] == "We will meet here at noon,"


@pytest.mark.usefixtures("answers")
def test_markdown_is_printed(page):
    assert "**at** ~~astatine~~" in run(page, "--markdown").stdout


@pytest.mark.usefixtures("answers")
def test_the_report_is_written_where_it_was_asked_for(page, tmp_path):
    result = run(page, "--html", tmp_path / "report.html")
    assert result.stdout == ""
    assert result.stderr.startswith("spun — ")
    assert (tmp_path / "report.html").read_text("utf-8").startswith("<!doctype html>")


@pytest.mark.usefixtures("answers")
def test_a_page_is_read_from_standard_input(spun):
    assert run("-", input="We meet astatine noon.").stdout == spun.text


def test_the_confidence_reaches_the_reader(answers, page):
    run(page, "--min-confidence", "0.9")
    assert answers.asked == (0.9, False)


# --- families


def test_every_family_that_is_named_reaches_the_reader(answers, page, tide, tide_file, tmp_path):
    run(page)
    assert answers.families == ()
    other = FamilyTable("ebb", entries=(Entry("that", "thilk", 1.0, 1),))
    (tmp_path / "unspin" / "families").mkdir(parents=True)
    (tmp_path / "unspin" / "families" / "ebb.tsv").write_text(write(other), encoding="utf-8")
    env = {"XDG_DATA_HOME": str(tmp_path)}
    result = run(page, "--family", tide_file, "--family", "ebb", env=env)
    assert result.exit_code == 0
    assert answers.families == (tide, other)


def test_a_page_of_a_family_is_restored_with_its_file(page, tide_file, tidal):
    spun, original = tidal
    page.write_text(spun, encoding="utf-8")
    assert run(page).stdout == spun
    result = run(page, "--family", tide_file)
    assert result.stdout == original
    assert "family tide" in result.stderr


def test_a_family_that_is_broken_or_not_there_is_status_3(page, tmp_path, tide_file):
    (tmp_path / "wave.tsv").write_text("no family", encoding="utf-8")
    for family, told in {
        tmp_path / "wave.tsv": "wave.tsv, line 1: the first line",
        tmp_path / "surf.tsv": "surf.tsv: no such file",
    }.items():
        result = run(page, "--family", family)
        assert (result.exit_code, result.stdout) == (3, "")
        assert told in result.stderr
    result = run(page, "--family", tide_file, "--family", tide_file)
    assert result.exit_code == 3
    assert result.stderr == "unspin: there are two families called tide: name one of them\n"


# --- tortured phrases


def test_the_wish_for_tortured_phrases_reaches_the_reader(answers, page):
    run(page, "--science")
    assert answers.asked == (None, True)
    run(page, "--science", "--min-confidence", "0.9")
    assert answers.asked == (0.9, True)


def test_tortured_phrases_are_told_with_a_caution_beside_the_text(answers, page, spun):
    finding = Finding(3, 16, "meet \x1b[31mnoon", "artificial intelligence", 0.97, "on a list")
    answers.answer = replace(spun, findings=(finding,))
    result = run(page, "--science")
    assert result.stdout == spun.text
    verdict, caution, phrase, counted, *_ = result.stderr.splitlines()
    assert verdict.startswith("spun — ")
    assert caution == f"1 phrase that may be tortured. {CAUTION}"
    assert phrase == "  meet ␛[31mnoon: artificial intelligence? (97 %; on a list)"
    assert counted.startswith("2 changes put back")


TORTURED = "Counterfeit consciousness finds what nobody found in colossal information before."


def test_with_science_the_phrases_of_a_paper_are_found(page):
    page.write_text(TORTURED, encoding="utf-8")
    result = run(page, "--science")
    assert result.exit_code == 0
    assert result.stdout == TORTURED
    assert f"2 phrases that may be tortured. {CAUTION}" in result.stderr.splitlines()
    assert "  Counterfeit consciousness: artificial intelligence? (" in result.stderr
    assert "  colossal information: big data? (" in result.stderr


def test_json_has_the_phrases_with_science_and_none_without(page):
    page.write_text(TORTURED, encoding="utf-8")
    assert json.loads(run(page, "--json").stdout)["findings"] == []
    findings = json.loads(run(page, "--json", "--science").stdout)["findings"]
    assert [(f["start"], f["end"], f["printed"], f["expected"]) for f in findings] == [
        (0, 25, "Counterfeit consciousness", "artificial intelligence"),
        (53, 73, "colossal information", "big data"),
    ]
    keys = {"start", "end", "printed", "expected", "probability", "reason"}
    assert all(f.keys() == keys and 0 < f["probability"] < 1 and f["reason"] for f in findings)


def test_without_science_nothing_is_said_of_phrases(page):
    page.write_text(TORTURED, encoding="utf-8")
    assert "tortured" not in run(page).stderr


# --- exit status


def test_fail_on_spun_is_status_1_for_spun_pages_only(answers, clean, page):
    assert run(page, "--fail-on", "spun").exit_code == 1
    answers.answer = clean
    assert run(page, "--fail-on", "spun").exit_code == 0


@pytest.mark.usefixtures("answers")
@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--json", "--markdown"],
        ["--min-confidence", "2"],
        ["--min-confidence", "sure"],
        ["--fail-on", "clean"],
        ["--no-such-option"],
        ["--html", "no/such/folder/report.html"],
    ],
)
def test_wrong_usage_is_status_2(arguments, page):
    result = run(*([page, *arguments] if arguments else []))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Error" in result.stderr or "Usage" in result.stderr


def test_an_address_is_answered_with_the_command_that_reads_it():
    result = run("https://example.org/page")
    assert result.exit_code == 2
    assert "curl -s" in result.stderr


@pytest.mark.usefixtures("answers")
def test_a_page_that_cannot_be_read_is_status_3_with_advice(tmp_path):
    binary = tmp_path / "page.pdf"
    binary.write_bytes(bytes(range(256)))
    for path, advice in [
        (tmp_path / "missing.html", "no such file"),
        (tmp_path, "Is a directory"),
        (binary, "convert it to text"),
    ]:
        result = run(path)
        assert (result.exit_code, result.stdout) == (3, "")
        assert result.stderr.startswith("unspin: ")
        assert advice in result.stderr


@pytest.mark.usefixtures("answers")
def test_a_page_of_100_mb_is_refused_without_being_loaded(tmp_path):
    huge = tmp_path / "huge.txt"
    with huge.open("wb") as file:
        file.truncate(100_000_000)
    result = run(huge)
    assert result.exit_code == 3
    assert "split it" in result.stderr


@pytest.mark.usefixtures("answers")
def test_standard_input_is_only_read_up_to_the_limit():
    result = run("-", input=b"word " * (MAX_BYTES // 4))
    assert result.exit_code == 3
    assert "larger than 20 MB" in result.stderr


def test_a_damaged_model_is_status_3_and_named(answers, page, monkeypatch):
    def damaged(*_):
        raise ModelError("model file lm.bin is damaged: install unspin again")

    monkeypatch.setattr(answers, "read", damaged)
    result = run(page)
    assert result.exit_code == 3
    assert "lm.bin" in result.stderr


@pytest.mark.parametrize(
    ("failure", "status"), [(KeyboardInterrupt, 130), (BrokenPipeError, 0), (MemoryError, 3)]
)
def test_interruption_and_closed_pipes_are_quiet(answers, page, monkeypatch, failure, status):
    def fail(*_):
        raise failure

    monkeypatch.setattr(answers, "read", fail)
    monkeypatch.setattr(streams, "discard_output", lambda: None)
    result = run(page)
    assert result.exit_code == status
    assert "Traceback" not in result.stderr
    assert (result.stderr == "") == (failure is not MemoryError)


# --- as a process


def test_the_version_and_the_help_are_printed():
    assert run_process("--version").stdout.decode().strip() == f"unspin {unspin.__version__}"
    shown = run_process("read", "--help").stdout.decode()
    assert "unspin read page.html --html report.html" in shown


def test_the_help_starts_without_what_only_reading_needs():
    slow = ["trafilatura", "lxml", "rich", "charset_normalizer", "unspin.reader", "unspin.pages"]
    code = f"import sys, unspin.cli; sys.exit(str([m for m in {slow} if m in sys.modules]))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert result.stderr.decode().strip() == "[]"


@pytest.mark.parametrize("arguments", [["--help"], ["read", "--help"]])
def test_a_closed_pipe_ends_the_process_quietly(arguments):
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run(
        [sys.executable, "-m", "unspin", *arguments], stdout=writer, stderr=-1, check=False
    )
    os.close(writer)
    assert result.stderr == b""
