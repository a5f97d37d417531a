"""Fit what turns evidence into a probability: `python -m train.calibrate --corpora C --lexicons L`.

Logistic regression on the evidence per word and the length of a page, over clean documents of
sources that no model was trained on and over pages of every family, each read once with the
family known and once with its sources left out. Uses the "calibrate" half of the documents; the
benchmarks use the other half. Writes `calibration.json` beside the model.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from train.corpus import held_out
from train.families import FAMILIES
from train.samples import divide, left_out, pages, spun
from unspin.reader import CALIBRATION, MAX_WORDS, MIN_WORDS, MODEL, Calibration, Reader

LENGTHS = (50, 100, 300, 1000, 4000)
RATES = (0.1, 0.2, 0.4)
ELEMENT_RATES = (0.3, 0.6, 0.9)
MOST_CLEAN, MOST_SPUN = 3000, 25  # pages of one length; of one family, rate and length
PRIOR = 0.05  # share of spun pages that the probabilities assume
LEAST_SWAPPED = 0.04  # of the words; with fewer a page is neither spun nor clean
RIDGE = 1e-3
STEPS = 100


class Example(NamedTuple):
    """A page to read, the sources to leave out, and the answer."""

    text: str
    without: tuple[str, ...]
    is_spun: bool


def examples(corpora: Path, lexicons: Path) -> list[Example]:
    """Clean and spun pages of all lengths."""
    samples = divide(held_out(corpora), "calibrate")
    found = []
    for length in LENGTHS:
        clean = pages(samples.clean, length)[:MOST_CLEAN]
        found += [Example(text, (), is_spun=False) for text in clean]
        for name, make in FAMILIES.items():
            family = make(lexicons)
            unknown = left_out(family.sources)
            texts = pages(samples.to_spin[name], length)[:MOST_SPUN]
            for rate in ELEMENT_RATES if name.startswith("element") else RATES:
                for page in spun(texts, family, rate):
                    if len(page.swaps) >= LEAST_SWAPPED * length:
                        found.append(Example(page.text, (), is_spun=True))
                        found.append(Example(page.text, unknown, is_spun=True))
    return found


@cache
def _reader(without: tuple[str, ...]) -> Reader:
    return Reader(without=without)


def evidence(example: Example) -> tuple[float, int]:
    """Evidence per word, and the number of words that it is over."""
    return _reader(example.without).evidence(example.text)


def fit(features: NDArray[np.float64], is_spun: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Weighted logistic regression by Newton's method, as if `PRIOR` of the pages were spun."""
    share = is_spun.mean()
    weight = np.where(is_spun, PRIOR / share, (1 - PRIOR) / (1 - share))
    beta = np.zeros(features.shape[1])
    ridge = RIDGE * np.eye(len(beta))
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-features @ beta))
        gradient = features.T @ (weight * (is_spun - p)) - ridge @ beta
        hessian = (features * (weight * p * (1 - p))[:, None]).T @ features + ridge
        beta += np.linalg.solve(hessian, gradient)
    return beta


def design(measured: Sequence[tuple[float, int]]) -> NDArray[np.float64]:
    """The terms of `Calibration`, in its order."""
    per_word = np.array([ratio for ratio, _ in measured])
    words = np.minimum([count for _, count in measured], MAX_WORDS)
    terms = [np.ones(len(measured)), per_word, per_word * np.sqrt(words), np.log(words)]
    return np.stack(terms, axis=1)


def main() -> None:
    """Fit, print how the halves come out, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--lexicons", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, default=MODEL)
    options = parser.parse_args()
    found = examples(options.corpora, options.lexicons)
    with ProcessPoolExecutor(2) as pool:
        measured = list(pool.map(evidence, found, chunksize=50))
    kept = [i for i, (_, words) in enumerate(measured) if words >= MIN_WORDS]
    features = design([measured[i] for i in kept])
    is_spun = np.array([found[i].is_spun for i in kept])
    beta = fit(features, is_spun)
    p = 1 / (1 + np.exp(-features @ beta))
    for name, group in (("clean", ~is_spun), ("spun", is_spun)):
        called = [(p[group] > threshold).mean() for threshold in (0.5, 0.95)]
        print(f"{name}: {group.sum()} pages, P > 0.5 {called[0]:.4f}, P > 0.95 {called[1]:.4f}")
    fitted = Calibration(*(round(float(b), 4) for b in beta))
    (options.output / CALIBRATION).write_text(json.dumps(fitted._asdict()) + "\n")


if __name__ == "__main__":
    main()
