"""From substitutions to edits: shares that add up, one edit in a place, a family with a name."""

import doctest
from array import array
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspin import restoration, thesaurus
from unspin.calibration import Calibration, Evidence
from unspin.lattice import Choice, Substitution
from unspin.reader import CALIBRATION, MODEL
from unspin.reading import UNKNOWN_FAMILY, Reading
from unspin.restoration import (
    ALTERNATIVES,
    FAMILIES,
    LEAST_TAKEN,
    SUSPICION,
    Restorer,
    name_family,
)
from unspin.text import tokenize
from unspin.thesaurus import Thesaurus

TEXT = "We meet Astatine noon on the off chance that helium comes, and helium alone."
EVIDENCE = Evidence(1.0, 300)
TAKEN = {"element": 30.0, "Moby": 10.0, "phrase": 0.0}
NAMES = list(TAKEN)
ELEMENT, MOBY, PHRASE = (1 << bit for bit in range(3))


@pytest.fixture(scope="module")
def restorer(tmp_path_factory):
    """A restorer of a page of the element family; only the sources' names matter to it."""
    path = tmp_path_factory.mktemp("model") / "channel.bin"
    thesaurus.write(path, NAMES, [0.5, 0.25, 0.25], {}, array("H"), b"", {})
    calibration = Calibration.read(MODEL / CALIBRATION)
    return Restorer(calibration, Thesaurus(path), EVIDENCE, TAKEN, 200)


@pytest.fixture(scope="module")
def tokens():
    return tokenize(TEXT)


def at(word, posterior, *choices, tokens=1, occurrence=0):
    """A substitution of the word of `TEXT`, with (original, posterior) or also the sources."""
    places = [i for i, symbol in enumerate(tokenize(TEXT).symbol) if symbol == word]
    found = [
        Choice(*choice) if len(choice) == 3 else Choice(*choice, ELEMENT) for choice in choices
    ]
    return Substitution(places[occurrence], tokens, posterior, found)


def restore(restorer, tokens, *found):
    return restorer.restore(TEXT, tokens, found)


# --- edits


def test_the_best_original_is_put_back_in_the_case_of_what_was_printed(restorer, tokens):
    found = at("astatine", 0.95, ("at", 0.9), ("on", 0.03), ("by", 0.02))
    (edit,) = restore(restorer, tokens, found).edits
    assert (edit.start, edit.end, edit.spun, edit.original) == (8, 16, "Astatine", "At")
    assert [word for word, _ in edit.alternatives] == ["Astatine", "On", "By"]
    assert edit.reason == "element"


def test_what_the_confidence_leaves_is_shared_as_the_lattice_has_it(restorer, tokens):
    found = at("astatine", 0.9, ("at", 0.6), ("on", 0.2), ("by", 0.1))
    (edit,) = restore(restorer, tokens, found).edits
    rest = dict(edit.alternatives)
    assert rest["On"] == pytest.approx(2 * rest["By"])
    assert rest["Astatine"] == pytest.approx(rest["By"])
    assert edit.confidence + sum(rest.values()) == pytest.approx(1)


@st.composite
def substitutions(draw):
    """Up to six originals whose posteriors sum to that of a substitution, or less."""
    weights = sorted(draw(st.lists(st.floats(1e-6, 1), min_size=1, max_size=6)), reverse=True)
    posterior = draw(st.one_of(st.floats(SUSPICION, 1), st.just(1 - 2**-40)))
    whole = sum(weights) * draw(st.floats(1, 2))
    words = "at on by in to of".split()
    choices = [
        (word, posterior * weight / whole) for word, weight in zip(words, weights, strict=False)
    ]
    return at("astatine", posterior, *choices)


@given(substitutions())
def test_confidence_and_alternatives_are_shares_of_one(restorer, tokens, found):
    (edit,) = restore(restorer, tokens, found).edits
    shares = [share for _, share in edit.alternatives]
    assert 0 < edit.confidence < 1
    assert edit.confidence + sum(shares) <= 1 + 1e-6
    assert all(0 <= share <= 1 for share in shares)
    assert shares == sorted(shares, reverse=True)
    assert len(shares) <= ALTERNATIVES
    words = [edit.original, *(word for word, _ in edit.alternatives)]
    assert len(words) == len(set(words))


