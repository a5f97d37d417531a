"""What may a spinner print for a word? Thesauri as spinners look words up in them.

A `Neighbours` tells what a thesaurus has for a lemma, a `Choices` what is printed for a word of
a text: with or without inflection, all that is found or the best of it.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from train import lexicons as files
from train.habits import FUNCTION_WORDS
from train.inflection import Inflector
from train.relations import is_word
from train.topics import DIMENSIONS
from train.wordnet import WordNet
from unspin.lm import LanguageModel
from unspin.reader import MODEL

# (letters of the parts of speech, neighbour) of a lemma
Neighbours = Callable[[str], Sequence[tuple[str, str]]]
# what may be printed for a word as it stands, lower case
Choices = Callable[[str], Sequence[str]]

wordnet = cache(WordNet.load)
inflector = cache(Inflector.load)


class Reading(NamedTuple):
    """What a printed word may be: a form of a lemma, or with the tag "" the lemma itself."""

    lemma: str
    part: str
    tag: str


def wordnet_neighbours(lexicons: Path, relations: Sequence[str]) -> Neighbours:
    """Single words by some of WordNet's relations."""
    graph = wordnet(lexicons)

    def neighbours(lemma: str) -> Sequence[tuple[str, str]]:
        return [
            (near.part, near.word)
            for near in graph.neighbours(lemma)
            if near.relation in relations and is_word(near.word)
        ]

    return neighbours


def thesaurus_neighbours(entries: Iterable[files.Entry]) -> Neighbours:
    """The single words of a thesaurus."""
    table: dict[str, list[tuple[str, str]]] = {}
    for word, parts, others in entries:
        if is_word(word):
            # Millions of mentions of some hundred thousand words: interned, they fit.
            pairs = [(parts, sys.intern(other)) for other in others if is_word(other)]
            table.setdefault(sys.intern(word), []).extend(pairs)

    def neighbours(lemma: str) -> Sequence[tuple[str, str]]:
        return table.get(lemma, ())

    return neighbours


@cache
def moby(lexicons: Path) -> Neighbours:
    """Moby's single words, of any part of speech for all that it says."""
    return thesaurus_neighbours(files.moby(lexicons))


@cache
def ppdb(lexicons: Path) -> Choices:
    """PPDB's paraphrases of the word as printed; it has the inflected forms itself."""
    table: dict[str, list[str]] = {}
    for one, other in files.ppdb(lexicons):
        if is_word(one) and is_word(other):
            table.setdefault(one, []).append(other)
            table.setdefault(other, []).append(one)
    analyses = inflector(lexicons).analyses

    @cache
    def choices(word: str) -> Sequence[str]:
        own = {word, *(reading.lemma for reading in analyses(word))}
        return tuple(
            other
            for other in table.get(word, ())
            if own.isdisjoint([other, *(reading.lemma for reading in analyses(other))])
        )

    return choices


def inflected(neighbours: Neighbours, lexicons: Path) -> Choices:
    """The neighbours in the form of the original."""

    @cache
    def choices(word: str) -> Sequence[str]:
        found = {other: None for _, other in neighbours(word)}
        for lemma, part, tag in inflector(lexicons).analyses(word):
            found.update(dict.fromkeys(_in_form(neighbours, Reading(lemma, part, tag), lexicons)))
        found.pop(word, None)
        return tuple(found)

    return choices


def bare(neighbours: Neighbours, lexicons: Path) -> Choices:
    """The neighbours of the lemma as the thesaurus has them, whatever the form of the original."""

    @cache
    def choices(word: str) -> Sequence[str]:
        found = {other: None for _, other in neighbours(word)}
        for lemma, part, _ in inflector(lexicons).analyses(word):
            near = neighbours(lemma)
            found.update(dict.fromkeys(other for parts, other in near if part in parts))
        found.pop(word, None)
        return tuple(found)

    return choices


def commonest(thesauri: Sequence[Neighbours], paraphrases: Choices, lexicons: Path) -> Choices:
    """The most frequent word of all, in the part of speech and the form of the original.

    Nothing here reads the sentence: a word that is several parts of speech counts as the one of
    which WordNet has the most senses.
    """
    graph, analyses = wordnet(lexicons), inflector(lexicons).analyses

    def readings(word: str) -> Iterator[Reading]:
        yield from (Reading(word, part, "") for part in "nvar" if graph.has(word, part))
        yield from (Reading(*analysis) for analysis in analyses(word))

    @cache
    def choices(word: str) -> Sequence[str]:
        own = max(readings(word), key=lambda r: graph.count_senses(r.lemma, r.part), default=None)
        if own is None:
            return ()
        found = {other for near in thesauri for other in _in_form(near, own, lexicons)}
        found.update(
            other
            for other in paraphrases(word)
            if any((r.part, r.tag) == (own.part, own.tag) for r in readings(other))
        )
        found -= {word, *FUNCTION_WORDS}
        return (max(sorted(found), key=_frequency),) if found else ()

    return choices


def nearest(all_choices: Choices) -> Choices:
    """The choice nearest in meaning: the cosine of the language model's vectors.

    The vectors know the 20,000 most frequent words without the very commonest; where they know
    the original or all of its choices not, the most frequent choice is printed.
    """

    @cache
    def choices(word: str) -> Sequence[str]:
        found = sorted(all_choices(word))
        own = _vector(word)
        near = [(float(own @ _vector(other)), other) for other in found if _vector(other).any()]
        if own.any() and near:
            return (max(near)[1],)
        return (max(found, key=_frequency),) if found else ()

    return choices


def _in_form(neighbours: Neighbours, reading: Reading, lexicons: Path) -> Iterator[str]:
    """The lemma's neighbours of the same part of speech, in the same form."""
    lemma, part, tag = reading
    for parts, other in neighbours(lemma):
        if part in parts and wordnet(lexicons).has(other, part):
            # One spelling will do; a spinner does not know two.
            forms = inflector(lexicons).forms(other, part).get(tag, ())[:1] if tag else (other,)
            yield from forms


@cache
def _language_model() -> LanguageModel:
    return LanguageModel(MODEL / "lm.bin")


def _frequency(word: str) -> float:
    model = _language_model()
    return float(model.unigrams[model.number[word]]) if word in model.number else 0.0


def _vector(word: str) -> NDArray[np.float32]:
    """The word's vector at length 1, or zeros."""
    number = _language_model().number.get(word)
    vectors = _vectors()
    known = number is not None and number < len(vectors)
    vector: NDArray[np.float32] = vectors[number] if known else np.zeros(DIMENSIONS, np.float32)
    return vector


@cache
def _vectors() -> NDArray[np.float32]:
    rows: NDArray[np.float32] = np.asarray(_language_model().topics, np.float32)
    rows = rows.reshape(-1, DIMENSIONS)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1)  # whole numbers or zeros
    return rows
