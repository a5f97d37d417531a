"""The lattice of a text: every word as printed, beside every word it could have been spun from.

Built by the blocks of a text, solved by expectation-maximisation: the share of words replaced
and the weight of every source are whatever explains this text best. The loops are in
`kernels.lattice`.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from unspin.kernels.lattice import Lattice
from unspin.lm import EOS, NAME, UNKNOWN, LanguageModel, unknown_word
from unspin.text import CAPITAL, FREE, PROTECTED, PUNCTUATION, QUOTE, WORD, Tokens
from unspin.thesaurus import PHRASE, Thesaurus

# Roles a word can have; a spinner may treat each its own way, so each has a rate of its own.
FREE_ROLE, ATTACHED_ROLE, CAPITAL_ROLE = range(3)
N_ROLES = 3
N_CLASSES = 3

# The numbers below were chosen on the half of the development pages that `train.calibrate` uses
# (families and sources as in `train.samples`), by the share of words put back at equal precision.
INITIAL_RATE = 0.15  # share of words replaced, before anything is known
RATE_PRIOR, RATE_STRENGTH = 0.01, 10.0  # a clean text drives the rate to nothing
WEIGHT_STRENGTH = 0.3  # occurrences that the prior of the sources is worth
PARSIMONY = 3.0  # words a source has to explain before it counts for half
SHARPEN_STRENGTH = 10.0  # occurrences of a word that the channel is worth against the text's habit
PASSES = 4  # of expectation-maximisation; more change nothing
HOPELESS = 0.01  # nats a word after a pass below which more passes never made a page suspect
FLUENT = 2e-3  # P(word and next | before) from which a word is at home and not looked into
BEAM, PRUNE = 3e-4, 3e-4  # share of the probability below which a choice, or a pair, is dropped
TRUST = 0.75  # power of the n-gram model's ratios when words are put back
CACHE = 0.02  # weight of the text's own words
TOPIC, WINDOW = 0.05, 100  # weight of a word's company, and how many tokens away it reaches
CACHE_PASSES = 2
MOST_CHOICES = 32  # originals looked into for one printed word
MOST_PHRASES = 24  # that begin at one token or run through it
LEAST_KEPT = 1e-3  # P(a word was not substituted), however sure the lattice is: one is no proof
AT_HOME = 0.5  # log of how much likelier beside its neighbours a word is whose doubt counts half
LEAST_POSTERIOR = 0.05  # below this a substitution is not worth a word
LEAST_CHOICE = 0.005  # below this an alternative is not worth naming
# Share of one dictionary word among all the words that the model lumps together as unknown. Many
# of them in one text are a sign of spinning; but none is replaced for being rare alone.
UNKNOWN_SHARE = 1e-5
LENIENT_SHARE = 1e-3


class Choice(NamedTuple):
    """A possible original of a token, its posterior and the sources (bit mask) that have it."""

    original: str
    posterior: float
    sources: int


class Substitution(NamedTuple):
    """`tokens` tokens from `token` on, P(they were substituted), and their likely originals, best
    first."""

    token: int
    tokens: int
    posterior: float
    choices: list[Choice]


class Doubt(NamedTuple):
    """How far a word's being the original is in doubt: -log P, in nats, less where it is at home
    with a neighbour; a phrase is in doubt at its first word. Occurrences of one word in one role
    have the same `slot`."""

    token: int
    slot: int
    nats: float


class Phrases:
    """The phrases of the channel that a text holds, as columns for the kernel.

    A phrase stands in the text where its printed words do; `choice` and `place` list, for every
    token, the phrases that begin there or run through it.
    """

    def __init__(self) -> None:
        self.words, self.span, self.fan = array("H"), bytearray(), array("H")
        self.source = bytearray()
        # The text's first entry is the end of a sentence, where no phrase begins.
        self.first, self.choice, self.place = array("I", [0, 0]), array("i"), bytearray()
        self._numbers: dict[int, range] = {}  # of the phrases of an entry of the channel
        self._ahead: list[list[tuple[range, int]]] = []  # (phrases, place) of the tokens to come

    def add(self, entry: int, thesaurus: Thesaurus, span: int) -> None:
        """Say that a phrase of the channel, of so many printed words, starts at this token."""
        numbers = self._numbers.get(entry)
        if numbers is None:
            numbers = self._numbers[entry] = self._number(entry, thesaurus, span)
        while len(self._ahead) < span:
            self._ahead.append([])
        for place in range(span):
            self._ahead[place].append((numbers, place))

    def _number(self, entry: int, thesaurus: Thesaurus, span: int) -> range:
        """Enter the phrases of an entry of the channel, and return their numbers."""
        start, stop = thesaurus.phrase_first[entry], thesaurus.phrase_first[entry + 1]
        self.words.frombytes(thesaurus.phrase_words[PHRASE * start : PHRASE * stop].tobytes())
        self.fan.frombytes(thesaurus.phrase_fan[start:stop].tobytes())
        self.source.extend(thesaurus.phrase_source[start:stop])
        before = len(self.span)
        self.span.extend([span] * (stop - start))
        return range(before, len(self.span))

    def close_token(self) -> None:
        """The phrases of this token are complete."""
        if self._ahead:
            for numbers, place in self._ahead.pop(0):
                self.choice.extend(numbers)
                self.place.extend([place] * len(numbers))
            most = self.first[-1] + MOST_PHRASES
            del self.choice[most:], self.place[most:]
        self.first.append(len(self.choice))

    def number_from(self, words: int) -> None:
        """Phrases are numbered after the choices for single words."""
        self.choice = array("i", [number + words for number in self.choice])


class Solver:
    """A language model and a channel, ready to solve texts."""

    def __init__(
        self, model: LanguageModel, thesaurus: Thesaurus, without: Collection[str] = ()
    ) -> None:
        """`without` names sources of the channel to leave out, as when a family is unknown."""
        self.model = model
        self.thesaurus = thesaurus.without(without) if without else thesaurus

    def solve(self, tokens: Tokens, first: int, last: int) -> Solution:
        """Solve the sentences from token `first` to token `last`."""
        return Solution(_Columns(self, tokens, first, last))

    def role(self, kind: int, flags: int, number: int) -> int:
        """The role of an unprotected word, or -1 for a name at the start of a sentence."""
        if kind == CAPITAL:
            name = number in (UNKNOWN, NAME) or self.model.capitals[number] > 127
            return -1 if name else CAPITAL_ROLE
        return FREE_ROLE if flags & FREE else ATTACHED_ROLE


class Solution:
    """What the lattice says of a stretch of text.

    `log_ratio` is the natural log of P(text | spun as found) over P(text | as printed), over
    `eligible` words that the channel could have printed.
    """

    def __init__(self, columns: _Columns) -> None:
        self._columns = columns
        self._prior = array("d", columns.solver.thesaurus.prior)
        self._kernel = columns.kernel(self._prior)
        self._kernel.build()
        self.eligible = columns.eligible
        self.log_ratio = self._kernel.expect()
        for done in range(PASSES):
            if done and self.log_ratio < HOPELESS * self.eligible:
                break
            self._reestimate()
            self.log_ratio = self._kernel.expect()

    def doubts(self, slots: int = 0) -> list[Doubt]:
        """The doubt about every word that the channel could have printed, in order.

        Slots are numbered from `slots` on, which is how many the text before has.
        """
        tokens = self._columns.tokens
        return [
            Doubt(
                tokens[position], slots + slot, -math.log(max(kept, LEAST_KEPT)) * _strangeness(fit)
            )
            for position, slot, kept, fit in self._kernel.kept_posteriors()
        ]

    def taken(self) -> list[float]:
        """Expected number of substitutions by every source."""
        return self._kernel.taken()

    def suspected(self, least: float) -> list[tuple[int, int, float]]:
        """(token, number of tokens, posterior) of what was substituted with posterior `least` or
        more."""
        tokens = self._columns.tokens
        return [
            (tokens[position], span, posterior)
            for position, span, posterior, _ in self._kernel.substituted(least, LEAST_CHOICE)
        ]

    def substitutions(
        self, least: float = LEAST_POSTERIOR, least_choice: float = LEAST_CHOICE
    ) -> list[Substitution]:
        """The words that were substituted with posterior `least` or more, in order, each with its
        originals of more than `least_choice`.

        Detection trusts the n-grams as they are; this goes on to let the text's own subject and
        habits speak, and is only worth its time for a text that may be spun. Call it once.
        """
        kernel = self._kernel
        self._columns.set_unknown_share(LENIENT_SHARE)
        for _ in range(CACHE_PASSES):
            kernel.adapt(CACHE, TRUST, TOPIC, WINDOW)
            kernel.expect()
            self._reestimate()
            kernel.expect()
        kernel.sharpen(SHARPEN_STRENGTH)
        kernel.expect()
        return self._columns.substitutions(kernel.substituted(least, least_choice))

    def _reestimate(self) -> None:
        self._kernel.reestimate(RATE_PRIOR, RATE_STRENGTH, self._prior, WEIGHT_STRENGTH, PARSIMONY)


def all_doubts(solutions: Iterable[Solution]) -> list[Doubt]:
    """The doubts of all stretches of a text, in order; a slot's number is its own in each."""
    found: list[Doubt] = []
    slots = 0
    for solution in solutions:
        doubts = solution.doubts(slots)
        slots = max((doubt.slot + 1 for doubt in doubts), default=slots)
        found += doubts
    return found


