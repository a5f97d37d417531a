"""Build the English model: `python -m train.build --corpora C --lexicons L -o src/unspin/data/en`.

Needs about 12 GB of memory and a quarter of an hour on two cores. The same input gives the same
files.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from train import ngrams, topics, tortured
from train.channel import compile_channel
from train.corpus import Corpus, read_corpus, training_files
from unspin import arrays, lm

VOCABULARY = 65_536  # the most that sixteen bits can number
SIZES = (1_550_000, 1_500_000, 1_100_000)  # bigrams, trigrams, 4-grams kept; see bench.lm


def estimate(corpora: Path) -> tuple[Corpus, list[ngrams.Counts], list[ngrams.Estimates]]:
    """The corpus, its n-gram counts and their smoothed probabilities, before pruning."""
    corpus = read_corpus(training_files(corpora), VOCABULARY)
    raw = [ngrams.count(corpus.ids, corpus.document, order) for order in range(1, ngrams.ORDER + 1)]
    return corpus, raw, ngrams.estimate(raw, len(corpus.words))


def main() -> None:
    """Build all files of the model into the output folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--lexicons", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument(
        "--sizes",
        type=int,
        nargs=3,
        default=SIZES,
        metavar=("BIGRAMS", "TRIGRAMS", "FOURGRAMS"),
        help="n-grams to keep, for a smaller or larger model",
    )
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    corpus, raw, levels = estimate(options.corpora)
    print(f"{len(corpus.ids):,} tokens counted", file=sys.stderr)
    model = options.output / "lm.bin"
    kept = ngrams.prune(raw, levels, tuple(options.sizes))
    del raw, levels  # the co-occurrences need the room
    company = topics.vectors(corpus)
    lm.write(model, corpus.words, corpus.capitals.tobytes(), kept, company)
    print(f"{model} written", file=sys.stderr)
    compile_channel(options.lexicons, lm.LanguageModel(model), options.output / "channel.bin")
    tortured.build(options.corpora, options.lexicons, options.output)
    arrays.seal(options.output)


if __name__ == "__main__":
    main()
