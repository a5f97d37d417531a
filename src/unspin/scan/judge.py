"""What to say of one document: by a glance, by a look, or by the lattice.

Each step costs many times the one before it and sees many times fewer documents. A step speaks
only where it is sure; what it says is what the lattice would have said but for one page in a
thousand, which `bench.screen` counts.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from unspin import quotations
from unspin.calibration import MIN_WORDS, Evidence
from unspin.families import FamilyTable
from unspin.pages import PageError
from unspin.reader import MODEL, Reader
from unspin.reading import Verdict
from unspin.reranker import Reranker
from unspin.restoration import name_family
from unspin.screen import (
    CLEAN,
    SCREEN,
    SPUN,
    Glance,
    Screen,
)

STRANGE = 0.3  # share of words unknown to the model from which a text is not in its language


class Score(NamedTuple):
    """What is said of one document: the columns of a side table behind id and source.

    `suspects` are (start, end, confidence), in code points into the text.
    """

    probability: float | None = None
    verdict: Verdict | None = None
    llr_per_word: float | None = None
    rate: float | None = None
    words: int | None = None
    family: str | None = None
    suspects: list[tuple[int, int, float]] | None = None
    reason: str | None = None


class Judge:
    """Judges documents of UTF-8; for one thread at a time."""

    def __init__(
        self,
        model: Path = MODEL,
        without: Collection[str] = (),
        families: Sequence[FamilyTable] = (),
        rerank: Reranker | None = None,
    ) -> None:
        """`without`, `families` and `rerank` are those of `Reader`."""
        self.reader = Reader(model=model, without=without, families=families, rerank=rerank)
        solver = self.reader.solver
        self.screen = Screen(solver.model, solver.thesaurus, model / SCREEN)

    def by_glance(self, seen: Glance) -> Score | None:
        """The score of a document that a glance settles."""
        if seen.words >= MIN_WORDS and seen.strange > STRANGE * seen.words:
            return _unspun("unsure", None, seen.words, "no text in English to read")
        if seen.eligible < MIN_WORDS:
            few = f"{seen.eligible} words to judge by, {MIN_WORDS} are needed"
            return _unspun("unsure", None, seen.words, f"too short to tell: {few}")
        return self._clean(seen) if seen.told < self.screen.glanced else None

    def by_look(self, text: bytes, seen: Glance) -> Score | None:
        """The score of a document that a look settles."""
        if not self.screen.worth(text):
            return self._clean(seen)
        look = self.screen.look(text)
        probability = self._spun(look.evidence)
        if probability < CLEAN:
            return _unspun("clean", probability, seen.words)
        if probability < SPUN or look.share < 1.0 or not self._spun_itself(text):
            return None
        return Score(
            probability,
            "spun",
            look.log_ratio / max(look.evidence.words, 1),
            sum(look.taken.values()) / max(seen.words, 1),
            seen.words,
            name_family(look.taken, self.reader.solver.thesaurus.families).name,
            look.suspects,
        )

    def by_lattice(self, text: str, deadline: float = math.inf) -> Score:
        """The score of any document; a `deadline` is a time of `time.monotonic`."""
        try:
            reading = self.reader.judge(text, deadline)
        except PageError as error:
            return Score(reason=str(error))
        return Score(
            reading.probability,
            reading.verdict,
            reading.llr_per_word,
            reading.rate,
            reading.words,
            reading.family.name if reading.family else None,
            [(suspect.start, suspect.end, suspect.confidence) for suspect in reading.suspects],
        )

    def _clean(self, seen: Glance) -> Score:
        """The score of a document that needs no further look: it is less likely spun than what a
        look finds clean, half as likely at most, however much doubt was to be expected."""
        probability = self._spun(Evidence(seen.doubt, seen.eligible))
        return _unspun("clean", min(probability, CLEAN / 2), seen.words)

    def _spun(self, evidence: Evidence) -> float:
        return self.reader.calibration.spun(evidence)

    def _spun_itself(self, text: bytes) -> bool:
        """Whether a spun document is so without what it quotes, which does not make it spun."""
        printed = text.decode()
        quoted = quotations.find(printed)
        if not quoted:
            return True
        position, own = 0, []
        for quotation in quoted:
            own.append(printed[position : quotation.start])
            position = quotation.end
        own.append(printed[position:])
        evidence = self.screen.look(" ".join(own).encode()).evidence
        return evidence.words >= MIN_WORDS and self._spun(evidence) >= SPUN


def _unspun(
    verdict: Verdict, probability: float | None, words: int, reason: str | None = None
) -> Score:
    return Score(probability, verdict, None, 0.0, words, None, [], reason)
