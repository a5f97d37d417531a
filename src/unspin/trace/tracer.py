"""Which of the articles of an index was a page taken from, if any? Search, alignment, probability.

A search by words is cheap, and finds a page's source among its first few hits nearly always; but
its scores do not tell a source from an article on the same subject. Whether a hit is the source is
decided by aligning the two.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from unspin import pages
from unspin.families import FamilyTable
from unspin.pages import Page, PageError
from unspin.reader import MODEL, Reader
from unspin.reading import Reading, moved, replay, within
from unspin.trace.align import Alignment, Channel, Sheet
from unspin.trace.evidence import Belief, Evidence
from unspin.trace.index import Hit, Index
from unspin.trace.match import Match, Trace
from unspin.trace.search import Querist
from unspin.trace.words import Words, together, words

BELIEF = "trace.json"  # the file's name in the model's folder
HITS = 20  # parts of articles that a search for a block of a page gives
ARTICLES = 6  # of them, the articles that are aligned: the source is the first or second
MOST_SOURCES = 4  # of a page, of which each but the first is searched for by what is left
MOST_PARTS = 4  # of one article
BLOCK = 2_000  # words of a page that are traced together, which bounds time and memory
LEAST_WORDS = 20  # of a page, to say where it was taken from
SOURCE = 0.5  # probability from which an article is called the source
WHOLE = 0.95  # share of a block that, once explained, leaves no need for worse hits
NEARLY = 0.7  # of its score another hit has that may be a copy of it
COPY = 0.9  # share of a better article's words on the page that a copy of it covers
LEFT = 0.5  # share of a page that each source is judged by at least
OWN = 0.5  # share of an article's words on the page that no better one covers, if it is no copy


class Tracer:
    """Traces pages to the articles of an index, or of several that make up one collection.

    For one thread at a time.
    """

    def __init__(
        self,
        index: Index | Sequence[Index],
        *,
        model: Path = MODEL,
        families: Sequence[FamilyTable] = (),
    ) -> None:
        """Open the model; `families` are those of `Reader`.

        Raises:
            ModelError: a file of the model is missing or damaged.
            FamilyError: two families have one name, or there are too many.
        """
        self._indexes = [index] if isinstance(index, Index) else list(index)
        self._reader = Reader(model=model, families=families)
        solver = self._reader.solver
        self._channel = Channel(solver.model, solver.thesaurus)
        self._querist = Querist(solver.model, solver.thesaurus)
        self._belief = Belief.read(model / BELIEF)

    def trace(self, page: str | bytes | Page, deadline: float = math.inf) -> Trace:
        """Return where a page was taken from.

        A `deadline` is a time of `time.monotonic`.

        Raises:
            PageError: the page is binary, larger than the limits, or not traced by the deadline.
        """
        extracted = page if isinstance(page, Page) else pages.extract(page)
        view = _View(extracted)
        if len(view.words) < LEAST_WORDS:
            reason = f"too short to tell: {len(view.words)} words, of {LEAST_WORDS} at least"
            return Trace(extracted.text, len(view.words), (), reason)
        judged = self._judged(view, deadline)
        matches = _sources_of(judged)
        reason = "" if matches else _reason(judged, len(view.words))
        told = tuple(found.match(extracted.text, len(view.words)) for found in matches)
        return Trace(extracted.text, len(view.words), told, reason)

    def candidates(self, page: str | bytes | Page, deadline: float = math.inf) -> list[Match]:
        """Return the articles that were looked at, the likeliest source first.

        That is what `trace` chooses from; what a better one explains is no evidence for another.
        """
        extracted = page if isinstance(page, Page) else pages.extract(page)
        view = _View(extracted)
        judged = self._judged(view, deadline)
        return [found.match(extracted.text, len(view.words)) for found in judged]

    def query(self, page: str) -> Mapping[str, float]:
        """Return the words that the first search for a text asks for, with their weights."""
        return self._querist.query(page)

    def evidence(self, page: str) -> list[tuple[str, Evidence]]:
        """Return the ids of the articles that were looked at and what speaks for each, the best
        aligned first: what probabilities are made of."""
        view = _View(pages.plain(page))
        self._look(view, self._as_printed(view), math.inf)
        return [(found.candidate.id, found.evidence) for found in self._judge(view)]

    def _judged(self, view: _View, deadline: float) -> list[_Judged]:
        """The articles looked at, the likeliest first."""
        self._look(view, self._as_printed(view), deadline)
        judged = self._judge(view)
        if not _sources_of(judged):
            reading = self._reader.read(view.page, deadline)
            if reading.edits:
                self._look(view, self._as_restored(view, reading), deadline)
                judged = self._judge(view)
        for _ in range(MOST_SOURCES - 1):
            known = _sources_of(judged)
            rest = [self._querist.query(text) for text in view.without(known)]
            if not known or not self._look(view, rest, deadline):
                break
            judged = self._judge(view)
        return sorted(judged, key=lambda found: -found.probability)

    def _as_printed(self, view: _View) -> list[Mapping[str, float]]:
        """What to search for, for every block of a page."""
        return [self._querist.query(block.text) for block in view.blocks]

    def _as_restored(self, view: _View, reading: Reading) -> list[Mapping[str, float]]:
        """What to search for if the words of the page are put back."""
        queries = []
        for block in view.blocks:
            edits = moved(within(reading.edits, block.start, block.end), -block.start)
            queries.append(self._querist.query(block.text, replay(block.text, edits)))
        return queries

    def _look(self, view: _View, queries: Sequence[Mapping[str, float]], deadline: float) -> bool:
        """Search for every block of a page by a query of its own, align it with what is found, and
        return whether anything was found that it had not been aligned with before."""
        news = False
        for block, query in zip(view.blocks, queries, strict=True):
            for source in self._sources(query):
                if time.monotonic() > deadline:
                    raise PageError("the time for one document ran out")
                if block.is_explained(source.score):
                    break
                news = block.align(source, self._channel) or news
        return news

    def _sources(self, query: Mapping[str, float]) -> list[_Source]:
        """The articles that a query finds, the best first."""
        parts: dict[tuple[int, str], list[Hit]] = {}
        hits = [
            (hit, number)
            for number, index in enumerate(self._indexes)
            for hit in index.search(query, HITS)
        ]
        for hit, number in sorted(hits, key=lambda found: -found[0].score):
            parts.setdefault((number, hit.id), []).append(hit)
        return [
            _Source(self._indexes[number], found[0].id, found[:MOST_PARTS], found[0].score)
            for (number, _), found in list(parts.items())[:ARTICLES]
        ]

    def _judge(self, view: _View) -> list[_Judged]:
        """The articles that a page was aligned with, the best aligned first.

        What a better one explains is no evidence for another: the words that an article has in
        common with the source are on the page for that reason.
        """
        claimed: dict[int, _Judged] = {}  # words of the page, by the source that explains them
        judged = []
        candidates = [(candidate, candidate.covered()) for candidate in view.candidates()]
        anywhere = {i for _, covered in candidates for i in covered}
        everywhere = Counter(view.words.sentence[i] for i in anywhere)
        for candidate, covered in candidates:
            own = [i for i in covered if i not in claimed]
            if covered and len(own) < OWN * len(covered):
                better = claimed[next(i for i in covered if i in claimed)]
                known = (better.candidate.id, *better.copies)
                if len(covered) >= COPY * better.evidence.covered and candidate.id not in known:
                    better.copies.append(candidate.id)
                continue
            # No source of a page of several has the words of the others.
            elsewhere = len(anywhere) - len(covered)
            evidence = Evidence(
                words=max(len(view.words) - elsewhere, int(LEFT * len(view.words))),
                covered=len(own),
                touched=view.touched(own, covered, everywhere),
            )
            found = _Judged(candidate, evidence, self._belief.probability(evidence))
            judged.append(found)
            if found.probability >= SOURCE:
                claimed.update(dict.fromkeys(own, found))
        return judged


# --- what is searched for, and what is found


@dataclass(frozen=True)
class _Source:
    """An article that a search found, with its best parts and the score of the best."""

    index: Index
    id: str
    parts: Sequence[Hit]
    score: float

    def words(self) -> Words:
        """Its words, in the order of the article."""
        parts = sorted(self.parts, key=lambda hit: hit.start)
        return together((hit.text, hit.start) for hit in parts)


class _View:
    """A page as it is traced: its words outside of furniture, in blocks."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.words = words(page.text, [(passage.start, passage.end) for passage in page.furniture])
        self._in_sentence = Counter(self.words.sentence)
        self.blocks = [
            _Block(page, self.words, first) for first in range(0, len(self.words), BLOCK)
        ]

    def touched(self, own: Sequence[int], covered: Sequence[int], everywhere: Counter[int]) -> int:
        """How many words the sentences have that words of one's own stand in, without those that
        were taken from elsewhere.

        `everywhere` is how many words of each sentence were taken from some article, and `covered`
        are those that were taken from this one.
        """
        sentence = self.words.sentence
        mine = Counter(sentence[i] for i in covered)
        return sum(
            self._in_sentence[number] - everywhere[number] + mine[number]
            for number in {sentence[i] for i in own}
        )

    def without(self, known: Sequence[_Judged]) -> list[str]:
        """The words of every block that no known source covers, none if these are but a few."""
        claimed = {i for found in known for i in found.candidate.covered()}
        rest = []
        for block in self.blocks:
            symbols = block.words.symbol
            left = [w for i, w in enumerate(symbols, block.first) if i not in claimed]
            few = max((1 - WHOLE) * len(symbols), LEAST_WORDS)
            rest.append(" ".join(left) if len(left) > few else "")
        return rest

    def candidates(self) -> list[_Candidate]:
        """The articles that blocks were aligned with, the best aligned first."""
        found: dict[tuple[int, str], _Candidate] = {}
        for block in self.blocks:
            for key, (source, alignment) in block.alignments.items():
                candidate = found.setdefault(key, _Candidate(source.index, source.id))
                candidate.alignments[block.first] = alignment
        return sorted(found.values(), key=lambda candidate: (-candidate.odds, candidate.id))


