"""The calibration: evidence and guesses become probabilities that behave like probabilities.

What is claimed holds for the coefficients that ship, whatever they are fitted to next.
"""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspin.arrays import ModelError
from unspin.calibration import (
    MAX_WORDS,
    MIN_WORDS,
    MOST_REPEATED,
    Calibration,
    Evidence,
    Guess,
    edit_terms,
    page_terms,
)
from unspin.lattice import LEAST_KEPT, Doubt
from unspin.reader import CALIBRATION, MODEL

MOST_NATS = -math.log(LEAST_KEPT)  # the most that one word can be in doubt
SHIPPED = Calibration.read(MODEL / CALIBRATION)

nats = st.floats(0, MOST_NATS)
lengths = st.integers(1, 10 * MAX_WORDS)
shares = st.floats(0, 1)
guesses = st.builds(
    Guess, shares, shares, shares, shares, st.integers(0, 1000), st.integers(0, 1000)
)
hostile = st.one_of(
    st.sampled_from([0.0, -0.0, -1.0, 1e308, -1e308, 5e-324, math.inf, -math.inf, math.nan]),
    st.floats(),
)


# --- the evidence of a text


def test_each_word_counts_once_at_its_most_doubtful_place():
    doubts = [Doubt(3, 0, 1.0), Doubt(4, 1, 0.5), Doubt(7, 0, 3.0), Doubt(9, 0, 2.0)]
    assert Evidence.of(doubts) == Evidence((3.0 + 0.5) / 4, 4)


def test_a_text_without_words_to_judge_by_has_no_evidence():
    assert Evidence.of([]) == Evidence(0.0, 0)
    assert SHIPPED.spun(Evidence.of([])) == 0.0


@given(st.lists(st.tuples(st.integers(0, 5), nats), min_size=1), st.integers(2, 4))
def test_a_repeated_text_has_no_more_to_say(words, times):
    once = [Doubt(i, slot, doubt) for i, (slot, doubt) in enumerate(words)]
    often = [doubt for _ in range(times) for doubt in once]
    one, many = Evidence.of(once), Evidence.of(often)
    assert many.words == times * one.words
    assert many.per_word == pytest.approx(one.per_word / times)


@given(st.lists(st.tuples(st.integers(0, 5), nats), min_size=1), st.randoms())
def test_the_order_of_the_words_does_not_matter(words, chance):
    doubts = [Doubt(i, slot, doubt) for i, (slot, doubt) in enumerate(words)]
    evidence = Evidence.of(doubts)
    chance.shuffle(doubts)
    assert Evidence.of(doubts).per_word == pytest.approx(evidence.per_word)
    assert 0 <= evidence.per_word <= MOST_NATS


# --- pages


@given(nats, nats, lengths)
def test_more_evidence_a_word_makes_a_page_likelier_spun_at_any_length(one, other, words):
    less, more = sorted((one, other))
    assert SHIPPED.spun(Evidence(less, words)) <= SHIPPED.spun(Evidence(more, words))


