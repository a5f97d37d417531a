"""The second reader that ships: a small transformer that sees a whole passage at once.

It reads the lattice and not the print: where the lattice is in doubt, the vector of a word is the
mean of its options' vectors, each by its posterior. From what comes out at a place and the vector
of an option follows how well that option fits there; this and the lattice's posterior make the
new one. All places are answered by one reading.

The transformer was tuned from the encoder all-MiniLM-L6-v2 (Wang et al. 2020, Reimers and
Gurevych 2019) by `train.neural`; the model's folder has a card.
"""

from __future__ import annotations

import math
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from unspin import arrays
from unspin.arrays import ModelError
from unspin.lattice import Substitution
from unspin.reranker import RerankError
from unspin.text import QUOTE, Tokens

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    Matrix = NDArray[np.float32]

MODEL = Path(__file__).parent / "data" / "neural"
ENCODER, WORDS = "encoder.onnx", "words.bin"  # the names of the files in its folder
NEEDED = "the second reader runs on onnxruntime: pip install 'unspin[neural]'"

WINDOW = 96  # tokens that are read together: whole sentences as far as they fit
DIMENSIONS = 384
LEAST_LOG = 1e-4  # posterior that an option has at least
UNKNOWN = "[UNK]"  # the piece of a word that no pieces make up
MOST_PIECES = 16  # of one word or phrase
REMEMBERED = 50_000  # vectors of words


class Place(NamedTuple):
    """Where a substitution stands among the words of a text, and what may have stood there: the
    word as printed, first, and the originals."""

    first: int
    last: int
    options: tuple[str, ...]
    posteriors: tuple[float, ...]


class Passage(NamedTuple):
    """A text as the encoder is given it: its words, where windows may begin, and the places."""

    words: list[str]
    sentences: list[int]
    places: list[Place]


def passage(tokens: Tokens, found: Sequence[Substitution]) -> Passage:
    """Return the words of a text without its quotation marks, and a place for each substitution.

    >>> from unspin.lattice import Choice
    >>> from unspin.text import tokenize
    >>> at = Substitution(2, 1, 0.9, [Choice("at", 0.8, 1)])
    >>> passage(tokenize('We “met” astatine noon.'), [at._replace(token=4)]).places[0].options
    ('astatine', 'at')
    """
    number = []
    words: list[str] = []
    for symbol, kind in zip(tokens.symbol, tokens.kind, strict=True):
        number.append(len(words))
        if kind != QUOTE:
            words.append(symbol)
    number.append(len(words))
    places = []
    for here in found:
        first, last = number[here.token], number[here.token + here.tokens]
        options = " ".join(words[first:last]), *(choice.original for choice in here.choices)
        kept = max(1.0 - here.posterior, 0.0)
        places.append(Place(first, last, options, (kept, *(c.posterior for c in here.choices))))
    return Passage(words, [number[token] for token in tokens.sentences], places)


def windows(text: Passage) -> Iterator[tuple[int, int]]:
    """Yield the parts of a text to read together, whole sentences where they fit.

    >>> list(windows(Passage(["so"] * 300, [0, 60, 90, 300], [])))
    [(0, 90), (90, 186), (186, 282), (282, 300)]
    """
    first = stop = 0
    for end in text.sentences[1:]:
        if end - first > WINDOW and stop > first:
            yield first, stop
            first = stop
        while end - first > WINDOW:
            yield first, first + WINDOW
            first += WINDOW
        stop = end
    if first < stop:
        yield first, stop


def parts(text: Passage) -> Iterator[Passage]:
    """Yield the windows of a text, each with the places that begin in it.

    >>> [len(part.words) for part in parts(Passage(["so"] * 200, [0, 200], []))]
    [96, 96, 8]
    """
    after = 0
    for first, last in windows(text):
        before, after = after, bisect_left(text.places, last, key=lambda place: place.first)
        places = [
            place._replace(first=place.first - first, last=min(place.last, last) - first)
            for place in text.places[before:after]
        ]
        yield Passage(text.words[first:last], [0, last - first], places)


def tokenizer(pieces: Sequence[str]) -> Tokenizer:
    """Return what cuts words into pieces, as BERT does, and numbers these by their order."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    numbers = {piece: number for number, piece in enumerate(pieces)}
    cutter = Tokenizer(models.WordPiece(numbers, unk_token=UNKNOWN))
    cutter.normalizer = normalizers.BertNormalizer()
    cutter.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return cutter


def cut(cutter: Tokenizer, words: Sequence[str]) -> list[list[int]]:
    """Return the numbers of the pieces of words or phrases, one at least of each."""
    # It takes no halves of surrogate pairs, which a page may well hold.
    whole = [word.encode("utf-8", "replace").decode() for word in words]
    found = cutter.encode_batch(whole, add_special_tokens=False)
    unknown = cutter.token_to_id(UNKNOWN) or 0
    return [encoded.ids[:MOST_PIECES] or [unknown] for encoded in found]


class Vectors:
    """A vector for every word or phrase: the mean of its pieces' vectors, which the file has."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            ModelError: it is missing or damaged.
        """
        import numpy as np

        file = arrays.read(path, "word pieces")
        self.meta = file.meta
        self._rows = np.frombuffer(file.arrays["rows"], np.int8).reshape(-1, DIMENSIONS)
        self._scales = np.frombuffer(file.arrays["scales"], np.float32)
        self.leaning = np.frombuffer(file.arrays["leaning"], np.float32)
        pieces = bytes(file.arrays["pieces"]).decode().split("\n")
        if not len(pieces) == len(self._rows) == len(self._scales):
            raise ModelError(f"model file {path} is of another version: install unspin again")
        self._pieces = tokenizer(pieces)
        self._known: dict[str, Matrix] = {}

    def of(self, words: Sequence[str]) -> Matrix:
        """The vectors of words and phrases, a row each."""
        import numpy as np

        if len(self._known) > REMEMBERED:
            self._known.clear()
        new = [word for word in dict.fromkeys(words) if word not in self._known]
        for word, pieces in zip(new, cut(self._pieces, new), strict=True):
            self._known[word] = (self._rows[pieces] * self._scales[pieces, None]).mean(0)
        return np.stack([self._known[word] for word in words])


def shares(text: Passage) -> tuple[Matrix, Matrix]:
    """Return how much of every word's state is the word as printed, and what the posteriors of
    its other options are multiplied with: together they make one."""
    import numpy as np

    others = np.zeros(len(text.words), np.float32)
    for place in text.places:
        others[place.first : place.last] += sum(place.posteriors[1:])
    # Where substitutions overlap, the others may come to more than one by themselves.
    kept = np.maximum(1.0 - others, 0.0)
    return kept / (kept + others), 1.0 / (kept + others)


class Inputs(NamedTuple):
    """A text in numbers: the states of its words, and, of all places one after the other, the
    options' vectors and the logs of their posteriors; `first` is where those of a place begin."""

    states: Matrix
    options: Matrix
    log_posteriors: Matrix
    first: list[int]


