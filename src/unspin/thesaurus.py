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

MAX_SOURCES = 16
PHRASE = 4  # words at most in the original of a phrase

# Classes of words, which a spinner may treat each its own way: the commonest words of the
# language, words that a dictionary lists, and their inflected forms with all the rest.
FREQUENT, LEMMA, INFLECTED = range(3)


class Choice(NamedTuple):
    """A possible original of a printed word, and the names of the sources that swap the two."""

    original: str
    sources: tuple[str, ...]


class Thesaurus:
    """An opened channel.

    For the printed word with number i in `number`, the entries `first[i]` to `first[i + 1]` of
    `original` (numbers in the language model's vocabulary) and `sources` (bit masks) are its
    possible originals, the likeliest first. Where either side has several words, `phrase_number`,
    `phrase_first`, `phrase_words` (four numbers an entry, filled up with zeros) and `phrase_fan`
    say the same; `heads` gives, for every two words that start such a printed phrase, how many
    words the longest has.
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
        self.fanout = file.arrays["fanout"]
        self.word_class = file.arrays["word_class"]
        self.phrase_source = self.names.index("phrase")
        phrases = bytes(file.arrays["phrases"]).decode().split("\n")
        self.phrase_number = {phrase: i for i, phrase in enumerate(phrases)}
        self.phrase_first = file.arrays["phrase_first"]
        self.phrase_words = file.arrays["phrase_words"]
        self.phrase_fan = file.arrays["phrase_fan"]
        self.heads: dict[str, int] = {}
        for phrase in phrases:
            words = phrase.count(" ") + 1
            if words > 1:
                head = phrase if words == 2 else " ".join(phrase.split(" ", 2)[:2])
                self.heads[head] = max(self.heads.get(head, 0), words)

    def without(self, names: Collection[str]) -> Thesaurus:
        """A copy that lacks some sources, as if their spinners were unknown."""
        unknown = set(names) - set(self.names)
        if unknown:
            raise ValueError(f"no such source: {', '.join(sorted(unknown))}")
        allowed = sum(1 << bit for bit, name in enumerate(self.names) if name not in names)
        first, original, sources = array("I", [0]), array("H"), array("H")
        for start, stop in pairwise(self.first):
            for k in range(start, stop):
                if self.sources[k] & allowed:
                    original.append(self.original[k])
                    sources.append(self.sources[k] & allowed)
            first.append(len(original))
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
        if "phrase" in names:
            lesser.heads, lesser.phrase_number = {}, {}
        return lesser

    def choices(self, printed: str, words: Sequence[str]) -> list[Choice]:
        """The possible originals of a printed word; `words` is the model's vocabulary."""
        i = self.number.get(printed)
        if i is None:
            return []
        return [
            Choice(words[self.original[k]], self.source_names(self.sources[k]))
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
    phrases: Mapping[str, Sequence[tuple[Sequence[int], int]]],
) -> None:
    """Write a channel: per printed word its (original, source mask) entries, likeliest first.

    `fanout[original * len(sources) + source]` is the number of words that a source has for an
    original; `prior` the share of each source before anything is known of a text; `word_class`
    has one byte a word of the vocabulary. `phrases` has, per printed phrase, the words of each of
    its originals (at most `PHRASE`) and the number of phrases that may be printed for that one.
    """
    first, original, masks = array("I", [0]), array("H"), array("H")
    for entries in choices.values():
        for word, mask in entries:
            original.append(word)
            masks.append(mask)
        first.append(len(original))
    columns: dict[str, bytes | array[int]] = {
        "spun": "\n".join(choices).encode(),
        "first": first,
        "original": original,
        "sources": masks,
        "fanout": fanout,
        "word_class": word_class,
    }
    columns |= _phrase_columns(phrases)
    meta = {"sources": list(sources), "prior": list(prior)}
    arrays.write(path, "channel", meta, columns)


def _phrase_columns(
    phrases: Mapping[str, Sequence[tuple[Sequence[int], int]]],
) -> dict[str, bytes | array[int]]:
    first, words, fan = array("I", [0]), array("H"), array("H")
    for originals in phrases.values():
        for original, fanout in originals:
            words.extend([*original, *[0] * (PHRASE - len(original))])
            fan.append(fanout)
        first.append(len(fan))
    return {
        "phrases": "\n".join(phrases).encode(),
        "phrase_first": first,
        "phrase_words": words,
        "phrase_fan": fan,
    }
