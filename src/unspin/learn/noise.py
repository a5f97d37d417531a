"""Which of the pairs that were counted are a spinner's? Those that edits and slips do not explain.

Somebody may have changed words of the page or of the original after it was spun, and where words
were cut wrongly there are pairs that nobody swapped. Such a pair is hardly ever seen twice, and one
of its words comes from anywhere. How many there are the most frequent words tell, for what a
spinner prints for them, or prints them for, comes again. Of the pairs that were seen once, those
whose words are about as frequent are taken or left together, by the share of them that noise
explains (the false discovery rate of Benjamini and Hochberg 1995).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from unspin.learn.stretches import Stretch

FREQUENT = 50  # places of a word that tells how much noise there is
MOST_NOISE = 0.2  # share of the pairs that are taken or left together
KNOWN_BY_CHANCE = 0.1  # of the pairs that noise makes, those that a thesaurus has
BY_CHANCE = 1e-3  # probability of noise giving a pair as often as it was seen
LEAST_PARTIAL = 3  # times that words are put before or behind a word that stays, or left out there


def without_noise(
    counts: Mapping[Stretch, int],
    kept: Mapping[str, int],
    knows: Callable[[Stretch], bool],
    surprise: Callable[[str], float],
) -> dict[Stretch, int]:
    """Return the pairs that are a spinner's, with how often each was seen.

    Args:
        counts: the pairs and how often each was seen.
        kept: how often each word was left as it was.
        knows: whether some thesaurus has a pair.
        surprise: how rare a word is, in nats.
    """
    words = {pair: count for pair, count in counts.items() if _is_words(pair)}
    phrases = {pair: count for pair, count in counts.items() if not _is_words(pair)}
    known = {pair for pair in counts if knows(pair)}
    found = _phrases(phrases, known, sum(kept.values()), sum(words.values()))
    once = {pair for pair, count in words.items() if count == 1}
    sides = _sides(counts, kept, once - known)
    for pair, count in words.items():
        if count > 1:
            chances = [side.chance(pair, surprise) for side in sides]
            if _at_least(count, math.fsum(chances)) < BY_CHANCE:
                found[pair] = count
    found.update(dict.fromkeys(_singles(once, known, sides), 1))
    return found


@dataclass(frozen=True)
class _Side:
    """What edits of one side do to the pairs: words of the other side, which stay as they are,
    stand beside words that come from anywhere.

    `fixed` and `foreign` are the numbers of these sides in a pair, `rate` the share of the places
    of a word at which that happens, `places` how often each word stands there, on either side,
    and `foreign_share` the share of the foreign words that are so frequent (`_bucket`).
    """

    fixed: int
    foreign: int
    rate: float
    places: tuple[Mapping[str, int], Mapping[str, int]]
    foreign_share: Mapping[int, float]

    def chance(self, pair: Stretch, surprise: Callable[[str], float]) -> float:
        """How often noise is expected to give this pair of words."""
        often = self.places[self.fixed][pair[self.fixed][0]]
        return self.rate * often * math.exp(-surprise(pair[self.foreign][0]))

    def expected(self, buckets: tuple[int, int], room: Counter[int]) -> float:
        """How many pairs of words noise is expected to give in two buckets; `room` has the places
        of all words that stay, by bucket."""
        return (
            self.rate
            * room[buckets[self.fixed]]
            * self.foreign_share.get(buckets[self.foreign], 0.0)
        )

    def room(self) -> Counter[int]:
        """The places of all words that stay, by bucket."""
        found: Counter[int] = Counter()
        for often in self.places[self.fixed].values():
            found[_bucket(often)] += often
        return found


def _sides(
    counts: Mapping[Stretch, int], kept: Mapping[str, int], strange: Collection[Stretch]
) -> list[_Side]:
    """What edits of the page did, and what those of the original; `strange` are the pairs of words
    that were seen once and that no thesaurus has."""
    places = Counter(kept), Counter(kept)
    for pair, count in counts.items():
        for side in (0, 1):
            for word in pair[side]:
                places[side][word] += count
    sides = []
    for fixed, foreign in ((0, 1), (1, 0)):
        frequent = {word: often for word, often in places[fixed].items() if often >= FREQUENT}
        telling = [pair for pair in strange if pair[fixed][0] in frequent]
        often = Counter(pair[fixed][0] for pair in telling)
        shares = Counter(_bucket(places[foreign][pair[foreign][0]]) for pair in telling)
        sides.append(
            _Side(
                fixed,
                foreign,
                _median([(often[word] / n, n) for word, n in frequent.items()]),
                places,
                {bucket: n / len(telling) for bucket, n in shares.items()},
            )
        )
    return sides


def _singles(
    once: Collection[Stretch], known: Collection[Stretch], sides: Collection[_Side]
) -> list[Stretch]:
    """The pairs of words that were seen once but for those that are noise."""
    alike: defaultdict[tuple[tuple[int, int], bool], list[Stretch]] = defaultdict(list)
    for pair in once:
        buckets = [_bucket(next(iter(sides)).places[i][pair[i][0]]) for i in (0, 1)]
        alike[(buckets[0], buckets[1]), pair in known].append(pair)
    rooms = [side.room() for side in sides]
    found = []
    for (buckets_of, is_known), pairs in alike.items():
        by_noise = math.fsum(
            side.expected(buckets_of, room) for side, room in zip(sides, rooms, strict=True)
        )
        if is_known:
            by_noise *= KNOWN_BY_CHANCE
        if by_noise <= MOST_NOISE * len(pairs):
            found += pairs
    return found


def _phrases(
    counts: Mapping[Stretch, int], known: Collection[Stretch], words: int, swapped: int
) -> dict[Stretch, int]:
    """The phrases but for those that are noise; `words` were kept, and `swapped` for one each."""
    partial = {pair for pair in counts if _is_partial(pair)}
    once = {p for p, n in counts.items() if n == 1 and p not in known and p not in partial}
    slips = sum(counts[pair] == 1 for pair in partial)
    # A word that slipped in or out before or behind one that was swapped looks like a phrase.
    by_noise = 2 * slips * swapped / max(words + swapped, 1)
    found = {
        pair: count
        for pair, count in counts.items()
        if pair not in once and (pair in known or pair not in partial or count >= LEAST_PARTIAL)
    }
    if by_noise <= MOST_NOISE * len(once):
        found.update(dict.fromkeys(once, 1))
    return found


def _is_words(pair: Stretch) -> bool:
    """Whether it is a word for a word."""
    return len(pair.original) == len(pair.printed) == 1


def _is_partial(pair: Stretch) -> bool:
    """Whether it leaves its first or last word as it is."""
    original, printed = pair
    return original[0] == printed[0] or original[-1] == printed[-1]


def _bucket(places: int) -> int:
    """Words that are about as frequent have the same: 1, 2 to 3, 4 to 7 places and so on."""
    return places.bit_length()


def _median(shares: Collection[tuple[float, int]]) -> float:
    """The median of shares, each with its weight; 0 of none.

    A spinner may draw anew what it prints for some frequent words, which are no noise.

    >>> _median([(0.0, 10), (0.01, 50), (0.4, 20)])
    0.01
    """
    half = sum(weight for _, weight in shares) / 2
    for share, weight in sorted(shares):
        half -= weight
        if half <= 0:
            return share
    return 0.0


def _at_least(least: int, mean: float) -> float:
    """P(so many or more), of a Poisson distribution.

    >>> round(_at_least(2, 0.1), 5)
    0.00468
    """
    below = math.fsum(mean**n / math.factorial(n) for n in range(min(least, 100)))
    return 1 - math.exp(-mean) * below
