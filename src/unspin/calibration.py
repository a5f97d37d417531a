"""What do the lattice's numbers mean as probabilities?

The lattice is sure of itself where the language model is, and the language model is surer than it
should be. Two logistic regressions, fitted by `train.calibrate` on pages of which the answer is
known, turn its numbers into shares that can be counted: of pages given 0.9, nine in ten are spun;
of edits given 0.9, nine in ten put the original word back.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from unspin.arrays import ModelError
from unspin.lattice import Doubt

MIN_WORDS, MAX_WORDS = 20, 2000  # a page of fewer or more words is judged as one of so many
MOST_REPEATED = 5  # occurrences of a word beyond which more say nothing
_LEAST = 1e-4


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a text being spun, in nats a word, and the number of words it is over."""

    per_word: float
    words: int

    @classmethod
    def of(cls, doubts: Sequence[Doubt]) -> Evidence:
        """The evidence in the doubts about the words of a text.

        Each different word counts once, at its most doubtful place: the subject of a page is
        printed over and over, and no more is known of it for that.
        """
        most: dict[int, float] = {}
        for _, slot, nats in doubts:
            if nats > most.get(slot, 0.0):
                most[slot] = nats
        return cls(sum(most.values()) / max(len(doubts), 1), len(doubts))


@dataclass(frozen=True, slots=True)
class Guess:
    """What is known of one likely original.

    `posterior` is the lattice's for this original, `substituted` for any, `runner_up` for the
    next best. `share` is the share of the page's substitutions from the source that has most of
    them among those that swap the two words. The same word was found substituted `repeated` times
    more in the text, and by the same original `agreeing` times.
    """

    posterior: float
    substituted: float
    runner_up: float
    share: float
    repeated: int
    agreeing: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """The two regressions: coefficients in the order of `page_terms` and `edit_terms`."""

    page: tuple[float, ...]
    edit: tuple[float, ...]

    def spun(self, evidence: Evidence) -> float:
        """P(spun) of a text."""
        if evidence.words == 0:
            return 0.0
        return _logistic(self.page, page_terms(evidence))

    def right(self, guess: Guess, evidence: Evidence, rate: float) -> float:
        """P(the original is the right one), on a page with this share of words substituted."""
        return _logistic(self.edit, edit_terms(guess, evidence, rate))

    @classmethod
    def read(cls, path: Path) -> Calibration:
        """The numbers of a file.

        Raises:
            ModelError: the file is missing or damaged.
        """
        try:
            numbers = json.loads(path.read_text())
            found = cls(tuple(map(float, numbers["page"])), tuple(map(float, numbers["edit"])))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ModelError(f"model file {path} cannot be read: {error}") from None
        blank = Evidence(0.0, 1)
        if not all(map(math.isfinite, (*found.page, *found.edit))):
            raise ModelError(f"model file {path} is damaged: install unspin again")
        lengths = len(page_terms(blank)), len(edit_terms(Guess(0, 0, 0, 0, 0, 0), blank, 0.0))
        if (len(found.page), len(found.edit)) != lengths:
            raise ModelError(f"model file {path} is of another version: install unspin again")
        return found

    def write(self, path: Path) -> None:
        """Write the numbers to a file."""
        path.write_text(json.dumps(asdict(self)) + "\n")


def page_terms(evidence: Evidence) -> tuple[float, ...]:
    """The terms that speak for a page being spun.

    A shorter page than any that was fitted counts as if filled up with words that say nothing.
    Beyond `MAX_WORDS` more words add no certainty: what is left is not chance but the distance
    between the page's subject and what the language model has read.
    """
    per_word = evidence.per_word * min(evidence.words / MIN_WORDS, 1.0)
    words = min(max(evidence.words, MIN_WORDS), MAX_WORDS)
    return 1.0, per_word, per_word * math.sqrt(words), math.log(words)


def edit_terms(guess: Guess, evidence: Evidence, rate: float) -> tuple[float, ...]:
    """The terms that speak for an original being right."""
    return (
        1.0,
        _logit(guess.posterior),
        _logit(guess.substituted),
        _logit(guess.runner_up),
        guess.share,
        min(guess.repeated, MOST_REPEATED),
        min(guess.agreeing, MOST_REPEATED),
        evidence.per_word,
        math.log(rate + 0.01),
    )


def _logit(p: float) -> float:
    return math.log(max(p, _LEAST) / max(1.0 - p, _LEAST))


def _logistic(coefficients: Sequence[float], terms: Sequence[float]) -> float:
    score = sum(b * x for b, x in zip(coefficients, terms, strict=True))
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(score, 30.0))))
