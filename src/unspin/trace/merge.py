"""What do the shards of an index say of a page together? Their answers to it, made one.

Each shard names the articles that it has the page from, and knows nothing of the others'. The rule
is the tracer's own: what a better article explains is no evidence for another, and one that matches
as a better one does is a copy of it. The words of the page are counted by their characters here,
and an article's worth is the share of the page that it is expected to explain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from unspin.trace.match import Match, Passage, covered_share, union
from unspin.trace.tracer import COPY, OWN

Row = Mapping[str, Any]
Span = tuple[int, int]


def merged(rows: Sequence[Row], most: int) -> dict[str, Any]:
    """Return the row of a page from those of every shard of the index.

    The order of the shards makes no difference to the matches, of which there are `most` at most.
    A shard that could not be asked is the reason given, whatever the others found.
    """
    first = rows[0]
    if len(rows) == 1:
        return dict(first)
    asked = [row for row in rows if row["matches"] is not None]
    unasked = [row["reason"] for row in rows if row["matches"] is None]
    matches = chosen([_match(match) for row in asked for match in row["matches"]])[:most]
    reason = unasked[0] if unasked else None if matches else first["reason"]
    return {
        "id": first["id"],
        "source": first["source"],
        "words": asked[0]["words"] if asked else None,
        "coverage": covered_share(matches) if asked else None,
        "matches": [match.to_dict() for match in matches] if asked else None,
        "reason": reason,
    }


def chosen(matches: Sequence[Match]) -> list[Match]:
    """Return the matches that explain a part of the page each, the likeliest first.

    >>> def found(id, probability, start, end):
    ...     passage = Passage(start, end, 0, end - start)
    ...     return Match(id, None, None, None, "", probability, (end - start) / 100, (passage,), ())
    >>> for match in chosen([found("event", 0.6, 0, 50), found("second", 0.99, 60, 100),
    ...                      found("first", 0.9, 0, 60), found("reprint", 0.8, 0, 58)]):
    ...     print(match.id, match.copies)
    second ()
    first ('reprint',)
    """
    order = sorted(matches, key=lambda m: (-m.probability * m.coverage, -m.probability, m.id))
    kept: list[Match] = []
    claimed: list[Span] = []
    for match in order:
        spans = _spans(match)
        if _length(spans) - _shared(spans, claimed) >= OWN * _length(spans):
            kept.append(match)
            claimed = union([*claimed, *spans])
            continue
        shared = [_shared(spans, _spans(better)) for better in kept]
        best = shared.index(max(shared))
        if shared[best] >= COPY * _length(_spans(kept[best])):
            ids = dict.fromkeys((*kept[best].copies, match.id, *match.copies))
            ids.pop(kept[best].id, None)
            kept[best] = replace(kept[best], copies=tuple(ids))
    return sorted(kept, key=lambda match: -match.probability)


def _spans(match: Match) -> list[Span]:
    """Where passages stand on the page, in order; they do not overlap there."""
    return [(passage.start, passage.end) for passage in match.passages]


def _length(spans: Sequence[Span]) -> int:
    return sum(end - start for start, end in spans)


def _shared(spans: Sequence[Span], others: Sequence[Span]) -> int:
    """The length that two lists of spans have in common, each in order and without overlaps."""
    return _length(spans) + _length(others) - _length(union([*spans, *others]))


def _match(values: Row) -> Match:
    return Match(
        id=values["id"],
        title=values["title"],
        url=values["url"],
        date=None,
        text="",
        probability=values["probability"],
        coverage=values["coverage"],
        passages=tuple(Passage(**passage) for passage in values["passages"]),
        substitutions=(),
        copies=tuple(values["copies"]),
    )
