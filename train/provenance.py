"""Where does every word of a spun page come from? Truth that survives what is done to the page.

Between its substitutions a spun text is that of its source; cutting it, shuffling it or mixing it
with another moves the pieces about and leaves them what they are.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from itertools import chain, zip_longest
from operator import attrgetter
from random import Random
from typing import NamedTuple

from train.spin import Spun

FEW_PARAGRAPHS = 4  # with fewer, sentences are moved

_PARAGRAPH = re.compile(r"[^\n]+")
_SENTENCE = re.compile(r"""\S[^\n]*?(?:[.!?…]["'”’)\]]*(?=\s)|$)""", re.MULTILINE)


class Piece(NamedTuple):
    """From `start` to `end` the page has what its source has from `source_start` to `source_end`.

    `source` is the place in `Query.sources`. What was copied is the same text but for letter
    case, of the same length; anything else was put in place of the other.
    """

    start: int
    end: int
    source: int
    source_start: int
    source_end: int
    is_copied: bool


class Page(NamedTuple):
    """A page and where its text comes from, in its own order; a gap comes from nowhere."""

    text: str
    pieces: tuple[Piece, ...]

    def origin(self, start: int, end: int) -> tuple[int, int, int] | None:
        """The source of a span and its span there, None if it is not known.

        What was put in place of something has all of that as its span.

        >>> page = Page("big houses", (Piece(0, 4, 0, 5, 9, True), Piece(4, 10, 0, 9, 14, False)))
        >>> page.origin(0, 3), page.origin(4, 10), page.origin(2, 6)
        ((0, 5, 8), (0, 9, 14), None)
        """
        place = bisect_right(self.pieces, start, key=attrgetter("start")) - 1
        if place < 0 or end > self.pieces[place].end:
            return None
        piece = self.pieces[place]
        if not piece.is_copied:
            return piece.source, piece.source_start, piece.source_end
        shift = piece.source_start - piece.start
        return piece.source, start + shift, end + shift


def traced(spun: Spun) -> Page:
    """A spun text as a page of one source.

    >>> from train.spin import Swap
    >>> traced(Spun("at big homes", "at houses", (Swap(3, 12, "big homes", "houses"),))).pieces
    (Piece(start=0, end=3, source=0, source_start=0, source_end=3, is_copied=True),
     Piece(start=3, end=12, source=0, source_start=3, source_end=9, is_copied=False))
    """
    pieces: list[Piece] = []
    here = there = 0
    for swap in spun.swaps:
        length = swap.start - here
        pieces.append(Piece(here, swap.start, 0, there, there + length, is_copied=True))
        there += length
        end = there + len(swap.original)
        pieces.append(Piece(swap.start, swap.end, 0, there, end, is_copied=False))
        here, there = swap.end, end
    rest = len(spun.text) - here
    pieces.append(Piece(here, len(spun.text), 0, there, there + rest, is_copied=True))
    return Page(spun.text, tuple(piece for piece in pieces if piece.start < piece.end))


def excerpt(page: Page, start: int, end: int) -> Page:
    """A part of a page; where it cuts through a substitution, it comes from nowhere."""
    pieces = []
    for piece in page.pieces:
        first, last = max(piece.start, start), min(piece.end, end)
        if first >= last or (not piece.is_copied and (first, last) != piece[:2]):
            continue
        source_start = piece.source_start + first - piece.start
        source_end = piece.source_end + last - piece.end
        pieces.append(
            piece._replace(
                start=first - start,
                end=last - start,
                source_start=source_start,
                source_end=source_end,
            )
        )
    return Page(page.text[start:end], tuple(pieces))


def joined(pages: Iterable[Page], separator: str) -> Page:
    """One page after the other; what is put between them comes from nowhere."""
    texts: list[str] = []
    pieces: list[Piece] = []
    here = 0
    for page in pages:
        pieces += [p._replace(start=p.start + here, end=p.end + here) for p in page.pieces]
        texts.append(page.text)
        here += len(page.text) + len(separator)
    return Page(separator.join(texts), tuple(pieces))


def lower_cased(page: Page) -> Page:
    """The page without capitals, as long as before."""
    lowered = (low if len(low := letter.lower()) == 1 else letter for letter in page.text)
    return page._replace(text="".join(lowered))


def middle_third(page: Page) -> Page:
    """The middle third of a page's words."""
    words = list(re.finditer(r"\S+", page.text))
    third = len(words) // 3
    return excerpt(page, words[third].start(), words[len(words) - third - 1].end())


def shuffled(page: Page, random: Random) -> Page:
    """The paragraphs of a page in another order, or the sentences if there are few paragraphs."""
    units, separator = _units(page)
    return joined(random.sample(units, len(units)), separator)


def mixed(one: Page, other: Page) -> Page:
    """The first half of one page and the last half of another, in turns."""
    first, separator = _units(one)
    second, _ = _units(other)
    second = [_of_second_source(unit) for unit in second[len(second) // 2 :]]
    turns = chain.from_iterable(zip_longest(first[: (len(first) + 1) // 2], second))
    return joined((unit for unit in turns if unit is not None), separator)


def _of_second_source(page: Page) -> Page:
    return page._replace(pieces=tuple(piece._replace(source=1) for piece in page.pieces))


def _units(page: Page) -> tuple[list[Page], str]:
    """The paragraphs of a page, or its sentences if there are few, and what goes between them."""
    paragraphs = [match.span() for match in _PARAGRAPH.finditer(page.text)]
    if len(paragraphs) >= FEW_PARAGRAPHS:
        return [excerpt(page, *span) for span in paragraphs], "\n"
    return [excerpt(page, *match.span()) for match in _SENTENCE.finditer(page.text)], " "
