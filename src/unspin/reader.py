"""From a page to its reading: opens the model once, then reads any number of pages."""

from __future__ import annotations

import math
import time
import warnings
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from unspin import arrays, pages, quotations, reranker
from unspin.calibration import MIN_WORDS, Calibration, Evidence
from unspin.lattice import Doubt, Solution, Solver, all_doubts
from unspin.lm import LanguageModel
from unspin.pages import Page, PageError, Passage
from unspin.reading import Edit, Part, Reading, Suspect, Verdict, compose, replay
from unspin.reranker import Reranker, RerankError, RerankWarning
from unspin.restoration import SUSPICION, Restorer, name_family
from unspin.text import PROTECTED, PUNCTUATION, QUOTE, Tokens, tokenize
from unspin.thesaurus import Thesaurus

if TYPE_CHECKING:
    from unspin.families import FamilyTable
    from unspin.tortured import Finding

MODEL = Path(__file__).parent / "data" / "en"
CALIBRATION = "calibration.json"  # the file's name in the model's folder

BLOCK = 20_000  # tokens solved together: bounds memory, and holds nearly every page whole
PART = 40  # words to judge by that a part of a page has at least
SPUN, CLEAN = 0.975, 0.5  # probability from which a page is called spun, and below which clean
NOTABLE = 0.05  # P(spun) from which a part of a clean page is read by itself
MOST_PASSES = 5


