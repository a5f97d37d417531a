"""What a spinner may print for a word: the pairs of all lexicons, by source.

Every pair is directed, original to spun, lower case. Inflected forms are paired form with form
("threw" with "hurled"); the source "base form" alone pairs an inflected original with a lemma,
for spinners that find the lemma but do not inflect what they print.
"""

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain, permutations
from pathlib import Path
from typing import NamedTuple

import numpy as np

from train import lexicons as files
from train.inflection import Forms, Inflector
from train.lexicons import Entry
from train.wordnet import RELATIONS, WordNet

# The index of a source is its bit in the compiled channel, so the order is part of the format:
# append, never reorder. There is room for 32.
SOURCES: tuple[str, ...] = (
    "element",
    "element rule",
    "element orbit",
    "WordNet first synonym",
    "WordNet synonym",
    "WordNet similar",
    "WordNet hypernym",
    "WordNet hyponym",
    "WordNet derivation",
    "MyThes",
    "Moby",
    "PPDB",
    "number",
    "inflection",
    "phrase",
    "base form",
    "tortured word",
    "thesaurus phrase",
)
MOST_WORDS = 4  # a side of a phrase pair taken from a lexicon

_FIGURES = {
    "zero": "0",
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
    "ten": "10",
    "eleven": "11",
    "twelve": "12",
    "first": "1st",
    "second": "2nd",
    "third": "3rd",
    "fourth": "4th",
    "fifth": "5th",
    "sixth": "6th",
    "seventh": "7th",
    "eighth": "8th",
    "ninth": "9th",
    "tenth": "10th",
    "eleventh": "11th",
    "twelfth": "12th",
}
_HAND_WRITTEN = Path(__file__).parent / "phrases.tsv"

_Pairs = Iterable[tuple[str, str]]


class Pair(NamedTuple):
    """`source` is an index into SOURCES."""

    source: int
    original: str
    spun: str


def word_pairs(lexicons: Path, originals: Collection[str]) -> Iterator[Pair]:
    """Pairs of single words whose original is in `originals`, each once a source.

    `lexicons` is the folder of the lexicon files. Several million pairs for a large vocabulary,
    source by source; only one source is held in memory at a time.
    """
    vocabulary = frozenset(originals)
    relations = Relations(lexicons)
    for source, pairs in relations.by_source(vocabulary):
        yield from _distinct(SOURCES.index(source), pairs)


def phrase_pairs(lexicons: Path, originals: Collection[str]) -> Iterator[Pair]:
    """Pairs with several words on at least one side, all the original's in `originals`.

    Words are separated by single blanks. A thesaurus's phrases have at most four words a side;
    what people wrote down as spun runs to seven ("keeping in mind the end goal to").
    """
    vocabulary = frozenset(originals)

    def fitting(pairs: _Pairs) -> _Pairs:
        return (
            (original, spun)
            for original, spun in pairs
            if _is_phrase_pair(original, spun) and vocabulary.issuperset(original.split(" "))
        )

    curated = chain(hand_written_phrases(), files.tortured_phrases(lexicons))
    yield from _distinct(SOURCES.index("phrase"), fitting(curated))
    yield from _distinct(
        SOURCES.index("thesaurus phrase"), fitting(_thesaurus_phrases(lexicons, vocabulary))
    )


def hand_written_phrases() -> Iterator[tuple[str, str]]:
    """(original, spun) of `phrases.tsv`: phrases, and the odd connecting word."""
    return files.pairs(_HAND_WRITTEN)


