"""What share was put back, what harm was done, how well do scores tell two sets apart?"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from train.spin import Swap

_CHUNK = re.compile(r"\S+")


class Change(NamedTuple):
    """`original` is put in place of what is printed from `start` to `end`."""

    start: int
    end: int
    original: str


@dataclass(frozen=True)
class Tally:
    """Counts of one or more texts.

    `words` are those that no swap touched, `harmed` those of them that an edit changes. `right`
    edits lie exactly on a swap and put its original back, letter case aside: for a phrase, all
    of it.
    """

    swaps: int = 0
    edits: int = 0
    right: int = 0
    words: int = 0
    harmed: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.swaps + other.swaps,
            self.edits + other.edits,
            self.right + other.right,
            self.words + other.words,
            self.harmed + other.harmed,
        )

    @property
    def put_back(self) -> float | None:
        """Share of the swaps that were put back exactly."""
        return self.right / self.swaps if self.swaps else None

    @property
    def precision(self) -> float | None:
        """Share of the edits that are right."""
        return self.right / self.edits if self.edits else None

    @property
    def harm(self) -> float | None:
        """Share of the words that no swap touched that were edited."""
        return self.harmed / self.words if self.words else None


def tally(text: str, swaps: Iterable[Swap], changes: Iterable[Change]) -> Tally:
    """Compare the changes that were made to a text with the swaps that should be undone.

    >>> swaps = [Swap(3, 11, "astatine", "at")]
    >>> tally("We astatine home rest.", swaps, [Change(3, 11, "at"), Change(17, 21, "sleep")])
    Tally(swaps=1, edits=2, right=1, words=3, harmed=1)
    """
    answers = {(swap.start, swap.end): swap.original.lower() for swap in swaps}
    edits = right = 0
    edited = bytearray(len(text))
    for change in changes:
        edits += 1
        right += answers.get((change.start, change.end)) == change.original.lower()
        edited[change.start : change.end] = bytes([1]) * (change.end - change.start)
    swapped = bytearray(len(text))
    for start, end in answers:
        swapped[start:end] = bytes([1]) * (end - start)
    words = harmed = 0
    for chunk in _CHUNK.finditer(text):
        start, end = chunk.span()
        if any(swapped[start:end]) or not any(map(str.isalnum, chunk[0])):
            continue
        words += 1
        harmed += any(edited[start:end])
    return Tally(len(answers), edits, right, words, harmed)


def auc(negatives: Sequence[float], positives: Sequence[float]) -> float:
    """Probability that a positive scores higher than a negative; a tie counts half.

    Raises:
        ZeroDivisionError: there is nothing to compare.

    >>> auc([0.1, 0.2], [0.2, 0.3])
    0.875
    """
    ranked = sorted(negatives)
    below = sum(bisect_left(ranked, score) + bisect_right(ranked, score) for score in positives)
    return below / (2 * len(ranked) * len(positives))


def true_positive_rate(
    negatives: Sequence[float], positives: Sequence[float], false_positive_rate: float
) -> float:
    """Share of the positives above the lowest threshold that keeps to the false-positive rate.

    >>> true_positive_rate([0.1, 0.2, 0.3, 0.9], [0.25, 0.5, 0.95], 0.25)
    0.6666666666666666
    """
    allowed = int(false_positive_rate * len(negatives) + 1e-9)
    descending = sorted(negatives, reverse=True)
    # As many negatives as allowed may score above the next one, which must not.
    threshold = descending[allowed] if allowed < len(descending) else float("-inf")
    return sum(score > threshold for score in positives) / len(positives)