def test_a_substitution_that_is_hardly_likely_is_neither_edit_nor_suspect(restorer, tokens):
    found = at("astatine", SUSPICION - 0.01, ("at", SUSPICION - 0.01))
    assert restore(restorer, tokens, found) == ((), ())


# --- overlaps


def phrase(posterior, *choices):
    return at("on", posterior, *((*choice, PHRASE) for choice in choices), tokens=5)


def test_of_two_edits_that_overlap_the_surer_one_stays(restorer, tokens):
    word = at("chance", 0.9, ("risk", 0.55, MOBY), ("luck", 0.35, MOBY))
    sure, unsure = phrase(0.99, ("if", 0.99)), phrase(0.55, ("if", 0.5))
    assert [e.original for e in restore(restorer, tokens, sure, word).edits] == ["if"]
    element = at("chance", 0.99, ("risk", 0.99, ELEMENT))
    assert [e.original for e in restore(restorer, tokens, unsure, element).edits] == ["risk"]


def test_a_phrase_is_one_edit_from_its_first_word_to_its_last(restorer, tokens):
    (edit,) = restore(restorer, tokens, phrase(0.99, ("if", 0.99))).edits
    assert (edit.spun, edit.original) == ("on the off chance that", "if")
    assert TEXT[edit.start : edit.end] == edit.spun


spans = st.tuples(st.integers(0, 14), st.integers(1, 5), st.floats(SUSPICION, 1))


@given(st.lists(spans, max_size=12))
def test_edits_are_apart_in_order_and_fit_the_text(restorer, tokens, drawn):
    last = len(tokens) - 1
    found = [
        Substitution(token, min(span, last - token), p, [Choice("zebra", p, ELEMENT)])
        for token, span, p in drawn
        if token < last
    ]
    edits = restore(restorer, tokens, *found).edits
    for before, after in pairwise(edits):
        assert before.end <= after.start
    # What was left out gave way to an edit that is no less sure.
    for guess, substitution in zip(restorer.guesses(tokens, found), found, strict=True):
        start = tokens.start[substitution.token]
        end = tokens.end[substitution.token + substitution.tokens - 1]
        confidence = restorer._calibration.right(guess, EVIDENCE, restorer._rate)
        meeting = [edit for edit in edits if edit.start < end and start < edit.end]
        assert max(edit.confidence for edit in meeting) >= confidence
    Reading("spun", 1.0, 0.0, 0.0, 1, None, TEXT, edits, (), (), "drawn")


# --- suspects


@pytest.mark.parametrize("choices", [[], [("helium", 0.8)]], ids=["no original", "the same word"])
def test_a_substitution_without_an_original_that_differs_is_a_suspect(restorer, tokens, choices):
    edits, suspects = restore(restorer, tokens, at("helium", 0.9, *choices))
    assert edits == ()
    assert [(s.start, s.end, s.spun, s.confidence) for s in suspects] == [(45, 51, "helium", 0.9)]


def test_a_phrase_without_an_original_that_differs_is_no_suspect(restorer, tokens):
    assert restore(restorer, tokens, phrase(0.9, ("on the off chance that", 0.9))) == ((), ())


def test_an_edit_is_no_suspect_too(restorer, tokens):
    known, unknown = at("helium", 0.9, ("he", 0.9)), at("helium", 0.9, occurrence=1)
    edits, suspects = restore(restorer, tokens, known, unknown)
    assert [edit.start for edit in edits] == [45]
    assert [suspect.start for suspect in suspects] == [63]


# --- guesses


def test_a_guess_knows_the_runner_up_the_share_of_the_source_and_the_repetitions(restorer, tokens):
    first = at("helium", 0.9, ("he", 0.7, ELEMENT | MOBY), ("she", 0.1, MOBY))
    again = at("helium", 0.8, ("he", 0.8, MOBY), occurrence=1)
    other = at("astatine", 0.6)
    one, two, none = restorer.guesses(tokens, [first, again, other])
    assert (one.posterior, one.substituted, one.runner_up, one.share) == (0.7, 0.9, 0.1, 0.75)
    assert (two.posterior, two.substituted, two.runner_up, two.share) == (0.8, 0.8, 0.0, 0.25)
    assert (one.repeated, one.agreeing) == (two.repeated, two.agreeing) == (1, 1)
    assert (none.posterior, none.runner_up, none.share, none.repeated) == (0.0, 0.0, 0.0, 0)


