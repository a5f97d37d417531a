"""What does an alignment say of an article being the source of a page? A calibrated probability.

A report of the same event shares names, numbers and whole quotations with a page, so that words in
common are no proof; how much of the page an article explains, in whole sentences, nearly is. A
logistic regression, fitted by `train.trace` on pages whose sources are known or are not indexed,
makes a probability of it.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from unspin.arrays import ModelError

_LEAST = 0.05  # share of a whole; less is as good as nothing, and more than the rest as all


class Evidence(NamedTuple):
    """What an alignment says.

    `words` is how many the page has, `covered` how many of them stand in passages of the article
    and in none of a better one, `touched` how many stand in sentences that have such a word. Words
    that only other articles have count in neither `words` nor `touched`.
    """

    words: int
    covered: int
    touched: int


@dataclass(frozen=True, slots=True)
class Belief:
    """The regression: coefficients in the order of `source_terms`."""

    source: tuple[float, ...]

    def probability(self, evidence: Evidence) -> float:
        """P(the page, or part of it, was taken from the article).

        >>> belief = Belief((-13.0, 2.0, 2.0, 1.5))
        >>> belief.probability(Evidence(400, 396, 398)) > 0.99
        True
        """
        if not evidence.covered:
            return 0.0
        score = sum(b * x for b, x in zip(self.source, source_terms(evidence), strict=True))
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(score, 30.0))))

    @classmethod
    def read(cls, path: Path) -> Belief:
        """The numbers of a file.

        Raises:
            ModelError: the file is missing, damaged or of another version.
        """
        try:
            found = cls(tuple(map(float, json.loads(path.read_text())["source"])))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ModelError(f"model file {path} cannot be read: {error}") from None
        if len(found.source) != len(source_terms(Evidence(1, 1, 1))):
            raise ModelError(f"model file {path} is of another version: install unspin again")
        return found

    def write(self, path: Path) -> None:
        """Write the numbers to a file."""
        path.write_text(json.dumps({"source": self.source}) + "\n")


def source_terms(evidence: Evidence) -> tuple[float, ...]:
    """The terms that speak for an article being the source, of evidence that covers a word.

    Two reports of one event agree for some words of a sentence, with others between them; a copy
    has whole sentences, one after the other. What share of the words the channel explains is no
    term: a spinner that nobody has described copies as faithfully.
    """
    words, covered, touched = evidence
    return 1.0, _logit(covered, words), _logit(covered, touched), math.log(covered)


def _logit(part: int, whole: int) -> float:
    least = _LEAST * whole
    return math.log((part + least) / (whole - part + least))