def _strangeness(fit: float) -> float:
    """How far a doubt counts, from 0 to 1: a spinner's word is at home with neither neighbour, an
    uncommon writer's at least with one."""
    return 1.0 / (1.0 + math.exp(min(fit - AT_HOME, 50.0)))


class _Columns:
    """The columns of numbers that the kernel works on, and the way back from them."""

    def __init__(self, solver: Solver, tokens: Tokens, first: int, last: int) -> None:
        self.solver = solver
        self.eligible = 0
        self._phrases = Phrases()
        self.tokens = array("i", [-1])  # token of every entry, -1 for the ends of sentences
        self._words, self._slots = array("H", [EOS]), array("i", [-1])
        self._first = array("I", [0])
        self._role, self._unknown = bytearray(), array("d")
        self._printed, self._original, self._sources = array("H"), array("H"), array("H")
        slots: list[dict[str, int]] = [{} for _ in range(N_ROLES)]  # of the words in every role
        ends = set(tokens.sentences)
        symbols, kinds, flags = tokens.symbol, tokens.kind, tokens.flags
        numbers = solver.model.number
        heads, phrases = solver.thesaurus.heads, solver.thesaurus.phrase_number
        add_token, add_word = self.tokens.append, self._words.append
        add_slot = self._slots.append
        for i in range(first, last):
            kind = kinds[i]
            if i in ends and i > first:
                self._end_sentence()
            if kind == QUOTE:
                continue
            symbol = symbols[i]
            number = numbers.get(symbol)
            if number is None:
                number = unknown_word(kind)
            slot = -1
            if kind != PUNCTUATION and not flags[i] & PROTECTED:
                role = solver.role(kind, flags[i], number)
                if role >= 0:
                    found = slots[role].get(symbol)
                    if found is None:
                        found = slots[role][symbol] = self._add_slot(symbol, role, number)
                    slot = found
                    self.eligible += slot >= 0
                entry = phrases.get(symbol)
                if entry is not None:
                    self._phrases.add(entry, solver.thesaurus, 1)
                if i + 1 < last:
                    longest = heads.get(f"{symbol} {symbols[i + 1]}")
                    if longest is not None:
                        self._add_phrases(tokens, i, longest, ends)
            add_token(i)
            add_word(number)
            add_slot(slot)
            self._phrases.close_token()
        self._end_sentence()
        self._phrases.number_from(len(self._original))
        self._original.extend(self._phrases.words[::PHRASE])

    def _end_sentence(self) -> None:
        self.tokens.append(-1)
        self._words.append(EOS)
        self._slots.append(-1)
        self._phrases.close_token()

    def _add_phrases(self, tokens: Tokens, i: int, longest: int, ends: set[int]) -> None:
        """Add the channel's phrases of several printed words that start at token i."""
        thesaurus = self.solver.thesaurus
        printed = tokens.symbol[i]
        for span in range(2, longest + 1):
            k = i + span - 1
            word = k < len(tokens) and tokens.kind[k] in (WORD, CAPITAL)
            if not word or tokens.flags[k] & PROTECTED or k in ends:
                break
            printed = f"{printed} {tokens.symbol[k]}"
            entry = thesaurus.phrase_number.get(printed)
            if entry is not None:
                self._phrases.add(entry, thesaurus, span)

    def _add_slot(self, symbol: str, role: int, number: int) -> int:
        """The slot of a printed word in a role, or -1 if the channel has nothing to say of it."""
        thesaurus = self.solver.thesaurus
        i = thesaurus.number.get(symbol)
        if i is None:
            return -1
        start = thesaurus.first[i]
        stop = min(thesaurus.first[i + 1], start + MOST_CHOICES)
        self._original.frombytes(thesaurus.original[start:stop].tobytes())
        self._sources.frombytes(thesaurus.sources[start:stop].tobytes())
        self._first.append(len(self._original))
        self._role.append(role)
        self._unknown.append(UNKNOWN_SHARE if number == UNKNOWN else 1.0)
        self._printed.append(number)
        return len(self._role) - 1

    def set_unknown_share(self, share: float) -> None:
        """How likely a printed word is that the language model does not know."""
        for slot, number in enumerate(self._printed):
            if number == UNKNOWN:
                self._unknown[slot] = share

    def kernel(self, weights: Sequence[float]) -> Lattice:
        """A lattice over these columns, with rates and weights of its own."""
        model, thesaurus = self.solver.model, self.solver.thesaurus
        return Lattice(
            model.ngrams, model.topics, self._words, self._slots, self._first, self._role,
            self._unknown, self._printed, self._original, self._sources, thesaurus.masks,
            thesaurus.fanout, thesaurus.word_class, len(thesaurus.names),
            array("d", [INITIAL_RATE] * (N_ROLES * N_CLASSES)), array("d", weights),
            self._phrases, FLUENT, BEAM, PRUNE,
        )  # fmt: skip

    def substitutions(
        self, found: list[tuple[int, int, float, list[tuple[int, float]]]]
    ) -> list[Substitution]:
        """What the kernel found, in words."""
        return [
            Substitution(
                self.tokens[position],
                span,
                posterior,
                [self._choice(choice, p) for choice, p in choices],
            )
            for position, span, posterior, choices in found
        ]

    def _choice(self, choice: int, posterior: float) -> Choice:
        words = self.solver.model.words
        k = choice - len(self._sources)
        if k < 0:
            mask = self.solver.thesaurus.masks[self._sources[choice]]
            return Choice(words[self._original[choice]], posterior, mask)
        phrase = self._phrases.words[PHRASE * k : PHRASE * (k + 1)]
        original = " ".join(words[number] for number in phrase if number)
        return Choice(original, posterior, 1 << self._phrases.source[k])
