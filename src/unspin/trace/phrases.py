"""Which words of a short stretch stand for which, where page and source have not as many?

Between words that are the same in both, a spinner may have printed several words for one, or one
for several. Every way of cutting the two into corresponding pieces is tried, by dynamic
programming; the best has most words that are the same, pairs that the channel explains and phrases
that it knows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

# What a piece of each kind is worth; a word that is the same in both, as much as it is rare.
SAME, SAME_MOST = 0.25, 2.0  # of its surprise in nats; at most
EXPLAINED = 1.5  # a word that the channel explains
KNOWN = 2.5  # a phrase that it knows
OTHER = -1.0  # a word for another, without an explanation
PHRASE, PHRASE_WORD = -1.2, -0.3  # a phrase that nobody knows; each of its words
ALONE = -6.0  # a word that stands for nothing, or for which nothing stands: only in long stretches
LONGEST = 4  # words of a phrase that nobody knows, against one
MOST_CELLS = 2_500  # of the table: a longer stretch is not looked into

# How much of the page and of the source a phrase that nobody knows may take.
_UNKNOWN = [
    (1, 2), (2, 1), (1, 3), (3, 1), (1, 4), (4, 1), (2, 3), (3, 2), (2, 4), (4, 2),
]  # fmt: skip


class Piece(NamedTuple):
    """Words of the page, and the words of the source that they stand for, by their numbers in
    the stretch; either may be none."""

    first: int
    last: int
    source_first: int
    source_last: int


class Judge(NamedTuple):
    """What a cutting is judged by.

    `surprise` is how rare a word is, in nats; `explains` whether the channel makes a word of the
    page (the first) of one of the source; `phrases` has the originals of a printed phrase.
    """

    surprise: Callable[[str], float]
    explains: Callable[[str, str], bool]
    phrases: Callable[[str], Sequence[tuple[str, ...]]]


def pieces(page: Sequence[str], source: Sequence[str], judge: Judge) -> list[Piece]:
    """Return the best cutting of a stretch, in order; none at all if it is too long.

    >>> known = {"on the off chance that": [("if",)]}
    >>> judge = Judge(lambda word: 4.0, lambda one, other: False, lambda text: known.get(text, []))
    >>> page = "see on the off chance that it".split()
    >>> [tuple(piece) for piece in pieces(page, ["see", "if", "it"], judge)]
    [(0, 1, 0, 1), (1, 6, 1, 2), (6, 7, 2, 3)]
    """
    rows, columns = len(page), len(source)
    if (rows + 1) * (columns + 1) > MOST_CELLS:
        return []
    best = [[float("-inf")] * (columns + 1) for _ in range(rows + 1)]
    step = [[(0, 0)] * (columns + 1) for _ in range(rows + 1)]
    best[0][0] = 0.0
    for i in range(rows + 1):
        known = _known(page, i, judge)
        for j in range(columns + 1):
            for here, there, worth in _steps(page, source, i, j, known, judge):
                total = best[i][j] + worth
                if total > best[i + here][j + there]:
                    best[i + here][j + there] = total
                    step[i + here][j + there] = here, there
    found = []
    i, j = rows, columns
    while i or j:
        here, there = step[i][j]
        found.append(Piece(i - here, i, j - there, j))
        i, j = i - here, j - there
    return found[::-1]


def _known(page: Sequence[str], i: int, judge: Judge) -> list[tuple[int, tuple[str, ...]]]:
    """The phrases of the channel that begin at a word: how many words each has, and an original."""
    return [
        (size, original)
        for size in range(1, min(len(page) - i, LONGEST + 2) + 1)
        for original in judge.phrases(" ".join(page[i : i + size]))
    ]


def _steps(
    page: Sequence[str],
    source: Sequence[str],
    i: int,
    j: int,
    known: Sequence[tuple[int, tuple[str, ...]]],
    judge: Judge,
) -> list[tuple[int, int, float]]:
    """The pieces that may begin here: words of the page, words of the source, what it is worth."""
    rows, columns = len(page) - i, len(source) - j
    steps = []
    if rows:
        steps.append((1, 0, ALONE))
    if columns:
        steps.append((0, 1, ALONE))
    if rows and columns:
        steps.append((1, 1, _pair(page[i], source[j], judge)))
    for size, original in known:
        if tuple(source[j : j + len(original)]) == original:
            steps.append((size, len(original), KNOWN))
    steps += [
        (here, there, PHRASE + PHRASE_WORD * (here + there))
        for here, there in _UNKNOWN
        if here <= rows and there <= columns
    ]
    return steps


def _pair(printed: str, original: str, judge: Judge) -> float:
    if printed == original:
        return min(SAME * judge.surprise(printed), SAME_MOST)
    return EXPLAINED if judge.explains(printed, original) else OTHER