class Reader:
    """Reads pages: HTML or text in, verdict and restored text out.

    >>> Reader().read("A short line.").verdict
    'unsure'
    """

    def __init__(
        self,
        min_confidence: float = 0.5,
        *,
        model: Path = MODEL,
        science: bool = False,
        without: Collection[str] = (),
        calibration: Calibration | None = None,
        families: Sequence[FamilyTable] = (),
        rerank: Reranker | None = None,
    ) -> None:
        """Open the model.

        Args:
            min_confidence: probability of being right from which a word is put back. Raise it to
                quote from the restored text; lower it to see more of the guesses.
            model: folder of the model, for another domain or language than the one that ships.
            science: also look for tortured phrases, for `Reading.findings`; takes a tenth of a
                second more to open, and a fifth more time to read.
            without: sources of the channel to leave out, to see how an unknown family fares.
            calibration: what takes the place of the model's, when measuring on pages that the
                model's was fitted on.
            families: spinners that the model does not know, as `families.read` gives them. Name
                those that the pages may come from: what they print is looked for first.
            rerank: a second reader, as `reranker.find` gives it, that chooses among the originals
                of the words of a spun page. It has no say in the verdict.

        Raises:
            ModelError: a file of the model is missing or damaged.
            FamilyError: two families have one name, or there are too many.
            ValueError: `min_confidence` is no probability.
        """
        if not 0.0 <= min_confidence <= 1.0:
            raise ValueError(f"min_confidence is {min_confidence}, not between 0 and 1")
        self.min_confidence = min_confidence
        language_model = LanguageModel(model / "lm.bin")
        channel = Thesaurus(model / "channel.bin")
        arrays.verify(model)
        self.calibration = calibration or Calibration.read(model / CALIBRATION)
        self._thesaurus = channel.with_families(families, language_model.number)
        self.solver = Solver(language_model, self._thesaurus, without)
        self._rerank = rerank
        self._finder = None
        if science:
            from unspin.tortured import Finder

            self._finder = Finder(language_model, channel, model / "tortured.bin")

    def read(self, page: str | bytes | Page, deadline: float = math.inf) -> Reading:
        """Return the reading of one page: HTML, plain text, or what `pages` made of either.

        A text is restored until nothing more changes, so that reading a restored text makes no
        edit; a text for which that does not happen soon is left as it is. A `deadline` is a time
        of `time.monotonic`.

        A page that the second reader cannot read is read without it, with a `RerankWarning`.

        Raises:
            PageError: the page is binary, larger than the limits, or not read by the deadline.
        """
        extracted = page if isinstance(page, Page) else pages.extract(page)
        if self._rerank is not None:
            try:
                return self._read(extracted, deadline, self._rerank)
            except RerankError as error:
                warnings.warn(str(error), RerankWarning, stacklevel=2)
        return self._read(extracted, deadline, None)

    def judge(self, text: str, deadline: float = math.inf) -> Reading:
        """Return the reading of a plain text by its verdict alone, as `read` would give it.

        No word is put back and no part is read by itself; the words likely to have been
        substituted are suspects. A `deadline` is a time of `time.monotonic`.

        Raises:
            PageError: the text is longer than the limit, or not read by the deadline.
        """
        page = pages.plain(text)
        solved, evidence, verdict = self._judge(page, deadline)
        reading = self._verdict_alone(page, solved, evidence, verdict)
        if verdict == "clean":
            return reading
        suspects = tuple(_suspects(text, solved))
        family = name_family(solved.taken, self._thesaurus.families)
        return replace(reading, family=family, suspects=suspects)

    def evidence(self, page: str | bytes) -> Evidence:
        """What speaks for a page being spun.

        What a reading's probability is made of; for a spun page less than half of a reading's work.
        """
        return Evidence.of(self._solve(pages.extract(page)).doubts)

    def doubts(self, page: Page) -> list[tuple[int, Doubt]]:
        """Where each word begins that the channel could have printed, and the doubt about it."""
        solved = self._solve(page)
        return [(solved.tokens.start[doubt.token], doubt) for doubt in solved.doubts]

    def _read(self, page: Page, deadline: float, rerank: Reranker | None) -> Reading:
        """The reading of a page, with a second reader or without."""
        solved, evidence, verdict = self._judge(page, deadline)
        parts = self._parts(page, solved, verdict)
        put_back = partial(self._put_back, deadline=deadline, rerank=rerank)
        first = self._pass(page, solved, evidence, verdict, put_back, parts)
        first = replace(first, findings=self._findings(page))
        if not first.edits:
            return first
        edits = self._until_nothing_changes(first, deadline, put_back)
        if edits is None:
            reason = f"{first.reason}; its words could not be put back consistently"
            return replace(first.at_confidence(math.inf), reason=reason)
        changed = [(edit.start, edit.end) for edit in edits]
        return replace(first, edits=edits, suspects=_outside(first.suspects, changed))

    def _findings(self, page: Page) -> tuple[Finding, ...]:
        if self._finder is None:
            return ()
        tokens = tokenize(page.text)
        _set_apart(tokens, page.furniture)
        return tuple(self._finder.findings(page.text, tokens))

    def _until_nothing_changes(
        self, first: Reading, deadline: float, put_back: PutBack
    ) -> tuple[Edit, ...] | None:
        """The edits of all passes as one, or None if the passes do not come to rest."""
        edits = first.edits
        for _ in range(MOST_PASSES):
            restored = replay(first.source_text, edits)
            page = pages.extract(restored)
            if page.text != restored:
                return None
            again = self._pass(page, *self._judge(page, deadline), put_back)
            if not again.edits:
                return edits
            edits = compose(edits, again.edits)
        return None

    def _solve(self, page: Page, deadline: float = math.inf) -> _Solved:
        tokens = tokenize(page.text)
        words = _set_apart(tokens, page.furniture)
        solutions = []
        for block in blocks(tokens):
            if time.monotonic() > deadline:
                raise PageError("the time for one document ran out")
            solutions.append(self.solver.solve(tokens, *block))
        return _Solved(tokens, words, solutions, self._thesaurus.names)

    def _judge(self, page: Page, deadline: float = math.inf) -> tuple[_Solved, Evidence, Verdict]:
        """What the lattice says of a page, the evidence in it, and the verdict."""
        solved = self._solve(page, deadline)
        evidence = self._own_evidence(page, solved)
        return solved, evidence, _verdict(self.calibration.spun(evidence), evidence)

    def _pass(
        self,
        page: Page,
        solved: _Solved,
        evidence: Evidence,
        verdict: Verdict,
        put_back: PutBack,
        parts: tuple[Part, ...] = (),
    ) -> Reading:
        """The reading of a page by one pass over its text."""
        if verdict == "clean" and any(part.verdict == "spun" for part in parts):
            verdict = "unsure"
        reading = self._verdict_alone(page, solved, evidence, verdict, parts)
        return reading if verdict == "clean" else put_back(reading, solved, evidence)

    def _verdict_alone(
        self,
        page: Page,
        solved: _Solved,
        evidence: Evidence,
        verdict: Verdict,
        parts: tuple[Part, ...] = (),
    ) -> Reading:
        """The reading without what may be put back."""
        reading = Reading(
            verdict=verdict,
            probability=self.calibration.spun(evidence),
            llr_per_word=solved.log_ratio / max(len(solved.doubts), 1),
            rate=sum(solved.taken.values()) / max(solved.words, 1),
            words=solved.words,
            family=None,
            source_text=page.text,
            edits=(),
            suspects=(),
            furniture=page.furniture,
            reason="",
            parts=parts,
        )
        return replace(reading, reason=_reason(reading, evidence))

    def _own_evidence(self, page: Page, solved: _Solved) -> Evidence:
        """The evidence against the page itself: what it only quotes cannot make it spun."""
        evidence = Evidence.of(solved.doubts)
        if self.calibration.spun(evidence) < CLEAN:
            return evidence
        quoted = quotations.find(page.text, furniture=page.furniture)
        own = _apart(solved, [(quotation.start, quotation.end) for quotation in quoted])
        outside = Evidence.of(own)
        return outside if outside.words >= MIN_WORDS else evidence

    def _parts(self, page: Page, solved: _Solved, verdict: Verdict) -> tuple[Part, ...]:
        """The verdicts on the parts of a page, each read by itself where there is any doubt."""
        stretches = list(_stretches(page.text, solved))
        if len(stretches) < 2:
            return ()
        parts = []
        for doubts in stretches:
            first, last = doubts[0].token, doubts[-1].token + 1
            evidence = Evidence.of(doubts)
            if verdict != "clean" or self.calibration.spun(evidence) >= NOTABLE:
                evidence = Evidence.of(self.solver.solve(solved.tokens, first, last).doubts())
            probability = self.calibration.spun(evidence)
            start = page.text.rfind("\n", 0, solved.tokens.start[first]) + 1
            end = page.text.find("\n", solved.tokens.end[last - 1])
            end = len(page.text) if end < 0 else end
            lines = page.text[start:end]
            end = start + len(lines.rstrip())
            start += len(lines) - len(lines.lstrip())
            parts.append(Part(start, end, _verdict(probability, evidence), probability))
        return tuple(parts)

    def _put_back(
        self,
        reading: Reading,
        solved: _Solved,
        evidence: Evidence,
        *,
        deadline: float,
        rerank: Reranker | None,
    ) -> Reading:
        """The reading with its family, and with its edits if it is spun, its suspects if not."""
        spun = reading.verdict == "spun"
        second = rerank if spun else None
        found = reranker.substitutions(
            second, reading.source_text, solved.tokens, solved.solutions, deadline
        )
        calibration = self.calibration
        if second is not None and second.edit is not None:
            calibration = replace(calibration, edit=second.edit)
        restorer = Restorer(calibration, self._thesaurus, evidence, solved.taken, solved.words)
        edits, suspects = restorer.restore(reading.source_text, solved.tokens, found)
        restored = replace(reading, family=restorer.family, edits=edits, suspects=suspects)
        return restored.at_confidence(self.min_confidence if spun else math.inf)


