"""Which pages of a pile are of one spinner? A mixture, the number of whose parts the pages decide.

A spinner is known by what it prints for a word: a page's swaps are drawn from P(spun | original) of
one part of the mixture (Dempster, Laird, Rubin 1977). Whatever a page is about decides which words
it has, but not what stands for them, so that subjects are not taken for spinners. There are as many
parts as explain pages best that they have not been fitted on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unspin.learn.survey import Pair

MOST = 8  # spinners
STARTS = 12  # at random, of which the best is taken
ROUNDS = 30  # of expectation and maximisation
SMOOTHING = 2.0  # swaps of all pages together that every part is given of an original
GAIN = 0.03  # nats a swap that another spinner has to be worth on pages that it was not fitted on
PATIENCE = 1  # spinners more that are tried, when one more is worth nothing
HELD_OUT = 4  # every so many pages
LEAST_PAGES = 2  # that a pair is on

Matrix = NDArray[np.float64]


def spinners(pages: Sequence[Mapping[Pair, float]]) -> list[int]:
    """Return the number of each page's spinner, the one with most pages first; -> one a page.

    `pages` are expected swaps of each.
    """
    table = _tabulated(pages)
    if not table.counts.size:
        return [0] * len(pages)
    held = np.arange(len(pages)) % HELD_OUT == 0
    swaps = max(float(table.counts[held].sum()), 1.0)
    best, worth = 1, _fit(table, ~held, 1).score(table, held)
    for number in range(2, min(MOST, int((~held).sum())) + 1):
        score = _fit(table, ~held, number).score(table, held)
        if score - worth > GAIN * swaps:
            best, worth = number, score
        elif number > best + PATIENCE:
            break
    labels = _fit(table, np.ones(len(pages), bool), best).labels(table)
    order = [label for label, _ in Counter(labels).most_common()]
    return [order.index(label) for label in labels]


class _Table(NamedTuple):
    """Swaps: a row a page and a column a pair; `original` numbers the original of each pair."""

    counts: Matrix
    original: NDArray[np.int64]

    def conditional(self, counts: Matrix) -> Matrix:
        """P(spun | original) of every pair, from counts of some pages."""
        total = np.bincount(self.original, counts, minlength=1)
        return np.asarray(counts / np.maximum(total, 1e-12)[self.original])


class _Mixture(NamedTuple):
    """How likely each part is, and the log of P(spun | original) in it, a row a part."""

    share: Matrix
    logs: Matrix

    def joint(self, table: _Table) -> Matrix:
        """log P(page, part): a row a page."""
        return np.asarray(table.counts @ self.logs.T + np.log(self.share))

    def score(self, table: _Table, pages: NDArray[np.bool_]) -> float:
        """log P(pages)."""
        return float(np.logaddexp.reduce(self.joint(table)[pages], axis=1).sum())

    def labels(self, table: _Table) -> list[int]:
        """The likeliest part of each page."""
        return [int(part) for part in self.joint(table).argmax(axis=1)]


def _tabulated(pages: Sequence[Mapping[Pair, float]]) -> _Table:
    on = Counter(pair for page in pages for pair in page)
    pairs = sorted(pair for pair, count in on.items() if count >= LEAST_PAGES)
    column = {pair: i for i, pair in enumerate(pairs)}
    counts = np.zeros((len(pages), len(pairs)))
    for row, page in zip(counts, pages, strict=True):
        for pair, count in page.items():
            if pair in column:
                row[column[pair]] = count
    originals = {pair.original: 0 for pair in pairs}
    number = {original: i for i, original in enumerate(originals)}
    return _Table(counts, np.array([number[pair.original] for pair in pairs], np.int64))


def _fit(table: _Table, pages: NDArray[np.bool_], number: int) -> _Mixture:
    """The best mixture of so many parts for some of the pages."""
    chance = Random(number)
    fitted = [_climb(table, pages, number, chance) for _ in range(STARTS if number > 1 else 1)]
    return max(fitted, key=lambda mixture: mixture.score(table, pages))


def _climb(table: _Table, pages: NDArray[np.bool_], number: int, chance: Random) -> _Mixture:
    """The mixture that some of the pages, each of them a part, lead to."""
    counts = table.counts[pages]
    background = table.conditional(counts.sum(axis=0) + 1e-3)
    seeds = chance.sample(range(len(counts)), number)
    parts = counts[seeds]
    share = np.full(number, 1 / number)
    mixture = _Mixture(share, _logs(table, parts, background))
    for _ in range(ROUNDS):
        joint = counts @ mixture.logs.T + np.log(mixture.share)
        belongs = np.exp(joint - np.logaddexp.reduce(joint, axis=1, keepdims=True))
        share = (belongs.sum(axis=0) + 1) / (len(counts) + number)
        mixture = _Mixture(share, _logs(table, belongs.T @ counts, background))
    return mixture


def _logs(table: _Table, parts: Matrix, background: Matrix) -> Matrix:
    smoothed = parts + SMOOTHING * background
    return np.log(np.stack([table.conditional(part) for part in smoothed]))
