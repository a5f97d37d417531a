"""Learn what the screen has to know: the doubt to be expected about a word at a glance.

    python -m train.screen --corpora C --lexicons L [--model M]

The lattice reads clean and spun pages of the half of the held-out documents that is for fitting,
each family's with its tables left out. By how much likelier a word's originals are than itself,
and how well it fits its neighbours, one table has how much oftener such a word is met in pages
that the lattice calls spun than in clean ones, another the mean of its doubt; a line through the
evidence of look and lattice gives the look's evidence in the lattice's measure. Neither glance nor
first look may lose any of the pages here that the lattice calls spun, which sets their thresholds.
It writes `screen.bin` into the model's folder and seals it.
"""

from __future__ import annotations

import argparse
from array import array
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from train import samples
from train.corpus import held_out
from train.families import FAMILIES
from unspin import arrays, pages
from unspin.calibration import MIN_WORDS, Calibration, Evidence
from unspin.reader import CALIBRATION, MODEL, SPUN, Reader
from unspin.screen import CELLS, DOUBT_UNIT, SCREEN, TOLD_UNIT, Screen

SIZES = {100: (3000, 60), 300: (2000, 40), 1000: (600, 20)}  # words: clean pages, spun of a family
SIDE = 16  # levels of each of the three things that the table goes by
UNSEEN = 0.5  # words of every cell that each kind of page has beside those that it has
PRIOR = 20.0  # words that a coarser table counts for
BATCH = 100  # pages a task
LIKELY = 0.5  # nats a word beyond which no verdict is in question


class Job(NamedTuple):
    """Pages for the lattice to read, the folder of the model, its sources left out, and whether
    the pages are clean."""

    model: Path
    without: tuple[str, ...]
    pages: list[str]
    clean: bool = False


class Solved(NamedTuple):
    """One page, clean or not, as the lattice saw it: the cells of its words, the doubts about
    them, and the evidence."""

    cells: NDArray[np.int64]
    doubts: NDArray[np.float64]
    evidence: Evidence
    clean: bool = False


class Seen(NamedTuple):
    """One page as the screen saw it: by a glance, by a few words and by all its doubtful words;
    see `Glance.told`, `Screen.few` and `Look.doubt` (here a word)."""

    glanced: float
    few: float
    looked: float


def jobs(corpora: Path, lexicons: Path, model: Path) -> list[Job]:
    """What is to be read, in batches."""
    documents = samples.divide(held_out(corpora), "calibrate")
    found = []
    for words, (clean, spun) in SIZES.items():
        found.append(Job(model, (), samples.pages(documents.clean, words)[:clean], clean=True))
        for name, load in FAMILIES.items():
            family = load(lexicons)
            without = samples.tables_left_out(family.sources)
            originals = samples.pages(documents.to_spin[name], words)[:spun]
            for rate in samples.levels(family).values():
                printed = [page.text for page in samples.spun(originals, family, rate)]
                found.append(Job(model, without, printed))
    return [
        job._replace(pages=list(some))
        for job in found
        for some in samples.batches(job.pages, BATCH)
    ]


@cache
def _opened(model: Path, without: tuple[str, ...]) -> tuple[Reader, Screen]:
    reader = Reader(model=model, without=without)
    return reader, Screen(reader.solver.model, reader.solver.thesaurus, model / SCREEN)


def solve(job: Job) -> list[Solved]:
    """What the lattice makes of pages."""
    reader, screen = _opened(job.model, job.without)
    solved = (_solved(page, reader, screen) for page in job.pages)
    return [page._replace(clean=job.clean) for page in solved]


def see(job: Job) -> list[Seen]:
    """What the screen makes of pages."""
    _, screen = _opened(job.model, job.without)
    return [_seen(_utf8(page), screen) for page in job.pages]


def _seen(text: bytes, screen: Screen) -> Seen:
    bounds = memoryview(array("q", [0, len(text)]))
    (glance,) = screen.glance(memoryview(text), bounds)
    look = screen.look(text)
    return Seen(glance.told, screen.few(text), look.doubt / max(look.evidence.words, 1))


