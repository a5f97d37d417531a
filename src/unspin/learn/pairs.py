"""Which pairs belong to a spinner's table? What speaks for each, and a calibrated probability.

A pair that is in the table is swapped where its originals are missing and what is printed for them
is more frequent than the language has it. A logistic regression over such terms and their products
two by two, fitted by `train.learn` on piles of other spinners, makes a probability of it.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unspin import arrays
from unspin.arrays import ModelError
from unspin.learn.contexts import UNKNOWN_SHARE, Contexts
from unspin.learn.survey import Counts, Pair
from unspin.lm import UNKNOWN, LanguageModel
from unspin.thesaurus import Thesaurus

LEAST_PLACES = 2  # of a printed word, to look for an original that no thesaurus has
KEPT, KEPT_KNOWN = 8, 4  # originals by their places that are looked into; those of thesauri
NEAR = 8.0  # nats that they may be behind the best
NOTABLE = 0.25  # expected swaps of a pair that is looked into
IN_THESAURUS = 5.0  # nats that it speaks for an original that a thesaurus has it
SPREAD = 0.7  # of the log of how frequent a word and what is printed for it are
MISSING = -1.0  # log of how frequent an original still is, below which it speaks for a pair
WORST, BEST = -20.0, 100.0  # of the fit of a pair
RARITY = 12.0  # units of -log P in which the file has how rare words are, one byte each


class Clue(NamedTuple):
    """What speaks for a pair.

    `swapped` is the expected number of swaps, `likely` how many were more likely than not,
    `printed` how often the spun word is printed, `natural` how often it would be in clean text of
    that length; `left` and `expected` are the same of the original. `of_original` and `of_spun`
    are the expected swaps of all pairs with that original, or that spun word. `fit` says how well
    the original fits the places, in nats, `margin` how much better than the next or worse than the
    best, `known_margin` the same among those that a thesaurus has, and `rival` among all words
    that may be printed for the original. `is_best` says whether there is no better one for the
    places, `is_known` whether a thesaurus has it.
    """

    swapped: float
    likely: int
    printed: int
    natural: float
    left: int
    expected: float
    of_original: float
    of_spun: float
    fit: float
    margin: float
    known_margin: float
    rival: float
    is_best: bool
    is_known: bool


class Fit(NamedTuple):
    """How well an original fits the places of a printed word, beside the others; see `Clue`."""

    nats: float
    margin: float
    known_margin: float
    is_best: bool


# Of a phrase, or of a word whose places were not looked at.
NOT_SEEN = Fit(WORST, WORST, WORST, is_best=False)
_BLANK = Clue(0.0, 0, 0, 0.0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, is_best=False, is_known=False)


class Clues:
    """Finds the pairs that a survey suggests, and what speaks for them."""

    def __init__(
        self, model: LanguageModel, thesaurus: Thesaurus, frequency: NDArray[np.float32]
    ) -> None:
        """`frequency` is the share of each word of the model's vocabulary among all words."""
        self._model = model
        self._frequency = frequency
        self._thesaurus = thesaurus
        self._contexts = Contexts(model)
        self._known = cache(self._originals)

    def find(self, counts: Counts) -> dict[Pair, Clue]:
        """Return the pairs that may be in the table of who spun the pages of some counts."""
        words = sum(counts.printed.values())
        of_original: defaultdict[str, float] = defaultdict(float)
        of_spun: defaultdict[str, float] = defaultdict(float)
        for (original, spun), count in counts.swapped.items():
            of_original[original] += count
            of_spun[spun] += count
        fits = self._fits(counts, words)
        rivals = _rivals(fits)
        found = fits.keys() | {p for p, count in counts.swapped.items() if count >= NOTABLE}
        clues = {}
        for pair in sorted(found):
            fit = fits.get(pair, NOT_SEEN)
            clues[pair] = Clue(
                swapped=counts.swapped.get(pair, 0.0),
                likely=counts.likely[pair],
                printed=_count(counts.printed, pair.spun),
                natural=words * self._share(pair.spun),
                left=_count(counts.printed, pair.original),
                expected=words * self._share(pair.original),
                of_original=of_original[pair.original],
                of_spun=of_spun[pair.spun],
                fit=fit.nats,
                margin=fit.margin,
                known_margin=fit.known_margin,
                rival=rivals.get(pair, WORST),
                is_best=fit.is_best,
                is_known=self._model.number.get(pair.original) in self._known(pair.spun),
            )
        return clues

    def _fits(self, counts: Counts, words: int) -> dict[Pair, Fit]:
        """How well originals fit the places of each printed word: those that fit best, those that
        fit best of what a thesaurus has, and those that the lattice suggests."""
        contexts, model = self._contexts, self._model
        expected = words * self._frequency[: contexts.size]
        left = np.array([counts.printed[word] for word in model.words[: contexts.size]])
        missing = np.log((left + 0.5) / (expected + 0.5))
        scores = -np.maximum(missing - MISSING, 0.0)
        suggested = self._suggested(counts)
        found = {}
        for spun in sorted(counts.spots):
            count = counts.touchable[spun]
            if count < LEAST_PLACES and spun not in suggested:
                continue
            number = model.number.get(spun, UNKNOWN)
            places = counts.places(spun)
            total = contexts.fit(number, places) * math.sqrt(count / len(places)) + scores
            # Words come in bursts: an original may be far more frequent than it usually is.
            total -= 2 * np.log1p(np.log(count / expected) ** 2 / (2 * SPREAD**2))
            known = np.array([k for k in self._known(spun) if k < contexts.size], np.int64)
            total[known] += IN_THESAURUS
            total[~contexts.is_word] = -np.inf
            if number < contexts.size:
                total[number] = -np.inf
            best, best_known = _best(total, KEPT), known[_best(total[known], KEPT_KNOWN)]
            surplus = math.log((count + 0.5) / (words * self._share(spun) + 0.5))
            near = [k for k in best if total[k] > max(total[best[0]] - NEAR, -surplus)]
            if count < LEAST_PLACES:
                near, best_known = [], best_known[:0]
            for k in {*near, *best_known, *suggested.get(spun, ())}:
                if total[k] > WORST:
                    found[Pair(model.words[k], spun)] = Fit(
                        float(total[k]),
                        _margin(total, k, best),
                        _margin(total, k, best_known),
                        is_best=k == best[0],
                    )
        return found

    def _suggested(self, counts: Counts) -> dict[str, list[int]]:
        """By the printed word, the originals that the lattice suggests for it."""
        found: dict[str, list[int]] = {}
        for (original, spun), count in counts.swapped.items():
            number = self._model.number.get(original)
            if count >= NOTABLE and number is not None and number < self._contexts.size:
                found.setdefault(spun, []).append(number)
        return found

    def _originals(self, spun: str) -> frozenset[int]:
        """The numbers of the words that a thesaurus has for a printed one."""
        thesaurus = self._thesaurus
        entry = thesaurus.number.get(spun)
        if entry is None:
            return frozenset()
        return frozenset(thesaurus.original[thesaurus.first[entry] : thesaurus.first[entry + 1]])

    def _share(self, words: str) -> float:
        """The share of a word, or of the rarest of a phrase's, in clean text."""
        numbers = (self._model.number.get(word) for word in words.split(" "))
        return min(UNKNOWN_SHARE if n is None else float(self._frequency[n]) for n in numbers)


