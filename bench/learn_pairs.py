"""How much of a spinner's table is learned from its pages and their originals?

    python -m bench.learn_pairs --corpora C --lexicons L

Families that are left out of the channel spin pages of the half of the documents that nothing was
fitted on; what is learned from them with their originals, as they were and edited a little, is
compared with what was swapped.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

from bench import work
from bench.tables import Cell, Column, Run, Table, publish
from train.families import (
    fixed,
    mixed_fixed,
    moby_fixed,
    phrases,
    with_inventions,
    wordnet_random,
)
from train.learn import invented, texts_of
from train.samples import lexicons_left_out, spun
from train.spin import Family, Spun
from unspin.learn.aligned import PairLearner
from unspin.lm import LanguageModel
from unspin.reader import MODEL
from unspin.thesaurus import Thesaurus
from unspin.trace.align import Channel

SIZES, QUICK_SIZES = (10, 30, 100), (10, 30)
TEST_PAGES = 60
RATE = 0.25  # share of the words to replace
INVENTED = 0.3  # share of the pairs that no thesaurus has
# How originals are edited: shares of sentences and of words.
DROPPED, INSERTED, CHANGED = 0.03, 0.03, 0.02
SENTENCE = 12  # words of a sentence that is inserted

NOTE = f"""\
Pages of about 400 words of news with {RATE:.0%} of the words replaced, from documents that \
nothing was fitted on, each beside its original; the thesauri and tables that a family draws from \
are left out of the channel that aligns them. The limits of the method were chosen on pages of the \
other half of the documents; those of phrases on the same family of phrases, for there is no \
other. *Edited*: of the originals {DROPPED:.0%} of the sentences were left out \
and as many of random words put in, and {CHANGED:.0%} of the words \
changed: half of these to another word at random, a quarter left out, and a quarter with another \
word before them. What was swapped in a sentence that is left out cannot be learned. *Learned*: \
share of the substitutions on these pages whose pairs were learned. *Of other pages*: the same of \
{TEST_PAGES} others, some of whose pairs no page beside its original has. *Right*: share of the \
learned pairs that are in the spinner's table, and the same by how often they are used. *In no \
thesaurus*: as *learned*, of the substitutions whose pairs the whole channel lacks. Words at the \
ends of a pair that are the same on both sides may be left out of it."""

Pair = tuple[str, str]  # what stood there, and what was printed


class Task(NamedTuple):
    """Pages with their originals to learn from, and other pages."""

    family: str
    without: tuple[str, ...]
    pages: tuple[Spun, ...]
    others: tuple[Spun, ...]
    is_edited: bool


def families(lexicons: Path, model: LanguageModel) -> list[Family]:
    """The families, of four kinds; the last prints phrases, and draws them anew each time."""
    inventions = with_inventions(mixed_fixed(lexicons), invented(model), INVENTED, "bench")
    return [
        fixed(wordnet_random(lexicons)),
        moby_fixed(lexicons),
        inventions,
        phrases(lexicons),
    ]


def tasks(given: work.Options) -> list[Task]:
    """Every family's piles: each holds the pages of the smaller ones."""
    sizes = QUICK_SIZES if given.quick else SIZES
    texts = texts_of(given.corpora, "bench")
    names = set(Thesaurus(MODEL / "channel.bin").names)
    found = []
    for family in families(given.lexicons, LanguageModel(MODEL / "lm.bin")):
        without = tuple(name for name in lexicons_left_out(family.sources) if name in names)
        pages = spun(texts[: max(sizes)], family, RATE)
        others = tuple(spun(texts[max(sizes) :][:TEST_PAGES], family, RATE))
        found += [
            Task(family.name, without, tuple(pages[:size]), others, is_edited)
            for size in sizes
            for is_edited in (False, True)
        ]
    return found


