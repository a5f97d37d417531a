"""Should the language model fold case? Bits per word of a folded and a cased one.

    python -m bench.casing --corpora C

Two models of the same number of words and n-grams from the same part of the corpora. Both are
asked for the next word whatever its case: the cased model sums over the ways to write it, given
its own cased context, so that the two can be compared.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from bench import lm
from bench.tables import Column, Run, Table, publish
from train import ngrams
from train.corpus import Document, documents, held_out, training_files
from unspin.lm import EOS, NAME, SPECIALS, UNKNOWN, LanguageModel, write
from unspin.text import CAPITAL, INITIAL, tokenize

DOCUMENTS = 12_000  # to train on, some 10 M words
HELD_OUT = 400
VOCABULARY = 50_000
SIZES = (600_000, 500_000, 300_000)

NOTE = f"""\
Two models of {VOCABULARY:,} words and the same number of n-grams from the same {DOCUMENTS:,} \
documents. Both are asked for the next word whatever its case; the cased one adds up the ways to \
write it."""


def sentences(document: Document, *, cased: bool) -> Iterator[list[str]]:
    """Symbols of every sentence; a capital that opens a sentence is folded either way."""
    text = document.text
    tokens = tokenize(text)
    for sentence in lm.sentences(tokens):
        symbols = sentence.symbols
        if cased:
            for k, i in enumerate(sentence.positions):
                printed = text[tokens.start[i] : tokens.end[i]]
                capital = tokens.kind[i] == CAPITAL and not tokens.flags[i] & INITIAL
                if capital or printed.isupper():
                    symbols[k] = printed
        yield symbols


def train(corpus: Sequence[Document], path: Path, *, cased: bool) -> LanguageModel:
    """A model of the fixed size, written to a file."""
    counts: Counter[str] = Counter()
    for document in corpus:
        for sentence in sentences(document, cased=cased):
            counts.update(sentence)
    common = [w for w, _ in counts.most_common(VOCABULARY) if w not in SPECIALS]
    words = [*SPECIALS, *common][:VOCABULARY]
    number = {word: i for i, word in enumerate(words)}
    ids: list[int] = []
    places: list[int] = []
    for index, document in enumerate(corpus):
        for sentence in sentences(document, cased=cased):
            ids += [number.get(word, UNKNOWN) for word in sentence]
            ids.append(EOS)
        places += [index] * (len(ids) - len(places))
    columns = np.array(ids, np.uint16), np.array(places, np.int64)
    raw = [ngrams.count(*columns, order) for order in range(1, ngrams.ORDER + 1)]
    levels = ngrams.prune(raw, ngrams.estimate(raw, len(words)), SIZES)
    write(path, words, bytes(len(words)), levels, np.zeros(0, np.int8))
    return LanguageModel(path)


def bits(model: LanguageModel, corpus: Iterable[Document], *, cased: bool) -> tuple[float, float]:
    """Bits per known word of any case, and the share of words that are not known."""
    spellings: dict[str, list[int]] = {}
    for i, word in enumerate(model.words):
        if i > NAME:
            spellings.setdefault(word.lower(), []).append(i)
    total, known, words = 0.0, 0, 0
    for document in corpus:
        for sentence in sentences(document, cased=cased):
            numbers = [model.number.get(word, UNKNOWN) for word in sentence]
            for k, word in enumerate(sentence):
                words += 1
                ways = spellings.get(word.lower())
                if ways is None:
                    continue
                # Three words are all that a 4-gram model sees; before them stands a start.
                context = numbers[max(0, k - 3) : k]
                p = sum(10 ** model.ngrams.score([*context, way])[-1] for way in ways)
                total -= math.log2(p)
                known += 1
    return total / known, 1 - known / words


def main() -> None:
    """Train both, print and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    given = parser.parse_args()
    files = training_files(given.corpora)
    corpus = [d for path in files[:4] for d in islice(documents(path), DOCUMENTS // 4)]
    test = list(islice((d for d in held_out(given.corpora) if d.source == "bbc2005"), HELD_OUT))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, cased in (("case-folded", False), ("cased", True)):
            path = Path(folder) / f"{name}.bin"
            model = train(corpus, path, cased=cased)
            rows.append((name, path.stat().st_size / 1e6, *bits(model, test, cased=cased)))
    columns = [Column("model"), Column("MB", ".1f"), Column("bits per word", ".3f")]
    columns.append(Column("not in vocabulary", ".2%"))
    table = Table("Bits per word of BBC 2005, whatever its case", columns, rows)
    command = "python -m bench.casing --corpora CORPORA"
    publish(Run("casing", command, NOTE), [table], keep=True)


if __name__ == "__main__":
    main()
