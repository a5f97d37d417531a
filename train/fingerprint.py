"""Fit what tells whether two tables are of one spinner.

`python -m train.fingerprint --corpora C --lexicons L`: spinners that draw from a few thesauri, each
with a draw and habits of its own, spin piles of pages of the calibrate half. Their tables are
learned from the pages alone, and taken from the swaps themselves with some noise; all pairs of
tables of different pages fit the regression of `fingerprint.json`. The thesauri and the spinners
of `bench.fingerprint` are others.
"""

from __future__ import annotations

import argparse
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import combinations, cycle
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np

from train import lexicons as files
from train.calibrate import logistic
from train.choices import (
    Choices,
    Neighbours,
    bare,
    inflected,
    inflector,
    ppdb,
    thesaurus_neighbours,
    wordnet_neighbours,
)
from train.families import with_inventions
from train.habits import any_choice, content_word, each_occurrence_anew, not_a_name
from train.learn import invented, texts_of
from train.samples import spun
from train.spin import Family, Spun, Unit, Word
from unspin.families import Entry, FamilyTable
from unspin.lattice import Choice, Solver, Substitution
from unspin.learn.fingerprint import Fingerprint, Habits, marked
from unspin.learn.learner import Learner
from unspin.learn.resemblance import BELIEF, Belief, habit_terms, likeness, word_terms
from unspin.lm import LanguageModel
from unspin.reader import MODEL, blocks
from unspin.text import tokenize
from unspin.thesaurus import Thesaurus

_TERM = re.compile(r"[a-z]+(?: [a-z]+){0,3}")

SIZES = ((20, 50), (30, 30), (50, 100))  # pages in the piles of a spinner, by turns
SPINNERS = 7  # of every thesaurus
RATES = (0.1, 0.5)  # share of the words that a spinner replaces, from and to
RATE_VARIES = 0.15  # by this share from pile to pile
RANDOM = 0.3  # share of the spinners that draw each word anew
BY_TYPES = 0.6  # and of the others, of those that replace a word wherever it stands
INVENTING, INVENTED = 0.4, 0.2  # and that have pairs in no thesaurus, and such a share of these
SPARED = ("function words", "capitals", "punctuation")  # each by half of the spinners
MISSED, WRONG = 0.3, 0.2  # of the pairs of a table that is taken from the swaps themselves


class Source(NamedTuple):
    """Where a spinner has its words from: the ways in which they may be printed, and how many words
    a phrase has at most."""

    ways: Sequence[Choices]
    longest: int = 1


class Kind(NamedTuple):
    """What there is to know of a spinner but for its draw: the thesaurus, in which of its ways
    words are printed, what is spared, and whether each word is drawn anew."""

    thesaurus: str
    way: int
    spared: frozenset[str]
    is_random: bool


class Spinner(NamedTuple):
    """A spinner, and the share of the words that it replaces."""

    family: Family
    kind: Kind
    rate: float


class Pile(NamedTuple):
    """Pages that one spinner spun; those of other sections are of other documents."""

    spinner: str
    kind: Kind
    section: int
    texts: tuple[Spun, ...]


class Learned(NamedTuple):
    """What was learned from a pile, by the swaps themselves if `is_exact`."""

    pile: Pile
    is_exact: bool
    table: FamilyTable


# --- spinners


def sources(lexicons: Path) -> dict[str, Source]:
    """The thesauri of the fit."""
    mythes = list(files.mythes(lexicons))
    hypernyms = wordnet_neighbours(lexicons, ("WordNet hypernym",))
    terms: dict[str, list[str]] = {}
    for word, _, others in mythes:
        terms.setdefault(word, []).extend(o for o in others if o != word and _TERM.fullmatch(o))
    return {
        "MyThes": Source(ways(thesaurus_neighbours(mythes), lexicons)),
        "WordNet hypernym": Source(ways(hypernyms, lexicons)),
        "PPDB": Source((ppdb(lexicons),)),
        "MyThes with phrases": Source((lambda unit: terms.get(unit, ()),), longest=4),
    }


