"""From what the lattice found to what a reading says: edits, suspects and the family."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from unspin import text
from unspin.calibration import Calibration, Evidence, Guess
from unspin.lattice import Substitution
from unspin.reading import UNKNOWN_FAMILY, Edit, Family, Suspect
from unspin.text import Tokens
from unspin.thesaurus import Thesaurus

SUSPICION = 0.5  # P(substituted) from which a word is put back, or reported if it cannot be
ALTERNATIVES = 4

# A family has a name where its own tables and rules account for this share of the substitutions.
# Spinners like SpinBot print much beside that every thesaurus has.
FAMILIES: Mapping[str, tuple[frozenset[str], float]] = {
    "element": (frozenset(["element", "element rule", "element orbit"]), 0.5),
    "SpinBot-like": (frozenset(["phrase", "tortured word"]), 0.2),
}
OWN_SHARE = 0.5  # likewise of a family that was given as a table, and is a source of its own
LEAST_TAKEN = 5.0  # substitutions without which no family is named


class Restoration(NamedTuple):
    """What may be put back, each edit with its confidence, and the words that only are suspect."""

    edits: tuple[Edit, ...]
    suspects: tuple[Suspect, ...]


class Restorer:
    """Turns the substitutions of one page into edits.

    `taken` is the expected number of substitutions by source name; `words` that of the page.
    """

    def __init__(
        self,
        calibration: Calibration,
        thesaurus: Thesaurus,
        evidence: Evidence,
        taken: Mapping[str, float],
        words: int,
    ) -> None:
        self.family = name_family(taken, thesaurus.families)
        self._calibration = calibration
        self._thesaurus = thesaurus
        self._evidence = evidence
        self._shares = _shares(taken)
        self._rate = sum(taken.values()) / max(words, 1)

    def restore(
        self, source: str, tokens: Tokens, substitutions: Sequence[Substitution]
    ) -> Restoration:
        """Return an edit for every likely substitution that has an original, the surer one where
        two overlap, and the suspects among the others."""
        edits: list[Edit] = []
        suspects: list[Suspect] = []
        guesses = self.guesses(tokens, substitutions)
        for found, guess in zip(substitutions, guesses, strict=True):
            if found.posterior < SUSPICION:
                continue
            edit = self._edit(source, tokens, found, guess)
            if edit is not None:
                edits.append(edit)
            elif found.tokens == 1:
                start, end = _span(tokens, found)
                suspects.append(Suspect(start, end, source[start:end], found.posterior))
        return Restoration(_compatible(edits), tuple(suspects))

    def guesses(self, tokens: Tokens, substitutions: Sequence[Substitution]) -> list[Guess]:
        """Return what is known of the best original of every substitution."""
        printed = [" ".join(_symbols(tokens, found)) for found in substitutions]
        repeated = Counter(printed)
        agreeing = Counter(zip(printed, map(_original, substitutions), strict=True))
        return [
            Guess(
                posterior=_posterior(found, 0),
                substituted=found.posterior,
                runner_up=_posterior(found, 1),
                share=max((self._shares[name] for name in self._sources(found)), default=0.0),
                repeated=repeated[word] - 1,
                agreeing=agreeing[word, _original(found)] - 1,
            )
            for word, found in zip(printed, substitutions, strict=True)
        ]

    def _edit(self, source: str, tokens: Tokens, found: Substitution, guess: Guess) -> Edit | None:
        """The edit that undoes a substitution by its best original."""
        start, end = _span(tokens, found)
        printed = source[start:end]
        if not found.choices:
            return None
        best, *others = found.choices
        original = text.transfer_case(printed, best.original)
        if original == printed:
            return None
        confidence = self._calibration.right(guess, self._evidence, self._rate)
        # What the best original leaves is for the others and the word as printed to share.
        left = (1.0 - confidence) / max(1.0 - best.posterior, 1e-9)
        kept = (printed, left * max(1.0 - found.posterior, 0.0))
        ranked = [(text.transfer_case(printed, o.original), left * o.posterior) for o in others]
        alternatives = sorted([kept, *ranked], key=lambda alternative: -alternative[1])
        return Edit(
            start,
            end,
            printed,
            original,
            confidence,
            tuple(alternatives[:ALTERNATIVES]),
            self._reason(found),
        )

    def _sources(self, found: Substitution) -> tuple[str, ...]:
        """The sources that swap the printed word and its best original."""
        return self._thesaurus.source_names(found.choices[0].sources) if found.choices else ()

    def _reason(self, found: Substitution) -> str:
        source = max(self._sources(found), key=lambda name: self._shares[name])
        named = self.family.name not in (source, UNKNOWN_FAMILY)
        return f"{self.family.name}: {source}" if named else source


def name_family(taken: Mapping[str, float], given: Collection[str] = ()) -> Family:
    """Return the family that the sources of a page's substitutions point to.

    `given` are the sources that are families of their own, as `Thesaurus.families`.

    >>> name_family({"element": 30.0, "MyThes": 2.0}).name
    'element'
    >>> name_family({"Moby": 30.0, "element": 2.0})
    Family(name='unknown', weights={'Moby': 0.9375, 'element': 0.0625})
    >>> name_family({"Moby": 10.0, "wave": 30.0}, ["wave"]).name
    'wave'
    """
    shares = _shares(taken)
    weights = {
        name: round(share, 4)
        for name, share in sorted(shares.items(), key=lambda item: -item[1])
        if share >= 0.005
    }
    if sum(taken.values()) >= LEAST_TAKEN:
        likeliest = max(given, key=lambda name: shares.get(name, 0.0), default="")
        if shares.get(likeliest, 0.0) >= OWN_SHARE:
            return Family(likeliest, weights)
        for family, (sources, least) in FAMILIES.items():
            if sum(share for name, share in shares.items() if name in sources) >= least:
                return Family(family, weights)
    return Family(UNKNOWN_FAMILY, weights)


def _shares(taken: Mapping[str, float]) -> dict[str, float]:
    everything = sum(taken.values()) or 1.0
    return {name: count / everything for name, count in taken.items()}


def _symbols(tokens: Tokens, found: Substitution) -> Iterable[str]:
    return tokens.symbol[found.token : found.token + found.tokens]


def _original(found: Substitution) -> str:
    return found.choices[0].original if found.choices else ""


def _posterior(found: Substitution, rank: int) -> float:
    return found.choices[rank].posterior if rank < len(found.choices) else 0.0


def _span(tokens: Tokens, found: Substitution) -> tuple[int, int]:
    return tokens.start[found.token], tokens.end[found.token + found.tokens - 1]


def _compatible(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """The edits, the surer one where two overlap."""
    kept: list[Edit] = []
    taken: set[int] = set()
    for edit in sorted(edits, key=lambda edit: -edit.confidence):
        if taken.isdisjoint(range(edit.start, edit.end)):
            taken.update(range(edit.start, edit.end))
            kept.append(edit)
    return tuple(sorted(kept, key=lambda edit: edit.start))
