"""What does a spinner print for what, where its pages stand beside their originals? Their counts.

    from unspin.learn.aligned import learn_pairs

    table = learn_pairs([(spun, original), ...], "name")

Two documents that are known to belong together are aligned by what they have in common, so that a
pair of words that no thesaurus has is found where the words around it are the same.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from unspin.families import MAX_ENTRIES, MAX_LINE, MAX_WORDS, Entry, FamilyTable
from unspin.lattice import Choice, Solver, Substitution
from unspin.learn.errors import LearnError
from unspin.learn.fingerprint import Habits, marked
from unspin.learn.noise import without_noise
from unspin.learn.stretches import FIXED, LONGEST, Channel, Phrase, Stretch, cut
from unspin.lm import UNKNOWN, LanguageModel
from unspin.reader import MODEL
from unspin.text import tokenize
from unspin.thesaurus import Thesaurus
from unspin.trace import align
from unspin.trace.align import LONGEST_GAP, Alignment, Sheet
from unspin.trace.words import Words, words

BLOCK = 2_000  # words of a page that are aligned together, which bounds time and memory
MOST_WORDS = 20_000  # of a document: what follows is not looked at
BELONGS = 0.3  # share of the shorter document's words that are aligned if the two belong together
AROUND = 3  # words on either side of a stretch that may be part of a phrase
MOST_STRETCHES = 20_000  # that are kept, chosen by a hash
LEFT = 0.5  # is added to the swaps of an original: for what was not seen yet
NUMBERS = 50  # bytes of a line of a family file that are left for its numbers
RARE = 1e-7  # share of a word that the language model does not know


@dataclass
class Counts:
    """What was counted in pairs of documents. Counts of parts add up to those of the whole, in any
    order.

    `documents` are the pairs that belong together, `left_out` those that do not. `kept` counts
    words that are the same on both sides, `swapped` words that stand for another, with the same
    words around them, and `stretches` what else differs. Of these, which are `differing` in all, a
    sample is kept, so memory is bounded by the vocabulary and the table. `habits` are how the
    spinner went about it.
    """

    documents: int = 0
    left_out: int = 0
    kept: Counter[str] = field(default_factory=Counter)
    swapped: Counter[Stretch] = field(default_factory=Counter)
    stretches: Counter[Stretch] = field(default_factory=Counter)
    differing: int = 0
    habits: Habits = field(default_factory=Habits)

    def add(self, other: Counts) -> None:
        """Add the counts of other documents."""
        self.documents += other.documents
        self.left_out += other.left_out
        self.kept.update(other.kept)
        self.swapped.update(other.swapped)
        self.stretches.update(other.stretches)
        self.differing += other.differing
        self.habits.add(other.habits)
        self.trim()

    def trim(self) -> None:
        """Leave out the stretches that are not in the sample."""
        if len(self.stretches) > MOST_STRETCHES:
            sample = heapq.nsmallest(MOST_STRETCHES, self.stretches, key=_draw)
            self.stretches = Counter({stretch: self.stretches[stretch] for stretch in sample})


class PairLearner:
    """Learns tables from pages and their originals; for one thread at a time."""

    def __init__(self, model: Path = MODEL, without: Collection[str] = ()) -> None:
        """Open the model.

        Args:
            model: its folder.
            without: sources of the channel to leave out, when measuring.

        Raises:
            ModelError: a file of the model is missing or damaged.
        """
        self._model = LanguageModel(model / "lm.bin")
        self._solver = Solver(self._model, Thesaurus(model / "channel.bin"), without)
        self._channel = align.Channel(self._model, self._solver.thesaurus)

    def align(self, spun: str, original: str) -> list[Alignment]:
        """Return the alignments of a page with its original, one for each `BLOCK` words of it; none
        at all if the two do not belong together.

        Of each, `page` and `source` have the words and their places, and `to` says of every word
        of the page where its word of the source is, -1 for none; `mask` is 0 if the two are equal.
        """
        page, source = words(spun)[:MOST_WORDS], words(original)[:MOST_WORDS]
        found = [
            Sheet(page[first : first + BLOCK], self._channel).align(source)
            for first in range(0, len(page), BLOCK)
        ]
        shorter = min(len(page), len(source))
        return found if sum(one.covered for one in found) > BELONGS * shorter else []

    def count(self, pairs: Iterable[tuple[str, str]]) -> Counts:
        """Return the counts of pages, each with its original."""
        counts = Counts()
        for spun, original in pairs:
            alignments = self.align(spun, original)
            counts.documents += bool(alignments)
            counts.left_out += not alignments
            swaps = [swap for alignment in alignments for swap in _count(alignment, counts)]
            if alignments:
                tokens = tokenize(spun)
                number = {start: i for i, start in enumerate(tokens.start)}
                placed = [swap._replace(token=number[swap.token]) for swap in swaps]
                counts.habits.look(tokens, placed, self._solver)
            if len(counts.stretches) > 2 * MOST_STRETCHES:
                counts.trim()
        counts.trim()
        return counts

    def table(self, counts: Counts, name: str) -> FamilyTable:
        """Return the table that was counted.

        Raises:
            LearnError: nothing was learned.
        """
        if not counts.documents:
            raise LearnError(_nothing(counts))
        channel = Channel(cache(self._channel.surprise), cache(self._knows), self._share)
        in_stretches = cut(counts.stretches, counts.swapped, counts.kept, channel)
        pairs = without_noise(
            counts.swapped + in_stretches, counts.kept, channel.knows, channel.surprise
        )
        # Those that were left out of the sample had as many.
        scale = counts.differing / max(counts.stretches.total(), 1)
        often = {p: counts.swapped[p] + round(scale * in_stretches[p]) for p in pairs}
        entries = tuple(_entries(often))
        if not entries:
            raise LearnError(
                f"nothing differs between the pages and the originals of {_told(counts.documents)}"
                " as if a spinner had been at work: are the originals those of the pages?"
            )
        table = FamilyTable(name, learned=_told(counts.documents), entries=entries)
        return marked(table, counts.habits)

    def _knows(self, pair: Stretch) -> bool:
        original, printed = pair
        if len(original) == len(printed) == 1:
            return original[0] in self._channel.originals(printed[0])
        return original in self._channel.phrases(" ".join(printed))

    def _share(self, phrase: Phrase) -> float:
        """How often a phrase stands in a word of text, by the language model."""
        number = self._model.number.get(phrase[0], UNKNOWN)
        first = self._model.unigrams[number] if number != UNKNOWN else RARE
        after = self._model.score(phrase)[1 : len(phrase)]
        return float(max(first, RARE) * 10 ** sum(after))


def learn_pairs(pairs: Iterable[tuple[str, str]], name: str, model: Path = MODEL) -> FamilyTable:
    """Return the table of the spinner that made some pages of their originals.

    Args:
        pairs: each page with its original, read once.
        name: what the family is to be called.
        model: the folder of the model.

    Raises:
        LearnError: no page belongs to its original, or nothing was replaced.
        ModelError: the model is missing or damaged.
    """
    learner = PairLearner(model)
    return learner.table(learner.count(pairs), name)


def _count(alignment: Alignment, counts: Counts) -> Iterator[Substitution]:
    """Count the words of one alignment; yields what was swapped, at offsets instead of tokens."""
    page, source = _symbols(alignment.page), _symbols(alignment.source)
    for first, last in alignment.ranges():
        same = [i for i in range(first, last) if alignment.to[i] >= 0 and alignment.mask(i) == 0]
        counts.kept.update(page[i] for i in same if page[i] != FIXED)
        for place in _stretches(alignment, first, last, same):
            found = Stretch(
                tuple(source[place.source_first : place.source_last]),
                tuple(page[place.first : place.last]),
            )
            if len(found.original) == len(found.printed) == 1:
                if FIXED not in (found.original[0], found.printed[0]):
                    counts.swapped[found] += 1
            elif max(map(len, found)) <= LONGEST:
                counts.stretches[found] += 1
                counts.differing += 1
            yield from _swaps(alignment.page.start[place.first : place.last], found)


def _swaps(starts: Sequence[int], stretch: Stretch) -> Iterator[Substitution]:
    """What was swapped in a stretch: its words one by one, where there are as many on both sides.

    `starts` are the offsets of the printed words.
    """
    original, printed = stretch
    if not (original and printed):
        return
    if len(original) != len(printed):
        yield _swap(starts[0], len(printed), " ".join(original))
        return
    for start, one, other in zip(starts, original, printed, strict=True):
        if one != other and FIXED not in (one, other):
            yield _swap(start, 1, one)


def _swap(start: int, words: int, original: str) -> Substitution:
    return Substitution(start, words, 1.0, [Choice(original, 1.0, 0)])


class _Place(NamedTuple):
    """A stretch of the page's words and one of the source's, by their numbers."""

    first: int
    last: int
    source_first: int
    source_last: int


def _stretches(
    alignment: Alignment, first: int, last: int, same: Collection[int]
) -> Iterator[_Place]:
    """The stretches of a passage between words that are the same in both. Where they have not as
    many words on both sides, with the words around them; those that meet are one."""
    to = alignment.to
    is_same = set(same)
    pending: _Place | None = None
    for i, i_end in pairwise([first - 1, *same, last]):
        j = to[i] if i >= first else to[first] - 1
        j_end = to[i_end] if i_end < last else to[last - 1] + 1
        here, there = i_end - i - 1, j_end - j - 1
        if here == there == 0 or abs(here - there) > LONGEST_GAP:
            continue
        before = behind = 0
        if here != there:
            before = _alike(to, is_same, i, j, -1)
            behind = _alike(to, is_same, i_end, j_end, 1)
        place = _Place(i + 1 - before, i_end + behind, j + 1 - before, j_end + behind)
        if pending and place.first < pending.last:
            place = place._replace(first=pending.first, source_first=pending.source_first)
        elif pending:
            yield pending
        pending = place
    if pending:
        yield pending


def _alike(to: Sequence[int], is_same: Collection[int], i: int, j: int, step: int) -> int:
    """How many words, `AROUND` at most, are the same in both from two places on, in steps."""
    found = 0
    while found < AROUND and i in is_same and to[i] == j:
        i, j, found = i + step, j + step, found + 1
    return found


def _symbols(some: Words) -> list[str]:
    """What the words are compared by, `FIXED` in place of what no table has."""
    return [
        FIXED if fixed or not _is_word(symbol) else symbol
        for symbol, fixed in zip(some.symbol, some.fixed, strict=True)
    ]


def _is_word(symbol: str) -> bool:
    return symbol.replace("'", "").isalpha() and symbol.islower()


def _entries(pairs: Mapping[Stretch, int]) -> Iterator[Entry]:
    """The entries of some pairs; a little is left for what was not seen yet."""
    of_original: Counter[Phrase] = Counter()
    for pair, count in pairs.items():
        of_original[pair.original] += count
    often = sorted((-count, pair) for pair, count in pairs.items() if _fits(pair))
    for minus, pair in often[:MAX_ENTRIES]:
        share = -minus / (of_original[pair.original] + LEFT)
        yield Entry(" ".join(pair.original), " ".join(pair.printed), float(f"{share:.4g}"), -minus)


def _fits(pair: Stretch) -> bool:
    """Whether a family file may have it."""
    size = sum(len(word.encode()) + 1 for phrase in pair for word in phrase)
    return max(map(len, pair)) <= MAX_WORDS and size <= MAX_LINE - NUMBERS


def _nothing(counts: Counts) -> str:
    """Why nothing can be learned where no documents belong together."""
    if not counts.left_out:
        return (
            "there are no pages with their originals to learn from; in a file of pairs each line is"
            ' {"spun": TEXT, "original": TEXT}'
        )
    return (
        f"none of {_told(counts.left_out)} belong together: less than {BELONGS:.0%} of a page's"
        " words are its original's. Is each page beside the text that it was made of?"
    )


def _told(documents: int) -> str:
    return f"{documents:,} document {'pair' if documents == 1 else 'pairs'}"


def _draw(stretch: Stretch) -> tuple[bytes, Stretch]:
    """A number for a stretch that is random, and the same in every run."""
    told = "\n".join(map(" ".join, stretch))
    return blake2b(told.encode("utf-8", "replace"), digest_size=8).digest(), stretch
