"""What habits has a spinner, and do two piles of pages come from one?

A spinner has its own share of the words that it replaces, and its own words that it spares: the
commonest words of the language, inflected ones, those with a capital or next to punctuation. It
inflects what it prints or does not, replaces phrases or only words, and prints one word for each
original or any of several. Counted over the pages of a pile, that is its fingerprint. It stands in
the header of a family file:

    # rate: 0.21
    # rate-of-pages: 0.18 to 0.24
    # frequent: 12.5 of 4010
    # capitals: 0.4 of 85.1

The rate is that of the median page, in expected swaps a word, and those of the half of all pages
that are nearest to it follow. What comes then are expected numbers, described at `Fingerprint`.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

from unspin.families import FamilyError, FamilyTable
from unspin.lattice import (
    ATTACHED_ROLE,
    CAPITAL_ROLE,
    FREE_ROLE,
    N_CLASSES,
    N_ROLES,
    Solver,
    Substitution,
)
from unspin.lm import UNKNOWN
from unspin.text import CAPITAL, PROTECTED, PUNCTUATION, QUOTE, WORD, Tokens
from unspin.thesaurus import FREQUENT, INFLECTED, LEMMA

RATE, OF_PAGES = "rate", "rate-of-pages"  # keys in a header
UNIT = 1000  # of what is counted: whole numbers add up to the same in any order
ENDINGS = ("ing", "ed", "s")  # by which an inflected form is told from a lemma
SEEN = 3  # times that an original was seen, from which it tells whether one word is printed for it

# When a habit is put into words. The numbers stand between what `train.fingerprint` has seen of
# spinners with the habit and without, in tables that were learned from pages alone and from swaps.
TELLING = 8.0  # words that are expected, of which it tells something how many there are
SPARED = 0.2  # of what is expected, to which words come at most that are spared
SPARED_COMMON = 0.5  # and the commonest: those who spare function words do not spare "year"
PHRASES = 0.05  # of all swaps, from which phrases are meant
INFLECTS = 0.6  # of inflected originals whose endings are kept
ONE_WORD, EXPLAINED = 0.75, 0.2  # from which a spinner prints one word for each
SEVERAL, UNEXPLAINED = 0.6, 0.12  # up to either of which it prints several
MANY = 1000.0  # swaps from which a table explains what it can


# --- what is counted


@dataclass
class Habits:
    """What a spinner did with the words of some pages, in thousandths of a word.

    `touchable` says how many words it could have replaced, `swapped` how many of them it did, for
    every role (`lattice.FREE_ROLE` and the others) and class (`thesaurus.FREQUENT` and the
    others) of the original: role times `N_CLASSES`, plus class. `swaps` is how often it replaced
    anything, `phrases` how often several words stood on either side. Where it replaced an
    inflected word it has `kept` its ending or printed a `bare` lemma. `rates` counts pages by how
    many of a thousand words were replaced.
    """

    touchable: list[int] = field(default_factory=lambda: [0] * (N_ROLES * N_CLASSES))
    swapped: list[int] = field(default_factory=lambda: [0] * (N_ROLES * N_CLASSES))
    swaps: int = 0
    phrases: int = 0
    kept: int = 0
    bare: int = 0
    rates: Counter[int] = field(default_factory=Counter)

    def look(self, tokens: Tokens, substitutions: Sequence[Substitution], solver: Solver) -> None:
        """Count a spun page: all of its tokens, and what was substituted on all of it.

        `solver` is any one of the language model and the channel; it says which words could be
        touched, and of which class they are.
        """
        words = len(tokens) - sum(kind in (PUNCTUATION, QUOTE) for kind in tokens.kind)
        if not words:
            return
        roles = _roles(tokens, solver)
        left = dict.fromkeys(roles, UNIT)
        swaps = 0
        for swap in substitutions:
            for token in range(swap.token, swap.token + swap.tokens):
                left[token] = max(left.get(token, 0) - _units(swap.posterior), 0)
            swaps += _units(swap.posterior)
            self._count(tokens, swap, roles.get(swap.token), solver)
        for token, role in roles.items():
            self.touchable[role * N_CLASSES + _class(tokens.symbol[token], solver)] += left[token]
        self.swaps += swaps
        self.rates[min(swaps // words, UNIT)] += 1

    def _count(self, tokens: Tokens, swap: Substitution, role: int | None, solver: Solver) -> None:
        for choice in swap.choices:
            often = _units(choice.posterior)
            if swap.tokens > 1 or " " in choice.original:
                self.phrases += often
            elif role is not None:
                of_class = _class(choice.original, solver)
                self.touchable[role * N_CLASSES + of_class] += often
                self.swapped[role * N_CLASSES + of_class] += often
                if of_class == INFLECTED:
                    self._count_inflection(
                        choice.original, tokens.symbol[swap.token], often, solver
                    )

    def _count_inflection(self, original: str, spun: str, often: int, solver: Solver) -> None:
        ending = next(filter(original.endswith, ENDINGS), None)
        if ending is None:
            return
        if spun.endswith(ending):
            self.kept += often
        elif _class(spun, solver) != INFLECTED:
            self.bare += often

    def add(self, other: Habits) -> None:
        """Add the counts of other pages; in which order, makes no difference."""
        self.touchable = [a + b for a, b in zip(self.touchable, other.touchable, strict=True)]
        self.swapped = [a + b for a, b in zip(self.swapped, other.swapped, strict=True)]
        self.swaps += other.swaps
        self.phrases += other.phrases
        self.kept += other.kept
        self.bare += other.bare
        self.rates.update(other.rates)

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as plain values."""
        return vars(self) | {"rates": sorted(self.rates.items())}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Habits:
        """Return the counts of plain values."""
        return cls(**{**told, "rates": Counter(dict(told["rates"]))})


