"""How much of a spun page comes back, and what harm is done to the rest and to clean text?

    python -m bench.restore --corpora C --lexicons L

Pages of every family are read twice: with the channel that ships, which knows the sources that
the family draws from, and with these left out. What counts are the edits of `Reader.read`, its
verdict included: a page that is not called spun gets none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from bench import samples, work
from bench.metrics import Change, Tally, tally
from bench.rivals import RESTORERS, Restorer
from bench.tables import Cell, Column, Run, Table, publish
from train.corpus import Document, held_out
from train.families import FAMILIES
from train.spin import Swap
from unspin.reader import Reader
from unspin.reading import Verdict

PAGE_WORDS = 400
PAGES, QUICK_PAGES = 40, 6  # of every family
QUICK_DOCUMENTS = 200
RIVAL_DOCUMENTS = 300  # a rival edits so much clean text that few documents show how much
BATCH = 40  # clean documents a task

# Shares of all words; for the element family, of the word types that its table would hold.
RATES = (0.2, 0.4, 0.6)
ELEMENT_RATES = (0.6, 0.9)

KNOWN, LEFT_OUT = "unspin, family known", "unspin, family left out"

NOTE = f"""\
Pages of about {PAGE_WORDS} words of news, each family its own, from sources that no model was \
trained on. *Put back*: share of the substituted words and phrases that became the original again, \
letter case aside. *Right*: share of the edits that lie exactly on a substitution and put its \
original back. *Harmed*: share of the words which the spinner had left alone that were edited. \
*Left out*: the sources that the family draws from are taken out of the channel. Rates are shares \
of all words to substitute as far as the family's habits allow, for element shares of the word \
types in its table; *swapped* is the share of words that was."""


class Text(NamedTuple):
    """A text, and the swaps that were made in it."""

    text: str
    swaps: tuple[Swap, ...]


class Task(NamedTuple):
    """Texts for one system; unspin leaves the sources in `without` out of its channel."""

    system: str
    without: tuple[str, ...]
    lexicons: Path
    texts: list[Text]


class Outcome(NamedTuple):
    """What became of one text; a rival has no verdict."""

    counts: Tally
    verdict: Verdict | None


class Case(NamedTuple):
    """A family at a rate: the share of words that were swapped, and what every system made of
    the pages."""

    family: str
    rate: float
    swapped: float
    outcomes: dict[str, list[Outcome]]


def restore(task: Task) -> list[Outcome]:
    """Give every text to the system and count."""
    if task.system in RESTORERS:
        restorer = _rival(task.system, task.lexicons)
        return [Outcome(tally(*text, restorer(text.text)), None) for text in task.texts]
    return [_read(_reader(task.without), text) for text in task.texts]


def spun_cases(given: work.Options, documents: dict[str, list[Document]]) -> list[Case]:
    """Every family at every rate, restored by every system."""
    cases, tasks = [], []
    for name, load in FAMILIES.items():
        family = load(given.lexicons)
        count = QUICK_PAGES if given.quick else PAGES
        pages = samples.pages(documents[name], PAGE_WORDS)[:count]
        for rate in ELEMENT_RATES if name == "element" else RATES:
            spun = samples.spun(pages, family, rate)
            cases.append(Case(name, rate, samples.share_swapped(spun), {}))
            texts = [Text(page.text, page.swaps) for page in spun]
            tasks += [
                Task(KNOWN, (), given.lexicons, texts),
                Task(LEFT_OUT, samples.left_out(family.sources), given.lexicons, texts),
                *(Task(rival, (), given.lexicons, texts) for rival in RESTORERS),
            ]
    results = iter(work.spread(restore, tasks, given.workers))
    for case in cases:
        case.outcomes.update((system, next(results)) for system in (KNOWN, LEFT_OUT, *RESTORERS))
    return cases


def clean_outcomes(
    given: work.Options, system: str, documents: Sequence[Document]
) -> list[Outcome]:
    """What a system makes of clean documents, one by one."""
    texts = [Text(document.text, ()) for document in documents]
    batches = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
    tasks = [Task(system, (), given.lexicons, batch) for batch in batches]
    return [o for batch in work.spread(restore, tasks, given.workers) for o in batch]


def main() -> None:
    """Run the benchmark and print its tables."""
    given = work.options(__doc__)
    divided = samples.divide(held_out(given.corpora), "bench")
    documents = samples.shuffled(divided.clean)
    if given.quick:
        documents = documents[:QUICK_DOCUMENTS]
    cases = spun_cases(given, divided.to_spin)
    clean = clean_outcomes(given, KNOWN, documents)
    on_clean = {
        rival: clean_outcomes(given, rival, documents[:RIVAL_DOCUMENTS]) for rival in RESTORERS
    }
    tables = [
        _summary(cases, {KNOWN: clean, **on_clean}),
        _by_family(cases),
        _by_rival(cases),
        _by_source(documents, clean),
    ]
    publish(Run("restore", work.command("restore", given), NOTE), tables, keep=not given.quick)


