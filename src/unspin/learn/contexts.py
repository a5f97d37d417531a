"""For which word does a printed word stand, by the company it keeps?

Every place where a word is printed has two words before it and one behind it. A word o fits them
better than by chance by the factor P(o | before) P(behind | o) / P(o): its lift, which, unlike its
probability, does not favour the words that are frequent everywhere. Over all places of a printed
word s the log of (1 - c) + c lift(o) / lift(s) adds up, as if at each of them s stood for o with
probability c. So a pair is found that no thesaurus has.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unspin.lm import SPECIALS, UNKNOWN, LanguageModel

CHANCE = 0.6  # c above
WORDS = 30_000  # the most frequent words, which may be originals
MOST_LIFT = 1e6  # one place says no more than that
AT_ONCE = 6  # places whose lifts are multiplied before the log is taken: less than a float holds
LEAST = 1e-9  # of a probability
UNKNOWN_SHARE = 1e-7  # of one word among all that the model does not know
CACHED = 500  # words, or pairs of words, whose neighbours are kept: 120 kB each


class Place(NamedTuple):
    """Where a word is printed: the numbers of the two words before it (-1 for none) and of the one
    behind it in the language model's vocabulary."""

    second: int
    before: int
    behind: int


class Contexts:
    """A language model, asked for all words at once."""

    def __init__(self, model: LanguageModel) -> None:
        arrays = {name: np.frombuffer(view, view.format) for name, view in model.columns.items()}
        self._p, self._backoff = arrays["p1"], arrays["b1"]
        self._starts, self._words = arrays["c1"].astype(np.int64), arrays["w2"]
        self._pairs = arrays["p2"][arrays["q2"]]
        self._pair_backoff = arrays["b2"][arrays["r2"]]
        self._pair_starts, self._thirds = arrays["c2"].astype(np.int64), arrays["w3"]
        self._triples = arrays["p3"][arrays["q3"]]
        # The same pairs by their second words.
        size = len(self._p)
        firsts = np.repeat(np.arange(size, dtype=np.int32), np.diff(self._starts))
        order = np.argsort(self._words, kind="stable")
        self._firsts, self._back_pairs = firsts[order], self._pairs[order]
        self._back_starts = np.searchsorted(self._words[order], np.arange(size + 1))
        self.size = min(WORDS, size)
        self.share = np.maximum(self._p[: self.size], LEAST)
        self.is_word = np.array([word.isalpha() for word in model.words[: self.size]])
        self.is_word[: len(SPECIALS)] = False
        self._behind = lru_cache(CACHED)(self._behind_every)
        self._before = lru_cache(CACHED)(self._after_one)
        self._before_two = lru_cache(CACHED)(self._after_two)

    def fit(self, printed: int, places: Sequence[Place]) -> NDArray[np.float32]:
        """Return, for each of the first `size` words of the vocabulary, how much speaks for the
        printed word standing for it at these places, in nats."""
        total = np.zeros(self.size, np.float32)
        product = np.ones(self.size, np.float32)
        factor = np.empty(self.size, np.float32)
        for number, place in enumerate(places, 1):
            before = self._before_two(place.second, place.before)
            lift = np.multiply(before, self._behind(place.behind), out=factor)
            lift *= CHANCE / self._own(printed, place, lift)
            np.minimum(lift, CHANCE * MOST_LIFT, out=lift)
            lift += 1 - CHANCE
            product *= lift
            if number % AT_ONCE == 0 or number == len(places):
                total += np.log(product)
                product.fill(1)
        return total

    def _own(self, printed: int, place: Place, lift: NDArray[np.float32]) -> float:
        """The lift of the printed word itself, one of those of all words."""
        if printed == UNKNOWN:
            return float(self._backoff[place.before] * self._p[place.behind])
        if printed < self.size:
            return max(float(lift[printed]), LEAST * LEAST)
        backed_off = self._backoff[place.before] * self._backoff[printed]
        return float(backed_off * self._p[place.behind])

    def _after_one(self, word: int) -> NDArray[np.float32]:
        """P(each word | the word before it)."""
        likely = self._backoff[word] * self._p[: self.size]
        start, stop = self._starts[word], self._starts[word + 1]
        return self._overridden(likely, self._words[start:stop], self._pairs[start:stop])

    def _after_two(self, second: int, before: int) -> NDArray[np.float32]:
        """P(each word | the two words before it)."""
        likely: NDArray[np.float32] = self._before(before)
        pair = self._pair(second, before)
        if pair < 0:
            return likely
        start, stop = self._pair_starts[pair], self._pair_starts[pair + 1]
        return self._overridden(
            self._pair_backoff[pair] * likely, self._thirds[start:stop], self._triples[start:stop]
        )

    def _behind_every(self, word: int) -> NDArray[np.float32]:
        """P(the word | each word before it), over the share of that word itself."""
        likely = self._backoff[: self.size] * self._p[word]
        start, stop = self._back_starts[word], self._back_starts[word + 1]
        likely = self._overridden(likely, self._firsts[start:stop], self._back_pairs[start:stop])
        return np.asarray(likely / self.share)

    def _overridden(
        self,
        likely: NDArray[np.float32],
        words: NDArray[np.integer],
        known: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        within = words < self.size
        likely[words[within]] = known[within]
        return likely

    def _pair(self, first: int, second: int) -> int:
        """The position of a pair of words in the model, or -1."""
        if first < 0:
            return -1
        start, stop = int(self._starts[first]), int(self._starts[first + 1])
        found = start + int(np.searchsorted(self._words[start:stop], second))
        return found if found < stop and self._words[found] == second else -1
