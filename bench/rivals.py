"""What the program is compared with: simpler ways to restore a text, and to tell a spun one.

Restorers return the changes they would make to a text, and know as little of where the text is
spun as the program does. Scores are higher for text that is more likely spun.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from bench.lm import measure, numbers, scores, sentences
from bench.metrics import Change
from train.families import FAMILIES
from train.lexicons import tortured_phrases
from train.relations import hand_written_phrases
from train.wordnet import RELATIONS, WordNet
from unspin.lm import EOS, ORDER, UNKNOWN, LanguageModel
from unspin.reader import MODEL
from unspin.text import CAPITAL, PROTECTED, WORD, Tokens, tokenize

Restorer = Callable[[str], list[Change]]

SYNONYM, SIMILAR, HYPERNYM = RELATIONS[:3]
RARER = 10.0  # how many times rarer than its neighbour a word is that a careful rival replaces
# How many times likelier a sentence has to become. On the calibration half of the texts 100 puts
# back a quarter of a family's words at 60% right; 10 a third at 50%, 1,000 a seventh at 70%.
LIKELIER = 100.0

_WORDS = re.compile(r"\w+")


def nothing(lexicons: Path) -> Restorer:
    """Changes nothing."""
    del lexicons
    return lambda _: []


def frequent_neighbour(lexicons: Path) -> Restorer:
    """Puts the most frequent WordNet neighbour for every word that is rarer than it."""
    return _replacing(_most_frequent(lexicons, 1.0))


def frequent_for_rare(lexicons: Path) -> Restorer:
    """The same, only where the word is ten times rarer than the neighbour."""
    return _replacing(_most_frequent(lexicons, RARER))


def neighbour_in_context(lexicons: Path) -> Restorer:
    """From left to right, the WordNet neighbour that our n-gram model finds likeliest in its place.

    Neighbours by any relation, inflected as the printed word is; nothing is known of how a
    spinner chooses, nor of the rest of the text.
    """
    model, neighbours = _model(), FAMILIES["mixed fixed"](lexicons).choices

    @cache
    def candidates(word: str) -> list[tuple[str, int]]:
        found = ((other, model.number.get(other)) for other in neighbours(word))
        return [(other, number) for other, number in found if number is not None]

    def restore(text: str) -> list[Change]:
        tokens = tokenize(text)
        changes: list[Change] = []
        for sentence in sentences(tokens):
            line = [*numbers(model, sentence), EOS]
            for at, i in enumerate(sentence.positions):
                if not is_open(tokens, i):
                    continue
                best, chosen = _likelihood(model, line, at) + math.log10(LIKELIER), None
                printed = line[at]
                for other, number in candidates(tokens.symbol[i]):
                    line[at] = number
                    likelihood = _likelihood(model, line, at)
                    if likelihood > best:
                        best, chosen = likelihood, (other, number)
                line[at] = chosen[1] if chosen else printed
                if chosen:
                    changes.append(Change(tokens.start[i], tokens.end[i], chosen[0]))
        return changes

    return restore


RESTORERS: Mapping[str, Callable[[Path], Restorer]] = {
    "nothing": nothing,
    "frequent neighbour": frequent_neighbour,
    "frequent neighbour, rare words only": frequent_for_rare,
    "likeliest neighbour in context": neighbour_in_context,
}


def surprise(text: str) -> float:
    """Bits per word under our own n-gram model: the log of the perplexity."""
    measured = measure(_model(), sentences(tokenize(text)))
    return measured.bits / max(measured.tokens, 1)


def rarity(text: str) -> float:
    """Minus the mean log unigram probability: spinners print rarer words than they replace."""
    model = _model()
    tokens = tokenize(text)
    logs = [
        math.log(model.unigrams[model.number.get(symbol, UNKNOWN)])
        for symbol, kind in zip(tokens.symbol, tokens.kind, strict=True)
        if kind in (WORD, CAPITAL)
    ]
    return -sum(logs) / max(len(logs), 1)


SCORES: Mapping[str, Callable[[str], float]] = {"perplexity": surprise, "word frequency": rarity}


def listed_phrases(lexicons: Path, clean: Iterable[str]) -> Callable[[str], float]:
    """How many phrases of the lists of what spinners print a text has for each of its words.

    Single words of the lists are ordinary words and no evidence, nor are phrases that stand in
    one of the clean texts. The spinner `phrases` prints from the same lists, so that it is no
    stranger to this rival.
    """
    pairs = [*hand_written_phrases(), *tortured_phrases(lexicons)]
    phrases = {tuple(_WORDS.findall(spun)) for _, spun in pairs}
    by_first: dict[str, set[tuple[str, ...]]] = {}
    for phrase in phrases:
        if len(phrase) > 1:
            by_first.setdefault(phrase[0], set()).add(phrase)

    def matches(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
        for here, word in enumerate(words):
            for phrase in by_first.get(word, ()):
                if tuple(words[here : here + len(phrase)]) == phrase:
                    yield phrase

    for phrase in {p for text in clean for p in matches(_WORDS.findall(text.lower()))}:
        by_first[phrase[0]].remove(phrase)

    def score(text: str) -> float:
        words = _WORDS.findall(text.lower())
        return sum(1 for _ in matches(words)) / max(len(words), 1)

    return score


@cache
def _model() -> LanguageModel:
    return LanguageModel(MODEL / "lm.bin")


def _replacing(better: Callable[[str], str | None]) -> Restorer:
    def restore(text: str) -> list[Change]:
        tokens = tokenize(text)
        changes = []
        for i in range(len(tokens)):
            other = better(tokens.symbol[i]) if is_open(tokens, i) else None
            if other is not None:
                changes.append(Change(tokens.start[i], tokens.end[i], other))
        return changes

    return restore


def _most_frequent(lexicons: Path, factor: float) -> Callable[[str], str | None]:
    model, wordnet = _model(), WordNet.load(lexicons)

    def probability(word: str) -> float:
        number = model.number.get(word)
        return 0.0 if number is None else model.unigrams[number]

    @cache
    def better(word: str) -> str | None:
        """The most frequent neighbour, if the word itself is so many times rarer."""
        near = {
            neighbour.word
            for neighbour in wordnet.neighbours(word)
            if neighbour.relation in (SYNONYM, SIMILAR, HYPERNYM)
        }
        best = max(sorted(near), key=probability, default=word)
        return best if probability(best) > factor * probability(word) else None

    return better


def _likelihood(model: LanguageModel, line: list[int], at: int) -> float:
    """log10 P of all words that the one at this place has a part in, and of a few before it."""
    return sum(scores(model, line[max(0, at - ORDER + 1) : at + ORDER]))


def is_open(tokens: Tokens, i: int) -> bool:
    """Whether a token is a word that a spinner could have printed."""
    return tokens.kind[i] in (WORD, CAPITAL) and not tokens.flags[i] & PROTECTED
