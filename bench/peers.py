"""How does the program compare with what else could be run on the same pages?

    python -m bench.peers --corpora C --lexicons L

Detection as in `bench.detect`: the same families and clean documents, thresholds set on clean pages
that the same system has scored. Trained rivals (`bench.classifiers`) learn from spinners that are
strangers to the one that they are tested on, as unspin does without the sources that the family
draws from; and once more from all. Restoration as in `bench.restore`, on fewer pages, since a
pretrained model takes its time (`bench.pretrained`).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

from bench import classifiers, plot, pretrained, restore, work
from bench.classifiers import CLASSIFIERS, Lesson
from bench.detect import BATCH, FALSE_POSITIVES, Quality, Size, quality
from bench.metrics import Tally, tally
from bench.restore import Text
from bench.rivals import RESTORERS, SCORES, Restorer, listed_phrases
from bench.tables import RESULTS, Cell, Column, Run, Table, publish
from train import samples
from train.corpus import held_out
from train.families import FAMILIES
from train.samples import ELEMENT_LEVELS, LEVELS, Samples
from train.spin import Family
from unspin.reader import Reader

UNSPIN, PHRASES = "unspin", "phrase list"
KNOWN, LEFT_OUT = "family known", "family left out"
NO_LEXICONS = "its lexicons left out too"
ADAPTING = (UNSPIN, *CLASSIFIERS)  # that know a family or do not
FIXED = (*SCORES, PHRASES)  # that are what they are

# As in `bench.detect`, with fewer pages: more systems have to read them.
SIZES = (Size(100, 1000, 20), Size(300, 1000, 16), Size(1000, 500, 8))
QUICK_SIZES = (Size(100, 200, 10), Size(300, 200, 8), Size(1000, 100, 4))
LESSONS, QUICK_LESSONS = 3000, 1500  # pages that classifiers learn from, clean and spun

RATE, ELEMENT_RATE = 0.4, 0.9  # of the pages to restore
# The pretrained model reads some twenty words a second: a page of one in so many families.
CLEAN_PAGES, QUICK_CLEAN_PAGES = 2, 1
STEP, QUICK_STEP = 3, 4

NOTE = f"""\
Pages as in `detect` and `restore`: from sources that no model of ours was trained on, the half of \
the documents that nothing of ours was fitted on. *AUC*: probability that a spun page scores \
higher than a clean one. *TPR at 1%*: share of the spun pages above the threshold that 1% of the \
clean pages pass. Light, medium and heavy: {", ".join(f"{r:.0%}" for r in LEVELS.values())} of all \
words substituted as far as a family's habits allow, for element a table of \
{", ".join(f"{r:.0%}" for r in ELEMENT_LEVELS.values())} of the word types.

*Left out*: from unspin, what describes the family is taken away (its table, its rule, its \
phrases), and then all thesauri that it draws from; a classifier has been trained on families that \
are strangers to it, one family counting as the same as another if \
it draws on nothing but what the other draws on (three groups: element and its walk; what is made \
of WordNet; Moby; PPDB stands alone). *Known*: unspin as it ships; a classifier trained on all \
families. Classifiers were trained on the other half of \
the same sources' documents, up to {LESSONS:,} pages of {classifiers.PAGE_WORDS} words, each clean \
and spun. *fastText*: supervised, words and pairs of words. *Hashed n-grams*: logistic regression \
over 2^20 hashed words and pairs of words. *Frequency drop* (FGWS, Mozes et al. 2021): what that \
classifier's confidence (log odds) loses when words below a frequency, chosen on pages kept from \
training, give way to their most frequent WordNet synonym. *Perplexity* and *word frequency* \
come from unspin's own n-gram model. *Phrase list*: how many of the listed tortured and \
SpinBot-like phrases a page has for each of its words, without those that stand in a clean page \
that the classifiers learnt from; the family `phrases` prints from these lists, left out or not.

Restoration at {RATE:.0%} of all words (element: {ELEMENT_RATE:.0%} of the word types), \
a page of {restore.PAGE_WORDS} words for one family in {STEP}, and {CLEAN_PAGES} clean ones. \
*Frequent neighbour*: the most frequent WordNet neighbour for every word that is rarer than it. \
*Likeliest neighbour in context*: among WordNet neighbours by any relation, inflected, the one \
that unspin's n-gram model finds likeliest in its place; the pretrained model chooses among the \
same, the \
{pretrained.FINALISTS} likeliest by their beginnings weighed with some words that follow. Rivals \
know all of WordNet, whatever the family. """


class System(NamedTuple):
    """What gives scores. `detail` are the sources that unspin leaves out, or the families that a
    classifier has seen."""

    name: str
    detail: tuple[str, ...] = ()


class Folders(NamedTuple):
    """The folder of the word relations, and that of what was trained: a folder of classifiers for
    each set of families that they have seen, and a file of the clean pages among the lessons."""

    lexicons: Path
    trained: Path

    def of(self, seen: Sequence[str]) -> Path:
        """The folder of the classifiers that have seen these families."""
        return self.trained / "+".join(seen).replace(" ", "_")

    @property
    def clean(self) -> Path:
        """The file of the clean pages."""
        return self.trained / "clean.json"


