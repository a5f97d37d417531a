"""Spins clean text the way spinners do: development sets with a known answer.

What a spinner is like is told by a `Family`; the families themselves stand in `train.families`.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

_CHUNK = re.compile(r"\S+")
# A word with nothing but ordinary punctuation around it. Whatever else stands between two white
# spaces (compounds with a hyphen, links, possessives, numbers) no simulated spinner touches.
_WORD = re.compile(r"""([("'“‘\[]*)([^\W\d_]+)([.,;:!?)"'”’\]…]*)""")
_SENTENCE_END = re.compile(r"""[.!?…]["'”’)\]]*$""")
_ABBREVIATION = re.compile(r"[A-Z][a-z]{0,3}\.$")


class Word(NamedTuple):
    """A word of the text: `start` and `end` are offsets, `lowered` is what is looked up.

    `is_free` means that white space stands on both sides, `is_name` that a capital tells of a
    name and not of the beginning of a sentence.
    """

    start: int
    end: int
    text: str
    lowered: str
    is_free: bool
    is_name: bool


class Unit(NamedTuple):
    """Something a spinner could replace: `words` words from `start` to `end`, and by what."""

    start: int
    end: int
    words: int
    lowered: str
    choices: Sequence[str]


class Swap(NamedTuple):
    """`start` and `end` are offsets into the spun text."""

    start: int
    end: int
    spun: str
    original: str


@dataclass(frozen=True)
class Spun:
    """A spun text and how to undo it: putting every swap's original back gives `original`."""

    text: str
    original: str
    swaps: tuple[Swap, ...]


@dataclass(frozen=True)
class Family:
    """A way of spinning.

    `choices` gives what may be printed for a word or phrase, lower case, nothing if it stays.
    `may_change` judges the word where it stands. `select` picks the units to replace, given all
    of them, the rate, the number of words of the text and a source of randomness; `draw` picks
    what to print for one of them.
    """

    name: str
    sources: tuple[str, ...]
    choices: Callable[[str], Sequence[str]]
    may_change: Callable[[Word], bool]
    select: Callable[[Sequence[Unit], float, int, Random], list[Unit]]
    draw: Callable[[Unit, Random], str]
    longest: int = 1


def spin(text: str, family: Family, rate: float, seed: int) -> Spun:
    """Spins a text; the same arguments give the same result.

    `rate` (0 to 1) is the share of the text's words to replace, as far as the family's habits
    allow. For the element family it is the share of eligible word types that its table holds.
    """
    random = Random(f"{family.name} {seed} {text}")
    words, count = _words(text)
    units = list(_units(text, words, family))
    pieces: list[str] = []
    swaps: list[Swap] = []
    length = copied = 0
    for unit in sorted(family.select(units, rate, count, random)):
        original = text[unit.start : unit.end]
        spun = _like(original, family.draw(unit, random))
        pieces += text[copied : unit.start], spun
        start = length + unit.start - copied
        length = start + len(spun)
        copied = unit.end
        swaps.append(Swap(start, length, spun, original))
    pieces.append(text[copied:])
    return Spun("".join(pieces), text, tuple(swaps))


def unspin(spun: Spun) -> str:
    """The text with every swap undone, from the swaps alone."""
    pieces: list[str] = []
    copied = 0
    for swap in spun.swaps:
        pieces += spun.text[copied : swap.start], swap.original
        copied = swap.end
    return "".join([*pieces, spun.text[copied:]])


def _words(text: str) -> tuple[list[Word], int]:
    """The words that could be looked up, and the number of all words, others included."""
    found: list[tuple[re.Match[str], re.Match[str], bool]] = []
    count = 0
    previous_end = 0
    previous = "."
    for chunk in _CHUNK.finditer(text):
        match = _WORD.fullmatch(text, chunk.start(), chunk.end())
        begins = "\n" in text[previous_end : chunk.start()] or (
            _SENTENCE_END.search(previous) is not None and not _ABBREVIATION.match(previous)
        )
        if match is not None:
            found.append((chunk, match, begins or bool(match[1])))
        count += any(character.isalnum() for character in chunk[0])
        previous, previous_end = chunk[0], chunk.end()
    # A name is known by a capital within a sentence, and then everywhere.
    names = {m[2] for _, m, begins in found if not begins and not m[2].islower()}
    words = [
        Word(
            *match.span(2),
            match[2],
            match[2].lower(),
            chunk.span() == match.span(2),
            match[2] in names or not (match[2].islower() or match[2].istitle()),
        )
        for chunk, match, _ in found
    ]
    return words, count


def _units(text: str, words: Sequence[Word], family: Family) -> Iterator[Unit]:
    """What the family could replace, in order and without overlap, the longest phrases first."""
    here = 0
    while here < len(words):
        for size in range(min(family.longest, len(words) - here), 0, -1):
            unit = _unit(text, words[here : here + size], family)
            if unit is not None:
                yield unit
                here += size
                break
        else:
            here += 1


def _unit(text: str, words: Sequence[Word], family: Family) -> Unit | None:
    start, end = words[0].start, words[-1].end
    lowered = " ".join(word.lowered for word in words)
    if len(words) > 1 and text[start:end].lower() != lowered:
        return None  # punctuation within, or a line break
    if not all(map(family.may_change, words)):
        return None
    choices = family.choices(lowered)
    return Unit(start, end, len(words), lowered, choices) if choices else None


def _like(original: str, spun: str) -> str:
    return spun[0].upper() + spun[1:] if original[0].isupper() else spun
