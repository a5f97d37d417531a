"""Learning the tables of spinners from their pages, without their originals."""

import json
from random import Random

import pytest

pytest.importorskip("numpy", reason="tables are learned with numpy: the extra unspin[learn]")

from tests.piles import OTHER, TABLE, clean_texts, drawn, spin
from unspin.arrays import ModelError
from unspin.learn import Learner, LearnError, learn
from unspin.learn.contexts import Contexts, Place
from unspin.learn.mixture import spinners
from unspin.learn.pairs import Belief
from unspin.learn.survey import SAMPLE, Counts, Pair, Survey, likeliest
from unspin.lm import LanguageModel
from unspin.reader import MODEL


@pytest.fixture(scope="module")
def texts():
    return clean_texts()


@pytest.fixture(scope="module")
def surveyor():
    return Learner().surveyor()


@pytest.fixture(scope="module")
def learned(texts):
    return learn([spin(text) for text in texts], "made-up")


# --- a table


def test_pairs_that_no_thesaurus_has_are_learned(learned):
    (table,) = learned.tables
    pairs = {(entry.original, entry.spun) for entry in table.entries}
    found = pairs & set(TABLE.items())
    assert len(found) >= 0.75 * len(TABLE), found


def test_of_what_is_learned_more_than_half_is_right_by_use(learned):
    (table,) = learned.tables
    right = sum(e.count for e in table.entries if TABLE.get(e.original) == e.spun)
    assert right > 0.5 * sum(entry.count for entry in table.entries)


def test_pages_are_counted(learned, texts):
    assert learned.pages == len(texts)
    assert 0 < learned.spun <= len(texts)
    assert learned.skipped == 0
    assert learned.tables[0].learned == f"{learned.spun} pages"


def test_of_clean_pages_alone_nothing_is_learned(texts):
    with pytest.raises(LearnError, match="name more of the spinner's pages"):
        learn(texts[:20], "nobody")


# --- surveys


def test_clean_pages_of_the_pile_are_left_out(surveyor, texts):
    survey = surveyor.survey([*map(spin, texts[:10]), *texts[:10]])
    assert survey.pages == 20
    assert survey.spun <= 12


def test_surveys_of_parts_add_up_in_any_order(surveyor, texts):
    pages = list(map(spin, texts[:12]))
    whole = surveyor.survey(pages)
    for parts in ([pages[:5], pages[5:]], [pages[5:], pages[:5]]):
        total = Survey()
        for part in parts:
            total.add(surveyor.survey(part))
        (counts,), (expected,) = total.spinners, whole.spinners
        assert (total.pages, sorted(total.sample)) == (whole.pages, sorted(whole.sample))
        assert (counts.printed, counts.likely) == (expected.printed, expected.likely)
        assert counts.swapped == pytest.approx(expected.swapped)
        assert {word: counts.places(word) for word in counts.spots} == {
            word: expected.places(word) for word in expected.spots
        }


def test_a_survey_is_the_same_when_it_was_written_and_read(surveyor, texts):
    survey = surveyor.survey(map(spin, texts[:8]))
    again = Survey.from_dict(json.loads(json.dumps(survey.to_dict())))
    assert again.to_dict() == survey.to_dict()
    assert survey.spun > 0


def test_a_page_that_takes_too_long_is_skipped(surveyor, texts):
    survey = surveyor.look(texts[0], deadline=0.0)
    assert (survey.pages, survey.skipped, survey.spun) == (1, 1, 0)


def test_memory_is_bounded_by_the_vocabulary_not_by_the_pages():
    counts = Counts(1)
    counts.touchable["word"] = 1
    counts.spots["word"] = []
    total = Survey()
    for draw in range(3 * SAMPLE):
        total.add(Survey([counts], 1, sample={draw: counts}))
    assert len(total.sample) == SAMPLE
    assert sorted(total.sample) == list(range(SAMPLE))
    assert total.spun == 3 * SAMPLE


# --- spinners


