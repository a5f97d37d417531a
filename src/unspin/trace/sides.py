"""How do a page and its source stand side by side? Rows of both, cut into pieces that agree or not.

The terminal and the report show the same rows, each in its own way.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby
from typing import Literal, NamedTuple

from unspin.trace.match import Match, Passage, Substitution, Trace

Kind = Literal["same", "changed", "altered", "alone"]

MOST = 4_000_000  # pairs of words between two substitutions that are compared
_WORD = re.compile(r"\s*\S+|\s+$")
_BLANK_LINE = re.compile(r"(?:\r\n?|\n)[^\S\r\n]*(?:\r\n?|\n)")


class Piece(NamedTuple):
    """Some words of one side; `number` is that of their substitution in the match, from 0.

    "changed" words stand for others on the other side, "altered" ones are names and the like that
    do, and "alone" are those to which nothing corresponds there.
    """

    text: str
    kind: Kind = "same"
    number: int | None = None


class Row(NamedTuple):
    """A paragraph of the page, and what it was made of.

    `passage` is the number of its passage in the match. It is None where the page aligns with
    nothing of this source: then `elsewhere` is the number of the match that it was taken from, if
    there is one, and `source` is empty.
    """

    page: tuple[Piece, ...]
    source: tuple[Piece, ...]
    passage: int | None = None
    elsewhere: int | None = None


class _Pair(NamedTuple):
    """Words of the page beside those of the source; one of the two is None if it has none."""

    page: Piece | None
    source: Piece | None


def rows(trace: Trace, number: int) -> Iterator[Row]:
    """Yield the whole page, in its order, beside what was taken from one of its matches.

    White space in the pieces is single blanks; in what aligns with nothing, line ends are kept.

    >>> from unspin.trace.match import Substitution
    >>> swap = Substitution(8, 16, 8, 10, "astatine", "at", "element", False)
    >>> match = Match("7", None, None, None, "We meet at noon.", 0.9, 0.8,
    ...               (Passage(0, 22, 0, 16),), (swap,))
    >>> for row in rows(Trace("We meet astatine noon. Share this!", 6, (match,)), 0):
    ...     print([piece.text for piece in row.page], [piece.text for piece in row.source])
    ['We meet ', 'astatine', ' noon.'] ['We meet ', 'at', ' noon.']
    ['Share this!'] []
    """
    match = trace.matches[number]
    others = _others(trace, number)
    swaps = sorted(enumerate(match.substitutions), key=_start)
    cursor = 0
    for at, passage in enumerate(_whole(trace.text, match)):
        yield from _unaligned(trace.text, cursor, passage.start, others)
        pairs = list(_pairs(trace.text, match, passage, swaps))
        yield from _paragraphs(pairs, at)
        cursor = max(cursor, passage.end)
    yield from _unaligned(trace.text, cursor, len(trace.text), others)


def altered(match: Match) -> list[tuple[str, str, int]]:
    """Return what the page says, what the source says, and how often, of names and the like."""
    found: dict[tuple[str, str], int] = {}
    for swap in match.substitutions:
        if swap.is_protected:
            both = _line(swap.spun).strip(), _line(swap.original).strip()
            found[both] = found.get(both, 0) + 1
    return [(spun, original, count) for (spun, original), count in found.items()]


def _others(trace: Trace, number: int) -> list[tuple[Passage, int]]:
    """The passages of the other matches in the page's order, each with the number of its match."""
    return sorted(
        (
            (passage, other)
            for other, match in enumerate(trace.matches)
            if other != number
            for passage in match.passages
        ),
        key=lambda entry: entry[0].start,
    )


def _whole(text: str, match: Match) -> Iterator[Passage]:
    """The passages with the marks before their first words and behind their last ones."""
    cursor = 0
    starts = [passage.start for passage in match.passages[1:]]
    for passage, most in zip(match.passages, [*starts, len(text)], strict=False):
        start, end = _reach(text, passage.start, passage.end, cursor, most)
        source = _reach(match.text, passage.source_start, passage.source_end, 0, len(match.text))
        yield Passage(start, end, *source)
        cursor = end


def _reach(text: str, start: int, end: int, least: int, most: int) -> tuple[int, int]:
    """Where a span begins and ends with the marks that touch it, between two bounds."""
    while start > least and _is_mark(text[start - 1]):
        start -= 1
    while end < most and _is_mark(text[end]):
        end += 1
    return start, end


def _is_mark(character: str) -> bool:
    return not (character.isalnum() or character.isspace())


def _unaligned(
    text: str, start: int, end: int, others: Iterable[tuple[Passage, int]]
) -> Iterator[Row]:
    """The page from one passage to the next, cut where it was taken from another match."""
    for passage, other in others:
        if passage.end <= start or passage.start >= end:
            continue
        yield from _alone(text[start : passage.start], None)
        yield from _alone(text[max(start, passage.start) : min(end, passage.end)], other)
        start = max(start, passage.end)
    yield from _alone(text[start:end], None)


