"""The habits of a spinner: counted, told in words, kept in a file, and compared."""

import json
import math
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspin import families
from unspin.arrays import ModelError
from unspin.families import Entry, FamilyError, FamilyTable
from unspin.lattice import Choice, Solver, Substitution
from unspin.learn.fingerprint import KEYS, Fingerprint, Habits, Share, marked
from unspin.learn.resemblance import (
    BELIEF,
    MOST,
    Belief,
    differences,
    likeness,
    resemblance,
    same_spinner,
)
from unspin.lm import LanguageModel
from unspin.reader import MODEL
from unspin.text import tokenize
from unspin.thesaurus import Thesaurus

TEXT = "The men walked home, slowly. Nobody knew that they waited near the river for years"


@pytest.fixture(scope="module")
def solver():
    return Solver(LanguageModel(MODEL / "lm.bin"), Thesaurus(MODEL / "channel.bin"))


def swap(tokens, printed, original, posterior=1.0):
    """The substitution of a printed word or phrase, where it first stands."""
    words = printed.split(" ")
    first = tokens.symbol.index(words[0])
    return Substitution(first, len(words), posterior, [Choice(original, posterior, 0)])


def look(solver, text, *swaps):
    habits, tokens = Habits(), tokenize(text)
    habits.look(tokens, [swap(tokens, *each) for each in swaps], solver)
    return habits


def fingerprint(habits):
    return Fingerprint.of(habits, FamilyTable("wave"))


# --- what is counted


def test_words_are_counted_by_the_class_of_their_originals(solver):
    # "near" is the spinner's for the common "by", "waited" for the inflected "stayed".
    mark = fingerprint(look(solver, TEXT, ("near", "by"), ("waited", "stayed")))
    assert mark.frequent.part == 1
    assert mark.inflected.part == 1
    assert mark.lemmas.part == 0
    assert mark.frequent.whole + mark.lemmas.whole + mark.inflected.whole == pytest.approx(11)


def test_the_rate_is_of_all_words(solver):
    assert fingerprint(look(solver, TEXT, ("near", "by"), ("river", "stream"))).rate == 0.133


def test_a_swap_counts_as_much_as_it_is_likely(solver):
    mark = fingerprint(look(solver, TEXT, ("near", "by", 0.4)))
    assert mark.frequent.part == 0.4


def test_words_with_capitals_or_beside_punctuation_are_set_against_what_is_expected(solver):
    text = "Often they go home, often they stay and often they go home again."
    mark = fingerprint(look(solver, text, ("go", "walk"), ("stay", "wait")))
    # Of the base forms without either two of several were swapped, of "home," none.
    assert mark.touching.part == 0
    assert 0 < mark.touching.whole < 1
    assert mark.capitals.part == 0
    mark = fingerprint(look(solver, text, ("go", "walk"), ("home", "house")))
    assert mark.touching.part == 1


def test_an_ending_that_is_kept_is_told_from_a_bare_lemma(solver):
    kept = fingerprint(look(solver, TEXT, ("waited", "stayed"), ("years", "ages")))
    assert kept.inflects == Share(2, 2)
    text = "they wait near the river"
    assert fingerprint(look(solver, text, ("wait", "stayed"))).inflects == Share(0, 1)


def test_phrases_on_either_side_are_counted(solver):
    habits = look(solver, TEXT, ("the river", "there"), ("near", "close to"), ("for", "of"))
    assert fingerprint(habits).phrases == Share(2, 3)


def test_what_must_not_change_is_not_counted(solver):
    habits = look(solver, "In 1999 NATO met Igor Sokol at www.example.org on 24/02")
    assert sum(habits.touchable) == 4 * 1000


def test_a_page_without_words_is_none(solver):
    assert look(solver, "... -- !") == Habits()
    assert look(solver, "") == Habits()


def test_habits_of_parts_add_up_to_the_whole_in_any_order(solver):
    chance = Random(1)
    swaps = [("near", "by"), ("river", "stream"), ("waited", "stayed"), ("home", "house")]
    parts = [look(solver, TEXT, (*each, chance.random())) for each in swaps * 5]
    whole = Habits()
    for part in parts:
        whole.add(part)
    chance.shuffle(parts)
    total = Habits()
    for part in parts:
        total.add(Habits.from_dict(json.loads(json.dumps(part.to_dict()))))
    assert total == whole
    assert sum(whole.rates.values()) == 20


# --- what it comes to

