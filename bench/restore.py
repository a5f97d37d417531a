"""How much of a spun page comes back, and what harm is done to the rest and to clean text?

    python -m bench.restore --corpora C --lexicons L

Pages of every family are read twice: with the channel that ships, which knows the sources that
the family draws from, and with these left out. What counts are the edits of `Reader.read`, its
verdict included: a page that is not called spun gets none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from bench import work
from bench.metrics import Change, Tally, tally
from bench.rivals import RESTORERS, Restorer
from bench.tables import Cell, Column, Run, Table, publish
from train import samples
from train.calibrate import left_out_calibration
from train.corpus import Document, held_out
from train.families import FAMILIES
from train.spin import Swap
from unspin.lm import LanguageModel
from unspin.reader import MODEL, Reader
from unspin.reading import Verdict
from unspin.thesaurus import PHRASE, Thesaurus

PAGE_WORDS = 400
PAGES, QUICK_PAGES = 40, 6  # of every family
QUICK_DOCUMENTS = 200
RIVAL_DOCUMENTS = 300  # a rival edits so much clean text that few documents show how much
BATCH = 40  # clean documents a task

# Shares of all words; for the element family, of the word types that its table would hold.
RATES = (0.2, 0.4, 0.6)
ELEMENT_RATES = (0.6, 0.9)

KNOWN, LEFT_OUT = "unspin, family known", "unspin, family left out"
NO_LEXICONS = "unspin, its lexicons left out too"
READERS = {KNOWN: "known", LEFT_OUT: "left out", NO_LEXICONS: "no lexicons"}
SYSTEMS = (*READERS, *RESTORERS)

NOTE = f"""\
Pages of about {PAGE_WORDS} words of news, each family its own, from sources that no model was \
trained on. *Put back*: share of the substituted words and phrases that became the original again, \
letter case aside. *Right*: share of the edits that lie exactly on a substitution and put its \
original back. *Harmed*: share of the words which the spinner had left alone that were edited. \
*Left out*: what describes the family (its table, its rule, its phrases) is taken out of the \
channel, and no calibration has seen its pages. *No lexicons*: so are all thesauri that it draws \
from, as if the spinner had written its own. *Offered*: share of the \
substitutions whose original the channel has among its candidates, the most that can come \
back. Rates are shares of all words to substitute as far as the family's habits allow, for element \
shares of the word types in its table; *swapped* is the share of words that was. Rivals know all \
of WordNet, whatever the family."""


class Text(NamedTuple):
    """A text, and the swaps that were made in it."""

    text: str
    swaps: tuple[Swap, ...]


class Task(NamedTuple):
    """Texts for one system; unspin leaves the sources in `without` out of its channel, and is
    calibrated without `family`, if one is named."""

    system: str
    without: tuple[str, ...]
    family: str
    lexicons: Path
    texts: list[Text]


class Outcome(NamedTuple):
    """What became of one text; a rival has no verdict."""

    counts: Tally
    verdict: Verdict | None


class Case(NamedTuple):
    """A family at a rate and its pages: whether the rate is one of word types, the share of the
    words that was swapped, the sources that each reader leaves out, and what every system made
    of the pages."""

    family: str
    rate: float
    by_types: bool
    swapped: float
    without: dict[str, tuple[str, ...]]
    texts: list[Text]
    outcomes: dict[str, list[Outcome]]

    def task(self, system: str, lexicons: Path, texts: list[Text]) -> Task:
        """Texts of this case for a system."""
        family = "" if system == KNOWN else self.family
        return Task(system, self.without.get(system, ()), family, lexicons, texts)


def restore(task: Task) -> list[Outcome]:
    """Give every text to the system and count."""
    if task.system in RESTORERS:
        restorer = _rival(task.system, task.lexicons)
        return [Outcome(tally(*text, restorer(text.text)), None) for text in task.texts]
    return [_read(_reader(task.without, task.family), text) for text in task.texts]


def spun_cases(given: work.Options, documents: Mapping[str, list[Document]]) -> Iterator[Case]:
    """Every family at every rate, not restored yet."""
    for name, load in FAMILIES.items():
        family = load(given.lexicons)
        pages = samples.pages(documents[name], PAGE_WORDS)
        pages = pages[: QUICK_PAGES if given.quick else PAGES]
        for rate in ELEMENT_RATES if family.by_types else RATES:
            spun = samples.spun(pages, family, rate)
            texts = [Text(page.text, page.swaps) for page in spun]
            without = {
                KNOWN: (),
                LEFT_OUT: samples.tables_left_out(family.sources),
                NO_LEXICONS: samples.lexicons_left_out(family.sources),
            }
            share = samples.share_swapped(spun)
            yield Case(name, rate, family.by_types, share, without, texts, {})


def offered(texts: Iterable[Text], without: tuple[str, ...]) -> float:
    """The share of the swaps whose original the channel has among its candidates at all."""
    thesaurus, words = _channel(without)
    swaps = [swap for text in texts for swap in text.swaps]
    found = sum(
        swap.original.lower() in _originals(thesaurus, words, swap.spun.lower()) for swap in swaps
    )
    return found / max(len(swaps), 1)


