"""How do spinners go about it: which words, which of their occurrences, which of the choices?

The parts that `train.families` puts together, apart from what is printed for a word.
"""

from collections.abc import Sequence
from functools import cache
from random import Random

from train.spin import Unit, Word

# Words of the closed classes, which most spinners skip. The element family has some of them in its
# table; the others it leaves alone although the rule has an answer ("by" would be "past").
FUNCTION_WORDS = frozenset(
    """
    a all am an and any are as at be because been being both but by can could did do does doing
    done down during each every few for from had has have having he her hers him his how i if in
    into is it its may me might mine must my neither no nor not of on only or our ours ourselves
    own same she should since so some such than that the their theirs them then there these they
    this those though through to too unless until up upon us very was we were what when where
    whether which while who whom whose why will with would yet you your yours
    """.split()
)

SHORTEST_LONG_WORD = 5  # letters, for a spinner that takes long words for content


def not_a_name(word: Word) -> bool:
    """Spares names alone; function words are spun as well."""
    return not word.is_name


def content_word(word: Word) -> bool:
    """Spares names and function words."""
    return not word.is_name and word.lowered not in FUNCTION_WORDS


def long_content_word(word: Word) -> bool:
    """Spares names, function words and short words."""
    return content_word(word) and len(word.text) >= SHORTEST_LONG_WORD


def free_lower_case(word: Word) -> bool:
    """Spares whatever has a capital or touches punctuation."""
    return word.is_free and word.text.islower()


def each_occurrence_anew(
    units: Sequence[Unit], rate: float, count: int, random: Random
) -> list[Unit]:
    """Any occurrences, until the share of words is reached."""
    return _up_to(random.sample(units, len(units)), rate * count)


def same_words_everywhere(
    units: Sequence[Unit], rate: float, count: int, random: Random
) -> list[Unit]:
    """All occurrences of as many word types as needed (of the last, some), in a fixed order."""
    del random  # a fixed habit is a function of the word
    by_type: dict[str, list[Unit]] = {}
    for unit in units:
        by_type.setdefault(unit.lowered, []).append(unit)
    ordered = sorted(by_type, key=_priority)
    return _up_to([unit for lowered in ordered for unit in by_type[lowered]], rate * count)


def share_of_types(units: Sequence[Unit], rate: float, count: int, random: Random) -> list[Unit]:
    """All occurrences of the word types that a table of the given share holds."""
    del count, random
    return [unit for unit in units if _priority(unit.lowered) < rate]


def any_choice(unit: Unit, random: Random) -> str:
    """A random choice, each time anew."""
    return random.choice(unit.choices)


def fixed_choice(unit: Unit, random: Random) -> str:
    """One and the same choice for a word, on every page."""
    del random
    return Random(f"choice {unit.lowered}").choice(unit.choices)


def _up_to(units: Sequence[Unit], target: float) -> list[Unit]:
    taken: list[Unit] = []
    words = 0
    for unit in units:
        if words + unit.words > target + 0.5:
            break
        taken.append(unit)
        words += unit.words
    return taken


@cache
def _priority(word: str) -> float:
    """A number in [0, 1) for each word, the same in every run."""
    return Random(f"priority {word}").random()
