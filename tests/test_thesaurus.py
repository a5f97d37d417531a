"""The channel file: what was compiled can be asked, word by word."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspin import arrays, thesaurus
from unspin.arrays import ModelError
from unspin.thesaurus import (
    FREQUENT,
    INFLECTED,
    LEMMA,
    MAX_SOURCES,
    PHRASE,
    Choice,
    Thesaurus,
)

VOCABULARY = ["at", "on", "in", "new"]
SOURCES = ["element", "synonym", "phrase"]
CHOICES = {"astatine": [(0, 0b001)], "caller": [(3, 0b011), (2, 0b100)], "dull": []}
PHRASES = {"at hand": [([3, 2, 1], 2), ([0], 5)], "at the noon": [([1], 1)], "new": [([2, 3], 4)]}
# By original and, within, by source.
FANOUT = array("H", [1, 0, 0, 1, 0, 0, 0, 2, 0, 0, 3, 0])


@pytest.fixture
def channel(tmp_path):
    path = tmp_path / "channel.bin"
    classes = bytes([FREQUENT, FREQUENT, LEMMA, INFLECTED])
    thesaurus.write(path, SOURCES, [0.5, 0.25, 0.25], CHOICES, FANOUT, classes, PHRASES)
    return Thesaurus(path)


def test_a_printed_word_has_its_originals_in_the_order_given(channel):
    assert channel.choices("caller", VOCABULARY) == [
        Choice("new", ("element", "synonym")),
        Choice("in", ("phrase",)),
    ]
    assert channel.choices("astatine", VOCABULARY) == [Choice("at", ("element",))]


def test_a_word_that_no_spinner_prints_has_no_originals(channel):
    assert channel.choices("dull", VOCABULARY) == []
    assert channel.choices("noon", VOCABULARY) == []
    assert channel.choices("", VOCABULARY) == []


def test_the_sources_keep_their_names_and_shares(channel):
    assert channel.names == tuple(SOURCES)
    assert channel.prior == (0.5, 0.25, 0.25)
    assert channel.source_names(0b101) == ("element", "phrase")
    assert channel.source_names(0) == ()


def test_fanout_and_classes_come_back_by_the_number_of_the_word(channel):
    assert channel.fanout.tolist() == FANOUT.tolist()
    assert channel.word_class.tolist() == [FREQUENT, FREQUENT, LEMMA, INFLECTED]


def test_phrases_come_back_with_their_originals_and_their_fan(channel):
    for phrase, originals in PHRASES.items():
        i = channel.phrase_number[phrase]
        entries = range(channel.phrase_first[i], channel.phrase_first[i + 1])
        words = [channel.phrase_words[PHRASE * k : PHRASE * (k + 1)].tolist() for k in entries]
        assert words == [[*numbers, *[0] * (PHRASE - len(numbers))] for numbers, _ in originals]
        assert [channel.phrase_fan[k] for k in entries] == [fan for _, fan in originals]


def test_the_first_two_words_of_a_phrase_say_how_long_the_longest_is(channel):
    assert channel.heads == {"at hand": 2, "at the": 3}
    assert channel.without(["phrase"]).heads == {}
    assert channel.without(["element"]).heads == channel.heads


# --- without some of the sources


def test_without_a_source_its_choices_its_fanout_and_its_share_are_gone(channel):
    lesser = channel.without(["element", "phrase"])
    assert lesser.choices("caller", VOCABULARY) == [Choice("new", ("synonym",))]
    assert lesser.choices("astatine", VOCABULARY) == []
    assert lesser.prior == (0, 1, 0)
    assert lesser.fanout.tolist() == [0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 3, 0]
    assert lesser.names == channel.names


def test_leaving_sources_out_does_not_touch_the_channel_itself(channel):
    before = channel.choices("caller", VOCABULARY)
    channel.without(["element"])
    assert channel.choices("caller", VOCABULARY) == before
    assert channel.without([]).choices("caller", VOCABULARY) == before


def test_a_source_that_is_not_there_cannot_be_left_out(channel):
    with pytest.raises(ValueError, match="no such source: elements"):
        channel.without(["element", "elements"])


# --- files


masks = st.integers(1, 2**MAX_SOURCES - 1)
words = st.text(st.characters(exclude_characters="\n", codec="utf-8"), min_size=1, max_size=5)


@given(st.dictionaries(words, st.lists(st.tuples(st.integers(0, 3), masks), max_size=3)))
def test_any_channel_comes_back(tmp_path_factory, choices):
    path = tmp_path_factory.mktemp("thesaurus") / "channel.bin"
    names = [f"source {bit}" for bit in range(MAX_SOURCES - 1)] + ["phrase"]
    fanout = array("H", bytes(2 * MAX_SOURCES * len(VOCABULARY)))
    share = [1 / MAX_SOURCES] * MAX_SOURCES
    thesaurus.write(path, names, share, choices, fanout, bytes(4), {})
    channel = Thesaurus(path)
    for printed, entries in choices.items():
        assert channel.choices(printed, VOCABULARY) == [
            Choice(VOCABULARY[word], channel.source_names(mask)) for word, mask in entries
        ]
        assert all(choice.sources for choice in channel.choices(printed, VOCABULARY))


def test_a_missing_channel_and_another_file_are_refused_by_name(tmp_path):
    with pytest.raises(ModelError, match=r"channel\.bin is missing"):
        Thesaurus(tmp_path / "channel.bin")
    arrays.write(tmp_path / "lm.bin", "language model", {}, {})
    with pytest.raises(ModelError, match=r"lm\.bin holds language model, not channel"):
        Thesaurus(tmp_path / "lm.bin")
