"""What came of giving pages to the engines that find their sources? Measures, and their tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from statistics import mean, median, quantiles
from typing import NamedTuple

from bench.metrics import true_positive_rate
from bench.tables import Cell, Column, Table
from bench.trace_truth import Found
from train.queries import CONDITIONS, ORIGINS, SHARES, SPINNERS, Query

UNSPIN, MINILM = "unspin", "MiniLM"
FALSE_LINKS = {"1%": 1e-2, "0.1%": 1e-3, "0.01%": 1e-4}
BINS = (0.0, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0)
LEVELS = (0.5, 0.9, 0.99)  # probabilities; from the first an article is called the source
WHOLE = "whole, 30% to 100%"


class Answer(NamedTuple):
    """What an engine said of a page: the ids of the first ten, the ids that its first stands for,
    the score of the first, and the seconds that it took; `found` is unspin's alone."""

    ranked: tuple[str, ...]
    first: tuple[str, ...]
    score: float
    seconds: float
    found: Found


class Cost(NamedTuple):
    """What it took to build an engine: seconds of the processor and of the clock, and bytes."""

    processor: float
    clock: float
    size: int


class Asked(NamedTuple):
    """Pages and what an engine answered to them; how many bytes of text it knew, in how many
    articles, and what it cost to build."""

    pages: Sequence[Query]
    answers: Sequence[Answer]
    size: int
    articles: int
    cost: Cost | None

    def of(self, wanted: Callable[[Query], bool]) -> Asked:
        """The same of some of the pages."""
        pairs = [(p, a) for p, a in zip(self.pages, self.answers, strict=True) if wanted(p)]
        return self._replace(pages=[p for p, _ in pairs], answers=[a for _, a in pairs])

    def is_right(self) -> list[bool]:
        """Whether the first is a source of the page."""
        return [
            not set(page.sources).isdisjoint(answer.first)
            for page, answer in zip(self.pages, self.answers, strict=True)
        ]

    def recall_at_1(self) -> float:
        """Share of the pages whose first is a source."""
        return sum(self.is_right()) / len(self.pages)

    def recall_at_10(self) -> float:
        """Share of the pages whose sources are all among the first ten."""
        pairs = zip(self.pages, self.answers, strict=True)
        return sum(set(p.sources) <= set(a.ranked) for p, a in pairs) / len(self.pages)

    def links(self, negatives: Asked, false: float) -> float:
        """Share of the pages that are linked with a source where so many are without need."""
        scores = [
            answer.score if right else float("-inf")
            for answer, right in zip(self.answers, self.is_right(), strict=True)
        ]
        return true_positive_rate([answer.score for answer in negatives.answers], scores, false)


def has_source(page: Query) -> bool:
    """Whether the index has what the page was made of."""
    return bool(page.sources)


def _is_of(field: str, value: str, page: Query) -> bool:
    return bool(getattr(page, field) == value)


def kinds() -> dict[str, Callable[[Query], bool]]:
    """The pages that a row of a table is about, all of them with a source."""

    def of(*conditions: str) -> Callable[[Query], bool]:
        return lambda page: has_source(page) and page.condition in conditions

    return {**{name: of(name) for name in CONDITIONS}, WHOLE: of(*SHARES)}


# --- tables


def tables(asked: Mapping[str, Asked]) -> list[Table]:
    """All that is published, by engine."""
    everywhere = {name: found for name, found in asked.items() if name != MINILM}
    unspin = asked[UNSPIN]
    found = [
        _by_engine("Recall at 1", everywhere, lambda some, _: some.recall_at_1()),
        _by_engine("Recall at 10", everywhere, lambda some, _: some.recall_at_10()),
    ]
    for name, false in FALSE_LINKS.items():
        title = f"True links at {name} false links"
        found.append(_by_engine(title, everywhere, partial(Asked.links, false=false)))
    if MINILM in asked:
        found.append(_sampled(asked))
    return [*found, _families(unspin), _false(unspin), _alignment(unspin), _bins(unspin),
            _costs(asked)]  # fmt: skip


def _by_engine(
    title: str, asked: Mapping[str, Asked], measure: Callable[[Asked, Asked], float]
) -> Table:
    """A row for each kind of page, a column for each engine."""
    columns = [Column("pages"), Column("substituted", ".0%")]
    rows: list[list[Cell]] = []
    for name, wanted in kinds().items():
        pages = [page for page in asked[UNSPIN].pages if wanted(page)]
        row: list[Cell] = [name, mean(page.rate for page in pages)]
        for found in asked.values():
            negatives = found.of(lambda page: not has_source(page))
            row.append(measure(found.of(wanted), negatives))
        rows.append(row)
    return Table(title, [*columns, *(Column(engine, ".1%") for engine in asked)], rows)


