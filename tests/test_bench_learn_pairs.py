"""The benchmark of learning from pages with their originals measures what it says."""

import doctest

import pytest

pytest.importorskip("numpy")
pytest.importorskip("lemminflect")
pytest.importorskip("zstandard")

from bench import learn_pairs
from bench.learn_pairs import Task, edited, measure, share, swaps
from tests.piles import TABLE, clean_texts
from train.spin import Spun, Swap

WORDS = ["marble", "velvet", "copper"]


def page(text):
    """A page on which every word of a table was replaced, with what was swapped."""
    pieces, found, length = [], [], 0
    for word in text.split(" "):
        printed = TABLE.get(word, word)
        if printed != word:
            found.append(Swap(length, length + len(printed), printed, word))
        pieces.append(printed)
        length += len(printed) + 1
    return Spun(" ".join(pieces), text, tuple(found))


@pytest.fixture(scope="module")
def pages():
    return tuple(page(text) for text in clean_texts())


def test_examples_in_docstrings_hold():
    assert not doctest.testmod(learn_pairs).failed


def test_substitutions_are_counted_in_lower_case():
    told = Spun("", "", (Swap(0, 7, "Primary", "First"), Swap(9, 16, "primary", "first")))
    assert swaps([told]) == {("first", "primary"): 2}


def test_a_share_is_one_of_the_substitutions_not_of_the_pairs():
    truth = {("first", "primary"): 3, ("if", "in case"): 1}
    assert share(truth, {("first", "primary")}) == 0.75
    assert share({}, {}) is None


def test_words_that_stay_may_be_left_out_of_a_pair_but_not_put_into_it():
    assert share({("the first", "the primary"): 1}, {("first", "primary")}) == 1
    assert share({("first", "primary"): 1}, {("the first", "the primary")}) == 0


def test_an_edited_text_is_nearly_the_same_and_always_the_same():
    text = "\n".join(clean_texts())
    once = edited(text, WORDS, 1)
    assert once == edited(text, WORDS, 1) != text
    kept = set(text.split(". "))
    same = [sentence for sentence in once.split(". ") if sentence in kept]
    assert 0.4 < len(same) / len(once.split(". ")) < 0.95
    assert sum(once.count(word) for word in WORDS) > sum(text.count(word) for word in WORDS)


def test_a_spinner_that_is_learned_whole_scores_one(pages):
    (family, is_edited, size, _, learned, others, right, used, unheard, _) = measure(
        Task("made up", (), pages[:30], pages[30:40], is_edited=False)
    )
    assert (family, is_edited, size) == ("made up", "", 30)
    assert (right, used) == (1, 1)
    assert learned > 0.97
    assert others > 0.9
    assert unheard > 0.97


def test_edits_take_something_away(pages):
    measured = [
        measure(Task("made up", (), pages[:30], pages[30:40], is_edited=is_edited))
        for is_edited in (False, True)
    ]
    assert measured[0][6] >= measured[1][6]
    assert measured[1][1] == "yes"
