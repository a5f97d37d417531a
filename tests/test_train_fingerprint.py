"""The spinners that the comparison of tables is fitted on, and their piles."""

import pytest

pytest.importorskip("numpy")
pytest.importorskip("lemminflect")
pytest.importorskip("zstandard")

from train.fingerprint import (
    Comparison,
    Kind,
    Learned,
    Pile,
    Source,
    comparisons,
    fit,
    from_swaps,
    piles,
    spinners,
)
from unspin.families import FamilyTable
from unspin.learn.fingerprint import Fingerprint
from unspin.learn.resemblance import likeness

COLOURS = "red blue green white black brown yellow purple silver golden".split()
SENTENCE = "The small dog was near the old house, and Many people walked home slowly that night."
TEXTS = [
    f"{SENTENCE} It was the day number {i} of a long and cold winter.\n" * 5 for i in range(40)
]


@pytest.fixture(scope="module")
def made():
    source = Source((lambda word: [c for c in COLOURS if c != word],))
    found = spinners({"colours": source}, ["invention"], "test", 6)
    return found, piles(found, TEXTS, ((10, 10),))


def test_spinners_have_habits_and_draws_of_their_own(made):
    found, of_pages = made
    assert len({spinner.family.name for spinner in found}) == 6
    assert len({spinner.kind for spinner in found}) > 1
    assert len({pile.texts[0].text for pile in of_pages}) == 12


def test_piles_of_two_sections_have_no_page_in_common(made):
    _, of_pages = made
    first, second = (
        {text.original for pile in of_pages if pile.section == section for text in pile.texts}
        for section in (0, 1)
    )
    assert first.isdisjoint(second)
    assert all(len(pile.texts) == 10 for pile in of_pages)


def test_habits_by_the_swaps_are_those_of_the_spinner(made):
    for pile in made[1]:
        mark = Fingerprint.read(from_swaps(pile).table)
        assert mark.rate > 0.05
        if "capitals" in pile.kind.spared:
            assert mark.capitals.part == 0
        if "punctuation" in pile.kind.spared:
            assert mark.touching.part == 0


def learned(spinner, section, is_random=False):
    kind = Kind("colours", 0, frozenset(), is_random)
    return Learned(Pile(spinner, kind, section, ()), is_exact=True, table=FamilyTable("a"))


def test_tables_of_other_documents_are_compared():
    found = [learned("a", 0), learned("a", 1), learned("b", 0)]
    assert [pair.is_same for pair in comparisons(found)] == [True, False]


def test_two_spinners_that_nothing_tells_apart_are_not_compared():
    found = [learned(name, section, True) for name in "ab" for section in (0, 1)]
    assert [pair.is_same for pair in comparisons(found)] == [True, True]


def test_what_is_fitted_tells_the_spinners_apart(made):
    tables = [from_swaps(pile) for pile in made[1] if not pile.kind.is_random]
    pairs = list(comparisons(tables))
    belief = fit(pairs)

    def said(pair: Comparison) -> float:
        return belief.by_words(likeness(pair.one.table, pair.other.table))

    same = [said(pair) for pair in pairs if pair.is_same]
    different = [said(pair) for pair in pairs if not pair.is_same]
    assert sum(same) / len(same) > 0.6 > 0.4 > sum(different) / len(different)
