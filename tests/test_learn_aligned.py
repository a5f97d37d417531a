"""Claims about tables that are learned from pages with their originals (`unspin.learn.aligned`)."""

import gzip
import json
import random
import re

import pytest

from tests.piles import TABLE, clean_texts, drawn, spin
from unspin import families
from unspin.learn import aligned
from unspin.learn.aligned import Counts, PairLearner, learn_pairs
from unspin.learn.errors import LearnError
from unspin.learn.fingerprint import Fingerprint

PHRASES = {
    "after": "subsequent to",
    "and": "and furthermore",
    "one of the": "one of the numerous",
    "because": "in light of that",
    "it was": "this had been",
    "out of": "beyond",
    "part of": "a portion of",
}


def spin_phrases(text):
    phrases = "|".join(sorted(PHRASES, key=len, reverse=True))
    return re.sub(rf"(?<= )(?:{phrases})(?= [a-z])", lambda found: PHRASES[found[0]], text)


def edited(text, words):
    """The text with one word in fifty replaced by another, the same ones each time."""
    chance = random.Random(text)
    return re.sub(
        r"(?<= )[a-z]+(?= )",
        lambda word: chance.choice(words) if chance.random() < 0.02 else word[0],
        text,
    )


def pairs_of(table):
    return {(entry.original, entry.spun) for entry in table.entries}


@pytest.fixture(scope="module")
def texts():
    return clean_texts()


@pytest.fixture(scope="module")
def learner():
    return PairLearner()


@pytest.fixture(scope="module")
def learn(learner):
    return lambda pairs: learner.table(learner.count(pairs), "wave")


# --- what is learned


def test_pairs_that_no_thesaurus_has_are_learned_exactly(learn, texts):
    table = learn((spin(text), text) for text in texts)
    assert pairs_of(table) == set(TABLE.items())


def test_every_swap_between_words_that_stayed_is_counted(learn, texts):
    table = learn((spin(text), text) for text in texts)
    swapped = sum(
        word != other
        for text in texts
        for word, other in zip(text.split(), spin(text).split(), strict=True)
    )
    assert sum(entry.count for entry in table.entries) == pytest.approx(swapped, rel=0.02)


def test_phrases_are_learned_whole_even_beside_a_word_that_they_share(learn, texts):
    table = learn((spin_phrases(text), text) for text in texts)
    wanted = {**PHRASES, "part": "a portion"}
    del wanted["part of"]  # whose last word stays
    assert set(wanted.items()) <= pairs_of(table)
    others = [entry for entry in table.entries if wanted.get(entry.original) != entry.spun]
    assert sum(entry.count for entry in others) <= 2


def test_words_are_learned_in_the_form_in_which_they_stood(learn):
    original = "The farmers walked to the river, where two boats were waiting for the last of them."
    spun = original.replace("walked", "ambled").replace("boats", "vessels")
    assert pairs_of(learn([(spun, original)])) == {("walked", "ambled"), ("boats", "vessels")}


def test_probabilities_are_the_shares_of_what_was_printed(learn):
    original = "Nobody knew where the river went, or why the boats had come so late in the year."
    pages = [original.replace("boats", "vessels")] * 30 + [original.replace("boats", "ships")] * 10
    vessels, ships = learn((page, original) for page in pages).entries
    assert (vessels.spun, ships.spun) == ("vessels", "ships")
    assert (vessels.count, ships.count) == (30, 10)
    assert vessels.probability == pytest.approx(0.75, abs=0.02)
    assert ships.probability == pytest.approx(0.25, abs=0.02)


def test_names_and_numbers_are_in_no_table(learn):
    original = "On Monday the mayor told Radio Leeds that 31 boats had been lost on the river."
    spun = original.replace("Leeds", "Derby").replace("31", "45").replace("lost", "mislaid")
    assert pairs_of(learn([(spun, original)])) == {("lost", "mislaid")}


def test_a_table_can_be_written_and_read_again(learn, texts, tmp_path):
    table = learn((spin_phrases(spin(text)), text) for text in texts[:20])
    path = tmp_path / "wave.tsv"
    path.write_text(families.write(table), encoding="utf-8")
    assert families.read(path) == table
    assert table.learned == "20 document pairs"