def main() -> None:
    """Run the benchmark and print its tables."""
    given = work.options(__doc__)
    divided = samples.divide(held_out(given.corpora), "bench")
    documents = samples.shuffled(divided.clean)
    if given.quick:
        documents = documents[:QUICK_DOCUMENTS]
    clean = [Text(document.text, ()) for document in documents]
    cases = list(spun_cases(given, divided.to_spin))

    # All work at once, since a rival reads the lexicons again in every process it runs in.
    tasks = [Task(KNOWN, (), "", given.lexicons, batch) for batch in _batches(clean)]
    on_clean = len(tasks)
    tasks += [Task(rival, (), "", given.lexicons, clean[:RIVAL_DOCUMENTS]) for rival in RESTORERS]
    for case in cases:
        tasks += [case.task(system, given.lexicons, case.texts) for system in SYSTEMS]
    results = iter(work.spread(restore, tasks, given.workers))
    read = [outcome for _ in range(on_clean) for outcome in next(results)]
    spoiled = {KNOWN: read, **{rival: next(results) for rival in RESTORERS}}
    for case in cases:
        case.outcomes.update((system, next(results)) for system in SYSTEMS)

    tables = [
        _summary(cases, spoiled),
        _by_family(cases),
        _by_rival(cases),
        _by_source(documents, read),
    ]
    publish(Run("restore", work.command("restore", given), NOTE), tables, keep=not given.quick)


def _batches(texts: Sequence[Text]) -> list[list[Text]]:
    """The texts in pieces that keep all processes busy to the end."""
    return [list(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]


def _read(reader: Reader, text: Text) -> Outcome:
    reading = reader.read(text.text)
    if reading.source_text != text.text:
        raise ValueError(f"not read as plain text: {text.text[:80]!r}")
    changes = [Change(edit.start, edit.end, edit.original) for edit in reading.edits]
    return Outcome(tally(*text, changes), reading.verdict)


@cache
def _reader(without: tuple[str, ...], family: str) -> Reader:
    return Reader(without=without, calibration=left_out_calibration(family) if family else None)


@cache
def _rival(name: str, lexicons: Path) -> Restorer:
    return RESTORERS[name](lexicons)


@cache
def _channel(without: tuple[str, ...]) -> tuple[Thesaurus, Sequence[str]]:
    thesaurus = Thesaurus(MODEL / "channel.bin")
    return thesaurus.without(without), LanguageModel(MODEL / "lm.bin").words


def _originals(thesaurus: Thesaurus, words: Sequence[str], printed: str) -> set[str]:
    """What a word or phrase may have been, phrases included."""
    found = {choice.original for choice in thesaurus.choices(printed, words)}
    entry = thesaurus.phrase_number.get(printed) if thesaurus.heads else None
    if entry is not None:
        for k in range(thesaurus.phrase_first[entry], thesaurus.phrase_first[entry + 1]):
            numbers = thesaurus.phrase_words[PHRASE * k : PHRASE * (k + 1)]
            found.add(" ".join(words[number] for number in numbers if number))
    return found


def _total(outcomes: Iterable[Outcome]) -> Tally:
    return sum((outcome.counts for outcome in outcomes), Tally())


def _share(outcomes: Sequence[Outcome], verdict: Verdict) -> float:
    return sum(outcome.verdict == verdict for outcome in outcomes) / len(outcomes)


def _summary(cases: list[Case], clean: dict[str, list[Outcome]]) -> Table:
    columns = [
        Column("system"),
        Column("element families: put back", ".1%"),
        Column("right", ".1%"),
        Column("harmed", ".2%"),
        Column("other families: put back", ".1%"),
        Column("right", ".1%"),
        Column("harmed", ".2%"),
        Column("clean text: words edited per million", ",.0f"),
    ]
    rows: list[list[Cell]] = []
    for system in SYSTEMS:
        row: list[Cell] = [system]
        for by_types in (True, False):
            chosen = [case for case in cases if case.by_types is by_types]
            total = _total(outcome for case in chosen for outcome in case.outcomes[system])
            row += [total.put_back, total.precision, total.harm]
        harm = _total(clean[system]).harm if system in clean else None
        rows.append([*row, None if harm is None else 1e6 * harm])
    return Table("All families and rates together", columns, rows)


def _by_family(cases: list[Case]) -> Table:
    measures = [
        Column("offered", ".1%"),
        Column("called spun", ".0%"),
        Column("put back", ".1%"),
        Column("right", ".1%"),
        Column("harmed", ".2%"),
    ]
    columns = [Column("family"), Column("rate", ".1f"), Column("swapped", ".1%")]
    for prefix in READERS.values():
        columns += [Column(f"{prefix}: {c.heading}", c.style) for c in measures]
    rows: list[list[Cell]] = []
    for case in cases:
        row: list[Cell] = [case.family, case.rate, case.swapped]
        for system in READERS:
            outcomes = case.outcomes[system]
            total = _total(outcomes)
            row += [offered(case.texts, case.without[system])]
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
