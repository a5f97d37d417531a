"""Are two tables of one spinner? A calibrated probability.

Tables that were learned from different pages have many originals in common, whoever spun these. One
spinner prints the same for them on all of its pages; another one only by chance, as where both draw
from one thesaurus. Where both tables come with their spinners' habits, these speak too. Logistic
regressions, by the words alone and with the habits, make a probability of it; `train.fingerprint`
fits them on tables of other spinners.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from unspin.arrays import ModelError
from unspin.families import FamilyTable
from unspin.learn.fingerprint import Fingerprint, Share
from unspin.reader import MODEL

BELIEF = "fingerprint.json"  # the file's name in the model's folder
MOST = 0.99  # probability either way: what some thirty spinners were fitted on says no more
CHANCE, STRENGTH = 0.2, 5.0  # overlap of tables that nothing is known of, and the words it is worth
ENOUGH = 20.0  # words from which a habit has its full say
LEAST = 0.01  # share of words; less is as good as nothing
SURE = 0.02  # share of a habit; less is as good as nothing, and more than the rest as all
MOST_APART = 3.0  # what one habit counts at most
ONE_WORD, RATE = "one word for each", "rate"  # habits that do not add up with the others
# By how much habits differ, from which it is said; two piles of one spinner seldom do.
DIFFERS = 1.2


class Likeness(NamedTuple):
    """What the words say that two tables have in common.

    Of `common` originals that both replace `agreeing` are mostly replaced by the same word. Each
    original counts as the log of how often the table has seen it that has seen it less often:
    `known` is the sum of that, and `shared` of the shares of each for which both print the same.
    """

    common: int
    agreeing: int
    known: float
    shared: float


class Resemblance(NamedTuple):
    """The probability that two tables are of one spinner, as if half of all pairs of tables were,
    and what speaks for or against it.

    `common` and `agreeing` are as in `Likeness`; `differing` are the habits that differ, None
    where not both tables have them.
    """

    probability: float
    common: int
    agreeing: int
    differing: tuple[str, ...] | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return self._asdict()


def same_spinner(one: FamilyTable, other: FamilyTable, model: Path = MODEL) -> float:
    """Return the probability that two tables are of one spinner.

    Raises:
        FamilyError: the fingerprint in the header of one cannot be read.
        ModelError: the file of the regressions is missing or damaged.
    """
    return resemblance(one, other, model).probability


def resemblance(one: FamilyTable, other: FamilyTable, model: Path = MODEL) -> Resemblance:
    """Return how two tables resemble each other.

    Raises:
        FamilyError: the fingerprint in the header of one cannot be read.
        ModelError: the file of the regressions is missing or damaged.
    """
    belief = Belief.read(model / BELIEF)
    words = likeness(one, other)
    marks = Fingerprint.read(one), Fingerprint.read(other)
    if marks[0] is None or marks[1] is None:
        return Resemblance(belief.by_words(words), words.common, words.agreeing, None)
    apart = differences(marks[0], marks[1])
    differing = tuple(habit for habit, much in apart.items() if much >= DIFFERS)
    probability = belief.by_habits(words, marks[0], marks[1])
    return Resemblance(probability, words.common, words.agreeing, differing)


def likeness(one: FamilyTable, other: FamilyTable) -> Likeness:
    """Return what the words of two tables have in common."""
    mine, its = _seen(one), _seen(other)
    common = sorted(mine.keys() & its.keys())
    agreeing = 0
    known, shared = [], []
    for original in common:
        left, right = mine[original], its[original]
        often, as_often = math.fsum(left.values()), math.fsum(right.values())
        weight = math.log1p(min(often, as_often))
        same = (min(left[s] / often, right[s] / as_often) for s in left.keys() & right.keys())
        known.append(weight)
        shared.append(weight * math.fsum(same))
        agreeing += max(left, key=lambda s: (left[s], s)) == max(right, key=lambda s: (right[s], s))
    return Likeness(len(common), agreeing, math.fsum(known), math.fsum(shared))


def _seen(table: FamilyTable) -> dict[str, dict[str, float]]:
    """How often every word was seen for every original; where none was, how likely it is."""
    counted = any(entry.count for entry in table.entries)
    seen: dict[str, dict[str, float]] = defaultdict(dict)
    for entry in table.entries:
        often = entry.count if counted else entry.probability
        if often:
            seen[entry.original][entry.spun] = often
    return seen


def differences(one: Fingerprint, other: Fingerprint) -> dict[str, float]:
    """Return by how much each habit differs, in logs: of odds, or of ratios to what is usual."""
    classes = {
        "commonest words": (one.frequent, other.frequent),
        "base forms": (one.lemmas, other.lemmas),
        "inflected words": (one.inflected, other.inflected),
    }
    shares = {
        "capitals": (one.capitals, other.capitals),
        "words that touch punctuation": (one.touching, other.touching),
        "inflection": (one.inflects, other.inflects),
        "phrases": (one.phrases, other.phrases),
        ONE_WORD: (one.usual_word, other.usual_word),
    }
    return {
        **{
            habit: _say(*pair) * abs(_log(pair[0], one.usual) - _log(pair[1], other.usual))
            for habit, pair in classes.items()
        },
        **{
            habit: _say(*pair) * min(abs(_odds(pair[0]) - _odds(pair[1])), MOST_APART)
            for habit, pair in shares.items()
        },
        RATE: abs(math.log(one.rate / other.rate)) if one.rate and other.rate else 0.0,
    }


def _say(one: Share, other: Share) -> float:
    """How much it says by how much two shares differ, from 0 to 1: they may be of a few words."""
    return min(one.whole / ENOUGH, other.whole / ENOUGH, 1.0)


def _log(share: Share, usual: float) -> float:
    return math.log((share.ratio + LEAST) / (usual + LEAST))


def _odds(share: Share) -> float:
    """The logarithm of the odds, of a share of few words nearer to even ones."""
    p = (share.part + 1) / (share.whole + 2)
    p = min(max(p, SURE), 1 - SURE)
    return math.log(p / (1 - p))


# --- probabilities


@dataclass(frozen=True, slots=True)
class Belief:
    """The regressions: coefficients in the order of `word_terms`, and of `habit_terms`."""

    words: tuple[float, ...]
    habits: tuple[float, ...]

    def by_words(self, words: Likeness) -> float:
        """P(two tables are of one spinner), by the words alone."""
        return _logistic(self.words, word_terms(words))

    def by_habits(self, words: Likeness, one: Fingerprint, other: Fingerprint) -> float:
        """P(two tables are of one spinner), by the words and the habits."""
        return _logistic(self.habits, habit_terms(words, one, other))

    @classmethod
    def read(cls, path: Path) -> Belief:
        """The numbers of a file.

        Raises:
            ModelError: the file is missing, damaged or of another version.
        """
        try:
            told = json.loads(path.read_text())
            found = cls(tuple(map(float, told["words"])), tuple(map(float, told["habits"])))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ModelError(f"model file {path} cannot be read: {error}") from None
        if not all(map(math.isfinite, (*found.words, *found.habits))):
            raise ModelError(f"model file {path} is damaged: install unspin again")
        nothing, nobody = Likeness(0, 0, 0.0, 0.0), Fingerprint()
        lengths = len(word_terms(nothing)), len(habit_terms(nothing, nobody, nobody))
        if (len(found.words), len(found.habits)) != lengths:
            raise ModelError(f"model file {path} is of another version: install unspin again")
        return found

    def write(self, path: Path) -> None:
        """Write the numbers to a file."""
        path.write_text(json.dumps(asdict(self)) + "\n")


def word_terms(words: Likeness) -> tuple[float, ...]:
    """Return the terms of the words: a constant, and the odds of what two tables share.

    Where little is known both are near nothing. How much is known is no term by itself: it grows
    with the piles, whoever spun them.
    """
    same = (words.shared + CHANCE * STRENGTH) / (words.known + STRENGTH)
    say = words.known / (words.known + STRENGTH)
    return say, say * math.log(same / (1 - same))


def habit_terms(words: Likeness, one: Fingerprint, other: Fingerprint) -> tuple[float, ...]:
    """Return the terms of the words and the habits.

    Of a spinner that prints any of several words two tables share less. By how much single habits
    differ adds up: which of them a spinner has, no other spinner tells. The rate is no term: who
    spins sets it for each site.
    """
    constant, same = word_terms(words)
    fixed = min(_odds(one.usual_word), _odds(other.usual_word))
    apart = differences(one, other)
    rest = math.fsum(much for habit, much in apart.items() if habit not in (ONE_WORD, RATE))
    return constant, same, fixed, fixed * same, apart[ONE_WORD], rest


def _logistic(coefficients: Sequence[float], terms: Sequence[float]) -> float:
    score = math.fsum(b * x for b, x in zip(coefficients, terms, strict=True))
    p = 1.0 / (1.0 + math.exp(-max(-30.0, min(score, 30.0))))
    return min(max(p, 1 - MOST), MOST)