@pytest.mark.parametrize("words", [MIN_WORDS // 2, MIN_WORDS, 300, MAX_WORDS, 10 * MAX_WORDS])
def test_a_page_without_evidence_is_clean_and_one_full_of_it_spun(words):
    clean, spun = (SHIPPED.spun(Evidence(doubt, words)) for doubt in (0.0, MOST_NATS))
    assert clean < 0.5 < spun


@given(nats, lengths, lengths)
def test_a_longer_text_of_the_same_evidence_is_never_less_certainly_spun(per_word, one, other):
    short, long = (
        SHIPPED.spun(Evidence(per_word, words))
        for words in sorted(min(max(n, MIN_WORDS), MAX_WORDS) for n in (one, other))
    )
    if short >= 0.5:
        assert long >= short - 1e-12


@given(st.integers(MIN_WORDS, MAX_WORDS), st.integers(MIN_WORDS, MAX_WORDS))
def test_a_longer_text_without_evidence_is_never_less_certainly_clean(one, other):
    short, long = sorted((one, other))
    assert SHIPPED.spun(Evidence(0.0, long)) <= SHIPPED.spun(Evidence(0.0, short))


@given(nats, st.integers(MAX_WORDS, 10**9))
def test_beyond_the_most_words_nothing_becomes_surer(per_word, words):
    assert page_terms(Evidence(per_word, words)) == page_terms(Evidence(per_word, MAX_WORDS))


@given(nats, st.integers(1, MIN_WORDS))
def test_a_short_text_counts_as_if_filled_up_with_words_that_say_nothing(per_word, words):
    filled_up = Evidence(per_word * words / MIN_WORDS, MIN_WORDS)
    assert page_terms(Evidence(per_word, words)) == pytest.approx(page_terms(filled_up))


@given(hostile, st.integers(1, 10**12))
def test_any_evidence_has_a_probability_short_of_certainty(per_word, words):
    assert 0.0 < SHIPPED.spun(Evidence(per_word, words)) < 1.0


# --- edits


@given(guesses, shares, shares, nats, lengths, shares)
def test_an_edits_confidence_grows_with_its_posterior(guess, one, other, per_word, words, rate):
    less, more = (
        SHIPPED.right(
            Guess(p, guess.substituted, guess.runner_up, guess.share, 0, 0),
            Evidence(per_word, words),
            rate,
        )
        for p in sorted((one, other))
    )
    assert less <= more


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_sure_original_is_surer_than_a_doubtful_one(share):
    evidence = Evidence(1.0, 300)
    # Of two originals with nearly nothing between them, and of one that leaves nothing to others.
    doubtful = SHIPPED.right(Guess(0.4, 0.8, 0.35, share, 0, 0), evidence, 0.2)
    sure = SHIPPED.right(Guess(0.99, 0.995, 0.002, share, 0, 0), evidence, 0.2)
    assert doubtful + 0.1 < sure


@given(guesses, nats, lengths, shares)
def test_more_repetitions_than_enough_say_nothing_more(guess, per_word, words, rate):
    evidence = Evidence(per_word, words)
    enough = Guess(
        guess.posterior,
        guess.substituted,
        guess.runner_up,
        guess.share,
        min(guess.repeated, MOST_REPEATED),
        min(guess.agreeing, MOST_REPEATED),
    )
    assert edit_terms(guess, evidence, rate) == edit_terms(enough, evidence, rate)


improbable = hostile.filter(lambda number: number != -math.inf)


@given(
    st.builds(Guess, improbable, improbable, improbable, hostile, st.integers(0), st.integers(0)),
    hostile,
    st.integers(1, 10**12),
    st.floats(0),
)
def test_any_guess_has_a_probability_short_of_certainty(guess, per_word, words, rate):
    assert 0.0 < SHIPPED.right(guess, Evidence(per_word, words), rate) < 1.0


# --- files

PAGE_LENGTH, EDIT_LENGTH = len(SHIPPED.page), len(SHIPPED.edit)
numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.lists(numbers, min_size=PAGE_LENGTH, max_size=PAGE_LENGTH),
    st.lists(numbers, min_size=EDIT_LENGTH, max_size=EDIT_LENGTH),
)
def test_what_is_written_is_read(tmp_path_factory, page, edit):
    path = tmp_path_factory.mktemp("model") / CALIBRATION
    written = Calibration(tuple(page), tuple(edit))
    written.write(path)
    assert Calibration.read(path) == written


def damaged(**changes):
    whole = {"page": list(SHIPPED.page), "edit": list(SHIPPED.edit)} | changes
    return json.dumps({key: value for key, value in whole.items() if value is not None})


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        damaged(edit=None),
        damaged(page=None),
        damaged(page=5),
        damaged(edit=["1", "much"]),
        damaged(page=[None] * PAGE_LENGTH),
        damaged()[:-20],
        b"\xff\xfe\x00",
    ],
    ids=repr,
)
def test_a_damaged_file_is_named(tmp_path, content):
    path = tmp_path / CALIBRATION
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ModelError, match=r"calibration\.json cannot be read"):
        Calibration.read(path)


@pytest.mark.parametrize(
    "content",
    [
        damaged(page=list(SHIPPED.page[:-1])),
        damaged(page=[*SHIPPED.page, 0.5]),
        damaged(edit=list(SHIPPED.edit[1:])),
        damaged(edit=[]),
    ],
)
def test_a_file_of_another_version_is_refused(tmp_path, content):
    path = tmp_path / CALIBRATION
    path.write_text(content)
    with pytest.raises(ModelError, match=r"calibration\.json is of another version"):
        Calibration.read(path)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_file_with_a_number_that_is_none_is_refused(tmp_path, number):
    path = tmp_path / CALIBRATION
    path.write_text(damaged().replace(str(SHIPPED.page[0]), number, 1))
    with pytest.raises(ModelError, match=r"calibration\.json"):
        Calibration.read(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"calibration\.json cannot be read"):
        Calibration.read(tmp_path / CALIBRATION)
