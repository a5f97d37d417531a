"""The language model: estimates that sum to one, one file of small numbers, and ARPA in and out.

The plain twin of all scoring is `log_p` below: back-off as the textbooks define it, over
dictionaries.
"""

import io
import random
from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numpy")

import numpy as np

from train import ngrams
from unspin import arrays, lm
from unspin.lm import BOS, EOS, SPECIALS, UNKNOWN, LanguageModel, ModelError

DOCUMENTS, SENTENCES = 6, 40
STARTS = "the guard|an old envoy|the envoy of the town|a guard in the town|<name>|<unk>".split("|")
VERBS = "threw|kept|gave|took the|wanted a|found <number>".split("|")
ENDS = "old coins|new bread|coins at the envoy|bread in the old town|a road|<unk>|it".split("|")


def corpus():
    """Words, and sentences of small documents as numbers; each has words of its own."""
    chance = random.Random(1)
    documents = []
    for number in range(DOCUMENTS):
        verbs, ends = VERBS[number % 3 :], [*ENDS[number % 4 :], f"own{number}"]
        documents.append(
            [
                f"{chance.choice(STARTS)} {chance.choice(verbs)} {chance.choice(ends)} .".split()
                for _ in range(SENTENCES)
            ]
        )
    found = {word for document in documents for sentence in document for word in sentence}
    words = [*SPECIALS, *sorted(found - set(SPECIALS))]
    number = {word: i for i, word in enumerate(words)}
    return words, [[[number[w] for w in sentence] for sentence in d] for d in documents]


WORDS, SENTENCES_OF = corpus()
IDS = np.array([w for d in SENTENCES_OF for s in d for w in [*s, EOS]], np.uint16)
DOCUMENT = np.repeat(
    np.arange(DOCUMENTS, dtype=np.int32), [sum(len(s) + 1 for s in d) for d in SENTENCES_OF]
)
RAW = [ngrams.count(IDS, DOCUMENT, order) for order in range(1, 5)]
NO_TOPICS = np.zeros(0, np.int8)
SIZES = [(10_000, 10_000, 10_000), (60, 60, 30), (30, 10, 0), (0, 0, 0)]
by_size = pytest.mark.parametrize("sizes", SIZES, ids=str)


def levels(sizes):
    return ngrams.prune(RAW, ngrams.estimate(RAW, len(WORDS)), sizes)


def ngram(key, order):
    return tuple(int(key) >> shift & 0xFFFF for shift in range(16 * (order - 1), -1, -16))


def tables(levels):
    """Per order: n-gram -> (log10 P, log10 back-off weight)."""
    return [
        {
            ngram(key, order): numbers
            for key, *numbers in zip(*map(np.ndarray.tolist, level), strict=True)
        }
        for order, level in enumerate(levels, 1)
    ]


def log_p(tables, context, word):
    whole = (*context, word)
    if whole in tables[len(context)]:
        return tables[len(context)][whole][0]
    weight = tables[len(context) - 1].get(tuple(context), (0.0, 0.0))[1]
    return weight + log_p(tables, context[1:], word)


def log_ps(tables, sentence):
    words = [BOS, *sentence, EOS]
    return [log_p(tables, words[max(0, i - 3) : i], words[i]) for i in range(1, len(words))]


def sentences(seed, number):
    """Random sentences: some like the corpus, some of any words."""
    chance = random.Random(seed)
    for _ in range(number):
        if chance.random() < 0.5:
            sentence = list(chance.choice(chance.choice(SENTENCES_OF)))
            sentence[chance.randrange(len(sentence))] = chance.choice(sentence)
        else:
            sentence = chance.choices(range(3, len(WORDS)), k=chance.randrange(12))
        yield [UNKNOWN if chance.random() < 0.05 else word for word in sentence]


@pytest.fixture
def write(tmp_path):
    def written(levels):
        path = tmp_path / "lm.bin"
        lm.write(path, WORDS, bytes(len(WORDS)), levels, NO_TOPICS)
        return LanguageModel(path)

    return written


