"""A second reader: which of the lattice's candidates does a neural model prefer?

It never invents. What it is asked about are the `Substitution`s of a page, as the lattice leaves
them: for each the word as printed and the originals that the channel proposes, with their
posteriors. What it gives back are the same substitutions with other posteriors. Everything
else (verdict, protected words, confidences, replay) comes from where it came from before.

`Beam` makes a reranker of any model that continues texts. The model that ships sees both sides
of a word instead, and is in `neural`.
"""

from __future__ import annotations

import math
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import nlargest
from itertools import islice, pairwise
from typing import NamedTuple, Protocol

from unspin import lattice, text
from unspin.lattice import Solution, Substitution
from unspin.text import Tokens

LEAST_POSTERIOR = 0.01  # P(substituted) from which a word is worth a question
LEAST_CHOICE = 0.001  # and of an original to be among the options
SURE = 0.98  # posterior from which an option needs no second reader
MOST_OPTIONS = 8  # of one question, the word as printed among them
BEAM = 3  # beginnings of a sentence that are kept
TOGETHER = 16  # sentences that are read side by side
CONTEXT = 300  # characters before a sentence that the model sees
AHEAD = 60  # characters behind a word that it has to fit
QUESTIONS = 2000  # that are asked of one page at most
SECONDS = 120.0  # that they may take

OWN = "own"  # the name of the model that ships
ADDRESSES = ("http://", "https://")


class RerankError(Exception):
    """The second reader cannot answer; the message says why, and what to do."""


class RerankWarning(UserWarning):
    """A page was read without its second reader; the message says why."""


class Reranker(Protocol):
    """A second reader.

    `edit` are coefficients like `Calibration.edit`, by which confidences come from its
    posteriors; None if these can be taken for the lattice's.
    """

    edit: tuple[float, ...] | None

    def rerank(
        self, source: str, tokens: Tokens, found: Sequence[Substitution], deadline: float
    ) -> list[Substitution]:
        """Return the substitutions of a page, one for each and in their order, with posteriors
        that are its own; a `deadline` is a time of `time.monotonic`.

        Raises:
            RerankError: it cannot answer.
        """


class Continuations(NamedTuple):
    """Texts that may follow after a text."""

    before: str
    texts: tuple[str, ...]


class Scorer(Protocol):
    """A model that continues texts."""

    def log_p(self, asked: Sequence[Continuations], deadline: float) -> list[list[float]]:
        """Return the natural logs of P(text | before), of one question after the other.

        Questions whose `before` begins alike come one after the other, and the next call's begin
        like this one's: whoever keeps what was read has little to read.

        Raises:
            RerankError: it cannot answer.
        """


class Option(NamedTuple):
    """What may have stood in a place: a text in the case of what is printed, its posterior, and
    its number among the choices of the substitution, or -1 for the word as printed."""

    text: str
    posterior: float
    choice: int


class Question(NamedTuple):
    """A substitution of which the lattice is in doubt, by its number, and where it stands."""

    number: int
    start: int
    end: int
    options: tuple[Option, ...]