class Relations:
    """The lexicons, loaded once, and the word pairs each of them gives."""

    def __init__(self, lexicons: Path) -> None:
        self._lexicons = lexicons
        self._wordnet = WordNet.load(lexicons)
        self._inflector = Inflector.load(lexicons)

    def by_source(self, vocabulary: frozenset[str]) -> Iterator[tuple[str, _Pairs]]:
        """(source, pairs with repeats) in the order of SOURCES."""
        wordnet = self._wordnet
        # As it stands: the family prints "2nd" and "h2o" too.
        element = files.element(self._lexicons).items()
        yield "element", ((one, two) for one, two in element if one in vocabulary)
        yield "element rule", _of_words(self._rule_pairs(), vocabulary)
        yield "element orbit", _of_words(self._orbit_pairs(), vocabulary)
        yield "WordNet first synonym", self._inflected(self._first_synonyms(), vocabulary)
        for relation in RELATIONS:
            yield relation, self._inflected(wordnet_entries(wordnet, relation), vocabulary)
        yield "MyThes", self._inflected(files.mythes(self._lexicons), vocabulary)
        yield "Moby", self._inflected(files.moby(self._lexicons), vocabulary)
        yield "PPDB", self._inflected(self._ppdb_entries(self._are_distinct), vocabulary)
        yield "number", ((one, two) for one, two in _number_pairs() if one in vocabulary)
        yield "inflection", self._inflection_pairs(vocabulary)
        yield "base form", self._base_form_pairs(vocabulary)
        yield "tortured word", self._inflected(self._tortured_words(), vocabulary)

    def _rule_pairs(self) -> Iterator[tuple[str, str]]:
        for lemma in self._wordnet.lemmas:
            spun = self._wordnet.element_rule(lemma)
            if spun is not None:
                yield lemma, spun

    def _orbit_pairs(self) -> Iterator[tuple[str, str]]:
        for lemma in self._wordnet.lemmas:
            for spun in self._wordnet.element_orbit(lemma)[1:]:
                yield lemma, spun

    def _first_synonyms(self) -> Iterator[Entry]:
        for lemma in self._wordnet.lemmas:
            spun = self._wordnet.first_synonym(lemma)
            if spun is not None:
                yield Entry(lemma, "nva", [spun])

    def _tortured_words(self) -> Iterator[Entry]:
        for original, spun in chain(files.tortured_words(self._lexicons), hand_written_phrases()):
            yield Entry(original, "nva", [spun])

    def _ppdb_entries(self, wanted: Callable[[str, str], bool]) -> Iterator[Entry]:
        for one, other in files.ppdb(self._lexicons):
            if is_word(one) and is_word(other) and wanted(one, other):
                yield Entry(one, "nva", [other])
                yield Entry(other, "nva", [one])

    def _are_distinct(self, one: str, other: str) -> bool:
        """Whether no lemma has both words among its forms."""
        return self._lemmas(one).isdisjoint(self._lemmas(other))

    def _are_forms_of_one(self, one: str, other: str) -> bool:
        return not self._are_distinct(one, other)

    def _lemmas(self, word: str) -> set[str]:
        return {word, *(reading.lemma for reading in self._inflector.analyses(word))}

    def _inflected(
        self, entries: Iterable[Entry], vocabulary: frozenset[str]
    ) -> Iterator[tuple[str, str]]:
        """Every entry's pairs as printed, and form by form where both sides have the form."""
        for word, parts, neighbours in entries:
            if not is_word(word):
                continue
            if word in vocabulary:
                for other in neighbours:
                    if is_word(other):
                        yield word, other
            for part in parts:
                own = self._own_forms(word, part, vocabulary)
                if not own:
                    continue
                for other in neighbours:
                    if is_word(other) and self._wordnet.has(other, part):
                        yield from _form_by_form(own, self._inflector.forms(other, part))

    def _own_forms(self, word: str, part: str, vocabulary: frozenset[str]) -> Forms:
        """The word's forms that occur in the vocabulary; none if it is no such lemma."""
        if not self._wordnet.has(word, part):
            return {}
        forms = self._inflector.forms(word, part)
        known = {tag: tuple(f for f in words if f in vocabulary) for tag, words in forms.items()}
        return {tag: words for tag, words in known.items() if words}

    def _inflection_pairs(self, vocabulary: frozenset[str]) -> Iterator[tuple[str, str]]:
        for lemma in filter(is_word, self._wordnet.lemmas):
            for part in "nva":
                if not self._wordnet.has(lemma, part):
                    continue
                forms = self._inflector.forms(lemma, part).values()
                family = dict.fromkeys([lemma, *(form for words in forms for form in words)])
                yield from _of_words(permutations(family, 2), vocabulary)
        for entry in self._ppdb_entries(self._are_forms_of_one):
            if entry.word in vocabulary:
                yield entry.word, entry.neighbours[0]

    def _base_form_pairs(self, vocabulary: frozenset[str]) -> Iterator[tuple[str, str]]:
        sources = (
            wordnet_entries(self._wordnet, "WordNet synonym"),
            files.mythes_plain_synonyms(self._lexicons),
            files.moby(self._lexicons),
        )
        for entries in sources:
            for word, parts, neighbours in entries:
                if not is_word(word):
                    continue
                for part in parts:
                    own = self._own_forms(word, part, vocabulary)
                    forms = dict.fromkeys(form for words in own.values() for form in words)
                    forms.pop(word, None)
                    if not forms:
                        continue
                    for other in neighbours:
                        if is_word(other) and self._wordnet.has(other, part):
                            for form in forms:
                                yield form, other


