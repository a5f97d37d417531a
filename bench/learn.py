"""How much of a spinner's table is learned from its pages alone, and what is it worth?

    python -m bench.learn --corpora C --lexicons L

Families with fixed tables that are left out of the channel, none of them one of those that
`train.learn` fitted on, spin pages of the half of the documents that nothing was fitted on. From
piles of several sizes their tables are learned; other pages say how much of what the spinner does
is in them, and how much more comes back when they are read with the table.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

from bench import work
from bench.metrics import Change, Tally, tally
from bench.tables import Cell, Column, Run, Table, publish
from train.families import fixed, mixed_fixed, moby_fixed, with_inventions, wordnet_random
from train.learn import Pile, invented, pile, swaps, texts_of
from train.samples import spun
from train.spin import Family, Spun
from unspin.families import Entry, FamilyTable
from unspin.learn import Learner, learn
from unspin.learn.survey import Believed, Pair, Survey, Surveyor
from unspin.lm import LanguageModel
from unspin.reader import MODEL, Reader
from unspin.thesaurus import Thesaurus

SIZES, QUICK_SIZES = (10, 30, 100, 300, 1000), (30, 100)
TEST_PAGES = 60
MIXED_SIZES, CLEAN = (100, 300, 1000), 0.3  # pages of several families, and clean ones
RATE = 0.2  # share of the words to replace
INVENTED = 0.3  # share of the pairs that no thesaurus has

NOTE = f"""\
Pages of about 400 words of news with {RATE:.0%} of the words replaced, from documents that \
nothing was fitted on; each family has one word for each original. *Right*: share of the learned \
pairs that are in the spinner's table, and the same by how often they are used. *Learned*: share \
of the substitutions in the pile whose pairs were learned. *Of other pages*: the same of \
{TEST_PAGES} pages that are in no pile, some of whose pairs no page of the pile has. *In no \
thesaurus*: share learned of the substitutions in the pile whose pairs the channel lacks. *Put \
back* and *right*: of the substitutions on the other pages, and of the edits, read without a \
table, with the learned one, and with the true one of all that the spinner does in pile and \
other pages.

A pile of all three families and clean pages: *right* are the pages that are with most of the \
others of their family, and of no family if they are clean."""


class Mixed(NamedTuple):
    """Pages of several families, and clean ones: each with the number of its family, or -1."""

    pages: tuple[tuple[int, str], ...]


class Task(NamedTuple):
    """A pile to learn from, and other pages."""

    pile: Pile
    others: tuple[Spun, ...]


def families(lexicons: Path, model: LanguageModel) -> list[Family]:
    """The families, of three kinds."""
    one_hop = fixed(wordnet_random(lexicons))
    inventions = with_inventions(mixed_fixed(lexicons), invented(model), INVENTED, "bench")
    return [one_hop, moby_fixed(lexicons), inventions]


def tasks(given: work.Options) -> list[Task]:
    """Every family's piles: each holds the pages of the smaller ones."""
    sizes = QUICK_SIZES if given.quick else SIZES
    texts = texts_of(given.corpora, "bench")
    found = []
    for family in families(given.lexicons, LanguageModel(MODEL / "lm.bin")):
        pages = spun(texts[: max(sizes)], family, RATE)
        others = spun(texts[max(sizes) :][:TEST_PAGES], family, RATE)
        found += [Task(pile(family, (), pages[:size]), tuple(others)) for size in sizes]
    return found


def mixed(given: work.Options) -> list[Mixed]:
    """Piles of pages of all families in equal parts, of which some are clean."""
    texts = texts_of(given.corpora, "bench")
    found = []
    for size in MIXED_SIZES[: 1 if given.quick else None]:
        clean = round(CLEAN * size)
        pages = [(-1, text) for text in texts[:clean]]
        some = families(given.lexicons, LanguageModel(MODEL / "lm.bin"))
        for number, family in enumerate(some):
            texts_of_family = texts[clean:size][number :: len(some)]
            pages += [(number, text.text) for text in spun(texts_of_family, family, RATE)]
        Random(size).shuffle(pages)
        found.append(Mixed(tuple(pages)))
    return found