# A spinner without habits.
PLAIN = Fingerprint(
    rate=0.2,
    low=0.18,
    high=0.22,
    frequent=Share(200, 1000),
    lemmas=Share(220, 1000),
    inflected=Share(190, 1000),
    capitals=Share(18, 20),
    touching=Share(60, 62),
    phrases=Share(0, 2000),
    explained=Share(1200, 2000),
    one_word=Share(1190, 1200),
)


def test_what_a_spinner_spares_is_said():
    assert PLAIN.habits() == ("one word for each",)
    assert "spares capitals" in replace(PLAIN, capitals=Share(1, 20)).habits()
    touching = replace(PLAIN, touching=Share(0, 62)).habits()
    assert "spares words that touch punctuation" in touching
    assert "spares the commonest words" in replace(PLAIN, frequent=Share(9, 1000)).habits()
    assert "spares inflected words" in replace(PLAIN, inflected=Share(9, 1000)).habits()
    assert "replaces phrases" in replace(PLAIN, phrases=Share(400, 2000)).habits()


def test_of_few_words_nothing_is_said():
    few = replace(PLAIN, capitals=Share(0, 3), explained=Share(2, 100), one_word=Share(1, 2))
    assert few.habits() == ()


def test_what_is_printed_for_inflected_words_is_said_where_they_are_not_spared():
    assert "inflects" in replace(PLAIN, inflects=Share(90, 100)).habits()
    assert "does not inflect" in replace(PLAIN, inflects=Share(9, 100)).habits()
    spared = replace(PLAIN, inflected=Share(9, 1000), inflects=Share(9, 9)).habits()
    assert spared == ("spares inflected words", "one word for each")


def test_any_of_several_words_is_told_by_the_table_or_by_how_little_is_learned():
    assert "several words for each" in replace(PLAIN, one_word=Share(500, 1200)).habits()
    little = replace(PLAIN, explained=Share(90, 2000), one_word=Share(90, 90))
    assert "several words for each" in little.habits()


def test_one_word_for_each_is_seen_through_wrong_pairs(solver):
    # A fifth of the pairs is wrong.
    right = [Entry(f"or{i}", f"s{i}", 0.8, 4) for i in range(9)]
    wrong = [Entry(f"or{i}", f"x{i}", 0.2, 1) for i in range(9)]
    mark = Fingerprint.of(look(solver, TEXT), FamilyTable("wave", entries=(*right, *wrong)))
    assert mark.one_word == Share(36, 45)
    assert replace(mark, explained=Share(45, 60)).habits() == ("one word for each",)


def test_the_rate_is_the_median_page_s_with_the_half_around_it():
    habits = Habits()
    habits.rates.update({100: 1, 180: 1, 200: 1, 240: 1, 900: 1})
    mark = fingerprint(habits)
    assert (mark.low, mark.rate, mark.high) == (0.18, 0.2, 0.24)


# --- in a file


def written(mark, *more):
    entries = (Entry("about", "astir", 0.9, 9),)
    return FamilyTable("wave", habits=mark.habits(), more=(*mark.lines(), *more), entries=entries)


def test_a_file_keeps_it(tmp_path):
    path = tmp_path / "wave.tsv"
    path.write_text(families.write(written(PLAIN)))
    table = families.read(path)
    assert Fingerprint.read(table) == PLAIN
    assert table.habits == PLAIN.habits()
    assert "# capitals: 18 of 20\n" in path.read_text()


def test_a_table_is_marked_in_place_of_an_earlier_mark(solver):
    table = replace(written(PLAIN, ("site", "example.org")), habits=("spares nothing",))
    habits = look(solver, TEXT, ("near", "by"))
    again = marked(table, habits)
    assert Fingerprint.read(again) == Fingerprint.of(habits, table)
    assert [line for line in again.more if line[0] not in KEYS] == [("site", "example.org")]
    assert again.habits == ("one word for each",)


def test_a_file_without_it_has_none(tide):
    assert Fingerprint.read(tide) is None


def test_of_merged_tables_it_adds_up():
    other = replace(PLAIN, rate=0.3, capitals=Share(0, 30))
    merged = families.merge([written(PLAIN), written(other)], "both")
    mark = Fingerprint.read(merged)
    assert mark.rate == pytest.approx(0.25)
    assert mark.capitals == Share(18, 50)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("rate", "a fifth"),
        ("rate", "nan"),
        ("rate", "1e9"),
        ("rate", "7"),
        ("rate", ""),
        ("rate-of-pages", "0.1"),
        ("capitals", "3 of many"),
        ("capitals", "-1 of 2"),
        ("capitals", "9" * 400 + " of 1"),
        ("capitals", "٣ of 4"),
        ("one-word", "inf of inf"),
    ],
)
def test_a_line_that_says_something_else_is_refused(key, value):
    table = FamilyTable("wave", more=((key, value),))
    with pytest.raises(FamilyError, match=r"the header of the family wave has .* where a line"):
        Fingerprint.read(table)