def ways(neighbours: Neighbours, lexicons: Path) -> tuple[Choices, ...]:
    """The neighbours in the form of the original, as they are, and as they are for lemmas alone."""
    forms = inflector(lexicons)

    @cache
    def of_lemmas(word: str) -> Sequence[str]:
        return () if forms.analyses(word) else [other for _, other in neighbours(word)]

    return inflected(neighbours, lexicons), bare(neighbours, lexicons), of_lemmas


def spinners(
    found: Mapping[str, Source], words: Sequence[str], seed: str, count: int
) -> list[Spinner]:
    """Spinners of every thesaurus, each with habits of its own."""
    return [
        _spinner(name, source, words, f"{seed} {name} {number}")
        for name, source in found.items()
        for number in range(count)
    ]


def _spinner(name: str, source: Source, words: Sequence[str], own: str) -> Spinner:
    chance = Random(own)
    is_random = chance.random() < RANDOM
    spared = frozenset(what for what in SPARED if chance.random() < 0.5)
    kind = Kind(name, chance.randrange(len(source.ways)), spared, is_random)
    by_types = not is_random and chance.random() < BY_TYPES
    family = Family(
        name=own,
        sources=(),
        choices=source.ways[kind.way],
        may_change=_sparing(spared),
        select=_own_types(own) if by_types else each_occurrence_anew,
        draw=any_choice if is_random else _own_choice(own),
        longest=source.longest,
    )
    if not is_random and chance.random() < INVENTING:
        family = with_inventions(family, words, INVENTED, own)
    return Spinner(family, kind, chance.uniform(*RATES))


def _sparing(spared: Collection[str]) -> Callable[[Word], bool]:
    otherwise = content_word if "function words" in spared else not_a_name

    def may_change(word: Word) -> bool:
        if "capitals" in spared and not word.text.islower():
            return False
        return (word.is_free or "punctuation" not in spared) and otherwise(word)

    return may_change


def _own_types(own: str) -> Callable[[Sequence[Unit], float, int, Random], list[Unit]]:
    """All occurrences of as many words as needed, in an order of the spinner's own."""

    def select(units: Sequence[Unit], rate: float, count: int, random: Random) -> list[Unit]:
        del random
        ordered = sorted(units, key=lambda unit: Random(f"{own} {unit.lowered}").random())
        return ordered[: round(rate * count)]

    return select


def _own_choice(own: str) -> Callable[[Unit, Random], str]:
    def draw(unit: Unit, random: Random) -> str:
        del random
        return Random(f"{own} {unit.lowered}").choice(unit.choices)

    return draw


# --- their tables


def piles(
    found: Sequence[Spinner], texts: Sequence[str], sizes: Sequence[Sequence[int]]
) -> list[Pile]:
    """Piles of every spinner, each of a section of its own; their sizes go by turns."""
    length = len(texts) // max(map(len, sizes))
    made = []
    for spinner, own in zip(found, cycle(sizes), strict=False):
        name = spinner.family.name
        for section, size in enumerate(own):
            chance = Random(f"{name} {section}")
            some = chance.sample(texts[section * length : (section + 1) * length], size)
            rate = spinner.rate * chance.uniform(1 - RATE_VARIES, 1 + RATE_VARIES)
            pages = tuple(spun(some, spinner.family, rate))
            made.append(Pile(name, spinner.kind, section, pages))
    return made


def from_pages(pile: Pile) -> Learned:
    """The table that is learned from the pages alone, with what habits they show by it."""
    channel, learner = _channel(), _learner()
    texts = [text.text for text in pile.texts]
    found = learner.learn(lambda tables: learner.surveyor(tables).survey(texts), "learned")
    table = found.tables[0]
    solver = Solver(channel.model, channel.thesaurus.with_families([table], channel.model.number))
    habits = Habits()
    for text in texts:
        tokens = tokenize(text)
        solutions = [solver.solve(tokens, *block) for block in blocks(tokens)]
        habits.look(tokens, [s for each in solutions for s in each.substitutions()], solver)
    return Learned(pile, is_exact=False, table=marked(table, habits))


