"""From a page to its reading: opens the model once, then reads any number of pages."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from unspin import arrays, pages, text
from unspin.lattice import Solution, Solver, Substitution
from unspin.lm import LanguageModel, ModelError
from unspin.pages import Page, Passage
from unspin.reading import (
    UNKNOWN_FAMILY,
    Edit,
    Family,
    Reading,
    Suspect,
    Verdict,
    compose,
    replay,
)
from unspin.text import PROTECTED, PUNCTUATION, QUOTE, Tokens, tokenize
from unspin.thesaurus import Thesaurus

MODEL = Path(__file__).parent / "data" / "en"
CALIBRATION = "calibration.json"  # the file's name in the model's folder

BLOCK = 20_000  # tokens solved together: bounds memory, and holds nearly every page whole
MAX_WORDS = 400
MIN_WORDS = 20  # eligible words below which nothing can be told
SUSPICION = 0.5  # P(substituted) from which a word is put back, or reported if it cannot be
SPUN, CLEAN = 0.95, 0.5  # probability from which a page is called spun, and below which clean
MOST_PASSES = 5
ALTERNATIVES = 4


class Calibration(NamedTuple):
    """P(spun) from the evidence per word and the number of words it is over; fitted by
    `train.calibrate`."""

    intercept: float
    per_word: float
    significance: float  # of the evidence per word times the root of the words
    length: float  # of the log of the words

    def probability(self, evidence: float, words: int) -> float:
        """P(spun) of a page with this much evidence per word.

        A shorter page than the fit has seen counts as if filled up with words that say nothing.
        Beyond `MAX_WORDS` more words add no certainty: what is left is not chance but the distance
        between the page's subject and what the language model has read.
        """
        if words == 0:
            return 0.0
        evidence *= min(words / MIN_WORDS, 1.0)
        words = min(max(words, MIN_WORDS), MAX_WORDS)
        score = self.intercept + self.length * math.log(words)
        score += (self.per_word + self.significance * math.sqrt(words)) * evidence
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(score, 30.0))))

    @classmethod
    def read(cls, path: Path) -> Calibration:
        """The numbers of a file.

        Raises:
            ModelError: the file is missing or damaged.
        """
        try:
            return cls(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise ModelError(f"model file {path} cannot be read: {error}") from None


class Reader:
    """Reads pages: HTML or text in, verdict and restored text out.

    >>> Reader().read("A short line.").verdict
    'unsure'
    """

    def __init__(
        self,
        min_confidence: float = 0.4,
        *,
        model: Path = MODEL,
        without: Collection[str] = (),
    ) -> None:
        """Open the model.

        Args:
            min_confidence: posterior from which a word is put back. Raise it to quote from the
                restored text; lower it to see more of the guesses.
            model: folder of the model, for another domain or language than the one that ships.
            without: sources of the channel to leave out, to see how an unknown family fares.

        Raises:
            ModelError: a file of the model is missing or damaged.
            ValueError: `min_confidence` is no probability.
        """
        if not 0.0 <= min_confidence <= 1.0:
            raise ValueError(f"min_confidence is {min_confidence}, not between 0 and 1")
        self.min_confidence = min_confidence
        language_model = LanguageModel(model / "lm.bin")
        self._thesaurus = Thesaurus(model / "channel.bin")
        arrays.verify(model)
        self._calibration = Calibration.read(model / CALIBRATION)
        self._solver = Solver(language_model, self._thesaurus, without)

    def read(self, page: str | bytes) -> Reading:
        """Return the reading of one page, HTML or plain text.

        A text is restored until nothing more changes, so that reading a restored text makes no
        edit; a text for which that does not happen soon is left as it is.

        Raises:
            PageError: the page is binary or larger than the limits.
        """
        extracted = pages.extract(page)
        first = self._pass(extracted)
        if not first.edits:
            return first
        edits = self._until_nothing_changes(first)
        if edits is None:
            reason = f"{first.reason}; its words could not be put back consistently"
            return replace(first, edits=(), suspects=_all_suspects(first), reason=reason)
        changed = [(edit.start, edit.end) for edit in edits]
        return replace(first, edits=edits, suspects=_outside(first.suspects, changed))

    def evidence(self, page: str | bytes) -> tuple[float, int]:
        """The evidence for spinning, in nats a word, and the number of words it is over.

        What a reading's probability is made of; for a spun page less than half of a reading's work.
        """
        _, _, solutions = self._solve(pages.extract(page))
        return _evidence(solutions)

    def _until_nothing_changes(self, first: Reading) -> tuple[Edit, ...] | None:
        """The edits of all passes as one, or None if the passes do not come to rest."""
        edits = first.edits
        for _ in range(MOST_PASSES):
            restored = replay(first.source_text, edits)
            page = pages.extract(restored)
            if page.text != restored:
                return None
            again = self._pass(page)
            if not again.edits:
                return edits
            edits = compose(edits, again.edits)
        return None

    def _solve(self, page: Page) -> tuple[Tokens, int, list[Solution]]:
        """The tokens of a page, the number of its words, and what the lattice says of them."""
        tokens = tokenize(page.text)
        words = _set_apart(tokens, page.furniture)
        return tokens, words, [self._solver.solve(tokens, *block) for block in _blocks(tokens)]

    def _pass(self, page: Page) -> Reading:
        """The reading of a page by one pass over its text."""
        tokens, words, solutions = self._solve(page)
        evidence, eligible = _evidence(solutions)
        rate = sum(sum(solution.taken()) for solution in solutions) / max(words, 1)
        probability = self._calibration.probability(evidence, eligible)
        verdict, reason = _verdict(probability, eligible, rate)
        reading = Reading(
            verdict=verdict,
            probability=probability,
            llr_per_word=evidence,
            rate=rate,
            words=words,
            family=None,
            source_text=page.text,
            edits=(),
            suspects=(),
            furniture=page.furniture,
            reason=reason,
        )
        if verdict == "clean":
            return reading
        substitutions = [s for solution in solutions for s in solution.substitutions()]
        family = self._family(solutions)
        edits: list[Edit] = []
        suspects: list[Suspect] = []
        for substitution in substitutions:
            if substitution.posterior < SUSPICION:
                continue
            edit = self._edit(page.text, tokens, substitution, family)
            if edit and edit.confidence >= self.min_confidence and verdict == "spun":
                edits.append(edit)
            elif substitution.tokens == 1:
                start, end = _span(tokens, substitution)
                suspects.append(Suspect(start, end, page.text[start:end], substitution.posterior))
        return replace(reading, family=family, edits=_compatible(edits), suspects=tuple(suspects))

    def _edit(
        self, source: str, tokens: Tokens, substitution: Substitution, family: Family
    ) -> Edit | None:
        start, end = _span(tokens, substitution)
        printed = source[start:end]
        ranked = [
            (text.transfer_case(printed, choice.original), choice.posterior, choice.sources)
            for choice in substitution.choices
        ]
        if not ranked or ranked[0][0] == printed:
            return None
        original, confidence, sources = ranked[0]
        kept = (printed, 1.0 - substitution.posterior)
        others = sorted([kept, *((w, p) for w, p, _ in ranked[1:])], key=lambda o: -o[1])
        source_name = max(
            self._thesaurus.source_names(sources), key=lambda name: family.weights.get(name, 0.0)
        )
        named = family.name not in (source_name, UNKNOWN_FAMILY)
        reason = f"{family.name}: {source_name}" if named else source_name
        return Edit(start, end, printed, original, confidence, tuple(others[:ALTERNATIVES]), reason)

    def _family(self, solutions: list[Solution]) -> Family:
        """The family, by the sources that explain the substitutions."""
        names = self._thesaurus.names
        totals = dict.fromkeys(names, 0.0)
        for solution in solutions:
            for name, count in zip(names, solution.taken(), strict=True):
                totals[name] += count
        everything = sum(totals.values()) or 1.0
        shares = {name: total / everything for name, total in totals.items()}
        element = sum(share for name, share in shares.items() if name.startswith("element"))
        weights = {
            name: round(share, 4)
            for name, share in sorted(shares.items(), key=lambda item: -item[1])
            if share >= 0.005
        }
        return Family("element" if element > 0.5 else UNKNOWN_FAMILY, weights)


def _evidence(solutions: list[Solution]) -> tuple[float, int]:
    eligible = sum(solution.eligible for solution in solutions)
    return sum(solution.log_ratio for solution in solutions) / max(eligible, 1), eligible


def _span(tokens: Tokens, substitution: Substitution) -> tuple[int, int]:
    last = substitution.token + substitution.tokens - 1
    return tokens.start[substitution.token], tokens.end[last]


def _compatible(edits: list[Edit]) -> tuple[Edit, ...]:
    """The edits, the surer one where two overlap."""
    kept: list[Edit] = []
    taken: set[int] = set()
    for edit in sorted(edits, key=lambda edit: -edit.confidence):
        if taken.isdisjoint(range(edit.start, edit.end)):
            taken.update(range(edit.start, edit.end))
            kept.append(edit)
    return tuple(sorted(kept, key=lambda edit: edit.start))


def _set_apart(tokens: Tokens, furniture: Iterable[Passage]) -> int:
    """Protect the tokens of furniture; returns the number of words outside of it."""
    words = 0
    spans = iter([*((p.start, p.end) for p in furniture), (2**32, 2**32)])
    start, end = next(spans)
    for i, kind in enumerate(tokens.kind):
        while tokens.start[i] >= end:
            start, end = next(spans)
        if tokens.start[i] >= start:
            tokens.flags[i] |= PROTECTED
        elif kind not in (PUNCTUATION, QUOTE):
            words += 1
    return words


def _blocks(tokens: Tokens) -> Iterator[tuple[int, int]]:
    """Stretches of whole sentences, each of about `BLOCK` tokens at most."""
    first = 0
    for start, stop in pairwise(tokens.sentences):
        if stop - first > BLOCK and start > first:
            yield first, start
            first = start
    if len(tokens) > first:
        yield first, len(tokens)


def _verdict(probability: float, eligible: int, rate: float) -> tuple[Verdict, str]:
    if eligible == 0:
        return "unsure", "no text in English to read"
    if eligible < MIN_WORDS:
        return "unsure", f"too short to tell: {eligible} words to judge by, {MIN_WORDS} are needed"
    if probability >= SPUN:
        share = f"{100 * rate:.0f} % of the words"
        return "spun", f"{share} fit badly where words that they may stand for fit well"
    if probability < CLEAN:
        return "clean", "the words fit their places as printed"
    return "unsure", "some words fit badly, too few or too weakly to call the page spun"


def _all_suspects(reading: Reading) -> tuple[Suspect, ...]:
    """Every word that would have been edited or suspected, as suspects."""
    edited = (Suspect(e.start, e.end, e.spun, e.confidence) for e in reading.edits)
    return tuple(sorted([*reading.suspects, *edited], key=lambda suspect: suspect.start))


def _outside(suspects: tuple[Suspect, ...], spans: list[tuple[int, int]]) -> tuple[Suspect, ...]:
    covered = {position for start, end in spans for position in range(start, end)}
    return tuple(suspect for suspect in suspects if suspect.start not in covered)
