"""How often is the source of a spun page found, and how often one that is none?

    python -m bench.trace --corpora C --lexicons L

Pages with a source in the index and pages without are given to every engine; thresholds are set
on those without. Latencies are by the clock: nothing else should be running.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from bench import minilm, work
from bench.tables import Run, publish
from bench.trace_rivals import BM25, FIRST, RIVALS, Engine
from bench.trace_tables import MINILM, UNSPIN, Answer, Asked, Cost, tables
from bench.trace_truth import Found, compared
from train import samples
from train.events import COPIED, SAME_EVENT
from train.queries import SPINNERS, Article, Query
from train.queries import indexed as collect
from train.queries import queries as ask
from unspin.trace import Index, Tracer
from unspin.trace.index import build

ARTICLES, QUICK_ARTICLES = 50_000, 6_000
PAGES, QUICK_PAGES = 500, 40  # of each condition
SAMPLE, QUICK_SAMPLE = 1_000, 200  # articles for the embedding model, which reads eight a second
SAMPLE_PAGES, SAMPLE_NEGATIVES = 20, 100  # pages for it: of each condition, and without a source
BATCH = 50  # pages a task

BM25_ALONE = "BM25 alone"

NOTE = f"""\
{ARTICLES:,} articles: held-out news, textbooks and papers, and news, agency reports and articles \
of an encyclopaedia beside them, cut at some 1,000 words. Pages are made of the held-out news, of \
the half on which nothing was fitted, {PAGES} of each condition, half of them by each of two \
families ({" and ".join(SPINNERS["bench"])}) to which nothing was fitted either, though unspin \
knows the thesauri that they draw on. 30% to 100%: of the words that the family can replace \
(*substituted*: of all words). All other pages have everything replaced that the family can: in \
lower case; the middle third of the words; paragraphs (where there are few, sentences) in another \
order; half of one page and half of another in turns; spun by the other family once more.

Pages without a source are made likewise, or are as written, of articles that are not in the \
index: ordinary ones; and ones of whose event an indexed article tells (the cosine of their \
weighted words is {SAME_EVENT} and more), from the held-out source fnc1 and from the news that \
the language model was trained on. Near copies, of which one of the nearest articles has more than \
{COPIED:.0%} of the runs of eight words, are none of these.

*Recall at 1*: the first is a source (or is said to be a copy of one); *at 10*: all sources are \
among the first ten. *True links*: share of the pages whose first is a source and scores higher \
than all but 1%, 0.1% and 0.01% of the pages without one; as there are not ten thousand of these, \
0.01% is higher than any. Scores: unspin's probability, that of BM25, the estimate of Jaccard's \
index, the share of equal bits, the cosine. *MinHash*: rensa, runs of five words, 128 permutations \
in 64 bands. *SimHash*: 64 bits, words. *BM25 alone*: all words of the page, in unspin's index.