def from_swaps(pile: Pile) -> Learned:
    """The table by the swaps themselves, of which some are missed and some are wrong."""
    channel = _channel()
    counts: Counter[tuple[str, str]] = Counter()
    habits = Habits()
    for text in pile.texts:
        tokens = tokenize(text.text)
        found = []
        for swap in text.swaps:
            first, last = bisect_left(tokens.start, swap.start), bisect_left(tokens.start, swap.end)
            original = " ".join(tokenize(swap.original).symbol)
            counts[original, " ".join(tokens.symbol[first:last])] += 1
            found.append(Substitution(first, last - first, 1.0, [Choice(original, 1.0, 0)]))
        habits.look(tokens, found, channel)
    table = _table(_with_errors(counts, Random(f"{pile.spinner} {pile.section}")))
    return Learned(pile, is_exact=True, table=marked(table, habits))


def _with_errors(counts: Counter[tuple[str, str]], chance: Random) -> Counter[tuple[str, str]]:
    originals = sorted({original for original, _ in counts})
    kept: Counter[tuple[str, str]] = Counter()
    for (original, printed), often in counts.items():
        if chance.random() < MISSED:
            continue
        stated = chance.choice(originals) if chance.random() < WRONG else original
        if stated != printed:
            kept[stated, printed] += often
    return kept


def _table(counts: Mapping[tuple[str, str], int]) -> FamilyTable:
    total: Counter[str] = Counter()
    for (original, _), often in counts.items():
        total[original] += often
    entries = (Entry(*pair, often / total[pair[0]], often) for pair, often in counts.items())
    return FamilyTable("exact", entries=tuple(entries))


@cache
def _channel() -> Solver:
    return Solver(LanguageModel(MODEL / "lm.bin"), Thesaurus(MODEL / "channel.bin"))


@cache
def _learner() -> Learner:
    return Learner()


# --- pairs of tables


class Comparison(NamedTuple):
    """Two tables of different pages, and whether they are of one spinner."""

    one: Learned
    other: Learned
    is_same: bool


def comparisons(found: Sequence[Learned]) -> Iterator[Comparison]:
    """All pairs of tables of different pages. Those of two spinners that draw anew each time from
    the same thesaurus with the same habits are left out: nothing tells these apart."""
    for one, other in combinations(found, 2):
        mine, its = one.pile, other.pile
        is_same = mine.spinner == its.spinner
        no_difference = mine.kind == its.kind and mine.kind.is_random
        if mine.section != its.section and (is_same or not no_difference):
            yield Comparison(one, other, is_same)


def fit(found: Sequence[Comparison]) -> Belief:
    """The regressions, as if half of all pairs of tables were of one spinner."""
    is_same = np.array([pair.is_same for pair in found])
    # Pairs are many and spinners few: all pairs together weigh as much as one observation, so that
    # the ridge keeps the coefficients from what only these spinners have.
    weight = np.where(is_same, 0.5 / is_same.sum(), 0.5 / (~is_same).sum())
    words, habits = [], []
    for pair in found:
        one, other = pair.one.table, pair.other.table
        common = likeness(one, other)
        words.append(word_terms(common))
        habits.append(habit_terms(common, _mark(one), _mark(other)))
    return Belief(
        logistic(np.array(words), is_same, weight), logistic(np.array(habits), is_same, weight)
    )


def _mark(table: FamilyTable) -> Fingerprint:
    mark = Fingerprint.read(table)
    assert mark is not None
    return mark


def main() -> None:
    """Fit and write the regressions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--lexicons", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    words = invented(LanguageModel(given.model / "lm.bin"))
    found = spinners(sources(given.lexicons), words, "fit", SPINNERS)
    made = piles(found, texts_of(given.corpora, "calibrate"), SIZES)
    with ProcessPoolExecutor(given.workers) as pool:
        tables = [*pool.map(from_swaps, made), *pool.map(from_pages, made)]
    pairs = list(comparisons(tables))
    belief = fit(pairs)
    belief.write(given.model / BELIEF)
    print(
        f"{len(tables)} tables, {sum(pair.is_same for pair in pairs)} of {len(pairs)} pairs alike"
    )
    print(belief)


if __name__ == "__main__":
    main()
