"""Tortured phrases: which established terms does a text print in a spinner's words?

"Counterfeit consciousness" stands for artificial intelligence, "profound neural organization" for
deep neural network. Cabanac, Labbé and Magazinov ("Tortured phrases", arXiv 2107.06751) collect
such phrases; `Finder` looks for those on their list, and by the channel for those on no list: a
phrase that the language hardly knows, each word of which a spinner may have printed for the word
of a known term, or that is the term's own.

A finding is a marker of risk for a reader to look into. It never establishes who wrote a text, or
how, and has no say in the verdict on the page.
"""

from __future__ import annotations

import math
import re
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from unspin import arrays
from unspin.arrays import ModelError
from unspin.lm import CODE, NAME, UNKNOWN, LanguageModel, unknown_word
from unspin.text import CAPITAL, PROTECTED, QUOTE, WORD, Tokens
from unspin.thesaurus import FREQUENT, Choice, Thesaurus

__all__ = ["Finder", "Finding", "PhraseEvidence", "Weights", "fold", "write"]

ODD = 0.7  # log10 of how much likelier a word may be after those before it than anywhere
NEAR = 12  # tokens within which the term itself beside a phrase says that the page explains it
BEFORE = 3  # words before a phrase that its fit depends on
MOST_TERMS = 12  # terms considered at one place
MOST_REMEMBERED = 50_000  # pairs of words; bounds the memory of a finder that reads for days
AFFECTED = 2  # words after a phrase whose fit depends on it
LEAST = -2.6  # log10 of P(printed | original) below which a thesaurus says too little
COGNATE = -1.0  # log10 of P(another word of the same stem), which is hardly a spinner's choice
UNSEEN = -4.0  # log10 of the share that one word has of those outside the vocabulary
RAREST = -6.0  # log10 P of a word outside the vocabulary
COUNTED = 5.0  # log10 of the words of text that the swaps of the list are compared with
DOUBTFUL = -0.5  # the same logarithm below which a word makes nobody look further
EXOTIC = 0.5  # from which a word is asked about though the term is unknown
MOST_TAUGHT = 3  # originals of it that are tried then
SMOOTHING = 3.0  # swaps added to those that the list shows for a word

_SAME, _RELATED, _TAUGHT = range(3)  # how a printed word comes by an original
_BARRED, _READABLE, _FREE = range(3)  # a name may be part of a listed phrase, nothing else

# A page that speaks of them quotes them.
_ABOUT = re.compile(r"\btortured\s+(?:phrase|expression|term|word)", re.IGNORECASE)
_DOUBLE_QUOTES = frozenset('"“”„‟«»')


@dataclass(frozen=True, slots=True)
class Finding:
    """A printed phrase that may stand for an established term.

    `start` and `end` are code points into the text. `probability` is that of the phrase standing
    for `expected`, on pages with one such phrase in a thousand words. `reason` names the list
    with its version, or says what the channel goes by.
    """

    start: int
    end: int
    printed: str
    expected: str
    probability: float
    reason: str


class PhraseEvidence(NamedTuple):
    """What speaks for a phrase standing for a term; logarithms are to base 10."""

    channel: float  # log P(printed | original), mean of the words swapped
    gain: float  # log of how much better than the printed words the term fits into its place
    oddity: float  # log of how much likelier the printed words are together than apart, a word
    strength: float  # the same of the term's words
    listed: float  # 1 if the list expects the term
    known: float  # 1 if the term is one that the list or the corpora know
    taught: float  # share of the swaps that other pairs of the list show
    exotic: float  # log of how much more often spinners print the words swapped than people do
    whole: float  # 1 if every word was swapped
    words: float  # words of the phrase beyond two


class Weights(NamedTuple):
    """What the evidence counts; fitted by `train.tortured`.

    `on_list` is the probability of a phrase on the list, `threshold` that from which a phrase
    that is not on it is reported.
    """

    intercept: float
    evidence: PhraseEvidence
    on_list: float
    threshold: float

    def probability(self, evidence: PhraseEvidence) -> float:
        """P(the phrase stands for the term)."""
        terms = zip(self.evidence, evidence, strict=True)
        score = self.intercept + sum(weight * value for weight, value in terms)
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(score, 30.0))))