def _sampled(asked: Mapping[str, Asked]) -> Table:
    """The embedding model on its part of the articles, which is easier than all of them."""
    found = asked[MINILM]
    negatives = found.of(lambda page: not has_source(page))
    rows: list[list[Cell]] = []
    for name, wanted in kinds().items():
        some = found.of(wanted)
        measures = some.recall_at_1(), some.recall_at_10(), some.links(negatives, 1e-2)
        rows.append([name, len(some.pages), *measures])
    columns = [
        Column("pages"), Column("number", ","), Column("recall at 1", ".1%"),
        Column("recall at 10", ".1%"), Column("true links at 1%", ".1%"),
    ]  # fmt: skip
    title = (
        f"{MINILM} on {found.articles:,} of the articles, {len(negatives.pages)} pages without"
        f" a source"
    )
    return Table(title, columns, rows)


def _families(asked: Asked) -> Table:
    """The families apart."""
    negatives = asked.of(lambda page: not has_source(page))
    rows: list[list[Cell]] = []
    for family in SPINNERS["bench"]:
        for name, wanted in kinds().items():
            some = asked.of(wanted).of(partial(_is_of, "family", family))
            swapped = mean(page.rate for page in some.pages)
            links = (some.links(negatives, false) for false in FALSE_LINKS.values())
            rows.append([family, name, swapped, some.recall_at_1(), *links])
    columns = [
        Column("family"), Column("pages"), Column("substituted", ".0%"),
        Column("recall at 1", ".1%"),
        *(Column(f"true links at {name}", ".1%") for name in FALSE_LINKS),
    ]  # fmt: skip
    return Table(f"{UNSPIN}, the families apart", columns, rows)


def _false(asked: Asked) -> Table:
    """What is said of pages without a source."""
    rows: list[list[Cell]] = []
    for origin in ORIGINS[1:]:
        scores = [a.score for a in asked.of(partial(_is_of, "origin", origin)).answers]
        if scores:
            shares = [sum(score >= least for score in scores) / len(scores) for least in LEVELS]
            rows.append([origin, len(scores), *shares, max(scores)])
    columns = [
        Column("pages without a source"), Column("number", ","),
        *(Column(f"probability {least:g} and more", ".2%") for least in LEVELS),
        Column("highest", ".4f"),
    ]  # fmt: skip
    return Table(f"{UNSPIN}, false links by its probability", columns, rows)


def _alignment(asked: Asked) -> Table:
    """Words aligned and restored."""
    rows: list[list[Cell]] = []
    for name, wanted in kinds().items():
        counts = sum((answer.found for answer in asked.of(wanted).answers), Found())
        rows.append(
            [
                name,
                counts.words,
                counts.right / max(counts.words, 1),
                counts.wider / max(counts.words, 1),
                counts.wrong / max(counts.words, 1),
                counts.swaps,
                counts.restored / max(counts.swaps, 1),
            ]
        )
    columns = [
        Column("pages"), Column("words", ","), Column("aligned right", ".2%"),
        Column("with more around it", ".2%"), Column("aligned wrong", ".2%"),
        Column("substituted in passages", ","), Column("restored", ".2%"),
    ]  # fmt: skip
    return Table(f"{UNSPIN}, words", columns, rows)


def _bins(asked: Asked) -> Table:
    """What comes of the probabilities."""
    pairs = [(a.score, r) for a, r in zip(asked.answers, asked.is_right(), strict=True)]
    rows: list[list[Cell]] = []
    for low, high in pairwise(BINS):
        inside = [(p, r) for p, r in pairs if low <= p < high or p == high == 1.0]
        if inside:
            told, right = (sum(part) / len(inside) for part in zip(*inside, strict=True))
            rows.append([f"{low:g} to {high:g}", len(inside), told, right])
    columns = [
        Column("probability of the first"), Column("pages", ","), Column("mean", ".3f"),
        Column("is the source", ".3f"),
    ]  # fmt: skip
    return Table(f"{UNSPIN}, probabilities of all pages' first", columns, rows)


def _costs(asked: Mapping[str, Asked]) -> Table:
    """Building, size and latency."""
    rows: list[list[Cell]] = []
    for name, found in asked.items():
        row: list[Cell] = [name, found.articles, None, None, None, None]
        if found.cost is not None:
            megabytes = found.size / 1e6
            row[2:] = [
                megabytes / found.cost.processor,
                megabytes / found.cost.clock,
                found.cost.size / found.articles,
                found.cost.size / found.size,
            ]
        for wanted in (has_source, lambda page: not has_source(page)):
            times = [1e3 * answer.seconds for answer in found.of(wanted).answers]
            row += [median(times), quantiles(times, n=20)[-1]]
        rows.append(row)
    columns = [
        Column("engine"), Column("articles", ","), Column("built: MB/s of a processor", ".1f"),
        Column("MB/s by the clock", ".1f"), Column("bytes an article", ",.0f"),
        Column("of the text", ".0%"), Column("a page with a source: median ms", ".1f"),
        Column("95th percentile", ".1f"), Column("one without: median ms", ".1f"),
        Column("95th percentile", ".1f"),
    ]  # fmt: skip
    return Table("Building, size and latency", columns, rows)
