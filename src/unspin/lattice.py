"""The lattice of a text: every word as printed, beside every word it could have been spun from.

Built by the blocks of a text, solved by expectation-maximisation: the share of words replaced
and the weight of every source are whatever explains this text best. The loops are in
`kernels.lattice`.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection
from typing import NamedTuple

from unspin import text
from unspin.kernels.lattice import Lattice
from unspin.lm import CODE, EOS, NAME, UNKNOWN, LanguageModel
from unspin.text import ACRONYM, CAPITAL, FREE, PROTECTED, PUNCTUATION, QUOTE, Tokens
from unspin.thesaurus import Thesaurus

# Roles a word can have; a spinner may treat each its own way, so each has a rate of its own.
FREE_ROLE, ATTACHED_ROLE, CAPITAL_ROLE = range(3)
N_ROLES = 3
N_CLASSES = 3

INITIAL_RATE = 0.15
RATE_PRIOR, RATE_STRENGTH = 0.01, 10.0  # a clean text drives the rate to nothing
WEIGHT_STRENGTH = 0.3  # occurrences that the prior of the sources is worth
PARSIMONY = 3.0
SHARPEN_STRENGTH = 10.0
PASSES = 4
SHARP_PASSES = 1
BEAM, PRUNE = 3e-4, 1e-3
TRUST = 0.7
CACHE = 0.05
TOPIC, WINDOW = 0.1, 40
CACHE_PASSES = 2
MOST_CHOICES = 32
LEAST_POSTERIOR = 0.05  # below this a substitution is not worth a word
# Share of one dictionary word among all the words that the model lumps together as unknown.
UNKNOWN_SHARE = 1e-5


class Choice(NamedTuple):
    """A possible original of a token, its posterior and the sources (bit mask) that have it."""

    original: str
    posterior: float
    sources: int


class Substitution(NamedTuple):
    """A token, P(it was substituted), and its likely originals, best first."""

    token: int
    posterior: float
    choices: list[Choice]


class Solution(NamedTuple):
    """What the lattice says of a stretch of text.

    `log_ratio` is the natural log of P(text | spun as found) over P(text | as printed), over
    `eligible` words that the channel could have printed; `expected` is the expected number of
    them that were substituted, `taken` that by source.
    """

    log_ratio: float
    eligible: int
    expected: float
    taken: list[float]
    substitutions: list[Substitution]


class Solver:
    """A language model and a channel, ready to solve texts."""

    def __init__(
        self, model: LanguageModel, thesaurus: Thesaurus, without: Collection[str] = ()
    ) -> None:
        """`without` names sources of the channel to leave out, as when a family is unknown."""
        self.model = model
        self.thesaurus = thesaurus
        kept = [
            0.0 if name in without else weight
            for name, weight in zip(thesaurus.names, thesaurus.prior, strict=True)
        ]
        self._prior = array("d", (weight / sum(kept) for weight in kept))
        self._allowed = sum(1 << bit for bit, weight in enumerate(kept) if weight > 0)

    def solve(self, tokens: Tokens, first: int, last: int) -> Solution:
        """Solve the sentences from token `first` to token `last`."""
        columns = _Columns(self, tokens, first, last)
        kernel = columns.kernel(array("d", [INITIAL_RATE] * (N_ROLES * N_CLASSES)), array("d", self._prior))
        kernel.build()
        for _ in range(PASSES):
            kernel.expect()
            kernel.reestimate(RATE_PRIOR, RATE_STRENGTH, self._prior, WEIGHT_STRENGTH, PARSIMONY)
        ratio = kernel.expect()
        for _ in range(CACHE_PASSES):
            kernel.adapt(CACHE, TRUST, TOPIC, WINDOW)
            kernel.expect()
            kernel.reestimate(RATE_PRIOR, RATE_STRENGTH, self._prior, WEIGHT_STRENGTH, PARSIMONY)
            kernel.expect()
        for _ in range(SHARP_PASSES):
            kernel.sharpen(SHARPEN_STRENGTH)
            kernel.expect()
        return columns.solution(kernel, ratio)

    def _role(self, tokens: Tokens, i: int, number: int) -> int:
        """The role of a token that a spinner may have touched, -1 for any other."""
        flags = tokens.flags[i]
        if flags & PROTECTED:
            return -1
        if tokens.kind[i] == CAPITAL:
            name = number in (UNKNOWN, NAME) or self.model.capitals[number] > 127
            return -1 if name else CAPITAL_ROLE
        return FREE_ROLE if flags & FREE else ATTACHED_ROLE

    def _number(self, symbol: str, kind: int) -> int:
        number = self.model.number.get(symbol)
        if number is not None:
            return number
        if kind in (CAPITAL, ACRONYM):
            return NAME
        return CODE if kind == text.CODE else UNKNOWN


class _Columns:
    """The columns of numbers that the kernel works on, and the way back from them."""

    def __init__(self, solver: Solver, tokens: Tokens, first: int, last: int) -> None:
        self._solver = solver
        self._tokens: list[int] = [-1]  # token of every column entry, -1 for the ends of sentences
        self._words, self._slots = array("H", [EOS]), array("i", [-1])
        self._first = array("I", [0])
        self._role, self._unknown = bytearray(), array("d")
        self._printed, self._original, self._sources = array("H"), array("H"), array("H")
        slots: dict[tuple[str, int], int] = {}
        ends = set(tokens.sentences)
        for i in range(first, last):
            kind = tokens.kind[i]
            if i in ends and i > first:
                self._end_sentence()
            if kind == QUOTE:
                continue
            symbol = tokens.symbol[i]
            number = solver._number(symbol, kind)
            role = solver._role(tokens, i, number) if kind != PUNCTUATION else -1
            slot = -1
            if role >= 0:
                found = slots.get((symbol, role))
                if found is None:
                    found = slots[symbol, role] = self._add_slot(symbol, role, number)
                slot = found
            self._tokens.append(i)
            self._words.append(number)
            self._slots.append(slot)
        self._end_sentence()

    def _end_sentence(self) -> None:
        self._tokens.append(-1)
        self._words.append(EOS)
        self._slots.append(-1)

    def _add_slot(self, symbol: str, role: int, number: int) -> int:
        """The slot of a printed word in a role, or -1 if the channel has nothing to say of it."""
        thesaurus, allowed = self._solver.thesaurus, self._solver._allowed
        i = thesaurus.number.get(symbol)
        if i is None:
            return -1
        start, stop = thesaurus.first[i], thesaurus.first[i + 1]
        kept = [k for k in range(start, stop) if thesaurus.sources[k] & allowed][:MOST_CHOICES]
        self._original.extend(thesaurus.original[k] for k in kept)
        self._sources.extend(thesaurus.sources[k] & allowed for k in kept)
        self._first.append(len(self._original))
        self._role.append(role)
        self._unknown.append(UNKNOWN_SHARE if number == UNKNOWN else 1.0)
        self._printed.append(number)
        return len(self._role) - 1

    def kernel(self, rates: array[float], weights: array[float]) -> Lattice:
        self._rates, self._weights = rates, weights
        thesaurus = self._solver.thesaurus
        return Lattice(
            self._solver.model.ngrams, self._solver.model.topics, self._words, self._slots, self._first, self._role,
            self._unknown, self._printed, self._original, self._sources, thesaurus.fanout,
            thesaurus.word_class, len(thesaurus.names), rates, weights, BEAM, PRUNE,
        )  # fmt: skip

    def solution(self, kernel: Lattice, ratio: float) -> Solution:
        words = self._solver.model.words
        substitutions = []
        for position, posterior, choices in kernel.substituted(LEAST_POSTERIOR):
            originals = [Choice(words[self._original[c]], p, self._sources[c]) for c, p in choices]
            substitutions.append(Substitution(self._tokens[position], posterior, originals))
        eligible = sum(1 for slot in self._slots if slot >= 0)
        taken = kernel.taken()
        return Solution(ratio, eligible, sum(taken), taken, substitutions)