@given(st.sampled_from(KEYS), st.text(alphabet="0123456789.e-+ oftinaE", max_size=30))
def test_whatever_stands_in_a_header_no_more_happens_than_a_refusal(key, value):
    table = FamilyTable("wave", more=((key, value),))
    try:
        mark = Fingerprint.read(table)
    except FamilyError:
        return
    mark.habits()
    assert 1 - MOST <= same_spinner(table, table) <= MOST
    assert all(map(math.isfinite, differences(mark, PLAIN).values()))


# --- of one spinner or not


def table_of(seed, share_wrong=0.0, mark=None, pages="pages"):
    """A table of 300 words out of 1,000 that a spinner prints, for so many originals."""
    chance = Random(f"{seed} {pages}")
    entries = []
    for i in chance.sample(range(1000), 300):
        own = Random(f"{seed} {i}").randrange(20)
        printed = (
            f"s{i}x" if chance.random() < share_wrong else f"s{i}" + "abcdefghijklmnopqrst"[own]
        )
        entries.append(Entry(f"o{i}", printed, 0.9, chance.randrange(1, 9)))
    more = mark.lines() if mark else ()
    return FamilyTable("wave", more=more, entries=tuple(entries))


def test_two_tables_of_one_spinner_are_alike_in_spite_of_wrong_pairs():
    one, other = (table_of("one", 0.2, pages=pages) for pages in ("first", "second"))
    assert same_spinner(one, other) > 0.8


def test_tables_of_two_spinners_are_not_alike_though_they_have_one_thesaurus():
    assert same_spinner(table_of("one"), table_of("other")) < 0.3


def test_habits_tell_tables_apart_and_bring_them_together():
    other_habits = replace(
        PLAIN, capitals=Share(0, 20), touching=Share(0, 62), inflected=Share(9, 1000), rate=0.4
    )
    one = table_of("one", 0.5, PLAIN, "first")
    alike = same_spinner(one, table_of("one", 0.5, PLAIN, "second"))
    apart = same_spinner(one, table_of("one", 0.5, other_habits, "second"))
    assert alike > 0.8 > 0.5 > apart


def test_it_makes_no_difference_which_is_first_and_nothing_is_certain():
    tables = [table_of("one", 0.1, PLAIN), table_of("two", 0.1, PLAIN, "other"), table_of("one")]
    tables += [FamilyTable("nothing"), FamilyTable("void", entries=(Entry("of", "by", 1, 0),))]
    for one in tables:
        for other in tables:
            said = resemblance(one, other)
            assert said == resemblance(other, one)
            assert 1 - MOST <= said.probability <= MOST


def test_what_speaks_for_it_is_told():
    one = FamilyTable("one", entries=(Entry("of", "by", 0.8, 4), Entry("that", "thet", 1, 2)))
    other = FamilyTable("two", entries=(Entry("of", "by", 1, 3), Entry("that", "thilk", 1, 5)))
    said = resemblance(one, other)
    assert (said.common, said.agreeing, said.differing) == (2, 1, None)
    marks = PLAIN, replace(PLAIN, capitals=Share(0, 20), inflected=Share(9, 1000))
    one, other = (replace(t, more=m.lines()) for t, m in zip((one, other), marks, strict=True))
    said = resemblance(one, other)
    assert said.differing == ("inflected words", "capitals")


def test_tables_without_counts_are_compared_by_their_probabilities(tide):
    assert likeness(tide, tide).common == 26
    assert likeness(tide, tide).shared == pytest.approx(likeness(tide, tide).known)
    assert same_spinner(tide, tide) > 0.5


def test_damaged_regressions_are_refused(tmp_path):
    path = tmp_path / BELIEF
    whole = json.loads((MODEL / BELIEF).read_text())
    short = whole | {"words": whole["words"][:-1]}
    for damaged in ("", "{}", json.dumps(short), json.dumps(whole | {"words": [math.nan] * 2})):
        path.write_text(damaged)
        with pytest.raises(ModelError):
            Belief.read(path)
    with pytest.raises(ModelError):
        Belief.read(tmp_path / "missing.json")