class Term(NamedTuple):
    """An established term: its words as they are written and folded."""

    words: tuple[str, ...]
    folded: tuple[str, ...]
    listed: bool
    known: bool = True


class Candidate(NamedTuple):
    """A phrase of a text, by its positions among the words, that may stand for a term."""

    first: int
    last: int  # one past the last word
    expected: str
    probability: float
    reason: str
    evidence: PhraseEvidence | None  # None if the phrase is on the list


# Listed phrases and the terms expected, by their second word ("" if there is none).
_Entries = dict[str, list[tuple[tuple[str, ...], str]]]


class _Word(NamedTuple):
    """What is known of a printed word."""

    symbol: str
    fold: str
    originals: dict[str, tuple[float, int]]  # to log10 P(printed | original), and how
    entries: _Entries  # the listed phrases that start with it
    exotic: float  # log10 of how much more often spinners print it than people do
    taught: tuple[str, ...]  # the originals that pairs of the list show, the likeliest first


class _View(NamedTuple):
    """The words of a text without the hyphens inside of them, as columns; positions are those of
    the tokens, `free` says of each whether a spinner may have printed it, `readable` whether it
    may be part of a listed phrase."""

    token: list[int]
    word: list[_Word | None]
    number: list[int]
    score: list[float]
    readable: list[bool]
    free: list[bool]


