"""Lessons made without any thesaurus: words give way to others that lie near them.

What the second reader learns first, from text of which there is plenty: to tell by its company
which of some words belongs in a place. Neighbours are those of the vectors that it begins with,
and posteriors are drawn so that they are right as often as an n-gram model's.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from train.corpus import stream
from train.encoder import SecondReader
from train.lattices import Lesson
from unspin.lm import EOS
from unspin.neural import WINDOW, Passage, Place, cut

FILES = {  # how many words are taken from each
    "news-articles-02": 6_000_000,
    "encyclopaedia-02": 5_000_000,
    "open-prose-01": 3_000_000,
    "news-misc-01": 3_000_000,
}
WORDS = 30_000  # the most frequent ones that give way to others
COMMONEST = 60  # words that never do
NEAR = 40  # neighbours of a word
OPTIONS = 6  # in one place, the word as printed among them
MOST_SWAPPED, DOUBTED = 0.6, 0.2  # share of words that give way at most; of the others in doubt
FAR = 0.15  # share of the words put in place of others that are no neighbours
FROM_ORIGINAL = 0.4  # share of places whose options are neighbours of the original
NONE = 0.12  # share of places that lack the right option
BATCH = 16  # passages

# Logs of the posteriors: how far they are spread, how much more frequent words have, and the
# right option where the word was replaced and where it was not.
SPREAD, FREQUENT, RIGHT, RIGHT_AS_PRINTED = 1.5, 0.25, 1.5, 2.5


class Text(NamedTuple):
    """Running text in numbers of `words`, and which of these may give way, the `common` ones,
    with their neighbours by their place among the common ones, and how frequent they are."""

    words: list[str]
    ids: NDArray[np.int64]
    common: NDArray[np.int64]
    near: NDArray[np.int64]
    log_counts: NDArray[np.float64]


def running_text(corpora: Path, reader: SecondReader) -> Text:
    """The text that lessons are made of."""
    number: dict[str, int] = {}
    pieces = []
    lower: dict[str, int] = {}
    for name, most in FILES.items():
        part = stream(corpora / f"{name}.jsonl.zst")
        ids = part.ids[:most].astype(np.int64)
        table = np.zeros(len(part.words), np.int64)
        for i in np.unique(ids):
            word = part.words[i]
            table[i] = number.setdefault(word, len(number))
            lower[word] = lower.get(word, 0) + part.lower[i] - part.names[i]
        pieces.append(table[ids[ids != EOS]])
    ids, words = np.concatenate(pieces), list(number)
    counts = np.bincount(ids, minlength=len(words))
    by_count = np.argsort(-counts, kind="stable")
    common = [i for i in by_count[COMMONEST:] if _may_give_way(words[i]) and lower[words[i]] > 0]
    chosen = np.array(common[:WORDS])
    with torch.no_grad():
        bags = cut(reader.cutter, [words[i] for i in chosen])
        vectors = np.stack([reader.pieces.weight[bag].mean(0).numpy() for bag in bags])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    near = np.empty((len(chosen), NEAR), np.int64)
    for start in range(0, len(chosen), 1000):
        likeness = vectors[start : start + 1000] @ vectors.T
        likeness[np.arange(len(likeness)), start + np.arange(len(likeness))] = -np.inf
        near[start : start + 1000] = np.argpartition(-likeness, NEAR, axis=1)[:, :NEAR]
    logs = np.log(counts[chosen] + 1.0)
    return Text(words, ids, chosen, near, logs - logs.mean())


def lessons(text: Text, seed: int) -> Iterator[list[Lesson]]:
    """Yield lessons without end, some at a time."""
    random = np.random.default_rng(seed)
    place_of = np.full(len(text.words), -1)
    place_of[text.common] = np.arange(len(text.common))
    while True:
        starts = random.integers(0, len(text.ids) - WINDOW, BATCH)
        yield [_lesson(text, place_of, text.ids[i : i + WINDOW], random) for i in starts]


def _lesson(
    text: Text, place_of: NDArray[np.int64], ids: NDArray[np.int64], random: np.random.Generator
) -> Lesson:
    """A lesson of one passage."""
    words = [text.words[i] for i in ids]
    common = place_of[ids]
    rate = random.uniform(0.02, MOST_SWAPPED)
    places, answers = [], []
    for at in np.flatnonzero(common >= 0):
        swapped = random.random() < rate
        if not swapped and random.random() >= DOUBTED:
            continue
        original = printed = common[at]
        if swapped and random.random() < FAR:
            printed = random.integers(len(text.common))
        elif swapped:
            printed = text.near[original, random.integers(NEAR)]
        swapped = swapped and printed != original
        about = original if swapped and random.random() < FROM_ORIGINAL else printed
        others = random.choice(text.near[about], random.integers(1, OPTIONS), replace=False)
        rivals = [other for other in others if other not in (original, printed)]
        known = swapped and random.random() >= NONE
        options = [printed, *([original] if known else rivals[:1]), *rivals[1:]]
        right = (1 if known else len(options)) if swapped else 0
        logs = random.normal(0, SPREAD, len(options)) + FREQUENT * text.log_counts[options]
        if right < len(options):
            logs[right] += RIGHT if swapped else RIGHT_AS_PRINTED
        posteriors = np.exp(logs - logs.max())
        posteriors /= posteriors.sum()
        names = tuple(text.words[text.common[option]] for option in options)
        words[at] = names[0]
        places.append(Place(int(at), int(at) + 1, names, tuple(map(float, posteriors))))
        answers.append(right)
    return Lesson(Passage(words, [0, len(words)], places), answers)


def _may_give_way(word: str) -> bool:
    return word.isalpha() and len(word) > 2
