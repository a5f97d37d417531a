"""What of a trace is right? Words aligned with where they were taken from, and words put back."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

from train.provenance import Piece
from train.queries import Query
from unspin.reading import Edit, moved, replay
from unspin.trace import Match, Passage, Trace

_WORD = re.compile(r"\w+(?:['’-]\w+)*")

Span = tuple[int, int]


@dataclass(frozen=True)
class Found:
    """Counts of one or more traces.

    `words` are those of the pages that were taken from an article of the index; `right` of them
    are aligned with what they were taken from or put in place of, `wider` with that and more
    around it, `wrong` with something else.
    `swaps` are the substitutions in passages, `restored` those of them that the edits undo.
    """

    words: int = 0
    right: int = 0
    wider: int = 0
    wrong: int = 0
    swaps: int = 0
    restored: int = 0

    def __add__(self, other: Found) -> Found:
        return Found(
            self.words + other.words,
            self.right + other.right,
            self.wider + other.wider,
            self.wrong + other.wrong,
            self.swaps + other.swaps,
            self.restored + other.restored,
        )


def compared(trace: Trace, query: Query, texts: Sequence[str]) -> Found:
    """Compare a trace with the truth; `texts` are those of the query's sources."""
    aligned = {
        span: (match.id, place)
        for match in reversed(trace.matches)  # where passages of two overlap the better one tells
        for span, place in placed(query.text, match)
    }
    counts: Counter[str] = Counter()
    for word in _WORD.finditer(query.text):
        true = query.truth.origin(*word.span())
        if true is not None:
            source, start, end = true
            id_, place = aligned.get(word.span(), (None, (0, 0)))
            counts["words"] += 1
            if id_ is not None:
                own = id_ == query.sources[source]
                counts[_kind(place, (start, end)) if own else "wrong"] += 1
    swaps, restored = _restored(trace, query, texts)
    return Found(**counts, swaps=swaps, restored=restored)


def _kind(place: Span, true: Span) -> str:
    """How what a word is aligned with lies to what is true."""
    (start, end), (true_start, true_end) = place, true
    if true_start <= start < end <= true_end:
        return "right"
    return "wider" if start <= true_start and true_end <= end else "wrong"


def placed(page: str, match: Match) -> Iterator[tuple[Span, Span]]:
    """The words of a page in passages, each with its span in the source.

    What a substitution covers stands for all of its other side; what is between them is the same
    on both sides, word by word.
    """
    for passage in match.passages:
        swaps = [s for s in match.substitutions if passage.start <= s.start < passage.end]
        here, there = passage.start, passage.source_start
        for swap in swaps:
            yield from _copied(page, match.text, (here, swap.start), (there, swap.source_start))
            for word in _WORD.finditer(page, swap.start, swap.end):
                yield word.span(), (swap.source_start, swap.source_end)
            here, there = swap.end, swap.source_end
        yield from _copied(page, match.text, (here, passage.end), (there, passage.source_end))


def _copied(page: str, source: str, span: Span, source_span: Span) -> Iterator[tuple[Span, Span]]:
    """The words of two spans with the same text, side by side; nothing if they have not."""
    words = [match.span() for match in _WORD.finditer(page, *span)]
    others = [match.span() for match in _WORD.finditer(source, *source_span)]
    if len(words) == len(others):
        yield from zip(words, others, strict=True)


def _restored(trace: Trace, query: Query, texts: Sequence[str]) -> tuple[int, int]:
    """How many substitutions are in passages of their sources, and how many of them are undone."""
    passages: dict[str, tuple[Passage, ...]] = {m.id: m.passages for m in trace.matches}
    edits = trace.edits
    swaps = restored = 0
    for piece in query.truth.pieces:
        if piece.is_copied or not _is_in(piece, passages.get(query.sources[piece.source], ())):
            continue
        swaps += 1
        restored += _is_undone(piece, query, texts, edits)
    return swaps, restored


def _is_in(piece: Piece, passages: Sequence[Passage]) -> bool:
    return any(p.start <= piece.start and piece.end <= p.end for p in passages)


def _is_undone(piece: Piece, query: Query, texts: Sequence[str], edits: Sequence[Edit]) -> bool:
    """Whether what the edits make of a substitution, and of all that they change with it, reads
    as the source does, letter case aside."""
    start, end = piece.start, piece.end
    while True:
        pieces = _touching(query.truth.pieces, start, end)
        within = [edit for edit in edits if edit.start < end and start < edit.end]
        reach = [(swap.start, swap.end) for swap in pieces if not swap.is_copied]
        reach += [(edit.start, edit.end) for edit in within]
        first, last = min(start for start, _ in reach), max(end for _, end in reach)
        if (first, last) == (start, end):
            break
        start, end = first, last
    was = "".join(_original(piece, start, end, query.text, texts) for piece in pieces)
    return replay(query.text[start:end], moved(within, -start)).lower() == was.lower()


def _touching(pieces: Sequence[Piece], start: int, end: int) -> Sequence[Piece]:
    first = bisect_right(pieces, start, key=attrgetter("end"))
    last = bisect_right(pieces, end - 1, key=attrgetter("start"))
    return pieces[first:last]


def _original(piece: Piece, start: int, end: int, page: str, texts: Sequence[str]) -> str:
    if piece.is_copied:
        return page[max(piece.start, start) : min(piece.end, end)]
    return texts[piece.source][piece.source_start : piece.source_end]
