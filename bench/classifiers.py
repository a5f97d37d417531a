"""Rivals that learn from spun pages: what would a text classifier that has seen spinners say?

Two classifiers of bags of words and pairs of words (fastText; hashed n-grams with a logistic
regression), and the frequency-guided word substitution of Mozes et al. (2021, "Frequency-Guided
Word Substitutions for Detecting Textual Adversarial Examples") on top of the second. They learn
from documents of the very sources that they are tested on (other documents, of course), which the
language model and the channel of unspin have never seen. The settings below were chosen on the
calibration half, on families that the classifiers had not seen.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.metrics import true_positive_rate
from train import samples
from train.corpus import Document
from train.families import FAMILIES
from train.spin import Family
from unspin.lm import LanguageModel
from unspin.reader import MODEL

PAGE_WORDS = 300
RATES = (0.1, 0.2, 0.4)  # of all words; for the element families, of word types:
ELEMENT_RATES = (0.3, 0.6, 0.9)

FEATURES = 2**20  # of the hashed n-grams
STRENGTH = 30.0  # inverse of the regularisation
FASTTEXT = {"dim": 50, "wordNgrams": 2, "bucket": 2**19, "lr": 0.5, "epoch": 25, "seed": 1}

TUNING = 5  # one of so many pages is kept from training to choose the frequency threshold on
PERCENTILES = range(10, 100, 10)  # of the word frequencies, as thresholds to choose among
FALSE_POSITIVES = 0.1  # at which the thresholds are compared, as in the paper

_WORD = re.compile(r"[^\W\d_]+")
_TOKEN = re.compile(r"\w+|[^\w\s]")


class Example(NamedTuple):
    """A page as it was written and as a family spun it."""

    clean: str
    spun: str
    family: str


class Lesson(NamedTuple):
    """What one set of classifiers is trained on, and the folder that it is kept in."""

    folder: Path
    lexicons: Path
    examples: list[Example]


class Linear(NamedTuple):
    """A logistic regression over hashed words and pairs of words."""

    weights: NDArray[np.float64]
    intercept: float

    def margins(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """log P(spun) / P(clean) of every text."""
        margins = _hashed(texts) @ self.weights + self.intercept
        return np.asarray(margins, np.float64)


class Dropper(NamedTuple):
    """Puts the most frequent neighbour in place of words below a frequency.

    `better` gives the neighbour and the log frequency of the word itself, or None if none is more
    frequent.
    """

    better: Callable[[str], tuple[str, float] | None]
    below: float

    def replace(self, text: str) -> str:
        """The text with frequent words for rare ones.

        >>> neighbours = {"brainy": ("clever", 1.39), "clever": ("smart", 5.55)}
        >>> Dropper(neighbours.get, 3.0).replace("A brainy, clever plan.")
        'A clever, clever plan.'
        """
        return _WORD.sub(self._neighbour, text)

    def _neighbour(self, match: re.Match[str]) -> str:
        found = self.better(match[0].lower())
        return match[0] if found is None or found[1] >= self.below else found[0]


def same(one: Family, other: Family) -> bool:
    """Whether one of two families draws on nothing but what the other draws on.

    Such a family is no stranger to a classifier that has seen the other: the element family and
    its walk; everything made of WordNet and what is derived from it; both families of Moby's.
    """
    mine, theirs = set(one.sources), set(other.sources)
    return mine <= theirs or theirs <= mine


def strangers(families: Mapping[str, Family], name: str) -> tuple[str, ...]:
    """The families that a classifier may learn from before it meets the one of that name."""
    tested = families[name]
    return tuple(other for other, family in families.items() if not same(tested, family))


def examples(
    documents: Iterable[Document], families: Mapping[str, Family], count: int
) -> list[Example]:
    """Pages, each with what one family makes of it: families and rates in turn."""
    found: list[Example] = []
    names = list(families)
    for number, page in enumerate(samples.pages(documents, PAGE_WORDS)[:count]):
        name = names[number % len(names)]
        rates = ELEMENT_RATES if families[name].by_types else RATES
        rate = rates[number // len(names) % len(rates)]
        found += (
            Example(page, spun.text, name) for spun in samples.spun([page], families[name], rate)
        )
    return found


def seen(all_examples: Sequence[Example], families: Collection[str]) -> list[Example]:
    """The examples of some families only."""
    return [example for example in all_examples if example.family in families]


def train(lesson: Lesson) -> None:
    """Train the classifiers on most of the examples, and choose a threshold on the others."""
    lesson.folder.mkdir()
    learnt = [example for i, example in enumerate(lesson.examples) if i % TUNING]
    texts = [text for example in learnt for text in (example.clean, example.spun)]
    spun = np.tile([False, True], len(learnt))
    _train_fasttext(texts, spun, lesson.folder)
    linear = _train_linear(texts, spun)
    np.savez(lesson.folder / "linear.npz", weights=linear.weights, intercept=linear.intercept)
    below = _threshold(linear, _better(lesson.lexicons), lesson.examples[::TUNING])
    (lesson.folder / "below.json").write_text(json.dumps(below))


def hashed_ngrams(folder: Path, lexicons: Path) -> Callable[[Sequence[str]], list[float]]:
    """Scores of the logistic regression kept in a folder."""
    del lexicons
    linear = _load_linear(folder)
    return lambda texts: linear.margins(texts).tolist()


def fasttext_classifier(folder: Path, lexicons: Path) -> Callable[[Sequence[str]], list[float]]:
    """Scores of the fastText classifier kept in a folder: the margin, since probabilities of
    long pages run into their ends."""
    import fasttext

    del lexicons
    model: Any = fasttext.load_model(str(folder / "fasttext.bin"))
    rows = dict(zip(model.get_labels(), model.get_output_matrix(), strict=True))
    direction = rows["__label__spun"] - rows["__label__clean"]
    return lambda texts: [float(model.get_sentence_vector(_line(t)) @ direction) for t in texts]


def frequency_drop(folder: Path, lexicons: Path) -> Callable[[Sequence[str]], list[float]]:
    """How much less sure the logistic regression is of a page whose rare words are replaced."""
    linear = _load_linear(folder)
    below = json.loads((folder / "below.json").read_text())
    dropper = Dropper(_better(lexicons), below)
    return lambda texts: _drops(linear, dropper, texts).tolist()


CLASSIFIERS: Mapping[str, Callable[[Path, Path], Callable[[Sequence[str]], list[float]]]] = {
    "fastText": fasttext_classifier,
    "hashed n-grams": hashed_ngrams,
    "frequency drop": frequency_drop,
}


def _line(text: str) -> str:
    """The text as fastText reads it: one line, lower case, white space around every token."""
    return " ".join(_TOKEN.findall(text.lower()))


def _train_fasttext(texts: Sequence[str], spun: NDArray[np.bool_], folder: Path) -> None:
    import fasttext

    path = folder / "pages.txt"
    with path.open("w", encoding="utf-8") as lines:
        for text, label in zip(texts, spun, strict=True):
            lines.write(f"__label__{'spun' if label else 'clean'} {_line(text)}\n")
    # One thread, so that the same pages make the same model.
    model = fasttext.train_supervised(str(path), thread=1, verbose=0, **FASTTEXT)
    model.save_model(str(folder / "fasttext.bin"))


def _train_linear(texts: Sequence[str], spun: NDArray[np.bool_]) -> Linear:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=STRENGTH, solver="liblinear", random_state=1)
    model.fit(_hashed(texts), spun)
    return Linear(model.coef_[0], float(model.intercept_[0]))


def _hashed(texts: Sequence[str]) -> Any:  # noqa: ANN401 (scipy's matrices have no types)
    """A row a text, of length one: how often every word and pair of words occurs."""
    from sklearn.feature_extraction.text import HashingVectorizer

    vectorizer = HashingVectorizer(
        n_features=FEATURES,
        ngram_range=(1, 2),
        token_pattern=r"\w+",  # noqa: S106 (no password)
        alternate_sign=False,
    )
    return vectorizer.transform(texts)


def _load_linear(folder: Path) -> Linear:
    kept = np.load(folder / "linear.npz")
    return Linear(kept["weights"], float(kept["intercept"]))


def _drops(linear: Linear, dropper: Dropper, texts: Sequence[str]) -> NDArray[np.float64]:
    replaced = [dropper.replace(text) for text in texts]
    # Of log odds, not of probabilities as in the paper: those of long pages run into their ends,
    # where nothing drops any more. On the pages kept from training this finds more.
    return linear.margins(texts) - linear.margins(replaced)


def _threshold(
    linear: Linear,
    better: Callable[[str], tuple[str, float] | None],
    tuning: Sequence[Example],
) -> float:
    """The frequency below which words are replaced: the one that finds most."""
    clean, spun = [e.clean for e in tuning], [e.spun for e in tuning]
    words = (better(word.lower()) for text in clean for word in _WORD.findall(text))
    logs = [found[1] for found in words if found is not None]

    def found(below: float) -> float:
        dropper = Dropper(better, below)
        on_clean, on_spun = (_drops(linear, dropper, texts).tolist() for texts in (clean, spun))
        return true_positive_rate(on_clean, on_spun, FALSE_POSITIVES)

    return max((float(np.percentile(logs, p)) for p in PERCENTILES), key=found)


@cache
def _better(lexicons: Path) -> Callable[[str], tuple[str, float] | None]:
    """The most frequent WordNet synonym in any sense, inflected as the word is.

    The paper adds neighbours of word vectors, and counts frequencies in the training set; the
    language model has seen a hundred times more.
    """
    model = LanguageModel(MODEL / "lm.bin")
    neighbours = FAMILIES["wordnet random"](lexicons).choices

    def frequency(word: str) -> float:
        number = model.number.get(word)
        return 0.0 if number is None else model.unigrams[number]

    @cache
    def better(word: str) -> tuple[str, float] | None:
        best = max(neighbours(word), key=frequency, default=word)
        if frequency(best) <= frequency(word):
            return None
        return best, math.log(max(frequency(word), 1e-12))

    return better
