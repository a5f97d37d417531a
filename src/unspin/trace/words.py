"""Which words of a page and of an article are compared? All but punctuation, with their places."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from unspin.text import CODE, NUMBER, PROTECTED, PUNCTUATION, QUOTE, WEB, tokenize


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a text: offsets, what each is compared by, one byte each that is 1 where no
    spinner would change it, and the number of each one's sentence."""

    start: array[int]
    end: array[int]
    symbol: list[str]
    fixed: bytearray
    sentence: array[int]

    def __len__(self) -> int:
        return len(self.start)

    def __getitem__(self, some: slice) -> Words:
        return Words(
            self.start[some],
            self.end[some],
            self.symbol[some],
            self.fixed[some],
            self.sentence[some],
        )


def words(text: str, apart: Sequence[tuple[int, int]] = ()) -> Words:
    """Return the words of a text: no punctuation, numbers as they are printed.

    Args:
        text: what it is.
        apart: passages whose words are left out, by their offsets, sorted.

    >>> words("He paid 30 coins. Share this!", [(18, 29)]).symbol
    ['he', 'paid', '30', 'coins']
    """
    tokens = tokenize(text)
    spans = iter([*apart, (len(text), len(text))])
    apart_start, apart_end = next(spans)
    start, end = array("I"), array("I")
    symbols: list[str] = []
    fixed = bytearray()
    sentence = array("I")
    ends = iter([*tokens.sentences[1:], len(tokens)])
    end_of_sentence, number = next(ends), 0
    columns = zip(tokens.start, tokens.end, tokens.symbol, tokens.kind, tokens.flags, strict=True)
    for i, (first, last, symbol, kind, flags) in enumerate(columns):
        while i >= end_of_sentence:
            end_of_sentence, number = next(ends), number + 1
        while first >= apart_end:
            apart_start, apart_end = next(spans)
        if kind in (PUNCTUATION, QUOTE) or first >= apart_start:
            continue
        start.append(first)
        end.append(last)
        symbols.append(text[first:last].lower() if kind in (NUMBER, WEB, CODE) else symbol)
        fixed.append(flags & PROTECTED)
        sentence.append(number)
    return Words(start, end, symbols, fixed, sentence)


def together(texts: Iterable[tuple[str, int]]) -> Words:
    """Return the words of several parts of a text, each of which begins at an offset of it.

    >>> list(together([("One two.", 0), ("Three.", 100)]).start)
    [0, 4, 100]
    """
    found = Words(array("I"), array("I"), [], bytearray(), array("I"))
    for text, offset in texts:
        part = words(text)
        found.start.extend(start + offset for start in part.start)
        found.end.extend(end + offset for end in part.end)
        found.symbol.extend(part.symbol)
        found.fixed.extend(part.fixed)
        following = found.sentence[-1] + 1 if found.sentence else 0
        found.sentence.extend(following + number for number in part.sentence)
    return found
