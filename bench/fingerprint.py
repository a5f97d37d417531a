"""Can two piles of pages be said to come from one spinner or not?

    python -m bench.fingerprint --corpora C --lexicons L

Spinners that draw from thesauri, and have habits, that `train.fingerprint` has not fitted on spin
piles of pages of the half of the documents that nothing was fitted on. Of the tables of every two
piles it is asked whether they are of one spinner.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from bench import work
from bench.metrics import auc
from bench.tables import Cell, Column, Run, Table, publish
from train.choices import moby, wordnet_neighbours
from train.families import phrases
from train.fingerprint import (
    Kind,
    Learned,
    Source,
    comparisons,
    from_pages,
    from_swaps,
    piles,
    spinners,
    ways,
)
from train.learn import invented, texts_of
from train.wordnet import RELATIONS
from unspin.families import FamilyTable
from unspin.learn.fingerprint import KEYS, Fingerprint
from unspin.learn.resemblance import same_spinner
from unspin.lm import LanguageModel
from unspin.reader import MODEL

SIZES, QUICK_SIZES = (30, 100), (20,)  # pages of a pile
LEARNED, QUICK_LEARNED = 3, 1  # spinners of every thesaurus, of tables from pages alone
EXACT, QUICK_EXACT = 6, 2  # and by the swaps themselves
PHRASES = "phrases"  # the thesaurus that has some
SPARES = {
    "capitals": "spares capitals",
    "punctuation": "spares words that touch punctuation",
    "function words": "spares the commonest words",
}
WAYS = ("inflects", "does not inflect", "spares inflected words")  # in the order of `ways`
OTHERS = ("one word for each", "several words for each", "replaces phrases")
BINS = (0.0, 0.05, 0.2, 0.8, 0.95, 1.01)  # of probability, in the table of calibration
ALL, ONE_THESAURUS = "all", "of one thesaurus"  # of the pairs of different spinners

_COLUMNS = [
    Column("tables from"),
    Column("pages", ",d"),
    Column("different spinners"),
    Column("pairs of one", ",d"),
    Column("pairs of two", ",d"),
    Column("AUC", ".3f"),
    Column("one: right", ".1%"),
    Column("two: right", ".1%"),
    Column("AUC, words alone", ".3f"),
    Column("one: right", ".1%"),
    Column("two: right", ".1%"),
]
_HABITS = [
    Column("tables from"),
    Column("habit"),
    Column("have it", ",d"),
    Column("said", ",d"),
    Column("have it not", ",d"),
    Column("said", ",d"),
]
_CALIBRATION = [
    Column("tables from"),
    Column("by"),
    Column("probability"),
    Column("pairs", ",d"),
    Column("of one spinner", ",d"),
    Column("mean", ".3f"),
    Column("true", ".3f"),
]

NOTE = """\
Spinners that draw from WordNet's synonyms, all of its relations, Moby or a table of phrases, on \
none of which anything was fitted, each with a draw of its own. They spare capitals, \
words that touch punctuation, function words, inflected words, or none of these; inflect or do \
not; print one word for each original or any of several; at rates of 10% to 50%. Each has two \
piles of pages of about 400 words, of different documents on which nothing was fitted. *Pages \
alone*: tables learned without originals. *Originals*: tables by the swaps themselves, of which \
30% are missed and 20% are wrong. Every two tables of one kind and size are compared if their \
documents differ, but for two spinners that draw anew each time from one thesaurus in one way with \
the same habits. *Of one thesaurus*: of the different spinners only those that share one. *Right*: \
a probability above one half for two piles of one spinner, below it for those of two. *Words \
alone*: as if the files had no habits in their headers. *True*: of the pairs with that \
probability those of one spinner, if half of all pairs are. *Said*: of how many tables the \
habit is said, by the counts in their headers; a spinner whose thesaurus has none of the commonest \
words spares them, too, and counts as one that has not that habit."""


class Answer(NamedTuple):
    """What is said of a pair, with habits and by the words alone, and what it is."""

    probability: float
    by_words: float
    is_same: bool
    is_one_thesaurus: bool


class Kept(NamedTuple):
    """The tables from piles of one size, learned in one way."""

    name: str
    size: int
    tables: list[Learned]


def sources(lexicons: Path) -> dict[str, Source]:
    """The thesauri of the benchmark."""
    near = {
        "WordNet synonym": wordnet_neighbours(lexicons, ("WordNet synonym",)),
        "WordNet": wordnet_neighbours(lexicons, RELATIONS),
        "Moby": moby(lexicons),
    }
    found = {name: Source(ways(neighbours, lexicons)) for name, neighbours in near.items()}
    return found | {PHRASES: Source((phrases(lexicons).choices,), longest=4)}