def _alone(text: str, elsewhere: int | None) -> Iterator[Row]:
    # A mark or two between passages is no text of its own.
    if any(map(str.isalnum, text)):
        lines = "\n".join(filter(None, map(str.strip, map(_line, text.splitlines()))))
        yield Row((Piece(lines, "alone"),), (), elsewhere=elsewhere)


def _pairs(
    text: str, match: Match, passage: Passage, swaps: Sequence[tuple[int, Substitution]]
) -> Iterator[_Pair]:
    """A passage of both sides, word by word between the substitutions, which are in its order."""
    start, source_start = passage.start, passage.source_start
    first = bisect_left(swaps, start, key=_start)
    for number, swap in swaps[first : bisect_left(swaps, passage.end, key=_start)]:
        follows = swap.start >= start and swap.source_start >= source_start
        if follows and swap.end <= passage.end and swap.source_end <= passage.source_end:
            before = match.text[source_start : swap.source_start]
            yield from _between(text[start : swap.start], before)
            kind: Kind = "altered" if swap.is_protected else "changed"
            yield _Pair(
                Piece(text[swap.start : swap.end], kind, number),
                Piece(match.text[swap.source_start : swap.source_end], kind, number),
            )
            start, source_start = swap.end, swap.source_end
    yield from _between(text[start : passage.end], match.text[source_start : passage.source_end])


def _start(numbered: tuple[int, Substitution]) -> int:
    return numbered[1].start


def _between(page: str, source: str) -> Iterator[_Pair]:
    """Words without a substitution: nearly always the same on both sides."""
    left, right = _WORD.findall(page), _WORD.findall(source)
    keys, source_keys = list(map(_key, left)), list(map(_key, right))
    if keys == source_keys:
        for word, other in zip(left, right, strict=True):
            yield _Pair(Piece(word), Piece(other))
    elif len(left) * len(right) > MOST:
        yield from _apart(left, right)
    else:
        opcodes = SequenceMatcher(None, keys, source_keys, autojunk=False).get_opcodes()
        for tag, i1, i2, j1, j2 in opcodes:
            if tag == "equal":
                for word, other in zip(left[i1:i2], right[j1:j2], strict=True):
                    yield _Pair(Piece(word), Piece(other))
            else:
                yield from _apart(left[i1:i2], right[j1:j2])


def _apart(page: Iterable[str], source: Iterable[str]) -> Iterator[_Pair]:
    for word in page:
        yield _Pair(Piece(word, "alone" if word.strip() else "same"), None)
    for word in source:
        yield _Pair(None, Piece(word, "alone" if word.strip() else "same"))


def _key(word: str) -> str:
    """What is compared of a word: neither its case nor the marks around it."""
    return re.sub(r"\W+", "", word).casefold() or word.strip()


def _paragraphs(pairs: Sequence[_Pair], passage: int) -> Iterator[Row]:
    """The rows of a passage: a paragraph of the page each, or of the source if the page has one."""
    side = 0 if _lines(_text(pairs, 0)) else 1
    least = 2 if _BLANK_LINE.search(_text(pairs, side)) else 1
    row: list[_Pair] = []
    has_ended = False
    for pair in pairs:
        if piece := pair[side]:
            words = piece.text.lstrip()
            has_ended |= _lines(piece.text.removesuffix(words)) >= least
            if has_ended and words:
                yield from _row(row, passage)
                row, has_ended = [], False
        row.append(pair)
    yield from _row(row, passage)


def _text(pairs: Iterable[_Pair], side: int) -> str:
    return "".join(piece.text for pair in pairs if (piece := pair[side])).strip()


def _row(pairs: Sequence[_Pair], passage: int) -> Iterator[Row]:
    row = Row(_joined(pairs, 0), _joined(pairs, 1), passage)
    if row.page or row.source:
        yield row


def _joined(pairs: Iterable[_Pair], side: int) -> tuple[Piece, ...]:
    """The pieces of a side: those that follow each other and are alike become one."""
    joined: list[Piece] = []
    pieces = (piece for pair in pairs if (piece := pair[side]))
    for (kind, number), alike in groupby(pieces, key=lambda piece: (piece.kind, piece.number)):
        text = _line("".join(piece.text for piece in alike))
        # No row begins or ends with a blank, and none is marked.
        if not joined:
            text = text.lstrip()
        elif kind != "same" and text.startswith(" "):
            joined.append(Piece(" "))
            text = text[1:]
        if text:
            joined.append(Piece(text, kind, number))
    while joined and not (text := joined[-1].text.rstrip()):
        joined.pop()
    if joined:
        joined[-1] = joined[-1]._replace(text=text)
    return tuple(joined)


def _lines(text: str) -> int:
    """How many line ends a text has."""
    return len(f"{text}.".splitlines()) - 1


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", text)