def _read(reader: Reader, text: Text) -> Outcome:
    reading = reader.read(text.text)
    if reading.source_text != text.text:
        raise ValueError(f"not read as plain text: {text.text[:80]!r}")
    changes = [Change(edit.start, edit.end, edit.original) for edit in reading.edits]
    return Outcome(tally(*text, changes), reading.verdict)


@cache
def _reader(without: tuple[str, ...]) -> Reader:
    return Reader(without=without)


@cache
def _rival(name: str, lexicons: Path) -> Restorer:
    return RESTORERS[name](lexicons)


def _total(outcomes: Iterable[Outcome]) -> Tally:
    return sum((outcome.counts for outcome in outcomes), Tally())


def _share(outcomes: Sequence[Outcome], verdict: Verdict) -> float:
    return sum(outcome.verdict == verdict for outcome in outcomes) / len(outcomes)


def _summary(cases: list[Case], clean: dict[str, list[Outcome]]) -> Table:
    columns = [
        Column("system"),
        Column("element: put back", ".1%"),
        Column("right", ".1%"),
        Column("harmed", ".2%"),
        Column("other families: put back", ".1%"),
        Column("right", ".1%"),
        Column("harmed", ".2%"),
        Column("clean text: words edited per million", ",.0f"),
    ]
    rows: list[list[Cell]] = []
    for system in (KNOWN, LEFT_OUT, *RESTORERS):
        row: list[Cell] = [system]
        for element in (True, False):
            chosen = [case for case in cases if (case.family == "element") is element]
            total = _total(outcome for case in chosen for outcome in case.outcomes[system])
            row += [total.put_back, total.precision, total.harm]
        harm = _total(clean[system]).harm if system in clean else None
        rows.append([*row, None if harm is None else 1e6 * harm])
    return Table("All families and rates together", columns, rows)


def _by_family(cases: list[Case]) -> Table:
    measures = [
        Column("called spun", ".0%"),
        Column("put back", ".1%"),
        Column("right", ".1%"),
        Column("harmed", ".2%"),
    ]
    columns = [Column("family"), Column("rate", ".1f"), Column("swapped", ".1%")]
    for prefix in ("known", "left out"):
        columns += [Column(f"{prefix}: {c.heading}", c.style) for c in measures]
    rows: list[list[Cell]] = []
    for case in cases:
        row: list[Cell] = [case.family, case.rate, case.swapped]
        for system in (KNOWN, LEFT_OUT):
            outcomes = case.outcomes[system]
            total = _total(outcomes)
            row += [_share(outcomes, "spun"), total.put_back, total.precision, total.harm]
        rows.append(row)
    return Table("By family", columns, rows)


def _by_rival(cases: list[Case]) -> Table:
    columns = [Column("family"), Column("rate", ".1f")]
    rivals = [name for name in RESTORERS if name != "nothing"]
    for name in rivals:
        columns += [Column(f"{name}: put back", ".1%"), Column("right", ".1%")]
    rows: list[list[Cell]] = []
    for case in cases:
        totals = [_total(case.outcomes[name]) for name in rivals]
        measures = [measure for total in totals for measure in (total.put_back, total.precision)]
        rows.append([case.family, case.rate, *measures])
    return Table("By family, rivals", columns, rows)


def _by_source(documents: Sequence[Document], outcomes: Sequence[Outcome]) -> Table:
    columns = [
        Column("source"),
        Column("documents", ","),
        Column("words", ","),
        Column("clean", ".2%"),
        Column("unsure", ".2%"),
        Column("spun", ".2%"),
        Column("words edited per million", ",.0f"),
    ]
    by_source: dict[str, list[Outcome]] = {}
    for document, outcome in zip(documents, outcomes, strict=True):
        by_source.setdefault(document.source.partition(":")[0], []).append(outcome)
    rows: list[list[Cell]] = []
    for source, found in [*sorted(by_source.items()), ("all", list(outcomes))]:
        total = _total(found)
        verdicts = (_share(found, "clean"), _share(found, "unsure"), _share(found, "spun"))
        harm = 1e6 * (total.harm or 0.0)
        rows.append([source, len(found), total.words, *verdicts, harm])
    return Table("Clean documents, whole, by source", columns, rows)


if __name__ == "__main__":
    main()