def inputs(text: Passage, vectors: Vectors) -> Inputs:
    """Return what the encoder is given of a text that has places."""
    import numpy as np

    options = vectors.of([option for place in text.places for option in place.options])
    posteriors = np.array([p for place in text.places for p in place.posteriors], np.float32)
    first = [0, *accumulate(len(place.options) for place in text.places)]
    kept, factor = shares(text)
    states = vectors.of(text.words) * kept[:, None]
    for place, start, end in zip(text.places, first, first[1:], strict=False):
        others = posteriors[start + 1 : end] @ options[start + 1 : end]
        words = slice(place.first, place.last)
        states[words] += factor[words, None] * others
    return Inputs(states, options, np.log(np.maximum(posteriors, LEAST_LOG)), first)


class Encoder:
    """The second reader that ships, as a `reranker.Reranker`; for one thread at a time."""

    def __init__(self, folder: Path = MODEL, *, threads: int = 1) -> None:
        """Open the model.

        Raises:
            RerankError: a file is missing, damaged or of another version, or what it runs on is
                not installed.
        """
        try:
            import numpy as np
            import onnxruntime
            import tokenizers  # noqa: F401 - asked for here, used by the vectors
        except ImportError:
            raise RerankError(NEEDED) from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # what goes wrong is told by the error
        try:
            arrays.verify(folder)
            self._vectors = Vectors(folder / WORDS)
            meta = self._vectors.meta
            self.edit: tuple[float, ...] | None = tuple(map(float, meta["edit"])) or None
            self._prior, self._kept = float(meta["prior"]), float(meta["kept"])
            self._session = onnxruntime.InferenceSession(
                folder / ENCODER, options, providers=["CPUExecutionProvider"]
            )
            # Another network fails here, and not at the first page.
            self._read(np.zeros((1, DIMENSIONS), np.float32))
        except ModelError as error:
            raise RerankError(str(error)) from None
        except Exception as error:  # noqa: BLE001 - onnxruntime has errors of many types
            told = str(error).partition("\n")[0]
            raise RerankError(
                f"the model in {folder} is damaged: install unspin again ({told})"
            ) from None

    def rerank(
        self,
        source: str,  # noqa: ARG002 - which tokens it is of is all that counts here
        tokens: Tokens,
        found: Sequence[Substitution],
        deadline: float = math.inf,
    ) -> list[Substitution]:
        """Return the substitutions with new posteriors.

        Raises:
            RerankError: the time runs out.
        """
        scores = (
            score
            for part in parts(passage(tokens, found))
            for score in self._scores(part, deadline)
        )
        return [_reweighed(here, *score) for here, score in zip(found, scores, strict=True)]

    def _scores(self, text: Passage, deadline: float) -> Iterator[tuple[Matrix, float]]:
        """The scores of every place's options, and that of none of them."""
        if not text.places:
            return
        if time.monotonic() > deadline:
            raise RerankError("the time for one document ran out")
        given = inputs(text, self._vectors)
        queries, none = self._read(given.states)
        for place, start, end in zip(text.places, given.first, given.first[1:], strict=False):
            # A phrase is asked for at its first and last word.
            ends = [place.first, place.last - 1]
            options = given.options[start:end]
            scores = options @ (queries[ends].mean(0) + self._vectors.leaning)
            scores += self._prior * given.log_posteriors[start:end]
            scores[0] += self._kept
            yield scores, float(none[ends].mean())

    def _read(self, states: Matrix) -> tuple[Matrix, Matrix]:
        """What the encoder makes of the words of a window: a query for the options at each, and
        how likely none of them is.

        Windows are read one by one: 8 bits are shared out among all numbers that are multiplied
        at a time, and what stands in one window should not show in another.
        """
        import numpy as np

        there = np.ones((1, len(states)), np.float32)
        queries, none = self._session.run(None, {"states": states[None], "there": there})
        return queries[0], none[0]


def _reweighed(before: Substitution, scores: Matrix, none: float) -> Substitution:
    """A substitution by the scores of its options, the word as printed first, and of none."""
    most = max(float(scores.max()), none)
    shares = [math.exp(float(score) - most) for score in scores]
    total = sum(shares) + math.exp(none - most)
    choices = [
        choice._replace(posterior=share / total)
        for choice, share in zip(before.choices, shares[1:], strict=True)
    ]
    choices.sort(key=lambda choice: -choice.posterior)
    return before._replace(posterior=1.0 - shares[0] / total, choices=choices)
