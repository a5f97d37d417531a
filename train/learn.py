"""Fit what tells which pairs belong to a spinner's table.

`python -m train.learn --corpora C --lexicons L`: piles of pages of the calibrate half, spun by
families with fixed tables, some of whose pairs no thesaurus has, are learned from; what the pairs
that come up have to say for themselves, and whether they are in the table, fits the regressions
of `learn.bin`. The families of `bench.learn` are others.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Collection, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from train.calibrate import logistic
from train.corpus import HELD_OUT, documents, held_out, training_files
from train.families import fixed, hypernym, mythes_random, ppdb_random, with_inventions
from train.families import wordnet_first as wordnet_first_
from train.samples import NEWS, Part, pages, part, shuffled, spun
from train.spin import Family, Spun
from unspin import arrays
from unspin.learn.learner import BELIEF, PASSES, TRIED, Learner
from unspin.learn.pairs import Belief, Clue, Regression, products, terms
from unspin.learn.survey import Pair
from unspin.lm import LanguageModel
from unspin.reader import MODEL
from unspin.text import tokenize

PAGE_WORDS = 400
SIZES = (30, 100, 300)  # pages of a pile
RATE = 0.2  # share of the words to replace
INVENTED = 0.2  # share of the pairs that no thesaurus has
SAMPLED = 8  # every so many documents of the training text
COMMON = slice(300, 12_000)  # words of the vocabulary that are printed for them


class Pile(NamedTuple):
    """Pages of one spinner, and the pairs by which they were spun, with how often."""

    family: str
    without: tuple[str, ...]
    texts: tuple[str, ...]
    swaps: dict[Pair, int]


def invented(model: LanguageModel) -> list[str]:
    """Words that are printed for what they have nothing to do with."""
    return [word for word in model.words[COMMON] if word.isalpha() and len(word) > 3]


def families(lexicons: Path, model: LanguageModel) -> list[tuple[Family, tuple[str, ...]]]:
    """The families of the fit, each with the sources to leave out for it to be unknown."""
    words = invented(model)
    bases = [
        (fixed(mythes_random(lexicons)), ()),
        (fixed(ppdb_random(lexicons)), ()),
        (fixed(hypernym(lexicons)), ()),
        (wordnet_first_(lexicons), ("WordNet first synonym",)),
    ]
    return [(with_inventions(base, words, INVENTED, "fit"), without) for base, without in bases]


def texts_of(corpora: Path, wanted: Part) -> list[str]:
    """Clean pages of news of one half of the documents, in an order that mixes their sources."""
    documents = [
        document
        for document in shuffled(held_out(corpora))
        if document.source in NEWS and part(document) == wanted
    ]
    return pages(documents, PAGE_WORDS)


def pile(family: Family, without: tuple[str, ...], texts: Sequence[Spun]) -> Pile:
    """The pile that spun texts make."""
    return Pile(family.name, without, tuple(text.text for text in texts), swaps(texts))


def swaps(texts: Sequence[Spun]) -> dict[Pair, int]:
    """How often each pair was swapped."""
    return Counter(
        Pair(swap.original.lower(), swap.spun.lower()) for text in texts for swap in text.swaps
    )


def piles(corpora: Path, lexicons: Path, model: LanguageModel) -> list[Pile]:
    """The piles of the fit; no page is in two of them."""
    texts = iter(texts_of(corpora, "calibrate"))
    found = []
    for family, without in families(lexicons, model):
        for size in SIZES:
            some = [next(texts) for _ in range(size)]
            found.append(pile(family, without, spun(some, family, RATE)))
    return found


def frequencies(corpora: Path, model: LanguageModel) -> NDArray[np.float32]:
    """How frequent each word of the vocabulary is in a sample of the training text.

    The model's unigrams say in how many contexts a word stands (Kneser and Ney 1995), not that.
    """
    counts = np.ones(len(model.words), np.float64)
    for path in training_files(corpora):
        for document in islice(documents(path), 0, None, SAMPLED):
            if not document.source.startswith(HELD_OUT):
                for symbol in tokenize(document.text).symbol:
                    number = model.number.get(symbol)
                    if number is not None:
                        counts[number] += 1
    return np.asarray(counts / counts.sum(), np.float32)


@cache
def _learner(model: Path, without: Collection[str]) -> Learner:
    return Learner(model, without)


def clues(model: Path, task: tuple[Pile, dict[Pair, float]]) -> dict[Pair, Clue]:
    """What speaks for the pairs that a pile suggests with what the pass before believed."""
    found, table = task
    learner = _learner(model, found.without)
    survey = learner.surveyor([table] if table else []).survey(found.texts)
    return learner.clues(survey.spinners[0])


def fit(found: Sequence[dict[Pair, Clue]], answers: Sequence[Pile]) -> Regression:
    """The regression of one pass, in which every pile has the same say."""
    rows = np.array([terms(clue) for each in found for clue in each.values()])
    true = np.array([p in a.swaps for each, a in zip(found, answers, strict=True) for p in each])
    weight: NDArray[np.float64] = np.concatenate([np.full(len(e), 5_000 / len(e)) for e in found])
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-3
    weights = logistic(products(rows, mean, spread), true, weight)
    rounded = [tuple(round(float(number), 4) for number in each) for each in (mean, spread)]
    return rounded[0], rounded[1], weights


def main() -> None:
    """Fit and write the regressions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--lexicons", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    model = LanguageModel(given.model / "lm.bin")
    frequency = frequencies(given.corpora, model)
    # The workers find it there; what they do needs no regressions.
    Belief((), frequency).write(given.model / BELIEF)
    answers = piles(given.corpora, given.lexicons, model)
    tables: list[dict[Pair, float]] = [{} for _ in answers]
    passes = []
    with ProcessPoolExecutor(given.workers) as pool:
        for number in range(PASSES):
            found = list(pool.map(partial(clues, given.model), zip(answers, tables, strict=True)))
            passes.append(fit(found, answers))
            # What the next pass is fitted on was believed by those that had not seen the family.
            for family in {answer.family for answer in answers}:
                others = [i for i, answer in enumerate(answers) if answer.family != family]
                one = fit([found[i] for i in others], [answers[i] for i in others])
                for i, answer in enumerate(answers):
                    if answer.family == family:
                        tables[i] = _believed(Belief((one,), frequency), found[i])
                        _print(number, answer, tables[i])
    Belief(tuple(passes), frequency).write(given.model / BELIEF)
    arrays.seal(given.model)


def _believed(belief: Belief, found: dict[Pair, Clue]) -> dict[Pair, float]:
    each = zip(found, belief.probability(list(found.values()), 0), strict=True)
    return {pair: float(p) for pair, p in each if p >= TRIED}


def _print(number: int, answer: Pile, table: dict[Pair, float]) -> None:
    sure = [pair for pair, p in table.items() if p >= 0.5]
    mass = sum(answer.swaps.get(pair, 0) for pair in sure) / sum(answer.swaps.values())
    right = sum(pair in answer.swaps for pair in sure) / max(len(sure), 1)
    print(
        f"pass {number + 1}, {answer.family}, {len(answer.texts)} pages: {len(sure)} pairs,"
        f" {right:.3f} of them right, {mass:.3f} of the swaps"
    )


if __name__ == "__main__":
    main()
