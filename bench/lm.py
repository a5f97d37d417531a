"""How well does a language model know text of sources it has never seen? Bits per word.

    python -m bench.lm --corpora C MODEL.bin...

One row a model file, so that a size can be chosen. A bit per word is counted over every token
that the model sees, ends of sentences included. Models are comparable if they share a vocabulary:
a word that a model does not have costs it only the bits of the class (unknown word, name, code)
that it belongs to, and the table says how many of those there are.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from bench.tables import Column, Run, Table, publish
from train.corpus import Document, held_out
from unspin.lm import EOS, LanguageModel, unknown_word
from unspin.text import QUOTE, Tokens, tokenize

MOST_WORDS = 300_000  # a source; more does not move the second decimal


class Sentence(NamedTuple):
    """A sentence without quotation marks: the position of every token in its text, its symbol,
    and the number of the class that it falls into where a model does not have the symbol."""

    positions: list[int]
    symbols: list[str]
    classes: list[int]


class Measured(NamedTuple):
    """Sums over a text: bits, tokens (ends of sentences included), tokens out of vocabulary."""

    bits: float
    tokens: int
    unknown: int


def sentences(tokens: Tokens) -> Iterator[Sentence]:
    """The sentences as the model was trained on them and as the lattice sees them.

    >>> [sentence.symbols for sentence in sentences(tokenize('"Go," said Zbrk. He went.'))]
    [['go', ',', 'said', 'zbrk', '.'], ['he', 'went', '.']]
    """
    for first, last in pairwise(tokens.sentences):
        positions = [i for i in range(first, last) if tokens.kind[i] != QUOTE]
        if positions:
            classes = [unknown_word(tokens.kind[i]) for i in positions]
            yield Sentence(positions, [tokens.symbol[i] for i in positions], classes)


def numbers(model: LanguageModel, sentence: Sentence) -> list[int]:
    """The sentence in the model's vocabulary, its end not included."""
    return [
        model.number.get(symbol, kind)
        for symbol, kind in zip(sentence.symbols, sentence.classes, strict=True)
    ]


def scores(model: LanguageModel, line: list[int]) -> list[float]:
    """log10 P of every word of a sentence or of a piece of one, given the words before it."""
    return list(model.ngrams.score(line))


def measure(model: LanguageModel, text: Iterable[Sentence]) -> Measured:
    """Score sentences under a model."""
    log10_p = 0.0
    tokens = unknown = 0
    for sentence in text:
        known = numbers(model, sentence)
        log10_p += sum(scores(model, [*known, EOS]))
        tokens += len(known) + 1
        unknown += sum(symbol not in model.number for symbol in sentence.symbols)
    return Measured(-log10_p / math.log10(2.0), tokens, unknown)


def by_source(documents: Iterable[Document], most_words: int) -> dict[str, list[Sentence]]:
    """The sentences of each source, all books of one publisher together."""
    found: dict[str, list[Sentence]] = {}
    words: dict[str, int] = {}
    for document in documents:
        source = document.source.partition(":")[0]
        if words.get(source, 0) < most_words:
            new = list(sentences(tokenize(document.text)))
            found.setdefault(source, []).extend(new)
            words[source] = words.get(source, 0) + sum(len(s.symbols) for s in new)
    return found


def _row(path: Path, sources: dict[str, list[Sentence]]) -> list[str | int | float]:
    model = LanguageModel(path)
    measured = [measure(model, text) for text in sources.values()]
    total = Measured(*(sum(column) for column in zip(*measured, strict=True)))
    return [
        path.name,
        path.stat().st_size / 1e6,
        len(model.words),
        *(m.bits / m.tokens for m in measured),
        total.bits / total.tokens,
        total.unknown / total.tokens,
    ]


def main() -> None:
    """Print a row for every model file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--corpora", type=Path, required=True, help="folder of the clean texts")
    parser.add_argument("--quick", action="store_true", help="a small run, printed and not kept")
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL.bin")
    given = parser.parse_args()
    sources = by_source(held_out(given.corpora), 20_000 if given.quick else MOST_WORDS)
    columns = [
        Column("model"),
        Column("MB", ".1f"),
        Column("words", ","),
        *(Column(source, ".3f") for source in sources),
        Column("all", ".3f"),
        Column("not in vocabulary", ".2%"),
    ]
    table = Table(
        "Bits per word on sources never trained on",
        columns,
        [_row(path, sources) for path in given.models],
    )
    names = " ".join(path.name for path in given.models)
    note = (
        "A word is any token, punctuation and ends of sentences included, quotation marks not; "
        "one that is not in the vocabulary costs the bits of its class."
    )
    run = Run("lm", f"python -m bench.lm --corpora CORPORA {names}", note)
    publish(run, [table], keep=not given.quick)


if __name__ == "__main__":
    main()
