"""What does a second reader add to the n-gram lattice, and what does it cost?

    python -m bench.rerank --corpora C --lexicons L --models MODELS [--gguf FILE]

Pages of every family are read by the n-gram model alone and with the second reader that
`train.neural` tunes. MODELS is the folder where that wrote its three models; a family that is left
out is read by the one that never saw its kind. FILE is a language model to compare with. Linux
only: memory is read from /proc.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from heapq import nlargest
from pathlib import Path
from typing import NamedTuple

from bench import rerank_cost, restore, speed, work
from bench.metrics import Change, Tally, tally
from bench.rerank_cost import ALONE, SECOND, STARTS
from bench.restore import ELEMENT_RATES, PAGE_WORDS, RATES, Case, Outcome, Text
from bench.tables import Cell, Column, Run, Table, publish
from train import samples
from train.calibrate import hard_clean, left_out_calibration
from train.corpus import Document, held_out
from train.families import FAMILIES
from train.lattices import UNSEEN
from unspin import reranker
from unspin.neural import Encoder
from unspin.reader import Reader
from unspin.reranker import Reranker, RerankWarning

PAGES, QUICK_PAGES = 20, 3  # of every family and rate
DOCUMENTS, QUICK_DOCUMENTS = 300, 40  # clean ones
BATCH = 20  # clean documents a task
CONFIDENCE, LEAST_CONFIDENCE = 0.5, 0.2  # of edits: the reader's own, and where all are wanted

SHORT = 120  # words of a page for a language model, which reads a few in a second
SHORT_PAGES = ("element", "element walk", "wordnet random", "mythes random", "moby random",
               "phrases")  # fmt: skip

LEFT_OUT, KNOWN = "left out", "known"
ELEMENT, PHRASES, OTHERS = GROUPS = "element families", "phrases", "all other families"
ALL = "all"  # the model that was tuned on all families, which is the one that ships

NOTE = f"""\
{PAGES} pages of about {PAGE_WORDS} words of each family and rate, as in `restore`, from documents \
that nothing was fitted on; the verdict is the n-gram model's, and a page that is not called spun \
gets no edits. *Left out*: what describes the family is taken out of the channel, no calibration \
of the n-gram model has seen its pages, and the second reader was tuned on families of another \
kind only. *Known*: channel, calibration and second reader as they ship.

*Put back*, *right* and *harmed* as in `restore`, of the edits with a confidence of {CONFIDENCE} \
or more. *At the same number of edits*: the second reader's surest edits on all pages of a row, \
as many as the n-gram model makes alone; *of so many* is how many it has if these are fewer, from \
a confidence of {LEAST_CONFIDENCE} on. *Errors cut*: the share of the n-gram model's wrong edits \
that are fewer then. Groups are sums over their families and rates.

*Clean text*: whole documents that nothing was fitted on, called clean or not, and the hard clean \
texts of the tests, which the verdict is calibrated on. *Cost*: each system in a process of its \
own on one core. *Start to end*: `unspin read` of a spun page of {speed.SHORT:,} words, median of \
{STARTS}. *Words a second*: spun pages of that length, read when everything is open and one page \
has been read. *Peak*: the most memory that the process ever had, and its child if a language \
model runs in one; files that are mapped are counted."""

GGUF_NOTE = f"""