def wordnet_entries(wordnet: WordNet, relation: str) -> Iterator[Entry]:
    """One relation's neighbours of every lemma, an entry for each part of speech."""
    for lemma in wordnet.lemmas:
        by_part: dict[str, dict[str, None]] = {}
        for neighbour in wordnet.neighbours(lemma):
            if neighbour.relation == relation:
                by_part.setdefault(neighbour.part, {})[neighbour.word] = None
        for part, neighbours in by_part.items():
            yield Entry(lemma, part, list(neighbours))


def is_word(text: str) -> bool:
    """Whether the text is one word of letters alone: no blank, hyphen, apostrophe or digit."""
    return text.isalpha()


def _of_words(pairs: _Pairs, vocabulary: frozenset[str]) -> Iterator[tuple[str, str]]:
    for original, spun in pairs:
        if original in vocabulary and is_word(original) and is_word(spun):
            yield original, spun


def _form_by_form(own: Forms, theirs: Forms) -> Iterator[tuple[str, str]]:
    for tag, originals in own.items():
        for spun in theirs.get(tag, ()):
            for original in originals:
                yield original, spun


def _number_pairs() -> Iterator[tuple[str, str]]:
    """Number words and digits, both ways."""
    for word, figure in _FIGURES.items():
        yield word, figure
        yield figure, word


def _distinct(source: int, pairs: _Pairs) -> Iterator[Pair]:
    """Each pair once, none of a word with itself.

    A set of several million pairs would take a gigabyte; two word numbers packed into one integer
    take eight bytes.
    """
    numbers: dict[str, int] = {}
    packed = array("Q")
    for original, spun in pairs:
        if original != spun:
            left = numbers.setdefault(original, len(numbers))
            packed.append(left << 32 | numbers.setdefault(spun, len(numbers)))
    words = list(numbers)
    for key in np.unique(np.array(packed, dtype=np.uint64)):
        number = int(key)
        yield Pair(source, words[number >> 32], words[number & 0xFFFFFFFF])


def _thesaurus_phrases(lexicons: Path, vocabulary: frozenset[str]) -> Iterator[tuple[str, str]]:
    for entries in (
        wordnet_entries(WordNet.load(lexicons), "WordNet synonym"),
        files.mythes_plain_synonyms(lexicons),
        files.moby(lexicons),
    ):
        for word, _, neighbours in entries:
            if vocabulary.issuperset(word.split(" ")):
                for other in neighbours:
                    if _is_short_enough((word, other)):
                        yield word, other


def _is_short_enough(pair: tuple[str, str]) -> bool:
    return all(side.count(" ") < MOST_WORDS for side in pair)


def _is_phrase_pair(original: str, spun: str) -> bool:
    words = original.split(" "), spun.split(" ")
    return max(map(len, words)) > 1 and all(map(is_word, chain(*words)))