def _roles(tokens: Tokens, solver: Solver) -> dict[int, int]:
    """The words that a spinner could touch, and what role they have."""
    roles = {}
    for i, symbol in enumerate(tokens.symbol):
        kind, flags = tokens.kind[i], tokens.flags[i]
        if kind in (WORD, CAPITAL) and not flags & PROTECTED and symbol.isalpha():
            role = solver.role(kind, flags, solver.model.number.get(symbol, UNKNOWN))
            if role >= 0:
                roles[i] = role
    return roles


def _class(word: str, solver: Solver) -> int:
    number = solver.model.number.get(word)
    return INFLECTED if number is None else solver.thesaurus.word_class[number]


def _units(posterior: float) -> int:
    return round(UNIT * posterior)


# --- what it comes to


class Share(NamedTuple):
    """So many of so many, which are expected numbers, or 0 of 0 where nothing is known."""

    part: float = 0.0
    whole: float = 0.0

    @property
    def ratio(self) -> float:
        """The part of the whole; 0 where nothing is known."""
        return self.part / self.whole if self.whole else 0.0


NOTHING = Share()


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The habits of a spinner.

    `rate` is that of the median page, `low` and `high` bound the half of the pages nearest to it.
    `frequent`, `lemmas` and `inflected` are the words of these classes that were swapped, of those
    that stood in lower case between white space. `capitals` and `touching` are the words swapped
    that had a capital or touched punctuation, of as many as there would be if they were treated
    like the others. `phrases` are of all swaps those with several words on either side, `inflects`
    of the inflected originals those whose ending was kept. `explained` are of all swaps those of
    originals that the table has seen several times, and `one_word` of these the ones by the word
    that is printed most: of a spinner that prints any of several words, few pairs are ever learned.
    """

    rate: float = 0.0
    low: float = 0.0
    high: float = 0.0
    frequent: Share = NOTHING
    lemmas: Share = NOTHING
    inflected: Share = NOTHING
    capitals: Share = NOTHING
    touching: Share = NOTHING
    phrases: Share = NOTHING
    inflects: Share = NOTHING
    explained: Share = NOTHING
    one_word: Share = NOTHING

    @classmethod
    def of(cls, habits: Habits, table: FamilyTable) -> Fingerprint:
        """Return the fingerprint of a spinner by what it did on pages, and its table."""
        by_class = [
            Share(habits.swapped[cell], habits.touchable[cell])
            for cell in range(FREE_ROLE * N_CLASSES, (FREE_ROLE + 1) * N_CLASSES)
        ]
        low, rate, high = _quartiles(habits.rates)
        one_word = commonest(table)
        return cls(
            rate=rate,
            low=low,
            high=high,
            frequent=_words(by_class[FREQUENT]),
            lemmas=_words(by_class[LEMMA]),
            inflected=_words(by_class[INFLECTED]),
            capitals=_words(_as_expected(habits, CAPITAL_ROLE, by_class)),
            touching=_words(_as_expected(habits, ATTACHED_ROLE, by_class)),
            phrases=_words(Share(habits.phrases, habits.swaps)),
            inflects=_words(Share(habits.kept, habits.kept + habits.bare)),
            explained=Share(one_word.whole, round(habits.swaps / UNIT, 1)),
            one_word=one_word,
        )

    @classmethod
    def read(cls, table: FamilyTable) -> Fingerprint | None:
        """Return the fingerprint in the header of a family's file, or None where there is none.

        The header of a merged family has the lines of all that it was merged of: what they have
        counted adds up, and their rates are averaged.

        Raises:
            FamilyError: a line of it says something else than it should.
        """
        told: dict[str, list[str]] = {key: [] for key in KEYS}
        for key, value in table.more:
            if key in told:
                told[key].append(value)
        if not any(told.values()):
            return None
        try:
            pages = [_range(value) for value in told[OF_PAGES]]
            return cls(
                rate=_mean([_rate(value) for value in told[RATE]]),
                low=_mean([low for low, _ in pages]),
                high=_mean([high for _, high in pages]),
                **{name: _sum(map(_share, told[key])) for name, key in _SHARES.items()},
            )
        except ValueError as fault:
            raise FamilyError(f"the header of the family {table.name} has {fault}") from None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        shares = {name: getattr(self, name)._asdict() for name in _SHARES}
        return {"rate": self.rate, "low": self.low, "high": self.high} | shares

    def lines(self) -> tuple[tuple[str, str], ...]:
        """Return the lines of a header that say it, as `FamilyTable.more` has them."""
        shares = [(key, getattr(self, name)) for name, key in _SHARES.items()]
        return (
            (RATE, f"{self.rate:g}"),
            (OF_PAGES, f"{self.low:g} to {self.high:g}"),
            *((key, f"{_told(part)} of {_told(whole)}") for key, (part, whole) in shares if whole),
        )

    def habits(self) -> tuple[str, ...]:
        """Return it in words, as `FamilyTable.habits` has them; what is not sure is not said."""
        usual = self.usual
        spared = [
            (self.frequent, usual, SPARED_COMMON, "spares the commonest words"),
            (self.lemmas, usual, SPARED, "spares base forms"),
            (self.inflected, usual, SPARED, "spares inflected words"),
            (self.capitals, 1.0, SPARED, "spares capitals"),
            (self.touching, 1.0, SPARED, "spares words that touch punctuation"),
        ]
        found = [said for share, of, most, said in spared if _is_spared(share, of, most)]
        if self.phrases.part >= TELLING and self.phrases.ratio >= PHRASES:
            found.append("replaces phrases")
        if self.one_word.ratio >= ONE_WORD and self.explained.ratio >= EXPLAINED:
            found.append("one word for each")
        elif self.explained.whole >= MANY and self._prints_several:
            found.append("several words for each")
        if self.inflects.whole >= TELLING and "spares inflected words" not in found:
            found.append("inflects" if self.inflects.ratio >= INFLECTS else "does not inflect")
        return tuple(found)

    @property
    def usual_word(self) -> Share:
        """The swaps by the word that is printed most for its original, of all swaps."""
        return Share(self.one_word.part, self.explained.whole)

    @property
    def _prints_several(self) -> bool:
        return self.one_word.ratio <= SEVERAL or self.explained.ratio <= UNEXPLAINED

    @property
    def usual(self) -> float:
        """The share of the words in lower case between white space that are swapped."""
        classes = (self.frequent, self.lemmas, self.inflected)
        return sum(c.part for c in classes) / max(sum(c.whole for c in classes), 1.0)


def marked(table: FamilyTable, habits: Habits) -> FamilyTable:
    """Return a table with its spinner's fingerprint in its header, in place of any that it had."""
    mark = Fingerprint.of(habits, table)
    kept = [line for line in table.more if line[0] not in KEYS]
    return replace(table, habits=mark.habits(), more=(*kept, *mark.lines()))


