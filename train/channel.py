"""Compile the word pairs of the lexicons into the channel that the lattice reads."""

from __future__ import annotations

import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from train.relations import SOURCES, phrase_pairs, word_pairs
from train.wordnet import WordNet
from unspin import thesaurus
from unspin.lm import LanguageModel
from unspin.thesaurus import PhraseChoice

MOST_PHRASES = 60_000  # pairs of phrases kept
MOST_ORIGINALS = 8  # of one printed phrase
MOST_CHOICES = 34  # originals kept for one printed word
# Before a text is seen, every source counts the same; rules and tables of one family less,
# since most spinners are not that family, and far less another form of the same word: few spinners
# print one, and writers confuse them.
PRIOR = {"element": 0.5, "element rule": 0.5, "element orbit": 0.25, "inflection": 0.05}
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
    phrases, single = _phrases(lexicons, model, originals)
    for (number, source), count in single.items():
        fanout[number * len(SOURCES) + source] += count
    classes = word_classes(lexicons, model)
    thesaurus.write(path, SOURCES, prior, choices, fanout, classes, phrases)


def _phrases(
    lexicons: Path, model: LanguageModel, originals: Sequence[str]
) -> tuple[dict[str, list[PhraseChoice]], Counter[tuple[int, int]]]:
    """The pairs of phrases by what is printed, and how many a single word has from a source.

    All that people have written down as spun are kept, of the thesauri's the likeliest.
    """
    pairs = list(phrase_pairs(lexicons, originals))
    fan = Counter((pair.source, pair.original) for pair in pairs)
    curated = SOURCES.index("phrase")
    scored = []
    for pair in pairs:
        words = pair.original.split(" ")
        if len(words) <= thesaurus.PHRASE:
            scores = model.score(words)[:-1]
            likelihood = sum(scores) - math.log10(fan[pair.source, pair.original])
            scored.append((pair.source == curated, likelihood, pair))
    scored.sort(key=lambda entry: (-entry[0], -entry[1], entry[2]))
    kept: dict[str, list[PhraseChoice]] = defaultdict(list)
    single: Counter[tuple[int, int]] = Counter()
    for _, _, pair in scored[:MOST_PHRASES]:
        numbers = [model.number[word] for word in pair.original.split(" ")]
        known = any(choice.words == numbers for choice in kept[pair.spun])
        if len(kept[pair.spun]) < MOST_ORIGINALS and not known:
            fanout = min(fan[pair.source, pair.original], 0xFFFF)
            kept[pair.spun].append(PhraseChoice(numbers, fanout, pair.source))
            if len(numbers) == 1:
                single[numbers[0], pair.source] += 1
    return dict(sorted(kept.items())), single


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