class Finder:
    """Finds tortured phrases; made once for a model, then asked about any number of texts.

    `source` names the list, its licence and its version (the number of its entries and the first
    digits of the SHA-256 of the file that it was made from).

    >>> from unspin.reader import MODEL
    >>> from unspin.text import tokenize
    >>> model = LanguageModel(MODEL / "lm.bin")
    >>> finder = Finder(model, Thesaurus(MODEL / "channel.bin"), MODEL / "tortured.bin")
    >>> text = "They apply counterfeit consciousness to scans."
    >>> [(f.printed, f.expected) for f in finder.findings(text, tokenize(text))]
    [('counterfeit consciousness', 'artificial intelligence')]
    """

    def __init__(self, model: LanguageModel, thesaurus: Thesaurus, path: Path) -> None:
        """Open the list and the terms.

        Raises:
            ModelError: the file is missing, damaged or of another version.
        """
        file = arrays.read(path, "tortured phrases")
        try:
            weights = dict(file.meta["weights"])
            evidence = PhraseEvidence(**weights.pop("evidence"))
            self.weights = Weights(evidence=evidence, **weights)
            self.source: dict[str, str] = dict(file.meta["source"])
            entries = _unpacked(file.arrays["entries"])
            terms = _unpacked(file.arrays["terms"])
            swaps = _unpacked(file.arrays["swaps"])
        except (KeyError, TypeError, ValueError, zlib.error) as error:
            raise ModelError(f"model file {path} cannot be read: {error!r}") from None
        self._model, self._thesaurus = model, thesaurus
        self._unigrams = [math.log10(max(p, 1e-37)) for p in model.unigrams]
        self._entries = _by_head(entries)
        self._entry_words = {word for phrase, _ in entries for word in phrase.split(" ")}
        self._terms: dict[str, dict[str, list[Term]]] = {}
        for written, listed in terms:
            words = tuple(written.split(" "))
            term = Term(words, tuple(map(fold, words)), listed == "1")
            by_second = self._terms.setdefault(term.folded[0], {})
            by_second.setdefault(term.folded[1], []).append(term)
        self._term_words = {fold(word) for written, _ in terms for word in written.split(" ")}
        self._swaps: dict[str, dict[str, float]] = {}
        for printed, original, count in swaps:
            self._swaps.setdefault(printed, {})[original] = float(count)
        self._swapped: dict[str, float] = {}
        for _, original, count in swaps:
            self._swapped[original] = self._swapped.get(original, SMOOTHING) + float(count)
        self._known: dict[str, _Word] = {}
        self._pairs: dict[tuple[str, str], list[Term]] = {}
        self._strength: dict[tuple[str, ...], float] = {}

    def findings(self, text: str, tokens: Tokens) -> list[Finding]:
        """The tortured phrases of a text, in order, none overlapping another.

        `tokens` are the text's, with whatever must not be looked at (furniture, say) flagged as
        PROTECTED. Names are no part of what the channel finds; a listed phrase may stand in
        capitals inside a sentence. Left out is what the page itself talks about: phrases in
        quotation marks or with the term itself beside them, and everything on a page that
        speaks of tortured phrases.
        """
        if _ABOUT.search(text):
            return []
        found = []
        for candidate, first, last in self._kept(tokens, self.weights.threshold):
            if _is_quoted(tokens, first, last):
                continue
            if _is_explained(tokens, first, last, candidate.expected):
                continue
            start, end = tokens.start[first], tokens.end[last]
            found.append(
                Finding(
                    start,
                    end,
                    text[start:end],
                    candidate.expected,
                    candidate.probability,
                    candidate.reason,
                )
            )
        return found

    def candidates(self, tokens: Tokens) -> list[tuple[Candidate, int, int]]:
        """Whatever may stand for a term, however unlikely, with its first and last token."""
        return self._kept(tokens, 0.0)

    def _kept(self, tokens: Tokens, threshold: float) -> list[tuple[Candidate, int, int]]:
        """Of the candidates that overlap the listed ones and the likelier ones, with their
        first and last tokens."""
        view = self._view(tokens)
        candidates = [c for c in self._all(view) if c.evidence is None or c.probability > threshold]
        candidates.sort(key=lambda c: (c.evidence is not None, -c.probability, c.first - c.last))
        taken: set[int] = set()
        kept = []
        for candidate in candidates:
            span = range(candidate.first, candidate.last)
            first, last = view.token[span[0]], view.token[span[-1]]
            if taken.isdisjoint(span) and _sentence(tokens, first) == _sentence(tokens, last):
                taken.update(span)
                kept.append((candidate, first, last))
        return sorted(kept, key=lambda entry: entry[1])

    def _view(self, tokens: Tokens) -> _View:
        hyphens = _joining_hyphens(tokens)
        token = [i for i in range(len(tokens)) if i not in hyphens]
        known, number, kinds = self._known, self._model.number, tokens.kind
        words: list[_Word | None] = []
        numbers = []
        for i in token:
            symbol = tokens.symbol[i]
            words.append(known.get(symbol) or self._look_up(symbol))
            n = number.get(symbol)
            numbers.append(unknown_word(kinds[i]) if n is None else n)
        states = _states(tokens)
        free = [states[i] == _FREE for i in token]
        readable = [states[i] >= _READABLE for i in token]
        return _View(token, words, numbers, self._model.ngrams.score(numbers), readable, free)

    def _look_up(self, symbol: str) -> _Word | None:
        """What is known of a printed word; remembered if the model knows the word."""
        thesaurus, model = self._thesaurus, self._model
        folded = fold(symbol)
        originals: dict[str, tuple[float, int]] = {}
        n = model.number.get(symbol)
        frequent = n is not None and thesaurus.word_class[n] == FREQUENT
        for choice in () if frequent else thesaurus.choices(symbol, model.words):
            original = fold(choice.original)
            if original in self._term_words:
                log_p = self._channel(choice)
                if log_p >= max(LEAST, originals.get(original, (LEAST, 0))[0]):
                    originals[original] = (log_p, _RELATED)
        shown = self._swaps.get(folded, {}) if not frequent or len(folded) > 3 else {}
        for original, count in shown.items():
            log_p = math.log10(count / self._swapped[original])
            known = originals.get(original, (log_p, 0))[0]
            originals[original] = (max(log_p, known), _TAUGHT)
        for original in originals:
            if _are_cognate(original, folded):
                originals[original] = (COGNATE, _SAME)
        originals[folded] = (0.0, _SAME)
        taught = sorted((-p, o) for o, (p, how) in originals.items() if how == _TAUGHT)
        rarity = self._unigrams[n] if n is not None else RAREST
        printed = sum(self._swaps.get(folded, {}).values())
        exotic = math.log10(printed + 0.1) - rarity - COUNTED
        entries = self._entries.get(folded, {})
        useful = len(originals) > 1 or folded in self._term_words or folded in self._entry_words
        if not useful and n is None:
            return None
        best = tuple(original for _, original in taught[:MOST_TAUGHT])
        word = self._known[symbol] = _Word(symbol, folded, originals, entries, exotic, best)
        return word

    def _channel(self, choice: Choice) -> float:
        """log10 P(printed | original) by the sources of the thesaurus."""
        thesaurus = self._thesaurus
        row = self._model.number[choice.original] * len(thesaurus.names)
        bits = map(thesaurus.names.index, choice.sources)
        p = sum(thesaurus.prior[bit] / max(thesaurus.fanout[row + bit], 1) for bit in bits)
        return math.log10(max(p, 1e-6))

    def _all(self, view: _View) -> Iterator[Candidate]:
        """Every phrase that is on the list or may stand for a term."""
        unigrams = self._unigrams
        odd = [s - unigrams[n] < ODD for s, n in zip(view.score, view.number, strict=True)]
        readable, free, words = view.readable, view.free, view.word
        spinners = [word is not None and word.exotic >= DOUBTFUL for word in words]
        odd += (False, False)
        spinners += (False, False)
        for i, one in enumerate(words):
            if one is None or not readable[i]:
                continue
            if one.entries:
                yield from self._listed(view, i, one.entries)
            if (
                (odd[i + 1] or odd[i + 2])
                and (spinners[i] or spinners[i + 1] or spinners[i + 2])
                and free[i]
                and i + 1 < len(words)
            ):
                two = words[i + 1]
                if two is not None and free[i + 1]:
                    for term in self._possible(one, two):
                        candidate = self._weigh(view, i, term)
                        if candidate is not None:
                            yield candidate

    def _listed(self, view: _View, first: int, entries: _Entries) -> Iterator[Candidate]:
        """The longest listed phrase that starts here."""
        second = view.word[first + 1] if first + 1 < len(view.word) else None
        for key in ("",) if second is None else (second.fold, ""):
            for words, expected in entries.get(key, ()):
                last = first + len(words)
                printed = view.word[first:last]
                same = len(printed) == len(words) and all(
                    p is not None and p.fold == w for p, w in zip(printed, words, strict=True)
                )
                if same and all(view.readable[first:last]):
                    reason = f"on the list of the {self.source['name']} ({self.source['version']})"
                    yield Candidate(first, last, expected, self.weights.on_list, reason, None)
                    return

    def _possible(self, one: _Word, two: _Word) -> list[Term]:
        """The terms whose first two words these may stand for, the likeliest first."""
        key = (one.symbol, two.symbol)
        possible = self._pairs.get(key)
        if possible is not None:
            return possible
        ranked: list[tuple[float, Term]] = []
        for first, (p_first, _) in one.originals.items():
            by_second = self._terms.get(first)
            if by_second:
                shared = by_second.keys() & two.originals.keys()
                for second in shared:
                    p = p_first + two.originals[second][0]
                    ranked += ((p, term) for term in by_second[second])
        ranked.sort(key=lambda entry: (-entry[0], entry[1].words))
        if len(self._pairs) >= MOST_REMEMBERED:
            self._pairs.clear()
        known = [term for _, term in ranked[:MOST_TERMS]]
        possible = self._pairs[key] = [*known, *self._unknown(one, two, known)]
        return possible

    def _unknown(self, one: _Word, two: _Word, known: list[Term]) -> Iterator[Term]:
        """What two words may stand for by the swaps of the list alone, known as a term or not."""
        if max((word.exotic for word in (one, two) if word.taught), default=-9.0) < EXOTIC:
            return
        have = {term.folded for term in known}
        for first in (*one.taught, one.fold):
            for second in (*two.taught, two.fold):
                words = (first, second)
                if words not in have and words != (one.fold, two.fold):
                    yield Term(words, words, listed=False, known=False)

    def _weigh(self, view: _View, first: int, term: Term) -> Candidate | None:
        """The phrase that stands where the term would, or None if it may not stand for it."""
        last = first + len(term.words)
        if last > len(view.word) or not all(view.free[first:last]):
            return None
        words = [word for word in view.word[first:last] if word is not None]
        pairs = list(zip(words, term.folded, strict=False))
        if len(pairs) < len(term.words) or any(o not in word.originals for word, o in pairs):
            return None
        swapped = [word.originals[original][1] != _SAME for word, original in pairs]
        joints = [first + j for j in range(1, len(pairs)) if swapped[j - 1] or swapped[j]]
        if not joints:
            return None
        oddity = sum(view.score[j] - self._unigrams[view.number[j]] for j in joints) / len(joints)
        if oddity > ODD:
            return None
        swaps = [pair for pair, differs in zip(pairs, swapped, strict=True) if differs]
        ways = [word.originals[original] for word, original in swaps]
        evidence = PhraseEvidence(
            channel=sum(log_p for log_p, _ in ways) / len(ways),
            gain=self._gain(view, first, last, term),
            oddity=oddity,
            strength=self._togetherness(term),
            listed=float(term.listed),
            known=float(term.known),
            taught=sum(how == _TAUGHT for _, how in ways) / len(ways),
            exotic=sum(word.exotic for word, _ in swaps) / len(swaps),
            whole=float(len(swaps) == len(pairs)),
            words=float(len(pairs) - 2),
        )
        probability = self.weights.probability(evidence)
        expected = " ".join(term.words)
        return Candidate(first, last, expected, probability, _reason(swaps, term), evidence)

    def _gain(self, view: _View, first: int, last: int, term: Term) -> float:
        """log10 of how much likelier the text is with the term than as printed, a word."""
        before = view.number[max(0, first - BEFORE) : first]
        after = view.number[last : last + AFFECTED]
        words = [self._model.number.get(word, UNKNOWN) for word in term.words]
        restored = self._fit([*before, *words, *after], len(before))
        printed = self._fit([*before, *view.number[first:last], *after], len(before))
        return (restored - printed) / (last - first)

    def _fit(self, numbers: list[int], start: int) -> float:
        unseen = sum(number in (UNKNOWN, NAME, CODE) for number in numbers)
        return sum(self._model.ngrams.score(numbers)[start:]) + UNSEEN * unseen

    def _togetherness(self, term: Term) -> float:
        """log10 of how much likelier the words of a term are together than apart, a word."""
        known = self._strength.get(term.words)
        if known is None:
            if len(self._strength) >= MOST_REMEMBERED:
                self._strength.clear()
            numbers = [self._model.number.get(word, UNKNOWN) for word in term.words]
            scores = self._model.ngrams.score(numbers)[1:]
            apart = (self._unigrams[number] for number in numbers[1:])
            excess = (s - a for s, a in zip(scores, apart, strict=True))
            known = self._strength[term.words] = sum(excess) / (len(numbers) - 1)
        return known