@dataclass(frozen=True)
class _Solved:
    """A page's tokens, the number of its words, and what the lattice says of them."""

    tokens: Tokens
    words: int
    solutions: list[Solution]
    sources: tuple[str, ...]

    @cached_property
    def doubts(self) -> list[Doubt]:
        """The doubts of all blocks, in order."""
        return all_doubts(self.solutions)

    @cached_property
    def taken(self) -> dict[str, float]:
        """Expected number of substitutions by every source."""
        totals = dict.fromkeys(self.sources, 0.0)
        for solution in self.solutions:
            for name, count in zip(self.sources, solution.taken(), strict=True):
                totals[name] += count
        return totals

    @property
    def log_ratio(self) -> float:
        return sum(solution.log_ratio for solution in self.solutions)


PutBack = Callable[[Reading, _Solved, Evidence], Reading]


def _apart(solved: _Solved, spans: Iterable[tuple[int, int]]) -> list[Doubt]:
    """The doubts about words outside of some spans, which are sorted and apart."""
    found = []
    following = iter([*spans, (2**32, 2**32)])
    start, end = next(following)
    for doubt in solved.doubts:
        place = solved.tokens.start[doubt.token]
        while place >= end:
            start, end = next(following)
        if place < start:
            found.append(doubt)
    return found