def separate(pile: Mixed) -> tuple[Cell, ...]:
    """Learn the tables of a mixed pile, and say which pages were told apart."""
    learner = Learner()
    last: list[Surveyor] = []

    def survey(tables: Sequence[Believed]) -> Survey:
        last[:] = [learner.surveyor(tables)]
        return last[0].survey(text for _, text in pile.pages)

    began = time.monotonic()
    learned = learner.learn(survey, "learned")
    seconds = time.monotonic() - began
    called: Counter[tuple[int, int]] = Counter()
    for family, text in pile.pages:
        spinners = last[0].look(text).spinners
        called[family, next((i for i, each in enumerate(spinners) if each.pages), -1)] += 1
    right = called[-1, -1] + sum(
        max(called[family, i] for i in range(len(learned.tables)))
        for family in {family for family, _ in pile.pages} - {-1}
    )
    clean = sum(family == -1 for family, _ in pile.pages)
    return len(pile.pages), clean, len(learned.tables), right / len(pile.pages), seconds


def measure(task: Task) -> tuple[Cell, ...]:
    """Learn from a pile, and read the other pages with what was learned."""
    known = _known()
    began = time.monotonic()
    table, *_ = learn(task.pile.texts, "learned").tables
    seconds = time.monotonic() - began
    pairs = {Pair(e.original, e.spun): e.count for e in table.entries}
    truth, other = task.pile.swaps, swaps(task.others)
    right = [pair for pair in pairs if pair in truth]
    unheard = {pair: n for pair, n in truth.items() if not known(pair)}
    return (
        task.pile.family,
        len(task.pile.texts),
        len(pairs),
        len(right) / max(len(pairs), 1),
        sum(pairs[pair] for pair in right) / max(sum(pairs.values()), 1e-9),
        _share(truth, pairs),
        _share(other, pairs),
        _share(unheard, pairs),
        *_read(task.others, None),
        *_read(task.others, table),
        *_read(task.others, _true({**truth, **other})),
        seconds,
    )


def _share(truth: Mapping[Pair, int], pairs: Mapping[Pair, float]) -> float | None:
    """Of the substitutions, those whose pairs are among some."""
    return (
        sum(truth[pair] for pair in truth if pair in pairs) / sum(truth.values()) if truth else None
    )


def _true(counts: Mapping[Pair, int]) -> FamilyTable:
    """What the spinner does, as a family."""
    total: dict[str, int] = {}
    for pair, count in counts.items():
        total[pair.original] = total.get(pair.original, 0) + count
    entries = (Entry(*pair, round(n / total[pair.original], 4), n) for pair, n in counts.items())
    return FamilyTable("true", entries=tuple(entries))


def _read(texts: Sequence[Spun], table: FamilyTable | None) -> tuple[Cell, Cell]:
    """The share of the substitutions put back, and of the edits that are right."""
    reader = Reader(families=[table] if table else [])
    count = Tally()
    for text in texts:
        edits = reader.read(text.text).edits
        changes = [Change(edit.start, edit.end, edit.original) for edit in edits]
        count += tally(text.text, text.swaps, changes)
    return count.put_back, count.precision


@cache
def _known() -> Callable[[Pair], bool]:
    """What says whether the channel has a pair."""
    model, thesaurus = LanguageModel(MODEL / "lm.bin"), Thesaurus(MODEL / "channel.bin")

    def known(pair: Pair) -> bool:
        choices = thesaurus.choices(pair.spun, model.words)
        return any(choice.original == pair.original for choice in choices)

    return known


_COLUMNS = [
    Column("family"),
    Column("pages", ",d"),
    Column("pairs", ",d"),
    Column("right", ".1%"),
    Column("right, by use", ".1%"),
    Column("learned", ".1%"),
    Column("of other pages", ".1%"),
    Column("in no thesaurus", ".1%"),
    Column("put back without", ".1%"),
    Column("right", ".1%"),
    Column("put back, learned table", ".1%"),
    Column("right", ".1%"),
    Column("put back, true table", ".1%"),
    Column("right", ".1%"),
    Column("s", ",.0f"),
]


_MIXED = [
    Column("pages", ",d"),
    Column("clean", ",d"),
    Column("tables", ",d"),
    Column("right", ".1%"),
    Column("s", ",.0f"),
]


def main() -> None:
    """Run the benchmark and print its table."""
    given = work.options(__doc__)
    # The large piles first, for they take longest.
    todo = sorted(tasks(given), key=lambda task: -len(task.pile.texts))
    outcomes = work.spread(measure, todo, given.workers)
    rows = sorted(outcomes, key=lambda row: (str(row[0]), row[1]))
    tables = [
        Table("Learned from pages alone", _COLUMNS, rows),
        Table("Told apart", _MIXED, work.spread(separate, mixed(given), given.workers)),
    ]
    publish(Run("learn", work.command("learn", given), NOTE), tables, keep=not given.quick)


if __name__ == "__main__":
    main()
