"""`unspin read --rerank`: with a second reader, and exactly as without where there is none."""

import json
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from typer.testing import CliRunner

from unspin import cli, reranker
from unspin.reranker import OWN, RerankError

EXAMPLES = Path(__file__).parent.parent / "examples"
SPUN, CLEAN = EXAMPLES / "demo.html", EXAMPLES / "demo-original.txt"
WITHOUT = "unspin: the page was read without a second reader"
NOBODY = "http://127.0.0.1:1"  # where no server is


def run(*arguments, **settings):
    return CliRunner().invoke(cli.app, ["read", *map(str, arguments)], **settings)


@pytest.fixture(scope="module")
def plain():
    """What is printed of the spun page without a second reader."""
    return run(SPUN)


class Listens:
    """A second reader that leaves everything as the lattice has it."""

    edit = None

    def __init__(self):
        self.asked = 0

    def rerank(self, _source, _tokens, found, _deadline):
        self.asked += 1
        return list(found)


@pytest.fixture
def names(monkeypatch):
    """The names by which second readers were asked for."""
    asked = []

    def find(name, _progress):
        asked.append(name)
        return Listens()

    monkeypatch.setattr(reranker, "find", find)
    return asked


# --- which model is asked for


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((SPUN, "--rerank"), OWN),
        (("--rerank", SPUN), OWN),
        ((SPUN, "--rerank", "--json"), OWN),
        (("--rerank", "--min-confidence", "0.9", SPUN), OWN),
        ((SPUN, "--rerank", OWN), OWN),
        (("--rerank", OWN, SPUN), OWN),
        ((f"--rerank={OWN}", SPUN), OWN),
        ((SPUN, "--rerank", "tiny.gguf"), "tiny.gguf"),
        (("--rerank", "Tiny.GGUF", SPUN), "Tiny.GGUF"),
        (("--rerank=models/tiny", SPUN), "models/tiny"),
        (("--rerank", NOBODY, SPUN), NOBODY),
        ((SPUN, "--rerank", "https://models.example.org/v1"), "https://models.example.org/v1"),
    ],
)
def test_what_follows_is_a_model_if_it_can_be_the_name_of_one(names, arguments, name):
    assert run(*arguments).exit_code == 0
    assert names == [name]


def test_the_page_may_come_from_standard_input(names):
    for arguments in (("--rerank", "-"), ("-", "--rerank")):
        result = run(*arguments, input=SPUN.read_bytes())
        assert result.exit_code == 0
        assert result.stdout
    assert names == [OWN, OWN]


def test_without_the_option_nobody_is_asked_for(names, plain):
    assert run(SPUN).stdout == plain.stdout
    assert names == []


def test_a_page_is_needed_all_the_same(names):
    for arguments in (("--rerank",), ("--rerank", "tiny.gguf")):
        assert run(*arguments).exit_code == 2
    assert names == []


def test_the_help_names_the_option_and_the_extras():
    shown = run("--help", env={"COLUMNS": "120"}).stdout
    assert "--rerank" in shown
    for extra in ("unspin[neural]", "unspin[llm]"):
        assert f"pip install '{extra}'" in shown


# --- where it cannot be had


def no_file(monkeypatch, tmp_path):
    del monkeypatch
    return tmp_path / "gone.gguf"


def no_server(monkeypatch, tmp_path):
    del monkeypatch, tmp_path
    return NOBODY


def no_extra(monkeypatch, tmp_path):
    del tmp_path
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    return OWN


def fails_at_the_page(monkeypatch, tmp_path):
    del tmp_path

    class Fails(Listens):
        def rerank(self, *_):
            raise RerankError("it fell asleep")

    monkeypatch.setattr(reranker, "find", lambda *_: Fails())
    return OWN


