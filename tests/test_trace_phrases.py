"""Claims about `unspin.trace.phrases`: which words of a short stretch stand for which."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspin.trace.phrases import MOST_CELLS, Judge, pieces

SURPRISE = {"the": 3.0, "of": 3.5, "and": 3.6, "Kelmouth": 7.0}
EXPLAINED = {("volition", "will"), ("whole", "all")}
KNOWN = {"in order to": [("to",)], "and furthermore": [("and",)], "up to now": [("to", "date")]}

words = st.lists(st.sampled_from("the of and volition will to date Kelmouth x".split()), max_size=8)


@pytest.fixture
def judge():
    return Judge(
        lambda word: SURPRISE.get(word, 6.0),
        lambda one, other: (one, other) in EXPLAINED,
        lambda text: KNOWN.get(text, []),
    )


def cut(page, source, judge):
    page, source = page.split(), source.split()
    return [
        (" ".join(page[p.first : p.last]), " ".join(source[p.source_first : p.source_last]))
        for p in pieces(page, source, judge)
    ]


@pytest.mark.parametrize(
    ("page", "source", "expected"),
    [
        ("and furthermore x", "and y", [("and furthermore", "and"), ("x", "y")]),
        ("up to now the", "to date the", [("up to now", "to date"), ("the", "the")]),
        ("in order to volition", "to will", [("in order to", "to"), ("volition", "will")]),
        ("the volition", "will", [("the volition", "will")]),
        ("x of the y Kelmouth", "z Kelmouth", [("x of the y", "z"), ("Kelmouth", "Kelmouth")]),
    ],
)
def test_phrases_are_told_from_the_words_beside_them(page, source, expected, judge):
    assert cut(page, source, judge) == expected


def test_a_page_may_have_fewer_words_than_its_source(judge):
    assert cut("the x Kelmouth", "the y z Kelmouth", judge)[1] == ("x", "y z")


@given(page=words, source=words)
def test_every_word_is_in_one_piece_and_in_its_place(page, source):
    judge = Judge(lambda _: 4.0, lambda *pair: pair in EXPLAINED, lambda text: KNOWN.get(text, []))
    found = pieces(page, source, judge)
    assert [i for p in found for i in range(p.first, p.last)] == list(range(len(page)))
    assert [j for p in found for j in range(p.source_first, p.source_last)] == list(
        range(len(source))
    )


def test_a_long_stretch_is_left_alone(judge):
    size = int(MOST_CELLS**0.5) + 1
    assert pieces(["x"] * size, ["y"] * size, judge) == []
