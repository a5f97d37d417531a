"""Lattices with the answer known: what the second reader is tuned on.

Pages of clean documents that the n-gram model was not trained on, since it is surer of its own;
spun by some families, and read with all sources or without what describes the family.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

from train import samples
from train.corpus import held_out
from train.families import FAMILIES
from train.samples import NEWS
from train.spin import Swap, spin
from unspin import neural
from unspin.lattice import Solver, Substitution
from unspin.lm import LanguageModel
from unspin.neural import Passage
from unspin.reader import MODEL
from unspin.reranker import worth_asking
from unspin.text import Tokens, tokenize
from unspin.thesaurus import Thesaurus

PAGE_WORDS = 400
RATES = (0.1, 0.65)  # of words, drawn between these
TYPE_RATES = (0.3, 1.0)
SPINS = 3  # families for every page

# The families of two kinds: those that draw on WordNet and MyThes, and those that draw on others.
# The kinds share some pairs all the same, since thesauri do.
FOLDS: Mapping[str, tuple[str, ...]] = {
    "wordnet": (
        "wordnet random",
        "wordnet first",
        "hypernym",
        "mythes random",
        "wordnet bare",
        "frequent synonym",
    ),
    "others": (
        "element",
        "element walk",
        "moby random",
        "moby fixed",
        "moby nearest",
        "ppdb random",
    ),
    "all": tuple(FAMILIES),
}
UNSEEN: Mapping[str, str] = {
    name: "wordnet" if name in FOLDS["others"] else "others" for name in FAMILIES
}
"""The fold that a family is new to."""

OUTSIDE = -1  # a place that has no answer: it overlaps a swap, and is none


class Lesson(NamedTuple):
    """A passage, and the number of the right option of every place; that after the last if it is
    none of them."""

    text: Passage
    answers: list[int]


def lessons(corpora: Path, lexicons: Path, names: Sequence[str]) -> Iterator[Lesson]:
    """Lessons from pages that these families spin."""
    documents = samples.divide(held_out(corpora), "calibrate").clean
    news = [d for d in documents if d.source in (*NEWS, "plos")]
    families = {name: FAMILIES[name](lexicons) for name in names}
    for number, page in enumerate(samples.pages(news, PAGE_WORDS)):
        random = Random(f"{number} {page}")
        for name in random.sample(sorted(families), SPINS):
            family = families[name]
            rate = random.uniform(*(TYPE_RATES if family.by_types else RATES))
            without = samples.tables_left_out(family.sources) if random.random() < 0.5 else ()
            spun = spin(page, family, rate, number)
            if spun.swaps:
                yield lesson(spun.text, spun.swaps, without)


def lesson(text: str, swaps: Sequence[Swap], without: tuple[str, ...]) -> Lesson:
    """The lesson in one spun text."""
    tokens = tokenize(text)
    solution = _solver(without).solve(tokens, 0, len(tokens))
    found = worth_asking(solution)
    return Lesson(neural.passage(tokens, found), answers(tokens, found, swaps))


def answers(tokens: Tokens, found: Sequence[Substitution], swaps: Sequence[Swap]) -> list[int]:
    """The numbers of the right options, as in a `Lesson`."""
    exact = {(swap.start, swap.end): swap.original.lower() for swap in swaps}
    swapped = {place for swap in swaps for place in range(swap.start, swap.end)}
    told = []
    for here in found:
        start, end = tokens.start[here.token], tokens.end[here.token + here.tokens - 1]
        original = exact.get((start, end))
        if original is None:
            told.append(0 if swapped.isdisjoint(range(start, end)) else OUTSIDE)
        else:
            originals = [choice.original for choice in here.choices]
            right = originals.index(original) if original in originals else len(originals)
            told.append(1 + right)
    return told


@cache
def _solver(without: tuple[str, ...]) -> Solver:
    return Solver(LanguageModel(MODEL / "lm.bin"), Thesaurus(MODEL / "channel.bin"), without)