# --- counting and estimating


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_counts_are_those_of_counting_one_by_one(order):
    counted, within = Counter(), {}
    for number, document in enumerate(SENTENCES_OF):
        for sentence in document:
            padded = [BOS, *sentence, EOS]
            for i in range(len(padded) - order + 1):
                found = tuple(padded[i : i + order])
                if found != (BOS,):
                    counted[found] += 1
                    within.setdefault(found, set()).add(number)
    keys, counts, shared = RAW[order - 1]
    found = [ngram(key, order) for key in keys]
    assert dict(zip(found, counts.tolist(), strict=True)) == counted
    assert dict(zip(found, shared.tolist(), strict=True)) == {
        ngram: len(documents) > 1 for ngram, documents in within.items()
    }


@by_size
def test_the_probabilities_after_any_context_sum_to_one(sizes):
    found = tables(levels(sizes))
    contexts = {context for table in found[:3] for context in table if EOS not in context}
    unseen = {(3, 3, 3), (9, 3), (len(WORDS) - 1, 9, 10), (UNKNOWN,), ()}
    for context in contexts | unseen:
        total = sum(10 ** log_p(found, context, word) for word in range(len(WORDS)))
        assert total == pytest.approx(1, abs=1e-6), context


@by_size
def test_no_ngram_of_fewer_than_two_documents_ships(sizes):
    within = {}
    for number, document in enumerate(SENTENCES_OF):
        for sentence in document:
            padded = [BOS, *sentence, EOS]
            for start, end in combinations(range(len(padded) + 1), 2):
                within.setdefault(tuple(padded[start:end]), set()).add(number)
    for table in tables(levels(sizes))[1:]:
        assert all(len(within[ngram]) > 1 for ngram in table)


@by_size
def test_pruning_keeps_as_many_as_asked_and_the_contexts_that_they_need(sizes):
    found = [*tables(levels(sizes)), {}]
    for shorter, longer, size in zip(found[1:], found[2:], sizes, strict=False):
        contexts = {ngram[:-1] for ngram in longer}
        assert contexts <= shorter.keys()
        assert len(shorter) <= max(size, len(contexts))


def test_a_kept_ngram_keeps_its_estimate():
    estimates = ngrams.estimate(RAW, len(WORDS))
    for (keys, p), level in zip(estimates, levels((60, 60, 30)), strict=True):
        at = np.searchsorted(keys, level.keys)
        assert 10**level.log_p == pytest.approx(p[at], rel=1e-9)


def test_a_word_is_likelier_where_it_was_seen():
    found = tables(levels(SIZES[0]))
    old, coins, it = (WORDS.index(word) for word in ("old", "coins", "it"))
    assert log_p(found, (old,), coins) > log_p(found, (), coins) > log_p(found, (it,), coins)


# --- the file


@by_size
def test_an_opened_model_scores_like_the_plain_twin_over_its_numbers(write, sizes):
    model = write(levels(sizes))
    twin = tables(model.levels())
    for sentence in sentences(2, 50):
        scores = model.score([WORDS[word] for word in sentence])
        assert scores == pytest.approx(log_ps(twin, sentence), abs=1e-5)


def test_quantising_costs_next_to_nothing(write):
    exact = levels(SIZES[0])
    model = write(exact)
    twin = tables(exact)
    errors = [
        abs(score - true)
        for sentence in sentences(3, 200)
        for score, true in zip(
            model.score([WORDS[word] for word in sentence]), log_ps(twin, sentence), strict=True
        )
    ]
    assert max(errors) < 0.02
    assert sum(errors) / len(errors) < 0.002


@given(st.lists(st.floats(-30, 0), min_size=1, max_size=600))
def test_a_quantised_number_is_within_half_a_step(logs):
    logs = np.array(logs)
    table, codes = lm.quantise(logs)
    half_a_step = (logs.max() - logs.min()) / 127 / 2
    assert abs(np.log10(table[codes].astype(float)) - logs).max() <= half_a_step + 1e-5


def test_a_model_knows_its_words(write):
    model = write(levels(SIZES[1]))
    assert model.words == WORDS
    assert [model.number[word] for word in WORDS] == list(range(len(WORDS)))
    assert model.score(["never", "seen"]) == model.score(["<unk>", "<unk>"])


def test_the_end_of_a_sentence_is_scored(write):
    model = write(levels(SIZES[1]))
    assert len(model.score([])) == 1
    assert len(model.score(["the", "guard"])) == 3


