"""What is said of one document: never worse than what the lattice says."""

import json
from array import array
from pathlib import Path

import pytest

from unspin import pages
from unspin.families import Entry, FamilyTable
from unspin.pages import PageError
from unspin.scan.judge import Judge

EXAMPLES = Path(__file__).parents[1] / "examples"
CASES = Path(__file__).parent / "cases"
CLEAN = (EXAMPLES / "demo-original.txt").read_text("utf-8")
SPUN = pages.extract((EXAMPLES / "demo.html").read_bytes()).text


@pytest.fixture(scope="module")
def judge():
    return Judge()


def settled(judge, text):
    """The score of a document by glance or look, or None if it is for the lattice."""
    encoded = text.encode("utf-8", "replace")
    bounds = memoryview(array("q", [0, len(encoded)]))
    (seen,) = judge.screen.glance(memoryview(encoded), bounds)
    return judge.by_glance(seen) or judge.by_look(encoded, seen)


def test_a_clean_page_and_a_spun_one_are_settled_without_the_lattice(judge):
    assert settled(judge, CLEAN).verdict == "clean"
    score = settled(judge, SPUN)
    assert (score.verdict, score.family) == ("spun", "element")
    assert score.rate == pytest.approx(judge.reader.judge(SPUN).rate, rel=0.2)


def test_the_lattice_says_of_a_document_what_the_reader_says(judge):
    score, reading = judge.by_lattice(SPUN), judge.reader.judge(SPUN)
    assert score.verdict == reading.verdict == judge.reader.read(SPUN).verdict
    assert score.probability == reading.probability == judge.reader.read(SPUN).probability
    assert [start for start, *_ in score.suspects] == [s.start for s in reading.suspects]


@pytest.mark.parametrize("file", ["negative", "hard-clean"])
def test_no_clean_text_is_settled_as_spun_that_the_lattice_finds_clean(judge, file):
    cases = json.loads((CASES / f"{file}.json").read_text("utf-8"))
    settled_as_spun = []
    for case in cases:
        score = settled(judge, case["text"])
        if (
            score
            and score.verdict == "spun"
            and judge.reader.judge(case["text"]).verdict == "clean"
        ):
            settled_as_spun.append(case["label"])
    assert settled_as_spun == []


def test_a_clean_page_that_quotes_a_spun_one_is_for_the_lattice(judge):
    words = SPUN.translate({ord(mark): None for mark in '“”"‘'}).split()
    quoted = " ".join(words[20:200])
    page = f"{CLEAN}\n\nThe page said: “{quoted}” Nothing else was on it, the editor said."
    score = settled(judge, page)
    assert score is None or score.verdict == "clean"


FRENCH = (
    "Le président de la République a annoncé hier soir que le gouvernement allait présenter un"
    " nouveau projet de loi sur les retraites. Les syndicats ont déjà appelé à une journée de"
    " grève nationale pour protester contre cette réforme."
)


@pytest.mark.parametrize(
    "text", [FRENCH, "中文" * 100, "", "Ten words are too few to judge a page by, surely."]
)
def test_what_cannot_be_judged_is_unsure_at_a_glance_and_says_why(judge, text):
    score = settled(judge, text)
    assert (score.verdict, score.suspects) == ("unsure", [])
    assert score.reason
    assert judge.reader.judge(text).verdict == "unsure"


def test_a_document_out_of_time_has_a_reason_and_no_verdict(judge):
    score = judge.by_lattice(SPUN, deadline=0.0)
    assert (score.verdict, score.probability) == (None, None)
    assert "time" in score.reason
    with pytest.raises(PageError, match="time"):
        judge.reader.judge(SPUN, deadline=0.0)


# --- families that the model does not know


def test_a_page_of_a_family_that_was_given_is_settled_as_the_lattice_would(judge, tide, tidal):
    spun, original = tidal
    knowing = Judge(families=[tide])
    assert judge.by_lattice(spun).verdict == settled(judge, spun).verdict == "clean"
    for score in (settled(knowing, spun), knowing.by_lattice(spun)):
        assert (score.verdict, score.family) == ("spun", "tide")
    assert settled(knowing, original).verdict == "clean"
    assert settled(knowing, SPUN).family == "element"


def test_a_family_of_very_many_words_has_room():
    letters = "abcdefghij"
    words = ("z" + "".join(letters[int(c)] for c in str(number)) for number in range(400_000))
    entries = (Entry("of", word, 1e-6, 1) for word in words)
    knowing = Judge(families=[FamilyTable("flood", entries=tuple(entries))])
    assert settled(knowing, CLEAN).verdict == "clean"