def fold(word: str) -> str:
    """The word in the form in which phrases are compared: the singular, as a rule of thumb.

    >>> [fold(word) for word in ("networks", "analysis", "process", "entropies", "gas")]
    ['network', 'analysis', 'process', 'entropy', 'gas']
    """
    if len(word) < 4 or word[-1] != "s" or word[-2] in "sui'":
        return word
    return word[:-3] + "y" if word.endswith("ies") and len(word) > 4 else word[:-1]


def write(
    path: Path,
    source: Mapping[str, str],
    entries: Iterable[tuple[str, str]],
    terms: Iterable[tuple[str, bool]],
    swaps: Mapping[tuple[str, str], int],
    weights: Weights,
) -> None:
    """Write the list, the terms and the swaps that the list teaches to one file.

    `entries` are (folded phrase, expected term), `terms` the terms as written, of two words at
    least, and whether the list expects them; `swaps` counts the (printed, original) words, folded.
    """
    meta = {
        "source": dict(source),
        "weights": {**weights._asdict(), "evidence": weights.evidence._asdict()},
    }
    columns = {
        "entries": _packed(sorted(entries)),
        "terms": _packed((term, str(int(listed))) for term, listed in sorted(terms)),
        "swaps": _packed((*pair, str(count)) for pair, count in sorted(swaps.items())),
    }
    arrays.write(path, "tortured phrases", meta, columns)


