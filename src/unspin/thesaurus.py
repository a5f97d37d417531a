"""The channel P(spun | original): which words might a spinner have printed for which?

Compiled from thesauri, WordNet's relations, rules and tables of known families. A source (say
"WordNet hypernym") that has n words for an original prints each with probability 1/n; how much
each source contributes is found for every text anew.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from unspin import arrays
from unspin.families import Entry, FamilyError, FamilyTable

MAX_SOURCES = 32
MAX_MASKS = 1 << 16  # different sets of sources
MAX_FAN = (1 << 16) - 1
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

    `families` are the names of the sources that are families of `with_families`, and `left_out`
    says of each how many of its entries no lattice can use.
    """

    def __init__(self, path: Path) -> None:
        """Open a compiled channel.

        Raises:
            ModelError: the file is missing, damaged or no channel.
        """
        file = arrays.read(path, "channel")
        self.path = path
        self.families: tuple[str, ...] = ()
        self.left_out: Mapping[str, int] = {}
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

    def with_families(self, tables: Sequence[FamilyTable], number: Mapping[str, int]) -> Thesaurus:
        """A copy with a source for every family, which is named after it.

        `number` is the language model's vocabulary: an entry whose original is not in it is left
        out. Somebody has named these families, so one of them is likely: they share half of the
        prior. Their entries come first among those of a printed word.

        Raises:
            FamilyError: two sources would have one name, or there are too many.
        """
        if not tables:
            return self
        names = [table.name for table in tables]
        for i, name in enumerate(names):
            if name in self.names or name in names[:i]:
                raise FamilyError(f"there are two families called {name}: name one of them")
        if len(self.names) + len(names) > MAX_SOURCES:
            most = MAX_SOURCES - len(self.names)
            raise FamilyError(f"{len(names)} families are too many: {most} fit at once")
        used = [[entry for entry in table.entries if _is_usable(entry, number)] for table in tables]
        more = copy(self)
        more.names = (*self.names, *names)
        more.prior = (*(p / 2 for p in self.prior), *(0.5 / len(names) for _ in names))
        more.families = (*self.families, *names)
        more.left_out = dict(self.left_out) | {
            table.name: len(table.entries) - len(some)
            for table, some in zip(tables, used, strict=True)
        }
        more.fanout = memoryview(_with_fanout(self, used, number))
        more.number, *words = _with_words(self, used, number)
        more.first, more.original, more.sources, more.masks = (memoryview(c) for c in words)
        more.phrase_number, *phrases = _with_phrases(self, used, number)
        more.phrase_first, more.phrase_words, more.phrase_fan, more.phrase_source = (
            memoryview(column) for column in phrases
        )
        more.heads = _heads(more.phrase_number)
        return more

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


# --- families


# The entries that are added, by family.
_Used = Sequence[Sequence[Entry]]
# Of one original: its values in every column.
_Row = Sequence[Sequence[int]]


def _is_usable(entry: Entry, number: Mapping[str, int]) -> bool:
    words = entry.original.split(" ")
    return len(words) <= PHRASE and all(word in number for word in words)


def _is_phrase(entry: Entry) -> bool:
    return " " in entry.original or " " in entry.spun


def _fan(probability: float) -> int:
    """Of how many words that are printed alike each has this probability."""
    return round(1 / max(probability, 1 / MAX_FAN))