class Job(NamedTuple):
    """Pages for a system to score."""

    system: System
    pages: list[str]
    folders: Folders


class Case(NamedTuple):
    """A family at a level: the share of words that was swapped, and what every system made of
    it."""

    family: str
    level: str
    swapped: float
    quality: dict[str, Quality]


def main() -> None:
    """Run the benchmark, print its tables and draw its plot."""
    given = work.options(__doc__)
    families = {name: load(given.lexicons) for name, load in FAMILIES.items()}
    documents = samples.divide(held_out(given.corpora), "bench")
    with tempfile.TemporaryDirectory() as trained:
        folders = Folders(given.lexicons, Path(trained))
        teach(given, families, folders)
        measured = [
            (size.words, *detect(documents, families, size, folders, given.workers))
            for size in (QUICK_SIZES if given.quick else SIZES)
        ]
    titles = [f"{words:,} words ({clean:,} clean pages)" for words, clean, _ in measured]
    summaries = [_summary(cases) for *_, cases in measured]
    tables = [
        Table(f"{title}, mean of the families", _summary_columns(), _summary_rows(summary))
        for title, summary in zip(titles, summaries, strict=True)
    ]
    tables.append(restoration(given, documents))
    for title, (*_, cases) in zip(titles, measured, strict=True):
        tables += _by_family(title, cases)
    run = Run("peers", work.command("peers", given), NOTE + pretrained.about())
    publish(run, tables, keep=not given.quick)
    panels = [
        plot.Panel(f"{words:,} words", summary)
        for (words, *_), summary in zip(measured, summaries, strict=True)
    ]
    drawn = RESULTS if not given.quick else Path(tempfile.gettempdir())
    plot.draw(panels, list(LEVELS.values()), drawn / "peers.svg")


def teach(given: work.Options, families: Mapping[str, Family], folders: Folders) -> None:
    """Train the classifiers: on the strangers to every family, and on all families."""
    divided = samples.divide(held_out(given.corpora), "calibrate")
    documents = [*divided.clean, *(d for spun in divided.to_spin.values() for d in spun)]
    count = QUICK_LESSONS if given.quick else LESSONS
    pages = classifiers.examples(documents, families, count)
    folders.clean.write_text(json.dumps([page.clean for page in pages]))
    groups = dict.fromkeys(classifiers.strangers(families, name) for name in families)
    lessons = [
        Lesson(folders.of(seen), given.lexicons, classifiers.seen(pages, seen))
        for seen in (*groups, tuple(families))
    ]
    work.spread(classifiers.train, lessons, given.workers)


def systems(families: Mapping[str, Family], name: str) -> dict[str, System]:
    """What is asked about the pages of a family, by the name of its row."""
    sources = families[name].sources
    strangers = classifiers.strangers(families, name)
    return {
        f"{UNSPIN}, {KNOWN}": System(UNSPIN),
        f"{UNSPIN}, {LEFT_OUT}": System(UNSPIN, samples.tables_left_out(sources)),
        f"{UNSPIN}, {NO_LEXICONS}": System(UNSPIN, samples.lexicons_left_out(sources)),
        **{f"{rival}, {KNOWN}": System(rival, tuple(families)) for rival in CLASSIFIERS},
        **{f"{rival}, {LEFT_OUT}": System(rival, strangers) for rival in CLASSIFIERS},
        **{rival: System(rival) for rival in FIXED},
    }


def score(job: Job) -> list[float]:
    """The score of every page, higher if it is more likely spun."""
    return _scorer(job.system, job.folders)(job.pages)


def detect(
    documents: Samples, families: Mapping[str, Family], size: Size, folders: Folders, workers: int
) -> tuple[int, list[Case]]:
    """The number of clean pages of a size, and every family at every level against them."""
    asked = {name: systems(families, name) for name in families}
    clean = samples.pages(documents.clean, size.words)[: size.clean]
    distinct = list(dict.fromkeys(s for named in asked.values() for s in named.values()))
    jobs = [Job(system, clean, folders) for system in distinct]
    kinds: list[tuple[str, str, float]] = []
    for name, family in families.items():
        pages = samples.pages(documents.to_spin[name], size.words)[: size.spun]
        for level, rate in samples.levels(family).items():
            spun = samples.spun(pages, family, rate)
            kinds.append((name, level, samples.share_swapped(spun)))
            texts = [page.text for page in spun]
            jobs += [Job(system, texts, folders) for system in asked[name].values()]
    scores = iter(work.spread_lists(score, [_batches(job) for job in jobs], workers))
    on_clean = {system: next(scores) for system in distinct}
    cases = [
        Case(
            name,
            level,
            swapped,
            {row: quality(on_clean[system], next(scores)) for row, system in asked[name].items()},
        )
        for name, level, swapped in kinds
    ]
    return len(clean), cases


def repair(task: restore.Task) -> list[Tally]:
    """Give every text to the system and count."""
    if task.system not in pretrained.RESTORERS:
        return [outcome.counts for outcome in restore.restore(task)]
    restorer = _restorer(task.system, task.lexicons)
    return [tally(*text, restorer(text.text)) for text in task.texts]