*A language model*: {{file}}, which reads beginnings of sentences, on a page of about {SHORT} \
words of each of {len(SHORT_PAGES)} families, left out: {", ".join(SHORT_PAGES)}; {RATES[1]:.0%} \
of the words, for element families {ELEMENT_RATES[1]:.0%} of the word types. Its cost is that of \
such a page."""
NO_GGUF_NOTE = "\n\nNo language model was compared with: that takes `--gguf FILE`."


class Task(NamedTuple):
    """Texts to read without and with the second reader in the folder `model`. The sources in
    `without` are left out of the channel; it is calibrated without `family`, if one is named."""

    without: tuple[str, ...]
    family: str
    model: Path
    texts: list[Text]


class Guess(NamedTuple):
    """An edit that could be made."""

    confidence: float
    change: Change


class Compared(NamedTuple):
    """One text: what the n-gram model does alone, what is done with the second reader, and what
    would be if less confidence were enough."""

    before: Outcome
    after: Tally
    guesses: list[Guess]


class Measured(NamedTuple):
    """The pages of a family at a rate: without the second reader, with it, and its surest edits,
    as many as without it."""

    family: str
    rate: float
    group: str
    before: Tally
    after: Tally
    surest: Tally


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = work.parser(__doc__)
    parser.add_argument("--models", type=Path, required=True, help="folder of the tuned models")
    parser.add_argument("--gguf", type=Path, help="a language model to compare with")
    parsed = parser.parse_args()
    given = work.given(parsed)
    documents = samples.divide(held_out(given.corpora), "bench")
    cases = list(spun_cases(given, documents.to_spin))
    clean = clean_texts(given, documents.clean)
    short = list(short_tasks(given, documents.to_spin, parsed.models)) if parsed.gguf else []

    tasks = [
        [task(case, setting, parsed.models)] for setting in (LEFT_OUT, KNOWN) for case in cases
    ]
    tasks += [_batches(texts, parsed.models / ALL) for texts in clean.values()]
    found = iter(work.spread_lists(compare, tasks, given.workers))
    left_out = [measured(case, next(found)) for case in cases]
    known = [measured(case, next(found)) for case in cases]
    on_clean = {name: next(found) for name in clean}

    tables = [
        _summary({LEFT_OUT: left_out, KNOWN: known}),
        _by_family("Left out", left_out),
        _by_family("Known", known),
        _clean(on_clean),
        rerank_cost.table(given, parsed.gguf, [task.texts[0].text for task in short]),
    ]
    note, more = NOTE + NO_GGUF_NOTE, " --models MODELS"
    if parsed.gguf:
        tables.append(_beside(short[:1] if given.quick else short, parsed.gguf))
        note, more = NOTE + GGUF_NOTE.format(file=parsed.gguf.name), more + " --gguf FILE"
    publish(Run("rerank", work.command("rerank", given, more), note), tables, keep=not given.quick)


# --- what is read


def spun_cases(given: work.Options, documents: Mapping[str, list[Document]]) -> Iterator[Case]:
    """Every family at every rate, as in `restore`, with fewer pages."""
    count = QUICK_PAGES if given.quick else PAGES
    for case in restore.spun_cases(given, documents):
        yield case._replace(texts=case.texts[:count])


def clean_texts(given: work.Options, documents: Iterable[Document]) -> dict[str, list[Text]]:
    """Clean documents, and the hard clean texts of the tests."""
    some = samples.shuffled(documents)[: QUICK_DOCUMENTS if given.quick else DOCUMENTS]
    return {
        "documents": [Text(document.text, ()) for document in some],
        "hard clean texts": [Text(text, ()) for text in hard_clean()],
    }


def short_tasks(
    given: work.Options, documents: Mapping[str, list[Document]], models: Path
) -> Iterator[Task]:
    """A short page of some families, which are left out."""
    for name in SHORT_PAGES:
        family = FAMILIES[name](given.lexicons)
        rate = (ELEMENT_RATES if family.by_types else RATES)[1]
        (page,) = samples.spun(samples.pages(documents[name], SHORT)[:1], family, rate)
        without = samples.tables_left_out(family.sources)
        yield Task(without, name, models / UNSEEN[name], [Text(page.text, page.swaps)])


def task(case: Case, setting: str, models: Path) -> Task:
    """The pages of a case as the family is left out or known."""
    if setting == KNOWN:
        return Task((), "", models / ALL, case.texts)
    without = case.without[restore.LEFT_OUT]
    return Task(without, case.family, models / UNSEEN[case.family], case.texts)


def _batches(texts: Sequence[Text], model: Path) -> list[Task]:
    return [Task((), "", model, list(batch)) for batch in samples.batches(texts, BATCH)]


# --- reading


def compare(task: Task) -> list[Compared]:
    """Read every text without and with the second reader."""
    alone = restore.Task(restore.LEFT_OUT, task.without, task.family, Path(), task.texts)
    before = restore.restore(alone)
    second = _encoder(task.model)
    reader, eager = (_reader(task, second, c) for c in (CONFIDENCE, LEAST_CONFIDENCE))
    return [
        Compared(outcome, _tally(text, guesses(reader, text)), guesses(eager, text))
        for text, outcome in zip(task.texts, before, strict=True)
    ]


def guesses(reader: Reader, text: Text) -> list[Guess]:
    """The edits of a text.

    Raises:
        RerankWarning: the second reader did not read it.
        ValueError: it is not read as plain text.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", RerankWarning)
        reading = reader.read(text.text)
    if reading.source_text != text.text:
        raise ValueError(f"not read as plain text: {text.text[:80]!r}")
    return [Guess(e.confidence, Change(e.start, e.end, e.original)) for e in reading.edits]


def surest(texts: Sequence[Text], found: Sequence[Sequence[Guess]], most: int) -> Tally:
    """What the surest edits of all texts come to, so many at most."""
    every = [(guess, number) for number, of_text in enumerate(found) for guess in of_text]
    chosen: list[list[Guess]] = [[] for _ in texts]
    for guess, number in nlargest(most, every, key=lambda one: one[0].confidence):
        chosen[number].append(guess)
    return sum(map(_tally, texts, chosen), Tally())


def measured(case: Case, found: Sequence[Compared]) -> Measured:
    """What became of the pages of a case."""
    before = sum((one.before.counts for one in found), Tally())
    after = sum((one.after for one in found), Tally())
    as_many = surest(case.texts, [one.guesses for one in found], before.edits)
    return Measured(case.family, case.rate, _group(case), before, after, as_many)


