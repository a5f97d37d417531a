"""The n-gram language model: how likely is a word after the words before it?

A 4-gram model with back-off over at most 65,536 words, in one memory-mapped file of quantised
numbers. `LanguageModel` opens and asks it; `write` makes it from the levels that training
estimated or an ARPA file held; `read_arpa` and `write_arpa` exchange models with KenLM and SRILM.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from unspin import arrays, text
from unspin.arrays import ModelError
from unspin.kernels.ngrams import Ngrams

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "LanguageModel",
    "Level",
    "ModelError",
    "read_arpa",
    "unknown_word",
    "write",
    "write_arpa",
]

# Words with a meaning of their own. What is not in the vocabulary counts as <name> with a
# capital, <code> with a digit in it, <unk> otherwise.
SPECIALS = ("<unk>", "<s>", "</s>", "<name>", "<code>", "<web>", "<number>", "<year>", "<percent>")
UNKNOWN, BOS, EOS, NAME, CODE = range(5)
ORDER = 4
LEAST = -37.0  # log10 of the least probability that a small float holds, and the lattice divides by


def unknown_word(kind: int) -> int:
    """The number that a word outside of the vocabulary counts as, by the kind of its token."""
    if kind in (text.CAPITAL, text.ACRONYM):
        return NAME
    return CODE if kind == text.CODE else UNKNOWN


class Level(NamedTuple):
    """All n-grams of one order, sorted by `keys` (16 bits a word, the last word lowest), with
    log10 probabilities and log10 back-off weights."""

    keys: NDArray[np.uint64]
    log_p: NDArray[np.float64]
    log_backoff: NDArray[np.float64]


class LanguageModel:
    """An opened model.

    `words` is the vocabulary, `number` its inverse, `capitals` one byte a word: how often, of 255,
    it stands with a capital inside sentences. `topics` holds a vector of 64 signed bytes for
    each of the most frequent words; the product of two, divided by 1024, approximates how much
    more often than by chance (PMI, in nats) the two words stand in one passage. `columns` are
    the arrays of the file, as `kernels.ngrams` describes them.
    """

    def __init__(self, path: Path) -> None:
        """Open a model file.

        Raises:
            ModelError: the file is missing, damaged or no language model.
        """
        file = arrays.read(path, "language model")
        self.path = path
        self.ngrams = Ngrams(file.arrays)
        self.words = bytes(file.arrays["words"]).decode().split("\n")
        self.number = {word: i for i, word in enumerate(self.words)}
        self.capitals = bytes(file.arrays["capitals"])
        self.topics = file.arrays["topics"]
        self.unigrams = file.arrays["p1"]
        self.columns = file.arrays

    def score(self, words: Sequence[str]) -> list[float]:
        """log10 P of each word of one sentence and of its end, unknown words as `<unk>`."""
        numbers = [self.number.get(word, UNKNOWN) for word in words]
        return list(self.ngrams.score([*numbers, EOS]))

    def levels(self) -> list[Level]:
        """The model's n-grams and numbers, as `write` takes them (back to floats, quantised)."""
        import numpy as np

        column = {name: np.frombuffer(view, view.format) for name, view in self.columns.items()}
        keys = np.arange(len(self.words), dtype=np.uint64)
        levels = [Level(keys, np.log10(column["p1"]), np.log10(column["b1"]))]
        for order in range(2, ORDER + 1):
            starts = column[f"c{order - 1}"]
            contexts = np.repeat(keys, np.diff(starts).astype(np.int64))
            keys = contexts << np.uint64(16) | column[f"w{order}"].astype(np.uint64)
            log_p = np.log10(column[f"p{order}"])[column[f"q{order}"]]
            backoff = np.zeros(len(keys))
            if order < ORDER:
                backoff = np.log10(column[f"b{order}"])[column[f"r{order}"]]
            levels.append(Level(keys, log_p, backoff))
        return levels


def write(
    path: Path,
    words: Sequence[str],
    capitals: bytes,
    levels: Sequence[Level],
    topics: NDArray[np.int8],
) -> None:
    """Quantise a model to eight bits a number and write it as one file (needs numpy).

    `topics` has a row for each of the first words of the vocabulary, or none at all.
    """
    import numpy as np

    columns: dict[str, Any] = {
        "words": "\n".join(words).encode(),
        "capitals": capitals,
        "topics": topics.ravel(),
        "p1": (10 ** np.maximum(levels[0].log_p, LEAST)).astype(np.float32),
        "b1": (10 ** levels[0].log_backoff).astype(np.float32),
    }
    for order in range(1, ORDER):
        contexts = levels[order].keys >> np.uint64(16)
        bounds = np.searchsorted(contexts, levels[order - 1].keys)
        columns[f"c{order}"] = np.append(bounds, len(contexts)).astype(np.uint32)
    for order in range(2, ORDER + 1):
        level = levels[order - 1]
        columns[f"w{order}"] = (level.keys & np.uint64(0xFFFF)).astype(np.uint16)
        columns[f"p{order}"], columns[f"q{order}"] = quantise(np.maximum(level.log_p, LEAST))
        if order < ORDER:
            columns[f"b{order}"], columns[f"r{order}"] = quantise(level.log_backoff)
    arrays.write(path, "language model", {"order": ORDER}, columns)