def _packed(rows: Iterable[tuple[str, ...]]) -> bytes:
    return zlib.compress("\n".join("\t".join(row) for row in rows).encode(), 9)


def _unpacked(packed: memoryview) -> list[list[str]]:
    lines = zlib.decompress(packed).decode().split("\n")
    return [line.split("\t") for line in lines if line]


def _are_cognate(one: str, other: str) -> bool:
    """Whether two words look like forms or spellings of one."""
    shorter, longer = sorted((len(one), len(other)))
    head = 0
    while head < shorter and one[head] == other[head]:
        head += 1
    tail = 0
    while tail < shorter - head and one[-1 - tail] == other[-1 - tail]:
        tail += 1
    return head >= max(3.0, 0.6 * shorter) or head + tail >= 0.75 * longer


def _reason(swaps: Iterable[tuple[_Word, str]], term: Term) -> str:
    told = ", ".join(f"“{word.fold}” may be printed for “{o}”" for word, o in swaps)
    if not term.known:
        return f"channel: {told}; “{' '.join(term.words)}” is likelier here"
    whose = "a term of the list" if term.listed else "an established term"
    return f"channel: {told}; “{' '.join(term.words)}” is {whose}"


def _by_head(entries: Iterable[Sequence[str]]) -> dict[str, _Entries]:
    """The listed phrases by their first words and then their second, the longest first."""
    found: dict[str, _Entries] = {}
    for phrase, expected in entries:
        words = tuple(phrase.split(" "))
        by_second = found.setdefault(words[0], {})
        by_second.setdefault(words[1] if len(words) > 1 else "", []).append((words, expected))
    for by_second in found.values():
        for phrases in by_second.values():
            phrases.sort(key=lambda entry: -len(entry[0]))
    return found