def _group(case: Case) -> str:
    if case.by_types:
        return ELEMENT
    return PHRASES if case.family == "phrases" else OTHERS


def _tally(text: Text, found: Iterable[Guess]) -> Tally:
    return tally(*text, [guess.change for guess in found])


def _reader(task: Task, second: Reranker | None, confidence: float = CONFIDENCE) -> Reader:
    calibration = left_out_calibration(task.family) if task.family else None
    return Reader(confidence, without=task.without, calibration=calibration, rerank=second)


@cache
def _encoder(model: Path) -> Encoder:
    return Encoder(model)


# --- tables


def _errors(counts: Tally) -> int:
    return counts.edits - counts.right


_SHARES = [Column("put back", ".1%"), Column("right", ".1%"), Column("harmed", ".2%")]


def _shares(counts: Tally) -> list[Cell]:
    return [counts.put_back, counts.precision, counts.harm]


_SAME = [
    Column(f"{SECOND}, at the same number of edits: wrong", ","),
    Column("of so many", ","),
    Column("errors cut", ".1%"),
]


def _same(before: Tally, as_many: Tally) -> list[Cell]:
    wrong, were = _errors(as_many), _errors(before)
    return [wrong, as_many.edits, 1 - wrong / were if were else None]


def _summary(found: Mapping[str, Sequence[Measured]]) -> Table:
    columns = [
        Column("families"),
        Column("channel and models"),
        Column(f"{ALONE}: edits", ","),
        Column("wrong", ","),
        *_SAME,
        *(
            Column(f"{shown.heading}: {when}", shown.style)
            for shown in _SHARES
            for when in (ALONE, SECOND)
        ),
    ]
    rows: list[list[Cell]] = []
    for setting, measures in found.items():
        for group in GROUPS:
            chosen = [one for one in measures if one.group == group]
            before = sum((one.before for one in chosen), Tally())
            after = sum((one.after for one in chosen), Tally())
            as_many = sum((one.surest for one in chosen), Tally())
            pairs = zip(_shares(before), _shares(after), strict=True)
            row = [group, setting, before.edits, _errors(before), *_same(before, as_many)]
            rows.append([*row, *(cell for pair in pairs for cell in pair)])
    return Table("All rates together", columns, rows)


def _by_family(title: str, found: Sequence[Measured]) -> Table:
    columns = [
        Column("family"),
        Column("rate", ".1f"),
        Column(f"{ALONE}: edits", ","),
        Column("wrong", ","),
        *_SHARES,
        Column(f"{SECOND}: {_SHARES[0].heading}", _SHARES[0].style),
        *_SHARES[1:],
        *_SAME,
    ]
    rows: list[list[Cell]] = [
        [
            one.family, one.rate, one.before.edits, _errors(one.before), *_shares(one.before),
            *_shares(one.after), *_same(one.before, one.surest),
        ]
        for one in found
    ]  # fmt: skip
    return Table(title, columns, rows)


def _clean(found: Mapping[str, Sequence[Compared]]) -> Table:
    columns = [
        Column("texts"),
        Column("number", ","),
        Column("words", ","),
        Column("called spun", ","),
        Column(f"words edited per million: {ALONE}", ",.0f"),
        Column(SECOND, ",.0f"),
    ]
    rows: list[list[Cell]] = []
    for name, texts in found.items():
        before = sum((one.before.counts for one in texts), Tally())
        after = sum((one.after for one in texts), Tally())
        spun = sum(one.before.verdict == "spun" for one in texts)
        harms: list[Cell] = [1e6 * (counts.harm or 0.0) for counts in (before, after)]
        rows.append([name, len(texts), before.words, spun, *harms])
    return Table("Clean text", columns, rows)


# --- beside a language model


def _beside(short: Sequence[Task], gguf: Path) -> Table:
    language_model = reranker.find(str(gguf))
    systems: dict[str, Callable[[Task], Reranker | None]] = {
        ALONE: lambda _: None,
        SECOND: lambda task: _encoder(task.model),
        gguf.name: lambda _: language_model,
    }
    rows: list[list[Cell]] = []
    for system, second in systems.items():
        counts, seconds = Tally(), 0.0
        for task in short:
            reader = _reader(task, second(task))
            began = time.perf_counter()
            found = [guesses(reader, text) for text in task.texts]
            seconds += time.perf_counter() - began
            counts = sum(map(_tally, task.texts, found), counts)
        words = sum(samples.count_words(text.text) for task in short for text in task.texts)
        rows.append([system, words, counts.edits, *_shares(counts), words / seconds])
    columns = [
        Column("system"),
        Column("words", ","),
        Column("edits", ","),
        *_SHARES,
        Column("words a second", ",.0f"),
    ]
    return Table("A language model, families left out", columns, rows)


if __name__ == "__main__":
    main()
