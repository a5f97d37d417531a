"""Claims about `unspin.trace.tracer`: which article a page was taken from, or that none is it."""

import json
import time
from itertools import pairwise
from pathlib import Path

import pytest

pytest.importorskip("tantivy")

from unspin import pages
from unspin.pages import PageError
from unspin.reader import Reader
from unspin.reading import replay
from unspin.trace import Index, Tracer, tracer
from unspin.trace.index import add, build
from unspin.trace.words import words

FOLDER = Path(__file__).parent
ORIGINAL = (FOLDER.parent / "examples" / "demo-original.txt").read_text(encoding="utf-8")
DEMO = (FOLDER.parent / "examples" / "demo.html").read_bytes()
SPUN = pages.extract(DEMO).text
CLEAN = [
    case["text"]
    for name in ("negative.json", "hard-clean.json")
    for case in json.loads((FOLDER / "cases" / name).read_text(encoding="utf-8"))
    if len(case["text"]) > 400
]
GATE = json.loads((FOLDER / "gate" / "pages.json").read_text(encoding="utf-8"))


def write(path, articles):
    lines = [json.dumps({"id": id_, "title": id_.title(), "text": text}) for id_, text in articles]
    path.write_text("\n".join(lines), encoding="utf-8")
    return [str(path)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("trace")


@pytest.fixture(scope="module")
def index(folder):
    articles = [(f"clean {i}", text) for i, text in enumerate(CLEAN)]
    build(write(folder / "articles.jsonl", [("bridge", ORIGINAL), *articles]), folder / "index")
    return Index.open(folder / "index")


@pytest.fixture(scope="module")
def trace(index):
    return Tracer(index).trace


# --- found


def test_a_spun_page_is_traced_to_its_source(trace):
    found = trace(DEMO)
    assert [match.id for match in found.matches] == ["bridge"]
    match = found.matches[0]
    assert match.probability > 0.95
    assert match.coverage > 0.9
    assert (match.title, match.text) == ("Bridge", ORIGINAL)
    assert found.reason == ""


def test_furniture_is_no_part_of_what_is_to_be_covered(trace):
    assert "Sedang Trending" in SPUN
    found = trace(DEMO)
    assert found.words < len(words(SPUN)) - 10


@pytest.mark.parametrize("change", [str.lower, str.upper], ids=["lower", "upper"])
def test_letter_case_does_not_hide_a_source(trace, change):
    assert [match.id for match in trace(change(SPUN)).matches] == ["bridge"]


def test_a_third_of_a_page_is_enough(trace):
    words = SPUN.split()
    third = len(words) // 3
    found = trace(" ".join(words[third : 2 * third]))
    assert [match.id for match in found.matches] == ["bridge"]


def test_a_page_of_two_sources_has_both(trace):
    other = max(CLEAN, key=len)[:2500]
    found = trace(f"{SPUN[: len(SPUN) // 2]}\n{other}")
    assert {match.id for match in found.matches} == {
        "bridge",
        f"clean {CLEAN.index(max(CLEAN, key=len))}",
    }
    assert all(match.coverage < 0.8 for match in found.matches)
    assert found.coverage > 0.9


def test_a_copy_in_the_index_is_named_beside_the_source(folder):
    copy = ORIGINAL.replace("Nora Pell", "Dora Bell")
    two = [("bridge", ORIGINAL), ("copy", copy), *((f"c{i}", t) for i, t in enumerate(CLEAN))]
    build(write(folder / "copies.jsonl", two), folder / "copies")
    matches = Index.open(folder / "copies").trace(DEMO)
    assert [(match.id, match.copies) for match in matches] == [("bridge", ("copy",))]


def test_several_indexes_are_shards_of_one(folder, index):
    build(write(folder / "one.jsonl", [("farm", CLEAN[0])]), folder / "farm")
    farm = Index.open(folder / "farm")
    assert [match.id for match in Tracer([farm, index]).trace(DEMO).matches] == ["bridge"]


def test_an_article_that_two_shards_have_is_no_copy_of_itself(folder, index):
    build(write(folder / "again.jsonl", [("bridge", ORIGINAL)]), folder / "again")
    matches = Tracer([Index.open(folder / "again"), index]).trace(DEMO).matches
    assert [(match.id, match.copies) for match in matches] == [("bridge", ())]


def test_what_is_added_is_found_after_a_reload(folder):
    build(write(folder / "small.jsonl", [("farm", CLEAN[0])]), folder / "small")
    small = Index.open(folder / "small")
    own = Tracer(small)
    assert not own.trace(DEMO).matches
    add(write(folder / "more.jsonl", [("bridge", ORIGINAL)]), folder / "small")
    assert not own.trace(DEMO).matches
    small.reload()
    assert [match.id for match in own.trace(DEMO).matches] == ["bridge"]


def test_a_long_page_is_traced_in_blocks(trace, monkeypatch):
    whole = trace(DEMO).matches[0]
    monkeypatch.setattr(tracer, "BLOCK", 100)
    match = trace(DEMO).matches[0]
    assert match.id == whole.id
    assert match.coverage == pytest.approx(whole.coverage, abs=0.1)
    assert all(one.end <= two.start for one, two in pairwise(match.passages))


def test_an_article_of_several_parts_is_one_source(folder):
    text = "\n".join([*CLEAN[:6], ORIGINAL, *CLEAN[6:12]])
    build(write(folder / "long.jsonl", [("long", text), ("farm", CLEAN[13])]), folder / "long")
    match = Index.open(folder / "long").trace(DEMO)[0]
    assert match.id == "long"
    for passage in match.passages:
        assert text[passage.source_start : passage.source_end] in ORIGINAL


def test_pages_of_every_family_are_traced_to_their_sources(trace):
    pages = GATE[::3]
    found = 0
    for page in pages:
        text = page["text"]
        for swap_start, end, _, original in reversed(page["swaps"]):
            text = text[:swap_start] + original + text[end:]
        matches = trace(page["text"]).matches
        found += bool(matches) and text.strip() in matches[0].text
    assert found >= 0.97 * len(pages)


# --- not found


def test_a_page_whose_source_is_not_indexed_has_no_match(trace):
    found = trace("The mayor of a small town in the north has opened a new library. " + NEWS)
    assert found.matches == ()
    assert found.reason


NEWS = (
    "It holds about forty thousand books, most of them given by people who live nearby, and has a"
    " reading room that looks out over the river. Work on the building took three years and cost"
    " twice what was planned, which the council had to explain more than once. Children from both"
    " schools sang at the opening, and the first book was lent to a retired teacher."
)


def test_a_short_page_says_that_it_is_too_short(trace):
    found = trace("The iron bridge will reopen.")
    assert found.matches == ()
    assert found.reason == "too short to tell: 5 words, of 20 at least"


@pytest.mark.parametrize(
    "page", ["", " \n ", "? ! . " * 50, "的" * 300, "12 34 56 " * 30, "a " * 500]
)
def test_a_page_with_nothing_to_search_by_has_no_match(trace, page):
    found = trace(page)
    assert found.matches == ()
    assert found.reason


def test_a_page_that_takes_too_long_says_so(trace):
    with pytest.raises(PageError, match="time"):
        trace(DEMO, time.monotonic() - 1)


# --- what it gives


def test_the_sources_own_words_are_put_back(trace):
    found = trace(DEMO)
    assert found.apply() == replay(found.text, found.edits)
    wrong = [edit for edit in found.edits if edit.original not in ORIGINAL]
    assert not wrong
    assert "almost two years after a cargo barge hit its central support" in found.apply()


def test_a_reading_is_corrected_by_the_source(trace):
    reading = Reader().read(DEMO)
    restored = trace(DEMO).restored(reading)
    assert "central support" not in reading.text
    assert "central support" in restored.text
    assert restored.verdict == reading.verdict


def test_a_trace_is_json(trace):
    told = json.loads(trace(DEMO).to_json())
    assert [match["id"] for match in told["matches"]] == ["bridge"]
    passage = told["matches"][0]["passages"][0]
    assert set(passage) == {"start", "end", "source_start", "source_end"}
    assert json.loads(trace("Too short.").to_json())["matches"] == []


def test_candidates_include_what_is_no_source(index):
    found = Tracer(index).candidates(NEWS)
    assert all(match.probability < 0.5 for match in found)
    assert found == sorted(found, key=lambda match: -match.probability)


# --- families that the model does not know


def test_what_a_family_prints_is_explained_by_its_name(index, tide, tidal):
    (match,) = Tracer(index, families=[tide]).trace(tidal[0]).matches
    assert match.id == "bridge"
    found = {
        (s.spun.lower(), s.original.lower()) for s in match.substitutions if s.reason == "tide"
    }
    assert {("thilk", "that"), ("hadden", "had"), ("ower and aboon", "more than")} <= found
    (match,) = Tracer(index).trace(tidal[0]).matches
    assert ("thilk", "that", "") in {(s.spun, s.original, s.reason) for s in match.substitutions}