@pytest.mark.parametrize(
    ("lack", "told"),
    [
        (no_file, "gguf|GGUF"),
        (no_server, "127.0.0.1"),
        (no_extra, r"pip install 'unspin\[neural\]'"),
        (fails_at_the_page, "it fell asleep"),
    ],
)
def test_the_page_is_read_as_without_it_and_that_is_said(lack, told, plain, monkeypatch, tmp_path):
    result = run(SPUN, "--rerank", lack(monkeypatch, tmp_path))
    assert result.exit_code == 0
    assert result.stdout_bytes == plain.stdout_bytes
    reason, line, *others = result.stderr.splitlines()
    assert reason.startswith("unspin: ")
    assert re.search(told, reason)
    assert line == WITHOUT
    assert others == plain.stderr.splitlines()


@pytest.mark.parametrize("lack", [no_file, no_server, no_extra, fails_at_the_page])
def test_json_stays_one_object(lack, monkeypatch, tmp_path):
    one = run(SPUN, "--json")
    two = run(SPUN, "--json", "--rerank", lack(monkeypatch, tmp_path))
    assert two.exit_code == 0
    assert json.loads(two.stdout) == json.loads(one.stdout)
    assert two.stderr.splitlines()[1:] == [WITHOUT]


def test_a_name_that_no_model_has_is_one_that_cannot_be_had(plain):
    result = run(SPUN, "--rerank=gone")
    assert result.exit_code == 0
    assert result.stdout == plain.stdout
    assert "gone is no model" in result.stderr
    assert WITHOUT in result.stderr


def test_the_status_for_scripts_is_as_without_it(tmp_path):
    for page, status in ((SPUN, 1), (CLEAN, 0)):
        model = tmp_path / "gone.gguf"
        assert run(page, "--fail-on", "spun", "--rerank", model).exit_code == status


def test_a_page_that_cannot_be_read_is_status_3(names, tmp_path):
    result = run(tmp_path / "gone.html", "--rerank")
    assert result.exit_code == 3
    assert "no such file" in result.stderr
    assert names == []


def test_what_else_is_warned_of_is_no_failing_of_the_second_reader(monkeypatch):
    class Warns(Listens):
        def rerank(self, *asked):
            warnings.warn("this is slow", RuntimeWarning, stacklevel=1)
            return super().rerank(*asked)

    monkeypatch.setattr(reranker, "find", lambda *_: Warns())
    with pytest.warns(RuntimeWarning, match="this is slow"):
        result = run(SPUN, "--rerank")
    assert result.exit_code == 0
    assert WITHOUT not in result.stderr


# --- where it can


def test_a_clean_page_is_not_shown_to_it(monkeypatch):
    second = Listens()
    monkeypatch.setattr(reranker, "find", lambda *_: second)
    one, two = run(CLEAN), run(CLEAN, "--rerank")
    assert (one.stdout_bytes, one.stderr) == (two.stdout_bytes, two.stderr)
    assert one.stdout_bytes == CLEAN.read_bytes()
    assert second.asked == 0
    run(SPUN, "--rerank")
    assert second.asked > 0


def test_the_one_that_ships_has_its_say(plain):
    pytest.importorskip("onnxruntime", reason="needs the extra unspin[neural]")
    result = run(SPUN, "--rerank")
    assert result.exit_code == 0
    assert result.stderr.splitlines()[0] == plain.stderr.splitlines()[0]
    assert WITHOUT not in result.stderr
    one, two = (json.loads(run(SPUN, "--json", *more).stdout) for more in ((), ("--rerank",)))
    assert one.keys() == two.keys()
    assert {name for name in one if one[name] != two[name]} >= {"edits"}
    for name in ("verdict", "probability", "family", "words"):
        assert one[name] == two[name]


def test_as_a_process_it_reads_the_page_and_says_why_alone():
    command = [sys.executable, "-m", "unspin", "read", SPUN, "--rerank", NOBODY]
    result = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert result.returncode == 0
    assert result.stdout == run(SPUN).stdout_bytes
    reason, line, verdict, *_ = result.stderr.decode().splitlines()
    assert reason.startswith("unspin: ")
    assert line == WITHOUT
    assert verdict.startswith("spun")
    assert b"Traceback" not in result.stderr