def test_pages_of_two_spinners_and_clean_ones_are_told_apart(texts):
    kinds = [drawn(0), drawn(1)]
    pages = [spin(text, kinds[i % 2]) for i, text in enumerate(texts[:80])] + texts[80:120]
    Random(0).shuffle(pages)
    learned = learn(pages, "pile")
    assert [table.name for table in learned.tables] == ["pile-1", "pile-2"]
    shares = [
        [
            sum(kind.get(entry.original) == entry.spun for entry in table.entries)
            / len(table.entries)
            for kind in kinds
        ]
        for table in learned.tables
    ]
    mine, others = sorted(shares, reverse=True)
    assert mine[0] > 0.5 > 0.1 > mine[1], shares
    assert others[1] > 0.5 > 0.1 > others[0], shares


def pages_of(chance, table, number):
    """Swaps of pages that each have some of the originals of a table."""
    pairs = [Pair(*pair) for pair in table.items()]
    return [dict.fromkeys(chance.sample(pairs, 6), 1.0) for _ in range(number)]


@pytest.mark.parametrize("sizes", [(20,), (20, 20), (40, 12), (20, 15, 15)])
def test_there_are_as_many_spinners_as_tables(sizes):
    chance = Random(1)
    tables = [TABLE, OTHER, dict.fromkeys(TABLE, "always")]
    answer = [k for k, size in enumerate(sizes) for _ in range(size)]
    pages = [page for k, size in enumerate(sizes) for page in pages_of(chance, tables[k], size)]
    labels = spinners(pages)
    assert len(set(labels)) == len(sizes)
    assert len(set(zip(labels, answer, strict=True))) == len(sizes)
    counts = [labels.count(label) for label in sorted(set(labels))]
    assert counts == sorted(counts, reverse=True)


def test_what_pages_are_about_does_not_make_spinners_of_them():
    chance = Random(2)
    words = list(TABLE)
    subjects = [
        {word: TABLE[word] for word in words[:8]},
        {word: TABLE[word] for word in words[4:]},
    ]
    pages = [page for subject in subjects for page in pages_of(chance, subject, 30)]
    assert set(spinners(pages)) == {0}


def test_one_who_draws_at_random_is_one_spinner():
    chance = Random(3)
    pages = [
        {
            Pair(word, chance.choice(list(TABLE.values()))): 1.0
            for word in chance.sample(list(TABLE), 6)
        }
        for _ in range(60)
    ]
    assert set(spinners(pages)) == {0}


@pytest.mark.parametrize("pages", [[{}], [{Pair("a", "b"): 1.0}], [{}, {}, {Pair("a", "b"): 0.5}]])
def test_a_few_pages_are_of_one_spinner(pages):
    assert spinners(pages) == [0] * len(pages)


def test_a_page_is_of_the_table_that_has_most_of_its_swaps():
    one, other = Pair("of", "by"), Pair("of", "for")
    assert likeliest({one: 2.0, other: 0.5}, [{other: 0.9}, {one: 0.9}]) == 1
    assert likeliest({}, [{other: 0.9}, {one: 0.9}]) == 0


# --- what speaks for a pair


def test_a_word_fits_where_it_was_replaced_better_than_others():
    model = LanguageModel(MODEL / "lm.bin")
    number = model.number
    places = [
        Place(number["one"], number["of"], number["most"]),
        Place(number["in"], number["front"], number["the"]),
    ]
    contexts = Contexts(model)
    fit = contexts.fit(number["warehouse"], [places[0]])
    assert fit[number["the"]] > fit[number["breakfast"]]
    fit = contexts.fit(number["warehouse"], [places[1]])
    assert model.words[int(fit.argmax())] == "of"


def test_a_damaged_belief_is_refused(tmp_path):
    path = tmp_path / "learn.json"
    for damaged in ("", "{}", '{"passes": []}', '{"passes": [{"mean": [1], "spread": [1]}]}'):
        path.write_text(damaged)
        with pytest.raises(ModelError):
            Belief.read(path)
