"""Compile the word pairs of the lexicons into the channel that the lattice reads."""

from __future__ import annotations

from array import array
from collections import defaultdict
from pathlib import Path

from train.relations import SOURCES, word_pairs
from train.wordnet import WordNet
from unspin import thesaurus
from unspin.lm import LanguageModel

MOST_CHOICES = 40  # originals kept for one printed word
# Before a text is seen, every source counts the same; rules and tables of one family less,
# since most spinners are not that family.
PRIOR = {"element": 0.5, "element rule": 0.5, "element orbit": 0.25}
NAME_SHARE = 0.9  # a word with a capital more often than this is a name, which nobody spins
MOST_FREQUENT = 200  # words that make up about half of any text
_DETERMINISTIC = sum(1 << SOURCES.index(name) for name in ("element", "element rule"))


def compile_channel(lexicons: Path, model: LanguageModel, path: Path) -> None:
    """Write the channel over a model's vocabulary.

    An original is a word that mostly stands in lower case; of a printed word's originals the
    likeliest are kept (prior of the sources times unigram probability), and all that the
    deterministic family would have.
    """
    originals = [
        word
        for word, capitals in zip(model.words, model.capitals, strict=True)
        if capitals < NAME_SHARE * 255 and word[0] not in "<'"
    ]
    masks: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    fanout = array("H", bytes(2 * len(SOURCES) * len(model.words)))
    for source, original, spun in word_pairs(lexicons, originals):
        number = model.number[original]
        masks[spun][number] |= 1 << source
        fanout[number * len(SOURCES) + source] += 1
    weights = [PRIOR.get(name, 1.0) for name in SOURCES]
    prior = [weight / sum(weights) for weight in weights]

    def likelihood(entry: tuple[int, int]) -> float:
        number, mask = entry
        channel = sum(
            prior[source] / fanout[number * len(SOURCES) + source]
            for source in range(len(SOURCES))
            if mask >> source & 1
        )
        return model.unigrams[number] * channel

    choices: dict[str, list[tuple[int, int]]] = {}
    for spun in sorted(masks):
        ranked = sorted(masks[spun].items(), key=likelihood, reverse=True)
        choices[spun] = [
            entry
            for rank, entry in enumerate(ranked)
            if rank < MOST_CHOICES or entry[1] & _DETERMINISTIC
        ]
    thesaurus.write(path, SOURCES, prior, choices, fanout, word_classes(lexicons, model))


def word_classes(lexicons: Path, model: LanguageModel) -> bytes:
    """The class of every word of the vocabulary, one byte each."""
    wordnet = WordNet.load(lexicons)
    frequent = sorted(range(len(model.words)), key=lambda i: -model.unigrams[i])
    function = set(frequent[:MOST_FREQUENT])
    return bytes(
        thesaurus.FREQUENT
        if number in function
        else thesaurus.LEMMA
        if word in wordnet
        else thesaurus.INFLECTED
        for number, word in enumerate(model.words)
    )
