"""What do the pages of a pile print, and what may it stand for? One pass over them, counted.

Surveys of parts of a pile add up, in any order, to that of the whole: of the places of a word and
of the pages a sample is kept, drawn by hashes of what stands there. So memory is bounded by the
vocabulary.
"""

from __future__ import annotations

import heapq
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple

from unspin.calibration import Calibration, Evidence
from unspin.lattice import Solver, Substitution, all_doubts
from unspin.learn.contexts import Place
from unspin.learn.fingerprint import Habits
from unspin.lm import BOS, EOS, LanguageModel, unknown_word
from unspin.reader import blocks
from unspin.text import CAPITAL, PROTECTED, PUNCTUATION, QUOTE, Tokens, tokenize

PLACES = 64  # of a printed word that are kept
SAMPLE = 400  # pages that are kept, each by itself
SPUN = 0.5  # probability from which a page is learned from
PUT_BACK = 0.5  # posterior from which a neighbour is taken for what it stands for


class Pair(NamedTuple):
    """A word or phrase and what may be printed for it."""

    original: str
    spun: str


# P(each pair is in the table of a spinner).
Believed = Mapping[Pair, float]


class Spot(NamedTuple):
    """A place of a word, and a number that was drawn for it."""

    draw: int
    place: Place


@dataclass
class Counts:
    """What is counted over spun pages.

    `printed` counts their words, `touchable` those that a spinner could have touched; `swapped` is
    the expected number of times that a pair was swapped, `likely` how often that was more likely
    than not. `spots` has a sample of the places of every touchable word. `habits` are how the
    spinner went about it.
    """

    pages: int = 0
    printed: Counter[str] = field(default_factory=Counter)
    touchable: Counter[str] = field(default_factory=Counter)
    swapped: defaultdict[Pair, float] = field(default_factory=lambda: defaultdict(float))
    likely: Counter[Pair] = field(default_factory=Counter)
    spots: dict[str, list[Spot]] = field(default_factory=dict)
    habits: Habits = field(default_factory=Habits)

    def add(self, other: Counts) -> None:
        """Add the counts of other pages."""
        self.pages += other.pages
        self.printed.update(other.printed)
        self.touchable.update(other.touchable)
        self.likely.update(other.likely)
        self.habits.add(other.habits)
        for pair, count in other.swapped.items():
            self.swapped[pair] += count
        for word, spots in other.spots.items():
            kept = self.spots.setdefault(word, [])
            kept.extend(spots)
            if len(kept) > 2 * PLACES:
                self.spots[word] = heapq.nsmallest(PLACES, kept)

    def places(self, word: str) -> list[Place]:
        """The places that are kept of a word: the same ones, in whatever order pages came."""
        return [place for _, place in heapq.nsmallest(PLACES, self.spots[word])]

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as plain values."""
        return {
            "pages": self.pages,
            "printed": self.printed,
            "touchable": self.touchable,
            "swapped": [[*pair, count] for pair, count in self.swapped.items()],
            "likely": [[*pair, count] for pair, count in self.likely.items()],
            "spots": {
                word: [[draw, *place] for draw, place in heapq.nsmallest(PLACES, spots)]
                for word, spots in self.spots.items()
            },
            "habits": self.habits.to_dict(),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Counts:
        """Return the counts of plain values."""
        found = cls(told["pages"], Counter(told["printed"]), Counter(told["touchable"]))
        found.habits = Habits.from_dict(told["habits"])
        for *pair, count in told["swapped"]:
            found.swapped[Pair(*pair)] = count
        for *pair, count in told["likely"]:
            found.likely[Pair(*pair)] = count
        for word, spots in told["spots"].items():
            found.spots[word] = [Spot(draw, Place(*place)) for draw, *place in spots]
        return found


@dataclass
class Survey:
    """What was found on some pages of a pile.

    `spinners` has the counts of the pages of each spinner, and clean pages are in none. Of the
    `pages` that were looked at `skipped` could not be read. `sample` has the counts of some pages
    each by itself, by a number that was drawn for it, where spinners are still to be told apart.
    """

    spinners: list[Counts] = field(default_factory=list)
    pages: int = 0
    skipped: int = 0
    sample: dict[int, Counts] = field(default_factory=dict)

    @property
    def spun(self) -> int:
        """How many pages are spun."""
        return sum(counts.pages for counts in self.spinners)

    def add(self, other: Survey) -> None:
        """Add what was found on other pages."""
        self.pages += other.pages
        self.skipped += other.skipped
        self.spinners += [Counts() for _ in other.spinners[len(self.spinners) :]]
        for counts, more in zip(self.spinners, other.spinners, strict=False):
            counts.add(more)
        self.sample |= other.sample
        for draw in sorted(self.sample)[SAMPLE:]:
            del self.sample[draw]

    def to_dict(self) -> dict[str, Any]:
        """Return the survey as plain values."""
        return {
            "pages": self.pages,
            "skipped": self.skipped,
            "spinners": [counts.to_dict() for counts in self.spinners],
            "sample": [[draw, counts.to_dict()] for draw, counts in self.sample.items()],
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Survey:
        """Return the survey of plain values."""
        return cls(
            [Counts.from_dict(counts) for counts in told["spinners"]],
            told["pages"],
            told["skipped"],
            {draw: Counts.from_dict(counts) for draw, counts in told["sample"]},
        )


class Surveyor:
    """Surveys pages with one channel."""

    def __init__(
        self, solver: Solver, calibration: Calibration, tables: Sequence[Believed] = ()
    ) -> None:
        """`tables` are those of the spinners, if they are known already; the channel has them."""
        self._solver = solver
        self._calibration = calibration
        self._tables = tables

    def survey(self, texts: Iterable[str]) -> Survey:
        """Return the survey of some texts."""
        found = Survey()
        for text in texts:
            found.add(self.look(text))
        return found

    def look(self, text: str, deadline: float = float("inf")) -> Survey:
        """Return the survey of one text; it is skipped where it is not done by the deadline, a time
        by `time.monotonic`."""
        tokens = tokenize(text)
        solutions = []
        for block in blocks(tokens):
            if time.monotonic() > deadline:
                return Survey(pages=1, skipped=1)
            solutions.append(self._solver.solve(tokens, *block))
        if self._calibration.spun(Evidence.of(all_doubts(solutions))) < SPUN:
            return Survey(pages=1)
        swaps = [swap for solution in solutions for swap in solution.substitutions()]
        page = blake2b(text.encode("utf-8", "replace"), digest_size=6).digest()
        counts = self._counts(page, tokens, swaps)
        if not self._tables:
            return Survey([counts], 1, sample={int.from_bytes(page): counts})
        spinners = [Counts() for _ in self._tables]
        spinners[likeliest(counts.swapped, self._tables)] = counts
        return Survey(spinners, 1)

    def _counts(self, page: bytes, tokens: Tokens, swaps: Sequence[Substitution]) -> Counts:
        found = Counts(1, Counter(tokens.symbol))
        found.habits.look(tokens, swaps, self._solver)
        stands_for: dict[int, str] = {}
        for swap in swaps:
            printed = " ".join(tokens.symbol[swap.token : swap.token + swap.tokens])
            for choice in swap.choices:
                pair = Pair(choice.original, printed)
                found.swapped[pair] += choice.posterior
                found.likely[pair] += choice.posterior > PUT_BACK
            if is_single(swap) and swap.choices[0].posterior > PUT_BACK:
                stands_for[swap.token] = swap.choices[0].original
        for token, place in places(tokens, stands_for, self._solver.model):
            word = tokens.symbol[token]
            found.touchable[word] += 1
            found.spots.setdefault(word, []).append(Spot(_draw(page, token), place))
        return found


def likeliest(swapped: Mapping[Pair, float], tables: Sequence[Believed]) -> int:
    """Return which table has most of the swaps of a page."""
    explained = [
        sum(count * table.get(pair, 0.0) for pair, count in swapped.items()) for table in tables
    ]
    return explained.index(max(explained))


def is_single(swap: Substitution) -> bool:
    """Whether one word was swapped for one."""
    return swap.tokens == 1 and bool(swap.choices) and " " not in swap.choices[0].original


def places(
    tokens: Tokens, stands_for: Mapping[int, str], model: LanguageModel
) -> Iterable[tuple[int, Place]]:
    """The words that a spinner could have touched, each with its place among what its neighbours
    stand for."""
    numbers = []
    for i, symbol in enumerate(tokens.symbol):
        number = model.number.get(stands_for.get(i, symbol))
        numbers.append(unknown_word(tokens.kind[i]) if number is None else number)
    starts = set(tokens.sentences)
    for i, symbol in enumerate(tokens.symbol):
        kind = tokens.kind[i]
        if kind in (PUNCTUATION, QUOTE, CAPITAL) or tokens.flags[i] & PROTECTED:
            continue
        if not symbol.isalpha():
            continue
        is_first = i == 0 or i in starts
        before = BOS if is_first else numbers[i - 1]
        second = -1 if is_first else BOS if i - 1 in starts or i == 1 else numbers[i - 2]
        is_last = i + 1 == len(numbers) or i + 1 in starts
        yield i, Place(second, before, EOS if is_last else numbers[i + 1])


def _draw(page: bytes, token: int) -> int:
    """A number for a place that is random, and the same in every run."""
    return int.from_bytes(blake2b(page + token.to_bytes(4), digest_size=6).digest())
