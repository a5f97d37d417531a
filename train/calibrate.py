"""Fit what turns evidence into probabilities: `python -m train.calibrate --corpora C --lexicons L`.

Logistic regressions over clean documents of sources that no model was trained on, over the hard
clean texts of the tests, and over pages of every family, each read once with the family known and
once with its sources left out. Uses the "calibrate" half of the documents; the benchmarks use the
other half. Writes `calibration.json` beside the model, and, for the benchmarks, what comes out
for each family when its pages are left out of the fit.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from train.corpus import held_out
from train.families import FAMILIES
from train.samples import divide, lexicons_left_out, pages, spun
from train.spin import Swap
from unspin import reranker
from unspin.calibration import MIN_WORDS, Calibration, Evidence, edit_terms, page_terms
from unspin.lattice import Solver
from unspin.lm import LanguageModel
from unspin.reader import CALIBRATION, MODEL
from unspin.reranker import Reranker
from unspin.restoration import SUSPICION, Restorer
from unspin.text import tokenize
from unspin.thesaurus import Thesaurus

HARD_CLEAN = ("negative.json", "hard-clean.json")  # of tests/cases
CASES = Path(__file__).parents[1] / "tests" / "cases"
LEFT_OUT = Path(__file__).parents[1] / "bench" / "results" / "calibrations.json"

CLEAN, HARD = "clean", "hard clean"
HARD_WEIGHT = 0.3  # ordinary clean pages that one of these counts as
LENGTHS = (50, 100, 300, 1000, 4000)
RATES = (0.1, 0.2, 0.4)
ELEMENT_RATES = (0.3, 0.6, 0.9)
MOST_CLEAN, MOST_SPUN = 3000, 20  # pages of one length; of one family, rate and length
EDITED = (300, 1000)  # lengths of the pages whose edits count
PRIOR = 0.05  # share of spun pages that the probabilities assume
LEAST_SWAPPED = 0.04  # of the words; with fewer a page is neither spun nor clean
RIDGE = 1e-3
STEPS, SETTLED = 100, 1e-6


class Example(NamedTuple):
    """A page to read, its family (or what kind of clean text it is) and swaps, and the sources to
    leave out."""

    text: str
    family: str
    swaps: tuple[Swap, ...]
    without: tuple[str, ...]

    @property
    def swapped(self) -> bool:
        """Whether the page is spun."""
        return self.family not in (CLEAN, HARD)


class Measured(NamedTuple):
    """What was found: the evidence, the terms of every likely substitution, and which are right."""

    evidence: Evidence
    guesses: list[tuple[float, ...]]
    right: list[bool]


def examples(corpora: Path, lexicons: Path) -> list[Example]:
    """Clean and spun pages of all lengths."""
    samples = divide(held_out(corpora), "calibrate")
    found = [Example(text, HARD, (), ()) for text in hard_clean()]
    for length in LENGTHS:
        clean = pages(samples.clean, length)[:MOST_CLEAN]
        found += [Example(text, CLEAN, (), ()) for text in clean]
        for name, make in FAMILIES.items():
            family = make(lexicons)
            texts = pages(samples.to_spin[name], length)[:MOST_SPUN]
            for rate in ELEMENT_RATES if family.by_types else RATES:
                for page in spun(texts, family, rate):
                    if len(page.swaps) >= LEAST_SWAPPED * length:
                        swaps = page.swaps if length in EDITED else ()
                        for without in ((), lexicons_left_out(family.sources)):
                            found.append(Example(page.text, name, swaps, without))
    return found


def hard_clean() -> list[str]:
    """The clean texts of the tests that are hard on purpose."""
    cases = [case for name in HARD_CLEAN for case in json.loads((CASES / name).read_text("utf-8"))]
    return [case["text"] for case in cases]


@cache
def _solver(without: tuple[str, ...]) -> Solver:
    model = LanguageModel(MODEL / "lm.bin")
    return Solver(model, Thesaurus(MODEL / "channel.bin"), without)


def measure(example: Example, second: Reranker | None = None) -> Measured:
    """The evidence in a page, and its likely substitutions if the swaps are given: the lattice's,
    or those of a second reader."""
    solver = _solver(example.without)
    tokens = tokenize(example.text)
    solution = solver.solve(tokens, 0, len(tokens))
    evidence = Evidence.of(solution.doubts())
    if not example.swaps:
        return Measured(evidence, [], [])
    taken = dict(zip(solver.thesaurus.names, solution.taken(), strict=True))
    words = sum(any(map(str.isalnum, chunk)) for chunk in example.text.split())
    blank = Calibration((), ())
    restorer = Restorer(blank, solver.thesaurus, evidence, taken, words)
    told = reranker.substitutions(second, example.text, tokens, [solution])
    substitutions = [found for found in told if found.posterior >= SUSPICION]
    answers = {(swap.start, swap.end): swap.original.lower() for swap in example.swaps}
    rate = sum(taken.values()) / max(words, 1)
    terms, right = [], []
    for found, guess in zip(substitutions, restorer.guesses(tokens, substitutions), strict=True):
        if found.choices:
            end = tokens.end[found.token + found.tokens - 1]
            terms.append(edit_terms(guess, evidence, rate))
            right.append(answers.get((tokens.start[found.token], end)) == found.choices[0].original)
    return Measured(evidence, terms, right)


def logistic(
    terms: NDArray[np.float64], answer: NDArray[np.bool_], weight: NDArray[np.float64]
) -> tuple[float, ...]:
    """Weighted logistic regression by Newton's method."""
    beta = np.zeros(terms.shape[1])
    ridge = RIDGE * np.eye(len(beta))
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(terms @ beta, -30, 30)))
        gradient = terms.T @ (weight * (answer - p)) - ridge @ beta
        hessian = (terms * (weight * p * (1 - p))[:, None]).T @ terms + ridge
        step = np.linalg.solve(hessian, gradient)
        beta += step
        if np.abs(step).max() < SETTLED:
            break
    return tuple(round(float(b), 4) for b in beta)


