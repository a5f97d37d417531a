"""Fit what turns an alignment into the probability that an article is a page's source.

`python -m train.trace --corpora C --lexicons L`: indexes articles of the calibrate half, traces
pages spun from some of them and from articles that are not indexed, and writes `trace.json` of the
model.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from train.calibrate import logistic
from train.queries import Article, Query, indexed, queries
from unspin.reader import MODEL
from unspin.trace.evidence import Belief, Evidence, source_terms
from unspin.trace.index import Index, build
from unspin.trace.tracer import BELIEF, Tracer

ARTICLES = 15_000
PAGES = 200  # of every condition
QUOTED = range(15, 75, 5)  # words that a page has in common with an article without being a copy
CHUNK = 20  # pages for a worker at a time


class Sighting(NamedTuple):
    """What speaks for an article being a page's source, and whether it is."""

    evidence: Evidence
    is_source: bool


def index(articles: Iterable[Article], folder: Path) -> Path:
    """Index articles in a folder; return the index's."""
    lines = folder / "articles.jsonl"
    with lines.open("w", encoding="utf-8") as file:
        for article in articles:
            file.write(json.dumps({"id": article.id, "text": article.text}) + "\n")
    build([str(lines)], folder / "index")
    return folder / "index"


def quoting(asked: Sequence[Query]) -> list[Query]:
    """Pages without a source that have a passage of an indexed article, as those have that quote
    the same speech or report of an agency: each a page without and the first words of one with."""
    without = [query for query in asked if query.origin == "ordinary"]
    sources = [query for query in asked if query.origin == "indexed"]
    found = []
    for number, (page, source) in enumerate(zip(without, sources, strict=False)):
        quotation = " ".join(source.text.split()[: QUOTED[number % len(QUOTED)]])
        lines = page.text.split("\n")
        lines.insert(len(lines) // 2, quotation)
        found.append(page._replace(text="\n".join(lines)))
    return found


def sightings(query: Query, found: Sequence[tuple[str, Evidence]]) -> list[Sighting]:
    """The page's sources among what was found, and the best of the others."""
    kept = []
    other_seen = False
    for id_, evidence in found:
        is_source = id_ in query.sources
        if evidence.covered and (is_source or not other_seen):
            kept.append(Sighting(evidence, is_source))
        other_seen = other_seen or not is_source
    return kept


def fit(found: Sequence[Sighting]) -> Belief:
    """The regression, as if half of all sightings were of sources."""
    is_source = np.array([sighting.is_source for sighting in found])
    weight = np.where(is_source, 0.5 / is_source.mean(), 0.5 / (1 - is_source.mean()))
    terms = np.array([source_terms(sighting.evidence) for sighting in found])
    return Belief(logistic(terms, is_source, weight))


@cache
def _tracer(folder: Path) -> Tracer:
    return Tracer(Index.open(folder))


def _sightings(folder: Path, query: Query) -> list[Sighting]:
    return sightings(query, _tracer(folder).evidence(query.text))


def main() -> None:
    """Fit and write the regression."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--lexicons", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    collection = indexed(given.corpora, "calibrate", ARTICLES)
    asked = queries(collection, given.lexicons, "calibrate", PAGES)
    asked += quoting(asked)
    with TemporaryDirectory() as temporary, ProcessPoolExecutor(given.workers) as pool:
        folder = index(collection.articles, Path(temporary))
        each = pool.map(partial(_sightings, folder), asked, chunksize=CHUNK)
        found = [sighting for several in each for sighting in several]
    belief = fit(found)
    belief.write(given.model / BELIEF)
    print(f"{len(asked)} pages, {len(found)} sightings: {belief.source}")


if __name__ == "__main__":
    main()
