"""`unspin families`: what is printed of family files, what is written, and the exit status."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from unspin import cli
from unspin.families import Entry, FamilyTable, read, write

RIPPLE = FamilyTable(
    "ripple",
    habits=("inflects",),
    learned="40 pages",
    date="2026-11-20",
    entries=(
        Entry("that", "thilk", 0.9, 9),
        Entry("that", "thet", 0.1, 1),
        Entry("people", "lede", 1, 4),
    ),
)

WAVE = FamilyTable(
    "wave",
    more=(
        ("rate", "0.21"),
        ("rate-of-pages", "0.18 to 0.24"),
        ("frequent", "12.4 of 4010"),
        ("capitals", "80 of 85.1"),
        ("site", "example.org"),
    ),
    entries=(Entry("that", "thilk", 0.9, 9),),
)


@pytest.fixture
def mine(tmp_path, monkeypatch, tide_file):
    """The folder of the user's own families, which has two."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    folder = tmp_path / "unspin" / "families"
    folder.mkdir(parents=True)
    (folder / "tide.tsv").write_bytes(tide_file.read_bytes())
    (folder / "ripple.tsv").write_text(write(RIPPLE))
    return folder


def run(*arguments):
    return CliRunner().invoke(cli.app, ["families", *map(str, arguments)])


# --- list


@pytest.mark.usefixtures("mine")
def test_the_families_of_one_s_own_are_listed():
    result = run("list")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "name    pairs  learned   date",
        "ripple      3  40 pages  2026-11-20",
        "tide       26",
    ]


def test_the_list_can_be_json(mine):
    listed = json.loads(run("list", "--json").stdout)
    assert [family["name"] for family in listed] == ["ripple", "tide"]
    assert listed[0] == {
        "name": "ripple",
        "pairs": 3,
        "learned": "40 pages",
        "date": "2026-11-20",
        "path": str(mine / "ripple.tsv"),
    }


