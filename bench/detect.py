"""How well are spun pages told from clean ones, by length, family and rate?

    python -m bench.detect --corpora C --lexicons L

Every system gives a page a score, and thresholds are set on clean pages of the same length that
the same system has scored: for a family that is left out of the channel, without it there too.
The score of unspin is its evidence per word; the probability ranks pages of one length alike, but
runs into its ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from bench import work
from bench.metrics import auc, true_positive_rate
from bench.rivals import SCORES
from bench.tables import Cell, Column, Run, Table, publish
from train import samples
from train.corpus import held_out
from train.families import FAMILIES
from train.samples import ELEMENT_LEVELS, LEVELS, Samples
from train.spin import Family
from unspin.reader import Reader

FALSE_POSITIVES = {"1%": 0.01, "0.1%": 0.001}
BATCH = 100  # pages a task

KNOWN, LEFT_OUT = "unspin, family known", "unspin, family left out"
NO_LEXICONS = "unspin, its lexicons left out too"

NOTE = f"""\
Pages cut from documents of sources that no model was trained on; spun ones from news, clean ones \
from all sources. *AUC*: probability that a spun page scores higher than a clean one. *TPR at 1%*: \
share of the spun pages above the threshold that 1% of the clean pages pass. *Left out*: what \
describes the family (its table, its rule, its phrases) is taken out of the channel, and nothing \
was fitted on its pages. *Lexicons left out too*: so are all thesauri that it draws from, as if \
the spinner had written its own. Families substitute \
{", ".join(f"{rate:.0%}" for rate in LEVELS.values())} of all words (light, medium, heavy) as far \
as their habits allow; element has a table of \
{", ".join(f"{rate:.0%}" for rate in ELEMENT_LEVELS.values())} of the word types that it could \
substitute; *swapped* is the share of words that was. Pages of 1,000 words are often joined from \
several articles of one source."""


class Size(NamedTuple):
    """Pages of about so many words: how many clean ones, and spun ones of a family at a rate."""

    words: int
    clean: int
    spun: int


# What takes the time are the clean pages, which every channel with something left out reads anew.
# At 1,000 words 0.1% of them is a single page.
SIZES = (Size(100, 3000, 80), Size(300, 3000, 50), Size(1000, 1000, 25))
QUICK_SIZES = (Size(100, 400, 20), Size(300, 300, 20), Size(1000, 100, 10))


class System(NamedTuple):
    """What gives scores: a rival, or unspin (rival "") without some sources of its channel."""

    rival: str
    without: tuple[str, ...] = ()


class Job(NamedTuple):
    """Pages for a system to score."""

    system: System
    pages: list[str]


class Quality(NamedTuple):
    """How well a system tells two sets of pages apart; rates in the order of FALSE_POSITIVES."""

    auc: float
    true_positives: tuple[float, ...]


class Case(NamedTuple):
    """A family at a level: the share of words that was swapped, and what every system made of
    it, by the name of the row or column it goes to."""

    family: str
    level: str
    swapped: float
    quality: dict[str, Quality]


def score(job: Job) -> list[float]:
    """The score of every page, higher if it is more likely spun."""
    if job.system.rival:
        return [SCORES[job.system.rival](page) for page in job.pages]
    reader = _reader(job.system.without)
    return [reader.evidence(page).per_word for page in job.pages]


def measure(
    documents: Samples, families: Mapping[str, Family], size: Size, workers: int
) -> tuple[int, list[Case]]:
    """The number of clean pages of a size, and every family at every level against them."""
    systems = {name: _systems(family.sources) for name, family in families.items()}
    clean = samples.pages(documents.clean, size.words)[: size.clean]
    distinct = list(dict.fromkeys(s for named in systems.values() for s in named.values()))
    jobs = [Job(system, clean) for system in distinct]
    kinds: list[tuple[str, str, float]] = []
    for name, family in families.items():
        pages = samples.pages(documents.to_spin[name], size.words)[: size.spun]
        for level, rate in samples.levels(family).items():
            spun = samples.spun(pages, family, rate)
            kinds.append((name, level, samples.share_swapped(spun)))
            jobs += [Job(system, [s.text for s in spun]) for system in systems[name].values()]
    scores = iter(work.spread_lists(score, [_batches(job) for job in jobs], workers))
    on_clean = {system: next(scores) for system in distinct}
    cases = [
        Case(
            name,
            level,
            swapped,
            {
                title: quality(on_clean[system], next(scores))
                for title, system in systems[name].items()
            },
        )
        for name, level, swapped in kinds
    ]
    return len(clean), cases


def main() -> None:
    """Run the benchmark and print its tables."""
    given = work.options(__doc__)
    documents = samples.divide(held_out(given.corpora), "bench")
    families = {name: load(given.lexicons) for name, load in FAMILIES.items()}
    measured = []
    for size in QUICK_SIZES if given.quick else SIZES:
        clean, cases = measure(documents, families, size, given.workers)
        measured.append((f"{size.words:,} words ({clean:,} clean pages)", cases))
    tables = [_summary(title, cases) for title, cases in measured]
    tables += [_by_family(title, cases) for title, cases in measured]
    publish(Run("detect", work.command("detect", given), NOTE), tables, keep=not given.quick)


def _systems(sources: Sequence[str]) -> dict[str, System]:
    return {
        KNOWN: System(""),
        LEFT_OUT: System("", samples.tables_left_out(sources)),
        NO_LEXICONS: System("", samples.lexicons_left_out(sources)),
        **{rival: System(rival) for rival in SCORES},
    }


@cache
def _reader(without: tuple[str, ...]) -> Reader:
    return Reader(without=without)


def _batches(job: Job) -> list[Job]:
    return [job._replace(pages=list(pages)) for pages in samples.batches(job.pages, BATCH)]


def quality(clean: Sequence[float], spun: Sequence[float]) -> Quality:
    """How well the scores of clean and of spun pages are told apart."""
    rates = (true_positive_rate(clean, spun, rate) for rate in FALSE_POSITIVES.values())
    return Quality(auc(clean, spun), tuple(rates))


def _columns(prefix: str) -> list[Column]:
    rates = [Column(f"TPR at {name}", ".0%") for name in FALSE_POSITIVES]
    return [Column(f"{prefix}: AUC", ".3f"), *rates]


def _summary(title: str, cases: Sequence[Case]) -> Table:
    columns = [Column("system")]
    for level in LEVELS:
        columns += _columns(level)
    rows: list[list[Cell]] = []
    for system in cases[0].quality:
        row: list[Cell] = [system]
        for level in LEVELS:
            found = [case.quality[system] for case in cases if case.level == level]
            row.append(sum(quality.auc for quality in found) / len(found))
            rates = zip(*(quality.true_positives for quality in found), strict=True)
            row += [sum(rate) / len(found) for rate in rates]
        rows.append(row)
    return Table(f"{title}, mean of the families", columns, rows)


def _by_family(title: str, cases: Sequence[Case]) -> Table:
    columns = [Column("family"), Column("level"), Column("swapped", ".1%")]
    for system in cases[0].quality:
        columns += _columns(system.removeprefix("unspin, "))
    rows: list[list[Cell]] = []
    for case in cases:
        row: list[Cell] = [case.family, case.level, case.swapped]
        for quality in case.quality.values():
            row += [quality.auc, *quality.true_positives]
        rows.append(row)
    return Table(f"{title}, by family", columns, rows)


if __name__ == "__main__":
    main()