def answers(found: Sequence[Learned]) -> list[Answer]:
    """What is said of every two tables of different documents."""
    return [
        Answer(
            same_spinner(pair.one.table, pair.other.table),
            same_spinner(_bare(pair.one.table), _bare(pair.other.table)),
            pair.is_same,
            pair.one.pile.kind.thesaurus == pair.other.pile.kind.thesaurus,
        )
        for pair in comparisons(found)
    ]


def row(kept: Kept, found: Sequence[Answer], what: str) -> tuple[Cell, ...]:
    """One row: of all pairs, or with the different spinners of one thesaurus."""
    same = [answer for answer in found if answer.is_same]
    different = [a for a in found if not a.is_same and (a.is_one_thesaurus or what == ALL)]
    cells: list[Cell] = [kept.name, kept.size, what, len(same), len(different)]
    for said in (by_habits, by_words):
        positives, negatives = [said(a) for a in same], [said(a) for a in different]
        cells += [
            auc(negatives, positives),
            fmean(p > 0.5 for p in positives),
            fmean(p < 0.5 for p in negatives),
        ]
    return tuple(cells)


def by_habits(answer: Answer) -> float:
    """What is said with habits."""
    return answer.probability


def by_words(answer: Answer) -> float:
    """What is said by the words alone."""
    return answer.by_words


def habits(kind: Kind) -> set[str]:
    """What habits a spinner has, in the words of `Fingerprint.habits`."""
    return {
        *(SPARES[what] for what in kind.spared),
        WAYS[kind.way],
        "several words for each" if kind.is_random else "one word for each",
        *(["replaces phrases"] if kind.thesaurus == PHRASES else []),
    }


def told(name: str, found: Sequence[Learned]) -> list[tuple[Cell, ...]]:
    """How often every habit is told of those who have it and of those who have not."""
    each = [(habits(table.pile.kind), _mark(table.table)) for table in found]
    rows: list[tuple[Cell, ...]] = []
    for habit in (*SPARES.values(), *WAYS, *OTHERS):
        having = [habit in said for true, said in each if habit in true]
        without = [habit in said for true, said in each if habit not in true]
        rows.append((name, habit, len(having), sum(having), len(without), sum(without)))
    return rows


def _mark(table: FamilyTable) -> tuple[str, ...]:
    mark = Fingerprint.read(table)
    assert mark is not None
    return mark.habits()


def calibration(found: Sequence[Answer]) -> list[tuple[Cell, ...]]:
    """What comes true of probabilities, if half of all pairs are of one spinner."""
    shares = Counter(answer.is_same for answer in found)
    rows: list[tuple[Cell, ...]] = []
    for said, what in ((by_habits, "words and habits"), (by_words, "words alone")):
        for low, high in pairwise(BINS):
            within = [a for a in found if low <= said(a) < high]
            weights = [0.5 / shares[a.is_same] for a in within]
            if not within:
                continue
            of = sum(weights)
            mean = sum(w * said(a) for w, a in zip(weights, within, strict=True)) / of
            true = sum(w for w, a in zip(weights, within, strict=True) if a.is_same) / of
            bounds = f"{low:g} to {min(high, 1):g}"
            rows.append((what, bounds, len(within), sum(a.is_same for a in within), mean, true))
    return rows


def _bare(table: FamilyTable) -> FamilyTable:
    return replace(table, more=tuple(line for line in table.more if line[0] not in KEYS))


def main() -> None:
    """Run the benchmark and print its tables."""
    given = work.options(__doc__)
    texts = texts_of(given.corpora, "bench")
    words = invented(LanguageModel(MODEL / "lm.bin"))
    thesauri = sources(given.lexicons)
    exact = spinners(thesauri, words, "judged", QUICK_EXACT if given.quick else EXACT)
    learned = spinners(thesauri, words, "judged", QUICK_LEARNED if given.quick else LEARNED)
    kept = []
    for size in QUICK_SIZES if given.quick else SIZES:
        sizes = ((size, size),)
        alone = work.spread(from_pages, piles(learned, texts, sizes), given.workers)
        known = work.spread(from_swaps, piles(exact, texts, sizes), given.workers)
        kept += [Kept("pages alone", size, alone), Kept("originals", size, known)]
    found = [(each, answers(each.tables)) for each in kept]
    rows = [row(each, some, what) for each, some in found for what in (ALL, ONE_THESAURUS)]
    calibrated = [
        (name, *line)
        for name in ("pages alone", "originals")
        for line in calibration([a for each, some in found if each.name == name for a in some])
    ]
    habits_told = [
        line
        for name in ("pages alone", "originals")
        for line in told(name, [t for each in kept if each.name == name for t in each.tables])
    ]
    tables = [
        Table("Of one spinner or not", _COLUMNS, rows),
        Table("Habits that are said", _HABITS, habits_told),
        Table("Calibration", _CALIBRATION, calibrated),
    ]
    run = Run("fingerprint", work.command("fingerprint", given), NOTE)
    publish(run, tables, keep=not given.quick)


if __name__ == "__main__":
    main()