*Aligned right*: of all words of the pages that come from somewhere in a source, whether it was \
found or not, those aligned with the words that they are or that they were put in place of; *with \
more around it*: with these and their neighbours, as one phrase. *Restored*: of the substituted \
words that stand in passages, letter case aside. MB are of text in UTF-8; unspin read the articles \
from JSON lines, the rivals had them in memory. """


class Task(NamedTuple):
    """Pages for an engine, which finds its articles in a folder."""

    engine: str
    folder: Path
    pages: Sequence[Query]


class Told(NamedTuple):
    """What a task came to; the cost of an engine that was built for it."""

    cost: Cost | None
    answers: list[Answer]


# --- asking


def answer(task: Task) -> list[Told]:
    """Give pages to an engine."""
    if task.engine == UNSPIN:
        return [Told(None, [_traced(task.folder, page) for page in task.pages])]
    if task.engine == BM25_ALONE:
        engine: Engine = _bm25(task.folder)
        return [Told(None, [_ranked(engine, page) for page in task.pages])]
    articles = list(read(task.folder))
    start = _now()
    engine = RIVALS[task.engine](articles)
    cost = _since(start, engine.size())
    return [Told(cost, [_ranked(engine, page) for page in task.pages])]


def _ranked(engine: Engine, page: Query) -> Answer:
    start = time.perf_counter()
    hits = engine.search(page.text)
    seconds = time.perf_counter() - start
    ids = tuple(id_ for id_, _ in hits)
    return Answer(ids, ids[:1], hits[0][1] if hits else 0.0, seconds, Found())


def _traced(folder: Path, page: Query) -> Answer:
    tracer, index = _tracer(folder)
    start = time.perf_counter()
    trace = tracer.trace(page.text)
    seconds = time.perf_counter() - start
    matches = list(trace.matches)
    if not set(page.sources) <= {match.id for match in matches} or not matches:
        matches = tracer.candidates(page.text)
    first = (matches[0].id, *matches[0].copies) if matches else ()
    score = matches[0].probability if matches else 0.0
    counts = Found()
    if page.sources:
        sources = (index.article(id_) for id_ in page.sources)
        counts = compared(trace, page, [source.text for source in sources if source is not None])
    ids = dict.fromkeys(id_ for match in matches for id_ in (match.id, *match.copies))
    return Answer(tuple(ids)[:FIRST], first, score, seconds, counts)


@cache
def _tracer(folder: Path) -> tuple[Tracer, Index]:
    index = Index.open(folder / "index")
    tracer = Tracer(index)
    tracer.trace("Nothing of this has been told in any article, and it opens what is opened late.")
    return tracer, index


@cache
def _bm25(folder: Path) -> BM25:
    return BM25(folder / "index")


# --- building


def write(articles: Sequence[Article], folder: Path) -> None:
    """Write articles to a file in a folder that need not be there."""
    folder.mkdir(exist_ok=True)
    with (folder / "articles.jsonl").open("w", encoding="utf-8") as lines:
        for article in articles:
            lines.write(json.dumps({"id": article.id, "text": article.text}) + "\n")


def read(folder: Path) -> Iterator[Article]:
    """The articles of a folder."""
    with (folder / "articles.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            fields = json.loads(line)
            yield Article(fields["id"], fields["text"], "")


def index(articles: Sequence[Article], folder: Path) -> Cost:
    """Build the index of unspin of articles in a folder."""
    write(articles, folder)
    start = _now()
    build([str(folder / "articles.jsonl")], folder / "index")
    return _since(start, BM25(folder / "index").size())


def sample(
    articles: Sequence[Article], pages: Sequence[Query], size: int
) -> tuple[list[Article], list[int]]:
    """A part of the articles, with the sources of some pages, and the places of those pages."""
    places: list[int] = []
    taken: Counter[str] = Counter()
    for place, page in enumerate(pages):
        kind = page.condition if page.sources else ""
        taken[kind] += 1
        if taken[kind] <= (SAMPLE_PAGES if kind else SAMPLE_NEGATIVES):
            places.append(place)
    sources = {id_ for place in places for id_ in pages[place].sources}
    by_need = sorted(articles, key=lambda article: article.id not in sources)
    return by_need[: max(size, len(sources))], places


def _now() -> Cost:
    return Cost(time.process_time(), time.perf_counter(), 0)


def _since(start: Cost, size: int) -> Cost:
    now = _now()
    return Cost(now.processor - start.processor, now.clock - start.clock, size)


def main() -> None:
    """Run the benchmark and print its tables."""
    given = work.options(__doc__)
    articles = QUICK_ARTICLES if given.quick else ARTICLES
    collection = collect(given.corpora, "bench", articles)
    count = QUICK_PAGES if given.quick else PAGES
    pages = ask(collection, given.lexicons, "bench", count)
    with tempfile.TemporaryDirectory() as name:
        found = measure(collection.articles, pages, Path(name), given)
    note = NOTE if minilm.is_installed() else f"{NOTE}{MINILM} was not installed."
    publish(Run("trace", work.command("trace", given), note), tables(found), keep=not given.quick)


def measure(
    articles: Sequence[Article], pages: Sequence[Query], folder: Path, given: work.Options
) -> dict[str, Asked]:
    """Build all engines and ask them."""
    cost = index(articles, folder)
    batches = samples.batches(pages, BATCH)
    tasks = {
        **{engine: [Task(engine, folder, pages)] for engine in RIVALS if engine != MINILM},
        UNSPIN: [Task(UNSPIN, folder, batch) for batch in batches],
        BM25_ALONE: [Task(BM25_ALONE, folder, batch) for batch in batches],
    }
    told = work.spread_lists(answer, list(tasks.values()), given.workers)
    asked = {
        engine: _asked(articles, pages, found) for engine, found in zip(tasks, told, strict=True)
    }
    asked = {UNSPIN: asked.pop(UNSPIN)._replace(cost=cost), **asked}
    if minilm.is_installed():
        part, places = sample(articles, pages, QUICK_SAMPLE if given.quick else SAMPLE)
        write(part, folder / "sample")
        some = [pages[place] for place in places]
        # Alone, since its engine takes all processors.
        (found,) = work.spread(answer, [Task(MINILM, folder / "sample", some)], 1)
        asked[MINILM] = _asked(part, some, found)
    return asked


def _asked(articles: Sequence[Article], pages: Sequence[Query], told: Sequence[Told]) -> Asked:
    answers = [answer for some in told for answer in some.answers]
    size = sum(len(article.text.encode()) for article in articles)
    return Asked(pages, answers, size, len(articles), told[0].cost)


if __name__ == "__main__":
    main()