def _stretches(source: str, solved: _Solved) -> Iterator[list[Doubt]]:
    """The doubts of every part of a page: whole lines, of `PART` words to judge by or more."""
    gathered: list[Doubt] = []
    line = 0
    for doubt in solved.doubts:
        start = solved.tokens.start[doubt.token]
        if start >= line:
            if len(gathered) >= PART:
                yield gathered
                gathered = []
            line = source.find("\n", start)
            line = len(source) if line < 0 else line
        gathered.append(doubt)
    if len(gathered) >= MIN_WORDS:
        yield gathered


def _set_apart(tokens: Tokens, furniture: Iterable[Passage]) -> int:
    """Protect the tokens of furniture; returns the number of words outside of it."""
    words = len(tokens) - tokens.kind.count(PUNCTUATION) - tokens.kind.count(QUOTE)
    for passage in furniture:
        first = bisect_left(tokens.start, passage.start)
        last = bisect_left(tokens.start, passage.end)
        for i in range(first, last):
            tokens.flags[i] |= PROTECTED
            words -= tokens.kind[i] not in (PUNCTUATION, QUOTE)
    return words


def blocks(tokens: Tokens) -> Iterator[tuple[int, int]]:
    """Yield stretches of whole sentences, each of about `BLOCK` tokens at most: (first, last)."""
    first = 0
    for start, stop in pairwise(tokens.sentences):
        if stop - first > BLOCK and start > first:
            yield first, start
            first = start
    if len(tokens) > first:
        yield first, len(tokens)


def _verdict(probability: float, evidence: Evidence) -> Verdict:
    if evidence.words < MIN_WORDS:
        return "unsure"
    if probability >= SPUN:
        return "spun"
    return "clean" if probability < CLEAN else "unsure"


def _reason(reading: Reading, evidence: Evidence) -> str:
    """Why the verdict is what it is."""
    if evidence.words == 0:
        return "no text in English to read"
    if evidence.words < MIN_WORDS:
        few = f"{evidence.words} words to judge by, {MIN_WORDS} are needed"
        return f"too short to tell: {few}"
    if reading.verdict == "spun":
        share = f"{100 * reading.rate:.0f} % of the words"
        return f"{share} fit badly where words that they may stand for fit well"
    if reading.verdict == "clean":
        return "the words fit their places as printed"
    spun = sum(part.verdict == "spun" for part in reading.parts)
    if spun:
        look = "looks" if spun == 1 else "look"
        return f"{spun} of {len(reading.parts)} passages {look} spun, the page as a whole does not"
    return "some words fit badly, too few or too weakly to call the page spun"


def _suspects(source: str, solved: _Solved) -> Iterator[Suspect]:
    """The words likely to have been substituted, by the passes that the verdict rests on."""
    for solution in solved.solutions:
        for token, tokens, posterior in solution.suspected(SUSPICION):
            start = solved.tokens.start[token]
            end = solved.tokens.end[token + tokens - 1]
            yield Suspect(start, end, source[start:end], posterior)


def _outside(suspects: tuple[Suspect, ...], spans: list[tuple[int, int]]) -> tuple[Suspect, ...]:
    covered = {position for start, end in spans for position in range(start, end)}
    return tuple(suspect for suspect in suspects if suspect.start not in covered)
