"""Compile the tortured phrases: `python -m train.tortured --corpora C --lexicons L -o FOLDER`.

Writes `tortured.bin` beside a model that is already there: the list of the Problematic Paper
Screener without what is ordinary English, the terms that a spinner may have tortured (those that
the list expects, and collocations of encyclopaedia and open prose), the swaps of single words
that the list shows, and weights fitted on papers and textbooks that no model has seen, with
phrases that the list and the swaps were kept from. Needs about 4 GB and five minutes.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from train import lexicons as lexicon_files
from train.corpus import Corpus, Document, held_out, read_corpus, training_files
from train.samples import Part, count_words, part, shuffled
from unspin import arrays, text, tortured
from unspin.lm import LanguageModel
from unspin.text import tokenize
from unspin.thesaurus import Thesaurus
from unspin.tortured import Finder, PhraseEvidence, Weights, fold

Floats = NDArray[np.float64]

FILE = "tortured.bin"
OPEN_TEXT = ("encyclopaedia", "open-prose")  # files that collocations are taken from
SCIENCE = ("plos", "openstax")  # held-out sources of scientific text
VOCABULARY = 65_536
COMMON = 150  # words so frequent that they are part of no term
LEAST_DOCUMENTS = 3
LEAST_PMI = 2.0  # nats
COLLOCATIONS = 20_000
MOST_WORDS = 6  # of a listed phrase
CARRIERS = 40  # sentences at most that hold one term
PER_WORDS = 1_000  # words of text with one tortured phrase, which the probabilities assume
PRECISION = 0.9  # at that mix, of what is reported off the list: the threshold
# Listed phrases in a word of clean text at least: what it was in the texts fitted on before those
# very texts had a say in the list. The texts of the benchmark have 3 in a million words.
LISTED_FALSE = 7e-6
RIDGE = 1e-1
STEPS = 50
MOST_DOCUMENTS = 400  # to fit on, about a million words


class Entry(NamedTuple):
    """A listed phrase: its words folded, and the term expected, as written."""

    phrase: tuple[str, ...]
    printed: str
    expected: str


class Collocation(NamedTuple):
    """Two words that stand together more often than by chance."""

    words: tuple[str, str]
    weight: float


def normal(phrase: str) -> tuple[str, ...] | None:
    """The words of a phrase, none of them a number, without hyphens; None if it has others.

    >>> normal("k-means cluster"), normal("128 bits"), normal("half (and) half")
    (('k', 'means', 'cluster'), None, None)
    """
    tokens = tokenize(phrase)
    words = [
        (symbol, kind)
        for symbol, kind in zip(tokens.symbol, tokens.kind, strict=True)
        if symbol != "-"
    ]
    if not words or any(kind != text.WORD for _, kind in words):
        return None
    return tuple(symbol for symbol, _ in words)


def read_list(lexicons: Path) -> list[Entry]:
    """The list, without entries that are unclear, too long or the same as what they stand for."""
    entries: dict[tuple[str, ...], Entry] = {}
    for expected, printed in lexicon_files.tortured_phrases(lexicons):
        words, term = normal(printed), normal(expected)
        if words is None or term is None or len(words) > MOST_WORDS:
            continue
        phrase = tuple(map(fold, words))
        if phrase != tuple(map(fold, term)):
            entries.setdefault(phrase, Entry(phrase, " ".join(words), " ".join(term)))
    return list(entries.values())


def ordinary(entries: Sequence[Entry], corpus: Corpus, model: LanguageModel) -> set[Entry]:
    """The entries that are ordinary English: single words that are in the vocabulary, and
    phrases that two documents of the corpus use."""
    folded: dict[str, int] = {}
    table = np.array([folded.setdefault(fold(w), len(folded)) for w in corpus.words], np.uint32)
    inside = (table != folded["-"])[corpus.ids] if "-" in folded else np.ones(len(corpus.ids), bool)
    ids, document = table[corpus.ids][inside], corpus.document[inside]
    known = {fold(word) for word in model.words}
    by_head: dict[int, list[Entry]] = defaultdict(list)
    found: set[Entry] = set()
    users: dict[Entry, int] = {}
    for entry in entries:
        if len(entry.phrase) == 1:
            if entry.phrase[0] in known:
                found.add(entry)
        elif all(word in folded for word in entry.phrase):
            by_head[folded[entry.phrase[0]] << 16 | folded[entry.phrase[1]]].append(entry)
    keys = ids[:-1] << np.uint32(16) | ids[1:]
    heads = np.isin(keys, np.array(sorted(by_head), np.uint32))
    for at in np.flatnonzero(heads).tolist():
        for entry in by_head[int(keys[at])]:
            numbers = [folded[word] for word in entry.phrase]
            if ids[at : at + len(numbers)].tolist() == numbers:
                user = int(document[at])
                if users.setdefault(entry, user) != user:
                    found.add(entry)
    return found


def in_use(entries: Sequence[Entry], clean: Iterable[Document], model: Path) -> set[Entry]:
    """The entries that one of these scientific texts uses, all of them clean: what is odd in an
    encyclopaedia may be the usual term in a paper ("hazard ratio")."""
    by_phrase = {" ".join(entry.phrase): entry for entry in entries}
    used: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        finder = opener(model, {"name": "", "version": ""}, Path(folder))(
            Parts(entries, (), (), ()), UNFITTED
        )
        for document in clean:
            tokens = tokenize(document.text)
            used.update(
                " ".join(fold(s) for s in tokens.symbol[first : last + 1] if s != "-")
                for _, first, last in finder.candidates(tokens)
            )
    return {entry for phrase, entry in by_phrase.items() if phrase in used}


def collocations(corpus: Corpus) -> list[Collocation]:
    """Pairs of words of some documents that stand together more often than by chance, the
    weightiest first: by PMI times the log of the number of documents."""
    words, ids = corpus.words, corpus.ids
    counts = np.bincount(ids, minlength=len(words)).astype(float)
    eligible = np.array([word.isalpha() and len(word) > 2 for word in words])
    eligible &= corpus.capitals < 128
    eligible[np.argsort(-counts)[:COMMON]] = False
    inside = eligible[ids[:-1]] & eligible[ids[1:]]
    keys = (ids[:-1].astype(np.uint32) << np.uint32(16) | ids[1:])[inside]
    document = corpus.document[:-1][inside]
    order = np.argsort(keys, kind="stable")
    keys, document = keys[order], document[order]
    differs = np.append(True, keys[1:] != keys[:-1])
    starts = np.flatnonzero(differs)
    together = np.diff(np.append(starts, len(keys)))
    fresh = differs | np.append(True, document[1:] != document[:-1])
    documents = np.add.reduceat(fresh.astype(np.int64), starts)
    keys = keys[starts]
    one, two = keys >> np.uint32(16), keys & np.uint32(0xFFFF)
    pmi = np.log(together * len(ids) / (counts[one] * counts[two]))
    weight = pmi * np.log(documents)
    kept = np.flatnonzero((documents >= LEAST_DOCUMENTS) & (pmi >= LEAST_PMI))
    kept = kept[np.argsort(-weight[kept], kind="stable")]
    return [Collocation((words[one[i]], words[two[i]]), float(weight[i])) for i in kept]


def chosen(found: Sequence[Collocation], listed: Iterable[str]) -> list[str]:
    """The collocations to keep: first those made of words that the terms of the list are of."""
    technical = {fold(word) for term in listed for word in term.split(" ")}
    inside = [c for c in found if technical.issuperset(map(fold, c.words))]
    return [" ".join(c.words) for c in inside[:COLLOCATIONS]]


def swaps(entries: Iterable[Entry]) -> Counter[tuple[str, str]]:
    """How often each word is printed for another, over phrases as long as their terms."""
    counts: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        term = tuple(map(fold, entry.expected.split(" ")))
        if len(term) == len(entry.phrase) > 1:
            counts.update(
                (printed, original)
                for printed, original in zip(entry.phrase, term, strict=True)
                if printed != original
            )
    return counts


def halves(entries: Sequence[Entry], purpose: str) -> tuple[list[Entry], list[Entry]]:
    """The entries in two halves that share no expected term, for each purpose other ones."""
    first: list[Entry] = []
    second: list[Entry] = []
    for entry in entries:
        (first if _draw(purpose + fold(entry.expected)) % 2 else second).append(entry)
    return first, second


class Sample(NamedTuple):
    """A sentence with a tortured phrase; `own` if it held the very term that the phrase is for."""

    text: str
    start: int
    end: int
    entry: Entry
    own: bool


def embedded(entries: Sequence[Entry], documents: Iterable[Document]) -> list[Sample]:
    """Every phrase in a sentence of the documents that holds its term, in the term's place; if
    there is none, in the place of another term of as many words."""
    lengths = {entry.expected: len(entry.expected.split(" ")) for entry in entries}
    terms = {tuple(map(fold, term.split(" "))) for term in lengths}
    places: dict[tuple[str, ...], list[tuple[str, int, int]]] = defaultdict(list)
    for document in documents:
        for term, place in _occurrences(document.text, terms):
            if len(places[term]) < CARRIERS:
                places[term].append(place)
    by_length: dict[int, list[tuple[str, int, int]]] = defaultdict(list)
    for term, found in sorted(places.items()):
        by_length[len(term)] += found
    samples = []
    for entry in entries:
        term = tuple(map(fold, entry.expected.split(" ")))
        own = places.get(term)
        carriers = own or by_length.get(len(term)) or by_length[2]
        sentence, start, end = carriers[_draw(entry.printed) % len(carriers)]
        spun = sentence[:start] + entry.printed + sentence[end:]
        samples.append(Sample(spun, start, start + len(entry.printed), entry, bool(own)))
    return samples


def _occurrences(
    source: str, terms: set[tuple[str, ...]]
) -> Iterator[tuple[tuple[str, ...], tuple[str, int, int]]]:
    """The terms in a text, with the sentence and the place in it; hyphens count as blanks."""
    tokens = tokenize(source)
    longest = max(map(len, terms), default=0)
    for first, stop in zip(tokens.sentences, tokens.sentences[1:], strict=False):
        begin, finish = tokens.start[first], tokens.end[stop - 1]
        inside = [i for i in range(first, stop) if tokens.symbol[i] != "-"]
        folded = [fold(tokens.symbol[i]) for i in inside]
        for at in range(len(inside)):
            for length in range(2, longest + 1):
                term = tuple(folded[at : at + length])
                if len(term) == length and term in terms:
                    start, end = tokens.start[inside[at]], tokens.end[inside[at + length - 1]]
                    if source[start:end].islower():
                        yield term, (source[begin:finish], start - begin, end - begin)


class Measured(NamedTuple):
    """What a finder makes of samples and of clean text: the best evidence for each phrase (None
    if there is none at all), the evidence of every candidate in the clean text, its words."""

    phrases: list[PhraseEvidence | None]
    clean: list[PhraseEvidence]
    words: int


def measure(finder: Finder, samples: Sequence[Sample], clean: Sequence[Document]) -> Measured:
    """Ask a finder for all its candidates."""
    phrases: list[PhraseEvidence | None] = []
    for sample in samples:
        tokens = tokenize(sample.text)
        inside = [
            candidate
            for candidate, first, last in finder.candidates(tokens)
            if tokens.start[first] < sample.end and tokens.end[last] > sample.start
        ]
        best = max(inside, key=lambda c: c.probability, default=None)
        phrases.append(best.evidence if best else None)
    evidence: list[PhraseEvidence] = []
    words = 0
    for document in clean:
        tokens = tokenize(document.text)
        words += count_words(document.text)
        evidence += (c.evidence for c, *_ in finder.candidates(tokens) if c.evidence is not None)
    return Measured(phrases, evidence, words)


def fitted(measured: Sequence[Measured], listed_per_word: float) -> Weights:
    """Logistic regression at one phrase in `PER_WORDS` words, and the lowest threshold at which
    `PRECISION` of what is reported at that mix is right."""
    found = [e for m in measured for e in m.phrases if e is not None]
    wrong = [e for m in measured for e in m.clean]
    phrases = sum(len(m.phrases) for m in measured)
    words = sum(m.words for m in measured)
    features = np.array([(1.0, *e) for e in [*found, *wrong]])
    right = np.arange(len(features)) < len(found)
    weight = np.where(right, 1.0 / phrases, PER_WORDS / words) * phrases
    beta = _regress(features, right, weight)
    p = 1 / (1 + np.exp(-features @ beta))
    threshold = 1.0
    for candidate in np.arange(0.99, 0.0, -0.01):
        share = (p[right] > candidate).sum() / phrases
        false = PER_WORDS * (p[~right] > candidate).sum() / words
        if share and share / (share + false) >= PRECISION:
            threshold = float(candidate)
    intercept, *rest = (round(float(b), 4) for b in beta)
    on_list = 1.0 / (1.0 + PER_WORDS * max(listed_per_word, LISTED_FALSE))
    return Weights(intercept, PhraseEvidence(*rest), round(on_list, 4), round(threshold, 2))


def _regress(features: Floats, right: NDArray[np.bool_], weight: Floats) -> Floats:
    """Weighted logistic regression by Newton's method, with steps that never lose."""
    sign = np.where(right, 1.0, -1.0)

    def loss(beta: Floats) -> float:
        misfit = weight * np.logaddexp(0.0, -sign * (features @ beta))
        return float(misfit.sum() + RIDGE * (beta @ beta) / 2)

    beta = np.zeros(features.shape[1])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(features @ beta, -30, 30)))
        gradient = features.T @ (weight * (right - p)) - RIDGE * beta
        hessian = (features * (weight * p * (1 - p))[:, None]).T @ features
        step = np.linalg.solve(hessian + RIDGE * np.eye(len(beta)), gradient)
        while loss(beta + step) > loss(beta) and np.abs(step).max() > 1e-6:
            step /= 2
        beta += step
    return beta