# Shares by the name of their fields, and the keys of their lines.
_SHARES = {
    each.name: each.name.replace("_", "-") for each in fields(Fingerprint) if each.type == "Share"
}
KEYS = (RATE, OF_PAGES, *_SHARES.values())
_DECIMAL = r"(\d{1,12}(?:\.\d{1,6})?)"


_RATE = r"(0(?:\.\d{1,6})?|1)"


def _rate(value: str) -> float:
    (rate,) = _numbers(value, _RATE, "0.21")
    return rate


def _range(value: str) -> tuple[float, float]:
    low, high = _numbers(value, f"{_RATE} to {_RATE}", "0.18 to 0.24")
    return low, high


def _share(value: str) -> Share:
    return Share(*_numbers(value, f"{_DECIMAL} of {_DECIMAL}", "12.5 of 4010"))


def _numbers(value: str, form: str, example: str) -> list[float]:
    """The numbers in a value.

    Raises:
        ValueError: it has another form.
    """
    match = re.fullmatch(form, value, re.ASCII)
    if match is None:
        shown = value if len(value) <= 40 else f"{value[:40]}…"
        raise ValueError(f"{shown!r} where a line like {example!r} has to be")
    return [float(number) for number in match.groups()]


def _told(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _sum(shares: Iterable[Share]) -> Share:
    parts, wholes = [0.0], [0.0]
    for share in shares:
        parts.append(share.part)
        wholes.append(share.whole)
    return Share(math.fsum(parts), math.fsum(wholes))


def _mean(numbers: Sequence[float]) -> float:
    return math.fsum(numbers) / max(len(numbers), 1)


def _is_spared(share: Share, expected: float, most: float) -> bool:
    """Whether no more are swapped than a part of the share that is expected."""
    return share.whole * expected >= TELLING and share.ratio <= most * expected


def _words(share: Share) -> Share:
    """A share of words, of one of thousandths."""
    return Share(round(share.part / UNIT, 1), round(share.whole / UNIT, 1))


def _as_expected(habits: Habits, role: int, by_class: Sequence[Share]) -> Share:
    """The words of a role that were swapped, of as many as by the shares of their classes."""
    cells = range(role * N_CLASSES, (role + 1) * N_CLASSES)
    expected = (
        habits.touchable[cell] * share.ratio for cell, share in zip(cells, by_class, strict=True)
    )
    return Share(sum(habits.swapped[cell] for cell in cells), math.fsum(expected))


def _quartiles(rates: Counter[int]) -> list[float]:
    """The rates of the pages a quarter, half and three quarters up."""
    total = sum(rates.values())
    found = []
    for quarter in (1, 2, 3):
        below = 0
        for rate in sorted(rates):
            below += rates[rate]
            if 4 * below >= quarter * total:
                found.append(rate / UNIT)
                break
    return found or [0.0] * 3


def commonest(table: FamilyTable) -> Share:
    """Return the swaps by the word that a table has seen most for its original, of all swaps of
    originals that it has seen `SEEN` times."""
    of_original: dict[str, list[float]] = defaultdict(list)
    for entry in table.entries:
        of_original[entry.original].append(entry.count)
    seen = [counts for counts in of_original.values() if sum(counts) >= SEEN]
    most, every = math.fsum(map(max, seen)), math.fsum(map(sum, seen))
    return Share(round(most, 1), round(every, 1))