def test_perplexity_is_that_of_the_average_word(write):
    model = write(levels(SIZES[0]))
    scores = [*model.score(["the", "guard"]), *model.score([])]
    expected = 10 ** (-sum(scores) / len(scores))
    assert lm.perplexity(model, [["the", "guard"], []]) == pytest.approx(expected)


def test_another_file_is_no_model(tmp_path):
    with pytest.raises(ModelError, match="is missing"):
        LanguageModel(tmp_path / "lm.bin")
    arrays.write(tmp_path / "lm.bin", "channel", {}, {})
    with pytest.raises(ModelError, match="holds channel, not language model"):
        LanguageModel(tmp_path / "lm.bin")


# --- ARPA


def arpa(levels):
    file = io.StringIO()
    lm.write_arpa(file, WORDS, levels)
    return file.getvalue()


@by_size
def test_arpa_comes_back_as_it_was(sizes):
    written = levels(sizes)
    words, read = lm.read_arpa(arpa(written).splitlines())
    assert words == WORDS
    for before, after in zip(written, read, strict=True):
        assert after.keys.tolist() == before.keys.tolist()
        assert after.log_p == pytest.approx(np.maximum(before.log_p, -99), abs=1e-6)
        assert after.log_backoff == pytest.approx(before.log_backoff, abs=1e-6)


def test_an_opened_model_can_be_exported(write):
    exported = write(levels(SIZES[1])).levels()
    words, read = lm.read_arpa(arpa(exported).splitlines())
    assert words == WORDS
    assert [level.keys.tolist() for level in read] == [level.keys.tolist() for level in exported]
    for before, after in zip(exported, read, strict=True):
        assert after.log_p == pytest.approx(before.log_p, abs=1e-6)
        assert after.log_backoff == pytest.approx(before.log_backoff, abs=1e-6)


TRIGRAMS = """\\data\\
ngram 1=4
ngram 2=2
ngram 3=1

\\1-grams:
-1.0\t<unk>
-99\t<s>\t-0.5
-0.7\t</s>
-0.3\tnoon\t-0.2

\\2-grams:
-0.1\t<s> noon\t-0.4
-0.2\tnoon noon

\\3-grams:
-0.05\t<s> noon noon

\\end\\
"""


def test_a_model_of_another_toolkit_can_be_used(tmp_path):
    words, read = lm.read_arpa(TRIGRAMS.splitlines())
    assert words == [*SPECIALS, "noon"]
    path = tmp_path / "lm.bin"
    lm.write(path, words, bytes(len(words)), read, NO_TOPICS)
    model = LanguageModel(path)
    # The last: no bigram or trigram ends in </s>, so two weights and the unigram.
    assert model.score(["noon", "noon"]) == pytest.approx([-0.1, -0.05, -0.2 - 0.7], abs=1e-5)
    name = model.score(["<name>"])[0]
    assert -50 < name < -20, "a special word that the file lacks is next to impossible, no more"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\\end\\", ""),
        (TRIGRAMS, ""),
        (TRIGRAMS, "<html>"),
        ("-0.2\tnoon noon", "-0.2\tnoon"),
        ("-0.2\tnoon noon", "-0.2\tnoon night"),
        ("-0.2\tnoon noon", "noon noon"),
        ("-0.1\t<s> noon\t-0.4\n", ""),
        ("\\end\\", "\\4-grams:\n\n\\5-grams:\n\n\\end\\"),
    ],
)
def test_a_damaged_arpa_file_is_refused(old, new):
    with pytest.raises(ModelError, match="ARPA"):
        lm.read_arpa(TRIGRAMS.replace(old, new).splitlines())


def test_kenlm_reads_the_same_probabilities_from_the_arpa_file(tmp_path):
    kenlm = pytest.importorskip("kenlm")
    for sizes in SIZES:
        exact = levels(sizes)
        path = tmp_path / "model.arpa"
        path.write_text(arpa(exact), encoding="utf-8")
        theirs = kenlm.Model(str(path))
        twin = tables(exact)
        for sentence in sentences(5, 200):
            # A word that kenlm has never seen stands for our <unk>.
            spelt = " ".join("never-seen" if w == UNKNOWN else WORDS[w] for w in sentence)
            scores = [score for score, _, _ in theirs.full_scores(spelt)]
            assert scores == pytest.approx(log_ps(twin, sentence), abs=1e-4)
