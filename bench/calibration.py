"""Do the probabilities mean what they say? Of pages and of edits given 0.9, are nine in ten right?

    python -m bench.calibration --corpora C --lexicons L

On the half of the documents on which nothing was fitted, every family with a calibration that has
not seen its pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from bench import work
from bench.restore import NO_LEXICONS, READERS, Text, spun_cases
from bench.tables import RESULTS, Cell, Column, Run, Table, publish
from train import samples
from train.calibrate import PRIOR, left_out_calibration
from train.corpus import held_out
from train.families import FAMILIES
from train.samples import Samples
from unspin.reader import CLEAN, SPUN, Reader

LENGTHS = (100, 300, 1000)
CLEAN_PAGES, QUICK_CLEAN_PAGES = 3000, 200
SPUN_PAGES, QUICK_SPUN_PAGES = 30, 4  # of a family, rate and length
THRESHOLDS = (0.05, 0.2, CLEAN, 0.8, 0.9, 0.95, SPUN, 0.99, 0.995)
RATES, ELEMENT_RATES = (0.1, 0.2, 0.4), (0.3, 0.6, 0.9)
BINS = 10
BATCH = 50

NOTE = f"""\
Pages and families as in `detect` and `restore`; every family is read with what describes it left \
out of the channel and with a calibration fitted without its pages. Probabilities of pages assume \
that {PRIOR:.0%} of all pages are spun, and the pages are weighted so that this holds. *Expected \
calibration error*: mean distance between probability and share, over {BINS} bins, weighted by \
their size. With no false positive among n pages the rate is below 3 in n (95% confidence)."""


class Judged(NamedTuple):
    """A probability, and whether what it is about is so."""

    probability: float
    is_so: bool
    weight: float = 1.0


class Task(NamedTuple):
    """Texts to read with some sources left out, calibrated without a family if one is named."""

    without: tuple[str, ...]
    family: str
    texts: list[Text]


def page_probabilities(task: Task) -> list[float]:
    """P(spun) of every text."""
    reader = _reader(task.without, task.family)
    return [reader.read(text.text).probability for text in task.texts]


def edit_confidences(task: Task) -> list[Judged]:
    """The confidence of every edit that could be made, and whether it is right."""
    reader = _reader(task.without, task.family)
    judged = []
    for text, swaps in task.texts:
        answers = {(swap.start, swap.end): swap.original.lower() for swap in swaps}
        judged += [
            Judged(edit.confidence, answers.get((edit.start, edit.end)) == edit.original.lower())
            for edit in reader.read(text).edits
        ]
    return judged


def expected_error(judged: Sequence[Judged]) -> float:
    """Expected calibration error, from 0 to 1.

    >>> round(expected_error([Judged(0.8, True), Judged(0.8, True), Judged(0.8, False)]), 3)
    0.133
    """
    total = sum(one.weight for one in judged)
    return sum(
        weight / total * abs(probability - share)
        for weight, probability, share in bins(judged)
        if weight
    )


def bins(judged: Sequence[Judged]) -> list[tuple[float, float, float]]:
    """Weight, mean probability and share of what is so, for each bin of equal width."""
    sums = [[0.0, 0.0, 0.0] for _ in range(BINS)]
    for one in judged:
        found = sums[min(int(one.probability * BINS), BINS - 1)]
        found[0] += one.weight
        found[1] += one.weight * one.probability
        found[2] += one.weight * one.is_so
    return [(w, p / w, s / w) if w else (0.0, 0.0, 0.0) for w, p, s in sums]


def main() -> None:
    """Run the benchmark, print its tables and draw the reliability diagram."""
    given = work.options(__doc__)
    divided = samples.divide(held_out(given.corpora), "bench")
    clean, spun = _pages(given, divided)
    edits = _edits(given, divided)
    share = {length: len(found) / max(len(clean[length]), 1) for length, found in spun.items()}
    judged = [Judged(p, is_so=False) for found in clean.values() for p in found]
    judged += [
        Judged(p, is_so=True, weight=PRIOR / (1 - PRIOR) / share[length])
        for length, found in spun.items()
        for p, _ in found
    ]
    curves = {"pages, families left out": judged, **{f"edits, {k}": v for k, v in edits.items()}}
    tables = [_thresholds(clean, spun), _errors(curves), *map(_bins, curves, curves.values())]
    run = Run("calibration", work.command("calibration", given), NOTE)
    publish(run, tables, keep=not given.quick)
    if not given.quick:
        draw(RESULTS / "calibration.svg", curves)


def draw(path: Path, curves: dict[str, list[Judged]]) -> None:
    """Draw the reliability diagram (needs matplotlib)."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "unspin"
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5, 5), layout="constrained")
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for name, judged in curves.items():
        found = [(p, share) for weight, p, share in bins(judged) if weight]
        axes.plot(*zip(*found, strict=True), marker="o", markersize=4, label=name)
    axes.set(xlabel="probability given", ylabel="share that was so", xlim=(0, 1), ylim=(0, 1))
    axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