def _best(total: NDArray[np.float32], number: int) -> NDArray[np.int64]:
    """Where the highest totals are, the highest first."""
    if len(total) > number:
        best = np.argpartition(-total, number)[:number]
        return best[np.argsort(-total[best], kind="stable")]
    return np.argsort(-total, kind="stable")


def _margin(total: NDArray[np.float32], number: int, best: NDArray[np.int64]) -> float:
    """How much better one is than the best of the others, or worse."""
    others = [k for k in best[:2] if k != number]
    return float(total[number] - total[others[0]]) if others else -WORST


def _rivals(fits: Mapping[Pair, Fit]) -> dict[Pair, float]:
    """How much better each pair fits than the others with its original, or worse."""
    by_original: defaultdict[str, list[float]] = defaultdict(list)
    for pair, fit in fits.items():
        by_original[pair.original].append(fit.nats)
    found = {}
    for pair, fit in fits.items():
        highest = heapq.nlargest(2, by_original[pair.original])
        others = highest[1:] if fit.nats == highest[0] else highest
        found[pair] = fit.nats - others[0] if others else -WORST
    return found


def _count(printed: Counter[str], words: str) -> int:
    return min(printed[word] for word in words.split(" "))


def terms(clue: Clue) -> tuple[float, ...]:
    """The terms that speak for a pair; products come to them in `Belief`."""
    return (
        math.log(clue.swapped + 0.1),
        min(clue.swapped / max(clue.printed, 1), 1.0),
        (clue.swapped + 0.1) / (clue.of_original + 0.1),
        (clue.swapped + 0.1) / (clue.of_spun + 0.1),
        math.log((clue.printed + 0.5) / (clue.natural + 0.5)),
        math.log((clue.left + 0.5) / (clue.expected + 0.5)),
        math.log(max(clue.printed, 1)),
        min(max(clue.fit, WORST), BEST) / 5,
        math.log1p(max(clue.fit, 0.0)),
        max(min(clue.margin, 15.0), -15.0) / 5,
        max(min(clue.known_margin, 15.0), -15.0) / 5,
        max(min(clue.rival, 30.0), -30.0) / 5,
        float(clue.is_best),
        float(clue.is_known),
        min(clue.likely / max(clue.printed, 1), 1.0),
        math.log(clue.likely + 1),
        math.log(clue.expected + 1),
    )


