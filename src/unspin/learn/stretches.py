"""Which words of a stretch stand for which, where many stretches are known? Phrases from counts.

Between words that are the same on both sides, a page may have other words than its original has,
and not as many. What was replaced by what there is told by all such stretches together: "and" and
"and furthermore" stand beside each other in many. As in the alignment of phrases for translation
(Marcu and Wong 2002), every stretch is cut into the pairs that are likeliest by the counts of the
other stretches, and the pairs are counted again, a few times.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from unspin.families import MAX_WORDS

Phrase = tuple[str, ...]

FIXED = ""  # stands for any word that no spinner replaces
LONGEST = 16  # words of a stretch, on either side
MOST_PRINTED = 6  # words of what is printed for a phrase; a family's file has no more than 4
ROUNDS = 4
# Natural logs, chosen on pages of the calibrate half of the documents (`train.samples.part`).
# What is believed of a pair before anything is counted: of one that the channel has; of one that
# it does not have, and for each of its words besides what the new words weigh.
KNOWN, NEW, NEW_WORD = -4.0, -3.0, -1.0
GONE = 0.3  # as much as its surprise in the printed phrase a word of the original weighs
ALONE = -30.0  # of a word that stands for nothing, or for which nothing stands
TOGETHER = -1.0  # of a phrase, whose words could have been replaced one by one
AS_MANY = -8.0  # of one with as many words as the other side, which nearly always were
SHARED = -1.5  # of each word at an end of a phrase that stays as it is: for what comes again there
CACHED = 1 << 19  # pairs, of which what is believed is kept: 200 bytes each
UNSEEN = 0.5  # is added to how often a word was kept


class Stretch(NamedTuple):
    """Words of an original, and those that the page has in their place, with some words around
    them that are the same."""

    original: Phrase
    printed: Phrase


class Channel(NamedTuple):
    """What is known of words: how rare one is, in nats; whether a pair is in some thesaurus; how
    often a phrase stands in so many words of text."""

    surprise: Callable[[str], float]
    knows: Callable[[Stretch], bool]
    share: Callable[[Phrase], float]


def cut(
    stretches: Mapping[Stretch, int],
    swapped: Mapping[Stretch, int],
    kept: Mapping[str, int],
    channel: Channel,
) -> Counter[Stretch]:
    """Return how often each pair was swapped within some stretches.

    Args:
        stretches: how often each was found.
        swapped: pairs of words that were swapped elsewhere, with how often.
        kept: how often each word was left as it was.
        channel: what is known of words.
    """
    return _Cutter(stretches, swapped, kept, channel).counts()


class _Cutter:
    def __init__(
        self,
        stretches: Mapping[Stretch, int],
        swapped: Mapping[Stretch, int],
        kept: Mapping[str, int],
        channel: Channel,
    ) -> None:
        self._stretches = sorted(stretches.items())
        self._elsewhere = swapped
        self._kept = kept
        self._channel = channel
        self._seen = Counter(kept)
        for pair, count in (*swapped.items(), *self._stretches):
            for word in pair.original:
                self._seen[word] += count
        self._words = sum(kept.values())
        self._before = lru_cache(CACHED)(self._believed)
        self._share = lru_cache(CACHED)(channel.share)
        self._count: Counter[Stretch] = Counter()
        self._of_original: Counter[Phrase] = Counter()

    def counts(self) -> Counter[Stretch]:
        # First a pair counts wherever it could be.
        own: Mapping[Stretch, Collection[Stretch]] = {
            stretch: {pair for _, _, pair in candidates(stretch)} for stretch, _ in self._stretches
        }
        self._recount(own)
        for _ in range(ROUNDS):
            cuts = {stretch: self._cut(stretch, own[stretch]) for stretch, _ in self._stretches}
            if cuts == own:
                break
            self._recount(cuts)
            own = cuts
        return self._count

    def _recount(self, cuts: Mapping[Stretch, Iterable[Stretch]]) -> None:
        self._count = Counter()
        self._of_original = Counter()
        for stretch, times in self._stretches:
            for pair in cuts[stretch]:
                self._count[pair] += times
        for pair, count in self._count.items():
            self._of_original[pair.original] = max(self._of_original[pair.original], count)

    def _cut(self, stretch: Stretch, own: Collection[Stretch]) -> list[Stretch]:
        """The likeliest pairs, in order; `own` are those that were counted here."""
        original, printed = stretch
        rows, columns = len(original), len(printed)
        pairs: dict[tuple[int, int], list[tuple[Stretch, float]]] = defaultdict(list)
        for i, j, pair in candidates(stretch):
            pairs[i, j].append((pair, self._odds(pair, pair in own)))
        best = [[-math.inf] * (columns + 1) for _ in range(rows + 1)]
        step = [[(0, 0)] * (columns + 1) for _ in range(rows + 1)]
        best[0][0] = 0.0
        for i in range(rows + 1):
            for j in range(columns + 1):
                steps = [
                    (len(pair.original), len(pair.printed), odds) for pair, odds in pairs[i, j]
                ]
                if i < rows:
                    steps.append((1, 0, ALONE))
                if j < columns:
                    steps.append((0, 1, ALONE))
                if i < rows and j < columns and original[i] == printed[j]:
                    steps.append((1, 1, self._left(original[i])))
                for here, there, odds in steps:
                    if best[i][j] + odds > best[i + here][j + there]:
                        best[i + here][j + there] = best[i][j] + odds
                        step[i + here][j + there] = here, there
        found = []
        i, j = rows, columns
        while i or j:
            here, there = step[i][j]
            pair = Stretch(original[i - here : i], printed[j - there : j])
            if here and there and pair.original != pair.printed:
                found.append(pair)
            i, j = i - here, j - there
        return found[::-1]

    def _odds(self, pair: Stretch, is_own: bool) -> float:  # noqa: FBT001
        """Log P(the original is replaced, and by this), by what was counted elsewhere."""
        count = self._count[pair] + self._elsewhere.get(pair, 0) - is_own
        odds = math.log((count + self._before(pair)) / (self._often(pair.original) + 1))
        if len(pair.original) == len(pair.printed):
            return odds if len(pair.original) == 1 else odds + AS_MANY
        return odds + TOGETHER + SHARED * shared(pair)

    def _left(self, word: str) -> float:
        """Log P(a word is left as it is)."""
        if word == FIXED:
            return 0.0
        return math.log((self._kept.get(word, 0) + UNSEEN) / (self._seen[word] + 1))

    def _often(self, original: Phrase) -> float:
        """How often an original stands there: counted of a word, by the language model else."""
        if len(original) == 1:
            return self._seen[original[0]]
        return max(self._words * self._share(original), self._of_original[original])

    def _believed(self, pair: Stretch) -> float:
        channel = self._channel
        if channel.knows(pair):
            return math.exp(KNOWN)
        original, printed = set(pair.original), set(pair.printed)
        weight = math.fsum(channel.surprise(word) for word in sorted(printed - original))
        weight += GONE * math.fsum(channel.surprise(word) for word in sorted(original - printed))
        words = len(pair.original) + len(pair.printed)
        return math.exp(NEW + NEW_WORD * words - weight)


def shared(pair: Stretch) -> int:
    """Return how many words at the ends of a pair are the same, a word of each side left over.

    >>> shared(Stretch(("one", "of", "the"), ("one", "of", "the", "numerous")))
    2
    """
    original, printed = pair
    most = min(len(original), len(printed)) - 1
    before = min(_alike(original, printed), most)
    return before + min(_alike(original[::-1], printed[::-1]), most - before)


def candidates(stretch: Stretch) -> Iterator[tuple[int, int, Stretch]]:
    """Yield the pairs that may stand in a stretch, each with the places where it begins.

    Before the first word and behind the last one that differ, word stands beside word.

    >>> [pair for _, _, pair in candidates(Stretch(("if", "it"), ("in", "case", "it")))][:2]
    [Stretch(original=('if',), printed=('in',)), Stretch(original=('if',), printed=('in', 'case'))]
    """
    original, printed = stretch
    rows, columns = len(original), len(printed)
    before = _alike(original, printed)
    behind = _alike(original[before:][::-1], printed[before:][::-1])
    for i in range(rows):
        for j in range(columns):
            if min(i, j) < before and i != j:
                continue
            for i_end in range(i + 1, min(i + MAX_WORDS, rows) + 1):
                for j_end in range(j + 1, min(j + MOST_PRINTED, columns) + 1):
                    left, right = rows - i_end, columns - j_end
                    if min(left, right) < behind and left != right:
                        continue
                    pair = Stretch(original[i:i_end], printed[j:j_end])
                    if pair.original != pair.printed and FIXED not in (
                        *original[i:i_end],
                        *printed[j:j_end],
                    ):
                        yield i, j, pair


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words are the same on both sides, from the beginning."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
