"""What else finds the source of a page: the rivals in tracing, each with a score for its best.

Every engine is built from articles and asked for those that are most like a page.
"""

from __future__ import annotations

import pickle
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bench import minilm
from train.samples import batches
from unspin.trace.index import Index, terms

FIRST = 10  # articles that are asked for
SHINGLE = 5  # words
PERMUTATIONS, BANDS = 128, 64  # of MinHash: two rows a band find what has a seventh in common
BITS = 64  # of SimHash
SEED = 1
BATCH = 1_000  # articles that are hashed at a time

_WORD = re.compile(r"\w+")

Ranked = Sequence[tuple[str, float]]


class HasText(Protocol):
    """Something with an id and a text."""

    @property
    def id(self) -> str:
        """What it is known by."""

    @property
    def text(self) -> str:
        """What it says."""


class Engine(Protocol):
    """Finds the articles that are most like a page."""

    def search(self, page: str) -> Ranked:
        """The ids of at most `FIRST` articles and their scores, the best first."""

    def size(self) -> int:
        """Bytes that the engine keeps of its articles."""


class MinHash:
    """MinHash with locality-sensitive hashing (rensa) over runs of five words; what shares a
    bucket is ranked by the Jaccard similarity that the sketches tell."""

    def __init__(self, articles: Sequence[HasText]) -> None:
        from rensa import RMinHashLSH

        self._ids = [article.id for article in articles]
        self._buckets = RMinHashLSH(0.5, PERMUTATIONS, BANDS)
        sketches: list[NDArray[np.uint32]] = []
        for batch in batches(articles, BATCH):
            hashed = _minhashes([article.text for article in batch])
            self._buckets.insert_many(hashed, len(sketches))
            sketches += [np.array(one.digest(), np.uint32) for one in hashed]
        self._sketches = np.array(sketches)

    def search(self, page: str) -> Ranked:
        """The ids of at most `FIRST` articles and their scores, the best first."""
        (hashed,) = _minhashes([page])
        found = np.unique(np.array(self._buckets.query(hashed), np.int64))
        sketch = np.array(hashed.digest(), np.uint32)
        return _best(self._ids, found, (self._sketches[found] == sketch).mean(axis=1))

    def size(self) -> int:
        """Bytes that the engine keeps of its articles."""
        return len(pickle.dumps(self._buckets)) + self._sketches.nbytes


class SimHash:
    """SimHash of 64 bits over words (Charikar 2002), compared with every article."""

    def __init__(self, articles: Sequence[HasText]) -> None:
        self._ids = [article.id for article in articles]
        self._all = np.arange(len(articles))
        self._hashes = np.array([simhash(article.text) for article in articles], np.uint64)

    def search(self, page: str) -> Ranked:
        """The ids of at most `FIRST` articles and their scores, the best first."""
        unlike = np.bitwise_count(self._hashes ^ simhash(page))
        return _best(self._ids, self._all, 1 - unlike / BITS)

    def size(self) -> int:
        """Bytes that the engine keeps of its articles."""
        return self._hashes.nbytes


class BM25:
    """BM25 alone, with all words of the page, over the index of unspin."""

    def __init__(self, index: Path) -> None:
        self._index = Index.open(index)

    def search(self, page: str) -> Ranked:
        """The ids of at most `FIRST` articles and their scores, the best first."""
        hits = self._index.search(dict.fromkeys(terms(page), 1.0), 4 * FIRST)
        best: dict[str, float] = {}
        for hit in hits:
            best.setdefault(hit.id, hit.score)
        return list(best.items())[:FIRST]

    def size(self) -> int:
        """Bytes that the engine keeps of its articles, here those of all of the index."""
        return sum(file.stat().st_size for file in self._index.path.rglob("*") if file.is_file())


class Embedding:
    """An embedding model; every article is compared by the cosine."""

    def __init__(self, articles: Sequence[HasText]) -> None:
        self._ids = [article.id for article in articles]
        self._all = np.arange(len(articles))
        self._vectors = minilm.embed([article.text for article in articles])

    def search(self, page: str) -> Ranked:
        """The ids of at most `FIRST` articles and their scores, the best first."""
        return _best(self._ids, self._all, self._vectors @ minilm.embed([page])[0])

    def size(self) -> int:
        """Bytes that the engine keeps of its articles."""
        return self._vectors.nbytes


RIVALS: Mapping[str, Callable[[Sequence[HasText]], Engine]] = {
    "MinHash": MinHash,
    "SimHash": SimHash,
    "MiniLM": Embedding,
}


def simhash(text: str) -> np.uint64:
    """The hash of a text, which differs in few bits from that of a text with the same words.

    >>> texts = ("the old bridge in the old town is shut", "the old bridge in the old town fell")
    >>> one, other = map(simhash, texts)
    >>> int(np.bitwise_count(one ^ other)) < BITS // 4
    True
    """
    counts = Counter(_words(text)) or Counter([""])
    votes = np.array(list(counts.values())) @ np.array([_signs(word) for word in counts])
    return np.uint64(int.from_bytes(np.packbits(votes > 0).tobytes(), "big"))


@lru_cache(1_000_000)
def _signs(word: str) -> NDArray[np.int8]:
    """The bits of a word's hash, -1 for 0."""
    digest = np.frombuffer(blake2b(word.encode(), digest_size=BITS // 8).digest(), np.uint8)
    return np.unpackbits(digest).astype(np.int8) * 2 - 1


def _minhashes(texts: Iterable[str]) -> list[Any]:
    from rensa import RMinHash

    hashed: list[Any] = RMinHash.from_token_sets(map(_shingles, texts), PERMUTATIONS, SEED)
    return hashed


def _shingles(text: str) -> list[str]:
    words = _words(text)
    return [" ".join(words[i : i + SHINGLE]) for i in range(max(len(words) - SHINGLE + 1, 1))]


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _best(ids: Sequence[str], found: NDArray[np.int64], scores: NDArray[Any]) -> Ranked:
    """The best of what was found, by its scores."""
    order = np.argsort(-scores, kind="stable")[:FIRST]
    return [(ids[found[i]], float(scores[i])) for i in order]
