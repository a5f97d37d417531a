"""The screen: which documents of a crowd are worth the lattice?

A crawl is clean for the most part, and the lattice takes a thousand times as long as reading the
file. Two cheaper answers come first, both from compiled loops over UTF-8 as it lies in memory.
The *glance* adds up what each word tells by three things: how much likelier its originals are than
itself, and how well it fits the word before and the word after. A table has, for every mixture of
the three, how much oftener it is met in spun pages than in clean ones (naive Bayes).
The *look* takes the words of doubt and asks the language model about the likeliest originals of
each, among its neighbours as printed; then expectation-maximisation as in the lattice finds the
rate and the sources. What is clearly clean or clearly spun by then is settled.

`train.screen` learned the table, a second one of the doubt to be expected about a word, and what
the look's evidence is in the lattice's, from pages that the lattice had read.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from unspin import arrays, lattice
from unspin.calibration import Evidence
from unspin.kernels.screen import Screen as _Kernel
from unspin.lm import UNKNOWN, LanguageModel
from unspin.thesaurus import Thesaurus

SCREEN = "screen.bin"  # the file's name in the model's folder
CELLS = 4096  # of the tables
TOLD_UNIT, DOUBT_UNIT = 1 / 32, 1 / 128  # nats, of an entry of each
LEAST = 2  # units of expected doubt from which a word is looked into
PASSES = 3  # of expectation-maximisation
FEW, ALL = 48, 4096  # words looked into: to see whether more is worth while, and at most
PIECE = (
    1 << 15
)  # bytes looked into at once: about as long as the longest pages that it learned from
SUSPICION = 0.5  # P(substituted) from which a word is suspect

# P(spun) by a look below which a document is clean, and from which it is spun; in between the
# lattice decides. `bench.screen` has what that loses.
CLEAN, SPUN = 0.05, 0.975
_MARKS = ("'s", "-", "...", "<number>", "<year>", "<percent>")


class Glance(NamedTuple):
    """What a glance saw of a document: `words`; `strange`, those in lower case that the model
    does not know; `eligible`, those that a spinner may have printed. These tell `told`, and a
    doubt of `doubt` is to be expected about them, both in nats a word."""

    words: int
    strange: int
    eligible: int
    told: float
    doubt: float


class Look(NamedTuple):
    """What a look at one document found.

    `doubt` is in nats, of all words looked into, each different one once in a piece; `evidence` is
    the same in the lattice's measure, `log_ratio` in nats, `taken` the expected number of
    substitutions by source; `share` is the share of the document's doubtful words that was looked
    into. `suspects` are those among them that were likely substituted: start and end in code
    points, and the probability.
    """

    doubt: float
    evidence: Evidence
    log_ratio: float
    taken: Mapping[str, float]
    share: float
    suspects: list[tuple[int, int, float]]


class Screen:
    """A language model and a channel, ready to screen documents; for one thread at a time."""

    def __init__(self, model: LanguageModel, thesaurus: Thesaurus, path: Path) -> None:
        """`path` is the file that `train.screen` made.

        Raises:
            ModelError: the file is missing or damaged.
        """
        file = arrays.read(path, "screen")
        self._names = thesaurus.names
        # A document is clean below: what its words tell; what the few most doubtful of them give.
        self.glanced: float = file.meta["glanced"]
        self._few_seen: float = file.meta["few"]
        self._slope: float = file.meta["slope"]
        self._intercept: float = file.meta["intercept"]
        marks = array("H", (model.number.get(mark, UNKNOWN) for mark in _MARKS))
        self._kernel = _Kernel(
            model.ngrams, model.unigrams, thesaurus, file.arrays["telling"],
            file.arrays["expected"], LEAST, lattice.UNKNOWN_SHARE, marks,
        )  # fmt: skip
        self._kernel.enter_words(memoryview("\n".join(model.words).encode()))
        self._kernel.enter_channel(memoryview("\n".join(thesaurus.number).encode()))

    def glance(self, text: memoryview, bounds: memoryview) -> Iterator[Glance]:
        """Glance at documents of UTF-8; number i lies from byte `bounds[i]` to `bounds[i + 1]`.

        Raises:
            ValueError: the bounds are not in order or lie beyond the text.
        """
        documents = len(bounds) - 1
        words, strange, eligible = (memoryview(array("I", bytes(4 * documents))) for _ in range(3))
        told, doubted = (memoryview(array("q", bytes(8 * documents))) for _ in range(2))
        self._kernel.glance(text, bounds, words, strange, eligible, told, doubted)
        return map(_glance, words, strange, eligible, told, doubted)

    def cells(self) -> list[tuple[int, int]]:
        """(place in bytes, cell of the table) of every word of the document last read that a
        spinner may have printed: what `train.screen` learns from."""
        return self._kernel.cells()

    def few(self, text: bytes) -> float:
        """The doubt that the few most doubtful words of a document of UTF-8 give, in nats over the
        root of the number of all words that a spinner may have printed; of a long document, what
        the most doubtful piece gives."""
        looks = (self._look(piece, FEW, 0) for piece in _pieces(text))
        return max(look.doubt / math.sqrt(max(look.evidence.words, 1)) for look in looks)

    def worth(self, text: bytes) -> bool:
        """Whether a document of UTF-8 is worth a look, by its few most doubtful words."""
        return self.few(text) >= self._few_seen

    def look(self, text: bytes) -> Look:
        """Look into one document of UTF-8."""
        looks: list[Look] = []
        suspects: list[tuple[int, int, float]] = []
        characters = 0
        for piece in _pieces(text):
            looks.append(self._look(piece, ALL, PASSES))
            suspects += [
                (characters + start, characters + end, confidence)
                for start, end, confidence in looks[-1].suspects
            ]
            characters += len(piece.decode())
        doubt = sum(look.doubt for look in looks)
        words = sum(look.evidence.words for look in looks)
        taken = {name: sum(look.taken[name] for look in looks) for name in self._names}
        log_ratio = sum(look.log_ratio for look in looks)
        share = min(look.share for look in looks)
        return Look(doubt, self._evidence(doubt, words), log_ratio, taken, share, suspects)

    def _look(self, text: bytes, most: int, passes: int) -> Look:
        doubt, eligible, log_ratio, looks, worth = self._kernel.look(
            memoryview(text), most, lattice.INITIAL_RATE, lattice.RATE_PRIOR, lattice.RATE_STRENGTH,
            lattice.WEIGHT_STRENGTH, lattice.PARSIMONY, passes,
        )  # fmt: skip
        return Look(
            doubt,
            self._evidence(doubt, eligible),
            log_ratio,
            dict(zip(self._names, self._kernel.taken_by_source(), strict=True)),
            looks / max(worth, 1),
            list(_in_characters(text, self._kernel.substituted(SUSPICION))),
        )

    def _evidence(self, doubt: float, words: int) -> Evidence:
        """Evidence in the lattice's measure."""
        return Evidence(max(self._intercept + self._slope * doubt / max(words, 1), 0.0), words)


def _pieces(text: bytes) -> Iterator[bytes]:
    """A document in pieces that end behind white space, or at least behind a whole character."""
    start = 0
    while len(text) - start > PIECE:
        stop = max(text.rfind(mark, start + PIECE // 2, start + PIECE) for mark in b"\n ") + 1
        if not stop:
            stop = start + PIECE
            while text[stop] & 0xC0 == 0x80:
                stop -= 1
        yield text[start:stop]
        start = stop
    yield text[start:]


def _glance(words: int, strange: int, eligible: int, told: int, doubted: int) -> Glance:
    n = max(eligible, 1)
    return Glance(words, strange, eligible, told * TOLD_UNIT / n, doubted * DOUBT_UNIT / n)


def _in_characters(
    text: bytes, spans: Iterable[tuple[int, int, float]]
) -> Iterator[tuple[int, int, float]]:
    """Spans in order whose starts and ends are bytes, by code points."""
    position = characters = 0
    for start, end, confidence in spans:
        characters += len(text[position:start].decode())
        length = len(text[start:end].decode())
        yield characters, characters + length, confidence
        characters += length
        position = end
