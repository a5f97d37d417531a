"""Claims about `unspin.trace.search`: what an index is asked for."""

import pytest

pytest.importorskip("tantivy")

from unspin.lm import LanguageModel
from unspin.reader import MODEL
from unspin.thesaurus import Thesaurus
from unspin.trace.search import MOST_TERMS, REPLACEABLE, RESTORED, Querist


@pytest.fixture(scope="module")
def querist():
    return Querist(LanguageModel(MODEL / "lm.bin"), Thesaurus(MODEL / "channel.bin"))


def test_names_and_numbers_count_for_more_than_what_a_spinner_may_have_printed(querist):
    query = querist.query("The borderline defender threw 30817 coins at Sokol.")
    assert query["sokol"] == query["30817"] == 1.0
    assert query["defender"] == REPLACEABLE


def test_common_words_are_not_asked_for(querist):
    query = querist.query("It was the same bridge, and he had to be at the harbour.")
    assert set(query) == {"harbour", "bridge", "same"}


def test_words_that_were_put_back_are_asked_for_too(querist):
    query = querist.query("the borderline defender", restored="the border guard")
    assert query["guard"] == RESTORED
    assert "defender" in query


def test_a_long_page_asks_for_its_rarest_words(querist):
    page = " ".join(f"bridge x{number}q" for number in range(1000))
    query = querist.query(page)
    assert len(query) == MOST_TERMS
    assert "bridge" not in query


def test_nothing_is_asked_of_no_words(querist):
    assert not querist.query("… — !?")