def measure(task: Task) -> tuple[Cell, ...]:
    """Learn from pages with their originals."""
    pairs = [(page.text, _original(page, task)) for page in task.pages]
    learner = PairLearner(without=task.without)
    began = time.monotonic()
    table = learner.table(learner.count(pairs), "learned")
    seconds = time.monotonic() - began
    learned = {(entry.original, entry.spun): entry.count for entry in table.entries}
    truth, known = swaps(task.pages), _known()
    forms = {form for pair in truth for form in (pair, trimmed(pair))}
    right = [pair for pair in learned if pair in forms]
    return (
        task.family,
        "yes" if task.is_edited else "",
        len(task.pages),
        len(learned),
        share(truth, learned),
        share(swaps(task.others), learned),
        len(right) / len(learned),
        sum(learned[pair] for pair in right) / sum(learned.values()),
        share({pair: n for pair, n in truth.items() if not known(pair)}, learned),
        seconds,
    )


def edited(text: str, vocabulary: Sequence[str], seed: int) -> str:
    """A text as somebody has edited it who does not care what it says."""
    random = Random(f"{seed} {text}")
    lines = []
    for line in text.split("\n"):
        sentences = []
        for sentence in re.split(r"(?<=[.!?]) ", line):
            if random.random() >= DROPPED:
                words = (_changed(word, vocabulary, random) for word in sentence.split(" "))
                sentences.append(" ".join(filter(None, words)))
            if random.random() < INSERTED:
                others = " ".join(random.choices(vocabulary, k=SENTENCE))
                sentences.append(f"{others.capitalize()}.")
        lines.append(" ".join(sentences))
    return "\n".join(lines)


def swaps(texts: Iterable[Spun]) -> Counter[Pair]:
    """How often each pair was swapped."""
    return Counter(
        (swap.original.lower(), swap.spun.lower()) for text in texts for swap in text.swaps
    )


def share(truth: Mapping[Pair, int], learned: Collection[Pair]) -> float | None:
    """Of the substitutions, those whose pairs were learned."""
    total = sum(truth.values())
    found = (n for pair, n in truth.items() if pair in learned or trimmed(pair) in learned)
    return sum(found) / total if total else None


def trimmed(pair: Pair) -> Pair:
    """A pair without the words at its ends that are the same, as long as some are left.

    >>> trimmed(("at the first", "at the primary")), trimmed(("and", "and furthermore"))
    (('first', 'primary'), ('and', 'and furthermore'))
    """
    one, other = (phrase.split(" ") for phrase in pair)
    while min(len(one), len(other)) > 1 and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    while min(len(one), len(other)) > 1 and one[0] == other[0]:
        one, other = one[1:], other[1:]
    return " ".join(one), " ".join(other)


def _original(page: Spun, task: Task) -> str:
    return (
        edited(page.original, _vocabulary(), len(task.pages)) if task.is_edited else page.original
    )


def _changed(word: str, vocabulary: Sequence[str], random: Random) -> str:
    if not word.isalpha() or not word.islower() or random.random() >= CHANGED:
        return word
    other = random.choice(vocabulary)
    return random.choice((other, other, "", f"{other} {word}"))


@cache
def _vocabulary() -> Sequence[str]:
    return invented(LanguageModel(MODEL / "lm.bin"))


@cache
def _known() -> Callable[[Pair], bool]:
    """What says whether the channel has a pair."""
    channel = Channel(LanguageModel(MODEL / "lm.bin"), Thesaurus(MODEL / "channel.bin"))
    return lambda pair: bool(channel.explanation(pair[1].split(" "), pair[0].split(" ")))


_COLUMNS = [
    Column("family"),
    Column("edited"),
    Column("pages", ",d"),
    Column("pairs", ",d"),
    Column("learned", ".1%"),
    Column("of other pages", ".1%"),
    Column("right", ".1%"),
    Column("right, by use", ".1%"),
    Column("in no thesaurus", ".1%"),
    Column("s", ",.1f"),
]


def main() -> None:
    """Run the benchmark and print its table."""
    given = work.options(__doc__)
    rows = work.spread(measure, tasks(given), given.workers)
    table = Table("Learned from pages with their originals", _COLUMNS, list(rows))
    publish(
        Run("learn_pairs", work.command("learn_pairs", given), NOTE), [table], keep=not given.quick
    )


if __name__ == "__main__":
    main()
