"""Word vectors that know which words keep company over a whole passage.

The n-gram model sees three words back. Vectors from co-occurrence within a wider window tell
which of two candidates belongs to the subject: positive pointwise mutual information, reduced by
a truncated SVD (Levy and Goldberg, "Neural Word Embedding as Implicit Matrix Factorization",
2014), so that the product of two vectors approximates the PMI of their words.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from train.corpus import Corpus
from unspin.lm import SPECIALS

WORDS = 20_000  # the most frequent, counted from below the very commonest
SKIPPED = 100  # words so common that they keep every company
WINDOW = 12  # tokens to either side
DIMENSIONS = 64
SMOOTHING = 0.75  # power of the context counts, which keeps rare contexts from dominating
POWER_STEPS = 4


def vectors(corpus: Corpus) -> NDArray[np.int8]:
    """A row of 64 signed bytes for each of the first words of the vocabulary; the very commonest
    have zeros.

    The unit is 1/32: the product of two rows divided by 1024 approximates their PMI in nats.
    """
    first = len(SPECIALS) + SKIPPED
    last = min(first + WORDS, len(corpus.words))
    pmi = _ppmi(_cooccurrences(corpus, first, last))
    rows = _factors(pmi)
    # Company that every word keeps tells nothing.
    frequency = np.bincount(corpus.ids, minlength=len(corpus.words))[first:last]
    rows -= np.average(rows, axis=0, weights=frequency)
    table = np.zeros((last, DIMENSIONS), np.int8)
    table[first:] = np.clip(np.round(rows * 32), -127, 127)
    return table


def _cooccurrences(corpus: Corpus, first: int, last: int) -> NDArray[np.float32]:
    size = last - first
    kept = (corpus.ids >= first) & (corpus.ids < last)
    ids = corpus.ids[kept].astype(np.int64) - first
    document = corpus.document[kept]
    place = np.flatnonzero(kept)
    counts = np.zeros(size * size, np.float32)
    for distance in range(1, WINDOW + 1):
        near = (document[distance:] == document[:-distance]) & (
            place[distance:] - place[:-distance] <= WINDOW
        )
        keys = ids[:-distance][near] * size + ids[distance:][near]
        counts += np.bincount(keys, minlength=size * size).astype(np.float32)
    matrix = counts.reshape(size, size)
    return matrix + matrix.T


def _ppmi(counts: NDArray[np.float32]) -> NDArray[np.float32]:
    words = counts.sum(1) + 1e-9
    contexts = words**SMOOTHING
    contexts /= contexts.sum()
    pmi = counts / words[:, None]
    pmi /= contexts[None, :]
    np.log(pmi, out=pmi, where=pmi > 1)
    pmi[counts == 0] = 0
    np.maximum(pmi, 0, out=pmi)
    symmetric: NDArray[np.float32] = (pmi + pmi.T) / 2
    return symmetric


def _factors(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """U of the truncated decomposition U Uᵀ: randomised subspace iteration from a fixed seed."""
    random = np.random.default_rng(1)
    basis = random.standard_normal((len(matrix), DIMENSIONS + 16)).astype(np.float32)
    for _ in range(POWER_STEPS):
        basis, _ = np.linalg.qr(matrix @ basis)
    small = basis.T @ (matrix @ basis)
    values, directions = np.linalg.eigh((small + small.T) / 2)
    order = np.argsort(-values)[:DIMENSIONS]
    rows: NDArray[np.float32] = basis @ directions[:, order]
    rows *= np.sqrt(np.maximum(values[order], 0))
    return rows