def fit(
    found: Sequence[Example], measured: Sequence[Measured], without: Collection[str] = ()
) -> Calibration:
    """The two regressions, without the pages of some families, as if `PRIOR` of all were spun."""
    kept = [
        (example, result)
        for example, result in zip(found, measured, strict=True)
        if example.family not in without and result.evidence.words >= MIN_WORDS
    ]
    is_spun = np.array([example.swapped for example, _ in kept])
    counts = np.array([HARD_WEIGHT if example.family == HARD else 1.0 for example, _ in kept])
    share = counts[is_spun].sum() / counts.sum()
    weight = counts * np.where(is_spun, PRIOR / share, (1 - PRIOR) / (1 - share))
    page = logistic(np.array([page_terms(r.evidence) for _, r in kept]), is_spun, weight)
    terms = np.array([terms for _, result in kept for terms in result.guesses])
    right = np.array([right for _, result in kept for right in result.right])
    return Calibration(page, logistic(terms, right, np.ones(len(right))))


@cache
def left_out_calibration(family: str) -> Calibration:
    """The calibration that was fitted without the pages of a family."""
    fitted = json.loads(LEFT_OUT.read_text())[family]
    return Calibration(tuple(fitted["page"]), tuple(fitted["edit"]))


def main() -> None:
    """Fit, print how the halves come out, and write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--lexicons", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, default=MODEL)
    options = parser.parse_args()
    found = examples(options.corpora, options.lexicons)
    with ProcessPoolExecutor(2) as pool:
        measured = list(pool.map(measure, found, chunksize=50))
    calibration = fit(found, measured)
    for kind in ("clean", "spun"):
        p = [
            calibration.spun(result.evidence)
            for example, result in zip(found, measured, strict=True)
            if example.swapped == (kind == "spun")
        ]
        shares = [sum(x >= threshold for x in p) / len(p) for threshold in (0.5, 0.95)]
        print(f"{kind}: {len(p)} pages, P > 0.5 {shares[0]:.4f}, P > 0.95 {shares[1]:.4f}")
    calibration.write(options.output / CALIBRATION)
    fits = {name: asdict(fit(found, measured, [name])) for name in FAMILIES}
    LEFT_OUT.write_text(json.dumps(fits, indent=1) + "\n")


if __name__ == "__main__":
    main()