UNFITTED = Weights(
    -5.0, PhraseEvidence(1.0, 1.0, -0.5, 0.0, 2.0, 1.0, 1.0, 1.0, 0.0, 1.0), 0.9, 0.5
)


class Parts(NamedTuple):
    """What a file is made of, beside its weights."""

    entries: Sequence[Entry]  # the phrases that are looked for as they stand
    teachers: Sequence[Entry]  # those that teach swaps of words
    terms: Sequence[str]  # of the list, as written
    others: Sequence[Collocation]


def compile_file(path: Path, source: dict[str, str], parts: Parts, weights: Weights) -> None:
    """Write one file."""
    listed = {term for term in parts.terms if " " in term}
    terms: dict[tuple[str, ...], tuple[str, bool]] = {}
    for term in [*sorted(listed), *chosen(parts.others, listed)]:
        terms.setdefault(tuple(map(fold, term.split(" "))), (term, term in listed))
    entries = ((" ".join(entry.phrase), entry.expected) for entry in parts.entries)
    tortured.write(path, source, entries, terms.values(), swaps(parts.teachers), weights)


Open = Callable[[Parts, Weights], Finder]


def opener(model: Path, source: dict[str, str], folder: Path) -> Open:
    """A way to make finders of parts, by files in a folder of their own."""
    language_model, thesaurus = LanguageModel(model / "lm.bin"), Thesaurus(model / "channel.bin")

    def make(parts: Parts, weights: Weights) -> Finder:
        path = folder / FILE
        compile_file(path, source, parts, weights)
        return Finder(language_model, thesaurus, path)

    return make


