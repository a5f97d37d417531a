"""The channel file: what was compiled can be asked, word by word."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspin import arrays, thesaurus
from unspin.arrays import ModelError
from unspin.families import MAX_WORDS, Entry, FamilyError, FamilyTable
from unspin.thesaurus import (
    FREQUENT,
    INFLECTED,
    LEMMA,
    MAX_FAN,
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


# --- with families

NUMBER = {word: i for i, word in enumerate(VOCABULARY)}


def family(name, *entries):
    return FamilyTable(name, entries=tuple(Entry(*entry, 1) for entry in entries))


WAVE = family(
    "wave",
    ("new", "caller", 0.3),
    ("on", "caller", 0.7),
    ("at", "zyx", 1.0),
    ("at", "noon", 1e-12),
    ("of", "zyx", 1.0),
    ("new on", "at hand", 0.5),
    ("in at on", "zyx", 0.25),
    ("in", "at hand by the", 0.5),
    ("in of", "zyx", 0.5),
)


def test_with_a_family_its_originals_come_first_and_the_others_stay(channel):
    more = channel.with_families([WAVE], NUMBER)
    assert more.choices("caller", VOCABULARY) == [
        Choice("on", ("wave",)),
        Choice("new", ("element", "synonym", "wave")),
        Choice("in", ("phrase",)),
    ]
    assert more.choices("astatine", VOCABULARY) == channel.choices("astatine", VOCABULARY)
    assert more.choices("dull", VOCABULARY) == []


def test_with_a_family_words_have_originals_that_no_thesaurus_has(channel):
    more = channel.with_families([WAVE], NUMBER)
    assert more.choices("zyx", VOCABULARY) == more.choices("noon", VOCABULARY)
    assert more.choices("zyx", VOCABULARY) == [Choice("at", ("wave",))]


def test_a_family_has_half_of_the_prior_and_several_share_it(channel):
    more = channel.with_families([WAVE], NUMBER)
    assert (more.names, more.families) == ((*SOURCES, "wave"), ("wave",))
    assert more.prior == (0.25, 0.125, 0.125, 0.5)
    more = channel.with_families([WAVE, family("ripple")], NUMBER)
    assert (more.names, more.families) == ((*SOURCES, "wave", "ripple"), ("wave", "ripple"))
    assert more.prior == (0.25, 0.125, 0.125, 0.25, 0.25)


def test_a_family_prints_as_many_words_for_one_as_would_be_as_likely_as_its_likeliest(channel):
    fanout = channel.with_families([WAVE], NUMBER).fanout.tolist()
    assert [fanout[i] for i in range(len(fanout)) if i % 4 < 3] == FANOUT.tolist()
    assert fanout[3::4] == [1, 1, 2, 3]
    assert channel.with_families([family("f", ("at", "zyx", 1e-320))], NUMBER).fanout[3] == MAX_FAN


def test_the_phrases_of_a_family_come_before_those_that_are_there(channel):
    more = channel.with_families([WAVE], NUMBER)
    mine = PhraseChoice([3, 1, 0, 0], 2, 3)
    assert phrase_choices(more, "at hand") == [mine, *filled_up(PHRASES["at hand"])]
    assert phrase_choices(more, "zyx") == [PhraseChoice([2, 0, 1, 0], 4, 3)]
    assert phrase_choices(more, "at hand by the") == [PhraseChoice([2, 0, 0, 0], 2, 3)]
    assert phrase_choices(more, "new") == filled_up(PHRASES["new"])
    assert more.heads == {"at hand": 4, "at the": 3}


def test_originals_that_the_model_does_not_know_are_left_out_and_counted(channel):
    assert channel.with_families([WAVE], NUMBER).left_out == {"wave": 2}
    assert channel.left_out == {}


def test_adding_families_does_not_touch_the_channel_itself(channel):
    channel.with_families([WAVE], NUMBER)
    again = Thesaurus(channel.path)
    for name, value in vars(again).items():
        assert getattr(channel, name) == value
    assert channel.with_families([], NUMBER) is channel


def test_a_family_can_be_left_out_like_any_source(channel):
    more = channel.with_families([WAVE], NUMBER)
    lesser = more.without(["wave"])
    for printed in CHOICES:
        assert set(lesser.choices(printed, VOCABULARY)) == {*channel.choices(printed, VOCABULARY)}
    assert lesser.choices("zyx", VOCABULARY) == []
    assert lesser.prior == (0.5, 0.25, 0.25, 0)
    assert more.without(SOURCES).choices("caller", VOCABULARY) == [
        Choice("on", ("wave",)),
        Choice("new", ("wave",)),
    ]


def test_families_of_one_name_and_too_many_are_refused(channel):
    with pytest.raises(FamilyError, match="two families called wave: name one of them"):
        channel.with_families([WAVE, family("wave")], NUMBER)
    with pytest.raises(FamilyError, match="two families called element"):
        channel.with_families([family("element")], NUMBER)
    most = [family(f"wave{i}") for i in range(MAX_SOURCES - len(SOURCES))]
    assert len(channel.with_families(most, NUMBER).names) == MAX_SOURCES
    with pytest.raises(FamilyError, match="30 families are too many: 29 fit at once"):
        channel.with_families([*most, WAVE], NUMBER)


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


side = st.lists(st.sampled_from([*VOCABULARY, "zyx", "caller"]), min_size=1, max_size=MAX_WORDS)
some_entries = st.lists(
    st.builds(
        Entry,
        side.map(" ".join),
        st.one_of(words, side.map(" ".join)),
        st.floats(0, 1, exclude_min=True),
        st.just(1),
    ),
    max_size=8,
    unique_by=lambda entry: entry[:2],
)


@given(some_choices, some_phrases, st.lists(some_entries, max_size=3))
def test_any_channel_has_the_entries_of_any_families_before_its_own(
    tmp_path_factory, choices, phrases, entries_of
):
    path = tmp_path_factory.mktemp("thesaurus") / "channel.bin"
    sources = names[:3]
    one_each = {
        printed: [(word, mask & 0b111 or 1) for word, mask in dict(entries).items()]
        for printed, entries in choices.items()
    }
    phrases = {
        phrase: [choice._replace(source=choice.source % 3) for choice in originals]
        for phrase, originals in phrases.items()
    }
    thesaurus.write(path, sources, [1 / 3] * 3, one_each, FANOUT, bytes(4), phrases)
    tables = [FamilyTable(f"f{i}", entries=tuple(some)) for i, some in enumerate(entries_of)]
    channel = Thesaurus(path)
    more = channel.with_families(tables, NUMBER)
    known = {
        (table.name, entry)
        for table in tables
        for entry in table.entries
        if all(word in NUMBER for word in entry.original.split(" "))
    }
    single = {(n, e) for n, e in known if " " not in e.original and " " not in e.spun}
    for printed in {*one_each, *(entry.spun for _, entry in single)}:
        mine = {(n, e.original) for n, e in single if e.spun == printed}
        found = more.choices(printed, VOCABULARY)
        originals = [choice.original for choice in found]
        first = len({original for _, original in mine})
        assert {*originals[:first]} == {original for _, original in mine}
        before = channel.choices(printed, VOCABULARY)
        assert originals[first:] == [
            c.original for c in before if c.original not in originals[:first]
        ]
        known_before = {c.original: set(c.sources) for c in before}
        for choice in found:
            own = {n for n, original in mine if original == choice.original}
            assert set(choice.sources) == known_before.get(choice.original, set()) | own
    of_phrases = known - single
    for printed in {*phrases, *(entry.spun for _, entry in of_phrases)}:
        first = sum(entry.spun == printed for _, entry in of_phrases)
        found = phrase_choices(more, printed)
        assert {tables[c.source - 3].name for c in found[:first]} == {
            n for n, e in of_phrases if e.spun == printed
        }
        assert found[first:] == filled_up(phrases.get(printed, []))
        if " " in printed:
            assert more.heads[" ".join(printed.split(" ")[:2])] >= len(printed.split(" "))


def test_a_missing_channel_and_another_file_are_refused_by_name(tmp_path):
    with pytest.raises(ModelError, match=r"channel\.bin is missing"):
        Thesaurus(tmp_path / "channel.bin")
    arrays.write(tmp_path / "lm.bin", "language model", {}, {})
    with pytest.raises(ModelError, match=r"lm\.bin holds language model, not channel"):
        Thesaurus(tmp_path / "lm.bin")