@pytest.mark.parametrize(
    "odd", ["x" * 2_000, "ſtraße", "ª", "\ud800", "e\u0301t", "東京", "it’s", "a_b"]
)
def test_whatever_is_printed_the_table_can_be_written(learn, odd):
    original = "Nobody knew where the river went, or why the boats had come so late in the year."
    spun = original.replace("boats", odd).replace("river", "stream")
    table = learn([(spun, original), (original, spun)])
    assert ("river", "stream") in pairs_of(table)
    assert families.write(table)


def test_what_was_edited_at_random_is_mostly_left_out(learn, texts):
    words = [word for word in " ".join(texts).split() if word.isalpha() and word.islower()]
    pages = [(edited(spin(text), words), text) for text in texts]
    found = pairs_of(learn(pages))
    # What swaps "from" was itself edited here and there, which is no pair of the table.
    assert set(TABLE.items()) <= found
    noise = sum(
        a != b
        for page, text in pages
        for a, b in zip(page.split(), spin(text).split(), strict=True)
    )
    assert noise > 80
    assert len(found) - len(TABLE) < 0.15 * noise


def test_a_pair_that_was_seen_once_is_learned_where_nothing_was_edited(learn, texts):
    text = texts[0]
    rare = next(w for w in text.split() if w.isalpha() and w.islower() and text.count(w) == 1)
    page = re.sub(rf"(?<= ){rare}(?= )", "breakfast", text)
    assert page != text
    assert (rare, "breakfast") in pairs_of(learn([(page, text)]))


def test_all_blocks_of_a_long_page_are_looked_at(learner, texts, monkeypatch):
    monkeypatch.setattr(aligned, "BLOCK", 50)
    text = "\n".join(texts[:5])
    counts = learner.count([(spin(text), text)])
    assert counts.documents == 1
    assert pairs_of(learner.table(counts, "wave")) <= set(TABLE.items())
    assert counts.swapped.total() > 0.9 * sum(word in TABLE.values() for word in spin(text).split())


def test_words_are_given_beside_each_other(learner):
    original = "The farmers walked to the river, where two boats were waiting for the last of them."
    (alignment,) = learner.align(original.replace("boats", "vessels"), original)
    beside = [
        (alignment.page.symbol[i], alignment.source.symbol[j], alignment.mask(i) == 0)
        for i, j in enumerate(alignment.to)
    ]
    assert ("vessels", "boats", False) in beside
    assert ("farmers", "farmers", True) in beside
    assert len(beside) == 16


# --- what does not belong together


def test_documents_that_do_not_belong_together_are_left_out_and_counted(learner, texts):
    pages = [(spin(text), text) for text in texts[:10]]
    strangers = list(zip(texts[10:20], texts[20:30], strict=True))
    counts = learner.count([*pages, *strangers])
    assert (counts.documents, counts.left_out) == (10, 10)
    alone = learner.count(pages)
    assert learner.table(counts, "wave") == learner.table(alone, "wave")


@pytest.mark.parametrize(
    ("pages", "said"),
    [
        ([], "each line is"),
        ([("", ""), ("\0", "x" * 10_000)], "none of 2 document pairs belong together"),
        ([("It rained for days. Nobody came to the shop.",) * 2], "nothing differs"),
    ],
    ids=["none", "strangers", "equal"],
)
def test_nothing_to_learn_is_said_with_what_to_do(learn, pages, said):
    with pytest.raises(LearnError, match=said):
        learn(pages)


# --- parts


def test_counts_of_parts_add_up_in_any_order(learner, texts):
    pages = [(spin_phrases(spin(text)), text) for text in texts[:12]]
    whole = learner.count(pages)
    parts = [learner.count(pages[i : i + 5]) for i in (0, 5, 10)]
    for order in (parts, parts[::-1]):
        total = Counts()
        for part in order:
            total.add(part)
        assert total == whole
        assert learner.table(total, "wave") == learner.table(whole, "wave")


def test_the_sample_of_stretches_is_the_same_in_any_order(learner, texts, monkeypatch):
    monkeypatch.setattr(aligned, "MOST_STRETCHES", 10)
    pages = [(spin_phrases(text), text) for text in texts[:12]]
    whole = learner.count(pages)
    assert len(whole.stretches) == 10
    assert whole.differing > 20
    assert learner.count(pages[::-1]) == whole
    total = learner.count(pages[6:])
    total.add(learner.count(pages[:6]))
    assert total == whole


def test_pages_are_read_once(texts):
    pages = ((spin(text), text) for text in texts[:20])
    assert learn_pairs(pages, "wave").name == "wave"
    assert next(pages, None) is None


# --- files of pairs, and pages that are traced


def line(spun, original):
    return json.dumps({"spun": spun, "original": original})


