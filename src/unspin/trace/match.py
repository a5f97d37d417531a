"""Which article was a page taken from, and what does that tell? The result of tracing one page.

All offsets are Unicode code points: those of the page into `Trace.text`, those of the source into
`Match.text`.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

from unspin import __version__
from unspin.reading import Edit, Reading, replay

SOURCE = "source"  # what an edit's reason begins with if the original stands in the source


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of the page and the passage of the source that it was made of."""

    start: int
    end: int
    source_start: int
    source_end: int


@dataclass(frozen=True, slots=True)
class Substitution:
    """What the page prints, and what stands in its place in the source.

    `reason` names the sources of the channel that swap the two, and is empty if none does.
    `is_protected` says that one of them is a name, a number or the like, which spinners leave
    alone: somebody has changed what was said, and it is shown and never put back.
    """

    start: int
    end: int
    source_start: int
    source_end: int
    spun: str
    original: str
    reason: str
    is_protected: bool


@dataclass(frozen=True, slots=True)
class Match:
    """An article that the page was taken from.

    `probability` is that of the page, or part of it, having been taken from this article or from
    a copy of it; `coverage` the share of the page's words that stand in `passages`, which are in
    the page's order and do not overlap there. `copies` are the ids of other articles of the index
    that match as the same passages do: which of them was taken cannot be told.
    """

    id: str
    title: str | None
    url: str | None
    date: str | None
    text: str
    probability: float
    coverage: float
    passages: tuple[Passage, ...]
    substitutions: tuple[Substitution, ...]
    copies: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the match as plain values, without the article's text."""
        return {
            "id": self.id,
            "title": self.title,
            "url": self.url,
            "date": self.date,
            "probability": self.probability,
            "coverage": self.coverage,
            "copies": list(self.copies),
            "passages": [
                {
                    "start": passage.start,
                    "end": passage.end,
                    "source_start": passage.source_start,
                    "source_end": passage.source_end,
                }
                for passage in self.passages
            ],
            "substitutions": [
                {
                    "start": swap.start,
                    "end": swap.end,
                    "source_start": swap.source_start,
                    "source_end": swap.source_end,
                    "spun": swap.spun,
                    "original": swap.original,
                    "reason": swap.reason,
                    "is_protected": swap.is_protected,
                }
                for swap in self.substitutions
            ],
        }


@dataclass(frozen=True, slots=True)
class Trace:
    """Where a page was taken from: `matches`, the best first, none if nothing indexed is its
    source.

    `text` is that of the page as extracted, `words` how many it has, `reason` says in a sentence
    why there is no match, and is empty where there is one.
    """

    text: str
    words: int
    matches: tuple[Match, ...]
    reason: str = ""

    @property
    def coverage(self) -> float:
        """The share of the page's words that stand in a passage of some match."""
        return covered_share(self.matches)

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The edits that put the sources' own words back; where sources overlap, the best's."""
        edits: list[Edit] = []
        taken = _Spans([])
        for match in self.matches:
            edits += [
                Edit(
                    swap.start,
                    swap.end,
                    swap.spun,
                    swap.original,
                    match.probability,
                    (),
                    f"{SOURCE}: {match.id}",
                )
                for swap in match.substitutions
                if not swap.is_protected and not taken.touch(swap.start, swap.end)
            ]
            taken = _Spans([*taken.spans, *((p.start, p.end) for p in match.passages)])
        return tuple(sorted(edits, key=lambda edit: edit.start))

    def restored(self, reading: Reading) -> Reading:
        """Return the reading with the sources' own words wherever the page aligns with them.

        Elsewhere its edits and suspects stay. The reading is one of the same page.

        Raises:
            ValueError: it is a reading of another text.
        """
        if reading.source_text != self.text:
            raise ValueError("the reading is one of another text than the trace")
        taken = _Spans([(p.start, p.end) for match in self.matches for p in match.passages])
        own = [edit for edit in reading.edits if not taken.touch(edit.start, edit.end)]
        suspects = [s for s in reading.suspects if not taken.touch(s.start, s.end)]
        edits = sorted([*self.edits, *own], key=lambda edit: edit.start)
        return replace(reading, edits=tuple(edits), suspects=tuple(suspects))

    def apply(self) -> str:
        """Return the page's text with the sources' own words where it aligns with them."""
        return replay(self.text, self.edits)

    def to_dict(self) -> dict[str, Any]:
        """Return the trace as plain values, in the order in which JSON prints them."""
        return {
            "unspin": __version__,
            "words": self.words,
            "coverage": self.coverage,
            "matches": [match.to_dict() for match in self.matches],
            "reason": self.reason,
        }

    def to_json(self) -> str:
        """Return `to_dict()` as one JSON object on one line, safe to encode as UTF-8."""
        return json.dumps(self.to_dict(), allow_nan=False)


def covered_share(matches: Sequence[Match]) -> float:
    """The share of a page's words that stand in a passage of some of its matches, about.

    Each match knows its own share; where their passages overlap, by characters, the words are
    counted once.
    """
    spans = [(p.start, p.end) for match in matches for p in match.passages]
    each = sum(end - start for start, end in spans)
    if not each:
        return 0.0
    together = sum(end - start for start, end in union(spans))
    return min(sum(match.coverage for match in matches) * together / each, 1.0)


def union(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans of a text in order, those that overlap or touch as one.

    >>> union([(5, 9), (0, 3), (2, 5), (12, 15)])
    [(0, 9), (12, 15)]
    """
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


class _Spans:
    """Spans of a text, those that overlap or touch as one, in order."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        self.spans = union(spans)

    def touch(self, start: int, end: int) -> bool:
        """Whether some of them have a character between two offsets."""
        following = bisect_right(self.spans, start, key=itemgetter(1))
        return following < len(self.spans) and self.spans[following][0] < end
