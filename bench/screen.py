"""What does a scan lose by not asking the lattice about every document?

    python -m bench.screen --corpora C --lexicons L

Every page is judged twice: as in a scan, by glance, look or lattice, and by the lattice. The
tables that describe a spinner are left out of the channel for its own pages.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Literal, NamedTuple, get_args

from bench import work
from bench.tables import Cell, Column, Run, Table, publish
from train import samples
from train.corpus import held_out
from train.families import FAMILIES
from train.samples import Samples
from unspin.reading import Verdict
from unspin.scan.judge import Judge

SIZES = {100: (3000, 80), 300: (3000, 50), 1000: (1000, 25)}  # words: clean pages, spun of a family
QUICK_SIZES = {100: (300, 10), 300: (200, 10), 1000: (50, 5)}
WHOLE = 3000  # clean documents as they are
BATCH = 100  # pages a task

CLEAN, DOCUMENTS = "clean pages", "clean documents"
Step = Literal["glance", "few words", "look", "lattice"]
STEPS: tuple[Step, ...] = get_args(Step)

NOTE = """\
Pages of the half of the held-out documents on which nothing was fitted; spun ones of every family \
with what describes it (its table, its rule, its phrases) left out of the channel, 10, 20 and 40% \
of all words substituted (element: 30, 60 and 90% of the words of its table). *Lost*: the lattice \
calls the page spun, a step before it has called it clean. *Gained*: the screen calls spun what \
the lattice calls unsure or clean. *Settled by*: the step that a document does not get beyond."""


class Job(NamedTuple):
    """Pages of one kind, and the sources of the channel to leave out for them."""

    kind: str
    without: tuple[str, ...]
    pages: list[str]


class Judged(NamedTuple):
    """One page: the step that settled it, what that said, and what the lattice says."""

    step: Step
    screen: Verdict | None
    lattice: Verdict | None


def judge(job: Job) -> list[Judged]:
    """Judge pages as in a scan, and by the lattice."""
    judge = _judge(job.without)
    return [_judged(page, judge) for page in job.pages]


@cache
def _judge(without: tuple[str, ...]) -> Judge:
    return Judge(without=without)


def _judged(page: str, judge: Judge) -> Judged:
    text = page.encode("utf-8", "replace")
    lattice = judge.by_lattice(page).verdict
    (seen,) = judge.screen.glance(memoryview(text), memoryview(array("q", [0, len(text)])))
    score = judge.by_glance(seen)
    if score is not None:
        return Judged("glance", score.verdict, lattice)
    if not judge.screen.worth(text):
        return Judged("few words", "clean", lattice)
    score = judge.by_look(text, seen)
    if score is not None:
        return Judged("look", score.verdict, lattice)
    return Judged("lattice", lattice, lattice)


def jobs(documents: Samples, given: work.Options) -> list[Job]:
    """The pages of every kind."""
    found = []
    for words, (clean, spun) in (QUICK_SIZES if given.quick else SIZES).items():
        found.append(
            Job(f"{CLEAN}, {words:,} words", (), samples.pages(documents.clean, words)[:clean])
        )
        for name, load in FAMILIES.items():
            family = load(given.lexicons)
            without = samples.tables_left_out(family.sources)
            originals = samples.pages(documents.to_spin[name], words)[:spun]
            for rate in samples.levels(family).values():
                printed = [page.text for page in samples.spun(originals, family, rate)]
                found.append(Job(name, without, printed))
    whole = samples.shuffled(documents.clean)[: WHOLE // 10 if given.quick else WHOLE]
    found.append(Job(DOCUMENTS, (), [document.text for document in whole]))
    return found


def main() -> None:
    """Run the benchmark and print its tables."""
    given = work.options(__doc__)
    wanted = jobs(samples.divide(held_out(given.corpora), "bench"), given)
    batches = [
        [job._replace(pages=list(pages)) for pages in samples.batches(job.pages, BATCH)]
        for job in wanted
    ]
    judged: dict[str, list[Judged]] = {}
    for job, found in zip(wanted, work.spread_lists(judge, batches, given.workers), strict=True):
        judged.setdefault(job.kind, []).extend(found)
    families = {kind: found for kind, found in judged.items() if kind in FAMILIES}
    clean = {kind: found for kind, found in judged.items() if kind not in FAMILIES}
    tables = [_spun(families), _clean(clean)]
    publish(Run("screen", work.command("screen", given), NOTE), tables, keep=not given.quick)


def _spun(families: Mapping[str, Sequence[Judged]]) -> Table:
    columns = [
        Column("family"), Column("pages", ","), Column("spun by the lattice", ","),
        *(Column(f"lost by {step}", ",") for step in STEPS[:-1]), Column("gained", ","), *_steps(),
    ]  # fmt: skip
    everything = [page for found in families.values() for page in found]
    rows = [_row(name, found) for name, found in [*families.items(), ("all", everything)]]
    return Table("Spun pages, family left out", columns, rows)


def _row(name: str, found: Sequence[Judged]) -> list[Cell]:
    spun = [page for page in found if page.lattice == "spun"]
    gained = sum(page.screen == "spun" for page in found if page.lattice != "spun")
    lost = Counter(page.step for page in spun if page.screen == "clean")
    counts = [lost[step] for step in STEPS[:-1]]
    return [name, len(found), len(spun), *counts, gained, *_settled(found)]


def _clean(kinds: Mapping[str, Sequence[Judged]]) -> Table:
    columns = [
        Column("kind"), Column("pages", ","), Column("spun by the lattice", ","),
        Column("spun by the screen", ","), *_steps(),
    ]  # fmt: skip
    rows: list[list[Cell]] = []
    for name, found in kinds.items():
        lattice = sum(page.lattice == "spun" for page in found)
        screen = sum(page.screen == "spun" and page.step != "lattice" for page in found)
        rows.append([name, len(found), lattice, screen, *_settled(found)])
    return Table("Clean pages, all sources", columns, rows)


def _steps() -> list[Column]:
    return [Column(f"settled by {step}", ".1%") for step in STEPS]


def _settled(found: Sequence[Judged]) -> list[float]:
    counts = Counter(page.step for page in found)
    return [counts[step] / max(len(found), 1) for step in STEPS]


if __name__ == "__main__":
    main()