def fit(
    make: Open, entries: Sequence[Entry], others: Sequence[Collocation], clean: Sequence[Document]
) -> Weights:
    """Weights from phrases that the list and its swaps are kept from, each half by the other; once
    with all terms known, once without those of the phrases. The first of the scientific texts
    `clean` serve as clean text and to embed the phrases in."""
    clean = clean[:MOST_DOCUMENTS]
    terms = [entry.expected for entry in entries]
    folds = halves(entries, "fit")
    weights = UNFITTED
    samples = [embedded(half, clean) for half in folds]
    for _ in range(2):  # the second time with the best candidates by the weights of the first
        measured = [
            measure(make(Parts((), teachers, known, others), weights), sample, clean)
            for teachers, sample, known in (
                (folds[0], samples[1], terms),
                (folds[1], samples[0], [entry.expected for entry in folds[1]]),
            )
        ]
        finder = make(Parts(entries, (), (), ()), weights)
        hits = sum(len(finder.candidates(tokenize(document.text))) for document in clean)
        words = sum(m.words for m in measured) / len(measured)
        weights = fitted(measured, hits / words)
    return weights


def scientific(documents: Iterable[Document], wanted: Part) -> list[Document]:
    """The papers and textbooks of one part of the held-out documents, papers first."""
    found = [d for d in documents if d.source.startswith(SCIENCE) and part(d) == wanted]
    return sorted(shuffled(found), key=lambda document: document.source != SCIENCE[0])


