"""Read the training corpora and turn them into streams of word numbers."""

from __future__ import annotations

import io
import json
from array import array
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import zstandard
from numpy.typing import NDArray

from unspin import text
from unspin.lm import CODE, EOS, NAME, SPECIALS, UNKNOWN

# Never trained on: what detection and harm are measured with. The textbooks stay out of the
# model for their licence as well.
HELD_OUT = ("bbc2005", "abc2006", "fnc1", "ucsc-news", "plos")
HELD_OUT_FILES = ("textbooks-nc",)


class Document(NamedTuple):
    """One clean document of the corpora."""

    text: str
    source: str


def documents(path: Path) -> Iterator[Document]:
    """The documents of one `.jsonl.zst` file, in order."""
    with path.open("rb") as compressed:
        stream = zstandard.ZstdDecompressor().stream_reader(compressed)
        for line in io.TextIOWrapper(stream, encoding="utf-8"):
            record = json.loads(line)
            yield Document(record["text"], record["source"])


def training_files(corpora: Path) -> list[Path]:
    """The files that a model may be trained on, in the order of their names."""
    return [
        path
        for path in sorted(corpora.glob("*.jsonl.zst"))
        if not path.name.startswith(HELD_OUT_FILES)
    ]


def held_out(corpora: Path) -> Iterator[Document]:
    """Every document of the sources that no model is trained on."""
    for path in sorted(corpora.glob("*.jsonl.zst")):
        excluded = path.name.startswith(HELD_OUT_FILES)
        if excluded or path.name.startswith(("news-misc", "open-prose")):
            yield from (d for d in documents(path) if excluded or d.source.startswith(HELD_OUT))


class Stream(NamedTuple):
    """Sentences of many documents as numbers into `words`.

    `ids` holds every sentence followed by EOS; `documents` the offset at which each document
    starts, and the length last; `names` counts how often a word stood with a capital where its
    place in the sentence did not ask for one, `lower` how often without.
    """

    words: list[str]
    ids: NDArray[np.uint32]
    documents: NDArray[np.int64]
    names: Counter[int]
    lower: Counter[int]


def stream(path: Path) -> Stream:
    """Tokenise the trainable documents of one file."""
    number = {word: i for i, word in enumerate(SPECIALS)}
    ids, starts = array("I"), array("q")
    names: Counter[int] = Counter()
    lower: Counter[int] = Counter()
    for document in documents(path):
        if document.source.startswith(HELD_OUT):
            continue
        starts.append(len(ids))
        tokens = text.tokenize(document.text)
        sentences = set(tokens.sentences)
        for i, (symbol, kind) in enumerate(zip(tokens.symbol, tokens.kind, strict=True)):
            if i and i in sentences:
                ids.append(EOS)
            if kind == text.QUOTE:
                continue
            word = number.setdefault(symbol, len(number))
            ids.append(word)
            if kind == text.WORD:
                lower[word] += 1
            elif kind in (text.CAPITAL, text.ACRONYM) and not tokens.flags[i] & text.INITIAL:
                names[word] += 1
        ids.append(EOS)
    starts.append(len(ids))
    return Stream(
        list(number),
        np.frombuffer(ids, np.uint32),
        np.frombuffer(starts, np.int64),
        names,
        lower,
    )


class Corpus(NamedTuple):
    """All training text over one vocabulary: `ids` is one sentence after the other, each closed
    by EOS, `document` the number of the document of every position, `capitals` how often a word
    stands with a capital where its place in the sentence does not ask for one, of 255."""

    words: list[str]
    ids: NDArray[np.uint16]
    document: NDArray[np.int64]
    capitals: NDArray[np.uint8]


def read_corpus(files: list[Path], size: int, workers: int = 2) -> Corpus:
    """Tokenise files and keep the `size` most frequent words that two documents or more share."""
    with ProcessPoolExecutor(workers) as pool:
        streams = list(pool.map(stream, files))
    counts: Counter[str] = Counter()
    capital: Counter[str] = Counter()
    lower: Counter[str] = Counter()
    shared: Counter[str] = Counter()
    for part in streams:
        occurrences = np.bincount(part.ids, minlength=len(part.words))
        document = np.repeat(np.arange(len(part.documents) - 1), np.diff(part.documents))
        pairs = np.unique(part.ids.astype(np.int64) << 32 | document) >> 32
        spread = np.bincount(pairs, minlength=len(part.words))
        for i, word in enumerate(part.words):
            counts[word] += int(occurrences[i])
            shared[word] += int(spread[i])
            capital[word] += part.names[i]
            lower[word] += part.lower[i]
    frequent = (
        word
        for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        if shared[word] >= 2 and word not in SPECIALS and " " not in word
    )
    words = [*SPECIALS, *islice(frequent, size - len(SPECIALS))]
    number = {word: i for i, word in enumerate(words)}
    capitals = np.array(
        [255 * capital[word] // max(capital[word] + lower[word], 1) for word in words], np.uint8
    )

    def renumber(part: Stream) -> NDArray[np.uint16]:
        table = np.empty(len(part.words), np.uint16)
        for i, word in enumerate(part.words):
            unknown = NAME if part.names[i] > part.lower[i] else UNKNOWN
            if any(c.isdigit() or c == "_" for c in word):
                unknown = CODE
            table[i] = number.get(word, unknown)
        return table[part.ids]

    ids = np.concatenate([renumber(part) for part in streams])
    lengths = np.concatenate([np.diff(part.documents) for part in streams])
    document = np.repeat(np.arange(len(lengths)), lengths)
    return Corpus(words, ids, document, capitals)