class _Block:
    """Some words of a page, and the articles that they were aligned with."""

    def __init__(self, page: Page, page_words: Words, first: int) -> None:
        self.first = first
        self.words = page_words[first : first + BLOCK]
        self.start, self.end = self.words.start[0], self.words.end[-1]
        self.text = page.text[self.start : self.end]
        self.alignments: dict[tuple[int, str], tuple[_Source, Alignment]] = {}
        self._sheet: Sheet | None = None
        self._explained_from = -math.inf  # score of an article that explains the block alone

    def is_explained(self, score: float) -> bool:
        """Whether an article explains the block, so that one of this score need not be aligned."""
        return score < NEARLY * self._explained_from

    def align(self, source: _Source, channel: Channel) -> bool:
        """Align with an article, and return True, unless that was done before."""
        key = id(source.index), source.id
        if key in self.alignments:
            return False
        if self._sheet is None:
            self._sheet = Sheet(self.words, channel)
        alignment = self._sheet.align(source.words())
        self.alignments[key] = source, alignment
        if self._explained_from < 0 and alignment.covered >= WHOLE * len(self.words):
            self._explained_from = source.score
        return True


@dataclass
class _Candidate:
    """An article beside a page: its alignments with blocks of it, by the first word of each."""

    index: Index
    id: str
    alignments: dict[int, Alignment] = field(default_factory=dict)

    @property
    def odds(self) -> float:
        """The log-odds of all passages."""
        return sum(alignment.odds for alignment in self.alignments.values())

    def covered(self) -> list[int]:
        """The words of the page in passages."""
        return [
            first + i
            for first, alignment in self.alignments.items()
            for i, passage in enumerate(alignment.passage)
            if passage >= 0
        ]