def restoration(given: work.Options, documents: Samples) -> Table:
    """What comes back, what of it is right and what harm is done, on the pages of all families."""
    rivals = (*RESTORERS, *pretrained.RESTORERS)
    clean_pages = samples.pages(documents.clean, restore.PAGE_WORDS)
    clean = [Text(page, ()) for page in clean_pages]
    clean = clean[: QUICK_CLEAN_PAGES if given.quick else CLEAN_PAGES]
    systems = (*restore.READERS, *rivals)
    on_clean = (restore.KNOWN, *rivals)
    tasks = [restore.Task(system, (), "", given.lexicons, clean) for system in on_clean]
    cases = [
        case
        for case in restore.spun_cases(given._replace(quick=True), documents.to_spin)
        if case.rate == (ELEMENT_RATE if case.by_types else RATE)
    ][:: QUICK_STEP if given.quick else STEP]
    element = [case.by_types for case in cases]
    for case in cases:
        tasks += [case.task(system, given.lexicons, case.texts[:1]) for system in systems]
    totals = [sum(t, Tally()) for t in work.spread(repair, tasks, given.workers)]
    rows: list[list[Cell]] = []
    for system in systems:
        found = [total for task, total in zip(tasks, totals, strict=True) if task.system == system]
        harm = found.pop(0).harm if system in on_clean else None
        row: list[Cell] = [system]
        for wanted in (True, False):
            of_kind = (t for t, kind in zip(found, element, strict=True) if kind is wanted)
            total = sum(of_kind, Tally())
            row += [total.put_back, total.precision, total.harm]
        rows.append([*row, None if harm is None else 1e6 * harm])
    measures = [Column("right", ".1%"), Column("harmed", ".2%")]
    columns = [
        Column("system"),
        *(Column("element families: put back", ".1%"), *measures),
        *(Column("other families: put back", ".1%"), *measures),
        Column("clean text: words edited per million", ",.0f"),
    ]
    return Table("Restoration, all families together", columns, rows)


@cache
def _scorer(system: System, folders: Folders) -> Callable[[Sequence[str]], list[float]]:
    """What scores pages in this process."""
    if system.name == UNSPIN:
        return partial(_each, _evidence(Reader(without=system.detail)))
    if system.name == PHRASES:
        clean = json.loads(folders.clean.read_text())
        return partial(_each, listed_phrases(folders.lexicons, clean))
    if system.name in SCORES:
        return partial(_each, SCORES[system.name])
    return CLASSIFIERS[system.name](folders.of(system.detail), folders.lexicons)


def _evidence(reader: Reader) -> Callable[[str], float]:
    return lambda page: reader.evidence(page).per_word


def _each(score_page: Callable[[str], float], pages: Iterable[str]) -> list[float]:
    return [score_page(page) for page in pages]


@cache
def _restorer(name: str, lexicons: Path) -> Restorer:
    return {**RESTORERS, **pretrained.RESTORERS}[name](lexicons)


def _batches(job: Job) -> list[Job]:
    return [job._replace(pages=list(pages)) for pages in samples.batches(job.pages, BATCH)]


def _summary(cases: Sequence[Case]) -> dict[str, list[Quality]]:
    """The means over the families, one for each level, by system."""
    found: dict[str, list[Quality]] = {}
    for system in cases[0].quality:
        for level in LEVELS:
            qualities = [case.quality[system] for case in cases if case.level == level]
            rates = zip(*(quality.true_positives for quality in qualities), strict=True)
            count = len(qualities)
            area = sum(quality.auc for quality in qualities) / count
            mean = Quality(area, tuple(sum(rate) / count for rate in rates))
            found.setdefault(system, []).append(mean)
    return found


def _summary_columns() -> list[Column]:
    rates = [Column(f"TPR at {name}", ".0%") for name in FALSE_POSITIVES]
    by_level = [(Column(f"{level}: AUC", ".3f"), *rates) for level in LEVELS]
    return [Column("system"), *(column for columns in by_level for column in columns)]


def _summary_rows(summary: Mapping[str, Sequence[Quality]]) -> list[list[Cell]]:
    return [
        [system, *(cell for q in qualities for cell in (q.auc, *q.true_positives))]
        for system, qualities in summary.items()
    ]


def _by_family(title: str, cases: Sequence[Case]) -> Iterator[Table]:
    """A table of each measure, a column for each system."""
    head = [Column("family"), Column("level"), Column("swapped", ".1%")]
    rates = [(f"TPR at {name}", ".0%") for name in FALSE_POSITIVES]
    for place, (measure, style) in enumerate([("AUC", ".3f"), *rates]):
        columns = [*head, *(Column(system, style) for system in cases[0].quality)]
        rows: list[list[Cell]] = []
        for case in cases:
            found = ((q.auc, *q.true_positives)[place] for q in case.quality.values())
            rows.append([case.family, case.level, case.swapped, *found])
        yield Table(f"{title}, by family: {measure}", columns, rows)


if __name__ == "__main__":
    main()