# Of one pass: the mean and spread of every term, and the coefficients of a constant, the terms and
# their products two by two.
Regression = tuple[Sequence[float], Sequence[float], Sequence[float]]


@dataclass(frozen=True, slots=True)
class Belief:
    """What is known beforehand: a regression for each pass, and how frequent each word of the
    language model's vocabulary is, as a share of all words."""

    passes: tuple[Regression, ...]
    frequency: NDArray[np.float32]

    def probability(self, clues: Sequence[Clue], number: int) -> NDArray[np.float64]:
        """P(each pair is in the table), in a pass, the first of which is number 0."""
        mean, spread, weights = self.passes[min(number, len(self.passes) - 1)]
        rows = products(np.array([terms(clue) for clue in clues]), mean, spread)
        score = np.clip(rows @ np.array(weights), -30, 30)
        return np.asarray(1 / (1 + np.exp(-score)))

    @classmethod
    def read(cls, path: Path) -> Belief:
        """What a file says.

        Raises:
            ModelError: the file is missing, damaged or of another version.
        """
        file = arrays.read(path, "belief")
        size = len(terms(_BLANK))
        lengths = (size, size, 1 + size + size * (size + 1) // 2)
        passes = tuple((one["mean"], one["spread"], one["weights"]) for one in file.meta["passes"])
        if any(tuple(map(len, one)) != lengths for one in passes):
            raise ModelError(f"model file {path} is of another version: install unspin again")
        rarity = np.frombuffer(file.arrays["rarity"], np.uint8)
        return cls(passes, np.exp(rarity / np.float32(-RARITY)))

    def write(self, path: Path) -> None:
        """Write it to a file."""
        passes = [
            {"mean": list(mean), "spread": list(spread), "weights": list(weights)}
            for mean, spread, weights in self.passes
        ]
        rarity = np.clip(np.round(-RARITY * np.log(self.frequency)), 0, 255).astype(np.uint8)
        arrays.write(path, "belief", {"passes": passes}, {"rarity": rarity})


def products(
    rows: NDArray[np.float64], mean: Sequence[float], spread: Sequence[float]
) -> NDArray[np.float64]:
    """A constant, the terms in units of their spread, and their products two by two."""
    rows = (rows.reshape(-1, len(mean)) - np.array(mean)) / np.array(spread)
    first, second = np.triu_indices(rows.shape[1])
    return np.hstack([np.ones((len(rows), 1)), rows, rows[:, first] * rows[:, second]])