@dataclass
class _Judged:
    """An article, what speaks for its being a source, and what that makes."""

    candidate: _Candidate
    evidence: Evidence
    probability: float
    copies: list[str] = field(default_factory=list)

    def match(self, page: str, words: int) -> Match:
        """The match with a page of so many words, with the article fetched from its index."""
        candidate = self.candidate
        article = candidate.index.article(candidate.id)
        text = "" if article is None else article.text
        alignments = [candidate.alignments[first] for first in sorted(candidate.alignments)]
        return Match(
            id=candidate.id,
            title=article and article.title,
            url=article and article.url,
            date=article and article.date,
            text=text,
            probability=self.probability,
            coverage=sum(a.covered for a in alignments) / words,
            passages=tuple(p for alignment in alignments for p in alignment.passages()),
            substitutions=tuple(
                swap for alignment in alignments for swap in alignment.substitutions(page, text)
            ),
            copies=tuple(self.copies),
        )


def _sources_of(judged: Sequence[_Judged]) -> list[_Judged]:
    return [found for found in judged if found.probability >= SOURCE]


def _reason(judged: Sequence[_Judged], words: int) -> str:
    """Why no article is called the source of a page of so many words."""
    if not judged:
        return "nothing in the index has its words"
    best = max(judged, key=lambda found: found.evidence.covered)
    if not best.evidence.covered:
        return "no passage of it is like any in the index"
    share = best.evidence.covered / words
    return (
        f"nothing in the index is its source: the nearest article, {best.candidate.id}, has"
        f" {share:.0%} of its words in passages like it"
    )