@pytest.fixture
def read_pairs():
    pytest.importorskip("pyarrow")
    pytest.importorskip("fsspec")
    from unspin.learn.originals import read_pairs

    return read_pairs


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "jsonl.zst"])
def test_pairs_are_read_from_json_lines_compressed_or_not(read_pairs, tmp_path, ending):
    raw = f"{line('One boat.', 'One ship.')}\n\n{line('Two.', 'Three.')}\n".encode()
    if ending.endswith("gz"):
        raw = gzip.compress(raw)
    elif ending.endswith("zst"):
        raw = pytest.importorskip("zstandard").compress(raw)
    path = tmp_path / f"pairs.{ending}"
    path.write_bytes(raw)
    assert list(read_pairs([str(path)])) == [("One boat.", "One ship."), ("Two.", "Three.")]


def test_broken_lines_are_passed_over_with_the_reason(read_pairs, tmp_path):
    lines = [
        line("One.", "Two."),
        "{",
        '{"spun": "No original."}',
        '{"spun": "x", "original": 7}',
        '{"spun": null, "original": "x"}',
        "[]",
        line("Three.", "Four."),
    ]
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(lines))
    told = []
    assert list(read_pairs([str(path)], told.append)) == [("One.", "Two."), ("Three.", "Four.")]
    assert [reason.partition(" record ")[2].partition(":")[0] for reason in told] == [*"23456"]
    assert "no JSON" in told[0]
    assert "no text in the field 'original'" in told[1]
    assert "the field 'spun' is null" in told[3]


def test_what_precedes_a_fault_is_read(read_pairs, tmp_path):
    raw = gzip.compress("".join(f"{line(f'One {i}.', 'Two.')}\n" for i in range(5_000)).encode())
    (tmp_path / "cut.jsonl.gz").write_bytes(raw[: len(raw) // 2])
    (tmp_path / "whole.jsonl").write_text(line("Three.", "Four."))
    told = []
    found = list(read_pairs([str(tmp_path)], told.append))
    assert found[0] == ("One 0.", "Two.")
    assert found[-1] == ("Three.", "Four.")
    assert len(told) == 1
    assert "broken or cut off" in told[0]


def test_a_file_without_pairs_says_which_fields_it_has(read_pairs, tmp_path):
    path = tmp_path / "pages.jsonl"
    path.write_text('{"text": "It rained.", "id": 1}\n')
    told = []
    assert list(read_pairs([str(path)], told.append)) == []
    assert len(told) == 1
    assert told[0].endswith("its records have no field 'spun', but 'text', 'id'")


def test_other_files_are_refused_with_what_to_do(read_pairs, tmp_path):
    (tmp_path / "page.txt").write_text("It rained.")
    with pytest.raises(LearnError, match=r"ends in \.jsonl, as \{\"spun\": TEXT"):
        next(read_pairs([str(tmp_path)]))


def test_pages_are_paired_with_the_articles_that_they_are_traced_to(learn, texts, tmp_path):
    pytest.importorskip("tantivy")
    from unspin.learn.originals import traced_pairs
    from unspin.trace.index import build

    articles = [text for text in texts if len(text) > 400]
    path = tmp_path / "articles.jsonl"
    path.write_text("\n".join(json.dumps({"text": text}) for text in articles[:20]))
    build([str(path)], tmp_path / "index")
    pages = [spin(text) for text in articles[:8]]
    told = []
    found = list(
        traced_pairs(
            [*pages, articles[25], "Too short."], [tmp_path / "index"], skipped=told.append
        )
    )
    assert found == list(zip(pages, articles[:8], strict=True))
    assert [reason.partition(":")[0] for reason in told] == ["page 9", "page 10"]
    assert pairs_of(learn(found)) <= set(TABLE.items())


def test_the_file_says_what_the_spinner_does_and_spares():
    pages = [(spin(text, drawn(1)), text) for text in clean_texts()[:60]]
    mark = Fingerprint.read(learn_pairs(pages, "wave"))
    # The spinner of these pages touches nothing but words in lower case between white space.
    assert "spares capitals" in mark.habits()
    assert "spares words that touch punctuation" in mark.habits()
    assert "one word for each" in mark.habits()
    swapped = [
        sum(a != b for a, b in zip(spun.split(), original.split(), strict=True))
        / len(original.split())
        for spun, original in pages
    ]
    assert abs(mark.rate - sorted(swapped)[len(swapped) // 2]) < 0.05
