"""The channel P(spun | original): which words might a spinner have printed for which?

Compiled from thesauri, WordNet's relations, rules and tables of known families. A source (say
"WordNet hypernym") that has n words for an original prints each with probability 1/n; how much
each source contributes is found for every text anew.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from unspin import arrays

MAX_SOURCES = 32
PHRASE = 4  # words at most in the original of a phrase

# Classes of words, which a spinner may treat each its own way: the commonest words of the
# language, words that a dictionary lists, and their inflected forms with all the rest.
FREQUENT, LEMMA, INFLECTED = range(3)


class Choice(NamedTuple):
    """A possible original of a printed word, and the names of the sources that swap the two."""

    original: str
    sources: tuple[str, ...]


class PhraseChoice(NamedTuple):
    """A possible original of a printed phrase: its words' numbers (at most `PHRASE`), how many
    phrases its source may print for it, and the source's index."""

    words: Sequence[int]
    fanout: int
    source: int


class Thesaurus:
    """An opened channel.

    For the printed word with number i in `number`, the entries `first[i]` to `first[i + 1]` of
    `original` (numbers in the language model's vocabulary) and `sources` (numbers of a bit mask
    in `masks`) are its possible originals, the likeliest first. Where either side has several
    words, `phrase_number`, `phrase_first`, `phrase_words` (four numbers an entry, filled up with
    zeros), `phrase_fan` and `phrase_source` (one source each) say the same; `heads` gives, for
    every two words that start such a printed phrase, how many words the longest has.
    """

    def __init__(self, path: Path) -> None:
        """Open a compiled channel.

        Raises:
            ModelError: the file is missing, damaged or no channel.
        """
        file = arrays.read(path, "channel")
        self.path = path
        self.names: tuple[str, ...] = tuple(file.meta["sources"])
        self.prior: tuple[float, ...] = tuple(file.meta["prior"])
        self.number = {
            word: i for i, word in enumerate(bytes(file.arrays["spun"]).decode().split("\n"))
        }
        self.first = file.arrays["first"]
        self.original = file.arrays["original"]
        self.sources = file.arrays["sources"]
        self.masks = file.arrays["masks"]
        self.fanout = file.arrays["fanout"]
        self.word_class = file.arrays["word_class"]
        phrases = bytes(file.arrays["phrases"]).decode().split("\n")
        self.phrase_number = {phrase: i for i, phrase in enumerate(phrases)}
        self.phrase_first = file.arrays["phrase_first"]
        self.phrase_words = file.arrays["phrase_words"]
        self.phrase_fan = file.arrays["phrase_fan"]
        self.phrase_source = file.arrays["phrase_source"]
        heads = bytes(file.arrays["heads"]).decode().split("\n")
        self.heads = dict(zip(heads, file.arrays["head_length"], strict=False))

    def without(self, names: Collection[str]) -> Thesaurus:
        """A copy that lacks some sources, as if their spinners were unknown."""
        unknown = set(names) - set(self.names)
        if unknown:
            raise ValueError(f"no such source: {', '.join(sorted(unknown))}")
        allowed = sum(1 << bit for bit, name in enumerate(self.names) if name not in names)
        masks = array("I", (mask & allowed for mask in self.masks))
        first, original, sources = array("I", [0]), array("H"), array("H")
        for start, stop in pairwise(self.first):
            for k in range(start, stop):
                if masks[self.sources[k]]:
                    original.append(self.original[k])
                    sources.append(self.sources[k])
            first.append(len(original))
        phrase_first, words, fan = array("I", [0]), array("H"), array("H")
        phrase_source = bytearray()
        for start, stop in pairwise(self.phrase_first):
            for k in range(start, stop):
                if allowed >> self.phrase_source[k] & 1:
                    words.extend(self.phrase_words[PHRASE * k : PHRASE * (k + 1)])
                    fan.append(self.phrase_fan[k])
                    phrase_source.append(self.phrase_source[k])
            phrase_first.append(len(fan))
        fanout = array("H", bytes(self.fanout))
        for bit in range(len(self.names)):
            if not allowed >> bit & 1:
                for k in range(bit, len(fanout), len(self.names)):
                    fanout[k] = 0
        kept = [p * (allowed >> bit & 1) for bit, p in enumerate(self.prior)]
        lesser = copy(self)
        lesser.prior = tuple(p / sum(kept) for p in kept)
        lesser.first, lesser.original = memoryview(first), memoryview(original)
        lesser.sources, lesser.fanout = memoryview(sources), memoryview(fanout)
        lesser.masks, lesser.phrase_first = memoryview(masks), memoryview(phrase_first)
        lesser.phrase_words, lesser.phrase_fan = memoryview(words), memoryview(fan)
        lesser.phrase_source = memoryview(phrase_source)
        return lesser

    def choices(self, printed: str, words: Sequence[str]) -> list[Choice]:
        """The possible originals of a printed word; `words` is the model's vocabulary."""
        i = self.number.get(printed)
        if i is None:
            return []
        return [
            Choice(words[self.original[k]], self.source_names(self.masks[self.sources[k]]))
            for k in range(self.first[i], self.first[i + 1])
        ]

    def source_names(self, mask: int) -> tuple[str, ...]:
        """The sources in a bit mask."""
        return tuple(name for bit, name in enumerate(self.names) if mask >> bit & 1)


def write(
    path: Path,
    sources: Sequence[str],
    prior: Sequence[float],
    choices: Mapping[str, Iterable[tuple[int, int]]],
    fanout: array[int],
    word_class: bytes,
    phrases: Mapping[str, Sequence[PhraseChoice]],
) -> None:
    """Write a channel: per printed word its (original, source mask) entries, likeliest first.

    `fanout[original * len(sources) + source]` is the number of words that a source has for an
    original; `prior` the share of each source before anything is known of a text; `word_class`
    has one byte a word of the vocabulary.
    """
    first, original, sets = array("I", [0]), array("H"), array("H")
    number: dict[int, int] = {}
    for entries in choices.values():
        for word, mask in entries:
            original.append(word)
            sets.append(number.setdefault(mask, len(number)))
        first.append(len(original))
    columns: dict[str, bytes | array[int]] = {
        "spun": "\n".join(choices).encode(),
        "first": first,
        "original": original,
        "sources": sets,
        "masks": array("I", number),
        "fanout": fanout,
        "word_class": word_class,
    }
    columns |= _phrase_columns(phrases)
    meta = {"sources": list(sources), "prior": list(prior)}
    arrays.write(path, "channel", meta, columns)


def _phrase_columns(
    phrases: Mapping[str, Sequence[PhraseChoice]],
) -> dict[str, bytes | array[int]]:
    first, words, fan, source = array("I", [0]), array("H"), array("H"), bytearray()
    for originals in phrases.values():
        for choice in originals:
            words.extend([*choice.words, *[0] * (PHRASE - len(choice.words))])
            fan.append(choice.fanout)
            source.append(choice.source)
        first.append(len(fan))
    heads: dict[str, int] = {}
    for phrase in phrases:
        printed = phrase.split(" ")
        if len(printed) > 1:
            head = " ".join(printed[:2])
            heads[head] = max(heads.get(head, 0), len(printed))
    return {
        "phrases": "\n".join(phrases).encode(),
        "phrase_first": first,
        "phrase_words": words,
        "phrase_fan": fan,
        "phrase_source": bytes(source),
        "heads": "\n".join(heads).encode(),
        "head_length": bytes(heads.values()),
    }
