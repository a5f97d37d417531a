"""How many tortured phrases that are not on the list are found, at how many false findings?

    python -m bench.science --corpora C --lexicons L

The phrases of the list are cut into two halves that share no expected term. One half is the list,
teaches the swaps and is fitted on; the other half's phrases are looked for. Scientific text that
nothing was fitted on (PLOS papers, textbooks) is searched as it stands, where every finding counts
as false, and holds the phrases: each in a sentence with its own term, in the term's place, or
else in the place of another term of as many words.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench import work
from bench.tables import Cell, Column, Run, Table, publish
from train.corpus import Document, held_out
from train.samples import count_words
from train.tortured import (
    PER_WORDS,
    Parts,
    Sample,
    embedded,
    fit,
    halves,
    opener,
    prepare,
    scientific,
    source_of,
)
from unspin.reader import MODEL
from unspin.text import tokenize
from unspin.tortured import Finder, Weights, fold

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
SENTENCE = 25  # words of a sentence
QUICK = 40  # documents of a small run
PUBLISHED = "masked tokens, Martel et al. 2024 (their own data, recall .87, precision .61)"

NOTE = (
    "Recall: phrases that a finding overlaps. Precision at a mix is arithmetic from recall and"
    f" false findings: one phrase in {PER_WORDS:,} words, as in papers with five phrases in 5,000"
    f" words, or in every second sentence of {SENTENCE} words. The published figures are of other"
    " data and another mix: stand beside, do not compare to the decimal. The threshold was chosen"
    " on the calibrate half, for a precision of 0.9 at one phrase in 1,000 words."
)


class Count(NamedTuple):
    """What one finder found at one threshold."""

    recall: float
    own: float | None  # recall among the phrases in a sentence with their own term
    exact: float  # share whose expected term is named
    false: float  # findings in a million words of clean text

    def precision(self, words: float) -> float | None:
        """Of the findings, if one of so many words begins a tortured phrase."""
        right = self.recall / words
        return right / (right + self.false / 1e6) if right else None


class Hit(NamedTuple):
    """The likeliest finding on a phrase."""

    probability: float
    exact: bool


def main() -> None:
    """Run the benchmark and print its tables."""
    given = work.options(__doc__)
    prepared = prepare(given.corpora, given.lexicons, MODEL)
    held = list(held_out(given.corpora))
    fitting, clean = scientific(held, "calibrate"), scientific(held, "bench")
    if given.quick:
        fitting, clean = fitting[:QUICK], clean[:QUICK]
    ours, theirs = halves(prepared.entries, "bench")
    with tempfile.TemporaryDirectory() as folder:
        make = opener(MODEL, source_of(given.lexicons, len(ours)), Path(folder))
        weights = fit(make, ours, prepared.others, fitting)
        samples = embedded(theirs, clean)
        every = [entry.expected for entry in prepared.everything]
        own = [entry.expected for entry in ours]
        finders = {
            "the list alone": make(Parts(ours, (), (), ()), weights),
            "list and channel": make(Parts(ours, ours, every, prepared.others), _open(weights)),
            "list and channel, term not on the list either": make(
                Parts(ours, ours, own, prepared.others), _open(weights)
            ),
        }
        counts = {
            name: _counts(finder, samples, clean, [*THRESHOLDS, weights.threshold])
            for name, finder in finders.items()
        }
    note = f"{NOTE} {len(samples):,} phrases, {sum(s.own for s in samples):,} of them in a"
    note += f" sentence of their own, {sum(count_words(d.text) for d in clean):,} clean words."
    tables = [_systems(counts, weights.threshold), *map(_curve, list(counts.items())[1:])]
    publish(Run("science", work.command("science", given), note), tables, keep=not given.quick)


def _open(weights: Weights) -> Weights:
    return weights._replace(threshold=min(THRESHOLDS))


def _counts(
    finder: Finder, samples: Sequence[Sample], clean: Sequence[Document], at: Sequence[float]
) -> dict[float, Count]:
    """Recall and false findings by threshold; listed phrases pass every one."""
    hits = [_hit(finder, sample) for sample in samples]
    false = [
        finding.probability
        for document in clean
        for finding in finder.findings(document.text, tokenize(document.text))
    ]
    words = sum(count_words(document.text) for document in clean)
    counts = {}
    for threshold in at:
        found = [hit if hit and hit.probability > threshold else None for hit in hits]
        own = [bool(hit) for hit, sample in zip(found, samples, strict=True) if sample.own]
        counts[threshold] = Count(
            sum(map(bool, found)) / len(found),
            sum(own) / len(own) if own else None,
            sum(hit is not None and hit.exact for hit in found) / len(found),
            1e6 * sum(p > threshold for p in false) / words,
        )
    return counts


def _hit(finder: Finder, sample: Sample) -> Hit | None:
    hits = [
        Hit(finding.probability, fold(finding.expected) == fold(sample.entry.expected))
        for finding in finder.findings(sample.text, tokenize(sample.text))
        if finding.start < sample.end and finding.end > sample.start
    ]
    return max(hits, default=None)


_COLUMNS = [
    Column("found", ".1%"),
    Column("in a sentence of their own", ".1%"),
    Column("term named", ".1%"),
    Column("false in 1 M words", ",.0f"),
    Column(f"precision, 1 in {PER_WORDS:,} words", ".2f"),
    Column("precision, every second sentence", ".2f"),
]


def _cells(count: Count) -> list[Cell]:
    mixes = (count.precision(PER_WORDS), count.precision(2 * SENTENCE))
    return [count.recall, count.own, count.exact, count.false, *mixes]


def _systems(counts: dict[str, dict[float, Count]], threshold: float) -> Table:
    rows: list[list[Cell]] = [
        [name, *_cells(by_threshold[threshold])] for name, by_threshold in counts.items()
    ]
    rows.append([PUBLISHED, 0.87, None, None, None, None, 0.61])
    title = f"Phrases left out of the list, threshold {threshold:.2f}"
    return Table(title, [Column("system"), *_COLUMNS], rows)


def _curve(named: tuple[str, dict[float, Count]]) -> Table:
    name, by_threshold = named
    rows: list[list[Cell]] = [[t, *_cells(by_threshold[t])] for t in THRESHOLDS]
    return Table(f"By threshold: {name}", [Column("threshold", ".2f"), *_COLUMNS], rows)


if __name__ == "__main__":
    main()