# Probabilities of the pages of a length; of spun ones with the name of their level.
_Clean = dict[int, list[float]]
_Spun = dict[int, list[tuple[float, str]]]


def _pages(given: work.Options, documents: Samples) -> tuple[_Clean, _Spun]:
    """The probabilities of clean and of spun pages by length."""
    tasks: list[Task] = []
    keys: list[tuple[int, str]] = []  # length, and level ("" if clean)
    for length in LENGTHS:
        pages = samples.pages(documents.clean, length)
        pages = pages[: QUICK_CLEAN_PAGES if given.quick else CLEAN_PAGES]
        for start in range(0, len(pages), BATCH):
            tasks.append(Task((), "", [Text(page, ()) for page in pages[start : start + BATCH]]))
            keys.append((length, ""))
        for name, load in FAMILIES.items():
            family = load(given.lexicons)
            texts = samples.pages(documents.to_spin[name], length)
            texts = texts[: QUICK_SPUN_PAGES if given.quick else SPUN_PAGES]
            rates = ELEMENT_RATES if family.by_types else RATES
            for level, rate in zip(("light", "medium", "heavy"), rates, strict=True):
                spun = [Text(page.text, ()) for page in samples.spun(texts, family, rate)]
                tasks.append(Task(samples.tables_left_out(family.sources), name, spun))
                keys.append((length, level))
    clean: _Clean = {length: [] for length in LENGTHS}
    spun_pages: _Spun = {length: [] for length in LENGTHS}
    found = work.spread(page_probabilities, tasks, given.workers)
    for (length, level), probabilities in zip(keys, found, strict=True):
        if level:
            spun_pages[length] += [(p, level) for p in probabilities]
        else:
            clean[length] += probabilities
    return clean, spun_pages


def _edits(given: work.Options, documents: Samples) -> dict[str, list[Judged]]:
    """All edits on the pages of all families, by what the reader knows."""
    tasks: list[Task] = []
    names: list[str] = []
    for case in spun_cases(given._replace(quick=True), documents.to_spin):
        for system, name in READERS.items():
            family = "" if name == "known" else case.family
            tasks.append(Task(case.without[system], family, case.texts))
            names.append("lexicons left out" if system == NO_LEXICONS else name)
    judged: dict[str, list[Judged]] = {}
    found = work.spread(edit_confidences, tasks, given.workers)
    for name, edits in zip(names, found, strict=True):
        judged.setdefault(name, []).extend(edits)
    return judged


@cache
def _reader(without: tuple[str, ...], family: str) -> Reader:
    calibration = left_out_calibration(family) if family else None
    return Reader(min_confidence=0.0, without=without, calibration=calibration)


def _thresholds(clean: _Clean, spun: _Spun) -> Table:
    columns = [Column("threshold", ".3f")]
    for length in LENGTHS:
        columns.append(Column(f"{length:,} words: clean pages called spun, of a million", ",.0f"))
        columns += [Column(f"{level} found", ".0%") for level in ("light", "medium", "heavy")]
    rows: list[list[Cell]] = []
    for threshold in THRESHOLDS:
        row: list[Cell] = [threshold]
        for length in LENGTHS:
            called = sum(p >= threshold for p in clean[length])
            row.append(1e6 * called / max(len(clean[length]), 1))
            for wanted in ("light", "medium", "heavy"):
                found = [p >= threshold for p, level in spun[length] if level == wanted]
                row.append(sum(found) / max(len(found), 1))
        rows.append(row)
    pages = ", ".join(f"{len(found):,} of {length:,} words" for length, found in clean.items())
    title = f"Operating points: clean below {CLEAN}, spun from {SPUN} ({pages} clean)"
    return Table(title, columns, rows)


def _errors(curves: dict[str, list[Judged]]) -> Table:
    columns = [Column("probabilities of"), Column("number", ","), Column("expected error", ".3f")]
    rows: list[list[Cell]] = [
        [name, len(judged), expected_error(judged)] for name, judged in curves.items()
    ]
    return Table("Expected calibration error", columns, rows)


def _bins(name: str, judged: list[Judged]) -> Table:
    columns = [
        Column("from", ".1f"),
        Column("number", ","),
        Column("mean probability", ".3f"),
        Column("share", ".3f"),
    ]
    counts = [0] * BINS
    for one in judged:
        counts[min(int(one.probability * BINS), BINS - 1)] += 1
    rows: list[list[Cell]] = [
        [number / BINS, counts[number], p, share]
        for number, (weight, p, share) in enumerate(bins(judged))
        if weight
    ]
    return Table(f"Reliability: {name}", columns, rows)


if __name__ == "__main__":
    main()