def _states(tokens: Tokens) -> bytearray:
    """What may be done with each token. Furniture has no word that is free; a sentence that has
    one is none, and its names may be what only stands in capitals."""
    states = bytearray(len(tokens))
    for first, stop in pairwise(tokens.sentences):
        text_in_it = False
        for i in range(first, stop):
            if tokens.kind[i] in (WORD, CAPITAL) and not tokens.flags[i] & PROTECTED:
                states[i] = _FREE
                text_in_it = True
        if text_in_it:
            for i in range(first, stop):
                if states[i] == _BARRED:
                    if tokens.symbol[i] == "'s":
                        states[i] = _FREE
                    elif tokens.kind[i] == CAPITAL:
                        states[i] = _READABLE
    return states


def _joining_hyphens(tokens: Tokens) -> set[int]:
    """The tokens that are hyphens inside of a word."""
    start, end = tokens.start, tokens.end
    return {
        i
        for i, symbol in enumerate(tokens.symbol)
        if symbol == "-"
        and 0 < i < len(tokens) - 1
        and end[i - 1] == start[i]
        and end[i] == start[i + 1]
    }


def _sentence(tokens: Tokens, token: int) -> int:
    """The number of the sentence that a token is in, from 1."""
    return bisect_right(tokens.sentences, token)


def _is_quoted(tokens: Tokens, first: int, last: int) -> bool:
    """Whether the tokens stand in quotation marks."""
    place = _sentence(tokens, first)
    start, stop = tokens.sentences[place - 1], tokens.sentences[place]
    before, after = tokens.symbol[start:first], tokens.symbol[last + 1 : stop]
    if before and after and tokens.kind[first - 1] == tokens.kind[last + 1] == QUOTE:
        return True
    opened = sum(symbol in _DOUBLE_QUOTES for symbol in before)
    return opened % 2 == 1 and not _DOUBLE_QUOTES.isdisjoint(after)


def _is_explained(tokens: Tokens, first: int, last: int, expected: str) -> bool:
    """Whether the term itself stands beside the tokens."""
    symbols = tokens.symbol
    around = [*symbols[max(0, first - NEAR) : first], "|", *symbols[last + 1 : last + 1 + NEAR]]
    written = " ".join(fold(symbol) for symbol in around if symbol != "-")
    term = " ".join(fold(word) for word in re.findall(r"[^\W_]+(?:'[^\W_]+)?", expected))
    return bool(term) and f" {term} " in f" {written} "