def _with_fanout(channel: Thesaurus, used: _Used, number: Mapping[str, int]) -> array[int]:
    """The fanout of all sources, the families last: that of the likeliest word they print."""
    before = len(channel.names)
    sources = before + len(used)
    fanout = array("H", bytes(2 * sources * (len(channel.fanout) // before)))
    for source in range(before):
        fanout[source::sources] = array("H", channel.fanout[source::before].tolist())
    for source, entries in enumerate(used, before):
        for entry in entries:
            if " " not in entry.original:
                place = number[entry.original] * sources + source
                fan = _fan(entry.probability)
                fanout[place] = min(fan, fanout[place] or fan)
    return fanout


def _with_words(
    channel: Thesaurus, used: _Used, number: Mapping[str, int]
) -> tuple[dict[str, int], array[int], array[int], array[int], array[int]]:
    """`number`, `first`, `original`, `sources` and `masks` with the pairs of single words."""
    added: dict[str, dict[int, tuple[float, int]]] = defaultdict(dict)  # probability and mask
    for source, entries in enumerate(used, len(channel.names)):
        for entry in entries:
            if " " in entry.spun:
                continue
            # One that is printed for phrases alone is entered too: to be in doubt it needs a slot.
            originals = added[entry.spun]
            if " " not in entry.original:
                word = number[entry.original]
                best, mask = originals.get(word, (0.0, 0))
                originals[word] = max(best, entry.probability), mask | 1 << source
    numbers = _numbered(channel.number, channel.first, added)
    # Of a channel that lacks sources several may be the same.
    masks = list(channel.masks)
    mask_number = {mask: i for i, mask in enumerate(masks)}
    rows: dict[int, list[_Row]] = {}
    for spun, originals in added.items():
        i = numbers[spun]
        known = [
            (channel.original[k], channel.masks[channel.sources[k]])
            for k in _places(channel.first, i)
        ]
        others = dict(known)
        best_first = sorted(originals, key=lambda word: (-originals[word][0], word))
        entries_of = [(word, originals[word][1] | others.get(word, 0)) for word in best_first]
        entries_of += [(word, mask) for word, mask in known if word not in originals]
        for _, mask in entries_of:
            if mask not in mask_number:
                mask_number[mask] = len(masks)
                masks.append(mask)
        rows[i] = [((word,), (mask_number[mask],)) for word, mask in entries_of]
    if len(masks) > MAX_MASKS:
        raise FamilyError("these families have too much in common to be used at once: use fewer")
    first, (original, sources) = _with_rows(
        channel.first, [(channel.original, 1), (channel.sources, 1)], rows
    )
    return numbers, first, original, sources, array("I", masks)


def _with_phrases(
    channel: Thesaurus, used: _Used, number: Mapping[str, int]
) -> tuple[dict[str, int], array[int], array[int], array[int], array[int]]:
    """`phrase_number`, `phrase_first`, `phrase_words`, `phrase_fan` and `phrase_source` with the
    pairs of which a side has several words."""
    added: dict[str, list[_Row]] = defaultdict(list)
    for source, entries in enumerate(used, len(channel.names)):
        for entry in sorted(entries, key=lambda entry: -entry.probability):
            if _is_phrase(entry):
                words = _filled_up([number[word] for word in entry.original.split(" ")])
                added[entry.spun].append((words, (_fan(entry.probability),), (source,)))
    numbers = _numbered(channel.phrase_number, channel.phrase_first, added)
    rows: dict[int, list[_Row]] = {}
    for spun, mine in added.items():
        known = [
            (
                channel.phrase_words[PHRASE * k : PHRASE * (k + 1)],
                (channel.phrase_fan[k],),
                (channel.phrase_source[k],),
            )
            for k in _places(channel.phrase_first, numbers[spun])
        ]
        rows[numbers[spun]] = [*mine, *known]
    columns = [(channel.phrase_words, PHRASE), (channel.phrase_fan, 1), (channel.phrase_source, 1)]
    first, (words_of, fan, source_of) = _with_rows(channel.phrase_first, columns, rows)
    return numbers, first, words_of, fan, source_of


def _numbered(
    known: Mapping[str, int], first: Sequence[int], added: Iterable[str]
) -> dict[str, int]:
    """The numbers of what is printed; what is new is numbered behind what has entries."""
    numbers = {printed: i for printed, i in known.items() if i < len(first) - 1}
    for printed in added:
        numbers.setdefault(printed, len(numbers))
    return numbers


def _places(first: Sequence[int], number: int) -> range:
    """Where the entries of a number are, if there are any."""
    return range(first[number], first[number + 1]) if number < len(first) - 1 else range(0)


def _with_rows(
    first: memoryview,
    columns: Sequence[tuple[memoryview, int]],
    rows: Mapping[int, Sequence[_Row]],
) -> tuple[array[int], list[array[int]]]:
    """The columns with other rows for some numbers, which may be new; and where each begins.

    A column comes with the number of its values in a row.
    """
    starts = array("I", [0])
    made = [array(column.format, []) for column, _ in columns]
    count = done = 0
    for number in (*sorted(rows), max(len(first) - 1, *rows, 0) + 1):
        stop = min(number, len(first) - 1)
        if done < stop:
            shift = count - first[done]
            starts.extend(place + shift for place in first[done + 1 : stop + 1])
            for values, (column, width) in zip(made, columns, strict=True):
                values.frombytes(column[width * first[done] : width * first[stop]].tobytes())
            count = starts[-1]
        if number in rows:
            for row in rows[number]:
                for values, of_row in zip(made, row, strict=True):
                    values.extend(of_row)
            count += len(rows[number])
            starts.append(count)
        done = number + 1
    return starts, made


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
            words.extend(_filled_up(choice.words))
            fan.append(choice.fanout)
            source.append(choice.source)
        first.append(len(fan))
    heads = _heads(phrases)
    return {
        "phrases": "\n".join(phrases).encode(),
        "phrase_first": first,
        "phrase_words": words,
        "phrase_fan": fan,
        "phrase_source": bytes(source),
        "heads": "\n".join(heads).encode(),
        "head_length": bytes(heads.values()),
    }


def _filled_up(words: Sequence[int]) -> list[int]:
    return [*words, *[0] * (PHRASE - len(words))]


def _heads(phrases: Iterable[str]) -> dict[str, int]:
    """How many words the longest phrase has that starts with these two."""
    heads: dict[str, int] = {}
    for phrase in phrases:
        printed = phrase.split(" ")
        if len(printed) > 1:
            head = " ".join(printed[:2])
            heads[head] = max(heads.get(head, 0), len(printed))
    return heads