def quantise(logs: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """A table of 256 linear values, and for each log10 value the number of its nearest entry.

    Half the entries stand at equal steps, half at equal counts, so that neither rare extremes
    nor the crowd is rounded coarsely.
    """
    import numpy as np

    if not len(logs):
        return np.ones(256, np.float32), np.zeros(0, np.uint8)
    steps = np.linspace(logs.min(), logs.max(), 128)
    table = np.sort(np.append(steps, np.quantile(logs, np.linspace(0, 1, 128))))
    codes = np.searchsorted((table[1:] + table[:-1]) / 2, logs)
    return (10**table).astype(np.float32), codes.astype(np.uint8)


def write_arpa(file: TextIO, words: Sequence[str], levels: Sequence[Level]) -> None:
    """Write a model in ARPA format, the common tongue of n-gram toolkits."""
    file.write("\\data\\\n")
    file.writelines(
        f"ngram {order}={len(level.keys)}\n" for order, level in enumerate(levels, start=1)
    )
    for order, level in enumerate(levels, start=1):
        file.write(f"\n\\{order}-grams:\n")
        shifts = range(16 * (order - 1), -1, -16)
        columns = (level.keys.tolist(), level.log_p.tolist(), level.log_backoff.tolist())
        for key, log_p, backoff in zip(*columns, strict=True):
            ngram = " ".join(words[key >> shift & 0xFFFF] for shift in shifts)
            tail = f"\t{backoff:.7f}" if order < len(levels) else ""
            file.write(f"{max(log_p, -99.0):.7f}\t{ngram}{tail}\n")
    file.write("\n\\end\\\n")


def read_arpa(lines: Iterable[str]) -> tuple[list[str], list[Level]]:
    """Read an ARPA file of up to four orders: its vocabulary, and levels as `write` takes them.

    The vocabulary starts with `SPECIALS`; those that the file lacks get next to no probability.

    Raises:
        ModelError: the file is no ARPA file, is cut short, has a higher order or too many words.
    """
    import numpy as np

    entries: list[list[tuple[list[str], float, float]]] = []
    ended = False
    for line in map(str.strip, lines):
        if line == "\\end\\":
            ended = True
            break
        if line.endswith("-grams:") and line.startswith("\\"):
            entries.append([])
        elif line and entries:
            fields = line.split()
            order = len(entries)
            try:
                backoff = float(fields[order + 1]) if len(fields) > order + 1 else 0.0
                entries[-1].append((fields[1 : order + 1], float(fields[0]), backoff))
            except (IndexError, ValueError):
                raise ModelError(f"ARPA line cannot be read: {line[:80]!r}") from None
    if not ended or not entries or len(entries) > ORDER:
        raise ModelError("not a whole ARPA file of at most four orders")
    unigrams = {ngram[0]: (log_p, backoff) for ngram, log_p, backoff in entries[0]}
    words = [*SPECIALS, *(word for word in unigrams if word not in SPECIALS)]
    if len(words) > 0x10000:
        raise ModelError(f"the ARPA file has {len(words)} words; a model holds at most 65536")
    number = {word: i for i, word in enumerate(words)}
    values = [unigrams.get(word, (-99.0, 0.0)) for word in words]
    keys = np.arange(len(words), dtype=np.uint64)
    levels = [Level(keys, np.array([v[0] for v in values]), np.array([v[1] for v in values]))]
    for order in range(2, ORDER + 1):
        level = _level(entries[order - 1] if order <= len(entries) else [], number, order)
        if not np.isin(level.keys >> np.uint64(16), levels[-1].keys).all():
            raise ModelError(f"the ARPA file has {order}-grams without the {order - 1}-gram before")
        levels.append(level)
    return words, levels


def _level(
    entries: Sequence[tuple[list[str], float, float]], number: Mapping[str, int], order: int
) -> Level:
    import numpy as np

    keys = np.zeros(len(entries), np.uint64)
    for i, (ngram, _, _) in enumerate(entries):
        if len(ngram) != order or not number.keys() >= set(ngram):
            raise ModelError(f"ARPA {order}-gram without its {order} known words: {ngram}")
        for word in ngram:
            keys[i] = keys[i] << np.uint64(16) | np.uint64(number[word])
    by_key = np.argsort(keys)
    log_p = np.array([p for _, p, _ in entries])[by_key]
    log_backoff = np.array([b for _, _, b in entries])[by_key]
    return Level(keys[by_key], log_p, log_backoff)


def perplexity(model: LanguageModel, sentences: Iterable[Sequence[str]]) -> float:
    """Two to the bits per word (ends of sentences included) over tokenised sentences."""
    total, n = 0.0, 0
    for sentence in sentences:
        scores = model.score(sentence)
        total += sum(scores)
        n += len(scores)
    return math.pow(10.0, -total / max(n, 1))