def source_of(lexicons: Path, entries: int) -> dict[str, str]:
    """The list's name, licence and version."""
    digest = hashlib.sha256((lexicons / "tortured_phrases.tsv").read_bytes()).hexdigest()
    return {
        "name": "Problematic Paper Screener",
        "licence": "CC BY 4.0, Cabanac, Labbé and Magazinov",
        "version": f"{entries:,} phrases, copy {digest[:8]}",
    }


class Prepared(NamedTuple):
    """What files are made of: the whole list, its phrases that are no ordinary English, and the
    collocations of the corpora."""

    everything: list[Entry]
    entries: list[Entry]
    others: list[Collocation]


def prepare(corpora: Path, lexicons: Path, model: Path) -> Prepared:
    """Read the list and the corpora; a few minutes."""
    files = [p for p in training_files(corpora) if p.name.startswith(OPEN_TEXT)]
    corpus = read_corpus(files, VOCABULARY)
    everything = read_list(lexicons)
    dropped = ordinary(everything, corpus, LanguageModel(model / "lm.bin"))
    dropped |= in_use(everything, scientific(held_out(corpora), "calibrate"), model)
    entries = [entry for entry in everything if entry not in dropped]
    return Prepared(everything, entries, collocations(corpus))


def build(corpora: Path, lexicons: Path, folder: Path) -> None:
    """Write the file beside a model's others."""
    everything, entries, others = prepare(corpora, lexicons, folder)
    source = source_of(lexicons, len(entries))
    clean = scientific(held_out(corpora), "calibrate")
    with tempfile.TemporaryDirectory() as temporary:
        weights = fit(opener(folder, source, Path(temporary)), entries, others, clean)
    terms = [entry.expected for entry in everything]
    compile_file(folder / FILE, source, Parts(entries, entries, terms, others), weights)
    print(f"{len(entries):,} of {len(everything):,} phrases kept; {weights}")


def main() -> None:
    """Build the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--lexicons", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    build(options.corpora, options.lexicons, options.output)
    arrays.seal(options.output)


def _draw(key: str) -> int:
    """A number that depends on the text alone."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big")


if __name__ == "__main__":
    main()
