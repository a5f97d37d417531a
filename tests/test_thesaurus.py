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
    PhraseChoice,
    Thesaurus,
)

VOCABULARY = ["at", "on", "in", "new"]
SOURCES = ["element", "synonym", "phrase"]
CHOICES = {"astatine": [(0, 0b001)], "caller": [(3, 0b011), (2, 0b100)], "dull": []}
PHRASES = {
    "at hand": [PhraseChoice([3, 2, 1], 2, 2), PhraseChoice([0], 5, 1)],
    "at the noon": [PhraseChoice([1], 1, 2)],
    "new": [PhraseChoice([2, 3, 1, 1], 4, 1)],
}
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


def test_entries_of_the_same_sources_share_a_mask(channel):
    assert sorted(channel.masks) == [0b001, 0b011, 0b100]
    used = [channel.masks[number] for number in channel.sources]
    assert used == [mask for entries in CHOICES.values() for _, mask in entries]


def phrase_choices(channel, phrase):
    """The originals of a printed phrase as they were written, but filled up with zeros."""
    i = channel.phrase_number[phrase]
    return [
        PhraseChoice(
            channel.phrase_words[PHRASE * k : PHRASE * (k + 1)].tolist(),
            channel.phrase_fan[k],
            channel.phrase_source[k],
        )
        for k in range(channel.phrase_first[i], channel.phrase_first[i + 1])
    ]


def filled_up(choices):
    return [c._replace(words=[*c.words, *[0] * (PHRASE - len(c.words))]) for c in choices]


def test_phrases_come_back_with_their_originals_their_fan_and_their_source(channel):
    assert list(channel.phrase_number) == list(PHRASES)
    for phrase, originals in PHRASES.items():
        assert phrase_choices(channel, phrase) == filled_up(originals)


def test_the_first_two_words_of_a_phrase_say_how_long_the_longest_is(tmp_path, channel):
    assert channel.heads == {"at hand": 2, "at the": 3}
    some = [PhraseChoice([1], 1, 0)]
    phrases = {"at the noon of it": some, "at the end": some, "at the": some, "at": some}
    path = tmp_path / "heads.bin"
    thesaurus.write(path, SOURCES, [0.5, 0.25, 0.25], CHOICES, FANOUT, bytes(4), phrases)
    assert Thesaurus(path).heads == {"at the": 5}
    thesaurus.write(path, SOURCES, [0.5, 0.25, 0.25], CHOICES, FANOUT, bytes(4), {})
    assert Thesaurus(path).heads == {}


# --- without some of the sources


def test_without_a_source_its_choices_its_fanout_and_its_share_are_gone(channel):
    lesser = channel.without(["element", "phrase"])
    assert lesser.choices("caller", VOCABULARY) == [Choice("new", ("synonym",))]
    assert lesser.choices("astatine", VOCABULARY) == []
    assert lesser.prior == (0, 1, 0)
    assert lesser.fanout.tolist() == [0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 3, 0]
    assert lesser.names == channel.names


def test_without_a_source_its_phrases_are_gone_and_the_others_stay(channel):
    for left_out in (["phrase"], ["synonym"], ["element"], ["phrase", "synonym"]):
        lesser = channel.without(left_out)
        for phrase, originals in PHRASES.items():
            kept = [c for c in originals if SOURCES[c.source] not in left_out]
            assert phrase_choices(lesser, phrase) == filled_up(kept)
            if kept and " " in phrase:
                head = " ".join(phrase.split(" ")[:2])
                assert lesser.heads[head] >= len(phrase.split(" "))


def test_leaving_sources_out_does_not_touch_the_channel_itself(channel):
    before = channel.choices("caller", VOCABULARY)
    channel.without(["element"])
    assert channel.choices("caller", VOCABULARY) == before
    assert channel.without([]).choices("caller", VOCABULARY) == before
    assert channel.masks.tolist() == Thesaurus(channel.path).masks.tolist()
    assert phrase_choices(channel, "at hand") == filled_up(PHRASES["at hand"])


def test_a_source_that_is_not_there_cannot_be_left_out(channel):
    with pytest.raises(ValueError, match="no such source: elements"):
        channel.without(["element", "elements"])


# --- files


masks = st.integers(1, 2**MAX_SOURCES - 1)
words = st.text(st.characters(exclude_characters="\n", codec="utf-8"), min_size=1, max_size=5)


some_choices = st.dictionaries(words, st.lists(st.tuples(st.integers(0, 3), masks), max_size=3))
some_phrases = st.dictionaries(
    st.lists(words.map(lambda word: word.replace(" ", "_")), min_size=1, max_size=6).map(" ".join),
    st.lists(
        st.builds(
            PhraseChoice,
            st.lists(st.integers(0, 2**16 - 1), min_size=1, max_size=PHRASE),
            st.integers(1, 2**16 - 1),
            st.integers(0, MAX_SOURCES - 1),
        ),
        max_size=3,
    ),
    min_size=1,
)
names = [f"source {bit}" for bit in range(MAX_SOURCES)]


@given(some_choices, some_phrases, st.sets(st.integers(0, MAX_SOURCES - 2)))
def test_any_channel_comes_back_whole_or_without_some_sources(
    tmp_path_factory, choices, phrases, left_out
):
    path = tmp_path_factory.mktemp("thesaurus") / "channel.bin"
    fanout = array("H", [1] * MAX_SOURCES * len(VOCABULARY))
    share = [1 / MAX_SOURCES] * MAX_SOURCES
    thesaurus.write(path, names, share, choices, fanout, bytes(4), phrases)
    channel = Thesaurus(path)
    assert list(channel.phrase_number) == list(phrases)
    for gone in (set(), left_out):
        lesser = channel.without([names[bit] for bit in gone])
        unwanted = sum(1 << bit for bit in gone)
        for printed, entries in choices.items():
            assert lesser.choices(printed, VOCABULARY) == [
                Choice(VOCABULARY[word], channel.source_names(mask & ~unwanted))
                for word, mask in entries
                if mask & ~unwanted
            ]
        for phrase, originals in phrases.items():
            kept = [choice for choice in originals if choice.source not in gone]
            assert phrase_choices(lesser, phrase) == filled_up(kept)
        assert sum(lesser.prior) == pytest.approx(1)
        assert [bit for bit, fan in enumerate(lesser.fanout[:MAX_SOURCES]) if not fan] == sorted(
            gone
        )


def test_a_missing_channel_and_another_file_are_refused_by_name(tmp_path):
    with pytest.raises(ModelError, match=r"channel\.bin is missing"):
        Thesaurus(tmp_path / "channel.bin")
    arrays.write(tmp_path / "lm.bin", "language model", {}, {})
    with pytest.raises(ModelError, match=r"lm\.bin holds language model, not channel"):
        Thesaurus(tmp_path / "lm.bin")