class Beam:
    """Asks a model that continues texts, sentence by sentence and all sentences at once.

    A sentence is read from its beginning; in every place that is in doubt each of the likeliest
    beginnings goes on with each of the options, up to the next such place. An option's posterior
    is its share of what all of them come to: what the model says, to the power of `trust`, times
    what the lattice says, to the power of `prior`. Both powers were chosen by what a model of 270
    million parameters says of 18 short pages of the development set.
    """

    edit: tuple[float, ...] | None = None

    def __init__(
        self,
        scorer: Scorer,
        *,
        trust: float = 0.7,
        prior: float = 0.6,
        questions: int = QUESTIONS,
        seconds: float = SECONDS,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Set what the questions of one page may cost.

        Args:
            scorer: the model.
            trust: power of the model's probabilities.
            prior: power of the lattice's.
            questions: that are asked at most, the most doubtful first.
            seconds: after which no more are asked.
            progress: is told how many of how many questions have an answer.
        """
        self._scorer = scorer
        self._trust, self._prior = trust, prior
        self._questions, self._seconds = questions, seconds
        self._progress = progress

    def rerank(
        self,
        source: str,
        tokens: Tokens,
        found: Sequence[Substitution],
        deadline: float = math.inf,
    ) -> list[Substitution]:
        """Return the substitutions with the posteriors of both; those that were not asked about,
        for being sure or for want of time, as they were."""
        ends = min(deadline, time.monotonic() + self._seconds)
        asked = questions(source, tokens, found, self._questions)
        sure = _sure(source, tokens, found)
        sentences = [_Sentence(source, *part, sure) for part in _by_sentence(tokens, asked)]
        answers: dict[int, Substitution] = {}

        def ask(waiting: Sequence[_Sentence]) -> None:
            asking = [sentence.continuations() for sentence in waiting]
            logs = iter(self._scorer.log_p([c for part in asking for c in part], ends))
            for sentence, part in zip(waiting, asking, strict=True):
                question, shares = sentence.hear(
                    list(islice(logs, len(part))), self._trust, self._prior
                )
                answers[question.number] = reweighed(found[question.number], question, shares)

        for first in range(0, len(sentences), TOGETHER):
            together = sentences[first : first + TOGETHER]
            while waiting := [sentence for sentence in together if sentence.waits]:
                if time.monotonic() > ends:
                    return _told(found, answers)
                try:
                    ask(waiting)
                except RerankError:
                    if answers and time.monotonic() > ends:
                        return _told(found, answers)
                    raise
                if self._progress is not None:
                    self._progress(len(answers), len(asked))
        return _told(found, answers)


def find(name: str = OWN, progress: Callable[[int, int], None] | None = None) -> Reranker:
    """Return a second reader by its name.

    Args:
        name: `OWN`, the path of a model in a .gguf file, or the address of a server that speaks
            OpenAI's protocol and gives log-probabilities.
        progress: is told how many of how many questions about a page have an answer; unspin's own
            model answers all at once, and tells nothing.

    Raises:
        RerankError: there is none of this name, or it cannot be opened.
    """
    if name == OWN:
        from unspin.neural import Encoder

        return Encoder()
    from unspin.llm import scorer

    return Beam(scorer(name), progress=progress)


def is_model(name: str) -> bool:
    """Whether this can be the name of a model.

    >>> is_model("gemma.gguf"), is_model("http://localhost:8000"), is_model("page.html")
    (True, True, False)
    """
    return name == OWN or name.lower().endswith(".gguf") or name.startswith(ADDRESSES)


def substitutions(
    second: Reranker | None,
    source: str,
    tokens: Tokens,
    solutions: Iterable[Solution],
    deadline: float = math.inf,
) -> list[Substitution]:
    """Return the likely substitutions of a page: by the lattice alone, or with a second reader,
    who is told of the unlikely ones too.

    Raises:
        RerankError: the second reader cannot answer.
    """
    if second is None:
        return [found for solution in solutions for found in solution.substitutions()]
    asked = [found for solution in solutions for found in worth_asking(solution)]
    told = second.rerank(source, tokens, asked, deadline)
    return [found for found in told if found.posterior >= lattice.LEAST_POSTERIOR]


def worth_asking(solution: Solution) -> list[Substitution]:
    """Return the substitutions of a text that a second reader is told of."""
    return solution.substitutions(LEAST_POSTERIOR, LEAST_CHOICE)


def questions(
    source: str, tokens: Tokens, found: Sequence[Substitution], most: int = QUESTIONS
) -> list[Question]:
    """Return what is worth asking about a page, in order: where the lattice is in doubt.

    Of substitutions that overlap only the likeliest is asked about; of more than `most` questions
    those that the lattice is least sure of.
    """
    taken: set[int] = set()
    doubtful: list[tuple[float, Question]] = []
    for number in sorted(range(len(found)), key=lambda number: -found[number].posterior):
        here = found[number]
        span = range(here.token, here.token + here.tokens)
        if here.posterior < LEAST_POSTERIOR or not taken.isdisjoint(span):
            continue
        taken.update(span)
        start, end = tokens.start[span[0]], tokens.end[span[-1]]
        options = _options(source[start:end], here)
        surest = max(option.posterior for option in options)
        if len(options) > 1 and surest < SURE:
            doubtful.append((surest, Question(number, start, end, options)))
    doubtful = sorted(doubtful, key=lambda doubt: doubt[0])[:most]
    return sorted((question for _, question in doubtful), key=lambda question: question.start)


def reweighed(before: Substitution, question: Question, shares: Sequence[float]) -> Substitution:
    """Return a substitution with other posteriors: what its options had is theirs to share anew.

    `shares` are those of the question's options and sum to one.
    """
    mass = sum(option.posterior for option in question.options)
    new = {
        option.choice: min(1.0, mass * share)
        for option, share in zip(question.options, shares, strict=True)
    }
    choices = [
        choice._replace(posterior=new.get(number, choice.posterior))
        for number, choice in enumerate(before.choices)
    ]
    choices.sort(key=lambda choice: -choice.posterior)
    posterior = min(1.0, sum(choice.posterior for choice in choices))
    return before._replace(posterior=posterior, choices=choices)


def _told(found: Sequence[Substitution], answers: Mapping[int, Substitution]) -> list[Substitution]:
    """All substitutions, those with an answer by it."""
    return [answers.get(number, before) for number, before in enumerate(found)]


class _Sentence:
    """One sentence with its questions, and the likeliest beginnings of it so far."""

    def __init__(
        self,
        source: str,
        start: int,
        end: int,
        asked: Sequence[Question],
        sure: Sequence[tuple[int, int, str]],
    ) -> None:
        def text_of(start: int, end: int) -> str:
            return _with(source, start, end, sure)

        # What stands between the questions, with the white space before each of its words.
        ends = [*(question.start for question in asked[1:]), end]
        self._gaps = [text_of(q.end, stop) for q, stop in zip(asked, ends, strict=True)]
        before = text_of(max(0, start - CONTEXT), start) + text_of(start, asked[0].start)
        self._asked = list(asked)
        self._beginnings = [(before, 0.0)]  # and the natural logs of their weights

    @property
    def waits(self) -> bool:
        """Whether there is a question left."""
        return bool(self._asked)

    def continuations(self) -> list[Continuations]:
        """What the next question is for each of the beginnings."""
        gap = self._gaps[0]
        if len(gap) > AHEAD:
            gap = gap[:AHEAD].rpartition(" ")[0]
        texts = tuple((option.text + gap).rstrip() for option in self._asked[0].options)
        # White space belongs to the word behind it, for models that read it so.
        spaces = [len(before) - len(before.rstrip()) for before, _ in self._beginnings]
        return [
            Continuations(
                before[: len(before) - space],
                tuple(before[len(before) - space :] + text for text in texts),
            )
            for (before, _), space in zip(self._beginnings, spaces, strict=True)
        ]

    def hear(
        self, logs: Sequence[Sequence[float]], trust: float, prior: float
    ) -> tuple[Question, list[float]]:
        """The question that was answered, and the shares of its options."""
        question, gap = self._asked.pop(0), self._gaps.pop(0)
        weights = [
            [
                weight + trust * log + prior * math.log(max(option.posterior, 1e-9))
                for option, log in zip(question.options, told, strict=True)
            ]
            for (_, weight), told in zip(self._beginnings, logs, strict=True)
        ]
        most = max(max(row) for row in weights)
        shares = [
            sum(math.exp(weight - most) for weight in column)
            for column in zip(*weights, strict=True)
        ]
        grown = [
            (before + option.text + gap, weight - most)
            for (before, _), row in zip(self._beginnings, weights, strict=True)
            for option, weight in zip(question.options, row, strict=True)
        ]
        self._beginnings = nlargest(BEAM, grown, key=lambda beginning: beginning[1])
        return question, [share / sum(shares) for share in shares]


def _options(printed: str, here: Substitution) -> tuple[Option, ...]:
    """The word as printed, and the likeliest originals."""
    options = [Option(printed, max(1.0 - here.posterior, 0.0), -1)]
    for number, choice in enumerate(here.choices[: MOST_OPTIONS - 1]):
        original = text.transfer_case(printed, choice.original)
        options.append(Option(original, choice.posterior, number))
    return tuple(options)


def _sure(source: str, tokens: Tokens, found: Sequence[Substitution]) -> list[tuple[int, int, str]]:
    """What the lattice puts back by itself, likely as it stands: (start, end, original)."""
    sure: list[tuple[int, int, str]] = []
    for here in found:
        start, end = tokens.start[here.token], tokens.end[here.token + here.tokens - 1]
        if here.choices and here.choices[0].posterior > 0.5 and (not sure or start >= sure[-1][1]):
            original = text.transfer_case(source[start:end], here.choices[0].original)
            sure.append((start, end, original))
    return sure


def _with(source: str, start: int, end: int, sure: Sequence[tuple[int, int, str]]) -> str:
    """A stretch of the source with what is put back in it."""
    pieces: list[str] = []
    here = start
    for first, last, original in sure[bisect_left(sure, (start,)) :]:
        if last > end:
            break
        pieces += source[here:first], original
        here = last
    return "".join([*pieces, source[here:end]])


def _by_sentence(
    tokens: Tokens, asked: Iterable[Question]
) -> Iterator[tuple[int, int, list[Question]]]:
    """The sentences with questions: their start and end, and the questions."""
    waiting = list(asked)
    for first, stop in pairwise(tokens.sentences):
        start, end = tokens.start[first], tokens.end[stop - 1]
        inside = [question for question in waiting if question.start < end]
        if inside:
            yield start, end, inside
            waiting = waiting[len(inside) :]