def test_other_originals_of_the_same_word_repeat_it_but_do_not_agree(restorer, tokens):
    guesses = restorer.guesses(
        tokens, [at("helium", 0.9, ("he", 0.9)), at("helium", 0.9, ("it", 0.9), occurrence=1)]
    )
    assert [(guess.repeated, guess.agreeing) for guess in guesses] == [(1, 0), (1, 0)]


# --- families


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(restoration).failed == 0


@pytest.mark.parametrize(
    ("taken", "name"),
    [
        ({"element": 30.0, "Moby": 2.0}, "element"),
        ({"element": 4.0, "element rule": 3.0, "element orbit": 3.0, "Moby": 9.0}, "element"),
        ({"element": 9.0, "Moby": 11.0}, UNKNOWN_FAMILY),
        ({"phrase": 3.0, "tortured word": 2.0, "MyThes": 15.0}, "SpinBot-like"),
        ({"phrase": 30.0}, "SpinBot-like"),
        ({"phrase": 1.0, "tortured word": 1.0, "MyThes": 18.0}, UNKNOWN_FAMILY),
        ({"thesaurus phrase": 30.0}, UNKNOWN_FAMILY),
        ({"Moby": 30.0}, UNKNOWN_FAMILY),
        # Both: what one program alone prints says more than what several print.
        ({"element": 10.0, "phrase": 10.0}, "element"),
        ({"element": LEAST_TAKEN - 0.1}, UNKNOWN_FAMILY),
        ({"element": LEAST_TAKEN}, "element"),
        ({"element": 0.0}, UNKNOWN_FAMILY),
        ({}, UNKNOWN_FAMILY),
    ],
)
def test_a_family_is_named_after_the_sources_of_its_own(taken, name):
    assert name_family(taken).name == name


@pytest.mark.parametrize(
    ("taken", "name"),
    [
        ({"wave": 30.0, "Moby": 10.0}, "wave"),
        ({"wave": 10.0, "Moby": 11.0}, UNKNOWN_FAMILY),
        ({"wave": 20.0, "ripple": 15.0}, "wave"),
        ({"ripple": 20.0, "wave": 15.0}, "ripple"),
        # What somebody has named is likelier than what nobody has.
        ({"wave": 10.0, "phrase": 5.0}, "wave"),
        ({"wave": 10.0, "element": 20.0}, "element"),
        ({"wave": LEAST_TAKEN - 0.1}, UNKNOWN_FAMILY),
        ({"wave": LEAST_TAKEN}, "wave"),
        ({}, UNKNOWN_FAMILY),
    ],
)
def test_a_family_that_was_given_is_named_where_it_has_half_of_the_page(taken, name):
    assert name_family(taken, ("wave", "ripple")).name == name
    assert name_family(taken).name not in ("wave", "ripple")


def test_the_sources_of_the_families_are_sources_of_the_channel_that_ships():
    names = Thesaurus(MODEL / "channel.bin").names
    assert set(FAMILIES) == {"element", "SpinBot-like"}
    for sources, _ in FAMILIES.values():
        assert sources <= set(names)


@given(st.dictionaries(st.sampled_from([*NAMES, "MyThes"]), st.floats(0, 1e6)))
def test_the_weights_of_a_family_are_shares_the_greatest_first(taken):
    weights = list(name_family(taken).weights.values())
    assert weights == sorted(weights, reverse=True)
    assert sum(weights) <= 1 + 1e-3
    assert all(0.005 <= weight <= 1 for weight in weights)


def test_a_reason_names_the_family_and_the_source_that_has_most_of_the_page(restorer, tokens):
    found = [at("helium", 0.9, ("he", 0.9, MOBY)), at("astatine", 0.9, ("at", 0.9, ELEMENT | MOBY))]
    by_word = {edit.original: edit.reason for edit in restore(restorer, tokens, *found).edits}
    assert restorer.family.name == "element"
    assert by_word == {"he": "element: Moby", "At": "element"}
