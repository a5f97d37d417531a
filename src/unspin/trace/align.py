"""Which words of a page stand for which words of an article? The channel, with both sides known.

A word beside itself, or beside a word that a spinner may print for it, speaks for the page having
been made of the article, by the log of how much likelier the pair is then than by chance; any
other pair and every gap speaks against it. The best set of passages by that sum is the alignment
(`kernels.align`): word by word within a passage, in any order of passages.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from itertools import groupby, pairwise
from typing import NamedTuple

from unspin.kernels.align import Aligner as Kernel
from unspin.lm import LanguageModel
from unspin.thesaurus import PHRASE, Thesaurus
from unspin.trace import phrases
from unspin.trace.match import Passage, Substitution
from unspin.trace.words import Words

# Natural logs of odds, chosen on the development pages of `train.trace`.
KEPT, SWAPPED = -0.5, -1.2  # of a word having been left as it was; of its having been replaced
MOST = 7.0  # a pair speaks for the article at most: a rare word may be rare in both for one reason
LEAST = 0.2  # a pair that the channel explains speaks for it at least
MISMATCH = -2.0  # a pair that nothing explains
ALTERED = -5.0  # beside a name, a number or the like, which spinners leave alone
OPENING, EXTENSION = 3.0, 0.7  # a gap on either side, and each further word of it
BEGINNING = 18.0  # a passage
SHORTEST = 6  # words of a page that are a passage; fewer are the same in any two texts
LONGEST_GAP = 6  # words more on one side than on the other within a passage


class Pair(NamedTuple):
    """A stretch of the page's words and one of the source's, by their numbers, that differ.

    `reason` has the sources of the channel that swap the two, "" if none does.
    """

    first: int
    last: int
    source_first: int
    source_last: int
    reason: str


class Channel:
    """What speaks for and against a page having been made of an article, word by word."""

    def __init__(self, model: LanguageModel, thesaurus: Thesaurus) -> None:
        """Open it on a language model and the thesaurus compiled for its vocabulary."""
        self._thesaurus = thesaurus
        self._model = model

    def surprise(self, symbol: str) -> float:
        """Return how surprising a word is, in nats, `MOST` at most.

        By the language model's unigrams: in how many contexts it stands, not how often (Kneser and
        Ney 1995), so that words of set phrases count for what the phrase does not give away.
        """
        number = self._model.number.get(symbol)
        if number is None:
            return MOST
        return min(-math.log(self._model.unigrams[number]), MOST)

    def originals(self, printed: str) -> dict[str, int]:
        """Return the words that a printed one may stand for, each with a bit mask of the sources
        that swap the two."""
        thesaurus, names = self._thesaurus, self._model.words
        entry = thesaurus.number.get(printed)
        if entry is None:
            return {}
        some = slice(thesaurus.first[entry], thesaurus.first[entry + 1])
        numbers, sets = thesaurus.original[some], thesaurus.sources[some]
        return {names[i]: thesaurus.masks[k] for i, k in zip(numbers, sets, strict=True)}

    def odds(self, printed: str, original: str, mask: int) -> float:
        """Return how much two words beside each other speak for one having been made of the other.

        `mask` has the sources that swap them, and is 0 if they are the same.
        """
        if not mask:
            return self.surprise(printed) + KEPT
        share = self._share(self._model.number[original], mask)
        return min(max(self.surprise(printed) + SWAPPED + math.log(share), LEAST), MOST)

    def _share(self, original: int, mask: int) -> float:
        """P(the printed word | the original was replaced), by sources that have the two."""
        thesaurus = self._thesaurus
        fans = original * len(thesaurus.names)
        return sum(
            share / max(thesaurus.fanout[fans + source], 1)
            for source, share in enumerate(thesaurus.prior)
            if mask >> source & 1
        )

    @cached_property
    def judge(self) -> phrases.Judge:
        """What phrases are cut by."""
        return phrases.Judge(
            self.surprise, lambda one, other: other in self.originals(one), self.phrases
        )

    def phrases(self, printed: str) -> list[tuple[str, ...]]:
        """Return the originals of a printed phrase, in words."""
        return [original for original, _ in self._phrases(printed)]

    def _phrases(self, printed: str) -> list[tuple[tuple[str, ...], str]]:
        """The originals of a printed phrase, each with its source."""
        thesaurus, names = self._thesaurus, self._model.words
        entry = thesaurus.phrase_number.get(printed)
        if entry is None:
            return []
        found = []
        for k in range(thesaurus.phrase_first[entry], thesaurus.phrase_first[entry + 1]):
            numbers = thesaurus.phrase_words[PHRASE * k : PHRASE * (k + 1)]
            words = tuple(names[number] for number in numbers if number)
            found.append((words, thesaurus.names[thesaurus.phrase_source[k]]))
        return found

    def explanation(self, printed: Sequence[str], original: Sequence[str]) -> str:
        """Return what makes a word or phrase of another: sources of the channel, or ""."""
        if len(printed) == len(original) == 1:
            return self.reason(self.originals(printed[0]).get(original[0], 0))
        phrases = self._phrases(" ".join(printed))
        sources = [source for words, source in phrases if words == tuple(original)]
        known = (source for source in sources if source in self._thesaurus.families)
        return next(known, "phrase" if sources else "")

    def reason(self, mask: int) -> str:
        """Return the names of the sources in a bit mask."""
        return ", ".join(self._thesaurus.source_names(mask))


class Sheet:
    """A page, ready to be aligned with any number of articles."""

    def __init__(self, page: Words, channel: Channel) -> None:
        """Look up what each of its words may stand for."""
        self.words = page
        self._channel = channel
        self._odds: dict[tuple[int, str], float] = {}
        self._number: dict[str, int] = {}
        self.numbers = array(
            "i", (self._number.setdefault(s, len(self._number)) for s in page.symbol)
        )
        # By the word that stands in the source: the page's words that may stand for it.
        self._stands_for: dict[str, list[tuple[int, str, int]]] = {}
        for symbol, number in self._number.items():
            for original, mask in (channel.originals(symbol) | {symbol: 0}).items():
                self._stands_for.setdefault(original, []).append((number, symbol, mask))

    def align(self, source: Words) -> Alignment:
        """Return the best alignment with the words of an article."""
        channel = self._channel
        places: dict[str, list[int]] = {}
        for number, symbol in enumerate(source.symbol):
            places.setdefault(symbol, []).append(number)
        entries: list[list[tuple[int, float]]] = [[] for _ in self._number]
        masks: dict[tuple[int, str], int] = {}
        place_first, place = array("i", [0]), array("i")
        for symbol, found in places.items():
            for number, printed, mask in self._stands_for.get(symbol, ()):
                odds = self._odds.get((number, symbol))
                if odds is None:
                    odds = self._odds[number, symbol] = channel.odds(printed, symbol, mask)
                entries[number].append((len(place_first) - 1, odds))
                masks[number, symbol] = mask
            place.extend(found)
            place_first.append(len(place))
        first = array("i", [0])
        symbols, scores = array("i"), array("d")
        for entry in entries:
            for symbol_number, odds in entry:
                symbols.append(symbol_number)
                scores.append(odds)
            first.append(len(symbols))
        mismatch = array("d", (ALTERED if fixed else MISMATCH for fixed in source.fixed))
        to, passage, total = Kernel(
            self.numbers, self.words.fixed, first, symbols, scores, place_first, place, mismatch,
            ALTERED, OPENING, EXTENSION, BEGINNING,
        ).align()  # fmt: skip
        _part(to, passage)
        for start, end in _ranges(passage):
            if end - start < SHORTEST:
                to[start:end] = passage[start:end] = array("i", [-1] * (end - start))
        return Alignment(self, source, to, passage, total, masks, channel)


class Alignment:
    """The passages of a page that were made of an article's, word by word.

    `to` is, for every word of the page, its place among the article's words or -1; `passage` the
    number of its passage or -1; `total` the log-odds of what was aligned up to and with it.
    """

    def __init__(
        self,
        sheet: Sheet,
        source: Words,
        to: array[int],
        passage: array[int],
        total: array[float],
        masks: dict[tuple[int, str], int],
        channel: Channel,
    ) -> None:
        self.page = sheet.words
        self.source = source
        self.to, self.passage, self._total = to, passage, total
        self._numbers = sheet.numbers
        self._masks = masks
        self._channel = channel

    @property
    def covered(self) -> int:
        """How many words of the page stand in passages."""
        return sum(number >= 0 for number in self.passage)

    @property
    def odds(self) -> float:
        """The log-odds of the passages together, in nats."""
        before = [0.0, *self._total]
        return sum(before[last] - before[first] for first, last in self.ranges())

    def mask(self, i: int) -> int | None:
        """The sources of the channel that make a word of the page of its word in the source: 0 if
        the two are the same, None if nothing does."""
        return self._masks.get((self._numbers[i], self.source.symbol[self.to[i]]))

    def ranges(self) -> list[tuple[int, int]]:
        """The first word of every passage on the page, and the word after its last."""
        return _ranges(self.passage)

    def passages(self) -> list[Passage]:
        """The passages as characters, in the page's order."""
        page, source = self.page, self.source
        return [
            Passage(
                page.start[first],
                page.end[last - 1],
                source.start[self.to[first]],
                source.end[self.to[last - 1]],
            )
            for first, last in self.ranges()
        ]

    def pairs(self) -> Iterator[Pair]:
        """What differs between page and source within the passages, word by word but for phrases.

        What stands for nothing, or has too many words for what it would stand for, is no pair.
        """
        for first, last in self.ranges():
            for stretch in self._differences(first, last):
                here, there = (
                    stretch.last - stretch.first,
                    stretch.source_last - stretch.source_first,
                )
                found = self._one_by_one(stretch) if here == there else self._cut(stretch)
                for pair in found:
                    here, there = pair.last - pair.first, pair.source_last - pair.source_first
                    if here and there and abs(here - there) <= LONGEST_GAP:
                        yield pair

    def _differences(self, first: int, last: int) -> list[Pair]:
        """The stretches of a passage between words that are the same in both. Where they have not
        as many words on both sides, with the word before and after it, which may be part of a
        phrase; two that share that word are one."""
        same = [i for i in range(first, last) if self.to[i] >= 0 and self.mask(i) == 0]
        anchors = [(i, self.to[i], 1) for i in same]
        ends = (first - 1, self.to[first] - 1, 0), (last, self.to[last - 1] + 1, 0)
        found: list[Pair] = []
        for (i, j, before), (i_end, j_end, after) in pairwise([ends[0], *anchors, ends[1]]):
            here, there = i_end - i, j_end - j
            if here == there == 1:
                continue
            if here == there:
                before = after = 0  # noqa: PLW2901
            pair = Pair(i + 1 - before, i_end + after, j + 1 - before, j_end + after, "")
            if found and pair.first < found[-1].last:
                pair = pair._replace(first=found[-1].first, source_first=found[-1].source_first)
                found.pop()
            found.append(pair)
        return found

    def _one_by_one(self, stretch: Pair) -> Iterator[Pair]:
        first, last, source_first, _, _ = stretch
        for i in range(first, last):
            j = source_first + i - first
            mask = self._masks.get((self._numbers[i], self.source.symbol[j]))
            yield Pair(i, i + 1, j, j + 1, self._channel.reason(mask or 0))

    def _cut(self, stretch: Pair) -> Iterator[Pair]:
        first, last, source_first, source_last, _ = stretch
        page, source = self.page.symbol[first:last], self.source.symbol[source_first:source_last]
        for piece in phrases.pieces(page, source, self._channel.judge):
            printed = page[piece.first : piece.last]
            original = source[piece.source_first : piece.source_last]
            if printed != original:
                yield Pair(
                    first + piece.first,
                    first + piece.last,
                    source_first + piece.source_first,
                    source_first + piece.source_last,
                    self._channel.explanation(printed, original),
                )

    def substitutions(self, page_text: str, source_text: str) -> list[Substitution]:
        """What differs, as characters of the two texts."""
        page, source = self.page, self.source
        found = []
        pairs = list(self.pairs())
        # What they take, of the page and of the source.
        taken = {i for pair in pairs for i in range(pair.first, pair.last)}
        source_taken = {j for pair in pairs for j in range(pair.source_first, pair.source_last)}
        for pair in pairs:
            whole = self._whole(pair, page_text, taken, source_taken)
            first, last, source_first, source_last, reason = whole
            taken.update(range(first, last))
            source_taken.update(range(source_first, source_last))
            start, end = page.start[first], page.end[last - 1]
            source_start, source_end = source.start[source_first], source.end[source_last - 1]
            fixed = any(page.fixed[first:last]) or any(source.fixed[source_first:source_last])
            found.append(
                Substitution(
                    start, end, source_start, source_end,
                    page_text[start:end], source_text[source_start:source_end], reason, fixed,
                )
            )  # fmt: skip
        return found

    def _whole(
        self, pair: Pair, page_text: str, taken: Collection[int], source_taken: Collection[int]
    ) -> Pair:
        """The pair with the rest of a compound that it would cut through, if that is as in the
        source: what has another number of words leaves no hyphen behind."""
        first, last, source_first, source_last, reason = pair
        if last - first == source_last - source_first:
            return pair

        def is_kept(i: int, j: int) -> bool:
            is_free = i not in taken and j not in source_taken
            return is_free and 0 <= j == self.to[i] and self.mask(i) == 0

        while self._runs_on(last - 1, page_text) and is_kept(last, source_last):
            last, source_last = last + 1, source_last + 1
        while self._runs_on(first - 1, page_text) and is_kept(first - 1, source_first - 1):
            first, source_first = first - 1, source_first - 1
        return Pair(first, last, source_first, source_last, reason)

    def _runs_on(self, i: int, page_text: str) -> bool:
        """Whether a word of the page and the next one are parts of one compound."""
        page = self.page
        return 0 <= i < len(page) - 1 and page_text[page.end[i] : page.start[i + 1]] == "-"


def _part(to: array[int], passage: array[int]) -> None:
    """Make two passages of one with a long gap on either side, and leave the gap out."""
    number = 0
    for start, end in _ranges(passage):
        number += 1
        before = start
        passage[start] = number
        for i in range(start + 1, end):
            if to[i] >= 0:
                inserted, skipped = i - before - 1, to[i] - to[before] - 1
                is_long = max(inserted, skipped) > LONGEST_GAP
                number += is_long
                passage[before + 1 : i] = array("i", [-1 if is_long else number] * inserted)
                passage[i] = number
                before = i


def _ranges(passage: Sequence[int]) -> list[tuple[int, int]]:
    """Where words in a row have the same number, which is not -1."""
    found = []
    for number, group in groupby(range(len(passage)), passage.__getitem__):
        if number >= 0:
            places = list(group)
            found.append((places[0], places[-1] + 1))
    return found
