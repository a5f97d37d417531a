"""How is a spinner's table learned from its pages, without their originals?

By expectation-maximisation over a pile of pages. In every pass the lattice says of each printed
word what it may stand for, with the channel as it is known so far, and leaves clean pages out.
After the first pass spinners are told apart, by what they print for the same words. The counts of
each one's pages, and the places where each word is printed, tell which pairs belong to its table;
these become a source of the channel for the next pass.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from unspin.calibration import Calibration
from unspin.families import Entry, FamilyTable
from unspin.lattice import Solver
from unspin.learn.errors import LearnError
from unspin.learn.fingerprint import marked
from unspin.learn.mixture import spinners
from unspin.learn.pairs import Belief, Clue, Clues
from unspin.learn.survey import Believed, Counts, Pair, Survey, Surveyor
from unspin.lm import LanguageModel
from unspin.reader import CALIBRATION, MODEL
from unspin.thesaurus import Thesaurus

BELIEF = "learn.bin"  # the file's name in the model's folder
PASSES = 3
TRIED = 0.15  # probability from which the next pass tries a pair
SURE = 0.7  # probability from which a pair is in the table: those below are mostly wrong
MOST = 0.99  # of a pair's probability: nothing is ever always printed
LEAST_SPUN = 5  # pages of a spinner


class Learned(NamedTuple):
    """A table for each spinner of a pile, the one with most pages first.

    `pages` of the pile were looked at: `spun` of them are of one of the spinners, `skipped` could
    not be read, and the others are clean.
    """

    tables: tuple[FamilyTable, ...]
    pages: int
    spun: int
    skipped: int


class Learner:
    """Learns tables with one model; for one thread at a time."""

    def __init__(
        self, model: Path = MODEL, without: Collection[str] = (), belief: Belief | None = None
    ) -> None:
        """Open the model.

        Args:
            model: its folder.
            without: sources of the channel to leave out, when measuring.
            belief: what takes the place of the model's, when it is being fitted.

        Raises:
            ModelError: a file of the model is missing or damaged.
        """
        self._model = LanguageModel(model / "lm.bin")
        thesaurus = Thesaurus(model / "channel.bin")
        self._thesaurus = thesaurus.without(without) if without else thesaurus
        self._calibration = Calibration.read(model / CALIBRATION)
        self._belief = belief or Belief.read(model / BELIEF)

    @cached_property
    def _clues(self) -> Clues:
        return Clues(self._model, self._thesaurus, self._belief.frequency)

    def learn(self, survey: Callable[[Sequence[Believed]], Survey], name: str) -> Learned:
        """Return the tables of the spinners of a pile of pages.

        Args:
            survey: surveys the pile, with `surveyor`: it is called once for each pass with the
                tables of the spinners, which are none in the first pass.
            name: what the family is to be called; of several each is numbered.

        Raises:
            LearnError: too few of the pages are spun.
        """
        tables: tuple[Believed, ...] = ()
        for number in range(PASSES):
            found = survey(tables)
            if found.spun < LEAST_SPUN:
                raise LearnError(
                    f"{found.spun} of {found.pages} pages look spun, and {LEAST_SPUN} are needed"
                    " at least: name more of the spinner's pages"
                )
            each = found.spinners if tables else apart(found)
            clues = [self.clues(counts) for counts in each]
            least = TRIED if number + 1 < PASSES else SURE
            tables = tuple(self._believed(some, number, least) for some in clues)
        named = [name] if len(each) == 1 else [f"{name}-{i}" for i in range(1, len(each) + 1)]
        learned = tuple(
            marked(_family(called, table, counts), counts.habits)
            for called, counts, table in zip(named, each, tables, strict=True)
        )
        return Learned(learned, found.pages, found.spun, found.skipped)

    def surveyor(self, tables: Sequence[Believed] = ()) -> Surveyor:
        """Return what surveys pages by the channel with the tables of the spinners."""
        families = [
            FamilyTable(f"spinner-{number}", entries=tuple(_entries(table, {})))
            for number, table in enumerate(tables)
        ]
        thesaurus = self._thesaurus.with_families(families, self._model.number)
        return Surveyor(Solver(self._model, thesaurus), self._calibration, tables)

    def clues(self, counts: Counts) -> dict[Pair, Clue]:
        """Return the pairs that counts suggest, and what speaks for each."""
        return self._clues.find(counts)

    def _believed(self, clues: Mapping[Pair, Clue], number: int, least: float) -> Believed:
        likely = self._belief.probability(list(clues.values()), number)
        return {pair: float(p) for pair, p in zip(clues, likely, strict=True) if p >= least}


def learn(texts: Collection[str], name: str) -> Learned:
    """Return the tables of the spinners that spun some pages.

    Raises:
        LearnError: too few of the pages are spun.
        ModelError: the model is missing or damaged.
    """
    learner = Learner()
    return learner.learn(lambda tables: learner.surveyor(tables).survey(texts), name)


def apart(survey: Survey) -> list[Counts]:
    """Return the counts of each spinner, where the survey does not tell them apart.

    One that has few pages of the sample is left out: there is nothing to be learned from them.
    """
    draws = sorted(survey.sample)
    labels = spinners([survey.sample[draw].swapped for draw in draws])
    found = [Counts() for _ in range(max(labels) + 1)]
    for draw, label in zip(draws, labels, strict=True):
        found[label].add(survey.sample[draw])
    large = [counts for counts in found if counts.pages >= LEAST_SPUN]
    return large if len(large) > 1 else survey.spinners


def _family(name: str, table: Believed, counts: Counts) -> FamilyTable:
    pages = "1 page" if counts.pages == 1 else f"{counts.pages} pages"
    return FamilyTable(name, learned=pages, entries=tuple(_entries(table, counts.swapped)))


def _entries(table: Believed, swapped: Mapping[Pair, float]) -> Iterable[Entry]:
    """The entries of a table: of each original what is printed for it, by expected swaps and by how
    likely it is that the pair is in the table at all."""
    by_original: dict[str, list[tuple[str, float, float]]] = defaultdict(list)
    for pair, p in table.items():
        by_original[pair.original].append((pair.spun, p, max(swapped.get(pair, 1.0), 0.1)))
    for original, swaps in sorted(by_original.items()):
        weight = sum(p * count for _, p, count in swaps)
        for spun, p, count in swaps:
            share = p * min(p * count / weight, MOST)
            yield Entry(original, spun, round(max(share, 1e-4), 4), round(count, 1))
