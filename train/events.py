"""Which texts tell of an event that an article of an index tells of too, and which are copies?

Nearness is the cosine of word counts, damped by a logarithm and weighted by how rare a word is. A
near copy shares whole runs of words with an article: it has its source in the index after all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

LEAST, MOST = 2, 0.05  # articles, and the share of them, that have a word which counts
NEAREST = 5  # articles that are looked through for a near copy
SHINGLE = 8  # words
COPIED = 0.1  # share of a text's shingles in one article that make it a near copy
SAME_EVENT = 0.35  # least cosine
ROWS = 100  # texts that are compared at a time

_WORD = re.compile(r"\w+")


class _HasText(Protocol):
    @property
    def text(self) -> str: ...


class Neighbours(NamedTuple):
    """How near the nearest article is, and what share of the text one of the nearest has."""

    nearness: float
    copied: float


def neighbours(articles: Sequence[_HasText], texts: Sequence[_HasText]) -> list[Neighbours]:
    """What is nearest to every text.

    Raises:
        ImportError: scikit-learn is not installed (`unspin[bench]`).
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    if not texts:
        return []
    vectorizer = TfidfVectorizer(min_df=LEAST, max_df=MOST, sublinear_tf=True, dtype=np.float32)
    index = vectorizer.fit_transform(article.text for article in articles)
    asked = vectorizer.transform(text.text for text in texts)
    found = []
    for start in range(0, len(texts), ROWS):
        cosines = (asked[start : start + ROWS] @ index.T).toarray()
        best = np.argpartition(-cosines, min(NEAREST, len(articles)) - 1)[:, :NEAREST]
        for text, row, near in zip(texts[start : start + ROWS], cosines, best, strict=True):
            shared = (copied(text.text, articles[place].text) for place in near)
            found.append(Neighbours(float(row.max()), max(shared)))
    return found


def copied(text: str, article: str) -> float:
    """The share of a text's runs of eight words that an article has too.

    >>> copied("here stand eight words in a row, nine", "Here stand eight words in a row.")
    0.0
    >>> copied("Here stand the words of a row: eight", "So here stand the words of a row, eight.")
    1.0
    """
    runs, others = _shingles(text), _shingles(article)
    return len(runs & others) / max(len(runs), 1)


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = _WORD.findall(text.lower())
    return set(zip(*(words[i:] for i in range(SHINGLE)), strict=False))
