"""Spins clean text the way spinners do: development sets with a known answer.

What a spinner is like is told by a `Family`; the families themselves stand in `train.families`.
"""

import math
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate
from random import Random
from typing import NamedTuple

_CHUNK = re.compile(r"\S+")
# A word with nothing but ordinary punctuation around it. Whatever else stands between two white
# spaces (compounds with a hyphen, links, possessives, numbers) no simulated spinner touches.
_WORD = re.compile(r"""([("'“‘\[]*)([^\W\d_]+)([.,;:!?)"'”’\]…]*)""")
_SENTENCE_END = re.compile(r"""[.!?…]["'”’)\]]*$""")
_ABBREVIATION = re.compile(r"[A-Z][a-z]{0,3}\.$")
# What another program's output is compared by: words, compounds included, and other characters.
_TOKEN = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]")


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

    `by_types` means that the rate is a share of the word types which the family could replace,
    for spinners with one table everywhere, and not a share of the words of the text. `then` spins
    the result once more. `rewrite` is another program, from a text and a seed to the text with as
    much replaced as it ever does: `select` picks among its changes, and nothing is looked up.
    """

    name: str
    sources: tuple[str, ...]
    choices: Callable[[str], Sequence[str]]
    may_change: Callable[[Word], bool]
    select: Callable[[Sequence[Unit], float, int, Random], list[Unit]]
    draw: Callable[[Unit, Random], str]
    longest: int = 1
    by_types: bool = False
    then: "Family | None" = None
    rewrite: Callable[[str, int], str] | None = None


def spin(text: str, family: Family, rate: float, seed: int) -> Spun:
    """Spins a text; the same arguments give the same result.

    `rate` (0 to 1) is the share of the text's words to replace, as far as the family's habits
    allow, or of the word types that it could replace (`Family.by_types`). Two passes have equal
    rates that make `rate` together if they choose independently; where they can replace few of
    the words, they meet more often and make less.
    """
    if family.then is None:
        return _pass(text, family, rate, seed)
    each = 1 - math.sqrt(1 - rate)
    first = _pass(text, family, each, seed)
    return _composed(first, spin(first.text, family.then, each, seed))


def unspin(spun: Spun) -> str:
    """The text with every swap undone, from the swaps alone."""
    pieces: list[str] = []
    copied = 0
    for swap in spun.swaps:
        pieces += spun.text[copied : swap.start], swap.original
        copied = swap.end
    return "".join([*pieces, spun.text[copied:]])


def _pass(text: str, family: Family, rate: float, seed: int) -> Spun:
    random = Random(f"{family.name} {seed} {text}")
    words, count = _words(text)
    if family.rewrite is None:
        units = list(_units(text, words, family))
    else:
        units = list(_changes(text, family.rewrite(text, seed)))
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


def _composed(first: Spun, second: Spun) -> Spun:
    """Two passes as one, whose swaps undo both; a word that comes back was not swapped."""
    # All places are in the text between the passes, where swaps that overlap become one.
    back = _Shift((s.start, s.end, len(s.original)) for s in first.swaps)
    forth = _Shift(_before(second.swaps))
    places: list[tuple[int, int]] = []
    for start, end in sorted([*back.places, *forth.places]):
        if places and start < places[-1][1]:
            places[-1] = places[-1][0], max(end, places[-1][1])
        else:
            places.append((start, end))
    swaps = []
    for start, end in places:
        original = first.original[back(start) : back(end)]
        spun = second.text[forth(start) : forth(end)]
        if spun != original:
            swaps.append(Swap(forth(start), forth(end), spun, original))
    return Spun(second.text, first.original, tuple(swaps))


def _before(swaps: Iterable[Swap]) -> Iterator[tuple[int, int, int]]:
    """(start, end, length afterwards) of every swap, in the text that was swapped in."""
    grown = 0
    for swap in swaps:
        start = swap.start - grown
        yield start, start + len(swap.original), len(swap.spun)
        grown += len(swap.spun) - len(swap.original)


class _Shift:
    """Where a place outside of the replaced parts goes when they change their length.

    >>> shift = _Shift([(2, 4, 3), (5, 6, 3)])
    >>> [shift(place) for place in (0, 2, 4, 5, 6, 9)]
    [0, 2, 5, 6, 9, 12]
    """

    def __init__(self, parts: Iterable[tuple[int, int, int]]) -> None:
        """`parts` are (start, end, length afterwards), in order and without overlap."""
        found = list(parts)
        self.places = [(start, end) for start, end, _ in found]
        self._ends = [end for _, end, _ in found]
        self._shifts = [0, *accumulate(length - (end - start) for start, end, length in found)]

    def __call__(self, place: int) -> int:
        return place + self._shifts[bisect_right(self._ends, place)]


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


def _changes(text: str, rewritten: str) -> Iterator[Unit]:
    """What reads otherwise in the rewritten text, word by word where as many words stand against
    as many. What was only added or left out is no substitution, and stays as it was."""
    old, new = list(_TOKEN.finditer(text)), list(_TOKEN.finditer(rewritten))
    one, other = ([m[0].lower() for m in tokens] for tokens in (old, new))
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    for kind, i, i_end, j, j_end in matcher.get_opcodes():
        if kind == "replace" and all(m[0][0].isalnum() for m in old[i:i_end] + new[j:j_end]):
            step, new_step = (1, 1) if i_end - i == j_end - j else (i_end - i, j_end - j)
            for k, n in zip(range(i, i_end, step), range(j, j_end, new_step), strict=True):
                start, end = old[k].start(), old[k + step - 1].end()
                spun = rewritten[new[n].start() : new[n + new_step - 1].end()]
                yield Unit(start, end, step, text[start:end].lower(), (spun,))


def _like(original: str, spun: str) -> str:
    return spun[0].upper() + spun[1:] if original[0].isupper() else spun
