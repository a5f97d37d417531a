"""Count n-grams and estimate a pruned 4-gram model with modified Kneser-Ney smoothing.

Chen and Goodman, "An Empirical Study of Smoothing Techniques for Language Modeling" (1998),
interpolated; pruning by weighted difference (Seymore and Rosenfeld, 1996).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unspin.lm import BOS, EOS, Level

ORDER = 4
_WORD = np.uint64(0xFFFF)
_16 = np.uint64(16)

Keys = NDArray[np.uint64]
Floats = NDArray[np.float64]
Estimates = tuple[Keys, Floats]


class Counts(NamedTuple):
    """Distinct n-grams of one order, sorted; a key holds the words in 16 bits each, last lowest."""

    keys: Keys
    counts: NDArray[np.int64]
    shared: NDArray[np.bool_]  # seen in two documents or more


def count(ids: NDArray[np.uint16], document: NDArray[np.int64], order: int) -> Counts:
    """Count the n-grams of one order; none crosses a sentence, and `<s>` stands before each."""
    ids, document = _with_bos(ids, document)
    keys = np.zeros(len(ids), np.uint64)
    inside = np.ones(len(ids), bool)
    for back in range(order - 1, -1, -1):
        shifted = np.roll(ids, back)
        keys = keys << _16 | shifted.astype(np.uint64)
        if back:
            inside &= shifted != EOS
    inside[: order - 1] = False
    if order == 1:
        inside &= ids != BOS
    keys, document = keys[inside], document[inside]
    by_key = np.argsort(keys)
    keys, document = keys[by_key], document[by_key]
    starts = _runs(keys)
    counts = np.diff(np.append(starts, len(keys)))
    shared = np.minimum.reduceat(document, starts) != np.maximum.reduceat(document, starts)
    return Counts(keys[starts], counts, shared)


def _with_bos(
    ids: NDArray[np.uint16], document: NDArray[np.int64]
) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    starts = np.flatnonzero(np.append(True, ids[:-1] == EOS))
    return np.insert(ids, starts, BOS), np.insert(document, starts, document[starts])


def _runs(keys: Keys) -> NDArray[np.int64]:
    return np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))


def estimate(raw: list[Counts], vocabulary: int) -> list[Estimates]:
    """Interpolated modified Kneser-Ney probabilities of all counted n-grams, order by order.

    Below the highest order an n-gram counts as often as different words precede it, unless it
    starts a sentence.
    """
    levels: list[Estimates] = []
    for order in range(1, ORDER + 1):
        keys, counts = raw[order - 1].keys, raw[order - 1].counts
        if order < ORDER:
            counts = _continuations(raw[order], keys, counts, order)
        discounts = _discounts(counts)
        capped = np.minimum(counts, 3)
        discounted = counts - discounts[capped]
        histories = keys >> _16
        starts = _runs(histories)
        run = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(keys))))
        totals = np.add.reduceat(counts, starts).astype(float)
        removed = np.add.reduceat(discounts[capped], starts)
        if order == 1:
            lower = np.full(len(keys), 1.0 / vocabulary)
        else:
            mask = np.uint64((1 << 16 * (order - 1)) - 1)
            lower_keys, lower_p = levels[-1]
            lower = lower_p[np.searchsorted(lower_keys, keys & mask)]
        p = discounted / totals[run] + (removed / totals)[run] * lower
        if order == 1:
            p, keys = _all_words(keys, p, removed[0] / totals[0], vocabulary)
        levels.append((keys, p))
    return levels


def _all_words(keys: Keys, p: Floats, free: float, vocabulary: int) -> tuple[Floats, Keys]:
    """Every word of the vocabulary gets a unigram; `<s>`, never predicted, next to none."""
    full = np.full(vocabulary, free / vocabulary)
    full[keys.astype(np.int64)] = p
    full[BOS] = 1e-99
    return full / full.sum(), np.arange(vocabulary, dtype=np.uint64)


def _continuations(
    higher: Counts, keys: Keys, counts: NDArray[np.int64], order: int
) -> NDArray[np.int64]:
    mask = np.uint64((1 << 16 * order) - 1)
    suffixes = higher.keys & mask
    suffixes.sort()
    starts = _runs(suffixes)
    preceding = np.zeros(len(keys), np.int64)
    preceding[np.searchsorted(keys, suffixes[starts])] = np.diff(np.append(starts, len(suffixes)))
    first = keys >> np.uint64(16 * (order - 1))
    return np.where((first == BOS) | (preceding == 0), counts, preceding)


def _discounts(counts: NDArray[np.int64]) -> Floats:
    n1, n2, n3, n4 = (int((counts == k).sum()) for k in range(1, 5))
    if not (n1 and n2 and n3 and n4):
        return np.array([0.0, 0.5, 0.75, 0.9])  # too little text to estimate from
    y = n1 / (n1 + 2 * n2)
    discounts = [0.0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
    return np.minimum(np.maximum(discounts, 0.0), [0.0, 0.99, 1.99, 2.99])


def prune(raw: list[Counts], levels: list[Estimates], sizes: tuple[int, int, int]) -> list[Level]:
    """Keep about `sizes` bigrams, trigrams and 4-grams, and renormalise.

    An n-gram is a candidate if two documents or more have it; kept are those that lose most by
    backing off, their count times the log-ratio of their probability with and without, and the
    contexts that the kept ones need.
    """
    kept: list[NDArray[np.bool_]] = [np.ones(len(levels[0][0]), bool)]
    kept += [np.zeros(0, bool)] * 3
    needed: Keys = np.zeros(0, np.uint64)
    for order in range(ORDER, 1, -1):
        counted, (keys, p) = raw[order - 1], levels[order - 1]
        mask = np.uint64((1 << 16 * (order - 1)) - 1)
        lower_keys, lower_p = levels[order - 2]
        lower = lower_p[np.searchsorted(lower_keys, keys & mask)]
        gain = counted.counts * np.log(p / lower)
        gain[~counted.shared] = -np.inf
        context = np.zeros(len(keys), bool)
        context[np.searchsorted(keys, needed)] = True
        room = max(sizes[order - 2] - int(context.sum()), 0)
        gain[context] = np.inf
        candidates = np.flatnonzero(np.isfinite(gain) & (gain > 0))
        best = candidates[np.argsort(-gain[candidates])[:room]]
        context[best] = True
        kept[order - 1] = context
        needed = np.unique(keys[context] >> _16)
    return renormalise([(keys[k], p[k]) for (keys, p), k in zip(levels, kept, strict=True)])


def renormalise(levels: list[Estimates]) -> list[Level]:
    """Back-off weights that make every kept context sum to one."""
    finished: list[Level] = []
    for order, (keys, p) in enumerate(levels, start=1):
        backoff = np.ones(len(keys))
        if order < ORDER:
            next_keys, next_p = levels[order]
            mask = np.uint64((1 << 16 * order) - 1)
            lower = _backed_off(levels, finished, next_keys & mask, order)
            contexts = np.searchsorted(keys, next_keys >> _16)
            explicit = np.bincount(contexts, next_p, len(keys))
            implicit = np.bincount(contexts, lower, len(keys))
            free = np.maximum(1 - explicit, 1e-9) / np.maximum(1 - implicit, 1e-9)
            backoff = np.where(explicit > 0, free, 1.0)
        finished.append(Level(keys, np.log10(p), np.log10(backoff)))
    return finished


def _backed_off(levels: list[Estimates], finished: list[Level], keys: Keys, order: int) -> Floats:
    """P of n-grams of an order under the levels up to it, backing off where they are not kept."""
    kept, p = levels[order - 1]
    at = np.minimum(np.searchsorted(kept, keys), len(kept) - 1)
    found = kept[at] == keys
    result = np.where(found, p[at], 0.0)
    if order > 1 and not found.all():
        missing = keys[~found]
        contexts = finished[order - 2]
        at = np.minimum(np.searchsorted(contexts.keys, missing >> _16), len(contexts.keys) - 1)
        weight = np.where(contexts.keys[at] == missing >> _16, 10 ** contexts.log_backoff[at], 1.0)
        mask = np.uint64((1 << 16 * (order - 1)) - 1)
        result[~found] = weight * _backed_off(levels, finished, missing & mask, order - 1)
    return result
