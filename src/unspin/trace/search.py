"""What does one ask an index for, that a page was taken from? Words that a spinner leaves alone.

Names, numbers and words that no thesaurus has are on the page as they were in its source; any
other word may have been put there by the spinner, and counts for less.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log

from unspin.lm import SPECIALS, LanguageModel
from unspin.thesaurus import Thesaurus
from unspin.trace.index import terms

COMMON = len(SPECIALS) + 100  # words, the most frequent: they say nothing of where a page is from
UNKNOWN = 16.0  # how rare a word is that the language model does not know, in nats
MOST_TERMS = 150
REPLACEABLE = 0.5  # weight of a word that a spinner may have put there, beside others
RESTORED = 0.5  # weight of a word that was put back


class Querist:
    """Makes queries of pages."""

    def __init__(self, model: LanguageModel, thesaurus: Thesaurus) -> None:
        """Say which words are common, and which a spinner may print."""
        self._model = model
        self._thesaurus = thesaurus

    def query(self, page: str, restored: str = "") -> Mapping[str, float]:
        """Return the words to search for, with their weights.

        Args:
            page: the text as it is printed.
            restored: the same with its words put back, as far as they are known.
        """
        weights = dict.fromkeys(terms(restored), RESTORED)
        printed = terms(page)
        weights |= {
            term: REPLACEABLE if term in self._thesaurus.number else 1.0 for term in printed
        }
        told = {term: weights[term] * self._rarity(term) for term in weights}
        best = sorted((term for term in told if told[term] > 0), key=lambda term: -told[term])
        return {term: weights[term] for term in best[:MOST_TERMS]}

    def _rarity(self, term: str) -> float:
        """How rare a word is, in nats; 0 of a common one. Words are numbered by frequency."""
        number = self._model.number.get(term)
        if number is None:
            return UNKNOWN
        return 0.0 if number < COMMON else -log(self._model.unigrams[number])