def test_without_families_of_one_s_own_it_is_said_where_they_would_be(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    result = run("list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"no families in {tmp_path / 'unspin' / 'families'}\n"
    assert json.loads(run("list", "--json").stdout) == []


def test_one_that_is_broken_is_status_3_and_the_others_are_listed(mine):
    (mine / "ripple.tsv").write_text("no family")
    result = run("list")
    assert result.exit_code == 3
    assert "ripple.tsv, line 1: the first line" in result.stderr
    assert "tide       " in result.stdout.replace("tide ", "tide       ")


# --- show


@pytest.mark.usefixtures("mine")
def test_a_family_is_shown_with_the_pairs_that_were_seen_most():
    lines = run("show", "ripple").stdout.splitlines()
    assert lines[:6] == [
        "name      ripple",
        "language  en",
        "learned   40 pages",
        "date      2026-11-20",
        "habits    inflects",
        "pairs     3 for 2 originals",
    ]
    assert lines[-4:] == [
        "original  spun   probability  count",
        "that      thilk          0.9      9",
        "people    lede             1      4",
        "that      thet           0.1      1",
    ]


def test_a_family_is_shown_as_json(mine):
    told = json.loads(run("show", mine / "tide.tsv", "--json").stdout)
    assert (told["name"], told["pairs"], told["phrases"]) == ("tide", 26, 3)
    assert told["habits"] == ["spares capitals", "spares words that touch punctuation"]
    assert len(told["most_seen"]) == 20
    assert told["most_seen"][0].keys() == {"original", "spun", "probability", "count"}


def test_the_habits_in_a_header_are_shown(mine):
    (mine / "wave.tsv").write_text(write(WAVE))
    lines = run("show", "wave").stdout.splitlines()
    assert "rate      21 % of the words, on half of the pages 18 % to 24 %" in lines
    assert "site      example.org" in lines
    start = lines.index("", 1) + 1
    assert lines[start : start + 3] == [
        "                             replaced     of  share",
        "commonest words                    12  4,010    0 %",
        "capitals, of those expected        80     85   94 %",
    ]
    told = json.loads(run("show", "wave", "--json").stdout)["fingerprint"]
    assert (told["rate"], told["low"], told["high"]) == (0.21, 0.18, 0.24)
    assert told["capitals"] == {"part": 80, "whole": 85.1}


@pytest.mark.usefixtures("mine")
def test_a_family_without_habits_in_its_header_has_none():
    assert json.loads(run("show", "ripple", "--json").stdout)["fingerprint"] is None


@pytest.mark.parametrize("command", [("show", "wave"), ("compare", "tide", "wave")])
def test_habits_that_cannot_be_read_are_status_3(mine, command):
    (mine / "wave.tsv").write_text(write(replace(WAVE, more=(("rate", "a fifth"),))))
    result = run(*command)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "the header of the family wave has 'a fifth'" in result.stderr


# --- compare


@pytest.mark.usefixtures("mine")
def test_two_families_are_compared():
    told = json.loads(run("compare", "tide", "ripple", "--json").stdout)
    assert (told["pairs"], told["shared"]) == ([26, 3], 1)
    assert told["overlap"] == pytest.approx((1 / 26 + 9 / 14) / 2)
    assert told["disagree"] == [{"original": "people", "one": "folkery", "other": "lede"}]
    spinner = told["one_spinner"]
    assert (spinner["common"], spinner["agreeing"], spinner["differing"]) == (2, 1, None)
    assert run("compare", "tide", "ripple").stdout.splitlines() == [
        "        pairs  shared  of its substitutions",
        "tide       26       1                   4 %",
        "ripple      3       1                  64 %",
        "",
        f"of one spinner  with a probability of {spinner['probability']:.0%}".replace("%", " %"),
        "words           mostly the same for 1 of 2 originals that both replace",
        "habits          not in both files",
        "",
        "1 original for which they mostly print different words:",
        "original  tide     ripple",
        "people    folkery  lede",
    ]


def test_families_with_habits_are_compared_by_them_too(mine):
    other = replace(WAVE, name="other", more=(*WAVE.more[:3], ("capitals", "0 of 85.1")))
    for table in (WAVE, other):
        (mine / f"{table.name}.tsv").write_text(write(table))
    assert "habits          alike" in run("compare", "wave", "wave").stdout
    assert "habits          other capitals" in run("compare", "wave", "other").stdout
    alike, apart = (
        json.loads(run("compare", "wave", name, "--json").stdout)["one_spinner"]
        for name in ("wave", "other")
    )
    assert alike["differing"] == []
    assert apart["differing"] == ["capitals"]
    assert alike["probability"] > apart["probability"]


# --- merge


@pytest.mark.usefixtures("mine")
def test_families_are_merged_into_a_file(tmp_path):
    out = tmp_path / "both.tsv"
    result = run("merge", "tide", "ripple", "-o", out, "--name", "both")
    assert result.stdout == f"28 pairs of 2 families written to {out}\n"
    merged = read(out)
    assert (merged.name, len(merged.entries)) == ("both", 28)
    told = json.loads(run("merge", "tide", "-o", out, "--name", "one", "--json").stdout)
    assert told == {"name": "one", "pairs": 26, "families": 1, "path": str(out)}


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize("name", ["Both", "element", "", "../both"])
def test_a_name_that_is_none_is_status_2(tmp_path, name):
    result = run("merge", "tide", "ripple", "-o", tmp_path / "both.tsv", "--name", name)
    assert result.exit_code == 2
    assert not (tmp_path / "both.tsv").exists()


@pytest.mark.usefixtures("mine")
def test_what_cannot_be_written_is_status_2(tmp_path):
    assert run("merge", "tide", "-o", tmp_path / "no" / "m.tsv", "--name", "m").exit_code == 2


# --- test


@pytest.fixture
def pages(tmp_path, tidal):
    """A folder with a page of the family, what it said before, and a line that is broken."""
    folder = tmp_path / "pages"
    folder.mkdir()
    lines = [json.dumps({"text": text}) for text in tidal]
    (folder / "pages.jsonl").write_text("\n".join([*lines, "{broken"]))
    return folder


@pytest.mark.usefixtures("mine")
def test_a_family_is_tested_on_pages(pages):
    result = run("test", "tide", pages)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "3 pages, 1 of them spun (33 %)",
        "1 of these by tide (100 %)",
        "99 % of 61 substitutions are its own",
    ]
    told = json.loads(run("test", "tide", pages, "--json").stdout)
    assert told == {
        "name": "tide",
        "pages": 3,
        "skipped": 0,
        "spun": 1,
        "named": 1,
        "substitutions": pytest.approx(61, abs=1),
        "of_substitutions": pytest.approx(0.98, abs=0.01),
        "left_out": 0,
    }


@pytest.mark.usefixtures("mine")
def test_a_family_of_other_pages_accounts_for_none(pages):
    told = json.loads(run("test", "ripple", pages, "--json").stdout)
    assert (told["spun"], told["named"], told["of_substitutions"]) == (0, 0, None)


def test_pairs_that_the_language_model_cannot_use_are_counted(pages, mine):
    more = FamilyTable("odd", entries=(Entry("zyx", "that", 1, 1), Entry("that", "zyx", 1, 1)))
    (mine / "odd.tsv").write_text(write(more))
    assert "1 of its pairs are not used" in run("test", "odd", pages).stdout


@pytest.mark.usefixtures("mine")
def test_pages_that_are_not_there_or_broken_are_status_3(tmp_path, pages):
    result = run("test", "tide", tmp_path / "missing.jsonl")
    assert (result.exit_code, result.stdout) == (3, "")
    (pages / "more.jsonl.gz").write_bytes(b"no gzip")
    result = run("test", "tide", pages)
    assert result.exit_code == 3
    assert "1 of these by tide" in result.stdout
    assert "more could not be read to the end" in result.stderr


# --- what goes wrong


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(
    "arguments", [("show", "surf"), ("compare", "tide", "surf"), ("test", "surf", "pages")]
)
def test_a_family_that_is_not_there_is_status_3(arguments):
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith("unspin: surf: no such file, and no family of this name in")


@pytest.mark.parametrize("arguments", [("surf",), ("show",), ("merge", "tide"), ("test", "tide")])
def test_wrong_usage_is_status_2(arguments):
    assert run(*arguments).exit_code == 2