def _solved(page: str, reader: Reader, screen: Screen) -> Solved:
    screen.look(_utf8(page))
    cells = screen.cells()
    place = [0, *accumulate(len(_utf8(letter)) for letter in page)]
    found = reader.doubts(pages.plain(page))
    doubts = {place[start]: doubt.nats for start, doubt in found}
    return Solved(
        np.array([cell for _, cell in cells], np.int64),
        np.array([doubts.get(place, 0.0) for place, _ in cells]),
        Evidence.of([doubt for _, doubt in found]),
    )


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def odds(found: Sequence[Solved], spun: Sequence[bool]) -> NDArray[np.float64]:
    """Of every cell, the log of its share of the words of spun pages over that of clean ones."""
    clean = [page.cells for page in found if page.clean]
    printed = [
        page.cells for page, called in zip(found, spun, strict=True) if called and not page.clean
    ]
    shares = []
    for cells in (printed, clean):
        counts = np.bincount(np.concatenate(cells), minlength=CELLS) + UNSEEN
        shares.append(counts / counts.sum())
    log_ratios: NDArray[np.float64] = np.log(shares[0] / shares[1])
    return log_ratios


def table(found: Sequence[Solved]) -> NDArray[np.float64]:
    """The mean doubt of every cell, shrunk towards that of the cells with the same odds whose
    better fit is the same."""
    cells = np.concatenate([page.cells for page in found])
    doubts = np.concatenate([page.doubts for page in found])
    odds, left, right = cells // SIDE**2, cells // SIDE % SIDE, cells % SIDE
    coarse = odds * SIDE + np.maximum(left, right)
    prior = np.bincount(coarse, doubts, SIDE**2) / np.maximum(
        np.bincount(coarse, minlength=SIDE**2), 1
    )
    odds, left, right = (axis.ravel() for axis in np.indices((SIDE, SIDE, SIDE)))
    expected = prior[odds * SIDE + np.maximum(left, right)]
    total = np.bincount(cells, doubts, CELLS) + PRIOR * expected
    means: NDArray[np.float64] = total / (np.bincount(cells, minlength=CELLS) + PRIOR)
    return means


def line(seen: Sequence[Seen], solved: Sequence[Solved]) -> tuple[float, float]:
    """Slope and intercept of the lattice's evidence by the look's."""
    pairs = [
        (page.looked, found.evidence.per_word)
        for page, found in zip(seen, solved, strict=True)
        if found.evidence.words >= MIN_WORDS and found.evidence.per_word < LIKELY
    ]
    looked, per_word = np.array(pairs).T
    slope, intercept = np.polyfit(looked, per_word, 1)
    return float(slope), float(intercept)


def thresholds(seen: Sequence[Seen], spun: Sequence[bool]) -> tuple[float, float]:
    """Where glance and first look may stop, given which pages the lattice calls spun."""
    pages = [page for page, called in zip(seen, spun, strict=True) if called]
    return min(page.glanced for page in pages), min(page.few for page in pages)


def write(
    model: Path,
    telling: NDArray[np.float64],
    expected: NDArray[np.float64],
    meta: Mapping[str, float],
) -> None:
    """Write the screen's file and seal the model."""
    columns = {
        "telling": np.clip(np.round(telling / TOLD_UNIT), -127, 127).astype(np.int8),
        "expected": np.clip(np.round(expected / DOUBT_UNIT), 0, 255).astype(np.uint8),
    }
    arrays.write(model / SCREEN, "screen", meta, columns)
    arrays.seal(model)


def main() -> None:
    """Learn the table, then with it the line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=Path, required=True, help="folder of the clean texts")
    parser.add_argument("--lexicons", type=Path, required=True, help="folder of word relations")
    parser.add_argument("--model", type=Path, default=MODEL, help="folder of the model")
    parser.add_argument("--workers", type=int, default=2, help="processes to use (default 2)")
    given = parser.parse_args()
    batches = jobs(given.corpora, given.lexicons, given.model)
    # Tables that say nothing let the screen be opened.
    nothing = np.zeros(CELLS)
    meta = {"slope": 1.0, "intercept": 0.0, "glanced": 0.0, "few": 0.0}
    write(given.model, nothing, nothing, meta)
    with ProcessPoolExecutor(given.workers) as pool:
        solved = [page for found in pool.map(solve, batches) for page in found]
    calibration = Calibration.read(given.model / CALIBRATION)
    spun = [calibration.spun(page.evidence) >= SPUN for page in solved]
    telling, expected = odds(solved, spun), table(solved)
    write(given.model, telling, expected, meta)
    # New processes, which open the screen with its new tables.
    with ProcessPoolExecutor(given.workers) as pool:
        seen = [page for found in pool.map(see, batches) for page in found]
    meta["slope"], meta["intercept"] = line(seen, solved)
    meta["glanced"], meta["few"] = thresholds(seen, spun)
    write(given.model, telling, expected, meta)
    print(f"{meta}: {len(solved):,} pages, {sum(spun):,} called spun")


if __name__ == "__main__":
    main()
